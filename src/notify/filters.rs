//! Should this be told here, now? Pure rules in order; the first that does not pass ends the walk and is recorded.

use crate::clock::Timestamp;
use crate::domain::Severity;
use crate::store::Delivery;

/// What a lane's reader wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What is quieter than this is held back.
    pub min: Severity,
}

/// What a filter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Go on.
    Pass,
    /// Not at all, because.
    Skip(&'static str),
}

/// A rule.
type Filter = fn(&Delivery, &Policy, Timestamp) -> Verdict;

/// All rules, in order.
const FILTERS: &[Filter] = &[loud_enough];

/// Walks the rules.
pub(super) fn judge(delivery: &Delivery, policy: &Policy, now: Timestamp) -> Verdict {
    let verdicts = FILTERS.iter().map(|filter| filter(delivery, policy, now));
    verdicts.into_iter().find(|verdict| *verdict != Verdict::Pass).unwrap_or(Verdict::Pass)
}

/// A row may be older than the wish: what the reader wants now decides.
fn loud_enough(delivery: &Delivery, policy: &Policy, _: Timestamp) -> Verdict {
    if delivery.severity >= policy.min { Verdict::Pass } else { Verdict::Skip("quieter than this lane wants") }
}
