//! What `STATUS` tells on a phone: whole facts in one segment, the most useful first, of one book and of many.

use bellwether::channels::{SmsForm, short_text, sms_segments};
use bellwether::chat::{Inbound, Person, Place, Reply, Role, read_only};
use bellwether::clock::Timestamp;
use bellwether::domain::{Book, Message, Money, Style, TradingState};
use bellwether::notify::Post;
use bellwether::store::{BookRow, Lease};

use crate::support::{Bench, Holding, book_batch, post};

const AT: Timestamp = Timestamp::from_ms(1_795_255_200_000);

/// Lines of the whole answer, and the text that a phone gets of it.
fn told(bench: &Bench) -> (Vec<String>, String) {
    let person = Person { name: "ana".to_owned(), role: Role::Owner, zone: None, books: None, style: Style::default() };
    let inbound = Inbound { person, place: Place::Private, chat: "sms:ana".to_owned(), text: "/status".to_owned() };
    let _runs = Lease::take(&bench.database()).expect("free");
    let Some(Reply::Text(answer)) = read_only(&inbound, &bench.database(), AT) else { panic!("no answer") };
    let form = SmsForm { one_segment: true, whole: false, answers: true, before: "" };
    let text = short_text(&Post { number: None, ..post(1, Message::answer(&answer)) }, form);
    (answer.lines().map(str::to_owned).collect(), text)
}

/// Books of these names: each made some of its capital today, and those whose name begins with `h` are halted.
fn books(names: &[&str], capital: i64) -> Bench {
    let bench = Bench::new();
    let held = [Holding { symbol: "AAPL", quantity: 3, entry: 100, stop: Some(90) }];
    let mut batch = book_batch(AT, capital, &held, &[]);
    let first = batch.books.remove(0);
    for (number, name) in (1..).zip(names) {
        let halted = name.starts_with('h');
        let mut book = Book { name: name.parse().expect("a name"), ..first.book.clone() };
        if number > 1 {
            book.positions.clear();
        }
        batch.books.push(BookRow {
            book,
            equity: first.equity.plus(Money::whole(number)).expect("fits"),
            peak: first.peak.plus(Money::whole(10 * number)).expect("fits"),
            state: if halted { TradingState::Halted } else { TradingState::Running },
            cause: if halted { r#"{"cause":"command","person":"ana"}"#.to_owned() } else { String::new() },
            ..first.clone()
        });
    }
    bench.record(batch);
    bench
}

#[test]
fn a_segment_holds_as_many_whole_facts_as_fit() {
    let long = ["h-aggressive-momentum-1", "momentum-of-small-caps", "the-third-of-the-family"];
    let cases: [(&[&str], i64); 6] = [
        (&["main"], 10_000),
        (&["h-aggressive-momentum-1"], 987_654_321),
        (&["main", "halted"], 10_000),
        (&long, 987_654_321),
        (&["a", "b", "c", "halted", "e"], 5_000),
        (&["a", "b", "c", "d", "e", "f", "g", "h1", "h2", "j", "k", "l"], 10_000),
    ];
    for (names, capital) in cases {
        let (facts, text) = told(&books(names, capital));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(sms_segments(&text), 1, "{text}");
        let mut left = facts.iter();
        let in_order = lines.iter().all(|line| left.any(|fact| fact == line));
        assert!(in_order && !text.contains("..."), "{text}\nof {facts:#?}");
        for fact in facts.iter().filter(|fact| !lines.contains(&fact.as_str())) {
            assert!(sms_segments(&format!("{text}\n{fact}")) > 1, "{fact} fits into {text}");
        }
        // What it is worth and what today brought, then whether it trades and what it holds.
        assert!(lines[0].contains(" USD, today +"), "{text}");
        let state = lines.iter().position(|line| line.contains("running") || line.contains("halted")).expect("told");
        assert!(state < 3 && text.contains("1 position"), "{text}");
    }
}

#[test]
fn of_many_books_those_that_stand_still_are_named_first() {
    let (_, text) = told(&books(&["a", "b", "halted"], 5_000));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "3 books, 15,906.00 USD, today +6.00 (0.0 %)");
    assert_eq!(lines[1], "1 halted, 2 running, 1 position");
    assert_eq!(lines[2], "halted halted (by ana) 5,303.00, today +0.1 %");
    assert!(lines[3].starts_with("a 5,301.00"), "{text}");
    let (_, one) = told(&books(&["main"], 10_000));
    for part in ["main 10,301.00 USD, today +1.00 (0.0 %)", "running, 1 position", "from the peak", "exposure"] {
        assert!(one.contains(part), "{part}: {one}");
    }
}
