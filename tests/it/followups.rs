//! Somebody has it: the ladder over all channels stops, messages that can be changed say who, and where none can, one short message does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bellwether::channels::{Letters, MailFile};
use bellwether::clock::Clock;
use bellwether::domain::{ChannelKind, NoticeId, Route, RouteTable, Severity};
use bellwether::notify::SendError;
use bellwether::store::Points;

use crate::support::post_office::{ANA, kind};
use crate::support::{Does, PostOffice, lane};

/// Who is called, and after how many minutes.
const LADDER: &[(&str, i64)] = &[
    ("ana:telegram", 0),
    ("ana:terminal", 0),
    ("ana:discord", 2),
    ("bo:sms", 2),
    ("ana:email", 5),
    ("bo:email", 5),
    ("ana:ntfy", 10),
    ("cy:ntfy", 10),
    ("ana:sms", 10),
    ("ana:webhook", 15),
    ("bo:discord", 15),
];

fn table(ladder: &[(&str, i64)]) -> RouteTable {
    let lanes: Vec<_> = ladder.iter().map(|(name, _)| lane(name)).collect();
    let mut table = RouteTable::simple(&lanes, Severity::Notice);
    let step = |(name, minutes): &(&str, i64)| {
        let min = if *minutes == 0 { Severity::Notice } else { Severity::Critical };
        Route { min, to: vec![lane(name)], after_ms: minutes * 60_000, ..table.routes[0].clone() }
    };
    table.routes = ladder.iter().map(step).collect();
    table
}

fn office(ladder: &[(&str, i64)]) -> PostOffice {
    let mut office = PostOffice::new(table(ladder));
    for (name, _) in ladder {
        if !lane(name).channel.edits() {
            office.only_tells(name);
        }
        if lane(name).channel == ChannelKind::Terminal {
            office.unlimited(name);
        }
    }
    office
}

fn acknowledged(office: &PostOffice, number: u64, (person, channel): (&str, &str)) -> bool {
    office.store.acknowledge(NoticeId(number), person, channel, office.clock.now()).expect("stored")
}

/// What a lane was sent: each message, and whether it changes another.
fn sent(office: &mut PostOffice, name: &str) -> Vec<(String, bool)> {
    office.wire(name).seen().into_iter().map(|seen| (seen.text, seen.post.edit.is_some())).collect()
}

#[test]
fn whoever_acknowledges_on_whatever_channel_stops_it_and_tells_all_who_were_told() {
    let ackers = LADDER.iter().map(|(name, _)| name.split_once(':').expect("a lane"));
    for (ack, minutes) in ackers.flat_map(|ack| [0, 3, 6, 11, 16].map(|minutes| (ack, minutes))) {
        let mut office = office(LADDER);
        office.happen([kind("symbol_locked")]);
        office.run_all(1);
        // A look every ten seconds is enough while nothing happens.
        office.step_all(minutes * 6, 10_000);
        let before: Vec<usize> = LADDER.iter().map(|(name, _)| sent(&mut office, name).len()).collect();
        let at = bellwether::domain::format::time(office.clock.now(), chrono_tz::America::New_York);
        assert!(acknowledged(&office, 1, ack));
        office.run_all(2);
        for ((name, step), before) in LADDER.iter().zip(before) {
            let was_told = *step <= minutes;
            assert_eq!(before, usize::from(was_told), "{name} before {ack:?} after {minutes} min");
            let after = sent(&mut office, name).split_off(before);
            let lane = lane(name);
            let is_own = lane.who.as_str() == ack.0;
            let knows = is_own && (lane.channel.as_str() == ack.1 || lane.channel == ChannelKind::Sms);
            match (was_told, lane.channel.edits()) {
                (true, true) => {
                    assert_eq!(after.len(), 1, "{name} of {ack:?} after {minutes} min: {after:?}");
                    assert!(after[0].1 && after[0].0.contains(&format!("Acknowledged by {} on {}", ack.0, ack.1)));
                }
                (true, false) if !knows => {
                    let words = format!("N1 acknowledged by {} on {} at {at}", ack.0, ack.1);
                    assert_eq!(after, [(words, false)], "{name} of {ack:?} after {minutes} min");
                    let seen = office.wire(name).seen();
                    let post = &seen.last().expect("told").post;
                    assert!(post.silent && post.number.is_none());
                    assert_eq!(post.reply_to.as_deref(), Some("101"), "below the message that told it");
                }
                _ => assert_eq!(after, [], "{name} of {ack:?} after {minutes} min"),
            }
        }
        let told: Vec<usize> = LADDER.iter().map(|(name, _)| sent(&mut office, name).len()).collect();
        assert!(!acknowledged(&office, 1, ("cy", "ntfy")), "the first counts");
        office.step_all(20 * 6, 10_000);
        let later: Vec<usize> = LADDER.iter().map(|(name, _)| sent(&mut office, name).len()).collect();
        assert_eq!(told, later, "{ack:?} after {minutes} min: once, and nothing climbs any more");
        for (name, _) in LADDER {
            assert_eq!(office.counts(name).open, 0);
        }
    }
}

/// Ana in a chat, Bo on everything that cannot change a message.
const OF_BO: &[(&str, i64)] =
    &[("ana:telegram", 0), ("bo:terminal", 0), ("bo:sms", 0), ("bo:email", 0), ("bo:ntfy", 0), ("bo:webhook", 0)];

fn follow_ups(office: &mut PostOffice, name: &str) -> Vec<String> {
    sent(office, name).into_iter().map(|(text, _)| text).filter(|text| text.contains("acknowledged by")).collect()
}

#[test]
fn a_death_at_any_point_of_it_tells_everybody_once() {
    for point in
        ["ack: noted, ladder not stopped", "ack: ladder stopped, nobody told", "commit: before", "commit: after"]
    {
        let mut office = office(OF_BO);
        office.happen([kind("symbol_locked")]);
        office.run_all(1);
        let armed = Arc::new(AtomicBool::new(false));
        let now = armed.clone();
        office.restart_with(Points::armed(move |name| now.load(Ordering::SeqCst) && name == point)).expect("starts");
        armed.store(true, Ordering::SeqCst);
        let died = office.store.acknowledge(NoticeId(1), "ana", "telegram", office.clock.now());
        assert!(died.is_err(), "at {point}");
        office.restart();
        office.run_all(1);
        let lost = point != "commit: after";
        assert_eq!(follow_ups(&mut office, "bo:sms").is_empty(), lost, "all of it or nothing, at {point}");
        assert_eq!(acknowledged(&office, 1, ("ana", "telegram")), lost, "{point}");
        office.run_all(2);
        for (name, _) in &OF_BO[1..] {
            assert_eq!(follow_ups(&mut office, name).len(), 1, "{name} at {point}");
        }
    }
}

#[test]
fn a_death_while_it_is_under_way_repeats_it_once_and_says_so() {
    let mut office = office(OF_BO);
    office.happen([kind("symbol_locked")]);
    office.run_all(1);
    office.restart_with(Points::armed(|name| name == "delivery: sent, not settled")).expect("starts");
    assert!(acknowledged(&office, 1, ("ana", "telegram")));
    assert!(office.try_tick("bo:email").is_err());
    office.restart();
    office.run_all(5);
    let said = follow_ups(&mut office, "bo:email");
    assert!(said.len() == 2 && said[1] == format!("{}\nPerhaps a repeat", said[0]), "{said:?}");
    assert_eq!(follow_ups(&mut office, "bo:sms").len(), 1);
}

#[test]
fn what_is_under_way_is_followed_up_if_it_arrives() {
    let unreachable = Does::Fail(SendError::Unreachable("scripted".to_owned()));
    for (does, told, said) in [(Does::Take, 1, 1), (unreachable, 0, 0), (Does::TakeUnheard, 1, 1)] {
        for restarts in [false, true] {
            let mut office = office(&[(ANA, 0), ("bo:sms", 2)]);
            office.happen([kind("symbol_locked")]);
            office.run(ANA, 121);
            let (store, clock) = (office.store.clone(), office.clock.clone());
            office.wire("bo:sms").script([does.clone()]);
            office.wire("bo:sms").meanwhile(move || {
                assert!(store.acknowledge(NoticeId(1), "ana", "telegram", clock.now()).expect("stored"));
            });
            office.tick("bo:sms");
            if restarts {
                office.restart();
            }
            office.run("bo:sms", 300);
            let all = sent(&mut office, "bo:sms");
            assert_eq!(follow_ups(&mut office, "bo:sms").len(), said, "{does:?}: {all:?}");
            assert_eq!(all.len(), told + said, "{does:?}: {all:?}");
        }
    }
}

#[test]
fn a_try_that_died_with_the_bot_is_followed_up_since_it_may_have_arrived() {
    let mut office = office(&[(ANA, 0), ("bo:sms", 2)]);
    office.happen([kind("symbol_locked")]);
    office.run(ANA, 121);
    office.restart_with(Points::armed(|name| name == "delivery: sent, not settled")).expect("starts");
    assert!(office.try_tick("bo:sms").is_err());
    // The other process of the same machine notes it before this one is back.
    assert!(acknowledged(&office, 1, ("ana", "telegram")));
    office.restart();
    office.run("bo:sms", 300);
    assert_eq!(sent(&mut office, "bo:sms").len(), 2);
    assert_eq!(follow_ups(&mut office, "bo:sms").len(), 1);
}

#[test]
fn who_is_told_late_is_told_once_and_by_whom_it_was_seen() {
    let mut office = office(OF_BO);
    office.wire("bo:email").script(vec![Does::Fail(SendError::Unreachable("scripted".to_owned())); 3]);
    office.happen([kind("symbol_locked")]);
    office.tick("bo:email");
    assert!(acknowledged(&office, 1, ("ana", "telegram")));
    office.run("bo:email", 120);
    let told = sent(&mut office, "bo:email");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].0.contains("Acknowledged by ana on telegram"), "{told:?}");
    // On the others nothing was told yet.
    office.run_all(2);
    assert_eq!(follow_ups(&mut office, "bo:sms").len(), 0);
}

#[test]
fn one_word_for_several_is_one_message() {
    let mut office = office(&[("ana:email", 0), ("bo:email", 0), ("bo:terminal", 0)]);
    for name in ["ana:email", "bo:email"] {
        office.wire(name).script([Does::Fail(SendError::Unreachable("scripted".to_owned()))]);
    }
    office.happen([kind("trading_reduced"), kind("trading_halted")]);
    office.run_all(5);
    assert_eq!(sent(&mut office, "bo:email").len(), 1, "both in one letter");
    assert!(acknowledged(&office, 2, ("ana", "email")));
    office.run_all(2);
    for name in ["bo:email", "bo:terminal"] {
        let said = follow_ups(&mut office, name);
        assert!(said.len() == 1 && said[0].starts_with("N1 and N2 acknowledged by ana on email at "), "{said:?}");
    }
    assert!(!acknowledged(&office, 1, ("bo", "sms")), "it was seen with the other");
    office.run_all(2);
    assert_eq!(follow_ups(&mut office, "bo:email").len(), 1);
}

#[test]
fn what_calls_nobody_is_followed_up_by_nothing() {
    let mut office = office(OF_BO);
    office.happen([kind("day_closed")]);
    office.run_all(1);
    assert!(acknowledged(&office, 1, ("ana", "telegram")));
    office.run_all(5);
    for (name, _) in &OF_BO[1..] {
        assert_eq!(sent(&mut office, name).len(), 1, "{name}");
    }
}

#[test]
fn by_mail_it_comes_in_the_same_thread() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut office = office(&[(ANA, 0), ("bo:email", 0)]);
    let from = "Bot <bot@example.org>".parse().expect("a mailbox");
    let to = "bo@example.org".parse().expect("an address");
    let mail = MailFile::new(folder.path().to_owned(), Letters::new(from, to, [7; 32], office.clock.clone()));
    office.plug("bo:email", Arc::new(mail));
    office.happen([kind("symbol_locked")]);
    office.run_all(1);
    assert!(acknowledged(&office, 1, ("ana", "telegram")));
    office.run_all(2);
    let mut letters: Vec<String> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| std::fs::read_to_string(entry.expect("a letter").path()).expect("a letter"))
        .collect();
    letters.sort_by_key(|letter| letter.contains("In-Reply-To"));
    let header = |letter: &str, name: &str| {
        let line = letter.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned));
        line.unwrap_or_default()
    };
    assert_eq!(letters.len(), 2);
    assert_eq!(header(&letters[1], "In-Reply-To"), header(&letters[0], "Message-ID"));
    assert!(header(&letters[1], "Subject").starts_with("Re: LOCKED AAPL"), "one thread");
    assert!(letters[1].contains("N1 acknowledged by ana on telegram"), "{}", letters[1]);
}
