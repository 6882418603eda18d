//! When does a strategy run? One row of what `/schedule` shows, as the engine published it last.

use serde::{Deserialize, Serialize};

use super::{Label, Timeframe};
use crate::clock::Timestamp;

/// One strategy of a book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimetableRow {
    /// The strategy.
    pub strategy: Label,
    /// The bars it decides on; none for the finest there are.
    pub timeframe: Option<Timeframe>,
    /// Its schedule in words; none if it runs at the end of each of its bars.
    pub schedule: Option<String>,
    /// True if its schedule also counts while a symbol's session is closed.
    pub outside_session: bool,
    /// When its schedule fires next; none if it runs per bar, before the first bar, and if it never fires again.
    pub next: Option<Timestamp>,
    /// When it last was asked about any symbol.
    pub last: Option<Timestamp>,
}
