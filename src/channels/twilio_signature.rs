//! Did Twilio send this? A post is genuine if its header is the HMAC of the public address and of every field that it brings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::twilio::fields_of;

/// The header that proves a post.
pub const SIGNATURE: &str = "x-twilio-signature";
/// The field of the address that stands for a body which is no form.
const BODY_HASH: &str = "bodySHA256";

/// Knows what Twilio signs: posts to the public address, with the account's primary token.
#[derive(Clone)]
pub struct Signed {
    token: SecretString,
    public_url: String,
}

/// A post that may be Twilio's.
#[derive(Clone, Copy)]
pub struct SignedPost<'a> {
    /// Path and query as they were sent.
    pub target: &'a str,
    /// The header that proves it.
    pub signature: &'a str,
    /// What the body is.
    pub content_type: &'a str,
    /// The body.
    pub body: &'a [u8],
}

impl Signed {
    /// Posts to `public_url`, which has no path of its own but what stands before the doors' paths.
    pub fn new(token: SecretString, public_url: &str) -> Self {
        Self { token, public_url: public_url.trim_end_matches('/').to_owned() }
    }

    /// The fields of a post if it is genuine.
    pub fn fields(&self, post: SignedPost<'_>) -> Option<Vec<(String, String)>> {
        let shown = STANDARD.decode(post.signature.trim()).ok()?;
        let is_form = post.content_type.split(';').next().is_some_and(is_form_type);
        let fields = if is_form { fields_of(post.body) } else { Vec::new() };
        let hash = hash_in(post.target);
        if !is_form && !hash.as_deref().is_some_and(|hash| is_hash_of(hash, post.body)) {
            return None;
        }
        let signed = if hash.is_some() { String::new() } else { joined(&fields) };
        let is_genuine = self.addresses(post.target).into_iter().any(|address| {
            let key = self.token.expose_secret().as_bytes();
            let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
            mac.update(address.as_bytes());
            mac.update(signed.as_bytes());
            // Compared in constant time.
            mac.verify_slice(&shown).is_ok()
        });
        is_genuine.then_some(fields)
    }

    /// The address as it is written, with the port that goes without saying, and without any.
    fn addresses(&self, target: &str) -> Vec<String> {
        let whole = format!("{}{target}", self.public_url);
        let Some((scheme, rest)) = self.public_url.split_once("://") else { return vec![whole] };
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let bare = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let usual = if scheme == "https" { 443 } else { 80 };
        let without = format!("{scheme}://{bare}{path}{target}");
        vec![whole, without, format!("{scheme}://{bare}:{usual}{path}{target}")]
    }
}

fn is_form_type(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The hash of the body that the address names.
fn hash_in(target: &str) -> Option<String> {
    let (_, query) = target.split_once('?')?;
    fields_of(query.as_bytes()).into_iter().find(|(key, _)| key == BODY_HASH).map(|(_, hash)| hash)
}

fn is_hash_of(hash: &str, body: &[u8]) -> bool {
    let digit = |at: usize| hash.as_bytes().get(at).and_then(|digit| char::from(*digit).to_digit(16));
    let byte = |at: usize| Some(digit(2 * at)? * 16 + digit(2 * at + 1)?);
    let found = Sha256::digest(body);
    hash.len() == 2 * found.len() && found.iter().enumerate().all(|(at, found)| byte(at) == Some(u32::from(*found)))
}

/// Every field, by its key and then its value, each once, keys and values joined by nothing.
fn joined(fields: &[(String, String)]) -> String {
    let mut all: Vec<&(String, String)> = fields.iter().collect();
    all.sort();
    all.dedup();
    all.into_iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";
    // As Twilio's own library signs it with the token 12345.
    const BODY: &[u8] =
        b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309";

    fn signed() -> Signed {
        Signed::new("12345".into(), "https://mycompany.com")
    }

    fn post<'a>(target: &'a str, signature: &'a str, body: &'a [u8]) -> SignedPost<'a> {
        SignedPost { target, signature, content_type: FORM, body }
    }

    #[test]
    fn the_vector_of_the_vendors_library_is_genuine_and_nothing_else_is() {
        let (target, signature) = ("/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        let fields = signed().fields(post(target, signature, BODY)).expect("genuine");
        assert_eq!(fields.len(), 5);
        for other in [
            post("/myapp.php?foo=1&bar=3", signature, BODY),
            post(target, "RSOYDt4T1cUTdK1PDd93/VVr8B9=", BODY),
            post(target, "", BODY),
            post(target, "no base64 at all", BODY),
            post(target, signature, b"CallSid=CA1234567890ABCDE"),
            SignedPost { content_type: "text/plain", ..post(target, signature, BODY) },
        ] {
            assert!(signed().fields(other).is_none());
        }
        assert!(Signed::new("12346".into(), "https://mycompany.com").fields(post(target, signature, BODY)).is_none());
    }

    #[test]
    fn the_port_may_be_said_or_not() {
        let all = |url: &str| Signed::new("1".into(), url).addresses("/sms");
        let three = ["https://a.example/sms", "https://a.example/sms", "https://a.example:443/sms"];
        assert_eq!(all("https://a.example/"), three);
        assert_eq!(all("http://a.example:8080/bot")[1..], ["http://a.example/bot/sms", "http://a.example:80/bot/sms"]);
        assert_eq!(all("https://[::1]:443")[1], "https://[::1]/sms");
    }

    #[test]
    fn fields_are_joined_in_order_and_each_once() {
        let fields = fields_of(b"b=2&a=9&a=1&a=9&c=+x+");
        assert_eq!(joined(&fields), "a1a9b2c x ");
    }
}
