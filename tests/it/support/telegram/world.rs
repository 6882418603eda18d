//! What is there? Everything the fake knows, behind one lock.

use std::collections::BTreeMap;

use serde_json::Value;

use super::chats::{Chat, Standing};
use super::fake::clock::FakeClock;
use super::faults::Faults;
use super::files::Files;
use super::flood::Flood;
use super::limits;
use super::people::{Person, Press};
use super::profile::Profile;
use super::updates::Queue;

pub(crate) struct World {
    pub(super) clock: FakeClock,
    /// The bot's.
    pub(super) token: String,
    pub(super) me: Person,
    pub(super) people: BTreeMap<i64, Person>,
    pub(super) chats: BTreeMap<i64, Chat>,
    pub(super) queue: Queue,
    pub(super) presses: BTreeMap<String, Press>,
    pub(super) callback_life_ms: u64,
    /// In groups the bot hears only what is meant for it.
    pub(super) privacy: bool,
    pub(super) files: Files,
    pub(super) flood: Flood,
    pub(super) faults: Faults,
    pub(super) profile: Profile,
    /// Numbers of albums and presses.
    next: u64,
}

impl World {
    pub(super) fn new(token: &str) -> Self {
        let bot = token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or(1);
        Self {
            clock: FakeClock::new(),
            token: token.to_owned(),
            me: Person::bot(bot),
            people: BTreeMap::new(),
            chats: BTreeMap::new(),
            queue: Queue::new(),
            presses: BTreeMap::new(),
            callback_life_ms: limits::CALLBACK_LIFE_MS,
            privacy: true,
            files: Files::default(),
            flood: Flood::new(),
            faults: Faults::new(),
            profile: Profile::default(),
            next: 4_100_000_000_000_000_001,
        }
    }

    pub(super) fn person(&self, id: i64) -> Option<&Person> {
        if id == self.me.id { Some(&self.me) } else { self.people.get(&id) }
    }

    /// A number that no album and no press has.
    pub(super) fn number(&mut self) -> String {
        self.next += 1;
        self.next.to_string()
    }

    /// Meets a person: the private chat exists from then on, though the person has not started the bot.
    pub(super) fn meet(&mut self, person: Person) {
        self.chats.entry(person.id).or_insert_with(|| Chat::new(person.id, "", Standing::Unstarted));
        let known = self.people.entry(person.id).or_insert_with(|| person.clone());
        if person.username.is_some() || known.username.is_none() {
            *known = person;
        }
    }

    /// Queues an update of this kind.
    pub(super) fn tell(&mut self, kind: &str, body: Value) -> Option<i64> {
        self.queue.push(kind, body, self.clock.now_ms())
    }
}
