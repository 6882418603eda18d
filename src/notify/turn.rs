//! Whose turn is it on a lane? What is due is asked for, what the filters let pass is chosen from, and the rest is ruled on.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::Label;
use crate::store::{Delivery, Due, Reader, Ruled, Ruling, StoreError, Task, Wishes};

use super::filters::{Case, NO_NEWS_MS, Verdict, is_compared, judge, kind_of};
use super::parcel::{Bundle, choose};
use super::worker::Worker;

/// Rows that are looked at together; a storm's message tells at most so many.
const ROWS_MAX: u32 = 2_000;
/// Rows that are looked at where each is told by itself.
const FEW_ROWS: u32 = 32;

/// What is to be done next.
pub(super) enum Next {
    /// Send this, as its reader wishes.
    Send(Bundle, Wishes),
    /// Nothing before then.
    Rest(Option<Duration>),
}

impl Worker {
    /// What may be sent now. Where each row is told by itself, the first few are enough, but what was held is told together.
    fn due(&self, reader: &Reader, which: Due, gathers: bool, now: Timestamp) -> Result<Vec<Delivery>, StoreError> {
        let few = reader.due(self.lane(), which, now, if gathers { ROWS_MAX } else { FEW_ROWS })?;
        let is_cut = !gathers && few.len() == FEW_ROWS as usize && few[0].held;
        if is_cut { reader.due(self.lane(), which, now, ROWS_MAX) } else { Ok(few) }
    }

    /// Reads what is due, asks the filters, and chooses.
    pub(super) fn next(&mut self, reader: &Reader, ruled: &mut Vec<Ruled>, now: Timestamp) -> Result<Next, StoreError> {
        let steady = self.parts.clock.steady();
        let rests = self.storm.rests(steady);
        let abilities = self.parts.channel.abilities();
        // What was told together goes again together, however quiet a part of it is.
        let which = if rests.is_some() && !abilities.finds { Due::Loud } else { Due::Everything };
        let gathers = abilities.allowance.is_some();
        let mut rows = self.due(reader, which, gathers, now)?;
        // What was just sent may not be settled yet.
        let settled = self.settled.as_ref().map(|(parcel, _)| parcel);
        rows.retain(|row| settled.is_none_or(|parcel| parcel.leader != row.id && !parcel.members.contains(&row.id)));
        let who = self.lane().who;
        let wishes = if rows.is_empty() { Wishes::default() } else { reader.wishes(who.as_str(), now)? };
        let mut passing = self.filter(reader, rows, (&wishes, ruled), now)?;
        if self.parts.policy.hides_amounts {
            // A share is one of its own book's capital, so no message tells of two.
            let leads = passing.iter().find(|row| !row.is_early(now)).or(passing.first());
            let book = leads.and_then(book_of);
            passing.retain(|row| book_of(row) == book);
        }
        let (bundle, wait) = match (rests, passing.is_empty()) {
            (Some(wait), true) => (None, Some(wait)),
            _ => choose(passing, abilities, &mut self.storm, (now, steady)),
        };
        let Some(bundle) = bundle else {
            let until = |at: Timestamp| Duration::from_millis(at.since(now).max(0).unsigned_abs());
            let due = reader.next_due(self.lane(), now)?.map(until);
            return Ok(Next::Rest(wait.into_iter().chain(due).min()));
        };
        Ok(Next::Send(bundle, wishes))
    }

    /// What passes the filters; verdicts on the rest go to `ruled`.
    fn filter(
        &self,
        reader: &Reader,
        rows: Vec<Delivery>,
        (wishes, ruled): (&Wishes, &mut Vec<Ruled>),
        now: Timestamp,
    ) -> Result<Vec<Delivery>, StoreError> {
        if rows.is_empty() {
            return Ok(rows);
        }
        let (lane, policy) = (self.lane(), &self.parts.policy);
        let open = reader.open_stories()?;
        let mut passing = Vec::with_capacity(rows.len());
        for delivery in rows {
            let event = match &delivery.task {
                Task::Notice(event) => event,
                Task::Answer(_) | Task::Seen(_) | Task::Edit(_) => {
                    passing.push(delivery);
                    continue;
                }
                Task::Broken(why) => {
                    ruled.push(self.broken(&delivery, why));
                    continue;
                }
            };
            let kind = kind_of(event);
            let told_before = match &delivery.digest {
                Some(digest) if is_compared(kind.name) => reader.told_before(lane, digest, now.plus_ms(-NO_NEWS_MS))?,
                _ => None,
            };
            let case = Case { delivery: &delivery, event, kind, policy, wishes, open: &open, told_before, now };
            match judge(&case) {
                Verdict::Pass => passing.push(delivery),
                // It passed before, and is looked for with all that it was told with.
                Verdict::Skip(_) if delivery.repeated && self.parts.channel.abilities().finds => passing.push(delivery),
                Verdict::Skip(why) => ruled.push(Ruled { id: delivery.id, why, ruling: Ruling::Skip }),
                // It is held already.
                Verdict::Hold(until, _) if delivery.held && delivery.due == until => {}
                Verdict::Hold(until, why) => ruled.push(Ruled { id: delivery.id, why, ruling: Ruling::Hold(until) }),
            }
        }
        Ok(passing)
    }
}

/// The book that a row tells of.
pub(super) fn book_of(row: &Delivery) -> Option<Label> {
    match &row.task {
        Task::Notice(event) | Task::Edit(event) => event.book,
        Task::Answer(_) | Task::Seen(_) | Task::Broken(_) => None,
    }
}
