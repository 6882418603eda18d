//! The gateway: what is heard, how it is taken up again, and how seldom a session is begun.

use std::sync::{Arc, Mutex};

use bellwether::channels::{Gateway, GatewayEvent, GatewayMemory, Overheard, OverheardKind};
use bellwether::clock::{Clock, SystemClock};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::discord_client::{ANA, discord};
use crate::support::discord::{Fake, number};

const SERVER_CHANNEL: i64 = 700;

/// What is kept from one run to the next.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Option<String>>>);

impl Kept {
    fn memory(&self) -> GatewayMemory {
        let (from, to) = (self.clone(), self.clone());
        GatewayMemory {
            load: Box::new(move || from.0.lock().expect("not poisoned").clone()),
            keep: Box::new(move |text| *to.0.lock().expect("not poisoned") = Some(text.to_owned())),
        }
    }

    fn text(&self) -> String {
        self.0.lock().expect("not poisoned").clone().unwrap_or_default()
    }
}

fn gateway(fake: &Fake, kept: &Kept) -> Gateway {
    let discord = discord(fake, Arc::new(SystemClock::new()));
    Gateway::new(discord, SecretString::from(Fake::token()), kept.memory())
}

/// A gateway that is heard, and its fake.
async fn ready() -> (Fake, Kept, Gateway) {
    let (fake, kept) = (Fake::start(), Kept::default());
    fake.control("settings", &json!({ "rates": false }));
    let mut gateway = gateway(&fake, &kept);
    match gateway.next().await {
        GatewayEvent::Ready { resumed: false, silent_for: None } => (fake, kept, gateway),
        other => panic!("{other:?}"),
    }
}

async fn heard(gateway: &mut Gateway) -> Box<Overheard> {
    match gateway.next().await {
        GatewayEvent::Overheard(heard) => heard,
        other => panic!("{other:?}"),
    }
}

/// The next word about the connection itself.
async fn lost(gateway: &mut Gateway) -> String {
    match gateway.next().await {
        GatewayEvent::Lost { why } => why,
        other => panic!("{other:?}"),
    }
}

async fn back(gateway: &mut Gateway) -> bool {
    match gateway.next().await {
        GatewayEvent::Ready { resumed, silent_for: Some(_) } => resumed,
        other => panic!("{other:?}"),
    }
}

fn words(heard: &Overheard) -> &str {
    match &heard.what {
        OverheardKind::Words { text, .. } => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_heard_as_they_are_typed() {
    let (fake, _, mut gateway) = ready().await;
    let ana = fake.join(ANA);
    fake.control("channel", &json!({ "channel": SERVER_CHANNEL, "guild": "9" }));
    let option = json!({ "type": 3, "name": "symbol", "description": "x", "required": true, "autocomplete": true });
    let below = json!({ "type": 1, "name": "why", "description": "x", "options": [option] });
    let halt = json!({ "name": "halt", "description": "x" });
    let commands = json!([{ "name": "look", "description": "x", "options": [below] }, halt]);
    let (status, told) = fake.call("PUT", "/applications/900000000000000002/commands", &commands);
    assert_eq!(status, 200, "{told}");
    let typed = json!({ "user": ANA, "path": ["look", "why"], "options": { "symbol": "AA" }, "focused": "symbol" });
    fake.control("complete", &typed);
    let one = heard(&mut gateway).await;
    match &one.what {
        OverheardKind::Completing { path, options, focused, typed } => {
            assert_eq!((path.join(" "), focused.as_str(), typed.as_str()), ("look why".to_owned(), "symbol", "AA"));
            assert_eq!(options, &[("symbol".to_owned(), "AA".to_owned())]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((one.user, one.user_words.as_str(), one.channel, one.guild), (ANA, "ana", ana, None));
    fake.control(
        "command",
        &json!({ "user": ANA, "channel": SERVER_CHANNEL, "path": ["look", "why"], "options": { "symbol": "AAPL" } }),
    );
    let one = heard(&mut gateway).await;
    match &one.what {
        OverheardKind::Command { path, options } => {
            assert_eq!(
                (path.join(" "), options.as_slice()),
                ("look why".to_owned(), &[("symbol".to_owned(), "AAPL".to_owned())][..])
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((one.user, one.guild, one.channel), (ANA, Some(9), SERVER_CHANNEL));
    assert!((one.sent_ms - SystemClock::new().now().ms()).abs() < 60_000);
    assert!(!format!("{one:?}").contains(one.token.as_ref().expect("a token").expose_secret()), "it is never printed");
    crate::discord_client::conforms(&fake);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_a_form_and_words_are_heard() {
    let (fake, _, mut gateway) = ready().await;
    let ana = fake.join(ANA);
    let row =
        json!([{ "type": 1, "components": [{ "type": 2, "style": 4, "label": "Confirm", "custom_id": "pin 7" }] }]);
    let (_, message) =
        fake.call("POST", &format!("/channels/{ana}/messages"), &json!({ "content": "sure?", "components": row }));
    let pressed = fake.control("press", &json!({ "user": ANA, "message": message["id"], "label": "Confirm" }));
    let one = heard(&mut gateway).await;
    match &one.what {
        OverheardKind::Press { custom_id, message: below, values } => {
            assert_eq!((custom_id.as_str(), *below, values.len()), ("pin 7", number(&message["id"]), 0));
        }
        other => panic!("{other:?}"),
    }
    let discord = discord(&fake, Arc::new(SystemClock::new()));
    discord.ask_pin(&one, "pin 7", ("Your PIN", &[("pin", "PIN")]), (4, 9)).await.expect("shown");
    let field =
        &fake.control("interaction", &json!({ "id": pressed["id"] }))["shown"]["components"][0]["components"][0];
    assert_eq!((&field["min_length"], &field["max_length"]), (&json!(4), &json!(9)));
    fake.control("submit", &json!({ "id": pressed["id"], "fields": { "pin": "4711" } }));
    let one = heard(&mut gateway).await;
    match &one.what {
        OverheardKind::Submitted { custom_id, fields } => {
            assert_eq!(
                (custom_id.as_str(), fields[0].0.as_str(), fields[0].1.expose_secret()),
                ("pin 7", "pin", "4711")
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(!format!("{one:?}").contains("4711"));
    discord.defer(&one, true).await.expect("answered");
    fake.control("write", &json!({ "user": ANA, "text": "ok", "reply_to": message["id"] }));
    let one = heard(&mut gateway).await;
    match &one.what {
        OverheardKind::Words { text, reply_to, own_words } => {
            assert_eq!((text.as_str(), *reply_to, *own_words), ("ok", Some(number(&message["id"])), true));
        }
        other => panic!("{other:?}"),
    }
    assert!(one.token.is_none());
    crate::discord_client::conforms(&fake);
}

#[tokio::test(flavor = "multi_thread")]
async fn first_responses_fit_their_interactions() {
    let (fake, _, mut gateway) = ready().await;
    fake.join(ANA);
    let option = json!({ "type": 3, "name": "symbol", "description": "x", "autocomplete": true });
    let commands = json!([{ "name": "why", "description": "x", "options": [option] }]);
    fake.call("PUT", "/applications/900000000000000002/commands", &commands);
    let discord = discord(&fake, Arc::new(SystemClock::new()));
    let typed = json!({ "user": ANA, "path": ["why"], "options": { "symbol": "A" }, "focused": "symbol" });
    let id = fake.control("complete", &typed)["id"].clone();
    let one = heard(&mut gateway).await;
    let choices: Vec<(String, String)> =
        (0..40).map(|n| (format!("{n} {}", "é".repeat(120)), format!("S{n}"))).collect();
    discord.offer(&one, &choices).await.expect("shown");
    let shown = fake.control("interaction", &json!({ "id": id }))["shown"].clone();
    assert_eq!((shown.as_array().map(Vec::len), shown[3]["value"].as_str()), (Some(25), Some("S3")));
    fake.control("command", &json!({ "user": ANA, "path": ["why"] }));
    let one = heard(&mut gateway).await;
    assert!(discord.defer_update(&one).await.is_err(), "only a press is taken so");
    discord.defer(&one, true).await.expect("said");
    let twice = discord.defer(&one, true).await.expect_err("answered before");
    assert!(twice.to_string().contains("40060"), "{twice}");
    let token = one.token.clone().expect("a token");
    assert!(fake.log().iter().all(|entry| !entry.to_string().contains(token.expose_secret())));
    crate::discord_client::conforms(&fake);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_taken_up_where_it_was() {
    let (fake, _, mut gateway) = ready().await;
    fake.join(ANA);
    for act in [json!({ "do": "drop" }), json!({ "do": "reconnect" }), json!({ "do": "close", "code": 4000 })] {
        fake.control("gateway", &act);
        lost(&mut gateway).await;
        fake.control("write", &json!({ "user": ANA, "text": format!("after {act}") }));
        let mut seen = Vec::new();
        while seen.len() < 2 {
            match gateway.next().await {
                GatewayEvent::Ready { resumed, .. } => seen.push(format!("ready {resumed}")),
                GatewayEvent::Overheard(heard) => seen.push(words(&heard).to_owned()),
                other => panic!("{other:?}"),
            }
        }
        seen.sort();
        assert_eq!(seen, [format!("after {act}"), "ready true".to_owned()]);
    }
    let resumed = fake.wait(&json!({ "method": "gateway_resume", "count": 3 }));
    assert!(resumed.iter().all(|entry| entry["params"]["via"] == "resume"), "at the address that was named for it");
    assert_eq!((resumed.len(), fake.calls("gateway_identify").len()), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_takes_up_what_was_not_yet_handled() {
    let (fake, kept, mut gateway) = ready().await;
    fake.join(ANA);
    fake.control("write", &json!({ "user": ANA, "text": "one" }));
    assert_eq!(words(&*heard(&mut gateway).await), "one");
    fake.control("write", &json!({ "user": ANA, "text": "two" }));
    assert_eq!(words(&*heard(&mut gateway).await), "two");
    // Killed before anybody asked for what comes next.
    drop(gateway);
    let mut next = self::gateway(&fake, &kept);
    let mut seen = Vec::new();
    while seen.len() < 2 {
        match next.next().await {
            GatewayEvent::Ready { resumed, .. } => seen.push(format!("ready {resumed}")),
            GatewayEvent::Overheard(heard) => seen.push(words(&heard).to_owned()),
            other => panic!("{other:?}"),
        }
    }
    seen.sort();
    assert_eq!(seen, ["ready true", "two"], "what was not passed comes again, and no more");
    assert_eq!(fake.calls("gateway_identify").len(), 1);
    assert!(!kept.text().contains(Fake::token()), "{}", kept.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_forgotten_is_begun_anew_and_the_gap_is_told() {
    let (fake, _, mut gateway) = ready().await;
    fake.control("settings", &json!({ "forget": true }));
    fake.control("gateway", &json!({ "do": "drop" }));
    lost(&mut gateway).await;
    assert!(!back(&mut gateway).await);
    fake.control("settings", &json!({ "forget": false }));
    fake.control("gateway", &json!({ "do": "invalid", "resumable": false }));
    lost(&mut gateway).await;
    assert!(!back(&mut gateway).await);
    assert_eq!(fake.calls("gateway_identify").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_takes_up_is_begun_anew() {
    let (fake, kept) = (Fake::start(), Kept::default());
    fake.control("settings", &json!({ "heartbeat_ms": 3_000, "rates": false, "ignore_resume": true }));
    let mut gateway = gateway(&fake, &kept);
    gateway.next().await;
    fake.control("gateway", &json!({ "do": "drop" }));
    lost(&mut gateway).await;
    // Its heartbeats are answered all the while.
    assert!(!back(&mut gateway).await, "and what was missed is told as a gap");
    assert_eq!((fake.calls("gateway_resume").len(), fake.calls("gateway_identify").len()), (1, 2));
    assert!(kept.text().contains("\"session\":{"));
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_noticed_and_the_connection_built_anew() {
    let (fake, kept) = (Fake::start(), Kept::default());
    fake.control("settings", &json!({ "heartbeat_ms": 300, "rates": false }));
    let mut gateway = gateway(&fake, &kept);
    gateway.next().await;
    fake.join(ANA);
    fake.control("gateway", &json!({ "do": "mute" }));
    lost(&mut gateway).await;
    assert!(back(&mut gateway).await, "and nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_closed_for_good_is_left_alone() {
    for code in [4004, 4010, 4011, 4012, 4013, 4014] {
        let (fake, kept) = (Fake::start(), Kept::default());
        fake.control("settings", &json!({ "close_with": code }));
        let mut gateway = gateway(&fake, &kept);
        match gateway.next().await {
            GatewayEvent::Refused { why, for_good: true } => assert!(why.contains(&code.to_string()), "{why}"),
            other => panic!("{code}: {other:?}"),
        }
        let more = tokio::time::timeout(std::time::Duration::from_millis(50), gateway.next()).await;
        assert!(more.is_err(), "nothing more is heard or tried");
        assert_eq!(fake.calls("gateway_connect").len(), 1);
    }
    // A token that REST refuses is not even shown to the gateway.
    let (fake, kept) = (Fake::start(), Kept::default());
    fake.control(
        "fault",
        &json!({ "kind": "refusal", "method": "gateway", "status": 401, "message": "401: Unauthorized" }),
    );
    let mut gateway = gateway(&fake, &kept);
    assert!(matches!(gateway.next().await, GatewayEvent::Refused { for_good: true, .. }));
    assert!(fake.calls("gateway_connect").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_budget_is_told_and_kept() {
    let (fake, kept) = (Fake::start(), Kept::default());
    let now = SystemClock::new().now().ms();
    let spent: Vec<i64> = (0..50).map(|_| now - 60_000).collect();
    *kept.0.lock().expect("not poisoned") = Some(json!({ "identifies": spent }).to_string());
    let mut gateway = gateway(&fake, &kept);
    match gateway.next().await {
        GatewayEvent::Refused { why, for_good: false } => assert!(why.contains("1439 min"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert!(fake.calls("gateway_connect").is_empty());
    // One is left: it is counted before it begins, and the next loss finds none.
    let left: Vec<i64> = (0..49).map(|_| now - 2 * 3_600_000).collect();
    *kept.0.lock().expect("not poisoned") = Some(json!({ "identifies": left }).to_string());
    let mut gateway = self::gateway(&fake, &kept);
    assert!(matches!(gateway.next().await, GatewayEvent::Ready { .. }));
    let counted: Value = serde_json::from_str(&kept.text()).expect("JSON");
    assert_eq!(counted["identifies"].as_array().map(Vec::len), Some(50));
    fake.control("settings", &json!({ "forget": true }));
    fake.control("gateway", &json!({ "do": "drop" }));
    lost(&mut gateway).await;
    assert!(matches!(gateway.next().await, GatewayEvent::Refused { for_good: false, .. }));
    assert_eq!(fake.calls("gateway_identify").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_passed_over() {
    let (fake, _, mut gateway) = ready().await;
    fake.join(ANA);
    fake.control("event", &json!({ "t": "INTERACTION_CREATE", "d": { "id": "5", "type": 99, "token": "x" } }));
    fake.control("event", &json!({ "t": "INTERACTION_CREATE", "d": { "id": "5", "type": 2, "token": "x" } }));
    fake.control("event", &json!({ "t": "SOMETHING_NEW", "d": {} }));
    fake.control("event", &json!({ "t": "MESSAGE_CREATE", "d": { "content": 3 } }));
    fake.control("write", &json!({ "user": ANA, "text": "fine" }));
    assert_eq!(words(&*heard(&mut gateway).await), "fine");
}
