//! What is somebody told, and what have they seen? Acknowledging, muting, hearing less of a kind; each is theirs alone.

use crate::domain::format::{age, time};
use crate::domain::{DIGEST, KINDS, Kind, LaneRule, NoticeId, Treatment, kind_named};
use crate::store::AuditEntry;
use crate::views::Views;

use super::access::Role;
use super::command::{ArgError, LessOf, Personal};
use super::handle::{Chat, Inbound};
use super::seat::Place;

/// The longest mute, in milliseconds. Nothing is silenced for good by a word in passing.
const MUTE_MS_MAX: i64 = 24 * 60 * MINUTE_MS;
const MINUTE_MS: i64 = 60_000;
/// What is said where the change was made before a restart.
pub(super) const DONE_BEFORE: &str = "Done, just before the bot was started anew";

fn usage<T>(what: String) -> Result<T, ArgError> {
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
    let for_ms = match args.get(1) {
        None => Some(2 * 60 * MINUTE_MS),
        Some(word) if word.eq_ignore_ascii_case("off") => None,
        Some(word) => Some(stretch(word)?),
    };
    Ok(Personal::Mute { kind, for_ms })
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

/// `15m`, `2h`, `1d`.
fn stretch(text: &str) -> Result<i64, ArgError> {
    let units = [('m', MINUTE_MS), ('h', 60 * MINUTE_MS), ('d', 24 * 60 * MINUTE_MS)];
    let found = units.into_iter().find_map(|(unit, ms)| Some((text.strip_suffix(unit)?.parse::<u32>().ok()?, ms)));
    match found {
        Some((count @ 1..=10_000, ms)) if i64::from(count) * ms <= MUTE_MS_MAX => Ok(i64::from(count) * ms),
        Some(_) => usage("a mute lasts from 1m to 24h; /less tells a kind more quietly for good".to_owned()),
        None => usage(format!("\"{}\" is no stretch of time: write it like 15m or 2h", shown(text))),
    }
}

impl Chat {
    fn noted(&self, inbound: &Inbound, words: String, result: &str) -> Result<(), ArgError> {
        let at = self.parts.clock.now();
        let (person, channel) = (inbound.person.name.clone(), inbound.chat.clone());
        self.parts.store.audit(AuditEntry { at, person, channel, words, result: result.to_owned() })?;
        Ok(())
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
        let (channel, now) = (channel_of(&inbound.chat), self.parts.clock.now());
        if self.parts.store.acknowledge(notice, person, channel, now)? {
            self.noted(inbound, format!("/ack {notice}"), "acknowledged")?;
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
        for_ms: Option<i64>,
        views: &Views,
    ) -> Result<String, ArgError> {
        let now = self.parts.clock.now();
        let until = now.plus_ms(for_ms.unwrap_or(0));
        let Some(()) = self.parts.store.mute(&inbound.person.name, kind.name, until)? else {
            return Ok(DONE_BEFORE.to_owned());
        };
        let Some(for_ms) = for_ms else {
            self.noted(inbound, format!("/mute {} off", kind.name), "told again")?;
            return Ok(format!("{} is told again", kind.name));
        };
        self.noted(inbound, format!("/mute {}", kind.name), &format!("muted for {}", age(for_ms)))?;
        let until = time(until, views.zone()?);
        Ok(format!(
            "{} is muted until {until}; /missed shows what came meanwhile, /mute {} off ends it",
            kind.name, kind.name
        ))
    }

    /// The day's digest as a whole: none, or as it was.
    pub(super) fn digest(&self, inbound: &Inbound, wish: Option<Treatment>) -> Result<String, ArgError> {
        let now = self.parts.clock.now();
        let Some(()) = self.parts.store.wish(&inbound.person.name, DIGEST, wish, now)? else {
            return Ok(DONE_BEFORE.to_owned());
        };
        if wish.is_none() {
            self.noted(inbound, "/less digest off".to_owned(), "as configured")?;
            return Ok("The digest comes again, once a day".to_owned());
        }
        self.noted(inbound, "/less digest".to_owned(), "no digest")?;
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
        let Some(()) = self.parts.store.wish(person, kind.name, Some(quieter), now)? else {
            return Ok(DONE_BEFORE.to_owned());
        };
        self.noted(inbound, format!("/less {}", kind.name), quieter.as_str())?;
        Ok(format!("From now on {} is told {}; /less {} off undoes it", kind.name, how(quieter), kind.name))
    }

    pub(super) fn usual(&self, inbound: &Inbound, kind: &'static Kind) -> Result<String, ArgError> {
        let now = self.parts.clock.now();
        let Some(()) = self.parts.store.wish(&inbound.person.name, kind.name, None, now)? else {
            return Ok(DONE_BEFORE.to_owned());
        };
        self.noted(inbound, format!("/less {} off", kind.name), "as configured")?;
        Ok(format!("{} is told as it is configured", kind.name))
    }

    pub(super) fn drill(&self, inbound: &Inbound) -> Result<String, ArgError> {
        if inbound.person.role == Role::Viewer {
            return usage("/test is not for viewers: it writes to everybody".to_owned());
        }
        Ok((self.parts.drill)(inbound)?)
    }
}

/// The channel of a chat, as people know it.
fn channel_of(chat: &str) -> &str {
    chat.split(':').next().unwrap_or(chat)
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
