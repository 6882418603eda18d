//! How does somebody begin? Questions one after the other; each step looks what is done already, and leaves nothing half-written.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::channels::{CallError, Editor, Line, Myself, Refusal, Telegram};
use crate::chat::{Chat, Person};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Environment, missing_services, write_env};
use crate::domain::{ChannelKind, Lane, Routes};
use crate::store::{Reader, Store};

use super::around::{spawn, wait};
use super::drill_report::{Report, Shows};
use super::error::chain;
use super::setup_file::who;
use super::shell::{ask_secret, chat_beside, is_running, print};
use super::ways::{Ways, mark_of, zone_of};
use super::{AppError, drill, messenger, pairing, run};

const WELCOME: &str = "bellwether setup: who you are, Telegram, a PIN, and a test message. It takes about five minutes.
Enter takes what stands in [brackets] or skips a step. Ctrl-C ends it at any time; called again, it goes on where it stopped.
";
const BOTFATHER: &str =
    "2. Telegram: write /newbot to @BotFather there. It asks for a name, and gives you a token like 123456789:ABC-def";
/// Where secrets are written.
const ENV_FILE: &str = ".env";
/// How long an answer to a code is waited for: as long as the code can be used.
const PAIRING: Duration = Duration::from_mins(10);
/// How long whoever listened may take to end.
const DEAF: Duration = Duration::from_secs(2);

/// `setup`.
pub(super) fn setup(environment: &Environment) -> Result<(), AppError> {
    if is_running(&environment.database) {
        let what = format!("a bellwether is running on {}", environment.database.display());
        return Err(AppError::failed(what).with_hint("stop it first: both would read the same messages"));
    }
    print(WELCOME);
    let (config, person) = who(environment)?;
    let mut setup = Setup { environment: environment.clone(), config, person, clock: Arc::new(SystemClock::new()) };
    let well = if let Some((telegram, me)) = setup.token()? {
        setup.on_telegram(telegram, &me)?
    } else {
        let store = Store::open(&environment.database)?;
        setup.pin(&setup.chat(&store, Routes::default()))?;
        true
    };
    for line in missing_services(&setup.environment) {
        print(&format!("\n{line}"));
    }
    print("\nStart it with: bellwether");
    if well { Ok(()) } else { Err(AppError::No) }
}

/// Asks for a line.
pub(super) fn ask(question: &str) -> Result<String, AppError> {
    let mut out = std::io::stdout().lock();
    // Where nobody can read it, the answer says so.
    let _ = out.write_all(question.as_bytes()).and_then(|()| out.flush());
    drop(out);
    match Editor::Pipe.read() {
        Line::Text(line) => Ok(line.trim().to_owned()),
        Line::Interrupt | Line::End => {
            let hint = "call it again: it goes on where it stopped";
            Err(AppError::failed("the input ended before the setup did").with_hint(hint))
        }
    }
}

struct Setup {
    environment: Environment,
    config: Config,
    person: Person,
    clock: Arc<dyn Clock>,
}

impl Setup {
    /// A bot on Telegram that answers to its token; none where nobody wants one now.
    fn token(&mut self) -> Result<Option<(Telegram, Myself)>, AppError> {
        let network = run::network()?;
        let mut typed: Option<SecretString> = None;
        if self.environment.telegram_token.is_none() {
            print(BOTFATHER);
        }
        loop {
            if let Some(telegram) = messenger::telegram(&self.environment, self.clock.clone())? {
                match network.block_on(telegram.me()) {
                    Ok(answered) => {
                        let me = answered.value;
                        Self::keep_token(typed.as_ref(), &me)?;
                        return Ok(Some((telegram, me)));
                    }
                    Err(error) => print(&refused(&error)),
                }
            }
            let question = "   The token, which is not shown as you type (Enter: without Telegram for now): ";
            let Some(token) = ask_secret(question) else {
                self.environment.telegram_token = None;
                print("   Without Telegram for now");
                return Ok(None);
            };
            typed = self.try_token(&token).or(typed);
        }
    }

    /// Takes a token that looks like one, to be tried.
    fn try_token(&mut self, token: &SecretString) -> Option<SecretString> {
        let text = token.expose_secret().trim().to_owned();
        self.environment.telegram_token = None;
        let alone = |name: &str| Ok((name == "TELEGRAM_BOT_TOKEN").then(|| text.clone()));
        match Environment::of(alone) {
            Ok(read) => {
                self.environment.telegram_token.clone_from(&read.telegram_token);
                read.telegram_token
            }
            Err(what) => {
                print(&format!("   {what}"));
                None
            }
        }
    }

    fn keep_token(typed: Option<&SecretString>, me: &Myself) -> Result<(), AppError> {
        let Some(token) = typed else {
            print(&format!("2. Telegram: @{}; done already", me.username));
            return Ok(());
        };
        let kept = write_env(Path::new(ENV_FILE), &[("TELEGRAM_BOT_TOKEN", token.expose_secret())]);
        kept.map_err(|error| AppError::failed(chain(&error)))?;
        print(&format!("   Telegram knows it: @{}. Written to {ENV_FILE}, which only you may read", me.username));
        Ok(())
    }

    /// Everything that needs the bot on Telegram; whether the drill arrived.
    fn on_telegram(&self, telegram: Telegram, me: &Myself) -> Result<bool, AppError> {
        let ways = Ways::new(&self.environment, &self.config, Some(telegram), self.clock.clone())?;
        ways.open()?;
        let chat = self.chat(&ways.store, ways.routes.clone());
        let done = self.pair(&ways, &chat, me).and_then(|()| self.pin(&chat)).and_then(|()| self.drill(&ways));
        ways.close();
        done
    }

    fn chat(&self, store: &Store, routes: Routes) -> Chat {
        chat_beside(store, self.clock.clone(), false, routes)
    }

    /// Binds the person to a chat, and listens for that meanwhile.
    fn pair(&self, ways: &Ways, chat: &Chat, me: &Myself) -> Result<(), AppError> {
        let name = &self.person.name;
        let on_telegram = |lane: &Lane| lane.who.as_str() == name && lane.channel == ChannelKind::Telegram;
        let is_mine = || ways.lanes().iter().any(on_telegram);
        if is_mine() {
            print(&format!("3. Your chat: {name} is reached on Telegram; done already"));
            return Ok(());
        }
        let Some(messenger) = ways.messenger.clone() else { return Ok(()) };
        let listening = messenger.start(chat)?;
        let (code, expires) = pairing::issue(&ways.store, name, self.clock.now())?;
        let zone = self.person.zone.unwrap_or(zone_of(&self.config));
        print(&format!("3. Your chat: open https://t.me/{} and press Start. Then:\n", me.username));
        print(&pairing::instructions(name, &code, expires, zone));
        print("\n   Waiting for it (Enter: not now) ...");
        let enter = spawn("enter", || Editor::Pipe.read())?;
        wait(PAIRING, self.clock.as_ref(), || enter.is_finished() || is_mine());
        print(&match (is_mine(), enter.is_finished()) {
            (true, _) => format!("   Paired: {name} is reached on Telegram"),
            (false, true) => format!("   Not now: \"bellwether pair {name}\" does it while the bot runs"),
            (false, false) => "   Nobody sent it, and the code is void now".to_owned(),
        });
        if !enter.is_finished() {
            print("   Enter to go on");
        }
        // What was typed there is an answer to nothing.
        drop(enter.join());
        let threads = listening.end();
        wait(DEAF, self.clock.as_ref(), || threads.iter().all(std::thread::JoinHandle::is_finished));
        Ok(())
    }

    /// Sets the first PIN.
    fn pin(&self, chat: &Chat) -> Result<(), AppError> {
        let name = &self.person.name;
        if Reader::open(&self.environment.database)?.has_pin(name)? {
            print("4. Your PIN: set already; \"bellwether pin set\" changes it");
            return Ok(());
        }
        print("4. Your PIN: 4 to 12 digits. Everything that changes the running bot asks for it, but for /halt");
        loop {
            let first = ask_secret("   PIN (Enter: not now): ");
            let Some(first) = first else {
                print(&format!("   Not now: \"bellwether pin set {name}\" does it"));
                return Ok(());
            };
            if let Err(why) = Chat::judge_pin(&first) {
                print(&format!("   {why}"));
                continue;
            }
            let again = ask_secret("   Once more: ");
            if again.is_none_or(|again| again.expose_secret() != first.expose_secret()) {
                print("   The two differ");
                continue;
            }
            chat.set_pin(name, None, &first)?;
            print("   PIN set");
            return Ok(());
        }
    }

    /// Sends a drill to the person, and waits for proof; whether it arrived.
    fn drill(&self, ways: &Ways) -> Result<bool, AppError> {
        let mut table = ways.table();
        table.lanes.retain(|rule| rule.lane.who.as_str() == self.person.name);
        if table.lanes.is_empty() {
            print("5. A test message: there is no way to you yet but the terminal");
            return Ok(true);
        }
        print("5. A test message is under way");
        let sent = drill::send_on(ways, table, &self.person.name)?;
        let mark = mark_of(&Reader::open(ways.store.path())?)?;
        let shows = Shows { config: &self.config, zone: zone_of(&self.config), mark };
        let report = Report::new(&sent, &shows, Vec::new());
        print(report.table().trim_end());
        Ok(report.well)
    }
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
