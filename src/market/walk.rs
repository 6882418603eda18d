//! How do prices go? The steps of a whole market, and of each symbol in it.

use serde::{Deserialize, Serialize};

use super::noise::{Noise, Swell, parts, shock, unit};
use super::regime::{MarketRegime, Regimes, RegimesState};
use super::slots::{START, Slot, Slots, session_minutes};
use crate::clock::Timestamp;
use crate::domain::{AssetClass, Bar, Instrument, Price, Quantity, Timeframe, UNITS};

/// What a kind of market is like.
#[derive(Debug)]
struct Habits {
    sessions_per_year: f64,
    /// The share of a session's variance that falls into the night before it.
    night: f64,
    /// Deviation of a year's logarithmic return: the least and the most among symbols.
    volatility: (f64, f64),
    /// What is traded in a session, in the quote currency: the least and the most among symbols.
    turnover: (f64, f64),
    /// The chance, in 65,536ths and per minute, that trading in a symbol is halted.
    halts: i64,
}

const SHARES: Habits = Habits {
    sessions_per_year: 252.0,
    night: 0.25,
    volatility: (0.25, 0.45),
    turnover: (2e7, 5e9),
    // About once in forty sessions.
    halts: 4,
};
const COINS: Habits =
    Habits { sessions_per_year: 365.0, night: 0.0, volatility: (0.5, 0.7), turnover: (1e7, 2e9), halts: 0 };

const MINUTE_MS: i64 = 60_000;
/// Logarithmic growth of all prices in a year.
const GROWTH_PER_YEAR: f64 = 0.05;
/// The market's share of a symbol's variance: the least and the most among symbols.
const MARKET_SHARE: (f64, f64) = (0.28, 0.42);
/// The sector's share of the variance of a symbol that has one.
const SECTOR_SHARE: f64 = 0.2;
/// A bar opens off the last close by up to this share of its own deviation, as if the quote had moved meanwhile.
const OPENING_SLIP: f64 = 0.1;
/// A halt takes from 5 to 30 minutes.
const HALT_MINUTES: (i64, i64) = (5, 30);
/// Prices turn back at these: a cheaper share would be delisted, and a dearer one does not fit a book.
const PRICE_MIN: f64 = 0.5;
const PRICE_MAX: f64 = 5e6;
/// The largest logarithmic move of one bar.
const MOVE_MAX: f64 = 1.0;
/// The largest volume of one bar; what a quantity can hold is twice as much.
const VOLUME_MAX: f64 = 4e10;
const fn habits(class: AssetClass) -> &'static Habits {
    match class {
        AssetClass::UsEquity => &SHARES,
        AssetClass::Crypto | AssetClass::Perpetual => &COINS,
    }
}

/// Open minutes of a usual bar, for what changes from bar to bar.
fn usual_minutes(class: AssetClass, timeframe: Timeframe) -> f64 {
    match timeframe {
        Timeframe::M1 | Timeframe::M5 | Timeframe::M15 | Timeframe::H1 => (timeframe.ms() / MINUTE_MS) as f64,
        Timeframe::D1 => session_minutes(class),
        Timeframe::W1 => session_minutes(class) * habits(class).sessions_per_year / 52.0,
    }
}

/// How far something went: before the bar and in it, in deviations of one session's return.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    gap: f64,
    body: f64,
}

impl Move {
    const NONE: Self = Self { gap: 0.0, body: 0.0 };
}

/// What the bars that end now have in common.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) slot: Slot,
    market: Move,
    /// Deviation of what the night did before it, in deviations of one session's return.
    gap: f64,
    /// The same for the time that the bars cover.
    body: f64,
    /// By how much more than usual everything moves and is traded.
    excitement: f64,
    /// Logarithmic growth of all prices.
    growth: f64,
}

/// One kind of market: everything that its symbols share.
#[derive(Debug)]
pub(super) struct Market {
    class: AssetClass,
    timeframe: Timeframe,
    slots: Slots,
    /// What its next bars cover.
    upcoming: Slot,
    seed: u64,
    noise: Noise,
    regimes: Regimes,
    /// Volatility has waves of weeks and of an hour.
    weeks: Swell,
    hour: Swell,
    sectors: Vec<Sector>,
    /// None while its bars do not end at the instant of the snapshot.
    pub(super) step: Option<Step>,
}

/// Where a market stands between two steps, to be saved.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MarketState {
    begin: Timestamp,
    drawn: u64,
    regimes: RegimesState,
    weeks: f64,
    hour: f64,
    sectors: Vec<u64>,
}

#[derive(Debug)]
struct Sector {
    name: String,
    noise: Noise,
    moved: Move,
}

impl Market {
    /// A market whose first bars are the first that end after `start`.
    pub(super) fn new(seed: u64, timeframe: Timeframe, class: AssetClass, start: Timestamp) -> Self {
        let mut noise = Noise::keyed(seed, "market", class.as_str());
        let minutes = usual_minutes(class, timeframe);
        let mut slots = Slots::after(class, timeframe, start);
        Self {
            class,
            timeframe,
            upcoming: slots.take_next(),
            slots,
            seed,
            regimes: Regimes::new(Noise::keyed(seed, "regimes", class.as_str())),
            weeks: Swell::new(0.45, 30.0 * session_minutes(class), minutes, &mut noise),
            hour: Swell::new(0.35, 60.0, minutes, &mut noise),
            noise,
            sectors: Vec::new(),
            step: None,
        }
    }

    /// The index of a sector, which is added if it is new; none for the symbols of no known sector.
    fn sector(&mut self, name: &str) -> Option<usize> {
        if name.is_empty() {
            return None;
        }
        Some(self.sectors.iter().position(|sector| sector.name == name).unwrap_or_else(|| {
            let noise = Noise::keyed(self.seed, &format!("sector of {}", self.class), name);
            self.sectors.push(Sector { name: name.to_owned(), noise, moved: Move::NONE });
            self.sectors.len() - 1
        }))
    }

    /// When its next bars end.
    pub(super) const fn next_end(&self) -> Timestamp {
        self.upcoming.end
    }

    /// Takes its next step if that ends at `at`; has none otherwise.
    pub(super) fn step_if_due(&mut self, at: Timestamp) {
        self.step = (self.upcoming.end == at).then(|| {
            let slot = std::mem::replace(&mut self.upcoming, self.slots.take_next());
            self.step_over(slot)
        });
    }

    /// Where it stands between two steps.
    pub(super) fn state(&self) -> MarketState {
        MarketState {
            begin: self.upcoming.begin,
            drawn: self.noise.drawn(),
            regimes: self.regimes.state(),
            weeks: self.weeks.level(),
            hour: self.hour.level(),
            sectors: self.sectors.iter().map(|sector| sector.noise.drawn()).collect(),
        }
    }

    /// True if a market of the same kind can have stood so.
    pub(super) fn fits(&self, state: &MarketState) -> bool {
        state.sectors.len() == self.sectors.len() && Slots::from(self.class, self.timeframe, state.begin).is_some()
    }

    /// Goes to where a market of the same kind stood.
    pub(super) fn go_to(&mut self, state: &MarketState) {
        if let Some(mut slots) = Slots::from(self.class, self.timeframe, state.begin) {
            self.upcoming = slots.take_next();
            self.slots = slots;
        }
        self.noise.go_to(state.drawn);
        self.regimes.go_to(&state.regimes);
        self.weeks.go_to(state.weeks);
        self.hour.go_to(state.hour);
        for (sector, drawn) in self.sectors.iter_mut().zip(&state.sectors) {
            sector.noise.go_to(*drawn);
        }
    }

    /// The mood at the end of the last bars.
    pub(super) const fn regime(&self) -> MarketRegime {
        self.regimes.current()
    }

    /// How far a path's sector went in this step.
    pub(super) fn sector_move(&self, path: &Path) -> Move {
        path.sector.map_or(Move::NONE, |sector| self.sectors[sector].moved)
    }

    fn step_over(&mut self, slot: Slot) -> Step {
        let habits = habits(self.class);
        let weather = self.regimes.pass(slot.minutes);
        let swell = self.weeks.next(self.noise.bell()) + self.hour.next(self.noise.bell());
        let excitement = libm::exp(swell) * weather.variance.sqrt();
        let night = libm::exp(2.0 * swell) * habits.night;
        let gap = (night * slot.nights_before).sqrt();
        let day = excitement * excitement * (1.0 - habits.night);
        let body = (day * slot.activity + night * slot.nights_within).sqrt();

        // A range holds the whole market back, and a trend carries it; sectors and symbols go on as they like.
        let per_minute = ((1.0 - habits.night) / session_minutes(self.class)).sqrt();
        let held_back = (weather.market_variance / weather.variance).sqrt();
        let went = body * held_back * self.noise.shock() + weather.carried * per_minute;
        self.regimes.went(went / per_minute);
        let market = Move { gap: gap * self.noise.shock(), body: went };
        for Sector { noise, moved, .. } in &mut self.sectors {
            *moved = Move { gap: gap * noise.shock(), body: body * noise.shock() };
        }
        let growth = GROWTH_PER_YEAR / habits.sessions_per_year * slot.activity;
        Step { slot, market, gap, body, excitement, growth }
    }
}

/// The price of one symbol on its way.
#[derive(Debug)]
pub(super) struct Path {
    /// Its market, as an index into the feed's.
    pub(super) market: usize,
    sector: Option<usize>,
    class: AssetClass,
    noise: Noise,
    price: f64,
    lot: Quantity,
    /// Deviation of one session's logarithmic return.
    deviation: f64,
    /// What is traded in a session, in the quote currency.
    turnover: f64,
    /// What of the market's, the sector's and its own moves goes into a return; the squares add up to 1.
    weights: [f64; 3],
    /// Its own waves of volatility.
    weeks: Swell,
    /// The chance of a halt in one bar, in 65,536ths.
    halts: i64,
    halted_until: Option<Timestamp>,
}

/// Where a symbol stands between two steps, to be saved.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PathState {
    drawn: u64,
    price: f64,
    weeks: f64,
    halted_until: Option<Timestamp>,
}

impl Path {
    /// A symbol of one of the `markets`.
    pub(super) fn new(seed: u64, timeframe: Timeframe, instrument: &Instrument, markets: &mut [Market]) -> Self {
        let class = instrument.class;
        let habits = habits(class);
        let market = markets.iter().position(|market| market.class == class).unwrap_or_default();
        let sector = markets[market].sector(&instrument.sector);
        let mut noise = Noise::keyed(seed, class.as_str(), instrument.symbol.as_str());
        let market_share = between(MARKET_SHARE, noise.unit());
        let sector_share = sector.map_or(0.0, |_| SECTOR_SHARE);
        let own_share = 1.0 - market_share - sector_share;
        let minutes = usual_minutes(class, timeframe);
        // A halt is shorter than an hour, so it would never take a whole bar out of the longer timeframes.
        let halts = if timeframe.ms() > HALT_MINUTES.1 * MINUTE_MS { 0 } else { habits.halts };
        Self {
            market,
            sector,
            class,
            price: between_by_factor(start_price(instrument), noise.unit()),
            lot: instrument.lot(),
            deviation: between(habits.volatility, noise.unit()) / habits.sessions_per_year.sqrt(),
            turnover: between_by_factor(habits.turnover, noise.unit()),
            weights: [market_share.sqrt(), sector_share.sqrt(), own_share.sqrt()],
            weeks: Swell::new(0.4, 20.0 * session_minutes(class), minutes, &mut noise),
            noise,
            halts: halts * timeframe.ms() / MINUTE_MS,
            halted_until: None,
        }
    }

    /// Where it stands between two steps.
    pub(super) fn state(&self) -> PathState {
        PathState {
            drawn: self.noise.drawn(),
            price: self.price,
            weeks: self.weeks.level(),
            halted_until: self.halted_until,
        }
    }

    /// Goes to where the same symbol stood.
    pub(super) fn go_to(&mut self, state: &PathState) {
        self.noise.go_to(state.drawn);
        self.price = turned_back(state.price);
        self.weeks.go_to(state.weeks);
        self.halted_until = state.halted_until;
    }

    /// The bar of this step; none while trading in the symbol is halted.
    pub(super) fn next_bar(&mut self, step: &Step, sector: Move) -> Option<Bar> {
        if self.halted_until.is_some_and(|until| step.slot.end <= until) {
            return None;
        }
        // What was missed in a halt comes as a gap, like what was missed in a night.
        let missed = self.halted_until.take().map_or(0.0, |_| step.body);
        let [news, slip, trade, halt] = parts(self.noise.bits());
        if i64::from(halt) < self.halts && step.slot.begin >= START {
            let minutes = HALT_MINUTES.0 + i64::from(trade) % (HALT_MINUTES.1 - HALT_MINUTES.0 + 1);
            self.halted_until = Some(step.slot.begin.plus_ms(minutes * MINUTE_MS));
            if self.halted_until.is_some_and(|until| step.slot.end <= until) {
                return None;
            }
        }
        let [of_market, of_sector, of_own] = self.weights;
        let own = of_own * libm::exp(self.weeks.next(self.noise.bell()));
        let spread = step.body * (of_market * of_market + of_sector * of_sector + own * own).sqrt() * self.deviation;

        let mut before = spread * OPENING_SLIP * (2.0 * even(slip) - 1.0);
        if step.gap > 0.0 || missed > 0.0 {
            let alone = (step.gap + missed) * own * self.noise.shock();
            before += (of_market * step.market.gap + of_sector * sector.gap + alone) * self.deviation;
        }
        let surprise = shock(self.noise.bits(), news);
        let moved = of_market * step.market.body + of_sector * sector.body + own * step.body * surprise;
        let body = (moved * self.deviation + step.growth).clamp(-MOVE_MAX, MOVE_MAX);
        let (open, close) = self.go(before.clamp(-MOVE_MAX, MOVE_MAX), body);
        let (above, below) = self.wicks(body, spread);
        let (high, low) = (open.max(close) * (1.0 + above), open.min(close) / (1.0 + below));
        Some(Bar {
            start: step.slot.label,
            open: self.rounded(open),
            high: self.rounded(high),
            low: self.rounded(low.max(PRICE_MIN)),
            close: self.rounded(close),
            volume: self.volume(step, surprise, even(trade)),
        })
    }

    /// Moves the price by two logarithmic returns and tells where it was after each.
    fn go(&mut self, before: f64, body: f64) -> (f64, f64) {
        let open = turned_back(self.price * libm::exp(before));
        self.price = turned_back(open * libm::exp(body));
        (open, self.price)
    }

    /// How far the high lies above the higher end of the body, and the low below the lower one, as parts of the price.
    /// Both are drawn as the extremes of a random walk that has this body and, unpinned, this deviation.
    fn wicks(&mut self, body: f64, deviation: f64) -> (f64, f64) {
        let bits = self.noise.bits();
        let beyond = |bits: u32| {
            let reach = body * body - 2.0 * deviation * deviation * libm::log(unit(bits));
            (reach.sqrt() - body.abs()) / 2.0
        };
        (beyond(bits as u32), beyond((bits >> 32) as u32))
    }

    /// To the symbol's tick: a cent, or a hundredth of a cent for a coin below 10. Larger prices never become smaller
    /// ones by it, so a bar stays valid.
    fn rounded(&self, price: f64) -> Price {
        let ticks_per_whole = match self.class {
            AssetClass::Crypto | AssetClass::Perpetual if price < 10.0 => 10_000,
            AssetClass::Crypto | AssetClass::Perpetual | AssetClass::UsEquity => 100,
        };
        let ticks = (price * ticks_per_whole as f64).round_ties_even() as i64;
        Price::from_units(ticks * (UNITS / ticks_per_whole))
    }

    /// More is traded when much happens. At least one lot, because a bar without a trade would not exist.
    fn volume(&self, step: &Step, surprise: f64, luck: f64) -> Quantity {
        let mood = (0.4 + 0.4 * step.excitement + 0.4 * surprise.abs()) * (0.5 + luck);
        let volume = (self.turnover * step.slot.activity * mood / self.price).min(VOLUME_MAX);
        Quantity::from_f64(volume).unwrap_or(self.lot).in_lots(self.lot).max(self.lot)
    }
}

/// Prices that a symbol may start at. The two best-known coins are dear, as everybody expects of them.
fn start_price(instrument: &Instrument) -> (f64, f64) {
    let symbol = instrument.symbol;
    let base = symbol.as_str().split('-').next().unwrap_or_default();
    match (instrument.class, base) {
        (AssetClass::UsEquity, _) => (20.0, 500.0),
        (AssetClass::Crypto | AssetClass::Perpetual, "BTC") => (20_000.0, 70_000.0),
        (AssetClass::Crypto | AssetClass::Perpetual, "ETH") => (1_500.0, 4_000.0),
        (AssetClass::Crypto | AssetClass::Perpetual, _) => (1.0, 300.0),
    }
}

fn even(bits: u16) -> f64 {
    (f64::from(bits) + 0.5) / 65_536.0
}

fn between((least, most): (f64, f64), part: f64) -> f64 {
    least + (most - least) * part
}

fn between_by_factor((least, most): (f64, f64), part: f64) -> f64 {
    least * libm::exp(libm::log(most / least) * part)
}

/// Mirrors a price at the ends of its range, so that it turns back there instead of sticking.
fn turned_back(price: f64) -> f64 {
    let mirrored = if price < PRICE_MIN {
        PRICE_MIN * PRICE_MIN / price
    } else if price > PRICE_MAX {
        PRICE_MAX * PRICE_MAX / price
    } else {
        price
    };
    mirrored.clamp(PRICE_MIN, PRICE_MAX)
}
