//! What does one symbol look like from near and from far? Several timeframes in one picture.

use chrono_tz::Tz;

use super::candles::{Line, headline};
use super::dates::date_labels;
use super::frame::{Caption, Figure, frame, nothing};
use super::pane::{Entry, Slots};
use super::price::{Candle, Shown, price_pane};
use super::svg::{Canvas, Rect};
use super::text::{Font, NORMAL};
use super::theme::{Size, Theme};
use crate::clock::Timestamp;
use crate::domain::format::signed_percent;
use crate::domain::{Bar, Price, Timeframe};

/// At most this many timeframes are shown: the first ones.
pub const SHEET_MAX: usize = 6;
/// A small pane shows at most this many bars: the last ones. A narrow one shows fewer, so that candles stay candles.
pub const SHEET_BARS_MAX: usize = 120;
/// The least room for a candle, in pixels.
const CANDLE_MIN: f64 = 5.0;

/// One timeframe of a sheet.
#[derive(Debug, Clone)]
pub struct SheetPane<'a> {
    /// The length of its bars.
    pub timeframe: Timeframe,
    /// The bars, in the order of time.
    pub bars: &'a [Bar],
    /// Lines over the candles, one value for each bar.
    pub lines: Vec<Line>,
}

/// One symbol in several timeframes.
#[derive(Debug, Clone)]
pub struct Sheet<'a> {
    /// The words around it.
    pub caption: Caption,
    /// For the labels of bars shorter than a day.
    pub zone: Tz,
    /// What the change in the head is measured from, and its name; without it, the bar before the last of the shortest.
    pub base: Option<(Price, String)>,
    /// The timeframes, in reading order. The price in the head is that of the shortest bars, which end last.
    pub panes: Vec<SheetPane<'a>>,
    /// The card in the head.
    pub figures: Vec<Figure>,
}

/// The sheet as SVG.
pub fn sheet(sheet: &Sheet, theme: Theme, size: Size) -> String {
    let mut canvas = Canvas::new(theme, size);
    let shortest = sheet.panes.iter().min_by_key(|pane| pane.timeframe);
    let headline = shortest.and_then(|pane| headline(pane.bars, pane.timeframe, sheet.base.as_ref()));
    let content = frame(&mut canvas, &sheet.caption, headline.as_ref(), &sheet.figures);
    let panes = &sheet.panes[..sheet.panes.len().min(SHEET_MAX)];
    if panes.is_empty() {
        nothing(&mut canvas, content, "No timeframes chosen");
    }
    let views: Vec<View> = panes
        .iter()
        .zip(cells(&canvas, content, panes.len(), size))
        .map(|(pane, cell)| View::of(&canvas, pane, cell))
        .collect();
    let axis = views.iter().map(|view| view.shown().axis_width(&canvas, view.rect)).fold(0.0, f64::max);
    for view in views {
        view.draw(&mut canvas, axis, sheet.zone);
    }
    canvas.finish(&sheet.caption.title)
}

fn cells(canvas: &Canvas, content: Rect, count: usize, size: Size) -> Vec<Rect> {
    let columns = match (size, count) {
        (_, 0 | 1) | (Size::Portrait, 2..=4) => 1,
        (Size::Landscape, 3 | 5..) => 3,
        _ => 2,
    };
    let rows = count.div_ceil(columns).max(1);
    let gap = canvas.measures.gap;
    let width = (content.w - gap * (columns - 1) as f64) / columns as f64;
    let height = (content.h - gap * (rows - 1) as f64) / rows as f64;
    let cell = |index: usize| {
        let (column, row) = ((index % columns) as f64, (index / columns) as f64);
        Rect::new(content.x + column * (width + gap), content.y + row * (height + gap), width, height)
    };
    (0..count).map(cell).collect()
}

/// A pane and where it stands.
struct View<'a> {
    rect: Rect,
    name: String,
    bars: Vec<Candle>,
    skipped: usize,
    lines: &'a [Line],
    lead: Entry,
}

impl<'a> View<'a> {
    fn of(canvas: &Canvas, pane: &'a SheetPane, cell: Rect) -> Self {
        let most = (((cell.w - canvas.measures.small * 6.0) / CANDLE_MIN).max(1.0) as usize).min(SHEET_BARS_MAX);
        let skipped = pane.bars.len().saturating_sub(most);
        let bars: Vec<Candle> = pane.bars[skipped..].iter().map(Candle::of).collect();
        let first = pane.bars.get(skipped).map_or(Price::ZERO, |bar| bar.open);
        let last = pane.bars.last().map_or(Price::ZERO, |bar| bar.close);
        let change = last.minus(first).unwrap_or_default();
        let colour = if change < Price::ZERO { canvas.palette.down } else { canvas.palette.up };
        let name = pane.timeframe.to_string();
        let lead = Entry::new(format!("{name} · {} bars", bars.len()), signed_percent(change.share_of(first)), colour);
        let rect = Rect::new(cell.x, cell.y, cell.w, cell.h - canvas.measures.row() * 1.3);
        Self { rect, name, bars, skipped, lines: &pane.lines, lead }
    }

    fn shown(&self) -> Shown<'_> {
        Shown {
            bars: &self.bars,
            skipped: self.skipped,
            lines: self.lines,
            band: None,
            trades: &[],
            levels: &[],
            lead: Some(self.lead.clone()),
        }
    }

    /// Leaves `axis` pixels at the right, the same for every pane, so that they stand in line.
    fn draw(&self, canvas: &mut Canvas, axis: f64, zone: Tz) {
        if self.bars.is_empty() {
            return nothing(canvas, self.rect, &format!("{}: no bars yet", self.name));
        }
        let rect = Rect::new(self.rect.x, self.rect.y, self.rect.w - axis, self.rect.h);
        let slots = Slots::new(rect, self.bars.len());
        let times: Vec<Timestamp> = self.bars.iter().map(|bar| bar.at).collect();
        let font = Font::new(canvas.measures.small, NORMAL);
        let labels = date_labels(&times, |index| slots.x(index), zone, font);
        price_pane(canvas, rect, slots, &labels, &self.shown());
        canvas.date_axis(rect, &labels, slots);
    }
}
