//! How does a message become a letter? Headers that every try shares, the text, and the same as HTML beside it.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Address;
use lettre::error::Error;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{self, Body, Mailbox, MultiPart, MultiPartKind, SinglePart};

use crate::clock::Timestamp;
use crate::domain::{Attachment, AttachmentKind, Block, Message};
use crate::notify::Post;

use super::harmless::cleaned;
use super::plain;
use super::render_mail::letter_html;

/// How wide lines of text are; mail has been read in 80 columns for as long as there is mail.
const TEXT_COLUMNS: usize = 78;
/// The longest subject, in characters.
const SUBJECT_CHARS_MAX: usize = 150;
/// The longest name of an attachment, in characters.
const NAME_CHARS_MAX: usize = 100;
/// The last second that a date of mail can say, the end of the year 9999.
const DATE_MAX_MS: i64 = 253_402_300_799_000;

/// Between whom and when a letter goes, and by which name it is known.
pub(super) struct Envelope<'a> {
    /// Who it is from.
    pub(super) from: &'a Mailbox,
    /// Who gets it.
    pub(super) to: &'a Address,
    /// The same on each try: digits and letters.
    pub(super) id: &'a str,
    /// When.
    pub(super) at: Timestamp,
}

impl Envelope<'_> {
    /// The Message-ID.
    pub(super) fn message_id(&self) -> String {
        let domain = self.from.email.domain();
        let domain = if domain.bytes().all(|byte| byte.is_ascii_graphic()) { domain } else { "localhost" };
        format!("<{}@{domain}>", self.id)
    }
}

/// A letter, ready to be sent or kept.
///
/// # Errors
/// When the addresses make none.
pub(super) fn letter(post: &Post, envelope: &Envelope<'_>) -> Result<Vec<u8>, Error> {
    let since_1970 = Duration::from_millis(envelope.at.ms().clamp(0, DATE_MAX_MS).unsigned_abs());
    let mut builder = message::Message::builder()
        .from(envelope.from.clone())
        .to(Mailbox::new(None, envelope.to.clone()))
        .date(UNIX_EPOCH + since_1970)
        .message_id(Some(envelope.message_id()))
        .subject(subject(&post.message))
        // No holiday notice answers it (RFC 3834).
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()));
    if let Some(root) = post.reply_to.as_ref().filter(|root| is_message_id(root)) {
        builder = builder.in_reply_to(root.clone()).references(root.clone());
    }
    if let Some(number) = post.number {
        builder = builder.raw_header(header("X-Bellwether-Notice", number.to_string()));
    }
    Ok(builder.multipart(parts(&post.message, envelope.id))?.formatted())
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
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

/// What a receipt of ours may have said, and nothing else.
fn is_message_id(text: &str) -> bool {
    let inside = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let is_part = |byte: u8| byte.is_ascii_graphic() && !b"<>".contains(&byte);
    inside.is_some_and(|inside| inside.contains('@') && inside.len() < 500 && inside.bytes().all(is_part))
}

/// The text, then the HTML with its picture: readers show the last that they can. A document is attached to both.
fn parts(message: &Message, id: &str) -> MultiPart {
    let file = message.file.as_ref();
    let picture = file.filter(|file| file.kind == AttachmentKind::Picture);
    let document = file.filter(|file| file.kind == AttachmentKind::Document);
    let cid = format!("{id}.picture");
    let text = SinglePart::plain(plain(message, TEXT_COLUMNS));
    let html = SinglePart::html(letter_html(message, picture.map(|_| cid.as_str())));
    let both = group(MultiPartKind::Alternative, "a", id).singlepart(text);
    let both = match picture {
        None => both.singlepart(html),
        Some(file) => {
            let inline = message::Attachment::new_inline_with_name(cid, file_name(file));
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
