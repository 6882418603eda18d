//! Who reads? Anybody, through a connection that cannot write.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::backup::EPOCH;
use super::db::{connect, schema_version};
use super::{Store, StoreError};

/// A read-only view of the database.
pub struct Reader {
    connection: Connection,
}

impl Reader {
    /// Opens the database to read it.
    ///
    /// # Errors
    /// When there is none, or it cannot be read by this version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing(path.to_owned()));
        }
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let known = schema_version();
        if found == 0 {
            return Err(StoreError::Missing(path.to_owned()));
        }
        if found > known {
            return Err(StoreError::Newer { found, known });
        }
        Ok(Self { connection })
    }

    /// The connection, for the queries of this folder.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Something noted about the database, such as the feed it belongs to.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        let row = self.connection.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0));
        Ok(row.optional()?)
    }
}

impl Store {
    /// The key of this database under which buttons get their tokens; made by chance at the first time.
    ///
    /// # Errors
    /// When the disk refuses, or the machine has no source of chance.
    pub fn button_key(&self) -> Result<[u8; 32], StoreError> {
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh)
            .map_err(|error| StoreError::Unreadable { what: "source of chance", why: error.to_string() })?;
        self.write(move |transaction| {
            let fresh = blake3::Hash::from_bytes(fresh).to_hex();
            transaction
                .execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('button_key', ?1)", [fresh.as_str()])?;
            let kept: String =
                transaction.query_row("SELECT value FROM meta WHERE key = 'button_key'", [], |row| row.get(0))?;
            let key = blake3::Hash::from_hex(&kept)
                .map_err(|error| StoreError::Unreadable { what: "key of the buttons", why: error.to_string() })?;
            Ok(*key.as_bytes())
        })
    }

    /// The key under which deliveries get the names that receivers know them by. A database that was restored has another: its deliveries
    /// are counted again from where the copy was made, and must not pass for those that were told since.
    ///
    /// # Errors
    /// As for [`Store::button_key`].
    pub fn naming_key(&self) -> Result<[u8; 32], StoreError> {
        let key = self.button_key()?;
        let epoch = Reader::open(self.path())?.meta(EPOCH)?;
        Ok(epoch.map_or(key, |epoch| *blake3::keyed_hash(&key, epoch.as_bytes()).as_bytes()))
    }

    /// Notes something about the database.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_meta(&self, key: &str, value: String) -> Result<(), StoreError> {
        let key = key.to_owned();
        self.write(move |transaction| {
            transaction.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", [&key, &value])?;
            Ok(())
        })
    }
}
