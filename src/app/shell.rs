//! What does each subcommand do? The way from a parsed command line to its work.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::channels::{Editor, kept_words};
use crate::chat::{
    ACCEPTED, Asker, Chat, ChatParts, Inbound, Person, Place, Previewer, Question, Reply, is_halt, read_only,
};
use crate::cli::{AuditCommand, Cli, Command, DataCommand};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::config::{Config, Environment, load};
use crate::control::{ChangeDesk, ControlRules, DeskError, PinCost, Taken};
use crate::domain::{Label, Routes, RunId};
use crate::store::{Lease, Reader, Store, note_beside};

use super::drawing::drawn;
use super::drill_chat::driller;
use super::hidden::read_hidden;
use super::talk::{PREVIEW, SHELL, waiter};
use super::{AppError, audit_file, backtest, chart, demo, drill, factors, pairing, run, setup, tools};

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
        Some(Command::Pin(what)) => factors::pin(&what, environment),
        Some(Command::Totp(what)) => factors::totp(&what, environment),
        Some(Command::Demo { speed }) => demo::demo(speed, environment),
        Some(Command::Setup) => setup::setup(environment),
        Some(Command::Test { ways, json }) => drill::test(ways, json, environment),
        Some(Command::Pair { person }) => pair(person, environment),
        Some(Command::Trace { message }) => command(&format!("/trace {message}"), None, environment),
        Some(Command::Health { json }) => tools::health(database, json),
        Some(Command::Migrate) => tools::migrate(database),
        Some(Command::Backup { file }) => tools::backup(database, &file),
        Some(Command::Restore { file }) => tools::restore(database, &file),
        Some(Command::Audit(AuditCommand::Verify { file })) => audit_file::verify(database, file.as_deref()),
        Some(Command::Audit(AuditCommand::Export { file })) => audit_file::export(database, &file),
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
            let answer = through_inbox(&store, &*clock, (SHELL, &inbound.person.name), &question.line());
            answer.map_or_else(|what| Reply::Failed { what, hint: None }, Reply::Text)
        }
    })
}

/// Has the running bot preview a change.
fn inbox_previewer(store: Store, clock: Arc<dyn Clock>, running: bool) -> Previewer {
    Arc::new(move |change, person| {
        if !running {
            return Err("the bot is not running, so there is nothing to change; start it first".to_owned());
        }
        let change = serde_json::to_string(change).map_err(|error| error.to_string())?;
        let answer = through_inbox(&store, &*clock, (PREVIEW, person), &change)?;
        serde_json::from_str(&answer).map_err(|error| error.to_string())?
    })
}

fn through_inbox(
    store: &Store,
    clock: &dyn Clock,
    (channel, person): (&str, &str),
    question: &str,
) -> Result<String, String> {
    let key = format!("{}-{}", std::process::id(), clock.now().ms());
    let failed = |error: crate::store::StoreError| error.to_string();
    let kept = store.receive(channel, &key, person, question, clock.now()).map_err(failed)?;
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
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let inbound =
        Inbound { person: person.clone(), place: Place::Machine, chat: "shell".to_owned(), text: text.to_owned() };
    let parsed = match crate::chat::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            return Err(AppError::usage(offered(&inbound, environment, clock.now()).unwrap_or(error.to_string())));
        }
    };
    let is_text = matches!(parsed.command.run, crate::chat::Run::Text(_));
    if !is_text && !environment.database.exists() {
        return Err(crate::store::StoreError::Missing(environment.database.clone()).into());
    }
    let answered = if let Some(reply) = read_only(&inbound, &environment.database, clock.now()) {
        answer(reply)
    } else {
        let running = is_running(&environment.database);
        let chat = writing_chat(environment, &config, &clock, running)?;
        change(&chat, &inbound, clock.clone(), running)
    };
    note(&environment.database, &person.name, parsed.command.name, clock.now());
    answered
}

/// What could be typed instead of a line that is not whole, where there is a database to tell.
fn offered(inbound: &Inbound, environment: &Environment, now: Timestamp) -> Option<String> {
    let answer = environment.database.exists().then(|| read_only(inbound, &environment.database, now))??;
    let Reply::Message(message) = answer else { return None };
    let lines = message.buttons.iter().flatten().map(|button| format!("  {}", button.line));
    let lines: Vec<String> = message.plain_lines().into_iter().chain(lines).collect();
    Some(lines.join("\n"))
}

/// Notes for `/usage` that a command was given here: its name alone, since what follows it may be anything.
fn note(database: &Path, person: &str, command: &str, now: Timestamp) {
    let key = format!("{}-{}", std::process::id(), now.ms());
    if let Err(error) = note_beside(database, &key, person, &format!("/{command}"), now) {
        tracing::debug!(%error, "the use of a command could not be noted");
    }
}

/// A chat that may change things, from a process beside the bot.
fn writing_chat(
    environment: &Environment,
    config: &Config,
    clock: &Arc<dyn Clock>,
    running: bool,
) -> Result<Chat, AppError> {
    let store = Store::open(&environment.database)?;
    let routes = Routes::new(Reader::open(&environment.database)?.routes()?);
    Ok(chat_beside(&store, clock.clone(), running, (routes, config.control.clone())))
}

/// A chat of a process that has no engine.
pub(super) fn chat_beside(
    store: &Store,
    clock: Arc<dyn Clock>,
    running: bool,
    (routes, rules): (Routes, ControlRules),
) -> Chat {
    Chat::new(ChatParts {
        database: store.path().to_owned(),
        store: store.clone(),
        desk: desk_beside(store, &clock, routes.clone(), rules),
        clock: clock.clone(),
        ask: inbox_asker(store.clone(), clock.clone(), running),
        preview: inbox_previewer(store.clone(), clock.clone(), running),
        // The running bot looks at the desk ten times a second.
        wake: Arc::new(|| {}),
        drill: driller(store.clone(), clock, (RunId(0), false), routes),
    })
}

/// A desk of a process that has no engine.
pub(super) fn desk_beside(store: &Store, clock: &Arc<dyn Clock>, routes: Routes, rules: ControlRules) -> ChangeDesk {
    ChangeDesk::new(store.clone(), clock.clone(), PinCost::REAL).ruled_by(rules).telling(RunId(0), routes)
}

fn answer(reply: Reply) -> Result<(), AppError> {
    match reply {
        Reply::Text(text) => {
            print(&text);
            Ok(())
        }
        // Nobody can choose there: something is missing, and this is what it could be.
        Reply::Message(message) if !message.buttons.is_empty() => {
            Err(AppError::usage(kept_words(&message, Path::new(""))))
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
            confirm(chat, inbound, id, &*wait_for)
        }
        Reply::NeedsPin => Err(AppError::failed("no PIN is set").with_hint("set one with \"bellwether pin set\"")),
        reply @ (Reply::Text(_) | Reply::Message(_) | Reply::Refused(_) | Reply::Failed { .. }) => answer(reply),
    }
}

/// Takes what a prompt asks for, and what the next one does.
fn confirm(chat: &Chat, inbound: &Inbound, id: i64, wait_for: &dyn Fn(i64) -> Option<String>) -> Result<(), AppError> {
    let not_done = |error: DeskError| match error {
        DeskError::Store(error) => error.into(),
        error => AppError::failed(chat.not_done(inbound, &error)),
    };
    let ask = chat.ask_of(inbound, id).map_err(not_done)?;
    let Some(typed) = ask_secret(&format!("{ask} (valid for {} s, empty to leave it): ", ask.valid_s)) else {
        print("left as it is");
        return Ok(());
    };
    match chat.confirm(inbound, id, &typed).map_err(not_done)? {
        Taken::Next(next) => confirm(chat, inbound, next, wait_for),
        taken => {
            print(ACCEPTED);
            if let Some(words) = chat.follow_up(inbound, taken, wait_for) {
                print(&words);
            }
            Ok(())
        }
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
