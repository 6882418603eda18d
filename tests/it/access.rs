//! What is not yours is as if it were not there: every command of the table, asked by somebody who may see one book of two.

use bellwether::chat::{COMMANDS, Inbound, Person, Place, Reply, Role};
use bellwether::clock::Timestamp;
use bellwether::domain::format::{money, signed};
use bellwether::domain::{Instrument, KINDS, Label, Money, Price, Style, Timeframe, TradingState};
use bellwether::engine::DeskSettings;
use bellwether::store::{MarkRow, Store};
use secrecy::SecretString;

use crate::support::{Bench, Fault, FaultyFeed, Holding, Life, book_batch, quick_cross};

pub(crate) const OWN: [&str; 2] = ["AAPL", "BTC-USD"];
pub(crate) const OTHER: [&str; 2] = ["MSFT", "NFLX"];
const PIN: &str = "2846";

pub(crate) fn label(text: &str) -> Label {
    text.parse().expect("a name")
}

fn instruments(names: &[&str]) -> Vec<Instrument> {
    names.iter().map(|name| Instrument::bare(name.parse().expect("symbol"))).collect()
}

fn trading(names: [&'static str; 2], capital: i64) -> impl FnOnce(&mut DeskSettings) {
    move |desk| {
        quick_cross(desk);
        desk.symbols = names.iter().map(|name| name.parse().expect("symbol")).collect();
        desk.capital = Money::whole(capital);
    }
}

/// Two books that have no symbol in common.
fn life() -> Life {
    let all: Vec<&str> = OWN.into_iter().chain(OTHER).collect();
    let feed = FaultyFeed::new(3, instruments(&all), 160, |_, _, _| None::<Fault>);
    Life::whole(feed, trading(OWN, 31_117)).with_book("zeta", trading(OTHER, 77_313))
}

pub(crate) fn lived() -> Bench {
    let bench = Bench::new();
    bench.live(life()).expect("runs");
    let store = Store::open(&bench.database()).expect("opens");
    for (book, names) in [("main", OWN), ("zeta", OTHER)] {
        store.keep_watchlist(label(book), "test", instruments(&names)).expect("kept");
    }
    store.close();
    bench
}

pub(crate) fn asking(text: &str, role: Role, place: Place, books: Option<Vec<Label>>) -> Inbound {
    let person = Person { name: "owner".to_owned(), role, zone: None, books, style: Style::default() };
    Inbound { person, place, chat: "telegram:5".to_owned(), text: text.to_owned() }
}

/// An operator of the one book.
pub(crate) fn of_main(text: &str) -> Inbound {
    asking(text, Role::Operator, Place::Private, Some(vec![label("main")]))
}

fn words(reply: Reply) -> String {
    match reply {
        Reply::Text(text) | Reply::Refused(text) => text,
        Reply::Message(message) => {
            let file = message.file.as_ref().map(|file| String::from_utf8_lossy(&file.bytes).into_owned());
            format!("{}\n{}", message.plain_lines().join("\n"), file.unwrap_or_default())
        }
        Reply::Confirm { preview, .. } => preview,
        Reply::NeedsPin | Reply::Admitted { .. } => String::new(),
        Reply::Failed { what, .. } => panic!("{what}"),
    }
}

/// Every amount that tells of a book, as answers write it; short ones could mean anything.
fn amounts(bench: &Bench, book: &str) -> Vec<String> {
    let rows = bench.saved().books;
    let row = rows.iter().find(|row| row.book.name == label(book)).expect("there");
    let sums = [row.equity, row.peak, row.day_start, row.book.cash, row.book.capital, row.book.realised, row.book.fees];
    let trades = bench.reader().trades_of(label(book), None).expect("reads");
    let of_trades = trades.iter().flat_map(|trade| [trade.profit, trade.fees]);
    let all = sums.into_iter().chain(of_trades).flat_map(|sum| [money(sum), signed(sum), sum.to_string()]);
    all.filter(|text| text.len() > 5).collect()
}

/// Everything that may stand behind a command: names of books and symbols, numbers of orders, trades and messages, and words.
fn arguments(bench: &Bench) -> Vec<String> {
    let (reader, progress) = (bench.reader(), bench.reader().progress().expect("reads").expect("ran"));
    let told = reader.journal_told(10_000).expect("reads").into_iter().filter_map(|row| row.notice);
    let mut all: Vec<String> = [
        "",
        "main",
        "zeta",
        "5",
        "100",
        "csv",
        "day",
        "week",
        "month",
        "all",
        "2008",
        "2008 zeta",
        "dry",
        "now",
        "now zeta",
        "equity",
        "equity zeta",
        "delete all",
        "delete A1",
        "start",
        "pause",
        "stop",
        "reset",
        "pause zeta",
        "start zeta",
        "stop zeta",
        "reset zeta",
        "pnl < -5",
        "book zeta pnl < -5",
        "zeta day < -2%",
        "MSFT > 5",
        "MSFT pnl > 5",
        "MSFT rsi < 30",
        "AAPL > 5",
    ]
    .map(str::to_owned)
    .to_vec();
    all.extend(OWN.into_iter().chain(OTHER).map(str::to_owned));
    all.extend((1..=progress.order.0).map(|number| format!("O{number}")));
    all.extend((1..=progress.trade.0).map(|number| format!("T{number}")));
    all.extend(told.map(|number| number.to_string()));
    all.extend(KINDS.iter().map(|kind| kind.name.to_owned()));
    all
}

/// The same question of things that do not exist.
fn of_nothing(text: &str) -> String {
    let names = ["MSFT", "NFLX", "ZETA", "msft", "nflx", "zeta"];
    names.iter().fold(text.to_owned(), |text, name| {
        text.replace(name, if name.starts_with(char::is_uppercase) { "QQQQ" } else { "qqqq" })
    })
}

/// What is suggested goes by the letters that were typed.
fn without_hints(answer: &str) -> &str {
    let answer = answer.split(": did you mean").next().unwrap_or_default();
    answer.strip_suffix("; /help lists what there is").unwrap_or(answer)
}

/// Nothing that belongs to the other book is in any answer; its names are answered as names that do not exist.
#[test]
fn a_book_that_is_not_theirs_is_in_no_answer() {
    let bench = lived();
    let own = amounts(&bench, "main");
    let mut secrets = amounts(&bench, "zeta");
    secrets.retain(|amount| !own.iter().any(|own| own.contains(amount.as_str())));
    assert!(secrets.len() > 20, "the other book has to have something to tell");
    secrets.extend(OTHER.into_iter().chain(["zeta"]).map(str::to_owned));
    let chat = bench.chat();
    chat.set_pin("owner", None, &SecretString::from(PIN)).expect("set");
    let (mut asked, mut numbers) = (0, [0, 0]);
    for command in COMMANDS {
        for arguments in arguments(&bench) {
            let text = format!("/{} {arguments}", command.name);
            let answer = words(chat.handle(&of_main(&text)));
            let nothing = of_nothing(&text);
            if nothing != text {
                let same = words(chat.handle(&of_main(&nothing)));
                assert_eq!(without_hints(&of_nothing(&answer)), without_hints(&same), "{text}");
                continue;
            }
            for secret in &secrets {
                assert!(!answer.contains(secret.as_str()), "{text} tells {secret}: {answer}");
            }
            asked += 1;
            if command.name == "why" && arguments.starts_with(['O', 'T']) {
                numbers[usize::from(answer.contains("there is no"))] += 1;
            }
        }
    }
    assert!(asked > 1_000 && numbers[0] > 5 && numbers[1] > 5, "{asked} {numbers:?}");
}

/// Whoever may see both is told of both: the sweep above would pass with answers that say nothing.
#[test]
fn who_may_see_all_books_is_told_of_all() {
    let bench = lived();
    let chat = bench.chat();
    let said = |text: &str, books| words(chat.handle(&asking(text, Role::Owner, Place::Private, books)));
    for text in
        ["/status", "/positions", "/books", "/trades csv", "/pnl all", "/strategies", "/watchlist", "/costs", "/limits"]
    {
        let (all, one) = (said(text, None), said(text, Some(vec![label("main")])));
        assert!(all.contains("zeta") || all.contains("MSFT"), "{text}: {all}");
        assert!(one.contains("main") || one.contains("AAPL") || one.contains("BTC-USD"), "{text}: {one}");
    }
    assert_eq!(said("/status", Some(Vec::new())), "there is no book here that you may see");
    assert!(said("/health", None).contains("Last 24 hours"));
}

/// In a group that may see no amounts no command tells one, and there is something to look at all the same.
#[test]
fn a_group_without_amounts_is_told_shares() {
    let bench = lived();
    let secrets: Vec<String> = ["main", "zeta"].into_iter().flat_map(|book| amounts(&bench, book)).collect();
    let chat = bench.chat();
    let place = Place::Group { name: None, hides_amounts: true, acks: false };
    let mut told = Vec::new();
    for command in COMMANDS {
        for arguments in arguments(&bench) {
            let text = format!("/{} {arguments}", command.name);
            let answer = words(chat.handle(&asking(&text, Role::Viewer, place, None)));
            let tells = secrets.iter().find(|secret| answer.contains(secret.as_str()));
            assert!(tells.is_none() && !answer.contains(" USD"), "{text} tells {tells:?}: {answer}");
            if arguments.is_empty() && !answer.contains("told none") {
                told.push(command.name);
            }
        }
    }
    let status = words(chat.handle(&asking("/status", Role::Viewer, place, None)));
    for part in ["main is running", "zeta is running", "today ", "since the start", "exposure ", "from the peak"] {
        assert!(status.contains(part), "{part}: {status}");
    }
    assert!(told.contains(&"watchlist") && told.contains(&"help"), "{told:?}");
}

/// What a book holds of a locked symbol is an amount, too; and a price that counts for two books is for those to unlock who may change both.
#[test]
fn a_price_in_doubt_tells_no_quantity_and_is_lifted_for_all_its_books() {
    let bench = Bench::new();
    let at = Timestamp::from_ms(1_700_000_000_000);
    let held = Holding { symbol: "AAPL", quantity: 4_711, entry: 10, stop: Some(9) };
    let symbol = "AAPL".parse().expect("symbol");
    let lock = Some((Price::whole(10), at, 1));
    let mark =
        MarkRow { symbol, price: Price::whole(20), at, timeframe: Timeframe::D1, ended: false, stale: None, lock };
    let mut batch = book_batch(at, 1_000, &[held], &[]);
    let mut other = batch.books[0].clone();
    other.book.name = label("zeta");
    other.book.positions.clear();
    batch.books.push(other);
    batch.marks = vec![mark];
    bench.record(batch);
    let told = |place| words(bench.chat().handle(&asking("/locks", Role::Viewer, place, None)));
    assert!(told(Place::Private).contains("main holds 4,711"));
    assert!(told(Place::Group { name: None, hides_amounts: true, acks: false }).contains("main holds it:"));

    let preview = |inbound: &Inbound| confirmed(&bench, inbound);
    assert!(preview(&of_main("/unlock AAPL")).starts_with("Unlock AAPL?"), "nobody else trades it");
    let store = Store::open(&bench.database()).expect("opens");
    store.keep_watchlist(label("zeta"), "test", instruments(&["AAPL"])).expect("kept");
    store.close();
    let refused = preview(&of_main("/unlock AAPL"));
    assert!(refused.contains("somebody who may change all its books"), "{refused}");
    let everybody = asking("/unlock AAPL", Role::Owner, Place::Private, None);
    assert!(preview(&everybody).starts_with("Unlock AAPL?"));
}

fn states(bench: &Bench) -> Vec<(String, TradingState)> {
    bench.saved().books.into_iter().map(|row| (row.book.name.to_string(), row.state)).collect()
}

fn confirmed(bench: &Bench, inbound: &Inbound) -> String {
    let (chat, pin) = (bench.chat(), SecretString::from(PIN));
    if !bench.reader().has_pin("owner").expect("reads") {
        chat.set_pin("owner", None, &pin).expect("set");
    }
    match chat.handle(inbound) {
        Reply::Confirm { id, preview } => {
            chat.confirm(inbound, id, &pin).expect("confirmed");
            preview
        }
        reply => words(reply),
    }
}

/// Halting and resuming reach the books of whoever says it, and nothing else.
#[test]
fn a_change_reaches_the_books_of_whoever_asks() {
    let bench = Bench::new();
    let piece = || Life { cycles_max: Some(30), ..life() };
    bench.live(piece()).expect("runs");
    assert!(matches!(bench.chat().handle(&of_main("stop")), Reply::Admitted { .. }));
    bench.live(piece()).expect("runs");
    let (halted, running) = (TradingState::Halted, TradingState::Running);
    let both = |main, zeta| vec![("main".to_owned(), main), ("zeta".to_owned(), zeta)];
    assert_eq!(states(&bench), both(halted, running));
    let everybody = asking("/halt", Role::Owner, Place::Private, None);
    assert!(matches!(bench.chat().handle(&everybody), Reply::Admitted { .. }));
    bench.live(piece()).expect("runs");
    assert_eq!(states(&bench), both(halted, halted));
    let preview = confirmed(&bench, &of_main("/resume"));
    assert!(preview.contains("Resume main?") && !preview.contains("zeta"), "{preview}");
    bench.live(piece()).expect("runs");
    assert_eq!(states(&bench), both(running, halted));
    assert_eq!(
        confirmed(&bench, &of_main("/resume")),
        "the bot is not running, so nothing can be resumed now: start it first"
    );
    assert!(confirmed(&bench, &of_main("/book stop zeta")).contains("there is no book zeta"));
    assert!(confirmed(&bench, &of_main("/book pause")).contains("main"), "the only one that they know of is meant");
    bench.live(piece()).expect("runs");
    assert_eq!(states(&bench), both(TradingState::Reducing, halted));
}
