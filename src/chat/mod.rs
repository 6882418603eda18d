//! What was asked, and what is the answer? One grammar for every channel, from one table of commands.

mod command;
mod params;
mod arguments;
mod controls;
mod usage;
mod over_file;
mod commands;
mod table_views;
mod table_controls;
mod table_tuning;
mod table_people;
mod actions;
mod head;
mod parse;
mod access;
mod seat;
mod handle;
mod personal;
mod second;
mod attention;
mod notes;
mod settings;
mod undo;
mod pad;
mod menus;
mod manual;
mod grouped;
mod complete;
mod choices;
mod typing;

pub use crate::control::Taken;
pub use access::{Person, Role, may};
pub use command::{
    ArgError, Asked, Command, ControlFn, DeskWork, Drawing, Group, LessOf, Personal, Question, Run, Setting, Wish,
};
pub use commands::COMMANDS;
pub use complete::{CHOICES_MAX, Choice, complete};
pub use grouped::{AT_TOP, grouped, grouped_line};
pub use handle::{Asker, Chat, ChatParts, Driller, Inbound, Previewer, Reply, read_only};
pub use manual::manual;
pub use menus::{help, help_list, help_of, menu, welcome};
pub use pad::{PadKey, Pads, Pressed, may_be_secret, pad, pad_done, pad_key};
pub use params::{Param, What};
pub use parse::{Parsed, asked, is_halt, is_safe, parse};
pub use seat::{Account, GroupChat, Place, Seat, Seats};
pub use second::ACCEPTED;
pub use typing::{Typed, typed_so_far};
