//! What a backtest says of itself: what it was run with, over which days it is measured, and which limits were in force.

use std::fmt::Write as _;

use bellwether::clock::{DAY_MS, Timestamp};
use serde_json::Value;

use crate::support::{Shell, walk, write_prices};

/// Runs `sma_cross` over a folder and gives the table, the document and the page.
fn told(shell: &Shell, more: &[&str]) -> (String, Value, String) {
    let run = ["backtest", "--data", ".", "--strategy", "sma_cross", "--set", "fast=3", "--set", "slow=8"];
    let (code, out, err) = shell.run(&[&run[..], more, &["--out", "report"]].concat());
    assert_eq!(code, 0, "{err}");
    let read = |name: &str| std::fs::read_to_string(shell.path().join("report").join(name)).expect("written");
    (out, serde_json::from_str(&read("report.json")).expect("one document"), read("report.html"))
}

/// Growth a year of the whole result, from what it was worth and the days between.
fn growth_a_year(told: &Value, days: f64) -> f64 {
    (1.0 + told["total_return"].as_f64().expect("a return")).powf(365.25 / days) - 1.0
}

#[test]
fn a_year_of_weekly_bars_has_52_returns() {
    let shell = Shell::new();
    let mut text = String::from("timestamp,open,high,low,close,volume\n");
    let mut open = 10_000;
    for (week, close) in (0i64..).zip(walk(209, 3)) {
        let at = Timestamp::from_ms(1_577_836_800_000 + 7 * week * DAY_MS);
        let (high, low) = (open.max(close) + 9, open.min(close) - 9);
        let _ = writeln!(text, "{at},{open},{high},{low},{close},9000000");
        open = close;
    }
    shell.write("AAA.1w.csv", &text);
    let (out, told, _) = told(&shell, &["--no-limits"]);
    assert!(out.contains("\nWeeks ") && out.contains("209, 52 a year") && !out.contains("daily returns"), "{out}");
    assert_eq!(told["periods_per_year"], 52.0);
    let cagr = told["cagr"].as_f64().expect("a figure");
    assert!((cagr / growth_a_year(&told, 208.0 * 7.0) - 1.0).abs() < 0.01, "{cagr}");
}

#[test]
fn shares_and_a_coin_that_began_later_are_measured_by_the_calendar() {
    let shell = Shell::new();
    let weekdays = |count: usize| {
        let mut text = String::from("timestamp,open,high,low,close,volume\n");
        for (day, close) in (0i64..).zip(walk(count, 5)) {
            // 2020-01-01 was a Wednesday.
            if (day + 2) % 7 < 5 {
                let at = Timestamp::from_ms(1_577_836_800_000 + day * DAY_MS);
                let _ = writeln!(text, "{at},{close},{},{},{close},9000000", close + 9, close - 9);
            }
        }
        text
    };
    shell.write("AAA.1d.csv", &weekdays(1_500));
    let late: Vec<i64> = walk(1_500, 6);
    write_prices(shell.path(), "BBB-USD", &late);
    let file = shell.path().join("BBB-USD.1d.csv");
    let text = std::fs::read_to_string(&file).expect("written");
    let late: Vec<&str> = text.lines().enumerate().filter(|(row, _)| *row == 0 || *row > 900).map(|it| it.1).collect();
    std::fs::write(file, late.join("\n")).expect("writes");
    let (out, told, _) = told(&shell, &["--symbols", "AAA,BBB-USD", "--no-limits"]);
    let periods = told["periods_per_year"].as_f64().expect("a number");
    assert!((290.0..315.0).contains(&periods) && out.contains("note: there were "), "{periods}: {out}");
    let cagr = told["cagr"].as_f64().expect("a figure");
    assert!((cagr / growth_a_year(&told, 1_499.0) - 1.0).abs() < 0.01, "{cagr}");
    // Of each alone nothing is said.
    for (symbol, usual) in [("AAA", 252.0), ("BBB-USD", 365.0)] {
        let (out, told, _) = self::told(&shell, &["--symbols", symbol]);
        assert!(told["periods_per_year"] == usual && !out.contains("note: there were"), "{out}");
    }
}

#[test]
fn a_benchmark_that_begins_late_and_ends_early_is_compared_over_its_own_days() {
    let shell = Shell::new();
    write_prices(shell.path(), "AAA-USD", &walk(900, 41));
    write_prices(shell.path(), "BBB-USD", &walk(900, 42));
    let file = shell.path().join("BBB-USD.1d.csv");
    let text = std::fs::read_to_string(&file).expect("written");
    let kept = |row: usize| row == 0 || (401..=700).contains(&row);
    let some: Vec<&str> = text.lines().enumerate().filter(|(row, _)| kept(*row)).map(|it| it.1).collect();
    std::fs::write(file, some.join("\n")).expect("writes");
    let symbols = ["--symbols", "AAA-USD", "--no-limits", "--benchmark"];
    let (out, whole, _) = told(&shell, &[&symbols[..], &["BBB-USD"]].concat());
    let note =
        "note: BBB-USD has prices from 2021-02-04 to 2021-11-30: book and benchmark are compared over these days";
    assert!(out.contains(note), "{out}");
    let equity = std::fs::read_to_string(shell.path().join("report/equity.csv")).expect("written");
    let at = |day: &str| {
        let row = equity.lines().find(|line| line.starts_with(day)).unwrap_or_else(|| panic!("{day}: {equity}"));
        row.split(',').nth(1).and_then(|cell| cell.parse::<f64>().ok()).expect("an amount")
    };
    // The first close of the benchmark is that of 2021-02-04, at the midnight that ends it.
    let own = at("2021-12-01") / at("2021-02-04") - 1.0;
    let figure = |name: &str| whole["benchmark"][name].as_f64().expect("a figure");
    assert!((figure("excess_return") + figure("total_return") - own).abs() < 1e-6, "{own}: {}", whole["benchmark"]);
    assert!((figure("cagr") / ((1.0 + figure("total_return")).powf(365.0 / 299.0) - 1.0) - 1.0).abs() < 0.02);
    let (out, ..) = told(&shell, &[&symbols[..], &["AAA-USD"]].concat());
    assert!(!out.contains("has prices from"), "{out}");
}

#[test]
fn the_page_and_the_document_say_how_to_run_it_again() {
    let shell = Shell::new();
    write_prices(shell.path(), "AAA-USD", &walk(900, 41));
    let more = ["--timeframe", "1d", "--from", "2020-03-01", "--to", "2022-01-01T12:00:00Z", "--units", "7"];
    let limits = ["--limit", "volume_share_pct=2", "--limit", "positions_max=3", "--limit", "drawdown_pct=20"];
    let (_, told, page) = told(&shell, &[&more[..], &limits, &["--no-stops"]].concat());
    let settings = &told["settings"];
    for (key, want) in [
        ("data", ".".into()),
        ("timeframe", "1d".into()),
        ("from", "2020-03-01T00:00:00Z".into()),
        ("to", "2022-01-01T12:00:00Z".into()),
        ("units", 7.0.into()),
        ("stops", false.into()),
        ("limits", true.into()),
        ("symbols", serde_json::json!(["AAA-USD"])),
        ("set", serde_json::json!(["fast=3", "slow=8"])),
        ("limits_changed", serde_json::json!({ "positions_max": 3.0, "volume_share_pct": 2.0 })),
    ] {
        assert_eq!(settings[key], want, "{key}: {settings}");
    }
    for fact in
        ["fixed, 7 units each", "2020-03-01T00:00:00Z to 2022-01-01T12:00:00Z", "volume_share_pct 2", "<td>.</td>"]
    {
        assert!(page.contains(fact), "{fact}");
    }
    let here = shell.path().to_str().expect("text");
    assert!(!page.contains(here) && !told.to_string().contains(here), "no path that was not written");
    let walk = ["--walk-forward", "300d,150d", "--set", "short=0|1", "--min-trades", "2"];
    let (_, told, page) = self::told(&shell, &walk);
    assert_eq!((&told["settings"]["set"][2], &told["walk_forward"]["min_trades"]), (&"short=0|1".into(), &2.into()));
    assert!(
        page.contains("chosen for each window from fast=3, slow=8, short=0|1") && page.contains("at least 2 trades")
    );
}

#[test]
fn where_limits_are_lifted_no_chance_of_a_halt_is_told() {
    let shell = Shell::new();
    write_prices(shell.path(), "AAA-USD", &walk(900, 41));
    for (more, has_limit) in [(&["--monte-carlo", "50"][..], true), (&["--monte-carlo", "50", "--no-limits"], false)] {
        let (out, told, page) = told(&shell, more);
        for text in [&out, &page] {
            assert!(text.contains("Drawdown, 1 in 20"), "{text}");
            assert_eq!(text.contains("at which trading halts"), has_limit, "{text}");
            assert_eq!(text.contains("Chance of exceeding"), has_limit);
        }
        let told = &told["monte_carlo"];
        assert_eq!((told["limit"].is_number(), told["chance_beyond"].is_number()), (has_limit, has_limit), "{told}");
    }
}
