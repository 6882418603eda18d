//! Who may ask? Whoever sits on this machine, and whoever knows the token.

use std::net::IpAddr;

use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{HeaderMap, HeaderValue};

/// Headers by which a proxy says that it asks for somebody else.
const FORWARDED: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

/// The lock on the door. It keeps a hash of the token, not the token.
#[derive(Clone)]
pub(super) struct Guard {
    token: Option<blake3::Hash>,
}

impl Guard {
    /// A door that opens to this token; to none if there is none or it is empty.
    pub(super) fn new(token: Option<&str>) -> Self {
        let token = token.filter(|token| !token.is_empty());
        Self { token: token.map(|token| blake3::hash(token.as_bytes())) }
    }

    /// Whether `peer` may ask: from this machine, by a name that is always its own, and not for somebody else; or with the token.
    pub(super) fn admits(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        let is_own = peer.to_canonical().is_loopback()
            && asks_here(headers)
            && FORWARDED.iter().all(|name| !headers.contains_key(*name));
        is_own || self.knows(headers)
    }

    /// Hashes are compared in constant time, so that nobody learns the token a byte at a time.
    fn knows(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().split_at_checked("Bearer ".len()));
        let shown = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"Bearer "));
        match (self.token, shown) {
            (Some(token), Some((_, shown))) => token == blake3::hash(shown),
            _ => false,
        }
    }
}

/// Whether this machine itself was asked. A page in a browser here can ask under any name that its owner lets lead to 127.0.0.1, but not
/// under these.
fn asks_here(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(Ok(host)), None) = (hosts.next().map(HeaderValue::to_str), hosts.next()) else { return false };
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, "0"),
    };
    let is_address = |name: &str| name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    let inside = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_own = name.eq_ignore_ascii_case("localhost")
        || inside.map_or_else(|| !name.contains(':') && is_address(name), is_address);
    is_own && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The headers of somebody who asks this machine itself, and these.
    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let here = [("host", "localhost:8080")];
        here.iter().chain(pairs).map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn of_host(host: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HOST, host.parse().unwrap())])
    }

    #[test]
    fn a_page_in_a_browser_of_this_machine_does_not_come_in() {
        let (guard, own) = (Guard::new(None), "127.0.0.1".parse().unwrap());
        for host in ["localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:9", "127.3.2.1:8080", "[::1]", "[::1]:8080"]
        {
            assert!(guard.admits(own, &of_host(host)), "{host}");
        }
        for host in [
            "rebound.example.org:8080",
            "rebound.example.org",
            "127.0.0.1.example.org",
            "localhost.example.org:8080",
            "192.0.2.7:8080",
            "[2001:db8::1]:8080",
            "::1",
            "[::1",
            "127.0.0.1:80:80",
            "127.0.0.1:x",
            "",
        ] {
            assert!(!guard.admits(own, &of_host(host)), "{host}");
        }
        assert!(!guard.admits(own, &HeaderMap::new()), "nobody says whom they ask");
        let mut two = of_host("localhost");
        two.append(HOST, "localhost".parse().unwrap());
        assert!(!guard.admits(own, &two));
        let knowing = HeaderMap::from_iter([
            (HOST, "metrics.example.org".parse().unwrap()),
            (AUTHORIZATION, "Bearer secret".parse().unwrap()),
        ]);
        assert!(Guard::new(Some("secret")).admits(own, &knowing), "the token is enough");
    }

    #[test]
    fn this_machine_needs_no_token_and_everybody_else_does() {
        let guard = Guard::new(Some("secret"));
        let far: IpAddr = "192.0.2.7".parse().unwrap();
        for own in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert!(guard.admits(own.parse().unwrap(), &headers(&[])), "{own}");
            // A proxy on this machine lets nobody in by itself.
            for by in FORWARDED {
                assert!(!guard.admits(own.parse().unwrap(), &headers(&[(by, "192.0.2.7")])), "{own} {by}");
            }
        }
        assert!(!guard.admits(far, &headers(&[])));
        assert!(!guard.admits("::ffff:192.0.2.7".parse().unwrap(), &headers(&[])));
        assert!(guard.admits(far, &headers(&[("authorization", "Bearer secret")])));
        assert!(guard.admits(far, &headers(&[("authorization", "bearer secret")])));
        for wrong in ["Bearer secre", "Bearer secrets", "Bearer", "Bearer ", "Basic secret", "secret", ""] {
            assert!(!guard.admits(far, &headers(&[("authorization", wrong)])), "{wrong}");
        }
    }

    #[test]
    fn without_a_token_nobody_from_elsewhere_comes_in() {
        for none in [None, Some("")] {
            let guard = Guard::new(none);
            assert!(!guard.admits("192.0.2.7".parse().unwrap(), &headers(&[("authorization", "Bearer ")])));
            assert!(guard.admits("::1".parse().unwrap(), &headers(&[])));
        }
    }
}
