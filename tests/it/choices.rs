//! What is offered where something is missing, and while it is typed: only what works, only what one may.

use bellwether::chat::{Inbound, Place, Reply, Role, typed_so_far};
use bellwether::clock::Timestamp;
use bellwether::domain::{Button, Message};
use bellwether::views::Views;
use proptest::prelude::*;

use crate::access::{OTHER, asking, lived, of_main};
use crate::support::Bench;

fn owner(typed: &str) -> Inbound {
    asking(typed, Role::Owner, Place::Private, None)
}

fn offered(bench: &Bench, asked: &Inbound) -> Option<Message> {
    match bench.chat().handle(asked) {
        Reply::Message(message) => Some(*message),
        _ => None,
    }
}

fn buttons(message: &Message) -> Vec<&Button> {
    message.buttons.iter().flatten().collect()
}

#[test]
fn a_command_that_misses_something_offers_what_works() {
    let bench = lived();
    let mut tried = 0;
    for command in bellwether::chat::COMMANDS.iter().filter(|command| command.params.iter().any(|param| param.needed)) {
        let line = format!("/{}", command.name);
        let Some(message) = offered(&bench, &owner(&line)) else { continue };
        let first = message.plain_lines()[0].clone();
        assert!(first.starts_with(&command.usage()) && first.ends_with('?'), "{first}");
        assert!((1..=9).contains(&buttons(&message).len()) && message.buttons.iter().all(|row| row.len() <= 3));
        for button in buttons(&message) {
            assert!(button.line.starts_with(&format!("{line} ")) && button.line.ends_with(&button.label), "{button:?}");
            let reply = bench.chat().handle(&owner(&button.line));
            let by_engine = matches!(command.name, "cycle" | "chart");
            assert!(by_engine || !matches!(reply, Reply::Refused(_) | Reply::Failed { .. }), "{button:?}: {reply:?}");
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
    // More than there is room for stands below.
    let kinds = offered(&bench, &owner("/mute")).expect("kinds");
    assert!(kinds.plain_lines()[1].starts_with("Or "), "{:?}", kinds.plain_lines());
    // What needs nothing more is answered, and where nothing can be chosen the use is told.
    assert!(matches!(bench.chat().handle(&owner("/help why")), Reply::Message(message) if message.buttons.is_empty()));
    assert!(matches!(bench.chat().handle(&owner("/frobnicate")), Reply::Refused(_)));
}

#[test]
fn nothing_is_offered_to_whoever_may_not() {
    let bench = lived();
    let viewer = |typed: &str| asking(typed, Role::Viewer, Place::Private, None);
    for line in ["/unlock", "/book"] {
        assert_eq!(offered(&bench, &viewer(line)), None, "{line}");
        assert!(matches!(bench.chat().handle(&viewer(line)), Reply::Refused(_)));
    }
    let lines = |asked: &Inbound| -> Vec<String> {
        let message = offered(&bench, asked).expect("something");
        buttons(&message).iter().map(|button| button.line.clone()).collect()
    };
    for bare in ["#", "/"] {
        assert!(lines(&owner(bare)).contains(&"#emergency-stop".to_owned()));
        let views = lines(&viewer(bare));
        assert!(views.contains(&"/status".to_owned()) && views.iter().all(|line| !line.starts_with('#')), "{views:?}");
    }
    let hidden = Place::Group { name: None, hides_amounts: true, acks: true };
    assert_eq!(lines(&asking("/", Role::Owner, hidden, None)), ["/status"]);
    // Nobody sees what others hold.
    for line in ["/", "#", "/why", "/whynot", "/alert", "/trace", "#MSFT"] {
        let Some(message) = offered(&bench, &of_main(line)) else { continue };
        let words = format!("{message:?}").to_uppercase();
        assert_eq!(
            OTHER.into_iter().find(|name| words.contains(name) && !line.contains(name)),
            None,
            "{line}: {words}"
        );
    }
}

/// What is held can be left, protected and aimed at with buttons alone: position, action, level.
#[test]
fn what_is_held_is_handled_by_buttons() {
    let bench = lived();
    let pressed = |line: &str| offered(&bench, &owner(line)).unwrap_or_else(|| panic!("{line}: nothing"));
    let lines = |message: &Message| -> Vec<String> { buttons(message).iter().map(|it| it.line.clone()).collect() };
    let first = lines(&pressed("#"));
    assert!(first.contains(&"#close-all".to_owned()) && first.contains(&"#emergency-stop".to_owned()), "{first:?}");
    let books = bench.saved().books;
    let held = books.iter().flat_map(|row| &row.book.positions).next().expect("held").symbol;
    assert!(first.iter().any(|line| line.starts_with(&format!("#{held}"))), "{held}: {first:?}");
    let actions = lines(&pressed(&format!("#{held}")));
    let want = ["close", "close 50%", "stop", "target", "trailing"].map(|action| format!("#{held} {action}"));
    assert_eq!(actions, want);
    let levels = lines(&pressed(&format!("#{held} stop")));
    assert!(levels.contains(&format!("/sl {held} 5%")), "{levels:?}");
    // What is not held has nothing to be done with.
    assert_eq!(offered(&bench, &owner("#NOTHING")), None);
    assert_eq!(offered(&bench, &asking(&format!("#{held}"), Role::Viewer, Place::Private, None)), None);
}

#[test]
fn a_line_is_completed_while_it_is_typed() {
    let bench = lived();
    let views =
        Views::open(&bench.database(), owner("").asker(), Timestamp::from_ms(1_800_000_000_000)).expect("opens");
    let found = |line: &str| {
        let typed = typed_so_far(&views, (Role::Owner, Place::Machine), line).expect("reads");
        let values: Vec<String> = typed.choices.into_iter().map(|choice| choice.value).collect();
        (typed.begins, values)
    };
    assert_eq!(found("/why"), (0, vec!["/why".to_owned(), "/whynot".to_owned()]));
    assert_eq!(found("/whynot MS").1.first().map(String::as_str), Some("MSFT"));
    assert_eq!(found("/whynot MS").0, 8);
    assert_eq!(found("  /whynot  ms").0, 11);
    assert!(found("/whynot AAPL ").1.is_empty(), "there is no more place");
    assert_eq!(found("/book pa"), (6, vec!["pause".to_owned()]));
    assert_eq!(found("/book pause "), (12, vec!["main".to_owned(), "zeta".to_owned()]));
    let (begins, conditions) = found("/alert MSFT > ");
    assert_eq!(begins, 7);
    assert!(conditions[0].starts_with("MSFT > "), "{conditions:?}");
    assert_eq!(found("/mute feed_stale unt"), (17, vec!["until 16:00".to_owned()]));
    assert_eq!(found("/mute feed_stale until 1"), (17, vec!["until 16:00".to_owned()]));
    assert!(found("#em").1.contains(&"#emergency-stop".to_owned()));
    assert!(found("#").1.len() > 1);
    assert!(found("frob").1.is_empty() && found("/frobnicate a").1.is_empty());
    let viewer = typed_so_far(&views, (Role::Viewer, Place::Machine), "/ha").expect("reads");
    assert!(viewer.choices.is_empty(), "{viewer:?}");
}

#[test]
fn whatever_is_typed_completion_begins_within_it() {
    let bench = lived();
    let views =
        Views::open(&bench.database(), owner("").asker(), Timestamp::from_ms(1_800_000_000_000)).expect("opens");
    let cases = ProptestConfig { cases: 256, ..ProptestConfig::default() };
    proptest!(cases, |(line in prop_oneof!["\\PC{0,40}", "[/#](why|mute|alert|AAPL|order-1|book|chart)[ \u{a0}\u{3000}a-zé0-9>]{0,20}"])| {
        let typed = typed_so_far(&views, (Role::Owner, Place::Machine), &line).expect("reads");
        prop_assert!(line.is_char_boundary(typed.begins), "{}", typed.begins);
        let asked = owner(&line);
        if let Some(message) = offered(&bench, &asked) {
            prop_assert!(message.buttons.iter().flatten().count() <= 9);
        }
    });
}
