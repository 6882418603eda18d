//! How is HTTP spoken to the outside? One factory for every client, and one judge of what an error says about the request.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{DATE, HeaderName, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, Url};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::clock::{Clock, Timestamp};
use crate::notify::SendError;

/// How long an unused connection is kept. Shorter than servers keep theirs, so that few requests meet one that is just being closed.
const IDLE: Duration = Duration::from_secs(30);
/// How much of an answer to a message is read, in bytes.
const ANSWER_MAX: usize = 1 << 16;
/// A pause that is asked for is at least this long.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// So long it is where its length is not told.
const PAUSE: Duration = Duration::from_secs(10);
/// After this a message is tried again whatever was asked for.
const PAUSE_MAX: Duration = Duration::from_hours(1);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file with further certificate authorities cannot be read.
    #[error("cannot read the certificates in {}: {words}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        words: String,
    },
    /// TLS or the client could not be set up.
    #[error("cannot set up an HTTP client: {0}")]
    Build(String),
}

/// Why there is no client of a platform. Neither tells the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The token is not one; what its form is.
    #[error("{0}")]
    Token(&'static str),
    /// The address of this platform's server is not one.
    #[error("the address of {0}'s server is not of the form https://host")]
    Base(&'static str),
}

/// What an error says about the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// No byte of it left: sending it again cannot repeat anything.
    NotSent,
    /// The server may have read it, and may have done what it asks.
    Unknown,
}

/// Names ring as the cryptography of every TLS connection that brings none along. Later calls do nothing.
pub fn init_tls() {
    static ONCE: Once = Once::new();
    // An error means that somebody else named a provider before; whatever it is, there is one.
    ONCE.call_once(|| drop(ring::default_provider().install_default()));
}

/// A client that trusts the web's certificate authorities and those in `ca_file` (PEM), never the system's store. It uses no proxy,
/// follows no redirect and repeats nothing that may have been read.
///
/// `connect_timeout` covers the look-up of the name, TCP and TLS. Give requests a longer one: what runs out of time while it is
/// still connecting counts as unknown.
///
/// # Errors
/// When `ca_file` cannot be read or holds no usable certificate.
pub fn client(ca_file: Option<&Path>, connect_timeout: Duration) -> Result<Client, ClientError> {
    init_tls();
    Client::builder()
        .tls_backend_preconfigured(tls_config(ca_file)?)
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .http1_only()
        .build()
        .map_err(|error| ClientError::Build(cause(&error)))
}

/// Whom TLS trusts: the web's certificate authorities and those in `ca_file` (PEM), never the system's store.
///
/// # Errors
/// When `ca_file` cannot be read or holds no usable certificate.
pub fn tls_config(ca_file: Option<&Path>) -> Result<ClientConfig, ClientError> {
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Build(error.to_string()))?
        .with_root_certificates(roots(ca_file)?)
        .with_no_client_auth())
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, ClientError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let Some(path) = ca_file else {
        return Ok(roots);
    };
    let fault = |words: String| ClientError::CaFile { path: path.to_owned(), words };
    let pem = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| fault(error.to_string()))?;
        roots.add(certificate).map_err(|error| fault(error.to_string()))?;
    }
    if roots.len() == before {
        return Err(fault("there is none".to_owned()));
    }
    Ok(roots)
}

/// Where the paths of a platform begin: at `usual`, or at the server that stands in for it.
///
/// # Errors
/// When nothing can be there.
pub(super) fn base_address(
    stand_in: Option<String>,
    usual: &str,
    platform: &'static str,
) -> Result<String, AddressError> {
    let base = stand_in.unwrap_or_else(|| usual.to_owned()).trim_end_matches('/').to_owned();
    let url = Url::parse(&base).map_err(|_| AddressError::Base(platform))?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
        return Err(AddressError::Base(platform));
    }
    Ok(base)
}

/// Whether the server can have read the request.
///
/// Sure are only faults of the request itself and of connecting: the name, TCP, TLS, and the time for them. A connection from the
/// pool that turned out to be closed before a byte was written never comes here, because the client takes another one by itself.
/// All that happens after the first byte is unknown, and so is running out of time altogether.
pub(super) fn classify(error: &reqwest::Error) -> Reach {
    if error.is_builder() || error.is_connect() { Reach::NotSent } else { Reach::Unknown }
}

/// How the cause begins where nothing listened at the other end.
const NO_CONNECTION: &str = "no connection: ";

/// The innermost cause in words. It never holds the address, which may contain a secret; the error's own text does.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut innermost = None;
    let mut next = error.source();
    while let Some(inner) = next {
        innermost = Some(inner);
        next = inner.source();
    }
    // An error of the client's own prints its address.
    let innermost = innermost.filter(|inner| !inner.is::<reqwest::Error>()).map(ToString::to_string);
    let words = innermost.unwrap_or_else(|| "the request failed".to_owned());
    if error.is_connect() { format!("{NO_CONNECTION}{words}") } else { words }
}

/// What never left, from its cause: the kind of error says already that nothing listened.
pub(super) fn never_left(cause: String) -> SendError {
    SendError::Unreachable(cause.strip_prefix(NO_CONNECTION).map(str::to_owned).unwrap_or(cause))
}

/// A header of an answer, if it is there as text.
pub(super) fn header(response: &Response, name: &HeaderName) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

/// How far the server's clock is before ours in milliseconds, negative if behind, where its answer tells; good to about a second.
pub(super) fn skew_ms(response: &Response, now: Timestamp) -> Option<i64> {
    ahead_ms(&header(response, &DATE)?, now)
}

/// How far a date of HTTP lies after `now`, in milliseconds, negative if before.
fn ahead_ms(date: &str, now: Timestamp) -> Option<i64> {
    let told = DateTime::parse_from_rfc2822(date).ok()?;
    Some(Timestamp::from(told.to_utc()).since(now))
}

/// How long a message waits where an answer asks for a pause, and `otherwise` where it does not say how long.
pub(super) fn pause(response: &Response, server_now: Timestamp, otherwise: Duration) -> Duration {
    retry_after(response, server_now).unwrap_or(otherwise).clamp(PAUSE_MIN, PAUSE_MAX)
}

/// How long an answer asks to wait, in seconds or until a date on the server's clock.
fn retry_after(response: &Response, server_now: Timestamp) -> Option<Duration> {
    let asked = header(response, &RETRY_AFTER)?;
    if let Ok(seconds) = asked.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until_ms = ahead_ms(asked.trim(), server_now)?;
    Some(Duration::from_millis(until_ms.max(0).unsigned_abs()))
}

/// A message that a server took.
pub(super) struct Taken {
    /// How far its clock is ahead of ours, in milliseconds, where it tells.
    pub(super) skew_ms: Option<i64>,
    /// What it said, as far as it came. It may repeat an address or a key.
    pub(super) answer: Vec<u8>,
}

/// Sends a message to a server that says by the status alone what became of it.
///
/// # Errors
/// When it was not taken, or nobody knows.
pub(super) async fn deliver(request: RequestBuilder, clock: &dyn Clock) -> Result<Taken, SendError> {
    let response = request.send().await.map_err(|error| match classify(&error) {
        Reach::NotSent => SendError::Unreachable(cause(&error)),
        Reach::Unknown => SendError::Unknown(cause(&error)),
    })?;
    let now = clock.now();
    let skew_ms = skew_ms(&response, now);
    let outcome = judged(&response, now.plus_ms(skew_ms.unwrap_or(0)));
    // It is read so that the connection can be used again.
    let answer = read_body(response, ANSWER_MAX).await.unwrap_or_default();
    outcome.map(|()| Taken { skew_ms, answer })
}

/// What the status means; `server_now` is the time as the server knows it.
fn judged(response: &Response, server_now: Timestamp) -> Result<(), SendError> {
    let status = response.status();
    let words = format!("it answered {status}");
    match status.as_u16() {
        200..300 => Ok(()),
        429 => Err(SendError::Throttled(pause(response, server_now, PAUSE))),
        300..=399 => Err(SendError::Shut(format!("{words}; redirects are not followed, so set the last address"))),
        401 | 403 | 404 | 410 => Err(SendError::Shut(words)),
        408 | 500.. => Err(SendError::Unreachable(words)),
        _ => Err(SendError::Rejected(words)),
    }
}

/// Why a body was not read to its end.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    /// It is longer than allowed.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// The connection ended first.
    #[error("the answer broke off: {0}")]
    Broken(String),
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// When it is longer, or ends too early.
pub(super) async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| BodyError::Broken(cause(&error)))? {
        if chunk.len() > limit - body.len() {
            return Err(BodyError::TooLong(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    /// A server that takes connections one after the other; the port it has.
    fn server(serve: impl Fn(TcpStream) + Send + 'static) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        std::thread::spawn(move || listener.incoming().flatten().for_each(serve));
        port
    }

    fn read_some(mut stream: &TcpStream) -> usize {
        stream.read(&mut [0; 4096]).unwrap_or_default()
    }

    async fn post(client: &Client, url: String) -> reqwest::Result<Response> {
        client.post(url).body("x").send().await
    }

    #[test]
    fn a_file_of_authorities_is_read_or_the_error_names_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("company.pem");
        let error = |path: &Path| client(Some(path), LONG).expect_err("no certificate").to_string();
        assert!(error(&path).contains("company.pem"));
        std::fs::write(&path, "nothing of the kind").expect("written");
        assert!(error(&path).contains("there is none"));
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").expect("written");
        assert!(error(&path).contains("company.pem"));
        assert!(client(None, LONG).is_ok());
    }

    #[tokio::test]
    async fn what_never_left_is_told_from_what_may_have_been_read() {
        let client = client(None, LONG).expect("a client");
        // Bound, so that nobody else gets the port, but not listening.
        let deaf = tokio::net::TcpSocket::new_v4().expect("a socket");
        deaf.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let refused = deaf.local_addr().expect("bound");
        let closes = server(|stream| assert!(read_some(&stream) > 0));
        let resets = server(drop);
        for (url, reach) in [
            (format!("http://{refused}/"), Reach::NotSent),
            ("http://".to_owned(), Reach::NotSent),
            ("ftp://127.0.0.1/".to_owned(), Reach::NotSent),
            // Not TLS: the connection fails before there is a request.
            (format!("https://127.0.0.1:{closes}/"), Reach::NotSent),
            (format!("http://127.0.0.1:{closes}/"), Reach::Unknown),
            (format!("http://127.0.0.1:{resets}/"), Reach::Unknown),
        ] {
            let error = post(&client, url.clone()).await.expect_err("no answer");
            assert_eq!(classify(&error), reach, "{url}: {error:?}");
            assert!(!cause(&error).contains("127.0.0.1"), "{}", cause(&error));
        }
    }

    #[tokio::test]
    async fn running_out_of_time_is_unknown_unless_it_was_while_connecting() {
        let silent = || server(|stream| while read_some(&stream) > 0 {});
        let short = Duration::from_millis(50);
        let error =
            client(None, LONG).expect("a client").post(format!("http://127.0.0.1:{}/", silent())).timeout(short);
        let error = error.send().await.expect_err("no answer");
        assert!(error.is_timeout() && classify(&error) == Reach::Unknown, "{error:?}");
        let error = post(&client(None, short).expect("a client"), format!("https://127.0.0.1:{}/", silent())).await;
        let error = error.expect_err("no handshake");
        assert!(error.is_timeout() && classify(&error) == Reach::NotSent, "{error:?}");
    }

    #[tokio::test]
    async fn what_was_read_is_never_sent_again_on_another_connection() {
        let requests = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&requests);
        // Answers the first request of each connection, reads the second and closes.
        let port = server(move |mut stream| {
            seen.fetch_add(usize::from(read_some(&stream) > 0), Ordering::SeqCst);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").expect("written");
            seen.fetch_add(usize::from(read_some(&stream) > 0), Ordering::SeqCst);
        });
        let client = client(None, LONG).expect("a client");
        let url = || format!("http://127.0.0.1:{port}/");
        let response = post(&client, url()).await.expect("an answer");
        assert_eq!(read_body(response, 2).await, Ok(b"ok".to_vec()));
        let error = post(&client, url()).await.expect_err("no answer");
        assert_eq!(classify(&error), Reach::Unknown, "{error:?}");
        assert_eq!(requests.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        let port = server(|mut stream| {
            read_some(&stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabc").expect("written");
        });
        let client = client(None, LONG).expect("a client");
        let get = || async { post(&client, format!("http://127.0.0.1:{port}/")).await.expect("a head") };
        assert_eq!(read_body(get().await, 2).await, Err(BodyError::TooLong(2)));
        assert!(matches!(read_body(get().await, 9).await, Err(BodyError::Broken(_))));
    }
}
