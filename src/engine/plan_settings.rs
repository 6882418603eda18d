//! What would a change of settings do? Each difference, what has to be learned anew, and what the file says, before anybody confirms it.

use crate::clock::Timestamp;
use crate::domain::{
    AT_BARS, ChangeId, ChangeRow, Instrument, Label, NewStrategy, Note, Preview, Ratio, RunContext, Setting, Symbol,
    Timeframe, did_you_mean,
};
use crate::risk::LIMITS;
use crate::strategy::find;

use super::advice::{advice, runs, too_short};
use super::aftermath::Aftermath;
use super::desk::Desk;
use super::overlay::{self, SetStep, already_there, differences, value_in};
use super::plan::{Asked, Plan, PlanError, Step, check_until, not, only};
use super::state::{Engine, Prices};
use super::{DeskSettings, lanes, reconfigure};

/// Differences of a file that have a line each; of more, several share one.
const LINES_MAX: usize = 10;

/// Changes a setting over the file, in each book that is meant.
pub(super) fn set(
    engine: &Engine,
    asked: &Asked<'_>,
    setting: &Setting,
    until: Option<Timestamp>,
) -> Result<Plan, PlanError> {
    check_until(until, asked.context)?;
    if let Setting::Limit { name, .. } = setting
        && LIMITS.iter().all(|spec| spec.key != name)
    {
        let near = did_you_mean(name, LIMITS.iter().map(|spec| spec.key));
        let near = if near.starts_with(':') { near } else { "; /limits lists them".to_owned() };
        return not(format!("there is no limit \"{}\"{near}", name.escape_debug()));
    }
    let meant = meant(engine, asked, setting)?;
    let mut plan = Plan::default();
    let mut already = Vec::new();
    for (place, desk) in meant {
        possible(engine, desk, setting)?;
        plan.preview.notes.extend(of_others(engine, asked, desk, setting)?);
        let step = step(desk, asked, setting, until);
        if step.row.is_none() && step.ends.is_empty() || is_in_force(desk, setting, until) {
            already.push(format!(
                "{} of {} is {} already",
                setting.what(),
                desk.name(),
                value_in(&desk.settings, setting)
            ));
            continue;
        }
        describe(engine, (place, desk), (setting, until), &step, &mut plan)?;
        plan.steps.push((place, Step::Set(Box::new(step))));
        plan.preview.notes.extend(runs(desk, setting, asked));
        plan.preview.notes.extend(too_short(engine.prices(), desk, until, asked.context));
    }
    if plan.steps.is_empty() {
        return not(already.join("; "));
    }
    plan.preview.notes.extend(already.into_iter().map(Note::from));
    Ok(plan)
}

/// The books that a setting is meant for: what is of the whole book all of them, what is of a strategy those that have it, and what is new
/// one alone.
fn meant<'e>(engine: &'e Engine, asked: &Asked<'_>, setting: &Setting) -> Result<Vec<(usize, &'e Desk)>, PlanError> {
    let desks = asked.desks(engine);
    let having = |has: &dyn Fn(&DeskSettings) -> bool, none: String| {
        let found: Vec<_> = desks.iter().copied().filter(|(_, desk)| has(&desk.settings)).collect();
        if found.is_empty() { not(none) } else { Ok(found) }
    };
    match setting {
        Setting::Risk { .. } | Setting::Limit { .. } => Ok(desks),
        Setting::Watched { symbol, watched: false } => having(
            &|settings| settings.symbols.contains(symbol),
            format!("{symbol} is not watched; /watchlist lists what is"),
        ),
        Setting::Pinned { symbol, pinned: false } => {
            having(&|settings| settings.pins.contains(symbol), format!("{symbol} is not pinned"))
        }
        Setting::Watched { .. } | Setting::Pinned { .. } | Setting::Strategy(_) => {
            Ok(vec![only(&desks, "there is no such book")?])
        }
        Setting::Enabled { strategy, .. }
        | Setting::Param { strategy, .. }
        | Setting::Schedule { strategy, .. }
        | Setting::Dropped { strategy } => {
            let has = |settings: &DeskSettings| settings.strategies.iter().any(|known| known.name == *strategy);
            having(&has, no_strategy(&desks, strategy.as_str()))
        }
    }
}

fn no_strategy(desks: &[(usize, &Desk)], name: &str) -> String {
    let known = desks.iter().flat_map(|(_, desk)| desk.settings.strategies.iter().map(|known| known.name.as_str()));
    format!("no strategy here is called \"{name}\"{}", did_you_mean(name, known))
}

/// What a changed setting needs besides fitting the file.
fn possible(engine: &Engine, desk: &Desk, setting: &Setting) -> Result<(), PlanError> {
    match setting {
        Setting::Watched { symbol, watched: true } => fits_currency(engine, desk, *symbol),
        Setting::Pinned { symbol, pinned: true } => {
            watches(desk, *symbol)?;
            fits_currency(engine, desk, *symbol)
        }
        Setting::Strategy(NewStrategy { name, symbol, timeframe, .. }) => {
            if desk.settings.strategies.iter().any(|known| known.name == *name) {
                return not(already_there(desk.name(), *name));
            }
            watches(desk, *symbol)?;
            match timeframe {
                Some(timeframe) => has_bars(engine, desk, *timeframe),
                None => Ok(()),
            }
        }
        Setting::Dropped { strategy } => {
            let is_own = |row: &ChangeRow| matches!(&row.setting, Setting::Strategy(new) if new.name == *strategy);
            if desk.changes.iter().any(is_own) {
                return Ok(());
            }
            not(format!("{strategy} is in the file: /disable {strategy} keeps it from entering"))
        }
        Setting::Risk { .. }
        | Setting::Limit { .. }
        | Setting::Enabled { .. }
        | Setting::Param { .. }
        | Setting::Watched { watched: false, .. }
        | Setting::Pinned { pinned: false, .. }
        | Setting::Schedule { .. } => Ok(()),
    }
}

/// Says that a limit holds for other books as well, and wants all of these to be reached.
fn of_others(engine: &Engine, asked: &Asked<'_>, desk: &Desk, setting: &Setting) -> Result<Option<Note>, PlanError> {
    let Setting::Limit { name, .. } = setting else { return Ok(None) };
    if !lanes::SHARED.contains(&name.as_str()) {
        return Ok(None);
    }
    let others: Vec<Label> = lanes::sharing(engine, desk).collect();
    let own = desk.name();
    // Which books share something now is not asked: that would tell what they trade, and they may share more later.
    if !engine.desks.iter().all(|desk| asked.change.reaches(desk.name())) {
        return not(format!(
            "{name} of {own} holds for every book that trades the same symbols: somebody who may change all books sets it, \
             without a book behind it"
        ));
    }
    let names: Vec<&str> = others.iter().map(Label::as_str).collect();
    let note =
        || format!("What {} trades as well goes by the strictest of these books, {own} among them.", names.join(", "));
    Ok((!others.is_empty()).then(|| note().into()))
}

/// Whether there are prices would tell what other books watch, so that this is asked of the book's own lists.
fn watches(desk: &Desk, symbol: Symbol) -> Result<(), PlanError> {
    let lists = [&desk.settings.symbols, &desk.settings.pins, &desk.base.symbols, &desk.base.pins];
    if lists.iter().any(|list| list.contains(&symbol)) {
        return Ok(());
    }
    not(format!("{} does not watch {symbol}: /watch {symbol} first", desk.name()))
}

/// Bars that other books asked for are there as well, but that would tell what they look at: it counts what the book itself asked for.
fn has_bars(engine: &Engine, desk: &Desk, timeframe: Timeframe) -> Result<(), PlanError> {
    let asked: Vec<Timeframe> = desk.base.timeframes().chain(desk.settings.timeframes()).collect();
    let finest =
        |known| engine.lanes.iter().enumerate().any(|(lane, it)| desk.lists(lane) && it.timeframe == Some(known));
    let has = |known: &Timeframe| engine.serves(*known) && (asked.contains(known) || finest(*known));
    if has(&timeframe) {
        return Ok(());
    }
    let known: Vec<&str> = Timeframe::ALL.into_iter().filter(has).map(Timeframe::as_str).collect();
    let there = if known.is_empty() { String::new() } else { format!(": there are {}", known.join(", ")) };
    not(format!(
        "{timeframe} bars were not asked for by {} when the bot started{there}; {AT_BARS} takes the finest",
        desk.name()
    ))
}

/// A book counts in one currency. One that another symbol of the book is quoted in is taken for the book's own by the file.
fn fits_currency(engine: &Engine, desk: &Desk, symbol: Symbol) -> Result<(), PlanError> {
    let bare = Instrument::bare(symbol);
    let currency_of = |symbol| engine.lane_of(symbol).map(|lane| engine.lanes[lane].instrument.currency());
    let quoted = currency_of(symbol).unwrap_or_else(|| bare.currency());
    let currency = &desk.settings.currency;
    if quoted == currency || desk.base.symbols.iter().any(|known| currency_of(*known) == Some(quoted)) {
        return Ok(());
    }
    not(format!("{symbol} is quoted in {quoted}, but {} counts in {currency}", desk.name()))
}

/// What is noted: the change, unless the file says the same, and the changes that it takes the place of.
fn step(desk: &Desk, asked: &Asked<'_>, setting: &Setting, until: Option<Timestamp>) -> SetStep {
    let what = setting.what();
    let same = |row: &&ChangeRow| match setting {
        Setting::Dropped { strategy } => row.setting.strategy() == Some(*strategy),
        _ => row.setting.what() == what,
    };
    // What outlasts a change for a while lies beneath it, and holds again after it.
    let outlasts = |row: &&ChangeRow| until.is_some_and(|until| row.until.is_none_or(|end| end > until));
    let (beneath, ended): (Vec<&ChangeRow>, Vec<&ChangeRow>) = desk.changes.iter().filter(same).partition(outlasts);
    let ends: Vec<ChangeId> = ended.iter().map(|row| row.id).collect();
    let row = ChangeRow {
        id: ChangeId::default(),
        book: desk.name(),
        setting: setting.clone(),
        person: asked.person.to_owned(),
        audit: None,
        since: asked.context.now,
        until,
        ended: None,
    };
    let is_row = !beneath.is_empty() || !is_of_file(&desk.base, setting);
    SetStep { row: is_row.then_some(row), ends, again: None }
}

/// True for a setting by which the file holds again.
fn is_of_file(base: &DeskSettings, setting: &Setting) -> bool {
    match setting {
        Setting::Risk { share } => *share == Ratio::ONE,
        Setting::Enabled { enabled, .. } => *enabled,
        Setting::Watched { symbol, watched } => base.symbols.contains(symbol) == *watched,
        Setting::Pinned { symbol, pinned } => base.pins.contains(symbol) == *pinned,
        Setting::Limit { value, .. } | Setting::Param { value, .. } => value.is_none(),
        Setting::Schedule { when, .. } => when.is_none(),
        Setting::Dropped { .. } => true,
        Setting::Strategy(_) => false,
    }
}

fn is_in_force(desk: &Desk, setting: &Setting, until: Option<Timestamp>) -> bool {
    let top = desk.changes.iter().rev().find(|row| row.setting.what() == setting.what());
    top.is_some_and(|row| row.setting == *setting && row.until == until)
}

/// Says what is asked, what differs then, what has to be learned anew and what is to be known besides.
fn describe(
    engine: &Engine,
    (place, desk): (usize, &Desk),
    (setting, until): (&Setting, Option<Timestamp>),
    step: &SetStep,
    plan: &mut Plan,
) -> Result<(), PlanError> {
    let (rows, then, unfit) = overlay::after(desk, step);
    // What is new has no number yet.
    if let Some((_, why)) = unfit.iter().find(|(id, _)| *id == ChangeId::default()) {
        return not(why.clone());
    }
    let notes = &mut plan.preview.notes;
    notes.push(question(desk, setting, until, (&rows, &then)));
    let lines = differences(&desk.settings, &then);
    // The question says the first of one; what else changes with it is said below.
    notes.extend(lines.iter().filter(|_| lines.len() > 1).map(|line| Note::from(format!("{}: {line}", desk.name()))));
    let after = Aftermath::of(desk, engine.prices(), &then)?.into_plan(place, plan);
    let notes = &mut plan.preview.notes;
    notes.extend(after.into_iter().map(|line| Note::from(format!("{line}."))));
    notes.extend(advice(desk, setting, &then).into_iter().map(Note::from));
    notes.extend(ended_as_well(&desk.changes, &unfit));
    let basis = &mut plan.preview.basis;
    let (what, now, file) = (setting.what(), value_in(&desk.settings, setting), value_in(&desk.base, setting));
    basis.push(format!("{} {what}: {now}, in the file {file}", desk.name()));
    basis.extend(lines.into_iter().map(|line| format!("{} {line}", desk.name())));
    Ok(())
}

/// What people changed and ends with it, as it does not fit any more.
fn ended_as_well(rows: &[ChangeRow], unfit: &[(ChangeId, String)]) -> impl Iterator<Item = Note> {
    let ended = rows.iter().filter(|row| unfit.iter().any(|(id, _)| *id == row.id));
    ended.map(|row| format!("It ends {} of {} as well.", row.setting, row.person).into())
}

/// Plans how a change of settings is taken back in one book.
pub(super) fn back(
    (place, desk): (usize, &Desk),
    prices: Prices<'_>,
    (made, ended): (&[ChangeRow], &[ChangeRow]),
    context: &RunContext,
    plan: &mut Plan,
) -> Result<(), PlanError> {
    let name = desk.name();
    let step = overlay::step_back(desk, made, ended, context).map_err(PlanError::Not)?;
    let (_, then, unfit) = overlay::after(desk, &step);
    let changes = differences(&desk.settings, &then);
    let words = if changes.is_empty() { "nothing else than before".to_owned() } else { changes.join(", ") };
    let after = Aftermath::of(desk, prices, &then)?.into_plan(place, plan);
    let Preview { notes, basis, .. } = &mut plan.preview;
    notes.push(format!("{name}: {words}.").into());
    notes.extend(after.into_iter().map(|line| Note::from(format!("{line}."))));
    notes.extend(ended_as_well(&desk.changes, &unfit));
    notes.extend(ended_as_well(ended, &unfit));
    basis.extend(changes.into_iter().map(|line| format!("{name} {line}")));
    plan.steps.push((place, Step::Set(Box::new(step))));
    Ok(())
}

/// `Set positions_max of main to 5 until 16:00 EST, then as the file says? Now it is 10, the file says 10.`
fn question(
    desk: &Desk,
    setting: &Setting,
    until: Option<Timestamp>,
    (rows, then): (&[ChangeRow], &DeskSettings),
) -> Note {
    let (book, what) = (desk.name(), setting.what());
    let [now, file, value] = [&desk.settings, &desk.base, then].map(|settings| value_in(settings, setting));
    let end = if until.is_some() {
        format!(" until {{at}}, then {}", afterwards(desk, setting, rows))
    } else {
        String::new()
    };
    let text = match setting {
        Setting::Strategy(new) => {
            let kind = find(new.name.as_str()).map_or("", |kind| kind.help);
            format!("Add {what} to {book}: {value}? {kind}")
        }
        Setting::Schedule { strategy, .. } => {
            format!("Run {strategy} of {book} {value}{end}? Now it runs {now}, the file says {file}.")
        }
        Setting::Dropped { .. } => format!("Drop {what} from {book}{end}?"),
        Setting::Watched { symbol, watched: true } => format!("Watch {symbol} in {book}{end}?"),
        Setting::Watched { symbol, watched: false } => format!("Watch {symbol} in {book} no more{end}?"),
        Setting::Pinned { symbol, pinned: true } => format!("Pin {symbol} to the list of {book}{end}?"),
        Setting::Pinned { symbol, pinned: false } => format!("Take the pin of {symbol} off the list of {book}{end}?"),
        Setting::Enabled { strategy, enabled: true } => {
            format!("Let {strategy} enter again in {book}{end}? Now it is {now}, the file says {file}.")
        }
        Setting::Enabled { strategy, enabled: false } => {
            format!("Keep {strategy} of {book} from entering{end}? Now it is {now}, the file says {file}.")
        }
        _ => format!("Set {what} of {book} to {value}{end}? Now it is {now}, the file says {file}."),
    };
    Note { text, at: until }
}

/// What holds once what is new among these changes is over: the one beneath it, or the file.
fn afterwards(desk: &Desk, setting: &Setting, rows: &[ChangeRow]) -> String {
    // What is new has no number yet.
    let rest: Vec<ChangeRow> = rows.iter().filter(|row| row.id != ChangeId::default()).cloned().collect();
    let beneath = rest.iter().rev().find(|row| row.setting.what() == setting.what());
    let Some(beneath) = beneath else { return "as the file says".to_owned() };
    format!("{} as {} set it", value_in(&overlay::overlay(&desk.base, &rest).0, setting), beneath.person)
}

/// Takes the file as it is now.
pub(super) fn reload(engine: &Engine, asked: &Asked<'_>) -> Result<Plan, PlanError> {
    if asked.change.books.is_some() {
        return not("the file is of every book; reloading it is for whoever may change all of them");
    }
    let Some(read) = &engine.file else { return not("there is no file to read here") };
    let refused = |why: String| PlanError::Not(format!("the file is refused, and what runs stays: {why}"));
    let reload = read().map_err(refused)?;
    let mut plan = Plan { reload: Some(reload.clone()), ..Plan::default() };
    let (lines, after) = match reconfigure::foresee(engine, reload, &mut plan) {
        Err(PlanError::Not(why)) => return Err(refused(why)),
        foreseen => foreseen?,
    };
    if lines.is_empty() {
        return not("the file says what runs already; /changes lists what people changed over it");
    }
    plan.preview.notes.push("Take the file as it is now?".into());
    let groups = lines.chunks(lines.len().div_ceil(LINES_MAX));
    plan.preview.notes.extend(groups.map(|lines| Note::from(lines.join(" · "))));
    plan.preview.notes.extend(after.into_iter().map(Note::from));
    // All of it was shown together: with any line more or less, it is another file.
    plan.preview.basis.push(lines.join("\n"));
    Ok(plan)
}
