//! The bench: a store in a folder of its own, a manual clock, a feed that can be broken, a channel that can be scripted.

mod bench;
mod books;
mod feed;

pub(crate) use bench::{Bench, Life, quick_cross, shared};
pub(crate) use books::{Holding, book_batch};
pub(crate) use feed::{Fault, FaultyFeed, ListFeed, bar_at, flat_bars};
