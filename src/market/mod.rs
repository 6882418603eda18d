//! What are the prices? Recorded or simulated bars in the order they became known, and the hours of each market.

mod session;
mod holidays;
mod noise;
mod regime;
mod slots;
mod walk;
mod simulated;
mod feed;

pub use feed::{Feed, FeedError, SimulatedWithHistory};
pub use regime::MarketRegime;
pub use session::{Hours, Session};
pub use simulated::SimulatedFeed;
