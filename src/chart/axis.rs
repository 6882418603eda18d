//! Where does a value stand, which values get a label, and how is it written?

use crate::domain::format::grouped;

/// Values beyond this are left out of every picture.
const LARGEST: f64 = 1e15;

/// `value`, unless it cannot be drawn.
pub(super) fn drawable(value: f64) -> Option<f64> {
    (value.is_finite() && value.abs() <= LARGEST).then_some(value)
}

/// The smallest and the largest of the values that can be drawn.
pub(super) fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter_map(drawable).fold(None, |range, value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

/// The value at `index`, if there is one that can be drawn.
pub(super) fn value_at(values: &[Option<f64>], index: usize) -> Option<f64> {
    values.get(index).copied().flatten().and_then(drawable)
}

/// A straight map from values to heights on the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    top: f64,
    bottom: f64,
}

impl Scale {
    /// `low` stands `below` above `bottom`, `high` stands `above` under `top`. An empty range is widened.
    pub(super) fn new((low, high): (f64, f64), (top, above): (f64, f64), (bottom, below): (f64, f64)) -> Self {
        let (low, high) = (drawable(low).unwrap_or(0.0), drawable(high).unwrap_or(0.0));
        let least = (low.abs().max(high.abs()) * 1e-9).max(1e-12);
        let half = if low.abs() > 0.0 { low.abs() * 0.01 } else { 1.0 };
        let (low, high) = if high - low > least { (low, high) } else { (low - half, high + half) };
        let per_pixel = (high - low) / (bottom - top - above - below).max(1.0);
        Self { low: low - per_pixel * below, high: high + per_pixel * above, top, bottom }
    }

    /// The height of `value`. Values outside the range are held at a page's distance.
    pub(super) fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        let held = if share.is_finite() { share.clamp(-2.0, 3.0) } else { 0.0 };
        self.bottom - held * (self.bottom - self.top)
    }

    /// The height of `value`, held inside the pane.
    pub(super) fn inside(&self, value: f64) -> f64 {
        self.y(value).clamp(self.top, self.bottom)
    }

    /// The value at the bottom.
    pub(super) fn low(&self) -> f64 {
        self.low
    }

    /// True if `value` stands inside the pane.
    pub(super) fn holds(&self, value: f64) -> bool {
        value >= self.low && value <= self.high
    }

    /// Round values at least `gap` pixels apart, upwards, with the decimals that tell them apart.
    pub(super) fn ticks(&self, gap: f64) -> (Vec<f64>, usize) {
        let most = ((self.bottom - self.top) / gap.max(1.0)).max(1.0);
        let step = nice_step((self.high - self.low) / most);
        // A limit that is itself round counts in spite of the last bits of a division.
        let first = (self.low / step - 1e-9).ceil();
        let ticks =
            (0..50).map(|count| (first + f64::from(count)) * step).take_while(|tick| *tick <= self.high + step * 1e-9);
        (ticks.collect(), decimals(step))
    }
}

/// The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `rough`.
fn nice_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.max(1e-12).log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * 0.999_999)
        .unwrap_or(power)
}

/// How many decimals `step` needs, up to ten.
fn decimals(step: f64) -> usize {
    let whole = |count: &i32| {
        let scaled = step * 10f64.powi(*count);
        (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1.0) && scaled.round() >= 1.0
    };
    (0..10).find(whole).unwrap_or(10) as usize
}

/// How many decimals a price of this size needs: those of all texts, and more for what costs less than ten cents.
pub(super) fn price_decimals(price: f64) -> usize {
    match price.abs() {
        size if size >= 10.0 || !size.is_finite() => 2,
        size if size >= 0.1 => 4,
        size if size >= 0.001 => 6,
        _ => 8,
    }
}

/// A number with commas between thousands: `1,234.50`; a short form from a billion on.
pub(super) fn number(value: f64, decimals: usize) -> String {
    if value.abs() >= 1e9 {
        return compact(value);
    }
    let text = grouped(&format!("{value:.decimals$}"));
    let zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    if zero { text.trim_start_matches('-').to_owned() } else { text }
}

/// [`number`] with its sign: `+1.50`, `-0.20`, `0.00`.
pub(super) fn signed(value: f64, decimals: usize) -> String {
    let text = number(value, decimals);
    if value > 0.0 && text.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0') {
        format!("+{text}")
    } else {
        text
    }
}

/// A number in at most six characters and a sign: `950`, `1.2M`, `37.1B`.
pub(super) fn compact(value: f64) -> String {
    let Some(value) = drawable(value) else { return "–".to_owned() };
    // What rounds up to a thousand belongs to the next unit.
    let unit =
        [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")].into_iter().find(|(size, _)| value.abs() >= size * 0.999_5);
    let (scaled, name) = unit.map_or((value, ""), |(size, name)| (value / size, name));
    let decimals = match scaled.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 || (name.is_empty() && (size - size.round()).abs() < 1e-9) => {
            usize::from(!name.is_empty())
        }
        size if size >= 1.0 || !name.is_empty() => 1,
        _ => 3,
    };
    let text = format!("{scaled:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { format!("{text}{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64) -> Vec<String> {
        let (ticks, decimals) = Scale::new((low, high), (0.0, 0.0), (400.0, 0.0)).ticks(60.0);
        ticks.into_iter().map(|tick| number(tick, decimals)).collect()
    }

    #[test]
    fn ticks_are_round_for_the_smallest_and_the_largest_price() {
        assert_eq!(
            labels(0.000_010, 0.000_015),
            ["0.000010", "0.000011", "0.000012", "0.000013", "0.000014", "0.000015"]
        );
        assert_eq!(labels(400_000.0, 500_000.0), ["400,000", "420,000", "440,000", "460,000", "480,000", "500,000"]);
        assert_eq!(labels(-1.0, 1.0), ["-1.0", "-0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(labels(99.1, 99.9), ["99.2", "99.4", "99.6", "99.8"]);
    }

    #[test]
    fn a_flat_range_still_has_a_scale() {
        for price in [0.0, 0.000_01, 100.0, 500_000.0, -3.0] {
            let scale = Scale::new((price, price), (0.0, 20.0), (400.0, 20.0));
            assert!((scale.y(price) - 200.0).abs() < 1.0, "{price}: {}", scale.y(price));
            assert!(scale.ticks(60.0).0.len() >= 2);
        }
        assert!(Scale::new((f64::NAN, f64::INFINITY), (0.0, 0.0), (9.0, 0.0)).y(f64::NAN).is_finite());
    }

    #[test]
    fn room_above_and_below_is_kept_free() {
        let scale = Scale::new((10.0, 20.0), (100.0, 30.0), (400.0, 50.0));
        assert!((scale.y(20.0) - 130.0).abs() < 1e-9 && (scale.y(10.0) - 350.0).abs() < 1e-9);
        assert!(scale.holds(9.0) && !scale.holds(5.0) && (scale.inside(-1e12) - 400.0).abs() < 1e-9);
    }

    #[test]
    fn large_numbers_become_short() {
        for (value, want) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.25, "0.25"),
            (3.0, "3"),
            (950.0, "950"),
            (999.9, "1K"),
            (1_234_567.0, "1.2M"),
            (37_060_000.0, "37.1M"),
            (999_960_000.0, "1B"),
            (-4.1e9, "-4.1B"),
            (2e14, "200T"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(compact(value), want);
        }
    }

    #[test]
    fn signs_are_written_where_there_is_one() {
        assert_eq!(
            (signed(1.5, 2), signed(-0.204, 2), signed(0.004, 2)),
            ("+1.50".into(), "-0.20".into(), "0.00".into())
        );
        assert_eq!(
            (number(-0.001, 2), number(1_234_567.891, 2), number(5e12, 2)),
            ("0.00".into(), "1,234,567.89".into(), "5T".into())
        );
    }
}
