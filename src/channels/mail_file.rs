//! Where does mail go that no server takes? Into a folder, a file a letter, which any mail program opens.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;

use crate::notify::{Abilities, Allowance, Channel, Failure, Post, Receipt, SendError};

use super::mail::Letters;

/// A folder has room for any number, a reader has not: what comes faster is gathered.
pub(super) const ALLOWANCE: Allowance = Allowance { burst: 10, refill: Duration::from_secs(2) };

/// One person's mail as files.
pub struct MailFile {
    folder: PathBuf,
    letters: Letters,
}

impl MailFile {
    /// Letters in `folder`, which is made when there is one.
    pub fn new(folder: PathBuf, letters: Letters) -> Self {
        Self { folder, letters }
    }
}

#[async_trait]
impl Channel for MailFile {
    fn abilities(&self) -> Abilities {
        Abilities { edits: false, buttons: false, finds: false, allowance: Some(ALLOWANCE) }
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        let letter = self.letters.letter(post).map_err(|error| SendError::Rejected(error.to_string()))?;
        make_private(&self.folder)
            .map_err(|error| SendError::Shut(format!("the folder for mail cannot be made: {error}")))?;
        let name = format!("{:08}-{}.eml", post.delivery, letter.id);
        keep(&self.folder, &name, &letter.bytes)
            .map_err(|error| SendError::Unreachable(format!("the letter cannot be written: {error}")))?;
        Ok(Receipt { remote: Some(letter.remote), ..Receipt::default() })
    }
}

/// Makes a folder that nobody but its owner may read, unless it is there.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// An empty file that nobody but its owner may read.
fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A file is there wholly or not at all; one of the same name is replaced.
fn keep(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let beside = folder.join(format!(".{name}"));
    let mut file = create_private(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, folder.join(name))?;
    if cfg!(unix) {
        // Else a power cut may forget the new name.
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
