//! Somebody sets it up: the program asks, they answer, and their phone is the fake's.

use serde_json::json;

use crate::support::telegram::Fake;
use crate::support::{Shell, Talk};

const ANA: i64 = 501;
const BOT: &str = "@bellwether_test_bot";

fn talk(shell: &Shell, fake: &Fake) -> Talk {
    let mut command = shell.command(&["setup"]);
    command.env("TZ", "Europe/Lisbon").env("TELEGRAM_API_URL", fake.url());
    Talk::start(command)
}

fn read(shell: &Shell, name: &str) -> String {
    std::fs::read_to_string(shell.path().join(name)).unwrap_or_default()
}

fn told(fake: &Fake) -> Vec<String> {
    fake.seen(ANA).iter().filter_map(|message| message["text"].as_str().map(str::to_owned)).collect()
}

/// The code that stands in what was said.
fn code(said: &str) -> String {
    let from = said.find("/pair ").expect("a code") + "/pair ".len();
    said[from..].lines().next().expect("a line").trim().to_owned()
}

#[test]
fn from_nothing_to_a_drill_on_the_phone() {
    let (shell, fake) = (Shell::new(), Fake::start());
    fake.control("join", &json!({ "from": ANA, "quiet": true }));
    let mut talk = talk(&shell, &fake);
    talk.until("Your name");
    talk.say("Ana Maria");
    talk.until("is not a");
    talk.say("ana");
    talk.until("[Europe/Lisbon]");
    talk.say("moon");
    talk.until("no such zone");
    talk.say("");
    talk.until("Written to bellwether.toml");
    talk.until("@BotFather");
    talk.say("no token");
    talk.until("is not the token of a bot");
    talk.say("123456:some-other-token");
    talk.until("does not know this token");
    talk.say(Fake::token());
    talk.until(BOT);
    let code = code(&talk.until("Waiting for it"));
    fake.control("message", &json!({ "from": ANA, "text": format!("/pair {code}") }));
    talk.until("Paired: ana");
    talk.say("");
    talk.until("4. Your PIN");
    talk.say("1111");
    // Weak is weak: nobody types it twice for that.
    talk.until("among the first that anybody would try");
    talk.say("2846");
    talk.say("2864");
    talk.until("The two differ");
    talk.say("2846");
    talk.say("2846");
    talk.until("PIN set");
    let (code, said) = talk.end();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("ana:telegram  arrived") && said.contains("Start it with: bellwether"), "{said}");
    assert!(!said.contains("TEST-token") && !said.contains("2846"), "{said}");
    let told = told(&fake);
    for part in ["Paired: this chat is ana's now", "DRILL, not real"] {
        assert!(told.iter().any(|text| text.contains(part)), "{part}: {told:#?}");
    }
    assert_eq!(read(&shell, ".env"), format!("TELEGRAM_BOT_TOKEN={}\n", Fake::token()));
    let config = bellwether::config::read(&read(&shell, "bellwether.toml"), None).expect("sound");
    let ana = config.owner().expect("somebody");
    assert_eq!((ana.name.as_str(), ana.zone), ("ana", Some(chrono_tz::Europe::Lisbon)));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(shell.path().join(".env")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Again: all is done, and only the drill is sent once more.
    let (code, said) = self::talk(&shell, &fake).end();
    assert_eq!((code, said.matches("done already").count()), (0, 3), "{said}");
    assert!(said.contains("set already") && said.contains("arrived"), "{said}");
}

#[test]
fn broken_off_it_goes_on_where_it_stopped() {
    let (shell, fake) = (Shell::new(), Fake::start());
    fake.control("join", &json!({ "from": ANA, "quiet": true }));
    let mut first = talk(&shell, &fake);
    first.until("[owner]");
    let (ended, _) = first.end();
    assert_eq!((ended, read(&shell, "bellwether.toml")), (1, String::new()), "nothing is half-written");
    let mut second = talk(&shell, &fake);
    second.until("[owner]");
    second.say("");
    second.until("zone of your messages");
    second.say("america/new_york");
    second.until("@BotFather");
    second.say(Fake::token());
    second.until("Waiting for it");
    second.kill();
    assert!(read(&shell, "bellwether.toml").contains("America/New_York"));
    let mut third = talk(&shell, &fake);
    third.until("done already");
    third.until(&format!("{BOT}; done already"));
    let code = code(&third.until("Waiting for it"));
    fake.control("message", &json!({ "from": ANA, "text": format!("/pair {code}") }));
    third.until("Paired: owner");
    third.say("");
    third.until("4. Your PIN");
    third.say("");
    third.until("bellwether pin set owner");
    let (code, said) = third.end();
    assert!(code == 0 && said.contains("arrived"), "{said}");
}

#[test]
fn everything_can_be_left_for_later() {
    let (shell, fake) = (Shell::new(), Fake::start());
    let mut talk = talk(&shell, &fake);
    for _ in 0..5 {
        talk.say("");
    }
    let (code, said) = talk.end();
    assert_eq!(code, 0, "{said}");
    for part in ["Without Telegram for now", "bellwether pin set owner", "TELEGRAM_BOT_TOKEN turns it on"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!((read(&shell, ".env"), fake.log(0).len()), (String::new(), 0));
}

#[test]
fn a_file_that_is_there_is_completed_only_when_that_is_wanted() {
    let fake = Fake::start();
    let old = "# mine\n[[books]]\ncapital = 500 # not more";
    for (answer, people) in [("n", 0), ("", 1)] {
        let shell = Shell::new();
        shell.write("bellwether.toml", old);
        let mut talk = talk(&shell, &fake);
        talk.say("ana");
        talk.say("");
        talk.until("Add it?");
        talk.say(answer);
        talk.until("@BotFather");
        let (code, said) = talk.end();
        assert_eq!(code, 0, "{said}");
        let text = read(&shell, "bellwether.toml");
        assert!(text.starts_with(old) && text.matches("[[people]]").count() == people, "{text}");
    }
    let shell = Shell::new();
    let theirs = "[[people]]\nname = \"bo\" # me\n";
    shell.write("bellwether.toml", theirs);
    let (code, said) = talk(&shell, &fake).end();
    assert!(code == 0 && said.contains("1. You: bo") && said.contains("zone = \"Europe/Lisbon\""), "{said}");
    assert_eq!(read(&shell, "bellwether.toml"), theirs);
}
