//! One database over many lives: each life opens it, runs until it ends or is killed, and delivers what it can.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bellwether::chat::{Chat, ChatParts, Inbound, Person, Previewer, Reply, Role};
use bellwether::clock::{Clock, ManualClock, Timestamp};
use bellwether::config::BookConfig;
use bellwether::control::{ChangeDesk, PinCost};
use bellwether::domain::{
    EventKind, Instrument, Lane, LaneRule, Mode, Money, NoticeId, RouteTable, Routes, RunContext, RunId, Severity,
    Style,
};
use bellwether::engine::{
    DeskSettings, Engine, EngineMessage, FileReader, Finished, Pace, Reload, Runner, RunnerError, RunnerOptions,
    RunnerParts, Stretch, preview, restore, revive,
};
use bellwether::execution::PaperBroker;
use bellwether::market::Feed;
use bellwether::notify::{
    Abilities, Channel, Failure, Patience, Policy, Post, Receipt, SendError, Tally, Worker, WorkerParts,
};
use bellwether::store::{Points, Reader, RunStart, Saved, Store, StoreError};
use bellwether::strategy::{Values, find};
use secrecy::SecretString;

use super::feed::{Act, TellingFeed};

/// The lane of all tests.
pub(crate) fn lane() -> Lane {
    "owner:terminal".parse().expect("a lane")
}

/// Everything from a notice on goes to the lane of all tests.
pub(crate) fn routes() -> Routes {
    Routes::new(RouteTable::simple(&[lane()], Severity::Notice))
}

/// A message that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// The notice's number; 0 for an answer.
    pub(crate) number: NoticeId,
    /// How loud it is.
    pub(crate) severity: Severity,
    /// Its lines.
    pub(crate) lines: Vec<String>,
}

/// The reference material beside the checkout, if it is there.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if !found.exists() {
        eprintln!("skipped: the reference material {path} is absent");
        return None;
    }
    Some(found)
}

/// A book of 10,000 on these symbols, changed as a test wants.
fn desk_settings(instruments: &[Instrument], change: impl FnOnce(&mut DeskSettings)) -> DeskSettings {
    let mut desk = BookConfig::usual().desk;
    desk.capital = Money::whole(10_000);
    desk.symbols = instruments.iter().map(|item| item.symbol).collect();
    change(&mut desk);
    desk
}

/// A cross of 3 over 8 bars, so that something happens every few days.
pub(crate) fn quick_cross(desk: &mut DeskSettings) {
    let kind = find("sma_cross").expect("listed");
    let written = [("fast", "3"), ("slow", "8")].map(|(k, v)| (k.to_owned(), v.parse().expect("number")));
    desk.strategies[0].values = Values::check(kind.name, kind.params, &written).expect("in range");
}

/// A channel that keeps what it is sent, and fails as it is told.
#[derive(Clone, Default)]
pub(crate) struct Sink {
    sent: Arc<Mutex<Vec<Told>>>,
    failures: Arc<Mutex<Vec<SendError>>>,
}

impl Sink {
    /// Everything that arrived, in order.
    pub(crate) fn sent(&self) -> Vec<Told> {
        self.sent.lock().expect("lock").clone()
    }

    /// The next sends fail like this, the last of the list first.
    pub(crate) fn fail_with(&self, failures: Vec<SendError>) {
        *self.failures.lock().expect("lock") = failures;
    }
}

#[async_trait]
impl Channel for Sink {
    fn abilities(&self) -> Abilities {
        Abilities { edits: false, buttons: false, finds: false, allowance: None }
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        if let Some(failure) = self.failures.lock().expect("lock").pop() {
            return Err(failure.into());
        }
        let (number, lines) = (post.number.unwrap_or_default(), post.message.plain_lines());
        self.sent.lock().expect("lock").push(Told { number, severity: post.severity, lines });
        Ok(Receipt::default())
    }
}

/// What a life traded, how its books were set up, and its file.
type Last = (Vec<Instrument>, Vec<DeskSettings>, Option<FileReader>);

/// A folder with one database.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) sink: Sink,
    /// What the last life traded, how its books were set up, and the file that it could read.
    last: Arc<Mutex<Last>>,
}

/// What one life is to do.
pub(crate) struct Life {
    pub(crate) feed: Box<dyn Feed>,
    pub(crate) desks: Vec<DeskSettings>,
    pub(crate) points: Points,
    pub(crate) cycles_max: Option<u64>,
    pub(crate) pace: Pace,
    pub(crate) dry_run: bool,
    pub(crate) auditor: Option<Sender<Stretch>>,
    /// What others ask of the engine; nobody asks anything where it is none.
    pub(crate) queue: Option<Receiver<EngineMessage>>,
    /// The file as it is when somebody has it read; there is none to read where it is none.
    pub(crate) file: Option<FileReader>,
}

impl Life {
    /// A whole run at full pace with nothing in its way.
    pub(crate) fn whole(feed: impl Feed + 'static, change: impl FnOnce(&mut DeskSettings)) -> Self {
        let desks = vec![desk_settings(feed.instruments(), change)];
        Self {
            feed: Box::new(feed),
            desks,
            points: Points::default(),
            cycles_max: None,
            pace: Pace::Max,
            dry_run: false,
            auditor: None,
            queue: None,
            file: None,
        }
    }
}

impl Life {
    /// A life in which the file says this by the time that somebody has it read.
    pub(crate) fn with_file(self, read: Result<Vec<DeskSettings>, String>) -> Self {
        let file: FileReader = Arc::new(move || read.clone().map(|desks| Reload { desks, restart: Vec::new() }));
        Self { file: Some(file), ..self }
    }

    /// Hands these to the engine, each just before it decides on the instant of that number, counted from 1.
    pub(crate) fn telling(self, messages: Vec<(u64, EngineMessage)>) -> Self {
        let telling = |message: EngineMessage| -> Act {
            Box::new(move |queue| {
                // An engine that is gone hears nothing.
                let _ = queue.send(message);
            })
        };
        self.meanwhile(messages.into_iter().map(|(at, message)| (at, telling(message))).collect())
    }

    /// Somebody does these, each just before the engine decides on the instant of that number, counted from 1.
    pub(crate) fn meanwhile(mut self, acts: Vec<(u64, Act)>) -> Self {
        let (sender, queue) = channel();
        self.feed = Box::new(TellingFeed::new(self.feed, sender, acts));
        self.queue = Some(queue);
        self
    }

    /// A second book beside the first, on the same prices.
    pub(crate) fn with_book(mut self, name: &str, change: impl FnOnce(&mut DeskSettings)) -> Self {
        let mut desk = desk_settings(self.feed.instruments(), change);
        desk.name = name.parse().expect("a name");
        self.desks.push(desk);
        self
    }
}

/// The owner in the terminal.
fn inbound_of(text: &str) -> Inbound {
    let person =
        Person { name: "owner".to_owned(), role: Role::Owner, zone: None, books: None, style: Style::default() };
    let place = bellwether::chat::Place::Machine;
    Inbound { person, place, chat: "terminal".to_owned(), text: text.to_owned() }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_800_000_000_000)));
        let folder = tempfile::tempdir().expect("folder");
        Self { folder, clock, sink: Sink::default(), last: Arc::default() }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("a.db")
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.database()).expect("opens")
    }

    /// A chat on the database, whose engine runs in the next life.
    pub(crate) fn chat(&self) -> Chat {
        let store = Store::open(&self.database()).expect("opens");
        Chat::new(ChatParts {
            database: self.database(),
            store: store.clone(),
            desk: ChangeDesk::new(store, self.clock.clone(), PinCost::LEAST),
            clock: self.clock.clone(),
            ask: Arc::new(|_, _| Reply::Text("nothing to do".to_owned())),
            preview: self.previewer(),
            wake: Arc::new(|| {}),
            drill: Arc::new(|_| Ok("a drill".to_owned())),
        })
    }

    /// Previews changes as the engine of the last life would, from what it left behind.
    fn previewer(&self) -> Previewer {
        let (database, last) = (self.database(), self.last.clone());
        Arc::new(move |change, person| {
            let (instruments, desks, file) = last.lock().expect("lock").clone();
            let saved = Reader::open(&database).expect("opens").saved().expect("reads");
            let (mut engine, _) = revive(&instruments, desks, &saved).map_err(|error| error.to_string())?;
            engine.file = file;
            let progress = saved.progress.expect("something ran");
            let context = RunContext {
                run: RunId(0),
                mode: Mode::Paper,
                started: progress.market,
                cycle: progress.cycle,
                now: progress.market,
                cost_budget: Money::ZERO,
                dry_run: false,
            };
            preview(&engine, change, person, &context).map_err(|why| why.to_string())
        })
    }

    /// Types a control in the terminal and confirms it with the PIN; what was shown before, or the refusal.
    pub(crate) fn confirm(&self, text: &str) -> String {
        match self.show(text) {
            Ok((id, preview)) => {
                self.agree(id);
                preview
            }
            Err(refused) => refused,
        }
    }

    /// Confirms a change that was shown in the terminal, with the PIN.
    pub(crate) fn agree(&self, id: i64) {
        let inbound = inbound_of("");
        self.chat().confirm(&inbound, id, &SecretString::from("2846")).expect("confirmed");
    }

    /// Types a control in the terminal; its row and what is shown, or the refusal.
    pub(crate) fn show(&self, text: &str) -> Result<(i64, String), String> {
        let (chat, inbound) = (self.chat(), inbound_of(text));
        let pin = SecretString::from("2846");
        if !self.reader().has_pin("owner").expect("reads") {
            chat.set_pin("owner", None, &pin).expect("set");
        }
        match chat.handle(&inbound) {
            Reply::Confirm { id, preview } => Ok((id, preview)),
            Reply::Text(text) | Reply::Refused(text) => Err(text),
            reply => panic!("{text}: {reply:?}"),
        }
    }

    pub(crate) fn saved(&self) -> Saved {
        self.reader().saved().expect("reads")
    }

    /// Runs the engine for one life; what it finished with, or what killed it.
    pub(crate) fn live(&self, life: Life) -> Result<Finished, RunnerError> {
        let store = Store::open_with(&self.database(), life.points.clone())?;
        let result = self.run(&store, life);
        store.close();
        result
    }

    fn run(&self, store: &Store, life: Life) -> Result<Finished, RunnerError> {
        let Life { feed, desks, cycles_max, pace, dry_run, auditor, queue, file, points: _ } = life;
        let saved = Reader::open(store.path())?.saved()?;
        *self.last.lock().expect("lock") = (feed.instruments().to_vec(), desks.clone(), file.clone());
        let mut engine = Engine::new(feed.instruments(), desks).expect("parameters");
        engine.file = file;
        let mut broker = PaperBroker::new(feed.instruments());
        let resumed = restore(&mut engine, &mut broker, &saved)?;
        store.reclaim_unknown(self.clock.now())?;
        let clock: Arc<dyn Clock> = self.clock.clone();
        let run = store.start_run(RunStart {
            mode: "paper".to_owned(),
            feed: "test".to_owned(),
            dry_run,
            started: clock.now(),
            first_cycle: resumed.progress.cycle.next(),
        })?;
        store.sign_lease(run, clock.now())?;
        let (_sender, nothing) = channel();
        let messages = queue.unwrap_or(nothing);
        let started = EventKind::EngineStarted { feed: "test".to_owned(), symbols: 1, dry_run };
        let options = RunnerOptions { run, started: clock.now(), dry_run, pace, cycles_max, opening: vec![started] };
        let desk = ChangeDesk::new(store.clone(), clock.clone(), PinCost::LEAST);
        let emergency = Box::new(|_: &str| {});
        let store = store.clone();
        let parts = RunnerParts {
            engine,
            broker,
            feed,
            store,
            clock,
            routes: routes(),
            desk,
            queue: messages,
            emergency,
            auditor,
        };
        Runner::new(parts, &saved, options).run()
    }

    /// Carries messages for one life, until none is due or it is killed.
    pub(crate) fn deliver(&self, points: Points) -> Result<Tally, StoreError> {
        let store = Store::open_with(&self.database(), points)?;
        store.reclaim_unknown(self.clock.now())?;
        let result = self.carry(&store);
        store.close();
        result
    }

    fn carry(&self, store: &Store) -> Result<Tally, StoreError> {
        let mut worker = Worker::new(WorkerParts {
            store: store.clone(),
            clock: self.clock.clone(),
            channel: Arc::new(self.sink.clone()),
            policy: Policy {
                // The clock of these tests jumps by weeks.
                patience: Patience::new([i64::MAX / 4; 4]),
                ..Policy::open(LaneRule::open(lane()), chrono_tz::America::New_York)
            },
            mark: "paper",
            key: [7; 32],
            seed: 1,
            alarm: Arc::new(|_| {}),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        runtime.block_on(worker.tick(usize::MAX))
    }
}
