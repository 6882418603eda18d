//! What may an operator change? Named changes, shown first, then confirmed with a PIN, then carried out once.

mod action;
mod pin;
mod code;
mod desk;

pub use action::{Control, ShownOn};
pub use code::CODE_VALID_MS;
pub use desk::{ChangeDesk, Confirmed, DeskError, Shown, VALID_MS};
pub use pin::{PIN_DIGITS_MAX, PIN_DIGITS_MIN, PinCost, WeakPin, check_strength};
