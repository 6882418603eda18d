//! What surrounds every picture? A title on the left, a figure on the right, a card of figures, a note at the foot.

use super::svg::{Anchor, Canvas, Paint, Rect};
use super::text::{BOLD, Font, MEDIUM, NORMAL, STRONG};
use super::theme::Colour;

/// At most this many figures are shown on the card.
pub const FIGURES_MAX: usize = 8;

/// The words around a picture. All of them may be empty.
#[derive(Debug, Clone, Default)]
pub struct Caption {
    /// What it shows: a symbol, a book, "Correlation".
    pub title: String,
    /// A short word beside the title: a timeframe, a number of days.
    pub badge: String,
    /// A line below the title.
    pub subtitle: String,
    /// At the foot on the left: where the figures come from.
    pub note: String,
    /// At the foot on the right: who made it, and when.
    pub stamp: String,
    /// The prices are made up: the picture carries the mark `sim`.
    pub simulated: bool,
}

/// Whether a figure is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Neither.
    #[default]
    Plain,
    /// Good.
    Good,
    /// Bad.
    Bad,
}

impl Tone {
    /// Good above zero, bad below.
    pub fn of(value: f64) -> Self {
        match value {
            value if value > 0.0 => Self::Good,
            value if value < 0.0 => Self::Bad,
            _ => Self::Plain,
        }
    }
}

/// One figure of the card in the head: its name and its value as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Its name: `Open P/L`.
    pub label: String,
    /// Its value: `+1.8 %`.
    pub value: String,
    /// Whether it is good news.
    pub tone: Tone,
}

impl Figure {
    /// A figure of these words.
    pub fn new(label: impl Into<String>, value: impl Into<String>, tone: Tone) -> Self {
        Self { label: label.into(), value: value.into(), tone }
    }
}

/// The large figure on the right of the head and the change below it.
pub(super) struct Headline {
    pub(super) value: String,
    pub(super) change: String,
    pub(super) tone: Tone,
}

impl Canvas {
    pub(super) fn tone(&self, tone: Tone) -> Colour {
        match tone {
            Tone::Plain => self.palette.text,
            Tone::Good => self.palette.up,
            Tone::Bad => self.palette.down,
        }
    }
}

/// Draws head and foot; what is left between them is for the picture.
pub(super) fn frame(canvas: &mut Canvas, caption: &Caption, headline: Option<&Headline>, figures: &[Figure]) -> Rect {
    let m = canvas.measures;
    let (page, lines) = (canvas.page, [m.title, m.body]);
    let first = m.margin + lines[0] * 0.5;
    let second = m.margin + lines[0] * 1.12 + m.row() * 0.5 + m.pad * 0.25;
    let right = headline.map_or(page.w - m.margin, |headline| headline_block(canvas, headline, first, second));
    let left = title_block(canvas, caption, first, second, right - m.gap);
    let mut top = second + m.row() * 0.5 + m.gap;
    let figures = &figures[..figures.len().min(FIGURES_MAX)];
    if !figures.is_empty() {
        let between = Rect::new(left + m.gap * 1.5, m.margin, right - left - m.gap * 3.0, top - m.gap - m.margin);
        let needed = card_width(canvas, figures);
        if needed <= between.w {
            let free = between.right() - needed;
            let x = if headline.is_some() {
                ((page.w - needed) / 2.0).clamp(between.x, free)
            } else {
                page.w - m.margin - needed
            };
            card(canvas, Rect::new(x, between.y, needed, between.h), figures);
        } else {
            let rows = if needed > page.w - 2.0 * m.margin { 2 } else { 1 };
            let height = card_row(canvas);
            let per_row = figures.len().div_ceil(rows);
            for row in figures.chunks(per_row) {
                card(canvas, Rect::new(m.margin, top, page.w - 2.0 * m.margin, height), row);
                top += height + m.gap * 0.5;
            }
            top += m.gap * 0.5;
        }
    }
    let foot = foot(canvas, caption);
    Rect::new(m.margin, top, page.w - 2.0 * m.margin, (foot - top).max(1.0))
}

/// Returns how far to the left it reaches.
fn headline_block(canvas: &mut Canvas, headline: &Headline, first: f64, second: f64) -> f64 {
    let m = canvas.measures;
    let right = canvas.page.w - m.margin;
    let (large, small) = (Font::new(m.title, BOLD), Font::new(m.body, STRONG));
    let room = canvas.page.w * 0.4;
    let value = large.fitted(&headline.value, room);
    canvas.text((right, first), Anchor::End, &value, large, canvas.palette.text);
    let change = small.fitted(&headline.change, room);
    if change.is_empty() {
        return right - large.width(&value);
    }
    let colour = if headline.tone == Tone::Plain { canvas.palette.soft } else { canvas.tone(headline.tone) };
    let width = small.width(&change) + m.pad * 1.2;
    let chip = Rect::new(right - width, second - m.row() * 0.6, width, m.row() * 1.2);
    canvas.rect(chip, m.radius * 0.5, Paint::glass(colour, canvas.palette.tint));
    canvas.text(chip.middle(), Anchor::Middle, &change, small, colour);
    right - width.max(large.width(&value))
}

/// Returns how far to the right it reaches.
fn title_block(canvas: &mut Canvas, caption: &Caption, first: f64, second: f64, right: f64) -> f64 {
    let (m, palette) = (canvas.measures, canvas.palette);
    let chip_font = Font::new(m.small, STRONG);
    let mut chips = Vec::new();
    if !caption.badge.is_empty() {
        chips.push((chip_font.fitted(&caption.badge, canvas.page.w * 0.2), false));
    }
    if caption.simulated {
        chips.push(("sim".to_owned(), true));
    }
    let chip_width = |text: &str| chip_font.width(text) + m.pad * 1.2;
    let taken: f64 = chips.iter().map(|(text, _)| chip_width(text) + m.pad * 0.8).sum();
    let font = Font::new(m.title, BOLD);
    let title = font.fitted(&caption.title, right - m.margin - taken);
    canvas.text((m.margin, first), Anchor::Start, &title, font, palette.text);
    let mut x = m.margin + font.width(&title) + if title.is_empty() { 0.0 } else { m.pad * 0.6 };
    for (text, simulated) in chips {
        let chip = Rect::new(x, first - m.row() * 0.58, chip_width(&text), m.row() * 1.16);
        let (paint, colour) = if simulated {
            (Paint::glass(palette.warn, palette.tint).edge(palette.warn, 1.0).faded(0.55), palette.warn)
        } else {
            (Paint::fill(palette.chip), palette.soft)
        };
        canvas.rect(chip, m.radius * 0.5, paint);
        canvas.text(chip.middle(), Anchor::Middle, &text, chip_font, colour);
        x = chip.right() + m.pad * 0.8;
    }
    let font = Font::new(m.body, NORMAL);
    let subtitle = font.fitted(&caption.subtitle, right - m.margin);
    canvas.text((m.margin, second), Anchor::Start, &subtitle, font, palette.soft);
    x.max(m.margin + font.width(&subtitle))
}

/// Returns the height above it.
fn foot(canvas: &mut Canvas, caption: &Caption) -> f64 {
    let m = canvas.measures;
    let font = Font::new(m.small, NORMAL);
    let y = canvas.page.h - m.margin * 0.5 - m.small * 0.5;
    let room = canvas.page.w - 2.0 * m.margin;
    let stamp = font.fitted(&caption.stamp, room * 0.6);
    let note = font.fitted(&caption.note, room - font.width(&stamp) - m.gap);
    canvas.text((m.margin, y), Anchor::Start, &note, font, canvas.palette.faint);
    canvas.text((canvas.page.w - m.margin, y), Anchor::End, &stamp, font, canvas.palette.faint);
    let written = !(note.is_empty() && stamp.is_empty());
    if written { y - m.small * 0.5 - m.gap * 0.8 } else { canvas.page.h - m.margin }
}

fn fonts(canvas: &Canvas) -> (Font, Font) {
    (Font::new(canvas.measures.small, NORMAL), Font::new(canvas.measures.figure, STRONG))
}

fn cell_width(canvas: &Canvas, figure: &Figure) -> f64 {
    let (label, value) = fonts(canvas);
    label.width(&figure.label).max(value.width(&figure.value)) + canvas.measures.pad * 2.0
}

fn card_width(canvas: &Canvas, figures: &[Figure]) -> f64 {
    figures.iter().map(|figure| cell_width(canvas, figure)).sum::<f64>() + canvas.measures.pad
}

fn card_row(canvas: &Canvas) -> f64 {
    let m = canvas.measures;
    m.small + m.figure + m.pad * 2.2
}

/// Figures side by side; wide room is shared in proportion to their widths.
fn card(canvas: &mut Canvas, rect: Rect, figures: &[Figure]) {
    let (m, palette) = (canvas.measures, canvas.palette);
    canvas.rect(rect, m.radius, Paint::fill(palette.panel).edge(palette.edge, 1.0));
    let needed = card_width(canvas, figures);
    let stretch = ((rect.w - m.pad) / (needed - m.pad).max(1.0)).max(0.0);
    let (small, large) = fonts(canvas);
    let middle = rect.middle().1;
    let lift = (m.small + m.figure) * 0.36;
    let mut x = rect.x + m.pad * 0.5;
    for figure in figures {
        let width = cell_width(canvas, figure) * stretch;
        let (at, room) = (x + m.pad * 0.75, width - m.pad);
        let label = small.fitted(&figure.label, room);
        let value = large.fitted(&figure.value, room);
        canvas.text((at, middle - lift), Anchor::Start, &label, small, palette.soft);
        canvas.text((at, middle + lift), Anchor::Start, &value, large, canvas.tone(figure.tone));
        x += width;
    }
}

/// An empty pane that says why nothing is in it.
pub(super) fn nothing(canvas: &mut Canvas, rect: Rect, why: &str) {
    let m = canvas.measures;
    canvas.rect(rect, m.radius, Paint::fill(canvas.palette.panel).edge(canvas.palette.edge, 1.0));
    let font = Font::new(m.figure, MEDIUM);
    canvas.text(rect.middle(), Anchor::Middle, &font.fitted(why, rect.w - 2.0 * m.pad), font, canvas.palette.soft);
}
