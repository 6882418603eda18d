//! Settings loosen nothing by accident: what is set for a while lies over what was set before, and what allows more says so.

use bellwether::domain::Ratio;
use bellwether::engine::DeskSettings;
use bellwether::risk::{LIMITS, LimitKind};

use crate::chat::said;
use crate::settings::{changes, done, ended, life, limit, lived};
use crate::support::{Bench, Life};

/// What holds of the settings that people changed, a line each without who and when.
fn held(bench: &Bench) -> Vec<String> {
    said(bench, "/changes").lines().filter(|line| line.contains("; the file says")).map(str::to_owned).collect()
}

#[test]
fn what_is_set_for_a_while_gives_way_to_what_was_set_before() {
    let bench = lived();
    done(&bench, "/limit daily_loss_pct 2");
    let shown = done(&bench, "/limit daily_loss_pct 2.5 for 30h");
    assert!(shown.contains("then 2 as owner set it? Now it is 2, the file says 3."), "{shown}");
    assert_eq!((limit(&bench, "daily_loss_pct").as_str(), changes(&bench).len()), ("0.025", 2));
    let both = [
        "daily_loss_pct: 2 again once the later change is over; the file says 3",
        "daily_loss_pct: 2.5; the file says 3",
    ];
    assert_eq!(held(&bench), both);

    // A restart and another file in between.
    let other = || {
        let mut desks = life(0).desks;
        let set = |desk: &mut DeskSettings| desk.limits.set("stop_atr", Ratio::whole(3)).expect("in range");
        desks.iter_mut().for_each(set);
        desks
    };
    bench.live(life(1).with_file(Ok(other()))).expect("runs");
    let shown = bench.confirm("/reload");
    assert!(shown.contains("daily_loss_pct stays 2.5, as owner set it") && !shown.contains("stays 2,"), "{shown}");
    bench.live(life(1).with_file(Ok(other()))).expect("runs");
    assert_eq!(limit(&bench, "daily_loss_pct"), "0.025");
    bench.live(Life { desks: other(), ..life(100) }).expect("runs");
    assert_eq!((limit(&bench, "daily_loss_pct").as_str(), limit(&bench, "stop_atr").as_str()), ("0.02", "3"));
    assert_eq!(held(&bench), ["daily_loss_pct: 2; the file says 3"]);
    let over = ("/limit daily_loss_pct 2.5".to_owned(), vec!["daily_loss_pct 2.5 -> 2".to_owned()], None);
    assert_eq!(ended(&bench), [over]);
}

#[test]
fn every_kind_of_timed_setting_leaves_the_standing_one_in_force() {
    for (standing, timed, now, then) in [
        ("/disable sma_cross", "/disable sma_cross for 30h", "disabled", "disabled"),
        ("/disable sma_cross", "/enable sma_cross for 30h", "enabled", "disabled"),
        ("/setrisk 25%", "/setrisk 100% for 30h", "100.0 %", "25.0 %"),
        ("/limit positions_max 5", "/limit positions_max usual for 30h", "10", "5"),
        ("/limit positions_max 5 for 900h", "/limit positions_max 20 for 30h", "20", "5"),
    ] {
        let bench = lived();
        done(&bench, standing);
        let shown = done(&bench, timed);
        assert!(shown.contains(&format!("then {then} as owner set it?")), "{timed}: {shown}");
        let value = |line: &String| {
            line.split_once(": ").and_then(|(_, rest)| rest.split_once("; ")).map(|(it, _)| it.to_owned())
        };
        bench.live(life(2)).expect("a restart");
        assert_eq!(held(&bench).last().and_then(value).as_deref(), Some(now), "{timed}");
        bench.live(life(150)).expect("another");
        let left: Vec<String> = held(&bench).iter().filter_map(value).collect();
        assert_eq!(left, [then], "after {timed}");
    }
}

#[test]
fn undone_or_replaced_a_timed_setting_leaves_what_is_meant() {
    let bench = lived();
    done(&bench, "/limit positions_max 5");
    done(&bench, "/limit positions_max 20 for 30h");
    let shown = done(&bench, "/undo");
    assert!(shown.contains("main: positions_max 20 -> 5."), "{shown}");
    assert_eq!((limit(&bench, "positions_max").as_str(), changes(&bench).len()), ("5", 1));

    // One that is over sooner takes the place of none; one that lasts longer takes that of one that is over sooner.
    done(&bench, "/limit positions_max 20 for 60h");
    done(&bench, "/limit positions_max 15 for 900h");
    assert_eq!((limit(&bench, "positions_max").as_str(), changes(&bench).len()), ("15", 2));
    let shown = done(&bench, "/undo");
    assert!(shown.contains("main: positions_max 15 -> 20."), "{shown}");
    assert_eq!(changes(&bench).len(), 2);

    // What stands replaces all of them, also where it says what lies beneath.
    done(&bench, "/limit positions_max 5");
    assert_eq!((limit(&bench, "positions_max").as_str(), changes(&bench).len()), ("5", 1));
    assert_eq!(bench.confirm("/limit positions_max 5"), "positions_max of main is 5 already");
}

#[test]
fn what_allows_more_says_so() {
    let lower = [
        "breaker_bars",
        "cooldown_bars",
        "stops_window_bars",
        "lock_bars",
        "lock_sessions",
        "trailing",
        "maintenance_pct",
    ];
    let neither = [
        "correlation_bars",
        "alert_day_pct",
        "alert_position_pct",
        "target_atr",
        "volume_share_pct",
        "fee_bps",
        "slippage_bps",
        "impact_bps",
        "latency_ms",
        "borrow_pct",
        "funding_bps",
    ];
    let bench = lived();
    let file = life(0).desks[0].limits.clone();
    for spec in LIMITS {
        let usual = spec.kind.written(file.get(spec.key).expect("there"));
        let step = if spec.kind == LimitKind::Count { Ratio::ONE } else { "0.1".parse().expect("a number") };
        let [less, more] = [usual.minus(step).expect("fits"), usual.plus(step).expect("fits")];
        for (value, is_more) in [(less, false), (more, true)] {
            if value < Ratio::whole(spec.min) || value > Ratio::whole(spec.max) {
                continue;
            }
            let allows_more = spec.key == "low_profit_trades"
                || (!neither.contains(&spec.key) && is_more != lower.contains(&spec.key));
            let (_, shown) = bench.show(&format!("/limit {} {value}", spec.key)).expect("shown");
            assert_eq!(shown.contains("This is wider than the file says."), allows_more, "{shown}");
        }
    }

    done(&bench, "/limit daily_loss_pct 2");
    for (line, wider) in [("2.5", true), ("usual", true), ("1.5", false)] {
        let (_, shown) = bench.show(&format!("/limit daily_loss_pct {line}")).expect("shown");
        assert_eq!(shown.contains("This is wider than it is now."), wider, "{shown}");
    }
    done(&bench, "/setrisk 25%");
    for (line, wider) in [("half", true), ("usual", true), ("10%", false)] {
        let (_, shown) = bench.show(&format!("/setrisk {line}")).expect("shown");
        assert_eq!(shown.contains("This is wider than it is now."), wider, "{shown}");
    }
}

#[test]
fn entries_that_are_taken_back_are_named() {
    let bench = lived();
    done(&bench, "/watch ETH-USD");
    done(&bench, "/buy ETH-USD $300 limit 1");
    let order = bench.saved().orders.into_iter().find(|order| order.symbol.as_str() == "ETH-USD").expect("it waits");
    let shown = done(&bench, "/unwatch ETH-USD");
    assert!(shown.contains(&format!("Taken back: {}, buy {} ETH-USD, in main", order.id, order.quantity)), "{shown}");
    assert!(bench.saved().orders.iter().all(|open| open.id != order.id));
}
