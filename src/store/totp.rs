//! Whose app gives codes? Its secret, and the last step that was used.

use rusqlite::params;

use super::audit::append;
use super::{AuditEntry, Reader, Store, StoreError, Told};

impl Store {
    /// Keeps the secret of a person's app, whose codes up to this step are used; none forgets it. With its row of the audit and what is told.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_totp(
        &self,
        person: &str,
        secret: Option<(String, i64)>,
        entry: AuditEntry,
        told: Told,
    ) -> Result<(), StoreError> {
        let person = person.to_owned();
        self.tell(told, move |transaction| {
            transaction.execute("DELETE FROM totp WHERE person = ?1", [&person])?;
            if let Some((secret, step)) = &secret {
                transaction.execute(
                    "INSERT INTO totp (person, secret, step, set_ms) VALUES (?1, ?2, ?3, ?4)",
                    params![person, secret, step, entry.at.ms()],
                )?;
                // Wrong codes are counted where wrong PINs are.
                transaction.execute(
                    "INSERT OR IGNORE INTO pins (person, hash, wrong, lockouts, locked_until_ms, set_ms) VALUES (?1, '', 0, 0, 0, ?2)",
                    params![person, entry.at.ms()],
                )?;
            }
            append(transaction, &entry)?;
            Ok(true)
        })
        .map(drop)
    }
}

impl Reader {
    /// Whether a person has an app that gives codes.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_totp(&self, person: &str) -> Result<bool, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT 1 FROM totp WHERE person = ?1")?;
        Ok(statement.exists([person])?)
    }
}
