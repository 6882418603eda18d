//! When are waiting rows looked at? Whenever the store's bell rings, and now and then without it, until it is over.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use crate::store::{InboxRow, Reader, Store, StoreError};

/// How often the inbox is looked at when no bell rings.
const LOOK: Duration = Duration::from_millis(250);

/// Looks at the store every time its bell rings, and after `often` without one, until it is `over`. When a look fails, `what` waits for the
/// next, which has a reader that was opened anew.
pub(super) fn rounds(
    what: &str,
    store: &Store,
    often: Duration,
    over: impl Fn() -> bool,
    look: impl Fn(&Reader) -> Result<(), StoreError>,
) {
    let (mut seen, mut reader) = (0, None);
    while !over() {
        if reader.is_none() {
            reader = Reader::open(store.path()).ok();
        }
        let looked = reader.as_ref().map_or(Ok(()), &look);
        // What is tried may ring by itself: while the disk refuses, only time counts.
        let heard = if looked.is_ok() { seen } else { u64::MAX };
        if let Err(error) = looked {
            tracing::warn!(%error, "{what} wait: the store could not be read or written");
            reader = None;
        }
        seen = store.wait_for_facts(heard, often);
    }
}

/// The rounds of whoever handles updates, until `stop` is dropped.
pub(super) fn rounds_until(store: &Store, stop: &Receiver<()>, look: impl Fn(&Reader) -> Result<(), StoreError>) {
    rounds("updates", store, LOOK, || stop.try_recv() != Err(TryRecvError::Empty), look);
}

/// Takes a channel's updates in the order in which they came, up to one that could not be handled.
///
/// # Errors
/// Why they could not be read, or that one not be handled: it is the first of the next round.
pub(super) fn in_order(
    reader: &Reader,
    channel: &str,
    take: impl Fn(&InboxRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for row in reader.unanswered(channel)? {
        take(&row).inspect_err(|_| tracing::warn!(channel, row = row.id, "an update could not be handled"))?;
    }
    Ok(())
}
