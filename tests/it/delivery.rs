//! From the outbox to a chat: once, in time, in few messages, and loudly where it cannot be.

use std::time::Duration;

use bellwether::domain::{EventKind, LaneRule, Money, Quiet, Route, RouteTable, Severity, Treatment};
use bellwether::notify::SendError;

use bellwether::store::Own;

use crate::support::post_office::{ANA, BO, kind, ladder, of_two, unreachable};
use crate::support::{Does, PostOffice, lane};

fn kinds<const N: usize>(names: [&str; N]) -> Vec<EventKind> {
    names.into_iter().map(kind).collect()
}

#[test]
fn what_begins_and_ends_while_nobody_is_reached_is_told_once_and_whole() {
    let mut office = PostOffice::of_one();
    office.wire(ANA).script(vec![unreachable(); 500]);
    office.happen([kind("feed_stale")]);
    office.run(ANA, 10);
    office.happen([kind("feed_recovered")]);
    office.run(ANA, 10);
    office.wire(ANA).mend();
    office.run(ANA, 60);
    let told = office.wire(ANA).take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("were stale for"), "{told:?}");
    assert_eq!((office.counts(ANA).sent, office.counts(ANA).open), (2, 0));
}

#[test]
fn without_a_fault_each_message_goes_once_and_in_order() {
    let mut office = PostOffice::of_one();
    office.unlimited(ANA);
    office.happen(std::iter::repeat_n(kind("day_closed"), 500));
    while office.tick(ANA).sent > 0 {}
    let numbers: Vec<u64> = office.wire(ANA).seen().iter().filter_map(|seen| Some(seen.post.number?.0)).collect();
    assert_eq!(numbers, (1..=500).collect::<Vec<u64>>());
}

#[test]
fn a_trade_is_one_living_message_and_its_end_a_reply() {
    let mut office = PostOffice::of_one();
    office.happen([kind("position_opened")]);
    office.run(ANA, 2);
    office.happen([kind("stop_moved")]);
    office.run(ANA, 2);
    office.happen([kind("position_closed")]);
    office.run(ANA, 4);
    let seen = office.wire(ANA).seen();
    let shape: Vec<_> =
        seen.iter().map(|seen| (seen.post.edit.clone(), seen.post.reply_to.clone(), seen.post.silent)).collect();
    let root = || Some("101".to_owned());
    assert_eq!(
        shape,
        [(None, None, false), (root(), None, true), (None, root(), false), (root(), None, true)],
        "{seen:#?}"
    );
    assert!(seen[1].text.starts_with("Bought 1,379 AAPL at 187.42"), "it stays the opening: {}", seen[1].text);
    assert!(seen[1].text.contains("Stop 185.10 (-1.2 %), was 182.30"), "with the stop of now: {}", seen[1].text);
    assert!(seen[1].text.contains("/why O17") && !seen[1].text.contains("Before"), "{}", seen[1].text);
    // The first message says that it is over, and leaves the rest to the reply.
    let over: Vec<&str> = seen[3].text.lines().collect();
    assert!(over[0].starts_with("Bought 1,379 AAPL at 187.42") && over[1].starts_with("Closed 2026-"), "{over:?}");
    let told = |line: &&str| seen[2].text.contains(*line);
    assert!(seen[2].text.contains("By margin call") && !over.iter().any(told), "nothing is told twice: {over:?}");
    // Another trade of the same symbol is another story.
    office.happen([kind("position_opened")]);
    office.run(ANA, 1);
    assert_eq!(office.wire(ANA).seen().last().expect("told").post.reply_to, None);
}

#[test]
fn nobody_knows_whether_it_arrived() {
    let mut office = of_two();
    office.wire(ANA).script([Does::TakeUnheard]);
    office.happen([kind("symbol_locked")]);
    office.run(ANA, 5);
    let told = office.wire(ANA).take();
    assert_eq!(told.len(), 2, "what is critical goes again at once");
    assert!(!told[0].contains("repeat") && told[1].contains("perhaps a repeat of N1"), "{told:?}");
    // What is not critical waits for another message to go with.
    office.wire(ANA).script([Does::TakeUnheard]);
    office.happen([kind("day_closed")]);
    office.run(ANA, 5);
    office.happen([kind("config_changed")]);
    office.run(ANA, 5);
    let told = office.wire(ANA).take();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].contains("Perhaps told already, N2:"), "{told:?}");
    // Alone it goes by itself after twenty seconds.
    office.wire(ANA).script([Does::TakeUnheard]);
    office.happen([kind("day_closed")]);
    office.run(ANA, 15);
    assert_eq!(office.wire(ANA).take().len(), 1);
    office.run(ANA, 10);
    assert!(office.wire(ANA).take()[0].contains("perhaps a repeat of N4"));
    assert_eq!((office.counts(ANA).sent, office.counts(ANA).open), (4, 0));
}

#[test]
fn a_second_silence_gives_it_up_and_says_so_elsewhere() {
    let mut office = of_two();
    office.wire(ANA).script([Does::TakeUnheard, Does::TakeUnheard]);
    office.happen([kind("symbol_locked")]);
    office.run(ANA, 10);
    office.run(BO, 2);
    assert_eq!(office.counts(ANA).dead, 1);
    let told = office.wire(BO).take().join("\n");
    assert!(told.contains("N1") && told.contains(ANA), "{told}");
}

#[test]
fn a_dead_way_is_told_on_the_others_and_so_is_its_return() {
    let mut office = of_two();
    office.wire(ANA).script(vec![unreachable(); 12]);
    office.happen([kind("symbol_locked")]);
    let mut told_after = None;
    for second in 0..240 {
        office.run(ANA, 1);
        office.run(BO, 1);
        if told_after.is_none() && office.wire(BO).seen().iter().any(|seen| seen.text.contains(ANA)) {
            told_after = Some(second * 2);
        }
    }
    assert!(told_after.is_some_and(|seconds| seconds <= 60), "R18: {told_after:?}");
    let told: Vec<_> = office.wire(BO).seen().into_iter().filter(|seen| seen.post.edit.is_none()).collect();
    assert_eq!(told.iter().filter(|seen| seen.text.contains(ANA)).count(), 2, "dead once, back once: {told:#?}");
    let late = office.wire(ANA).take();
    assert!(late.iter().any(|text| text.contains(" late")), "{late:?}");
    assert_eq!(office.counts(ANA).open, 0);
}

#[test]
fn a_way_that_refuses_everything_is_dead_at_once_and_looked_at_again() {
    let mut office = of_two();
    office.wire(ANA).script([Does::Fail(SendError::Shut("bot was blocked by the user".to_owned()))]);
    office.happen([kind("day_closed")]);
    office.tick(ANA);
    office.run(BO, 3);
    assert!(office.wire(BO).take().join("\n").contains("blocked"));
    // A restart does not tell it a second time.
    office.restart();
    office.wire(ANA).script([Does::Fail(SendError::Shut("bot was blocked by the user".to_owned()))]);
    office.tick(ANA);
    office.run(BO, 3);
    assert_eq!(office.wire(BO).take(), Vec::<String>::new());
    office.run(ANA, 40);
    assert_eq!(office.counts(ANA).open, 0);
}

#[test]
fn a_pause_that_is_asked_for_is_kept_to_the_millisecond() {
    let mut office = PostOffice::of_one();
    office.wire(ANA).script([Does::Fail(SendError::Throttled(Duration::from_secs(7)))]);
    office.happen(kinds(["symbol_locked", "day_closed"]));
    let asked = bellwether::clock::Clock::now(&*office.clock);
    let tally = office.tick(ANA);
    assert_eq!(tally.rest, Some(Duration::from_secs(7)));
    office.run(ANA, 20);
    let seen = office.wire(ANA).seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].at.since(asked), 7_000, "R5: not before, and not later");
}

#[test]
fn ten_thousand_infos_are_few_messages_and_a_critical_one_does_not_wait_for_them() {
    let everything =
        Route { kinds: vec!["*".to_owned()], min: Severity::Info, books: Vec::new(), to: vec![lane(ANA)], after_ms: 0 };
    let table = RouteTable { lanes: vec![LaneRule::open(lane(ANA))], routes: vec![everything] };
    let mut office = PostOffice::new(table);
    let told = |name: &str| (name.to_owned(), Treatment::Silent);
    office.policy(ANA, |policy| policy.rule.treatments = vec![told("order_submitted")]);
    let begun = bellwether::clock::Clock::now(&*office.clock);
    let mut critical_ms = Vec::new();
    for second in 0..600i64 {
        office.happen(std::iter::repeat_n(kind("order_submitted"), if second < 400 { 25 } else { 0 }));
        if second % 100 == 50 {
            office.happen([kind("symbol_locked")]);
        }
        let asked = bellwether::clock::Clock::now(&*office.clock);
        office.run(ANA, 1);
        let seen = office.wire(ANA).seen();
        if let Some(last) = seen
            .iter()
            .rev()
            .find(|seen| seen.post.severity == Severity::Critical && seen.post.edit.is_none() && seen.at >= asked)
        {
            critical_ms.push(last.at.since(asked));
        }
    }
    let seen = office.wire(ANA).seen();
    let infos = seen.iter().filter(|seen| seen.post.severity < Severity::Critical).count();
    assert!(infos <= 60, "{infos} messages in 10 minutes");
    assert_eq!(critical_ms.len(), 6, "each of them single");
    assert!(critical_ms.iter().all(|ms| *ms <= 2_000), "R7: {critical_ms:?}");
    assert!(bellwether::clock::Clock::now(&*office.clock).since(begun) == 600_000);
    let counts = office.counts(ANA);
    assert_eq!((counts.accepted, counts.sent, counts.open), (10_006, 10_006, 0), "each is counted");
}

/// Ana again after ten minutes, if nobody said anything.
fn long_ladder() -> RouteTable {
    let mut table = ladder();
    let again = Route { to: vec![lane(ANA)], after_ms: 600_000, ..table.routes[1].clone() };
    table.routes.push(again);
    table
}

#[test]
fn what_nobody_acknowledges_climbs_its_ladder_across_restarts() {
    let mut office = PostOffice::new(long_ladder());
    office.happen([kind("trading_halted")]);
    let begun = bellwether::clock::Clock::now(&*office.clock);
    office.run(ANA, 60);
    office.restart();
    office.run(BO, 70);
    let climbed = office.wire(BO).seen();
    assert_eq!(climbed.len(), 1);
    assert!((climbed[0].at.since(begun) - 120_000).abs() <= 1_000, "R10: {}", climbed[0].at.since(begun));
    assert!(climbed[0].text.contains("Nobody has acknowledged it for 2 min"), "{}", climbed[0].text);
    office.run(ANA, 480);
    assert_eq!(office.wire(ANA).seen().len(), 2, "and again at the first");
}

#[test]
fn one_word_stops_it_everywhere_and_every_message_says_so() {
    let mut office = PostOffice::new(long_ladder());
    office.happen([kind("trading_halted")]);
    office.run(ANA, 1);
    let notice = office.last_notice();
    let asked = bellwether::clock::Clock::now(&*office.clock);
    assert!(office.store.acknowledge(notice, "ana", "telegram", asked).expect("stored"));
    assert!(!office.store.acknowledge(notice, "bo", "telegram", asked).expect("stored"), "the first one counts");
    office.run(ANA, 2);
    let seen = office.wire(ANA).seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].post.edit.as_deref(), Some("101"));
    assert!(seen[1].text.contains("Acknowledged by ana on telegram"), "{}", seen[1].text);
    assert!(seen[1].at.since(asked) <= 2_000);
    let acks = |seen: &crate::support::post_office::Seen| {
        seen.post.message.buttons.iter().flatten().any(|button| button.line.starts_with("/ack"))
    };
    assert!(acks(&seen[0]) && !acks(&seen[1]), "the button is gone");
    office.run(ANA, 900);
    office.run(BO, 900);
    assert_eq!((office.wire(ANA).seen().len(), office.wire(BO).seen().len()), (2, 0), "R11");
    assert_eq!((office.counts(ANA).skipped, office.counts(BO).skipped), (1, 1));
}

#[test]
fn a_story_that_is_over_climbs_no_further() {
    let mut office = PostOffice::new(long_ladder());
    office.happen([kind("trading_halted")]);
    office.run(ANA, 5);
    office.happen([kind("trading_resumed")]);
    office.run(ANA, 5);
    office.run(BO, 900);
    assert_eq!(office.wire(BO).seen().len(), 0);
    assert_eq!(office.wire(ANA).seen().iter().filter(|seen| seen.post.edit.is_none()).count(), 2);
}

#[test]
fn a_night_is_quiet_but_for_what_is_critical_and_ends_in_one_message() {
    let mut office = PostOffice::of_one();
    let time = |hour| chrono::NaiveTime::from_hms_opt(hour, 0, 0).expect("a time");
    // The clock of the office stands at 03:00 in New York.
    office.policy(ANA, |policy| policy.quiet = Some(Quiet { from: time(22), to: time(7) }));
    office.happen(kinds(["position_opened", "day_closed", "split_applied", "config_changed", "symbol_locked"]));
    office.run(ANA, 60);
    let told = office.wire(ANA).take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("LOCKED"), "{told:?}");
    assert_eq!(office.counts(ANA).open, 4, "they wait and are counted");
    office.clock.advance(4 * 3_600_000 - 120_000);
    office.run(ANA, 5);
    assert_eq!(office.wire(ANA).take(), Vec::<String>::new());
    office.clock.advance(120_000);
    office.run(ANA, 5);
    let told = office.wire(ANA).take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].lines().count() >= 5, "{told:?}");
    assert_eq!((office.counts(ANA).open, office.counts(ANA).sent), (0, 5));
}

#[test]
fn what_somebody_does_not_want_is_held_back_with_its_cause_but_never_what_can_ruin_them() {
    let mut office = PostOffice::of_one();
    let now = bellwether::clock::Clock::now(&*office.clock);
    for kind in ["day_closed", "trading_halted"] {
        office.change_own("ana", Own::Mute { kind: kind.to_owned(), until: Some(now.plus_ms(3_600_000)) });
    }
    for (kind, treatment) in [("config_changed", Treatment::Off), ("split_applied", Treatment::Silent)] {
        office.change_own("ana", Own::Wish { kind: kind.to_owned(), treatment: Some(treatment) });
    }
    office.policy(ANA, |policy| policy.thresholds = vec![("position_closed".to_owned(), Money::whole(1_000_000))]);
    office.happen(kinds(["day_closed", "trading_halted", "config_changed", "split_applied", "position_closed"]));
    office.run(ANA, 5);
    let seen = office.wire(ANA).seen();
    let silent: Vec<bool> = seen.iter().map(|seen| seen.post.silent).collect();
    assert_eq!(silent, [false, true], "{seen:#?}");
    assert_eq!((office.counts(ANA).skipped, office.counts(ANA).open), (2, 1), "muted, off; with the digest");
    let reader = office.reader();
    let verdicts: Vec<String> = (1..=5)
        .filter_map(|number| reader.trace(bellwether::domain::NoticeId(number)).expect("reads").remove(0).verdict)
        .collect();
    assert_eq!(verdicts, ["muted", "switched off", "smaller than 1000000.00: with the digest"]);
    // A mute ends by itself.
    office.clock.advance(3_600_000);
    office.happen([kind("day_closed")]);
    office.run(ANA, 2);
    assert_eq!(office.wire(ANA).seen().len(), 3);
}

#[test]
fn the_same_trouble_in_the_same_words_is_no_news_and_a_greater_one_says_enough() {
    let mut office = PostOffice::of_one();
    office.happen(kinds(["config_refused", "config_refused"]));
    office.run(ANA, 3);
    office.happen([kind("config_refused")]);
    office.run(ANA, 3);
    assert_eq!(office.wire(ANA).take().len(), 1);
    office.clock.advance(600_000);
    office.happen([kind("config_refused")]);
    office.run(ANA, 3);
    assert_eq!(office.wire(ANA).take().len(), 1, "after a while it is");
    let counts = office.counts(ANA);
    assert_eq!((counts.accepted, counts.sent), (4, 2));
}

#[test]
fn an_answer_goes_before_the_news_and_after_what_is_critical() {
    let mut office = PostOffice::of_one();
    office.happen(kinds(["day_closed", "symbol_locked"]));
    office.say(ANA, "an answer");
    office.run(ANA, 3);
    let told = office.wire(ANA).take();
    assert!(told[0].contains("LOCKED") && told[1] == "an answer", "{told:?}");
}

#[test]
fn a_button_says_nothing_of_what_it_does_and_works_only_where_it_was_shown() {
    let mut office = of_two();
    office.happen([kind("symbol_locked")]);
    office.run(ANA, 1);
    let post = office.wire(ANA).seen()[0].post.clone();
    let key = &post.keys[0][0];
    assert!(key.token.len() <= 64 && !key.token.contains("ack"), "{key:?}");
    let reader = office.reader();
    let line = reader.button(&key.token, lane(ANA)).expect("reads").expect("known");
    assert_eq!(line, post.message.buttons[0][0].line);
    assert_eq!(reader.button(&key.token, lane(BO)).expect("reads"), None);
    assert_eq!(reader.button("0000", lane(ANA)).expect("reads"), None);
}

#[test]
fn the_five_cases_of_the_contest_are_told_once_and_rightly() {
    for case in crate::support::contest::CASES {
        assert!((case.passes)(), "{}: {}", case.letter, case.about);
    }
}

#[test]
fn an_acknowledgement_overtakes_what_is_under_way() {
    let mut office = PostOffice::new(long_ladder());
    office.happen([kind("trading_halted")]);
    office.run(ANA, 1);
    office.clock.advance(119_000);
    // The second step begins, and nobody knows whether it arrived; meanwhile somebody acknowledges.
    let (store, clock, notice) = (office.store.clone(), office.clock.clone(), office.last_notice());
    office.wire(BO).meanwhile(move || {
        let now = bellwether::clock::Clock::now(&*clock);
        assert!(store.acknowledge(notice, "ana", "telegram", now).expect("stored"));
    });
    office.wire(BO).script([Does::TakeUnheard]);
    office.run(BO, 300);
    let seen = office.wire(BO).seen();
    assert_eq!((seen.len(), office.wire(BO).begun()), (1, 1), "no repeat after the acknowledgement: {seen:#?}");
    assert_eq!((office.counts(BO).skipped, office.counts(BO).open), (1, 0));
}

#[test]
fn a_message_that_never_goes_is_given_up_and_lets_the_others_go() {
    let mut office = of_two();
    office.policy(ANA, |policy| policy.patience = bellwether::notify::Patience::new([60_000; 4]));
    office.wire(ANA).script(vec![unreachable(); 400]);
    office.happen(kinds(["symbol_locked", "position_unprotected"]));
    office.run(ANA, 300);
    office.wire(ANA).mend();
    assert_eq!((office.counts(ANA).dead, office.counts(ANA).open), (2, 0), "also the one that was tried each time");
}

#[test]
fn what_was_to_be_changed_and_is_gone_is_said_anew_once() {
    let mut office = PostOffice::of_one();
    office.happen([kind("position_opened")]);
    office.run(ANA, 2);
    office.wire(ANA).script(vec![Does::Fail(SendError::Gone); 3]);
    office.happen([kind("position_scaled")]);
    office.run(ANA, 10);
    // The sample is of another symbol, so it is no part of that story; a part of it follows.
    office.happen([kind("position_closed")]);
    office.run(ANA, 30);
    assert_eq!(office.counts(ANA).open, 0);
    assert!(office.wire(ANA).seen().len() <= 5, "no endless tries");
}
