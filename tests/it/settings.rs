//! Settings that people change over the file: shown, confirmed, in force over a restart and a reload, and ended by themselves.

use bellwether::chat::Reply;
use bellwether::domain::{ChangeRow, EventKind, Instrument, Order, Purpose, Ratio, Timeframe};
use bellwether::engine::DeskSettings;
use bellwether::market::{SimulatedFeed, SimulatedWithHistory};

use crate::chat::{inbound, said};
use crate::support::{Bench, Life, Shell, Talk, quick_cross};

const SYMBOLS: [&str; 4] = ["AAPL", "MSFT", "BTC-USD", "ETH-USD"];

fn feed() -> SimulatedWithHistory {
    let list = SYMBOLS.map(|name| Instrument::bare(name.parse().expect("a symbol"))).to_vec();
    let start = SimulatedFeed::history_start(Timeframe::H1, 100, &list);
    SimulatedWithHistory::new(SimulatedFeed::new(11, Timeframe::H1, list, start))
}

/// A quick cross on all but one of the symbols.
fn three(desk: &mut DeskSettings) {
    quick_cross(desk);
    desk.limits.set("cooldown_bars", Ratio::ZERO).expect("in range");
    desk.symbols.retain(|symbol| symbol.as_str() != "ETH-USD");
}

pub(crate) fn life(cycles: u64) -> Life {
    Life { cycles_max: Some(cycles), ..Life::whole(feed(), three) }
}

pub(crate) fn lived() -> Bench {
    let bench = Bench::new();
    bench.live(life(30)).expect("runs");
    bench
}

/// Shows and confirms it and lets the engine carry it out; what was shown.
pub(crate) fn done(bench: &Bench, text: &str) -> String {
    let shown = bench.confirm(text);
    bench.live(life(1)).expect("runs");
    shown
}

pub(crate) fn changes(bench: &Bench) -> Vec<ChangeRow> {
    bench.saved().changes
}

pub(crate) fn limit(bench: &Bench, key: &str) -> String {
    let limits: serde_json::Value = serde_json::from_str(&bench.saved().books[0].limits).expect("JSON");
    limits[key].as_str().unwrap_or_default().to_owned()
}

fn kinds(bench: &Bench) -> Vec<EventKind> {
    bench.reader().journal_all().expect("reads").into_iter().map(|row| row.event.kind).collect()
}

pub(crate) fn ended(bench: &Bench) -> Vec<(String, Vec<String>, Option<String>)> {
    let ended = kinds(bench).into_iter().filter_map(|kind| match kind {
        EventKind::SettingEnded { what, changes, why, .. } => Some((what, changes, why)),
        _ => None,
    });
    ended.collect()
}

fn entries(bench: &Bench) -> Vec<Order> {
    let entries = kinds(bench).into_iter().filter_map(|kind| match kind {
        EventKind::OrderSubmitted { order, .. } if order.purpose == Purpose::Entry => Some(order),
        _ => None,
    });
    entries.collect()
}

#[test]
fn a_limit_is_shown_set_kept_over_a_restart_replaced_and_taken_back() {
    let bench = lived();
    let shown = bench.confirm("/limit positions_max 20");
    assert!(shown.contains("Set positions_max of main to 20? Now it is 10, the file says 10."), "{shown}");
    assert!(shown.contains("wider than the file says"), "{shown}");
    assert_eq!(limit(&bench, "positions_max"), "10", "nothing before it is carried out");
    bench.live(life(1)).expect("runs");
    assert_eq!(limit(&bench, "positions_max"), "20");
    let rows = changes(&bench);
    assert_eq!((rows.len(), rows[0].person.as_str(), rows[0].until), (1, "owner", None));
    let told =
        bench.reader().journal_all().expect("reads").into_iter().find(|row| row.event.kind.name() == "setting_changed");
    assert_eq!(told.and_then(|row| row.audit), rows[0].audit, "the event and the row name the same row of the audit");
    assert!(rows[0].audit.is_some());

    bench.live(life(3)).expect("a restart");
    assert_eq!(limit(&bench, "positions_max"), "20");
    assert!(said(&bench, "/limits").contains("open positions") && said(&bench, "/limits").contains("(chat)"));
    let listed = said(&bench, "/changes");
    assert!(listed.contains("positions_max: 20; the file says 10") && listed.contains("by owner since "), "{listed}");

    let shown = done(&bench, "/limit positions_max 5 main");
    assert!(shown.contains("Now it is 20, the file says 10.") && !shown.contains("wider"), "{shown}");
    assert_eq!(
        (limit(&bench, "positions_max").as_str(), changes(&bench).len()),
        ("5", 1),
        "later ones replace earlier ones"
    );
    assert_eq!(bench.confirm("/limit positions_max 5"), "positions_max of main is 5 already");

    let shown = done(&bench, "/limit positions_max usual");
    assert!(shown.contains("to 10? Now it is 5"), "{shown}");
    assert_eq!((limit(&bench, "positions_max").as_str(), changes(&bench).len()), ("10", 0));
    assert_eq!(bench.confirm("/limit positions_max usual"), "positions_max of main is 10 already");
    assert!(said(&bench, "/changes").contains("is as the file says"));
}

#[test]
fn what_comes_down_with_a_limit_is_shown() {
    let bench = lived();
    let shown = done(&bench, "/limit drawdown_pct 8%");
    assert!(shown.contains("main: drawdown_warn_pct 10 -> 8"), "{shown}");
    assert_eq!(limit(&bench, "drawdown_reduce_pct"), "0.08");
    let refused = bench.confirm("/limit drawdown_warn_pct 9");
    assert!(refused.contains("drawdown_warn_pct is 9, above drawdown_reduce_pct, which is 8"), "{refused}");
}

#[test]
fn half_the_size_is_half_of_each_entry() {
    let (usual, half) = (lived(), lived());
    let shown = half.confirm("/setrisk half");
    assert!(shown.contains("to 50.0 %? Now it is 100.0 %"), "{shown}");
    let before = entries(&usual).len();
    for bench in [&usual, &half] {
        bench.live(life(60)).expect("runs");
    }
    let (whole, halved) = (&entries(&usual)[before], &entries(&half)[before]);
    assert_eq!(
        (whole.symbol, whole.created),
        (halved.symbol, halved.created),
        "the story needs the same entry in both"
    );
    let lots = whole.quantity.scaled(1, 2).expect("fits").minus(halved.quantity).expect("fits");
    assert!(
        lots >= bellwether::domain::Quantity::ZERO && lots < whole.quantity.scaled(1, 50).expect("fits"),
        "{whole:?} {halved:?}"
    );
}

#[test]
fn a_disabled_strategy_enters_nothing_leaves_what_it_holds_and_is_enabled_by_itself() {
    let bench = lived();
    bench.live(life(60)).expect("runs");
    let now = bench.saved().progress.expect("ran").market;
    let shown = bench.confirm("/disable sma_cross for 30h");
    assert!(
        shown.contains("Keep sma_cross of main from entering until ") && shown.contains("then as the file says?"),
        "{shown}"
    );
    let before = entries(&bench).len();
    bench.live(life(10)).expect("runs");
    assert!(said(&bench, "/strategies").contains("sma_cross: disabled (chat)"));
    assert!(said(&bench, "/whynot ETH-USD").contains("did nothing"), "{}", said(&bench, "/whynot ETH-USD"));
    bench.live(life(10)).expect("a restart");
    assert_eq!(entries(&bench).len(), before, "it enters nothing");
    bench.live(life(200)).expect("another");
    assert_eq!(
        ended(&bench),
        [("/disable sma_cross".to_owned(), vec!["sma_cross disabled -> enabled".to_owned()], None)]
    );
    let at =
        bench.reader().journal_all().expect("reads").into_iter().find(|row| row.event.kind.name() == "setting_ended");
    let at = at.expect("told").event.at;
    assert!(at >= now.plus_ms(30 * 3_600_000) && at < now.plus_ms(50 * 3_600_000), "{at} after {now}");
    assert!(entries(&bench).len() > before && changes(&bench).is_empty(), "it enters again");
    assert_eq!(bench.confirm("/enable sma_cross"), "sma_cross of main is enabled already");
}

/// Its time passed while nobody ran: it ends before anything is decided.
#[test]
fn what_is_over_by_the_first_bar_after_a_start_ends_before_it() {
    let bench = lived();
    bench.confirm("/limit positions_max 1 for 1m");
    bench.live(life(1)).expect("runs");
    let names: Vec<&str> =
        kinds(&bench).iter().rev().map(EventKind::name).filter(|name| name.starts_with("setting")).collect();
    assert_eq!(names, ["setting_ended", "setting_changed"]);
    assert_eq!((limit(&bench, "positions_max").as_str(), changes(&bench).len()), ("10", 0));
}

#[test]
fn a_parameter_is_set_and_what_must_be_learned_anew_is_said() {
    let bench = lived();
    let shown = done(&bench, "/param sma_cross fast 4");
    assert!(shown.contains("Set sma_cross fast of main to 4? Now it is 3, the file says 3."), "{shown}");
    assert!(shown.contains("sma_cross has not seen the past"), "{shown}");
    bench.live(life(60)).expect("a restart shows it the past");
    let inputs = kinds(&bench).into_iter().rev().find_map(|kind| match kind {
        EventKind::SignalRaised { signal } => {
            Some(signal.inputs.iter().map(|input| input.name.clone()).collect::<Vec<_>>())
        }
        _ => None,
    });
    assert!(inputs.expect("a signal").contains(&"sma4".to_owned()), "it decides by the new one");
    for (line, want) in [
        ("/param sma_cross fast 600", "sma_cross: fast is 600; use a whole number from 1 to 500"),
        ("/param sma_cross fats 5", "sma_cross has no parameter \"fats\": did you mean fast?"),
        ("/param sma_cross fast 300", "sma_cross: fast (300) must be smaller than slow (8)"),
        ("/param sma_cros fast 5", "no strategy here is called \"sma_cros\": did you mean sma_cross?"),
        ("/param sma_cross fast many", "\"many\" is no number"),
    ] {
        let refused = bench.confirm(line);
        assert!(refused.contains(want), "{line}: {refused}");
    }
    done(&bench, "/param sma_cross fast usual");
    assert!(changes(&bench).is_empty());
}

#[test]
fn lists_and_pins_are_changed() {
    let bench = lived();
    let shown = done(&bench, "/watch ETH-USD");
    assert!(shown.contains("Watch ETH-USD in main?"), "{shown}");
    bench.live(life(100)).expect("runs");
    assert!(entries(&bench).iter().any(|order| order.symbol.as_str() == "ETH-USD"), "it is entered");
    assert!(said(&bench, "/watchlist").contains("Watched by a word in chat: ETH-USD"));
    let shown = done(&bench, "/unwatch BTC-USD");
    assert!(
        shown.contains("BTC-USD is held: it is only left")
            == bench.saved().books[0].book.positions.iter().any(|held| held.symbol.as_str() == "BTC-USD"),
        "{shown}"
    );
    let before = entries(&bench).len();
    bench.live(life(100)).expect("runs");
    assert!(entries(&bench)[before..].iter().all(|order| order.symbol.as_str() != "BTC-USD"));
    let shown = bench.confirm("/watch NVDA");
    assert!(
        shown.contains("It counts once there are prices of NVDA: where this run has none, from the next start on."),
        "{shown}"
    );
    assert!(bench.confirm("/watch BTC-EUR").contains("BTC-EUR is quoted in EUR, but main counts in USD"));
    bench.live(life(1)).expect("runs");
    let shown = done(&bench, "/pin ETH-USD");
    assert!(shown.contains("Pin ETH-USD to the list of main?"), "{shown}");
    assert!(bench.confirm("/pin TSLA").contains("main does not watch TSLA: /watch TSLA first"));
    done(&bench, "/pin ETH-USD off");
    done(&bench, "/unwatch ETH-USD");
    let left: Vec<String> = changes(&bench).iter().map(|row| row.setting.to_string()).collect();
    assert_eq!(left, ["/unwatch BTC-USD", "/watch NVDA"], "what the file says again leaves no row");
}

#[test]
fn a_schedule_is_set_with_its_next_runs_shown() {
    let bench = lived();
    let shown = done(&bench, "/schedule_set sma_cross daily 15:30 main");
    assert!(shown.contains("Run sma_cross of main at 15:30"), "{shown}");
    assert!(shown.matches("15:30 E").count() >= 3, "{shown}");
    bench.live(life(3)).expect("a restart");
    let schedule = said(&bench, "/schedule");
    assert!(schedule.contains("sma_cross (chat): at 15:30") && schedule.contains("next "), "{schedule}");
    for (line, want) in [
        ("/schedule_set sma_cross daily noon", "there is no book \"noon\"; there are main"),
        ("/schedule_set sma_cross every 7m", "cuts neither an hour nor a day into equal parts"),
        ("/schedule_set sma_cross 0 9 * *", "is no schedule"),
        ("/schedule_set sma_cross 0 0 30 2 *", "no such day ever comes"),
    ] {
        let refused = bench.confirm(line);
        assert!(refused.contains(want), "{line}: {refused}");
    }
    done(&bench, "/schedule_set sma_cross usual");
    assert!(said(&bench, "/schedule").contains("sma_cross: at the end of the finest bars"));
}

#[test]
fn a_strategy_is_added_for_one_symbol_and_dropped() {
    let bench = lived();
    let shown = done(&bench, "/strategy_new AAPL ema_cross bars fast=2,slow=5 half");
    assert!(
        shown.contains(
            "Add strategy ema_cross to main: at the end of the finest bars, for AAPL alone, at 50.0 % of the size?"
        ),
        "{shown}"
    );
    assert!(shown.contains("Parameters: fast 2, slow 5.") && shown.contains("has not seen the past"), "{shown}");
    bench.live(life(300)).expect("a restart shows it the past");
    let own: Vec<Order> = entries(&bench).into_iter().filter(|order| order.strategy.as_str() == "ema_cross").collect();
    assert!(!own.is_empty() && own.iter().all(|order| order.symbol.as_str() == "AAPL"), "{own:?}");
    for (line, want) in [
        ("/strategy_new AAPL ema_cross bars usual half", "main has ema_cross already"),
        ("/strategy_new NVDA rsi bars usual half", "main does not watch NVDA: /watch NVDA first"),
        ("/strategy_new AAPL rsj bars usual half", "there is no strategy \"rsj\": did you mean rsi?"),
        ("/strategy_new AAPL rsi 15m usual half", "15m bars were not asked for"),
        ("/strategy_new AAPL rsi bars period=1000000 half", "rsi: period is 1000000; use"),
        ("/strategy_new AAPL rsi bars usual 300%", "\"300%\" is no part of the usual size"),
        ("/strategy_drop sma_cross", "sma_cross is in the file: /disable sma_cross"),
    ] {
        let refused = bench.confirm(line);
        assert!(refused.contains(want), "{line}: {refused}");
    }
    done(&bench, "/disable ema_cross");
    done(&bench, "/strategy_drop ema_cross");
    assert!(changes(&bench).is_empty(), "with it goes what was set of it: {:?}", changes(&bench));
    bench.live(life(3)).expect("a restart");
}

fn with_file(change: impl FnOnce(&mut DeskSettings)) -> Vec<DeskSettings> {
    let mut desks = life(0).desks;
    change(&mut desks[0]);
    desks
}

#[test]
fn a_reload_is_shown_taken_and_keeps_what_people_changed() {
    let bench = lived();
    done(&bench, "/limit positions_max 5");
    done(&bench, "/strategy_new AAPL ema_cross bars usual usual");
    let other = |desk: &mut DeskSettings| {
        desk.limits.set("positions_max", Ratio::whole(8)).expect("in range");
        desk.limits.set("stop_atr", Ratio::whole(3)).expect("in range");
    };
    let file = || with_file(other);
    bench.live(life(1).with_file(Ok(file()))).expect("runs");
    let shown = bench.confirm("/reload");
    for want in [
        "Take the file as it is now?",
        "main: positions_max 10 -> 8",
        "main: stop_atr 2 -> 3",
        "positions_max stays 5, as owner set it",
    ] {
        assert!(shown.contains(want), "{want}: {shown}");
    }
    bench.live(life(1).with_file(Ok(file()))).expect("runs");
    assert_eq!((limit(&bench, "positions_max").as_str(), limit(&bench, "stop_atr").as_str()), ("5", "3"));
    assert!(said(&bench, "/changes").contains("positions_max: 5; the file says 8"));
    // The next start reads the file as it is now.
    let now = || Life { desks: file(), ..life(1) };
    bench.live(now().with_file(Ok(file()))).expect("runs");
    assert!(bench.confirm("/reload").contains("the file says what runs already"));
    bench.live(now().with_file(Err("bellwether.toml:3:1: nonsense".to_owned()))).expect("runs");
    assert!(bench.confirm("/reload").contains("the file is refused, and what runs stays: bellwether.toml:3:1"));
}

/// Somebody writes into the file what was added in a chat, or takes out what was changed there: the change ends with a word.
#[test]
fn what_does_not_fit_the_file_any_more_is_ended() {
    let bench = lived();
    done(&bench, "/disable sma_cross");
    let other = || {
        with_file(|desk| {
            let kind = bellwether::strategy::find("rsi").expect("listed");
            let values = bellwether::strategy::Values::check(kind.name, kind.params, &[]).expect("usual");
            desk.strategies =
                vec![bellwether::engine::StrategySettings::new("rsi".parse().expect("a name"), kind, values)];
        })
    };
    bench.live(life(1).with_file(Ok(other()))).expect("runs");
    let shown = bench.confirm("/reload");
    assert!(shown.contains("sma_cross is no longer as owner set it: main has no strategy sma_cross"), "{shown}");
    bench.live(life(1).with_file(Ok(other()))).expect("runs");
    let why = Some("main has no strategy sma_cross".to_owned());
    assert_eq!(ended(&bench), [("/disable sma_cross".to_owned(), Vec::new(), why.clone())]);
    assert!(changes(&bench).is_empty());

    // The same at a start.
    let bench = lived();
    done(&bench, "/disable sma_cross");
    bench.live(Life { desks: other(), ..life(1) }).expect("never refused");
    assert_eq!(ended(&bench), [("/disable sma_cross".to_owned(), Vec::new(), why)]);
}

#[test]
fn what_is_not_as_it_was_shown_is_not_set() {
    let bench = lived();
    done(&bench, "/limit positions_max 7 for 3h");
    let (id, shown) = bench.show("/limit positions_max 5").expect("shown");
    assert!(shown.contains("Now it is 7, the file says 10."), "{shown}");
    // The desk's clock stands still, the market moves on: what it is to replace is over.
    bench.live(life(10)).expect("runs");
    bench.agree(id);
    bench.live(life(1)).expect("runs");
    assert_eq!(limit(&bench, "positions_max"), "10");
}

/// A change that is taken back gives way to the one before it, as long as that holds.
#[test]
fn a_setting_is_undone() {
    let bench = lived();
    done(&bench, "/limit positions_max 20");
    done(&bench, "/limit positions_max 5");
    let shown = done(&bench, "/undo");
    assert!(shown.contains("Take back /limit positions_max 5?") && shown.contains("positions_max 5 -> 20"), "{shown}");
    assert_eq!((limit(&bench, "positions_max").as_str(), changes(&bench).len()), ("20", 1));
    bench.live(life(1)).expect("a restart");
    assert_eq!(limit(&bench, "positions_max"), "20");
    done(&bench, "/undo");
    assert_eq!((limit(&bench, "positions_max").as_str(), changes(&bench).len()), ("10", 0));

    done(&bench, "/disable sma_cross");
    done(&bench, "/enable sma_cross");
    done(&bench, "/undo");
    assert_eq!(changes(&bench)[0].setting.to_string(), "/disable sma_cross", "it is disabled again");

    done(&bench, "/limit stop_atr 3 for 1m");
    bench.live(life(3)).expect("runs");
    assert!(bench.confirm("/undo").contains("stop_atr of main was set otherwise since, or is over"));
}

/// Each answer offers the next step as lines to press, up to the preview.
#[test]
fn a_new_strategy_is_asked_for_step_by_step() {
    let bench = lived();
    let mut line = "/strategy new".to_owned();
    for want in ["AAPL", "rsi", "bars", "usual", "half"] {
        let Reply::Message(offered) = bench.chat().handle(&inbound(&line)) else { panic!("{line}") };
        let button = offered.buttons.iter().flatten().find(|button| button.label == want);
        line = button.unwrap_or_else(|| panic!("{want} after {line}: {offered:?}")).line.clone();
    }
    assert_eq!(line, "/strategy_new AAPL rsi bars usual half");
    let shown = bench.confirm(&line);
    assert!(shown.contains("Add strategy rsi to main:") && shown.contains("Parameters: all usual."), "{shown}");
}

#[test]
fn of_several_books_those_are_changed_that_are_meant() {
    let bench = Bench::new();
    let two = |cycles| life(cycles).with_book("other", |desk| desk.symbols.clear());
    bench.live(two(30)).expect("runs");
    let books = |bench: &Bench| -> Vec<String> { changes(bench).iter().map(|row| row.book.to_string()).collect() };
    let shown = bench.confirm("/setrisk quarter");
    assert!(shown.contains(" of main to 25.0 %") && shown.contains(" of other to 25.0 %"), "{shown}");
    bench.live(two(1)).expect("runs");
    assert_eq!(books(&bench), ["main", "other"]);
    bench.confirm("/setrisk usual other");
    bench.live(two(1)).expect("runs");
    assert_eq!(books(&bench), ["main"]);
    assert_eq!(bench.confirm("/watch ETH-USD"), "which book? Say it at the end: main or other");
    assert!(bench.confirm("/setrisk half third").contains("there is no book \"third\"; there are main, other"));
}

/// The program itself: what is set in a chat is in the database, the file is read again and never written, and a symbol that had no prices
/// has them from the next start on.
#[test]
fn the_file_is_read_and_never_written() {
    let shell = Shell::new();
    let text = |limit: u64| {
        format!("[[books]]\nsymbols = [\"AAPL\", \"BTC-USD\"] # mine\n[books.limits]\npositions_max = {limit}\n")
    };
    shell.write("bellwether.toml", &text(10));
    assert_eq!(shell.run(&["run", "--cycles", "5", "--speed", "max", "--no-console"]).0, 0);
    let mut talk = Talk::start(shell.command(&["run", "--speed", "60"]));
    let mut ask = |line: &str, part: &str| {
        talk.say(line);
        talk.until(part)
    };
    ask("/limit positions_max 5", "4 to 12 digits");
    ask("2846", "Once more");
    ask("2846", "the file says 10");
    ask("2846", "positions_max 10 -> 5");
    ask("/watch NVDA", "from the next start on");
    ask("2846", "watches NVDA");
    ask("/reload", "the file says what runs already");
    let file = || std::fs::read_to_string(shell.path().join("bellwether.toml")).expect("there");
    assert_eq!(file(), text(10));
    talk.kill();
    shell.write("bellwether.toml", &text(8));
    assert_eq!(shell.run(&["run", "--cycles", "5", "--speed", "max", "--no-console"]).0, 0);
    let listed = shell.run(&["command", "/changes"]).1;
    assert!(listed.contains("positions_max: 5; the file says 8"), "{listed}");
    let watched = shell.run(&["command", "/watchlist"]).1;
    assert!(watched.contains("NVDA") && !watched.contains("NVDA no price"), "{watched}");
    assert_eq!(file(), text(8));
}

#[test]
fn mistyped_settings_are_refused_in_words() {
    let bench = lived();
    for (line, want) in [
        ("/limit postions_max 5", "there is no limit \"postions_max\": did you mean positions_max?"),
        ("/limit zzz 5", "there is no limit \"zzz\"; /limits lists them"),
        ("/limit positions_max 0", "positions_max is 0; use a whole number from 1 to 1000"),
        ("/limit positions_max 2.5", "use a whole number"),
        ("/limit positions_max five", "\"five\" is no number"),
        ("/limit positions_max 5 until yesterday", "that is over"),
        ("/setrisk twice", "\"twice\" is no part of the usual size: use half, quarter, usual"),
        ("/setrisk 0%", "is no part of the usual size"),
        ("/disable rsj", "no strategy here is called \"rsj\"; there are sma_cross"),
        ("/watch A!", "is not a symbol"),
        ("/setrisk half nowhere", "nowhere"),
    ] {
        let refused = bench.confirm(line);
        assert!(refused.contains(want), "{line}: {refused}");
        assert!(changes(&bench).is_empty());
    }
}
