//! How does somebody begin? Questions one after the other; each step looks what is done already, and leaves nothing half-written.

use std::io::Write;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use secrecy::ExposeSecret;

use crate::channels::{Account, Editor, Line, Myself};
use crate::chat::{Chat, Person};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Environment, missing_services};
use crate::domain::{ChannelKind, Lane, Routes};
use crate::store::{Reader, Store, TraceRow};

use super::around::{spawn, wait};
use super::drill::is_refused;
use super::drill_report::{Report, Shows};
use super::setup_file::who;
use super::shell::{ask_secret, chat_beside, is_running, print};
use super::ways::{Ways, mark_of, zone_of};
use super::{AppError, discord_house, drill, pairing, run};

const WELCOME: &str =
    "bellwether setup: who you are, where you are told, a PIN, and a test message. It takes about five minutes.
Enter takes what stands in [brackets] or skips a step. Ctrl-C ends it at any time; called again, it goes on where it stopped.
";
/// What lets a bot into a server on Discord, with the permissions that docs/DISCORD.md tells.
const INVITE: &str = "&scope=bot%20applications.commands&permissions=117760";
/// The platforms that are set up here.
const PLATFORMS: [ChannelKind; 4] = [ChannelKind::Telegram, ChannelKind::Discord, ChannelKind::Email, ChannelKind::Sms];
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
    let (clock, network) = (Arc::new(SystemClock::new()), run::network()?);
    let mut setup = Setup { environment: environment.clone(), config, person, clock, network, declined: Vec::new() };
    let well = setup.all()?;
    for line in missing_services(&setup.environment) {
        print(&format!("\n{line}"));
    }
    print("\nStart it with: bellwether");
    if well { Ok(()) } else { Err(AppError::No) }
}

/// Asks for a line.
pub(super) fn ask(question: &str) -> Result<String, AppError> {
    typed(question).ok_or_else(|| {
        let hint = "call it again: it goes on where it stopped";
        AppError::failed("the input ended before the setup did").with_hint(hint)
    })
}

/// What somebody types; none where the input ended.
fn typed(question: &str) -> Option<String> {
    let mut out = std::io::stdout().lock();
    // Where nobody can read it, the answer says so.
    let _ = out.write_all(question.as_bytes()).and_then(|()| out.flush());
    drop(out);
    match Editor::Pipe.read() {
        Line::Text(line) => Some(line.trim().to_owned()),
        Line::Interrupt | Line::End => None,
    }
}

/// Ends listening; its threads.
type Deafen = Box<dyn FnOnce() -> [JoinHandle<()>; 3]>;

/// What is set up, and by whom.
pub(super) struct Setup {
    pub(super) environment: Environment,
    pub(super) config: Config,
    pub(super) person: Person,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) network: tokio::runtime::Runtime,
    /// Variables of what is not wanted now, whatever is set.
    pub(super) declined: Vec<&'static str>,
}

impl Setup {
    /// Every platform that somebody wants, then a PIN and a drill; whether that arrived.
    fn all(&mut self) -> Result<bool, AppError> {
        let (mut bot, mut account) = (None, None);
        for platform in self.platforms() {
            match platform {
                ChannelKind::Telegram => bot = self.telegram()?,
                ChannelKind::Discord => account = self.discord()?,
                ChannelKind::Email => self.email()?,
                ChannelKind::Sms => self.sms()?,
                ChannelKind::Terminal | ChannelKind::Ntfy | ChannelKind::Webhook => {}
            }
        }
        let has_lanes = bot.is_some() || account.is_some() || self.is_reached();
        if !has_lanes {
            let store = Store::open(&self.environment.database)?;
            self.pin(&self.chat(&store, Routes::default()))?;
            return Ok(true);
        }
        let (telegram, me) = bot.unzip();
        let ways = Ways::new(&self.environment, &self.config, telegram, self.clock.clone())?;
        ways.open()?;
        let done = self.on_ways(&ways, me.as_ref(), account.as_ref());
        ways.close();
        done
    }

    /// Whether the person has a way that needs no pairing.
    fn is_reached(&self) -> bool {
        let own = self.config.people.iter().find(|one| one.person.name == self.person.name);
        own.is_some_and(|own| own.email.is_some() || own.phone.is_some() && self.environment.twilio.is_some())
    }

    /// Which platforms are wanted: those that are there already unless others are named.
    fn platforms(&self) -> Vec<ChannelKind> {
        let is_there = |platform: &&ChannelKind| match platform {
            ChannelKind::Telegram => self.environment.telegram_token.is_some(),
            ChannelKind::Discord => self.environment.discord_token.is_some(),
            ChannelKind::Email => self.environment.smtp_url.is_some(),
            ChannelKind::Sms => self.environment.twilio.is_some(),
            ChannelKind::Terminal | ChannelKind::Ntfy | ChannelKind::Webhook => false,
        };
        let mut usual: Vec<&str> = PLATFORMS.iter().filter(is_there).map(|platform| platform.as_str()).collect();
        if usual.is_empty() {
            usual.push(ChannelKind::Telegram.as_str());
        }
        let usual = usual.join(" ");
        loop {
            let question = format!("2. Where are you told? telegram, discord, email, sms; one or several [{usual}]: ");
            let typed = typed(&question).filter(|typed| !typed.is_empty()).unwrap_or_else(|| usual.clone());
            let words: Vec<String> =
                typed.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect();
            let wrong = words.iter().find(|word| PLATFORMS.iter().all(|platform| platform.as_str() != word.as_str()));
            let Some(word) = wrong else {
                let is_meant = |platform: &ChannelKind| words.iter().any(|word| word == platform.as_str());
                return PLATFORMS.into_iter().filter(is_meant).collect();
            };
            print(&format!("   \"{word}\" is none of these"));
        }
    }

    /// Everything that needs open ways; whether the drill arrived.
    fn on_ways(&self, ways: &Ways, me: Option<&Myself>, account: Option<&Account>) -> Result<bool, AppError> {
        let chat = self.chat(&ways.store, ways.routes.clone());
        if let Some(me) = me {
            let first = format!("open https://t.me/{} and press Start", me.username);
            self.pair(ways, &chat, (ChannelKind::Telegram, "Telegram"), &first)?;
        }
        if let Some(account) = account {
            let id = account.application;
            let first = format!(
                "take {} into a server of yours, and open a conversation with it there (its name, Message):\n\n    https://discord.com/oauth2/authorize?client_id={id}{INVITE}\n\n   It may be a server with nobody else in it",
                account.name
            );
            self.pair(ways, &chat, (ChannelKind::Discord, "Discord"), &first)?;
        }
        self.pin(&chat)?;
        self.drill(ways)
    }

    fn chat(&self, store: &Store, routes: Routes) -> Chat {
        chat_beside(store, self.clock.clone(), false, (routes, self.config.control.clone()))
    }

    /// Binds the person to a chat, and listens for that meanwhile.
    fn pair(
        &self,
        ways: &Ways,
        chat: &Chat,
        (channel, platform): (ChannelKind, &str),
        first: &str,
    ) -> Result<(), AppError> {
        let name = &self.person.name;
        let is_own = |lane: &Lane| lane.who.as_str() == name && lane.channel == channel;
        let is_mine = || ways.lanes().iter().any(is_own);
        if is_mine() {
            print(&format!("   Your chat: {name} is reached on {platform}; done already"));
            return Ok(());
        }
        let Some(deafen) = self.listen(ways, chat, channel)? else { return Ok(()) };
        let (code, expires) = pairing::issue(&ways.store, name, self.clock.now())?;
        let zone = self.person.zone.unwrap_or(zone_of(&self.config));
        print(&format!("   Your chat on {platform}: {first}. Then:\n"));
        print(&pairing::instructions(name, &code, expires, zone));
        print("\n   Waiting for it (Enter: not now) ...");
        let enter = spawn("enter", || Editor::Pipe.read())?;
        wait(PAIRING, self.clock.as_ref(), || enter.is_finished() || is_mine());
        print(&match (is_mine(), enter.is_finished()) {
            (true, _) => format!("   Paired: {name} is reached on {platform}"),
            (false, true) => format!("   Not now: \"bellwether pair {name}\" does it while the bot runs"),
            (false, false) => "   Nobody sent it, and the code is void now".to_owned(),
        });
        if !enter.is_finished() {
            print("   Enter to go on");
        }
        // What was typed there is an answer to nothing.
        drop(enter.join());
        let threads = deafen();
        wait(DEAF, self.clock.as_ref(), || threads.iter().all(JoinHandle::is_finished));
        Ok(())
    }

    /// Listens on a platform; what ends that.
    fn listen(&self, ways: &Ways, chat: &Chat, channel: ChannelKind) -> Result<Option<Deafen>, AppError> {
        if channel == ChannelKind::Telegram {
            let Some(messenger) = ways.messenger.clone() else { return Ok(None) };
            let listening = messenger.start(chat)?;
            return Ok(Some(Box::new(move || listening.end())));
        }
        let ears = discord_house::discord(&self.environment, &self.clock)?;
        let (Some(house), Some(ears)) = (ways.house.clone(), ears.zip(self.environment.discord_token.clone())) else {
            return Ok(None);
        };
        let listening = house.start(chat, ears)?;
        Ok(Some(Box::new(move || listening.end())))
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
            let held = chat.held(name)?.and_then(|factors| ask_secret(&format!("   {factors}: ")));
            chat.set_pin(name, held.as_ref(), &first)?;
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
        let reader = Reader::open(ways.store.path())?;
        let shows = Shows { config: &self.config, zone: zone_of(&self.config), mark: mark_of(&reader)?, reader };
        let report = Report::new(&sent, &shows, Vec::new());
        print(report.table().trim_end());
        let is_sms = |row: &&TraceRow| row.lane.ends_with(":sms");
        if sent.rows.iter().filter(is_sms).any(is_refused) {
            print(
                "   Setup asks for TWILIO_FROM no more, since the account is taken: if that number is wrong, correct it in .env",
            );
        }
        Ok(report.well)
    }
}
