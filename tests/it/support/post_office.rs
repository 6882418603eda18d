//! A store with facts to tell, workers on some lanes, and channels that do as they are told.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bellwether::clock::{Clock, ManualClock, Timestamp};
use bellwether::domain::{
    Event, EventKind, Lane, LaneRule, Message, NoticeId, Route, RouteTable, Routes, RunId, Severity,
};
use bellwether::notify::{
    Abilities, Allowance, Channel, Failure, Policy, Pool, Post, Receipt, SendError, Tally, Worker, WorkerParts,
};
use bellwether::store::{Answer, AuditEntry, LaneCounts, Own, Points, Reader, Store, StoreError};

/// What a scripted channel does with a message.
#[derive(Debug, Clone)]
pub(crate) enum Does {
    /// Takes it.
    Take,
    /// Takes it, and nobody learns of it.
    TakeUnheard,
    /// Fails like this, without taking it.
    Fail(SendError),
}

/// A message as a channel saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// When, on the manual clock.
    pub(crate) at: Timestamp,
    /// Its lines, one below the other.
    pub(crate) text: String,
    /// The whole.
    pub(crate) post: Post,
}

/// Something that happens while a message is under way.
type Meanwhile = Box<dyn FnOnce() + Send>;

/// A channel that keeps what it takes.
pub(crate) struct Wire {
    clock: Arc<ManualClock>,
    abilities: Mutex<Abilities>,
    script: Mutex<VecDeque<Does>>,
    seen: Mutex<Vec<Seen>>,
    probe: Mutex<Option<bool>>,
    meanwhile: Mutex<Option<Meanwhile>>,
    begun: AtomicUsize,
}

impl Wire {
    /// Everything that was taken, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("lock").clone()
    }

    /// The texts that were taken since the last look.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().expect("lock")).into_iter().map(|seen| seen.text).collect()
    }

    /// What it says from now on when it is asked whether a message would come through.
    pub(crate) fn answers_probes(&self, well: bool) {
        *self.probe.lock().expect("lock") = Some(well);
    }

    /// From now on it takes everything.
    pub(crate) fn mend(&self) {
        self.script.lock().expect("lock").clear();
    }

    /// How many messages began to be sent, whatever became of them; changes of messages do not count.
    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// What happens once while the next message is under way.
    pub(crate) fn meanwhile(&self, what: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().expect("lock") = Some(Box::new(what));
    }

    /// What it does next, one after the other; then it takes everything.
    pub(crate) fn script(&self, does: impl IntoIterator<Item = Does>) {
        self.script.lock().expect("lock").extend(does);
    }
}

#[async_trait]
impl Channel for Wire {
    fn abilities(&self) -> Abilities {
        *self.abilities.lock().expect("lock")
    }

    async fn probe(&self) -> Option<Result<(), Failure>> {
        let well = (*self.probe.lock().expect("lock"))?;
        Some(if well { Ok(()) } else { Err(SendError::Unreachable("scripted".to_owned()).into()) })
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        if post.edit.is_none() {
            self.begun.fetch_add(1, Ordering::SeqCst);
            let meanwhile = self.meanwhile.lock().expect("lock").take();
            if let Some(happens) = meanwhile {
                happens();
            }
        }
        let does = self.script.lock().expect("lock").pop_front().unwrap_or(Does::Take);
        if let Does::Fail(error) = does {
            return Err(error.into());
        }
        let mut seen = self.seen.lock().expect("lock");
        let text = post.message.plain_lines().join("\n");
        seen.push(Seen { at: self.clock.now(), text, post: post.clone() });
        match does {
            Does::Take => {
                let remote = Some((100 + seen.len()).to_string());
                Ok(Receipt { remote, skew_ms: Some(0), detail: None })
            }
            Does::TakeUnheard | Does::Fail(_) => Err(SendError::Unknown("scripted silence".to_owned()).into()),
        }
    }
}

/// As a chat on Telegram does.
pub(crate) const CHAT: Abilities = Abilities {
    edits: true,
    buttons: true,
    finds: false,
    allowance: Some(Allowance { burst: 4, refill: Duration::from_secs(1) }),
};

/// One lane with its channel.
struct Open {
    lane: Lane,
    wire: Arc<Wire>,
    channel: Arc<dyn Channel>,
    policy: Policy,
    worker: Option<Worker>,
    pool: Option<Pool>,
    nudged: Arc<AtomicBool>,
}

/// The office.
pub(crate) struct PostOffice {
    folder: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) routes: Routes,
    pub(crate) store: Store,
    lanes: Vec<Open>,
}

/// Two people, each with a chat.
pub(crate) const ANA: &str = "ana:telegram";
pub(crate) const BO: &str = "bo:telegram";

/// An event of a kind.
pub(crate) fn kind(name: &str) -> EventKind {
    super::sample(name).kind
}

/// An office of two people who are told everything from a notice on.
pub(crate) fn of_two() -> PostOffice {
    PostOffice::new(RouteTable::simple(&[lane(ANA), lane(BO)], Severity::Notice))
}

/// Everything from a notice on goes to Ana; what is critical to Bo if she says nothing for two minutes.
pub(crate) fn ladder() -> RouteTable {
    let mut table = RouteTable::simple(&[lane(ANA), lane(BO)], Severity::Notice);
    let everything = table.routes.remove(0);
    let second = Route { min: Severity::Critical, to: vec![lane(BO)], after_ms: 120_000, ..everything.clone() };
    table.routes = vec![Route { to: vec![lane(ANA)], ..everything }, second];
    table
}

/// A lane by its name.
pub(crate) fn lane(name: &str) -> Lane {
    name.parse().expect("a lane")
}

/// Nobody is there.
pub(crate) fn unreachable() -> Does {
    Does::Fail(SendError::Unreachable("scripted".to_owned()))
}

/// Everything that a lane's channel took: when, whether it changes a message, and what it says.
pub(crate) fn texts(office: &mut PostOffice, name: &str) -> Vec<String> {
    office
        .wire(name)
        .seen()
        .into_iter()
        .map(|seen| format!("{} {:?}: {}", seen.at, seen.post.edit, seen.text))
        .collect()
}

impl PostOffice {
    /// An office that goes by these routes, with a chat for each of their lanes.
    pub(crate) fn new(table: RouteTable) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_800_000_000_000)));
        let store = Store::open(&folder.path().join("a.db")).expect("opens");
        let open = |rule: &LaneRule| {
            let wire = Arc::new(Wire {
                clock: clock.clone(),
                abilities: Mutex::new(CHAT),
                script: Mutex::default(),
                seen: Mutex::default(),
                probe: Mutex::default(),
                meanwhile: Mutex::default(),
                begun: AtomicUsize::new(0),
            });
            let policy = Policy::open(rule.clone(), chrono_tz::America::New_York);
            Open {
                lane: rule.lane,
                channel: wire.clone(),
                wire,
                policy,
                worker: None,
                pool: None,
                nudged: Arc::default(),
            }
        };
        let lanes = table.lanes.iter().map(open).collect();
        Self { folder, clock, routes: Routes::new(table), store, lanes }
    }

    /// An office with one chat that is told everything from a notice on.
    pub(crate) fn of_one() -> Self {
        Self::new(RouteTable::simple(&[lane("ana:telegram")], Severity::Notice))
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("a.db")
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.database()).expect("opens")
    }

    fn at(&mut self, name: &str) -> &mut Open {
        let wanted = lane(name);
        self.lanes.iter_mut().find(|open| open.lane == wanted).expect("a lane of this office")
    }

    /// The channel of a lane.
    pub(crate) fn wire(&mut self, name: &str) -> Arc<Wire> {
        self.at(name).wire.clone()
    }

    /// Lets a lane's channel take as many messages as come.
    pub(crate) fn unlimited(&mut self, name: &str) {
        self.at(name).wire.abilities.lock().expect("lock").allowance = None;
    }

    /// Lets a lane's channel be one on which nothing can be changed or pressed.
    pub(crate) fn only_tells(&mut self, name: &str) {
        let mut abilities = *self.at(name).wire.abilities.lock().expect("lock");
        (abilities.edits, abilities.buttons) = (false, false);
        *self.at(name).wire.abilities.lock().expect("lock") = abilities;
    }

    /// Steps of the workers of all lanes for so many seconds, one each tenth of a second.
    pub(crate) fn run_all(&mut self, seconds: i64) {
        self.step_all(seconds * 10, 100);
    }

    /// So many steps of the workers of all lanes, one each so many milliseconds.
    pub(crate) fn step_all(&mut self, steps: i64, each_ms: i64) {
        let names: Vec<String> = self.lanes.iter().map(|open| open.lane.to_string()).collect();
        for _ in 0..steps {
            for name in &names {
                self.tick(name);
            }
            self.clock.advance(each_ms);
        }
    }

    /// Puts a channel in the place of a lane's wire, before its worker begins.
    pub(crate) fn plug(&mut self, name: &str, channel: Arc<dyn Channel>) {
        self.at(name).channel = channel;
    }

    /// Lets a lane take from what several have together, before its worker begins.
    pub(crate) fn share(&mut self, name: &str, pool: &Pool) {
        self.at(name).pool = Some(pool.clone());
    }

    /// Somebody is heard at the other end of a lane.
    pub(crate) fn nudge(&mut self, name: &str) {
        self.at(name).nudged.store(true, Ordering::SeqCst);
    }

    /// Changes what the reader of a lane wants, before its worker begins.
    pub(crate) fn policy(&mut self, name: &str, change: impl FnOnce(&mut Policy)) {
        change(&mut self.at(name).policy);
    }

    /// Somebody changes something for themselves.
    pub(crate) fn change_own(&self, who: &str, what: Own) {
        let (person, channel, words) = (who.to_owned(), "terminal".to_owned(), "/it".to_owned());
        let entry =
            AuditEntry { at: self.clock.now(), person, channel, words, preview: None, result: "done".to_owned() };
        self.store.change_own(entry, what).expect("stored");
    }

    /// Commits facts, as the engine would.
    pub(crate) fn happen(&self, kinds: impl IntoIterator<Item = EventKind>) {
        self.try_happen(kinds).expect("stored");
    }

    /// The same, where the store may die.
    pub(crate) fn try_happen(&self, kinds: impl IntoIterator<Item = EventKind>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let book = Some("main".parse().expect("a name"));
        let events = kinds.into_iter().map(|kind| Event { at: now, book, kind }).collect();
        self.store.record_events(RunId(1), now, events, &self.routes)
    }

    /// Puts an answer on its way.
    pub(crate) fn say(&self, name: &str, text: &str) {
        self.store.post(Answer::new(lane(name), Message::answer(text)), self.clock.now()).expect("stored");
    }

    /// One step of a lane's worker.
    pub(crate) fn tick(&mut self, name: &str) -> Tally {
        self.try_tick(name).expect("the store works")
    }

    /// The same, where the store may die.
    pub(crate) fn try_tick(&mut self, name: &str) -> Result<Tally, StoreError> {
        let (store, clock, routes) = (self.store.clone(), self.clock.clone(), self.routes.clone());
        let open = self.at(name);
        let worker = open.worker.get_or_insert_with(|| {
            let (alarm_store, alarm_clock) = (store.clone(), clock.clone());
            let worker = Worker::new(WorkerParts {
                store,
                clock,
                channel: open.channel.clone(),
                policy: open.policy.clone(),
                mark: "paper",
                key: [7; 32],
                seed: 3,
                alarm: Arc::new(move |kind| {
                    let now = alarm_clock.now();
                    let event = Event { at: now, book: None, kind };
                    // A store that dies there dies for the worker as well.
                    let _ = alarm_store.record_events(RunId(1), now, vec![event], &routes);
                }),
            })
            .nudged_by(open.nudged.clone());
            match &open.pool {
                Some(pool) => worker.sharing(pool.clone()),
                None => worker,
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(worker.tick(64))
    }

    /// Steps of a lane's worker for so many seconds, one each tenth of a second.
    pub(crate) fn run(&mut self, name: &str, seconds: i64) {
        for _ in 0..seconds * 10 {
            self.tick(name);
            self.clock.advance(100);
        }
    }

    /// The bot dies and is started anew: what workers remember is gone.
    pub(crate) fn restart(&mut self) {
        self.restart_with(Points::default()).expect("starts");
    }

    /// The same with points at which it may die again.
    pub(crate) fn restart_with(&mut self, points: Points) -> Result<(), StoreError> {
        for open in &mut self.lanes {
            open.worker = None;
        }
        let store = Store::open_with(&self.database(), points)?;
        std::mem::replace(&mut self.store, store).close();
        self.store.reclaim_unknown(self.clock.now())?;
        Ok(())
    }

    /// The counts of a lane; they always add up.
    pub(crate) fn counts(&self, name: &str) -> LaneCounts {
        let found = self.reader().lane_counts().expect("reads").into_iter().find(|counts| counts.lane == name);
        let counts = found.unwrap_or_default();
        assert_eq!(counts.accepted, counts.sent + counts.skipped + counts.dead + counts.open, "R17 on {name}");
        counts
    }

    /// The number of the last notice.
    pub(crate) fn last_notice(&self) -> NoticeId {
        self.reader().journal_told(1).expect("reads")[0].notice.expect("told")
    }
}
