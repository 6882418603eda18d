//! What is sent of a delivery? Its event in words, with what its way here did to it: a repeat and a delay are said.

use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::domain::format::age;
use crate::domain::{Message, NoticeId, Severity};
use crate::store::Delivery;

use super::{Telling, told};

/// A message that comes later than this says so.
const LATE_MS: i64 = 60_000;

/// A fact, told to a person; the same for every channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub number: NoticeId,
    /// How loud it is.
    pub severity: Severity,
    /// The lines, the fact first.
    pub lines: Vec<String>,
}

/// Puts a delivery into words, with times in `zone` and prices marked as `mark`.
pub fn notice(delivery: &Delivery, zone: Tz, mark: &'static str, now: Timestamp) -> Notice {
    let blocks = told(&delivery.event, &Telling::plain(zone, mark));
    let mut lines = Message { blocks, ..Message::default() }.plain_lines();
    if delivery.repeated {
        lines.insert(0, format!("Possibly a repeat of {}: it was under way when the bot died", delivery.notice));
    }
    let late = now.since(delivery.created);
    if late > LATE_MS {
        lines.push(format!("{} late", age(late)));
    }
    Notice { number: delivery.notice, severity: delivery.severity, lines }
}
