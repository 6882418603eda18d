//! What is a command? A name, a help text, an example, and what it may do, as a type.

use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::control::Control;
use crate::domain::when::WhenError;
use crate::domain::{AlertId, Kind, Label, Message, NoticeId, Preference, Symbol, Timeframe};
use crate::views::{ViewError, Views};

use super::handle::Reply;
use super::params::{Param, shown};
use super::seat::Place;

/// What a command may do is its type: a view reads and answers; a text needs not even the store; a question is put to the running engine;
/// something personal changes the
/// asker's own messages and nothing else; a control touches nothing, it only names the change, which the desk holds until the PIN turns it into `Confirmed`.
#[derive(Clone, Copy)]
pub enum Run {
    /// Answers from the store.
    View(fn(&Views, &[&str]) -> Result<String, ArgError>),
    /// Answers from the store in words, or with a whole message, such as a file or what people wrote, where that is asked for.
    ViewOrFile(
        fn(&Views, &[&str]) -> Result<String, ArgError>,
        fn(&Views, &[&str]) -> Result<Option<Message>, ArgError>,
    ),
    /// Answers from the table of commands itself, as it is read where the asker sits.
    Text(fn(Place, &[&str]) -> Result<Reply, ArgError>),
    /// Asks the running engine.
    Ask(fn(&[&str]) -> Result<Question, ArgError>),
    /// Answers from the store, or asks the running engine where the arguments say so.
    ViewOrAsk(fn(&Views, &[&str]) -> Result<String, ArgError>, fn(&[&str]) -> Result<Option<Question>, ArgError>),
    /// Changes only what the asker is told; no PIN, but a row of the audit.
    Personal(fn(&[&str]) -> Result<Personal, ArgError>),
    /// Does something at the desk that is no change: nothing without who may make one.
    Desk(fn(&[&str]) -> Result<DeskWork, ArgError>),
    /// Names a change.
    Control(ControlFn),
}

/// Reads which change is wished for.
pub type ControlFn = fn(&Asked<'_>) -> Result<Wish, ArgError>;

/// The words after a control's name, and what they are relative to.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The words, without those that say when it ends.
    pub args: &'a [&'a str],
    /// When it ends, where that was said.
    pub until: Option<Timestamp>,
    /// The market's time; that of the wall where nothing has run yet.
    pub now: Timestamp,
    /// The zone in which whoever asks reads times.
    pub zone: Tz,
}

/// A change that somebody wishes for, in the named book alone if one is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What.
    pub control: Control,
    /// Where.
    pub book: Option<Label>,
}

impl From<Control> for Wish {
    fn from(control: Control) -> Self {
        Self { control, book: None }
    }
}

/// What can be done at the desk besides changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeskWork {
    /// Agree to what somebody else wants.
    Approve(i64),
    /// End what waits for a second person.
    Decline(i64),
    /// Change the own PIN.
    NewPin,
    /// Say what this line would do, and do nothing.
    WhatIf(String),
    /// Say what keeps a book from real money, or the only one; these words were typed behind it.
    Live(Option<Label>, String),
}

/// What somebody may change for themselves alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Personal {
    /// Tell me when this comes true, in the words that were typed.
    AddAlert(String),
    /// Forget this alert of mine, or all of them.
    DeleteAlerts(Option<AlertId>),
    /// I have seen this message, or the last one that asks for it.
    Ack(Option<NoticeId>),
    /// Do not tell me of this kind for a while, or do so again.
    Mute {
        /// The kind.
        kind: &'static Kind,
        /// For how long, in the words that were typed: nothing, "off", "2h", "until 16:00".
        lasts: String,
    },
    /// Tell me of this kind more quietly, or of the kind that this message was of.
    Less(LessOf),
    /// Tell me of this kind as configured again.
    Usual(&'static Kind),
    /// Send me the day's digest again.
    UsualDigest,
    /// Send a test message on every way.
    Drill,
    /// Keep these words with what I name; where there are none, say what is kept.
    Note {
        /// What is named, as it was typed.
        about: String,
        /// The words.
        text: Option<String>,
    },
    /// File what I name under some tags, and no more under others; where there are none, say under which it is.
    Tag {
        /// What is named, as it was typed.
        about: String,
        /// Tags that it gets.
        put: Vec<Label>,
        /// Tags that it loses.
        take: Vec<Label>,
    },
    /// Write times and figures for me in another way, or wake me at other times.
    Settings(Setting),
    /// Take back what I changed last.
    Undo,
}

/// What somebody wants of their settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// To see them.
    Show,
    /// This one to be so.
    Set(Preference),
    /// This one, or all, to be as in the file.
    Usual(Option<&'static str>),
}

/// What somebody wants less of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LessOf {
    /// A kind.
    Kind(&'static Kind),
    /// What a message was of.
    Notice(NoticeId),
    /// The day's digest as a whole: none of it.
    Digest,
}

/// Something that neither the store nor the table of commands answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// What would the strategies do now?
    DryCycle,
    /// Which symbols would the screeners choose now, or the one of this book?
    Screen(Option<Label>),
    /// What does this look like? The engine need not run for it.
    Chart(Drawing),
}

/// What can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawing {
    /// Candles of a symbol, in the bars it is traded on unless others are asked for.
    Symbol(Symbol, Option<Timeframe>),
    /// What a book was worth over time, or the first book with closed trades.
    Equity(Option<Label>),
}

impl Question {
    /// As it is typed.
    pub fn line(self) -> String {
        match self {
            Self::DryCycle => "/cycle dry".to_owned(),
            Self::Screen(None) => "/screener now".to_owned(),
            Self::Screen(Some(book)) => format!("/screener now {book}"),
            Self::Chart(Drawing::Symbol(symbol, None)) => format!("/chart {symbol}"),
            Self::Chart(Drawing::Symbol(symbol, Some(timeframe))) => format!("/chart {symbol} {timeframe}"),
            Self::Chart(Drawing::Equity(None)) => "/chart equity".to_owned(),
            Self::Chart(Drawing::Equity(Some(book))) => format!("/chart equity {book}"),
        }
    }
}

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ArgError {
    /// It was typed in a way that means nothing.
    #[error("{0}")]
    Usage(String),
    /// There is no answer.
    #[error(transparent)]
    View(#[from] ViewError),
}

impl From<WhenError> for ArgError {
    fn from(error: WhenError) -> Self {
        Self::Usage(error.to_string())
    }
}

/// Where a command stands in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Money and positions.
    Portfolio,
    /// What can be lost, and what limits it.
    Risk,
    /// Why things happened.
    Reasons,
    /// What is told to whom.
    Attention,
    /// The bot itself.
    System,
    /// What may be traded at all, and who agrees.
    Control,
    /// Orders and levels.
    Orders,
    /// Settings over the file.
    Tuning,
}

impl Group {
    /// All, in the order of the help.
    pub const ALL: [Self; 8] = [
        Self::Portfolio,
        Self::Risk,
        Self::Reasons,
        Self::Attention,
        Self::Control,
        Self::Orders,
        Self::Tuning,
        Self::System,
    ];

    /// True for groups of what changes something for everybody.
    pub const fn changes(self) -> bool {
        matches!(self, Self::Control | Self::Orders | Self::Tuning)
    }

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Portfolio => "Portfolio",
            Self::Risk => "Risk",
            Self::Reasons => "Reasons",
            Self::Attention => "Messages",
            Self::System => "System",
            Self::Control => "Control",
            Self::Orders => "Orders",
            Self::Tuning => "Tuning",
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy)]
pub struct Command {
    /// Its name, without the slash.
    pub name: &'static str,
    /// Other names of it.
    pub aliases: &'static [&'static str],
    /// Where it stands in the help.
    pub group: Group,
    /// What may stand after its name.
    pub params: &'static [Param],
    /// What it does.
    pub help: &'static str,
    /// One use of it that works.
    pub example: &'static str,
    /// What it may do.
    pub run: Run,
}

impl Command {
    /// Its name as people type it: `schedule set`.
    pub fn spoken(&self) -> String {
        self.name.replace('_', " ")
    }

    /// As it is typed: `/chart SYMBOL|equity [TIMEFRAME|BOOK]`.
    pub fn usage(&self) -> String {
        format!("/{} {}", self.spoken(), shown(self.params)).trim_end().to_owned()
    }
}
