//! What happens with a line? Access, table, answer; a control goes to the desk and waits there for its PIN.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;

use crate::clock::{Clock, Timestamp};
use crate::control::{ChangeDesk, Control, DeskError, ShownOn, VALID_MS, check_strength};
use crate::domain::format::time;
use crate::domain::{EventKind, Message, Style};
use crate::store::{Store, StoreError};
use crate::views::{Asker as Viewer, ViewError, Views, book_preview, resume_preview, unlock_preview};

use super::access::{Person, Role, may};
use super::command::{ArgError, Question, Run};
use super::parse::parse;
use super::seat::Place;

/// How long a shown change can be confirmed, in seconds, as people are told it.
pub const CONFIRM_S: i64 = VALID_MS / 1000;

/// Something that somebody typed, from any channel.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// Who.
    pub person: Person,
    /// Where they sit.
    pub place: Place,
    /// In which chat; a change is confirmed where it was shown.
    pub chat: String,
    /// What.
    pub text: String,
}

impl Inbound {
    /// Who asks, as views know them.
    pub fn asker(&self) -> Viewer {
        let channel = self.chat.split(':').next().and_then(|name| name.parse().ok());
        Viewer { channel, ..self.person.asker(self.place) }
    }
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// An answer.
    Text(String),
    /// An answer with a picture or a file.
    Message(Box<Message>),
    /// It was typed in a way that means nothing, or is not allowed.
    Refused(String),
    /// A change as it would be; the PIN is asked for next.
    Confirm {
        /// Its row at the desk.
        id: i64,
        /// What it would do.
        preview: String,
    },
    /// It was understood and cannot be answered.
    Failed {
        /// Why.
        what: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The person has no PIN yet, so nothing can be confirmed.
    NeedsPin,
    /// A change that needed no PIN was handed to the engine.
    Admitted {
        /// Its row at the desk.
        id: i64,
    },
}

impl Reply {
    /// The same for a reader of this style. What is said of typed text stays as it was typed, and so does what is to be typed.
    fn styled(self, style: Style) -> Self {
        match self {
            Self::Text(text) => Self::Text(written(&text, style)),
            Self::Message(message) => Self::Message(Box::new(message.styled(style))),
            Self::Confirm { id, preview } => Self::Confirm { id, preview: written(&preview, style) },
            Self::Refused(_) | Self::Failed { .. } | Self::NeedsPin | Self::Admitted { .. } => self,
        }
    }
}

/// A text in this style, but for what stands between two backticks.
fn written(text: &str, style: Style) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(place, part)| if place % 2 == 0 { style.apply(part) } else { Cow::Borrowed(part) });
    parts.collect::<Vec<_>>().join("`")
}

/// Puts a question of somebody to the running engine, or to whoever draws, and waits for the answer.
pub type Asker = Arc<dyn Fn(&Inbound, Question) -> Reply + Send + Sync>;

/// Sends a drill on every way for somebody, and says where they learn what became of it.
pub type Driller = Arc<dyn Fn(&Inbound) -> Result<String, StoreError> + Send + Sync>;

/// What a chat is made of.
#[derive(Clone)]
pub struct ChatParts {
    /// Where the store is.
    pub database: PathBuf,
    /// The store, for what people change of their own.
    pub store: Store,
    /// The desk.
    pub desk: ChangeDesk,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The way to the engine; an error text where none runs.
    pub ask: Asker,
    /// Tells the engine to look at the desk.
    pub wake: Arc<dyn Fn() + Send + Sync>,
    /// Records a fact that everybody is to be told.
    pub alarm: Arc<dyn Fn(EventKind) + Send + Sync>,
    /// Sends a drill on every way.
    pub drill: Driller,
}

/// Answers lines.
#[derive(Clone)]
pub struct Chat {
    pub(super) parts: ChatParts,
}

impl Chat {
    /// A chat of these parts.
    pub fn new(parts: ChatParts) -> Self {
        Self { parts }
    }

    /// The same chat, asked by an update of the inbox: what it changes is changed once for that update.
    #[must_use]
    pub fn caused_by(&self, inbox: i64) -> Self {
        let (store, desk) = (self.parts.store.caused_by(inbox), self.parts.desk.caused_by(inbox));
        Self { parts: ChatParts { store, desk, ..self.parts.clone() } }
    }

    /// Answers one line, with figures as whoever asked wants them written.
    pub fn handle(&self, inbound: &Inbound) -> Reply {
        if let Some(reply) = read_only(inbound, &self.parts.database, self.parts.clock.now()) {
            return reply;
        }
        self.answer(inbound).unwrap_or_else(|error| told_error(&error)).styled(inbound.person.style)
    }

    fn answer(&self, inbound: &Inbound) -> Result<Reply, ArgError> {
        let parsed = parse(&inbound.text)?;
        let question = match &parsed.command.run {
            Run::Ask(run) => Some(run(&parsed.args)?),
            Run::ViewOrAsk(_, asks) => asks(&parsed.args)?,
            Run::Control(run) => return self.control(inbound, &run(&parsed.args)?),
            Run::Personal(run) => return self.personal(inbound, run(&parsed.args)?).map(Reply::Text),
            Run::Text(_) | Run::View(_) | Run::ViewOrFile(..) => None,
        };
        let answered = question.map(|question| (self.parts.ask)(inbound, question));
        Ok(answered.unwrap_or_else(|| Reply::Refused("read-only commands are answered before".to_owned())))
    }

    pub(super) fn views(&self, inbound: &Inbound) -> Result<Views, ViewError> {
        Views::open(&self.parts.database, inbound.asker(), self.parts.clock.now())
    }

    fn control(&self, inbound: &Inbound, control: &Control) -> Result<Reply, ArgError> {
        let person = &inbound.person.name;
        let desk = self.parts.desk.within(inbound.person.books.clone());
        if control.is_safe() {
            let admitted = desk.admit_safe(control, person, &inbound.chat);
            (self.parts.wake)();
            return Ok(admitted.map_or_else(|error| told(&error), |id| Reply::Admitted { id }));
        }
        let views = self.views(inbound)?;
        let mut control = control.clone();
        let preview = match &mut control {
            Control::Halt => return Ok(Reply::Refused("/halt needs no preview".to_owned())),
            Control::Resume => resume_preview(&views)?,
            Control::Unlock { symbol } => unlock_preview(&views, *symbol)?,
            Control::Book { action, book } => {
                let (meant, preview) = book_preview(&views, *action, *book)?;
                *book = Some(meant);
                preview
            }
        };
        let shown_on = shown_on(&views)?;
        Ok(match desk.show(&control, person, &inbound.chat, &shown_on) {
            Ok(shown) => Reply::Confirm { id: shown.id, preview },
            Err(DeskError::NoPin(_)) => Reply::NeedsPin,
            Err(error @ DeskError::Locked { .. }) => Reply::Refused(self.not_done(inbound, &error)),
            Err(error) => told(&error),
        })
    }

    /// Why a change was not done, with times as whoever asked reads them.
    pub fn not_done(&self, inbound: &Inbound, error: &DeskError) -> String {
        match error {
            DeskError::Locked { until, .. } => {
                let zone = self.views(inbound).and_then(|views| views.zone()).unwrap_or_default();
                format!("Not done: the PIN is locked until {}", time(*until, zone))
            }
            DeskError::Wrong { .. } | DeskError::WrongCode { .. } | DeskError::NothingShown => {
                format!("Not done: {error}. Ask again to go on")
            }
            error => format!("Not done: {error}"),
        }
    }

    /// Takes the PIN for a change that was shown in this chat. It goes to the desk and nowhere else.
    ///
    /// # Errors
    /// In words, for each way in which it is not confirmed.
    pub fn confirm(&self, inbound: &Inbound, id: i64, pin: &SecretString) -> Result<(), DeskError> {
        let person = &inbound.person.name;
        // Who may change what is judged by what holds now, not when it was shown.
        if inbound.person.role == Role::Viewer || matches!(inbound.place, Place::Group { .. }) {
            return Err(DeskError::NotYours);
        }
        let desk = self.parts.desk.within(inbound.person.books.clone());
        let confirmed = desk.confirm(id, person, &inbound.chat, pin);
        self.tell_lock(person, &confirmed);
        confirmed?;
        (self.parts.wake)();
        Ok(())
    }

    /// Draws a code for a change that was just shown in this chat, to be sent to the phone that the chat is on, and until when it counts.
    ///
    /// # Errors
    /// When nothing is shown there any more.
    pub fn draw_code(&self, inbound: &Inbound, id: i64) -> Result<(SecretString, Timestamp), DeskError> {
        let desk = self.parts.desk.within(inbound.person.books.clone());
        desk.draw_code(id, &inbound.person.name, &inbound.chat)
    }

    /// Takes the code that was sent to a phone for the change that was shown there; the change's row.
    ///
    /// # Errors
    /// In words, for each way in which it is not confirmed.
    pub fn confirm_by_code(&self, inbound: &Inbound, code: &SecretString) -> Result<i64, DeskError> {
        let person = &inbound.person.name;
        if inbound.person.role == Role::Viewer || inbound.place != Place::Private {
            return Err(DeskError::NotYours);
        }
        let desk = self.parts.desk.within(inbound.person.books.clone());
        let confirmed = desk.confirm_by_code(person, &inbound.chat, code);
        self.tell_lock(person, &confirmed);
        let id = confirmed?;
        (self.parts.wake)();
        Ok(id)
    }

    /// Whether a new PIN is good enough to be asked for once more.
    ///
    /// # Errors
    /// When it is weak.
    pub fn judge_pin(new: &SecretString) -> Result<(), DeskError> {
        Ok(check_strength(new)?)
    }

    /// Sets a PIN from the terminal.
    ///
    /// # Errors
    /// When it is weak, or the old one is wrong.
    pub fn set_pin(&self, person: &str, old: Option<&SecretString>, new: &SecretString) -> Result<(), DeskError> {
        let set = self.parts.desk.set_pin(person, old, new);
        self.tell_lock(person, &set);
        set
    }

    /// A PIN that this very try locked is told to everybody.
    fn tell_lock<T>(&self, person: &str, tried: &Result<T, DeskError>) {
        if let Err(DeskError::Locked { until, just_now: true }) = tried {
            (self.parts.alarm)(EventKind::PinLocked { person: person.to_owned(), until: *until });
        }
    }

    /// What became of a change, once the engine carried it out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn result_of(&self, id: i64) -> Result<Option<String>, DeskError> {
        self.parts.desk.result_of(id)
    }
}

/// The states of books and locks that a preview is shown on.
fn shown_on(views: &Views) -> Result<ShownOn, ViewError> {
    let mut shown_on = ShownOn::nothing();
    for row in views.reader().books()? {
        shown_on.add_book(row.book.name, row.state, row.since);
        for lock in row.entry_locks() {
            shown_on.add_entry_lock(row.book.name, &lock);
        }
    }
    for mark in views.reader().marks()? {
        if let Some((_, since, _)) = mark.lock {
            shown_on.add_lock(mark.symbol, since);
        }
    }
    Ok(shown_on)
}

/// Answers what needs neither the engine nor the desk: texts, views, and what is mistyped or not allowed. None for everything else.
pub fn read_only(inbound: &Inbound, database: &Path, now: Timestamp) -> Option<Reply> {
    let parsed = match parse(&inbound.text) {
        Ok(parsed) => parsed,
        Err(error) => return Some(told_error(&error)),
    };
    if let Err(why) = may(inbound.person.role, inbound.place, parsed.command) {
        return Some(Reply::Refused(why));
    }
    let open = || Views::open(database, inbound.asker(), now);
    let view = |run: fn(&Views, &[&str]) -> Result<String, ArgError>| run(&open()?, &parsed.args).map(Reply::Text);
    let answer = match &parsed.command.run {
        // Help tells what to type, which is the same for everybody.
        Run::Text(run) => return Some(run(inbound.place, &parsed.args).unwrap_or_else(|error| told_error(&error))),
        Run::View(run) => view(*run),
        Run::ViewOrFile(run, file) => match open().map_err(ArgError::from).and_then(|views| file(&views, &parsed.args))
        {
            Ok(Some(message)) => Ok(Reply::Message(Box::new(message))),
            Ok(None) => view(*run),
            Err(error) => Err(error),
        },
        Run::ViewOrAsk(run, asks) => match asks(&parsed.args) {
            Ok(Some(_)) => return None,
            Ok(None) => view(*run),
            Err(error) => Err(error),
        },
        Run::Ask(_) | Run::Control(_) | Run::Personal(_) => return None,
    };
    Some(answer.unwrap_or_else(|error| told_error(&error)).styled(inbound.person.style))
}

/// What a person sees never tells of internals.
fn told_error(error: &ArgError) -> Reply {
    match error {
        ArgError::Usage(text) => Reply::Refused(text.clone()),
        ArgError::View(ViewError::Nothing(text)) => Reply::Text(text.clone()),
        ArgError::View(ViewError::Amount(error)) => {
            Reply::Failed { what: format!("no answer now: {error}"), hint: None }
        }
        ArgError::View(ViewError::Store(error)) => {
            Reply::Failed { what: format!("no answer now: {error}"), hint: error.hint().map(str::to_owned) }
        }
    }
}

fn told(error: &DeskError) -> Reply {
    let hint = match error {
        DeskError::Store(error) => error.hint().map(str::to_owned),
        _ => None,
    };
    Reply::Failed { what: error.to_string(), hint }
}
