//! Which bad times do we ask about? The table of `data/stress.toml`, read once.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::AssetClass;

/// A bad time: what it did to the market, to each asset class and to each sector. All shocks are fractions; a fall is negative.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// As it is typed.
    pub name: String,
    /// As it is shown.
    pub title: String,
    /// Where its figures come from, in a sentence.
    pub basis: String,
    /// The fall of the whole stock market, which reaches a share through its beta.
    pub market: f64,
    /// The fall of a member of the class of which nothing else is known.
    classes: HashMap<AssetClass, f64>,
    /// The fall of a sector, by its name in small letters.
    sectors: BTreeMap<String, f64>,
}

impl Scenario {
    /// The shock of an asset class.
    pub fn class(&self, class: AssetClass) -> f64 {
        // A perpetual falls with its coin.
        let class = if class == AssetClass::Perpetual { AssetClass::Crypto } else { class };
        self.classes.get(&class).copied().unwrap_or(self.market)
    }

    /// The shock of a sector, if the scenario names it. Case does not matter.
    pub fn sector(&self, sector: &str) -> Option<f64> {
        self.sectors.get(&sector.trim().to_ascii_lowercase()).copied()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    scenarios: Vec<Scenario>,
}

static TABLE: LazyLock<Vec<Scenario>> =
    LazyLock::new(|| parse(include_str!("../../data/stress.toml")).expect("the embedded table is well formed"));

/// All scenarios, in the order of menus.
pub fn scenarios() -> &'static [Scenario] {
    &TABLE
}

/// The scenario of this name.
pub fn scenario(name: &str) -> Option<&'static Scenario> {
    TABLE.iter().find(|scenario| scenario.name == name)
}

fn parse(text: &str) -> Result<Vec<Scenario>, toml::de::Error> {
    toml::from_str::<Table>(text).map(|table| table.scenarios)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_is_complete_and_sane() {
        let names: Vec<&str> = scenarios().iter().map(|scenario| scenario.name.as_str()).collect();
        assert_eq!(names, ["2008", "2020", "flash_crash", "rates_shock", "crypto_50"]);
        for scenario in scenarios() {
            let name = &scenario.name;
            assert!(!scenario.title.is_empty() && scenario.basis.ends_with('.'), "{name}");
            assert_eq!(scenario.classes.len(), 2, "{name}: shares and coins");
            assert!((-1.0..0.0).contains(&scenario.market), "{name}");
            assert!(scenario.classes.values().all(|shock| (-1.0..0.0).contains(shock)), "{name}");
            assert!(scenario.sectors.values().all(|shock| (-1.0..=1.0).contains(shock)), "{name}");
            assert!(scenario.sectors.keys().all(|sector| *sector == sector.trim().to_lowercase()), "{name}");
            // Never one flat factor.
            let low = scenario.sectors.values().copied().fold(f64::MAX, f64::min);
            let high = scenario.sectors.values().copied().fold(f64::MIN, f64::max);
            assert!(high - low > 0.04, "{name}: the sectors differ by {}", high - low);
        }
    }

    #[test]
    fn every_scenario_knows_the_sectors_of_the_sample_watchlist() {
        let list = include_str!("../../data/watchlist.csv");
        let rows = list.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        for row in rows.filter(|row| row[2] == "us_equity") {
            for scenario in scenarios() {
                assert!(scenario.sector(row[3]).is_some(), "{} misses {}", scenario.name, row[3]);
            }
        }
    }

    #[test]
    fn a_table_with_a_typing_error_is_refused() {
        let good = "[[scenarios]]\nname = 'a'\ntitle = 'b'\nbasis = 'c'\nmarket = -0.1\nclasses = {}\nsectors = {}\n";
        assert_eq!(parse(good).map(|table| table.len()), Ok(1));
        assert!(parse(&good.replace("market", "marked")).is_err());
        assert!(parse(&good.replace("{}", "{ us_stock = -0.1 }")).is_err());
        assert!(scenario("2008").is_some_and(|found| found.sector(" ENERGY ").is_some()) && scenario("1929").is_none());
    }
}
