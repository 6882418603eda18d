//! What do people want to know? Read-only answers, fact first; every figure with its currency and basis, every time with its zone.

mod open;
mod measured;
mod status;
mod positions;
mod orders;
mod trades;
mod pnl;
mod risk;
mod exposure;
mod correlation;
mod stress;
mod limits;
mod locks;
mod watchlist;
mod runs;
mod why;
mod whynot;
mod health;

pub use correlation::correlation;
pub use exposure::exposure;
pub use health::{HealthReport, health, health_report};
pub use limits::limits;
pub use locks::{locks, unlock_preview};
pub use open::{ViewError, Views};
pub use orders::orders;
pub use pnl::{Period, pnl};
pub use positions::positions;
pub use risk::risk;
pub use runs::runs;
pub use status::{resume_preview, status};
pub use stress::stress;
pub use trades::trades;
pub use watchlist::watchlist;
pub use why::why;
pub use whynot::whynot;
