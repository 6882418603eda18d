//! Who changed what, and can they deny it? Each control's events carry the number of its row, and no row is changed unseen.

use bellwether::clock::Timestamp;
use bellwether::domain::{EventKind, Instrument, OrderId};
use bellwether::store::{AuditEntry, JournalRow, Store};
use rusqlite::Connection;
use secrecy::SecretString;

use crate::chat::said;
use crate::support::{Bench, Fault, FaultyFeed, Life, quick_cross};

pub(crate) fn life(cycles: u64) -> Life {
    let instruments = ["AAPL", "MSFT", "JPM", "BTC-USD"].map(|name| Instrument::bare(name.parse().expect("symbol")));
    let feed = FaultyFeed::new(5, instruments.to_vec(), 160, |_, _, _| None::<Fault>);
    Life { cycles_max: Some(cycles), ..Life::whole(feed, quick_cross) }
}

fn marked(bench: &Bench) -> Vec<JournalRow> {
    bench.reader().journal_all().expect("reads").into_iter().filter(|row| row.audit.is_some()).collect()
}

/// A person stops the book: the change of its state, the orders that leave what it held, their fills cycles later and what ended by them
/// carry the number of the row that confirmed it, and nothing else does.
#[test]
fn what_comes_of_a_control_carries_its_number() {
    let bench = Bench::new();
    bench.live(life(80)).expect("runs");
    let held = bench.saved().books[0].book.positions.len();
    assert!(held > 0, "the story needs something to close");
    assert!(marked(&bench).is_empty(), "nobody asked for anything yet");
    bench.confirm("/book stop");
    let audit = bench.reader().control(1).expect("reads").expect("one").audit.expect("it was confirmed");
    bench.live(life(10)).expect("runs");

    let rows = marked(&bench);
    assert!(rows.iter().all(|row| row.audit == Some(audit)));
    let count = |wanted: fn(&EventKind) -> bool| rows.iter().filter(|row| wanted(&row.event.kind)).count();
    assert_eq!(count(|kind| matches!(kind, EventKind::TradingReduced { .. })), 1);
    assert_eq!(count(|kind| matches!(kind, EventKind::OrderSubmitted { .. })), held);
    assert_eq!(count(|kind| matches!(kind, EventKind::OrderFilled { .. })), held);
    assert_eq!(count(|kind| matches!(kind, EventKind::PositionClosed { .. })), held);
    assert!(count(|kind| matches!(kind, EventKind::OrderEnded { .. })) >= held, "their stops went with them");
    let stray =
        |row: &&JournalRow| matches!(row.event.kind, EventKind::SignalRaised { .. } | EventKind::EngineStarted { .. });
    assert_eq!(rows.iter().find(stray), None);

    let filled = rows.iter().find(|row| matches!(row.event.kind, EventKind::OrderFilled { .. })).expect("one");
    let order: OrderId = filled.event.kind.order().expect("of an order");
    let why = said(&bench, &format!("/why {order}"));
    assert!(why.lines().next().is_some_and(|head| head.ends_with(&format!(" · audit {audit}"))), "{why}");
    let told = rows.iter().find_map(|row| row.notice).expect("told");
    let trace = said(&bench, &format!("/trace {told}"));
    assert!(trace.lines().next().is_some_and(|head| head.ends_with(&format!(" · audit {audit}"))), "{trace}");
    let plain = bench.reader().journal_all().expect("reads").into_iter();
    let plain = plain.filter(|row| row.audit.is_none()).find_map(|row| row.notice).expect("told");
    assert!(!said(&bench, &format!("/trace {plain}")).contains("audit"));
}

/// A database with rows that people made: with and without a preview.
fn audited() -> Bench {
    let bench = Bench::new();
    let store = Store::open(&bench.database()).expect("opens");
    for number in 1..=5_i64 {
        let preview = (number % 2 == 0).then(|| format!("closes {number} AAPL"));
        let [person, channel, words] = ["ana", "terminal", "/close AAPL"].map(str::to_owned);
        let (at, result) = (Timestamp::from_ms(number * 60_000), "confirmed".to_owned());
        let seq = store.audit(AuditEntry { at, person, channel, words, preview, result }).expect("stored");
        assert_eq!(seq, number);
    }
    store.close();
    assert_eq!(bench.reader().verify_audit().expect("reads"), (5, None));
    bench
}

/// What somebody does to the file who has it and no scruples.
fn tampered(sql: &str) -> Option<i64> {
    let bench = audited();
    let connection = Connection::open(bench.database()).expect("opens");
    connection
        .execute_batch("DROP TRIGGER audit_stays; DROP TRIGGER audit_keeps; DROP TRIGGER audit_grows;")
        .expect("they are there");
    connection.execute_batch(sql).expect(sql);
    bench.reader().verify_audit().expect("reads").1.map(|fault| fault.seq)
}

#[test]
fn a_changed_missing_or_moved_row_is_found_and_named() {
    for (what, found) in [
        ("UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 3", 3),
        ("UPDATE audit SET person = 'bob' WHERE seq = 3", 3),
        ("UPDATE audit SET channel = 'telegram' WHERE seq = 3", 3),
        ("UPDATE audit SET words = '/close MSFT' WHERE seq = 3", 3),
        ("UPDATE audit SET result = 'refused' WHERE seq = 3", 3),
        ("UPDATE audit SET previous = hash WHERE seq = 3", 3),
        ("UPDATE audit SET hash = previous WHERE seq = 3", 3),
        ("UPDATE audit SET preview = 'closes 5 AAPL' WHERE seq = 4", 4),
        ("UPDATE audit SET preview = NULL WHERE seq = 4", 4),
        ("UPDATE audit SET preview = '' WHERE seq = 3", 3),
        ("UPDATE audit SET channel = 'terminal/', words = 'close AAPL' WHERE seq = 3", 3),
        ("UPDATE audit SET at_ms = 'noon' WHERE seq = 3", 3),
        ("UPDATE audit SET person = x'ff' WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 1", 2),
        ("DELETE FROM audit WHERE seq = 3", 4),
        ("DELETE FROM audit WHERE seq = 5", 5),
        ("DELETE FROM audit", 1),
        ("DELETE FROM meta WHERE key = 'audit_head'", 6),
        (
            "UPDATE audit SET seq = 99 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 99",
            3,
        ),
        ("UPDATE audit SET seq = seq + 10", 11),
        (
            "DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5",
            3,
        ),
        (
            "INSERT INTO audit SELECT 6, at_ms, person, channel, words, result, hash, hash, preview FROM audit WHERE seq = 5",
            6,
        ),
        (
            "INSERT INTO audit SELECT 0, at_ms, person, channel, words, result, '', hash, preview FROM audit WHERE seq = 1",
            0,
        ),
    ] {
        assert_eq!(tampered(what), Some(found), "{what}");
    }
    assert_eq!(tampered("SELECT 1"), None);
}

/// Nobody changes the audit in passing, a mistake of ours included; rows are added all the same.
#[test]
fn the_database_itself_refuses_to_change_the_audit() {
    let bench = audited();
    let connection = Connection::open(bench.database()).expect("opens");
    for sql in [
        "UPDATE audit SET words = '/halt' WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 5",
        "DELETE FROM audit",
        "INSERT INTO audit SELECT 3, at_ms, person, channel, words, result, previous, hash, preview FROM audit WHERE seq = 4",
        "INSERT OR REPLACE INTO audit SELECT 3, at_ms, person, channel, words, result, previous, hash, preview FROM audit WHERE seq = 4",
        "UPDATE OR REPLACE audit SET seq = 4 WHERE seq = 3",
    ] {
        let refused = connection.execute_batch(sql).expect_err(sql).to_string();
        assert!(refused.contains("audit are"), "{refused}");
    }
    drop(connection);
    assert_eq!(bench.reader().verify_audit().expect("reads"), (5, None));
    bench.chat().set_pin("ana", None, &SecretString::from("2846")).expect("set");
    assert_eq!(bench.reader().verify_audit().expect("reads").1, None);
    assert!(bench.reader().audit_rows().expect("reads").len() > 5);
}

/// Rows that a version without previews wrote verify as before, and the chain goes on after them.
#[test]
fn a_chain_from_an_older_version_goes_on() {
    let bench = Bench::new();
    let connection = Connection::open(bench.database()).expect("opens");
    for sql in ["0001_first", "0002_desk", "0003_delivery", "0004_sms"] {
        let path = format!("{}/src/store/migrations/{sql}.sql", env!("CARGO_MANIFEST_DIR"));
        connection.execute_batch(&std::fs::read_to_string(path).expect("is there")).expect("runs");
    }
    // As that version hashed it: six fields, each after its length.
    let mut previous = String::new();
    for seq in 1..=2_i64 {
        let at = (seq * 1_000).to_string();
        let words = r#"{"control":"book","action":"stop","book":"main"}"#;
        let hash = hashed([&previous, &at, "ana", "terminal", words, "main is stopped"]);
        let sql = "INSERT INTO audit VALUES (?1, ?2, 'ana', 'terminal', ?3, 'main is stopped', ?4, ?5)";
        connection.execute(sql, (seq, seq * 1_000, words, &previous, &hash)).expect("stored");
        previous = hash;
    }
    let head = format!("2 {previous}");
    connection.execute("INSERT INTO meta VALUES ('audit_head', ?1)", [head]).expect("stored");
    connection.execute_batch("PRAGMA user_version = 4").expect("set");
    drop(connection);

    bench.chat().set_pin("ana", None, &SecretString::from("2846")).expect("set");
    let (rows, fault) = bench.reader().verify_audit().expect("reads");
    assert!(rows > 2 && fault.is_none(), "{rows} {fault:?}");
}

/// The hash of fields, each after its length.
pub(crate) fn hashed<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = blake3::Hasher::new();
    for field in fields {
        hasher.update(&(field.len() as u64).to_le_bytes());
        hasher.update(field.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
