//! How is a strategy set? Typed parameters with ranges, from one table a strategy.

use crate::domain::Ratio;

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// A whole number of bars.
    Bars,
    /// A whole number of other things, such as symbols.
    Count,
    /// A level from 0 to 100, with decimals.
    Level,
    /// A multiple of something, with decimals.
    Factor,
    /// 1 or true for yes, 0 or false for no.
    Switch,
}

impl ParamKind {
    /// What is written for it, in words.
    pub const fn takes(self) -> &'static str {
        match self {
            Self::Bars | Self::Count => "a whole number",
            Self::Level | Self::Factor => "a number",
            Self::Switch => "true or false",
        }
    }

    /// A value as it is written in the configuration.
    pub fn written(self, value: Ratio) -> String {
        match self {
            Self::Bars | Self::Count | Self::Level | Self::Factor => value.to_string(),
            Self::Switch => (!value.is_zero()).to_string(),
        }
    }

    /// Whether only whole numbers are taken.
    const fn is_whole(self) -> bool {
        match self {
            Self::Bars | Self::Count | Self::Switch => true,
            Self::Level | Self::Factor => false,
        }
    }
}

/// One parameter of a strategy.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: ParamKind,
    /// Its value if nothing is set.
    pub default: Ratio,
    /// The smallest value.
    pub min: Ratio,
    /// The largest value.
    pub max: Ratio,
    /// What it does.
    pub help: &'static str,
}

impl Param {
    /// Whether a strategy also sells short; every strategy has it.
    pub(super) const SHORT: Self = Self::new(ParamKind::Switch, "short", [0, 0, 100], "also sells short");

    /// A number of bars: the usual one, the least and the most.
    pub(super) const fn bars(name: &'static str, [usual, min, max]: [i64; 3], help: &'static str) -> Self {
        Self::new(ParamKind::Bars, name, [usual * 100, min * 100, max * 100], help)
    }

    /// A number of things: the usual one, the least and the most.
    pub(super) const fn count(name: &'static str, [usual, min, max]: [i64; 3], help: &'static str) -> Self {
        Self::new(ParamKind::Count, name, [usual * 100, min * 100, max * 100], help)
    }

    /// A level: the usual one, the least and the most.
    pub(super) const fn level(name: &'static str, [usual, min, max]: [i64; 3], help: &'static str) -> Self {
        Self::new(ParamKind::Level, name, [usual * 100, min * 100, max * 100], help)
    }

    /// A multiple: the usual one, the least and the most, each in hundredths.
    pub(super) const fn factor(name: &'static str, hundredths: [i64; 3], help: &'static str) -> Self {
        Self::new(ParamKind::Factor, name, hundredths, help)
    }

    const fn new(kind: ParamKind, name: &'static str, [usual, min, max]: [i64; 3], help: &'static str) -> Self {
        let (default, min, max) = (Ratio::from_percent(usual), Ratio::from_percent(min), Ratio::from_percent(max));
        Self { name, kind, default, min, max, help }
    }

    /// What may be written for it.
    fn wanted(&self) -> String {
        match self.kind {
            ParamKind::Switch => self.kind.takes().to_owned(),
            ParamKind::Bars | ParamKind::Count | ParamKind::Level | ParamKind::Factor => {
                format!("{} from {} to {}", self.kind.takes(), self.min, self.max)
            }
        }
    }
}

/// A parameter that cannot be set like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// There is no such parameter.
    #[error("strategy {strategy} has no parameter \"{name}\"; it has {known}")]
    Unknown {
        /// The strategy.
        strategy: &'static str,
        /// What was written.
        name: String,
        /// What there is.
        known: String,
    },
    /// The value is not of the parameter's kind, or outside its range.
    #[error("{strategy}: {name} is {value}; use {wanted}")]
    Range {
        /// The strategy.
        strategy: &'static str,
        /// The parameter.
        name: String,
        /// What was written.
        value: String,
        /// What is allowed.
        wanted: String,
    },
    /// Two values do not go together.
    #[error("{strategy}: {why}")]
    Together {
        /// The strategy.
        strategy: &'static str,
        /// Why not.
        why: String,
    },
}

/// The checked values of one strategy's parameters, in the order of its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    params: Vec<(&'static str, Ratio)>,
}

impl Values {
    /// Defaults, overridden by what was written.
    ///
    /// # Errors
    /// For an unknown name or a value outside its range.
    pub fn check(
        strategy: &'static str,
        table: &'static [Param],
        written: &[(String, Ratio)],
    ) -> Result<Self, ParamError> {
        let mut params: Vec<_> = table.iter().map(|param| (param.name, param.default)).collect();
        for (name, value) in written {
            let Some(index) = table.iter().position(|param| param.name == name) else {
                let known: Vec<_> = table.iter().map(|param| param.name).collect();
                return Err(ParamError::Unknown { strategy, name: name.clone(), known: known.join(", ") });
            };
            let param = &table[index];
            let whole = value.units() % Ratio::ONE.units() == 0;
            let in_range = (param.min..=param.max).contains(value);
            if !in_range || (param.kind.is_whole() && !whole) {
                let (value, wanted) = (value.to_string(), param.wanted());
                return Err(ParamError::Range { strategy, name: name.clone(), value, wanted });
            }
            params[index].1 = *value;
        }
        Ok(Self { params })
    }

    /// A whole number, of bars or other things, by its name in the table.
    pub fn count(&self, name: &str) -> usize {
        usize::try_from(self.get(name).units() / Ratio::ONE.units()).unwrap_or(1)
    }

    /// A level or a factor by its name in the table.
    pub fn number(&self, name: &str) -> f64 {
        self.get(name).to_f64()
    }

    /// A switch by its name in the table.
    pub fn is_on(&self, name: &str) -> bool {
        !self.get(name).is_zero()
    }

    /// Names and values, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Ratio)> + '_ {
        self.params.iter().copied()
    }

    /// Some of them as they are read aloud: `fast 20, slow 50`.
    pub(super) fn words(&self, names: &[&str]) -> String {
        let words: Vec<String> = names.iter().map(|name| format!("{name} {}", self.get(name))).collect();
        words.join(", ")
    }

    fn get(&self, name: &str) -> Ratio {
        self.params.iter().find(|(known, _)| *known == name).map_or(Ratio::ZERO, |(_, value)| *value)
    }
}
