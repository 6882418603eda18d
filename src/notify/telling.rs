//! For whom is it put into words? Their zone and style, whether they may see amounts, and the phrases that all words are made of.

use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::domain::format::{money, percent, quantity, signed, signed_percent, time};
use crate::domain::{Block, Event, Line, Message, Money, Quantity, Side, Span, Style, Symbol};

/// How everything of the simulated market is marked.
const SIMULATED: &str = "sim";
/// The longest piece of a stranger's text that is repeated on a line.
const THEIRS_CHARS_MAX: usize = 120;

/// How a reader is told things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Telling {
    /// The zone of all times.
    pub zone: Tz,
    /// How prices are marked: `paper`, or `sim` where even the market is made up.
    pub mark: &'static str,
    /// How figures are written.
    pub style: Style,
    /// For readers who may not see amounts: every amount is told as a share of this capital, and quantities are left out.
    pub share_of: Option<Money>,
}

impl Telling {
    /// Times in this zone, prices marked like this, all else as usual.
    pub fn plain(zone: Tz, mark: &'static str) -> Self {
        Self { zone, mark, style: Style::default(), share_of: None }
    }

    /// Blocks as this reader sees them: figures in their style, and the simulated market marked in the title. Where even the market is
    /// made up, no message may be taken for one about a real price.
    pub(super) fn finished(&self, mut blocks: Vec<Block>) -> Vec<Block> {
        if let Some(Block::Title(fact)) = blocks.first_mut()
            && self.mark == SIMULATED
            && !fact.plain().contains(SIMULATED)
        {
            fact.0.push(Span::Text(format!(" · {SIMULATED}")));
        }
        self.restyled(blocks)
    }

    /// Blocks with their figures in this reader's style.
    pub(super) fn restyled(&self, blocks: Vec<Block>) -> Vec<Block> {
        Message { blocks, ..Message::default() }.styled(self.style).blocks
    }

    /// An amount, or the share that it is.
    pub(super) fn money(&self, amount: Money) -> String {
        match self.share_of {
            None => money(amount),
            Some(capital) => format!("{} of capital", percent(amount.share_of(capital))),
        }
    }

    /// A result, or the share that it is.
    pub(super) fn signed(&self, amount: Money) -> String {
        match self.share_of {
            None => signed(amount),
            Some(capital) => format!("{} of capital", signed_percent(amount.share_of(capital))),
        }
    }

    /// `12 AAPL`, or `AAPL` where quantities are left out.
    pub(super) fn held(&self, held: Quantity, symbol: Symbol) -> String {
        match self.share_of {
            None => format!("{} {symbol}", quantity(held)),
            Some(_) => symbol.to_string(),
        }
    }

    /// What is said only to those who may see amounts.
    pub(super) fn open<T>(&self, said: impl FnOnce() -> T) -> Option<T> {
        self.share_of.is_none().then(said)
    }
}

/// An event about to be told.
pub(super) struct Words<'a> {
    /// To whom.
    pub(super) telling: &'a Telling,
    /// When it happened.
    pub(super) at: Timestamp,
    /// Of which book.
    pub(super) book: String,
}

impl<'a> Words<'a> {
    pub(super) fn of(event: &Event, telling: &'a Telling) -> Self {
        let book = event.book.map_or_else(|| "the bot".to_owned(), |book| book.to_string());
        Self { telling, at: event.at, book }
    }

    pub(super) fn time(&self, at: Timestamp) -> String {
        time(at, self.telling.zone)
    }

    pub(super) fn money(&self, amount: Money) -> String {
        self.telling.money(amount)
    }

    pub(super) fn signed(&self, amount: Money) -> String {
        self.telling.signed(amount)
    }

    pub(super) fn held(&self, held: Quantity, symbol: Symbol) -> String {
        self.telling.held(held, symbol)
    }
}

/// A message as it is put together, the fact first.
pub(super) struct Said(Vec<Block>);

impl Said {
    /// The fact.
    pub(super) fn fact(text: &str) -> Self {
        Self(vec![Block::Title(line(text))])
    }

    /// The fact, of spans.
    pub(super) fn title(line: Line) -> Self {
        Self(vec![Block::Title(line)])
    }

    /// One more idea.
    pub(super) fn and(mut self, text: &str) -> Self {
        self.0.push(Block::Line(line(text)));
        self
    }

    /// One more idea, of spans.
    pub(super) fn and_line(mut self, line: Line) -> Self {
        self.0.push(Block::Line(line));
        self
    }

    /// One more idea, where there is one.
    pub(super) fn and_some(self, text: Option<String>) -> Self {
        match text {
            Some(text) => self.and(&text),
            None => self,
        }
    }

    /// Somebody else's words behind our own.
    pub(super) fn and_theirs(mut self, before: &str, theirs: &str) -> Self {
        self.0.push(Block::Line(quoting(before, theirs, "")));
        self
    }

    /// A list of somebody else's lines, with a count of those that are left out.
    pub(super) fn and_list(mut self, theirs: &[String], most: usize) -> Self {
        let mut lines: Vec<String> = theirs.iter().take(most).map(|line| clipped(line)).collect();
        if theirs.len() > most {
            lines.push(format!("and {} more, in the journal", theirs.len() - most));
        }
        if !lines.is_empty() {
            self.0.push(Block::Quote(lines.join("\n")));
        }
        self
    }

    pub(super) fn blocks(self) -> Vec<Block> {
        self.0
    }

    /// The fact alone, as text.
    pub(super) fn text(&self) -> String {
        match self.0.first() {
            Some(Block::Title(fact)) => fact.plain(),
            _ => String::new(),
        }
    }
}

/// Our own words; what stands between two backticks is to be typed.
pub(super) fn line(text: &str) -> Line {
    let span = |(place, part): (usize, &str)| {
        if place % 2 == 0 { Span::Text(part.to_owned()) } else { Span::Code(part.to_owned()) }
    };
    Line(text.split('`').enumerate().filter(|(_, part)| !part.is_empty()).map(span).collect())
}

/// Somebody else's words between our own.
pub(super) fn quoting(before: &str, theirs: &str, after: &str) -> Line {
    let mut spans = line(before).0;
    spans.push(Span::Untrusted(clipped(theirs)));
    spans.extend(line(after).0);
    Line(spans)
}

/// One line of somebody else's text, no longer than it may be.
fn clipped(theirs: &str) -> String {
    let mut words = theirs.split_whitespace();
    let mut text = words.next().unwrap_or("nothing").to_owned();
    for word in words {
        text.push(' ');
        text.push_str(word);
        if text.len() > THEIRS_CHARS_MAX * 4 {
            break;
        }
    }
    if text.chars().count() > THEIRS_CHARS_MAX {
        text = text.chars().take(THEIRS_CHARS_MAX - 1).collect();
        text.push('…');
    }
    text
}

/// What an entry on this side did.
pub(super) const fn entered(side: Side) -> &'static str {
    match side {
        Side::Buy => "bought",
        Side::Sell => "sold short",
    }
}
