//! What may be set? Environment and `bellwether.toml`, each key declared once, turned into what the modules need.

mod settings;
mod configured;
mod value;
mod book;
mod selector;
mod screener;
mod people;
mod routes;
mod file;
mod secret_url;
mod environment;
mod env_file;
mod machine;
mod telling;
mod docs;

pub use configured::{BookConfig, Config, WatchSource};
pub use docs::reference;
pub use env_file::{EnvFileError, write_env};
pub use environment::{ENVIRONMENT, Environment, Variable, env_example, missing_services};
pub use file::{ConfigError, load, read, read_file};
pub use machine::machine_zone;
pub use people::{Amounts, GroupConfig, PersonConfig, TelegramAddress};
pub use routes::{policy, route_table};
pub use secret_url::SecretUrl;
pub use settings::{SETTINGS, Setting};
