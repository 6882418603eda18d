//! Every kind of event is told, in the voice of docs/VOICE.md: calm, short, the fact first, and no amount where none may be seen.

use std::collections::BTreeSet;

use bellwether::chat::COMMANDS;
use bellwether::clock::Timestamp;
use bellwether::domain::format::{grouped, time};
use bellwether::domain::{
    Block, Event, EventKind, KINDS, Line, Message, Money, NoticeId, Quantity, Severity, Span, Style, kind_named,
};
use bellwether::notify::{
    Gathered, Telling, buttons, digest_blocks, living_blocks, story_blocks, summary_blocks, told,
};
use chrono_tz::Tz;

use crate::support::{SAMPLE_AT, SECRETS, THEIRS, VARIANTS, sample, samples, variant};

fn telling() -> Telling {
    Telling::plain(Tz::UTC, "paper")
}

fn for_groups() -> Telling {
    Telling { share_of: Some(Money::whole(1_000_000)), ..telling() }
}

fn lines(blocks: Vec<Block>) -> Vec<String> {
    Message { blocks, ..Message::default() }.plain_lines()
}

fn spans(blocks: &[Block]) -> Vec<Span> {
    let of = |block: &Block| match block {
        Block::Title(Line(spans)) | Block::Line(Line(spans)) => spans.clone(),
        Block::Fields(fields) => fields.iter().flat_map(|(_, line)| line.0.clone()).collect(),
        Block::Table { .. } | Block::Code(_) | Block::Quote(_) => Vec::new(),
    };
    blocks.iter().flat_map(of).collect()
}

#[test]
fn every_kind_has_a_sample_and_a_row_that_tells_how_loud_it_gets() {
    let all = samples();
    let sampled: BTreeSet<&str> = all.iter().map(|event| variant(&event.kind)).collect();
    assert_eq!(sampled, VARIANTS.iter().copied().collect::<BTreeSet<_>>());
    for kind in KINDS {
        let of_kind = all.iter().filter(|event| event.kind.name() == kind.name);
        let loudest = of_kind.map(|event| event.kind.severity()).max();
        assert_eq!(loudest, Some(kind.loudest), "{}", kind.name);
    }
    for event in &all {
        assert!(kind_named(event.kind.name()).is_some(), "{} needs a row in KINDS", event.kind.name());
    }
}

#[test]
fn every_kind_is_told_in_one_voice() {
    for event in samples() {
        let name = event.kind.name();
        let blocks = told(&event, &telling());
        assert!(matches!(blocks.first(), Some(Block::Title(_))), "{name}: the fact comes first");
        assert_eq!(blocks.iter().filter(|block| matches!(block, Block::Title(_))).count(), 1, "{name}");
        assert!(blocks.len() <= 6, "{name}: {} blocks", blocks.len());
        let said = lines(blocks);
        assert!(said[0].chars().count() <= 120, "{name}: {}", said[0]);
        assert_ne!(said[0].to_lowercase(), name.replace('_', " "), "only the name of the kind");
        for line in &said {
            assert!(line.chars().count() <= 200, "{name}: {line}");
            assert!(!line.contains('!') && !line.contains("  ") && !line.contains('`'), "{name}: {line}");
            assert!(line.trim() == line && !line.is_empty() && !line.ends_with('.'), "{name}: {line:?}");
        }
    }
}

/// The longest names that there may be.
#[test]
fn long_names_leave_the_fact_short() {
    let longest = |text: String| {
        let named = |text: String, names: &[&str], name: &str| {
            names.iter().fold(text, |text, old| text.replace(&format!("\"{old}\""), &format!("\"{name}\"")))
        };
        let symbols = ["AAPL", "TSLA", "MSFT", "NVDA", "SPY", "KO", "BRK.B", "ETH-USD", "BTC-PERP"];
        let text = named(text, &symbols, "ABCDEFGHIJKLMNOPQRSTU-W");
        let text = named(text, &["main", "sma_cross", "rsi", "breakout", "ana"], "abcdefghijklmnopqrstu_w");
        text.replace("ana:telegram", "abcdefghijklmnopqrstu_w:telegram")
    };
    for event in samples() {
        let kind = serde_json::from_str(&longest(serde_json::to_string(&event.kind).expect("writes"))).expect("reads");
        let event = Event { book: Some("abcdefghijklmnopqrstu_w".parse().expect("a name")), kind, ..event };
        for telling in [telling(), for_groups()] {
            let said = lines(told(&event, &telling));
            assert!(said[0].chars().count() <= 120, "{}: {}", said[0].chars().count(), said[0]);
            assert!(said.iter().all(|line| line.chars().count() <= 200), "{said:?}");
        }
    }
}

#[test]
fn commands_in_messages_can_be_typed() {
    let known = |name: &str| COMMANDS.iter().any(|command| command.name == name);
    let check = |line: &str, kind: &str| {
        let name = line.trim_start_matches('/').split(' ').next().unwrap_or_default();
        assert!(known(name), "{kind} names {line}");
    };
    for event in samples() {
        let name = event.kind.name();
        for span in spans(&told(&event, &telling())) {
            match span {
                Span::Code(text) if text.starts_with('/') => check(&text, name),
                Span::Text(text) | Span::Strong(text) => {
                    assert!(!text.split(' ').any(|word| word.starts_with('/')), "{name}: {text}");
                }
                Span::Code(_) | Span::Untrusted(_) => {}
            }
        }
        let row = buttons(&event, NoticeId(42));
        assert!(row.len() <= 4, "{name}");
        for button in &row {
            check(&button.line, name);
            assert!(button.label.chars().count() <= 12 && button.line.len() <= 48, "{name}: {button:?}");
        }
        let types = |line: &str| row.iter().any(|button| button.line == line);
        assert_eq!(types("/ack N42"), event.kind.severity() == Severity::Critical, "{name}");
        assert_eq!(types("/less N42"), kind_named(name).is_some_and(|kind| kind.can_wait), "{name}");
    }
}

/// What strangers wrote is marked as theirs wherever it appears.
#[test]
fn the_words_of_strangers_are_marked() {
    let mut seen = 0;
    for event in samples() {
        let blocks = told(&event, &telling());
        for span in spans(&blocks) {
            match span {
                Span::Untrusted(text) => seen += usize::from(text.starts_with(THEIRS)),
                Span::Text(text) | Span::Strong(text) | Span::Code(text) => {
                    assert!(!text.contains("<b>") && !text.contains("@all"), "{}: {text}", event.kind.name());
                }
            }
        }
    }
    assert_eq!(seen, 9);
}

/// Every way in which an amount might be written.
fn leaks(text: &str) -> Option<&'static str> {
    let digits = text.replace(',', "");
    SECRETS.iter().find(|secret| digits.contains(**secret) || text.contains(&grouped(secret))).copied()
}

#[test]
fn groups_see_shares_and_no_amounts() {
    let everything = samples();
    let check = |what: &str, blocks: Vec<Block>| {
        let said = lines(blocks).join("\n");
        assert_eq!(leaks(&said), None, "{what}: {said}");
    };
    for event in &everything {
        check(event.kind.name(), told(event, &for_groups()));
        check("two", story_blocks(&[event.clone(), event.clone()], &for_groups()));
    }
    check("story", story_blocks(&round_trip(), &for_groups()));
    check("digest", digest_blocks(&everything, "Overnight", &for_groups()));
    check("summary", summary_blocks(&gathered(&everything), 60_000, 3, None, &for_groups()));
    let closed = lines(told(&sample("position_closed"), &for_groups()));
    assert_eq!(closed[0], "AAPL closed at 194.05 · +0.9 % of capital (+3.5 %) after 4 d 2 h · paper");
    let open = lines(told(&sample("position_closed"), &telling())).join("\n");
    assert_eq!(leaks(&open), Some("1379"), "the check finds what it looks for: {open}");
}

fn gathered(events: &[Event]) -> Vec<Gathered> {
    let of = |kind: &bellwether::domain::Kind| {
        let samples: Vec<Event> = events.iter().filter(|event| event.kind.name() == kind.name).cloned().collect();
        Gathered { kind: kind.name, count: samples.len() as u64, samples }
    };
    KINDS.iter().map(of).collect()
}

fn round_trip() -> Vec<Event> {
    ["position_opened", "stop_moved", "position_closed"].map(sample).to_vec()
}

fn at(seconds: i64, kind: EventKind) -> Event {
    Event { at: Timestamp::from_ms(SAMPLE_AT.ms() + seconds * 1_000), book: None, kind }
}

#[test]
fn what_is_over_is_told_as_over() {
    let symbol = "AAPL".parse().expect("a symbol");
    let since = SAMPLE_AT;
    let stale = at(30, EventKind::FeedStale { symbol, since });
    let back = at(47, EventKind::FeedRecovered { symbol, since, bars_missing: 2 });
    let said = lines(story_blocks(&[stale.clone(), back.clone()], &telling()));
    let want = [
        "Prices of AAPL were stale for 47 s (15:30:00 to 15:30:47)",
        "Nothing was entered on it meanwhile; missing: 2 bars",
    ];
    assert_eq!(said, want);
    // The episode before the last one is told shortly.
    let again: Vec<Event> = [&stale, &back, &stale, &back].map(Clone::clone).to_vec();
    let said = lines(story_blocks(&again, &telling()));
    assert_eq!(said[..2], want);
    assert_eq!(said[2], "Before, 2026-11-20 15:30 UTC: Prices of AAPL are back, missing: 2 bars");
    assert_eq!(said.len(), 4);
}

#[test]
fn a_trade_that_began_and_ended_is_one_message() {
    let said = lines(story_blocks(&round_trip(), &telling()));
    assert_eq!(said[0], "AAPL bought at 187.42 and closed at 194.05 · +9,042.59 (+3.5 %) after 4 d 2 h · paper");
    assert_eq!(said[1], "sma_cross: sma20 186.91 rose above sma50 186.40 · 2026-11-20 15:30 UTC");
    assert!(said[2].starts_with("By margin call: 1,379 bought at 187.42 · fees 82.74 · carried -17.43"), "{said:?}");
    assert_eq!(said.len(), 4, "where the stop was is over too: {said:?}");
}

/// A story that goes on begins with its last state, and tells six earlier facts at the most; where a stop was before is none.
#[test]
fn a_story_that_goes_on_begins_with_its_last_state() {
    let (scaled, moved) = (sample("position_scaled"), sample("stop_moved"));
    let day = |event: &Event, day: i64| Event { at: event.at.plus_ms(day * 86_400_000), ..event.clone() };
    let events: Vec<Event> = (0..10).flat_map(|number| [day(&scaled, number), day(&moved, number)]).collect();
    let said = lines(story_blocks(&events, &telling()));
    assert!(said[0].starts_with("Stop of AAPL follows"), "{said:?}");
    assert!(said[3].starts_with("Before, 2026-11-28 15:"), "{said:?}");
    assert_eq!(said.iter().filter(|line| line.contains("Stop of")).count(), 1, "{said:?}");
    assert_eq!(said.last().map(String::as_str), Some("and 4 messages before that"));
    assert_eq!(said.len(), 9);
    assert_eq!(story_blocks(&events[..1], &telling()), told(&events[0], &telling()));
    assert!(story_blocks(&[], &telling()).is_empty());
}

/// While a trade is open its message is that of its opening; only its stop and its size are those of now.
#[test]
fn an_open_trade_is_told_as_it_stands() {
    let events = [sample("position_opened"), sample("stop_moved")];
    let before = lines(told(&events[0], &telling()));
    let said = lines(story_blocks(&events, &telling()));
    let stop = "Stop 185.10 (-1.2 %), was 182.30, trailing · target 201.00 · risk 3,199.28, 0.3 % of main";
    assert_eq!(said, [before[0].as_str(), &before[1], stop, &before[3]]);
    // More is bought, then the stop passes what was paid.
    let (symbol, quantity) = ("AAPL".parse().expect("a symbol"), Quantity::whole(2_000));
    let (average, from) = ("188.00".parse().expect("a price"), "185.10".parse().expect("a price"));
    let scaled = EventKind::PositionScaled { symbol, quantity, average, stop: Some(from) };
    let to = "189.50".parse().expect("a price");
    let passed = EventKind::StopMoved { symbol, from, to, quantity, average };
    let book = events[0].book;
    let more = |kind, seconds| Event { book, ..at(seconds, kind) };
    let events = [events.to_vec(), vec![more(scaled, 600), more(passed, 1_200)]].concat();
    let said = lines(story_blocks(&events, &telling()));
    let want = [
        before[0].as_str(),
        &before[1],
        "In parts: 2,000 held now, at 188.00 on average · 2026-11-20 15:40 UTC",
        "Stop 189.50 (+0.8 %), was 185.10, trailing · target 201.00 · +3,000.00, +0.3 % of main if it fills there",
        "At first: exposure 24.0 % of 60.0 % · cash 77,510.27 · /why O17",
    ];
    assert_eq!(said, want);
    let hidden = lines(story_blocks(&events, &for_groups())).join("\n");
    assert!(leaks(&hidden).is_none() && !hidden.contains("2,000") && !hidden.contains("3,000"), "{hidden}");
}

/// The message of a trade that is over says how it began and what it came to: all else stands in the message that told the end.
#[test]
fn the_message_of_a_trade_that_is_over_is_short() {
    let said = lines(living_blocks(&round_trip(), &telling()));
    let want = ["Bought 1,379 AAPL at 187.42 · paper", "Closed 2026-11-24 17:33 UTC: +9,042.59 (+3.5 %) · /why T9"];
    assert_eq!(said, want);
    assert_eq!(living_blocks(&round_trip()[..2], &telling()), story_blocks(&round_trip()[..2], &telling()));
    let stale = [sample("feed_stale"), sample("feed_recovered")];
    assert_eq!(living_blocks(&stale, &telling()), story_blocks(&stale, &telling()));
    assert_eq!(leaks(&lines(living_blocks(&round_trip(), &for_groups())).join("\n")), None);
}

/// A fact has one time, wherever it is told.
#[test]
fn an_earlier_fact_has_the_time_that_it_was_told_with() {
    let (mut opened, closed) = (sample("position_opened"), sample("position_closed"));
    // The cycle is later than the bar of its fill.
    opened.at = opened.at.plus_ms(60_000);
    let said = lines(story_blocks(&[closed, opened.clone(), opened.clone()], &telling()));
    let EventKind::PositionOpened { fill, .. } = &opened.kind else { panic!("{opened:?}") };
    let at = time(fill.at, Tz::UTC);
    assert!(said[1].ends_with(&at) && said.iter().any(|line| line.starts_with(&format!("Before, {at}: Bought"))));
}

#[test]
fn a_storm_is_counted_and_a_night_is_listed() {
    let closed = sample("position_closed");
    let halted = sample("trading_halted");
    let kinds = [
        Gathered { kind: "position_closed", count: 3, samples: vec![closed.clone(); 3] },
        Gathered { kind: "order_filled", count: 33, samples: vec![sample("order_filled")] },
        Gathered { kind: "trading_halted", count: 1, samples: vec![halted.clone()] },
    ];
    let want = [
        "37 messages in 4 min",
        "HALTED main: by ana",
        "3 positions closed · AAPL · +27,127.77 together",
        "33 x an order was filled, wholly or in part · AAPL and others",
        "/missed shows them one by one",
    ];
    assert_eq!(lines(summary_blocks(&kinds, 240_000, 37, Some("`/missed` shows them one by one"), &telling())), want);
    let night = digest_blocks(&[halted, closed.clone(), closed], "Overnight: 3", &telling());
    let want = [
        "Overnight: 3",
        "2 positions closed",
        "15:33:00 AAPL closed at 194.05 · +9,042.59 (+3.5 %) after 4 d 2 h · paper",
        "15:33:00 AAPL closed at 194.05 · +9,042.59 (+3.5 %) after 4 d 2 h · paper",
        "16:08:00 HALTED main: by ana",
    ];
    assert_eq!(lines(night), want);
}

#[test]
fn figures_come_in_the_readers_style_and_a_made_up_market_is_marked() {
    let style = Style { numbers: "1.234,56".parse().expect("a style"), ..Style::default() };
    let said = lines(told(&sample("position_opened"), &Telling { style, ..telling() }));
    assert_eq!(said[0], "Bought 1.379 AAPL at 187,42 · paper");
    assert_eq!(said[3], "Exposure 24,0 % of 60,0 % · cash 77.510,27 · /why O17");
    let said = lines(story_blocks(&round_trip(), &Telling { style, ..telling() }));
    assert!(said[0].contains("187,42"), "{said:?}");
    for event in samples() {
        let said = lines(told(&event, &Telling::plain(Tz::UTC, "sim")));
        assert!(said[0].contains("sim"), "{}", said[0]);
    }
}
