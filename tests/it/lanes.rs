//! A lane over its life: what it pays for, how it dies and is found alive, and what a clock does to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bellwether::clock::Clock;
use bellwether::domain::{Quiet, RouteTable, Severity};
use bellwether::notify::{Pool, SendError};
use bellwether::store::Points;

use crate::support::post_office::{ANA, BO, kind, ladder, of_two, unreachable};
use crate::support::{Does, PostOffice, lane};

fn texts(office: &mut PostOffice, name: &str) -> Vec<String> {
    office.wire(name).seen().into_iter().map(|seen| seen.text).collect()
}

fn verdicts(office: &PostOffice) -> Vec<String> {
    let trace = office.reader().trace(office.last_notice()).expect("reads");
    trace.into_iter().filter_map(|row| row.verdict).collect()
}

#[test]
fn a_message_that_waits_for_the_rate_says_so_in_its_trace() {
    let mut office = PostOffice::of_one();
    for _ in 0..4 {
        office.happen([kind("day_closed")]);
        office.tick(ANA);
    }
    assert_eq!(office.wire(ANA).take().len(), 3, "one token is kept for what is critical");
    assert!(verdicts(&office)[0].starts_with("rate:"), "{:?}", verdicts(&office));
    office.run(ANA, 2);
    assert_eq!((office.wire(ANA).take().len(), verdicts(&office).len()), (1, 0));
}

#[test]
fn all_lanes_of_a_service_share_what_it_takes() {
    let mut office = PostOffice::new(RouteTable::simple(&[lane(ANA), lane(BO)], Severity::Notice));
    let allowance = bellwether::notify::Allowance { burst: 3, refill: Duration::from_secs(10) };
    let pool = Pool::full(allowance, Duration::ZERO);
    office.share(ANA, &pool);
    office.share(BO, &pool);
    office.happen([kind("day_closed"), kind("config_changed")]);
    office.tick(ANA);
    office.tick(BO);
    assert_eq!((office.wire(ANA).take().len(), office.wire(BO).take().len()), (2, 0));
    office.happen([kind("symbol_locked")]);
    office.tick(ANA);
    office.tick(BO);
    let told = office.wire(ANA).take();
    assert_eq!((told.len(), office.wire(BO).take().len()), (1, 0), "the last is for what is critical: {told:?}");
}

/// A lane that died with a message, which somebody then acknowledged elsewhere.
fn dead_and_idle() -> PostOffice {
    let mut office = PostOffice::new(RouteTable::simple(&[lane(ANA), lane(BO)], Severity::Notice));
    office.wire(ANA).script([Does::Fail(SendError::Shut("blocked".to_owned()))]);
    office.happen([kind("symbol_locked")]);
    office.tick(ANA);
    let notice = office.reader().journal_told(2).expect("reads").last().expect("told").notice.expect("a number");
    assert!(office.store.acknowledge(notice, "ana", "terminal", office.clock.now()).expect("stored"));
    office.run(BO, 5);
    office.wire(BO).take();
    assert_eq!(office.counts(ANA).open, 0);
    office
}

fn is_dead(office: &PostOffice) -> bool {
    office.reader().lane_state(lane(ANA)).expect("reads").is_some_and(|state| state.dead)
}

#[test]
fn a_dead_way_on_which_nothing_waits_is_found_alive() {
    let mut office = dead_and_idle();
    office.wire(ANA).answers_probes(false);
    office.run(ANA, 200);
    assert!(is_dead(&office));
    office.wire(ANA).answers_probes(true);
    office.run(ANA, 61);
    assert!(!is_dead(&office));
    assert_eq!(office.wire(ANA).take(), ["ana:telegram works again after 3 min"], "she has no other way to learn it");
    office.run(BO, 3);
    let told = office.wire(BO).take();
    assert!(told[0].contains("ana:telegram works again"), "{told:?}");
}

#[test]
fn who_is_heard_on_a_dead_way_is_reached_at_once() {
    let mut office = dead_and_idle();
    office.wire(ANA).answers_probes(false);
    office.run(ANA, 2);
    office.wire(ANA).answers_probes(true);
    office.tick(ANA);
    assert!(is_dead(&office), "it rests");
    office.nudge(ANA);
    office.tick(ANA);
    assert!(!is_dead(&office));
}

#[test]
fn a_way_that_never_answers_is_known_as_dead_within_a_minute() {
    let mut office = of_two();
    let hangs = || Does::Fail(SendError::Unknown("no answer".to_owned()));
    office.wire(ANA).script([hangs(), hangs()]);
    // A call is given up after ten seconds.
    let clock = office.clock.clone();
    office.wire(ANA).meanwhile(move || clock.advance(10_000));
    office.happen([kind("day_closed")]);
    let begun = office.clock.now();
    office.tick(ANA);
    assert!(!is_dead(&office), "one lost answer makes no way dead");
    let clock = office.clock.clone();
    office.wire(ANA).meanwhile(move || clock.advance(10_000));
    while !is_dead(&office) && office.clock.now().since(begun) < 120_000 {
        office.run(ANA, 1);
    }
    let after = office.clock.now().since(begun);
    assert!(after <= 60_000, "{after} ms");
}

#[test]
fn an_answer_that_is_refused_is_replaced_by_one_that_says_so() {
    let mut office = PostOffice::of_one();
    let refused = || Does::Fail(SendError::Rejected("file is too big".to_owned()));
    office.wire(ANA).script([refused()]);
    office.say(ANA, "a long answer");
    office.run(ANA, 2);
    assert_eq!(office.wire(ANA).take(), ["The answer could not be shown here: refused: file is too big"]);
    // One that is refused as well has no third.
    office.wire(ANA).script([refused(), refused()]);
    office.say(ANA, "a long answer");
    office.run(ANA, 5);
    assert_eq!((office.wire(ANA).take().len(), office.counts(ANA).open), (0, 0));
}

#[test]
fn a_change_that_cannot_be_made_is_given_up_after_an_hour() {
    let mut office = PostOffice::of_one();
    office.happen([kind("symbol_locked")]);
    office.run(ANA, 1);
    let notice = office.last_notice();
    assert!(office.store.acknowledge(notice, "bo", "terminal", office.clock.now()).expect("stored"));
    for _ in 0..200 {
        office.wire(ANA).script([Does::Fail(SendError::Unknown("no answer".to_owned()))]);
        office.tick(ANA);
        office.clock.advance(60_000);
    }
    let edits = office.reader().trace(notice).expect("reads").into_iter().find(|row| row.task == "edit");
    let edit = edits.expect("an edit");
    assert!(edit.state == "dead" && edit.attempts.len() < 130, "{edit:?}");
}

#[test]
fn a_clock_that_is_set_back_neither_hurries_nor_delays_the_ladder() {
    let mut office = PostOffice::new(ladder());
    office.happen([kind("symbol_locked")]);
    office.tick(ANA);
    office.tick(BO);
    office.clock.jump_to(office.clock.now().plus_ms(-3_600_000));
    office.run(BO, 110);
    assert_eq!(office.wire(BO).take(), Vec::<String>::new(), "not before its two minutes");
    office.run(BO, 20);
    assert_eq!(office.wire(BO).take().len(), 1, "and not an hour later");
}

#[test]
fn a_clock_that_is_set_back_ends_a_storm_in_its_time() {
    let mut office = PostOffice::of_one();
    office.happen(std::iter::repeat_n(kind("day_closed"), 50));
    office.run(ANA, 20);
    office.clock.jump_to(office.clock.now().plus_ms(-3_600_000));
    office.run(ANA, 90);
    office.wire(ANA).take();
    office.happen([kind("day_closed"), kind("config_changed")]);
    office.run(ANA, 3);
    assert_eq!(office.wire(ANA).take().len(), 2, "each by itself");
}

#[test]
fn a_summary_is_never_turned_into_something_else() {
    let mut office = PostOffice::of_one();
    office.happen(std::iter::repeat_n(kind("position_opened"), 20));
    office.run(ANA, 15);
    let told = office.wire(ANA).take();
    assert!(told.len() == 1 && told[0].contains("20 messages"), "{told:?}");
    office.happen([kind("stop_moved")]);
    assert!(office.store.acknowledge(office.last_notice(), "ana", "terminal", office.clock.now()).expect("stored"));
    office.run(ANA, 90);
    let edits = office.wire(ANA).seen().into_iter().filter(|seen| seen.post.edit.is_some()).collect::<Vec<_>>();
    assert!(edits.is_empty(), "{edits:#?}");
}

#[test]
fn what_is_critical_within_a_story_can_be_acknowledged_there() {
    let mut office = PostOffice::of_one();
    office.wire(ANA).script(vec![Does::Fail(SendError::Unreachable("scripted".to_owned())); 3]);
    office.happen([kind("trading_reduced"), kind("trading_halted")]);
    office.run(ANA, 90);
    let seen = office.wire(ANA).seen();
    let story = seen.iter().find(|seen| seen.text.contains("Before, ")).expect("both in one message");
    let halted = office.reader().journal_told(9).expect("reads");
    let halted =
        halted.iter().find(|row| row.event.kind.name() == "trading_halted").expect("told").notice.expect("a number");
    let lines: Vec<_> = story.post.message.buttons.iter().flatten().map(|button| button.line.clone()).collect();
    assert_eq!(lines[0], format!("/ack {halted}"), "{lines:?}");
    office.wire(ANA).take();
    assert!(office.store.acknowledge(halted, "bo", "terminal", office.clock.now()).expect("stored"));
    office.run(ANA, 3);
    let shown = office.wire(ANA).seen();
    let last = shown.last().expect("shown anew");
    assert!(last.post.edit.is_some() && last.text.contains("Acknowledged by bo"), "{}", last.text);
    assert!(last.text.contains("Before, "), "it is the whole story still: {}", last.text);
    assert!(!last.post.message.buttons.iter().flatten().any(|button| button.line.starts_with("/ack")));
}

#[test]
fn what_was_held_is_told_whole_where_each_message_goes_by_itself() {
    let mut office = PostOffice::of_one();
    office.unlimited(ANA);
    let clock = |text: &str| chrono::NaiveTime::parse_from_str(text, "%H:%M").expect("a time");
    // The office opens at 03:00 in New York.
    office.policy(ANA, |policy| policy.quiet = Some(Quiet { from: clock("22:00"), to: clock("07:00") }));
    office.happen(std::iter::repeat_n(kind("day_closed"), 50));
    office.run(ANA, 2);
    assert_eq!(office.wire(ANA).take().len(), 0);
    office.clock.advance(5 * 3_600_000);
    office.run(ANA, 2);
    assert_eq!((office.wire(ANA).take().len(), office.counts(ANA).sent), (1, 50));
}

#[test]
fn who_is_heard_does_not_shorten_a_pause_that_was_asked_for() {
    let mut office = PostOffice::of_one();
    let pause = |s| Does::Fail(SendError::Throttled(std::time::Duration::from_secs(s)));
    office.wire(ANA).script([pause(40), pause(600)]);
    office.happen([kind("symbol_locked")]);
    office.run(ANA, 45);
    assert_eq!(office.wire(ANA).seen().len(), 0);
    office.nudge(ANA);
    office.run(ANA, 5);
    assert_eq!(office.wire(ANA).seen().len(), 0, "a request inside the forbidden window");
}

#[test]
fn who_is_always_asked_to_wait_is_dead() {
    let mut office = of_two();
    office.wire(ANA).script(vec![Does::Fail(SendError::Throttled(std::time::Duration::from_secs(25))); 5000]);
    office.happen([kind("symbol_locked")]);
    office.run(BO, 5);
    office.wire(BO).take();
    for _ in 0..(26 * 60) {
        office.tick(ANA);
        office.clock.advance(60_000);
    }
    office.run(BO, 30);
    let told = office.wire(BO).take();
    assert!(!told.is_empty() && office.counts(ANA).open == 0, "26 h: {:?} {told:?}", office.counts(ANA));
}

#[test]
fn a_way_that_tells_nothing_of_a_pause() {
    let mut office = of_two();
    let pause = || Does::Fail(SendError::Throttled(std::time::Duration::from_secs(29)));
    office.wire(ANA).script(vec![pause(); 20]);
    office.happen([kind("symbol_locked")]);
    office.run(BO, 3);
    office.wire(BO).take();
    office.run(ANA, 300);
    office.run(BO, 5);
    assert!(!office.wire(BO).take().is_empty(), "five minutes of nothing, and nobody was told: R18");
}

#[test]
fn two_failures_with_a_sleep_between_give_nothing_up() {
    let mut office = PostOffice::of_one();
    office.wire(ANA).script([unreachable(), unreachable()]);
    office.happen([kind("position_closed"), kind("day_closed")]);
    office.tick(ANA);
    // The lid is closed for a night.
    office.clock.advance(7 * 3_600_000);
    office.run(ANA, 60);
    assert_eq!((office.counts(ANA).dead, office.counts(ANA).sent), (0, 2), "{:#?}", texts(&mut office, ANA));
}

#[test]
fn a_lane_that_died_is_told_though_the_bot_dies_too() {
    let mut office = of_two();
    office.wire(ANA).script(vec![Does::Fail(SendError::Shut("blocked".to_owned())); 100]);
    office.happen([kind("symbol_locked")]);
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = commits.clone();
    // 1: restart's own reclaim, 2: marked, 3: the lane is kept as dead; the process ends right after that commit.
    let points = Points::armed(move |name| {
        if name == "commit: after" {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        counted.load(Ordering::SeqCst) >= 4
    });
    office.restart_with(points).expect("starts");
    let _ = office.try_tick(ANA);
    assert!(commits.load(Ordering::SeqCst) >= 3);
    office.restart();
    let state = office.reader().lane_state(lane(ANA)).expect("reads");
    office.run(ANA, 120);
    office.run(BO, 20);
    let told = office.wire(BO).take();
    assert!(told.iter().any(|text| text.contains(ANA)), "{commits:?} {state:?} {told:?}");
}

#[test]
fn what_was_held_by_a_clock_that_was_ahead_is_told() {
    let mut office = PostOffice::of_one();
    let clock = |text: &str| chrono::NaiveTime::parse_from_str(text, "%H:%M").expect("a time");
    office.policy(ANA, |policy| policy.quiet = Some(Quiet { from: clock("22:00"), to: clock("07:00") }));
    office.run(ANA, 1);
    let right = office.clock.now();
    office.clock.jump_to(right.plus_ms(30 * 86_400_000));
    office.happen([kind("position_closed")]);
    office.run(ANA, 2);
    office.clock.jump_to(right);
    for _ in 0..48 * 12 {
        office.tick(ANA);
        office.clock.advance(300_000);
    }
    assert_eq!(office.counts(ANA).sent, 1, "two days later: {:?}", office.counts(ANA));
}

#[test]
fn a_clock_that_is_set_back_a_little_delays_no_ladder() {
    let mut office = PostOffice::new(ladder());
    office.happen([kind("symbol_locked")]);
    office.tick(ANA);
    office.run(BO, 100);
    office.clock.jump_to(office.clock.now().plus_ms(-90_000));
    office.run(BO, 30);
    assert_eq!(office.wire(BO).take().len(), 1, "130 s after the event");
}

#[test]
fn a_pause_that_is_asked_for_outlives_a_restart() {
    let mut office = PostOffice::of_one();
    office.wire(ANA).script([Does::Fail(SendError::Throttled(Duration::from_secs(30)))]);
    office.happen([kind("symbol_locked")]);
    office.tick(ANA);
    office.clock.advance(5_000);
    office.restart();
    let begun = office.clock.now();
    office.run(ANA, 60);
    let seen = office.wire(ANA).seen();
    assert_eq!(seen.iter().map(|seen| seen.at.since(begun)).collect::<Vec<_>>(), [25_000]);
}
