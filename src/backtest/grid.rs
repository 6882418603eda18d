//! Which sets of parameters are tried? Every combination of the values that are written for each key.

use crate::domain::Ratio;

/// The most combinations that are tried.
pub const COMBINATIONS_MAX: usize = 1_000;

/// Keys with the values to be tried for each, as they are written on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grid {
    /// The keys in the order they were written; each has at least one value.
    pub axes: Vec<(String, Vec<Ratio>)>,
}

impl Grid {
    /// True if more than one value is written for any key.
    pub fn varies(&self) -> bool {
        self.axes.iter().any(|(_, values)| values.len() > 1)
    }

    /// How many combinations there are.
    pub fn size(&self) -> usize {
        self.axes.iter().map(|(_, values)| values.len()).fold(1, usize::saturating_mul)
    }

    /// Every combination, the last key changing fastest.
    ///
    /// # Errors
    /// In words, when there are more than [`COMBINATIONS_MAX`].
    pub fn combinations(&self) -> Result<Vec<Vec<(String, Ratio)>>, String> {
        let size = self.size();
        if size > COMBINATIONS_MAX {
            let lengths: Vec<String> = self.axes.iter().map(|(_, values)| values.len().to_string()).collect();
            return Err(format!(
                "the lists make {} = {size} combinations; at most {COMBINATIONS_MAX} are tried",
                lengths.join(" x ")
            ));
        }
        let mut combinations = vec![Vec::new()];
        for (key, values) in &self.axes {
            let with = |begun: &Vec<(String, Ratio)>| {
                let begun = begun.clone();
                values.iter().map(move |value| [&begun[..], &[(key.clone(), *value)]].concat())
            };
            combinations = combinations.iter().flat_map(with).collect();
        }
        Ok(combinations)
    }

    /// The keys that vary, with their values in this combination: what tells it from the others.
    pub fn varied(&self, combination: &[(String, Ratio)]) -> Vec<(String, Ratio)> {
        let varies = |key: &str| self.axes.iter().any(|(known, values)| known == key && values.len() > 1);
        combination.iter().filter(|(key, _)| varies(key)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(axes: &[(&str, &[i64])]) -> Grid {
        let listed = |(key, values): &(&str, &[i64])| {
            ((*key).to_owned(), values.iter().map(|value| Ratio::whole(*value)).collect())
        };
        Grid { axes: axes.iter().map(listed).collect() }
    }

    fn told(combination: &[(String, Ratio)]) -> String {
        let words: Vec<String> = combination.iter().map(|(key, value)| format!("{key}={value}")).collect();
        words.join(" ")
    }

    #[test]
    fn every_combination_comes_once_and_the_last_key_changes_fastest() {
        let grid = grid(&[("fast", &[10, 20]), ("period", &[14]), ("slow", &[50, 60, 70])]);
        let all = grid.combinations().expect("few");
        let told: Vec<String> = all.iter().map(|it| told(it)).collect();
        assert_eq!(told[0], "fast=10 period=14 slow=50");
        assert_eq!(told[1], "fast=10 period=14 slow=60");
        assert_eq!(told[5], "fast=20 period=14 slow=70");
        assert_eq!((told.len(), grid.size(), grid.varies()), (6, 6, true));
        assert_eq!(grid.varied(&all[5]).len(), 2);
    }

    #[test]
    fn no_key_is_one_combination_and_too_many_are_refused() {
        assert_eq!(Grid::default().combinations(), Ok(vec![Vec::new()]));
        assert!(!grid(&[("fast", &[10])]).varies());
        let values: Vec<i64> = (0..40).collect();
        let error = grid(&[("a", &values), ("b", &values)]).combinations().expect_err("too many");
        assert_eq!(error, "the lists make 40 x 40 = 1600 combinations; at most 1000 are tried");
        let huge = grid(&[("a", &values[..]); 40]);
        assert!(huge.combinations().is_err());
    }
}
