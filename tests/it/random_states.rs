//! What a change of states and settings did is what its preview said, and what `/undo` takes back is as it was: random books in the whole
//! program, from the words that are typed to what is stored.

use bellwether::config::BookConfig;
use bellwether::domain::{Money, Order, Position, Price, Purpose, Quantity, TradingState};
use bellwether::engine::{DeskMemory, DeskSettings};
use bellwether::strategy::{Values, find};

use crate::support::Bench;
use crate::support::market::{Market, result, set, waiting};
use crate::support::random::Draw;

const BOOKS: u64 = 90;
const SYMBOLS: [&str; 3] = ["BTC-USD", "ETH-USD", "SOL-USD"];

/// Books of people that trade at no cost, so that every figure is a whole one.
fn market() -> Market {
    Market::calm(&SYMBOLS).with(|desk: &mut DeskSettings| {
        set(desk, &[("exposure_pct", "500"), ("net_pct", "500"), ("sector_pct", "500"), ("leverage_max", "5")]);
        set(desk, &[("correlation_max", "1"), ("open_risk_pct", "90"), ("trades_per_day", "500")]);
        desk.strategies = BookConfig::usual().desk.strategies;
        let kind = find("sma_cross").expect("listed");
        let silent =
            [("fast", "499"), ("slow", "500")].map(|(key, value)| (key.to_owned(), value.parse().expect("number")));
        desk.strategies[0].values = Values::check(kind.name, kind.params, &silent).expect("in range");
        set(desk, &[("borrow_pct", "0")]);
    })
}

/// The kinds of changes that are tried, as many of each.
const KINDS: u64 = 18;

/// A change of this kind; not every one is possible, and what is not is refused.
fn command(draw: &mut Draw, bench: &Bench, kind: u64) -> String {
    let symbol = draw.one(&SYMBOLS);
    let (few, share) = (draw.between(1, 12), draw.between(2, 9));
    let order = waiting(bench).first().map_or_else(|| "O1".to_owned(), |order| order.id.to_string());
    match kind {
        0 => format!("/buy {symbol} {few}"),
        1 => format!("/sell {symbol} {few}"),
        2 => format!("/buy {symbol} {few} limit {}", draw.between(40, 80)),
        3 => format!("/sell {symbol} {few} limit {}", draw.between(130, 190)),
        4 => format!("/{} {symbol} {share}%", draw.one(&["sl", "tp", "trail"])),
        5 => format!("/close {symbol} {}", draw.one(&["50%", "all"])),
        6 => format!("/modify {order} quantity={few}"),
        7 => format!("/cancel {order}"),
        8 => format!("/block {symbol} {share}d"),
        9 => draw.one(&["/pause for 5d", "/pause"]).to_owned(),
        10 => format!("/setrisk {}%", 10 * share),
        11 => format!("/limit positions_max {few}"),
        12 => format!("/limit stop_atr {share} for {few}d"),
        13 => format!("/param sma_cross fast {}", 100 + few),
        14 => draw.one(&["/enable sma_cross", "/disable sma_cross"]).to_owned(),
        15 => draw.one(&["/resume", "/book start main"]).to_owned(),
        16 => format!("/unlock {symbol}"),
        _ => draw.one(&["/book stop main", "/closeall", "/setstops 5%"]).to_owned(),
    }
}

/// Everything of a book that a change may change, and nothing that time changes.
#[derive(Debug, PartialEq)]
struct Stands {
    cash: Money,
    held: Vec<(String, Quantity, Money, Levels)>,
    waiting: Vec<(String, Quantity, String)>,
    state: TradingState,
    parked: String,
    locks: Vec<String>,
    settings: Vec<String>,
}

type Levels = Option<(Price, Option<Price>, Option<Price>)>;

impl Stands {
    fn of(bench: &Bench) -> Self {
        let saved = bench.saved();
        let row = &saved.books[0];
        let memory: DeskMemory = serde_json::from_str(&row.memory).expect("its own words");
        let levels = |held: &Position| held.protection.map(|now| (now.stop, now.target, now.trail));
        let held = |held: &Position| (held.symbol.to_string(), held.quantity, held.cost, levels(held));
        let open = |order: &Order| (order.id.to_string(), order.remaining(), format!("{:?}", order.kind));
        let mut positions: Vec<_> = row.book.positions.iter().map(held).collect();
        positions.sort_by(|one, other| one.0.cmp(&other.0));
        let entry = |order: &&Order| order.purpose != Purpose::Protect;
        Self {
            cash: row.book.cash,
            held: positions,
            waiting: saved.orders.iter().filter(entry).map(open).collect(),
            state: row.state,
            parked: format!("{:?} {:?}", memory.parked, memory.parked_until),
            locks: memory.locks.iter().map(|lock| format!("{} {}", lock.symbol, lock.until)).collect(),
            settings: saved.changes.iter().map(|row| format!("{} {:?}", row.setting, row.until)).collect(),
        }
    }
}

/// Types a command and confirms what is shown, before the next bar; what was shown, or nothing where it is refused.
fn typed(market: &Market, bench: &Bench, command: &str) -> Option<String> {
    let (id, shown) = bench.show(command).ok()?;
    bench.agree(id);
    market.live(bench, 0);
    let result = result(bench);
    assert!(!result.starts_with("not done") && !result.contains("refused"), "{command}: {result}\n{shown}");
    Some(shown)
}

/// What is not as the words said it would be.
fn unlike(command: &str, shown: &str, before: &Stands, bench: &Bench) -> Option<String> {
    let now = Stands::of(bench);
    let words: Vec<&str> = command.split(' ').collect();
    let enters = bench.saved().orders.iter().any(|order| order.purpose == Purpose::Entry);
    let holds = match words[0] {
        "/pause" => now.state == TradingState::Reducing && !enters && shown.contains("No entries"),
        "/block" => now.locks.len() >= before.locks.len() && now.locks.iter().any(|lock| lock.starts_with(words[1])),
        "/enable" | "/disable" => now.settings != before.settings && shown.contains(words[1]),
        "/unlock" => now.locks.iter().all(|lock| !lock.starts_with(words[1])) && shown.contains("enter"),
        "/setrisk" | "/limit" => {
            now.settings != before.settings
                && shown.contains(
                    words[if words[0] == "/param" { 3 } else { words.len().min(3) - 1 }].trim_end_matches('%'),
                )
        }
        "/resume" => shown.contains("enter and leave again") == (now.state == TradingState::Running),
        "/book" if words[1] == "stop" => {
            let closing = bench.saved().orders.iter().filter(|order| order.purpose == Purpose::Close).count();
            let held = now.held.len();
            let said = held == 0 && shown.contains("holds nothing") || shown.contains(&format!("{held} position"));
            now.state == TradingState::Reducing && closing == held && !enters && said
        }
        "/book" => shown.contains("Start it?") && now.parked.starts_with("None"),
        _ => true,
    };
    (!holds).then(|| format!("{command}: {shown}\n{now:?}"))
}

/// What an undo left otherwise than it was, without saying so. What was taken back by a change is not sent again, and a position that had no
/// stop keeps the one that it was given: both are said.
fn not_undone(before: &Stands, now: &Stands, shown: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (id, quantity, _) in &before.waiting {
        let waits = now.waiting.iter().any(|(known, rest, _)| (known, rest) == (id, quantity));
        if !waits && !shown.contains(&format!("{id}, ")) {
            all.push(format!("{id} waited, and is gone unsaid"));
        }
    }
    all.extend(
        now.waiting.iter().filter(|order| !before.waiting.contains(order)).map(|order| format!("{order:?} waits")),
    );
    let same = |one: &Stands, other: &Stands| {
        let bare = |stands: &Stands| {
            let held = stands.held.iter().map(|(symbol, quantity, cost, _)| (symbol.clone(), *quantity, *cost));
            (stands.cash, held.collect::<Vec<_>>(), stands.state, stands.parked.clone(), stands.locks.clone())
        };
        bare(one) == bare(other) && one.settings == other.settings
    };
    let levels =
        |stands: &Stands, symbol: &str| stands.held.iter().find(|held| held.0 == symbol).and_then(|held| held.3);
    for (symbol, _, _, was) in &before.held {
        let is = levels(now, symbol);
        if is != *was && !(was.is_none() && shown.contains(&format!("the stop of {symbol} stays"))) {
            all.push(format!("the levels of {symbol} were {was:?}, are {is:?}"));
        }
    }
    if !same(before, now) {
        all.push(format!("it was {before:?}, is {now:?}"));
    }
    all
}

#[test]
fn states_and_settings_become_what_was_shown_and_undone_they_are_as_before() {
    let market = market();
    let (mut wrong, mut undone, mut done) = (Vec::new(), 0, std::collections::BTreeMap::<String, u64>::new());
    for seed in 0..BOOKS {
        let mut draw = Draw(seed);
        let bench = Bench::new();
        market.live(&bench, 20);
        for _ in 0..4 {
            let kind = draw.next(KINDS);
            let next = command(&mut draw, &bench, kind);
            typed(&market, &bench, &next);
            market.live(&bench, 1);
        }
        // What ends a thing needs one to end.
        let first = if seed % KINDS == 16 { draw.one(&SYMBOLS).to_owned() } else { String::new() };
        if !first.is_empty() {
            typed(&market, &bench, &format!("/block {first} 9d"));
        }
        let before = Stands::of(&bench);
        let tried = (0..10).find_map(|_| {
            let command = command(&mut draw, &bench, seed % KINDS);
            typed(&market, &bench, &command).map(|shown| (command, shown))
        });
        let Some((command, shown)) = tried else { continue };
        *done.entry(command.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
        wrong.extend(unlike(&command, &shown, &before, &bench).map(|why| format!("seed {seed}, {why}")));
        // What cannot be taken back leaves the change before it as the last one that can.
        let own = format!("Take back {}", command.split(' ').next().unwrap_or_default().replace("closeall", "close"));
        if let Some(shown) = typed(&market, &bench, "/undo").filter(|shown| shown.starts_with(&own)) {
            undone += 1;
            let apart = not_undone(&before, &Stands::of(&bench), &shown);
            wrong.extend(apart.iter().map(|why| format!("seed {seed}, /undo of {command}: {why}\n{shown}")));
        }
    }
    eprintln!("tried {done:?}, {undone} undone; {} differences", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong[..wrong.len().min(8)].join("\n"));
    assert!(undone > BOOKS / 2 && done.len() > 15, "{undone} undone of {done:?}");
}
