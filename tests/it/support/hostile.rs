//! Messages as an enemy would write them: tags, entities, links, emoji, directions, numbers, very long words. The same for the same seed.

use bellwether::channels::{Budget, plain};
use bellwether::domain::{Block, Line, Message, Span};

use super::telegram_text::{received, unwanted};

/// Pieces that mean something to somebody.
const PIECES: &[&str] = &[
    "<b>",
    "</b>",
    "<a href=\"http://evil.example\">",
    "</pre>",
    "</code>",
    "<script>",
    "<!--",
    "&lt;",
    "&amp",
    "&#x202e;",
    "&",
    "<",
    ">",
    "@all",
    "@everyone_here",
    "/halt",
    "/resume@evil_bot",
    "#tag",
    "$AAPL",
    "http://evil.example/a?b=c",
    "evil.example",
    "tg://user?id=1",
    "HTTPS://EVIL.EXAMPLE",
    "me@evil.example",
    "+1 (212) 555-0123",
    "4111 1111 1111 1111",
    "10.0.0.1",
    "a.b.c.com",
    "t.me/evil",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{2060}",
    "\u{feff}",
    "\u{ad}",
    "\u{0}",
    "\u{1b}[31m",
    "\u{7}",
    "\u{e0041}",
    "\u{fe0f}",
    "😀",
    "👨\u{200d}👩\u{200d}👧",
    "🇩🇪",
    "e\u{301}\u{302}\u{303}",
    "שלום",
    "مرحبا",
    "日本語。jp",
    "\u{a0}",
    "\u{3000}",
    "\u{2028}",
    "\r\n",
    "\t",
    "\n",
    " ",
    "  ",
    "|||",
    "```",
    "`",
    "**",
    "__",
    "~~",
    "[x](http://y.example)",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "1,234.56",
    "-79.56",
    "2026-11-21 10:31",
    "21.11.2026",
    "BRK.B",
    "sma_cross",
    "why",
    "equity",
    "main",
    ".",
    "/",
    "@",
    "#",
    "$",
    ":",
    "//",
    "0",
    "12",
    "555",
];

/// A source of numbers that is the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % below.max(1)
    }

    fn text(&mut self) -> String {
        let pieces = match self.roll(400) {
            0 => 3_000,
            1..4 => 400,
            4..60 => 40,
            _ => 6,
        };
        let mut text = String::new();
        for _ in 0..self.roll(pieces) {
            match self.roll(12) {
                0 => text.extend(char::from_u32(self.roll(0x11_0000) as u32)),
                1 => text.extend(char::from_u32(self.roll(0x80) as u32)),
                2 if self.roll(20) == 0 => text.push_str(&"x".repeat(self.roll(9_000))),
                _ => text.push_str(PIECES[self.roll(PIECES.len())]),
            }
            if self.roll(3) == 0 {
                text.push(' ');
            }
        }
        text
    }

    /// Text of ours, which may be hostile where somebody chose a name in it, or where `tame` is not asked for.
    fn line(&mut self, tame: bool) -> Line {
        let mut spans = Vec::new();
        for _ in 0..=self.roll(4) {
            let theirs = self.text();
            let ours = if tame { " is told of main at ".to_owned() } else { self.text() };
            spans.push(match self.roll(4) {
                0 => Span::Text(ours),
                1 => Span::Strong(ours),
                2 => Span::Code(theirs),
                _ => Span::Untrusted(theirs),
            });
        }
        Line(spans)
    }

    fn block(&mut self, tame: bool) -> Block {
        match self.roll(8) {
            0 => Block::Title(self.line(tame)),
            1 => Block::Fields((0..self.roll(4)).map(|_| (self.text(), self.line(tame))).collect()),
            2 => Block::Table {
                header: (0..self.roll(4)).map(|_| self.text()).collect(),
                rows: (0..self.roll(5)).map(|_| (0..self.roll(5)).map(|_| self.text()).collect()).collect(),
            },
            3 => Block::Code(self.text()),
            4 => Block::Quote(self.text()),
            _ => Block::Line(self.line(tame)),
        }
    }
}

/// The hostile message of this number; where `tame` is set, only what strangers may write is hostile. Now and then it has a hundred
/// thousand characters.
pub(crate) fn hostile(seed: u64, tame: bool) -> Message {
    let mut dice = Dice(seed);
    let mut blocks: Vec<Block> = (0..dice.roll(8)).map(|_| dice.block(tame)).collect();
    if dice.roll(200) == 0 {
        let long: String = (0..100_000).map(|_| if dice.roll(30) == 0 { ' ' } else { 'w' }).collect();
        blocks.push(Block::Line(Line(vec![Span::Text(long)])));
    }
    Message { blocks, ..Message::default() }
}

/// One hostile message, tried in every way.
///
/// # Errors
/// With what is wrong.
pub(crate) fn tried(seed: u64) -> Result<(), String> {
    for tame in [false, true] {
        let message = hostile(seed, tame);
        let parts = received(&message, if seed.is_multiple_of(4) { Budget::CAPTION } else { Budget::TEXT })?;
        if let Some(found) = unwanted(&message, &parts) {
            return Err(format!("{found:?} can be pressed in {message:?}"));
        }
        let text = plain(&message, 80);
        if text.chars().any(|letter| letter.is_control() && letter != '\n') {
            return Err(format!("a control in {text:?}"));
        }
    }
    Ok(())
}
