//! How grave is a change, and what does it take to confirm it? A table of the configuration.

use std::fmt;
use std::str::FromStr;

/// How much a change can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// It makes things safer: nothing is asked for.
    Safe,
    /// It keeps books from entering, and never lets them do more than before.
    Light,
    /// Orders, positions, what trades, and whatever may let a book do more than before.
    Trade,
    /// What cannot be taken back.
    Grave,
}

impl Tier {
    /// All, the mildest first.
    pub const ALL: [Self; 4] = [Self::Safe, Self::Light, Self::Trade, Self::Grave];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Light => "light",
            Self::Trade => "trade",
            Self::Grave => "grave",
        }
    }
}

impl FromStr for Tier {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|tier| tier.as_str() == text && *tier != Self::Safe);
        found.ok_or_else(|| format!("\"{}\" is no tier: use light, trade or grave", text.escape_debug()))
    }
}

/// What somebody proves who they are by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Factors {
    /// A PIN.
    #[default]
    Pin,
    /// The code that their app shows.
    Totp,
    /// The PIN, and the code right behind it.
    Both,
}

impl Factors {
    /// What is needed where both are.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Both }
    }

    /// True if whoever showed this has shown what `needed` asks for.
    pub fn covers(self, needed: Self) -> bool {
        self.and(needed) == self
    }

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Totp => "totp",
            Self::Both => "pin+totp",
        }
    }

    /// True if a PIN is part of it.
    pub const fn needs_pin(self) -> bool {
        matches!(self, Self::Pin | Self::Both)
    }

    /// True if a code is part of it.
    pub const fn needs_totp(self) -> bool {
        matches!(self, Self::Totp | Self::Both)
    }
}

impl fmt::Display for Factors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pin => "your PIN",
            Self::Totp => "the six digits of your app",
            Self::Both => "your PIN and right behind it the six digits of your app",
        })
    }
}

impl FromStr for Factors {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::Pin, Self::Totp, Self::Both].into_iter().find(|factors| factors.as_str() == text);
        found.ok_or_else(|| format!("\"{}\" is none: use pin, totp or pin+totp", text.escape_debug()))
    }
}

/// What it takes to confirm a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ControlRules {
    /// Of owners.
    pub owner: Factors,
    /// Of operators.
    pub operator: Factors,
    /// What a tier asks for besides.
    pub tiers: Vec<(Tier, Factors)>,
    /// Tiers for which a second person has to agree.
    pub two_persons: Vec<Tier>,
}

impl ControlRules {
    /// What an owner, or an operator, needs for a change of this tier.
    pub fn factors(&self, is_owner: bool, tier: Tier) -> Factors {
        let own = if is_owner { self.owner } else { self.operator };
        self.tiers.iter().filter(|(of, _)| *of == tier).fold(own, |needed, (_, more)| needed.and(*more))
    }

    /// Whether a second person has to agree.
    pub fn needs_two(&self, tier: Tier) -> bool {
        self.two_persons.contains(&tier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tier_asks_for_comes_on_top_of_what_the_role_needs() {
        let rules = ControlRules {
            operator: Factors::Totp,
            tiers: vec![(Tier::Grave, "pin+totp".parse().expect("known")), (Tier::Trade, Factors::Pin)],
            two_persons: vec![Tier::Grave],
            ..ControlRules::default()
        };
        let of = |is_owner, tier| rules.factors(is_owner, tier);
        assert_eq!(
            [of(true, Tier::Light), of(true, Tier::Trade), of(true, Tier::Grave)],
            [Factors::Pin, Factors::Pin, Factors::Both]
        );
        assert_eq!([of(false, Tier::Light), of(false, Tier::Trade)], [Factors::Totp, Factors::Both]);
        assert!(rules.needs_two(Tier::Grave) && !rules.needs_two(Tier::Trade));
        assert!("safe".parse::<Tier>().is_err() && "PIN".parse::<Factors>().is_err());
    }
}
