//! How are things called? Short names that are copied like numbers, and the numbers that count cycles, orders and fills.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const NAME_BYTES_MAX: usize = 23;

/// A name that is empty, too long, or has a character that names may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a {kind}: use 1 to {NAME_BYTES_MAX} of {allowed}")]
pub struct NameError {
    kind: &'static str,
    text: String,
    allowed: &'static str,
}

macro_rules! short_name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $allowed:literal, $fold:expr, $ok:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, PartialOrd, Ord)]
        pub struct $name {
            /// The text, zeros, and in the last byte the length of the text.
            bytes: [u8; NAME_BYTES_MAX + 1],
        }

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.bytes[..usize::from(self.bytes[NAME_BYTES_MAX])]).unwrap_or_default()
            }

            fn words(&self) -> [u64; 3] {
                let word = |from: usize| self.bytes[from..].first_chunk().map_or(0, |chunk| u64::from_ne_bytes(*chunk));
                [word(0), word(8), word(16)]
            }
        }

        // Names are compared for every bar: three words are quicker than 24 bytes.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.words() == other.words()
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                let [first, second, third] = self.words();
                state.write_u64(first ^ second.rotate_left(21) ^ third.rotate_left(42));
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let fold: fn(u8) -> u8 = $fold;
                let allowed: fn(&u8) -> bool = $ok;
                let folded: Vec<u8> = text.bytes().take(NAME_BYTES_MAX + 1).map(fold).collect();
                if folded.is_empty() || folded.len() > NAME_BYTES_MAX || !folded.iter().all(allowed) {
                    let text = text.chars().take(NAME_BYTES_MAX + 1).flat_map(char::escape_debug).collect();
                    return Err(NameError { kind: $kind, text, allowed: $allowed });
                }
                let mut bytes = [0; NAME_BYTES_MAX + 1];
                bytes[..folded.len()].copy_from_slice(&folded);
                bytes[NAME_BYTES_MAX] = folded.len() as u8;
                Ok(Self { bytes })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

short_name! {
    /// A traded thing as its market writes it: `AAPL`, `BRK.B`, `BTC-USD`. Kept in capitals.
    Symbol, "symbol", "A-Z 0-9 . - _ /",
    |byte| byte.to_ascii_uppercase(),
    |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b".-_/".contains(byte)
}

short_name! {
    /// A book, a strategy or a person as the configuration names it: `main`, `sma_cross`, `ana`.
    Label, "name", "a-z 0-9 - _",
    |byte| byte.to_ascii_lowercase(),
    |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(byte)
}

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident, $letter:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The number after this one.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let digits = text.strip_prefix($letter).or_else(|| text.strip_prefix(&$letter.to_lowercase()));
                digits.unwrap_or(text).parse().map(Self)
            }
        }
    };
}

counter! {
    /// One start of the program, counted per database.
    RunId, "R"
}
counter! {
    /// One pass from data to events, counted per database.
    CycleId, "C"
}
counter! {
    /// What a strategy wanted once.
    SignalId, "S"
}
counter! {
    /// An order; the number that people see and type.
    OrderId, "O"
}
counter! {
    /// One execution of an order or of a part of it.
    FillId, "F"
}
counter! {
    /// A round trip from flat to flat.
    TradeId, "T"
}
counter! {
    /// An event told to people; consecutive, so that a gap shows a loss.
    NoticeId, "N"
}
counter! {
    /// Something that a person asked to be told of.
    AlertId, "A"
}
counter! {
    /// A setting that a person changed over the file.
    ChangeId, "K"
}

/// A row of the audit, from 1 on. It is never zero, so that an order that nobody in particular wanted is no larger for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuditId(NonZeroU64);

impl AuditId {
    /// From how it is stored; none where that is no number of a row.
    pub fn stored(number: i64) -> Option<Self> {
        u64::try_from(number).ok().and_then(NonZeroU64::new).map(Self)
    }

    /// How it is stored.
    pub const fn number(self) -> i64 {
        self.0.get().cast_signed()
    }
}

impl fmt::Display for AuditId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_folded_and_checked() {
        assert_eq!("brk.b".parse::<Symbol>().map(|s| s.to_string()), Ok("BRK.B".to_owned()));
        for bad in ["", "A B", "=CMD()", "AAPL\0", "ABCDEFGHIJKLMNOPQRSTUVWX", "é"] {
            assert!(bad.parse::<Symbol>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_differ_wherever_they_differ() {
        let longest = "A".repeat(NAME_BYTES_MAX);
        let mut names = vec![longest.clone(), longest[1..].to_owned(), "A".to_owned()];
        names.extend((0..NAME_BYTES_MAX).map(|place| format!("{}B{}", &longest[..place], &longest[place + 1..])));
        let known: std::collections::HashSet<Symbol> = names.iter().map(|name| name.parse().unwrap()).collect();
        assert_eq!(known.len(), names.len());
        assert!(known.contains(&longest.parse().unwrap()));
    }

    #[test]
    fn ids_are_read_with_and_without_their_letter() {
        for text in ["O17", "o17", "17"] {
            assert_eq!(text.parse(), Ok(OrderId(17)));
        }
    }
}
