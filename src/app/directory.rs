//! Who is reached where? People and groups as configured, with the chats that codes have bound, as lanes and as seats.

use crate::channels::Target;
use crate::chat::{Account, GroupChat, Seats};
use crate::config::{Amounts, Config, PersonConfig};
use crate::domain::{ChannelKind, Label, Lane};
use crate::store::{Address, Reader, StoreError};

/// Everybody who can be reached on Telegram and on Discord, and as whom they are known there.
pub(super) struct Directory {
    /// Who is known.
    pub(super) seats: Seats,
    /// The lanes on Telegram, each with where it leads.
    pub(super) lanes: Vec<(Lane, Target)>,
    /// The lanes on Discord, each with where it leads.
    pub(super) rooms: Vec<(Lane, Room)>,
}

/// Where a lane on Discord leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Room {
    /// Which channel.
    pub(super) channel: RoomChannel,
    /// Whose it is, where others may read it.
    pub(super) user: Option<i64>,
    /// The thread of each book.
    pub(super) topics: Vec<(Label, i64)>,
    /// What follows upon a message stands in a thread of its own.
    pub(super) threads: bool,
}

/// A channel on Discord.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoomChannel {
    /// The one of this number.
    Number(i64),
    /// The conversation of this account with the bot alone, under the number that a code was sent in if one was.
    Alone { user: i64, channel: Option<i64> },
}

impl Directory {
    /// Looks everybody up. What a code has bound goes over what is configured, also where it took an account from somebody; a chat that was
    /// moved is found under its new number.
    pub(super) fn look_up(config: &Config, reader: &Reader) -> Result<Self, StoreError> {
        let bound = reader.addresses()?;
        let of = |person: &str, channel| bound.iter().find(|one| one.person == person && one.channel == channel);
        let mut directory = Self { seats: Seats::default(), lanes: Vec::new(), rooms: Vec::new() };
        for one in &config.people {
            let address = match of(&one.person.name, TELEGRAM) {
                // What the file says of somebody whom a code has bound is older than that.
                Some(Address { user, chat, .. }) => Some((*user, *chat)).filter(|(user, _)| *user != 0),
                None => one.telegram.map(|address| (address.user, address.chat)).filter(|(user, chat)| {
                    let taken = |one: &Address| one.channel == TELEGRAM && (one.user == *user || one.chat == *chat);
                    !bound.iter().any(taken)
                }),
            };
            let account = address.map(|(user, chat)| Account { channel: TELEGRAM, user, chat });
            let room = room(one, of(&one.person.name, DISCORD), &bound);
            let on_discord = room.as_ref().map(|(account, _)| *account);
            directory.seats.people.push((one.person.clone(), account.into_iter().chain(on_discord).collect()));
            let who = one.person.name.parse::<Label>();
            if let (Some((_, room)), Ok(who)) = (room, who.clone()) {
                directory.rooms.push((Lane { who, channel: DISCORD }, room));
            }
            if let (Some(account), Ok(who)) = (account, who) {
                let target = Target { chat: account.chat, topics: Vec::new() };
                directory.lanes.push((Lane { who, channel: TELEGRAM }, target));
            }
        }
        for group in config.groups.iter().filter(|group| group.channel == DISCORD) {
            directory.seats.groups.push(GroupChat {
                name: group.name,
                channel: DISCORD,
                chat: group.chat,
                books: group.books.clone(),
                hides_amounts: group.amounts == Amounts::Shares,
            });
            let channel = RoomChannel::Number(group.chat);
            let room = Room { channel, user: None, topics: group.topics.clone(), threads: group.threads };
            directory.rooms.push((group.lane(), room));
        }
        for group in config.groups.iter().filter(|group| group.channel == TELEGRAM) {
            let chat = reader.moved_chat(TELEGRAM, group.chat)?.unwrap_or(group.chat);
            directory.seats.groups.push(GroupChat {
                name: group.name,
                channel: TELEGRAM,
                chat,
                books: group.books.clone(),
                hides_amounts: group.amounts == Amounts::Shares,
            });
            // A topic that is no number of Telegram's is nobody's.
            let topics = group.topics.iter().filter_map(|(book, topic)| Some((*book, i32::try_from(*topic).ok()?)));
            let target = Target { chat, topics: topics.collect() };
            directory.lanes.push((Lane { who: group.name, channel: TELEGRAM }, target));
        }
        Ok(directory)
    }
}

/// The account of a person on Discord, and where they are told there. What a code has bound goes over the file here as well.
fn room(one: &PersonConfig, bound: Option<&Address>, all: &[Address]) -> Option<(Account, Room)> {
    let (user, channel) = match bound {
        Some(Address { user: 0, .. }) => return None,
        Some(Address { user, chat, .. }) => (*user, RoomChannel::Alone { user: *user, channel: Some(*chat) }),
        None => {
            let address = one.discord?;
            if all.iter().any(|other| other.channel == DISCORD && other.user == address.user) {
                return None;
            }
            let alone = RoomChannel::Alone { user: address.user, channel: None };
            (address.user, address.channel.map_or(alone, RoomChannel::Number))
        }
    };
    let (chat, others) = if let RoomChannel::Number(channel) = channel { (channel, Some(user)) } else { (0, None) };
    let room = Room { channel, user: others, topics: Vec::new(), threads: false };
    Some((Account { channel: DISCORD, user, chat }, room))
}

const TELEGRAM: ChannelKind = ChannelKind::Telegram;
const DISCORD: ChannelKind = ChannelKind::Discord;
