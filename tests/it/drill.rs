//! `bellwether test`: a drill on every way, with a bot and without one.

use serde_json::{Value, json};

use crate::support::talking::{BO, PEOPLE as THREE, TalkingBot};
use crate::support::telegram::Fake;
use crate::support::{Shell, Talk, seen};

const ANA: i64 = 501;
const PEOPLE: &str = "[[people]]\nname = \"ana\"\ntelegram = { user = 501 }\n";

struct Scene {
    shell: Shell,
    fake: Fake,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { shell: Shell::new(), fake: Fake::start() };
        scene.shell.write("bellwether.toml", PEOPLE);
        scene.fake.control("join", &json!({ "from": ANA, "quiet": true }));
        scene
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.shell.command(args);
        command.env("TELEGRAM_API_URL", self.fake.url()).env("TELEGRAM_BOT_TOKEN", Fake::token());
        command
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        seen(self.command(args).output().expect("starts"))
    }

    /// The one JSON document of a drill.
    fn tried(&self) -> (i32, Value) {
        let (code, out, err) = self.run(&["test", "all", "--json"]);
        (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
    }

    fn drills(&self) -> usize {
        self.fake.seen(ANA).iter().filter(|one| one["text"].as_str().unwrap_or_default().starts_with("DRILL")).count()
    }
}

#[test]
fn nothing_to_test_says_what_would_turn_it_on() {
    let shell = Shell::new();
    let (code, out, _) = shell.run(&["test", "all"]);
    assert!(code == 0 && out.contains("TELEGRAM_BOT_TOKEN turns it on"), "{out}");
    assert!(!shell.path().join("bellwether.db").exists(), "nothing was made for it");
    let (code, _, err) = shell.run(&["test", "ana:pigeon"]);
    assert!(code == 2 && err.contains("is no channel"), "{err}");
    // A token and nobody to be reached.
    let scene = Scene::new();
    scene.shell.write("bellwether.toml", "");
    let (code, _, err) = scene.run(&["test", "all"]);
    assert!(code == 1 && err.contains("nobody is reached") && err.contains("bellwether setup"), "{err}");
}

#[test]
fn without_a_bot_the_command_opens_the_ways_itself() {
    let scene = Scene::new();
    let (code, tried) = scene.tried();
    let way = &tried["ways"][0];
    assert_eq!((code, &way["lane"], &way["outcome"]), (0, &json!("ana:telegram"), &json!("arrived")), "{tried}");
    assert!(way["latency_ms"].as_i64().is_some_and(|ms| ms >= 0) && way["skew_ms"].is_i64(), "{tried}");
    assert!(way["id"].is_string() && way["parts"][0].as_str().is_some_and(|part| part.contains("<b>DRILL")), "{tried}");
    assert_eq!(scene.drills(), 1);
    assert!(scene.fake.log(0).iter().all(|call| call["method"] != "getUpdates"), "nobody's updates are read");
    let (code, out, _) = scene.run(&["test", "ana:telegram"]);
    assert!(code == 0 && out.contains("ana:telegram  arrived") && out.contains("ana:telegram gets:"), "{out}");
    let (code, _, err) = scene.run(&["test", "bo:telegram"]);
    assert!(code == 2 && err.contains("nobody is reached by bo:telegram: there is ana:telegram"), "{err}");
}

#[test]
fn a_way_that_does_not_take_it_is_told_with_what_to_do() {
    let scene = Scene::new();
    scene.fake.control("join", &json!({ "from": ANA, "action": "block", "quiet": true }));
    let (code, out, _) = scene.run(&["test", "all"]);
    assert!(code == 1 && out.contains("not arrived") && out.contains("hint: ana opens the chat"), "{out}");
    scene.fake.control("join", &json!({ "from": ANA, "action": "unblock", "quiet": true }));
    let (code, tried) = scene.tried();
    assert_eq!((code, scene.drills()), (0, 1), "the first is over and not sent any more: {tried}");
}

#[test]
fn what_is_wrong_is_told_apart() {
    let scene = Scene::new();
    scene.fake.control("fault", &json!({ "method": "sendMessage", "kind": "reset_after" }));
    let (code, tried) = scene.tried();
    let hint = tried["ways"][0]["hint"].as_str().expect("a hint");
    assert!(code == 1 && hint.contains("look in the chat whether it is there"), "{tried}");
    assert_eq!(scene.drills(), 1, "nobody knew, and it was there");
    let mut command = scene.command(&["test", "all"]);
    command.env("TELEGRAM_BOT_TOKEN", "123456:some-other-token");
    let (code, out, _) = seen(command.output().expect("starts"));
    assert!(code == 1 && out.contains("the token is not valid any more"), "{out}");
}

#[test]
fn letters_are_tested_too() {
    let shell = Shell::new();
    shell.write("bellwether.toml", "[[people]]\nname = \"ana\"\nemail = \"ana@example.org\"\n");
    let (code, out, _) = shell.run(&["test", "all"]);
    assert!(code == 0 && out.contains("ana:email  arrived") && out.contains("TELEGRAM_BOT_TOKEN turns it on"), "{out}");
}

/// One file holds while platforms are added: what leads nowhere yet is said loudly, and refuses nothing.
#[test]
fn routes_that_lead_nowhere_are_told_at_each_start_and_fail_the_test() {
    let shell = Shell::new();
    let people = "[[people]]\nname = \"ana\"\nemail = \"ana@example.org\"\nphone = \"+12025550123\"\n";
    let first = "[[routes]]\nto = [\"ana:terminal\", \"ana:email\", \"ana:telegram\"]\n";
    let partly =
        "route 1 of [[routes]] does not reach everybody: ana:telegram is not set up (TELEGRAM_BOT_TOKEN turns it on)";
    shell.write("bellwether.toml", &format!("{people}{first}"));
    let (code, out, _) = shell.run(&["test", "all"]);
    assert!(code == 0 && out.contains(&format!("warning: {partly}")), "{out}");
    shell.write(
        "bellwether.toml",
        &format!("{people}{first}[[routes]]\nto = [\"ana:discord\", \"ana:sms\"]\nafter = \"2m\"\n"),
    );
    let whole = "route 2 of [[routes]] reaches nobody: ana:discord is not set up (DISCORD_BOT_TOKEN turns it on); ana:sms is not set up (TWILIO_ACCOUNT_SID turns it on)";
    let (code, out, _) = shell.run(&["test", "all"]);
    assert!(code == 1 && out.contains(partly) && out.contains(whole), "{out}");
    let (code, out, _) = shell.run(&["test", "ana:email"]);
    assert!(code == 0 && out.contains(partly) && out.contains(whole), "no route is tested by it: {out}");
    let (code, out, _) = shell.run(&["test", "all", "--json"]);
    let tried: Value = serde_json::from_str(&out).expect("JSON");
    assert!(code == 1 && tried["well"] == false && tried["dead_ends"][1] == whole, "{tried}");
    let (code, _, err) = shell.run(&["run", "--cycles", "3", "--speed", "max"]);
    assert!(code == 0 && err.contains(partly) && err.contains(whole), "{err}");
    shell.write("bellwether.toml", people);
    assert_eq!(shell.run(&["test", "all"]).0, 0, "the usual routes lead nowhere but where something is");
}

#[test]
fn while_the_bot_runs_the_drill_goes_through_it() {
    let scene = Scene::new();
    let mut bot = Talk::start(scene.command(&["run", "--speed", "real"]));
    bot.until("Started on sim");
    let (code, tried) = scene.tried();
    assert_eq!(code, 0, "{tried}");
    let ways: Vec<&str> =
        tried["ways"].as_array().expect("ways").iter().filter_map(|way| way["lane"].as_str()).collect();
    assert_eq!(ways, ["ana:terminal", "ana:telegram"]);
    bot.until("DRILL, not real");
    assert_eq!(scene.drills(), 1);
    // What it has told is told: setting up would read the same messages.
    let (code, _, err) = scene.run(&["setup"]);
    assert!(code == 1 && err.contains("is running"), "{err}");
    bot.kill();
}

/// A way that refuses everything rests: that the drill was not tried there yet is not what is wrong.
#[test]
fn beside_a_bot_with_a_wrong_token_the_token_is_named() {
    let scene = Scene::new();
    let mut wrong = scene.command(&["run", "--speed", "real"]);
    wrong.env("TELEGRAM_BOT_TOKEN", "123456:some-other-token");
    let mut bot = Talk::start(wrong);
    bot.until("Started on sim");
    while !scene.run(&["health"]).1.contains("lane ana:telegram: NOT WELL, dead") {}
    let (code, out, _) = scene.run(&["test", "ana:telegram"]);
    assert!(code == 1 && out.contains("this way is closed: Unauthorized"), "{out}");
    assert!(out.contains("hint: the token is not valid any more"), "{out}");
    bot.kill();
}

#[test]
fn whoever_asks_in_a_chat_is_told_there_what_became_of_it() {
    let mut life = TalkingBot::new(THREE);
    life.start();
    life.ask(ANA, ANA, "/test", "follows here within 20 s");
    life.wait("sendMessage", Some(ANA), "arrived on 3 of 3 ways", 1);
    let told = |part: &str| -> String {
        let seen = life.fake.seen(ANA);
        let texts = seen.iter().filter_map(|one| one["text"].as_str());
        texts.filter(|text| text.contains(part)).map(str::to_owned).next_back().expect("told")
    };
    let report = told("arrived on 3 of 3 ways");
    let own =
        report.lines().find(|line| line.starts_with("ana:telegram: arrived after ")).expect("a line for each way");
    assert!(own.ends_with("ms, as rich text, its clock agrees with ours"), "{report}");
    assert!(report.contains("bo:telegram: arrived") && report.contains("family:telegram: arrived"), "{report}");
    // A form that is refused is told as such.
    let refused = "Bad Request: can't parse entities: unsupported start tag";
    let fault = json!({ "method": "sendMessage", "chat": BO, "kind": "bad_request", "description": refused });
    life.fake.control("fault", &fault);
    life.fake.control("message", &json!({ "from": ANA, "text": "/test" }));
    life.wait("sendMessage", Some(ANA), "as bare text, since its form was refused", 1);
    // Whoever cannot be reached has a line with what to do.
    life.fake.control("join", &json!({ "from": BO, "action": "block", "quiet": true }));
    life.fake.control("message", &json!({ "from": ANA, "text": "/test" }));
    life.wait("sendMessage", Some(ANA), "arrived on 2 of 3 ways", 1);
    let report = told("arrived on 2 of 3 ways");
    assert!(report.contains("bo:telegram: not arrived, this way is closed"), "{report}");
    assert!(report.contains("bo opens the chat with the bot"), "{report}");
}
