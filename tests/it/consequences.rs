//! What follows from a change of settings is shown before it is confirmed: what the next bar does, what is taken back, and who else it holds for.

use bellwether::chat::{Person, Reply};
use bellwether::clock::Timestamp;
use bellwether::domain::{
    AssetClass, Bar, EventKind, Instrument, MarketSnapshot, Order, Purpose, SnapshotBar, Timeframe, TradingState,
};
use bellwether::engine::{DeskSettings, LossAction};
use bellwether::market::Feed;
use bellwether::store::Store;

use crate::chat::{chat, inbound};
use crate::settings::{changes, done, ended, life, limit, lived};
use crate::support::{Bench, Life, ListFeed, bar_at, flat_bars};

const HOUR_MS: i64 = 3_600_000;

/// Hourly bars of a coin, so that a day has several.
struct Hours {
    coin: Vec<Instrument>,
    bars: Vec<Bar>,
    next: usize,
}

impl Feed for Hours {
    fn instruments(&self) -> &[Instrument] {
        &self.coin
    }

    fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool {
        snapshot.clear();
        let Some(bar) = self.bars.get(self.next).copied() else { return false };
        snapshot.at = bar.start.plus_ms(HOUR_MS);
        let (timeframe, opens) = (Timeframe::H1, bar.start);
        snapshot.bars.push(SnapshotBar { instrument: 0, timeframe, bar, opens, is_finest: true, is_last: false });
        self.next += 1;
        true
    }

    fn history_until(&self) -> Timestamp {
        Timestamp::from_ms(i64::MIN)
    }

    fn save(&self) -> Option<String> {
        Some("nowhere".to_owned())
    }
}

fn set(desk: &mut DeskSettings, limits: &[(&str, &str)]) {
    for (key, value) in limits {
        desk.limits.set(key, value.parse().expect("a number")).expect("in range");
    }
}

/// A coin that stands at 100 for 22 hours, and then like this, in a book without strategies that may do much.
struct Story {
    coin: &'static str,
    class: AssetClass,
    then: Vec<i64>,
    change: fn(&mut DeskSettings),
}

impl Story {
    fn of(then: &[i64], change: fn(&mut DeskSettings)) -> Self {
        Self { coin: "BTC-USD", class: AssetClass::Crypto, then: then.to_vec(), change }
    }

    fn live(&self, bench: &Bench, hours: u64) {
        let coin = Instrument { class: self.class, ..Instrument::bare(self.coin.parse().expect("a symbol")) };
        let mut closes = vec![100; 22];
        closes.extend(&self.then);
        // From six in the morning in New York on.
        let start = bar_at(0, [100; 4]).start.plus_ms(10 * HOUR_MS);
        let bars = flat_bars(&closes).into_iter().enumerate();
        let bars = bars.map(|(hour, bar)| Bar { start: start.plus_ms(hour as i64 * HOUR_MS), ..bar }).collect();
        let feed = Hours { coin: vec![coin], bars, next: 0 };
        let change = self.change;
        let usual = move |desk: &mut DeskSettings| {
            desk.strategies.clear();
            set(desk, &[("stop_atr", "20"), ("trailing", "0"), ("position_pct", "60"), ("open_risk_pct", "100")]);
            set(desk, &[("slippage_bps", "0"), ("fee_bps", "0"), ("funding_bps", "0")]);
            change(desk);
        };
        bench.live(Life { cycles_max: Some(hours), ..Life::whole(feed, usual) }).expect("runs");
    }

    /// Twenty hours, then somebody does each of these, an hour each.
    fn after(&self, commands: &[&str]) -> Bench {
        let bench = Bench::new();
        self.live(&bench, 20);
        for command in commands {
            let (id, _) = bench.show(command).unwrap_or_else(|refused| panic!("{command}: {refused}"));
            bench.agree(id);
            self.live(&bench, 1);
        }
        bench
    }

    /// Confirms a change and lives an hour; what was shown.
    fn done(&self, bench: &Bench, command: &str) -> String {
        let (id, shown) = bench.show(command).unwrap_or_else(|refused| panic!("{command}: {refused}"));
        bench.agree(id);
        self.live(bench, 1);
        shown
    }
}

fn entries(bench: &Bench) -> Vec<Order> {
    bench.saved().orders.into_iter().filter(|order| order.purpose == Purpose::Entry).collect()
}

fn kinds(bench: &Bench) -> Vec<EventKind> {
    bench.reader().journal_all().expect("reads").into_iter().map(|row| row.event.kind).collect()
}

/// What became of the last control.
fn result(bench: &Bench) -> String {
    let reader = bench.reader();
    let last = (1..1_000).take_while(|id| reader.control(*id).expect("reads").is_some()).last().expect("one");
    reader.control(last).expect("reads").and_then(|row| row.result).unwrap_or_default()
}

const FALLEN: [&str; 2] = ["/buy BTC-USD 5 limit 50", "/buy BTC-USD 50"];

#[test]
fn a_limit_of_the_day_that_is_passed_already_says_what_the_next_bar_does() {
    type Case = (fn(&mut DeskSettings), &'static str, TradingState);
    let cases: [Case; 3] = [
        (
            |desk| desk.daily_loss = LossAction::Flatten,
            "it closes BTC-USD and stops entering until the next day",
            TradingState::Reducing,
        ),
        (|desk| desk.daily_loss = LossAction::Halt, "it halts", TradingState::Halted),
        (|desk| desk.daily_loss = LossAction::Reduce, "it stops entering until the next day", TradingState::Reducing),
    ];
    for (change, does, state) in cases {
        let story = Story::of(&[96; 10], change);
        let bench = story.after(&FALLEN);
        story.live(&bench, 1);
        let order = entries(&bench)[0].id;
        let (_, shown) = bench.show("/limit daily_loss_pct 2.5").expect("shown");
        assert!(!shown.contains("next bar"), "{shown}");
        let shown = story.done(&bench, "/limit daily_loss_pct 1");
        let want = format!(
            "main: at the next bar of this day {does}: the day's loss is 2.0 %, the limit 1.0 %; {order} is taken back."
        );
        assert!(shown.contains(&want), "{want}: {shown}");
        story.live(&bench, 1);
        let row = &bench.saved().books[0];
        assert_eq!((row.state, entries(&bench).len()), (state, 0));
        assert_eq!(row.book.positions.is_empty(), does.contains("closes"), "{does}");
    }
}

#[test]
fn what_the_next_bar_does_is_part_of_what_is_confirmed() {
    let story = Story::of(&[96, 95, 95], |_| {});
    let bench = story.after(&FALLEN);
    story.live(&bench, 1);
    let (id, shown) = bench.show("/limit daily_loss_pct 2.5").expect("shown");
    assert!(!shown.contains("next bar"), "{shown}");
    story.live(&bench, 1);
    bench.agree(id);
    story.live(&bench, 1);
    assert!(result(&bench).starts_with("not done: things changed"), "{}", result(&bench));
    assert_eq!(bench.saved().books[0].state, TradingState::Running);
}

#[test]
fn a_fall_that_is_passed_already_says_what_the_next_bar_does() {
    for (line, want, state) in [
        (
            "/limit drawdown_pct 5",
            "at the next bar it halts: its fall from the peak is 6.0 %, the limit 5.0 %",
            TradingState::Halted,
        ),
        (
            "/limit drawdown_reduce_pct 5",
            "at the next bar it stops entering until somebody resumes: its fall from the peak is 6.0 %, the limit 5.0 %",
            TradingState::Reducing,
        ),
    ] {
        let story = Story::of(&[88; 10], |desk| set(desk, &[("daily_loss_pct", "100")]));
        let bench = story.after(&FALLEN);
        story.live(&bench, 1);
        let shown = story.done(&bench, line);
        assert!(shown.contains(want), "{want}: {shown}");
        assert_eq!(bench.saved().books[0].state, state);
    }
}

#[test]
fn a_limit_that_uses_up_the_margin_of_a_perpetual_says_so() {
    let on_two: fn(&mut DeskSettings) = |desk| set(desk, &[("daily_loss_pct", "100"), ("leverage_max", "2")]);
    for (line, want) in [
        ("/limit leverage_max 10", "closes BTC-PERP: 40.00 of its margin are left, 47.00 are required"),
        ("/limit maintenance_pct 50", "closes BTC-PERP: 440.00 of its margin are left, 470.00 are required"),
    ] {
        let story = Story { coin: "BTC-PERP", class: AssetClass::Perpetual, ..Story::of(&[94; 10], on_two) };
        let bench = story.after(&["/buy BTC-PERP 10", "/limit positions_max 9"]);
        story.live(&bench, 1);
        let shown = story.done(&bench, line);
        assert!(shown.contains(&format!("main: at the next bar it {want}")), "{shown}");
        story.live(&bench, 1);
        assert!(bench.saved().books[0].book.positions.is_empty(), "{line}");
    }
}

#[test]
fn what_does_not_fit_without_another_change_ends_with_it() {
    let bench = lived();
    // After a restart it has seen the past with its new parameters.
    let done = |line: &str| {
        let shown = done(&bench, line);
        bench.live(life(3)).expect("a restart");
        shown
    };
    done("/param sma_cross slow 20");
    let shown = done("/param sma_cross fast 15");
    assert!(shown.contains("Set sma_cross fast of main to 15?"), "{shown}");
    let shown = done("/param sma_cross slow usual");
    assert!(shown.contains("It ends /param sma_cross fast 15 of owner as well."), "{shown}");
    assert!(changes(&bench).is_empty(), "{:?}", changes(&bench));
    let told = ended(&bench);
    assert!(told.len() == 1 && told[0].0 == "/param sma_cross fast 15" && told[0].2.is_some(), "{told:?}");
    let shown = done("/undo");
    assert!(shown.contains("sma_cross fast 3 -> 15"), "both come back: {shown}");
    assert_eq!(changes(&bench).len(), 2);
    done("/param sma_cross slow usual");
    done("/param sma_cross slow 20");
    assert_eq!(changes(&bench).len(), 1, "what ended stays so");
}

#[test]
fn what_does_not_fit_once_another_change_is_over_ends_with_it() {
    let bench = lived();
    done(&bench, "/limit drawdown_pct 30 for 30h");
    done(&bench, "/limit drawdown_reduce_pct 25");
    bench.live(life(150)).expect("runs");
    assert!(changes(&bench).is_empty(), "{:?}", changes(&bench));
    assert_eq!((limit(&bench, "drawdown_reduce_pct").as_str(), ended(&bench).len()), ("0.15", 2));
}

/// Lives until a strategy's entry of such a symbol waits for the next bar.
fn until_it_waits(bench: &Bench, live: impl Fn() -> Life, symbol: Option<&str>) -> Order {
    for _ in 0..500 {
        bench.live(live()).expect("runs");
        let by_strategy = |order: &Order| {
            order.strategy.as_str() == "sma_cross" && symbol.is_none_or(|symbol| order.symbol.as_str() == symbol)
        };
        if let Some(order) = entries(bench).into_iter().find(by_strategy) {
            return order;
        }
    }
    panic!("the story needs an entry that waits")
}

fn is_gone(bench: &Bench, order: &Order) -> bool {
    let open = bench.saved().orders.iter().any(|open| open.id == order.id);
    let fills = bench.reader().fills().expect("reads");
    !open && fills.iter().all(|fill| fill.order != order.id)
}

#[test]
fn a_reload_shows_who_is_left_to_stops_and_what_is_taken_back() {
    let bench = lived();
    let order = until_it_waits(&bench, || life(1), None);
    let held = bench.saved().books[0].book.positions.iter().filter(|held| held.strategy == order.strategy).count();
    assert!(held > 0, "the story needs a position");
    let other = || {
        let mut desks = life(0).desks;
        let kind = bellwether::strategy::find("rsi").expect("listed");
        let values = bellwether::strategy::Values::check(kind.name, kind.params, &[]).expect("usual");
        let rsi = bellwether::engine::StrategySettings::new("rsi".parse().expect("a name"), kind, values);
        desks[0].strategies = vec![rsi];
        desks
    };
    // Nothing happens but that there is another file to read.
    bench.live(life(0).with_file(Ok(other()))).expect("nothing");
    let shown = bench.confirm("/reload");
    for want in [
        "main: strategy sma_cross removed".to_owned(),
        format!("main: no strategy leaves {held} position"),
        "main: rsi has not seen the past".to_owned(),
        format!("Taken back: {}, ", order.id),
    ] {
        assert!(shown.contains(&want), "{want}: {shown}");
    }
    bench.live(life(1).with_file(Ok(other()))).expect("runs");
    assert!(is_gone(&bench, &order), "{}", result(&bench));
}

#[test]
fn a_reload_that_would_do_less_than_was_shown_is_asked_anew() {
    let bench = lived();
    let file = |limits: &[(&str, &str)]| {
        let mut desks = life(0).desks;
        set(&mut desks[0], limits);
        desks
    };
    let (both, one) = (file(&[("positions_max", "8"), ("stop_atr", "3")]), file(&[("positions_max", "8")]));
    bench.live(life(1).with_file(Ok(both))).expect("runs");
    let (id, shown) = bench.show("/reload").expect("shown");
    assert!(shown.contains("positions_max 10 -> 8") && shown.contains("stop_atr 2 -> 3"), "{shown}");
    bench.agree(id);
    bench.live(life(1).with_file(Ok(one))).expect("runs");
    assert!(result(&bench).starts_with("not done: things changed"), "{}", result(&bench));
    assert_eq!(limit(&bench, "positions_max"), "10");
}

#[test]
fn undoing_what_was_watched_takes_its_entries_back() {
    let bench = lived();
    done(&bench, "/watch ETH-USD");
    let order = until_it_waits(&bench, || life(1), Some("ETH-USD"));
    let shown = bench.confirm("/undo");
    assert!(shown.contains(&format!("Taken back: {}, ", order.id)), "{shown}");
    bench.live(life(1)).expect("runs");
    assert!(is_gone(&bench, &order), "{}", result(&bench));
}

#[test]
fn undoing_a_new_strategy_says_who_is_left_to_stops() {
    let bench = lived();
    done(&bench, "/strategy_new AAPL ema_cross bars fast=2,slow=5 half");
    let holds =
        |bench: &Bench| bench.saved().books[0].book.positions.iter().any(|held| held.strategy.as_str() == "ema_cross");
    for _ in 0..300 {
        if !holds(&bench) {
            bench.live(life(1)).expect("runs");
        }
    }
    assert!(holds(&bench), "the story needs a position");
    let (_, shown) = bench.show("/undo").expect("shown");
    assert!(shown.contains("main: no strategy leaves 1 position of ema_cross any more, only stops do."), "{shown}");
}

#[test]
fn what_a_timed_enable_let_in_is_taken_back_at_its_end() {
    let begun = || {
        let bench = lived();
        done(&bench, "/disable sma_cross");
        bench
    };
    let trial = begun();
    done(&trial, "/enable sma_cross for 900h");
    let order = until_it_waits(&trial, || life(1), None);
    let waits = trial.saved().progress.expect("ran").market;

    let bench = begun();
    let minutes = waits.since(bench.saved().progress.expect("ran").market) / 60_000 + 1;
    done(&bench, &format!("/enable sma_cross for {minutes}m"));
    let again = until_it_waits(&bench, || life(1), None);
    assert_eq!((again.id, again.symbol), (order.id, order.symbol), "the story needs the same entry");
    bench.live(life(1)).expect("runs");
    assert!(is_gone(&bench, &order));
    assert_eq!(ended(&bench).len(), 1);
}

#[test]
fn a_pin_that_goes_takes_its_entries_back() {
    let pinned = |cycles| {
        let mut life = life(cycles);
        life.desks[0].pins = vec!["ETH-USD".parse().expect("a symbol")];
        life
    };
    let bench = Bench::new();
    bench.live(pinned(30)).expect("runs");
    bench.confirm("/buy ETH-USD 1 limit 1");
    bench.live(pinned(1)).expect("runs");
    let order = entries(&bench).into_iter().find(|order| order.symbol.as_str() == "ETH-USD").expect("it waits");
    let shown = bench.confirm("/pin ETH-USD off");
    assert!(shown.contains(&format!("Taken back: {}, buy ", order.id)), "{shown}");
    bench.live(pinned(1)).expect("runs");
    assert!(is_gone(&bench, &order));
}

#[test]
fn a_ban_of_the_file_is_said_of_what_is_watched() {
    let banned = |cycles| {
        let mut life = life(cycles);
        life.desks[0].bans = vec!["ETH-USD".parse().expect("a symbol")];
        life
    };
    let bench = Bench::new();
    bench.live(banned(30)).expect("runs");
    let shown = bench.confirm("/watch ETH-USD");
    assert!(shown.contains("ETH-USD is banned by the file: it is watched and never entered."), "{shown}");
}

#[test]
fn a_limit_that_holds_for_other_books_wants_all_of_them() {
    let two = |cycles| life(cycles).with_book("other", |desk| desk.symbols.truncate(1));
    let bench = Bench::new();
    bench.live(two(30)).expect("runs");
    for (name, value) in [("lock_move_pct", "5"), ("lock_sessions", "9"), ("data_age_bars", "2")] {
        let refused = bench.confirm(&format!("/limit {name} {value} main"));
        assert!(
            refused.contains(&format!("{name} of main holds for every book that trades the same symbols")),
            "{refused}"
        );
        let (_, shown) = bench.show(&format!("/limit {name} {value}")).expect("shown");
        assert!(
            shown.contains("What other trades as well goes by the strictest of these books, main among them."),
            "{shown}"
        );
    }
    // A book that trades nothing of it is not named, and not a reason to let one of two books set it: that would tell what it trades.
    let apart = |cycles| life(cycles).with_book("other", |desk| desk.symbols.clear());
    let bench = Bench::new();
    bench.live(apart(30)).expect("runs");
    let refused = bench.confirm("/limit lock_move_pct 5 main");
    assert!(refused.contains("somebody who may change all books sets it"), "{refused}");
    let (_, shown) = bench.show("/limit lock_move_pct 5").expect("shown");
    assert!(!shown.contains("trades as well"), "{shown}");
}

#[test]
fn a_book_locks_nothing_that_it_does_not_trade() {
    let coin = |symbol: &str, close: i64| {
        let mut bars = flat_bars(&[100; 20]);
        bars.extend((20..24).map(|day| bar_at(day, [close, close + 1, close - 1, close])));
        (Instrument::bare(symbol.parse().expect("a symbol")), bars)
    };
    let alone = |symbol: &str, strict: bool| {
        let symbol = symbol.parse().expect("a symbol");
        move |desk: &mut DeskSettings| {
            desk.strategies.clear();
            desk.symbols = vec![symbol];
            set(desk, if strict { &[("lock_move_pct", "5")] } else { &[] });
        }
    };
    let bench = Bench::new();
    let feed = ListFeed::of(vec![coin("BTC-USD", 90), coin("ETH-USD", 90)]);
    bench.live(Life::whole(feed, alone("BTC-USD", true)).with_book("other", alone("ETH-USD", false))).expect("runs");
    let locked: Vec<String> = kinds(&bench)
        .into_iter()
        .filter_map(|kind| match kind {
            EventKind::SymbolLocked { symbol, .. } => Some(symbol.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(locked, ["BTC-USD"]);
}

#[test]
fn a_price_in_doubt_is_for_all_who_trade_it_pins_included() {
    let mut bars = flat_bars(&[100; 20]);
    bars.extend((20..24).map(|day| bar_at(day, [40, 41, 39, 40])));
    let bench = Bench::new();
    let pinned = |desk: &mut DeskSettings| {
        desk.strategies.clear();
        desk.symbols.clear();
        desk.pins = vec!["BTC-USD".parse().expect("a symbol")];
    };
    let life = Life::whole(ListFeed::daily("BTC-USD", bars), |desk| desk.strategies.clear());
    bench.live(Life { cycles_max: Some(22), ..life.with_book("other", pinned) }).expect("runs");
    let store = Store::open(&bench.database()).expect("opens");
    let coin = Instrument::bare("BTC-USD".parse().expect("a symbol"));
    store.keep_watchlist("main".parse().expect("a name"), "test", vec![coin]).expect("kept");
    store.close();
    let mut asked = inbound("/unlock BTC-USD");
    asked.person = Person { books: Some(vec!["main".parse().expect("a name")]), ..asked.person };
    let reply = chat(&bench).handle(&asked);
    let (Reply::Text(said) | Reply::Refused(said)) = reply else { panic!("{reply:?}") };
    assert!(said.contains("which somebody who may change all its books has to end"), "{said}");
}

#[test]
fn bars_of_other_books_are_not_told() {
    let finer = |desk: &mut DeskSettings| desk.strategies[0].timeframe = Some(Timeframe::M15);
    let bench = Bench::new();
    bench.live(life(30).with_book("other", finer)).expect("runs");
    let refused = bench.confirm("/strategy_new AAPL rsi 15m usual half main");
    assert_eq!(
        refused,
        "15m bars were not asked for by main when the bot started: there are 1h; bars takes the finest"
    );
    assert!(bench.show("/strategy_new AAPL rsi 15m usual half other").is_ok());
}

#[test]
fn units_are_taken_where_they_fit_and_refused_where_they_do_not() {
    let bench = lived();
    for (line, want) in [
        (
            "/limit fee_bps 5%",
            "fee_bps is in basis points, of which 100 are 1 %, not in %: say /limit fee_bps 5 if that is what you mean",
        ),
        ("/limit stop_atr 10%", "stop_atr is in average true ranges, not in %"),
        ("/limit positions_max 5x", "positions_max is a plain number, not in x"),
        ("/limit daily_loss_pct 2x", "daily_loss_pct is in percent, not in x"),
    ] {
        let refused = bench.confirm(line);
        assert!(refused.contains(want), "{line}: {refused}");
    }
    // Each limit takes its own unit, and no other.
    let file = life(0).desks[0].limits.clone();
    for spec in bellwether::risk::LIMITS {
        let usual = spec.kind.written(file.get(spec.key).expect("there"));
        for (unit, its_own) in [("%", "%"), ("x", "x")] {
            let said =
                bench.show(&format!("/limit {} {usual}{unit}", spec.key)).map_or_else(|why| why, |(_, shown)| shown);
            assert_eq!(!said.contains("not in "), spec.kind.unit() == its_own, "{} {unit}: {said}", spec.key);
        }
    }
}

#[test]
fn a_stretch_of_time_needs_no_for() {
    let bench = lived();
    let (_, shown) = bench.show("/pause 2h").expect("shown");
    assert!(shown.contains("Pause main? No entries until ") && shown.contains("then it goes on by itself"), "{shown}");
    let (_, shown) = bench.show("/limit positions_max 5 1d").expect("shown");
    assert!(shown.contains("Set positions_max of main to 5 until "), "{shown}");
    let bench = Bench::new();
    let two = |cycles| life(cycles).with_book("2h", |desk| desk.symbols.clear());
    bench.live(two(30)).expect("runs");
    let (_, shown) = bench.show("/pause 2h").expect("shown");
    assert!(shown.contains("Pause 2h? No entries until /resume"), "{shown}");
}

#[test]
fn what_is_over_before_the_next_bar_says_so() {
    let story = Story::of(&[100; 10], |_| {});
    let bench = story.after(&[]);
    for (line, is_short) in [
        ("/pause for 30m", true),
        ("/pause for 2h", false),
        ("/block BTC-USD 1h", true),
        ("/limit positions_max 5 for 10m", true),
        ("/limit positions_max 5", false),
    ] {
        let (_, shown) = bench.show(line).expect("shown");
        let want = "That is over before main decides anything again, at 2020-09-14 03:00 EDT: it changes nothing then.";
        assert_eq!(shown.contains(want), is_short, "{line}: {shown}");
    }
}
