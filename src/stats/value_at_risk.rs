//! How much can a bad day cost? Value at risk and expected shortfall as signed returns: a loss is negative.

use serde::Serialize;

use super::moments::{deviation, finite, mean};

/// How sure one wants to be that the loss is not larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// 95 %: one day in twenty is worse.
    P95,
    /// 99 %: one day in a hundred is worse.
    P99,
}

/// The 0.95 quantile of the standard normal distribution; any table of it, here to the last bit of an `f64`.
const Z_95: f64 = 1.644_853_626_951_472_2;
/// The 0.99 quantile of the standard normal distribution, as above.
const Z_99: f64 = 2.326_347_874_040_840_8;
/// The root of two pi, the divisor of the normal density.
const ROOT_TWO_PI: f64 = 2.506_628_274_631_000_7;

impl Confidence {
    /// The tail that lies beyond, in percent.
    const fn tail_percent(self) -> usize {
        match self {
            Self::P95 => 5,
            Self::P99 => 1,
        }
    }

    const fn z(self) -> f64 {
        match self {
            Self::P95 => Z_95,
            Self::P99 => Z_99,
        }
    }
}

/// Both confidences at once, as a [`Performance`](super::Performance) prints them. Each is a return of one period.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ValueAtRisk {
    /// See [`historical`], 95 %.
    pub value_at_risk_95_historical: Option<f64>,
    /// See [`historical`], 99 %.
    pub value_at_risk_99_historical: Option<f64>,
    /// See [`parametric`], 95 %.
    pub value_at_risk_95_parametric: Option<f64>,
    /// See [`parametric`], 99 %.
    pub value_at_risk_99_parametric: Option<f64>,
    /// See [`expected_shortfall`], 95 %.
    pub expected_shortfall_95: Option<f64>,
    /// See [`expected_shortfall`], 99 %.
    pub expected_shortfall_99: Option<f64>,
    /// See [`conditional`], 95 %.
    pub conditional_value_at_risk_95: Option<f64>,
    /// See [`conditional`], 99 %.
    pub conditional_value_at_risk_99: Option<f64>,
}

impl ValueAtRisk {
    /// Of period returns.
    pub fn of(returns: &[f64]) -> Self {
        use Confidence::{P95, P99};
        Self {
            value_at_risk_95_historical: historical(returns, P95),
            value_at_risk_99_historical: historical(returns, P99),
            value_at_risk_95_parametric: parametric(returns, P95),
            value_at_risk_99_parametric: parametric(returns, P99),
            expected_shortfall_95: expected_shortfall(returns, P95),
            expected_shortfall_99: expected_shortfall(returns, P99),
            conditional_value_at_risk_95: conditional(returns, P95),
            conditional_value_at_risk_99: conditional(returns, P99),
        }
    }
}

/// Historical value at risk: the 5th (or 1st) percentile of the returns, with linear interpolation between the two rows that
/// it lies between. None below two rows.
pub fn historical(returns: &[f64], confidence: Confidence) -> Option<f64> {
    let sorted = sorted(returns)?;
    let place = (sorted.len() - 1) * confidence.tail_percent();
    let (row, rest) = (place / 100, (place % 100) as f64 / 100.0);
    let low = sorted[row];
    let high = sorted.get(row + 1).copied().unwrap_or(low);
    finite(low + (high - low) * rest)
}

/// Parametric value at risk: `mean - z * deviation` of a normal distribution (ddof 1). None below two rows.
pub fn parametric(returns: &[f64], confidence: Confidence) -> Option<f64> {
    finite(mean(returns)? - confidence.z() * deviation(returns)?)
}

/// Expected shortfall of a normal distribution: `mean - deviation * density(z) / tail` (ddof 1), the mean of all returns beyond
/// the parametric value at risk. None below two rows.
pub fn expected_shortfall(returns: &[f64], confidence: Confidence) -> Option<f64> {
    let density = libm::exp(-confidence.z() * confidence.z() / 2.0) / ROOT_TWO_PI;
    let tail = confidence.tail_percent() as f64 / 100.0;
    finite(mean(returns)? - deviation(returns)? * density / tail)
}

/// Conditional value at risk: the mean of the lowest `floor((n - 1) * tail) + 1` returns as they happened. None below two rows.
pub fn conditional(returns: &[f64], confidence: Confidence) -> Option<f64> {
    let sorted = sorted(returns)?;
    let rows = (sorted.len() - 1) * confidence.tail_percent() / 100 + 1;
    mean(&sorted[..rows])
}

fn sorted(returns: &[f64]) -> Option<Vec<f64>> {
    if returns.len() < 2 || !returns.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut sorted = returns.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Some(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::moments::near;

    #[test]
    fn percentiles_worked_by_hand() {
        // 31 rows from -0.15 to +0.15: the 5th percentile lies at row 1.5, the 1st at row 0.3.
        let returns: Vec<f64> = (-15..=15).rev().map(|step| f64::from(step) / 100.0).collect();
        assert!(near(historical(&returns, Confidence::P95), -0.135));
        assert!(near(historical(&returns, Confidence::P99), -0.147));
        assert!(near(conditional(&returns, Confidence::P95), -0.145));
        assert!(near(conditional(&returns, Confidence::P99), -0.15));
        // Mean 0, deviation sqrt(0.248 / 30); a normal density at z of 0.1031356404 and 0.0266521422.
        let deviation = (0.248f64 / 30.0).sqrt();
        assert!(near(parametric(&returns, Confidence::P95), -Z_95 * deviation));
        assert!(near(parametric(&returns, Confidence::P99), -Z_99 * deviation));
        let shortfall = |confidence| expected_shortfall(&returns, confidence).unwrap() / deviation;
        assert!((shortfall(Confidence::P95) + 2.062_712_807).abs() < 1e-8);
        assert!((shortfall(Confidence::P99) + 2.665_214_220).abs() < 1e-8);
    }

    #[test]
    fn a_flat_series_risks_what_it_always_does() {
        let all = ValueAtRisk::of(&[0.01; 7]);
        assert!(near(all.value_at_risk_95_historical, 0.01) && near(all.expected_shortfall_99, 0.01));
    }

    #[test]
    fn too_short_or_no_numbers_is_none() {
        for hostile in [&[][..], &[0.1], &[f64::NAN, 0.1], &[f64::INFINITY, 0.1], &[1e308, -1e308, 1e308, 1e308]] {
            let all = ValueAtRisk::of(hostile);
            assert_eq!((all.value_at_risk_95_parametric, all.expected_shortfall_95), (None, None));
            assert!(all.value_at_risk_95_historical.is_none_or(f64::is_finite));
            assert!(all.conditional_value_at_risk_99.is_none_or(f64::is_finite));
        }
    }
}
