//! What does a fact sound like? The fact first, then why, then what it means for the book.

use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::domain::format::{age, counted, money, percent, price, quantity, signed, signed_percent, time};
use crate::domain::{EventKind, LiftReason, Quantity};

/// How everything of the simulated market is marked.
const SIMULATED: &str = "sim";
pub(super) struct Words<'a> {
    pub(super) zone: Tz,
    pub(super) mark: &'a str,
    pub(super) at: Timestamp,
    pub(super) book: &'a str,
}

impl Words<'_> {
    fn when(&self) -> String {
        time(self.at, self.zone)
    }

    #[expect(clippy::too_many_lines, reason = "one arm a kind: the table of all notices")]
    pub(super) fn lines(&self, kind: &EventKind) -> Vec<String> {
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
                let dealt = if *held < Quantity::ZERO { "sold short" } else { "bought" };
                let (held, average, mark) = (quantity(held.abs()), price(*average), self.mark);
                vec![format!("{symbol} is {dealt} in parts: {held} held now, at {average} on average · {mark}")]
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
            EventKind::TradingReduced { cause, day, until } => self.reduced(cause, *day, *until),
            EventKind::TradingResumed { from, person } => {
                let who = person
                    .as_ref()
                    .map_or_else(|| "what stopped it is over".to_owned(), |person| format!("by {person}"));
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
            EventKind::DrawdownNear { drawdown, limit } => vec![format!(
                "{} is {} below its peak; entries stop at {}",
                self.book,
                percent(*drawdown),
                percent(*limit)
            )],
            EventKind::EntryLocked { lock } => vec![format!(
                "{} keeps out of {} until {}: {}. /unlock {} lets it enter sooner",
                self.book,
                lock.symbol,
                time(lock.until, self.zone),
                lock.cause.words(),
                lock.symbol
            )],
            EventKind::EntryUnlocked { symbol, person } => {
                vec![format!("{} may enter {symbol} again, said {person}", self.book)]
            }
            EventKind::CarryBooked { booking } => vec![format!(
                "{} of {}: {} for {}",
                booking.kind.as_str(),
                booking.symbol,
                signed(booking.amount),
                self.book
            )],
            EventKind::MarginCalled { symbol, left, required } => vec![
                format!(
                    "MARGIN CALL {symbol} of {}: {} is left of its margin, it asks for {}",
                    self.book,
                    money(*left),
                    money(*required)
                ),
                "It is closed at the next bar".to_owned(),
            ],
            EventKind::BookStopped { equity, profit } => vec![format!(
                "{} is stopped and holds nothing: equity {}, {} since it began, after fees",
                self.book,
                money(*equity),
                signed(*profit)
            )],
            EventKind::BookReset { equity, capital, person } => vec![format!(
                "{} begins anew with {}, said {person}; it was worth {}",
                self.book,
                money(*capital),
                money(*equity)
            )],
            EventKind::ConfigChanged { changes } => {
                let mut lines = vec![format!("Configuration changed: {}", counted(changes.len() as u64, "difference"))];
                lines.extend(changes.iter().map(|change| format!("  {change}")));
                lines
            }
            EventKind::ConfigRefused { error } => {
                vec![format!("The changed configuration is refused, the old one stays: {error}")]
            }
            EventKind::StrategyFailed { strategy, symbol, error } => {
                vec![format!("{strategy} could not be run on {symbol}, twice: {error}. The others go on")]
            }
            EventKind::DayAudited { day, cycles, orders, fills, differences } => {
                self.audited(day, [*cycles, *orders, *fills], differences)
            }
            EventKind::ScreenerRan { looked, chosen, unmeasured } => self.screened(*looked, chosen, *unmeasured),
            EventKind::PositionPassed { .. }
            | EventKind::DayPassed { .. }
            | EventKind::AlertFired { .. }
            | EventKind::CyclesMissed { .. }
            | EventKind::HealthDegraded { .. }
            | EventKind::HealthRestored { .. }
            | EventKind::LaneDied { .. }
            | EventKind::LaneRecovered { .. }
            | EventKind::DeliveryDied { .. }
            | EventKind::CopyRunning { .. }
            | EventKind::StrangersKnocked { .. }
            | EventKind::PersonPaired { .. }
            | EventKind::DrillSent { .. }
            | EventKind::RegimeSwitched { .. }
            | EventKind::SignalMeasured { .. }
            | EventKind::SignalRaised { .. }
            | EventKind::ProposalRefused { .. }
            | EventKind::OrderSubmitted { .. }
            | EventKind::OrderWithheld { .. }
            | EventKind::OrderFilled { .. }
            | EventKind::OrderEnded { .. }
            | EventKind::StopMoved { .. }
            | EventKind::BackupMade { .. } => vec![kind.name().replace('_', " ")],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Price;

    #[test]
    fn a_short_is_sold_in_parts() {
        let told = |held: &str| {
            let (symbol, average) = ("ETH-USD".parse().expect("a symbol"), Price::whole(2_000));
            let kind = EventKind::PositionScaled { symbol, quantity: held.parse().expect("a number"), average };
            Words { zone: Tz::UTC, mark: "paper", at: Timestamp::default(), book: "main" }.lines(&kind).join("\n")
        };
        let rest = "in parts: 1.06456 held now, at 2,000.00 on average · paper";
        assert_eq!(told("1.06456"), format!("ETH-USD is bought {rest}"));
        assert_eq!(told("-1.06456"), format!("ETH-USD is sold short {rest}"));
    }
}
