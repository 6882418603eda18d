//! Should a book keep out of a symbol for a while? Looked at whenever a trade ends.

use crate::clock::Timestamp;
use crate::domain::{
    EntryLock, Event, EventKind, ExitReason, Label, LockCause, Money, RunContext, Symbol, Timeframe, Trade, TradeId,
};
use crate::market::Hours;
use crate::risk::Limits;

use super::Outcome;
use super::desk::Desk;

/// Trades that a book remembers for its locks.
pub(super) const TRADES_REMEMBERED: usize = 500;

/// A trade as the locks remember it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Its number.
    pub trade: TradeId,
    /// Whose.
    pub strategy: Label,
    /// Of what.
    pub symbol: Symbol,
    /// When.
    pub at: Timestamp,
    /// With which result.
    pub profit: Money,
    /// True if its stop ended it.
    pub stopped: bool,
}

impl From<&Trade> for Ended {
    fn from(trade: &Trade) -> Self {
        Self {
            trade: trade.id,
            strategy: trade.strategy,
            symbol: trade.symbol,
            at: trade.closed,
            profit: trade.profit,
            stopped: trade.reason == ExitReason::Stop,
        }
    }
}

/// The bars that a trade's strategy decides on, by which locks count: those of the market's hours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bars {
    pub(super) hours: Hours,
    pub(super) timeframe: Timeframe,
}

/// Notes a trade that ended, and locks its symbol where a limit says so.
pub(super) fn after_trade(desk: &mut Desk, trade: &Trade, bars: Bars, context: &RunContext, out: &mut Outcome) {
    if desk.ended.len() >= TRADES_REMEMBERED {
        desk.ended.pop_front();
    }
    desk.ended.push_back(Ended::from(trade));
    let limits = desk.settings.terms_of(trade.symbol).0;
    if !limits.enforced {
        return;
    }
    let Some((cause, count)) = cause(desk, limits, trade, bars, context) else { return };
    let until = bars.hours.end_of_bars(bars.timeframe, context.now, count);
    let lock = EntryLock { symbol: trade.symbol, cause, since: context.now, until };
    desk.locks.retain(|old| old.until > context.now);
    desk.locks.push(lock.clone());
    let kind = EventKind::EntryLocked { lock };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
}

/// Forgets a trade that goes on as if it had never ended, and lifts the lock that its end led to.
pub(super) fn forget_trade(desk: &mut Desk, trade: &Trade) {
    desk.ended.retain(|ended| ended.trade != trade.id);
    desk.locks.retain(|lock| {
        let by_person = matches!(lock.cause, LockCause::Person { .. });
        by_person || lock.symbol != trade.symbol || lock.since < trade.closed
    });
    desk.day.trades = desk.day.trades.saturating_sub(1);
    let Some(place) = desk.settings.strategies.iter().position(|it| it.name == trade.strategy) else { return };
    let own = desk.ended.iter().rev().filter(|ended| ended.strategy == trade.strategy);
    let mut wins = own.map(|ended| ended.profit > Money::ZERO).peekable();
    let won = wins.peek().copied().unwrap_or_default();
    let long = wins.take_while(|win| *win == won).count() as i64;
    desk.records[place].uncount(trade.profit, if won { long } else { -long });
}

/// The gravest reason to keep out, and for how many bars.
fn cause(desk: &Desk, limits: &Limits, trade: &Trade, bars: Bars, context: &RunContext) -> Option<(LockCause, u64)> {
    let long = Limits::count(limits.lock_bars);
    let of_symbol = || desk.ended.iter().rev().filter(|ended| ended.symbol == trade.symbol);
    let streak = of_symbol().take_while(|ended| ended.profit < Money::ZERO).count() as u64;
    if streak >= Limits::count(limits.losing_streak) {
        return Some((LockCause::LosingStreak { count: streak }, long));
    }
    let window = Limits::count(limits.stops_window_bars);
    let is_recent = |at: Timestamp| bars.hours.bars_between(bars.timeframe, at, context.now) <= window;
    let stops = of_symbol().filter(|ended| ended.stopped).take_while(|ended| is_recent(ended.at)).count() as u64;
    if trade.reason == ExitReason::Stop && stops >= Limits::count(limits.stops_max) {
        return Some((LockCause::Stops { count: stops }, long));
    }
    let trades = Limits::count(limits.low_profit_trades);
    let last: Vec<Money> = of_symbol().take(usize::try_from(trades).unwrap_or(1)).map(|ended| ended.profit).collect();
    let profit = Money::from_units(last.iter().map(|profit| profit.units()).fold(0, i64::saturating_add));
    let most = desk.equity.times(limits.low_profit_pct).unwrap_or(Money::MAX);
    if last.len() as u64 == trades && profit < Money::ZERO && profit.abs() > most {
        return Some((LockCause::LowProfit { trades, profit }, long));
    }
    let cooldown = Limits::count(limits.cooldown_bars);
    (trade.reason == ExitReason::Stop && cooldown > 0).then_some((LockCause::Cooldown, cooldown))
}
