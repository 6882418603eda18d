//! Figures for a reader: the usual style changes nothing, and any other can be read back to the same figures.

use bellwether::chat::{COMMANDS, Inbound, Person, Reply, Run};
use bellwether::domain::format::grouped;
use bellwether::domain::{DateStyle, HourStyle, Message, NumberStyle, Style};
use bellwether::notify::{Telling, told};
use proptest::prelude::*;

use crate::chat::{inbound, lived, said};
use crate::support::{Bench, samples};

const OTHER: Style = Style { numbers: NumberStyle::Dot, dates: DateStyle::DayFirst, hours: HourStyle::Half };

/// A number of this style as it would be in the usual one.
fn read_back(text: &str, numbers: NumberStyle) -> String {
    let (group, point) = match numbers {
        NumberStyle::Comma => (',', '.'),
        NumberStyle::Dot => ('.', ','),
        NumberStyle::Space => ('\u{a0}', ','),
    };
    let usual = |letter| match letter {
        letter if letter == group => ',',
        letter if letter == point => '.',
        letter => letter,
    };
    text.chars().map(usual).collect()
}

proptest! {
    #[test]
    fn the_usual_style_changes_nothing(text in any::<String>(), figures in "[0-9,.:/ a-z+-]{0,60}") {
        for text in [text, figures] {
            prop_assert_eq!(Style::default().apply(&text), text.as_str());
        }
    }

    #[test]
    fn any_style_can_be_read_back(units in -1_000_000_000_000i64..1_000_000_000_000, places in 0usize..9) {
        let digits = format!("{:0>10}", units.unsigned_abs());
        let (whole, part) = digits.split_at(digits.len() - places);
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            whole => whole,
        };
        let (sign, point) = (if units < 0 { "-" } else { "" }, if places > 0 { "." } else { "" });
        let number = grouped(&format!("{sign}{whole}{point}{part}"));
        for numbers in [NumberStyle::Comma, NumberStyle::Dot, NumberStyle::Space] {
            let other = Style { numbers, ..Style::default() };
            let written = other.apply(&format!("at {number} now")).into_owned();
            let inside = written.strip_prefix("at ").and_then(|text| text.strip_suffix(" now")).expect("the words stay");
            prop_assert_eq!(read_back(inside, numbers), number.as_str());
        }
    }

    /// Nothing but figures is touched, whatever the text.
    #[test]
    fn letters_stay(text in any::<String>(), figures in "[0-9,.:/ a-zA-Z+-]{0,60}") {
        let other = Style { hours: HourStyle::Day, ..OTHER };
        let bare = |text: &str| text.chars().filter(|letter| !",.-0123456789".contains(*letter)).collect::<String>();
        for text in [text, figures] {
            prop_assert_eq!(bare(&other.apply(&text)), bare(&text));
        }
    }
}

/// Telling in a style is telling in the usual one and rewriting it: no part is left out, none is rewritten twice.
#[test]
fn everything_told_is_in_the_readers_style() {
    for event in samples() {
        let usual = Telling::plain(chrono_tz::Tz::UTC, "paper");
        let message = |telling: &Telling| Message { blocks: told(&event, telling), ..Message::default() };
        let styled = message(&Telling { style: OTHER, ..usual });
        assert_eq!(message(&usual).styled(OTHER), styled, "{}", event.kind.name());
        assert!(!styled.plain_lines()[0].contains("2026-11-2"), "{styled:?}");
    }
}

/// What somebody of this style is answered.
fn answered(bench: &Bench, text: &str, style: Style) -> Reply {
    let asked = inbound(text);
    bench.chat().handle(&Inbound { person: Person { style, ..asked.person.clone() }, ..asked })
}

fn words(reply: Reply) -> String {
    match reply {
        Reply::Text(text) => text,
        reply => panic!("{reply:?}"),
    }
}

/// Every word of a text that is a number in this style, in the usual one.
fn numbers(text: &str, style: NumberStyle) -> Vec<String> {
    let bare = |word: &str| word.trim_matches(|letter: char| !letter.is_ascii_digit()).to_owned();
    let is_number = |word: &String| word.chars().all(|letter| letter.is_ascii_digit() || ",.\u{a0}".contains(letter));
    let all = text.split([' ', '\n']).map(bare).filter(|word| !word.is_empty()).filter(is_number);
    all.map(|word| read_back(&word, style)).collect()
}

/// Answers are written like notices, for who asks, and say the same figures.
#[test]
fn answers_are_in_the_style_of_who_asks() {
    let bench = lived();
    let mut read = 0;
    let views =
        COMMANDS.iter().filter(|one| matches!(one.run, Run::View(_) | Run::ViewOrFile(..) | Run::ViewOrAsk(..)));
    for command in views {
        let line = command.example;
        let usual = said(&bench, line);
        for style in [NumberStyle::Dot, NumberStyle::Space] {
            let text = words(answered(&bench, line, Style { numbers: style, ..Style::default() }));
            assert_eq!(numbers(&text, style), numbers(&usual, NumberStyle::Comma), "{line}: {text}");
            read += usize::from(text != usual);
        }
        assert_eq!(words(answered(&bench, line, OTHER)), OTHER.apply(&usual), "{line}: once, and all of it");
    }
    assert!(read > 20, "{read} answers have figures");
    let status = words(answered(&bench, "/status", OTHER));
    assert!(status.contains("with 10.000,00 ") && !status.contains("10,000.00"), "{status}");
    assert!(status.contains(" am ") || status.contains(" pm "), "{status}");
}

/// What is to be typed is the same for everybody, and so is a file.
#[test]
fn help_and_files_have_no_style() {
    let bench = lived();
    for line in ["/help", "/help alert", "/start"] {
        assert_eq!(answered(&bench, line, OTHER), answered(&bench, line, Style::default()), "{line}");
    }
    let file = |style| match answered(&bench, "/trades csv", style) {
        Reply::Message(message) => message.file.expect("a file").bytes,
        reply => panic!("{reply:?}"),
    };
    assert_eq!(file(OTHER), file(Style::default()));
}
