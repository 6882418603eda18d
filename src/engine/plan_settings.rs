//! What would a change of settings do? Each difference, what has to be learned anew, and what the file says, before anybody confirms it.

use crate::clock::Timestamp;
use crate::domain::format::counted;
use crate::domain::{
    AT_BARS, ChangeId, ChangeRow, Instrument, Label, NewStrategy, Note, Order, Purpose, Ratio, Setting, Symbol,
    Timeframe, did_you_mean,
};
use crate::risk::{LIMITS, LimitKind, LimitSpec};
use crate::strategy::find;

use super::desk::Desk;
use super::overlay::{self, SetStep, already_there, differences, value_in};
use super::plan::{Asked, Plan, PlanError, Step, check_until, not, only};
use super::reconfigure::{self, aftermath};
use super::state::Engine;
use super::{DeskSettings, Schedule};

/// Runs of a schedule that are shown.
const RUNS_SHOWN: usize = 3;
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
        describe(engine, desk, (setting, until), &step, &mut plan)?;
        for order in taken_back(desk, setting) {
            let Order { id, side, symbol, .. } = order;
            plan.preview.notes.push(format!("It takes back {id}: {side} {} {symbol}.", order.remaining()).into());
            plan.steps.push((place, Step::Withdraw(*id)));
        }
        plan.steps.push((place, Step::Set(Box::new(step))));
        plan.preview.notes.extend(runs(desk, setting, asked));
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
        _ if desks.is_empty() => {
            let known: Vec<&str> = engine.desks.iter().map(|desk| desk.settings.name.as_str()).collect();
            let asked: Vec<&str> = asked.change.books.iter().flatten().map(Label::as_str).collect();
            not(format!("there is no book \"{}\"; there are {}", asked.join(", "), known.join(", ")))
        }
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
                Some(timeframe) if !engine.serves(*timeframe) => not(no_bars(engine, *timeframe)),
                _ => Ok(()),
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

/// Whether there are prices would tell what other books watch, so that this is asked of the book's own lists.
fn watches(desk: &Desk, symbol: Symbol) -> Result<(), PlanError> {
    let lists = [&desk.settings.symbols, &desk.settings.pins, &desk.base.symbols, &desk.base.pins];
    if lists.iter().any(|list| list.contains(&symbol)) {
        return Ok(());
    }
    not(format!("{} does not watch {symbol}: /watch {symbol} first", desk.name()))
}

fn no_bars(engine: &Engine, timeframe: Timeframe) -> String {
    let known: Vec<&str> =
        Timeframe::ALL.into_iter().filter(|known| engine.serves(*known)).map(Timeframe::as_str).collect();
    format!(
        "{timeframe} bars were not asked for when the bot started: there are {}; {AT_BARS} takes the finest",
        known.join(", ")
    )
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
    desk: &Desk,
    (setting, until): (&Setting, Option<Timestamp>),
    step: &SetStep,
    plan: &mut Plan,
) -> Result<(), PlanError> {
    let (rows, then) = overlay::after(desk, step);
    let unfit = overlay::overlay(&desk.base, &rows).1;
    // What is new has no number yet.
    if let Some((_, why)) = unfit.iter().find(|(id, _)| *id == ChangeId::default()) {
        return not(why.clone());
    }
    let notes = &mut plan.preview.notes;
    notes.push(question(desk, setting, until, (&rows, &then)));
    let lines = differences(&desk.settings, &then);
    // The question says the first of one; what else changes with it is said below.
    notes.extend(lines.iter().filter(|_| lines.len() > 1).map(|line| Note::from(format!("{}: {line}", desk.name()))));
    let after = aftermath(engine, desk, &then).map_err(|error| PlanError::Not(error.to_string()))?;
    notes.extend(after.into_iter().map(Note::from));
    notes.extend(advice(desk, setting, &then).into_iter().map(Note::from));
    let ended = desk.changes.iter().filter(|row| unfit.iter().any(|(id, _)| *id == row.id));
    notes.extend(ended.map(|row| Note::from(format!("It ends {} of {} as well.", row.setting, row.person))));
    let basis = &mut plan.preview.basis;
    let (what, now, file) = (setting.what(), value_in(&desk.settings, setting), value_in(&desk.base, setting));
    basis.push(format!("{} {what}: {now}, in the file {file}", desk.name()));
    basis.extend(lines.into_iter().map(|line| format!("{} {line}", desk.name())));
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

/// What else is to be known before it is confirmed.
fn advice(desk: &Desk, setting: &Setting, then: &DeskSettings) -> Vec<String> {
    let held = |has: &dyn Fn(&crate::domain::Position) -> bool| {
        let count = desk.book.positions.iter().filter(|held| has(held)).count();
        (count > 0).then(|| counted(count as u64, "position"))
    };
    let mut lines = Vec::new();
    match setting {
        Setting::Risk { .. } => {
            lines.push("Each entry is that share of what it would have been, however it is sized.".to_owned());
        }
        Setting::Limit { name, .. } => {
            let spec = LIMITS.iter().find(|spec| spec.key == name);
            lines.extend(spec.map(|spec| format!("{} ({}).", spec.help.trim_end_matches('.'), unit(spec))));
        }
        Setting::Enabled { strategy, enabled: false } => {
            lines.push("It enters nothing; its exits and all stops go on.".to_owned());
            lines.extend(held(&|held| held.strategy == *strategy).map(|held| format!("It holds {held}.")));
        }
        // Whether this run has prices of it would tell what other books watch.
        Setting::Watched { symbol, watched: true } => {
            lines.push(format!(
                "It counts once there are prices of {symbol}: where this run has none, from the next start on."
            ));
        }
        Setting::Watched { symbol, watched: false } => {
            lines.extend(
                held(&|held| held.symbol == *symbol).map(|_| format!("{symbol} is held: it is only left from now on.")),
            );
        }
        Setting::Strategy(new) => {
            let set: Vec<String> = new.values.iter().map(|(name, value)| format!("{name} {value}")).collect();
            let set = if set.is_empty() { "all usual".to_owned() } else { set.join(", ") };
            lines.push(format!(
                "Parameters: {set}. It enters {} alone, and the limits of {} hold.",
                new.symbol,
                desk.name()
            ));
            if desk.settings.selector.is_some() {
                lines.push("The selector does not hold for it: it may enter in every regime.".to_owned());
            }
        }
        Setting::Param { .. }
        | Setting::Schedule { .. }
        | Setting::Dropped { .. }
        | Setting::Pinned { .. }
        | Setting::Enabled { enabled: true, .. } => {}
    }
    lines.extend(loosens(setting, &desk.settings, then, &desk.base));
    lines
}

const fn unit(spec: &LimitSpec) -> &'static str {
    match spec.kind {
        LimitKind::Percent => "in percent",
        LimitKind::BasisPoints => "in basis points",
        LimitKind::Count => "a whole number",
        LimitKind::Factor => "a factor",
    }
}

/// Says so where a book may do more by a setting than the file says, or than it may now.
fn loosens(setting: &Setting, now: &DeskSettings, then: &DeskSettings, base: &DeskSettings) -> Option<String> {
    let more_than = |old: &DeskSettings| match setting {
        Setting::Risk { .. } => then.risk > old.risk,
        Setting::Limit { name, .. } => LIMITS.iter().filter(|spec| spec.key == name).any(|spec| {
            let values = old.limits.get(spec.key).zip(then.limits.get(spec.key));
            values.is_some_and(|(old, new)| spec.wider.allows_more(old, new))
        }),
        _ => false,
    };
    if more_than(base) {
        return Some("This is wider than the file says.".to_owned());
    }
    more_than(now).then(|| "This is wider than it is now.".to_owned())
}

/// Entries under way that are taken back: of a strategy that enters nothing any more, of a symbol that is not watched any more.
fn taken_back<'a>(desk: &'a Desk, setting: &'a Setting) -> impl Iterator<Item = &'a Order> + 'a {
    let is_meant = move |order: &&Order| match setting {
        Setting::Enabled { strategy, enabled: false } | Setting::Dropped { strategy } => order.strategy == *strategy,
        Setting::Watched { symbol, watched: false } => order.symbol == *symbol,
        _ => false,
    };
    desk.orders.iter().filter(|order| order.purpose == Purpose::Entry).filter(is_meant)
}

/// The next runs of a schedule that is set.
fn runs(desk: &Desk, setting: &Setting, asked: &Asked<'_>) -> Vec<Note> {
    let (Setting::Schedule { when: Some(when), .. } | Setting::Strategy(NewStrategy { when: Some(when), .. })) =
        setting
    else {
        return Vec::new();
    };
    let Ok(schedule) = Schedule::parse(when, desk.base.zone) else { return Vec::new() };
    let next = |after: &Timestamp| schedule.next_after(*after);
    let times = std::iter::successors(schedule.next_after(asked.context.now), next).take(RUNS_SHOWN);
    let words = ["It runs next at {at}", "then {at}"];
    times.enumerate().map(|(place, at)| Note { text: words[place.min(1)].to_owned(), at: Some(at) }).collect()
}

/// Takes the file as it is now.
pub(super) fn reload(engine: &Engine, asked: &Asked<'_>) -> Result<Plan, PlanError> {
    if asked.change.books.is_some() {
        return not("the file is of every book; reloading it is for whoever may change all of them");
    }
    let Some(read) = &engine.file else { return not("there is no file to read here") };
    let refused = |why: String| PlanError::Not(format!("the file is refused, and what runs stays: {why}"));
    let reload = read().map_err(refused)?;
    let lines = reconfigure::differences(engine, reload.clone()).map_err(refused)?;
    if lines.is_empty() {
        return not("the file says what runs already; /changes lists what people changed over it");
    }
    let mut plan = Plan { reload: Some(reload), ..Plan::default() };
    plan.preview.notes.push("Take the file as it is now?".into());
    let groups = lines.chunks(lines.len().div_ceil(LINES_MAX));
    plan.preview.notes.extend(groups.map(|lines| Note::from(lines.join(" · "))));
    plan.preview.basis = lines;
    Ok(plan)
}
