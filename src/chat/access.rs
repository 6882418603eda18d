//! Who may do what? One place, before any command runs; everything is denied until a role allows it.

use std::str::FromStr;

use chrono_tz::Tz;

use crate::domain::{Label, Style};
use crate::views::Asker;

use super::command::{Command, Run};
use super::seat::{Place, shared};

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Look and change. The first of them sits at the terminal, and all of them are told what nobody else asked for. Whatever is the
    /// machine's alone (who there is, codes, PINs, routes) is changed there and by no command, whoever asks.
    Owner,
    /// Look and change.
    Operator,
    /// Look, and say how they want to be told.
    Viewer,
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "owner" => Ok(Self::Owner),
            "operator" => Ok(Self::Operator),
            "viewer" => Ok(Self::Viewer),
            other => Err(format!("\"{}\" is no role: use owner, operator or viewer", other.escape_debug())),
        }
    }
}

/// Somebody who talks with the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name in the configuration.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The zone their times are shown in; the book's if none.
    pub zone: Option<Tz>,
    /// The books that they may see and change; all where it is none.
    pub books: Option<Vec<Label>>,
    /// How figures are written for them.
    pub style: Style,
}

impl Person {
    /// Whether they may see this book, and change it if their role allows that.
    pub fn may_see(&self, book: Label) -> bool {
        self.books.as_ref().is_none_or(|books| books.contains(&book))
    }

    /// The person with no more rights than `other` has.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        let role = match (self.role, other.role) {
            (Role::Viewer, _) | (_, Role::Viewer) => Role::Viewer,
            (Role::Operator, _) | (_, Role::Operator) => Role::Operator,
            (Role::Owner, Role::Owner) => Role::Owner,
        };
        Self { role, books: shared(self.books.as_deref(), other.books.as_deref()), ..self.clone() }
    }

    /// The person as views know who asks, from where.
    pub fn asker(&self, place: Place) -> Asker {
        let hides_amounts = matches!(place, Place::Group { hides_amounts: true, .. });
        let ways = match (place, self.role) {
            (Place::Group { name, .. }, _) => Some(name.map(|name| name.to_string()).unwrap_or_default()),
            (Place::Machine | Place::Private | Place::Aside, Role::Owner) => None,
            (Place::Machine | Place::Private | Place::Aside, Role::Operator | Role::Viewer) => Some(self.name.clone()),
        };
        Asker {
            name: self.name.clone(),
            zone: self.zone,
            books: self.books.clone(),
            hides_amounts,
            ways,
            channel: None,
        }
    }
}

/// Views whose answers have no amounts in them for an asker who hides them, for groups whose members may not see any.
const WITHOUT_AMOUNTS: [&str; 7] = ["status", "watchlist", "locks", "schedule", "runs", "correlation", "route"];

/// Views of what people did, which is theirs to tell.
const OF_PEOPLE: [&str; 2] = ["audit", "usage"];

/// What an operator or owner may say in a group, too.
const ACK: &str = "ack";

/// Whether a command is allowed to somebody where they sit; why not, if it is not. Stopping is the safe direction, and still only for
/// those who may change things: a viewer who halts would be somebody else's money not trading.
///
/// # Errors
/// In words, when it is not allowed.
pub fn may(role: Role, place: Place, command: &Command) -> Result<(), String> {
    let name = command.name;
    match (&command.run, role, place) {
        (Run::Text(_), _, _)
        | (
            Run::Control(_) | Run::Desk(_),
            Role::Owner | Role::Operator,
            Place::Machine | Place::Private | Place::Aside,
        ) => Ok(()),
        (Run::Control(_) | Run::Desk(_), _, Place::Group { .. }) => {
            Err(format!("/{name} changes something, which is not done in a group: ask me in a chat of our own"))
        }
        (Run::Control(_) | Run::Desk(_), Role::Viewer, _) => Err(format!("/{name} is not for viewers")),
        // To have seen something is no change: it is said where it was read.
        (Run::Personal(_), _, Place::Group { acks: true, .. }) if name == ACK => Ok(()),
        (Run::Personal(_), _, Place::Group { .. }) if name == ACK => {
            Err(format!("/{name} is not for viewers: it keeps others from being called"))
        }
        (Run::Personal(_), _, Place::Group { .. }) => {
            Err(format!("/{name} is about you alone: ask me in a chat of our own"))
        }
        (_, _, Place::Group { .. }) if OF_PEOPLE.contains(&name) => {
            Err(format!("/{name} tells what people did, which is told in no group: ask me in a chat of our own"))
        }
        (_, _, Place::Group { hides_amounts: true, .. }) if !WITHOUT_AMOUNTS.contains(&name) => {
            Err(format!("/{name} tells amounts, and this group is told none: ask me in a chat of our own"))
        }
        (Run::View(_) | Run::ViewOrFile(..) | Run::Ask(_) | Run::ViewOrAsk(..) | Run::Personal(_), _, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::COMMANDS;

    const GROUPS: [Place; 4] = [
        Place::Group { name: None, hides_amounts: false, acks: false },
        Place::Group { name: None, hides_amounts: true, acks: false },
        Place::Group { name: None, hides_amounts: false, acks: true },
        Place::Group { name: None, hides_amounts: true, acks: true },
    ];

    fn allowed(role: Role, place: Place, is: impl Fn(&Command) -> bool) -> Vec<&'static str> {
        COMMANDS.iter().filter(|one| is(one) && may(role, place, one).is_ok()).map(|one| one.name).collect()
    }

    #[test]
    fn who_may_do_what_where() {
        let changes = |command: &Command| matches!(command.run, Run::Control(_) | Run::Desk(_));
        let personal = |command: &Command| matches!(command.run, Run::Personal(_));
        let controls: Vec<&str> = COMMANDS.iter().filter(|one| changes(one)).map(|one| one.name).collect();
        assert!(["halt", "resume", "approve", "decline", "newpin"].iter().all(|name| controls.contains(name)));
        for place in [Place::Machine, Place::Private, Place::Aside] {
            for role in [Role::Owner, Role::Operator] {
                assert_eq!(allowed(role, place, |_| true).len(), COMMANDS.len(), "{role:?} {place:?}");
                assert_eq!(allowed(role, place, changes), controls);
            }
            assert_eq!(allowed(Role::Viewer, place, changes), Vec::<&str>::new());
            assert_eq!(allowed(Role::Viewer, place, |one| !changes(one)).len(), COMMANDS.len() - controls.len());
        }
        for place in GROUPS {
            let acks = matches!(place, Place::Group { acks: true, .. });
            for role in [Role::Owner, Role::Operator, Role::Viewer] {
                assert_eq!(allowed(role, place, changes), Vec::<&str>::new(), "no controls, whoever asks");
                assert_eq!(allowed(role, place, personal), if acks { vec!["ack"] } else { Vec::new() });
            }
        }
        // People, codes and routes are read here, and changed on the machine alone.
        let run = |name: &str| &COMMANDS.iter().find(|one| one.name == name).expect("there").run;
        assert!(matches!(run("pair"), Run::Text(_)) && matches!(run("route"), Run::View(_)));
    }
}
