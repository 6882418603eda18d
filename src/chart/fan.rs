//! Where might it go? Bands of a simulation, from the unlucky to the lucky end.

use super::axis::{Scale, compact, drawable, number, range};
use super::frame::{Caption, Figure, frame, nothing};
use super::pane::{Slots, Tag, ticks};
use super::price::{between, series};
use super::svg::{Anchor, Canvas, Paint, Path, Rect};
use super::text::{Font, NORMAL};
use super::theme::{Size, Theme};

/// At most this many single paths are drawn: the first ones.
pub const PATHS_MAX: usize = 60;
/// At most this many lines are drawn: the first ones.
pub const QUANTILES_MAX: usize = 9;

/// One line of a fan, such as the value that one path in twenty stays under.
#[derive(Debug, Clone, Default)]
pub struct Quantile {
    /// Its name at the end of the line: `5 %`.
    pub name: String,
    /// One value for each step.
    pub values: Vec<f64>,
}

/// The outcome of many simulated paths.
#[derive(Debug, Clone, Default)]
pub struct FanChart {
    /// The words around it.
    pub caption: Caption,
    /// What a step is: `trades`, `days`.
    pub steps: String,
    /// From the lowest to the highest; the first and the last bound the widest band, and so on inwards.
    pub quantiles: Vec<Quantile>,
    /// Some of the paths, as thin lines.
    pub paths: Vec<Vec<f64>>,
    /// A value to mark across, such as the start.
    pub mark: Option<f64>,
    /// The figures in the head.
    pub figures: Vec<Figure>,
}

/// The chart as SVG.
pub fn fan(chart: &FanChart, theme: Theme, size: Size) -> String {
    let mut canvas = Canvas::new(theme, size);
    let content = frame(&mut canvas, &chart.caption, None, &chart.figures);
    let quantiles = &chart.quantiles[..chart.quantiles.len().min(QUANTILES_MAX)];
    let count = quantiles.iter().map(|line| line.values.len()).max().unwrap_or(0);
    let lines: Vec<Vec<Option<f64>>> =
        quantiles.iter().map(|line| line.values.iter().copied().map(drawable).collect()).collect();
    let paths = chart.paths.iter().take(PATHS_MAX).flatten().copied().filter(|_| count > 0);
    let Some(span) =
        range(lines.iter().flatten().flatten().copied().chain(paths).chain(chart.mark)).filter(|_| count > 0)
    else {
        nothing(&mut canvas, content, "Nothing simulated yet");
        return canvas.finish(&chart.caption.title);
    };
    let m = canvas.measures;
    let tall = Rect::new(content.x, content.y, content.w, content.h - m.row() * 1.3);
    let scale = Scale::new(span, (tall.y, m.pad), (tall.bottom(), m.pad));
    let tags = tags(&canvas, quantiles, &lines, &scale);
    let ticks = ticks(
        &scale,
        m.tick_gap,
        |value, decimals| if value.abs() >= 1e6 { compact(value) } else { number(value, decimals) },
    );
    let axis = canvas.axis_width(ticks.iter().map(|tick| tick.text.as_str()), &tags);
    let rect = Rect::new(tall.x, tall.y, tall.w - axis, tall.h);
    let slots = Slots::new(rect, count);
    canvas.ground(rect);
    let covered = canvas.tags(rect, &tags);
    canvas.value_grid(rect, 0.0, &ticks, &covered);
    step_axis(&mut canvas, rect, slots, count, &chart.steps);
    canvas.clip(rect.inset(1.0));
    let blue = canvas.palette.line(2);
    for pair in 0..lines.len() / 2 {
        let area = between(&lines[lines.len() - 1 - pair], &lines[pair], count, slots, &scale);
        canvas.path(&area, Paint::glass(blue, canvas.palette.tint * 0.7));
    }
    for path in chart.paths.iter().take(PATHS_MAX) {
        let values: Vec<Option<f64>> = path.iter().copied().map(drawable).collect();
        canvas.path(&series(&values, count, slots, &scale), Paint::stroke(canvas.palette.soft, 1.0).faded(0.25));
    }
    for (index, values) in lines.iter().enumerate() {
        let middle = lines.len() % 2 == 1 && index == lines.len() / 2;
        let (width, strength) = if middle { (m.stroke * 1.3, 1.0) } else { (m.stroke * 0.6, 0.6) };
        canvas.path(&series(values, count, slots, &scale), Paint::stroke(blue, width).faded(strength));
    }
    if let Some(mark) = chart.mark.filter(|mark| scale.holds(*mark)) {
        let y = scale.y(mark).floor() + 0.5;
        canvas.line((rect.x, y), (rect.right(), y), Paint::stroke(canvas.palette.faint, 1.2).dashed(5.0, 4.0));
    }
    canvas.end();
    canvas.finish(&chart.caption.title)
}

fn tags(canvas: &Canvas, quantiles: &[Quantile], lines: &[Vec<Option<f64>>], scale: &Scale) -> Vec<Tag> {
    let middle = |index: usize| lines.len() % 2 == 1 && index == lines.len() / 2;
    let last = |values: &Vec<Option<f64>>| values.iter().rev().flatten().copied().next();
    let tag = |(index, values): (usize, &Vec<Option<f64>>)| {
        let value = last(values)?;
        let written =
            if value.abs() >= 1e6 { compact(value) } else { number(value, usize::from(value.abs() < 100.0) * 2) };
        let text = format!("{} {written}", quantiles[index].name);
        Some(Tag { y: scale.inside(value), text, name: "", colour: canvas.palette.line(2), solid: middle(index) })
    };
    lines.iter().enumerate().filter_map(tag).collect()
}

/// Round counts below the pane, and what they count.
fn step_axis(canvas: &mut Canvas, rect: Rect, slots: Slots, count: usize, name: &str) {
    let m = canvas.measures;
    let font = Font::new(m.small, NORMAL);
    let y = rect.bottom() + m.row() * 0.7;
    let name = font.fitted(name, rect.w / 3.0);
    let end = rect.right() - font.width(&name) - m.pad;
    let across = Scale::new((0.0, count.saturating_sub(1).max(1) as f64), (0.0, 0.0), (rect.w, 0.0));
    let mut grid = Path::default();
    for tick in across.ticks(m.tick_gap * 1.8).0 {
        let (x, text) = (slots.x(tick as usize), number(tick, 0));
        let half = font.width(&text) / 2.0;
        if x - half >= rect.x && x + half <= end && tick.fract().abs() < 1e-9 {
            grid.move_to(x.floor() + 0.5, rect.y).line_to(x.floor() + 0.5, rect.bottom());
            canvas.text((x, y), Anchor::Middle, &text, font, canvas.palette.soft);
        }
    }
    canvas.path(&grid, Paint::stroke(canvas.palette.grid, 1.0));
    canvas.text((rect.right(), y), Anchor::End, &name, font, canvas.palette.soft);
}
