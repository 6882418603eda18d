//! Can the result be trusted? What a check of it says, and how it is told.

use std::fmt;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::domain::Symbol;

/// Differences that are kept; the others are counted.
const DIFFERENCES_MAX: usize = 20;

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Of what; none for what concerns no symbol.
    pub symbol: Option<Symbol>,
    /// When, in the market's time.
    #[serde(serialize_with = "as_text")]
    pub at: Timestamp,
    /// What differs, in words.
    pub what: String,
    /// Where the data were cut for it to differ.
    #[serde(serialize_with = "as_text")]
    pub cut: Timestamp,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, as the option that asks for it.
    pub name: &'static str,
    /// True if there was something to compare and nothing differs.
    pub passed: bool,
    /// How many times the data were cut.
    pub cuts: usize,
    /// How many things were compared.
    pub compared: u64,
    /// What was compared.
    pub of: &'static str,
    /// The first differences.
    pub differences: Vec<Difference>,
    /// How many more there are.
    pub more: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn as_text<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

impl Check {
    /// What came of it, from the differences in order.
    pub(super) fn new(
        name: &'static str,
        of: &'static str,
        cuts: usize,
        compared: u64,
        mut differences: Vec<Difference>,
    ) -> Self {
        let more = differences.len().saturating_sub(DIFFERENCES_MAX);
        differences.truncate(DIFFERENCES_MAX);
        let passed = compared > 0 && differences.is_empty();
        Self { name, passed, cuts, compared, of, differences, more }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, cuts, compared, of) = (self.name, self.cuts, self.compared, self.of);
        if compared == 0 {
            return write!(f, "{name}: nothing could be compared, so it proves nothing; take more bars");
        }
        if self.passed {
            return write!(f, "{name}: passed, {compared} {of} compared over {cuts} cuts of the data");
        }
        let found = self.differences.len() + self.more;
        write!(f, "{name}: FAILED, {found} differences in {compared} {of} over {cuts} cuts of the data")?;
        for Difference { symbol, at, what, cut } in &self.differences {
            let symbol = symbol.map(|symbol| format!("{symbol} ")).unwrap_or_default();
            write!(f, "\n  {symbol}{at}: {what} (data cut at {cut})")?;
        }
        if self.more > 0 {
            write!(f, "\n  and {} more", self.more)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_compared_nothing_does_not_pass() {
        assert!(!Check::new("check-x", "signals", 3, 0, Vec::new()).passed);
        assert!(Check::new("check-x", "signals", 3, 1, Vec::new()).passed);
        let difference = Difference {
            symbol: "AAPL".parse().ok(),
            at: Timestamp::from_ms(0),
            what: "a signal".to_owned(),
            cut: Timestamp::from_ms(1_000),
        };
        let check = Check::new("check-x", "signals", 3, 900, vec![difference; 23]);
        let text = check.to_string();
        assert!(text.starts_with("check-x: FAILED, 23 differences in 900 signals over 3 cuts"), "{text}");
        assert!(text.contains("\n  AAPL 1970-01-01T00:00:00Z: a signal (data cut at 1970-01-01T00:00:01Z)"), "{text}");
        assert!(text.ends_with("and 3 more"), "{text}");
    }
}
