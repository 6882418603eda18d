//! Who is told what? Routes in order, and the lanes that they lead to.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

use super::kinds::{KINDS, Kind};
use super::{ChannelKind, Event, EventKind, Label, Lane, Quiet, Severity, Treatment, kind_named};

/// A rule: events of these kinds, as loud as this or louder, of these books, go to these lanes after a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Names of kinds; a `*` at the end stands for anything.
    pub kinds: Vec<String>,
    /// What is quieter does not go this way.
    pub min: Severity,
    /// Which books; all where it is empty. What belongs to no book goes every way.
    pub books: Vec<Label>,
    /// Where to.
    pub to: Vec<Lane>,
    /// How long after the event, in milliseconds, and only if nobody has acknowledged it by then. At once where it is 0.
    pub after_ms: i64,
}

impl Route {
    /// Whether it is about kinds of this name.
    pub fn covers(&self, kind: &str) -> bool {
        self.kinds.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(begins) => kind.starts_with(begins),
            None => pattern == kind,
        })
    }

    fn has_book(&self, book: Option<Label>) -> bool {
        self.books.is_empty() || book.is_none_or(|book| self.books.contains(&book))
    }
}

/// Kinds that belong to no book and tell of all: amounts, names or settings of each.
const OF_ALL_BOOKS: [&str; 4] = ["replay_finished", "config_changed", "config_refused", "day_audited"];

/// Kinds that every owner is told by SMS at once, whatever routes say: the daily loss limit near and hit, and trading that stops.
pub const ALWAYS_BY_SMS: [&str; 3] = ["daily_loss_near", "trading_reduced", "trading_halted"];

/// A lane as routes see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneRule {
    /// Which.
    pub lane: Lane,
    /// The books that may be told of on it; all where it is none.
    pub books: Option<Vec<Label>>,
    /// How its person wants kinds to be told, where that is not the usual way.
    pub treatments: Vec<(String, Treatment)>,
    /// True if its reader looks after the bot, as an owner or operator does and a group does not.
    #[serde(default)]
    pub looks_after: bool,
    /// True if its reader is an owner.
    #[serde(default)]
    pub is_owners: bool,
    /// When its person is not to be woken, as the file says.
    #[serde(default)]
    pub quiet: Option<Quiet>,
    /// When its person's digest comes, as the file says.
    #[serde(default)]
    pub digest: Option<NaiveTime>,
}

impl LaneRule {
    /// A lane that may be told everything, in the usual way.
    pub fn open(lane: Lane) -> Self {
        Self {
            lane,
            books: None,
            treatments: Vec::new(),
            looks_after: true,
            is_owners: true,
            quiet: None,
            digest: None,
        }
    }

    /// How this kind is told here.
    pub fn treatment(&self, kind: &Kind) -> Treatment {
        let named = self.treatments.iter().find(|(name, _)| name == kind.name);
        match named {
            Some((_, treatment)) if kind.can_wait => *treatment,
            _ => kind.usual,
        }
    }

    /// True if its person asked for this kind by name: then it comes however quiet it is.
    fn asked_for(&self, kind: &str) -> bool {
        let wanted = |treatment| matches!(treatment, Treatment::On | Treatment::Silent);
        self.treatments.iter().any(|(name, treatment)| name == kind && wanted(*treatment))
    }

    /// Whether its reader may see each of these books; all there are where it is none.
    fn may_see_all(&self, books: Option<&[Label]>) -> bool {
        match (&self.books, books) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(books)) => books.iter().all(|book| own.contains(book)),
        }
    }

    fn may_see(&self, book: Option<Label>) -> bool {
        match (&self.books, book) {
            (Some(books), Some(book)) => books.contains(&book),
            (None, _) | (_, None) => true,
        }
    }
}

/// All routes, with the lanes that there are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RouteTable {
    /// Every lane.
    pub lanes: Vec<LaneRule>,
    /// Every route, first to last.
    pub routes: Vec<Route>,
}

/// The routes that hold now; clones see the same ones. They change when somebody is paired or the configuration is read anew.
#[derive(Debug, Clone, Default)]
pub struct Routes(Arc<RwLock<Arc<RouteTable>>>);

impl Routes {
    /// These, until others are set.
    pub fn new(table: RouteTable) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(table))))
    }

    /// What holds now.
    pub fn now(&self) -> Arc<RouteTable> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on these.
    pub fn set(&self, table: RouteTable) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }
}

/// One lane that an event goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// Which.
    pub lane: Lane,
    /// How long after the event, in milliseconds; only if it is not acknowledged by then, where that is not 0.
    pub after_ms: i64,
    /// The route that says so, counted from 0; none for what goes everywhere by itself.
    pub route: Option<usize>,
}

/// Why routes are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteFault {
    /// Which route, counted from 0; none where one is missing.
    pub route: Option<usize>,
    /// What is wrong, and what to do.
    pub what: String,
}

impl RouteTable {
    /// A table that tells everything from `min` on to these lanes at once.
    pub fn simple(lanes: &[Lane], min: Severity) -> Self {
        let everything = Route { kinds: vec!["*".to_owned()], min, books: Vec::new(), to: lanes.to_vec(), after_ms: 0 };
        Self { lanes: lanes.iter().copied().map(LaneRule::open).collect(), routes: vec![everything] }
    }

    /// The rule of a lane.
    pub fn rule(&self, lane: Lane) -> Option<&LaneRule> {
        self.lanes.iter().find(|rule| rule.lane == lane)
    }

    /// Where an event goes, each lane and delay once. A drill goes to all, an alert only to whoever set it, and what tells of a lane to
    /// the others of its person and of those who look after the bot.
    pub fn plan(&self, event: &Event) -> Vec<Leg> {
        let everywhere = |lane: Lane| Leg { lane, after_ms: 0, route: None };
        let lanes = self.lanes.iter().map(|rule| rule.lane);
        match &event.kind {
            EventKind::DrillSent { .. } => return lanes.map(everywhere).collect(),
            EventKind::LaneDied { lane, .. } => return self.around(*lane).map(everywhere).collect(),
            EventKind::DeliveryDied { lane, .. } => {
                return self.around(*lane).filter(|to| self.is_worth_it(*to)).map(everywhere).collect();
            }
            EventKind::LaneRecovered { lane, waiting, .. } => {
                // Whoever has no other way learns now that nothing could come; what waited says so itself.
                let only = *waiting == 0 && !lanes.clone().any(|other| other.who == lane.who && other != *lane);
                let around = self.around(*lane).filter(|to| self.is_worth_it(*to));
                return around.chain(only.then_some(*lane)).map(everywhere).collect();
            }
            // Whoever is made to enter a PIN is watched: nothing of this goes where they read.
            EventKind::DuressPin { person } => {
                return self.other_owners(person).map(everywhere).collect();
            }
            EventKind::DuressUntold { person, lane, .. } => {
                let others = self.other_owners(person).filter(|to| to != lane && self.is_worth_it(*to));
                return others.map(everywhere).collect();
            }
            EventKind::ControlLapsed { person, .. } => {
                let own = lanes.filter(|lane| lane.who.as_str() == person && self.is_worth_it(*lane));
                return own.map(everywhere).collect();
            }
            EventKind::ApprovalAsked { person, books, .. } => {
                let may = |rule: &&LaneRule| rule.looks_after && rule.may_see_all(books.as_deref());
                let others = self.lanes.iter().filter(may).filter(|rule| rule.lane.who.as_str() != person);
                return others.map(|rule| everywhere(rule.lane)).collect();
            }
            EventKind::ApprovalEnded { books, .. } => {
                let may = |rule: &&LaneRule| rule.looks_after && rule.may_see_all(books.as_deref());
                let told = self.lanes.iter().filter(may).map(|rule| rule.lane);
                return told.filter(|lane| self.is_worth_it(*lane)).map(everywhere).collect();
            }
            EventKind::AlertFired { person, .. } => {
                let of_person = |lane: &Lane| lane.who.as_str() == person;
                // Asked for by name, so it comes however quiet it is; but nobody else is called for it.
                let legs = self.legs(event.kind.name(), Severity::Critical, event.book, &of_person);
                let at_once: Vec<Leg> = legs.into_iter().filter(|leg| leg.after_ms == 0).collect();
                // Where no route leads to them, whoever asked is told all the same.
                let first = lanes.clone().find(|lane| of_person(lane) && at_once.is_empty());
                return at_once.into_iter().chain(first.map(everywhere)).collect();
            }
            _ => {}
        }
        // The chat that was paired was answered there, and what short messages cost is told for nothing.
        let answered = |lane: &Lane| match &event.kind {
            EventKind::PersonPaired { person, channel, .. } => {
                lane.who.as_str() == person && lane.channel.as_str() == channel
            }
            EventKind::SmsBudgetNear { .. } => lane.channel == ChannelKind::Sms,
            _ => false,
        };
        self.all_legs(event.kind.name(), event.kind.severity(), event.book, &|lane| !answered(lane))
    }

    /// Where an event of this kind and severity would go: by the routes, and what owners' phones are told whatever these say.
    pub fn all_legs(
        &self,
        kind: &str,
        severity: Severity,
        book: Option<Label>,
        wanted: &dyn Fn(&Lane) -> bool,
    ) -> Vec<Leg> {
        let mut legs = self.legs(kind, severity, book, wanted);
        let told: Vec<Lane> = legs.iter().filter(|leg| leg.after_ms == 0).map(|leg| leg.lane).collect();
        let always = ALWAYS_BY_SMS.contains(&kind);
        let texted =
            |rule: &&LaneRule| always && rule.is_owners && rule.lane.channel == ChannelKind::Sms && rule.may_see(book);
        let by_sms = self.lanes.iter().filter(texted).map(|rule| Leg { lane: rule.lane, after_ms: 0, route: None });
        legs.extend(by_sms.filter(|leg| !told.contains(&leg.lane)));
        legs
    }

    /// Every way to an owner who is not this person.
    fn other_owners(&self, person: &str) -> impl Iterator<Item = Lane> {
        let others = self.lanes.iter().filter(move |rule| rule.is_owners && rule.lane.who.as_str() != person);
        others.map(|rule| rule.lane)
    }

    /// Who is told when something is wrong with a lane.
    fn around(&self, lane: Lane) -> impl Iterator<Item = Lane> {
        let concerns = move |rule: &&LaneRule| rule.lane != lane && (rule.looks_after || rule.lane.who == lane.who);
        self.lanes.iter().filter(concerns).map(|rule| rule.lane)
    }

    /// Each short message costs money: whoever has another way is told there what calls for no haste.
    fn is_worth_it(&self, to: Lane) -> bool {
        let is_other = |rule: &LaneRule| rule.lane.who == to.who && rule.lane != to;
        to.channel != ChannelKind::Sms || !self.lanes.iter().any(is_other)
    }

    /// Where the routes lead an event of this kind and severity.
    fn legs(&self, kind: &str, severity: Severity, book: Option<Label>, wanted: &dyn Fn(&Lane) -> bool) -> Vec<Leg> {
        let mut legs: Vec<Leg> = Vec::new();
        // Where nobody may see all books, somebody has to be told all the same.
        let for_all = OF_ALL_BOOKS.contains(&kind) && self.lanes.iter().any(|rule| rule.books.is_none());
        for (index, route) in self.routes.iter().enumerate() {
            if !route.covers(kind) || !route.has_book(book) {
                continue;
            }
            for lane in route.to.iter().filter(|lane| wanted(lane)) {
                let Some(rule) = self.rule(*lane) else { continue };
                let loud = severity >= route.min || rule.asked_for(kind);
                // What is quiet and for the digest is counted there from the journal.
                let counted = severity == Severity::Info
                    && kind_named(kind).is_some_and(|kind| rule.treatment(kind) == Treatment::Digest);
                let loud = loud && !counted;
                let known = |leg: &Leg| leg.lane == *lane && leg.after_ms == route.after_ms;
                let may_hear = rule.may_see(book) && (rule.books.is_none() || !for_all);
                if loud && may_hear && !legs.iter().any(known) {
                    legs.push(Leg { lane: *lane, after_ms: route.after_ms, route: Some(index) });
                }
            }
        }
        legs
    }

    /// What is wrong with the routes: one that reaches nobody, a kind without one.
    pub fn faults(&self, books: &[Label]) -> Vec<RouteFault> {
        let mut faults = Vec::new();
        for (index, route) in self.routes.iter().enumerate() {
            let mut fault = |what: String| faults.push(RouteFault { route: Some(index), what });
            if route.to.is_empty() {
                fault("this route reaches nobody: name destinations in \"to\", such as [\"ana:telegram\"]".to_owned());
            }
            for lane in route.to.iter().filter(|lane| self.rule(**lane).is_none()) {
                let known: Vec<String> = self.lanes.iter().map(|rule| rule.lane.to_string()).collect();
                fault(format!("nobody is reached by {lane}: there are {}", known.join(", ")));
            }
            for pattern in &route.kinds {
                let one = Route { kinds: vec![pattern.clone()], ..route.clone() };
                if !KINDS.iter().any(|kind| one.covers(kind.name) && kind.loudest >= route.min) {
                    fault(match kind_named(pattern) {
                        Some(kind) => format!(
                            "this route never carries {pattern}: it gets no louder than {}, and min is {}",
                            kind.loudest.as_str(),
                            route.min.as_str()
                        ),
                        None => format!("there is no kind of event \"{}\"", pattern.escape_debug()),
                    });
                }
            }
            for book in route.books.iter().filter(|book| !books.contains(book)) {
                fault(format!("there is no book \"{book}\""));
            }
        }
        faults.extend(self.unrouted(books));
        faults
    }

    /// Kinds that no route carries at their loudest. What is at most info may stay in the journal and the digest.
    fn unrouted(&self, books: &[Label]) -> Option<RouteFault> {
        let carried = |kind: &&Kind, book: Option<Label>| {
            self.routes.iter().any(|route| {
                route.covers(kind.name)
                    && route.has_book(book)
                    && route.min <= kind.loudest
                    && route.after_ms == 0
                    && route.to.iter().any(|lane| self.rule(*lane).is_some_and(|rule| rule.may_see(book)))
            })
        };
        let told = || KINDS.iter().filter(|kind| kind.loudest > Severity::Info);
        let missing = |book: Option<Label>| {
            let missing: Vec<&str> = told().filter(|kind| !carried(kind, book)).map(|kind| kind.name).collect();
            (!missing.is_empty()).then_some(missing)
        };
        let of_books =
            books.iter().find_map(|book| missing(Some(*book)).map(|kinds| (format!(" of book {book}"), kinds)));
        let (whose, kinds) = of_books.or_else(|| missing(None).map(|kinds| (String::new(), kinds)))?;
        let (first, rest) = (kinds.first()?, kinds.len() - 1);
        let others = if rest > 0 { format!(" and {rest} more kinds") } else { String::new() };
        let what = format!(
            "no route carries {first}{others}{whose} at once: add a last route with kinds = [\"*\"] and min = \"notice\""
        );
        Some(RouteFault { route: None, what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn lane(text: &str) -> Lane {
        text.parse().expect("a lane")
    }

    fn route(kinds: &[&str], min: Severity, to: &[&str], after_ms: i64) -> Route {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        Route { kinds, min, books: Vec::new(), to: to.iter().map(|to| lane(to)).collect(), after_ms }
    }

    fn table(routes: Vec<Route>) -> RouteTable {
        let lanes = ["ana:telegram", "ana:terminal", "bo:email"].map(|name| LaneRule::open(lane(name)));
        RouteTable { lanes: lanes.to_vec(), routes }
    }

    fn planned(table: &RouteTable, kind: EventKind) -> Vec<(String, i64)> {
        let event = Event { at: Timestamp::default(), book: None, kind };
        table.plan(&event).iter().map(|leg| (leg.lane.to_string(), leg.after_ms)).collect()
    }

    #[test]
    fn what_tells_of_all_books_goes_to_those_who_may_see_all() {
        let some = Some(vec!["main".parse().expect("a name")]);
        let rule =
            |name: &str, books: &Option<Vec<Label>>| LaneRule { books: books.clone(), ..LaneRule::open(lane(name)) };
        let routes = vec![route(&["*"], Severity::Info, &["ana:email", "bo:email"], 0)];
        let told = |ana: &Option<Vec<Label>>, kind: &str| {
            let table =
                RouteTable { lanes: vec![rule("ana:email", ana), rule("bo:email", &some)], routes: routes.clone() };
            table.legs(kind, Severity::Critical, None, &|_| true).len()
        };
        assert_eq!((told(&None, "config_changed"), told(&None, "engine_stopped")), (1, 2));
        assert_eq!(told(&some, "config_changed"), 2, "else nobody would know");
    }

    #[test]
    fn each_lane_is_reached_once_a_delay_and_a_dead_one_is_not_told_of_itself() {
        let table = table(vec![
            route(&["*"], Severity::Notice, &["ana:telegram", "ana:terminal"], 0),
            route(&["clock_*"], Severity::Warning, &["ana:telegram", "bo:email"], 0),
            route(&["*"], Severity::Critical, &["bo:email"], 120_000),
        ]);
        let all =
            |names: &[(&str, i64)]| names.iter().map(|(name, after)| ((*name).to_owned(), *after)).collect::<Vec<_>>();
        let want = all(&[("ana:telegram", 0), ("ana:terminal", 0), ("bo:email", 0)]);
        assert_eq!(planned(&table, EventKind::ClockJumped { by_s: 60 }), want);
        let died = EventKind::LaneDied { lane: lane("ana:telegram"), why: String::new(), waiting: 0 };
        assert_eq!(planned(&table, died), all(&[("ana:terminal", 0), ("bo:email", 0)]));
        let back = |name: &str| EventKind::LaneRecovered { lane: lane(name), down_s: 60, waiting: 0 };
        assert_eq!(planned(&table, back("ana:telegram")), all(&[("ana:terminal", 0), ("bo:email", 0)]));
        let told_too = all(&[("ana:telegram", 0), ("ana:terminal", 0), ("bo:email", 0)]);
        assert_eq!(planned(&table, back("bo:email")), told_too, "who has one way only is told on it");
        let locked = EventKind::PinLocked { person: "ana".to_owned(), until: Timestamp::default() };
        assert_eq!(planned(&table, locked), all(&[("ana:telegram", 0), ("ana:terminal", 0), ("bo:email", 120_000)]));
    }

    #[test]
    fn a_dead_lane_is_told_to_its_person_and_to_those_who_look_after_the_bot() {
        let rule = |name: &str, looks_after| LaneRule { looks_after, ..LaneRule::open(lane(name)) };
        let lanes = vec![
            rule("ana:telegram", true),
            rule("vi:telegram", false),
            rule("vi:email", false),
            rule("friends:telegram", false),
        ];
        let table = RouteTable { lanes, routes: Vec::new() };
        let died = |name: &str| EventKind::LaneDied { lane: lane(name), why: String::new(), waiting: 0 };
        let named = |kind| planned(&table, kind).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(named(died("vi:telegram")), ["ana:telegram", "vi:email"]);
        assert_eq!(named(died("friends:telegram")), ["ana:telegram"]);
    }

    #[test]
    fn short_messages_are_spent_on_dead_lanes_and_not_on_what_became_of_them() {
        let lanes = ["ana:telegram", "ana:sms", "bo:sms", "cy:email"].map(|name| LaneRule::open(lane(name)));
        let table = RouteTable { lanes: lanes.to_vec(), routes: Vec::new() };
        let named = |kind| planned(&table, kind).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let of = lane("cy:email");
        assert_eq!(
            named(EventKind::LaneDied { lane: of, why: String::new(), waiting: 0 }),
            ["ana:telegram", "ana:sms", "bo:sms"]
        );
        let back = EventKind::LaneRecovered { lane: of, down_s: 60, waiting: 1 };
        assert_eq!(named(back), ["ana:telegram", "bo:sms"], "bo has no other way");
        let lost = EventKind::DeliveryDied { lane: of, notice: crate::domain::NoticeId(1), why: String::new() };
        assert_eq!(named(lost), ["ana:telegram", "bo:sms"]);
    }

    #[test]
    fn that_a_message_about_duress_is_lost_goes_where_that_message_would_and_what_lapsed_to_whoever_asked() {
        let rule = |name: &str, is_owners| LaneRule { is_owners, ..LaneRule::open(lane(name)) };
        let owners = ["ana:telegram", "ana:sms", "bo:telegram", "bo:sms", "di:sms"].map(|name| rule(name, true));
        let lanes = owners.into_iter().chain([rule("cy:telegram", false), rule("club:telegram", false)]).collect();
        let table = RouteTable { lanes, routes: vec![route(&["*"], Severity::Info, &["cy:telegram"], 0)] };
        let named = |kind| planned(&table, kind).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let (person, why) = ("ana".to_owned(), String::new());
        let untold = |name: &str| EventKind::DuressUntold {
            person: person.clone(),
            notice: crate::domain::NoticeId(41),
            lane: lane(name),
            why: why.clone(),
        };
        assert_eq!(named(untold("bo:sms")), ["bo:telegram", "di:sms"], "nobody else, and least of all ana");
        let lapsed = EventKind::ControlLapsed { person: person.clone(), change: "/closeall".to_owned() };
        assert_eq!(named(lapsed), ["ana:telegram"]);
    }

    #[test]
    fn routes_that_reach_nobody_and_kinds_without_a_route_are_refused() {
        let faults = |routes| -> Vec<String> {
            table(routes).faults(&["main".parse().expect("a name")]).into_iter().map(|fault| fault.what).collect()
        };
        let good = route(&["*"], Severity::Notice, &["ana:telegram"], 0);
        assert_eq!(faults(vec![good.clone()]), Vec::<String>::new());
        assert!(faults(vec![Route { to: Vec::new(), ..good.clone() }])[0].contains("reaches nobody"));
        assert!(faults(vec![good.clone(), route(&["*"], Severity::Info, &["cy:email"], 0)])[0].contains("cy:email"));
        assert!(faults(vec![good.clone(), route(&["moon"], Severity::Info, &["bo:email"], 0)])[0].contains("moon"));
        let never = route(&["stop_moved"], Severity::Critical, &["bo:email"], 0);
        assert!(faults(vec![good, never])[0].contains("no louder than info"));
        assert!(
            faults(vec![route(&["feed_*"], Severity::Notice, &["ana:telegram"], 0)])[0].contains("no route carries")
        );
    }
}
