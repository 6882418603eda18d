//! How does a run go? Checks first, then every part in order, then the engine on a thread of its own, then everything back in order.

use std::io::Write;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::channels::{Discord, Telegram};
use crate::chat::{Person, Role};
use crate::cli::{ModeArg, RunArgs};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Environment, load, missing_services};
use crate::control::{ChangeDesk, PinCost};
use crate::domain::{CycleId, EventKind, Instrument, Lane, Routes, RunId, Style, Symbol};
use crate::engine::{DeskSettings, Engine, Finished, Pace, Runner, RunnerError, RunnerOptions, RunnerParts, restore};
use crate::execution::PaperBroker;
use crate::store::{Lease, LeaseError, Reader, RunStart, Saved, Store, check_whole, set_aside};

use super::around::{Around, spawn, wait};
use super::beside::emergency;
use super::discord_house;
use super::feeds::{self, NamedFeed};
use super::guests::Guests;
use super::messenger::{self};
use super::phones::Phones;
use super::reload::Watch;
use super::revoke::roll;
use super::switchboard::{OpenLanes, alarm};
use super::talk::Terminal;
use super::{AppError, backtest, channels, drill, universe};

/// Who there is where nobody is configured.
pub(super) const OWNER: &str = "owner";
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
    let discord = discord_house::discord(environment, &clock)?;
    let mut channels = channels::open(config, environment, &store, &clock)?;
    let phones = Phones::open(config, environment, &store, &clock)?;
    let hears = phones.as_ref().is_some_and(|phones| phones.signed.is_some());
    store.keep_meta(drill::HEARS, hears.to_string())?;
    channels.extend(phones.iter().flat_map(Phones::lanes));
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
        discord,
        channels,
        phones,
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
        union = universe::with_symbols(union, universe::watched_in_chat(args, &saved.changes).into_iter());
    }
    let mut timeframes = config.timeframes();
    timeframes.extend(universe::timeframes_in_chat(&saved.changes));
    timeframes.sort_unstable();
    timeframes.dedup();
    let feed = feeds::build(args, union, timeframes, clock)?;
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

/// Says it on standard error.
pub(super) fn say(text: &str) {
    // Where nobody can read it, there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A run, and what it is made of.
pub(super) struct Run<'a> {
    pub(super) args: &'a RunArgs,
    pub(super) environment: &'a Environment,
    pub(super) config: &'a Config,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) saved: Saved,
    pub(super) reader: Reader,
    /// True if the last run was found dead.
    pub(super) was_dead: bool,
    /// What reaches services, and is reached.
    pub(super) network: tokio::runtime::Runtime,
    /// The bot on Telegram, if there is one.
    pub(super) telegram: Option<Telegram>,
    /// The bot on Discord, if there is one.
    pub(super) discord: Option<Discord>,
    /// The channels that need no pairing.
    pub(super) channels: Vec<channels::Open>,
    /// The phones that are written to, if there is an account to write from.
    pub(super) phones: Option<Phones>,
    /// Who else is there, in a demonstration.
    pub(super) guests: Option<Guests>,
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
        engine.file = Some(watch.reader());
        let mut broker = PaperBroker::new(&instruments);
        let resumed = restore(&mut engine, &mut broker, &self.saved)?;
        let opening = self.opening(&feed, &resumed, instruments.len())?;
        let run = self.begin(&feed, resumed.progress.cycle.next())?;
        let routes = Routes::new(self.routes()?);
        self.store.keep_routes(&routes.now())?;
        self.forget_who_is_gone()?;
        let alarm = alarm(self.store.clone(), self.clock.clone(), run, routes.clone());
        let (queue, messages) = channel();
        let people = Arc::new(Mutex::new(self.config.clone()));
        let desk = ChangeDesk::new(self.store.clone(), self.clock.clone(), PinCost::REAL)
            .ruled_by(self.config.control.clone())
            .knowing(roll(people.clone()))
            .telling(run, routes.clone());
        let chat = self.chat(&desk, &queue, (run, routes.clone()));
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
        let mut around = self.surround(terminal, &chat, queue.clone(), run, routes, (mark, alarm, lanes, people))?;
        self.look_after_file(watch, queue, &mut around)?;
        self.wind_down(engine, auditor, around, run)
    }

    /// Notes that it begins, and that it is this process that runs.
    fn begin(&self, feed: &NamedFeed, first_cycle: CycleId) -> Result<RunId, AppError> {
        let run = self.store.start_run(RunStart {
            mode: "paper".to_owned(),
            feed: feed.words.clone(),
            dry_run: self.args.dry_run,
            started: self.clock.now(),
            first_cycle,
        })?;
        self.store.sign_lease(run, self.clock.now())?;
        Ok(run)
    }

    pub(super) fn owner(&self) -> Person {
        let usual =
            || Person { name: OWNER.to_owned(), role: Role::Owner, zone: None, books: None, style: Style::default() };
        self.config.owner().cloned().unwrap_or_else(usual)
    }

    /// What is told before the first cycle: that it starts, or that it was found dead.
    fn opening(
        &self,
        feed: &NamedFeed,
        resumed: &crate::engine::Resumed,
        symbols: usize,
    ) -> Result<Vec<EventKind>, AppError> {
        let unknown_deliveries = self.store.reclaim_unknown(self.clock.now())?;
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

    /// How fast it runs.
    pub(super) fn pace(&self) -> Pace {
        self.args.speed.unwrap_or(if feeds::is_replay(self.args) { Pace::Max } else { Pace::Times(60) })
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
