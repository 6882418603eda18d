//! How are the figures told? One table of words, which terminal, chat and pages share. Of weekly returns it says weeks.

use std::borrow::Cow;

use crate::domain::format::{counted, money, percent, signed, signed_percent};
use crate::domain::{Money, Ratio};

use super::{Performance, WEEKLY_PERIODS};

/// One line of a table of figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub label: Cow<'static, str>,
    /// The figure with its unit; a dash where it is not defined.
    pub text: String,
    /// What it is based on.
    pub basis: Cow<'static, str>,
}

impl Row {
    /// A line in these words.
    pub fn new(label: &'static str, text: String, basis: &'static str) -> Self {
        Self { label: label.into(), text, basis: basis.into() }
    }

    /// The same of weekly returns.
    fn of_weeks(self) -> Self {
        let label = self.label.replace("day", "week").replace("Day", "Week").into();
        Self { label, basis: self.basis.replace("daily", "weekly").replace("day", "week").into(), ..self }
    }
}

/// What stands for a figure that is not defined.
const NONE: &str = "-";
/// Ratios from this size on are written with an exponent.
const PLAIN_MAX: f64 = 1e6;

type Line = (&'static str, fn(&Performance) -> String, &'static str);

/// All rows, in their order.
const LINES: &[Line] = &[
    ("Start equity", |p| money(p.start_equity), "first point of the curve"),
    ("End equity", |p| money(p.end_equity), "last point, open positions at last prices"),
    ("Days", measured_days, "daily returns measured, and how many make a year"),
    ("Total return", |p| change(p.returns.total_return), "end over start, after fees"),
    ("Growth a year (CAGR)", |p| change(p.returns.cagr), "growth ^ (days a year / days)"),
    ("Volatility a year", |p| share(p.returns.annual_volatility), "daily returns, ddof 1"),
    ("Sharpe", |p| ratio(p.returns.sharpe), "daily returns, risk-free rate 0, annualised"),
    ("Sortino", |p| ratio(p.returns.sortino), "daily returns, losses over all days, annualised"),
    ("Calmar", |p| ratio(p.calmar), "CAGR over max drawdown"),
    ("Max drawdown", |p| change(p.max_drawdown), "from the highest equity so far, every point"),
    ("Drawdown lasted", drawdown_length, "from the peak until it was reached again"),
    ("Ulcer index", |p| share(p.ulcer_index), "root mean square of daily drawdowns"),
    ("Best day", |p| change(p.returns.best_day), "daily returns"),
    ("Worst day", |p| change(p.returns.worst_day), "daily returns"),
    ("Winning days", |p| share(p.returns.win_rate_days), "of days with a change"),
    ("Profit factor of days", |p| ratio(p.returns.profit_factor_days), "gains over losses of daily returns"),
    ("Skew", |p| ratio(p.returns.skew), "daily returns, adjusted for sample size"),
    ("Kurtosis", |p| ratio(p.returns.kurtosis), "daily returns, excess over normal"),
    ("Value at risk 95 %", |p| change(p.risk.value_at_risk_95_historical), "historical, one day"),
    ("Value at risk 99 %", |p| change(p.risk.value_at_risk_99_historical), "historical, one day"),
    ("Value at risk 95 %, normal", |p| change(p.risk.value_at_risk_95_parametric), "normal distribution, one day"),
    ("Value at risk 99 %, normal", |p| change(p.risk.value_at_risk_99_parametric), "normal distribution, one day"),
    ("Expected shortfall 95 %", |p| change(p.risk.conditional_value_at_risk_95), "mean of the worst days as they were"),
    ("Expected shortfall 99 %", |p| change(p.risk.conditional_value_at_risk_99), "mean of the worst days as they were"),
    ("Expected shortfall 95 %, normal", |p| change(p.risk.expected_shortfall_95), "normal distribution, one day"),
    ("Expected shortfall 99 %, normal", |p| change(p.risk.expected_shortfall_99), "normal distribution, one day"),
    ("Trades", trades, "closed, from flat to flat"),
    ("Net profit", |p| signed(p.closed.net_profit), "closed trades, after fees"),
    ("Fees", |p| money(p.closed.fees), "closed trades"),
    ("Win rate", |p| share(p.closed.win_rate), "closed trades, after fees"),
    ("Profit factor", |p| ratio(p.closed.profit_factor), "sum of wins over sum of losses, after fees"),
    (
        "Profit factor, equal weights",
        |p| ratio(p.closed.profit_factor_returns),
        "the same of the returns of the trades",
    ),
    ("Expectancy", |p| amount(p.closed.expectancy), "mean profit of a trade, after fees"),
    ("Expectancy in R", |p| ratio(p.closed.expectancy_r), "mean profit over risk to the first stop"),
    ("Average win", |p| amount(p.closed.average_win), "after fees"),
    ("Average loss", |p| amount(p.closed.average_loss), "after fees"),
    ("Payoff ratio", |p| ratio(p.closed.payoff_ratio), "average win over average loss"),
    ("Best trade", |p| amount(p.closed.best_trade), "after fees"),
    ("Worst trade", |p| amount(p.closed.worst_trade), "after fees"),
    ("Longest winning streak", |p| counted(p.closed.longest_winning_streak as u64, "trade"), "in order of closing"),
    ("Longest losing streak", |p| counted(p.closed.longest_losing_streak as u64, "trade"), "in order of closing"),
    ("Average MAE", |p| amount(p.closed.average_adverse_excursion), "lowest unrealised result of a trade"),
    ("Average MFE", |p| amount(p.closed.average_favourable_excursion), "highest unrealised result of a trade"),
    ("Average holding time", |p| days(p.average_days_held), "opening to closing"),
    ("Exposure", |p| share(p.exposure), "share of bars or time with a position"),
    ("Turnover a year", |p| ratio(p.turnover), "bought and sold over mean equity"),
];

impl Performance {
    /// The figures in words, in the order of every table. A figure that is not defined is a dash, never left out.
    pub fn rows(&self) -> Vec<Row> {
        let rows = LINES.iter().map(|(label, text, basis)| Row::new(label, text(self), basis));
        if self.is_weekly() { rows.map(Row::of_weeks).collect() } else { rows.collect() }
    }

    /// True if its returns are those of weeks.
    fn is_weekly(&self) -> bool {
        (self.periods_per_year - WEEKLY_PERIODS).abs() < f64::EPSILON
    }

    /// How many returns make a year, in words: 252, or 290.3 where they were counted.
    pub fn periods_words(&self) -> String {
        ((self.periods_per_year * 10.0).round() / 10.0).to_string()
    }
}

fn measured_days(performance: &Performance) -> String {
    format!("{}, {} a year", performance.returns.days, performance.periods_words())
}

fn trades(performance: &Performance) -> String {
    let closed = &performance.closed;
    format!("{} ({} won, {} lost)", closed.trades, closed.wins, closed.losses)
}

fn drawdown_length(performance: &Performance) -> String {
    let Some(drawdown) = &performance.drawdown else { return NONE.to_owned() };
    let open = if drawdown.recovered_at.is_none() { ", not over" } else { "" };
    format!("{}{open}", days(Some(drawdown.days)))
}

fn days(length: Option<f64>) -> String {
    length.map_or_else(|| NONE.to_owned(), |length| format!("{length:.1} d"))
}

fn amount(amount: Option<Money>) -> String {
    amount.map_or_else(|| NONE.to_owned(), signed)
}

/// A share in percent with its sign, as every table writes it; a dash where it is not defined.
pub fn change(value: Option<f64>) -> String {
    in_percent(value, signed_percent)
}

/// A share in percent.
fn share(value: Option<f64>) -> String {
    in_percent(value, percent)
}

fn in_percent(value: Option<f64>, write: fn(Ratio) -> String) -> String {
    match value {
        None => NONE.to_owned(),
        Some(value) if value.abs() < PLAIN_MAX => Ratio::from_f64(value).map_or_else(|| NONE.to_owned(), write),
        Some(value) => format!("{:.1e} %", value * 100.0),
    }
}

/// A plain figure, as every table writes it; a dash where it is not defined.
pub fn ratio(value: Option<f64>) -> String {
    match value {
        None => NONE.to_owned(),
        Some(value) if value.abs() < PLAIN_MAX => format!("{value:.2}").replace("-0.00", "0.00"),
        Some(value) => format!("{value:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{DAY_MS, Timestamp};
    use crate::stats::PerformanceInput;

    fn rows(equities: &[i64]) -> Vec<Row> {
        let point = |(day, equity): (i64, &i64)| (Timestamp::from_ms(day * DAY_MS), Money::whole(*equity));
        let curve: Vec<_> = (0..).zip(equities).map(point).collect();
        let zone = chrono_tz::Tz::UTC;
        let input = PerformanceInput { curve: &curve, trades: &[], bars: None, periods_per_year: 252.0, zone };
        Performance::measure(&input).unwrap().rows()
    }

    fn text<'a>(rows: &'a [Row], label: &str) -> &'a str {
        &rows.iter().find(|row| row.label == label).unwrap().text
    }

    #[test]
    fn figures_are_told_with_their_units() {
        let told = rows(&[10_000, 11_000, 8_800, 9_680]);
        for (label, want) in [
            ("Start equity", "10,000.00"),
            ("Days", "3, 252 a year"),
            ("Total return", "-3.2 %"),
            ("Max drawdown", "-20.0 %"),
            ("Drawdown lasted", "2.0 d, not over"),
            ("Best day", "+10.0 %"),
            ("Winning days", "66.7 %"),
            ("Profit factor of days", "1.00"),
            ("Profit factor", "-"),
            ("Trades", "0 (0 won, 0 lost)"),
        ] {
            assert_eq!(text(&told, label), want, "{label}");
        }
    }

    #[test]
    fn of_weekly_bars_it_says_weeks() {
        let point = |week: i64| (Timestamp::from_ms(week * 7 * DAY_MS), Money::whole(1_000 + week));
        let curve: Vec<_> = (0..105).map(point).collect();
        let zone = chrono_tz::Tz::UTC;
        let input = PerformanceInput { curve: &curve, trades: &[], bars: None, periods_per_year: 252.0, zone };
        let measured = Performance::measure(&input).unwrap();
        // Two years of weeks: 1,000 became 1,104.
        assert!((measured.returns.cagr.unwrap() - (1.104f64.sqrt() - 1.0)).abs() < 1e-12);
        let told = measured.rows();
        assert_eq!((text(&told, "Weeks"), text(&told, "Best week")), ("104, 52 a year", "+0.1 %"));
        assert!(told.iter().all(|row| ![&row.label, &row.basis].iter().any(|words| words.contains("da"))), "{told:?}");
    }

    #[test]
    fn no_row_is_told_twice_or_as_nan() {
        for equities in [&[][..], &[1], &[1, 1, 1], &[1, 90_000_000_000], &[5, -5, 5], &[0, 0]] {
            let told = rows(equities);
            assert_eq!(told.len(), LINES.len());
            assert!(told.iter().all(|row| !row.text.contains("NaN") && !row.text.contains("inf")), "{told:?}");
        }
        let labels: std::collections::BTreeSet<_> = LINES.iter().map(|(label, ..)| label).collect();
        assert_eq!(labels.len(), LINES.len());
        assert_eq!((ratio(Some(-0.001)), ratio(Some(1e9))), ("0.00".to_owned(), "1.0e9".to_owned()));
    }
}
