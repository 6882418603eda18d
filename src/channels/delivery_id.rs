//! By what does a receiver know that a message came a second time? By a name that every try to deliver it shares.

use crate::clock::Timestamp;
use crate::notify::Post;

/// A name of 32 hexadecimal digits. It is the same on each try; other recipients, and other databases with keys of their own, have others.
pub(super) fn delivery_id(key: &[u8; 32], post: &Post, to: &str, now: Timestamp) -> String {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&post.delivery.to_le_bytes());
    hasher.update(to.as_bytes());
    if post.delivery == 0 {
        // An emergency past the store: it has no number and is tried once.
        hasher.update(&now.ms().to_le_bytes());
        hasher.update(post.message.plain_lines().join("\n").as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}
