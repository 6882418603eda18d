//! What does Twilio post? What comes from phones and what becomes of messages, signed with the account's token.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha1::Sha1;

use super::server::Hub;
use super::world::{Sent, World};

/// How a post is spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Spoilt {
    /// Not at all.
    #[default]
    No,
    /// No signature.
    Unsigned,
    /// One made with another token.
    OtherToken,
    /// A field was changed after it was signed.
    Changed,
    /// It is signed with the port that goes without saying.
    Port,
}

/// A post that is ready to go.
pub(crate) struct Post {
    to: String,
    path: String,
    signature: Option<String>,
    body: String,
}

/// As a form is written.
fn form(fields: &[(String, String)]) -> String {
    let escaped = |text: &str| -> String {
        text.bytes()
            .map(
                |byte| {
                    if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
                },
            )
            .collect()
    };
    fields.iter().map(|(key, value)| format!("{}={}", escaped(key), escaped(value))).collect::<Vec<_>>().join("&")
}

fn sign(token: &str, address: &str, fields: &[(String, String)]) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort();
    sorted.dedup();
    let joined: String = sorted.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]).collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap_or_else(|_| unreachable!("any length"));
    mac.update(format!("{address}{joined}").as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

impl World {
    /// A post to a path below the public address.
    pub(super) fn post(&self, path: &str, mut fields: Vec<(String, String)>, spoilt: Spoilt) -> Post {
        let mut public = self.public.clone();
        if spoilt == Spoilt::Port {
            public.push_str(if public.starts_with("https") { ":443" } else { ":80" });
        }
        let token = if spoilt == Spoilt::OtherToken { "another" } else { &self.token };
        let signature = (spoilt != Spoilt::Unsigned).then(|| sign(token, &format!("{public}{path}"), &fields));
        if spoilt == Spoilt::Changed {
            fields.push(("Body".to_owned(), "HALT".to_owned()));
        }
        Post { to: self.deliver_to.clone(), path: path.to_owned(), signature, body: form(&fields) }
    }

    /// What a phone texts, as Twilio posts it.
    pub(super) fn text(&mut self, sid: &str, from: &str, body: &str, spoilt: Spoilt) -> Post {
        let opt_out = self.carrier(from, body);
        let mut fields = vec![
            ("ToCountry", "PT"),
            ("SmsMessageSid", sid),
            ("NumMedia", "0"),
            ("SmsSid", sid),
            ("SmsStatus", "received"),
            ("Body", body),
            ("To", "+15005550006"),
            ("NumSegments", "1"),
            ("MessageSid", sid),
            ("AccountSid", &self.sid),
            ("From", from),
            ("FromCity", " "),
            ("ApiVersion", "2010-04-01"),
        ];
        fields.extend(opt_out.map(|kind| ("OptOutType", kind)));
        let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        self.post("/sms", fields, spoilt)
    }

    /// What becomes of a message, as Twilio posts it to the address that the message named.
    pub(super) fn fate(&mut self, sid: &str, status: &str, code: Option<u32>, spoilt: Spoilt) -> Option<Post> {
        let public = self.public.clone();
        let sent = self.messages.iter_mut().find(|sent| sent.sid == sid)?;
        status.clone_into(&mut sent.status);
        sent.code = code;
        let path = sent.callback.as_deref()?.strip_prefix(&public)?.to_owned();
        let mut fields = vec![
            ("SmsSid", sid.to_owned()),
            ("SmsStatus", status.to_owned()),
            ("MessageStatus", status.to_owned()),
            ("To", sent.to.clone()),
            ("MessageSid", sid.to_owned()),
            ("AccountSid", self.sid.clone()),
            ("From", sent.from.clone()),
            ("ApiVersion", "2010-04-01".to_owned()),
            ("RawDlrDoneDate", " 2611211000 ".to_owned()),
        ];
        fields.extend(code.map(|code| ("ErrorCode", code.to_string())));
        let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Some(self.post(&path, fields, spoilt))
    }
}

impl Post {
    /// Sends it; the status and the body of the answer, or nothing where nobody answered.
    pub(crate) fn go(&self) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.to).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(15))).ok()?;
        let signature = self.signature.as_ref().map(|mac| format!("X-Twilio-Signature: {mac}\r\n")).unwrap_or_default();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: bot.example.org\r\nConnection: close\r\nUser-Agent: TwilioProxy/1.1\r\nI-Twilio-Idempotency-Token: x\r\n\
             {signature}Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: {}\r\n\r\n",
            self.path,
            self.body.len()
        );
        stream.write_all(&[head.as_bytes(), self.body.as_bytes()].concat()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        Some((status, body.unwrap_or_default()))
    }
}

/// What becomes of a message by itself, told in order on a thread of its own.
pub(super) fn tell_fate(hub: &Arc<Hub>, sent: &Sent) {
    let (fates, sid, hub) = (hub.lock().fates.clone(), sent.sid.clone(), hub.clone());
    if fates.is_empty() {
        return;
    }
    std::thread::spawn(move || {
        for status in fates {
            let post = hub.lock().fate(&sid, &status, None, Spoilt::No);
            post.and_then(|post| post.go());
            hub.ring();
        }
    });
}
