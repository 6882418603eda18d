//! Where did we trade? A region from entry to exit, and a flag at each that covers no candle and no other flag.

use super::axis::{Scale, number, price_decimals};
use super::candles::TradeMark;
use super::pane::Slots;
use super::price::{Candle, Shown};
use super::svg::{Anchor, Canvas, Paint, Path, Rect};
use super::text::{Font, STRONG};
use super::theme::Colour;
use crate::clock::Timestamp;
use crate::domain::format::signed_percent;
use crate::domain::{Price, Ratio, Side};

/// At most this many trades are marked: the last ones.
const TRADES_MAX: usize = 60;
/// At most so many flags have words: the latest. More would cover the picture.
const WORDS_MAX: usize = 16;
/// How often a flag is moved out of another's way before it is left out.
const MOVES_MAX: u8 = 4;

/// The bar in which an instant lies; none before the first.
pub(super) fn place_of(bars: &[Candle], at: Timestamp) -> Option<usize> {
    bars.partition_point(|bar| bar.at <= at).checked_sub(1)
}

/// The result of a trade as a share of its entry; for an open one at the price of `last`.
fn result(trade: &TradeMark, last: Option<&Candle>) -> Option<Ratio> {
    let exit = trade.exit.map(|(_, price)| price).or_else(|| Price::from_f64(last?.close))?;
    let change = exit.minus(trade.entry.1).ok()?;
    let change = if trade.side == Side::Buy { change } else { change.negated() };
    Some(change.share_of(trade.entry.1))
}

fn result_colour(canvas: &Canvas, result: Ratio) -> Colour {
    if result < Ratio::ZERO { canvas.palette.down } else { canvas.palette.up }
}

fn marked<'a>(shown: &Shown<'a>) -> &'a [TradeMark] {
    &shown.trades[shown.trades.len().saturating_sub(TRADES_MAX)..]
}

/// Shades what lies between entry and exit, in time and in price.
pub(super) fn draw_regions(canvas: &mut Canvas, slots: Slots, scale: &Scale, shown: &Shown) {
    for trade in marked(shown) {
        let Some(result) = result(trade, shown.bars.last()) else { continue };
        let last = shown.bars.len().saturating_sub(1);
        let Some(end) = trade.exit.map_or(Some(last), |(at, _)| place_of(shown.bars, at)) else { continue };
        let start = place_of(shown.bars, trade.entry.0).unwrap_or(0);
        let close = shown.bars.get(last).map_or(0.0, |bar| bar.close);
        let from = (slots.x(start), scale.y(trade.entry.1.to_f64()));
        let to = (slots.x(end), scale.y(trade.exit.map_or(close, |(_, price)| price.to_f64())));
        let colour = result_colour(canvas, result);
        // A trade within one bar, or without a result, still leaves a trace.
        let (width, height) = ((to.0 - from.0).abs().max(1.0), (to.1 - from.1).abs().max(1.0));
        let area = Rect::new(from.0.min(to.0), from.1.min(to.1), width, height);
        let strength = if trade.exit.is_some() { 0.75 } else { 0.5 };
        canvas.rect(area, 0.0, Paint::glass(colour, canvas.palette.tint * strength));
        let width = canvas.measures.stroke * 0.8;
        canvas.line(from, to, Paint::stroke(colour, width).dashed(5.0, 4.0).faded(0.85));
    }
}

/// A flag before it has a place.
struct Flag {
    index: usize,
    text: String,
    colour: Colour,
    /// Below the candles, for a purchase.
    below: bool,
}

fn triangle(canvas: &Canvas) -> f64 {
    (canvas.measures.small * 0.7).round()
}

fn flags(canvas: &Canvas, shown: &Shown) -> Vec<Flag> {
    let mut flags = Vec::new();
    // The latest first: they get the best places.
    for trade in marked(shown).iter().rev() {
        let word = |side: Side| if side == Side::Buy { "BUY" } else { "SELL" };
        let entered = canvas.palette.line(2);
        let result = result(trade, shown.bars.last()).unwrap_or_default();
        if let Some(index) = trade.exit.and_then(|(at, _)| place_of(shown.bars, at)) {
            let text = format!("{} {}", word(trade.side.opposite()), signed_percent(result));
            flags.push(Flag { index, text, colour: result_colour(canvas, result), below: trade.side == Side::Sell });
        }
        if let Some(index) = place_of(shown.bars, trade.entry.0) {
            let price = trade.entry.1.to_f64();
            let text = format!("{} {}", word(trade.side), number(price, price_decimals(price)));
            flags.push(Flag { index, text, colour: entered, below: trade.side == Side::Buy });
        }
    }
    flags
}

/// A flag with its place.
struct Placed {
    flag: Flag,
    /// The point of its triangle, beside its candle.
    tip: (f64, f64),
    /// Where its words stand; none where there is no room for them.
    words: Option<Rect>,
}

/// Finds a place inside `rect` for the words of each flag that covers no candle and no other flag.
fn placed(canvas: &Canvas, rect: Rect, slots: Slots, scale: &Scale, shown: &Shown) -> Vec<Placed> {
    let (font, side, height) = (flag_font(canvas), triangle(canvas), canvas.measures.row());
    let mut taken: Vec<Rect> = Vec::new();
    let place = |flag: Flag| {
        let bar = shown.bars.get(flag.index)?;
        let down = if flag.below { 1.0 } else { -1.0 };
        let end = |bar: &Candle| scale.y(if flag.below { bar.low } else { bar.high });
        let tip = (slots.x(flag.index), end(bar) + 5.0 * down);
        let width = font.width(&flag.text) + 14.0;
        // Centred, or to one side where the neighbours on the other would keep it far away.
        let places = [0.5, 0.12, 0.88].into_iter().filter_map(|share| {
            let left = (tip.0 - width * share).clamp(rect.x + 4.0, (rect.right() - width - 4.0).max(rect.x + 4.0));
            let near = (left - slots.step)..(left + width + slots.step);
            let neighbours = shown.bars.iter().enumerate().filter(|(index, _)| near.contains(&slots.x(*index)));
            let edge = neighbours
                .map(|(_, bar)| end(bar))
                .fold(tip.1 + side * down, |edge, y| if flag.below { edge.max(y + 2.0) } else { edge.min(y - 2.0) });
            (0..MOVES_MAX).find_map(|step| {
                let near = edge + down * (4.0 + f64::from(step) * (height + 4.0));
                let words = Rect::new(left, if flag.below { near } else { near - height }, width, height);
                let inside = words.y >= rect.y && words.bottom() <= rect.bottom() - 3.0;
                (inside && taken.iter().all(|other| !other.overlaps(&words))).then_some(words)
            })
        });
        let away = |words: &Rect| {
            let aside = if (words.middle().0 - tip.0).abs() < 1.0 { 0.0 } else { height };
            (words.y - tip.1).abs() + aside
        };
        let words = places.min_by(|a, b| away(a).total_cmp(&away(b))).filter(|_| taken.len() < WORDS_MAX);
        taken.extend(words.map(|words| words.grown(2.0)));
        Some(Placed { flag, tip, words })
    };
    flags(canvas, shown).into_iter().filter_map(place).collect()
}

fn flag_font(canvas: &Canvas) -> Font {
    Font::new(canvas.measures.small, STRONG)
}

/// The room that flags lack above and below the candles of `scale`.
pub(super) fn flag_room(canvas: &Canvas, rect: Rect, slots: Slots, scale: &Scale, shown: &Shown) -> (f64, f64) {
    let most = rect.h * 0.2;
    let roomy = Rect::new(rect.x, rect.y - most, rect.w, rect.h + 2.0 * most);
    let (mut above, mut below) = (0.0f64, 0.0f64);
    for words in placed(canvas, roomy, slots, scale, shown).iter().filter_map(|placed| placed.words) {
        above = above.max(rect.y - words.y);
        below = below.max(words.bottom() + 4.0 - rect.bottom());
    }
    (above, below)
}

/// Draws a triangle at each entry and exit, and its words where they have room inside `rect`.
pub(super) fn draw_flags(canvas: &mut Canvas, rect: Rect, slots: Slots, scale: &Scale, shown: &Shown) {
    let (font, side) = (flag_font(canvas), triangle(canvas));
    let placed = placed(canvas, rect, slots, scale, shown);
    let base = |at: &Placed| at.tip.1 + if at.flag.below { side } else { -side };
    for at in &placed {
        let (x, base) = (at.tip.0, base(at));
        if let Some(words) = at.words {
            let end = if at.flag.below { words.y } else { words.bottom() };
            canvas.line((x, base), (x, end), Paint::stroke(at.flag.colour, 1.2).faded(0.7));
        }
        let mut shape = Path::default();
        shape.move_to(x, at.tip.1).line_to(x - side * 0.6, base).line_to(x + side * 0.6, base).close();
        canvas.path(&shape, Paint::fill(at.flag.colour));
    }
    for (flag, words) in placed.iter().filter_map(|at| Some((&at.flag, at.words?))) {
        canvas.rect(words, 5.0, Paint::fill(canvas.palette.panel).edge(flag.colour, 1.2));
        canvas.text(words.middle(), Anchor::Middle, &flag.text, font, flag.colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::pane::Slots;
    use crate::chart::theme::{Size, Theme};

    fn candle(index: i64, low: f64, high: f64) -> Candle {
        Candle { at: Timestamp::from_ms(index * 60_000), open: low, high, low, close: high, volume: 0.0 }
    }

    /// A market that jumps about, so that a flag beside one candle easily covers the next.
    fn jumpy() -> Vec<Candle> {
        (0..80).map(|index| candle(index, 100.0 + (index * 37 % 23) as f64, 103.0 + (index * 37 % 23) as f64)).collect()
    }

    fn mark(side: Side, entry: i64, exit: Option<i64>) -> TradeMark {
        let at = |index: i64| (Timestamp::from_ms(index * 60_000 + 1_000), Price::whole(100 + index));
        TradeMark { side, entry: at(entry), exit: exit.map(at) }
    }

    #[test]
    fn flags_cover_no_candle_and_no_other_flag() {
        let bars = jumpy();
        let trades: Vec<TradeMark> = (0..12).map(|step| mark(Side::Buy, step * 6, Some(step * 6 + 4))).collect();
        let shown = Shown { bars: &bars, skipped: 0, lines: &[], band: None, trades: &trades, levels: &[], lead: None };
        let (canvas, rect) = (Canvas::new(Theme::Dark, Size::Landscape), Rect::new(0.0, 0.0, 1_000.0, 500.0));
        let (slots, scale) = (Slots::new(rect, bars.len()), Scale::new((100.0, 126.0), (0.0, 90.0), (500.0, 90.0)));
        let words: Vec<Rect> = placed(&canvas, rect, slots, &scale, &shown).iter().filter_map(|at| at.words).collect();
        assert!(words.len() > 12, "{} of 24 flags have words", words.len());
        for (index, place) in words.iter().enumerate() {
            assert!(words[index + 1..].iter().all(|other| !other.overlaps(place)));
            for (index, bar) in bars.iter().enumerate() {
                let body =
                    Rect::new(slots.x(index) - 3.0, scale.y(bar.high), 6.0, scale.y(bar.low) - scale.y(bar.high));
                assert!(!place.overlaps(&body), "{place:?} covers candle {index}");
            }
        }
    }

    #[test]
    fn a_fill_belongs_to_the_bar_that_has_begun() {
        let bars = jumpy();
        let place = |ms| place_of(&bars, Timestamp::from_ms(ms));
        assert_eq!((place(-1), place(0), place(59_999), place(60_000)), (None, Some(0), Some(0), Some(1)));
        assert_eq!(place(i64::MAX), Some(79));
    }

    #[test]
    fn a_short_trade_gains_when_the_price_falls() {
        let trade = TradeMark { side: Side::Sell, ..mark(Side::Buy, 0, None) };
        assert_eq!(result(&trade, Some(&candle(9, 90.0, 90.0))), Some(Ratio::from_percent(10)));
        assert_eq!(result(&mark(Side::Buy, 0, Some(10)), None), Some(Ratio::from_percent(10)));
    }
}
