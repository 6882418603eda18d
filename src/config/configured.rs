//! What is configured, as values? What the parts are built from.

use std::path::PathBuf;

use chrono_tz::Tz;

use crate::chat::{Person, Role};
use crate::control::ControlRules;
use crate::domain::{Money, Ratio, Route, Symbol, Timeframe};
use crate::engine::{DeskSettings, LossAction, StrategySettings};
use crate::risk::{Limits, Sizing};
use crate::strategy::{Values, find};

use super::people::{GroupConfig, PersonConfig};
use super::sms::SmsSettings;

/// Where a book's symbols come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchSource {
    /// A list in the configuration.
    Symbols(Vec<Symbol>),
    /// A file.
    File(PathBuf),
    /// The file at the usual place, or the built-in list.
    Usual,
}

/// One book as it is configured.
#[derive(Clone)]
pub struct BookConfig {
    /// Money, limits and strategies.
    pub desk: DeskSettings,
    /// Its symbols.
    pub watch: WatchSource,
}

/// Everything that is configured.
#[derive(Clone)]
pub struct Config {
    /// Who talks with the bot and is told.
    pub people: Vec<PersonConfig>,
    /// Groups that are told and may look.
    pub groups: Vec<GroupConfig>,
    /// Who is told what, first to last; the usual ones hold where it is empty.
    pub routes: Vec<Route>,
    /// The books.
    pub books: Vec<BookConfig>,
    /// What short messages may cost.
    pub sms: SmsSettings,
    /// What it takes to confirm a change.
    pub control: ControlRules,
    /// Nightly copies that are kept.
    pub backups_keep: usize,
    /// Days for which steps are kept.
    pub steps_days: i64,
    /// Whether USDT counts as USD.
    pub usdt_is_usd: bool,
}

impl Config {
    /// Everybody who talks with the bot.
    pub fn persons(&self) -> impl Iterator<Item = &Person> {
        self.people.iter().map(|person| &person.person)
    }

    /// Whose the terminal is: the first owner. None where no people are configured.
    pub fn owner(&self) -> Option<&Person> {
        self.persons().find(|person| person.role == Role::Owner)
    }

    /// The bars that strategies and selectors ask for by name, shortest first.
    pub fn timeframes(&self) -> Vec<Timeframe> {
        let mut asked: Vec<Timeframe> = self.books.iter().flat_map(|book| book.desk.timeframes()).collect();
        asked.sort_unstable();
        asked.dedup();
        asked
    }
}

impl BookConfig {
    /// A book with nothing but defaults.
    pub fn usual() -> Self {
        let strategies = find("sma_cross").into_iter().filter_map(|kind| {
            let values = Values::check(kind.name, kind.params, &[]).ok()?;
            Some(StrategySettings::new(kind.name.parse().ok()?, kind, values))
        });
        let desk = DeskSettings {
            name: "main".parse().expect("a name"),
            currency: "USD".to_owned(),
            capital: Money::whole(10_000),
            zone: Tz::America__New_York,
            limits: Limits::default(),
            daily_loss: LossAction::Reduce,
            sizing: Sizing::Atr,
            risk: Ratio::ONE,
            selector: None,
            regime_timeframe: None,
            overrides: Vec::new(),
            symbols: Vec::new(),
            screener: None,
            pins: Vec::new(),
            bans: Vec::new(),
            strategies: strategies.collect(),
        };
        Self { desk, watch: WatchSource::Usual }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            people: vec![PersonConfig::usual("owner".to_owned())],
            groups: Vec::new(),
            routes: Vec::new(),
            books: vec![BookConfig::usual()],
            sms: SmsSettings::default(),
            control: ControlRules::default(),
            backups_keep: 7,
            steps_days: 30,
            usdt_is_usd: false,
        }
    }
}
