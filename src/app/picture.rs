//! What stands on a picture of a symbol? Candles, what the indicators say, where was dealt and what is held.

use std::fmt::Write as _;

use chrono_tz::Tz;

use crate::chart::{
    self, Band, CandleChart, Caption, Figure, Level, LevelKind, Line, Pane, SheetPane, Size, Theme, Tone,
};
use crate::clock::{DAY_MS, Timestamp};
use crate::domain::format::{counted, price, quantity, signed, signed_percent, time};
use crate::domain::{AssetClass, Bar, Instrument, Price, Quantity, Timeframe};
use crate::indicators::{Bollinger, Ema, Indicator, Macd, Rsi, VolumeSma};

use super::dealt::Dealt;
use super::series::Series;

/// The lengths of a sheet, the most useful first.
pub(super) const SHEET: [Timeframe; 6] =
    [Timeframe::D1, Timeframe::H1, Timeframe::M15, Timeframe::M5, Timeframe::M1, Timeframe::W1];
/// How many of them are drawn.
const SHEET_PANES: usize = 4;
/// Fewer bars than this are not worth a pane.
const SHEET_BARS_MIN: usize = 10;

/// How a picture looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Dark or light.
    pub(super) theme: Theme,
    /// Wide or tall.
    pub(super) size: Size,
}

/// What all pictures of one symbol share.
pub(super) struct Subject<'a> {
    /// The symbol.
    pub(super) instrument: &'a Instrument,
    /// The zone of its times.
    pub(super) zone: Tz,
    /// Where its prices come from, for the foot.
    pub(super) origin: &'static str,
    /// True if its prices are made up.
    pub(super) simulated: bool,
    /// What the ledger tells of it.
    pub(super) dealt: Dealt,
}

/// The candle chart of the last `count` bars, and what it shows in words.
pub(super) fn candles(subject: &Subject, series: &Series, count: usize, look: Look) -> (String, String) {
    let Series { timeframe, bars, .. } = series;
    let drawn = &bars[bars.len().saturating_sub(count)..];
    let dealt = subject.dealt.until(series.at);
    let studies = Studies::of(bars, drawn.len());
    let panes = match look.size {
        Size::Landscape => vec![studies.rsi],
        Size::Portrait => vec![studies.rsi, studies.macd],
    };
    let chart = CandleChart {
        base: base(bars, *timeframe, subject.instrument.class),
        lines: studies.averages,
        band: Some(studies.band),
        volume: Some(studies.volume),
        panes,
        trades: dealt.marks(series),
        levels: levels(&dealt, series.at),
        figures: figures(&dealt),
        ..CandleChart::new(caption(subject, std::slice::from_ref(series)), *timeframe, subject.zone, drawn)
    };
    let from = drawn.first().map_or(series.at, |bar| bar.start);
    let words = format!(
        "{} {timeframe}, {} to {}{}",
        subject.instrument.symbol,
        counted(drawn.len() as u64, "bar"),
        time(series.at, subject.zone),
        dealt.words(from)
    );
    (chart::candles(&chart, look.theme, look.size), words)
}

/// Several lengths side by side, and what it shows in words.
pub(super) fn sheet(subject: &Subject, series: Vec<Series>, look: Look) -> (String, String) {
    let series = side_by_side(series);
    let finest = series.iter().min_by_key(|series| series.timeframe);
    let panes = series.iter().map(|Series { timeframe, bars, .. }| SheetPane {
        timeframe: *timeframe,
        bars,
        lines: Studies::of(bars, bars.len()).averages,
    });
    let mut caption = caption(subject, &series);
    caption.badge = series.iter().map(|series| series.timeframe.as_str()).collect::<Vec<_>>().join(" · ");
    let words = format!("{} {} to {}", caption.title, caption.badge, caption.stamp);
    let sheet = chart::Sheet {
        caption,
        zone: subject.zone,
        base: finest.and_then(|finest| base(&finest.bars, finest.timeframe, subject.instrument.class)),
        panes: panes.collect(),
        figures: figures(&subject.dealt),
    };
    (chart::sheet(&sheet, look.theme, look.size), words)
}

/// Leaves out what ends long before the rest or is hardly anything, and the least useful of what is too many; longest first.
fn side_by_side(mut series: Vec<Series>) -> Vec<Series> {
    let newest = series.iter().map(|series| series.at).max().unwrap_or_default();
    series.retain(|series| !series.is_stale(newest));
    if series.iter().any(|series| series.bars.len() >= SHEET_BARS_MIN) {
        series.retain(|series| series.bars.len() >= SHEET_BARS_MIN);
    }
    series.truncate(SHEET_PANES);
    series.sort_by_key(|series| std::cmp::Reverse(series.timeframe));
    series
}

fn caption(subject: &Subject, series: &[Series]) -> Caption {
    let Instrument { symbol, name, sector, .. } = subject.instrument;
    let known = [name, sector].into_iter().filter(|word| !word.is_empty() && *word != symbol.as_str());
    let mut note = format!("bellwether · {}", subject.origin);
    if let Some(book) = &subject.dealt.book {
        let _ = write!(note, " · book {book}");
    }
    let gathered: Vec<&str> =
        series.iter().filter(|series| series.from.is_some()).map(|series| series.timeframe.as_str()).collect();
    if let Some(from) = series.iter().find_map(|series| series.from) {
        let _ = write!(note, " · {} from {from}", gathered.join(", "));
    }
    if series.iter().any(|series| series.unfinished) {
        note.push_str(", last bar unfinished");
    }
    let at = series.iter().map(|series| series.at).max().unwrap_or_default();
    Caption {
        title: symbol.to_string(),
        badge: String::new(),
        subtitle: known.map(String::as_str).collect::<Vec<_>>().join(" · "),
        note,
        stamp: time(at, subject.zone),
        simulated: subject.simulated,
    }
}

/// What the change in the head is measured from: of a share the close of the session before, of a coin the price a day ago.
fn base(bars: &[Bar], timeframe: Timeframe, class: AssetClass) -> Option<(Price, String)> {
    let last = bars.last()?;
    if timeframe >= Timeframe::D1 {
        return None;
    }
    let (before, name) = match class {
        AssetClass::UsEquity => {
            let day = last.start.utc().date_naive();
            (bars.partition_point(|bar| bar.start.utc().date_naive() < day), "today")
        }
        AssetClass::Crypto | AssetClass::Perpetual => {
            let day_ago = last.start.plus_ms(-DAY_MS);
            (bars.partition_point(|bar| bar.start <= day_ago), "in 24 h")
        }
    };
    Some((bars[before.checked_sub(1)?].close, name.to_owned()))
}

/// What indicators say about the last bars, after they saw all before.
struct Studies {
    averages: Vec<Line>,
    band: Band,
    volume: Line,
    rsi: Pane,
    macd: Pane,
}

impl Studies {
    fn of(bars: &[Bar], drawn: usize) -> Self {
        let skipped = bars.len() - drawn;
        let (mut band, mut macd) = (Bollinger::new(20, 2.0), Macd::new(12, 26, 9));
        let bands = bars.iter().map(|bar| band.update(bar).and(band.bands())).skip(skipped);
        let (upper, lower) = bands.map(|bands| (bands.map(|b| b.upper), bands.map(|b| b.lower))).unzip();
        let macd: Vec<_> = bars.iter().map(|bar| macd.update(bar).and(macd.value())).skip(skipped).collect();
        let of_macd = |name: &str, pick: fn(&crate::indicators::MacdValue) -> Option<f64>| Line {
            name: name.to_owned(),
            values: macd.iter().map(|value| value.as_ref().and_then(pick)).collect(),
        };
        let line = |name: &str, mut indicator: Box<dyn Indicator>| Line {
            name: name.to_owned(),
            values: bars.iter().map(|bar| indicator.update(bar)).skip(skipped).collect(),
        };
        Self {
            averages: vec![line("EMA 20", Box::new(Ema::new(20))), line("EMA 50", Box::new(Ema::new(50)))],
            band: Band { name: "BB 20, 2".to_owned(), upper, lower },
            volume: line("avg 20", Box::new(VolumeSma::new(20))),
            rsi: Pane::Rsi(line("RSI 14", Box::new(Rsi::new(14)))),
            macd: Pane::Macd {
                line: of_macd("MACD 12, 26", |value| Some(value.line)),
                signal: of_macd("signal 9", |value| value.signal),
                histogram: of_macd("hist", |value| value.histogram),
            },
        }
    }
}

/// Entry, stop and target of what is held, since it is held. A trailing stop was elsewhere before: it is drawn from its last move on, or
/// from the end of the picture, `at`, where nothing tells of that. One that moved after the end is left out.
fn levels(dealt: &Dealt, at: Timestamp) -> Vec<Level> {
    let Some(held) = &dealt.held else { return Vec::new() };
    let level = |kind, price| Level { kind, price, since: Some(held.opened) };
    let mut levels = vec![level(LevelKind::Entry, held.average_price())];
    if let Some(protection) = held.protection {
        let since = if protection.trail.is_some() { dealt.stop_since.unwrap_or(at) } else { held.opened };
        if since <= at {
            levels.push(Level { since: Some(since.max(held.opened)), ..level(LevelKind::Stop, protection.stop) });
        }
        levels.extend(protection.target.map(|target| level(LevelKind::Target, target)));
    }
    levels
}

/// The position card.
fn figures(dealt: &Dealt) -> Vec<Figure> {
    let Some(held) = &dealt.held else { return Vec::new() };
    let side = if held.quantity < Quantity::ZERO { "short" } else { "long" };
    let mut figures = vec![Figure::new("Position", format!("{} {side}", quantity(held.quantity.abs())), Tone::Plain)];
    if let Ok(profit) = held.unrealised_at(dealt.price.unwrap_or_else(|| held.average_price())) {
        let share = signed_percent(profit.share_of(held.cost.abs()));
        let value = format!("{} ({share})", signed(profit));
        figures.push(Figure::new("Open P/L", value, Tone::of(profit.to_f64())));
    }
    match held.protection {
        None => figures.push(Figure::new("Stop", "none", Tone::Bad)),
        Some(levels) => {
            let name = if levels.trail.is_some() { "Trailing stop" } else { "Stop" };
            figures.push(Figure::new(name, price(levels.stop), Tone::Bad));
            figures.extend(levels.target.map(|target| Figure::new("Target", price(target), Tone::Good)));
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Money, OrderId, Position, Protection, TradeId};

    /// An hour each, from a Monday of New York at midnight on.
    fn bars(count: i64) -> Vec<Bar> {
        let monday = Timestamp::from(chrono::DateTime::UNIX_EPOCH).plus_ms(4 * DAY_MS);
        let bar = |hour: i64| {
            let price = Price::whole(100 + hour * 37 % 23);
            let start = monday.plus_ms(hour * 3_600_000);
            Bar { start, open: price, high: price, low: price, close: price, volume: Quantity::whole(1 + hour % 7) }
        };
        (0..count).map(bar).collect()
    }

    fn values(studies: &Studies) -> Vec<Vec<Option<f64>>> {
        let mut all: Vec<Vec<Option<f64>>> = studies.averages.iter().map(|line| line.values.clone()).collect();
        all.extend([studies.band.upper.clone(), studies.band.lower.clone(), studies.volume.values.clone()]);
        for pane in [&studies.rsi, &studies.macd] {
            match pane {
                Pane::Rsi(line) => all.push(line.values.clone()),
                Pane::Macd { line, signal, histogram } => {
                    all.extend([line, signal, histogram].map(|line| line.values.clone()));
                }
                Pane::Lines { .. } => {}
            }
        }
        all
    }

    #[test]
    fn indicators_have_seen_the_bars_before_those_that_are_drawn() {
        let bars = bars(300);
        let (whole, part) = (values(&Studies::of(&bars, 300)), values(&Studies::of(&bars, 10)));
        assert_eq!(whole.len(), 9);
        for (whole, part) in whole.iter().zip(&part) {
            assert_eq!(whole[290..], part[..]);
            assert!(part.iter().all(Option::is_some), "{part:?}");
        }
    }

    #[test]
    fn a_trailing_stop_is_drawn_from_its_last_move_on() {
        let (opened, moved, end) = (Timestamp::from_ms(10), Timestamp::from_ms(20), Timestamp::from_ms(30));
        let since = |trail: Option<Price>, stop_since| {
            let protection = Protection { stop: Price::whole(90), target: None, trail, order: OrderId(1) };
            let held = Position {
                trade: TradeId(1),
                symbol: "AAPL".parse().expect("a symbol"),
                strategy: "rsi".parse().expect("a name"),
                quantity: Quantity::whole(1),
                cost: Money::whole(100),
                opened,
                entered: Quantity::whole(1),
                entered_value: Money::whole(100),
                exited_value: Money::ZERO,
                fees: Money::ZERO,
                carried: Money::ZERO,
                best: Price::whole(100),
                worst: Price::whole(100),
                protection: Some(protection),
            };
            let mut dealt = Dealt::default();
            (dealt.held, dealt.stop_since) = (Some(held), stop_since);
            levels(&dealt, end).iter().map(|level| level.since.expect("told").ms()).collect::<Vec<_>>()
        };
        let trail = Some(Price::whole(10));
        assert_eq!(since(trail, Some(moved)), [10, 20]);
        assert_eq!(since(trail, Some(opened)), [10, 10], "it never moved");
        assert_eq!(since(trail, None), [10, 30], "nobody knows since when");
        assert_eq!(since(None, Some(moved)), [10, 10], "it stands still");
        assert_eq!(since(trail, Some(end.plus_ms(1))), [10], "it moved after the picture's end");
    }

    #[test]
    fn a_change_is_measured_from_the_session_before_or_a_day_ago() {
        let (bars, class) = (bars(60), AssetClass::UsEquity);
        let told = |class, timeframe| base(&bars, timeframe, class);
        // The last bar is that of Wednesday at 11:00.
        assert_eq!(told(class, Timeframe::H1), Some((bars[47].close, "today".to_owned())));
        assert_eq!(told(AssetClass::Crypto, Timeframe::H1), Some((bars[35].close, "in 24 h".to_owned())));
        assert_eq!(told(class, Timeframe::D1), None);
        assert_eq!(base(&bars[..20], Timeframe::H1, class), None, "nothing is known of the day before");
    }
}
