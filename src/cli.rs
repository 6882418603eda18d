//! What can be typed in a shell? Subcommands and options; what they mean is in `app`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::backtest::Plan;
use crate::domain::{AmountError, Label, Lane, Money, Ratio, Symbol, Timeframe};
use crate::engine::Pace;

/// A trading bot that you run from your pocket. It trades on paper and tells you what it does.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do; `run` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to run.
    #[command(flatten)]
    pub run: RunArgs,
}

const EXAMPLES: &str = "Examples:
  bellwether                                     trade on the built-in simulated market, talk in the terminal
  bellwether run --cycles 200 --speed max        the same, 200 cycles as fast as it goes
  bellwether run --data prices --timeframe 1d --symbols AAPL,SPY
                                                 replay the files prices/AAPL.1d.csv and prices/SPY.1d.csv
  bellwether command /positions                  ask from a shell, while it runs or not
  bellwether chart AAPL --out aapl.png           a picture of prices, indicators, trades and the open position
  bellwether data check prices                   every problem of price files, with its line
  bellwether demo                                one simulated day in a minute, with everything that may go wrong
  bellwether setup                               your name, where you are told, and a PIN, asked one after the other
  bellwether test all                            a test message on every way to everybody

Settings: bellwether.toml and the environment, see docs/CONFIGURATION.md.
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.";

const BACKTEST_EXAMPLES: &str = "Examples:
  bellwether backtest --data prices --symbols AAPL,SPY --timeframe 1d --strategy ema_cross
  bellwether backtest --data prices --symbols AAPL --timeframe 1d --strategy sma_cross --set fast=20 --set slow=50 --out report
  bellwether backtest --data prices --symbols list.csv --timeframe 1h --strategy breakout --strategy rsi --limit exposure_pct=100 --json
  bellwether backtest --data prices --symbols AAPL --timeframe 1d --strategy sma_cross --units 100 --no-stops --no-limits
  bellwether backtest --data prices --symbols AAPL --timeframe 1d --strategy sma_cross --benchmark SPY --monte-carlo 1000
  bellwether backtest --data prices --symbols AAPL --timeframe 1d --strategy sma_cross --set 'fast=10|20|30' --set 'slow=50|100' \
                      --walk-forward 2y,6m --out report
  bellwether backtest --data prices --symbols AAPL --timeframe 1d --strategy sma_cross --check-lookahead --check-warmup

The book is one of its own: limits and costs are the defaults of docs/CONFIGURATION.md, changed by the options here. With
--no-limits, fees, slippage, borrowing and funding cost nothing unless they are given; price sanity stays, and --limit
price_move_pct=1000 opens it. With --no-stops entries are a fixed fraction of equity unless --sizing or --units says otherwise. A
corporate_actions.csv beside the prices is followed: splits and dividends. Times in trades.csv are the labels of bars, as price files write them.

--walk-forward trains on the first length and tests on the second, then moves on by the second: 2y,6m or 120d,30d or 1000b,250b (bars).
Of the sets with enough trades in training the one with the best Sharpe ratio is run in the test; of equals the one with the higher
return, then the first. All figures and files then are those of the tests, one after the other with the same money.

A check that fails makes the exit code 1.";

const CHART_EXAMPLES: &str = "Examples:
  bellwether chart AAPL --out aapl.png                       what the bot trades on, with its trades and its position
  bellwether chart AAPL --out aapl.png --timeframe 1h --light --tall
  bellwether chart BTC-USD --out btc.png --sheet             1d, 1h, 15m and 5m in one picture
  bellwether chart AAPL --out aapl.svg --data prices --to 2014-07-01
  bellwether chart equity --out equity.png                   a book's equity and how far it fell
  bellwether chart pnl --out pnl.png                         a book's result of each day
  bellwether chart allocation --out held.png                 what a book holds, short and long, and its cash
  bellwether chart correlation --out alike.png               what of it moves together
  bellwether chart stress --out stress.png --book main       what bad times of the past would cost it

Prices come from the feed that the database belongs to, up to the last committed market time; with --data from files, and
nothing is drawn from the database then. Pictures of what is held show the figures of /exposure, /correlation and /stress, as of
the time that they tell. An existing file is replaced.";

const SETUP_EXAMPLES: &str = "Example:
  bellwether setup

It writes .env, which only you may read, and bellwether.toml. A file that is there is completed, never replaced. It may be broken off
at any point, and goes on where it stopped when it is called again.";

const TEST_EXAMPLES: &str = "Examples:
  bellwether test all
  bellwether test ana:telegram
  bellwether test all --json

While the bot runs, the message goes through it. While it does not, this command opens the ways itself, but for the terminal, which is
the bot's. It waits for proof, at most 20 s, and tells for each way the time from commit to receipt, how far the service's clock is
ahead of this machine's, and what the service calls the message. Exit code 0 where every way took it, and where no service is set up.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Trade on paper (what happens if nothing is said)
    Run(RunArgs),
    /// Ask or tell the bot something, in the grammar of the chat
    #[command(
        after_help = "Examples:\n  bellwether command /status\n  bellwether command \"/why AAPL\"\n  bellwether command /halt"
    )]
    Command {
        /// What you would type in the chat
        text: String,
        /// As which person of the configuration
        #[arg(long, value_name = "PERSON")]
        r#as: Option<Label>,
    },
    /// Run strategies over recorded prices, in memory, and tell what they would have earned
    #[command(after_help = BACKTEST_EXAMPLES)]
    Backtest(Box<BacktestArgs>),
    /// Look over price files
    #[command(subcommand)]
    Data(DataCommand),
    /// Print indicators of a price file, a row a bar
    #[command(
        after_help = "docs/INDICATORS.md tells what each column is.\n\nExample:\n  bellwether indicators prices/AAPL.1d.csv --out aapl.csv"
    )]
    Indicators {
        /// The price file
        file: PathBuf,
        /// Where to write them; standard output if absent
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Draw a symbol, a book's results or what it holds into a PNG or SVG file
    #[command(after_help = CHART_EXAMPLES)]
    Chart(ChartArgs),
    /// Check, take in and give out lists of symbols
    #[command(subcommand)]
    Watchlist(WatchlistCommand),
    /// Set your PIN
    #[command(subcommand)]
    Pin(PinCommand),
    /// Set up an app on your phone that shows codes, beside your PIN or instead of it
    #[command(subcommand)]
    Totp(TotpCommand),
    /// One simulated day in a minute: trades, trouble and what the bot says of it; nothing is kept
    #[command(
        after_help = "It runs in a folder of its own, which is removed at the end. Where your chat on Telegram is paired, it is told there too.\n\nExample:\n  bellwether demo"
    )]
    Demo {
        /// How many times faster
        #[arg(long, hide = true, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=60))]
        speed: u32,
    },
    /// Set up who you are, how you are told (Telegram, Discord, email, SMS) and your PIN: asks one thing at a time; what is done already is left as it is
    #[command(after_help = SETUP_EXAMPLES)]
    Setup,
    /// Send a test message, marked as one, and tell whether it arrived; exit code 1 if it did not
    #[command(after_help = TEST_EXAMPLES)]
    Test {
        /// `all`, or one way such as ana:telegram
        #[arg(value_name = "all|LANE")]
        ways: Tested,
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
    /// Bind a person to a chat: shows a code that is sent to the bot there
    #[command(after_help = "Example:\n  bellwether pair ana")]
    Pair {
        /// Whom; the first owner if nobody is named
        person: Option<Label>,
    },
    /// What became of a message: each try, its answer, its time
    #[command(after_help = "Example:\n  bellwether trace N42")]
    Trace {
        /// Its number
        message: String,
    },
    /// The state of each part
    Health {
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
    /// Bring the database up to date; twice changes nothing
    Migrate,
    /// Copy the database while it is in use, and check the copy
    #[command(after_help = "Example:\n  bellwether backup /mnt/stick/bellwether.db")]
    Backup {
        /// Where to; an existing file is replaced once the copy is sound
        file: PathBuf,
    },
    /// Put a copy in the place of the database; what was there is moved aside
    #[command(after_help = "Example:\n  bellwether restore backups/bellwether-2026-11-20.db")]
    Restore {
        /// The copy
        file: PathBuf,
    },
    /// The record of changes
    #[command(subcommand)]
    Audit(AuditCommand),
}

/// Which ways to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tested {
    /// Every one.
    All,
    /// This one.
    One(Lane),
}

impl std::str::FromStr for Tested {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::One) }
    }
}

/// `data`.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Tell every problem of a file or folder, with file, line and kind; exit code 1 if there is any
    Check {
        /// A file or a folder
        path: PathBuf,
        /// One JSON document on standard output
        #[arg(long)]
        json: bool,
    },
}

/// `watchlist`.
#[derive(Debug, Subcommand)]
pub enum WatchlistCommand {
    /// Tell every problem of a list
    Check {
        /// The list
        file: PathBuf,
    },
    /// Make a list the book's own; the next start trades on it
    Import {
        /// The list
        file: PathBuf,
        /// Which book
        #[arg(long, default_value = "main")]
        book: Label,
    },
    /// Print the book's list, or write it to a file
    Export {
        /// Where to; standard output if absent
        file: Option<PathBuf>,
        /// Which book
        #[arg(long, default_value = "main")]
        book: Label,
    },
    /// Make the book's list what the configuration says, and tell the difference
    Sync {
        /// Which book
        #[arg(long, default_value = "main")]
        book: Label,
    },
}

/// `pin`.
#[derive(Debug, Subcommand)]
pub enum PinCommand {
    /// Set or change a PIN; it is asked for without echo
    Set {
        /// Whose
        #[arg(default_value = "owner")]
        person: Label,
        /// Without the old one; everybody is told
        #[arg(long)]
        forgotten: bool,
    },
    /// Set a second PIN for when you are made to enter one: it answers as usual, halts everything and tells the other owners
    Duress {
        /// Whose
        #[arg(default_value = "owner")]
        person: Label,
    },
}

/// `totp`.
#[derive(Debug, Subcommand)]
pub enum TotpCommand {
    /// Set up an app that shows codes: shows its secret once, and asks for one code to prove that it works
    Set {
        /// Whose
        #[arg(default_value = "owner")]
        person: Label,
    },
    /// Forget the app; everybody is told
    Off {
        /// Whose
        #[arg(default_value = "owner")]
        person: Label,
    },
}

/// `audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Go over the hash chain: a changed, missing or moved row is found
    Verify {
        /// A document of "audit export": every row of it must still be there
        file: Option<PathBuf>,
    },
    /// Write all rows to FILE.csv for a spreadsheet, or to FILE.json, which says how it is verified
    Export {
        /// Where to; its ending decides the form
        file: PathBuf,
    },
}

/// Whose money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModeArg {
    /// Invented money
    Paper,
    /// The configured books over prices at full speed, in memory; ends with a table of figures for each
    Backtest,
    /// Real money; refused without a live broker
    Live,
}

/// Where prices come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FeedArg {
    /// The built-in market
    Simulated,
    /// Files
    Replay,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Whose money moves
    #[arg(long, value_enum, default_value = "paper")]
    pub mode: ModeArg,
    /// Decide and record everything, submit nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Watch the symbols of this list
    #[arg(long, value_name = "FILE", conflicts_with = "symbols")]
    pub watchlist: Option<PathBuf>,
    /// Watch these symbols
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub symbols: Option<Vec<Symbol>>,
    /// Where prices come from: replay if --data is given, else simulated
    #[arg(long, value_enum)]
    pub feed: Option<FeedArg>,
    /// Seed of the simulated market
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Folder of SYMBOL.TIMEFRAME.csv, or one such file, to replay
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Trade from this time on; earlier bars are history (2010-01-01 or RFC 3339)
    #[arg(long, value_name = "T", value_parser = time)]
    pub from: Option<crate::clock::Timestamp>,
    /// Leave out bars that end after this time
    #[arg(long, value_name = "T", value_parser = time)]
    pub to: Option<crate::clock::Timestamp>,
    /// Bars to trade on: 1m, 5m, 15m, 1h, 1d or 1w; simulated: 1m, replay: all there are
    #[arg(long)]
    pub timeframe: Option<Timeframe>,
    /// Stop after this many cycles
    #[arg(long, value_name = "N")]
    pub cycles: Option<u64>,
    /// How fast: real, a factor such as 60, or max; simulated: 60, replay: max
    #[arg(long, value_name = "real|N|max")]
    pub speed: Option<Pace>,
    /// Begin with an empty database; the old file is moved aside
    #[arg(long)]
    pub fresh: bool,
    /// No chat in the terminal
    #[arg(long)]
    pub no_console: bool,
}

/// Options of `backtest`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct BacktestArgs {
    /// Folder of SYMBOL.TIMEFRAME.csv, or one such file
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Symbols, or a watchlist file; all there are if absent
    #[arg(long, value_name = "A,B|FILE")]
    pub symbols: Option<String>,
    /// Bars that drive fills and decisions: 1m, 5m, 15m, 1h, 1d or 1w; the finest there are if absent
    #[arg(long)]
    pub timeframe: Option<Timeframe>,
    /// A strategy, or several in their order of precedence; see docs/STRATEGIES.md
    #[arg(long, value_name = "NAME", required = true)]
    pub strategy: Vec<String>,
    /// A parameter: of every strategy that has it, or of one as NAME.KEY=VALUE; with --walk-forward also a list as KEY=1|2|3
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// A limit of the book, as written in bellwether.toml
    #[arg(long, value_name = "KEY=VALUE")]
    pub limit: Vec<String>,
    /// Trade from this time on; earlier bars are history (2010-01-01 or RFC 3339)
    #[arg(long, value_name = "T", value_parser = time)]
    pub from: Option<crate::clock::Timestamp>,
    /// Leave out bars that end after this time
    #[arg(long, value_name = "T", value_parser = time)]
    pub to: Option<crate::clock::Timestamp>,
    /// What the book starts with
    #[arg(long, value_name = "N", default_value = "100000", value_parser = capital, allow_negative_numbers = true)]
    pub capital: Money,
    /// The same quantity in every entry
    #[arg(long, value_name = "N", conflicts_with = "sizing", value_parser = units, allow_negative_numbers = true)]
    pub units: Option<Ratio>,
    /// How entries are sized: atr, fraction, volatility, kelly or fixed
    #[arg(long, value_name = "NAME")]
    pub sizing: Option<String>,
    /// Fee of a fill, in basis points of its value
    #[arg(long, value_name = "N")]
    pub fee_bps: Option<Ratio>,
    /// How much worse than its level a market or stop order fills, in basis points
    #[arg(long, value_name = "N")]
    pub slippage_bps: Option<Ratio>,
    /// Enter without stops and targets
    #[arg(long)]
    pub no_stops: bool,
    /// Lift every limit but buying power, price sanity and the trading state, and fill in full
    #[arg(long)]
    pub no_limits: bool,
    /// Compare with buying this symbol and holding it; it need not be traded
    #[arg(long, value_name = "SYMBOL")]
    pub benchmark: Option<Symbol>,
    /// Choose parameters on one stretch and run them on the next, again and again
    #[arg(long, value_name = "TRAIN,TEST")]
    pub walk_forward: Option<Plan>,
    /// Closed trades in training below which a set of parameters is not chosen
    #[arg(long, value_name = "N", default_value_t = 3, requires = "walk_forward")]
    pub min_trades: usize,
    /// Put the closed trades into this many random orders
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub monte_carlo: Option<u16>,
    /// Seed of the random orders
    #[arg(long, default_value_t = 1, requires = "monte_carlo")]
    pub seed: u64,
    /// Cut later bars away and see that no decision before them changes
    #[arg(long, conflicts_with = "walk_forward")]
    pub check_lookahead: bool,
    /// Begin the data later and see that no decision after the warm-up changes
    #[arg(long, conflicts_with = "walk_forward")]
    pub check_warmup: bool,
    /// One JSON document on standard output
    #[arg(long)]
    pub json: bool,
    /// Write report.html, report.json, trades.csv and equity.csv into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Options of `chart`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct ChartArgs {
    /// A symbol; or `equity` or `pnl` for the results of a book; or `allocation`, `correlation` or `stress` for what it holds
    #[arg(value_name = "SYMBOL")]
    pub what: String,
    /// The picture; its name ends in .png or .svg
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Folder of SYMBOL.TIMEFRAME.csv, or one such file, instead of the database's feed
    #[arg(long, value_name = "DIR|FILE", conflicts_with = "book")]
    pub data: Option<PathBuf>,
    /// Length of the bars: 1m, 5m, 15m, 1h, 1d or 1w; if absent, what the bot trades on, with --data the longest recorded up to 1d
    #[arg(long)]
    pub timeframe: Option<Timeframe>,
    /// How many bars, or days of pnl, 1 to 600; 120 if absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=600))]
    pub bars: Option<u16>,
    /// Leave out what happened after this time (2010-01-01 or RFC 3339)
    #[arg(long, value_name = "T", value_parser = time)]
    pub to: Option<crate::clock::Timestamp>,
    /// Whose trades, results and positions; if absent, the first book that has any
    #[arg(long, value_name = "BOOK")]
    pub book: Option<Label>,
    /// Several timeframes side by side: 1d, 1h, 15m and 5m, as far as there are bars
    #[arg(long, conflicts_with_all = ["timeframe", "bars"])]
    pub sheet: bool,
    /// A light page instead of a dark one
    #[arg(long)]
    pub light: bool,
    /// 1080 x 1350 for a phone instead of 1280 x 800
    #[arg(long)]
    pub tall: bool,
    /// Write an SVG, whatever ending the name has
    #[arg(long)]
    pub svg: bool,
}

/// Reads a day or an instant.
fn time(text: &str) -> Result<crate::clock::Timestamp, String> {
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc().into());
    }
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d");
    let midnight = day.map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc());
    midnight.map(Into::into).map_err(|_| "write it as 2010-01-01 or 2010-01-01T14:30:00Z".to_owned())
}

/// Reads what a book starts with.
fn capital(text: &str) -> Result<Money, String> {
    let capital: Money = text.parse().map_err(|error: AmountError| error.to_string())?;
    if capital < Money::whole(1) { Err("a book starts with 1 or more".to_owned()) } else { Ok(capital) }
}

/// Reads the quantity of every entry.
fn units(text: &str) -> Result<Ratio, String> {
    let units: Ratio = text.parse().map_err(|error: AmountError| error.to_string())?;
    if units <= Ratio::ZERO { Err("an entry has more than 0 units".to_owned()) } else { Ok(units) }
}
