//! What came of it? Per book: orders, fills, round trips, the equity curve and why entries were refused.

use std::collections::{BTreeMap, HashMap};

use crate::clock::Timestamp;
use crate::domain::format::percent;
use crate::domain::{
    AmountError, Book, Booking, EventKind, HaltCause, Label, MarketSnapshot, Money, Order, OrderId, Price, Ratio,
    ReduceCause, Side, Symbol, Trade, TradeFill, TradingState,
};
use crate::engine::{Counters, Desk, Engine, Outcome, StateCause};
use crate::portfolio::{Expected, Shortfall, shortfall_by_strategy, shortfalls};
use crate::stats::TradeRecord;

use super::Curve;

/// A closed trade with the bars that it was entered and left on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundTrip {
    /// The trade.
    pub trade: Trade,
    /// The label of the bar it was entered on, as the price file writes it.
    pub entry_bar: Timestamp,
    /// The label of the bar it was left on.
    pub exit_bar: Timestamp,
    /// What its first stop would have lost on all that was entered; none without a stop.
    pub risk: Option<Money>,
    /// Where its first stop lay, in units of the price then; none without one.
    pub stop: Option<Price>,
}

/// Where a position was entered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entered {
    /// The label of the bar.
    pub(super) bar: Timestamp,
    /// Where the first stop lies.
    stop: Option<Price>,
    /// What a share or coin loses from the first fill to the first stop. It follows splits.
    distance: Option<Price>,
}

impl Entered {
    /// On this bar, without a stop so far.
    pub(super) const fn on(bar: Timestamp) -> Self {
        Self { bar, stop: None, distance: None }
    }

    /// By this fill, with this stop.
    fn by(fill: &TradeFill, bar: Timestamp, stop: Option<Price>) -> Self {
        let lost = |stop: Price| match fill.side {
            Side::Buy => fill.price.minus(stop).ok(),
            Side::Sell => stop.minus(fill.price).ok(),
        };
        Self { bar, stop, distance: stop.and_then(lost).map(|lost| lost.max(Price::ZERO)) }
    }

    /// Follows a split of `ratio` new shares per old.
    fn divide(&mut self, ratio: Ratio) {
        self.distance = self.distance.and_then(|lost| lost.scaled(Ratio::ONE.units(), ratio.units()).ok());
    }
}

impl RoundTrip {
    /// A trade that was left on this bar.
    pub(super) fn new(trade: Trade, entered: Entered, exit_bar: Timestamp) -> Self {
        let Entered { bar: entry_bar, stop, distance } = entered;
        let risk = distance.and_then(|lost| trade.quantity.value_at(lost).ok());
        Self { trade, entry_bar, exit_bar, risk, stop }
    }

    /// As the statistics take it.
    pub fn record(&self) -> TradeRecord<'_> {
        TradeRecord { risk: self.risk, ..TradeRecord::from(&self.trade) }
    }
}

/// What came of one book.
#[derive(Debug, Clone)]
pub struct DeskRan {
    /// The book as it stands at the end.
    pub book: Book,
    /// Its last worth, at last prices.
    pub equity: Money,
    /// Every order in its last form, by number.
    pub orders: BTreeMap<OrderId, Order>,
    /// Every fill, in order.
    pub fills: Vec<TradeFill>,
    /// Every closed trade, in order of closing.
    pub trips: Vec<RoundTrip>,
    /// Money that moved without a fill.
    pub bookings: Vec<Booking>,
    /// How often each check refused.
    pub refusals: BTreeMap<String, u64>,
    /// Signals raised.
    pub signals: u64,
    /// What trading cost against the prices its orders were decided at, by strategy; only orders that ended. None where
    /// the sums do not fit.
    pub costs: Option<BTreeMap<Label, Shortfall>>,
    /// The equity over time.
    pub curve: Curve,
    /// Since when it entered nothing any more at the end of a run, and why; one for each run of which that is true.
    pub stopped: Vec<(Timestamp, String)>,
    /// Finest bars of its symbols.
    pub bars: u64,
    /// Those in which their symbol was held at any moment.
    pub bars_in_market: u64,
    entered: HashMap<Symbol, Entered>,
    /// The last prices when orders ended that were not whole, by order.
    left_at: HashMap<OrderId, Price>,
}

/// Why a book enters nothing, in words.
fn why_stopped(cause: &StateCause) -> String {
    match cause {
        StateCause::Halt(HaltCause::Drawdown { drawdown, limit })
        | StateCause::Reduce(ReduceCause::Drawdown { drawdown, limit }) => {
            format!("it fell {} from its peak, limit {}", percent(*drawdown), percent(*limit))
        }
        StateCause::Halt(HaltCause::DailyLoss { loss, limit })
        | StateCause::Reduce(ReduceCause::DailyLoss { loss, limit, .. }) => {
            format!("it lost {} on a day, limit {}", percent(*loss), percent(*limit))
        }
        StateCause::Reduce(ReduceCause::Breaker { .. }) => "the volatility breaker holds".to_owned(),
        StateCause::Halt(HaltCause::BrokenInvariant { what }) => what.clone(),
        StateCause::None | StateCause::Halt(_) | StateCause::Reduce(_) => "somebody stopped it".to_owned(),
    }
}

/// What came of a run, or of several runs one after another.
#[derive(Debug, Default)]
pub struct Ran {
    /// A result a book.
    pub desks: Vec<DeskRan>,
    /// Finest bars decided on.
    pub bars: u64,
    /// Cycles.
    pub cycles: u64,
    /// From the first cycle ...
    pub from: Option<Timestamp>,
    /// ... to the last.
    pub to: Option<Timestamp>,
    /// The last numbers given out.
    pub counters: Counters,
}

impl DeskRan {
    /// Before the first cycle.
    pub fn new(desk: &Desk, at: Timestamp) -> Self {
        Self {
            book: desk.book.clone(),
            equity: desk.equity,
            orders: BTreeMap::new(),
            fills: Vec::new(),
            trips: Vec::new(),
            bookings: Vec::new(),
            refusals: BTreeMap::new(),
            signals: 0,
            costs: None,
            stopped: Vec::new(),
            curve: Curve::new(at, desk.equity),
            bars: 0,
            bars_in_market: 0,
            entered: HashMap::new(),
            left_at: HashMap::new(),
        }
    }

    /// Its name.
    pub fn name(&self) -> Label {
        self.book.name
    }

    /// Forgets where the open position of a symbol was entered, and tells it.
    pub(super) fn leave(&mut self, symbol: Symbol) -> Option<Entered> {
        self.entered.remove(&symbol)
    }

    /// Counts the bars of a cycle that are this book's. A position was held in a bar if it is at its end, or was left in it.
    pub(super) fn count(&mut self, desk: &Desk, engine: &Engine, snapshot: &MarketSnapshot, out: &Outcome) {
        let own = snapshot.bars.iter().filter(|seen| seen.is_finest && desk.lists(seen.instrument)).count();
        self.bars += own as u64;
        // What other books trade meanwhile makes no days of this one.
        if own > 0 {
            self.curve.add(snapshot.at, desk.day.date, desk.equity);
        }
        let had_a_bar = |symbol| {
            let lane = engine.lane_of(symbol).filter(|lane| desk.lists(*lane));
            lane.and_then(|lane| engine.lanes[lane].bar_at(snapshot.at)).is_some()
        };
        let left = |trade: &&Trade| trade.book == self.book.name && desk.book.position(trade.symbol).is_none();
        let held = desk.book.positions.iter().map(|held| held.symbol);
        let held = held.chain(out.trades.iter().filter(left).map(|trade| trade.symbol));
        self.bars_in_market += held.filter(|symbol| had_a_bar(*symbol)).count() as u64;
    }

    /// Takes the book as it stands at the end of a run; what earlier runs moved is added.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub(super) fn settle(&mut self, desk: &Desk) -> Result<(), AmountError> {
        let mut book = desk.book.clone();
        book.capital = self.book.capital;
        book.realised = book.realised.plus(self.book.realised)?;
        book.carried = book.carried.plus(self.book.carried)?;
        book.fees = book.fees.plus(self.book.fees)?;
        self.book = book;
        self.equity = desk.equity;
        if desk.state != TradingState::Running {
            self.stopped.push((desk.since, why_stopped(&desk.cause)));
        }
        // Amounts that are too large to be told are no reason to throw the result away.
        self.costs = self.measure_costs(desk).ok();
        Ok(())
    }

    /// What all orders that ended cost, with what the book's settings expect.
    fn measure_costs(&self, desk: &Desk) -> Result<BTreeMap<Label, Shortfall>, AmountError> {
        let ended = self.orders.values().filter(|order| !order.status.is_open());
        let expected = |order: &Order| {
            let costs = desk.settings.costs_of(order.symbol);
            Expected { fee: costs.fee, slippage: costs.slippage }
        };
        let all = shortfalls(ended, &self.fills, expected, |order| self.left_at.get(&order.id).copied())?;
        shortfall_by_strategy(all.into_iter().map(|(order, cost)| (order.strategy, cost)))
    }

    /// Takes what one cycle did with this book.
    pub(super) fn take(&mut self, out: &Outcome, snapshot: &MarketSnapshot, engine: &Engine) {
        let lane_of = |symbol| engine.lane_of(symbol);
        let name = self.name();
        let label = |symbol: Symbol| {
            let bar = snapshot.bars.iter().find(|seen| seen.is_finest && Some(seen.instrument) == lane_of(symbol));
            bar.map_or(snapshot.at, |seen| seen.bar.start)
        };
        for order in out.orders.iter().filter(|order| order.book == name) {
            if !order.status.is_open() && !order.remaining().is_zero() {
                self.left_at.extend(engine.mark(order.symbol).map(|last| (order.id, last)));
            }
            self.orders.insert(order.id, order.clone());
        }
        self.fills.extend(out.fills.iter().filter(|fill| fill.book == name).cloned());
        self.bookings.extend(out.bookings.iter().filter(|booking| booking.book == name).cloned());
        for event in out.events.iter().map(|row| &row.event).filter(|event| event.book == Some(name)) {
            match &event.kind {
                EventKind::SignalRaised { .. } => self.signals += 1,
                EventKind::ProposalRefused { refusals, .. } => {
                    for refusal in refusals {
                        *self.refusals.entry(refusal.check.to_string()).or_default() += 1;
                    }
                }
                // In the order of the facts: a book that turns round leaves and enters within one cycle.
                EventKind::PositionOpened { fill, stop, .. } => {
                    self.entered.insert(fill.symbol, Entered::by(fill, label(fill.symbol), *stop));
                }
                EventKind::SplitApplied { symbol, ratio, .. } => {
                    self.entered.entry(*symbol).and_modify(|entered| entered.divide(*ratio));
                }
                EventKind::PositionClosed { trade, .. } => {
                    let exit_bar = label(trade.symbol);
                    let entered = self.leave(trade.symbol).unwrap_or(Entered::on(exit_bar));
                    self.trips.push(RoundTrip::new(trade.clone(), entered, exit_bar));
                }
                _ => {}
            }
        }
    }
}
