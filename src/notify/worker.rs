//! Who carries messages? One worker a lane, one message under way, the loudest first.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::domain::{EventKind, Lane, Money, Severity, Treatment};
use crate::store::{Delivery, Due, LaneState, Parcel, Reader, Ruled, Settled, Store, StoreError, Task};

use super::allowance::Bucket;
use super::breaker::Breaker;
use super::compose::{Composed, Scene, is_silent};
use super::filters::{Case, NO_NEWS_MS, Verdict, is_compared, judge, kind_of};
use super::parcel::{Bundle, Storm, choose};
use super::{Channel, Failure, Policy, Receipt, SendError, Telling};

/// Rows that are looked at together; a storm's message tells at most so many.
const ROWS_MAX: u32 = 2_000;
/// A service that asks for a longer pause than this is as good as dead meanwhile, and others are told.
const THROTTLED_WELL: Duration = Duration::from_secs(30);
/// What may have arrived and is not critical waits this long for another message to go with, in milliseconds.
const UNKNOWN_MS: i64 = 60_000;

/// What one step of a worker did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Messages that the channel took.
    pub sent: usize,
    /// Messages that were held back, put off or given up.
    pub unsent: usize,
    /// True if the channel is closed for the rest of this run.
    pub closed: bool,
    /// How long until there may be something to do again; until something new comes where it is none.
    pub rest: Option<Duration>,
}

/// What a worker is made of.
pub struct WorkerParts {
    /// The store.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The channel.
    pub channel: Arc<dyn Channel>,
    /// What the reader of the lane wants.
    pub policy: Policy,
    /// How prices are marked: `paper`, or `sim` where even the market is made up.
    pub mark: &'static str,
    /// The key under which buttons get their tokens.
    pub key: [u8; 32],
    /// What decides the waits between tries.
    pub seed: u64,
    /// Records a fact about the lane itself, to be told on others.
    pub alarm: Arc<dyn Fn(EventKind) + Send + Sync>,
}

/// Carries one lane's messages.
pub struct Worker {
    parts: WorkerParts,
    reader: Option<Reader>,
    bucket: Option<Bucket>,
    breaker: Option<Breaker>,
    storm: Storm,
    settled: Option<(Parcel, Settled)>,
    resting_until: Duration,
}

/// What is to be done next.
enum Next {
    /// Send this.
    Send(Bundle),
    /// Nothing before then.
    Rest(Option<Duration>),
}

impl Worker {
    /// A worker for the lane of the policy.
    pub fn new(parts: WorkerParts) -> Self {
        Self {
            parts,
            reader: None,
            bucket: None,
            breaker: None,
            storm: Storm::default(),
            settled: None,
            resting_until: Duration::ZERO,
        }
    }

    fn lane(&self) -> Lane {
        self.parts.policy.rule.lane
    }

    /// One bounded step: up to `messages_max` messages. Each is marked as under way before it is sent, and settled in the transaction that
    /// takes up the next; a crash in between leaves one message of unknown fate, which the next start repeats with a mark.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tick(&mut self, messages_max: usize) -> Result<Tally, StoreError> {
        let mut tally = Tally::default();
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => Reader::open(self.parts.store.path())?,
        };
        let stepped = self.step(&reader, messages_max, &mut tally).await;
        self.reader = stepped.is_ok().then_some(reader);
        stepped?;
        if let Some(settled) = self.settled.clone() {
            // Nothing may stay open only because nothing came after it.
            self.parts.store.take_up(self.lane(), Some(settled), Vec::new(), None, self.parts.clock.now())?;
            self.settled = None;
        }
        Ok(tally)
    }

    async fn step(&mut self, reader: &Reader, messages_max: usize, tally: &mut Tally) -> Result<(), StoreError> {
        if self.breaker.is_none() {
            let lane = self.lane();
            self.breaker = Some(Breaker::new(&lane.to_string(), reader.lane_state(lane)?, self.parts.seed));
        }
        for _ in 0..messages_max {
            let (now, steady) = (self.parts.clock.now(), self.parts.clock.steady());
            if steady < self.resting_until {
                tally.rest = Some(self.resting_until.saturating_sub(steady));
                break;
            }
            let mut ruled = Vec::new();
            let next = self.next(reader, &mut ruled, now)?;
            tally.unsent += ruled.len();
            let bundle = match next {
                Next::Send(bundle) => bundle,
                Next::Rest(rest) => {
                    tally.rest = rest;
                    self.record(ruled, None, now)?;
                    break;
                }
            };
            let Some(composed) = self.compose(reader, &bundle, now)? else {
                let why = "there is no message to change".to_owned();
                ruled.push(Ruled { id: bundle.leader().id, why, until: None });
                self.record(ruled, None, now)?;
                continue;
            };
            if !self.record(ruled, Some(composed.parcel.clone()), now)? {
                // Somebody acknowledged it meanwhile: look again.
                continue;
            }
            self.parts.store.points().pass("delivery: marked, not sent")?;
            let tried = self.parts.channel.send(&composed.post).await;
            self.parts.store.points().pass("delivery: sent, not settled")?;
            self.note(&bundle, composed, tried, tally);
            if tally.closed {
                break;
            }
        }
        Ok(())
    }

    /// Writes what is known by now, and marks the next parcel.
    fn record(&mut self, ruled: Vec<Ruled>, next: Option<Parcel>, now: Timestamp) -> Result<bool, StoreError> {
        if self.settled.is_none() && ruled.is_empty() && next.is_none() {
            return Ok(false);
        }
        let taken = self.parts.store.take_up(self.lane(), self.settled.clone(), ruled, next, now)?;
        self.settled = None;
        Ok(taken)
    }

    /// Reads what is due, asks the filters, and chooses.
    fn next(&mut self, reader: &Reader, ruled: &mut Vec<Ruled>, now: Timestamp) -> Result<Next, StoreError> {
        let rests = self.storm.rests_until(now);
        let which = if rests.is_some() { Due::Loud } else { Due::Everything };
        let mut rows = reader.due(self.lane(), which, now, ROWS_MAX)?;
        // What was just sent may not be settled yet.
        let settled = self.settled.as_ref().map(|(parcel, _)| parcel);
        rows.retain(|row| settled.is_none_or(|parcel| parcel.leader != row.id && !parcel.members.contains(&row.id)));
        let passing = self.filter(reader, rows, ruled, now)?;
        let gathers = self.parts.channel.abilities().allowance.is_some();
        let (bundle, wait) = match (rests, passing.is_empty()) {
            (Some(until), true) => (None, Some(until)),
            _ => choose(passing, gathers, &mut self.storm, now),
        };
        let until = |at: Timestamp| Duration::from_millis(at.since(now).max(0).unsigned_abs());
        let Some(bundle) = bundle else {
            let due = reader.next_due(self.lane(), now)?;
            return Ok(Next::Rest(wait.into_iter().chain(due).min().map(until)));
        };
        let steady = self.parts.clock.steady();
        if let Some(allowance) = self.parts.channel.abilities().allowance {
            let bucket = self.bucket.get_or_insert_with(|| Bucket::full(allowance, steady));
            let wait = bucket.wait(bundle.leader().severity() == Severity::Critical, steady);
            if !wait.is_zero() {
                return Ok(Next::Rest(Some(wait)));
            }
            bucket.take();
        }
        Ok(Next::Send(bundle))
    }

    /// What passes the filters; verdicts on the rest go to `ruled`.
    fn filter(
        &self,
        reader: &Reader,
        rows: Vec<Delivery>,
        ruled: &mut Vec<Ruled>,
        now: Timestamp,
    ) -> Result<Vec<Delivery>, StoreError> {
        if rows.is_empty() {
            return Ok(rows);
        }
        let (lane, policy) = (self.lane(), &self.parts.policy);
        let (wishes, open) = (reader.wishes(lane.who.as_str(), now)?, reader.open_stories()?);
        let mut passing = Vec::with_capacity(rows.len());
        for delivery in rows {
            let Task::Notice(event) = &delivery.task else {
                passing.push(delivery);
                continue;
            };
            let kind = kind_of(event);
            let told_before = match &delivery.digest {
                Some(digest) if is_compared(kind.name) => reader.told_before(lane, digest, now.plus_ms(-NO_NEWS_MS))?,
                _ => None,
            };
            let case =
                Case { delivery: &delivery, event, kind, policy, wishes: &wishes, open: &open, told_before, now };
            match judge(&case) {
                Verdict::Pass => passing.push(delivery),
                Verdict::Skip(why) => ruled.push(Ruled { id: delivery.id, why, until: None }),
                // It is held already.
                Verdict::Hold(until, _) if delivery.held && delivery.due == until => {}
                Verdict::Hold(until, why) => ruled.push(Ruled { id: delivery.id, why, until: Some(until) }),
            }
        }
        Ok(passing)
    }

    fn compose(&self, reader: &Reader, bundle: &Bundle, now: Timestamp) -> Result<Option<Composed>, StoreError> {
        let policy = &self.parts.policy;
        let wishes = reader.wishes(policy.rule.lane.who.as_str(), now)?;
        let treatments: Vec<Treatment> = bundle
            .rows()
            .iter()
            .filter_map(|delivery| {
                let Task::Notice(event) = &delivery.task else { return None };
                let (kind, open) = (kind_of(event), &[]);
                let case = Case { delivery, event, kind, policy, wishes: &wishes, open, told_before: None, now };
                let loud = delivery.severity() == Severity::Critical;
                Some(if loud { Treatment::On } else { case.treatment() })
            })
            .collect();
        let telling = Telling {
            zone: policy.zone,
            mark: self.parts.mark,
            style: policy.style,
            share_of: if policy.hides_amounts { Some(capital_of(reader, bundle)?) } else { None },
        };
        let state = self.breaker.as_ref().map(|breaker| breaker.state().clone());
        let lane = state.unwrap_or_else(|| well(self.lane()));
        let scene = Scene {
            reader,
            policy,
            abilities: self.parts.channel.abilities(),
            telling: &telling,
            lane: &lane,
            key: &self.parts.key,
            now,
        };
        scene.compose(bundle, is_silent(&treatments))
    }

    /// Keeps what became of a try for the next transaction, and lets the lane rest where it has to. It rests as one, so that what comes
    /// later does not overtake what could not be sent.
    fn note(&mut self, bundle: &Bundle, composed: Composed, tried: Result<Receipt, Failure>, tally: &mut Tally) {
        let now = self.parts.clock.now();
        if matches!(bundle, Bundle::Storm(_)) {
            self.storm.told(now);
        }
        let outcome = match tried {
            Ok(Receipt { remote, skew_ms, detail }) => {
                tally.sent += 1;
                self.succeeded(now);
                // What was changed keeps the name that it has.
                let remote = if composed.post.edit.is_some() { composed.post.edit.clone() } else { remote };
                Settled::Sent { remote, skew_ms, detail }
            }
            Err(Failure { parts, what }) => {
                tally.unsent += 1;
                self.failed(bundle, &composed, parts, &what, tally, now)
            }
        };
        self.settled = Some((composed.parcel, outcome));
    }

    fn succeeded(&mut self, now: Timestamp) {
        let lane = self.lane();
        let Some(breaker) = &mut self.breaker else { return };
        if breaker.state().failures == 0 && !breaker.state().dead {
            return;
        }
        let down = breaker.succeed(now);
        let state = breaker.state().clone();
        self.keep(state);
        if let Some(down_ms) = down {
            let waiting = self.waiting(now);
            (self.parts.alarm)(EventKind::LaneRecovered { lane, down_s: down_ms / 1000, waiting });
        }
    }

    /// Keeps how the lane is. That this fails must not keep what became of the message from being settled.
    fn keep(&self, state: LaneState) {
        if let Err(error) = self.parts.store.keep_lane(state) {
            tracing::warn!(%error, "how {} is could not be kept", self.lane());
        }
    }

    fn waiting(&self, now: Timestamp) -> u64 {
        Reader::open(self.parts.store.path()).and_then(|reader| reader.open_deliveries(self.lane(), now)).unwrap_or(0)
    }

    fn failed(
        &mut self,
        bundle: &Bundle,
        composed: &Composed,
        parts: u32,
        what: &SendError,
        tally: &mut Tally,
        now: Timestamp,
    ) -> Settled {
        let why = what.to_string();
        let later = |due: Timestamp, unknown: bool| Settled::Later { due, why: why.clone(), parts, unknown };
        match what {
            SendError::Closed => {
                tally.closed = true;
                later(now, false)
            }
            SendError::Throttled(wait) => {
                if *wait > THROTTLED_WELL {
                    self.rest(&why, false, now);
                }
                self.resting_until = self.parts.clock.steady() + *wait;
                if let Some(bucket) = &mut self.bucket {
                    bucket.empty();
                }
                later(now, false)
            }
            SendError::Unreachable(_) => {
                self.rest(&why, false, now);
                self.or_dead(bundle, later(now, false), now)
            }
            SendError::Shut(_) => {
                self.rest(&why, true, now);
                self.or_dead(bundle, later(now, false), now)
            }
            // It is said in a new message then, or was nothing but a change of one that nobody sees any more.
            SendError::Gone => match (&composed.post.edit, &bundle.leader().task) {
                (None, _) | (_, Task::Edit(_)) => Settled::Dead(why),
                (Some(remote), _) => Settled::Gone { remote: remote.clone() },
            },
            SendError::Unknown(_) => {
                self.rest(&why, false, now);
                self.unknown(bundle, &why, parts, now)
            }
            SendError::Rejected(_) => {
                // Whoever refuses one message can be reached.
                self.succeeded(now);
                self.dead(bundle, why)
            }
        }
    }

    /// Nobody knows whether it arrived. What is critical goes again at once, marked; the rest waits a moment for another message to go
    /// with. A second time nobody would believe the mark.
    fn unknown(&self, bundle: &Bundle, why: &str, parts: u32, now: Timestamp) -> Settled {
        let leader = bundle.leader();
        let later = |due, unknown| Settled::Later { due, why: why.to_owned(), parts, unknown };
        match &leader.task {
            // The same text again changes nothing.
            Task::Edit(_) => later(now, false),
            Task::Notice(_) if leader.repeated => self.dead(bundle, format!("{why}, twice")),
            Task::Notice(_) if leader.severity() < Severity::Critical => later(now.plus_ms(UNKNOWN_MS), true),
            Task::Answer(_) if leader.repeated => Settled::Dead(format!("{why}, twice")),
            Task::Notice(_) | Task::Answer(_) => later(now, true),
        }
    }

    fn rest(&mut self, why: &str, shut: bool, now: Timestamp) {
        let lane = self.lane();
        let Some(breaker) = &mut self.breaker else { return };
        let (rest, dies) = if shut { breaker.shut(why, now) } else { breaker.fail(why, now) };
        self.resting_until = self.parts.clock.steady() + rest;
        let state = breaker.state().clone();
        self.keep(state);
        if dies {
            let waiting = self.waiting(now);
            (self.parts.alarm)(EventKind::LaneDied { lane, why: why.to_owned(), waiting });
        }
        if let Err(error) = self.give_up_old(why, now) {
            tracing::warn!(%error, "what is too old could not be given up");
        }
    }

    /// What waits behind a message that cannot be sent grows too old as well.
    fn give_up_old(&self, why: &str, now: Timestamp) -> Result<(), StoreError> {
        let lane = self.lane();
        for severity in Severity::ALL {
            let patience = self.parts.policy.patience.of(severity);
            if !self.failing_for(patience, now) {
                continue;
            }
            let before = now.plus_ms(-patience);
            if let Some((notice, count)) = self.parts.store.give_up(lane, severity, before, why, now)? {
                // Two dead ways would tell each other of their dead messages for ever.
                let fact = Reader::open(self.parts.store.path())?.notice(notice)?;
                if count == 1 && fact.is_some_and(|fact| matches!(fact.event.kind, EventKind::DeliveryDied { .. })) {
                    continue;
                }
                let others = if count > 1 { format!("; {} more like it", count - 1) } else { String::new() };
                (self.parts.alarm)(EventKind::DeliveryDied { notice, lane, why: format!("{why}{others}") });
            }
        }
        Ok(())
    }

    /// Whether the lane has failed for so long. What was never tried is not too old.
    fn failing_for(&self, patience: i64, now: Timestamp) -> bool {
        self.breaker.as_ref().is_some_and(|breaker| now.since(breaker.state().since) >= patience)
    }

    fn or_dead(&self, bundle: &Bundle, later: Settled, now: Timestamp) -> Settled {
        let leader = bundle.leader();
        let patience = self.parts.policy.patience.of(leader.severity());
        if now.since(leader.created.max(leader.due)) < patience || !self.failing_for(patience, now) {
            return later;
        }
        match later {
            Settled::Later { why, .. } => self.dead(bundle, why),
            other => other,
        }
    }

    /// Given up, and said so on other lanes.
    fn dead(&self, bundle: &Bundle, why: String) -> Settled {
        let leader = bundle.leader();
        let about_delivery =
            matches!(&leader.task, Task::Notice(event) if matches!(event.kind, EventKind::DeliveryDied { .. }));
        if matches!(leader.task, Task::Notice(_)) && !about_delivery {
            let (notice, lane) = (leader.notice, self.lane());
            (self.parts.alarm)(EventKind::DeliveryDied { notice, lane, why: why.clone() });
        }
        Settled::Dead(why)
    }
}

fn well(lane: Lane) -> LaneState {
    LaneState { lane: lane.to_string(), dead: false, since: Timestamp::default(), failures: 0, why: String::new() }
}

/// What the book of a bundle began with, or the first book.
fn capital_of(reader: &Reader, bundle: &Bundle) -> Result<Money, StoreError> {
    let book = bundle.rows().iter().find_map(|row| match &row.task {
        Task::Notice(event) | Task::Edit(event) => event.book,
        Task::Answer(_) => None,
    });
    let books = reader.books()?;
    let row = books.iter().find(|row| Some(row.book.name) == book).or(books.first());
    Ok(row.map_or(Money::ZERO, |row| row.book.capital))
}
