//! How fast is the program as a whole, and how much memory does it take?

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use bellwether::clock::Clock;
use bellwether::domain::TradingState;
use bellwether::store::Reader;

use crate::Sample;
use crate::ground::{Ground, seconds};

/// How long after its first message a program counts as being at rest.
const REST: Duration = Duration::from_millis(500);
/// Settings of the long replay: costs eat up a fifth of the capital at some time, which would halt trading for the rest of the bars.
const REPLAY_CONFIG: &str = "[[books]]\nname = \"main\"\nlimits = { drawdown_pct = 100, drawdown_reduce_pct = 100 }\n";

pub(crate) fn start(ground: &Ground) -> Sample {
    let (_folder, mut command) = ground.program(&["run", "--cycles", "1", "--speed", "max"]);
    let begun = ground.clock.steady();
    assert!(command.status().expect("it starts").success());
    Sample { value: seconds(begun, ground.clock.steady()), aside: String::new() }
}

pub(crate) fn memory(ground: &Ground) -> Option<Sample> {
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

pub(crate) fn pause(time: Duration) {
    let (_keep, nothing) = channel::<()>();
    assert_eq!(nothing.recv_timeout(time), Err(RecvTimeoutError::Timeout));
}

pub(crate) fn replay(ground: &Ground) -> Sample {
    let path = ground.prices.to_str().expect("a plain path");
    let arguments = ["run", "--feed", "replay", "--data", path, "--speed", "max", "--no-console"];
    let (folder, mut command) = ground.program(&arguments);
    std::fs::write(folder.path().join("bellwether.toml"), REPLAY_CONFIG).expect("the settings can be written");
    let ran = watched(ground, command.stderr(Stdio::piped()), |child| child.stderr.take().map(|it| Box::new(it) as _));
    assert!(ran.said.contains("1000000 cycles"), "{}", ran.said);
    let trades = trades_to_the_end(&folder.path().join("bellwether.db"));
    Sample { value: ran.seconds, aside: format!("{trades} trades; highest memory {}", ran.peak()) }
}

pub(crate) fn one(ground: &Ground) -> Sample {
    backtest(ground, &ground.prices, 1_000_000)
}

pub(crate) fn many(ground: &Ground) -> Sample {
    backtest(ground, &ground.coins(250, 2_000), 500_000)
}

pub(crate) fn fifty(ground: &Ground) -> Sample {
    backtest(ground, &ground.coins(50, 100_000), 5_000_000)
}

pub(crate) fn peak(ground: &Ground) -> Option<Sample> {
    let (_, ran) = run_backtest(ground, &ground.prices);
    let value = ran.peak_kib? / 1024.0;
    Some(Sample { value, aside: "looked at every 5 ms".to_owned() })
}

/// Crossings of SMA 10 and 50 over a file or a folder with so many bars.
fn backtest(ground: &Ground, prices: &Path, bars: u64) -> Sample {
    let (result, ran) = run_backtest(ground, prices);
    assert_eq!(result["bars"], bars);
    Sample { value: ran.seconds, aside: format!("{} trades; highest memory {}", result["trades"], ran.peak()) }
}

fn run_backtest(ground: &Ground, prices: &Path) -> (serde_json::Value, Ran) {
    let path = prices.to_str().expect("a plain path");
    let crossing = ["--strategy", "sma_cross", "--set", "fast=10", "--set", "slow=50", "--no-stops", "--no-limits"];
    let arguments = [&["backtest", "--data", path, "--json"], &crossing[..]].concat();
    let (_folder, mut command) = ground.program(&arguments);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
    let ran = watched(ground, command, |child| child.stdout.take().map(|it| Box::new(it) as _));
    (serde_json::from_str(&ran.said).expect("it answers with JSON"), ran)
}

pub(crate) fn chart(ground: &Ground) -> Sample {
    let prices = ground.coins(250, 2_000);
    let path = prices.to_str().expect("a plain path");
    let (folder, mut command) = ground.program(&["chart", "C007-USD", "--data", path, "--out", "chart.png"]);
    let begun = ground.clock.steady();
    assert!(command.status().expect("it starts").success());
    let value = seconds(begun, ground.clock.steady()) * 1e3;
    let size = std::fs::metadata(folder.path().join("chart.png")).expect("there is a picture").len();
    Sample { value, aside: format!("{} kB", size / 1_000) }
}

/// What a run of the program took.
struct Ran {
    seconds: f64,
    said: String,
    peak_kib: Option<f64>,
}

impl Ran {
    fn peak(&self) -> String {
        self.peak_kib.map_or("not known here".to_owned(), |peak| format!("{:.0} MiB", peak / 1024.0))
    }
}

/// Runs the program to its end, listening to one of its outputs, and looks at its memory every 5 ms.
fn watched(
    ground: &Ground,
    command: &mut Command,
    take: impl FnOnce(&mut Child) -> Option<Box<dyn Read + Send>>,
) -> Ran {
    let begun = ground.clock.steady();
    let mut child = command.spawn().expect("it starts");
    let mut output = take(&mut child).expect("piped");
    let ended = AtomicBool::new(false);
    let (seconds, said, peak_kib) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = None;
            while !ended.load(Ordering::SeqCst) {
                peak = kibibytes(&child, "VmHWM").or(peak);
                pause(Duration::from_millis(5));
            }
            peak
        });
        let mut said = String::new();
        // The output closes when the program ends.
        output.read_to_string(&mut said).expect("it says something");
        let seconds = seconds(begun, ground.clock.steady());
        ended.store(true, Ordering::SeqCst);
        (seconds, said, watch.join().expect("watches"))
    });
    assert!(child.wait().expect("it ends").success(), "{said}");
    Ran { seconds, said, peak_kib }
}

/// How many trades a run made that was never halted.
fn trades_to_the_end(database: &Path) -> u64 {
    let reader = Reader::open(database).expect("the database can be read");
    let books = reader.books().expect("the books can be read");
    assert!(books.iter().all(|row| row.state == TradingState::Running));
    reader.trades(1).expect("the trades can be read").1
}
