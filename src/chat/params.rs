//! What may stand after a command's name? Each place with its kind, from which usage, completion and other platforms' options are derived.

/// A place after a command's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// Its name, where a platform names what is typed.
    pub name: &'static str,
    /// As the help prints it.
    pub shown: &'static str,
    /// What may stand there.
    pub what: What,
    /// The command means nothing without it.
    pub needed: bool,
    /// What it is for.
    pub help: &'static str,
}

/// What may stand in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A symbol that is watched.
    Symbol,
    /// A symbol that cannot be traded or entered now.
    Locked,
    /// A symbol, or a book's equity, to be drawn.
    Picture,
    /// Bars of a symbol, or a book whose equity is drawn.
    BarsOrBook,
    /// A book.
    Book,
    /// A symbol that is held.
    Held,
    /// A symbol that is held, or some of what is: losers, winners, all.
    HeldOrGroup,
    /// An order under way.
    OpenOrder,
    /// A share, such as 50%.
    Share,
    /// Units, money, or a share of equity.
    Amount,
    /// A price, or a distance such as 3%.
    Level,
    /// The word limit and a price.
    Limit,
    /// The name of a limit.
    LimitName,
    /// A strategy that a book has.
    StrategyName,
    /// A strategy of the registry.
    StrategyKind,
    /// The name of a parameter of the strategy before it.
    ParamName,
    /// Parameters of the strategy before it with their values, in one word.
    ParamValues,
    /// When a strategy runs, in up to five words.
    When,
    /// Bars, or a schedule in one word.
    Rhythm,
    /// A bad time of the past, or a book.
    Scenario,
    /// What somebody asks the reason of: a symbol, an order, a trade, a message.
    Reason,
    /// A kind of message.
    Kind,
    /// A kind of message that can wait.
    Patient,
    /// A kind of message that can wait, or a message of that kind.
    PatientOrMessage,
    /// That a kind is to be told as it was.
    Off,
    /// A message.
    Message,
    /// A message that asks to be acknowledged.
    Open,
    /// A command.
    Command,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Such as these.
    Like(&'static [&'static str]),
    /// The rest of the line: a condition, or an alert to be forgotten.
    Condition,
    /// What of the order before it is changed, and to what: price=170.
    OfOrder,
    /// The rest of the line: a control without its slash.
    Change,
    /// The rest of the line: when something ends, as in "for 2h" or "until friday 16:00".
    Until,
    /// The same for a mute, which "off" ends.
    Mute,
    /// What somebody writes to: a reason, or a day.
    Noted,
    /// The rest of the line: words of anybody's choice.
    Words,
    /// The rest of the line: tags, and tags that are taken away.
    Tags,
    /// The rest of the line: a value of the setting before it.
    Value,
    /// The rest of the line: which changes, as in "17", "since monday" or "ana before 17".
    Changes,
    /// A secret: nothing is offered.
    Code,
}

impl What {
    /// How many words may fill it.
    pub(super) const fn words_max(self) -> usize {
        match self {
            Self::Condition | Self::Change | Self::Tags | Self::Value | Self::Changes => WORDS_MAX,
            Self::Words => TEXT_WORDS_MAX,
            Self::Limit => 2,
            Self::When => WHEN_WORDS_MAX,
            Self::Until | Self::Mute => UNTIL_WORDS_MAX,
            _ => 1,
        }
    }

    /// Whether digits may stand there, which are no PIN then.
    pub(super) const fn has_numbers(self) -> bool {
        match self {
            Self::Symbol
            | Self::Held
            | Self::HeldOrGroup
            | Self::OpenOrder
            | Self::Amount
            | Self::Level
            | Self::Share
            | Self::Picture
            | Self::Scenario
            | Self::Reason
            | Self::PatientOrMessage
            | Self::Message
            | Self::Open
            | Self::Like(_)
            | Self::Condition
            | Self::Until
            | Self::Mute
            | Self::OfOrder
            | Self::Change
            | Self::Limit
            | Self::Noted
            | Self::Words
            | Self::Tags
            | Self::Changes
            | Self::ParamValues
            | Self::When
            | Self::Rhythm
            | Self::Value => true,
            Self::Locked
            | Self::BarsOrBook
            | Self::Book
            | Self::Kind
            | Self::Patient
            | Self::Off
            | Self::LimitName
            | Self::StrategyName
            | Self::StrategyKind
            | Self::ParamName
            | Self::Command
            | Self::OneOf(_)
            | Self::Code => false,
        }
    }
}

impl Param {
    /// A place that has to be filled.
    pub(super) const fn needed(name: &'static str, shown: &'static str, what: What, help: &'static str) -> Self {
        Self { name, shown, what, needed: true, help }
    }

    /// A place that may stay empty.
    pub(super) const fn perhaps(name: &'static str, shown: &'static str, what: What, help: &'static str) -> Self {
        Self { name, shown, what, needed: false, help }
    }
}

/// How many words a condition has at the most, or what says which changes.
const WORDS_MAX: usize = 16;
/// How many words a text has at the most: more fit into no line.
const TEXT_WORDS_MAX: usize = 250;

/// How many words an end has at the most: until Fri 2026-11-27 16:00 EST.
const UNTIL_WORDS_MAX: usize = 5;

/// How many words a schedule has at the most: the five fields of cron.
const WHEN_WORDS_MAX: usize = 5;

/// How many words may stand after a command with these places: at least, and at most.
pub(super) fn arity(params: &[Param]) -> (usize, usize) {
    (params.iter().filter(|param| param.needed).count(), params.iter().map(|param| param.what.words_max()).sum())
}

/// The places as they are typed: `SYMBOL [BOOK]`.
pub(super) fn shown(params: &[Param]) -> String {
    let one = |param: &Param| if param.needed { param.shown.to_owned() } else { format!("[{}]", param.shown) };
    params.iter().map(one).collect::<Vec<_>>().join(" ")
}
