//! Through what do we talk? One adapter a platform, both directions.

mod console;
mod editor;
mod harmless;
mod rows;
mod render_html;
mod render_plain;

pub use console::{Console, ConsoleInput, Prompted};
pub use editor::{Editor, Line};
pub use render_html::{Budget, html};
pub use render_plain::plain;
