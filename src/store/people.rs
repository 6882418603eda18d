//! Who may be reached where? Chats that were bound by a code, codes that wait, and strangers that were counted.

use rusqlite::{OptionalExtension, params};

use crate::clock::Timestamp;
use crate::domain::{ChannelKind, Lane};

use super::audit::append;
use super::errands::add_errand;
use super::state::{time, unsigned};
use super::{AuditEntry, Reader, Store, StoreError};

/// An account in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Whose it is.
    pub person: String,
    /// On which channel.
    pub channel: ChannelKind,
    /// The account's number.
    pub user: i64,
    /// The chat's number.
    pub chat: i64,
}

/// How a try at a code ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// This person is bound to the chat now.
    To(String),
    /// No code that waits is like that.
    Nobody,
}

/// What changes for others when a code binds somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// What is to be done in the chats that the person leaves, as errands.
    pub errands: Vec<String>,
    /// Who had the account or the chat before.
    pub losers: Vec<String>,
}

/// Says what changes for others when this person is bound.
pub type Leaving = Box<dyn FnOnce(&str) -> Left + Send>;

/// Strangers who are remembered on one channel; who wrote last is kept.
const STRANGERS_MAX: u32 = 1_000;

impl Store {
    /// Keeps the hash of a person's code; an older one is void.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_code(&self, person: &str, hash: String, expires: Timestamp) -> Result<(), StoreError> {
        let person = person.to_owned();
        self.write(move |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO pair_codes (person, hash, expires_ms, tries) VALUES (?1, ?2, ?3, 0)",
                params![person, hash, expires.ms()],
            )?;
            Ok(())
        })
    }

    /// Binds the person whose code has this hash to a chat, with a row of the audit and what `leaving` says is to be done in the chats that they
    /// leave, and uses the code up. Whoever had the account before is without one from now on: what the configuration says of them is older
    /// than what codes did, and is not taken up again. Every code that waits loses one of its `tries_max` tries by a wrong one.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn use_code(
        &self,
        hash: String,
        channel: ChannelKind,
        (user, chat): (i64, i64),
        tries_max: u32,
        leaving: Leaving,
        now: Timestamp,
    ) -> Result<Option<Bound>, StoreError> {
        let points = self.points().clone();
        self.change(move |transaction| {
            transaction.execute("DELETE FROM pair_codes WHERE expires_ms <= ?1", [now.ms()])?;
            let person: Option<String> = transaction
                .query_row("SELECT person FROM pair_codes WHERE hash = ?1", [&hash], |row| row.get(0))
                .optional()?;
            let Some(person) = person else {
                transaction.execute("UPDATE pair_codes SET tries = tries + 1", [])?;
                transaction.execute("DELETE FROM pair_codes WHERE tries >= ?1", [tries_max])?;
                return Ok(Bound::Nobody);
            };
            transaction.execute("DELETE FROM pair_codes WHERE person = ?1", [&person])?;
            points.pass("pair: code used, nobody bound")?;
            let name = channel.as_str();
            transaction.execute(
                "UPDATE addresses SET user = 0, chat = 0, bound_ms = ?3 WHERE channel = ?1 AND user = ?2",
                params![name, user, now.ms()],
            )?;
            let bind =
                "INSERT OR REPLACE INTO addresses (person, channel, user, chat, bound_ms) VALUES (?1, ?2, ?3, ?4, ?5)";
            let left = leaving(&person);
            for loser in left.losers {
                transaction.execute(bind, params![loser, name, 0, 0, now.ms()])?;
            }
            transaction.execute(bind, params![person, name, user, chat, now.ms()])?;
            transaction.execute("DELETE FROM strangers WHERE channel = ?1 AND user = ?2", params![name, user])?;
            for errand in left.errands {
                add_errand(transaction, name, &errand, now)?;
            }
            let words = "/pair".to_owned();
            let (channel, result) = (channel.to_string(), "bound to this chat".to_owned());
            append(
                transaction,
                &AuditEntry { at: now, person: person.clone(), channel, words, preview: None, result },
            )?;
            Ok(Bound::To(person))
        })
    }

    /// Forgets what codes have bound for everybody but `configured`: a name that comes back is somebody new until a code says otherwise.
    /// Who was forgotten.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn forget_addresses(&self, configured: Vec<String>) -> Result<Vec<String>, StoreError> {
        self.write(move |transaction| {
            let mut statement = transaction.prepare("SELECT DISTINCT person FROM addresses ORDER BY person")?;
            let bound = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            let gone: Vec<String> = bound.into_iter().filter(|person| !configured.contains(person)).collect();
            for person in &gone {
                transaction.execute("DELETE FROM addresses WHERE person = ?1", [person])?;
                transaction.execute("DELETE FROM pair_codes WHERE person = ?1", [person])?;
            }
            Ok(gone)
        })
    }

    /// A chat has another number now, and what was sent on these lanes into the old one has none that means anything in the new one. Said
    /// twice, it changes nothing the second time.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn move_chat(&self, channel: ChannelKind, from: i64, to: i64, lanes: Vec<Lane>) -> Result<(), StoreError> {
        self.write(move |transaction| {
            let name = channel.as_str();
            let key = format!("chat {name} {from}");
            let known: Option<String> =
                transaction.query_row("SELECT value FROM meta WHERE key = ?1", [&key], |row| row.get(0)).optional()?;
            if known.is_some_and(|known| known == to.to_string()) || from == to {
                return Ok(());
            }
            transaction
                .execute("UPDATE addresses SET chat = ?3 WHERE channel = ?1 AND chat = ?2", params![name, from, to])?;
            transaction
                .execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", params![key, to.to_string()])?;
            for lane in lanes {
                transaction.execute(
                    "UPDATE outbox SET remote = NULL, reply_to = NULL, edit_of = NULL
                     WHERE lane = ?1 AND (remote IS NOT NULL OR reply_to IS NOT NULL OR edit_of IS NOT NULL)",
                    [lane.to_string()],
                )?;
            }
            Ok(())
        })
    }

    /// Counts a message of a stranger.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn count_stranger(&self, channel: ChannelKind, user: i64, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| {
            let name = channel.as_str();
            let counted = transaction.execute(
                "UPDATE strangers SET messages = messages + 1, last_ms = ?3 WHERE channel = ?1 AND user = ?2",
                params![name, user, now.ms()],
            )?;
            if counted > 0 {
                return Ok(());
            }
            transaction.execute(
                "DELETE FROM strangers WHERE channel = ?1 AND user NOT IN
                 (SELECT user FROM strangers WHERE channel = ?1 ORDER BY last_ms DESC LIMIT ?2)",
                params![name, STRANGERS_MAX - 1],
            )?;
            transaction.execute(
                "INSERT INTO strangers (channel, user, messages, first_ms, last_ms) VALUES (?1, ?2, 1, ?3, ?3)",
                params![name, user, now.ms()],
            )?;
            Ok(())
        })
    }
}

impl Reader {
    /// Every account that was bound by a code. Whoever lost theirs to somebody else has number 0.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn addresses(&self) -> Result<Vec<Address>, StoreError> {
        let mut statement =
            self.connection().prepare_cached("SELECT person, channel, user, chat FROM addresses ORDER BY person")?;
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?)))?;
        let mut addresses = Vec::new();
        for row in rows {
            let (person, channel, user, chat) = row?;
            let channel = channel.parse().map_err(|why| StoreError::Unreadable { what: "address", why })?;
            addresses.push(Address { person, channel, user, chat });
        }
        Ok(addresses)
    }

    /// The number that a chat has now, if it was moved.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn moved_chat(&self, channel: ChannelKind, chat: i64) -> Result<Option<i64>, StoreError> {
        Ok(self.meta(&format!("chat {channel} {chat}"))?.and_then(|to| to.parse().ok()))
    }

    /// Strangers who wrote since then.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn strangers(&self, channel: ChannelKind) -> Result<Vec<(i64, u64, Timestamp)>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT user, messages, last_ms FROM strangers WHERE channel = ?1 ORDER BY last_ms DESC LIMIT 100",
        )?;
        let rows =
            statement.query_map([channel.as_str()], |row| Ok((row.get(0)?, unsigned(row, 1)?, time(row, 2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_strangers_those_who_wrote_last_are_remembered() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(&folder.path().join("a.db")).expect("opens");
        let knock = |user: i64, at: i64| {
            store.count_stranger(ChannelKind::Telegram, user, Timestamp::from_ms(at)).expect("counted");
        };
        for user in 1..=i64::from(STRANGERS_MAX) + 5 {
            knock(user, user);
        }
        knock(7, 5_000);
        let kept = store.write(|transaction| {
            let sql = "SELECT count(*), sum(messages), min(user) FROM strangers";
            Ok(transaction.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
        });
        assert_eq!(kept.expect("counted"), (i64::from(STRANGERS_MAX), i64::from(STRANGERS_MAX) + 1, 6));
        store.close();
    }
}
