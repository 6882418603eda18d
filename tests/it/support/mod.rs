//! The bench: a store in a folder of its own, a manual clock, a feed that can be broken, a channel that can be scripted. Beside it the
//! floor: a broker and a ledger without an engine.

mod bench;
mod books;
mod fake;
mod feed;
mod hostile;
pub(crate) mod market;
pub(crate) mod random;
pub(crate) mod random_controls;
mod orders;
mod posts;
mod prices;
mod samples;
mod shell;
mod talk;
pub(crate) mod talking;
pub(crate) mod smtp;
pub(crate) mod discord_talking;
pub(crate) mod discord;
pub(crate) mod openapi;
pub(crate) mod telegram;
pub(crate) mod twilio;
pub(crate) mod texting;
pub(crate) mod contest;
pub(crate) mod kills;
pub(crate) mod ntfy;
pub(crate) mod post_office;
mod telegram_text;
pub(crate) mod discord_text;

pub(crate) use bench::{Bench, Life, quick_cross, shared};
pub(crate) use books::{Holding, book_batch};
pub(crate) use feed::{Act, Fault, FaultyFeed, ListFeed, bar_at, flat_bars};
pub(crate) use hostile::{hostile, tried};
pub(crate) use orders::{FREE, Floor, SYMBOLS, order, share_bar};
pub(crate) use post_office::{Does, PostOffice, lane};
pub(crate) use posts::{post, python, titled};
pub(crate) use prices::{opened, walk, write_prices};
pub(crate) use samples::{SAMPLE_AT, SECRETS, THEIRS, VARIANTS, sample, samples, variant};
pub(crate) use shell::{Shell, seen};
pub(crate) use talk::Talk;
pub(crate) use telegram_text::{entities, is_shown, parse, received, unwanted};
