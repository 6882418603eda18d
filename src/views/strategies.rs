//! What is each strategy worth? Its closed trades, what it holds, how right its signals were and what its regime allows.

use std::collections::BTreeMap;

use crate::domain::{BY_HAND, EventKind, Label, Ratio, Regime, Trade};
use crate::stats::{TradeFigures, TradeRecord, change, ratio};
use crate::store::{BookRow, JournalRow, SignalsRow};

use super::open::{ViewError, Views};
use super::over_file::changes_of;
use crate::domain::format::{counted, money, percent, signed};

/// The answer to `/strategies [book]`.
///
/// # Errors
/// When there is no such book, nothing has run yet, an amount does not fit or the store cannot be read.
pub fn strategies(views: &Views, book: Option<&str>) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let (signals, regimes) = (views.reader().signals()?, views.reader().last_regimes()?);
    let mut lines = Vec::new();
    for row in scene.books_named(book)? {
        let trades = views.reader().trades_of(row.book.name)?;
        let of_book = |event: &JournalRow| event.event.book == Some(row.book.name);
        let rights = Rights::of(regimes.iter().filter(|event| of_book(event)));
        lines.push(format!("{}: results of closed trades after fees, in {}", row.book.name, row.book.currency));
        lines.extend(rights.line());
        let changes = changes_of(row);
        for (strategy, streak) in all_of(row, &trades, &signals) {
            let own = |trade: &&Trade| trade.strategy == strategy;
            let records: Vec<TradeRecord<'_>> = trades.iter().filter(own).map(TradeRecord::from).collect();
            let figures = TradeFigures::of(&records)?;
            lines.push(format!("{strategy}: {}", figures_words(&figures, &row.book.currency)));
            let of_it = changes.iter().filter(|line| line.row.setting.strategy() == Some(strategy));
            lines.extend(of_it.map(|line| format!("  {}: {} (chat)", line.row.setting.what(), line.now)));
            lines.push(format!("  {} · {}", streak_words(strategy, streak), held_words(row, strategy)));
            let signals = signals.iter().find(|found| found.book == row.book.name && found.strategy == strategy);
            lines.push(format!("  {}", signals.map_or("no signal to enter yet".to_owned(), signals_words)));
            lines.extend(rights.of_strategy(strategy));
        }
    }
    Ok(lines.join("\n"))
}

/// The book's strategies in their order with their streaks, then those that it no longer has and that left something behind.
fn all_of(row: &BookRow, trades: &[Trade], signals: &[SignalsRow]) -> Vec<(Label, Option<i64>)> {
    let mut all: Vec<(Label, Option<i64>)> =
        row.streaks().into_iter().map(|(strategy, streak)| (strategy, Some(streak))).collect();
    let earned = trades.iter().map(|trade| trade.strategy);
    let signalled = signals.iter().filter(|found| found.book == row.book.name).map(|found| found.strategy);
    let holding = row.book.positions.iter().map(|held| held.strategy);
    let mut gone: Vec<Label> = earned.chain(signalled).chain(holding).collect();
    gone.sort_unstable();
    gone.dedup();
    gone.retain(|strategy| all.iter().all(|(known, _)| known != strategy));
    all.extend(gone.into_iter().map(|strategy| (strategy, None)));
    all
}

fn figures_words(figures: &TradeFigures, currency: &str) -> String {
    if figures.trades == 0 {
        return "no closed trade yet".to_owned();
    }
    let rate = figures.win_rate.and_then(Ratio::from_f64).map_or("-".to_owned(), percent);
    format!(
        "{}, {rate} won · net {} {currency} · profit factor {} · {} a trade · fees {}",
        counted(figures.trades as u64, "trade"),
        signed(figures.net_profit),
        ratio(figures.profit_factor),
        figures.expectancy.map_or("-".to_owned(), signed),
        money(figures.fees),
    )
}

fn streak_words(strategy: Label, streak: Option<i64>) -> String {
    match streak {
        None if strategy.as_str() == BY_HAND => "orders by people".to_owned(),
        None => "no longer a strategy of the book".to_owned(),
        Some(0) => "no streak".to_owned(),
        Some(wins) if wins > 0 => format!("streak: {}", counted(wins.unsigned_abs(), "win")),
        Some(-1) => "streak: 1 loss".to_owned(),
        Some(losses) => format!("streak: {} losses", losses.unsigned_abs()),
    }
}

fn held_words(row: &BookRow, strategy: Label) -> String {
    let held: Vec<&str> =
        row.book.positions.iter().filter(|held| held.strategy == strategy).map(|held| held.symbol.as_str()).collect();
    match held.len() {
        0 => "holds nothing".to_owned(),
        count => format!("{}: {}", counted(count as u64, "open position"), held.join(", ")),
    }
}

fn signals_words(row: &SignalsRow) -> String {
    let raised = format!("{} to enter, traded or not", counted(row.raised, "signal"));
    if row.measured == 0 {
        return format!("{raised}; none is measured yet");
    }
    let right = change(Some(row.right as f64 / row.measured as f64));
    format!(
        "{raised} · {} measured 20 bars later: {} right, {} on average in their direction",
        row.measured,
        right.trim_start_matches('+'),
        change(row.mean)
    )
}

/// Which strategies may enter by the regimes that hold now; empty where no selector decides.
struct Rights {
    regimes: BTreeMap<&'static str, usize>,
    may_enter: BTreeMap<Label, usize>,
    symbols: usize,
}

impl Rights {
    fn of<'a>(rows: impl Iterator<Item = &'a JournalRow>) -> Self {
        let mut rights = Self { regimes: BTreeMap::new(), may_enter: BTreeMap::new(), symbols: 0 };
        for row in rows {
            let EventKind::RegimeSwitched { to, strategies, .. } = &row.event.kind else { continue };
            rights.symbols += 1;
            *rights.regimes.entry(Regime::as_str(*to)).or_default() += 1;
            for (strategy, _) in strategies {
                *rights.may_enter.entry(*strategy).or_default() += 1;
            }
        }
        rights
    }

    fn line(&self) -> Option<String> {
        let counts: Vec<String> = self.regimes.iter().map(|(regime, count)| format!("{regime} {count}")).collect();
        (self.symbols > 0).then(|| format!("Regimes of its symbols, as last told: {}", counts.join(", ")))
    }

    fn of_strategy(&self, strategy: Label) -> Option<String> {
        let count = self.may_enter.get(&strategy).copied().unwrap_or(0);
        (self.symbols > 0).then(|| format!("  its regime gives it {count} of {} symbols", self.symbols))
    }
}
