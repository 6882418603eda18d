//! What does whoever types `/test` hear? That a drill is under way, and when it is settled what became of it on each way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::chat::{Driller, Inbound, Role};
use crate::clock::Clock;
use crate::domain::{Lane, Message, Routes, RunId};
use crate::store::{Answer, Reader, Store, StoreError};

use super::around::spawn;
use super::drill::{Begun, PATIENCE, begin, is_over};
use super::drill_report::chat_words;

/// How often it is looked for proof when no bell rings.
const LOOK: Duration = Duration::from_millis(250);

/// Sends drills and tells in the chat what became of each, one at a time. Whoever asks is answered at once. `hears`: what becomes of short
/// messages is called back.
pub(super) fn driller(store: Store, clock: Arc<dyn Clock>, (run, hears): (RunId, bool), routes: Routes) -> Driller {
    let busy = Arc::new(AtomicBool::new(false));
    Arc::new(move |inbound| {
        let send = || begin(&store, &*clock, run, &routes, &inbound.person.name);
        let Some(asker) = asker(inbound) else {
            send()?;
            return Ok(ELSEWHERE.to_owned());
        };
        if busy.swap(true, Ordering::SeqCst) {
            return Ok("A test message is under way already; what becomes of it is told first".to_owned());
        }
        let followed = send().map(|begun| {
            let (follower, free) =
                (Follower { store: store.clone(), clock: clock.clone(), asker, hears }, busy.clone());
            let follow = move |begun| {
                let words = follower.words(&begun);
                free.store(false, Ordering::SeqCst);
                if let Err(error) = words.and_then(|words| follower.tell(&words)) {
                    tracing::warn!(%error, "what became of a drill could not be told");
                }
            };
            begun.is_some_and(|begun| spawn("drill", move || follow(begun)).is_ok())
        });
        if !matches!(followed, Ok(true)) {
            busy.store(false, Ordering::SeqCst);
        }
        let patience = PATIENCE.as_secs();
        Ok(if followed? {
            format!("A test message is on every way; what becomes of it follows here within {patience} s")
        } else {
            ELSEWHERE.to_owned()
        })
    })
}

/// What is said to whoever cannot be told more here.
const ELSEWHERE: &str = "A test message is on every way; /deliveries shows what became of it";

/// Who asked, and where they are told.
struct Asked {
    lane: Lane,
    name: String,
    sees_all: bool,
}

/// None for whoever asks from a shell, where nothing more can be told.
fn asker(inbound: &Inbound) -> Option<Asked> {
    let channel = inbound.chat.split(':').next().unwrap_or_default();
    let lane = format!("{}:{channel}", inbound.person.name).parse().ok()?;
    Some(Asked { lane, name: inbound.person.name.clone(), sees_all: inbound.person.role == Role::Owner })
}

struct Follower {
    store: Store,
    clock: Arc<dyn Clock>,
    asker: Asked,
    hears: bool,
}

impl Follower {
    /// Waits until the drill is settled.
    fn words(&self, begun: &Begun) -> Result<String, StoreError> {
        let reader = Reader::open(self.store.path())?;
        let (since, mut seen) = (self.clock.steady(), 0);
        let rows = loop {
            let rows = begun.rows(&reader)?;
            if rows.iter().all(|row| is_over(row, self.hears)) || self.clock.steady().saturating_sub(since) >= PATIENCE
            {
                break rows;
            }
            seen = self.store.wait_for_facts(seen, LOOK);
        };
        let Asked { name, sees_all, .. } = &self.asker;
        let is_shown = |lane: &str| *sees_all || lane.split(':').next() == Some(name);
        Ok(chat_words(begun.notice, &rows, &reader.lane_states()?, is_shown))
    }

    fn tell(&self, words: &str) -> Result<(), StoreError> {
        self.store.post(Answer::new(self.asker.lane, Message::answer(words)), self.clock.now())
    }
}
