//! What is stored together? One batch: the outcome of one or more cycles, committed whole or not at all.

use crate::clock::Timestamp;
use crate::domain::{
    Alert, AuditId, Book, Booking, ChangeLine, ChangeRow, CycleId, EntryLock, Event, FillId, Label, Money, Order,
    OrderId, Price, ReduceCause, RunId, Setting, SignalId, Symbol, Timeframe, Trace, Trade, TradeFill, TradeId,
    TradingState,
};

/// The last numbers given out, and how far the market's time had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProgressRow {
    /// The last cycle.
    pub cycle: CycleId,
    /// Its market time.
    pub market: Timestamp,
    /// The last signal.
    pub signal: SignalId,
    /// The last order.
    pub order: OrderId,
    /// The last fill.
    pub fill: FillId,
    /// The last round trip.
    pub trade: TradeId,
}

/// A book with its state and its day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookRow {
    /// Money and positions.
    pub book: Book,
    /// The zone that cuts its days.
    pub zone: String,
    /// What it was worth.
    pub equity: Money,
    /// The most it was worth.
    pub peak: Money,
    /// What it may do.
    pub state: TradingState,
    /// Why, as JSON.
    pub cause: String,
    /// Since when.
    pub since: Timestamp,
    /// Its day, as `2026-11-20`; empty before the first cycle.
    pub day: String,
    /// When the day ends.
    pub day_ends: Timestamp,
    /// Equity at the day's start.
    pub day_start: Money,
    /// Entries approved in the day.
    pub day_entries: u64,
    /// Trades that ended in the day.
    pub day_trades: u32,
    /// True if the warning before the loss limit was sent.
    pub day_near: bool,
    /// Its limits, as JSON, for views.
    pub limits: String,
    /// What it remembers besides money, as JSON.
    pub memory: String,
}

impl BookRow {
    /// The symbols it keeps out of, from its memory; those whose time is over are still among them.
    pub fn entry_locks(&self) -> Vec<EntryLock> {
        #[derive(serde::Deserialize)]
        struct Memory {
            #[serde(default)]
            locks: Vec<EntryLock>,
        }
        serde_json::from_str(&self.memory).map_or_else(|_| Vec::new(), |memory: Memory| memory.locks)
    }

    /// Who paused or stopped it, and when that ends by itself, from its memory.
    pub fn parked(&self) -> (Option<ReduceCause>, Option<Timestamp>) {
        #[derive(Default, serde::Deserialize)]
        #[serde(default)]
        struct Memory {
            parked: Option<ReduceCause>,
            parked_until: Option<Timestamp>,
        }
        let memory: Memory = serde_json::from_str(&self.memory).unwrap_or_default();
        (memory.parked, memory.parked_until)
    }

    /// What it trades besides its list, from its memory: what is pinned, and what people added to the list.
    pub fn pinned_or_added(&self) -> Vec<Symbol> {
        #[derive(Default, serde::Deserialize)]
        #[serde(default)]
        struct Memory {
            pins: Vec<Symbol>,
            changes: Vec<ChangeLine>,
        }
        let memory: Memory = serde_json::from_str(&self.memory).unwrap_or_default();
        let added = memory.changes.into_iter().filter_map(|line| match line.row.setting {
            Setting::Watched { symbol, watched: true } => Some(symbol),
            _ => None,
        });
        memory.pins.into_iter().chain(added).collect()
    }

    /// Its strategies and each one's current streak, from its memory: wins in a row, or losses in a row as a negative number.
    pub fn streaks(&self) -> Vec<(Label, i64)> {
        #[derive(serde::Deserialize)]
        struct Record {
            streak: i64,
        }
        #[derive(serde::Deserialize)]
        struct Memory {
            #[serde(default)]
            records: Vec<(Label, Record)>,
        }
        let records = serde_json::from_str(&self.memory).map_or_else(|_| Vec::new(), |memory: Memory| memory.records);
        records.into_iter().map(|(strategy, record)| (strategy, record.streak)).collect()
    }
}

/// The risk figures of a book, as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiguresRow {
    /// The book.
    pub book: Label,
    /// When they were computed, in the market's time.
    pub at: Timestamp,
    /// The figures.
    pub body: String,
}

/// A day of a book, or a part of one, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRow {
    /// The book.
    pub book: Label,
    /// The day, as `2026-11-20`.
    pub day: String,
    /// Which part of it, counted from 0: a reset of the book ends one.
    pub part: u32,
    /// Equity at its start.
    pub start: Money,
    /// Equity at its end, or now.
    pub end: Money,
    /// Realised result since the book began, before fees, at the end of it.
    pub realised: Money,
    /// Fees since the book began, at the end of it.
    pub fees: Money,
    /// Trades that ended in it.
    pub trades: u32,
}

/// The last price of a symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkRow {
    /// The symbol.
    pub symbol: Symbol,
    /// Its finest bars.
    pub timeframe: Timeframe,
    /// The last close.
    pub price: Price,
    /// When that was.
    pub at: Timestamp,
    /// True if no further bar of it was recorded.
    pub ended: bool,
    /// Since when prices are missing, if that was told.
    pub stale: Option<Timestamp>,
    /// The price in force while the last one is in doubt, since when, and sessions since.
    pub lock: Option<(Price, Timestamp, u32)>,
}

/// Why a strategy did nothing with a symbol.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepLine {
    /// The symbol.
    pub symbol: Symbol,
    /// The first rule that did not hold; none if the strategy wanted something.
    pub rule: Option<&'static str>,
    /// What was measured.
    pub value: f64,
    /// What it was measured against.
    pub limit: f64,
}

/// What one strategy of one book saw in one cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRow {
    /// The cycle.
    pub cycle: CycleId,
    /// The market's time.
    pub at: Timestamp,
    /// The book.
    pub book: Label,
    /// The strategy.
    pub strategy: Label,
    /// A line a symbol that had a bar.
    pub lines: Vec<StepLine>,
}

/// A fact, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    /// The cycle that made it.
    pub cycle: CycleId,
    /// The fact.
    pub event: Event,
    /// The row of the audit in which a person wanted it; none where nobody did.
    pub audit: Option<AuditId>,
}

/// Everything that one or more cycles changed.
#[derive(Debug, Default)]
pub struct Batch {
    /// The run.
    pub run: RunId,
    /// The wall clock.
    pub wall: Timestamp,
    /// Facts, in order.
    pub events: Vec<EventRow>,
    /// Orders as they are after each change.
    pub orders: Vec<Order>,
    /// Executions.
    pub fills: Vec<TradeFill>,
    /// Finished round trips.
    pub trades: Vec<Trade>,
    /// Round trips that had ended and go on: they are no trades any more.
    pub reopened: Vec<TradeId>,
    /// Money that moved without a fill.
    pub bookings: Vec<Booking>,
    /// Risk figures that were computed anew.
    pub figures: Vec<FiguresRow>,
    /// Days that ended, and the running one.
    pub days: Vec<DayRow>,
    /// All books, as they stand.
    pub books: Vec<BookRow>,
    /// Last prices.
    pub marks: Vec<MarkRow>,
    /// Why strategies did nothing.
    pub steps: Vec<StepRow>,
    /// How far it came; none for facts that no cycle made.
    pub progress: Option<ProgressRow>,
    /// What strategies and prices remember, if it is saved with this batch.
    pub brains: Option<String>,
    /// Alerts as they are after each change, in order.
    pub alerts: Vec<Alert>,
    /// Settings that people changed over the file, as they are after each change, in order.
    pub changes: Vec<ChangeRow>,
    /// Controls carried out in it.
    pub controls: Vec<CarriedOut>,
}

/// A control that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedOut {
    /// Its row.
    pub id: i64,
    /// What became of it, in words.
    pub result: String,
    /// What it did, by which it can be taken back; nothing where it cannot.
    pub traces: Vec<Trace>,
    /// The control that it took back.
    pub undid: Option<i64>,
}

/// What is noted when a run starts.
#[derive(Debug, Clone)]
pub struct RunStart {
    /// Paper or live.
    pub mode: String,
    /// What it trades on, in words.
    pub feed: String,
    /// True if nothing is submitted.
    pub dry_run: bool,
    /// The wall clock.
    pub started: Timestamp,
    /// The first cycle it will make.
    pub first_cycle: CycleId,
}
