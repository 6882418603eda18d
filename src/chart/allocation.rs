//! Where is the money? A ring of positions and cash, and a list with values and their shares of the total.

use std::f64::consts::TAU;

use super::axis::{compact, drawable, number};
use super::frame::{Caption, Figure, frame, nothing};
use super::svg::{Anchor, Canvas, Paint, Path, Rect};
use super::text::{BOLD, Font, MEDIUM, NORMAL, STRONG};
use super::theme::{Colour, Size, Theme};

/// At most this many parts are listed; the smaller ones are added up as `other`.
pub const PARTS_MAX: usize = 12;

/// One part of the whole.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// Its name: a symbol, `Cash`.
    pub name: String,
    /// Its value; a short position is negative and takes as much of the ring as it is large.
    pub value: f64,
    /// It is cash: drawn in grey.
    pub cash: bool,
}

/// What an account holds.
#[derive(Debug, Clone, Default)]
pub struct Allocation {
    /// The words around it.
    pub caption: Caption,
    /// The currency, for the middle of the ring.
    pub currency: String,
    /// The parts, in any order.
    pub parts: Vec<Part>,
    /// The figures in the head.
    pub figures: Vec<Figure>,
}

/// A part with its colour and its share of the ring: of the gross value.
struct Slice {
    name: String,
    value: f64,
    share: f64,
    colour: Colour,
}

/// The allocation as SVG.
pub fn allocation(chart: &Allocation, theme: Theme, size: Size) -> String {
    let mut canvas = Canvas::new(theme, size);
    let content = frame(&mut canvas, &chart.caption, None, &chart.figures);
    let slices = slices(&canvas, &chart.parts);
    if slices.is_empty() {
        nothing(&mut canvas, content, "Nothing held yet");
        return canvas.finish(&chart.caption.title);
    }
    canvas.ground(content);
    let inner = content.inset(canvas.measures.pad * 1.5);
    let (ring_area, list_area) = match size {
        Size::Landscape => {
            let width = inner.h.min(inner.w * 0.45);
            (
                Rect::new(inner.x, inner.y, width, inner.h),
                Rect::new(inner.x + width + 48.0, inner.y, inner.w - width - 48.0, inner.h),
            )
        }
        Size::Portrait => {
            let height = (inner.h * 0.5).min(inner.w);
            (
                Rect::new(inner.x, inner.y, inner.w, height),
                Rect::new(inner.x, inner.y + height + 20.0, inner.w, inner.h - height - 20.0),
            )
        }
    };
    ring(&mut canvas, ring_area, &slices, &chart.currency);
    list(&mut canvas, list_area, &slices);
    canvas.finish(&chart.caption.title)
}

/// The parts by size, with the small ones added up.
fn slices(canvas: &Canvas, parts: &[Part]) -> Vec<Slice> {
    let mut parts: Vec<&Part> =
        parts.iter().filter(|part| drawable(part.value).is_some_and(|value| value != 0.0)).collect();
    parts.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
    let gross: f64 = parts.iter().map(|part| part.value.abs()).sum();
    let palette = canvas.palette;
    let mut invested = 0;
    let mut colour = |cash: bool| {
        if cash {
            return palette.line(5);
        }
        let (tone, round) = (invested % 5, invested / 5);
        invested += 1;
        palette.line([2, 1, 0, 4, 3][tone]).mixed(palette.panel, round as f64 * 0.35)
    };
    let named = if parts.len() > PARTS_MAX { PARTS_MAX - 1 } else { parts.len() };
    let mut slices: Vec<Slice> = parts[..named]
        .iter()
        .map(|part| Slice {
            name: part.name.clone(),
            value: part.value,
            share: part.value.abs() / gross,
            colour: colour(part.cash),
        })
        .collect();
    let rest = &parts[named..];
    if !rest.is_empty() {
        let value = rest.iter().map(|part| part.value).sum();
        let share = rest.iter().map(|part| part.value.abs()).sum::<f64>() / gross;
        slices.push(Slice { name: format!("{} others", rest.len()), value, share, colour: palette.faint });
    }
    slices
}

fn ring(canvas: &mut Canvas, area: Rect, slices: &[Slice], currency: &str) {
    let (x, y) = area.middle();
    let outer = area.w.min(area.h) / 2.0 - 4.0;
    let (inner, m) = (outer * 0.64, canvas.measures);
    let panel = canvas.palette.panel;
    let mut turn = 0.0;
    for slice in slices {
        if slice.share > 0.9999 {
            canvas.circle(x, y, f64::midpoint(outer, inner), Paint::stroke(slice.colour, outer - inner));
            break;
        }
        let (from, to) = (turn * TAU, (turn + slice.share) * TAU);
        let far = slice.share > 0.5;
        let at = |radius: f64, angle: f64| (x + radius * angle.sin(), y - radius * angle.cos());
        let (start, end) = (at(outer, from), at(outer, to));
        let (back, home) = (at(inner, to), at(inner, from));
        let mut path = Path::default();
        path.move_to(start.0, start.1).arc_to(outer, far, true, end.0, end.1);
        path.line_to(back.0, back.1).arc_to(inner, far, false, home.0, home.1).close();
        canvas.path(&path, Paint::fill(slice.colour).edge(panel, 2.0));
        turn += slice.share;
    }
    let total: f64 = slices.iter().map(|slice| slice.value).sum();
    let text = if total.abs() < 1e7 { number(total, 0) } else { compact(total) };
    let large = Font::new(m.title * 0.95, BOLD);
    canvas.text((x, y - m.title * 0.1), Anchor::Middle, &large.fitted(&text, inner * 1.7), large, canvas.palette.text);
    let small = Font::new(m.body, NORMAL);
    let under = if currency.is_empty() { "total".to_owned() } else { format!("{currency} in total") };
    canvas.text(
        (x, y + m.title * 0.75),
        Anchor::Middle,
        &small.fitted(&under, inner * 1.5),
        small,
        canvas.palette.soft,
    );
}

fn list(canvas: &mut Canvas, area: Rect, slices: &[Slice]) {
    let (m, palette) = (canvas.measures, canvas.palette);
    let height = (area.h / slices.len() as f64).min(m.row() * 2.4);
    let top = area.y + (area.h - height * slices.len() as f64) / 2.0;
    let name_font = Font::new(m.body * 1.1, STRONG);
    let (value_font, share_font) = (Font::new(m.body * 1.1, MEDIUM), Font::new(m.body * 1.1, NORMAL));
    let total: f64 = slices.iter().map(|slice| slice.value).sum();
    let share = |slice: &Slice| of_total(slice.value, total);
    let value = |slice: &Slice| if slice.value.abs() < 1e7 { number(slice.value, 2) } else { compact(slice.value) };
    let shares = slices.iter().map(|slice| share_font.width(&share(slice))).fold(0.0, f64::max) + m.pad * 1.5;
    let values = slices.iter().map(|slice| value_font.width(&value(slice))).fold(0.0, f64::max) + m.pad;
    let most = slices.iter().map(|slice| slice.share).fold(0.0, f64::max);
    for (index, slice) in slices.iter().enumerate() {
        let y = top + (index as f64 + 0.5) * height;
        let dot = m.row() * 0.26;
        canvas.circle(area.x + dot, y, dot, Paint::fill(slice.colour));
        let left = area.x + dot * 2.0 + m.pad * 0.7;
        let name = name_font.fitted(&slice.name, area.right() - shares - values - left - m.pad);
        canvas.text((left, y), Anchor::Start, &name, name_font, palette.text);
        let colour = if slice.value < 0.0 { palette.down } else { palette.text };
        canvas.text((area.right() - shares, y), Anchor::End, &value(slice), value_font, colour);
        canvas.text((area.right(), y), Anchor::End, &share(slice), share_font, palette.soft);
        let track = Rect::new(left, y + height * 0.36, area.right() - left, 3.0);
        canvas.rect(track, 1.5, Paint::glass(palette.chip, 0.6));
        let filled = Rect::new(track.x, track.y, (track.w * slice.share / most.max(1e-9)).max(3.0), track.h);
        canvas.rect(filled, 1.5, Paint::fill(slice.colour));
    }
}

/// A share of what all is worth together, so that shorts and debts count below zero; a dash where that is nothing.
fn of_total(value: f64, total: f64) -> String {
    match drawable(value / total * 100.0) {
        Some(percent) if total > 0.0 => format!("{} %", number(percent, 1)),
        _ => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, value: f64) -> Part {
        Part { name: name.to_owned(), value, cash: false }
    }

    #[test]
    fn small_parts_are_added_up_and_nothing_is_lost() {
        let canvas = Canvas::new(Theme::Dark, Size::Landscape);
        let parts: Vec<Part> = (1..=20).map(|value| part("x", f64::from(value))).collect();
        let slices = slices(&canvas, &parts);
        assert_eq!((slices.len(), slices[PARTS_MAX - 1].name.as_str()), (PARTS_MAX, "9 others"));
        assert!((slices.iter().map(|slice| slice.share).sum::<f64>() - 1.0).abs() < 1e-9);
        assert!((slices.iter().map(|slice| slice.value).sum::<f64>() - 210.0).abs() < 1e-9);
    }

    #[test]
    fn a_short_takes_room_and_lowers_the_total() {
        let canvas = Canvas::new(Theme::Light, Size::Portrait);
        let slices =
            slices(&canvas, &[part("short", -25.0), part("long", 75.0), part("bad", f64::NAN), part("none", 0.0)]);
        let told: Vec<(&str, f64, f64)> =
            slices.iter().map(|slice| (slice.name.as_str(), slice.value, slice.share)).collect();
        assert_eq!(told, [("long", 75.0, 0.75), ("short", -25.0, 0.25)]);
        assert_eq!([of_total(75.0, 50.0), of_total(-25.0, 50.0)], ["150.0 %", "-50.0 %"]);
        assert_eq!([of_total(5.0, 0.0), of_total(5.0, -5.0)], ["–", "–"]);
    }
}
