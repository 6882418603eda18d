//! The program on Discord, started by environment and TOML alone, against the fake.

use std::process::{Child, Command, Stdio};

use bellwether::store::Reader;
use serde_json::{Value, json};

use super::discord::{Fake, number};
use super::shell::Shell;

pub(crate) const ANA: i64 = 501;
pub(crate) const BO: i64 = 502;
pub(crate) const CAT: i64 = 503;
pub(crate) const STRANGER: i64 = 666;
/// A channel of a server that the family reads.
pub(crate) const FAMILY: i64 = 9_000;
/// A thread in it, and a channel that nobody configured.
pub(crate) const THREAD: i64 = 9_001;
pub(crate) const ELSEWHERE: i64 = 9_002;
pub(crate) const PIN: &str = "284691";

/// Ana owns it, Bo may look at it, the family has a channel.
pub(crate) const PEOPLE: &str = r#"
[[people]]
name = "ana"
role = "owner"
discord = { user = 501 }
[[people]]
name = "bo"
role = "viewer"
discord = { user = 502 }
[[people]]
name = "cat"
role = "operator"
email = "cat@example.org"
[[groups]]
name = "family"
discord = 9000
[[routes]]
kinds = ["*"]
min = "notice"
to = ["ana:discord", "cat:email"]
"#;

/// The program and the service it talks to.
pub(crate) struct DiscordBot {
    pub(crate) shell: Shell,
    pub(crate) fake: Fake,
    pub(crate) bot: Option<Child>,
    /// The server that its commands are for.
    pub(crate) guild: Option<i64>,
}

impl DiscordBot {
    /// A folder with this configuration, and a service that everybody has joined; nothing runs yet.
    pub(crate) fn new(config: &str) -> Self {
        let (shell, fake) = (Shell::new(), Fake::start());
        shell.write("bellwether.toml", config);
        for user in [ANA, BO, CAT, STRANGER] {
            fake.join(user);
        }
        for (channel, parent) in [(FAMILY, None), (ELSEWHERE, None), (THREAD, Some(FAMILY))] {
            fake.control(
                "channel",
                &json!({ "channel": channel.to_string(), "parent": parent.map(|id| id.to_string()) }),
            );
        }
        Self { shell, fake, bot: None, guild: None }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.shell.command(args);
        command.env("DISCORD_BOT_TOKEN", Fake::token()).env("DISCORD_API_URL", self.fake.url());
        command.envs(self.guild.map(|guild| ("DISCORD_GUILD_ID", guild.to_string())));
        command
    }

    pub(crate) fn shell(&self, args: &[&str]) -> String {
        let output = self.command(args).output().expect("runs");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// Starts the program on the simulated market, slowly enough that little happens by itself; returns once it trades and listens, and its
    /// commands are set.
    pub(crate) fn start(&mut self) {
        self.spawn();
        while !self.shell(&["command", "/status"]).contains("main is") {}
        while self.reader().meta("discord commands").expect("reads").is_none() {}
        while !self.listens() {}
    }

    /// The same, and returns at once.
    pub(crate) fn spawn(&mut self) {
        let mut command = self.command(&["run", "--no-console", "--speed", "60"]);
        let log = std::fs::File::create(self.shell.path().join("log")).expect("a file");
        self.bot = Some(command.stdout(Stdio::null()).stderr(log).spawn().expect("starts"));
    }

    /// Whether a connection of the gateway is open.
    pub(crate) fn listens(&self) -> bool {
        self.fake.control("state", &json!({}))["connected"].as_u64() > Some(0)
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut bot) = self.bot.take() {
            bot.kill().expect("killed");
            bot.wait().expect("gone");
        }
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.shell.path().join("bellwether.db")).expect("opens")
    }

    /// Sets Ana's PIN beside the database that the first run made.
    pub(crate) fn set_pin(&self) {
        use std::io::Write as _;
        let mut command = self.command(&["pin", "set", "ana"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
        child.stdin.take().expect("piped").write_all(format!("{PIN}\n{PIN}\n").as_bytes()).expect("writes");
        let said = child.wait_with_output().expect("ends").stdout;
        assert!(String::from_utf8_lossy(&said).contains("PIN of ana set"));
    }

    /// The newest entry of the service's log.
    pub(crate) fn mark(&self) -> u64 {
        self.fake.log().last().and_then(|entry| entry["seq"].as_u64()).unwrap_or(0)
    }

    /// Waits until the service has got a request after the mark `after` that holds `part`.
    pub(crate) fn wait_after(&self, after: u64, method: &str, part: &str) -> Value {
        let ask = json!({ "after": after, "method": method, "contains": part, "timeout_ms": 60_000 });
        self.fake.wait(&ask)[0].clone()
    }

    /// Somebody gives a slash command, such as `risk limits` with options, alone with the bot or in a channel: the interaction's number.
    pub(crate) fn give(&self, user: i64, channel: Option<i64>, path: &str, options: Value) -> i64 {
        let mut ask = json!({ "user": user, "path": path.split(' ').collect::<Vec<_>>() });
        ask["options"] = options;
        if let Some(channel) = channel {
            ask["channel"] = json!(channel.to_string());
        }
        number(&self.fake.control("command", &ask)["id"])
    }

    /// The same, and the answer that holds `part`.
    pub(crate) fn ask(&self, user: i64, channel: Option<i64>, path: &str, options: Value, part: &str) -> Value {
        let after = self.mark();
        let id = self.give(user, channel, path, options);
        self.wait_after(after, "edit_original", part);
        self.answer_of(id, user)
    }

    /// What became of an interaction.
    pub(crate) fn interaction(&self, id: i64) -> Value {
        self.fake.control("interaction", &json!({ "id": id.to_string() }))
    }

    /// Waits for its first response: of which type, and after how many milliseconds.
    pub(crate) fn first_response(&self, id: i64) -> (u64, u64) {
        loop {
            let now = self.interaction(id);
            if let (Some(kind), Some(after)) = (now["response"].as_u64(), now["after_ms"].as_u64()) {
                return (kind, after);
            }
        }
    }

    /// The message that answers an interaction, as this person sees it.
    pub(crate) fn answer_of(&self, id: i64, user: i64) -> Value {
        let now = self.interaction(id);
        let (channel, original) = (number(&now["channel"]), now["original"].clone());
        let found = self.fake.seen(channel, user).into_iter().find(|message| message["id"] == original);
        found.unwrap_or_else(|| panic!("no answer: {now}"))
    }

    /// Presses the button of this label below a message: the interaction's number.
    pub(crate) fn press(&self, user: i64, message: &Value, label: &str) -> i64 {
        let ask = json!({ "user": user, "channel": message["channel_id"], "message": message["id"], "label": label });
        number(&self.fake.control("press", &ask)["id"])
    }

    /// Fills in the form that a press opened, and what is answered that holds `part`.
    pub(crate) fn submit(&self, pressed: i64, pin: &str, part: &str) -> Value {
        let (kind, _) = self.first_response(pressed);
        assert_eq!(kind, 9, "the first response is the form");
        let after = self.mark();
        let ask = json!({ "id": pressed.to_string(), "fields": { "pin": pin } });
        let id = number(&self.fake.control("submit", &ask)["id"]);
        self.wait_after(after, "edit_original", part)["params"].clone().take();
        self.interaction(id)
    }

    /// Writes to the bot alone, and waits for a message that holds `part`.
    pub(crate) fn write(&self, user: i64, text: &str, part: &str) {
        let after = self.mark();
        self.fake.control("write", &json!({ "user": user, "text": text }));
        self.wait_after(after, "create_message", part);
    }

    /// Everything that the program left behind: database, logs.
    pub(crate) fn left_behind(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.shell.path()).expect("reads").map(|entry| entry.expect("reads").path());
        files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).expect("reads")).collect()
    }
}

impl Drop for DiscordBot {
    fn drop(&mut self) {
        if let Some(bot) = &mut self.bot {
            // It may have ended by itself.
            let _ = bot.kill();
            let _ = bot.wait();
        }
        if !std::thread::panicking() {
            let early: Vec<_> = self.fake.log().into_iter().filter(|entry| entry["violation"] == true).collect();
            let names: Vec<_> = early.iter().map(|entry| &entry["method"]).collect();
            assert!(early.is_empty(), "requests within a forbidden window: {names:?}\n{:#}", early[0]);
        }
    }
}
