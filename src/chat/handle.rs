//! What happens with a line? Access, table, answer; a control goes to the desk and waits there for its PIN.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono_tz::Tz;
use secrecy::SecretString;

use crate::clock::{Clock, Timestamp};
use crate::control::{Change, ChangeDesk, Control, DeskError, Factors, Taken, Tier, check_strength};
use crate::domain::format::time;
use crate::domain::when::clause;
use crate::domain::{BookAction, Message, Preview, Style};
use crate::store::{Store, StoreError};
use crate::views::{
    Asker as Viewer, ViewError, Views, book_names, book_preview, preview_words, resume_preview, unlock_preview,
};

use super::access::{Person, may};
use super::arguments::with_for;
use super::choices::choices;
use super::command::{ArgError, Asked, ControlFn, Question, Run, Wish};
use super::params::What;
use super::parse::{Parsed, parse};
use super::seat::Place;
use super::settings::style_of;

/// What is said of a change of the gravest tier before it is confirmed.
const FOR_GOOD: &str = "This cannot be taken back: /undo does not reach it.";

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

/// Asks the engine what a change of this person would do; in words why it is not possible.
pub type Previewer = Arc<dyn Fn(&Change, &str) -> Result<Preview, String> + Send + Sync>;

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
    /// What the engine says that a change would do, asked for by this person; why it is not possible.
    pub preview: Previewer,
    /// Tells the engine to look at the desk.
    pub wake: Arc<dyn Fn() + Send + Sync>,
    /// Sends a drill on every way.
    pub drill: Driller,
}

/// Answers lines.
#[derive(Clone)]
pub struct Chat {
    pub(super) parts: ChatParts,
    /// Answers are written for their reader by whoever asked.
    pub(super) is_plain: bool,
}

impl Chat {
    /// A chat of these parts.
    pub fn new(parts: ChatParts) -> Self {
        Self { parts, is_plain: false }
    }

    /// The same chat, asked by an update of the inbox: what it changes is changed once for that update.
    #[must_use]
    pub fn caused_by(&self, inbox: i64) -> Self {
        let (store, desk) = (self.parts.store.caused_by(inbox), self.parts.desk.caused_by(inbox));
        Self { parts: ChatParts { store, desk, ..self.parts.clone() }, ..self.clone() }
    }

    /// Answers one line, with figures as whoever asked wants them written.
    pub fn handle(&self, inbound: &Inbound) -> Reply {
        if let Some(reply) = read_only(inbound, &self.parts.database, self.parts.clock.now()) {
            return reply;
        }
        self.answer(inbound).unwrap_or_else(|error| told_error(&error)).styled(self.style_of(&inbound.person))
    }

    fn answer(&self, inbound: &Inbound) -> Result<Reply, ArgError> {
        let parsed = parse(&inbound.text)?;
        let question = match &parsed.command.run {
            Run::Ask(run) => Some(run(&parsed.args)?),
            Run::ViewOrAsk(_, asks) => asks(&parsed.args)?,
            Run::Control(run) => return self.control(inbound, &parsed, *run),
            Run::Desk(run) => return Ok(self.at_desk(inbound, run(&parsed.args)?)),
            Run::Personal(run) => return self.personal(inbound, run(&parsed.args)?),
            Run::Text(_) | Run::View(_) | Run::ViewOrFile(..) => None,
        };
        let answered = question.map(|question| (self.parts.ask)(inbound, question));
        Ok(answered.unwrap_or_else(|| Reply::Refused("read-only commands are answered before".to_owned())))
    }

    pub(super) fn views(&self, inbound: &Inbound) -> Result<Views, ViewError> {
        Views::open(&self.parts.database, inbound.asker(), self.parts.clock.now())
    }

    /// Shows a change to whoever wishes for it, or hands it on where it needs no PIN.
    fn control(&self, inbound: &Inbound, parsed: &Parsed<'_>, run: ControlFn) -> Result<Reply, ArgError> {
        let wish = self.wished(inbound, parsed, run)?;
        if wish.control.is_safe() {
            let admitted = self.desk(inbound).admit_safe(&wish.control, &inbound.person.name, &inbound.chat);
            (self.parts.wake)();
            return Ok(admitted.map_or_else(|error| told(&error), |id| Reply::Admitted { id }));
        }
        self.offer(inbound, wish)
    }

    /// What somebody wishes for, as they typed it.
    pub(super) fn wished(&self, inbound: &Inbound, parsed: &Parsed<'_>, run: ControlFn) -> Result<Wish, ArgError> {
        let (now, zone) = self.time_of(inbound);
        let timed = parsed.command.params.iter().any(|param| param.what == What::Until);
        let books = || book_names(&self.views(inbound)?);
        let args = if timed { with_for(parsed, books) } else { parsed.args.clone() };
        let (args, until) = if timed { clause(&args, now, zone)? } else { (args, None) };
        run(&Asked { args: &args, until: until.map(|until| until.at), now, zone })
    }

    /// Shows what a change would do, to be confirmed.
    pub(super) fn offer(&self, inbound: &Inbound, wish: Wish) -> Result<Reply, ArgError> {
        let desk = self.desk(inbound);
        let change = self.change(inbound, wish)?;
        let (change, preview) = self.preview(inbound, change)?;
        let (_, zone) = self.time_of(inbound);
        Ok(match desk.show(&change, &inbound.person.name, &inbound.chat, &preview) {
            Ok(shown) => Reply::Confirm { id: shown.id, preview: preview_words(&preview, zone) },
            Err(DeskError::NoPin(_)) => Reply::NeedsPin,
            Err(error @ DeskError::Locked { .. }) => Reply::Refused(self.not_done(inbound, &error)),
            Err(error) => told(&error),
        })
    }

    /// The change that is wished for, in the books that whoever wishes may change.
    pub(super) fn change(&self, inbound: &Inbound, wish: Wish) -> Result<Change, ArgError> {
        let Wish { control, book } = wish;
        let named = book.map(|book| book.to_string()).unwrap_or_default();
        let change = self.desk(inbound).change(control, book);
        change.map_err(|_| ArgError::Usage(format!("there is no book {named}; /books lists what there is")))
    }

    /// The market's time, and the zone in which whoever asks reads it.
    pub(super) fn time_of(&self, inbound: &Inbound) -> (Timestamp, Tz) {
        let views = self.views(inbound);
        let zone = views.as_ref().ok().and_then(|views| views.zone().ok()).unwrap_or_default();
        let market = views.ok().and_then(|views| views.reader().progress().ok().flatten());
        (market.map_or_else(|| self.parts.clock.now(), |progress| progress.market), zone)
    }

    /// What a change would do, with the book that is meant: of states by what is stored, of everything else by the engine.
    pub(super) fn preview(&self, inbound: &Inbound, mut change: Change) -> Result<(Change, Preview), ArgError> {
        let views = self.views(inbound)?;
        let mut shown = Preview { basis: basis(&views)?, ..Preview::default() };
        let words = match &mut change.control {
            Control::Resume => {
                let (books, words) = resume_preview(&views)?;
                for book in books {
                    shown.add_resume(book);
                }
                words
            }
            Control::Unlock { symbol } => {
                let (doubted, words) = unlock_preview(&views, *symbol)?;
                if !doubted {
                    shown.basis.retain(|line| !line.starts_with("lock "));
                }
                words
            }
            Control::Book { action, book } => {
                let (meant, words) = book_preview(&views, *action, *book)?;
                *book = Some(meant);
                words
            }
            _ => {
                let preview = (self.parts.preview)(&change, &inbound.person.name);
                return preview.map(|preview| (change, preview)).map_err(|why| ViewError::Nothing(why).into());
            }
        };
        let words = if change.control.tier() == Tier::Grave { format!("{words}\n{FOR_GOOD}") } else { words };
        if let Control::Book { action: BookAction::Stop, .. } = &change.control {
            let planned = self.ask_engine(&change, &inbound.person.name).map_err(ViewError::Nothing)?;
            shown = Preview { basis: shown.basis, ..planned };
        }
        shown.notes.splice(0..0, Preview::of_words(&words).notes);
        Ok((change, shown))
    }

    /// What the engine says that a change would do.
    ///
    /// # Errors
    /// In words why it is not possible.
    pub fn ask_engine(&self, change: &Change, person: &str) -> Result<Preview, String> {
        (self.parts.preview)(change, person)
    }

    /// Why a change was not done, with times as whoever asked reads them.
    pub fn not_done(&self, inbound: &Inbound, error: &DeskError) -> String {
        match error {
            DeskError::Locked { until, .. } => {
                let zone = self.views(inbound).and_then(|views| views.zone()).unwrap_or_default();
                format!("Not done: the PIN is locked until {}", time(*until, zone))
            }
            DeskError::TooOften { until } => {
                let zone = self.views(inbound).and_then(|views| views.zone()).unwrap_or_default();
                let until = time(*until, zone);
                format!(
                    "Not done: a new PIN counts as a try at the PIN, and there were too many. Ask again at {until}; the PIN that you have goes on"
                )
            }
            DeskError::Wrong { .. }
            | DeskError::WrongFactors { .. }
            | DeskError::WrongCode { .. }
            | DeskError::NothingShown => {
                format!("Not done: {error}. Ask again to go on")
            }
            error => format!("Not done: {error}"),
        }
    }

    /// Takes the PIN for a change that was shown in this chat. It goes to the desk and nowhere else.
    ///
    /// # Errors
    /// In words, for each way in which it is not confirmed.
    pub fn confirm(&self, inbound: &Inbound, id: i64, pin: &SecretString) -> Result<Taken, DeskError> {
        let person = &inbound.person.name;
        Self::may_confirm(inbound)?;
        let taken = self.desk(inbound).confirm(id, person, &inbound.chat, pin)?;
        (self.parts.wake)();
        Ok(taken)
    }

    /// Draws a code for a change that was just shown in this chat, to be sent to the phone that the chat is on, and until when it counts.
    ///
    /// # Errors
    /// When nothing is shown there any more.
    pub fn draw_code(&self, inbound: &Inbound, id: i64) -> Result<(SecretString, Timestamp), DeskError> {
        self.desk(inbound).draw_code(id, &inbound.person.name, &inbound.chat)
    }

    /// Takes the code that was sent to a phone for the change that was shown there.
    ///
    /// # Errors
    /// In words, for each way in which it is not confirmed.
    pub fn confirm_by_code(&self, inbound: &Inbound, code: &SecretString) -> Result<Taken, DeskError> {
        let person = &inbound.person.name;
        Self::may_confirm(inbound)?;
        if inbound.place != Place::Private {
            return Err(DeskError::NotYours);
        }
        let taken = self.desk(inbound).confirm_by_code(person, &inbound.chat, code)?;
        (self.parts.wake)();
        Ok(taken)
    }

    /// Whether a new PIN is good enough to be asked for once more.
    ///
    /// # Errors
    /// When it is weak.
    pub fn judge_pin(new: &SecretString) -> Result<(), DeskError> {
        Ok(check_strength(new)?)
    }

    /// Sets a PIN from the terminal, by what the person holds.
    ///
    /// # Errors
    /// When it is weak, or what they hold is wrong.
    pub fn set_pin(&self, person: &str, old: Option<&SecretString>, new: &SecretString) -> Result<(), DeskError> {
        self.parts.desk.set_pin(person, old, new)
    }

    /// What a person holds that they prove who they are by, before a PIN of theirs is set.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn held(&self, person: &str) -> Result<Option<Factors>, DeskError> {
        self.parts.desk.held(person)
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
fn basis(views: &Views) -> Result<Vec<String>, ViewError> {
    let mut shown = Preview::default();
    for row in views.reader().books()? {
        shown.add_book(row.book.name, row.state, row.since);
        let (parked, until) = row.parked();
        shown.add_pause(row.book.name, parked.as_ref(), until);
        for lock in row.entry_locks() {
            shown.add_entry_lock(row.book.name, &lock);
        }
    }
    shown.add_entries(&views.reader().open_orders()?);
    for mark in views.reader().marks()? {
        if let Some((_, since, _)) = mark.lock {
            shown.add_lock(mark.symbol, since);
        }
    }
    Ok(shown.basis)
}

/// Answers what needs neither the engine nor the desk: texts, views, and what is mistyped or not allowed. None for everything else.
pub fn read_only(inbound: &Inbound, database: &Path, now: Timestamp) -> Option<Reply> {
    let parsed = match parse(&inbound.text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let offered = offered(inbound, database, now).map(|message| Reply::Message(Box::new(message)));
            return Some(offered.unwrap_or_else(|| told_error(&error)).styled(style_of(&inbound.person, database)));
        }
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
        Run::Ask(_) | Run::Control(_) | Run::Desk(_) | Run::Personal(_) => return None,
    };
    Some(answer.unwrap_or_else(|error| told_error(&error)).styled(style_of(&inbound.person, database)))
}

/// What can be chosen where a line is not whole. Without it the line is refused as it is, so no error matters here.
fn offered(inbound: &Inbound, database: &Path, now: Timestamp) -> Option<Message> {
    let views = Views::open(database, inbound.asker(), now).ok()?;
    choices(inbound, &views).ok().flatten()
}

/// What a person sees never tells of internals.
pub(super) fn told_error(error: &ArgError) -> Reply {
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

pub(super) fn told(error: &DeskError) -> Reply {
    let hint = match error {
        DeskError::Store(error) => error.hint().map(str::to_owned),
        _ => None,
    };
    Reply::Failed { what: error.to_string(), hint }
}
