//! What stands at the other end of each platform's lane? Its fake, its real adapter, and what arrived there by the fake's own log.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bellwether::channels::{
    CodeSlot, Letters, MailHost, MailServer, MailWire, Ntfy, SmsLane, SmsTarget, Twilio, TwilioAccess, http_client,
    tls_config,
};
use bellwether::clock::Clock;
use bellwether::notify::{Channel, SmsBudget};
use bellwether::store::Store;

use crate::chats::{on_discord, on_telegram};
use crate::support::ntfy::{FakeNtfy, Stumble};
use crate::support::smtp::{Act, Setup, Smtp, Step};
use crate::support::twilio::{Desk, FROM, Fault, PHONE, PUBLIC, SID, TOKEN};

/// Enough of a fault that ends by itself for a whole measurement.
const FOR_EVER: usize = 2_000;

/// A message that arrived.
pub(crate) struct Arrived {
    /// What the platform knows it by.
    pub(crate) id: String,
    /// Its words, as they were sent.
    pub(crate) text: String,
    /// When the request had come.
    pub(crate) at: Instant,
}

/// What is the matter with a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It takes what is said and never answers.
    Hangs,
    /// It ends each conversation at once.
    Breaks,
}

/// By what a lane's adapter works.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    /// How long an answer is waited for, where the adapter lets one say.
    pub(crate) patience: Duration,
}

/// A platform.
pub(crate) trait Far: Send + Sync {
    /// What its lanes are called.
    fn name(&self) -> &'static str;

    /// The adapter as the program makes it.
    fn channel(&self, tools: Tools) -> Arc<dyn Channel>;

    /// How much its log holds.
    fn mark(&self) -> usize;

    /// New messages since a mark, in order; not what changed one.
    fn arrived(&self, after: usize) -> Vec<Arrived>;

    /// From now on it is in trouble.
    fn fails(&self, trouble: Trouble);

    /// Everything that was said to it since a mark, changes too.
    fn said(&self, after: usize) -> String {
        self.arrived(after).into_iter().map(|one| one.text).collect()
    }

    /// What time it is there, by a clock that stands still between calls.
    fn at(&self, _ms: i64) {}

    /// The next message is refused for a second.
    fn throttles(&self) {}

    /// Requests for new messages since a mark: when each came, and whether it was refused.
    fn asked(&self, _after: usize) -> Vec<(Instant, bool)> {
        Vec::new()
    }

    /// Whether it keeps to how much it takes.
    fn limits(&self, _on: bool) {}
}

/// Ana's lane there.
pub(crate) fn lane_of(name: &str) -> String {
    format!("ana:{name}")
}

/// All platforms, each with its own fake.
pub(crate) fn all() -> Vec<Arc<dyn Far>> {
    NAMES.map(of).to_vec()
}

pub(crate) const NAMES: [&str; 5] = ["telegram", "discord", "email", "sms", "ntfy"];

/// One platform with a fake of its own.
pub(crate) fn of(name: &str) -> Arc<dyn Far> {
    match name {
        "telegram" => on_telegram(),
        "discord" => on_discord(),
        "email" => Arc::new(ByMail::start()),
        "sms" => Arc::new(BySms { desk: Desk::start(), known: AtomicUsize::new(0) }),
        "ntfy" => Arc::new(ByNtfy::start()),
        other => unreachable!("{other} is no platform here"),
    }
}

#[expect(clippy::disallowed_methods, reason = "the fakes note the machine's time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

pub(crate) fn http(patience: Duration) -> reqwest::Client {
    http_client(None, patience).expect("a client")
}

struct ByMail {
    smtp: Smtp,
    taken: std::sync::Mutex<Vec<(String, Instant)>>,
}

impl ByMail {
    fn start() -> Self {
        let smtp = Smtp::start(0, Setup { size_max: 1 << 20, ..Setup::default() });
        Self { smtp, taken: std::sync::Mutex::default() }
    }

    /// Everything that was taken so far.
    fn taken(&self) -> std::sync::MutexGuard<'_, Vec<(String, Instant)>> {
        let mut taken = self.taken.lock().expect("lock");
        let unfolded = |letter: &str| letter.replace("=\r\n", "").replace("\r\n ", " ");
        taken.extend(self.smtp.letters().into_iter().map(|one| (unfolded(&one.letter), one.at.expect("noted"))));
        taken
    }
}

impl Far for ByMail {
    fn name(&self) -> &'static str {
        "email"
    }

    fn channel(&self, tools: Tools) -> Arc<dyn Channel> {
        let from = "Bellwether <bot@example.org>".parse().expect("a sender");
        let letters = Letters::new(from, "ana@example.net".parse().expect("an address"), [7; 32], tools.clock);
        let tls = Arc::new(tls_config(None).expect("authorities"));
        let (host, port) = ("127.0.0.1".to_owned(), self.smtp.address.port());
        let (patience, thinking) = (tools.patience, tools.patience);
        let host = MailHost { host, port, wire: MailWire::Plain, login: None, tls, patience, thinking };
        Arc::new(MailServer::new(Arc::new(host), letters))
    }

    fn mark(&self) -> usize {
        self.taken().len()
    }

    fn arrived(&self, after: usize) -> Vec<Arrived> {
        let taken = self.taken();
        let letters = taken.iter().enumerate().skip(after);
        letters.map(|(place, (text, at))| Arrived { id: place.to_string(), text: text.clone(), at: *at }).collect()
    }

    fn fails(&self, trouble: Trouble) {
        let act = if trouble == Trouble::Hangs { Act::Silence } else { Act::Reset };
        (0..FOR_EVER).for_each(|_| self.smtp.next(Step::Greeting, act.clone()));
    }
}

struct BySms {
    desk: Desk,
    /// How much of its log is known.
    known: AtomicUsize,
}

impl Far for BySms {
    fn name(&self) -> &'static str {
        "sms"
    }

    fn channel(&self, tools: Tools) -> Arc<dyn Channel> {
        let Tools { store, clock, patience } = tools;
        let access =
            TwilioAccess { sid: SID.to_owned(), token: TOKEN.into(), from: FROM.into(), url: Some(self.desk.url()) };
        let twilio = Twilio::new(access, http(patience), patience, clock.clone());
        let money = |text: &str| text.parse().expect("an amount");
        let budget = SmsBudget::new(store, clock.clone(), (money("0.01"), money("10000")), Arc::new(|_| {}));
        let callback = Some(format!("{PUBLIC}/sms/status"));
        let target = SmsTarget { lane: lane_of("sms").parse().expect("a lane"), to: PHONE.into(), callback };
        Arc::new(SmsLane::new(twilio, target, budget, CodeSlot::default(), clock))
    }

    fn mark(&self) -> usize {
        self.known.fetch_add(self.desk.asked_after(self.known.load(Ordering::SeqCst)).len(), Ordering::SeqCst);
        self.known.load(Ordering::SeqCst)
    }

    fn arrived(&self, after: usize) -> Vec<Arrived> {
        let asked = self.desk.asked_after(after).into_iter().enumerate();
        let told = asked.filter(|(_, asked)| asked.method == "POST" && asked.status == 201);
        told.map(|(place, asked)| Arrived {
            id: (after + place).to_string(),
            text: asked.form["Body"].as_str().unwrap_or_default().to_owned(),
            at: asked.at,
        })
        .collect()
    }

    fn fails(&self, trouble: Trouble) {
        let fault = if trouble == Trouble::Hangs { Fault::Hang { done: false } } else { Fault::ResetBefore };
        self.desk.script(std::iter::repeat_n(fault, FOR_EVER));
    }

    fn throttles(&self) {
        self.desk.script([Fault::Throttle { retry_after: Some(1) }]);
    }

    fn asked(&self, after: usize) -> Vec<(Instant, bool)> {
        let asked = self.desk.asked_after(after).into_iter().filter(|asked| asked.method == "POST");
        asked.map(|asked| (asked.at, asked.status != 201)).collect()
    }

    fn at(&self, ms: i64) {
        self.desk.at(ms);
    }
}

struct ByNtfy {
    fake: FakeNtfy,
    /// How much of its log is known.
    known: AtomicUsize,
    url: String,
}

impl ByNtfy {
    fn start() -> Self {
        let (fake, url) = FakeNtfy::start("");
        Self { fake, known: AtomicUsize::new(0), url }
    }
}

impl Far for ByNtfy {
    fn name(&self) -> &'static str {
        "ntfy"
    }

    fn channel(&self, tools: Tools) -> Arc<dyn Channel> {
        let Tools { clock, patience, .. } = tools;
        let push = Ntfy::new(&self.url, "ana".to_owned(), patience, [7; 32], http(patience), clock);
        Arc::new(push.expect("a topic"))
    }

    fn mark(&self) -> usize {
        self.known.fetch_add(self.fake.taken_after(self.known.load(Ordering::SeqCst)).len(), Ordering::SeqCst);
        self.known.load(Ordering::SeqCst)
    }

    fn arrived(&self, after: usize) -> Vec<Arrived> {
        let taken = self.fake.taken_after(after).into_iter().enumerate();
        let told = taken.map(|(place, pushed)| Arrived {
            id: (after + place).to_string(),
            text: format!("{}\n{}", pushed.title.unwrap_or_default(), pushed.message),
            at: pushed.at.expect("noted"),
        });
        told.collect()
    }

    fn fails(&self, trouble: Trouble) {
        let unwell = Stumble::Answer(502, Vec::new(), String::new());
        let stumble = if trouble == Trouble::Hangs { Stumble::Silent } else { unwell };
        self.fake.script(std::iter::repeat_n(stumble, FOR_EVER));
    }
}
