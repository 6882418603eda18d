//! Who is told what, as configured? `[[routes]]`, the ladder that holds without them, and what each lane's reader wants.

use chrono_tz::Tz;

use crate::chat::Role;
use crate::domain::{ChannelKind, KINDS, Label, Lane, LaneRule, Route, RouteTable, Severity};
use crate::notify::Policy;

use super::configured::Config;
use super::people::{Amounts, GroupConfig, PersonConfig};
use super::value::{
    Mistake, Read, Table, Value, books, each_of_few, list, mistake, nearest, read_text, shown, starts, text,
};

/// Most routes.
const ROUTES_MAX: usize = 200;
/// The longest that a route may wait, in milliseconds.
const AFTER_MAX_MS: i64 = 24 * 60 * MINUTE_MS;
const MINUTE_MS: i64 = 60_000;
/// When a critical message that nobody acknowledged goes to a person's second and third lane, and then to all others and to the first again.
const LADDER_MS: [i64; 3] = [2 * MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS];

/// Whose a lane is.
enum Reader<'a> {
    Person(&'a PersonConfig),
    Group(&'a GroupConfig),
}

impl<'a> Reader<'a> {
    fn of(config: &'a Config, lane: Lane) -> Option<Self> {
        let who = lane.who.as_str();
        let person = config.people.iter().find(|one| one.person.name == who);
        let group = || config.groups.iter().find(|one| one.lane() == lane);
        person.map(Self::Person).or_else(|| group().map(Self::Group))
    }

    fn rule(&self, lane: Lane) -> LaneRule {
        match self {
            Self::Person(one) => LaneRule {
                lane,
                books: one.person.books.clone(),
                treatments: one.tell.clone(),
                looks_after: one.person.role != Role::Viewer,
                is_owners: one.person.role == Role::Owner,
                quiet: one.quiet,
                digest: Some(one.digest),
            },
            Self::Group(one) => LaneRule {
                lane,
                books: one.books.clone(),
                treatments: Vec::new(),
                looks_after: false,
                is_owners: false,
                quiet: None,
                digest: None,
            },
        }
    }
}

/// Who is told what on these lanes: each with the rule of its reader, and the routes as configured or the usual ones. Lanes of nobody
/// who is configured are left out. Routes may name lanes that are not among these; nothing goes there.
pub fn route_table(config: &Config, lanes: &[Lane]) -> RouteTable {
    let mut rules: Vec<LaneRule> = Vec::new();
    for lane in lanes {
        if let Some(reader) = Reader::of(config, *lane)
            && !rules.iter().any(|rule| rule.lane == *lane)
        {
            rules.push(reader.rule(*lane));
        }
    }
    let routes = if config.routes.is_empty() { usual(config, &rules) } else { config.routes.clone() };
    RouteTable { lanes: rules, routes }
}

/// What the reader of a lane wants; `zone` is for readers who have none. A lane of nobody who is configured is told of no book.
pub fn policy(config: &Config, lane: Lane, zone: Tz) -> Policy {
    let Some(reader) = Reader::of(config, lane) else {
        let nobody = LaneRule { books: Some(Vec::new()), looks_after: false, is_owners: false, ..LaneRule::open(lane) };
        return Policy { hides_amounts: true, ..Policy::open(nobody, zone) };
    };
    let open = Policy::open(reader.rule(lane), zone);
    match reader {
        Reader::Person(one) => Policy {
            zone: one.person.zone.unwrap_or(zone),
            style: one.person.style,
            quiet: one.quiet,
            digest_at: one.digest,
            thresholds: one.above.clone(),
            ..open
        },
        Reader::Group(one) => {
            Policy { zone: one.zone.unwrap_or(zone), hides_amounts: one.amounts == Amounts::Shares, ..open }
        }
    }
}

/// Everything from notice on goes to each person's first lane, the owners' terminal and the groups at once; what is critical climbs the
/// ladder of everybody who could do something about it.
fn usual(config: &Config, rules: &[LaneRule]) -> Vec<Route> {
    let mut now = Vec::new();
    let mut steps: [Vec<Lane>; 3] = Default::default();
    for one in &config.people {
        let own = |channel: &ChannelKind| {
            rules
                .iter()
                .map(|rule| rule.lane)
                .find(|lane| lane.channel == *channel && lane.who.as_str() == one.person.name)
        };
        let mut lanes: Vec<Lane> = ChannelKind::ALL.iter().filter_map(own).collect();
        // Each short message costs money, so only what is critical goes that way where there is another.
        let first = lanes.iter().position(|lane| lane.channel != ChannelKind::Sms).unwrap_or(0);
        if lanes.is_empty() {
            continue;
        }
        let first = lanes.remove(first);
        let at_once = |lane: &Lane| one.person.role == Role::Owner && lane.channel == ChannelKind::Terminal;
        let (seated, rest): (Vec<Lane>, Vec<Lane>) = lanes.into_iter().partition(at_once);
        now.push(first);
        now.extend(seated);
        if one.person.role != Role::Viewer {
            // Whoever has more ways than there are steps is called on all that are left at the last.
            for (step, lane) in rest.into_iter().enumerate() {
                steps[step.min(2)].push(lane);
            }
            steps[2].push(first);
        }
    }
    now.extend(
        config.groups.iter().filter_map(|group| rules.iter().map(|rule| rule.lane).find(|lane| lane.who == group.name)),
    );
    let route = |min, to, after_ms| Route { kinds: vec!["*".to_owned()], min, books: Vec::new(), to, after_ms };
    let mut routes = vec![route(Severity::Notice, now, 0)];
    routes.extend(steps.into_iter().zip(LADDER_MS).map(|(to, after_ms)| route(Severity::Critical, to, after_ms)));
    routes.retain(|route| !route.to.is_empty());
    routes
}

/// Reads the routes and looks whether they reach everybody whom they name, and every kind somebody.
pub(super) fn read(value: &Value<'_>, names: &[Label], config: &Config) -> Read<Vec<Route>> {
    let at = starts(value);
    let routes = each_of_few(value, "routes", ROUTES_MAX, |at, table| route(at, table, names, config))?;
    if routes.is_empty() {
        return Ok(routes);
    }
    // Which lanes there are depends on tokens and on who is paired: here every one counts that there could be.
    let people = config.people.iter().filter_map(|one| one.person.name.parse().ok());
    let of_people = people.flat_map(|who: Label| ChannelKind::ALL.map(|channel| Lane { who, channel }));
    let of_groups = config.groups.iter().map(GroupConfig::lane);
    let lanes: Vec<Lane> = of_people.chain(of_groups).collect();
    let table = RouteTable { routes, ..route_table(config, &lanes) };
    if let Some(fault) = table.faults(names).into_iter().next() {
        let place = fault.route.map_or(at.last(), |index| at.get(index));
        return mistake(place.copied().unwrap_or_default(), fault.what);
    }
    Ok(table.routes)
}

fn route(at: &Value<'_>, table: &Table<'_>, names: &[Label], config: &Config) -> Read<Route> {
    let Some(to) = table.get("to") else {
        return mistake(at.span().start, "a route needs destinations, such as to = [\"ana:telegram\"]");
    };
    let mut route = Route {
        kinds: vec!["*".to_owned()],
        min: Severity::Notice,
        books: Vec::new(),
        to: list(to, "destinations are a list such as [\"ana:telegram\"]", |item| lane(item, config))?,
        after_ms: 0,
    };
    if let Some(value) = table.get("kinds") {
        route.kinds = list(value, "kinds are a list such as [\"position_*\"]", pattern)?;
        if route.kinds.is_empty() {
            return mistake(value.span().start, "this names no kind: leave it out for all kinds");
        }
    }
    if let Some(value) = table.get("min") {
        route.min = severity(value)?;
    }
    if let Some(value) = table.get("books") {
        route.books = books(value, names)?;
    }
    if let Some(value) = table.get("after") {
        route.after_ms = duration(&text(value)?).map_err(|what| Mistake { at: value.span().start, what })?;
    }
    blind(to, &route, config)?;
    Ok(route)
}

/// A lane whose reader may see none of the route's books is reached by nothing.
fn blind(to: &Value<'_>, route: &Route, config: &Config) -> Read<()> {
    for (lane, at) in route.to.iter().zip(starts(to)) {
        let seen = Reader::of(config, *lane).and_then(|reader| reader.rule(*lane).books);
        let in_sight = |book: &Label| seen.as_ref().is_none_or(|seen| seen.contains(book));
        if let Some(book) = route.books.first()
            && !route.books.iter().any(in_sight)
        {
            return mistake(at, format!("{} may not see book {book}", lane.who));
        }
    }
    Ok(())
}

/// A kind, or the beginning of some.
fn pattern(value: &Value<'_>) -> Read<String> {
    let written = text(value)?;
    let one =
        Route { kinds: vec![written.clone()], min: Severity::Info, books: Vec::new(), to: Vec::new(), after_ms: 0 };
    if KINDS.iter().any(|kind| one.covers(kind.name)) {
        return Ok(written);
    }
    let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let near = nearest(written.trim_end_matches('*'), &known);
    mistake(value.span().start, format!("there is no kind of event \"{}\"{near}", shown(&written)))
}

fn severity(value: &Value<'_>) -> Read<Severity> {
    let written = text(value)?;
    Severity::ALL.into_iter().find(|severity| severity.as_str() == written).map_or_else(
        || {
            let known = Severity::ALL.map(Severity::as_str);
            let what = format!("\"{}\" is none of {}{}", shown(&written), known.join(", "), nearest(&written, &known));
            mistake(value.span().start, what)
        },
        Ok,
    )
}

/// A destination of somebody who is configured.
fn lane(value: &Value<'_>, config: &Config) -> Read<Lane> {
    let written = text(value)?;
    let at = value.span().start;
    let Some((who, channel)) = written.split_once(':') else {
        return mistake(at, format!("\"{}\" is no destination: write it like ana:telegram", shown(&written)));
    };
    let group = config.groups.iter().find(|one| one.name.as_str().eq_ignore_ascii_case(who));
    if group.is_none() && !config.persons().any(|person| person.name.eq_ignore_ascii_case(who)) {
        let people = config.persons().map(|person| person.name.as_str());
        let known: Vec<&str> = people.chain(config.groups.iter().map(|one| one.name.as_str())).collect();
        return mistake(at, format!("there is no person or group \"{}\"{}", shown(who), nearest(who, &known)));
    }
    let known = ChannelKind::ALL.map(ChannelKind::as_str);
    if !known.contains(&channel) {
        let near = nearest(channel, &known);
        return mistake(
            at,
            format!("there is no channel \"{}\"{near}; there are {}", shown(channel), known.join(", ")),
        );
    }
    if let Some(group) = group.filter(|group| group.channel.as_str() != channel) {
        return mistake(at, format!("{who} is a group: it is reached by {who}:{} alone", group.channel));
    }
    read_text(value)
}

/// A stretch of time such as `1h30m`, in milliseconds.
fn duration(written: &str) -> Result<i64, String> {
    let wrong = || format!("\"{}\" is no stretch of time; write it like 0s, 2m or 1h30m", shown(written));
    let (mut total_ms, mut rest) = (0_i64, written);
    for (unit, unit_ms) in [('h', 60 * MINUTE_MS), ('m', MINUTE_MS), ('s', 1000)] {
        let Some((number, after)) = rest.split_once(unit) else { continue };
        let digits = !number.is_empty() && number.len() <= 6 && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: i64 = number.parse().ok().filter(|_| digits).ok_or_else(wrong)?;
        (total_ms, rest) = (total_ms + number * unit_ms, after);
    }
    if written.is_empty() || !rest.is_empty() {
        return Err(wrong());
    }
    if total_ms > AFTER_MAX_MS {
        return Err(format!("{} is longer than 24h", shown(written)));
    }
    Ok(total_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_of_time_are_read_in_hours_minutes_and_seconds() {
        for (written, want) in [
            ("0s", 0),
            ("90s", 90_000),
            ("2m", 120_000),
            ("1h30m", 5_400_000),
            ("24h", AFTER_MAX_MS),
            ("1h0m1s", 3_601_000),
        ] {
            assert_eq!(duration(written), Ok(want), "{written}");
        }
        for bad in [
            "",
            "2",
            "m",
            "-2m",
            "+2m",
            "2 m",
            "30m1h",
            "1m1m",
            "1.5h",
            "2min",
            "25h",
            "1h23h",
            "9999999s",
            "99999999999999999999s",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
