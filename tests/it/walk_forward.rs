//! Walking forward: what is chosen is the best of the past, what is told is what came next, and neither knows more than it may.

use std::ops::ControlFlow;

use bellwether::backtest::{Candidate, Ran, Walk, WalkError, WalkForward, run};
use bellwether::domain::{Money, Ratio};
use bellwether::engine::DeskSettings;
use bellwether::market::{ReplayFeed, Stretch};
use bellwether::stats::{Performance, PerformanceInput};
use bellwether::strategy::{Values, find};

use crate::support::{Life, opened, quick_cross, walk, write_prices};

/// One book for each pair of lengths.
fn candidates(feed: &ReplayFeed, sets: &[(i64, i64)]) -> Vec<Candidate> {
    let desk = Life::whole(feed.again(Stretch::default()), quick_cross).desks.remove(0);
    let kind = find("sma_cross").expect("listed");
    let candidate = |(fast, slow): &(i64, i64)| {
        let set = [("fast", *fast), ("slow", *slow)].map(|(key, value)| (key.to_owned(), Ratio::whole(value))).to_vec();
        let mut desk = desk.clone();
        desk.strategies[0].values = Values::check(kind.name, kind.params, &set).expect("in range");
        Candidate { set, desk }
    };
    sets.iter().map(candidate).collect()
}

const SETS: [(i64, i64); 4] = [(3, 8), (3, 20), (5, 13), (10, 30)];

fn prices(count: usize) -> (tempfile::TempDir, ReplayFeed) {
    let folder = tempfile::tempdir().expect("folder");
    write_prices(folder.path(), "AAA-USD", &walk(count, 11));
    let feed = opened(folder.path(), &["AAA-USD"], |_| {});
    (folder, feed)
}

fn walked(feed: &ReplayFeed, plan: &str, candidates: &[Candidate], trades_min: usize) -> (WalkForward, Ran) {
    let plan = plan.parse().expect("a plan");
    let zone = candidates[0].desk.zone;
    let walk = Walk { feed, from: None, plan, candidates, trades_min, periods_per_year: 365.0, zone };
    let mut told = Vec::new();
    let result = walk.walk(&mut |done, all| told.push((done, all))).expect("walks");
    assert!(told.is_sorted() && told.last().is_some_and(|(done, all)| done == all));
    result
}

/// One book over one stretch, with everything before it as history.
fn alone(feed: &ReplayFeed, desk: &DeskSettings, from: Stretch) -> Ran {
    run(&mut feed.again(from), vec![desk.clone()], Ran::default(), &mut |_| ControlFlow::Continue(())).expect("runs")
}

/// Everything is recomputed window by window, with the whole past as history instead of the part that the walk takes.
#[test]
fn the_best_of_each_training_is_run_on_the_test_after_it() {
    let (_folder, feed) = prices(1_400);
    let candidates = candidates(&feed, &SETS);
    let (walk, ran) = walked(&feed, "300b,150b", &candidates, 3);
    assert_eq!((walk.steps.len(), walk.sets), (8, 4));
    let (mut equity, mut trips, mut chosen) = (candidates[0].desk.capital, 0, Vec::new());
    for step in &walk.steps {
        let stretch = |from, to| Stretch { from: Some(from), to: Some(to), ..Stretch::default() };
        let sharpe = |candidate: &Candidate| {
            let ran = alone(&feed, &candidate.desk, stretch(step.window.train_from, step.window.test_from));
            let curve = ran.desks[0].curve.points();
            let zone = candidate.desk.zone;
            let input = PerformanceInput { curve: &curve, trades: &[], bars: None, periods_per_year: 365.0, zone };
            let returns = Performance::measure(&input).expect("fits").returns;
            (returns.sharpe.expect("it moved"), returns.total_return, ran.desks[0].trips.len())
        };
        let all: Vec<_> = candidates.iter().map(sharpe).collect();
        assert!(all.iter().all(|(.., trades)| *trades >= 3));
        let best = (0..all.len()).max_by(|a, b| all[*a].0.total_cmp(&all[*b].0)).expect("some");
        assert_eq!(step.chosen.as_ref(), Some(&candidates[best].set), "{step:?} of {all:?}");
        let train = step.train.expect("trained");
        assert_eq!((train.sharpe, train.total_return, train.trades), (Some(all[best].0), all[best].1, all[best].2));
        chosen.push(best);
        let desk = DeskSettings { capital: equity, ..candidates[best].desk.clone() };
        let test = alone(&feed, &desk, stretch(step.window.test_from, step.window.test_to));
        let growth = test.desks[0].equity.to_f64() / equity.to_f64() - 1.0;
        assert!((step.test.total_return.expect("a return") - growth).abs() < 1e-12);
        let count = test.desks[0].trips.len();
        assert_eq!(step.test.trades, count);
        for (told, own) in ran.desks[0].trips[trips..].iter().zip(&test.desks[0].trips) {
            assert_eq!(
                (told.entry_bar, told.exit_bar, told.trade.profit),
                (own.entry_bar, own.exit_bar, own.trade.profit)
            );
        }
        (equity, trips) = (test.desks[0].equity, trips + count);
    }
    assert_eq!((ran.desks[0].equity, ran.desks[0].trips.len()), (equity, trips));
    assert!(trips > 20 && chosen.iter().any(|set| *set != chosen[0]), "not always the same: {chosen:?}");
    let last = feed.instants().last().copied();
    assert_eq!((ran.to, walk.steps.last().map(|step| step.window.test_to)), (last, last));
    assert_eq!(ran.desks[0].bars, 1_100, "every bar after the first training is tested once");
}

/// Later prices change no earlier window: not what is chosen, not how it is tested.
#[test]
fn a_walk_knows_nothing_of_what_comes_later() {
    let (_folder, feed) = prices(1_400);
    let candidates = candidates(&feed, &SETS);
    let (whole, _) = walked(&feed, "300b,150b", &candidates, 3);
    let to = whole.steps[2].window.test_to;
    let (part, _) = walked(&feed.again(Stretch { to: Some(to), ..Stretch::default() }), "300b,150b", &candidates, 3);
    assert_eq!(part.steps, whole.steps[..3]);
    assert_eq!(walked(&feed, "300b,150b", &candidates, 3).0, whole, "whoever works on it");
}

#[test]
fn a_set_without_trades_is_not_chosen_and_one_set_always_is() {
    let (_folder, feed) = prices(700);
    let several = candidates(&feed, &[(3, 8), (3, 20)]);
    let (walk, ran) = walked(&feed, "200b,100b", &several, 1_000);
    assert!(walk.steps.iter().all(|step| step.chosen.is_none() && step.train.is_none() && step.test.trades == 0));
    assert_eq!((ran.desks[0].equity, ran.desks[0].orders.len()), (Money::whole(10_000), 0));
    assert_eq!((walk.return_efficiency(), ran.desks[0].bars), (None, 500), "the days that were not traded are there");
    let one = candidates(&feed, &[(3, 8)]);
    let (walk, ran) = walked(&feed, "200b,100b", &one, 1_000);
    assert!(walk.steps.iter().all(|step| step.chosen.is_some()) && !ran.desks[0].trips.is_empty());
}

#[test]
fn what_does_not_fit_is_refused_with_words() {
    let (_folder, feed) = prices(50);
    let candidates = candidates(&feed, &[(3, 8)]);
    let plan = "2y,6m".parse().expect("a plan");
    let zone = candidates[0].desk.zone;
    let walk =
        Walk { feed: &feed, from: None, plan, candidates: &candidates, trades_min: 3, periods_per_year: 365.0, zone };
    match walk.walk(&mut |_, _| {}) {
        Err(WalkError::Windows(what)) => assert!(what.contains("too short to train for 2y"), "{what}"),
        other => panic!("{:?}", other.map(|(walk, _)| walk)),
    }
}
