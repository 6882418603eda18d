//! How is a person reached? A lane is one destination on one channel, written `ana:telegram`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Label;

/// A service or device that shows messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChannelKind {
    /// The terminal that the bot runs in.
    Terminal,
    /// A chat on Telegram.
    Telegram,
    /// A conversation or a channel on Discord.
    Discord,
    /// Short messages to a phone.
    Sms,
    /// Mail, as files where no server is configured.
    Email,
    /// A push service of one's own.
    Ntfy,
    /// Signed JSON to an address of one's own.
    Webhook,
}

impl ChannelKind {
    /// All, in the order in which a person is reached on them.
    pub const ALL: [Self; 7] =
        [Self::Telegram, Self::Discord, Self::Terminal, Self::Sms, Self::Email, Self::Ntfy, Self::Webhook];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Telegram => "telegram",
            Self::Discord => "discord",
            Self::Sms => "sms",
            Self::Ntfy => "ntfy",
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }

    /// Whether a message that was sent can be changed afterwards.
    pub const fn edits(self) -> bool {
        match self {
            Self::Telegram | Self::Discord => true,
            Self::Terminal | Self::Sms | Self::Email | Self::Ntfy | Self::Webhook => false,
        }
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ChannelKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|kind| kind.as_str()).collect();
            format!("\"{}\" is no channel: use {}", text.escape_debug(), known.join(", "))
        })
    }
}

/// One destination: a person or a group, and the channel. One message is under way on it at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// Who is reached.
    pub who: Label,
    /// On what.
    pub channel: ChannelKind,
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}:{}", self.who, self.channel))
    }
}

impl FromStr for Lane {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((who, channel)) = text.split_once(':') else {
            return Err(format!("\"{}\" is no destination: write it like ana:telegram", text.escape_debug()));
        };
        let who = who.parse().map_err(|error: super::NameError| error.to_string())?;
        Ok(Self { who, channel: channel.parse()? })
    }
}

impl Serialize for Lane {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lane {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
