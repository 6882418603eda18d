//! How did it grow, and how bumpy was the way? Growth, volatility and the ratios between them, from returns of equal periods.
//!
//! How many returns make a year: 252 for shares, 365 as soon as a coin is among them. Where the days that have a value say
//! otherwise, they count. Within a tenth of 52 days a year the returns are weekly, and 52 make a year. Over at least
//! 90 days, and more than a tenth away from the usual number, a year has as many as there were a year of 365.25 days.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::domain::AssetClass;

use super::days::day_of;
use super::moments::{FLAT, deviation, finite, kurtosis, mean, skew, variance_of_note};

/// Days a year with prices of shares.
pub const STOCK_PERIODS: f64 = 252.0;
/// Days a year with prices of coins.
pub const CRYPTO_PERIODS: f64 = 365.0;
/// Weeks a year.
pub const WEEKLY_PERIODS: f64 = 52.0;

/// Days of a year on the calendar.
const YEAR_DAYS: f64 = 365.25;
/// How far a number of returns a year may lie from another that stands for it, as a share.
const TOLERANCE: f64 = 0.1;
/// Days below which holidays weigh too much to tell how many returns a year has.
const SPAN_DAYS_MIN: i64 = 90;

/// How many days a year a book on these markets is usually valued: all of them as soon as a coin is among them.
pub fn periods_per_year(classes: impl IntoIterator<Item = AssetClass>) -> f64 {
    let always_open = |class| match class {
        AssetClass::Crypto | AssetClass::Perpetual => true,
        AssetClass::UsEquity => false,
    };
    if classes.into_iter().any(always_open) { CRYPTO_PERIODS } else { STOCK_PERIODS }
}

/// How many returns make a year, by the rule at the head of this module: `usual`, unless the days of these times, which are in
/// order, say otherwise.
pub(super) fn observed_periods(usual: f64, times: impl Iterator<Item = Timestamp>, zone: Tz) -> f64 {
    let mut dates: Vec<NaiveDate> = times.map(|at| day_of(at, zone)).collect();
    dates.dedup();
    let [first, _, .., last] = dates[..] else { return usual };
    let span = (last - first).num_days();
    let observed = (dates.len() - 1) as f64 * YEAR_DAYS / span.max(1) as f64;
    let is_near = |periods: f64| (observed / periods - 1.0).abs() <= TOLERANCE;
    match () {
        () if is_near(WEEKLY_PERIODS) => WEEKLY_PERIODS,
        () if span < SPAN_DAYS_MIN || is_near(usual) => usual,
        () => observed,
    }
}

/// The change from each value to the next as a share of the first of the two; none if such a share does not exist, because a
/// value that is followed by another is zero, negative or no number.
pub fn returns_of(values: &[f64]) -> Option<Vec<f64>> {
    let change = |pair: &[f64]| if pair[0] > 0.0 { finite(pair[1] / pair[0] - 1.0) } else { None };
    values.windows(2).map(change).collect()
}

/// Figures over returns of equal periods. In a [`Performance`](super::Performance) the period is a day on which the curve has
/// a point, which of weekly bars is a week. All shares are fractions.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ReturnFigures {
    /// How many returns there are.
    pub days: usize,
    /// Growth from the first value to the last.
    pub total_return: Option<f64>,
    /// Growth a year: `(last / first) ^ (periods_per_year / days) - 1`.
    pub cagr: Option<f64>,
    /// Standard deviation of the returns (ddof 1) times the root of the periods of a year.
    pub annual_volatility: Option<f64>,
    /// Mean over standard deviation (ddof 1) times the root of the periods of a year. None without variance.
    pub sharpe: Option<f64>,
    /// Mean over downside deviation times the root of the periods of a year. The downside deviation is the root of the mean,
    /// over all rows, of `min(return, 0)^2`. None without a loss.
    pub sortino: Option<f64>,
    /// The largest return.
    pub best_day: Option<f64>,
    /// The smallest return.
    pub worst_day: Option<f64>,
    /// Rising days over days that rose or fell; days without a change count for neither.
    pub win_rate_days: Option<f64>,
    /// Sum of the gains over sum of the losses, of daily returns: also called omega at a threshold of zero. None without a loss.
    pub profit_factor_days: Option<f64>,
    /// Adjusted Fisher-Pearson skewness of the returns.
    pub skew: Option<f64>,
    /// Excess kurtosis of the returns, corrected for the size of the sample; zero for a normal distribution.
    pub kurtosis: Option<f64>,
}

impl ReturnFigures {
    /// From what something was worth at the end of each period, the start included.
    pub fn of_equity(equity: &[f64], periods_per_year: f64) -> Self {
        let growth = match equity {
            [first, .., last] if *first > 0.0 => finite(last / first),
            _ => None,
        };
        let returns = returns_of(equity).unwrap_or_default();
        Self::measure(equity.len().saturating_sub(1), growth, &returns, periods_per_year)
    }

    /// From returns as such.
    pub fn of_returns(returns: &[f64], periods_per_year: f64) -> Self {
        let growth = returns.iter().map(|change| 1.0 + change).product();
        let growth = if returns.is_empty() { None } else { finite(growth) };
        Self::measure(returns.len(), growth, returns, periods_per_year)
    }

    fn measure(days: usize, growth: Option<f64>, returns: &[f64], periods_per_year: f64) -> Self {
        let usable = returns.iter().all(|change| change.is_finite());
        let returns = if usable { returns } else { &[] };
        let per_year = Some(periods_per_year).filter(|periods| periods.is_finite() && *periods > 0.0);
        let annual = per_year.map(f64::sqrt);
        let ratio = |risk: Option<f64>| finite(mean(returns)? / risk? * annual?);
        let gains: f64 = returns.iter().map(|change| change.max(0.0)).sum();
        let losses: f64 = returns.iter().map(|change| change.min(0.0).abs()).sum();
        let (up, down) = (count(returns, |change| change > 0.0), count(returns, |change| change < 0.0));
        Self {
            days,
            total_return: growth.map(|growth| growth - 1.0),
            cagr: growth.zip(per_year).and_then(|(growth, periods)| annual_growth(growth, periods / days as f64)),
            annual_volatility: deviation(returns).zip(annual).and_then(|(one, root)| finite(one * root)),
            sharpe: ratio(variance_of_note(returns)),
            sortino: ratio(downside_deviation(returns)),
            best_day: returns.iter().copied().max_by(f64::total_cmp),
            worst_day: returns.iter().copied().min_by(f64::total_cmp),
            win_rate_days: (up + down > 0).then(|| up as f64 / (up + down) as f64),
            profit_factor_days: if losses > FLAT { finite(gains / losses) } else { None },
            skew: skew(returns),
            kurtosis: kurtosis(returns),
        }
    }
}

fn count(returns: &[f64], which: impl Fn(f64) -> bool) -> usize {
    returns.iter().filter(|change| which(**change)).count()
}

/// Growth to a power, less one. A book that ends in debt has no rate of growth.
fn annual_growth(growth: f64, power: f64) -> Option<f64> {
    if growth < 0.0 { None } else { finite(libm::pow(growth, power) - 1.0) }
}

/// Root of the mean over all rows of the squared losses; none below two rows or where nothing was lost.
fn downside_deviation(returns: &[f64]) -> Option<f64> {
    if returns.len() < 2 {
        return None;
    }
    let squares: f64 = returns.iter().map(|change| change.min(0.0) * change.min(0.0)).sum();
    finite((squares / returns.len() as f64).sqrt()).filter(|deviation| *deviation > FLAT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::moments::near;

    #[test]
    fn figures_worked_by_hand() {
        // 100, 110, 99, 108.9: returns +10 %, -10 %, +10 %; mean 1/30, squared deviations sum to 0.08 / 3.
        let got = ReturnFigures::of_equity(&[100.0, 110.0, 99.0, 108.9], 4.0);
        assert_eq!(got.days, 3);
        assert!(near(got.total_return, 0.089));
        assert!(near(got.cagr, 1.089f64.powf(4.0 / 3.0) - 1.0));
        let deviation = (0.04f64 / 3.0).sqrt();
        assert!(near(got.annual_volatility, 2.0 * deviation));
        assert!(near(got.sharpe, 2.0 / 30.0 / deviation));
        assert!(near(got.sortino, 2.0 / 30.0 / (0.01f64 / 3.0).sqrt()));
        assert!(near(got.best_day, 0.1) && near(got.worst_day, -0.1));
        assert!(near(got.win_rate_days, 2.0 / 3.0) && near(got.profit_factor_days, 2.0));
        let again = ReturnFigures::of_returns(&[0.1, -0.1, 0.1], 4.0);
        assert!(near(again.sharpe, got.sharpe.unwrap()) && near(again.cagr, got.cagr.unwrap()));
    }

    #[test]
    fn what_is_not_defined_is_none() {
        assert_eq!(ReturnFigures::of_equity(&[], 252.0), ReturnFigures::default());
        assert_eq!(ReturnFigures::of_equity(&[100.0], 252.0), ReturnFigures::default());
        let two = ReturnFigures::of_equity(&[100.0, 101.0], 252.0);
        assert!(near(two.total_return, 0.01));
        assert_eq!((two.annual_volatility, two.sharpe, two.sortino, two.profit_factor_days), (None, None, None, None));
        let still = ReturnFigures::of_equity(&[100.0; 9], 252.0);
        assert_eq!((still.sharpe, still.sortino, still.win_rate_days, still.skew), (None, None, None, None));
        assert!(near(still.cagr, 0.0) && near(still.annual_volatility, 0.0));
        let steady: Vec<f64> = (0..50).map(|day| 100.0 * 1.001f64.powi(day)).collect();
        assert_eq!(ReturnFigures::of_equity(&steady, 252.0).sharpe, None);
        for periods in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let got = ReturnFigures::of_equity(&[100.0, 90.0, 95.0], periods);
            assert_eq!((got.cagr, got.annual_volatility, got.sharpe, got.sortino), (None, None, None, None));
        }
    }

    #[test]
    fn ruin_debt_and_huge_numbers_do_no_harm() {
        let ruined = ReturnFigures::of_equity(&[100.0, 50.0, 0.0], 252.0);
        assert!(near(ruined.total_return, -1.0) && near(ruined.cagr, -1.0) && near(ruined.worst_day, -1.0));
        let back = ReturnFigures::of_equity(&[100.0, 0.0, 50.0], 252.0);
        assert!(near(back.total_return, -0.5));
        assert_eq!((back.sharpe, back.worst_day), (None, None));
        let debt = ReturnFigures::of_equity(&[100.0, 50.0, -10.0], 252.0);
        assert!(near(debt.total_return, -1.1));
        assert_eq!(debt.cagr, None);
        assert_eq!(ReturnFigures::of_equity(&[-1.0, 1.0, 2.0], 252.0).best_day, None);
        for hostile in [[1e-300, 1e300, 1e-300], [f64::NAN, 1.0, 2.0], [1.0, f64::INFINITY, 2.0], [-1.0, 1.0, 2.0]] {
            let text = serde_json::to_string(&ReturnFigures::of_equity(&hostile, 252.0)).unwrap();
            assert!(!text.contains("NaN"), "{text}");
            let got = ReturnFigures::of_returns(&hostile, 252.0);
            for figure in [got.total_return, got.cagr, got.sharpe, got.sortino, got.best_day, got.profit_factor_days] {
                assert!(figure.is_none_or(f64::is_finite), "{got:?}");
            }
        }
    }

    #[test]
    fn one_coin_makes_every_day_count() {
        let year = |classes: &[AssetClass]| periods_per_year(classes.iter().copied()) as u32;
        assert_eq!(year(&[AssetClass::UsEquity]), 252);
        assert_eq!(year(&[AssetClass::UsEquity, AssetClass::Crypto]), 365);
    }

    /// Days from Monday, 2024-01-01 on, of which those are valued that `is_valued` says.
    fn periods(usual: f64, days: i64, is_valued: impl Fn(i64) -> bool) -> f64 {
        let at = |day: i64| Timestamp::from_ms(1_704_067_200_000 + day * crate::clock::DAY_MS);
        observed_periods(usual, (0..days).filter(|day| is_valued(*day)).map(at), Tz::UTC)
    }

    #[test]
    fn the_days_that_were_valued_tell_how_many_make_a_year() {
        let is_weekday = |day: i64| day % 7 < 5;
        for days in [1, 5, 40, 3_000] {
            assert!(near(Some(periods(252.0, days, is_weekday)), 252.0), "{days}");
            assert!(near(Some(periods(365.0, days, |_| true)), 365.0), "{days}");
        }
        for days in [19, 60, 3_000] {
            assert!(near(Some(periods(252.0, days, |day| day % 7 == 4)), 52.0), "{days}");
            assert!(near(Some(periods(365.0, days, |day| day % 7 == 0)), 52.0), "{days}");
        }
        // Weekdays alone for half of the time, then every day.
        let mixed = periods(365.0, 2_801, |day| day >= 1_400 || is_weekday(day));
        assert!(near(Some(mixed), 2_400.0 * 365.25 / 2_800.0), "{mixed}");
        // One return is of no use, nor are few with a long weekend among them.
        assert!(near(Some(periods(252.0, 8, |day| day % 7 == 0)), 252.0));
        assert!(near(Some(periods(252.0, 9, |day| [0, 4, 8].contains(&day))), 252.0));
    }
}
