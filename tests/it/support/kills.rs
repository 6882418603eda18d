//! Deaths at named points while messages are on their way, and what became of each message.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bellwether::domain::{EventKind, RouteTable, Severity};
use bellwether::store::{Points, StoreError};

use super::post_office::{PostOffice, lane};
use super::samples::sample;

/// What many deaths did.
#[derive(Debug, Default)]
pub(crate) struct Deaths {
    /// How often each point was died at.
    pub(crate) hits: BTreeMap<&'static str, usize>,
    /// Messages that were committed.
    pub(crate) accepted: u64,
    /// Of those, how many no channel was given.
    pub(crate) lost: u64,
    /// Messages that were given twice and say so.
    pub(crate) marked: usize,
    /// Messages that were given twice and do not say so.
    pub(crate) unmarked: usize,
    /// The most that were given again on one lane because of one death.
    pub(crate) repeats_max: usize,
}

const LANES: [&str; 2] = ["ana:telegram", "bo:telegram"];
/// What happens between two deaths.
pub(crate) const KINDS: [&str; 10] = [
    "position_opened",
    "stop_moved",
    "feed_stale",
    "symbol_locked",
    "day_closed",
    "feed_recovered",
    "trading_halted",
    "position_closed",
    "config_changed",
    "symbol_unlocked",
];

/// A small generator of the test's own, so that a seed means the same for ever.
pub(crate) fn draw(seed: u64, salt: u64) -> u64 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(salt.wrapping_mul(0xD1B5_4A32_D192_ED03));
    x ^= x >> 31;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^ (x >> 29)
}

/// Points that die after so many were passed, and note where.
pub(crate) fn deadly(after: u64, hits: &Arc<Mutex<BTreeMap<&'static str, usize>>>) -> Points {
    let (left, hits) = (AtomicU64::new(after), hits.clone());
    Points::armed(move |point| {
        let dies = left.fetch_sub(1, Ordering::SeqCst) == 1;
        if dies {
            *hits.lock().expect("lock").entry(point).or_default() += 1;
        }
        dies
    })
}

/// Dies `deaths` times at points drawn from the seed, ten facts to each; then everything is carried to its end.
pub(crate) fn die(deaths: u64, seed: u64) -> Deaths {
    let mut office = PostOffice::new(RouteTable::simple(&LANES.map(lane), Severity::Notice));
    let hits = Arc::default();
    let mut repeats_max = 0;
    for death in 0..deaths {
        let before = LANES.map(|name| repeated(&mut office, name).len());
        let died = office.restart_with(deadly(1 + draw(seed, death) % 160, &hits)).and_then(|()| one_life(&mut office));
        assert!(matches!(died, Ok(()) | Err(StoreError::Killed(_))), "{died:?}");
        office.clock.advance(1_000);
        for (name, before) in LANES.iter().zip(before) {
            repeats_max = repeats_max.max(repeated(&mut office, name).len() - before);
        }
    }
    office.restart();
    for name in LANES {
        office.run(name, 200);
    }
    let hits = std::mem::take(&mut *hits.lock().expect("lock"));
    let mut report = Deaths { hits, repeats_max, ..Deaths::default() };
    for name in LANES {
        judge(&mut office, name, &mut report);
    }
    report
}

fn one_life(office: &mut PostOffice) -> Result<(), StoreError> {
    for name in KINDS {
        let kind: EventKind = sample(name).kind;
        office.try_happen([kind])?;
        for lane in LANES {
            office.try_tick(lane)?;
        }
        office.clock.advance(700);
    }
    Ok(())
}

/// The texts of messages whose notice was given before.
fn repeated(office: &mut PostOffice, name: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let told = office.wire(name).seen();
    let fresh = told.into_iter().filter(|seen| seen.post.edit.is_none() && seen.post.number.is_some());
    fresh.filter(|told| !seen.insert(told.post.number)).map(|told| told.text).collect()
}

fn judge(office: &mut PostOffice, name: &str, report: &mut Deaths) {
    let counts = office.counts(name);
    assert_eq!(counts.open, 0, "{name}: nothing waits at the end");
    report.accepted += counts.accepted;
    let told =
        office.wire(name).seen().into_iter().filter_map(|seen| seen.post.number).map(|number| number.0).collect();
    report.lost += lost(office, name, &told);
    let (marked, unmarked): (Vec<_>, Vec<_>) = repeated(office, name).into_iter().partition(|text| is_marked(text));
    report.marked += marked.len();
    report.unmarked += unmarked.len();
}

/// Whether a text says that it may be there already.
pub(crate) fn is_marked(text: &str) -> bool {
    text.contains("repeat") || text.contains("Perhaps told")
}

/// Notices that a lane accepted and that nobody was given, though no filter held them back; these numbers were given.
pub(crate) fn lost(office: &PostOffice, name: &str, given: &BTreeSet<u64>) -> u64 {
    let reader = office.reader();
    let mut lost = 0;
    for notice in reader.journal_all().expect("reads").iter().filter_map(|row| row.notice) {
        for row in reader.trace(notice).expect("reads").iter().filter(|row| row.lane == name && row.task == "notice") {
            let leader = row.verdict.as_deref().and_then(|verdict| verdict.strip_prefix("told in N"));
            let number = leader.map_or(notice.0, |leader| leader.parse().expect("a number"));
            let held_back = row.state == "skipped" && row.verdict.is_some();
            lost += u64::from(!given.contains(&number) && !held_back);
        }
    }
    lost
}
