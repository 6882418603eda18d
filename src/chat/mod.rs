//! What was asked, and what is the answer? One grammar for every channel, from one table of commands.

mod command;
mod params;
mod arguments;
mod commands;
mod head;
mod parse;
mod access;
mod seat;
mod handle;
mod personal;
mod attention;
mod pad;
mod menus;
mod grouped;
mod complete;

pub use access::{Person, Role, may};
pub use command::{ArgError, Command, Drawing, Group, LessOf, Personal, Question, Run};
pub use commands::COMMANDS;
pub use complete::{CHOICES_MAX, Choice, complete, completions};
pub use grouped::{AT_TOP, grouped, grouped_line};
pub use handle::{Asker, CONFIRM_S, Chat, ChatParts, Driller, Inbound, Reply, read_only};
pub use menus::{help, help_list, help_of, menu, welcome};
pub use pad::{PadKey, Pads, Pressed, may_be_secret, pad, pad_done, pad_key};
pub use params::{Param, What};
pub use parse::{Parsed, asked, is_halt, is_safe, parse};
pub use seat::{Account, GroupChat, Place, Seat, Seats};
