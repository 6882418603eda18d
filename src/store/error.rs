//! Why could something not be stored, and what can be done about it?

use std::path::PathBuf;

/// Trouble with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no database yet.
    #[error("there is no database at {}", .0.display())]
    Missing(PathBuf),
    /// The file cannot be opened or made.
    #[error("cannot open the database {}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: rusqlite::Error,
    },
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The file or its folder cannot be written.
    #[error("the database cannot be written")]
    ReadOnly,
    /// The file is damaged, or not a database.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The file was made by a newer version.
    #[error("the database has schema {found}, this version knows {known}")]
    Newer {
        /// Its schema.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Somebody else holds the database for too long.
    #[error("the database is busy")]
    Busy,
    /// A file beside the database could not be handled.
    #[error("cannot use the file {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A copy would replace a file that is in use, or that is no copy of ours.
    #[error("{} is in use, or is no backup that may be replaced", .0.display())]
    InTheWay(PathBuf),
    /// What was stored cannot be understood.
    #[error("a stored {what} cannot be read: {why}")]
    Unreadable {
        /// What.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// The writer has stopped.
    #[error("the store is closed")]
    Closed,
    /// A test ended it here.
    #[error("killed at \"{0}\"")]
    Killed(&'static str),
    /// Anything else.
    #[error("the database refused: {0}")]
    Other(#[source] rusqlite::Error),
}

impl StoreError {
    /// What a person can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing(_) => {
                Some("start the bot once with \"bellwether run\", or set BELLWETHER_DB to where the database is")
            }
            Self::Open { .. } | Self::ReadOnly => {
                Some("use a folder you may write to, or set BELLWETHER_DB to a file in one")
            }
            Self::Full => Some("free some space on the disk"),
            Self::Damaged(_) => Some(
                "bring back a copy with \"bellwether restore backups/FILE\", or start anew with \"bellwether run --fresh\", which moves the damaged file aside",
            ),
            Self::Newer { .. } => Some("update bellwether, or set BELLWETHER_DB to another file"),
            Self::InTheWay(_) => Some("write the copy to another file"),
            Self::Busy => Some("wait for the other program to finish, then try again"),
            Self::File { .. } | Self::Unreadable { .. } | Self::Closed | Self::Killed(_) | Self::Other(_) => None,
        }
    }

    /// Trouble of the disk or the file, which may pass; all else is a bug.
    pub fn is_trouble(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        match self {
            Self::Full | Self::ReadOnly | Self::Damaged(_) | Self::Busy | Self::Open { .. } | Self::File { .. } => true,
            Self::Other(error) => {
                matches!(error.sqlite_error_code(), Some(Code::SystemIoFailure | Code::CannotOpen | Code::OutOfMemory))
            }
            Self::Missing(_)
            | Self::InTheWay(_)
            | Self::Newer { .. }
            | Self::Unreadable { .. }
            | Self::Closed
            | Self::Killed(_) => false,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(Code::DiskFull) => Self::Full,
            Some(Code::ReadOnly | Code::PermissionDenied) => Self::ReadOnly,
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => Self::Damaged(error.to_string()),
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => Self::Busy,
            _ => Self::Other(error),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable { what: "record", why: error.to_string() }
    }
}
