//! A conversation with the program: what it asks is read, what is typed goes through its input.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A program that asks.
pub(crate) struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    /// Everything that it said.
    pub(crate) said: String,
    read: usize,
}

impl Talk {
    pub(crate) fn start(mut command: Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.spawn().expect("starts");
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("piped"));
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
            let mut bytes = [0; 4096];
            let count = self.output.read(&mut bytes).expect("reads");
            assert!(count > 0, "it never says {part}:\n{}", self.said);
            self.said.push_str(std::str::from_utf8(&bytes[..count]).expect("text"));
        }
    }

    pub(crate) fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("open");
        input.write_all(format!("{line}\n").as_bytes()).expect("writes");
    }

    /// There is nothing more to type; its exit code.
    pub(crate) fn end(mut self) -> (i32, String) {
        self.input = None;
        self.output.read_to_string(&mut self.said).expect("text");
        let status = self.child.wait().expect("ends");
        (status.code().unwrap_or(-1), self.said)
    }

    /// Ctrl-C at the worst moment.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("ended");
        self.child.wait().expect("gone");
    }
}
