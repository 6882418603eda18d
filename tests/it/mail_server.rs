//! Mail by a server: what is told of a letter is what became of it, whatever the server does; threads, signatures, leaving a digest.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bellwether::channels::{Letters, MailFile, MailHost, MailServer, MailWire, Signer, tls_config};
use bellwether::clock::{ManualClock, Timestamp};
use bellwether::domain::{Message, RouteTable, Severity};
use bellwether::notify::{Channel, Post, SendError};
use rustls::ClientConfig;
use secrecy::SecretString;

use crate::support::smtp::{Act, Authority, Setup, Smtp, Step, Taken};
use crate::support::{PostOffice, hostile, lane, post, sample, titled};

/// What no error and no log may hold.
const PASSWORD: &str = "CANARY-pass CANARY-two";
const USER: &str = "canary-user@example.org";
const ANA: &str = "canary-ana@example.net";
const LONG: Duration = Duration::from_secs(20);
/// For tests in which it runs out.
const SHORT: Duration = Duration::from_millis(1_500);

/// A server, and how it is reached.
struct Desk {
    smtp: Smtp,
    wire: MailWire,
    host: &'static str,
    login: Option<(String, SecretString)>,
    tls: ClientConfig,
    patience: Duration,
}

impl Desk {
    fn plain() -> Self {
        Self::of(Setup { size_max: 1 << 20, ..Setup::default() }, MailWire::Plain, None)
    }

    fn of(setup: Setup, wire: MailWire, ca: Option<&Path>) -> Self {
        let tls = tls_config(ca).expect("authorities");
        Self { smtp: Smtp::start(0, setup), wire, host: "127.0.0.1", login: None, tls, patience: LONG }
    }

    fn channel(&self) -> MailServer {
        self.channel_of(letters())
    }

    fn channel_of(&self, letters: Letters) -> MailServer {
        let (login, tls) = (self.login.clone(), Arc::new(self.tls.clone()));
        let (host, port) = (self.host.to_owned(), self.smtp.address.port());
        let host =
            MailHost { host, port, wire: self.wire, login, tls, patience: self.patience, thinking: self.patience };
        MailServer::new(Arc::new(host), letters)
    }

    /// What became of a letter; nothing secret is in the words.
    async fn sends(&self, post: &Post) -> Result<String, SendError> {
        let sent = self.channel().send(post).await;
        if let Err(failure) = &sent {
            let words = format!("{failure} {failure:?}").to_lowercase();
            assert!(!words.contains("canary"), "{words}");
            assert!(words.chars().count() < 1_000, "{words}");
        }
        sent.map(|receipt| receipt.remote.expect("a name")).map_err(|failure| failure.what)
    }
}

fn letters() -> Letters {
    letters_at(Arc::new(ManualClock::at(Timestamp::from_ms(1_795_255_200_000))))
}

fn letters_at(clock: Arc<ManualClock>) -> Letters {
    let from = "Bellwether <bot@example.org>".parse().expect("a sender");
    Letters::new(from, ANA.parse().expect("an address"), [7; 32], clock)
}

fn fact(delivery: i64) -> Post {
    post(delivery, titled("Prices of AAPL are stale"))
}

/// The value of a header, unfolded.
fn header(letter: &str, name: &str) -> Option<String> {
    let head = letter.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
}

fn one(mut letters: Vec<Taken>) -> Taken {
    assert_eq!(letters.len(), 1, "{letters:?}");
    letters.remove(0)
}

#[tokio::test]
async fn a_letter_arrives_whole_and_alone() {
    let desk = Desk::plain();
    let mut one_fact = fact(17);
    one_fact.message.blocks.push(bellwether::domain::Block::Code(".\r\n..\n.a dot".to_owned()));
    let remote = desk.sends(&one_fact).await.expect("taken");
    let taken = one(desk.smtp.letters());
    assert!(taken.at.is_some());
    assert_eq!((taken.from.as_str(), taken.to.as_slice()), ("bot@example.org", &[ANA.to_owned()][..]));
    assert_eq!(taken.size, Some(taken.letter.len()));
    assert_eq!(header(&taken.letter, "Message-ID").as_deref(), remote.split(' ').next());
    assert_eq!(header(&taken.letter, "Subject").as_deref(), Some("Prices of AAPL are stale"));
    assert_eq!(header(&taken.letter, "To").as_deref(), Some(ANA));
    // The same bytes as in a folder.
    let folder = tempfile::tempdir().expect("a folder");
    MailFile::new(folder.path().to_owned(), letters()).send(&one_fact).await.expect("kept");
    let file = std::fs::read_dir(folder.path()).expect("there").next().expect("one").expect("readable");
    assert_eq!(std::fs::read_to_string(file.path()).expect("ASCII"), taken.letter);
    desk.sends(&fact(18)).await.expect("taken");
    assert_eq!((desk.smtp.letters().len(), desk.smtp.connections()), (1, 2), "no connection is kept");
    assert_eq!(desk.smtp.lines().iter().filter(|line| line.starts_with("EHLO [127.0.0.1]")).count(), 2);
}

/// What a failure is, for tables.
fn class(error: &SendError) -> &'static str {
    match error {
        SendError::Unreachable(_) => "unreachable",
        SendError::Throttled(wait) if *wait == Duration::from_mins(1) => "a minute",
        SendError::Unknown(_) => "unknown",
        SendError::Rejected(_) => "rejected",
        SendError::Shut(_) => "shut",
        SendError::Throttled(_)
        | SendError::NotBefore(..)
        | SendError::Closed
        | SendError::Gone
        | SendError::Unpaid(_) => "odd",
    }
}

#[tokio::test]
async fn what_the_server_says_decides_what_becomes_of_a_letter() {
    let desk = Desk::plain();
    for (step, says, want) in [
        (Step::Greeting, "421 4.3.2 going down", "unreachable"),
        (Step::Greeting, "450 4.3.2 not yet", "a minute"),
        (Step::Greeting, "554 5.7.1 not from there", "shut"),
        (Step::Hello, "421 4.3.2 going down", "unreachable"),
        (Step::Hello, "502 5.5.1 no", "shut"),
        (Step::Mail, "451 4.3.0 later", "a minute"),
        (Step::Mail, "452 4.3.1 full", "a minute"),
        (Step::Mail, "421 4.7.0 too many", "unreachable"),
        (Step::Mail, "552 5.3.4 too large", "rejected"),
        (Step::Mail, "550 5.7.1 not you", "shut"),
        (Step::Mail, "354 what", "unreachable"),
        (Step::Rcpt, "450 4.2.0 <canary-ana@example.net>: greylisted", "a minute"),
        (Step::Rcpt, "451 4.7.1 greylisted", "a minute"),
        (Step::Rcpt, "452 4.2.2 canary-ana is full", "a minute"),
        (Step::Rcpt, "550-5.1.1 The account canary-ana\r\n550 5.1.1 does not exist", "shut"),
        (Step::Rcpt, "554 5.7.1 no relay for <CANARY-ANA@example.net>", "shut"),
        (Step::Rcpt, "334 what", "unreachable"),
        (Step::Data, "451 4.3.0 later", "a minute"),
        (Step::Data, "554 5.5.1 no recipients", "shut"),
        (Step::Data, "250 fine", "unreachable"),
        (Step::Dot, "451 4.3.0 later", "a minute"),
        (Step::Dot, "452 4.3.1 full", "a minute"),
        (Step::Dot, "421 4.3.2 going down", "unreachable"),
        (Step::Dot, "550 5.7.1 looks like spam to canary-ana@example.net", "rejected"),
        (Step::Dot, "552 5.3.4 too large", "rejected"),
    ] {
        desk.smtp.next(step, Act::Say(says));
        let error = desk.sends(&fact(17)).await.expect_err(says);
        assert_eq!(class(&error), want, "{step:?} {says}: {error:?}");
        let told = says.split(' ').next().unwrap_or_default().get(..3).expect("a code");
        assert!(want == "a minute" || error.to_string().contains(told), "{error}");
        assert_eq!(desk.smtp.letters().len(), 0, "{says}");
        // Nothing of it sticks.
        desk.sends(&fact(17)).await.expect("taken");
        assert_eq!(desk.smtp.letters().len(), 1);
    }
    let error = Desk { host: "no such host.invalid", ..Desk::plain() }.sends(&fact(17)).await.expect_err("no name");
    assert_eq!(class(&error), "unreachable");
    let gone = Desk::plain();
    let port = gone.smtp.address.port();
    let Desk { smtp, wire, host, login, tls, patience } = gone;
    drop(smtp);
    let host = MailHost { host: host.to_owned(), port, wire, login, tls: Arc::new(tls), patience, thinking: patience };
    let error = MailServer::new(Arc::new(host), letters()).send(&fact(1)).await.expect_err("nobody").what;
    assert_eq!(class(&error), "unreachable");
}

#[tokio::test]
async fn only_after_the_last_dot_nobody_knows() {
    let desk = Desk { patience: SHORT, ..Desk::plain() };
    for act in [Act::Silence, Act::Close, Act::Reset] {
        for step in [Step::Greeting, Step::Hello, Step::Mail, Step::Rcpt, Step::Data, Step::Dot] {
            if matches!(act, Act::Silence) && !matches!(step, Step::Greeting | Step::Data | Step::Dot) {
                continue;
            }
            desk.smtp.next(step, act.clone());
            let error = desk.sends(&fact(17)).await.expect_err("no answer");
            let taken = desk.smtp.letters().len();
            let want = if step == Step::Dot { ("unknown", 1) } else { ("unreachable", 0) };
            assert_eq!((class(&error), taken), want, "{act:?} at {step:?}: {error:?}");
        }
    }
    // Once it is taken, a goodbye that nobody hears changes nothing.
    for act in [Act::Silence, Act::Close, Act::Reset] {
        desk.smtp.next(Step::Quit, act);
        desk.sends(&fact(17)).await.expect("taken");
    }
}

/// What looks for viruses thinks longer than anything before the dot may take; whoever gives up meanwhile sends twice.
#[tokio::test]
async fn a_server_may_think_about_a_letter_that_it_has_read() {
    let desk = Desk { patience: SHORT, ..Desk::plain() };
    let (host, port, tls) = (desk.host.to_owned(), desk.smtp.address.port(), Arc::new(desk.tls.clone()));
    let host = MailHost { host, port, wire: desk.wire, login: None, tls, patience: SHORT, thinking: LONG };
    let patient = MailServer::new(Arc::new(host), letters());
    desk.smtp.next(Step::Dot, Act::Drip(SHORT / 6));
    patient.send(&fact(17)).await.expect("taken");
    assert_eq!(desk.smtp.letters().len(), 1);
    // A step before it has no such time.
    desk.smtp.next(Step::Data, Act::Drip(SHORT / 6));
    let error = patient.send(&fact(17)).await.expect_err("too slow").what;
    assert_eq!((class(&error), desk.smtp.letters().len()), ("unreachable", 0));
}

#[tokio::test]
async fn odd_answers_are_bounded_and_never_taken_for_a_yes() {
    let desk = Desk { patience: Duration::from_secs(10), ..Desk::plain() };
    let endless: [&'static [u8]; 3] = [b"x", b"250-more\r\n", b"250-"];
    for step in [Step::Greeting, Step::Hello, Step::Rcpt, Step::Data, Step::Dot] {
        let want = if step == Step::Dot { "unknown" } else { "unreachable" };
        let raw: [&[u8]; 9] = [
            b"\r\n",
            b"25\r\n",
            b"999 \xff\r\n",
            b"2500 ok\r\n",
            b"HTTP/1.1 400 Bad Request\r\n",
            b"250-a\r\n251 b\r\n",
            b"\x16\x03\x01\x02\x00\r\n",
            b"250_ok\r\n",
            "２５０ ok\r\n".as_bytes(),
        ];
        for bytes in raw {
            desk.smtp.next(step, Act::Raw(bytes.to_vec()));
            let error = desk.sends(&fact(17)).await.expect_err("nonsense");
            assert_eq!(class(&error), want, "{step:?} {:?}: {error:?}", String::from_utf8_lossy(bytes));
        }
        for bytes in endless {
            desk.smtp.next(step, Act::Endless(bytes));
            let error = desk.sends(&fact(17)).await.expect_err("no end");
            assert_eq!(class(&error), want, "{step:?}: {error:?}");
            assert!(error.to_string().contains("does not end"), "{error}");
        }
    }
    desk.smtp.letters();
    // Words in another alphabet, no words, a bare line end, and a slow hand are answers all the same.
    for bytes in ["250 angenommen für später".as_bytes(), b"250 genommen f\xfcr sp\xe4ter", b"250"] {
        for end in ["\r\n", "\n"] {
            desk.smtp.next(Step::Dot, Act::Raw([bytes, end.as_bytes()].concat()));
            desk.sends(&fact(17)).await.expect("taken");
            one(desk.smtp.letters());
        }
    }
    for step in [Step::Greeting, Step::Hello, Step::Data, Step::Dot] {
        desk.smtp.next(step, Act::Drip(Duration::from_millis(2)));
    }
    desk.sends(&fact(17)).await.expect("taken");
    one(desk.smtp.letters());
}

#[tokio::test]
async fn what_is_larger_than_the_server_takes_never_leaves() {
    let setup = Setup { size_max: 9_000, ..Setup::default() };
    let desk = Desk::of(setup, MailWire::Plain, None);
    let large = post(17, Message::of_lines(["x ".repeat(9_000)]));
    let error = desk.sends(&large).await.expect_err("too large");
    assert!(matches!(&error, SendError::Rejected(why) if why.contains("9000")), "{error:?}");
    assert!(!desk.smtp.lines().iter().any(|line| line.starts_with("MAIL")));
    desk.sends(&fact(17)).await.expect("taken");
}

#[tokio::test]
async fn tls_is_there_from_the_first_byte_or_by_starttls_or_nothing_is_said() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let ca = folder.path().join("ca.pem");
    authority.keep(&ca);
    let acceptor = || Some(authority.acceptor(&["127.0.0.1", "localhost"]));
    let login = || Some((USER.to_owned(), PASSWORD.to_owned()));
    let secret = || Some((USER.to_owned(), SecretString::from(PASSWORD)));
    for (wire, implicit) in [(MailWire::Tls, true), (MailWire::StartTls, false)] {
        for mechanisms in ["PLAIN LOGIN", "LOGIN XOAUTH2", "CRAM-MD5 PLAIN"] {
            let setup = Setup { tls: acceptor(), implicit, login: login(), mechanisms, size_max: 0 };
            let desk = Desk { login: secret(), ..Desk::of(setup, wire, Some(&ca)) };
            desk.sends(&fact(17)).await.expect("taken");
            let taken = one(desk.smtp.letters());
            assert_eq!((taken.tls, taken.user.as_deref()), (true, Some(USER)), "{wire:?} {mechanisms}");
        }
        let setup = || Setup { tls: acceptor(), implicit, login: login(), mechanisms: "PLAIN", size_max: 0 };
        // Nobody vouches for it, or for another name.
        for (ca, host) in [(None, "127.0.0.1"), (Some(ca.as_path()), "127.0.0.2")] {
            let desk = Desk { login: secret(), host, ..Desk::of(setup(), wire, ca) };
            let error = desk.sends(&fact(17)).await.expect_err("not to be trusted");
            let told = matches!(&error, SendError::Shut(why) if why.contains("certificate"));
            assert!(told || host == "127.0.0.2" && class(&error) == "unreachable", "{error:?}");
            assert!(desk.smtp.lines().iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"));
        }
        let other = Setup { tls: Some(authority.acceptor(&["other.example"])), ..setup() };
        let error = Desk::of(other, wire, Some(&ca)).sends(&fact(17)).await.expect_err("another name");
        assert!(matches!(&error, SendError::Shut(why) if why.contains("certificate")), "{error:?}");
    }
    // A server without TLS, or somebody between who hides it.
    let desk = Desk { login: secret(), ..Desk::of(Setup::default(), MailWire::StartTls, Some(&ca)) };
    let error = desk.sends(&fact(17)).await.expect_err("no TLS");
    assert!(matches!(&error, SendError::Shut(why) if why.contains("STARTTLS")), "{error:?}");
    assert!(desk.smtp.lines().iter().all(|line| line.starts_with("EHLO")));
    // Somebody between who puts words before the private ones.
    let setup = Setup { tls: acceptor(), login: login(), mechanisms: "PLAIN", ..Setup::default() };
    let desk = Desk { login: secret(), ..Desk::of(setup, MailWire::StartTls, Some(&ca)) };
    desk.smtp.next(Step::StartTls, Act::Raw(b"220 go\r\n250-fake.example\r\n250 AUTH PLAIN\r\n235 in\r\n".to_vec()));
    let error = desk.sends(&fact(17)).await.expect_err("too early");
    assert_eq!((class(&error), desk.smtp.letters().len()), ("unreachable", 0), "{error:?}");
    assert!(!desk.smtp.lines().iter().any(|line| line.starts_with("AUTH")));
    desk.sends(&fact(17)).await.expect("taken");
}

#[tokio::test]
async fn a_login_that_is_refused_closes_the_way_and_is_told_without_it() {
    let setup = |mechanisms| Setup {
        login: Some((USER.to_owned(), PASSWORD.to_owned())),
        mechanisms,
        size_max: 0,
        ..Setup::default()
    };
    let login = |word: &str| Some((USER.to_owned(), SecretString::from(word)));
    let desk = Desk { login: login("CANARY-wrong"), ..Desk::of(setup("PLAIN"), MailWire::Plain, None) };
    let error = desk.sends(&fact(17)).await.expect_err("refused");
    assert!(matches!(&error, SendError::Shut(why) if why.contains("login") && why.contains("535")), "{error:?}");
    let probed = desk.channel().probe().await.expect("an answer").expect_err("refused").what;
    assert_eq!(class(&probed), "shut", "a lane that cannot log in is not well");
    let desk = Desk { login: login(PASSWORD), ..desk };
    // A server that repeats what it was told.
    let both = STANDARD.encode(format!("\0{USER}\0{PASSWORD}"));
    for (says, want) in [
        (format!("535 5.7.8 {USER} {PASSWORD} \u{202e}\u{1b}[31m no"), "shut"),
        (format!("534 5.7.9 get another for canary-user, not {both}"), "shut"),
        ("454 4.7.0 the other server is down".to_owned(), "unreachable"),
        ("530 5.7.0 TLS first".to_owned(), "shut"),
    ] {
        desk.smtp.next(Step::Auth, Act::Say(says.leak()));
        let error = desk.sends(&fact(17)).await.expect_err("refused");
        assert_eq!(class(&error), want, "{error:?}");
        assert!(!error.to_string().contains(&both) && !error.to_string().contains(['\u{202e}', '\u{1b}']), "{error}");
    }
    desk.sends(&fact(17)).await.expect("taken");
    let none = Desk { login: login(PASSWORD), ..Desk::of(setup("XOAUTH2"), MailWire::Plain, None) };
    assert_eq!(class(&none.sends(&fact(17)).await.expect_err("no way in")), "shut");
}

#[tokio::test]
async fn a_login_that_is_refused_is_tried_less_and_less() {
    let login = Some((USER.to_owned(), PASSWORD.to_owned()));
    let setup = Setup { login, mechanisms: "PLAIN", size_max: 1 << 20, ..Setup::default() };
    let wrong = Some((USER.to_owned(), SecretString::from("CANARY-wrong")));
    let desk = Desk { login: wrong, ..Desk::of(setup, MailWire::Plain, None) };
    let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_795_255_200_000)));
    let channel = desk.channel_of(letters_at(clock.clone()));
    let mut tries = Vec::new();
    for second in 0..4_000_i64 {
        let before = desk.smtp.lines().len();
        let error = channel.probe().await.expect("an answer").expect_err("refused").what;
        assert_eq!(class(&error), "shut", "{error:?}");
        if desk.smtp.lines().len() > before {
            tries.push(second * 10);
        }
        clock.advance(10_000);
        if tries.len() == 8 {
            break;
        }
    }
    let rests: Vec<i64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(rests, [30, 60, 120, 240, 480, 900, 900]);
}

#[tokio::test]
async fn a_probe_asks_for_everything_but_a_letter() {
    let desk = Desk::plain();
    desk.channel().probe().await.expect("an answer").expect("well");
    let said: Vec<String> = desk.smtp.lines().iter().map(|line| line[..4].to_owned()).collect();
    assert_eq!(said, ["EHLO", "MAIL", "RCPT", "RSET", "QUIT"]);
    desk.smtp.next(Step::Rcpt, Act::Say("550 5.1.1 gone"));
    let error = desk.channel().probe().await.expect("an answer").expect_err("not taken").what;
    assert_eq!(class(&error), "shut");
    assert_eq!(desk.smtp.letters().len(), 0);
}

/// An office whose mail goes to this desk.
fn office(desk: &Desk) -> PostOffice {
    let mut office = PostOffice::new(RouteTable::simple(&[lane("ana:email"), lane("bo:telegram")], Severity::Notice));
    office.plug("ana:email", Arc::new(desk.channel()));
    office
}

#[test]
fn a_letter_that_is_put_off_comes_once_a_minute_later() {
    let desk = Desk::plain();
    let mut office = office(&desk);
    desk.smtp.next(Step::Rcpt, Act::Say("451 4.7.1 greylisted"));
    office.happen([sample("position_opened").kind]);
    office.run("ana:email", 59);
    let tries = desk.smtp.connections();
    assert_eq!((tries, desk.smtp.letters().len()), (1, 0), "not before its time");
    office.run("ana:email", 2);
    one(desk.smtp.letters());
    assert_eq!((office.counts("ana:email").sent, office.counts("ana:email").open), (1, 0));
}

#[test]
fn a_letter_of_unknown_fate_comes_again_by_the_same_name() {
    let desk = Desk::plain();
    let mut office = office(&desk);
    desk.smtp.next(Step::Dot, Act::Reset);
    office.happen([sample("trading_reduced").kind]);
    office.run("ana:email", 5);
    let letters = desk.smtp.letters();
    assert_eq!(letters.len(), 2);
    let id = |letter: &Taken| header(&letter.letter, "Message-ID").expect("a name");
    assert_eq!(id(&letters[0]), id(&letters[1]));
    let marked = |letter: &Taken| letter.letter.contains("perhaps a repeat");
    assert_eq!((marked(&letters[0]), marked(&letters[1])), (false, true));
}

#[test]
fn a_story_is_a_thread_by_a_server_too() {
    let desk = Desk::plain();
    let mut office = office(&desk);
    for kind in ["position_opened", "position_closed", "day_closed"] {
        office.happen([sample(kind).kind]);
        office.run("ana:email", 5);
    }
    let letters = desk.smtp.letters();
    let of = |index: usize, name| header(&letters[index].letter, name);
    assert_eq!((of(0, "In-Reply-To"), of(2, "In-Reply-To")), (None, None));
    assert_eq!((of(1, "In-Reply-To"), of(1, "References")), (of(0, "Message-ID"), of(0, "Message-ID")));
    assert_eq!(of(1, "Subject").expect("some"), format!("Re: {}", of(0, "Subject").expect("some")));
    assert!(letters.iter().all(|letter| header(&letter.letter, "Auto-Submitted").as_deref() == Some("auto-generated")));
}

/// The letter that a message becomes.
async fn letter(desk: &Desk, letters: Letters, fact: &Post) -> String {
    let tls = Arc::new(desk.tls.clone());
    let (host, port) = (desk.host.to_owned(), desk.smtp.address.port());
    let host = MailHost { host, port, wire: desk.wire, login: None, tls, patience: LONG, thinking: LONG };
    MailServer::new(Arc::new(host), letters).send(fact).await.expect("taken");
    one(desk.smtp.letters()).letter
}

#[tokio::test]
async fn answers_answer_and_only_digests_can_be_left() {
    let desk = Desk::plain();
    let url = "https://bot.example.org/unsubscribe/0123abcd";
    let leaving = |url: &str| letters().left_at(Some(url.to_owned()));
    let answer = Post { number: None, reply_to: Some("<q@example.net>".to_owned()), ..fact(17) };
    let digest = Post { number: None, message: Message { is_digest: true, ..titled("12 facts") }, ..fact(18) };
    let held = Post { message: Message { is_digest: true, ..titled("Held for you") }, ..fact(19) };
    for (post, submitted, leaves) in [
        (&fact(16), "auto-generated", false),
        (&answer, "auto-generated", false),
        (&digest, "auto-generated", true),
        (&held, "auto-generated", false),
    ] {
        let text = letter(&desk, leaving(url), post).await;
        assert_eq!(header(&text, "Auto-Submitted").as_deref(), Some(submitted));
        let wanted = leaves.then(|| format!("<{url}>"));
        assert_eq!(header(&text, "List-Unsubscribe"), wanted);
        let one_click = leaves.then(|| "List-Unsubscribe=One-Click".to_owned());
        assert_eq!(header(&text, "List-Unsubscribe-Post"), one_click);
        assert_eq!(text.matches(url).count() > 1, leaves, "it stands in the text too");
    }
    // Without https anybody on the way could leave for them, and in a header only an address belongs.
    let long = format!("https://{}.example/", "x".repeat(1_000));
    for bad in ["http://bot.example.org/u/1", "https://a.example/\r\nBcc: x", "https://a.example/> <x", &long] {
        let text = letter(&desk, leaving(bad), &digest).await;
        assert_eq!((header(&text, "List-Unsubscribe"), header(&text, "List-Unsubscribe-Post")), (None, None), "{bad}");
    }
}

/// A key that openssl made; none where there is no openssl.
fn openssl(arguments: &[&str]) -> Option<String> {
    let done = std::process::Command::new("openssl").args(arguments).output().ok()?;
    done.status.success().then(|| String::from_utf8(done.stdout).expect("PEM"))
}

#[tokio::test]
async fn letters_are_signed_with_the_keys_that_openssl_makes() {
    let desk = Desk::plain();
    let rsa = ["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"];
    let old = openssl(&["genrsa", "-traditional", "1024"]);
    for (pem, algorithm) in [
        (openssl(&rsa), "rsa-sha256"),
        (old, "rsa-sha256"),
        (openssl(&["genpkey", "-algorithm", "ed25519"]), "ed25519-sha256"),
    ] {
        let Some(pem) = pem else { continue };
        let signer = Signer::new(&pem, "example.org").expect("a key");
        let text = letter(&desk, letters().signed(Some(Arc::new(signer))), &fact(17)).await;
        let signature = header(&text, "DKIM-Signature").expect("signed");
        for part in [&*format!("a={algorithm};"), "d=example.org;", "s=bellwether;", "c=relaxed/relaxed;"] {
            assert!(signature.contains(part), "{part}: {signature}");
        }
        for name in [
            "from",
            "to",
            "subject",
            "date",
            "message-id",
            "in-reply-to",
            "references",
            "auto-submitted",
            "list-unsubscribe",
            "list-unsubscribe-post",
            "mime-version",
            "content-type",
        ] {
            let names = signature.split("h=").nth(1).and_then(|rest| rest.split(';').next()).expect("names");
            assert!(names.split(':').any(|known| known.trim() == name), "{name}: {names}");
        }
    }
}

#[test]
fn a_key_that_is_none_is_told_without_it() {
    let fails = |pem: &str, domain: &str| Signer::new(pem, domain).err().expect("no key").to_string();
    assert!(fails("CANARY", "example.org").contains("no private key"));
    assert!(
        fails("-----BEGIN PRIVATE KEY-----\nQ0FOQVJZ\n-----END PRIVATE KEY-----\n", "example.org")
            .contains("no private key")
    );
    for (arguments, want) in [
        (&["genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"][..], "neither an RSA nor"),
        (&["genpkey", "-algorithm", "x25519"][..], "neither an RSA nor"),
        (&["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:512"][..], "512 bits"),
    ] {
        let Some(pem) = openssl(arguments) else { continue };
        assert!(fails(&pem, "example.org").contains(want), "{arguments:?}: {}", fails(&pem, "example.org"));
    }
    if let Some(pem) = openssl(&["genpkey", "-algorithm", "ed25519"]) {
        assert!(fails(&pem, "localhost").contains("DNS") && fails(&pem, "a b.example").contains("DNS"));
        assert!(Signer::new(&pem, "example.org").is_ok());
    }
}

#[tokio::test]
async fn hostile_texts_make_letters_that_a_strict_server_takes() {
    let desk = Desk::plain();
    for seed in 0..150 {
        let mut evil = post(seed, hostile(seed.unsigned_abs(), seed % 2 == 0));
        // A root that was kept whole, of a text that was as hostile.
        let words = evil.message.plain_lines().join(" ");
        evil.reply_to = (seed % 3 == 0).then(|| format!("<root@example.org> {words}"));
        let remote = match desk.sends(&evil).await {
            Ok(remote) => remote,
            Err(SendError::Rejected(why)) => {
                assert!(why.contains("the server takes"), "{why}");
                continue;
            }
            Err(error) => panic!("{seed}: {error:?}"),
        };
        let taken = one(desk.smtp.letters());
        let head = taken.letter.split("\r\n\r\n").next().expect("a head");
        for line in head.lines().filter(|line| !line.starts_with([' ', '\t'])) {
            let name = line.split(':').next().unwrap_or_default();
            let own = [
                "From",
                "To",
                "Date",
                "Message-ID",
                "Subject",
                "Auto-Submitted",
                "In-Reply-To",
                "References",
                "X-Bellwether-Notice",
                "MIME-Version",
                "Content-Type",
                "Content-Transfer-Encoding",
            ];
            assert!(own.contains(&name), "{seed}: {line}");
        }
        assert!(taken.letter.lines().all(|line| line.len() <= 998), "{seed}");
        // What was kept of it names it again.
        assert_eq!(remote.split(' ').next(), header(&taken.letter, "Message-ID").as_deref());
        assert!(!remote.contains(['\r', '\n']), "{remote:?}");
    }
}
