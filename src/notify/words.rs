//! What does a fact sound like? The fact first, then why, then what it means for the book, then what can be done.

use crate::domain::{Block, Event, EventKind};

use super::telling::{Said, Telling, Words};

/// A fact in words: its title, which is all that a locked screen shows, then a few lines.
pub fn told(event: &Event, telling: &Telling) -> Vec<Block> {
    telling.finished(Words::of(event, telling).say(&event.kind).blocks())
}

impl Words<'_> {
    #[expect(clippy::too_many_lines, reason = "one arm a kind: the table of what is said of each")]
    pub(super) fn say(&self, kind: &EventKind) -> Said {
        match kind {
            EventKind::SignalRaised { signal } => Self::signal_raised(signal),
            EventKind::SignalMeasured { signal, strategy, symbol, bars, outcome } => {
                Self::signal_measured(*signal, *strategy, *symbol, *bars, *outcome)
            }
            EventKind::ProposalRefused { proposal, refusals } => self.refused(proposal, refusals),
            EventKind::OrderSubmitted { order, checks } => self.submitted(order, checks.len()),
            EventKind::OrderWithheld { order, checks } => self.withheld(order, checks.len()),
            EventKind::OrderFilled { fill, remaining } => self.filled(fill, *remaining),
            EventKind::OrderEnded { order, symbol, unfilled, why } => self.ended(*order, *symbol, *unfilled, why),
            EventKind::PositionOpened { .. } => self.opened(kind, &[]),
            EventKind::PositionScaled { symbol, quantity, average, .. } => self.scaled(*symbol, *quantity, *average),
            EventKind::PositionClosed { trade, day, day_share, equity } => {
                self.closed(trade, *day, *day_share, *equity)
            }
            EventKind::StopMoved { symbol, from, to, quantity, average } => {
                self.stop_moved(*symbol, *from, *to, (*quantity, *average))
            }
            EventKind::ControlUndone { control, person, bookings } => self.undone(control, person, bookings),
            EventKind::LevelsSet { symbol, stop, target, trail, person } => {
                self.levels_set(*symbol, *stop, (*target, *trail), person)
            }
            EventKind::PositionPassed { symbol, profit, share, level } => {
                self.position_passed(*symbol, *profit, *share, *level)
            }
            EventKind::DayPassed { profit, share, level } => self.day_passed(*profit, *share, *level),
            EventKind::CarryBooked { booking } => self.carried(booking),
            EventKind::SplitApplied { symbol, ratio, quantity } => self.split(*symbol, *ratio, *quantity),
            EventKind::DayClosed { day, profit, equity, trades } => self.day_closed(day, *profit, *equity, *trades),
            EventKind::RegimeSwitched { symbol, from, to, strategies } => {
                Self::regime_switched(*symbol, *from, *to, strategies)
            }
            EventKind::ScreenerRan { looked, chosen, unmeasured } => self.screened(*looked, chosen, *unmeasured),
            EventKind::AlertFired { alert, condition, value, repeats, .. } => {
                self.alert(*alert, condition, value, *repeats)
            }
            EventKind::PositionUnprotected { symbol, quantity } => self.unprotected(*symbol, *quantity),
            EventKind::TradingHalted { cause, cancelled, positions } => self.halted(cause, *cancelled, *positions),
            EventKind::TradingReduced { cause, day, until } => self.reduced(cause, *day, *until),
            EventKind::TradingResumed { from, person } => self.resumed(*from, person.as_deref()),
            EventKind::DailyLossNear { day, loss, limit } => self.daily_loss_near(*day, *loss, *limit),
            EventKind::DrawdownNear { drawdown, limit } => self.drawdown_near(*drawdown, *limit),
            EventKind::EntryLocked { lock } => self.entry_locked(lock),
            EventKind::BlockEnded { symbol, person } => self.block_ended(*symbol, person),
            EventKind::EntryUnlocked { symbol, person } => self.entry_unlocked(*symbol, person),
            EventKind::MarginCalled { symbol, left, required } => self.margin_called(*symbol, *left, *required),
            EventKind::SymbolLocked { symbol, before, after, quantity } => {
                self.symbol_locked(*symbol, *before, *after, *quantity)
            }
            EventKind::SymbolUnlocked { symbol, reason } => Self::symbol_unlocked(*symbol, reason),
            EventKind::BookStopped { equity, profit } => self.book_stopped(*equity, *profit),
            EventKind::BookReset { equity, capital, person } => self.book_reset(*equity, *capital, person),
            EventKind::PinLocked { person, until } => self.pin_locked(person, *until),
            EventKind::FactorChanged { person, what } => Self::factor_changed(person, what),
            EventKind::DuressPin { person } => Self::duress(person),
            EventKind::DuressUntold { person, notice, lane, why } => Self::duress_untold(person, *notice, *lane, why),
            EventKind::ControlLapsed { person, change } => Self::control_lapsed(person, change),
            EventKind::ApprovalAsked { control, person, change, preview, until, .. } => {
                self.approval_asked(*control, person, change, preview, *until)
            }
            EventKind::ApprovalEnded { person, change, by, agreed, .. } => {
                Self::approval_ended(person, change, by, *agreed)
            }
            EventKind::EngineStarted { feed, symbols, dry_run } => Self::started(feed, *symbols, *dry_run),
            EventKind::EngineRecovered { down_s, last_cycle, positions, orders, unknown_deliveries } => {
                Self::recovered(*down_s, *last_cycle, [*positions, *orders, *unknown_deliveries])
            }
            EventKind::EngineStopped { cycles } => Self::stopped(*cycles),
            EventKind::ReplayFinished { cycles, equity } => self.replay_finished(*cycles, *equity),
            EventKind::FeedStale { symbol, since } => self.feed_stale(*symbol, *since),
            EventKind::FeedRecovered { symbol, since, bars_missing } => {
                self.feed_recovered(*symbol, *since, *bars_missing)
            }
            EventKind::CyclesMissed { cycles, late_s } => Self::cycles_missed(*cycles, *late_s),
            EventKind::StrategyFailed { strategy, symbol, error } => Self::strategy_failed(*strategy, *symbol, error),
            EventKind::DayAudited { day, cycles, orders, fills, differences } => {
                self.audited(day, [*cycles, *orders, *fills], differences)
            }
            EventKind::ConfigChanged { changes } => self.config_changed(changes),
            EventKind::SettingChanged { changes, person, until } => self.setting_changed(changes, person, *until),
            EventKind::SettingEnded { what, changes, person, why } => {
                self.setting_ended(what, changes, person, why.as_deref())
            }
            EventKind::ConfigRefused { error } => Self::config_refused(error),
            EventKind::ClockJumped { by_s } => Self::clock_jumped(*by_s),
            EventKind::StoreRecovered { error, down_s } => Self::store_recovered(error, *down_s),
            EventKind::HealthDegraded { part, why } => Self::health_degraded(part, why),
            EventKind::HealthRestored { part, down_s } => Self::health_restored(part, *down_s),
            EventKind::BackupMade { file, bytes } => Self::backup_made(file, *bytes),
            EventKind::BackupFailed { error } => Self::backup_failed(error),
            EventKind::LaneDied { lane, why, waiting } => Self::lane_died(*lane, why, *waiting),
            EventKind::LaneRecovered { lane, down_s, waiting } => Self::lane_recovered(*lane, *down_s, *waiting),
            EventKind::DeliveryDied { notice, lane, why } => Self::delivery_died(*notice, *lane, why),
            EventKind::SmsBudgetNear { silent: Some(lane), .. } => Self::sms_silent(*lane),
            EventKind::SmsBudgetNear { spent, per_day, silent: None } => Self::sms_budget_near(*spent, *per_day),
            EventKind::CopyRunning { channel } => Self::copy_running(channel),
            EventKind::StrangersKnocked { channel, messages, people, codes } => {
                Self::strangers(channel, *messages, *people, *codes)
            }
            EventKind::PersonPaired { person, channel, account } => Self::paired(person, channel, account),
            EventKind::DrillSent { person } => Self::drill(person),
        }
    }
}
