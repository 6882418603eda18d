//! What did somebody think of it? `/note` keeps words with a trade, an order, a message, a symbol or a day; `/tag` files it.

use crate::domain::format::{counted, is_hidden};
use crate::domain::{About, Label};
use crate::store::{Own, TagRow};
use crate::views::{ViewError, Views, about, books_about, count_notes, tag_words, tags_of};

use super::attention::{DONE_BEFORE, usage};
use super::command::{ArgError, Personal};
use super::handle::{Chat, Inbound};

/// The longest note, in characters.
const NOTE_CHARS_MAX: usize = 280;
/// The most notes to one thing.
const NOTES_MAX: usize = 20;
/// The most tags of one thing.
const TAGS_MAX: usize = 8;
/// What may stand around a note.
const QUOTES: [(char, char); 4] = [('"', '"'), ('\'', '\''), ('“', '”'), ('«', '»')];

/// `/note 17 "too early"`, `/note today quiet market`, `/note 17`.
pub(super) fn note(args: &[&str]) -> Result<Personal, ArgError> {
    let text: String = args[1..].join(" ").chars().filter(|letter| !is_hidden(*letter)).collect();
    let text = text.trim();
    let quoted = QUOTES.iter().find_map(|(from, to)| text.strip_prefix(*from)?.strip_suffix(*to));
    let text = quoted.unwrap_or(text).trim();
    let length = text.chars().count();
    if length > NOTE_CHARS_MAX {
        return usage(format!("a note has {NOTE_CHARS_MAX} characters at the most, and this has {length}"));
    }
    if text.is_empty() && args.len() > 1 {
        return usage("there is nothing to read in that note".to_owned());
    }
    Ok(Personal::Note { about: args[0].to_owned(), text: (!text.is_empty()).then(|| text.to_owned()) })
}

/// `/tag 17 impatient breakout`, `/tag 17 -breakout`, `/tag 17`.
pub(super) fn tag(args: &[&str]) -> Result<Personal, ArgError> {
    let (mut put, mut take) = (Vec::new(), Vec::new());
    for word in &args[1..] {
        let (name, all) = word.strip_prefix('-').map_or((*word, &mut put), |name| (name, &mut take));
        let name = name.trim_start_matches('#').trim_end_matches(',');
        let tag: Label = match name.parse() {
            Ok(tag) if name.starts_with(|first: char| first.is_ascii_alphabetic()) => tag,
            _ => {
                let shown: String = name.chars().take(24).flat_map(char::escape_debug).collect();
                return usage(format!("\"{shown}\" is no tag: use up to 23 of a-z 0-9 - _, a letter first"));
            }
        };
        all.push(tag);
    }
    Ok(Personal::Tag { about: args[0].to_owned(), put, take })
}

/// What is named and the books that it is about; that there is no such thing is a mistake here.
fn named(views: &Views, text: &str) -> Result<(About, Vec<Label>), ArgError> {
    let found = about(views, text).and_then(|about| Ok((about, books_about(views, about)?)));
    found.map_err(|error| match error {
        ViewError::Nothing(what) => ArgError::Usage(what),
        error => ArgError::View(error),
    })
}

impl Chat {
    pub(super) fn note(
        &self,
        inbound: &Inbound,
        what: &str,
        text: Option<String>,
        views: &Views,
    ) -> Result<String, ArgError> {
        let (about, books) = named(views, what)?;
        let count = count_notes(views, about)?;
        let Some(text) = text else {
            return Ok(match count {
                0 => format!("no note to {about} yet: /note {about} and your words keeps one"),
                count => format!("{} to {about}; /why {about} shows them", counted(count as u64, "note")),
            });
        };
        if count >= NOTES_MAX {
            return usage(format!("{about} has {NOTES_MAX} notes, which is the most"));
        }
        let entry = self.entry(inbound, format!("/note {about}"), "noted");
        let Some(()) = self.parts.store.change_own(entry, Own::Note { about: about.to_string(), books, text })? else {
            return Ok(DONE_BEFORE.to_owned());
        };
        Ok(format!("Noted on {about}; /why {about} shows it, /undo takes it back"))
    }

    pub(super) fn tag(
        &self,
        inbound: &Inbound,
        what: &str,
        (put, take): (&[Label], &[Label]),
        views: &Views,
    ) -> Result<String, ArgError> {
        let (about, books) = named(views, what)?;
        let before = tags_of(views, about)?;
        let is_there = |tag: &Label| before.iter().any(|row| row.tag == *tag);
        let words = format!("/tag {about} {}", typed(put, take));
        let at = self.parts.clock.now();
        let row = |tag: &Label| TagRow {
            about: about.to_string(),
            tag: *tag,
            books: books.clone(),
            person: inbound.person.name.clone(),
            at,
        };
        let put: Vec<TagRow> = put.iter().filter(|tag| !is_there(tag)).map(row).collect();
        let (taken, mut after): (Vec<TagRow>, Vec<TagRow>) =
            before.into_iter().partition(|row| take.contains(&row.tag));
        after.extend(put.iter().cloned());
        after.sort_unstable_by_key(|row| row.tag);
        after.dedup_by_key(|row| row.tag);
        if after.len() > TAGS_MAX {
            return usage(format!("{about} would have more than {TAGS_MAX} tags: /tag {about} -NAME takes one away"));
        }
        let tagged = match after.as_slice() {
            [] => format!("{about} has no tags"),
            after => format!("{about} is tagged {}", tag_words(after)),
        };
        if put.is_empty() && taken.is_empty() {
            return Ok(tagged);
        }
        let entry = self.entry(inbound, words, tagged.clone());
        let Some(()) = self.parts.store.change_own(entry, Own::Tags { put, take: taken })? else {
            return Ok(DONE_BEFORE.to_owned());
        };
        Ok(format!("{tagged}; /undo takes that back"))
    }
}

/// Tags as they are typed: `impatient -breakout`.
fn typed(put: &[Label], take: &[Label]) -> String {
    let all = put.iter().map(ToString::to_string).chain(take.iter().map(|tag| format!("-{tag}")));
    all.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<String>, String> {
        match note(&line.split_whitespace().collect::<Vec<_>>()) {
            Ok(Personal::Note { text, .. }) => Ok(text),
            Ok(other) => Err(format!("{other:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_note_is_what_was_typed_without_quotes_and_without_what_cannot_be_seen() {
        for (line, want) in [
            ("17", None),
            ("17 too early", Some("too early")),
            ("17 \"too early\"", Some("too early")),
            ("17 “zu früh”", Some("zu früh")),
            ("17 it's 5\" off", Some("it's 5\" off")),
            ("17 a\u{1b}[31m\n\nb\u{202e}c", Some("a[31m bc")),
        ] {
            assert_eq!(read(line), Ok(want.map(str::to_owned)), "{line:?}");
        }
        assert!(read("17 \u{200b}").is_err() && read("17 \"\"").is_err());
        assert!(read(&format!("17 {}", "a".repeat(NOTE_CHARS_MAX))).is_ok());
        assert!(
            read(&format!("17 {}", "a".repeat(NOTE_CHARS_MAX + 1))).is_err_and(|why| why.contains("and this has 281"))
        );
    }

    #[test]
    fn tags_are_plain_words() {
        let read = |line: &str| tag(&line.split_whitespace().collect::<Vec<_>>());
        let label = |text: &str| text.parse::<Label>().expect("a name");
        let want = Personal::Tag {
            about: "17".to_owned(),
            put: vec![label("impatient"), label("too-early")],
            take: vec![label("breakout")],
        };
        assert_eq!(read("17 Impatient, #too-early -breakout").ok(), Some(want));
        for wrong in ["17 --x", "17 2x", "17 a.b", "17 @all", "17 -", "17 é", "17 abcdefghijklmnopqrstuvwx"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
