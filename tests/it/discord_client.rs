//! What becomes of a call to Discord, whatever the server or the way there does, and how often it is called at all.

use std::sync::Arc;
use std::time::Duration;

use bellwether::channels::{Discord, DiscordClient, DiscordError, DiscordRefusal, Dispatch, http_client, sheets};
use bellwether::clock::{Clock, ManualClock, Timestamp};
use bellwether::domain::{Message, NoticeId, Severity};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::discord::Fake;
use crate::support::openapi::OpenApi;

/// Whether an error is the one that is meant.
type Is<'a> = &'a dyn Fn(&DiscordError) -> bool;

pub(crate) const ANA: i64 = 501;

/// A bot that calls the fake, by this clock.
pub(crate) fn discord(fake: &Fake, clock: Arc<dyn Clock>) -> Discord {
    let http = http_client(None, Duration::from_secs(5)).expect("a client");
    let token = SecretString::from(Fake::token());
    Discord::new(DiscordClient::new(Some(fake.url()), token, http, clock).expect("a client"))
}

/// A clock that says what the fake's says, and stands still as that one does.
pub(crate) fn clock(fake: &Fake) -> Arc<ManualClock> {
    let now = fake.control("clock", &json!({ "stopped": true }))["now_ms"].as_i64().expect("a time");
    Arc::new(ManualClock::at(Timestamp::from_ms(now)))
}

/// Time passes here and there.
pub(crate) fn pass(fake: &Fake, clock: &ManualClock, time: Duration) {
    // The fake first: nothing may come too early by its clock.
    fake.control("clock", &json!({ "advance_ms": time.as_millis() as u64 + 1 }));
    clock.advance(time.as_millis() as i64 + 1);
}

/// Every body that was sent fits the published description.
pub(crate) fn conforms(fake: &Fake) {
    let Some(api) = OpenApi::shared("specs/discord/openapi.json") else { return };
    for entry in fake.log().iter().filter(|entry| !entry["params"].is_null() && entry["http"].is_string()) {
        let text = |key: &str| entry[key].as_str().expect("text").to_owned();
        let has_files = entry["files"].as_array().is_some_and(|files| !files.is_empty());
        let kind = if has_files { "multipart/form-data" } else { "application/json" };
        if text("method") == "typing" {
            continue;
        }
        let faults = api.faults(&text("http"), &text("template"), kind, &entry["params"]);
        assert!(faults.is_empty(), "{faults:#?}\n{entry:#}");
    }
}

fn said(text: &str) -> Dispatch<'static> {
    let sheet = sheets(&Message::answer(text), Some(NoticeId(1)), Severity::Notice).remove(0);
    Dispatch { sheet, ..Dispatch::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_told_as_what_it_is() {
    let fake = Fake::start();
    let clock = clock(&fake);
    let (discord, channel) = (discord(&fake, clock.clone()), fake.join(ANA));
    fake.control("settings", &json!({ "rates": false }));
    let not_sent = |error: &DiscordError| matches!(error, DiscordError::NotSent(_) | DiscordError::Unknown(_));
    let unknown = |error: &DiscordError| matches!(error, DiscordError::Unknown(_));
    let bad_gateway = |error: &DiscordError| *error == DiscordError::Server { status: 502 };
    let throttled = |error: &DiscordError| matches!(error, DiscordError::Throttled { .. });
    for (fault, is_it) in [
        (json!({ "kind": "refuse" }), &not_sent as Is<'_>),
        (json!({ "kind": "reset_before" }), &unknown as Is<'_>),
        (json!({ "kind": "reset_after" }), &unknown as Is<'_>),
        (json!({ "kind": "cut_json" }), &unknown as Is<'_>),
        (json!({ "kind": "status", "status": 502 }), &bad_gateway as Is<'_>),
        (json!({ "kind": "throttle", "scope": "shared" }), &throttled as Is<'_>),
    ] {
        fake.control("fault", &fault);
        let error = discord.send(channel, &said("x")).await.expect_err("a fault");
        assert!(is_it(&error), "{fault}: {error:?}");
        pass(&fake, &clock, Duration::from_secs(2));
    }
    fake.control("fault", &json!({ "kind": "slow" }));
    discord.send(channel, &said("x")).await.expect("slow is no fault");
    for (status, code, kind) in [
        (403, 50_013, DiscordRefusal::Forbidden),
        (404, 10_003, DiscordRefusal::ChannelGone),
        (400, 40_060, DiscordRefusal::AlreadyAnswered),
        (404, 10_062, DiscordRefusal::InteractionGone),
        (401, 0, DiscordRefusal::Unauthorized),
        (429, 30_046, DiscordRefusal::EditsSpent),
    ] {
        let words = format!("quoting {}", Fake::token());
        fake.control("fault", &json!({ "kind": "refusal", "status": status, "code": code, "message": words }));
        match discord.send(channel, &said("x")).await {
            Err(DiscordError::Refused { kind: found, words, .. }) => {
                assert_eq!(found, kind);
                assert_eq!(words, "quoting <token>");
            }
            other => panic!("{status} {code}: {other:?}"),
        }
    }
    conforms(&fake);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_inside_a_forbidden_time() {
    let fake = Fake::start();
    let clock = clock(&fake);
    let (discord, channel, other) = (discord(&fake, clock.clone()), fake.join(ANA), fake.join(ANA + 1));
    let asked = |error: Result<_, DiscordError>| match error {
        Err(DiscordError::Throttled { retry_after }) => retry_after.as_millis(),
        other => panic!("{:?}", other.map(|_: bellwether::channels::Answered<i64>| ())),
    };
    fake.control("fault", &json!({ "kind": "throttle", "retry_ms": 1_337 }));
    assert_eq!(asked(discord.send(channel, &said("a")).await), 1_337);
    let before = fake.log().len();
    pass(&fake, &clock, Duration::from_secs(1));
    assert_eq!(asked(discord.send(channel, &said("a")).await), 336);
    assert_eq!(fake.log().len(), before, "it did not even leave");
    discord.send(other, &said("b")).await.expect("another channel has its own bucket");
    pass(&fake, &clock, Duration::from_millis(336));
    discord.send(channel, &said("a")).await.expect("sent at once when it may");
    fake.control("fault", &json!({ "kind": "throttle", "retry_ms": 2_500, "scope": "global" }));
    assert_eq!(asked(discord.send(channel, &said("a")).await), 2_500);
    assert_eq!(asked(discord.send(other, &said("a")).await), 2_500, "global is for all");
    pass(&fake, &clock, Duration::from_millis(2_500));
    discord.send(other, &said("a")).await.expect("sent");
    assert_eq!(fake.violations(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_enough_to_run_into_no_limit() {
    let fake = Fake::start();
    let clock = clock(&fake);
    let discord = discord(&fake, clock.clone());
    let channels: Vec<i64> = (0..12).map(|person| fake.join(ANA + person)).collect();
    fake.control("settings", &json!({ "limit": 5, "window_ms": 5_000 }));
    for round in 0..15 {
        for channel in &channels {
            loop {
                match discord.send(*channel, &said(&format!("{round}"))).await {
                    Ok(_) => break,
                    Err(DiscordError::Throttled { retry_after }) => pass(&fake, &clock, retry_after),
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    }
    let calls = fake.calls("create_message");
    assert_eq!(calls.len(), 15 * 12, "each was sent once");
    assert!(calls.iter().all(|entry| entry["outcome"]["kind"] == "accepted"), "and none was refused");
    assert_eq!(fake.violations(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_is_as_discord_describes_it() {
    let fake = Fake::start();
    let clock = clock(&fake);
    let (discord, channel) = (discord(&fake, clock.clone()), fake.join(ANA));
    let me = discord.myself().await.expect("an account");
    assert_eq!((me.name.as_str(), discord.open_dm(ANA).await), ("bellwether", Ok(channel)));
    let sent = discord.send(channel, &said("one")).await.expect("sent");
    discord.edit(channel, sent.value, &said("two")).await.expect("changed");
    let latest = discord.latest(channel).await.expect("told");
    assert_eq!((latest.len(), latest[0].id, latest[0].description.as_str()), (1, sent.value, "two"));
    assert_eq!((latest[0].author, latest[0].footer.as_str()), (me.user, "N1"));
    assert_eq!(latest[0].sent_ms, clock.now().ms());
    let command = serenity::builder::CreateCommand::new("halt").description("Stops trading");
    discord.register(None, &[command]).await.expect("taken");
    let known = discord.registered(None).await.expect("told");
    assert_eq!(known[0]["name"], "halt");
    discord.typing(channel).await.expect("shown");
    assert!(matches!(discord.open_dm(77).await, Err(DiscordError::Refused { status: 400, .. })));
    let post = fake.calls("create_message").remove(0);
    assert_eq!(post["params"]["allowed_mentions"], json!({ "parse": [] }));
    assert!(fake.log().iter().all(|entry: &Value| entry["outcome"]["code"] != 40_333), "it says who calls");
    conforms(&fake);
}
