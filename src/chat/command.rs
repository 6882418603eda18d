//! What is a command? A name, a help text, an example, and what it may do, as a type.

use crate::control::Control;
use crate::domain::{AlertId, AlertRequest, Kind, Label, Message, NoticeId, Symbol, Timeframe};
use crate::views::{ViewError, Views};

use super::handle::Reply;
use super::params::{Param, shown};
use super::seat::Place;

/// What a command may do is its type: a view reads and answers; a text needs not even the store; a question is put to the running engine;
/// something personal changes the
/// asker's own messages and nothing else; a control touches nothing, it only names the change, which the desk holds until the PIN turns it into `Confirmed`.
pub enum Run {
    /// Answers from the store.
    View(fn(&Views, &[&str]) -> Result<String, ArgError>),
    /// Answers from the store in words, or with a file where the arguments say so.
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
    /// Names a change.
    Control(fn(&[&str]) -> Result<Control, ArgError>),
}

/// What somebody may change for themselves alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Personal {
    /// Tell me when this comes true.
    AddAlert(AlertRequest),
    /// Forget this alert of mine, or all of them.
    DeleteAlerts(Option<AlertId>),
    /// I have seen this message, or the last one that asks for it.
    Ack(Option<NoticeId>),
    /// Do not tell me of this kind for so many milliseconds; tell me again where it is none.
    Mute {
        /// The kind.
        kind: &'static Kind,
        /// For how long.
        for_ms: Option<i64>,
    },
    /// Tell me of this kind more quietly, or of the kind that this message was of.
    Less(LessOf),
    /// Tell me of this kind as configured again.
    Usual(&'static Kind),
    /// Send me the day's digest again.
    UsualDigest,
    /// Send a test message on every way.
    Drill,
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
    /// Changes.
    Control,
}

impl Group {
    /// All, in the order of the help.
    pub const ALL: [Self; 6] =
        [Self::Portfolio, Self::Risk, Self::Reasons, Self::Attention, Self::Control, Self::System];

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Portfolio => "Portfolio",
            Self::Risk => "Risk",
            Self::Reasons => "Reasons",
            Self::Attention => "Messages",
            Self::System => "System",
            Self::Control => "Control",
        }
    }
}

/// A row of the table.
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
    /// As it is typed: `/chart SYMBOL|equity [TIMEFRAME|BOOK]`.
    pub fn usage(&self) -> String {
        format!("/{} {}", self.name, shown(self.params)).trim_end().to_owned()
    }
}
