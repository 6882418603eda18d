//! How is somebody reached on Discord whose conversation with the bot is not open? Not at all, which is said like any other failure, so that what
//! waits for them is accounted for and told elsewhere.

use async_trait::async_trait;

use crate::notify::{Abilities, Channel, Failure, Post, Receipt, SendError};

use super::discord::Discord;
use super::discord_answer::failed;
use super::discord_lane::ABILITIES;

/// The place of a lane until its conversation is open. Each try opens it, and whoever holds the lane puts the true one there then.
pub struct DiscordPending {
    discord: Discord,
    user: i64,
}

impl DiscordPending {
    /// For this account.
    pub fn new(discord: Discord, user: i64) -> Self {
        Self { discord, user }
    }

    async fn opened(&self) -> Result<(), Failure> {
        self.discord.open_dm(self.user).await.map(drop).map_err(|error| Failure::from(failed(error)))
    }
}

#[async_trait]
impl Channel for DiscordPending {
    fn abilities(&self) -> Abilities {
        ABILITIES
    }

    async fn send(&self, _: &Post) -> Result<Receipt, Failure> {
        self.opened().await?;
        Err(SendError::Unreachable("the conversation on Discord was opened just now".to_owned()).into())
    }

    async fn probe(&self) -> Option<Result<(), Failure>> {
        Some(self.opened().await)
    }
}
