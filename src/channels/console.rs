//! The terminal as a chat: notices come out, lines go in, a PIN is asked for without echo.

use std::io::Write;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::chat::{Chat, Inbound, Person, Reply};
use crate::clock::Timestamp;
use crate::domain::Severity;
use crate::notify::{Channel, Notice, SendError};

use super::{Editor, Line};

/// How wide the text before a notice's number is.
const NUMBER_COLUMN: usize = 72;

/// Where the terminal's output goes.
enum Output {
    /// Above the prompt of a line editor.
    Above(SyncSender<String>),
    /// Plain lines.
    Plain(Mutex<Box<dyn Write + Send>>),
}

/// The terminal's output half; clones write to the same place.
#[derive(Clone)]
pub struct Console {
    output: Arc<Output>,
}

impl Console {
    /// A console that prints above an editor's prompt, or plainly where there is none.
    pub fn new(editor: &Editor) -> Self {
        let output = match editor.printer() {
            Some(printer) => Output::Above(printer),
            None => Output::Plain(Mutex::new(Box::new(std::io::stdout()))),
        };
        Self { output: Arc::new(output) }
    }

    /// A console that prints into `sink`, for tests and captures.
    pub fn into_sink(sink: Box<dyn Write + Send>) -> Self {
        Self { output: Arc::new(Output::Plain(Mutex::new(sink))) }
    }

    /// Prints a block of lines; an error if nobody can read it any more.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn print(&self, text: &str) -> std::io::Result<()> {
        match &*self.output {
            Output::Above(printer) => printer.send(text.to_owned()).map_err(|_| std::io::ErrorKind::BrokenPipe.into()),
            Output::Plain(sink) => write_block(&mut *sink.lock().unwrap_or_else(PoisonError::into_inner), text),
        }
    }

    /// Prints an answer while the editor is not reading, when nothing would show what stands above its prompt.
    fn answer(&self, text: &str) -> std::io::Result<()> {
        match &*self.output {
            Output::Above(_) => write_block(&mut std::io::stdout(), text),
            Output::Plain(_) => self.print(text),
        }
    }
}

fn write_block(sink: &mut dyn Write, text: &str) -> std::io::Result<()> {
    sink.write_all(text.as_bytes())?;
    sink.write_all(b"\n")?;
    sink.flush()
}

/// A notice as lines: the fact with its number, then the rest indented.
fn rendered(notice: &Notice) -> String {
    let mark = match notice.severity {
        Severity::Critical => "!! ",
        Severity::Warning => "! ",
        Severity::Notice | Severity::Info => "",
    };
    let mut lines = notice.lines.iter();
    let first = format!("{mark}{}", lines.next().map_or("", String::as_str));
    let mut text = format!("{first:<NUMBER_COLUMN$} {}", notice.number);
    for line in lines {
        text.push_str("\n    ");
        text.push_str(line);
    }
    text
}

#[async_trait]
impl Channel for Console {
    async fn send(&self, notice: &Notice) -> Result<(), SendError> {
        self.print(&rendered(notice)).map_err(|error| match error.kind() {
            std::io::ErrorKind::BrokenPipe => SendError::Closed,
            _ => SendError::Unreachable(error.to_string()),
        })
    }
}

/// The terminal's input half.
pub struct ConsoleInput {
    editor: Editor,
    console: Console,
    chat: Chat,
    person: Person,
    wait_for: Arc<dyn Fn(i64) -> Option<String> + Send + Sync>,
    keep: Arc<dyn Fn(&str) + Send + Sync>,
}

/// How the input ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompted {
    /// Somebody pressed Ctrl-C.
    Interrupted,
    /// There is nothing more to read; the bot goes on.
    Ended,
}

impl ConsoleInput {
    /// Reads lines of `person`. `wait_for` waits until the engine has carried a change out and says what became of it; `keep` notes each
    /// line in the inbox before it is handled.
    pub fn new(
        editor: Editor,
        console: Console,
        chat: Chat,
        person: Person,
        wait_for: Arc<dyn Fn(i64) -> Option<String> + Send + Sync>,
        keep: Arc<dyn Fn(&str) + Send + Sync>,
    ) -> Self {
        Self { editor, console, chat, person, wait_for, keep }
    }

    /// Answers lines until there are no more.
    pub fn run(&mut self) -> Prompted {
        loop {
            match self.editor.read() {
                Line::Interrupt => return Prompted::Interrupted,
                Line::End => return Prompted::Ended,
                Line::Text(line) if line.trim().is_empty() => {}
                Line::Text(line) => self.take(&line),
            }
        }
    }

    fn inbound(&self, text: &str) -> Inbound {
        Inbound { person: self.person.clone(), chat: "terminal".to_owned(), text: text.to_owned() }
    }

    fn say(&self, text: &str) {
        if let Err(error) = self.console.answer(text) {
            tracing::warn!(%error, "an answer could not be printed");
        }
    }

    fn take(&mut self, line: &str) {
        (self.keep)(line);
        let inbound = self.inbound(line);
        match self.chat.handle(&inbound) {
            Reply::Text(text) | Reply::Refused(text) => self.say(&text),
            Reply::Admitted { id } => self.say_result(id),
            Reply::Confirm { id, preview, expires } => self.ask_pin(&inbound, id, &preview, expires),
            Reply::NeedsPin => {
                if self.offer_pin() {
                    // The change is shown again, now that it can be confirmed.
                    if let Reply::Confirm { id, preview, expires } = self.chat.handle(&inbound) {
                        self.ask_pin(&inbound, id, &preview, expires);
                    }
                }
            }
        }
    }

    fn say_result(&self, id: i64) {
        match (self.wait_for)(id) {
            Some(result) => self.say(&result),
            None => self.say("recorded; the engine has not carried it out yet"),
        }
    }

    fn ask_pin(&mut self, inbound: &Inbound, id: i64, preview: &str, _expires: Timestamp) {
        self.say(&format!("{preview}\nValid for 60 s, for you, here. PIN (empty to leave it):"));
        let Some(pin) = self.editor.read_secret().filter(|pin| !secrecy::ExposeSecret::expose_secret(pin).is_empty())
        else {
            return self.say("left as it is");
        };
        match self.chat.confirm(inbound, id, &pin) {
            Ok(()) => self.say_result(id),
            Err(error) => self.say(&format!("not done: {error}")),
        }
    }

    /// Offers to set the first PIN; true if one is set now.
    fn offer_pin(&mut self) -> bool {
        self.say(
            "Changes need a PIN, and none is set yet. Type a new one (4 to 12 digits), or an empty line to leave it:",
        );
        let Some(first) = self.secret() else {
            self.say("no PIN set, nothing changed");
            return false;
        };
        self.say("Once more:");
        let same = self.secret().is_some_and(|again| {
            secrecy::ExposeSecret::expose_secret(&again) == secrecy::ExposeSecret::expose_secret(&first)
        });
        if !same {
            self.say("the two differ; no PIN set, nothing changed");
            return false;
        }
        match self.chat.set_pin(&self.person.name, None, &first) {
            Ok(()) => {
                self.say("PIN set");
                true
            }
            Err(error) => {
                self.say(&format!("no PIN set: {error}"));
                false
            }
        }
    }

    fn secret(&mut self) -> Option<secrecy::SecretString> {
        self.editor.read_secret().filter(|pin| !secrecy::ExposeSecret::expose_secret(pin).is_empty())
    }
}
