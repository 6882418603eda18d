//! By whom are short messages sent? An account at Twilio with its token and sender.

use std::fmt;

use secrecy::SecretString;

use super::phone::Phone;

/// An account.
#[derive(Clone)]
pub struct TwilioAccount {
    /// Its number: `AC` and 32 digits of base 16.
    pub sid: String,
    /// Its primary token.
    pub token: SecretString,
    /// A phone, or a messaging service: `MG` and 32 digits of base 16.
    pub from: String,
    /// The server of the API, where it is not the usual one.
    pub url: Option<String>,
}

impl TwilioAccount {
    /// An account, if these can be one.
    pub(super) fn new(sid: String, token: String, from: String, url: Option<String>) -> Result<Self, String> {
        let is_sid = |text: &str, prefix: &str| {
            let rest = text.strip_prefix(prefix).unwrap_or_default();
            rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if !is_sid(&sid, "AC") {
            return Err("TWILIO_ACCOUNT_SID is no account: it is AC and 32 digits; copy it from the console".to_owned());
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(
                "TWILIO_AUTH_TOKEN has a space or a strange letter in it: copy it again from the console".to_owned()
            );
        }
        let from = match from.parse::<Phone>() {
            Ok(phone) => phone.expose().to_owned(),
            Err(_) if is_sid(&from, "MG") => from,
            Err(_) => {
                return Err(
                    "TWILIO_FROM is neither a phone such as +15005550006 nor a messaging service such as MG..."
                        .to_owned(),
                );
            }
        };
        Ok(Self { sid, token: token.into(), from, url })
    }
}

impl fmt::Debug for TwilioAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioAccount").field("url", &self.url).finish_non_exhaustive()
    }
}
