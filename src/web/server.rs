//! How is a request met? Few connections, short heads, little time, two pages behind a guard, and doors for posts beside it.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::clock::Clock;

use super::guard::Guard;
use super::pages::{Page, Source};
use super::posts::{PostDoor, doors};

/// Connections at once; whoever comes then waits until one ends.
const CONNECTIONS_MAX: usize = 16;
/// A head that is longer is refused.
const HEAD_BYTES_MAX: usize = 8 << 10;
const HEADERS_MAX: usize = 32;
/// A head that takes longer ends its connection.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// A connection that takes longer in all is ended.
const CONNECTION_TIME: Duration = Duration::from_secs(20);
/// How long nothing is taken after the system refused a connection, such as for want of descriptors.
const REFUSED_REST: Duration = Duration::from_millis(100);
const _: () = assert!(HEAD_TIME.as_millis() < CONNECTION_TIME.as_millis());

/// Where answers come from: a database that is only read, the time, and doors that take posts.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub database: PathBuf,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Paths that anybody may post to.
    pub doors: Vec<PostDoor>,
}

/// Why there is no server. A bot trades all the same, and says so.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else listens there.
    #[error("HTTP_LISTEN={0}: another program listens on port {port}; \"ss -ltnp\" shows which", port = .0.port())]
    Taken(SocketAddr),
    /// The system does not let us.
    #[error("HTTP_LISTEN={listen}: cannot listen there: {cause}")]
    Refused {
        /// Where.
        listen: SocketAddr,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
}

/// A server that runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Where it listens; the port is the real one where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves `/health` and `/metrics` on `listen`, to this machine and to whoever shows `token`, and each door to everybody, until
/// `shutdown` is ready or the server is dropped.
///
/// # Errors
/// When nobody may listen there; the words name the variable and what to look at.
pub async fn serve(
    listen: SocketAddr,
    token: Option<&str>,
    parts: Parts,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Server, BindError> {
    let refused = |cause: std::io::Error| match cause.kind() {
        ErrorKind::AddrInUse => BindError::Taken(listen),
        _ => BindError::Refused { listen, cause },
    };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let (doors, guard) = (doors(parts.doors.clone()), Guard::new(token));
    let pages = pages(parts);
    let task = tokio::spawn(async move {
        tokio::select! {
            () = accept(listener, (pages, doors), guard) => {}
            () = shutdown => {}
        }
    });
    Ok(Server { address, task })
}

fn pages(parts: Parts) -> Router {
    let Parts { database, clock, .. } = parts;
    let source = Source { database, clock };
    let page = |read| {
        let page = Page::new(source.clone(), read);
        get(move || async move { page.answer().await })
    };
    Router::new()
        .route("/health", page(Source::health))
        .route("/metrics", page(Source::metrics))
        .method_not_allowed_fallback(|| async { StatusCode::NOT_FOUND })
}

async fn accept(listener: TcpListener, (pages, doors): (Router, Router), guard: Guard) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        // Never closed, so there is always a place in the end.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, peer)) => {
                let visitor = (guard.clone(), peer.ip());
                let guarded = pages.clone().layer(from_fn_with_state(visitor, admit));
                // What is at no door falls to the guard.
                let door = doors.clone().merge(guarded);
                connections.spawn(async move {
                    converse(stream, door).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "a connection was not taken");
                tokio::time::sleep(REFUSED_REST).await;
            }
        }
    }
}

/// Everything is refused alike, so that a stranger does not even learn what there is.
async fn admit(State((guard, peer)): State<(Guard, IpAddr)>, request: Request, next: Next) -> Response {
    if guard.admits(peer, request.headers()) {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

/// One request and its answer. Bodies are read at the doors alone.
async fn converse(stream: TcpStream, door: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(door));
    if let Ok(Err(error)) = tokio::time::timeout(CONNECTION_TIME, connection).await {
        tracing::debug!(%error, "a visitor of the metrics went away");
    }
}
