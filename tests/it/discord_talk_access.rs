//! Who is let in on Discord, where, and who is not any more.

use bellwether::domain::ChannelKind;
use serde_json::json;

use crate::support::discord::number;
use crate::support::discord_talking::{ANA, BO, CAT, DiscordBot, ELSEWHERE, FAMILY, PEOPLE, PIN, STRANGER, THREAD};

/// A stranger's messages are counted once nothing of theirs waits any more.
fn counted(life: &DiscordBot, user: i64, want: u64) {
    let known = || {
        let all = life.reader().strangers(ChannelKind::Discord).expect("reads");
        all.into_iter().find(|(one, ..)| *one == user).map_or(0, |(_, messages, _)| messages)
    };
    while known() < want {}
    assert_eq!(known(), want);
}

#[test]
fn strangers_and_other_channels_get_no_answer_at_all() {
    let mut life = DiscordBot::new(PEOPLE);
    life.start();
    let told = life.fake.calls("create_message").len();
    let given = [
        life.give(STRANGER, None, "portfolio status", json!({})),
        life.give(STRANGER, Some(FAMILY), "halt", json!({})),
        // Ana is known, and that channel is nobody's.
        life.give(ANA, Some(ELSEWHERE), "portfolio status", json!({})),
    ];
    life.fake.control("write", &json!({ "user": STRANGER, "text": "stop" }));
    counted(&life, STRANGER, 3);
    counted(&life, ANA, 1);
    let asked = json!({ "user": STRANGER, "path": ["risk", "limits"], "options": { "book": "m" }, "focused": "book" });
    let completing = number(&life.fake.control("complete", &asked)["id"]);
    life.ask(ANA, None, "portfolio status", json!({}), "main is running");
    for id in given.into_iter().chain([completing]) {
        assert_eq!(life.interaction(id)["response"], json!(null));
    }
    assert_eq!(life.fake.calls("create_message").len(), told);
    counted(&life, STRANGER, 3);
}

#[test]
fn in_a_server_answers_are_seen_by_their_asker_alone_and_operators_may_do_everything() {
    let mut life = DiscordBot::new(PEOPLE);
    life.start();
    for channel in [FAMILY, THREAD] {
        let answer = life.ask(ANA, Some(channel), "portfolio status", json!({}), "Equity");
        assert_eq!(answer["flags"].as_u64().map(|flags| flags & 64), Some(64), "{answer}");
    }
    let seen = |user| life.fake.seen(FAMILY, user).len();
    assert_eq!((seen(ANA), seen(BO)), (1, 0));
    // A viewer stays one, there and alone.
    life.ask(BO, Some(FAMILY), "halt", json!({}), "not for viewers");
    life.ask(BO, None, "control resume", json!({}), "not for viewers");
    life.ask(ANA, Some(FAMILY), "control halt", json!({}), "halted");
    life.ask(ANA, Some(THREAD), "control resume", json!({}), "needs your PIN, and none is set");
}

#[test]
fn a_code_binds_whoever_sends_it_alone_and_lets_the_account_go() {
    let mut life = DiscordBot::new(PEOPLE);
    life.start();
    let said = life.shell(&["pair", "cat"]);
    let code = said.lines().find_map(|line| line.trim().strip_prefix("/pair ")).expect("a code").to_owned();
    life.fake.control("write", &json!({ "user": CAT, "text": "/messages pair K7QX-2M9D" }));
    counted(&life, CAT, 1);
    // As it is named there.
    life.write(CAT, &format!("/messages pair code:{code}"), "Paired: this chat is cat's now");
    life.ask(CAT, None, "portfolio status", json!({}), "main is running");
    life.write(CAT, "/pair K7QX-2M9D", "That code is not valid");
    let left = life.left_behind();
    let holds = |secret: &str| left.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!holds(&code) && !holds("K7QX"), "codes stay nowhere");
}

#[test]
fn what_an_edited_file_takes_away_is_gone_at_once() {
    let mut life = DiscordBot::new(PEOPLE);
    life.start();
    life.ask(BO, None, "portfolio status", json!({}), "main is running");
    let (bo, cat) = (PEOPLE.find("[[people]]\nname = \"bo\""), PEOPLE.find("[[people]]\nname = \"cat\""));
    let (bo, cat) = (bo.expect("there"), cat.expect("there"));
    let edited = format!("{}{}", &PEOPLE[..bo], &PEOPLE[cat..])
        .replace("\"owner\"", "\"viewer\"")
        .replace("\"operator\"", "\"owner\"");
    life.shell.write("bellwether.toml", &edited);
    let log = || std::fs::read_to_string(life.shell.path().join("log")).expect("reads");
    while !log().contains("takes rights away") {}
    // Somebody who is a viewer from now on is heard as one; who is gone is a stranger.
    loop {
        let after = life.mark();
        life.give(ANA, None, "control resume", json!({}));
        if life.wait_after(after, "edit_original", "\"description\"").to_string().contains("not for viewers") {
            break;
        }
    }
    let id = life.give(BO, None, "portfolio status", json!({}));
    counted(&life, BO, 1);
    assert_eq!(life.interaction(id)["response"], json!(null));
}

#[test]
fn where_a_person_has_a_channel_private_answers_stay_out_of_it() {
    let config = PEOPLE.replace("{ user = 501 }", "{ user = 501, channel = 9002 }");
    let mut life = DiscordBot::new(&config);
    life.start();
    life.set_pin();
    let alone = life.fake.join(ANA);
    life.write(ANA, "/status", "main is running");
    // A change that is asked for alone is confirmed alone.
    life.write(ANA, "/book pause main", "Valid for 60 s");
    let seen = life.fake.seen(alone, ANA);
    let shown = seen.iter().find(|one| one.to_string().contains("Valid for 60 s"));
    let pressed = life.press(ANA, shown.unwrap_or_else(|| panic!("{seen:#?}")), "Confirm");
    let after = life.mark();
    life.submit(pressed, PIN, "Accepted");
    life.wait_after(after, "follow_up", "paused");
    // Without a first response there is no token to answer by.
    let after = life.mark();
    life.fake.control("fault", &json!({ "kind": "status", "method": "callback", "status": 500 }));
    life.give(ANA, Some(ELSEWHERE), "portfolio books", json!({}));
    let told = life.wait_after(after, "create_message", "paused");
    assert!(told.to_string().contains(&alone.to_string()), "{told}");
    let seen = json!(life.fake.seen(ELSEWHERE, BO)).to_string();
    assert!(["Valid for", "main is running", "paper"].iter().all(|part| !seen.contains(part)), "{seen}");
}

#[test]
fn a_lane_that_is_dead_holds_no_answer_up_that_goes_by_its_token() {
    let mut life = DiscordBot::new(PEOPLE);
    life.start();
    // Nor is anything shown to them that is not sent, by which it is asked whether they are there again.
    for method in ["create_message", "typing"] {
        let refusal = json!({ "kind": "refusal", "method": method, "status": 403, "code": 50007, "times": 0,
            "message": "Cannot send messages to this user" });
        life.fake.control("fault", &refusal);
    }
    // The alarm waits on the lane, and is critical.
    life.ask(ANA, None, "halt", json!({}), "halted");
    let told = |kind| life.reader().journal_text().expect("reads").to_lowercase().replace('_', "").contains(kind);
    while !told("lanedied") {}
    for _ in 0..3 {
        life.ask(ANA, None, "portfolio status", json!({}), "main is");
    }
    assert!(!told("lanerecovered"), "what went by a token says nothing about the lane");
    life.fake.control("clear", &json!({}));
}

#[test]
fn whoever_cannot_be_written_to_is_a_dead_way_that_is_told_elsewhere_until_they_can() {
    let mut life = DiscordBot::new(PEOPLE);
    let refusal = json!({ "kind": "refusal", "method": "open_dm", "status": 401, "code": 0, "times": 0,
        "message": "401: Unauthorized" });
    life.fake.control("fault", &refusal);
    let tested = life.shell(&["test", "all"]);
    assert!(tested.contains("ana:discord") && tested.contains("DISCORD_BOT_TOKEN"), "{tested}");
    life.start();
    let mail = || {
        let files = std::fs::read_dir(life.shell.path().join("mail")).into_iter().flatten().filter_map(Result::ok);
        files.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default()).collect::<String>()
    };
    while !mail().contains("Nothing reaches ana:discord") {}
    life.fake.control("clear", &json!({}));
    life.wait_after(0, "create_message", "Started");
}

#[test]
fn words_to_the_bot_alone_are_read_like_typed_lines() {
    let mut life = DiscordBot::new(PEOPLE);
    life.start();
    life.write(ANA, "/status", "main is running");
    life.write(ANA, "284691", "Discord does not let me remove it");
    life.write(ANA, "/frobnicate", "there is no /frobnicate");
    life.write(ANA, "stop!", "halted");
    life.wait_after(0, "create_message", "HALTED main");
    let alone = life.fake.seen(life.fake.join(ANA), ANA);
    let halted = alone.iter().find(|message| message.to_string().contains("HALTED main"));
    let halted = halted.unwrap_or_else(|| panic!("{alone:#?}"));
    let after = life.mark();
    life.fake.control("write", &json!({ "user": ANA, "text": "ok", "reply_to": halted["id"] }));
    life.wait_after(after, "create_message", "acknowledged");
    let text = "stop";
    let forwarded = json!({ "user": BO, "text": text, "reply_to": halted["id"], "forward": true });
    let after = life.mark();
    life.fake.control("write", &forwarded);
    life.wait_after(after, "create_message", "What others wrote is no command of yours");
    let left = life.left_behind();
    assert!(!left.windows(6).any(|window| window == b"284691"), "a PIN stays nowhere");
}
