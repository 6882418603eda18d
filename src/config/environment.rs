//! What does the environment say? Read here and nowhere else.

use std::env::VarError;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use lettre::message::Mailbox;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::SecretString;

use super::env_file::kept;
use super::secret_url::{SecretUrl, web_address};
use super::smtp_url::SmtpUrl;
use super::twilio_account::TwilioAccount;
use super::variables::{ENVIRONMENT, SENDER, Variable};

/// What the environment says.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The configuration file, if one was named.
    pub config: Option<PathBuf>,
    /// The database.
    pub database: PathBuf,
    /// The log's level.
    pub log: String,
    /// The token of the bot on Telegram.
    pub telegram_token: Option<SecretString>,
    /// The server of the Bot API, where it is not the usual one.
    pub telegram_url: Option<String>,
    /// The token of the bot on Discord.
    pub discord_token: Option<SecretString>,
    /// The server of Discord's API, where it is not the usual one.
    pub discord_url: Option<String>,
    /// The server on Discord that commands are registered in.
    pub discord_guild: Option<u64>,
    /// The server that takes mail.
    pub smtp_url: Option<SmtpUrl>,
    /// The key that letters are signed with, as PEM.
    pub dkim_key: Option<SecretString>,
    /// The account at Twilio.
    pub twilio: Option<TwilioAccount>,
    /// The topic that push messages go to.
    pub ntfy_url: Option<SecretUrl>,
    /// How the port for visitors is reached from the internet, without a slash at its end.
    pub public_url: Option<String>,
    /// Where messages are sent as JSON.
    pub webhook_url: Option<SecretUrl>,
    /// What they are signed with; set where `webhook_url` is.
    pub webhook_secret: Option<SecretString>,
    /// Where health and metrics are served. Open to other machines only with a token.
    pub http_listen: Option<SocketAddr>,
    /// What a reader of them must send.
    pub http_token: Option<SecretString>,
    /// What is asked while all is well.
    pub heartbeat_url: Option<SecretUrl>,
    /// Certificates of authorities that are trusted too; it held some when the environment was read.
    pub ca_file: Option<PathBuf>,
    /// Who mail is from.
    pub email_from: Mailbox,
}

impl Environment {
    /// Reads `.env` from the working directory, if there is one, and then the environment, which wins.
    ///
    /// # Errors
    /// When `.env` cannot be read as one or a variable cannot mean anything; in words without their contents.
    pub fn read() -> Result<Self, String> {
        Self::read_with(&[])
    }

    /// The same with these values instead of theirs.
    ///
    /// # Errors
    /// As above.
    pub fn read_with(set: &[(&str, &str)]) -> Result<Self, String> {
        let kept = kept(Path::new(".env")).map_err(|error| error.to_string())?;
        Self::of(|name| match set.iter().find(|(key, _)| *key == name) {
            Some((_, value)) => Ok(Some((*value).to_owned())),
            None => given(name, &kept),
        })
    }

    /// Where everything is and no service: enough to stop trading, whatever is wrong with the others.
    ///
    /// # Errors
    /// When `.env` cannot be read as one.
    pub fn read_places() -> Result<Self, String> {
        let kept = kept(Path::new(".env")).map_err(|error| error.to_string())?;
        Self::of(|name| if name.starts_with("BELLWETHER_") { given(name, &kept) } else { Ok(None) })
    }

    /// Names whose value in `.env` nobody sees, since the environment has another.
    pub fn hidden<'a>(kept: &[(&'a str, &str)]) -> Vec<&'a str> {
        let other = |(name, value): &&(&str, &str)| outside(name).is_ok_and(|found| found != *value);
        kept.iter().filter(other).map(|(name, _)| *name).collect()
    }

    /// What these values mean. One that is empty counts as not set.
    ///
    /// # Errors
    /// When one cannot mean anything: which, why and what to do, without the value.
    pub fn of(look_up: impl Fn(&str) -> Result<Option<String>, String>) -> Result<Self, String> {
        let value = |name: &str| Ok::<_, String>(look_up(name)?.filter(|value| !value.is_empty()));
        let environment = Self {
            config: value("BELLWETHER_CONFIG")?.map(PathBuf::from),
            database: value("BELLWETHER_DB")?.map_or_else(|| PathBuf::from("bellwether.db"), PathBuf::from),
            log: value("BELLWETHER_LOG")?.unwrap_or_else(|| "warn".to_owned()),
            telegram_token: value("TELEGRAM_BOT_TOKEN")?.map(telegram_token).transpose()?,
            telegram_url: value("TELEGRAM_API_URL")?
                .map(|text| api_url("TELEGRAM_API_URL", text, "https://api.telegram.org"))
                .transpose()?,
            discord_token: value("DISCORD_BOT_TOKEN")?.map(|text| discord_token(&text)).transpose()?,
            discord_url: value("DISCORD_API_URL")?
                .map(|text| api_url("DISCORD_API_URL", text, "https://discord.com"))
                .transpose()?,
            discord_guild: value("DISCORD_GUILD_ID")?.map(|text| discord_guild(&text)).transpose()?,
            smtp_url: value("SMTP_URL")?.map(|text| smtp_url(&text)).transpose()?,
            dkim_key: value("DKIM_KEY_FILE")?.map(|path| dkim_key(&path)).transpose()?,
            twilio: twilio(
                [value("TWILIO_ACCOUNT_SID")?, value("TWILIO_AUTH_TOKEN")?, value("TWILIO_FROM")?],
                value("TWILIO_API_URL")?,
            )?,
            ntfy_url: value("NTFY_URL")?.map(|text| secret_url("NTFY_URL", &text)).transpose()?,
            public_url: value("PUBLIC_URL")?.map(public_url).transpose()?,
            webhook_url: value("WEBHOOK_URL")?.map(|text| secret_url("WEBHOOK_URL", &text)).transpose()?,
            webhook_secret: value("WEBHOOK_SECRET")?.map(SecretString::from),
            http_listen: value("HTTP_LISTEN")?.map(|text| http_listen(&text)).transpose()?,
            http_token: value("HTTP_TOKEN")?.map(http_token).transpose()?,
            heartbeat_url: value("HEARTBEAT_URL")?.map(|text| secret_url("HEARTBEAT_URL", &text)).transpose()?,
            ca_file: value("CA_FILE")?.map(ca_file).transpose()?,
            email_from: email_from(&value("EMAIL_FROM")?.unwrap_or_else(|| SENDER.to_owned()))?,
        };
        environment.check()?;
        Ok(environment)
    }

    /// Refuses values that do not go together.
    fn check(&self) -> Result<(), String> {
        if self.webhook_url.is_some() && self.webhook_secret.is_none() {
            return Err(
                "WEBHOOK_URL is set and WEBHOOK_SECRET is not: set it to what messages are to be signed with, \
                        such as a long random word"
                    .to_owned(),
            );
        }
        if self.public_url.is_some() && self.http_listen.is_none() {
            return Err(
                "PUBLIC_URL is set and HTTP_LISTEN is not, so nobody listens there: set HTTP_LISTEN, such as 127.0.0.1:8080"
                    .to_owned(),
            );
        }
        match self.http_listen {
            Some(address) if !address.ip().is_loopback() && self.http_token.is_none() => Err(format!(
                "HTTP_LISTEN is {address}, which other machines may reach, and HTTP_TOKEN is not set: set HTTP_TOKEN to a long \
                 random word, or listen on 127.0.0.1:{}",
                address.port()
            )),
            _ => Ok(()),
        }
    }
}

/// The value outside, else the one in `.env`.
fn given(name: &str, kept: &[(String, String)]) -> Result<Option<String>, String> {
    match outside(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(kept.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())),
        Err(VarError::NotUnicode(_)) => Err(format!("{name} is not written in UTF-8")),
    }
}

#[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
fn outside(name: &str) -> Result<String, VarError> {
    std::env::var(name)
}

/// A line for each service that is off, with the variable that turns it on.
pub fn missing_services(environment: &Environment) -> Vec<&'static str> {
    let mut missing = Vec::new();
    let mut look = |is_there: bool, words: &'static str| missing.extend((!is_there).then_some(words));
    look(environment.telegram_token.is_some(), "no Telegram: TELEGRAM_BOT_TOKEN turns it on");
    look(environment.discord_token.is_some(), "no Discord: DISCORD_BOT_TOKEN turns it on, see docs/DISCORD.md");
    look(
        environment.smtp_url.is_some(),
        "no mail server, letters are files: SMTP_URL and EMAIL_FROM turn it on, see docs/EMAIL.md",
    );
    look(
        environment.twilio.is_some(),
        "no SMS: TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM turn it on, see docs/SMS.md",
    );
    missing
}

/// The text of `.env.example`: each variable with a line about it.
pub fn env_example() -> String {
    let mut text = String::from(
        "# Copy this file to .env and remove the # before what you want to set. Everything is optional.\n",
    );
    for Variable { name, default, example, help } in ENVIRONMENT {
        let _ = write!(text, "\n# {help} Default: {default}.\n# {name}={}\n", super::env_file::quoted(example));
    }
    text
}

fn telegram_token(text: String) -> Result<SecretString, String> {
    let is_token = text.split_once(':').is_some_and(|(number, word)| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        digits && !word.is_empty() && word.bytes().all(letter) && text.len() <= 256
    });
    if !is_token {
        return Err("TELEGRAM_BOT_TOKEN is not the token of a bot: that is a number, a colon and letters, as in 123456789:ABC-def; \
                    copy it from @BotFather"
            .to_owned());
    }
    Ok(text.into())
}

/// The address of a service's API; `usual` is the one that holds without it.
fn api_url(name: &str, text: String, usual: &str) -> Result<String, String> {
    let help = format!("write it like http://127.0.0.1:8081, or leave it out for {usual}");
    let url = web_address(&text).map_err(|what| format!("{name} {what}: {help}"))?;
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if !plain {
        return Err(format!("{name} has more than a host and a path: {help}"));
    }
    Ok(text)
}

fn discord_token(text: &str) -> Result<SecretString, String> {
    let text = text.strip_prefix("Bot ").unwrap_or(text);
    if text.len() > 256 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("DISCORD_BOT_TOKEN is not the token of a bot: that is one word; copy it from the page Bot of the developer \
                    portal"
            .to_owned());
    }
    Ok(SecretString::from(text))
}

fn discord_guild(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|id| *id > 0).ok_or_else(|| {
        "DISCORD_GUILD_ID is not the number of a server: turn Developer Mode on, then Copy Server ID".to_owned()
    })
}

fn smtp_url(text: &str) -> Result<SmtpUrl, String> {
    text.parse()
        .map_err(|what: String| format!("SMTP_URL {what}: write it like smtps://user:password@mail.example.org"))
}

fn dkim_key(path: &str) -> Result<SecretString, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("DKIM_KEY_FILE: {path} cannot be read ({error})"))?;
    if !text.contains("PRIVATE KEY-----") {
        return Err(format!("DKIM_KEY_FILE: {path} holds no private key as PEM: docs/EMAIL.md shows how to make one"));
    }
    Ok(text.into())
}

fn twilio(three: [Option<String>; 3], url: Option<String>) -> Result<Option<TwilioAccount>, String> {
    const NAMES: [&str; 3] = ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"];
    let missing: Vec<&str> =
        NAMES.into_iter().zip(&three).filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
    let [Some(sid), Some(token), Some(from)] = three else {
        return if missing.len() == NAMES.len() {
            Ok(None)
        } else {
            Err(format!("SMS needs {}; not set: {}", NAMES.join(", "), missing.join(", ")))
        };
    };
    let url = url.map(|text| api_url("TWILIO_API_URL", text, "https://api.twilio.com")).transpose()?;
    TwilioAccount::new(sid, token, from, url).map(Some)
}

fn public_url(text: String) -> Result<String, String> {
    let url = api_url("PUBLIC_URL", text, "none")?;
    Ok(url.trim_end_matches('/').to_owned())
}

fn secret_url(name: &str, text: &str) -> Result<SecretUrl, String> {
    text.parse().map_err(|what: String| format!("{name} {what}: write it like https://example.org/path"))
}

fn http_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "HTTP_LISTEN is no address with a port: write it like 127.0.0.1:8080".to_owned())
}

fn http_token(text: String) -> Result<SecretString, String> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("HTTP_TOKEN has a character that a header cannot carry: use letters and digits".to_owned());
    }
    Ok(text.into())
}

fn ca_file(text: String) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let fault = |what: String| {
        format!("CA_FILE: {} {what}: name a file with certificates as PEM, or leave it out", path.display())
    };
    let bytes = std::fs::read(&path).map_err(|error| fault(format!("cannot be read ({error})")))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|_| fault("is damaged".to_owned()))?;
        roots.add(certificate).map_err(|_| fault("has a certificate that cannot be read".to_owned()))?;
    }
    if roots.is_empty() {
        return Err(fault("holds no certificate".to_owned()));
    }
    Ok(path)
}

fn email_from(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| "EMAIL_FROM is no sender of mail: write it like Bellwether <bot@example.org>".to_owned())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::*;

    fn set(values: &[(&str, &str)]) -> Result<Environment, String> {
        Environment::of(|name| {
            let found = values.iter().find(|(key, _)| *key == name);
            Ok(found.map(|(_, value)| (*value).to_owned()))
        })
    }

    #[test]
    fn every_variable_of_the_table_is_read_and_no_other() {
        let asked = RefCell::new(BTreeSet::new());
        let environment = Environment::of(|name| {
            asked.borrow_mut().insert(name.to_owned());
            Ok(None)
        });
        let environment = environment.expect("nothing has to be set");
        assert_eq!(asked.into_inner(), ENVIRONMENT.iter().map(|one| one.name.to_owned()).collect());
        assert_eq!(environment.email_from.to_string(), SENDER);
        let missing = missing_services(&environment);
        assert_eq!((missing.len(), missing[0]), (4, "no Telegram: TELEGRAM_BOT_TOKEN turns it on"));
        let token = set(&[("TELEGRAM_BOT_TOKEN", "123:abc")]).expect("a token");
        assert_eq!(missing_services(&token), missing[1..]);
    }

    #[test]
    fn the_examples_can_be_set() {
        let files = ["CA_FILE", "DKIM_KEY_FILE"];
        let all: Vec<(&str, &str)> =
            ENVIRONMENT.iter().map(|one| (one.name, one.example)).filter(|(name, _)| !files.contains(name)).collect();
        set(&all).expect("all of them at once");
    }

    #[test]
    fn what_cannot_be_is_refused_by_name_and_without_its_value() {
        let ca = std::env::temp_dir().display().to_string();
        for (name, value, want) in [
            ("TELEGRAM_BOT_TOKEN", "SECRET", "is not the token of a bot"),
            ("TELEGRAM_BOT_TOKEN", "SECRET:SECRET", "copy it from @BotFather"),
            ("TELEGRAM_BOT_TOKEN", "123:SECRET SECRET", "is not the token of a bot"),
            ("TELEGRAM_BOT_TOKEN", "123:", "is not the token of a bot"),
            ("TELEGRAM_API_URL", "SECRET", "is no address"),
            ("TELEGRAM_API_URL", "https://ana:SECRET@example.org", "more than a host and a path"),
            ("WEBHOOK_URL", "SECRET/path", "is no address"),
            ("WEBHOOK_URL", "https://example.org/SECRET", "WEBHOOK_SECRET is not"),
            ("HEARTBEAT_URL", "ftp://SECRET", "is no address of the web"),
            ("DISCORD_BOT_TOKEN", "SECRET SECRET", "is not the token of a bot"),
            ("DISCORD_GUILD_ID", "SECRET", "is not the number of a server"),
            ("SMTP_URL", "https://SECRET", "smtps://user:password@mail.example.org"),
            ("DKIM_KEY_FILE", "Cargo.toml", "holds no private key"),
            ("TWILIO_AUTH_TOKEN", "SECRET", "not set: TWILIO_ACCOUNT_SID, TWILIO_FROM"),
            ("NTFY_URL", "SECRET", "is no address"),
            ("PUBLIC_URL", "SECRET", "is no address"),
            ("PUBLIC_URL", "https://bot.example.org", "HTTP_LISTEN is not"),
            ("HTTP_LISTEN", "8080", "127.0.0.1:8080"),
            ("HTTP_LISTEN", "localhost:8080", "is no address with a port"),
            ("HTTP_LISTEN", "0.0.0.0:8080", "HTTP_TOKEN is not set"),
            ("HTTP_LISTEN", "[::]:8080", "HTTP_TOKEN is not set"),
            ("HTTP_TOKEN", "SECRET SECRET", "HTTP_TOKEN has a character"),
            ("CA_FILE", "no such file", "no such file cannot be read"),
            ("CA_FILE", &ca, "cannot be read"),
            ("CA_FILE", "Cargo.toml", "Cargo.toml holds no certificate"),
            ("EMAIL_FROM", "SECRET", "EMAIL_FROM is no sender"),
        ] {
            let error = set(&[(name, value)]).map(drop).expect_err(value);
            assert!(error.contains(name) && error.contains(want), "{name}: {error}");
            assert!(!error.replace("WEBHOOK_SECRET", "").contains("SECRET"), "{error}");
        }
        for (listen, token) in [("127.0.0.1:0", ""), ("[::1]:80", ""), ("0.0.0.0:80", "word")] {
            assert!(set(&[("HTTP_LISTEN", listen), ("HTTP_TOKEN", token)]).is_ok(), "{listen}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let environment = set(&[
            ("TELEGRAM_BOT_TOKEN", "123:CANARY"),
            ("WEBHOOK_URL", "https://example.org/CANARY"),
            ("WEBHOOK_SECRET", "CANARY"),
            ("HTTP_TOKEN", "CANARY"),
            ("HEARTBEAT_URL", "https://example.org/CANARY"),
            ("DISCORD_BOT_TOKEN", "CANARY"),
            ("SMTP_URL", "smtps://u:CANARY@example.org"),
            ("NTFY_URL", "https://example.org/CANARY"),
            ("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef"),
            ("TWILIO_AUTH_TOKEN", "CANARY"),
            ("TWILIO_FROM", "+15005550006"),
        ]);
        let printed = format!("{:?}", environment.expect("sound"));
        assert!(!printed.contains("CANARY") && printed.contains("https://example.org/***"), "{printed}");
    }
}
