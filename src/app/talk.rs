//! How do people and engine reach each other? Threads around the queue: the terminal, the carrier of messages, the reader of the inbox.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::channels::{Console, ConsoleInput, Editor, Prompted, Typing};
use tokio::runtime::Handle;

use crate::chat::{Asker, Chat, Inbound, Person, Place, Previewer, Question, Reply, may_be_secret, typed_so_far};
use crate::clock::Clock;
use crate::domain::Label;
use crate::domain::format::{price, quantity};
use crate::engine::{EngineMessage, Ranking, Trial};
use crate::notify::Worker;
use crate::store::{Reader, Store};
use crate::views::{Views, screening_words};

use super::drawing::drawn;

/// The channel of questions from other processes.
pub(super) const SHELL: &str = "shell";
/// The channel on which other processes have changes previewed.
pub(super) const PREVIEW: &str = "preview";
/// How long an answer of the engine is waited for.
const ANSWER: Duration = Duration::from_secs(5);
/// How often the inbox is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How often the outbox is looked at for what other processes put there.
const LOOK_FOR_MESSAGES: Duration = Duration::from_millis(250);
/// Messages in one step of the carrier.
const MESSAGES_MAX: usize = 16;
/// How long the last messages of a run may wait for their turn.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Asks the engine through its queue, and draws.
pub(super) fn asker(queue: Sender<EngineMessage>, database: PathBuf, clock: Arc<dyn Clock>) -> Asker {
    Arc::new(move |inbound, question| {
        let person = &inbound.person;
        let answer = match question {
            Question::Chart(what) => return drawn(&database, inbound, what, &*clock),
            Question::DryCycle => {
                ask(&queue, EngineMessage::Try).and_then(|trials| trials).map(|trials| trial_words(&trials, person))
            }
            Question::Screen(book) => {
                ask(&queue, EngineMessage::Rank).and_then(|rankings| ranking_words(&rankings, book, person))
            }
        };
        answer.map_or_else(|what| Reply::Failed { what, hint: None }, Reply::Text)
    })
}

/// Has the engine preview a change.
pub(super) fn previewer(queue: Sender<EngineMessage>) -> Previewer {
    Arc::new(move |change, person| {
        let (change, person) = (change.clone(), person.to_owned());
        ask(&queue, |answer| EngineMessage::Preview(change, person, answer)).flatten()
    })
}

fn ask<T>(queue: &Sender<EngineMessage>, question: impl FnOnce(Sender<T>) -> EngineMessage) -> Result<T, String> {
    let (answer, answered) = channel();
    let gone = || "the engine is not running".to_owned();
    queue.send(question(answer)).map_err(|_| gone())?;
    answered.recv_timeout(ANSWER).map_err(|_| gone())
}

/// What the screeners would choose, in words.
fn ranking_words(rankings: &[Ranking], book: Option<Label>, person: &Person) -> Result<String, String> {
    let asked = rankings.iter().filter(|ranking| person.may_see(ranking.book));
    let asked = asked.filter(|ranking| book.is_none_or(|book| ranking.book == book));
    let mut lines: Vec<String> =
        asked.map(|ranking| screening_words(ranking.book, &ranking.screening, ranking.zone)).collect();
    if lines.is_empty() {
        let whose = book.map_or_else(|| "no book".to_owned(), |book| format!("no book {book}"));
        return Err(format!("there is {whose} with a screener; [books.screener] in bellwether.toml is one"));
    }
    lines.push("Nothing was changed".to_owned());
    Ok(lines.join("\n"))
}

/// What the strategies would do, in words.
fn trial_words(trials: &[Trial], person: &Person) -> String {
    let mut lines = Vec::new();
    let trials: Vec<&Trial> = trials.iter().filter(|trial| person.may_see(trial.book)).collect();
    for trial in &trials {
        let Some((side, amount, at)) = &trial.order else { continue };
        let (symbol, who) = (trial.symbol, trial.strategy);
        lines.push(format!(
            "{who} would {side} {} {symbol} at about {}: {}",
            quantity(*amount),
            price(*at),
            trial.rule
        ));
        for refusal in &trial.refusals {
            lines.push(format!("  refused  {}: {}, {}", refusal.check, refusal.value, refusal.limit));
        }
    }
    let quiet = trials.iter().filter(|trial| trial.order.is_none()).count();
    lines.push(format!("{quiet} of {} looked at would do nothing; /whynot SYMBOL says why", trials.len()));
    lines.push("Nothing was submitted".to_owned());
    lines.join("\n")
}

/// Waits until the engine carried a change out; what became of it.
pub(super) fn waiter(chat: Chat, clock: Arc<dyn Clock>) -> Arc<dyn Fn(i64) -> Option<String> + Send + Sync> {
    Arc::new(move |id| {
        let begun = clock.steady();
        // Nobody sends here: receiving with a time-out is a wait that needs no ambient sleep.
        let (_keep, nothing) = channel::<()>();
        while clock.steady().saturating_sub(begun) < ANSWER {
            match chat.result_of(id) {
                Ok(Some(result)) => return Some(result),
                Ok(None) => {}
                Err(_) => return None,
            }
            let _ = nothing.recv_timeout(Duration::from_millis(20));
        }
        None
    })
}

/// The terminal's thread.
pub(super) struct Terminal {
    /// Output.
    pub(super) console: Console,
    input: ConsoleInput,
    /// True if a person types.
    pub(super) is_person: bool,
    /// Set to have the editor give the terminal back.
    pub(super) over: Arc<AtomicBool>,
}

/// What Tab offers to somebody at the terminal.
fn typing(person: &Person, store: &Store, clock: Arc<dyn Clock>) -> Typing {
    let (person, database) = (person.clone(), store.path().to_owned());
    Box::new(move |line| {
        let place = Place::Machine;
        let views = Views::open(&database, person.asker(place), clock.now());
        // Without a store there is nothing to offer, and it is no time to say so.
        views.and_then(|views| typed_so_far(&views, (person.role, place), line)).unwrap_or_default()
    })
}

impl Terminal {
    /// A terminal for a person. History is kept beside the database.
    pub(super) fn new(chat: Chat, person: Person, store: Store, clock: Arc<dyn Clock>) -> Self {
        let history: Option<PathBuf> = store.path().parent().map(|folder| folder.join(".bellwether_history"));
        let over = Arc::new(AtomicBool::new(false));
        let typing = typing(&person, &store, clock.clone());
        let editor = Editor::new(typing, history, over.clone());
        let is_person = editor.printer().is_some();
        let console = Console::new(&editor);
        let wait_for = waiter(chat.clone(), clock.clone());
        let who = person.name.clone();
        let keep = Arc::new(move |line: &str| {
            let now = clock.now();
            let key = format!("{}-{}", now.ms(), clock.steady().as_nanos());
            // What may be a PIN at the wrong prompt is kept nowhere.
            let line = if may_be_secret(line) { "not kept" } else { line };
            if let Err(error) = store.note_line("terminal", &key, &who, line, now) {
                tracing::warn!(%error, "a line could not be kept");
            }
        });
        let input = ConsoleInput::new(editor, console.clone(), chat, person, wait_for, keep);
        Self { console, input, is_person, over }
    }

    /// Reads until the end of the input; Ctrl-C stops the engine.
    pub(super) fn run(self, queue: &Sender<EngineMessage>, stopped: &AtomicBool) {
        if self.input.run() == Prompted::Interrupted {
            stopped.store(true, Ordering::SeqCst);
            // A queue without an engine needs no stopping.
            let _ = queue.send(EngineMessage::Stop);
        }
    }
}

/// Carries a lane's messages until `drain` is set and nothing is left that could go now, or one of `ends` is.
pub(super) fn carry(mut worker: Worker, network: &Handle, store: &Store, drain: &AtomicBool, ends: &[Arc<AtomicBool>]) {
    let (mut seen, mut troubled) = (0, false);
    let over = || ends.iter().any(|end| end.load(Ordering::SeqCst));
    while !over() {
        let draining = drain.load(Ordering::SeqCst);
        let mut rest = LOOK_FOR_MESSAGES;
        match network.block_on(worker.tick(MESSAGES_MAX)) {
            Ok(tally) if tally.closed => return,
            Ok(tally) if tally.rest.is_none_or(|rest| rest.is_zero()) && tally.sent + tally.unsent > 0 => continue,
            Ok(tally) => {
                troubled = false;
                rest = tally.rest.map_or(rest, |wait| wait.min(rest));
                // What cannot go in a moment waits for the next start.
                if draining && tally.sent == 0 && tally.rest.is_none_or(|wait| wait > LAST_WAIT) {
                    return;
                }
            }
            Err(error) if !troubled => {
                troubled = true;
                tracing::warn!(%error, "messages wait: the outbox cannot be written");
            }
            Err(_) => {}
        }
        seen = store.wait_for_facts(seen, rest);
    }
}

/// Hands the engine everybody's alerts where somebody changed one, in this process or in another.
fn tell_alerts(reader: &Reader, seen: &mut Option<u64>, queue: &Sender<EngineMessage>) {
    // Counted before they are read: what changes in between is counted again.
    let Ok(changes) = reader.alert_changes() else { return };
    if *seen != Some(changes)
        && let Ok(alerts) = reader.open_alerts()
    {
        // A queue without an engine has nobody to look.
        let _ = queue.send(EngineMessage::Alerts(alerts));
        *seen = Some(changes);
    }
}

/// Answers what other processes put into the inbox, and has the engine look at what they confirmed, until `stop` is dropped.
pub(super) fn serve_inbox(
    chat: &Chat,
    people: &[Person],
    store: &Store,
    clock: &dyn Clock,
    queue: &Sender<EngineMessage>,
    stop: &Receiver<()>,
) {
    // Whoever types there gets the figures written by the process that asked.
    let chat = chat.plain();
    let (mut reader, mut changes) = (None, None);
    while stop.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        if reader.is_none() {
            reader = Reader::open(store.path()).ok();
        }
        let Some(open) = &reader else { continue };
        if matches!(open.confirmed_control(), Ok(Some(_))) {
            // A queue without an engine has nobody to look.
            let _ = queue.send(EngineMessage::Look);
        }
        tell_alerts(open, &mut changes, queue);
        for row in open.unanswered(PREVIEW).unwrap_or_default() {
            let preview = serde_json::from_str(&row.text).map_err(|error| error.to_string());
            let preview = preview.and_then(|change| chat.ask_engine(&change, &row.person));
            let reply = serde_json::to_string(&preview).unwrap_or_default();
            if let Err(error) = store.answer(row.id, &reply, clock.now()) {
                tracing::warn!(%error, "a preview could not be stored");
            }
        }
        for row in open.unanswered(SHELL).unwrap_or_default() {
            let person = people.iter().find(|person| person.name == row.person);
            let reply = match person {
                None => "nobody of that name may ask".to_owned(),
                Some(person) => {
                    let inbound = Inbound {
                        person: person.clone(),
                        place: Place::Machine,
                        chat: row.channel.clone(),
                        text: row.text.clone(),
                    };
                    match chat.handle(&inbound) {
                        Reply::Text(text) | Reply::Refused(text) | Reply::Failed { what: text, .. } => text,
                        Reply::Message(message) => message.plain_lines().join("\n"),
                        Reply::Admitted { .. } => "recorded".to_owned(),
                        Reply::Confirm { .. } | Reply::NeedsPin => "that needs your PIN".to_owned(),
                    }
                }
            };
            if let Err(error) = store.answer(row.id, &reply, clock.now()) {
                tracing::warn!(%error, "an answer could not be stored");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Role;
    use crate::domain::Style;

    #[test]
    fn what_would_be_done_is_told_of_the_books_of_whoever_asks() {
        let name = |text: &str| text.parse::<Label>().expect("a name");
        let trial = |book, rule: &str| Trial {
            book: name(book),
            strategy: name("rsi"),
            symbol: "AAPL".parse().expect("a symbol"),
            rule: rule.to_owned(),
            order: Some((crate::domain::Side::Buy, crate::domain::Quantity::whole(3), crate::domain::Price::whole(7))),
            refusals: Vec::new(),
        };
        let trials = [trial("main", "one"), trial("zeta", "two")];
        let person =
            |books| Person { name: "bo".to_owned(), role: Role::Viewer, zone: None, books, style: Style::default() };
        let own = trial_words(&trials, &person(Some(vec![name("main")])));
        assert!(own.contains("one") && !own.contains("two") && own.contains("of 1 looked at"), "{own}");
        assert!(trial_words(&trials, &person(None)).contains("two"));
    }
}
