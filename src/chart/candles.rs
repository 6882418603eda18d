//! What did a symbol do, what do the indicators say, where did we trade? The main chart.

use chrono_tz::Tz;

use super::axis::{number, price_decimals, signed};
use super::dates::{date_labels, stretch};
use super::frame::{Caption, Figure, Headline, Tone, frame, nothing};
use super::pane::Slots;
use super::price::{Candle, Shown, price_pane};
use super::studies::{Pane, Study, volume_pane};
use super::svg::{Canvas, Rect};
use super::text::{Font, NORMAL};
use super::theme::{Size, Theme};
use crate::clock::Timestamp;
use crate::domain::format::signed_percent;
use crate::domain::{Bar, Price, Side, Timeframe};

/// At most this many bars are drawn: the last ones.
pub const BARS_MAX: usize = 600;
/// At most this many panes are drawn below the volume: the first ones.
pub const PANES_MAX: usize = 4;

/// A line over the candles or in a pane: one value for each bar, none where it is not known yet.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// Its name in the legend: `EMA 20`.
    pub name: String,
    /// In the order of the bars.
    pub values: Vec<Option<f64>>,
}

/// A filled band over the candles, such as Bollinger's.
#[derive(Debug, Clone, Default)]
pub struct Band {
    /// Its name in the legend: `BB 20, 2`.
    pub name: String,
    /// The upper edge, in the order of the bars.
    pub upper: Vec<Option<f64>>,
    /// The lower edge, in the order of the bars.
    pub lower: Vec<Option<f64>>,
}

/// A trade to mark: a flag at its entry, a shaded region, and a flag at its exit once it has ended.
#[derive(Debug, Clone, Copy)]
pub struct TradeMark {
    /// The side of the entry.
    pub side: Side,
    /// When it was entered, and at what price.
    pub entry: (Timestamp, Price),
    /// When it was left, and at what price.
    pub exit: Option<(Timestamp, Price)>,
}

/// What a level means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelKind {
    /// The average price of entering.
    Entry,
    /// Where a loss ends.
    Stop,
    /// Where a profit is taken.
    Target,
}

/// A price in force: a dotted line and a tag on the axis.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    /// What it means.
    pub kind: LevelKind,
    /// Where it stands.
    pub price: Price,
    /// Since when; none draws the line over the whole width.
    pub since: Option<Timestamp>,
}

/// What the main chart shows. `bars` in the order of time; the values of lines and panes belong to the bars by their index.
#[derive(Debug, Clone)]
pub struct CandleChart<'a> {
    /// The words around it. The stretch of time is added to the subtitle.
    pub caption: Caption,
    /// The length of a bar, shown as the badge where the caption has none.
    pub timeframe: Timeframe,
    /// For the labels of bars shorter than a day.
    pub zone: Tz,
    /// The bars.
    pub bars: &'a [Bar],
    /// What the change in the head is measured from, and its name (`today`); without it, the close of the bar before,
    /// named by the timeframe where that is not a day.
    pub base: Option<(Price, String)>,
    /// Lines over the candles.
    pub lines: Vec<Line>,
    /// A band over the candles.
    pub band: Option<Band>,
    /// A pane with volume, and a line over it where this has values.
    pub volume: Option<Line>,
    /// Panes below.
    pub panes: Vec<Pane>,
    /// Trades.
    pub trades: Vec<TradeMark>,
    /// Levels in force.
    pub levels: Vec<Level>,
    /// The position card in the head.
    pub figures: Vec<Figure>,
}

impl<'a> CandleChart<'a> {
    /// Bars alone, with their volume.
    pub fn new(caption: Caption, timeframe: Timeframe, zone: Tz, bars: &'a [Bar]) -> Self {
        Self {
            caption,
            timeframe,
            zone,
            bars,
            base: None,
            lines: Vec::new(),
            band: None,
            volume: Some(Line::default()),
            panes: Vec::new(),
            trades: Vec::new(),
            levels: Vec::new(),
            figures: Vec::new(),
        }
    }
}

/// The chart as SVG.
pub fn candles(chart: &CandleChart, theme: Theme, size: Size) -> String {
    let mut canvas = Canvas::new(theme, size);
    let skipped = chart.bars.len().saturating_sub(BARS_MAX);
    let bars: Vec<Candle> = chart.bars[skipped..].iter().map(Candle::of).collect();
    let times: Vec<Timestamp> = bars.iter().map(|bar| bar.at).collect();
    let caption = captioned(chart, &times);
    let headline = headline(chart.bars, chart.timeframe, chart.base.as_ref());
    let content = frame(&mut canvas, &caption, headline.as_ref(), &chart.figures);
    if bars.is_empty() {
        nothing(&mut canvas, content, "No bars yet");
        return canvas.finish(&caption.title);
    }
    let mut studies: Vec<Study> =
        chart.panes.iter().take(PANES_MAX).map(|pane| Study::of(pane, bars.len(), skipped, canvas.palette)).collect();
    if let Some(average) = &chart.volume {
        studies.insert(0, volume_pane(&bars, average, skipped, canvas.palette));
    }
    let shown = Shown {
        bars: &bars,
        skipped,
        lines: &chart.lines,
        band: chart.band.as_ref(),
        trades: &chart.trades,
        levels: &chart.levels,
        lead: None,
    };
    let plots = stacked(&canvas, content, studies.len());
    let axis = studies
        .iter()
        .zip(&plots[1..])
        .map(|(study, rect)| study.axis_width(&canvas, *rect))
        .fold(shown.axis_width(&canvas, plots[0]), f64::max);
    let narrow = |rect: &Rect| Rect::new(rect.x, rect.y, rect.w - axis, rect.h);
    let price = narrow(&plots[0]);
    let slots = Slots::new(price, bars.len());
    let font = Font::new(canvas.measures.small, NORMAL);
    let labels = date_labels(&times, |index| slots.x(index), chart.zone, font);
    price_pane(&mut canvas, price, slots, &labels, &shown);
    for (study, rect) in studies.iter().zip(plots[1..].iter().map(narrow)) {
        study.draw(&mut canvas, rect, slots, &labels);
    }
    let lowest = plots.last().map_or(price, narrow);
    canvas.date_axis(lowest, &labels, slots);
    canvas.finish(&caption.title)
}

fn captioned(chart: &CandleChart, times: &[Timestamp]) -> Caption {
    let mut caption = chart.caption.clone();
    let stretch = stretch(times, chart.zone);
    if !stretch.is_empty() {
        let before = if caption.subtitle.is_empty() { "" } else { " · " };
        caption.subtitle = format!("{}{before}{stretch}", caption.subtitle);
    }
    if caption.badge.is_empty() {
        caption.badge = chart.timeframe.to_string();
    }
    caption
}

/// The last price and its change.
pub(super) fn headline(bars: &[Bar], timeframe: Timeframe, base: Option<&(Price, String)>) -> Option<Headline> {
    let last = bars.last()?.close;
    let value = number(last.to_f64(), price_decimals(last.to_f64()));
    let since = match base {
        Some((_, name)) => name.clone(),
        None if timeframe == Timeframe::D1 => String::new(),
        None => format!("in {timeframe}"),
    };
    let before = bars.len().checked_sub(2).map(|index| bars[index].close);
    let base = base.map_or(before, |(price, _)| Some(*price));
    let Some((base, change)) = base.and_then(|base| Some((base, last.minus(base).ok()?))) else {
        return Some(Headline { value, change: String::new(), tone: Tone::Plain });
    };
    let (amount, share) = (change.to_f64(), signed_percent(change.share_of(base)));
    let text = format!("{} ({share}) {since}", signed(amount, price_decimals(last.to_f64())));
    Some(Headline { value, change: text.trim_end().to_owned(), tone: Tone::of(amount) })
}

/// The price pane and `below` panes under it, with room for the time axis at the foot.
fn stacked(canvas: &Canvas, content: Rect, below: usize) -> Vec<Rect> {
    let m = canvas.measures;
    let room = content.h - m.row() * 1.25 - m.gap * 0.75 * below as f64;
    let share = match below {
        0..=2 => 0.175,
        3 => 0.15,
        _ => 0.125,
    };
    let small = (room * share).floor();
    let large = room - small * below as f64;
    let mut y = content.y;
    let mut rects = Vec::with_capacity(below + 1);
    for height in std::iter::once(large).chain(std::iter::repeat_n(small, below)) {
        rects.push(Rect::new(content.x, y.round(), content.w, height.floor()));
        y += height + m.gap * 0.75;
    }
    rects
}
