//! How are prices drawn? Candles, the lines and the band over them, the levels in force, the tag of the last price.

use super::axis::{Scale, number, price_decimals, range, value_at};
use super::candles::{Band, Level, LevelKind, Line, TradeMark};
use super::dates::DateLabel;
use super::pane::{Entry, Legend, Slots, Tag, Tick, ticks};
use super::svg::{Canvas, Paint, Path, Rect};
use super::theme::Colour;
use super::trades::{draw_flags, draw_regions, flag_room, place_of};
use crate::clock::Timestamp;
use crate::domain::Bar;

/// A bar in floating point, with a high and a low that hold all of its prices.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candle {
    pub(super) at: Timestamp,
    pub(super) open: f64,
    pub(super) high: f64,
    pub(super) low: f64,
    pub(super) close: f64,
    pub(super) volume: f64,
}

impl Candle {
    pub(super) fn of(bar: &Bar) -> Self {
        let (open, close) = (bar.open.to_f64(), bar.close.to_f64());
        let high = bar.high.to_f64().max(open).max(close);
        let low = bar.low.to_f64().min(open).min(close);
        Self { at: bar.start, open, high, low, close, volume: bar.volume.to_f64().max(0.0) }
    }

    pub(super) fn rises(&self) -> bool {
        self.close >= self.open
    }
}

/// What a price pane shows.
pub(super) struct Shown<'a> {
    pub(super) bars: &'a [Candle],
    /// How many values of lines and band belong to bars that are not shown.
    pub(super) skipped: usize,
    pub(super) lines: &'a [Line],
    pub(super) band: Option<&'a Band>,
    pub(super) trades: &'a [TradeMark],
    pub(super) levels: &'a [Level],
    /// Opens the legend instead of the prices of the last bar.
    pub(super) lead: Option<Entry>,
}

impl Shown<'_> {
    fn decimals(&self) -> usize {
        self.bars.last().map_or(2, |bar| price_decimals(bar.close))
    }

    fn values<'b>(&self, values: &'b [Option<f64>]) -> &'b [Option<f64>] {
        values.get(self.skipped..).unwrap_or_default()
    }

    /// All candles, and what lies not too far from them.
    fn range(&self) -> (f64, f64) {
        let bars = self.bars.iter().flat_map(|bar| [bar.low, bar.high]);
        let (low, high) = range(bars).unwrap_or((0.0, 0.0));
        let reach = ((high - low) * 0.6).max(high.abs() * 0.01);
        let band = self.band.map(|band| [&band.upper, &band.lower]).into_iter().flatten();
        let drawn = self.lines.iter().map(|line| &line.values).chain(band);
        let drawn = drawn.flat_map(|values| self.values(values).iter().take(self.bars.len()).flatten().copied());
        let levels = self.levels.iter().map(|level| level.price.to_f64());
        let near = |value: &f64| *value >= low - reach && *value <= high + reach;
        range(drawn.chain(levels).filter(near).chain([low, high])).unwrap_or((low, high))
    }

    fn legend(&self, canvas: &Canvas, width: f64) -> Legend {
        let (palette, decimals) = (canvas.palette, self.decimals());
        let mut entries = Vec::new();
        if let Some(lead) = &self.lead {
            entries.push(lead.clone());
        } else if let Some(last) = self.bars.last() {
            let close = if last.rises() { palette.up } else { palette.down };
            let prices = [
                ("O", last.open, palette.text),
                ("H", last.high, palette.text),
                ("L", last.low, palette.text),
                ("C", last.close, close),
            ];
            entries.extend(prices.map(|(name, price, colour)| Entry::new(name, number(price, decimals), colour)));
        }
        let last = self.bars.len().saturating_sub(1);
        let figure = |values: &[Option<f64>]| {
            value_at(self.values(values), last).map_or_else(|| "–".to_owned(), |value| number(value, decimals))
        };
        for (index, line) in self.lines.iter().enumerate() {
            entries.push(Entry::new(line.name.as_str(), figure(&line.values), palette.line(index)));
        }
        if let Some(band) = self.band {
            let edges = format!("{} – {}", figure(&band.lower), figure(&band.upper));
            entries.push(Entry::new(band.name.as_str(), edges, band_colour(canvas)));
        }
        Legend::new(canvas, width, entries)
    }

    fn scale(&self, canvas: &Canvas, rect: Rect) -> Scale {
        let (head, pad) = (self.legend(canvas, rect.w).height, canvas.measures.pad);
        let scale = |above: f64, below: f64| {
            Scale::new(self.range(), (rect.y, head + pad * 0.5 + above), (rect.bottom(), pad + below))
        };
        let plot = Rect::new(rect.x, rect.y + head, rect.w, rect.h - head);
        let (above, below) = flag_room(canvas, plot, Slots::new(rect, self.bars.len()), &scale(0.0, 0.0), self);
        scale(above, below)
    }

    fn tags(&self, canvas: &Canvas, scale: &Scale) -> Vec<Tag> {
        let (palette, decimals) = (canvas.palette, self.decimals());
        let last = self.bars.last().map(|bar| Tag {
            y: scale.inside(bar.close),
            text: number(bar.close, decimals),
            name: "",
            colour: if bar.rises() { palette.up } else { palette.down },
            solid: true,
        });
        let levels = self.levels.iter().map(|level| {
            let price = level.price.to_f64();
            let away = match price {
                price if scale.holds(price) => "",
                price if scale.y(price) < scale.inside(price) => "▲ ",
                _ => "▼ ",
            };
            let text = format!("{away}{}", number(price, decimals));
            Tag {
                y: scale.inside(price),
                text,
                name: level_name(level.kind),
                colour: level_colour(canvas, level.kind),
                solid: false,
            }
        });
        last.into_iter().chain(levels).collect()
    }

    fn ticks(&self, canvas: &Canvas, scale: &Scale) -> Vec<Tick> {
        let positive = self.bars.iter().all(|bar| bar.low >= 0.0);
        let cents = if self.bars.iter().all(|bar| bar.high < 1_000.0) { 2 } else { 0 };
        let mut ticks = ticks(scale, canvas.measures.tick_gap, |value, decimals| number(value, decimals.max(cents)));
        ticks.retain(|tick| !positive || tick.y <= scale.y(0.0) + 0.5);
        ticks
    }

    /// The width that ticks and tags need at the right of `rect`.
    pub(super) fn axis_width(&self, canvas: &Canvas, rect: Rect) -> f64 {
        let scale = self.scale(canvas, rect);
        let ticks = self.ticks(canvas, &scale);
        canvas.axis_width(ticks.iter().map(|tick| tick.text.as_str()), &self.tags(canvas, &scale))
    }
}

fn band_colour(canvas: &Canvas) -> Colour {
    canvas.palette.series[2]
}

fn level_name(kind: LevelKind) -> &'static str {
    match kind {
        LevelKind::Entry => "IN",
        LevelKind::Stop => "SL",
        LevelKind::Target => "TP",
    }
}

fn level_colour(canvas: &Canvas, kind: LevelKind) -> Colour {
    match kind {
        LevelKind::Entry => canvas.palette.text,
        LevelKind::Stop => canvas.palette.down,
        LevelKind::Target => canvas.palette.up,
    }
}

/// Draws one pane of prices into `rect`; its axis stands at the right of it.
pub(super) fn price_pane(canvas: &mut Canvas, rect: Rect, slots: Slots, labels: &[DateLabel], shown: &Shown) {
    let (scale, legend) = (shown.scale(canvas, rect), shown.legend(canvas, rect.w));
    canvas.ground(rect);
    canvas.date_grid(rect, legend.height, labels, slots);
    let tags = shown.tags(canvas, &scale);
    let covered = canvas.tags(rect, &tags);
    let ticks = shown.ticks(canvas, &scale);
    canvas.value_grid(rect, legend.height, &ticks, &covered);
    canvas.clip(rect.inset(1.0));
    draw_band(canvas, slots, &scale, shown);
    draw_regions(canvas, slots, &scale, shown);
    draw_levels(canvas, rect, slots, &scale, shown);
    draw_candles(canvas, slots, &scale, shown.bars);
    // Over thin candles, a thinner line leaves them to be seen.
    let width = canvas.measures.stroke * if slots.step < 3.0 { 0.75 } else { 1.0 };
    for (index, line) in shown.lines.iter().enumerate() {
        let path = series(shown.values(&line.values), shown.bars.len(), slots, &scale);
        canvas.path(&path, Paint::stroke(canvas.palette.line(index), width));
    }
    canvas.end();
    draw_flags(canvas, Rect::new(rect.x, rect.y + legend.height, rect.w, rect.h - legend.height), slots, &scale, shown);
    legend.draw(canvas, rect);
}

/// A line through the values that are known.
pub(super) fn series(values: &[Option<f64>], count: usize, slots: Slots, scale: &Scale) -> Path {
    Path::through((0..count).map(|index| value_at(values, index).map(|value| (slots.x(index), scale.y(value)))))
}

/// The area between two lines, in one piece for each stretch where both are known.
fn draw_band(canvas: &mut Canvas, slots: Slots, scale: &Scale, shown: &Shown) {
    let Some(band) = shown.band else { return };
    let (upper, lower) = (shown.values(&band.upper), shown.values(&band.lower));
    let (colour, count) = (band_colour(canvas), shown.bars.len());
    canvas.path(&between(upper, lower, count, slots, scale), Paint::glass(colour, canvas.palette.tint * 0.55));
    for edge in [upper, lower] {
        canvas.path(&series(edge, count, slots, scale), Paint::stroke(colour, 1.2).faded(0.5));
    }
}

/// The closed areas between two lines.
pub(super) fn between(upper: &[Option<f64>], lower: &[Option<f64>], count: usize, slots: Slots, scale: &Scale) -> Path {
    let edges = |index: usize| Some((value_at(upper, index)?, value_at(lower, index)?));
    let mut area = Path::default();
    let mut from = 0;
    while from < count {
        let to = (from..count).find(|index| edges(*index).is_none()).unwrap_or(count);
        let there = (from..to).filter_map(|index| Some((slots.x(index), scale.y(edges(index)?.0))));
        let back = (from..to).rev().filter_map(|index| Some((slots.x(index), scale.y(edges(index)?.1))));
        for (step, (x, y)) in there.chain(back).enumerate() {
            if step == 0 {
                area.move_to(x, y)
            } else {
                area.line_to(x, y)
            };
        }
        if to > from {
            area.close();
        }
        from = to + 1;
    }
    area
}

fn draw_levels(canvas: &mut Canvas, rect: Rect, slots: Slots, scale: &Scale, shown: &Shown) {
    let width = if canvas.measures.stroke > 2.0 { 2.0 } else { 1.2 };
    for level in shown.levels.iter().filter(|level| scale.holds(level.price.to_f64())) {
        let start = level.since.and_then(|since| place_of(shown.bars, since)).map_or(rect.x, |index| slots.x(index));
        let y = scale.y(level.price.to_f64()).floor() + 0.5;
        let paint = Paint::stroke(level_colour(canvas, level.kind), width).dashed(2.0, 4.0);
        canvas.line((start, y), (rect.right(), y), paint);
    }
    if let Some(last) = shown.bars.last() {
        let colour = if last.rises() { canvas.palette.up } else { canvas.palette.down };
        let y = scale.y(last.close).floor() + 0.5;
        canvas.line((rect.x, y), (rect.right(), y), Paint::stroke(colour, width).dashed(3.0, 3.0).faded(0.6));
    }
}

/// The width of a body or a column: an odd number of pixels, two where there is no room for three, less where candles
/// are thinner than that.
pub(super) fn body_width(step: f64) -> f64 {
    match (step * 0.7).min(28.0) {
        wide if wide < 1.8 => wide,
        wide if wide < 3.0 => 2.0,
        wide => ((wide - 1.0) / 2.0).floor() * 2.0 + 1.0,
    }
}

/// The middle of a body of this width near `x`, so that its edges fall between pixels. Bodies thinner than two pixels
/// stay where they are: rounding would make bands.
pub(super) fn sharp(x: f64, width: f64) -> f64 {
    match width {
        width if width < 2.0 => x,
        width if width < 3.0 => x.round(),
        _ => x.floor() + 0.5,
    }
}

/// One path each for wicks and bodies of rising and falling candles. Rising bodies are hollow where that can be seen.
fn draw_candles(canvas: &mut Canvas, slots: Slots, scale: &Scale, bars: &[Candle]) {
    let body = body_width(slots.step);
    let (thin, hollow) = (body < 2.0, body >= 5.0);
    for rising in [true, false] {
        let colour = if rising { canvas.palette.up } else { canvas.palette.down };
        let (mut wicks, mut bodies) = (Path::default(), Path::default());
        for (index, bar) in bars.iter().enumerate().filter(|(_, bar)| bar.rises() == rising) {
            let x = sharp(slots.x(index), body);
            let (top, bottom) = (scale.y(bar.open.max(bar.close)), scale.y(bar.open.min(bar.close)));
            let (top, bottom) =
                if thin { (top, bottom.max(top + 1.0)) } else { (top.round(), bottom.round().max(top.round() + 1.0)) };
            let (high, low) = (scale.y(bar.high), scale.y(bar.low));
            if high < top {
                wicks.move_to(x, high).line_to(x, top);
            }
            if low > bottom {
                wicks.move_to(x, bottom).line_to(x, low);
            }
            let inner = if hollow && rising { 0.5 } else { 0.0 };
            bodies.rect(Rect::new(x - body / 2.0, top, body, bottom - top).inset(inner));
        }
        let wick = if body > 12.0 { 2.0 } else { 1.0 };
        canvas.path(
            &wicks,
            Paint::stroke(colour, if thin { body * 0.8 } else { wick }).faded(if body < 3.0 { 0.7 } else { 1.0 }),
        );
        let paint = if hollow && rising {
            Paint::fill(canvas.palette.panel.mixed(colour, 0.28)).edge(colour, 1.0)
        } else {
            Paint::fill(colour)
        };
        canvas.path(&bodies, paint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_sharp_edges_and_a_gap() {
        for step in [3.0, 4.5, 9.0, 20.0, 95.0] {
            let width = body_width(step);
            assert!(width <= step - 1.0 && width.fract().abs() < 1e-9, "{step}: {width}");
            let edge = sharp(17.3, width) - width / 2.0;
            assert!(edge.fract().abs() < 1e-9 && (edge + width / 2.0 - 17.3).abs() < 1.0, "{step}: {edge}");
        }
        assert!(body_width(1.5) > 1.0 && body_width(1.5) < 1.5);
    }

    #[test]
    fn a_faulty_bar_still_holds_its_prices() {
        let price = crate::domain::Price::whole;
        let volume = crate::domain::Quantity::whole(-5);
        let bar = Bar {
            start: Timestamp::default(),
            open: price(10),
            high: price(8),
            low: price(12),
            close: price(9),
            volume,
        };
        let candle = Candle::of(&bar);
        assert_eq!((candle.high, candle.low, candle.volume), (10.0, 9.0, 0.0));
    }

    #[test]
    fn a_band_is_closed_around_each_stretch_that_is_known() {
        let slots = Slots::new(Rect::new(0.0, 0.0, 100.0, 100.0), 5);
        let scale = Scale::new((0.0, 10.0), (0.0, 0.0), (100.0, 0.0));
        let upper = [Some(9.0), Some(9.0), None, Some(9.0), Some(f64::NAN)];
        let path = format!("{:?}", between(&upper, &[Some(1.0); 5], 5, slots, &scale));
        assert_eq!((path.matches('M').count(), path.matches('Z').count(), path.matches('L').count()), (2, 2, 4));
    }

    #[test]
    fn a_line_far_away_does_not_flatten_the_candles() {
        let bar = Candle { at: Timestamp::default(), open: 100.0, high: 110.0, low: 100.0, close: 105.0, volume: 0.0 };
        let lines = [
            Line { name: String::new(), values: vec![Some(1e9)] },
            Line { name: String::new(), values: vec![Some(112.0)] },
        ];
        let shown = Shown { bars: &[bar], skipped: 0, lines: &lines, band: None, trades: &[], levels: &[], lead: None };
        assert_eq!(shown.range(), (100.0, 112.0));
    }
}
