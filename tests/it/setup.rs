//! Somebody sets it up: the program asks, they answer, and their phone is the fake's.

use bellwether::clock::Timestamp;
use bellwether::store::{Reader, Store};
use serde_json::json;

use crate::support::smtp::{self, Act, Smtp, Step};
use crate::support::telegram::Fake;
use crate::support::twilio::{Desk, FROM, PHONE, SID, TOKEN};
use crate::support::{Shell, Talk, discord, lane};

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

#[cfg(unix)]
fn mode(shell: &Shell, name: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(shell.path().join(name)).expect("there").permissions().mode() & 0o777
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
    talk.until("[telegram]");
    talk.say("pigeon");
    talk.until("\"pigeon\" is none of these");
    talk.say("");
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
    assert_eq!((mode(&shell, ".env"), mode(&shell, "bellwether.toml")), (0o600, 0o600));
    // Again: all is done, and only the drill is sent once more.
    let (code, said) = self::talk(&shell, &fake).end();
    assert_eq!((code, said.matches("done already").count()), (0, 3), "{said}");
    assert!(said.contains("set already") && said.contains("arrived"), "{said}");
}

#[test]
fn discord_is_set_up_the_same_way() {
    let (shell, fake) = (Shell::new(), discord::Fake::start());
    fake.join(ANA);
    shell.write("bellwether.toml", "[[people]]\nname = \"ana\"\nrole = \"owner\"\n");
    let talk = || {
        let mut command = shell.command(&["setup"]);
        command.env("TZ", "Europe/Lisbon").env("DISCORD_API_URL", fake.url());
        Talk::start(command)
    };
    let mut first = talk();
    first.until("Where are you told?");
    first.say("Discord");
    first.until("discord.com/developers/applications");
    first.say("two words");
    first.until("is not the token of a bot");
    first.say("another.token");
    first.until("does not know this token");
    first.say(discord::Fake::token());
    first.until("Discord takes it");
    let said = first.until("Waiting for it");
    let application = fake.call("GET", "/applications/@me", &serde_json::Value::Null).1["id"].clone();
    let invite = format!(
        "https://discord.com/oauth2/authorize?client_id={}&scope=bot%20applications.commands&permissions=117760",
        application.as_str().expect("a number")
    );
    assert!(said.contains(&invite), "{said}");
    // From its first session on nothing that is written is lost.
    let database = shell.path().join("bellwether.db");
    let kept = || Reader::open(&database).and_then(|reader| reader.meta("discord gateway")).ok().flatten();
    while !kept().unwrap_or_default().contains("\"session\":{") {}
    fake.control("write", &json!({ "user": ANA, "text": format!("/pair {}", code(&said)) }));
    first.until("Paired: ana is reached on Discord");
    first.say("");
    first.until("4. Your PIN");
    let (ended, said) = first.end();
    assert!(ended == 0 && said.contains("ana:discord  arrived"), "{said}");
    assert!(!said.contains(discord::Fake::token()), "{said}");
    assert_eq!(read(&shell, ".env"), format!("DISCORD_BOT_TOKEN={}\n", discord::Fake::token()));
    // Again: it is what is asked for, and all is done.
    let mut again = talk();
    again.until("[discord]");
    let (ended, said) = again.end();
    assert_eq!((ended, said.matches("done already").count()), (0, 3), "{said}");
}

#[test]
fn mail_and_sms_are_tried_before_they_are_kept() {
    let (shell, desk) = (Shell::new(), Desk::start());
    let setup = smtp::Setup { size_max: 1 << 20, ..smtp::Setup::default() };
    let post = Smtp::start(0, setup);
    shell.write("bellwether.toml", "[[people]]\nname = \"ana\" # me\nrole = \"owner\"\n\n[sms]\nper_day = 2\n");
    let mut command = shell.command(&["setup"]);
    command.env("TZ", "Europe/Lisbon").env("TWILIO_API_URL", desk.url());
    let mut talk = Talk::start(command);
    talk.until("Where are you told?");
    talk.say("sms, email");
    talk.until("Your address");
    talk.say("ana");
    talk.until("is no address for mail");
    talk.say("ana@example.org");
    talk.until("Written to ");
    talk.until("docs/EMAIL.md");
    talk.say("https://CANARY.example.org");
    talk.until("SMTP_URL is no address of a mail server");
    let server = format!("smtp://{}?tls=none", post.address);
    post.next(Step::Mail, Act::Say("550 5.7.1 not you\r\n"));
    for sender in ["nobody at all", "Bellwether <bot@example.org>"] {
        if sender.starts_with("nobody") {
            talk.say(&server);
        }
        talk.say(sender);
    }
    talk.until("EMAIL_FROM is no sender");
    talk.until("not you");
    assert_eq!(read(&shell, ".env"), "", "nothing is kept that the server refused");
    talk.say(&server);
    talk.say("Bellwether <bot@example.org>");
    talk.until("The mail server takes it");
    talk.until("Your phone");
    talk.say("12");
    talk.until("the phone of ana is none");
    talk.say(PHONE);
    talk.until("docs/SMS.md");
    talk.say("AC12");
    talk.until("TWILIO_ACCOUNT_SID is no account");
    for typed in [SID, "CANARY-wrong", FROM] {
        talk.say(typed);
    }
    talk.until("20003");
    for typed in [SID, TOKEN, FROM] {
        talk.say(typed);
    }
    talk.until("Twilio takes it");
    talk.until("4. Your PIN");
    let (ended, said) = talk.end();
    assert!(ended == 0 && said.contains("ana:email  arrived") && said.contains("ana:sms    taken"), "{said}");
    assert!(!said.contains("CANARY"), "{said}");
    assert_eq!((post.letters().len(), desk.messages().len()), (1, 1));
    let kept = read(&shell, ".env");
    for name in ["SMTP_URL=", "EMAIL_FROM=", "TWILIO_ACCOUNT_SID=", "TWILIO_AUTH_TOKEN=", "TWILIO_FROM="] {
        assert_eq!(kept.matches(name).count(), 1, "{name}: {kept}");
    }
    let file = read(&shell, "bellwether.toml");
    let want = format!(
        "[[people]]\nname = \"ana\" # me\nphone = \"{PHONE}\"\nemail = \"ana@example.org\"\nrole = \"owner\"\n"
    );
    assert!(file.starts_with(&want) && file.ends_with("[sms]\nper_day = 2\n"), "{file}");
}

const MAIL: &str = "[[people]]\nname = \"ana\"\nrole = \"owner\"\nemail = \"ana@example.org\"\n";

fn mail_talk(shell: &Shell, chat: &discord::Fake) -> Talk {
    let mut command = shell.command(&["setup"]);
    command.env("TZ", "Europe/Lisbon").env("DISCORD_API_URL", chat.url());
    Talk::start(command)
}

/// What puts off refuses nothing, and what was not wanted a moment ago does not come back with what is wanted.
#[test]
fn a_server_that_says_later_is_taken_and_what_was_declined_stays_away() {
    let (shell, chat) = (Shell::new(), discord::Fake::start());
    let post = Smtp::start(0, smtp::Setup { size_max: 1 << 20, ..smtp::Setup::default() });
    shell.write("bellwether.toml", &format!("{MAIL}discord = {{ user = {ANA} }}\n"));
    shell.write(".env", "DISCORD_BOT_TOKEN=an.old.token\n");
    post.next(Step::Rcpt, Act::Say("450 4.2.0 greylisted\r\n"));
    let mut talk = mail_talk(&shell, &chat);
    talk.until("Where are you told?");
    talk.say("discord email");
    talk.until("does not know this token");
    talk.say("");
    talk.until("Without Discord for now");
    talk.until("docs/EMAIL.md");
    talk.say(&format!("smtp://{}?tls=none", post.address));
    talk.say("Bellwether <bot@example.org>");
    talk.until("The mail server takes it: it puts letters off for now");
    talk.until("4. Your PIN");
    let (ended, said) = talk.end();
    assert!(ended == 0 && said.contains("ana:email  arrived") && !said.contains("ana:discord"), "{said}");
    assert!(read(&shell, ".env").contains("SMTP_URL="), "{said}");
}

#[test]
fn a_value_that_is_exported_is_told_as_stronger_than_the_file() {
    let (shell, fake) = (Shell::new(), Fake::start());
    shell.write("bellwether.toml", MAIL);
    let mut command = shell.command(&["setup"]);
    command.env("TELEGRAM_API_URL", fake.url()).env("TELEGRAM_BOT_TOKEN", "123456:an-old-token");
    let mut talk = Talk::start(command);
    talk.until("[telegram]");
    talk.say("");
    talk.until("does not know this token");
    talk.say(Fake::token());
    talk.until("TELEGRAM_BOT_TOKEN is set in the environment and wins over .env: unset it");
    talk.until("Telegram takes it");
    talk.kill();
    assert_eq!(read(&shell, ".env"), format!("TELEGRAM_BOT_TOKEN={}\n", Fake::token()));
}

#[test]
fn a_phone_that_texted_stop_or_a_wrong_number_keeps_nobody_from_ending_the_setup() {
    let (shell, desk) = (Shell::new(), Desk::start());
    shell.write("bellwether.toml", &format!("[[people]]\nname = \"ana\"\nrole = \"owner\"\nphone = \"{PHONE}\"\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let only_group = std::fs::Permissions::from_mode(0o640);
        std::fs::set_permissions(shell.path().join("bellwether.toml"), only_group).expect("sets");
    }
    let store = Store::open(&shell.path().join("bellwether.db")).expect("opens");
    store.keep_opt_out(lane("ana:sms"), true, Timestamp::from_ms(0)).expect("kept");
    drop(store);
    let talk = || {
        let mut command = shell.command(&["setup"]);
        command.env("TZ", "Europe/Lisbon").env("TWILIO_API_URL", desk.url());
        Talk::start(command)
    };
    // The number is not the account's: what the account took is kept, and what can be wrong is named.
    desk.refuse(PHONE, Some(21606));
    let mut first = talk();
    first.until("Where are you told?");
    first.say("sms email");
    first.until("Your address");
    first.say("ana@example.org");
    first.until("docs/EMAIL.md");
    first.say("");
    first.until("docs/SMS.md");
    for typed in [SID, TOKEN, FROM] {
        first.say(typed);
    }
    first.until("send START from that phone");
    first.until("Twilio takes it");
    first.until("4. Your PIN");
    let (ended, said) = first.end();
    assert!(ended == 1 && said.contains("if that number is wrong, correct it in .env"), "{said}");
    #[cfg(unix)]
    assert_eq!(mode(&shell, "bellwether.toml"), 0o640);
    desk.refuse(PHONE, None);
    let mut again = talk();
    again.until("[sms]");
    let (ended, said) = again.end();
    assert!(ended == 0 && said.contains("ana:sms    taken") && !said.contains("correct it in .env"), "{said}");
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
    second.until("[telegram]");
    second.say("");
    second.until("@BotFather");
    second.say(Fake::token());
    second.until("Waiting for it");
    second.kill();
    assert!(read(&shell, "bellwether.toml").contains("America/New_York"));
    let mut third = talk(&shell, &fake);
    third.until("done already");
    third.say("");
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
        talk.until("[telegram]");
        talk.say("");
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
