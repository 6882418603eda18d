//! What mood is the market in? Trend, range, volatile or calm, each for some hours at a time.

use serde::{Deserialize, Serialize};

use super::noise::Noise;

/// The mood of the simulated market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarketRegime {
    /// Goes one way.
    Trend,
    /// Swings about a level.
    Range,
    /// Moves about twice as much as usual, without direction.
    Volatile,
    /// Moves about half as much as usual, without direction.
    Calm,
}

impl MarketRegime {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Trend, Self::Range, Self::Volatile, Self::Calm];

    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trend => "trend",
            Self::Range => "range",
            Self::Volatile => "volatile",
            Self::Calm => "calm",
        }
    }

    /// How long it lasts on average, in open minutes.
    const fn minutes(self) -> f64 {
        match self {
            Self::Trend => 240.0,
            Self::Range => 300.0,
            Self::Volatile => 90.0,
            Self::Calm => 200.0,
        }
    }

    /// Its standard deviation against the usual one. Weighted with the time spent in each, the squares average to 1.
    const fn volatility(self) -> f64 {
        match self {
            Self::Trend => 0.9,
            Self::Range => 0.8,
            Self::Volatile => 2.05,
            Self::Calm => 0.55,
        }
    }

    /// The ones that may follow it: all others, equally likely.
    const fn next(self) -> [Self; 3] {
        match self {
            Self::Trend => [Self::Range, Self::Volatile, Self::Calm],
            Self::Range => [Self::Trend, Self::Volatile, Self::Calm],
            Self::Volatile => [Self::Trend, Self::Range, Self::Calm],
            Self::Calm => [Self::Trend, Self::Range, Self::Volatile],
        }
    }
}

/// How far a trend carries the market in a minute, in usual deviations of one minute.
const TREND_PER_MINUTE: f64 = 0.05;
/// The share of its distance from the level that a ranging market loses in a minute.
const RETURN_PER_MINUTE: f64 = 1.0 / 60.0;

/// What a stretch of time holds for the market.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    /// Variance of whatever moves, against the usual one.
    pub(super) variance: f64,
    /// The same for the market as a whole, which a range holds back.
    pub(super) market_variance: f64,
    /// Where the mood alone carries the market, in usual deviations of one minute.
    pub(super) carried: f64,
}

/// The moods in their order: a Markov chain in continuous time, so that bars of every length see the same kind of market.
#[derive(Debug)]
pub(super) struct Regimes {
    noise: Noise,
    mood: Mood,
}

/// The present mood, and how far it has gone.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mood {
    current: MarketRegime,
    /// Up or down, +1 or -1.
    direction: f64,
    minutes_left: f64,
    /// How far a ranging market is from its level, in usual deviations of one minute.
    strayed: f64,
}

/// Where the moods stand, to be saved.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegimesState {
    drawn: u64,
    mood: Mood,
}

impl Regimes {
    /// Begins in any of them.
    pub(super) fn new(mut noise: Noise) -> Self {
        let current = MarketRegime::ALL[(noise.bits() % 4) as usize];
        let mood = Mood { current, direction: 1.0, minutes_left: 0.0, strayed: 0.0 };
        let mut regimes = Self { noise, mood };
        regimes.enter(current);
        regimes
    }

    /// The mood at the end of the last stretch.
    pub(super) const fn current(&self) -> MarketRegime {
        self.mood.current
    }

    /// Where they stand.
    pub(super) fn state(&self) -> RegimesState {
        RegimesState { drawn: self.noise.drawn(), mood: self.mood }
    }

    /// Goes to where the same moods stood.
    pub(super) fn go_to(&mut self, state: &RegimesState) {
        self.noise.go_to(state.drawn);
        self.mood = state.mood;
    }

    /// Lets open `minutes` pass, at least one.
    pub(super) fn pass(&mut self, minutes: f64) -> Weather {
        let mut weather = Weather { variance: 0.0, market_variance: 0.0, carried: 0.0 };
        let mut rest = minutes;
        while self.mood.minutes_left <= rest {
            let stretch = self.mood.minutes_left;
            self.add(&mut weather, stretch, stretch / minutes);
            rest -= stretch;
            self.change();
        }
        self.add(&mut weather, rest, rest / minutes);
        self.mood.minutes_left -= rest;
        weather
    }

    /// Learns how far the market went in the stretch that passed, so that a range knows where its level is.
    pub(super) fn went(&mut self, deviations: f64) {
        match self.mood.current {
            MarketRegime::Range => self.mood.strayed += deviations,
            MarketRegime::Trend | MarketRegime::Volatile | MarketRegime::Calm => {}
        }
    }

    fn add(&self, weather: &mut Weather, minutes: f64, share: f64) {
        let variance = self.mood.current.volatility() * self.mood.current.volatility() * share;
        let (held_back, carried) = match self.mood.current {
            MarketRegime::Trend => (1.0, self.mood.direction * TREND_PER_MINUTE * minutes),
            MarketRegime::Range => {
                // What is left of a wandering price after a while if it is pulled back all the time.
                let kept = libm::exp(-RETURN_PER_MINUTE * minutes);
                let pull = 2.0 * RETURN_PER_MINUTE * minutes;
                let held_back = if pull > 0.0 { (1.0 - kept * kept) / pull } else { 1.0 };
                (held_back, self.mood.strayed * (kept - 1.0))
            }
            MarketRegime::Volatile | MarketRegime::Calm => (1.0, 0.0),
        };
        weather.variance += variance;
        weather.market_variance += variance * held_back;
        weather.carried += carried;
    }

    fn change(&mut self) {
        let next = self.mood.current.next();
        let choice = (self.noise.bits() % next.len() as u64) as usize;
        self.enter(next[choice]);
    }

    fn enter(&mut self, regime: MarketRegime) {
        let direction = if self.noise.bits() & 1 == 0 { 1.0 } else { -1.0 };
        let minutes_left = -libm::log(self.noise.unit()) * regime.minutes();
        self.mood = Mood { current: regime, direction, minutes_left, strayed: 0.0 };
    }
}
