//! Has something come true that somebody asked for? Looked at after each cycle, on prices that are believed; nothing here touches trading.

use crate::clock::Timestamp;
use crate::domain::format::{price, signed};
use crate::domain::{
    Alert, AlertId, AlertState, AlertSubject, Event, EventKind, Label, MarketSnapshot, Money, Price, Ratio, RunContext,
    Symbol,
};

use super::Outcome;
use super::desk::Desk;
use super::gauges::{Gauge, Gauges};
use super::state::Engine;

/// What people want to be told of, ready to be looked at.
#[derive(Debug, Default)]
pub struct Alerts {
    all: Vec<Alert>,
    /// The newest one that was ever taken: numbers are given out once, so what is not newer and not here is done.
    newest: AlertId,
    /// Places in `all` of each lane's prices and positions.
    of_lane: Vec<Vec<usize>>,
    /// Places in `all` of each gauge.
    of_gauge: Vec<Vec<usize>>,
    /// Places in `all` of what is about days.
    of_days: Vec<usize>,
    gauges: Gauges,
    /// When the next one is over.
    expires: Option<Timestamp>,
    /// True if one has closed since the places were noted.
    is_stale: bool,
}

/// What was seen of a subject.
#[derive(Debug, Clone, Copy)]
enum Seen {
    Exact(Ratio),
    Figure(f64),
}

impl Alerts {
    /// Takes everybody's open alerts as they are stored. One that is known stays as it is here, since what became of it may not be
    /// stored yet; what is no longer among them was taken back.
    pub fn take(&mut self, list: Vec<Alert>, engine: &Engine) {
        self.resume(list, Vec::new(), engine);
    }

    /// The same, with the indicators as they were saved.
    pub(super) fn resume(&mut self, list: Vec<Alert>, saved: Vec<Gauge>, engine: &Engine) {
        self.all.retain(|known| list.iter().any(|alert| alert.id == known.id));
        let newest = list.iter().map(|alert| alert.id).max().unwrap_or_default().max(self.newest);
        self.all.extend(list.into_iter().filter(|alert| alert.id > self.newest));
        self.newest = newest;
        self.arrange(saved, engine);
    }

    /// Notes what is about what, and keeps the indicators that are asked for.
    fn arrange(&mut self, saved: Vec<Gauge>, engine: &Engine) {
        self.is_stale = false;
        self.all.retain(|alert| alert.state.is_open());
        let wanted = self.all.iter().filter_map(|alert| match alert.condition.subject {
            AlertSubject::Study { symbol, study, timeframe } => Some((symbol, study, timeframe)),
            _ => None,
        });
        self.gauges.keep(wanted, saved, engine);
        self.of_lane = vec![Vec::new(); engine.lanes.len()];
        self.of_gauge.clear();
        self.of_days.clear();
        self.expires = self.all.iter().filter_map(|alert| alert.expires).min();
        for (place, alert) in self.all.iter().enumerate() {
            match alert.condition.subject {
                AlertSubject::Price { symbol } | AlertSubject::PositionProfit { symbol, .. } => {
                    if let Some(lane) = engine.lane_of(symbol) {
                        self.of_lane[lane].push(place);
                    }
                }
                AlertSubject::Study { symbol, study, timeframe } => {
                    let Some(gauge) = self.gauges.place((symbol, study, timeframe)) else { continue };
                    self.of_gauge.resize(self.of_gauge.len().max(gauge + 1), Vec::new());
                    self.of_gauge[gauge].push(place);
                }
                AlertSubject::DayProfit { .. } | AlertSubject::DayShare { .. } => self.of_days.push(place),
            }
        }
    }

    /// The indicators as they are, to be saved.
    pub(super) fn gauges(&self) -> Vec<Gauge> {
        self.gauges.save()
    }

    /// Lets the indicators follow the bars of an instant that nothing is decided on.
    pub fn follow(&mut self, engine: &Engine, snapshot: &MarketSnapshot) {
        self.gauges.follow(engine, snapshot);
    }

    /// Looks at everything that this instant says something about, and tells what has come true.
    pub fn look(&mut self, engine: &Engine, snapshot: &MarketSnapshot, context: &RunContext, out: &mut Outcome) {
        if self.all.is_empty() {
            return;
        }
        if self.expires.is_some_and(|expires| expires <= context.now) {
            self.expire(context.now, out);
        }
        self.split_levels(engine, snapshot, out);
        self.gauges.follow(engine, snapshot);
        self.look_at_prices(engine, snapshot, context, out);
        for index in 0..self.gauges.spoke().len() {
            let gauge = self.gauges.spoke()[index];
            let value = self.gauges.value(gauge).map(Seen::Figure);
            for place in 0..self.of_gauge.get(gauge).map_or(0, Vec::len) {
                self.compare(self.of_gauge[gauge][place], value, context, out);
            }
        }
        for index in 0..self.of_days.len() {
            let place = self.of_days[index];
            let value = day_value(engine, &self.all[place].condition.subject);
            self.compare(place, value.map(Seen::Exact), context, out);
        }
        if self.is_stale {
            self.arrange(Vec::new(), engine);
        }
    }

    /// Looks at prices and positions of symbols that had a bar which is believed.
    fn look_at_prices(&mut self, engine: &Engine, snapshot: &MarketSnapshot, context: &RunContext, out: &mut Outcome) {
        for seen in snapshot.bars.iter().filter(|seen| seen.is_finest) {
            let lane = &engine.lanes[seen.instrument];
            if lane.suspended || lane.lock.is_some() || lane.stale.is_some() {
                continue;
            }
            for index in 0..self.of_lane[seen.instrument].len() {
                let place = self.of_lane[seen.instrument][index];
                let value = match self.all[place].condition.subject {
                    AlertSubject::PositionProfit { book, symbol } => open_profit(engine, book, symbol, seen.bar.close),
                    _ => Some(Ratio::from_units(seen.bar.close.units())),
                };
                self.compare(place, value.map(Seen::Exact), context, out);
            }
        }
    }

    fn compare(&mut self, place: usize, seen: Option<Seen>, context: &RunContext, out: &mut Outcome) {
        let (alert, Some(seen)) = (&mut self.all[place], seen) else { return };
        if !alert.state.is_open() {
            return;
        }
        let (comparison, level) = (alert.condition.comparison, alert.condition.level);
        let is_true = match seen {
            Seen::Exact(value) => comparison.holds(&value, &level),
            Seen::Figure(value) => comparison.holds(&value, &level.to_f64()),
        };
        let before = alert.state;
        let fires = alert.look(is_true, context.now);
        if alert.state == before {
            return;
        }
        out.alerts.push(alert.clone());
        self.is_stale |= !alert.state.is_open();
        if fires {
            let mut value = value_words(&alert.condition.subject, seen);
            if before == AlertState::New {
                value.push_str(", as it already was when this was set");
            }
            let kind = EventKind::AlertFired {
                alert: alert.id,
                person: alert.person.clone(),
                condition: alert.condition.to_string(),
                value,
                repeats: alert.repeats,
            };
            out.tell(context.cycle, Event { at: context.now, book: alert.condition.subject.book(), kind });
        }
    }

    fn expire(&mut self, now: Timestamp, out: &mut Outcome) {
        for alert in self.all.iter_mut().filter(|alert| alert.expires.is_some_and(|expires| expires <= now)) {
            alert.state = AlertState::Expired;
            out.alerts.push(alert.clone());
        }
        self.is_stale = true;
        self.expires = None;
    }

    /// Levels in units of a price follow a split of it, as positions and orders do; a price that fell by it has not passed anything.
    fn split_levels(&mut self, engine: &Engine, snapshot: &MarketSnapshot, out: &mut Outcome) {
        for split in &snapshot.splits {
            let symbol = engine.lanes[split.instrument].instrument.symbol;
            let about = |alert: &&mut Alert| {
                alert.condition.subject.is_price() && alert.condition.subject.symbol() == Some(symbol)
            };
            for alert in self.all.iter_mut().filter(about) {
                let level = alert.condition.level.scaled(split.denominator, split.numerator);
                alert.condition.level = level.unwrap_or(alert.condition.level);
                out.alerts.push(alert.clone());
            }
        }
    }
}

/// The open profit of a symbol at this price, in one book or all together; none where nothing of it is held.
fn open_profit(engine: &Engine, book: Option<Label>, symbol: Symbol, price: Price) -> Option<Ratio> {
    let desks = desks_of(engine, book);
    let held: Vec<Money> = desks
        .filter_map(|desk| desk.book.position(symbol))
        .map(|held| held.unrealised_at(price))
        .collect::<Result<_, _>>()
        .ok()?;
    if held.is_empty() { None } else { sum(held).map(|profit| Ratio::from_units(profit.units())) }
}

/// The profit of the day, as an amount or a share; none before the first day.
fn day_value(engine: &Engine, subject: &AlertSubject) -> Option<Ratio> {
    let desks = || desks_of(engine, subject.book()).filter(|desk| desk.day.date.is_some());
    desks().next()?;
    let profit = sum(desks().map(Desk::day_profit))?;
    if matches!(subject, AlertSubject::DayProfit { .. }) {
        return Some(Ratio::from_units(profit.units()));
    }
    let start = sum(desks().map(|desk| desk.day.start)).filter(|start| *start > Money::ZERO)?;
    Some(profit.share_of(start))
}

fn desks_of(engine: &Engine, book: Option<Label>) -> impl Iterator<Item = &Desk> {
    engine.desks.iter().filter(move |desk| book.is_none_or(|book| desk.name() == book))
}

fn sum(amounts: impl IntoIterator<Item = Money>) -> Option<Money> {
    amounts.into_iter().try_fold(Money::ZERO, Money::plus).ok()
}

fn value_words(subject: &AlertSubject, seen: Seen) -> String {
    match (subject, seen) {
        (_, Seen::Figure(value)) => Price::from_f64(value).map_or_else(|| value.to_string(), price),
        (AlertSubject::DayShare { .. }, Seen::Exact(value)) => format!("{:.2} %", value.percent()),
        (AlertSubject::Price { .. }, Seen::Exact(value)) => price(Price::from_units(value.units())),
        (_, Seen::Exact(value)) => signed(Money::from_units(value.units())),
    }
}
