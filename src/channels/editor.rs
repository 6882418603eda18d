//! How is a line typed? With history and completion on a terminal, plainly from a pipe.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use reedline::{
    ColumnarMenu, Completer, CompletionResult, DefaultPrompt, DefaultPromptSegment, Emacs, ExternalPrinter,
    FileBackedHistory, History, HistoryItem, KeyCode, KeyModifiers, MenuBuilder, Reedline, ReedlineEvent, ReedlineMenu,
    Signal, Span, Suggestion, default_emacs_keybindings,
};
use secrecy::SecretString;

use crate::chat::{Typed, may_be_secret};

/// How often the editor looks whether something is to be printed above its prompt.
const LOOK: Duration = Duration::from_millis(10);
/// Lines of history kept between starts.
const HISTORY_LINES: usize = 500;

/// Says how the beginning of a line could go on.
pub type Typing = Box<dyn FnMut(&str) -> Typed + Send>;

/// What came from the keyboard or the pipe.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A line.
    Text(String),
    /// Ctrl-C: the whole bot is to stop.
    Interrupt,
    /// There is no more.
    End,
}

/// Reads lines.
pub enum Editor {
    /// From a person.
    Person {
        /// The line editor.
        editor: Box<Reedline>,
        /// The way to print above its prompt.
        printer: SyncSender<String>,
        /// Where commands are remembered from one start to the next.
        history: Option<PathBuf>,
    },
    /// From a pipe.
    Pipe,
}

impl Editor {
    /// An editor for what standard input is. `typing` says what Tab offers; history is kept in `history` if that can be written.
    /// When `over` is set, it stops reading and gives the terminal back as it was.
    pub fn new(typing: Typing, history: Option<PathBuf>, over: Arc<AtomicBool>) -> Self {
        // The line editor draws on standard error: where that is a file, it would draw into it.
        if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() || !std::io::stderr().is_terminal() {
            return Self::Pipe;
        }
        let above = ExternalPrinter::new(0);
        let printer = above.sender();
        let menu = ReedlineMenu::EngineCompleter(Box::new(ColumnarMenu::default().with_name("commands")));
        let mut keys = default_emacs_keybindings();
        let next = ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu("commands".to_owned()), ReedlineEvent::MenuNext]);
        keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, next);
        let mut editor = Reedline::create()
            .with_external_printer(above)
            .with_quick_completions(true)
            .with_poll_interval(LOOK)
            .with_break_signal(over)
            .with_completer(Box::new(Tab(typing)))
            .with_menu(menu)
            .with_edit_mode(Box::new(Emacs::new(keys)));
        if let Ok(mut lines) = FileBackedHistory::new(HISTORY_LINES) {
            for line in history.as_deref().map(remembered).unwrap_or_default() {
                // A line that cannot be remembered is not worth a word.
                let _ = lines.save(HistoryItem::from_command_line(line));
            }
            editor = editor.with_history(Box::new(lines));
        }
        Self::Person { editor: Box::new(editor), printer, history }
    }

    /// The way to print above the prompt, where there is one.
    pub fn printer(&self) -> Option<SyncSender<String>> {
        match self {
            Self::Person { printer, .. } => Some(printer.clone()),
            Self::Pipe => None,
        }
    }

    /// The next line; waits for it.
    pub fn read(&mut self) -> Line {
        match self {
            Self::Person { editor, history, .. } => {
                let prompt = DefaultPrompt::new(DefaultPromptSegment::Empty, DefaultPromptSegment::Empty);
                match editor.read_line(&prompt) {
                    Ok(Signal::Success(line)) => {
                        if let Some(path) = history {
                            remember(path, &line);
                        }
                        Line::Text(line)
                    }
                    Ok(Signal::CtrlC) => Line::Interrupt,
                    Ok(_) | Err(_) => Line::End,
                }
            }
            Self::Pipe => piped(),
        }
    }

    /// A secret, without showing it: from the keyboard with no echo, from a pipe as its next line.
    pub fn read_secret(&mut self) -> Option<SecretString> {
        match self {
            Self::Person { .. } => rpassword::read_password().ok().map(|text| SecretString::from(text.trim())),
            Self::Pipe => match piped() {
                Line::Text(text) => Some(SecretString::from(text.trim())),
                Line::Interrupt | Line::End => None,
            },
        }
    }
}

/// What Tab offers.
struct Tab(Typing);

impl Completer for Tab {
    fn complete(&mut self, line: &str, pos: usize) -> CompletionResult {
        let Some(line) = line.get(..pos) else { return CompletionResult::fresh(Vec::new()) };
        let Typed { begins, choices } = (self.0)(line);
        let span = Span { start: begins.min(pos), end: pos };
        let one = |choice: crate::chat::Choice| Suggestion {
            value: choice.value,
            span,
            append_whitespace: true,
            ..Suggestion::default()
        };
        CompletionResult::fresh(choices.into_iter().map(one).collect::<Vec<_>>())
    }
}

/// The commands of earlier starts, the last of them.
fn remembered(path: &Path) -> Vec<String> {
    let lines: Vec<String> = std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect();
    lines[lines.len().saturating_sub(HISTORY_LINES)..].to_vec()
}

/// Only what begins like a command is remembered: anything else may be a PIN that was typed at the wrong prompt.
fn remember(path: &Path, line: &str) {
    let line = line.trim();
    if line.starts_with(['/', '#']) && !may_be_secret(line) {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        // A history that cannot be written is no reason to stop a conversation.
        let _ = file.and_then(|mut file| writeln!(file, "{line}"));
    }
}

/// The longest line taken from a pipe.
const PIPED_BYTES_MAX: u64 = 4096;

fn piped() -> Line {
    let mut bytes = Vec::new();
    let mut input = std::io::stdin().lock();
    match std::io::Read::take(&mut input, PIPED_BYTES_MAX).read_until(b'\n', &mut bytes) {
        Ok(0) | Err(_) => Line::End,
        Ok(_) if !bytes.ends_with(b"\n") && bytes.len() as u64 == PIPED_BYTES_MAX => {
            // The rest of a line that is too long is no line of its own, and surely no PIN.
            let _ = input.skip_until(b'\n');
            Line::Text(String::from_utf8_lossy(&bytes).into_owned())
        }
        Ok(_) => Line::Text(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Choice;

    #[test]
    fn tab_puts_a_choice_where_its_word_began() {
        let asked = |line: &str| {
            assert_eq!(line, "/whynot é a");
            Typed { begins: 11, choices: vec![Choice { value: "AAPL".to_owned(), label: "AAPL · held".to_owned() }] }
        };
        let mut tab = Tab(Box::new(asked));
        let found = tab.complete("/whynot é a and more", 12);
        let [one] = found.suggestions() else { panic!("one") };
        assert_eq!((one.value.as_str(), one.span.start, one.span.end), ("AAPL", 11, 12));
        // In the midst of a letter nothing is asked.
        assert!(tab.complete("/whynot é a", 9).suggestions().is_empty());
    }
}
