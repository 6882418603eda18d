//! How is a kind of event told to somebody? At once, quietly, with the digest, or not at all.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What stands for the day's digest as a whole where kinds are named: somebody may wish for none.
pub const DIGEST: &str = "digest";

/// What a person wants of a kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Not told; it stays in the journal.
    Off,
    /// Gathered and told once a day.
    Digest,
    /// Told at once, without a sound.
    Silent,
    /// Told at once.
    On,
}

impl Treatment {
    /// All, quietest first.
    pub const ALL: [Self; 4] = [Self::Off, Self::Digest, Self::Silent, Self::On];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Digest => "digest",
            Self::Silent => "silent",
            Self::On => "on",
        }
    }

    /// One step quieter; what is told in the digest at the least goes no further, so that nothing vanishes by a tap.
    #[must_use]
    pub const fn quieter(self) -> Self {
        match self {
            Self::On => Self::Silent,
            Self::Silent | Self::Digest => Self::Digest,
            Self::Off => Self::Off,
        }
    }
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Treatment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|treatment| treatment.as_str() == text);
        found.ok_or_else(|| format!("\"{}\" is no way to be told: use on, silent, digest or off", text.escape_debug()))
    }
}
