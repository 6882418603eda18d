//! What happens in a demonstration, and when? Incidents at fixed times, each said in one line before it happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::chat::{Inbound, Person, Place, Reply};
use crate::clock::{Clock, Timestamp};
use crate::domain::{
    Event, EventKind, ExitReason, Lane, Money, Price, Quantity, Ratio, ReduceCause, Side, Symbol, Trade, TradeId,
};
use crate::engine::EngineMessage;
use crate::store::{Reader, StoreError};

use super::AppError;
use super::around::wait;
use super::run::Stage;
use super::shell::print;
use super::talk::waiter;

/// When quiet hours begin and end on the phone, in seconds of the demonstration.
pub(super) const QUIET_S: [u32; 2] = [9, 17];
/// When it is over.
const END_S: u32 = 60;
/// How long the bot may take to notice that a line is cut, or whole again.
const NOTICED: Duration = Duration::from_secs(20);
/// Positions that close at once: a storm.
const STORM: &str = "ADBE AMD BA CAT CRM DIS GE INTC MCD NFLX ORCL PEP";

/// Everything that a script needs to know.
pub(super) struct Script {
    pub(super) clock: Arc<dyn Clock>,
    /// When it began, on the steady clock.
    pub(super) begun: Duration,
    /// How many times faster than it is meant to be.
    pub(super) speed: u32,
    /// Who sits there.
    pub(super) person: Person,
    /// The way that is cut.
    pub(super) office: Lane,
    pub(super) is_cut: Arc<AtomicBool>,
}

impl Script {
    /// Plays it to its end, and stops the engine.
    pub(super) fn play(&self, stage: &Stage) {
        let played = self.trades(stage).and_then(|()| self.cut(stage)).and_then(|()| self.limits(stage));
        if let Err(error) = played.and_then(|()| self.storm(stage)) {
            print(error.message().as_deref().unwrap_or("the demonstration broke off"));
        }
        self.at(END_S, "the day is over: the bot stops");
        // An engine that is gone has stopped already.
        let _ = stage.queue.send(EngineMessage::Stop);
    }

    /// Waits until then, and says what comes.
    fn at(&self, second: u32, what: &str) {
        let due = Duration::from_secs(second.into()) / self.speed;
        let passed = self.clock.steady().saturating_sub(self.begun);
        wait(due.saturating_sub(passed), self.clock.as_ref(), || false);
        let shown = (self.clock.steady().saturating_sub(self.begun) * self.speed).as_secs();
        print(&format!("\n{:02}:{:02} · {what}", shown / 60, shown % 60));
    }

    fn tell(&self, stage: &Stage, kinds: Vec<EventKind>) -> Result<(), AppError> {
        let (at, book) = (self.market(stage)?, "main".parse().ok());
        let events = kinds.into_iter().map(|kind| Event { at, book, kind }).collect();
        Ok(stage.store.record_events(stage.run, self.clock.now(), events, &stage.routes)?)
    }

    fn market(&self, stage: &Stage) -> Result<Timestamp, StoreError> {
        let progress = Reader::open(stage.store.path())?.progress()?;
        Ok(progress.map_or_else(|| self.clock.now(), |progress| progress.market))
    }

    /// Types a line as the person would; what is answered.
    fn typed(&self, stage: &Stage, text: &str) {
        let inbound = Inbound {
            person: self.person.clone(),
            place: Place::Machine,
            chat: "terminal".to_owned(),
            text: text.to_owned(),
        };
        match stage.chat.handle(&inbound) {
            Reply::Text(said) | Reply::Refused(said) | Reply::Failed { what: said, .. } => print(&said),
            Reply::Admitted { id } => {
                let wait_for = waiter(stage.chat.clone(), self.clock.clone());
                print(&wait_for(id).unwrap_or_else(|| "recorded".to_owned()));
            }
            Reply::Confirm { preview, .. } => print(&preview),
            Reply::NeedsPin => print("that needs a PIN"),
        }
    }

    fn trades(&self, stage: &Stage) -> Result<(), AppError> {
        self.at(
            1,
            "a day at the market begins: each trade is told, and its message on the phone follows it to its end",
        );
        self.at(QUIET_S[0], "quiet hours on the phone: what can wait is held there, and comes when they end");
        let symbol: Symbol = "AAPL".parse().map_err(|_| AppError::failed("no symbol"))?;
        let passed = |level: i64| EventKind::PositionPassed {
            symbol,
            profit: Money::whole(level / 4),
            share: Ratio::from_bps(level),
            level: Ratio::from_bps(level),
        };
        self.tell(stage, [100, 200].map(passed).to_vec())
    }

    /// A way dies and comes back.
    fn cut(&self, stage: &Stage) -> Result<(), AppError> {
        self.at(QUIET_S[1] + 3, "a channel dies: the line to the office is cut, and the others are told");
        self.is_cut.store(true, Ordering::SeqCst);
        let changes = vec!["main: daily_loss_pct 4 -> 3".to_owned()];
        self.tell(stage, vec![EventKind::ConfigChanged { changes }])?;
        let reader = Reader::open(stage.store.path())?;
        let is_dead = || reader.lane_state(self.office).ok().flatten().is_some_and(|state| state.dead);
        wait(NOTICED, self.clock.as_ref(), is_dead);
        self.at(QUIET_S[1] + 10, "the line is whole again: what waited comes now");
        self.is_cut.store(false, Ordering::SeqCst);
        wait(NOTICED, self.clock.as_ref(), || !is_dead());
        Ok(())
    }

    /// A bad day, and a person who stops it.
    fn limits(&self, stage: &Stage) -> Result<(), AppError> {
        let limit = Ratio::from_bps(300);
        self.at(33, "a bad day, as scripted: the loss comes near its limit");
        let (day, loss) = (Money::whole(-255), Ratio::from_bps(255));
        self.tell(stage, vec![EventKind::DailyLossNear { day, loss, limit }])?;
        self.at(37, "the limit is reached: no entries until tomorrow");
        let cause = ReduceCause::DailyLoss { loss: Ratio::from_bps(304), limit, closing: 0 };
        let until = Some(self.market(stage)?.plus_ms(15 * 3_600_000));
        self.tell(stage, vec![EventKind::TradingReduced { cause, day: Money::whole(-304), until }])?;
        self.at(41, "you type /halt: it is the safe direction, so nobody asks for a PIN");
        self.typed(stage, "/halt");
        self.at(45, "you type /ack: nobody else is woken for it, and the phone says who has seen it");
        self.typed(stage, "/ack");
        Ok(())
    }

    /// Many facts at once.
    fn storm(&self, stage: &Stage) -> Result<(), AppError> {
        let symbols: Vec<Symbol> = STORM.split(' ').filter_map(|name| name.parse().ok()).collect();
        let count = symbols.len();
        let what = format!("a storm: {count} positions close at once; {count} lines here, one message on the phone");
        self.at(50, &what);
        let at = self.market(stage)?;
        let closed = symbols.into_iter().zip(1..).map(|(symbol, number)| closed(symbol, number, at)).collect();
        self.tell(stage, closed)
    }
}

/// A position that was closed, as a day might bring it.
fn closed(symbol: Symbol, number: u64, at: Timestamp) -> EventKind {
    let result = |share: i64| Money::whole(share * if number.is_multiple_of(3) { 1 } else { -1 });
    let (quantity, entry) = (Quantity::whole(2), 90 + 10 * number as i64);
    let trade = Trade {
        id: TradeId(1_000 + number),
        book: "main".parse().expect("a name"),
        symbol,
        strategy: "scripted".parse().expect("a name"),
        side: Side::Buy,
        quantity,
        entry_price: Price::whole(entry),
        exit_price: Price::whole(entry + if number.is_multiple_of(3) { 3 } else { -3 }),
        opened: at.plus_ms(-3_600_000),
        closed: at,
        fees: Money::ZERO,
        carried: Money::ZERO,
        profit: result(6),
        best: Money::whole(8),
        worst: Money::whole(-8),
        reason: if number.is_multiple_of(3) { ExitReason::Target } else { ExitReason::Stop },
    };
    let day = Money::whole(-304 - 2 * number as i64);
    EventKind::PositionClosed { trade, day, day_share: Ratio::from_bps(-304), equity: Money::whole(9_696) }
}
