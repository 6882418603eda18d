//! How does the first person get into `bellwether.toml`? Asked for, shown, and added at its end; what is there stays as it is.

use std::io::ErrorKind;
use std::path::PathBuf;

use chrono_tz::{TZ_VARIANTS, Tz};
use toml::de::{DeTable, DeValue};

use crate::chat::Person;
use crate::config::{Config, ConfigError, Environment, machine_zone, read, read_file};
use crate::domain::Label;

use super::AppError;
use super::setup::ask;
use super::shell::print;
use super::tools::write_file;

/// Where the configuration stands unless a file is named.
const USUAL: &str = "bellwether.toml";
const HEAD: &str = "# Everything that can stand here is in docs/CONFIGURATION.md.\n";

/// The configuration with somebody in it, and who sets it up.
pub(super) fn who(environment: &Environment) -> Result<(Config, Person), AppError> {
    let file = ConfigFile::read(environment)?;
    let config = if file.has_people { file.config()? } else { file.complete()? };
    let person = config.owner().cloned().ok_or_else(|| AppError::usage("nobody is configured"))?;
    if file.has_people {
        let zone = person.zone.map_or_else(|| "the book's zone".to_owned(), |zone| zone.to_string());
        print(&format!("1. You: {}, {zone}; done already, in {}", person.name, file.path.display()));
        if let (None, Some(zone)) = (person.zone, machine_zone()) {
            let head = format!("[[people]] of {}", person.name);
            print(&format!("   For times in this machine's zone, add below {head}: zone = \"{zone}\""));
        }
    }
    Ok((config, person))
}

/// What became of a line about a person.
pub(super) enum Told {
    /// It stands in the file.
    Written(Box<Config>),
    /// It means nothing, which was said.
    Wrong,
    /// Nobody but a person can write it there, which was said.
    ByHand,
}

/// Writes a line about a person into the file, below their name.
pub(super) fn tell_of(environment: &Environment, person: &str, line: &str) -> Result<Told, AppError> {
    let file = ConfigFile::read(environment)?;
    let Some(new) = file.text.as_deref().and_then(|text| with_line(text, person, line)) else {
        let path = file.path.display();
        print(&format!("   Add this below [[people]] of {person} in {path}, and call setup again:\n\n     {line}\n"));
        return Ok(Told::ByHand);
    };
    match read(&new, file.named.as_deref()) {
        Ok(config) => {
            write_file(&file.path, &new)?;
            print(&format!("   Written to {}", file.path.display()));
            Ok(Told::Written(Box::new(config)))
        }
        Err(error) => {
            print(&format!("   That cannot be: {error}"));
            Ok(Told::Wrong)
        }
    }
}

/// The text with a line below the name of a person, whose table has to be one of `[[people]]`.
fn with_line(text: &str, person: &str, line: &str) -> Option<String> {
    let top = DeTable::parse(text).ok()?;
    let DeValue::Array(people) = top.get_ref().get("people")?.get_ref() else { return None };
    let is_theirs = |name: &DeValue<'_>| matches!(name, DeValue::String(name) if name.eq_ignore_ascii_case(person));
    let names = people.iter().filter_map(|one| one.get_ref().as_table()?.get("name"));
    let name = names.into_iter().find(|name| is_theirs(name.get_ref()))?;
    let begin = text[..name.span().start].rfind('\n').map_or(0, |at| at + 1);
    // A table that is written in one line has no line of its own for the name.
    if text[begin..name.span().start].split('=').next()?.trim().trim_matches('"') != "name" {
        return None;
    }
    let end = text[name.span().end..].find('\n').map_or(text.len(), |at| name.span().end + at);
    Some(format!("{}\n{line}{}", &text[..end], &text[end..]))
}

/// The configuration as it stands.
struct ConfigFile {
    path: PathBuf,
    named: Option<PathBuf>,
    /// None where there is no file yet.
    text: Option<String>,
    has_people: bool,
}

impl ConfigFile {
    fn read(environment: &Environment) -> Result<Self, AppError> {
        let named = environment.config.clone();
        let text = match read_file(named.as_deref()) {
            Ok(text) => Some(text),
            Err(ConfigError::Read { cause, .. }) if cause.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let path = named.clone().unwrap_or_else(|| PathBuf::from(USUAL));
        // Through a link, what it points to is what is written.
        let path = path.canonicalize().unwrap_or(path);
        let people = |text: &String| DeTable::parse(text).is_ok_and(|table| table.get_ref().contains_key("people"));
        let has_people = text.as_ref().is_some_and(people);
        let file = Self { path, named, text, has_people };
        file.config()?;
        Ok(file)
    }

    fn config(&self) -> Result<Config, AppError> {
        Ok(read(self.text.as_deref().unwrap_or_default(), self.named.as_deref())?)
    }

    /// Asks who it is, and writes that down unless it is not wanted.
    fn complete(&self) -> Result<Config, AppError> {
        let (new, config) = loop {
            let (name, zone) = (name()?, zone()?);
            let new = self.with(name, zone);
            match read(&new, Some(&self.path)) {
                Ok(config) => break (new, config),
                Err(error) => print(&format!("   That cannot be: {error}")),
            }
        };
        if let Some(old) = &self.text {
            let added = new.strip_prefix(old.as_str()).unwrap_or(&new).trim();
            let path = self.path.display();
            let question = format!("   This comes at the end of {path}:\n\n{}\n\n   Add it? [Y/n] ", indented(added));
            if ask(&question)?.to_lowercase().starts_with('n') {
                print(&format!("   {path} stays as it is: you are \"owner\" until [[people]] stands there"));
                return self.config();
            }
        }
        write_file(&self.path, &new)?;
        print(&format!("   Written to {}", self.path.display()));
        Ok(config)
    }

    /// The file with one more person at its end.
    fn with(&self, name: Label, zone: Tz) -> String {
        let old = self.text.as_deref().unwrap_or(HEAD);
        let end = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
        format!("{old}{end}\n[[people]]\nname = \"{name}\"\nrole = \"owner\"\nzone = \"{zone}\"\n")
    }
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("     {line}")).collect();
    lines.join("\n")
}

fn name() -> Result<Label, AppError> {
    loop {
        let typed = ask("1. Your name, as messages and routes call you [owner]: ")?;
        let typed = if typed.is_empty() { "owner" } else { typed.as_str() };
        match typed.parse() {
            Ok(name) => return Ok(name),
            Err(error) => print(&format!("   {error}")),
        }
    }
}

fn zone() -> Result<Tz, AppError> {
    let guess = machine_zone().unwrap_or(Tz::UTC);
    loop {
        let typed = ask(&format!("   The time zone of your messages [{guess}]: "))?;
        if typed.is_empty() {
            return Ok(guess);
        }
        match TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(&typed.replace(' ', "_"))) {
            Some(zone) => return Ok(*zone),
            None => print("   There is no such zone: write it like Europe/Lisbon or America/New_York"),
        }
    }
}
