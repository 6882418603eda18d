//! How fast is it, and how much memory does it take? Each figure is measured five times; the table shows the median.
//!
//! `cargo bench` measures all of them, `cargo bench -- replay` those whose name contains a word. A target that is
//! missed is told with its likely cause; it does not fail the run. docs/PERFORMANCE.md says what each figure means.

use std::fmt::Write as _;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bellwether::clock::{Clock, SystemClock, Timestamp};
use bellwether::config::BookConfig;
use bellwether::control::{ChangeDesk, PinCost};
use bellwether::domain::{
    Bar, CycleId, EventKind, Instrument, MarketSnapshot, Mode, Money, NoticeId, Ratio, RunContext, RunId, Severity,
    Timeframe, TradingState,
};
use bellwether::engine::{
    DeskSettings, Engine, Outcome, Pace, Runner, RunnerOptions, RunnerParts, StrategySettings, cycle,
};
use bellwether::execution::PaperBroker;
use bellwether::indicators::{Atr, Bollinger, COLUMNS, Ema, Indicator, Macd, Rsi, Sma};
use bellwether::market::{Feed, SimulatedFeed, parse_watchlist};
use bellwether::notify::{Channel, Notice, Policy, SendError, Worker};
use bellwether::risk::Sizing;
use bellwether::store::{LaneSpec, Reader, RunStart, Saved, Store};
use bellwether::strategy::{STRATEGIES, Values};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tempfile::TempDir;

/// The program under test, built with the release profile.
const PROGRAM: &str = env!("CARGO_BIN_EXE_bellwether");
/// Where files are made: on the project's own disk, since commits are as slow as the disk they go to.
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");
/// How often each figure is measured.
const REPETITIONS: usize = 5;
/// Symbols of the figures that say so.
const SYMBOLS: usize = 250;
/// Bars shown before anything is measured.
const WARM_UP_BARS: usize = 500;
/// Cycles over which a cycle's time is averaged; fewer than one session has minutes.
const CYCLES: usize = 300;
/// Bars whose messages are timed.
const PACED_BARS: usize = 90;
/// The least time between two of them.
const PACED_MS: f64 = 40.0;
/// That time in fsyncs, where the disk is slow: bars come once a minute, so no message waits for those of the bar before.
const PACED_FSYNCS: f64 = 30.0;
/// Bars of the long replay.
const REPLAY_BARS: usize = 1_000_000;
/// Its settings: costs eat up a fifth of the capital at some time, which would halt trading for the rest of the bars.
const REPLAY_CONFIG: &str = "[[books]]\nname = \"main\"\nlimits = { drawdown_pct = 100 }\n";
/// How long after its first message a program counts as being at rest.
const REST: Duration = Duration::from_millis(500);
/// The lane of the terminal.
const LANE: &str = "terminal:owner";

/// One figure.
struct Figure {
    /// What it is called on the command line.
    name: &'static str,
    /// What it is.
    what: &'static str,
    /// The unit of the target.
    unit: &'static str,
    /// The most it should be.
    target: fn(&Ground) -> f64,
    /// Measures it once; none where this machine cannot.
    once: fn(&Ground) -> Option<Sample>,
    /// Why it is missed, as far as known.
    cause: &'static str,
}

/// One measurement.
struct Sample {
    /// What is compared with the target.
    value: f64,
    /// What else was seen.
    aside: String,
}

/// All figures, in the order of the table.
const FIGURES: &[Figure] = &[
    Figure {
        name: "start",
        what: "start to first cycle, built-in market, whole process",
        unit: "s",
        target: |_| 0.3,
        once: |ground| Some(start(ground)),
        cause: "the commits before the first cycle wait for the disk, some twenty times",
    },
    Figure {
        name: "memory",
        what: "memory at rest, 250 symbols, 500 bars of warm-up each",
        unit: "MiB",
        target: |_| 40.0,
        once: memory,
        cause: "not known",
    },
    Figure {
        name: "decide",
        what: "one cycle over 250 symbols, all strategies and indicators, decide only",
        unit: "ms",
        target: |_| 1.0,
        once: |ground| Some(decide(ground)),
        cause: "not known",
    },
    Figure {
        name: "indicators",
        what: "one bar into SMA20, EMA20, RSI14, MACD, ATR14 and Bollinger20 together",
        unit: "ns",
        target: |_| 25.0,
        once: |ground| Some(indicators(ground)),
        cause: "a slow or busy processor; nothing here waits for anything else",
    },
    Figure {
        name: "commit",
        what: "the same with its durable commit",
        unit: "ms",
        target: |ground| 15f64.max(2.0 * ground.fsync_ms),
        once: |ground| Some(commit(ground)),
        cause: "a disk that was busier during the cycles than while its fsync was measured",
    },
    Figure {
        name: "message",
        what: "bar closes to message in the terminal channel, 250 symbols, p99",
        unit: "ms",
        target: |_| 100.0,
        once: |ground| Some(message(ground)),
        cause: "each message is a commit of its own, and those of one bar wait for each other",
    },
    Figure {
        name: "replay",
        what: "replay of 1,000,000 one-minute bars at full speed, whole process",
        unit: "s",
        target: |_| 1.5,
        once: |ground| Some(replay(ground)),
        cause: "every 1,000 bars wait for an fsync, and the two threads wait for each other in the allocator",
    },
];

/// What the measurements stand on; made once.
struct Ground {
    folder: TempDir,
    clock: Arc<SystemClock>,
    instruments: Vec<Instrument>,
    snapshots: Arc<Vec<MarketSnapshot>>,
    watchlist: PathBuf,
    prices: PathBuf,
    fsync_ms: f64,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--bench") {
        return say("nothing measured: \"cargo bench\" does that");
    }
    let wanted = |figure: &&Figure| {
        let mut filters = words.iter().filter(|word| !word.starts_with('-')).peekable();
        filters.peek().is_none() || filters.any(|word| figure.name.contains(word.as_str()))
    };
    let ground = Ground::new();
    let (mut table, mut notes) = (String::new(), String::new());
    row(&mut table, ["figure", "median of 5", "lowest to highest", "target", "met"]);
    row(&mut table, [&"-".repeat(72), &"-".repeat(14), &"-".repeat(20), &"-".repeat(12), "---"]);
    for figure in FIGURES.iter().filter(wanted) {
        measure(figure, &ground, &mut table, &mut notes);
    }
    say(&format!("\n{table}\n{notes}fsync of 8 KiB on this disk: {:.2} ms (median of 50)", ground.fsync_ms));
    say("fresh clone to first cycle is not measured here; this does (target 4 min):");
    say("  git clone . ../fresh && cd ../fresh && time cargo run --release -- run --cycles 1 --speed max < /dev/null");
}

/// Measures one figure and adds its row, and below the table what else there is to say.
fn measure(figure: &Figure, ground: &Ground, table: &mut String, notes: &mut String) {
    let (unit, target) = (figure.unit, (figure.target)(ground));
    let mut samples: Vec<Sample> = (0..REPETITIONS).filter_map(|_| (figure.once)(ground)).collect();
    let limit = format!("{} {unit}", (target * 100.0).round() / 100.0);
    if samples.len() < REPETITIONS {
        return row(table, [figure.what, "-", "-", &limit, "not measured here"]);
    }
    samples.sort_by(|a, b| a.value.total_cmp(&b.value));
    let (low, median, high) = (&samples[0], &samples[REPETITIONS / 2], &samples[REPETITIONS - 1]);
    let met = median.value <= target;
    let shown = format!("{:.3} {unit}", median.value);
    let spread = format!("{:.3} to {:.3}", low.value, high.value);
    row(table, [figure.what, &shown, &spread, &limit, if met { "yes" } else { "NO" }]);
    if !median.aside.is_empty() {
        let _ = writeln!(notes, "{}: {}", figure.name, median.aside);
    }
    if !met {
        let _ = writeln!(notes, "{} missed its target; likely cause: {}", figure.name, figure.cause);
    }
}

fn row(table: &mut String, cells: [&str; 5]) {
    let [what, median, spread, target, met] = cells;
    let _ = writeln!(table, "| {what:<72} | {median:<14} | {spread:<20} | {target:<12} | {met:<3} |");
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(text: &str) {
    println!("{text}");
}

impl Ground {
    fn new() -> Self {
        let folder = temporary(Path::new(FOLDER));
        let sectors = ["Technology", "Financials", "Energy", "Health Care", "Industrials"];
        let mut text = "symbol,name,asset_class,sector\n".to_owned();
        for number in 0..SYMBOLS {
            let _ = writeln!(text, "S{number:03},Share {number},us_equity,{}", sectors[number % sectors.len()]);
        }
        let watchlist = folder.path().join("watchlist.csv");
        std::fs::write(&watchlist, &text).expect("the list can be written");
        let instruments = parse_watchlist(text.as_bytes()).expect("the list is sound");
        let prices = folder.path().join("BTC-USD.1m.csv");
        write_prices(&prices);
        let clock = Arc::new(SystemClock::new());
        let fsync_ms = fsync_ms(folder.path(), &clock);
        let snapshots = Arc::new(snapshots(&instruments));
        Self { folder, clock, instruments, snapshots, watchlist, prices, fsync_ms }
    }

    /// The program in a fresh folder, with nothing set in its environment.
    fn program(&self, arguments: &[&str]) -> (TempDir, Command) {
        let folder = temporary(self.folder.path());
        let mut command = Command::new(PROGRAM);
        for name in ["BELLWETHER_CONFIG", "BELLWETHER_DB", "BELLWETHER_LOG"] {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        (folder, command)
    }

    /// A book with every strategy there is, watching all symbols. It may trade much more than usual: under the usual
    /// limits at most ten symbols are held, and there are too few messages for a percentile.
    fn book(&self) -> DeskSettings {
        let usual = BookConfig::usual().desk;
        let mut limits = usual.limits;
        for (key, value) in [("positions_max", 1_000), ("trades_per_day", 10_000), ("fraction_pct", 1)] {
            limits.set(key, Ratio::whole(value)).expect("in range");
        }
        let strategies = STRATEGIES.iter().map(|kind| {
            let values = Values::check(kind.name, kind.params, &[]).expect("defaults are in range");
            StrategySettings::new(kind.name.parse().expect("a name"), kind, values)
        });
        let symbols = self.instruments.iter().map(|item| item.symbol).collect();
        let (capital, sizing, strategies) = (Money::whole(1_000_000), Sizing::Fraction, strategies.collect());
        DeskSettings { capital, limits, sizing, symbols, strategies, ..usual }
    }

    fn engine(&self) -> Engine {
        Engine::new(&self.instruments, vec![self.book()]).expect("defaults are in range")
    }
}

fn temporary(parent: &Path) -> TempDir {
    tempfile::tempdir_in(parent).expect("a temporary folder can be made")
}

/// A million minutes of a coin, the same each time.
fn write_prices(path: &Path) {
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let mut below = move |limit: u64| (chance.next_u64() % limit) as i64;
    let mut file = BufWriter::new(File::create(path).expect("the prices can be written"));
    writeln!(file, "timestamp,open,high,low,close,volume").expect("writes");
    let cents = |value: i64| format!("{}.{:02}", value / 100, value % 100);
    // 2020-01-01T00:00:00Z, in minutes and in cents.
    let (first, mut close) = (26_297_280, 1_000_000_i64);
    for minute in first..first + REPLAY_BARS as i64 {
        let open = close;
        let step = below(401) - 200 + (1_000_000 - close) / 20_000;
        close = (open + open * step / 200_000).max(100);
        let (high, low) = (open.max(close) + below(300), open.min(close) - below(50));
        let at = Timestamp::from_ms(minute * 60_000);
        let (open, high, low, close) = (cents(open), cents(high), cents(low), cents(close));
        writeln!(file, "{at},{open},{high},{low},{close},{}.{:04}", below(90) + 10, below(10_000)).expect("writes");
    }
    // On the disk now, so that it is not written while something else is measured.
    file.into_inner().expect("writes").sync_all().expect("the disk takes it");
}

/// How long the disk takes for a small durable write, in milliseconds; the median of 50.
fn fsync_ms(folder: &Path, clock: &SystemClock) -> f64 {
    let mut file = File::create(folder.join("fsync")).expect("a file can be made");
    let mut once = || {
        let begun = clock.steady();
        file.write_all(&[1; 8192]).and_then(|()| file.sync_all()).expect("the disk takes it");
        millis(begun, clock.steady())
    };
    let mut times: Vec<f64> = (0..50).map(|_| once()).collect();
    times.sort_by(f64::total_cmp);
    times[25]
}

/// From one instant of the steady clock to a later one.
fn seconds(from: Duration, to: Duration) -> f64 {
    to.saturating_sub(from).as_secs_f64()
}

/// The same in milliseconds.
fn millis(from: Duration, to: Duration) -> f64 {
    seconds(from, to) * 1e3
}

/// The simulated market's history, and the cycles after it.
fn snapshots(instruments: &[Instrument]) -> Vec<MarketSnapshot> {
    let start = SimulatedFeed::history_start(Timeframe::M1, WARM_UP_BARS, instruments);
    let mut feed = SimulatedFeed::new(1, Timeframe::M1, instruments.to_vec(), start);
    let mut list: Vec<MarketSnapshot> = Vec::new();
    let after = |list: &[MarketSnapshot]| list.iter().filter(|seen| seen.at > SimulatedFeed::START).count();
    while after(&list) < CYCLES {
        let mut snapshot = MarketSnapshot::default();
        feed.next_into(&mut snapshot);
        list.push(snapshot);
    }
    list
}

// Figures that run the program.

fn start(ground: &Ground) -> Sample {
    let (_folder, mut command) = ground.program(&["run", "--cycles", "1", "--speed", "max"]);
    let begun = ground.clock.steady();
    assert!(command.status().expect("it starts").success());
    Sample { value: seconds(begun, ground.clock.steady()), aside: String::new() }
}

fn memory(ground: &Ground) -> Option<Sample> {
    let list = ground.watchlist.to_str().expect("a plain path");
    let (_folder, mut command) = ground.program(&["run", "--watchlist", list, "--speed", "real"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped"));
    let mut first = String::new();
    lines.read_line(&mut first).expect("it says something");
    assert!(first.contains("250 symbols"), "{first}");
    pause(REST);
    let (now, peak) = (kibibytes(&child, "VmRSS"), kibibytes(&child, "VmHWM"));
    child.kill().and_then(|()| child.wait()).expect("it can be ended");
    let aside = format!("highest since its start {:.1} MiB", peak? / 1024.0);
    Some(Sample { value: now? / 1024.0, aside })
}

/// A line of what the system says about a process; none where the system says nothing, or the process has ended.
fn kibibytes(child: &Child, key: &str) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().ok()
}

fn pause(time: Duration) {
    let (_keep, nothing) = channel::<()>();
    assert_eq!(nothing.recv_timeout(time), Err(RecvTimeoutError::Timeout));
}

fn replay(ground: &Ground) -> Sample {
    let path = ground.prices.to_str().expect("a plain path");
    let arguments = ["run", "--feed", "replay", "--data", path, "--speed", "max", "--no-console"];
    let (folder, mut command) = ground.program(&arguments);
    std::fs::write(folder.path().join("bellwether.toml"), REPLAY_CONFIG).expect("the settings can be written");
    let begun = ground.clock.steady();
    let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
    let mut said = BufReader::new(child.stderr.take().expect("piped"));
    let ended = AtomicBool::new(false);
    let (value, text, peak) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = None;
            while !ended.load(Ordering::SeqCst) {
                peak = kibibytes(&child, "VmHWM").or(peak);
                pause(Duration::from_millis(20));
            }
            peak
        });
        let mut text = String::new();
        // Its standard error closes when it ends.
        std::io::Read::read_to_string(&mut said, &mut text).expect("it says something");
        let value = seconds(begun, ground.clock.steady());
        ended.store(true, Ordering::SeqCst);
        (value, text, watch.join().expect("watches"))
    });
    assert!(child.wait().expect("it ends").success() && text.contains("1000000 cycles"), "{text}");
    let trades = trades_to_the_end(&folder.path().join("bellwether.db"));
    let peak = peak.map_or("not known here".to_owned(), |peak: f64| format!("{:.0} MiB", peak / 1024.0));
    Sample { value, aside: format!("{trades} trades; highest memory {peak}, looked at every 20 ms") }
}

/// How many trades a run made that was never halted.
fn trades_to_the_end(database: &Path) -> u64 {
    let reader = Reader::open(database).expect("the database can be read");
    let books = reader.books().expect("the books can be read");
    assert!(books.iter().all(|row| row.state == TradingState::Running));
    reader.trades(1).expect("the trades can be read").1
}

// Figures that call the library.

fn decide(ground: &Ground) -> Sample {
    let (mut engine, mut broker) = (ground.engine(), PaperBroker::new(&ground.instruments));
    let mut columns: Vec<Vec<_>> =
        ground.instruments.iter().map(|_| COLUMNS.iter().map(|column| (column.build)()).collect()).collect();
    let (mut deciding_ms, mut columns_ms, mut events) = (0.0, 0.0, 0);
    for (snapshot, number) in ground.snapshots.iter().zip(1..) {
        let context = RunContext {
            run: RunId(1),
            mode: Mode::Paper,
            started: Timestamp::from_ms(0),
            cycle: CycleId(number),
            now: snapshot.at,
            cost_budget: Money::ZERO,
            dry_run: false,
        };
        let mut out = Outcome::default();
        let begun = ground.clock.steady();
        cycle(&mut engine, &mut broker, snapshot, &context, &mut out).expect("nothing breaks");
        let decided = ground.clock.steady();
        for seen in &snapshot.bars {
            for column in &mut columns[seen.instrument] {
                black_box(column.update(&seen.bar));
            }
        }
        if snapshot.at > SimulatedFeed::START {
            deciding_ms += millis(begun, decided);
            columns_ms += millis(decided, ground.clock.steady());
            events += out.events.len();
        }
    }
    let aside = format!(
        "of it {:.3} ms for every column of \"bellwether indicators\"; {events} events in {CYCLES} cycles",
        columns_ms / CYCLES as f64
    );
    Sample { value: (deciding_ms + columns_ms) / CYCLES as f64, aside }
}

/// The best of twenty rounds: whatever else runs on the machine can only make one slower.
fn indicators(ground: &Ground) -> Sample {
    let bars: Vec<Bar> = ground
        .snapshots
        .iter()
        .flat_map(|seen| &seen.bars)
        .filter(|seen| seen.instrument == 0)
        .map(|seen| seen.bar)
        .collect();
    let (mut sma, mut ema, mut rsi) = (Sma::new(20), Ema::new(20), Rsi::new(14));
    let (mut macd, mut atr, mut bollinger) = (Macd::new(12, 26, 9), Atr::new(14), Bollinger::new(20, 2.0));
    let passes = 100;
    let mut round = || {
        let begun = ground.clock.steady();
        for bar in (0..passes).flat_map(|_| &bars) {
            let bar = black_box(bar);
            black_box((sma.update(bar), ema.update(bar), rsi.update(bar), atr.update(bar)));
            macd.update(bar);
            bollinger.update(bar);
            black_box((macd.value(), bollinger.bands()));
        }
        seconds(begun, ground.clock.steady()) * 1e9 / (passes * bars.len()) as f64
    };
    let value = (0..20).map(|_| round()).fold(f64::INFINITY, f64::min);
    Sample { value, aside: format!("best of 20 rounds of {} updates", passes * bars.len()) }
}

/// What the runner asked of its feed and got, on the steady clock.
struct Handed {
    at: Timestamp,
    asked: Duration,
    given: Duration,
}

/// Prepared bars, handed out not faster than one in `spacing`; notes when.
struct PreparedFeed {
    instruments: Vec<Instrument>,
    snapshots: Arc<Vec<MarketSnapshot>>,
    next: usize,
    last: usize,
    spacing: Duration,
    clock: Arc<SystemClock>,
    handed: Arc<Mutex<Vec<Handed>>>,
}

impl Feed for PreparedFeed {
    fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool {
        let asked = self.clock.steady();
        let next = self.snapshots.get(self.next).filter(|_| self.next < self.last);
        self.next += 1;
        if let Some(next) = next {
            snapshot.clone_from(next);
        }
        let at = next.map_or(Timestamp::from_ms(i64::MAX), |next| next.at);
        if at > SimulatedFeed::START {
            pause(self.spacing);
            let given = self.clock.steady();
            self.handed.lock().unwrap_or_else(PoisonError::into_inner).push(Handed { at, asked, given });
        }
        next.is_some()
    }

    fn history_until(&self) -> Timestamp {
        SimulatedFeed::START
    }
}

/// Runs the runner on a database of its own over the first `bars` bars after the history; what its feed noted.
fn run(ground: &Ground, store: &Store, bars: usize, spacing: Duration) -> Vec<Handed> {
    let clock: Arc<dyn Clock> = ground.clock.clone();
    let handed = Arc::new(Mutex::new(Vec::new()));
    let feed = PreparedFeed {
        instruments: ground.instruments.clone(),
        snapshots: ground.snapshots.clone(),
        next: 0,
        last: ground.snapshots.len() - CYCLES + bars,
        spacing,
        clock: ground.clock.clone(),
        handed: handed.clone(),
    };
    let started = RunStart {
        mode: "paper".to_owned(),
        feed: "bench".to_owned(),
        dry_run: false,
        started: clock.now(),
        first_cycle: CycleId(1),
    };
    let run = store.start_run(started).expect("the run can be noted");
    let (_keep, queue) = channel();
    let parts = RunnerParts {
        engine: ground.engine(),
        broker: PaperBroker::new(&ground.instruments),
        feed: Box::new(feed),
        store: store.clone(),
        clock: clock.clone(),
        lanes: vec![LaneSpec { name: LANE.to_owned(), min: Severity::Notice }],
        desk: ChangeDesk::new(store.clone(), clock.clone(), PinCost::LEAST),
        queue,
        emergency: Box::new(|text| panic!("{text}")),
        auditor: None,
    };
    // At this pace a minute of the market is no wait, and every cycle is a commit of its own all the same.
    let pace = Pace::Times(1_000_000);
    let opening = vec![EventKind::EngineStarted { feed: "bench".to_owned(), symbols: SYMBOLS, dry_run: false }];
    let options = RunnerOptions { run, started: clock.now(), dry_run: false, pace, cycles_max: None, opening };
    let finished = Runner::new(parts, &Saved::default(), options).run().expect("it runs");
    assert_eq!(finished.cycles, bars as u64);
    std::mem::take(&mut *handed.lock().unwrap_or_else(PoisonError::into_inner))
}

fn commit(ground: &Ground) -> Sample {
    let folder = temporary(ground.folder.path());
    let store = Store::open(&folder.path().join("bench.db")).expect("the store opens");
    let handed = run(ground, &store, CYCLES, Duration::ZERO);
    store.close();
    // Before the first cycle the opening is committed, so it does not count.
    let mut times: Vec<f64> = handed.windows(2).skip(1).map(|pair| millis(pair[0].given, pair[1].asked)).collect();
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    let aside = format!("mean of {} cycles; the 99th percentile is {:.2} ms", times.len(), percentile(&mut times, 99));
    Sample { value: mean, aside }
}

fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent).div_ceil(100) - 1]
}

/// Stands for the terminal: writes each message into nothing, and notes when it was out.
struct TimedTerminal {
    clock: Arc<SystemClock>,
    out: Mutex<Vec<(NoticeId, Duration)>>,
}

#[async_trait]
impl Channel for TimedTerminal {
    async fn send(&self, notice: &Notice) -> Result<(), SendError> {
        writeln!(std::io::sink(), "{} {}", notice.lines.join("\n    "), notice.number).expect("takes everything");
        self.out.lock().unwrap_or_else(PoisonError::into_inner).push((notice.number, self.clock.steady()));
        Ok(())
    }
}

/// Carries messages as the program does, until `drain` is set and nothing is left.
fn carry(ground: &Ground, store: &Store, terminal: Arc<TimedTerminal>, drain: &AtomicBool) {
    let policy = Policy { min: Severity::Notice };
    let zone = ground.book().zone;
    let mut worker = Worker::new(store.clone(), ground.clock.clone(), terminal, LANE, policy, zone, "sim");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
    let mut seen = 0;
    loop {
        let draining = drain.load(Ordering::SeqCst);
        if runtime.block_on(worker.tick(64)).expect("the store works").sent > 0 {
            continue;
        }
        if draining {
            return;
        }
        seen = store.wait_for_facts(seen, Duration::from_millis(250));
    }
}

fn message(ground: &Ground) -> Sample {
    let folder = temporary(ground.folder.path());
    let path = folder.path().join("bench.db");
    let store = Store::open(&path).expect("the store opens");
    let terminal = Arc::new(TimedTerminal { clock: ground.clock.clone(), out: Mutex::default() });
    let drain = AtomicBool::new(false);
    let spacing_ms = PACED_MS.max(PACED_FSYNCS * ground.fsync_ms);
    let handed = std::thread::scope(|scope| {
        let carrier = scope.spawn(|| carry(ground, &store, terminal.clone(), &drain));
        let handed = run(ground, &store, PACED_BARS, Duration::from_secs_f64(spacing_ms / 1e3));
        drain.store(true, Ordering::SeqCst);
        carrier.join().expect("everything is carried");
        handed
    });
    let told = Reader::open(&path).and_then(|reader| reader.journal_told(100_000)).expect("the journal can be read");
    let out = terminal.out.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(told.len(), out.len(), "every message arrived once");
    // Not of a bar: the start before the first one, and the end after the last.
    let of_bars = told.iter().filter(|row| !matches!(row.event.kind, EventKind::ReplayFinished { .. }));
    let mut times: Vec<f64> = of_bars
        .filter_map(|row| {
            let closed = handed.iter().find(|handed| handed.at == row.event.at)?.given;
            let (_, arrived) = out.iter().find(|(number, _)| Some(*number) == row.notice)?;
            Some(millis(closed, *arrived))
        })
        .collect();
    let (p99, p50) = (percentile(&mut times, 99), percentile(&mut times, 50));
    let aside = format!("half of {} messages within {p50:.1} ms; a bar each {spacing_ms:.0} ms", times.len());
    Sample { value: p99, aside }
}
