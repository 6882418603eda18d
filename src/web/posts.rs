//! Who else may knock? Services and people whom the internet brings, each at a door of its own that needs no token: what they post
//! proves itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::Semaphore;

/// The longest body that is read.
const BODY_BYTES_MAX: usize = 64 << 10;
/// A request that takes longer, its body and what is made of it, is given up.
const TIME: Duration = Duration::from_secs(10);
/// Posts that are worked on at once at one door; whoever comes then waits.
const AT_ONCE: usize = 4;
/// A page loads nothing and posts nowhere but here.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";

/// What came to a door.
#[derive(Clone, PartialEq, Eq)]
pub struct Posted {
    /// What follows the path of a door that ends in a slash, as it was sent; empty at the others.
    pub rest: String,
    /// Path and query as they were sent.
    pub target: String,
    /// Each header that is text, its name in small letters, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// The body, at most 64 KiB.
    pub body: Vec<u8>,
}

impl Posted {
    /// The header of a name in small letters; none if it is not there or there more than once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(key, _)| key == name);
        match (all.next(), all.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Debug for Posted {
    /// What came may be secret, so only how much it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Posted").field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status of HTTP, 200 to 599; any other is answered as 500.
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// A path that takes posts from anybody.
#[derive(Clone)]
pub struct PostDoor {
    /// The path, such as `/sms`. One that ends in a slash takes one more part of a path, which is given on as it is.
    pub path: &'static str,
    /// What somebody sees who only looks, as HTML; looking changes nothing. Without it there is nothing to look at.
    pub page: Option<&'static str>,
    /// What is made of a post. It may take its time, on a thread of its own.
    pub take: Arc<dyn Fn(Posted) -> Reply + Send + Sync>,
}

/// All doors beside each other.
pub(super) fn doors(doors: Vec<PostDoor>) -> Router {
    doors.into_iter().fold(Router::new(), |router, door| {
        let path = if door.path.ends_with('/') { format!("{}{{rest}}", door.path) } else { door.path.to_owned() };
        let page = door.page;
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let take = move |request: Request| {
            let (door, places) = (door.clone(), places.clone());
            async move { tokio::time::timeout(TIME, taken(door, places, request)).await.unwrap_or_else(|_| later()) }
        };
        let methods = match page {
            None => post(take),
            Some(page) => get(move || async move { shown(page) }).post(take),
        };
        router.route(&path, methods)
    })
}

async fn taken(door: PostDoor, places: Arc<Semaphore>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let target = head.uri.path_and_query().map_or_else(String::new, |target| target.as_str().to_owned());
    let rest = if door.path.ends_with('/') { head.uri.path().strip_prefix(door.path).unwrap_or_default() } else { "" };
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let posted = Posted { rest: rest.to_owned(), target, headers: texts(&head.headers), body: body.into() };
    // Never closed. Whoever works keeps the place, also when nobody waits for the answer any more.
    let Ok(place) = places.acquire_owned().await else { return later() };
    let work = tokio::task::spawn_blocking(move || {
        let reply = (door.take)(posted);
        drop(place);
        reply
    });
    match work.await {
        Ok(reply) => answered(reply),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

/// Whoever posted is to try again.
fn later() -> Response {
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

fn shown(page: &'static str) -> Response {
    answered(Reply { status: 200, content_type: "text/html; charset=utf-8", body: page.to_owned() })
}

fn answered(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).ok().filter(|status| (200..600).contains(&status.as_u16()));
    let headers = [
        (CONTENT_TYPE, reply.content_type),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, PAGE_POLICY),
    ];
    (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), headers, reply.body).into_response()
}
