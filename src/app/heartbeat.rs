//! Who notices when the whole machine is silent? Somebody elsewhere, who is pinged for as long as all is well.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::channels::{ClientError, http_client};
use crate::config::SecretUrl;

/// How often a ping goes out.
const EVERY: Duration = Duration::from_mins(1);
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(10);
const _: () = assert!(PATIENCE.as_millis() < EVERY.as_millis());

/// The pings to one address. The address is a secret: whoever knows it could keep it pinged.
pub(super) struct Heartbeat {
    url: SecretUrl,
    client: reqwest::Client,
    last: Option<Duration>,
    failing: Arc<AtomicBool>,
}

impl Heartbeat {
    /// Pings to `url`, trusting the authorities in `ca_file` too.
    pub(super) fn new(url: SecretUrl, ca_file: Option<&Path>) -> Result<Self, ClientError> {
        let client = http_client(ca_file, PATIENCE)?;
        Ok(Self { url, client, last: None, failing: Arc::default() })
    }

    /// Sends a ping if a minute has passed since the last one. It is not waited for; a failure is logged once, until one comes through.
    pub(super) fn ping(&mut self, network: &Handle, now: Duration) {
        if self.last.is_some_and(|last| now.saturating_sub(last) < EVERY) {
            return;
        }
        self.last = Some(now);
        let request = self.client.get(self.url.expose()).timeout(PATIENCE);
        let failing = self.failing.clone();
        network.spawn(async move {
            let answer = request.send().await.and_then(reqwest::Response::error_for_status);
            match answer {
                Ok(_) => failing.store(false, Ordering::SeqCst),
                Err(error) if !failing.swap(true, Ordering::SeqCst) => {
                    tracing::warn!(error = %error.without_url(), "the ping to HEARTBEAT_URL failed");
                }
                Err(_) => {}
            }
        });
    }
}
