//! What the tests are made of, for the figures.
#![allow(clippy::allow_attributes, dead_code, unused_imports, reason = "the figures need some of what the tests need")]

#[path = "../../tests/it/support/hostile.rs"]
pub(crate) mod hostile;
#[path = "../../tests/it/support/fake/mod.rs"]
pub(crate) mod fake;
#[path = "../../tests/it/support/discord/mod.rs"]
pub(crate) mod discord;
#[path = "../../tests/it/support/discord_talking.rs"]
pub(crate) mod discord_talking;
#[path = "../../tests/it/support/ntfy.rs"]
pub(crate) mod ntfy;
#[path = "../../tests/it/support/smtp/mod.rs"]
pub(crate) mod smtp;
#[path = "../../tests/it/support/texting.rs"]
pub(crate) mod texting;
#[path = "../../tests/it/support/twilio/mod.rs"]
pub(crate) mod twilio;
#[path = "../../tests/it/support/contest.rs"]
pub(crate) mod contest;
#[path = "../../tests/it/support/kills.rs"]
pub(crate) mod kills;
#[path = "../../tests/it/support/post_office.rs"]
pub(crate) mod post_office;
#[path = "../../tests/it/support/samples.rs"]
pub(crate) mod samples;
#[path = "../../tests/it/support/shell.rs"]
pub(crate) mod shell;
#[path = "../../tests/it/support/talking.rs"]
pub(crate) mod talking;
#[path = "../../tests/it/support/telegram/mod.rs"]
pub(crate) mod telegram;
#[path = "../../tests/it/support/telegram_text.rs"]
pub(crate) mod telegram_text;

pub(crate) use hostile::tried;
pub(crate) use samples::{THEIRS, sample, samples};
pub(crate) use shell::Shell;
pub(crate) use telegram_text::{entities, is_shown, parse, received, unwanted};

/// The reference material beside the checkout, if it is there.
pub(crate) fn shared(path: &str) -> Option<std::path::PathBuf> {
    let found = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    found.exists().then_some(found)
}
