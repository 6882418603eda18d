//! What became of the messages? Counts by lane, the tries of one, and what somebody was not told by itself.

use std::fmt::Write as _;

use crate::clock::DAY_MS;
use crate::domain::format::{age, counted, time};
use crate::domain::{Message, NoticeId};
use crate::notify::{HAD_ARRIVED, Telling, told};
use crate::store::{LaneState, MissedRow, TraceRow};

use super::open::{ViewError, Views};
use super::why::audited;

/// Messages that `/missed` says again.
const MISSED_SHOWN: u32 = 20;
/// A service tells the time to the second; a smaller difference is not known.
const SKEW_KNOWN_MS: i64 = 1_000;
/// Days that `/noise` looks back.
const NOISE_DAYS: i64 = 7;

/// The answer to `/deliveries`: every message that was accepted on the ways that the asker may see, and where it is.
///
/// # Errors
/// When the store cannot be read.
pub fn deliveries(views: &Views) -> Result<String, ViewError> {
    let reader = views.reader();
    let mut lanes = reader.lane_counts()?;
    lanes.retain(|counts| views.asker().may_see_way(&counts.lane));
    if lanes.is_empty() {
        return Err(ViewError::Nothing("nothing was to be told yet".to_owned()));
    }
    let states = reader.lane_states()?;
    let latencies = reader.latencies(views.wall().plus_ms(-DAY_MS))?;
    let mut text = String::new();
    for lane in &lanes {
        let sum = lane.sent + lane.skipped + lane.dead + lane.open;
        let agree = if sum == lane.accepted { "" } else { " · THE SUM DOES NOT AGREE" };
        let _ = writeln!(
            text,
            "{}: {} accepted = {} delivered + {} held back + {} given up + {} waiting{agree}",
            lane.lane, lane.accepted, lane.sent, lane.skipped, lane.dead, lane.open
        );
        if let Some(row) = latencies.iter().find(|row| row.lane == lane.lane) {
            let at =
                |share: usize| row.ms.get((row.ms.len() * share / 100).min(row.ms.len() - 1)).copied().unwrap_or(0);
            let _ =
                writeln!(text, "  last day, from commit to receipt: median {} ms, 99 of 100 in {} ms", at(50), at(99));
        }
        if let Some(state) = states.iter().find(|state| state.lane == lane.lane && state.failures > 0) {
            let _ = writeln!(text, "  {}", ill(views, state)?);
        }
    }
    Ok(text.trim_end().to_owned())
}

fn ill(views: &Views, state: &LaneState) -> Result<String, ViewError> {
    let since = time(state.since, views.zone()?);
    let what = if state.dead { "dead" } else { "failing" };
    Ok(format!("{what} since {since}, {}: {}", counted(u64::from(state.failures), "failure"), state.why))
}

/// The answer to `/trace N42`: each row and each try of it.
///
/// # Errors
/// When there is no such notice, or the store cannot be read.
pub fn trace(views: &Views, notice: NoticeId) -> Result<String, ViewError> {
    let reader = views.reader();
    let Some(fact) = reader.notice(notice)? else {
        return Err(ViewError::Nothing(format!("there is no message {notice}")));
    };
    let zone = views.zone()?;
    let (name, committed) = (fact.event.kind.name(), time(fact.wall, zone));
    let mut text = format!("{notice} {name} · committed {committed}{}\n", audited(fact.audit));
    for line in lines_of(views, &fact.event)? {
        let _ = writeln!(text, "  {line}");
    }
    let rows = reader.trace(notice)?;
    if rows.is_empty() {
        text.push_str("No route led anywhere: it was told to nobody\n");
    }
    let (own, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| views.asker().may_see_way(&row.lane));
    for row in own {
        write_row(&mut text, row);
        if let Some(state) = &row.service {
            let _ = writeln!(text, "  the service says: {state}");
        }
    }
    if !others.is_empty() {
        let _ = writeln!(text, "and {} to others", counted(others.len() as u64, "message"));
    }
    if let Some(ack) = reader.ack(notice)? {
        let _ = writeln!(text, "acknowledged by {} on {} at {}", ack.person, ack.channel, time(ack.at, zone));
    }
    Ok(text.trim_end().to_owned())
}

fn write_row(text: &mut String, row: &TraceRow) {
    let task = match row.task.as_str() {
        "edit" => " (change of the message)",
        "seen" => " (that somebody has seen it)",
        _ => "",
    };
    let climbs = if row.unless_acked { " (unless acknowledged)" } else { "" };
    let verdict = row.verdict.as_ref().map(|verdict| format!(": {verdict}")).unwrap_or_default();
    // What follows a name is what the channel knows besides, such as a letter's subject.
    let remote = row.remote.as_ref().and_then(|remote| remote.split(' ').next());
    let remote = remote.map(|remote| format!(" · there it is {remote}")).unwrap_or_default();
    let is_found = row.attempts.iter().any(|attempt| attempt.detail.as_deref() == Some(HAD_ARRIVED));
    let repeated = if row.repeated && !is_found { " · perhaps twice" } else { "" };
    let _ = writeln!(text, "{}{task}{climbs}: {}{verdict}{remote}{repeated}", row.lane, row.state);
    for attempt in &row.attempts {
        let waited = attempt.begun.since(row.created.max(row.due));
        let took = attempt.ended.map(|ended| format!(" in {} ms", ended.since(attempt.begun))).unwrap_or_default();
        let detail = attempt.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
        let skew = attempt.skew_ms.map(skew_words).filter(|skew| !skew.is_empty());
        let skew = skew.map(|skew| format!(" · its clock is {skew}")).unwrap_or_default();
        let number = attempt.attempt;
        let _ = writeln!(text, "  try {number}, {waited} ms after it was due: {}{took}{detail}{skew}", attempt.outcome);
    }
}

/// How far a service's clock is from ours, where that is more than the second to which it tells the time.
fn skew_words(skew_ms: i64) -> String {
    let way = if skew_ms < 0 { "behind" } else { "ahead" };
    if skew_ms.abs() <= SKEW_KNOWN_MS { String::new() } else { format!("{} {way}", age(skew_ms.abs())) }
}

pub(super) fn lines_of(views: &Views, event: &crate::domain::Event) -> Result<Vec<String>, ViewError> {
    let telling = Telling::plain(views.zone()?, mark(views)?);
    Ok(Message { blocks: told(event, &telling), ..Message::default() }.plain_lines())
}

/// How prices are marked: as the feed is.
fn mark(views: &Views) -> Result<&'static str, ViewError> {
    let feed = views.reader().feed_words()?;
    Ok(if feed.starts_with("sim") { "sim" } else { "paper" })
}

/// The answer to `/missed`: what did not reach somebody by itself, said again.
///
/// # Errors
/// When the store cannot be read.
pub fn missed(views: &Views) -> Result<String, ViewError> {
    let rows = views.reader().missed(MISSED_SHOWN)?;
    if rows.is_empty() {
        return Err(ViewError::Nothing("every message reached you by itself".to_owned()));
    }
    let zone = views.zone()?;
    let mut text = String::from("Not told by themselves, the newest first:\n");
    for MissedRow { notice, event, state, verdict } in &rows {
        let fact = lines_of(views, event)?.into_iter().next().unwrap_or_default();
        let why = verdict.as_deref().unwrap_or(state);
        let _ = writeln!(text, "{notice} {} · {fact} ({why})", time(event.at, zone));
    }
    text.push_str("/trace N42 shows what became of one");
    Ok(text)
}

/// The answer to `/noise`: what costs the most attention, and how to have less of it.
///
/// # Errors
/// When the store cannot be read.
pub fn noise(views: &Views) -> Result<String, ViewError> {
    let rows = views.reader().noise(views.wall().plus_ms(-NOISE_DAYS * DAY_MS))?;
    let told: u64 = rows.iter().map(|row| row.told).sum();
    if told == 0 {
        return Err(ViewError::Nothing(format!("nothing was told to you within {NOISE_DAYS} days")));
    }
    let mut text = format!("{} to you within {}\n", counted(told, "message"), age(NOISE_DAYS * DAY_MS));
    for row in rows.iter().filter(|row| row.told > 0) {
        let held =
            if row.suppressed > 0 { format!(", {} held back or gathered", row.suppressed) } else { String::new() };
        let acked = if row.acked > 0 { format!(", {} acknowledged", row.acked) } else { String::new() };
        let _ = writeln!(text, "{} {} ({}){held}{acked}", row.told, row.kind, share(row.told, told));
    }
    text.push_str("/less KIND tells one more quietly, /mute KIND 2h not at all for a while");
    Ok(text)
}

/// A part of all to a tenth of a percent; what is less than that is not nothing.
fn share(part: u64, all: u64) -> String {
    match (part * 1_000 + all / 2) / all {
        0 => "under 0.1 %".to_owned(),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_cut_to_nothing() {
        let shares = [(1, 1), (1, 3), (2, 3), (1, 500), (1, 2_001), (1, 1_000_000)].map(|(part, all)| share(part, all));
        assert_eq!(shares, ["100.0 %", "33.3 %", "66.7 %", "0.2 %", "under 0.1 %", "under 0.1 %"]);
    }
}
