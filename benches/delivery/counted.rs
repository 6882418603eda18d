//! What is lost, told twice or told wrongly? Counted on a manual clock.

use std::sync::OnceLock;
use std::time::Duration;

use bellwether::clock::{Clock, Timestamp};
use bellwether::domain::{Quiet, RouteTable, Severity};
use bellwether::notify::SendError;
use bellwether::store::Points;

use crate::support::contest::CASES;
use crate::support::kills::{Deaths, die};
use crate::support::post_office::{ANA, BO, Does, PostOffice, ladder, lane};
use crate::support::{sample, tried};
use crate::{Measured, measured};

/// A thousand deaths, died once for all figures that ask.
fn deaths() -> &'static Deaths {
    static DEATHS: OnceLock<Deaths> = OnceLock::new();
    DEATHS.get_or_init(|| die(1_000, 11))
}

pub(crate) fn lost() -> Measured {
    let Deaths { hits, accepted, lost, .. } = deaths();
    let died: usize = hits.values().sum();
    measured(format!("{lost} of {accepted}; died {died} times at {} points", hits.len()), *lost == 0)
}

pub(crate) fn repeats() -> Measured {
    let Deaths { marked, unmarked, repeats_max, .. } = deaths();
    measured(format!("{repeats_max}; {marked} marked, {unmarked} not"), *repeats_max <= 1 && *unmarked == 0)
}

pub(crate) fn twice() -> Measured {
    const SENDS: usize = 100_000;
    let mut office = PostOffice::of_one();
    office.unlimited(ANA);
    for _ in 0..SENDS / 100 {
        office.happen(std::iter::repeat_n(sample("day_closed").kind, 100));
        while office.tick(ANA).sent > 0 {}
    }
    let mut numbers: Vec<_> = office.wire(ANA).seen().iter().map(|seen| seen.post.number).collect();
    let sent = numbers.len();
    numbers.sort();
    numbers.dedup();
    measured(format!("{} of {sent}", sent - numbers.len()), sent == SENDS && numbers.len() == SENDS)
}

pub(crate) fn short() -> Measured {
    const TIMES: usize = 100;
    let mut office = PostOffice::of_one();
    let mut told = 0;
    for _ in 0..TIMES {
        office.wire(ANA).script(vec![Does::Fail(SendError::Unreachable("scripted".to_owned())); 500]);
        office.happen([sample("feed_stale").kind]);
        office.run(ANA, 30);
        office.happen([sample("feed_recovered").kind]);
        office.run(ANA, 30);
        office.wire(ANA).mend();
        office.run(ANA, 60);
        let texts = office.wire(ANA).take();
        told += usize::from(texts.len() == 1 && texts[0].contains("were stale for"));
    }
    measured(format!("{told} of {TIMES} in one message"), told == TIMES)
}

pub(crate) fn punctual() -> Measured {
    let mut worst = 0;
    for restart_at in [None, Some(10), Some(60), Some(119)] {
        let mut office = PostOffice::new(ladder());
        office.happen([sample("trading_halted").kind]);
        let begun = office.clock.now();
        for second in 0..125 {
            if restart_at == Some(second) {
                office.restart();
            }
            office.run(BO, 1);
        }
        worst = worst.max((office.wire(BO).seen()[0].at.since(begun) - 120_000).abs());
    }
    measured(format!("{worst} ms, restarts between"), worst <= 1_000)
}

/// What becomes of a message during whose sending somebody acknowledges.
const ENDS: [&str; 5] = ["taken", "taken, unheard", "unreachable", "throttled", "killed"];

/// Acknowledged so many seconds after the fact, while nothing is under way; sends that began after it.
fn acked_between(second: i64) -> usize {
    let mut office = PostOffice::new(ladder());
    office.happen([sample("trading_halted").kind]);
    office.run(ANA, 2 + second);
    office.store.acknowledge(office.last_notice(), "ana", "telegram", office.clock.now()).expect("stored");
    let before = begun(&mut office);
    office.run(BO, 200);
    office.run(ANA, 5);
    begun(&mut office) - before
}

/// Acknowledged while the message to somebody is held under way, so many milliseconds long; sends that began after it.
fn acked_meanwhile(name: &str, end: &str, held_ms: i64) -> usize {
    let mut office = PostOffice::new(ladder());
    office.happen([sample("trading_halted").kind]);
    if name == BO {
        office.run(ANA, 2);
        office.clock.advance(118_000);
    }
    if end == "killed" {
        office.restart_with(Points::armed(|point| point == "delivery: sent, not settled")).expect("starts");
    }
    let (store, clock, acked) = (office.store.clone(), office.clock.clone(), office.last_notice());
    office.wire(name).meanwhile(move || {
        clock.advance(held_ms / 2);
        assert!(store.acknowledge(acked, "ana", "telegram", clock.now()).expect("stored"), "the first one");
        clock.advance(held_ms / 2);
    });
    office.wire(name).script(match end {
        "taken, unheard" => vec![Does::TakeUnheard; 3],
        "unreachable" => vec![Does::Fail(SendError::Unreachable("scripted".to_owned())); 3],
        "throttled" => vec![Does::Fail(SendError::Throttled(Duration::from_secs(3))); 3],
        _ => Vec::new(),
    });
    if end == "killed" {
        for _ in 0..100 {
            if office.try_tick(name).is_err() {
                break;
            }
            office.clock.advance(100);
        }
        office.restart();
    } else {
        office.run(name, 5);
    }
    office.run(BO, 200);
    office.run(ANA, 200);
    // The one during which it was acknowledged began before.
    begun(&mut office) - 1 - usize::from(name == BO)
}

fn begun(office: &mut PostOffice) -> usize {
    [ANA, BO].into_iter().map(|name| office.wire(name).begun()).sum()
}

pub(crate) fn after_ack() -> Measured {
    let mut begun_after: usize = (0..60).map(acked_between).sum();
    let mut ladders = 60;
    for name in [ANA, BO] {
        for end in ENDS {
            for held_ms in [10, 200, 2_000, 20_000] {
                begun_after += acked_meanwhile(name, end, held_ms);
                ladders += 1;
            }
        }
    }
    measured(format!("{begun_after} of {ladders} ladders, 40 acknowledged under way"), begun_after == 0)
}

pub(crate) fn hostile() -> Measured {
    const COUNT: u64 = 100_000;
    let failed = (0..COUNT).filter_map(|seed| tried(seed).err().map(|why| (seed, why))).collect::<Vec<_>>();
    let first =
        failed.first().map(|(seed, why)| format!("; seed {seed}: {}", &why[..why.len().min(200)])).unwrap_or_default();
    measured(format!("{} of {COUNT}{first}", COUNT - failed.len() as u64), failed.is_empty())
}

pub(crate) fn accounts() -> Measured {
    let mut office = PostOffice::new(RouteTable::simple(&[lane(ANA), lane(BO)], Severity::Info));
    let mut looks = 0;
    for round in 0..50 {
        if round % 3 == 0 {
            office.wire(ANA).script([Does::TakeUnheard, Does::Fail(SendError::Rejected("scripted".to_owned()))]);
        }
        office.happen(
            ["symbol_locked", "day_closed", "order_submitted", "feed_stale", "position_opened"]
                .map(|kind| sample(kind).kind),
        );
        for name in [ANA, BO] {
            office.run(name, 3);
            office.counts(name);
            looks += 1;
        }
    }
    measured(format!("{looks} looks, each adds up"), true)
}

pub(crate) fn blind() -> Measured {
    let mut office = PostOffice::new(RouteTable::simple(&[lane(ANA), lane(BO)], Severity::Notice));
    office.wire(ANA).script(vec![Does::Fail(SendError::Unreachable("scripted".to_owned())); 50]);
    office.happen([sample("day_closed").kind]);
    let begun = office.clock.now();
    for _ in 0..120 {
        office.run(ANA, 1);
        office.tick(BO);
        if let Some(told) = office.wire(BO).seen().iter().find(|seen| seen.text.contains(ANA)) {
            let after = told.at.since(begun) as f64 / 1e3;
            return measured(format!("{after:.1} s after the first failure"), after <= 60.0);
        }
    }
    measured("never", false)
}

pub(crate) fn contest() -> Measured {
    let passed: String = CASES.iter().filter(|case| (case.passes)()).map(|case| case.letter).collect();
    measured(format!("{} of {}: {passed}", passed.len(), CASES.len()), passed.len() == CASES.len())
}

pub(crate) fn quiet() -> Measured {
    let (from, to) = ("22:00:00".parse().expect("a time"), "07:00:00".parse().expect("a time"));
    let hours = Quiet { from, to };
    let begun = 1_798_761_600_000; // 2027-01-01
    let (mut wrong, mut asked, mut zones) = (0u64, 0u64, 0);
    for zone in chrono_tz::TZ_VARIANTS {
        zones += 1;
        for hour in 0..2 * 365 * 24 {
            let now = Timestamp::from_ms(begun + hour * 3_600_000 + (hour % 60) * 60_000);
            let local = now.utc().with_timezone(&zone).time();
            let inside = local >= from || local < to;
            asked += 1;
            wrong += u64::from(match hours.until(now, zone) {
                None => inside,
                Some(until) => {
                    let end = until.utc().with_timezone(&zone).time();
                    // The end of the hours, or the first instant after a jump over it; never a day away.
                    let fits = end >= to && end < to + chrono::TimeDelta::hours(2);
                    !inside || !fits || until <= now || until.since(now) > 11 * 3_600_000
                }
            });
        }
    }
    measured(format!("{wrong} of {asked} in {zones} zones"), wrong == 0)
}
