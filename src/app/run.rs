//! How does a run go? Checks first, then every part in order, then the engine on a thread of its own, then everything back in order.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::channels::Telegram;
use crate::chat::{Chat, ChatParts, Person, Role, Seats};
use crate::cli::{ModeArg, RunArgs};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Environment, load, missing_services, policy, route_table};
use crate::control::{ChangeDesk, PinCost};
use crate::domain::{ChannelKind, EventKind, Instrument, Label, Lane, RouteTable, Routes, RunId, Symbol};
use crate::engine::{
    DeskSettings, Emergency, Engine, EngineMessage, Finished, Pace, Runner, RunnerError, RunnerOptions, RunnerParts,
    Stretch, restore,
};
use crate::execution::PaperBroker;
use crate::store::{Lease, LeaseError, Reader, RunStart, Saved, Store, check_whole, set_aside};
use crate::web::Parts;

use super::around::{Around, Flags, Helper, LAST_WORDS, spawn, wait, watch_signals};
use super::digest::Digests;
use super::directory::Directory;
use super::feeds::{self, NamedFeed};
use super::guests::{Guests, Stage};
use super::heartbeat::Heartbeat;
use super::messenger::{self, Messenger};
use super::night::Night;
use super::reload::Watch;
use super::switchboard::{Alarm, OpenLanes, Switchboard, alarm};
use super::talk::{self, Terminal};
use super::telegram::Shared;
use super::watch::{self, Probe, WatchParts};
use super::{AppError, auditor, backtest, channels, monitor, universe};

/// Who there is where nobody is configured.
const OWNER: &str = "owner";
/// How often, and how long apart, the right to run is tried for.
const LEASE_TRIES: u32 = 5;
const LEASE_WAIT: Duration = Duration::from_millis(20);
/// How long a silent run may take before its progress is shown, and how often it is.
const PROGRESS_AFTER: Duration = Duration::from_secs(2);
const PROGRESS_STEP: Duration = Duration::from_millis(200);

/// Runs the bot.
pub(super) fn run(args: &RunArgs, environment: &Environment) -> Result<(), AppError> {
    match args.mode {
        ModeArg::Paper => {}
        ModeArg::Backtest => return backtest::of_books(args, environment),
        ModeArg::Live => {
            return Err(AppError::usage("--mode live is refused: there is no live broker in this version")
                .with_hint("--mode paper trades the same way with invented money"));
        }
    }
    feeds::check_range(args.from, args.to)?;
    let config = load(environment.config.as_deref())?;
    run_with(args, environment, &config, Arc::new(SystemClock::new()), None)
}

/// Runs the bot on this configuration, in a demonstration with guests.
pub(super) fn run_with(
    args: &RunArgs,
    environment: &Environment,
    config: &Config,
    clock: Arc<dyn Clock>,
    guests: Option<Guests>,
) -> Result<(), AppError> {
    let database = environment.database.as_path();
    let lease = take_lease(database, clock.as_ref())?;
    if args.fresh {
        // Nothing is moved for a run that cannot begin: the feed is tried first, against an empty database.
        let (feed, desks) = prepare(args, config, None, &Saved::default(), clock.as_ref())?;
        drop((feed, desks));
        if let Some(aside) = set_aside(database, clock.now())? {
            say(&format!("the old database is kept as {}", aside.display()));
        }
    }
    if database.exists() {
        check_whole(database)?;
    }
    let store = Store::open(database)?;
    let reader = Reader::open(database)?;
    let saved = reader.saved()?;
    let (feed, desks) = prepare(args, config, Some(&reader), &saved, clock.as_ref())?;
    check_feed(&reader, &feed, database)?;
    store.keep_meta("feed", feed.identity.clone())?;
    store.keep_meta("feed_words", feed.words.clone())?;
    let was_dead = reader.lease()?.is_some_and(|lease| !lease.clean);
    if !args.no_console {
        // Whoever wants no chat here misses none.
        missing_services(environment).into_iter().for_each(feeds::note);
    }
    let telegram = messenger::telegram(environment, clock.clone())?;
    let channels = channels::open(config, environment, store.button_key()?, &clock)?;
    let run = Run {
        args,
        environment,
        config,
        store,
        clock,
        saved,
        reader,
        was_dead,
        network: network()?,
        telegram,
        channels,
        guests,
    };
    let result = run.go(feed, desks);
    drop(lease);
    result
}

/// Takes the right to run. A shell command that looks whether somebody runs holds it for a moment, so it is tried a few times.
pub(super) fn take_lease(database: &Path, clock: &dyn Clock) -> Result<Lease, AppError> {
    let mut taken = Lease::take(database);
    for _ in 0..LEASE_TRIES {
        if !matches!(taken, Err(LeaseError::Taken(_))) {
            break;
        }
        wait(LEASE_WAIT, clock, || false);
        taken = Lease::take(database);
    }
    Ok(taken?)
}

/// Books, each with where its list of symbols comes from.
pub(super) type Desks = Vec<(DeskSettings, &'static str)>;

/// Which symbols each book watches, and the feed of all of them.
pub(super) fn prepare(
    args: &RunArgs,
    config: &Config,
    reader: Option<&Reader>,
    saved: &Saved,
    clock: &dyn Clock,
) -> Result<(NamedFeed, Desks), AppError> {
    let replay = feeds::is_replay(args);
    let mut union: Vec<Instrument> = Vec::new();
    let mut lists = Vec::new();
    for book in &config.books {
        let watched = match (&args.symbols, &args.watchlist) {
            (Some(symbols), _) => universe::Watched { list: universe::named(symbols), source: "--symbols" },
            (None, Some(path)) => universe::Watched { list: universe::read_list(path)?, source: "--watchlist" },
            (None, None) => universe::of_book(book, reader, replay)?,
        };
        universe::check_currency(config, book, &watched.list)?;
        for item in &watched.list {
            if union.iter().all(|known| known.symbol != item.symbol) {
                union.push(item.clone());
            }
        }
        lists.push((book, watched));
    }
    if !union.is_empty() {
        let held = saved.books.iter().flat_map(|row| row.book.positions.iter().map(|held| held.symbol));
        let held = held.chain(saved.orders.iter().map(|order| order.symbol));
        union = universe::with_symbols(union, held);
    }
    let feed = feeds::build(args, union, config.timeframes(), clock)?;
    let mut desks = Vec::new();
    for (book, watched) in lists {
        let list = if watched.list.is_empty() { feed.feed.instruments().to_vec() } else { watched.list };
        universe::check_currency(config, book, &list)?;
        let symbols: Vec<Symbol> = list.iter().map(|item| item.symbol).collect();
        match universe::unwatched(book, &symbols) {
            // Of the symbols of this run alone nobody can tell which others the book may trade.
            Some(what) if args.symbols.is_some() || args.watchlist.is_some() => feeds::note(&what),
            Some(what) => return Err(AppError::usage(what)),
            None => {}
        }
        desks.push((DeskSettings { symbols, ..book.desk.clone() }, watched.source));
    }
    Ok((feed, desks))
}

/// A database belongs to one feed.
fn check_feed(reader: &Reader, feed: &NamedFeed, database: &Path) -> Result<(), AppError> {
    match reader.meta("feed")? {
        Some(known) if known != feed.identity => {
            let words = reader.meta("feed_words")?.unwrap_or(known);
            let what =
                format!("{} belongs to another feed: {words}; this run is on {}", database.display(), feed.words);
            Err(AppError::failed(what)
                .with_hint("set BELLWETHER_DB to another file, or begin anew with --fresh, which moves this one aside"))
        }
        _ => Ok(()),
    }
}

/// Threads of their own for everything that goes over a wire: a connection must be looked after while its lane waits for the store.
pub(super) fn network() -> Result<tokio::runtime::Runtime, AppError> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("network").enable_all().build();
    runtime.map_err(|error| AppError::failed(format!("no threads for the network: {error}")))
}

fn say(text: &str) {
    // Where nobody can read it, there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}

struct Run<'a> {
    args: &'a RunArgs,
    environment: &'a Environment,
    config: &'a Config,
    store: Store,
    clock: Arc<dyn Clock>,
    saved: Saved,
    reader: Reader,
    /// True if the last run was found dead.
    was_dead: bool,
    /// What reaches services, and is reached.
    network: tokio::runtime::Runtime,
    /// The bot on Telegram, if there is one.
    telegram: Option<Telegram>,
    /// The channels that need no pairing.
    channels: Vec<channels::Open>,
    /// Who else is there, in a demonstration.
    guests: Option<Guests>,
}

/// What the engine's thread leaves behind.
type EngineThread = JoinHandle<Result<Finished, RunnerError>>;

impl Run<'_> {
    fn go(self, feed: NamedFeed, desks: Desks) -> Result<(), AppError> {
        let instruments = feed.feed.instruments().to_vec();
        for (desk, source) in &desks {
            let list = instruments.iter().filter(|item| desk.symbols.contains(&item.symbol)).cloned().collect();
            self.store.keep_watchlist(desk.name, source, list)?;
        }
        let settings: Vec<DeskSettings> = desks.into_iter().map(|(desk, _)| desk).collect();
        let watch = Watch::new(self.environment.config.clone(), self.config.clone(), &settings);
        let mut engine = Engine::new(&instruments, settings).map_err(|error| AppError::usage(error.to_string()))?;
        let mut broker = PaperBroker::new(&instruments);
        let resumed = restore(&mut engine, &mut broker, &self.saved)?;
        let opening = self.opening(&feed, &resumed, instruments.len())?;
        let run = self.store.start_run(RunStart {
            mode: "paper".to_owned(),
            feed: feed.words.clone(),
            dry_run: self.args.dry_run,
            started: self.clock.now(),
            first_cycle: resumed.progress.cycle.next(),
        })?;
        self.store.sign_lease(run, self.clock.now())?;
        let routes = Routes::new(self.routes()?);
        self.store.keep_routes(&routes.now())?;
        self.store.retire_lanes(&routes.now(), self.clock.now())?;
        let alarm = alarm(self.store.clone(), self.clock.clone(), run, routes.clone());
        let (queue, messages) = channel();
        let desk = ChangeDesk::new(self.store.clone(), self.clock.clone(), PinCost::REAL);
        let chat = self.chat(&desk, &queue, alarm.clone());
        let terminal = (!self.args.no_console)
            .then(|| Terminal::new(chat.clone(), self.owner(), self.store.clone(), self.clock.clone()));
        let lanes = OpenLanes::default();
        let emergency = emergency(terminal.as_ref(), lanes.clone(), self.network.handle().clone());
        let mark = feed.mark;
        let options = RunnerOptions {
            run,
            started: self.clock.now(),
            dry_run: self.args.dry_run,
            pace: self.pace(),
            cycles_max: self.args.cycles,
            opening,
        };
        let (stretches, to_audit) = channel();
        let parts = RunnerParts {
            engine,
            broker,
            feed: feed.feed,
            store: self.store.clone(),
            clock: self.clock.clone(),
            routes: routes.clone(),
            desk,
            queue: messages,
            emergency,
            auditor: Some(stretches),
        };
        let runner = Runner::new(parts, &self.saved, options);
        let auditor = self.auditor(to_audit, run, routes.clone())?;
        let engine: EngineThread = spawn("engine", move || runner.run())?;
        // A demonstration has no file that could change.
        let reload = if self.guests.is_none() { Some(reload(watch, queue.clone())?) } else { None };
        let mut around = self.surround(terminal, &chat, queue, run, routes, (mark, alarm, lanes))?;
        around.helpers.extend(reload);
        self.wind_down(engine, auditor, around, run)
    }

    fn owner(&self) -> Person {
        let usual = || Person { name: OWNER.to_owned(), role: Role::Owner, zone: None, books: None };
        self.config.owner().cloned().unwrap_or_else(usual)
    }

    /// The lane of whoever sits at the terminal.
    fn terminal_lane(&self) -> Lane {
        let who = self.owner().name.parse().unwrap_or_else(|_| OWNER.parse::<Label>().expect("a name"));
        Lane { who, channel: ChannelKind::Terminal }
    }

    /// The lanes of channels that need no pairing.
    fn other_lanes(&self) -> Vec<Lane> {
        let guests = self.guests.iter().flat_map(Guests::lanes);
        let terminal = (!self.args.no_console).then(|| self.terminal_lane());
        terminal.into_iter().chain(self.channels.iter().map(|(lane, _)| *lane)).chain(guests).collect()
    }

    /// Who is told what.
    fn routes(&self) -> Result<RouteTable, AppError> {
        let mut lanes = self.other_lanes();
        if self.telegram.is_some() {
            let directory = Directory::look_up(self.config, &self.reader)?;
            lanes.extend(directory.lanes.iter().map(|(lane, _)| *lane));
        }
        Ok(route_table(self.config, &lanes))
    }

    fn chat(&self, desk: &ChangeDesk, queue: &Sender<EngineMessage>, alarm: Alarm) -> Chat {
        let wake = queue.clone();
        Chat::new(ChatParts {
            database: self.store.path().to_owned(),
            store: self.store.clone(),
            desk: desk.clone(),
            clock: self.clock.clone(),
            ask: talk::asker(queue.clone(), self.store.path().to_owned(), self.clock.clone()),
            wake: Arc::new(move || {
                // Where no engine runs any more there is nobody to wake.
                let _ = wake.send(EngineMessage::Look);
            }),
            alarm,
        })
    }

    /// What is told before the first cycle: that it starts, or that it was found dead.
    fn opening(
        &self,
        feed: &NamedFeed,
        resumed: &crate::engine::Resumed,
        symbols: usize,
    ) -> Result<Vec<EventKind>, AppError> {
        let unknown_deliveries = self.store.reclaim_unknown()?;
        let mut opening = Vec::new();
        let dead = self.reader.lease()?.filter(|lease| !lease.clean);
        if let (Some(lease), Some(_)) = (dead, self.saved.progress) {
            opening.push(EventKind::EngineRecovered {
                down_s: self.clock.now().since(lease.beat) / 1000,
                last_cycle: resumed.progress.cycle.0,
                positions: resumed.positions,
                orders: resumed.orders,
                unknown_deliveries,
            });
            return Ok(opening);
        }
        opening.push(EventKind::EngineStarted { feed: feed.words.clone(), symbols, dry_run: self.args.dry_run });
        Ok(opening)
    }

    /// Starts everything that runs beside the engine.
    fn surround(
        &self,
        terminal: Option<Terminal>,
        chat: &Chat,
        queue: Sender<EngineMessage>,
        run: RunId,
        routes: Routes,
        (mark, alarm, open): (&'static str, Alarm, OpenLanes),
    ) -> Result<Around, AppError> {
        let flags = Flags::default();
        let stopped = watch_signals(queue.clone())?;
        let over = terminal.as_ref().filter(|terminal| terminal.is_person).map(|terminal| terminal.over.clone());
        let switchboard = Switchboard {
            store: self.store.clone(),
            clock: self.clock.clone(),
            network: self.network.handle().clone(),
            mark,
            key: self.store.button_key()?,
            alarm,
            drain: flags.drain.clone(),
            give_up: flags.give_up.clone(),
            open,
        };
        if let Some(terminal) = &terminal {
            let policy = policy(self.config, self.terminal_lane(), self.zone());
            switchboard.connect(Arc::new(terminal.console.clone()), policy)?;
        }
        for (lane, channel) in &self.channels {
            switchboard.connect(channel.clone(), policy(self.config, *lane, self.zone()))?;
        }
        let stage = || Stage {
            store: self.store.clone(),
            routes: routes.clone(),
            chat: chat.clone(),
            queue: queue.clone(),
            run,
        };
        let guest = self.guests.as_ref().map(|guests| guests.welcome(&switchboard, stage())).transpose()?;
        let messenger = self.messenger(&switchboard, routes.clone());
        let messenger = if self.guests.is_none() {
            messenger.map(|messenger| messenger.start(chat)).transpose()?
        } else {
            messenger.map(|messenger| messenger.refresh()).transpose()?;
            None
        };
        let keyboard = match terminal {
            None => None,
            Some(terminal) => {
                let (queue, store) = (queue.clone(), self.store.clone());
                let (ended, stopped) = (flags.ended.clone(), stopped.clone());
                Some(spawn("terminal", move || {
                    // Nothing can be answered before the first facts are committed, or after there can be none.
                    while !ended.load(Ordering::SeqCst) && store.wait_for_facts(0, LAST_WORDS / 20) == 0 {}
                    terminal.run(&queue, &stopped);
                })?)
            }
        };
        let digests = self.digests(&routes, mark)?;
        let night = self.night(run, routes)?;
        let inbox = self.inbox(chat, queue)?;
        let watch = self.watch(&switchboard, messenger.as_ref())?;
        let helpers = [night, inbox, watch, digests].into_iter().chain(guest).collect();
        Ok(Around { flags, stopped, over, switchboard, messenger, keyboard, helpers })
    }

    /// How fast it runs.
    fn pace(&self) -> Pace {
        self.args.speed.unwrap_or(if feeds::is_replay(self.args) { Pace::Max } else { Pace::Times(60) })
    }

    fn messenger(&self, switchboard: &Switchboard, routes: Routes) -> Option<Messenger> {
        Some(Messenger {
            telegram: self.telegram.clone()?,
            config: self.config.clone(),
            routes,
            switchboard: switchboard.clone(),
            shared: Shared::new(Seats::default()),
            others: self.other_lanes(),
            zone: self.zone(),
            open: Arc::default(),
        })
    }

    /// The first book's zone.
    fn zone(&self) -> chrono_tz::Tz {
        self.config.books.first().map_or(chrono_tz::Tz::UTC, |book| book.desk.zone)
    }

    /// Waits for the engine, then ends everything else in order.
    fn wind_down(
        &self,
        engine: EngineThread,
        auditor: JoinHandle<()>,
        around: Around,
        run: RunId,
    ) -> Result<(), AppError> {
        watch_progress(&engine, self.args.no_console && self.guests.is_none(), self.store.path(), self.clock.as_ref());
        let finished = engine.join().unwrap_or_else(|_| Err(RunnerError::Store(crate::store::StoreError::Closed)));
        if auditor.join().is_err() {
            tracing::error!("the auditor broke");
        }
        around.end(&self.store, self.clock.as_ref(), finished.is_err());
        if let Err(RunnerError::Restore(_) | RunnerError::Cycle(_)) = &finished {
            // It never ran: the next start must not take it for dead, nor forget that the one before was.
            if let Err(error) = self.store.end_run(run, self.clock.now(), "refused", !self.was_dead) {
                tracing::warn!(%error, "the refused run could not be noted");
            }
        }
        if let Err(error) = self.store.fold() {
            tracing::debug!(%error, "the log was not folded into the database");
        }
        tell_left(&self.reader, self.terminal_lane(), self.clock.as_ref());
        tell_end(&finished?, self.args);
        Ok(())
    }

    fn auditor(&self, stretches: Receiver<Stretch>, run: RunId, routes: Routes) -> Result<JoinHandle<()>, AppError> {
        let (store, clock) = (self.store.clone(), self.clock.clone());
        spawn("auditor", move || auditor::serve(&stretches, &store, &clock, run, &routes))
    }

    fn digests(&self, routes: &Routes, mark: &'static str) -> Result<Helper, AppError> {
        let (stop, stopped) = channel();
        let digests = Digests {
            store: self.store.clone(),
            clock: self.clock.clone(),
            config: self.config.clone(),
            routes: routes.clone(),
            zone: self.zone(),
            mark,
        };
        Ok((stop, spawn("digests", move || digests.watch(&stopped))?))
    }

    fn night(&self, run: RunId, routes: Routes) -> Result<Helper, AppError> {
        let (stop, stopped) = channel();
        let night = Night {
            store: self.store.clone(),
            clock: self.clock.clone(),
            zone: self.zone(),
            routes,
            run,
            keep: self.config.backups_keep,
            steps_days: self.config.steps_days,
        };
        Ok((stop, spawn("night", move || night.watch(&stopped))?))
    }

    /// The watch over all parts, and the port that monitors ask on. What only a channel can see comes as a further probe.
    fn watch(&self, switchboard: &Switchboard, messenger: Option<&messenger::Running>) -> Result<Helper, AppError> {
        let network = self.network.handle();
        let mut probes = vec![Probe::disk(self.store.path())];
        probes.extend(messenger.map(|messenger| {
            let (polled, clock) = (messenger.polled_ms.clone(), self.clock.clone());
            // Zero stands for never.
            let last = move || u64::try_from(polled.load(Ordering::SeqCst)).ok().filter(|ms| *ms > 0);
            Probe::telegram(move || Some(clock.steady().saturating_sub(Duration::from_millis(last()?))))
        }));
        let server = self.environment.http_listen.and_then(|listen| {
            let parts = Parts { database: self.store.path().to_owned(), clock: self.clock.clone() };
            let (server, probe) = monitor::open(listen, self.environment.http_token.as_ref(), parts, network);
            probes.push(probe);
            server
        });
        let heartbeat = self.environment.heartbeat_url.as_ref();
        let heartbeat =
            heartbeat.map(|url| Heartbeat::new(url.clone(), self.environment.ca_file.as_deref())).transpose();
        let parts = WatchParts {
            store: self.store.clone(),
            clock: self.clock.clone(),
            network: network.clone(),
            alarm: switchboard.alarm.clone(),
            pace: self.pace(),
            probes,
            heartbeat: heartbeat.map_err(|error| AppError::usage(format!("HEARTBEAT_URL: {error}")))?,
        };
        watch::start(parts, server)
    }

    fn inbox(&self, chat: &Chat, queue: Sender<EngineMessage>) -> Result<Helper, AppError> {
        let (stop, stopped) = channel();
        let (chat, people) = (chat.clone(), self.config.persons().cloned().collect::<Vec<_>>());
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let serve = move || talk::serve_inbox(&chat, &people, &store, clock.as_ref(), &queue, &stopped);
        Ok((stop, spawn("inbox", serve)?))
    }
}

/// Looks after the configuration.
fn reload(watch: Watch, queue: Sender<EngineMessage>) -> Result<Helper, AppError> {
    let (stop, stopped) = channel();
    Ok((stop, spawn("reload", move || watch.run(&queue, &stopped))?))
}

/// The way past a broken store: straight to the terminal, or to standard error where there is none, and to every other way that is open.
fn emergency(terminal: Option<&Terminal>, lanes: OpenLanes, network: tokio::runtime::Handle) -> Emergency {
    let console = terminal.map(|terminal| terminal.console.clone());
    Box::new(move |text| {
        if console.as_ref().is_none_or(|console| console.urgent(text).is_err()) {
            say(text);
        }
        lanes.urgent(text, &network);
    })
}

/// Shows how far a run without a terminal has come, once it takes longer than two seconds; waits until the engine has ended.
fn watch_progress(engine: &EngineThread, no_console: bool, database: &Path, clock: &dyn Clock) {
    if !no_console {
        return;
    }
    let line = feeds::spinner();
    wait(PROGRESS_AFTER, clock, || engine.is_finished());
    while !engine.is_finished() {
        let progress = Reader::open(database).and_then(|reader| reader.progress()).ok().flatten();
        if let Some(progress) = progress {
            line.set_message(format!("cycle {} · market time {}", progress.cycle.0, progress.market));
            line.tick();
        }
        wait(PROGRESS_STEP, clock, || engine.is_finished());
    }
    line.finish_and_clear();
}

/// Says how many messages nobody took; the next start tells them.
fn tell_left(reader: &Reader, terminal: Lane, clock: &dyn Clock) {
    let left = reader.open_deliveries(terminal, clock.now()).unwrap_or(0);
    if left > 0 {
        let left = crate::domain::format::counted(left, "message");
        say(&format!("{left} could not be shown here and wait for the next start with a terminal"));
    }
}

fn tell_end(finished: &Finished, args: &RunArgs) {
    if finished.cycles == 0 && finished.data_ended {
        say(&format!(
            "this replay is finished: its last cycle was {}; nothing new to trade on. Ask about it with \"bellwether command /trades\", or begin anew with --fresh",
            finished.last_cycle.0
        ));
    } else if args.no_console {
        say(&format!("{} cycles, equity {:.2}", finished.cycles, finished.equity));
    }
}
