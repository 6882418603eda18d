//! How does a trade stand? While it is open its message stays that of its opening, with the stop and the size of now.

use crate::clock::Timestamp;
use crate::domain::format::{percent, price, quantity, signed_percent};
use crate::domain::{Block, Event, EventKind, Money, Price, Quantity, Side, TradeFill};

use super::telling::{Said, Telling, Words, line};
use super::{story_blocks, told};

/// An open trade as it is now.
struct Standing {
    /// Negative for a short.
    quantity: Quantity,
    average: Price,
    stop: Option<Price>,
    /// Where the stop was before, if it moved.
    was: Option<Price>,
    /// When more was bought or sold short, the last time.
    scaled: Option<Timestamp>,
}

/// The message of a trade, anew: while it is open, the opening as it stands now. Once it is over, the fact of the opening and the result,
/// as the end is told in a message of its own. Any other story is told whole.
pub fn living_blocks(events: &[Event], telling: &Telling) -> Vec<Block> {
    let opened = events.iter().rev().find(|event| matches!(event.kind, EventKind::PositionOpened { .. }));
    if let (Some(opened), Some(Event { kind: EventKind::PositionClosed { trade, .. }, .. })) = (opened, events.last()) {
        let mut blocks = told(opened, telling);
        blocks.truncate(1);
        let words = Words::of(opened, telling);
        let (closed, result) = (words.time(trade.closed), words.result_of(trade));
        let over = line(&format!("Closed {closed}: {result} · `/why {}`", trade.id));
        blocks.extend(telling.restyled(vec![Block::Line(over)]));
        return blocks;
    }
    story_blocks(events, telling)
}

/// An open trade as it stands, of its opening and what came after it; none if it is no open trade.
pub(super) fn open_trade(events: &[Event], telling: &Telling) -> Option<Vec<Block>> {
    let (opened, since) = events.split_first()?;
    let goes_on = |event: &Event| matches!(event.kind, EventKind::PositionScaled { .. } | EventKind::StopMoved { .. });
    let is_open = matches!(opened.kind, EventKind::PositionOpened { .. }) && since.iter().all(goes_on);
    is_open.then(|| telling.finished(Words::of(opened, telling).opened(&opened.kind, since).blocks()))
}

/// What a position comes to if its stop fills, before the fee; none where its size is not known.
pub(super) fn stopped_at((held, average): (Quantity, Price), stop: Price) -> Option<Money> {
    if held.is_zero() || average.is_zero() {
        return None;
    }
    held.value_at(stop.minus(average).ok()?).ok()
}

impl Standing {
    fn of(fill: &TradeFill, stop: Option<Price>, since: &[Event]) -> Self {
        let signed = if fill.side == Side::Sell { fill.quantity.negated() } else { fill.quantity };
        let mut now = Self { quantity: signed, average: fill.price, stop, was: None, scaled: None };
        for event in since {
            match &event.kind {
                EventKind::PositionScaled { quantity, average, stop, .. } => {
                    (now.quantity, now.average, now.scaled) = (*quantity, *average, Some(event.at));
                    now.stop = stop.or(now.stop);
                }
                EventKind::StopMoved { from, to, quantity, average, .. } => {
                    (now.stop, now.was) = (Some(*to), Some(*from));
                    if !quantity.is_zero() {
                        (now.quantity, now.average) = (*quantity, *average);
                    }
                }
                _ => {}
            }
        }
        now
    }
}

impl Words<'_> {
    /// The opening of a trade, with its size and stop as they are after what came since.
    pub(super) fn opened(&self, kind: &EventKind, since: &[Event]) -> Said {
        let EventKind::PositionOpened { fill, strategy, because, stop, exposure, exposure_limit, cash, .. } = kind
        else {
            return Said::fact(kind.name());
        };
        let now = Standing::of(fill, *stop, since);
        let (symbol, at) = (fill.symbol, fill.price);
        let done = if fill.side == Side::Sell { "Sold short" } else { "Bought" };
        let (exposure, most) = (percent(*exposure), percent(*exposure_limit));
        // The shares and the cash of before more was bought say so.
        let then = if now.scaled.is_some() { "At first: exposure" } else { "Exposure" };
        Said::fact(&format!("{done} {} at {} · {}", self.held(fill.quantity, symbol), price(at), self.telling.mark))
            .and(&format!("{strategy}: {because} · {}", self.time(fill.at)))
            .and_some(now.scaled.map(|scaled| self.in_parts(&now, scaled)))
            .and_some(now.stop.map(|stop| self.stop_line(kind, &now, stop, since.is_empty())))
            .and(&format!("{then} {exposure} of {most} · cash {} · `/why {}`", self.money(*cash), fill.order))
    }

    fn in_parts(&self, now: &Standing, scaled: Timestamp) -> String {
        let held = self.telling.open(|| format!("{} held now, ", quantity(now.quantity.abs()))).unwrap_or_default();
        format!("In parts: {held}at {} on average · {}", price(now.average), self.time(scaled))
    }

    /// Where the stop is, and what it leaves at risk or keeps.
    fn stop_line(&self, opening: &EventKind, now: &Standing, stop: Price, is_new: bool) -> String {
        let EventKind::PositionOpened { target, trailing, risk, equity, .. } = opening else { return String::new() };
        let away = stop.minus(now.average).map(|gap| gap.share_of(now.average)).unwrap_or_default();
        let was = now.was.map(|was| format!(", was {}", price(was))).unwrap_or_default();
        let follows = if *trailing { ", trailing" } else { "" };
        let target = target.map(|target| format!(" · target {}", price(target))).unwrap_or_default();
        let result = if is_new { Some(risk.negated()) } else { stopped_at((now.quantity, now.average), stop) };
        let result = result.map(|result| {
            let share = result.share_of(*equity);
            if result > Money::ZERO {
                let kept = self.telling.open(|| format!("{}, ", self.signed(result))).unwrap_or_default();
                return format!(" · {kept}{} of {} if it fills there", signed_percent(share), self.book);
            }
            let lost = self.telling.open(|| format!("{}, ", self.money(result.abs()))).unwrap_or_default();
            format!(" · risk {lost}{} of {}", percent(share.abs()), self.book)
        });
        let (level, away) = (price(stop), signed_percent(away));
        format!("Stop {level} ({away}){was}{follows}{target}{}", result.unwrap_or_default())
    }
}
