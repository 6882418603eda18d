//! What happens between a preview and its PIN: what was shown then is not what is confirmed now.

use bellwether::chat::{Inbound, Person, Place, Reply, Role};
use bellwether::domain::{Instrument, Label, Purpose, Style, TradingState};
use bellwether::engine::DeskSettings;
use bellwether::market::{SimulatedFeed, SimulatedWithHistory};
use bellwether::store::BookRow;
use bellwether::strategy::{Values, find};
use secrecy::SecretString;

use crate::support::{Bench, Life};

const PIN: &str = "2846";

fn label(text: &str) -> Label {
    text.parse().expect("a name")
}

/// Strategies that never say anything: what happens, people do.
fn silent(desk: &mut DeskSettings) {
    let kind = find("sma_cross").expect("listed");
    let written =
        [("fast", "499"), ("slow", "500")].map(|(key, value)| (key.to_owned(), value.parse().expect("number")));
    desk.strategies[0].values = Values::check(kind.name, kind.params, &written).expect("in range");
}

/// Two books that trade the same coins.
fn run(bench: &Bench, cycles: u64) {
    let coins: Vec<Instrument> =
        ["BTC-USD", "ETH-USD"].map(|name| Instrument::bare(name.parse().expect("a symbol"))).to_vec();
    let start = SimulatedFeed::history_start(bellwether::domain::Timeframe::H1, 100, &coins);
    let feed = SimulatedWithHistory::new(SimulatedFeed::new(11, bellwether::domain::Timeframe::H1, coins, start));
    let life = Life { cycles_max: Some(cycles), ..Life::whole(feed, silent) }.with_book("zeta", silent);
    bench.live(life).expect("runs");
}

fn lived() -> Bench {
    let bench = Bench::new();
    run(&bench, 40);
    bench
}

fn typed(person: &str, books: Option<&str>, chat: &str, text: &str) -> Inbound {
    let books = books.map(|book| vec![label(book)]);
    let person = Person { name: person.to_owned(), role: Role::Owner, zone: None, books, style: Style::default() };
    Inbound { person, place: Place::Private, chat: chat.to_owned(), text: text.to_owned() }
}

/// Shows a change; its prompt and what it says.
fn show(bench: &Bench, inbound: &Inbound) -> (i64, String) {
    let (chat, pin) = (bench.chat(), SecretString::from(PIN));
    if !bench.reader().has_pin(&inbound.person.name).expect("reads") {
        chat.set_pin(&inbound.person.name, None, &pin).expect("set");
    }
    match chat.handle(inbound) {
        Reply::Confirm { id, preview } => (id, preview),
        reply => panic!("{}: {reply:?}", inbound.text),
    }
}

/// Confirms what was shown; what came of it, an hour later.
fn confirm(bench: &Bench, inbound: &Inbound, id: i64) -> String {
    bench.chat().confirm(inbound, id, &SecretString::from(PIN)).expect("confirmed");
    run(bench, 1);
    bench.chat().result_of(id).expect("reads").expect("carried out")
}

fn done(bench: &Bench, text: &str) -> String {
    let inbound = typed("owner", None, "telegram:1", text);
    let (id, _) = show(bench, &inbound);
    confirm(bench, &inbound, id)
}

fn halt(bench: &Bench, person: &str, books: Option<&str>) {
    let inbound = typed(person, books, "telegram:9", "/halt");
    assert!(matches!(bench.chat().handle(&inbound), Reply::Admitted { .. }));
    run(bench, 1);
}

fn book(bench: &Bench, name: &str) -> BookRow {
    bench.saved().books.into_iter().find(|row| row.book.name == label(name)).expect("one")
}

#[test]
fn who_halts_what_is_halted_is_not_overruled_by_what_was_shown_before() {
    let bench = lived();
    halt(&bench, "ana", None);
    let resume = typed("ben", None, "telegram:2", "/resume");
    let (id, _) = show(&bench, &resume);
    halt(&bench, "ana", None);
    assert!(confirm(&bench, &resume, id).starts_with("not done: things changed"));
    assert_eq!(book(&bench, "main").state, TradingState::Halted);
    let (id, _) = show(&bench, &resume);
    assert!(confirm(&bench, &resume, id).starts_with("running: main, zeta"));
}

/// The market's time stands still at night: it is not by the time that the later halt is known.
#[test]
fn a_second_halt_counts_between_two_bars_too() {
    let bench = lived();
    halt(&bench, "ana", None);
    let resume = typed("ben", None, "telegram:2", "/resume");
    let (id, _) = show(&bench, &resume);
    for text in ["/halt", "/halt"] {
        assert!(matches!(bench.chat().handle(&typed("ana", None, "telegram:9", text)), Reply::Admitted { .. }));
        run(&bench, 0);
    }
    bench.chat().confirm(&resume, id, &SecretString::from(PIN)).expect("confirmed");
    run(&bench, 0);
    let result = bench.chat().result_of(id).expect("reads").expect("carried out");
    assert!(result.starts_with("not done: things changed"), "{result}");
    assert_eq!(book(&bench, "main").state, TradingState::Halted);
}

#[test]
fn what_is_resumed_was_shown_to_be() {
    let bench = lived();
    done(&bench, "/pause zeta");
    halt(&bench, "ana", Some("main"));
    let resume = typed("ben", None, "telegram:2", "/resume");
    let (first, shown) = show(&bench, &resume);
    assert!(shown.contains("Resume main?") && !shown.contains("zeta"), "{shown}");
    let elsewhere = typed("ben", None, "discord:2", "/resume");
    let (second, _) = show(&bench, &elsewhere);
    assert!(confirm(&bench, &elsewhere, second).starts_with("running: main"));
    assert!(confirm(&bench, &resume, first).starts_with("not done: things changed"));
    assert_eq!(book(&bench, "zeta").state, TradingState::Reducing, "its pause goes on");
}

#[test]
fn a_stop_sells_what_it_showed_and_no_more() {
    let bench = lived();
    done(&bench, "/buy BTC-USD $900 main");
    // Far enough for the hours of a test.
    done(&bench, "/sl BTC-USD 20% main");
    done(&bench, "/buy ETH-USD 1 limit 1 main");
    let stop = typed("ben", None, "telegram:2", "/book stop main");
    let (first, shown) = show(&bench, &stop);
    assert!(shown.contains("Sell ") && shown.contains(" BTC-USD at about "), "{shown}");
    assert!(shown.contains("Taken back: ") && shown.contains("buy 1 ETH-USD, in main"), "{shown}");
    assert!(shown.contains("exposure ") && shown.contains("then 0.0 %"), "{shown}");
    done(&bench, "/buy ETH-USD $300 main");
    let result = confirm(&bench, &stop, first);
    assert!(result.starts_with("not done: it would send 2 orders now, and 1 was shown"), "{result}");
    assert_eq!(book(&bench, "main").book.positions.len(), 2);
    let (second, _) = show(&bench, &stop);
    assert!(confirm(&bench, &stop, second).starts_with("main is stopped: 2 positions"));
    let last = typed("ben", None, "telegram:2", "/book start main");
    let (_, shown) = show(&bench, &last);
    assert!(!shown.contains("Goes out at the next bar"), "everything is sold by now: {shown}");
    assert_eq!(book(&bench, "main").book.positions, []);
}

#[test]
fn what_is_blocked_is_not_entered_by_what_waits() {
    let bench = lived();
    done(&bench, "/buy ETH-USD 1 limit 1 main");
    let waiting = || bench.saved().orders.iter().filter(|order| order.purpose == Purpose::Entry).count();
    assert_eq!(waiting(), 1);
    let block = typed("owner", None, "telegram:1", "/block ETH-USD for 5h");
    let (id, shown) = show(&bench, &block);
    assert!(shown.contains("Taken back: "), "{shown}");
    confirm(&bench, &block, id);
    assert_eq!(waiting(), 0);
    let (id, shown) = show(&bench, &typed("owner", None, "telegram:1", "/undo"));
    assert!(shown.contains("buy 1 ETH-USD, is not sent again") && shown.contains("may enter ETH-USD again"), "{shown}");
    confirm(&bench, &block, id);
    assert_eq!(waiting(), 0);
}

#[test]
fn nothing_is_put_back_into_a_book_that_was_stopped_since() {
    let bench = lived();
    done(&bench, "/buy BTC-USD $900 main");
    done(&bench, "/close BTC-USD main");
    let stop = typed("ben", None, "telegram:2", "/book stop main");
    let (id, _) = show(&bench, &stop);
    confirm(&bench, &stop, id);
    let undo = typed("owner", None, "telegram:1", "/undo");
    let Reply::Text(said) = bench.chat().handle(&undo) else { panic!("it is refused") };
    assert!(said.contains("main is stopped since, so "), "{said}");
}
