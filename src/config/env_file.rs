//! What stands in `.env`, and how is it changed? Line by line, so that comments stay, and as a whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Why `.env` was not read or written. No text tells what stands in it.
#[derive(Debug, thiserror::Error)]
pub enum EnvFileError {
    /// The disk refuses.
    #[error("the file {} cannot be {what}", file.display())]
    Disk {
        /// The file.
        file: PathBuf,
        /// What could not be done.
        what: &'static str,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A line is not one of its kind.
    #[error("line {line} of the file {} is not NAME=value", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line's number.
        line: usize,
    },
    /// Lines hang together, as where a value has several or names another variable.
    #[error("the file {} cannot be changed line by line: edit it by hand", .0.display())]
    Tangled(PathBuf),
    /// A variable cannot be called so.
    #[error("a variable cannot be called so: use letters, digits and _, with a letter first")]
    Name,
}

/// What a file of `NAME=value` lines holds; nothing where there is none.
pub(super) fn kept(path: &Path) -> Result<Vec<(String, String)>, EnvFileError> {
    values(&text_of(path)?).map_err(|line| EnvFileError::Line { file: path.to_owned(), line })
}

/// Sets variables in such a file. Other lines and comments stay; a name that is there gets its new value in its first place, others are
/// added at the end. Either the whole file is new or it is as it was; on Unix nobody but its owner may read it then.
///
/// # Errors
/// When the file cannot be read, written, or changed line by line, or a name is none.
pub fn write_env(path: &Path, changes: &[(&str, &str)]) -> Result<(), EnvFileError> {
    // Through a link, what it points to is what is replaced.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if !changes.iter().all(|(name, _)| is_name(name)) {
        return Err(EnvFileError::Name);
    }
    let old = text_of(path)?;
    let before = values(&old).map_err(|line| EnvFileError::Line { file: path.clone(), line })?;
    let new = changed(&old, changes);
    let after = values(&new).map_err(|_| EnvFileError::Tangled(path.clone()))?;
    let changes_it = |name: &str| changes.iter().any(|(other, _)| *other == name);
    let others = |all: &[(String, String)]| -> Vec<(String, String)> {
        all.iter().filter(|(name, _)| !changes_it(name)).cloned().collect()
    };
    let last = |name: &str| changes.iter().rfind(|(other, _)| *other == name).map(|(_, value)| *value);
    let mut own = after.iter().filter(|(name, _)| changes_it(name));
    if others(&before) != others(&after) || !own.all(|(name, value)| last(name) == Some(value.as_str())) {
        return Err(EnvFileError::Tangled(path.clone()));
    }
    replace(path, &new)
}

fn text_of(path: &Path) -> Result<String, EnvFileError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(cause) => Err(EnvFileError::Disk { file: path.to_owned(), what: "read", cause }),
    }
}

/// Every variable in its order; else the number of the first line that is wrong. A last line needs no end.
fn values(text: &str) -> Result<Vec<(String, String)>, usize> {
    let ended = format!("{text}\n");
    let read: Result<_, dotenvy::Error> = dotenvy::from_read_iter(ended.as_bytes()).collect();
    read.map_err(|error| {
        let wrong = if let dotenvy::Error::LineParse(line, _) = &error { line.lines().next() } else { None };
        let at = wrong.and_then(|wrong| text.lines().position(|line| line.trim() == wrong.trim()));
        at.map_or_else(|| text.lines().count(), |at| at + 1)
    })
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name != "export"
}

/// The name that a line sets.
fn name_of(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    let name = name.trim();
    Some(name.strip_prefix("export").map(str::trim_start).filter(|name| !name.is_empty()).unwrap_or(name))
}

fn changed(old: &str, changes: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(old.len());
    let mut done: Vec<&str> = Vec::new();
    let value_of = |name: &str| changes.iter().rfind(|(other, _)| *other == name);
    for line in old.split_inclusive('\n') {
        let Some((name, value)) = name_of(line).and_then(value_of) else {
            text.push_str(line);
            continue;
        };
        if !done.contains(name) {
            done.push(name);
            let end = &line[line.trim_end_matches(['\r', '\n']).len()..];
            text.extend([*name, "=", &quoted(value), end]);
        }
    }
    for (name, _) in changes {
        if done.contains(name) {
            continue;
        }
        done.push(name);
        let value = value_of(name).map_or("", |(_, value)| value);
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.extend([*name, "=", &quoted(value), "\n"]);
    }
    text
}

/// A value as it is written: in quotes unless it is plain.
pub(super) fn quoted(value: &str) -> String {
    if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.,:/+@%=".contains(&byte)) {
        return value.to_owned();
    }
    let mut text = String::from("\"");
    for letter in value.chars() {
        match letter {
            '\n' => text.push_str("\\n"),
            '"' | '\\' | '$' => text.extend(['\\', letter]),
            _ => text.push(letter),
        }
    }
    text.push('"');
    text
}

fn replace(path: &Path, text: &str) -> Result<(), EnvFileError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let written = write_owned(&beside, text.as_bytes()).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|cause| {
        // It may never have been there.
        let _ = std::fs::remove_file(&beside);
        EnvFileError::Disk { file: path.to_owned(), what: "written", cause }
    })
}

/// Writes a new file in the place of one that may be there; on Unix nobody but its owner may read it.
///
/// # Errors
/// When the disk refuses.
pub fn write_owned(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = open_for_owner(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(unix)]
fn open_for_owner(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn open_for_owner(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(old: &str, changes: &[(&str, &str)]) -> Result<String, EnvFileError> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join(".env");
        std::fs::write(&path, old).expect("writes");
        write_env(&path, changes)?;
        assert_eq!(std::fs::read_dir(folder.path()).expect("reads").count(), 1, "nothing is left beside it");
        Ok(std::fs::read_to_string(&path).expect("reads"))
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(first in any::<String>(), second in "[ -~\\n]*", third in "[\"'\\\\$#= \\r\\n{}a]*") {
            let folder = tempfile::tempdir().expect("folder");
            let path = folder.path().join(".env");
            std::fs::write(&path, "# mine\r\nKEPT='a b'").expect("writes");
            for _ in 0..2 {
                write_env(&path, &[("A", &first), ("B", &second), ("C", &third)]).expect("writes");
                let read = kept(&path).expect("reads");
                let want = [("KEPT", "a b"), ("A", &first), ("B", &second), ("C", &third)];
                prop_assert_eq!(read, want.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
            prop_assert!(std::fs::read_to_string(&path).expect("reads").starts_with("# mine\r\nKEPT='a b'\n"));
        }
    }

    #[test]
    fn other_lines_stay_and_a_name_keeps_its_place() {
        let old = "# A=comment\nexport A = old # why\r\n\nB=2\nA=again\nAB=3";
        let new = written(old, &[("A", "new word"), ("C", "")]).expect("written");
        assert_eq!(new, "# A=comment\nA=\"new word\"\r\n\nB=2\nAB=3\nC=\n");
    }

    #[test]
    fn a_line_that_is_wrong_has_a_number() {
        for (old, wrong) in [("A b\n", 1), ("# a\n\nA=1\r\nB 2\r\nC=3\n", 4), ("A=1\nB=\"open\nC=3\n", 2), ("A=x y", 1)]
        {
            let error = written(old, &[("Z", "5")]).err();
            assert!(matches!(&error, Some(EnvFileError::Line { line, .. }) if *line == wrong), "{old}: {error:?}");
        }
    }

    #[test]
    fn a_file_that_is_not_plain_is_left_alone() {
        for (old, name) in
            [("A=\"one\nB=two\nthree\"\n", "B"), ("A=1\nB=\"$A\"\n", "A"), ("A=\"open\n", "B"), ("A b\n", "B")]
        {
            assert!(written(old, &[(name, "5")]).is_err(), "{old}");
        }
        assert!(matches!(written("", &[("A B", "5")]), Err(EnvFileError::Name)));
        let folder = tempfile::tempdir().expect("folder");
        assert!(matches!(write_env(folder.path(), &[("A", "5")]), Err(EnvFileError::Disk { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("folder");
        let (path, link) = (folder.path().join(".env"), folder.path().join("link"));
        std::fs::write(&path, "A=1\n").expect("writes");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("sets");
        std::os::unix::fs::symlink(&path, &link).expect("links");
        write_env(&link, &[("A", "2")]).expect("written");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert!(std::fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(kept(&path).expect("reads"), [("A".to_owned(), "2".to_owned())]);
    }
}
