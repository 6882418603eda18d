//! What do the strategies get to see? Every bar of their timeframe, their symbol's regime, and where it ranks.

use crate::domain::{Event, EventKind, Label, MarketSnapshot, Ratio, RunContext, SnapshotBar, Timeframe};
use crate::indicators::Indicator;
use crate::strategy::Place;

use super::Outcome;
use super::desk::Desk;
use super::state::Prices;

/// Shows the snapshot's bars to the strategies of a book.
pub(super) fn observe(
    desk: &mut Desk,
    prices: Prices<'_>,
    snapshot: &MarketSnapshot,
    context: &RunContext,
    out: &mut Outcome,
) {
    let count = desk.settings.strategies.len();
    for seen in &snapshot.bars {
        for strategy in 0..count {
            if desk.settings.strategies[strategy].decides_on(seen) {
                let run = &mut desk.runs[seen.instrument * count + strategy];
                run.atr.update(&seen.bar);
                run.brain.observe(&seen.bar);
            }
        }
    }
    if desk.settings.selector.is_some() {
        for seen in &snapshot.bars {
            classify(desk, prices, seen, context, out);
        }
    }
    for strategy in 0..count {
        let settings = &desk.settings.strategies[strategy];
        if settings.kind.ranks && snapshot.bars.iter().any(|seen| settings.decides_on(seen)) {
            rank(desk, strategy, |lane| !prices.lanes[lane].is_over(context.now));
        }
    }
}

/// Lets a bar tell what its market is like; a switch is told with who may enter now.
fn classify(desk: &mut Desk, prices: Prices<'_>, seen: &SnapshotBar, context: &RunContext, out: &mut Outcome) {
    let decides = |timeframe: Option<Timeframe>| timeframe.map_or(seen.is_finest, |own| own == seen.timeframe);
    if !decides(desk.settings.regime_timeframe) {
        return;
    }
    if !desk.lists(seen.instrument) {
        return;
    }
    let Some(classifier) = desk.classifiers.get_mut(seen.instrument) else { return };
    let before = classifier.regime();
    classifier.observe(&seen.bar);
    let Some(to) = classifier.regime().filter(|now| Some(*now) != before) else { return };
    let Some(selector) = &desk.settings.selector else { return };
    let allowed = |strategy: Label| selector.allows(to, strategy).map(|size| (strategy, size));
    let strategies: Vec<(Label, Ratio)> =
        desk.settings.strategies.iter().filter_map(|strategy| allowed(strategy.name)).collect();
    let symbol = prices.lanes[seen.instrument].instrument.symbol;
    let kind = EventKind::RegimeSwitched { symbol, from: before, to, strategies };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
}

/// Tells each symbol of the book that is still there where it stands by its score; equal scores rank in the order of the symbols.
fn rank(desk: &mut Desk, strategy: usize, is_there: impl Fn(usize) -> bool) {
    let count = desk.settings.strategies.len();
    let runs = desk.runs.len() / count.max(1);
    let mut scores: Vec<(usize, f64)> = (0..runs)
        .filter(|lane| desk.watches(*lane) && is_there(*lane))
        .filter_map(|lane| Some((lane, desk.runs[lane * count + strategy].brain.score()?)))
        .collect();
    scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    for lane in 0..runs {
        desk.runs[lane * count + strategy].brain.rank(None);
    }
    let of = scores.len();
    for (index, (lane, _)) in scores.into_iter().enumerate() {
        desk.runs[lane * count + strategy].brain.rank(Some(Place { place: index + 1, of }));
    }
}
