//! What does a book need besides its money? Its state, its day, its orders, its strategies, and what it remembers.

use std::collections::VecDeque;

use chrono::{Days, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::{
    Book, ChangeLine, ChangeRow, EntryLock, HaltCause, Instrument, Label, Money, Order, OrderKind, Price, Purpose,
    Quantity, Ratio, ReduceCause, Screening, Side, SignalId, SignalIntent, Standing, Symbol, TimetableRow, TradeId,
    TradingState,
};
use crate::indicators::Atr;
use crate::risk::{LIMITS, Limits, TrackRecord};
use crate::strategy::{Classifier, ParamError, Stay, Strategy, Thresholds};

use super::lane::ATR_BARS;
use super::locks::Ended;
use super::schedule::timetable_row;
use super::spots::Spots;
use super::watch::Watch;
use super::{DeskSettings, Due, Passed, PassedBy, overlay};

/// Finest bars after which the outcome of an entry signal is measured.
pub(super) const MEASURE_BARS: u64 = 20;
/// Signals of one book that may wait for their outcome.
const MEASURES_MAX: usize = 1_000;

/// Why a book is not running. It cannot be read without the state: a fall from the peak halts or reduces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum StateCause {
    /// It is running.
    None,
    /// It is halted.
    Halt(HaltCause),
    /// It is reducing.
    Reduce(ReduceCause),
}

/// The book's day so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Its date in the book's zone; none before the first cycle.
    pub date: Option<NaiveDate>,
    /// Which part of that date, counted from 0: a reset ends one.
    pub part: u32,
    /// When it ends.
    pub ends: Timestamp,
    /// Equity at its start.
    pub start: Money,
    /// Entries approved in it.
    pub entries: u64,
    /// Trades that ended in it.
    pub trades: u32,
    /// The warning before the loss limit was sent.
    pub near_told: bool,
    /// The loss limit was reached, and that was told.
    pub loss_told: bool,
    /// The thresholds of its profit that were told.
    pub passed: Passed,
}

impl Day {
    /// None yet.
    fn before_the_first(equity: Money) -> Self {
        Self {
            date: None,
            part: 0,
            ends: Timestamp::from_ms(i64::MIN),
            start: equity,
            entries: 0,
            trades: 0,
            near_told: false,
            loss_told: false,
            passed: Passed::default(),
        }
    }

    /// The day of `zone` that contains `now`, started with `equity`.
    pub fn containing(now: Timestamp, zone: Tz, equity: Money) -> Self {
        let date = now.utc().with_timezone(&zone).date_naive();
        let next = date.checked_add_days(Days::new(1)).unwrap_or(date).and_time(NaiveTime::MIN);
        // Where a zone skips its midnight, the day ends at the first instant after it.
        let ends =
            (0..4).find_map(|hours| zone.from_local_datetime(&(next + chrono::TimeDelta::hours(hours))).earliest());
        let ends = ends.map_or(now.plus_ms(1), |time| Timestamp::from_ms(time.timestamp_millis()));
        Self {
            date: Some(date),
            part: 0,
            ends,
            start: equity,
            entries: 0,
            trades: 0,
            near_told: false,
            loss_told: false,
            passed: Passed::default(),
        }
    }
}

/// One strategy watching one symbol for one book.
pub struct StrategyRun {
    /// Its memory of bars.
    pub brain: Box<dyn Strategy>,
    /// The average true range of the bars it decides on.
    pub atr: Atr,
    /// Why it last did nothing, and when; none if it wanted something.
    pub stay: Option<Stay>,
    /// The end of the last bar it judged.
    pub judged: Timestamp,
    /// The entry that was refused when it was last judged.
    pub refused: Option<Refused>,
}

/// An entry that was refused: the same is not told again for as long as the same checks refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// To which side.
    pub side: Side,
    /// A bit for each check that said no.
    pub checks: u32,
}

/// One book with everything around it.
pub struct Desk {
    /// How it is set up: what the file says, with what people changed over it.
    pub settings: DeskSettings,
    /// What the file says.
    pub base: DeskSettings,
    /// What people changed over the file, oldest first.
    pub changes: Vec<ChangeRow>,
    /// Its money and positions.
    pub book: Book,
    /// What it may do.
    pub state: TradingState,
    /// Why, if it may not do everything.
    pub cause: StateCause,
    /// Since when it is in that state.
    pub since: Timestamp,
    /// Its open orders.
    pub orders: Vec<Order>,
    /// Its day.
    pub day: Day,
    /// What it is worth now.
    pub equity: Money,
    /// The most it was worth.
    pub peak: Money,
    /// True if something other than a price changed, so that its losses must be looked at again.
    pub revalue: bool,
    /// One run a symbol and strategy: `symbol * strategies + strategy`.
    pub runs: Vec<StrategyRun>,
    /// Its limits as JSON, as they are stored for views.
    pub limits_json: String,
    /// Positions whose missing stop was told.
    pub alarmed: Vec<Symbol>,
    /// Symbols it keeps out of for a while.
    pub locks: Vec<EntryLock>,
    /// Its last trades, oldest first.
    pub ended: VecDeque<Ended>,
    /// What each of its strategies earned so far.
    pub records: Vec<TrackRecord>,
    /// When each of its strategies runs.
    pub due: Vec<Due>,
    /// Strategies that could not be run when last asked, each with the symbol.
    pub failing: Vec<(Label, Symbol)>,
    /// Entry signals whose outcome is not measured yet.
    pub measures: Vec<Measure>,
    /// The warning before the drawdown limit was sent.
    pub drawdown_told: bool,
    /// Until when the volatility breaker holds.
    pub breaker_until: Option<Timestamp>,
    /// Up to when funding was looked at.
    pub carried_to: Timestamp,
    /// Trades up to this one were forgotten by a reset.
    pub forgotten: TradeId,
    /// Who paused or stopped it, until somebody starts it again; a halt on top of that changes nothing about it.
    pub parked: Option<ReduceCause>,
    /// When a pause ends by itself; only somebody ends it where it is none.
    pub parked_until: Option<Timestamp>,
    /// Somebody stopped it, and it still holds something.
    pub stopping: bool,
    /// What each lane's market is like; empty without a selector.
    pub classifiers: Vec<Classifier>,
    /// The thresholds of open profit that were told, of each trade.
    pub passed: PassedBy,
    /// What its screener last found; none before that, and without a screener.
    pub screening: Option<Screening>,
    /// Up to when the screener need not be looked at.
    pub(super) screen_due: Timestamp,
    /// Which symbols it may enter.
    pub(super) watch: Watch,
    /// What it has where, as its strategies are asked.
    pub(super) spots: Spots,
}

/// An entry signal on its way to its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Which.
    pub signal: SignalId,
    /// By whom.
    pub strategy: Label,
    /// Of what.
    pub symbol: Symbol,
    /// In which direction.
    pub side: Side,
    /// The price then.
    pub price: Price,
    /// Finest bars to go.
    pub left: u64,
}

/// What a book remembers besides money, orders and its day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DeskMemory {
    /// Symbols it keeps out of for a while.
    pub locks: Vec<EntryLock>,
    /// What each strategy earned so far.
    pub records: Vec<(Label, TrackRecord)>,
    /// Entry signals whose outcome is not measured yet.
    pub measures: Vec<Measure>,
    /// Entries that were refused when they were last judged, by strategy and symbol.
    pub refused: Vec<(Label, Symbol, Refused)>,
    /// The warning before the drawdown limit was sent.
    pub drawdown_told: bool,
    /// The day's loss limit was reached, and that was told.
    pub loss_told: bool,
    /// Which part of its day it is.
    pub day_part: u32,
    /// Until when the volatility breaker holds.
    pub breaker_until: Option<Timestamp>,
    /// Up to when funding was looked at.
    pub carried_to: Option<Timestamp>,
    /// Strategies that could not be run when last asked, each with the symbol.
    pub failing: Vec<(Label, Symbol)>,
    /// When each strategy runs, as `/schedule` shows it.
    pub timetable: Vec<TimetableRow>,
    /// What people changed over the file, as `/changes` shows it.
    pub changes: Vec<ChangeLine>,
    /// What it may enter whatever list and screener say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<Symbol>,
    /// Trades up to this one were forgotten by a reset.
    pub forgotten: TradeId,
    /// Who paused or stopped it, until somebody starts it again.
    pub parked: Option<ReduceCause>,
    /// When a pause ends by itself.
    pub parked_until: Option<Timestamp>,
    /// Somebody stopped it, and it still holds something.
    pub stopping: bool,
    /// What its screener last found.
    pub screening: Option<Screening>,
    /// The thresholds of open profit that were told, of each trade.
    pub passed: PassedBy,
    /// The thresholds of the day's profit that were told.
    pub day_passed: Passed,
}

impl Desk {
    /// A new book on these symbols.
    ///
    /// # Errors
    /// When a strategy refuses its parameters.
    pub fn new(settings: DeskSettings, instruments: &[Instrument]) -> Result<Self, ParamError> {
        let symbols = instruments.len();
        let watch = Watch::new(&settings, instruments.iter().map(|item| item.symbol));
        let classifiers = classifiers_for(&settings, symbols);
        let records = vec![TrackRecord::default(); settings.strategies.len()];
        let due = vec![Due::default(); settings.strategies.len()];
        let book = Book::new(settings.name, &settings.currency, settings.capital);
        let mut runs = Vec::with_capacity(symbols * settings.strategies.len());
        for _ in 0..symbols {
            for strategy in &settings.strategies {
                runs.push(StrategyRun {
                    brain: (strategy.kind.build)(&strategy.values)?,
                    atr: Atr::new(ATR_BARS),
                    stay: None,
                    judged: Timestamp::from_ms(i64::MIN),
                    refused: None,
                });
            }
        }
        let capital = settings.capital;
        let limits_json = limits_json(&settings);
        Ok(Self {
            base: settings.clone(),
            changes: Vec::new(),
            settings,
            book,
            state: TradingState::Running,
            cause: StateCause::None,
            since: Timestamp::from_ms(0),
            orders: Vec::new(),
            day: Day::before_the_first(capital),
            equity: capital,
            peak: capital,
            revalue: true,
            runs,
            limits_json,
            alarmed: Vec::new(),
            locks: Vec::new(),
            ended: VecDeque::new(),
            records,
            due,
            failing: Vec::new(),
            measures: Vec::new(),
            drawdown_told: false,
            breaker_until: None,
            carried_to: Timestamp::from_ms(i64::MIN),
            forgotten: TradeId::default(),
            parked: None,
            parked_until: None,
            stopping: false,
            classifiers,
            passed: Vec::new(),
            screening: None,
            screen_due: Timestamp::from_ms(i64::MIN),
            watch,
            spots: Spots::none(symbols),
        })
    }

    /// True if it may enter a lane's symbol.
    pub fn watches(&self, lane: usize) -> bool {
        self.watch.against(lane).is_none()
    }

    /// True if a lane is on its list, whatever its screener chose.
    pub fn lists(&self, lane: usize) -> bool {
        self.watch.lists(lane)
    }

    /// Notes what it has where.
    pub(super) fn look_around(&mut self, lane_of: impl Fn(Symbol) -> Option<usize>) {
        self.spots.note(&self.book, &self.orders, lane_of);
    }

    /// True while orders at the market are taking the book out of all that it holds of a symbol. A limit that waits, or an order for a
    /// part, is no reason to keep from leaving.
    pub fn is_leaving(&self, symbol: Symbol) -> bool {
        self.book.position(symbol).is_some_and(|held| self.leaves_now(symbol) >= held.quantity.abs())
    }

    /// How much of a symbol orders at the market are about to leave.
    pub(super) fn leaves_now(&self, symbol: Symbol) -> Quantity {
        let at_market = self.ways_out(symbol).filter(|order| order.kind == OrderKind::Market);
        Quantity::from_units(at_market.map(|order| order.remaining().units()).fold(0, i64::saturating_add))
    }

    /// The orders that leave a symbol, besides its stop and target.
    pub(super) fn ways_out(&self, symbol: Symbol) -> impl Iterator<Item = &Order> {
        let leaves = |purpose| matches!(purpose, Purpose::Exit | Purpose::Close | Purpose::Liquidate);
        self.orders.iter().filter(move |order| order.symbol == symbol && leaves(order.purpose))
    }

    /// Notes an entry signal, to be measured later.
    pub fn measure(&mut self, signal: &SignalIntent, side: Side, price: Price) {
        if self.measures.len() < MEASURES_MAX {
            let (strategy, symbol) = (signal.strategy, signal.symbol);
            self.measures.push(Measure { signal: signal.id, strategy, symbol, side, price, left: MEASURE_BARS });
        }
    }

    /// What it remembers besides money, orders and its day.
    pub fn memory(&self) -> DeskMemory {
        let names = self.settings.strategies.iter().map(|strategy| strategy.name);
        DeskMemory {
            locks: self.locks.clone(),
            records: names.zip(self.records.iter().copied()).collect(),
            measures: self.measures.clone(),
            refused: self.refused(),
            drawdown_told: self.drawdown_told,
            loss_told: self.day.loss_told,
            day_part: self.day.part,
            breaker_until: self.breaker_until,
            carried_to: (self.carried_to.ms() != i64::MIN).then_some(self.carried_to),
            failing: self.failing.clone(),
            timetable: self.settings.strategies.iter().zip(&self.due).map(|(it, due)| timetable_row(it, due)).collect(),
            changes: overlay::lines(self),
            pins: self.settings.pins.clone(),
            forgotten: self.forgotten,
            parked: self.parked.clone(),
            parked_until: self.parked_until,
            stopping: self.stopping,
            screening: self.screening.clone(),
            passed: self.passed.clone(),
            day_passed: self.day.passed,
        }
    }

    /// Entries that were refused when they were last judged.
    fn refused(&self) -> Vec<(Label, Symbol, Refused)> {
        let count = self.settings.strategies.len();
        let with_place = self.runs.iter().enumerate();
        let refused = with_place.filter_map(|(index, run)| {
            let (lane, place) = (index / count, index % count);
            Some((self.settings.strategies[place].name, self.watch.lanes()[lane].symbol, run.refused?))
        });
        refused.collect()
    }

    /// Takes up what it remembered.
    pub fn recall(&mut self, memory: DeskMemory) {
        for (strategy, record) in memory.records {
            if let Some(place) = self.settings.strategies.iter().position(|known| known.name == strategy) {
                self.records[place] = record;
            }
        }
        for row in memory.timetable {
            if let Some(place) = self.settings.strategies.iter().position(|known| known.name == row.strategy) {
                self.due[place].last = row.last;
            }
        }
        self.failing = memory.failing;
        self.locks = memory.locks;
        self.measures = memory.measures;
        let count = self.settings.strategies.len();
        for (strategy, symbol, refused) in memory.refused {
            let place = self.settings.strategies.iter().position(|known| known.name == strategy);
            let lane = self.watch.lanes().iter().position(|watched| watched.symbol == symbol);
            if let Some((lane, place)) = lane.zip(place) {
                self.runs[lane * count + place].refused = Some(refused);
            }
        }
        self.drawdown_told = memory.drawdown_told;
        self.day.loss_told = memory.loss_told;
        self.day.part = memory.day_part;
        self.breaker_until = memory.breaker_until;
        self.carried_to = memory.carried_to.unwrap_or(Timestamp::from_ms(i64::MIN));
        self.forgotten = memory.forgotten;
        self.parked = memory.parked;
        self.parked_until = memory.parked_until;
        self.stopping = memory.stopping;
        self.screening = memory.screening;
        self.passed = memory.passed;
        self.day.passed = memory.day_passed;
        self.rewatch();
    }

    /// What it may do, and why.
    pub(super) fn standing(&self) -> Standing {
        let (halt, reduce) = match self.cause.clone() {
            StateCause::None => (None, None),
            StateCause::Halt(cause) => (Some(cause), None),
            StateCause::Reduce(cause) => (None, Some(cause)),
        };
        Standing {
            state: self.state,
            halt,
            reduce,
            since: self.since,
            peak: self.peak,
            parked: self.parked.clone(),
            parked_until: self.parked_until,
            stopping: self.stopping,
            breaker_until: self.breaker_until,
        }
    }

    /// Puts it where it stood. A peak that it reached since stays.
    pub(super) fn stand(&mut self, was: Standing) {
        let cause = was.halt.map(StateCause::Halt).or(was.reduce.map(StateCause::Reduce));
        (self.state, self.cause, self.since) = (was.state, cause.unwrap_or(StateCause::None), was.since);
        self.peak = self.peak.max(was.peak);
        (self.parked, self.parked_until, self.stopping) = (was.parked, was.parked_until, was.stopping);
        self.breaker_until = was.breaker_until;
        self.revalue = true;
    }

    /// Its name.
    pub fn name(&self) -> Label {
        self.settings.name
    }

    /// The open order of a symbol with this purpose, if any.
    pub fn open_order(&self, symbol: Symbol, purpose: Purpose) -> Option<&Order> {
        self.orders.iter().find(|order| order.symbol == symbol && order.purpose == purpose)
    }

    /// Profit of the day so far.
    pub fn day_profit(&self) -> Money {
        self.equity.minus(self.day.start).unwrap_or(Money::ZERO)
    }
}

/// One classifier a lane where a selector asks for regimes; else none.
pub(super) fn classifiers_for(settings: &DeskSettings, lanes: usize) -> Vec<Classifier> {
    let classified = if settings.selector.is_some() { lanes } else { 0 };
    (0..classified).map(|_| Classifier::new(Thresholds::USUAL)).collect()
}

/// Limits as they are stored for views; under `symbols` those that a symbol has different from its book.
pub(super) fn limits_json(settings: &DeskSettings) -> String {
    let named = |limits: &Limits, keep: &dyn Fn(&str, Ratio) -> bool| -> serde_json::Map<String, serde_json::Value> {
        let values = LIMITS.iter().filter_map(|spec| Some((spec.key, limits.get(spec.key)?)));
        let kept = values.filter(|(key, value)| keep(key, *value));
        kept.map(|(key, value)| (key.to_owned(), value.to_string().into())).collect()
    };
    let mut all = named(&settings.limits, &|_, _| true);
    let own = settings.overrides.iter().map(|terms| {
        let differs = |key: &str, value| settings.limits.get(key) != Some(value);
        (terms.symbol.to_string(), named(&terms.limits, &differs).into())
    });
    all.insert("symbols".to_owned(), serde_json::Value::Object(own.collect()));
    serde_json::Value::Object(all).to_string()
}
