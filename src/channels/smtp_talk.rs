//! How is SMTP spoken? One command, one reply (RFC 5321), read with bounds; whoever calls knows at each step how far a letter came.
//!
//! It is spoken here and not by a library because what is told of a letter hangs on it: a reply in letters of another alphabet is a reply,
//! a line without end is none, and nothing that was said before TLS counts after it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, Error as TlsError};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

/// A server has this long at each of its addresses.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest line of a reply and the most lines of one; RFC 5321 allows 512 bytes, and servers say more.
const LINE_BYTES_MAX: usize = 4 << 10;
const LINES_MAX: usize = 64;
/// The code by which a server asks for the letter, or for the next part of a login.
const GO_ON: u16 = 354;
const CHALLENGE: u16 = 334;

/// Why it did not go on.
#[derive(Debug)]
pub(super) enum Fault {
    /// The connection could not be had, or ended.
    Lost(String),
    /// What came is no reply, or not to what was asked.
    Odd(&'static str),
    /// The server's certificate is not to be trusted.
    Certificate(String),
    /// It said no.
    Said(Reply),
}

/// A reply.
#[derive(Debug)]
pub(super) struct Reply {
    /// Three digits, 200 to 599.
    pub(super) code: u16,
    /// Its text, a line a line.
    pub(super) lines: Vec<String>,
}

/// What a server offers.
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// It can go over to TLS.
    pub(super) tls: bool,
    /// The largest letter that it takes, in bytes, where it says so.
    pub(super) size: Option<usize>,
    /// It announces sizes.
    sizes: bool,
    /// The best way to log in that is known here.
    login: Option<Mechanism>,
}

/// How somebody logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mechanism {
    /// User and password at once (RFC 4616).
    Plain,
    /// One after the other, as servers did before that and some do still.
    Login,
}

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A conversation with a server.
pub(super) struct Talk {
    wire: BufReader<Box<dyn Wire>>,
    name: String,
    /// What the server offers since the last greeting.
    pub(super) offer: Offer,
}

impl Talk {
    /// Connects; with `tls` from the first byte.
    pub(super) async fn connect(host: &str, port: u16, tls: Option<&Arc<ClientConfig>>) -> Result<Self, Fault> {
        let stream = connected(host, port).await?;
        // By its own name a client is known to nobody; its address is always right.
        let name = match stream.local_addr().map(|address| address.ip().to_canonical()) {
            Ok(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
            Ok(IpAddr::V4(address)) => format!("[{address}]"),
            Err(_) => "[127.0.0.1]".to_owned(),
        };
        let stream: Box<dyn Wire> = Box::new(stream);
        let wire = match tls {
            None => stream,
            Some(config) => wrapped(host, stream, config).await?,
        };
        Ok(Self { wire: BufReader::new(wire), name, offer: Offer::default() })
    }

    /// Hears the server's greeting.
    pub(super) async fn greeting(&mut self) -> Result<(), Fault> {
        self.reply().await.and_then(|reply| expect(reply, 200..300)).map(drop)
    }

    /// Says who asks, and hears what is offered.
    pub(super) async fn hello(&mut self) -> Result<(), Fault> {
        let hello = format!("EHLO {}", self.name);
        let reply = self.ask(&hello).await?;
        self.offer = Offer::default();
        for line in reply.lines.iter().skip(1) {
            let words = line.to_ascii_uppercase();
            let mut words = words.split_whitespace();
            match words.next() {
                Some("STARTTLS") => self.offer.tls = true,
                Some("SIZE") => {
                    self.offer.sizes = true;
                    self.offer.size = words.next().and_then(|size| size.parse().ok()).filter(|size| *size > 0);
                }
                Some("AUTH") => {
                    let offered: Vec<&str> = words.collect();
                    let known = [("PLAIN", Mechanism::Plain), ("LOGIN", Mechanism::Login)];
                    self.offer.login = known.into_iter().find(|(name, _)| offered.contains(name)).map(|(_, how)| how);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Goes over to TLS. What the server, or somebody on the way, said too early ends it: it would count as said in private.
    pub(super) async fn start_tls(mut self, host: &str, config: &Arc<ClientConfig>) -> Result<Self, Fault> {
        self.ask("STARTTLS").await?;
        if !self.wire.buffer().is_empty() {
            return Err(Fault::Odd("more was said than was asked before TLS began"));
        }
        let wire = wrapped(host, self.wire.into_inner(), config).await?;
        Ok(Self { wire: BufReader::new(wire), name: self.name, offer: Offer::default() })
    }

    /// Whether a login is possible.
    pub(super) fn takes_login(&self) -> bool {
        self.offer.login.is_some()
    }

    /// Logs in.
    pub(super) async fn login(&mut self, user: &str, password: &SecretString) -> Result<(), Fault> {
        let password = password.expose_secret();
        if self.offer.login == Some(Mechanism::Plain) {
            let both = STANDARD.encode(format!("\0{user}\0{password}"));
            return self.ask(&format!("AUTH PLAIN {both}")).await.map(drop);
        }
        self.say(b"AUTH LOGIN\r\n").await?;
        for part in [user, password] {
            let reply = self.reply().await?;
            expect(reply, CHALLENGE..CHALLENGE + 1)?;
            self.say(format!("{}\r\n", STANDARD.encode(part)).as_bytes()).await?;
        }
        self.reply().await.and_then(|reply| expect(reply, 200..300)).map(drop)
    }

    /// Names the sender, with the size of the letter where that is asked for.
    pub(super) async fn sender(&mut self, from: &str, size: usize) -> Result<(), Fault> {
        let size = if self.offer.sizes { format!(" SIZE={size}") } else { String::new() };
        self.ask(&format!("MAIL FROM:<{from}>{size}")).await.map(drop)
    }

    /// Names the one recipient.
    pub(super) async fn recipient(&mut self, to: &str) -> Result<(), Fault> {
        self.ask(&format!("RCPT TO:<{to}>")).await.map(drop)
    }

    /// Asks whether the letter may come.
    pub(super) async fn data(&mut self) -> Result<(), Fault> {
        self.say(b"DATA\r\n").await?;
        self.reply().await.and_then(|reply| expect(reply, GO_ON..GO_ON + 1)).map(drop)
    }

    /// Sends all of the letter but the dot that ends it. As long as that has not left, no server takes it.
    pub(super) async fn letter(&mut self, letter: &[u8]) -> Result<(), Fault> {
        self.say(&stuffed(letter)).await
    }

    /// Sends the dot; what the server says of the letter.
    pub(super) async fn end(&mut self) -> Result<Reply, Fault> {
        self.ask(".").await
    }

    /// Takes everything back.
    pub(super) async fn reset(&mut self) -> Result<(), Fault> {
        self.ask("RSET").await.map(drop)
    }

    /// Says goodbye; whether anybody hears it changes nothing.
    pub(super) async fn quit(mut self) {
        if self.ask("QUIT").await.is_ok() {
            drop(self.wire.shutdown().await);
        }
    }

    /// One line, and a reply that agrees.
    async fn ask(&mut self, line: &str) -> Result<Reply, Fault> {
        self.say(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await.and_then(|reply| expect(reply, 200..300))
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.wire.write_all(bytes).await.map_err(|error| lost(&error))?;
        self.wire.flush().await.map_err(|error| lost(&error))
    }

    async fn reply(&mut self) -> Result<Reply, Fault> {
        let mut lines = Vec::new();
        let mut first = None;
        while lines.len() < LINES_MAX {
            let mut line = Vec::new();
            let mut bounded = (&mut self.wire).take(LINE_BYTES_MAX as u64);
            bounded.read_until(b'\n', &mut line).await.map_err(|error| lost(&error))?;
            if !line.ends_with(b"\n") {
                let too_long = line.len() == LINE_BYTES_MAX;
                return Err(if too_long {
                    Fault::Odd("a line of its answer does not end")
                } else {
                    Fault::Lost("it closed the connection".to_owned())
                });
            }
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            let (code, rest) = line.split_at_checked(3).ok_or(Fault::Odd("its answer is none of SMTP"))?;
            let code = Some(code).filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
            let code: u16 = code.and_then(|code| code.parse().ok()).unwrap_or(0);
            let is_last = !rest.starts_with('-');
            let fits = (200..600).contains(&code) && *first.get_or_insert(code) == code;
            if !fits || !(rest.is_empty() || rest.starts_with([' ', '-'])) {
                return Err(Fault::Odd("its answer is none of SMTP"));
            }
            lines.push(rest.get(1..).unwrap_or_default().to_owned());
            if is_last {
                return Ok(Reply { code, lines });
            }
        }
        Err(Fault::Odd("its answer does not end"))
    }
}

/// Each address of the server in turn.
async fn connected(host: &str, port: u16) -> Result<TcpStream, Fault> {
    let mut last = Fault::Lost("its name leads nowhere".to_owned());
    let addresses: Vec<SocketAddr> = match lookup_host((host, port)).await {
        Ok(addresses) => addresses.collect(),
        Err(error) => return Err(Fault::Lost(format!("its name cannot be looked up: {error}"))),
    };
    for address in addresses {
        match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Only a matter of speed.
                drop(stream.set_nodelay(true));
                return Ok(stream);
            }
            Ok(Err(error)) => last = Fault::Lost(format!("no connection: {error}")),
            Err(_) => last = Fault::Lost("no connection: it does not answer".to_owned()),
        }
    }
    Err(last)
}

async fn wrapped(host: &str, stream: Box<dyn Wire>, config: &Arc<ClientConfig>) -> Result<Box<dyn Wire>, Fault> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Fault::Certificate("its name is none".to_owned()))?;
    match TlsConnector::from(config.clone()).connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
            Err(match inner {
                Some(cause @ TlsError::InvalidCertificate(_)) => Fault::Certificate(cause.to_string()),
                _ => Fault::Lost(format!("no TLS: {error}")),
            })
        }
    }
}

fn lost(error: &std::io::Error) -> Fault {
    Fault::Lost(format!("the connection ended: {error}"))
}

fn expect(reply: Reply, codes: std::ops::Range<u16>) -> Result<Reply, Fault> {
    if codes.contains(&reply.code) { Ok(reply) } else { Err(Fault::Said(reply)) }
}

/// A letter whose lines may begin with a dot (RFC 5321, 4.5.2), with the end of its last line.
fn stuffed(letter: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(letter.len() + letter.len() / 64 + 2);
    let mut begins = true;
    for byte in letter {
        if begins && *byte == b'.' {
            out.push(b'.');
        }
        out.push(*byte);
        begins = *byte == b'\n';
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_begins_with_a_dot_ends_no_letter() {
        for (letter, want) in
            [("", "\r\n"), (".", "..\r\n"), ("a\r\n.\r\nb", "a\r\n..\r\nb\r\n"), ("..\r\na.b\r\n", "...\r\na.b\r\n")]
        {
            assert_eq!(String::from_utf8(stuffed(letter.as_bytes())).expect("text"), want);
        }
    }
}
