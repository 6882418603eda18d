//! Through what do we talk? One adapter a platform, both directions.

mod console;
mod editor;

pub use console::{Console, ConsoleInput, Prompted};
pub use editor::{Editor, Line};
