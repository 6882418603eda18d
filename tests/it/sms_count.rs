//! R16: how long short messages are, counted by others too, and what is left of a message when it becomes one.

use std::io::Write as _;
use std::process::{Command, Stdio};

use bellwether::channels::{CARRIER_WORDS, Encoding, SmsForm, short_text, sms_segments, with_lookalikes};
use bellwether::domain::{Block, Button, Line, Message, NoticeId, Severity, Span};
use bellwether::notify::{Post, Telling, buttons, told};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{hostile, post, samples, titled};

const BOTH: SmsForm = SmsForm { one_segment: false, whole: false, answers: true, before: "" };

fn names(text: &str) -> (&'static str, u64) {
    let name = match Encoding::of(text) {
        Encoding::Gsm7 => "GSM-7",
        Encoding::Ucs2 => "UCS-2",
    };
    (name, sms_segments(text) as u64)
}

#[test]
fn two_calculators_of_others_counted_the_same() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/sms_segments.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON");
    let cases = golden["cases"].as_array().expect("cases");
    assert!(cases.len() >= 40);
    for case in cases {
        let text = case["text"].as_str().expect("text");
        let (encoding, segments) = names(text);
        assert_eq!(
            (&Value::from(encoding), &Value::from(segments)),
            (&case["encoding"], &case["segments"]),
            "{text:?}"
        );
    }
}

/// A small generator of the test's own.
fn draw(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// Texts of letters that cost differently, most of them near a border. Letters that join with others are left out: see the script.
fn texts(count: usize) -> Vec<String> {
    const KINDS: [&str; 6] =
        ["abc XYZ 0123456789.,:;-%+", "èéùìòÇØøÅåΔΦΓΛΩ£¥¤§¿¡Ññ", "^{}\\[~]|€", "çãõяЖשλ東京“”–…", "🔔📈🦀𝄞", "\n"];
    const LENGTHS: [u64; 9] = [1, 67, 70, 134, 153, 160, 201, 306, 459];
    let mut seed = 20_261_121;
    (0..count)
        .map(|_| {
            let near = LENGTHS[(draw(&mut seed) % 9) as usize] + draw(&mut seed) % 7;
            let usual = draw(&mut seed) % 4;
            let mut text = String::new();
            for _ in 0..near {
                let odd = draw(&mut seed).is_multiple_of(12);
                let kind = if odd { draw(&mut seed) % (2 + usual * 2).min(6) } else { usual % 3 };
                let letters: Vec<char> = KINDS[kind as usize].chars().collect();
                text.push(letters[(draw(&mut seed) as usize) % letters.len()]);
            }
            text
        })
        .collect()
}

/// Twilio's own calculator, where `SMS_CALCULATOR` names the folder that npm put it in.
#[test]
fn thousands_of_texts_are_counted_as_twilios_calculator_counts_them() {
    let Some(modules) = std::env::var_os("SMS_CALCULATOR") else {
        std::io::stderr().write_all(b"skipped: SMS_CALCULATOR names no calculator\n").expect("written");
        return;
    };
    let texts = texts(20_000);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/sms_segments.js");
    let mut node = Command::new("node");
    let node = node.arg(script).env("NODE_PATH", modules).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut node = node.spawn().expect("node");
    let mut input = node.stdin.take().expect("piped");
    let asked = serde_json::to_vec(&texts).expect("JSON");
    let writer = std::thread::spawn(move || input.write_all(&asked));
    let output = node.wait_with_output().expect("ends");
    writer.join().expect("ends").expect("written");
    let counted: Vec<(String, u64)> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(counted.len(), texts.len());
    let (mut wrong, mut several) = (Vec::new(), 0);
    for (text, theirs) in texts.iter().zip(counted) {
        let ours = names(text);
        several += usize::from(ours.1 > 1);
        if (ours.0, ours.1) != (theirs.0.as_str(), theirs.1) {
            wrong.push((text, ours, theirs));
        }
    }
    eprintln!("{} texts, {several} of several segments, {} counted otherwise", texts.len(), wrong.len());
    assert!(wrong.is_empty(), "{:?}", wrong.first());
}

fn text(message: Message) -> String {
    short_text(&post(1, message), BOTH)
}

#[test]
fn the_fact_comes_first_and_what_still_fits_follows() {
    let mut message = Message::of_lines(["HALTED main: daily loss limit".to_owned(), "−2.1 % of −2 %".to_owned()]);
    message.blocks.push(Block::Line(Line(vec![Span::Code("/resume".to_owned()), Span::Text(" goes on".to_owned())])));
    message.blocks.push(Block::Line("x".repeat(160).into()));
    message.blocks.push(Block::Line("never reached".to_owned().into()));
    assert_eq!(text(message.clone()), "N42 HALTED main: daily loss limit\n-2.1 % of -2 %");
    message.buttons = vec![vec![Button::new("Seen", "/ack N42")]];
    let critical = Post { severity: Severity::Critical, ..post(1, message.clone()) };
    let said = short_text(&critical, BOTH);
    assert!(said.ends_with("-2.1 % of -2 %\nReply ACK or STATUS"), "{said}");
    let unheard = short_text(&critical, SmsForm { answers: false, ..BOTH });
    assert!(!unheard.contains("Reply"), "nobody hears an answer: {unheard}");
    let answer = Post { number: None, ..post(1, titled("Done")) };
    assert_eq!(short_text(&answer, BOTH), "Done\nand more");
}

#[test]
fn a_fact_longer_than_a_segment_has_three_at_the_most() {
    let long = |count| text(titled(&"word ".repeat(count)));
    assert_eq!(sms_segments(&long(31)), 1);
    assert_eq!(sms_segments(&long(50)), 2);
    let cut = long(400);
    assert!(sms_segments(&cut) == 3 && cut.ends_with("..."), "{cut}");
    let one = short_text(&post(1, titled(&"word ".repeat(400))), SmsForm { one_segment: true, ..BOTH });
    assert!(sms_segments(&one) == 1 && one.ends_with("..."), "{one}");
    for letter in ["я", "🔔", "€"] {
        let cut = text(titled(&letter.repeat(500)));
        assert_eq!(sms_segments(&cut), 3, "{letter}");
    }
}

#[test]
fn no_text_is_a_word_of_the_carriers() {
    for word in CARRIER_WORDS {
        let answer = Post { number: None, ..post(1, Message::answer(&format!(" {} ", word.to_lowercase()))) };
        assert_eq!(short_text(&answer, BOTH), format!("Note: {}", word.to_lowercase()));
    }
}

/// Every fact that there is: our own words are GSM-7, and those that every owner is told fit into one segment.
#[test]
fn each_fact_is_one_segment_of_our_own_words() {
    let telling = Telling::plain(chrono_tz::America::New_York, "paper");
    let mut several = Vec::new();
    for event in samples() {
        let mut message = Message { blocks: told(&event, &telling), ..Message::default() };
        // What strangers wrote may be anything.
        for block in &mut message.blocks {
            if let Block::Title(line) | Block::Line(line) = block {
                line.0.retain(|span| !matches!(span, Span::Untrusted(_)));
            }
        }
        message.blocks.retain(|block| matches!(block, Block::Title(_) | Block::Line(_)));
        let message = message.with_buttons(buttons(&event, NoticeId(131)));
        let post = Post { number: Some(NoticeId(131_000)), severity: event.kind.severity(), ..post(1, message) };
        let said = short_text(&post, BOTH);
        assert_eq!(Encoding::of(&said), Encoding::Gsm7, "{said}");
        assert!(said.starts_with("N131000 ") && !said.contains("//"), "{said}");
        if sms_segments(&said) > 1 {
            several.push(said);
        }
    }
    assert!(several.is_empty(), "{several:#?}");
}

#[test]
fn hostile_messages_become_short_texts_without_links() {
    for seed in 0..3_000 {
        let said = text(hostile(seed, false));
        assert!(sms_segments(&said) <= 3, "{seed}: {said}");
        let lower = said.to_lowercase();
        assert!(!lower.contains("://"), "{seed}: {said}");
        assert!(
            !lower.contains("evil.example") && !lower.contains("t.me/") && !lower.contains(".com"),
            "{seed}: {said}"
        );
        assert!(!said.contains('\u{202e}') && !said.contains('\u{2060}'), "{seed}: {said}");
    }
}

proptest! {
    /// What is replaced costs no more, and what has no look-alike stays.
    #[test]
    fn lookalikes_never_turn_a_text_into_ucs2(text in "\\PC{0,300}") {
        let replaced = with_lookalikes(&text);
        prop_assert!(Encoding::of(&text) == Encoding::Ucs2 || replaced == text);
        prop_assert_eq!(with_lookalikes(&replaced), replaced.clone());
    }

    /// Whatever it is made of, a message is three segments at the most, and one where it has to be.
    #[test]
    fn any_text_fits(fact in "\\PC{0,900}", more in "\\PC{0,200}") {
        let message = Message::of_lines([fact, more]);
        prop_assert!(sms_segments(&text(message.clone())) <= 3);
        let one = short_text(&post(1, message), SmsForm { one_segment: true, whole: false, answers: false, before: "" });
        prop_assert_eq!(sms_segments(&one), 1);
    }
}
