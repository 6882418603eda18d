//! May it trade with real money, and with how much of it? A table of rules over what was measured.
//!
//! The stage follows from the table alone. A missing drill allows the first stage, 1 %: who cannot stop or restore may not
//! grow. With all drills done, each further figure that is met allows the next stage: none 1 %, then 5, 10, 25, 50 and, with all
//! five, 100 %. With fewer than the wanted trades the other figures prove little, so no more than 5 % is allowed. Meeting one
//! more rule never lowers the stage. A figure that is not defined is not met.

use serde::Serialize;

/// An exercise that must have been done and passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Drill {
    /// The volatility breaker stopped entries.
    CircuitBreaker,
    /// A person halted trading.
    EmergencyStop,
    /// The database was restored from a backup.
    Restore,
    /// It went on after it was killed, with nothing lost.
    Recovery,
}

impl Drill {
    /// All, in the order of the table.
    pub const ALL: [Self; 4] = [Self::CircuitBreaker, Self::EmergencyStop, Self::Restore, Self::Recovery];

    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CircuitBreaker => "circuit breaker",
            Self::EmergencyStop => "emergency stop",
            Self::Restore => "restore from backup",
            Self::Recovery => "recovery after kill",
        }
    }
}

/// What was measured. Shares are fractions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    /// Closed trades.
    pub trades: usize,
    /// Share of closed trades with a profit after fees.
    pub win_rate: Option<f64>,
    /// Sum of wins over sum of losses.
    pub profit_factor: Option<f64>,
    /// The deepest fall, zero or negative.
    pub max_drawdown: Option<f64>,
    /// Sharpe ratio a year.
    pub sharpe: Option<f64>,
    /// Drills that were done and passed.
    pub drills: Vec<Drill>,
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// What is asked.
    pub name: &'static str,
    /// What was measured.
    pub value: String,
    /// What is wanted.
    pub wanted: String,
    /// True if it is met.
    pub met: bool,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Every rule, met or not.
    pub rules: Vec<Rule>,
    /// Percent of the capital that may be used: 1, 5, 10, 25, 50 or 100.
    pub capital_pct: u8,
    /// What keeps it from more, in words.
    pub because: String,
}

/// Percent of the capital by the number of figures that are met.
const STAGES: [u8; 6] = [1, 5, 10, 25, 50, 100];
/// The stage above which there must be enough trades.
const UNPROVEN_MAX: usize = 1;

const TRADES_MIN: usize = 300;
const WIN_RATE_MIN: f64 = 0.60;
const PROFIT_FACTOR_MIN: f64 = 1.5;
const DRAWDOWN_MAX: f64 = 0.15;
const SHARPE_MIN: f64 = 1.0;

/// Holds the evidence against the table.
pub fn readiness(evidence: &Evidence) -> Readiness {
    let figures = figures(evidence);
    let drills: Vec<Rule> = Drill::ALL.into_iter().map(|drill| drill_rule(drill, &evidence.drills)).collect();
    let met = figures.iter().filter(|rule| rule.met).count();
    let missing = drills.iter().filter(|rule| !rule.met).count();
    let proven = evidence.trades >= TRADES_MIN;
    let (stage, because) = if missing > 0 {
        (0, format!("{missing} of {} drills are missing", drills.len()))
    } else if !proven && met > UNPROVEN_MAX {
        (UNPROVEN_MAX, format!("fewer than {TRADES_MIN} trades prove little"))
    } else {
        (met, format!("{} of {} figures are missed", figures.len() - met, figures.len()))
    };
    Readiness { rules: figures.into_iter().chain(drills).collect(), capital_pct: STAGES[stage], because }
}

fn figures(evidence: &Evidence) -> [Rule; STAGES.len() - 1] {
    let at_least = |name, value: Option<f64>, least: f64, write: fn(f64) -> String| Rule {
        name,
        value: value.map_or_else(|| "-".to_owned(), write),
        wanted: format!("at least {}", write(least)),
        met: value.is_some_and(|value| value >= least),
    };
    let depth = evidence.max_drawdown.map(f64::abs);
    [
        Rule {
            name: "closed trades",
            value: evidence.trades.to_string(),
            wanted: format!("at least {TRADES_MIN}"),
            met: evidence.trades >= TRADES_MIN,
        },
        at_least("win rate", evidence.win_rate, WIN_RATE_MIN, percent),
        at_least("profit factor", evidence.profit_factor, PROFIT_FACTOR_MIN, plain),
        Rule {
            name: "max drawdown",
            value: depth.map_or_else(|| "-".to_owned(), percent),
            wanted: format!("at most {}", percent(DRAWDOWN_MAX)),
            met: depth.is_some_and(|depth| depth <= DRAWDOWN_MAX),
        },
        at_least("Sharpe", evidence.sharpe, SHARPE_MIN, plain),
    ]
}

fn drill_rule(drill: Drill, done: &[Drill]) -> Rule {
    let met = done.contains(&drill);
    let value = if met { "done" } else { "not done" };
    Rule { name: drill.as_str(), value: value.to_owned(), wanted: "done".to_owned(), met }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

fn plain(value: f64) -> String {
    format!("{value:.2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All figures exactly at their limits, all drills done.
    fn just_enough() -> Evidence {
        Evidence {
            trades: 300,
            win_rate: Some(0.6),
            profit_factor: Some(1.5),
            max_drawdown: Some(-0.15),
            sharpe: Some(1.0),
            drills: Drill::ALL.to_vec(),
        }
    }

    /// The evidence in which exactly these of the nine rules are met.
    fn evidence(met: u32) -> Evidence {
        let has = |rule: u32| met & (1 << rule) != 0;
        let full = just_enough();
        Evidence {
            trades: if has(0) { 300 } else { 299 },
            win_rate: full.win_rate.filter(|_| has(1)),
            profit_factor: if has(2) { full.profit_factor } else { Some(1.499) },
            max_drawdown: if has(3) { full.max_drawdown } else { Some(-0.151) },
            sharpe: full.sharpe.filter(|_| has(4)),
            drills: Drill::ALL.into_iter().zip(5..).filter(|(_, rule)| has(*rule)).map(|(drill, _)| drill).collect(),
        }
    }

    #[test]
    fn limits_themselves_are_met() {
        let got = readiness(&just_enough());
        assert!(got.rules.len() == 9 && got.rules.iter().all(|rule| rule.met), "{got:?}");
        assert_eq!(got.capital_pct, 100);
        let drawdown = got.rules.iter().find(|rule| rule.name == "max drawdown").unwrap();
        assert_eq!((drawdown.value.as_str(), drawdown.wanted.as_str()), ("15.00 %", "at most 15.00 %"));
    }

    #[test]
    fn nothing_measured_allows_the_first_stage() {
        let got = readiness(&Evidence::default());
        assert_eq!((got.capital_pct, got.rules.iter().filter(|rule| rule.met).count()), (1, 0));
        assert_eq!(got.because, "4 of 4 drills are missing");
    }

    #[test]
    fn one_more_rule_never_lowers_the_stage() {
        for met in 0..1 << 9 {
            let stage = readiness(&evidence(met)).capital_pct;
            assert!(STAGES.contains(&stage));
            assert_eq!(
                readiness(&evidence(met)).rules.iter().filter(|rule| rule.met).count(),
                met.count_ones() as usize
            );
            for more in 0..9 {
                assert!(readiness(&evidence(met | 1 << more)).capital_pct >= stage, "{met:b} and {more}");
            }
        }
    }

    #[test]
    fn a_missing_drill_or_too_few_trades_cap_the_stage() {
        for drill in 5..9 {
            assert_eq!(readiness(&evidence(0b1_1111_1111 & !(1 << drill))).capital_pct, 1);
        }
        assert_eq!(readiness(&evidence(0b1_1111_1110)).capital_pct, 5);
        assert_eq!(readiness(&evidence(0b1_1110_0001)).capital_pct, 5);
        assert_eq!(readiness(&evidence(0b1_1110_1111)).capital_pct, 50);
        let hostile = Evidence { sharpe: Some(f64::NAN), max_drawdown: Some(f64::NAN), ..just_enough() };
        assert_eq!(readiness(&hostile).capital_pct, 25);
    }
}
