//! Which ways to people need no pairing? Those that the configuration and the environment name whole: mail, ntfy and the webhook.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::channels::{
    Hook, Letters, MailFile, MailHost, MailServer, MailWire, Ntfy, Signer, Webhook, http_client, tls_config,
};
use crate::clock::Clock;
use crate::config::{Config, Environment, SmtpTls};
use crate::domain::{ChannelKind, Label, Lane};
use crate::notify::Channel;
use crate::store::Store;

use super::{AppError, unsubscribe};

/// Where letters are kept, beside the database.
const MAIL: &str = "mail";
/// How long a connection of ntfy or the webhook may take to come about, and how long a message altogether.
const CONNECT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long each part of a letter may take: to be let in, to be read. Two that hang are told elsewhere within a minute.
const MAIL_PATIENCE: Duration = Duration::from_secs(25);
/// How long a server may think about a letter. Servers look for viruses and worse meanwhile, and whoever gives up too early sends twice.
const MAIL_THINKING: Duration = Duration::from_mins(5);

/// A lane, and what carries its messages.
pub(super) type Open = (Lane, Arc<dyn Channel>);

/// Mail for everybody who has an address, and the first owner's ntfy and webhook where they are set.
pub(super) fn open(
    config: &Config,
    environment: &Environment,
    store: &Store,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Open>, AppError> {
    let key = store.naming_key()?;
    let mut open = mail(config, environment, (store.button_key()?, key), clock)?;
    open.extend(ntfy(config, environment, key, clock)?);
    open.extend(webhook(config, environment, key, clock)?);
    Ok(open)
}

fn mail(
    config: &Config,
    environment: &Environment,
    (key, names): ([u8; 32], [u8; 32]),
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Open>, AppError> {
    if config.people.iter().all(|one| one.email.is_none()) {
        return Ok(Vec::new());
    }
    let folder = environment.database.parent().unwrap_or(Path::new("")).join(MAIL);
    let (signer, host) = (signer(environment)?, mail_host(environment)?);
    let mut lanes: Vec<Open> = Vec::new();
    for one in &config.people {
        let (Some(to), Ok(who)) = (one.email.clone(), one.person.name.parse::<Label>()) else { continue };
        let leave = environment.public_url.as_ref().filter(|_| environment.http_listen.is_some());
        let leave =
            leave.map(|public| format!("{public}{}{}", unsubscribe::PATH, unsubscribe::token(&key, &one.person.name)));
        let letters = Letters::new(environment.email_from.clone(), to, names, clock.clone());
        let letters = letters.signed(signer.clone()).left_at(leave);
        let channel: Arc<dyn Channel> = match &host {
            Some(host) => Arc::new(MailServer::new(host.clone(), letters)),
            None => Arc::new(MailFile::new(folder.clone(), letters)),
        };
        lanes.push((Lane { who, channel: ChannelKind::Email }, channel));
    }
    Ok(lanes)
}

/// What signs letters, where there is a key.
fn signer(environment: &Environment) -> Result<Option<Arc<Signer>>, AppError> {
    let Some(pem) = &environment.dkim_key else { return Ok(None) };
    let signer = Signer::new(pem.expose_secret(), environment.email_from.email.domain()).map_err(|error| {
        AppError::usage(format!("DKIM_KEY_FILE: {error}"))
            .with_hint("docs/EMAIL.md shows how to make a key, and EMAIL_FROM names the domain that it is for")
    })?;
    Ok(Some(Arc::new(signer)))
}

fn mail_host(environment: &Environment) -> Result<Option<Arc<MailHost>>, AppError> {
    let Some(url) = &environment.smtp_url else { return Ok(None) };
    if url.tls != SmtpTls::None && environment.email_from.email.domain() == "localhost" {
        return Err(AppError::usage("SMTP_URL is set and EMAIL_FROM is not: no server takes mail from localhost")
            .with_hint(
                "EMAIL_FROM is the address that the server lets you send from, as in Bellwether <bot@example.org>",
            ));
    }
    let tls = tls_config(environment.ca_file.as_deref())
        .map_err(|error| AppError::usage(format!("the mail server cannot be used: {error}")))?;
    let wire = match url.tls {
        SmtpTls::Implicit => MailWire::Tls,
        SmtpTls::Required => MailWire::StartTls,
        SmtpTls::None => MailWire::Plain,
    };
    let host = url.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let (port, login) = (url.port, url.login.clone());
    let (tls, patience, thinking) = (Arc::new(tls), MAIL_PATIENCE, MAIL_THINKING);
    Ok(Some(Arc::new(MailHost { host, port, wire, login, tls, patience, thinking })))
}

fn webhook(
    config: &Config,
    environment: &Environment,
    key: [u8; 32],
    clock: &Arc<dyn Clock>,
) -> Result<Option<Open>, AppError> {
    let (Some(url), Some(secret)) = (&environment.webhook_url, &environment.webhook_secret) else { return Ok(None) };
    let Some(who) = config.owner().and_then(|owner| owner.name.parse().ok()) else { return Ok(None) };
    let http = http_client(environment.ca_file.as_deref(), CONNECT)
        .map_err(|error| AppError::usage(format!("the webhook cannot be used: {error}")))?;
    let lane = Lane { who, channel: ChannelKind::Webhook };
    let hook = Hook { url: SecretString::from(url.expose()), secret: secret.clone(), timeout: TIMEOUT, key };
    Ok(Some((lane, Arc::new(Webhook::new(lane.who.to_string(), hook, http, clock.clone())))))
}

fn ntfy(
    config: &Config,
    environment: &Environment,
    key: [u8; 32],
    clock: &Arc<dyn Clock>,
) -> Result<Option<Open>, AppError> {
    let Some(url) = &environment.ntfy_url else { return Ok(None) };
    let Some(who) = config.owner().and_then(|owner| owner.name.parse().ok()) else { return Ok(None) };
    let failed = |error: &dyn std::fmt::Display| AppError::usage(format!("NTFY_URL cannot be used: {error}"));
    let http = http_client(environment.ca_file.as_deref(), CONNECT).map_err(|error| failed(&error))?;
    let lane = Lane { who, channel: ChannelKind::Ntfy };
    let topic = Ntfy::new(url.expose(), lane.who.to_string(), TIMEOUT, key, http, clock.clone());
    Ok(Some((lane, Arc::new(topic.map_err(|error| failed(&error))?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_has_five_minutes_for_a_letter_that_it_has_read() {
        let environment = Environment::of(|name| {
            Ok(match name {
                "SMTP_URL" => Some("smtps://ana:secret@mail.example.org".to_owned()),
                "EMAIL_FROM" => Some("bot@example.org".to_owned()),
                _ => None,
            })
        });
        crate::channels::init_tls();
        let host = mail_host(&environment.expect("sound")).expect("usable").expect("a server");
        assert_eq!((host.thinking, host.patience), (Duration::from_mins(5), MAIL_PATIENCE));
    }
}
