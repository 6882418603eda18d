//! What must a channel be able to do? Send one message, once, and say honestly what became of it.

use async_trait::async_trait;

use super::Notice;

/// One way to reach a person. Sends once; retries, order and duplicates belong to the pipeline.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Sends a notice. Returns when the channel has taken it.
    async fn send(&self, notice: &Notice) -> Result<(), SendError>;
}

/// What to do next, so that no adapter can forget to say it.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Nobody reads here any more in this run: keep it for the next.
    #[error("nobody reads here any more")]
    Closed,
    /// Try again later.
    #[error("could not reach it: {0}")]
    Unreachable(String),
    /// Never try again.
    #[error("refused: {0}")]
    Rejected(String),
}
