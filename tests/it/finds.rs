//! A channel that looks whether a message arrived before it sends it again: nothing comes twice, nothing is marked, nothing is lost.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bellwether::clock::Clock;
use bellwether::domain::{Event, EventKind, NoticeId, Quiet, RunId};
use bellwether::notify::{Abilities, Channel, Failure, HAD_ARRIVED, Policy, Post, Receipt, SendError};
use bellwether::store::{Points, Reader};
use bellwether::views::{Asker, Views, trace};
use proptest::prelude::*;

use crate::support::PostOffice;
use crate::support::post_office::{ANA, BO, CHAT, kind, of_two};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It works.
    Works,
    /// What is sent arrives, and nobody learns of it.
    Unheard,
    /// Nothing arrives, and nobody learns of that.
    Lost,
    /// Nothing gets through, not even the question whether it arrived.
    Down,
    /// The first part arrives, and nobody learns of the rest.
    Half,
    /// Nothing may be sent for an hour.
    PutOff,
}

use Fate::{Down, Half, Lost, PutOff, Unheard, Works};

/// A message that stands in the chat.
#[derive(Debug, Clone)]
struct Shown {
    delivery: i64,
    text: String,
    notices: Vec<u64>,
    edit: bool,
}

/// A chat in which messages can be looked up by the key that we gave them.
struct Finder {
    database: PathBuf,
    lane: &'static str,
    fates: Mutex<VecDeque<Fate>>,
    shown: Mutex<Vec<Shown>>,
    posts: Mutex<Vec<Post>>,
}

impl Finder {
    fn plugged(office: &mut PostOffice, fates: impl IntoIterator<Item = Fate>) -> Arc<Self> {
        let finder = Arc::new(Self {
            database: office.database(),
            lane: ANA,
            fates: Mutex::new(fates.into_iter().collect()),
            shown: Mutex::default(),
            posts: Mutex::default(),
        });
        office.plug(ANA, finder.clone());
        finder
    }

    fn then(&self, fates: impl IntoIterator<Item = Fate>) {
        self.fates.lock().expect("lock").extend(fates);
    }

    /// The messages that are no changes of others.
    fn told(&self) -> Vec<Shown> {
        self.shown.lock().expect("lock").iter().filter(|shown| !shown.edit).cloned().collect()
    }

    fn texts(&self) -> Vec<String> {
        self.told().into_iter().map(|shown| shown.text).collect()
    }

    fn posts(&self) -> Vec<Post> {
        self.posts.lock().expect("lock").clone()
    }

    /// The notices that the message tells which is under way.
    fn under_way(&self) -> Vec<u64> {
        let reader = Reader::open(&self.database).expect("opens");
        let last = reader.journal_told(1).expect("reads")[0].notice.map_or(0, |notice| notice.0);
        let tells = |number: &u64| {
            let rows = reader.trace(NoticeId(*number)).expect("reads");
            rows.iter().any(|row| row.lane == self.lane && row.state == "sending")
        };
        (1..=last).filter(tells).collect()
    }
}

#[async_trait]
impl Channel for Finder {
    fn abilities(&self) -> Abilities {
        Abilities { finds: true, ..CHAT }
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        self.posts.lock().expect("lock").push(post.clone());
        let fate = self.fates.lock().expect("lock").pop_front().unwrap_or(Works);
        if fate == Down {
            return Err(SendError::Unreachable("down".to_owned()).into());
        }
        if fate == PutOff {
            return Err(SendError::NotBefore(std::time::Duration::from_hours(1), "no money".to_owned()).into());
        }
        let known = self.told().iter().position(|shown| shown.delivery == post.delivery);
        let remote = |place: usize| Some((100 + place).to_string());
        if let (true, None, Some(place)) = (post.again.is_some(), &post.edit, known) {
            return Ok(Receipt { remote: remote(place), detail: Some(HAD_ARRIVED.to_owned()), ..Receipt::default() });
        }
        if fate == Half {
            return Err(Failure { parts: 1, what: SendError::Unknown("no answer".to_owned()) });
        }
        if fate == Lost {
            return Err(SendError::Unknown("no answer".to_owned()).into());
        }
        let text = post.message.plain_lines().join("\n");
        let notices = self.under_way();
        let mut shown = self.shown.lock().expect("lock");
        shown.push(Shown { delivery: post.delivery, text, notices, edit: post.edit.is_some() });
        drop(shown);
        if fate == Unheard {
            return Err(SendError::Unknown("no answer".to_owned()).into());
        }
        Ok(Receipt { remote: remote(self.told().len() - 1), ..Receipt::default() })
    }
}

fn traced(office: &PostOffice, number: u64) -> String {
    let asker = Asker { name: "ana".to_owned(), ..Asker::default() };
    let views = Views::open(&office.database(), asker, office.clock.now()).expect("opens");
    trace(&views, NoticeId(number)).expect("known")
}

#[test]
fn what_arrived_is_found_and_not_told_again() {
    for restarts in [false, true] {
        let mut office = PostOffice::of_one();
        let finder = Finder::plugged(&mut office, [Unheard]);
        office.happen([kind("day_closed")]);
        office.tick(ANA);
        if restarts {
            office.restart();
        }
        office.run(ANA, 5);
        assert_eq!(finder.told().len(), 1, "{:?}", finder.texts());
        let told = traced(&office, 1);
        assert!(told.contains("accepted") && told.contains(": it had arrived") && !told.contains("twice"), "{told}");
        assert_eq!(office.counts(ANA).sent, 1);
    }
}

#[test]
fn what_never_arrived_goes_again_after_the_rest_of_the_lane_and_is_not_marked() {
    let mut office = PostOffice::of_one();
    let finder = Finder::plugged(&mut office, [Lost]);
    office.happen([kind("day_closed")]);
    let began = office.clock.now();
    office.run(ANA, 10);
    let texts = finder.texts();
    assert!(texts.len() == 1 && !texts[0].contains("repeat"), "{texts:?}");
    let posts = finder.posts();
    assert_eq!((posts[0].again, posts[1].again), (None, Some(began)), "looked for, from when it was written");
    let ended = office.reader().trace(NoticeId(1)).expect("reads")[0].settled.expect("settled");
    assert!(ended.since(began) < 10_000, "it waits for no other message");
}

#[test]
fn what_was_put_off_holds_nothing_back() {
    let mut office = PostOffice::of_one();
    let finder = Finder::plugged(&mut office, [Lost, PutOff]);
    office.happen([kind("day_closed")]);
    office.run(ANA, 5);
    assert_eq!((finder.posts().len(), finder.told().len()), (2, 0), "unknown, and then put off");
    office.happen([kind("config_changed")]);
    office.run(ANA, 5);
    assert_eq!((finder.posts().len(), finder.told().len()), (3, 1), "the other goes, and the first is not asked for");
    office.clock.advance(3_600_000);
    office.run(ANA, 5);
    assert_eq!((finder.posts().len(), finder.told().len()), (4, 2), "{:?}", finder.texts());
}

#[test]
fn nothing_is_given_up_for_being_unknown_often_but_for_being_old() {
    let mut office = of_two();
    let finder = Finder::plugged(&mut office, [Lost; 40]);
    office.happen([kind("day_closed")]);
    office.say(ANA, "You hold nothing");
    office.step_all(3 * 360, 10_000);
    let mut texts = finder.texts();
    texts.sort();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts.iter().all(|text| !text.contains("epeat") && !text.contains("could not be shown")), "{texts:?}");
    assert_eq!(office.counts(ANA).dead, 0);
    // Where it stays so for longer than anybody has patience, the others hear of it.
    finder.then([Lost; 5_000]);
    office.happen([kind("position_opened")]);
    office.step_all(7 * 360, 10_000);
    assert_eq!(office.counts(ANA).dead, 1);
    let told = office.reader().journal_told(50).expect("reads");
    assert_eq!(told.iter().filter(|row| row.event.kind.name() == "delivery_died").count(), 1);
}

#[test]
fn what_was_told_together_is_looked_for_together() {
    for (facts, fates) in [
        // A story, and the question whether it arrived fails twice.
        (vec![kind("feed_stale"), kind("feed_recovered")], vec![Down, Unheard, Down, Down]),
        // A storm.
        (vec![kind("day_closed"); 20], vec![Unheard, Down, Lost]),
    ] {
        for restarts in [false, true] {
            let mut office = PostOffice::of_one();
            let finder = Finder::plugged(&mut office, fates.clone());
            office.happen(facts.clone());
            while finder.told().is_empty() {
                office.run(ANA, 1);
            }
            if restarts {
                office.restart();
            }
            // What came since is no part of it.
            office.happen([kind("config_changed")]);
            office.run(ANA, 120);
            let told = finder.told();
            assert_eq!(told.len(), 2, "{:?}", finder.texts());
            assert_eq!((told[0].notices.len(), told[1].notices.len()), (facts.len(), 1));
            assert!(!finder.texts().concat().contains("erhaps"), "{:?}", finder.texts());
            let counts = office.counts(ANA);
            assert_eq!((counts.sent, counts.open), (facts.len() as u64 + 1, 0), "{counts:?}");
        }
    }
}

/// The bot dies at this point of its next message, and is started anew.
fn die_at(office: &mut PostOffice, point: &'static str) {
    office.restart_with(Points::armed(move |name| name == point)).expect("starts");
    let _ = office.try_tick(ANA);
    office.restart();
}

#[test]
fn a_death_between_sending_and_noting_tells_nothing_twice() {
    for point in ["delivery: marked, not sent", "delivery: sent, not settled"] {
        for facts in [
            vec![kind("symbol_locked")],
            vec![kind("feed_stale"), kind("feed_recovered")],
            vec![kind("day_closed"); 20],
        ] {
            let mut office = PostOffice::of_one();
            let finder = Finder::plugged(&mut office, []);
            office.happen(facts.clone());
            die_at(&mut office, point);
            office.happen([kind("config_changed")]);
            office.run(ANA, 120);
            let told = finder.told();
            assert_eq!(told.iter().map(|shown| shown.notices.len()).collect::<Vec<_>>(), [facts.len(), 1], "{point}");
            assert!(!finder.texts().concat().contains("erhaps"), "{:?}", finder.texts());
            assert_eq!(office.counts(ANA).sent, facts.len() as u64 + 1);
        }
    }
}

#[test]
fn what_is_not_wanted_any_more_is_looked_for_with_the_rest() {
    let mut office = PostOffice::of_one();
    let finder = Finder::plugged(&mut office, [Unheard]);
    office.happen([fact(0, 0), fact(0, 0), fact(1, 2), fact(0, 0), fact(0, 0), fact(0, 0)]);
    office.tick(ANA);
    // While a symbol is locked nobody is told that its prices stopped: but that leads the message that is looked for.
    office.happen([fact(3, 2)]);
    office.run(ANA, 30);
    let told = finder.told();
    assert_eq!(told.iter().map(|shown| shown.notices.len()).collect::<Vec<_>>(), [6, 1], "{:?}", finder.texts());
    assert_eq!(office.counts(ANA).sent, 7);
}

#[test]
fn what_was_held_overnight_is_looked_for_as_one() {
    let mut office = PostOffice::of_one();
    let clock = |text: &str| chrono::NaiveTime::parse_from_str(text, "%H:%M").expect("a time");
    let night = |policy: &mut Policy| policy.quiet = Some(Quiet { from: clock("02:00"), to: clock("07:00") });
    office.policy(ANA, night);
    let finder = Finder::plugged(&mut office, [Unheard]);
    office.happen([kind("day_closed"), kind("config_changed"), kind("position_opened")]);
    office.run(ANA, 5);
    assert_eq!(finder.told().len(), 0, "it is night");
    office.clock.advance(5 * 3_600_000);
    office.tick(ANA);
    office.restart();
    office.policy(ANA, night);
    office.run(ANA, 60);
    assert_eq!((finder.told().len(), office.counts(ANA).sent), (1, 3), "{:?}", finder.texts());
}

#[test]
fn a_message_that_was_found_says_who_has_seen_it() {
    let mut office = of_two();
    let finder = Finder::plugged(&mut office, [Unheard]);
    office.happen([kind("symbol_locked")]);
    office.tick(ANA);
    assert!(office.store.acknowledge(NoticeId(1), "bo", "telegram", office.clock.now()).expect("stored"));
    office.run(ANA, 5);
    let shown = finder.shown.lock().expect("lock").clone();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(!shown[0].text.contains("Acknowledged"), "{}", shown[0].text);
    assert!(shown[1].edit && shown[1].text.contains("Acknowledged by bo"), "{}", shown[1].text);
}

#[test]
fn whoever_led_a_message_and_does_not_go_any_more_leaves_no_fact_behind() {
    let mut office = of_two();
    let finder = Finder::plugged(&mut office, [Down, Unheard]);
    let resumed =
        Event { at: office.clock.now(), book: Some("main".parse().expect("a name")), kind: kind("trading_resumed") };
    office.happen([kind("trading_halted")]);
    office.store.record_events(RunId(1), resumed.at, vec![resumed], &office.routes).expect("stored");
    while finder.told().is_empty() {
        office.run(ANA, 1);
    }
    assert_eq!(finder.told()[0].notices, [1, 2], "both in one message");
    assert!(office.store.acknowledge(NoticeId(1), "ana", "terminal", office.clock.now()).expect("stored"));
    office.run(ANA, 60);
    let counts = office.counts(ANA);
    assert_eq!((counts.sent, counts.skipped, counts.open), (1, 1, 0), "{counts:?}");
    // Nobody can look for a message whose leader is settled: what it told as well comes again, and says so.
    assert!(finder.texts()[1].contains("perhaps a repeat of N2"), "{:?}", finder.texts());
}

#[test]
fn a_message_of_which_a_part_arrived_goes_on_or_is_said_anew() {
    let mut office = PostOffice::of_one();
    let finder = Finder::plugged(&mut office, [Half]);
    office.happen([kind("day_closed")]);
    office.run(ANA, 5);
    let posts = finder.posts();
    assert_eq!((posts.len(), posts[1].parts_done, posts[1].again.is_some()), (2, 1, true));
    assert!(!finder.texts()[0].contains("repeat"));
    finder.then([Half]);
    office.happen([kind("config_changed")]);
    office.tick(ANA);
    office.restart();
    office.run(ANA, 5);
    let last = finder.posts().last().expect("sent").clone();
    assert_eq!((last.parts_done, last.again), (0, None), "nobody remembers how it went on");
    assert!(finder.texts()[1].contains("perhaps a repeat of N2"), "{:?}", finder.texts());
}

#[test]
fn beside_it_a_channel_that_cannot_look_marks_its_repeats() {
    let mut office = of_two();
    let finder = Finder::plugged(&mut office, [Lost]);
    office.wire(BO).script([crate::support::Does::TakeUnheard]);
    office.happen([kind("symbol_locked")]);
    office.run(ANA, 10);
    office.run(BO, 10);
    let told = office.wire(BO).take();
    assert!(told.len() == 2 && told[1].contains("perhaps a repeat of N1"), "{told:?}");
    assert_eq!(finder.texts().len(), 1);
}

fn fact(choice: u8, symbol: u8) -> EventKind {
    let symbol = format!("S{symbol}").parse().expect("a symbol");
    let mut fact =
        kind(["day_closed", "feed_stale", "feed_recovered", "symbol_locked", "config_changed"][usize::from(choice)]);
    match &mut fact {
        EventKind::FeedStale { symbol: of, .. }
        | EventKind::FeedRecovered { symbol: of, .. }
        | EventKind::SymbolLocked { symbol: of, .. } => *of = symbol,
        _ => {}
    }
    fact
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// Whatever fails, and wherever the bot dies, each fact stands in the chat once, and nothing says that it may be a repeat.
    #[test]
    fn each_fact_is_told_once(
        turns in prop::collection::vec((prop::collection::vec((0_u8..5, 0_u8..4), 0..8), 0_i64..30, 0_usize..6), 1..6),
        fates in prop::collection::vec(prop::sample::select(vec![Works, Unheard, Lost, Down]), 0..30),
    ) {
        let mut office = PostOffice::of_one();
        let finder = Finder::plugged(&mut office, fates);
        for (facts, seconds, dies) in turns {
            office.happen(facts.into_iter().map(|(choice, symbol)| fact(choice, symbol)));
            for _ in 0..seconds {
                office.tick(ANA);
                office.clock.advance(1_000);
            }
            match ["outbox: taken", "delivery: marked, not sent", "delivery: sent, not settled", "outbox: settled, next not taken"].get(dies) {
                Some(point) => die_at(&mut office, point),
                None if dies == 4 => office.restart(),
                None => {}
            }
        }
        for _ in 0..4_000 {
            office.tick(ANA);
            office.clock.advance(1_000);
            if office.counts(ANA).open == 0 {
                break;
            }
        }
        let mut copies: BTreeMap<u64, usize> = BTreeMap::new();
        for notice in finder.told().into_iter().flat_map(|shown| shown.notices) {
            *copies.entry(notice).or_default() += 1;
        }
        prop_assert!(copies.values().all(|count| *count == 1), "{copies:?} {:#?}", finder.told());
        let counts = office.counts(ANA);
        prop_assert_eq!((counts.open, counts.dead), (0, 0));
        prop_assert!(copies.len() as u64 <= counts.sent, "what is told in a change of its story's message is no message");
        prop_assert!(!finder.texts().concat().contains("erhaps"), "{:?}", finder.texts());
    }
}
