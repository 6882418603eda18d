//! Does somebody knock who is not known? Each message is counted; many of them within minutes are told, and codes that are guessed sooner.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::clock::Timestamp;
use crate::domain::{ChannelKind, EventKind};

use super::pairing::LENGTH;

/// How long a knock counts.
const WINDOW_MS: i64 = 600_000;
/// Messages within that time that make a burst, and wrong codes that are told.
const BURST: usize = 10;
const WRONG_CODES: usize = 5;
/// How seldom one of the two is told.
const TOLD_MS: i64 = 3_600_000;
/// Knocks that are remembered.
const KNOCKS_MAX: usize = 10_000;
/// Codes that one account may try within an hour.
const CODES_MAX: u32 = 5;
const CODES_MS: i64 = 3_600_000;

/// A message of somebody who is not known, or a code that nobody waits for.
struct Knock {
    at: Timestamp,
    user: i64,
    is_code: bool,
}

/// Who knocked of late. A restart forgets it.
#[derive(Default)]
pub(super) struct Strangers {
    knocks: VecDeque<Knock>,
    /// When a burst was told last, and when wrong codes were.
    told: [Option<Timestamp>; 2],
    /// Codes by account: since when, and how many.
    codes: HashMap<i64, (Timestamp, u32)>,
}

impl Strangers {
    /// Whether a try at a code is one too many, or no code at all. Whoever may try again does so with one try less.
    pub(super) fn may_try(&mut self, user: i64, code: &str, now: Timestamp) -> bool {
        self.codes.retain(|_, (since, _)| now.since(*since) < CODES_MS);
        if code.len() != LENGTH {
            return false;
        }
        let (_, tries) = self.codes.entry(user).or_insert((now, 0));
        *tries += 1;
        *tries <= CODES_MAX
    }

    /// Somebody knocked; what is to be told of it, if anything is.
    pub(super) fn knock(
        &mut self,
        channel: ChannelKind,
        user: i64,
        is_code: bool,
        now: Timestamp,
    ) -> Option<EventKind> {
        // A clock that was set back leaves knocks that lie ahead; they are as good as old.
        self.knocks.retain(|knock| (0..WINDOW_MS).contains(&now.since(knock.at)));
        self.knocks.truncate(KNOCKS_MAX - 1);
        self.knocks.push_front(Knock { at: now, user, is_code });
        let codes = self.knocks.iter().filter(|knock| knock.is_code).count();
        let loud = [self.knocks.len() >= BURST, codes >= WRONG_CODES];
        let is_due = |at: &Option<Timestamp>| at.is_none_or(|at| !(0..TOLD_MS).contains(&now.since(at)));
        let due = [loud[0] && is_due(&self.told[0]), loud[1] && is_due(&self.told[1])];
        if due == [false, false] {
            return None;
        }
        for (told, loud) in self.told.iter_mut().zip(loud) {
            *told = if loud { Some(now) } else { *told };
        }
        let people = self.knocks.iter().map(|knock| knock.user).collect::<HashSet<i64>>().len();
        let (messages, people, codes) = (self.knocks.len() as u64, people as u64, codes as u64);
        Some(EventKind::StrangersKnocked { channel: channel.to_string(), messages, people, codes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TELEGRAM: ChannelKind = ChannelKind::Telegram;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000)
    }

    fn told(kind: Option<&EventKind>) -> Option<(u64, u64, u64)> {
        match kind {
            Some(EventKind::StrangersKnocked { messages, people, codes, .. }) => Some((*messages, *people, *codes)),
            _ => None,
        }
    }

    #[test]
    fn only_what_comes_within_minutes_is_a_burst() {
        let mut strangers = Strangers::default();
        // One a minute for a day: the whole is large, and never more than ten within ten minutes.
        let slow =
            (0..1440).filter_map(|minute| told(strangers.knock(TELEGRAM, 7, false, at(minute * 67)).as_ref())).count();
        assert_eq!(slow, 0);
        let begin = 1_000_000;
        let burst: Vec<_> =
            (0..30).filter_map(|n| told(strangers.knock(TELEGRAM, 7 + n % 2, false, at(begin + n)).as_ref())).collect();
        assert_eq!(burst, [(10, 2, 0)], "told once");
        assert!(
            (0..20)
                .filter_map(|n| told(strangers.knock(TELEGRAM, 9, false, at(begin + 4_000 + n)).as_ref()))
                .eq([(10, 1, 0)])
        );
    }

    #[test]
    fn codes_that_are_guessed_are_told_sooner_and_are_few() {
        let mut strangers = Strangers::default();
        let mut said = Vec::new();
        for n in 0..8 {
            assert_eq!(strangers.may_try(7, "K7QX2M9D", at(n)), n < 5, "try {n}");
            said.extend(told(strangers.knock(TELEGRAM, 7, true, at(n)).as_ref()));
        }
        assert_eq!(said, [(5, 1, 5)]);
        assert!(strangers.may_try(8, "K7QX2M9D", at(9)), "another account has tries of its own");
        assert!(!strangers.may_try(8, "", at(9)) && !strangers.may_try(8, "K7QX2M9DD", at(9)), "no code at all");
        assert!(strangers.may_try(7, "K7QX2M9D", at(3_601)), "an hour later");
    }
}
