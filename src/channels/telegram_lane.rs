//! How does a message get into a chat on Telegram? Rendered in parts, sent one after the other, and each refusal understood.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{Attachment, AttachmentKind, Label};
use crate::notify::{Abilities, Allowance, Channel, Failure, Post, Receipt, SendError};

use super::http_client::never_left;
use super::parts::Parts;
use super::{Answered, Budget, CallError, Key, Posting, Refusal, RemoteId, Telegram, html};

/// Where a lane leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The chat.
    pub chat: i64,
    /// The topics of books, in a group that has topics.
    pub topics: Vec<(Label, i32)>,
}

/// Called when a group got another number: the old one, the new one.
pub type Moved = Arc<dyn Fn(i64, i64) + Send + Sync>;

/// A chat on Telegram as a channel.
pub struct TelegramLane {
    telegram: Telegram,
    target: Mutex<Target>,
    moved: Moved,
    parts: Parts<i32>,
}

impl TelegramLane {
    /// Sends to this chat.
    pub fn new(telegram: Telegram, target: Target, moved: Moved) -> Self {
        Self { telegram, target: Mutex::new(target), moved, parts: Parts::default() }
    }

    fn target(&self) -> Target {
        self.target.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn move_to(&self, chat: i64) {
        let old = std::mem::replace(&mut self.target.lock().unwrap_or_else(PoisonError::into_inner).chat, chat);
        if old != chat {
            (self.moved)(old, chat);
        }
    }

    /// Where and how a part goes.
    fn posting(&self, post: &Post, is_last: bool) -> Posting {
        let target = self.target();
        let (reply_to, thread) = post.reply_to.as_deref().map_or((None, None), remote);
        let topic = post.book.and_then(|book| target.topics.iter().find(|(name, _)| *name == book));
        let keys = if is_last { self.keys(post) } else { Vec::new() };
        Posting {
            chat: target.chat,
            thread: thread.or(topic.map(|(_, topic)| *topic)),
            silent: post.silent,
            protect: post.message.protect,
            reply_to,
            keys,
        }
    }

    /// The buttons of a message. In a group nobody may do what most of them type; that something was seen is said there, too.
    fn keys(&self, post: &Post) -> Vec<Vec<Key>> {
        let is_group = self.target().chat < 0;
        let rows = post.keys.iter().zip(&post.message.buttons).map(|(keys, buttons)| {
            let shown = keys.iter().zip(buttons).filter(|(_, button)| !is_group || button.line.starts_with(ACK));
            shown.map(|(key, _)| Key { label: key.label.clone(), data: key.token.clone() }).collect()
        });
        rows.filter(|row: &Vec<Key>| !row.is_empty()).collect()
    }

    /// Changes each part of a message to what it says now. What has become longer goes on in further messages, what has become shorter
    /// loses its last ones.
    async fn edit(&self, post: &Post, edited: &str) -> Result<Receipt, SendError> {
        let (Some(first), _) = remote(edited) else { return Err(SendError::Gone) };
        let texts = html(&post.message, Budget::TEXT);
        let mut there = self.parts.of(first);
        for (index, text) in texts.iter().enumerate() {
            let is_last = index + 1 == texts.len();
            if let Some(message) = there.get(index) {
                match self.change(post, *message, text, is_last).await {
                    // Somebody removed it; the first part is the message.
                    Err(SendError::Gone) if index > 0 => {}
                    changed => changed?,
                }
            } else {
                let further = Post { reply_to: Some(edited.to_owned()), silent: true, ..post.clone() };
                there.push(self.part(&further, text, None, is_last).await?.0.value.message);
                self.parts.keep(there.clone());
            }
        }
        for message in there.split_off(texts.len().max(1).min(there.len())) {
            let at = RemoteId { chat: self.target().chat, message };
            if let Err(error) = self.telegram.delete(at).await {
                tracing::debug!(%error, "a part that says nothing any more stays");
            }
        }
        self.parts.keep(there);
        Ok(Receipt { remote: Some(edited.to_owned()), ..Receipt::default() })
    }

    /// Changes one part; what cannot be formatted is put there as plain text.
    async fn change(&self, post: &Post, message: i32, text: &str, is_last: bool) -> Result<(), SendError> {
        let keys = if is_last { self.keys(post) } else { Vec::new() };
        let at = RemoteId { chat: self.target().chat, message };
        let changed = match self.telegram.edit_text(at, text, &keys).await {
            Err(CallError::Refused { kind: Refusal::BadMarkup, description, .. }) => {
                tracing::error!(description, "a message was rendered in a way that Telegram does not take");
                self.telegram.edit_text(at, &bare(text), &keys).await
            }
            changed => changed,
        };
        match changed {
            Err(CallError::Migrated { to }) => {
                // The numbers of messages are others there.
                self.move_to(to);
                Err(SendError::Gone)
            }
            changed => changed.map_err(failed),
        }
    }

    /// Sends one part; what cannot be formatted is sent once more as plain text, and the second value says so.
    async fn part(
        &self,
        post: &Post,
        text: &str,
        file: Option<&Attachment>,
        is_last: bool,
    ) -> Result<(Answered<RemoteId>, Option<String>), SendError> {
        let mut posting = self.posting(post, is_last);
        let (mut text, mut detail) = (text.to_owned(), None);
        for _ in 0..MOVES_MAX {
            let error = match self.call(&posting, &text, file).await {
                Ok(answered) => return Ok((answered, detail)),
                Err(error) => error,
            };
            match error {
                CallError::Migrated { to } => {
                    self.move_to(to);
                    // The numbers of messages are others there.
                    (posting.chat, posting.reply_to) = (to, None);
                }
                CallError::Refused { kind: Refusal::TopicGone, .. } if posting.thread.is_some() => {
                    posting.thread = None;
                }
                CallError::Refused { kind: Refusal::BadMarkup, description, .. } => {
                    tracing::error!(description, "a message was rendered in a way that Telegram does not take");
                    text = bare(&text);
                    detail = Some(format!("as bare text, since its form was refused: {description}"));
                }
                error => return Err(failed(error)),
            }
        }
        Err(SendError::Rejected("Telegram takes it in no form".to_owned()))
    }

    async fn call(
        &self,
        posting: &Posting,
        text: &str,
        file: Option<&Attachment>,
    ) -> Result<Answered<RemoteId>, CallError> {
        match file {
            None => self.telegram.send_text(posting, text).await,
            Some(Attachment { kind: AttachmentKind::Picture, name, bytes }) => {
                self.telegram.send_picture(posting, name, bytes, text).await
            }
            Some(Attachment { kind: AttachmentKind::Document, name, bytes }) => {
                self.telegram.send_document(posting, name, bytes, text).await
            }
        }
    }
}

/// Turns that one message may take: a moved group, a lost topic, a markup that is refused.
const MOVES_MAX: usize = 4;
/// How the line of the button begins that is shown in groups.
const ACK: &str = "/ack ";
/// Messages at once into one chat, and how long one more takes: what is known to be borne.
const PRIVATE: Allowance = Allowance { burst: 4, refill: Duration::from_secs(1) };
const GROUP: Allowance = Allowance { burst: 4, refill: Duration::from_secs(3) };
/// Messages of the whole bot: about thirty a second.
const BOT: Allowance = Allowance { burst: 30, refill: Duration::from_millis(34) };

#[async_trait]
impl Channel for TelegramLane {
    fn abilities(&self) -> Abilities {
        // Numbers of groups are negative.
        let is_group = self.target().chat < 0;
        let allowance = if is_group { GROUP } else { PRIVATE };
        Abilities { edits: true, buttons: true, finds: false, allowance: Some(allowance) }
    }

    fn service_allowance(&self) -> Option<Allowance> {
        Some(BOT)
    }

    /// Telegram refuses to show that something is being written where it would refuse a message.
    async fn probe(&self) -> Option<Result<(), Failure>> {
        let tried = self.telegram.typing(self.target().chat, None).await;
        Some(tried.map_err(|error| Failure::from(failed(error))))
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        if let Some(edited) = &post.edit {
            return self.edit(post, edited).await.map_err(Failure::from);
        }
        let budget = if post.message.file.is_some() { Budget::CAPTION } else { Budget::TEXT };
        let mut parts = html(&post.message, budget);
        if parts.is_empty() && post.message.file.is_some() {
            parts.push(String::new());
        }
        let mut there = self.parts.arrived(post);
        let mut receipt = Receipt { remote: there.first().map(i32::to_string), ..Receipt::default() };
        for (index, text) in parts.iter().enumerate().skip(post.parts_done as usize) {
            let file = post.message.file.as_ref().filter(|_| index == 0);
            let is_last = index + 1 == parts.len();
            let sent = self.part(post, text, file, is_last).await;
            let (answered, detail) = sent.map_err(|what| Failure { parts: index as u32, what })?;
            receipt.remote.get_or_insert_with(|| answered.value.message.to_string());
            receipt.skew_ms = answered.skew_ms;
            receipt.detail = receipt.detail.or(detail);
            there.push(answered.value.message);
            self.parts.note_arrived(post, &there);
        }
        self.parts.keep(there);
        Ok(receipt)
    }
}

/// The message and its topic, from what a receipt says: `17`, or `17@3` in a topic.
fn remote(text: &str) -> (Option<i32>, Option<i32>) {
    let (message, topic) = text.split_once('@').map_or((text, None), |(message, topic)| (message, Some(topic)));
    (message.parse().ok(), topic.and_then(|topic| topic.parse().ok()))
}

/// A part without any form, for a Telegram that refuses ours: its text. What is escaped in it stays so.
fn bare(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut in_tag = false;
    for letter in html.chars() {
        match letter {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            letter if !in_tag => text.push(letter),
            _ => {}
        }
    }
    text
}

/// What is to be done about an error. A failing server has most likely not done it; a call that left and was not answered may have.
fn failed(error: CallError) -> SendError {
    let words = error.to_string();
    match error {
        CallError::NotSent(cause) => never_left(cause),
        CallError::Unknown(cause) | CallError::Unreadable(cause) => SendError::Unknown(cause),
        CallError::Server { .. } | CallError::Migrated { .. } => SendError::Unreachable(words),
        CallError::Throttled { retry_after } => SendError::Throttled(retry_after),
        CallError::Refused { kind, description, .. } => match kind {
            Refusal::Blocked | Refusal::ChatGone | Refusal::Unauthorized => SendError::Shut(description),
            Refusal::MessageGone => SendError::Gone,
            Refusal::OtherCopy => SendError::Unreachable(description),
            Refusal::BadMarkup
            | Refusal::TooLong
            | Refusal::NotModified
            | Refusal::QueryTooOld
            | Refusal::TopicGone
            | Refusal::Undeletable
            | Refusal::Other => SendError::Rejected(description),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_once() {
        let refused = failed(CallError::NotSent("no connection: Connection refused".to_owned()));
        assert_eq!(refused.to_string(), "could not reach it: Connection refused");
        let cut = failed(CallError::Unknown("the answer was cut".to_owned()));
        assert_eq!(cut.to_string(), "no answer, it may have arrived: the answer was cut");
    }

    #[test]
    fn a_part_without_form_says_what_it_said() {
        let part = "<b>HALTED</b> a &lt;b&gt; &amp; <code>O12</code>\n<pre>x &gt; y</pre>\n(2/3)";
        assert_eq!(bare(part), "HALTED a &lt;b&gt; &amp; O12\nx &gt; y\n(2/3)");
    }
}
