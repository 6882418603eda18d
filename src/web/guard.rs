//! Who may ask? Whoever sits on this machine, and whoever knows the token.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// Headers by which a proxy says that it asks for somebody else.
const FORWARDED: [&str; 2] = ["forwarded", "x-forwarded-for"];

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

    /// Whether `peer` may ask: from this machine and not for somebody else, or with the token.
    pub(super) fn admits(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        let is_own = peer.to_canonical().is_loopback() && FORWARDED.iter().all(|name| !headers.contains_key(*name));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn this_machine_needs_no_token_and_everybody_else_does() {
        let guard = Guard::new(Some("secret"));
        let far: IpAddr = "192.0.2.7".parse().unwrap();
        for own in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert!(guard.admits(own.parse().unwrap(), &headers(&[])), "{own}");
            // A proxy on this machine lets nobody in by itself.
            assert!(!guard.admits(own.parse().unwrap(), &headers(&[("x-forwarded-for", "192.0.2.7")])), "{own}");
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
