//! What can be traded? A symbol with its market, its sector and the smallest amount of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Quantity, Symbol};

/// The kind of market a symbol belongs to; decides hours, lots and currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetClass {
    /// Shares on the US exchanges: New York hours, whole shares, US dollars.
    UsEquity,
    /// Coins: around the clock, fractions, quoted in what follows the dash.
    Crypto,
    /// Contracts on coins without an end, carried on margin: traded like coins, with funding every eight hours.
    Perpetual,
}

impl AssetClass {
    /// All of them, in the order of help texts.
    pub const ALL: [Self; 3] = [Self::UsEquity, Self::Crypto, Self::Perpetual];

    /// As it is written in a watchlist.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UsEquity => "us_equity",
            Self::Crypto => "crypto",
            Self::Perpetual => "perpetual",
        }
    }

    /// The market of a symbol that no watchlist names: `BASE-QUOTE` is crypto, all else is a US share.
    pub fn guess(symbol: Symbol) -> Self {
        match symbol.as_str().split_once('-') {
            Some((base, quote)) if base.len() >= 2 && quote.len() >= 3 => Self::Crypto,
            _ => Self::UsEquity,
        }
    }
}

impl fmt::Display for AssetClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for AssetClass {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|class| class.as_str() == text.trim().to_ascii_lowercase()).ok_or_else(|| {
            format!("unknown asset class \"{}\": use us_equity, crypto or perpetual", text.escape_debug())
        })
    }
}

/// A line of the watchlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// The name prices and orders go by.
    pub symbol: Symbol,
    /// The name people know it by.
    pub name: String,
    /// Its market.
    pub class: AssetClass,
    /// The industry it moves with; empty if unknown.
    pub sector: String,
}

impl Instrument {
    /// An instrument of which only the symbol is known.
    pub fn bare(symbol: Symbol) -> Self {
        Self { symbol, name: symbol.to_string(), class: AssetClass::guess(symbol), sector: String::new() }
    }

    /// The smallest amount that can be ordered: one share, or 0.00001 of a coin.
    pub const fn lot(&self) -> Quantity {
        match self.class {
            AssetClass::UsEquity => Quantity::whole(1),
            AssetClass::Crypto | AssetClass::Perpetual => Quantity::from_units(1_000),
        }
    }

    /// The currency its price is in.
    pub fn currency(&self) -> &str {
        match (self.class, self.symbol.as_str().split_once('-')) {
            (AssetClass::Crypto | AssetClass::Perpetual, Some((_, quote))) => quote,
            _ => "USD",
        }
    }
}
