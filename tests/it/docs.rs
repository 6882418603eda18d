//! The docs that repeat a table are what the table says.

use std::path::Path;

use bellwether::config::reference;

#[test]
fn configuration_page_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CONFIGURATION.md");
    #[expect(clippy::disallowed_methods, reason = "the switch that rewrites the page")]
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(&path, reference()).expect("writes");
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(page == reference(), "docs/CONFIGURATION.md is out of date: UPDATE_DOCS=1 cargo test configuration_page");
}

#[test]
fn the_examples_of_the_configuration_page_can_be_loaded() {
    let page = reference();
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("b.toml");
    std::fs::write(&path, example).expect("writes");
    let config = bellwether::config::load(Some(&path)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.books[0].desk.strategies.len(), 2);
}
