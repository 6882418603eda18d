//! What does every answer have? A status, a kind, and the date as the fake shows it.

use axum::body::Body;
use axum::http::{Response, header};

/// An answer at this second since 1970.
pub(crate) fn page(date_s: i64, status: u16, kind: &str, body: impl Into<Body>) -> Response<Body> {
    let date = chrono::DateTime::from_timestamp(date_s, 0).unwrap_or_default();
    let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let head = Response::builder().status(status).header(header::CONTENT_TYPE, kind).header(header::DATE, date);
    head.body(body.into()).unwrap_or_default()
}

/// What stands before a platform says when that does not answer.
pub(crate) fn html(date_s: i64, status: u16) -> Response<Body> {
    page(date_s, status, "text/html", format!("<html>\r\n<body><h1>{status}</h1></body>\r\n</html>\r\n"))
}
