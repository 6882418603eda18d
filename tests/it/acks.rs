//! Who has seen it: one word stops everything that was told, whatever is under way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bellwether::clock::{Clock, Timestamp};
use bellwether::domain::NoticeId;
use bellwether::notify::{Abilities, Channel, Failure, Post, Receipt, SendError};
use bellwether::store::{Points, Store};

use crate::support::post_office::{ANA, BO, CHAT, kind, ladder, of_two, texts, unreachable};
use crate::support::{Does, PostOffice, lane};

#[test]
fn a_button_keeps_its_meaning_when_its_message_is_repeated() {
    let mut office = of_two();
    office.wire(ANA).script([Does::TakeUnheard]);
    office.happen([kind("copy_running")]);
    office.tick(ANA);
    let first = office.wire(ANA).seen()[0].clone();
    let pressed = first.post.keys[0][0].clone();
    let notice = office.last_notice();
    assert!(office.store.acknowledge(notice, "bo", "telegram", office.clock.now()).expect("stored"));
    office.run(ANA, 10);
    let line = office.reader().button(&pressed.token, lane(ANA)).expect("reads");
    assert_eq!(
        (pressed.label.as_str(), line.as_deref()),
        ("Acknowledge", Some("/ack N1")),
        "{:#?}",
        texts(&mut office, ANA)
    );
}

#[test]
fn the_button_below_a_story_stops_all_that_it_tells() {
    let mut office = PostOffice::new(ladder());
    office.wire(ANA).script([unreachable()]);
    office.happen([kind("trading_reduced"), kind("trading_halted")]);
    office.run(ANA, 5);
    let seen = office.wire(ANA).seen();
    assert_eq!(seen.len(), 1, "both in one message");
    let key = seen[0].post.keys[0][0].clone();
    assert_eq!(key.label, "Acknowledge");
    let line = office.reader().button(&key.token, lane(ANA)).expect("reads").expect("a line");
    let notice: u64 = line.trim_start_matches("/ack N").parse().expect("a number");
    assert!(office.store.acknowledge(NoticeId(notice), "ana", "telegram", office.clock.now()).expect("stored"));
    office.run(ANA, 5);
    let last = office.wire(ANA).seen().last().expect("shown").clone();
    office.run(BO, 200);
    assert_eq!(
        office.wire(BO).take(),
        Vec::<String>::new(),
        "pressed {line}; the message then has {:?}",
        last.post.keys
    );
}

/// Somebody acknowledges a notice while a message is under way, which then fails.
struct Overtaken {
    store: Store,
    notice: u64,
    done: AtomicBool,
    seen: Mutex<Vec<String>>,
}

#[async_trait]
impl Channel for Overtaken {
    fn abilities(&self) -> Abilities {
        CHAT
    }
    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        let text = post.message.plain_lines().join("\n");
        if !self.done.swap(true, Ordering::SeqCst) {
            let now = Timestamp::from_ms(1_800_000_000_000);
            assert!(self.store.acknowledge(NoticeId(1), "ana", "terminal", now).expect("stored"));
            assert!(self.store.acknowledge(NoticeId(self.notice), "ana", "terminal", now).expect("stored"));
            return Err(SendError::Unreachable("down".to_owned()).into());
        }
        self.seen.lock().expect("lock").push(text);
        Ok(Receipt { remote: Some("1".to_owned()), ..Receipt::default() })
    }
}

#[test]
fn an_acknowledgement_overtakes_each_part_of_a_story() {
    let mut office = PostOffice::of_one();
    office.happen([kind("trading_reduced"), kind("trading_halted")]);
    let channel = Arc::new(Overtaken {
        store: office.store.clone(),
        notice: 2,
        done: AtomicBool::new(false),
        seen: Mutex::default(),
    });
    office.plug(ANA, channel.clone());
    office.run(ANA, 60);
    let seen = channel.seen.lock().expect("lock").clone();
    assert!(seen.is_empty(), "both were acknowledged by her before: {seen:#?}");
}

#[test]
fn an_acknowledgement_overtakes_each_part_of_a_story_across_a_crash() {
    let mut office = PostOffice::of_one();
    office.happen([kind("trading_reduced"), kind("trading_halted")]);
    office.restart_with(Points::armed(|name| name == "delivery: marked, not sent")).expect("starts");
    let _ = office.try_tick(ANA);
    let store = office.store.clone();
    for notice in [1, 2] {
        // The other process of the same person: the points of this one let it pass.
        assert!(store.acknowledge(NoticeId(notice), "ana", "terminal", office.clock.now()).expect("stored"));
    }
    drop(store);
    office.restart();
    office.run(ANA, 60);
    let seen = texts(&mut office, ANA);
    assert!(seen.is_empty(), "{seen:#?}");
}

/// Somebody else's acknowledgement is on its way to the disk while the message is put together.
struct Slow(Store, AtomicBool, Mutex<Vec<String>>);

#[async_trait]
impl Channel for Slow {
    fn abilities(&self) -> Abilities {
        CHAT
    }
    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        if !self.1.swap(true, Ordering::SeqCst) {
            let pressed = Timestamp::from_ms(1_800_000_000_000 - 3);
            assert!(self.0.acknowledge(NoticeId(1), "bo", "terminal", pressed).expect("stored"));
        }
        self.2.lock().expect("lock").push(post.message.plain_lines().join("\n"));
        Ok(Receipt { remote: Some("1".to_owned()), ..Receipt::default() })
    }
}

#[test]
fn who_has_seen_it_is_said_whoever_was_faster() {
    let mut office = PostOffice::of_one();
    let slow = Arc::new(Slow(office.store.clone(), AtomicBool::new(false), Mutex::default()));
    office.plug(ANA, slow.clone());
    office.happen([kind("symbol_locked")]);
    office.run(ANA, 10);
    let seen = slow.2.lock().expect("lock").clone();
    assert!(seen.last().expect("told").contains("Acknowledged by bo"), "{seen:#?}");
}
