//! How far did it fall from its highest, when, and for how long?

use serde::Serialize;

use crate::clock::{DAY_MS, Timestamp};

use super::moments::finite;

/// One fall from a peak until the peak is reached again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Drawdown {
    /// How far it fell, as a share of the peak: -0.56 is 56 %. Below -1 the equity was negative.
    pub depth: f64,
    /// The last time it stood at the peak.
    pub peak_at: Timestamp,
    /// When it was lowest.
    pub trough_at: Timestamp,
    /// When it was back at the peak; none if it has not been yet.
    pub recovered_at: Option<Timestamp>,
    /// Rows of the curve from the peak to the recovery, or to the last row.
    pub periods: usize,
    /// Days of 24 hours from the peak to the recovery, or to the last row.
    pub days: f64,
}

/// The figures of the whole curve.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct DrawdownFigures {
    /// The depth of the deepest fall as a negative share; 0 if it never fell, none below two rows.
    pub max_drawdown: Option<f64>,
    /// Root of the sum of squared depths over the number of returns less one: deep and long falls weigh most.
    pub ulcer_index: Option<f64>,
    /// The deepest fall; none if it never fell.
    pub deepest: Option<Drawdown>,
}

impl DrawdownFigures {
    /// Of a curve in order of time.
    pub fn of(curve: &[(Timestamp, f64)]) -> Self {
        if curve.len() < 2 || !curve.iter().any(|(_, equity)| *equity > 0.0) {
            return Self::default();
        }
        let depths = underwater(&equities(curve));
        let squares: f64 = depths.iter().map(|depth| depth * depth).sum();
        let returns = curve.len() - 1;
        Self {
            max_drawdown: depths.iter().copied().min_by(f64::total_cmp),
            ulcer_index: if returns < 2 { None } else { finite((squares / (returns - 1) as f64).sqrt()) },
            deepest: worst_drawdown(curve),
        }
    }
}

fn equities(curve: &[(Timestamp, f64)]) -> Vec<f64> {
    curve.iter().map(|(_, equity)| *equity).collect()
}

/// How far each row lies below the highest so far, as a share of it: zero or negative. Rows before the first positive one, and
/// rows that are no numbers, count as zero.
pub fn underwater(equity: &[f64]) -> Vec<f64> {
    let mut peak = 0.0f64;
    let depth = |value: &f64| {
        if value.is_finite() {
            peak = peak.max(*value);
        }
        if peak > 0.0 { finite(value / peak - 1.0).unwrap_or(0.0) } else { 0.0 }
    };
    equity.iter().map(depth).collect()
}

/// The deepest fall of a curve in order of time, the first of equals; none if it never fell.
pub fn worst_drawdown(curve: &[(Timestamp, f64)]) -> Option<Drawdown> {
    let depths = underwater(&equities(curve));
    let (trough, depth) = depths.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1))?;
    if depth >= 0.0 {
        return None;
    }
    let peak = depths[..trough].iter().rposition(|depth| *depth >= 0.0)?;
    let recovery = depths[trough..].iter().position(|depth| *depth >= 0.0).map(|rows| trough + rows);
    let end = recovery.unwrap_or(curve.len() - 1);
    Some(Drawdown {
        depth,
        peak_at: curve[peak].0,
        trough_at: curve[trough].0,
        recovered_at: recovery.map(|row| curve[row].0),
        periods: end - peak,
        days: curve[end].0.since(curve[peak].0) as f64 / DAY_MS as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::moments::near;

    /// One row every two days.
    fn curve(values: &[f64]) -> Vec<(Timestamp, f64)> {
        values.iter().zip(0..).map(|(value, row)| (Timestamp::from_ms(row * 2 * DAY_MS), *value)).collect()
    }

    fn row(index: i64) -> Timestamp {
        Timestamp::from_ms(index * 2 * DAY_MS)
    }

    #[test]
    fn a_fall_has_a_peak_a_trough_and_a_recovery() {
        let values = [100.0, 120.0, 120.0, 90.0, 60.0, 110.0, 120.0, 119.0];
        let worst = worst_drawdown(&curve(&values)).unwrap();
        assert!(near(Some(worst.depth), -0.5));
        assert_eq!((worst.peak_at, worst.trough_at, worst.recovered_at), (row(2), row(4), Some(row(6))));
        assert_eq!(worst.periods, 4);
        assert!(near(Some(worst.days), 8.0));
        let depths = underwater(&values);
        assert!(near(Some(depths[3]), -0.25) && near(Some(depths[7]), -1.0 / 120.0) && near(Some(depths[6]), 0.0));
        let figures = DrawdownFigures::of(&curve(&values));
        let squares = 0.0625 + 0.25 + 1.0 / 144.0 + 1.0 / 14400.0;
        assert!(near(figures.max_drawdown, -0.5) && near(figures.ulcer_index, (squares / 6.0f64).sqrt()));
        assert_eq!(figures.deepest, Some(worst));
    }

    #[test]
    fn an_open_fall_lasts_until_the_last_row() {
        let worst = worst_drawdown(&curve(&[100.0, 80.0, 90.0])).unwrap();
        assert_eq!((worst.recovered_at, worst.periods), (None, 2));
    }

    #[test]
    fn nothing_falls_where_nothing_is() {
        assert_eq!(DrawdownFigures::of(&[]), DrawdownFigures::default());
        assert_eq!(DrawdownFigures::of(&curve(&[5.0])), DrawdownFigures::default());
        assert_eq!(DrawdownFigures::of(&curve(&[0.0, 0.0])), DrawdownFigures::default());
        assert_eq!(DrawdownFigures::of(&curve(&[-1.0, -2.0])), DrawdownFigures::default());
        let rising = DrawdownFigures::of(&curve(&[1.0, 2.0, 3.0]));
        assert!(near(rising.max_drawdown, 0.0) && near(rising.ulcer_index, 0.0));
        assert_eq!(rising.deepest, None);
        assert_eq!(worst_drawdown(&curve(&[7.0; 5])), None);
    }

    #[test]
    fn debt_and_hostile_rows_give_finite_depths() {
        assert!(near(DrawdownFigures::of(&curve(&[100.0, -20.0])).max_drawdown, -1.2));
        // The first row is no peak, because nobody can fall from a debt.
        assert!(near(DrawdownFigures::of(&curve(&[-50.0, 100.0, 75.0])).max_drawdown, -0.25));
        for hostile in [[f64::NAN, 1.0, 0.5], [f64::INFINITY, 1.0, 0.5], [1e-308, -1e308, 1.0]] {
            assert!(underwater(&hostile).iter().all(|depth| depth.is_finite() && *depth <= 0.0), "{hostile:?}");
            let _ = worst_drawdown(&curve(&hostile));
        }
    }
}
