//! What people change for themselves alone: notes, tags, settings, mutes, alerts; each is kept, audited, and taken back by one word.

use bellwether::chat::{Inbound, Person, Place, Reply, Role};
use bellwether::clock::Clock as _;
use bellwether::domain::{Block, DIGEST, DateStyle, Label, Line, NumberStyle, Span, Style, Treatment};
use bellwether::store::{Own, Points};

use crate::access::{label, lived};
use crate::support::post_office::{ANA, kind};
use crate::support::talking::{ANA as ANAS_CHAT, BO as BOS_CHAT, PEOPLE, TalkingBot};
use crate::support::{Bench, PostOffice, hostile};

/// Who asks in these tests: somebody of this name who may see these books.
struct Who(&'static str, Option<&'static [&'static str]>);

const ANA_OF_ALL: Who = Who("ana", None);
const BO_OF_ZETA: Who = Who("bo", Some(&["zeta"]));
const CY_OF_MAIN: Who = Who("cy", Some(&["main"]));

impl Who {
    fn asks(&self, bench: &Bench, text: &str) -> Reply {
        let books = self.1.map(|books| books.iter().map(|name| label(name)).collect::<Vec<Label>>());
        let role = if books.is_some() { Role::Viewer } else { Role::Owner };
        let person = Person { name: self.0.to_owned(), role, zone: None, books, style: Style::default() };
        let inbound = Inbound { person, place: Place::Private, chat: "telegram:5".to_owned(), text: text.to_owned() };
        // Each line is answered by a bot that was started anew.
        bench.chat().handle(&inbound)
    }

    fn told(&self, bench: &Bench, text: &str) -> String {
        match self.asks(bench, text) {
            Reply::Text(text) | Reply::Refused(text) => text,
            Reply::Message(message) => message.plain_lines().join("\n"),
            reply => panic!("{text}: {reply:?}"),
        }
    }
}

/// The words and results of the audit, oldest first.
fn audited(bench: &Bench) -> Vec<String> {
    assert_eq!(bench.reader().verify_audit().expect("reads").1, None);
    let database = rusqlite::Connection::open(bench.database()).expect("opens");
    let mut statement = database.prepare("SELECT person, words, result FROM audit ORDER BY seq").expect("reads");
    let row = |row: &rusqlite::Row<'_>| {
        let [person, words, result]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        Ok(format!("{person} {words}: {result}"))
    };
    statement.query_map([], row).expect("reads").map(|row| row.expect("text")).collect()
}

#[test]
fn a_note_is_shown_where_the_reason_is_asked_for() {
    let bench = lived();
    bench.deliver(Points::default()).expect("delivers");
    let trade = bench.reader().trades_of(label("main"), None).expect("reads")[0].id;
    let number = trade.0.to_string();
    assert_eq!(
        ANA_OF_ALL.told(&bench, &format!("/note {number} \"too early\"")),
        format!("Noted on {trade}; /why {trade} shows it, /undo takes it back")
    );
    for about in [number.as_str(), &trade.to_string(), &trade.to_string().to_lowercase()] {
        let why = ANA_OF_ALL.told(&bench, &format!("/why {about}"));
        assert!(why.starts_with(&format!("{trade} ")) && why.contains("Note of ana, 20"), "{why}");
        assert!(why.ends_with(": too early"), "{why}");
    }
    assert_eq!(
        ANA_OF_ALL.told(&bench, &format!("/note {trade}")),
        format!("1 note to {trade}; /why {trade} shows them")
    );
    for about in ["O1", "AAPL", "aapl", "N1", "today", "2024-01-01"] {
        let said = ANA_OF_ALL.told(&bench, &format!("/note {about} seen {about} once"));
        assert!(said.starts_with("Noted on "), "{said}");
        let why = ANA_OF_ALL.told(&bench, &format!("/why {about}"));
        assert!(why.contains(&format!(": seen {about} once")), "{about}: {why}");
    }
    for (about, why) in [
        ("T999999", "there is no closed trade T999999"),
        ("O999999", "there is no order O999999"),
        ("999999", "there is no order O999999"),
        ("N999999", "there is no message N999999"),
        ("QQQQ", "QQQQ is not watched; /watchlist lists what is watched"),
        ("2990-01-01", "the market's day is "),
    ] {
        let said = ANA_OF_ALL.told(&bench, &format!("/note {about} x"));
        assert!(said.starts_with(why), "{said}");
    }
}

#[test]
fn what_somebody_writes_is_no_word_of_ours() {
    let bench = lived();
    let written = (0..40).flat_map(|seed| hostile(seed, false).plain_lines()).take(100);
    let mut kept = 0;
    for (index, text) in written.enumerate() {
        let line = format!("/note AAPL {text}");
        let Reply::Text(said) = ANA_OF_ALL.asks(&bench, &line) else { continue };
        if said.starts_with("no note") {
            continue;
        }
        assert_eq!(said, "Noted on AAPL; /why AAPL shows it, /undo takes it back");
        let Reply::Message(message) = ANA_OF_ALL.asks(&bench, "/why AAPL") else { panic!("{index}: no note") };
        let Some(Block::Line(Line(spans))) = message.blocks.last() else { panic!("{message:?}") };
        let [Span::Text(whose), Span::Untrusted(words)] = spans.as_slice() else { panic!("{spans:?}") };
        assert!(whose.starts_with("Note of ana, "), "{whose}");
        assert!(!words.is_empty() && !words.chars().any(char::is_control) && words.chars().count() <= 280, "{words:?}");
        // Nothing of it is said again where it would be read as ours.
        assert_eq!(ANA_OF_ALL.told(&bench, "/undo"), "Taken back: /note AAPL");
        kept += 1;
    }
    assert!(kept > 30, "{kept}");
    let long = format!("/note AAPL {}", "a".repeat(281));
    assert_eq!(ANA_OF_ALL.told(&bench, &long), "a note has 280 characters at the most, and this has 281");
    for number in 0..20 {
        assert!(ANA_OF_ALL.told(&bench, &format!("/note AAPL {number}")).starts_with("Noted"));
    }
    assert_eq!(ANA_OF_ALL.told(&bench, "/note AAPL one more"), "AAPL has 20 notes, which is the most");
}

#[test]
fn what_belongs_to_books_that_somebody_may_not_see_is_neither_noted_nor_read_by_them() {
    let bench = lived();
    let of_main = bench.reader().trades_of(label("main"), None).expect("reads")[0].clone();
    let (trade, order) = (
        of_main.id,
        bench.reader().fills().expect("reads").iter().find(|fill| fill.book == label("main")).expect("one").order,
    );
    for about in [trade.to_string(), order.to_string(), "AAPL".to_owned(), "today".to_owned()] {
        ANA_OF_ALL.told(&bench, &format!("/note {about} the-secret"));
        ANA_OF_ALL.told(&bench, &format!("/tag {about} impatient"));
        let own = ANA_OF_ALL.told(&bench, &format!("/why {about}"));
        assert!(own.contains("the-secret") && own.contains("Tagged impatient"), "{own}");
        for line in ["/why", "/note", "/tag"] {
            let said = BO_OF_ZETA.told(&bench, &format!("{line} {about}"));
            assert!(
                !said.contains("secret") && !said.contains("impatient") && !said.contains("1 note"),
                "{line}: {said}"
            );
        }
        // What is about all books of whoever wrote it is for those who may see as many.
        let cy = CY_OF_MAIN.told(&bench, &format!("/why {about}"));
        assert_eq!(cy.contains("the-secret"), about != "today", "{about}: {cy}");
    }
    for (line, why) in [
        (format!("/note {trade} x"), format!("there is no closed trade {trade}")),
        (format!("/tag {order} x"), format!("there is no order {order}")),
        ("/note AAPL x".to_owned(), "AAPL is not watched; /watchlist lists what is watched".to_owned()),
    ] {
        assert_eq!(BO_OF_ZETA.told(&bench, &line), why);
    }
    assert!(BO_OF_ZETA.told(&bench, "/note MSFT mine").starts_with("Noted on MSFT"));
    assert!(ANA_OF_ALL.told(&bench, "/why MSFT").contains("Note of bo"), "the owner sees what viewers write");
    assert!(!BO_OF_ZETA.told(&bench, "/trades").contains("impatient"));
    assert!(ANA_OF_ALL.told(&bench, "/trades 100").contains("· tagged impatient"));
}

#[test]
fn tags_come_and_go() {
    let bench = lived();
    let said = |text: &str| ANA_OF_ALL.told(&bench, text);
    assert_eq!(said("/tag T1"), "T1 has no tags");
    assert_eq!(said("/tag 1 impatient Breakout"), "T1 is tagged breakout, impatient; /undo takes that back");
    assert_eq!(said("/tag 1 impatient"), "T1 is tagged breakout, impatient");
    assert_eq!(said("/tag 1 -breakout late"), "T1 is tagged impatient, late; /undo takes that back");
    assert_eq!(said("/undo"), "Taken back: /tag T1 late -breakout");
    assert!(said("/why T1").contains("\nTagged breakout, impatient"));
    assert_eq!(said("/undo"), "Taken back: /tag T1 impatient breakout");
    assert_eq!(said("/tag T1"), "T1 has no tags");
    assert!(said("/tag 1 =SUM(A1)").contains("is no tag"));
    assert!(said("/tag 1 a b c d e f g h i").contains("more than 8 tags"));
}

#[test]
fn settings_hold_in_answers_over_the_file_until_they_are_taken_back() {
    let bench = lived();
    let said = |text: &str| ANA_OF_ALL.told(&bench, text);
    let shown = said("/settings");
    assert!(
        shown.contains("zone America/New_York · the book's") && shown.contains("no quiet hours · as in the file"),
        "{shown}"
    );
    assert!(said("/status").contains(" EST") || said("/status").contains(" EDT"));
    assert!(said("/settings zone Asia/Tokyo").starts_with("Times are those of Asia/Tokyo from now on: it is 20"));
    assert!(said("/status").contains(" JST") && said("/runs").contains(" JST"));
    assert!(BO_OF_ZETA.told(&bench, "/status").contains(" E"), "theirs alone");
    assert_eq!(said("/settings decimals ,"), "From now on: numbers like 1.234,56");
    assert_eq!(said("/settings hours 12"), "From now on: hours like 3:30 pm");
    assert!(said("/status").contains("with 31.117,00 "), "{}", said("/status"));
    assert_eq!(said("/settings hours 12"), "That is so already: /settings shows all");
    let shown = said("/settings");
    for part in [
        "zone Asia/Tokyo · set in a chat",
        "numbers like 1.234,56 · set in a chat",
        "dates like 2026-11-21 · as in the file",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let wrong = said("/settings zone Europe/Lisbn");
    assert_eq!(wrong, "\"Europe/Lisbn\" is no time zone: did you mean Europe/Lisbon?");
    assert!(said("/settings colour red").contains("there are zone, quiet, digest, numbers, dates, hours"));
    assert_eq!(said("/settings zone usual"), "zone is as in the file again");
    assert!(!said("/status").contains(" JST"));
    assert_eq!(said("/undo"), "Taken back: /settings zone usual");
    assert!(said("/status").contains(" JST"));
    assert_eq!(said("/settings usual"), "All is as in the file again");
    assert!(said("/status").contains("with 31,117.00 ") && !said("/status").contains(" JST"));
    assert_eq!(said("/undo"), "Taken back: /settings usual");
    assert!(said("/status").contains("with 31.117,00 ") && said("/status").contains(" JST"));
}

/// What was set reaches the carrier of messages as it runs: quiet hours, the zone, and how figures are written.
#[test]
fn settings_hold_in_notices() {
    let mut office = PostOffice::of_one();
    office.happen([kind("position_closed")]);
    office.run(ANA, 5);
    let usual = office.wire(ANA).take().join("\n");
    let set = |rows: &[(&str, &str)]| Own::Prefer {
        rows: rows.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect(),
    };
    office.change_own("ana", set(&[("numbers", "1.234,56"), ("dates", "21.11.2026")]));
    office.happen([kind("position_closed")]);
    office.run(ANA, 5);
    let told = office.wire(ANA).take().join("\n");
    let style = Style { numbers: NumberStyle::Dot, dates: DateStyle::DayFirst, ..Style::default() };
    assert_eq!(told, style.apply(&usual), "the same fact");
    assert_ne!(told, usual);
    office.change_own("ana", set(&[("zone", "UTC")]));
    office.happen([kind("position_closed")]);
    office.run(ANA, 5);
    let told = office.wire(ANA).take().join("\n");
    assert!(usual.contains(" 12:33 EST ") && told.contains(" 17:33 UTC "), "{told}");
    // The clock of the office stands at 08:00 in UTC, and the file knows no quiet hours.
    office.change_own("ana", set(&[("quiet", "07:00 to 09:00")]));
    office.happen([kind("day_closed"), kind("symbol_locked")]);
    office.run(ANA, 60);
    let told = office.wire(ANA).take();
    assert!(told.len() == 1 && told[0].contains("LOCKED"), "{told:?}");
    office.restart();
    office.run(ANA, 60);
    assert_eq!(office.wire(ANA).take(), Vec::<String>::new(), "they hold after a restart");
    office.clock.advance(3_600_000);
    office.run(ANA, 60);
    assert_eq!(office.wire(ANA).take().len(), 1, "when they end it comes");
}

/// Each kind of change, and that it is gone after one word; all of it is in the audit.
#[test]
fn one_word_takes_back_the_last_change() {
    let bench = lived();
    let said = |text: &str| ANA_OF_ALL.told(&bench, text);
    let wishes = || bench.reader().wishes("ana", bench.clock.now()).expect("reads");
    let nothing = "nothing that you changed in the last 10 minutes is left to take back";
    assert_eq!(said("/undo"), nothing);

    said("/mute feed_stale 8h");
    let before = wishes().mutes;
    said("/mute feed_stale off");
    assert_eq!(wishes().mutes, []);
    assert_eq!(said("/undo"), "Taken back: /mute feed_stale off");
    assert_eq!((wishes().mutes, said("/undo").as_str()), (before, "Taken back: /mute feed_stale"));
    assert_eq!(wishes().mutes, []);

    said("/less position_scaled");
    said("/less digest");
    assert!(wishes().treatments.contains(&(DIGEST.to_owned(), Treatment::Off)));
    assert_eq!(said("/undo"), "Taken back: /less digest");
    assert_eq!(said("/undo"), "Taken back: /less position_scaled");
    assert_eq!(wishes().treatments, []);

    said("/alert AAPL > 100000");
    said("/alert AAPL < 1");
    let alerts = said("/alerts");
    said("/alert delete all");
    assert_ne!(said("/alerts"), alerts);
    assert_eq!(said("/undo"), "Taken back: /alert delete all");
    assert_eq!(said("/alerts"), alerts);
    assert_eq!(said("/undo"), "Taken back: /alert AAPL < 1 once");
    assert_eq!(said("/undo"), "Taken back: /alert AAPL > 100,000 once");
    assert!(said("/alerts").contains("no alert"), "{}", said("/alerts"));

    said("/note AAPL \"once\"");
    said("/settings dates 21.11.2026");
    assert_eq!(BO_OF_ZETA.told(&bench, "/undo"), nothing, "what others changed is theirs");
    assert_eq!(said("/undo"), "Taken back: /settings dates 21.11.2026");
    assert_eq!(said("/undo"), "Taken back: /note AAPL");
    assert!(!said("/why AAPL").contains("once"));
    assert_eq!(said("/undo"), nothing);

    said("/mute feed_stale");
    bench.clock.advance(10 * 60_000);
    assert_eq!(said("/undo"), nothing, "ten minutes are over");
    assert_eq!(said("/test"), "a drill");
    let audit = audited(&bench);
    for row in [
        "ana /mute feed_stale: muted for 8 h 0 min",
        "ana /undo: /mute feed_stale off: taken back",
        "ana /less digest: no digest",
        "ana /alert delete all: A1, A2 deleted",
        "ana /undo: /alert delete all: taken back",
        "ana /note AAPL: noted",
        "ana /settings dates 21.11.2026: set",
        "ana /test: sent",
    ] {
        assert!(audit.iter().any(|known| known == row), "{row}: {audit:#?}");
    }
}

#[test]
fn what_others_know_already_is_not_taken_back_and_keeps_nothing_from_it() {
    let bench = lived();
    let said = |text: &str| ANA_OF_ALL.told(&bench, text);
    bench.deliver(Points::default()).expect("delivers");
    said("/mute feed_stale");
    assert!(said("/ack N1").contains("acknowledged"), "{}", said("/ack N1"));
    let never = "/ack N1 cannot be taken back: others know already. /undo once more takes back what you changed before";
    assert_eq!(said("/undo"), never);
    assert!(said("/ack N1").contains("was acknowledged by ana on telegram"));
    assert_eq!(said("/undo"), "Taken back: /mute feed_stale");
    assert!(audited(&bench).contains(&"ana /ack N1: acknowledged".to_owned()));
}

/// On Telegram, over a restart, and in a notice that nobody asked for.
#[test]
fn on_telegram_it_is_kept_and_what_was_typed_does_nothing() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    life.ask(ANAS_CHAT, ANAS_CHAT, "/settings zone Asia/Tokyo", "Times are those of Asia");
    life.ask(ANAS_CHAT, ANAS_CHAT, "/note AAPL \"sell </b> @all /halt http://evil.example\"", "Noted on AAPL");
    life.ask(ANAS_CHAT, ANAS_CHAT, "/tag AAPL patient", "AAPL is tagged patient");
    life.ask(BOS_CHAT, BOS_CHAT, "/settings hours 12", "hours like 3:30 pm");
    life.kill();
    life.start();
    let why = life.ask(ANAS_CHAT, ANAS_CHAT, "/why AAPL", "Note of ana");
    let text = why["params"]["text"].as_str().expect("a text");
    assert!(
        text.contains("Tagged patient")
            && text.contains(" JST: sell &lt;/\u{2060}b&gt; @\u{2060}all /\u{2060}halt http:\u{2060}/"),
        "{text}"
    );
    life.ask(ANAS_CHAT, ANAS_CHAT, "/status", " JST");
    let status = life.ask(BOS_CHAT, BOS_CHAT, "/status", "main is");
    let text = status["params"]["text"].as_str().expect("a text");
    assert!(text.contains(" am ") || text.contains(" pm "), "{text}");
    life.ask(ANAS_CHAT, ANAS_CHAT, "/undo", "Taken back: /tag AAPL patient");
    let here = life.shell(&["command", "/status"], "");
    assert!(here.contains(" JST"), "{here}");
}
