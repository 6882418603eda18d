//! How does a letter get to a mail server? By one connection a letter, with one recipient, and what is told of it is what the server said.
//!
//! No connection is kept: servers close those that rest without a word, and what was written into one is then neither sent nor unsent.
//! Letters are few, and a new connection costs less than one second letter.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::notify::{Abilities, Channel, Failure, Post, Receipt, SendError};

use super::harmless::cleaned;
use super::mail::Letters;
use super::mail_file::ALLOWANCE;
use super::smtp_talk::{Fault, Reply, Talk};

/// A server that puts a letter off is asked again after this. One that does so to everybody it does not know, for some minutes, lets the
/// letter in on a later try; more tries than one a minute make some wait longer. The pause holds for the lane alone, and a second one in a
/// row has it told on other ways that mail does not come through.
const PUT_OFF: Duration = Duration::from_mins(1);
/// The most of a server's words that are told, in characters.
const WORDS_CHARS_MAX: usize = 160;
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);
/// After a login that is refused nobody logs in for this long, twice as long after each further one, and at most so long: servers shut
/// out whoever tries the same wrong password again and again.
const LOGIN_REST: Duration = Duration::from_secs(30);
const LOGIN_REST_MAX: Duration = Duration::from_mins(15);
/// What is shorter stands in other words by chance.
const TELLING_BYTES_MIN: usize = 5;

/// How a connection is kept from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailWire {
    /// TLS from the first byte.
    Tls,
    /// TLS by STARTTLS before anything is said.
    StartTls,
    /// Not at all.
    Plain,
}

/// A server that takes mail.
pub struct MailHost {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from being read.
    pub wire: MailWire,
    /// Who logs in, if somebody has to.
    pub login: Option<(String, SecretString)>,
    /// Whom TLS trusts.
    pub tls: Arc<ClientConfig>,
    /// How long everything up to the letter may take, and how long the letter; each.
    pub patience: Duration,
    /// How long the server may think about a letter that it has read whole.
    pub thinking: Duration,
}

/// One person's mail by a server.
pub struct MailServer {
    host: Arc<MailHost>,
    letters: Letters,
    refused: Mutex<Option<Refused>>,
}

/// A login that was refused.
struct Refused {
    /// What the server said.
    why: SendError,
    /// How long nobody logs in, and until when on the steady clock.
    rest: Duration,
    until: Duration,
}

/// What was asked when the server said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// To be let in.
    Opening,
    /// To believe the login.
    Login,
    /// To take a letter from the sender.
    Sender,
    /// To take one for the recipient, or to let it come.
    Recipient,
    /// To take what it has read whole.
    Letter,
}

impl MailServer {
    /// Sends `letters` by `host`.
    pub fn new(host: Arc<MailHost>, letters: Letters) -> Self {
        Self { host, letters, refused: Mutex::default() }
    }

    /// Everything up to where a letter would begin: who asks, from whom, to whom.
    async fn offer(&self, size: usize) -> Result<Talk, SendError> {
        if let Some(why) = self.rests() {
            return Err(why);
        }
        let mut talk = self.open().await?;
        if let Some(max) = talk.offer.size.filter(|max| size > *max) {
            return Err(SendError::Rejected(format!("a letter of {size} bytes, and the server takes {max}")));
        }
        let (from, to): (&str, &str) = (self.letters.from().as_ref(), self.letters.to().as_ref());
        for (whose, address) in [("EMAIL_FROM", from), ("the recipient", to)] {
            if !address.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(SendError::Shut(format!("the address of {whose} has letters that mail cannot carry")));
            }
        }
        talk.sender(from, size).await.map_err(|fault| self.judged(Step::Sender, fault))?;
        talk.recipient(to).await.map_err(|fault| self.judged(Step::Recipient, fault))?;
        Ok(talk)
    }

    async fn open(&self) -> Result<Talk, SendError> {
        let MailHost { host, port, wire, login, tls, .. } = &*self.host;
        let opening = |fault| self.judged(Step::Opening, fault);
        let at_once = (*wire == MailWire::Tls).then_some(tls);
        let mut talk = Talk::connect(host, *port, at_once).await.map_err(opening)?;
        talk.greeting().await.map_err(opening)?;
        talk.hello().await.map_err(opening)?;
        if *wire == MailWire::StartTls {
            if !talk.offer.tls {
                let words = "it offers no STARTTLS, so nothing was said in the clear: SMTP_URL=smtps:// is TLS at once";
                return Err(SendError::Shut(words.to_owned()));
            }
            talk = talk.start_tls(host, tls).await.map_err(opening)?;
            talk.hello().await.map_err(opening)?;
        }
        if let Some((user, password)) = login {
            if !talk.takes_login() {
                return Err(SendError::Shut("it takes no login by user and password here (PLAIN or LOGIN)".to_owned()));
            }
            let logged_in = talk.login(user, password).await.map_err(|fault| self.judged(Step::Login, fault));
            self.note_login(&logged_in);
            logged_in?;
        }
        Ok(talk)
    }

    /// Why nobody logs in now; none where somebody may.
    fn rests(&self) -> Option<SendError> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.as_ref().filter(|refused| self.letters.steady() < refused.until).map(|refused| refused.why.clone())
    }

    fn note_login(&self, logged_in: &Result<(), SendError>) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match logged_in {
            Ok(()) => *refused = None,
            Err(why @ SendError::Shut(_)) => {
                let rest = refused.as_ref().map_or(LOGIN_REST, |before| (before.rest * 2).min(LOGIN_REST_MAX));
                *refused = Some(Refused { why: why.clone(), rest, until: self.letters.steady() + rest });
            }
            Err(_) => {}
        }
    }

    async fn sent(&self, letter: &[u8]) -> Result<(), SendError> {
        let patience = self.host.patience;
        let late = |_| SendError::Unreachable(format!("it did not answer for {} s", patience.as_secs_f64()));
        let offered = async {
            let mut talk = self.offer(letter.len()).await?;
            talk.data().await.map_err(|fault| self.judged(Step::Recipient, fault))?;
            Ok(talk)
        };
        let mut talk = timeout(patience, offered).await.map_err(late)??;
        // Until the dot has left nothing can have been taken.
        timeout(patience, talk.letter(letter))
            .await
            .map_err(late)?
            .map_err(|fault| self.judged(Step::Sender, fault))?;
        let thinking = self.host.thinking;
        match timeout(thinking, talk.end()).await {
            Ok(Ok(_)) => {
                tokio::spawn(timeout(GOODBYE, talk.quit()));
                Ok(())
            }
            Ok(Err(fault)) => Err(self.judged(Step::Letter, fault)),
            Err(_) => Err(SendError::Unknown(format!("no word for {} s after the letter", thinking.as_secs_f64()))),
        }
    }

    /// What follows from it. Before the letter was seen it is not the letter that is refused, but who asks, from whom and for whom: as
    /// long as nobody mends that, nothing comes through.
    fn judged(&self, step: Step, fault: Fault) -> SendError {
        let reply = match fault {
            Fault::Said(reply) => reply,
            Fault::Certificate(words) => {
                return SendError::Shut(format!("its certificate is not trusted ({words}): CA_FILE names authorities"));
            }
            Fault::Lost(words) => return lost(step, words),
            Fault::Odd(words) => return lost(step, words.to_owned()),
        };
        let words = self.words(&reply);
        match (step, reply.code) {
            (_, 421) | (Step::Login, 400..500) => SendError::Unreachable(words),
            (_, 400..500) => {
                tracing::info!("the mail server puts letters off: {words}");
                SendError::Throttled(PUT_OFF)
            }
            (Step::Letter, 500..) | (Step::Sender, 552) => SendError::Rejected(words),
            (Step::Login, 500..) => SendError::Shut(format!("it refuses the login in SMTP_URL: {words}")),
            (Step::Recipient, 500..) => SendError::Shut(format!("it takes nothing for this address: {words}")),
            (Step::Opening | Step::Sender, 500..) => SendError::Shut(words),
            _ => lost(step, format!("{words}, which is no answer to what was asked")),
        }
    }

    /// What the server said. It is a stranger's text that may repeat what it was told, so addresses and the login are taken out.
    fn words(&self, reply: &Reply) -> String {
        let mut told: Vec<String> = vec![self.letters.to().user().to_owned()];
        if let Some((user, password)) = &self.host.login {
            let password = password.expose_secret();
            let both = format!("\0{user}\0{password}");
            told.extend([user.as_str(), password, &both].map(|text| STANDARD.encode(text)));
            told.extend(user.split('@').chain(password.split_whitespace()).map(str::to_owned));
        }
        let told: Vec<String> = told.iter().map(|text| text.to_lowercase()).collect();
        let hidden = |word: &str| {
            let word = word.to_lowercase();
            let bare = word.trim_matches(|letter: char| !letter.is_alphanumeric());
            let is_told = |text: &String| bare == text || text.len() >= TELLING_BYTES_MIN && word.contains(text);
            word.contains('@') || told.iter().any(is_told)
        };
        let text = cleaned(&reply.lines.join(" "), WORDS_CHARS_MAX * 4);
        let text: Vec<&str> = text.split_whitespace().map(|word| if hidden(word) { "***" } else { word }).collect();
        let text = cleaned(&text.join(" "), WORDS_CHARS_MAX);
        let code = reply.code;
        if text.is_empty() { format!("it answered {code}") } else { format!("it answered {code} {text}") }
    }
}

/// What follows where there is no answer.
fn lost(step: Step, words: String) -> SendError {
    if step == Step::Letter { SendError::Unknown(words) } else { SendError::Unreachable(words) }
}

#[async_trait]
impl Channel for MailServer {
    fn abilities(&self) -> Abilities {
        Abilities { edits: false, buttons: false, finds: false, allowance: Some(ALLOWANCE) }
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        let letter = self.letters.letter(post).map_err(|error| SendError::Rejected(error.to_string()))?;
        self.sent(&letter.bytes).await?;
        Ok(Receipt { remote: Some(letter.remote), ..Receipt::default() })
    }

    /// As far as the recipient's name, which is then taken back: a login or an address that is refused shows without a letter.
    async fn probe(&self) -> Option<Result<(), Failure>> {
        let asked = async {
            let mut talk = self.offer(0).await?;
            talk.reset().await.map_err(|fault| self.judged(Step::Recipient, fault))?;
            Ok::<_, SendError>(talk)
        };
        let late = |_| SendError::Unreachable("it does not answer".to_owned());
        let asked = timeout(self.host.patience, asked).await.map_err(late).and_then(|asked| asked);
        match asked {
            Ok(talk) => {
                // Whether it hears a goodbye says nothing of what it takes.
                drop(timeout(GOODBYE, talk.quit()).await);
                Some(Ok(()))
            }
            Err(error) => Some(Err(error.into())),
        }
    }
}
