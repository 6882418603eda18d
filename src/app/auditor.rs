//! Who checks the engine? Every stretch of cycles is made again beside it, and what comes of that is told.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use crate::clock::Clock;
use crate::domain::{Event, EventKind, Routes, RunId};
use crate::engine::Stretch;
use crate::store::{Reader, Store, StoreError};

/// Makes stretches again until the engine is gone.
pub(super) fn serve(stretches: &Receiver<Stretch>, store: &Store, clock: &Arc<dyn Clock>, run: RunId, routes: &Routes) {
    while let Ok(stretch) = stretches.recv() {
        let told = audit(&stretch, store).and_then(|kind| {
            let now = clock.now();
            store.record_events(run, now, vec![Event { at: now, book: None, kind }], routes)
        });
        if let Err(error) = told {
            tracing::error!(%error, "the audit of {} could not be made or noted", stretch.day);
        }
    }
}

fn audit(stretch: &Stretch, store: &Store) -> Result<EventKind, StoreError> {
    let journal = Reader::open(store.path())?.journal_of_cycles(stretch.after(), stretch.until())?;
    Ok(stretch.audit(&journal))
}
