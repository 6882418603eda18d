//! Where does a file go that is told on a terminal? Into the working directory, under a name that no other file has.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::domain::{Attachment, Message};

use super::render_plain::typed;

/// Files of one name that lie side by side at the most.
const SAME_NAME_MAX: u32 = 1_000;

/// A message as a terminal tells it: its lines, what its buttons would type, then the name of the file in `folder` that now holds what goes with it.
pub fn kept_words(message: &Message, folder: &Path) -> String {
    let mut lines = message.plain_lines();
    lines.extend(typed(message));
    lines.extend(message.file.as_ref().map(|file| match keep(file, folder) {
        Ok(path) => format!("Written to {}", path.display()),
        Err(error) => format!("{} could not be written: {error}", plain(&file.name)),
    }));
    lines.join("\n")
}

fn keep(file: &Attachment, folder: &Path) -> io::Result<PathBuf> {
    let name = plain(&file.name);
    let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
    for number in 1..=SAME_NAME_MAX {
        let again = if number > 1 { format!("-{number}") } else { String::new() };
        let path = folder.join(format!("{stem}{again}.{ending}").trim_end_matches('.'));
        // Nobody's file is written over.
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut made) => return made.write_all(&file.bytes).map(|()| path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "there are too many of that name"))
}

/// A name that leads nowhere else.
fn plain(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let name: String = name.chars().take(100).map(safe).collect();
    name.trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AttachmentKind;

    #[test]
    fn a_file_is_written_beside_others_and_never_over_one() {
        let folder = tempfile::tempdir().expect("folder");
        let message = |name: &str, bytes: &[u8]| Message {
            file: Some(Attachment { kind: AttachmentKind::Document, name: name.to_owned(), bytes: bytes.to_vec() }),
            ..Message::answer("two trades")
        };
        let said = |name, bytes| kept_words(&message(name, bytes), folder.path());
        let end = |text: String| text.rsplit(['/', '\\']).next().map(str::to_owned).expect("a name");
        assert!(said("t.csv", b"1").starts_with("two trades\nWritten to "));
        assert_eq!(end(said("t.csv", b"2")), "t-2.csv");
        assert_eq!(end(said("../../t.csv", b"3")), "_.._t.csv");
        for (name, bytes) in [("t.csv", b"1"), ("t-2.csv", b"2"), ("_.._t.csv", b"3")] {
            assert_eq!(std::fs::read(folder.path().join(name)).expect("there"), bytes);
        }
        let nowhere = kept_words(&message("t.csv", b"1"), &folder.path().join("no"));
        assert!(nowhere.contains("t.csv could not be written"), "{nowhere}");
    }
}
