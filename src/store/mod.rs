//! What is kept? A database of `SQLite`: one writer thread, read-only readers. All SQL of the project is in this folder.

mod error;
mod points;
mod db;
mod rows;
mod record;
mod state;
mod outbox;
mod inbox;
mod controls;
mod audit;
mod watchlist;
mod lease;
mod backup;
mod reader;
mod history;
mod drills;
mod outcomes;

pub use audit::{AuditEntry, AuditFault};
pub use backup::{RestoreError, backup, backup_name, prune, restore, set_aside, verify};
pub use controls::{Charged, ControlRow, PinRules};
pub use db::{Store, Ticket, check_whole, migrate, schema_version};
pub use error::StoreError;
pub use history::{JournalRow, RunRow, StepRecord};
pub use inbox::InboxRow;
pub use lease::{Lease, LeaseError, LeaseRow};
pub use outbox::{Delivery, LaneCounts, LaneSpec, Settled};
pub use outcomes::SignalsRow;
pub use points::Points;
pub use reader::Reader;
pub use record::Recorded;
pub use rows::{Batch, BookRow, DayRow, FiguresRow, MarkRow, ProgressRow, RunStart, StepLine, StepRow};
pub use state::Saved;
