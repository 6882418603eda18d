//! What follows a try that failed: messages that arrived in part, of unknown fate, behind a pause, or given up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bellwether::clock::Clock;
use bellwether::domain::{NoticeId, Quiet, Route, RouteTable, Severity};
use bellwether::notify::{Abilities, Channel, Failure, Pool, Post, Receipt, SendError};

use bellwether::store::Own;

use crate::support::post_office::CHAT;
use crate::support::post_office::{ANA, BO, kind, of_two};
use crate::support::{Does, PostOffice, lane};

/// Fails as scripted, also in part; keeps each try: (parts done before, text, was taken).
#[derive(Default)]
struct Parts {
    script: Mutex<VecDeque<Failure>>,
    tries: Mutex<Vec<(u32, String, bool)>>,
}

impl Parts {
    fn fails(&self, parts: u32, what: SendError) {
        self.script.lock().expect("lock").push_back(Failure { parts, what });
    }
    fn tries(&self) -> Vec<(u32, String, bool)> {
        self.tries.lock().expect("lock").clone()
    }
}

#[async_trait]
impl Channel for Parts {
    fn abilities(&self) -> Abilities {
        CHAT
    }
    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        let text = post.message.plain_lines().join("\n");
        let fails = self.script.lock().expect("lock").pop_front();
        let mut tries = self.tries.lock().expect("lock");
        tries.push((post.parts_done, text, fails.is_none()));
        match fails {
            Some(failure) => Err(failure),
            None => Ok(Receipt { remote: Some(tries.len().to_string()), ..Receipt::default() }),
        }
    }
}

/// Refuses whatever names the configuration, once its first part is there.
struct Picky(Mutex<Vec<String>>);
#[async_trait]
impl Channel for Picky {
    fn abilities(&self) -> Abilities {
        CHAT
    }
    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        let text = post.message.plain_lines().join("\n");
        self.0.lock().expect("lock").push(text.clone());
        if text.to_lowercase().contains("config") {
            return Err(Failure { parts: 1, what: SendError::Rejected("bad".to_owned()) });
        }
        Ok(Receipt::default())
    }
}

/// Is closed, and asks for half an hour whenever it is asked whether it still is.
struct Asks(Mutex<u32>);
#[async_trait]
impl Channel for Asks {
    fn abilities(&self) -> Abilities {
        CHAT
    }
    async fn probe(&self) -> Option<Result<(), Failure>> {
        *self.0.lock().expect("lock") += 1;
        Some(Err(SendError::Throttled(Duration::from_mins(30)).into()))
    }
    async fn send(&self, _: &Post) -> Result<Receipt, Failure> {
        Err(SendError::Shut("blocked".to_owned()).into())
    }
}

fn down() -> SendError {
    SendError::Unreachable("502".to_owned())
}

fn with_parts(office: &mut PostOffice) -> Arc<Parts> {
    let parts = Arc::new(Parts::default());
    office.plug(ANA, parts.clone());
    parts
}

#[test]
fn a_begun_message_of_which_a_part_was_acknowledged_jams_no_lane() {
    let mut office = of_two();
    let parts = with_parts(&mut office);
    parts.fails(1, down());
    // Both wait together: one message, of which the first part arrives.
    office.happen([kind("trading_reduced"), kind("trading_halted")]);
    office.tick(ANA);
    let told = office.reader().journal_told(9).expect("fine");
    let notice = told.iter().find(|r| r.event.kind.name() == "trading_halted").expect("fine").notice.expect("fine");
    assert!(office.store.acknowledge(notice, "ana", "terminal", office.clock.now()).expect("stored"));
    office.run(ANA, 3600);
    let counts = office.counts(ANA);
    assert_eq!(counts.open, 0, "{counts:?} {:#?}", parts.tries());
}

#[test]
fn a_begun_message_that_cannot_go_on_uses_up_nothing_that_lanes_share() {
    let mut office = of_two();
    let pool =
        Pool::full(bellwether::notify::Allowance { burst: 30, refill: Duration::from_millis(50) }, Duration::ZERO);
    office.share(ANA, &pool);
    office.share(BO, &pool);
    let parts = with_parts(&mut office);
    parts.fails(1, down());
    office.happen([kind("trading_reduced"), kind("trading_halted")]);
    office.tick(ANA);
    let told = office.reader().journal_told(9).expect("fine");
    let notice = told.iter().find(|r| r.event.kind.name() == "trading_halted").expect("fine").notice.expect("fine");
    assert!(office.store.acknowledge(notice, "ana", "terminal", office.clock.now()).expect("stored"));
    for _ in 0..600 {
        office.tick(ANA);
        office.tick(BO);
        office.clock.advance(100);
    }
    let (a, b) = (office.counts(ANA), office.counts(BO));
    assert_eq!((a.open, b.open), (0, 0), "{a:?} {b:?}");
}

#[test]
fn a_refused_second_part_takes_no_other_with_it() {
    let mut office = of_two();
    let parts = with_parts(&mut office);
    parts.fails(1, SendError::Rejected("bad entity".to_owned()));
    office.happen(std::iter::repeat_n(kind("day_closed"), 8));
    office.run(ANA, 60);
    let counts = office.counts(ANA);
    let tries = parts.tries();
    // After the refusal each row is to be told by itself, marked where a part of it may be there.
    assert!(!tries[1].1.contains("8 messages"), "the whole storm again, unmarked: {counts:?} {tries:#?}");
}

#[test]
fn a_refused_second_part_kills_a_row_that_is_well() {
    let mut office = of_two();
    let picky = Arc::new(Picky(Mutex::default()));
    office.plug(ANA, picky.clone());
    office.happen(std::iter::repeat_n(kind("day_closed"), 8));
    office.happen([kind("config_changed")]);
    office.run(ANA, 120);
    let trace: Vec<_> = (1..=9)
        .map(|n| {
            office
                .reader()
                .trace(NoticeId(n))
                .expect("fine")
                .into_iter()
                .find(|r| r.lane == ANA)
                .map(|r| (n, r.state, r.verdict))
        })
        .collect();
    let counts = office.counts(ANA);
    assert!(counts.dead <= 1, "{counts:?} {trace:#?} {:#?}", picky.0.lock().expect("lock"));
}

#[test]
fn a_pause_that_is_over_stays_over_when_the_clock_is_set_back() {
    let mut office = PostOffice::of_one();
    office.wire(ANA).script([Does::Fail(SendError::Throttled(Duration::from_secs(2)))]);
    office.happen([kind("day_closed")]);
    office.run(ANA, 10);
    assert_eq!(office.wire(ANA).take().len(), 1);
    office.clock.advance(12 * 3_600_000);
    office.clock.jump_to(office.clock.now().plus_ms(-20 * 3_600_000));
    office.restart();
    office.happen([kind("trading_halted")]);
    office.run(ANA, 600);
    assert_eq!(office.wire(ANA).take().len(), 1, "a halt waits for a pause of two seconds that was over long ago");
}

#[test]
fn an_answer_whose_second_part_may_be_there_says_so() {
    let mut office = PostOffice::of_one();
    let parts = with_parts(&mut office);
    parts.fails(1, SendError::Unknown("timeout".to_owned()));
    office.say(ANA, "You hold nothing");
    office.run(ANA, 10);
    let tries = parts.tries();
    assert!(tries[1].1.contains("Perhaps a repeat"), "{tries:#?}");
}

#[test]
fn a_notice_whose_second_part_may_be_there_says_so() {
    let mut office = PostOffice::of_one();
    let parts = with_parts(&mut office);
    parts.fails(1, SendError::Unknown("timeout".to_owned()));
    office.happen([kind("trading_halted")]);
    office.run(ANA, 10);
    let tries = parts.tries();
    assert!(tries[1].1.to_lowercase().contains("perhaps"), "{tries:#?}");
}

fn night(office: &mut PostOffice) {
    let clock = |text: &str| chrono::NaiveTime::parse_from_str(text, "%H:%M").expect("fine");
    office.policy(ANA, |policy| policy.quiet = Some(Quiet { from: clock("02:00"), to: clock("07:00") }));
}

#[test]
fn a_night_of_which_a_part_was_told_is_marked_whole() {
    let mut office = PostOffice::of_one();
    night(&mut office);
    let parts = with_parts(&mut office);
    office.happen(std::iter::repeat_n(kind("day_closed"), 3));
    office.run(ANA, 2);
    assert!(parts.tries().is_empty());
    parts.fails(1, down());
    office.clock.advance(5 * 3_600_000);
    office.tick(ANA);
    office.restart();
    office.run(ANA, 60);
    let tries = parts.tries();
    let last = &tries.last().expect("fine").1;
    assert!(["N1", "N2", "N3"].iter().all(|n| last.contains(n)), "{tries:#?}");
}

#[test]
fn a_trade_that_began_and_ended_while_the_lane_was_down_is_shown_over() {
    let mut office = PostOffice::of_one();
    let much = "100000".parse().expect("fine");
    office.policy(ANA, |policy| policy.thresholds = vec![("position_closed".to_owned(), much)]);
    office.happen([kind("position_opened"), kind("position_closed")]);
    office.run(ANA, 600);
    let seen = office.wire(ANA).seen();
    assert!(
        seen.last().expect("fine").text.to_lowercase().contains("closed"),
        "{:#?}",
        seen.iter().map(|s| &s.text).collect::<Vec<_>>()
    );
}

#[test]
fn an_end_that_comes_later_survives_a_restart() {
    let mut table = RouteTable::simple(&[lane(ANA), lane(BO)], Severity::Notice);
    table.routes[0].to = vec![lane(ANA)];
    table.routes.push(Route {
        to: vec![lane(BO)],
        after_ms: 120_000,
        kinds: vec!["position_closed".to_owned()],
        ..table.routes[0].clone()
    });
    for restarts in [false, true] {
        let mut office = PostOffice::new(table.clone());
        office.happen([kind("position_opened")]);
        office.run(ANA, 2);
        office.happen([kind("position_closed")]);
        office.run(ANA, 2);
        if restarts {
            office.restart();
        }
        office.run(BO, 130);
        assert_eq!(
            office.wire(BO).take().len(),
            1,
            "restarts: {restarts} {:?}",
            office.reader().trace(office.last_notice()).expect("fine")
        );
    }
}

#[test]
fn a_fact_that_cannot_be_read_does_not_stop_its_story_or_lane() {
    let mut office = PostOffice::of_one();
    office.happen([kind("position_opened")]);
    office.run(ANA, 2);
    let database = rusqlite::Connection::open(office.database()).expect("fine");
    database
        .execute("UPDATE journal SET body = '{\"kind\":\"what\"}' WHERE kind = 'position_opened'", [])
        .expect("fine");
    drop(database);
    office.happen([kind("stop_moved")]);
    office.happen([kind("day_closed")]);
    let mut errors = Vec::new();
    for _ in 0..100 {
        if let Err(error) = office.try_tick(ANA) {
            errors.push(error.to_string());
        }
        office.clock.advance(1000);
    }
    let counts = office.counts(ANA);
    assert!(errors.is_empty(), "{} errors, {:?} {counts:?}", errors.len(), errors.first());
}

#[test]
fn a_begun_message_that_a_storm_overtakes_keeps_its_name() {
    let mut office = of_two();
    let parts = with_parts(&mut office);
    parts.fails(1, down());
    office.happen([kind("position_opened")]);
    office.tick(ANA);
    office.happen(std::iter::repeat_n(kind("day_closed"), 9));
    office.run(ANA, 120);
    let row = office
        .reader()
        .trace(NoticeId(1))
        .expect("fine")
        .into_iter()
        .find(|r| r.lane == ANA && r.task == "notice")
        .expect("fine");
    assert!(row.remote.is_some() || parts.tries()[1].0 == 0, "{row:#?} {:#?}", parts.tries());
}

#[test]
fn a_throttle_that_is_over_is_forgotten() {
    let mut office = of_two();
    office.wire(ANA).script([Does::Fail(SendError::Throttled(Duration::from_secs(1)))]);
    office.happen([kind("trading_halted")]);
    office.tick(ANA);
    assert!(office.store.acknowledge(office.last_notice(), "ana", "terminal", office.clock.now()).expect("fine"));
    office.run(ANA, 60);
    office.wire(ANA).script([Does::Fail(SendError::Throttled(Duration::from_secs(1)))]);
    office.happen([kind("day_closed")]);
    office.tick(ANA);
    let state = office.reader().lane_state(lane(ANA)).expect("fine");
    assert!(state.as_ref().is_none_or(|s| s.failures == 0), "{state:?}");
}

#[test]
fn a_begun_storm_outlives_what_is_given_up_of_it() {
    let mut office = of_two();
    office.policy(ANA, |policy| {
        policy.patience = bellwether::notify::Patience::new([3_600_000, 6 * 3_600_000, 24 * 3_600_000, 24 * 3_600_000]);
    });
    let parts = with_parts(&mut office);
    for _ in 0..2000 {
        parts.fails(1, down());
    }
    // Six warnings and as many notices wait together; the way is down for seven hours, then it works.
    office.happen(std::iter::repeat_n(kind("feed_stale"), 6));
    office.happen(std::iter::repeat_n(kind("day_closed"), 6));
    for _ in 0..500 {
        office.tick(ANA);
        office.clock.advance(60_000);
    }
    parts.script.lock().expect("lock").clear();
    for _ in 0..600 {
        office.tick(ANA);
        office.clock.advance(60_000);
    }
    let counts = office.counts(ANA);
    let tries = parts.tries();
    assert_eq!(counts.open, 0, "{counts:?} {} tries, last {:?}", tries.len(), tries.last());
}

#[test]
fn a_book_does_not_wait_for_what_another_may_have_been_told() {
    let mut office = PostOffice::of_one();
    office.policy(ANA, |policy| policy.hides_amounts = true);
    office.wire(ANA).script([Does::Fail(SendError::Unknown("timeout".to_owned()))]);
    let now = office.clock.now();
    let lost = |book: &str| bellwether::domain::Event {
        at: now,
        book: Some(book.parse().expect("fine")),
        kind: kind("day_closed"),
    };
    office.store.record_events(bellwether::domain::RunId(1), now, vec![lost("main")], &office.routes).expect("fine");
    office.run(ANA, 3);
    office
        .store
        .record_events(bellwether::domain::RunId(1), office.clock.now(), vec![lost("zeta")], &office.routes)
        .expect("fine");
    office.run(ANA, 10);
    assert_eq!(office.wire(ANA).take().len(), 1);
}

#[test]
fn a_repeat_does_not_wait_for_a_clock_that_was_set_back() {
    let mut office = PostOffice::of_one();
    office.wire(ANA).script(vec![Does::Fail(down()); 1]);
    office.happen([kind("day_closed")]);
    office.tick(ANA);
    office.clock.advance(3 * 3_600_000);
    office.wire(ANA).script([Does::Fail(SendError::Unknown("timeout".to_owned()))]);
    office.tick(ANA);
    office.clock.jump_to(office.clock.now().plus_ms(-2 * 3_600_000));
    office.run(ANA, 300);
    assert_eq!(office.wire(ANA).take().len(), 1, "{:?}", office.reader().trace(NoticeId(1)).expect("fine"));
}

#[test]
fn a_drill_is_told_while_a_louder_storm_goes_on() {
    let mut office = PostOffice::of_one();
    office.happen([kind("drill_sent")]);
    for _ in 0..600 {
        office.happen(std::iter::repeat_n(kind("feed_stale"), 2));
        office.run(ANA, 1);
        let told = office.wire(ANA).seen();
        if told.iter().any(|seen| seen.text.starts_with("DRILL")) {
            return;
        }
    }
    panic!("not in ten minutes: {:?}", office.reader().trace(NoticeId(1)).expect("fine"));
}

#[test]
fn a_begun_night_of_which_a_kind_was_muted_still_goes() {
    let mut office = PostOffice::of_one();
    night(&mut office);
    let parts = with_parts(&mut office);
    office.happen([kind("day_closed"), kind("config_changed"), kind("config_changed")]);
    office.run(ANA, 2);
    parts.fails(1, down());
    office.clock.advance(5 * 3_600_000);
    office.tick(ANA);
    let now = office.clock.now();
    office.change_own("ana", Own::Mute { kind: "config_changed".to_owned(), until: Some(now.plus_ms(86_400_000)) });
    office.run(ANA, 600);
    // What comes later waits behind it.
    office.happen([kind("day_closed")]);
    office.run(ANA, 600);
    let counts = office.counts(ANA);
    assert_eq!(counts.open, 0, "{counts:?} {:#?}", parts.tries());
}

#[test]
fn one_word_covers_a_message_of_unknown_fate_too() {
    let mut table = RouteTable::simple(&[lane(ANA), lane(BO)], Severity::Notice);
    table.routes[0].to = vec![lane(ANA)];
    table.routes.push(Route {
        to: vec![lane(BO)],
        min: Severity::Critical,
        after_ms: 120_000,
        ..table.routes[0].clone()
    });
    let mut office = PostOffice::new(table);
    office.wire(ANA).script([Does::TakeUnheard]);
    office.happen([kind("trading_halted"), kind("trading_halted")]);
    office.tick(ANA);
    let seen = office.wire(ANA).seen();
    assert!(
        seen.len() == 1 || seen[0].text.contains("Before"),
        "both in one message {:#?}",
        seen.iter().map(|s| &s.text).collect::<Vec<_>>()
    );
    let key = seen[0].post.keys[0][0].clone();
    let line = office.reader().button(&key.token, lane(ANA)).expect("fine").expect("fine");
    let notice: u64 = line.trim_start_matches("/ack N").parse().expect("fine");
    assert!(office.store.acknowledge(NoticeId(notice), "ana", "telegram", office.clock.now()).expect("fine"));
    office.run(ANA, 10);
    office.run(BO, 200);
    let bo = office.wire(BO).take();
    let ana: Vec<String> = office.wire(ANA).take();
    assert!(bo.is_empty(), "pressed {line}; bo: {bo:#?} ana: {ana:#?}");
}

#[test]
fn an_answer_that_is_given_up_after_two_unknowns_says_so() {
    let mut office = PostOffice::of_one();
    let unknown = || Does::Fail(SendError::Unknown("timeout".to_owned()));
    office.wire(ANA).script([unknown(), unknown()]);
    office.say(ANA, "You hold nothing");
    office.run(ANA, 120);
    assert!(!office.wire(ANA).take().is_empty(), "lost without a word {:?}", office.counts(ANA));
}

#[test]
fn a_probe_keeps_to_the_pause_that_it_is_asked_for() {
    let mut office = of_two();
    let asks = Arc::new(Asks(Mutex::new(0)));
    office.plug(ANA, asks.clone());
    office.happen([kind("trading_halted")]);
    office.tick(ANA);
    for number in 1..3 {
        office.store.acknowledge(NoticeId(number), "ana", "terminal", office.clock.now()).expect("stored");
    }
    office.run(ANA, 600);
    assert!(
        *asks.0.lock().expect("lock") <= 1,
        "{} probes in ten minutes, {:?}",
        asks.0.lock().expect("lock"),
        office.counts(ANA)
    );
}
