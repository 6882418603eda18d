//! Who checks the engine? Every stretch of cycles is made again beside it, and what comes of that is told.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use crate::clock::Clock;
use crate::domain::{Event, EventKind, RunId};
use crate::engine::Stretch;
use crate::store::{LaneSpec, Reader, Store, StoreError};

/// Makes stretches again until the engine is gone.
pub(super) fn serve(
    stretches: &Receiver<Stretch>,
    store: &Store,
    clock: &Arc<dyn Clock>,
    run: RunId,
    lanes: &[LaneSpec],
) {
    while let Ok(stretch) = stretches.recv() {
        let told = audit(&stretch, store).and_then(|kind| {
            let now = clock.now();
            store.record_events(run, now, vec![Event { at: now, book: None, kind }], lanes)
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
