//! What do the measurements stand on? Symbols, prices and a book, the same each time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bellwether::clock::{Clock, SystemClock, Timestamp};
use bellwether::config::BookConfig;
use bellwether::domain::{Instrument, MarketSnapshot, Money, Ratio, Timeframe};
use bellwether::engine::{DeskSettings, Engine, StrategySettings};
use bellwether::market::{SimulatedFeed, parse_watchlist};
use bellwether::risk::Sizing;
use bellwether::strategy::{STRATEGIES, Values};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tempfile::TempDir;

/// The program under test, built with the release profile.
const PROGRAM: &str = env!("CARGO_BIN_EXE_bellwether");
/// Where files are made: on the project's own disk, since commits are as slow as the disk they go to.
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");
/// Symbols of the figures that say so.
pub(crate) const SYMBOLS: usize = 250;
/// Bars shown before anything is measured.
const WARM_UP_BARS: usize = 500;
/// Cycles over which a cycle's time is averaged; fewer than one session has minutes.
pub(crate) const CYCLES: usize = 300;
/// Bars of the long replay.
const REPLAY_BARS: usize = 1_000_000;

/// What the measurements stand on; made once.
pub(crate) struct Ground {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<SystemClock>,
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) snapshots: Arc<Vec<MarketSnapshot>>,
    pub(crate) watchlist: PathBuf,
    pub(crate) prices: PathBuf,
    pub(crate) fsync_ms: f64,
    folders: Mutex<BTreeMap<usize, PathBuf>>,
}

impl Ground {
    pub(crate) fn new() -> Self {
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
        write_prices(&prices, 1, REPLAY_BARS);
        let clock = Arc::new(SystemClock::new());
        let fsync_ms = fsync_ms(folder.path(), &clock);
        let snapshots = Arc::new(snapshots(&instruments));
        Self { folder, clock, instruments, snapshots, watchlist, prices, fsync_ms, folders: Mutex::default() }
    }

    /// The program in a fresh folder, with nothing set in its environment.
    pub(crate) fn program(&self, arguments: &[&str]) -> (TempDir, Command) {
        let folder = temporary(self.folder.path());
        let mut command = Command::new(PROGRAM);
        for variable in bellwether::config::ENVIRONMENT {
            command.env_remove(variable.name);
        }
        command.args(arguments).current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        (folder, command)
    }

    /// A folder with prices of so many coins, made when it is first asked for.
    pub(crate) fn coins(&self, coins: usize, bars: usize) -> PathBuf {
        let make = || {
            let folder = self.folder.path().join(format!("{coins} coins"));
            std::fs::create_dir(&folder).expect("a folder can be made");
            for coin in 0..coins {
                write_prices(&folder.join(format!("C{coin:03}-USD.1m.csv")), coin as u64 + 2, bars);
            }
            folder
        };
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).entry(coins).or_insert_with(make).clone()
    }

    /// A book with every strategy there is, watching all symbols. It may trade much more than usual: under the usual
    /// limits at most ten symbols are held, and there are too few messages for a percentile.
    pub(crate) fn book(&self) -> DeskSettings {
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

    pub(crate) fn engine(&self) -> Engine {
        Engine::new(&self.instruments, vec![self.book()]).expect("defaults are in range")
    }
}

pub(crate) fn temporary(parent: &Path) -> TempDir {
    tempfile::tempdir_in(parent).expect("a temporary folder can be made")
}

/// Minutes of a coin, the same each time.
fn write_prices(path: &Path, seed: u64, bars: usize) {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut below = move |limit: u64| (chance.next_u64() % limit) as i64;
    let mut file = BufWriter::new(File::create(path).expect("the prices can be written"));
    writeln!(file, "timestamp,open,high,low,close,volume").expect("writes");
    let cents = |value: i64| format!("{}.{:02}", value / 100, value % 100);
    // 2020-01-01T00:00:00Z, in minutes and in cents.
    let (first, mut close) = (26_297_280, 1_000_000_i64);
    for minute in first..first + bars as i64 {
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
pub(crate) fn seconds(from: Duration, to: Duration) -> f64 {
    to.saturating_sub(from).as_secs_f64()
}

/// The same in milliseconds.
pub(crate) fn millis(from: Duration, to: Duration) -> f64 {
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
