//! What is said to a person? Parts that each channel shows in its own way; the fact comes first.

use serde::{Deserialize, Serialize};

/// A message, the same for every channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Message {
    /// What it says, in order.
    pub blocks: Vec<Block>,
    /// Rows of buttons; a channel without buttons shows what they would type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Vec<Button>>,
    /// It is meant for this chat alone: where the channel can, it is neither forwarded nor saved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protect: bool,
    /// It tells what waited: the day's digest, or what was held. Whoever reads it by mail may leave it off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_digest: bool,
    /// A picture or document that goes with it. It is stored beside the text.
    #[serde(skip)]
    pub file: Option<Attachment>,
}

/// A part of a message. A message that is too long is cut between two of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// The fact: all that a locked screen shows.
    Title(Line),
    /// One idea.
    Line(Line),
    /// Names with their values, one below the other.
    Fields(Vec<(String, Line)>),
    /// Columns under their names.
    Table {
        /// The names of the columns.
        header: Vec<String>,
        /// The rows; a row may be shorter than the header.
        rows: Vec<Vec<String>>,
    },
    /// Text whose spaces and line ends count.
    Code(String),
    /// Text of strangers, such as news or a model's answer, on lines of its own. It never formats, mentions or links.
    Quote(String),
}

/// Pieces of text on one line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Line(pub Vec<Span>);

/// A piece of text. None of them can format anything by what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Our own words.
    Text(String),
    /// Our own words, to be seen first.
    Strong(String),
    /// A command, a name, a number to be copied.
    Code(String),
    /// Text of strangers: a file's name, a headline, a service's error.
    Untrusted(String),
}

/// Something to press: it stands for a line that the presser could have typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What stands on it.
    pub label: String,
    /// The line that it types.
    pub line: String,
}

/// What goes with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What it is.
    pub kind: AttachmentKind,
    /// Its file name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What an attachment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentKind {
    /// A PNG that is shown.
    Picture,
    /// A file that is kept.
    Document,
}

impl Message {
    /// Our own lines, the first of them the fact.
    pub fn of_lines(lines: impl IntoIterator<Item = String>) -> Self {
        let blocks = lines.into_iter().enumerate().map(|(index, text)| {
            let line = Line::from(text);
            if index == 0 { Block::Title(line) } else { Block::Line(line) }
        });
        Self { blocks: blocks.collect(), ..Self::default() }
    }

    /// An answer as a command gave it: lines of text, none of them louder than the others.
    pub fn answer(text: &str) -> Self {
        let blocks = text.lines().map(|line| Block::Line(Line::from(line.to_owned())));
        Self { blocks: blocks.collect(), ..Self::default() }
    }

    /// The same with one more row of buttons.
    #[must_use]
    pub fn with_buttons(mut self, row: Vec<Button>) -> Self {
        if !row.is_empty() {
            self.buttons.push(row);
        }
        self
    }

    /// Its text alone, a line a line: for tests, logs and channels that show nothing else.
    pub fn plain_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for block in &self.blocks {
            match block {
                Block::Title(line) | Block::Line(line) => lines.push(line.plain()),
                Block::Fields(fields) => {
                    lines.extend(fields.iter().map(|(name, value)| format!("{name}: {}", value.plain())));
                }
                Block::Table { header, rows } => {
                    lines.push(header.join("  "));
                    lines.extend(rows.iter().map(|row| row.join("  ")));
                }
                Block::Code(text) | Block::Quote(text) => lines.extend(text.lines().map(str::to_owned)),
            }
        }
        lines
    }
}

impl Line {
    /// Its text alone.
    pub fn plain(&self) -> String {
        let texts = self.0.iter().map(|span| match span {
            Span::Text(text) | Span::Strong(text) | Span::Code(text) | Span::Untrusted(text) => text.as_str(),
        });
        texts.collect()
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self(vec![Span::Text(text)])
    }
}

/// How that is named which an interaction's answer answers; the channel's number of it follows.
pub const INTERACTION: &str = "interaction ";
/// What a message answers that was written to the bot alone.
pub const ALONE: &str = "alone";
/// How the line of a button begins that asks for the PIN of a prompt in a form.
pub const ASKS_PIN: [&str; 5] = ["pin ", "code ", "pin+code ", "newpin ", "newpin+code "];
/// How the line of a button begins that leaves such a prompt.
pub const LEAVES_PIN: &str = "leave ";

impl Button {
    /// True if a channel knows it by its own line: its press is answered before anything can be looked up.
    pub fn is_plain(&self) -> bool {
        ASKS_PIN.iter().any(|asks| self.line.starts_with(asks)) || self.line.starts_with(LEAVES_PIN)
    }

    /// A button that types `line`.
    pub fn new(label: &str, line: impl Into<String>) -> Self {
        Self { label: label.to_owned(), line: line.into() }
    }
}
