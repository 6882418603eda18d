//! R1, R3 and R17: whatever moment the program dies at, nothing that was committed is lost, and what comes twice says so.

use crate::support::kills::die;

#[test]
fn nothing_is_lost_and_a_repeat_says_so_wherever_it_dies() {
    let report = die(150, 7);
    for (point, hits) in &report.hits {
        eprintln!("{hits:>4} deaths at \"{point}\"");
    }
    eprintln!("{} accepted, {} lost, {} repeats marked", report.accepted, report.lost, report.marked);
    assert_eq!((report.lost, report.unmarked), (0, 0), "{report:?}");
    assert!(report.repeats_max <= 1, "R3: {report:?}");
    for point in ["outbox: taken", "delivery: marked, not sent", "delivery: sent, not settled", "commit: before"] {
        assert!(report.hits.contains_key(point), "{point} was never hit");
    }
}
