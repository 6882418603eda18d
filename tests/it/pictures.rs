//! `chart` as a shell sees it: what it draws, what it refuses, and that it leaves nothing half done.

use std::fmt::Write as _;

use bellwether::domain::RiskFigures;
use bellwether::domain::format::{grouped, money, percent, price, signed_percent};
use bellwether::store::Reader;

use crate::support::{Shell, walk, write_prices};

const QUICK: &[&str] = &["run", "--cycles", "200", "--speed", "max", "--no-console"];

/// Width and height, from the header of a PNG.
fn size_of(shell: &Shell, name: &str) -> (u32, u32) {
    let bytes = std::fs::read(shell.path().join(name)).expect("a picture");
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n", "{name}");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}

fn text_of(shell: &Shell, name: &str) -> String {
    let text = std::fs::read_to_string(shell.path().join(name)).expect("a picture");
    assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"), "{name}");
    text
}

fn names(shell: &Shell) -> Vec<String> {
    let entries = std::fs::read_dir(shell.path()).expect("readable");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Draws; the line that was printed.
fn drawn(shell: &Shell, args: &[&str]) -> String {
    let (code, out, err) = shell.run(&[&["chart"], args].concat());
    assert!(code == 0 && err.is_empty() && out.lines().count() == 1, "{args:?}: {out}{err}");
    out
}

/// A file of one-minute bars of ten sessions' first hours: the closes rise by a cent a minute.
fn minutes(shell: &Shell, name: &str) {
    let mut text = "timestamp,open,high,low,close,volume\n".to_owned();
    let mut cents = 10_000;
    for day in [2, 3, 4, 5, 8, 9, 10, 11, 12, 16] {
        for minute in 30..60 {
            let (open, close) = (cents, cents + 1);
            let row = [open, close, open, close].map(|cents| format!("{}.{:02}", cents / 100, cents % 100)).join(",");
            let _ = writeln!(text, "2024-01-{day:02}T14:{minute:02}:00Z,{row},100");
            cents += 1;
        }
    }
    shell.write(name, &text);
}

#[test]
fn a_simulated_run_is_drawn_from_its_own_database() {
    let shell = Shell::new();
    shell.run(QUICK);
    let out = drawn(&shell, &["AAPL", "--out", "wide.png"]);
    assert!(out.starts_with("wide.png: 1280 x 800, ") && out.contains("AAPL 1m, 120 bars to 2024-01-08"), "{out}");
    assert_eq!(size_of(&shell, "wide.png"), (1280, 800));
    drawn(&shell, &["AAPL", "--out", "tall.png", "--tall", "--light", "--timeframe", "5m", "--bars", "40"]);
    assert_eq!(size_of(&shell, "tall.png"), (1080, 1350));
    for (args, words) in [
        (["BTC-USD", "--sheet"], "BTC-USD 1h · 15m · 5m · 1m to "),
        (["equity", "--light"], "equity of main, "),
        (["pnl", "--light"], "result by day of main, 1 day to "),
    ] {
        let out = drawn(&shell, &[args[0], args[1], "--out", "more.png"]);
        assert!(out.contains(words) && size_of(&shell, "more.png") == (1280, 800), "{out}");
    }
}

/// The market is made again from its seed: the last price is the one the books are valued at.
#[test]
fn prices_are_those_of_the_run() {
    let shell = Shell::new();
    shell.run(QUICK);
    let reader = Reader::open(&shell.path().join("bellwether.db")).expect("opens");
    let marks = reader.marks().expect("reads");
    assert!(marks.len() > 20);
    for mark in marks.iter().step_by(6) {
        drawn(&shell, &[mark.symbol.as_str(), "--out", "p.svg"]);
        let (text, last) = (text_of(&shell, "p.svg"), price(mark.price));
        assert!(text.contains(&format!(">{last}<")) && text.contains(">sim<"), "{}: {last}", mark.symbol);
    }
}

#[test]
fn what_is_held_is_told_with_its_stop() {
    let shell = Shell::new();
    let held = (0..20).find_map(|_| {
        shell.run(&["run", "--cycles", "20", "--speed", "max", "--no-console"]);
        let reader = Reader::open(&shell.path().join("bellwether.db")).expect("opens");
        let book = reader.books().expect("reads").remove(0).book;
        book.positions.into_iter().find(|held| held.protection.is_some())
    });
    let held = held.expect("something is held sooner or later");
    let out = drawn(&shell, &[held.symbol.as_str(), "--out", "p.svg"]);
    assert!(out.contains(&format!("{} long", held.quantity)), "{out}");
    let stop = price(held.protection.expect("a stop").stop);
    let text = text_of(&shell, "p.svg");
    assert!(text.matches(&format!(">{stop}<")).count() == 2 && text.contains(">Open P/L<"), "a tag and a card: {stop}");
}

/// Runs the market on until the book holds this many; its risk figures.
fn figures_of(shell: &Shell, least: usize) -> RiskFigures {
    let found = (0..20).find_map(|_| {
        shell.run(&["run", "--cycles", "20", "--speed", "max", "--no-console"]);
        let reader = Reader::open(&shell.path().join("bellwether.db")).expect("opens");
        let stored = reader.figures("main".parse().expect("a name")).expect("reads").expect("measured");
        let figures: RiskFigures = serde_json::from_str(&stored.body).expect("readable");
        (figures.symbols.len() >= least).then_some(figures)
    });
    found.expect("it is held sooner or later")
}

/// Draws as SVG what a view tells, and as PNG; the texts of the picture and the lines of the view.
fn drawn_and_told(shell: &Shell, what: &str, view: &str) -> (String, String) {
    let out = drawn(shell, &[what, "--out", "p.png", "--light", "--tall", "--book", "main"]);
    assert!(out.contains(&format!("{what} of main, ")) && size_of(shell, "p.png") == (1080, 1350), "{out}");
    drawn(shell, &[what, "--out", "p.svg"]);
    let (code, told, err) = shell.run(&["command", view]);
    assert!(code == 0 && err.is_empty(), "{view}: {err}");
    let (text, (_, as_of)) = (text_of(shell, "p.svg"), told.split_once(" · as of ").expect("a time"));
    let as_of = as_of.lines().next().expect("a line");
    assert!(text.contains(&format!(">as of {as_of}<")) && out.trim_end().ends_with(as_of), "{what}: {told}{out}");
    (text, told)
}

#[test]
fn what_is_held_is_drawn_with_the_figures_of_the_views() {
    let shell = Shell::new();
    let figures = figures_of(&shell, 2);
    let both = |(text, told): &(String, String), words: &str| {
        assert!(text.contains(&format!(">{words}<")) && told.contains(words), "{words}: {told}");
    };
    let allocation = drawn_and_told(&shell, "allocation", "/exposure");
    let correlation = drawn_and_told(&shell, "correlation", "/correlation");
    let stress = drawn_and_told(&shell, "stress", "/stress");
    for one in &figures.symbols {
        both(&allocation, one.symbol.as_str());
        both(&allocation, &money(one.value));
        both(&allocation, &percent(one.share));
        both(&correlation, one.symbol.as_str());
        assert!(stress.0.contains(&format!(">{}<", one.symbol)), "a column each: {}", one.symbol);
    }
    assert!(allocation.0.contains(&format!(">{}<", money(figures.cash))));
    let whole = grouped(&format!("{:.0}", figures.equity.to_f64()));
    assert!(allocation.0.contains(&format!(">{whole}<")), "the parts are all there is: {whole}");
    let (one, other, share) = figures.correlation.closest.expect("a pair");
    both(&correlation, &format!("{share:.2}"));
    assert!(correlation.0.contains(&format!(">{one} · {other}<")));
    for report in &figures.stress {
        both(&stress, &report.scenario);
        let total = grouped(&format!("{:.0}", report.change.to_f64()));
        assert!(stress.0.contains(&format!(">{total}<")), "{}: {total}", report.scenario);
    }
    let worst = figures.stress.iter().min_by_key(|report| report.change).expect("scenarios");
    let share = signed_percent(worst.share.expect("equity"));
    let change = money(worst.change);
    assert!(stress.0.contains(&format!(">{change} ({share})<")), "{change} ({share})");
    assert!(stress.1.contains(&format!("{change} USD ({share}) at worst")), "{}", stress.1);
}

#[test]
fn where_nothing_is_held_nothing_is_drawn() {
    let shell = Shell::new();
    let refused = |args: &[&str], code: i32, words: &str| {
        let (found, out, err) = shell.run(&[&["chart"], args, &["--out", "p.png"]].concat());
        assert!(found == code && err.contains(words) && out.is_empty(), "{args:?}: {found} {out}{err}");
        assert!(!shell.path().join("p.png").exists(), "{args:?}");
    };
    refused(&["stress"], 1, "there is no database");
    shell.run(&["run", "--cycles", "1", "--speed", "max", "--no-console"]);
    refused(&["allocation"], 1, "main holds nothing to draw · as of 2024-01-08");
    refused(&["stress", "--book", "main"], 1, "let the bot run on");
    refused(&["correlation"], 1, "main holds nothing to compare: two positions are needed");
    refused(&["stress", "--book", "other"], 2, "there is no book \"other\"");
    refused(&["STRESS"], 2, "STRESS");
    for what in ["allocation", "correlation", "stress"] {
        refused(&[what, "--data", "."], 2, "--data goes with a symbol, not with");
        refused(&[what, "--timeframe", "1h"], 2, "--timeframe goes with a symbol, not with");
        refused(&[what, "--sheet"], 2, "--sheet goes with a symbol, not with");
        refused(&[what, "--bars", "20"], 2, "--bars goes with a symbol or pnl, not with");
        refused(&[what, "--to", "2024-01-08"], 2, "--to goes with a symbol, equity or pnl");
    }
}

#[test]
fn a_replay_is_drawn_from_the_folder_that_it_read() {
    let shell = Shell::new();
    std::fs::create_dir(shell.path().join("my prices")).expect("made");
    minutes(&shell, "my prices/SPY.1m.csv");
    let (code, _, err) = shell.run(&["run", "--data", "my prices", "--to", "2024-01-11T14:47:00Z", "--no-console"]);
    assert_eq!(code, 0, "{err}");
    let out = drawn(&shell, &["SPY", "--out", "p.svg"]);
    assert!(out.contains("SPY 1m, 120 bars to 2024-01-11 09:47 EST"), "no further than it was traded: {out}");
    assert!(!text_of(&shell, "p.svg").contains(">sim<"));
    let out = drawn(&shell, &["SPY", "--out", "p.svg", "--timeframe", "5m", "--to", "2024-01-10T14:33:00Z"]);
    assert!(out.contains("SPY 5m, 37 bars to 2024-01-10 09:33 EST"), "{out}");
    assert!(text_of(&shell, "p.svg").contains("5m from 1m, last bar unfinished"));
}

#[test]
fn files_are_drawn_without_a_database() {
    let shell = Shell::new();
    minutes(&shell, "SPY.1m.csv");
    shell.write("SPY.1d.csv", "timestamp,open,high,low,close,volume\n2024-01-02T00:00:00Z,1,2,1,2,5\n");
    assert!(drawn(&shell, &["SPY", "--out", "p.png", "--data", "."]).contains("SPY 1d, 1 bar to 2024-01-02"));
    let out = drawn(&shell, &["SPY", "--out", "p.png", "--data", "SPY.1m.csv"]);
    assert!(out.contains("SPY 1m, 120 bars to 2024-01-16 10:00 EST"), "{out}");
    // The daily file ends long before, so its days are gathered from minutes.
    let out =
        drawn(&shell, &["SPY", "--out", "p.png", "--data", ".", "--timeframe", "1d", "--to", "2024-01-16T15:00:00Z"]);
    assert!(out.contains("SPY 1d, 10 bars to 2024-01-16 10:00 EST"), "{out}");
    drawn(&shell, &["SPY", "--out", "no-ending", "--svg", "--data", ".", "--timeframe", "1h", "--tall"]);
    assert!(text_of(&shell, "no-ending").contains("1h from 1m"));
    assert_eq!(names(&shell), ["SPY.1d.csv", "SPY.1m.csv", "no-ending", "p.png"], "and nothing beside it");
}

#[test]
fn what_cannot_be_drawn_is_refused_and_leaves_no_file() {
    let shell = Shell::new();
    minutes(&shell, "SPY.1m.csv");
    shell.write("kept.png", "a picture from before");
    std::fs::create_dir(shell.path().join("folder.png")).expect("made");
    let before = names(&shell);
    let data = ["--data", "."];
    for (args, code, words) in [
        (&["SPY", "--out", "kept.png"][..], 1, "draw price files with --data"),
        (&["equity", "--out", "kept.png"], 1, "there is no database"),
        (&["SPY"], 2, "--out"),
        (&["SPY", "--out", "p.jpg", data[0], data[1]], 2, ".png or .svg"),
        (&["SPY", "--out", "kept.png", "--svg", data[0], data[1]], 2, "leave --svg out"),
        (&["SPX", "--out", "kept.png", data[0], data[1]], 2, "hint: there are SPY"),
        (&["S PY", "--out", "kept.png", data[0], data[1]], 2, "is not a symbol"),
        (&["SPY", "--out", "kept.png", "--data", "nowhere"], 2, "there is no nowhere"),
        (&["SPY", "--out", "kept.png", "--bars", "0", data[0], data[1]], 2, "--bars"),
        (&["SPY", "--out", "kept.png", "--timeframe", "2h", data[0], data[1]], 2, "unknown timeframe"),
        (&["equity", "--out", "kept.png", data[0], data[1]], 2, "--data goes with a symbol"),
        (&["equity", "--out", "kept.png", "--bars", "20"], 2, "--bars goes with a symbol or pnl, not with equity"),
        (&["SPY", "--out", "kept.png", "--to", "2001-01-01", data[0], data[1]], 1, "no bars of SPY"),
        (&["SPY", "--out", "folder.png", data[0], data[1]], 1, "cannot write folder.png"),
        (&["SPY", "--out", "nowhere/p.png", data[0], data[1]], 1, "cannot write"),
    ] {
        let (found, out, err) = shell.run(&[&["chart"], args].concat());
        assert!(found == code && err.contains(words) && out.is_empty(), "{args:?}: {found} {out}{err}");
        assert_eq!(names(&shell), before, "{args:?}");
    }
    assert_eq!(std::fs::read_to_string(shell.path().join("kept.png")).expect("there"), "a picture from before");
    drawn(&shell, &["SPY", "--out", "kept.png", "--data", "."]);
    assert_eq!(size_of(&shell, "kept.png"), (1280, 800), "an older picture is replaced");
    assert_eq!(names(&shell), before);
    shell.write("IBM.1d.csv", "timestamp,open,high,low,close,volume\n2024-01-02T00:00:00Z,1,2,1,2,5\n");
    let (code, _, err) = shell.run(&["chart", "IBM", "--out", "p.png", "--data", ".", "--timeframe", "1h"]);
    assert!(code == 2 && err.contains("longer than asked for: 1d"), "{err}");
}

/// Minutes of one morning beside years of days on which all trades are: none of them is piled on the last minute.
#[test]
fn what_was_dealt_after_the_last_bar_is_not_on_the_picture() {
    let shell = Shell::new();
    write_prices(shell.path(), "AAA-USD", &walk(900, 41));
    let mut text = "timestamp,open,high,low,close,volume\n".to_owned();
    for minute in 0..60 {
        let _ = writeln!(text, "2020-01-01T08:{minute:02}:00Z,100,101,99,100,100");
    }
    shell.write("AAA-USD.1m.csv", &text);
    let (code, _, err) = shell.run(&["run", "--data", ".", "--timeframe", "1d", "--speed", "max", "--no-console"]);
    assert_eq!(code, 0, "{err}");
    let flags = |name: &str| text_of(&shell, name).matches("SELL ").count();
    let out = drawn(&shell, &["AAA-USD", "--bars", "600", "--out", "days.svg"]);
    assert!(out.contains(" trades") && flags("days.svg") > 0, "{out}");
    let out = drawn(&shell, &["AAA-USD", "--timeframe", "1m", "--out", "minutes.svg"]);
    assert!(!out.contains("trade") && flags("minutes.svg") == 0, "{out}");
    drawn(&shell, &["AAA-USD", "--timeframe", "1m", "--out", "minutes.png"]);
}
