//! What may a monitor ask, and who may post? How well the bot is, and its figures, over HTTP, which change nothing; and doors that others
//! hand in.

mod guard;
mod exposition;
mod pages;
mod posts;
mod server;

pub use exposition::{CONTENT_TYPE, exposition};
pub use posts::{PostDoor, Posted, Reply};
pub use server::{BindError, Parts, Server, serve};
