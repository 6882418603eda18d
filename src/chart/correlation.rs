//! Which symbols move together? A triangle of correlations with the names along its edge.

use super::axis::value_at;
use super::frame::{Caption, Figure, frame, nothing};
use super::heatmap::{heat, on};
use super::svg::{Anchor, Canvas, Paint, Rect};
use super::text::{Font, MEDIUM, NORMAL, STRONG};
use super::theme::{Size, Theme};

/// At most this many symbols are shown: the first ones.
pub const SYMBOLS_MAX: usize = 24;
/// How many of the closest and the most opposed pairs are named.
const PAIRS_NAMED: usize = 4;

/// A correlation matrix.
#[derive(Debug, Clone, Default)]
pub struct CorrelationChart {
    /// The words around it.
    pub caption: Caption,
    /// The symbols.
    pub symbols: Vec<String>,
    /// The correlation of each row's symbol with each column's, from -1 to 1; only the part below the diagonal is read. None is told as `?`.
    pub values: Vec<Vec<Option<f64>>>,
    /// The figures in the head.
    pub figures: Vec<Figure>,
}

/// The matrix as SVG. Every pair stands in it once; blue moves together, orange moves apart.
pub fn correlation(chart: &CorrelationChart, theme: Theme, size: Size) -> String {
    let mut canvas = Canvas::new(theme, size);
    let content = frame(&mut canvas, &chart.caption, None, &chart.figures);
    let symbols = &chart.symbols[..chart.symbols.len().min(SYMBOLS_MAX)];
    if symbols.len() < 2 {
        nothing(&mut canvas, content, "Two symbols are needed");
        return canvas.finish(&chart.caption.title);
    }
    let pairs = pairs(symbols.len(), &chart.values);
    let m = canvas.measures;
    let font = Font::new(m.body, MEDIUM);
    let names = symbols.iter().map(|name| font.width(name)).fold(0.0, f64::max).min(content.w * 0.2) + m.pad;
    let count = symbols.len();
    let width = (content.w - names) / (count - 1) as f64;
    let width = width.min((m.tick_gap * 3.2).max(content.w * 0.2));
    let height = (content.h / count as f64).min(m.tick_gap * 2.6);
    let corner = |row: usize, column: usize| (content.x + column as f64 * width, content.y + row as f64 * height);
    for (row, name) in symbols.iter().enumerate() {
        let (x, y) = corner(row, row);
        canvas.text(
            (x + m.pad * 0.5, y + height / 2.0),
            Anchor::Start,
            &font.fitted(name, names - m.pad * 0.5),
            font,
            canvas.palette.text,
        );
    }
    let short = Font::new(m.small, STRONG).width("-0.88") > width - 6.0;
    let known = |row, column| pairs.iter().any(|pair| (pair.row, pair.column) == (row, column));
    for (row, column) in (1..count).flat_map(|row| (0..row).map(move |column| (row, column))) {
        if !known(row, column) {
            let (x, y) = corner(row, column);
            let rect = Rect::new(x, y, width, height).inset(1.5);
            canvas.rect(rect, 4.0, Paint::glass(canvas.palette.chip, 0.25));
            canvas.text(rect.middle(), Anchor::Middle, "?", font, canvas.palette.soft);
        }
    }
    for pair in &pairs {
        let (x, y) = corner(pair.row, pair.column);
        cell(&mut canvas, Rect::new(x, y, width, height).inset(1.5), pair.value, short);
    }
    let beside = Beside { content, width, height, names, symbols, pairs: &pairs, short };
    beside.draw(&mut canvas);
    canvas.finish(&chart.caption.title)
}

struct Pair {
    row: usize,
    column: usize,
    value: f64,
}

/// What is known below the diagonal, held between -1 and 1.
fn pairs(count: usize, values: &[Vec<Option<f64>>]) -> Vec<Pair> {
    let below = (1..count).flat_map(|row| (0..row).map(move |column| (row, column)));
    below
        .filter_map(|(row, column)| {
            let value = value_at(values.get(row)?, column)?.clamp(-1.0, 1.0);
            Some(Pair { row, column, value })
        })
        .collect()
}

/// As it stands in a list: `-0.31`.
fn written(value: f64) -> String {
    format!("{value:.2}").replace("-0.00", "0.00")
}

/// `short` writes hundredths: 0.87 becomes 87.
fn cell(canvas: &mut Canvas, rect: Rect, value: f64, short: bool) {
    let (m, palette) = (canvas.measures, canvas.palette);
    let ground = heat(palette, palette.poles, value, 1.0);
    canvas.rect(rect, 4.0, Paint::fill(ground));
    let text = if short { format!("{}", (value * 100.0).round() + 0.0) } else { written(value) };
    let wide = (rect.w - 8.0) / Font::new(1.0, STRONG).width("-0.88");
    let size = if short { m.small } else { wide.min(rect.h * 0.5).min(m.figure) };
    let font = Font::new(size.max(m.small * 0.8), STRONG);
    canvas.text(rect.middle(), Anchor::Middle, &font.fitted(&text, rect.w), font, on(palette, ground));
}

/// What stands in the empty half.
struct Beside<'a> {
    content: Rect,
    /// The size of a cell.
    width: f64,
    height: f64,
    /// The width of the longest name.
    names: f64,
    symbols: &'a [String],
    pairs: &'a [Pair],
    short: bool,
}

impl Beside<'_> {
    fn name(&self, pair: &Pair) -> String {
        format!("{} · {}", self.symbols[pair.column], self.symbols[pair.row])
    }

    /// The scale of colours, the closest pairs and the most opposed ones, as far as there is room.
    fn draw(&self, canvas: &mut Canvas) {
        let (m, content) = (canvas.measures, self.content);
        let font = Font::new(m.small, NORMAL);
        let mut sorted: Vec<&Pair> = self.pairs.iter().collect();
        sorted.sort_by(|a, b| b.value.total_cmp(&a.value));
        let lines = PAIRS_NAMED.min(sorted.len() / 2);
        let closest: Vec<&Pair> = sorted.iter().take(lines).copied().collect();
        let opposed: Vec<&Pair> = sorted.iter().rev().take(lines).copied().collect();
        let listed = closest.iter().chain(&opposed).map(|pair| font.width(&self.name(pair))).fold(0.0, f64::max);
        let wide = (listed + font.width("-0.00") + 3.0 * m.pad).clamp(m.tick_gap * 3.5, content.w * 0.42);
        let left = content.right() - wide;
        // Every row whose name ends left of the box leaves its height to it.
        let ends = |row: &usize| content.x + *row as f64 * self.width + self.names < left - m.gap;
        let bottom = content.y + (0..self.symbols.len()).take_while(ends).count() as f64 * self.height;
        let mut y = content.y + m.row() / 2.0;
        if y + m.row() * 1.6 > bottom {
            return;
        }
        scale_bar(canvas, Rect::new(left, y - m.row() * 0.3, wide, m.row() * 0.5), self.short);
        y += m.row() * 2.6;
        for (title, chosen) in [("Closest", closest), ("Least alike", opposed)] {
            if y + (lines as f64 + 0.5) * m.row() * 1.1 > bottom || lines == 0 {
                return;
            }
            canvas.text((left, y), Anchor::Start, title, Font::new(m.small, STRONG), canvas.palette.text);
            for pair in chosen {
                y += m.row() * 1.1;
                let value = written(pair.value);
                let words = font.fitted(&self.name(pair), wide - font.width(&value) - m.pad);
                canvas.text((left, y), Anchor::Start, &words, font, canvas.palette.soft);
                canvas.text((content.right(), y), Anchor::End, &value, Font::new(m.small, MEDIUM), canvas.palette.text);
            }
            y += m.row() * 1.8;
        }
    }
}

/// From the one pole to the other, in the figures that the cells show.
fn scale_bar(canvas: &mut Canvas, rect: Rect, short: bool) {
    let palette = canvas.palette;
    let steps = 41;
    for step in 0..steps {
        let value = f64::from(step) / f64::from(steps - 1) * 2.0 - 1.0;
        let x = rect.x + rect.w * f64::from(step) / f64::from(steps);
        let piece = Rect::new(x, rect.y, rect.w / f64::from(steps) + 0.5, rect.h);
        canvas.rect(piece, 0.0, Paint::fill(heat(palette, palette.poles, value, 1.0)));
    }
    let font = Font::new(canvas.measures.small, NORMAL);
    let y = rect.bottom() + canvas.measures.row() * 0.6;
    let ends = if short { ["-100", "+100"] } else { ["-1", "+1"] };
    for (x, anchor, text) in
        [(rect.x, Anchor::Start, ends[0]), (rect.middle().0, Anchor::Middle, "0"), (rect.right(), Anchor::End, ends[1])]
    {
        canvas.text((x, y), anchor, text, font, palette.soft);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_is_read_once_from_below_the_diagonal() {
        let values = vec![vec![], vec![Some(2.0), Some(1.0)], vec![Some(-0.5), None, Some(1.0)]];
        let pairs: Vec<(usize, usize, f64)> =
            pairs(4, &values).iter().map(|pair| (pair.row, pair.column, pair.value)).collect();
        assert_eq!(pairs, [(1, 0, 1.0), (2, 0, -0.5)]);
    }
}
