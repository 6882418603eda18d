//! A conversation with the program: what it asks is read, what is typed goes through its input.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// A program that says nothing for so long says nothing any more.
const SILENCE_MAX: Duration = Duration::from_mins(2);

/// A program that asks.
pub(crate) struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
    /// Everything that it said.
    pub(crate) said: String,
    read: usize,
}

impl Talk {
    pub(crate) fn start(mut command: Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.spawn().expect("starts");
        let input = child.stdin.take();
        let mut pipe = child.stdout.take().expect("piped");
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                // Whoever listened may have heard enough.
                let _ = sender.send(text);
            }
        });
        Self { child, input, output, said: String::new(), read: 0 }
    }

    /// Reads until it says this; what stood between.
    pub(crate) fn until(&mut self, part: &str) -> String {
        loop {
            if let Some(at) = self.said[self.read..].find(part) {
                let (from, to) = (self.read, self.read + at + part.len());
                self.read = to;
                return self.said[from..to].to_owned();
            }
            let Ok(text) = self.output.recv_timeout(SILENCE_MAX) else {
                self.child.kill().expect("ended");
                panic!("it never says {part}:\n{}", self.said);
            };
            self.said.push_str(&text);
        }
    }

    pub(crate) fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("open");
        input.write_all(format!("{line}\n").as_bytes()).expect("writes");
    }

    /// There is nothing more to type; its exit code.
    pub(crate) fn end(mut self) -> (i32, String) {
        self.input = None;
        self.said.extend(self.output.iter());
        let status = self.child.wait().expect("ends");
        (status.code().unwrap_or(-1), self.said)
    }

    /// Ctrl-C at the worst moment.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("ended");
        self.child.wait().expect("gone");
    }
}
