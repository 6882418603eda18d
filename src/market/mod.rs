//! What are the prices? Recorded or simulated bars in the order they became known, and the hours of each market.

mod session;
mod holidays;
mod problem;
mod rows;
mod stamp;
mod plain_row;
mod header;
mod order;
mod actions;
mod csv_file;
mod inspect;
mod check;
mod watchlist;
mod noise;
mod regime;
mod slots;
mod walk;
mod simulated;
mod feed;
mod replay;

pub use actions::Actions;
pub use check::{CheckReport, check_path};
pub use csv_file::{BarFile, read};
pub use feed::{Feed, FeedError, SimulatedWithHistory};
pub use inspect::inspect;
pub use problem::{Level, Problem, ProblemKind};
pub use regime::MarketRegime;
pub use replay::{ReplayFeed, ReplayOptions};
pub use session::{Hours, Session};
pub use simulated::SimulatedFeed;
pub use watchlist::{SYMBOLS_MAX, WatchlistFault, parse_watchlist, write_watchlist};
