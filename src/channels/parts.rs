//! Which messages are the parts of one that was too long? Remembered for its edits, and for a try that goes on where the last one stopped.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::notify::Post;

/// Messages in several parts that are remembered.
const SPLIT_MAX: usize = 200;

/// The parts of messages, by what the platform calls each.
#[derive(Debug, Default)]
pub(super) struct Parts<Id> {
    /// Messages that were sent in several parts, newest last: each with the names of its parts, the first of which names it.
    split: Mutex<VecDeque<Vec<Id>>>,
    /// The delivery that was sent last, and the names of its parts that arrived.
    arrived: Mutex<(i64, Vec<Id>)>,
}

impl<Id: Copy + PartialEq> Parts<Id> {
    /// The names of a message's parts; that of the first alone where no others are known.
    pub(super) fn of(&self, first: Id) -> Vec<Id> {
        let split = self.split.lock().unwrap_or_else(PoisonError::into_inner);
        split.iter().find(|parts| parts.first() == Some(&first)).cloned().unwrap_or_else(|| vec![first])
    }

    /// Remembers the parts of a message for its edits.
    pub(super) fn keep(&self, parts: Vec<Id>) {
        let mut split = self.split.lock().unwrap_or_else(PoisonError::into_inner);
        split.retain(|known| known.first() != parts.first());
        if parts.len() > 1 {
            if split.len() >= SPLIT_MAX {
                split.pop_front();
            }
            split.push_back(parts);
        }
    }

    /// The parts of a message that arrived by an earlier try; none where nobody remembers them.
    pub(super) fn arrived(&self, post: &Post) -> Vec<Id> {
        let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = arrived.0 == post.delivery && arrived.1.len() >= post.parts_done as usize;
        if is_it { arrived.1[..post.parts_done as usize].to_vec() } else { Vec::new() }
    }

    /// These parts of a message arrived.
    pub(super) fn note_arrived(&self, post: &Post, parts: &[Id]) {
        *self.arrived.lock().unwrap_or_else(PoisonError::into_inner) = (post.delivery, parts.to_vec());
    }
}
