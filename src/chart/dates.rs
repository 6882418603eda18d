//! Which moments get a label under a picture? The finest kind of boundary whose labels have room, years always told.

use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;

use super::text::Font;
use crate::clock::{DAY_MS, Timestamp};

/// A label of a time axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DateLabel {
    /// The bar or point it belongs to.
    pub(super) index: usize,
    /// What it says.
    pub(super) text: String,
    /// How much it marks: 0 a time, 1 a day, 2 a month, 3 a year.
    pub(super) rank: u8,
}

/// Fewer labels than this are worse than a finer row that was thinned.
const LABELS_MIN: usize = 3;

/// A kind of boundary between two moments.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Minutes(u32),
    /// Every so many days on which there is a bar.
    Days(usize),
    Weeks,
    Months(u32),
    Years(i32),
}

/// Finest first.
const CUTS: [Cut; 22] = [
    Cut::Minutes(1),
    Cut::Minutes(5),
    Cut::Minutes(15),
    Cut::Minutes(30),
    Cut::Minutes(60),
    Cut::Minutes(120),
    Cut::Minutes(180),
    Cut::Minutes(360),
    Cut::Minutes(720),
    Cut::Days(1),
    Cut::Days(2),
    Cut::Days(3),
    Cut::Days(5),
    Cut::Weeks,
    Cut::Months(1),
    Cut::Months(2),
    Cut::Months(3),
    Cut::Months(6),
    Cut::Years(1),
    Cut::Years(2),
    Cut::Years(5),
    Cut::Years(10),
];

impl Cut {
    /// Two moments lie in the same stretch if their keys are equal.
    fn key(self, at: &DateTime<Tz>) -> (i32, i64) {
        let day = i64::from(at.num_days_from_ce());
        match self {
            Self::Minutes(step) => (at.num_days_from_ce(), i64::from((at.hour() * 60 + at.minute()) / step)),
            Self::Days(_) => (0, day),
            Self::Weeks => (0, (day - 1).div_euclid(7)),
            Self::Months(step) => (at.year(), i64::from(at.month0() / step)),
            Self::Years(step) => (at.year().div_euclid(step), 0),
        }
    }

    /// Of its boundaries, every so many are told.
    fn every(self) -> usize {
        if let Self::Days(step) = self { step } else { 1 }
    }
}

/// The labels for `times`, which stand at the places `x`, set in `font` with space between them.
/// Times of days and longer stretches are read as dates; the others in `zone`.
pub(super) fn date_labels(times: &[Timestamp], x: impl Fn(usize) -> f64, zone: Tz, font: Font) -> Vec<DateLabel> {
    let zone = if are_dates(times) { Tz::UTC } else { zone };
    let local: Vec<DateTime<Tz>> = times.iter().map(|time| time.utc().with_timezone(&zone)).collect();
    let Some(last) = local.len().checked_sub(1) else { return Vec::new() };
    let span = x(last) - x(0) + font.size;
    let room = |label: &DateLabel| font.width(&label.text) + 1.4 * font.size;
    let sparse = |cut: &Cut| matches!(cut, Cut::Days(2..)) && zone == Tz::UTC && are_dates(times);
    let place = |label: &DateLabel| (x(label.index), room(label) / 2.0);
    let mut fallback = Vec::new();
    for cut in CUTS.into_iter().filter(|cut| !sparse(cut)) {
        let labels = boundaries(&local, cut);
        let count = labels.len();
        let wide = labels.iter().map(room).sum::<f64>();
        if count == 0 || wide > span {
            continue;
        }
        let kept = without_overlaps(&labels, place);
        // A row with holes looks like a mistake: then a coarser one is better, unless next to nothing is left of it.
        if kept.len() * 20 < count * 17 {
            let every = |step: usize| labels.iter().step_by(step).cloned().collect::<Vec<_>>();
            let thinned = [2, 3].map(every).into_iter().find(|row| without_overlaps(row, place).len() == row.len());
            let row = thinned.unwrap_or(kept);
            if row.len() > fallback.len() {
                fallback = row;
            }
        } else if kept.len() < LABELS_MIN && kept.len() < fallback.len() {
            return fallback;
        } else {
            return kept;
        }
    }
    let only = |index: usize| DateLabel { index, text: full(&local[index], are_dates(times)), rank: 1 };
    without_overlaps(&[only(0), only(last)], place)
}

/// True if every time is a midnight of UTC: bars of days and weeks are labelled by their date.
pub(super) fn are_dates(times: &[Timestamp]) -> bool {
    times.iter().all(|time| time.ms() % DAY_MS == 0)
}

fn full(at: &DateTime<Tz>, date_only: bool) -> String {
    at.format(if date_only { "%-d %b %Y" } else { "%-d %b %H:%M" }).to_string()
}

/// From the first to the last time, as a person writes it: `27 Apr to 23 Oct 2026`.
pub(super) fn stretch(times: &[Timestamp], zone: Tz) -> String {
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return String::new() };
    let dates = are_dates(times);
    let zone = if dates { Tz::UTC } else { zone };
    let (from, to) = (first.utc().with_timezone(&zone), last.utc().with_timezone(&zone));
    if from.date_naive() == to.date_naive() {
        let day = to.format("%-d %b %Y");
        let hours = if dates || first == last {
            String::new()
        } else {
            format!(" {} to {}", from.format("%H:%M"), to.format("%H:%M %Z"))
        };
        return format!("{day}{hours}");
    }
    let from = from.format(if from.year() == to.year() { "%-d %b" } else { "%-d %b %Y" });
    format!("{from} to {}", to.format(if dates { "%-d %b %Y" } else { "%-d %b %Y %Z" }))
}

/// A label at each index that begins a stretch of `cut`; it tells what has changed since the label before.
fn boundaries(local: &[DateTime<Tz>], cut: Cut) -> Vec<DateLabel> {
    let Some(mut before) = local.first() else { return Vec::new() };
    let begins = |pair: &[DateTime<Tz>]| cut.key(&pair[0]) != cut.key(&pair[1]);
    let starts = local.windows(2).enumerate().filter(|(_, pair)| begins(pair)).map(|(index, _)| index + 1);
    let told = starts.enumerate().filter(|(count, _)| count % cut.every() == cut.every() / 2).map(|(_, index)| index);
    let label = |index: usize| {
        let at = &local[index];
        let (rank, format) = if before.year() != at.year() {
            (3, "%Y")
        } else if matches!(cut, Cut::Months(_)) {
            (2, "%b")
        } else if before.date_naive() != at.date_naive() {
            (1, "%-d %b")
        } else {
            (0, "%H:%M")
        };
        before = at;
        DateLabel { index, text: at.format(format).to_string(), rank }
    };
    told.map(label).collect()
}

/// Drops labels that would touch another; those of higher rank stay.
fn without_overlaps(labels: &[DateLabel], place: impl Fn(&DateLabel) -> (f64, f64)) -> Vec<DateLabel> {
    let mut by_rank: Vec<&DateLabel> = labels.iter().collect();
    by_rank.sort_by_key(|label| std::cmp::Reverse(label.rank));
    let mut kept: Vec<&DateLabel> = Vec::new();
    for label in by_rank {
        let (at, half) = place(label);
        let free = kept.iter().all(|other| {
            let (there, their_half) = place(other);
            (at - there).abs() >= half + their_half
        });
        if free {
            kept.push(label);
        }
    }
    kept.sort_by_key(|label| label.index);
    kept.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::text::NORMAL;
    use chrono_tz::America::New_York;

    fn texts(start: &str, step_ms: i64, count: i64, width: f64) -> Vec<String> {
        let start: DateTime<chrono::Utc> = start.parse().unwrap();
        let times: Vec<Timestamp> = (0..count).map(|i| Timestamp::from(start).plus_ms(i * step_ms)).collect();
        let x = |index: usize| index as f64 * width / count as f64;
        date_labels(&times, x, New_York, Font::new(13.0, NORMAL)).into_iter().map(|label| label.text).collect()
    }

    #[test]
    fn days_are_labelled_by_month_and_a_new_year_by_its_number() {
        assert_eq!(texts("2025-10-20T00:00:00Z", DAY_MS, 120, 600.0), ["Nov", "Dec", "2026", "Feb"]);
        assert_eq!(
            texts("2016-05-01T00:00:00Z", DAY_MS, 1_000, 600.0),
            ["Jul", "Oct", "2017", "Apr", "Jul", "Oct", "2018", "Apr", "Jul", "Oct", "2019"][..11].to_vec()
        );
    }

    #[test]
    fn minutes_are_labelled_by_the_clock_of_the_zone() {
        let texts = texts("2026-03-03T14:30:00Z", 300_000, 78, 600.0);
        assert_eq!(texts, ["10:00", "11:00", "12:00", "13:00", "14:00", "15:00"]);
    }

    #[test]
    fn a_midnight_shows_its_day() {
        assert_eq!(texts("2026-03-03T00:00:00-05:00", 3_600_000, 60, 500.0), ["12:00", "4 Mar", "12:00", "5 Mar"]);
    }

    #[test]
    fn uneven_moments_are_labelled_where_there_is_room() {
        // Bursts of eight minutes, four hours apart.
        let start = Timestamp::from("2026-03-03T14:34:00Z".parse::<DateTime<chrono::Utc>>().unwrap());
        let times: Vec<Timestamp> = (0..16).map(|i| start.plus_ms((i / 8 * 240 + i % 8) * 60_000)).collect();
        let labels = date_labels(&times, |index| index as f64 * 50.0, New_York, Font::new(13.0, NORMAL));
        assert!(labels.len() >= LABELS_MIN, "{labels:?}");
    }

    #[test]
    fn one_or_few_bars_are_labelled_too() {
        assert_eq!(texts("2026-03-03T00:00:00Z", DAY_MS, 1, 600.0), ["3 Mar 2026"]);
        assert_eq!(texts("2026-03-03T00:00:00Z", DAY_MS, 0, 600.0), Vec::<String>::new());
        assert_eq!(texts("2026-03-03T14:30:00Z", 60_000, 2, 400.0), ["09:31"]);
    }

    #[test]
    fn labels_never_touch() {
        for step in [60_000, 900_000, 3_600_000, DAY_MS, 7 * DAY_MS] {
            for count in [1i64, 2, 7, 60, 500] {
                let start = Timestamp::from_ms(1_700_000_000_000 / DAY_MS * DAY_MS);
                let times: Vec<Timestamp> = (0..count).map(|i| start.plus_ms(i * step)).collect();
                let (font, x) = (Font::new(20.0, NORMAL), |index: usize| index as f64 * 400.0 / count as f64);
                let labels = date_labels(&times, x, New_York, font);
                assert!(!labels.is_empty());
                for pair in labels.windows(2) {
                    let (a, b) = (&pair[0], &pair[1]);
                    let needed = f64::midpoint(font.width(&a.text), font.width(&b.text));
                    assert!(x(b.index) - x(a.index) >= needed, "{step} {count} {a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn a_stretch_names_the_year_once_where_it_can() {
        let at = |text: &str| Timestamp::from(text.parse::<DateTime<chrono::Utc>>().unwrap());
        let days = [at("2025-12-27T00:00:00Z"), at("2026-10-23T00:00:00Z")];
        assert_eq!(stretch(&days, New_York), "27 Dec 2025 to 23 Oct 2026");
        assert_eq!(stretch(&days[1..], New_York), "23 Oct 2026");
        let hours = [at("2026-03-03T14:30:00Z"), at("2026-03-03T20:30:00Z")];
        assert_eq!(stretch(&hours, New_York), "3 Mar 2026 09:30 to 15:30 EST");
    }
}
