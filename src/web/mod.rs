//! What may a monitor ask? How well the bot is, and its figures, over HTTP; nothing can be changed here.

mod guard;
mod exposition;
mod pages;
mod server;

pub use exposition::{CONTENT_TYPE, exposition};
pub use server::{BindError, Parts, Server, serve};
