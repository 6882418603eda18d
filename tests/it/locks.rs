//! What may not be traded or entered: listed with reason and end, and lifted with the PIN.

use bellwether::chat::Reply;
use bellwether::clock::{DAY_MS, Timestamp};
use bellwether::domain::{EntryLock, LockCause};
use bellwether::engine::DeskSettings;
use bellwether::store::Batch;
use secrecy::SecretString;

use crate::chat::{chat, inbound, said};
use crate::support::{Bench, Holding, Life, ListFeed, bar_at, book_batch, flat_bars};

/// When a day's bar ends.
fn end(day: i64) -> Timestamp {
    bar_at(day, [100; 4]).start.plus_ms(DAY_MS)
}

/// A coin that stood at 100 and stands at 40 since the last bar.
fn fallen() -> ListFeed {
    let mut bars = flat_bars(&[100; 20]);
    bars.extend((20..24).map(|day| bar_at(day, [40, 41, 39, 40])));
    ListFeed::daily("BTC-USD", bars)
}

fn idle(desk: &mut DeskSettings) {
    desk.strategies.clear();
}

fn keeps_out(cause: LockCause, since: i64, until: i64) -> EntryLock {
    EntryLock { symbol: "BTC-USD".parse().expect("symbol"), cause, since: end(since), until: end(until) }
}

/// A book that keeps out of the coin twice, one of them over; `holds` some of it or not.
fn locked_out(holds: i64) -> Batch {
    let held = Holding { symbol: "BTC-USD", quantity: holds, entry: 100, stop: Some(30) };
    let held = if holds == 0 { vec![] } else { vec![held] };
    let locks = [keeps_out(LockCause::Cooldown, 1, 19), keeps_out(LockCause::Stops { count: 3 }, 18, 40)];
    book_batch(end(19), 10_000, &held, &locks)
}

fn piece(cycles: u64) -> Life {
    Life { cycles_max: Some(cycles), ..Life::whole(fallen(), idle) }
}

/// Asks for the change, types the PIN, and lets the bot carry it out; what was shown, and what became of it.
fn unlock(bench: &Bench, meanwhile: impl FnOnce()) -> (String, String) {
    let talk = chat(bench);
    let Reply::Confirm { id, preview } = talk.handle(&inbound("/unlock btc-usd")) else { panic!("shown") };
    talk.confirm(&inbound(""), id, &SecretString::from("2846")).expect("confirmed");
    drop(talk);
    meanwhile();
    bench.live(piece(1)).expect("runs");
    (preview, chat(bench).result_of(id).expect("reads").expect("done"))
}

fn with_pin(bench: &Bench) {
    chat(bench).set_pin("owner", None, &SecretString::from("2846")).expect("set");
}

#[test]
fn both_kinds_of_lock_are_listed_and_lifted_together() {
    let bench = Bench::new();
    bench.record(locked_out(0));
    bench.live(piece(1)).expect("runs");
    with_pin(&bench);
    let listed = said(&bench, "/locks");
    let until = "BTC-USD: main does not enter it until 2020-10-23 20:00 EDT, in 20 d 0 h";
    for part in [
        "2 locks, lifted by /unlock SYMBOL and the PIN",
        "BTC-USD: price in doubt since 2020-10-03 20:00 EDT, nothing of it trades",
        "  valued at 100.00 as before, last seen at 40.00",
        "  lifts by itself after 5 sessions, 0 so far, or when the price comes back",
        until,
        "  3 stops in a short time at 2020-10-01 20:00 EDT; what is held of it goes on",
    ] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    let (preview, result) = unlock(&bench, || {});
    assert!(preview.starts_with("Unlock BTC-USD? It stood at 100.00 before it was locked"), "{preview}");
    let question = "Let main enter BTC-USD again? It keeps out until 2020-10-23 20:00 EDT: 3 stops in a short time.";
    assert!(preview.contains(question), "{preview}");
    assert_eq!(result, "BTC-USD unlocked: its price counts again; main may enter it again");
    assert_eq!(said(&bench, "/locks"), "nothing is locked: every price counts, and every symbol may be entered");
    assert!(bench.saved().books[0].entry_locks().is_empty() && bench.saved().marks[0].lock.is_none());
    let journal = bench.reader().journal_text().expect("reads");
    assert!(journal.contains("main entry_unlocked") && journal.contains("symbol_unlocked"), "{journal}");
    assert_eq!(said(&bench, "/unlock BTC-USD"), "BTC-USD is not locked");
}

#[test]
fn a_lock_that_nobody_was_shown_is_not_lifted() {
    let bench = Bench::new();
    bench.record(locked_out(0));
    with_pin(&bench);
    // While the PIN is typed, the book gets one more reason.
    let (preview, result) = unlock(&bench, || {
        let locks = [keeps_out(LockCause::Stops { count: 3 }, 18, 40), keeps_out(LockCause::Cooldown, 19, 60)];
        bench.record(book_batch(end(19), 10_000, &[], &locks));
    });
    assert!(
        !preview.contains("It stood at") && preview.contains("After: its next signal may enter again"),
        "{preview}"
    );
    assert_eq!(result, "not done: things changed after it was shown; ask again");
    assert_eq!(bench.saved().books[0].entry_locks().len(), 2);
    let (_, result) = unlock(&bench, || {});
    assert!(result.ends_with("main may enter it again"), "{result}");
}

/// A price in doubt of something held waits for a person; what is asked names the holder.
#[test]
fn a_locked_price_names_who_holds_it() {
    let bench = Bench::new();
    bench.record(locked_out(7));
    bench.live(piece(2)).expect("runs");
    assert!(said(&bench, "/locks main").contains("  main holds 7: lifts by itself only when the price comes back"));
    // It is valued at the price before, which the figures say too.
    assert!(
        said(&bench, "/exposure").contains("main has 700.00 USD at work: 6.5 % of equity"),
        "{}",
        said(&bench, "/exposure")
    );
}
