//! R16: no day costs more than it may, whatever the program dies at, and what may not go unsaid has its share kept.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bellwether::channels::CodeSlot;
use bellwether::clock::Clock;
use bellwether::domain::{EventKind, Message, Money, NoticeId, RouteTable, Severity};
use bellwether::notify::{Channel, Post, SendError, SmsBudget};
use bellwether::store::{Answer, Points, Store};

use crate::sms_lane::{Bench, phone, phone_of, spent as spent_in};
use crate::support::texting::BO;
use crate::support::twilio::{Desk, Fault, PHONE};
use crate::support::{PostOffice, lane, post, sample, titled};

const LONG: Duration = Duration::from_secs(30);

fn of_kind(number: u64, severity: Severity, kind: &'static str) -> Post {
    let fact = titled(&"x".repeat(200));
    Post { number: Some(NoticeId(number)), severity, kind: Some(kind), ..post(number as i64, fact) }
}

#[tokio::test]
async fn the_last_five_segments_of_a_day_are_for_what_may_not_go_unsaid() {
    let bench = Bench::new();
    let phone = bench.phone("0.10", LONG);
    let quiet = |number| Post { number: Some(NoticeId(number)), ..post(number as i64, titled("A fact")) };
    for number in 1..=5 {
        phone.send(&quiet(number)).await.expect("paid");
    }
    assert!(bench.alarms.lock().expect("lock").is_empty(), "half of it is spent");
    // Everything else waits for the next day in UTC, and is not lost.
    let found = phone.send(&quiet(6)).await.expect_err("no money").what;
    let until_midnight = Duration::from_hours(14);
    assert!(matches!(&found, SendError::NotBefore(wait, _) if *wait == until_midnight), "{found:?}");
    // Tomorrow is too late for what is critical, and for an answer: told elsewhere at once.
    let critical = Post { severity: Severity::Critical, ..quiet(7) };
    let answer = Post { number: None, ..quiet(8) };
    for post in [critical, answer] {
        assert!(matches!(phone.send(&post).await.expect_err("no money").what, SendError::Unpaid(_)));
    }
    // Two segments are cut to one of what is kept.
    for (number, kind) in [(9, "daily_loss_near"), (10, "trading_reduced"), (11, "trading_halted")] {
        phone.send(&of_kind(number, Severity::Critical, kind)).await.expect("kept for it");
    }
    for number in [12, 13] {
        phone.send(&of_kind(number, Severity::Warning, "daily_loss_near")).await.expect("kept for it");
    }
    let found = phone.send(&of_kind(14, Severity::Critical, "trading_halted")).await.expect_err("all is spent").what;
    assert!(matches!(found, SendError::Unpaid(_)), "{found:?}");
    assert_eq!(bench.spent().to_string(), "0.1");
    assert!(bench.desk.messages().iter().all(|sent| sent.segments == 1));
    // Told once a day, from four fifths on or where something found no money.
    let told = |bench: &Bench| {
        let alarms = bench.alarms.lock().expect("lock");
        alarms.iter().filter(|kind| matches!(kind, EventKind::SmsBudgetNear { .. })).count()
    };
    assert_eq!(told(&bench), 1);
    // The next day has its own money.
    bench.clock.advance(until_midnight.as_millis() as i64);
    phone.send(&quiet(15)).await.expect("paid");
    assert_eq!((bench.spent().to_string().as_str(), told(&bench)), ("0.01", 1));
}

#[tokio::test]
async fn a_try_again_after_nobody_knew_is_paid_by_the_first() {
    let bench = Bench::new();
    let phone = bench.phone("0.10", LONG);
    let again = |post: &Post| Post { again: Some(bench.clock.now().plus_ms(-1_000)), ..post.clone() };
    // An outage of the service while the loss limit is to be told: two segments, paid once however often it is tried.
    let loud = of_kind(1, Severity::Critical, "trading_halted");
    let nothing = Fault::Status { status: 503, done: false };
    bench.desk.script([nothing]);
    assert!(matches!(phone.send(&loud).await.expect_err("nobody knows").what, SendError::Unknown(_)));
    for _ in 0..8 {
        bench.clock.advance(30_000);
        bench.desk.at(bench.clock.now().ms());
        bench.desk.script([Fault::Slow, Fault::Slow, nothing]);
        let found = phone.send(&again(&loud)).await.expect_err("nobody knows").what;
        assert!(matches!(found, SendError::Unknown(_)), "{found:?}");
        assert_eq!(bench.spent().to_string(), "0.02");
    }
    phone.send(&again(&loud)).await.expect("paid long ago");
    assert_eq!((bench.spent().to_string().as_str(), bench.desk.messages().len()), ("0.02", 1));
    // What is longer the second time pays the rest.
    let short = Post { number: Some(NoticeId(2)), ..post(2, titled("A fact")) };
    bench.desk.script([nothing]);
    assert!(phone.send(&short).await.is_err());
    assert_eq!(bench.spent().to_string(), "0.03");
    bench.clock.advance(10_000);
    let longer = Post { message: titled(&"x".repeat(200)), ..again(&short) };
    phone.send(&longer).await.expect("paid");
    assert_eq!(bench.spent().to_string(), "0.04");
}

#[tokio::test]
async fn an_emergency_past_the_store_reaches_a_phone_a_few_times() {
    let bench = Bench::new();
    let phone = bench.phone("0.06", LONG);
    let urgent =
        Post { number: None, severity: Severity::Critical, ..post(0, titled("The disk is full, trading stops")) };
    // A call that was refused is not one of them.
    bench.desk.script([Fault::Refuse { status: 400, code: 0 }]);
    assert!(matches!(phone.send(&urgent).await.expect_err("refused").what, SendError::Rejected(_)));
    for _ in 0..5 {
        phone.send(&urgent).await.expect("granted");
    }
    assert!(matches!(phone.send(&urgent).await.expect_err("too many").what, SendError::Unpaid(_)));
    assert_eq!((bench.desk.messages().len(), bench.spent()), (5, Money::ZERO));
}

#[tokio::test]
async fn four_fifths_are_told_once_a_day_and_a_restart_does_not_forget() {
    let bench = Bench::new();
    let quiet = |number| Post { number: Some(NoticeId(number)), ..post(number as i64, titled("A fact")) };
    for number in 1..=90 {
        // A new channel each time remembers nothing.
        bench.phone("1", LONG).send(&quiet(number)).await.expect("paid");
        let told = bench.alarms.lock().expect("lock").len();
        assert_eq!(told, usize::from(number >= 80), "after {number}");
    }
}

#[test]
fn what_found_no_money_comes_the_next_day_and_the_loudest_comes_today() {
    let mut table = RouteTable::simple(&[lane("ana:sms"), lane("bo:telegram")], Severity::Notice);
    table.lanes.iter_mut().for_each(|rule| rule.looks_after = true);
    let mut office = PostOffice::new(table);
    let desk = Desk::start();
    desk.at(office.clock.now().ms());
    let channel =
        phone(&desk, &office.store, office.clock.clone(), "0.06", (LONG, Arc::default(), CodeSlot::default()));
    office.plug("ana:sms", Arc::new(channel));
    for kind in ["position_opened", "day_closed"] {
        office.happen([sample(kind).kind]);
        office.run("ana:sms", 10);
    }
    assert_eq!((desk.messages().len(), office.counts("ana:sms").open), (1, 1), "{:?}", desk.bodies());
    office.happen([sample("trading_halted").kind]);
    office.run("ana:sms", 10);
    assert_eq!(desk.messages().len(), 2, "{:?}", desk.bodies());
    // A critical fact that may wait for nobody is told on the other way as undelivered.
    office.happen([sample("symbol_locked").kind]);
    office.run("ana:sms", 10);
    office.run("bo:telegram", 10);
    let told = office.wire("bo:telegram").take().join("\n");
    assert!(told.contains("could not be delivered to ana:sms") && told.contains("what a day may cost"), "{told}");
    let today = office.clock.now().ms().rem_euclid(86_400_000);
    office.clock.advance(86_400_000 - today);
    desk.at(office.clock.now().ms());
    office.run("ana:sms", 10);
    assert_eq!((desk.messages().len(), office.counts("ana:sms").open), (3, 0), "{:?}", desk.bodies());
}

#[test]
fn what_may_not_go_unsaid_waits_for_money_that_a_message_of_unknown_fate_holds() {
    let lanes = [lane("ana:sms"), lane("bo:sms"), lane("eve:telegram")];
    let mut table = RouteTable::simple(&lanes, Severity::Notice);
    table.lanes.iter_mut().for_each(|rule| rule.looks_after = true);
    let mut office = PostOffice::new(table);
    let desk = Desk::start();
    desk.at(office.clock.now().ms());
    for (name, number) in [("ana:sms", PHONE), ("bo:sms", BO)] {
        let rest = (LONG, Arc::default(), CodeSlot::default());
        let channel = phone_of((name, number), &desk, &office.store, office.clock.clone(), "0.06", rest);
        office.plug(name, Arc::new(channel));
    }
    for _ in 0..5 {
        office.happen([sample("trading_halted").kind]);
        office.run("ana:sms", 3);
    }
    desk.deaf(true);
    office.happen([sample("trading_halted").kind]);
    office.run("ana:sms", 1);
    let spent = |office: &PostOffice| spent_in(&office.database(), office.clock.now()).to_string();
    assert_eq!((desk.messages().len(), spent(&office).as_str()), (5, "0.06"));
    // Whether the last segment is spent nobody knows: the other phone waits for that.
    office.run("bo:sms", 20);
    assert_eq!((office.counts("bo:sms").dead, office.counts("bo:sms").open), (0, 6));
    // It was never sent, so the money is there for the other.
    desk.deaf(false);
    desk.at(office.clock.now().ms());
    desk.script([Fault::Slow, Fault::Slow, Fault::Refuse { status: 400, code: 21617 }]);
    office.run("ana:sms", 60);
    office.run("bo:sms", 60);
    let to_bo = desk.messages().into_iter().filter(|sent| sent.to == BO).count();
    assert_eq!((to_bo, spent(&office).as_str()), (1, "0.06"), "{:?}", desk.bodies());
    // For what comes after it there is none, and that is told elsewhere.
    office.run("eve:telegram", 20);
    let told = office.wire("eve:telegram").take().join("\n");
    assert!(told.contains("could not be delivered to bo:sms"), "{told}");
}

/// Answers to one phone cannot eat the day's money, and nobody else's silence follows from it.
#[tokio::test]
async fn answers_to_a_phone_are_few_an_hour_and_a_third_of_a_day() {
    let bench = Bench::new();
    let budget = |per_day: &str| {
        let alarms = bench.alarms.clone();
        let money = ("0.01".parse().expect("an amount"), per_day.parse().expect("an amount"));
        let alarm = Arc::new(move |kind| alarms.lock().expect("lock").push(kind));
        SmsBudget::new(bench.store.clone(), bench.clock.clone(), money, alarm)
    };
    let ask = |budget: &SmsBudget, who: &str| {
        let may = budget.may_answer(lane(who)).expect("reads");
        if may {
            let answer = Answer::new(lane(who), Message::answer("main is running"));
            bench.store.post(answer, bench.clock.now()).expect("stored");
        }
        may
    };
    let told = || {
        let alarms = bench.alarms.lock().expect("lock");
        let silent = |kind: &&EventKind| matches!(kind, EventKind::SmsBudgetNear { silent: Some(of), .. } if *of == lane("ana:sms"));
        alarms.iter().filter(silent).count()
    };
    let rich = budget("1");
    assert_eq!((1..=30).filter(|_| ask(&rich, "ana:sms")).count(), 10);
    assert_eq!(told(), 1, "once a day");
    assert!(ask(&rich, "bo:sms"), "others are answered");
    // A restart does not forget it, an hour later there are more, and a day later it is told again.
    assert!(!ask(&budget("1"), "ana:sms"));
    bench.clock.advance(3_600_001);
    assert!(ask(&budget("1"), "ana:sms"));
    bench.clock.advance(86_400_000);
    assert_eq!((1..=30).filter(|_| ask(&rich, "ana:sms")).count(), 10);
    assert_eq!(told(), 2);
    // A clock that was ahead silences nobody until its time.
    bench.clock.advance(86_400_000);
    assert_eq!((1..=30).filter(|_| ask(&rich, "bo:sms")).count(), 10);
    bench.clock.advance(-7_200_000);
    assert!(ask(&rich, "bo:sms"));
    // A small day has a third for it.
    assert_eq!((1..=30).filter(|_| ask(&budget("0.12"), "eve:sms")).count(), 4);
}

#[test]
fn what_may_not_go_unsaid_waits_for_no_storm() {
    let mut office = PostOffice::new(RouteTable::simple(&[lane("ana:sms")], Severity::Notice));
    let desk = Desk::start();
    desk.at(office.clock.now().ms());
    let channel = phone(&desk, &office.store, office.clock.clone(), "1", (LONG, Arc::default(), CodeSlot::default()));
    office.plug("ana:sms", Arc::new(channel));
    // A storm rests after its first message, and one fact more belongs to it.
    office.happen(vec![sample("day_closed").kind; 9]);
    office.run("ana:sms", 2);
    assert_eq!(desk.messages().len(), 1, "{:?}", desk.bodies());
    office.happen(vec![sample("day_closed").kind; 9]);
    office.happen([sample("daily_loss_near").kind]);
    office.run("ana:sms", 2);
    let bodies = desk.bodies();
    assert!(bodies.len() == 2 && bodies[1].starts_with("N19"), "alone, and before the rest of the storm: {bodies:?}");
    office.run("ana:sms", 60);
    assert_eq!(office.counts("ana:sms").open, 0, "{:?}", desk.bodies());
    // Nor is it counted where it comes with a storm.
    office.clock.advance(600_000);
    desk.at(office.clock.now().ms());
    office.happen(vec![sample("day_closed").kind; 9]);
    office.happen([sample("daily_loss_near").kind]);
    let before = desk.messages().len();
    office.run("ana:sms", 2);
    assert!(desk.bodies()[before].starts_with("N29"), "{:?}", desk.bodies());
}

#[test]
fn a_dead_way_does_not_work_again_because_a_message_found_no_money() {
    let mut office = PostOffice::new(RouteTable::simple(&[lane("ana:sms"), lane("bo:telegram")], Severity::Notice));
    let desk = Desk::start();
    desk.at(office.clock.now().ms());
    let channel =
        phone(&desk, &office.store, office.clock.clone(), "0.06", (LONG, Arc::default(), CodeSlot::default()));
    office.plug("ana:sms", Arc::new(channel));
    office.happen([sample("position_opened").kind]);
    office.run("ana:sms", 10);
    assert_eq!(desk.messages().len(), 1);
    desk.refuse(PHONE, Some(21610));
    office.happen([sample("trading_halted").kind]);
    office.run("ana:sms", 5);
    office.happen([sample("symbol_locked").kind]);
    office.run("ana:sms", 40);
    office.run("bo:telegram", 10);
    let told = office.wire("bo:telegram").take().join("\n");
    assert!(told.contains("Nothing reaches ana:sms"), "{told}");
    assert!(!told.contains("ana:sms works again"), "{told}");
}

/// Points of which one is the last: from then on nothing is written. It is the one after so many, or the first between pay and send.
fn deadly(after: u64, hits: &Arc<Mutex<BTreeMap<&'static str, usize>>>) -> Points {
    const PAID: &str = "sms: paid, not sent";
    let aimed = after.is_multiple_of(5);
    let (left, dead, hits) = (AtomicU64::new(after), AtomicBool::new(false), hits.clone());
    Points::armed(move |point| {
        let is_it = if aimed { point == PAID } else { left.fetch_sub(1, Ordering::SeqCst) == 1 };
        if is_it && !dead.load(Ordering::SeqCst) {
            dead.store(true, Ordering::SeqCst);
            *hits.lock().expect("lock").entry(point).or_default() += 1;
        }
        dead.load(Ordering::SeqCst)
    })
}

/// Dies at every point between a fact and its receipt, with a service that now and then says nothing. What the service took never costs
/// more than a day may, and no fact is lost or told twice.
#[test]
fn no_death_spends_more_than_a_day_may() {
    let mut office = PostOffice::new(RouteTable::simple(&[lane("ana:sms")], Severity::Notice));
    let desk = Desk::start();
    desk.at(office.clock.now().ms());
    let hits = Arc::default();
    let plug = |office: &mut PostOffice, per_day: &str| {
        let store: Store = office.store.clone();
        let parts = (LONG, Arc::default(), CodeSlot::default());
        office.plug("ana:sms", Arc::new(phone(&desk, &store, office.clock.clone(), per_day, parts)));
    };
    let facts = ["position_opened", "feed_stale", "symbol_locked", "day_closed", "trading_halted", "position_closed"];
    for death in 1..=90_u64 {
        // What dies lets its store go.
        let wire = office.wire("ana:sms");
        office.plug("ana:sms", wire);
        if office.restart_with(deadly(death % 45 + 1, &hits)).is_err() {
            continue;
        }
        plug(&mut office, "0.60");
        desk.script([Fault::ResetAfter, Fault::ResetBefore].into_iter().take(usize::from(death % 3 == 0) * 2));
        let kind = sample(facts[death as usize % facts.len()]).kind;
        if office.try_happen([kind]).is_ok() {
            for _ in 0..30 {
                if office.try_tick("ana:sms").is_err() {
                    break;
                }
                office.clock.advance(700);
            }
        }
        desk.at(office.clock.now().ms());
        let segments: usize = desk.messages().iter().map(|sent| sent.segments).sum();
        assert!(segments <= 60, "{segments} segments of 60");
        let spent = spent_in(&office.database(), office.clock.now());
        assert!(spent <= "0.60".parse::<Money>().expect("an amount"), "{spent}");
        assert!(spent >= "0.01".parse::<Money>().expect("one").scaled(segments as i64, 1).expect("fits"), "{spent}");
    }
    let wire = office.wire("ana:sms");
    office.plug("ana:sms", wire);
    office.restart();
    plug(&mut office, "1000");
    office.run("ana:sms", 400);
    let mut numbers = BTreeMap::new();
    for body in desk.bodies() {
        *numbers.entry(body.split(' ').next().unwrap_or_default().to_owned()).or_insert(0) += 1;
    }
    let twice: Vec<_> = numbers.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?} {:?}", desk.bodies());
    let hits = hits.lock().expect("lock");
    for point in ["sms: paid, not sent", "delivery: sent, not settled", "delivery: marked, not sent", "commit: before"]
    {
        assert!(hits.contains_key(point), "{point} was never hit: {hits:?}");
    }
}
