//! A pause keeps a book from entering; it neither begins nor ends anything else that does.

use bellwether::chat::{Place, Reply, Role};
use bellwether::domain::TradingState;
use bellwether::engine::{DeskSettings, LossAction};

use crate::access::{asking, label, of_main};
use crate::chat::said;
use crate::cycle::lost_day;
use crate::settings;
use crate::support::{Bench, Life};

const CALM: [[i64; 4]; 16] = [[111, 112, 110, 111]; 16];
/// Cycles up to the bar on which the book loses.
const BEFORE_THE_FALL: u64 = 25;

/// Why the book enters nothing; empty if it does.
fn held_by(bench: &Bench) -> String {
    let row = &bench.saved().books[0];
    let cause: serde_json::Value = serde_json::from_str(&row.cause).expect("JSON");
    assert_eq!(cause.is_null(), row.state == TradingState::Running);
    cause["cause"].as_str().unwrap_or_default().to_owned()
}

fn is_paused(bench: &Bench) -> bool {
    bench.saved().books[0].parked().0.is_some()
}

fn with(mut life: Life, limits: &[(&str, &str)]) -> Life {
    for (key, value) in limits {
        let set = |desk: &mut DeskSettings| desk.limits.set(key, value.parse().expect("number")).expect("in range");
        life.desks.iter_mut().for_each(set);
    }
    life
}

fn resumed(bench: &Bench) -> usize {
    bench.reader().journal_all().expect("reads").iter().filter(|row| row.event.kind.name() == "trading_resumed").count()
}

#[test]
fn the_end_of_a_pause_does_not_end_the_days_loss() {
    let (bench, life) = lost_day(LossAction::Reduce, &CALM);
    let done = |text: &str| {
        let shown = bench.confirm(text);
        bench.live(Life { cycles_max: Some(0), ..life() }).expect("runs");
        shown
    };
    let shown = done("/pause");
    assert!(shown.contains("Now main enters nothing for the day's loss, until "), "{shown}");
    assert_eq!((held_by(&bench).as_str(), is_paused(&bench)), ("daily_loss", true));
    let status = said(&bench, "/status");
    assert!(status.contains("(daily loss limit, until the book's next day), paused by owner besides"), "{status}");

    let shown = done("/book start");
    assert!(shown.contains("What else keeps it from entering stays"), "{shown}");
    assert_eq!((held_by(&bench).as_str(), is_paused(&bench)), ("daily_loss", false));

    done("/pause");
    let shown = done("/undo");
    assert!(shown.contains("main stays reducing"), "{shown}");
    assert_eq!((held_by(&bench).as_str(), is_paused(&bench)), ("daily_loss", false));

    done("/pause");
    let shown = done("/resume");
    assert!(shown.contains("Resume main?") && shown.contains("the pause is over"), "{shown}");
    assert_eq!((held_by(&bench).as_str(), is_paused(&bench)), ("daily_loss", false));

    done("/pause");
    bench.live(Life { cycles_max: Some(1), ..life() }).expect("runs");
    assert_eq!(held_by(&bench), "paused", "the next day ends the loss, and not the pause");
    done("/resume");
    assert_eq!(held_by(&bench), "");
    done("/undo");
    assert_eq!(held_by(&bench), "paused");
}

#[test]
fn a_loss_counts_while_a_book_is_paused() {
    let (_, life) = lost_day(LossAction::Reduce, &CALM);
    let bench = Bench::new();
    bench.live(Life { cycles_max: Some(BEFORE_THE_FALL), ..life() }).expect("runs");
    bench.confirm("/pause");
    bench.live(Life { cycles_max: Some(1), ..life() }).expect("runs");
    bench.confirm("/book start");
    bench.live(Life { cycles_max: Some(0), ..life() }).expect("runs");
    assert_eq!(held_by(&bench), "daily_loss");
}

#[test]
fn the_volatility_breaker_outlasts_a_pause_and_a_pause_the_breaker() {
    let limits = [("daily_loss_pct", "100"), ("breaker_atr", "3"), ("breaker_bars", "5")];
    let (_, life) = lost_day(LossAction::Reduce, &CALM);
    let piece = |cycles| Life { cycles_max: Some(cycles), ..with(life(), &limits) };
    let before = || {
        let bench = Bench::new();
        bench.live(piece(BEFORE_THE_FALL)).expect("runs");
        assert_eq!(held_by(&bench), "");
        bench
    };
    let bench = before();
    bench.live(piece(1)).expect("runs");
    assert_eq!(held_by(&bench), "breaker", "the story needs one");
    let shown = bench.confirm("/pause for 2d");
    assert!(shown.contains("Now main enters nothing by the volatility breaker, until "), "{shown}");
    for (cycles, paused, held) in [(0, true, "breaker"), (3, false, "breaker"), (3, false, "")] {
        bench.live(piece(cycles)).expect("runs");
        assert_eq!((is_paused(&bench), held_by(&bench).as_str()), (paused, held), "after {cycles} more");
    }

    let bench = before();
    bench.confirm("/pause for 2d");
    bench.live(piece(1)).expect("runs");
    assert_eq!(held_by(&bench), "breaker", "a pause is no shelter from it");
    bench.live(piece(2)).expect("runs");
    assert_eq!((is_paused(&bench), held_by(&bench).as_str()), (false, "breaker"));

    let bench = before();
    bench.confirm("/pause for 9d");
    for (cycles, held) in [(3, "breaker"), (4, "paused"), (4, "")] {
        bench.live(piece(cycles)).expect("runs");
        assert_eq!(held_by(&bench), held, "after {cycles} more");
    }
}

#[test]
fn a_fall_from_the_peak_waits_for_a_person_whatever_pause_ends() {
    let limits = [("daily_loss_pct", "100"), ("drawdown_warn_pct", "1"), ("drawdown_reduce_pct", "2")];
    let (_, life) = lost_day(LossAction::Reduce, &CALM);
    let piece = |cycles| Life { cycles_max: Some(cycles), ..with(life(), &limits) };
    let bench = Bench::new();
    let done = |text: &str| {
        let shown = bench.confirm(text);
        bench.live(piece(0)).expect("runs");
        shown
    };
    bench.live(piece(BEFORE_THE_FALL)).expect("runs");
    done("/pause for 3d");
    bench.live(piece(1)).expect("runs");
    assert_eq!((held_by(&bench).as_str(), is_paused(&bench)), ("drawdown", true));
    bench.live(piece(3)).expect("runs");
    assert_eq!((held_by(&bench).as_str(), is_paused(&bench), resumed(&bench)), ("drawdown", false, 0));

    done("/pause for 5d");
    let until = bench.saved().books[0].parked().1;
    assert!(
        done("/resume")
            .contains("Resume main? It is reducing (drawdown limit, until somebody resumes), paused by owner")
    );
    assert_eq!((held_by(&bench).as_str(), bench.saved().books[0].parked().1), ("paused", until), "its end stays");
    done("/resume");
    assert_eq!(held_by(&bench), "");

    let bench = Bench::new();
    let done = |text: &str| {
        bench.confirm(text);
        bench.live(piece(0)).expect("runs");
    };
    bench.live(piece(BEFORE_THE_FALL + 1)).expect("runs");
    done("/resume");
    assert_eq!(held_by(&bench), "");
    done("/undo");
    assert_eq!(held_by(&bench), "drawdown", "undone, it waits for a person again");
}

#[test]
fn a_pause_is_prolonged_and_never_shortened_by_another() {
    let bench = settings::lived();
    let shown = settings::done(&bench, "/pause for 100h");
    assert!(shown.contains("Now main is running."), "{shown}");
    let end = bench.saved().books[0].parked().1;
    let refused = bench.confirm("/pause for 1h");
    assert!(
        refused.starts_with("main is paused by owner already, until 20") && refused.contains("/resume ends it"),
        "{refused}"
    );
    let shown = settings::done(&bench, "/pause for 200h");
    assert!(shown.contains("Now main is paused by owner until 20"), "{shown}");
    assert!(bench.saved().books[0].parked().1 > end);
    settings::done(&bench, "/pause");
    assert_eq!(bench.saved().books[0].parked().1, None);
    for earlier in ["/pause for 1m", "/pause"] {
        let refused = bench.confirm(earlier);
        assert!(refused.contains("already, until somebody resumes it: /pause only prolongs that"), "{refused}");
    }
    bench.confirm("/book stop");
    bench.live(settings::life(1)).expect("runs");
    assert!(bench.confirm("/pause for 1m").contains("main is stopped: it enters nothing until /book start main"));
}

/// Asked for while no bot runs, a halt is recorded. Whoever asks is told so, and nothing else than what is true.
#[test]
fn a_halt_that_waits_for_the_next_start_is_named() {
    let bench = settings::lived();
    assert!(bench.confirm("/resume").contains("the bot is not running, so nothing can be resumed now"));
    assert!(matches!(bench.chat().handle(&of_main("/halt")), Reply::Admitted { .. }));
    let waits = "a halt by owner waits for the next start";
    assert!(said(&bench, "/status").contains(waits), "{}", said(&bench, "/status"));
    assert_eq!(bench.confirm("/resume"), format!("{waits}: the bot is not running, so nothing can be resumed now"));
    let other = asking("/status", Role::Operator, Place::Private, Some(vec![label("zeta")]));
    let told = format!("{:?}", bench.chat().handle(&other));
    assert!(!told.contains("halt by"), "{told}");
    bench.live(settings::life(1)).expect("runs");
    assert!(!said(&bench, "/status").contains("waits for the next start"));
    assert!(bench.confirm("/resume").contains("Resume main? It is halted (by owner)"));
}
