//! Which kinds of events can be told? One row each: how loud it gets, how it is told unless somebody says otherwise.

use super::{Severity, Treatment};

/// A kind of event, as routes, mutes and settings name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its name, as `EventKind::name` gives it.
    pub name: &'static str,
    /// The loudest it gets.
    pub loudest: Severity,
    /// How it is told where nothing else was said: what matters at once, the rest in the digest.
    pub usual: Treatment,
    /// Whether it can be muted, made quieter or held at night. What can ruin somebody cannot.
    pub can_wait: bool,
    /// What it tells, for lists.
    pub about: &'static str,
}

const fn row(name: &'static str, loudest: Severity, usual: Treatment, about: &'static str) -> Kind {
    Kind { name, loudest, usual, can_wait: true, about }
}

const fn always(name: &'static str, loudest: Severity, about: &'static str) -> Kind {
    Kind { name, loudest, usual: Treatment::On, can_wait: false, about }
}

use Severity::{Critical, Info, Notice, Warning};
use Treatment::{Digest, Off, On};

/// Every kind, in the order of lists.
pub const KINDS: &[Kind] = &[
    row("position_opened", Notice, On, "a position was opened"),
    row("position_scaled", Notice, On, "an entry that filled in parts is complete"),
    row("position_closed", Notice, On, "a position was closed, with its result"),
    row("stop_moved", Info, Digest, "a stop follows the price"),
    row("levels_set", Notice, On, "somebody set a stop or target"),
    row("control_undone", Notice, On, "a change was taken back, and its fills booked back"),
    row("order_filled", Info, Off, "an order was filled, wholly or in part"),
    row("order_ended", Info, Digest, "an order ended without filling wholly"),
    row("order_submitted", Info, Off, "an order went out"),
    row("order_withheld", Info, Off, "a dry run kept an order back"),
    row("signal_raised", Info, Off, "a strategy wants something"),
    row("proposal_refused", Info, Digest, "risk refused an order"),
    row("signal_measured", Info, Off, "how right a signal was"),
    row("position_passed", Notice, On, "profit or loss of a position passed a threshold"),
    row("day_passed", Notice, On, "profit or loss of the day passed a threshold"),
    always("daily_loss_near", Warning, "the daily loss limit is near"),
    row("drawdown_near", Warning, On, "the fall from the peak comes near a stage"),
    always("trading_halted", Critical, "trading stopped"),
    always("trading_reduced", Critical, "entries stopped, such as by the daily loss limit"),
    row("trading_resumed", Notice, On, "trading goes on"),
    row("position_unprotected", Critical, On, "a position has no stop"),
    row("margin_called", Critical, On, "a position used up its margin"),
    row("entry_locked", Notice, On, "a book keeps out of a symbol"),
    row("entry_unlocked", Notice, On, "a book may enter a symbol again"),
    row("block_ended", Notice, On, "the time of a block is over"),
    row("symbol_locked", Critical, On, "a price is in doubt"),
    row("symbol_unlocked", Notice, On, "a price is believed again"),
    row("split_applied", Notice, On, "shares were split"),
    row("carry_booked", Notice, On, "dividends, borrowing, funding"),
    row("regime_switched", Info, Digest, "a market changed its character"),
    row("alert_fired", Notice, On, "an alert that you set"),
    row("feed_stale", Warning, On, "prices stopped coming"),
    row("feed_recovered", Notice, On, "prices are back"),
    row("cycles_missed", Warning, On, "the engine fell behind the market"),
    row("strategy_failed", Warning, On, "a strategy could not be run"),
    row("screener_ran", Notice, On, "who is on a screener's list"),
    row("day_closed", Notice, On, "a book's day ended"),
    row("day_audited", Critical, On, "decisions made again and compared with the ledger"),
    row("book_stopped", Notice, On, "a stopped book holds nothing any more"),
    row("book_reset", Notice, On, "a book began anew"),
    row("config_changed", Notice, On, "the configuration was changed"),
    row("setting_changed", Notice, On, "a person changed a setting over the file"),
    row("setting_ended", Notice, On, "what a person had set over the file is over"),
    row("config_refused", Warning, On, "a changed configuration was refused"),
    row("engine_started", Notice, On, "the bot began to trade"),
    row("engine_recovered", Warning, On, "the bot was found dead and goes on"),
    row("engine_stopped", Notice, On, "the bot stopped as it was told"),
    row("replay_finished", Notice, On, "recorded prices are at their end"),
    row("clock_jumped", Warning, On, "the machine's clock was set"),
    row("store_recovered", Warning, On, "the store works again"),
    row("health_degraded", Warning, On, "a part is ill"),
    row("health_restored", Notice, On, "a part is well again"),
    row("backup_made", Info, Off, "the nightly copy"),
    row("backup_failed", Warning, On, "the nightly copy failed"),
    always("lane_died", Critical, "a way to somebody is dead"),
    row("lane_recovered", Notice, On, "a way to somebody works again"),
    always("delivery_died", Warning, "a message could not be delivered"),
    row(
        "sms_budget_near",
        Warning,
        On,
        "the day's money for short messages, or one phone's part of it, is nearly or wholly spent",
    ),
    always("copy_running", Critical, "another copy of the bot reads the same chat"),
    always("pin_locked", Critical, "a PIN was wrong too often"),
    always("factor_changed", Warning, "what somebody proves who they are by was changed on the machine"),
    always("duress_pin", Critical, "somebody was made to enter a PIN; for the other owners alone"),
    always(
        "duress_untold",
        Warning,
        "that somebody was made to enter a PIN did not arrive; for the other owners alone",
    ),
    always("control_lapsed", Warning, "a confirmed change waited too long and was not done; for whoever asked"),
    always("approval_asked", Warning, "a change waits for a second person; for those who may agree"),
    row("approval_ended", Notice, On, "a change waits no more for a second person"),
    always("strangers_knocked", Warning, "strangers write to the bot"),
    always("person_paired", Warning, "somebody was paired with a chat"),
    row("drill_sent", Notice, On, "a test message on every lane"),
];

/// The kind of this name.
pub fn kind_named(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
