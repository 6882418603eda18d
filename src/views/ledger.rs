//! What of the store may somebody see? The only way from views to the store: what belongs to other people's books does not come through.

use std::collections::HashSet;

use crate::clock::Timestamp;
use crate::domain::{
    About, Alert, AuditId, ChannelKind, Event, EventKind, Instrument, Label, Lane, NoticeId, Order, OrderId,
    Preferences, Ratio, RouteTable, Severity, SignalIntent, Symbol, Trade, TradeFill, TradeId,
};
use crate::store::{
    Ack, AskedRow, AuditFound, AuditQuery, BookRow, Chore, DayRow, FiguresRow, JournalRow, LaneCounts, LaneState,
    LatencyRow, LeaseRow, MarkRow, MissedRow, NoiseRow, NoteRow, ProgressRow, Pulse, Reader, RunRow, SignalsRow, Skew,
    StepRecord, StoreError, TagRow, Totals, TraceRow, Undoable, Wishes,
};

use super::open::Asker;

type Read<T> = Result<T, StoreError>;

/// The store as one person may read it.
pub struct Ledger {
    reader: Reader,
    asker: Asker,
}

/// What belongs to books: it comes through for those who may see the book.
impl Ledger {
    pub(super) fn new(reader: Reader, asker: Asker) -> Self {
        Self { reader, asker }
    }

    /// Who reads.
    pub(super) fn asker(&self) -> &Asker {
        &self.asker
    }

    /// The last change of their own to the books that was carried out since then and can be taken back.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn undoable(&self, since: Timestamp) -> Read<Option<Undoable>> {
        self.reader.undoable_control(&self.asker.name, since)
    }

    /// Who asked for halts of books that they may see, where these were not carried out; each once.
    pub(super) fn waiting_halts(&self) -> Read<Vec<String>> {
        let mut halts = self.reader.waiting_halts()?;
        halts.retain(|halt| !halt.person.is_empty());
        halts.retain(|halt| halt.books.as_ref().is_none_or(|books| books.iter().any(|book| self.sees(*book))));
        let mut people: Vec<String> = halts.into_iter().map(|halt| halt.person).collect();
        people.dedup();
        Ok(people)
    }

    /// Whether they have a PIN, and an app for codes.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn factors(&self) -> Read<(bool, bool)> {
        Ok((self.reader.has_pin(&self.asker.name)?, self.reader.has_totp(&self.asker.name)?))
    }

    /// Whether they may see this book.
    pub(super) fn sees(&self, book: Label) -> bool {
        self.asker.books.as_ref().is_none_or(|books| books.contains(&book))
    }

    fn sees_all(&self) -> bool {
        self.asker.books.is_none()
    }

    /// What the books that they may see watch or hold.
    fn symbols(&self) -> Read<HashSet<Symbol>> {
        let mut symbols = HashSet::new();
        for row in self.books()? {
            symbols.extend(traded(&self.reader, &row)?);
        }
        Ok(symbols)
    }

    /// Whether a symbol is watched or held by a book that they may not see.
    pub(super) fn is_shared(&self, symbol: Symbol) -> Read<bool> {
        for row in self.reader.books()?.iter().filter(|row| !self.sees(row.book.name)) {
            if traded(&self.reader, row)?.contains(&symbol) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Of those facts that belong to no book, which tell nothing of books that they may not see? A kind that is not named here tells.
    fn sees_fact(&self, event: &Event, own: &HashSet<Symbol>) -> bool {
        if self.sees_all() {
            return true;
        }
        match (&event.kind, event.book) {
            (EventKind::AlertFired { person, .. } | EventKind::ControlLapsed { person, .. }, _) => {
                *person == self.asker.name
            }
            (_, Some(book)) => self.sees(book),
            (
                EventKind::FeedStale { symbol, .. }
                | EventKind::FeedRecovered { symbol, .. }
                | EventKind::SymbolLocked { symbol, .. }
                | EventKind::SymbolUnlocked { symbol, .. }
                | EventKind::SplitApplied { symbol, .. },
                None,
            ) => own.contains(symbol),
            (
                EventKind::EngineStopped { .. }
                | EventKind::ClockJumped { .. }
                | EventKind::StoreRecovered { .. }
                | EventKind::BackupMade { .. }
                | EventKind::BackupFailed { .. }
                | EventKind::CyclesMissed { .. }
                | EventKind::HealthDegraded { .. }
                | EventKind::HealthRestored { .. }
                | EventKind::LaneDied { .. }
                | EventKind::LaneRecovered { .. }
                | EventKind::DeliveryDied { .. }
                | EventKind::SmsBudgetNear { .. }
                | EventKind::CopyRunning { .. }
                | EventKind::StrangersKnocked { .. }
                | EventKind::PersonPaired { .. }
                | EventKind::DrillSent { .. }
                | EventKind::FactorChanged { .. }
                | EventKind::DuressPin { .. }
                | EventKind::DuressUntold { .. }
                | EventKind::PinLocked { .. },
                None,
            ) => true,
            (
                EventKind::ApprovalAsked { books: Some(books), .. }
                | EventKind::ApprovalEnded { books: Some(books), .. },
                None,
            ) => books.iter().all(|book| self.sees(*book)),
            (_, None) => false,
        }
    }

    /// False for what nobody may learn but the other owners: that somebody was made to enter a PIN. Whoever made them reads along.
    fn is_open(&self, event: &Event) -> bool {
        match &event.kind {
            EventKind::DuressPin { person } | EventKind::DuressUntold { person, .. } => {
                self.asker.is_owner() && *person != self.asker.name
            }
            _ => true,
        }
    }

    fn hidden(&self, since: Timestamp) -> Read<Vec<JournalRow>> {
        let mut rows = self.reader.duress_since(since)?;
        rows.retain(|row| !self.is_open(&row.event));
        Ok(rows)
    }

    fn seen(&self, mut rows: Vec<JournalRow>) -> Read<Vec<JournalRow>> {
        rows.retain(|row| self.is_open(&row.event));
        if !self.sees_all() {
            let own = self.symbols()?;
            rows.retain(|row| self.sees_fact(&row.event, &own));
        }
        Ok(rows)
    }

    /// Books.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn books(&self) -> Read<Vec<BookRow>> {
        let mut rows = self.reader.books()?;
        rows.retain(|row| self.sees(row.book.name));
        Ok(rows)
    }

    /// The last prices of what their books watch or hold.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn marks(&self) -> Read<Vec<MarkRow>> {
        let mut marks = self.reader.marks()?;
        if !self.sees_all() {
            let own = self.symbols()?;
            marks.retain(|mark| own.contains(&mark.symbol));
        }
        Ok(marks)
    }

    /// What a book watches, and where the list came from.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn watchlist(&self, book: Label) -> Read<(String, Vec<Instrument>)> {
        if self.sees(book) { self.reader.watchlist(book) } else { Ok(Default::default()) }
    }

    pub(super) fn figures(&self, book: Label) -> Read<Option<FiguresRow>> {
        if self.sees(book) { self.reader.figures(book) } else { Ok(None) }
    }

    pub(super) fn days(&self, book: Label, from: &str) -> Read<Vec<DayRow>> {
        if self.sees(book) { self.reader.days(book, from) } else { Ok(Vec::new()) }
    }

    /// Orders that wait, of the books that may be seen.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_orders(&self) -> Read<Vec<Order>> {
        let mut orders = self.reader.open_orders()?;
        orders.retain(|order| self.sees(order.book));
        Ok(orders)
    }

    pub(super) fn order(&self, id: OrderId) -> Read<Option<Order>> {
        Ok(self.reader.order(id)?.filter(|order| self.sees(order.book)))
    }

    pub(super) fn ended_orders(&self, book: Label, rows: u32) -> Read<(Vec<Order>, u64)> {
        if self.sees(book) { self.reader.ended_orders(book, rows) } else { Ok((Vec::new(), 0)) }
    }

    /// The signal of an order that they were given.
    pub(super) fn signal_of(&self, order: &Order) -> Read<Option<SignalIntent>> {
        match order.signal.filter(|_| self.sees(order.book)) {
            Some(signal) => self.reader.signal(order.symbol, signal),
            None => Ok(None),
        }
    }

    /// What became of that signal: bars, and the move in its direction.
    pub(super) fn measured_of(&self, order: &Order) -> Read<Option<(u64, Ratio)>> {
        match order.signal.filter(|_| self.sees(order.book)) {
            Some(signal) => self.reader.measured(order.symbol, signal),
            None => Ok(None),
        }
    }

    pub(super) fn signals(&self) -> Read<Vec<SignalsRow>> {
        let mut rows = self.reader.signals()?;
        rows.retain(|row| self.sees(row.book));
        Ok(rows)
    }

    /// So many of the last round trips, the last first, and how many there are in all.
    pub(super) fn trades(&self, rows: u32) -> Read<(Vec<Trade>, u64)> {
        if self.sees_all() {
            return self.reader.trades(rows);
        }
        let mut trades = Vec::new();
        for row in self.books()? {
            trades.extend(self.reader.trades_of(row.book.name, None)?);
        }
        let all = trades.len() as u64;
        trades.sort_by_key(|trade| std::cmp::Reverse((trade.closed, trade.id)));
        trades.truncate(rows as usize);
        Ok((trades, all))
    }

    /// The round trip of this number.
    pub(super) fn trade(&self, id: TradeId) -> Read<Option<Trade>> {
        Ok(self.reader.trade(id)?.filter(|trade| self.sees(trade.book)))
    }

    /// The books of theirs that watch or hold a symbol.
    pub(super) fn books_of(&self, symbol: Symbol) -> Read<Vec<Label>> {
        let mut books = Vec::new();
        for row in self.books()? {
            if traded(&self.reader, &row)?.contains(&symbol) {
                books.push(row.book.name);
            }
        }
        Ok(books)
    }

    /// The notes to something that they may read.
    pub(super) fn notes(&self, about: About) -> Read<Vec<NoteRow>> {
        let mut notes = self.reader.notes(about)?;
        notes.retain(|note| note.books.iter().all(|book| self.sees(*book)));
        Ok(notes)
    }

    /// What something is filed under, or everything, as far as they may see it.
    pub(super) fn tags(&self, about: Option<About>) -> Read<Vec<TagRow>> {
        let mut tags = self.reader.tags(about)?;
        tags.retain(|row| row.books.iter().all(|book| self.sees(*book)));
        Ok(tags)
    }

    /// What they set for themselves over the file.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn preferences(&self) -> Read<Preferences> {
        self.reader.preferences(&self.asker.name)
    }

    pub(super) fn trades_of(&self, book: Label) -> Read<Vec<Trade>> {
        if self.sees(book) { self.reader.trades_of(book, None) } else { Ok(Vec::new()) }
    }

    pub(super) fn fills(&self) -> Read<Vec<TradeFill>> {
        let mut fills = self.reader.fills()?;
        fills.retain(|fill| self.sees(fill.book));
        Ok(fills)
    }

    pub(super) fn fills_from(&self, book: Label, order: OrderId) -> Read<Vec<TradeFill>> {
        if self.sees(book) { self.reader.fills_from(book, order) } else { Ok(Vec::new()) }
    }

    /// Books look at every symbol that has prices, so a symbol of other books alone is left out, too.
    pub(super) fn last_steps(&self, symbol: Symbol) -> Read<Vec<StepRecord>> {
        if !self.sees_all() && !self.symbols()?.contains(&symbol) {
            return Ok(Vec::new());
        }
        let mut steps = self.reader.last_steps(symbol)?;
        steps.retain(|step| self.sees(step.book));
        Ok(steps)
    }
}

/// Facts and messages: each comes through by the book that it is about.
impl Ledger {
    pub(super) fn journal_of_order(&self, order: OrderId) -> Read<Vec<JournalRow>> {
        self.seen(self.reader.journal_of_order(order)?)
    }

    pub(super) fn journal_of_symbol(&self, symbol: Symbol) -> Read<Vec<JournalRow>> {
        self.seen(self.reader.journal_of_symbol(symbol)?)
    }

    pub(super) fn journal_told(&self, rows: u32) -> Read<Vec<JournalRow>> {
        self.seen(self.reader.journal_told(rows)?)
    }

    /// What the drills of readiness are proved by. That the bot was found dead belongs to every book, and how much was taken up again is
    /// told by nobody who reads this.
    pub(super) fn journal_of_states(&self) -> Read<Vec<JournalRow>> {
        let mut rows = self.reader.journal_of_states()?;
        rows.retain(|row| row.event.book.is_none_or(|book| self.sees(book)));
        Ok(rows)
    }

    pub(super) fn last_regimes(&self) -> Read<Vec<JournalRow>> {
        self.seen(self.reader.last_regimes()?)
    }

    /// How many facts of a severity there were since an instant of the wall clock; none for those who may not see all of them.
    pub(super) fn journal_count(&self, severity: Severity, since: Timestamp) -> Read<Option<u64>> {
        if !self.sees_all() {
            return Ok(None);
        }
        let hidden = self.hidden(since)?.iter().filter(|row| row.event.kind.severity() == severity).count() as u64;
        Ok(Some(self.reader.journal_count(severity, since)?.saturating_sub(hidden)))
    }

    /// The fact that a message told.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn notice(&self, notice: NoticeId) -> Read<Option<JournalRow>> {
        let found = self.reader.notice(notice)?;
        Ok(self.seen(found.into_iter().collect())?.pop())
    }

    pub(super) fn trace(&self, notice: NoticeId) -> Read<Vec<TraceRow>> {
        if self.notice(notice)?.is_some() { self.reader.trace(notice) } else { Ok(Vec::new()) }
    }

    /// Who has seen a message.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn ack(&self, notice: NoticeId) -> Read<Option<Ack>> {
        if self.notice(notice)?.is_some() { self.reader.ack(notice) } else { Ok(None) }
    }

    /// The message of theirs that asks to be acknowledged. Whoever answers by a text means the newest text, if there was one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn unacknowledged(&self) -> Read<Option<NoticeId>> {
        if self.asker.channel == Some(ChannelKind::Sms)
            && let Ok(who) = self.asker.name.parse()
            && let Some(notice) = self.reader.unacknowledged_on(Lane { who, channel: ChannelKind::Sms })?
        {
            return Ok(Some(notice));
        }
        self.reader.unacknowledged(&self.asker.name)
    }

    /// The messages of theirs that ask to be acknowledged, newest first.
    pub(super) fn all_unacknowledged(&self, rows_max: u32) -> Read<Vec<NoticeId>> {
        self.reader.all_unacknowledged(&self.asker.name, rows_max)
    }

    pub(super) fn missed(&self, rows_max: u32) -> Read<Vec<MissedRow>> {
        let mut rows = self.reader.missed(&self.asker.name, self.asker.channel, rows_max)?;
        rows.retain(|row| self.is_open(&row.event));
        if !self.sees_all() {
            let own = self.symbols()?;
            rows.retain(|row| self.sees_fact(&row.event, &own));
        }
        Ok(rows)
    }

    pub(super) fn noise(&self, since: Timestamp) -> Read<Vec<NoiseRow>> {
        self.reader.noise(&self.asker.name, self.asker.channel, since)
    }

    /// Their alerts, but for those that look at what they may not see any more.
    pub(super) fn alerts(&self) -> Read<Vec<Alert>> {
        let mut alerts = self.reader.alerts_of(&self.asker.name)?;
        if !self.sees_all() {
            let own = self.symbols()?;
            alerts.retain(|Alert { condition, .. }| match condition.subject.book() {
                Some(book) => self.sees(book),
                None => condition.subject.symbol().is_some_and(|symbol| own.contains(&symbol)),
            });
        }
        Ok(alerts)
    }
}

/// What people did.
impl Ledger {
    /// Whose changes and lines they may see: everybody's only where nobody's book, way or chat is kept from them.
    fn only_of(&self) -> Option<&str> {
        let all = self.sees_all() && self.asker.ways.is_none();
        (!all).then_some(&self.asker.name)
    }

    pub(super) fn may_see_changes_of(&self, person: &str) -> bool {
        self.only_of().is_none_or(|own| own == person)
    }

    pub(super) fn changes(&self, query: AuditQuery<'_>) -> Read<Vec<AuditFound>> {
        self.reader.find_audit(AuditQuery { person: self.only_of().or(query.person), ..query })
    }

    pub(super) fn change(&self, id: AuditId) -> Read<Option<AuditFound>> {
        Ok(self.reader.audit_of(id)?.filter(|found| self.may_see_changes_of(&found.row.entry.person)))
    }

    pub(super) fn journal_of_change(&self, id: AuditId) -> Read<Vec<JournalRow>> {
        self.seen(self.reader.journal_of_audit(id)?)
    }

    /// Lines that people gave, with how often each did.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn asked(&self) -> Read<Vec<AskedRow>> {
        let mut rows = self.reader.asked()?;
        rows.retain(|row| self.may_see_changes_of(&row.person));
        Ok(rows)
    }
}

/// What belongs to the machine and to no book.
impl Ledger {
    /// What is traded on, in words. They may name symbols, so whoever may not see all books is told the kind alone.
    pub(super) fn feed_words(&self) -> Read<String> {
        let words = self.reader.meta("feed_words")?.unwrap_or_default();
        Ok(if self.sees_all() { words } else { kind_of_feed(&words) })
    }

    pub(super) fn runs(&self, rows: u32) -> Read<Vec<RunRow>> {
        let mut runs = self.reader.runs(rows)?;
        if !self.sees_all() {
            for run in &mut runs {
                run.feed = kind_of_feed(&run.feed);
            }
        }
        Ok(runs)
    }

    /// How far the engine has come.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn progress(&self) -> Read<Option<ProgressRow>> {
        self.reader.progress()
    }

    /// Who is told what.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn routes(&self) -> Read<RouteTable> {
        self.reader.routes()
    }

    /// How somebody wants to be told.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn wishes(&self, person: &str, now: Timestamp) -> Read<Wishes> {
        self.reader.wishes(person, now)
    }

    pub(super) fn lease(&self) -> Read<Option<LeaseRow>> {
        self.reader.lease()
    }

    pub(super) fn last_commit(&self) -> Read<Option<Timestamp>> {
        self.reader.last_commit()
    }

    pub(super) fn last_chore(&self, kind: &str) -> Read<Option<Chore>> {
        self.reader.last_chore(kind)
    }

    pub(super) fn last_skew(&self) -> Read<Option<Skew>> {
        self.reader.last_skew()
    }

    pub(super) fn last_taken(&self, lane: Lane) -> Read<Option<Timestamp>> {
        self.reader.last_taken(lane)
    }

    pub(super) fn pulses(&self) -> Read<Vec<Pulse>> {
        self.reader.pulses()
    }

    pub(super) fn restored(&self) -> Read<Option<Timestamp>> {
        self.reader.restored()
    }

    pub(super) fn totals(&self) -> Read<Totals> {
        self.reader.totals()
    }

    pub(super) fn lane_counts(&self) -> Read<Vec<LaneCounts>> {
        let hidden = self.hidden(Timestamp::from_ms(0))?;
        self.reader.lane_counts_without(&hidden.iter().filter_map(|row| row.notice).collect::<Vec<_>>())
    }

    pub(super) fn lane_states(&self) -> Read<Vec<LaneState>> {
        self.reader.lane_states()
    }

    pub(super) fn latencies(&self, since: Timestamp) -> Read<Vec<LatencyRow>> {
        self.reader.latencies(since)
    }

    pub(super) fn oldest_waiting(&self, now: Timestamp) -> Read<Vec<(String, Timestamp)>> {
        self.reader.oldest_waiting(now)
    }
}

/// What a book watches, holds or has a pin of.
fn traded(reader: &Reader, row: &BookRow) -> Read<HashSet<Symbol>> {
    let watched = reader.watchlist(row.book.name)?.1.into_iter().map(|item| item.symbol);
    let held = row.book.positions.iter().map(|held| held.symbol);
    Ok(watched.chain(held).chain(row.pinned_or_added()).collect())
}

fn kind_of_feed(words: &str) -> String {
    words.split_whitespace().next().unwrap_or_default().to_owned()
}
