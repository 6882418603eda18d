//! Short messages at a service that plays Twilio: what is sent, what each answer means, and that nothing goes twice that arrived.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bellwether::channels::{CodeSlot, SmsLane, SmsTarget, Twilio, TwilioAccess, http_client};
use bellwether::clock::{Clock, ManualClock, Timestamp};
use bellwether::domain::{ChannelKind, EventKind, Message, Money, NoticeId, RouteTable, Severity};
use bellwether::notify::{Channel, Post, Receipt, SendError, SmsBudget};
use bellwether::store::{Reader, Store};
use bellwether::views::{Asker, Views};

use crate::support::twilio::{Desk, FROM, Fault, PHONE, PUBLIC, SID, TOKEN, conformance};
use crate::support::{PostOffice, lane, post, sample, titled};

/// 2026-11-21T10:00:00Z.
pub(crate) const NOW_MS: i64 = 1_795_255_200_000;
const LONG: Duration = Duration::from_secs(30);

/// A phone, the service, and what is spent.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) desk: Desk,
    pub(crate) store: Store,
    pub(crate) slot: CodeSlot,
    pub(crate) alarms: Arc<Mutex<Vec<EventKind>>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(Timestamp::from_ms(NOW_MS)));
        let desk = Desk::start();
        desk.at(NOW_MS);
        let store = Store::open(&folder.path().join("a.db")).expect("opens");
        Self { folder, clock, desk, store, slot: CodeSlot::default(), alarms: Arc::default() }
    }

    /// The phone of a person, where a segment costs a cent and a day this much.
    pub(crate) fn phone(&self, per_day: &str, timeout: Duration) -> SmsLane {
        phone(&self.desk, &self.store, self.clock.clone(), per_day, (timeout, self.alarms.clone(), self.slot.clone()))
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(self.store.path()).expect("opens")
    }

    pub(crate) fn spent(&self) -> Money {
        spent(self.store.path(), self.clock.now())
    }
}

/// What short messages have cost on the day of this time.
pub(crate) fn spent(database: &std::path::Path, now: Timestamp) -> Money {
    let database = rusqlite::Connection::open(database).expect("opens");
    let sql = "SELECT coalesce(sum(cost), 0) FROM sms WHERE day = ?1 AND state != 'returned'";
    let day = now.ms().div_euclid(bellwether::clock::DAY_MS);
    Money::from_units(database.query_row(sql, [day], |row| row.get(0)).expect("reads"))
}

impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let faults = conformance::check(&self.desk.asked()).unwrap_or_default();
            assert!(faults.is_empty(), "{faults:#?}");
        }
    }
}

type Rest = (Duration, Arc<Mutex<Vec<EventKind>>>, CodeSlot);

/// A phone at a service.
pub(crate) fn phone(desk: &Desk, store: &Store, clock: Arc<ManualClock>, per_day: &str, rest: Rest) -> SmsLane {
    phone_of(("ana:sms", PHONE), desk, store, clock, per_day, rest)
}

/// Somebody's phone at a service.
pub(crate) fn phone_of(
    (name, number): (&str, &str),
    desk: &Desk,
    store: &Store,
    clock: Arc<ManualClock>,
    per_day: &str,
    (timeout, alarms, slot): Rest,
) -> SmsLane {
    let access = TwilioAccess { sid: SID.to_owned(), token: TOKEN.into(), from: FROM.into(), url: Some(desk.url()) };
    let http = http_client(None, LONG).expect("a client");
    let twilio = Twilio::new(access, http, timeout, clock.clone());
    let money = |text: &str| text.parse::<Money>().expect("an amount");
    let alarm = Arc::new(move |kind| alarms.lock().expect("lock").push(kind));
    let budget = SmsBudget::new(store.clone(), clock.clone(), (money("0.01"), money(per_day)), alarm);
    let callback = Some(format!("{PUBLIC}/sms/status"));
    let target = SmsTarget { lane: lane(name), to: number.into(), callback };
    SmsLane::new(twilio, target, budget, slot, clock)
}

/// What becomes of a message; no error tells a number or the token.
async fn outcome(phone: &SmsLane, post: &Post) -> Result<Receipt, SendError> {
    phone.send(post).await.map_err(|failure| {
        let told = format!("{failure} {failure:?}");
        for secret in [&PHONE[1..], &FROM[1..], TOKEN, SID, "127.0.0.1"] {
            assert!(!told.contains(secret), "{told}");
        }
        failure.what
    })
}

#[tokio::test]
async fn a_message_has_what_the_service_asks_for() {
    let bench = Bench::new();
    let phone = bench.phone("1", LONG);
    let receipt = outcome(&phone, &post(1, titled("A fact – “quoted”"))).await.expect("taken");
    let critical = Post { severity: Severity::Critical, number: Some(NoticeId(43)), ..post(2, titled("Loud")) };
    outcome(&phone, &critical).await.expect("taken");
    let sent = bench.desk.messages();
    assert!(bench.desk.asked().is_sorted_by_key(|asked| asked.at));
    assert_eq!(receipt.remote.as_deref(), Some(sent[0].sid.as_str()));
    assert_eq!(receipt.skew_ms.map(|skew| skew.abs() < 1_500), Some(true));
    assert_eq!((sent[0].to.as_str(), sent[0].from.as_str()), (PHONE, FROM));
    assert_eq!(sent[0].body, "N42 A fact - \"quoted\"\nand more");
    assert_eq!((sent[0].valid_s, sent[1].valid_s), (Some(300), Some(900)));
    assert_eq!(sent[0].callback.as_deref(), Some("https://bot.example.org/sms/status"));
    assert_eq!(bench.spent().to_string(), "0.02");
    let kept = std::fs::read(bench.folder.path().join("a.db")).expect("reads");
    assert!(!kept.windows(PHONE.len() - 1).any(|window| window == &PHONE.as_bytes()[1..]), "no number is stored");
}

#[tokio::test]
async fn each_answer_has_its_meaning_and_only_what_may_have_gone_stays_paid() {
    let bench = Bench::new();
    let phone = bench.phone("1", Duration::from_millis(300));
    let throttled = |seconds| SendError::Throttled(Duration::from_secs(seconds));
    let refuse = |status, code| Fault::Refuse { status, code };
    let unknown = || SendError::Unknown(String::new());
    let (shut, rejected) = (|| SendError::Shut(String::new()), || SendError::Rejected(String::new()));
    let cases = [
        (Fault::Throttle { retry_after: Some(7) }, throttled(7), 0),
        (Fault::Throttle { retry_after: None }, throttled(1), 0),
        (Fault::Throttle { retry_after: Some(999_999_999) }, throttled(3_600), 0),
        (Fault::Throttle { retry_after: Some(0) }, throttled(1), 0),
        (refuse(429, 21611), throttled(60), 0),
        (refuse(400, 21611), throttled(60), 0),
        (refuse(401, 20003), shut(), 0),
        (refuse(404, 20404), shut(), 0),
        (refuse(400, 21211), shut(), 0),
        (refuse(400, 21408), shut(), 0),
        (refuse(400, 21606), shut(), 0),
        (refuse(400, 21608), shut(), 0),
        (refuse(400, 21612), shut(), 0),
        (refuse(400, 21614), shut(), 0),
        (refuse(302, 0), shut(), 0),
        (refuse(400, 21617), rejected(), 0),
        (refuse(400, 0), rejected(), 0),
        (Fault::Status { status: 503, done: false }, unknown(), 1),
        (Fault::Status { status: 500, done: true }, unknown(), 1),
        (Fault::Status { status: 200, done: false }, unknown(), 1),
        (Fault::ResetBefore, unknown(), 1),
        (Fault::ResetAfter, unknown(), 1),
        (Fault::CutJson, unknown(), 1),
        (Fault::Hang { done: true }, unknown(), 1),
    ];
    let mut paid = 0;
    for (number, (fault, want, costs)) in cases.into_iter().enumerate() {
        bench.desk.script([fault]);
        let found = outcome(&phone, &post(number as i64, titled("A fact"))).await.expect_err("failed");
        let same = match (&found, &want) {
            (SendError::Throttled(found), SendError::Throttled(want)) => found == want,
            (found, want) => std::mem::discriminant(found) == std::mem::discriminant(want),
        };
        assert!(same, "{fault:?}: {found:?}, not {want:?}");
        paid += costs;
        assert_eq!(
            bench.spent(),
            "0.01".parse::<Money>().expect("an amount").scaled(paid, 1).expect("fits"),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_full_queue_a_slow_answer_and_nobody_at_all() {
    let bench = Bench::new();
    let phone = bench.phone("1", Duration::from_millis(300));
    bench.desk.queue(0);
    let full = outcome(&phone, &post(98, titled("A fact"))).await;
    assert_eq!(full.expect_err("the queue is full"), SendError::Throttled(Duration::from_mins(1)));
    bench.desk.queue(1_000);
    // A slow answer is an answer.
    bench.desk.script([Fault::Slow]);
    let patient = bench.phone("1", LONG);
    assert!(outcome(&patient, &post(99, titled("A fact"))).await.is_ok());
    // Nobody listens.
    let gone = Desk::start();
    let store = bench.store.clone();
    let dead = phone_at_nothing(&gone, &store, bench.clock.clone());
    drop(gone);
    let found = outcome(&dead, &post(100, titled("A fact"))).await;
    assert!(matches!(found, Err(SendError::Unreachable(_) | SendError::Unknown(_))), "{found:?}");
}

fn phone_at_nothing(desk: &Desk, store: &Store, clock: Arc<ManualClock>) -> SmsLane {
    phone(desk, store, clock, "1", (LONG, Arc::default(), CodeSlot::default()))
}

/// The same message again, as the pipeline gives it after an unknown outcome.
fn again(post: &Post) -> Post {
    Post { again: Some(Timestamp::from_ms(NOW_MS - 1_000)), ..post.clone() }
}

#[tokio::test]
async fn what_arrived_is_found_and_not_sent_again() {
    for fault in [Fault::ResetAfter, Fault::CutJson, Fault::Status { status: 500, done: true }] {
        let bench = Bench::new();
        let phone = bench.phone("1", LONG);
        bench.desk.script([fault]);
        let notice = post(1, titled("A fact"));
        assert!(matches!(outcome(&phone, &notice).await, Err(SendError::Unknown(_))));
        let mut marked = again(&notice);
        marked.message = titled("A fact (perhaps a repeat of N42)");
        let receipt = outcome(&phone, &marked).await.expect("found");
        let sent = bench.desk.messages();
        assert_eq!(sent.len(), 1, "{fault:?}");
        assert_eq!((receipt.remote, receipt.detail.as_deref()), (Some(sent[0].sid.clone()), Some("it had arrived")));
        assert_eq!(bench.spent().to_string(), "0.01", "paid once");
        let known = bench.reader().sms(&sent[0].sid).expect("reads").expect("kept");
        assert_eq!((known.delivery, known.state.as_str()), (1, "queued"));
    }
}

#[tokio::test]
async fn what_did_not_arrive_goes_again_once() {
    let bench = Bench::new();
    let phone = bench.phone("1", LONG);
    // Another notice, an older one of the same number, and one that failed are others.
    let other = Post { number: Some(NoticeId(421)), ..post(7, titled("Another")) };
    outcome(&phone, &other).await.expect("taken");
    bench.desk.at(NOW_MS - 3_600_000);
    outcome(&phone, &post(8, titled("Of another database"))).await.expect("taken");
    bench.desk.at(NOW_MS);
    for fault in [Fault::ResetBefore, Fault::Status { status: 502, done: false }] {
        bench.desk.script([fault]);
        assert!(matches!(outcome(&phone, &post(1, titled("A fact"))).await, Err(SendError::Unknown(_))));
        let before = bench.desk.messages().len();
        // The service cannot be asked: nothing is sent meanwhile.
        for (fault, want) in [
            (Fault::Status { status: 500, done: false }, SendError::Unreachable(String::new())),
            (Fault::ResetBefore, SendError::Unreachable(String::new())),
            (Fault::Throttle { retry_after: Some(3) }, SendError::Throttled(Duration::from_secs(3))),
            (Fault::Refuse { status: 401, code: 20003 }, SendError::Shut(String::new())),
        ] {
            bench.desk.script([fault]);
            let found = outcome(&phone, &again(&post(1, titled("A fact")))).await.expect_err("not asked");
            assert_eq!(std::mem::discriminant(&found), std::mem::discriminant(&want), "{found:?}");
        }
        assert_eq!(bench.desk.messages().len(), before);
    }
    // What was tried a moment ago may only not be shown yet; what is critical does not wait for that.
    let found = outcome(&phone, &again(&post(1, titled("A fact")))).await.expect_err("too soon");
    assert!(matches!(&found, SendError::NotBefore(wait, _) if *wait == Duration::from_secs(10)), "{found:?}");
    bench.clock.advance(10_000);
    let receipt = outcome(&phone, &again(&post(1, titled("A fact")))).await.expect("taken");
    assert_eq!(receipt.detail, None);
    assert_eq!(bench.desk.bodies().iter().filter(|body| body.starts_with("N42 A fact")).count(), 1);
}

#[tokio::test]
async fn an_answer_is_found_by_its_text() {
    let bench = Bench::new();
    let phone = bench.phone("1", LONG);
    let answer = |text: &str| Post { number: None, ..post(3, Message::answer(text)) };
    bench.desk.script([Fault::ResetAfter]);
    assert!(outcome(&phone, &answer("main is running\nequity 10,000")).await.is_err());
    let late = answer("main is running\nequity 10,000\n2 min late\nPerhaps a repeat");
    assert!(outcome(&phone, &again(&late)).await.expect("found").detail.is_some());
    assert_eq!(bench.desk.bodies(), ["main is running\nequity 10,000"]);
    let other = outcome(&phone, &again(&answer("main is halted"))).await.expect("taken");
    assert_eq!(other.detail, None);
}

#[tokio::test]
async fn what_a_trial_account_puts_before_a_text_counts_and_hides_nothing() {
    let bench = Bench::new();
    let phone = bench.phone("1", LONG);
    bench.desk.trial();
    outcome(&phone, &post(1, titled("A fact"))).await.expect("taken");
    // 150 letters are one segment, and two with what stands before them.
    let long = Post { number: Some(NoticeId(43)), ..post(2, titled(&"x".repeat(146))) };
    outcome(&phone, &long).await.expect("taken");
    assert_eq!(bench.spent().to_string(), "0.03");
    // The lines of an answer leave room for it.
    let lines = |from: char| (0..4).map(|_| from.to_string().repeat(35)).collect::<Vec<_>>().join("\n");
    outcome(&phone, &Post { number: None, ..post(3, Message::answer(&lines('a'))) }).await.expect("taken");
    let sent = bench.desk.messages();
    assert_eq!(sent.iter().map(|sent| sent.segments).collect::<Vec<_>>(), [1, 2, 1]);
    assert_eq!((sent[2].body.lines().count(), bench.spent().to_string().as_str()), (3, "0.04"));
    // What arrived is found all the same, also by a bot that was started anew.
    let answer = Post { number: None, ..post(4, Message::answer(&lines('b'))) };
    for number in [44, 0] {
        let post = Post { number: (number > 0).then_some(NoticeId(number)), ..answer.clone() };
        let post = Post { delivery: 4 + number as i64, ..post };
        bench.desk.script([Fault::ResetAfter]);
        assert!(outcome(&phone, &post).await.is_err());
        let before = bench.desk.messages().len();
        let anew = bench.phone("1", LONG);
        assert!(outcome(&anew, &again(&post)).await.expect("found").detail.is_some());
        assert_eq!(bench.desk.messages().len(), before);
    }
}

#[tokio::test]
async fn a_code_is_in_the_text_and_in_no_message() {
    let bench = Bench::new();
    let phone = bench.phone("1", LONG);
    let answer = Post { number: None, ..post(3, Message::answer("RESUME (code) within 5 min")) };
    bench.slot.put("123456".into(), bench.clock.now().plus_ms(1_000));
    outcome(&phone, &answer).await.expect("taken");
    bench.clock.advance(1_000);
    outcome(&phone, &answer).await.expect("taken");
    // A fact that says so gets none.
    bench.slot.put("654321".into(), bench.clock.now().plus_ms(1_000));
    outcome(&phone, &post(4, titled("send (code)"))).await.expect("taken");
    assert_eq!(
        bench.desk.bodies(),
        ["RESUME 123456 within 5 min", "RESUME (over: ask again) within 5 min", "N42 send (code)\nand more"]
    );
}

#[tokio::test]
async fn what_is_critical_goes_again_at_once() {
    let bench = Bench::new();
    let phone = bench.phone("1", LONG);
    let loud = Post { severity: Severity::Critical, ..post(1, titled("Loud")) };
    bench.desk.script([Fault::ResetBefore]);
    assert!(matches!(outcome(&phone, &loud).await, Err(SendError::Unknown(_))));
    outcome(&phone, &again(&loud)).await.expect("taken");
    assert_eq!((bench.desk.messages().len(), bench.spent().to_string().as_str()), (1, "0.01"));
}

#[tokio::test]
async fn a_text_with_a_code_is_told_whole_or_says_that_it_was_cut() {
    let bench = Bench::new();
    let phone = bench.phone("1", LONG);
    bench.slot.put("123456".into(), bench.clock.now().plus_ms(1_000));
    for lines in [6, 60] {
        let text = "RESUME (code) within 5 min resumes 2 books, main, beta:\n".to_owned();
        let text = text + &vec!["Today -1.00 USD (-0.1 %), loss limit 3 %."; lines].join("\n");
        outcome(&phone, &Post { number: None, ..post(3, Message::answer(&text)) }).await.expect("taken");
        let sent = bench.desk.messages().pop().expect("a text");
        assert!(sent.body.starts_with("RESUME 123456 within 5 min resumes 2 books, main, beta"), "{}", sent.body);
        assert_eq!(sent.body.ends_with("..."), lines == 60, "{}", sent.body);
        assert!((2..=3).contains(&sent.segments), "{}", sent.segments);
    }
}

#[test]
fn a_bare_word_acknowledges_the_newest_text() {
    let mut office = PostOffice::new(RouteTable::simple(&[lane("ana:sms"), lane("ana:telegram")], Severity::Notice));
    office.happen([sample("symbol_locked").kind]);
    office.run("ana:sms", 10);
    office.run("ana:telegram", 10);
    office.happen([sample("trading_halted").kind]);
    office.run("ana:telegram", 10);
    let reader = office.reader();
    assert_eq!(reader.unacknowledged("ana").expect("reads"), Some(NoticeId(2)), "the newest of all ways");
    assert_eq!(reader.unacknowledged_on(lane("ana:sms")).expect("reads"), Some(NoticeId(1)));
    let asks = |channel| {
        let asker = Asker { name: "ana".to_owned(), channel: Some(channel), ..Asker::default() };
        let views = Views::open(office.store.path(), asker, office.clock.now()).expect("opens");
        views.reader().unacknowledged().expect("reads")
    };
    assert_eq!((asks(ChannelKind::Sms), asks(ChannelKind::Telegram)), (Some(NoticeId(1)), Some(NoticeId(2))));
    // Where no text asks for it, it is the newest of all ways.
    office.store.acknowledge(NoticeId(1), "ana", "sms", office.clock.now()).expect("stored");
    assert_eq!(asks(ChannelKind::Sms), Some(NoticeId(2)));
}

#[tokio::test]
async fn the_way_is_asked_without_a_message() {
    let bench = Bench::new();
    let phone = bench.phone("1", LONG);
    assert!(matches!(phone.probe().await, Some(Ok(()))));
    bench.desk.account("suspended");
    assert!(matches!(phone.probe().await, Some(Err(failure)) if matches!(failure.what, SendError::Shut(_))));
    bench.desk.account("active");
    // Whoever texted STOP is refused until they text START, or until a message comes through.
    bench.desk.refuse(PHONE, Some(21610));
    let found = outcome(&phone, &post(1, titled("A fact"))).await;
    assert!(matches!(&found, Err(SendError::Shut(why)) if why.contains("send START")), "{found:?}");
    assert!(bench.reader().is_opted_out(lane("ana:sms")).expect("reads"));
    assert!(matches!(phone.probe().await, Some(Err(_))), "the account is well, the phone is not");
    bench.desk.refuse(PHONE, None);
    outcome(&phone, &post(1, titled("A fact"))).await.expect("taken");
    assert!(matches!(phone.probe().await, Some(Ok(()))));
    assert_eq!(bench.desk.messages().len(), 1);
}

#[test]
fn a_phone_that_refuses_is_told_elsewhere_and_comes_back() {
    let mut office = PostOffice::new(RouteTable::simple(&[lane("ana:sms"), lane("bo:telegram")], Severity::Notice));
    let desk = Desk::start();
    desk.at(office.clock.now().ms());
    let channel = phone(&desk, &office.store, office.clock.clone(), "1", (LONG, Arc::default(), CodeSlot::default()));
    office.plug("ana:sms", Arc::new(channel));
    desk.refuse(PHONE, Some(21610));
    office.happen([sample("symbol_locked").kind]);
    office.run("ana:sms", 40);
    office.run("bo:telegram", 2);
    let told = office.wire("bo:telegram").take().join("\n");
    assert!(told.contains("Nothing reaches ana:sms") && told.contains("send START"), "{told}");
    assert!(!told.contains(&PHONE[1..]) && desk.messages().is_empty(), "{told}");
    desk.refuse(PHONE, None);
    office.run("ana:sms", 60);
    office.run("bo:telegram", 2);
    let told = office.wire("bo:telegram").take().join("\n");
    assert!(told.contains("ana:sms works again"), "{told}");
    let bodies = desk.bodies();
    assert!(!bodies.is_empty() && bodies[0].starts_with("N1 LOCKED AAPL"), "{bodies:?}");
    assert_eq!(office.counts("ana:sms").open, 0);
}
