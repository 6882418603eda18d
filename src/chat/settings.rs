//! How does somebody want to be written to? `/settings`: zone, quiet hours, digest, and how figures are written; over what the file says.

use std::path::Path;

use chrono_tz::{TZ_VARIANTS, Tz};

use crate::domain::format::{is_hidden, time};
use crate::domain::{LaneRule, Preference, Preferences, Style};
use crate::store::{Own, Reader};
use crate::views::Views;

use super::access::Person;
use super::attention::{DONE_BEFORE, usage};
use super::command::{ArgError, Personal, Setting};
use super::complete::Choice;
use super::handle::{Chat, Inbound};

/// What goes back to the file.
const USUAL: &str = "usual";
/// How like a zone must be to what was typed to be suggested.
const LIKENESS_MIN: f64 = 0.8;

/// `/settings`, `/settings zone Europe/Lisbon`, `/settings quiet 22:00 to 07:00`, `/settings usual`.
pub(super) fn settings(args: &[&str]) -> Result<Personal, ArgError> {
    let wanted = |setting| Ok(Personal::Settings(setting));
    let Some((first, rest)) = args.split_first() else { return wanted(Setting::Show) };
    let (key, value) = (first.to_ascii_lowercase(), rest.join(" "));
    if key == USUAL && rest.is_empty() {
        return wanted(Setting::Usual(None));
    }
    let (key, value) = match (key.as_str(), value.as_str()) {
        ("decimals", ",") => ("numbers", "1.234,56"),
        ("decimals", ".") => ("numbers", "1,234.56"),
        ("decimals", value) => ("numbers", value),
        (key, value) => (key, value),
    };
    let Some(key) = Preference::KEYS.into_iter().find(|known| *known == key) else {
        let shown: String = key.chars().take(24).flat_map(char::escape_debug).collect();
        return usage(format!("there is no setting \"{shown}\": there are {}", Preference::KEYS.join(", ")));
    };
    match value {
        "" => wanted(Setting::Show),
        USUAL => wanted(Setting::Usual(Some(key))),
        value if key == "zone" => wanted(Setting::Set(Preference::Zone(zone(value)?))),
        value => wanted(Setting::Set(Preference::read(key, value).map_err(ArgError::Usage)?)),
    }
}

/// The zone of this name, or the one that is meant.
fn zone(text: &str) -> Result<Tz, ArgError> {
    // A name that was copied from a chat has joiners in it.
    let visible = text.chars().filter(|letter| !is_hidden(*letter)).take(40);
    let text: String = visible.map(|letter| if letter == ' ' { '_' } else { letter }).collect();
    if let Some(zone) = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(&text)) {
        return Ok(*zone);
    }
    let typed = text.to_ascii_lowercase();
    let likeness = |zone: &&Tz| {
        let name = zone.name().to_ascii_lowercase();
        let city = name.rsplit('/').next().unwrap_or_default();
        strsim::jaro_winkler(&typed, city).max(strsim::jaro_winkler(&typed, &name))
    };
    let near = TZ_VARIANTS.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let near = near.filter(|near| likeness(near) > LIKENESS_MIN).map(|near| format!(": did you mean {near}?"));
    let shown: String = text.chars().flat_map(char::escape_debug).collect();
    usage(format!("\"{shown}\" is no time zone{}", near.unwrap_or_else(|| "; write it like Europe/Lisbon".to_owned())))
}

/// What may stand behind the name of a setting.
pub(super) fn values_of(before: &[&str]) -> Vec<Choice> {
    let fixed = |words: &[&str]| words.iter().map(|word| Choice::new(word, "")).collect::<Vec<_>>();
    let mut values = match before.first().copied().unwrap_or_default() {
        "zone" => TZ_VARIANTS.iter().map(|zone| Choice::new(zone.name(), "")).collect(),
        "quiet" => fixed(&["22:00 to 07:00", "23:00 to 08:00", "off"]),
        "digest" => fixed(&["07:00", "08:00", "09:00", "18:00"]),
        "numbers" => fixed(&["1,234.56", "1.234,56", "1 234,56"]),
        "dates" => fixed(&["2026-11-21", "21.11.2026", "11/21/2026"]),
        "hours" => fixed(&["24", "12"]),
        _ => return Vec::new(),
    };
    values.insert(0, Choice::new(USUAL, "as in the file"));
    values
}

/// How figures are written for somebody now. Where that cannot be read it is as in the file.
pub(super) fn style_of(person: &Person, database: &Path) -> Style {
    let set = Reader::open(database).and_then(|reader| reader.preferences(&person.name));
    set.unwrap_or_default().style(person.style)
}

impl Chat {
    /// The same chat, whose answers are written for their reader by whoever asked.
    #[must_use]
    pub fn plain(&self) -> Self {
        Self { is_plain: true, ..self.clone() }
    }

    pub(super) fn style_of(&self, person: &Person) -> Style {
        if self.is_plain { Style::default() } else { style_of(person, &self.parts.database) }
    }

    pub(super) fn settings(&self, inbound: &Inbound, wanted: Setting, views: &Views) -> Result<String, ArgError> {
        let set = views.reader().preferences()?;
        let (words, result, rows) = match wanted {
            Setting::Show => return shown(inbound, &set, views),
            Setting::Set(preference) => {
                let (key, value) = (preference.key(), preference.to_string());
                (format!("/settings {key} {value}"), "set", vec![(key.to_owned(), Some(value))])
            }
            Setting::Usual(Some(key)) => {
                (format!("/settings {key} {USUAL}"), "as in the file", vec![(key.to_owned(), None)])
            }
            Setting::Usual(None) => {
                let rows = Preference::KEYS.into_iter().filter(|key| set.get(key).is_some());
                let rows: Vec<_> = rows.map(|key| (key.to_owned(), None)).collect();
                (format!("/settings {USUAL}"), "as in the file", rows)
            }
        };
        if rows.iter().all(|(key, value)| set.get(key).map(ToString::to_string) == *value) {
            return Ok("That is so already: /settings shows all".to_owned());
        }
        let entry = self.entry(inbound, words, result);
        let Some(()) = self.parts.store.change_own(entry, Own::Prefer { rows })? else {
            return Ok(DONE_BEFORE.to_owned());
        };
        let now = self.parts.clock.now();
        Ok(match wanted {
            Setting::Set(Preference::Zone(zone)) => {
                format!("Times are those of {} from now on: it is {}", zone.name(), time(now, zone))
            }
            Setting::Set(Preference::Quiet(None)) => {
                "No quiet hours from now on; what was held comes when it was to come".to_owned()
            }
            Setting::Set(preference @ Preference::Quiet(Some(_))) => {
                format!("Quiet from {preference} from now on: only what cannot wait comes then")
            }
            Setting::Set(preference) => format!("From now on: {}", said(&preference)),
            Setting::Usual(Some(key)) => format!("{key} is as in the file again"),
            Setting::Usual(None) | Setting::Show => "All is as in the file again".to_owned(),
        })
    }
}

/// A setting with its value, in words that the reader's style rewrites.
fn said(preference: &Preference) -> String {
    match preference {
        Preference::Zone(zone) => format!("zone {}", zone.name()),
        Preference::Quiet(None) => "no quiet hours".to_owned(),
        Preference::Quiet(Some(hours)) => format!("quiet hours {hours}"),
        Preference::Digest(at) => format!("digest at {}", at.format("%H:%M")),
        Preference::Numbers(_) => "numbers like 1,234.56".to_owned(),
        Preference::Dates(_) => "dates like 2026-11-21".to_owned(),
        Preference::Hours(_) => "hours like 15:30".to_owned(),
    }
}

/// What holds for whoever asks, and where each comes from.
fn shown(inbound: &Inbound, set: &Preferences, views: &Views) -> Result<String, ArgError> {
    let person = &inbound.person;
    let routes = views.reader().routes()?;
    let rule: Option<&LaneRule> = routes.lanes.iter().find(|rule| rule.lane.who.as_str() == person.name);
    let mut all = vec![Preference::Zone(views.zone()?), Preference::Quiet(set.quiet(rule.and_then(|rule| rule.quiet)))];
    all.extend(rule.and_then(|rule| rule.digest).map(|at| Preference::Digest(set.digest(at))));
    let style = set.style(person.style);
    all.extend([Preference::Numbers(style.numbers), Preference::Dates(style.dates), Preference::Hours(style.hours)]);
    let line = |one: &Preference| {
        let whence = match one {
            one if set.get(one.key()).is_some() => "set in a chat",
            Preference::Zone(_) if person.zone.is_none() => "the book's",
            _ => "as in the file",
        };
        format!("{} · {whence}", said(one))
    };
    let mut lines: Vec<String> = all.iter().map(line).collect();
    lines.push("/settings quiet 22:00 to 07:00 sets one, /settings usual goes back to the file".to_owned());
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_name_and_guessed_by_its_city() {
        assert_eq!(zone("europe/lisbon").ok(), Some(Tz::Europe__Lisbon));
        assert_eq!(zone("Europe/\u{2060}Lisbon").ok(), Some(Tz::Europe__Lisbon));
        assert_eq!(zone("america/new york").ok(), Some(Tz::America__New_York));
        for (typed, near) in
            [("Lisbon", "Europe/Lisbon"), ("Europe/Lisbo", "Europe/Lisbon"), ("new york", "America/New_York")]
        {
            let why = zone(typed).expect_err("a guess").to_string();
            assert!(why.ends_with(&format!("did you mean {near}?")), "{why}");
        }
        assert!(zone("\u{1b}[31mzzzzqq").expect_err("none").to_string().ends_with("write it like Europe/Lisbon"));
    }

    #[test]
    fn settings_are_said_in_one_way() {
        let read = |line: &str| settings(&line.split_whitespace().collect::<Vec<_>>());
        for (line, want) in [
            ("", Setting::Show),
            ("zone", Setting::Show),
            ("usual", Setting::Usual(None)),
            ("zone usual", Setting::Usual(Some("zone"))),
            ("QUIET off", Setting::Set(Preference::Quiet(None))),
            ("decimals ,", Setting::Set(Preference::Numbers(crate::domain::NumberStyle::Dot))),
            ("numbers 1 234,56", Setting::Set(Preference::Numbers(crate::domain::NumberStyle::Space))),
        ] {
            assert_eq!(read(line).ok(), Some(Personal::Settings(want)), "{line}");
        }
        for wrong in ["colour red", "quiet 22:00", "hours 13", "digest noon", "numbers 1'234"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
