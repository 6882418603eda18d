//! What do the longer facts sound like? The notices that take more than a line, each a function of its own.

use crate::clock::Timestamp;
use crate::domain::format::{age, carried, counted, money, percent, price, quantity, signed, signed_percent, time};
use crate::domain::{EventKind, HaltCause, Money, Ratio, ReduceCause, Side, Symbol, Trade};

use super::notice::Words;

/// Symbols of a screener that are told by name.
const CHOSEN_TOLD: usize = 10;

impl Words<'_> {
    /// Entries stopped: why, and how they come back.
    pub(super) fn reduced(&self, cause: &ReduceCause, day: Money, until: Option<Timestamp>) -> Vec<String> {
        let book = self.book;
        let fact = match cause {
            ReduceCause::DailyLoss { loss, limit, closing } => {
                let (day, loss, limit) = (signed(day), percent(*loss), percent(*limit));
                let fact = format!("{book} reducing: day {day}, a loss of {loss}, limit {limit}");
                match *closing {
                    0 => fact,
                    held => format!("{fact}; {} closed at the next bar", counted(held as u64, "position")),
                }
            }
            ReduceCause::Drawdown { drawdown, limit } => {
                format!("{book} reducing: {} below its peak, limit {}", percent(*drawdown), percent(*limit))
            }
            ReduceCause::Breaker { value, limit } => {
                format!("{book} reducing: the market moves {value:.1} times its usual range in a bar, limit {limit:.1}")
            }
            ReduceCause::Paused { person } => format!("{book} paused by {person}"),
            ReduceCause::Stopped { person } => format!("{book} stopped by {person}: everything is closed"),
        };
        let until = match (until, cause) {
            (Some(until), _) => time(until, self.zone),
            (None, ReduceCause::Paused { .. } | ReduceCause::Stopped { .. }) => format!("/book start {book}"),
            (None, _) => "somebody resumes".to_owned(),
        };
        let back = format!("No entries until {until}; exits and stops work");
        vec![fact, back]
    }

    /// Who is on the list today; why nobody came onto it, if nobody did.
    pub(super) fn screened(&self, looked: usize, chosen: &[(Symbol, Ratio)], unmeasured: usize) -> Vec<String> {
        let (book, looked) = (self.book, counted(looked as u64, "symbol"));
        let mut lines = vec![match chosen.len() {
            0 if unmeasured == 0 => {
                format!("The screener of {book} chose nobody of {looked}: no one exceeds every limit")
            }
            0 => format!("The screener of {book} chose nobody of {looked}"),
            number => format!("The screener of {book} chose {number} of {looked}"),
        }];
        if !chosen.is_empty() {
            let best = chosen.iter().take(CHOSEN_TOLD).map(|(symbol, score)| format!("{symbol} {score:.1}"));
            lines.push(format!("The best, with their scores: {}", best.collect::<Vec<_>>().join(", ")));
        }
        if unmeasured > 0 {
            lines.push(format!("Unchanged, as too few days are known: {}", counted(unmeasured as u64, "symbol")));
        }
        lines.push("/screener shows each symbol and why".to_owned());
        lines
    }

    /// The nightly proof, or what does not fit.
    pub(super) fn audited(&self, day: &str, [cycles, orders, fills]: [u64; 3], differences: &[String]) -> Vec<String> {
        let made = format!(
            "{} of {day} made again: {}, {}, {}",
            self.book,
            counted(cycles, "cycle"),
            counted(orders, "order"),
            counted(fills, "fill")
        );
        if differences.is_empty() {
            return vec![format!("{made}, all the same")];
        }
        let mut lines =
            vec![format!("THE LEDGER DOES NOT FIT: {}", counted(differences.len() as u64, "difference")), made];
        lines.extend(differences.iter().take(5).map(|difference| format!("  {difference}")));
        lines
    }

    pub(super) fn opened(&self, kind: &EventKind) -> Vec<String> {
        let EventKind::PositionOpened { fill, strategy, because, stop, target, trailing, risk, .. } = kind else {
            return Vec::new();
        };
        let EventKind::PositionOpened { exposure, exposure_limit, cash, equity, .. } = kind else { return Vec::new() };
        let (symbol, at) = (fill.symbol, fill.price);
        let done = if fill.side == Side::Sell { "Sold short" } else { "Bought" };
        let mut lines = vec![
            format!("{done} {} {symbol} at {} · {}", quantity(fill.quantity), price(at), self.mark),
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

    pub(super) fn closed(&self, trade: &Trade) -> Vec<String> {
        let entered = if trade.side == Side::Sell { "sold short" } else { "bought" };
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
                "By {}: {} {entered} at {} · fees {}{} · {} · /why {}",
                trade.reason.as_str(),
                quantity(trade.quantity),
                price(trade.entry_price),
                money(trade.fees),
                carried(trade.carried),
                time(trade.closed, self.zone),
                trade.id
            ),
        ]
    }

    pub(super) fn halted(&self, cause: &HaltCause, cancelled: usize, positions: usize) -> Vec<String> {
        let why = match cause {
            HaltCause::Command { person } => format!("by {person}"),
            HaltCause::DailyLoss { loss, limit } => {
                format!("it lost {} today, limit {}", percent(*loss), percent(*limit))
            }
            HaltCause::Drawdown { drawdown, limit } => {
                format!("{} below its peak, limit {}", percent(*drawdown), percent(*limit))
            }
            HaltCause::StoreTrouble { error } => format!("the store cannot be written: {error}"),
            HaltCause::BrokenInvariant { what } => format!("something impossible happened: {what}"),
        };
        let stops = match positions {
            0 => String::new(),
            positions => format!("; stops of {} stay in force", counted(positions as u64, "position")),
        };
        let cancelled = counted(cancelled as u64, "entry order");
        vec![format!("HALTED {}: {why}", self.book), format!("{cancelled} cancelled{stops}. /resume needs your PIN")]
    }
}
