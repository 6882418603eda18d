//! Does a decision depend on how long ago the data began? Begin later: once warm, a strategy must say the same.

use std::collections::HashSet;

use crate::clock::Timestamp;
use crate::domain::{CycleId, Holding, MarketSnapshot, Side};
use crate::engine::{Desk, DeskSettings, Engine, StrategySettings, warm};
use crate::market::{Feed, in_parallel};
use crate::strategy::{Strategy, Verdict};

use super::look_ahead::evenly;
use super::run::context;
use super::{BacktestError, Check, Difference};

/// Later beginnings that are tried, at even distances; the last of them would be the end.
const STARTS: usize = 6;
/// What may be held. What a strategy says while an order is under way says nothing.
const HOLDINGS: [Holding; 3] = [Holding::Flat, Holding::Long, Holding::Short];

/// Shows strategies the data from their beginning, `feed(None)`, and from several later times, `feed(Some(after))`, and compares
/// what they say to each bar, whatever is held, once a strategy has seen as many bars as `warm_up` says and one more, since
/// the first of a longer timeframe may be gathered from a part. What counts is to enter, on which side, to leave, or to
/// stay; numbers in the words may differ far behind the point. `progress` hears how many of how many beginnings are taken up.
///
/// # Errors
/// When a strategy refuses its parameters, or the bars cannot be followed.
pub fn check_warm_up<F: Feed>(
    feed: &(dyn Fn(Option<Timestamp>) -> F + Sync),
    desks: &[DeskSettings],
    warm_up: &(dyn Fn(&StrategySettings) -> usize + Sync),
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Check, BacktestError> {
    let mut instants = Vec::new();
    let (mut whole, mut snapshot) = (feed(None), MarketSnapshot::default());
    while whole.next_into(&mut snapshot) {
        instants.push(snapshot.at);
    }
    let mut starts = evenly(&instants, STARTS);
    starts.pop();
    let compare = |start: &Timestamp| Pair::new(feed(None), feed(Some(*start)), desks)?.compare(*start, warm_up);
    let results = in_parallel(&starts, compare, progress).into_iter().collect::<Result<Vec<_>, BacktestError>>()?;
    let compared = results.iter().map(|(compared, _)| compared).sum();
    let differences = results.into_iter().flat_map(|(_, differences)| differences).collect();
    Ok(Check::new("check-warmup", "verdicts", starts.len(), compared, differences))
}

/// The same books over the whole data and over a part that begins later.
struct Pair<F> {
    whole: (F, Engine),
    part: (F, Engine),
}

impl<F: Feed> Pair<F> {
    fn new(whole: F, part: F, desks: &[DeskSettings]) -> Result<Self, BacktestError> {
        let engine = |feed: &F| Engine::new(feed.instruments(), desks.to_vec());
        let engines = (engine(&whole)?, engine(&part)?);
        Ok(Self { whole: (whole, engines.0), part: (part, engines.1) })
    }

    /// How many verdicts were compared, and the first difference of each strategy and symbol.
    fn compare(
        mut self,
        start: Timestamp,
        warm_up: &dyn Fn(&StrategySettings) -> usize,
    ) -> Result<(u64, Vec<Difference>), BacktestError> {
        let (mut now, mut ahead) = (MarketSnapshot::default(), MarketSnapshot::default());
        let mut told = Told::new(&self.part.1, start, warm_up);
        let mut more = self.whole.0.next_into(&mut ahead);
        while self.part.0.next_into(&mut now) {
            while more && ahead.at <= now.at {
                warm(&mut self.whole.1, &ahead, &context(CycleId(0), &ahead))?;
                more = self.whole.0.next_into(&mut ahead);
            }
            warm(&mut self.part.1, &now, &context(CycleId(0), &now))?;
            told.hear(&self.whole.1, &self.part.1, &now);
        }
        Ok((told.compared, told.differences))
    }
}

/// What was heard so far.
struct Told {
    start: Timestamp,
    /// Bars that each run of a strategy still has to see before it is warm: by desk, then by run.
    cold: Vec<Vec<usize>>,
    compared: u64,
    differences: Vec<Difference>,
    /// Strategies and symbols that differed already, by desk and run.
    known: HashSet<(usize, usize)>,
}

impl Told {
    fn new(engine: &Engine, start: Timestamp, warm_up: &dyn Fn(&StrategySettings) -> usize) -> Self {
        let cold_of = |desk: &Desk| {
            let strategies: Vec<usize> = desk.settings.strategies.iter().map(warm_up).collect();
            (0..desk.runs.len()).map(|run| strategies[run % strategies.len()]).collect()
        };
        let cold = engine.desks.iter().map(cold_of).collect();
        Self { start, cold, compared: 0, differences: Vec::new(), known: HashSet::new() }
    }

    fn hear(&mut self, whole: &Engine, part: &Engine, snapshot: &MarketSnapshot) {
        for (number, (desk, other)) in part.desks.iter().zip(&whole.desks).enumerate() {
            let strategies = &desk.settings.strategies;
            for (place, strategy) in strategies.iter().enumerate() {
                let heard = snapshot.bars.iter().filter(|seen| strategy.decides_on(seen)).map(|seen| seen.instrument);
                let mut warm = Vec::new();
                for instrument in heard {
                    let cold = &mut self.cold[number][instrument * strategies.len() + place];
                    if *cold == 0 {
                        warm.push(instrument);
                    }
                    *cold = cold.saturating_sub(1);
                }
                if warm.is_empty() || (strategy.kind.ranks && self.is_ranked_among_cold(whole, (number, place))) {
                    continue;
                }
                for instrument in warm {
                    let run = instrument * strategies.len() + place;
                    self.compared += 1;
                    let differs = difference(other.runs[run].brain.as_ref(), desk.runs[run].brain.as_ref());
                    if let Some(differs) = differs.filter(|_| self.known.insert((number, run))) {
                        let symbol = Some(part.lanes[instrument].instrument.symbol);
                        let what = format!("{} {differs}", strategy.name);
                        self.differences.push(Difference { symbol, at: snapshot.at, what, cut: self.start });
                    }
                }
            }
        }
    }

    /// True while a symbol that still trades has a score with the whole data, and too few bars without them: its rank moves
    /// those of all others.
    fn is_ranked_among_cold(&self, whole: &Engine, (number, place): (usize, usize)) -> bool {
        let desk = &whole.desks[number];
        let run = |lane: usize| lane * desk.settings.strategies.len() + place;
        let is_cold = |lane: usize| self.cold[number][run(lane)] > 0 && !whole.lanes[lane].ended;
        let ranks = |lane: usize| desk.watches(lane) && desk.runs[run(lane)].brain.score().is_some();
        (0..whole.lanes.len()).any(|lane| is_cold(lane) && ranks(lane))
    }
}

/// How the two differ, if they do.
fn difference(whole: &dyn Strategy, part: &dyn Strategy) -> Option<String> {
    let differs = |held: Holding| {
        let (whole, part) = (wish(&whole.judge(held)), wish(&part.judge(held)));
        (whole != part).then(|| {
            let held = match held {
                Holding::Flat => "flat",
                Holding::Long => "long",
                Holding::Short => "short",
                Holding::Busy => "with an order under way",
            };
            format!("{held} would {whole}, and {part} with less history")
        })
    };
    HOLDINGS.into_iter().find_map(differs)
}

/// What a strategy wants, without the numbers that it saw.
fn wish(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Enter { side: Side::Buy, .. } => "buy",
        Verdict::Enter { side: Side::Sell, .. } => "sell",
        Verdict::Exit { .. } => "leave",
        Verdict::Stay(_) => "stay",
    }
}
