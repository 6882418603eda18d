//! `backtest` and `run --mode backtest` as a shell sees them: what they print and write, and what they refuse.

use serde_json::Value;

use crate::support::{Shell, walk, write_prices};

/// A folder with two coins and a list of them.
fn shell() -> Shell {
    let shell = Shell::new();
    write_prices(shell.path(), "AAA-USD", &walk(900, 41));
    write_prices(shell.path(), "BBB-USD", &walk(900, 42));
    shell
}

const QUICK: &[&str] = &[
    "backtest",
    "--data",
    ".",
    "--symbols",
    "AAA-USD",
    "--strategy",
    "sma_cross",
    "--set",
    "fast=3",
    "--set",
    "slow=8",
];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    [QUICK, more].concat()
}

fn json(out: &str) -> Value {
    serde_json::from_str(out).unwrap_or_else(|error| panic!("one JSON document: {error}: {out}"))
}

#[test]
fn everything_that_is_asked_for_is_in_table_document_and_files() {
    let shell = shell();
    let asked =
        ["--benchmark", "BBB-USD", "--monte-carlo", "200", "--seed", "7", "--check-lookahead", "--check-warmup"];
    let (code, out, err) = shell.run(&with(&[&asked[..], &["--out", "report"]].concat()));
    assert_eq!(code, 0, "{err}");
    for part in [
        "Sharpe ",
        "BBB-USD bought and held",
        "Monte-Carlo: the ",
        "200 random orders, seed 7",
        "check-lookahead: passed",
        "check-warmup: passed",
        "900 bars of 1 symbol",
    ] {
        assert!(out.contains(part), "{part}:\n{out}");
    }
    let (code, out, _) = shell.run(&with(&[&asked[..], &["--json"]].concat()));
    let told = json(&out);
    let written = std::fs::read_to_string(shell.path().join("report/report.json")).expect("written");
    assert_eq!((code, &told), (0, &json(&written)), "file and output are the same document");
    for figure in ["total_return", "cagr", "max_drawdown", "beta", "correlation", "excess_return"] {
        assert!(told["benchmark"][figure].is_number(), "{figure}: {}", told["benchmark"]);
    }
    let excess = told["total_return"].as_f64().zip(told["benchmark"]["total_return"].as_f64()).map(|(a, b)| a - b);
    assert_eq!(told["benchmark"]["excess_return"].as_f64(), excess);
    assert_eq!((&told["monte_carlo"]["paths"], &told["monte_carlo"]["seed"]), (&Value::from(200), &Value::from(7)));
    assert_eq!(told["checks"].as_array().map(Vec::len), Some(2));
    assert_eq!(told["settings"]["strategies"][0]["parameters"]["slow"], 8.0);
    let page = std::fs::read_to_string(shell.path().join("report/report.html")).expect("written");
    assert!(page.contains("BBB-USD bought and held") && page.contains("<h2>Monte-Carlo</h2>"));
    // Neither the benchmark nor the checks change a trade.
    let trades = std::fs::read(shell.path().join("report/trades.csv")).expect("written");
    assert_eq!(shell.run(&with(&["--out", "plain"])).0, 0);
    assert!(trades == std::fs::read(shell.path().join("plain/trades.csv")).expect("written") && trades.len() > 2_000);
    let plain = json(&std::fs::read_to_string(shell.path().join("plain/report.json")).expect("written"));
    assert_eq!(plain["final_equity"], told["final_equity"]);
    assert!(plain.get("benchmark").is_none() && plain.get("monte_carlo").is_none() && plain.get("checks").is_none());
}

#[test]
fn a_book_that_could_not_enter_says_so() {
    let shell = shell();
    let stages = ["--limit", "drawdown_warn_pct=1", "--limit", "drawdown_reduce_pct=1"];
    let (code, out, err) = shell.run(&with(&stages));
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("note: it entered nothing from 202") && out.contains(" from its peak, limit 1.0 %"), "{out}");
    let (_, out, _) = shell.run(&with(&["--no-stops"]));
    assert!(
        out.contains("without stops all of an entry counts as open risk") && out.contains("open_risk_pct"),
        "{out}"
    );
    let (_, out, _) = shell.run(&with(&["--no-stops", "--no-limits"]));
    assert!(!out.contains("note: "), "{out}");
}

#[test]
fn a_symbol_whose_prices_have_ended_takes_no_rank_from_the_others() {
    let shell = Shell::new();
    let rising = |days: i64, step: i64| (0..days).map(|day| 10_000 + day * step).collect::<Vec<_>>();
    write_prices(shell.path(), "AAA-USD", &rising(30, 100));
    write_prices(shell.path(), "BBB-USD", &rising(60, 30));
    let best = [
        "--strategy",
        "momentum",
        "--set",
        "period=5",
        "--set",
        "top=1",
        "--set",
        "slack=0",
        "--no-stops",
        "--no-limits",
    ];
    let (code, out, err) = shell.run(&[&["backtest", "--data", ".", "--out", "report"], &best[..]].concat());
    assert_eq!(code, 0, "{err}\n{out}");
    let trades = std::fs::read_to_string(shell.path().join("report/trades.csv")).expect("written");
    let held = |symbol: &str| trades.lines().filter(|line| line.contains(symbol)).count();
    assert_eq!((held("AAA-USD"), held("BBB-USD")), (1, 1), "{trades}");
}

#[test]
fn a_walk_is_told_window_by_window() {
    let shell = shell();
    let walk =
        ["backtest", "--data", ".", "--symbols", "AAA-USD", "--strategy", "sma_cross", "--walk-forward", "300d,150d"];
    let grid = ["--set", "fast=3|5|30", "--set", "slow=8|20"];
    let (code, out, err) = shell.run(&[&walk[..], &grid, &["--out", "report"]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("the best of 4 sets") && out.contains("Efficiency, return"), "{out}");
    assert!(out.contains("note: 2 combinations of parameters cannot be"), "{out}");
    let told = json(&std::fs::read_to_string(shell.path().join("report/report.json")).expect("written"));
    let windows = told["walk_forward"]["windows"].as_array().expect("windows");
    assert_eq!((windows.len(), &told["walk_forward"]["combinations"]), (4, &Value::from(4)));
    for window in windows {
        let (fast, slow) = (window["chosen"]["fast"].as_f64(), window["chosen"]["slow"].as_f64());
        assert!(fast < slow && window["test_result"]["trades"].is_number(), "{window}");
    }
    let growth: f64 =
        windows.iter().map(|it| 1.0 + it["test_result"]["total_return"].as_f64().expect("a return")).product();
    assert!((growth - 1.0 - told["total_return"].as_f64().expect("a return")).abs() < 1e-9, "the chain is the whole");
    let trades: u64 = windows.iter().filter_map(|it| it["test_result"]["trades"].as_u64()).sum();
    assert_eq!(told["trades"].as_u64(), Some(trades));
    let page = std::fs::read_to_string(shell.path().join("report/report.html")).expect("written");
    assert!(page.contains("<h2>Walk-forward</h2>") && page.contains("2020-10-27"));
    let (_, fixed, _) = shell.run(&[&walk[..], &["--set", "fast=3", "--set", "slow=8", "--json"]].concat());
    assert_eq!(json(&fixed)["walk_forward"]["windows"][0]["chosen"], Value::Object(serde_json::Map::new()));
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_read() {
    let shell = shell();
    shell.write("file", "not a folder");
    for (more, code, part) in [
        (&["--strategy", "rsii"][..], 2, "there is no strategy \"rsii\"; there are sma_cross"),
        (&["--set", "fats=3"], 2, "no strategy here has it; there are sma_cross.fast"),
        (&["--set", "short"], 2, "write it as key=value"),
        (&["--set", "short=maybe"], 2, "--set short: maybe is"),
        (&["--set", "fast=5"], 2, "--set fast: it is written twice"),
        (&["--set", "short=0|1"], 2, "a list of values goes with --walk-forward"),
        (&["--set", "short=0|0"], 2, "0 is listed twice"),
        (&["--limit", "positions_max=0"], 2, "positions_max is 0"),
        (&["--limit", "drawdown_reduce_pct=25"], 2, "drawdown_reduce_pct is 25, above drawdown_pct, which is 20"),
        (&["--sizing", "huge"], 2, "there is no sizing \"huge\""),
        (&["--out", "file/report"], 1, "cannot make the folder"),
        (&["--from", "2021-05-01", "--to", "2021-05-01"], 2, "is not before --to"),
        (&["--from", "2030-01-01"], 1, "no bar lies between the times asked for"),
        (&["--to", "2010-01-01"], 1, "no bars in"),
        (&["--benchmark", "ZZZ-USD"], 1, "has no prices of ZZZ-USD"),
        (&["--benchmark", "ZZZ-EUR"], 2, "quoted in EUR, but the book counts in USD"),
        (&["--walk-forward", "2y"], 2, "write two lengths"),
        (&["--walk-forward", "2y,6x"], 2, "\"6x\" is no length"),
        (&["--walk-forward", "20y,6m"], 2, "too short to train for 20y"),
        (&["--walk-forward", "1y,6m", "--check-warmup"], 2, "cannot be used with"),
        (&["--capital", "0"], 2, "a book starts with 1 or more"),
        (&["--capital", "-5"], 2, "a book starts with 1 or more"),
        (&["--capital", "0.99999999"], 2, "a book starts with 1 or more"),
        (&["--units", "0"], 2, "an entry has more than 0 units"),
        (&["--units", "-1"], 2, "an entry has more than 0 units"),
        (&["--monte-carlo", "0"], 2, "0 is not in 1..=10000"),
        (&["--monte-carlo", "many"], 2, "many"),
    ] {
        let (got, out, err) = shell.run(&with(more));
        assert!(got == code && out.is_empty() && err.contains(part), "{more:?}: {got}: {out}{err}");
    }
    let long: Vec<String> = (1..=40).map(|number| number.to_string()).collect();
    let (fast, slow) = (format!("fast={}", long.join("|")), format!("slow={}", long[1..].join("|")));
    let args = [
        "backtest",
        "--data",
        ".",
        "--strategy",
        "sma_cross",
        "--walk-forward",
        "1y,6m",
        "--set",
        &fast,
        "--set",
        &slow,
    ];
    let (code, _, err) = shell.run(&args);
    assert!(code == 2 && err.contains("40 x 39 = 1560 combinations; at most 1000"), "{err}");
    let args = ["backtest", "--data", "AAA-USD.1d.csv", "--strategy", "sma_cross", "--benchmark", "BBB-USD"];
    let (code, _, err) = shell.run(&args);
    assert!(code == 2 && err.contains("names a single file") && err.contains("hint: "), "{err}");
    let (_, help, _) = shell.run(&["backtest", "--help"]);
    assert!(help.contains("Examples:") && help.contains("--walk-forward 2y,6m") && help.contains("--check-lookahead"));
}

/// A file's name says what it holds; without one the spacing of its bars says how long they may be.
#[test]
fn one_file_is_played_as_what_it_is() {
    let shell = shell();
    let text = std::fs::read_to_string(shell.path().join("AAA-USD.1d.csv")).expect("reads");
    shell.write("prices.csv", &text);
    let run = |more: &[&str]| shell.run(&[&["backtest", "--strategy", "sma_cross", "--data"], more].concat());
    for (more, code, part) in [
        (&["AAA-USD.1d.csv"][..], 0, ""),
        (&["AAA-USD.1d.csv", "--symbols", "AAA-USD", "--timeframe", "1d"], 0, ""),
        (&["AAA-USD.1d.csv", "--symbols", "BBB-USD"], 2, "does not hold BBB-USD, by its name\nhint: "),
        (&["AAA-USD.1d.csv", "--timeframe", "1w"], 2, "does not hold 1w bars, by its name\nhint: "),
        (&["AAA-USD.1d.csv", "--timeframe", "1h"], 2, "does not hold 1h bars, by its name\nhint: "),
        (&["AAA-USD.1d.csv", "--symbols", "BBB-USD,AAA-USD"], 2, "is one file, but 2 symbols are asked for\nhint: "),
        (&["prices.csv", "--symbols", "BBB-USD,AAA-USD"], 2, "is one file, but 2 symbols are asked for\nhint: "),
        (&["prices.csv", "--symbols", "BBB-USD", "--timeframe", "1d"], 0, ""),
        (&["prices.csv", "--symbols", "BBB-USD"], 0, ""),
        (
            &["prices.csv", "--symbols", "BBB-USD", "--timeframe", "1w"],
            1,
            "bars are mostly 86400 s apart, not 1w: ask for bars of their length, or leave --timeframe out",
        ),
    ] {
        let (got, out, err) = run(more);
        assert!(got == code && err.contains(part), "{more:?}: {got}: {out}{err}");
    }
}

/// Too few bars for a warm-up: the check cannot pass, and the document is printed all the same.
#[test]
fn a_check_that_cannot_tell_ends_with_one() {
    let shell = shell();
    let (code, out, _) = shell.run(&with(&["--to", "2020-01-06", "--check-warmup", "--json"]));
    let told = json(&out);
    assert_eq!((code, &told["checks"][0]["passed"]), (1, &Value::from(false)));
}

#[test]
fn configured_books_are_run_in_memory() {
    let shell = shell();
    shell.write(
        "bellwether.toml",
        "[[books]]\nname = \"main\"\ncapital = 10000\nsymbols = [\"AAA-USD\"]\n[[books.strategies]]\nname = \"sma_cross\"\nset = { fast = 3, slow = 8 }\n\n\
         [[books]]\nname = \"weekly\"\ncapital = 5000\n[[books.strategies]]\nname = \"rsi\"\ntimeframe = \"1w\"\n",
    );
    let run = ["run", "--mode", "backtest", "--data", "."];
    let (code, out, err) = shell.run(&run);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("Book main\n") && out.contains("Book weekly\n") && out.contains("Start equity "), "{out}");
    assert!(!shell.path().join("bellwether.db").exists(), "nothing is stored");
    // The same book through the options of `backtest`.
    let (_, alone, _) = shell.run(&with(&["--capital", "10000"]));
    let figure = |text: &str, name: &str| {
        text.lines()
            .find(|line| line.starts_with(name))
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    for name in ["End equity", "Sharpe", "Max drawdown", "Trades", "Exposure"] {
        assert_eq!(figure(&out, name), figure(&alone, name), "{name}");
    }
    let (code, out, _) = shell.run(&[&run[..], &["--cycles", "30"]].concat());
    assert!(code == 0 && out.contains("30 cycles on replay of"), "{out}");
    for (more, part) in [
        (&["--dry-run"][..], "--dry-run does not go with --mode backtest"),
        (&["--fresh"], "--fresh does not go with"),
        (&["--speed", "60"], "--speed does not go with"),
        (&["--from", "2021-01-01", "--to", "2020-01-01"], "is not before"),
    ] {
        let (code, _, err) = shell.run(&[&run[..], more].concat());
        assert!(code == 2 && err.contains(part), "{err}");
    }
    let (code, _, err) = shell.run(&["run", "--mode", "backtest"]);
    assert!(code == 2 && err.contains("needs --cycles"), "{err}");
    let (code, out, _) = shell.run(&["run", "--mode", "backtest", "--cycles", "300", "--symbols", "BTC-USD"]);
    assert!(code == 0 && out.contains("300 cycles on sim"), "{out}");
}
