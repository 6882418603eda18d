//! Somebody is made to enter a PIN: who learns of it, and what those see who stand behind them.

use std::fmt::Write as _;
use std::sync::Arc;

use bellwether::chat::{ACCEPTED, COMMANDS, Chat, ChatParts, Inbound, Person, Place, Reply, Role, read_only};
use bellwether::clock::Clock;
use bellwether::control::{ChangeDesk, PinCost};
use bellwether::domain::{
    EventKind, HaltCause, Lane, NoticeId, RouteTable, Routes, RunId, Severity, Style, TradingState,
};
use bellwether::notify::SendError;
use bellwether::store::Store;
use secrecy::SecretString;

use crate::chat::lived;
use crate::support::post_office::{texts, unreachable};
use crate::support::{Bench, Does, Fault, FaultyFeed, Life, PostOffice};

const OWN: &str = "284691";
const DURESS: &str = "739105";

fn routes() -> Routes {
    let lane = |text: &str| text.parse::<Lane>().expect("a lane");
    let lanes = ["ana:telegram", "ana:terminal", "ana:email", "bo:telegram", "bo:sms", "cy:telegram", "club:telegram"];
    let mut table = RouteTable::simple(&lanes.map(lane), Severity::Notice);
    for rule in &mut table.lanes {
        let who = rule.lane.who.as_str();
        (rule.is_owners, rule.looks_after) = (matches!(who, "ana" | "bo"), who != "club");
    }
    Routes::new(table)
}

/// A chat that tells what happens at its desk.
fn chat(bench: &Bench) -> Chat {
    let store = Store::open(&bench.database()).expect("opens");
    let desk = ChangeDesk::new(store.clone(), bench.clock.clone(), PinCost::LEAST).telling(RunId(1), routes());
    Chat::new(ChatParts {
        database: bench.database(),
        store: store.clone(),
        desk,
        clock: bench.clock.clone(),
        ask: Arc::new(|_, _| Reply::Text("nothing to do".to_owned())),
        preview: Arc::new(|_, _| Err("nobody plans here".to_owned())),
        wake: Arc::new(|| {}),
        drill: Arc::new(|_| Ok("a drill".to_owned())),
    })
}

fn by(name: &str, text: &str) -> Inbound {
    let person = Person { name: name.to_owned(), role: Role::Owner, zone: None, books: None, style: Style::default() };
    Inbound { person, place: Place::Private, chat: format!("telegram:{name}"), text: text.to_owned() }
}

fn words(reply: Reply) -> String {
    match reply {
        Reply::Text(text) | Reply::Refused(text) | Reply::Confirm { preview: text, .. } => text,
        Reply::Message(message) => message.plain_lines().join("\n"),
        Reply::Failed { what, .. } => what,
        Reply::NeedsPin | Reply::Admitted { .. } => String::new(),
    }
}

/// Everything that somebody is answered to every command, with each of these numbers of messages behind it.
fn answers(chat: &Chat, name: &str, messages: &[u64]) -> String {
    let mut all = String::new();
    let views = COMMANDS.iter().filter(|command| !matches!(command.name, "route" | "help" | "less" | "mute"));
    for command in views {
        let numbers = messages.iter().map(|number| format!("N{number}"));
        for arguments in numbers.chain(["", "100", "all", "main"].map(str::to_owned)) {
            let answer = words(chat.handle(&by(name, &format!("/{} {arguments}", command.name))));
            writeln!(all, "/{} {arguments}\n{answer}", command.name).expect("a string");
        }
    }
    all
}

/// Resumes a halted book by this PIN; what is said last where the engine says `result`.
fn resumed(chat: &Chat, pin: &str, result: Option<&str>) -> String {
    let Reply::Confirm { id, .. } = chat.handle(&by("ana", "/resume")) else { panic!("shown") };
    let taken = chat.confirm(&by("ana", ""), id, &SecretString::from(pin)).expect("taken");
    let said = chat.follow_up(&by("ana", ""), taken, |_| result.map(str::to_owned));
    said.unwrap_or_else(|| ACCEPTED.to_owned())
}

#[test]
fn it_is_accepted_halts_and_is_told_to_the_other_owners_alone() {
    let bench = Bench::new();
    let feed = || {
        let symbols = ["AAPL", "BTC-USD"].map(|symbol| symbol.parse().expect("symbol"));
        FaultyFeed::new(3, symbols.map(bellwether::domain::Instrument::bare).to_vec(), 200, |_, _, _| None::<Fault>)
    };
    let piece = || Life { cycles_max: Some(30), ..Life::whole(feed(), |_| {}) };
    let state = || bench.saved().books[0].state;
    bench.live(piece()).expect("runs");
    let first = chat(&bench);
    first.set_pin("ana", None, &SecretString::from(OWN)).expect("set");
    let desk = ChangeDesk::new(Store::open(&bench.database()).expect("opens"), bench.clock.clone(), PinCost::LEAST);
    desk.set_duress("ana", &SecretString::from(OWN), &SecretString::from(DURESS)).expect("set");
    assert!(matches!(first.handle(&by("ana", "/halt")), Reply::Admitted { .. }));
    bench.live(piece()).expect("runs");
    let resumes = resumed(&first, OWN, Some("running: main"));
    assert_eq!(resumes, "running: main", "it follows the word that it was accepted");
    bench.live(piece()).expect("runs");
    assert_eq!(state(), TradingState::Running);
    assert!(matches!(first.handle(&by("ana", "/halt")), Reply::Admitted { .. }));
    bench.live(piece()).expect("runs");

    // What is confirmed under duress is answered as what the engine takes its time for.
    let slow = ACCEPTED.to_owned();
    assert_eq!(resumed(&first, DURESS, Some("halted: nothing of this is said")), slow);
    bench.live(piece()).expect("runs");
    assert_eq!(state(), TradingState::Halted, "it was not done");

    let reader = bench.reader();
    let told = reader.duress_since(bellwether::clock::Timestamp::from_ms(0)).expect("reads");
    let [fact] = told.as_slice() else { panic!("one: {told:?}") };
    let notice = fact.notice.expect("told");
    let mut lanes: Vec<String> = reader.trace(notice).expect("reads").into_iter().map(|row| row.lane).collect();
    lanes.sort();
    assert_eq!(lanes, ["bo:sms", "bo:telegram"], "no operator, no group, and none of theirs");

    // The numbers of what they may see have no gap that tells of it.
    let rows = reader.journal_all().expect("reads");
    let mut seen: Vec<u64> =
        rows.iter().filter_map(|row| row.notice).filter(|other| *other != notice).map(|other| other.0).collect();
    seen.sort_unstable();
    let last = seen.len() as u64;
    assert_eq!(seen, (1..=last).collect::<Vec<_>>());
    assert!(notice.0 > last + 1_000, "{notice} is no next number either");

    let numbers: Vec<u64> = (1..=last + 3).chain([notice.0, notice.0 + 1]).collect();
    let theirs = answers(&first, "ana", &numbers);
    for given_away in ["uress", "MADE", "made to enter"] {
        let line = theirs.lines().find(|line| line.contains(given_away) && !line.starts_with('/'));
        assert_eq!(line, None, "{given_away}");
    }
    // A number that was never given is answered the same.
    for command in ["/trace", "/why", "/ack"] {
        let asked = |number: &str| words(first.handle(&by("ana", &format!("{command} {number}"))));
        assert_eq!(asked(&notice.to_string()), asked("N4711").replace("N4711", &notice.to_string()), "{command}");
    }
    let others = answers(&first, "bo", &numbers);
    assert!(others.contains("MADE to enter"), "{others}");
    assert!(reader.ack(notice).expect("reads").is_some_and(|ack| ack.person == "bo"), "they can say that they saw it");
    let counted = |name: &str| words(first.handle(&by(name, "/deliveries")));
    let of_bo = |text: &str| text.lines().find(|line| line.starts_with("bo:telegram")).map(str::to_owned);
    assert_ne!(of_bo(&counted("ana")), of_bo(&counted("bo")), "it is not counted where they look");
    let health = |name: &str| words(first.handle(&by(name, "/health")));
    let criticals = |text: String| text.lines().find(|line| line.contains("Last 24 hours")).map(str::to_owned);
    assert_ne!(criticals(health("ana")), criticals(health("bo")));
    assert_eq!(reader.verify_audit().expect("reads").1, None);
}

/// A sweep that would pass with answers that say nothing is worth nothing.
#[test]
fn the_sweep_reads_what_there_is() {
    let bench = lived();
    let all = answers(&chat(&bench), "ana", &[1, 2, 3]);
    assert!(all.contains("committed") && all.contains("Last 24 hours"), "{all}");
}

/// What is left behind looks like what everybody leaves behind.
#[test]
fn its_halt_stands_there_like_any_other_and_is_not_offered_back() {
    let bench = Bench::new();
    let piece = || {
        let symbols = ["AAPL", "BTC-USD"].map(|symbol| symbol.parse().expect("symbol"));
        let bare = symbols.map(bellwether::domain::Instrument::bare).to_vec();
        let feed = FaultyFeed::new(3, bare, 400, |_, _, _| None::<Fault>);
        bench.live(Life { cycles_max: Some(20), ..Life::whole(feed, |_| {}) }).expect("runs");
    };
    piece();
    let chat = chat(&bench);
    let desk = ChangeDesk::new(Store::open(&bench.database()).expect("opens"), bench.clock.clone(), PinCost::LEAST);
    chat.set_pin("ana", None, &SecretString::from(OWN)).expect("set");
    desk.set_duress("ana", &SecretString::from(OWN), &SecretString::from(DURESS)).expect("set");
    let confirm = |line: &str, pin: &str| {
        let shown = chat.handle(&by("ana", line));
        let Reply::Confirm { id, .. } = shown else { panic!("{line}: {shown:?}") };
        chat.confirm(&by("ana", ""), id, &SecretString::from(pin)).expect("taken");
    };
    let undoable = || {
        let since = bench.clock.now().plus_ms(-1_000);
        bench.reader().undoable_control("ana", since).expect("reads").map(|found| found.words)
    };
    assert!(matches!(chat.handle(&by("ana", "/halt")), Reply::Admitted { .. }));
    piece();
    assert_eq!(undoable().as_deref(), Some("/halt"), "one of their own is");
    confirm("/resume", OWN);
    piece();
    assert_eq!(undoable().as_deref(), Some("/resume"));
    confirm("/book pause main", DURESS);
    piece();
    assert_eq!(bench.saved().books[0].state, TradingState::Halted);
    assert_eq!(undoable().as_deref(), Some("/resume"), "the halt is not");

    let rows = bench.reader().audit_rows().expect("reads");
    let of = |words: &str| -> Vec<_> {
        let rows = rows.iter().map(|row| &row.entry).filter(|entry| entry.words == words);
        rows.map(|entry| (entry.channel.clone(), entry.preview.clone(), entry.result.clone())).collect()
    };
    let halts = of("/halt");
    let [own, own_result, forced, forced_result] = halts.as_slice() else { panic!("{halts:?}") };
    assert_eq!((own, own_result), (forced, forced_result));
    let (real, forced) = (of("/resume"), of("/book pause main"));
    assert_eq!((real[0].1.is_some(), &real[0].2), (forced[0].1.is_some(), &forced[0].2), "{real:?} {forced:?}");
}

fn shown(chat: &Chat, inbound: &Inbound) -> i64 {
    match chat.handle(inbound) {
        Reply::Confirm { id, .. } => id,
        reply => panic!("{}: {reply:?}", inbound.text),
    }
}

/// Whoever stands behind somebody who may change one of two books sees a halt of that book, as they would of any that is asked for; the
/// other one halts in nobody's name.
#[test]
fn it_halts_in_the_name_of_whoever_entered_it_only_what_they_may_change() {
    let bench = Bench::new();
    let piece =
        || {
            let symbols = ["AAPL", "BTC-USD"].map(|symbol| symbol.parse().expect("symbol"));
            let feed =
                FaultyFeed::new(3, symbols.map(bellwether::domain::Instrument::bare).to_vec(), 400, |_, _, _| {
                    None::<Fault>
                });
            let life = Life { cycles_max: Some(20), ..Life::whole(feed, |_| {}) };
            bench.live(life.with_book("calm", |_| {})).expect("runs");
        };
    let state = |book: &str| {
        let books = bench.saved().books;
        books.into_iter().find(|row| row.book.name.as_str() == book).expect("there").state
    };
    piece();
    let chat = chat(&bench);
    let desk = ChangeDesk::new(Store::open(&bench.database()).expect("opens"), bench.clock.clone(), PinCost::LEAST);
    chat.set_pin("bo", None, &SecretString::from(OWN)).expect("set");
    desk.set_duress("bo", &SecretString::from(OWN), &SecretString::from(DURESS)).expect("set");
    let bo = |text: &str| {
        let mut inbound = by("bo", text);
        inbound.person.role = Role::Operator;
        inbound.person.books = Some(vec!["calm".parse().expect("a name")]);
        inbound
    };
    let confirm = |line: &str, pin: &str| {
        let id = shown(&chat, &bo(line));
        chat.confirm(&bo(""), id, &SecretString::from(pin)).expect("taken");
        piece();
    };
    assert!(matches!(chat.handle(&bo("/halt")), Reply::Admitted { .. }));
    piece();
    confirm("/resume", OWN);
    assert_eq!((state("calm"), state("main")), (TradingState::Running, TradingState::Running));
    confirm("/book pause calm", DURESS);
    assert_eq!((state("calm"), state("main")), (TradingState::Halted, TradingState::Halted));

    let rows = bench.reader().audit_rows().expect("reads");
    let halts: Vec<_> = rows.iter().map(|row| &row.entry).filter(|entry| entry.words.starts_with("/halt")).collect();
    let told = |entry: &bellwether::store::AuditEntry| {
        (entry.person.clone(), entry.channel.clone(), entry.words.clone(), entry.preview.clone(), entry.result.clone())
    };
    let [own, own_result, forced, forced_result] = halts.as_slice() else { panic!("{halts:?}") };
    assert_eq!((told(own), told(own_result)), (told(forced), told(forced_result)));
    assert!(own_result.result.starts_with("halted calm: "), "{own_result:?}");
    let status = |name: &str| words(chat.handle(&by(name, "/status")));
    assert!(!status("ana").contains("main halted (by bo)"), "he cannot halt it: {}", status("ana"));
    let journal = bench.reader().journal_all().expect("reads");
    let of_main = journal.iter().rev().find(|row| {
        row.event.kind.name() == "trading_halted" && row.event.book.is_some_and(|book| book.as_str() == "main")
    });
    let of_main = of_main.expect("halted");
    let EventKind::TradingHalted { cause, .. } = &of_main.event.kind else { panic!("{of_main:?}") };
    assert_eq!((cause, of_main.audit), (&HaltCause::Precaution, None));
}

/// The phone of the other owner is off, or nothing goes through there for a day: that is told, but not to whoever it is about.
#[test]
fn that_it_did_not_arrive_is_told_to_the_other_owners_alone() {
    let off = || Does::Fail(SendError::Rejected("off".to_owned()));
    for (fate, steps, each_ms) in [(vec![off(), off()], 20, 1_000), (vec![unreachable(); 5_000], 320, 300_000)] {
        let mut office = PostOffice::new((*routes().now()).clone());
        office.wire("bo:sms").script(fate);
        let halted = EventKind::TradingHalted {
            cause: HaltCause::Command { person: "ana".to_owned() },
            cancelled: 0,
            positions: 0,
        };
        office.happen([halted, EventKind::DuressPin { person: "ana".to_owned() }]);
        office.step_all(steps, each_ms);
        let rows = office.reader().journal_told(50).expect("reads");
        let number = |kind: &str| {
            let found = rows.iter().filter(|row| row.event.kind.name() == kind).filter_map(|row| row.notice);
            found.collect::<Vec<NoticeId>>()
        };
        let (&[duress], &[untold]) = (&number("duress_pin")[..], &number("duress_untold")[..]) else {
            panic!("{rows:#?}");
        };
        assert_eq!(number("delivery_died").len(), 1, "the halt did not arrive either, which everybody may know");
        for open in rows.iter().filter(|row| !row.event.kind.name().starts_with("duress")) {
            assert!(!format!("{:?}", open.event.kind).contains(&format!("{duress:?}")), "{open:?}");
        }
        let got = texts(&mut office, "bo:telegram").concat();
        assert!(got.contains("could not be delivered to bo:sms") && got.contains("MADE"), "{got}");
        for name in ["ana:telegram", "ana:terminal", "ana:email", "cy:telegram", "club:telegram"] {
            let got = texts(&mut office, name).concat();
            assert!(!got.contains("MADE") && !got.contains("more like it"), "{name}: {got}");
            assert_eq!(got.contains("could not be delivered"), !name.starts_with("club"), "{name}: {got}");
        }
        for command in ["/missed", "/deliveries", "/health", "/why", "/trace"] {
            for number in [String::new(), format!(" {duress}"), format!(" {untold}")] {
                let asked = by("ana", &format!("{command}{number}"));
                let said = read_only(&asked, &office.database(), office.clock.now()).map(words).unwrap_or_default();
                assert!(!said.contains("MADE") && !said.contains("uress"), "{}: {said}", asked.text);
            }
        }
    }
}
