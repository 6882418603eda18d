//! Whatever a message says, Discord takes it, shows all of it, and finds nothing in it that we did not put there.

use bellwether::channels::{Sheet, sheets};
use bellwether::chat::{COMMANDS, help_list, help_of};
use bellwether::domain::{Block, Line, Message, NoticeId, Severity, Span};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::discord_text::{fits, read};
use crate::support::{hostile, is_shown, samples};

/// Hostile messages that are tried in every test run.
const DOCUMENTS: u64 = 2_000;

fn embeds(message: &Message) -> Vec<Value> {
    let parts = sheets(message, Some(NoticeId(42)), Severity::Warning);
    parts.iter().map(|part: &Sheet| part.embed(None).expect("something to see")).collect()
}

/// The text of an embed, as it is read.
///
/// # Errors
/// With what does not fit, or formats.
fn text(embed: &Value) -> Result<String, String> {
    fits(embed)?;
    let part = |value: &Value| -> Result<String, String> {
        let text = value.as_str().unwrap_or_default();
        if text.contains('\n') && text.trim().is_empty() {
            return Err("nothing to see".to_owned());
        }
        Ok(read(text)?.all)
    };
    let mut all = format!("{}\n{}", part(&embed["title"])?, part(&embed["description"])?);
    for field in embed["fields"].as_array().into_iter().flatten() {
        all.extend([&part(&field["name"])?, ": ", &part(&field["value"])?]);
    }
    Ok(all)
}

#[test]
fn hostile_messages_fit_and_do_nothing() {
    for seed in 0..DOCUMENTS {
        for tame in [false, true] {
            let message = hostile(seed, tame);
            for embed in embeds(&message) {
                if let Err(error) = text(&embed) {
                    panic!("seed {seed}: {error}\n{embed:#}");
                }
            }
        }
    }
}

proptest! {
    /// Any text in any place is valid, and is all there.
    #[test]
    fn any_text_is_shown_whole(text_in in any::<String>(), other in "[ -~]{0,60}", long in "([a-z]{1,12} ){0,900}") {
        let line = |span: fn(String) -> Span, text: &str| Line(vec![span(text.to_owned()), span(other.clone())]);
        let mut blocks = vec![
            Block::Line(line(Span::Text, &text_in)), Block::Line(line(Span::Untrusted, &text_in)),
            Block::Line(line(Span::Code, &text_in)), Block::Line(line(Span::Strong, &long)),
        ];
        if long.len() % 2 == 0 {
            blocks.insert(0, Block::Title(line(Span::Text, &text_in)));
            blocks.push(Block::Fields(vec![("size".to_owned(), line(Span::Untrusted, &text_in))]));
        }
        let message = Message { blocks, ..Message::default() };
        let mut shown = 0;
        for embed in embeds(&message) {
            let text = text(&embed).map_err(TestCaseError::fail)?;
            shown += text.chars().filter(|letter| is_shown(*letter)).count();
        }
        prop_assert_eq!(shown, message.plain_lines().concat().chars().filter(|letter| is_shown(*letter)).count());
    }
}

#[test]
fn everything_that_is_told_is_one_embed() {
    for event in samples() {
        let blocks = bellwether::notify::told(&event, &bellwether::notify::Telling::plain(chrono_tz::Tz::UTC, "paper"));
        let all = embeds(&Message { blocks, ..Message::default() });
        assert_eq!(all.len(), 1, "{}", event.kind.name());
        text(&all[0]).unwrap_or_else(|error| panic!("{}: {error}", event.kind.name()));
    }
}

#[test]
fn blocks_look_as_they_should() {
    let spans = vec![
        Span::Text("a_b ".to_owned()),
        Span::Strong("now".to_owned()),
        Span::Text(" by ".to_owned()),
        Span::Code("T1_2".to_owned()),
        Span::Untrusted(" @everyone <@5> [x](http://y) `z`".to_owned()),
    ];
    let message = Message {
        blocks: vec![
            Block::Title(Line::from("AAPL closed *well*".to_owned())),
            Block::Line(Line(spans)),
            Block::Line(Line::from("- 3 shares".to_owned())),
            Block::Table { header: vec!["a".into(), "b".into()], rows: vec![vec!["x".into(), "1".into()]] },
            Block::Quote("# loud\n1. one".to_owned()),
            Block::Fields(vec![("profit".to_owned(), Line::from("1.50".to_owned()))]),
        ],
        ..Message::default()
    };
    let all = embeds(&message);
    let first = all[0]["description"].as_str().expect("text").lines().next().expect("a line");
    let strangers = r" \@everyone \<\@5\> \[x\](http\://y) \`z\`";
    assert_eq!(first, format!(r"a\_b **now** by `T1_2`{strangers}"));
    let rest: Vec<&str> = all[0]["description"].as_str().expect("text").lines().skip(1).collect();
    assert_eq!(rest, ["\\- 3 shares", "```", "a  b", "x  1", "```", "> \\# loud", "> 1\\. one"]);
    assert_eq!(all[0]["title"], "AAPL closed \\*well\\*");
    assert_eq!(all[0]["fields"], json!([{ "name": "profit", "value": "1.50", "inline": true }]));
    assert_eq!(all[0]["footer"]["text"], "N42");
    assert_eq!(all.len(), 1);
}

/// The lines of a description.
fn described(embed: &Value) -> Vec<&str> {
    embed["description"].as_str().expect("text").lines().collect()
}

#[test]
fn what_is_copied_is_what_was_written() {
    let said = [
        "+1 (212) 555-0123",
        "cost 1234567890.5 at 10:31:05, BRK.B #5 $AAPL EUR/USD",
        "http://a.example/b.c :skull: a```b",
    ];
    let lines = |span: fn(String) -> Span| said.map(|text| Block::Line(Line(vec![span(text.to_owned())])));
    let mut blocks = [lines(Span::Text), lines(Span::Untrusted)].concat();
    blocks.push(Block::Code(said.join("\n")));
    let all = embeds(&Message { blocks, ..Message::default() });
    let text = text(&all[0]).expect("it does nothing");
    let copied: Vec<&str> = text.trim().lines().filter(|line| !line.is_empty()).collect();
    assert!(copied[..6] == [said, said].concat() && copied[6..8] == said[..2], "{copied:?}");
    assert_eq!(described(&all[0])[..2], ["+1 (212) 555-0123", "cost 1234567890.5 at 10:31:05, BRK.B #5 $AAPL EUR/USD"]);
}

#[test]
fn commands_are_named_as_they_are_typed_there() {
    let spans = vec![
        Span::Code("/why T17".to_owned()),
        Span::Text(" or /limits; ".to_owned()),
        Span::Untrusted("/resume".to_owned()),
    ];
    let blocks = vec![
        Block::Title(Line::from("Halted: /resume ends that".to_owned())),
        Block::Line(Line(spans)),
        Block::Code("/status".to_owned()),
        Block::Quote("/status".to_owned()),
        Block::Fields(vec![("see".to_owned(), Line(vec![Span::Code("/locks".to_owned())]))]),
    ];
    let all = embeds(&Message { blocks, ..Message::default() });
    assert_eq!(all[0]["title"], "Halted: /control resume ends that");
    let want = ["`/reasons why of:T17` or /risk limits; /resume", "```", "/status", "```", "> /status"];
    assert_eq!(described(&all[0]), want);
    assert_eq!(all[0]["fields"][0]["value"], "`/risk locks`");
    // Whatever is told, nothing names a command that is not there.
    for event in samples() {
        let blocks = bellwether::notify::told(&event, &bellwether::notify::Telling::plain(chrono_tz::Tz::UTC, "paper"));
        for embed in embeds(&Message { blocks, ..Message::default() }) {
            let text = text(&embed).expect("it fits");
            // "/risk" and "/orders" are groups as well.
            for command in COMMANDS.iter().filter(|command| !["halt", "risk", "orders"].contains(&command.name)) {
                let typed = format!("/{}", command.name);
                assert!(!text.split([' ', '\n']).any(|word| word == typed), "{}: {text}", event.kind.name());
            }
        }
    }
}

/// Columns of spaces do not hold in its letters.
#[test]
fn the_help_is_a_line_a_command() {
    let all = embeds(&help_list());
    let lines: Vec<&str> = all.iter().flat_map(described).collect();
    for embed in &all {
        assert!(text(embed).is_ok(), "{embed:#}");
    }
    assert!(lines.iter().all(|line| !line.contains("  ")), "{lines:?}");
    for command in COMMANDS {
        let path = if command.name == "halt" {
            "/halt".to_owned()
        } else {
            format!("/{} {}", command.group.title().to_lowercase(), command.name)
        };
        let begins = format!("**{}**", path.replace('_', "\\_"));
        assert_eq!(lines.iter().filter(|line| line.starts_with(&begins)).count(), 1, "{begins}");
    }
    assert!(
        lines.contains(&"**/control resume**: Let trading go on; shows the effect, then asks for the PIN"),
        "{lines:?}"
    );
    let one = embeds(&help_of("chart").expect("there"));
    assert!(described(&one[0]).contains(&"For example `/portfolio chart what:AAPL`"), "{one:?}");
}

#[test]
fn what_is_too_long_is_cut_at_the_ends_of_blocks() {
    let blocks = "ABCDEFG".chars().map(|letter| Block::Line(letter.to_string().repeat(1_200).into())).collect();
    let all = embeds(&Message { blocks, ..Message::default() });
    let letters = |embed: &Value| {
        let mut letters: Vec<char> = embed["description"].as_str().expect("text").chars().collect();
        letters.retain(char::is_ascii_uppercase);
        letters.dedup();
        letters.into_iter().collect::<String>()
    };
    assert_eq!(all.iter().map(letters).collect::<Vec<_>>(), ["ABC", "DEF", "G"]);
    let footers: Vec<&str> = all.iter().map(|embed| embed["footer"]["text"].as_str().expect("text")).collect();
    assert_eq!(footers, ["N42 (1/3)", "N42 (2/3)", "N42 (3/3)"]);
    let endless = Message { blocks: vec![Block::Code("x\n".repeat(60_000))], ..Message::default() };
    let all = embeds(&endless);
    assert_eq!(all.len(), 10);
    assert!(all[9]["description"].as_str().expect("text").contains("characters are left out"));
}
