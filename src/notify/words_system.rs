//! What does the bot say of itself? Starts and stops, prices that stay away, parts that are ill, and who writes to it.

use crate::clock::Timestamp;
use crate::domain::format::{age, counted};
use crate::domain::{Label, Lane, Money, NoticeId, Symbol};

use super::telling::{Said, Words, quoting};

/// Differences that are told one by one.
const LIST_LINES_MAX: usize = 20;
/// Differences of a ledger that are told one by one.
const AUDIT_LINES_MAX: usize = 5;

impl Words<'_> {
    pub(super) fn started(feed: &str, symbols: usize, dry_run: bool) -> Said {
        let dry = if dry_run { " · dry run" } else { "" };
        let said = Said::title(quoting("Started on ", feed, &format!(" · {}{dry}", counted(symbols as u64, "symbol"))));
        if dry_run { said.and("It decides and records, and submits nothing") } else { said }
    }

    pub(super) fn recovered(down_s: i64, last_cycle: u64, [positions, orders, unknown]: [usize; 3]) -> Said {
        let (held, open) = (counted(positions as u64, "position"), counted(orders as u64, "order"));
        let repeated = (unknown > 0)
            .then(|| format!("{} of unknown fate will be repeated and marked", counted(unknown as u64, "message")));
        Said::fact(&format!("Back after a crash: {} without a sign of life", seconds(down_s)))
            .and(&format!("Went on after cycle {last_cycle}, the last one committed"))
            .and(&format!("{held} and {open} taken up again, none lost, none repeated"))
            .and_some(repeated)
    }

    pub(super) fn stopped(cycles: u64) -> Said {
        Said::fact(&format!("Stopped after {}", counted(cycles, "cycle")))
    }

    pub(super) fn replay_finished(&self, cycles: u64, equity: Money) -> Said {
        let (cycles, equity) = (counted(cycles, "cycle"), self.money(equity));
        Said::fact(&format!("Recorded prices are at their end: {cycles} · equity {equity}"))
    }

    pub(super) fn feed_stale(&self, symbol: Symbol, since: Timestamp) -> Said {
        Said::fact(&format!("No prices of {symbol} since {}", self.time(since)))
            .and("Nothing is entered on it until they come back; stops need prices too, so none can fill")
    }

    pub(super) fn feed_recovered(&self, symbol: Symbol, since: Timestamp, bars_missing: u64) -> Said {
        let (since, until) = (self.time(since), self.time(self.at));
        Said::fact(&format!("Prices of {symbol} are back, missing: {}", counted(bars_missing, "bar")))
            .and(&format!("Nothing came from {since} to {until}. Nothing was entered on it meanwhile"))
    }

    pub(super) fn cycles_missed(cycles: u64, late_s: i64) -> Said {
        Said::fact(&format!("Behind the market: {} late, by up to {}", counted(cycles, "cycle"), seconds(late_s)))
            .and("They were decided on all the same, on prices that were older by as much")
            .and("`/health` shows whether it goes on")
    }

    pub(super) fn strategy_failed(strategy: Label, symbol: Symbol, error: &str) -> Said {
        Said::fact(&format!("{strategy} could not be run on {symbol}, twice"))
            .and_theirs("It says: ", error)
            .and("The others go on; `/strategies` shows them")
    }

    /// The nightly proof, or what does not fit.
    pub(super) fn audited(&self, day: &str, [cycles, orders, fills]: [u64; 3], differences: &[String]) -> Said {
        let counts = [counted(cycles, "cycle"), counted(orders, "order"), counted(fills, "fill")].join(", ");
        let made = format!("{} of {day} made again: {counts}", self.book);
        if differences.is_empty() {
            return Said::fact(&format!("{made}, all the same"));
        }
        let said = Said::fact(&format!("THE LEDGER DOES NOT FIT: {}", counted(differences.len() as u64, "difference")))
            .and(&made);
        let said = match self.telling.open(|| differences) {
            Some(differences) => said.and_list(differences, AUDIT_LINES_MAX),
            None => said,
        };
        said.and("`/halt` stops entries until it is clear why")
    }

    /// Limits and sizes may be amounts: readers who may not see any are told how many differences there are.
    pub(super) fn config_changed(&self, changes: &[String]) -> Said {
        let fact = format!("Configuration changed: {}", counted(changes.len() as u64, "difference"));
        self.with_changes(Said::fact(&fact), changes)
    }

    /// What a person changed over the file; amounts are for those who may see them.
    pub(super) fn setting_changed(&self, changes: &[String], person: &str, until: Option<Timestamp>) -> Said {
        let until = until.map_or_else(
            || "It holds until somebody takes it back; `/changes` shows it".to_owned(),
            |until| format!("It holds until {}, then the file does", self.time(until)),
        );
        self.with_changes(Said::fact(&format!("{person} changed {} over the file", self.book)), changes).and(&until)
    }

    /// What a person had set over the file holds no more.
    pub(super) fn setting_ended(&self, what: &str, changes: &[String], person: &str, why: Option<&str>) -> Said {
        let fact = match why {
            None => format!("What {person} set in {} is over: the file holds again", self.book),
            Some(_) => format!("What {person} set in {} does not fit the file any more, and is ended", self.book),
        };
        let said = Said::fact(&fact);
        let said = match self.telling.open(|| what) {
            Some(what) => said.and(&format!("It was `{what}`")),
            None => said,
        };
        let said = match why.and_then(|why| self.telling.open(|| why)) {
            Some(why) => said.and_theirs("The reason: ", why),
            None => said,
        };
        self.with_changes(said, changes)
    }

    fn with_changes(&self, said: Said, changes: &[String]) -> Said {
        match self.telling.open(|| changes) {
            Some(changes) => said.and_list(changes, LIST_LINES_MAX),
            None => said,
        }
    }

    pub(super) fn config_refused(error: &str) -> Said {
        Said::fact("The changed configuration is refused, the old one stays").and_theirs("It says: ", error)
    }

    pub(super) fn clock_jumped(by_s: i64) -> Said {
        let way = if by_s < 0 { "back" } else { "forward" };
        Said::fact(&format!("The machine's clock was set {way} by {}", seconds(by_s.saturating_abs())))
            .and("Trading goes by the market's time; nothing is decided twice")
    }

    pub(super) fn store_recovered(error: &str, down_s: i64) -> Said {
        Said::fact(&format!("The store works again after {}", seconds(down_s)))
            .and_theirs("It had said: ", error)
            .and("Everything decided meanwhile is recorded; `/resume` lets trading go on")
    }

    pub(super) fn health_degraded(part: &str, why: &str) -> Said {
        Said::title(quoting("Not well: ", part, "")).and_theirs("It says: ", why).and("`/health` shows every part")
    }

    pub(super) fn health_restored(part: &str, down_s: i64) -> Said {
        Said::title(quoting("", part, &format!(" is well again after {}", seconds(down_s))))
    }

    pub(super) fn backup_made(file: &str, bytes: u64) -> Said {
        Said::fact(&format!("The nightly copy is made and verified: {}", size(bytes))).and_theirs("It is ", file)
    }

    pub(super) fn backup_failed(error: &str) -> Said {
        Said::fact("The nightly backup failed")
            .and_theirs("It says: ", error)
            .and("It is tried again in the night to come; trading goes on")
    }

    pub(super) fn lane_died(lane: Lane, why: &str, waiting: u64) -> Said {
        Said::fact(&format!("Nothing reaches {lane}, waiting: {}", counted(waiting, "message")))
            .and_theirs("It says: ", why)
            .and("They are kept and go out when it works again; `/health` shows every way")
    }

    pub(super) fn lane_recovered(lane: Lane, down_s: i64, waiting: u64) -> Said {
        let came = (waiting > 0).then(|| format!("{} waited and come now", counted(waiting, "message")));
        Said::fact(&format!("{lane} works again after {}", seconds(down_s))).and_some(came)
    }

    pub(super) fn delivery_died(notice: NoticeId, lane: Lane, why: &str) -> Said {
        Said::fact(&format!("Message {notice} could not be delivered to {lane}"))
            .and_theirs("It says: ", why)
            .and("`/missed` shows what did not arrive")
    }

    /// What the service charges is no amount of a book, so everybody may see it.
    pub(super) fn sms_budget_near(spent: Money, per_day: Money) -> Said {
        let words = format!("Short messages have cost {spent} today, of {per_day} that a day may cost");
        let after = "What is left is kept for the daily loss limit and for trading that stops. Other messages wait for the next day in UTC, and what is critical is told elsewhere";
        Said::fact(&words).and(after).and("`[sms]` in bellwether.toml sets how much a day may cost")
    }

    pub(super) fn sms_silent(lane: Lane) -> Said {
        Said::fact(&format!("So many texts came in the name of {} that they are answered no more for now", lane.who))
            .and("HALT and ACK are done all the same, and so is a code. What is told without being asked still comes by SMS")
            .and("If it was not them, somebody forges their number. Each answer costs, so there are few an hour and a day")
    }

    pub(super) fn copy_running(channel: &str) -> Said {
        Said::fact(&format!("Another copy of the bot reads the same chat on {channel}"))
            .and("What you write may reach the other one. Stop it, or give it a bot of its own")
            .and("If nobody here started it, somebody else has the token: make a new one")
    }

    pub(super) fn strangers(channel: &str, messages: u64, people: u64, codes: u64) -> Said {
        let people = if people == 1 { "1 person".to_owned() } else { format!("{people} people") };
        let wrong = counted(codes, "wrong code");
        let fact = if codes == messages {
            format!("{wrong} for pairing on {channel} by {people}")
        } else {
            format!("Strangers write to the bot on {channel}: {} by {people}", counted(messages, "message"))
        };
        let among = (0 < codes && codes < messages).then(|| format!("{wrong} for pairing among them"));
        let anew =
            (codes > 0).then(|| "Whoever was given a code that fails needs a new one from the machine".to_owned());
        Said::fact(&fact)
            .and_some(among)
            .and_some(anew)
            .and("Only people who are paired are obeyed. Nothing has to be done")
    }

    pub(super) fn paired(person: &str, channel: &str, account: &str) -> Said {
        Said::fact(&format!("{person} is paired with an account on {channel} now"))
            .and_theirs("The account calls itself ", account)
            .and("If nobody here did that, `/halt` stops entries until it is clear")
    }

    pub(super) fn drill(person: &str) -> Said {
        Said::fact(&format!("DRILL, not real: a test message, asked for by {person}"))
            .and("Who reads this can be reached this way. Nothing happened in the market or in a book")
    }
}

fn seconds(count: i64) -> String {
    age(count.saturating_mul(1_000))
}

/// `12.3 MB`
fn size(bytes: u64) -> String {
    if bytes < 1_000_000 {
        return format!("{} kB", bytes.div_ceil(1_000));
    }
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}
