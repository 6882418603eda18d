//! What do the panes below the prices show? Volume, RSI, MACD, or any lines.

use super::axis::{Scale, compact, number, range, value_at};
use super::candles::Line;
use super::dates::DateLabel;
use super::pane::{Entry, Legend, Slots, Tick, ticks};
use super::price::{Candle, body_width, series, sharp};
use super::svg::{Canvas, Paint, Path, Rect};
use super::theme::{Colour, Palette};

/// A pane below the prices. All values belong to the bars by their index.
#[derive(Debug, Clone)]
pub enum Pane {
    /// The relative strength index, from 0 to 100, with its lines at 30 and 70.
    Rsi(Line),
    /// Moving average convergence and divergence.
    Macd {
        /// The fast average less the slow one.
        line: Line,
        /// The average of the line.
        signal: Line,
        /// The line less its average.
        histogram: Line,
    },
    /// Any lines on one scale, with fixed lines across.
    Lines {
        /// The lines.
        lines: Vec<Line>,
        /// Values of the lines across.
        guides: Vec<f64>,
    },
}

/// How a column is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Up,
    Down,
    /// Above zero, but less than before.
    UpFading,
    /// Below zero, but more than before.
    DownFading,
}

/// A pane as plain data.
pub(super) struct Study<'a> {
    /// Values and colours of columns that stand on zero.
    columns: Vec<(Option<f64>, Mood)>,
    lines: Vec<(&'a str, &'a [Option<f64>], Colour)>,
    guides: Vec<f64>,
    /// The band between the outer guides is shaded.
    shaded: bool,
    /// The range is at least this.
    least: Option<(f64, f64)>,
    /// Opens the legend: the name and the last value of the columns.
    lead: Option<(String, String, Mood)>,
    volume: bool,
    count: usize,
}

fn shown(line: &Line, skipped: usize) -> &[Option<f64>] {
    line.values.get(skipped..).unwrap_or_default()
}

/// Volume by bar, coloured like its candle, with its average.
pub(super) fn volume_pane<'a>(bars: &[Candle], average: &'a Line, skipped: usize, palette: &Palette) -> Study<'a> {
    let columns: Vec<(Option<f64>, Mood)> =
        bars.iter().map(|bar| (Some(bar.volume), if bar.rises() { Mood::Up } else { Mood::Down })).collect();
    let lead = columns.last().map(|(value, mood)| ("Volume".to_owned(), compact(value.unwrap_or_default()), *mood));
    let values = shown(average, skipped);
    let lines = if values.is_empty() { Vec::new() } else { vec![(average.name.as_str(), values, palette.line(2))] };
    Study { columns, lines, guides: Vec::new(), shaded: false, least: None, lead, volume: true, count: bars.len() }
}

impl<'a> Study<'a> {
    pub(super) fn of(pane: &'a Pane, count: usize, skipped: usize, palette: &Palette) -> Self {
        let line = |line: &'a Line, colour: usize| (line.name.as_str(), shown(line, skipped), palette.line(colour));
        let plain = Self {
            columns: Vec::new(),
            lines: Vec::new(),
            guides: Vec::new(),
            shaded: false,
            least: None,
            lead: None,
            volume: false,
            count,
        };
        match pane {
            Pane::Rsi(values) => Self {
                lines: vec![line(values, 1)],
                guides: vec![30.0, 70.0],
                shaded: true,
                least: Some((25.0, 75.0)),
                ..plain
            },
            Pane::Macd { line: fast, signal, histogram } => {
                let columns = moods(shown(histogram, skipped), count);
                let last = columns.last().copied().and_then(|(value, mood)| Some((value?, mood)));
                let lead = last.map(|(value, mood)| (histogram.name.clone(), figure(value), mood));
                Self { columns, lines: vec![line(fast, 2), line(signal, 0)], guides: vec![0.0], lead, ..plain }
            }
            Pane::Lines { lines, guides } => {
                let lines = lines.iter().enumerate().map(|(index, values)| line(values, index)).collect();
                Self { lines, guides: guides.iter().copied().filter(|guide| guide.is_finite()).collect(), ..plain }
            }
        }
    }

    fn range(&self) -> (f64, f64) {
        let least = self.least.map(|(low, high)| [low, high]).into_iter().flatten();
        let zero = (!self.columns.is_empty()).then_some(0.0);
        let columns = self.columns.iter().filter_map(|(value, _)| *value);
        let lines = self.lines.iter().flat_map(|(_, values, _)| values.iter().take(self.count).flatten().copied());
        let lines = lines.filter(|value| !self.shaded || (0.0..=100.0).contains(value));
        range(columns.chain(lines).chain(zero).chain(least).chain(self.guides.iter().copied())).unwrap_or((0.0, 1.0))
    }

    fn legend(&self, canvas: &Canvas, width: f64) -> Legend {
        let lead = self
            .lead
            .iter()
            .map(|(name, value, mood)| Entry::new(name.as_str(), value.as_str(), paint(canvas, *mood).0));
        let last = self.count.saturating_sub(1);
        let lines = self.lines.iter().map(|(name, values, colour)| {
            let value = value_at(values, last).map_or_else(|| "–".to_owned(), |value| self.written(value));
            Entry::new(*name, value, *colour)
        });
        if self.volume {
            Legend::new(canvas, width, lead.chain(lines))
        } else {
            Legend::new(canvas, width, lines.chain(lead))
        }
    }

    fn written(&self, value: f64) -> String {
        if self.volume { compact(value) } else { figure(value) }
    }

    fn scale(&self, canvas: &Canvas, rect: Rect) -> Scale {
        let head = self.legend(canvas, rect.w).height;
        let foot = if self.volume { 0.0 } else { 5.0 };
        Scale::new(self.range(), (rect.y, head), (rect.bottom(), foot))
    }

    fn ticks(&self, canvas: &Canvas, rect: Rect, scale: &Scale) -> Vec<Tick> {
        if self.shaded {
            let at = |value: &f64| Tick { y: scale.y(*value), text: number(*value, 0) };
            return self.guides.iter().map(at).collect();
        }
        let gap = canvas.measures.small * 1.5;
        let mut ticks = ticks(scale, gap, |value, decimals| match decimals {
            0..=4 if self.volume || value.abs() >= 10_000.0 => compact(value),
            0..=4 => number(value, decimals),
            _ => figure(value),
        });
        let head = rect.y + self.legend(canvas, rect.w).height * 0.5;
        ticks.retain(|tick| tick.y > head && !(self.volume && tick.y > rect.bottom() - 2.0));
        ticks
    }

    /// The width that the ticks need at the right of `rect`.
    pub(super) fn axis_width(&self, canvas: &Canvas, rect: Rect) -> f64 {
        let scale = self.scale(canvas, rect);
        let ticks = self.ticks(canvas, rect, &scale);
        canvas.axis_width(ticks.iter().map(|tick| tick.text.as_str()), &[])
    }

    /// Draws it into `rect`; its axis stands at the right of it.
    pub(super) fn draw(&self, canvas: &mut Canvas, rect: Rect, slots: Slots, labels: &[DateLabel]) {
        let (scale, legend) = (self.scale(canvas, rect), self.legend(canvas, rect.w));
        canvas.ground(rect);
        canvas.date_grid(rect, legend.height, labels, slots);
        let ticks = self.ticks(canvas, rect, &scale);
        canvas.value_grid(rect, legend.height, &ticks, &[]);
        self.draw_guides(canvas, rect, &scale);
        self.draw_columns(canvas, slots, &scale);
        for (_, values, colour) in &self.lines {
            let path = series(values, self.count, slots, &scale);
            canvas.path(&path, Paint::stroke(*colour, canvas.measures.stroke * 0.9));
            let last = self.count.saturating_sub(1);
            if let Some(value) = value_at(values, last) {
                canvas.circle(slots.x(last), scale.inside(value), canvas.measures.stroke * 1.6, Paint::fill(*colour));
            }
        }
        legend.draw(canvas, rect);
    }

    fn draw_guides(&self, canvas: &mut Canvas, rect: Rect, scale: &Scale) {
        let colour = canvas.palette.line(1);
        if let (true, Some((low, high))) = (self.shaded, range(self.guides.iter().copied())) {
            let area = Rect::new(rect.x, scale.y(high), rect.w, scale.y(low) - scale.y(high));
            canvas.rect(area, 0.0, Paint::glass(colour, canvas.palette.tint * 0.45));
        }
        for guide in self.guides.iter().filter(|guide| scale.holds(**guide)) {
            let y = scale.y(*guide).floor() + 0.5;
            let paint = Paint::stroke(canvas.palette.faint, 1.0).dashed(4.0, 4.0).faded(0.7);
            canvas.line((rect.x, y), (rect.right(), y), paint);
        }
    }

    fn draw_columns(&self, canvas: &mut Canvas, slots: Slots, scale: &Scale) {
        let (width, zero) = (body_width(slots.step), scale.inside(0.0));
        for mood in [Mood::Up, Mood::Down, Mood::UpFading, Mood::DownFading] {
            let mut path = Path::default();
            let of_mood = self.columns.iter().enumerate().filter(|(_, (_, its))| *its == mood);
            for (index, (value, _)) in of_mood {
                let Some(value) = value.filter(|value| *value != 0.0) else { continue };
                let x = sharp(slots.x(index), width);
                let y = scale.inside(value);
                path.rect(Rect::new(x - width / 2.0, y.min(zero), width, (y - zero).abs().max(1.0)));
            }
            let (colour, opacity) = paint(canvas, mood);
            canvas.path(&path, Paint::glass(colour, if self.volume { opacity * 0.65 } else { opacity }));
        }
    }
}

fn paint(canvas: &Canvas, mood: Mood) -> (Colour, f64) {
    match mood {
        Mood::Up => (canvas.palette.up, 0.9),
        Mood::Down => (canvas.palette.down, 0.9),
        Mood::UpFading => (canvas.palette.up, 0.45),
        Mood::DownFading => (canvas.palette.down, 0.45),
    }
}

/// Columns that know whether they grow.
fn moods(values: &[Option<f64>], count: usize) -> Vec<(Option<f64>, Mood)> {
    let mut before = 0.0;
    (0..count)
        .map(|index| {
            let value = value_at(values, index);
            let now = value.unwrap_or(before);
            let mood = match (now >= 0.0, now >= before) {
                (true, true) => Mood::Up,
                (true, false) => Mood::UpFading,
                (false, true) => Mood::DownFading,
                (false, false) => Mood::Down,
            };
            before = now;
            (value, mood)
        })
        .collect()
}

/// A value of an indicator, with the decimals its size needs.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 10_000.0 => compact(value),
        size if size >= 10.0 => number(value, 1),
        size if size >= 0.1 => number(value, 2),
        size if size >= 0.001 => number(value, 4),
        size if size > 0.0 => format!("{value:.1e}"),
        _ => "0".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::theme::Theme;

    #[test]
    fn columns_know_whether_they_grow() {
        let values = [Some(1.0), Some(2.0), Some(1.0), Some(-1.0), Some(-0.5), None];
        let moods: Vec<Mood> = moods(&values, 6).into_iter().map(|(_, mood)| mood).collect();
        let want = [Mood::Up, Mood::Up, Mood::UpFading, Mood::Down, Mood::DownFading, Mood::DownFading];
        assert_eq!(moods, want);
    }

    #[test]
    fn rsi_never_leaves_its_range_whatever_it_is_given() {
        let line = Line { name: "RSI".into(), values: vec![Some(1e9), Some(85.0), Some(-7.0), Some(f64::NAN)] };
        let pane = Pane::Rsi(line);
        assert_eq!(Study::of(&pane, 4, 0, Theme::Dark.palette()).range(), (25.0, 85.0));
    }

    #[test]
    fn an_indicator_is_written_as_exactly_as_it_is_large() {
        let texts = [123_456.0, 48.26, -9.56, 0.0123, 2.4e-7, 0.0].map(figure);
        assert_eq!(texts, ["123K", "48.3", "-9.56", "0.0123", "2.4e-7", "0"]);
    }
}
