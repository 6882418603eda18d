//! What happens in a demonstration, and when? A line before each incident. The market brings them itself, but for what somebody types
//! and for the line that is cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::chat::{Inbound, Person, Place, Reply};
use crate::clock::Clock;
use crate::domain::{Event, EventKind, Lane};
use crate::engine::EngineMessage;
use crate::market::SimulatedFeed;
use crate::store::Reader;

use super::AppError;
use super::around::wait;
use super::guests::Stage;
use super::shell::print;
use super::talk::waiter;

/// When quiet hours begin and end on the phone, in seconds of the demonstration.
pub(super) const QUIET_S: [u32; 2] = [9, 17];
/// When it is over.
const END_S: u32 = 60;
/// Minutes of the demonstration's day at the market just before its loss comes near the limit, and before it reaches it. They belong to
/// the seed and the book.
const NEAR_MIN: i64 = 250;
const LIMIT_MIN: i64 = 285;
/// When everything is closed for that.
const CLOSED_MIN: i64 = 292;
/// How long the bot may take to notice that a line is cut, or whole again.
const NOTICED: Duration = Duration::from_secs(20);
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
        self.trades();
        if let Err(error) = self.cut(stage).and_then(|()| self.limits(stage)) {
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

    /// Waits until so many minutes of the day have passed at the market, for as long as the market goes on.
    fn reach(&self, stage: &Stage, minute: i64) -> Result<(), AppError> {
        let (reader, due) = (Reader::open(stage.store.path())?, SimulatedFeed::START.plus_ms(minute * 60_000));
        let market = || reader.progress().ok().flatten().map(|progress| progress.market);
        let mut last = None;
        while market() != last && market().is_none_or(|now| now < due) {
            last = market();
            wait(NOTICED, self.clock.as_ref(), || market().is_some_and(|now| now >= due));
        }
        Ok(())
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
            Reply::Message(message) => print(&message.plain_lines().join("\n")),
            Reply::Admitted { id } => {
                let wait_for = waiter(stage.chat.clone(), self.clock.clone());
                print(&wait_for(id).unwrap_or_else(|| "recorded".to_owned()));
            }
            Reply::Confirm { preview, .. } => print(&preview),
            Reply::NeedsPin => print("that needs a PIN"),
        }
    }

    fn trades(&self) {
        self.at(
            1,
            "a day at the market begins: each trade is told, and its message on the phone follows it to its end",
        );
        self.at(QUIET_S[0], "quiet hours on the phone: what can wait is held there, and comes when they end");
        self.at(QUIET_S[1], "the quiet hours are over");
    }

    /// A way dies and comes back.
    fn cut(&self, stage: &Stage) -> Result<(), AppError> {
        self.at(QUIET_S[1] + 4, "a channel dies: the line to the office is cut, and the others are told");
        self.is_cut.store(true, Ordering::SeqCst);
        // Something that goes every way.
        let kind = EventKind::DrillSent { person: self.person.name.clone() };
        let event = Event { at: self.clock.now(), book: None, kind };
        stage.store.record_events(stage.run, self.clock.now(), vec![event], &stage.routes)?;
        let reader = Reader::open(stage.store.path())?;
        wait(NOTICED, self.clock.as_ref(), || self.is_dead(&reader));
        self.at(QUIET_S[1] + 10, "the line is whole again: what waited comes now");
        self.is_cut.store(false, Ordering::SeqCst);
        Ok(())
    }

    fn is_dead(&self, reader: &Reader) -> bool {
        reader.lane_state(self.office).ok().flatten().is_some_and(|state| state.dead)
    }

    /// A bad day, and a person who stops it.
    fn limits(&self, stage: &Stage) -> Result<(), AppError> {
        self.reach(stage, NEAR_MIN)?;
        self.at(0, "a bad day: the loss comes near its limit, which is 1 % in this book");
        self.reach(stage, LIMIT_MIN)?;
        self.at(
            0,
            "the limit is reached: everything is closed at once. Line by line here, in one message on the phone",
        );
        self.reach(stage, CLOSED_MIN)?;
        self.at(49, "you type /halt: it is the safe direction, so nobody asks for a PIN");
        self.typed(stage, "/halt");
        self.at(54, "you type /ack: nobody else is woken for it, and the phone says who has seen it");
        self.typed(stage, "/ack");
        let reader = Reader::open(stage.store.path())?;
        wait(NOTICED, self.clock.as_ref(), || !self.is_dead(&reader));
        Ok(())
    }
}
