//! Who speaks, and where? By number of account and chat, before anything else is looked at; whoever is not known has no seat.

use crate::domain::{ChannelKind, Label, Lane};

use super::access::{Person, Role};

/// Where somebody speaks from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The terminal that the bot runs in, or a shell on the same machine.
    Machine,
    /// A chat with the bot alone.
    Private,
    /// Among others, and what is asked and answered is seen by the asker alone.
    Aside,
    /// A group. Whoever reads there sees every answer, so nothing is changed from there, whoever asks.
    Group {
        /// Its name in the configuration; none for groups in general.
        name: Option<Label>,
        /// Its members may not see amounts.
        hides_amounts: bool,
        /// Whoever speaks may say that they have seen something: an operator or owner by their own number.
        acks: bool,
    },
}

/// Somebody who is known, and where they speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Who.
    pub person: Person,
    /// Where.
    pub place: Place,
    /// Where answers go.
    pub lane: Lane,
}

/// An account of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// On which channel.
    pub channel: ChannelKind,
    /// The account's number.
    pub user: i64,
    /// The chat in which they speak with the bot alone; on Discord the channel that they are told in, 0 for the conversation with the bot.
    pub chat: i64,
}

/// A group that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChat {
    /// Its name in the configuration.
    pub name: Label,
    /// On which channel.
    pub channel: ChannelKind,
    /// Its number.
    pub chat: i64,
    /// The books that may be told of in it; all where it is none.
    pub books: Option<Vec<Label>>,
    /// Its members may not see amounts.
    pub hides_amounts: bool,
}

/// Everybody who is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seats {
    /// People with their accounts.
    pub people: Vec<(Person, Vec<Account>)>,
    /// Groups.
    pub groups: Vec<GroupChat>,
}

impl Seats {
    /// The seat of an account in a chat; none for strangers, and for people who are known from elsewhere.
    pub fn find(&self, channel: ChannelKind, user: i64, chat: i64) -> Option<Seat> {
        let owns = |account: &Account| account.channel == channel && account.user == user && user != 0;
        let known = self.people.iter().find(|(_, accounts)| accounts.iter().any(owns));
        let (person, accounts) = known?;
        // Groups have numbers below zero; nobody is alone there, whatever the configuration says.
        if chat > 0 && accounts.iter().any(|account| owns(account) && account.chat == chat) {
            let lane = Lane { who: person.name.parse().ok()?, channel };
            return Some(Seat { person: person.clone(), place: Place::Private, lane });
        }
        let group = self.groups.iter().find(|group| group.channel == channel && group.chat == chat)?;
        let books = shared(person.books.as_deref(), group.books.as_deref());
        let acks = person.role != Role::Viewer;
        // In a group nobody is more than a viewer; having seen something changes nothing.
        let person = Person { role: Role::Viewer, books, ..person.clone() };
        let place = Place::Group { name: Some(group.name), hides_amounts: group.hides_amounts, acks };
        Some(Seat { person, place, lane: Lane { who: group.name, channel } })
    }

    /// The seat of an account on Discord, where answers are seen by the asker alone: in the conversation with the bot, in the channel of a group,
    /// or in the one that the person is told in, and in threads of these; none for strangers, and anywhere else. `channels` are where it came from:
    /// a channel, or a thread and its channel.
    pub fn find_on_discord(&self, user: i64, channels: &[i64], alone: bool) -> Option<Seat> {
        const DISCORD: ChannelKind = ChannelKind::Discord;
        let owns = |account: &Account| account.channel == DISCORD && account.user == user && user != 0;
        let (person, account) =
            self.people.iter().find_map(|(person, accounts)| Some((person, accounts.iter().find(|one| owns(one))?)))?;
        let is_here = |channel: i64| channel != 0 && channels.contains(&channel);
        let is_groups = || self.groups.iter().any(|group| group.channel == DISCORD && is_here(group.chat));
        let place = match alone {
            true => Place::Private,
            false if is_here(account.chat) || is_groups() => Place::Aside,
            false => return None,
        };
        let lane = Lane { who: person.name.parse().ok()?, channel: DISCORD };
        Some(Seat { person: person.clone(), place, lane })
    }
}

/// The books that both may see.
pub(super) fn shared(own: Option<&[Label]>, group: Option<&[Label]>) -> Option<Vec<Label>> {
    match (own, group) {
        (None, None) => None,
        (Some(books), None) | (None, Some(books)) => Some(books.to_vec()),
        (Some(own), Some(group)) => Some(own.iter().filter(|book| group.contains(book)).copied().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Style;

    fn seats() -> Seats {
        let books = |names: &[&str]| Some(names.iter().map(|name| name.parse().expect("a name")).collect());
        let person = |name: &str, role, list| Person {
            name: name.to_owned(),
            role,
            zone: None,
            books: list,
            style: Style::default(),
        };
        let account = |user, chat| vec![Account { channel: ChannelKind::Telegram, user, chat }];
        Seats {
            people: vec![
                (person("ana", Role::Owner, None), account(1, 1)),
                (person("bo", Role::Viewer, books(&["main"])), account(2, 2)),
            ],
            groups: vec![GroupChat {
                name: "family".parse().expect("a name"),
                channel: ChannelKind::Telegram,
                chat: -7,
                books: books(&["main", "wide"]),
                hides_amounts: true,
            }],
        }
    }

    fn family(acks: bool) -> Place {
        Place::Group { name: "family".parse().ok(), hides_amounts: true, acks }
    }

    #[test]
    fn only_a_known_account_in_a_known_chat_has_a_seat() {
        let telegram = ChannelKind::Telegram;
        let seat = |user, chat| seats().find(telegram, user, chat);
        let ana = seat(1, 1).expect("known");
        assert_eq!(
            (ana.person.role, ana.place, ana.lane.to_string()),
            (Role::Owner, Place::Private, "ana:telegram".to_owned())
        );
        for (user, chat) in [(3, 3), (1, 2), (2, 1), (3, -7), (0, 0), (0, 1), (1, -8), (-7, -7)] {
            assert_eq!(seat(user, chat), None, "{user} in {chat}");
        }
        assert_eq!(seats().find(ChannelKind::Email, 1, 1), None);
        let group = seat(1, -7).expect("known");
        assert_eq!(group.person.role, Role::Viewer, "no controls, whoever asks");
        assert_eq!(group.lane.to_string(), "family:telegram");
        assert_eq!(group.place, family(true));
        assert_eq!(seat(2, -7).expect("known").place, family(false), "a viewer");
        let books = |seat: &Seat| seat.person.books.clone().expect("some").len();
        assert_eq!((books(&group), books(&seat(2, -7).expect("known"))), (2, 1));
    }

    #[test]
    fn on_discord_people_are_known_alone_and_in_configured_channels() {
        let mut all = seats();
        let discord = ChannelKind::Discord;
        all.people[0].1.push(Account { channel: discord, user: 11, chat: 90 });
        all.people[1].1.push(Account { channel: discord, user: 12, chat: 0 });
        all.groups.push(GroupChat { channel: discord, chat: 80, ..all.groups[0].clone() });
        let found = |user, channel, alone| {
            all.find_on_discord(user, &[channel], alone).map(|seat| (seat.place, seat.person.role))
        };
        assert_eq!(found(11, 5, true), Some((Place::Private, Role::Owner)));
        assert_eq!(found(11, 90, false), Some((Place::Aside, Role::Owner)));
        assert_eq!(
            found(11, 80, false),
            Some((Place::Aside, Role::Owner)),
            "seen by them alone, so they are who they are"
        );
        assert_eq!(found(12, 80, false), Some((Place::Aside, Role::Viewer)));
        assert!(all.find_on_discord(12, &[81, 80], false).is_some(), "a thread of a known channel");
        for (user, channel, alone) in
            [(12, 90, false), (11, 5, false), (12, 0, true), (1, 5, true), (0, 80, false), (13, 80, false)]
        {
            let known = user == 12 && alone;
            assert_eq!(found(user, channel, alone).is_some(), known, "{user} in {channel}");
        }
        assert_eq!(all.find_on_discord(12, &[0], false), None, "no channel is nobody's");
    }
}
