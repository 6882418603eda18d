//! What is somebody told, and what have they seen? Acknowledging, muting, hearing less of a kind; each is theirs alone.

use chrono_tz::Tz;

use crate::clock::{DAY_MS, Timestamp};
use crate::domain::format::{age, time};
use crate::domain::when::{Until, ends};
use crate::domain::{DIGEST, KINDS, Kind, LaneRule, NoticeId, Treatment, kind_named};
use crate::store::{AuditEntry, Own, StoreError};
use crate::views::Views;

use super::access::Role;
use super::command::{ArgError, LessOf, Personal};
use super::handle::{Chat, Inbound};
use super::seat::Place;

/// The longest mute in milliseconds, to its whole minute. Nothing is silenced for good by a word in passing.
const MUTE_MS_MAX: i64 = DAY_MS + 60_000;
/// What is said where the change was made before a restart.
pub(super) const DONE_BEFORE: &str = "Done, just before the bot was started anew";

pub(super) fn usage<T>(what: String) -> Result<T, ArgError> {
    Err(ArgError::Usage(what))
}

/// `/ack N42`, or `/ack` for the last one.
pub(super) fn ack(args: &[&str]) -> Result<Personal, ArgError> {
    args.first().map_or(Ok(Personal::Ack(None)), |text| Ok(Personal::Ack(Some(notice(text)?))))
}

/// The number of a message: `N42`, or `42`.
pub(super) fn notice(text: &str) -> Result<NoticeId, ArgError> {
    let digits = text.strip_prefix(['N', 'n']).unwrap_or(text);
    match digits.parse() {
        Ok(number @ 1..) if digits.len() <= 18 => Ok(NoticeId(number)),
        _ => usage(format!("\"{}\" is no number of a message: write it like N42", shown(text))),
    }
}

/// `/mute feed_stale 2h`, `/mute feed_stale off`.
pub(super) fn mute(args: &[&str]) -> Result<Personal, ArgError> {
    let kind = kind(args[0])?;
    if !kind.can_wait {
        return usage(format!("{} cannot be muted: it tells of what can ruin you", kind.name));
    }
    Ok(Personal::Mute { kind, lasts: args[1..].join(" ") })
}

/// When a mute that begins now ends; none where it ends now.
fn muted_until(lasts: &str, now: Timestamp, zone: Tz) -> Result<Option<Until>, ArgError> {
    let lasts = if lasts.is_empty() { "2h" } else { lasts };
    if lasts.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let words: Vec<&str> = lasts.split(' ').collect();
    let until = ends(&words, now, zone)?;
    if until.at.since(now) > MUTE_MS_MAX {
        return usage("a mute lasts from 1m to 24h; /less tells a kind more quietly for good".to_owned());
    }
    Ok(Some(until))
}

/// `/less feed_stale`, `/less N42`, `/less digest`, `/less feed_stale off`.
pub(super) fn less(args: &[&str]) -> Result<Personal, ArgError> {
    let off = args.get(1).is_some_and(|word| word.eq_ignore_ascii_case("off"));
    if args.len() > 1 && !off {
        return usage("use /less KIND, or /less KIND off for as it was".to_owned());
    }
    if args[0].eq_ignore_ascii_case(DIGEST) {
        return Ok(if off { Personal::UsualDigest } else { Personal::Less(LessOf::Digest) });
    }
    Ok(match kind(args[0]) {
        Ok(kind) if off => Personal::Usual(kind),
        Ok(kind) => Personal::Less(LessOf::Kind(kind)),
        Err(_) if !off && notice(args[0]).is_ok() => Personal::Less(LessOf::Notice(notice(args[0])?)),
        Err(error) => return Err(error),
    })
}

fn kind(text: &str) -> Result<&'static Kind, ArgError> {
    let name = text.to_ascii_lowercase();
    if let Some(kind) = kind_named(&name) {
        return Ok(kind);
    }
    let likeness = |kind: &&Kind| strsim::jaro_winkler(&name, kind.name);
    let near = KINDS.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|kind| likeness(kind) > 0.7);
    let near = near.map_or_else(|| ".".to_owned(), |near| format!(": did you mean {}?", near.name));
    usage(format!("there is no kind of message \"{}\"{near} /route lists them", shown(text)))
}

fn shown(text: &str) -> String {
    text.chars().take(32).flat_map(char::escape_debug).collect()
}

impl Chat {
    /// A row of the audit of what somebody did, and what came of it.
    pub(super) fn entry(&self, inbound: &Inbound, words: String, result: impl Into<String>) -> AuditEntry {
        let at = self.parts.clock.now();
        let (person, channel) = (inbound.person.name.clone(), inbound.chat.clone());
        AuditEntry { at, person, channel, words, preview: None, result: result.into() }
    }

    pub(super) fn acknowledge(
        &self,
        inbound: &Inbound,
        notice: Option<NoticeId>,
        views: &Views,
    ) -> Result<String, ArgError> {
        let acks = matches!(inbound.place, Place::Group { acks: true, .. });
        if inbound.person.role == Role::Viewer && !acks {
            return usage("/ack is not for viewers: it keeps others from being called".to_owned());
        }
        let (person, reader) = (&inbound.person.name, views.reader());
        let Some(notice) = notice.map_or_else(|| reader.unacknowledged(), |notice| Ok(Some(notice)))? else {
            return Ok("nothing asks to be acknowledged".to_owned());
        };
        if reader.notice(notice)?.is_none() {
            return usage(format!("there is no message {notice}"));
        }
        if self.parts.store.acknowledge(notice, person, &inbound.chat, self.parts.clock.now())? {
            return Ok(format!("{notice} acknowledged: nobody else is called for it. It ends nothing by itself"));
        }
        let Some(ack) = reader.ack(notice)? else { return Ok(DONE_BEFORE.to_owned()) };
        let at = time(ack.at, views.zone()?);
        Ok(format!("{notice} was acknowledged by {} on {} at {at}", ack.person, ack.channel))
    }

    pub(super) fn mute(
        &self,
        inbound: &Inbound,
        kind: &'static Kind,
        lasts: &str,
        views: &Views,
    ) -> Result<String, ArgError> {
        let now = self.parts.clock.now();
        let until = muted_until(lasts, now, views.zone()?)?;
        let entry = match &until {
            None => self.entry(inbound, format!("/mute {} off", kind.name), "told again"),
            Some(until) => {
                let result = format!("muted for {}", age(until.at.since(now)));
                self.entry(inbound, format!("/mute {}", kind.name), result)
            }
        };
        let what = Own::Mute { kind: kind.name.to_owned(), until: until.as_ref().map(|until| until.at) };
        let Some(()) = self.parts.store.change_own(entry, what)? else { return Ok(DONE_BEFORE.to_owned()) };
        let Some(until) = until else { return Ok(format!("{} is told again", kind.name)) };
        Ok(format!(
            "{} is muted {}; /missed shows what came meanwhile, /mute {} off ends it",
            kind.name, until.said, kind.name
        ))
    }

    /// The day's digest as a whole: none, or as it was.
    pub(super) fn digest(&self, inbound: &Inbound, wish: Option<Treatment>) -> Result<String, ArgError> {
        let (words, result) = match wish {
            None => ("/less digest off", "as configured"),
            Some(_) => ("/less digest", "no digest"),
        };
        let entry = self.entry(inbound, words.to_owned(), result);
        let Some(()) = self.wish(entry, DIGEST, wish)? else { return Ok(DONE_BEFORE.to_owned()) };
        if wish.is_none() {
            return Ok("The digest comes again, once a day".to_owned());
        }
        Ok("No digest any more: /missed shows what came, /less digest off undoes it".to_owned())
    }

    pub(super) fn less(&self, inbound: &Inbound, of: LessOf, views: &Views) -> Result<String, ArgError> {
        let person = &inbound.person.name;
        let kind = match of {
            LessOf::Digest => return self.digest(inbound, Some(Treatment::Off)),
            LessOf::Kind(kind) => kind,
            LessOf::Notice(notice) => {
                let fact = views.reader().notice(notice)?;
                let found = fact.and_then(|fact| kind_named(fact.event.kind.name()));
                found.map_or_else(|| usage(format!("there is no message {notice}")), Ok)?
            }
        };
        if !kind.can_wait {
            return usage(format!("{} is always told: it tells of what can ruin you", kind.name));
        }
        let now = self.parts.clock.now();
        let wishes = views.reader().wishes(person, now)?;
        let own = wishes.treatments.iter().find(|(name, _)| name == kind.name).map(|(_, treatment)| *treatment);
        let routes = views.reader().routes()?;
        let rule = routes.lanes.iter().find(|rule| rule.lane.who.as_str() == person);
        let was = own.unwrap_or_else(|| rule.map_or(kind.usual, |rule: &LaneRule| rule.treatment(kind)));
        let quieter = was.quieter();
        if quieter == was {
            return Ok(format!("{} is told {} already; \"off\" is said in bellwether.toml", kind.name, how(was)));
        }
        let entry = self.entry(inbound, format!("/less {}", kind.name), quieter.as_str());
        let Some(()) = self.wish(entry, kind.name, Some(quieter))? else { return Ok(DONE_BEFORE.to_owned()) };
        Ok(format!("From now on {} is told {}; /less {} off undoes it", kind.name, how(quieter), kind.name))
    }

    pub(super) fn usual(&self, inbound: &Inbound, kind: &'static Kind) -> Result<String, ArgError> {
        let entry = self.entry(inbound, format!("/less {} off", kind.name), "as configured");
        let Some(()) = self.wish(entry, kind.name, None)? else { return Ok(DONE_BEFORE.to_owned()) };
        Ok(format!("{} is told as it is configured", kind.name))
    }

    fn wish(&self, entry: AuditEntry, kind: &str, treatment: Option<Treatment>) -> Result<Option<()>, StoreError> {
        self.parts.store.change_own(entry, Own::Wish { kind: kind.to_owned(), treatment })
    }

    pub(super) fn drill(&self, inbound: &Inbound) -> Result<String, ArgError> {
        if inbound.person.role == Role::Viewer {
            return usage("/test is not for viewers: it writes to everybody".to_owned());
        }
        let said = (self.parts.drill)(inbound)?;
        self.parts.store.audit(self.entry(inbound, "/test".to_owned(), "sent"))?;
        Ok(said)
    }
}

/// How a treatment is said.
fn how(treatment: Treatment) -> &'static str {
    match treatment {
        Treatment::On => "at once",
        Treatment::Silent => "at once, without a sound",
        Treatment::Digest => "once a day, with the digest",
        Treatment::Off => "not at all",
    }
}
