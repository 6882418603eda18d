//! The five cases on which the most trusted open alert manager was measured: four of them it loses or repeats a message in.

use std::time::Duration;

use bellwether::clock::Clock;
use bellwether::notify::SendError;

use super::post_office::{ANA, Does, PostOffice};
use super::samples::sample;

/// A case: its letter, what happens, and whether it was told once and rightly.
pub(crate) struct Case {
    pub(crate) letter: char,
    pub(crate) about: &'static str,
    pub(crate) passes: fn() -> bool,
}

/// All five.
pub(crate) const CASES: [Case; 5] = [
    Case { letter: 'A', about: "delivered, killed, started anew while it still holds", passes: killed_after },
    Case { letter: 'B', about: "begins and ends while nobody can be reached", passes: short },
    Case { letter: 'C', about: "three failures of the service", passes: failing },
    Case { letter: 'D', about: "accepted, killed before it was sent", passes: killed_before },
    Case { letter: 'E', about: "asked to wait one second", passes: throttled },
];

fn down() -> Does {
    Does::Fail(SendError::Unreachable("status 500".to_owned()))
}

fn killed_after() -> bool {
    let mut office = PostOffice::of_one();
    office.happen([sample("feed_stale").kind]);
    office.run(ANA, 2);
    office.restart();
    office.run(ANA, 120);
    office.wire(ANA).take().len() == 1
}

fn short() -> bool {
    let mut office = PostOffice::of_one();
    office.wire(ANA).script(vec![down(); 500]);
    office.run(ANA, 2);
    office.happen([sample("feed_stale").kind]);
    office.run(ANA, 7);
    office.happen([sample("feed_recovered").kind]);
    office.run(ANA, 7);
    office.wire(ANA).mend();
    office.run(ANA, 60);
    let told = office.wire(ANA).take();
    told.len() == 1 && told[0].contains("were stale for")
}

fn failing() -> bool {
    let mut office = PostOffice::of_one();
    office.wire(ANA).script(vec![down(); 3]);
    office.happen([sample("symbol_locked").kind]);
    office.run(ANA, 10);
    office.wire(ANA).take().len() == 1
}

fn killed_before() -> bool {
    let mut office = PostOffice::of_one();
    office.happen([sample("symbol_locked").kind]);
    office.restart();
    office.run(ANA, 2);
    let told = office.wire(ANA).take();
    told.len() == 1 && !told[0].contains("repeat")
}

fn throttled() -> bool {
    let mut office = PostOffice::of_one();
    office.wire(ANA).script([Does::Fail(SendError::Throttled(Duration::from_secs(1)))]);
    let begun = office.clock.now();
    office.happen([sample("symbol_locked").kind]);
    office.run(ANA, 3);
    let seen = office.wire(ANA).seen();
    seen.len() == 1 && (1_000..=1_250).contains(&seen[0].at.since(begun))
}
