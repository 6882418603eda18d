//! What do limits, halts and locks sound like? What stopped, why, what still works, and who can change it.

use crate::clock::Timestamp;
use crate::domain::format::{counted, percent, price, quantity};
use crate::domain::{
    EntryLock, HaltCause, Lane, LiftReason, LockCause, Money, NoticeId, Preview, Price, Quantity, Ratio, ReduceCause,
    Symbol, TradingState, preview_words,
};

use super::telling::{Said, Words};

impl Words<'_> {
    pub(super) fn unprotected(&self, symbol: Symbol, held: Quantity) -> Said {
        let fact = match self.telling.open(|| quantity(held)) {
            Some(held) => format!("NO STOP: {held} {symbol} of {} are not protected", self.book),
            None => format!("NO STOP: {symbol} of {} is not protected", self.book),
        };
        Said::fact(&fact)
            .and("No working order would end a loss here")
            .and("`/positions` shows it, `/halt` stops new entries")
    }

    pub(super) fn halted(&self, cause: &HaltCause, cancelled: usize, positions: usize) -> Said {
        let book = &self.book;
        let said = match cause {
            HaltCause::Precaution => Said::fact(&format!("HALTED {book}: by the bot, to be on the safe side")),
            HaltCause::Command { person } => Said::fact(&format!("HALTED {book}: by {person}")),
            HaltCause::DailyLoss { loss, limit } => {
                Said::fact(&format!("HALTED {book}: it lost {} today, limit {}", percent(*loss), percent(*limit)))
            }
            HaltCause::Drawdown { drawdown, limit } => {
                Said::fact(&format!("HALTED {book}: {} below its peak, limit {}", percent(*drawdown), percent(*limit)))
            }
            HaltCause::StoreTrouble { error } => {
                Said::fact(&format!("HALTED {book}: the store cannot be written")).and_theirs("It says: ", error)
            }
            HaltCause::BrokenInvariant { what } => {
                let said = Said::fact(&format!("HALTED {book}: something impossible happened"));
                match self.telling.open(|| what) {
                    Some(what) => said.and_theirs("This does not fit: ", what),
                    None => said,
                }
            }
        };
        let cancelled = counted(cancelled as u64, "entry order");
        let stops = match positions {
            0 => "nothing is held".to_owned(),
            positions => format!("stops of {} stay in force", counted(positions as u64, "position")),
        };
        said.and(&format!("{cancelled} cancelled; {stops}")).and("`/resume` lets trading go on; it needs your PIN")
    }

    /// Entries stopped: why, and how they come back.
    pub(super) fn reduced(&self, cause: &ReduceCause, day: Money, until: Option<Timestamp>) -> Said {
        let book = &self.book;
        let fact = match cause {
            ReduceCause::DailyLoss { loss, limit, closing } => {
                let day = self.telling.open(|| format!("day {}, ", self.signed(day))).unwrap_or_default();
                let fact = format!("{book} reducing: {day}a loss of {}, limit {}", percent(*loss), percent(*limit));
                match *closing {
                    0 => fact,
                    held => format!("{fact}; {} closed at the next bar", counted(held as u64, "position")),
                }
            }
            ReduceCause::Drawdown { drawdown, limit } => {
                format!("{book} reducing: {} below its peak, limit {}", percent(*drawdown), percent(*limit))
            }
            ReduceCause::Breaker { value, limit } => {
                format!("{book} reducing: the market moves {value:.1} times its usual range in a bar, limit {limit:.1}")
            }
            ReduceCause::Paused { person } => format!("{book} paused by {person}"),
            ReduceCause::Stopped { person } => format!("{book} stopped by {person}: everything is closed"),
        };
        let until = match (until, cause) {
            (Some(until), _) => self.time(until),
            (None, ReduceCause::Paused { .. } | ReduceCause::Stopped { .. }) => format!("`/book start {book}`"),
            (None, _) => "somebody resumes: `/resume`".to_owned(),
        };
        Said::fact(&fact).and(&format!("No entries until {until}")).and("Exits and stops work")
    }

    pub(super) fn resumed(&self, from: TradingState, person: Option<&str>) -> Said {
        let who = person.map_or_else(|| "what stopped it is over".to_owned(), |person| format!("by {person}"));
        Said::fact(&format!("{} is running again; it was {from} · {who}", self.book))
    }

    pub(super) fn daily_loss_near(&self, day: Money, loss: Ratio, limit: Ratio) -> Said {
        let day = self.telling.open(|| format!("{} today, ", self.signed(day))).unwrap_or_default();
        let (book, loss, limit) = (&self.book, percent(loss), percent(limit));
        Said::fact(&format!("{book} near its daily loss limit: {day}a loss of {loss}, limit {limit}"))
            .and("At the limit its entries stop; `/limits` shows how much is left")
            .and("`/halt` stops them sooner")
    }

    pub(super) fn drawdown_near(&self, drawdown: Ratio, limit: Ratio) -> Said {
        let (drawdown, limit) = (percent(drawdown), percent(limit));
        Said::fact(&format!("{} is {drawdown} below its peak; entries stop at {limit}", self.book))
            .and("`/risk` shows what is at stake, `/limits` how much is left")
    }

    pub(super) fn entry_locked(&self, lock: &EntryLock) -> Said {
        let (book, symbol, until) = (&self.book, lock.symbol, self.time(lock.until));
        let why = match &lock.cause {
            LockCause::LowProfit { trades, profit } => {
                format!("its last {trades} trades came to {}", self.signed(*profit))
            }
            cause @ (LockCause::Cooldown
            | LockCause::Stops { .. }
            | LockCause::LosingStreak { .. }
            | LockCause::Person { .. }) => cause.words(),
        };
        Said::fact(&format!("{book} keeps out of {symbol} until {until}"))
            .and(&format!("Because of this: {why}"))
            .and(&format!("What it holds goes on; `/unlock {symbol}` lets it enter sooner"))
    }

    pub(super) fn block_ended(&self, symbol: Symbol, person: &str) -> Said {
        Said::fact(&format!("{} may enter {symbol} again: the block by {person} is over", self.book))
    }

    pub(super) fn entry_unlocked(&self, symbol: Symbol, person: &str) -> Said {
        Said::fact(&format!("{} may enter {symbol} again, said {person}", self.book))
    }

    pub(super) fn margin_called(&self, symbol: Symbol, left: Money, required: Money) -> Said {
        let (left, required) = (self.money(left), self.money(required));
        Said::fact(&format!("MARGIN CALL {symbol} of {}: {left} is left of its margin", self.book))
            .and(&format!("It asks for {required}, so it is closed at the next bar"))
            .and(&format!("`/why {symbol}` shows why it was held"))
    }

    pub(super) fn symbol_locked(&self, symbol: Symbol, before: Price, after: Price, held: Quantity) -> Said {
        let (before, after) = (price(before), price(after));
        let held = self.telling.open(|| format!("{} held; ", quantity(held))).unwrap_or_default();
        Said::fact(&format!("LOCKED {symbol}: it moved from {before} to {after} with no corporate action on file"))
            .and(&format!("Is that price right? {held}nothing of it trades, its stop waits too"))
            .and(&format!("If it is right: `/unlock {symbol}`"))
            .and("If the shares were split: put it into `corporate_actions.csv`")
    }

    pub(super) fn symbol_unlocked(symbol: Symbol, reason: &LiftReason) -> Said {
        Said::fact(&match reason {
            LiftReason::Command { person } => format!("{symbol} unlocked by {person}: its price counts again"),
            LiftReason::Filed => format!("{symbol} unlocked: its move is explained in `corporate_actions.csv` now"),
            LiftReason::CameBack => format!("{symbol} unlocked: the price came back, it was a bad print"),
            LiftReason::StoodFlat { sessions } => format!(
                "{symbol} unlocked: nothing is held, and the new price stood for {}",
                counted(u64::from(*sessions), "session")
            ),
        })
    }

    pub(super) fn book_stopped(&self, equity: Money, profit: Money) -> Said {
        let (book, equity, profit) = (&self.book, self.money(equity), self.signed(profit));
        Said::fact(&format!("{book} is stopped and holds nothing: equity {equity}"))
            .and(&format!("{profit} since it began, after fees"))
            .and(&format!("`/book start {book}` lets it enter again"))
    }

    pub(super) fn book_reset(&self, equity: Money, capital: Money, person: &str) -> Said {
        let (book, equity, capital) = (&self.book, self.money(equity), self.money(capital));
        Said::fact(&format!("{book} begins anew with {capital}, said {person}"))
            .and(&format!("It was worth {equity}; its trades and orders stay in the journal"))
    }

    pub(super) fn pin_locked(&self, person: &str, until: Timestamp) -> Said {
        Said::fact(&format!("PIN of {person} LOCKED until {} after five wrong tries", self.time(until)))
            .and("If that was not you, somebody else tries to change things from where you are")
            .and("`/halt` needs no PIN and still works")
    }

    pub(super) fn factor_changed(person: &str, what: &str) -> Said {
        Said::fact(&format!("{person}: {what}"))
            .and("If nobody of you did that, somebody else is on the machine")
            .and("`/halt` needs no PIN and still works")
    }

    pub(super) fn duress(person: &str) -> Said {
        Said::fact(&format!("{person} entered the PIN of somebody who is MADE to enter one"))
            .and("Everything is halted, and what was asked for was not done")
            .and(&format!(
                "{person} was answered \"Accepted\" and is not told of this: do not write of it where {person} reads"
            ))
    }

    pub(super) fn approval_asked(
        &self,
        control: i64,
        person: &str,
        change: &str,
        preview: &Preview,
        until: Timestamp,
    ) -> Said {
        let said = Said::fact(&format!("{person} asks for a second person: `{change}`"));
        let said = preview_words(preview, self.telling.zone).lines().fold(said, Said::and);
        said.and(&format!("Until {}: `/approve {control}` shows it and asks for your own proof", self.time(until)))
            .and(&format!("`/decline {control}` ends it"))
    }

    pub(super) fn duress_untold(person: &str, notice: NoticeId, lane: Lane, why: &str) -> Said {
        Said::fact(&format!("{notice}, that {person} was MADE to enter a PIN, could not be delivered to {lane}"))
            .and_theirs("It says: ", why)
            .and(&format!("{person} is not told of this: do not write of it where {person} reads"))
    }

    pub(super) fn control_lapsed(person: &str, change: &str) -> Said {
        Said::fact(&format!("Not done: `{change}`, which {person} asked for, waited too long"))
            .and("The bot could not carry it out in time, and things may have moved since then. Ask again if it is still wanted")
    }

    pub(super) fn approval_ended(person: &str, change: &str, by: &str, agreed: bool) -> Said {
        let how = if agreed { "agreed to" } else { "declined" };
        Said::fact(&format!("{by} {how} what {person} asked for: `{change}`"))
    }
}
