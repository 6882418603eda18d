//! What does the next message say? The facts of a bundle, whether they come late or again, and what can be pressed.

use crate::clock::Timestamp;
use crate::domain::format::{age, time};
use crate::domain::{Block, Button, ChannelKind, Event, Line, Message, NoticeId, Severity, Span, StoryPart, Treatment};
use crate::store::{Ack, Delivery, FollowUp, LaneState, Parcel, Reader, StoreError, Task};

use super::buttons::{BUTTONS_MAX, acknowledge};
use super::filters::{Policy, kind_of};
use super::parcel::Bundle;
use super::{
    Abilities, Gathered, Key, Post, Telling, buttons, digest_blocks, living_blocks, story_blocks, summary_blocks, told,
};

/// A message that comes later than this says so.
const LATE_MS: i64 = 60_000;
/// Numbers that are named where several messages may be repeats.
const REPEATS_MAX: usize = 10;

/// What a message is composed with.
pub(super) struct Scene<'a> {
    pub(super) reader: &'a Reader,
    pub(super) policy: &'a Policy,
    pub(super) abilities: Abilities,
    pub(super) telling: &'a Telling,
    pub(super) lane: &'a LaneState,
    /// The key under which buttons get their tokens.
    pub(super) key: &'a [u8; 32],
    pub(super) now: Timestamp,
}

/// A message, and the rows that it settles.
#[derive(Clone)]
pub(super) struct Composed {
    pub(super) post: Post,
    pub(super) parcel: Parcel,
}

impl Scene<'_> {
    /// Puts a bundle into words; none if there is nothing to send, such as an edit of a message that nobody was sent.
    pub(super) fn compose(&self, bundle: &Bundle, silent: bool) -> Result<Option<Composed>, StoreError> {
        let leader = bundle.leader();
        let mut composed = match bundle {
            Bundle::One(row, riders) => match &row.task {
                Task::Answer(message) => self.answer(row, message.clone())?,
                Task::Seen(seen) => self.seen(row, seen)?,
                Task::Broken(_) => return Ok(None),
                Task::Edit(event) => match self.edit(row, event)? {
                    Some(composed) => composed,
                    None => return Ok(None),
                },
                Task::Notice(event) => self.notice(row, event, riders)?,
            },
            Bundle::Story(rows) => self.story(rows)?,
            Bundle::Storm(rows) => self.gathered(rows, true),
            Bundle::Held(rows) => self.gathered(rows, false),
        };
        composed.parcel.gathered = matches!(bundle, Bundle::Storm(_) | Bundle::Held(_));
        composed.post.silent |= silent;
        composed.parcel.members = bundle.rows().iter().map(|row| row.id).filter(|id| *id != leader.id).collect();
        self.give_keys(&mut composed);
        Ok(Some(composed))
    }

    /// An answer is said as it is; one that comes late or perhaps again says so below.
    fn answer(&self, row: &Delivery, mut message: Message) -> Result<Composed, StoreError> {
        let mut composed = blank(row);
        if let Some(file) = &mut message.file {
            file.bytes = self.reader.file_of(row.id)?;
        }
        if row.edit_of.is_none() {
            self.add_late(row, &mut message.blocks);
            if let Some(notice) = self.reader.overtook(row.id, self.policy.rule.lane)? {
                message.blocks.push(Block::Line(format!("Written before {notice} was told").into()));
            }
            if self.says_repeat(row, row) {
                message.blocks.push(Block::Line("Perhaps a repeat".to_owned().into()));
            }
        }
        composed.post.message = message;
        composed.post.reply_to.clone_from(&row.reply_to);
        composed.post.edit.clone_from(&row.edit_of);
        Ok(composed)
    }

    /// Who has seen what was told here, as quietly as can be, below the message that told it.
    fn seen(&self, row: &Delivery, seen: &FollowUp) -> Result<Composed, StoreError> {
        let mut composed = blank(row);
        let numbers: Vec<String> = seen.notices.iter().map(NoticeId::to_string).collect();
        let (who, at) = (&seen.person, time(seen.at, self.policy.zone));
        let line = format!("{} acknowledged by {who} on {} at {at}", numbers.join(" and "), seen.channel);
        let mut message = Message::of_lines([line]);
        if self.says_repeat(row, row) {
            message.blocks.push(Block::Line("Perhaps a repeat".to_owned().into()));
        }
        composed.post.message = message;
        composed.post.silent = true;
        composed.post.reply_to = self.reader.message_with(row.notice, self.policy.rule.lane)?;
        Ok(composed)
    }

    fn notice(&self, row: &Delivery, event: &Event, riders: &[Delivery]) -> Result<Composed, StoreError> {
        let mut composed = blank(row);
        let mut blocks = told(event, self.telling);
        if self.says_repeat(row, row) {
            add_repeat(row, &mut blocks);
        }
        if row.unless_acked {
            let line = format!("Nobody has acknowledged it for {}", age(self.now.since(row.created)));
            blocks.push(Block::Line(line.into()));
        }
        self.add_late(row, &mut blocks);
        for rider in riders {
            if let Task::Notice(event) = &rider.task {
                let fact = first_line(event, self.telling);
                blocks.push(Block::Line(format!("Perhaps told already, {}: {fact}", rider.notice).into()));
            }
        }
        self.noted(blocks, &[(row.notice, event.clone())], &mut composed)?;
        // What rides with it has no place in a message that is changed.
        self.join(row, event, riders.is_empty(), &mut composed)?;
        Ok(composed)
    }

    /// A later part of a story goes to the message that began it: as its new text where nothing has to sound and the channel can change
    /// it, else as a reply.
    fn join(&self, row: &Delivery, event: &Event, may_edit: bool, composed: &mut Composed) -> Result<(), StoreError> {
        let Some(episode) = row.episode.filter(|_| !row.unless_acked) else { return Ok(()) };
        let Some((root, remote)) = self.reader.root_of(episode, self.policy.rule.lane)? else { return Ok(()) };
        let part = event.story().map(|story| story.part);
        let edits = self.abilities.edits;
        if edits && may_edit && part == Some(StoryPart::GoesOn) && row.severity() < Severity::Warning {
            self.retold(episode, root, composed)?;
            composed.post.edit = Some(remote);
            composed.post.silent = true;
        } else {
            composed.post.reply_to = Some(remote);
            composed.parcel.refresh = edits.then_some(root);
        }
        Ok(())
    }

    /// A story as it stands now.
    fn retold(&self, episode: i64, root: NoticeId, composed: &mut Composed) -> Result<(), StoreError> {
        let facts = self.reader.story(episode)?;
        let told: Vec<(NoticeId, Event)> =
            facts.into_iter().map(|fact| (fact.notice.unwrap_or(root), fact.event)).collect();
        let events: Vec<Event> = told.iter().map(|(_, event)| event.clone()).collect();
        self.noted(living_blocks(&events, self.telling), &told, composed)
    }

    /// A message that tells these notices, with what can be pressed and the word of who has seen it; nobody is asked for that again. Below
    /// a story stand the buttons of its latest fact, but what is critical in it can be acknowledged as long as nobody has.
    fn noted(
        &self,
        mut blocks: Vec<Block>,
        told: &[(NoticeId, Event)],
        composed: &mut Composed,
    ) -> Result<(), StoreError> {
        let mut row = told.last().map(|(notice, event)| buttons(event, *notice)).unwrap_or_default();
        let mut seen = None;
        for (notice, _) in told {
            if let Some(ack) = self.reader.ack(*notice)? {
                composed.parcel.acked.push(*notice);
                seen = Some(ack);
            }
        }
        if let Some(ack) = seen {
            blocks.push(self.acknowledged(&ack));
        }
        let critical = told.iter().rev().find(|(_, event)| event.kind.severity() == Severity::Critical);
        row.retain(|button| !button.line.starts_with("/ack"));
        if let Some((notice, _)) = critical
            && !composed.parcel.acked.contains(notice)
        {
            row.insert(0, acknowledge(*notice));
            row.truncate(BUTTONS_MAX);
        }
        composed.post.message = Message { blocks, ..Message::default() }.with_buttons(row);
        Ok(())
    }

    /// Whether a row has to say that it may be there already: not where the channel looks for the message that told it.
    fn says_repeat(&self, row: &Delivery, leader: &Delivery) -> bool {
        let is_found = self.abilities.finds && row.told_in.is_none_or(|notice| notice == leader.notice);
        row.repeated && !is_found
    }

    fn acknowledged(&self, ack: &Ack) -> Block {
        let at = time(ack.at, self.policy.zone);
        Block::Line(format!("Acknowledged by {} on {} at {at}", ack.person, ack.channel).into())
    }

    fn edit(&self, row: &Delivery, event: &Event) -> Result<Option<Composed>, StoreError> {
        let Some(remote) = self.reader.remote_of(row.notice, self.policy.rule.lane)? else { return Ok(None) };
        let mut composed = blank(row);
        let root =
            row.episode.map(|episode| self.reader.root_of(episode, self.policy.rule.lane)).transpose()?.flatten();
        match (row.episode, root) {
            // This message tells a story: where it stands, and not only what this notice told.
            (Some(episode), Some((root, at))) if at == remote => self.retold(episode, root, &mut composed)?,
            _ => self.noted(told(event, self.telling), &[(row.notice, event.clone())], &mut composed)?,
        }
        composed.post.edit = Some(remote);
        composed.post.silent = true;
        Ok(Some(composed))
    }

    fn story(&self, rows: &[Delivery]) -> Result<Composed, StoreError> {
        let leader = &rows[0];
        let mut composed = blank(leader);
        let events: Vec<Event> = rows.iter().filter_map(event_of).collect();
        let mut blocks = story_blocks(&events, self.telling);
        for row in rows.iter().filter(|row| self.says_repeat(row, leader)) {
            add_repeat(row, &mut blocks);
        }
        self.add_late(leader, &mut blocks);
        let told: Vec<(NoticeId, Event)> = rows.iter().filter_map(|row| Some((row.notice, event_of(row)?))).collect();
        composed.post.severity = rows.iter().map(Delivery::severity).max().unwrap_or(Severity::Notice);
        self.noted(blocks, &told, &mut composed)?;
        if let Some(last) = events.last() {
            self.join(leader, last, true, &mut composed)?;
        }
        Ok(composed)
    }

    /// Everything of a storm, counted; or what was held, line by line.
    fn gathered(&self, rows: &[Delivery], storm: bool) -> Composed {
        let mut composed = blank(&rows[0]);
        let events: Vec<Event> = rows.iter().filter_map(event_of).collect();
        let mut blocks = if storm {
            let counted = counted(events);
            let oldest = rows.iter().map(|row| row.created).min().unwrap_or(self.now);
            // Nobody can ask below a letter, and a group that is told no amounts gets no answer.
            let is_asked = matches!(self.policy.rule.lane.channel, ChannelKind::Telegram | ChannelKind::Terminal);
            let more = (is_asked && !self.policy.hides_amounts).then_some("`/missed` shows them one by one");
            summary_blocks(&counted, self.now.since(oldest), rows.len() as u64, more, self.telling)
        } else {
            digest_blocks(&events, "Held for you", self.telling)
        };
        let repeated: Vec<String> = rows
            .iter()
            .filter(|row| self.says_repeat(row, &rows[0]) || row.parts > 0)
            .map(|row| row.notice.to_string())
            .take(REPEATS_MAX)
            .collect();
        if !repeated.is_empty() {
            blocks.push(Block::Line(format!("Perhaps told already: {}", repeated.join(", ")).into()));
        }
        if storm {
            self.add_late(&rows[0], &mut blocks);
        }
        composed.post.severity = rows.iter().map(Delivery::severity).max().unwrap_or(Severity::Notice);
        (composed.post.book, composed.post.kind) = (None, None);
        composed.post.message = Message { blocks, is_digest: !storm, ..Message::default() };
        composed
    }

    /// What comes late says how late, and why where that is known.
    fn add_late(&self, row: &Delivery, blocks: &mut Vec<Block>) {
        let late = self.now.since(row.created);
        if late <= LATE_MS || row.held || row.unless_acked {
            return;
        }
        let mut line = Line::from(format!("{} late", age(late)));
        if self.lane.failures > 0 && self.lane.since >= row.created.plus_ms(-LATE_MS) {
            let from = time(self.lane.since, self.policy.zone);
            line.0.push(Span::Text(format!(" · nothing came through since {from}: ")));
            line.0.push(Span::Untrusted(self.lane.why.clone()));
        }
        blocks.push(Block::Line(line));
    }

    /// Gives each button a token that only the store can read.
    fn give_keys(&self, composed: &mut Composed) {
        if !self.abilities.buttons {
            return;
        }
        let mut number = 0u32;
        let mut key = |button: &Button| {
            number += 1;
            if button.is_plain() {
                return Key { label: button.label.clone(), token: button.line.clone() };
            }
            let mut hasher = blake3::Hasher::new_keyed(self.key);
            hasher.update(&composed.post.delivery.to_le_bytes());
            hasher.update(&number.to_le_bytes());
            // A message that is said anew may have other buttons; those of the first keep their meaning.
            hasher.update(button.line.as_bytes());
            let token = hasher.finalize().to_hex()[..32].to_owned();
            composed.parcel.buttons.push((token.clone(), button.line.clone()));
            Key { label: button.label.clone(), token }
        };
        composed.post.keys =
            composed.post.message.buttons.iter().map(|row| row.iter().map(&mut key).collect()).collect();
    }
}

/// A message that says nothing yet.
fn blank(row: &Delivery) -> Composed {
    let is_answer = matches!(row.task, Task::Answer(_) | Task::Seen(_));
    let post = Post {
        message: Message::default(),
        number: (!is_answer).then_some(row.notice),
        severity: row.severity(),
        kind: match &row.task {
            Task::Notice(event) | Task::Edit(event) => Some(kind_of(event).name),
            Task::Answer(_) | Task::Seen(_) | Task::Broken(_) => None,
        },
        again: row.repeated.then_some(row.created),
        book: match &row.task {
            Task::Notice(event) | Task::Edit(event) => event.book,
            Task::Answer(_) | Task::Seen(_) | Task::Broken(_) => None,
        },
        silent: false,
        reply_to: None,
        edit: None,
        keys: Vec::new(),
        // What else than an answer may say something else by now.
        parts_done: if is_answer { row.parts } else { 0 },
        delivery: row.id,
    };
    let parcel = Parcel { leader: row.id, notice: row.notice, ..Parcel::default() };
    Composed { post, parcel }
}

/// What may be there already says so where it is seen first.
pub(super) fn add_repeat(row: &Delivery, blocks: &mut [Block]) {
    let mark = Span::Text(format!(" (perhaps a repeat of {})", row.notice));
    if let Some(Block::Title(title)) = blocks.first_mut() {
        title.0.push(mark);
    }
}

/// Whether a bundle makes no sound: its reader wants each of its kinds so, or it is nothing but routine in a storm.
pub(super) fn is_silent(treatments: &[Treatment]) -> bool {
    !treatments.is_empty() && treatments.iter().all(|treatment| *treatment != Treatment::On)
}

/// How many there are of each kind.
fn counted(events: Vec<Event>) -> Vec<Gathered> {
    let mut counted: Vec<Gathered> = Vec::new();
    for event in events {
        let kind = kind_of(&event).name;
        match counted.iter_mut().find(|known| known.kind == kind) {
            Some(known) => {
                known.count += 1;
                known.samples.push(event);
            }
            None => counted.push(Gathered { kind, count: 1, samples: vec![event] }),
        }
    }
    counted
}

fn event_of(row: &Delivery) -> Option<Event> {
    match &row.task {
        Task::Notice(event) | Task::Edit(event) => Some(event.clone()),
        Task::Answer(_) | Task::Seen(_) | Task::Broken(_) => None,
    }
}

fn first_line(event: &Event, telling: &Telling) -> String {
    let message = Message { blocks: told(event, telling), ..Message::default() };
    message.plain_lines().into_iter().next().unwrap_or_default()
}
