//! What may be set? Environment and `bellwether.toml`, each key declared once, turned into what the modules need.

mod settings;
mod configured;
mod value;
mod book;
mod selector;
mod screener;
mod phone;
mod people;
mod sms;
mod routes;
mod file;
mod secret_url;
mod smtp_url;
mod twilio_account;
mod variables;
mod environment;
mod env_file;
mod machine;
mod telling;
mod docs;

pub use configured::{BookConfig, Config, WatchSource};
pub use docs::reference;
pub use env_file::{EnvFileError, write_env};
pub use environment::{Environment, env_example, missing_services};
pub use file::{ConfigError, load, read, read_file};
pub use machine::machine_zone;
pub use people::{Amounts, DiscordAddress, GroupConfig, PersonConfig, TelegramAddress};
pub use phone::Phone;
pub use routes::{policy, route_table};
pub use secret_url::SecretUrl;
pub use settings::{SETTINGS, Setting};
pub use sms::SmsSettings;
pub use smtp_url::{SmtpTls, SmtpUrl};
pub use twilio_account::TwilioAccount;
pub use variables::{ENVIRONMENT, Variable};
