//! The checks of a backtest: honest strategies pass, and cheats of each kind are caught, or the checks would be worth nothing.

use bellwether::backtest::{Check, check_look_ahead, check_warm_up};
use bellwether::clock::{DAY_MS, Timestamp};
use bellwether::domain::{
    Bar, Holding, Instrument, MarketSnapshot, Price, Quantity, Ratio, Side, SnapshotBar, Timeframe,
};
use bellwether::engine::{DeskSettings, StrategySettings};
use bellwether::market::{Feed, Stretch};
use bellwether::strategy::{LoadError, Plan, Reason, STRATEGIES, Stay, Strategy, StrategyKind, Values, Verdict, find};

use crate::support::{Life, opened, shared, walk, write_prices};

/// Bars of one coin whose volume is a figure that somebody computed over the whole file before it was cut into bars.
struct Prepared {
    instruments: Vec<Instrument>,
    bars: Vec<Bar>,
    next: usize,
}

impl Prepared {
    /// Days up to `to`, without those up to `after`. The figure of a day is the mean of the closes around it: the next day's, too,
    /// if `ahead`, else of the day itself and the one before.
    fn new(closes: &[i64], ahead: bool, (after, to): (Option<Timestamp>, Option<Timestamp>)) -> Self {
        let cents = |cents: i64| Price::from_units(cents * 1_000_000);
        let bar = |(day, close): (usize, &i64)| Bar {
            start: Timestamp::from_ms(day as i64 * DAY_MS),
            open: cents(*close),
            high: cents(close + 40),
            low: cents(close - 40),
            close: cents(*close),
            volume: Quantity::ZERO,
        };
        let mut bars: Vec<Bar> = closes.iter().enumerate().map(bar).collect();
        let end = |bar: &Bar| bar.start.plus_ms(DAY_MS);
        bars.retain(|bar| after.is_none_or(|after| end(bar) > after) && to.is_none_or(|to| end(bar) <= to));
        for day in 0..bars.len() {
            let (own, other) = (bars[day].close, if ahead { bars.get(day + 1) } else { bars[..day].last() });
            let other = other.map_or(own, |bar| bar.close);
            bars[day].volume = Quantity::from_units(i64::midpoint(own.units(), other.units()));
        }
        Self { instruments: vec![Instrument::bare("AAA-USD".parse().expect("symbol"))], bars, next: 0 }
    }
}

impl Feed for Prepared {
    fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool {
        snapshot.clear();
        let Some(bar) = self.bars.get(self.next).copied() else { return false };
        self.next += 1;
        snapshot.at = bar.start.plus_ms(DAY_MS);
        let (timeframe, opens) = (Timeframe::D1, bar.start);
        snapshot.bars.push(SnapshotBar { instrument: 0, timeframe, bar, opens, is_finest: true, is_last: false });
        true
    }

    fn history_until(&self) -> Timestamp {
        Timestamp::from_ms(i64::MIN)
    }
}

/// Enters and leaves by a rule of its own.
struct ByRule {
    bars: u64,
    last: Option<Bar>,
    average: f64,
    wants: fn(&Self) -> bool,
}

impl Strategy for ByRule {
    fn observe(&mut self, bar: &Bar) {
        self.bars += 1;
        let close = bar.close.to_f64();
        self.average = if self.bars == 1 { close } else { self.average * 0.99 + close * 0.01 };
        self.last = Some(*bar);
    }

    fn judge(&self, holding: Holding) -> Verdict {
        let reason = Reason { rule: "by its rule".to_owned(), inputs: Vec::new() };
        match (holding, (self.wants)(self)) {
            (Holding::Flat, true) => {
                Verdict::Enter { side: Side::Buy, confidence: Ratio::ONE, reason, plan: Plan::default() }
            }
            (Holding::Long, false) => Verdict::Exit { reason },
            _ => Verdict::Stay(Stay::new("its rule holds", 0.0, 1.0)),
        }
    }

    fn rescale(&mut self, _: i64, _: i64) {}

    fn save(&self) -> String {
        String::new()
    }

    fn load(&mut self, _: &str) -> Result<(), LoadError> {
        Ok(())
    }
}

const BLANK: StrategyKind = StrategyKind {
    name: "blank",
    help: "",
    suits: "",
    enters: "",
    leaves: "",
    confidence: "",
    params: &[],
    warm_up: |_| 30,
    warm_up_help: "",
    ranks: false,
    build: |_| Ok(by(|_| false)),
};

/// Believes the figure in the volume.
static FIGURE: StrategyKind = StrategyKind {
    name: "figure",
    build: |_| Ok(by(|it| it.last.is_some_and(|bar| bar.volume.units() > bar.close.units()))),
    ..BLANK
};

/// Counts bars from the first it ever saw.
static COUNTER: StrategyKind = StrategyKind { name: "counter", build: |_| Ok(by(|it| it.bars / 7 % 2 == 0)), ..BLANK };

/// Compares the close with an average that remembers some hundreds of bars, and says that 30 are enough.
static HASTY: StrategyKind = StrategyKind {
    name: "hasty",
    build: |_| Ok(by(|it| it.last.is_some_and(|bar| bar.close.to_f64() > it.average))),
    ..BLANK
};

fn by(wants: fn(&ByRule) -> bool) -> Box<dyn Strategy> {
    Box::new(ByRule { bars: 0, last: None, average: 0.0, wants })
}

fn desk(feed: impl Feed + 'static, kind: &'static StrategyKind) -> DeskSettings {
    let mut desk = Life::whole(feed, |_| {}).desks.remove(0);
    let values = Values::check(kind.name, kind.params, &[]).expect("defaults");
    // The checks are of the strategies: no limit may keep them from trading.
    desk.limits.enforced = false;
    desk.strategies = vec![StrategySettings::new(kind.name.parse().expect("a name"), kind, values)];
    desk
}

fn looked_ahead(kind: &'static StrategyKind, ahead: bool) -> Check {
    let closes = walk(400, 21);
    let feed = |to: Option<Timestamp>| Prepared::new(&closes, ahead, (None, to));
    check_look_ahead(&feed, &[desk(feed(None), kind)], &mut |_, _| {}).expect("runs")
}

fn warmed_up(kind: &'static StrategyKind) -> Check {
    let closes = walk(400, 22);
    let feed = |after: Option<Timestamp>| Prepared::new(&closes, false, (after, None));
    check_warm_up(&feed, &[desk(feed(None), kind)], &StrategySettings::warm_up, &mut |_, _| {}).expect("runs")
}

#[test]
fn a_figure_of_the_next_day_is_caught_and_one_of_the_last_is_not() {
    let honest = looked_ahead(&FIGURE, false);
    assert!(honest.passed && honest.compared > 1_000 && honest.cuts > 40, "{honest}");
    let cheat = looked_ahead(&FIGURE, true);
    assert!(!cheat.passed, "{cheat}");
    let first = &cheat.differences[0];
    assert_eq!((first.symbol.map(|it| it.to_string()).as_deref(), first.at), (Some("AAA-USD"), first.cut));
    assert!(first.what.starts_with("signal S") && cheat.to_string().contains("AAA-USD"), "{cheat}");
    // A strategy that does not look at the figure is honest, whatever is in it.
    assert!(looked_ahead(&COUNTER, true).passed);
}

#[test]
fn a_count_since_the_beginning_and_a_warm_up_that_is_too_short_are_caught() {
    let honest = warmed_up(&FIGURE);
    assert!(honest.passed && honest.compared > 500 && honest.cuts == 5, "{honest}");
    for cheat in [&COUNTER, &HASTY] {
        let check = warmed_up(cheat);
        assert!(!check.passed && check.differences.iter().all(|it| it.at > it.cut), "{check}");
        assert!(check.differences[0].what.starts_with(&format!("{} ", cheat.name)), "{check}");
    }
}

#[test]
fn too_few_bars_prove_nothing() {
    let closes = walk(20, 23);
    let feed = |after: Option<Timestamp>| Prepared::new(&closes, false, (after, None));
    let desks = [desk(feed(None), &FIGURE)];
    let check = check_warm_up(&feed, &desks, &StrategySettings::warm_up, &mut |_, _| {}).expect("runs");
    assert!(!check.passed && check.compared == 0 && check.to_string().contains("proves nothing"), "{check}");
}

/// Every strategy there is, on coins that begin at different times, with weeks gathered from days.
#[test]
fn strategies_of_the_registry_pass_both_checks() {
    let folder = tempfile::tempdir().expect("folder");
    for (symbol, count, seed) in [("AAA-USD", 900, 31), ("BBB-USD", 900, 32), ("CCC-USD", 700, 33)] {
        write_prices(folder.path(), symbol, &walk(count, seed));
    }
    let week: Timeframe = "1w".parse().expect("a timeframe");
    let feed = opened(folder.path(), &["AAA-USD", "BBB-USD", "CCC-USD"], |options| options.longer = vec![week]);
    for kind in STRATEGIES {
        let desk = desk(feed.again(Stretch::default()), find(kind.name).expect("listed"));
        let cut = |to: Option<Timestamp>| feed.again(Stretch { to, is_cut: to.is_some(), ..Stretch::default() });
        let later = |after: Option<Timestamp>| feed.again(Stretch { after, ..Stretch::default() });
        let ahead = check_look_ahead(&cut, std::slice::from_ref(&desk), &mut |_, _| {}).expect("runs");
        assert!(ahead.passed && ahead.compared > 100, "{}: {ahead}", kind.name);
        let warm = check_warm_up(&later, &[desk], &StrategySettings::warm_up, &mut |_, _| {}).expect("runs");
        assert!(warm.passed && warm.compared > 1_000, "{}: {warm}", kind.name);
    }
    let mut weekly = desk(feed.again(Stretch::default()), find("sma_cross").expect("listed"));
    weekly.strategies[0].timeframe = Some(week);
    let cut = |to: Option<Timestamp>| feed.again(Stretch { to, is_cut: to.is_some(), ..Stretch::default() });
    let later = |after: Option<Timestamp>| feed.again(Stretch { after, ..Stretch::default() });
    let ahead = check_look_ahead(&cut, std::slice::from_ref(&weekly), &mut |_, _| {}).expect("runs");
    assert!(ahead.passed, "{ahead}");
    let warm = check_warm_up(&later, &[weekly], &StrategySettings::warm_up, &mut |_, _| {}).expect("runs");
    assert!(warm.passed && warm.compared > 100, "{warm}");
}

/// Raw prices with splits and dividends.
#[test]
fn recorded_prices_pass_both_checks() {
    let Some(market) = shared("market") else { return };
    let feed = opened(&market, &["AAPL", "IBM"], |options| options.timeframe = "1d".parse().ok());
    let desks = [desk(feed.again(Stretch::default()), find("supertrend").expect("listed"))];
    let cut = |to: Option<Timestamp>| feed.again(Stretch { to, is_cut: to.is_some(), ..Stretch::default() });
    let later = |after: Option<Timestamp>| feed.again(Stretch { after, ..Stretch::default() });
    let ahead = check_look_ahead(&cut, &desks, &mut |_, _| {}).expect("runs");
    let warm = check_warm_up(&later, &desks, &StrategySettings::warm_up, &mut |_, _| {}).expect("runs");
    assert!(ahead.passed && warm.passed, "{ahead}\n{warm}");
}
