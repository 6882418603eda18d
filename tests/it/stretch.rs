//! Recorded prices are read once and played again, whole or in part, as if the files had held only that part.

use bellwether::clock::{DAY_MS, Timestamp};
use bellwether::domain::MarketSnapshot;
use bellwether::market::{Feed, ReplayFeed, ReplayOptions, Stretch};

use crate::support::{opened, shared, walk, write_prices};

fn played(feed: &mut ReplayFeed) -> Vec<MarketSnapshot> {
    let (mut snapshot, mut all) = (MarketSnapshot::default(), Vec::new());
    while feed.next_into(&mut snapshot) {
        all.push(snapshot.clone());
    }
    all
}

/// Two coins, one of which begins later, with weeks gathered from days.
fn coins() -> (tempfile::TempDir, fn(&mut ReplayOptions)) {
    let folder = tempfile::tempdir().expect("folder");
    write_prices(folder.path(), "AAA-USD", &walk(200, 1));
    write_prices(folder.path(), "BBB-USD", &walk(120, 2));
    (folder, |options| options.longer = vec!["1w".parse().expect("a timeframe")])
}

fn day(number: i64) -> Timestamp {
    Timestamp::from_ms(1_577_836_800_000 + number * DAY_MS)
}

#[test]
fn the_whole_again_is_the_whole() {
    let (folder, options) = coins();
    let mut feed = opened(folder.path(), &["AAA-USD", "BBB-USD"], options);
    let first = played(&mut feed);
    assert!(first.len() == 200 && played(&mut feed).is_empty());
    assert_eq!(played(&mut feed.again(Stretch::default())), first);
    assert_eq!(feed.again(Stretch::default()).bars(), 320);
    let cut = feed.again(Stretch { is_cut: true, ..Stretch::default() });
    assert_eq!(played(&mut cut.again(Stretch::default())), first, "the end of the file is its end");
    assert_eq!(feed.instants(), (1..=200).map(day).collect::<Vec<_>>());
}

#[test]
fn a_part_is_what_shorter_files_would_give() {
    let (folder, options) = coins();
    let feed = opened(folder.path(), &["AAA-USD", "BBB-USD"], options);
    for to in [1, 7, 60, 119, 120, 121, 199, 500] {
        let mut shorter = opened(folder.path(), &["AAA-USD", "BBB-USD"], |all| {
            options(all);
            all.to = Some(day(to));
        });
        let part = played(&mut feed.again(Stretch { to: Some(day(to)), ..Stretch::default() }));
        assert_eq!(part, played(&mut shorter), "up to day {to}");
        let cut = played(&mut feed.again(Stretch { to: Some(day(to)), is_cut: true, ..Stretch::default() }));
        let whole = played(&mut feed.again(Stretch::default()));
        assert_eq!(cut, whole[..part.len()], "up to day {to} nothing tells of the end");
    }
    assert!(played(&mut feed.again(Stretch { to: Some(day(0)), ..Stretch::default() })).is_empty());
}

#[test]
fn what_comes_before_is_left_out_or_history() {
    let (folder, options) = coins();
    let feed = opened(folder.path(), &["AAA-USD", "BBB-USD"], options);
    let mut later = feed.again(Stretch { after: Some(day(50)), from: Some(day(80)), ..Stretch::default() });
    assert_eq!(later.history_until(), day(80));
    let all = played(&mut later);
    assert_eq!(all.first().map(|first| first.at), Some(day(51)));
    assert_eq!(all.len(), 150);
    let none = feed.again(Stretch { after: Some(day(90)), to: Some(day(60)), ..Stretch::default() });
    assert_eq!((none.bars(), played(&mut none.again(Stretch::default())).len()), (0, 0));
}

#[test]
fn so_many_bars_back_is_enough_for_every_symbol() {
    let (folder, options) = coins();
    let feed = opened(folder.path(), &["AAA-USD", "BBB-USD"], options);
    let counted = |at: Timestamp, bars: usize| {
        let after = feed.back(at, bars);
        let snapshots = played(&mut feed.again(Stretch { after, to: Some(at), ..Stretch::default() }));
        let count = |number| {
            snapshots.iter().flat_map(|it| &it.bars).filter(|seen| seen.is_finest && seen.instrument == number).count()
        };
        (count(0), count(1))
    };
    assert_eq!(counted(day(100), 30), (30, 30));
    assert_eq!(counted(day(20), 30), (20, 20), "all there are");
    // The second ended on day 120: 30 of its bars reach back to day 90, where the first has 60 more.
    assert_eq!(counted(day(150), 30), (60, 30));
    assert_eq!(feed.again(Stretch { to: Some(day(0)), ..Stretch::default() }).back(day(9), 5), None);
}

/// Raw prices with splits and dividends: a part has those of its own days.
#[test]
fn corporate_actions_belong_to_their_days() {
    let Some(market) = shared("market") else { return };
    let feed = opened(&market, &["AAPL"], |options| options.timeframe = "1d".parse().ok());
    let whole = played(&mut feed.again(Stretch::default()));
    let (after, to) = (whole[1_000].at, whole[4_200].at);
    let part =
        played(&mut feed.again(Stretch { after: Some(after), to: Some(to), is_cut: true, ..Stretch::default() }));
    assert_eq!(part[1..], whole[1_002..=4_200]);
    assert!(part.iter().any(|it| !it.splits.is_empty()) && part.iter().any(|it| !it.dividends.is_empty()));
}
