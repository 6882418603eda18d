//! What does it take to confirm a change? `[control]`.

use crate::chat::Role;
use crate::control::{ControlRules, Factors, Tier};

use super::configured::Config;
use super::value::{Mistake, Read, Value, check_keys, items, mistake, read_text, table_of};

/// Reads `[control]`; people are known by then.
pub(super) fn read(value: &Value<'_>, config: &Config) -> Read<ControlRules> {
    let table = table_of(value, "control is written as [control]")?;
    check_keys(table, "control")?;
    let mut rules = ControlRules::default();
    if let Some(value) = table.get("factors") {
        let table = table_of(value, "this takes a table such as { owner = \"pin+totp\" }")?;
        check_keys(table, "control.factors")?;
        for (key, value) in table {
            let factors: Factors = read_text(value)?;
            match key.get_ref().as_ref() {
                "owner" => rules.owner = factors,
                _ => rules.operator = factors,
            }
        }
    }
    if let Some(value) = table.get("tiers") {
        let table = table_of(value, "this takes a table such as { grave = \"pin+totp\" }")?;
        check_keys(table, "control.tiers")?;
        for (key, value) in table {
            let tier: Tier = key.get_ref().parse().map_err(|what| Mistake { at: key.span().start, what })?;
            rules.tiers.push((tier, read_text(value)?));
        }
    }
    if let Some(value) = table.get("two_persons") {
        let how = "this takes a list such as [\"grave\"]";
        rules.two_persons = items(value, how)?.iter().map(read_text).collect::<Read<_>>()?;
        let may = config.persons().filter(|person| person.role != Role::Viewer).count();
        if may < 2 && !rules.two_persons.is_empty() {
            let what = "two persons need a second owner or operator: nobody could agree to anything";
            return mistake(value.span().start, what);
        }
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use crate::config::read;
    use crate::control::{ControlRules, Factors, Tier};

    fn rules(text: &str) -> Result<ControlRules, String> {
        let people = "[[people]]\nname = \"ana\"\n[[people]]\nname = \"bo\"\nrole = \"operator\"\n";
        let read = read(&format!("{text}\n{people}"), None);
        read.map(|config| config.control).map_err(|error| error.to_string())
    }

    #[test]
    fn factors_are_read_and_what_cannot_be_is_refused() {
        let text = "[control]\nfactors = { owner = \"pin+totp\", operator = \"totp\" }\ntiers = { grave = \"pin\" }\ntwo_persons = [\"grave\"]";
        let want = ControlRules {
            owner: Factors::Both,
            operator: Factors::Totp,
            tiers: vec![(Tier::Grave, Factors::Pin)],
            two_persons: vec![Tier::Grave],
        };
        assert_eq!(rules(text), Ok(want));
        assert_eq!(rules(""), Ok(ControlRules::default()));
        for (text, part) in [
            ("[control]\nfactors = { owner = \"sms\" }", "\"sms\" is none: use pin, totp or pin+totp"),
            ("[control]\nfactors = { viewer = \"pin\" }", "has no key \"viewer\""),
            ("[control]\ntwo_persons = [\"safe\"]", "\"safe\" is no tier"),
            ("[control]\ntiers = { heavy = \"pin\" }", "has no key \"heavy\""),
        ] {
            let error = rules(text).expect_err(text);
            assert!(error.contains(part), "{error}");
        }
        let alone = read("[control]\ntwo_persons = [\"grave\"]\n[[people]]\nname = \"ana\"\n", None);
        assert!(alone.is_err_and(|error| error.to_string().contains("second owner or operator")));
    }
}
