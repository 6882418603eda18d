//! How is an account on a platform asked for? One thing at a time; the platform is asked whether it takes it, and only then it is kept.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use crate::channels::{Account, CallError, DiscordError, DiscordRefusal, Myself, Refusal, Telegram};
use crate::config::{ENVIRONMENT, Environment, write_env};
use crate::domain::{ChannelKind, Lane};
use crate::notify::{Failure, SendError};
use crate::store::{Reader, Store};

use super::error::chain;
use super::phones::Phones;
use super::setup::{Setup, ask};
use super::setup_file::{Told, tell_of};
use super::shell::{ask_secret, print};
use super::{AppError, channels, discord_house, messenger};

/// Where secrets are written.
const ENV_FILE: &str = ".env";
const BOTFATHER: &str =
    "3. Telegram: write /newbot to @BotFather there. It asks for a name, and gives you a token like 123456789:ABC-def";
const PORTAL: &str = "3. Discord: press New Application on https://discord.com/developers/applications, then Reset Token on its page Bot";
const MAILBOX: &str =
    "3. Email: take a mailbox whose provider lets programs send, and make an app password there (docs/EMAIL.md)";
const CONSOLE: &str =
    "3. SMS: open an account at Twilio and buy a number with SMS there (docs/SMS.md tells where that cannot work)";

/// A variable that is asked for.
struct Asked {
    name: &'static str,
    question: &'static str,
    secret: bool,
}

const TELEGRAM: &[Asked] = &[Asked {
    name: "TELEGRAM_BOT_TOKEN",
    question: "   The token, which is not shown as you type (Enter: without Telegram for now): ",
    secret: true,
}];
const DISCORD: &[Asked] = &[Asked {
    name: "DISCORD_BOT_TOKEN",
    question: "   The token, which is not shown as you type (Enter: without Discord for now): ",
    secret: true,
}];
const EMAIL: &[Asked] = &[
    Asked {
        name: "SMTP_URL",
        question: "   The server like smtps://user:password@mail.example.org, with %40 for an @ in the user; not shown as you type (Enter: letters are files): ",
        secret: true,
    },
    Asked {
        name: "EMAIL_FROM",
        question: "   The address that it lets you send from, like Bellwether <bot@example.org>: ",
        secret: false,
    },
];
const SMS: &[Asked] = &[
    Asked {
        name: "TWILIO_ACCOUNT_SID",
        question: "   The Account SID, on the start page of the console (Enter: without SMS for now): ",
        secret: false,
    },
    Asked {
        name: "TWILIO_AUTH_TOKEN",
        question: "   The primary Auth Token, which stands below it and is not shown as you type: ",
        secret: true,
    },
    Asked { name: "TWILIO_FROM", question: "   The number that you bought, like +15005550006: ", secret: false },
];

/// What was typed, by the variable that it is for.
type Typed = Vec<(&'static str, SecretString)>;

/// What a platform says of an account; none where there is none to ask about.
type Verdict<T> = Result<Option<Result<T, String>>, AppError>;

/// When a service takes messages that it does not refuse.
#[derive(Clone, Copy)]
enum Says {
    Now,
    Later,
}

impl Says {
    fn or<'a>(self, now: &'a str, later: &'a str) -> &'a str {
        match self {
            Self::Now => now,
            Self::Later => later,
        }
    }
}

impl Setup {
    /// A bot on Telegram that answers to its token; none where nobody wants one now.
    pub(super) fn telegram(&mut self) -> Result<Option<(Telegram, Myself)>, AppError> {
        let clock = self.clock.clone();
        let found = self.account(BOTFATHER, TELEGRAM, |setup, environment| {
            let Some(telegram) = messenger::telegram(environment, clock.clone())? else { return Ok(None) };
            let me = setup.network.block_on(telegram.me());
            Ok(Some(me.map(|me| (telegram, me.value)).map_err(|error| refused(&error))))
        })?;
        if found.is_none() {
            self.environment.telegram_token = None;
            print("   Without Telegram for now");
        }
        Ok(found.map(|((telegram, me), is_new)| {
            said("Telegram", &format!("@{}", me.username), is_new);
            (telegram, me)
        }))
    }

    /// A bot on Discord that answers to its token, and how it gets into a server; none where nobody wants one now.
    pub(super) fn discord(&mut self) -> Result<Option<Account>, AppError> {
        let clock = self.clock.clone();
        let found = self.account(PORTAL, DISCORD, |setup, environment| {
            let Some(discord) = discord_house::discord(environment, &clock)? else { return Ok(None) };
            Ok(Some(setup.network.block_on(discord.myself()).map_err(|error| not_taken(&error))))
        })?;
        if found.is_none() {
            self.environment.discord_token = None;
            print("   Without Discord for now");
        }
        Ok(found.map(|(account, is_new)| {
            said("Discord", &account.name, is_new);
            account
        }))
    }

    /// The person's address, and a server that takes letters for it.
    pub(super) fn email(&mut self) -> Result<(), AppError> {
        let has = |setup: &Self| setup.own().is_some_and(|one| one.email.is_some());
        if !self.told_where("Your address, like ana@example.org", "email", has)? {
            return Ok(());
        }
        let found = self.account(MAILBOX, EMAIL, |setup, environment| {
            if environment.smtp_url.is_none() {
                return Ok(None);
            }
            setup.asked_on(ChannelKind::Email, environment)
        })?;
        if let Some((says, is_new)) = found {
            said("The mail server", says.or("it takes letters for you", "it puts letters off for now"), is_new);
        } else {
            self.environment.smtp_url = None;
            print("   Without a mail server for now: letters are files");
        }
        Ok(())
    }

    /// The person's phone, and an account that texts it.
    pub(super) fn sms(&mut self) -> Result<(), AppError> {
        let has = |setup: &Self| setup.own().is_some_and(|one| one.phone.is_some());
        if !self.told_where("Your phone, like +351912345678", "phone", has)? {
            return Ok(());
        }
        let found = self.account(CONSOLE, SMS, |setup, environment| setup.asked_on(ChannelKind::Sms, environment))?;
        if let Some((says, is_new)) = found {
            said("Twilio", says.or("the account is active", "it asks for a pause now"), is_new);
            print("   HALT and other answers by text need PUBLIC_URL: docs/SMS.md, part 4");
        } else {
            self.environment.twilio = None;
            print("   Without SMS for now");
        }
        Ok(())
    }

    /// What stands in the file of whoever sets it up.
    fn own(&self) -> Option<&crate::config::PersonConfig> {
        self.config.people.iter().find(|one| one.person.name == self.person.name)
    }

    /// Asks where the person is reached and writes that into the configuration; false if nobody wants to say.
    fn told_where(&mut self, what: &str, key: &str, has: impl Fn(&Self) -> bool) -> Result<bool, AppError> {
        while !has(self) {
            let typed = ask(&format!("3. {what} (Enter: not now): "))?;
            if typed.is_empty() {
                return Ok(false);
            }
            let line = format!("{key} = {}", toml::Value::String(typed));
            match tell_of(&self.environment, &self.person.name, &line)? {
                Told::Written(config) => self.config = *config,
                Told::Wrong => {}
                Told::ByHand => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Asks the service of a lane of the person whether it takes messages for them.
    fn asked_on(&self, channel: ChannelKind, environment: &Environment) -> Verdict<Says> {
        let store = Store::open(&environment.database)?;
        let mut open = channels::open(&self.config, environment, &store, &self.clock)?;
        open.extend(Phones::open(&self.config, environment, &store, &self.clock)?.iter().flat_map(Phones::lanes));
        let is_own = |lane: &Lane| lane.who.as_str() == self.person.name && lane.channel == channel;
        let Some((lane, own)) = open.into_iter().find(|(lane, _)| is_own(lane)) else { return Ok(None) };
        if Reader::open(&environment.database)?.is_opted_out(lane)? {
            print("   That phone texted STOP once: send START from that phone, if it did not since");
            // Whether it did the carrier knows, and tells the next text.
            store.keep_opt_out(lane, false, self.clock.now())?;
        }
        Ok(self.network.block_on(own.probe()).map(|probed| match probed {
            Ok(()) => Ok(Says::Now),
            // Whoever asks to come back later has refused nothing.
            Err(Failure { what: SendError::Throttled(_), .. }) => Ok(Says::Later),
            // Only looked at, so there is nothing that may have arrived.
            Err(Failure { what: SendError::Unknown(why), .. }) => Err(format!("   it gave no answer: {why}")),
            Err(failure) => Err(format!("   {failure}")),
        }))
    }

    /// Asks for an account until its platform takes one, and keeps that; whether it is new. None where nobody wants one now.
    fn account<T>(
        &mut self,
        first: &str,
        asked: &[Asked],
        check: impl Fn(&Self, &Environment) -> Verdict<T>,
    ) -> Result<Option<(T, bool)>, AppError> {
        let (mut typed, mut read, mut is_first) = (Typed::new(), self.environment.clone(), true);
        loop {
            match check(self, &read)? {
                Some(Ok(found)) => {
                    let is_new = !typed.is_empty();
                    if is_new {
                        let changes: Vec<(&str, &str)> = exposed(&typed);
                        let kept = write_env(Path::new(ENV_FILE), &changes);
                        kept.map_err(|error| AppError::failed(chain(&error)))?;
                        for name in Environment::hidden(&changes) {
                            print(&format!("   {name} is set in the environment and wins over {ENV_FILE}: unset it"));
                        }
                        self.environment = read;
                    }
                    return Ok(Some((found, is_new)));
                }
                Some(Err(what)) => print(&what),
                None if is_first => print(first),
                None => {}
            }
            is_first = false;
            let Some(new) = type_all(asked, &self.declined)? else {
                self.declined.extend(asked.iter().map(|one| one.name));
                return Ok(None);
            };
            (typed, read) = new;
        }
    }
}

/// Asks for each variable until it can be one. None where the first is left out, or the input ends.
fn type_all(asked: &[Asked], declined: &[&str]) -> Result<Option<(Typed, Environment)>, AppError> {
    let mut typed = Typed::new();
    let mut read = None;
    for (index, one) in asked.iter().enumerate() {
        // What is asked for later cannot be what is wrong now.
        let rest = asked[index + 1..].iter().filter_map(|later| ENVIRONMENT.iter().find(|row| row.name == later.name));
        let rest = rest.map(|row| (row.name, row.example));
        let rest: Vec<(&str, &str)> = rest.chain(declined.iter().map(|name| (*name, ""))).collect();
        let (value, environment) = loop {
            let value =
                if one.secret { ask_secret(one.question) } else { Some(SecretString::from(ask(one.question)?)) };
            let value = value.map(|value| SecretString::from(value.expose_secret().trim()));
            let Some(value) = value.filter(|value| !value.expose_secret().is_empty()) else { return Ok(None) };
            let set: Vec<(&str, &str)> =
                exposed(&typed).into_iter().chain([(one.name, value.expose_secret())]).chain(rest.clone()).collect();
            match Environment::read_with(&set) {
                Ok(environment) => break (value, environment),
                Err(what) => print(&format!("   {what}")),
            }
        };
        typed.push((one.name, value));
        read = Some(environment);
    }
    Ok(read.map(|read| (typed, read)))
}

fn exposed(typed: &Typed) -> Vec<(&str, &str)> {
    typed.iter().map(|(name, value)| (*name, value.expose_secret())).collect()
}

fn said(platform: &str, what: &str, is_new: bool) {
    print(&if is_new {
        format!("   {platform} takes it: {what}. Written to {ENV_FILE}, which only you may read")
    } else {
        format!("3. {platform}: {what}; done already")
    });
}

/// What is said of a token that Telegram does not take.
fn refused(error: &CallError) -> String {
    match error {
        CallError::Refused { kind: Refusal::Unauthorized, .. } | CallError::Refused { code: 404, .. } => {
            "   Telegram does not know this token: it is mistyped or was revoked. @BotFather shows it with /token"
                .to_owned()
        }
        CallError::NotSent(_) | CallError::Unknown(_) | CallError::Unreadable(_) => {
            format!(
                "   {error}\n   Look at the network, and at TELEGRAM_API_URL and CA_FILE if they are set; then type it again"
            )
        }
        error => format!("   {error}"),
    }
}

/// What is said of a token that Discord does not take.
fn not_taken(error: &DiscordError) -> String {
    match error {
        DiscordError::Refused { kind: DiscordRefusal::Unauthorized, .. } => {
            "   Discord does not know this token: it is mistyped or was reset. The page Bot makes a new one".to_owned()
        }
        DiscordError::NotSent(_) | DiscordError::Unknown(_) | DiscordError::Unreadable(_) => format!(
            "   {error}\n   Look at the network, and at DISCORD_API_URL and CA_FILE if they are set; then type it again"
        ),
        error => format!("   {error}"),
    }
}
