//! Who may do what? One place, before any command runs; everything is denied until a role allows it.

use std::str::FromStr;

use chrono_tz::Tz;

use crate::domain::Label;
use crate::views::Asker;

use super::command::{Command, Run};
use super::seat::Place;

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Look and change.
    Owner,
    /// Look and change.
    Operator,
    /// Look.
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
}

impl Person {
    /// Whether they may see this book, and change it if their role allows that.
    pub fn may_see(&self, book: Label) -> bool {
        self.books.as_ref().is_none_or(|books| books.contains(&book))
    }

    /// The person as views know who asks, from where.
    pub fn asker(&self, place: Place) -> Asker {
        let hides_amounts = matches!(place, Place::Group { hides_amounts: true, .. });
        let ways = match (place, self.role) {
            (Place::Group { name, .. }, _) => Some(name.to_string()),
            (Place::Machine | Place::Private, Role::Owner) => None,
            (Place::Machine | Place::Private, Role::Operator | Role::Viewer) => Some(self.name.clone()),
        };
        Asker { name: self.name.clone(), zone: self.zone, books: self.books.clone(), hides_amounts, ways }
    }
}

/// Views whose answers have no amounts in them for an asker who hides them, for groups whose members may not see any.
const WITHOUT_AMOUNTS: [&str; 7] = ["status", "watchlist", "locks", "schedule", "runs", "correlation", "route"];

/// Whether a command is allowed to somebody where they sit; why not, if it is not. Stopping is the safe direction, and still only for
/// those who may change things: a viewer who halts would be somebody else's money not trading.
///
/// # Errors
/// In words, when it is not allowed.
pub fn may(role: Role, place: Place, command: &Command) -> Result<(), String> {
    let name = command.name;
    match (&command.run, role, place) {
        (Run::Text(_), _, _) | (Run::Control(_), Role::Owner | Role::Operator, Place::Machine | Place::Private) => {
            Ok(())
        }
        (Run::Control(_), _, Place::Group { .. }) => {
            Err(format!("/{name} changes something, which is not done in a group: ask me in a chat of our own"))
        }
        (Run::Control(_), Role::Viewer, _) => Err(format!("/{name} is not for viewers")),
        (Run::Personal(_), _, Place::Group { .. }) => {
            Err(format!("/{name} is about you alone: ask me in a chat of our own"))
        }
        (_, _, Place::Group { hides_amounts: true, .. }) if !WITHOUT_AMOUNTS.contains(&name) => {
            Err(format!("/{name} tells amounts, and this group is told none: ask me in a chat of our own"))
        }
        (Run::View(_) | Run::ViewOrFile(..) | Run::Ask(_) | Run::ViewOrAsk(..) | Run::Personal(_), _, _) => Ok(()),
    }
}
