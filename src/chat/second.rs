//! What is done at the desk besides changes? Agreeing to what somebody else wants, ending it, and a new PIN.

use std::fmt::Write as _;

use crate::clock::Timestamp;
use crate::control::{Ask, Begun, DeskError, Taken};
use crate::domain::format::time;
use crate::domain::preview_words;
use crate::store::StoreError;
use crate::views::live;

use super::access::Role;
use super::command::{ArgError, DeskWork, Run};
use super::handle::{Chat, Inbound, Reply, told, told_error};
use super::parse::parse;
use super::seat::Place;

/// The number behind `/approve` or `/decline`.
pub(super) fn number(args: &[&str]) -> Result<i64, ArgError> {
    let typed = args.first().copied().unwrap_or_default();
    let number = typed.trim_start_matches('#').parse::<i64>().ok().filter(|number| *number > 0);
    number.ok_or_else(|| {
        let shown: String = typed.chars().take(24).flat_map(char::escape_debug).collect();
        ArgError::Usage(format!("\"{shown}\" is no number of a change that waits"))
    })
}

impl Chat {
    /// Does what a command asks of the desk.
    pub(super) fn at_desk(&self, inbound: &Inbound, work: DeskWork) -> Reply {
        let done = match work {
            DeskWork::Approve(id) => self.show_waiting(inbound, id),
            DeskWork::Decline(id) => self.decline(inbound, id),
            DeskWork::NewPin => self.ask_new_pin(inbound),
            DeskWork::Live(book, typed) => {
                let is_owner = inbound.person.role == Role::Owner;
                let said = self.views(inbound).and_then(|views| live(&views, book, is_owner, &typed));
                return said.map_or_else(|error| told_error(&error.into()), Reply::Text);
            }
            DeskWork::WhatIf(line) => {
                return self.what_if(inbound, &line).unwrap_or_else(|error| told_error(&error));
            }
        };
        done.unwrap_or_else(|error| match error {
            DeskError::NoPin(_) => Reply::NeedsPin,
            DeskError::Store(_) => told(&error),
            error => Reply::Refused(self.not_done(inbound, &error)),
        })
    }

    fn show_waiting(&self, inbound: &Inbound, id: i64) -> Result<Reply, DeskError> {
        let (shown, waiting) = self.desk(inbound).show_waiting(id, &inbound.person.name, &inbound.chat)?;
        let zone = self.views(inbound).and_then(|views| views.zone()).unwrap_or_default();
        let mut preview = format!("{} asks for a second person: {}", waiting.person, waiting.change);
        let _ = write!(preview, "\n{}", preview_words(&waiting.preview, zone));
        let _ = write!(preview, "\nIt waits until {}; `/decline {id}` ends it", time(waiting.until, zone));
        Ok(Reply::Confirm { id: shown.id, preview })
    }

    /// Answers what a change would do, and does not ask whether to do it.
    fn what_if(&self, inbound: &Inbound, line: &str) -> Result<Reply, ArgError> {
        let line = if line.starts_with(['/', '#']) { line.to_owned() } else { format!("/{line}") };
        let parsed = parse(&line)?;
        let name = parsed.command.name;
        let run = match parsed.command.run {
            Run::Control(run) => run,
            // What it takes back of a book is shown, too; what concerns whoever asks alone is not.
            Run::Personal(_) | Run::Desk(_) => {
                let what = format!("what /{name} does concerns you alone, or is shown before it is done: just ask it");
                return Err(ArgError::Usage(what));
            }
            Run::View(_) | Run::ViewOrFile(..) | Run::ViewOrAsk(..) | Run::Ask(_) | Run::Text(_) => {
                return Err(ArgError::Usage(format!("/{name} changes nothing: just ask it")));
            }
        };
        let wish = self.wished(inbound, &parsed, run)?;
        if wish.control.is_safe() {
            let words = "It would halt every book that you may change: no entries, no exits by strategies; stops and targets stay. It needs no PIN";
            return Ok(Reply::Text(words.to_owned()));
        }
        let change = self.change(inbound, wish)?;
        let (_, preview) = self.preview(inbound, change)?;
        let (_, zone) = self.time_of(inbound);
        Ok(Reply::Text(format!("{}\nNothing was done: that is what it would do", preview_words(&preview, zone))))
    }

    fn decline(&self, inbound: &Inbound, id: i64) -> Result<Reply, DeskError> {
        let change = self.desk(inbound).decline(id, &inbound.person.name, &inbound.chat)?;
        Ok(Reply::Text(format!("Declined, and not done: {change}")))
    }

    fn ask_new_pin(&self, inbound: &Inbound) -> Result<Reply, DeskError> {
        let shown = self.desk(inbound).ask_new_pin(&inbound.person.name, &inbound.chat)?;
        let preview = format!("A new PIN for {}, by the one that holds now", inbound.person.name);
        Ok(Reply::Confirm { id: shown.id, preview })
    }

    /// What a prompt takes, and for how long.
    ///
    /// # Errors
    /// When there is no such prompt.
    pub fn ask_of(&self, inbound: &Inbound, id: i64) -> Result<Ask, DeskError> {
        self.desk(inbound).ask_of(id)
    }

    /// What became of what was entered for a prompt before the bot was started anew.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn begun(&self, inbound: &Inbound, id: i64) -> Result<Begun, StoreError> {
        self.desk(inbound).begun(id, &inbound.person.name, &inbound.chat)
    }

    /// The same of what was entered at this instant, with the prompt that was open there; none where none was.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn begun_at(&self, inbound: &Inbound, at: Timestamp) -> Result<Option<(i64, Begun)>, StoreError> {
        self.desk(inbound).begun_at(at, &inbound.person.name, &inbound.chat)
    }

    /// The desk as it stands for whoever asks.
    pub(super) fn desk(&self, inbound: &Inbound) -> crate::control::ChangeDesk {
        let desk = self.parts.desk.within(inbound.person.books.clone());
        desk.for_owner(inbound.person.role == Role::Owner)
    }

    /// Who may change what is judged by what holds now, not when it was shown.
    pub(super) fn may_confirm(inbound: &Inbound) -> Result<(), DeskError> {
        let is_group = matches!(inbound.place, Place::Group { .. });
        if inbound.person.role == Role::Viewer || is_group { Err(DeskError::NotYours) } else { Ok(()) }
    }

    /// What is said after [`ACCEPTED`], as a message of its own; `result` waits for what the engine says. None where the engine takes its
    /// time, and where nothing more may be told.
    pub fn follow_up(
        &self,
        inbound: &Inbound,
        taken: Taken,
        result: impl FnOnce(i64) -> Option<String>,
    ) -> Option<String> {
        match taken {
            Taken::Confirmed(id) => result(id),
            Taken::Quietly(id) => {
                drop(result(id));
                None
            }
            Taken::Waits(id, until) => {
                let zone = self.views(inbound).and_then(|views| views.zone()).unwrap_or_default();
                let until = time(until, zone);
                Some(format!(
                    "It waits until {until} for a second person, who types /approve {id}. /decline {id} ends it"
                ))
            }
            Taken::Next(_) | Taken::Done => None,
        }
    }
}

/// The whole of every answer to what was right: what came of it is another message, if one comes.
pub const ACCEPTED: &str = "Accepted";
