//! What stands in a request? JSON, or a form in parts: `payload_json` and files.

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use serde_json::{Value, json};

use super::refusal::Refusal;

/// The most bytes of a request, and of one file.
pub(super) const REQUEST_BYTES: usize = 25 * 1024 * 1024;
const FILE_BYTES: usize = 10 * 1024 * 1024;

/// A body as it was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Form {
    pub(super) json: Value,
    /// Names and sizes of files, in order.
    pub(super) files: Vec<(String, usize)>,
}

impl Form {
    /// Reads a request's body.
    ///
    /// # Errors
    /// 400 where it is neither, 413 where it is too large.
    pub(super) async fn read(request: Request) -> Result<Self, Refusal> {
        let kind = request.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        if kind.starts_with("multipart/form-data") {
            return Self::parts(request).await;
        }
        let is_json = kind.starts_with("application/json");
        let too_large = || Refusal::new(413, 40_005, "Request entity too large");
        let bytes = Bytes::from_request(request, &()).await.map_err(|_| too_large())?;
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let bad = || Refusal::new(400, 50_109, "The request body contains invalid JSON.");
        if !is_json {
            return Err(bad());
        }
        Ok(Self { json: serde_json::from_slice(&bytes).map_err(|_| bad())?, files: Vec::new() })
    }

    async fn parts(request: Request) -> Result<Self, Refusal> {
        let bad = || Refusal::new(400, 50_035, "Invalid Form Body");
        let too_large = || Refusal::new(413, 40_005, "Request entity too large");
        let mut form = Self { json: json!({}), files: Vec::new() };
        let mut parts = Multipart::from_request(request, &()).await.map_err(|_| bad())?;
        while let Some(part) = parts.next_field().await.map_err(|_| too_large())? {
            let (name, file) = (part.name().unwrap_or_default().to_owned(), part.file_name().map(str::to_owned));
            let bytes = part.bytes().await.map_err(|_| too_large())?;
            if name == "payload_json" {
                form.json = serde_json::from_slice(&bytes).map_err(|_| bad())?;
            } else if name == format!("files[{}]", form.files.len()) {
                if bytes.len() > FILE_BYTES {
                    return Err(too_large());
                }
                form.files.push((file.ok_or_else(bad)?, bytes.len()));
            } else {
                return Err(Refusal::form(&name, "This part is not known here."));
            }
        }
        Ok(form)
    }
}
