//! When is an illness worth telling? Once it has held for a while; and its end likewise.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::EventKind;
use crate::views::PartHealth;

/// What passes by itself within this time is not told.
const ILL_FOR: Duration = Duration::from_secs(30);
/// What is told as ill is told as well again after this time without a relapse.
const WELL_FOR: Duration = Duration::from_mins(1);
const _: () = assert!(ILL_FOR.as_millis() < WELL_FOR.as_millis());

/// Remembers which parts are ill, so that each illness is told once.
#[derive(Debug, Default)]
pub(super) struct Vigil {
    illnesses: BTreeMap<String, Illness>,
}

#[derive(Debug)]
struct Illness {
    /// When it began, on the wall clock and on the steady one.
    since: (Timestamp, Duration),
    /// True once it was told.
    told: bool,
    /// Since when the part has been well again.
    well: Option<(Timestamp, Duration)>,
}

impl Vigil {
    /// Goes on with illnesses that another life told and did not see the end of.
    pub(super) fn resume(told: Vec<(String, Timestamp)>, now: Duration) -> Self {
        let illness = |since| Illness { since: (since, now), told: true, well: None };
        Self { illnesses: told.into_iter().map(|(part, since)| (part, illness(since))).collect() }
    }

    /// What is to be told of the parts as they are now.
    pub(super) fn judge(&mut self, parts: &[PartHealth], now: (Timestamp, Duration)) -> Vec<EventKind> {
        parts
            .iter()
            .filter_map(|part| if part.well { self.recover(part, now) } else { self.suffer(part, now) })
            .collect()
    }

    fn suffer(&mut self, part: &PartHealth, now: (Timestamp, Duration)) -> Option<EventKind> {
        let illness = self.illnesses.entry(part.part.to_string());
        let illness = illness.or_insert(Illness { since: now, told: false, well: None });
        illness.well = None;
        let held = now.1.saturating_sub(illness.since.1) >= ILL_FOR;
        if illness.told || part.told || !held {
            return None;
        }
        illness.told = true;
        Some(EventKind::HealthDegraded { part: part.part.to_string(), why: part.words.clone() })
    }

    fn recover(&mut self, part: &PartHealth, now: (Timestamp, Duration)) -> Option<EventKind> {
        let name = part.part.to_string();
        let illness = self.illnesses.get_mut(&name)?;
        let well = *illness.well.get_or_insert(now);
        if illness.told && now.1.saturating_sub(well.1) < WELL_FOR {
            return None;
        }
        let Illness { since, told, .. } = self.illnesses.remove(&name)?;
        told.then(|| EventKind::HealthRestored { part: name, down_s: (well.0.since(since.0) / 1000).max(0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::Part;

    /// A part over time: each character is five seconds, `x` ill and `.` well; what was told, with its second.
    fn story(course: &str, told: bool) -> Vec<(u64, EventKind)> {
        let mut vigil = Vigil::default();
        let mut events = Vec::new();
        for (index, mark) in course.chars().enumerate() {
            let second = index as u64 * 5;
            let now = (Timestamp::from_ms(second as i64 * 1000), Duration::from_secs(second));
            let words = "no prices".to_owned();
            let part = PartHealth { part: Part::Feed, well: mark == '.', age_s: None, words, told };
            events.extend(vigil.judge(&[part], now).into_iter().map(|event| (second, event)));
        }
        events
    }

    fn ill(second: u64) -> (u64, EventKind) {
        (second, EventKind::HealthDegraded { part: "feed".to_owned(), why: "no prices".to_owned() })
    }

    fn well(second: u64, down_s: i64) -> (u64, EventKind) {
        (second, EventKind::HealthRestored { part: "feed".to_owned(), down_s })
    }

    #[test]
    fn an_illness_is_told_once_and_so_is_its_end() {
        assert_eq!(story("..xxxxxxxxxxxx..............", false), [ill(40), well(130, 60)]);
        assert_eq!(story("xxxxxxxxxxxxxxxxxxxxxxxxxxxx", false), [ill(30)]);
    }

    #[test]
    fn what_comes_and_goes_is_not_told_each_time() {
        // Never ill for long enough.
        assert_eq!(story("xxxxxx.xxxxxx.xxxxxx.xxxxxx.xxxxxx", false), []);
        // Told once; the relapses before it was well for a minute are the same illness.
        let relapses = "xxxxxxx.....xx......x...........x.............";
        assert_eq!(story(relapses, false), [ill(30), well(225, 165)]);
    }

    #[test]
    fn what_another_event_tells_is_not_told_here() {
        assert_eq!(story("xxxxxxxxxxxxxxxxx...............", true), []);
    }

    #[test]
    fn a_restart_tells_the_end_of_what_was_told_before() {
        let mut vigil = Vigil::resume(vec![("feed".to_owned(), Timestamp::from_ms(0))], Duration::ZERO);
        let part =
            |well| PartHealth { part: Part::Feed, well, age_s: None, words: "no prices".to_owned(), told: false };
        let at = |second: u64| (Timestamp::from_ms(3_600_000 + second as i64 * 1000), Duration::from_secs(second));
        assert_eq!(vigil.judge(&[part(false)], at(60)), []);
        assert_eq!(vigil.judge(&[part(true)], at(65)), []);
        assert_eq!(vigil.judge(&[part(true)], at(125)), [well(0, 3_665).1]);
    }
}
