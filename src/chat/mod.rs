//! What was asked, and what is the answer? One grammar for every channel, from one table of commands.

mod command;
mod commands;
mod parse;
mod access;
mod handle;
mod personal;
mod menus;

pub use access::{Person, Role, may};
pub use command::{ArgError, Arity, Command, Group, Personal, Question, Run};
pub use commands::COMMANDS;
pub use handle::{Asker, CONFIRM_S, Chat, ChatParts, Inbound, Reply, read_only};
pub use menus::{completions, help, help_of, welcome};
pub use parse::{Parsed, parse};
