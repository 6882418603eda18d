//! Who wants to be told of what? Alerts with their owners, and what became of them.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::clock::Timestamp;
use crate::domain::{ALERTS_MAX, Alert, AlertId, AlertState, Condition};

use super::audit::append;
use super::own::{Own, note_own};
use super::state::{parsed, unsigned};
use super::{AuditEntry, Reader, Store, StoreError};

/// Counts what people changed about alerts, so that a running engine notices what another process did.
const VERSION: &str = "alerts";
/// Who closes an alert that fired or whose time is over, in the audit.
const ENGINE: &str = "engine";
const DELETED: &str = "deleted";
const COLUMNS: &str = "id, person, body, repeats, expires_ms, state, fired, fired_ms";
const IS_OPEN: &str = "state IN ('new', 'armed', 'resting')";

/// An alert that has no number yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAlert {
    /// Whose it is.
    pub person: String,
    /// In which chat it was asked for.
    pub channel: String,
    /// What must be so.
    pub condition: Condition,
    /// True if it fires again when it comes true anew.
    pub repeats: bool,
    /// When it is over, in the market's time.
    pub expires: Option<Timestamp>,
}

impl Store {
    /// Keeps an alert, with a row of the audit; its number, or none where its person has as many as may wait. None of either if the
    /// update that causes it has done so before.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn add_alert(&self, alert: NewAlert, now: Timestamp) -> Result<Option<Option<AlertId>>, StoreError> {
        self.change(move |transaction| {
            let NewAlert { person, channel, condition, repeats, expires } = alert;
            let open: i64 = transaction.query_row(
                &format!("SELECT count(*) FROM alerts WHERE person = ?1 AND {IS_OPEN}"),
                [&person],
                |row| row.get(0),
            )?;
            if open.unsigned_abs() >= ALERTS_MAX as u64 {
                return Ok(None);
            }
            transaction.execute(
                "INSERT INTO alerts (person, condition, body, repeats, expires_ms, state, made_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    person,
                    condition.to_string(),
                    serde_json::to_string(&condition)?,
                    repeats,
                    expires.map(Timestamp::ms),
                    AlertState::New.as_str(),
                    now.ms()
                ],
            )?;
            let id = AlertId(transaction.last_insert_rowid().unsigned_abs());
            let words = format!("/alert {condition} {}", if repeats { "repeat" } else { "once" });
            let back = Own::Alerts { states: vec![(id, DELETED.to_owned())] };
            let result = format!("{id} set");
            let entry = AuditEntry { at: now, person, channel, words, preview: None, result };
            note_own(transaction, &entry, Some(&back))?;
            count_change(transaction)?;
            Ok(Some(id))
        })
    }

    /// Takes back one of a person's alerts, or all of them, with a row of the audit; which they were. None if the update that causes it
    /// has done so before.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn delete_alerts(
        &self,
        person: &str,
        which: Option<AlertId>,
        channel: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<Alert>>, StoreError> {
        let (person, channel) = (person.to_owned(), channel.to_owned());
        self.change(move |transaction| {
            let mut found = alerts_where(transaction, "person = ?1", [&person])?;
            found.retain(|alert| which.is_none_or(|id| alert.id == id));
            for alert in &found {
                transaction.execute("UPDATE alerts SET state = 'deleted' WHERE id = ?1", [alert.id.0.cast_signed()])?;
            }
            if !found.is_empty() {
                let words = which.map_or("/alert delete all".to_owned(), |id| format!("/alert delete {id}"));
                let ids: Vec<String> = found.iter().map(|alert| alert.id.to_string()).collect();
                let result = format!("{} deleted", ids.join(", "));
                let states = found.iter().map(|alert| (alert.id, alert.state.as_str().to_owned())).collect();
                let entry = AuditEntry { at: now, person, channel, words, preview: None, result };
                note_own(transaction, &entry, Some(&Own::Alerts { states }))?;
                count_change(transaction)?;
            }
            Ok(found)
        })
    }
}

/// Gives alerts of a person that are not over yet these states; those that they had.
pub(super) fn set_states(
    transaction: &Transaction<'_>,
    person: &str,
    states: &[(AlertId, String)],
) -> Result<Vec<(AlertId, String)>, StoreError> {
    let mut before = Vec::new();
    for (id, state) in states {
        let row = params![id.0.cast_signed(), person];
        let was: Option<String> = transaction
            .prepare_cached(&format!(
                "SELECT state FROM alerts WHERE id = ?1 AND person = ?2 AND ({IS_OPEN} OR state = '{DELETED}')"
            ))?
            .query_row(row, |row| row.get(0))
            .optional()?;
        let Some(was) = was.filter(|was| was != state) else { continue };
        transaction.execute("UPDATE alerts SET state = ?2 WHERE id = ?1", params![id.0.cast_signed(), state])?;
        before.push((*id, was));
    }
    count_change(transaction)?;
    Ok(before)
}

fn count_change(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction.execute(
        "INSERT INTO meta (key, value) VALUES (?1, '1')
         ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
        [VERSION],
    )?;
    Ok(())
}

/// Alerts as the engine left them, each change after the one before. What its person took back meanwhile stays as it is.
pub(super) fn write_alerts(transaction: &Transaction<'_>, alerts: &[Alert], now: Timestamp) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(&format!(
        "UPDATE alerts SET condition = ?2, body = ?3, state = ?4, fired = ?5, fired_ms = ?6 WHERE id = ?1 AND {IS_OPEN}"
    ))?;
    for alert in alerts {
        let changed = statement.execute(params![
            alert.id.0.cast_signed(),
            alert.condition.to_string(),
            serde_json::to_string(&alert.condition)?,
            alert.state.as_str(),
            alert.fired.cast_signed(),
            alert.fired_at.map(Timestamp::ms)
        ])?;
        if changed > 0 && !alert.state.is_open() {
            let (person, channel) = (alert.person.clone(), ENGINE.to_owned());
            let words = format!("{} {}", alert.id, alert.condition);
            append(
                transaction,
                &AuditEntry { at: now, person, channel, words, preview: None, result: alert.state.as_str().to_owned() },
            )?;
        }
    }
    Ok(())
}

/// Open alerts, by number.
fn alerts_where(
    connection: &rusqlite::Connection,
    which: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Alert>, StoreError> {
    let query = format!("SELECT {COLUMNS} FROM alerts WHERE {which} AND {IS_OPEN} ORDER BY id");
    let mut statement = connection.prepare_cached(&query)?;
    let mut rows = statement.query(parameters)?;
    let mut alerts = Vec::new();
    while let Some(row) = rows.next()? {
        alerts.push(read(row)?);
    }
    Ok(alerts)
}

fn read(row: &Row<'_>) -> Result<Alert, StoreError> {
    let body: String = row.get(2)?;
    Ok(Alert {
        id: AlertId(unsigned(row, 0)?),
        person: row.get(1)?,
        condition: serde_json::from_str(&body)?,
        repeats: row.get(3)?,
        expires: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_ms),
        state: parsed(row, 5)?,
        fired: unsigned(row, 6)?,
        fired_at: row.get::<_, Option<i64>>(7)?.map(Timestamp::from_ms),
    })
}

impl Reader {
    /// Everybody's alerts that wait, by number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_alerts(&self) -> Result<Vec<Alert>, StoreError> {
        alerts_where(self.connection(), "1", [])
    }

    /// A person's alerts that wait, by number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn alerts_of(&self, person: &str) -> Result<Vec<Alert>, StoreError> {
        alerts_where(self.connection(), "person = ?1", [person])
    }

    /// How often people changed something about alerts.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn alert_changes(&self) -> Result<u64, StoreError> {
        let mut statement =
            self.connection().prepare_cached("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1")?;
        Ok(statement.query_row([VERSION], |row| unsigned(row, 0)).optional()?.unwrap_or(0))
    }
}
