//! How is a result told to people? As plain tables.

use std::cmp::Reverse;
use std::fmt::Write as _;

use crate::domain::format::money;
use crate::domain::{AmountError, Ratio};
use crate::portfolio::Shortfall;
use crate::stats::{MonteCarlo, Row, change, ratio};

use super::{Report, Score, Step, WalkForward};

impl Report<'_> {
    /// The figures, one a line: name, value, basis. Below them what else was asked for.
    pub fn table(&self) -> String {
        let mut text = lines(&self.rows());
        if !self.desk.refusals.is_empty() {
            let mut refused: Vec<_> = self.desk.refusals.iter().collect();
            refused.sort_by_key(|(check, count)| (Reverse(**count), *check));
            let refused: Vec<String> = refused.iter().map(|(check, count)| format!("{check} {count}")).collect();
            let _ = writeln!(text, "Refused by: {}", refused.join(", "));
        }
        if let Some(benchmark) = &self.benchmark {
            let _ = write!(text, "\n{} bought and held\n{}", benchmark.symbol, lines(&benchmark.figures.rows()));
        }
        if let Some(told) = &self.monte_carlo {
            let _ = write!(text, "\n{}\n{}", shuffled_words(told), lines(&shuffled(told)));
        }
        if let Some(walk) = &self.walk_forward {
            let _ = write!(text, "\n{}", walk.table());
        }
        for check in &self.checks {
            let _ = write!(text, "\n{check}\n");
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        text
    }
}

impl Report<'_> {
    /// What trading cost beyond the prices it was decided at; a dash where that cannot be counted.
    pub(super) fn cost_row(&self) -> Row {
        let told = |sum: Shortfall| {
            let realised = sum.realised()?;
            let [realised_bps, expected_bps] = [sum.in_bps(realised)?, sum.in_bps(sum.expected)?];
            Ok::<_, AmountError>(format!("{} ({realised_bps:.1} bps, {expected_bps:.1} expected)", money(realised)))
        };
        let text = self.cost().and_then(|sum| told(sum).ok()).unwrap_or_else(|| "-".to_owned());
        Row::new("Trading cost", text, "against the price at which each order was decided; Perold 1988")
    }
}

/// Rows with their columns under each other.
fn lines(rows: &[Row]) -> String {
    let wide = |text: fn(&Row) -> &str| rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0);
    let (name, value) = (wide(|row| &row.label), wide(|row| &row.text));
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(text, "{:name$}  {:>value$}  {}", row.label, row.text, row.basis);
    }
    text
}

/// What was done, in words.
pub(super) fn shuffled_words(told: &MonteCarlo) -> String {
    format!("Monte-Carlo: the {} trades in {} random orders, seed {}", told.trades, told.paths, told.seed)
}

/// What came of it, as rows of a table; without the book's drawdown limit where limits are lifted.
pub(super) fn shuffled(told: &MonteCarlo) -> Vec<Row> {
    let row = |label, value: f64, basis| Row::new(label, change(Some(value)), basis);
    let mut rows = vec![
        row("Drawdown, median", told.drawdown_median, "between closed trades; half of the orders fell further"),
        row("Drawdown, 1 in 20", told.drawdown_95, "one order in twenty fell further"),
    ];
    if let Some((limit, chance)) = told.limit.zip(told.chance_beyond) {
        rows.push(row("Drawdown limit", limit, "of the book, at which trading halts"));
        rows.push(row("Chance of exceeding it", chance, "share of the orders"));
    }
    rows
}

/// A set of parameters in words: `fast 10, slow 50`.
pub(super) fn set_words(set: Option<&Vec<(String, Ratio)>>) -> String {
    match set {
        None => "none".to_owned(),
        Some(set) if set.is_empty() => "as given".to_owned(),
        Some(set) => {
            let words: Vec<String> = set.iter().map(|(key, value)| format!("{key} {value}")).collect();
            words.join(", ")
        }
    }
}

impl WalkForward {
    /// What was walked, in words.
    pub(super) fn words(&self) -> String {
        let chosen = if self.sets == 1 {
            "the parameters as given".to_owned()
        } else {
            format!("the best of {} sets with at least {} trades, by Sharpe", self.sets, self.trades_min)
        };
        format!(
            "Walk-forward, {} training and {} test: {chosen}; the figures are those of the tests together",
            self.plan.train, self.plan.test
        )
    }

    /// Training and test of each window, with their return, Sharpe ratio and trades.
    pub(super) const HEADER: [&str; 10] =
        ["train from", "test from", "to", "chosen", "train", "Sharpe", "trades", "test", "Sharpe", "trades"];

    /// The columns that are returns.
    pub(super) const RETURNS: [usize; 2] = [4, 7];

    /// A row a window, in the columns of [`Self::HEADER`].
    pub(super) fn cells(&self) -> Vec<[String; 10]> {
        self.steps.iter().map(cells).collect()
    }

    /// How much of the training's success was left in the tests.
    pub(super) fn rows(&self) -> Vec<Row> {
        let row = |label, value, basis| Row::new(label, ratio(value), basis);
        vec![
            row("Efficiency, return", self.return_efficiency(), "return a day in tests over return a day in training"),
            row("Efficiency, Sharpe", self.sharpe_efficiency(), "mean of the tests over mean of the trainings"),
        ]
    }

    fn table(&self) -> String {
        let (cells, mut text) = (self.cells(), format!("{}\n", self.words()));
        let wide = |column: usize| {
            let longest = cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
            longest.max(Self::HEADER[column].chars().count())
        };
        let widths: [usize; 10] = std::array::from_fn(wide);
        let header = Self::HEADER.map(str::to_owned);
        for row in std::iter::once(&header).chain(&cells) {
            for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
                let _ = if column < 4 { write!(text, "{cell:width$}  ") } else { write!(text, "{cell:>width$}  ") };
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text + &lines(&self.rows())
    }
}

fn cells(step: &Step) -> [String; 10] {
    let date = |at: crate::clock::Timestamp| at.utc().format("%Y-%m-%d").to_string();
    let window = step.window;
    let told = |score: Option<Score>| {
        let trades = score.map_or_else(|| "-".to_owned(), |score| score.trades.to_string());
        [change(score.and_then(|it| it.total_return)), ratio(score.and_then(|it| it.sharpe)), trades]
    };
    let ([train, train_sharpe, train_trades], [test, test_sharpe, test_trades]) =
        (told(step.train), told(Some(step.test)));
    let chosen = set_words(step.chosen.as_ref());
    [
        date(window.train_from),
        date(window.test_from),
        date(window.test_to),
        chosen,
        train,
        train_sharpe,
        train_trades,
        test,
        test_sharpe,
        test_trades,
    ]
}
