//! Every command has an example that runs, wherever it is offered: in a running bot that holds something, typed as it stands in the table.

use bellwether::chat::{AT_TOP, COMMANDS, Command, asked, grouped_line, parse};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support::discord_talking::{self, DiscordBot};
use crate::support::talking::{self, TalkingBot};
use crate::support::texting::Texting;
use crate::support::twilio::PHONE;
use crate::support::{Shell, Talk};

/// What begins an answer that is none.
const FAULTS: [&str; 8] = [
    "use /",
    "there is no /",
    "commands begin with",
    "no answer now",
    "that is longer",
    "nothing has run",
    "the engine is not running",
    "unexpected answer",
];
/// A line whose answer ends what was said before.
const NEXT: &str = "/help trace";
const NEXT_SAID: &str = "For example /trace N1";

/// Trades, messages and positions, and a PIN for whoever owns it.
fn lived(shell: &Shell) {
    let (code, _, err) = shell.run(&["run", "--cycles", "400", "--speed", "max"]);
    assert_eq!(code, 0, "{err}");
    let (_, held, _) = shell.run(&["command", "/positions"]);
    assert!(held.lines().count() > 1, "something is held: {held}");
}

fn is_answer(example: &str, said: &str) {
    let said = said.trim().trim_start_matches("error: ");
    assert!(!said.is_empty(), "{example}: nothing");
    let fault = FAULTS.into_iter().find(|fault| said.starts_with(fault));
    assert_eq!(fault, None, "{example}: {said}");
    assert!(!said.contains("means nothing") && !said.contains("did you mean"), "{example}: {said}");
}

#[test]
fn every_example_runs_in_the_shell() {
    let mut life = TalkingBot::new(talking::PEOPLE);
    lived(&life.shell);
    life.start();
    life.set_pin();
    for command in COMMANDS {
        let said = life.shell(&["command", command.example], "");
        is_answer(command.example, &said);
    }
}

#[test]
fn every_example_runs_in_the_terminal() {
    let shell = Shell::new();
    lived(&shell);
    let mut talk = Talk::start(shell.command(&["run", "--speed", "60"]));
    talk.until("Started on");
    for command in COMMANDS {
        // Where a PIN is asked for, the next command is what is typed instead of it.
        talk.say(command.example);
        talk.say(NEXT);
        let said = talk.until(NEXT_SAID);
        // News may come in between.
        assert!(
            FAULTS.iter().all(|fault| !said.lines().any(|line| line.starts_with(fault))),
            "{}: {said}",
            command.example
        );
        assert!(said.lines().count() > 3 || command.name == "trace", "{}: {said}", command.example);
    }
    talk.kill();
}

/// Ana hears the news by mail: on Telegram comes what she asked for, and what is critical.
fn by_mail(people: &str) -> String {
    people
        .replace("role = \"owner\"\n", "role = \"owner\"\nemail = \"ana@example.org\"\n")
        .replace("ana:telegram", "ana:email")
}

#[test]
fn every_example_runs_on_telegram_and_what_is_missing_is_a_button() {
    let mut life = TalkingBot::new(&by_mail(talking::PEOPLE));
    lived(&life.shell);
    life.start();
    life.set_pin();
    for command in COMMANDS {
        let after = life.mark();
        let ana = json!({ "from": talking::ANA, "chat": talking::ANA, "text": command.example });
        life.fake.control("message", &ana);
        is_answer(command.example, &sent_after(&life, after, ""));
    }
    let after = life.mark();
    life.fake.control("message", &json!({ "from": talking::ANA, "chat": talking::ANA, "text": "/whynot" }));
    sent_after(&life, after, "/whynot SYMBOL: The symbol?");
    let message = life.last(talking::ANA);
    let first = message["buttons"][0][0]["text"].as_str().expect("a button").to_owned();
    let after = life.mark();
    let press = json!({ "from": talking::ANA, "message_id": message["message_id"], "text": first });
    life.fake.control("press", &press);
    let said = sent_after(&life, after, &first);
    assert!(FAULTS.iter().all(|fault| !said.starts_with(fault)), "{first}: {said}");
    let after = life.mark();
    life.fake.control("message", &json!({ "from": talking::ANA, "chat": talking::ANA, "text": "#" }));
    sent_after(&life, after, "What now?");
    let buttons = life.last(talking::ANA)["buttons"].to_string();
    assert!(buttons.contains("emergency-stop"), "{buttons}");
}

/// The text of the next message with this part that the bot sends, or of what it sends with a file. What became of a drill comes when it does.
fn sent_after(life: &TalkingBot, after: u64, part: &str) -> String {
    for _ in 0..5_000 {
        for entry in life.fake.log(after) {
            let method = entry["method"].as_str().unwrap_or_default();
            if matches!(method, "sendMessage" | "sendPhoto" | "sendDocument") {
                let (text, caption) = (&entry["params"]["text"], &entry["params"]["caption"]);
                let said = text.as_str().or(caption.as_str()).unwrap_or("a file");
                if said.contains(part) && !said.contains("Drill N") {
                    return said.to_owned();
                }
            }
        }
        // Starting a program is wait enough.
        life.shell(&["--version"], "");
    }
    panic!("no answer");
}

/// A line as Discord gives it: the path of the command, and what fills its places by their names.
fn given(command: &Command, line: &str) -> (String, Value) {
    let path =
        if command.name == AT_TOP { AT_TOP.to_owned() } else { format!("{} {}", command.group.name(), command.name) };
    let words = line.split_once(' ').map_or("", |(_, words)| words);
    let places = command.params.iter().zip(words.splitn(command.params.len().max(1), ' '));
    let options: Map<String, Value> =
        places.filter(|(_, word)| !word.is_empty()).map(|(param, word)| (param.name.to_owned(), json!(word))).collect();
    (path, Value::Object(options))
}

#[test]
fn every_example_runs_on_discord_and_what_is_missing_is_a_button() {
    let mut life = DiscordBot::new(discord_talking::PEOPLE);
    lived(&life.shell);
    life.start();
    life.set_pin();
    for command in COMMANDS {
        let (path, options) = given(command, &typed(command));
        let answer = life.ask(discord_talking::ANA, None, &path, options, "");
        is_answer(command.example, &words_of(&answer));
    }
    let after = life.mark();
    life.write(discord_talking::ANA, "/whynot", "SYMBOL: The symbol?");
    let sent = life.wait_after(after, "create_message", "SYMBOL: The symbol?");
    let (shown, labels) = (sent.to_string(), ["AAPL", "MSFT"]);
    assert!(labels.iter().any(|label| shown.contains(label)), "{shown}");
}

/// The example with its name in one word, as platforms have it.
fn typed(command: &Command) -> String {
    command.example.replacen(&command.spoken(), command.name, 1)
}

/// Everything that a message of Discord shows.
fn words_of(message: &Value) -> String {
    let content = message["content"].as_str().unwrap_or_default();
    let embeds = message["embeds"].as_array().into_iter().flatten();
    let embeds: Vec<&str> =
        embeds.filter_map(|embed| embed["description"].as_str().or(embed["title"].as_str())).collect();
    let files = message["attachments"].as_array().is_some_and(|files| !files.is_empty());
    format!("{content}{}{}", embeds.join("\n"), if files { " with a file" } else { "" })
}

#[test]
fn every_example_that_reaches_a_phone_runs_there() {
    let mut life = Texting::new();
    lived(&life.shell);
    life.start();
    life.set_pin();
    for (line, part) in [
        ("/status", "exposure"),
        ("/ack", "acknowledge"),
        ("/halt", "HALTED main"),
        ("/resume", "within 5 min"),
        ("#emergency-stop", "halted"),
    ] {
        let said = life.ask(PHONE, line, part);
        is_answer(line, &said);
    }
}

/// What each platform makes of a line before it is read: nothing, the bot's name behind the command, the path of the command, a word for a dash.
fn readings(line: &str) -> [String; 4] {
    let (name, words) = line.split_once(' ').map_or((line, String::new()), |(name, words)| (name, format!(" {words}")));
    [
        line.to_owned(),
        format!("{name}@my_bot{words}"),
        grouped_line(line),
        format!("  {}{words}  ", name.to_uppercase()),
    ]
}

fn read(line: &str) -> String {
    match parse(line) {
        Ok(parsed) => format!("{} {:?}", parsed.command.name, parsed.args),
        Err(_) => asked(line).map_or_else(String::new, |asked| format!("{} misses something", asked.command.name)),
    }
}

#[test]
fn the_same_line_is_the_same_everywhere() {
    for command in COMMANDS {
        let line = typed(command);
        let want = read(&line);
        assert!(want.starts_with(command.name), "{line}: {want}");
        for reading in readings(&line).into_iter().chain([command.example.to_owned()]) {
            assert_eq!(read(&reading), want, "{reading}");
        }
    }
}

proptest! {
    #[test]
    fn whatever_stands_behind_a_command_is_the_same_everywhere(
        which in 0..COMMANDS.len(),
        words in proptest::collection::vec("[A-Za-z0-9%>.,-]{1,8}", 0..6),
    ) {
        let command = &COMMANDS[which];
        let line = format!("/{} {}", command.name, words.join(" ")).trim_end().to_owned();
        let want = read(&line);
        // On Discord there is no place for more than a command takes.
        let fits = parse(&line).is_ok();
        for reading in readings(&line).iter().filter(|_| fits) {
            prop_assert_eq!(read(reading), want.as_str(), "{}", reading);
        }
    }
}
