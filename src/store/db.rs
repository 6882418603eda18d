//! Who writes? One thread with one connection; everybody else sends it work and waits.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

use super::{Points, StoreError};

/// Every migration, in order. A row is never changed once it was released.
const MIGRATIONS: &[M<'_>] = &[
    M::up(include_str!("migrations/0001_first.sql")),
    M::up(include_str!("migrations/0002_desk.sql")),
    M::up(include_str!("migrations/0003_delivery.sql")),
    M::up(include_str!("migrations/0004_sms.sql")),
    M::up(include_str!("migrations/0005_control.sql")),
];

/// The header of every database file.
const HEADER_BYTES: u64 = 100;
/// The largest database, in bytes, that is read through at each start.
const QUICK_CHECK_MAX: i64 = 64 << 20;
/// Pieces of work that may wait for the writer.
const QUEUE_MAX: usize = 64;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The schema that this version writes.
pub fn schema_version() -> i64 {
    MIGRATIONS.len() as i64
}

/// The store, to be written. Clones share the one writer.
#[derive(Clone)]
pub struct Store {
    path: PathBuf,
    points: Points,
    queue: SyncSender<Job>,
    bell: Arc<Bell>,
    /// The update of the inbox that is being handled, if one is.
    cause: Option<i64>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// Rung when facts were committed, so that whoever tells people need not look all the time.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<u64>,
    heard: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.heard.notify_all();
    }
}

/// A piece of work that was handed to the writer and not waited for.
pub struct Ticket<T>(Receiver<T>);

impl<T> Ticket<T> {
    /// Waits for the outcome.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn wait(self) -> Result<T, StoreError> {
        self.0.recv().map_err(|_| StoreError::Closed)
    }
}

impl Store {
    /// Opens the database, makes or migrates it, and starts the writer.
    ///
    /// # Errors
    /// When the file cannot be used; each case says what to do.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, Points::default())
    }

    /// The same with kill points, for tests.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open_with(path: &Path, points: Points) -> Result<Self, StoreError> {
        let mut connection = connect(path, OpenFlags::default())?;
        upgrade(&mut connection)?;
        let (queue, work) = sync_channel::<Job>(QUEUE_MAX);
        let writer = std::thread::Builder::new().name("store".to_owned()).spawn(move || {
            for job in work {
                job(&mut connection);
            }
        });
        let writer = writer.map_err(|cause| StoreError::File { path: path.to_owned(), cause })?;
        let bell = Arc::new(Bell::default());
        Ok(Self { path: path.to_owned(), points, queue, bell, cause: None, writer: Arc::new(Mutex::new(Some(writer))) })
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The kill points.
    pub fn points(&self) -> &Points {
        &self.points
    }

    /// The bell of this store.
    pub(super) fn bell(&self) -> Arc<Bell> {
        self.bell.clone()
    }

    /// Wakes whoever waits for facts, though there are none: something else is to be looked at.
    pub fn wake(&self) {
        self.bell.ring();
    }

    /// Waits until facts are committed after the count `seen`, or for `time_out`; the count now.
    pub fn wait_for_facts(&self, seen: u64, time_out: Duration) -> u64 {
        let rung = self.bell.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.bell.heard.wait_timeout_while(rung, time_out, |rung| *rung <= seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// The same store, to be changed because of an update of the inbox: what [`Store::change`] does for it is done once.
    #[must_use]
    pub fn caused_by(&self, inbox: i64) -> Self {
        Self { cause: Some(inbox), ..self.clone() }
    }

    /// Runs `work` in one transaction, once for the update that causes it. None if that was done before: the bot died between the change
    /// and the answer.
    ///
    /// # Errors
    /// What `work` or the disk met; nothing of it is stored then.
    pub fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        let cause = self.cause;
        self.write(move |transaction| {
            if let Some(inbox) = cause {
                let first = transaction.execute("INSERT OR IGNORE INTO effects (inbox) VALUES (?1)", [inbox])? > 0;
                if !first {
                    return Ok(None);
                }
            }
            work(transaction).map(Some)
        })
    }

    /// Runs `work` in one transaction and waits until it is on the disk.
    ///
    /// # Errors
    /// What `work` or the disk met; nothing of it is stored then.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let points = self.points.clone();
        self.begin(move |connection| in_transaction(connection, &points, work)).wait()?
    }

    /// Hands `work` to the writer and does not wait for it.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Ticket<T> {
        let (answer, ticket) = channel();
        let job: Job = Box::new(move |connection| {
            // Nobody listening means that the asker is gone; the work is done all the same.
            let _ = answer.send(work(connection));
        });
        if self.queue.send(job).is_err() {
            tracing::error!("the store's writer is gone");
        }
        Ticket(ticket)
    }

    /// Folds the log into the database, so that the one file is complete in itself.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn fold(&self) -> Result<(), StoreError> {
        let folded = self.begin(|connection| {
            // A long reader is not worth waiting for: the log is folded in at the next start then.
            connection.execute_batch("PRAGMA busy_timeout = 200")?;
            Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
        });
        folded.wait()?
    }

    /// Waits for all work handed in so far, then ends the writer. Clones of this store must be gone by then.
    pub fn close(self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(self.queue);
        if let Some(writer) = writer {
            let _ = writer.join();
        }
    }
}

/// Runs `work` and commits, or leaves everything as it was.
pub(super) fn in_transaction<T>(
    connection: &mut Connection,
    points: &Points,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    points.pass("commit: before")?;
    transaction.commit()?;
    points.pass("commit: after")?;
    Ok(value)
}

/// Opens a connection with the settings that every one has.
pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let failed = |cause: rusqlite::Error| match StoreError::from(cause) {
        StoreError::Other(cause) => StoreError::Open { path: path.to_owned(), cause },
        known => known,
    };
    keep_private(path, flags).map_err(|cause| StoreError::File { path: path.to_owned(), cause })?;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    refuse_foreign(&connection)?;
    let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;
                    PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2000;";
    let readonly = flags.contains(OpenFlags::SQLITE_OPEN_READ_ONLY);
    // Every lane has a reader, and the system keeps the file's pages as well: a cache of each its own that only grows would be waste.
    let settings = if readonly { "PRAGMA busy_timeout = 5000; PRAGMA cache_size = -1000;" } else { settings };
    connection.execute_batch(settings).map_err(failed)?;
    Ok(connection)
}

/// A new database is readable by its owner alone, and so is all that `SQLite` puts beside it: hashes of PINs and of codes are in it.
#[cfg(unix)]
fn keep_private(path: &Path, flags: OpenFlags) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    if flags.contains(OpenFlags::SQLITE_OPEN_CREATE) && !path.exists() {
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    }
    Ok(())
}

/// The folder decides who may read it.
#[cfg(not(unix))]
fn keep_private(_: &Path, _: OpenFlags) -> std::io::Result<()> {
    Ok(())
}

/// A file too short to be a database was one once: making a new one in its place would hide the loss.
fn refuse_stump(path: &Path) -> Result<(), StoreError> {
    match std::fs::metadata(path) {
        Ok(found) if found.len() < HEADER_BYTES => {
            Err(StoreError::Damaged(format!("{} bytes of it are left", found.len())))
        }
        _ => Ok(()),
    }
}

/// A database of somebody else is left as it is, its journal mode included.
fn refuse_foreign(connection: &Connection) -> Result<(), StoreError> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    if version == 0 && tables > 0 {
        return Err(StoreError::Damaged("it is not a database of bellwether".to_owned()));
    }
    Ok(())
}

/// Brings the schema up to date. Doing it twice changes nothing.
pub(super) fn upgrade(connection: &mut Connection) -> Result<(i64, i64), StoreError> {
    let before: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = schema_version();
    if before > known {
        return Err(StoreError::Newer { found: before, known });
    }
    if before < known {
        Migrations::from_slice(MIGRATIONS).to_latest(connection).map_err(|error| match error {
            rusqlite_migration::Error::RusqliteError { err, .. } => StoreError::from(err),
            other => StoreError::Damaged(other.to_string()),
        })?;
    }
    Ok((before, known))
}

/// Looks whether the database at `path` is whole. A file that lost its end opens without complaint and fails much later, so its length
/// is compared with what it says of itself. Only for whoever holds the lease: beside a writer the two differ all the time.
///
/// # Errors
/// When it is damaged or cannot be read.
pub fn check_whole(path: &Path) -> Result<(), StoreError> {
    refuse_stump(path)?;
    let connection = connect(path, OpenFlags::default())?;
    let folded = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        Ok(row.get::<_, i64>(0)? == 0 && row.get::<_, i64>(1)? == row.get::<_, i64>(2)?)
    })?;
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let size: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let length = std::fs::metadata(path).map_err(|cause| StoreError::File { path: path.to_owned(), cause })?.len();
    if folded && (length as i64) < pages * size {
        return Err(StoreError::Damaged(format!("{length} of {} bytes are there", pages * size)));
    }
    if pages * size < QUICK_CHECK_MAX {
        let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(StoreError::Damaged(verdict));
        }
    }
    Ok(())
}

/// Brings the database at `path` up to date; the schemas before and after.
///
/// # Errors
/// When the file cannot be used.
pub fn migrate(path: &Path) -> Result<(i64, i64), StoreError> {
    refuse_stump(path)?;
    let mut connection = connect(path, OpenFlags::default())?;
    upgrade(&mut connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_are_sound() {
        assert!(Migrations::from_slice(MIGRATIONS).validate().is_ok());
    }

    #[test]
    fn a_second_upgrade_changes_nothing_and_a_newer_database_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.db");
        assert_eq!(migrate(&path).expect("migrates"), (0, schema_version()));
        assert_eq!(migrate(&path).expect("migrates"), (schema_version(), schema_version()));
        let connection = Connection::open(&path).expect("opens");
        connection.execute_batch("PRAGMA user_version = 99").expect("sets");
        assert!(matches!(migrate(&path), Err(StoreError::Newer { found: 99, .. })));
    }

    /// A version before this one kept which buttons were pressed, in order: on a pad that is the PIN.
    #[test]
    fn digits_that_were_pressed_before_are_forgotten() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.db");
        let mut connection = connect(&path, OpenFlags::default()).expect("opens");
        Migrations::from_slice(&MIGRATIONS[..4]).to_latest(&mut connection).expect("migrates");
        let token = |key: &str| format!("token-of-{key}-0123456789abcdef");
        for key in ["2", "back", "done", "leave", "gone"] {
            let row = "INSERT INTO inbox (channel, update_key, person, text, received_ms, state, body)
                       VALUES ('telegram', ?1 || ?3, 'ana', '', 1, ?3, ?2)";
            let body = serde_json::json!({ "what": "press", "token": token(key), "sent": 7 }).to_string();
            connection.execute(row, [key, &body, "answered"]).expect("kept");
            connection.execute(row, [key, &body, "new"]).expect("kept");
            if key != "gone" {
                let button =
                    "INSERT INTO buttons (token, lane, line, made_ms) VALUES (?1, 'ana:telegram', 'pad 7 ' || ?2, 1)";
                connection.execute(button, [&token(key), key]).expect("kept");
            }
        }
        let unreadable = "INSERT INTO inbox (channel, update_key, person, text, received_ms, state, body)
                          VALUES ('telegram', '0', '', '', 1, 'answered', '')";
        connection.execute_batch(unreadable).expect("kept");
        drop(connection);
        migrate(&path).expect("migrates");
        let connection = Connection::open(&path).expect("opens");
        let sql = "SELECT json_extract(body, '$.token') FROM inbox WHERE body != '' AND json_extract(body, '$.sent') = 7 ORDER BY id";
        let mut statement = connection.prepare(sql).expect("prepares");
        let left = statement.query_map([], |row| row.get::<_, String>(0)).expect("reads");
        let left: Vec<String> = left.map(|row| row.expect("reads")).filter(|left| !left.is_empty()).collect();
        assert_eq!(left, ["done", "leave", "gone"].map(token), "what is still to be done is known");
        drop(statement);
        // Nor in what is free in the file, which a backup copies.
        let (bytes, kept) = (std::fs::read(&path).expect("reads"), format!("\"token\":\"{}", token("2")));
        assert!(!bytes.windows(kept.len()).any(|window| window == kept.as_bytes()));
    }

    #[test]
    fn a_truncated_database_is_told() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.db");
        Store::open(&path).expect("opens").close();
        let length = std::fs::metadata(&path).expect("exists").len();
        std::fs::OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(length / 2)).expect("cuts");
        assert!(matches!(check_whole(&path), Err(StoreError::Damaged(_))));
        std::fs::write(&path, b"").expect("cuts");
        assert!(matches!(check_whole(&path), Err(StoreError::Damaged(_))));
        assert!(matches!(migrate(&path), Err(StoreError::Damaged(_))));
        std::fs::write(&path, b"this is no database, only text that is long enough").expect("writes");
        assert!(matches!(Store::open(&path), Err(StoreError::Damaged(_))));
    }
}
