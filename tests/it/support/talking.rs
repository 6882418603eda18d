//! The program on Telegram, started by environment and TOML alone, against the fake.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::shell::Shell;
use super::telegram::{Fake, conformance};

pub(crate) const ANA: i64 = 501;
pub(crate) const BO: i64 = 502;
pub(crate) const STRANGER: i64 = 666;
pub(crate) const FAMILY: i64 = -1_000_000_000_300;
pub(crate) const PIN: &str = "284691";

/// Ana owns it, Bo may look at one book, the family has a group that is told no amounts.
pub(crate) const PEOPLE: &str = r#"
[[people]]
name = "ana"
role = "owner"
telegram = { user = 501 }
[[people]]
name = "bo"
role = "viewer"
telegram = { user = 502 }
[[groups]]
name = "family"
telegram = -1000000000300
[[routes]]
kinds = ["*"]
min = "notice"
to = ["ana:telegram"]
"#;

/// The program and the service it talks to.
pub(crate) struct TalkingBot {
    pub(crate) shell: Shell,
    pub(crate) fake: Fake,
    pub(crate) bot: Option<Child>,
}

impl TalkingBot {
    /// A folder with this configuration, a service at which people have started the bot, and a PIN for Ana; nothing runs yet.
    pub(crate) fn new(config: &str) -> Self {
        let (shell, fake) = (Shell::new(), Fake::start());
        shell.write("bellwether.toml", config);
        fake.control("settings", &json!({ "flood": false }));
        for person in [ANA, BO] {
            fake.control("join", &json!({ "from": person, "quiet": true }));
        }
        fake.control("group", &json!({ "chat": FAMILY, "title": "family", "from": ANA }));
        Self { shell, fake, bot: None }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.shell.command(args);
        command.env("TELEGRAM_BOT_TOKEN", Fake::token()).env("TELEGRAM_API_URL", self.fake.url());
        command
    }

    pub(crate) fn shell(&self, args: &[&str], typed: &str) -> String {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        child.stdin.take().expect("piped").write_all(typed.as_bytes()).expect("writes");
        let output = child.wait_with_output().expect("ends");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// Starts the program on the simulated market, slowly enough that little happens by itself; returns after its first cycle.
    pub(crate) fn start(&mut self) {
        self.spawn();
        while !self.shell(&["command", "/status"], "").contains("main is") {}
    }

    /// The same, and returns at once.
    pub(crate) fn spawn(&mut self) {
        let mut command = self.command(&["run", "--no-console", "--speed", "60"]);
        let log = std::fs::File::create(self.shell.path().join("log")).expect("a file");
        let bot = command.stdout(Stdio::null()).stderr(log).spawn().expect("starts");
        self.bot = Some(bot);
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut bot) = self.bot.take() {
            bot.kill().expect("killed");
            bot.wait().expect("gone");
        }
    }

    /// The newest entry of the service's log.
    pub(crate) fn mark(&self) -> u64 {
        self.fake.log(0).last().and_then(|entry| entry["seq"].as_u64()).unwrap_or(0)
    }

    /// Waits until the service has got so many requests after the mark `after`.
    pub(crate) fn wait_after(&self, after: u64, method: &str, text: &str, count: usize) -> Vec<Value> {
        let ask = json!({ "after": after, "method": method, "text_contains": text, "count": count, "outcome": "any", "timeout_ms": 120_000 });
        self.fake.control("wait", &ask)["entries"].as_array().expect("entries").clone()
    }

    pub(crate) fn wait(&self, method: &str, chat: Option<i64>, text: &str, count: usize) {
        let mut ask = json!({ "method": method, "count": count, "outcome": "any" });
        if let Some(chat) = chat {
            ask["chat"] = json!(chat);
        }
        if !text.is_empty() {
            ask["text_contains"] = json!(text);
        }
        self.fake.control("wait", &ask);
    }

    /// Somebody writes; the text of the answer that holds `part`.
    pub(crate) fn ask(&self, from: i64, chat: i64, text: &str, part: &str) -> Value {
        let after = self.mark();
        self.fake.control("message", &json!({ "from": from, "chat": chat, "text": text }));
        let entries = self.wait_after(after, "sendMessage", part, 1);
        entries[0].clone()
    }

    /// The message that a person sees last in a chat.
    pub(crate) fn last(&self, chat: i64) -> Value {
        self.fake.seen(chat).last().expect("a message").clone()
    }

    pub(crate) fn set_pin(&self) {
        // The database is made by the first run; a PIN is set beside it.
        let said = self.shell(&["pin", "set", "ana"], &format!("{PIN}\n{PIN}\n"));
        assert!(said.contains("PIN of ana set"), "{said}");
    }

    /// Everything that the program left behind: database, logs.
    pub(crate) fn left_behind(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.shell.path()).expect("reads").map(|entry| entry.expect("reads").path());
        files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).expect("reads")).collect()
    }
}

impl Drop for TalkingBot {
    fn drop(&mut self) {
        if let Some(bot) = &mut self.bot {
            // It may have ended by itself.
            let _ = bot.kill();
            let _ = bot.wait();
        }
        if !std::thread::panicking() {
            let faults = conformance::check(&self.fake.log(0)).unwrap_or_default();
            assert!(faults.is_empty(), "{faults:#?}");
            assert_eq!(self.fake.violations(), 0, "requests within a forbidden window");
        }
    }
}

pub(crate) fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}
