//! Who waits for an answer on Discord? Interactions, by the tokens that answer them for a quarter of an hour.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;

/// How long an interaction can be answered, with a minute to spare: 15 minutes are allowed.
const ANSWERABLE: Duration = Duration::from_mins(14);

/// The tokens of interactions that wait for their answers; clones share them. They are in memory alone.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<HashMap<u64, Waiting>>>);

struct Waiting {
    token: SecretString,
    /// On the steady clock.
    until: Duration,
    /// Its first answer is there: what comes now is a message of its own.
    is_answered: bool,
}

impl Answers {
    /// An interaction waits for its answer; `now` is on the steady clock.
    pub fn wait(&self, interaction: u64, token: SecretString, now: Duration) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, one| one.until > now);
        waiting.insert(interaction, Waiting { token, until: now + ANSWERABLE, is_answered: false });
    }

    /// It cannot be answered by its token.
    pub fn forget(&self, interaction: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&interaction);
    }

    /// The token, and whether its first answer is there.
    pub(super) fn token(&self, interaction: u64, now: Duration) -> Option<(SecretString, bool)> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(&interaction).filter(|one| one.until > now).map(|one| (one.token.clone(), one.is_answered))
    }

    /// Its first answer is there.
    pub(super) fn note_answered(&self, interaction: u64) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get_mut(&interaction).into_iter().for_each(|one| one.is_answered = true);
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_there_for_fourteen_minutes() {
        let answers = Answers::default();
        answers.wait(1, SecretString::from("CANARY"), Duration::ZERO);
        let is_there = |secs| answers.token(1, Duration::from_secs(secs)).map(|(_, is_answered)| is_answered);
        assert_eq!((is_there(0), is_there(839), is_there(840)), (Some(false), Some(false), None));
        answers.note_answered(1);
        assert_eq!(is_there(0), Some(true));
        assert!(!format!("{answers:?}").contains("CANARY"));
        answers.forget(1);
        assert_eq!(is_there(0), None);
    }
}
