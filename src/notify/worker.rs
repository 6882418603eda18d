//! Who carries messages? One worker a lane, one message under way, the loudest first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::domain::{EventKind, Lane, Money, Severity, Treatment};
use crate::store::{LaneState, Parcel, Reader, Ruled, Ruling, Settled, Store, StoreError, Task, Wishes};

use super::allowance::{Bucket, Pool};
use super::breaker::Breaker;
use super::compose::{Composed, Scene, add_repeat, is_silent};
use super::filters::{Case, kind_of};
use super::parcel::{Bundle, Storm};
use super::turn::{Next, book_of};
use super::{Channel, Failure, Policy, SendError, Telling};

/// A dead lane on which nothing waits is looked at this often.
const PROBE: Duration = Duration::from_mins(1);
/// Why a message waits that the channel would refuse.
const RATE: &str = "rate: the channel takes only so many";
/// The wall clock was set back if it lost more than this against the steady one, in milliseconds.
const CLOCK_SLACK_MS: i64 = 60_000;

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
    /// The policy in it is the one that holds now, with what its reader set.
    pub(super) parts: WorkerParts,
    /// The policy as it is configured.
    configured: Policy,
    reader: Option<Reader>,
    pool: Option<Pool>,
    nudged: Arc<AtomicBool>,
    pub(super) bucket: Option<Bucket>,
    pub(super) breaker: Option<Breaker>,
    pub(super) storm: Storm,
    pub(super) settled: Option<(Parcel, Settled)>,
    /// On the steady clock.
    pub(super) resting_until: Duration,
    /// Until when the service asked not to be called, on the steady clock.
    pub(super) paused_until: Duration,
    /// Since when it asks for one pause after the other.
    pub(super) throttled: Option<Duration>,
    /// Since when the lane fails, and when it was to be tried next, on the steady clock.
    pub(super) failing: Option<(Duration, Duration)>,
    /// The message of which only the first parts arrived.
    pub(super) begun: Option<Composed>,
    probed: Duration,
    clocks: Option<(Timestamp, Duration)>,
}

impl Worker {
    /// A worker for the lane of the policy.
    pub fn new(parts: WorkerParts) -> Self {
        Self {
            configured: parts.policy.clone(),
            parts,
            reader: None,
            pool: None,
            nudged: Arc::default(),
            bucket: None,
            breaker: None,
            storm: Storm::default(),
            settled: None,
            resting_until: Duration::ZERO,
            paused_until: Duration::ZERO,
            throttled: None,
            failing: None,
            begun: None,
            probed: Duration::ZERO,
            clocks: None,
        }
    }

    /// The same worker, which takes from what all lanes of its service have together.
    #[must_use]
    pub fn sharing(self, pool: Pool) -> Self {
        Self { pool: Some(pool), ..self }
    }

    /// The same worker, which tries at once when this is set: somebody was heard at the other end.
    #[must_use]
    pub fn nudged_by(self, nudged: Arc<AtomicBool>) -> Self {
        Self { nudged, ..self }
    }

    pub(super) fn lane(&self) -> Lane {
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
        let (now, steady) = (self.parts.clock.now(), self.parts.clock.steady());
        self.heed(reader)?;
        if self.breaker.is_none() {
            let lane = self.lane();
            self.breaker = Some(Breaker::new(&lane.to_string(), reader.lane_state(lane)?, self.parts.seed));
            self.paused_until = steady + Duration::from_millis(reader.pause_ms(lane, now)?.unsigned_abs());
            self.resting_until = self.paused_until;
        }
        if let Some(by_ms) = self.clock_fell(now, steady) {
            self.parts.store.restart_waits(self.lane(), by_ms, now)?;
        }
        let nudged = self.nudged.swap(false, Ordering::SeqCst);
        if nudged && self.is_dead() {
            (self.resting_until, self.probed) = (self.paused_until, Duration::ZERO);
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
            let (bundle, wishes) = match next {
                Next::Send(bundle, wishes) => (bundle, wishes),
                Next::Rest(rest) => {
                    self.record(ruled, None, now)?;
                    tally.rest = self.probe(rest, now, steady).await;
                    break;
                }
            };
            let Some(mut composed) = self.compose(reader, &bundle, &wishes, now)? else {
                let why = "there is no message to change".to_owned();
                ruled.push(Ruled { id: bundle.leader().id, why, ruling: Ruling::Skip });
                self.record(ruled, None, now)?;
                continue;
            };
            self.go_on(&bundle, &mut composed);
            if let Some(wait) = self.charge(&bundle, steady, &mut ruled) {
                self.record(ruled, None, now)?;
                tally.rest = Some(wait);
                break;
            }
            if !self.record(ruled, Some(composed.parcel.clone()), now)? {
                // Somebody acknowledged it meanwhile: look again.
                self.bucket.iter_mut().for_each(Bucket::give_back);
                self.pool.iter().for_each(Pool::give_back);
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

    /// From now on what the reader of the lane set holds over what is configured.
    fn heed(&mut self, reader: &Reader) -> Result<(), StoreError> {
        let set = reader.preferences(self.lane().who.as_str())?;
        self.parts.policy = self.configured.clone().preferring(&set);
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

    /// What was sent in part goes on where it stopped; where nobody remembers how it went on, it is said anew, marked.
    fn go_on(&self, bundle: &Bundle, composed: &mut Composed) {
        let leader = bundle.leader();
        let same =
            |begun: &&Composed| begun.post.delivery == leader.id && begun.parcel.members == composed.parcel.members;
        let finds = self.parts.channel.abilities().finds;
        if let Some(begun) = self.begun.as_ref().filter(same) {
            *composed = begun.clone();
            composed.post.parts_done = leader.parts;
            composed.post.again = leader.repeated.then_some(leader.created);
        } else if leader.parts > 0
            && (finds || !leader.repeated)
            && !matches!(leader.task, Task::Answer(_) | Task::Seen(_))
        {
            // Its beginning would be found, and its end never told.
            composed.post.again = composed.post.again.filter(|_| !finds);
            add_repeat(leader, &mut composed.post.message.blocks);
        }
    }

    /// By how much the wall clock was set back since the last look, in milliseconds, if it was. Zero at the first look: it may have been.
    fn clock_fell(&mut self, now: Timestamp, steady: Duration) -> Option<i64> {
        let Some((wall, then)) = self.clocks.replace((now, steady)) else { return Some(0) };
        let passed = i64::try_from(steady.saturating_sub(then).as_millis()).unwrap_or(i64::MAX);
        let by_ms = passed.saturating_sub(now.since(wall));
        (by_ms > CLOCK_SLACK_MS).then_some(by_ms)
    }

    pub(super) fn is_dead(&self) -> bool {
        self.breaker.as_ref().is_some_and(|breaker| breaker.state().dead)
    }

    /// Nothing can go now. A dead lane on which nothing waits would stay dead for ever, so it is asked whether it is. How long to rest.
    async fn probe(&mut self, rest: Option<Duration>, now: Timestamp, steady: Duration) -> Option<Duration> {
        if !self.is_dead() {
            return rest;
        }
        if steady >= self.probed {
            match self.parts.channel.probe().await {
                None => return rest,
                Some(Ok(())) => self.succeeded(now),
                Some(Err(Failure { what: SendError::Throttled(wait), .. })) => {
                    self.throttle(wait, "asked to wait", now);
                }
                Some(Err(error)) => tracing::debug!(%error, "{} is still dead", self.lane()),
            }
            self.probed = steady + PROBE;
        }
        Some(rest.map_or(PROBE, |rest| rest.min(PROBE)))
    }

    /// Pays for a message: by what the lane may send, and what all lanes of the service may. How long it has to wait, if it has to.
    fn charge(&mut self, bundle: &Bundle, steady: Duration, ruled: &mut Vec<Ruled>) -> Option<Duration> {
        let leader = bundle.leader();
        let is_critical = matches!(leader.task, Task::Notice(_)) && leader.severity() == Severity::Critical;
        let mut wait = Duration::ZERO;
        if let Some(allowance) = self.parts.channel.abilities().allowance {
            let bucket = self.bucket.get_or_insert_with(|| Bucket::full(allowance, steady));
            wait = bucket.wait(is_critical, steady);
        }
        if let Some(pool) = self.pool.as_ref().filter(|_| wait.is_zero()) {
            wait = pool.take(is_critical, steady);
        }
        if wait.is_zero() {
            self.bucket.as_mut().into_iter().for_each(Bucket::take);
            return None;
        }
        if leader.verdict.as_deref() != Some(RATE) {
            ruled.push(Ruled { id: leader.id, why: RATE.to_owned(), ruling: Ruling::Wait });
        }
        Some(wait)
    }

    fn compose(
        &self,
        reader: &Reader,
        bundle: &Bundle,
        wishes: &Wishes,
        now: Timestamp,
    ) -> Result<Option<Composed>, StoreError> {
        let policy = &self.parts.policy;
        let treatments: Vec<Treatment> = bundle
            .rows()
            .iter()
            .filter_map(|delivery| {
                let Task::Notice(event) = &delivery.task else { return None };
                let (kind, open) = (kind_of(event), &[]);
                let case = Case { delivery, event, kind, policy, wishes, open, told_before: None, now };
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
}

fn well(lane: Lane) -> LaneState {
    LaneState { lane: lane.to_string(), dead: false, since: Timestamp::default(), failures: 0, why: String::new() }
}

/// What the book of a bundle began with, or the first book.
fn capital_of(reader: &Reader, bundle: &Bundle) -> Result<Money, StoreError> {
    let book = bundle.rows().into_iter().find_map(book_of);
    let books = reader.books()?;
    let row = books.iter().find(|row| Some(row.book.name) == book).or(books.first());
    Ok(row.map_or(Money::ZERO, |row| row.book.capital))
}
