//! What happened before? Journal, steps, runs, trades, fills and days, as views read them.

use std::fmt::Write as _;

use rusqlite::{OptionalExtension, Row, params};

use crate::clock::Timestamp;
use crate::domain::{
    AuditId, Booking, BookingKind, CycleId, Event, EventKind, ExitReason, FillId, FillLeg, Label, Money, NoticeId,
    Order, OrderId, Price, Quantity, RunId, Severity, Side, SignalId, SignalIntent, Symbol, Trade, TradeFill, TradeId,
};

use super::state::{audit_id, parsed, time, unsigned};
use super::{DayRow, FiguresRow, Reader, StoreError};

/// A fact of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    /// Its place.
    pub seq: i64,
    /// The cycle that made it.
    pub cycle: CycleId,
    /// When it was committed, on the wall clock.
    pub wall: Timestamp,
    /// The number it was told under, if it was told.
    pub notice: Option<NoticeId>,
    /// The row of the audit in which a person wanted it; none where nobody did.
    pub audit: Option<AuditId>,
    /// The fact.
    pub event: Event,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its number.
    pub id: RunId,
    /// Paper or live.
    pub mode: String,
    /// What it traded on.
    pub feed: String,
    /// True if nothing was submitted.
    pub dry_run: bool,
    /// When it started, on the wall clock.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Its first and last cycle.
    pub cycles: (u64, u64),
    /// How far the market's time had come.
    pub market: Option<Timestamp>,
    /// How it ended.
    pub outcome: String,
}

/// Why a strategy did nothing with a symbol, as it was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// The cycle.
    pub cycle: CycleId,
    /// The market's time.
    pub at: Timestamp,
    /// The book.
    pub book: Label,
    /// The strategy.
    pub strategy: Label,
    /// The first rule that did not hold; none if it wanted something.
    pub rule: Option<String>,
    /// What was measured.
    pub value: f64,
    /// What it was measured against.
    pub limit: f64,
}

/// The journal, as [`Reader::journal`] reads it.
pub(super) const JOURNAL: &str = "SELECT j.seq, j.cycle, j.market_ms, j.wall_ms, j.book, j.body, n.number, j.audit
                       FROM journal j LEFT JOIN notices n ON n.seq = j.seq";

/// Facts that somebody was made to enter a PIN. Some may not learn of them: nothing that everybody sees counts them.
pub(super) const DURESS: &str = "('duress_pin', 'duress_untold')";

/// A delivery of any other fact.
pub(super) const NOT_DURESS: &str = "NOT EXISTS (SELECT 1 FROM notices n JOIN journal j ON j.seq = n.seq
    WHERE n.number = outbox.notice AND j.kind IN ('duress_pin', 'duress_untold'))";

/// All fills, as [`fill`] reads them.
pub(super) const FILLS: &str =
    "SELECT id, \"order\", book, symbol, side, quantity, price, fee, slippage, leg, at_ms FROM fills";

const TRADES: &str =
    "SELECT id, book, symbol, strategy, side, quantity, entry_price, exit_price, opened_ms, closed_ms, fees, profit,
                        reason, carried, best, worst FROM trades";

/// How many journal rows one question may read.
const JOURNAL_ROWS_MAX: u32 = 500;

impl Reader {
    /// The latest facts about a symbol, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn journal_of_symbol(&self, symbol: Symbol) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{JOURNAL} WHERE j.symbol = ?1 ORDER BY j.seq DESC LIMIT {JOURNAL_ROWS_MAX}");
        self.journal(&sql, [symbol.as_str()])
    }

    /// All facts about an order, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn journal_of_order(&self, order: OrderId) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{JOURNAL} WHERE j.\"order\" = ?1 ORDER BY j.seq LIMIT {JOURNAL_ROWS_MAX}");
        self.journal(&sql, [order.0 as i64])
    }

    /// The signal of this number, if there was one of the symbol.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn signal(&self, symbol: Symbol, id: SignalId) -> Result<Option<SignalIntent>, StoreError> {
        let sql = format!(
            "{JOURNAL} WHERE j.symbol = ?1 AND j.kind = 'signal_raised' AND json_extract(j.body, '$.signal.id') = ?2"
        );
        let rows = self.journal(&sql, params![symbol.as_str(), id.0 as i64])?;
        Ok(rows.into_iter().find_map(|row| match row.event.kind {
            EventKind::SignalRaised { signal } => Some(signal),
            _ => None,
        }))
    }

    /// The latest facts that were told, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn journal_told(&self, rows: u32) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{JOURNAL} WHERE n.number IS NOT NULL ORDER BY j.seq DESC LIMIT ?1");
        self.journal(&sql, [rows])
    }

    /// That somebody was made to enter a PIN, since an instant of the wall clock.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn duress_since(&self, since: Timestamp) -> Result<Vec<JournalRow>, StoreError> {
        let kind = "j.severity IN ('warning', 'critical') AND j.kind IN";
        self.journal(&format!("{JOURNAL} WHERE {kind} {DURESS} AND j.wall_ms >= ?1"), [since.ms()])
    }

    /// All facts, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn journal_all(&self) -> Result<Vec<JournalRow>, StoreError> {
        self.journal(&format!("{JOURNAL} ORDER BY j.seq"), [])
    }

    /// All facts of the cycles after one and up to another, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn journal_of_cycles(&self, after: CycleId, until: CycleId) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{JOURNAL} WHERE j.cycle > ?1 AND j.cycle <= ?2 ORDER BY j.seq");
        self.journal(&sql, params![after.0 as i64, until.0 as i64])
    }

    /// The number of the journal's last row; zero if it is empty.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_fact(&self) -> Result<i64, StoreError> {
        let sql = "SELECT coalesce(max(seq), 0) FROM journal";
        Ok(self.connection().query_row(sql, [], |row| row.get(0))?)
    }

    /// The whole journal in order, for comparison: cycle, market time, book, kind and body of each fact.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn journal_text(&self) -> Result<String, StoreError> {
        let mut statement = self
            .connection()
            .prepare("SELECT seq, cycle, market_ms, coalesce(book, ''), kind, body FROM journal ORDER BY seq")?;
        let mut rows = statement.query([])?;
        let mut text = String::new();
        while let Some(row) = rows.next()? {
            let (seq, cycle, market): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (book, kind, body): (String, String, String) = (row.get(3)?, row.get(4)?, row.get(5)?);
            let _ = writeln!(text, "{seq} {cycle} {market} {book} {kind} {body}");
        }
        Ok(text)
    }

    /// How many facts of a severity were committed since an instant of the wall clock.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn journal_count(&self, severity: Severity, since: Timestamp) -> Result<u64, StoreError> {
        // Loud facts have an index of their own, which counts only where the query says so.
        let sql = if severity >= Severity::Warning {
            "SELECT count(*) FROM journal WHERE severity IN ('warning', 'critical') AND severity = ?1 AND wall_ms >= ?2"
        } else {
            "SELECT count(*) FROM journal WHERE severity = ?1 AND wall_ms >= ?2"
        };
        let mut statement = self.connection().prepare_cached(sql)?;
        Ok(statement.query_row(params![severity.as_str(), since.ms()], |row| unsigned(row, 0))?)
    }

    /// The facts that a query on [`JOURNAL`] finds.
    pub(super) fn journal(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<JournalRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let body: String = row.get(5)?;
            let kind: EventKind = serde_json::from_str(&body)?;
            let book: Option<String> = row.get(4)?;
            found.push(JournalRow {
                seq: row.get(0)?,
                cycle: CycleId(unsigned(row, 1)?),
                wall: time(row, 3)?,
                notice: row.get::<_, Option<i64>>(6)?.map(|number| NoticeId(number.unsigned_abs())),
                audit: audit_id(row, 7)?,
                event: Event { at: time(row, 2)?, book: book.and_then(|book| book.parse().ok()), kind },
            });
        }
        Ok(found)
    }

    /// An order by its number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn order(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let body = self
            .connection()
            .query_row("SELECT body FROM orders WHERE id = ?1", [id.0 as i64], |row| row.get::<_, String>(0));
        body.optional()?.map(|body| Ok(serde_json::from_str(&body)?)).transpose()
    }

    /// The round trips that ended last, the last first, and how many there are in all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn trades(&self, rows: u32) -> Result<(Vec<Trade>, u64), StoreError> {
        let connection = self.connection();
        let all = connection.query_row("SELECT count(*) FROM trades", [], |row| unsigned(row, 0))?;
        let mut statement =
            connection.prepare_cached(&format!("{TRADES} ORDER BY closed_ms DESC, id DESC LIMIT ?1"))?;
        let trades = statement.query_map([rows], trade)?.collect::<Result<_, _>>()?;
        Ok((trades, all))
    }

    /// The round trip of this number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn trade(&self, id: TradeId) -> Result<Option<Trade>, StoreError> {
        let mut statement = self.connection().prepare_cached(&format!("{TRADES} WHERE id = ?1"))?;
        Ok(statement.query_row([id.0.cast_signed()], trade).optional()?)
    }

    /// So many of the last round trips of each book, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_trades(&self, rows: u32) -> Result<Vec<Trade>, StoreError> {
        let places = "SELECT id, row_number() OVER (PARTITION BY book ORDER BY id DESC) AS place FROM trades";
        let sql = format!("{TRADES} WHERE id IN (SELECT id FROM ({places}) WHERE place <= ?1) ORDER BY id DESC");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let trades = statement.query_map([rows], trade)?;
        Ok(trades.collect::<Result<_, _>>()?)
    }

    /// A book's round trips, of one symbol if one is given, in the order in which they ended.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn trades_of(&self, book: Label, symbol: Option<Symbol>) -> Result<Vec<Trade>, StoreError> {
        let sql = format!("{TRADES} WHERE book = ?1 AND coalesce(symbol = ?2, 1) ORDER BY closed_ms, id");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let trades = statement.query_map(params![book.as_str(), symbol.map(|symbol| symbol.to_string())], trade)?;
        Ok(trades.collect::<Result<_, _>>()?)
    }

    /// All fills, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn fills(&self) -> Result<Vec<TradeFill>, StoreError> {
        let mut statement = self.connection().prepare_cached(&format!("{FILLS} ORDER BY id"))?;
        let rows = statement.query_map([], fill)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What filled of an order, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn fills_of(&self, order: OrderId) -> Result<Vec<TradeFill>, StoreError> {
        let mut statement = self.connection().prepare_cached(&format!("{FILLS} WHERE \"order\" = ?1 ORDER BY id"))?;
        let rows = statement.query_map([order.0 as i64], fill)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Money that moved without a fill, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn bookings(&self) -> Result<Vec<Booking>, StoreError> {
        let mut statement =
            self.connection().prepare_cached("SELECT book, symbol, kind, amount, at_ms FROM bookings ORDER BY id")?;
        let rows = statement.query_map([], |row| {
            let kind: String = row.get(2)?;
            Ok(Booking {
                book: parsed(row, 0)?,
                symbol: parsed(row, 1)?,
                kind: BookingKind::ALL
                    .into_iter()
                    .find(|known| known.as_str() == kind)
                    .unwrap_or(BookingKind::Dividend),
                amount: Money::from_units(row.get(3)?),
                at: time(row, 4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The latest risk figures of a book, if any were computed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn figures(&self, book: Label) -> Result<Option<FiguresRow>, StoreError> {
        let row = self.connection().query_row(
            "SELECT book, at_ms, body FROM figures WHERE book = ?1",
            [book.as_str()],
            |row| Ok(FiguresRow { book: parsed(row, 0)?, at: time(row, 1)?, body: row.get(2)? }),
        );
        Ok(row.optional()?)
    }

    /// A book's days from `from` on, oldest first; `from` as `2026-11-20`, or empty for all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn days(&self, book: Label, from: &str) -> Result<Vec<DayRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT book, day, part, start, \"end\", realised, fees, trades FROM days
             WHERE book = ?1 AND day >= ?2 ORDER BY day, part",
        )?;
        let rows = statement.query_map(params![book.as_str(), from], |row| {
            Ok(DayRow {
                book: parsed(row, 0)?,
                day: row.get(1)?,
                part: row.get(2)?,
                start: Money::from_units(row.get(3)?),
                end: Money::from_units(row.get(4)?),
                realised: Money::from_units(row.get(5)?),
                fees: Money::from_units(row.get(6)?),
                trades: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The latest runs, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn runs(&self, rows: u32) -> Result<Vec<RunRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id, mode, feed, dry_run, started_ms, ended_ms, first_cycle, last_cycle, market_ms, outcome
             FROM runs ORDER BY id DESC LIMIT ?1",
        )?;
        let found = statement.query_map([rows], |row| {
            Ok(RunRow {
                id: RunId(unsigned(row, 0)?),
                mode: row.get(1)?,
                feed: row.get(2)?,
                dry_run: row.get(3)?,
                started: time(row, 4)?,
                ended: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_ms),
                cycles: (unsigned(row, 6)?, unsigned(row, 7)?),
                market: row.get::<_, Option<i64>>(8)?.map(Timestamp::from_ms),
                outcome: row.get(9)?,
            })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The newest record of each book and strategy that has a line about `symbol`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_steps(&self, symbol: Symbol) -> Result<Vec<StepRecord>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT cycle, book, strategy, market_ms, body FROM steps ORDER BY cycle DESC LIMIT 2000",
        )?;
        let mut rows = statement.query([])?;
        let mut found: Vec<StepRecord> = Vec::new();
        while let Some(row) = rows.next()? {
            let (book, strategy): (Label, Label) = (parsed(row, 1)?, parsed(row, 2)?);
            if found.iter().any(|step| step.book == book && step.strategy == strategy) {
                continue;
            }
            let body: String = row.get(4)?;
            let lines: Vec<(Symbol, Option<String>, f64, f64)> = serde_json::from_str(&body)?;
            if let Some((_, rule, value, limit)) = lines.into_iter().find(|line| line.0 == symbol) {
                let cycle = CycleId(unsigned(row, 0)?);
                found.push(StepRecord { cycle, at: time(row, 3)?, book, strategy, rule, value, limit });
            }
        }
        Ok(found)
    }
}

fn side(row: &Row<'_>, index: usize) -> rusqlite::Result<Side> {
    let text: String = row.get(index)?;
    Ok(if text == "sell" { Side::Sell } else { Side::Buy })
}

/// A row of [`FILLS`].
pub(super) fn fill(row: &Row<'_>) -> rusqlite::Result<TradeFill> {
    let leg: String = row.get(9)?;
    Ok(TradeFill {
        id: FillId(unsigned(row, 0)?),
        order: OrderId(unsigned(row, 1)?),
        book: parsed(row, 2)?,
        symbol: parsed(row, 3)?,
        side: side(row, 4)?,
        quantity: Quantity::from_units(row.get(5)?),
        price: Price::from_units(row.get(6)?),
        fee: Money::from_units(row.get(7)?),
        slippage: Money::from_units(row.get(8)?),
        leg: match leg.as_str() {
            "stop" => FillLeg::Stop,
            "target" => FillLeg::Target,
            "limit" => FillLeg::Limit,
            _ => FillLeg::Market,
        },
        at: time(row, 10)?,
    })
}

fn trade(row: &Row<'_>) -> rusqlite::Result<Trade> {
    let reason: String = row.get(12)?;
    Ok(Trade {
        id: TradeId(unsigned(row, 0)?),
        book: parsed(row, 1)?,
        symbol: parsed(row, 2)?,
        strategy: parsed(row, 3)?,
        side: side(row, 4)?,
        quantity: Quantity::from_units(row.get(5)?),
        entry_price: Price::from_units(row.get(6)?),
        exit_price: Price::from_units(row.get(7)?),
        opened: time(row, 8)?,
        closed: time(row, 9)?,
        fees: Money::from_units(row.get(10)?),
        profit: Money::from_units(row.get(11)?),
        carried: Money::from_units(row.get(13)?),
        best: Money::from_units(row.get(14)?),
        worst: Money::from_units(row.get(15)?),
        reason: ExitReason::ALL.into_iter().find(|known| known.as_str() == reason).unwrap_or(ExitReason::Signal),
    })
}
