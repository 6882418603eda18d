//! How far was Discord heard? The gateway's notes are kept only when everything that was heard before them is in the store, so that what a death
//! swallows is replayed.

use std::collections::{BTreeSet, VecDeque};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Notes that wait for events; clones see the same ones.
#[derive(Clone)]
pub(super) struct Place(Arc<Mutex<Waiting>>);

struct Waiting {
    /// The number of the next event.
    next: u64,
    /// Events that are not settled yet.
    open: BTreeSet<u64>,
    /// Notes, each with the number of the event that comes after it.
    notes: VecDeque<(u64, String)>,
    keeper: Sender<String>,
}

impl Place {
    /// Notes go to this keeper when their time has come.
    pub(super) fn new(keeper: Sender<String>) -> Self {
        let waiting = Waiting { next: 0, open: BTreeSet::new(), notes: VecDeque::new(), keeper };
        Self(Arc::new(Mutex::new(waiting)))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was heard: its number, until it is settled.
    pub(super) fn begin(&self) -> u64 {
        let mut waiting = self.lock();
        let event = waiting.next;
        waiting.next += 1;
        waiting.open.insert(event);
        event
    }

    /// It is kept, or needs not be.
    pub(super) fn settle(&self, event: u64) {
        let mut waiting = self.lock();
        waiting.open.remove(&event);
        waiting.release();
    }

    /// A note that holds once everything before it is settled.
    pub(super) fn note(&self, text: &str) {
        let mut waiting = self.lock();
        let after = waiting.next;
        waiting.notes.push_back((after, text.to_owned()));
        waiting.release();
    }
}

impl Waiting {
    /// Gives the last note away before which nothing is open.
    fn release(&mut self) {
        let first_open = self.open.first().copied().unwrap_or(u64::MAX);
        let count = self.notes.iter().take_while(|(after, _)| *after <= first_open).count();
        if let Some((_, text)) = self.notes.drain(..count).next_back() {
            // Where nobody keeps notes any more, this life is over.
            let _ = self.keeper.send(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_note_waits_for_everything_that_was_heard_before_it() {
        let (keeper, kept) = channel();
        let place = Place::new(keeper);
        let kept = || kept.try_iter().collect::<Vec<_>>();
        place.note("ready");
        assert_eq!(kept(), ["ready"]);
        let first = place.begin();
        place.note("after the first");
        let second = place.begin();
        place.note("after the second");
        assert_eq!(kept(), [""; 0]);
        place.settle(second);
        assert_eq!(kept(), [""; 0], "the first is not in the store yet");
        place.settle(first);
        assert_eq!(kept(), ["after the second"]);
        let third = place.begin();
        place.note("after the third");
        let _fourth = place.begin();
        place.settle(third);
        assert_eq!(kept(), ["after the third"], "what came later does not hold it back");
    }
}
