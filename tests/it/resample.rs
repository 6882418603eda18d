//! Longer bars made of shorter ones, in both feeds: what independent software makes of them, and when each is known.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use bellwether::clock::{DAY_MS, Timestamp};
use bellwether::domain::{
    AssetClass, Bar, Instrument, MarketSnapshot, Price, Quantity, SnapshotBar, Symbol, Timeframe, UNITS,
};
use bellwether::market::{Aggregator, Feed, Hours, ReplayFeed, ReplayOptions, SimulatedFeed, read};
use tempfile::TempDir;

use crate::support::shared;

const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

fn at(text: &str) -> Timestamp {
    chrono::DateTime::parse_from_rfc3339(&format!("{text}:00Z")).expect("an instant").to_utc().into()
}

fn tf(text: &str) -> Timeframe {
    text.parse().expect("a timeframe")
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("writes");
    }
    folder
}

fn open(path: &Path, longer: &[&str]) -> ReplayFeed {
    let longer = longer.iter().map(|text| tf(text)).collect();
    let options = ReplayOptions { path: path.to_owned(), longer, ..ReplayOptions::default() };
    ReplayFeed::open(&options, NOW, &mut |_, _| {}).expect("opens")
}

/// Everything that a feed gives, each bar with its instant; the order of a snapshot is looked over.
fn all(feed: &mut dyn Feed) -> Vec<(Timestamp, SnapshotBar)> {
    let (mut snapshot, mut given) = (MarketSnapshot::default(), Vec::new());
    let mut last = Timestamp::from_ms(i64::MIN);
    while feed.next_into(&mut snapshot) {
        assert!(snapshot.at > last && !snapshot.bars.is_empty());
        assert!(snapshot.bars.is_sorted_by_key(|seen| (seen.instrument, seen.timeframe)));
        last = snapshot.at;
        given.extend(snapshot.bars.iter().map(|seen| (snapshot.at, *seen)));
    }
    given
}

fn of(given: &[(Timestamp, SnapshotBar)], timeframe: Timeframe) -> Vec<Bar> {
    given.iter().filter(|(_, seen)| seen.timeframe == timeframe).map(|(_, seen)| seen.bar).collect()
}

/// The figures of a reference file, to the last digit.
fn reference(path: &Path) -> Vec<Bar> {
    let row = |record: csv::StringRecord| {
        let price = |column: usize| record[column].parse::<Price>().expect("a price");
        Bar {
            start: at(record[0].trim_end_matches(":00Z")),
            open: price(1),
            high: price(2),
            low: price(3),
            close: price(4),
            volume: record[5].parse().expect("a quantity"),
        }
    };
    csv::Reader::from_path(path).expect("opens").into_records().map(|record| row(record.expect("a row"))).collect()
}

#[test]
fn longer_bars_are_those_of_independent_software() {
    for (source, symbol, finest, made, ending) in [
        ("market/BTC-USDT.1m.csv", "BTC-USDT", "1m", &["5m", "15m", "1h"][..], ""),
        ("market/SPY.1m.csv", "SPY", "1m", &["5m", "15m", "1h"], ".rth"),
        ("market/adjusted/AAPL.1d.csv", "AAPL", "1d", &["1w"], ""),
    ] {
        let Some(source) = shared(source) else { return };
        let mut feed = open(&source, made);
        let hours = Hours::of(feed.instruments()[0].class);
        let given = all(&mut feed);
        for timeframe in made {
            let Some(path) = shared(&format!("reference/resample/{symbol}.{finest}-to-{timeframe}{ending}.csv")) else {
                return;
            };
            let (found, wanted) = (of(&given, tf(timeframe)), reference(&path));
            assert!(wanted.len() > 20 && found.len() == wanted.len(), "{symbol} {timeframe}");
            for (found, wanted) in found.iter().zip(&wanted) {
                assert_eq!(found, wanted, "{symbol} {timeframe}");
            }
        }
        for (instant, seen) in given {
            assert_eq!(instant, hours.bar_end(seen.timeframe, seen.bar.start), "{symbol} {seen:?}");
            assert_eq!(seen.is_finest, seen.timeframe == tf(finest));
        }
    }
}

#[test]
fn a_recorded_file_goes_before_gathered_bars() {
    let minutes = "timestamp,open,high,low,close,volume\n2024-07-01T10:15:00Z,5,6,4,5,1\n2024-07-01T10:16:00Z,5,9,4,8,2\n\
                   2024-07-01T11:00:00Z,8,8,8,8,4\n";
    let hours = "timestamp,open,high,low,close,volume\n2024-07-01T10:00:00Z,70,70,70,70,7\n";
    let with = folder(&[("BTC-USD.1m.csv", minutes), ("BTC-USD.1h.csv", hours)]);
    let given = all(&mut open(with.path(), &["15m", "1h"]));
    assert_eq!(of(&given, Timeframe::H1)[0].open, Price::whole(70));
    assert_eq!(of(&given, Timeframe::M15).len(), 1);

    let without = folder(&[("BTC-USD.1m.csv", minutes)]);
    let given = all(&mut open(without.path(), &["1h"]));
    let bar = of(&given, Timeframe::H1)[0];
    assert_eq!(
        (bar.open, bar.high, bar.low),
        (Price::whole(5), Price::whole(9), Price::whole(4)),
        "what there is of it"
    );
    assert_eq!((bar.close, bar.volume), (Price::whole(8), Quantity::whole(3)));
    let when = given.iter().find(|(_, seen)| seen.timeframe == Timeframe::H1).map(|(instant, _)| *instant);
    assert_eq!(when, Some(at("2024-07-01T11:00")), "at the end of the hour, though no minute ends then");
    assert_eq!(of(&given, Timeframe::H1).len(), 1, "the second hour is not over when the data end");

    let options = ReplayOptions {
        path: with.path().to_owned(),
        timeframe: Some(Timeframe::H1),
        longer: vec![Timeframe::M5, Timeframe::D1],
        ..ReplayOptions::default()
    };
    let mut feed = ReplayFeed::open(&options, NOW, &mut |_, _| {}).expect("opens");
    assert_eq!(feed.too_fine(), [("BTC-USD".parse::<Symbol>().expect("a symbol"), Timeframe::M5)]);
    assert_eq!(feed.files(), ["BTC-USD.1h"]);
    assert!(all(&mut feed).iter().all(|(_, seen)| seen.timeframe == Timeframe::H1));
}

#[test]
fn a_split_within_a_week_is_followed_in_its_bar() {
    let days = "timestamp,open,high,low,close,volume\n2024-07-01,80,88,72,84,10\n2024-07-02,84,84,84,84,10\n\
                2024-07-03,21,23,21,22,100\n2024-07-05,22,22,22,22,100\n";
    let actions = "symbol,ex_date,kind,value\nAAPL,2024-07-03,split,4\n";
    let folder = folder(&[("AAPL.1d.csv", days), ("corporate_actions.csv", actions)]);
    let [week] = of(&all(&mut open(folder.path(), &["1w"])), Timeframe::W1)[..] else { panic!("one week") };
    let prices = [week.open, week.high, week.low, week.close].map(|price| price.units() / UNITS);
    assert_eq!((prices, week.volume), ([20, 23, 18, 22], Quantity::whole(280)), "in new shares");
}

/// Many symbols with gaps of their own, against a merge that only sorts.
#[test]
fn bars_of_many_symbols_come_in_their_order() {
    let mut files = Vec::new();
    for symbol in 0..40u64 {
        let mut text = "timestamp,open,high,low,close,volume\n".to_owned();
        for minute in (0..600u64).filter(|minute| !(minute * 7919 + symbol * 104_729).is_multiple_of(symbol % 5 + 2)) {
            let start = Timestamp::from_ms(1_719_792_000_000 + minute as i64 * 60_000);
            let _ = writeln!(text, "{start},10,11,9,10,{}", symbol + 1);
        }
        files.push((format!("C{symbol}-USD.1m.csv"), text));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let folder = folder(&files);
    let mut feed = open(folder.path(), &["5m", "1h"]);
    let instruments = feed.instruments().to_vec();
    let given = all(&mut feed);
    let mut wanted = Vec::new();
    for (index, instrument) in instruments.iter().enumerate() {
        let file = read(&folder.path().join(format!("{}.1m.csv", instrument.symbol)), NOW);
        wanted.extend(file.bars.iter().map(|bar| (bar.start.plus_ms(60_000), index, Timeframe::M1, *bar)));
        for timeframe in [Timeframe::M5, Timeframe::H1] {
            let mut groups: BTreeMap<i64, Vec<Bar>> = BTreeMap::new();
            for bar in &file.bars {
                groups.entry(bar.start.ms() / timeframe.ms() * timeframe.ms()).or_default().push(*bar);
            }
            for (label, group) in groups {
                let end = Timestamp::from_ms(label + timeframe.ms());
                let volume = group.iter().map(|bar| bar.volume.units()).sum();
                let bar = Bar { start: Timestamp::from_ms(label), volume: Quantity::from_units(volume), ..group[0] };
                wanted.push((end, index, timeframe, bar));
            }
        }
    }
    wanted.sort_by_key(|(end, index, timeframe, _)| (*end, *index, *timeframe));
    let found: Vec<_> = given.iter().map(|(at, seen)| (*at, seen.instrument, seen.timeframe, seen.bar)).collect();
    assert!(found == wanted);
}

#[test]
fn the_simulated_market_serves_longer_bars_too() {
    let list: Vec<Instrument> =
        ["AAPL", "JPM", "BTC-USD"].map(|symbol| Instrument::bare(symbol.parse().expect("symbol"))).to_vec();
    let new = || SimulatedFeed::new(3, Timeframe::M1, list.clone(), SimulatedFeed::START);
    let longer = [Timeframe::M5, Timeframe::H1, Timeframe::D1, Timeframe::W1];
    let (mut alone, mut both) = (new(), new().with_longer(&[longer.as_slice(), &[Timeframe::M1]].concat()));
    let (mut snapshot, mut other) = (MarketSnapshot::default(), MarketSnapshot::default());
    let mut sums: Vec<Aggregator> =
        list.iter().flat_map(|item| longer.map(|timeframe| Aggregator::new(item.class, timeframe))).collect();
    let (mut counts, mut starts) = (BTreeMap::new(), BTreeMap::new());
    let until = SimulatedFeed::START.plus_ms(15 * DAY_MS);
    while snapshot.at < until {
        alone.next_into(&mut other);
        both.next_into(&mut snapshot);
        // Where every symbol of the market is halted, an instant may have nothing but a longer bar.
        while snapshot.bars.iter().all(|seen| !seen.is_finest) {
            both.next_into(&mut snapshot);
        }
        let own: Vec<SnapshotBar> = snapshot.bars.iter().filter(|seen| seen.is_finest).copied().collect();
        assert_eq!((snapshot.at, own), (other.at, other.bars.clone()), "its own bars stay as they were");
        assert!(snapshot.bars.is_sorted_by_key(|seen| (seen.instrument, seen.timeframe)));
        for seen in &snapshot.bars {
            if seen.is_finest {
                sums[seen.instrument * 4..seen.instrument * 4 + 4].iter_mut().for_each(|sum| sum.add(&seen.bar));
                continue;
            }
            let place = longer.iter().position(|timeframe| *timeframe == seen.timeframe).expect("asked for");
            assert_eq!(sums[seen.instrument * 4 + place].take_due(snapshot.at), Some(seen.bar));
            let before = starts.insert((seen.instrument, seen.timeframe), seen.bar.start);
            assert!(before < Some(seen.bar.start), "given once");
            *counts.entry((seen.instrument, seen.timeframe)).or_insert(0) += 1;
        }
    }
    // From Monday 8 January to Tuesday 23 January at 14:30: 10 sessions with a holiday on the 15th, 15 days of coins.
    assert_eq!([counts[&(0, Timeframe::D1)], counts[&(0, Timeframe::W1)]], [10, 2]);
    assert_eq!([counts[&(2, Timeframe::D1)], counts[&(2, Timeframe::W1)]], [15, 2]);
    assert_eq!(
        Hours::of(AssetClass::UsEquity)
            .sessions_between("2024-01-07".parse().expect("a date"), "2024-01-23".parse().expect("a date")),
        10
    );
    assert!(counts[&(0, Timeframe::H1)] >= 10 * 7);
}
