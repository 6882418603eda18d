//! Which server takes mail, and how is it spoken to? An address with user and password, which prints its host alone.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;
use secrecy::SecretString;

/// How a connection is kept from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte, usually on port 465.
    Implicit,
    /// TLS before anything is said, by STARTTLS, usually on port 587; without it nothing is sent.
    Required,
    /// None, for a server on this machine alone.
    None,
}

/// A server that takes mail.
#[derive(Clone)]
pub struct SmtpUrl {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from being read.
    pub tls: SmtpTls,
    /// Who logs in, if somebody has to.
    pub login: Option<(String, SecretString)>,
}

impl FromStr for SmtpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Ports and percent signs are read by the rules of the web, which know no default port for mail.
        let url = Url::parse(text).map_err(|error| format!("is no address ({error})"))?;
        let asked = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
        let tls = match (url.scheme(), asked.as_deref()) {
            ("smtps", None) => SmtpTls::Implicit,
            ("smtp", None | Some("required")) => SmtpTls::Required,
            ("smtp", Some("none")) => SmtpTls::None,
            ("smtp" | "smtps", Some(_)) => return Err("has a tls that is not required or none".to_owned()),
            _ => return Err("is no address of a mail server: it does not begin with smtps:// or smtp://".to_owned()),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("names no host")?.to_owned();
        let user = decoded(url.username())?;
        let password = url.password().map(decoded).transpose()?;
        let login = match (user.is_empty(), password) {
            (true, None) => None,
            (false, Some(password)) => Some((user, SecretString::from(password))),
            _ => return Err("names a user without a password, or a password without a user".to_owned()),
        };
        if tls == SmtpTls::None && login.is_some() {
            return Err("would send its password in the clear: leave out tls=none, or user and password".to_owned());
        }
        let usual = match tls {
            SmtpTls::Implicit => 465,
            SmtpTls::Required => 587,
            SmtpTls::None => 25,
        };
        Ok(Self { host, port: url.port().unwrap_or(usual), tls, login })
    }
}

/// A part of an address with its percent signs read.
fn decoded(part: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match byte {
            b'%' => match (digit(rest.next()), digit(rest.next())) {
                (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
                _ => return Err("has a % that two digits do not follow".to_owned()),
            },
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| "has a user or password that is not written in UTF-8".to_owned())
}

impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls == SmtpTls::Implicit { "smtps" } else { "smtp" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn an_address_says_server_login_and_how_it_is_kept_from_being_read() {
        let read = |text: &str| text.parse::<SmtpUrl>().expect(text);
        for (text, port, tls) in [
            ("smtps://mail.example.org", 465, SmtpTls::Implicit),
            ("smtp://mail.example.org", 587, SmtpTls::Required),
            ("smtp://127.0.0.1:2525?tls=none", 2525, SmtpTls::None),
            ("smtp://mail.example.org:25/?tls=required", 25, SmtpTls::Required),
        ] {
            let url = read(text);
            assert_eq!((url.port, url.tls), (port, tls), "{text}");
        }
        let url = read("smtps://ana%40example.org:p%3Aw%2FCANARY@mail.example.org");
        let (user, password) = url.login.clone().expect("a login");
        assert_eq!((user.as_str(), password.expose_secret()), ("ana@example.org", "p:w/CANARY"));
        assert_eq!(format!("{url} {url:?}"), "smtps://mail.example.org:465 smtps://mail.example.org:465");
    }

    #[test]
    fn what_would_tell_a_password_or_means_nothing_is_refused() {
        for bad in [
            "CANARY",
            "https://CANARY.example.org",
            "smtp://",
            "smtps://mail.example.org?tls=none",
            "smtp://mail.example.org?tls=CANARY",
            "smtp://u:CANARY@mail.example.org?tls=none",
            "smtps://CANARY@mail.example.org",
            "smtps://u:%zz@mail.example.org",
        ] {
            let error = bad.parse::<SmtpUrl>().expect_err(bad);
            assert!(!error.contains("CANARY"), "{error}");
        }
    }
}
