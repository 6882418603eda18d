//! Where do the lanes of a platform lead that are open? One list, so that a lane is opened anew where it leads elsewhere, and closed where it leads nowhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::Lane;

use super::switchboard::Switchboard;

/// The open lanes of a platform, each with where it leads; clones see the same ones.
pub(super) struct Leading<T>(Arc<Mutex<Vec<(Lane, T)>>>);

impl<T> Clone for Leading<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Leading<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone + PartialEq> Leading<T> {
    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<(Lane, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever has no account any more is reached nowhere: what waits for them must not go into a chat that is somebody else's now.
    pub(super) fn close_all_but(&self, lanes: &[(Lane, T)], switchboard: &Switchboard) {
        let stays = |lane: Lane| lanes.iter().any(|(known, _)| *known == lane);
        let mut open = self.lock();
        let gone: Vec<Lane> = open.iter().map(|(lane, _)| *lane).filter(|lane| !stays(*lane)).collect();
        open.retain(|(lane, _)| stays(*lane));
        drop(open);
        for lane in gone {
            switchboard.disconnect(lane);
        }
    }

    /// Whether a lane leads there already; from now on it does. One that was bound anew leads elsewhere.
    pub(super) fn is_open(&self, lane: Lane, target: &T) -> bool {
        let mut open = self.lock();
        if open.iter().any(|(known, led)| *known == lane && led == target) {
            return true;
        }
        open.retain(|(known, _)| *known != lane);
        open.push((lane, target.clone()));
        false
    }
}
