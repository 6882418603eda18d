//! What shape does a series of numbers have? Mean, deviation, skew and kurtosis.

/// A deviation of period returns up to this is rounding, not variance: amounts count in 1e-8, so the returns of a book of a
/// hundred are only known to about 1e-10.
pub(super) const FLAT: f64 = 1e-10;

/// The value, unless it is NaN or infinite.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// The mean; none of an empty series.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() { None } else { finite(values.iter().sum::<f64>() / values.len() as f64) }
}

/// Sum of the deviations from the mean, each to this power.
fn power_sum(values: &[f64], power: i32) -> Option<f64> {
    let mean = mean(values)?;
    finite(values.iter().map(|value| (value - mean).powi(power)).sum())
}

/// Standard deviation of a sample (ddof 1); none below two values.
pub fn deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 { None } else { Some((power_sum(values, 2)? / (values.len() - 1) as f64).sqrt()) }
}

/// Standard deviation, if the series has any worth the name.
pub(super) fn variance_of_note(values: &[f64]) -> Option<f64> {
    deviation(values).filter(|deviation| *deviation > FLAT)
}

/// Adjusted Fisher-Pearson skewness (G1, as in spreadsheets); none below three values or without variance.
pub(super) fn skew(values: &[f64]) -> Option<f64> {
    variance_of_note(values)?;
    if values.len() < 3 {
        return None;
    }
    let n = values.len() as f64;
    let second = power_sum(values, 2)?;
    finite(n * (n - 1.0).sqrt() / (n - 2.0) * power_sum(values, 3)? / (second * second.sqrt()))
}

/// Excess kurtosis with the bias of small samples taken off (G2, as in spreadsheets); none below four values or without
/// variance. Zero for a normal distribution.
pub(super) fn kurtosis(values: &[f64]) -> Option<f64> {
    variance_of_note(values)?;
    if values.len() < 4 {
        return None;
    }
    let n = values.len() as f64;
    let second = power_sum(values, 2)?;
    let raw = n * (n + 1.0) * (n - 1.0) * power_sum(values, 4)? / ((n - 2.0) * (n - 3.0) * second * second);
    finite(raw - 3.0 * (n - 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0)))
}

/// True if both are there and equal to 1e-9 of the wanted one.
#[cfg(test)]
pub(super) fn near(got: Option<f64>, want: f64) -> bool {
    got.is_some_and(|got| (got - want).abs() <= 1e-9 * want.abs().max(1e-3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_worked_by_hand() {
        // Mean 3, squares 4 + 1 + 0 + 1 + 4 = 10.
        assert!(near(mean(&[1.0, 2.0, 3.0, 4.0, 5.0]), 3.0));
        assert!(near(deviation(&[1.0, 2.0, 3.0, 4.0, 5.0]), 2.5f64.sqrt()));
        assert!(near(skew(&[1.0, 2.0, 3.0, 4.0, 5.0]), 0.0));
        // Fourth powers 16 + 1 + 0 + 1 + 16 = 34: 5*6*4*34 / (3*2*100) - 3*16/6 = 6.8 - 8.
        assert!(near(kurtosis(&[1.0, 2.0, 3.0, 4.0, 5.0]), -1.2));
        // Mean 1, deviations -1 -1 2: squares 6, cubes 6. 3*sqrt(2)/1 * 6 / 6^1.5 = sqrt(3).
        assert!(near(skew(&[0.0, 0.0, 3.0]), 3.0f64.sqrt()));
    }

    #[test]
    fn what_is_too_short_flat_or_huge_has_no_moments() {
        assert_eq!((mean(&[]), deviation(&[1.0])), (None, None));
        assert_eq!((skew(&[1.0, 2.0]), kurtosis(&[1.0, 2.0, 3.0])), (None, None));
        // A tenth has no exact form, so the mean of many is not quite a tenth: still no variance.
        let flat = [0.1; 1000];
        assert_eq!((variance_of_note(&flat), skew(&flat), kurtosis(&flat)), (None, None, None));
        for hostile in [[1e200, -1e200, 1e200, 3.0, 1.0], [f64::NAN, 1.0, 2.0, 3.0, 4.0], [f64::INFINITY; 5]] {
            assert_eq!((deviation(&hostile), skew(&hostile), kurtosis(&hostile)), (None, None, None));
        }
    }
}
