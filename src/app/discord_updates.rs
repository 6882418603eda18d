//! What is done about what was heard on Discord? Who it is comes first; the answers and the word that it is handled are one transaction.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use secrecy::ExposeSecret;

use crate::chat::{Inbound, Place, Seat, is_safe};
use crate::clock::Clock;
use crate::domain::format::age;
use crate::domain::{ALONE, Block, Button, ChannelKind, INTERACTION, Lane, Message};
use crate::store::{Answer, InboxRow, Reader, Store, StoreError};

use super::binding::{Caller, Door, Tried};
use super::conversation::{Conversation, Handled, OLD_MS, Said, says_seen};
use super::discord::{DISCORD, Memory, room_key};
use super::discord_letter::{DiscordLetter, DiscordWhat, buttons_of, left_of};
use super::letter::Kept;
use super::pairing::code_in;
use super::rounds::{in_order, rounds_until};

/// What is said of a button that stands for nothing any more.
const OVER: &str = "That button is over";

/// Handles what Discord brings.
pub(super) struct DiscordHandler {
    pub(super) talk: Conversation,
    pub(super) door: Arc<Door>,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) memory: Memory,
    /// Somebody wrote from where this lane leads.
    pub(super) heard: Arc<dyn Fn(Lane) + Send + Sync>,
}

impl DiscordHandler {
    /// Handles updates in the order of their rows until `stop` is dropped.
    pub(super) fn serve(self, stop: &Receiver<()>) {
        rounds_until(&self.store, stop, |reader| in_order(reader, DISCORD, |row| self.take(row)));
    }

    fn take(&self, row: &InboxRow) -> Result<(), StoreError> {
        let key = Reader::open(self.store.path())?.update_key(row.id)?.unwrap_or_default();
        let handled = match serde_json::from_str::<DiscordLetter>(&row.body) {
            Ok(letter) => self.handle(&Case { row, letter: &letter, key: &key })?,
            Err(error) => {
                tracing::error!(%error, row = row.id, "an update that nobody can read is left");
                Handled::nothing()
            }
        };
        self.store.points().pass("update: done, not answered")?;
        let lanes: Vec<Lane> = handled.answers.iter().map(|answer| answer.lane).collect();
        self.store.finish(row.id, &handled.person, handled.answers, self.clock.now())?;
        // A lane that rests would let the answer wait.
        for lane in lanes {
            (self.heard)(lane);
        }
        Ok(())
    }

    fn handle(&self, case: &Case<'_>) -> Result<Handled, StoreError> {
        let letter = case.letter;
        let secret = self.memory.secret(case.key);
        let seat = self.memory.seat(letter.user, &letter.channels(), letter.alone);
        let is_own = !matches!(letter.what, DiscordWhat::Words { own: false, .. });
        if letter.alone
            && is_own
            && let Some(code) = secret.as_ref().and_then(|text| code_in(text.expose_secret()))
        {
            return self.pair(case, seat, &code);
        }
        let Some(seat) = seat else {
            self.door.knocked(letter.user, false)?;
            return Ok(Handled::nothing());
        };
        let case = &Known { case, seat: &seat };
        let answers = match &letter.what {
            DiscordWhat::Command => self.command(case),
            DiscordWhat::Press { token, message } => self.press(case, token, *message)?,
            DiscordWhat::Form { prompt } => {
                let inbound = case.inbound("");
                case.tells(match secret {
                    Some(pin) => self.talk.confirm(&inbound, *prompt, &pin),
                    // It may have been taken before.
                    None => self.talk.begun(&inbound, self.talk.chat.begun(&inbound, *prompt)?),
                })
            }
            DiscordWhat::Words { own: false, .. } => {
                vec![case.says("What others wrote is no command of yours: type it yourself")]
            }
            DiscordWhat::Words { reply_to, .. } => self.words(case, *reply_to)?,
        };
        Ok(Handled::by(&seat, answers))
    }

    /// A slash command.
    fn command(&self, case: &Known<'_>) -> Vec<Answer> {
        match case.case.letter.kept {
            Kept::LeftOut => vec![case.says(
                "That may be a PIN or a code, so it was not read. A PIN goes into the form that Confirm opens, and a code is sent to me in a conversation of our own",
            )],
            Kept::Whole | Kept::Halts => self.if_young(case, &case.case.row.text),
        }
    }

    /// Words to the bot alone.
    fn words(&self, case: &Known<'_>, reply_to: Option<i64>) -> Result<Vec<Answer>, StoreError> {
        if case.case.letter.kept == Kept::LeftOut {
            let words = format!(
                "That may be your PIN, and Discord does not let me remove it: delete the message, and change the PIN if it is one: on the machine, \"bellwether pin set {}\". A PIN is typed only into the form that Confirm opens",
                case.seat.person.name
            );
            return Ok(vec![case.says(&words)]);
        }
        let text = case.case.row.text.trim();
        if let Some(message) = reply_to.filter(|_| says_seen(text))
            && let Some(notice) = self.notice_of(case, message)?
        {
            return Ok(self.run(case, &format!("/ack {notice}")));
        }
        Ok(if text.is_empty() { Vec::new() } else { self.if_young(case, text) })
    }

    /// A button, or a choice: what it stands for is known by where its message went.
    fn press(&self, case: &Known<'_>, token: &str, message: i64) -> Result<Vec<Answer>, StoreError> {
        if left_of(token).is_some() {
            return Ok(vec![case.says("Left as it is")]);
        }
        let reader = Reader::open(self.store.path())?;
        for lane in self.lanes(case) {
            if let Some(line) = reader.button(token, lane)? {
                return Ok(self.if_young(case, &line));
            }
        }
        tracing::debug!(message, "a button that stands for nothing was pressed");
        Ok(vec![case.says(OVER)])
    }

    /// The lanes whose messages can be seen there.
    fn lanes(&self, case: &Known<'_>) -> Vec<Lane> {
        let seats = self.memory.seats.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let channels = case.case.letter.channels();
        let here =
            seats.groups.iter().filter(|group| group.channel == ChannelKind::Discord && channels.contains(&group.chat));
        let groups = here.map(|group| Lane { who: group.name, channel: ChannelKind::Discord });
        let groups = groups.filter(|_| case.seat.place == Place::Aside);
        std::iter::once(case.seat.lane).chain(groups).collect()
    }

    fn notice_of(&self, case: &Known<'_>, message: i64) -> Result<Option<crate::domain::NoticeId>, StoreError> {
        Reader::open(self.store.path())?.notice_of(case.seat.lane, &message.to_string())
    }

    /// What is old is not done, but for what stops trading and what was seen.
    fn if_young(&self, case: &Known<'_>, line: &str) -> Vec<Answer> {
        let old = self.clock.now().ms() - case.case.letter.sent;
        if old > OLD_MS && !is_safe(line) {
            let words = format!("That was sent {} ago, so it was not done: do it again if it still holds", age(old));
            return vec![case.says(&words)];
        }
        self.run(case, line)
    }

    fn run(&self, case: &Known<'_>, line: &str) -> Vec<Answer> {
        vec![case.answer(as_shown(self.talk.run(case.case.row.id, &case.inbound(line))))]
    }

    /// A code came.
    fn pair(&self, case: &Case<'_>, seat: Option<Seat>, code: &str) -> Result<Handled, StoreError> {
        let letter = case.letter;
        if let (Some(seat), true) = (&seat, code.is_empty()) {
            let known = Known { case, seat };
            return Ok(Handled::by(seat, self.run(&known, "/pair")));
        }
        let caller = Caller { user: letter.user, chat: letter.channel, name: &letter.name };
        Ok(match (self.door.pair(case.row.id, &caller, seat.as_ref(), code)?, seat) {
            (Tried::Paired(handled), _) => handled,
            (Tried::NotValid(words), Some(seat)) => {
                let known = Known { case, seat: &seat };
                Handled::by(&seat, vec![known.says(words)])
            }
            (Tried::NotValid(_) | Tried::Nothing, _) => Handled::nothing(),
        })
    }
}

/// As it is said here: a prompt with a button that opens the form which takes what it asks for.
fn as_shown(said: Said) -> Message {
    match said {
        Said::Message(message) => message,
        Said::Prompt { id, preview, ask } => {
            let mut message = Message::answer(&preview);
            let valid = format!("Valid for {} s, for you, here. Confirm asks for {ask}", ask.valid_s);
            message.blocks.push(Block::Line(valid.into()));
            let buttons = buttons_of(id, ask.what).map(|(label, line)| Button::new(label, line));
            Message { protect: true, ..message.with_buttons(buttons.into()) }
        }
    }
}

/// Something heard, as the inbox has it.
struct Case<'a> {
    row: &'a InboxRow,
    letter: &'a DiscordLetter,
    /// What Discord calls it.
    key: &'a str,
}

/// The same from somebody who is known.
struct Known<'a> {
    case: &'a Case<'a>,
    seat: &'a Seat,
}

impl Known<'_> {
    fn inbound(&self, line: &str) -> Inbound {
        Inbound {
            person: self.seat.person.clone(),
            place: self.seat.place,
            chat: room_key(self.case.letter.channel),
            text: line.to_owned(),
        }
    }

    /// What came of what was entered, and what is said next.
    fn tells(&self, (words, next): (String, Option<Said>)) -> Vec<Answer> {
        let next = next.map(|next| self.answer(as_shown(next)));
        std::iter::once(self.says(&words)).chain(next).collect()
    }

    fn says(&self, text: &str) -> Answer {
        self.answer(Message::answer(text))
    }

    /// An interaction is answered where it waits; words are answered where they are alone with the bot.
    fn answer(&self, message: Message) -> Answer {
        let reply_to = match self.case.letter.what {
            DiscordWhat::Words { .. } => ALONE.to_owned(),
            _ => format!("{INTERACTION}{}", self.case.key),
        };
        Answer { reply_to: Some(reply_to), ..Answer::new(self.seat.lane, message) }
    }
}
