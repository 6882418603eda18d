//! What may an operator change? Named changes, shown first, then confirmed with a PIN, then carried out once.

mod action;
mod tier;
mod pin;
mod totp;
mod factors;
mod code;
mod prompt;
mod second;
mod desk;
mod claim;
mod begun;

pub use action::{Amount, Change, Control, Level, Part, Positions};
pub use begun::Begun;
pub use claim::{Rights, Roll};
pub use code::{CODE_DIGITS, CODE_VALID_MS};
pub use desk::{ChangeDesk, Confirmed, DeskError, Shown, Taken, VALID_MS};
pub use pin::{PIN_DIGITS_MAX, PIN_DIGITS_MIN, PinCost, WeakPin, check_strength};
pub use prompt::{Ask, Asks, PinStep};
pub use second::{TWO_VALID_MS, Waiting};
pub use tier::{ControlRules, Factors, Tier};
pub use totp::{NewApp, TOTP_DIGITS, TYPED_DIGITS_MAX};
