//! A market that stands where a test wants it, and what a person did in it.

use bellwether::domain::{Bar, Instrument, Order, Position, Purpose, Quantity};
use bellwether::engine::DeskSettings;

use super::{Bench, Life, ListFeed, flat_bars};

/// What stands at 100 where nothing else is said.
pub(crate) const COIN: &str = "BTC-USD";
/// How long each market lasts.
pub(crate) const DAYS: usize = 60;

type Change = fn(&mut DeskSettings);

/// Markets of these days, in a book that may do much.
#[derive(Clone)]
pub(crate) struct Market {
    pub(crate) list: Vec<(Instrument, Vec<Bar>)>,
    change: Change,
    /// A second book beside the first.
    second: Option<&'static str>,
}

impl Market {
    /// Coins and shares that stand at 100.
    pub(crate) fn calm(symbols: &[&str]) -> Self {
        Self::of(symbols.iter().map(|symbol| (*symbol, flat_bars(&[100; DAYS]))).collect())
    }

    /// A coin that stands at 100, and goes on like this after `days`.
    pub(crate) fn then(days: usize, closes: &[i64]) -> Self {
        let mut all = vec![100; days];
        all.extend(closes);
        all.resize(DAYS, *all.last().expect("some"));
        Self::of(vec![(COIN, flat_bars(&all))])
    }

    pub(crate) fn of(list: Vec<(&str, Vec<Bar>)>) -> Self {
        let bare = |symbol: &str| Instrument::bare(symbol.parse().expect("a symbol"));
        Self {
            list: list.into_iter().map(|(symbol, bars)| (bare(symbol), bars)).collect(),
            change: |_| {},
            second: None,
        }
    }

    pub(crate) fn with(self, change: Change) -> Self {
        Self { change, ..self }
    }

    /// With a book of this name beside `main`.
    pub(crate) fn beside(self, second: &'static str) -> Self {
        Self { second: Some(second), ..self }
    }

    /// Lives for so many days; for none what was confirmed is heeded all the same.
    pub(crate) fn live(&self, bench: &Bench, days: u64) {
        let change = self.change;
        let usual = move |desk: &mut DeskSettings| {
            desk.strategies.clear();
            // Stops lie far away, and half of the book may be in one thing.
            set(desk, &[("stop_atr", "10"), ("trailing", "0"), ("target_atr", "0"), ("position_pct", "50")]);
            set(desk, &[("open_risk_pct", "30"), ("slippage_bps", "0"), ("fee_bps", "0")]);
            change(desk);
        };
        let whole = Life::whole(ListFeed::of(self.list.clone()), usual);
        let whole = match self.second {
            Some(name) => whole.with_book(name, usual),
            None => whole,
        };
        bench.live(Life { cycles_max: Some(days), ..whole }).expect("runs");
    }

    /// After twenty days somebody does each of these, with a day after each.
    pub(crate) fn after(&self, commands: &[&str]) -> Bench {
        let bench = Bench::new();
        self.live(&bench, 20);
        for command in commands {
            self.done(&bench, command);
        }
        bench
    }

    /// Confirms a change and lives a day; what was shown.
    pub(crate) fn done(&self, bench: &Bench, command: &str) -> String {
        let (id, shown) = bench.show(command).unwrap_or_else(|refused| panic!("{command}: {refused}"));
        bench.agree(id);
        self.live(bench, 1);
        let result = result(bench);
        assert!(!result.starts_with("not done") && !result.contains("refused"), "{command}: {result}");
        shown
    }
}

pub(crate) fn set(desk: &mut DeskSettings, limits: &[(&str, &str)]) {
    for (key, value) in limits {
        desk.limits.set(key, value.parse().expect("a number")).expect("in range");
    }
}

pub(crate) fn held(bench: &Bench, symbol: &str) -> Option<Position> {
    bench.saved().books[0].book.position(symbol.parse().expect("a symbol")).cloned()
}

pub(crate) fn quantity(bench: &Bench, symbol: &str) -> Quantity {
    held(bench, symbol).map_or(Quantity::ZERO, |held| held.quantity)
}

/// The orders that wait, besides stops and targets.
pub(crate) fn waiting(bench: &Bench) -> Vec<Order> {
    bench.saved().orders.into_iter().filter(|order| order.purpose != Purpose::Protect).collect()
}

/// What became of the last control.
pub(crate) fn result(bench: &Bench) -> String {
    let reader = bench.reader();
    let last = (1..1_000).take_while(|id| reader.control(*id).expect("reads").is_some()).last().expect("one");
    reader.control(last).expect("reads").and_then(|row| row.result).unwrap_or_default()
}
