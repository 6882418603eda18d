//! How long do messages take? Over loopback, by the real clock.

use bellwether::domain::Severity;
use serde_json::json;

use crate::rig::{FIRST_CHAT, Flow, Rig, percentile};
use crate::support::sample;
use crate::{Measured, measured};

/// From a fact to the request at the fake, in milliseconds, so often.
fn latencies(rig: &Rig, chat: i64, times: usize) -> Vec<f64> {
    (0..times)
        .map(|_| {
            let after = rig.mark();
            let begun = rig.happen(vec![sample("symbol_locked").kind]);
            (rig.received(after, chat, "LOCKED") - begun) as f64 / 1e6
        })
        .collect()
}

pub(crate) fn idle() -> Measured {
    let rig = Rig::new(&["ana:telegram"], Severity::Notice, Flow::Free);
    latencies(&rig, FIRST_CHAT, 20);
    let mut times = latencies(&rig, FIRST_CHAT, 400);
    let (p99, p50) = (percentile(&mut times, 99), percentile(&mut times, 50));
    measured(format!("p50 {p50:.2} ms, p99 {p99:.2} ms of 400"), p50 <= 5.0 && p99 <= 25.0)
}

pub(crate) fn beside() -> Measured {
    let rig = Rig::new(&["ana:telegram", "bo:telegram"], Severity::Notice, Flow::Free);
    latencies(&rig, FIRST_CHAT, 20);
    let mut alone = latencies(&rig, FIRST_CHAT, 300);
    rig.fake.control("fault", &json!({ "kind": "hang", "chat": FIRST_CHAT + 1, "times": 0 }));
    let mut beside = latencies(&rig, FIRST_CHAT, 300);
    let (alone, beside) = (percentile(&mut alone, 50), percentile(&mut beside, 50));
    let slower = (beside / alone - 1.0) * 100.0;
    measured(format!("{slower:+.1} % (medians {alone:.2} and {beside:.2} ms)"), slower <= 5.0)
}

pub(crate) fn throttled() -> Measured {
    let rig = Rig::new(&["ana:telegram"], Severity::Notice, Flow::Free);
    let mut late = Vec::new();
    for _ in 0..20 {
        let after = rig.mark();
        rig.fake
            .control("fault", &json!({ "kind": "throttle", "method": "sendMessage", "times": 1, "retry_after": 1 }));
        rig.happen(vec![sample("symbol_locked").kind]);
        let received = rig.received(after, FIRST_CHAT, "LOCKED");
        let log = rig.log(after);
        let asked = log.iter().find(|entry| entry["outcome"]["kind"] == "fault").expect("a fault");
        late.push((received - asked["done_ns"].as_i64().expect("a time")) as f64 / 1e6 - 1_000.0);
    }
    let within = rig.fake.violations();
    let p99 = percentile(&mut late, 99);
    measured(format!("{within}; p99 {p99:.0} ms of 20"), within == 0 && p99 <= 250.0)
}

pub(crate) fn behind() -> Measured {
    let rig = Rig::new(&["ana:telegram"], Severity::Info, Flow::Kept);
    let mut times = Vec::new();
    for _ in 0..20 {
        rig.happen(vec![sample("order_submitted").kind; 5_000]);
        let after = rig.mark();
        let begun = rig.happen(vec![sample("symbol_locked").kind]);
        times.push((rig.received(after, FIRST_CHAT, "LOCKED") - begun) as f64 / 1e6);
    }
    let (p99, p50) = (percentile(&mut times, 99), percentile(&mut times, 50));
    let (violations, sent) = (rig.fake.violations(), rig.fake.seen(FIRST_CHAT).len());
    let words = format!("p50 {p50:.0} ms, p99 {p99:.0} ms of 20, {sent} messages");
    measured(words, p99 <= 2_000.0 && violations == 0)
}
