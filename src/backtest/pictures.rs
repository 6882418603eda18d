//! How does a result look? The equity, the orders of its trades, and the prices it traded, each for dark and light, wide and tall.

use crate::chart::{
    CandleChart, Caption, EquityChart, FanChart, Figure, Line, Quantile, Size, Theme, Tone, TradeMark, candles, equity,
    fan,
};
use crate::domain::Side;
use crate::domain::format::{counted, signed};
use crate::stats::{Bands, MonteCarlo, TradeFigures, change, ratio};

use super::{CandleBars, Report, RoundTrip};

/// The same picture in each theme and shape as SVG for a page, which shows the one that fits. `name` keeps what one refers to
/// apart from the others.
fn drawn(name: &str, draw: impl Fn(Theme, Size) -> String) -> String {
    let mut all = String::new();
    for (theme, light) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        for (size, shape) in [(Size::Landscape, "wide"), (Size::Portrait, "tall")] {
            let own = format!("{name}-{light}-{shape}-");
            let svg = draw(theme, size);
            let svg = svg.replacen("<svg ", &format!("<svg class=\"{light} {shape}\" "), 1);
            all.push_str(&svg.replace(" id=\"", &format!(" id=\"{own}")).replace("url(#", &format!("url(#{own}")));
        }
    }
    all
}

/// The equity with its drawdown and the benchmark.
pub(super) fn equity_picture(report: &Report<'_>) -> String {
    let points = report.desk.curve.points();
    let benchmark = report.benchmark.as_ref().map(|benchmark| Line {
        name: format!("{} held", benchmark.symbol),
        values: benchmark.at(points.iter().map(|(at, _)| *at)),
    });
    let figures = &report.figures;
    let figure = |label: &str, value: Option<f64>, text: fn(Option<f64>) -> String| {
        Figure::new(label, text(value), Tone::of(value.unwrap_or(0.0)))
    };
    let chart = EquityChart {
        caption: Caption { title: "Equity".to_owned(), ..Caption::default() },
        zone: report.zone(),
        currency: report.desk.book.currency.clone(),
        points: points.iter().map(|(at, equity)| (*at, equity.to_f64())).collect(),
        benchmark,
        figures: vec![
            figure("CAGR", figures.returns.cagr, change),
            figure("Sharpe", figures.returns.sharpe, ratio),
            figure("Max drawdown", figures.max_drawdown, change),
        ],
    };
    drawn("equity", |theme, size| equity(&chart, theme, size))
}

/// The bands of the trades in other orders.
pub(super) fn fan_picture(told: &MonteCarlo, report: &Report<'_>) -> String {
    let start = report.desk.book.capital.to_f64();
    let line = |name: &str, of: fn(&Bands) -> f64| Quantile {
        name: name.to_owned(),
        values: std::iter::once(start).chain(told.bands.iter().map(of)).collect(),
    };
    let chart = FanChart {
        caption: Caption {
            title: "Orders of the trades".to_owned(),
            subtitle: format!("{} orders of {}", told.paths, counted(told.trades as u64, "trade")),
            ..Caption::default()
        },
        steps: "trades".to_owned(),
        quantiles: vec![
            line("5 %", |bands| bands.p05),
            line("25 %", |bands| bands.p25),
            line("50 %", |bands| bands.p50),
            line("75 %", |bands| bands.p75),
            line("95 %", |bands| bands.p95),
        ],
        paths: Vec::new(),
        mark: Some(start),
        figures: vec![
            Figure::new("Drawdown, median", change(Some(told.drawdown_median)), Tone::Bad),
            Figure::new("1 in 20", change(Some(told.drawdown_95)), Tone::Bad),
        ],
    };
    drawn("fan", |theme, size| fan(&chart, theme, size))
}

/// The prices of a symbol with its trades and their first stops.
pub(super) fn price_picture(shown: &CandleBars, trips: &[&RoundTrip], report: &Report<'_>) -> String {
    let mark = |trip: &&RoundTrip| TradeMark {
        side: trip.trade.side,
        // Both prices of a trade are told in shares as they were when it was left.
        entry: (trip.entry_bar, shown.in_last_shares(trip.exit_bar, trip.trade.entry_price)),
        exit: Some((trip.exit_bar, shown.in_last_shares(trip.exit_bar, trip.trade.exit_price))),
    };
    let records: Vec<_> = trips.iter().map(|trip| trip.record()).collect();
    let badge = if shown.each == 1 { String::new() } else { format!("{} x {}", shown.each, shown.timeframe) };
    let note = if shown.was_split() { "Prices before a split are told in the new shares." } else { "" };
    let caption = Caption { title: shown.symbol.to_string(), badge, note: note.to_owned(), ..Caption::default() };
    let mut chart = CandleChart::new(caption, shown.timeframe, report.zone(), &shown.bars);
    chart.base = shown.bars.first().map(|bar| (bar.open, "in all".to_owned()));
    chart.trades = trips.iter().map(mark).collect();
    let stops = stops(shown, trips);
    if stops.values.iter().any(Option::is_some) {
        chart.lines.push(stops);
    }
    if let Ok(figures) = TradeFigures::of(&records) {
        let profit = figures.net_profit;
        chart.figures = vec![
            Figure::new("Trades", figures.trades.to_string(), Tone::Plain),
            Figure::new("Net profit", signed(profit), Tone::of(profit.to_f64())),
        ];
    }
    drawn(&format!("price-{}", shown.symbol), |theme, size| candles(&chart, theme, size))
}

/// Where the first stop of each trade lay while it was open.
fn stops(shown: &CandleBars, trips: &[&RoundTrip]) -> Line {
    let mut values = vec![None; shown.bars.len()];
    let place = |at| shown.bars.partition_point(|bar| bar.start <= at).saturating_sub(1);
    for trip in trips {
        let Some(stop) = trip.stop.map(|stop| shown.in_last_shares(trip.entry_bar, stop)) else { continue };
        let (first, last) = (place(trip.entry_bar), place(trip.exit_bar));
        for value in values.iter_mut().take(last + 1).skip(first) {
            *value = Some(stop.to_f64());
        }
    }
    Line { name: "First stop".to_owned(), values }
}

/// The side of a trade in words.
pub(super) const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "long",
        Side::Sell => "short",
    }
}
