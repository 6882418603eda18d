//! How is a strategy tested? It is shown a few bars, and every wish is written down.

use crate::domain::{Bar, Holding, Price, Quantity, Ratio, Side};

use super::{Stay, Strategy, Values, Verdict, find};

/// A strategy of this name with some parameters set.
pub(super) fn made(name: &str, set: &[(&str, &str)]) -> Box<dyn Strategy> {
    let kind = find(name).expect("listed");
    let written: Vec<(String, Ratio)> =
        set.iter().map(|(name, value)| ((*name).to_owned(), value.parse().expect("a number"))).collect();
    let values = Values::check(kind.name, kind.params, &written).expect("in range");
    (kind.build)(&values).expect("they go together")
}

/// A bar with these prices and this volume.
pub(super) fn bar([open, high, low, close]: [f64; 4], volume: i64) -> Bar {
    let [open, high, low, close] = [open, high, low, close].map(|price| Price::from_f64(price).expect("fits"));
    let start = serde_json::from_str("0").expect("an instant, whose module strategies may not name");
    Bar { start, open, high, low, close, volume: Quantity::whole(volume) }
}

/// Bars that open and close at each of these prices, and reach a quarter further.
pub(super) fn closes(closes: &[f64]) -> Vec<Bar> {
    closes.iter().map(|close| bar([*close, close + 0.25, close - 0.25, *close], 100)).collect()
}

/// Shows it bars and asks nothing.
pub(super) fn watch(strategy: &mut dyn Strategy, bars: &[Bar]) {
    for bar in bars {
        strategy.observe(bar);
    }
}

/// Every entry and exit as `index wish rule`, as if each were filled at once. After an exit it is asked again.
pub(super) fn story(strategy: &mut dyn Strategy, bars: &[Bar]) -> Vec<String> {
    let (mut holding, mut told) = (Holding::Flat, Vec::new());
    for (index, bar) in bars.iter().enumerate() {
        strategy.observe(bar);
        loop {
            match strategy.judge(holding) {
                Verdict::Enter { side, confidence, reason, .. } => {
                    holding = if side == Side::Buy { Holding::Long } else { Holding::Short };
                    told.push(format!("{index} {side} at {confidence:.2}: {}", reason.rule));
                    break;
                }
                Verdict::Exit { reason } => {
                    holding = Holding::Flat;
                    told.push(format!("{index} exit: {}", reason.rule));
                }
                Verdict::Stay(_) => break,
            }
        }
    }
    told
}

/// Why it does nothing.
pub(super) fn stay(strategy: &dyn Strategy, holding: Holding) -> Stay {
    match strategy.judge(holding) {
        Verdict::Stay(stay) => stay,
        wish => panic!("it wants something: {wish:?}"),
    }
}
