//! Who may be reached where? Chats that were bound by a code, codes that wait, and strangers that were counted.

use rusqlite::{OptionalExtension, params};

use crate::clock::Timestamp;
use crate::domain::ChannelKind;

use super::audit::append;
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

/// What strangers did since they were told of last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Knocks {
    /// Messages.
    pub messages: u64,
    /// Who wrote them.
    pub people: u64,
}

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

    /// Binds the person whose code has this hash to a chat, with a row of the audit, and uses the code up. Every code that waits loses
    /// one of its `tries_max` tries by a wrong one.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn use_code(
        &self,
        hash: String,
        channel: ChannelKind,
        (user, chat): (i64, i64),
        tries_max: u32,
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
            transaction
                .execute("DELETE FROM addresses WHERE channel = ?1 AND user = ?2", params![channel.as_str(), user])?;
            transaction.execute(
                "INSERT OR REPLACE INTO addresses (person, channel, user, chat, bound_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![person, channel.as_str(), user, chat, now.ms()],
            )?;
            transaction
                .execute("DELETE FROM strangers WHERE channel = ?1 AND user = ?2", params![channel.as_str(), user])?;
            let words = "/pair".to_owned();
            let (channel, result) = (channel.to_string(), "bound to this chat".to_owned());
            append(transaction, &AuditEntry { at: now, person: person.clone(), channel, words, result })?;
            Ok(Bound::To(person))
        })
    }

    /// A chat has another number now.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn move_chat(&self, channel: ChannelKind, from: i64, to: i64) -> Result<(), StoreError> {
        self.write(move |transaction| {
            transaction.execute(
                "UPDATE addresses SET chat = ?3 WHERE channel = ?1 AND chat = ?2",
                params![channel.as_str(), from, to],
            )?;
            transaction.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('chat ' || ?1 || ' ' || ?2, ?3)",
                params![channel.as_str(), from, to.to_string()],
            )?;
            Ok(())
        })
    }

    /// Counts a message of a stranger, and answers with what strangers did since `since` if that is more than before.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn count_stranger(
        &self,
        channel: ChannelKind,
        user: i64,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Knocks, StoreError> {
        self.write(move |transaction| {
            transaction.execute(
                "INSERT INTO strangers (channel, user, messages, first_ms, last_ms) VALUES (?1, ?2, 1, ?3, ?3)
                 ON CONFLICT (channel, user) DO UPDATE SET messages = messages + 1, last_ms = excluded.last_ms",
                params![channel.as_str(), user, now.ms()],
            )?;
            let knocks = transaction.query_row(
                "SELECT coalesce(sum(messages), 0), count(*) FROM strangers WHERE channel = ?1 AND last_ms >= ?2",
                params![channel.as_str(), since.ms()],
                |row| Ok(Knocks { messages: unsigned(row, 0)?, people: unsigned(row, 1)? }),
            )?;
            Ok(knocks)
        })
    }
}

impl Reader {
    /// Every account that was bound by a code.
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

    /// Whether somebody waits for a code to be used.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_code(&self, person: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut statement =
            self.connection().prepare_cached("SELECT 1 FROM pair_codes WHERE person = ?1 AND expires_ms > ?2")?;
        Ok(statement.exists(params![person, now.ms()])?)
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
