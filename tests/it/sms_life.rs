//! The program with phones, started by environment and TOML alone: what is texted, what is answered, and what nobody can do by a text.

use bellwether::clock::Timestamp;
use bellwether::domain::{ChannelKind, Money, RouteTable, Severity};

use crate::sms_lane::phone;
use crate::support::talking::holds;
use crate::support::texting::{BO, PEOPLE, STRANGER, Texting};
use crate::support::twilio::{Desk, PHONE, Spoilt};
use crate::support::{PostOffice, lane, sample};

#[test]
fn what_twilio_did_not_sign_does_nothing() {
    let mut life = Texting::new();
    life.start();
    for spoilt in [Spoilt::Unsigned, Spoilt::OtherToken, Spoilt::Changed] {
        let (status, body) = life.desk.text(PHONE, "STATUS", spoilt).go().expect("an answer");
        assert_eq!((status, body.as_str()), (403, ""), "{spoilt:?}");
    }
    life.text(STRANGER, "HALT");
    life.text(STRANGER, "STOP");
    // The port that goes without saying may be signed or not.
    let (status, _) = life.desk.text(PHONE, "MENU", Spoilt::Port).go().expect("an answer");
    assert_eq!(status, 200);
    life.desk.wait_for("STATUS. HALT", 1);
    life.until(|| {
        life.reader().totals().expect("reads").unread.iter().any(|(what, n)| what == "sms unsigned" && *n == 3)
    });
    let strangers = life.reader().strangers(ChannelKind::Sms).expect("reads");
    assert_eq!(strangers.iter().map(|(user, messages, _)| (*user, *messages)).collect::<Vec<_>>(), [(0, 2)]);
    assert_eq!(life.desk.messages().len(), 1, "{:?}", life.desk.bodies());
    assert!(life.state().contains("main is running"));
}

#[test]
fn each_word_is_answered_in_one_segment_and_a_halt_is_told_everywhere() {
    let mut life = Texting::new();
    life.start();
    let status = life.ask(PHONE, "status", "main");
    assert!(status.contains("running"), "{status}");
    life.ask(BO, "HALT", "not for viewers");
    assert!(life.state().contains("main is running"));
    // The fact reaches the owner's phone and their mail, though no route leads to the phone, and is the answer.
    let before = life.desk.messages().len();
    let fact = life.ask(PHONE, "Halt!", "HALTED main: by ana");
    assert!(life.state().contains("main is halted"));
    life.until(|| life.mail().to_lowercase().contains("halt"));
    assert!(fact.starts_with('N'), "{fact}");
    // What was halted already is no fact, and answered.
    life.ask(PHONE, "halt", "halted: no entries");
    assert_eq!(life.desk.messages().len(), before + 2, "{:?}", life.desk.bodies());
    life.ask(PHONE, "ack", "acknowledged: nobody else is called");
    life.ask(PHONE, "menu", "Never STOP");
    life.ask(PHONE, "what is this?", "not understood");
    // Two machines do not talk to each other.
    let before = life.desk.messages().len();
    life.text(PHONE, "I am driving and will answer later");
    life.ask(PHONE, "status", "halted");
    assert_eq!(life.desk.messages().len(), before + 1, "{:?}", life.desk.bodies());
}

/// The code in a text.
fn code_in(text: &str) -> String {
    text.split(' ')
        .find(|word| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit()))
        .expect("a code")
        .to_owned()
}

#[test]
fn what_is_not_safe_needs_a_code_that_was_sent_to_the_phone() {
    let mut life = Texting::new();
    life.start();
    life.ask(PHONE, "HALT", "HALTED main");
    life.ask(PHONE, "RESUME", "needs your PIN");
    life.set_pin();
    let asked = life.ask(PHONE, "RESUME", "within 5 min");
    assert!(asked.contains("Resume main?"), "{asked}");
    let code = code_in(&asked);
    life.ask(BO, &code, "not yours");
    let wrong = if code == "000000" { "000001" } else { "000000" };
    life.ask(PHONE, &format!("RESUME {wrong}"), "wrong code; the PIN locks after 4 more");
    assert!(life.state().contains("main is halted"));
    life.ask(PHONE, &format!("resume {code}"), "running");
    assert!(life.state().contains("main is running"));
    life.ask(PHONE, &code, "nothing to confirm");
    // A code that a restart forgot is asked for again, and is in no file.
    life.ask(PHONE, "HALT", "HALTED main");
    let other = code_in(&life.ask(PHONE, "RESUME", "within 5 min"));
    life.kill();
    life.start();
    life.ask(PHONE, &other, "nothing to confirm");
    assert!(life.state().contains("main is halted"));
    life.kill();
    let files = std::fs::read_dir(life.shell.path()).expect("reads").map(|entry| entry.expect("reads").path());
    for path in files.filter(|path| path.is_file()) {
        let left = std::fs::read(&path).expect("reads");
        for secret in [&code, &other, &format!("RESUME {wrong}")] {
            assert!(!holds(&left, secret), "{secret} is in {}", path.display());
        }
    }
}

#[test]
fn five_wrong_codes_lock_the_pin_and_that_is_told() {
    let mut life = Texting::new();
    life.start();
    life.set_pin();
    life.ask(PHONE, "HALT", "HALTED main");
    let code = code_in(&life.ask(PHONE, "RESUME", "within 5 min"));
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for left in (1..=4).rev() {
        life.ask(PHONE, wrong, &format!("locks after {left} more"));
    }
    life.ask(PHONE, wrong, "locked until");
    life.ask(PHONE, &code, "locked until");
    life.ask(PHONE, "RESUME", "locked until");
    life.until(|| life.mail().contains("PIN"));
    assert!(life.state().contains("main is halted"));
}

#[test]
fn a_text_that_comes_again_is_done_once_also_after_a_death() {
    let mut life = Texting::new();
    life.start();
    for round in 1..=3 {
        let halt = life.desk.text(PHONE, "HALT", Spoilt::No);
        for _ in 0..5 {
            assert_eq!(halt.go().expect("an answer").0, 200);
        }
        if round > 1 {
            // Whatever was reached by then.
            life.kill();
            life.start();
            assert_eq!(halt.go().expect("an answer").0, 200);
        }
        let answers = |life: &Texting| life.desk.bodies().iter().filter(|body| !body.starts_with('N')).count();
        life.until(|| answers(&life) + 1 >= round);
        life.until(|| life.reader().unanswered("sms").expect("reads").is_empty());
    }
    life.ask(PHONE, "MENU", "Never STOP");
    // The first stopped it, and the fact was its answer.
    let answers = life.desk.bodies().into_iter().filter(|body| !body.starts_with('N')).collect::<Vec<_>>();
    assert_eq!(answers.len(), 3, "{answers:?}");
    let facts: Vec<String> = life.desk.bodies().into_iter().filter(|body| body.starts_with('N')).collect();
    let mut numbers: Vec<&str> = facts.iter().map(|fact| fact.split(' ').next().expect("a number")).collect();
    let count = numbers.len();
    numbers.dedup();
    assert_eq!(numbers.len(), count, "{facts:?}");
}

/// The number that a text shows can be forged, and each answer costs.
#[test]
fn a_phone_that_texts_without_end_is_answered_few_times_and_halts_all_the_same() {
    let mut life = Texting::new();
    life.start();
    (1..=10).for_each(|count| {
        life.text(PHONE, "STATUS");
        life.desk.wait_for("main ", count);
    });
    for body in ["STATUS", "menu", "RESUME", "resume please", "what?"] {
        life.text(PHONE, body);
    }
    life.until(|| life.mail().contains("answered no more for now"));
    life.until(|| life.reader().unanswered("sms").expect("reads").is_empty());
    assert_eq!(life.desk.messages().len(), 10, "{:?}", life.desk.bodies());
    // Nobody else is silenced by it.
    life.ask(BO, "menu", "Never STOP");
    let fact = life.ask(PHONE, "HALT", "HALTED main: by ana");
    let number = fact.split(' ').next().expect("a number").to_owned();
    life.text(PHONE, &format!("ack {number}"));
    life.until(|| life.said(&["command", &format!("/trace {number}")]).contains("acknowledged by ana on sms"));
    assert_eq!(life.desk.messages().len(), 12, "{:?}", life.desk.bodies());
    let told = life.reader().journal_all().expect("reads");
    assert_eq!(told.iter().filter(|row| row.event.kind.name() == "sms_budget_near").count(), 1);
    // Whoever forges the number spends nothing by halting what is halted.
    for _ in 0..5 {
        life.text(PHONE, "HALT");
    }
    life.until(|| life.reader().unanswered("sms").expect("reads").is_empty());
    assert_eq!(answers(&life), 10);
}

/// Answers to Ana's phone that were sent or wait.
fn answers(life: &Texting) -> u64 {
    let (begin, end) = (Timestamp::from_ms(0), Timestamp::from_ms(i64::MAX));
    life.reader().sms_answers(lane("ana:sms"), begin, Money::ZERO, end).expect("reads").0
}

/// Such an answer counts as every other does.
#[test]
fn halts_that_change_nothing_are_answered_as_seldom_as_anything_else() {
    let mut life = Texting::new();
    life.start();
    life.ask(PHONE, "HALT", "HALTED main: by ana");
    for count in 1..=10 {
        life.text(PHONE, "HALT");
        life.desk.wait_for("halted: no entries", count);
    }
    life.text(PHONE, "HALT");
    life.text(PHONE, "STATUS");
    life.until(|| life.mail().contains("answered no more for now"));
    life.until(|| life.reader().unanswered("sms").expect("reads").is_empty());
    assert_eq!(answers(&life), 10, "{:?}", life.desk.bodies());
}

#[test]
fn a_drill_tells_what_twilio_knows_of_it() {
    let mut life = Texting::new();
    life.start();
    for (fates, want, other) in [
        (&["sent", "delivered"][..], "ana:sms  arrived", "Twilio says: delivered"),
        (&["sent", "undelivered"][..], "ana:sms  given up", "hint: look at the phone of ana"),
    ] {
        life.desk.fates(fates);
        let said = life.said(&["test", "ana:sms"]);
        assert!(said.contains(want) && said.contains(other), "{said}");
    }
    // Whether the bot hears that is no matter of whoever asks.
    life.desk.fates(&["sent", "delivered"]);
    let said = life.said_without(&["PUBLIC_URL", "HTTP_LISTEN"], &["test", "ana:sms"]);
    assert!(said.contains("ana:sms  arrived"), "{said}");
    // Without a bot nobody hears what becomes of it.
    life.kill();
    let said = life.said(&["test", "ana:sms"]);
    assert!(
        said.contains("ana:sms  taken")
            && said.contains("it needs PUBLIC_URL and HTTP_LISTEN")
            && !said.contains("arrived  "),
        "{said}"
    );
}

#[test]
fn a_word_of_the_carrier_ends_messages_and_is_told_elsewhere_at_once() {
    let mut life = Texting::new();
    life.start();
    let before = life.desk.messages().len();
    life.text(PHONE, "stop");
    life.until(|| life.mail().contains("send START") || life.mail().contains("send=20START"));
    assert!(life.state().contains("main is running"), "it is no command");
    life.said(&["command", "/halt"]);
    life.until(|| life.state().contains("main is halted"));
    life.text(PHONE, "start");
    let fact = life.desk.wait_for("N", 1);
    assert!(life.desk.messages().len() > before && fact[0].starts_with('N'), "{fact:?}");
    life.until(|| life.mail().contains("works again"));
}

#[test]
fn what_the_service_says_of_a_message_never_goes_back_and_a_lost_one_is_told() {
    let mut life = Texting::new();
    life.start();
    life.ask(PHONE, "HALT", "HALTED main");
    let fact = life.desk.messages().into_iter().find(|sent| sent.body.starts_with('N'));
    let fact = fact.unwrap_or_else(|| {
        life.desk.wait_for("N", 2);
        life.desk.messages().into_iter().find(|sent| sent.body.starts_with('N')).expect("a fact")
    });
    let number = fact.body.split(' ').next().expect("a number").to_owned();
    let tell = |status: &str, code| {
        let post = life.desk.fate(&fact.sid, status, code, Spoilt::No);
        (0..2).for_each(|_| assert_eq!(post.go().expect("an answer").0, 204));
    };
    let trace = || life.said(&["command", &format!("/trace {number}")]);
    tell("sent", None);
    life.until(|| trace().contains("the service says: sent"));
    tell("sending", None);
    tell("queued", None);
    tell("undelivered", Some(30003));
    life.until(|| trace().contains("undelivered, error 30003"));
    tell("delivered", None);
    tell("sent", None);
    life.until(|| life.reader().unanswered("sms status").expect("reads").is_empty());
    let said = trace();
    assert!(said.contains("undelivered, error 30003") && said.contains("dead"), "{said}");
    life.until(|| life.mail().contains(&format!("Message {number} could not be delivered")));
    let spoilt = life.desk.fate(&fact.sid, "delivered", None, Spoilt::OtherToken);
    assert_eq!(spoilt.go().expect("an answer").0, 403);
}

#[test]
fn the_loss_limit_reaches_the_owners_phone_whatever_routes_say() {
    let mut table = RouteTable::simple(&[lane("ana:sms"), lane("bo:telegram")], Severity::Notice);
    table.routes.iter_mut().for_each(|route| route.to.retain(|to| *to == lane("bo:telegram")));
    table.lanes.iter_mut().for_each(|rule| rule.is_owners = rule.lane == lane("ana:sms"));
    let mut office = PostOffice::new(table);
    let desk = Desk::start();
    desk.at(bellwether::clock::Clock::now(office.clock.as_ref()).ms());
    let rest =
        (std::time::Duration::from_secs(30), std::sync::Arc::default(), bellwether::channels::CodeSlot::default());
    let channel = phone(&desk, &office.store, office.clock.clone(), "1", rest);
    office.plug("ana:sms", std::sync::Arc::new(channel));
    for kind in ["position_opened", "daily_loss_near", "symbol_locked", "trading_reduced", "trading_halted"] {
        office.happen([sample(kind).kind]);
        office.run("ana:sms", 10);
    }
    let sent = desk.messages();
    assert_eq!(sent.len(), 3, "{:?}", desk.bodies());
    assert!(sent.iter().all(|one| one.segments == 1), "{:?}", desk.bodies());
}

#[test]
fn an_address_that_an_edited_file_takes_away_is_written_to_no_more_without_any_bot() {
    let mut life = Texting::new();
    let people = PEOPLE.replace("name = \"bo\"\n", "name = \"bo\"\nemail = \"bo@example.org\"\n");
    let people = people.replace("[\"ana:email\"]", "[\"ana:email\", \"bo:email\", \"bo:sms\"]");
    life.shell.write("bellwether.toml", &people);
    life.start();
    let told =
        || life.reader().routes().expect("reads").lanes.iter().map(|rule| rule.lane.to_string()).collect::<Vec<_>>();
    assert_eq!(told(), ["ana:email", "bo:email", "ana:sms", "bo:sms"]);
    life.shell.write("bellwether.toml", &people.replace("bo@example.org", "eve@example.org"));
    life.until(|| told() == ["ana:email", "ana:sms", "bo:sms"]);
    let ana = people.find("[[people]]\nname = \"bo\"").expect("there");
    let without_bo = format!("{}[[routes]]\nto = [\"ana:email\"]\n", &people[..ana]);
    life.shell.write("bellwether.toml", &without_bo);
    life.until(|| told() == ["ana:email", "ana:sms"]);
}
