//! How fast does the market's time pass?

use std::str::FromStr;

/// How long to wait between two instants of the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As long as the market did, divided by this.
    Times(u32),
    /// Not at all.
    Max,
}

/// Closed hours are not waited out when time is sped up: no wait is longer than this.
const WAIT_MAX_MS: u64 = 5_000;

impl Pace {
    /// How long to wait for a step of `market_ms`, in milliseconds.
    pub fn wait_ms(self, market_ms: i64) -> u64 {
        let market = market_ms.max(0).unsigned_abs();
        match self {
            Self::Max => 0,
            Self::Times(0 | 1) => market,
            Self::Times(times) => (market / u64::from(times)).min(WAIT_MAX_MS),
        }
    }
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "max" => Ok(Self::Max),
            "real" => Ok(Self::Times(1)),
            number => match number.trim_end_matches(['x', 'X']).parse() {
                Ok(times @ 1..=1_000_000) => Ok(Self::Times(times)),
                _ => Err(format!(
                    "\"{}\" is no speed: use real, max, or a whole number from 1 to 1000000",
                    text.escape_debug()
                )),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_hours_are_skipped_only_when_sped_up() {
        assert_eq!("60".parse::<Pace>().map(|pace| pace.wait_ms(60_000)), Ok(1_000));
        assert_eq!("60x".parse::<Pace>().map(|pace| pace.wait_ms(62_000_000)), Ok(5_000));
        assert_eq!("real".parse::<Pace>().map(|pace| pace.wait_ms(62_000_000)), Ok(62_000_000));
        assert_eq!("max".parse::<Pace>().map(|pace| pace.wait_ms(62_000_000)), Ok(0));
        assert!("0".parse::<Pace>().is_err() && "fast".parse::<Pace>().is_err());
    }
}
