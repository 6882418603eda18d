//! May this short message be paid? Before it is sent, from what a day may cost; the last of that is kept for what may not go unsaid.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::clock::{Clock, DAY_MS, Timestamp};
use crate::domain::{ALWAYS_BY_SMS, EventKind, Lane, Money, Severity};
use crate::store::{Reader, SmsCharge, SmsRules, Store, StoreError};

use super::{Post, SendError};

/// Answers that a phone gets in an hour, and the share of a day's money that answers to one phone may cost: whoever forges its number
/// could spend all of it else.
const ANSWERS_MAX: u64 = 10;
const HOUR_MS: i64 = 60 * 60_000;
const SHARE: i64 = 3;
/// Where the day is kept on which others were told that a phone is answered no more, before its way.
const SILENT: &str = "sms silent ";
/// Where what is spent is kept, with the day that others were told of it.
const TOLD: &str = "sms budget told";
/// Segments that are kept for the daily loss limit and for trading that stops.
const KEPT: u32 = 5;
/// What may not go unsaid waits so long where messages of which nobody knows hold the money.
const OPEN_WAIT: Duration = Duration::from_secs(30);

/// Emergencies that a run tells past the store, where nothing can be recorded, what they cost included.
const URGENT: u32 = 5;
/// The row of a message that was paid past the store.
const NO_ROW: i64 = 0;

/// What short messages may cost, and what they have cost, of all phones together.
#[derive(Clone)]
pub struct SmsBudget {
    store: Store,
    clock: Arc<dyn Clock>,
    rules: SmsRules,
    urgent: Arc<AtomicU32>,
    alarm: Arc<dyn Fn(EventKind) + Send + Sync>,
}

/// A message that is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    id: i64,
    /// It was paid from what is kept: it may have one segment.
    pub is_last: bool,
}

impl SmsBudget {
    /// A budget over the store. `alarm` tells others that it is nearly spent.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        (per_segment, per_day): (Money, Money),
        alarm: Arc<dyn Fn(EventKind) + Send + Sync>,
    ) -> Self {
        Self {
            store,
            clock,
            rules: SmsRules { per_segment, per_day, kept: KEPT },
            urgent: Arc::new(AtomicU32::new(URGENT)),
            alarm,
        }
    }

    /// Pays for a message; one that was looked for and not found is paid by its earlier try. Where the day's money is spent, what may not go
    /// unsaid gets one segment of what is kept, and waits while that is held for messages of which nobody knows; what is critical besides,
    /// and an answer, is not paid, so that it is told elsewhere at once; everything else waits for the next day.
    ///
    /// # Errors
    /// What is to become of a message that is not paid.
    pub fn pay(&self, lane: Lane, post: &Post, segments: usize) -> Result<Grant, SendError> {
        if post.delivery == 0 && post.severity == Severity::Critical {
            return self.pay_urgent();
        }
        let unsaid = post.kind.is_some_and(|kind| ALWAYS_BY_SMS.contains(&kind));
        let segments = u32::try_from(segments).unwrap_or(u32::MAX);
        let unwritten =
            |error: StoreError| SendError::Unreachable(format!("what it costs could not be recorded: {error}"));
        let (mut paid, mut is_open) = self.try_to_pay(lane, post, (segments, false)).map_err(unwritten)?;
        if paid.is_none() && unsaid {
            (paid, is_open) = self.try_to_pay(lane, post, (1, true)).map_err(unwritten)?;
        }
        paid.ok_or_else(|| {
            let why = format!("short messages have cost what a day may cost, {}", self.rules.per_day);
            let is_answer = post.number.is_none();
            if unsaid && is_open {
                SendError::NotBefore(OPEN_WAIT.min(self.until_next_day()), why)
            } else if unsaid || is_answer || post.severity == Severity::Critical {
                SendError::Unpaid(why)
            } else {
                SendError::NotBefore(self.until_next_day(), why)
            }
        })
    }

    /// An emergency comes past the store, which may be what is broken: each run has a few.
    fn pay_urgent(&self) -> Result<Grant, SendError> {
        let left = self.urgent.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        let granted = left.map(|_| Grant { id: NO_ROW, is_last: true });
        granted.map_err(|_| SendError::Unpaid(format!("this run has told {URGENT} emergencies past the store")))
    }

    fn try_to_pay(
        &self,
        lane: Lane,
        post: &Post,
        (segments, is_last): (u32, bool),
    ) -> Result<(Option<Grant>, bool), StoreError> {
        let now = self.clock.now();
        let looked = post.again.is_some();
        let charge = SmsCharge { delivery: post.delivery, lane, segments, may_not_go_unsaid: is_last, looked };
        let paid = self.store.pay_sms(charge, self.rules, now)?;
        self.store.points().pass("sms: paid, not sent")?;
        // A message that finds no money is one sign more that it is nearly spent.
        if paid.id.is_none() || is_near(paid.spent, self.rules.per_day) {
            self.once_a_day(
                TOLD,
                EventKind::SmsBudgetNear { spent: paid.spent, per_day: self.rules.per_day, silent: None },
            )?;
        }
        Ok((paid.id.map(|id| Grant { id, is_last }), paid.is_open))
    }

    /// Others are told before it is noted: whoever dies in between tells it twice and not never.
    fn once_a_day(&self, key: &str, what: EventKind) -> Result<(), StoreError> {
        let day = self.clock.now().ms().div_euclid(DAY_MS).to_string();
        if Reader::open(self.store.path())?.meta(key)?.as_deref() == Some(&day) {
            return Ok(());
        }
        (self.alarm)(what);
        self.store.keep_meta(key, day)
    }

    /// Whether this phone gets one more answer now. Where it gets none, others are told, once a day.
    ///
    /// # Errors
    /// When the store fails.
    pub fn may_answer(&self, lane: Lane) -> Result<bool, StoreError> {
        let (now, SmsRules { per_segment, per_day, .. }) = (self.clock.now(), self.rules);
        let reader = Reader::open(self.store.path())?;
        let (lately, cost) = reader.sms_answers(lane, now.plus_ms(-HOUR_MS), per_segment, now)?;
        let after = i128::from(cost.units()) + i128::from(per_segment.units());
        if lately < ANSWERS_MAX && after * i128::from(SHARE) <= i128::from(per_day.units()) {
            return Ok(true);
        }
        self.once_a_day(
            &format!("{SILENT}{lane}"),
            EventKind::SmsBudgetNear { spent: cost, per_day, silent: Some(lane) },
        )?;
        Ok(false)
    }

    fn until_next_day(&self) -> Duration {
        let passed = self.clock.now().ms().rem_euclid(DAY_MS);
        Duration::from_millis((DAY_MS - passed).unsigned_abs())
    }

    /// The service took a message, and calls it so. That this cannot be noted must not keep what became of the message from being settled.
    pub fn sent(&self, grant: Grant, sid: &str, state: &str) {
        if grant.id == NO_ROW {
            return;
        }
        let noted = self.store.keep_sms(grant.id, sid, state);
        note("what a short message is called", noted);
    }

    /// A message never left: its money is there again.
    pub fn unsent(&self, grant: Grant) {
        if grant.id == NO_ROW {
            self.urgent.fetch_add(1, Ordering::SeqCst);
            return;
        }
        let noted = self.store.return_sms(grant.id);
        note("that a short message cost nothing", noted);
    }

    /// An earlier try of a delivery had arrived, and is called so.
    pub fn found(&self, delivery: i64, sid: &str, state: &str) {
        let noted = self.store.found_sms(delivery, sid, state);
        note("what a short message is called", noted);
    }

    /// When a delivery of whose message nobody knows was tried last.
    pub fn tried(&self, delivery: i64) -> Option<Timestamp> {
        Reader::open(self.store.path()).and_then(|reader| reader.sms_tried(delivery)).ok().flatten()
    }

    /// Whether a message that the service knows by this name was sent for another delivery.
    pub fn is_others(&self, delivery: i64, sid: &str) -> bool {
        let known = Reader::open(self.store.path()).and_then(|reader| reader.sms(sid));
        known.is_ok_and(|known| known.is_some_and(|known| known.delivery != delivery))
    }

    /// Whether nothing may be sent to this phone.
    pub fn is_opted_out(&self, lane: Lane) -> bool {
        Reader::open(self.store.path()).and_then(|reader| reader.is_opted_out(lane)).unwrap_or(false)
    }

    /// Keeps whether nothing may be sent to this phone.
    pub fn keep_opt_out(&self, lane: Lane, is_out: bool) {
        let noted = self.store.keep_opt_out(lane, is_out, self.clock.now());
        note("whether a phone takes messages", noted);
    }
}

fn note(what: &str, noted: Result<(), StoreError>) {
    if let Err(error) = noted {
        tracing::warn!(%error, "{what} could not be kept");
    }
}

/// Four fifths are spent.
fn is_near(spent: Money, per_day: Money) -> bool {
    i128::from(spent.units()) * 5 >= i128::from(per_day.units()) * 4
}
