//! Who is reached where? People and groups as configured, with the chats that codes have bound, as lanes and as seats.

use crate::channels::Target;
use crate::chat::{Account, GroupChat, Seats};
use crate::config::{Amounts, Config};
use crate::domain::{ChannelKind, Label, Lane};
use crate::store::{Address, Reader, StoreError};

/// Everybody who can be reached on Telegram, and as whom they are known there.
pub(super) struct Directory {
    /// Who is known.
    pub(super) seats: Seats,
    /// The lanes, each with where it leads.
    pub(super) lanes: Vec<(Lane, Target)>,
}

impl Directory {
    /// Looks everybody up. What a code has bound goes over what is configured, also where it took an account from somebody; a chat that was
    /// moved is found under its new number.
    pub(super) fn look_up(config: &Config, reader: &Reader) -> Result<Self, StoreError> {
        let bound = reader.addresses()?;
        let of = |person: &str| bound.iter().find(|one| one.person == person && one.channel == TELEGRAM);
        let mut directory = Self { seats: Seats::default(), lanes: Vec::new() };
        for one in &config.people {
            let address = match of(&one.person.name) {
                // What the file says of somebody whom a code has bound is older than that.
                Some(Address { user, chat, .. }) => Some((*user, *chat)).filter(|(user, _)| *user != 0),
                None => one.telegram.map(|address| (address.user, address.chat)).filter(|(user, chat)| {
                    let taken = |one: &Address| one.channel == TELEGRAM && (one.user == *user || one.chat == *chat);
                    !bound.iter().any(taken)
                }),
            };
            let account = address.map(|(user, chat)| Account { channel: TELEGRAM, user, chat });
            directory.seats.people.push((one.person.clone(), account.into_iter().collect()));
            if let (Some(account), Ok(who)) = (account, one.person.name.parse::<Label>()) {
                let target = Target { chat: account.chat, topics: Vec::new() };
                directory.lanes.push((Lane { who, channel: TELEGRAM }, target));
            }
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

const TELEGRAM: ChannelKind = ChannelKind::Telegram;
