//! How does a test talk to the fake? Straight into its world.

use super::fake::hub::Running;
use super::posting::{Post, Spoilt};
use super::start;
use super::world::{Asked, Fault, Sent, World};

/// The account of the tests, its token and sender, and the phone of the person.
pub(crate) const SID: &str = "AC00000000000000000000000000000001";
pub(crate) const TOKEN: &str = "CANARY-token-of-the-account";
pub(crate) const FROM: &str = "+15005550006";
pub(crate) const PHONE: &str = "+351912345678";
/// Where the bot is for the world.
pub(crate) const PUBLIC: &str = "https://bot.example.org";

/// A fake Twilio of its own for one test. It ends when this is dropped.
pub(crate) struct Desk {
    server: Running<World>,
}

impl Desk {
    pub(crate) fn start() -> Self {
        let server = start(0, SID, TOKEN).expect("a free port");
        server.hub.lock().public = PUBLIC.to_owned();
        Self { server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server)
    }

    /// The time there from now on.
    pub(crate) fn at(&self, ms: i64) {
        self.server.hub.lock().now_ms = Some(ms);
    }

    /// What goes wrong with the next requests, one after the other.
    pub(crate) fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.server.hub.lock().faults.extend(faults);
    }

    /// A phone is refused with this number from now on; taken again where it is none.
    pub(crate) fn refuse(&self, phone: &str, code: Option<u32>) {
        let mut world = self.server.hub.lock();
        match code {
            Some(code) => world.refusals.insert(phone.to_owned(), code),
            None => world.refusals.remove(phone),
        };
    }

    /// So many segments may wait at the sender.
    pub(crate) fn queue(&self, segments: usize) {
        self.server.hub.lock().queue_max = segments;
    }

    /// What the account is.
    pub(crate) fn account(&self, status: &str) {
        status.clone_into(&mut self.server.hub.lock().account);
    }

    /// It is a trial account from now on.
    pub(crate) fn trial(&self) {
        self.server.hub.lock().trial = true;
    }

    /// What becomes of each message by itself from now on.
    pub(crate) fn fates(&self, fates: &[&str]) {
        self.server.hub.lock().fates = fates.iter().map(|fate| (*fate).to_owned()).collect();
    }

    /// It takes no message and does not say so, or takes them again.
    pub(crate) fn deaf(&self, deaf: bool) {
        self.server.hub.lock().deaf = deaf;
    }

    /// Every message that was taken.
    pub(crate) fn messages(&self) -> Vec<Sent> {
        self.server.hub.lock().messages.clone()
    }

    /// The texts that were taken.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.messages().into_iter().map(|sent| sent.body).collect()
    }

    /// Every request.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked_after(0)
    }

    /// Every request but so many of the first.
    pub(crate) fn asked_after(&self, count: usize) -> Vec<Asked> {
        self.server.hub.lock().asked[count..].to_vec()
    }

    /// Where posts really go.
    pub(crate) fn deliver_to(&self, address: &str) {
        address.clone_into(&mut self.server.hub.lock().deliver_to);
    }

    /// What a phone texts, ready to be posted, under a new name.
    pub(crate) fn text(&self, from: &str, body: &str, spoilt: Spoilt) -> Post {
        let mut world = self.server.hub.lock();
        let sid = world.name();
        world.text(&sid, from, body, spoilt)
    }

    /// What becomes of a message, ready to be posted.
    pub(crate) fn fate(&self, sid: &str, status: &str, code: Option<u32>, spoilt: Spoilt) -> Post {
        self.server.hub.lock().fate(sid, status, code, spoilt).expect("a message that named an address")
    }

    /// Waits until so many messages contain a text.
    pub(crate) fn wait_for(&self, text: &str, count: usize) -> Vec<String> {
        let hub = &self.server.hub;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let mut changed = hub.changed.subscribe();
            let found = || self.bodies().into_iter().filter(|body| body.contains(text)).collect::<Vec<_>>();
            let enough = changed.wait_for(|_| found().len() >= count);
            let came = tokio::time::timeout(std::time::Duration::from_mins(1), enough).await;
            assert!(came.is_ok(), "no {text:?} came: {:?}", self.bodies());
        });
        self.bodies().into_iter().filter(|body| body.contains(text)).collect()
    }
}
