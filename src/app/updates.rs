//! What is done about an update? Who it is comes first, then what it says; its answers and the word that it is handled are one transaction.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;

use crate::channels::{RemoteId, Telegram};
use crate::chat::{Inbound, PadKey, Place, Seat, is_safe, pad, pad_done, pad_key};
use crate::clock::Clock;
use crate::domain::format::age;
use crate::domain::{Block, ChannelKind, Lane, Line, Message, Span};
use crate::store::{Answer, InboxRow, Reader, Store, StoreError};

use super::binding::{Caller, Door, Tried};
use super::conversation::{Conversation, Handled, OLD_MS, Said, says_seen};
use super::letter::{Kept, Letter, What, is_command};
use super::pairing::code_in;
use super::rounds::{in_order, rounds_until};
use super::telegram::{Shared, TELEGRAM, chat_key};

/// What is said of digits where no prompt waits for any.
const UNASKED: &str = "Nothing asks for a PIN here. Your message is removed, in case it was one";

/// Handles what Telegram brings.
pub(super) struct Handler {
    pub(super) talk: Conversation,
    pub(super) door: Door,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) shared: Shared,
    pub(super) telegram: Telegram,
    pub(super) network: Handle,
    /// A group has another number.
    pub(super) moved: Arc<dyn Fn(i64, i64) -> Result<(), StoreError> + Send + Sync>,
    /// Somebody wrote from where this lane leads.
    pub(super) heard: Arc<dyn Fn(Lane) + Send + Sync>,
}

impl Handler {
    /// Handles updates in the order of their rows until `stop` is dropped.
    pub(super) fn serve(self, stop: &Receiver<()>) {
        rounds_until(&self.store, stop, |reader| {
            self.end_prompts();
            in_order(reader, TELEGRAM, |row| self.take(row))
        });
    }

    /// Prompts that nobody answered say so from then on.
    fn end_prompts(&self) {
        let now = self.clock.now();
        for id in self.shared.pads.expired(now) {
            let over = self
                .pad_says(id, "That prompt is over: ask again")
                .map(|over| over.map(|over| self.store.post(over, now)));
            if let Err(error) | Ok(Some(Err(error))) = over {
                tracing::debug!(%error, "a prompt that is over stays");
            }
        }
    }

    /// The message with the pad of a prompt says this from now on; none if nobody knows where it stands.
    fn pad_says(&self, id: i64, text: &str) -> Result<Option<Answer>, StoreError> {
        let place = Reader::open(self.store.path())?.answer_with(&pad_done(id))?;
        Ok(place.map(|(lane, message)| edit(lane, message, text)))
    }

    fn take(&self, row: &InboxRow) -> Result<(), StoreError> {
        let handled = match serde_json::from_str::<Letter>(&row.body) {
            Ok(letter) => self.handle(row, &letter)?,
            Err(error) => {
                tracing::error!(%error, row = row.id, "an update that nobody can read is left");
                Handled::nothing()
            }
        };
        self.store.points().pass("update: done, not answered")?;
        self.store.finish(row.id, &handled.person, handled.answers, self.clock.now())
    }

    fn handle(&self, row: &InboxRow, letter: &Letter) -> Result<Handled, StoreError> {
        if let What::Moved { from, to } = letter.what {
            (self.moved)(from, to)?;
            return Ok(Handled::nothing());
        }
        let secret = self.secret(row);
        if letter.own_words
            && letter.private
            && let Some(code) = secret.as_ref().and_then(|text| code_in(text.expose_secret()))
        {
            return self.pair(row, letter, &code);
        }
        let Some(seat) = self.shared.seats().find(ChannelKind::Telegram, letter.user, letter.chat) else {
            self.door.knocked(letter.user, false)?;
            return Ok(Handled::nothing());
        };
        (self.heard)(seat.lane);
        let answers = match letter.what {
            What::File | What::Edited if letter.kept == Kept::Halts => self.run(row, letter, &seat, &row.text),
            What::Message => self.message(row, letter, &seat, secret)?,
            What::Press => self.press(row, letter, &seat, secret)?,
            // What has no text was moved, not edited: a place that is shared while somebody walks.
            What::Edited if letter.private && (letter.kept == Kept::LeftOut || !row.text.is_empty()) => {
                vec![answer(letter, &seat, "An edited message is not read again: send it anew")]
            }
            What::File if letter.private => {
                vec![answer(letter, &seat, "Files are not read here; commands are text, see /help")]
            }
            What::Edited | What::File | What::Other | What::Moved { .. } => Vec::new(),
        };
        Ok(Handled::by(&seat, answers))
    }

    /// A message may have been repeated by Telegram and its secret taken by then.
    fn secret(&self, row: &InboxRow) -> Option<SecretString> {
        let reader = Reader::open(self.store.path()).ok()?;
        let key = reader.update_key(row.id).ok().flatten()?;
        self.shared.secret(&key)
    }

    fn message(
        &self,
        row: &InboxRow,
        letter: &Letter,
        seat: &Seat,
        secret: Option<SecretString>,
    ) -> Result<Vec<Answer>, StoreError> {
        let say = |text: &str| Ok(vec![answer(letter, seat, text)]);
        if !letter.own_words {
            return if letter.private {
                say("What others wrote is no command of yours: type it yourself")
            } else {
                Ok(Vec::new())
            };
        }
        if letter.kept == Kept::LeftOut {
            return self.typed_secret(row, letter, seat, secret);
        }
        let text = row.text.trim();
        let acks = !matches!(seat.place, Place::Group { acks: false, .. });
        if acks && let Some(notice) = self.answered_notice(letter, seat, text)? {
            return Ok(self.run(row, letter, seat, &format!("/ack {notice}")));
        }
        if !letter.private && !is_command(text) {
            // People talk with each other there.
            return Ok(Vec::new());
        }
        let old = self.clock.now().ms() - letter.sent;
        if old > OLD_MS && letter.kept != Kept::Halts {
            return say(&format!(
                "That was sent {} ago, so it was not done: send it again if it still holds",
                age(old)
            ));
        }
        Ok(self.run(row, letter, seat, text))
    }

    /// The notice that somebody says they have seen, by an answer to its message.
    fn answered_notice(
        &self,
        letter: &Letter,
        seat: &Seat,
        text: &str,
    ) -> Result<Option<crate::domain::NoticeId>, StoreError> {
        match letter.reply_to.filter(|_| says_seen(text)) {
            Some(message) => Reader::open(self.store.path())?.notice_of(seat.lane, &message.to_string()),
            None => Ok(None),
        }
    }

    /// Digits, where a PIN is asked for or not.
    fn typed_secret(
        &self,
        row: &InboxRow,
        letter: &Letter,
        seat: &Seat,
        secret: Option<SecretString>,
    ) -> Result<Vec<Answer>, StoreError> {
        let say = |text: &str| Ok(vec![answer(letter, seat, text)]);
        if !letter.private {
            return say("That may be a PIN, and others can read it here: remove it, and change the PIN if it is one");
        }
        let chat = chat_key(letter.chat);
        let waiting = self.shared.pads.waiting(&chat, self.clock.now());
        match (waiting, secret) {
            (_, None) => {
                // It may have been taken before.
                let inbound = Self::inbound(letter, seat, &row.text);
                let Some((id, begun)) = self.talk.chat.begun_at(&inbound, row.received)? else { return say(UNASKED) };
                self.tells(letter, seat, id, self.talk.begun(&inbound, begun))
            }
            (None, Some(_)) => say(UNASKED),
            (Some(id), Some(typed)) => {
                let digits: String = typed.expose_secret().chars().filter(char::is_ascii_digit).collect();
                let own: usize = typed.expose_secret().chars().filter(|character| !character.is_whitespace()).count();
                self.shared.pads.close(id);
                let told = if digits.len() == own {
                    self.talk.confirm(&Self::inbound(letter, seat, &row.text), id, &SecretString::from(digits))
                } else {
                    ("A PIN has digits only: ask again, and send nothing else with it".to_owned(), None)
                };
                self.tells(letter, seat, id, told)
            }
        }
    }

    /// What came of what was typed for a prompt, where its pad stands, and what is said next.
    fn tells(
        &self,
        letter: &Letter,
        seat: &Seat,
        prompt: i64,
        (words, next): (String, Option<Said>),
    ) -> Result<Vec<Answer>, StoreError> {
        let said = self.pad_says(prompt, &words)?.unwrap_or_else(|| answer(letter, seat, &words));
        Ok(std::iter::once(said).chain(next.map(|next| self.saying(letter, seat, next))).collect())
    }

    fn press(
        &self,
        row: &InboxRow,
        letter: &Letter,
        seat: &Seat,
        secret: Option<SecretString>,
    ) -> Result<Vec<Answer>, StoreError> {
        let line = Reader::open(self.store.path())?.button(&letter.token, seat.lane)?;
        let Some(line) = line else {
            if letter.private {
                self.bare(letter);
            }
            return Ok(Vec::new());
        };
        if let Some((id, key)) = pad_key(&line) {
            let inbound = Self::inbound(letter, seat, &row.text);
            let (words, next) = match secret {
                Some(pin) => self.talk.confirm(&inbound, id, &pin),
                None if key == PadKey::Leave => ("Left as it is".to_owned(), None),
                // It may have been taken before.
                None => self.talk.begun(&inbound, self.talk.chat.begun(&inbound, id)?),
            };
            let next = next.map(|next| self.saying(letter, seat, next));
            return Ok(std::iter::once(edited(letter, seat, &words)).chain(next).collect());
        }
        let old = self.clock.now().ms() - letter.sent;
        if old > OLD_MS && !is_safe(&line) {
            let words = format!("That button was pressed up to {} ago, so it was not done: press it again", age(old));
            return Ok(vec![answer(letter, seat, &words)]);
        }
        Ok(self.run(row, letter, seat, &line))
    }

    /// Takes the buttons off a message whose time is over.
    fn bare(&self, letter: &Letter) {
        let (telegram, at) = (self.telegram.clone(), RemoteId { chat: letter.chat, message: letter.message });
        self.network.spawn(async move {
            if let Err(error) = telegram.edit_keyboard(at, &[]).await {
                tracing::debug!(%error, "old buttons stay");
            }
        });
    }

    fn inbound(letter: &Letter, seat: &Seat, text: &str) -> Inbound {
        Inbound { person: seat.person.clone(), place: seat.place, chat: chat_key(letter.chat), text: text.to_owned() }
    }

    fn run(&self, row: &InboxRow, letter: &Letter, seat: &Seat, text: &str) -> Vec<Answer> {
        let said = self.talk.run(row.id, &Self::inbound(letter, seat, text));
        vec![self.saying(letter, seat, said)]
    }

    /// As it is said here: a prompt with a pad that takes what it asks for.
    fn saying(&self, letter: &Letter, seat: &Seat, said: Said) -> Answer {
        let (id, preview, ask) = match said {
            Said::Message(message) => return replying(letter, seat, message),
            Said::Prompt { id, preview, ask } => (id, preview, ask),
        };
        let now = self.clock.now();
        self.shared.pads.open(id, &chat_key(letter.chat), now.plus_ms(ask.valid_s * 1000), now);
        let mut message = Message::answer(&preview);
        let valid =
            format!("Valid for {} s, for you, here. Press {ask}, or type it: it is removed at once", ask.valid_s);
        message.blocks.push(Block::Line(valid.into()));
        message.buttons = pad(id);
        message.protect = true;
        replying(letter, seat, message)
    }

    /// A code came.
    fn pair(&self, row: &InboxRow, letter: &Letter, code: &str) -> Result<Handled, StoreError> {
        let seat = self.shared.seats().find(ChannelKind::Telegram, letter.user, letter.chat);
        if let (Some(seat), true) = (&seat, code.is_empty()) {
            return Ok(Handled::by(seat, self.run(row, letter, seat, "/pair")));
        }
        let caller = Caller { user: letter.user, chat: letter.chat, name: &letter.name };
        Ok(match (self.door.pair(row.id, &caller, seat.as_ref(), code)?, seat) {
            (Tried::Paired(handled), _) => handled,
            (Tried::NotValid(words), Some(seat)) => Handled::by(&seat, vec![answer(letter, &seat, words)]),
            (Tried::NotValid(_) | Tried::Nothing, _) => Handled::nothing(),
        })
    }
}

/// Plain words in answer to a message.
fn answer(letter: &Letter, seat: &Seat, text: &str) -> Answer {
    replying(letter, seat, Message::answer(text))
}

/// In a group an answer belongs to its question; in a private chat it simply comes next.
fn replying(letter: &Letter, seat: &Seat, message: Message) -> Answer {
    let to = match letter.thread {
        Some(thread) => format!("{}@{thread}", letter.message),
        None => letter.message.to_string(),
    };
    let reply_to = matches!(seat.place, Place::Group { .. }).then_some(to);
    Answer { reply_to, ..Answer::new(seat.lane, message) }
}

/// The message with the buttons says this from now on, and has no buttons.
fn edited(letter: &Letter, seat: &Seat, text: &str) -> Answer {
    edit(seat.lane, letter.message.to_string(), text)
}

fn edit(lane: Lane, message: String, text: &str) -> Answer {
    let blocks = text.lines().map(|line| Block::Line(Line(vec![Span::Text(line.to_owned())]))).collect();
    Answer { edit_of: Some(message), ..Answer::new(lane, Message { blocks, ..Message::default() }) }
}
