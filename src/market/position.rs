//! Where did a feed stop? A text that says so, which only the same feed takes, and only if nobody changed it.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a feed cannot go on from a saved position.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// The text is damaged, or was never a position.
    #[error("the saved position is damaged")]
    Damaged,
    /// It was saved by a feed of other prices, or by another version.
    #[error("the saved position is of other prices: {0}")]
    Foreign(String),
    /// This feed keeps none.
    #[error("this feed keeps no position")]
    Unsupported,
}

/// Writes a position of a `kind` of feed; none if it cannot be written.
pub(super) fn write<T: Serialize>(kind: &str, state: &T) -> Option<String> {
    let json = serde_json::to_string(state).ok()?;
    Some(format!("{kind} {} {json}", check(&json)))
}

/// Reads what [`write`] wrote.
pub(super) fn read<T: DeserializeOwned>(kind: &str, saved: &str) -> Result<T, ResumeError> {
    let mut parts = saved.splitn(3, ' ');
    let (Some(found), Some(hash), Some(json)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(ResumeError::Damaged);
    };
    if check(json) != hash {
        return Err(ResumeError::Damaged);
    }
    if found != kind {
        return Err(ResumeError::Foreign(format!("it was saved as {found}, and this is {kind}")));
    }
    serde_json::from_str(json).map_err(|_| ResumeError::Damaged)
}

/// A short hash of a text.
pub(super) fn check(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_taken_whole_or_not_at_all() {
        let saved = write("test-1", &vec![1, 2, 3]).unwrap();
        assert_eq!(read::<Vec<i32>>("test-1", &saved).unwrap(), [1, 2, 3]);
        assert!(matches!(read::<Vec<i32>>("test-2", &saved), Err(ResumeError::Foreign(_))));
        for damaged in ["", "test-1", "test-1 x", "test-1 x y", &saved[..saved.len() - 1], &saved.replace('2', "7")] {
            assert!(matches!(read::<Vec<i32>>("test-1", damaged), Err(ResumeError::Damaged)), "{damaged}");
        }
    }
}
