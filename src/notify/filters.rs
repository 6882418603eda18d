//! Should this be told here, now? Pure rules in order; the first that does not pass ends the walk and is recorded.

use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::domain::{
    Event, EventKind, Kind, LaneRule, Money, NoticeId, Preferences, Quiet, Severity, StoryPart, Style, Treatment,
    kind_named, next_at,
};
use crate::store::{Delivery, Wishes};

/// What a lane's reader wants, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The lane, and how its kinds are told.
    pub rule: LaneRule,
    /// The zone of its reader.
    pub zone: Tz,
    /// How numbers and dates are written for them.
    pub style: Style,
    /// When they are not to be woken.
    pub quiet: Option<Quiet>,
    /// When their digest comes.
    pub digest_at: chrono::NaiveTime,
    /// What is smaller than this comes with the digest, by kind.
    pub thresholds: Vec<(String, Money)>,
    /// Amounts are told as shares of what their book began with: the readers may not know more.
    pub hides_amounts: bool,
    /// Longer than this nothing is tried again.
    pub patience: Patience,
}

/// How long a message is tried, by how loud it is, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience([i64; 4]);

const HOUR_MS: i64 = 3_600_000;

impl Default for Patience {
    fn default() -> Self {
        Self([HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS, 24 * HOUR_MS])
    }
}

impl Patience {
    /// So long for each severity, quietest first, in milliseconds.
    pub fn new(by_severity: [i64; 4]) -> Self {
        Self(by_severity)
    }

    /// For messages as loud as this.
    pub fn of(&self, severity: Severity) -> i64 {
        self.0[severity as usize]
    }
}

impl Policy {
    /// Everything at once, in this zone.
    pub fn open(rule: LaneRule, zone: Tz) -> Self {
        Self {
            rule,
            zone,
            style: Style::default(),
            quiet: None,
            digest_at: chrono::NaiveTime::from_hms_opt(8, 0, 0).unwrap_or_default(),
            thresholds: Vec::new(),
            hides_amounts: false,
            patience: Patience::default(),
        }
    }
}

impl Policy {
    /// The same with what its reader set for themselves.
    #[must_use]
    pub fn preferring(self, set: &Preferences) -> Self {
        Self {
            zone: set.zone().unwrap_or(self.zone),
            style: set.style(self.style),
            quiet: set.quiet(self.quiet),
            digest_at: set.digest(self.digest_at),
            ..self
        }
    }
}

/// Everything that a rule looks at.
pub(super) struct Case<'a> {
    pub(super) delivery: &'a Delivery,
    pub(super) event: &'a Event,
    pub(super) kind: &'static Kind,
    pub(super) policy: &'a Policy,
    pub(super) wishes: &'a Wishes,
    /// Stories that have begun and not ended.
    pub(super) open: &'a [String],
    /// The notice that told the same here a moment ago.
    pub(super) told_before: Option<NoticeId>,
    pub(super) now: Timestamp,
}

impl Case<'_> {
    /// How this kind is told to this reader now.
    pub(super) fn treatment(&self) -> Treatment {
        let wished = self.wishes.treatments.iter().find(|(name, _)| name == self.kind.name);
        match wished {
            Some((_, treatment)) if self.kind.can_wait => *treatment,
            _ => self.policy.rule.treatment(self.kind),
        }
    }

    fn is_critical(&self) -> bool {
        self.delivery.severity() == Severity::Critical
    }
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Go on.
    Pass,
    /// Not at all, because.
    Skip(String),
    /// Not before then, because.
    Hold(Timestamp, String),
}

use Verdict::{Hold, Pass, Skip};

type Filter = fn(&Case<'_>) -> Verdict;

/// All rules, in order.
const FILTERS: &[Filter] =
    &[wanted, unmuted, uninhibited, not_told_already, large_enough, gathered, outside_quiet_hours];

/// Kinds whose same words a second time are no news.
const NO_NEWS_TWICE: [&str; 4] = ["config_refused", "strategy_failed", "backup_failed", "proposal_refused"];
/// For how long the same words are no news, in milliseconds.
pub(super) const NO_NEWS_MS: i64 = 10 * 60_000;

/// While a story of the first kind goes on, facts of the others about the same thing tell nothing new.
const INHIBITS: &[(&str, &[&str])] = &[
    ("lock", &["feed_stale", "feed_recovered", "position_passed"]),
    ("trading", &["drawdown_near", "entry_locked", "entry_unlocked"]),
];

/// Whether facts of this kind are compared with what was told before.
pub(super) fn is_compared(kind: &str) -> bool {
    NO_NEWS_TWICE.contains(&kind)
}

/// Walks the rules.
pub(super) fn judge(case: &Case<'_>) -> Verdict {
    FILTERS.iter().map(|filter| filter(case)).find(|verdict| *verdict != Pass).unwrap_or(Pass)
}

fn wanted(case: &Case<'_>) -> Verdict {
    if case.treatment() == Treatment::Off { Skip("switched off".to_owned()) } else { Pass }
}

fn unmuted(case: &Case<'_>) -> Verdict {
    let muted = case.wishes.mutes.iter().any(|(kind, until)| kind == case.kind.name && *until > case.now);
    if muted && case.kind.can_wait { Skip("muted".to_owned()) } else { Pass }
}

fn uninhibited(case: &Case<'_>) -> Verdict {
    let ends = case.event.story().is_some_and(|story| story.part == StoryPart::Ends);
    // The end of what was told is told.
    if case.is_critical() || ends {
        return Pass;
    }
    let book = case.event.book.map(|book| book.to_string());
    let symbol = case.event.kind.symbol().map(|symbol| symbol.to_string());
    let about = |key: &str| {
        let (story, what) = key.split_once(' ').unwrap_or((key, ""));
        let inhibits = INHIBITS.iter().any(|(kind, targets)| *kind == story && targets.contains(&case.kind.name));
        inhibits && (book.as_deref() == Some(what) || symbol.as_deref() == Some(what))
    };
    match case.open.iter().find(|key| about(key)) {
        Some(key) => Skip(format!("inhibited by {key}")),
        None => Pass,
    }
}

fn not_told_already(case: &Case<'_>) -> Verdict {
    match case.told_before {
        Some(notice) if is_compared(case.kind.name) => Skip(format!("duplicate of {notice}")),
        _ => Pass,
    }
}

fn large_enough(case: &Case<'_>) -> Verdict {
    let limit = case.policy.thresholds.iter().find(|(kind, _)| kind == case.kind.name);
    match (limit, amount_of(&case.event.kind)) {
        (Some((_, limit)), Some(amount)) if amount < *limit && !case.delivery.held => {
            let until = next_at(case.policy.digest_at, case.now, case.policy.zone);
            Hold(until, format!("smaller than {limit:.2}: with the digest"))
        }
        _ => Pass,
    }
}

/// Kinds that are about an amount of money; `amount_of` knows which.
const AMOUNTS: [&str; 7] = [
    "position_opened",
    "order_filled",
    "position_closed",
    "position_passed",
    "day_passed",
    "day_closed",
    "carry_booked",
];

/// Whether facts of this kind are about an amount, so that small ones can wait.
pub fn has_amount(kind: &str) -> bool {
    AMOUNTS.contains(&kind)
}

/// How much money an event is about, without its sign: the value of what was bought, the result of what was closed.
fn amount_of(kind: &EventKind) -> Option<Money> {
    let amount = match kind {
        EventKind::PositionOpened { fill, .. } | EventKind::OrderFilled { fill, .. } => {
            fill.quantity.value_at(fill.price).ok()?
        }
        EventKind::PositionClosed { trade, .. } => trade.profit,
        EventKind::PositionPassed { profit, .. }
        | EventKind::DayPassed { profit, .. }
        | EventKind::DayClosed { profit, .. } => *profit,
        EventKind::CarryBooked { booking } => booking.amount,
        _ => return None,
    };
    Some(amount.abs())
}

fn gathered(case: &Case<'_>) -> Verdict {
    if case.treatment() != Treatment::Digest || case.delivery.held || case.is_critical() {
        return Pass;
    }
    Hold(next_at(case.policy.digest_at, case.now, case.policy.zone), "with the digest".to_owned())
}

fn outside_quiet_hours(case: &Case<'_>) -> Verdict {
    if case.is_critical() || !case.kind.can_wait {
        return Pass;
    }
    match case.policy.quiet.and_then(|quiet| quiet.until(case.now, case.policy.zone)) {
        Some(until) => Hold(until, "quiet hours".to_owned()),
        None => Pass,
    }
}

/// The kind of an event; one that the table does not have yet is told like any other.
pub(super) fn kind_of(event: &Event) -> &'static Kind {
    const UNKNOWN: Kind = Kind {
        name: "unknown",
        loudest: Severity::Critical,
        usual: Treatment::On,
        can_wait: false,
        about: "a kind that no table has",
    };
    kind_named(event.kind.name()).unwrap_or(&UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Booking, BookingKind, ExitReason, FillId, FillLeg, KINDS, OrderId, Price, Quantity, Ratio, Side, TradeFill,
        TradeId,
    };

    /// One of each kind that is about an amount, the amount always 20.
    fn of_amounts() -> Vec<EventKind> {
        let (book, symbol, at) = ("main".parse().unwrap(), "AAPL".parse().unwrap(), Timestamp::default());
        let (strategy, profit, share) = ("rsi".parse().unwrap(), Money::whole(-20), Ratio::ZERO);
        let (quantity, price, zero) = (Quantity::whole(2), Price::whole(10), Money::ZERO);
        let (id, order, side, leg) = (FillId(1), OrderId(1), Side::Buy, FillLeg::Market);
        let fill = TradeFill { id, order, book, symbol, side, quantity, price, fee: zero, slippage: zero, leg, at };
        let (id, reason) = (TradeId(1), ExitReason::Stop);
        let (entry_price, exit_price, opened, closed) = (price, price, at, at);
        let (fees, carried, best, worst) = (zero, zero, zero, zero);
        #[rustfmt::skip]
        let trade = crate::domain::Trade {
            id, book, symbol, strategy, side, quantity, entry_price, exit_price, opened, closed, fees, carried, profit, best, worst, reason,
        };
        let booking = Booking { book, symbol, kind: BookingKind::Dividend, amount: profit, at };
        let opened = EventKind::PositionOpened {
            fill: fill.clone(),
            strategy,
            because: String::new(),
            stop: None,
            target: None,
            trailing: false,
            risk: zero,
            exposure: share,
            exposure_limit: share,
            cash: zero,
            equity: zero,
        };
        vec![
            opened,
            EventKind::OrderFilled { fill, remaining: Quantity::ZERO },
            EventKind::PositionClosed { trade, day: zero, day_share: share, equity: zero },
            EventKind::PositionPassed { symbol, profit, share, level: share },
            EventKind::DayPassed { profit, share, level: share },
            EventKind::DayClosed { day: String::new(), profit, equity: zero, trades: 0 },
            EventKind::CarryBooked { booking },
        ]
    }

    #[test]
    fn kinds_with_an_amount_are_those_whose_amount_is_known() {
        let found: Vec<&str> = of_amounts()
            .iter()
            .filter(|kind| amount_of(kind) == Some(Money::whole(20)) && has_amount(kind.name()))
            .map(EventKind::name)
            .collect();
        let listed: Vec<&str> = KINDS.iter().map(|kind| kind.name).filter(|name| has_amount(name)).collect();
        assert_eq!((found.len(), listed.len()), (AMOUNTS.len(), AMOUNTS.len()));
        assert_eq!(amount_of(&EventKind::ClockJumped { by_s: 60 }), None);
    }
}
