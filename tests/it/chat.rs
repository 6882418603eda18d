//! What people type and what they get back: every command of the table, changes with their PIN, and what a person sees told.

use bellwether::chat::{COMMANDS, Chat, Inbound, Person, Reply, Role, Run};
use bellwether::domain::{Instrument, Style};
use bellwether::notify::SendError;
use bellwether::store::{Points, Store};
use secrecy::SecretString;

use crate::support::{Bench, Fault, FaultyFeed, Life, quick_cross};

fn no_fault(_: u64, _: u64, _: usize) -> Option<Fault> {
    None
}

pub(crate) fn lived() -> Bench {
    let instruments =
        ["AAPL", "MSFT", "BTC-USD"].map(|symbol| Instrument::bare(symbol.parse().expect("symbol"))).to_vec();
    let bench = Bench::new();
    let feed = FaultyFeed::new(3, instruments.clone(), 120, no_fault);
    bench.live(Life::whole(feed, quick_cross)).expect("runs");
    let store = Store::open(&bench.database()).expect("opens");
    store.keep_watchlist("main".parse().expect("name"), "test", instruments).expect("kept");
    store.close();
    bench
}

fn person(role: Role) -> Person {
    Person { name: "owner".to_owned(), role, zone: None, books: None, style: Style::default() }
}

pub(crate) fn inbound(text: &str) -> Inbound {
    Inbound {
        person: person(Role::Owner),
        place: bellwether::chat::Place::Machine,
        chat: "terminal".to_owned(),
        text: text.to_owned(),
    }
}

pub(crate) fn chat(bench: &Bench) -> Chat {
    bench.chat()
}

/// What the owner is answered.
pub(crate) fn said(bench: &Bench, text: &str) -> String {
    match chat(bench).handle(&inbound(text)) {
        Reply::Text(text) => text,
        reply => panic!("{text}: {reply:?}"),
    }
}

/// Every example of the table gets an answer, so that no help text promises what does not work.
#[test]
fn every_example_of_the_table_is_answered() {
    let bench = lived();
    let chat = chat(&bench);
    for command in COMMANDS {
        let reply = chat.handle(&inbound(command.example));
        match (command.name, reply) {
            ("halt", Reply::Admitted { .. }) => {}
            (_, Reply::NeedsPin) if matches!(command.run, Run::Control(_) | Run::Desk(_)) => {}
            ("approve" | "decline", Reply::Refused(text)) => assert!(text.contains("number 7 waits"), "{text}"),
            // Nothing of that number was told yet.
            ("ack", Reply::Refused(text)) => assert_eq!(text, "there is no message N42"),
            ("resume" | "unlock", Reply::Text(text)) => {
                assert!(text.contains("not") || text.contains("nothing"), "{text}");
            }
            (name, Reply::Text(text)) => assert!(!text.is_empty() && !text.contains("no answer now"), "{name}: {text}"),
            ("help", Reply::Message(message)) => assert_eq!(message.plain_lines()[2], "For example /positions"),
            (name, reply) => panic!("{name}: {reply:?}"),
        }
    }
}

#[test]
fn figures_name_their_currency_and_times_their_zone() {
    let bench = lived();
    let chat = chat(&bench);
    let said = |text: &str| match chat.handle(&inbound(text)) {
        Reply::Text(text) => text,
        reply => panic!("{reply:?}"),
    };
    let status = said("/status");
    for part in ["USD", "EST", "loss limit 3.0 %", "open risk", "if every stop fills", "exposure"] {
        assert!(status.contains(part) || (part == "EST" && status.contains("EDT")), "{part}: {status}");
    }
    assert!(said("/pnl all").contains("after fees"));
    assert!(said("/trades 3").contains("results after fees"));
    let first = said("/why T1");
    for part in ["Signal S", "it saw sma3", "passed  buying power:", "Filled", "fee"] {
        assert!(first.contains(part), "{part}: {first}");
    }
    assert!(said("/whynot AAPL").contains("did nothing with AAPL") || said("/whynot AAPL").contains("holds AAPL"));
}

/// How a way is told is the same in both answers, and is for owners and for whom it leads to.
#[test]
fn health_tells_ways_like_deliveries_and_to_whom_they_lead() {
    let bench = lived();
    let health = |role, text: &str| {
        let asked = Inbound { person: person(role), ..inbound(text) };
        match chat(&bench).handle(&asked) {
            Reply::Text(text) => text,
            reply => panic!("{reply:?}"),
        }
    };
    let counts = health(Role::Owner, "/deliveries").lines().next().expect("a way").to_owned();
    let all = health(Role::Owner, "/health");
    assert!(all.contains(&format!("Lane {counts}")), "{counts}: {all}");
    let stranger = Inbound { person: Person { name: "bo".to_owned(), ..person(Role::Viewer) }, ..inbound("/health") };
    let Reply::Text(own) = chat(&bench).handle(&stranger) else { panic!("answered") };
    assert!(all.to_lowercase().contains("lane ") && !own.to_lowercase().contains("lane "), "{own}");
}

#[test]
fn viewers_look_and_change_nothing() {
    let bench = lived();
    let chat = chat(&bench);
    for command in COMMANDS {
        let asked = Inbound { person: person(Role::Viewer), ..inbound(command.example) };
        let refused = matches!(chat.handle(&asked), Reply::Refused(text) if text.contains("not for viewers"));
        assert_eq!(
            refused,
            matches!(command.run, Run::Control(_) | Run::Desk(_)) || matches!(command.name, "test" | "ack"),
            "{}",
            command.name
        );
    }
}

/// Halt needs no PIN and is obeyed at the next start; to resume, the effect is shown and the PIN asked for.
#[test]
fn a_halt_is_obeyed_and_only_the_pin_undoes_it() {
    let bench = Bench::new();
    let feed = || {
        let instruments = ["AAPL", "BTC-USD"].map(|symbol| Instrument::bare(symbol.parse().expect("symbol"))).to_vec();
        FaultyFeed::new(3, instruments, 200, no_fault)
    };
    let piece = || Life { cycles_max: Some(30), ..Life::whole(feed(), |_| {}) };
    let state = |bench: &Bench| bench.saved().books[0].state.to_string();
    bench.live(piece()).expect("runs");
    assert!(matches!(chat(&bench).handle(&inbound("stop")), Reply::Admitted { .. }));
    bench.live(piece()).expect("runs");
    assert_eq!(state(&bench), "halted");

    let talk = chat(&bench);
    assert_eq!(talk.handle(&inbound("/resume")), Reply::NeedsPin);
    talk.set_pin("owner", None, &SecretString::from("2846")).expect("set");
    let Reply::Confirm { id, preview, .. } = talk.handle(&inbound("/resume")) else { panic!("shown") };
    assert!(preview.starts_with("Resume main? It is halted (by owner) since "), "{preview}");
    assert!(talk.confirm(&inbound(""), id, &SecretString::from("1111")).is_err());
    bench.live(piece()).expect("runs");
    assert_eq!(state(&bench), "halted", "a wrong PIN changes nothing");

    let talk = chat(&bench);
    let Reply::Confirm { id, .. } = talk.handle(&inbound("/resume")) else { panic!("shown") };
    talk.confirm(&inbound(""), id, &SecretString::from("2846")).expect("confirmed");
    bench.live(piece()).expect("runs");
    assert_eq!(state(&bench), "running");
    assert_eq!(bench.reader().verify_audit().expect("reads").1, None);
}

/// The PIN is in no table and no file of the store.
#[test]
fn the_pin_stays_nowhere() {
    let bench = lived();
    let talk = chat(&bench);
    talk.set_pin("owner", None, &SecretString::from("739105")).expect("set");
    let mut looked_at = 0;
    for entry in std::fs::read_dir(bench.folder.path()).expect("readable") {
        // The log may be folded into the database while this looks.
        let Ok(bytes) = std::fs::read(entry.expect("readable").path()) else { continue };
        looked_at += 1;
        assert!(!bytes.windows(6).any(|window| window == b"739105"));
    }
    assert!(looked_at > 0);
    drop(talk);
}

#[test]
fn what_cannot_be_delivered_now_is_delivered_later_and_once() {
    let bench = lived();
    bench.sink.fail_with(vec![SendError::Unreachable("scripted".to_owned()), SendError::Closed]);
    bench.deliver(Points::default()).expect("delivers");
    assert_eq!(bench.sink.sent().len(), 0, "a closed channel keeps everything");
    bench.deliver(Points::default()).expect("delivers");
    bench.clock.advance(5_000);
    bench.deliver(Points::default()).expect("delivers");
    let counts = bench.reader().lane_counts().expect("reads").remove(0);
    assert_eq!((counts.accepted, counts.open), (bench.sink.sent().len() as u64, 0));
}

/// The fact stands first, with symbol, price and how the money is marked; then why, the stop, and the book.
#[test]
fn an_entry_is_told_fact_first() {
    let bench = lived();
    bench.deliver(Points::default()).expect("delivers");
    let sent = bench.sink.sent();
    let bought = sent.iter().find(|notice| notice.lines[0].starts_with("Bought")).expect("something was bought");
    assert!(bought.lines[0].ends_with("· paper"), "{:?}", bought.lines);
    assert!(bought.lines[1].starts_with("sma_cross: sma3 "), "{:?}", bought.lines);
    assert!(bought.lines[2].starts_with("Stop ") && bought.lines[2].contains(" of main"), "{:?}", bought.lines);
    assert!(bought.lines[3].starts_with("Exposure "), "{:?}", bought.lines);
    let closed = sent.iter().find(|notice| notice.lines[0].contains(" closed at ")).expect("something was closed");
    assert!(closed.lines[1].contains("/why T"), "{:?}", closed.lines);
}
