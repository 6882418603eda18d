//! What do the indicators say that alerts ask for? Each is fed once, whoever asks, on the finest bars or on longer ones gathered here.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::domain::{Bar, MarketSnapshot, Price, Quantity, Study, StudyKind, Symbol, Timeframe};
use crate::indicators::{Adx, Atr, Ema, Indicator, Roc, Rsi, Sma};
use crate::market::Aggregator;

use super::lane::Lane;
use super::state::Engine;

/// An indicator of any kind, as it is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Meter {
    Sma(Sma),
    Ema(Ema),
    Rsi(Rsi),
    Atr(Atr),
    Adx(Adx),
    Roc(Roc),
}

impl Meter {
    fn new(study: Study) -> Self {
        let bars = study.bars as usize;
        match study.kind {
            StudyKind::Sma => Self::Sma(Sma::new(bars)),
            StudyKind::Ema => Self::Ema(Ema::new(bars)),
            StudyKind::Rsi => Self::Rsi(Rsi::new(bars)),
            StudyKind::Atr => Self::Atr(Atr::new(bars)),
            StudyKind::Adx => Self::Adx(Adx::new(bars)),
            StudyKind::Roc => Self::Roc(Roc::new(bars)),
        }
    }

    fn indicator(&mut self) -> &mut dyn Indicator {
        match self {
            Self::Sma(it) => it,
            Self::Ema(it) => it,
            Self::Rsi(it) => it,
            Self::Atr(it) => it,
            Self::Adx(it) => it,
            Self::Roc(it) => it,
        }
    }
}

/// What an indicator is known by: of what, which, and on which bars; none for the finest.
pub(super) type Key = (Symbol, Study, Option<Timeframe>);

/// One indicator of one symbol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gauge {
    symbol: Symbol,
    study: Study,
    timeframe: Option<Timeframe>,
    meter: Meter,
    /// What gathers its bars, where they are longer than the finest.
    gathers: Option<Aggregator>,
    /// The length of the finest bars that it has seen.
    finest: Option<Timeframe>,
    /// What it says, and whether it said so with the bar of this instant.
    #[serde(skip)]
    now: Option<f64>,
}

impl Gauge {
    fn new((symbol, study, timeframe): Key) -> Self {
        Self { symbol, study, timeframe, meter: Meter::new(study), gathers: None, finest: None, now: None }
    }

    fn key(&self) -> Key {
        (self.symbol, self.study, self.timeframe)
    }

    /// Sees what the lane remembers: days as whole bars, of other bars the closes, where closes are all it reads.
    fn warm_up(&mut self, lane: &Lane) {
        let Some(finest) = lane.timeframe else { return };
        self.prepare(lane, finest);
        if self.timeframe.unwrap_or(finest) == Timeframe::D1 && finest <= Timeframe::D1 {
            let days = lane.history.day_bars(|_| finest == Timeframe::D1);
            for bar in &days {
                self.meter.indicator().update(bar);
            }
            return;
        }
        if self.study.kind.reads_closes() {
            for (end, close) in lane.history.closes() {
                let Some(price) = Price::from_f64(close) else { continue };
                let (start, volume) = (end.plus_ms(-finest.ms()), Quantity::ZERO);
                self.feed(&Bar { start, open: price, high: price, low: price, close: price, volume });
                self.gathered(end);
            }
        }
    }

    fn prepare(&mut self, lane: &Lane, finest: Timeframe) {
        self.finest = Some(finest);
        if let Some(longer) = self.timeframe.filter(|asked| *asked > finest)
            && self.gathers.is_none()
        {
            self.gathers = Some(Aggregator::new(lane.instrument.class, longer));
        }
    }

    /// Takes a finest bar.
    fn feed(&mut self, bar: &Bar) {
        match (&mut self.gathers, self.timeframe, self.finest) {
            (Some(gathers), _, _) => gathers.add(bar),
            // Bars shorter than the finest there are cannot be had.
            (None, Some(asked), Some(finest)) if asked < finest => {}
            (None, _, _) => self.now = self.meter.indicator().update(bar),
        }
    }

    /// Takes the gathered bar whose time is over.
    fn gathered(&mut self, now: crate::clock::Timestamp) {
        if let Some(bar) = self.gathers.as_mut().and_then(|gathers| gathers.take_due(now)) {
            self.now = self.meter.indicator().update(&bar);
        }
    }
}

/// All indicators that alerts ask for.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    all: Vec<Gauge>,
    places: FxHashMap<Key, usize>,
    /// The places in `all` of each lane.
    of_lane: Vec<Vec<usize>>,
    /// Those that gather longer bars.
    gathering: Vec<usize>,
    /// Those that said something at the last instant.
    spoke: Vec<usize>,
}

impl Gauges {
    /// Keeps exactly these. One that is there goes on, one that was `saved` goes on from there, a new one sees what is remembered.
    pub(super) fn keep(&mut self, wanted: impl Iterator<Item = Key>, saved: Vec<Gauge>, engine: &Engine) {
        let before = saved.into_iter().chain(std::mem::take(&mut self.all));
        let mut before: FxHashMap<Key, Gauge> = before.map(|gauge| (gauge.key(), gauge)).collect();
        self.places.clear();
        for key in wanted {
            if self.places.contains_key(&key) {
                continue;
            }
            let mut gauge = before.remove(&key).unwrap_or_else(|| {
                let mut gauge = Gauge::new(key);
                if let Some(lane) = engine.lane_of(key.0) {
                    gauge.warm_up(&engine.lanes[lane]);
                }
                gauge
            });
            gauge.now = None;
            self.places.insert(key, self.all.len());
            self.all.push(gauge);
        }
        self.of_lane = vec![Vec::new(); engine.lanes.len()];
        for (place, gauge) in self.all.iter().enumerate() {
            if let Some(lane) = engine.lane_of(gauge.symbol) {
                self.of_lane[lane].push(place);
            }
        }
        self.spoke.clear();
        self.note_gathering();
    }

    fn note_gathering(&mut self) {
        let gathering = self.all.iter().enumerate().filter(|(_, gauge)| gauge.gathers.is_some());
        self.gathering = gathering.map(|(place, _)| place).collect();
    }

    /// Where one of them is.
    pub(super) fn place(&self, key: Key) -> Option<usize> {
        self.places.get(&key).copied()
    }

    /// What it says with the bar of this instant; none where it had none, or has not seen enough.
    pub(super) fn value(&self, place: usize) -> Option<f64> {
        self.all.get(place)?.now
    }

    /// Those that said something with a bar of this instant.
    pub(super) fn spoke(&self) -> &[usize] {
        &self.spoke
    }

    /// To be saved.
    pub(super) fn save(&self) -> Vec<Gauge> {
        self.all.clone()
    }

    /// Follows splits, then the bars that are believed.
    pub(super) fn follow(&mut self, engine: &Engine, snapshot: &MarketSnapshot) {
        if self.all.is_empty() {
            return;
        }
        for place in self.spoke.drain(..) {
            self.all[place].now = None;
        }
        for split in &snapshot.splits {
            for place in &self.of_lane[split.instrument] {
                let gauge = &mut self.all[*place];
                gauge.meter.indicator().rescale(split.numerator, split.denominator);
                if let Some(gathers) = &mut gauge.gathers {
                    gathers.rescale(split.numerator, split.denominator);
                }
            }
        }
        for seen in snapshot.bars.iter().filter(|seen| seen.is_finest) {
            let lane = &engine.lanes[seen.instrument];
            if self.of_lane[seen.instrument].is_empty() || lane.suspended || lane.stale.is_some() {
                continue;
            }
            self.feed(lane, seen.instrument, &seen.bar, seen.timeframe);
        }
        for place in &self.gathering {
            self.all[*place].gathered(snapshot.at);
            if self.all[*place].now.is_some() {
                self.spoke.push(*place);
            }
        }
    }

    fn feed(&mut self, lane: &Lane, index: usize, bar: &Bar, finest: Timeframe) {
        let mut is_new = false;
        for place in &self.of_lane[index] {
            let gauge = &mut self.all[*place];
            is_new |= gauge.finest.is_none();
            gauge.prepare(lane, finest);
            gauge.feed(bar);
            if gauge.now.is_some() {
                self.spoke.push(*place);
            }
        }
        if is_new {
            self.note_gathering();
        }
    }
}
