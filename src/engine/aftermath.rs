//! What comes of other settings besides their differences? Who is left to stops alone, what has not seen the past, which entries are taken
//! back, and what the next bar does.

use crate::domain::format::{counted, money, percent};
use crate::domain::{AmountError, Label, Order, OrderAction, OrderId, Purpose, RunContext, Symbol};
use crate::portfolio::equity;
use crate::risk;
use crate::strategy::ParamError;

use super::carry::short_of_margin;
use super::desk::Desk;
use super::fills::{end, losses_at};
use super::guard::{Breach, breach, waits_for_a_person};
use super::plan::{Plan, PlanError, Step};
use super::reconfigure::young;
use super::state::Prices;
use super::{DeskSettings, LossAction, Outcome};

/// What comes of settings of one book.
pub(super) struct Aftermath {
    /// In words, a line each, every one with the book.
    pub(super) lines: Vec<String>,
    /// What the next bar does by them, without amounts; none where they change nothing that is looked at there.
    next_bar: Option<String>,
    /// The entries that are taken back.
    withdrawn: Vec<OrderId>,
}

impl Aftermath {
    /// What would come of these settings, at the prices of now.
    pub(super) fn of(desk: &Desk, prices: Prices<'_>, then: &DeskSettings) -> Result<Self, PlanError> {
        let young = young(desk, then, prices.lanes).map_err(|error: ParamError| PlanError::Not(error.to_string()))?;
        let mut words: Vec<String> = orphans(desk, then).chain(young).collect();
        let next_bar = is_looked_at(desk, then).then(|| next_bar(desk, prices, then)).transpose()?;
        let next_bar = next_bar.map(|(lines, basis)| {
            words.extend(lines);
            format!("{} at the next bar: {basis}", desk.name())
        });
        let lines = words.into_iter().map(|words| format!("{}: {words}", desk.name())).collect();
        let withdrawn = unwanted(desk, then).map(|order| order.id).collect();
        Ok(Self { lines, next_bar, withdrawn })
    }

    /// Adds what is decided on and what is taken back to a plan, as a part of what is done in the desk of this place; the lines are left.
    pub(super) fn into_plan(self, place: usize, plan: &mut Plan) -> Vec<String> {
        plan.preview.basis.extend(self.next_bar);
        let known: Vec<OrderId> = plan.steps.iter().filter_map(|(_, step)| step.withdrawn()).collect();
        let new = self.withdrawn.into_iter().filter(|order| !known.contains(order));
        plan.steps.extend(new.map(|order| (place, Step::Withdraw(order))));
        self.lines
    }
}

/// What is held of strategies that are gone: nobody leaves it but its stop, its target and people.
pub(super) fn orphans<'a>(desk: &'a Desk, new: &'a DeskSettings) -> impl Iterator<Item = String> + 'a {
    let gone = |name| new.strategies.iter().all(|strategy| strategy.name != name);
    desk.settings.strategies.iter().filter(move |strategy| gone(strategy.name)).filter_map(|strategy| {
        let held = desk.book.positions.iter().filter(|held| held.strategy == strategy.name).count();
        let words = counted(held as u64, "position");
        (held > 0).then(|| format!("no strategy leaves {words} of {} any more, only stops do", strategy.name))
    })
}

/// Entries under way that might be sent out now, and by these settings not any more: their strategy enters nothing, or the symbol is off the
/// list.
fn unwanted<'a>(desk: &'a Desk, then: &'a DeskSettings) -> impl Iterator<Item = &'a Order> + 'a {
    let now = &desk.settings;
    let entries = desk.orders.iter().filter(|order| order.purpose == Purpose::Entry);
    entries.filter(move |order| {
        let (strategy, symbol) = (order.strategy, order.symbol);
        let pair = (enters(now, strategy, symbol), enters(then, strategy, symbol));
        let stopped = matches!(pair, (Some(_), None) | (Some(true), Some(false)));
        stopped || (lists(now, symbol) && !lists(then, symbol))
    })
}

/// Whether a strategy enters a symbol; none of what is no strategy of the book, such as a person.
fn enters(settings: &DeskSettings, name: Label, symbol: Symbol) -> Option<bool> {
    let strategy = settings.strategies.iter().find(|strategy| strategy.name == name)?;
    Some(strategy.enabled && (strategy.symbols.is_empty() || strategy.symbols.contains(&symbol)))
}

fn lists(settings: &DeskSettings, symbol: Symbol) -> bool {
    let listed = settings.symbols.contains(&symbol) || settings.pins.contains(&symbol);
    listed && !settings.bans.contains(&symbol)
}

/// Takes back what these settings, which are about to be put in force, let nobody enter any more.
pub(super) fn withdraw(desk: &mut Desk, then: &DeskSettings, context: &RunContext, out: &mut Outcome) {
    let unwanted: Vec<OrderId> = unwanted(desk, then).map(|order| order.id).collect();
    for order in unwanted {
        out.requests.push(risk::withdraw(order));
        let ended = end(desk, order, OrderAction::Cancel, "the settings allow it no more", context, out);
        if let Err(error) = ended {
            tracing::error!(%error, %order, "an order could not be taken back");
        }
    }
}

/// Whether settings change a limit that the next bar compares with what stands.
fn is_looked_at(desk: &Desk, then: &DeskSettings) -> bool {
    let now = &desk.settings;
    let held = desk.book.positions.iter().map(|held| held.symbol);
    let of_symbols = held.into_iter().any(|symbol| now.terms_of(symbol).0 != then.terms_of(symbol).0);
    of_symbols || now.limits != then.limits || now.daily_loss != then.daily_loss
}

/// What the next bar does by these settings if the prices stay: in words, and what of it people decide on.
fn next_bar(desk: &Desk, prices: Prices<'_>, then: &DeskSettings) -> Result<(Vec<String>, String), AmountError> {
    let mut basis = Vec::new();
    let mut lines = Vec::new();
    let value = equity(&desk.book, |symbol| prices.mark(symbol))?;
    if let Some(breach) = breach(desk, &then.limits, losses_at(desk, value)) {
        let (does, which, why) = breached(desk, breach, then.daily_loss);
        basis.push(which);
        lines.extend(does.map(|does| format!("{does}: {why}{}", entries_taken_back(desk))));
    }
    for (symbol, left, required) in short_of_margin(desk, then, prices)? {
        let [left, required] = [left, required].map(money);
        basis.push(format!("margin {symbol}"));
        lines.push(format!(
            "at the next bar it closes {symbol}: {left} of its margin are left, {required} are required"
        ));
    }
    let basis = if basis.is_empty() { "nothing".to_owned() } else { basis.join(", ") };
    Ok((lines, basis))
}

/// What a loss does at the next bar, if anything: in words, what people decide on, and why.
fn breached(desk: &Desk, breach: Breach, action: LossAction) -> (Option<String>, String, String) {
    let of_all = |does: &str| Some(format!("at the next bar {does}"));
    let why = |what: &str, is, limit| format!("{what} is {}, the limit {}", percent(is), percent(limit));
    let (loss, limit) = match breach {
        Breach::Halts { drawdown, limit } => {
            let why = why("its fall from the peak", drawdown, limit);
            return (of_all("it halts"), "halt".to_owned(), why);
        }
        Breach::Reduces { drawdown, limit } => {
            let why = why("its fall from the peak", drawdown, limit);
            return (of_all("it stops entering until somebody resumes"), "reduce".to_owned(), why);
        }
        Breach::Day { loss, limit } => (loss, limit),
    };
    // What was lost before a new day does not count in it.
    let of_day = |does: String| Some(format!("at the next bar of this day {does}"));
    let why = why("the day's loss", loss, limit);
    let held = desk.book.positions.iter().map(|held| held.symbol).filter(|symbol| !desk.is_leaving(*symbol));
    let held: Vec<String> = held.filter(|_| action == LossAction::Flatten).map(|symbol| symbol.to_string()).collect();
    let waits = waits_for_a_person(desk);
    let does = match action {
        LossAction::Halt => of_day("it halts".to_owned()),
        LossAction::Reduce | LossAction::Flatten if held.is_empty() && waits => None,
        LossAction::Reduce | LossAction::Flatten if held.is_empty() => {
            of_day("it stops entering until the next day".to_owned())
        }
        LossAction::Reduce | LossAction::Flatten if waits => of_day(format!("it closes {}", held.join(", "))),
        LossAction::Reduce | LossAction::Flatten => {
            of_day(format!("it closes {} and stops entering until the next day", held.join(", ")))
        }
    };
    (does, format!("day {} {}", action.as_str(), held.join(" ")), why)
}

/// `; O5, O7 are taken back`.
fn entries_taken_back(desk: &Desk) -> String {
    let entries = desk.orders.iter().filter(|order| order.purpose == Purpose::Entry);
    let entries: Vec<String> = entries.map(|order| order.id.to_string()).collect();
    match entries.len() {
        0 => String::new(),
        1 => format!("; {} is taken back", entries[0]),
        _ => format!("; {} are taken back", entries.join(", ")),
    }
}
