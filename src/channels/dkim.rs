//! Who vouches for a letter? The domain that it is from, by a signature (DKIM, RFC 6376) whose public half stands in its DNS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::Message;
use lettre::message::dkim::{
    DkimCanonicalization, DkimCanonicalizationType, DkimConfig, DkimSigningAlgorithm, DkimSigningKey,
};
use lettre::message::header::HeaderName;
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, LineEnding};
use rsa::pkcs8::{ObjectIdentifier, PrivateKeyInfo};
use rsa::traits::PublicKeyParts;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

/// The name under which the public half stands in DNS: `bellwether._domainkey` of the domain.
const SELECTOR: &str = "bellwether";
/// What is signed. A header that a letter does not have is signed as missing, so that nobody can add it.
const SIGNED: [&str; 12] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "MIME-Version",
    "Content-Type",
];
/// The object identifier of Ed25519 keys (RFC 8410).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// How the key itself begins in an Ed25519 key file: a string of 32 bytes.
const ED25519_HEAD: [u8; 2] = [0x04, 0x20];
/// RSA keys of fewer bits prove nothing to receivers (RFC 8301), and few of them check longer ones.
const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=4096;

/// Why a key signs nothing. The words never hold any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DkimKeyError {
    /// It cannot be read.
    #[error("it is no private key in PEM that can be read; one with a password is none")]
    Unreadable,
    /// It is of another kind.
    #[error("it is neither an RSA nor an Ed25519 key")]
    Kind,
    /// Its length is of no use.
    #[error("it is an RSA key of {0} bits, and receivers take those of 1024 to 4096")]
    Length(usize),
    /// The domain of the sender cannot have a record.
    #[error("the sender's domain \"{0}\" can have no record in DNS")]
    Domain(String),
}

/// What signs letters.
pub struct Signer(DkimConfig);

impl Signer {
    /// Signs for `domain` with a key in PEM: RSA (PKCS #1 or #8) or Ed25519 (PKCS #8).
    ///
    /// # Errors
    /// When the key is none, or there can be no record for the domain.
    pub fn new(pem: &str, domain: &str) -> Result<Self, DkimKeyError> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        if !domain.contains('.') || !domain.bytes().all(letter) {
            return Err(DkimKeyError::Domain(domain.escape_debug().take(100).collect()));
        }
        let key = key_of(pem)?;
        let headers = SIGNED.into_iter().map(HeaderName::new_from_ascii_str).collect();
        // Servers on the way fold headers anew and cut spaces; that must not break it.
        let relaxed = DkimCanonicalizationType::Relaxed;
        let canonicalization = DkimCanonicalization { header: relaxed, body: relaxed };
        Ok(Self(DkimConfig::new(SELECTOR.to_owned(), domain.to_owned(), key, headers, canonicalization)))
    }

    pub(super) fn sign(&self, letter: &mut Message) {
        letter.sign(&self.0);
    }
}

fn key_of(pem: &str) -> Result<DkimSigningKey, DkimKeyError> {
    let unreadable = |_| DkimKeyError::Unreadable;
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| DkimKeyError::Unreadable)? {
        PrivateKeyDer::Pkcs1(der) => {
            rsa_key(&RsaPrivateKey::from_pkcs1_der(der.secret_pkcs1_der()).map_err(unreadable)?)
        }
        PrivateKeyDer::Pkcs8(der) => {
            let info = PrivateKeyInfo::try_from(der.secret_pkcs8_der()).map_err(|_| DkimKeyError::Unreadable)?;
            match info.algorithm.oid {
                rsa::pkcs1::ALGORITHM_OID => {
                    rsa_key(&RsaPrivateKey::from_pkcs1_der(info.private_key).map_err(unreadable)?)
                }
                ED25519 => ed25519_key(info.private_key),
                _ => Err(DkimKeyError::Kind),
            }
        }
        _ => Err(DkimKeyError::Kind),
    }
}

fn rsa_key(key: &RsaPrivateKey) -> Result<DkimSigningKey, DkimKeyError> {
    let bits = key.n().bits();
    if !RSA_BITS.contains(&bits) {
        return Err(DkimKeyError::Length(bits));
    }
    key.validate().map_err(|_| DkimKeyError::Unreadable)?;
    let pem = key.to_pkcs1_pem(LineEnding::LF).map_err(|_| DkimKeyError::Unreadable)?;
    DkimSigningKey::new(&pem, DkimSigningAlgorithm::Rsa).map_err(|_| DkimKeyError::Unreadable)
}

fn ed25519_key(inside: &[u8]) -> Result<DkimSigningKey, DkimKeyError> {
    let seed = inside.strip_prefix(&ED25519_HEAD).filter(|seed| seed.len() == 32).ok_or(DkimKeyError::Unreadable)?;
    DkimSigningKey::new(&STANDARD.encode(seed), DkimSigningAlgorithm::Ed25519).map_err(|_| DkimKeyError::Unreadable)
}
