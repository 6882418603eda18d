//! The program as a shell starts it: in a folder of its own, without input, with no setting of this machine.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A folder to run the program in.
pub(crate) struct Shell {
    folder: tempfile::TempDir,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("folder") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
        command.current_dir(self.path()).args(args).stdin(Stdio::null());
        command.env_remove("RUST_BACKTRACE");
        for variable in bellwether::config::ENVIRONMENT {
            command.env_remove(variable.name);
        }
        command
    }

    /// Runs it to its end: exit code, output, errors.
    pub(crate) fn run(&self, args: &[&str]) -> (i32, String, String) {
        seen(self.command(args).output().expect("starts"))
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("writes");
    }
}

/// What a run left behind; it never panics.
pub(crate) fn seen(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let seen = (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr));
    assert!(!seen.2.contains("panicked"), "{}", seen.2);
    seen
}
