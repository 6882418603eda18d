//! The program with phones, started by environment and TOML alone, against the fake.

use std::process::{Child, Stdio};

use bellwether::store::Reader;

use super::shell::Shell;
use super::talking::{PIN, holds};
use super::twilio::{Desk, FROM, PHONE, PUBLIC, SID, Spoilt, TOKEN, conformance};

pub(crate) const BO: &str = "+4915112345678";
pub(crate) const STRANGER: &str = "+12125550123";
/// Ana owns it, Bo may look. Nothing is routed to a phone.
pub(crate) const PEOPLE: &str = r#"
[[people]]
name = "ana"
role = "owner"
phone = "+351912345678"
email = "ana@example.org"
[[people]]
name = "bo"
role = "viewer"
phone = "+49 151 12345678"
[[routes]]
to = ["ana:email"]
"#;

/// The program, the service, and where the service posts to.
pub(crate) struct Texting {
    pub(crate) shell: Shell,
    pub(crate) desk: Desk,
    bot: Option<Child>,
    listen: String,
}

impl Texting {
    /// A folder with people, and a service that posts to a free port; nothing runs yet.
    pub(crate) fn new() -> Self {
        let (shell, desk) = (Shell::new(), Desk::start());
        shell.write("bellwether.toml", PEOPLE);
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let listen = free.local_addr().expect("bound").to_string();
        desk.deliver_to(&listen);
        Self { shell, desk, bot: None, listen }
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.shell.command(args);
        command.env("TWILIO_ACCOUNT_SID", SID).env("TWILIO_AUTH_TOKEN", TOKEN).env("TWILIO_FROM", FROM);
        command.env("TWILIO_API_URL", self.desk.url()).env("PUBLIC_URL", PUBLIC).env("HTTP_LISTEN", &self.listen);
        command
    }

    /// Starts the program on the simulated market; returns after its first cycle.
    pub(crate) fn start(&mut self) {
        let log =
            std::fs::File::options().create(true).append(true).open(self.shell.path().join("log")).expect("a file");
        let mut command = self.command(&["run", "--no-console", "--speed", "60"]);
        self.bot = Some(command.stdout(Stdio::null()).stderr(log).spawn().expect("starts"));
        self.until(|| self.said(&["command", "/status"]).contains("main is"));
        self.until(|| std::net::TcpStream::connect(&self.listen).is_ok());
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut bot) = self.bot.take() {
            bot.kill().expect("killed");
            bot.wait().expect("gone");
        }
    }

    pub(crate) fn said(&self, args: &[&str]) -> String {
        self.said_without(&[], args)
    }

    /// What it says in a shell that does not have these variables.
    pub(crate) fn said_without(&self, variables: &[&str], args: &[&str]) -> String {
        let mut command = self.command(args);
        for name in variables {
            command.env_remove(name);
        }
        let output = command.output().expect("starts");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// Looks until it is so; each look starts a program, which is wait enough.
    pub(crate) fn until(&self, holds: impl Fn() -> bool) {
        for _ in 0..2_000 {
            if holds() {
                return;
            }
            self.said(&["--version"]);
        }
        panic!("it never came: {}", std::fs::read_to_string(self.shell.path().join("log")).unwrap_or_default());
    }

    pub(crate) fn set_pin(&self) {
        use std::io::Write as _;
        let mut command = self.command(&["pin", "set", "ana"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
        child.stdin.take().expect("piped").write_all(format!("{PIN}\n{PIN}\n").as_bytes()).expect("writes");
        assert!(child.wait_with_output().expect("ends").status.success());
    }

    /// A phone texts, and the bot takes it.
    pub(crate) fn text(&self, from: &str, body: &str) {
        let (status, answer) = self.desk.text(from, body, Spoilt::No).go().expect("an answer");
        assert_eq!(status, 200, "{answer}");
        assert!(answer.contains("<Response/>"), "{answer}");
    }

    /// A phone texts; the newest text that holds `part`, which comes after.
    pub(crate) fn ask(&self, from: &str, body: &str, part: &str) -> String {
        let before = self.desk.bodies().iter().filter(|sent| sent.contains(part)).count();
        self.text(from, body);
        self.desk.wait_for(part, before + 1).pop().expect("one")
    }

    /// Everything that was told by mail.
    pub(crate) fn mail(&self) -> String {
        let Ok(files) = std::fs::read_dir(self.shell.path().join("mail")) else { return String::new() };
        let mut text = String::new();
        for entry in files {
            text.push_str(&std::fs::read_to_string(entry.expect("reads").path()).unwrap_or_default());
        }
        text
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.shell.path().join("bellwether.db")).expect("opens")
    }

    pub(crate) fn state(&self) -> String {
        self.said(&["command", "/status"])
    }
}

impl Drop for Texting {
    fn drop(&mut self) {
        self.kill();
        if !std::thread::panicking() {
            let faults = conformance::check(&self.desk.asked()).unwrap_or_default();
            assert!(faults.is_empty(), "{faults:#?}");
            // What a code does is told whole; everything else has one segment.
            let most = |body: &str| if body.contains("within 5 min") { 3 } else { 1 };
            let long = self.desk.messages().into_iter().filter(|sent| sent.segments > most(&sent.body));
            let segments: Vec<_> = long.collect();
            assert!(segments.is_empty(), "{segments:?}");
            let files = std::fs::read_dir(self.shell.path()).expect("reads").map(|entry| entry.expect("reads").path());
            for path in files.filter(|path| path.is_file() && !path.ends_with("bellwether.toml")) {
                let left = std::fs::read(&path).expect("reads");
                for secret in [PHONE, BO, STRANGER, FROM, TOKEN] {
                    let secret = secret.trim_start_matches('+');
                    assert!(!holds(&left, secret), "{secret} is in {}", path.display());
                }
            }
        }
    }
}
