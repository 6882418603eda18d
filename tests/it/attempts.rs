//! Who gets a change through that they should not? A hundred thousand generated attempts at the desk, and every right one works once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bellwether::chat::{Chat, ChatParts, Inbound, PadKey, Pads, Person, Place, Pressed, Reply, Role};
use bellwether::clock::{Clock, ManualClock, Timestamp};
use bellwether::control::{
    Change, ChangeDesk, Control, ControlRules, DeskError, Factors, PinCost, Rights, TWO_VALID_MS, Taken, Tier, VALID_MS,
};
use bellwether::domain::{BookAction, Instrument, Label, Preview, Style, TradingState};
use bellwether::store::{Reader, Store};
use secrecy::{ExposeSecret, SecretString};
use totp_rs::{Builder, Secret, Totp};

use crate::support::{Bench, Fault, FaultyFeed, Life};

/// Attempts in all, in two worlds side by side.
const ATTEMPTS: u64 = 100_000;
/// The PIN of each person, in their order; nobody has another's.
const PINS: [&str; 4] = ["284691", "739105", "605824", "917352"];
const CHATS: [&str; 3] = ["telegram:1", "discord:2", "terminal"];
const ANA: usize = 0;
const VIC: usize = 2;

/// Numbers that are the same at each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len() as u64) as usize]
    }
}

fn main_book() -> Label {
    "main".parse().expect("a name")
}

/// Ana owns it and shows PIN and code; Bo operates; Vic only looks; Cy operates one book.
fn person(who: usize) -> Person {
    let (name, role) =
        [("ana", Role::Owner), ("bo", Role::Operator), ("vic", Role::Viewer), ("cy", Role::Operator)][who];
    let books = (who == 3).then(|| vec![main_book()]);
    Person { name: name.to_owned(), role, zone: None, books, style: Style::default() }
}

fn rules() -> ControlRules {
    ControlRules { owner: Factors::Both, two_persons: vec![Tier::Grave], ..ControlRules::default() }
}

/// What was shown, and what the test knows of it.
#[derive(Clone)]
struct Shown {
    id: i64,
    who: usize,
    chat: &'static str,
    expires: Timestamp,
    change: Change,
    open: bool,
}

/// Tries at somebody's PIN.
#[derive(Default, Clone)]
struct Lock {
    wrong: u32,
    lockouts: u32,
    until: i64,
    /// The last wrong one.
    last: i64,
}

/// What somebody tries.
struct Attempt {
    id: i64,
    who: usize,
    chat: &'static str,
    place: Place,
    typed: String,
}

struct World {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    store: Option<Store>,
    chat: Chat,
    pads: Pads,
    app: Totp,
    dice: Dice,
    shown: Vec<Shown>,
    /// Prompts to agree, and whose they are.
    prompts: HashMap<i64, (usize, &'static str)>,
    locks: HashMap<usize, Lock>,
    used_step: i64,
    attempts: u64,
    expected: Vec<i64>,
    done: Vec<i64>,
}

fn chat_on(store: &Store, clock: &Arc<ManualClock>) -> Chat {
    let desk = ChangeDesk::new(store.clone(), clock.clone(), PinCost::LEAST).ruled_by(rules());
    Chat::new(ChatParts {
        database: store.path().to_owned(),
        store: store.clone(),
        desk,
        clock: clock.clone(),
        ask: Arc::new(|_, _| Reply::Text(String::new())),
        preview: Arc::new(|_, _| Err("nobody plans here".to_owned())),
        wake: Arc::new(|| {}),
        drill: Arc::new(|_| Ok(String::new())),
    })
}

/// A folder in memory where the machine has one: a hundred thousand transactions would wait for the disk.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("folder")
}

impl World {
    fn new(seed: u64) -> Self {
        let folder = folder();
        let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_800_000_000_000)));
        let store = Store::open(&folder.path().join("a.db")).expect("opens");
        let chat = chat_on(&store, &clock);
        let desk = ChangeDesk::new(store.clone(), clock.clone(), PinCost::LEAST);
        for (who, pin) in PINS.iter().enumerate() {
            desk.set_pin(&person(who).name, None, &SecretString::from(*pin)).expect("set");
        }
        let new = desk.new_app("ana").expect("drawn");
        let secret = Secret::try_from_base32(new.secret().expose_secret()).expect("base 32");
        let app = Builder::new().with_secret(secret).with_account_name("ana").build().expect("long enough");
        let now = clock.now().ms() as u64 / 1000;
        let code = SecretString::from(app.generate(now).to_string());
        desk.keep_app("ana", Some(&SecretString::from(PINS[ANA])), &new, &code).expect("kept");
        let used_step = (now / 30) as i64;
        Self {
            folder,
            clock,
            store: Some(store),
            chat,
            pads: Pads::default(),
            app,
            dice: Dice(seed),
            shown: Vec::new(),
            prompts: HashMap::new(),
            locks: HashMap::new(),
            used_step,
            attempts: 0,
            expected: Vec::new(),
            done: Vec::new(),
        }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().expect("open")
    }

    fn desk(&self, who: usize) -> ChangeDesk {
        let desk = ChangeDesk::new(self.store().clone(), self.clock.clone(), PinCost::LEAST).ruled_by(rules());
        desk.within(person(who).books).for_owner(who == ANA)
    }

    fn inbound(who: usize, chat: &str, place: Place) -> Inbound {
        Inbound { person: person(who), place, chat: chat.to_owned(), text: String::new() }
    }

    fn code_at(&self, ms: i64) -> String {
        self.app.generate(ms as u64 / 1000).to_string()
    }

    /// What this person enters when all is well.
    fn right(&self, who: usize) -> String {
        if who == ANA { format!("{}{}", PINS[who], self.code_at(self.clock.now().ms())) } else { PINS[who].to_owned() }
    }

    /// A change is shown to somebody who may make it, and a pad is opened for it.
    fn show(&mut self) {
        let who = self.dice.one_of(&[ANA, 1, 3]);
        let chat = self.dice.one_of(&CHATS);
        let book = Some(main_book());
        let control = match self.dice.roll(3) {
            0 => Control::Book { action: BookAction::Reset, book },
            1 => Control::Book { action: BookAction::Pause, book },
            _ => Control::Resume,
        };
        let change = Change { control, books: person(who).books };
        let now = self.clock.now();
        let Ok(shown) = self.desk(who).show(&change, &person(who).name, chat, &Preview::of_words("It would")) else {
            return assert!(self.locks[&who].until > now.ms(), "shown but where it is locked");
        };
        for other in self.shown.iter_mut().filter(|other| other.who == who && other.chat == chat) {
            other.open = false;
        }
        let two = change.control.tier() == Tier::Grave;
        assert_eq!(shown.expires.since(now), if two { TWO_VALID_MS } else { VALID_MS });
        self.pads.open(shown.id, chat, shown.expires, now);
        self.shown.push(Shown { id: shown.id, who, chat, expires: shown.expires, change, open: true });
    }

    /// Something that was shown lately, or nothing that ever was.
    fn some_id(&mut self) -> i64 {
        let lately = self.shown.len().saturating_sub(12);
        match self.dice.roll(8) {
            0 => self.dice.one_of(&[0, -1, i64::MAX, i64::MIN, 1 << 40]),
            1 => self.dice.roll(1 << 20) as i64,
            _ if self.shown.is_empty() => 1,
            _ => {
                let at = lately + self.dice.roll((self.shown.len() - lately) as u64) as usize;
                self.shown[at].id
            }
        }
    }

    fn some_secret(&mut self, who: usize) -> String {
        let now = self.clock.now().ms();
        match self.dice.roll(9) {
            0 => String::new(),
            1 => format!("{:06}", self.dice.roll(1_000_000)),
            2 => PINS[self.dice.roll(4) as usize].to_owned(),
            3 => self.code_at(now),
            // A code of another minute, and one that was used.
            4 => format!("{}{}", PINS[ANA], self.code_at(now - 90_000)),
            5 => format!("{}{}", PINS[ANA], self.code_at(self.used_step * 30_000)),
            6 => format!("{}{}", PINS[1], self.code_at(now)),
            7 => "9".repeat(self.dice.roll(40) as usize),
            _ => self.right(who),
        }
    }

    /// Half of the attempts are nearly right: one thing about them is not, or nothing.
    fn attempt(&mut self) -> Attempt {
        let group = Place::Group { name: None, hides_amounts: false, acks: true };
        let last = self.shown.last().cloned();
        if let Some(last) = last.filter(|_| self.dice.roll(2) == 0) {
            let mut attempt = Attempt {
                id: last.id,
                who: last.who,
                chat: last.chat,
                place: Place::Private,
                typed: self.right(last.who),
            };
            match self.dice.roll(8) {
                0 => attempt.who = self.dice.roll(4) as usize,
                1 => attempt.chat = self.dice.one_of(&CHATS),
                2 => attempt.place = group,
                3 => attempt.id = self.some_id(),
                4 | 5 => attempt.typed = self.some_secret(last.who),
                6 => self.clock.advance(i64::try_from(self.dice.roll(400_000)).expect("small")),
                _ => {}
            }
            return attempt;
        }
        let who = self.dice.roll(4) as usize;
        Attempt {
            id: self.some_id(),
            who,
            chat: self.dice.one_of(&CHATS),
            place: if self.dice.roll(9) == 0 { group } else { Place::Private },
            typed: self.some_secret(who),
        }
    }

    /// Whether what was typed is right, as the test sees it; a right code is used by that.
    fn is_right(&mut self, who: usize, typed: &str) -> bool {
        if who != ANA {
            return typed == PINS[who];
        }
        let now = self.clock.now().ms();
        let steps = [-30_000, 0, 30_000].map(|by| (now + by) / 30_000);
        let Some(code) = typed.strip_prefix(PINS[ANA]) else { return false };
        let step = steps.into_iter().find(|step| self.code_at(step * 30_000) == code);
        let fresh = step.filter(|step| *step > self.used_step);
        self.used_step = fresh.unwrap_or(self.used_step);
        fresh.is_some()
    }

    /// Whether it gets through the lock-out and is right.
    fn passes(&mut self, who: usize, typed: &str) -> bool {
        let now = self.clock.now().ms();
        let lock = self.locks.entry(who).or_default().clone();
        if lock.until > now {
            return false;
        }
        let right = self.is_right(who, typed);
        let lock = self.locks.entry(who).or_default();
        lock.last = if right { lock.last } else { now };
        if right {
            // It takes wrong ones back when they are an hour old.
            if now - lock.last >= 3_600_000 {
                *lock = Lock::default();
            }
        } else if lock.wrong + 1 >= 5 {
            let until = now + (900_000 << lock.lockouts.min(10));
            *lock = Lock { wrong: 0, lockouts: lock.lockouts + 1, until, last: now };
        } else {
            lock.wrong += 1;
        }
        right
    }

    /// Somebody tries; what the desk does is what it should.
    fn try_once(&mut self) {
        self.attempts += 1;
        let attempt = self.attempt();
        if self.prompts.get(&attempt.id) == Some(&(attempt.who, attempt.chat)) {
            return;
        }
        let now = self.clock.now();
        let inbound = Self::inbound(attempt.who, attempt.chat, attempt.place);
        let mut typed = SecretString::from(attempt.typed.as_str());
        // Every fourth goes through a pad, whose buttons say which prompt they belong to.
        if self.dice.roll(4) == 0 {
            let keys = attempt.typed.chars().map(PadKey::Digit).chain([PadKey::Done]);
            let pressed = keys.map(|key| self.pads.press(attempt.id, attempt.chat, key, now)).last();
            match pressed {
                Some(Pressed::Pin(pressed)) => typed = pressed,
                _ => return,
            }
        }
        let taken = self.chat.confirm(&inbound, attempt.id, &typed);
        let may = attempt.who != VIC && attempt.place == Place::Private;
        let at = self.shown.iter().position(|shown| {
            shown.id == attempt.id && shown.who == attempt.who && shown.chat == attempt.chat && shown.open && may
        });
        let Some(at) = at else {
            return assert!(taken.is_err(), "{} in {} got {taken:?}", attempt.who, attempt.chat);
        };
        if self.shown[at].expires < now {
            self.shown[at].open = false;
            return assert!(matches!(taken, Err(DeskError::Expired)), "{taken:?}");
        }
        if !self.passes(attempt.who, typed.expose_secret()) {
            return assert!(taken.is_err(), "{taken:?}");
        }
        self.shown[at].open = false;
        let shown = self.shown[at].clone();
        if shown.change.control.tier() == Tier::Grave {
            assert!(matches!(taken, Ok(Taken::Waits(..))), "{taken:?}");
            self.agree(&shown);
        } else {
            assert!(matches!(taken, Ok(Taken::Confirmed(id)) if id == shown.id), "right and refused: {taken:?}");
            self.expected.push(shown.id);
            self.carry_out();
        }
    }

    /// The others try to agree to what waits: not whoever asked, not who may not change those books, not who only looks.
    fn agree(&mut self, of: &Shown) {
        for _ in 0..self.dice.roll(6) {
            self.attempts += 1;
            let (who, chat) = (self.dice.roll(4) as usize, self.dice.one_of(&CHATS));
            self.clock.advance(i64::try_from(self.dice.roll(120_000)).expect("small"));
            let now = self.clock.now();
            let prompt = self.desk(who).show_waiting(of.id, &person(who).name, chat);
            let reaches = person(who).books.is_none() || of.change.books.is_some();
            let Ok((prompt, _)) = prompt else { continue };
            assert!(who != of.who && reaches && now <= of.expires);
            self.prompts.insert(prompt.id, (who, chat));
            for other in self.shown.iter_mut().filter(|other| other.who == who && other.chat == chat) {
                other.open = false;
            }
            let typed = if self.dice.roll(2) == 0 { self.right(who) } else { self.some_secret(who) };
            let inbound = Self::inbound(who, chat, Place::Private);
            let taken = self.chat.confirm(&inbound, prompt.id, &SecretString::from(typed.as_str()));
            if who == VIC || !self.passes(who, &typed) {
                assert!(taken.is_err(), "{taken:?}");
                continue;
            }
            assert!(matches!(taken, Ok(Taken::Confirmed(id)) if id == of.id), "right and refused: {taken:?}");
            self.expected.push(of.id);
            self.carry_out();
            let again = self.chat.confirm(&inbound, prompt.id, &SecretString::from(self.right(who)));
            assert!(again.is_err());
            return;
        }
    }

    /// Two answers at once: one of them wins.
    fn race(&mut self) {
        let Some(last) = self.shown.last().filter(|last| last.open && last.who != ANA).cloned() else { return };
        let now = self.clock.now();
        let locked = self.locks.get(&last.who).is_some_and(|lock| lock.wrong + lock.lockouts > 0);
        if last.expires < now || locked {
            return;
        }
        self.attempts += 2;
        let answer = |chat: Chat| {
            let (inbound, typed) = (Self::inbound(last.who, last.chat, Place::Private), PINS[last.who]);
            chat.confirm(&inbound, last.id, &SecretString::from(typed)).is_ok()
        };
        let others = [self.chat.clone(), self.chat.clone()];
        let won = std::thread::scope(|scope| {
            let both = others.map(|chat| scope.spawn(|| answer(chat)));
            both.map(|one| one.join().expect("answers")).into_iter().filter(|won| *won).count()
        });
        assert_eq!(won, 1, "first answer wins");
        let at = self.shown.len() - 1;
        self.shown[at].open = false;
        if last.change.control.tier() == Tier::Grave {
            return self.agree(&last);
        }
        self.expected.push(last.id);
        self.carry_out();
    }

    /// Everything that was confirmed is carried out, as the engine does.
    fn carry_out(&mut self) {
        let rights = |name: &str| {
            let found = [ANA, 1, 3].map(person).into_iter().find(|person| person.name == name)?;
            Some(Rights { is_owner: found.role == Role::Owner, books: found.books })
        };
        let desk = self.desk(ANA).knowing(Arc::new(rights));
        while let Some(confirmed) = desk.claim().expect("reads") {
            assert!(self.store().move_control(confirmed.id(), "claimed", "done").expect("moved"));
            self.done.push(confirmed.id());
        }
    }

    /// The bot is started anew between preview and PIN.
    fn restart(&mut self) {
        let path = self.folder.path().join("a.db");
        let nobody = Store::open(&path).expect("opens");
        self.chat = chat_on(&nobody, &self.clock);
        if let Some(store) = self.store.replace(nobody) {
            store.close();
        }
    }

    fn live(mut self, attempts: u64) -> Self {
        let mut round = 0;
        while self.attempts < attempts {
            round += 1;
            self.clock.advance(i64::try_from(self.dice.roll(45_000)).expect("small"));
            self.show();
            if round % 16 == 0 {
                self.race();
            }
            if round % 256 == 0 {
                self.restart();
            }
            for _ in 0..self.dice.roll(14) {
                self.try_once();
            }
            self.carry_out();
        }
        self
    }
}

#[test]
fn of_a_hundred_thousand_attempts_the_right_ones_work_once_and_no_other() {
    let worlds = std::thread::scope(|scope| {
        [1, 2]
            .map(|seed| scope.spawn(move || World::new(seed).live(ATTEMPTS / 2)))
            .map(|world| world.join().expect("lives"))
    });
    let (mut tried, mut right) = (0, 0);
    for world in worlds {
        let (mut expected, mut done) = (world.expected.clone(), world.done.clone());
        let once: HashSet<i64> = done.iter().copied().collect();
        assert_eq!(once.len(), done.len(), "nothing is done twice");
        expected.sort_unstable();
        done.sort_unstable();
        assert_eq!(expected, done, "what was right was done, and nothing else");
        assert_eq!(Reader::open(world.store().path()).expect("opens").verify_audit().expect("reads").1, None);
        (tried, right) = (tried + world.attempts, right + done.len());
    }
    assert!(tried >= ATTEMPTS && right > 2_000, "{right} of {tried} were right");
    eprintln!("{right} of {tried} were right and done once; 0 others");
}

/// What may take two persons is not taken back by one of them at less.
#[test]
fn a_grave_change_is_not_taken_back() {
    let bench = Bench::new();
    let piece = || {
        let symbols = vec![Instrument::bare("BTC-USD".parse().expect("symbol"))];
        let feed = FaultyFeed::new(3, symbols, 200, |_, _, _| None::<Fault>);
        bench.live(Life { cycles_max: Some(20), ..Life::whole(feed, |_| {}) }).expect("runs");
    };
    piece();
    for (line, said, left) in [("/book pause main", false, true), ("/book stop main", true, false)] {
        let shown = bench.confirm(line);
        assert_eq!(shown.contains("cannot be taken back"), said, "{shown}");
        piece();
        assert_eq!(bench.saved().books[0].state, TradingState::Reducing, "{line}");
        let last = bench.reader().undoable_control("owner", bench.clock.now().plus_ms(-1_000)).expect("reads");
        assert_eq!(last.is_some_and(|found| found.words.starts_with(line)), left, "{line}");
    }
}
