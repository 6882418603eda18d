//! How fast is an answer in a chat, over a large database? Every example of the table of commands, previews by the engine included.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};

use bellwether::chat::{COMMANDS, Chat, ChatParts, Inbound, Person, Place, Reply, Role};
use bellwether::clock::{Clock, DAY_MS, SystemClock, Timestamp};
use bellwether::config::BookConfig;
use bellwether::control::{ChangeDesk, PinCost};
use bellwether::domain::{
    CycleId, Instrument, MarketSnapshot, Mode, Money, RouteTable, Routes, RunContext, RunId, Severity, Style, Timeframe,
};
use bellwether::engine::{DeskSettings, Engine, Pace, Runner, RunnerOptions, RunnerParts, preview, revive};
use bellwether::execution::PaperBroker;
use bellwether::market::{Feed, ResumeError, SimulatedFeed, SimulatedWithHistory};
use bellwether::store::{Reader, RunStart, Saved, Store};
use bellwether::strategy::{Values, find};
use secrecy::SecretString;

use crate::Sample;
use crate::ground::{Ground, millis, temporary};

const SYMBOLS: usize = 250;
const DAYS: i64 = 365;
/// How often each example is asked.
const ROUNDS: usize = 5;
const PIN: &str = "2846";

fn instruments() -> Vec<Instrument> {
    (0..SYMBOLS).map(|number| Instrument::bare(format!("S{number}-USD").parse().expect("a symbol"))).collect()
}

/// A year of days of the simulated market.
struct Year(SimulatedWithHistory);

impl Feed for Year {
    fn instruments(&self) -> &[Instrument] {
        self.0.instruments()
    }

    fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool {
        self.0.next_into(snapshot) && snapshot.at < SimulatedFeed::START.plus_ms(DAYS * DAY_MS)
    }

    fn history_until(&self) -> Timestamp {
        self.0.history_until()
    }

    fn save(&self) -> Option<String> {
        self.0.save()
    }

    fn resume(&mut self, saved: &str) -> Result<(), ResumeError> {
        self.0.resume(saved)
    }
}

fn desk() -> DeskSettings {
    let mut desk = BookConfig::usual().desk;
    desk.symbols = instruments().iter().map(|item| item.symbol).collect();
    desk.capital = Money::whole(1_000_000);
    let kind = find("sma_cross").expect("listed");
    let quick = [("fast", "3"), ("slow", "8")].map(|(key, value)| (key.to_owned(), value.parse().expect("a number")));
    desk.strategies[0].values = Values::check(kind.name, kind.params, &quick).expect("in range");
    let loose = [
        ("positions_max", "60"),
        ("position_pct", "2"),
        ("correlation_max", "1"),
        ("drawdown_pct", "100"),
        ("drawdown_reduce_pct", "100"),
        ("daily_loss_pct", "100"),
        ("open_risk_pct", "100"),
        ("breaker_atr", "1000"),
        ("trades_per_day", "10000"),
        ("liquidity_pct", "1000"),
    ];
    for (key, value) in loose {
        desk.limits.set(key, value.parse().expect("a number")).expect("in range");
    }
    desk
}

/// Trades a year into the store.
fn trade(store: &Store, clock: &Arc<dyn Clock>) {
    let list = instruments();
    let start = SimulatedFeed::history_start(Timeframe::D1, 60, &list);
    let feed = Year(SimulatedWithHistory::new(SimulatedFeed::new(7, Timeframe::D1, list.clone(), start)));
    let started = RunStart {
        mode: "paper".to_owned(),
        feed: "bench".to_owned(),
        dry_run: false,
        started: clock.now(),
        first_cycle: CycleId(1),
    };
    let run = store.start_run(started).expect("noted");
    let (_keep, queue) = channel();
    let lane = "owner:terminal".parse().expect("a lane");
    let parts = RunnerParts {
        engine: Engine::new(&list, vec![desk()]).expect("parameters"),
        broker: PaperBroker::new(&list),
        feed: Box::new(feed),
        store: store.clone(),
        clock: clock.clone(),
        routes: Routes::new(RouteTable::simple(&[lane], Severity::Notice)),
        desk: ChangeDesk::new(store.clone(), clock.clone(), PinCost::LEAST),
        queue,
        emergency: Box::new(|text| panic!("{text}")),
        auditor: None,
    };
    let options = RunnerOptions {
        run,
        started: clock.now(),
        dry_run: false,
        pace: Pace::Max,
        cycles_max: None,
        opening: Vec::new(),
    };
    Runner::new(parts, &Saved::default(), options).run().expect("it runs");
}

/// A chat whose engine is what the year left behind.
fn chat(store: &Store, clock: &Arc<dyn Clock>) -> Chat {
    let saved = Reader::open(store.path()).and_then(|reader| reader.saved()).expect("reads");
    let market = saved.progress.expect("it ran").market;
    let (engine, _) = revive(&instruments(), vec![desk()], &saved).expect("it fits");
    let engine = Mutex::new(engine);
    let context = RunContext {
        run: RunId(1),
        mode: Mode::Paper,
        started: market,
        cycle: CycleId(1),
        now: market,
        cost_budget: Money::ZERO,
        dry_run: false,
    };
    Chat::new(ChatParts {
        database: store.path().to_owned(),
        store: store.clone(),
        desk: ChangeDesk::new(store.clone(), clock.clone(), PinCost::LEAST),
        clock: clock.clone(),
        ask: Arc::new(|_, _| Reply::Text(String::new())),
        preview: Arc::new(move |change, person| {
            let engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
            preview(&engine, change, person, &context).map_err(|why| why.to_string())
        }),
        wake: Arc::new(|| {}),
        drill: Arc::new(|_| Ok(String::new())),
    })
}

pub(crate) fn answers(ground: &Ground) -> Sample {
    let folder = temporary(ground.folder.path());
    let store = Store::open(&folder.path().join("answers.db")).expect("the store opens");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    trade(&store, &clock);
    let chat = chat(&store, &clock);
    chat.set_pin("owner", None, &SecretString::from(PIN)).expect("set");
    let person =
        Person { name: "owner".to_owned(), role: Role::Owner, zone: None, books: None, style: Style::default() };
    let reader = Reader::open(store.path()).expect("opens");
    let books = reader.books().expect("reads");
    let held = books[0].book.positions.len();
    let symbol = books[0].book.positions.first().expect("something is held").symbol;
    let trades = reader.trades(u32::MAX).expect("reads").1;
    let mut times: Vec<(f64, &str)> = Vec::new();
    for _ in 0..ROUNDS {
        for command in COMMANDS {
            let text = command.example.replace("AAPL", symbol.as_str()).replace("MSFT", symbol.as_str());
            let place = Place::Machine;
            let inbound = Inbound { person: person.clone(), place, chat: "terminal".to_owned(), text };
            let begun = ground.clock.steady();
            std::hint::black_box(chat.handle(&inbound));
            times.push((millis(begun, ground.clock.steady()), command.name));
        }
    }
    store.close();
    times.sort_by(|one, other| one.0.total_cmp(&other.0));
    let at = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1].0;
    let slowest = times[times.len() - 1];
    let aside = format!(
        "{} answers to {} commands over {trades} trades, {held} positions; p50 {:.1} ms, the slowest {:.0} ms was /{}",
        times.len(),
        COMMANDS.len(),
        at(50),
        slowest.0,
        slowest.1
    );
    Sample { value: at(99), aside }
}
