//! What moves together? Pearson correlation and beta of streams that are joined by their times.

use serde::Serialize;

use crate::clock::Timestamp;
use crate::domain::Symbol;

use super::moments::{finite, mean, variance_of_note};
use super::returns_of;

/// Below so many common rows a correlation says nothing.
const ROWS_MIN: usize = 10;

/// Correlations of many symbols with each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Matrix {
    /// The symbols, in the order they were given.
    pub symbols: Vec<Symbol>,
    /// One row a symbol, in the same order; symmetric. None where two have too little in common or one stands still.
    pub rows: Vec<Vec<Option<f64>>>,
}

/// The values of two streams at the times both have. Both are in order of time; the last of equal times counts.
pub fn join(left: &[(Timestamp, f64)], right: &[(Timestamp, f64)]) -> (Vec<f64>, Vec<f64>) {
    let mut joined = (Vec::new(), Vec::new());
    let mut other = right.iter().peekable();
    for (index, (at, value)) in left.iter().enumerate() {
        if left.get(index + 1).is_some_and(|next| next.0 == *at) {
            continue;
        }
        let mut met = None;
        while let Some(found) = other.next_if(|found| found.0 <= *at) {
            met = Some(found).filter(|found| found.0 == *at);
        }
        if let Some(found) = met {
            joined.0.push(*value);
            joined.1.push(found.1);
        }
    }
    joined
}

/// The returns of two streams of prices from one common time to the next. Prices are joined first, so that a share's change
/// over a weekend meets a coin's change over the same days. None if a price is not positive.
pub fn joined_returns(left: &[(Timestamp, f64)], right: &[(Timestamp, f64)]) -> Option<(Vec<f64>, Vec<f64>)> {
    let (left, right) = join(left, right);
    returns_of(&left).zip(returns_of(&right))
}

/// Pearson correlation of two aligned series, from -1 to 1. None below ten rows, for different lengths, or if one stands still.
pub fn correlation(left: &[f64], right: &[f64]) -> Option<f64> {
    let together = covariance(left, right)?;
    let apart = variance_of_note(left)? * variance_of_note(right)?;
    Some(finite(together / apart)?.clamp(-1.0, 1.0))
}

/// A series so scaled that the products with another one like it sum up to their correlation: deviations from the mean, in standard
/// deviations, over the root of what the deviation is counted with. None where `correlation` has none.
pub fn scaled_for_correlation(values: &[f64]) -> Option<Vec<f64>> {
    if values.len() < ROWS_MIN {
        return None;
    }
    let mean = mean(values)?;
    let scale = variance_of_note(values)? * ((values.len() - 1) as f64).sqrt();
    Some(values.iter().map(|value| (value - mean) / scale).collect())
}

/// The correlation of two series that were scaled for it, and are of one length.
pub fn correlation_of_scaled(left: &[f64], right: &[f64]) -> f64 {
    // Four sums at once, since each addition waits for the one before.
    let mut sums = [0.0; 4];
    for (left, right) in left.chunks(4).zip(right.chunks(4)) {
        for (sum, (left, right)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum += left * right;
        }
    }
    sums.iter().sum::<f64>().clamp(-1.0, 1.0)
}

/// How far a series moves when its benchmark moves by one: covariance over variance of the benchmark, of aligned returns. None
/// below ten rows, for different lengths, or if the benchmark stands still.
pub fn beta(asset: &[f64], benchmark: &[f64]) -> Option<f64> {
    let spread = variance_of_note(benchmark)?;
    finite(covariance(asset, benchmark)? / (spread * spread))
}

/// The correlations of the returns of these streams of prices, each pair over the times both have.
pub fn matrix(prices: &[(Symbol, Vec<(Timestamp, f64)>)]) -> Matrix {
    let mut rows = vec![vec![None; prices.len()]; prices.len()];
    for (row, (_, left)) in prices.iter().enumerate() {
        for (column, (_, right)) in prices.iter().enumerate().skip(row) {
            let found = joined_returns(left, right).and_then(|(left, right)| correlation(&left, &right));
            rows[row][column] = found;
            rows[column][row] = found;
        }
    }
    Matrix { symbols: prices.iter().map(|(symbol, _)| *symbol).collect(), rows }
}

/// Covariance of a sample (ddof 1).
fn covariance(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.len() != right.len() || left.len() < ROWS_MIN {
        return None;
    }
    let (left_mean, right_mean) = (mean(left)?, mean(right)?);
    let products = left.iter().zip(right).map(|(left, right)| (left - left_mean) * (right - right_mean));
    finite(products.sum::<f64>() / (left.len() - 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::moments::near;

    #[test]
    fn what_was_scaled_once_correlates_the_same() {
        let slope: Vec<f64> = (0..13).map(f64::from).collect();
        let bent: Vec<f64> = slope.iter().map(|x| 3.0 - x * x).collect();
        for (left, right) in [(&slope, &bent), (&slope, &slope), (&bent, &bent)] {
            let scaled = |values: &[f64]| scaled_for_correlation(values).unwrap();
            let want = correlation(left, right).unwrap();
            assert!(near(Some(correlation_of_scaled(&scaled(left), &scaled(right))), want));
        }
        assert_eq!(scaled_for_correlation(&[1.0; 13]), None);
        assert_eq!(scaled_for_correlation(&slope[..9]), None);
    }

    const WAVE: [f64; 10] = [1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 4.0, 3.0, 2.0, 1.0];
    const STEPS: [f64; 10] = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0];

    fn stream(values: &[f64]) -> Vec<(Timestamp, f64)> {
        (0..).zip(values).map(|(at, value)| (Timestamp::from_ms(at), *value)).collect()
    }

    #[test]
    fn correlation_and_beta_worked_by_hand() {
        let line: Vec<f64> = (0..10).map(f64::from).collect();
        let falling: Vec<f64> = line.iter().map(|value| 7.0 - 3.0 * value).collect();
        assert!(near(correlation(&line, &falling), -1.0) && near(beta(&falling, &line), -3.0));
        assert!(near(correlation(&WAVE, &line), 0.0));
        // Deviations of the line times those of the steps sum to 12.5; squares are 82.5 and 2.5.
        assert!(near(correlation(&line, &STEPS), 12.5 / (82.5f64 * 2.5).sqrt()) && near(beta(&line, &STEPS), 5.0));
    }

    #[test]
    fn short_flat_or_broken_series_have_none() {
        let line: Vec<f64> = (0..10).map(f64::from).collect();
        assert_eq!(correlation(&line[..9], &line[..9]), None);
        assert_eq!(correlation(&line, &line[..9]), None);
        assert_eq!((correlation(&line, &[0.1; 10]), beta(&line, &[0.1; 10])), (None, None));
        assert!(near(beta(&[0.1; 10], &line), 0.0));
        assert_eq!(correlation(&line, &[f64::NAN; 10]), None);
        assert_eq!(correlation(&[1e300; 10], &line), None);
        assert_eq!(beta(&[], &[]), None);
    }

    #[test]
    fn streams_meet_where_both_have_a_time() {
        let at = |rows: &[(i64, f64)]| rows.iter().map(|(at, v)| (Timestamp::from_ms(*at), *v)).collect::<Vec<_>>();
        let left = at(&[(1, 1.0), (2, 2.0), (4, 4.0), (4, 5.0), (9, 9.0)]);
        let right = at(&[(0, 0.5), (2, 20.0), (3, 30.0), (4, 40.0), (4, 41.0), (5, 50.0), (9, 90.0)]);
        assert_eq!(join(&left, &right), (vec![2.0, 5.0, 9.0], vec![20.0, 41.0, 90.0]));
        assert_eq!(join(&left, &[]), (vec![], vec![]));
        let (left, right) = joined_returns(&left, &right).unwrap();
        assert!(near(Some(left[0]), 1.5) && near(Some(right[0]), 1.05) && left.len() == 2);
    }

    #[test]
    fn a_matrix_is_symmetric_with_ones_where_something_moves() {
        let symbol = |name: &str| name.parse::<Symbol>().unwrap();
        let prices: Vec<f64> = (0..12).map(|day| 100.0 + f64::from(day * 7 % 5)).collect();
        let inverse: Vec<f64> = prices.iter().map(|price| 1.0 / price).collect();
        let got = matrix(&[
            (symbol("A"), stream(&prices)),
            (symbol("B"), stream(&inverse)),
            (symbol("C"), stream(&[5.0; 12])),
            (symbol("D"), stream(&prices[..4])),
        ]);
        assert!(near(got.rows[0][0], 1.0) && near(got.rows[1][1], 1.0) && got.rows[0][1].unwrap() < -0.99);
        assert_eq!(got.rows[0][1], got.rows[1][0]);
        assert_eq!((got.rows[2][2], got.rows[0][3], got.rows[3][3]), (None, None, None));
        assert_eq!(matrix(&[]).rows.len(), 0);
    }
}
