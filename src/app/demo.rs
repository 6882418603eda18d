//! What does the product do? A day in a minute, on a database that nobody keeps: the real engine and the real deliveries.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveTime;
use chrono_tz::Tz;

use crate::channels::{Console, Editor};
use crate::cli::{FeedArg, ModeArg, RunArgs};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::config::{Config, Environment, TelegramAddress, load, policy, read};
use crate::domain::{ChannelKind, Label, Lane, Quiet};
use crate::engine::Pace;
use crate::notify::{Channel, Policy};
use crate::store::Reader;
use crate::views::{Asker, Views, deliveries};

use super::AppError;
use super::demo_script::{QUIET_S, Script};
use super::demo_ways::{Office, Phone};
use super::directory::Directory;
use super::guests::Guests;
use super::run::run_with;
use super::shell::print;

/// A day of 390 minutes in one minute.
const PACE: u32 = 390;
/// The day of this seed and this book is a bad one.
const SEED: u64 = 161;
const BOOK: &str = "
[[books]]
name = \"main\"
symbols = [\"AAPL\", \"AMD\", \"BTC-USD\", \"CAT\", \"DIS\", \"ETH-USD\", \"INTC\", \"MSFT\", \"NFLX\", \"PEP\", \"GE\", \"ORCL\"]
daily_loss = \"flatten\"
[books.limits]
daily_loss_pct = 1
positions_max = 12
exposure_pct = 100
net_pct = 100
sector_pct = 100
position_pct = 10
risk_per_trade_pct = 5
open_risk_pct = 100
correlation_max = 1
stop_atr = 10
trailing = 0
[[books.strategies]]
name = \"sma_cross\"
set = { fast = 20, slow = 60 }
";
/// Who else is told, besides whoever sits there.
const PHONE: &str = "phone";
const OFFICE: &str = "office";

/// `demo`.
pub(super) fn demo(speed: u32, environment: &Environment) -> Result<(), AppError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let folder = Folder::new()?;
    let (config, telegram) = cast(environment)?;
    let told = if telegram { "; your chat on Telegram is told too" } else { "" };
    print(&format!("A day in a minute, on paper, on a market that is made up{told}. Ctrl-C ends it"));
    let environment = Environment {
        config: None,
        database: folder.0.join("demo.db"),
        telegram_token: environment.telegram_token.clone().filter(|_| telegram),
        http_listen: None,
        heartbeat_url: None,
        webhook_url: None,
        ..environment.clone()
    };
    let guests = guests(&config, &clock, speed)?;
    run_with(&args(speed), &environment, &config, clock.clone(), Some(guests))?;
    let views = Views::open(&environment.database, Asker::default(), clock.now())?;
    print(&format!("\nWhat became of every message:\n{}", deliveries(&views)?));
    Ok(())
}

/// Whoever is configured first, in the demonstration's book, with a phone and an office beside; whether they are reached on Telegram.
fn cast(environment: &Environment) -> Result<(Config, bool), AppError> {
    let real = load(environment.config.as_deref())?;
    let owner = real.owner().map_or_else(|| "owner".to_owned(), |person| person.name.clone());
    let others = [PHONE, OFFICE].map(|name| format!("[[people]]\nname = \"{name}\"\nrole = \"viewer\"\n")).concat();
    let text = format!("[[people]]\nname = \"{owner}\"\n{others}{BOOK}");
    let mut config = read(&text, None)?;
    let address = address(&real, environment, &owner)?;
    if let (Some(first), Some(one)) =
        (config.people.first_mut(), real.people.iter().find(|one| one.person.name == owner))
    {
        first.person.zone = one.person.zone;
        first.person.style = one.person.style;
        first.telegram = address;
    }
    Ok((config, address.is_some()))
}

/// Where somebody is reached on Telegram.
fn address(config: &Config, environment: &Environment, person: &str) -> Result<Option<TelegramAddress>, AppError> {
    if environment.telegram_token.is_none() || !environment.database.exists() {
        return Ok(config.people.iter().find(|one| one.person.name == person).and_then(|one| one.telegram));
    }
    let seats = Directory::look_up(config, &Reader::open(&environment.database)?)?.seats;
    let found = seats.people.into_iter().find(|(one, _)| one.name == person);
    let account = found.and_then(|(_, accounts)| accounts.into_iter().next());
    Ok(account.map(|account| TelegramAddress { user: account.user, chat: account.chat }))
}

fn args(speed: u32) -> RunArgs {
    RunArgs {
        mode: ModeArg::Paper,
        dry_run: false,
        watchlist: None,
        symbols: None,
        feed: Some(FeedArg::Simulated),
        seed: SEED,
        data: None,
        from: None,
        to: None,
        timeframe: None,
        cycles: None,
        speed: Some(Pace::Times(PACE * speed)),
        fresh: false,
        no_console: true,
    }
}

fn guests(config: &Config, clock: &Arc<dyn Clock>, speed: u32) -> Result<Guests, AppError> {
    let nobody = || AppError::usage("nobody is configured");
    let person = config.owner().cloned().ok_or_else(nobody)?;
    let lane = |who: &str, channel| {
        let who: Result<Label, AppError> = who.parse().map_err(|_| nobody());
        who.map(|who| Lane { who, channel })
    };
    let zone = super::ways::zone_of(config);
    let [terminal, phone, office] = [
        lane(&person.name, ChannelKind::Terminal)?,
        lane(PHONE, ChannelKind::Telegram)?,
        lane(OFFICE, ChannelKind::Webhook)?,
    ];
    let cuttable = Office::default();
    let script =
        Script { clock: clock.clone(), begun: clock.steady(), speed, person, office, is_cut: cuttable.is_cut.clone() };
    let told = policy(config, phone, zone);
    let quiet = Policy { quiet: Some(quiet(clock.now(), speed, told.zone)), ..told };
    let way = |channel: Arc<dyn Channel>, policy| (channel, policy);
    Ok(Guests {
        ways: vec![
            way(Arc::new(Console::new(&Editor::Pipe)), policy(config, terminal, zone)),
            way(Arc::new(Phone::default()), quiet),
            way(Arc::new(cuttable), policy(config, office, zone)),
        ],
        script: Arc::new(move |stage| script.play(&stage)),
    })
}

/// The phone's quiet hours: some seconds of this very day.
fn quiet(begun: Timestamp, speed: u32, zone: Tz) -> Quiet {
    let [from, to] = QUIET_S.map(|second| -> NaiveTime {
        let after = Duration::from_secs(second.into()) / speed;
        begun.plus_ms(after.as_millis() as i64).utc().with_timezone(&zone).time()
    });
    Quiet { from, to }
}

/// A folder that is gone when this is.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, AppError> {
        let path = std::env::temp_dir().join(format!("bellwether-demo-{}", std::process::id()));
        let made = std::fs::create_dir_all(&path);
        made.map_err(|error| AppError::failed(format!("no folder for the demonstration: {error}")))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let path: &Path = &self.0;
        if let Err(error) = std::fs::remove_dir_all(path) {
            tracing::debug!(%error, "the demonstration's folder stays");
        }
    }
}
