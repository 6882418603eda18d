//! How is a strategy set? Typed parameters with ranges, from one table a strategy.

use crate::domain::Ratio;

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// A whole number of bars.
    Bars,
    /// A level from 0 to 100, with decimals.
    Level,
}

/// One parameter of a strategy.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: ParamKind,
    /// Its value if nothing is set.
    pub default: i64,
    /// The smallest value.
    pub min: i64,
    /// The largest value.
    pub max: i64,
    /// What it does.
    pub help: &'static str,
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
        let mut params: Vec<_> = table.iter().map(|param| (param.name, Ratio::whole(param.default))).collect();
        for (name, value) in written {
            let Some(index) = table.iter().position(|param| param.name == name) else {
                let known: Vec<_> = table.iter().map(|param| param.name).collect();
                return Err(ParamError::Unknown { strategy, name: name.clone(), known: known.join(", ") });
            };
            let param = &table[index];
            let whole = value.units() % Ratio::ONE.units() == 0;
            let in_range = *value >= Ratio::whole(param.min) && *value <= Ratio::whole(param.max);
            if !in_range || (param.kind == ParamKind::Bars && !whole) {
                let kind = if param.kind == ParamKind::Bars { "a whole number" } else { "a number" };
                let wanted = format!("{kind} from {} to {}", param.min, param.max);
                return Err(ParamError::Range { strategy, name: name.clone(), value: value.to_string(), wanted });
            }
            params[index].1 = *value;
        }
        Ok(Self { params })
    }

    /// A number of bars by its name in the table.
    pub fn bars(&self, name: &str) -> usize {
        usize::try_from(self.units(name) / Ratio::ONE.units()).unwrap_or(1)
    }

    /// A level by its name in the table.
    pub fn level(&self, name: &str) -> f64 {
        Ratio::from_units(self.units(name)).to_f64()
    }

    /// Names and values, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Ratio)> + '_ {
        self.params.iter().copied()
    }

    fn units(&self, name: &str) -> i64 {
        self.params.iter().find(|(known, _)| *known == name).map_or(0, |(_, value)| value.units())
    }
}
