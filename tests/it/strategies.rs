//! What holds for every strategy there is, over random walks.

use bellwether::clock::Timestamp;
use bellwether::domain::{Bar, Holding, Price, Quantity, Ratio};
use bellwether::strategy::{Place, STRATEGIES, Strategy, StrategyKind, Values, Verdict};
use proptest::prelude::{Just, ProptestConfig, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as Chance;

const HOLDINGS: [Holding; 4] = [Holding::Flat, Holding::Long, Holding::Short, Holding::Busy];

/// One bar of a walk: how far it goes in cents, how far it reaches beyond, its volume, and where its symbol ranks of 9.
type Step = (i64, i64, i64, usize);

fn walk() -> impl Chance<Value = Vec<Step>> {
    prop::collection::vec((-300..=300i64, 0..=100i64, 0..=500i64, 1..=9usize), 120..200)
}

fn bars(steps: &[Step]) -> Vec<Bar> {
    let mut cents = 10_000;
    let price = |cents: i64| Price::from_units(cents * 1_000_000);
    steps
        .iter()
        .enumerate()
        .map(|(index, (step, wick, volume, _))| {
            let open = cents;
            cents = (cents + step).max(500);
            Bar {
                start: Timestamp::from_ms(index as i64 * 60_000),
                open: price(open),
                high: price(open.max(cents) + wick),
                low: price(open.min(cents) - wick),
                close: price(cents),
                // Now and then a bar is so busy that a breakout counts.
                volume: Quantity::whole(if volume % 9 == 0 { volume * 10 } else { *volume }),
            }
        })
        .collect()
}

/// A strategy that also sells short.
fn made(kind: &StrategyKind) -> Box<dyn Strategy> {
    let values = Values::check(kind.name, kind.params, &[("short".to_owned(), Ratio::ONE)]).expect("in range");
    (kind.build)(&values).expect("they go together")
}

fn show(it: &mut dyn Strategy, bar: &Bar, step: &Step) -> [Verdict; 4] {
    it.observe(bar);
    it.rank(Some(Place { place: step.3, of: 9 }));
    all(it)
}

fn all(it: &dyn Strategy) -> [Verdict; 4] {
    HOLDINGS.map(|holding| it.judge(holding))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn saved_and_loaded_between_any_two_bars_it_says_the_same(steps in walk(), every in 1..40usize) {
        for kind in STRATEGIES {
            let (mut whole, mut loaded) = (made(kind), made(kind));
            for (index, (bar, step)) in bars(&steps).iter().zip(&steps).enumerate() {
                if index % every == 0 {
                    let saved = loaded.save();
                    loaded = made(kind);
                    prop_assert_eq!(loaded.load(&saved), Ok(()));
                    prop_assert_eq!(loaded.save(), saved);
                    prop_assert_eq!(all(&*whole), all(&*loaded), "{} before {}", kind.name, index);
                }
                let (want, got) = (show(&mut *whole, bar, step), show(&mut *loaded, bar, step));
                prop_assert_eq!(want, got, "{} {}", kind.name, index);
            }
        }
    }

    #[test]
    fn a_split_changes_no_verdict(steps in walk(), cut in 0..200usize, (new, old) in prop_oneof![Just((4, 1)), Just((1, 8))]) {
        for kind in STRATEGIES {
            let (mut whole, mut split) = (made(kind), made(kind));
            for (index, (bar, step)) in bars(&steps).iter().zip(&steps).enumerate() {
                if index == cut {
                    split.rescale(new, old);
                    prop_assert_eq!(all(&*whole), all(&*split), "{} at the split", kind.name);
                }
                let before = |price: Price| if index < cut { price.scaled(new, old).expect("fits") } else { price };
                let seen = Bar {
                    start: bar.start,
                    open: before(bar.open),
                    high: before(bar.high),
                    low: before(bar.low),
                    close: before(bar.close),
                    volume: if index < cut { bar.volume.scaled(old, new).expect("fits") } else { bar.volume },
                };
                let (want, got) = (show(&mut *whole, bar, step), show(&mut *split, &seen, step));
                prop_assert_eq!(want.each_ref().map(gist), got.each_ref().map(gist), "{} {}", kind.name, index);
                if index >= cut {
                    prop_assert_eq!(&want, &got, "{} {}", kind.name, index);
                }
                // A split after the bar of an entry, before anything else: it is as sure as it was.
                if matches!(want[0], Verdict::Enter { .. }) {
                    let mut after = made(kind);
                    prop_assert_eq!(after.load(&whole.save()), Ok(()));
                    after.rescale(new, old);
                    let split = all(&*after);
                    prop_assert_eq!(split.each_ref().map(gist), want.each_ref().map(gist), "{} {}", kind.name, index);
                    prop_assert_eq!(sure(&split[0]), sure(&want[0]), "{} {}", kind.name, index);
                }
            }
        }
    }

    #[test]
    fn no_bar_and_no_split_breaks_it(
        prices in prop::collection::vec([extreme(), extreme(), extreme(), extreme(), extreme()], 1..80),
        split in (extreme(), extreme()),
    ) {
        for kind in STRATEGIES {
            for set in [&[][..], &smallest(kind)] {
                let values = Values::check(kind.name, kind.params, set).expect("in range");
                let Ok(mut it) = (kind.build)(&values) else { continue };
                for (index, [open, high, low, close, volume]) in prices.iter().enumerate() {
                    let [open, high, low, close] = [open, high, low, close].map(|units| Price::from_units(*units));
                    let volume = Quantity::from_units(*volume);
                    it.observe(&Bar { start: Timestamp::from_ms(0), open, high, low, close, volume });
                    it.rank((index % 5 > 0).then_some(Place { place: index % 7, of: index % 4 }));
                    if index == 40 {
                        it.rescale(split.0, split.1);
                    }
                    for holding in HOLDINGS {
                        prop_assert!(is_sound(&it.judge(holding)), "{}: {:?}", kind.name, it.judge(holding));
                    }
                    prop_assert!(it.score().is_none_or(f64::is_finite), "{}", kind.name);
                }
                let saved = it.save();
                prop_assert_eq!(it.load(&saved), Ok(()), "{}", kind.name);
            }
        }
    }
}

/// Flat, tiny, huge and impossible numbers.
fn extreme() -> impl Chance<Value = i64> {
    prop_oneof![
        4 => Just(10_000_000_000i64),
        2 => 9_000_000_000..11_000_000_000i64,
        1 => prop_oneof![Just(0), Just(1), Just(-1), Just(i64::MAX), Just(i64::MIN)],
        1 => any::<i64>(),
    ]
}

/// The smallest value of every parameter, and the switch on, so that few bars are enough.
fn smallest(kind: &StrategyKind) -> Vec<(String, Ratio)> {
    let least =
        kind.params.iter().filter(|param| param.name != "short").map(|param| (param.name.to_owned(), param.min));
    least.chain([("short".to_owned(), Ratio::ONE)]).collect()
}

fn is_sound(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Enter { confidence, reason, plan, .. } => {
            let sure = *confidence >= Ratio::from_percent(50) && *confidence <= Ratio::ONE;
            let distances = [plan.stop_distance, plan.target_distance];
            let possible = distances.into_iter().flatten().all(|distance| distance.is_finite() && distance > 0.0);
            sure && possible && reason.inputs.iter().all(|input| input.value.is_finite())
        }
        Verdict::Exit { reason } => reason.inputs.iter().all(|input| input.value.is_finite()),
        Verdict::Stay(stay) => stay.value.is_finite() && stay.limit.is_finite(),
    }
}

/// The wish without the numbers it saw.
fn gist(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Enter { side, .. } => side.to_string(),
        Verdict::Exit { .. } => "exit".to_owned(),
        Verdict::Stay(stay) => stay.rule.to_owned(),
    }
}

/// How sure it is, if it would enter.
fn sure(verdict: &Verdict) -> Option<Ratio> {
    match verdict {
        Verdict::Enter { confidence, .. } => Some(*confidence),
        Verdict::Exit { .. } | Verdict::Stay(_) => None,
    }
}

/// A walk without randomness: steps of up to 3 to either side.
fn steps(count: usize, seed: u64) -> Vec<Step> {
    let mut state = seed;
    let mut next = |of: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % of
    };
    (0..count).map(|_| (next(601) as i64 - 300, next(100) as i64, next(500) as i64, next(9) as usize + 1)).collect()
}

#[test]
fn after_its_warm_up_the_past_does_not_matter() {
    for kind in STRATEGIES {
        let values = Values::check(kind.name, kind.params, &[]).expect("in range");
        let warm = (kind.warm_up)(&values);
        let (mut fresh, mut old) = (made(kind), made(kind));
        for (bar, step) in bars(&steps(500, 7)).iter().zip(&steps(500, 7)) {
            show(&mut *old, bar, step);
        }
        let steps = steps(warm + 1_000, 8);
        let mut wishes = 0;
        for (index, (bar, step)) in bars(&steps).iter().zip(&steps).enumerate() {
            let (fresh, old) = (show(&mut *fresh, bar, step), show(&mut *old, bar, step));
            if index + 1 >= warm {
                assert_eq!(fresh.each_ref().map(gist), old.each_ref().map(gist), "{} {index}", kind.name);
                wishes += usize::from(matches!(fresh[0], Verdict::Enter { .. }));
            }
        }
        assert!(wishes >= 5, "{} entered {wishes} times", kind.name);
    }
}

/// Confidence says something: it is not the same each time.
#[test]
fn confidence_differs_from_entry_to_entry() {
    for kind in STRATEGIES {
        let mut it = made(kind);
        let steps = steps(2_000, 9);
        let mut seen = std::collections::BTreeSet::new();
        for (bar, step) in bars(&steps).iter().zip(&steps) {
            seen.extend(sure(&show(&mut *it, bar, step)[0]));
        }
        assert!(seen.len() >= 8, "{}: {seen:?}", kind.name);
    }
}
