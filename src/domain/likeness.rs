//! What did somebody mean who typed a name that is none?

/// How like a name must be to be suggested, from 0 to 1.
const LIKENESS_MIN: f64 = 0.75;

/// What is said behind a name that is none: the one it is most like, or else all there are.
pub fn did_you_mean<'a>(typed: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    let typed: String = typed.chars().take(40).collect();
    let likely = names.clone().map(|name| (strsim::jaro_winkler(&typed, name), name));
    let near = likely.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness > LIKENESS_MIN);
    match near {
        Some((_, near)) => format!(": did you mean {near}?"),
        None => format!("; there are {}", names.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_all_are_listed_where_none_is_near() {
        let names = ["stop_atr", "target_atr"];
        assert_eq!(did_you_mean("stop_art", names.into_iter()), ": did you mean stop_atr?");
        assert_eq!(did_you_mean("\u{663}", names.into_iter()), "; there are stop_atr, target_atr");
        assert_eq!(did_you_mean(&"x".repeat(1_000_000), names.into_iter()), "; there are stop_atr, target_atr");
    }
}
