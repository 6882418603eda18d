//! Where are messages shown in a demonstration? On a phone and in an office that are drawn in the terminal; the office can be cut off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use crate::channels::plain;
use crate::notify::{Abilities, Allowance, Channel, Failure, Post, Receipt, SendError};

use super::shell::print;

/// How wide the phone is.
const PHONE_COLUMNS: usize = 64;
/// What the phone takes at once, and how long one more takes: as much as a chat on Telegram.
const PHONE: Allowance = Allowance { burst: 4, refill: Duration::from_secs(1) };

/// A phone: it takes so many messages and no more, and a message on it can be changed.
#[derive(Default)]
pub(super) struct Phone {
    messages: AtomicU64,
}

#[async_trait]
impl Channel for Phone {
    fn abilities(&self) -> Abilities {
        Abilities { edits: true, buttons: false, finds: false, allowance: Some(PHONE) }
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        let (name, changed) = match &post.edit {
            Some(name) => (name.clone(), ", changed"),
            None => ((self.messages.fetch_add(1, Ordering::SeqCst) + 1).to_string(), ""),
        };
        let text = plain(&post.message, PHONE_COLUMNS);
        let lines: Vec<String> = text.lines().map(|line| format!("      | {line}")).collect();
        print(&format!("      [phone, message {name}{changed}]\n{}", lines.join("\n")));
        Ok(Receipt { remote: Some(name), ..Receipt::default() })
    }
}

/// An office that is told the facts alone, through a line that can be cut.
#[derive(Default)]
pub(super) struct Office {
    /// Nothing comes through.
    pub(super) is_cut: Arc<AtomicBool>,
}

#[async_trait]
impl Channel for Office {
    fn abilities(&self) -> Abilities {
        Abilities { edits: false, buttons: false, finds: false, allowance: None }
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        if self.is_cut.load(Ordering::SeqCst) {
            return Err(SendError::Unreachable("the line of this demonstration is cut".to_owned()).into());
        }
        let lines = post.message.plain_lines();
        print(&format!("      [office] {}", lines.first().map_or("", String::as_str)));
        Ok(Receipt::default())
    }
}
