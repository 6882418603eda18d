//! Who may name whom, and what may not reach what: the table of docs/ARCHITECTURE.md as a test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each module and what it may name. Arrows only go up.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("domain", &["clock"]),
    ("stats", &["clock", "domain"]),
    ("indicators", &["clock", "domain"]),
    ("strategy", &["domain", "indicators"]),
    ("market", &["clock", "domain"]),
    ("risk", &["clock", "domain"]),
    ("portfolio", &["clock", "domain"]),
    ("execution", &["clock", "domain", "risk"]),
    ("store", &["clock", "domain"]),
    ("control", &["clock", "domain", "store"]),
    (
        "engine",
        &[
            "clock",
            "control",
            "domain",
            "execution",
            "indicators",
            "market",
            "portfolio",
            "risk",
            "stats",
            "store",
            "strategy",
        ],
    ),
    ("chart", &["clock", "domain"]),
    (
        "backtest",
        &["chart", "clock", "domain", "engine", "execution", "market", "portfolio", "risk", "stats", "strategy"],
    ),
    ("views", &["notify", "clock", "domain", "portfolio", "stats", "store"]),
    ("notify", &["clock", "domain", "store"]),
    ("web", &["clock", "domain", "views"]),
    ("chat", &["clock", "control", "domain", "store", "strategy", "views"]),
    ("channels", &["chat", "clock", "domain", "notify"]),
    ("config", &["chat", "control", "domain", "engine", "notify", "risk", "strategy"]),
    ("cli", &["backtest", "clock", "domain", "engine"]),
    (
        "app",
        &[
            "backtest",
            "channels",
            "chart",
            "chat",
            "cli",
            "clock",
            "config",
            "control",
            "domain",
            "engine",
            "execution",
            "indicators",
            "market",
            "notify",
            "risk",
            "stats",
            "store",
            "strategy",
            "views",
            "web",
        ],
    ),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Module, path and code of each source file, without its comments.
fn sources() -> Vec<(String, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let inside = path.strip_prefix(&root).expect("inside").to_string_lossy().replace('\\', "/");
        let module = inside.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&path).expect("readable");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        (module, inside, code)
    };
    found.into_iter().map(read).collect()
}

fn named(code: &str) -> BTreeSet<String> {
    let first_name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    code.split("crate::").skip(1).map(first_name).collect()
}

fn may_name(module: &str) -> &'static [&'static str] {
    MAY_NAME.iter().find(|(name, _)| *name == module).unwrap_or_else(|| panic!("{module} needs a row")).1
}

#[test]
fn modules_name_only_what_they_may() {
    for (module, path, code) in sources().iter().filter(|(module, ..)| module != "lib" && module != "main") {
        assert!(!code.contains("use crate::{"), "{path}: one use line a module");
        assert!(!code.contains("super::super"), "{path}: folders are two levels deep");
        for name in named(code) {
            assert!(name == *module || may_name(module).contains(&name.as_str()), "{path} may not name {name}");
        }
    }
}

/// Everything a module reaches, however far.
fn closure(module: &str) -> BTreeSet<&'static str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = may_name(module).to_vec();
    while let Some(next) = open.pop() {
        let (name, further) = MAY_NAME.iter().find(|(name, _)| *name == next).expect("a row each");
        if reached.insert(*name) {
            open.extend(*further);
        }
    }
    reached
}

#[test]
fn talkers_cannot_reach_execution() {
    for from in ["chat", "channels", "notify", "views", "web"] {
        for forbidden in ["execution", "risk", "engine"] {
            assert!(!closure(from).contains(forbidden), "{from} reaches {forbidden}");
        }
    }
    for from in ["notify", "views", "web", "store"] {
        assert!(!closure(from).contains("control"), "{from} reaches control");
    }
}

#[test]
fn the_table_has_no_circle() {
    for (module, _) in MAY_NAME {
        assert!(!closure(module).contains(module), "{module} reaches itself");
    }
}

/// The two proofs are made in one file each, and the door that gives an approval back is used by recovery alone.
#[test]
fn proofs_are_made_where_they_belong() {
    for (what, home) in [
        ("ExecutionRequest {", "risk/review.rs"),
        ("Confirmed {", "control/claim.rs"),
        ("take_up_again(", "engine/recovery.rs"),
    ] {
        for (_, path, code) in sources() {
            let made =
                code.lines().any(|line| line.contains(what) && !line.contains("struct") && !line.contains("impl"));
            assert!(!made || path == home || (path == "risk/review.rs"), "{path} has \"{what}\"");
        }
    }
}

/// What an asker may see is decided where views get it from.
#[test]
fn views_read_through_the_ledger() {
    for (_, path, code) in sources().iter().filter(|(module, ..)| module == "views") {
        let opens = code.contains("Reader::open") && path != "views/open.rs";
        let keeps = code.contains("Reader") && !matches!(path.as_str(), "views/open.rs" | "views/ledger.rs");
        assert!(!opens && !keeps, "{path} reads past the ledger");
    }
}

#[test]
fn all_sql_is_in_the_store() {
    for (module, path, code) in sources().iter().filter(|(module, ..)| module != "store") {
        for word in ["SELECT ", "INSERT ", "UPDATE ", "DELETE FROM", "rusqlite"] {
            assert!(!code.contains(word), "{path} of {module} has SQL: {word}");
        }
    }
}

/// The places at which a test may end the program are those that the page lists.
#[test]
fn kill_points_are_the_ones_that_are_listed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ARCHITECTURE.md");
    let page = std::fs::read_to_string(path).expect("readable");
    let chapter = page.split("\n## ").find(|chapter| chapter.starts_with("Kill points")).expect("a chapter");
    let listed: BTreeSet<&str> = chapter.split('`').skip(1).step_by(2).filter(|word| word.contains(": ")).collect();
    let all = sources();
    let calls = all.iter().flat_map(|(.., code)| code.split("pass(\"").skip(1));
    let passed: BTreeSet<&str> = calls.filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(listed, passed);
}

#[test]
fn every_file_is_part_of_the_crate() {
    let all = sources();
    for (module, path, _) in &all {
        let stem = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        let parent = if path.contains('/') { format!("{module}/mod.rs") } else { "lib.rs".to_owned() };
        if matches!(stem, "mod" | "lib" | "main") {
            continue;
        }
        let code = &all.iter().find(|(_, path, _)| *path == parent).expect("a parent").2;
        assert!(code.contains(&format!("mod {stem};")), "{path} is in no mod line of {parent}");
    }
}
