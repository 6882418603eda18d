//! How is a result shown? One page that stands alone: no script, nothing loaded, dark and light, narrow and wide, and on paper.

use askama::Template;

use crate::clock::Timestamp;
use crate::domain::format::{counted, money, price, quantity, signed};
use crate::domain::{AmountError, Money, Symbol};
use crate::stats::{Group, Grouping, Row, TradeRecord, change, grouped, monthly_returns, ratio};

use super::pictures::{equity_picture, fan_picture, price_picture, side_word};
use super::table::{shuffled, shuffled_words};
use super::{CandleBars, Check, Report, RoundTrip, WalkForward};

/// Trades on one page of the list.
const PAGE_TRADES: usize = 100;
/// Trades that are listed, at most.
const TRADES_MAX: usize = 2_000;
/// Symbols whose prices are drawn, at most.
const CHARTS_MAX: usize = 8;

/// What a number means to its reader.
const GOOD: &str = "good";
const BAD: &str = "bad";

/// A text with its tone.
struct Cell {
    text: String,
    tone: &'static str,
}

/// A large figure at the top.
struct Tile {
    label: &'static str,
    text: String,
    tone: &'static str,
}

/// The windows of a walk.
struct Walked {
    words: String,
    rows: Vec<Vec<Cell>>,
    figures: Vec<Row>,
}

/// A table of groups: what they have in common, then a row each with its name.
type GroupTable = (&'static str, Vec<(String, Vec<Cell>)>);

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: String,
    stretch: String,
    tiles: Vec<Tile>,
    notes: &'a [String],
    checks: &'a [Check],
    facts: Vec<(&'static str, String)>,
    equity: String,
    figures: Vec<Row>,
    benchmark: Option<(String, Vec<Row>)>,
    month_names: [&'static str; 12],
    months: Vec<(i32, Vec<Cell>)>,
    walk: Option<Walked>,
    shuffled: Option<(String, Vec<Row>)>,
    fan: String,
    groups: Vec<GroupTable>,
    charts: Vec<String>,
    uncharted: usize,
    pages: Vec<(String, Vec<Vec<Cell>>)>,
    unlisted: usize,
    foot: String,
}

/// A grouping, its title, and how its keys are told.
type Titled = (Grouping, &'static str, fn(String) -> String);

impl Report<'_> {
    /// The symbols whose prices the page draws: those with the most trades.
    pub fn charted(&self) -> Vec<Symbol> {
        let mut counted = self.traded();
        counted.truncate(CHARTS_MAX);
        counted
    }

    /// The symbols that were traded, those with the most trades first.
    fn traded(&self) -> Vec<Symbol> {
        let mut counts = std::collections::BTreeMap::<Symbol, usize>::new();
        for trip in &self.desk.trips {
            *counts.entry(trip.trade.symbol).or_default() += 1;
        }
        let mut symbols: Vec<(Symbol, usize)> = counts.into_iter().collect();
        symbols.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        symbols.into_iter().map(|(symbol, _)| symbol).collect()
    }

    /// The page, with the prices of the symbols that [`Self::charted`] names.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn page(&self, candles: &[CandleBars]) -> Result<String, AmountError> {
        let trips = self.trips();
        let pages = trips.iter().take(TRADES_MAX).collect::<Vec<_>>();
        let pages = pages.chunks(PAGE_TRADES).enumerate().map(|(number, page)| {
            let first = number * PAGE_TRADES + 1;
            (
                format!("Trades {first} to {} of {}", first + page.len() - 1, trips.len()),
                page.iter().map(|trip| trade(trip)).collect(),
            )
        });
        let page = Page {
            title: format!("Backtest of {}", self.strategy_words()),
            stretch: self.stretch(),
            tiles: self.tiles(),
            notes: &self.notes,
            checks: &self.checks,
            facts: self.facts(),
            equity: equity_picture(self),
            figures: self.rows(),
            benchmark: self.benchmark.as_ref().map(|it| (it.symbol.to_string(), it.figures.rows())),
            month_names: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
            months: self.months(),
            walk: self.walked(),
            shuffled: self.monte_carlo.as_ref().map(|told| (shuffled_words(told), shuffled(told))),
            fan: self.monte_carlo.as_ref().map_or_else(String::new, |told| fan_picture(told, self)),
            groups: self.tables()?,
            charts: candles.iter().map(|shown| self.chart(shown)).collect(),
            uncharted: self.traded().len().saturating_sub(candles.len()),
            pages: pages.collect(),
            unlisted: trips.len().saturating_sub(TRADES_MAX),
            foot: format!(
                "bellwether {}. Invented money; the past says little about the future.",
                env!("CARGO_PKG_VERSION")
            ),
        };
        // Writing into a text fails only where one of its parts does, and these are texts.
        Ok(page.render().unwrap_or_else(|error| error.to_string()))
    }

    fn stretch(&self) -> String {
        let time = |at: Option<Timestamp>| {
            at.map_or_else(|| "-".to_owned(), |at| at.utc().format("%Y-%m-%d %H:%M UTC").to_string())
        };
        format!("{} to {}, {}", time(self.ran.from), time(self.ran.to), counted(self.desk.bars, "bar"))
    }

    fn tiles(&self) -> Vec<Tile> {
        let figures = &self.figures;
        let share = |label, value: Option<f64>| Tile { label, text: change(value), tone: tone(value) };
        let plain = |label, text| Tile { label, text, tone: "" };
        let equity = format!("{} {}", money(self.desk.equity), self.desk.book.currency);
        vec![
            plain("End equity", equity),
            share("Total return", figures.returns.total_return),
            share("Growth a year", figures.returns.cagr),
            plain("Sharpe", ratio(figures.returns.sharpe)),
            share("Max drawdown", figures.max_drawdown),
            plain("Trades", figures.closed.trades.to_string()),
        ]
    }

    fn months(&self) -> Vec<(i32, Vec<Cell>)> {
        let cell = |value: Option<f64>| {
            let text = value.map_or_else(String::new, |value| format!("{:+.1}", value * 100.0));
            let text = if text.ends_with("0.0") && text.len() == 4 { "0.0".to_owned() } else { text };
            Cell { tone: sign(&text), text }
        };
        let years = monthly_returns(&self.desk.curve.points(), self.zone());
        let row =
            |year: crate::stats::YearRow| (year.year, year.months.into_iter().chain([year.total]).map(cell).collect());
        years.into_iter().map(row).collect()
    }

    fn walked(&self) -> Option<Walked> {
        let walk = self.walk_forward.as_ref()?;
        let tinted = |(column, text): (usize, String)| Cell {
            tone: if WalkForward::RETURNS.contains(&column) { sign(&text) } else { "" },
            text,
        };
        let row = |cells: [String; 10]| cells.into_iter().enumerate().map(tinted).collect();
        Some(Walked { words: walk.words(), rows: walk.cells().into_iter().map(row).collect(), figures: walk.rows() })
    }

    fn tables(&self) -> Result<Vec<GroupTable>, AmountError> {
        let trades: Vec<TradeRecord<'_>> = self.desk.trips.iter().map(RoundTrip::record).collect();
        if trades.is_empty() {
            return Ok(Vec::new());
        }
        let titled: [Titled; 4] = [
            (Grouping::Symbol, "Symbol", |key| key),
            (Grouping::Strategy, "Strategy", |key| key),
            (Grouping::ExitReason, "Reason of the exit", |key| key.replace('_', " ")),
            (Grouping::Side, "Side", |key| if key == "sell" { "short".to_owned() } else { "long".to_owned() }),
        ];
        let table = |(grouping, title, words): Titled| {
            let rows = grouped(&trades, grouping, self.zone())?.into_iter().map(group);
            Ok((title, rows.map(|(key, cells)| (words(key), cells)).collect()))
        };
        titled.into_iter().map(table).collect()
    }

    fn chart(&self, shown: &CandleBars) -> String {
        let mut trips: Vec<&RoundTrip> =
            self.desk.trips.iter().filter(|trip| trip.trade.symbol == shown.symbol).collect();
        trips.sort_by_key(|trip| trip.entry_bar);
        price_picture(shown, &trips, self)
    }
}

fn group(Group { key, figures }: Group) -> (String, Vec<Cell>) {
    let plain = |text| Cell { text, tone: "" };
    let profit = |amount: Money| Cell { text: signed(amount), tone: tone(Some(amount.to_f64())) };
    let won = figures.win_rate.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0));
    let cells = vec![
        plain(figures.trades.to_string()),
        plain(won),
        profit(figures.net_profit),
        plain(ratio(figures.profit_factor)),
        figures.expectancy.map_or_else(|| plain("-".to_owned()), profit),
    ];
    (key, cells)
}

fn trade(trip: &RoundTrip) -> Vec<Cell> {
    let trade = &trip.trade;
    let plain = |text: String| Cell { text, tone: "" };
    let time = |at: Timestamp| {
        let at = at.utc();
        let is_midnight = at.time() == chrono::NaiveTime::MIN;
        plain(at.format(if is_midnight { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M" }).to_string())
    };
    vec![
        plain(trade.symbol.to_string()),
        plain(side_word(trade.side).to_owned()),
        time(trip.entry_bar),
        time(trip.exit_bar),
        plain(quantity(trade.quantity)),
        plain(price(trade.entry_price)),
        plain(price(trade.exit_price)),
        plain(money(trade.fees)),
        Cell { text: signed(trade.profit), tone: tone(Some(trade.profit.to_f64())) },
        plain(trade.strategy.to_string()),
        plain(trade.reason.as_str().replace('_', " ")),
    ]
}

/// The tone of a gain or a loss.
fn tone(value: Option<f64>) -> &'static str {
    match value {
        Some(value) if value > 0.0 => GOOD,
        Some(value) if value < 0.0 => BAD,
        _ => "",
    }
}

/// The tone of a gain or a loss as it is written.
fn sign(text: &str) -> &'static str {
    match text.as_bytes() {
        [b'+', ..] => GOOD,
        [b'-', b'0'..=b'9', ..] => BAD,
        _ => "",
    }
}
