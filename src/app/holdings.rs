//! What stands on a picture of what a book holds? Its risk figures as the views tell them: where the money is, what moves together,
//! what a bad time would cost.

use chrono_tz::Tz;

use crate::chart::{
    self, Allocation, CELLS_MAX, Caption, CorrelationChart, Figure, Part, RiskHeatmap, Size, Tone, Unit,
};
use crate::clock::Timestamp;
use crate::domain::format::{as_of, counted, money, percent, signed, signed_percent};
use crate::domain::{Label, Money, Ratio, RiskFigures, Symbol, SymbolFigures};
use crate::stats::{Exposed, scenario, stress};
use crate::store::{BookRow, Reader};

use super::AppError;
use super::dealt::candidates;
use super::picture::Look;

/// Columns of `stress` whose names can be read on a tall page.
const TALL_COLUMNS: usize = 8;

/// What of it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aspect {
    Allocation,
    Correlation,
    Stress,
}

impl Aspect {
    /// By the word that is typed.
    pub(super) fn of(word: &str) -> Option<Self> {
        [Self::Allocation, Self::Correlation, Self::Stress].into_iter().find(|aspect| aspect.word() == word)
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Allocation => "allocation",
            Self::Correlation => "correlation",
            Self::Stress => "stress",
        }
    }

    /// How many positions it takes.
    const fn least(self) -> usize {
        match self {
            Self::Allocation | Self::Stress => 1,
            Self::Correlation => 2,
        }
    }
}

/// A book with its last risk figures.
pub(super) struct Holdings {
    name: Label,
    currency: String,
    figures: RiskFigures,
    /// Of when the figures are, in words.
    as_of: String,
    simulated: bool,
}

impl Holdings {
    /// Of the named book, else of the first that holds enough to be drawn.
    pub(super) fn of(reader: &Reader, book: Option<Label>, aspect: Aspect, zone: Option<Tz>) -> Result<Self, AppError> {
        let nothing = || AppError::failed("nothing has run yet").with_hint("run the bot first");
        let market = reader.progress()?.ok_or_else(nothing)?.market;
        let rows = reader.books()?;
        let wanted = candidates(&rows, book.as_ref().map(std::slice::from_ref))?;
        let simulated = reader.meta("feed")?.is_some_and(|feed| feed.starts_with("simulated"));
        let mut first = None;
        for row in wanted {
            let found = measured(reader, row)?;
            let Some((at, figures)) = found else { continue };
            let zone = zone.or_else(|| row.zone.parse().ok()).unwrap_or(Tz::UTC);
            let (name, currency) = (row.book.name, row.book.currency.clone());
            let holdings = Self { name, currency, figures, as_of: as_of(at, market, zone), simulated };
            if holdings.figures.symbols.len() >= aspect.least() {
                return Ok(holdings);
            }
            first.get_or_insert(holdings);
        }
        let unmeasured = || {
            AppError::failed("there are no risk figures yet")
                .with_hint("the next cycle of the bot computes them: run it")
        };
        Err(first.ok_or_else(unmeasured)?.too_little(aspect, rows.len() > 1 && book.is_none()))
    }

    fn too_little(&self, aspect: Aspect, of_several: bool) -> AppError {
        let name = if of_several { "no book" } else { self.name.as_str() };
        let what = match (aspect.least(), of_several) {
            (1, false) => "holds nothing to draw",
            (1, true) => "holds anything to draw",
            (_, false) => "holds nothing to compare: two positions are needed",
            (_, true) => "holds two positions to compare",
        };
        AppError::failed(format!("{name} {what} · {}", self.as_of))
            .with_hint("let the bot run on; bellwether command /positions tells what is held")
    }

    /// The picture, and what it shows in words.
    pub(super) fn draw(&self, aspect: Aspect, look: Look) -> (String, String) {
        let held = counted(self.figures.symbols.len() as u64, "position");
        let words = format!("{} of {}, {held} · {}", aspect.word(), self.name, self.as_of);
        let svg = match aspect {
            Aspect::Allocation => chart::allocation(&self.allocation(), look.theme, look.size),
            Aspect::Correlation => chart::correlation(&self.correlation(), look.theme, look.size),
            Aspect::Stress => chart::risk_heatmap(&self.stress(look.size), look.theme, look.size),
        };
        (svg, words)
    }

    fn allocation(&self) -> Allocation {
        let RiskFigures { equity, cash, held, leverage, symbols, .. } = &self.figures;
        let part = |one: &SymbolFigures| Part { name: named(one), value: one.value.to_f64(), cash: false };
        let name = if *cash < Money::ZERO { "Cash, owed" } else { "Cash" };
        let cash = Part { name: name.to_owned(), value: cash.to_f64(), cash: true };
        let figure = |name, amount: Money| {
            Figure::new(name, format!("{} ({})", money(amount), percent(amount.share_of(*equity))), Tone::Plain)
        };
        let mut figures = vec![figure("At work", held.gross())];
        if !held.short.is_zero() {
            figures.extend([figure("Long", held.long), figure("Short", held.short)]);
        }
        figures.push(Figure::new("Leverage", format!("{leverage:.2}x"), Tone::Plain));
        let shorts = if held.short.is_zero() { "" } else { ", shorts below zero" };
        Allocation {
            caption: self.caption("allocation", "at last prices".to_owned(), &format!("shares of equity{shorts}")),
            currency: self.currency.clone(),
            parts: symbols.iter().map(part).chain([cash]).collect(),
            figures,
        }
    }

    fn correlation(&self) -> CorrelationChart {
        let RiskFigures { correlation, limits, symbols, .. } = &self.figures;
        let held = |symbol: &Symbol| symbols.iter().find(|one| one.symbol == *symbol);
        let limit = limits.iter().find(|one| one.key == "correlation_max").map(|one| one.limit);
        let mut figures = Vec::new();
        if let Some((one, other, share)) = correlation.closest {
            let turned = held(&one).map(SymbolFigures::side) != held(&other).map(SymbolFigures::side);
            let turned = if turned { ", sign turned" } else { "" };
            let tone = if limit.is_some_and(|limit| share > limit) { Tone::Bad } else { Tone::Plain };
            figures.push(Figure::new("Most alike", format!("{one} · {other}"), Tone::Plain));
            figures.push(Figure::new("Correlation", format!("{share:.2}{turned}"), tone));
        }
        figures.extend(limit.map(|limit| Figure::new("Limit", format!("{limit:.2}"), Tone::Plain)));
        if correlation.left_out > 0 {
            figures.push(Figure::new("Smaller, left out", correlation.left_out.to_string(), Tone::Plain));
        }
        let unknown = correlation.rows.iter().flatten().any(Option::is_none);
        let unknown = if unknown { "; ? is too little in common" } else { "" };
        let shorts = symbols.iter().any(|one| one.value < Money::ZERO);
        let note = if shorts { "long with short: limit turns the sign" } else { "" };
        let of_row = |row: &Vec<Option<Ratio>>| row.iter().map(|share| share.map(Ratio::to_f64)).collect();
        CorrelationChart {
            caption: self.caption("correlation", format!("{}{unknown}", correlation.basis), note),
            symbols: correlation.symbols.iter().map(|symbol| held(symbol).map_or(symbol.to_string(), named)).collect(),
            values: correlation.rows.iter().map(of_row).collect(),
            figures,
        }
    }

    /// A row a scenario, a column a position and one for all of them; the smallest share one where they are many.
    fn stress(&self, size: Size) -> RiskHeatmap {
        let RiskFigures { equity, stress: reports, symbols, .. } = &self.figures;
        let room = match size {
            Size::Landscape => CELLS_MAX - 1,
            Size::Portrait => TALL_COLUMNS - 1,
        };
        let own = if symbols.len() > room { room - 1 } else { symbols.len() };
        let mut columns: Vec<String> = symbols[..own].iter().map(|one| one.symbol.to_string()).collect();
        if own < symbols.len() {
            columns.push(format!("{} others", symbols.len() - own));
        }
        columns.push("Total".to_owned());
        let exposed: Vec<Exposed<'_>> = symbols.iter().map(Exposed::from).collect();
        let mut map = RiskHeatmap { columns, unit: Unit::Money, total: true, ..RiskHeatmap::default() };
        for report in reports {
            let changes: Vec<f64> = scenario(&report.scenario).map_or_else(Vec::new, |scenario| {
                let shocked = stress(scenario, &exposed, equity.to_f64()).positions;
                shocked.iter().map(|one| one.change).collect()
            });
            let mut cells: Vec<Option<f64>> = (0..own).map(|index| changes.get(index).copied()).collect();
            if own < symbols.len() {
                cells.push(changes.get(own..).map(|others| others.iter().sum()));
            }
            cells.push(Some(report.change.to_f64()));
            map.rows.push(report.scenario.clone());
            map.values.push(cells);
        }
        if let Some(worst) = reports.iter().min_by_key(|report| report.change) {
            let share = worst.share.map(|share| format!(" ({})", signed_percent(share))).unwrap_or_default();
            let value = format!("{}{share}", signed(worst.change));
            map.figures.push(Figure::new("Worst", worst.scenario.clone(), Tone::Plain));
            map.figures.push(Figure::new("It would change by", value, Tone::of(worst.change.to_f64())));
        }
        map.figures.push(Figure::new("Equity", money(*equity), Tone::Plain));
        let shorts: Vec<&str> =
            symbols.iter().filter(|one| one.value < Money::ZERO).map(|one| one.symbol.as_str()).collect();
        let shorts = if shorts.is_empty() { String::new() } else { format!("; short: {}", shorts.join(", ")) };
        let subtitle = format!("what bad times would cost, in {}{shorts}", self.currency);
        map.caption = self.caption("stress", subtitle, "what happened once is no forecast");
        map
    }

    fn caption(&self, badge: &str, subtitle: String, basis: &str) -> Caption {
        let origin = if self.simulated { "simulated" } else { "recorded" };
        let basis = if basis.is_empty() { String::new() } else { format!(" · {basis}") };
        Caption {
            title: self.name.to_string(),
            badge: badge.to_owned(),
            subtitle,
            note: format!("bellwether · paper · {origin}{basis}"),
            stamp: self.as_of.clone(),
            simulated: self.simulated,
        }
    }
}

/// The last risk figures of a book and their time; none if there are none that this version can read.
fn measured(reader: &Reader, row: &BookRow) -> Result<Option<(Timestamp, RiskFigures)>, AppError> {
    let stored = reader.figures(row.book.name)?;
    Ok(stored.and_then(|stored| Some((stored.at, serde_json::from_str(&stored.body).ok()?))))
}

/// A long goes without saying.
fn named(one: &SymbolFigures) -> String {
    if one.value < Money::ZERO { format!("{} short", one.symbol) } else { one.symbol.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AssetClass, Price, Quantity, Sides, StressFigures};

    /// Positions of these values, the largest first.
    fn holdings(values: &[i64]) -> Holdings {
        let one = |(index, value): (usize, &i64)| SymbolFigures {
            symbol: format!("S{index}").parse().unwrap(),
            class: AssetClass::UsEquity,
            sector: String::new(),
            quantity: Quantity::whole(value.signum()),
            price: Price::whole(value.abs()),
            value: Money::whole(*value),
            share: Ratio::ZERO,
            stop: None,
            risk: Money::ZERO,
            beta: None,
            liquidation: None,
        };
        let net: i64 = values.iter().sum();
        let figures = RiskFigures {
            equity: Money::whole(net + 1_000),
            cash: Money::whole(1_000),
            held: values.iter().fold(Sides::default(), |sides, value| sides.with(Money::whole(*value))),
            symbols: values.iter().enumerate().map(one).collect(),
            stress: vec![StressFigures {
                scenario: "2008".to_owned(),
                change: Money::whole(net).times(Ratio::from_percent(-57)).unwrap(),
                share: None,
                worst: None,
            }],
            ..RiskFigures::default()
        };
        let (name, currency) = ("main".parse().unwrap(), "USD".to_owned());
        Holdings { name, currency, figures, as_of: String::new(), simulated: false }
    }

    #[test]
    fn a_short_is_named_counts_below_zero_and_gains_when_prices_fall() {
        let held = holdings(&[500, -300]);
        let parts: Vec<_> = held.allocation().parts.into_iter().map(|part| (part.name, part.value)).collect();
        let want =
            [("S0", 500.0), ("S1 short", -300.0), ("Cash", 1_000.0)].map(|(name, value)| (name.to_owned(), value));
        assert_eq!(parts, want);
        let map = held.stress(Size::Landscape);
        assert_eq!(map.columns, ["S0", "S1", "Total"]);
        assert_eq!(map.caption.subtitle, "what bad times would cost, in USD; short: S1");
        let rounded: Vec<_> = map.values[0].iter().flatten().map(|value| value.round()).collect();
        assert_eq!(rounded, [-285.0, 171.0, -114.0]);
    }

    #[test]
    fn the_smallest_share_a_column_so_that_every_row_adds_up() {
        for (count, size, columns, last) in [
            (12, Size::Landscape, 13, "S11"),
            (13, Size::Landscape, 13, "2 others"),
            (40, Size::Landscape, 13, "29 others"),
            (7, Size::Portrait, 8, "S6"),
            (8, Size::Portrait, 8, "2 others"),
        ] {
            let values: Vec<i64> = (0..count).map(|index| 1_000 - index).collect();
            let map = holdings(&values).stress(size);
            assert_eq!(map.columns.len(), columns, "{count}");
            assert_eq!(map.columns[columns - 2..], [last, "Total"], "{count}");
            let cells: Vec<f64> = map.values[0].iter().flatten().copied().collect();
            let sum: f64 = cells[..columns - 1].iter().sum();
            assert!(cells.len() == columns && (sum - cells[columns - 1]).abs() < 1e-6, "{count}: {sum}");
        }
    }
}
