//! Where does chance come from? One keyed stream of bits per thing that moves, the same on every platform.
//!
//! Only `+ - * /`, square roots and comparisons, which IEEE 754 fixes to the bit, and `libm` for the rest.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Keeps these streams apart from every other use of the hash. A new number is a new market for every seed.
const CONTEXT: &str = "bellwether simulated market 1";
/// One shock in this many carries news; a power of two below 65,536.
const NEWS_ONE_IN: u16 = 32;
/// How much larger the shocks with news are.
const NEWS_SIZE: f64 = 2.5;
/// Standard deviation of shocks of which some carry news, if all others had one of 1: the root of 31/32 + 6.25/32.
const NEWS_DEVIATION: f64 = 1.078_917_281_352_004_3;

const _: () = assert!(NEWS_ONE_IN.is_power_of_two());

/// A stream of random bits.
#[derive(Debug)]
pub(super) struct Noise(ChaCha8Rng);

impl Noise {
    /// The stream of one thing. `kind` and `name` together say which; no other stream has any influence on it.
    pub(super) fn keyed(seed: u64, kind: &str, name: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(&seed.to_le_bytes());
        // The length keeps "a" of "bc" apart from "ab" of "c".
        hasher.update(&(kind.len() as u64).to_le_bytes());
        hasher.update(kind.as_bytes());
        hasher.update(name.as_bytes());
        Self(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// How many times 64 bits were taken from it.
    pub(super) fn drawn(&self) -> u64 {
        // A draw takes two words of 32 bits.
        u64::try_from(self.0.get_word_pos() / 2).unwrap_or(u64::MAX)
    }

    /// Goes to where this many draws were made.
    pub(super) fn go_to(&mut self, drawn: u64) {
        self.0.set_word_pos(u128::from(drawn) * 2);
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Evenly between 0 and 1, both excluded.
    pub(super) fn unit(&mut self) -> f64 {
        unit((self.bits() >> 32) as u32)
    }

    /// Nearly normal with mean 0 and deviation 1; see [`bell`].
    pub(super) fn bell(&mut self) -> f64 {
        bell(self.bits())
    }

    /// Mean 0 and deviation 1 with fat tails.
    pub(super) fn shock(&mut self) -> f64 {
        let shape = self.bits();
        shock(shape, parts(self.bits())[0])
    }
}

/// Four independent numbers of 16 bits.
pub(super) const fn parts(bits: u64) -> [u16; 4] {
    [bits as u16, (bits >> 16) as u16, (bits >> 32) as u16, (bits >> 48) as u16]
}

/// Evenly between 0 and 1, both excluded.
pub(super) fn unit(bits: u32) -> f64 {
    (f64::from(bits) + 0.5) / 4_294_967_296.0
}

/// Nearly normal with mean 0 and deviation 1, and never beyond 3.5. It is a sum of four even numbers: no transcendental
/// function is called, which is both quick and portable, and the far tails come from [`shock`] anyway.
pub(super) fn bell(bits: u64) -> f64 {
    let sum: u32 = parts(bits).into_iter().map(u32::from).sum();
    (f64::from(sum) - 131_070.0) / 37_837.227_245_4
}

/// Mean 0 and deviation 1 with fat tails: a bell shape, enlarged when `news` says so.
pub(super) fn shock(shape: u64, news: u16) -> f64 {
    let size = if news.is_multiple_of(NEWS_ONE_IN) { NEWS_SIZE } else { 1.0 };
    bell(shape) * size / NEWS_DEVIATION
}

/// Volatility that comes in waves: the logarithm of a factor which wanders about zero and always returns.
#[derive(Debug)]
pub(super) struct Swell {
    level: f64,
    /// What is left of the level after one step, from 0 to 1.
    keep: f64,
    /// What one step adds, as a deviation.
    kick: f64,
    spread: f64,
}

impl Swell {
    /// Waves of this `spread` (the deviation of the logarithm) that last about `lasting_min` open minutes, seen in
    /// steps of `step_min`. Waves much shorter than a step average out inside it, so their spread shrinks.
    pub(super) fn new(spread: f64, lasting_min: f64, step_min: f64, noise: &mut Noise) -> Self {
        let steps = step_min / lasting_min;
        let keep = libm::exp(-steps);
        let spread = spread * (2.0 * (steps - 1.0 + keep) / (steps * steps)).clamp(0.0, 1.0).sqrt();
        Self { level: spread * noise.bell(), keep, kick: spread * (1.0 - keep * keep).sqrt(), spread }
    }

    /// Where the wave is.
    pub(super) const fn level(&self) -> f64 {
        self.level
    }

    /// Goes to where a wave of the same kind was.
    pub(super) const fn go_to(&mut self, level: f64) {
        self.level = level;
    }

    /// Takes one step with a `bell` number and returns the logarithm of the factor, whose mean square is 1.
    pub(super) fn next(&mut self, bell: f64) -> f64 {
        self.level = self.level * self.keep + self.kick * bell;
        self.level - self.spread * self.spread
    }
}
