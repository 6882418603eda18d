//! What stands on a picture of a book's results? Its equity by day, or by trade while it is young, and the result of each day.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::chart::{self, Caption, EquityChart, Figure, ProfitChart, Tone};
use crate::clock::{DAY_MS, Timestamp};
use crate::domain::format::{counted, grouped, signed, time};
use crate::domain::{Label, Money, Trade};
use crate::stats::TradeFigures;
use crate::store::{BookRow, DayRow, Reader};

use super::AppError;
use super::dealt::candidates;
use super::picture::Look;

/// Equity is drawn by day from this many days on.
const DAYS_MIN: usize = 5;

/// A book with its days and its trades, oldest first.
pub(super) struct Results {
    row: BookRow,
    days: Vec<DayRow>,
    trades: Vec<Trade>,
    /// When they were what they are.
    at: Timestamp,
    zone: Tz,
    simulated: bool,
}

impl Results {
    /// Of the first of these books that has closed a trade, else of the first; of all books where none are named. Days that began after `to` are left out.
    pub(super) fn of(
        reader: &Reader,
        books: Option<&[Label]>,
        to: Option<Timestamp>,
        zone: Option<Tz>,
    ) -> Result<Self, AppError> {
        let nothing = || AppError::failed("nothing has run yet").with_hint("run the bot first");
        let progress = reader.progress()?.ok_or_else(nothing)?;
        let rows = reader.books()?;
        let wanted = candidates(&rows, books)?;
        let mut chosen = (wanted.first().copied().ok_or_else(nothing)?, Vec::new());
        for row in wanted {
            let trades = reader.trades_of(row.book.name, None)?;
            if !trades.is_empty() {
                chosen = (row, trades);
                break;
            }
        }
        let (row, mut trades) = chosen;
        let own = row.zone.parse().unwrap_or(Tz::UTC);
        let day = |at: Timestamp| at.utc().with_timezone(&own).date_naive().to_string();
        let at = to.map_or(progress.market, |to| to.min(progress.market));
        let mut days = reader.days(row.book.name, "")?;
        days.retain(|row| row.day <= day(at));
        trades.retain(|trade| day(trade.closed) <= day(at));
        let simulated = reader.meta("feed")?.is_some_and(|feed| feed.starts_with("simulated"));
        Ok(Self { row: row.clone(), days, trades, at, zone: zone.unwrap_or(own), simulated })
    }

    /// The equity curve, and what it shows in words.
    pub(super) fn equity(&self, look: Look) -> Result<(String, String), AppError> {
        let days = self.days_since_reset();
        let closed: usize = days.iter().map(|day| day.trades as usize).sum();
        let trades = &self.trades[self.trades.len().saturating_sub(closed)..];
        let by_day = days.len() >= DAYS_MIN;
        let (points, basis) = if by_day {
            (points_by_day(days), "by day, open positions at last prices")
        } else {
            let note = "by closed trade, the last point with open positions";
            (points_by_trade(days, trades, self.at), note)
        };
        let stretch = if by_day { counted(days.len() as u64, "day") } else { counted(trades.len() as u64, "trade") };
        let records: Vec<_> = trades.iter().map(Into::into).collect();
        let figures = TradeFigures::of(&records);
        let figures = figures.map_err(|error| AppError::failed(format!("the result cannot be added up: {error}")))?;
        let ratio = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
        let won = figures.win_rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.0} %", rate * 100.0));
        let chart = EquityChart {
            caption: self.caption("equity", stretch.clone(), basis),
            zone: self.zone,
            currency: self.row.book.currency.clone(),
            points,
            benchmark: None,
            figures: vec![
                Figure::new("Trades", grouped(&figures.trades.to_string()), Tone::Plain),
                Figure::new("Won", won, Tone::Plain),
                Figure::new("Profit factor", ratio(figures.profit_factor), Tone::Plain),
            ],
        };
        Ok((chart::equity(&chart, look.theme, look.size), self.words("equity", &stretch)))
    }

    /// The result of each of the last `count` days, and what it shows in words.
    pub(super) fn pnl(&self, count: usize, look: Look) -> (String, String) {
        let days = &self.days[self.days.len().saturating_sub(count)..];
        let mut results: Vec<(&DayRow, Money)> = Vec::new();
        for day in days {
            let result = day.end.minus(day.start).unwrap_or(Money::ZERO);
            match results.last_mut().filter(|(last, _)| last.day == day.day) {
                Some((_, sum)) => *sum = sum.plus(result).unwrap_or(*sum),
                None => results.push((day, result)),
            }
        }
        let figure = |name, result: Money| Figure::new(name, signed(result), Tone::of(result.to_f64()));
        let of_days = || results.iter().map(|(_, result)| *result);
        let mut figures = Vec::new();
        if let (Some(best), Some(worst), 2..) = (of_days().max(), of_days().min(), results.len()) {
            figures.extend([figure("Best day", best), figure("Worst day", worst)]);
        }
        let trades: u64 = days.iter().map(|day| u64::from(day.trades)).sum();
        figures.push(Figure::new("Trades", grouped(&trades.to_string()), Tone::Plain));
        let ends = days.first().zip(days.last()).filter(|(first, last)| first.day != last.day);
        let dates = ends.map_or_else(String::new, |(first, last)| format!("{} to {} · ", first.day, last.day));
        let basis = "after fees, open positions at last prices";
        let chart = ProfitChart {
            caption: self.caption("result by day", format!("{dates}days of {}", self.row.zone), basis),
            currency: self.row.book.currency.clone(),
            periods: results.iter().map(|(day, result)| (name_of(day), result.to_f64())).collect(),
            figures,
        };
        let stretch = counted(results.len() as u64, "day");
        (chart::profit(&chart, look.theme, look.size), self.words("result by day", &stretch))
    }

    /// A book that began anew has a break between two days.
    fn days_since_reset(&self) -> &[DayRow] {
        let breaks = self.days.windows(2).rposition(|pair| pair[0].end != pair[1].start);
        &self.days[breaks.map_or(0, |before| before + 1)..]
    }

    fn caption(&self, badge: &str, subtitle: String, basis: &str) -> Caption {
        let origin = if self.simulated { "simulated" } else { "recorded" };
        Caption {
            title: self.row.book.name.to_string(),
            badge: badge.to_owned(),
            subtitle,
            note: format!("bellwether · paper · {origin} · {basis}"),
            stamp: time(self.at, self.zone),
            simulated: self.simulated,
        }
    }

    fn words(&self, what: &str, stretch: &str) -> String {
        format!("{what} of {}, {stretch} to {}", self.row.book.name, time(self.at, self.zone))
    }
}

fn date_of(day: &DayRow) -> NaiveDate {
    day.day.parse().unwrap_or_default()
}

fn name_of(day: &DayRow) -> String {
    date_of(day).format("%-d %b").to_string()
}

/// Each day is told by its date, so its start stands at the date before.
fn points_by_day(days: &[DayRow]) -> Vec<(Timestamp, f64)> {
    let midnight = |day: &DayRow| Timestamp::from(date_of(day).and_time(chrono::NaiveTime::MIN).and_utc());
    let first = days.first().map(|day| (midnight(day).plus_ms(-DAY_MS), day.start.to_f64()));
    first.into_iter().chain(days.iter().map(|day| (midnight(day), day.end.to_f64()))).collect()
}

fn points_by_trade(days: &[DayRow], trades: &[Trade], at: Timestamp) -> Vec<(Timestamp, f64)> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Vec::new() };
    let begun = trades.first().map_or(at, |trade| trade.opened);
    let mut points = vec![(begun, first.start.to_f64())];
    let mut sum = first.start;
    for trade in trades {
        sum = sum.plus(trade.profit).unwrap_or(sum);
        points.push((trade.closed, sum.to_f64()));
    }
    points.push((at, last.end.to_f64()));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(date: &str, start: i64, end: i64) -> DayRow {
        DayRow {
            book: "main".parse().unwrap(),
            day: date.to_owned(),
            part: 0,
            start: Money::whole(start),
            end: Money::whole(end),
            realised: Money::ZERO,
            fees: Money::ZERO,
            trades: 1,
        }
    }

    #[test]
    fn a_day_ends_at_its_date_and_begins_at_the_one_before() {
        let points = points_by_day(&[day("2024-01-08", 100, 110), day("2024-01-09", 110, 105)]);
        let told: Vec<_> = points.iter().map(|(at, value)| (at.to_string(), *value)).collect();
        assert_eq!(
            told,
            [("2024-01-07", 100.0), ("2024-01-08", 110.0), ("2024-01-09", 105.0)]
                .map(|(date, value)| (format!("{date}T00:00:00Z"), value))
        );
    }
}
