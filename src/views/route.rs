//! Who would get what, and why? The routes that hold, followed for one kind of event.

use std::fmt::Write as _;

use crate::domain::format::{age, counted};
use crate::domain::{KINDS, Kind, Label, LaneRule, Leg, RouteTable, Severity, Treatment, kind_named};
use crate::store::Wishes;

use super::open::{ViewError, Views};

/// The answer to `/route KIND`.
///
/// # Errors
/// When there is no such kind, or the store cannot be read.
pub fn route(views: &Views, name: &str) -> Result<String, ViewError> {
    let Some(kind) = kind_named(name) else {
        let near = KINDS
            .iter()
            .map(|kind| kind.name)
            .max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)));
        let near = near.map(|near| format!(": did you mean {near}?")).unwrap_or_default();
        return Err(ViewError::Nothing(format!("there is no kind of event \"{}\"{near}", name.escape_debug())));
    };
    let routes = views.reader().routes()?;
    let wait = if kind.can_wait { "" } else { " and cannot be muted or held" };
    let mut text = format!("{}: {}; at most {}{wait}\n", kind.name, kind.about, kind.loudest.as_str());
    let books: Vec<Label> = views.reader().books()?.iter().map(|row| row.book.name).collect();
    let legs_of = |book: Option<Label>| routes.all_legs(kind.name, kind.loudest, book, &|_| true);
    let common = legs_of(books.first().copied());
    if books.iter().all(|book| legs_of(Some(*book)) == common) {
        write_legs(views, &routes, kind, &common, &mut text)?;
    } else {
        for book in books {
            let _ = writeln!(text, "of book {book}:");
            write_legs(views, &routes, kind, &legs_of(Some(book)), &mut text)?;
        }
    }
    Ok(text.trim_end().to_owned())
}

fn write_legs(
    views: &Views,
    routes: &RouteTable,
    kind: &Kind,
    legs: &[Leg],
    text: &mut String,
) -> Result<(), ViewError> {
    if legs.is_empty() {
        text.push_str("goes to nobody: it stays in the journal\n");
    }
    let (own, others): (Vec<&Leg>, Vec<&Leg>) =
        legs.iter().partition(|leg| views.asker().may_see_way(&leg.lane.to_string()));
    for leg in own {
        let Some(rule) = routes.rule(leg.lane) else { continue };
        let when = match leg.after_ms {
            0 => "at once".to_owned(),
            after => format!("after {}, unless somebody acknowledges it", age(after)),
        };
        let because = match leg.route {
            Some(route) => format!(" · by {}", route_words(routes, route)),
            None => " · always, whatever routes say".to_owned(),
        };
        let how = treatment_words(views, rule, kind)?;
        let _ = writeln!(text, "{} {when}{how}{because}", leg.lane);
    }
    if !others.is_empty() {
        let _ = writeln!(text, "{} to others", counted(others.len() as u64, "way"));
    }
    Ok(())
}

fn route_words(routes: &RouteTable, index: usize) -> String {
    let Some(route) = routes.routes.get(index) else { return "no route".to_owned() };
    format!("route {} ({} from {} on)", index + 1, route.kinds.join(", "), route.min.as_str())
}

/// How the reader of a lane wants a kind, where that is not simply at once.
fn treatment_words(views: &Views, rule: &LaneRule, kind: &Kind) -> Result<String, ViewError> {
    let Wishes { mutes, treatments } = views.reader().wishes(rule.lane.who.as_str(), views.wall())?;
    if let Some((_, until)) = mutes.iter().find(|(name, _)| name == kind.name && kind.can_wait) {
        return Ok(format!(", muted for {}", age(until.since(views.wall()))));
    }
    let wished = treatments.iter().find(|(name, _)| name == kind.name && kind.can_wait);
    let (treatment, who) = match wished {
        Some((_, treatment)) => (*treatment, "as they said in the chat"),
        None => (rule.treatment(kind), "as configured"),
    };
    let critical = kind.loudest == Severity::Critical;
    Ok(match treatment {
        Treatment::On => String::new(),
        Treatment::Silent if critical => format!(", silent unless it is critical, {who}"),
        Treatment::Digest if critical => format!(", with the digest unless it is critical, {who}"),
        Treatment::Silent => format!(", without a sound, {who}"),
        Treatment::Digest => format!(", with the digest, {who}"),
        Treatment::Off => format!(", not told, {who}"),
    })
}

/// The answer to `/route` alone: every kind, and how many ways it goes.
///
/// # Errors
/// When the store cannot be read.
pub fn routes(views: &Views) -> Result<String, ViewError> {
    let table = views.reader().routes()?;
    let mut text = String::from("/route KIND tells who gets one of these, and why\n");
    for kind in KINDS {
        let ways = table.all_legs(kind.name, kind.loudest, None, &|_| true).len();
        let _ = writeln!(text, "{} ({}): {}", kind.name, kind.loudest.as_str(), counted(ways as u64, "way"));
    }
    Ok(text.trim_end().to_owned())
}
