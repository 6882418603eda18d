//! How are many events told at once? A storm as counts, a night as one line an event.

use std::cmp::Reverse;

use crate::domain::format::{age, counted};
use crate::domain::{Block, Event, EventKind, KINDS, Line, Money, Severity, Span, Symbol, kind_named};

use super::telling::{Said, Telling, line};
use super::together::{day_time, fact};

/// Symbols that are named on a line.
const SYMBOLS_MAX: usize = 8;
/// Kinds that have a line of their own.
const KINDS_MAX: usize = 20;
/// Events that have a line of their own.
const EVENTS_MAX: usize = 60;

/// Events of one kind in a storm.
#[derive(Debug, Clone, PartialEq)]
pub struct Gathered {
    /// The kind, as `EventKind::name` gives it.
    pub kind: &'static str,
    /// How many.
    pub count: u64,
    /// Some of them, the first ones.
    pub samples: Vec<Event>,
}

/// A storm in one message: how many messages in which time, then a line a kind, the loudest first. What came once is told itself; below
/// stands what shows more, where something does.
pub fn summary_blocks(
    counted_kinds: &[Gathered],
    span_ms: i64,
    total: u64,
    more: Option<&str>,
    telling: &Telling,
) -> Vec<Block> {
    let mut kinds: Vec<&Gathered> = counted_kinds.iter().collect();
    kinds.sort_by_key(|gathered| Reverse(loudest(gathered.kind)));
    let span = if span_ms < 1_000 { "at once".to_owned() } else { format!("in {}", age(span_ms)) };
    let mut said = Said::fact(&format!("{} {span}", counted(total, "message")));
    for gathered in kinds.iter().take(KINDS_MAX) {
        said = said.and_line(match gathered.samples.as_slice() {
            [only] if gathered.count == 1 => Line(unmarked(only, telling)),
            _ => kind_line(gathered, telling),
        });
    }
    if kinds.len() > KINDS_MAX {
        said = said.and(&format!("and {} more", counted((kinds.len() - KINDS_MAX) as u64, "kind")));
    }
    telling.finished(said.and_some(more.map(str::to_owned)).blocks())
}

fn loudest(kind: &str) -> Severity {
    kind_named(kind).map_or(Severity::Info, |kind| kind.loudest)
}

fn about(kind: &str) -> String {
    kind_named(kind).map_or_else(|| kind.replace('_', " "), |kind| kind.about.to_owned())
}

/// So many of a kind.
fn many(kind: &str, count: u64) -> String {
    match kind {
        "position_opened" => counted(count, "position") + " opened",
        "position_closed" => counted(count, "position") + " closed",
        "entry_locked" => counted(count, "entry lock"),
        _ => format!("{count} x {}", about(kind)),
    }
}

/// A fact without the mark of the market: the message bears it in its title.
fn unmarked(event: &Event, telling: &Telling) -> Vec<Span> {
    let mut spans = fact(event, telling);
    if let Some(Span::Text(text)) = spans.last_mut()
        && let Some(bare) = text.strip_suffix(&format!(" · {}", telling.mark))
    {
        *text = bare.to_owned();
    }
    spans
}

/// A kind that came more than once: the symbols it was about, or the last fact where it was about none.
fn kind_line(gathered: &Gathered, telling: &Telling) -> Line {
    let mut symbols: Vec<Symbol> = Vec::new();
    for symbol in gathered.samples.iter().filter_map(|event| event.kind.symbol()) {
        if !symbols.contains(&symbol) {
            symbols.push(symbol);
        }
    }
    let names: Vec<String> = symbols.iter().take(SYMBOLS_MAX).map(Symbol::to_string).collect();
    let names = match (names.is_empty(), symbols.len() > SYMBOLS_MAX || gathered.count > gathered.samples.len() as u64)
    {
        (true, _) => String::new(),
        (false, false) => format!(" · {}", names.join(" ")),
        (false, true) => format!(" · {} and others", names.join(" ")),
    };
    let mut spans = line(&format!("{}{names}{}", many(gathered.kind, gathered.count), results(gathered, telling))).0;
    let all = gathered.samples.len() as u64 == gathered.count;
    if let (true, true, Some(last)) = (all, names.is_empty(), gathered.samples.last()) {
        spans.push(Span::Text(" · last: ".to_owned()));
        spans.extend(unmarked(last, telling));
    }
    Line(spans)
}

/// What the closed positions among them came to; a sum of all is claimed only where all are known.
fn results(gathered: &Gathered, telling: &Telling) -> String {
    let profits = gathered.samples.iter().filter_map(|event| match &event.kind {
        EventKind::PositionClosed { trade, .. } => Some(trade.profit),
        _ => None,
    });
    let sum = profits.clone().try_fold(Money::ZERO, Money::plus);
    match (profits.count() as u64, sum) {
        (0, _) | (_, Err(_)) => String::new(),
        (known, Ok(sum)) if known == gathered.count => format!(" · {} together", telling.signed(sum)),
        (known, Ok(sum)) => format!(" · {} in the first {known}", telling.signed(sum)),
    }
}

/// What was held overnight: a line an event, each with its time, grouped by kind in the order of the table.
pub fn digest_blocks(events: &[Event], title: &str, telling: &Telling) -> Vec<Block> {
    let last = events.iter().map(|event| event.at).max().unwrap_or_default();
    let rank = |event: &Event| KINDS.iter().position(|kind| kind.name == event.kind.name()).unwrap_or(KINDS.len());
    let mut sorted: Vec<&Event> = events.iter().collect();
    sorted.sort_by_key(|event| (rank(event), event.at));
    let mut blocks = vec![Block::Title(Line::from(title.to_owned()))];
    for group in sorted[..sorted.len().min(EVENTS_MAX)].chunk_by(|one, other| rank(one) == rank(other)) {
        if let (Some(first), true) = (group.first(), group.len() > 1) {
            let head = many(first.kind.name(), group.len() as u64);
            blocks.push(Block::Line(Line(vec![Span::Strong(head)])));
        }
        for event in group {
            let mut spans = vec![Span::Text(format!("{} ", day_time(event.at, last, telling.zone)))];
            spans.extend(fact(event, telling));
            blocks.push(Block::Line(Line(spans)));
        }
    }
    if events.len() > EVENTS_MAX {
        let more = counted((events.len() - EVENTS_MAX) as u64, "message");
        blocks.push(Block::Line(line(&format!("and {more} more; `/missed` shows them all"))));
    }
    telling.finished(blocks)
}
