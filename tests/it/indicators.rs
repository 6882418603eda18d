//! Indicators between two bars: copied, saved and loaded, spoiled by hand; and fed what no market ever was.

use std::fmt::Debug;

use bellwether::clock::Timestamp;
use bellwether::domain::{Bar, Price, Quantity};
use bellwether::indicators::{
    Adx, Atr, Bollinger, COLUMNS, Donchian, Ema, Indicator, Macd, Obv, Percentile, RealisedVolatility, Roc, Rsi, Sma,
    Stochastic, SuperTrend, TrueRange, VolumeSma,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What happens to an indicator before a bar.
#[derive(Debug, Clone, Copy)]
enum Detour {
    Nothing,
    Copied,
    Saved,
    /// Told of a split: so many new shares for so many old ones.
    Split(i64, i64),
    /// Saved, one value of it replaced, and loaded if that is not refused.
    Spoiled {
        place: usize,
        with: usize,
    },
}

impl Detour {
    fn take<T: Indicator + Clone + PartialEq + Debug + Serialize + DeserializeOwned>(self, mut indicator: T) -> T {
        match self {
            Self::Nothing => indicator,
            Self::Copied => indicator.clone(),
            Self::Saved => {
                let text = serde_json::to_string(&indicator).expect("can be saved");
                let loaded = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
                assert_eq!(indicator, loaded);
                loaded
            }
            Self::Split(new, old) => {
                indicator.rescale(new, old);
                indicator
            }
            Self::Spoiled { place, with } => {
                let mut saved = serde_json::to_value(&indicator).expect("can be saved");
                spoil(&mut saved, place, with);
                serde_json::from_value(saved).unwrap_or(indicator)
            }
        }
    }
}

/// Replaces one value anywhere in it; or takes one out of its list.
fn spoil(saved: &mut Value, place: usize, with: usize) {
    let inner: Vec<&mut Value> = match saved {
        Value::Array(list) if with == 0 && !list.is_empty() => {
            list.remove(place % list.len());
            return;
        }
        Value::Array(list) => list.iter_mut().collect(),
        Value::Object(fields) => fields.iter_mut().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    };
    let count = inner.len();
    if let Some(value) = inner.into_iter().nth(place % count.max(1)) {
        return spoil(value, place / count, with);
    }
    let others = [
        json!(0),
        json!(1),
        json!(-1),
        json!(1e300),
        json!(-1e20),
        json!(1e-300),
        json!(u64::MAX),
        json!(i64::MIN),
        json!("-92233720368"),
        json!(i128::MAX.to_string()),
        json!([]),
        json!(null),
        json!(true),
    ];
    *saved = others[with % others.len()].clone();
}

/// Feeds the bars, with a detour before each; what is said after each bar and the detour that follows it.
fn walk<I>(mut indicator: I, pick: fn(&I) -> Option<f64>, bars: &[Bar], detours: &[Detour]) -> Vec<Option<f64>>
where
    I: Indicator + Clone + PartialEq + Debug + Serialize + DeserializeOwned,
{
    let mut said: Vec<Option<f64>> = Vec::new();
    for (number, bar) in bars.iter().enumerate() {
        indicator = detours.get(number).copied().unwrap_or(Detour::Nothing).take(indicator);
        if let Some(last) = said.last_mut() {
            *last = pick(&indicator);
        }
        indicator.update(bar);
        said.push(pick(&indicator));
    }
    said
}

type Walk = fn(&[Bar], &[Detour]) -> Vec<Option<f64>>;

/// The columns by their types, which a column itself does not tell.
const WALKS: &[(&str, Walk)] = &[
    ("sma20", |bars, detours| walk(Sma::new(20), Sma::value, bars, detours)),
    ("ema9", |bars, detours| walk(Ema::new(9), Ema::value, bars, detours)),
    ("ema20", |bars, detours| walk(Ema::new(20), Ema::value, bars, detours)),
    ("ema21", |bars, detours| walk(Ema::new(21), Ema::value, bars, detours)),
    ("ema50", |bars, detours| walk(Ema::new(50), Ema::value, bars, detours)),
    ("ema200", |bars, detours| walk(Ema::new(200), Ema::value, bars, detours)),
    ("rsi14", |bars, detours| walk(Rsi::new(14), Rsi::value, bars, detours)),
    ("macd_line", |bars, detours| walk(Macd::new(12, 26, 9), |it| Some(it.value()?.line), bars, detours)),
    ("macd_signal", |bars, detours| walk(Macd::new(12, 26, 9), |it| it.value()?.signal, bars, detours)),
    ("macd_hist", |bars, detours| walk(Macd::new(12, 26, 9), |it| it.value()?.histogram, bars, detours)),
    ("tr", |bars, detours| walk(TrueRange::default(), TrueRange::value, bars, detours)),
    ("atr14", |bars, detours| walk(Atr::new(14), Atr::value, bars, detours)),
    ("bb_upper", |bars, detours| walk(Bollinger::new(20, 2.0), |it| Some(it.bands()?.upper), bars, detours)),
    ("bb_middle", |bars, detours| walk(Bollinger::new(20, 2.0), |it| Some(it.bands()?.middle), bars, detours)),
    ("bb_lower", |bars, detours| walk(Bollinger::new(20, 2.0), |it| Some(it.bands()?.lower), bars, detours)),
    ("stoch_k", |bars, detours| walk(Stochastic::new(14, 3, 3), |it| it.d().and(it.k()), bars, detours)),
    ("stoch_d", |bars, detours| walk(Stochastic::new(14, 3, 3), Stochastic::d, bars, detours)),
    ("stoch_fast_k", |bars, detours| walk(Stochastic::new(14, 3, 3), |it| it.k().and(it.fast_k()), bars, detours)),
    ("adx14", |bars, detours| walk(Adx::new(14), Adx::adx, bars, detours)),
    ("plus_di14", |bars, detours| walk(Adx::new(14), Adx::plus, bars, detours)),
    ("minus_di14", |bars, detours| walk(Adx::new(14), Adx::minus, bars, detours)),
    ("roc10", |bars, detours| walk(Roc::new(10), Roc::value, bars, detours)),
    ("obv", |bars, detours| walk(Obv::default(), Obv::value, bars, detours)),
    ("donchian_high20", |bars, detours| walk(Donchian::new(20), Donchian::high, bars, detours)),
    ("donchian_low20", |bars, detours| walk(Donchian::new(20), Donchian::low, bars, detours)),
    ("supertrend_10_3", |bars, detours| walk(SuperTrend::new(10, 3.0), |it| Some(it.value()?.level), bars, detours)),
    ("supertrend_dir_10_3", |bars, detours| {
        walk(SuperTrend::new(10, 3.0), |it| Some(if it.value()?.up { 1.0 } else { -1.0 }), bars, detours)
    }),
    ("volume_sma20", |bars, detours| walk(VolumeSma::new(20), VolumeSma::value, bars, detours)),
    ("volume_ratio20", |bars, detours| walk(VolumeSma::new(20), VolumeSma::ratio, bars, detours)),
    ("volatility20", |bars, detours| walk(RealisedVolatility::new(20), RealisedVolatility::value, bars, detours)),
    ("donchian_middle20", |bars, detours| walk(Donchian::new(20), Donchian::middle, bars, detours)),
];

fn bits(said: &[Option<f64>]) -> Vec<Option<u64>> {
    said.iter().map(|value| value.map(f64::to_bits)).collect()
}

fn bar(prices: [i64; 4], volume: i64) -> Bar {
    let [open, high, low, close] = prices.map(Price::from_units);
    Bar { start: Timestamp::from_ms(0), open, high, low, close, volume: Quantity::from_units(volume) }
}

/// Four prices in an order that a bar may have.
fn in_order(mut prices: [i64; 4], volume: i64) -> Bar {
    prices.sort_unstable();
    bar([prices[1], prices[3], prices[0], prices[2]], volume)
}

/// Prices of any size, from one step to the largest there is.
fn price() -> impl Strategy<Value = i64> {
    (1..=i64::MAX, 0..63u32).prop_map(|(units, shift)| (units >> shift).max(1))
}

fn volume() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), 0..=i64::MAX, 0..1_000_000_000_000i64]
}

/// A market that walks, one that stands, one that leaps over all sizes, and numbers that are no market.
fn bars() -> impl Strategy<Value = Vec<Bar>> {
    let length = 1..260usize;
    let walks = (price(), prop::collection::vec((-40..=40i64, 0..30i64, volume()), length.clone()));
    let stands = (price(), volume(), length.clone());
    let leaps = prop::collection::vec(([price(), price(), price(), price()], volume()), length.clone());
    let anything = prop::collection::vec((any::<[i64; 4]>(), any::<i64>()), length);
    prop_oneof![
        4 => walks.prop_map(|(start, steps)| {
            let mut close = start;
            let by = |price: i64, thousandths: i64| price.saturating_add(price / 1_000 * thousandths).max(1);
            let bars = steps.into_iter().map(|(step, reach, volume)| {
                let open = close;
                close = by(close, step);
                in_order([open, by(open.max(close), reach), by(open.min(close), -reach), close], volume)
            });
            bars.collect()
        }),
        1 => stands.prop_map(|(price, volume, length)| vec![bar([price; 4], volume); length]),
        1 => leaps.prop_map(|list| list.into_iter().map(|(prices, volume)| in_order(prices, volume)).collect()),
        1 => anything.prop_map(|list| list.into_iter().map(|(prices, volume)| bar(prices, volume)).collect()),
    ]
}

fn detours() -> impl Strategy<Value = Vec<Detour>> {
    let one = prop_oneof![6 => Just(Detour::Nothing), 1 => Just(Detour::Copied), 1 => Just(Detour::Saved)];
    prop::collection::vec(one, 260)
}

fn spoiling() -> impl Strategy<Value = Vec<Detour>> {
    let spoiled = (any::<usize>(), 0..14usize).prop_map(|(place, with)| Detour::Spoiled { place, with });
    prop::collection::vec(prop_oneof![4 => Just(Detour::Nothing), 1 => spoiled], 260)
}

#[test]
fn every_column_is_walked() {
    let walks: Vec<&str> = WALKS.iter().map(|(name, _)| *name).collect();
    let columns: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
    assert_eq!(walks, columns);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn copying_and_saving_between_bars_changes_no_bit(bars in bars(), detours in detours()) {
        for ((name, walk), column) in WALKS.iter().zip(COLUMNS) {
            let mut indicator = (column.build)();
            let straight: Vec<Option<f64>> = bars.iter().map(|bar| indicator.update(bar)).collect();
            prop_assert!(straight.iter().flatten().all(|value| value.is_finite()), "{}: {:?}", name, straight);
            prop_assert_eq!(bits(&straight), bits(&walk(&bars, &detours)), "{}", name);
        }
    }

    #[test]
    fn a_spoiled_state_is_refused_or_harmless(bars in bars(), spoiling in spoiling()) {
        for (name, walk) in WALKS {
            let said = walk(&bars, &spoiling);
            prop_assert!(said.iter().flatten().all(|value| value.is_finite()), "{}: {:?}", name, said);
        }
    }

    #[test]
    fn splits_of_any_size_break_nothing(bars in bars(), new in price(), old in price()) {
        let splits = [vec![Detour::Nothing; 30], vec![Detour::Split(new, old); 120]].concat();
        for (name, walk) in WALKS {
            let said = walk(&bars, &splits);
            prop_assert!(said.iter().flatten().all(|value| value.is_finite()), "{}: {:?}", name, said);
        }
    }

    #[test]
    fn a_split_that_is_none_changes_no_bit(bars in bars(), other in -1..2i64) {
        let splits = [vec![Detour::Split(0, other); 40], vec![Detour::Split(other, -1); 40]].concat();
        for (name, walk) in WALKS {
            prop_assert_eq!(bits(&walk(&bars, &[])), bits(&walk(&bars, &splits)), "{}", name);
        }
    }

    #[test]
    fn numbers_that_are_not_bars_come_through_as_well(numbers in prop::collection::vec(prop::num::f64::ANY, 1..60)) {
        let (mut average, mut rank) = (Ema::new(5), Percentile::new(5));
        for number in numbers {
            let before = average.clone();
            average.push(number);
            prop_assert!(average.value().is_none_or(f64::is_finite));
            prop_assert!(number.is_finite() || average == before);
            average = Detour::Saved.take(average);
            prop_assert!(rank.push(number).is_none_or(|share| (0.0..=1.0).contains(&share)));
            let saved = serde_json::to_string(&rank).expect("can be saved");
            prop_assert_eq!(&serde_json::from_str::<Percentile>(&saved).expect("can be loaded"), &rank);
        }
    }
}

/// What was said before a split is said in the new shares at once, and goes on as if there had never been others.
#[test]
fn a_split_is_followed_at_once() {
    let after: Vec<Bar> = (0..420i64)
        .map(|step| {
            let wave = (step % 80 - 40).abs() * 1_000_000;
            let (close, reach) = (60_000_000 + wave + step * 3_700_000 % 1_100_000, step * 17 % 13 * 60_000);
            let volume = 600 + step * 7 % 90 * 60;
            in_order([close - reach, close + reach, close - 2 * reach, close], volume)
        })
        .collect();
    // All over one wave, so that it comes while the market rises, falls, and turns.
    let splits = [(4, 1), (3, 2), (1, 10)].into_iter().cycle();
    for ((new, old), first) in splits.zip((240..330).step_by(5)) {
        let mut bars = after.clone();
        for bar in &mut bars[..first] {
            for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
                *price = price.scaled(new, old).expect("fits");
            }
            bar.volume = bar.volume.scaled(old, new).expect("fits");
        }
        let mut detours = vec![Detour::Nothing; first];
        detours.push(Detour::Split(new, old));
        for (name, walk) in WALKS {
            let (split, whole) = (walk(&bars, &detours), walk(&after, &[]));
            for row in first - 1..after.len() {
                let (a, b) = (split[row].expect("enough bars"), whole[row].expect("enough bars"));
                // Prices are about 0.6; what is a difference of prices carries their rounding, even where it is near zero.
                assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-6), "{name} of {new}:{old}, row {row}: {a} {b}");
            }
        }
    }
}

/// Sums that were kept up for a million bars say what sums made of the last bars say, to the last bit.
#[test]
fn sums_do_not_drift() {
    let mut chance: u64 = 1;
    let mut close: i64 = 20_000_000_000;
    let mut next = || {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let step = (chance >> 33) as i64 % 200_000_001 - 100_000_000;
        close = (close + step).max(100);
        in_order([close, close + step.abs(), (close - step.abs()).max(1), close], (chance >> 20) as i64)
    };
    for name in ["sma20", "bb_upper", "stoch_d", "volume_ratio20", "volatility20"] {
        let column = COLUMNS.iter().find(|column| column.name == name).expect("listed");
        let (mut old, mut new) = ((column.build)(), (column.build)());
        for _ in 0..999_960 {
            old.update(&next());
        }
        let last: Vec<Bar> = (0..40).map(|_| next()).collect();
        let said: Vec<_> = last.iter().map(|bar| (old.update(bar), new.update(bar))).collect();
        let (old, new) = said[39];
        assert_eq!(old.map(f64::to_bits), new.map(f64::to_bits), "{name}");
        assert!(new.is_some());
    }
}

/// What no reference has, computed by hand.
#[test]
fn volume_volatility_and_middle_are_what_they_say() {
    let day =
        |close: i64, volume: i64| bar([close, close + 3, close - 1, close].map(|price| price * 1_000), volume * 1_000);
    let bars = [day(100, 4), day(110, 8), day(99, 0), day(0, 4), day(1089, 8)];
    let volumes = walk(VolumeSma::new(3), VolumeSma::value, &bars, &[]);
    assert_eq!(volumes, [None, None, Some(4e-5), Some(4e-5), Some(4e-5)]);
    let ratios = walk(VolumeSma::new(3), VolumeSma::ratio, &bars, &[]);
    assert_eq!(ratios, [None, None, Some(0.0), Some(1.0), Some(2.0)]);
    let middles = walk(Donchian::new(2), Donchian::middle, &bars[..3], &[]);
    assert_eq!(middles, [None, Some(106e-5), Some(105.5e-5)]);
    let deviations = walk(RealisedVolatility::new(2), RealisedVolatility::value, &bars, &[]);
    // Returns of ln 1.1 and ln 0.9, then of ln 0.9 and ln 11; a bar without a price has none.
    let of_two = |a: f64, b: f64| (a.ln() - b.ln()).abs() / 2f64.sqrt();
    for (got, want) in
        deviations.iter().zip([None, None, Some(of_two(1.1, 0.9)), Some(of_two(1.1, 0.9)), Some(of_two(0.9, 11.0))])
    {
        assert_eq!(got.is_some(), want.is_some());
        assert!((got.unwrap_or(0.0) - want.unwrap_or(0.0)).abs() < 1e-15, "{got:?} {want:?}");
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    for text in [
        r#"{"period":0,"next":0,"values":[]}"#,
        r#"{"period":100001,"next":0,"values":[]}"#,
        r#"{"period":3,"next":3,"values":[1,2,3]}"#,
        r#"{"period":3,"next":0,"values":[1,2]}"#,
        r#"{"period":3,"next":0,"values":[1,2,3,4]}"#,
        r#"{"period":3,"next":0,"values":[1,2,3.5]}"#,
        r#"{"period":3,"next":0}"#,
        r#"{"period":3,"next":0,"values":[1,2,3]"#,
    ] {
        assert!(serde_json::from_str::<Sma>(text).is_err(), "{text}");
    }
    let lows = r#"{"period":3,"seen":0,"steps":[]}"#;
    for (highs, fits) in [
        (r#"{"period":3,"seen":5,"steps":[[3,"9"],[5,"7"]]}"#, true),
        (r#"{"period":3,"seen":5,"steps":[[2,"9"],[5,"7"]]}"#, false),
        (r#"{"period":3,"seen":5,"steps":[[3,"9"],[4,"7"]]}"#, false),
        (r#"{"period":3,"seen":5,"steps":[[3,"7"],[5,"9"]]}"#, false),
        (r#"{"period":3,"seen":5,"steps":[[5,"9"],[5,"7"]]}"#, false),
        (r#"{"period":3,"seen":5,"steps":[]}"#, false),
        (r#"{"period":3,"seen":18446744073709551615,"steps":[[18446744073709551615,"9"]]}"#, false),
    ] {
        let text = format!(r#"{{"highs":{highs},"lows":{lows}}}"#);
        assert_eq!(serde_json::from_str::<Donchian>(&text).is_ok(), fits, "{text}");
    }
}
