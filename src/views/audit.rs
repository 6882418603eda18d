//! Who changed what? The rows of the audit in words, for whoever may see them.

use std::fmt::Write as _;

use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::domain::format::{counted, time};
use crate::domain::when::since_words;
use crate::domain::{AuditId, preview_words};
use crate::store::{AuditFound, AuditQuery};

use super::delivery::lines_of;
use super::open::{ViewError, Views};

/// Rows of one answer: as many as a phone shows without much scrolling.
const ROWS_SHOWN: usize = 10;
/// Facts of one row that are shown.
const EVENTS_SHOWN: usize = 20;
/// Characters of a line in the list.
const LINE_CHARS: usize = 120;

/// Which changes somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changes<'a> {
    /// Whose; everybody's that they may see where it is none.
    pub person: Option<&'a str>,
    /// From when on.
    pub since: Option<Timestamp>,
    /// Those before this one.
    pub before: Option<AuditId>,
}

/// The answer to `/audit`: what was changed by whom, the newest first.
///
/// # Errors
/// When there is none, it is not theirs to see, or the store cannot be read.
pub fn changes(views: &Views, of: Changes<'_>) -> Result<String, ViewError> {
    let Changes { person, since, before } = of;
    let nothing = |what: &str| Err(ViewError::Nothing(what.to_owned()));
    if person.is_some_and(|person| !views.reader().may_see_changes_of(person)) {
        return nothing("you see your own changes alone: /audit");
    }
    let query = AuditQuery { person, since, before, rows_max: ROWS_SHOWN as u32 + 1 };
    let rows = views.reader().changes(query)?;
    if rows.is_empty() {
        return nothing("no such change is recorded");
    }
    let zone = views.zone()?;
    let mut text = String::from("Changes, the newest first:\n");
    for found in rows.iter().take(ROWS_SHOWN) {
        write_change(&mut text, found, zone);
    }
    if let Some(last) = rows.get(ROWS_SHOWN - 1).filter(|_| rows.len() > ROWS_SHOWN) {
        let whose = person.map(|person| format!(" {person}")).unwrap_or_default();
        let since = since.map(|at| format!(" {}", since_words(at, views.wall(), zone))).unwrap_or_default();
        let _ = writeln!(text, "older ones: /audit{whose} before {}{since}", last.row.seq);
    }
    let newest = rows[0].row.seq;
    let _ = write!(text, "/audit {newest} shows one whole");
    Ok(text)
}

fn write_change(text: &mut String, found: &AuditFound, zone: Tz) {
    let entry = &found.row.entry;
    let _ = writeln!(text, "{} · {}", head(found, zone), clipped(&words(&entry.words)));
    if let Some(shown) = shown(found, zone) {
        let _ = writeln!(text, "  shown: {}", clipped(&shown));
    }
    let _ = writeln!(text, "  {}", clipped(found.came.as_ref().unwrap_or(&entry.result)));
}

/// `17 · 2026-11-20 16:03 EST · ana · terminal`.
fn head(found: &AuditFound, zone: Tz) -> String {
    let entry = &found.row.entry;
    format!("{} · {} · {} · {}", found.row.seq, time(entry.at, zone), entry.person, entry.channel)
}

/// The preview as it was read by whoever confirmed it.
fn shown(found: &AuditFound, zone: Tz) -> Option<String> {
    let stored = found.row.entry.preview.as_ref()?;
    let preview = serde_json::from_str(stored).map(|preview| preview_words(&preview, zone));
    Some(preview.unwrap_or_else(|_| stored.clone())).filter(|words| !words.is_empty())
}

/// The first line, short enough for a list.
fn clipped(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    if first.chars().count() <= LINE_CHARS && first.len() == text.trim_end().len() {
        return first.to_owned();
    }
    first.chars().take(LINE_CHARS).collect::<String>() + "…"
}

/// What was typed. Older versions wrote a change that was carried out as they stored it: `{"control":"book","action":"stop"}`.
fn words(stored: &str) -> String {
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(stored) else { return stored.to_owned() };
    let Some(name) = fields.get("control").and_then(|name| name.as_str()) else { return stored.to_owned() };
    let rest = fields.iter().filter(|(key, _)| *key != "control").filter_map(|(_, value)| value.as_str());
    format!("/{}", std::iter::once(name).chain(rest).collect::<Vec<_>>().join(" "))
}

/// The answer to `/audit 17`: one row whole, with what came of it.
///
/// # Errors
/// When there is no such row that they may see, or the store cannot be read.
pub fn change(views: &Views, id: AuditId) -> Result<String, ViewError> {
    let Some(found) = views.reader().change(id)? else {
        return Err(ViewError::Nothing(format!("there is no change {id} that you may see; /audit lists them")));
    };
    let zone = views.zone()?;
    let entry = &found.row.entry;
    let mut text = format!("{}\n{}\n", head(&found, zone), words(&entry.words));
    if let Some(shown) = shown(&found, zone) {
        text.push_str("Shown before:\n");
        shown.lines().for_each(|line| {
            let _ = writeln!(text, "  {line}");
        });
    }
    match (&found.settles, &found.came) {
        (Some(confirmed), _) => {
            let _ = writeln!(text, "What came of {confirmed}: {}", entry.result);
        }
        (None, Some(came)) => {
            let _ = writeln!(text, "{}, then: {came}", entry.result);
        }
        (None, None) => {
            let _ = writeln!(text, "{}", entry.result);
        }
    }
    write_events(&mut text, views, id, zone)?;
    let hash: String = found.row.hash.chars().take(12).collect();
    let _ = write!(text, "hash {hash}…");
    Ok(text)
}

fn write_events(text: &mut String, views: &Views, id: AuditId, zone: Tz) -> Result<(), ViewError> {
    let events = views.reader().journal_of_change(id)?;
    if events.is_empty() {
        return Ok(());
    }
    text.push_str("What happened by it:\n");
    for row in events.iter().take(EVENTS_SHOWN) {
        let notice = row.notice.map(|notice| format!(" · {notice}")).unwrap_or_default();
        let line = lines_of(views, &row.event)?.into_iter().next().unwrap_or_default();
        let _ = writeln!(text, "  {} {}{notice}: {line}", time(row.event.at, zone), row.event.kind.name());
    }
    if events.len() > EVENTS_SHOWN {
        let _ = writeln!(text, "  and {} more", counted((events.len() - EVENTS_SHOWN) as u64, "event"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_older_versions_stored_is_read_as_it_was_typed() {
        for (stored, want) in [
            ("/close AAPL 50%", "/close AAPL 50%"),
            (r#"{"control":"halt"}"#, "/halt"),
            (r#"{"control":"unlock","symbol":"AAPL","books":["a","b"]}"#, "/unlock AAPL"),
            (r#"{"control":"book","action":"stop","book":"main"}"#, "/book stop main"),
            (r#"{"other":1}"#, r#"{"other":1}"#),
            ("[1]", "[1]"),
        ] {
            assert_eq!(words(stored), want);
        }
    }

    #[test]
    fn a_line_of_the_list_is_one_short_line() {
        assert_eq!(clipped("done"), "done");
        assert_eq!(clipped("sells 50 AAPL\ncash after: 1"), "sells 50 AAPL…");
        assert_eq!(clipped(&"x".repeat(500)).chars().count(), LINE_CHARS + 1);
        assert_eq!(clipped(""), "");
    }
}
