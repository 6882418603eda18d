//! The docs that repeat a table are what the table says.

use std::path::Path;

use bellwether::config::{Config, ENVIRONMENT, env_example, reference};
use bellwether::indicators;
use bellwether::strategy::{STRATEGIES, guide};

/// The file is the generated one.
fn is_current(name: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    #[expect(clippy::disallowed_methods, reason = "the switch that rewrites the page")]
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(&path, generated).expect("writes");
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(page == generated, "{name} is out of date: UPDATE_DOCS=1 cargo test --test it -- docs::");
}

/// The examples of a page, each loaded.
fn examples(page: &str) -> Vec<Config> {
    let load = |text: &str| {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("b.toml");
        std::fs::write(&path, text.split("```").next().unwrap_or_default()).expect("writes");
        bellwether::config::load(Some(&path)).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    page.split("```toml\n").skip(1).map(load).collect()
}

#[test]
fn configuration_page_is_what_the_tables_say() {
    is_current("docs/CONFIGURATION.md", &reference());
}

#[test]
fn the_example_of_an_environment_is_what_the_table_says() {
    is_current(".env.example", &env_example());
    let lines: Vec<String> = env_example().lines().map(str::to_owned).collect();
    for variable in ENVIRONMENT {
        let at = lines.iter().position(|line| line.starts_with(&format!("# {}=", variable.name)));
        let at = at.unwrap_or_else(|| panic!("{} is in no line", variable.name));
        assert!(lines[at - 2].is_empty() && lines[at - 1].contains(variable.help), "one comment line each");
    }
}

#[test]
fn commands_page_is_what_the_table_says() {
    is_current("docs/COMMANDS.md", &bellwether::chat::manual());
}

#[test]
fn strategies_page_is_what_the_tables_say() {
    is_current("docs/STRATEGIES.md", &guide());
}

#[test]
fn indicators_page_is_what_the_table_says() {
    is_current("docs/INDICATORS.md", &indicators::guide());
}

#[test]
fn the_examples_of_the_configuration_page_can_be_loaded() {
    let configs = examples(&reference());
    assert_eq!(configs.iter().map(|config| config.books[0].desk.strategies.len()).collect::<Vec<_>>(), [1, 2]);
    let told = &configs[0];
    assert_eq!((told.people.len(), told.groups.len(), told.routes.len()), (2, 1, 3));
}

/// Each example sets every parameter of its strategy to its default.
#[test]
fn the_examples_of_the_strategies_page_can_be_loaded() {
    let configs = examples(&guide());
    assert_eq!(configs.len(), STRATEGIES.len());
    for (config, kind) in configs.iter().zip(STRATEGIES) {
        let set = &config.books[0].desk.strategies[0];
        assert_eq!(set.kind.name, kind.name);
        let defaults: Vec<_> = kind.params.iter().map(|param| (param.name, param.default)).collect();
        assert_eq!(set.values.iter().collect::<Vec<_>>(), defaults);
    }
}

/// What follows each place of `lead` in a text, as far as it is a word in small letters.
fn words_after<'a>(text: &'a str, lead: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(lead).map(move |(at, _)| {
        let rest = &text[at + lead.len()..];
        &rest[..rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len())]
    })
}

/// The pages that say what to type name commands that there are.
#[test]
fn what_the_runbooks_say_can_be_typed() {
    use clap::CommandFactory;
    let shell = bellwether::cli::Cli::command();
    let shell: Vec<&str> = shell.get_subcommands().map(clap::Command::get_name).collect();
    let chat: Vec<&str> = bellwether::chat::COMMANDS.iter().map(|command| command.name).collect();
    for page in ["TELEGRAM.md", "RUNBOOK.md", "deploy/README.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
        let text = std::fs::read_to_string(path).expect("there");
        let mut seen = 0;
        for lead in ["`bellwether ", "\nbellwether ", "&& bellwether ", "exec bellwether bellwether "] {
            for word in words_after(&text, lead).filter(|word| !word.is_empty()) {
                assert!(shell.contains(&word), "{page}: bellwether {word}");
                seen += 1;
            }
        }
        for word in words_after(&text, "`/")
            .filter(|word| !word.is_empty() && !["metrics", "newbot", "revoke", "var", "etc"].contains(word))
        {
            assert!(chat.contains(&word), "{page}: /{word}");
            seen += 1;
        }
        assert!(seen > 3, "{page} names no command");
    }
}
