//! What do `[[people]]` and `[[groups]]` say? Who they are, where they are reached, what they may see and how they want to be told.

use chrono::NaiveTime;
use chrono_tz::Tz;
use lettre::Address;

use crate::chat::{Person, Role};
use crate::domain::{ChannelKind, KINDS, Kind, Label, Lane, Money, Quiet, Ratio, Style, Treatment, kind_named};
use crate::notify::has_amount;

use super::configured::Config;
use super::phone::Phone;
use super::value::{
    Mistake, Read, Table, Value, book, books, boolean, check_keys, each_of_few, integer, mistake, nearest, number,
    read_text, shown, starts, table_of, text, time_of_day, zone,
};

/// Most people, and most groups.
const PEOPLE_MAX: usize = 100;
/// The largest threshold.
const AMOUNT_MAX: i64 = 1_000_000_000;
/// The largest number of an account or a chat: they have 52 bits.
const CHAT_MAX: i64 = 1 << 52;
/// When a digest comes unless it is said.
const EIGHT: NaiveTime = NaiveTime::from_hms_opt(8, 0, 0).expect("a time of the day");

/// Where a person is on Telegram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TelegramAddress {
    /// The account's number.
    pub user: i64,
    /// The number of the chat that messages go to.
    pub chat: i64,
}

/// Where a person is on Discord.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscordAddress {
    /// The account's number.
    pub user: i64,
    /// The number of the channel that messages go to; the conversation with the bot alone where it is none.
    pub channel: Option<i64>,
}

/// A person as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonConfig {
    /// Who, and what they may do and see.
    pub person: Person,
    /// Their account on Telegram, if it stands in the file.
    pub telegram: Option<TelegramAddress>,
    /// Their account on Discord.
    pub discord: Option<DiscordAddress>,
    /// Where their short messages go.
    pub phone: Option<Phone>,
    /// Where their mail goes.
    pub email: Option<Address>,
    /// When they are not to be woken.
    pub quiet: Option<Quiet>,
    /// When their digest comes.
    pub digest: NaiveTime,
    /// How they want kinds to be told, where that is not the usual way.
    pub tell: Vec<(String, Treatment)>,
    /// What is about less comes with the digest, by kind.
    pub above: Vec<(String, Money)>,
}

impl PersonConfig {
    /// An owner of this name with nothing but defaults.
    pub fn usual(name: String) -> Self {
        Self {
            person: Person { name, role: Role::Owner, zone: None, books: None, style: Style::default() },
            telegram: None,
            discord: None,
            phone: None,
            email: None,
            quiet: None,
            digest: EIGHT,
            tell: Vec::new(),
            above: Vec::new(),
        }
    }
}

/// What a group is told of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amounts {
    /// Amounts.
    Full,
    /// Shares of what the book began with.
    Shares,
}

/// A group on Telegram or a channel on Discord: it is told, and whoever is in it may look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupConfig {
    /// Its name here.
    pub name: Label,
    /// Where it is.
    pub channel: ChannelKind,
    /// Its number; below zero on Telegram.
    pub chat: i64,
    /// The books that it may see; all where it is none.
    pub books: Option<Vec<Label>>,
    /// The topic or thread of each book, in a group that has some.
    pub topics: Vec<(Label, i64)>,
    /// On Discord: what follows upon a message stands in a thread of its own.
    pub threads: bool,
    /// What it is told of money.
    pub amounts: Amounts,
    /// The zone its times are shown in; the book's if none.
    pub zone: Option<Tz>,
}

impl GroupConfig {
    /// The way to it.
    pub fn lane(&self) -> Lane {
        Lane { who: self.name, channel: self.channel }
    }
}

/// Reads people and groups into the configuration.
pub(super) fn read(top: &Table<'_>, names: &[Label], config: &mut Config) -> Read<()> {
    let mut at = Vec::new();
    if let Some(value) = top.get("people") {
        config.people = each_of_few(value, "people", PEOPLE_MAX, |at, table| person(at, table, names))?;
        at = starts(value);
    }
    at.resize(config.people.len(), 0);
    if let Some(value) = top.get("groups") {
        config.groups = each_of_few(value, "groups", PEOPLE_MAX, |at, table| group(at, table, names))?;
        at.extend(starts(value));
    }
    tell_apart(config, &at)?;
    if config.people.iter().all(|one| one.person.role != Role::Owner) && !config.people.is_empty() {
        let what = "nobody here is an owner, and only an owner does everything: give one of them role = \"owner\"";
        return mistake(at.first().copied().unwrap_or_default(), what);
    }
    match names.iter().find(|book| !config.persons().any(|person| person.may_see(**book))) {
        Some(book) => mistake(
            at.first().copied().unwrap_or_default(),
            format!("nobody may see book {book}: name a person who may"),
        ),
        None => Ok(()),
    }
}

/// Names, accounts and chats belong to one person or group each; `at` says where each of them is written.
fn tell_apart(config: &Config, at: &[usize]) -> Read<()> {
    let people = config.people.iter().map(|one| (one.person.name.as_str(), places(one)));
    let of_group = |one: &GroupConfig| vec![(one.channel, "chat", one.chat.to_string())];
    let groups = config.groups.iter().map(|one| (one.name.as_str(), of_group(one)));
    let all: Vec<_> = people.chain(groups).collect();
    for (index, ((name, places), at)) in all.iter().zip(at).enumerate() {
        for (other, known) in &all[..index] {
            if name == other {
                return mistake(*at, format!("two people or groups are called \"{name}\""));
            }
            if let Some((channel, what, _)) = places.iter().find(|place| known.contains(place)) {
                return mistake(*at, format!("{name} and {other} have the same {what} on {channel}"));
            }
        }
    }
    Ok(())
}

/// What of a person nobody else may have: accounts, chats in which all would come twice, a phone.
fn places(one: &PersonConfig) -> Vec<(ChannelKind, &'static str, String)> {
    let mut places = Vec::new();
    if let Some(TelegramAddress { user, chat }) = one.telegram {
        places.push((ChannelKind::Telegram, "account", user.to_string()));
        places.push((ChannelKind::Telegram, "chat", chat.to_string()));
    }
    if let Some(DiscordAddress { user, channel }) = one.discord {
        places.push((ChannelKind::Discord, "account", user.to_string()));
        places.extend(channel.map(|channel| (ChannelKind::Discord, "chat", channel.to_string())));
    }
    places.extend(one.phone.as_ref().map(|phone| (ChannelKind::Sms, "phone", phone.expose().to_owned())));
    places
}

fn person(at: &Value<'_>, table: &Table<'_>, names: &[Label]) -> Read<PersonConfig> {
    let Some(name) = table.get("name") else { return mistake(at.span().start, "a person needs a name") };
    let name: Label = read_text(name)?;
    let mut one = PersonConfig::usual(name.to_string());
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "role" => one.person.role = read_text(value)?,
            "zone" => one.person.zone = Some(zone(value)?),
            "books" => one.person.books = Some(books(value, names)?),
            "telegram" => one.telegram = Some(telegram(value)?),
            "discord" => one.discord = Some(discord(value)?),
            "phone" => one.phone = Some(phone(value, &name)?),
            "email" => one.email = Some(email(value)?),
            "quiet" => one.quiet = Some(quiet(value)?),
            "digest" => one.digest = time_of_day(value)?,
            "tell" => one.tell = tell(value)?,
            "above" => one.above = above(value)?,
            "numbers" => one.person.style.numbers = read_text(value)?,
            "dates" => one.person.style.dates = read_text(value)?,
            "hours" => {
                let hours = integer(value)?.to_string();
                one.person.style.hours = hours.parse().map_err(|what| Mistake { at: value.span().start, what })?;
            }
            _ => {}
        }
    }
    Ok(one)
}

fn telegram(value: &Value<'_>) -> Read<TelegramAddress> {
    let table = table_of(value, "this takes a table such as { user = 123456789 }")?;
    check_keys(table, "people.telegram")?;
    let Some(user) = table.get("user") else {
        return mistake(value.span().start, "this needs the user, such as { user = 123456789 }");
    };
    let at = user.span().start;
    let user = integer(user)?;
    if !(1..CHAT_MAX).contains(&user) {
        return mistake(at, format!("{user} is no account on Telegram: its number is above zero"));
    }
    let chat = match table.get("chat") {
        Some(value) => chat(value)?,
        None => user,
    };
    Ok(TelegramAddress { user, chat })
}

fn discord(value: &Value<'_>) -> Read<DiscordAddress> {
    let table = table_of(value, "this takes a table such as { user = 123456789012345678 }")?;
    check_keys(table, "people.discord")?;
    let Some(user) = table.get("user") else {
        return mistake(value.span().start, "this needs the user, such as { user = 123456789012345678 }");
    };
    Ok(DiscordAddress { user: snowflake(user)?, channel: table.get("channel").map(snowflake).transpose()? })
}

/// A number of Discord's.
fn snowflake(value: &Value<'_>) -> Read<i64> {
    let number = integer(value)?;
    if number < 1 {
        return mistake(value.span().start, format!("{number} is no number on Discord: it is above zero"));
    }
    Ok(number)
}

fn chat(value: &Value<'_>) -> Read<i64> {
    let number = integer(value)?;
    if number == 0 || number.unsigned_abs() >= CHAT_MAX.unsigned_abs() {
        return mistake(value.span().start, format!("{number} is no chat on Telegram"));
    }
    Ok(number)
}

/// Somebody's phone. What is wrong with it is told without it.
fn phone(value: &Value<'_>, of: &Label) -> Read<Phone> {
    let at = value.span().start;
    let wrong = |what: &str| Mistake { at, what: format!("the phone of {of} is none: {what}") };
    text(value)
        .map_err(|_| wrong("write it in quotes, like \"+351912345678\""))?
        .parse()
        .map_err(|what: String| wrong(&what))
}

fn email(value: &Value<'_>) -> Read<Address> {
    let written = text(value)?;
    written.parse().map_err(|_| Mistake {
        at: value.span().start,
        what: format!("\"{}\" is no address for mail; write it like ana@example.org", shown(&written)),
    })
}

fn quiet(value: &Value<'_>) -> Read<Quiet> {
    const HOW: &str = "quiet hours are a table such as { from = \"22:00\", to = \"07:00\" }";
    let table = table_of(value, HOW)?;
    check_keys(table, "people.quiet")?;
    let (Some(from), Some(to)) = (table.get("from"), table.get("to")) else {
        return mistake(value.span().start, HOW);
    };
    let hours = Quiet { from: time_of_day(from)?, to: time_of_day(to)? };
    if hours.from == hours.to {
        let time = hours.from.format("%H:%M");
        return mistake(value.span().start, format!("from {time} to {time} is never: leave quiet out"));
    }
    Ok(hours)
}

/// The kind of event that a key names.
fn kind(name: &str, at: usize) -> Read<&'static Kind> {
    kind_named(name).map_or_else(
        || {
            let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            mistake(at, format!("there is no kind of event \"{}\"{}", shown(name), nearest(name, &known)))
        },
        Ok,
    )
}

fn tell(value: &Value<'_>) -> Read<Vec<(String, Treatment)>> {
    let mut all = Vec::new();
    for (key, value) in table_of(value, "this takes a table such as { stop_moved = \"silent\" }")? {
        let kind = kind(key.get_ref(), key.span().start)?;
        let treatment: Treatment = read_text(value)?;
        if !kind.can_wait && treatment != Treatment::On {
            let why = format!("{} is always on: it tells that {}, and that cannot wait", kind.name, kind.about);
            return mistake(value.span().start, why);
        }
        all.push((kind.name.to_owned(), treatment));
    }
    Ok(all)
}

fn above(value: &Value<'_>) -> Read<Vec<(String, Money)>> {
    let mut all = Vec::new();
    for (key, value) in table_of(value, "this takes a table such as { position_closed = 500 }")? {
        let kind = kind(key.get_ref(), key.span().start)?;
        if !has_amount(kind.name) {
            let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).filter(|name| has_amount(name)).collect();
            let what = format!("{} is about no amount; these are: {}", kind.name, known.join(", "));
            return mistake(key.span().start, what);
        }
        let amount = number(value)?;
        if amount < Ratio::ZERO || amount > Ratio::whole(AMOUNT_MAX) {
            return mistake(value.span().start, format!("{amount} is not from 0 to {AMOUNT_MAX}"));
        }
        all.push((kind.name.to_owned(), Money::from_units(amount.units())));
    }
    Ok(all)
}

fn group(at: &Value<'_>, table: &Table<'_>, names: &[Label]) -> Read<GroupConfig> {
    let Some(name) = table.get("name") else { return mistake(at.span().start, "a group needs a name") };
    let (channel, chat) = group_chat(at, table)?;
    let threads = table.get("threads").map(boolean).transpose()?.unwrap_or_default();
    if let Some(value) = table.get("threads").filter(|_| threads && channel != ChannelKind::Discord) {
        return mistake(value.span().start, "threads are made on Discord alone");
    }
    let seen = table.get("books").map(|value| books(value, names)).transpose()?;
    Ok(GroupConfig {
        name: read_text(name)?,
        channel,
        chat,
        threads,
        topics: table
            .get("topics")
            .map(|value| topics(value, seen.as_deref().unwrap_or(names)))
            .transpose()?
            .unwrap_or_default(),
        books: seen,
        amounts: table.get("amounts").map(amounts).transpose()?.unwrap_or(Amounts::Shares),
        zone: table.get("zone").map(zone).transpose()?,
    })
}

/// Where a group is: on one channel.
fn group_chat(at: &Value<'_>, table: &Table<'_>) -> Read<(ChannelKind, i64)> {
    match (table.get("telegram"), table.get("discord")) {
        (Some(number), None) => {
            let chat = chat(number)?;
            if chat > 0 {
                let what = format!("{chat} is no group on Telegram: its number is below zero");
                return mistake(number.span().start, what);
            }
            Ok((ChannelKind::Telegram, chat))
        }
        (None, Some(number)) => Ok((ChannelKind::Discord, snowflake(number)?)),
        (Some(_), Some(_)) => mistake(at.span().start, "a group is on Telegram or on Discord: name two for both"),
        (None, None) => mistake(at.span().start, "a group needs its number on Telegram or on Discord"),
    }
}

fn topics(value: &Value<'_>, seen: &[Label]) -> Read<Vec<(Label, i64)>> {
    let mut all = Vec::new();
    for (key, value) in table_of(value, "this takes a table such as { main = 12 }")? {
        let book = book(key.get_ref(), key.span().start, seen)?;
        let topic = integer(value)?;
        if topic < 1 {
            return mistake(value.span().start, format!("{topic} is no topic: its number is above zero"));
        }
        all.push((book, topic));
    }
    Ok(all)
}

fn amounts(value: &Value<'_>) -> Read<Amounts> {
    match text(value)?.as_str() {
        "full" => Ok(Amounts::Full),
        "shares" => Ok(Amounts::Shares),
        other => mistake(value.span().start, format!("\"{}\" is neither full nor shares", shown(other))),
    }
}
