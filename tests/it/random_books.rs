//! What a change did is what its preview said: a thousand random books, and a random control for each of them.
//!
//! After the control one bar follows in which the market ends where it was, with room for what slips and down or up to a limit that is near,
//! so that every order fills at what the preview took for it; a limit that is far waits as it was shown. Tolerances: prices, fees,
//! quantities, levels and orders are those that were shown, to the last digit; cash is too, to one cent, besides what lenders of shares were
//! paid for the day; exposure and open risk are to one basis point of equity, which that payment moves. A stop that follows the price may
//! have followed that bar, and the open risk is less by that.

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether::clock::{ManualClock, Timestamp};
use bellwether::control::{Amount, Change, ChangeDesk, Control, Part, PinCost};
use bellwether::domain::format::percent;
use bellwether::domain::{
    Instrument, Money, Order, OrderId, OrderKind, PlannedOrder, Position, Preview, Price, Purpose, Quantity, Ratio,
    Setting, Side, Symbol, TradingState,
};
use bellwether::engine::{DeskSettings, Outcome, obey, preview};
use bellwether::risk::LIMITS;
use bellwether::store::Store;
use secrecy::SecretString;

use crate::support::random::{Desk, Draw, place_of, random_book};
use crate::support::random_controls::random_control;

const BOOKS: u64 = 1_000;
/// What rounding may come to.
const CENT: Money = Money::from_units(1_000_000);
/// What each of these is tried at the least.
const TRIED_MIN: u64 = 10;
/// What is tried, by the names of controls and of what is special in them.
const TRIED: [&str; 28] = [
    "block",
    "buy",
    "cancel",
    "cancelall",
    "close",
    "disable",
    "enable",
    "limit",
    "modify",
    "param",
    "pause",
    "sell",
    "setrisk",
    "setstops",
    "sl",
    "taketargets",
    "tp",
    "trail",
    "fractions",
    "limits",
    "far limits",
    "enlarging",
    "slippage",
    "targets",
    "following stops",
    "entries given up",
    "changed exits",
    "refused",
];

/// What a book was before a control.
struct Was {
    positions: Vec<Position>,
    orders: Vec<Order>,
    settings: DeskSettings,
}

impl Was {
    fn of(desk: &Desk) -> Self {
        let book = &desk.engine.desks[0];
        Self { positions: book.book.positions.clone(), orders: book.orders.clone(), settings: book.settings.clone() }
    }

    fn held(&self, symbol: Symbol) -> Option<&Position> {
        self.positions.iter().find(|held| held.symbol == symbol)
    }
}

/// What is tried in a control besides its name.
fn traits_of(change: &Change, shown: &Preview, desk: &Desk) -> Vec<&'static str> {
    let whole = |units: &Quantity| units.in_lots(Quantity::whole(1)) == *units;
    let units = match &change.control {
        Control::Trade { amount: Amount::Units(units), .. } | Control::Close { part: Part::Units(units), .. } => {
            Some(units)
        }
        Control::Modify { quantity, .. } => quantity.as_ref(),
        _ => None,
    };
    let book = &desk.engine.desks[0];
    let slips = !book.settings.limits.slippage_bps.is_zero();
    let enlarges = |order: &PlannedOrder| {
        let held = book.book.position(order.symbol);
        order.purpose == Purpose::Entry && held.is_some_and(|held| held.side() == order.side)
    };
    let enters = |id: OrderId| book.orders.iter().any(|order| order.id == id && order.purpose == Purpose::Entry);
    let leaves = shown.orders.iter().any(|order| order.purpose == Purpose::Close);
    let any = |has: &dyn Fn(&PlannedOrder) -> bool| shown.orders.iter().any(has);
    let found = [
        ("fractions", units.is_some_and(|units| !whole(units))),
        ("limits", matches!(change.control, Control::Trade { limit: Some(_), .. })),
        ("far limits", any(&|order| order.replaces.is_none() && !desk.is_near(order))),
        ("enlarging", any(&enlarges)),
        ("slippage", slips && any(&|order| order.kind == OrderKind::Market)),
        ("targets", any(&|order| order.target.is_some())),
        ("following stops", any(&|order| order.trail.is_some())),
        ("entries given up", leaves && shown.cancels.iter().any(|cancel| enters(cancel.order))),
        ("changed exits", any(&|order| order.replaces.is_some() && order.purpose != Purpose::Entry)),
    ];
    found.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()
}

/// The figures of the book that a preview tells of, and how much of the open risk a bar may have taken off by the stops that follow it.
fn stands(desk: &Desk) -> (Money, Ratio, Ratio, Ratio) {
    let book = &desk.engine.desks[0];
    let equity = book.equity;
    let (mut gross, mut risk, mut followed) = (Money::ZERO, Money::ZERO, Money::ZERO);
    for held in &book.book.positions {
        let price = desk.engine.mark(held.symbol).expect("a price");
        gross = gross.plus(held.value_at(price).expect("fits").abs()).expect("fits");
        let stop = held.protection.map(|levels| levels.stop);
        risk = risk.plus(bellwether::risk::open_risk(held.quantity, price, stop).expect("fits")).expect("fits");
        if held.protection.is_some_and(|levels| levels.trail.is_some()) {
            let [_, high, low, _] = desk.bars[place_of(held.symbol)];
            let most = held.quantity.abs().value_at(high.minus(low).expect("fits")).expect("fits");
            followed = followed.plus(most).expect("fits");
        }
    }
    for order in book.orders.iter().filter(|order| order.purpose == Purpose::Entry) {
        let (counted, buys) = (order.reference, order.side == Side::Buy);
        gross = gross.plus(order.remaining().value_at(counted).expect("fits")).expect("fits");
        // What adds to a position is left at its stop.
        let adds_to = book.book.position(order.symbol).filter(|held| held.side() == order.side);
        let stop = adds_to.and_then(|held| held.protection).map(|levels| levels.stop);
        let stop = stop.filter(|stop| if buys { *stop < counted } else { *stop > counted });
        let away = match stop {
            Some(stop) => counted.minus(stop).expect("fits").abs(),
            None => order.plan.map_or(counted, |plan| plan.stop_distance),
        };
        let away = if buys { away.min(counted) } else { away };
        risk = risk.plus(order.remaining().value_at(away).expect("fits")).expect("fits");
    }
    (book.book.cash, gross.share_of(equity), risk.share_of(equity), followed.share_of(equity))
}

/// Whether the market is at or beyond the limit of an order that is changed: it fills at once.
fn is_beyond(desk: &Desk, order: &PlannedOrder) -> bool {
    let close = Price::whole(desk.closes[place_of(order.symbol)]);
    match (order.kind, order.side) {
        (OrderKind::Limit { price }, Side::Buy) => price >= close,
        (OrderKind::Limit { price }, Side::Sell) => price <= close,
        _ => true,
    }
}

/// Every difference between what was shown and what came of it in the day after it.
fn differences(shown: &Preview, desk: &Desk, was: &Was, filled: &Outcome) -> Vec<String> {
    let book = &desk.engine.desks[0];
    let fills_now = |order: &PlannedOrder| match order.replaces {
        None => desk.is_near(order),
        Some(_) => is_beyond(desk, order),
    };
    let (now, waits): (Vec<_>, Vec<_>) = shown.orders.iter().partition(|order| fills_now(order));
    let mut all = Vec::new();
    let fills: Vec<_> = filled.fills.iter().map(|it| (it.symbol, it.side, it.quantity, it.price, it.fee)).collect();
    let orders: Vec<_> = now.iter().map(|it| (it.symbol, it.side, it.quantity, it.price, it.fee)).collect();
    if fills != orders {
        all.push(format!("orders {orders:?}, fills {fills:?}"));
    }
    for order in &shown.orders {
        let held = was.held(order.symbol).map(|held| held.quantity.abs());
        let lot = Instrument::bare(order.symbol).lot();
        if order.replaces.is_none() && order.quantity.in_lots(lot) != order.quantity && Some(order.quantity) != held {
            all.push(format!("{} {} are no whole lots", order.quantity, order.symbol));
        }
    }
    for order in waits {
        let known = |id| was.orders.iter().any(|before| before.id == id);
        let is_it = |open: &&Order| {
            order.replaces.map_or(!known(open.id) && open.purpose != Purpose::Protect, |id| open.id == id)
        };
        let open = book.orders.iter().find(is_it).map(|open| (open.kind, open.quantity, open.reference));
        if open != Some((order.kind, order.quantity, order.price)) {
            all.push(format!("{order:?} was to wait, there is {open:?}"));
        }
    }
    if shown.cancels.iter().any(|cancel| book.orders.iter().any(|order| order.id == cancel.order)) {
        all.push("an order that was to be taken back waits".to_owned());
    }
    let entered = now.iter().filter(|order| order.purpose == Purpose::Entry);
    all.extend(entered.filter_map(|order| too_much(desk, order.symbol)));
    all.extend(gone_unsaid(shown, desk, was, filled));
    all.extend(levels_apart(shown, desk, &now));
    if shown.orders.iter().all(|order| fills_now(order) == order.replaces.is_none()) {
        all.extend(figures_apart(shown, desk, filled));
    }
    all
}

/// More than the book's limit of one thing is held after an entry: slippage aside, that was to be refused.
fn too_much(desk: &Desk, symbol: Symbol) -> Option<String> {
    let book = &desk.engine.desks[0];
    let held = book.book.position(symbol)?;
    let price = desk.engine.mark(symbol).expect("a price");
    let share = held.value_at(price).expect("fits").abs().share_of(book.equity);
    let most = book.settings.limits.position_pct.plus(Ratio::from_percent(1)).expect("fits");
    (share > most).then(|| format!("{} of equity is in {symbol}, {} may be", percent(share), percent(most)))
}

/// Orders besides stops that are gone though nobody said so: only what fills, and what was shown as taken back, may be.
fn gone_unsaid(shown: &Preview, desk: &Desk, was: &Was, filled: &Outcome) -> Vec<String> {
    let is_open = |id| desk.engine.desks[0].orders.iter().any(|open| open.id == id);
    let is_said = |id: OrderId| {
        let in_words = shown.notes.iter().any(|note| note.text.contains(&format!("{id}, ")));
        in_words
            || shown.cancels.iter().any(|cancel| cancel.order == id)
            || filled.fills.iter().any(|fill| fill.order == id)
    };
    let gone =
        was.orders.iter().filter(|order| order.purpose == Purpose::Entry && !is_open(order.id) && !is_said(order.id));
    gone.map(|order| format!("{}, {} {} is gone unsaid", order.id, order.side, order.symbol)).collect()
}

/// Levels of positions that are not those which were shown.
fn levels_apart(shown: &Preview, desk: &Desk, filled: &[&PlannedOrder]) -> Vec<String> {
    let book = &desk.engine.desks[0];
    let mut all = Vec::new();
    let set = shown.levels.iter().map(|it| (it.symbol, None, (Some(it.stop), it.target, it.trail)));
    let entered = filled.iter().filter(|order| order.purpose == Purpose::Entry);
    let brought = entered.map(|it| (it.symbol, Some(it.side), (it.stop, it.target, it.trail)));
    for (symbol, side, (stop, target, trail)) in set.chain(brought) {
        let Some(held) = book.book.position(symbol) else {
            all.push(format!("{symbol} is not held"));
            continue;
        };
        // An entry against what is held gives a part of it back.
        if side.is_some_and(|side| side != held.side()) {
            continue;
        }
        let [_, high, low, _] = desk.bars[place_of(symbol)];
        let follow = |stop: Price, trail: Price| match held.side() {
            Side::Buy => stop.max(high.minus(trail).expect("fits")),
            Side::Sell => stop.min(low.plus(trail).expect("fits")),
        };
        let stop = stop.map(|stop| trail.map_or(stop, |trail| follow(stop, trail)));
        let now = held.protection;
        let is = (now.map(|now| now.stop), now.and_then(|now| now.target), now.and_then(|now| now.trail));
        if is != (stop, target, trail) {
            all.push(format!("levels of {symbol}: {:?} were shown, {is:?} are there", (stop, target, trail)));
        }
    }
    all
}

fn figures_apart(shown: &Preview, desk: &Desk, filled: &Outcome) -> Vec<String> {
    let mut all = Vec::new();
    for effect in &shown.books {
        let (cash, exposure, risk, followed) = stands(desk);
        let carried = filled.bookings.iter().try_fold(Money::ZERO, |sum, it| sum.plus(it.amount)).expect("fits");
        let apart = cash.minus(effect.cash.after).expect("fits").minus(carried).expect("fits").abs();
        if apart > CENT {
            all.push(format!("cash {} was shown, {cash} is there, {carried} was carried", effect.cash.after));
        }
        let tolerance = Ratio::from_bps(1);
        let less = tolerance.plus(followed).expect("fits").negated();
        for (name, shown, is, least) in [
            ("exposure", effect.exposure.after, exposure, tolerance.negated()),
            ("risk", effect.open_risk.after, risk, less),
        ] {
            let apart = is.minus(shown).expect("fits");
            if apart > tolerance || apart < least {
                all.push(format!("{name} {shown} was shown, {is} is there"));
            }
        }
    }
    all
}

/// What else must be there after a control: a paused book enters nothing, a changed order fills as it was changed, a setting is what it was
/// said to become.
fn aftermath(change: &Change, shown: &Preview, desk: &mut Desk, was: &Was) -> Vec<String> {
    let book = &desk.engine.desks[0];
    match &change.control {
        Control::Pause { .. } => {
            let enters = book.orders.iter().any(|order| order.purpose == Purpose::Entry);
            let is_paused = book.state == TradingState::Reducing && !enters && shown.orders.is_empty();
            if is_paused { vec![] } else { vec![format!("{} with entries: {enters}", book.state)] }
        }
        Control::Block { symbol, until } => {
            let is_kept = book.locks.iter().any(|lock| lock.symbol == *symbol && lock.until == *until);
            let enters = book.orders.iter().any(|order| order.purpose == Purpose::Entry && order.symbol == *symbol);
            if is_kept && !enters { vec![] } else { vec![format!("{symbol} kept out {is_kept}, entries {enters}")] }
        }
        Control::Set { setting, .. } => settings_apart(setting, shown, &book.settings, &was.settings),
        Control::Modify { order, .. } => changed_fills(*order, &shown.orders[0].clone(), desk),
        _ => vec![],
    }
}

/// A changed order that waits fills at its new limit once the market comes there; where something is held, its stop may come first.
fn changed_fills(order: OrderId, planned: &PlannedOrder, desk: &mut Desk) -> Vec<String> {
    let OrderKind::Limit { price: limit } = planned.kind else { return vec![] };
    if is_beyond(desk, planned) || desk.engine.desks[0].book.position(planned.symbol).is_some() {
        return vec![];
    }
    let mut bars: Vec<[Price; 4]> = desk.closes.iter().map(|close| [Price::whole(*close); 4]).collect();
    let [_, high, low, _] = &mut bars[place_of(planned.symbol)];
    (*high, *low) = ((*high).max(limit), (*low).min(limit));
    let filled = desk.live(&bars);
    let fill = filled.fills.iter().find(|fill| fill.order == order);
    let found = fill.map(|fill| (fill.quantity, fill.price, fill.fee));
    let wanted = Some((planned.quantity, planned.price, planned.fee));
    if found == wanted { vec![] } else { vec![format!("{order} filled {found:?}, shown was {wanted:?}")] }
}

fn settings_apart(setting: &Setting, shown: &Preview, now: &DeskSettings, was: &DeskSettings) -> Vec<String> {
    let limit = |settings: &DeskSettings, key: &str| {
        let spec = LIMITS.iter().find(|spec| spec.key == key).expect("listed");
        spec.kind.written(settings.limits.get(key).expect("listed"))
    };
    let asked = &shown.notes[0].text;
    let strategy = &now.strategies[0];
    let becomes = match setting {
        Setting::Risk { .. } => format!("of main to {}", percent(now.risk)),
        Setting::Limit { name, .. } => format!("Set {name} of main to {}", limit(now, name)),
        Setting::Param { name, .. } => {
            let value = strategy.values.iter().find(|(known, _)| known == name).map(|(_, value)| value).expect("one");
            format!("{name} of main to {value}")
        }
        Setting::Enabled { .. } if strategy.enabled => "Let sma_cross enter again in main".to_owned(),
        Setting::Enabled { .. } => "Keep sma_cross of main from entering".to_owned(),
        _ => String::new(),
    };
    let mut all = if asked.contains(&becomes) { vec![] } else { vec![format!("{asked} was asked, now {becomes}")] };
    let others = LIMITS.iter().filter(|spec| limit(now, spec.key) != limit(was, spec.key));
    let unsaid = others.filter(|spec| shown.notes.iter().all(|note| !note.text.contains(spec.key)));
    all.extend(unsaid.map(|spec| format!("{} is another unsaid", spec.key)));
    all
}

/// Whoever confirms, and what they confirmed.
struct People {
    desk: ChangeDesk,
    store: Store,
    pin: SecretString,
}

impl People {
    /// Shows, confirms and carries out a change; what became of it.
    fn carry_out(&self, desk: &mut Desk, change: &Change, shown: &Preview) -> String {
        let row = self.desk.show(change, "ana", "terminal", shown).expect("shown");
        self.desk.confirm(row.id, "ana", "terminal", &self.pin).expect("confirmed");
        let confirmed = self.desk.claim().expect("reads").expect("one");
        let (context, mut out) = (desk.context(), Outcome::default());
        let result = obey(&mut desk.engine, &confirmed, &context, &mut out).expect("sound").words;
        for request in out.requests.drain(..) {
            desk.broker.submit(request).expect("known");
        }
        self.store.move_control(row.id, "claimed", "done").expect("moves");
        result
    }
}

/// A book, and a change that is possible in it; how many were refused before it.
fn drawn(draw: &mut Draw, people: &People) -> (Desk, Option<(Change, Preview)>, u64) {
    let mut desk = random_book(draw);
    let ask = |desk: &Desk, control| {
        let change = Change { control, books: None };
        preview(&desk.engine, &change, "ana", &desk.context()).ok().map(|shown| (change, shown))
    };
    if draw.next(4) == 0 {
        let setting = Setting::Enabled { strategy: "sma_cross".parse().expect("a name"), enabled: false };
        let (change, shown) = ask(&desk, Control::Set { setting, until: None }).expect("it is enabled");
        people.carry_out(&mut desk, &change, &shown);
    }
    for refused in 0..30 {
        if let Some(found) = ask(&desk, random_control(draw, &desk)) {
            return (desk, Some(found), refused);
        }
    }
    (desk, None, 30)
}

#[test]
fn what_it_did_is_what_its_preview_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("a.db")).expect("opens");
    let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_800_000_000_000)));
    let people = ChangeDesk::new(store.clone(), clock, PinCost::LEAST);
    let pin = SecretString::from("2846");
    people.set_pin("ana", None, &pin).expect("set");
    let people = People { desk: people, store, pin };
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for seed in 0..BOOKS {
        let mut draw = Draw(seed);
        let (mut desk, found, refused) = drawn(&mut draw, &people);
        *seen.entry("refused".to_owned()).or_default() += refused;
        let Some((change, shown)) = found else { continue };
        let (tried, was) = (traits_of(&change, &shown, &desk), Was::of(&desk));
        let result = people.carry_out(&mut desk, &change, &shown);
        assert!(!result.contains("not done") && !result.contains("refused"), "{seed}: {} {result}", change.control);
        let sent: Vec<PlannedOrder> = shown.orders.iter().filter(|order| order.replaces.is_none()).cloned().collect();
        let filled = desk.still_day(&sent);
        let mut found = differences(&shown, &desk, &was, &filled);
        found.extend(aftermath(&change, &shown, &mut desk, &was));
        if !found.is_empty() {
            wrong.push(format!("seed {seed}, {}: {}", change.control, found.join("; ")));
        }
        let name = change.control.to_string();
        let name = name.split(' ').next().unwrap_or_default().trim_start_matches('/');
        for name in [name].into_iter().chain(tried) {
            *seen.entry(name.to_owned()).or_default() += 1;
        }
    }
    eprintln!("tried {seen:?}; {} differences", wrong.len());
    assert!(wrong.is_empty(), "{} of {BOOKS}:\n{}", wrong.len(), wrong[..wrong.len().min(12)].join("\n"));
    let few: Vec<_> = TRIED.iter().filter(|name| seen.get(**name).is_none_or(|count| *count < TRIED_MIN)).collect();
    assert!(few.is_empty(), "{few:?} are tried too seldom: {seen:?}");
}
