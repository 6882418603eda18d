//! Through what do we talk? One adapter a platform, both directions.

mod harmless;
mod rows;
mod render_html;
mod render_plain;
mod console;
mod keep;
mod editor;
mod http_client;
mod telegram;
mod telegram_answer;
mod telegram_client;
mod telegram_update;
mod telegram_poll;
mod telegram_lane;
mod delivery_id;
mod render_mail;
mod mail;
mod mail_file;
mod webhook;
mod ntfy;

pub use console::{Console, ConsoleInput, Prompted};
pub use editor::{Editor, Line};
pub use http_client::{ClientError, client as http_client, init_tls};
pub use keep::kept_words;
pub use mail_file::MailFile;
pub use ntfy::Ntfy;
pub use render_html::{Budget, html};
pub use render_plain::plain;
pub use telegram::{Key, MenuScope, Myself, Posting, PressAnswer, RemoteId, Telegram};
pub use telegram_answer::{CallError, Refusal};
pub use telegram_client::{AddressError, Answered, TelegramClient};
pub use telegram_lane::{Moved, Target, TelegramLane};
pub use telegram_poll::Polled;
pub use telegram_update::{ChatKind, Heard, HeardKind, Speaker};
pub use webhook::{Hook, Webhook};
