//! What did we earn?

use std::str::FromStr;

use chrono::{Datelike, NaiveDate};

use crate::domain::Money;
use crate::store::{BookRow, DayRow};

use super::open::{ViewError, Views};
use crate::domain::format::{carried, counted, money, signed, signed_percent};

/// Over which stretch; each begins with a day of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// The book's day.
    Day,
    /// Since Monday.
    Week,
    /// Since the first of the month.
    Month,
    /// Since the book began.
    All,
}

impl Period {
    /// All, shortest first.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::All];

    /// As it is typed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::All => "all",
        }
    }

    fn first_day(self, today: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => Some(today),
            Self::Week => today.checked_sub_days(chrono::Days::new(u64::from(today.weekday().num_days_from_monday()))),
            Self::Month => today.with_day(1),
            Self::All => None,
        }
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|period| period.as_str() == text)
            .ok_or_else(|| format!("\"{}\" is no period: use day, week, month or all", text.escape_debug()))
    }
}

/// The answer to `/pnl`.
///
/// # Errors
/// When the store cannot be read or nothing has run yet.
pub fn pnl(views: &Views, period: Period) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let mut lines = Vec::new();
    for row in &scene.books {
        let today = NaiveDate::parse_from_str(&row.day, "%Y-%m-%d").unwrap_or_default();
        let from = period.first_day(today).map_or_else(String::new, |date| date.to_string());
        let days = views.reader().days(row.book.name, &from)?;
        lines.extend(book_lines(row, period, &days));
    }
    Ok(lines.join("\n"))
}

fn book_lines(row: &BookRow, period: Period, days: &[DayRow]) -> Vec<String> {
    let book = &row.book;
    let start = days.first().map_or(row.day_start, |day| day.start);
    let end = days.last().map_or(row.equity, |day| day.end);
    // Day by day, since a book that was reset began anew with other money.
    let results = days.iter().map(|day| day.end.minus(day.start).unwrap_or(Money::ZERO));
    let change = results.fold(Money::ZERO, |sum, result| sum.plus(result).unwrap_or(sum));
    let trades: u32 = days.iter().map(|day| day.trades).sum();
    let since = days.first().map_or(row.day.as_str(), |day| day.day.as_str());
    let words = match period {
        Period::Day => format!("today, {since}"),
        Period::Week | Period::Month => format!("this {}, since {since}", period.as_str()),
        Period::All => format!("since the start, {since}"),
    };
    let basis = "open positions at last prices, after fees";
    let equity = match days.iter().rposition(|day| day.part > 0) {
        None => format!("equity from {} to {}, {basis}", money(start), money(end)),
        Some(anew) => {
            let begun = &days[anew];
            let since = end.minus(begun.start).unwrap_or(Money::ZERO);
            let (day, capital) = (&begun.day, money(begun.start));
            format!("{} of it since the book began anew on {day} with {capital}, {basis}", signed(since))
        }
    };
    let mut lines = vec![format!(
        "{} {} {} ({}) {words}: {equity}",
        book.name,
        signed(change),
        book.currency,
        signed_percent(change.share_of(start)),
    )];
    let unrealised = row.equity.minus(book.cash).and_then(|held| held.minus(book.at_cost()?)).unwrap_or(Money::ZERO);
    lines.push(format!(
        "{} closed · days cut in {} · since the start: realised {} before fees, fees {}, unrealised {}{}",
        counted(u64::from(trades), "trade"),
        row.zone,
        signed(book.realised),
        money(book.fees),
        signed(unrealised),
        carried(book.carried)
    ));
    lines
}
