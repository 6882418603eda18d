//! Would parameters that were chosen on the past have worked on what came next? Window after window: the best set on the
//! training stretch is run on the stretch that follows it.
//!
//! Of the sets that closed enough trades in training, the one with the highest Sharpe ratio is chosen; of equals the one
//! with the highest return, then the first of the grid. Where none closed enough trades, nothing is traded in that test.
//! Every stretch starts flat and with history before it. Training starts with the book's capital each time, a test with
//! what the one before it ended with, so that the tests together are one result.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use chrono_tz::Tz;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::domain::{AmountError, Money, Ratio};
use crate::engine::{DeskSettings, StrategySettings};
use crate::market::{ReplayFeed, Stretch, in_parallel};
use crate::risk::Limits;
use crate::stats::{Performance, PerformanceInput};

use super::windows::{Plan, Window};
use super::{BacktestError, Ran, run};

/// Bars of history before each stretch, at least.
const HISTORY_BARS_MIN: usize = 500;

/// A set of parameters that is tried.
#[derive(Clone)]
pub struct Candidate {
    /// What tells it from the others; empty where there is only one.
    pub set: Vec<(String, Ratio)>,
    /// The book with these parameters.
    pub desk: DeskSettings,
}

/// What to walk over, and how.
pub struct Walk<'a> {
    /// The prices.
    pub feed: &'a ReplayFeed,
    /// Where training may begin; none for the beginning of the prices.
    pub from: Option<Timestamp>,
    /// How long to train and to test.
    pub plan: Plan,
    /// The sets to choose from, in the order of the grid; at least one.
    pub candidates: &'a [Candidate],
    /// Closed trades in training below which a set is not chosen; for a single set it does not count.
    pub trades_min: usize,
    /// How many daily returns make a year.
    pub periods_per_year: f64,
    /// The zone that cuts days.
    pub zone: Tz,
}

/// How a stretch went. Shares are fractions; what is not defined is none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Score {
    /// Growth from its beginning to its end.
    pub total_return: Option<f64>,
    /// Sharpe ratio of its daily returns, annualised.
    pub sharpe: Option<f64>,
    /// Closed trades.
    pub trades: usize,
    /// Daily returns it has.
    pub days: usize,
}

/// One window and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its times.
    pub window: Window,
    /// The set that was chosen; none where no set closed enough trades in training, or nothing was left to trade with.
    pub chosen: Option<Vec<(String, Ratio)>>,
    /// How the chosen set went in training.
    pub train: Option<Score>,
    /// How the test went.
    pub test: Score,
}

/// What came of a walk.
#[derive(Debug, Clone, PartialEq)]
pub struct WalkForward {
    /// How long it trained and tested.
    pub plan: Plan,
    /// How many sets it chose from.
    pub sets: usize,
    /// Closed trades in training below which a set was not chosen.
    pub trades_min: usize,
    /// The windows in order.
    pub steps: Vec<Step>,
}

/// Why a walk could not be walked.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The windows do not fit the prices.
    #[error("{0}")]
    Windows(String),
    /// A stretch could not be run.
    #[error(transparent)]
    Run(#[from] BacktestError),
}

impl WalkForward {
    /// Return a day in the tests over return a day in training, of the windows that were traded. None if training lost.
    pub fn return_efficiency(&self) -> Option<f64> {
        let a_day = |of: fn(&Step) -> Option<Score>| {
            let scores: Vec<Score> = self.traded().filter_map(of).collect();
            let sum: f64 = scores.iter().filter_map(|score| score.total_return).sum();
            let days: usize = scores.iter().map(|score| score.days).sum();
            (days > 0).then(|| sum / days as f64)
        };
        quotient(a_day(|step| Some(step.test)), a_day(|step| step.train))
    }

    /// Mean Sharpe ratio of the tests over that of training, of the windows that were traded. None if training lost.
    pub fn sharpe_efficiency(&self) -> Option<f64> {
        let mean = |of: fn(&Step) -> Option<Score>| {
            let all: Vec<f64> = self.traded().filter_map(of).filter_map(|score| score.sharpe).collect();
            (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
        };
        quotient(mean(|step| Some(step.test)), mean(|step| step.train))
    }

    fn traded(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.chosen.is_some())
    }
}

fn quotient(test: Option<f64>, train: Option<f64>) -> Option<f64> {
    let quotient = test? / train.filter(|train| *train > 0.0)?;
    quotient.is_finite().then_some(quotient)
}

impl Walk<'_> {
    /// Walks. `progress` hears how many of how many trainings are taken up.
    ///
    /// # Errors
    /// When the windows do not fit the prices, or a stretch could not be run.
    pub fn walk(&self, progress: &mut dyn FnMut(usize, usize)) -> Result<(WalkForward, Ran), WalkError> {
        let windows = self.plan.windows(&self.feed.instants(), self.from).map_err(WalkError::Windows)?;
        let sets = self.candidates.len();
        let jobs: Vec<(Window, usize)> =
            windows.iter().flat_map(|window| (0..sets).map(move |set| (*window, set))).collect();
        let trained = in_parallel(&jobs, |(window, set)| self.train(*window, *set), progress);
        let trained = trained.into_iter().collect::<Result<Vec<Score>, BacktestError>>()?;
        let (mut steps, mut ran) = (Vec::new(), Ran::default());
        for (window, scores) in windows.into_iter().zip(trained.chunks(sets)) {
            let equity = ran.desks.first().map_or(self.candidates[0].desk.capital, |desk| desk.equity);
            let best = self.best(scores).filter(|_| equity > Money::ZERO);
            let test;
            (test, ran) = self.test(window, best, equity, ran)?;
            let chosen = best.map(|set| self.candidates[set].set.clone());
            steps.push(Step { window, chosen, train: best.map(|set| scores[set]), test });
        }
        let (plan, trades_min) = (self.plan, self.trades_min);
        Ok((WalkForward { plan, sets, trades_min, steps }, ran))
    }

    /// Runs one set over the training stretch of a window.
    fn train(&self, window: Window, set: usize) -> Result<Score, BacktestError> {
        let desk = self.candidates[set].desk.clone();
        let mut feed = self.stretch(window.train_from, window.test_from);
        let ran = run(&mut feed, vec![desk], Ran::default(), &mut |_| ControlFlow::Continue(()))?;
        Ok(self.score(&ran, 0, None)?)
    }

    /// Runs the chosen set over the test stretch of a window, after the tests before it.
    fn test(
        &self,
        window: Window,
        best: Option<usize>,
        equity: Money,
        before: Ran,
    ) -> Result<(Score, Ran), BacktestError> {
        let mut desk = DeskSettings { capital: equity, ..self.candidates[best.unwrap_or(0)].desk.clone() };
        if best.is_none() {
            desk.strategies.clear();
        }
        let trips = before.desks.first().map_or(0, |desk| desk.trips.len());
        let mut feed = self.stretch(window.test_from, window.test_to);
        let ran = run(&mut feed, vec![desk], before, &mut |_| ControlFlow::Continue(()))?;
        Ok((self.score(&ran, trips, Some((window.test_from, equity)))?, ran))
    }

    /// The prices between two times, with the history that decisions and limits look back on.
    fn stretch(&self, from: Timestamp, to: Timestamp) -> ReplayFeed {
        let looks_back = |candidate: &Candidate| {
            let correlation = Limits::count(candidate.desk.limits.correlation_bars);
            let warm_ups = candidate.desk.strategies.iter().map(StrategySettings::warm_up);
            warm_ups.fold(usize::try_from(correlation).unwrap_or(usize::MAX), usize::max)
        };
        let bars = self.candidates.iter().map(looks_back).fold(HISTORY_BARS_MIN, usize::max);
        let after = self.feed.back(from, bars);
        self.feed.again(Stretch { after, from: Some(from), to: Some(to), is_cut: false })
    }

    /// How a run went from its start, or from a point in it, after so many closed trades.
    fn score(&self, ran: &Ran, trips: usize, start: Option<(Timestamp, Money)>) -> Result<Score, AmountError> {
        let Some(desk) = ran.desks.first() else { return Ok(Score::default()) };
        let mut curve = desk.curve.points();
        if let Some(start) = start {
            curve.retain(|(at, _)| *at > start.0);
            curve.insert(0, start);
        }
        let (periods_per_year, zone) = (self.periods_per_year, self.zone);
        let input = PerformanceInput { curve: &curve, trades: &[], bars: None, periods_per_year, zone };
        let returns = Performance::measure(&input)?.returns;
        let trades = desk.trips.len() - trips;
        Ok(Score { total_return: returns.total_return, sharpe: returns.sharpe, trades, days: returns.days })
    }

    /// The set to run, by the rules above.
    fn best(&self, scores: &[Score]) -> Option<usize> {
        if let [_] = scores {
            return Some(0);
        }
        let enough = scores.iter().enumerate().filter(|(_, score)| score.trades >= self.trades_min);
        enough.reduce(|best, next| if is_better(next.1, best.1) { next } else { best }).map(|(set, _)| set)
    }
}

/// True if a set goes before one that stands earlier in the grid.
fn is_better(next: &Score, best: &Score) -> bool {
    let order = |next: Option<f64>, best: Option<f64>| match (next, best) {
        (Some(next), Some(best)) => next.total_cmp(&best),
        (next, best) => next.is_some().cmp(&best.is_some()),
    };
    let by_sharpe = order(next.sharpe, best.sharpe);
    by_sharpe.then_with(|| order(next.total_return, best.total_return)) == Ordering::Greater
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(sharpe: Option<f64>, total_return: f64, trades: usize) -> Score {
        Score { total_return: Some(total_return), sharpe, trades, days: 10 }
    }

    #[test]
    fn sharpe_goes_first_then_return_then_the_order_of_the_grid() {
        let better = |next: Score, best: Score| is_better(&next, &best);
        assert!(better(score(Some(1.1), 0.0, 9), score(Some(1.0), 5.0, 9)));
        assert!(better(score(Some(1.0), 0.2, 9), score(Some(1.0), 0.1, 9)));
        assert!(!better(score(Some(1.0), 0.1, 9), score(Some(1.0), 0.1, 9)), "the first of equals stays");
        assert!(!better(score(None, 9.0, 9), score(Some(-1.0), -0.5, 9)), "no ratio goes last");
        assert!(better(score(None, 0.2, 9), score(None, 0.1, 9)));
    }

    #[test]
    fn efficiency_compares_days_of_tests_with_days_of_training() {
        let window = Window {
            train_from: Timestamp::from_ms(0),
            test_from: Timestamp::from_ms(1),
            test_to: Timestamp::from_ms(2),
        };
        let step = |train: Option<Score>, test: Score| Step { window, chosen: train.map(|_| Vec::new()), train, test };
        let steps = vec![
            step(Some(Score { days: 40, ..score(Some(2.0), 0.4, 9) }), score(Some(1.0), 0.05, 2)),
            step(Some(Score { days: 40, ..score(Some(1.0), 0.4, 9) }), score(Some(-0.5), -0.02, 2)),
            step(None, score(None, 0.0, 0)),
        ];
        let plan = "40b,10b".parse().expect("a plan");
        let mut walk = WalkForward { plan, sets: 2, trades_min: 3, steps };
        assert!((walk.return_efficiency().unwrap() - 0.03 / 20.0 / 0.01).abs() < 1e-12);
        assert!((walk.sharpe_efficiency().unwrap() - 0.25 / 1.5).abs() < 1e-12);
        for step in &mut walk.steps {
            step.train = step.train.map(|train| score(train.sharpe.map(|sharpe| -sharpe), -0.1, 9));
        }
        assert_eq!((walk.return_efficiency(), walk.sharpe_efficiency()), (None, None));
    }
}
