//! What can be pressed below a message? Lines that its reader would type next.

use crate::domain::{Button, Event, EventKind, NoticeId, Severity, kind_named};

/// The most buttons below a message.
pub(super) const BUTTONS_MAX: usize = 4;

/// What a reader of this event wants next, most wanted first: at most four.
pub fn buttons(event: &Event, number: NoticeId) -> Vec<Button> {
    let mut row = Vec::new();
    if event.kind.severity() == Severity::Critical {
        row.push(acknowledge(number));
    }
    if let EventKind::ApprovalAsked { control, .. } = &event.kind {
        row.push(Button::new("Approve", format!("/approve {control}")));
        row.push(Button::new("Decline", format!("/decline {control}")));
    }
    row.extend(of_kind(&event.kind).map(|(label, line)| Button::new(label, line)));
    if let Some(symbol) = event.kind.symbol() {
        row.push(Button::new("Chart", format!("/chart {symbol}")));
    }
    if kind_named(event.kind.name()).is_some_and(|kind| kind.can_wait) {
        row.truncate(BUTTONS_MAX - 1);
        row.push(Button::new("Less", format!("/less {number}")));
    }
    row.truncate(BUTTONS_MAX);
    row
}

/// Tells everybody that somebody has seen it.
pub(super) fn acknowledge(number: NoticeId) -> Button {
    Button::new("Acknowledge", format!("/ack {number}"))
}

/// The one thing that this kind makes a reader ask for.
#[expect(clippy::too_many_lines, reason = "one arm a kind: the table of buttons")]
fn of_kind(kind: &EventKind) -> Option<(&'static str, String)> {
    let why = |what: String| Some(("Why", format!("/why {what}")));
    match kind {
        EventKind::PositionClosed { trade, .. } => why(trade.id.to_string()),
        EventKind::PositionOpened { fill, .. } | EventKind::OrderFilled { fill, .. } => why(fill.order.to_string()),
        EventKind::OrderSubmitted { order, .. } => why(order.id.to_string()),
        EventKind::OrderEnded { order, .. } => why(order.to_string()),
        EventKind::PositionScaled { symbol, .. }
        | EventKind::StopMoved { symbol, .. }
        | EventKind::LevelsSet { symbol, .. }
        | EventKind::PositionPassed { symbol, .. }
        | EventKind::MarginCalled { symbol, .. } => why(symbol.to_string()),
        EventKind::SignalRaised { signal } => why(signal.symbol.to_string()),
        EventKind::ProposalRefused { proposal, .. } => Some(("Why not", format!("/whynot {}", proposal.symbol))),
        EventKind::SymbolLocked { symbol, .. } => Some(("Unlock", format!("/unlock {symbol}"))),
        EventKind::EntryLocked { .. } => Some(("Locks", "/locks".to_owned())),
        EventKind::PositionUnprotected { .. } | EventKind::TradingHalted { .. } => {
            Some(("Positions", "/positions".to_owned()))
        }
        EventKind::TradingReduced { .. } | EventKind::DailyLossNear { .. } | EventKind::DrawdownNear { .. } => {
            Some(("Limits", "/limits".to_owned()))
        }
        EventKind::DayClosed { .. } | EventKind::DayPassed { .. } | EventKind::BookStopped { .. } => {
            Some(("Results", "/pnl".to_owned()))
        }
        EventKind::SettingChanged { .. } | EventKind::SettingEnded { .. } => Some(("Changes", "/changes".to_owned())),
        EventKind::ScreenerRan { .. } => Some(("List", "/screener".to_owned())),
        EventKind::CarryBooked { .. } => Some(("Costs", "/costs".to_owned())),
        EventKind::RegimeSwitched { .. } | EventKind::SignalMeasured { .. } | EventKind::StrategyFailed { .. } => {
            Some(("Strategies", "/strategies".to_owned()))
        }
        EventKind::EngineRecovered { .. } | EventKind::EngineStarted { .. } | EventKind::TradingResumed { .. } => {
            Some(("Status", "/status".to_owned()))
        }
        EventKind::HealthDegraded { .. }
        | EventKind::HealthRestored { .. }
        | EventKind::CyclesMissed { .. }
        | EventKind::StoreRecovered { .. }
        | EventKind::BackupFailed { .. }
        | EventKind::FeedStale { .. }
        | EventKind::LaneDied { .. }
        | EventKind::LaneRecovered { .. }
        | EventKind::DayAudited { .. } => Some(("Health", "/health".to_owned())),
        EventKind::DuressPin { .. } | EventKind::DuressUntold { .. } => Some(("Positions", "/positions".to_owned())),
        EventKind::DeliveryDied { .. } => Some(("Missed", "/missed".to_owned())),
        EventKind::PersonPaired { .. } | EventKind::CopyRunning { .. } => Some(("Halt", "/halt".to_owned())),
        EventKind::OrderWithheld { .. }
        | EventKind::ControlUndone { .. }
        | EventKind::AlertFired { .. }
        | EventKind::BackupMade { .. }
        | EventKind::BookReset { .. }
        | EventKind::ClockJumped { .. }
        | EventKind::ConfigChanged { .. }
        | EventKind::ConfigRefused { .. }
        | EventKind::DrillSent { .. }
        | EventKind::EngineStopped { .. }
        | EventKind::EntryUnlocked { .. }
        | EventKind::BlockEnded { .. }
        | EventKind::FeedRecovered { .. }
        | EventKind::PinLocked { .. }
        | EventKind::FactorChanged { .. }
        | EventKind::ControlLapsed { .. }
        | EventKind::ApprovalAsked { .. }
        | EventKind::ApprovalEnded { .. }
        | EventKind::ReplayFinished { .. }
        | EventKind::SmsBudgetNear { .. }
        | EventKind::SplitApplied { .. }
        | EventKind::StrangersKnocked { .. }
        | EventKind::SymbolUnlocked { .. } => None,
    }
}
