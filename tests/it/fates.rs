//! What becomes of messages that fail: together, in part, twice, or on their way to somebody whom nobody routes to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bellwether::clock::Clock;
use bellwether::domain::{ChannelKind, Event, EventKind, Quiet, RouteTable, Routes, RunId, Severity};
use bellwether::notify::{Abilities, Channel, Failure, Post, Receipt, SendError};

use crate::support::post_office::{ANA, BO, CHAT, kind, of_two, texts, unreachable};
use crate::support::{Does, PostOffice, book_batch, lane};

fn unknown() -> Does {
    Does::Fail(SendError::Unknown("no answer".to_owned()))
}

#[test]
fn a_story_of_unknown_fate_ends_with_its_end() {
    let mut office = PostOffice::of_one();
    office.wire(ANA).script([unreachable()]);
    office.happen([kind("feed_stale"), kind("feed_recovered")]);
    office.wire(ANA).script([unknown()]);
    office.run(ANA, 120);
    let seen = texts(&mut office, ANA);
    let loud: Vec<&String> = seen.iter().filter(|text| text.contains("None:")).collect();
    assert!(!loud.last().expect("told").contains("No prices"), "{loud:#?}");
}

#[test]
fn a_storm_of_unknown_fate_is_told_twice_at_most() {
    let mut office = of_two();
    office.wire(ANA).script(vec![Does::TakeUnheard; 1000]);
    office.happen(std::iter::repeat_n(kind("day_closed"), 20));
    office.run(ANA, 1800);
    let seen = texts(&mut office, ANA);
    let counts = office.counts(ANA);
    assert!(
        seen.len() <= 2,
        "{} messages, {counts:?}, deliveries died: {}",
        seen.len(),
        office
            .reader()
            .journal_told(500)
            .expect("reads")
            .iter()
            .filter(|row| row.event.kind.name() == "delivery_died")
            .count()
    );
}

/// Refuses whatever names a word.
struct Picky {
    word: &'static str,
    seen: Mutex<Vec<String>>,
    refused: AtomicUsize,
}

#[async_trait]
impl Channel for Picky {
    fn abilities(&self) -> Abilities {
        CHAT
    }
    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        let text = post.message.plain_lines().join("\n");
        if text.contains(self.word) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(SendError::Rejected("bad".to_owned()).into());
        }
        self.seen.lock().expect("lock").push(text);
        Ok(Receipt { remote: Some(self.seen.lock().expect("lock").len().to_string()), ..Receipt::default() })
    }
}

#[test]
fn one_refused_message_of_many_takes_no_other_with_it() {
    let mut office = of_two();
    let picky = Arc::new(Picky { word: "configuration", seen: Mutex::default(), refused: AtomicUsize::new(0) });
    office.plug(ANA, picky.clone());
    office.happen(std::iter::repeat_n(kind("day_closed"), 15));
    office.happen([kind("config_changed")]);
    office.run(ANA, 600);
    let counts = office.counts(ANA);
    assert!(
        counts.dead <= 1,
        "{counts:?} refused {} told {:#?}",
        picky.refused.load(Ordering::SeqCst),
        picky.seen.lock().expect("lock")
    );
}

#[test]
fn an_answer_that_may_be_there_says_so() {
    let mut office = PostOffice::of_one();
    office.wire(ANA).script([Does::TakeUnheard]);
    office.say(ANA, "You hold nothing");
    office.run(ANA, 10);
    let told = office.wire(ANA).take();
    assert!(told.len() == 2 && told[1] != told[0], "{told:?}");
}

#[test]
fn an_answer_that_comes_late_says_so() {
    let mut office = PostOffice::of_one();
    office.wire(ANA).script(vec![unreachable(); 60]);
    office.say(ANA, "You hold nothing");
    office.run(ANA, 1800);
    office.wire(ANA).mend();
    office.run(ANA, 120);
    let told = office.wire(ANA).take();
    assert!(told[0].contains("late"), "{told:?}");
}

#[test]
fn what_may_have_been_told_is_not_lost_in_an_edit() {
    let mut office = PostOffice::of_one();
    office.happen([kind("position_opened")]);
    office.run(ANA, 5);
    // It never arrived, but nobody knows.
    office.wire(ANA).script([unknown()]);
    office.happen([kind("day_closed")]);
    office.run(ANA, 5);
    let day = office.last_notice();
    let mut scaled = kind("position_scaled");
    if let EventKind::PositionScaled { symbol, .. } = &mut scaled {
        *symbol = "AAPL".parse().expect("a symbol");
    }
    office.happen([scaled]);
    office.run(ANA, 120);
    let seen = texts(&mut office, ANA);
    assert!(
        seen.iter().any(|text| text.contains(&day.to_string()) || text.contains("day")),
        "{day} counts as {:?}: {seen:#?}",
        office.reader().trace(day).expect("reads")
    );
}

/// The first part arrives, the second never does.
struct Half(AtomicUsize);

#[async_trait]
impl Channel for Half {
    fn abilities(&self) -> Abilities {
        CHAT
    }
    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        if post.parts_done == 0 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        Err(Failure { parts: 1, what: SendError::Unreachable("502".to_owned()) })
    }
}

#[test]
fn a_message_of_which_a_part_arrived_is_repeated_once() {
    let mut office = of_two();
    let half = Arc::new(Half(AtomicUsize::new(0)));
    office.plug(ANA, half.clone());
    office.happen([kind("day_closed")]);
    office.run(ANA, 3600);
    assert!(
        half.0.load(Ordering::SeqCst) <= 2,
        "{} copies of its first part in an hour, {:?}",
        half.0.load(Ordering::SeqCst),
        office.counts(ANA)
    );
}

#[test]
fn missed_shows_all_of_a_storm() {
    let mut office = PostOffice::of_one();
    office.happen(std::iter::repeat_n(kind("day_closed"), 19));
    office.happen([kind("drawdown_near")]);
    office.run(ANA, 15);
    let told = office.wire(ANA).take();
    let missed = office.reader().missed("ana", None, 100).expect("reads");
    let names: Vec<_> = missed.iter().map(|row| row.event.kind.name()).collect();
    assert!(names.contains(&"drawdown_near") && names.len() == 20, "{} of 20: {told:#?}", names.len());
}

#[test]
fn an_alert_reaches_whoever_set_it() {
    let mut table = RouteTable::simple(&[lane(ANA), lane(BO)], Severity::Notice);
    table.routes[0].to = vec![lane(ANA)];
    let mut office = PostOffice::new(table);
    let mut fired = kind("alert_fired");
    if let EventKind::AlertFired { person, .. } = &mut fired {
        *person = "bo".to_owned();
    }
    office.happen([fired]);
    office.run(BO, 5);
    assert_eq!(office.wire(BO).take().len(), 1);
}

#[test]
fn the_same_failure_in_another_book_is_news() {
    let mut office = PostOffice::of_one();
    let now = office.clock.now();
    for book in ["main", "zeta"] {
        let event = Event { at: now, book: Some(book.parse().expect("a name")), kind: kind("strategy_failed") };
        office.store.record_events(RunId(1), now, vec![event], &office.routes).expect("stored");
        office.run(ANA, 3);
    }
    let told = office.wire(ANA).take();
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn missed_tells_of_the_channel_on_which_it_is_asked() {
    let terminal = "ana:terminal";
    let mut office = PostOffice::new(RouteTable::simple(&[lane(ANA), lane(terminal)], Severity::Notice));
    office.unlimited(terminal);
    office.happen(std::iter::repeat_n(kind("day_closed"), 20));
    office.run(ANA, 15);
    while office.tick(terminal).sent > 0 {}
    let missed = |channel| office.reader().missed("ana", channel, 100).expect("reads").len();
    assert_eq!((missed(Some(ChannelKind::Telegram)), missed(Some(ChannelKind::Terminal)), missed(None)), (20, 0, 0));
}

#[test]
fn the_message_of_a_trade_says_that_it_is_over_though_its_end_comes_with_the_digest() {
    let mut office = PostOffice::of_one();
    let much = "100000".parse().expect("an amount");
    office.policy(ANA, |policy| policy.thresholds = vec![("position_closed".to_owned(), much)]);
    office.happen([kind("position_opened")]);
    office.run(ANA, 2);
    office.happen([kind("position_closed")]);
    office.run(ANA, 3);
    let seen = office.wire(ANA).seen();
    let last = seen.last().expect("changed");
    assert!(
        last.post.edit.is_some() && last.post.silent && last.text.to_lowercase().contains("closed"),
        "{}",
        last.text
    );
    assert_eq!(seen.len(), 2, "no message of its own: {seen:#?}");
}

#[test]
fn an_answer_that_something_critical_overtook_says_so() {
    let mut office = PostOffice::of_one();
    office.say(ANA, "running: main");
    office.happen([kind("trading_halted")]);
    office.run(ANA, 5);
    let told = office.wire(ANA).take();
    assert!(told[0].contains("HALTED") && told[1].contains("Written before N1 was told"), "{told:?}");
    office.say(ANA, "halted: main");
    office.run(ANA, 5);
    assert_eq!(office.wire(ANA).take(), ["halted: main"]);
}

#[test]
fn a_drill_is_told_by_itself_in_the_middle_of_a_storm() {
    let mut office = PostOffice::of_one();
    office.happen(std::iter::repeat_n(kind("day_closed"), 20));
    office.happen([kind("drill_sent")]);
    office.run(ANA, 40);
    let told = office.wire(ANA).take();
    assert!(told.iter().any(|text| text.starts_with("DRILL")), "{told:?}");
}

#[test]
fn a_share_is_one_of_the_capital_of_its_own_book() {
    let mut office = PostOffice::of_one();
    let mut batch = book_batch(office.clock.now(), 1_000_000, &[], &[]);
    let mut small = book_batch(office.clock.now(), 10_000, &[], &[]).books.remove(0);
    small.book.name = "zeta".parse().expect("a name");
    batch.books.push(small);
    office.store.record(Box::new(batch), &Routes::default()).wait().expect("stored");
    office.policy(ANA, |policy| policy.hides_amounts = true);
    let now = office.clock.now();
    // The day of zeta alone: a third of it is gone.
    let lost = |book: &str| Event { at: now, book: Some(book.parse().expect("a name")), kind: kind("day_closed") };
    office.store.record_events(RunId(1), now, vec![lost("zeta")], &office.routes).expect("stored");
    office.run(ANA, 5);
    let alone = office.wire(ANA).take();
    let clock = |text: &str| chrono::NaiveTime::parse_from_str(text, "%H:%M").expect("a time");
    office.restart();
    office.policy(ANA, |policy| policy.quiet = Some(Quiet { from: clock("02:00"), to: clock("07:00") }));
    office.store.record_events(RunId(1), now, vec![lost("main"), lost("zeta")], &office.routes).expect("stored");
    office.run(ANA, 5);
    office.clock.advance(5 * 3_600_000);
    office.run(ANA, 5);
    let night = office.wire(ANA).take();
    let told = |text: &&String| text.contains("33.0 %");
    assert_eq!((night.iter().filter(told).count(), night.len()), (1, 2), "alone: {alone:#?} night: {night:#?}");
}
