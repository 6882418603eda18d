//! Which ways to people need no pairing? Those that the configuration and the environment name whole: mail, ntfy and the webhook.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::channels::{Hook, MailFile, Ntfy, Webhook, http_client};
use crate::clock::Clock;
use crate::config::{Config, Environment};
use crate::domain::{ChannelKind, Lane};
use crate::notify::Channel;

use super::AppError;

/// Where letters are kept, beside the database.
const MAIL: &str = "mail";
/// How long a connection of ntfy or the webhook may take to come about, and how long a message altogether.
const CONNECT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);

/// A lane, and what carries its messages.
pub(super) type Open = (Lane, Arc<dyn Channel>);

/// Mail for everybody who has an address, and the first owner's ntfy and webhook where they are set. `key` is the database's.
pub(super) fn open(
    config: &Config,
    environment: &Environment,
    key: [u8; 32],
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Open>, AppError> {
    let mut open = mail(config, environment, key, clock);
    open.extend(ntfy(config, environment, key, clock)?);
    open.extend(webhook(config, environment, key, clock)?);
    Ok(open)
}

fn mail(config: &Config, environment: &Environment, key: [u8; 32], clock: &Arc<dyn Clock>) -> Vec<Open> {
    let folder = environment.database.parent().unwrap_or(Path::new("")).join(MAIL);
    let lane = |one: &crate::config::PersonConfig| -> Option<Open> {
        let (to, who) = (one.email.clone()?, one.person.name.parse().ok()?);
        let file = MailFile::new(folder.clone(), environment.email_from.clone(), to, key, clock.clone());
        Some((Lane { who, channel: ChannelKind::Email }, Arc::new(file)))
    };
    config.people.iter().filter_map(lane).collect()
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
