//! What do people want to know? Read-only answers, fact first; every figure with its currency and basis, every time with its zone.

mod open;
mod status;
mod positions;
mod books;
mod orders;
mod trades;
mod pnl;
mod watchlist;
mod screener;
mod readiness;
mod runs;
mod why;
mod whynot;
mod health;

pub use books::{book_preview, books};
pub use health::{HealthReport, health, health_report};
pub use open::{ViewError, Views};
pub use orders::orders;
pub use pnl::{Period, pnl};
pub use positions::positions;
pub use readiness::readiness;
pub use runs::runs;
pub use screener::{screener, screening_words};
pub use status::{resume_preview, status, unlock_preview};
pub use trades::trades;
pub use watchlist::watchlist;
pub use why::why;
pub use whynot::whynot;
