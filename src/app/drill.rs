//! Does a message arrive? A drill on the ways to people, through the running bot or without one, watched until there is proof.

use std::sync::Arc;
use std::time::Duration;

use crate::cli::Tested;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Environment, dead_ends, load, missing_services};
use crate::domain::{ChannelKind, Event, EventKind, Lane, NoticeId, RouteTable, Routes, RunId};
use crate::store::{LaneState, Reader, Ruled, Ruling, Store, StoreError, TraceRow};

use super::around::wait;
use super::drill_report::{Report, Shows};
use super::shell::{is_running, person};
use super::ways::{Ways, mark_of, zone_of};
use super::{AppError, messenger};

/// How long proof is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// Where a bot that starts keeps whether it hears what becomes of short messages, as `true` or `false`.
pub(super) const HEARS: &str = "sms callbacks";
/// Tries after which nobody waits for one more.
const TRIES_MAX: usize = 3;
/// Notices among which the drill is looked for: others may come at the same moment.
const RECENT: u32 = 100;

/// `test all`, `test ana:telegram`.
pub(super) fn test(ways: Tested, json: bool, environment: &Environment) -> Result<(), AppError> {
    let config = load(environment.config.as_deref())?;
    let off = missing_services(environment);
    let drill = Drill { environment, config: &config, ways };
    // What one way is tested for says nothing of routes.
    let counts = matches!(ways, Tested::All);
    let ends = |lanes: &[Lane]| dead_ends(&config, environment, lanes);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let tried = if is_running(&environment.database) {
        Some(drill.through_the_bot(clock.as_ref())?)
    } else if has_service(environment, &config) {
        let telegram = messenger::telegram(environment, clock.clone())?;
        let ways = Ways::new(environment, &config, telegram, clock)?;
        let sent = drill.without_a_bot(&ways);
        ways.close();
        Some(sent?)
    } else {
        None
    };
    let report = match tried {
        Some(sent) => Report::new(&sent, &shows(environment, &config)?, off).with_ends(&ends(&sent.there), counts),
        None => Report::nothing(off).with_ends(&ends(&drill.terminal()), counts),
    };
    report.print(json)?;
    if report.well { Ok(()) } else { Err(AppError::No) }
}

/// Whether anybody could be reached while no bot runs.
fn has_service(environment: &Environment, config: &Config) -> bool {
    let urls = [&environment.webhook_url, &environment.ntfy_url];
    let tokens = [&environment.telegram_token, &environment.discord_token];
    let is_online = tokens.iter().any(|token| token.is_some())
        || urls.iter().any(|url| url.is_some())
        || environment.twilio.is_some();
    is_online || config.people.iter().any(|one| one.email.is_some())
}

/// How messages are shown to whom.
fn shows<'a>(environment: &Environment, config: &'a Config) -> Result<Shows<'a>, AppError> {
    let reader = Reader::open(&environment.database)?;
    Ok(Shows { config, zone: zone_of(config), mark: mark_of(&reader)?, reader })
}

/// A drill that was sent, and what became of it.
pub(super) struct Sent {
    /// What was told.
    pub(super) event: Event,
    /// Its number.
    pub(super) notice: NoticeId,
    /// Its row on each way.
    pub(super) rows: Vec<TraceRow>,
    /// How the ways are that ever failed.
    pub(super) lanes: Vec<LaneState>,
    /// Every way that there is, also if it was not tested.
    pub(super) there: Vec<Lane>,
}

struct Drill<'a> {
    environment: &'a Environment,
    config: &'a Config,
    ways: Tested,
}

impl Drill<'_> {
    /// The bot carries it, by the routes that it goes by.
    fn through_the_bot(&self, clock: &dyn Clock) -> Result<Sent, AppError> {
        let store = Store::open(&self.environment.database)?;
        let reader = Reader::open(&self.environment.database)?;
        let (table, hears) = (reader.routes()?, reader.meta(HEARS)?.as_deref() == Some("true"));
        let there = table.lanes.iter().map(|rule| rule.lane).collect();
        Ok(Sent { there, ..send(&store, clock, self.narrowed(table)?, (&self.asker()?, hears))? })
    }

    fn without_a_bot(&self, ways: &Ways) -> Result<Sent, AppError> {
        ways.open()?;
        let there = ways.lanes().into_iter().chain(self.terminal()).collect();
        Ok(Sent { there, ..send_on(ways, self.narrowed(ways.table())?, &self.asker()?)? })
    }

    /// The lane that is there whenever a bot runs.
    fn terminal(&self) -> Vec<Lane> {
        let owner = self.config.owner().and_then(|owner| owner.name.parse().ok());
        owner.map(|who| Lane { who, channel: ChannelKind::Terminal }).into_iter().collect()
    }

    fn asker(&self) -> Result<String, AppError> {
        Ok(person(self.config, None)?.name)
    }

    /// The routes to the ways that are to be tested.
    fn narrowed(&self, mut table: RouteTable) -> Result<RouteTable, AppError> {
        let known: Vec<String> = table.lanes.iter().map(|rule| rule.lane.to_string()).collect();
        let pair = "\"bellwether setup\" asks for all of it, for Telegram, Discord, mail and SMS; \"bellwether pair PERSON\" binds a person \
                    to a chat on Telegram or Discord";
        if known.is_empty() {
            return Err(AppError::failed("nobody is reached on any way yet").with_hint(pair));
        }
        if let Tested::One(lane) = self.ways {
            table.lanes.retain(|rule| rule.lane == lane);
            if table.lanes.is_empty() {
                let what = format!("nobody is reached by {lane}: there is {}", known.join(", "));
                return Err(AppError::usage(what).with_hint(pair));
            }
        }
        Ok(table)
    }
}

/// Sends a drill on open ways. What did not get through by the end is not tried again: it would be a drill that nobody waits for.
pub(super) fn send_on(ways: &Ways, table: RouteTable, person: &str) -> Result<Sent, AppError> {
    let sent = send(&ways.store, ways.clock.as_ref(), table, (person, false))?;
    for row in sent.rows.iter().filter(|row| row.state == "pending") {
        let Ok(lane) = row.lane.parse::<Lane>() else { continue };
        let why = "the drill was over".to_owned();
        ways.store.take_up(
            lane,
            None,
            vec![Ruled { id: row.id, why, ruling: Ruling::Skip }],
            None,
            ways.clock.now(),
        )?;
    }
    Ok(sent)
}

fn send(store: &Store, clock: &dyn Clock, table: RouteTable, (person, hears): (&str, bool)) -> Result<Sent, AppError> {
    let begun = begin(store, clock, RunId(0), &Routes::new(table), person)?;
    let begun = begun.ok_or_else(|| AppError::failed("the drill was recorded and cannot be found"))?;
    let reader = Reader::open(store.path())?;
    wait(PATIENCE, clock, || begun.rows(&reader).is_ok_and(|rows| rows.iter().all(|row| is_over(row, hears))));
    let (rows, lanes) = (begun.rows(&reader)?, reader.lane_states()?);
    Ok(Sent { event: begun.event, notice: begun.notice, rows, lanes, there: Vec::new() })
}

/// A drill that is under way.
pub(super) struct Begun {
    /// What is told.
    pub(super) event: Event,
    /// Its number.
    pub(super) notice: NoticeId,
}

impl Begun {
    /// Its row on each way.
    pub(super) fn rows(&self, reader: &Reader) -> Result<Vec<TraceRow>, StoreError> {
        Ok(reader.trace(self.notice)?.into_iter().filter(|row| row.task == "notice").collect())
    }
}

/// Records a drill; none if it cannot be found again.
pub(super) fn begin(
    store: &Store,
    clock: &dyn Clock,
    run: RunId,
    routes: &Routes,
    person: &str,
) -> Result<Option<Begun>, StoreError> {
    let event = Event { at: clock.now(), book: None, kind: EventKind::DrillSent { person: person.to_owned() } };
    store.record_events(run, clock.now(), vec![event.clone()], routes)?;
    let told = Reader::open(store.path())?.journal_told(RECENT)?;
    let notice = told.into_iter().find(|row| row.event == event).and_then(|row| row.notice);
    Ok(notice.map(|notice| Begun { event, notice }))
}

/// Whether its reader has it put off. What only waits until the channel takes more comes by itself.
pub(super) fn is_held(row: &TraceRow) -> bool {
    row.attempts.is_empty() && row.held
}

/// Whether the service says that the phone has the short message.
pub(super) fn is_delivered(row: &TraceRow) -> bool {
    row.service
        .as_deref()
        .and_then(|said| said.split([',', ' ']).next())
        .is_some_and(|said| said == "delivered" || said == "read")
}

/// Whether its way took it last for closed, or it was given up.
pub(super) fn is_refused(row: &TraceRow) -> bool {
    let said = row.attempts.last().and_then(|last| last.detail.as_deref());
    row.state == "dead" || said.is_some_and(|said| said.starts_with("this way is closed"))
}

/// Whether nothing more is to be learned of it by waiting. Where what Twilio calls back is heard, a short message is over when that says so.
pub(super) fn is_over(row: &TraceRow, hears: bool) -> bool {
    let taken = hears && row.state == "sent" && row.service.is_some() && !is_delivered(row);
    let settled = !matches!(row.state.as_str(), "pending" | "sending") && !taken;
    let held = is_held(row);
    let hopeless = row.attempts.last().is_some_and(|last| {
        last.ended.is_some() && (is_refused(row) || last.outcome == "unknown" || row.attempts.len() >= TRIES_MAX)
    });
    settled || held || hopeless
}
