//! What can be said of every kind of event? How loud it is, which symbol and order it is about, and its name.

use super::{EventKind, OrderId, Severity, Symbol};

impl EventKind {
    /// How loud it is. No catch-all arm: a new kind does not compile until someone decides.
    #[expect(clippy::too_many_lines, reason = "one arm a kind: the table of how loud each is")]
    pub fn severity(&self) -> Severity {
        match self {
            Self::SignalRaised { .. }
            | Self::ProposalRefused { .. }
            | Self::OrderSubmitted { .. }
            | Self::OrderWithheld { .. }
            | Self::OrderFilled { .. }
            | Self::OrderEnded { .. }
            | Self::StopMoved { .. }
            | Self::RegimeSwitched { .. }
            | Self::SignalMeasured { .. }
            | Self::BackupMade { .. } => Severity::Info,
            // A list that nobody came onto is told; any other is there for those who ask.
            Self::ScreenerRan { chosen, .. } => {
                if chosen.is_empty() {
                    Severity::Notice
                } else {
                    Severity::Info
                }
            }
            Self::CarryBooked { booking } => booking.kind.severity(),
            Self::EntryLocked { lock } => lock.cause.severity(),
            Self::DayAudited { differences, .. } => {
                if differences.is_empty() {
                    Severity::Info
                } else {
                    Severity::Critical
                }
            }
            Self::EngineStarted { .. }
            | Self::EngineStopped { .. }
            | Self::ReplayFinished { .. }
            | Self::PositionOpened { .. }
            | Self::PositionScaled { .. }
            | Self::PositionClosed { .. }
            | Self::LevelsSet { .. }
            | Self::ControlUndone { .. }
            | Self::TradingResumed { .. }
            | Self::DayClosed { .. }
            | Self::FeedRecovered { .. }
            | Self::SymbolUnlocked { .. }
            | Self::EntryUnlocked { .. }
            | Self::BlockEnded { .. }
            | Self::BookStopped { .. }
            | Self::BookReset { .. }
            | Self::ConfigChanged { .. }
            | Self::SettingChanged { .. }
            | Self::SettingEnded { .. }
            | Self::PositionPassed { .. }
            | Self::DayPassed { .. }
            | Self::AlertFired { .. }
            | Self::HealthRestored { .. }
            | Self::LaneRecovered { .. }
            | Self::DrillSent { .. }
            | Self::ApprovalEnded { .. }
            | Self::SplitApplied { .. } => Severity::Notice,
            Self::EngineRecovered { .. }
            | Self::DailyLossNear { .. }
            | Self::DrawdownNear { .. }
            | Self::FeedStale { .. }
            | Self::ClockJumped { .. }
            | Self::ConfigRefused { .. }
            | Self::StrategyFailed { .. }
            | Self::StoreRecovered { .. }
            | Self::CyclesMissed { .. }
            | Self::HealthDegraded { .. }
            | Self::DeliveryDied { .. }
            | Self::SmsBudgetNear { .. }
            | Self::StrangersKnocked { .. }
            | Self::PersonPaired { .. }
            | Self::FactorChanged { .. }
            | Self::DuressUntold { .. }
            | Self::ControlLapsed { .. }
            | Self::ApprovalAsked { .. }
            | Self::BackupFailed { .. } => Severity::Warning,
            Self::PositionUnprotected { .. }
            | Self::TradingHalted { .. }
            | Self::TradingReduced { .. }
            | Self::SymbolLocked { .. }
            | Self::MarginCalled { .. }
            | Self::LaneDied { .. }
            | Self::CopyRunning { .. }
            | Self::DuressPin { .. }
            | Self::PinLocked { .. } => Severity::Critical,
        }
    }

    /// Whether there is somebody who must not learn of it, whatever they may see: nothing that they read may count it.
    pub fn is_kept_from_some(&self) -> bool {
        matches!(self, Self::DuressPin { .. } | Self::DuressUntold { .. })
    }

    /// Which symbol it is about, if it is about one.
    #[expect(clippy::too_many_lines, reason = "one arm a kind: the table of symbols")]
    pub fn symbol(&self) -> Option<Symbol> {
        match self {
            Self::SignalRaised { signal } => Some(signal.symbol),
            Self::ProposalRefused { proposal, .. } => Some(proposal.symbol),
            Self::OrderSubmitted { order, .. } | Self::OrderWithheld { order, .. } => Some(order.symbol),
            Self::OrderFilled { fill, .. } | Self::PositionOpened { fill, .. } => Some(fill.symbol),
            Self::PositionClosed { trade, .. } => Some(trade.symbol),
            Self::OrderEnded { symbol, .. }
            | Self::PositionScaled { symbol, .. }
            | Self::StopMoved { symbol, .. }
            | Self::LevelsSet { symbol, .. }
            | Self::PositionUnprotected { symbol, .. }
            | Self::PositionPassed { symbol, .. }
            | Self::FeedStale { symbol, .. }
            | Self::FeedRecovered { symbol, .. }
            | Self::SymbolLocked { symbol, .. }
            | Self::SymbolUnlocked { symbol, .. }
            | Self::EntryUnlocked { symbol, .. }
            | Self::BlockEnded { symbol, .. }
            | Self::RegimeSwitched { symbol, .. }
            | Self::SignalMeasured { symbol, .. }
            | Self::StrategyFailed { symbol, .. }
            | Self::MarginCalled { symbol, .. }
            | Self::SplitApplied { symbol, .. } => Some(*symbol),
            Self::EntryLocked { lock } => Some(lock.symbol),
            Self::CarryBooked { booking } => Some(booking.symbol),
            Self::ControlUndone { bookings, .. } => bookings.first().map(|booking| booking.symbol),
            Self::EngineStarted { .. }
            | Self::EngineRecovered { .. }
            | Self::EngineStopped { .. }
            | Self::ReplayFinished { .. }
            | Self::TradingHalted { .. }
            | Self::TradingReduced { .. }
            | Self::TradingResumed { .. }
            | Self::DailyLossNear { .. }
            | Self::DrawdownNear { .. }
            | Self::BookStopped { .. }
            | Self::BookReset { .. }
            | Self::ConfigChanged { .. }
            | Self::SettingChanged { .. }
            | Self::SettingEnded { .. }
            | Self::ConfigRefused { .. }
            | Self::ScreenerRan { .. }
            | Self::DayAudited { .. }
            | Self::DayClosed { .. }
            | Self::ClockJumped { .. }
            | Self::StoreRecovered { .. }
            | Self::BackupMade { .. }
            | Self::BackupFailed { .. }
            | Self::DayPassed { .. }
            | Self::AlertFired { .. }
            | Self::HealthRestored { .. }
            | Self::LaneRecovered { .. }
            | Self::DrillSent { .. }
            | Self::CyclesMissed { .. }
            | Self::HealthDegraded { .. }
            | Self::DeliveryDied { .. }
            | Self::SmsBudgetNear { .. }
            | Self::StrangersKnocked { .. }
            | Self::PersonPaired { .. }
            | Self::LaneDied { .. }
            | Self::CopyRunning { .. }
            | Self::FactorChanged { .. }
            | Self::DuressPin { .. }
            | Self::DuressUntold { .. }
            | Self::ControlLapsed { .. }
            | Self::ApprovalAsked { .. }
            | Self::ApprovalEnded { .. }
            | Self::PinLocked { .. } => None,
        }
    }

    /// Which order it is about, if it is about one.
    pub fn order(&self) -> Option<OrderId> {
        match self {
            Self::OrderSubmitted { order, .. } | Self::OrderWithheld { order, .. } => Some(order.id),
            Self::OrderFilled { fill, .. } | Self::PositionOpened { fill, .. } => Some(fill.order),
            Self::OrderEnded { order, .. } => Some(*order),
            _ => None,
        }
    }

    /// Its name as the journal stores it.
    #[expect(clippy::too_many_lines, reason = "one arm a kind: the table of names")]
    pub fn name(&self) -> &'static str {
        match self {
            Self::EngineStarted { .. } => "engine_started",
            Self::EngineRecovered { .. } => "engine_recovered",
            Self::EngineStopped { .. } => "engine_stopped",
            Self::ReplayFinished { .. } => "replay_finished",
            Self::SignalRaised { .. } => "signal_raised",
            Self::ProposalRefused { .. } => "proposal_refused",
            Self::OrderSubmitted { .. } => "order_submitted",
            Self::OrderWithheld { .. } => "order_withheld",
            Self::OrderFilled { .. } => "order_filled",
            Self::OrderEnded { .. } => "order_ended",
            Self::PositionOpened { .. } => "position_opened",
            Self::PositionScaled { .. } => "position_scaled",
            Self::PositionClosed { .. } => "position_closed",
            Self::StopMoved { .. } => "stop_moved",
            Self::LevelsSet { .. } => "levels_set",
            Self::ControlUndone { .. } => "control_undone",
            Self::PositionUnprotected { .. } => "position_unprotected",
            Self::TradingHalted { .. } => "trading_halted",
            Self::TradingReduced { .. } => "trading_reduced",
            Self::TradingResumed { .. } => "trading_resumed",
            Self::DailyLossNear { .. } => "daily_loss_near",
            Self::DrawdownNear { .. } => "drawdown_near",
            Self::EntryLocked { .. } => "entry_locked",
            Self::EntryUnlocked { .. } => "entry_unlocked",
            Self::BlockEnded { .. } => "block_ended",
            Self::CarryBooked { .. } => "carry_booked",
            Self::MarginCalled { .. } => "margin_called",
            Self::RegimeSwitched { .. } => "regime_switched",
            Self::SignalMeasured { .. } => "signal_measured",
            Self::BookStopped { .. } => "book_stopped",
            Self::BookReset { .. } => "book_reset",
            Self::ConfigChanged { .. } => "config_changed",
            Self::SettingChanged { .. } => "setting_changed",
            Self::SettingEnded { .. } => "setting_ended",
            Self::ConfigRefused { .. } => "config_refused",
            Self::StrategyFailed { .. } => "strategy_failed",
            Self::ScreenerRan { .. } => "screener_ran",
            Self::DayAudited { .. } => "day_audited",
            Self::DayClosed { .. } => "day_closed",
            Self::FeedStale { .. } => "feed_stale",
            Self::FeedRecovered { .. } => "feed_recovered",
            Self::SymbolLocked { .. } => "symbol_locked",
            Self::SymbolUnlocked { .. } => "symbol_unlocked",
            Self::SplitApplied { .. } => "split_applied",
            Self::ClockJumped { .. } => "clock_jumped",
            Self::StoreRecovered { .. } => "store_recovered",
            Self::BackupMade { .. } => "backup_made",
            Self::BackupFailed { .. } => "backup_failed",
            Self::PositionPassed { .. } => "position_passed",
            Self::DayPassed { .. } => "day_passed",
            Self::AlertFired { .. } => "alert_fired",
            Self::HealthRestored { .. } => "health_restored",
            Self::LaneRecovered { .. } => "lane_recovered",
            Self::DrillSent { .. } => "drill_sent",
            Self::CyclesMissed { .. } => "cycles_missed",
            Self::HealthDegraded { .. } => "health_degraded",
            Self::DeliveryDied { .. } => "delivery_died",
            Self::StrangersKnocked { .. } => "strangers_knocked",
            Self::PersonPaired { .. } => "person_paired",
            Self::LaneDied { .. } => "lane_died",
            Self::SmsBudgetNear { .. } => "sms_budget_near",
            Self::CopyRunning { .. } => "copy_running",
            Self::PinLocked { .. } => "pin_locked",
            Self::FactorChanged { .. } => "factor_changed",
            Self::DuressPin { .. } => "duress_pin",
            Self::DuressUntold { .. } => "duress_untold",
            Self::ControlLapsed { .. } => "control_lapsed",
            Self::ApprovalAsked { .. } => "approval_asked",
            Self::ApprovalEnded { .. } => "approval_ended",
        }
    }
}
