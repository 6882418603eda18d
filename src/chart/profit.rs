//! What did each day, week or month bring? A column for each: up and green, down and red.

use super::axis::{Scale, compact, drawable, number, range, signed};
use super::frame::{Caption, Figure, Headline, Tone, frame, nothing};
use super::pane::{Slots, ticks};
use super::svg::{Anchor, Canvas, Paint, Path, Rect};
use super::text::{Font, MEDIUM, NORMAL};
use super::theme::{Size, Theme};

/// At most this many columns are drawn: the last ones.
pub const COLUMNS_MAX: usize = 120;

/// Results by period.
#[derive(Debug, Clone, Default)]
pub struct ProfitChart {
    /// The words around it.
    pub caption: Caption,
    /// The currency, for the head.
    pub currency: String,
    /// The name of each period and its result, in the order of time.
    pub periods: Vec<(String, f64)>,
    /// The figures in the head.
    pub figures: Vec<Figure>,
}

/// The chart as SVG. The head shows the sum of the periods that are drawn.
pub fn profit(chart: &ProfitChart, theme: Theme, size: Size) -> String {
    let mut canvas = Canvas::new(theme, size);
    let drawn = &chart.periods[chart.periods.len().saturating_sub(COLUMNS_MAX)..];
    let periods: Vec<(&str, f64)> =
        drawn.iter().filter_map(|(name, value)| Some((name.as_str(), drawable(*value)?))).collect();
    let sum: f64 = periods.iter().map(|(_, value)| value).sum();
    let currency = if chart.currency.is_empty() { String::new() } else { format!(" {}", chart.currency) };
    let won = periods.iter().filter(|(_, value)| *value > 0.0).count();
    let headline = Headline {
        value: format!("{}{currency}", signed(sum, 2)),
        change: format!("{won} of {} up", periods.len()),
        tone: Tone::of(sum),
    };
    let shown = (!periods.is_empty()).then_some(&headline);
    let content = frame(&mut canvas, &chart.caption, shown, &chart.figures);
    if periods.is_empty() {
        nothing(&mut canvas, content, "No results yet");
        return canvas.finish(&chart.caption.title);
    }
    draw(&mut canvas, content, &periods);
    canvas.finish(&chart.caption.title)
}

fn draw(canvas: &mut Canvas, content: Rect, periods: &[(&str, f64)]) {
    let m = canvas.measures;
    let tall = Rect::new(content.x, content.y, content.w, content.h - m.row() * 1.3);
    let values = periods.iter().map(|(_, value)| *value).chain([0.0]);
    let room = m.row() + m.pad;
    let losses = if periods.iter().any(|(_, value)| *value < 0.0) { room } else { m.pad * 0.5 };
    let scale = Scale::new(range(values).unwrap_or_default(), (tall.y, room), (tall.bottom(), losses));
    let ticks = ticks(
        &scale,
        m.tick_gap,
        |value, decimals| if value.abs() >= 1e5 { compact(value) } else { number(value, decimals) },
    );
    let axis = canvas.axis_width(ticks.iter().map(|tick| tick.text.as_str()), &[]);
    let rect = Rect::new(tall.x, tall.y, tall.w - axis, tall.h);
    canvas.ground(rect);
    canvas.value_grid(rect, 0.0, &ticks, &[]);
    let slots = Slots::at_most(rect, periods.len(), rect.w / 5.0);
    let (width, zero) = ((slots.step * 0.68).clamp(1.0, 96.0), scale.y(0.0).round());
    for (index, (_, value)) in periods.iter().enumerate().filter(|(_, (_, value))| *value != 0.0) {
        let (x, y) = (slots.x(index), scale.y(*value));
        let colour = if *value < 0.0 { canvas.palette.down } else { canvas.palette.up };
        let column = Rect::new(x - width / 2.0, y.min(zero), width, (y - zero).abs().max(1.0));
        let round = (width * 0.12).clamp(0.0, 5.0).min(column.h / 2.0);
        // Gains are brighter than losses; losses carry an edge as well, so that the two differ without colour.
        let paint = if *value < 0.0 { Paint::glass(colour, 0.55).edge(colour, 1.0) } else { Paint::fill(colour) };
        canvas.rect(column, round, paint);
    }
    let mut base = Path::default();
    base.move_to(rect.x, zero + 0.5).line_to(rect.right(), zero + 0.5);
    canvas.path(&base, Paint::stroke(canvas.palette.faint, 1.0));
    labels(canvas, rect, slots, &scale, periods);
}

/// The value at each column's end where all of them have room, and as many names below as do.
fn labels(canvas: &mut Canvas, rect: Rect, slots: Slots, scale: &Scale, periods: &[(&str, f64)]) {
    let m = canvas.measures;
    let decimals = if periods.iter().all(|(_, value)| value.abs() < 100.0) { 2 } else { 0 };
    let written = |value: f64| if value.abs() >= 1e5 { compact(value) } else { signed(value, decimals) };
    let font = Font::new(m.small, MEDIUM);
    let widest = periods.iter().map(|(_, value)| font.width(&written(*value))).fold(0.0, f64::max);
    if widest + 6.0 <= slots.step {
        for (index, (_, value)) in periods.iter().enumerate() {
            let away = if *value < 0.0 { m.row() * 0.55 } else { -m.row() * 0.55 };
            let at = (slots.x(index), scale.y(*value) + away);
            canvas.text(at, Anchor::Middle, &written(*value), font, canvas.tone(Tone::of(*value)));
        }
    }
    let font = Font::new(m.small, NORMAL);
    let room = rect.w / 4.0;
    let names: Vec<String> = periods.iter().map(|(name, _)| font.fitted(name, room)).collect();
    let widest = names.iter().map(|name| font.width(name)).fold(1.0, f64::max) + m.pad;
    let every = (widest / slots.step).ceil().max(1.0) as usize;
    // Counted from the last, which matters most. One that is moved into the pane may need the room of the next.
    let mut free = f64::INFINITY;
    for (index, name) in names.iter().enumerate().rev().step_by(every) {
        let half = font.width(name) / 2.0;
        let x = slots.x(index).clamp(rect.x + half, (rect.right() - half).max(rect.x + half));
        if x + half <= free {
            canvas.text((x, rect.bottom() + m.row() * 0.7), Anchor::Middle, name, font, canvas.palette.soft);
            free = x - half - m.pad * 0.5;
        }
    }
}
