//! How does somebody get rid of the digest by mail? By one click in the letter, which needs no login: its address is known to them alone.

use std::sync::Arc;

use crate::clock::Clock;
use crate::domain::{DIGEST, Treatment};
use crate::store::{AuditEntry, Own, Reader, Store, StoreError};
use crate::web::{PostDoor, Posted, Reply};

/// Where the door is.
pub(super) const PATH: &str = "/unsubscribe/";
/// Programs that look for viruses follow every address, so looking changes nothing.
const ASK: &str = concat!(
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">",
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">",
    "<meta name=\"robots\" content=\"noindex\"><title>Bellwether</title></head>",
    "<body style=\"font:16px/1.5 system-ui,sans-serif;max-width:30em;margin:2em auto;padding:0 1em\">",
    "<p>No digest any more? What cannot wait is told as before.</p>",
    "<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">",
    "<button style=\"font:inherit;padding:.5em 1em\">No digest any more</button></form></body></html>\n",
);
/// What mail programs and the page's own form send.
const CLICK: &str = "List-Unsubscribe=One-Click";
const TEXT: &str = "text/plain; charset=utf-8";

/// What stands for a person in an address: nobody can make it, and nothing can be read from it.
pub(super) fn token(key: &[u8; 32], person: &str) -> String {
    mark(key, person).to_hex().to_string()
}

fn mark(key: &[u8; 32], person: &str) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(b"no digest for ");
    hasher.update(person.as_bytes());
    hasher.finalize()
}

/// The door, for these people.
pub(super) fn door(key: [u8; 32], people: Vec<String>, store: Store, clock: Arc<dyn Clock>) -> PostDoor {
    let take = move |posted: Posted| {
        // Programs that send forms to see what happens send none of this (RFC 8058, 3.1).
        if !String::from_utf8_lossy(&posted.body).contains(CLICK) {
            return reply(400, "Nothing was changed: this address takes List-Unsubscribe=One-Click alone.\n");
        }
        let shown = blake3::Hash::from_hex(&posted.rest).ok();
        // Compared in constant time.
        let found = people.iter().find(|person| shown.is_some_and(|shown| shown == mark(&key, person)));
        match found.map(|person| turn_off(person, &store, clock.as_ref())) {
            Some(Ok(())) => reply(
                200,
                "Done: no digest any more. /less digest off in a chat brings it back, /missed shows what came meanwhile.\n",
            ),
            Some(Err(error)) => {
                tracing::warn!(%error, "a digest could not be turned off");
                reply(503, "That could not be kept just now. Try again in a minute.\n")
            }
            None => reply(404, "This address leads nowhere: it is not whole, or whom it was for is gone.\n"),
        }
    };
    PostDoor { path: PATH, page: Some(ASK), take: Arc::new(take) }
}

fn turn_off(person: &str, store: &Store, clock: &dyn Clock) -> Result<(), StoreError> {
    let now = clock.now();
    let wishes = Reader::open(store.path())?.wishes(person, now)?;
    if wishes.treatments.iter().any(|(kind, wish)| kind == DIGEST && *wish == Treatment::Off) {
        return Ok(());
    }
    let (person, channel, words) = (person.to_owned(), "email".to_owned(), "unsubscribe".to_owned());
    let entry = AuditEntry { at: now, person, channel, words, preview: None, result: "no digest".to_owned() };
    store.change_own(entry, Own::Wish { kind: DIGEST.to_owned(), treatment: Some(Treatment::Off) })?;
    Ok(())
}

fn reply(status: u16, words: &str) -> Reply {
    Reply { status, content_type: TEXT, body: words.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, Timestamp};

    #[test]
    fn one_click_turns_off_one_digest_and_nothing_else_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("a.db")).expect("opens");
        let key = store.button_key().expect("a key");
        let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_800_000_000_000)));
        let people = vec!["ana".to_owned(), "bo".to_owned()];
        let door = door(key, people, store.clone(), clock.clone());
        let sent = |rest: &str, body: &str| {
            let (rest, body) = (rest.to_owned(), body.as_bytes().to_vec());
            (door.take)(Posted { rest, target: String::new(), headers: Vec::new(), body })
        };
        let post = |rest: &str| sent(rest, CLICK);
        let off = |person: &str| {
            let wishes = Reader::open(store.path()).expect("opens").wishes(person, clock.now()).expect("reads");
            wishes.treatments == [(DIGEST.to_owned(), Treatment::Off)]
        };
        let changes = || Reader::open(store.path()).expect("opens").verify_audit().expect("reads");
        let own = token(&key, "ana");
        let others = token(&[0; 32], "ana");
        let escaped = format!("%{:x}{}", own.as_bytes()[0], &own[1..]);
        for wrong in ["", "ana", &own[1..], &format!("{own}0"), &others, &escaped, "../ana"] {
            assert_eq!(post(wrong).status, 404, "{wrong}");
        }
        for body in ["", "x=y", "List-Unsubscribe="] {
            assert_eq!(sent(&own, body).status, 400, "{body}");
        }
        assert!(!off("ana") && changes() == (0, None));
        assert!(!own.contains("ana") && token(&key, "bo") != own);
        for _ in 0..2 {
            let reply = post(&own);
            assert!(reply.status == 200 && reply.body.contains("/less digest off"), "{reply:?}");
        }
        assert!(off("ana") && !off("bo"));
        assert_eq!(changes(), (1, None), "told once in the record of changes");
        // Programs that look for viruses follow the address: looking is a page that nothing was read for.
        assert!(door.page.is_some_and(|page| page.contains("method=\"post\"")));
    }
}
