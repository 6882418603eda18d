//! How well does each platform deliver, by its real adapter against its fake? And what do the others notice of one that is in trouble?

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bellwether::clock::{Clock, ManualClock};
use bellwether::domain::{RouteTable, Severity};
use bellwether::notify::{Abilities, Channel, Failure, Post, Receipt};
use bellwether::store::StoreError;

use crate::far::{Far, NAMES, Tools, Trouble, all, lane_of, of};
use crate::rig::{Flow, percentile};
use crate::support::kills::{KINDS, deadly, draw, is_marked, lost};
use crate::support::post_office::{PostOffice, lane};
use crate::support::sample;
use crate::ways::{Ways, route};
use crate::{Measured, measured};

/// As long as the fakes ever need.
const LONG: Duration = Duration::from_secs(20);

/// What a lane gave to its platform, by the platform's log.
#[derive(Default)]
struct Given {
    known: BTreeSet<String>,
    /// The numbers of notices and the texts of the messages that told them, in order.
    told: Vec<(u64, String)>,
}

impl Given {
    /// The texts that told a notice that was told before.
    fn repeats(&self) -> Vec<&String> {
        let mut seen = BTreeSet::new();
        self.told.iter().filter(|(number, _)| !seen.insert(*number)).map(|(_, text)| text).collect()
    }
}

/// A real adapter; whatever arrives while it sends is noted under the notice's number.
struct Noted {
    far: Arc<dyn Far>,
    adapter: Arc<dyn Channel>,
    clock: Arc<ManualClock>,
    given: Arc<Mutex<Given>>,
}

#[async_trait]
impl Channel for Noted {
    fn abilities(&self) -> Abilities {
        self.adapter.abilities()
    }

    async fn probe(&self) -> Option<Result<(), Failure>> {
        self.adapter.probe().await
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        self.far.at(self.clock.now().ms());
        let mark = self.far.mark();
        let sent = self.adapter.send(post).await;
        let mut given = self.given.lock().expect("lock");
        let fresh = self.far.arrived(mark).into_iter().find(|arrived| given.known.insert(arrived.id.clone()));
        if let (Some(number), None, Some(arrived)) = (post.number, &post.edit, fresh) {
            given.told.push((number.0, arrived.text));
        }
        sent
    }
}

/// A lane with its far end, and what it was given.
type Led = (String, Arc<dyn Far>, Arc<Mutex<Given>>);

/// Ana with a lane on each of some platforms, on a manual clock.
struct Everywhere {
    office: PostOffice,
    lanes: Vec<Led>,
}

impl Everywhere {
    fn new(fars: Vec<Arc<dyn Far>>) -> Self {
        let lanes: Vec<_> = fars.into_iter().map(|far| (lane_of(far.name()), far, Arc::default())).collect();
        let names: Vec<_> = lanes.iter().map(|(name, ..)| lane(name)).collect();
        let mut everywhere = Self { office: PostOffice::new(RouteTable::simple(&names, Severity::Notice)), lanes };
        everywhere.plug();
        everywhere
    }

    /// Each lane gets a new adapter, as after a start.
    fn plug(&mut self) {
        for (name, far, given) in &self.lanes {
            let (store, clock) = (self.office.store.clone(), self.office.clock.clone());
            let adapter = far.channel(Tools { store, clock: clock.clone(), patience: LONG });
            self.office.plug(name, Arc::new(Noted { far: far.clone(), adapter, clock, given: given.clone() }));
        }
    }

    /// No adapter holds the store any more.
    fn unplug(&mut self) {
        for (name, ..) in &self.lanes {
            let wire = self.office.wire(name);
            self.office.plug(name, wire);
        }
    }

    /// Ten facts, and a step of each lane after each.
    fn live(&mut self) -> Result<(), StoreError> {
        for kind in KINDS {
            self.office.try_happen([sample(kind).kind])?;
            for (name, ..) in &self.lanes {
                self.office.try_tick(name)?;
            }
            self.office.clock.advance(700);
        }
        Ok(())
    }

    /// Carries what waits; all of it.
    fn finish(&mut self) {
        let waits = |office: &PostOffice, lanes: &[Led]| lanes.iter().any(|(name, ..)| office.counts(name).open > 0);
        for _ in 0..300 {
            if !waits(&self.office, &self.lanes) {
                break;
            }
            self.office.run_all(1);
        }
        for (name, ..) in &self.lanes {
            assert_eq!(self.office.counts(name).open, 0, "{name}: nothing waits at the end");
        }
    }

    fn repeats(&self) -> Vec<usize> {
        self.lanes.iter().map(|(_, _, given)| given.lock().expect("lock").repeats().len()).collect()
    }
}

/// What became of a lane's messages.
#[derive(Debug, Default, Clone)]
struct Toll {
    name: &'static str,
    accepted: u64,
    lost: u64,
    /// The most repeats by one death.
    repeats_max: usize,
    marked: usize,
    unmarked: usize,
    sent: usize,
}

fn tolls(everywhere: &Everywhere, repeats_max: &[usize]) -> Vec<Toll> {
    let of_lane = |((name, far, given), repeats_max): (&Led, &usize)| {
        let given = given.lock().expect("lock");
        let numbers = given.told.iter().map(|(number, _)| *number).collect();
        let (marked, unmarked): (Vec<_>, Vec<_>) = given.repeats().into_iter().partition(|text| is_marked(text));
        Toll {
            name: far.name(),
            accepted: everywhere.office.counts(name).accepted,
            lost: lost(&everywhere.office, name, &numbers),
            repeats_max: *repeats_max,
            marked: marked.len(),
            unmarked: unmarked.len(),
            sent: given.told.len(),
        }
    };
    everywhere.lanes.iter().zip(repeats_max).map(of_lane).collect()
}

/// Deaths at kill points, with lanes on all platforms.
const DEATHS: u64 = 1_000;
/// How many points are passed at most before one is died at.
const POINTS: u64 = 400;

fn died() -> &'static (usize, Vec<Toll>) {
    static DIED: OnceLock<(usize, Vec<Toll>)> = OnceLock::new();
    DIED.get_or_init(|| {
        let mut everywhere = Everywhere::new(all());
        let hits = Arc::default();
        let mut repeats_max = vec![0; NAMES.len()];
        for death in 0..DEATHS {
            let before = everywhere.repeats();
            let points = deadly(1 + draw(death, 12) % POINTS, &hits);
            everywhere.unplug();
            let died = everywhere.office.restart_with(points).and_then(|()| {
                everywhere.plug();
                everywhere.live()
            });
            assert!(matches!(died, Ok(()) | Err(StoreError::Killed(_))), "{died:?}");
            everywhere.office.clock.advance(1_000);
            for (most, (now, before)) in repeats_max.iter_mut().zip(everywhere.repeats().iter().zip(before)) {
                *most = (*most).max(now - before);
            }
            for (name, ..) in &everywhere.lanes {
                everywhere.office.counts(name);
            }
        }
        everywhere.unplug();
        everywhere.office.restart();
        everywhere.plug();
        everywhere.finish();
        let died = hits.lock().expect("lock").values().sum();
        (died, tolls(&everywhere, &repeats_max))
    })
}

fn toll<'a>(tolls: &'a [Toll], name: &str) -> &'a Toll {
    tolls.iter().find(|toll| toll.name == name).expect("a lane of it")
}

/// R1.
pub(crate) fn gone(name: &str) -> Measured {
    let (died, tolls) = died();
    let Toll { lost, accepted, .. } = toll(tolls, name);
    measured(format!("{lost} of {accepted}; died {died} times"), *lost == 0)
}

/// R3.
pub(crate) fn repeats(name: &str) -> Measured {
    let Toll { repeats_max, marked, unmarked, .. } = toll(&died().1, name);
    let met = if finds(name) { marked + unmarked == 0 } else { *repeats_max <= 1 && *unmarked == 0 };
    measured(format!("{repeats_max}; {marked} marked, {unmarked} not"), met)
}

/// It knows a message again, or looks for it.
fn finds(name: &str) -> bool {
    name == "discord" || name == "sms"
}

/// R2.
pub(crate) fn twice(name: &str) -> Measured {
    static LIVED: OnceLock<Vec<Toll>> = OnceLock::new();
    let lived = LIVED.get_or_init(|| {
        let mut everywhere = Everywhere::new(all());
        for _ in 0..100 {
            everywhere.live().expect("the store works");
            everywhere.office.run_all(5);
        }
        everywhere.finish();
        tolls(&everywhere, &[0; NAMES.len()])
    });
    let Toll { marked, unmarked, sent, lost, .. } = toll(lived, name);
    measured(format!("{} of {sent} messages", marked + unmarked), marked + unmarked + *lost as usize == 0)
}

/// From a fact to what the platform got, in milliseconds, so often.
fn latencies(ways: &Ways, far: &dyn Far, times: usize) -> Vec<f64> {
    (0..times)
        .map(|_| {
            let mark = far.mark();
            let begun = ways.happen(vec![sample("symbol_locked").kind]);
            ways.received(far, mark, "LOCKED").at.duration_since(begun).as_secs_f64() * 1e3
        })
        .collect()
}

/// Facts of which only one platform is told.
const OURS: &[&str] = &["symbol_locked"];

/// R6.
pub(crate) fn idle(name: &str) -> Measured {
    // The bot makes no more than 50 calls a second to Discord, whoever asks: few at a time.
    let mut times: Vec<f64> = (0..10)
        .flat_map(|_| {
            let far = of(name);
            let routes = vec![route(OURS, Severity::Info, std::slice::from_ref(&far))];
            let ways = Ways::new(std::slice::from_ref(&far), routes, Flow::Free, LONG);
            latencies(&ways, far.as_ref(), 5);
            latencies(&ways, far.as_ref(), 20)
        })
        .collect();
    let (p99, p50) = (percentile(&mut times, 99), percentile(&mut times, 50));
    measured(format!("p50 {p50:.2} ms, p99 {p99:.2} ms of 200"), p50 <= 5.0 && p99 <= 25.0)
}

/// R5.
pub(crate) fn throttled(name: &str) -> Measured {
    let far = of(name);
    let routes = vec![route(OURS, Severity::Info, std::slice::from_ref(&far))];
    let ways = Ways::new(std::slice::from_ref(&far), routes, Flow::Free, LONG);
    let (mut within, mut late) = (0, Vec::new());
    for _ in 0..15 {
        let mark = far.mark();
        far.throttles();
        ways.happen(vec![sample("symbol_locked").kind]);
        let received = ways.received(far.as_ref(), mark, "LOCKED").at;
        let asked = far.asked(mark);
        let (refused, _) = *asked.iter().find(|(_, refused)| *refused).expect("it was refused");
        let open = refused + Duration::from_secs(1);
        within += asked.iter().filter(|(at, _)| *at > refused && *at < open).count();
        late.push((received - open).as_secs_f64() * 1e3);
    }
    let p99 = percentile(&mut late, 99);
    measured(format!("{within}; p99 {p99:.0} ms of 15"), within == 0 && p99 <= 250.0)
}

/// In which a platform counts what it takes.
const WINDOW: Duration = Duration::from_secs(5);

/// R7.
pub(crate) fn behind(name: &str) -> Measured {
    let far = of(name);
    far.limits(true);
    let routes = vec![route(&["*"], Severity::Info, std::slice::from_ref(&far))];
    let ways = Ways::new(std::slice::from_ref(&far), routes, Flow::Kept, LONG);
    let (_keep, nothing) = std::sync::mpsc::channel::<()>();
    let mut times = Vec::new();
    for _ in 0..10 {
        ways.happen(vec![sample("order_submitted").kind; 5_000]);
        // Discord takes five messages in as many seconds: more critical ones than that wait for each other, and not for the infos.
        let _ = nothing.recv_timeout(WINDOW);
        times.append(&mut latencies(&ways, far.as_ref(), 1));
    }
    let refused = far.asked(0).iter().filter(|(_, refused)| *refused).count();
    let (p99, p50) = (percentile(&mut times, 99), percentile(&mut times, 50));
    measured(format!("p50 {p50:.0} ms, p99 {p99:.0} ms of 10"), p99 <= 2_000.0 && refused == 0)
}

/// Rounds of each a run alone and a run beside platforms that hang, and messages in a run.
const ROUNDS: usize = 9;
const IN_A_RUN: usize = 40;

/// The median latency of a platform while the others hang, or are not there.
fn median_beside(name: &str, others_hang: bool) -> f64 {
    let far = of(name);
    let mut fars = vec![far.clone()];
    let mut routes = vec![route(OURS, Severity::Info, &fars)];
    if others_hang {
        let others: Vec<_> = NAMES.into_iter().filter(|other| *other != name).map(of).collect();
        for other in &others {
            other.fails(Trouble::Hangs);
        }
        routes.push(route(&["day_closed"], Severity::Info, &others));
        fars.extend(others);
    }
    let ways = Ways::new(&fars, routes, Flow::Free, Duration::from_secs(2));
    ways.happen(vec![sample("day_closed").kind]);
    latencies(&ways, far.as_ref(), 5);
    percentile(&mut latencies(&ways, far.as_ref(), IN_A_RUN), 50)
}

/// R8.
pub(crate) fn beside(name: &str) -> Measured {
    let mut alone = Vec::new();
    let mut slower: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            alone.push(median_beside(name, false));
            (median_beside(name, true) / alone[alone.len() - 1] - 1.0) * 100.0
        })
        .collect();
    let (median, alone) = (percentile(&mut slower, 50), percentile(&mut alone, 50));
    let (least, most) = (slower[0], slower[ROUNDS - 1]);
    measured(format!("{median:+.1} % of {alone:.2} ms ({least:+.1} to {most:+.1} %)"), median <= 5.0)
}

/// R11.
pub(crate) fn told_of_ack(_: &str) -> Measured {
    let mut everywhere = Everywhere::new(all());
    everywhere.office.happen([sample("trading_halted").kind]);
    everywhere.office.run_all(5);
    let marks: Vec<_> = everywhere.lanes.iter().map(|(_, far, _)| far.mark()).collect();
    let begun = everywhere.office.clock.now();
    let notice = everywhere.office.last_notice();
    // By somebody else: a text about it is not spent on whoever knows already.
    everywhere.office.store.acknowledge(notice, "bo", "telegram", begun).expect("stored");
    let mut untold: Vec<_> = everywhere.lanes.iter().map(|(_, far, _)| far.clone()).zip(marks).collect();
    for _ in 0..100 {
        untold.retain(|(far, mark)| !far.said(*mark).contains("cknowledged"));
        if untold.is_empty() {
            break;
        }
        everywhere.office.step_all(1, 100);
    }
    let took = everywhere.office.clock.now().since(begun);
    let never: Vec<_> = untold.iter().map(|(far, _)| far.name()).collect();
    let words = if never.is_empty() { format!("all after {took} ms") } else { format!("not {}", never.join(", ")) };
    measured(words, never.is_empty() && took <= 2_000)
}

/// How long until another platform says that this one is dead, where it ends each conversation; on a manual clock.
fn told_elsewhere(name: &str, other: &str) -> Option<f64> {
    let mut everywhere = Everywhere::new(vec![of(name), of(other)]);
    let (dead, well) = (everywhere.lanes[0].clone(), everywhere.lanes[1].clone());
    dead.1.fails(Trouble::Breaks);
    everywhere.office.happen([sample("day_closed").kind]);
    let begun = everywhere.office.clock.now();
    for _ in 0..1_200 {
        everywhere.office.step_all(1, 100);
        if well.1.said(0).contains(&dead.0) {
            return Some(everywhere.office.clock.now().since(begun) as f64 / 1e3);
        }
    }
    None
}

/// The same where it takes everything and never answers, with the program's patience; by the real clock.
fn told_of_silence(name: &str, other: &str) -> f64 {
    let (dead, well) = (of(name), of(other));
    dead.fails(Trouble::Hangs);
    let fars = [dead, well.clone()];
    let routes = vec![route(&["*"], Severity::Notice, &fars)];
    let patience = Duration::from_secs(if name == "email" { 25 } else { 10 });
    let ways = Ways::new(&fars, routes, Flow::Kept, patience);
    let begun = ways.happen(vec![sample("day_closed").kind]);
    ways.received(well.as_ref(), 0, &lane_of(name)).at.duration_since(begun).as_secs_f64()
}

/// All platforms that never answer, one each of some rigs beside each other.
fn silences() -> &'static Vec<f64> {
    static SILENCES: OnceLock<Vec<f64>> = OnceLock::new();
    SILENCES.get_or_init(|| {
        std::thread::scope(|scope| {
            let rigs: Vec<_> =
                (0..NAMES.len()).map(|place| scope.spawn(move || told_of_silence(NAMES[place], next(place)))).collect();
            rigs.into_iter().map(|rig| rig.join().expect("measured")).collect()
        })
    })
}

fn next(place: usize) -> &'static str {
    NAMES[(place + 1) % NAMES.len()]
}

/// R18.
pub(crate) fn blind(name: &str) -> Measured {
    let place = NAMES.iter().position(|known| *known == name).expect("a platform");
    let silent = silences()[place];
    let broken = told_elsewhere(name, next(place));
    let words = broken.map_or_else(|| "never".to_owned(), |after| format!("{after:.1} s"));
    measured(
        format!("{words} where it breaks, {silent:.1} s where it hangs"),
        broken.is_some_and(|after| after <= 60.0) && silent <= 60.0,
    )
}
