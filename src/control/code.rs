//! What proves that somebody has a phone? A code of six digits that was sent to it, good for one change; only its hash is remembered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};

/// How long a code can be used, in milliseconds: a text may take its time.
pub const CODE_VALID_MS: i64 = 5 * 60_000;
/// Digits of a code.
const DIGITS: usize = 6;
/// Codes that are remembered.
const CODES_MAX: usize = 100;

/// Codes that wait, the newest last. A restart forgets them: then the change is asked for again.
#[derive(Clone, Default)]
pub(super) struct Codes(Arc<Mutex<Vec<Waiting>>>);

struct Waiting {
    id: i64,
    person: String,
    chat: String,
    salt: [u8; 32],
    hash: blake3::Hash,
}

impl Codes {
    fn lock(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new code for a change that was shown to somebody in a chat; what waited there before is void. None without a source of chance.
    pub(super) fn draw(&self, (id, person, chat): (i64, &str, &str)) -> Option<SecretString> {
        let (mut salt, mut chance) = ([0; 32], [0; 16]);
        getrandom::fill(&mut salt).ok()?;
        getrandom::fill(&mut chance).ok()?;
        // Of 128 bits a million takes away nothing that anybody could tell.
        let number = u128::from_le_bytes(chance) % 10_u128.pow(DIGITS as u32);
        let code = format!("{number:0DIGITS$}");
        let hash = blake3::keyed_hash(&salt, code.as_bytes());
        let mut codes = self.lock();
        codes.retain(|waiting| waiting.person != person || waiting.chat != chat);
        if codes.len() >= CODES_MAX {
            codes.remove(0);
        }
        codes.push(Waiting { id, person: person.to_owned(), chat: chat.to_owned(), salt, hash });
        Some(code.into())
    }

    /// The change that a code of this person in this chat waits for.
    pub(super) fn waiting(&self, person: &str, chat: &str) -> Option<i64> {
        self.lock().iter().find(|waiting| waiting.person == person && waiting.chat == chat).map(|waiting| waiting.id)
    }

    /// Whether this is the code of a change; hashes are compared in constant time.
    pub(super) fn is_right(&self, id: i64, code: &SecretString) -> bool {
        let codes = self.lock();
        let waiting = codes.iter().find(|waiting| waiting.id == id);
        waiting
            .is_some_and(|waiting| blake3::keyed_hash(&waiting.salt, code.expose_secret().as_bytes()) == waiting.hash)
    }

    /// A code does not count any more.
    pub(super) fn forget(&self, id: i64) {
        self.lock().retain(|waiting| waiting.id != id);
    }
}
