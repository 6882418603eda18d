//! May a book trade with real money? Every gate with what it found. Without a live broker none of it opens anything, and that is said first.

use crate::domain::Label;

use super::books::find;
use super::open::{ViewError, Views};
use super::readiness::stage;

/// What an owner has to type behind the name of the book.
pub(super) const PHRASE: &str = "I accept that real money can be lost";

/// The answer to `/live BOOK PHRASE`; `typed` is what stands behind the book.
///
/// # Errors
/// When there is no such book, nothing has run yet, or the store cannot be read.
pub fn live(views: &Views, book: Option<Label>, is_owner: bool, typed: &str) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let row = find(&scene, book)?;
    let name = row.book.name;
    let (met, all, capital_pct) = stage(views, row)?;
    let (has_pin, has_app) = views.reader().factors()?;
    let gates = [
        (met == all, "readiness", format!("{met} of {all} rules are met; /readiness {name} tells which")),
        (is_owner, "owner", "an owner asks".to_owned()),
        (
            has_pin && has_app,
            "PIN and app",
            "both are set: \"bellwether pin set\" and \"bellwether totp set\"".to_owned(),
        ),
        (typed.eq_ignore_ascii_case(PHRASE), "phrase", format!("`/live {name} {PHRASE}`")),
        (capital_pct > 0, "capital stage", format!("at most {capital_pct} % of the capital to begin with")),
        (false, "broker", "there is none for real money in this version".to_owned()),
    ];
    let mut lines =
        vec![format!("{name} stays on paper: there is no live broker in this version. What would have to hold:")];
    lines.extend(gates.into_iter().map(|(open, gate, how)| {
        let state = if open { "met" } else { "MISSED" };
        format!("  {state}  {gate}: {how}")
    }));
    Ok(lines.join("\n"))
}
