//! How does a message become a letter? Headers that every try shares, the text, and the same as HTML beside it.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use lettre::Address;
use lettre::error::Error;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{self, Body, Mailbox, MultiPart, MultiPartKind, SinglePart};

use crate::clock::{Clock, Timestamp};
use crate::domain::{Attachment, AttachmentKind, Block, Message};
use crate::notify::Post;

use super::delivery_id::delivery_id;
use super::dkim::Signer;
use super::harmless::cleaned;
use super::plain;
use super::render_mail::{Below, letter_html, letter_text};

/// How wide lines of text are; mail has been read in 80 columns for as long as there is mail.
const TEXT_COLUMNS: usize = 78;
/// The longest subject, in characters.
const SUBJECT_CHARS_MAX: usize = 150;
/// The longest name of an attachment, in characters.
const NAME_CHARS_MAX: usize = 100;
/// The longest address that a header can carry on one line, with its name.
const ADDRESS_BYTES_MAX: usize = 900;
/// The last second that a date of mail can say, the end of the year 9999.
const DATE_MAX_MS: i64 = 253_402_300_799_000;
/// How the subject of every letter of a thread begins but the first.
const REPLY: &str = "Re: ";
/// No letter answers a letter: mail is not read here.
const AUTO_SUBMITTED: &str = "auto-generated";

/// What makes one person's letters.
pub struct Letters {
    from: Mailbox,
    to: Address,
    key: [u8; 32],
    clock: Arc<dyn Clock>,
    signer: Option<Arc<Signer>>,
    leave: Option<String>,
}

/// A letter, ready to be sent or kept.
pub(super) struct Letter {
    /// The same on each try: digits and letters.
    pub(super) id: String,
    /// What its thread is known by: the Message-ID, and after a space the subject.
    ///
    /// Readers put letters into one thread only if they name the same root and have the same subject, and of the root a later letter
    /// knows nothing but this. The pipeline keeps it as it is and hands it back as what the letter answers.
    pub(super) remote: String,
    /// Its bytes: ASCII, with the line ends of mail.
    pub(super) bytes: Vec<u8>,
}

impl Letters {
    /// Letters from `from` to `to`. `key` belongs to the database: names of letters come from it, so that those of another database
    /// differ.
    pub fn new(from: Mailbox, to: Address, key: [u8; 32], clock: Arc<dyn Clock>) -> Self {
        Self { from, to, key, clock, signer: None, leave: None }
    }

    /// The same, signed.
    #[must_use]
    pub fn signed(self, signer: Option<Arc<Signer>>) -> Self {
        Self { signer, ..self }
    }

    /// The same, whose digests say where they are left off: an address of https that takes a POST without anything else (RFC 8058).
    #[must_use]
    pub fn left_at(self, leave: Option<String>) -> Self {
        let leave = leave.filter(|url| url.starts_with("https://") && url.len() <= ADDRESS_BYTES_MAX);
        Self { leave: leave.filter(|url| url.bytes().all(|b| b.is_ascii_graphic() && !b"<>,".contains(&b))), ..self }
    }

    /// Who they are from.
    pub(super) fn from(&self) -> &Address {
        &self.from.email
    }

    /// Who gets them.
    pub(super) fn to(&self) -> &Address {
        &self.to
    }

    /// The steady clock.
    pub(super) fn steady(&self) -> Duration {
        self.clock.steady()
    }

    /// The letter that a message becomes.
    ///
    /// # Errors
    /// When the addresses make none.
    pub(super) fn letter(&self, post: &Post) -> Result<Letter, Error> {
        let at = self.clock.now();
        let id = delivery_id(&self.key, post, self.to.as_ref(), at);
        let message_id = self.message_id(&id);
        let root = post.reply_to.as_deref().and_then(root);
        let subject = match root.as_ref().and_then(|(_, subject)| subject.as_ref()) {
            Some(words) => format!("{REPLY}{words}"),
            None => subject(&post.message),
        };
        // A digest was asked for by nobody's message, and what was held had a number once: neither may be left off by mistake.
        let leave = self.leave.as_deref().filter(|_| post.message.is_digest && post.number.is_none());
        let mut builder = message::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, self.to.clone()))
            .date(UNIX_EPOCH + since_1970(at))
            .message_id(Some(message_id.clone()))
            .subject(subject.clone())
            // No holiday notice answers it (RFC 3834).
            .raw_header(header("Auto-Submitted", AUTO_SUBMITTED));
        if let Some((root, _)) = root {
            builder = builder.in_reply_to(root.to_owned()).references(root.to_owned());
        }
        if let Some(number) = post.number {
            builder = builder.raw_header(header("X-Bellwether-Notice", &number.to_string()));
        }
        if let Some(url) = leave {
            builder = builder
                .raw_header(header("List-Unsubscribe", &format!("<{url}>")))
                .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
        }
        let (kind, body) = whole(&parts(post, &id, leave));
        let mut letter = builder.header(MIME_VERSION_1_0).header(kind).body(body)?;
        if let Some(signer) = &self.signer {
            signer.sign(&mut letter);
        }
        Ok(Letter { id, remote: format!("{message_id} {subject}"), bytes: letter.formatted() })
    }

    fn message_id(&self, id: &str) -> String {
        let domain = self.from.email.domain();
        let domain = if domain.bytes().all(|byte| byte.is_ascii_graphic()) { domain } else { "localhost" };
        format!("<{id}@{domain}>")
    }
}

fn since_1970(at: Timestamp) -> Duration {
    Duration::from_millis(at.ms().clamp(0, DATE_MAX_MS).unsigned_abs())
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// The fact. Nothing that ends a line is left in it.
fn subject(message: &Message) -> String {
    let title = message.blocks.iter().find_map(|block| match block {
        Block::Title(line) => Some(line.plain()),
        _ => None,
    });
    let first = title.or_else(|| message.plain_lines().into_iter().find(|line| !line.trim().is_empty()));
    let words = cleaned(&first.unwrap_or_default(), SUBJECT_CHARS_MAX);
    if words.trim().is_empty() { "Bellwether".to_owned() } else { words.trim().to_owned() }
}

/// The Message-ID of a thread's root, and its subject where it is known, out of what a receipt of ours said; nothing else.
fn root(remote: &str) -> Option<(&str, Option<String>)> {
    let (id, subject) = remote.split_once(' ').map_or((remote, None), |(id, rest)| (id, Some(rest)));
    let inside = id.strip_prefix('<')?.strip_suffix('>')?;
    let is_part = |byte: u8| byte.is_ascii_graphic() && !b"<>".contains(&byte);
    if !inside.contains('@') || inside.len() >= 500 || !inside.bytes().all(is_part) {
        return None;
    }
    // What answers an answer answers the same root.
    let subject = subject.map(|words| cleaned(words, SUBJECT_CHARS_MAX).trim().trim_start_matches(REPLY).to_owned());
    Some((id, subject.filter(|words| !words.is_empty())))
}

/// The text, then the HTML with its picture: readers show the last that they can. A document is attached to both.
fn parts(post: &Post, id: &str, leave: Option<&str>) -> MultiPart {
    let message = &post.message;
    let file = message.file.as_ref();
    let picture = file.filter(|file| file.kind == AttachmentKind::Picture);
    let document = file.filter(|file| file.kind == AttachmentKind::Document);
    let cid = format!("{id}.picture");
    let below = Below { picture: picture.map(|_| cid.as_str()), leave };
    let text = SinglePart::plain(letter_text(&plain(message, TEXT_COLUMNS), leave));
    let html = SinglePart::html(letter_html(message, post.severity, &below));
    let both = group(MultiPartKind::Alternative, "a", id).singlepart(text);
    let both = match picture {
        None => both.singlepart(html),
        Some(file) => {
            let inline = message::Attachment::new_inline_with_name(cid.clone(), file_name(file));
            let inline = inline.body(exact(file), kind_of("image/png"));
            both.multipart(group(MultiPartKind::Related, "r", id).singlepart(html).singlepart(inline))
        }
    };
    match document {
        None => both,
        Some(file) => {
            let attached = message::Attachment::new(file_name(file));
            let attached = attached.body(exact(file), kind_of("application/octet-stream"));
            group(MultiPartKind::Mixed, "m", id).multipart(both).singlepart(attached)
        }
    }
}

/// The parts as one body, and its kind among the letter's own headers, where a signature covers it.
fn whole(parts: &MultiPart) -> (ContentType, Body) {
    let kind = parts.headers().get().expect("a group has a kind");
    let mut bytes = parts.formatted();
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").map_or(0, |end| end + 4);
    bytes.drain(..head);
    // Each part is encoded by itself, so that there are seven bits and short lines.
    (kind, Body::dangerous_pre_encoded(bytes, ContentTransferEncoding::SevenBit))
}

/// Its boundary comes from the letter's name, so that each try makes the same letter.
fn group(kind: MultiPartKind, mark: &str, id: &str) -> MultiPart {
    MultiPart::builder().kind(kind).boundary(format!("{mark}-{id}")).build()
}

/// To the last byte: in any other encoding the ends of its lines would be changed on the way.
fn exact(file: &Attachment) -> Body {
    let encoded = Body::new_with_encoding(file.bytes.clone(), ContentTransferEncoding::Base64);
    encoded.unwrap_or_else(|_| Body::new(file.bytes.clone()))
}

fn kind_of(name: &str) -> ContentType {
    ContentType::parse(name).expect("a type that is written above")
}

fn file_name(file: &Attachment) -> String {
    let sign = |letter: char| if letter.is_alphanumeric() || "-_. ".contains(letter) { letter } else { '_' };
    file.name.chars().take(NAME_CHARS_MAX).map(sign).collect()
}
