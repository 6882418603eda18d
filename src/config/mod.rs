//! What may be set? Environment and `bellwether.toml`, each key declared once, turned into what the modules need.

mod settings;
mod book;
mod selector;
mod screener;
mod file;
mod environment;
mod docs;

pub use docs::reference;
pub use environment::{ENVIRONMENT, Environment, Variable};
pub use file::{ConfigError, load, read, read_file};
pub use settings::{BookConfig, Config, SETTINGS, Setting, WatchSource};
