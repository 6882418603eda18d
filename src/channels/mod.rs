//! Through what do we talk? One adapter a platform, both directions.

mod console;
mod editor;
mod http_client;
mod telegram;
mod telegram_answer;
mod telegram_client;
mod telegram_update;

pub use console::{Console, ConsoleInput, Prompted};
pub use editor::{Editor, Line};
pub use http_client::{ClientError, client as http_client, init_tls};
pub use telegram::{Key, MenuScope, Myself, Polled, Posting, PressAnswer, RemoteId, Telegram};
pub use telegram_answer::{CallError, Refusal};
pub use telegram_client::{AddressError, Answered, TelegramClient};
pub use telegram_update::{ChatKind, Heard, HeardKind, Speaker};
