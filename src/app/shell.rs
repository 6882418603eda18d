//! What does each subcommand do? The way from a parsed command line to its work.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::channels::{Editor, kept_words};
use crate::chat::{Asker, Chat, ChatParts, Inbound, Person, Place, Question, Reply, is_halt, read_only};
use crate::cli::{AuditCommand, Cli, Command, DataCommand, PinCommand};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Environment, load};
use crate::control::{ChangeDesk, DeskError, PinCost};
use crate::domain::{Label, Routes, RunId};
use crate::store::{Lease, Reader, Store};

use super::drawing::drawn;
use super::drill_chat::driller;
use super::hidden::read_hidden;
use super::talk::{SHELL, waiter};
use super::{AppError, backtest, chart, demo, drill, pairing, run, setup, switchboard, tools};

/// How long a running bot may take to answer, in looks of 20 ms.
const LOOKS_MAX: u32 = 250;

/// Starts the log: to standard error, human on a terminal, else JSON lines.
pub fn start_log(level: &str) {
    let (level, wants_json) = level.split_once(',').map_or((level, false), |(level, form)| (level, form == "json"));
    let json = wants_json || !std::io::stderr().is_terminal();
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing::level_filters::LevelFilter::WARN.into())
        .parse_lossy(level);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if json { log.json().try_init() } else { log.try_init() };
    if started.is_err() {
        tracing::debug!("the log was started before");
    }
}

/// Prints to standard output; a reader that went away is no error of ours.
pub(super) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
}

/// Whether the command line stops trading, which needs nothing but the database.
pub fn halts(cli: &Cli) -> bool {
    matches!(&cli.command, Some(Command::Command { text, .. }) if is_halt(text))
}

/// Does what the command line says.
///
/// # Errors
/// With exit code and words for each way in which it cannot be done.
pub fn perform(cli: Cli, environment: &Environment) -> Result<(), AppError> {
    let database = environment.database.as_path();
    match cli.command {
        None => run::run(&cli.run, environment),
        Some(Command::Run(args)) => run::run(&args, environment),
        Some(Command::Command { text, r#as }) => command(&text, r#as, environment),
        Some(Command::Backtest(args)) => backtest::backtest(&args),
        Some(Command::Data(DataCommand::Check { path, json })) => tools::data_check(&path, json),
        Some(Command::Indicators { file, out }) => tools::indicators(&file, out.as_deref()),
        Some(Command::Chart(args)) => chart::chart(&args, environment),
        Some(Command::Watchlist(what)) => tools::watchlist(what, environment),
        Some(Command::Pin(PinCommand::Set { person })) => set_pin(person, environment),
        Some(Command::Demo { speed }) => demo::demo(speed, environment),
        Some(Command::Setup) => setup::setup(environment),
        Some(Command::Test { ways, json }) => drill::test(ways, json, environment),
        Some(Command::Pair { person }) => pair(person, environment),
        Some(Command::Trace { message }) => command(&format!("/trace {message}"), None, environment),
        Some(Command::Health { json }) => tools::health(database, json),
        Some(Command::Migrate) => tools::migrate(database),
        Some(Command::Backup { file }) => tools::backup(database, &file),
        Some(Command::Restore { file }) => tools::restore(database, &file),
        Some(Command::Audit(AuditCommand::Verify)) => tools::audit_verify(database),
    }
}

/// Who types: the named person, else the first owner.
pub(super) fn person(config: &Config, name: Option<Label>) -> Result<Person, AppError> {
    let Some(name) = name else {
        return config.owner().cloned().ok_or_else(|| AppError::usage("nobody is configured"));
    };
    let found = config.persons().find(|person| person.name == name.as_str()).cloned();
    found.ok_or_else(|| {
        let known: Vec<&str> = config.persons().map(|person| person.name.as_str()).collect();
        AppError::usage(format!("there is no person \"{name}\"; known are: {}", known.join(", ")))
    })
}

/// Whether a bot runs on the database: whoever runs holds the lock.
pub(super) fn is_running(database: &Path) -> bool {
    Lease::is_taken(database)
}

/// Asks through the inbox of the running bot.
fn inbox_asker(store: Store, clock: Arc<dyn Clock>, running: bool) -> Asker {
    Arc::new(move |inbound, question| match question {
        Question::Chart(what) => drawn(store.path(), inbound, what, &*clock),
        Question::DryCycle | Question::Screen(_) if !running => {
            let what = format!("the bot is not running; only a running engine can answer {}", question.line());
            Reply::Failed { what, hint: None }
        }
        Question::DryCycle | Question::Screen(_) => {
            let answer = through_inbox(&store, &*clock, &inbound.person.name, question);
            answer.map_or_else(|what| Reply::Failed { what, hint: None }, Reply::Text)
        }
    })
}

fn through_inbox(store: &Store, clock: &dyn Clock, person: &str, question: Question) -> Result<String, String> {
    let key = format!("{}-{}", std::process::id(), clock.now().ms());
    let failed = |error: crate::store::StoreError| error.to_string();
    let kept = store.receive(SHELL, &key, person, &question.line(), clock.now()).map_err(failed)?;
    let row = kept.ok_or_else(|| "the question was asked before".to_owned())?;
    let reader = Reader::open(store.path()).map_err(failed)?;
    let (_keep, nothing) = std::sync::mpsc::channel::<()>();
    for _ in 0..LOOKS_MAX {
        if let Some(reply) = reader.reply_to(row).map_err(failed)? {
            return Ok(reply);
        }
        let _ = nothing.recv_timeout(std::time::Duration::from_millis(20));
    }
    Err("the running bot did not answer within 5 s".to_owned())
}

fn command(text: &str, name: Option<Label>, environment: &Environment) -> Result<(), AppError> {
    let (config, name) = match load(environment.config.as_deref()) {
        Ok(config) => (config, name),
        // A mistake in a file keeps nobody from stopping.
        Err(error) if is_halt(text) => {
            tracing::warn!(%error, "the configuration cannot be read: trading is halted all the same");
            (Config::default(), None)
        }
        Err(error) => return Err(error.into()),
    };
    let person = person(&config, name)?;
    // What cannot be understood is said before anything is opened.
    let parsed = crate::chat::parse(text).map_err(|error| AppError::usage(error.to_string()))?;
    let is_text = matches!(parsed.command.run, crate::chat::Run::Text(_));
    if !is_text && !environment.database.exists() {
        return Err(crate::store::StoreError::Missing(environment.database.clone()).into());
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let inbound =
        Inbound { person: person.clone(), place: Place::Machine, chat: "shell".to_owned(), text: text.to_owned() };
    if let Some(reply) = read_only(&inbound, &environment.database, clock.now()) {
        return answer(reply);
    }
    let running = is_running(&environment.database);
    let chat = writing_chat(environment, &clock, running)?;
    change(&chat, &inbound, clock, running)
}

/// A chat that may change things, from a process beside the bot.
fn writing_chat(environment: &Environment, clock: &Arc<dyn Clock>, running: bool) -> Result<Chat, AppError> {
    let store = Store::open(&environment.database)?;
    let routes = Routes::new(Reader::open(&environment.database)?.routes()?);
    Ok(chat_beside(&store, clock.clone(), running, routes))
}

/// A chat of a process that has no engine.
pub(super) fn chat_beside(store: &Store, clock: Arc<dyn Clock>, running: bool, routes: Routes) -> Chat {
    Chat::new(ChatParts {
        database: store.path().to_owned(),
        store: store.clone(),
        desk: ChangeDesk::new(store.clone(), clock.clone(), PinCost::REAL),
        clock: clock.clone(),
        ask: inbox_asker(store.clone(), clock.clone(), running),
        // The running bot looks at the desk ten times a second.
        wake: Arc::new(|| {}),
        alarm: switchboard::alarm(store.clone(), clock.clone(), RunId(0), routes.clone()),
        drill: driller(store.clone(), clock, (RunId(0), false), routes),
    })
}

fn answer(reply: Reply) -> Result<(), AppError> {
    match reply {
        Reply::Text(text) => {
            print(&text);
            Ok(())
        }
        Reply::Message(message) => {
            print(&kept_words(&message, Path::new("")));
            Ok(())
        }
        Reply::Refused(why) => Err(AppError::usage(why)),
        Reply::Failed { what, hint } => Err(AppError::Failed { what, hint }),
        Reply::Confirm { .. } | Reply::NeedsPin | Reply::Admitted { .. } => Err(AppError::failed("unexpected answer")),
    }
}

/// Carries a change or a question from the shell to the running bot.
fn change(chat: &Chat, inbound: &Inbound, clock: Arc<dyn Clock>, running: bool) -> Result<(), AppError> {
    let wait_for = waiter(chat.clone(), clock);
    let done = |id| match wait_for(id) {
        Some(result) => print(&result),
        None => print("recorded; the bot has not carried it out yet"),
    };
    match chat.handle(inbound) {
        Reply::Admitted { .. } if !running => {
            print("recorded: the bot is not running and will obey it before its first cycle");
            Ok(())
        }
        Reply::Admitted { id } => {
            done(id);
            Ok(())
        }
        Reply::Confirm { .. } | Reply::NeedsPin if !running => {
            Err(AppError::failed("the bot is not running, so there is nothing to change").with_hint("start it first"))
        }
        Reply::Confirm { id, preview } => {
            print(&preview);
            let pin = ask_secret("PIN (valid for 60 s, empty to leave it): ");
            let Some(pin) = pin else {
                print("left as it is");
                return Ok(());
            };
            chat.confirm(inbound, id, &pin).map_err(|error| match error {
                DeskError::Store(error) => error.into(),
                error => AppError::failed(chat.not_done(inbound, &error)),
            })?;
            done(id);
            Ok(())
        }
        Reply::NeedsPin => Err(AppError::failed("no PIN is set").with_hint("set one with \"bellwether pin set\"")),
        reply @ (Reply::Text(_) | Reply::Message(_) | Reply::Refused(_) | Reply::Failed { .. }) => answer(reply),
    }
}

/// A secret, typed without echo or from a pipe; none where nothing is typed.
pub(super) fn ask_secret(prompt: &str) -> Option<SecretString> {
    let _ = write!(std::io::stderr(), "{prompt}").and_then(|()| std::io::stderr().flush());
    let secret = if std::io::stdin().is_terminal() { read_hidden() } else { Editor::Pipe.read_secret() };
    secret.filter(|pin| !pin.expose_secret().is_empty())
}

fn pair(name: Option<Label>, environment: &Environment) -> Result<(), AppError> {
    let config = load(environment.config.as_deref())?;
    let person = person(&config, name)?;
    let store = Store::open(&environment.database)?;
    let (code, expires) = pairing::issue(&store, &person.name, SystemClock::new().now())?;
    let zone = person.zone.unwrap_or(chrono_tz::Tz::UTC);
    print(&pairing::instructions(&person.name, &code, expires, zone));
    // The token is the bot's alone: under systemd nobody else can read it. Here only the bot's database is needed.
    if !is_running(&environment.database) {
        let database = environment.database.display();
        print(&format!(
            "No bot runs on {database}: one that is started there with a token reads the code when it is sent"
        ));
    }
    Ok(())
}

fn set_pin(name: Label, environment: &Environment) -> Result<(), AppError> {
    let config = load(environment.config.as_deref())?;
    let person = person(&config, Some(name))?;
    let chat = writing_chat(environment, &(Arc::new(SystemClock::new()) as Arc<dyn Clock>), false)?;
    let old = if Reader::open(&environment.database)?.has_pin(&person.name)? { ask_secret("old PIN: ") } else { None };
    let new = ask_secret("new PIN (4 to 12 digits): ");
    new.as_ref().map_or(Ok(()), Chat::judge_pin)?;
    let again = ask_secret("once more: ");
    let (Some(new), Some(again)) = (new, again) else { return Err(AppError::failed("no PIN given; nothing changed")) };
    if new.expose_secret() != again.expose_secret() {
        return Err(AppError::failed("the two differ; nothing changed"));
    }
    chat.set_pin(&person.name, old.as_ref(), &new)?;
    print(&format!("PIN of {} set", person.name));
    Ok(())
}
