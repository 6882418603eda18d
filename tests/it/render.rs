//! Whatever a message says, Telegram takes it, shows all of it, and finds nothing in it that we did not put there.

use bellwether::channels::{Budget, html, plain};
use bellwether::domain::{Block, Button, Line, Message, Span};
use proptest::prelude::*;

use crate::support::{entities, is_shown, parse, received, samples, tried, unwanted};

/// Hostile messages that are tried in every test run.
const DOCUMENTS: u64 = 2_000;

#[test]
fn hostile_messages_are_shown_and_do_nothing() {
    for seed in 0..DOCUMENTS {
        if let Err(error) = tried(seed) {
            panic!("seed {seed}: {error}");
        }
    }
}

proptest! {
    /// Any text in any place is valid, and is all there unless it had to be cut.
    #[test]
    fn any_text_is_shown_whole(text in any::<String>(), other in "[ -~]{0,60}", long in "([a-z]{1,12} ){0,900}") {
        let line = |span: fn(String) -> Span, text: &str| Block::Line(Line(vec![span(text.to_owned()), span(other.clone())]));
        let blocks = vec![line(Span::Text, &text), line(Span::Untrusted, &text), line(Span::Code, &text), line(Span::Strong, &long)];
        let message = Message { blocks, ..Message::default() };
        let parts = received(&message, Budget::TEXT).map_err(TestCaseError::fail)?;
        prop_assert_eq!(unwanted(&message, &parts), None);
        let marks = if parts.len() > 1 { parts.len() } else { 0 };
        let count: usize = parts.iter().map(|part| part.iter().filter(|seen| is_shown(seen.letter)).count()).sum();
        let marked: usize = (1..=marks).map(|place| format!("({place}/{marks})").len()).sum();
        prop_assert_eq!(count, message.plain_lines().concat().chars().filter(|letter| is_shown(*letter)).count() + marked);
    }
}

#[test]
fn everything_that_is_told_can_be_sent() {
    for event in samples() {
        let blocks = bellwether::notify::told(&event, &bellwether::notify::Telling::plain(chrono_tz::Tz::UTC, "paper"));
        let message = Message { blocks, ..Message::default() };
        let parts = received(&message, Budget::CAPTION).expect("valid");
        assert_eq!(parts.len(), 1, "{}", event.kind.name());
        assert_eq!(unwanted(&message, &parts), None, "{}", event.kind.name());
    }
}

fn text(text: &str) -> Block {
    Block::Line(Line::from(text.to_owned()))
}

fn message(blocks: Vec<Block>) -> Message {
    Message { blocks, ..Message::default() }
}

#[test]
fn blocks_look_as_they_should() {
    let spans = vec![
        Span::Text("a < b ".to_owned()),
        Span::Strong("now".to_owned()),
        Span::Text(" ".to_owned()),
        Span::Code("/why T1".to_owned()),
    ];
    let cells = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
    let blocks = vec![
        Block::Title(Line(vec![Span::Text("Sold & done".to_owned())])),
        Block::Line(Line(spans)),
        Block::Fields(vec![("cash".to_owned(), Line::from("7,751.02".to_owned()))]),
        Block::Table {
            header: cells(["name", "result"]),
            rows: vec![cells(["AAPL", "+1.5"]), cells(["BRK.B", "-12.0"])],
        },
        Block::Table { header: cells(["name", "why"]), rows: vec![cells(["AAPL", &"long ".repeat(9)])] },
        Block::Code("x  <y>".to_owned()),
        Block::Quote("one\ntwo".to_owned()),
    ];
    let want = "<b>Sold &amp; done</b>\na &lt; b <b>now</b> \u{2060}<code>/why T1</code>\ncash: 7,751.02\n\
         <pre>name   result\nAAPL     +1.5\nBRK.B   -12.0</pre>\n<b>AAPL</b>\nwhy: long long long long long long long long long \n\
         <pre>x  &lt;y&gt;</pre>\n<blockquote>one\ntwo</blockquote>";
    assert_eq!(html(&message(blocks.clone()), Budget::TEXT), [want.replace(" \u{2060}<code>", " <code>")]);
    let shown =
        plain(&message(blocks).with_buttons(vec![Button::new("Why", "/why T1"), Button::new("Less", "/less N4")]), 40);
    let want = "Sold & done\na < b now /why T1\ncash: 7,751.02\nname   result\nAAPL     +1.5\nBRK.B   -12.0\nAAPL\n\
                why: long long long long long long long\n  long long \nx  <y>\n> one\n> two\nLess: /less N4";
    assert_eq!(shown, want);
    assert!(html(&message(vec![text(" \u{200b} ")]), Budget::TEXT).is_empty());
}

#[test]
fn parts_end_where_blocks_do_and_say_which_they_are() {
    let long = "word ".repeat(700);
    let parts = html(&message(vec![text("Fact"), text(&long), text(&long), text("end")]), Budget::TEXT);
    assert_eq!(parts.len(), 2);
    assert!(parts[0].starts_with("Fact\nword") && parts[0].ends_with("word \n(1/2)"), "{}", parts[0]);
    assert!(parts[1].starts_with("word") && parts[1].ends_with("\nend\n(2/2)"), "{}", parts[1]);
    // The caption of a picture takes the fact; the rest comes behind it.
    let parts = html(&message(vec![text("Fact"), text(&long)]), Budget::CAPTION);
    assert_eq!((parts.len(), parts[0].as_str()), (2, "Fact\n(1/2)"));
    // What cannot be seen takes no part: the caption would fall away, and a longer part stand in its place.
    let parts = html(&message(vec![text(&"\u{3000}".repeat(1_010)), text(&long)]), Budget::CAPTION);
    assert!(parts[0].encode_utf16().count() <= 1_024, "{}", parts[0]);
    // A pair of units and a letter with its accents stay together.
    let parts = html(&message(vec![text(&"😀".repeat(4_000)), text(&"e\u{301}".repeat(4_000))]), Budget::TEXT);
    assert!(parts.iter().all(|part| !part.starts_with('\u{301}')), "{parts:?}");
}

#[test]
fn what_is_too_long_is_cut_and_says_so() {
    let rows: Vec<Block> = (0..9_000).map(|number| text(&format!("row {number}"))).collect();
    let parts = html(&message(rows), Budget::TEXT);
    assert_eq!(parts.len(), 10);
    let last = parts.last().expect("there");
    assert!(last.contains("\nCut here: ") && last.contains("read it all in the terminal\n(10/10)"), "{last}");
    let shown: usize =
        parts.iter().flat_map(|part| part.lines()).filter(|line| line.starts_with("row ")).map(str::len).sum();
    let all: usize = (0..9_000).map(|number| format!("row {number}").len()).sum();
    assert!(last.contains(&format!("Cut here: {} characters", all - shown)), "{last}");
}

/// The checker finds what it is there to find.
#[test]
fn the_oracle_sees_what_telegram_would_see() {
    let found = |text: &str| entities(&parse(text).expect("valid"));
    for text in [
        "@name",
        "a /halt",
        "#tag",
        "$TAG",
        "x.example",
        "http://x",
        "+1 (212) 555-0123",
        "a@b.cd",
        "10.0.0.1",
        "4111 1111 1111",
    ] {
        assert!(!found(text).is_empty(), "{text}");
        assert!(found(&format!("<code>{text}</code>")).is_empty(), "{text}");
    }
    for text in ["1,234.56", "2026-11-21 10:31", "a. b", "e/f", "$5", "50 %"] {
        assert!(found(text).is_empty(), "{text}");
    }
    for bad in [
        "<b>",
        "<b><code></b></code>",
        "</b>",
        "a > b",
        "a & b",
        "<u>x</u>",
        "&#39;",
        "<pre><b>x</b></pre>",
        "<b x=1>y</b>",
    ] {
        assert!(parse(bad).is_err(), "{bad}");
    }
}
