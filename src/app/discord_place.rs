//! How far was Discord heard? The gateway's notes are kept only when everything that was heard before them is in the store, so that what a death
//! swallows is replayed; and nothing of a session is answered before the session is.

use std::collections::{BTreeSet, VecDeque};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// A note that is to be kept now, and how many there were with it.
pub(super) type Note = (u64, String);

/// Notes that wait for events; clones see the same ones.
#[derive(Clone)]
pub(super) struct Place {
    waiting: Arc<Mutex<Waiting>>,
    /// How many notes are in the store, as whoever keeps them says.
    pub(super) kept: Arc<watch::Sender<u64>>,
}

struct Waiting {
    /// The number of the next event.
    next: u64,
    /// Events that are not settled yet.
    open: BTreeSet<u64>,
    /// How many notes there were.
    noted: u64,
    /// Notes, each with the number of the event that comes after it.
    notes: VecDeque<(u64, Note)>,
    keeper: Sender<Note>,
}

impl Place {
    /// Notes go to this keeper when their time has come.
    pub(super) fn new(keeper: Sender<Note>) -> Self {
        let waiting = Waiting { next: 0, open: BTreeSet::new(), noted: 0, notes: VecDeque::new(), keeper };
        Self { waiting: Arc::new(Mutex::new(waiting)), kept: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
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
        waiting.noted += 1;
        let (after, note) = (waiting.next, (waiting.noted, text.to_owned()));
        waiting.notes.push_back((after, note));
        waiting.release();
    }

    /// Waits until every note that there is now is in the store.
    pub(super) async fn kept(&self) {
        let noted = self.lock().noted;
        // It ends only with its sender, which is ours.
        let _ = self.kept.subscribe().wait_for(|kept| *kept >= noted).await;
    }
}

impl Waiting {
    /// Gives the last note away before which nothing is open.
    fn release(&mut self) {
        let first_open = self.open.first().copied().unwrap_or(u64::MAX);
        let count = self.notes.iter().take_while(|(after, _)| *after <= first_open).count();
        if let Some((_, note)) = self.notes.drain(..count).next_back() {
            // Where nobody keeps notes any more, this life is over.
            let _ = self.keeper.send(note);
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
        let kept = || kept.try_iter().map(|(_, text)| text).collect::<Vec<_>>();
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

    #[tokio::test]
    async fn whoever_waits_for_the_store_waits_for_every_note_until_then() {
        use futures_util::FutureExt;

        let (keeper, _kept) = channel();
        let place = Place::new(keeper);
        assert!(place.kept().now_or_never().is_some(), "there is none");
        place.note("a session begins");
        place.note("and is heard");
        let mut waits = Box::pin(place.kept());
        assert!((&mut waits).now_or_never().is_none());
        place.kept.send_replace(1);
        assert!((&mut waits).now_or_never().is_none());
        place.note("something later");
        place.kept.send_replace(2);
        assert!(waits.now_or_never().is_some());
    }
}
