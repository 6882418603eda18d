//! How did the account do? Its equity beside a benchmark, and below it how far it stood under its best.

use chrono_tz::Tz;

use super::axis::{Scale, drawable, number, range, signed, value_at};
use super::candles::Line;
use super::dates::{DateLabel, date_labels, stretch};
use super::frame::{Caption, Figure, Headline, Tone, frame, nothing};
use super::pane::{Entry, Legend, Slots, Tag, Tick, ticks};
use super::price::{between, series};
use super::svg::{Canvas, Paint, Rect};
use super::text::{Font, NORMAL};
use super::theme::{Colour, Size, Theme};
use crate::clock::Timestamp;

/// More points than this are thinned; the highest and the lowest of each stretch stay.
const POINTS_MAX: usize = 1_200;

/// An account's equity over time. A value that is not finite leaves a hole.
#[derive(Debug, Clone)]
pub struct EquityChart {
    /// The words around it. The stretch of time is added to the subtitle.
    pub caption: Caption,
    /// For the labels of points within a day.
    pub zone: Tz,
    /// The currency, for the head.
    pub currency: String,
    /// When, in order, and how much.
    pub points: Vec<(Timestamp, f64)>,
    /// What is compared, in the same currency, one value for each point.
    pub benchmark: Option<Line>,
    /// The figures in the head.
    pub figures: Vec<Figure>,
}

/// The chart as SVG: equity above, drawdown in percent below.
pub fn equity(chart: &EquityChart, theme: Theme, size: Size) -> String {
    let mut canvas = Canvas::new(theme, size);
    let curves = Curves::of(chart);
    let mut caption = chart.caption.clone();
    let stretch = stretch(&curves.times, chart.zone);
    if !stretch.is_empty() {
        caption.subtitle =
            if caption.subtitle.is_empty() { stretch } else { format!("{} · {stretch}", caption.subtitle) };
    }
    let content = frame(&mut canvas, &caption, headline(chart).as_ref(), &chart.figures);
    if !curves.equity.values.iter().any(Option::is_some) {
        nothing(&mut canvas, content, "No equity recorded yet");
        return canvas.finish(&caption.title);
    }
    let m = canvas.measures;
    let room = content.h - m.row() * 1.25 - m.gap * 0.75;
    let upper = Rect::new(content.x, content.y, content.w, (room * 0.7).floor());
    let lower = Rect::new(content.x, upper.bottom() + m.gap * 0.75, content.w, (room * 0.3).floor());
    let views = |canvas: &Canvas, axis: f64| {
        let narrow = |rect: Rect| Rect::new(rect.x, rect.y, rect.w - axis, rect.h);
        [curves.equity_view(canvas, narrow(upper)), curves.drawdown_view(canvas, narrow(lower))]
    };
    let axis = views(&canvas, 0.0).iter().map(|view| view.axis_width(&canvas)).fold(0.0, f64::max);
    let slots = Slots::new(Rect::new(content.x, content.y, content.w - axis, 1.0), curves.times.len());
    let labels = date_labels(&curves.times, |index| slots.x(index), chart.zone, Font::new(m.small, NORMAL));
    for view in views(&canvas, axis) {
        view.draw(&mut canvas, slots, &labels);
        if view.falling {
            canvas.date_axis(view.rect, &labels, slots);
        }
    }
    canvas.finish(&caption.title)
}

fn headline(chart: &EquityChart) -> Option<Headline> {
    let finite: Vec<f64> = chart.points.iter().map(|(_, value)| *value).filter(|value| value.is_finite()).collect();
    let (first, last) = (*finite.first()?, *finite.last()?);
    let currency = if chart.currency.is_empty() { String::new() } else { format!(" {}", chart.currency) };
    let share = if first > 0.0 { format!(" ({} %)", signed((last / first - 1.0) * 100.0, 1)) } else { String::new() };
    let change = format!("{}{share}", signed(last - first, 2));
    Some(Headline { value: format!("{}{currency}", number(last, 2)), change, tone: Tone::of(last - first) })
}

/// One account's values at the points that are drawn, and how far each stood under the best before it.
struct Curve {
    values: Vec<Option<f64>>,
    under: Vec<Option<f64>>,
    /// The deepest of all points, drawn or not.
    worst: f64,
}

/// The points that are drawn.
struct Curves<'a> {
    times: Vec<Timestamp>,
    equity: Curve,
    benchmark: Option<(&'a str, Curve)>,
}

impl<'a> Curves<'a> {
    fn of(chart: &'a EquityChart) -> Self {
        let all: Vec<Option<f64>> = chart.points.iter().map(|(_, value)| Some(*value)).collect();
        let kept = thinned(&all, POINTS_MAX);
        let pick = |values: &[Option<f64>]| kept.iter().map(|index| value_at(values, *index)).collect::<Vec<_>>();
        let curve = |values: &[Option<f64>]| {
            let under = drawdown(values);
            let worst = under.iter().flatten().copied().fold(0.0, f64::min);
            Curve { values: pick(values), under: pick(&under), worst }
        };
        Self {
            times: kept.iter().map(|index| chart.points[*index].0).collect(),
            equity: curve(&all),
            benchmark: chart.benchmark.as_ref().map(|line| (line.name.as_str(), curve(&line.values))),
        }
    }

    fn equity_view(&self, canvas: &Canvas, rect: Rect) -> View {
        let colour = canvas.palette.line(2);
        let last = last_of(&self.equity.values);
        let decimals = if last.abs() < 1_000.0 { 2 } else { 0 };
        let mut entries = vec![Entry::new("Equity", number(last, 2), colour)];
        let mut tags = vec![(last, true, colour)];
        let mut curves = vec![(self.equity.values.clone(), colour)];
        if let Some((name, theirs)) = &self.benchmark {
            let (grey, last) = (canvas.palette.line(5), last_of(&theirs.values));
            entries.push(Entry::new(*name, number(last, 2), grey));
            tags.push((last, false, grey));
            curves.push((theirs.values.clone(), grey));
        }
        let legend = Legend::new(canvas, rect.w, entries);
        let all = curves.iter().flat_map(|(values, _)| values.iter().flatten().copied());
        let pad = canvas.measures.pad;
        let scale = Scale::new(range(all).unwrap_or_default(), (rect.y, legend.height + pad), (rect.bottom(), pad));
        let tags = tags.into_iter().map(|(value, solid, colour)| Tag {
            y: scale.inside(value),
            text: number(value, decimals),
            name: "",
            colour,
            solid,
        });
        View { rect, tags: tags.collect(), legend, scale, curves, falling: false, percent: false }
    }

    fn drawdown_view(&self, canvas: &Canvas, rect: Rect) -> View {
        let under = self.equity.under.clone();
        let worst = self.equity.worst;
        let now = last_of(&under);
        let colour = canvas.palette.down;
        let percent = |value: f64| format!("{value:.1} %").replace("-0.0 %", "0.0 %");
        let mut entries = vec![
            Entry::new("Drawdown", percent(now), colour),
            Entry::new("worst", percent(worst), canvas.palette.text),
        ];
        let (mut curves, mut deepest) = (vec![(under, colour)], worst.min(-0.5));
        if let Some((name, theirs)) = &self.benchmark {
            let grey = canvas.palette.line(5);
            entries.push(Entry::new(format!("{name} worst"), percent(theirs.worst), grey));
            curves.push((theirs.under.clone(), grey));
            deepest = deepest.min(theirs.worst);
        }
        let legend = Legend::new(canvas, rect.w, entries);
        let scale = Scale::new((deepest, 0.0), (rect.y, legend.height), (rect.bottom(), canvas.measures.pad * 0.6));
        View { rect, tags: Vec::new(), legend, scale, curves, falling: true, percent: true }
    }
}

/// One of the two panes.
struct View {
    rect: Rect,
    tags: Vec<Tag>,
    legend: Legend,
    scale: Scale,
    curves: Vec<(Vec<Option<f64>>, Colour)>,
    /// The area hangs from zero instead of standing on the foot of the pane.
    falling: bool,
    percent: bool,
}

impl View {
    fn ticks(&self, canvas: &Canvas) -> Vec<Tick> {
        let gap = canvas.measures.tick_gap * if self.percent { 0.7 } else { 1.0 };
        let mut ticks = ticks(&self.scale, gap, |value, decimals| {
            if self.percent { format!("{} %", number(value, decimals)) } else { number(value, decimals) }
        });
        if self.percent {
            ticks.retain(|tick| tick.y > self.scale.y(0.0) - 0.5);
        }
        ticks
    }

    fn axis_width(&self, canvas: &Canvas) -> f64 {
        let ticks = self.ticks(canvas);
        canvas.axis_width(ticks.iter().map(|tick| tick.text.as_str()), &self.tags)
    }

    fn draw(&self, canvas: &mut Canvas, slots: Slots, labels: &[DateLabel]) {
        let rect = self.rect;
        canvas.ground(rect);
        canvas.date_grid(rect, self.legend.height, labels, slots);
        let covered = canvas.tags(rect, &self.tags);
        canvas.value_grid(rect, self.legend.height, &self.ticks(canvas), &covered);
        let width = canvas.measures.stroke * 1.15;
        for (index, (values, colour)) in self.curves.iter().enumerate().rev() {
            let count = values.len();
            let line = series(values, count, slots, &self.scale);
            if index > 0 {
                canvas.path(&line, Paint::stroke(*colour, width * 0.8).faded(0.85).dashed(6.0, 4.0));
                continue;
            }
            let foot = vec![Some(if self.falling { 0.0 } else { self.scale.low() }); count];
            let area = between(values, &foot, count, slots, &self.scale);
            if self.falling {
                canvas.path(&area, Paint::glass(*colour, 0.26));
            } else {
                canvas.fading(&area, *colour, 0.3);
            }
            canvas.path(&line, Paint::stroke(*colour, width));
            let last = count.saturating_sub(1);
            if let (Some(value), false) = (value_at(values, last), self.falling) {
                canvas.circle(slots.x(last), self.scale.inside(value), width * 1.7, Paint::fill(*colour));
            }
        }
        self.legend.draw(canvas, rect);
    }
}

fn last_of(values: &[Option<f64>]) -> f64 {
    values.iter().rev().flatten().copied().next().unwrap_or_default()
}

/// How far each value stands under the highest before it, in percent; none where there is no positive high.
fn drawdown(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut peak = 0.0f64;
    let under = |value: &Option<f64>| {
        let value = value.and_then(drawable)?;
        peak = peak.max(value);
        (peak > 0.0).then(|| ((value / peak - 1.0) * 100.0).max(-100.0))
    };
    values.iter().map(under).collect()
}

/// The indexes to draw: all, or the highest and lowest of each of `most / 2` stretches, with both ends.
fn thinned(values: &[Option<f64>], most: usize) -> Vec<usize> {
    if values.len() <= most {
        return (0..values.len()).collect();
    }
    let stretches = most / 2;
    let mut kept = vec![0, values.len() - 1];
    for stretch in 0..stretches {
        let (from, to) = (stretch * values.len() / stretches, (stretch + 1) * values.len() / stretches);
        let value = |index: &usize| value_at(values, *index).unwrap_or_default();
        kept.extend((from..to).min_by(|a, b| value(a).total_cmp(&value(b))));
        kept.extend((from..to).max_by(|a, b| value(a).total_cmp(&value(b))));
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawdown_is_measured_from_the_highest_so_far() {
        let values = [100.0, 120.0, 90.0, 120.0, 150.0, 75.0].map(Some);
        let under: Vec<f64> = drawdown(&values).into_iter().flatten().collect();
        assert_eq!(under, [0.0, 0.0, -25.0, 0.0, 0.0, -50.0]);
        assert_eq!(drawdown(&[Some(-5.0), None, Some(0.0)]), [None, None, None]);
    }

    #[test]
    fn thinning_keeps_the_ends_and_the_extremes() {
        let mut values: Vec<Option<f64>> = (0..10_000).map(|i| Some(f64::from(i % 7))).collect();
        values[4_321] = Some(99.0);
        values[5_432] = Some(-99.0);
        let kept = thinned(&values, 200);
        assert!(kept.len() <= 202 && kept.windows(2).all(|pair| pair[0] < pair[1]));
        assert!([0, 4_321, 5_432, 9_999].iter().all(|index| kept.contains(index)));
        assert_eq!(thinned(&values[..5], 200), [0, 1, 2, 3, 4]);
    }
}
