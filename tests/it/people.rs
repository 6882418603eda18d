//! Whole files about people, groups and routes: what they come to, and how mistakes in them are told.

use bellwether::chat::Role;
use bellwether::clock::Timestamp;
use bellwether::config::{Amounts, Config, TelegramAddress, policy, read, route_table};
use bellwether::domain::{
    ALWAYS_BY_SMS, ChannelKind, DateStyle, Event, EventKind, HaltCause, HourStyle, Label, Lane, Money, NumberStyle,
    Quantity, RouteTable, Severity, Treatment,
};
use chrono_tz::Tz;
use proptest::prelude::*;

const MINUTE_MS: i64 = 60_000;

fn loaded(text: &str) -> Result<Config, String> {
    read(text, None).map_err(|error| error.to_string().replace("bellwether.toml:", ""))
}

fn lane(text: &str) -> Lane {
    text.parse().expect("a lane")
}

fn label(text: &str) -> Label {
    text.parse().expect("a name")
}

fn lanes(all: &[&str]) -> Vec<Lane> {
    all.iter().map(|text| lane(text)).collect()
}

const ALL: &str = r#"
[[books]]
name = "main"
[[books]]
name = "calm"

[[people]]
name = "ana"
role = "owner"
zone = "Europe/Lisbon"
telegram = { user = 7123456789, chat = -1001234567890 }
email = "ana@example.org"
quiet = { from = "22:00", to = "07:00" }
digest = "09:30"
tell = { stop_moved = "silent", day_closed = "digest", config_changed = "off", trading_resumed = "on" }
above = { position_closed = 500, day_passed = 0.5 }
numbers = "1.234,56"
dates = "21.11.2026"
hours = 12

[[people]]
name = "Bo"
role = "viewer"
books = ["calm"]
telegram = { user = 8 }

[[groups]]
name = "club"
telegram = -5
books = ["main"]
topics = { main = 12 }
amounts = "full"
zone = "Asia/Tokyo"

[[groups]]
name = "all"
telegram = -6

[[routes]]
to = ["ana:telegram", "Bo:telegram", "club:telegram"]

[[routes]]
kinds = ["day_*", "trading_halted"]
min = "critical"
books = ["main"]
to = ["ana:email"]
after = "1h30m"
"#;

#[test]
fn every_key_is_read() {
    let config = loaded(ALL).expect("sound");
    let [ana, bo] = &config.people[..] else { panic!("two people") };
    assert_eq!((ana.person.role, ana.person.zone, &ana.person.books), (Role::Owner, Some(Tz::Europe__Lisbon), &None));
    assert_eq!(ana.telegram, Some(TelegramAddress { user: 7_123_456_789, chat: -1_001_234_567_890 }));
    assert_eq!(ana.email.as_ref().map(ToString::to_string).as_deref(), Some("ana@example.org"));
    let quiet = ana.quiet.expect("set");
    assert_eq!([quiet.from, quiet.to, ana.digest].map(|time| time.to_string()), ["22:00:00", "07:00:00", "09:30:00"]);
    let told = |kind: &str| ana.tell.iter().find(|(name, _)| name == kind).map(|(_, treatment)| *treatment);
    assert_eq!((told("stop_moved"), told("config_changed")), (Some(Treatment::Silent), Some(Treatment::Off)));
    assert_eq!(
        ana.above.iter().find(|(name, _)| name == "position_closed").map(|(_, at)| *at),
        Some(Money::whole(500))
    );
    let style = (ana.person.style.numbers, ana.person.style.dates, ana.person.style.hours);
    assert_eq!(style, (NumberStyle::Dot, DateStyle::DayFirst, HourStyle::Half));
    assert_eq!((bo.person.name.as_str(), bo.person.role), ("bo", Role::Viewer));
    assert_eq!(bo.telegram, Some(TelegramAddress { user: 8, chat: 8 }));
    assert!(bo.person.may_see(label("calm")) && !bo.person.may_see(label("main")));
    let club = &config.groups[0];
    assert_eq!((club.chat, &club.books, &club.topics), (-5, &Some(vec![label("main")]), &vec![(label("main"), 12)]));
    assert_eq!((club.amounts, config.groups[1].amounts), (Amounts::Full, Amounts::Shares));
    let [first, second] = &config.routes[..] else { panic!("two routes") };
    assert_eq!((first.kinds.as_slice(), first.min, first.after_ms), (&["*".to_owned()][..], Severity::Notice, 0));
    assert_eq!((second.min, second.after_ms, second.books.len()), (Severity::Critical, 90 * MINUTE_MS, 1));
}

#[test]
fn what_a_lane_wants_is_what_its_reader_wants() {
    let config = loaded(ALL).expect("sound");
    let ana = policy(&config, lane("ana:email"), Tz::UTC);
    assert_eq!((ana.zone, ana.quiet, ana.hides_amounts), (Tz::Europe__Lisbon, config.people[0].quiet, false));
    assert_eq!(
        (ana.digest_at, ana.thresholds.len(), ana.style),
        (config.people[0].digest, 2, config.people[0].person.style)
    );
    assert_eq!((ana.rule.books, ana.rule.treatments.len()), (None, 4));
    let bo = policy(&config, lane("bo:telegram"), Tz::UTC);
    assert_eq!((bo.zone, bo.quiet, bo.rule.books), (Tz::UTC, None, Some(vec![label("calm")])));
    let club = policy(&config, lane("club:telegram"), Tz::UTC);
    assert_eq!((club.zone, club.hides_amounts, club.rule.books), (Tz::Asia__Tokyo, false, Some(vec![label("main")])));
    assert!(policy(&config, lane("all:telegram"), Tz::UTC).hides_amounts);
    for nobody in ["cy:telegram", "club:email"] {
        let nobody = policy(&config, lane(nobody), Tz::UTC);
        assert_eq!((nobody.rule.books, nobody.hides_amounts), (Some(Vec::new()), true));
    }
}

fn person(rest: &str) -> String {
    format!("[[people]]\nname = \"ana\"\n{rest}\n")
}

fn group(rest: &str) -> String {
    format!("[[groups]]\nname = \"club\"\n{rest}\n")
}

fn route(rest: &str) -> String {
    format!("[[people]]\nname = \"ana\"\n[[groups]]\nname = \"club\"\ntelegram = -5\n[[routes]]\n{rest}\n")
}

/// Each text is refused with these words, at this place where one is given.
fn refused(cases: &[(String, &str)]) {
    for (text, want) in cases {
        let error = loaded(text).err().unwrap_or_else(|| "fine".to_owned());
        let placed = want.as_bytes()[0].is_ascii_digit();
        let is_right = if placed { error.starts_with(want) } else { error.contains(want) };
        assert!(is_right, "{text}\nwants {want}\nand says {error}");
    }
}

#[test]
fn somebody_is_an_owner() {
    let bo = "[[people]]\nname = \"bo\"\nrole = \"operator\"\n";
    refused(&[
        (person("role = \"viewer\""), "1:1: nobody here is an owner"),
        (format!("{}{bo}", person("role = \"viewer\"")), "give one of them role = \"owner\""),
    ]);
    assert!(loaded(&format!("{}{bo}", person(""))).is_ok() && loaded("").is_ok());
}

#[test]
fn where_people_are_and_when_they_sleep_is_checked() {
    refused(&[
        (person("emial = \"a@b.c\""), "3:1: people has no key \"emial\": did you mean \"email\"?"),
        (person("email = \"ana\""), "3:9: \"ana\" is no address for mail"),
        (person("phone = \"912345678\""), "3:9: the phone of ana is none: write it like +351912345678"),
        (person("phone = 351912345678"), "3:9: the phone of ana is none: write it in quotes"),
        (person("telegram = 5"), "3:12: this takes a table such as { user = 123456789 }"),
        (person("telegram = { chat = 5 }"), "3:12: this needs the user"),
        (person("telegram = { usr = 5 }"), "3:14: people.telegram has no key \"usr\": did you mean \"user\"?"),
        (person("telegram = { user = -5 }"), "3:21: -5 is no account on Telegram: its number is above zero"),
        (person("telegram = { user = 99999999999999999999 }"), "3:21: 99999999999999999999 is too large"),
        (person("telegram = { user = 9007199254740993 }"), "3:21: 9007199254740993 is no account"),
        (person("telegram = { user = 1.5 }"), "3:21: this takes a whole number"),
        (person("telegram = { user = 5, chat = 0 }"), "3:31: 0 is no chat on Telegram"),
        (person("quiet = { from = \"22:00\" }"), "3:9: quiet hours are a table such as"),
        (person("quiet = { from = \"22:00\", to = \"22:00\" }"), "3:9: from 22:00 to 22:00 is never: leave quiet out"),
        (person("quiet = { from = \"25:00\", to = \"07:00\" }"), "3:18: \"25:00\" is no time of the day"),
        (person("digest = \"8 am\""), "3:10: \"8 am\" is no time of the day; write it like 09:00"),
    ]);
}

#[test]
fn what_people_want_is_checked() {
    refused(&[
        (
            person("tell = { stop_move = \"on\" }"),
            "3:10: there is no kind of event \"stop_move\": did you mean \"stop_moved\"?",
        ),
        (
            person("tell = { stop_moved = \"loud\" }"),
            "3:23: \"loud\" is no way to be told: use on, silent, digest or off",
        ),
        (
            person("tell = { trading_halted = \"off\" }"),
            "3:27: trading_halted is always on: it tells that trading stopped, and that cannot wait",
        ),
        (
            person("above = { stop_moved = 5 }"),
            "3:11: stop_moved is about no amount; these are: position_opened, position_closed, order_filled",
        ),
        (person("above = { position_close = 5 }"), "did you mean \"position_closed\"?"),
        (person("above = { position_closed = -1 }"), "3:29: -1 is not from 0 to 1000000000"),
        (person("books = []"), "3:9: this names no book: leave it out for all books"),
        (person("books = [\"man\"]"), "3:10: there is no book \"man\": did you mean \"main\"?"),
        (person("books = [\"main\", \"main\"]"), "3:18: main stands here twice"),
        (person("hours = 13"), "3:9: \"13\" is no way to write hours: use 24 or 12"),
        (person("numbers = \"1_234\""), "3:11: \"1_234\" is no way to write numbers"),
    ]);
}

#[test]
fn people_and_groups_are_told_apart() {
    refused(&[
        (person("[[people]]\nname = \"ANA\""), "3:1: two people or groups are called \"ana\""),
        (format!("{}{}", person(""), group("telegram = -5").replace("club", "ana")), "two people or groups are called"),
        (
            person("telegram = { user = 5 }\n[[people]]\nname = \"bo\"\ntelegram = { user = 5, chat = 6 }"),
            "4:1: bo and ana have the same account on telegram",
        ),
        (
            format!("{}{}", person("telegram = { user = 5, chat = -6 }"), group("telegram = -6")),
            "4:1: club and ana have the same chat",
        ),
        ("people = []\n".to_owned(), "1:1: nobody may see book main: name a person who may"),
        (
            format!("[[books]]\nname = \"a\"\n[[books]]\nname = \"b\"\n{}", person("books = [\"a\"]")),
            "5:1: nobody may see book b",
        ),
    ]);
}

#[test]
fn groups_are_checked() {
    refused(&[
        (group(""), "1:1: a group needs its number on Telegram or on Discord"),
        ("[[groups]]\ntelegram = -5\n".to_owned(), "1:1: a group needs a name"),
        (group("telegram = -5\ndiscord = 5"), "1:1: a group is on Telegram or on Discord: name two for both"),
        (group("telegram = -5\nthreads = true"), "4:11: threads are made on Discord alone"),
        (group("telegram = 5"), "3:12: 5 is no group on Telegram: its number is below zero"),
        (group("telegram = -5\namounts = \"all\""), "4:11: \"all\" is neither full nor shares"),
        (group("telegram = -5\ntopics = { mian = 5 }"), "4:12: there is no book \"mian\": did you mean \"main\"?"),
        (group("telegram = -5\ntopics = { main = 0 }"), "4:19: 0 is no topic: its number is above zero"),
        (group("telegram = -5\nrole = \"owner\""), "4:1: groups has no key \"role\""),
    ]);
}

#[test]
fn routes_are_checked() {
    refused(&[
        (route(""), "6:1: a route needs destinations, such as to = [\"ana:telegram\"]"),
        (route("to = []"), "6:1: this route reaches nobody"),
        (route("to = \"ana:telegram\""), "7:6: destinations are a list such as [\"ana:telegram\"]"),
        (route("to = [\"ana\"]"), "7:7: \"ana\" is no destination: write it like ana:telegram"),
        (route("to = [\"anna:telegram\"]"), "7:7: there is no person or group \"anna\": did you mean \"ana\"?"),
        (route("to = [\"ana:telegraph\"]"), "7:7: there is no channel \"telegraph\": did you mean \"telegram\"?"),
        (route("to = [\"club:email\"]"), "7:7: club is a group: it is reached by club:telegram alone"),
        (route("to = [\"ana:email\", \"ANA:email\"]"), "7:20: ana:email stands here twice"),
        (route("kinds = []\nto = [\"ana:email\"]"), "7:9: this names no kind: leave it out for all kinds"),
        (
            route("kinds = [\"day_close\"]\nto = [\"ana:email\"]"),
            "7:10: there is no kind of event \"day_close\": did you mean \"day_closed\"?",
        ),
        (route("kinds = [\"dei_*\"]\nto = [\"ana:email\"]"), "7:10: there is no kind of event \"dei_*\""),
        (
            route("min = \"warn\"\nto = [\"ana:email\"]"),
            "7:7: \"warn\" is none of info, notice, warning, critical: did you mean \"warning\"?",
        ),
        (route("books = [\"calm\"]\nto = [\"ana:email\"]"), "7:10: there is no book \"calm\""),
        (
            route("after = \"soon\"\nto = [\"ana:email\"]"),
            "7:9: \"soon\" is no stretch of time; write it like 0s, 2m or 1h30m",
        ),
        (route("after = \"24h1s\"\nto = [\"ana:email\"]"), "7:9: 24h1s is longer than 24h"),
        (route("min = \"warning\"\nto = [\"ana:email\"]"), "6:1: no route carries position_opened"),
        (
            route("kinds = [\"stop_moved\"]\nto = [\"ana:email\"]\n[[routes]]\nto = [\"ana:email\"]"),
            "6:1: this route never carries stop_moved",
        ),
        (
            route("to = [\"ana:email\"]\n[[routes]]\nkinds = [\"stop_moved\"]\nto = [\"ana:email\"]"),
            "8:1: this route never carries stop_moved: it gets no louder than info, and min is notice",
        ),
    ]);
}

/// A route to somebody who may see none of its books, and one for a book whose readers it leaves out.
#[test]
fn a_route_leads_to_who_may_see_its_books() {
    let file = |routes: &str| {
        let books = "[[books]]\nname = \"a\"\n[[books]]\nname = \"b\"\n";
        let people = "[[people]]\nname = \"ana\"\n[[people]]\nname = \"bo\"\nbooks = [\"a\"]\n";
        loaded(&format!("{books}{people}{routes}")).map(drop)
    };
    let blind = "[[routes]]\nto = [\"ana:email\"]\n[[routes]]\nbooks = [\"b\"]\nto = [\"ana:email\", \"bo:email\"]\n";
    assert_eq!(file(blind), Err("14:20: bo may not see book b".to_owned()));
    let error = file("[[routes]]\nto = [\"bo:email\"]\n").expect_err("book b reaches nobody");
    assert!(error.starts_with("10:1: no route carries ") && error.contains(" of book b at once"), "{error}");
}

#[test]
fn what_is_much_too_much_is_refused_in_few_words() {
    let routes = "[[routes]]\nto = [\"owner:email\"]\n".repeat(10_000);
    assert_eq!(loaded(&routes).map(drop), Err("401:1: there are more than 200 routes".to_owned()));
    let people: Vec<String> = (0..101).map(|number| format!("[[people]]\nname = \"p{number}\"\n")).collect();
    assert_eq!(loaded(&people.concat()).map(drop), Err("201:1: there are more than 100 people".to_owned()));
    let long = "x".repeat(100_000);
    for text in [
        format!("[[people]]\nname = \"{long}\"\n"),
        format!("[[people]]\nname = \"ana\"\n{long} = 5\n"),
        format!("[[people]]\nname = \"ana\"\ntell = {{ {long} = \"on\" }}\n"),
        format!("[[people]]\nname = \"ana\"\ntelegram = {{ user = {} }}\n", "9".repeat(100_000)),
        format!("[[people]]\nname = \"ana\"\nabove = {{ day_closed = {} }}\n", "9".repeat(100_000)),
        format!("[[routes]]\nto = [\"{long}:email\"]\n"),
        format!("[[routes]]\nkinds = [\"{long}\"]\nto = [\"owner:email\"]\n"),
        format!("[[groups]]\nname = \"a\"\ntelegram = -5\ntopics = {{ {long} = 5 }}\n"),
        format!("# {}\n", long.repeat(20)),
    ] {
        let error = loaded(&text).map(drop).expect_err("refused");
        assert!(error.len() < 300, "{} bytes: {}", error.len(), &error[..200]);
    }
}

/// Critical, and told by SMS like everything else.
fn locked(book: Option<Label>) -> Event {
    let (symbol, price) = ("AAPL".parse().expect("a symbol"), "10".parse().expect("a price"));
    let kind = EventKind::SymbolLocked { symbol, before: price, after: price, quantity: Quantity::ZERO };
    Event { at: Timestamp::default(), book, kind }
}

/// Critical, and told to owners by SMS at once.
fn halted(book: Option<Label>) -> Event {
    let kind =
        EventKind::TradingHalted { cause: HaltCause::Command { person: "ana".to_owned() }, cancelled: 0, positions: 0 };
    Event { at: Timestamp::default(), book, kind }
}

fn planned(table: &RouteTable, event: &Event) -> Vec<(String, i64)> {
    table.plan(event).iter().map(|leg| (leg.lane.to_string(), leg.after_ms / MINUTE_MS)).collect()
}

#[test]
fn without_routes_the_usual_ladder_holds() {
    let people = "[[people]]\nname = \"ana\"\n[[people]]\nname = \"bo\"\nrole = \"viewer\"\n[[people]]\nname = \"cy\"\nrole = \"operator\"\n";
    let config = loaded(&format!("{people}[[groups]]\nname = \"club\"\ntelegram = -5\n")).expect("sound");
    let all = [
        "ana:webhook",
        "ana:email",
        "ana:terminal",
        "ana:telegram",
        "bo:email",
        "bo:telegram",
        "cy:email",
        "cy:terminal",
        "club:telegram",
        "club:email",
        "stranger:telegram",
        "cy:email",
    ];
    let table = route_table(&config, &lanes(&all));
    assert_eq!(table.lanes.len(), 9, "each lane of somebody once");
    let want = [
        ("ana:telegram", 0),
        ("ana:terminal", 0),
        ("bo:telegram", 0),
        ("cy:terminal", 0),
        ("club:telegram", 0),
        ("ana:email", 2),
        ("cy:email", 2),
        ("ana:webhook", 5),
        ("ana:telegram", 10),
        ("cy:terminal", 10),
    ];
    assert_eq!(planned(&table, &halted(None)), want.map(|(lane, after)| (lane.to_owned(), after)));
    assert!(route_table(&config, &[]).routes.is_empty(), "nobody is reached where there is no lane");
}

#[test]
fn the_ladder_climbs_over_all_lanes_and_short_messages_are_no_first_way() {
    let config = loaded("[[people]]\nname = \"ana\"\n[[people]]\nname = \"cy\"\nrole = \"operator\"\n").expect("sound");
    let all = ["telegram", "discord", "terminal", "sms", "email", "ntfy", "webhook"];
    let there: Vec<String> = ["ana", "cy"].iter().flat_map(|who| all.map(|on| format!("{who}:{on}"))).collect();
    let there: Vec<&str> = there.iter().map(String::as_str).collect();
    let steps = |there: &[&str], event: &Event, who: &str| -> Vec<(String, i64)> {
        let mut legs = planned(&route_table(&config, &lanes(there)), event);
        legs.retain(|(name, _)| name.starts_with(who));
        legs.iter().map(|(name, after)| (name.split(':').nth(1).expect("a channel").to_owned(), *after)).collect()
    };
    let want = |all: &[(&str, i64)]| all.iter().map(|(name, after)| ((*name).to_owned(), *after)).collect::<Vec<_>>();
    let at_last = [("email", 10), ("ntfy", 10), ("webhook", 10), ("telegram", 10)];
    let of_ana = [&[("telegram", 0), ("terminal", 0), ("discord", 2), ("sms", 5)][..], &at_last].concat();
    assert_eq!(steps(&there, &locked(None), "ana"), want(&of_ana));
    let of_cy = [&[("telegram", 0), ("discord", 2), ("terminal", 5), ("sms", 10)][..], &at_last].concat();
    assert_eq!(steps(&there, &locked(None), "cy"), want(&of_cy));
    // An owner's phone is told at once that trading stops; an operator's climbs as ever.
    let at_once = [&of_ana[..], &[("sms", 0)]].concat();
    assert_eq!(steps(&there, &halted(None), "ana"), want(&at_once));
    assert_eq!(steps(&there, &halted(None), "cy"), want(&of_cy));
    let few = ["ana:sms", "ana:email", "cy:sms"];
    assert_eq!(steps(&few, &locked(None), "ana"), want(&[("email", 0), ("sms", 2), ("email", 10)]));
    assert_eq!(steps(&few, &locked(None), "cy"), want(&[("sms", 0), ("sms", 10)]), "the only way is the first");
}

fn file(people: &[(u8, u8)], groups: usize) -> Config {
    let everybody = people.iter().enumerate().map(|(index, (role, books))| {
        let role = ["owner", "operator", "viewer"][usize::from(*role)];
        let books = ["", "books = [\"a\"]\n", "books = [\"b\"]\n"][usize::from(*books)];
        format!("[[people]]\nname = \"p{index}\"\nrole = \"{role}\"\n{books}")
    });
    let every_group =
        (1..=groups).map(|index| format!("[[groups]]\nname = \"g{index}\"\ntelegram = -{index}\nbooks = [\"a\"]\n"));
    let books = "[[books]]\nname = \"a\"\n[[books]]\nname = \"b\"\n[[people]]\nname = \"all\"\n";
    let text: Vec<String> = std::iter::once(books.to_owned()).chain(everybody).chain(every_group).collect();
    loaded(&text.concat()).expect("sound")
}

/// When somebody with these ways is told of what is critical, as the page says it: ways and minutes, sorted. `always` is for what owners are
/// told by SMS whatever else holds.
fn rungs(own: &[ChannelKind], role: Role, always: bool) -> Vec<(ChannelKind, i64)> {
    let Some(first) = own.iter().find(|kind| **kind != ChannelKind::Sms).or(own.first()).copied() else {
        return Vec::new();
    };
    let is_seat = |kind: &ChannelKind| role == Role::Owner && *kind == ChannelKind::Terminal && *kind != first;
    let mut rungs = vec![(first, 0)];
    rungs.extend(own.iter().copied().filter(is_seat).map(|kind| (kind, 0)));
    if role != Role::Viewer {
        let others = own.iter().copied().filter(|kind| *kind != first && !is_seat(kind));
        rungs.extend(others.zip([2, 5].into_iter().chain(std::iter::repeat(10))));
        rungs.push((first, 10));
    }
    let is_told = rungs.contains(&(ChannelKind::Sms, 0));
    if always && role == Role::Owner && own.contains(&ChannelKind::Sms) && !is_told {
        rungs.push((ChannelKind::Sms, 0));
    }
    rungs.sort();
    rungs
}

proptest! {
    /// Whoever has a lane is told at once of what they may see and of nothing else, on the first that costs nothing; owners on their terminal as
    /// well, and by SMS what always goes there. The others climb the ladder in order, viewers none, and no route leads where no rule is.
    #[test]
    fn everybody_is_reached(
        people in prop::collection::vec((0_u8..3, 0_u8..3), 0..5),
        groups in 0_usize..3,
        present in prop::collection::vec(any::<bool>(), 40),
    ) {
        let config = file(&people, groups);
        let names = config.persons().map(|person| person.name.clone()).collect::<Vec<_>>();
        let of_people = names.iter().flat_map(|name| ChannelKind::ALL.map(|channel| Lane { who: label(name), channel }));
        let of_groups = config.groups.iter().map(|group| Lane { who: group.name, channel: ChannelKind::Telegram });
        let present = present.iter().chain(std::iter::repeat(&true));
        let there: Vec<Lane> = of_people.chain(of_groups).zip(present).filter_map(|(lane, there)| there.then_some(lane)).collect();
        let table = route_table(&config, &there);
        prop_assert_eq!(table.lanes.iter().map(|rule| rule.lane).collect::<Vec<_>>(), there.clone());
        prop_assert!(table.routes.iter().flat_map(|route| &route.to).all(|lane| there.contains(lane)));
        for book in [None, Some(label("a")), Some(label("b"))] {
            for event in [locked(book), halted(book)] {
                let legs = table.plan(&event);
                for person in config.persons() {
                    let mut found: Vec<(ChannelKind, i64)> = legs
                        .iter()
                        .filter(|leg| leg.lane.who.as_str() == person.name)
                        .map(|leg| (leg.lane.channel, leg.after_ms / MINUTE_MS))
                        .collect();
                    found.sort();
                    let own: Vec<ChannelKind> =
                        there.iter().filter(|lane| lane.who.as_str() == person.name).map(|lane| lane.channel).collect();
                    let may = book.is_none_or(|book| person.may_see(book));
                    let always = ALWAYS_BY_SMS.contains(&event.kind.name());
                    prop_assert_eq!(found, if may { rungs(&own, person.role, always) } else { Vec::new() });
                }
            }
            let legs = table.plan(&halted(book));
            for group in &config.groups {
                let own = legs.iter().filter(|leg| leg.lane.who == group.name).map(|leg| leg.after_ms).collect::<Vec<_>>();
                let may = there.iter().any(|lane| lane.who == group.name) && book != Some(label("b"));
                prop_assert_eq!(own, vec![0; usize::from(may)]);
            }
        }
    }

    #[test]
    fn no_text_breaks_the_reading(text in "[\\[\\]{}=\"\\n a-z0-9:*_.,-]{0,200}", key in "(people|groups|routes|books)") {
        let _ = loaded(&format!("[[{key}]]\n{text}"));
        let _ = loaded(&format!("[[people]]\nname = \"ana\"\n[[routes]]\nto = [\"{}\"]\n", text.replace(['"', '\n'], "")));
    }
}
