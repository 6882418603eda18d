//! The terminal as a chat: notices come out, lines go in, a PIN is asked for without echo.

use std::io::Write;
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::chat::{ACCEPTED, Chat, Inbound, Person, Place, Reply, Taken, parse};
use crate::domain::Severity;
use crate::notify::{Abilities, Channel, Failure, Post, Receipt, SendError};

use super::keep::kept_words;
use super::render_plain::typed;
use super::{Editor, Line};

/// How wide the text before a notice's number is.
const NUMBER_COLUMN: usize = 72;

/// Where the terminal's output goes.
enum Output {
    /// Above the prompt of a line editor, as long as it reads; plainly after that.
    Above(Mutex<Option<SyncSender<String>>>),
    /// Plain lines.
    Plain,
}

/// The terminal's output half; clones write to the same place.
#[derive(Clone)]
pub struct Console {
    output: Arc<Output>,
}

impl Console {
    /// A console that prints above an editor's prompt, or plainly where there is none.
    pub fn new(editor: &Editor) -> Self {
        let output = editor.printer().map_or(Output::Plain, |printer| Output::Above(Mutex::new(Some(printer))));
        Self { output: Arc::new(output) }
    }

    /// Prints a notice and returns when the editor has taken it to the screen; an error if nobody can read it any more.
    fn print(&self, text: &str) -> std::io::Result<()> {
        match self.printer() {
            // Handed over only when the editor takes it, so that what is marked as sent was seen.
            Some(printer) if printer.send(text.to_owned()).is_ok() => Ok(()),
            _ => write_block(text),
        }
    }

    /// Prints at once, past an editor that may be busy: for what cannot wait. Every line begins at the left edge, whatever state the
    /// terminal is in.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn urgent(&self, text: &str) -> std::io::Result<()> {
        match &*self.output {
            Output::Above(_) => write_block(&format!("\r\n{text}\r")),
            Output::Plain => write_block(text),
        }
    }

    fn printer(&self) -> Option<SyncSender<String>> {
        match &*self.output {
            Output::Above(printer) => printer.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            Output::Plain => None,
        }
    }

    /// While the editor does not read, notices are printed plainly: nothing would take them above its prompt.
    fn set_printer(&self, printer: Option<SyncSender<String>>) {
        if let Output::Above(current) = &*self.output {
            *current.lock().unwrap_or_else(PoisonError::into_inner) = printer;
        }
    }
}

fn write_block(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Answers while the editor is not reading, when nothing would show what stands above its prompt.
fn say(text: &str) {
    if let Err(error) = write_block(text) {
        tracing::warn!(%error, "an answer could not be printed");
    }
}

/// A message as lines: the fact with its number, then the rest indented, and last what its buttons would type: a number of a choice
/// could be taken for a PIN, and would mean something else once another message is below.
fn rendered(post: &Post) -> String {
    let mark = match post.severity {
        Severity::Critical => "!! ",
        Severity::Warning => "! ",
        Severity::Notice | Severity::Info => "",
    };
    let lines = post.message.plain_lines();
    let Some(number) = post.number else { return lines.join("\n") };
    let typed = typed(&post.message);
    let mut lines = lines.iter().chain(&typed);
    let first = format!("{mark}{}", lines.next().map_or("", String::as_str));
    let mut text = format!("{first:<NUMBER_COLUMN$} {number}");
    for line in lines {
        text.push_str("\n    ");
        text.push_str(line);
    }
    text
}

#[async_trait]
impl Channel for Console {
    fn abilities(&self) -> Abilities {
        Abilities { edits: false, buttons: false, finds: false, allowance: None }
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        // An output that takes nothing now will take nothing later: the next start has another.
        self.print(&rendered(post)).map_err(|_| Failure::from(SendError::Closed))?;
        Ok(Receipt::default())
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
    /// A command that was typed where a PIN was asked for; it comes next.
    next: Option<String>,
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
        Self { editor, console, chat, person, wait_for, keep, next: None }
    }

    /// Answers lines until there are no more.
    pub fn run(mut self) -> Prompted {
        loop {
            let line = match self.next.take() {
                Some(line) => Line::Text(line),
                None => self.editor.read(),
            };
            self.console.set_printer(None);
            match line {
                Line::Interrupt => return Prompted::Interrupted,
                Line::End => return Prompted::Ended,
                Line::Text(line) if line.trim().is_empty() => {}
                Line::Text(line) => self.take(&line),
            }
            self.console.set_printer(self.editor.printer());
        }
    }

    fn inbound(&self, text: &str) -> Inbound {
        Inbound {
            person: self.person.clone(),
            place: Place::Machine,
            chat: "terminal".to_owned(),
            text: text.to_owned(),
        }
    }

    fn take(&mut self, line: &str) {
        (self.keep)(line);
        let inbound = self.inbound(line);
        match self.chat.handle(&inbound) {
            Reply::Text(text) | Reply::Refused(text) | Reply::Failed { what: text, .. } => say(&text),
            Reply::Message(message) => say(&kept_words(&message, Path::new(""))),
            Reply::Admitted { id } => self.say_result(id),
            Reply::Confirm { id, preview } => self.ask_pin(&inbound, id, &preview),
            Reply::NeedsPin => {
                if self.offer_pin() {
                    // The change is shown again, now that it can be confirmed.
                    if let Reply::Confirm { id, preview } = self.chat.handle(&inbound) {
                        self.ask_pin(&inbound, id, &preview);
                    }
                }
            }
        }
    }

    fn say_result(&self, id: i64) {
        match (self.wait_for)(id) {
            Some(result) => say(&result),
            None => say("recorded; the engine has not carried it out yet"),
        }
    }

    fn ask_pin(&mut self, inbound: &Inbound, id: i64, preview: &str) {
        let ask = match self.chat.ask_of(inbound, id) {
            Ok(ask) => ask,
            Err(error) => return say(&self.chat.not_done(inbound, &error)),
        };
        say(&format!("{preview}\nValid for {} s, for you, here. Type {ask} (empty to leave it):", ask.valid_s));
        let Some(pin) = self.secret() else {
            return say("left as it is");
        };
        match self.chat.confirm(inbound, id, &pin) {
            Ok(Taken::Next(next)) => self.ask_pin(inbound, next, "Next:"),
            Ok(taken) => {
                say(ACCEPTED);
                if let Some(words) = self.chat.follow_up(inbound, taken, |id| (self.wait_for)(id)) {
                    say(&words);
                }
            }
            Err(error) => say(&self.chat.not_done(inbound, &error)),
        }
    }

    /// Offers to set the first PIN; true if one is set now.
    fn offer_pin(&mut self) -> bool {
        say("Changes need a PIN, and none is set yet. Type a new one (4 to 12 digits), or an empty line to leave it:");
        let Some(first) = self.secret() else {
            say("no PIN set, nothing changed");
            return false;
        };
        if let Err(why) = Chat::judge_pin(&first) {
            say(&format!("no PIN set: {why}"));
            return false;
        }
        say("Once more:");
        let same = self.secret().is_some_and(|again| again.expose_secret() == first.expose_secret());
        if !same {
            say("the two differ; no PIN set, nothing changed");
            return false;
        }
        let held = match self.chat.held(&self.person.name) {
            Ok(Some(factors)) => {
                say(&format!("Type {factors}:"));
                self.secret()
            }
            _ => None,
        };
        match self.chat.set_pin(&self.person.name, held.as_ref(), &first) {
            Ok(()) => {
                say("PIN set");
                true
            }
            Err(error) => {
                say(&format!("no PIN set: {error}"));
                false
            }
        }
    }

    /// Digits typed without echo; none for anything else. A command typed there is meant as one, "stop" above all; whatever else it was may
    /// be a mistyped PIN and is forgotten.
    fn secret(&mut self) -> Option<SecretString> {
        let typed = self.editor.read_secret()?;
        let text = typed.expose_secret();
        if text.is_empty() {
            return None;
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(typed);
        }
        if parse(text).is_ok() {
            self.next = Some(text.to_owned());
        } else {
            say("a PIN has digits only");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Button, Message, NoticeId};

    #[test]
    fn what_could_be_pressed_elsewhere_stands_there_to_be_typed() {
        let message = Message::of_lines(["HALTED main: by ana".to_owned(), "/resume lets it go on".to_owned()]);
        let [ack, resume] = [Button::new("Acknowledge", "/ack N7"), Button::new("Resume", "/resume")];
        let mut post = Post {
            message: message.with_buttons(vec![ack, resume]),
            number: Some(NoticeId(7)),
            severity: Severity::Critical,
            kind: None,
            again: None,
            book: None,
            silent: false,
            reply_to: None,
            edit: None,
            keys: Vec::new(),
            parts_done: 0,
            delivery: 1,
        };
        let lines: Vec<String> = rendered(&post).lines().map(str::to_owned).collect();
        assert!(lines[0].starts_with("!! HALTED main: by ana") && lines[0].ends_with(" N7"), "{lines:?}");
        assert_eq!(lines[1..], ["    /resume lets it go on", "    Acknowledge: /ack N7"]);
        post.message.buttons.clear();
        assert_eq!(rendered(&post).lines().count(), 2);
    }
}
