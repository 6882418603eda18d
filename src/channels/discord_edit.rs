//! How is a message on Discord changed, and how is an interaction answered? Part by part, the answer by its token while that lasts.

use crate::domain::INTERACTION;
use crate::notify::{Failure, Post, Receipt, SendError};

use super::discord_answer::{DiscordError, DiscordRefusal, failed};
use super::discord_lane::{DiscordLane, Part, Remote, Spot, interaction, parts_of};
use super::render_discord::Sheet;

impl DiscordLane {
    /// Changes each part of a message to what it says now. What has become longer goes on in further messages, what has become shorter
    /// loses its last ones.
    pub(super) async fn edit(&self, post: &Post, edited: &str) -> Result<Receipt, SendError> {
        if let Some(interaction) = interaction(edited) {
            return self.edit_answer(post, interaction).await;
        }
        let Some(remote) = Remote::read(edited) else { return Err(SendError::Gone) };
        let mut spot = Spot::only(remote.channel.unwrap_or(self.target.channel));
        let channel = spot.channel;
        let sheets = parts_of(post);
        let mut there = self.parts.of(remote.message);
        for (index, sheet) in sheets.iter().enumerate() {
            let part = Part { index, sheet, is_last: index + 1 == sheets.len() };
            if let Some(message) = there.get(index) {
                match self.discord.edit(channel, *message, &self.dispatch(post, &part)).await {
                    // Somebody removed it; the first part is the message.
                    Err(DiscordError::Refused { kind: DiscordRefusal::MessageGone, .. }) if index > 0 => {}
                    changed => changed.map_err(|error| self.failed_at(spot, error))?,
                }
            } else {
                let further = Post { silent: true, ..post.clone() };
                there.push(self.part(&further, &part, &mut spot).await?.message);
                self.parts.keep(there.clone());
            }
        }
        for message in there.split_off(sheets.len().max(1).min(there.len())) {
            if let Err(error) = self.discord.remove(channel, message).await {
                tracing::debug!(%error, "a part that says nothing any more stays");
            }
        }
        self.parts.keep(there);
        Ok(Receipt { remote: Some(edited.to_owned()), ..Receipt::default() })
    }

    /// Changes the answer to an interaction while its token lasts: nobody else can.
    async fn edit_answer(&self, post: &Post, interaction: u64) -> Result<Receipt, SendError> {
        let Some((token, _)) = self.answers.token(interaction, self.discord.client().clock().steady()) else {
            return Err(SendError::Gone);
        };
        let sheets = parts_of(post);
        let sheet = sheets.first().ok_or(SendError::Gone)?;
        let part = Part { index: 0, sheet, is_last: true };
        match self.discord.answer(&token, &self.dispatch(post, &part)).await {
            Ok(_) => Ok(Receipt { remote: post.edit.clone(), ..Receipt::default() }),
            Err(DiscordError::Refused { .. }) => Err(SendError::Gone),
            Err(error) => Err(failed(error)),
        }
    }

    /// Answers an interaction by its token, in parts that its asker alone sees. None where the token does not do any more: the number of
    /// parts that arrived by it is there then.
    pub(super) async fn answered(
        &self,
        post: &Post,
        sheets: &[Sheet],
        interaction: u64,
    ) -> Result<Option<Receipt>, Failure> {
        let mut skew_ms = None;
        for (index, sheet) in sheets.iter().enumerate().skip(post.parts_done as usize) {
            let now = self.discord.client().clock().steady();
            let Some((token, is_answered)) = self.answers.token(interaction, now) else { return Ok(None) };
            let part = Part { index, sheet, is_last: index + 1 == sheets.len() };
            let dispatch = self.dispatch(post, &part);
            let shown = if is_answered {
                self.discord.follow_up(&token, &dispatch).await
            } else {
                self.discord.answer(&token, &dispatch).await
            };
            match shown {
                Ok(shown) => skew_ms = shown.skew_ms,
                Err(DiscordError::Refused { kind, words, .. }) if kind != DiscordRefusal::TooLarge => {
                    tracing::info!(words, "an interaction cannot be answered by its token any more");
                    self.answers.forget(interaction);
                    return Ok(None);
                }
                Err(error) => return Err(Failure { parts: index as u32, what: failed(error) }),
            }
            self.answers.note_answered(interaction);
        }
        Ok(Some(Receipt { remote: Some(format!("{INTERACTION}{interaction}")), skew_ms, detail: None }))
    }
}
