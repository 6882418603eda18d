//! Was the configuration edited? A look at its text every second; what stands still for two looks is read, checked as a whole, and
//! handed to the engine.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use crate::config::{Config, ConfigError, read, read_file};
use crate::domain::{Label, Symbol};
use crate::engine::{DeskSettings, EngineMessage, FileReader, Reload};

use super::error::chain;
use super::revoke::restricted;
use super::universe;

/// Between two looks. Whoever writes in two steps needs less.
const LOOK: Duration = Duration::from_secs(1);

/// The text, or why there is none.
type Text = Result<String, String>;

/// Watches the configuration.
#[derive(Clone)]
pub(super) struct Watch {
    /// The file, if one was named.
    named: Option<PathBuf>,
    /// What the run started with.
    config: Config,
    /// What each book watches.
    symbols: Vec<(Label, Vec<Symbol>)>,
    /// The text at the last look.
    seen: Option<Text>,
    /// The text that was handed on last.
    handled: Option<Text>,
    /// Takes away from people what a sound text does not grant.
    revoke: Option<Revoke>,
}

/// Takes away from people what a configuration does not grant.
pub(super) type Revoke = Arc<dyn Fn(&Config) + Send + Sync>;

impl Watch {
    /// Watches what `config` was read from; `desks` are the books as they trade.
    pub(super) fn new(named: Option<PathBuf>, config: Config, desks: &[DeskSettings]) -> Self {
        let symbols = desks.iter().map(|desk| (desk.name, desk.symbols.clone())).collect();
        Self { named, config, symbols, seen: None, handled: None, revoke: None }
    }

    /// Has rights that a sound text takes away end at once, whatever else becomes of the text.
    pub(super) fn revoking(self, revoke: Option<Revoke>) -> Self {
        Self { revoke, ..self }
    }

    /// Reads the text at once, when somebody asks for it.
    pub(super) fn reader(&self) -> FileReader {
        let watch = self.clone();
        Arc::new(move || {
            let missing = |error: &ConfigError| matches!(error, ConfigError::Read { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound);
            let text = read_file(watch.named.as_deref()).map_err(|error| {
                if missing(&error) {
                    format!("{error}: there is none. Write it, and /reload takes it")
                } else {
                    chain(&error)
                }
            })?;
            watch.reload(&text)
        })
    }

    /// Looks once a second until `stop` is dropped.
    pub(super) fn run(mut self, queue: &Sender<EngineMessage>, stop: &Receiver<()>) {
        while stop.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            if let Some(read) = self.look() {
                // An engine that is gone takes nothing any more.
                let _ = queue.send(EngineMessage::Reconfigure(read));
            }
        }
    }

    /// What the engine is to be told now, if anything. A text is handed on once, when it was the same at two looks. That it is the one
    /// that the run started with is for the engine to find out: it may have been edited since it was read.
    fn look(&mut self) -> Option<Result<Reload, String>> {
        let text = read_file(self.named.as_deref()).map_err(|error| chain(&error));
        let still = self.seen.as_ref() == Some(&text);
        self.seen = Some(text.clone());
        if !still || self.handled.as_ref() == Some(&text) {
            return None;
        }
        // Without a file the usual settings hold; only a file that was there can be missed.
        let never_was = self.handled.is_none() && self.named.is_none() && text.is_err();
        self.handled = Some(text.clone());
        if never_was {
            return None;
        }
        Some(text.and_then(|text| self.reload(&text)))
    }

    fn reload(&self, text: &str) -> Result<Reload, String> {
        let config = read(text, self.named.as_deref()).map_err(|error| chain(&error))?;
        if let Some(revoke) = &self.revoke {
            revoke(&config);
        }
        let restart = fixed(&self.config, &config);
        for book in &config.books {
            let watched = self.symbols.iter().find(|(name, _)| *name == book.desk.name);
            let started = self.config.books.iter().find(|was| was.desk.name == book.desk.name);
            let (Some((_, symbols)), Some(started)) = (watched, started) else { continue };
            let mut book = book.clone();
            // What the run was started with was taken then.
            let is_new = |symbol| started.desk.overrides.iter().all(|terms| terms.symbol != symbol);
            book.desk.overrides.retain(|terms| is_new(terms.symbol));
            if let Some(what) = universe::unwatched(&book, symbols) {
                return Err(what);
            }
        }
        let desks = config.books.into_iter().map(|book| {
            let known = self.symbols.iter().find(|(name, _)| *name == book.desk.name);
            DeskSettings { symbols: known.map(|(_, symbols)| symbols.clone()).unwrap_or_default(), ..book.desk }
        });
        Ok(Reload { desks: desks.collect(), restart })
    }
}

/// What is said of people where the text takes something from somebody.
const LESS: &str = "people (what was taken away from them is gone already)";

/// What is different and lies outside of the engine: threads, lists and the database took it at the start.
fn fixed(old: &Config, new: &Config) -> Vec<String> {
    let Config { people, groups, routes, books, sms, control, backups_keep, steps_days, usdt_is_usd } = new;
    let mut different = Vec::new();
    let mut note = |what: &str, same: bool| {
        if !same {
            different.push(what.to_owned());
        }
    };
    let left = restricted(old, new);
    note(if left.people == old.people { "people" } else { LESS }, old.people == *people);
    note(
        if left.groups == old.groups { "groups" } else { "groups (what was taken away is gone already)" },
        old.groups == *groups,
    );
    note("routes", old.routes == *routes);
    note("sms", old.sms == *sms);
    note("control", old.control == *control);
    note("storage.backups_keep", old.backups_keep == *backups_keep);
    note("storage.steps_days", old.steps_days == *steps_days);
    note("usdt_is_usd", old.usdt_is_usd == *usdt_is_usd);
    for book in books {
        if let Some(was) = old.books.iter().find(|was| was.desk.name == book.desk.name) {
            note(&format!("{}: what it watches", book.desk.name), was.watch == book.watch);
        }
    }
    different
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "[[books]]\nsymbols = [\"AAPL\"]\n[books.limits]\ndaily_loss_pct = 3\n";

    struct Editor {
        folder: tempfile::TempDir,
        watch: Watch,
    }

    impl Editor {
        fn open(text: Option<&str>) -> Self {
            let folder = tempfile::tempdir().expect("folder");
            let path = folder.path().join("b.toml");
            let config = text.map_or_else(Config::default, |text| read(text, None).expect("sound"));
            if let Some(text) = text {
                std::fs::write(&path, text).expect("writes");
            }
            let mut desk = config.books[0].desk.clone();
            desk.symbols = vec!["AAPL".parse().expect("symbol")];
            let mut editor = Self { folder, watch: Watch::new(Some(path), config, &[desk]) };
            if text.is_some() {
                let first = editor.settle().expect("the engine compares").expect("sound");
                assert_eq!((first.desks.len(), first.restart.len()), (1, 0));
            }
            editor
        }

        fn write(&self, text: &str) {
            std::fs::write(self.folder.path().join("b.toml"), text).expect("writes");
        }

        /// Looks until it stands still.
        fn settle(&mut self) -> Option<Result<Reload, String>> {
            let looks: Vec<_> = (0..4).filter_map(|_| self.watch.look()).collect();
            assert!(looks.len() <= 1, "told once");
            looks.into_iter().next()
        }
    }

    fn refused(read: Option<Result<Reload, String>>) -> String {
        read.expect("told").err().expect("refused")
    }

    #[test]
    fn a_sound_text_is_handed_on_once_and_a_touched_one_never() {
        let mut editor = Editor::open(Some(START));
        editor.write(START);
        assert!(editor.settle().is_none());
        editor.write(&START.replace("= 3", "= 2"));
        let reload = editor.settle().expect("told").expect("sound");
        assert_eq!(reload.desks[0].limits.daily_loss_pct, crate::domain::Ratio::from_percent(2));
        assert_eq!(reload.desks[0].symbols.len(), 1, "what is traded stays");
        assert!(reload.restart.is_empty() && editor.settle().is_none());
    }

    #[test]
    fn a_text_that_is_still_being_written_is_not_read() {
        let mut editor = Editor::open(Some(START));
        editor.write("[[books]]\nsymb");
        assert!(editor.watch.look().is_none());
        editor.write(&START.replace("= 3", "= 2"));
        assert!(editor.watch.look().is_none(), "it changed since the last look");
        assert!(editor.watch.look().expect("it stands still").is_ok());
    }

    #[test]
    fn a_mistake_is_told_once_a_text_and_the_way_back_is_open() {
        let mut editor = Editor::open(Some(START));
        editor.write(&START.replace("daily_loss_pct", "daily_los_pct"));
        assert!(refused(editor.settle()).contains("b.toml:4:1: books.limits has no key \"daily_los_pct\""));
        assert!(editor.settle().is_none());
        editor.write(START);
        assert!(editor.settle().expect("told").is_ok(), "the engine finds nothing different");
    }

    #[test]
    fn limits_of_what_is_not_watched_are_refused() {
        let usual = START.replace("symbols = [\"AAPL\"]\n", "");
        let mut editor = Editor::open(Some(&usual));
        editor.write(&format!("{usual}[books.symbol_limits.APPL]\nstop_atr = 3\n"));
        assert_eq!(
            refused(editor.settle()),
            "book main does not watch APPL, so [books.symbol_limits.APPL] means nothing: did you mean AAPL?"
        );
        editor.write(&format!("{usual}[books.symbol_limits.AAPL]\nstop_atr = 3\n"));
        assert!(editor.settle().expect("told").is_ok());
    }

    #[test]
    fn a_file_that_is_gone_is_refused_and_one_that_never_was_is_not_missed() {
        let mut editor = Editor::open(Some(START));
        std::fs::remove_file(editor.folder.path().join("b.toml")).expect("removed");
        assert!(refused(editor.settle()).starts_with("cannot read the configuration "));
        assert!(editor.settle().is_none());
        let mut watch = Watch::new(None, Config::default(), &[]);
        watch.named = Some("no such file".into());
        assert!(watch.look().is_none() && watch.look().expect("it was named").is_err());
    }

    #[test]
    fn what_the_engine_cannot_change_is_named() {
        let mut editor = Editor::open(Some(START));
        editor.write(&format!(
            "{}[storage]\nsteps_days = 3\n[[people]]\nname = \"ana\"\n\
             [[groups]]\nname = \"all\"\ntelegram = -5\n[[routes]]\nto = [\"ana:email\"]\n",
            START.replace("AAPL", "MSFT")
        ));
        let reload = editor.settle().expect("told").expect("sound");
        assert_eq!(reload.restart, [super::LESS, "groups", "routes", "storage.steps_days", "main: what it watches"]);
    }
}
