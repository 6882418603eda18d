//! Where does mail go that no server takes? Into a folder, a file a letter, which any mail program opens.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lettre::Address;
use lettre::message::Mailbox;

use crate::clock::Clock;
use crate::notify::{Abilities, Allowance, Channel, Failure, Post, Receipt, SendError};

use super::delivery_id::delivery_id;
use super::mail::{Envelope, letter};

/// A folder has room for any number, a reader has not: what comes faster is gathered.
const ALLOWANCE: Allowance = Allowance { burst: 10, refill: Duration::from_secs(2) };

/// One person's mail as files.
pub struct MailFile {
    folder: PathBuf,
    from: Mailbox,
    to: Address,
    key: [u8; 32],
    clock: Arc<dyn Clock>,
}

impl MailFile {
    /// Mail to `to` in `folder`, which is made when there is some. `key` belongs to the database: names of letters come from it, so that
    /// those of another database differ.
    pub fn new(folder: PathBuf, from: Mailbox, to: Address, key: [u8; 32], clock: Arc<dyn Clock>) -> Self {
        Self { folder, from, to, key, clock }
    }
}

#[async_trait]
impl Channel for MailFile {
    fn abilities(&self) -> Abilities {
        Abilities { edits: false, buttons: false, finds: false, allowance: Some(ALLOWANCE) }
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        let at = self.clock.now();
        let id = delivery_id(&self.key, post, self.to.as_ref(), at);
        let envelope = Envelope { from: &self.from, to: &self.to, id: &id, at };
        let letter = letter(post, &envelope).map_err(|error| SendError::Rejected(error.to_string()))?;
        make_private(&self.folder)
            .map_err(|error| SendError::Shut(format!("the folder for mail cannot be made: {error}")))?;
        let name = format!("{:08}-{id}.eml", post.delivery);
        keep(&self.folder, &name, &letter)
            .map_err(|error| SendError::Unreachable(format!("the letter cannot be written: {error}")))?;
        Ok(Receipt { remote: Some(envelope.message_id()), ..Receipt::default() })
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
