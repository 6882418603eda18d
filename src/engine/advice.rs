//! What else is to be known of a change of settings before it is confirmed?

use crate::clock::Timestamp;
use crate::domain::format::counted;
use crate::domain::{NewStrategy, Note, RunContext, Setting};
use crate::risk::{LIMITS, LimitKind, LimitSpec};

use super::desk::Desk;
use super::plan::Asked;
use super::state::Prices;
use super::{DeskSettings, Schedule};

/// Runs of a schedule that are shown.
const RUNS_SHOWN: usize = 3;

/// What the setting means, what it leaves as it is, and whether it allows more.
pub(super) fn advice(desk: &Desk, setting: &Setting, then: &DeskSettings) -> Vec<String> {
    let held = |has: &dyn Fn(&crate::domain::Position) -> bool| {
        let count = desk.book.positions.iter().filter(|held| has(held)).count();
        (count > 0).then(|| counted(count as u64, "position"))
    };
    let mut lines = Vec::new();
    match setting {
        Setting::Risk { .. } => {
            lines.push("Each entry is that share of what it would have been, however it is sized.".to_owned());
        }
        Setting::Limit { name, .. } => {
            let spec = LIMITS.iter().find(|spec| spec.key == name);
            lines.extend(spec.map(|spec| format!("{} ({}).", spec.help.trim_end_matches('.'), unit(spec))));
        }
        Setting::Enabled { strategy, enabled: false } => {
            lines.push("It enters nothing; its exits and all stops go on.".to_owned());
            lines.extend(held(&|held| held.strategy == *strategy).map(|held| format!("It holds {held}.")));
        }
        // Whether this run has prices of it would tell what other books watch.
        Setting::Watched { symbol, watched: true } => {
            lines.push(format!(
                "It counts once there are prices of {symbol}: where this run has none, from the next start on."
            ));
            if then.bans.contains(symbol) {
                lines.push(format!("{symbol} is banned by the file: it is watched and never entered."));
            }
        }
        Setting::Watched { symbol, watched: false } => {
            lines.extend(
                held(&|held| held.symbol == *symbol).map(|_| format!("{symbol} is held: it is only left from now on.")),
            );
        }
        Setting::Strategy(new) => {
            let set: Vec<String> = new.values.iter().map(|(name, value)| format!("{name} {value}")).collect();
            let set = if set.is_empty() { "all usual".to_owned() } else { set.join(", ") };
            lines.push(format!(
                "Parameters: {set}. It enters {} alone, and the limits of {} hold.",
                new.symbol,
                desk.name()
            ));
            if desk.settings.selector.is_some() {
                lines.push("The selector does not hold for it: it may enter in every regime.".to_owned());
            }
        }
        Setting::Param { .. }
        | Setting::Schedule { .. }
        | Setting::Dropped { .. }
        | Setting::Pinned { .. }
        | Setting::Enabled { enabled: true, .. } => {}
    }
    lines.extend(loosens(setting, &desk.settings, then, &desk.base));
    lines
}

const fn unit(spec: &LimitSpec) -> &'static str {
    match spec.kind {
        LimitKind::Percent => "in percent",
        LimitKind::BasisPoints => "in basis points",
        LimitKind::Count => "a whole number",
        LimitKind::Factor => "a factor",
    }
}

/// Says so where a book may do more by a setting than the file says, or than it may now.
fn loosens(setting: &Setting, now: &DeskSettings, then: &DeskSettings, base: &DeskSettings) -> Option<String> {
    let more_than = |old: &DeskSettings| match setting {
        Setting::Risk { .. } => then.risk > old.risk,
        Setting::Limit { name, .. } => LIMITS.iter().filter(|spec| spec.key == name).any(|spec| {
            let values = old.limits.get(spec.key).zip(then.limits.get(spec.key));
            values.is_some_and(|(old, new)| spec.wider.allows_more(old, new))
        }),
        _ => false,
    };
    if more_than(base) {
        return Some("This is wider than the file says.".to_owned());
    }
    more_than(now).then(|| "This is wider than it is now.".to_owned())
}

/// Says so where something that is set for a while is over before the next bar is judged.
pub(super) fn too_short(
    prices: Prices<'_>,
    desk: &Desk,
    until: Option<Timestamp>,
    context: &RunContext,
) -> Option<Note> {
    let until = until?;
    let mut markets = Vec::new();
    for (index, lane) in prices.lanes.iter().enumerate() {
        let market = lane.timeframe.filter(|_| desk.lists(index) && !lane.ended).map(|of| (lane.hours, of));
        markets.extend(market.filter(|market| !markets.contains(market)));
    }
    let next = markets.into_iter().map(|(hours, timeframe)| hours.end_of_bars(timeframe, context.now, 1)).min()?;
    let text =
        format!("That is over before {} decides anything again, at {{at}}: it changes nothing then.", desk.name());
    (until <= next).then_some(Note { text, at: Some(next) })
}

/// The next runs of a schedule that is set.
pub(super) fn runs(desk: &Desk, setting: &Setting, asked: &Asked<'_>) -> Vec<Note> {
    let (Setting::Schedule { when: Some(when), .. } | Setting::Strategy(NewStrategy { when: Some(when), .. })) =
        setting
    else {
        return Vec::new();
    };
    let Ok(schedule) = Schedule::parse(when, desk.base.zone) else { return Vec::new() };
    let next = |after: &Timestamp| schedule.next_after(*after);
    let times = std::iter::successors(schedule.next_after(asked.context.now), next).take(RUNS_SHOWN);
    let words = ["It runs next at {at}", "then {at}"];
    times.enumerate().map(|(place, at)| Note { text: words[place.min(1)].to_owned(), at: Some(at) }).collect()
}
