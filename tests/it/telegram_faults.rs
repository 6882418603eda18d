//! Does the fake Telegram keep its queue, its waits and its faults as a bot meets them?

use serde_json::{Value, json};

use crate::support::telegram::{Fake, Rejected};
use crate::telegram_fake::{conforms, started};

const OWNER: i64 = 501;

fn send(fake: &Fake, text: &str) -> Result<Value, Rejected> {
    fake.call("sendMessage", &json!({ "chat_id": OWNER, "text": text }))
}

fn updates(fake: &Fake, params: &Value) -> Vec<i64> {
    let batch = fake.call("getUpdates", params).expect("updates");
    batch.as_array().into_iter().flatten().filter_map(|update| update["update_id"].as_i64()).collect()
}

fn say(fake: &Fake, text: &str) -> i64 {
    fake.control("message", &json!({ "from": OWNER, "text": text }))["update_id"].as_i64().expect("an update")
}

fn until_it_polls(fake: &Fake) {
    fake.control("wait", &json!({ "method": "getUpdates", "outcome": "pending" }));
}

#[test]
fn an_update_is_confirmed_by_a_higher_offset_only() {
    let fake = started();
    let ids: Vec<i64> = ["a", "b", "c", "d"].map(|text| say(&fake, text)).to_vec();
    assert_eq!(updates(&fake, &json!({})), ids);
    assert_eq!(updates(&fake, &json!({ "limit": 2 })), ids[..2]);
    assert_eq!(updates(&fake, &json!({ "offset": ids[1] })), ids[1..]);
    assert_eq!(updates(&fake, &json!({ "offset": 0 })), ids[1..]);
    assert_eq!(updates(&fake, &json!({ "offset": -2 })), ids[2..]);
    assert_eq!(updates(&fake, &json!({})), ids[2..]);
    fake.control("advance", &json!({ "ms": 24 * 3_600_000 }));
    assert!(updates(&fake, &json!({})).is_empty(), "kept for 24 hours");
    let only = json!({ "offset": ids[3] + 1, "allowed_updates": ["callback_query"] });
    assert!(updates(&fake, &only).is_empty());
    assert_eq!(fake.control("message", &json!({ "from": OWNER, "text": "unwanted" }))["update_id"], Value::Null);
    conforms(&fake);
}

#[test]
fn a_long_poll_ends_with_an_update_another_poll_or_a_webhook() {
    let fake = started();
    let poll = |from: &Fake| from.begin_call("getUpdates", &json!({ "timeout": 50 }));
    let waiting = poll(&fake);
    until_it_polls(&fake);
    let id = say(&fake, "hello");
    assert_eq!(Fake::end(waiting).expect("at once")[0]["update_id"], id);
    updates(&fake, &json!({ "offset": id + 1 }));
    let first = poll(&fake);
    until_it_polls(&fake);
    assert!(updates(&fake, &json!({})).is_empty());
    let ended = Fake::end(first).expect_err("terminated");
    assert!(ended.text().starts_with("Conflict: terminated by other getUpdates request"));
    fake.call("setWebhook", &json!({ "url": "https://example.com" })).expect("set");
    let refused = fake.call("getUpdates", &json!({})).expect_err("a webhook is set");
    assert!(refused.text().starts_with("Conflict: can't use getUpdates method while webhook is active"));
    conforms(&fake);
}

#[test]
fn a_press_is_answered_once_and_in_time() {
    let fake = started();
    let keyboard = json!({ "inline_keyboard": [[{ "text": "Halt", "callback_data": "h1" }]] });
    let sent = fake.call("sendMessage", &json!({ "chat_id": OWNER, "text": "x", "reply_markup": keyboard }));
    let message = sent.expect("sent")["message_id"].clone();
    let press = || {
        fake.control("press", &json!({ "from": OWNER, "message_id": message, "text": "Halt" }))["callback_query_id"]
            .clone()
    };
    let answer = |id: &Value| fake.call("answerCallbackQuery", &json!({ "callback_query_id": id, "text": "done" }));
    let first = press();
    answer(&first).expect("in time");
    let old = "Bad Request: query is too old and response timeout expired or query ID is invalid";
    assert_eq!(answer(&first).expect_err("twice").text(), old);
    let late = press();
    fake.control("advance", &json!({ "ms": 15_001 }));
    assert_eq!(answer(&late).expect_err("late").text(), old);
    let long = json!({ "callback_query_id": press(), "text": "x".repeat(201) });
    assert_eq!(fake.call("answerCallbackQuery", &long).expect_err("long").text(), "Bad Request: MESSAGE_TOO_LONG");
    conforms(&fake);
}

#[test]
fn flood_windows_are_exact_and_trespass_is_counted() {
    let fake = started();
    fake.control("settings", &json!({ "flood": true }));
    for _ in 0..5 {
        send(&fake, "burst").expect("the bucket holds five");
    }
    let refused = send(&fake, "one more").expect_err("429");
    assert_eq!((refused.text(), refused.retry_after()), ("Too Many Requests: retry after 1", Some(1)));
    assert_eq!(fake.violations(), 0, "the first 429 could not be known");
    fake.control("advance", &json!({ "ms": 999 }));
    send(&fake, "too early").expect_err("still forbidden");
    assert_eq!(fake.violations(), 1);
    fake.control("advance", &json!({ "ms": 1 }));
    send(&fake, "on time").expect("allowed");
    fake.control("group", &json!({ "chat": -9 }));
    let group = || fake.call("sendMessage", &json!({ "chat_id": -9, "text": "x" }));
    for _ in 0..20 {
        group().expect("twenty a minute");
    }
    assert_eq!(group().expect_err("429").retry_after(), Some(60));
    fake.control("advance", &json!({ "ms": 60_000 }));
    group().expect("a minute later");
    for person in 1..=29 {
        fake.control("join", &json!({ "from": person, "quiet": true }));
        fake.call("sendMessage", &json!({ "chat_id": person, "text": "x" })).expect("thirty a second");
    }
    assert_eq!(send(&fake, "the 31st").expect_err("429").retry_after(), Some(1));
    assert_eq!(fake.violations(), 1);
}

#[test]
fn a_throttle_is_honest_or_lies() {
    let fake = started();
    let throttle = |told: Value, kept: u64| {
        let fault = json!({ "kind": "throttle", "method": "sendMessage", "retry_after": told, "enforced_s": kept });
        fake.control("fault", &fault);
        send(&fake, "x").expect_err("429")
    };
    assert_eq!(throttle(json!(7), 7).retry_after(), Some(7));
    send(&fake, "inside").expect_err("kept");
    fake.control("advance", &json!({ "ms": 7_000 }));
    send(&fake, "after").expect("honest");
    assert_eq!(fake.violations(), 1);
    assert_eq!(throttle(json!(1), 3).retry_after(), Some(1));
    fake.control("advance", &json!({ "ms": 1_000 }));
    assert_eq!(send(&fake, "as told").expect_err("a lie").retry_after(), Some(1));
    assert_eq!(fake.violations(), 1, "it obeyed what it was told");
    fake.control("advance", &json!({ "ms": 2_000 }));
    send(&fake, "at last").expect("over");
    assert_eq!(throttle(Value::Null, 0).retry_after(), None);
}

#[test]
fn faults_break_the_answer_with_or_without_the_effect() {
    let fake = started();
    let fault = |fault: Value| drop(fake.control("fault", &fault));
    let broken = |text: &str| assert!(matches!(send(&fake, text), Err(Rejected::Unknown(_))), "{text}");
    fault(json!({ "kind": "refuse", "method": "sendMessage" }));
    broken("refused");
    fault(json!({ "kind": "reset_before", "times": 2, "chat": OWNER }));
    broken("lost");
    broken("lost again");
    for kind in ["reset_after", "cut_json"] {
        fault(json!({ "kind": kind, "method": "SendMessage" }));
        broken(kind);
    }
    fault(json!({ "kind": "status", "status": 503 }));
    broken("unavailable");
    fault(json!({ "kind": "status", "effect": true }));
    broken("bad gateway");
    fault(json!({ "kind": "slow", "bytes": 40, "ms": 1 }));
    send(&fake, "slow").expect("slow and whole");
    fault(json!({ "kind": "hang", "ms": 1, "effect": false }));
    broken("gateway timeout");
    fault(json!({ "kind": "bad_request", "description": "Bad Request: odd" }));
    assert_eq!(send(&fake, "odd").expect_err("scripted").text(), "Bad Request: odd");
    fault(json!({ "kind": "unauthorized", "times": 0 }));
    assert_eq!(send(&fake, "x").expect_err("scripted").text(), "Unauthorized");
    assert_eq!(send(&fake, "x").expect_err("until cleared").text(), "Unauthorized");
    fake.control("clear", &json!({}));
    send(&fake, "fine").expect("cleared");
    let texts: Vec<Value> = fake.seen(OWNER).iter().map(|message| message["text"].clone()).collect();
    assert_eq!(texts, ["reset_after", "cut_json", "bad gateway", "slow", "fine"]);
    let waited = fake.control("wait", &json!({ "text_contains": "reset_after" }));
    assert_eq!(waited["entries"][0]["outcome"]["fault"], "reset_after");
    conforms(&fake);
}

#[test]
fn batches_come_twice_again_backwards_or_with_garbage() {
    let fake = started();
    let (a, b) = (say(&fake, "a"), say(&fake, "b"));
    for (kind, wanted) in [("duplicate_update", vec![a, a, b, b]), ("disorder", vec![b, a])] {
        fake.control("fault", &json!({ "kind": kind }));
        assert_eq!(updates(&fake, &json!({})), wanted, "{kind}");
    }
    fake.control("fault", &json!({ "kind": "repeat_update" }));
    assert_eq!(updates(&fake, &json!({ "offset": b })), [a, b]);
    let garbage = fake.control("fault", &json!({ "kind": "garbage" }))["update_id"].clone();
    let batch = fake.call("getUpdates", &json!({ "offset": b })).expect("updates");
    assert_eq!((&batch[1]["update_id"], batch[1].get("message")), (&garbage, None));
}

#[test]
fn a_skewed_clock_shows_in_dates_and_nowhere_else() {
    let fake = started();
    let date = |text: &str| send(&fake, text).expect("sent")["date"].as_i64().expect("seconds");
    let before = date("before");
    fake.control("settings", &json!({ "clock_skew_s": -3600 }));
    assert_eq!(date("an hour behind"), before - 3600);
    let id = json!({ "chat_id": OWNER, "message_id": 1 });
    fake.call("deleteMessage", &id).expect("young by the true clock");
}

#[tokio::test]
async fn teloxide_reads_what_the_fake_answers() {
    use teloxide::payloads::{GetUpdatesSetters, SendMessageSetters};
    use teloxide::requests::Requester;
    use teloxide::types::{ChatId, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, ParseMode, UpdateKind};
    use teloxide::{ApiError, RequestError};
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fake = started();
    let bot = teloxide::Bot::new(Fake::token()).set_api_url(fake.url().parse().expect("an address"));
    let chat = ChatId(OWNER);
    assert!(bot.get_me().await.expect("me").user.is_bot);
    assert!(bot.get_chat(chat).await.expect("a chat").is_private());
    let keyboard = InlineKeyboardMarkup::new([[InlineKeyboardButton::callback("Go", "go")]]);
    let html = bot.send_message(chat, "<b>x</b> &lt;y").parse_mode(ParseMode::Html).reply_markup(keyboard);
    let sent = html.await.expect("sent");
    assert_eq!(sent.text(), Some("x <y"));
    let document = bot.send_document(chat, InputFile::memory("a,b").file_name("trades.csv")).await.expect("sent");
    assert_eq!(document.document().and_then(|document| document.file_name.as_deref()), Some("trades.csv"));
    let again = bot.edit_message_text(chat, document.id, "x").await.expect_err("no text");
    assert!(matches!(again, RequestError::Api(ApiError::Unknown(_))));
    let broken = bot.send_message(chat, "<b>").parse_mode(ParseMode::Html).await.expect_err("broken");
    assert!(matches!(broken, RequestError::Api(ApiError::CantParseEntities(_))));
    fake.control("press", &json!({ "from": OWNER, "message_id": sent.id.0, "data": "go" }));
    fake.control("fault", &json!({ "kind": "garbage" }));
    let updates = bot.get_updates().timeout(0).await.expect("updates");
    assert!(matches!(&updates[0].kind, UpdateKind::CallbackQuery(query) if query.data.as_deref() == Some("go")));
    assert!(matches!(updates[1].kind, UpdateKind::Error(_)));
    fake.control("fault", &json!({ "kind": "throttle", "retry_after": 30 }));
    let flood = bot.send_message(chat, "x").await.expect_err("429");
    assert!(matches!(flood, RequestError::RetryAfter(seconds) if seconds.seconds() == 30));
    conforms(&fake);
}
