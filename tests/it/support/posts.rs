//! Messages for a channel, and an oracle that nobody here wrote.

use std::io::Write as _;
use std::process::Command;

use bellwether::domain::{Message, NoticeId, Severity};
use bellwether::notify::Post;

/// A warning of the book `main` that is number 42.
pub(crate) fn post(delivery: i64, message: Message) -> Post {
    Post {
        message,
        number: Some(NoticeId(42)),
        severity: Severity::Warning,
        kind: None,
        again: None,
        book: Some("main".parse().expect("a name")),
        silent: false,
        reply_to: None,
        edit: None,
        keys: Vec::new(),
        parts_done: 0,
        delivery,
    }
}

/// A fact and a line below it.
pub(crate) fn titled(title: &str) -> Message {
    Message::of_lines([title.to_owned(), "and more".to_owned()])
}

/// An interpreter for an oracle that nobody here wrote; tests say where there is none.
pub(crate) fn python() -> Option<String> {
    let runs = |name: &&str| {
        Command::new(name).args(["-c", "import email, hmac"]).output().is_ok_and(|done| done.status.success())
    };
    let found = ["python3", "python"].iter().find(|name| runs(name)).map(|name| (*name).to_owned());
    if found.is_none() {
        std::io::stderr().write_all(b"skipped: no Python on this machine\n").expect("written");
    }
    found
}
