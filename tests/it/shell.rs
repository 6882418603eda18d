//! The program as a shell sees it: output, exit codes, errors that say what to do.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use bellwether::store::Lease;

use crate::support::{Shell, seen, walk, write_prices};

const QUICK: &[&str] = &["run", "--cycles", "200", "--speed", "max"];

#[test]
fn the_first_run_trades_tells_and_ends_well_and_the_second_goes_on() {
    let shell = Shell::new();
    let (code, out, _) = shell.run(QUICK);
    assert_eq!(code, 0);
    assert!(out.starts_with("Started on sim") && out.contains("Bought ") && out.contains("· sim"), "{out}");
    let (code, out, _) = shell.run(&["run", "--cycles", "50", "--speed", "max"]);
    assert_eq!(code, 0);
    assert!(out.contains("Stopped after 50 cycles"), "{out}");
    let (code, out, _) = shell.run(&["command", "/runs"]);
    assert!(code == 0 && out.contains("cycles 1 to 200") && out.contains("cycles 201 to 250"), "{out}");
}

#[test]
fn views_answer_while_nothing_runs_and_wrong_words_exit_with_two() {
    let shell = Shell::new();
    let (code, _, err) = shell.run(&["command", "/status"]);
    assert!(code == 1 && err.contains("there is no database") && err.contains("hint: "), "{err}");
    shell.run(QUICK);
    for asked in [
        "/status",
        "/positions",
        "/orders",
        "/trades",
        "/pnl all",
        "/watchlist",
        "/schedule",
        "/runs",
        "/health",
        "/help",
    ] {
        let (code, out, err) = shell.run(&["command", asked]);
        assert!(code == 0 && !out.is_empty() && err.is_empty(), "{asked}: {out}{err}");
    }
    let (code, _, err) = shell.run(&["command", "/positons"]);
    assert!(code == 2 && err.contains("did you mean /positions?"), "{err}");
    assert_eq!(shell.run(&["frobnicate"]).0, 2);
    let (code, _, err) = shell.run(&["command", "/cycle dry"]);
    assert!(code == 1 && err.contains("the bot is not running"), "{err}");
    let (code, out, _) = shell.run(&["command", "/halt"]);
    assert!(code == 0 && out.contains("will obey it before its first cycle"), "{out}");
    let (code, out, _) = shell.run(&["run", "--cycles", "5", "--speed", "max"]);
    assert!(code == 0 && out.contains("HALTED main: by owner"), "{out}");
}

#[test]
fn a_database_belongs_to_one_feed_and_to_one_runner() {
    let shell = Shell::new();
    shell.run(QUICK);
    let (code, _, err) = shell.run(&["run", "--seed", "2", "--cycles", "5", "--speed", "max"]);
    assert!(code == 1 && err.contains("belongs to another feed") && err.contains("--fresh"), "{err}");
    let (code, _, err) = shell.run(&["run", "--seed", "2", "--cycles", "5", "--speed", "max", "--fresh"]);
    assert!(code == 0 && err.contains("the old database is kept as"), "{err}");
    let lease = Lease::take(&shell.path().join("bellwether.db")).expect("free");
    let (code, _, err) = shell.run(QUICK);
    assert!(code == 1 && err.contains("another bellwether is running"), "{err}");
    drop(lease);
}

#[test]
fn what_cannot_be_is_refused_with_what_to_do() {
    let shell = Shell::new();
    let (code, _, err) = shell.run(&["run", "--mode", "live"]);
    assert!(code == 2 && err.contains("no live broker"), "{err}");
    shell.write("bellwether.toml", "[[books]]\ncapitol = 5\n");
    let (code, _, err) = shell.run(QUICK);
    assert!(code == 2 && err.contains("bellwether.toml:2:1") && err.contains("did you mean \"capital\"?"), "{err}");
    shell.write("bellwether.toml", "[[books]]\n[books.symbol_limits.APPL]\nstop_atr = 3\n");
    let (code, _, err) = shell.run(QUICK);
    assert!(code == 2 && err.contains("does not watch APPL") && err.contains("did you mean AAPL?"), "{err}");
    std::fs::remove_file(shell.path().join("bellwether.toml")).expect("removed");
    let (code, _, err) = shell.run(&["run", "--data", "nowhere"]);
    assert!(code == 1 && err.contains("nowhere") && err.contains("hint: "), "{err}");
    let shell = Shell::new();
    shell.write("bellwether.db", "this is not a database but a text of some length");
    let (code, _, err) = shell.run(QUICK);
    assert!(code == 1 && err.contains("damaged") && err.contains("restore"), "{err}");
}

#[test]
fn copies_are_checked_on_both_ways() {
    let shell = Shell::new();
    shell.run(QUICK);
    assert_eq!(shell.run(&["migrate"]).1, shell.run(&["migrate"]).1);
    assert_eq!(shell.run(&["backup", "copy.db"]).0, 0);
    assert!(shell.run(&["command", "/readiness"]).1.contains("restore from backup: not done"));
    let before = shell.run(&["command", "/trades"]).1;
    shell.run(&["run", "--cycles", "100", "--speed", "max"]);
    let (code, out, _) = shell.run(&["restore", "copy.db"]);
    assert!(code == 0 && out.contains("what was there is kept as"), "{out}");
    assert_eq!(shell.run(&["command", "/trades"]).1, before);
    assert!(shell.run(&["command", "/readiness"]).1.contains("restore from backup: done at "));
    let (code, _, err) = shell.run(&["backup", "bellwether.db"]);
    assert!(code == 1 && err.contains("is in use"), "{err}");
    shell.write("notes.txt", "not to be replaced");
    assert_eq!(shell.run(&["backup", "notes.txt"]).0, 1);
    shell.write("bad.db", "no database");
    let (code, _, err) = shell.run(&["restore", "bad.db"]);
    assert!(code == 1 && err.contains("cannot be brought back"), "{err}");
    assert_eq!(shell.run(&["command", "/trades"]).1, before, "nothing was half-applied");
    assert_eq!(shell.run(&["audit", "verify"]).0, 0);
}

#[test]
fn no_mistake_in_settings_keeps_anybody_from_stopping() {
    let shell = Shell::new();
    let one_cycle = &["run", "--cycles", "1", "--speed", "max"];
    let people = "[[people]]\nname = \"ana\"\nrole = \"owner\"\nzone = \"UTC\"\n";
    shell.write("bellwether.toml", people);
    shell.run(one_cycle);
    shell.write("bellwether.toml", "fone = 12\n");
    let mut command = shell.command(&["command", "/halt", "--as", "ana"]);
    // And that service is set up by halves.
    let (code, _, err) = seen(command.env("TWILIO_FROM", "+15005550006").output().expect("runs"));
    assert!(code == 0 && err.contains("halted all the same") && err.contains("fone"), "{err}");
    shell.write("bellwether.toml", people);
    let (_, out, _) = shell.run(one_cycle);
    assert!(out.contains("HALTED main"), "{out}");
}

#[test]
fn lists_are_taken_whole_or_not_at_all() {
    let shell = Shell::new();
    shell.write("bad.csv", "symbol,name,asset_class,sector\nAAPL,Apple,us_equity,Technology\nAAPL,Again,us_equity,X\n");
    let (code, _, err) = shell.run(&["watchlist", "import", "bad.csv"]);
    assert!(code == 1 && err.contains("line 3: AAPL repeats line 2"), "{err}");
    shell.write(
        "good.csv",
        "symbol,name,asset_class,sector\nAAPL,Apple,us_equity,Technology\nBTC-USD,Bitcoin,crypto,Crypto\n",
    );
    assert_eq!(shell.run(&["watchlist", "import", "good.csv"]).0, 0);
    assert_eq!(shell.run(&["watchlist", "export"]).1.lines().count(), 3);
    let (_, out, _) = shell.run(&["run", "--cycles", "3", "--speed", "max"]);
    assert!(out.contains("2 symbols"), "{out}");
    assert!(shell.run(&["watchlist", "sync"]).1.contains("added"));
}

#[test]
fn price_files_are_looked_over() {
    let shell = Shell::new();
    shell.write("X.1d.csv", "timestamp,open,high,low,close,volume\n2024-01-02,1,2,1,NaN,5\n");
    let (code, out, _) = shell.run(&["data", "check", "X.1d.csv"]);
    assert!(code == 1 && out.contains("X.1d.csv:2: error:") && out.contains("close"), "{out}");
    let (code, out, _) = shell.run(&["data", "check", "X.1d.csv", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&out).expect("one JSON document");
    assert!(code == 1 && report["errors"] == 1, "{out}");
    let (code, _, err) = shell.run(&["run", "--data", ".", "--speed", "max"]);
    assert!(code == 1 && err.contains("X.1d.csv:2: error:"), "{err}");
    assert_eq!(shell.run(&["indicators", "X.1d.csv"]).0, 1);
}

/// The running engine ranks the list anew and leaves it as it is; pins are on the list, and bans off it.
#[test]
fn a_fresh_ranking_can_be_asked_for() {
    let shell = Shell::new();
    shell.write("bellwether.toml", "[[books]]\npins = [\"TSLA\"]\nbans = [\"KO\"]\n[books.screener]\ntop = 5\n");
    let mut child = shell
        .command(&["run", "--speed", "600", "--cycles", "30"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let lines = "/screener now\n/screener now big\n";
    child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("writes");
    let (code, out, err) = seen(child.wait_with_output().expect("ends"));
    assert_eq!(code, 0, "{err}");
    for part in [
        "main screened 28 symbols at 2024-01-08 09:3",
        "0 chosen of at most 5, 27 may be entered",
        "- TSLA in (pinned; 2 of 21 days known)",
        "- KO out (banned)",
        "Nothing was changed",
        "there is no book big with a screener",
        "The screener of main chose nobody of 28 symbols",
    ] {
        assert!(out.contains(part), "{part}:\n{out}");
    }
    let (code, out, _) = shell.run(&["command", "/screener"]);
    assert!(code == 0 && out.contains("main screened 28 symbols at 2024-01-08 09:31 EST"), "{out}");
    let (code, _, err) = shell.run(&["command", "/screener now"]);
    assert!(code == 1 && err.contains("only a running engine can answer /screener now"), "{err}");
}

/// A script drives the terminal: it stops, sets its first PIN, resumes, and reads what happened.
#[test]
fn plain_lines_drive_the_terminal() {
    let shell = Shell::new();
    let mut child = shell
        .command(&["run", "--speed", "600", "--cycles", "60"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let lines = "/start\nstop now\n/resume\n2846\n2846\n2846\n/resume\n/cycle dry\n/whynot AAPL\nnonsense\n73915826\nstop\n/resume\nstop\n";
    child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("writes");
    let (code, out, err) = seen(child.wait_with_output().expect("ends"));
    assert_eq!(code, 0, "{err}");
    for part in [
        "bellwether trades on paper",
        "HALTED main: by owner",
        "Resume main? It is halted (by owner)",
        "PIN set",
        "running: main",
        "main is running again; it was halted",
        "Nothing was submitted",
        "commands begin with a slash",
    ] {
        assert!(out.contains(part), "{part}:\n{out}");
    }
    assert_eq!(out.matches("HALTED main").count(), 2, "the second stop at the prompt finds it halted:\n{out}");
    assert!(!out.contains("wrong PIN") && !out.contains("2846"), "{out}");
    let bytes = std::fs::read(shell.path().join("bellwether.db")).expect("readable");
    assert!(!bytes.windows(8).any(|window| window == b"73915826"), "digits at the wrong prompt are not kept");
}

/// The configuration is edited while the bot runs: a change is taken and told, a mistake is told and changes nothing.
#[test]
fn the_configuration_is_taken_without_a_restart() {
    let shell = Shell::new();
    let text = |limit: &str| format!("[[books]]\nsymbols = [\"AAPL\", \"BTC-USD\"]\n[books.limits]\n{limit}\n");
    shell.write("bellwether.toml", &text("daily_loss_pct = 3"));
    // One cycle a second: if nothing is told it ends by itself.
    let mut child =
        shell.command(&["run", "--speed", "60", "--cycles", "90"]).stdout(Stdio::piped()).spawn().expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut until = |part: &str| {
        let told: Vec<String> =
            lines.by_ref().map(|line| line.expect("text")).take_while(|line| !line.contains(part)).collect();
        assert!(
            told.iter().all(|line| !line.starts_with("Stopped after")),
            "{part} was never told:\n{}",
            told.join("\n")
        );
    };
    until("Started on sim");
    shell.write("bellwether.toml", &text("daily_loss_pct = 2"));
    until("main: daily_loss_pct 3 -> 2");
    shell.write("bellwether.toml", &text("daily_los_pct = 1"));
    until("The changed configuration is refused, the old one stays");
    until("bellwether.toml:4:1: books.limits has no key \"daily_los_pct\"");
    child.kill().expect("ended");
    child.wait().expect("gone");
}

#[test]
fn a_symbol_whose_prices_ended_is_told_apart_from_one_that_is_not_watched() {
    let shell = Shell::new();
    write_prices(shell.path(), "AAA-USD", &walk(100, 41));
    write_prices(shell.path(), "BBB-USD", &walk(400, 42));
    let (from, pace) = (["--from", "2020-06-01"], ["--speed", "max", "--cycles", "100", "--no-console"]);
    let (code, _, err) = shell.run(&[&["run", "--data", "."], &from[..], &pace[..]].concat());
    assert_eq!(code, 0, "{err}");
    let told = |symbol: &str| {
        let (_, out, err) = shell.run(&["command", &format!("/whynot {symbol}")]);
        out + &err
    };
    let ended = told("AAA-USD");
    assert!(ended.contains("The prices of AAA-USD ended at 2020-04-09 20:00 EDT: nothing is decided on it"), "{ended}");
    assert!(told("BBB-USD").contains("main: sma_cross") && !told("BBB-USD").contains("ended"), "{}", told("BBB-USD"));
    assert!(told("CCC-USD").contains("CCC-USD is not watched"), "{}", told("CCC-USD"));
}

#[test]
fn a_picture_and_a_file_are_written_beside_what_is_there_and_of_what_is_theirs() {
    let shell = Shell::new();
    shell.write(
        "bellwether.toml",
        "[[people]]\nname = \"ana\"\n[[people]]\nname = \"bo\"\nbooks = [\"main\"]\n[[books]]\nname = \"main\"\n[[books]]\nname = \"zeta\"\n",
    );
    assert_eq!(shell.run(&["run", "--cycles", "600", "--speed", "max", "--no-console"]).0, 0);
    let told = |line: &str| {
        let (code, out, err) = shell.run(&["command", line]);
        assert_eq!(code, 0, "{line}: {err}");
        out
    };
    for (line, name) in [
        ("/chart btc-usd", "BTC-USD-1m.png"),
        ("/chart BTC-USD", "BTC-USD-1m-2.png"),
        ("/chart equity zeta", "equity.png"),
    ] {
        assert!(told(line).contains(&format!("Written to {name}\n")), "{line}");
        assert!(std::fs::read(shell.path().join(name)).expect("there").starts_with(b"\x89PNG"), "{name}");
    }
    assert!(told("/trades csv").contains("Written to trades.csv\n"));
    let file = std::fs::read_to_string(shell.path().join("trades.csv")).expect("there");
    let (rows, all) = (file.lines().skip(1).count(), told("/trades 1"));
    assert!(rows > 5 && all.starts_with(&format!("{rows} closed trades")), "{all}");
    assert!(
        file.contains(",main\n") && file.contains(",zeta\n") && file.lines().all(|line| line.split(',').count() == 15)
    );
    let of_bo = |line: &str| shell.run(&["command", "--as", "bo", line]);
    let (code, _, err) = of_bo("/chart equity zeta");
    assert_eq!((code, err.contains("there are main")), (2, true), "{err}");
    of_bo("/trades csv");
    let own = std::fs::read_to_string(shell.path().join("trades-2.csv")).expect("there");
    assert!(own.contains(",main\n") && !own.contains(",zeta\n"));
}

#[test]
fn mistakes_are_told_in_whole_sentences() {
    let shell = Shell::new();
    let (code, _, err) = shell.run(&["pin", "set", "zoe"]);
    assert!(code == 2 && err.contains("there is no person \"zoe\"; known are: owner"), "{err}");
    assert_eq!(shell.run(&["pair", "owner"]).0, 0, "makes the database");
    let (code, _, err) = shell.run(&["command", "/less CAT"]);
    assert!(code == 2 && err.contains("there is no kind of message \"CAT\". /route lists them"), "{code} {err}");
    shell.write(".env", "# mine\nA B\n");
    let (code, _, err) = shell.run(&["health"]);
    assert!(code == 2 && err.contains("line 2 of the file .env is not NAME=value"), "{code} {err}");
}
