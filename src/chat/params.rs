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
    /// A secret: nothing is offered.
    Code,
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

/// How many words a condition has at the most.
const WORDS_MAX: usize = 16;

/// How many words may stand after a command with these places: at least, and at most.
pub(super) fn arity(params: &[Param]) -> (usize, usize) {
    let most = |param: &Param| if param.what == What::Condition { WORDS_MAX } else { 1 };
    (params.iter().filter(|param| param.needed).count(), params.iter().map(most).sum())
}

/// The places as they are typed: `SYMBOL [BOOK]`.
pub(super) fn shown(params: &[Param]) -> String {
    let one = |param: &Param| if param.needed { param.shown.to_owned() } else { format!("[{}]", param.shown) };
    params.iter().map(one).collect::<Vec<_>>().join(" ")
}
