//! Is somebody running on this database already? A lock on a file beside it, which the system lets go when its holder dies.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, params};

use crate::clock::Timestamp;
use crate::domain::RunId;

use super::state::{time, unsigned};
use super::{Reader, Store, StoreError};

/// The right to run on a database; let go when dropped.
#[derive(Debug)]
pub struct Lease {
    _file: File,
}

/// Why there is no such right.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Somebody runs on it.
    #[error("another bellwether is running on {}", .0.display())]
    Taken(PathBuf),
    /// The lock file cannot be used.
    #[error("cannot lock {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

impl Lease {
    /// Takes the right to run on `database`.
    ///
    /// # Errors
    /// When somebody else has it, or the lock file cannot be used.
    pub fn take(database: &Path) -> Result<Self, LeaseError> {
        let path = lock_path(database);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|cause| LeaseError::File { path: path.clone(), cause })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LeaseError::Taken(database.to_owned())),
            Err(TryLockError::Error(cause)) => Err(LeaseError::File { path, cause }),
        }
    }
}

impl Lease {
    /// Whether somebody runs on `database`.
    pub fn is_taken(database: &Path) -> bool {
        let file = File::options().write(true).open(lock_path(database));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Who ran last, or runs now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// Its process.
    pub pid: u32,
    /// Its run.
    pub run: RunId,
    /// When it started.
    pub started: Timestamp,
    /// When it last showed that it lives.
    pub beat: Timestamp,
    /// True if it stopped as it was told to.
    pub clean: bool,
}

impl Store {
    /// Notes who runs now.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sign_lease(&self, run: RunId, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO lease (one, pid, run, started_ms, beat_ms, clean) VALUES (1, ?1, ?2, ?3, ?3, 0)",
                params![std::process::id(), run.0 as i64, now.ms()],
            )?;
            Ok(())
        })
    }

    /// Shows that the runner lives.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn beat(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| {
            transaction.execute("UPDATE lease SET beat_ms = ?1", [now.ms()])?;
            Ok(())
        })
    }
}

impl Reader {
    /// Who ran last, or runs now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn lease(&self) -> Result<Option<LeaseRow>, StoreError> {
        let row = self.connection().query_row("SELECT pid, run, started_ms, beat_ms, clean FROM lease", [], |row| {
            Ok(LeaseRow {
                pid: row.get(0)?,
                run: RunId(unsigned(row, 1)?),
                started: time(row, 2)?,
                beat: time(row, 3)?,
                clean: row.get(4)?,
            })
        });
        Ok(row.optional()?)
    }
}
