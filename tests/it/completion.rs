//! What could be typed next: only what works, only what is one's own, the likeliest first.

use bellwether::chat::{CHOICES_MAX, COMMANDS, Choice, Command, Inbound, Param, Place, Reply, Role, complete};
use bellwether::clock::Timestamp;
use bellwether::views::Views;
use proptest::prelude::*;

use crate::access::{OTHER, OWN, asking, label, lived, of_main};
use crate::support::Bench;

fn at() -> Timestamp {
    Timestamp::from_ms(1_800_000_000_000)
}

fn offered(bench: &Bench, asked: &Inbound, (command, param): (&Command, &Param), before: &[&str]) -> Vec<Choice> {
    let views = Views::open(&bench.database(), asked.asker(), at()).expect("opens");
    complete(&views, (asked.person.role, asked.place), (command, param), before, &asked.text).expect("reads")
}

fn named(name: &str) -> &'static Command {
    COMMANDS.iter().find(|command| command.name == name).expect("there")
}

fn values(bench: &Bench, asked: &Inbound, name: &str, place: usize, before: &[&str]) -> Vec<String> {
    let command = named(name);
    let choices = offered(bench, asked, (command, &command.params[place]), before);
    choices.into_iter().map(|choice| choice.value).collect()
}

fn owner(typed: &str) -> Inbound {
    asking(typed, Role::Owner, Place::Private, None)
}

/// Every place of every command, filled with each choice in turn: none is refused as mistyped.
#[test]
fn what_is_offered_works() {
    let bench = lived();
    let chat = bench.chat();
    let mut tried = 0;
    for command in COMMANDS {
        for (place, param) in command.params.iter().enumerate() {
            let mut before: Vec<String> = Vec::new();
            for earlier in command.params[..place].iter().filter(|earlier| earlier.needed) {
                let known: Vec<&str> = before.iter().map(String::as_str).collect();
                let first = offered(&bench, &owner(""), (command, earlier), &known).first().cloned();
                before.extend(first.map(|choice| choice.value));
            }
            let known: Vec<&str> = before.iter().map(String::as_str).collect();
            for choice in offered(&bench, &owner(""), (command, param), &known) {
                let line = format!("/{} {} {}", command.name, before.join(" "), choice.value);
                let reply = chat.handle(&owner(&line));
                let refused = matches!(&reply, Reply::Refused(_) | Reply::Failed { .. });
                // Bars can be finer than those there are; the engine of the bench has ended.
                let by_engine = matches!(command.name, "chart" | "cycle" | "screener");
                assert!(!refused || by_engine, "{line}: {reply:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 150, "{tried}");
}

#[test]
fn nothing_of_others_is_offered() {
    let bench = lived();
    let mut seen = 0;
    for command in COMMANDS {
        for param in command.params {
            for typed in ["", "m", "ms", "MSFT", "n", "z", "zeta", "delete ", "N", "T", "O"] {
                for choice in offered(&bench, &of_main(typed), (command, param), &[]) {
                    let words = choice.label.to_uppercase();
                    let theirs = OTHER.into_iter().chain(["ZETA"]).find(|name| words.contains(name));
                    assert_eq!(theirs, None, "/{} {typed}: {choice:?}", command.name);
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 100);
    let own = values(&bench, &of_main(""), "whynot", 0, &[]);
    assert!(own.len() == OWN.len() && OWN.iter().all(|name| own.iter().any(|value| value == name)), "{own:?}");
}

#[test]
fn who_may_not_is_offered_nothing() {
    let bench = lived();
    let viewer = asking("", Role::Viewer, Place::Aside, None);
    for (name, place) in [("book", 0), ("book", 1), ("unlock", 0), ("ack", 0)] {
        assert_eq!(values(&bench, &viewer, name, place, &[]), Vec::<String>::new(), "{name}");
    }
    let group = asking("", Role::Owner, Place::Group { name: None, hides_amounts: false, acks: true }, None);
    assert_eq!(values(&bench, &group, "book", 1, &["pause"]), Vec::<String>::new());
    assert!(!values(&bench, &owner(""), "book", 1, &["pause"]).is_empty());
    let commands = values(&bench, &asking("h", Role::Viewer, Place::Private, None), "help", 0, &[]);
    assert!(commands.contains(&"health".to_owned()) && !commands.contains(&"halt".to_owned()), "{commands:?}");
}

#[test]
fn the_likeliest_comes_first_and_only_what_is_possible_now() {
    let bench = lived();
    for (typed, want) in [("ms", "MSFT"), ("AAPL", "AAPL"), ("btc", "BTC-USD"), ("flx", "NFLX"), ("appl", "AAPL")] {
        let found = values(&bench, &owner(typed), "whynot", 0, &[]);
        assert_eq!(found.first().map(String::as_str), Some(want), "{typed}: {found:?}");
    }
    let books = bench.saved().books;
    let held: Vec<String> =
        books.iter().flat_map(|row| &row.book.positions).map(|held| held.symbol.to_string()).collect();
    let all = values(&bench, &owner(""), "whynot", 0, &[]);
    assert!(all[..held.len()].iter().all(|symbol| held.contains(symbol)), "held ones first: {all:?}, {held:?}");
    // Both run: there is nothing to start, and what holds something is not reset.
    assert_eq!(values(&bench, &owner(""), "book", 1, &["start"]), Vec::<String>::new());
    assert_eq!(values(&bench, &owner(""), "book", 1, &["pause"]), ["main", "zeta"]);
    let full = |name: &str| books.iter().any(|row| row.book.name == label(name) && !row.book.positions.is_empty());
    let empty = ["main", "zeta"].into_iter().filter(|name| !full(name)).collect::<Vec<_>>();
    assert_eq!(values(&bench, &owner(""), "book", 1, &["reset"]), empty);
    let locked = values(&bench, &owner(""), "unlock", 0, &[]);
    for symbol in &all {
        let can_be = matches!(bench.chat().handle(&owner(&format!("/unlock {symbol}"))), Reply::NeedsPin);
        assert_eq!(locked.contains(symbol), can_be, "{symbol}");
    }
    assert!((1..all.len()).contains(&locked.len()), "some of them: {locked:?}");
    assert_eq!(values(&bench, &owner(""), "chart", 1, &["equity"]), ["main", "zeta"]);
    assert!(values(&bench, &owner(""), "mute", 0, &[]).iter().all(|kind| kind != "trading_halted"), "never muted");
    bench.chat().handle(&owner("/alert AAPL > 100000"));
    assert_eq!(values(&bench, &owner("del"), "alert", 0, &[]), ["delete A1"]);
    let conditions = values(&bench, &owner("msft"), "alert", 0, &[]);
    assert!(conditions.len() == 4 && conditions.iter().all(|line| line.starts_with("MSFT ")), "{conditions:?}");
}

#[test]
fn whatever_is_typed_few_short_choices_come() {
    let bench = lived();
    let places: Vec<(&Command, &Param)> =
        COMMANDS.iter().flat_map(|command| command.params.iter().map(move |param| (command, param))).collect();
    let cases = ProptestConfig { cases: 64, ..ProptestConfig::default() };
    proptest!(cases, |(typed in "\\PC{0,40}", before in "\\PC{0,10}", which in 0..places.len())| {
        let choices = offered(&bench, &owner(&typed), places[which], &[&before]);
        prop_assert!(choices.len() <= CHOICES_MAX);
        for choice in choices {
            prop_assert!((1..=100).contains(&choice.value.encode_utf16().count()), "{choice:?}");
            prop_assert!((1..=100).contains(&choice.label.chars().count()), "{choice:?}");
        }
    });
}
