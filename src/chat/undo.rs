//! What was a mistake? `/undo` takes back what its asker changed last, as long as it is young.

use crate::clock::Timestamp;
use crate::control::Control;
use crate::store::{TakenBack, UNDO_MS, Undoable};

use super::attention::DONE_BEFORE;
use super::command::ArgError;
use super::handle::{Chat, Inbound, Reply};

impl Chat {
    /// Takes back what the asker changed last: of their own at once, of the books by a change that is shown and confirmed like any other.
    pub(super) fn undo(&self, inbound: &Inbound) -> Result<Reply, ArgError> {
        let since = self.parts.clock.now().plus_ms(-UNDO_MS);
        let views = self.views(inbound)?;
        let control = views.reader().undoable(since)?.filter(|_| Self::may_confirm(inbound).is_ok());
        if let Some(own) = self.undo_personal(inbound, control.as_ref().map(|control| control.at))? {
            return Ok(Reply::Text(own));
        }
        let Some(Undoable { id: of, words: what, traces, .. }) = control else {
            let minutes = UNDO_MS / 60_000;
            return Ok(Reply::Text(format!(
                "nothing that you changed in the last {minutes} minutes is left to take back"
            )));
        };
        self.offer(inbound, Control::Undo { of, what, traces }.into())
    }

    /// Takes back the last change that the asker made for themselves alone, if it is young enough and newer than `newer_than`; what is said of
    /// that, or none where there is no such change. When it was made is known by [`crate::store::Reader::last_own`].
    ///
    /// # Errors
    /// When the store refuses.
    pub(super) fn undo_personal(
        &self,
        inbound: &Inbound,
        newer_than: Option<Timestamp>,
    ) -> Result<Option<String>, ArgError> {
        let now = self.parts.clock.now();
        let youngest = now.plus_ms(-UNDO_MS);
        let newer_than = newer_than.map_or(youngest, |at| at.max(youngest));
        let undone = self.parts.store.undo_own(&inbound.person.name, &inbound.chat, newer_than, now)?;
        let Some(undone) = undone else { return Ok(Some(DONE_BEFORE.to_owned())) };
        Ok(undone.map(|undone| match undone {
            TakenBack::Done(words) => format!("Taken back: {}", shown(&words)),
            TakenBack::Never(words) => {
                format!("{words} cannot be taken back: others know already. /undo once more takes back what you changed before")
            }
            TakenBack::Over(words) => format!("{} is over already: there is nothing to take back", shown(&words)),
        }))
    }
}

/// A change as it is named. What somebody wrote is not said again: it would be read as our own words.
fn shown(words: &str) -> &str {
    words.split(" \"").next().unwrap_or(words)
}
