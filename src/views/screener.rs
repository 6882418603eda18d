//! Who came onto the list today, and why not the others? The screener's last run as a table, best first.

use chrono_tz::Tz;
use serde::Deserialize;

use crate::domain::{Label, Manual, Price, Quantity, Ratio, ScreenFilter, ScreenRow, ScreenVerdict, Screening};
use crate::store::BookRow;

use super::books::find;
use super::open::{ViewError, Views};
use crate::domain::format::{counted, grouped, price, signed_percent, time};

/// What of a book's memory is read here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Remembered {
    screening: Option<Screening>,
}

/// The last run of a book's screener; none before that, and without a screener.
pub(super) fn screening_of(row: &BookRow) -> Option<Screening> {
    serde_json::from_str::<Remembered>(&row.memory).unwrap_or_default().screening
}

/// The answer to `/screener [BOOK]`.
///
/// # Errors
/// When there is no such book, no screener has run, or the store cannot be read.
pub fn screener(views: &Views, book: Option<Label>) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let rows: Vec<&BookRow> = match book {
        Some(_) => vec![find(&scene, book)?],
        None => scene.books.iter().collect(),
    };
    let screenings = rows.iter().filter_map(|row| Some((row, screening_of(row)?)));
    let lines: Vec<String> =
        screenings.map(|(row, screening)| screening_words(row.book.name, &screening, views.zone_of(row))).collect();
    if lines.is_empty() {
        let whose = book.map_or_else(String::new, |book| format!(" of {book}"));
        let what =
            format!("no screener{whose} has run; [books.screener] in bellwether.toml narrows a list each trading day");
        return Err(ViewError::Nothing(what));
    }
    Ok(lines.join("\n"))
}

/// A run of a screener, with times in `zone`.
pub fn screening_words(book: Label, screening: &Screening, zone: Tz) -> String {
    let (looked, chosen) = (screening.rows.len(), screening.chosen().len());
    let mut lines = vec![format!(
        "{book} screened {} at {}: {chosen} chosen of at most {}, {} may be entered",
        counted(looked as u64, "symbol"),
        time(screening.at, zone),
        screening.top,
        screening.watched()
    )];
    let unmeasured = screening.unmeasured();
    if unmeasured > 0 {
        lines.push(format!(
            "{} cannot be measured and keep their place: each needs {} days, and the list as many of at least half",
            unmeasured, screening.days_min
        ));
    }
    lines.extend(screening.rows.iter().map(|row| row_words(row, screening.days_min)));
    lines.join("\n")
}

/// Place and symbol, in or out and why, then score and figures.
fn row_words(row: &ScreenRow, days_min: usize) -> String {
    let place = match row.verdict {
        ScreenVerdict::Chosen { place } | ScreenVerdict::Outranked { place } => format!("{place}."),
        _ => "-".to_owned(),
    };
    let inside = if row.watched { "in" } else { "out" };
    let mut parts = vec![format!("{place} {} {inside}{}", row.symbol, why(row, days_min))];
    let mut add = |name: &str, value: Option<String>| parts.extend(value.map(|value| format!("{name} {value}")));
    add("score", row.score.map(points));
    add("price", row.price.map(price));
    add("volume", row.volume.map(volume));
    add("ATR", row.atr.map(range));
    add("strength", row.strength.map(points));
    add("momentum", row.momentum.map(signed_percent));
    parts.push(counted(row.days as u64, "day"));
    parts.join(" · ")
}

/// Why it is in or out, where its place does not say it.
fn why(row: &ScreenRow, days_min: usize) -> String {
    let verdict = match row.verdict {
        ScreenVerdict::Chosen { .. } => String::new(),
        ScreenVerdict::Outranked { .. } => "enough others score higher".to_owned(),
        ScreenVerdict::Failed { filter, value, limit } => {
            let written = |units: Ratio| match filter {
                ScreenFilter::Volume => volume(Quantity::from_units(units.units())),
                ScreenFilter::Price => price(Price::from_units(units.units())),
                ScreenFilter::Atr => range(Price::from_units(units.units())),
                ScreenFilter::Strength => points(units),
            };
            format!("{} {} is not above {}", filter.as_str(), written(value), written(limit))
        }
        ScreenVerdict::Unmeasured if row.days < days_min => format!("{} of {days_min} days known", row.days),
        ScreenVerdict::Unmeasured => "too few others can be measured".to_owned(),
        ScreenVerdict::Stopped => "its prices have stopped".to_owned(),
        ScreenVerdict::Banned => "banned".to_owned(),
    };
    let pinned = if row.manual == Some(Manual::Pinned) { "pinned" } else { "" };
    let reasons: Vec<&str> = [pinned, &verdict].into_iter().filter(|reason| !reason.is_empty()).collect();
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) }
}

fn points(value: Ratio) -> String {
    format!("{value:.1}")
}

fn volume(value: Quantity) -> String {
    grouped(&format!("{value:.0}"))
}

/// An average true range: four decimals, as it is compared with small limits.
fn range(value: Price) -> String {
    format!("{value:.4}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn row(name: &str, verdict: ScreenVerdict, watched: bool) -> ScreenRow {
        ScreenRow {
            symbol: name.parse().expect("symbol"),
            days: 64,
            price: Some(Price::whole(120)),
            volume: Some(Quantity::whole(2_345_678)),
            atr: "3.125".parse().ok(),
            strength: Some(Ratio::whole(96)),
            momentum: "-0.041".parse().ok(),
            score: Some(Ratio::whole(92)),
            verdict,
            manual: None,
            watched,
        }
    }

    fn failed(filter: ScreenFilter, value: &str, limit: &str) -> ScreenRow {
        let (value, limit) = (value.parse().expect("number"), limit.parse().expect("number"));
        row("X", ScreenVerdict::Failed { filter, value, limit }, false)
    }

    #[test]
    fn each_row_says_in_or_out_and_why() {
        let figures =
            "score 92.0 · price 120.00 · volume 2,345,678 · ATR 3.1250 · strength 96.0 · momentum -4.1 % · 64 days";
        let young = ScreenRow { days: 5, ..row("X", ScreenVerdict::Unmeasured, true) };
        let pinned =
            ScreenRow { manual: Some(Manual::Pinned), ..row("X", ScreenVerdict::Outranked { place: 31 }, true) };
        for (row, want) in [
            (row("X", ScreenVerdict::Chosen { place: 1 }, true), "1. X in"),
            (row("X", ScreenVerdict::Outranked { place: 31 }, false), "31. X out (enough others score higher)"),
            (pinned, "31. X in (pinned; enough others score higher)"),
            (failed(ScreenFilter::Volume, "999999.4", "1000000"), "- X out (volume 999,999 is not above 1,000,000)"),
            (failed(ScreenFilter::Price, "9.5", "10"), "- X out (price 9.5000 is not above 10.00)"),
            (failed(ScreenFilter::Atr, "0.98765", "1"), "- X out (ATR 0.9876 is not above 1.0000)"),
            (failed(ScreenFilter::Strength, "50", "50"), "- X out (relative strength 50.0 is not above 50.0)"),
            (row("X", ScreenVerdict::Unmeasured, false), "- X out (too few others can be measured)"),
            (row("X", ScreenVerdict::Stopped, true), "- X in (its prices have stopped)"),
            (row("X", ScreenVerdict::Banned, false), "- X out (banned)"),
        ] {
            assert_eq!(row_words(&row, 21), format!("{want} · {figures}"));
        }
        assert!(row_words(&young, 21).starts_with("- X in (5 of 21 days known) · "));
    }

    #[test]
    fn the_first_lines_say_when_and_how_many() {
        let rows = vec![
            row("A", ScreenVerdict::Chosen { place: 1 }, true),
            row("B", ScreenVerdict::Unmeasured, true),
            row("C", ScreenVerdict::Banned, false),
        ];
        let at = Timestamp::from_ms(1_704_724_260_000);
        let screening = Screening { at, due: at, top: 30, days_min: 21, rows };
        let text = screening_words("main".parse().expect("name"), &screening, chrono_tz::America::New_York);
        let lines: Vec<&str> = text.lines().collect();
        let head = "main screened 3 symbols at 2024-01-08 09:31 EST: 1 chosen of at most 30, 2 may be entered";
        assert_eq!((lines[0], lines.len()), (head, 5));
        assert!(lines[1].starts_with("1 cannot be measured"), "{}", lines[1]);
    }
}
