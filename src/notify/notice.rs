//! What does a fact sound like? The fact first, then why, then what it means for the book.

use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::domain::format::{age, counted, money, percent, price, quantity, signed, signed_percent, time};
use crate::domain::{EventKind, HaltCause, LiftReason, NoticeId, ReduceCause, Severity, Trade};
use crate::store::Delivery;

/// How everything of the simulated market is marked.
const SIMULATED: &str = "sim";
/// A message that comes later than this says so.
const LATE_MS: i64 = 60_000;

/// A fact, told to a person; the same for every channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub number: NoticeId,
    /// How loud it is.
    pub severity: Severity,
    /// The lines, the fact first.
    pub lines: Vec<String>,
}

/// Puts a delivery into words, with times in `zone` and prices marked as `mark`.
pub fn notice(delivery: &Delivery, zone: Tz, mark: &str, now: Timestamp) -> Notice {
    let event = &delivery.event;
    let book = event.book.map(|book| book.to_string());
    let mut lines = Words { zone, mark, at: event.at, book: book.as_deref().unwrap_or("") }.lines(&event.kind);
    // Where even the market is made up, no message may be taken for one about a real price.
    if let Some(fact) = lines.first_mut().filter(|fact| mark == SIMULATED && !fact.contains(SIMULATED)) {
        fact.push_str(" · ");
        fact.push_str(mark);
    }
    if delivery.repeated {
        lines.insert(0, format!("Possibly a repeat of {}: it was under way when the bot died", delivery.notice));
    }
    let late = now.since(delivery.created);
    if late > LATE_MS {
        lines.push(format!("{} late", age(late)));
    }
    Notice { number: delivery.notice, severity: delivery.severity, lines }
}

struct Words<'a> {
    zone: Tz,
    mark: &'a str,
    at: Timestamp,
    book: &'a str,
}

impl Words<'_> {
    fn when(&self) -> String {
        time(self.at, self.zone)
    }

    #[expect(clippy::too_many_lines, reason = "one arm a kind: the table of all notices")]
    fn lines(&self, kind: &EventKind) -> Vec<String> {
        match kind {
            EventKind::PositionOpened { .. } => self.opened(kind),
            EventKind::PositionClosed { trade, day, day_share, equity } => {
                let mut lines = self.closed(trade);
                lines.push(format!(
                    "{} today {} ({}) · equity {}",
                    self.book,
                    signed(*day),
                    signed_percent(*day_share),
                    money(*equity)
                ));
                lines
            }
            EventKind::PositionScaled { symbol, quantity: held, average } => {
                let (held, average, mark) = (quantity(*held), price(*average), self.mark);
                vec![format!("{symbol} is bought in parts: {held} held now, at {average} on average · {mark}")]
            }
            EventKind::EngineStarted { feed, symbols, dry_run } => {
                let dry = if *dry_run { " · dry run: decides and records, submits nothing" } else { "" };
                vec![format!("Started on {feed} · {}{dry}", counted(*symbols as u64, "symbol"))]
            }
            EventKind::EngineRecovered { down_s, last_cycle, positions, orders, unknown_deliveries } => vec![
                format!("Back after a crash: {} without a sign of life", age(*down_s * 1000)),
                format!(
                    "Went on after cycle {last_cycle}, the last one committed: {} and {} taken up again, none lost, none repeated",
                    counted(*positions as u64, "position"),
                    counted(*orders as u64, "order")
                ),
                format!(
                    "{} of unknown fate will be repeated and marked",
                    counted(*unknown_deliveries as u64, "message")
                ),
            ],
            EventKind::EngineStopped { cycles } => vec![format!("Stopped after {}", counted(*cycles, "cycle"))],
            EventKind::ReplayFinished { cycles, equity } => {
                vec![format!(
                    "Recorded prices are at their end: {} · equity {}",
                    counted(*cycles, "cycle"),
                    money(*equity)
                )]
            }
            EventKind::PositionUnprotected { symbol, quantity: held } => vec![
                format!("NO STOP: {} {symbol} of {} are not protected", quantity(*held), self.book),
                "No working order would end a loss here. /positions shows it, /halt stops new entries".to_owned(),
            ],
            EventKind::TradingHalted { cause, cancelled, positions } => self.halted(cause, *cancelled, *positions),
            EventKind::TradingReduced { cause: ReduceCause::DailyLoss { loss, limit }, day, until } => vec![
                format!(
                    "{} reducing: day {}, a loss of {}, limit {}",
                    self.book,
                    signed(*day),
                    percent(*loss),
                    percent(*limit)
                ),
                format!("No entries until {}; exits and stops work", time(*until, self.zone)),
            ],
            EventKind::TradingResumed { from, person } => {
                let who = person.as_ref().map_or_else(|| "a new day began".to_owned(), |person| format!("by {person}"));
                vec![format!("{} is running again, was {from} · {who}", self.book)]
            }
            EventKind::DailyLossNear { day, loss, limit } => vec![format!(
                "{} near its daily loss limit: {} today, a loss of {}, limit {}",
                self.book,
                signed(*day),
                percent(*loss),
                percent(*limit)
            )],
            EventKind::DayClosed { day, profit, equity, trades } => vec![format!(
                "{} on {day}: {} · equity {} · {} closed",
                self.book,
                signed(*profit),
                money(*equity),
                counted(u64::from(*trades), "trade")
            )],
            EventKind::FeedStale { symbol, since } => vec![format!(
                "No prices of {symbol} since {}: nothing is entered on it until they come back",
                time(*since, self.zone)
            )],
            EventKind::FeedRecovered { symbol, since, bars_missing } => vec![format!(
                "Prices of {symbol} are back at {}; missing since {}, {}. Nothing was entered on it",
                self.when(),
                time(*since, self.zone),
                counted(*bars_missing, "bar")
            )],
            EventKind::SymbolLocked { symbol, before, after, quantity: held } => vec![
                format!(
                    "LOCKED {symbol}: it moved from {} to {} with no corporate action on file",
                    price(*before),
                    price(*after)
                ),
                format!("Is that price right? {} held; nothing of it trades, its stop waits too", quantity(*held)),
                format!(
                    "If it is right: /unlock {symbol}. If the shares were split: put it into corporate_actions.csv"
                ),
            ],
            EventKind::SymbolUnlocked { symbol, reason } => vec![match reason {
                LiftReason::Command { person } => format!("{symbol} unlocked by {person}: its price counts again"),
                LiftReason::Filed => format!("{symbol} unlocked: its move is explained in corporate_actions.csv now"),
                LiftReason::CameBack => format!("{symbol} unlocked: the price came back, it was a bad print"),
                LiftReason::StoodFlat { sessions } => {
                    format!("{symbol} unlocked: nothing is held, and the new price stood for {sessions} sessions")
                }
            }],
            EventKind::SplitApplied { symbol, ratio, quantity: held } => {
                vec![format!("{symbol} was split {ratio} for 1: {} held now, at the same total cost", quantity(*held))]
            }
            EventKind::ClockJumped { by_s } => {
                let way = if *by_s < 0 { "back" } else { "forward" };
                vec![format!(
                    "The machine's clock was set {way} by {}; trading goes by the market's time",
                    age(by_s.abs() * 1000)
                )]
            }
            EventKind::StoreRecovered { error, down_s } => vec![
                format!("The store works again after {}: {error}", age(*down_s * 1000)),
                "Everything decided meanwhile is recorded; /resume lets trading go on".to_owned(),
            ],
            EventKind::BackupFailed { error } => vec![format!("The nightly backup failed: {error}")],
            EventKind::PinLocked { person, until } => vec![
                format!("PIN of {person} LOCKED until {} after five wrong tries", time(*until, self.zone)),
                "If that was not you: somebody at your terminal tries to change things".to_owned(),
            ],
            EventKind::SignalRaised { .. }
            | EventKind::ProposalRefused { .. }
            | EventKind::OrderSubmitted { .. }
            | EventKind::OrderWithheld { .. }
            | EventKind::OrderFilled { .. }
            | EventKind::OrderEnded { .. }
            | EventKind::StopMoved { .. }
            | EventKind::BackupMade { .. } => vec![kind.name().replace('_', " ")],
        }
    }

    fn opened(&self, kind: &EventKind) -> Vec<String> {
        let EventKind::PositionOpened { fill, strategy, because, stop, target, trailing, risk, .. } = kind else {
            return Vec::new();
        };
        let EventKind::PositionOpened { exposure, exposure_limit, cash, equity, .. } = kind else { return Vec::new() };
        let (symbol, at) = (fill.symbol, fill.price);
        let mut lines = vec![
            format!("Bought {} {symbol} at {} · {}", quantity(fill.quantity), price(at), self.mark),
            format!("{strategy}: {because} · {}", time(fill.at, self.zone)),
        ];
        if let Some(stop) = stop {
            let away = stop.minus(at).map(|gap| gap.share_of(at)).unwrap_or_default();
            let follows = if *trailing { ", trailing" } else { "" };
            let target = target.map(|target| format!(" · target {}", price(target))).unwrap_or_default();
            lines.push(format!(
                "Stop {} ({}){follows}{target} · risk {}, {} of {}",
                price(*stop),
                signed_percent(away),
                money(*risk),
                percent(risk.share_of(*equity)),
                self.book
            ));
        }
        lines.push(format!("Exposure {} of {} · cash {}", percent(*exposure), percent(*exposure_limit), money(*cash)));
        lines
    }

    fn closed(&self, trade: &Trade) -> Vec<String> {
        let cost = trade.quantity.value_at(trade.entry_price).unwrap_or_default();
        vec![
            format!(
                "{} closed at {} · {} ({}) after {} · {}",
                trade.symbol,
                price(trade.exit_price),
                signed(trade.profit),
                signed_percent(trade.profit.share_of(cost)),
                age(trade.closed.since(trade.opened)),
                self.mark
            ),
            format!(
                "By {}: {} bought at {} · fees {} · {} · /why {}",
                trade.reason.as_str(),
                quantity(trade.quantity),
                price(trade.entry_price),
                money(trade.fees),
                time(trade.closed, self.zone),
                trade.id
            ),
        ]
    }

    fn halted(&self, cause: &HaltCause, cancelled: usize, positions: usize) -> Vec<String> {
        let why = match cause {
            HaltCause::Command { person } => format!("by {person}"),
            HaltCause::Drawdown { drawdown, limit } => {
                format!("{} below its peak, limit {}", percent(*drawdown), percent(*limit))
            }
            HaltCause::StoreTrouble { error } => format!("the store cannot be written: {error}"),
            HaltCause::BrokenInvariant { what } => format!("something impossible happened: {what}"),
        };
        vec![
            format!("HALTED {}: {why}", self.book),
            format!(
                "{} cancelled; stops of {} stay in force. /resume needs your PIN",
                counted(cancelled as u64, "entry order"),
                counted(positions as u64, "position")
            ),
        ]
    }
}
