//! How is the database copied and brought back? While the bot runs, verified, and never over something that is not kept.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, backup::Backup};

use crate::clock::Timestamp;

use super::db::{connect, schema_version, upgrade};
use super::drills::RESTORED;
use super::{Lease, LeaseError, StoreError};

/// What tells a database that was restored from the one that the copy was made of.
pub(super) const EPOCH: &str = "epoch";
const BACKUP_PREFIX: &str = "bellwether-";

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError + '_ {
    move |cause| StoreError::File { path: path.to_owned(), cause }
}

/// The name of a night's copy.
pub fn backup_name(day: &str) -> String {
    format!("{BACKUP_PREFIX}{day}.db")
}

/// Copies the database at `from` to `to` while others write, checks the copy, and only then gives it its name; its size in bytes.
///
/// # Errors
/// When either file cannot be used, or the copy is not sound.
pub fn backup(from: &Path, to: &Path) -> Result<u64, StoreError> {
    if !from.exists() {
        return Err(StoreError::Missing(from.to_owned()));
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::metadata(folder).map_err(file_error(folder))?;
    }
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    if real(to).is_some() && (real(to) == real(from) || Lease::is_taken(to) || verify(to).is_err()) {
        return Err(StoreError::InTheWay(to.to_owned()));
    }
    let mut name = to.as_os_str().to_owned();
    name.push(".tmp");
    let unfinished = PathBuf::from(name);
    let _ = std::fs::remove_file(&unfinished);
    let copied = copy(from, &unfinished).and_then(|()| verify(&unfinished));
    if let Err(error) = copied {
        let _ = std::fs::remove_file(&unfinished);
        return Err(error);
    }
    std::fs::rename(&unfinished, to).map_err(file_error(to))?;
    Ok(std::fs::metadata(to).map_err(file_error(to))?.len())
}

fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let source = connect(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut target = Connection::open(to)?;
    target.execute_batch("PRAGMA cache_size = -1000")?;
    {
        let backup = Backup::new(&source, &mut target)?;
        // In one step: a copy in pieces begins again whenever somebody writes in between, and might never end.
        backup.step(-1)?;
    }
    // One file, complete in itself: a copy may be carried elsewhere without its log.
    target.execute_batch("PRAGMA journal_mode = DELETE")?;
    // Nobody runs on the copy, so whoever starts on it later must not take it for dead.
    target.execute_batch("UPDATE lease SET clean = 1")?;
    Ok(())
}

/// True to its form: a sound database of ours, not newer than this version.
///
/// # Errors
/// When it is not.
pub fn verify(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing(path.to_owned()));
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(StoreError::Damaged(verdict));
    }
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > schema_version() {
        return Err(StoreError::Newer { found, known: schema_version() });
    }
    let ours =
        connection.query_row("SELECT count(*) FROM sqlite_master WHERE name IN ('journal', 'books')", [], |row| {
            row.get::<_, i64>(0)
        })?;
    if ours != 2 || found == 0 {
        return Err(StoreError::Damaged("it is not a database of bellwether".to_owned()));
    }
    Ok(())
}

/// Why a copy was not brought back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The copy or the database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bot runs on the database.
    #[error(transparent)]
    Lease(#[from] LeaseError),
}

/// Puts the copy `from` in the place of the database `to`, and notes in it that it was restored at `now`. What was there is moved aside
/// under a name with that time, which is returned.
///
/// # Errors
/// When the copy is not sound, or the bot is running; nothing changes then.
pub fn restore(from: &Path, to: &Path, now: Timestamp) -> Result<Option<PathBuf>, RestoreError> {
    verify(from)?;
    let _lease = Lease::take(to)?;
    let mut arriving = to.as_os_str().to_owned();
    arriving.push(".restoring");
    let arriving = PathBuf::from(arriving);
    std::fs::copy(from, &arriving).map_err(file_error(from))?;
    verify(&arriving)?;
    arrive(&arriving, now)?;
    let aside = set_aside(to, now)?;
    std::fs::rename(&arriving, to).map_err(file_error(to))?;
    for suffix in ["-wal", "-shm"] {
        let mut left = arriving.as_os_str().to_owned();
        left.push(suffix);
        let _ = std::fs::remove_file(left);
    }
    Ok(aside)
}

/// Brings a copy up to date, with a note of when it was restored, and a mark by which its deliveries get names of their own.
fn arrive(path: &Path, now: Timestamp) -> Result<(), StoreError> {
    let mut connection = connect(path, OpenFlags::default())?;
    upgrade(&mut connection)?;
    let note = "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)";
    connection.execute(note, [RESTORED, &now.ms().to_string()])?;
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh)
        .map_err(|error| StoreError::Unreadable { what: "source of chance", why: error.to_string() })?;
    connection.execute(note, [EPOCH, blake3::Hash::from_bytes(fresh).to_hex().as_str()])?;
    Ok(())
}

/// Moves a database and its log aside, under a name with the time `now`; where to, if there was one.
///
/// # Errors
/// When a file cannot be moved.
pub fn set_aside(path: &Path, now: Timestamp) -> Result<Option<PathBuf>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    let stamp = now.utc().format("%Y%m%d-%H%M%S");
    let with = |base: &Path, suffix: &str| {
        let mut name = base.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let mut aside = with(path, &format!(".{stamp}.old"));
    let mut copy = 2;
    while aside.exists() {
        aside = with(path, &format!(".{stamp}-{copy}.old"));
        copy += 1;
    }
    for suffix in ["", "-wal", "-shm"] {
        let file = with(path, suffix);
        if file.exists() {
            std::fs::rename(&file, with(&aside, suffix)).map_err(file_error(&file))?;
        }
    }
    Ok(Some(aside))
}

/// Deletes the oldest nightly copies in `folder` until `keep` are left; how many went.
///
/// # Errors
/// When the folder cannot be read or a copy cannot be deleted.
pub fn prune(folder: &Path, keep: usize) -> Result<usize, StoreError> {
    let mut copies: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(file_error(folder))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with(BACKUP_PREFIX) && path.extension().is_some_and(|ending| ending == "db")
        })
        .collect();
    copies.sort();
    let doomed = copies.len().saturating_sub(keep);
    for path in &copies[..doomed] {
        std::fs::remove_file(path).map_err(file_error(path))?;
    }
    Ok(doomed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn the_oldest_copies_go_and_other_files_stay() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path();
        for day in 10..20 {
            std::fs::write(path.join(backup_name(&format!("2026-11-{day}"))), b"x").expect("writes");
        }
        std::fs::write(path.join("notes.txt"), b"x").expect("writes");
        assert_eq!(prune(path, 7).expect("prunes"), 3);
        assert!(!path.join("bellwether-2026-11-12.db").exists() && path.join("bellwether-2026-11-13.db").exists());
        assert!(path.join("notes.txt").exists());
        assert_eq!(prune(path, 7).expect("prunes"), 0);
    }

    #[test]
    fn a_copy_is_sound_and_replaces_only_copies() {
        let folder = tempfile::tempdir().expect("folder");
        let (from, to) = (folder.path().join("a.db"), folder.path().join("b.db"));
        assert!(matches!(backup(&from, &to), Err(StoreError::Missing(_))));
        let store = Store::open(&from).expect("opens");
        let keys = |store: &Store| (store.button_key().expect("a key"), store.naming_key().expect("a key"));
        let before = keys(&store);
        assert!(backup(&from, &to).expect("copies") > 0);
        assert!(verify(&to).is_ok() && backup(&from, &to).is_ok());
        assert!(matches!(backup(&from, &from), Err(StoreError::InTheWay(_))));
        store.close();
        let mut named = vec![before.1];
        for second in 0..2 {
            restore(&to, &from, Timestamp::from_ms(second * 1_000)).expect("restores");
            let store = Store::open(&from).expect("opens");
            assert_eq!(keys(&store).0, before.0, "what was given out counts still");
            assert!(!named.contains(&keys(&store).1), "other messages have these names");
            named.push(keys(&store).1);
            store.close();
        }
        std::fs::write(&to, b"something of somebody's").expect("writes");
        assert!(matches!(backup(&from, &to), Err(StoreError::InTheWay(_))));
        assert!(restore(&to, &from, Timestamp::from_ms(0)).is_err() && verify(&from).is_ok());
    }
}
