//! What holds where people changed a setting over the file? The file's settings with their changes laid over them, put in force by one
//! function after a control, a reload, an end and a start.

use crate::domain::format::percent;
use crate::domain::{
    AT_BARS, ChangeEnd, ChangeId, ChangeLine, ChangeRow, Event, EventKind, Instrument, Label, NewStrategy, Ratio,
    RunContext, Setting, Symbol,
};
use crate::risk::{LIMITS, Limits};
use crate::strategy::{Values, find};

use super::desk::Desk;
use super::difference::{Difference, described, when};
use super::reconfigure::enter_all;
use super::state::{Counters, Engine, returns_remembered};
use super::{DeskSettings, Outcome, Schedule, StrategySettings, SymbolTerms};

/// A setting that is changed in one book.
#[derive(Debug, Clone)]
pub(super) struct SetStep {
    /// What is set; none where the file holds again. It gets its number and its row of the audit when it is put in force.
    pub(super) row: Option<ChangeRow>,
    /// The changes in force that it ends, and how.
    pub(super) ends: Vec<ChangeId>,
    /// Changes that were ended by what this takes back, and are in force again; none but where something is taken back.
    pub(super) again: Option<Vec<ChangeRow>>,
}

/// What the file says with these changes laid over it, oldest first; those that do not fit are left out, each with the reason. Of several
/// of one setting the last holds: those beneath it must fit, and wait.
pub(super) fn overlay(base: &DeskSettings, rows: &[ChangeRow]) -> (DeskSettings, Vec<(ChangeId, String)>) {
    let mut settings = base.clone();
    let mut unfit = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        match laid(&settings, base, &row.setting) {
            Ok(_) if is_covered(row, &rows[place + 1..]) => {}
            Ok(laid) => settings = laid,
            Err(why) => unfit.push((row.id, why)),
        }
    }
    (settings, unfit)
}

/// Those of these changes that fit, and those that do not, each with the reason. Where one is left out, the one that it covered is in force
/// again and may let others fit no more, so this goes on until nothing is left out.
pub(super) fn fitting(base: &DeskSettings, rows: &[ChangeRow]) -> (Vec<ChangeRow>, Vec<(ChangeId, String)>) {
    let (mut rows, mut out) = (rows.to_vec(), Vec::new());
    loop {
        let unfit = overlay(base, &rows).1;
        if unfit.is_empty() {
            return (rows, out);
        }
        rows.retain(|row| unfit.iter().all(|(id, _)| *id != row.id));
        out.extend(unfit);
    }
}

/// What the file says with those of these changes over it that fit.
pub(super) fn over_base(base: &DeskSettings, rows: &[ChangeRow]) -> DeskSettings {
    overlay(base, &fitting(base, rows).0).0
}

/// Whether one of these later changes is of the same setting.
fn is_covered(row: &ChangeRow, later: &[ChangeRow]) -> bool {
    let what = row.setting.what();
    later.iter().any(|later| later.book == row.book && later.setting.what() == what)
}

/// Settings with one change laid over them; in words why it does not fit.
fn laid(settings: &DeskSettings, base: &DeskSettings, setting: &Setting) -> Result<DeskSettings, String> {
    let mut laid = settings.clone();
    match setting {
        Setting::Risk { share } if *share > Ratio::ZERO && *share <= Ratio::ONE => laid.risk = *share,
        Setting::Risk { share } => return Err(format!("{} is not above 0 % and at most 100 %", percent(*share))),
        Setting::Limit { name, value: Some(value) } => limit(&mut laid, base, name, *value)?,
        Setting::Enabled { strategy, enabled } => strategy_of(&mut laid, strategy.as_str())?.enabled = *enabled,
        Setting::Param { strategy, name, value: Some(value) } => {
            let strategy = strategy_of(&mut laid, strategy.as_str())?;
            strategy.values = with_value(strategy, name, *value)?;
        }
        Setting::Watched { symbol, watched } => watch(&mut laid, *symbol, *watched),
        Setting::Pinned { symbol, pinned: true } if laid.bans.contains(symbol) => {
            return Err(format!("{symbol} is banned by the file, which wins over a pin"));
        }
        Setting::Pinned { symbol, pinned: true } if laid.pins.contains(symbol) => {}
        Setting::Pinned { symbol, pinned: true } => laid.pins.push(*symbol),
        Setting::Pinned { symbol, pinned: false } => laid.pins.retain(|pin| pin != symbol),
        Setting::Schedule { strategy, when: Some(when) } => {
            let strategy = strategy_of(&mut laid, strategy.as_str())?;
            strategy.schedule = schedule(when, base)?;
        }
        Setting::Strategy(new) => {
            let added = added(&laid, base, new)?;
            laid.strategies.push(added);
        }
        Setting::Limit { value: None, .. }
        | Setting::Param { value: None, .. }
        | Setting::Schedule { when: None, .. }
        | Setting::Dropped { .. } => {}
    }
    Ok(laid)
}

/// Sets a limit of the book, and of each symbol that has it from the book.
fn limit(settings: &mut DeskSettings, base: &DeskSettings, name: &str, value: Ratio) -> Result<(), String> {
    let of_book = base.limits.get(name);
    let has_own = |terms: &SymbolTerms| terms.limits.get(name) != of_book;
    let own: Vec<Symbol> = base.overrides.iter().filter(|terms| has_own(terms)).map(|terms| terms.symbol).collect();
    let set = |limits: &mut Limits| {
        limits.set(name, value)?;
        limits.settle(|key| key == name).map_err(|(_, what)| what)
    };
    set(&mut settings.limits)?;
    settings
        .overrides
        .iter_mut()
        .filter(|terms| !own.contains(&terms.symbol))
        .try_for_each(|terms| set(&mut terms.limits))
}

fn strategy_of<'a>(settings: &'a mut DeskSettings, name: &str) -> Result<&'a mut StrategySettings, String> {
    let book = settings.name;
    let found = settings.strategies.iter_mut().find(|strategy| strategy.name.as_str() == name);
    found.ok_or_else(|| format!("{book} has no strategy {name}"))
}

fn with_value(strategy: &StrategySettings, name: &str, value: Ratio) -> Result<Values, String> {
    let kept =
        strategy.values.iter().filter(|(known, _)| *known != name).map(|(known, value)| (known.to_owned(), value));
    let written: Vec<(String, Ratio)> = kept.chain([(name.to_owned(), value)]).collect();
    let values =
        Values::check(strategy.kind.name, strategy.kind.params, &written).map_err(|error| error.to_string())?;
    (strategy.kind.build)(&values).map_err(|error| error.to_string())?;
    Ok(values)
}

/// What is not watched is not pinned either: a pin would let the book enter it.
fn watch(settings: &mut DeskSettings, symbol: Symbol, watched: bool) {
    if !watched {
        settings.symbols.retain(|known| *known != symbol);
    } else if !settings.symbols.contains(&symbol) {
        settings.symbols.push(symbol);
    }
    if !watched {
        settings.pins.retain(|pin| *pin != symbol);
    }
}

fn schedule(when: &str, base: &DeskSettings) -> Result<Option<Schedule>, String> {
    if when == AT_BARS { Ok(None) } else { Schedule::parse(when, base.zone).map(Some) }
}

fn added(settings: &DeskSettings, base: &DeskSettings, new: &NewStrategy) -> Result<StrategySettings, String> {
    let kind = find(new.name.as_str()).ok_or_else(|| format!("there is no strategy {}", new.name))?;
    if settings.strategies.iter().any(|known| known.name == new.name) {
        return Err(already_there(settings.name, new.name));
    }
    if new.risk <= Ratio::ZERO || new.risk > Ratio::ONE {
        return Err(format!("{} is not above 0 % and at most 100 %", percent(new.risk)));
    }
    let values = Values::check(kind.name, kind.params, &new.values).map_err(|error| error.to_string())?;
    (kind.build)(&values).map_err(|error| error.to_string())?;
    Ok(StrategySettings {
        timeframe: new.timeframe,
        schedule: new.when.as_deref().map_or(Ok(None), |when| schedule(when, base))?,
        symbols: vec![new.symbol],
        risk: new.risk,
        ..StrategySettings::new(new.name, kind, values)
    })
}

/// A book has a strategy of the registry once.
pub(super) fn already_there(book: Label, name: Label) -> String {
    format!("{book} has {name} already: /param {name}, /schedule set {name} and /enable {name} change it")
}

/// What a setting is in these settings, in words.
pub(super) fn value_in(settings: &DeskSettings, setting: &Setting) -> String {
    let strategy = |name| settings.strategies.iter().find(|strategy| strategy.name == name);
    let gone = || "not there".to_owned();
    let either = |yes, one: &str, other: &str| if yes { one.to_owned() } else { other.to_owned() };
    match setting {
        Setting::Risk { .. } => percent(settings.risk),
        Setting::Limit { name, .. } => {
            let spec = LIMITS.iter().find(|spec| spec.key == name);
            let value = spec.and_then(|spec| Some(spec.kind.written(settings.limits.get(spec.key)?)));
            value.map_or_else(gone, |value| value.to_string())
        }
        Setting::Enabled { strategy: name, .. } => {
            strategy(*name).map_or_else(gone, |strategy| either(strategy.enabled, "enabled", "disabled"))
        }
        Setting::Param { strategy: name, name: param, .. } => {
            let value = strategy(*name).and_then(|strategy| {
                let spec = strategy.kind.params.iter().find(|spec| spec.name == param)?;
                let (_, value) = strategy.values.iter().find(|(known, _)| known == param)?;
                Some(spec.kind.written(value))
            });
            value.unwrap_or_else(gone)
        }
        Setting::Watched { symbol, .. } => either(settings.symbols.contains(symbol), "watched", "not watched"),
        Setting::Pinned { symbol, .. } => either(settings.pins.contains(symbol), "set", "not set"),
        Setting::Schedule { strategy: name, .. } => strategy(*name).map_or_else(gone, when),
        Setting::Strategy(NewStrategy { name, .. }) | Setting::Dropped { strategy: name } => {
            strategy(*name).map_or_else(gone, described)
        }
    }
}

/// The changes of a book, as `/changes` shows them.
pub(super) fn lines(desk: &Desk) -> Vec<ChangeLine> {
    let line = |(place, row): (usize, &ChangeRow)| {
        let is_beneath = is_covered(row, &desk.changes[place + 1..]);
        let alone = || overlay(&desk.base, &desk.changes[..=place]).0;
        ChangeLine {
            now: if is_beneath { value_in(&alone(), &row.setting) } else { value_in(&desk.settings, &row.setting) },
            file: value_in(&desk.base, &row.setting),
            row: row.clone(),
            is_beneath,
        }
    };
    desk.changes.iter().enumerate().map(line).collect()
}

/// What people changed in a book and stays over another file, in words; what does not fit it is ended.
pub(super) fn over(desk: &Desk, base: &DeskSettings) -> Vec<String> {
    let (rows, unfit) = fitting(base, &desk.changes);
    let settings = overlay(base, &rows).0;
    let words = |(place, row): (usize, &ChangeRow)| {
        let (book, what, who) = (desk.name(), row.setting.what(), &row.person);
        match unfit.iter().find(|(id, _)| *id == row.id) {
            Some((_, why)) => Some(format!("{book}: {what} is no longer as {who} set it: {why}")),
            None if is_covered(row, &desk.changes[place + 1..]) => None,
            None => Some(format!("{book}: {what} stays {}, as {who} set it", value_in(&settings, &row.setting))),
        }
    };
    desk.changes.iter().enumerate().filter_map(words).collect()
}

/// The differences between two settings of one book, without its name.
pub(super) fn differences(old: &DeskSettings, new: &DeskSettings) -> Vec<String> {
    let book = format!("{}: ", old.name);
    let all = Difference::between(old, new, |_| true).changes;
    all.iter().map(|line| line.strip_prefix(&book).unwrap_or(line).to_owned()).collect()
}

/// Takes up what people had changed, in a fresh engine.
pub(super) fn take_up(engine: &mut Engine, rows: &[ChangeRow]) {
    let instruments: Vec<Instrument> = engine.lanes.iter().map(|lane| lane.instrument.clone()).collect();
    for desk in &mut engine.desks {
        let changes: Vec<ChangeRow> = rows.iter().filter(|row| row.book == desk.name()).cloned().collect();
        if changes.is_empty() {
            continue;
        }
        let base = desk.settings.clone();
        match Desk::new(overlay(&base, &changes).0, &instruments) {
            Ok(made) => *desk = Desk { base, changes, ..made },
            Err(error) => tracing::error!(%error, book = %desk.name(), "what was changed over the file is left out"),
        }
    }
    let returns = returns_remembered(engine.desks.iter().map(|desk| &desk.settings));
    engine.lanes.iter_mut().for_each(|lane| lane.history.resize(returns));
}

/// Notes a change of a setting in a book and tells it; [`renew`] puts it in force. In words, what became of it.
pub(super) fn put(
    desk: &mut Desk,
    step: SetStep,
    person: &str,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> String {
    let before = desk.settings.clone();
    let how = match (&step.row, &step.again) {
        (Some(_), _) => ChangeEnd::Replaced,
        (None, None) => ChangeEnd::TakenBack,
        (None, Some(_)) => ChangeEnd::Undone,
    };
    for id in step.ends {
        end(desk, id, how, out);
    }
    let again = step.again.unwrap_or_default();
    out.changes.extend(again.iter().cloned());
    desk.changes.extend(again);
    desk.changes.sort_by_key(|row| row.id);
    let until = step.row.as_ref().and_then(|row| row.until);
    if let Some(row) = step.row {
        counters.change = counters.change.next();
        let row = ChangeRow { id: counters.change, since: context.now, audit: out.audit, ..row };
        desk.changes.push(row.clone());
        out.changes.push(row);
    }
    let changes = differences(&before, &overlay(&desk.base, &desk.changes).0);
    let done = if changes.is_empty() { "nothing else than before".to_owned() } else { changes.join(", ") };
    let kind = EventKind::SettingChanged { changes, person: person.to_owned(), until };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    format!("{}: {done}", desk.name())
}

/// What takes back a change of settings: those that it made end, and those that it ended are in force again.
pub(super) fn step_back(
    desk: &Desk,
    made: &[ChangeRow],
    ended: &[ChangeRow],
    context: &RunContext,
) -> Result<SetStep, String> {
    if let Some(gone) = made.iter().find(|row| !desk.changes.contains(row)) {
        return Err(format!("{} of {} was set otherwise since, or is over", gone.setting.what(), desk.name()));
    }
    let is_taken = |row: &ChangeRow| {
        let others = desk.changes.iter().filter(|known| known.id > row.id && !made.contains(known));
        others.into_iter().any(|known| known.setting.what() == row.setting.what())
    };
    if let Some(taken) = ended.iter().find(|row| is_taken(row)) {
        return Err(format!("{} of {} was set otherwise since", taken.setting.what(), desk.name()));
    }
    let holds = |row: &&ChangeRow| row.until.is_none_or(|until| until > context.now);
    let again = ended.iter().filter(holds).cloned().collect();
    Ok(SetStep { row: None, ends: made.iter().map(|row| row.id).collect(), again: Some(again) })
}

/// The changes of a book that are left after a step, the settings that they make, and those that end with it, each with the reason.
pub(super) fn after(desk: &Desk, step: &SetStep) -> (Vec<ChangeRow>, DeskSettings, Vec<(ChangeId, String)>) {
    let stays = desk.changes.iter().filter(|row| !step.ends.contains(&row.id));
    let mut rows: Vec<ChangeRow> = stays.chain(step.again.iter().flatten()).cloned().collect();
    rows.sort_by_key(|row| row.id);
    rows.extend(step.row.clone());
    let (rows, unfit) = fitting(&desk.base, &rows);
    let settings = overlay(&desk.base, &rows).0;
    (rows, settings, unfit)
}

/// Ends a change of a book, for this reason; [`renew`] puts what is left in force.
fn end(desk: &mut Desk, id: ChangeId, how: ChangeEnd, out: &mut Outcome) {
    if let Some(place) = desk.changes.iter().position(|row| row.id == id) {
        out.changes.push(ChangeRow { ended: Some(how), ..desk.changes.remove(place) });
    }
}

/// Puts what the file says with what people changed over it in force, in the desks of these places.
pub(super) fn renew(engine: &mut Engine, places: &[usize], context: &RunContext, out: &mut Outcome) {
    let of = |place: &usize| (*place, over_base(&engine.desks[*place].base, &engine.desks[*place].changes));
    let settings = places.iter().map(of).collect();
    if let Err(error) = enter_all(engine, settings, context, out) {
        tracing::error!(%error, "settings that were checked cannot be put in force");
    }
}

/// Ends what is over by now and what does not fit without it, or does not fit the file; tells it, and puts what is left in force.
pub(super) fn settle(engine: &mut Engine, context: &RunContext, out: &mut Outcome) {
    let mut places = Vec::new();
    for (place, desk) in engine.desks.iter_mut().enumerate() {
        let is_over = |row: &&ChangeRow| row.until.is_some_and(|until| until <= context.now);
        let over: Vec<ChangeId> = desk.changes.iter().filter(is_over).map(|row| row.id).collect();
        for id in &over {
            tell_end(desk, *id, None, context, out);
        }
        let unfit = fitting(&desk.base, &desk.changes).1;
        if !over.is_empty() || !unfit.is_empty() {
            places.push(place);
        }
        for (id, why) in unfit {
            tell_end(desk, id, Some(why), context, out);
        }
    }
    if !places.is_empty() {
        renew(engine, &places, context, out);
    }
}

fn tell_end(desk: &mut Desk, id: ChangeId, why: Option<String>, context: &RunContext, out: &mut Outcome) {
    let Some(row) = desk.changes.iter().find(|row| row.id == id) else { return };
    let (what, person) = (row.setting.to_string(), row.person.clone());
    let before = overlay(&desk.base, &desk.changes).0;
    end(desk, id, if why.is_some() { ChangeEnd::Unfit } else { ChangeEnd::Over }, out);
    let changes = differences(&before, &overlay(&desk.base, &desk.changes).0);
    let kind = EventKind::SettingEnded { what, changes, person, why };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
}
