//! What is answered? Two pages, each read from the store once at a time and kept for a second.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::views::{Asker, Views, health_report, metrics_report};

use super::exposition;

/// How long an answer is given again, so that somebody who asks without end reads the store once a second.
const KEPT: Duration = Duration::from_secs(1);

/// Where answers come from.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) database: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
}

impl Source {
    fn views(&self) -> Result<Views, String> {
        Views::open(&self.database, Asker::default(), self.clock.now()).map_err(|error| error.to_string())
    }

    /// The document of `bellwether health --json`; 503 where something is wrong.
    pub(super) fn health(&self) -> Answer {
        let document = self.views().and_then(|views| {
            let report = health_report(&views).map_err(|error| error.to_string())?;
            let text = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
            Ok((report.well, text))
        });
        let (well, body) =
            document.unwrap_or_else(|error| (false, serde_json::json!({ "well": false, "error": error }).to_string()));
        let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        Answer { status, content_type: "application/json", body: body + "\n" }
    }

    /// Figures for Prometheus; 503 where they cannot be read.
    pub(super) fn metrics(&self) -> Answer {
        let text = self.views().and_then(|views| {
            let report = metrics_report(&views).map_err(|error| error.to_string())?;
            exposition::exposition(report).map_err(|error| error.to_string())
        });
        match text {
            Ok(body) => Answer { status: StatusCode::OK, content_type: exposition::CONTENT_TYPE, body },
            Err(error) => {
                Answer { status: StatusCode::SERVICE_UNAVAILABLE, content_type: "text/plain", body: error + "\n" }
            }
        }
    }
}

/// An answer that can be given again.
#[derive(Clone)]
pub(super) struct Answer {
    status: StatusCode,
    content_type: &'static str,
    body: String,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let headers = [(CONTENT_TYPE, self.content_type), (CACHE_CONTROL, "no-store")];
        (self.status, headers, self.body).into_response()
    }
}

/// A page and its last answer.
#[derive(Clone)]
pub(super) struct Page {
    source: Source,
    read: fn(&Source) -> Answer,
    last: Arc<Mutex<Option<(Duration, Answer)>>>,
}

impl Page {
    pub(super) fn new(source: Source, read: fn(&Source) -> Answer) -> Self {
        Self { source, read, last: Arc::default() }
    }

    /// The answer of now. Whoever reads holds the lock on the reader's own thread, so that a visitor who leaves early lets nobody
    /// else begin a second reading.
    pub(super) async fn answer(&self) -> Response {
        let mut last = self.last.clone().lock_owned().await;
        let (source, read) = (self.source.clone(), self.read);
        let reading = tokio::task::spawn_blocking(move || {
            let now = source.clock.steady();
            match &*last {
                Some((made, answer)) if now.saturating_sub(*made) < KEPT => answer.clone(),
                _ => {
                    let answer = read(&source);
                    *last = Some((now, answer.clone()));
                    answer
                }
            }
        });
        match reading.await {
            Ok(answer) => answer.into_response(),
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
}
