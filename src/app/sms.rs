//! What is done about a text, and about what became of ours? In the order in which they came, each once.

use std::collections::HashMap;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;

use crate::channels::{CODE_HERE, sms_segments};
use crate::chat::{Chat, Inbound, Seat, is_halt};
use crate::clock::{Clock, Timestamp};
use crate::config::policy;
use crate::control::{Begun, CODE_VALID_MS};
use crate::domain::format::age;
use crate::domain::{EventKind, Lane, Message, NoticeId};
use crate::store::{Answer, InboxRow, LaneState, Reader, Store, StoreError, is_lost, lost_words, sms_grade};

use super::AppError;
use super::conversation::{Conversation, OLD_MS, Said};
use super::phones::Phones;
use super::rounds::{in_order, rounds_until};
use super::sms_door::{SMS, SMS_STATES};
use super::sms_words::{Wish, wish};
use super::switchboard::{Alarm, Switchboard};

/// So long what became of a message waits for the answer that tells its name, in milliseconds.
const NAMELESS_MS: i64 = 5 * 60_000;
/// What nobody understands is answered this often at the most, in milliseconds: two machines must not talk to each other.
const UNKNOWN_EVERY_MS: i64 = 60 * 60_000;
/// What can be sent.
const MENU: &str = "ACK: you saw it. STATUS. HALT: no new orders. RESUME: sends you a code. Never STOP: the carrier would end these messages";
/// What is said of a phone whose person texted a word that the carrier obeys.
const OPTED_OUT: &str =
    "they texted STOP, so the carrier refuses everything: send START from that phone. Trading goes on; HALT stops it";
const NOT_UNDERSTOOD: &str = "That was not understood.";
const TOO_LONG: &str = "More books wait than a text can name, so no code was sent: resume each by its name elsewhere";
/// What names the books of a change has so many segments at the most; a text has three.
const NAMES_MAX: usize = 2;
/// The kind of the fact that trading stopped.
const HALTED: &str = "trading_halted";

/// Handles what Twilio brings.
pub(super) struct SmsHandler {
    pub(super) chat: Chat,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) phones: Phones,
    pub(super) switchboard: Switchboard,
    pub(super) alarm: Alarm,
    /// Waits until the engine carried a change out.
    pub(super) wait_for: Arc<dyn Fn(i64) -> Option<String> + Send + Sync>,
    /// The zone of readers who have none.
    pub(super) zone: chrono_tz::Tz,
    /// When each was last told that a text was not understood.
    pub(super) puzzled: Mutex<HashMap<Lane, Timestamp>>,
}

impl SmsHandler {
    /// Handles texts and states in the order of their rows until `stop` is dropped.
    pub(super) fn serve(self, stop: &Receiver<()>) {
        rounds_until(&self.store, stop, |reader| self.look(reader));
    }

    fn look(&self, reader: &Reader) -> Result<(), StoreError> {
        let unsigned = self.phones.take_unsigned();
        if unsigned > 0 {
            tracing::info!("{unsigned} posts for SMS were not signed by Twilio");
            self.store.count_unread("sms unsigned", i64::try_from(unsigned).unwrap_or(i64::MAX))?;
        }
        in_order(reader, SMS, |row| {
            let answers = self.text(reader, row)?;
            self.store.points().pass("update: done, not answered")?;
            self.store.finish(row.id, &row.person, answers, self.clock.now())
        })?;
        in_order(reader, SMS_STATES, |row| {
            if self.state(reader, row)? {
                self.store.finish(row.id, "", Vec::new(), self.clock.now())?;
            }
            Ok(())
        })
    }

    /// What became of a message of ours; false where its name is not known yet, since the answer that tells it comes later.
    fn state(&self, reader: &Reader, row: &InboxRow) -> Result<bool, StoreError> {
        let mut words = row.text.split(' ');
        let (Some(sid), Some(state)) = (words.next(), words.next()) else { return Ok(true) };
        let code = words.next().and_then(|code| code.parse().ok());
        let known = reader.sms(sid)?.filter(|known| known.is_settled);
        let Some(known) = known else { return Ok(self.clock.now().since(row.received) > NAMELESS_MS) };
        let goes_on = sms_grade(state).is_some_and(|grade| grade > known.grade);
        if goes_on
            && is_lost(state)
            && let Some(notice) = known.notice
            && let Some(told) = lost(reader, notice, known.lane, lost_words(state, code))?
        {
            // Others are told before it is noted: whoever dies in between tells it twice and not never.
            (self.alarm)(told);
        }
        self.store.points().pass("sms: lost, told, not noted")?;
        self.store.move_sms(sid, state, code, self.clock.now())?;
        Ok(true)
    }

    fn text(&self, reader: &Reader, row: &InboxRow) -> Result<Vec<Answer>, StoreError> {
        // What was taken away meanwhile holds no more.
        let Some(seat) = self.phones.seat_named(&row.person) else { return Ok(Vec::new()) };
        let wish = wish(&row.text);
        if !matches!(wish, Wish::OptOut) {
            self.switchboard.open.nudge(seat.lane);
        }
        if let Wish::Line(line) = &wish
            && is_halt(line)
        {
            return self.halt(reader, row, &seat, line);
        }
        let is_free = matches!(&wish, Wish::OptOut | Wish::OptIn | Wish::Nothing);
        let is_silent = !is_free && !self.phones.budget.may_answer(seat.lane)?;
        if is_silent && !matches!(&wish, Wish::Code) && !is_ack(&wish) {
            return Ok(Vec::new());
        }
        let answers = self.answers(reader, row, &seat, wish)?;
        Ok(if is_silent { Vec::new() } else { answers })
    }

    /// Halts whatever it costs. Where the phone is answered no more, a halt that changed nothing is not answered either.
    fn halt(&self, reader: &Reader, row: &InboxRow, seat: &Seat, line: &str) -> Result<Vec<Answer>, StoreError> {
        let text = self.run(row, seat, line);
        // That trading stopped goes to this phone anyway, and each text costs.
        let is_told = reader.is_told_at_once(seat.lane, HALTED, row.received)?;
        let is_answered =
            !is_told && (reader.has_happened(HALTED, row.received)? || self.phones.budget.may_answer(seat.lane)?);
        Ok(if is_answered { vec![Answer::new(seat.lane, Message::answer(&text))] } else { Vec::new() })
    }

    fn answers(&self, reader: &Reader, row: &InboxRow, seat: &Seat, wish: Wish) -> Result<Vec<Answer>, StoreError> {
        let old = self.clock.now().since(row.received);
        let say = |text: &str| Ok(vec![Answer::new(seat.lane, Message::answer(text))]);
        match wish {
            Wish::OptOut => self.opt_out(reader, seat.lane).map(|()| Vec::new()),
            Wish::OptIn => self.opt_in(seat.lane).map(|()| Vec::new()),
            Wish::Nothing => Ok(Vec::new()),
            Wish::Menu => say(MENU),
            // Whoever begins with a word of ours is somebody who waits for what follows.
            Wish::Nearly => say(&format!("{NOT_UNDERSTOOD} {MENU}")),
            Wish::Unknown => Ok(self.puzzled(seat)),
            Wish::Line(_) if old > OLD_MS && !is_ack(&wish) => say(&late(old)),
            Wish::Line(line) => say(&self.run(row, seat, &line)),
            Wish::Code => {
                let name = reader.update_key(row.id)?.unwrap_or_default();
                match self.phones.secret(&name) {
                    Some(_) if old > OLD_MS => say(&late(old)),
                    Some(code) => say(&self.confirm(row, seat, &code)),
                    None => say(&self.begun(row, seat)?),
                }
            }
        }
    }

    fn talk(&self) -> Conversation {
        Conversation { chat: self.chat.clone(), wait_for: self.wait_for.clone() }
    }

    fn run(&self, row: &InboxRow, seat: &Seat, line: &str) -> String {
        let inbound = inbound(seat, line);
        let (id, preview) = match self.talk().run(row.id, &inbound) {
            Said::Message(message) => return message.plain_lines().join("\n"),
            Said::Prompt { id, preview, .. } => (id, preview),
        };
        let Some(head) = head(&preview) else { return TOO_LONG.to_owned() };
        match self.chat.caused_by(row.id).draw_code(&inbound, id) {
            Ok((code, until)) => {
                if let Some(slot) = self.phones.slot(seat.lane) {
                    slot.put(code, until);
                }
                format!("{head}\n{preview}")
            }
            Err(error) => self.chat.not_done(&inbound, &error),
        }
    }

    fn confirm(&self, row: &InboxRow, seat: &Seat, code: &SecretString) -> String {
        let inbound = inbound(seat, &row.text);
        let taken = self.chat.caused_by(row.id).confirm_by_code(&inbound, code);
        self.talk().words_of(&inbound, taken)
    }

    /// What became of a code that is gone: it may have been taken before.
    fn begun(&self, row: &InboxRow, seat: &Seat) -> Result<String, StoreError> {
        let inbound = inbound(seat, &row.text);
        let begun = self.chat.begun_at(&inbound, row.received)?.map(|(_, begun)| begun);
        Ok(match begun {
            None | Some(Begun::Nothing) => "The bot was started anew while it read that: send RESUME again".to_owned(),
            Some(begun) => {
                let (words, next) = self.talk().begun(&inbound, begun);
                match next {
                    Some(Said::Message(message)) => format!("{words}\n{}", message.plain_lines().join("\n")),
                    _ => words,
                }
            }
        })
    }

    fn puzzled(&self, seat: &Seat) -> Vec<Answer> {
        let now = self.clock.now();
        let mut puzzled = self.puzzled.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = puzzled.get(&seat.lane).is_some_and(|at| (0..UNKNOWN_EVERY_MS).contains(&now.since(*at)));
        if lately {
            return Vec::new();
        }
        puzzled.insert(seat.lane, now);
        vec![Answer::new(seat.lane, Message::answer(&format!("{NOT_UNDERSTOOD} {MENU}")))]
    }

    /// The carrier refuses everything from now on, so the way is dead at once and others are told.
    fn opt_out(&self, reader: &Reader, lane: Lane) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store.keep_opt_out(lane, true, now)?;
        let is_dead = reader.lane_state(lane)?.is_some_and(|state| state.dead);
        if !is_dead {
            let waiting = reader.open_deliveries(lane, now)?;
            (self.alarm)(EventKind::LaneDied { lane, why: OPTED_OUT.to_owned(), waiting });
            let why = OPTED_OUT.to_owned();
            self.store.keep_lane(LaneState { lane: lane.to_string(), dead: true, since: now, failures: 1, why })?;
            self.reopen(lane);
        }
        Ok(())
    }

    /// The way is carried anew, by somebody who reads that it is dead.
    fn reopen(&self, lane: Lane) {
        let reader = policy(&self.phones.config(), lane, self.zone);
        let opened: Result<(), AppError> =
            self.phones.channel(lane).map_or(Ok(()), |channel| self.switchboard.connect(channel, reader));
        if let Err(error) = opened {
            tracing::error!(?error, "{lane} could not be opened anew");
        }
    }

    /// Messages may come again; whether they do is tried at once.
    fn opt_in(&self, lane: Lane) -> Result<(), StoreError> {
        self.store.keep_opt_out(lane, false, self.clock.now())?;
        self.switchboard.open.nudge(lane);
        self.store.wake();
        Ok(())
    }
}

fn is_ack(wish: &Wish) -> bool {
    matches!(wish, Wish::Line(line) if line.starts_with("/ack"))
}

/// What is said of what came so many milliseconds ago.
fn late(old: i64) -> String {
    format!("That came {} ago, so it was not done: send it again if it still holds", age(old))
}

/// What stands above what a change would do: what is to be sent back and which books it is about, since those must not be what is cut. None
/// where a text cannot name them.
fn head(preview: &str) -> Option<String> {
    let asked = |line| Some(str::strip_prefix(line, "Resume ")?.split_once('?')?.0);
    let books: Vec<&str> = preview.lines().filter_map(asked).collect();
    let minutes = CODE_VALID_MS / 60_000;
    let head = match books.as_slice() {
        [] | [_] => format!("RESUME {CODE_HERE} within {minutes} min does this:"),
        books => {
            format!("RESUME {CODE_HERE} within {minutes} min resumes {} books, {}:", books.len(), books.join(", "))
        }
    };
    (sms_segments(&head) <= NAMES_MAX).then_some(head)
}

/// What somebody asks for by a text.
fn inbound(seat: &Seat, text: &str) -> Inbound {
    Inbound {
        person: seat.person.clone(),
        place: seat.place,
        chat: format!("{SMS}:{}", seat.lane.who),
        text: text.to_owned(),
    }
}

/// What is told of a message that did not arrive; nothing of one that only said so itself.
fn lost(reader: &Reader, notice: NoticeId, lane: Lane, why: String) -> Result<Option<EventKind>, StoreError> {
    Ok(match reader.notice(notice)?.map(|fact| fact.event.kind) {
        Some(EventKind::DeliveryDied { .. } | EventKind::DuressUntold { .. }) => None,
        // Whoever it is about is not told of this either.
        Some(EventKind::DuressPin { person }) => Some(EventKind::DuressUntold { person, notice, lane, why }),
        _ => Some(EventKind::DeliveryDied { notice, lane, why }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Event, RouteTable, Routes, RunId, Severity};

    #[test]
    fn a_lost_message_about_duress_is_told_as_such_and_one_about_delivery_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, at) = (Store::open(&folder.path().join("a.db")).expect("opens"), Timestamp::from_ms(1));
        let lane: Lane = "bo:sms".parse().expect("a lane");
        let mut table = RouteTable::simple(&[lane, "di:sms".parse().expect("a lane")], Severity::Info);
        table.lanes.iter_mut().for_each(|rule| rule.is_owners = true);
        let routes = Routes::new(table);
        let (person, why) = ("ana".to_owned(), "undelivered".to_owned());
        let lost_of = |kind| {
            let event = Event { at, book: None, kind };
            store.record_events(RunId(1), at, vec![event], &routes).expect("stored");
            let reader = Reader::open(store.path()).expect("opens");
            let notice = reader.journal_told(1).expect("reads")[0].notice.expect("told");
            (lost(&reader, notice, lane, why.clone()).expect("reads"), notice)
        };
        let (told, notice) = lost_of(EventKind::DuressPin { person: person.clone() });
        let untold = EventKind::DuressUntold { person: person.clone(), notice, lane, why: why.clone() };
        assert_eq!(told, Some(untold.clone()));
        assert_eq!(lost_of(untold).0, None);
        let (told, notice) = lost_of(EventKind::DrillSent { person });
        assert_eq!(told, Some(EventKind::DeliveryDied { notice, lane, why: why.clone() }));
        assert_eq!(lost_of(EventKind::DeliveryDied { notice, lane, why: why.clone() }).0, None);
    }

    #[test]
    fn the_books_of_a_code_are_named_or_there_is_no_code() {
        let preview = |names: &[String]| {
            let lines =
                names.iter().map(|name| format!("Resume {name}? It is halted.\nAfter: they may enter.\nToday 0."));
            lines.collect::<Vec<_>>().join("\n")
        };
        let names = |count: usize| (0..count).map(|n| format!("a-long-name-{n}")).collect::<Vec<_>>();
        assert_eq!(head(&preview(&names(1))).as_deref(), Some("RESUME (code) within 5 min does this:"));
        let found = head(&preview(&names(9))).expect("fits");
        assert!(names(9).iter().all(|name| found.contains(name)), "{found}");
        assert_eq!(head(&preview(&names(40))), None);
    }
}
