//! What happens at night? A verified copy of the database, the oldest ones deleted, old steps forgotten.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use chrono::Timelike;
use chrono_tz::Tz;

use crate::clock::{Clock, DAY_MS, Timestamp};
use crate::domain::{Event, EventKind, Routes, RunId};
use crate::store::{Store, backup, backup_name, prune};

/// The hour of the book's zone from which on the night's copy is made.
const HOUR: u32 = 2;
/// Days for which is kept what became of each message.
const MESSAGES_DAYS: i64 = 90;
/// How often it is looked whether it is time.
const LOOK: Duration = Duration::from_mins(1);

/// Does the nightly work.
pub(super) struct Night {
    /// The store.
    pub(super) store: Store,
    /// The clock.
    pub(super) clock: Arc<dyn Clock>,
    /// The zone whose nights count.
    pub(super) zone: Tz,
    /// Who is told.
    pub(super) routes: Routes,
    /// The run.
    pub(super) run: RunId,
    /// Copies that are kept.
    pub(super) keep: usize,
    /// Days for which steps are kept.
    pub(super) steps_days: i64,
}

impl Night {
    /// Looks once a minute until `stop` is dropped.
    pub(super) fn watch(self, stop: &Receiver<()>) {
        let mut tried = String::new();
        while stop.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            let local = self.clock.now().utc().with_timezone(&self.zone);
            let day = local.date_naive().to_string();
            let copy = folder(self.store.path()).join(backup_name(&day));
            // Once a night: a disk that is full at two is told of then, and not every minute after.
            if local.hour() >= HOUR && tried != day && !copy.exists() {
                self.work(&copy);
                tried = day;
            }
        }
    }

    fn work(&self, copy: &Path) {
        let kind = match self.copy(copy) {
            Ok(bytes) => EventKind::BackupMade { file: copy.display().to_string(), bytes },
            Err(error) => EventKind::BackupFailed { error },
        };
        let now = self.clock.now();
        let event = Event { at: now, book: None, kind };
        if let Err(error) = self.store.record_events(self.run, now, vec![event], &self.routes) {
            tracing::error!(%error, "the nightly backup could not be noted");
        }
        let before = Timestamp::from_ms(now.ms() - self.steps_days * DAY_MS);
        if let Err(error) = self.store.forget_steps(before) {
            tracing::warn!(%error, "old steps could not be forgotten");
        }
        let before = Timestamp::from_ms(now.ms() - MESSAGES_DAYS * DAY_MS);
        if let Err(error) = self.store.forget_messages(before) {
            tracing::warn!(%error, "old messages could not be forgotten");
        }
    }

    fn copy(&self, copy: &Path) -> Result<u64, String> {
        let folder = folder(self.store.path());
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let bytes = backup(self.store.path(), copy).map_err(|error| error.to_string())?;
        prune(&folder, self.keep).map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

/// Where the copies are: beside the database.
fn folder(database: &Path) -> PathBuf {
    database.parent().unwrap_or(Path::new("")).join("backups")
}
