//! Does the fake Telegram refuse what Telegram refuses, and take what it takes?

use serde_json::{Value, json};

use crate::support::telegram::{Fake, Rejected, conformance};

const OWNER: i64 = 501;
const GROUP: i64 = -1_000_000_000_200;

/// A fake whose clock stands still, and a person who has started the bot.
pub(crate) fn started() -> Fake {
    let fake = Fake::start();
    fake.control("settings", &json!({ "clock": "stopped", "flood": false }));
    fake.control("join", &json!({ "from": OWNER, "quiet": true }));
    fake
}

/// Every request that was accepted or rejected for another reason than its shape fits the published description.
pub(crate) fn conforms(fake: &Fake) {
    let faults = conformance::check(&fake.log(0)).unwrap_or_default();
    assert!(faults.is_empty(), "{faults:#?}");
}

fn send(fake: &Fake, text: &str) -> Result<Value, Rejected> {
    fake.call("sendMessage", &json!({ "chat_id": OWNER, "text": text }))
}

fn refusal(answer: Result<Value, Rejected>) -> String {
    answer.expect_err("refused").text().to_owned()
}

/// Kind and covered text of each entity.
fn entities(message: &Value) -> Vec<(String, String)> {
    let units: Vec<u16> = message["text"].as_str().expect("text").encode_utf16().collect();
    let covered = |entity: &Value| {
        let from = entity["offset"].as_u64().expect("offset") as usize;
        let to = from + entity["length"].as_u64().expect("length") as usize;
        (entity["type"].as_str().expect("type").to_owned(), String::from_utf16_lossy(&units[from..to]))
    };
    message["entities"].as_array().map(|all| all.iter().map(covered).collect()).unwrap_or_default()
}

#[test]
fn a_text_has_1_to_4096_units_after_parsing() {
    let fake = started();
    assert_eq!(refusal(send(&fake, "  \n ")), "Bad Request: message text is empty");
    assert_eq!(refusal(send(&fake, &"x".repeat(4097))), "Bad Request: message is too long");
    assert_eq!(refusal(send(&fake, &"\u{1f600}".repeat(2049))), "Bad Request: message is too long");
    send(&fake, &"\u{1f600}".repeat(2048)).expect("4096 units");
    let marked = format!("<b>{}</b>&amp;", "x".repeat(4095));
    let sent = fake.call("sendMessage", &json!({ "chat_id": OWNER, "text": marked, "parse_mode": "HTML" }));
    assert_eq!(sent.expect("4096 visible")["text"].as_str().map(str::len), Some(4096));
    let edit = json!({ "chat_id": OWNER, "message_id": 1, "text": "x".repeat(4097) });
    assert_eq!(refusal(fake.call("editMessageText", &edit)), "Bad Request: MESSAGE_TOO_LONG");
    conforms(&fake);
}

#[test]
fn html_is_telegrams_subset() {
    let fake = started();
    let html = |text: &str| fake.call("sendMessage", &json!({ "chat_id": OWNER, "text": text, "parse_mode": "html" }));
    let good = "😀<b>b<i>i</i></b><tg-spoiler>s</tg-spoiler> <pre><code class=\"language-rs\">fn</code></pre>&nbsp;&#65;<blockquote expandable>q</blockquote>";
    let sent = html(good).expect("accepted");
    assert_eq!(sent["text"], "😀bis fn&nbsp;Aq");
    let kinds: Vec<(String, String)> = entities(&sent);
    let wanted = [("bold", "bi"), ("italic", "i"), ("spoiler", "s"), ("pre", "fn"), ("expandable_blockquote", "q")];
    assert_eq!(kinds, wanted.map(|(kind, text)| (kind.to_owned(), text.to_owned())));
    for (bad, why) in [
        ("<b>x", "Can't find end tag corresponding to start tag \"b\""),
        ("<b><i>x</b></i>", "Unmatched end tag at byte offset 7, expected \"</i>\", found \"</b>\""),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<h1>x</h1>", "Unsupported start tag \"h1\" at byte offset 0"),
        ("<span>x</span>", "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0"),
        ("1 <2", "Unclosed start tag at byte offset 2"),
    ] {
        assert_eq!(refusal(html(bad)), format!("Bad Request: can't parse entities: {why}"));
    }
    let dots = json!({ "chat_id": OWNER, "text": "1.5", "parse_mode": "MarkdownV2" });
    assert!(refusal(fake.call("sendMessage", &dots)).contains("Character '.' is reserved and must be escaped"));
    let beyond = json!({ "chat_id": OWNER, "text": "ab", "entities": [{ "type": "bold", "offset": 1, "length": 2 }] });
    assert!(refusal(fake.call("sendMessage", &beyond)).contains("ends after the end of the text"));
    let halved = json!({ "chat_id": OWNER, "text": "😀", "entities": [{ "type": "bold", "offset": 1, "length": 1 }] });
    assert!(refusal(fake.call("sendMessage", &halved)).contains("in a middle of a UTF-16 symbol"));
    conforms(&fake);
}

#[test]
fn plain_text_mentions_and_links_by_itself_but_not_in_code() {
    let fake = started();
    let text = "@some_body, see https://a.example.com/x?y=1. or evil.com/a, not.a.tldx file.Rs #tag $BTC /halt@the_bot me@mail.org +1 202 555 0123 a/b 3.14";
    let found = entities(&send(&fake, text).expect("accepted"));
    let wanted = [
        ("mention", "@some_body"),
        ("url", "https://a.example.com/x?y=1"),
        ("url", "evil.com/a"),
        ("hashtag", "#tag"),
        ("cashtag", "$BTC"),
        ("bot_command", "/halt@the_bot"),
        ("email", "me@mail.org"),
        ("phone_number", "+1 202 555 0123"),
    ];
    assert_eq!(found, wanted.map(|(kind, text)| (kind.to_owned(), text.to_owned())));
    let code = json!({ "chat_id": OWNER, "text": "<code>@some_body evil.com</code>", "parse_mode": "HTML" });
    assert_eq!(entities(&fake.call("sendMessage", &code).expect("accepted")).len(), 1);
    conforms(&fake);
}

#[test]
fn keyboards_keep_their_limits() {
    let fake = started();
    let with = |rows: Value| {
        fake.call("sendMessage", &json!({ "chat_id": OWNER, "text": "x", "reply_markup": { "inline_keyboard": rows } }))
    };
    let button = |data: &str| json!({ "text": "go", "callback_data": data });
    with(json!([[button(&"é".repeat(32))]])).expect("64 bytes");
    assert_eq!(refusal(with(json!([[button(&"é".repeat(33))]]))), "Bad Request: BUTTON_DATA_INVALID");
    assert_eq!(refusal(with(json!([[button("")]]))), "Bad Request: BUTTON_DATA_INVALID");
    assert!(refusal(with(json!([[{ "text": "go" }]]))).contains("Text buttons are unallowed"));
    assert!(refusal(with(json!([[{ "text": "", "callback_data": "x" }]]))).contains("must be non-empty"));
    assert_eq!(refusal(with(json!([vec![button("x"); 9]]))), "Bad Request: reply markup is too long");
    with(json!(vec![vec![button("x"); 8]; 12])).expect("96 buttons");
    assert_eq!(refusal(with(json!(vec![vec![button("x"); 8]; 13]))), "Bad Request: reply markup is too long");
    let copy = json!([[{ "text": "copy", "copy_text": { "text": "x".repeat(257) } }]]);
    assert_eq!(refusal(with(copy)), "Bad Request: BUTTON_COPY_TEXT_INVALID");
    conforms(&fake);
}

#[test]
fn only_what_is_there_is_edited_replied_to_or_deleted() {
    let fake = started();
    let id = |method: &str, id: i64| fake.call(method, &json!({ "chat_id": OWNER, "message_id": id, "text": "new" }));
    let theirs = fake.control("message", &json!({ "from": OWNER, "text": "1234" }))["message_id"].as_i64().expect("id");
    let ours = send(&fake, "old").expect("sent")["message_id"].as_i64().expect("id");
    assert_eq!(ours, theirs + 1);
    assert_eq!(refusal(id("editMessageText", theirs)), "Bad Request: message can't be edited");
    assert_eq!(refusal(id("editMessageText", 99)), "Bad Request: message to edit not found");
    id("editMessageText", ours).expect("edited");
    assert!(refusal(id("editMessageText", ours)).starts_with("Bad Request: message is not modified: specified new"));
    let reply = |id: i64, without: bool| {
        let to = json!({ "message_id": id, "allow_sending_without_reply": without });
        fake.call("sendMessage", &json!({ "chat_id": OWNER, "text": "r", "reply_parameters": to }))
    };
    assert_eq!(refusal(reply(99, false)), "Bad Request: message to be replied not found");
    assert!(reply(99, true).expect("sent").get("reply_to_message").is_none());
    assert_eq!(reply(ours, false).expect("sent")["reply_to_message"]["text"], "new");
    let delete = |id: i64| fake.call("deleteMessage", &json!({ "chat_id": OWNER, "message_id": id }));
    delete(theirs).expect("a typed PIN can be removed in a private chat");
    assert_eq!(refusal(delete(theirs)), "Bad Request: message to delete not found");
    fake.control("advance", &json!({ "ms": 48 * 3_600_000 }));
    assert_eq!(refusal(delete(ours)), "Bad Request: message can't be deleted");
    fake.control("group", &json!({ "chat": GROUP }));
    let other = fake.control("message", &json!({ "chat": GROUP, "from": OWNER, "text": "hi" }))["message_id"].clone();
    let in_group = fake.call("deleteMessage", &json!({ "chat_id": GROUP, "message_id": other }));
    assert_eq!(refusal(in_group), "Bad Request: message can't be deleted");
    assert_eq!(fake.seen(OWNER).iter().map(|message| message["edits"].clone()).collect::<Vec<_>>(), [1, 0, 0]);
}

#[test]
fn pictures_and_files_are_looked_into() {
    let fake = started();
    let picture = |width: u32, height: u32| {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Grayscale);
        let grey = vec![7; (width * height) as usize];
        encoder.write_header().and_then(|mut writer| writer.write_image_data(&grey)).expect("a picture");
        bytes
    };
    let photo = |bytes: &[u8]| fake.upload("sendPhoto", &json!({ "chat_id": OWNER, "caption": "c" }), "photo", bytes);
    assert_eq!(photo(&picture(40, 30)).expect("sent")["photo"][1]["width"], 40);
    assert_eq!(refusal(photo(b"no picture")), "Bad Request: IMAGE_PROCESS_FAILED");
    assert_eq!(refusal(photo(&picture(21, 1))), "Bad Request: PHOTO_INVALID_DIMENSIONS");
    assert_eq!(refusal(photo(&picture(9_000, 1_001))), "Bad Request: PHOTO_INVALID_DIMENSIONS");
    assert!(refusal(photo(&vec![0; 10 * 1024 * 1024 + 1])).contains("too big for a photo"));
    let long = fake.upload("sendDocument", &json!({ "chat_id": OWNER, "caption": "c".repeat(1025) }), "document", b"x");
    assert_eq!(refusal(long), "Bad Request: message caption is too long");
    let large = fake.upload("sendDocument", &json!({ "chat_id": OWNER }), "document", &vec![0; 50 * 1024 * 1024 + 1]);
    assert_eq!(refusal(large), "Request Entity Too Large");
    let item = json!({ "type": "document", "media": "attach://one" });
    let album =
        |items: Vec<Value>| fake.upload("sendMediaGroup", &json!({ "chat_id": OWNER, "media": items }), "one", b"x");
    assert_eq!(album(vec![item.clone(); 2]).expect("sent").as_array().map(Vec::len), Some(2));
    assert!(refusal(album(vec![item.clone()])).contains("messages to send as an album"));
    assert!(refusal(album(vec![item.clone(); 11])).contains("too many messages to send as an album"));
    let mixed = vec![item, json!({ "type": "photo", "media": "attach://one" })];
    assert!(refusal(album(mixed)).contains("can't be mixed with other media types"));
    conforms(&fake);
}

#[test]
fn nobody_is_written_to_who_does_not_want_it() {
    let fake = started();
    let to = |chat: i64| fake.call("sendMessage", &json!({ "chat_id": chat, "text": "x" }));
    assert_eq!(refusal(to(777)), "Bad Request: chat not found");
    fake.control("join", &json!({ "from": 777, "action": "know" }));
    assert_eq!(refusal(to(777)), "Forbidden: bot can't initiate conversation with a user");
    fake.control("join", &json!({ "from": OWNER, "action": "block" }));
    assert_eq!(refusal(to(OWNER)), "Forbidden: bot was blocked by the user");
    fake.control("join", &json!({ "from": OWNER, "action": "deactivate" }));
    assert_eq!(refusal(to(OWNER)), "Forbidden: user is deactivated");
    fake.control("group", &json!({ "chat": -5, "title": "Desk" }));
    fake.control("migrate", &json!({ "chat": -5, "to": GROUP }));
    let moved = to(-5).expect_err("moved");
    assert_eq!(moved.text(), "Bad Request: group chat was upgraded to a supergroup chat");
    assert!(matches!(moved, Rejected::Api { parameters, .. } if parameters["migrate_to_chat_id"] == GROUP));
    fake.control("join", &json!({ "from": OWNER, "chat": GROUP, "action": "kick" }));
    assert_eq!(refusal(to(GROUP)), "Forbidden: bot was kicked from the supergroup chat");
    fake.control("group", &json!({ "chat": -1_000_000_000_201_i64, "forum": true, "topics": ["Trades"] }));
    let lost = json!({ "chat_id": -1_000_000_000_201_i64, "text": "x", "message_thread_id": 99 });
    assert_eq!(refusal(fake.call("sendMessage", &lost)), "Bad Request: message thread not found");
    assert_eq!(refusal(fake.call("sendTelegram", &json!({}))), "Not Found: method not found");
}

/// The characters that mean something somewhere, and some that are long.
const HOSTILE: &str = "[<>&;/a-c=\"'_*~`|\\[\\](){}!.#$@+:0-9 \n\\\\é😀\u{0}\u{202e}-]{0,60}";

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn hostile_texts_are_answered_and_escaped_ones_are_shown(texts in proptest::collection::vec(HOSTILE, 8)) {
        let fake = started();
        for text in texts {
            for mode in ["HTML", "MarkdownV2", ""] {
                let params = json!({ "chat_id": OWNER, "text": text, "parse_mode": mode });
                match fake.call("sendMessage", &params) {
                    Ok(message) => drop(entities(&message)),
                    Err(refused) => assert!(refused.text().starts_with("Bad Request: "), "{text:?}: {refused:?}"),
                }
            }
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let shown = fake.call("sendMessage", &json!({ "chat_id": OWNER, "text": escaped, "parse_mode": "HTML" }));
            let plain = send(&fake, &text);
            assert_eq!(shown.map(|message| message["text"].clone()), plain.map(|message| message["text"].clone()));
        }
    }
}

#[test]
fn the_published_description_tells_a_wrong_request() {
    let fake = started();
    let log_of = |params: Value| {
        let before = fake.log(0).len() as u64;
        let _ = fake.call("sendMessage", &params);
        fake.log(before)
    };
    let wrong = [
        (json!({ "chat_id": OWNER, "text": "x", "silent": true }), "no field silent"),
        (json!({ "chat_id": OWNER }), "text is missing"),
        (json!({ "chat_id": OWNER, "text": "x", "protect_content": "yes" }), "protect_content is \"yes\""),
        (json!({ "chat_id": OWNER, "text": "x", "reply_markup": { "inline_keyboard": [[{}]] } }), "reply_markup is"),
    ];
    for (params, why) in wrong {
        let Some(faults) = conformance::check(&log_of(params)) else { return };
        assert!(faults.len() == 1 && faults[0].contains(why), "{faults:?}");
    }
}

#[test]
fn in_a_group_the_bot_hears_what_is_meant_for_it() {
    let fake = started();
    fake.control("group", &json!({ "chat": GROUP }));
    let say = |text: &str| {
        fake.control("message", &json!({ "chat": GROUP, "from": OWNER, "text": text }))["update_id"].clone()
    };
    assert_eq!(say("not for you"), Value::Null);
    assert!(say("/status").is_i64());
    fake.control("settings", &json!({ "privacy": false }));
    assert!(say("for everybody").is_i64());
}

#[test]
fn commands_keep_their_limits() {
    let fake = started();
    let set = |commands: Value| fake.call("setMyCommands", &json!({ "commands": commands }));
    let command = |name: &str, description: &str| json!({ "command": name, "description": description });
    set(json!([command("halt", "Stop")])).expect("set");
    assert_eq!(fake.call("GetMyCommands", &json!({})).expect("read"), json!([command("halt", "Stop")]));
    for name in ["", "Halt", "stop-now", &"x".repeat(33)] {
        assert_eq!(refusal(set(json!([command(name, "Stop")]))), "Bad Request: BOT_COMMAND_INVALID");
    }
    assert!(refusal(set(json!([command("halt", &"x".repeat(257))]))).contains("DESCRIPTION_INVALID"));
    let many: Vec<Value> = (0..101).map(|number| command(&format!("c{number}"), "d")).collect();
    assert_eq!(refusal(set(json!(many))), "Bad Request: BOT_COMMANDS_TOO_MUCH");
    conforms(&fake);
}
