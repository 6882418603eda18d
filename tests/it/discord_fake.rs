//! Does the fake Discord refuse what Discord refuses, and take what it takes?

use serde_json::{Value, json};

use crate::support::discord::{Fake, number};

const ANA: i64 = 501;
const COMMANDS: &str = "/applications/900000000000000002/commands";

/// A fake whose clock stands still, and the channel in which somebody is alone with the bot.
fn started() -> (Fake, i64) {
    let fake = Fake::start();
    fake.control("clock", &json!({ "stopped": true }));
    fake.control("settings", &json!({ "rates": false }));
    let dm = fake.join(ANA);
    (fake, dm)
}

/// The status and code of a call.
fn code(fake: &Fake, method: &str, path: &str, body: &Value) -> (u16, u64) {
    let (status, answer) = fake.call(method, path, body);
    (status, answer["code"].as_u64().unwrap_or_default())
}

#[test]
fn messages_keep_to_their_limits() {
    let (fake, dm) = started();
    let path = format!("/channels/{dm}/messages");
    let create = |body: &Value| code(&fake, "POST", &path, body);
    let button = |id: &str| json!({ "type": 2, "style": 2, "label": "x", "custom_id": id });
    let row = |parts: Vec<Value>| json!({ "content": "x", "components": [{ "type": 1, "components": parts }] });
    let embed = |embed: Value| json!({ "embeds": [embed] });
    for body in [
        json!({ "content": "x".repeat(2_001) }),
        json!({ "content": "😀".repeat(1_001) }),
        embed(json!({ "title": "x".repeat(257) })),
        embed(json!({ "description": "x".repeat(4_097) })),
        embed(json!({ "fields": vec![json!({ "name": "a", "value": "b" }); 26] })),
        embed(json!({ "fields": [{ "name": "a", "value": " " }] })),
        embed(json!({ "footer": { "text": "x".repeat(2_049) } })),
        embed(json!({ "title": "x", "image": { "url": "attachment://nothing.png" } })),
        json!({ "embeds": vec![json!({ "title": "x" }); 11] }),
        json!({ "embeds": [{ "description": "x".repeat(4_000) }, { "description": "x".repeat(2_001) }] }),
        row((0..6).map(|n| button(&n.to_string())).collect()),
        row(vec![button("same"), button("same")]),
        row(vec![button(&"x".repeat(101))]),
        row(Vec::new()),
        json!({ "content": "x", "nonce": "x".repeat(26) }),
        json!({ "content": "x", "flags": 64 }),
        json!({ "content": "x", "message_reference": { "message_id": "5" } }),
    ] {
        assert_eq!(create(&body), (400, 50_035), "{body}");
    }
    assert_eq!(create(&json!({ "content": "" })), (400, 50_006));
    assert_eq!(create(&json!({ "content": "😀".repeat(1_000), "nonce": "x".repeat(25) })).0, 200);
    assert_eq!(create(&row((0..5).map(|n| button(&n.to_string())).collect())).0, 200);
    assert_eq!(code(&fake, "POST", "/channels/5/messages", &json!({ "content": "x" })), (404, 10_003));
}

#[test]
fn a_nonce_is_known_for_three_minutes() {
    let (fake, dm) = started();
    let say = |nonce: &str, enforced: bool| {
        let body = json!({ "content": "x", "nonce": nonce, "enforce_nonce": enforced });
        fake.call("POST", &format!("/channels/{dm}/messages"), &body).1["id"].clone()
    };
    let first = say("a", true);
    assert_eq!(say("a", true), first);
    assert_ne!(say("b", true), first);
    assert_ne!(say("a", false), first, "it has to be asked for");
    fake.control("clock", &json!({ "advance_ms": 180_000 }));
    assert_ne!(say("a", true), first);
}

#[test]
fn an_interaction_has_one_first_response_in_time_and_of_its_kind() {
    let (fake, dm) = started();
    fake.call("PUT", COMMANDS, &json!([{ "name": "pnl", "description": "x" }]));
    let ask = || number(&fake.control("command", &json!({ "user": ANA, "path": ["pnl"] }))["id"]);
    let token = |id: i64| format!("aW50ZXJhY3Rpb24{}-{id}", id % 9973);
    let respond =
        |id: i64, body: Value| code(&fake, "POST", &format!("/interactions/{id}/{}/callback", token(id)), &body);
    let original = |id: i64, body: Value| {
        let path = format!("/webhooks/900000000000000002/{}/messages/@original", token(id));
        code(&fake, "PATCH", &path, &body)
    };
    let form = json!({ "type": 9, "data": { "title": "PIN", "custom_id": "pin 1", "components": [{ "type": 1,
        "components": [{ "type": 4, "custom_id": "pin", "label": "PIN", "style": 1, "min_length": 4 }] }] } });
    let id = ask();
    assert_eq!(original(id, json!({ "content": "x" })), (404, 10_015), "nothing was answered yet");
    assert_eq!(respond(id, json!({ "type": 5, "data": { "flags": 64, "content": "x" } })), (400, 50_035));
    assert_eq!(respond(id, json!({ "type": 5, "data": { "flags": 4 } })), (400, 50_035));
    assert_eq!(respond(id, json!({ "type": 6 })), (400, 50_035), "it was no press");
    assert_eq!(respond(id, json!({ "type": 8, "data": { "choices": [] } })), (400, 50_035));
    assert_eq!(respond(id, json!({ "type": 5, "data": { "flags": 64 } })), (204, 0));
    assert_eq!(respond(id, form.clone()), (400, 40_060), "no form after it was deferred");
    assert_eq!(original(id, json!({ "content": "x" })).0, 200);
    fake.control("clock", &json!({ "advance_ms": 15 * 60_000 + 1 }));
    assert_eq!(original(id, json!({ "content": "x" })), (401, 50_027), "its token is over");
    let late = ask();
    fake.control("clock", &json!({ "advance_ms": 3_001 }));
    assert_eq!(respond(late, json!({ "type": 5 })), (404, 10_062));
    let id = ask();
    let mut long = form.clone();
    long["data"]["title"] = json!("x".repeat(46));
    assert_eq!(respond(id, long), (400, 50_035));
    assert_eq!(respond(id, form.clone()), (204, 0));
    let short = json!({ "id": id.to_string(), "fields": { "pin": "1" } });
    assert!(fake.try_control("submit", &short).is_none(), "nobody can send less than four");
    let filled = fake.control("submit", &json!({ "id": id.to_string(), "fields": { "pin": "4711" } }));
    assert_eq!(respond(number(&filled["id"]), form), (400, 50_035), "no form answers a form");
    assert!(!fake.log().iter().any(|entry| entry["template"].as_str().is_some_and(|path| path.contains(&token(id)))));
    assert!(!fake.seen(dm, ANA).is_empty());
}

#[test]
fn commands_keep_to_their_limits() {
    let (fake, _) = started();
    let put = |commands: Value| code(&fake, "PUT", COMMANDS, &commands);
    let one = |change: Value| {
        let mut command = json!({ "name": "why", "description": "x" });
        change.as_object().into_iter().flatten().for_each(|(key, value)| command[key] = value.clone());
        command
    };
    let option = |name: &str| json!({ "type": 3, "name": name, "description": "x" });
    let long: Vec<Value> = (0..25)
        .map(|n| {
            json!({ "type": 3, "name": format!("o{n}"), "description": "x".repeat(100),
        "choices": (0..4).map(|c| json!({ "name": "y".repeat(60), "value": format!("{c}") })).collect::<Vec<_>>() })
        })
        .collect();
    for bad in [
        one(json!({ "name": "Why" })),
        one(json!({ "name": "x".repeat(33) })),
        one(json!({ "description": "x".repeat(101) })),
        one(json!({ "description": "" })),
        one(json!({ "options": (0..26).map(|n| option(&format!("o{n}"))).collect::<Vec<_>>() })),
        one(json!({ "options": [option("same"), option("same")] })),
        one(json!({ "options": [option("a"), { "type": 3, "name": "b", "description": "x", "required": true }] })),
        one(json!({ "options": [option("a"), { "type": 1, "name": "b", "description": "x" }] })),
        one(json!({ "options": long })),
    ] {
        assert_eq!(put(json!([bad])), (400, 50_035), "{bad}");
    }
    assert_eq!(put(json!([one(json!({})), one(json!({}))])), (400, 50_035), "two of a name");
    let many: Vec<Value> = (0..101).map(|n| json!({ "name": format!("c{n}"), "description": "x" })).collect();
    assert_eq!(put(json!(many)), (400, 30_032));
    assert_eq!(put(json!(many[..100])).0, 200);
    assert!(fake.try_control("command", &json!({ "user": ANA, "path": ["none"] })).is_none());
}

#[test]
fn limits_are_told_exactly_and_kept() {
    let (fake, dm) = started();
    fake.control("settings", &json!({ "rates": true, "limit": 2, "window_ms": 1_500 }));
    let say = || fake.call("POST", &format!("/channels/{dm}/messages"), &json!({ "content": "x" }));
    assert_eq!((say().0, say().0), (200, 200));
    fake.control("clock", &json!({ "advance_ms": 250 }));
    let (status, told) = say();
    assert_eq!((status, &told["retry_after"], &told["global"]), (429, &json!(1.25), &json!(false)));
    fake.control("clock", &json!({ "advance_ms": 1_249 }));
    assert_eq!((say().0, fake.violations()), (429, 1));
    fake.control("clock", &json!({ "advance_ms": 1 }));
    assert_eq!((say().0, fake.violations()), (200, 1));
    assert_eq!(fake.control("state", &json!({}))["invalid"], 2);
    assert_eq!(code(&fake, "GET", "/nothing", &Value::Null).0, 404);
}
