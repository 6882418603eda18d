//! What is still to be done in a chat besides messages? Errands that outlive a restart: each stays until somebody says that it is over.

use std::collections::HashMap;

use rusqlite::{Transaction, params};
use serde_json::Value;

use crate::clock::Timestamp;

use super::outbox::add_answer;
use super::state::{time, unsigned};
use super::{Answer, Reader, Store, StoreError};

/// Errands that are read at once, and how many of them are of one chat.
const READ_MAX: u32 = 100;
const CHAT_MAX: u32 = 10;
/// No try is put off for longer, in milliseconds: what seems to be due later was put off before the clock was set back.
const PUT_OFF_MAX_MS: i64 = 3_600_000;

/// Something that is to be done on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// Its row.
    pub id: i64,
    /// What it is, as JSON. Whoever runs it knows the form.
    pub body: String,
    /// Where it is to be done; 0 if that is not known.
    pub chat: i64,
    /// When it arose, on the wall clock.
    pub made: Timestamp,
    /// How often it was tried in vain.
    pub tries: u32,
}

/// What has to wait when a try failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutOff {
    /// This errand.
    Errand,
    /// Everything that is to be done in its chat: what stands against it stands against all of that.
    Chat,
}

/// The chat that a body names.
fn chat_of(body: &str) -> i64 {
    let kinds = serde_json::from_str::<HashMap<String, Value>>(body).unwrap_or_default();
    kinds.values().find_map(|kind| kind["chat"].as_i64()).unwrap_or_default()
}

/// Keeps an errand.
pub(super) fn add_errand(
    transaction: &Transaction<'_>,
    channel: &str,
    body: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached("INSERT INTO errands (channel, chat, body, made_ms, due_ms) VALUES (?1, ?2, ?3, ?4, ?4)")?
        .execute(params![channel, chat_of(body), body, now.ms()])?;
    Ok(())
}

impl Store {
    /// Keeps an errand until it is over.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_errand(&self, channel: &'static str, body: String, now: Timestamp) -> Result<(), StoreError> {
        let kept = self.write(move |transaction| add_errand(transaction, channel, &body, now));
        self.wake();
        kept
    }

    /// A try at an errand failed: the next one comes at `due`, at most an hour from now.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn put_off_errand(&self, id: i64, what: PutOff, due: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| {
            transaction.execute("UPDATE errands SET tries = tries + 1, due_ms = ?2 WHERE id = ?1", [id, due.ms()])?;
            if what == PutOff::Chat {
                transaction.execute(
                    "UPDATE errands SET due_ms = max(due_ms, ?2)
                     WHERE (channel, chat) = (SELECT channel, chat FROM errands WHERE id = ?1)",
                    [id, due.ms()],
                )?;
            }
            Ok(())
        })
    }

    /// An errand is over; what is to be said of it goes on its way in the same transaction.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn end_errand(&self, id: i64, told: Option<Answer>, now: Timestamp) -> Result<(), StoreError> {
        let is_told = told.is_some();
        self.write(move |transaction| {
            let was_open = transaction.execute("DELETE FROM errands WHERE id = ?1", [id])? > 0;
            match told {
                Some(told) if was_open => add_answer(transaction, &told, now),
                _ => Ok(()),
            }
        })?;
        if is_told {
            self.wake();
        }
        Ok(())
    }
}

impl Reader {
    /// What is to be tried now on a channel: the newest of each chat first, and only a few of one chat.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn due_errands(&self, channel: &str, now: Timestamp) -> Result<Vec<Errand>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id, body, chat, made_ms, tries FROM (
               SELECT *, row_number() OVER (PARTITION BY chat ORDER BY id DESC) AS place
               FROM errands WHERE channel = ?1 AND (due_ms <= ?2 OR due_ms > ?3)
             ) WHERE place <= ?4 ORDER BY place, id DESC LIMIT ?5",
        )?;
        let latest = now.ms().saturating_add(PUT_OFF_MAX_MS);
        let rows = statement.query_map(params![channel, now.ms(), latest, CHAT_MAX, READ_MAX], |row| {
            let (made, tries) = (time(row, 3)?, row.get(4)?);
            Ok(Errand { id: row.get(0)?, body: row.get(1)?, chat: row.get(2)?, made, tries })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How much is still to be done on a channel, now or later.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_errands(&self, channel: &str) -> Result<u64, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT count(*) FROM errands WHERE channel = ?1")?;
        Ok(statement.query_row([channel], |row| unsigned(row, 0))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

    fn later(ms: i64) -> Timestamp {
        Timestamp::from_ms(NOW.ms() + ms)
    }

    #[test]
    fn what_waits_in_one_chat_keeps_nothing_in_others_waiting() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(&folder.path().join("a.db")).expect("opens");
        let reader = Reader::open(store.path()).expect("opens");
        let keep = |chat: i64, n: i64| {
            let body = format!("{{\"remove\":{{\"user\":{chat},\"chat\":{chat},\"message\":{n}}}}}");
            store.keep_errand("telegram", body, NOW).expect("kept");
        };
        let due = |now: Timestamp| reader.due_errands("telegram", now).expect("reads");
        keep(7, 0);
        (1..=150).for_each(|n| keep(8, n));
        let chats: Vec<i64> = due(NOW).iter().map(|one| one.chat).collect();
        assert_eq!((&chats[..2], chats.len()), ([8, 7].as_slice(), 1 + CHAT_MAX as usize));
        let newest = due(NOW)[0].clone();
        assert!(newest.body.contains("150"), "{newest:?}");
        // One that failed waits alone, or the whole chat with it.
        store.put_off_errand(newest.id, PutOff::Errand, later(1_000)).expect("put off");
        assert!(due(NOW)[0].body.contains("149"));
        store.put_off_errand(newest.id, PutOff::Chat, later(60_000)).expect("put off");
        assert_eq!(due(later(59_999)).iter().map(|one| one.chat).collect::<Vec<_>>(), [7]);
        let again = due(later(60_000));
        assert_eq!((again[0].id, again[0].tries, again.len()), (newest.id, 2, 1 + CHAT_MAX as usize));
        // A clock that was set back by a day does not add a day.
        assert_eq!(due(later(-86_400_000)).len(), 1 + CHAT_MAX as usize);
        assert_eq!(reader.open_errands("telegram").expect("reads"), 151);
        store.close();
    }
}
