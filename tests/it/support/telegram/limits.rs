//! How much does Telegram take? The figures of its documentation, and the checks of lengths.

use super::params::Params;
use super::refusal::Refusal;
use super::text::{Shown, units};

/// UTF-16 code units of a message after parsing.
pub(super) const TEXT: usize = 4096;
/// UTF-16 code units of a caption after parsing.
pub(super) const CAPTION: usize = 1024;
pub(super) const CALLBACK_DATA_BYTES: usize = 64;
pub(super) const BUTTONS: usize = 100;
pub(super) const BUTTONS_IN_A_ROW: usize = 8;
pub(super) const COPY_TEXT: usize = 256;
pub(super) const PLACEHOLDER: usize = 64;
pub(super) const COMMANDS: usize = 100;
pub(super) const COMMAND_NAME: usize = 32;
pub(super) const COMMAND_DESCRIPTION: usize = 256;
pub(super) const TOPIC_NAME: usize = 128;
pub(super) const CALLBACK_ANSWER: usize = 200;
pub(super) const ALBUM: std::ops::RangeInclusive<usize> = 2..=10;
pub(super) const DELETED_AT_ONCE: usize = 100;
pub(super) const PHOTO_BYTES: usize = 10 * 1024 * 1024;
pub(super) const DOCUMENT_BYTES: usize = 50 * 1024 * 1024;
/// Width and height of a photo, added.
pub(super) const PHOTO_SIDES: u64 = 10_000;
pub(super) const PHOTO_RATIO: u64 = 20;
/// A bot deletes only what is younger.
pub(super) const DELETE_WITHIN_MS: u64 = 48 * 3_600_000;
pub(super) const UPDATE_KEPT_MS: u64 = 24 * 3_600_000;
pub(super) const CALLBACK_LIFE_MS: u64 = 15_000;

/// The text of a message that is sent (`MESSAGE_TOO_LONG` is what an edit hears).
///
/// # Errors
/// No text, too much text, or text that cannot be parsed.
pub(super) fn message_text(params: &Params, edit: bool) -> Result<Shown, Refusal> {
    let shown = Shown::read(params, "text", "entities")?;
    match shown.units() {
        0 => Err(Refusal::bad("message text is empty")),
        1..=TEXT => Ok(shown),
        _ if edit => Err(Refusal::bad("MESSAGE_TOO_LONG")),
        _ => Err(Refusal::bad("message is too long")),
    }
}

/// # Errors
/// A caption that is too long or cannot be parsed.
pub(super) fn caption(params: &Params) -> Result<Shown, Refusal> {
    let shown = Shown::read(params, "caption", "caption_entities")?;
    if shown.units() > CAPTION { Err(Refusal::bad("message caption is too long")) } else { Ok(shown) }
}

/// Whether the text has 1 to `most` UTF-16 code units.
pub(super) fn within(text: &str, most: usize) -> bool {
    (1..=most).contains(&units(text))
}
