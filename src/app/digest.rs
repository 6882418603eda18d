//! What is told once a day? Counts of what was not worth a message of its own, for each reader at their own time.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono_tz::Tz;

use crate::clock::{Clock, Timestamp};
use crate::config::{Config, policy};
use crate::domain::{Block, DIGEST, KINDS, Lane, Message, Routes, Severity, Treatment, next_at};
use crate::notify::{Gathered, Policy, Telling, summary_blocks};
use crate::store::{Answer, Reader, Store, StoreError};

/// How often it is looked whether it is time.
const LOOK: Duration = Duration::from_secs(20);

/// Writes digests.
pub(super) struct Digests {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    /// Who may see what; rights are taken away from it while it runs.
    pub(super) config: Arc<Mutex<Config>>,
    pub(super) routes: Routes,
    pub(super) zone: Tz,
    /// How prices are marked.
    pub(super) mark: &'static str,
}

impl Digests {
    /// Looks until `stop` is dropped.
    pub(super) fn watch(self, stop: &Receiver<()>) {
        while stop.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            if let Err(error) = self.look() {
                tracing::warn!(%error, "a digest waits");
            }
        }
    }

    /// Writes to each person whose time has come, on the first of their lanes.
    fn look(&self) -> Result<(), StoreError> {
        let (routes, now) = (self.routes.now(), self.clock.now());
        let reader = Reader::open(self.store.path())?;
        let mut seen = Vec::new();
        for lane in routes.routes.iter().flat_map(|route| &route.to).filter(|lane| routes.rule(**lane).is_some()) {
            if !seen.contains(&lane.who) {
                seen.push(lane.who);
                self.write(&reader, *lane, now)?;
            }
        }
        Ok(())
    }

    fn write(&self, reader: &Reader, lane: Lane, now: Timestamp) -> Result<(), StoreError> {
        let policy = policy(&self.config.lock().unwrap_or_else(PoisonError::into_inner), lane, self.zone);
        let policy = policy.preferring(&reader.preferences(lane.who.as_str())?);
        let last_fact = reader.last_fact()?;
        let Some((told, after)) = reader.digest_place(lane.who)? else {
            // Nothing is owed for the time before somebody was there to read it.
            return self.store.keep_digest(lane.who, now, last_fact, None);
        };
        if told > now {
            // The clock was set back: the next digest comes at its time, and leaves nothing out.
            return self.store.keep_digest(lane.who, now, after, None);
        }
        if next_at(policy.digest_at, told, policy.zone) > now {
            return Ok(());
        }
        let message = self.message(reader, &policy, (after, last_fact), now.since(told), now)?;
        self.store.keep_digest(lane.who, now, last_fact, message.map(|message| Answer::new(lane, message)))
    }

    /// The counts of what came after a place of the journal; none where nothing came that belongs to a digest.
    fn message(
        &self,
        reader: &Reader,
        policy: &Policy,
        facts: (i64, i64),
        span_ms: i64,
        now: Timestamp,
    ) -> Result<Option<Message>, StoreError> {
        let wishes = reader.wishes(policy.rule.lane.who.as_str(), now)?;
        let treatment = |name: &str| wishes.treatments.iter().find(|(kind, _)| kind == name).map(|(_, wish)| *wish);
        if treatment(DIGEST) == Some(Treatment::Off) {
            return Ok(None);
        }
        let quiet = KINDS.iter().filter(|kind| kind.loudest == Severity::Info);
        let wanted = quiet
            .filter(|kind| treatment(kind.name).unwrap_or_else(|| policy.rule.treatment(kind)) == Treatment::Digest);
        let mut gathered: Vec<Gathered> = Vec::new();
        for kind in wanted {
            let (count, samples) = reader.facts_of(kind.name, facts, policy.rule.books.as_deref())?;
            if count > 0 {
                gathered.push(Gathered { kind: kind.name, count, samples });
            }
        }
        if gathered.is_empty() {
            return Ok(None);
        }
        let share_of = if policy.hides_amounts { reader.books()?.first().map(|row| row.book.capital) } else { None };
        let telling = Telling { zone: policy.zone, mark: self.mark, style: policy.style, share_of };
        let total = gathered.iter().map(|one| one.count).sum();
        let mut blocks = summary_blocks(&gathered, span_ms, total, None, &telling);
        blocks.insert(1, Block::Line("Digest: none of it needed a message of its own".to_owned().into()));
        Ok(Some(Message { blocks, is_digest: true, ..Message::default() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::config::read;
    use crate::domain::{Event, EventKind, OrderId, Quantity, RouteTable, RunId};
    use crate::store::{AuditEntry, Due, Own, Task};

    /// Digests for one lane, ten minutes before eight o'clock in UTC; whoever it is for may see what `config` says.
    struct Desk {
        _folder: tempfile::TempDir,
        clock: Arc<ManualClock>,
        lane: Lane,
        digests: Digests,
    }

    impl Desk {
        fn open(lane: &str, config: Config) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let store = Store::open(&folder.path().join("a.db")).expect("opens");
            let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_799_999_400_000)));
            let lane: Lane = lane.parse().expect("a lane");
            let routes = Routes::new(RouteTable::simple(&[lane], Severity::Notice));
            let config = Arc::new(Mutex::new(config));
            let digests = Digests { store, clock: clock.clone(), config, routes, zone: Tz::UTC, mark: "paper" };
            Self { _folder: folder, clock, lane, digests }
        }

        fn order_ends(&self, number: u64, book: Option<&str>) {
            let kind = EventKind::OrderEnded {
                order: OrderId(number),
                symbol: "AAPL".parse().expect("a symbol"),
                unfilled: Quantity::ZERO,
                why: "its time is over".to_owned(),
            };
            let now = self.clock.now();
            let event = Event { at: now, book: book.map(|name| name.parse().expect("a name")), kind };
            self.digests.store.record_events(RunId(1), now, vec![event], &self.digests.routes).expect("stored");
        }

        fn look(&self) {
            self.digests.look().expect("looks");
        }

        fn told(&self) -> Vec<String> {
            let reader = Reader::open(self.digests.store.path()).expect("opens");
            let due = reader.due(self.lane, Due::Everything, self.clock.now(), 100).expect("reads");
            let texts = due.into_iter().filter_map(|row| match row.task {
                Task::Answer(message) => Some(message.plain_lines().join("\n")),
                Task::Notice(_) | Task::Edit(_) | Task::Seen(_) | Task::Broken(_) => None,
            });
            texts.collect()
        }
    }

    #[test]
    fn what_needed_no_message_is_counted_once_a_day() {
        let desk = Desk::open("owner:terminal", Config::default());
        desk.order_ends(1, None);
        desk.look();
        (2..4).for_each(|number| desk.order_ends(number, None));
        desk.look();
        assert_eq!(desk.told(), Vec::<String>::new(), "not before its time");
        desk.clock.advance(600_000);
        desk.look();
        desk.look();
        let first = desk.told();
        assert_eq!(first.len(), 1, "{first:?}");
        assert!(first[0].contains("2 x an order ended") && first[0].contains("AAPL"), "{first:?}");
        desk.clock.advance(24 * 3_600_000);
        desk.look();
        assert_eq!(desk.told().len(), 1, "nothing came, so nothing is told");
    }

    #[test]
    fn whoever_wants_no_digest_gets_none_until_they_do() {
        let desk = Desk::open("owner:terminal", Config::default());
        let wish = |treatment| {
            let (person, channel, at) = ("owner".to_owned(), "telegram:1".to_owned(), desk.clock.now());
            let entry =
                AuditEntry { at, person, channel, words: "/less".to_owned(), preview: None, result: String::new() };
            desk.digests.store.change_own(entry, Own::Wish { kind: DIGEST.to_owned(), treatment }).expect("kept")
        };
        desk.look();
        desk.order_ends(1, None);
        wish(Some(Treatment::Off));
        desk.clock.advance(600_000);
        desk.look();
        assert_eq!(desk.told(), Vec::<String>::new());
        wish(None);
        desk.order_ends(2, None);
        desk.clock.advance(24 * 3_600_000);
        desk.look();
        let told = desk.told();
        assert!(told.len() == 1 && told[0].contains("Order O2 ended"), "{told:?}");
    }

    #[test]
    fn a_book_that_somebody_may_not_see_any_more_is_in_none_of_their_digests() {
        let config = |more: &str| {
            let books = "[[books]]\nname = \"main\"\n[[books]]\nname = \"calm\"\n[[people]]\nname = \"ana\"\n";
            let bo = "[[people]]\nname = \"bo\"\nrole = \"viewer\"\ntelegram = { user = 5 }\n";
            read(&format!("{books}{bo}{more}"), None).expect("sound")
        };
        let desk = Desk::open("bo:telegram", config(""));
        desk.look();
        desk.order_ends(1, Some("main"));
        desk.order_ends(2, Some("calm"));
        *desk.digests.config.lock().expect("free") = config("books = [\"calm\"]\n");
        desk.clock.advance(600_000);
        desk.look();
        let told = desk.told();
        assert!(told.len() == 1 && told[0].contains("Order O2 ended") && !told[0].contains("O1"), "{told:?}");
    }
}
