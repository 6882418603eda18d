//! Who is told what people changed, and how? The list, one row whole, the document, and how often commands are used.

use bellwether::chat::{Inbound, Place, Reply, Role};
use bellwether::clock::Timestamp;
use bellwether::store::{AuditEntry, Store};
use secrecy::SecretString;
use serde_json::Value;

use crate::audit_chain::{hashed, life};
use crate::chat::{inbound, said};
use crate::support::{Bench, Shell};

fn asked_by(bench: &Bench, name: &str, role: Role, place: Place, text: &str) -> Reply {
    let mut asked = Inbound { place, ..inbound(text) };
    (asked.person.name, asked.person.role) = (name.to_owned(), role);
    bench.chat().handle(&asked)
}

fn entry(at: i64, person: &str, words: &str, preview: Option<&str>, result: &str) -> AuditEntry {
    let [person, channel, words, result] = [person, "telegram", words, result].map(str::to_owned);
    AuditEntry { at: Timestamp::from_ms(at), person, channel, words, preview: preview.map(str::to_owned), result }
}

fn with_rows(rows: Vec<AuditEntry>) -> Bench {
    let bench = Bench::new();
    let store = Store::open(&bench.database()).expect("opens");
    for row in rows {
        store.audit(row).expect("stored");
    }
    store.close();
    bench
}

/// One change is one row of the list, in the words it was typed in, with what came of it; whole, it shows what happened by it.
#[test]
fn a_change_is_told_from_its_words_to_its_fills() {
    let bench = Bench::new();
    bench.live(life(80)).expect("runs");
    bench.confirm("/book stop");
    let audit = bench.reader().control(1).expect("reads").expect("one").audit.expect("confirmed");
    let shown = "/book stop main\n  shown: main is running.…\n";
    let told = said(&bench, "/audit");
    assert!(told.contains(&format!(" · owner · terminal · {shown}  accepted\n")), "{told}");
    bench.live(life(10)).expect("runs");

    let list = said(&bench, "/audit");
    let done = format!("{audit} · 2027-01-15 03:00 EST · owner · terminal · {shown}  main is stopped: ");
    assert!(list.contains(&done), "{list}");
    assert_eq!(list.matches("/book stop").count(), 1, "what came of it is no change of its own: {list}");
    assert!(!list.contains('{'), "{list}");
    let whole = said(&bench, &format!("/audit {audit}"));
    assert!(whole.contains("\n/book stop main\nShown before:\n  main is running.\n  Stop it?"), "{whole}");
    assert!(whole.contains("\naccepted, then: main is stopped: "), "{whole}");
    for kind in ["trading_reduced", "order_filled", "position_closed"] {
        assert!(whole.contains(&format!(" {kind} · N")) || whole.contains(&format!(" {kind}: ")), "{kind}: {whole}");
    }
    let settled = said(&bench, &format!("/audit {}", audit.number() + 1));
    assert!(settled.contains(&format!("What came of {audit}: main is stopped")), "{settled}");
    assert!(said(&bench, "/audit 999").contains("there is no change 999"));
}

/// The preview as it was shown, its first line in the list and all of it in the row.
#[test]
fn what_was_shown_is_told() {
    let preview = "sells 50 AAPL at about 187.20\ncash after: 12,000.00";
    let bench = with_rows(vec![entry(1_000, "owner", "/close AAPL 50%", Some(preview), "confirmed")]);
    let list = said(&bench, "/audit");
    assert!(list.contains("/close AAPL 50%\n  shown: sells 50 AAPL at about 187.20…\n  confirmed\n"), "{list}");
    let whole = said(&bench, "/audit 1");
    assert!(whole.contains("Shown before:\n  sells 50 AAPL at about 187.20\n  cash after: 12,000.00\n"), "{whole}");
}

#[test]
fn the_list_is_asked_for_by_person_time_and_place() {
    let day = 86_400_000;
    let now = 1_800_000_000_000;
    let who = |number: i64| if number % 2 == 0 { "ana" } else { "bob" };
    let made =
        |number: i64| entry(now - (30 - number) * day, who(number), &format!("/mute kind{number}"), None, "muted");
    let bench = with_rows((1..=30).map(made).collect());
    let numbers = |text: &str| -> Vec<i64> {
        let rows = said(&bench, text);
        rows.lines().filter_map(|line| line.split_once(" · ")?.0.parse().ok()).collect()
    };
    assert_eq!(numbers("/audit"), (21..=30).rev().collect::<Vec<_>>());
    assert!(said(&bench, "/audit").contains("\nolder ones: /audit before 21\n"));
    assert_eq!(numbers("/audit before 21"), (11..=20).rev().collect::<Vec<_>>());
    assert_eq!(numbers("/audit before 3"), [2, 1]);
    assert_eq!(numbers("/audit ana before 9"), [8, 6, 4, 2]);
    assert_eq!(numbers("/audit before 9 ana"), [8, 6, 4, 2]);
    let recent: Vec<i64> = (27..=30).rev().collect();
    assert_eq!(numbers("/audit since 3 days"), recent);
    assert_eq!(numbers("/audit ana since 3 days"), [30, 28]);
    assert_eq!(numbers("/audit since 3 days ana"), [30, 28]);
    let longer = said(&bench, "/audit since 20 days");
    let older = longer.lines().find(|line| line.starts_with("older ones: ")).expect("there are more");
    assert_eq!(numbers(older.trim_start_matches("older ones: ")), (11..=20).rev().collect::<Vec<_>>(), "{older}");
    assert_eq!(said(&bench, "/audit nobody"), "no such change is recorded");
    for wrong in
        ["/audit since", "/audit since teatime", "/audit ana bob", "/audit before", "/audit before ana", "/audit 0 0"]
    {
        assert!(matches!(bench.chat().handle(&inbound(wrong)), Reply::Refused(_)), "{wrong}");
    }
}

/// Owners see everybody's changes and lines, others their own, and a group nobody's.
#[test]
fn whose_changes_somebody_sees() {
    let rows = vec![entry(1_000, "ana", "/mute x", None, "muted"), entry(2_000, "bob", "/pin set", None, "set")];
    let bench = with_rows(rows);
    let store = Store::open(&bench.database()).expect("opens");
    for (key, person) in [("1", "ana"), ("2", "bob")] {
        store.note_line("telegram", key, person, "/status", Timestamp::from_ms(1_000)).expect("kept");
    }
    store.close();
    let text = |name: &str, role, place, text: &str| match asked_by(&bench, name, role, place, text) {
        Reply::Text(text) | Reply::Refused(text) => text,
        reply => panic!("{reply:?}"),
    };
    let all = text("owner", Role::Owner, Place::Private, "/audit");
    assert!(all.contains("/mute x") && all.contains("/pin set"), "{all}");
    assert!(text("owner", Role::Owner, Place::Private, "/usage").contains("/status 2 · ana 1, bob 1 · last "));
    for role in [Role::Operator, Role::Viewer] {
        let own = text("ana", role, Place::Private, "/audit");
        assert!(own.contains("/mute x") && !own.contains("bob") && !own.contains("/pin set"), "{own}");
        assert!(!text("ana", role, Place::Private, "/audit since 2 days").contains("bob"));
        assert!(text("ana", role, Place::Private, "/audit bob").contains("your own changes alone"));
        assert!(text("ana", role, Place::Private, "/audit 2").contains("there is no change 2 that you may see"));
        assert!(text("ana", role, Place::Private, "/usage").contains("/status 1 · ana 1 · last "));
    }
    for line in ["/audit", "/audit 1", "/usage"] {
        let group = Place::Group { name: None, hides_amounts: false, acks: true };
        let told = text("owner", Role::Owner, group, line);
        assert!(told.contains("told in no group"), "{told}");
    }
}

/// Names of commands are counted however they are typed, and nothing else of a line is told.
#[test]
fn commands_are_counted_by_their_names_alone() {
    let bench = Bench::new();
    let store = Store::open(&bench.database()).expect("opens");
    let lines = [
        "/status",
        "/s",
        "/STATUS",
        "/portfolio status",
        "/status@a_bot",
        "stop",
        "/halt2846!",
        "/halt",
        "/help positions",
    ];
    let secrets =
        ["2846", "/nonsense 739105", "my PIN is 2846", "K7QX-2M9D", "/pair K7QX-2M9D", "digits", "/resume 739105"];
    for (key, line) in lines.into_iter().chain(secrets).enumerate() {
        store.note_line("telegram", &key.to_string(), "ana", line, Timestamp::from_ms(key as i64)).expect("kept");
    }
    store.note_line("telegram", "stranger", "", "/status", Timestamp::from_ms(0)).expect("kept");
    store.close();
    let told = said(&bench, "/usage");
    for line in ["/status 5 · ana 5 · last ", "/halt 3 · ana 3 ", "/help 1 ", "/pair 1 ", "/resume 1 "] {
        assert!(told.contains(line), "{line}: {told}");
    }
    for secret in ["2846", "7391", "K7QX", "positions", "nonsense"] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
    assert_eq!(told.lines().count(), 6, "{told}");
}

/// What the program answers beside the bot counts, too, and is no more than a name in the database.
#[test]
fn what_is_asked_from_a_shell_is_counted() {
    let shell = Shell::new();
    assert_eq!(shell.run(&["command", "/help"]).0, 0, "no database is no reason to fail");
    assert!(!shell.path().join("bellwether.db").exists());
    assert_eq!(shell.run(&["run", "--cycles", "1", "--speed", "max"]).0, 0);
    for line in ["/status", "/s", "/why AAPL", "/chart equity", "/cycle dry"] {
        shell.run(&["command", line]);
    }
    let (code, told, _) = shell.run(&["command", "/usage"]);
    assert_eq!(code, 0);
    for line in ["/status 2 · owner 2 ", "/why 1 · owner 1 ", "/chart 1 ", "/cycle 1 "] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

/// What leaves can be verified by anybody, executes nowhere, and shows whether the database is still what it was.
#[test]
fn the_document_can_be_verified_by_others() {
    let shell = Shell::new();
    let store = Store::open(&shell.path().join("bellwether.db")).expect("opens");
    let hostile = ["=1+1", "+1", "-1", "@sum(a1)", "\t=1", "'=1", "a,\"b\"\nc", "плюс"];
    for (number, words) in hostile.into_iter().enumerate() {
        let preview = (number % 2 == 0).then_some("=2+2");
        store.audit(entry(number as i64, "ana", words, preview, words)).expect("stored");
    }
    store.close();
    assert_eq!(shell.run(&["audit", "export", "audit.json"]).0, 0);
    assert_eq!(shell.run(&["audit", "export", "audit.csv"]).0, 0);
    assert_eq!(shell.run(&["audit", "export", "audit.xls"]).0, 2);

    let text = std::fs::read_to_string(shell.path().join("audit.json")).expect("written");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let how = document["how_to_verify"].as_str().expect("said");
    assert!(how.contains("previous, at_ms in decimal digits, person, channel, words, result, and preview"), "{how}");
    let mut previous = String::new();
    for row in document["rows"].as_array().expect("rows") {
        let at = row["at_ms"].to_string();
        let field = |name: &str| row[name].as_str();
        let fields = ["person", "channel", "words", "result"].map(|name| field(name).expect("text"));
        let all = [previous.as_str(), at.as_str()].into_iter().chain(fields).chain(field("preview"));
        previous = hashed(all);
        assert_eq!(row["hash"], previous.as_str());
    }
    let table = std::fs::read_to_string(shell.path().join("audit.csv")).expect("written");
    for part in [",'=1+1,", ",'+1,", ",'-1,", ",'@sum(a1),", ",'\t=1,", ",''=1,", ",\"a,\"\"b\"\"\nc\",", ",'=2+2,"] {
        assert!(table.contains(part), "{part}: {table}");
    }

    let (code, told, _) = shell.run(&["audit", "verify", "audit.json"]);
    assert!(code == 0 && told.contains("audit.json: 8 rows, all in the database"), "{told}");
    assert!(told.contains(&format!("8 rows, the chain is whole; the last is 8 {previous}")), "{told}");
    shell.write("forged.json", &text.replace("плюс", "минус"));
    let (code, _, told) = shell.run(&["audit", "verify", "forged.json"]);
    assert!(code == 1 && told.contains("row 8 of forged.json is not what it was: it was changed"), "{told}");
    shell.write("none.json", "[]");
    assert_eq!(shell.run(&["audit", "verify", "none.json"]).0, 2);

    // Somebody who writes the whole chain anew is found by the document that left before.
    std::fs::remove_file(shell.path().join("bellwether.db")).expect("gone");
    let store = Store::open(&shell.path().join("bellwether.db")).expect("opens");
    store.audit(entry(0, "ana", "nothing happened", None, "done")).expect("stored");
    store.close();
    assert_eq!(shell.run(&["audit", "verify"]).0, 0);
    let (code, _, told) = shell.run(&["audit", "verify", "audit.json"]);
    assert!(code == 1 && told.contains("row 1 of audit.json is not what it was: it is not in the database"), "{told}");
}

/// The PIN, wrong or right, is in no row and no answer.
#[test]
fn no_pin_is_in_the_audit() {
    let bench = Bench::new();
    bench.live(life(5)).expect("runs");
    bench.confirm("/book pause");
    let talk = bench.chat();
    let Reply::Confirm { id, .. } = talk.handle(&inbound("/book stop")) else { panic!("shown") };
    talk.confirm(&inbound(""), id, &SecretString::from("739105")).expect_err("wrong");
    for row in bench.reader().audit_rows().expect("reads") {
        let said = format!("{:?}", row.entry);
        assert!(!said.contains("2846") && !said.contains("739105"), "{said}");
    }
}
