//! How are things called? Short names that are copied like numbers, and the numbers that count cycles, orders and fills.

use std::fmt;
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
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            bytes: [u8; NAME_BYTES_MAX],
            length: u8,
        }

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
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
                let mut bytes = [0; NAME_BYTES_MAX];
                bytes[..folded.len()].copy_from_slice(&folded);
                Ok(Self { bytes, length: folded.len() as u8 })
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
    fn ids_are_read_with_and_without_their_letter() {
        for text in ["O17", "o17", "17"] {
            assert_eq!(text.parse(), Ok(OrderId(17)));
        }
    }
}
