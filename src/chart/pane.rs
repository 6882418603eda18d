//! What has every pane? A ground, a grid, ticks on its right, a legend in its head, tags on its axis that do not overlap.

use super::axis::Scale;
use super::dates::DateLabel;
use super::svg::{Anchor, Canvas, Paint, Path, Rect};
use super::text::{Font, MEDIUM, NORMAL, STRONG};
use super::theme::Colour;

/// A legend has at most this many rows; what does not fit is left out.
const LEGEND_ROWS_MAX: usize = 4;
/// Between a pane and the texts of its axis.
const AXIS_GAP: f64 = 10.0;

/// Equal places side by side, one for each bar or point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slots {
    left: f64,
    /// The width of one place.
    pub(super) step: f64,
}

impl Slots {
    /// `count` places in the width of `rect`; a few are centred instead of stretched.
    pub(super) fn new(rect: Rect, count: usize) -> Self {
        Self::at_most(rect, count, rect.w / 12.0)
    }

    /// The same with places no wider than `widest`.
    pub(super) fn at_most(rect: Rect, count: usize, widest: f64) -> Self {
        let inner = rect.inset((rect.w * 0.008).max(4.0));
        let step = (inner.w / count.max(1) as f64).min(widest);
        Self { left: inner.x + (inner.w - step * count as f64) / 2.0, step }
    }

    /// The middle of a place.
    pub(super) fn x(&self, index: usize) -> f64 {
        self.left + (index as f64 + 0.5) * self.step
    }
}

/// A tick: where on the axis and what it says.
pub(super) struct Tick {
    pub(super) y: f64,
    pub(super) text: String,
}

/// A tag on the axis. Where there are more than fit, the first are drawn.
pub(super) struct Tag {
    pub(super) y: f64,
    pub(super) text: String,
    /// A short word behind the value.
    pub(super) name: &'static str,
    pub(super) colour: Colour,
    /// Filled with its colour, for the last price.
    pub(super) solid: bool,
}

impl Canvas {
    fn axis_font(&self) -> Font {
        Font::new(self.measures.small, NORMAL)
    }

    fn tag_font(&self) -> Font {
        Font::new(self.measures.small, STRONG)
    }

    fn name_font(&self) -> Font {
        Font::new((self.measures.small * 0.8).max(11.0), STRONG)
    }

    fn tag_width(&self, tag: &Tag) -> f64 {
        let name = if tag.name.is_empty() { 0.0 } else { self.name_font().width(tag.name) + 6.0 };
        self.tag_font().width(&tag.text) + name + 14.0
    }

    /// The width an axis needs for these texts, at most a quarter of the page.
    pub(super) fn axis_width<'a>(&self, ticks: impl IntoIterator<Item = &'a str>, tags: &[Tag]) -> f64 {
        let ticks = ticks.into_iter().map(|text| self.axis_font().width(text) + AXIS_GAP);
        let tags = tags.iter().map(|tag| self.tag_width(tag) + AXIS_GAP - 4.0);
        ticks.chain(tags).fold(0.0, f64::max).min(self.page.w / 4.0)
    }

    pub(super) fn ground(&mut self, rect: Rect) {
        let paint = Paint::fill(self.palette.panel).edge(self.palette.edge, 1.0);
        self.rect(rect, self.measures.radius, paint);
    }

    /// Lines across the pane below its legend and their labels at its right; a label that a tag covers is left out.
    pub(super) fn value_grid(&mut self, rect: Rect, head: f64, ticks: &[Tick], covered: &[f64]) {
        let (font, reach) = (self.axis_font(), self.measures.row());
        let (mut grid, mut written) = (Path::default(), Vec::new());
        for tick in ticks.iter().filter(|tick| tick.y > rect.y + 1.0 && tick.y < rect.bottom() - 1.0) {
            let y = tick.y.floor() + 0.5;
            if y > rect.y + head {
                grid.move_to(rect.x, y).line_to(rect.right(), y);
            }
            let clear = covered.iter().all(|tag| (tag - tick.y).abs() > reach * 0.5 + font.size * 0.55);
            let whole = tick.y > rect.y + font.size * 0.5 && tick.y < rect.bottom() - font.size * 0.5;
            let free = written.iter().all(|other: &f64| (other - tick.y).abs() >= font.size);
            if clear && whole && free {
                written.push(tick.y);
                let text = font.fitted(&tick.text, self.page.w - rect.right() - AXIS_GAP);
                self.text((rect.right() + AXIS_GAP, tick.y), Anchor::Start, &text, font, self.palette.soft);
            }
        }
        self.path(&grid, Paint::stroke(self.palette.grid, 1.0));
    }

    /// Lines down the pane below its legend, at the labels of the time axis.
    pub(super) fn date_grid(&mut self, rect: Rect, head: f64, labels: &[DateLabel], slots: Slots) {
        let mut grid = Path::default();
        for label in labels {
            let x = slots.x(label.index).floor() + 0.5;
            grid.move_to(x, rect.y + head).line_to(x, rect.bottom());
        }
        self.path(&grid, Paint::stroke(self.palette.grid, 1.0));
    }

    /// The labels below a pane; years stand out.
    pub(super) fn date_axis(&mut self, rect: Rect, labels: &[DateLabel], slots: Slots) {
        let y = rect.bottom() + self.measures.row() * 0.6 + 2.0;
        for label in labels {
            let (weight, colour) =
                if label.rank == 3 { (STRONG, self.palette.text) } else { (NORMAL, self.palette.soft) };
            let font = Font::new(self.measures.small, weight);
            let half = font.width(&label.text) / 2.0;
            let x = slots
                .x(label.index)
                .clamp(rect.x + half.min(rect.w / 2.0), (rect.right() - half).max(rect.x + rect.w / 2.0));
            self.text((x, y), Anchor::Middle, &label.text, font, colour);
        }
    }

    /// Draws tags beside `rect`, pushed apart, each tied to its height; returns the heights they took.
    pub(super) fn tags(&mut self, rect: Rect, tags: &[Tag]) -> Vec<f64> {
        let height = self.measures.row();
        let most = ((rect.h / (height + 2.0)).floor() as usize).min(tags.len());
        let tags = &tags[..most];
        let wanted: Vec<f64> = tags.iter().map(|tag| tag.y).collect();
        let places = spread(&wanted, height + 2.0, rect.y, rect.bottom());
        let width = tags.iter().map(|tag| self.tag_width(tag)).fold(0.0, f64::max);
        let width = width.min(self.page.w - rect.right() - 5.0);
        for (tag, y) in tags.iter().zip(&places) {
            self.tag(Rect::new(rect.right() + 3.0, y - height / 2.0, width, height), tag);
        }
        places
    }

    fn tag(&mut self, rect: Rect, tag: &Tag) {
        let (font, name_font) = (self.tag_font(), self.name_font());
        let (paint, text) = if tag.solid {
            (Paint::fill(tag.colour), self.palette.on_strong)
        } else {
            (Paint::fill(self.palette.panel).edge(tag.colour, 1.2), tag.colour)
        };
        let middle = rect.middle().1;
        let mut tie = Path::default();
        tie.move_to(rect.x - 3.0, tag.y).line_to(rect.x, middle);
        self.path(&tie, Paint::stroke(tag.colour, 1.2));
        self.rect(rect, 5.0, paint);
        let name = if tag.name.is_empty() { 0.0 } else { name_font.width(tag.name) + 6.0 };
        let value = font.fitted(&tag.text, rect.w - name - 12.0);
        self.text((rect.x + 7.0, middle), Anchor::Start, &value, font, text);
        self.text((rect.right() - 6.0, middle), Anchor::End, tag.name, name_font, text);
    }
}

/// Ticks of `scale` at least `gap` apart, written by `label` with the decimals they need.
pub(super) fn ticks(scale: &Scale, gap: f64, label: impl Fn(f64, usize) -> String) -> Vec<Tick> {
    let (values, decimals) = scale.ticks(gap);
    values.into_iter().map(|value| Tick { y: scale.y(value), text: label(value, decimals) }).collect()
}

/// Middles for tags of `height` that are as near as can be to the wanted ones, in their order, and inside top to bottom.
/// Least squares under an order (pool adjacent violators, Ayer et al. 1955).
pub(super) fn spread(wanted: &[f64], height: f64, top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    // Without their own heights, tags that do not overlap are numbers that do not fall.
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (rank, index) in order.iter().enumerate() {
        let mut pool = (wanted[*index] - rank as f64 * height, 1);
        while let Some(last) = pools.pop_if(|last| last.0 > pool.0) {
            let count = last.1 + pool.1;
            pool = ((last.0 * last.1 as f64 + pool.0 * pool.1 as f64) / count as f64, count);
        }
        pools.push(pool);
    }
    let low = top + height / 2.0;
    let high = (bottom - height * (wanted.len() as f64 - 0.5)).max(low);
    let levels = pools.iter().flat_map(|(level, count)| std::iter::repeat_n(level.clamp(low, high), *count));
    let mut places = vec![0.0; wanted.len()];
    for (rank, (index, level)) in order.into_iter().zip(levels).enumerate() {
        places[index] = level + rank as f64 * height;
    }
    places
}

/// One entry of a legend: a name and its last value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) colour: Colour,
}

impl Entry {
    pub(super) fn new(name: impl Into<String>, value: impl Into<String>, colour: Colour) -> Self {
        Self { name: name.into(), value: value.into(), colour }
    }
}

/// A legend that is laid out but not drawn, so that its pane can leave room for it.
pub(super) struct Legend {
    entries: Vec<(f64, usize, Entry)>,
    /// The width of the pane it was laid out for.
    width: f64,
    /// The height it takes from the head of the pane.
    pub(super) height: f64,
}

impl Legend {
    pub(super) fn new(canvas: &Canvas, width: f64, entries: impl IntoIterator<Item = Entry>) -> Self {
        let m = canvas.measures;
        let (name_font, value_font) = legend_fonts(canvas);
        let room = width - 2.0 * m.pad;
        let (mut x, mut row, mut placed) = (0.0, 0, Vec::new());
        for mut entry in entries {
            entry.name = name_font.fitted(&entry.name, room * 0.6);
            entry.value = value_font.fitted(&entry.value, room * 0.4);
            let wide = name_font.width(&entry.name) + value_font.width(&entry.value) + m.pad * 0.4;
            if x > 0.0 && x + wide > room {
                (x, row) = (0.0, row + 1);
            }
            if row == LEGEND_ROWS_MAX {
                break;
            }
            placed.push((x, row, entry));
            x += wide + m.pad * 1.3;
        }
        let rows = placed.last().map_or(0, |(_, row, _)| row + 1);
        let height = if rows == 0 { m.pad * 0.5 } else { rows as f64 * m.row() + m.pad * 0.7 };
        Self { entries: placed, width, height }
    }

    /// Draws it into the head of its pane.
    pub(super) fn draw(&self, canvas: &mut Canvas, rect: Rect) {
        debug_assert!((rect.w - self.width).abs() < 1.0, "laid out for another pane");
        let m = canvas.measures;
        let (name_font, value_font) = legend_fonts(canvas);
        for (x, row, entry) in &self.entries {
            let at = (rect.x + m.pad + x, rect.y + m.pad * 0.45 + (*row as f64 + 0.5) * m.row());
            canvas.text(at, Anchor::Start, &entry.name, name_font, canvas.palette.soft);
            let after = if entry.name.is_empty() { 0.0 } else { name_font.width(&entry.name) + m.pad * 0.4 };
            canvas.text((at.0 + after, at.1), Anchor::Start, &entry.value, value_font, entry.colour);
        }
    }
}

fn legend_fonts(canvas: &Canvas) -> (Font, Font) {
    (Font::new(canvas.measures.small, NORMAL), Font::new(canvas.measures.small, MEDIUM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_never_overlap_and_stay_inside() {
        let mut seed = 7u64;
        for _ in 0..2_000 {
            let mut next = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 33) as f64 / f64::from(1u32 << 31)
            };
            let count = (next() * 12.0) as usize;
            let wanted: Vec<f64> = (0..count).map(|_| next() * 600.0 - 100.0).collect();
            let mut places = spread(&wanted, 30.0, 0.0, 400.0);
            places.sort_by(f64::total_cmp);
            assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 30.0 - 1e-9), "{wanted:?} {places:?}");
            assert!(places.iter().all(|y| (15.0 - 1e-9..=385.0 + 1e-9).contains(y)), "{wanted:?} {places:?}");
        }
    }

    #[test]
    fn tags_with_room_stay_where_they_belong() {
        assert_eq!(spread(&[300.0, 100.0, 200.0], 30.0, 0.0, 400.0), [300.0, 100.0, 200.0]);
        assert_eq!(spread(&[100.0, 110.0], 30.0, 0.0, 400.0), [90.0, 120.0]);
    }

    #[test]
    fn a_few_bars_are_centred_and_many_fill_the_pane() {
        let rect = Rect::new(100.0, 0.0, 1_000.0, 10.0);
        assert!((Slots::new(rect, 1).x(0) - 600.0).abs() < 1e-9);
        let many = Slots::new(rect, 500);
        assert!(many.x(0) > 100.0 && many.x(499) < 1_100.0 && many.x(499) - many.x(0) > 950.0);
    }
}
