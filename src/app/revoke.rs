//! What does an edited file take away from people? That holds at once; what it gives waits for a start.

use std::sync::{Arc, Mutex, PoisonError};

use crate::chat::Role;
use crate::config::{Amounts, Config, GroupConfig, PersonConfig};
use crate::control::{Rights, Roll};

/// What holds of `held` after `read` has taken away what it does not grant: people and groups that are gone, roles that are lower, books that
/// are fewer, accounts that stand there no more, amounts that a group is not to be told.
pub(super) fn restricted(held: &Config, read: &Config) -> Config {
    let person = |one: &PersonConfig| {
        let now = read.people.iter().find(|now| now.person.name == one.person.name)?;
        let telegram = one.telegram.filter(|address| now.telegram == Some(*address));
        let discord = one.discord.filter(|address| now.discord == Some(*address));
        let phone = one.phone.clone().filter(|phone| now.phone.as_ref() == Some(phone));
        let email = one.email.clone().filter(|mail| now.email.as_ref() == Some(mail));
        Some(PersonConfig { person: one.person.within(&now.person), telegram, discord, phone, email, ..one.clone() })
    };
    let group = |one: &GroupConfig| {
        let now = read.groups.iter().find(|now| now.lane() == one.lane() && now.chat == one.chat)?;
        let books = match (&one.books, &now.books) {
            (Some(own), Some(now)) => Some(own.iter().filter(|book| now.contains(book)).copied().collect()),
            (own, now) => own.clone().or_else(|| now.clone()),
        };
        let hides = one.amounts == Amounts::Shares || now.amounts == Amounts::Shares;
        let amounts = if hides { Amounts::Shares } else { Amounts::Full };
        Some(GroupConfig { books, amounts, ..one.clone() })
    };
    Config {
        people: held.people.iter().filter_map(person).collect(),
        groups: held.groups.iter().filter_map(group).collect(),
        ..held.clone()
    }
}

/// Who has less than before, in whatever it is.
pub(super) fn who_lost(held: &Config, left: &Config) -> Vec<String> {
    let lost = held.people.iter().filter(|one| !left.people.contains(one));
    lost.map(|one| one.person.name.clone()).collect()
}

/// Everybody who may change something by `people`, as it is then.
pub(super) fn roll(people: Arc<Mutex<Config>>) -> Roll {
    Arc::new(move |name| {
        let config = people.lock().unwrap_or_else(PoisonError::into_inner);
        let person = config.persons().find(|person| person.name == name && person.role != Role::Viewer)?;
        Some(Rights { is_owner: person.role == Role::Owner, books: person.books.clone() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read;

    const HELD: &str = "[[books]]\nname = \"main\"\n[[books]]\nname = \"calm\"\n\
        [[people]]\nname = \"ana\"\nrole = \"owner\"\ntelegram = { user = 1 }\n\
        [[people]]\nname = \"bo\"\nrole = \"operator\"\ntelegram = { user = 2 }\nemail = \"bo@example.org\"\nzone = \"Asia/Tokyo\"\n\
        [[groups]]\nname = \"club\"\ntelegram = -5\namounts = \"full\"\n";

    fn after(edit: impl Fn(&str) -> String) -> (Config, Config) {
        let held = read(HELD, None).expect("sound");
        let edited = read(&edit(HELD), None).expect("sound");
        (restricted(&held, &edited), held)
    }

    #[test]
    fn what_is_taken_away_is_gone_and_what_is_given_waits() {
        let without_bo = |text: &str| {
            let at = text.find("[[people]]\nname = \"bo\"").expect("there");
            format!("{}{}", &text[..at], &text[text.find("[[groups]]").expect("there")..])
        };
        assert_eq!(after(without_bo).0.people.len(), 1);
        let less = |text: &str| text.replace("\"operator\"", "\"viewer\"\nbooks = [\"calm\"]");
        let (left, held) = after(less);
        let bo = &left.people[1].person;
        assert_eq!((bo.role, bo.books.clone()), (Role::Viewer, Some(vec!["calm".parse().expect("a name")])));
        assert_eq!(left.people[0], held.people[0]);
        let bo = roll(Arc::new(Mutex::new(held.clone())))("bo");
        assert_eq!(
            (who_lost(&held, &left), bo),
            (vec!["bo".to_owned()], Some(Rights { is_owner: false, books: None }))
        );
        let roll = roll(Arc::new(Mutex::new(left)));
        assert_eq!((roll("bo"), roll("ana").map(|rights| rights.is_owner)), (None, Some(true)));
        let (left, held) = after(|text| text.replace("\"operator\"", "\"owner\"").replace("Tokyo", "Seoul"));
        assert_eq!(who_lost(&held, &left), Vec::<String>::new());
        assert_eq!(left.people, held.people, "more rights and other wishes wait for a start");
        assert_eq!(after(|text| text.replace("user = 2", "user = 3")).0.people[1].telegram, None);
        assert_eq!(after(|text| text.replace("bo@", "eve@")).0.people[1].email, None);
        assert_eq!(after(|text| text.replace("\"full\"", "\"shares\"")).0.groups[0].amounts, Amounts::Shares);
        assert!(after(|text| text.replace("= -5", "= -6")).0.groups.is_empty());
        let (left, held) = after(|text| format!("{text}[[people]]\nname = \"eve\"\nrole = \"owner\"\n"));
        assert_eq!((left.people, left.groups), (held.people, held.groups));
    }
}
