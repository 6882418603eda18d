//! What happened? Committed facts, named in the past tense.

use serde::{Deserialize, Serialize};

use super::{
    AlertId, Booking, CheckResult, EntryLock, HaltCause, Label, Lane, LiftReason, Money, NoticeId, Order, OrderId,
    Preview, Price, Proposal, Quantity, Ratio, ReduceCause, Refusal, Regime, SignalId, SignalIntent, Symbol, Trade,
    TradeFill, TradingState,
};
use crate::clock::Timestamp;

/// How loud an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Recorded, told when asked.
    Info,
    /// Told.
    Notice,
    /// Told, and marked.
    Warning,
    /// Told first, and never held back.
    Critical,
}

impl Severity {
    /// All, quietest first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Notice, Self::Warning, Self::Critical];

    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// A fact, when it happened in the market's time, and in which book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// In which book; none for what concerns the whole engine.
    pub book: Option<Label>,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Every kind of fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventKind {
    /// The bot began to trade.
    EngineStarted {
        /// What it trades on, such as `sim seed 1, 1m`.
        feed: String,
        /// How many symbols.
        symbols: usize,
        /// True if nothing will be submitted.
        dry_run: bool,
    },
    /// The bot was found dead at the next start and went on from its last commit.
    EngineRecovered {
        /// How long nothing ran, in seconds of the wall clock.
        down_s: i64,
        /// The last cycle that was committed.
        last_cycle: u64,
        /// Positions taken up again.
        positions: usize,
        /// Orders taken up again.
        orders: usize,
        /// Messages whose fate is unknown and which will be repeated with a mark.
        unknown_deliveries: usize,
    },
    /// The bot stopped as it was told to.
    EngineStopped {
        /// Cycles in this run.
        cycles: u64,
    },
    /// Recorded data came to their end.
    ReplayFinished {
        /// Cycles in all.
        cycles: u64,
        /// What the books are worth.
        equity: Money,
    },
    /// A strategy wanted something.
    SignalRaised {
        /// What.
        signal: SignalIntent,
    },
    /// Risk said no, with every reason.
    ProposalRefused {
        /// To what.
        proposal: Proposal,
        /// Why, all of it.
        refusals: Vec<Refusal>,
    },
    /// Risk said yes and the order went out.
    OrderSubmitted {
        /// The order.
        order: Order,
        /// Every check with its value and limit.
        checks: Vec<CheckResult>,
    },
    /// Risk said yes, but this is a dry run.
    OrderWithheld {
        /// The order.
        order: Order,
        /// Every check with its value and limit.
        checks: Vec<CheckResult>,
    },
    /// An order filled, wholly or in part.
    OrderFilled {
        /// The fill.
        fill: TradeFill,
        /// What is still open of the order.
        remaining: Quantity,
    },
    /// An order ended without filling wholly.
    OrderEnded {
        /// Which.
        order: OrderId,
        /// Of what.
        symbol: Symbol,
        /// How much did not fill.
        unfilled: Quantity,
        /// Why.
        why: String,
    },
    /// A position was opened.
    PositionOpened {
        /// The fill that opened it.
        fill: TradeFill,
        /// Who wanted it, and the rule in words.
        strategy: Label,
        /// The rule that fired, with its numbers.
        because: String,
        /// The stop, if one is in force.
        stop: Option<Price>,
        /// The target, if there is one.
        target: Option<Price>,
        /// True if the stop follows the price.
        trailing: bool,
        /// What is lost if the stop fills.
        risk: Money,
        /// All positions as a share of equity, after the fill.
        exposure: Ratio,
        /// The most that exposure may be.
        exposure_limit: Ratio,
        /// Cash after the fill.
        cash: Money,
        /// Equity after the fill.
        equity: Money,
    },
    /// An entry that filled in parts is at its end, whole or not.
    PositionScaled {
        /// Of what.
        symbol: Symbol,
        /// What is held now.
        quantity: Quantity,
        /// Average price of it.
        average: Price,
        /// The stop of all of it, if one is in force.
        #[serde(default)]
        stop: Option<Price>,
    },
    /// A position was left.
    PositionClosed {
        /// The round trip.
        trade: Trade,
        /// Profit of the book's day so far.
        day: Money,
        /// The same as a share of the equity at the day's start.
        day_share: Ratio,
        /// Equity now.
        equity: Money,
    },
    /// A stop was moved in the position's favour by a noteworthy step.
    StopMoved {
        /// Of what.
        symbol: Symbol,
        /// From.
        from: Price,
        /// To.
        to: Price,
        /// What is held; zero where that was not recorded.
        #[serde(default)]
        quantity: Quantity,
        /// Average price of it.
        #[serde(default)]
        average: Price,
    },
    /// A person set the levels of a position.
    LevelsSet {
        /// Of what.
        symbol: Symbol,
        /// Where a loss ends.
        stop: Price,
        /// Where a profit is taken, if anywhere.
        target: Option<Price>,
        /// How far the stop follows behind the best price; none if it stands still.
        trail: Option<Price>,
        /// Who.
        person: String,
    },
    /// A change of a person was taken back, and what had filled was booked back at the same prices and fees.
    ControlUndone {
        /// What it was, as it was typed.
        control: String,
        /// Who took it back.
        person: String,
        /// The bookings, whose fees are returned and therefore negative.
        bookings: Vec<TradeFill>,
    },
    /// A position has no working stop.
    PositionUnprotected {
        /// Of what.
        symbol: Symbol,
        /// How much.
        quantity: Quantity,
    },
    /// Trading stopped; stops and targets stay in force.
    TradingHalted {
        /// Why.
        #[serde(flatten)]
        cause: HaltCause,
        /// Entries that were cancelled.
        cancelled: usize,
        /// Positions whose stops stay.
        positions: usize,
    },
    /// Entries stopped; exits and stops work.
    TradingReduced {
        /// Why.
        #[serde(flatten)]
        cause: ReduceCause,
        /// Profit of the day.
        day: Money,
        /// When entries work again; none until somebody resumes.
        until: Option<Timestamp>,
    },
    /// Trading goes on.
    TradingResumed {
        /// From which state.
        from: TradingState,
        /// Who, or none where a new day did it.
        person: Option<String>,
    },
    /// The day's loss comes near its limit.
    DailyLossNear {
        /// Profit of the day.
        day: Money,
        /// The loss as a share of the equity at the day's start.
        loss: Ratio,
        /// How large it may be.
        limit: Ratio,
    },
    /// The fall from the highest equity comes near the stage at which entries stop.
    DrawdownNear {
        /// How far.
        drawdown: Ratio,
        /// At which fall entries stop.
        limit: Ratio,
    },
    /// A book keeps out of a symbol for a while.
    EntryLocked {
        /// Which, why and until when.
        lock: EntryLock,
    },
    /// A person let a book enter a symbol again.
    EntryUnlocked {
        /// Of what.
        symbol: Symbol,
        /// Who.
        person: String,
    },
    /// The time is over for which a person had a book keep out of a symbol.
    BlockEnded {
        /// Of what.
        symbol: Symbol,
        /// Who had blocked it.
        person: String,
    },
    /// Money moved without a fill.
    CarryBooked {
        /// How much, and for what.
        #[serde(flatten)]
        booking: Booking,
    },
    /// A perpetual position has used up its margin: it is closed.
    MarginCalled {
        /// Of what.
        symbol: Symbol,
        /// What is left of its margin.
        left: Money,
        /// What it asks for.
        required: Money,
    },
    /// A symbol's market changed its character.
    RegimeSwitched {
        /// Of what.
        symbol: Symbol,
        /// From; none for the first.
        from: Option<Regime>,
        /// To.
        to: Regime,
        /// Who may enter now, and at which share of the usual size.
        strategies: Vec<(Label, Ratio)>,
    },
    /// An entry signal's price after some bars, measured whether it was traded or not.
    SignalMeasured {
        /// The signal.
        signal: SignalId,
        /// By whom.
        strategy: Label,
        /// Of what.
        symbol: Symbol,
        /// Bars after it.
        bars: u64,
        /// What the price moved in the signal's direction, as a share.
        outcome: Ratio,
    },
    /// A book that was stopped holds nothing any more.
    BookStopped {
        /// What it is worth.
        equity: Money,
        /// Result since it began, after fees.
        profit: Money,
    },
    /// A book began anew with its capital.
    BookReset {
        /// What it was worth.
        equity: Money,
        /// What it starts with.
        capital: Money,
        /// Who.
        person: String,
    },
    /// The configuration was changed while running.
    ConfigChanged {
        /// Each difference in words.
        changes: Vec<String>,
    },
    /// A person changed a setting over the file.
    SettingChanged {
        /// Each difference in words.
        changes: Vec<String>,
        /// Who.
        person: String,
        /// When it ends by itself.
        until: Option<Timestamp>,
    },
    /// What a person had set over the file holds no more.
    SettingEnded {
        /// As it was typed.
        what: String,
        /// Each difference in words.
        changes: Vec<String>,
        /// Who had set it.
        person: String,
        /// Why it cannot hold any more; none where its time is over.
        why: Option<String>,
    },
    /// A changed configuration was refused; the old one stays.
    ConfigRefused {
        /// Why.
        error: String,
    },
    /// A strategy could not be run, twice.
    StrategyFailed {
        /// Which.
        strategy: Label,
        /// On what.
        symbol: Symbol,
        /// Why.
        error: String,
    },
    /// A list of symbols was drawn up by rule.
    ScreenerRan {
        /// How many were looked at.
        looked: usize,
        /// Who was chosen, best first, with the score from 0 to 100.
        chosen: Vec<(Symbol, Ratio)>,
        /// How many stay as they were, because too few days are known to measure them.
        unmeasured: usize,
    },
    /// The day's decisions were made again from the recorded prices and compared.
    DayAudited {
        /// The day, as `2026-11-20`.
        day: String,
        /// Cycles made again.
        cycles: u64,
        /// Orders that were the same.
        orders: u64,
        /// Fills that were the same.
        fills: u64,
        /// What was not the same; empty is the proof.
        differences: Vec<String>,
    },
    /// A book's day ended.
    DayClosed {
        /// The day, as `2026-11-20`.
        day: String,
        /// Profit of it.
        profit: Money,
        /// Equity at its end.
        equity: Money,
        /// Trades that ended in it.
        trades: u32,
    },
    /// Prices stopped coming.
    FeedStale {
        /// Of what.
        symbol: Symbol,
        /// The end of the last bar.
        since: Timestamp,
    },
    /// Prices came back.
    FeedRecovered {
        /// Of what.
        symbol: Symbol,
        /// When they had stopped.
        since: Timestamp,
        /// How many bars are missing.
        bars_missing: u64,
    },
    /// A price moved so far that it may be wrong: nothing trades on it until somebody says what it is.
    SymbolLocked {
        /// Of what.
        symbol: Symbol,
        /// The price before.
        before: Price,
        /// The price after.
        after: Price,
        /// What is held.
        quantity: Quantity,
    },
    /// A lock was lifted.
    SymbolUnlocked {
        /// Of what.
        symbol: Symbol,
        /// Why.
        #[serde(flatten)]
        reason: LiftReason,
    },
    /// Shares were divided, and the book with them.
    SplitApplied {
        /// Of what.
        symbol: Symbol,
        /// New shares per old.
        ratio: Ratio,
        /// What is held now.
        quantity: Quantity,
    },
    /// The machine's clock was set.
    ClockJumped {
        /// By how many seconds; negative is back.
        by_s: i64,
    },
    /// The store could not be written, and can again.
    StoreRecovered {
        /// What it had said.
        error: String,
        /// For how many seconds.
        down_s: i64,
    },
    /// The nightly copy was made and verified.
    BackupMade {
        /// Its file.
        file: String,
        /// Its size.
        bytes: u64,
    },
    /// The nightly copy failed.
    BackupFailed {
        /// Why.
        error: String,
    },
    /// Profit or loss of a position passed a threshold.
    PositionPassed {
        /// Of what.
        symbol: Symbol,
        /// Profit if it were closed at the last price, before fees of that.
        profit: Money,
        /// The same as a share of what the position cost.
        share: Ratio,
        /// The threshold as a share; negative for a loss.
        level: Ratio,
    },
    /// Profit or loss of a book's day passed a threshold.
    DayPassed {
        /// Profit of the day.
        profit: Money,
        /// The same as a share of the equity at the day's start.
        share: Ratio,
        /// The threshold as a share; negative for a loss.
        level: Ratio,
    },
    /// Something that a person asked to be told of has come true.
    AlertFired {
        /// Its number.
        alert: AlertId,
        /// Whose it is.
        person: String,
        /// What was asked for, as it was typed: `AAPL > 200`.
        condition: String,
        /// What it is now.
        value: String,
        /// True if it will fire again when it comes true anew.
        repeats: bool,
    },
    /// The engine fell behind the market, so that it decided late.
    CyclesMissed {
        /// How many cycles were late.
        cycles: u64,
        /// By how many seconds at the most.
        late_s: i64,
    },
    /// A part of the bot is ill.
    HealthDegraded {
        /// Which.
        part: String,
        /// What is wrong.
        why: String,
    },
    /// A part of the bot is well again.
    HealthRestored {
        /// Which.
        part: String,
        /// For how many seconds it was not.
        down_s: i64,
    },
    /// Nothing reaches somebody on one channel.
    LaneDied {
        /// Which way.
        lane: Lane,
        /// What it says.
        why: String,
        /// Messages that wait for it.
        waiting: u64,
    },
    /// Somebody is reached again on one channel.
    LaneRecovered {
        /// Which way.
        lane: Lane,
        /// For how many seconds it was dead.
        down_s: i64,
        /// Messages that waited and come now.
        waiting: u64,
    },
    /// A message was given up.
    DeliveryDied {
        /// Which.
        notice: NoticeId,
        /// On which way.
        lane: Lane,
        /// Why.
        why: String,
    },
    /// Most of the money that short messages may cost in a day is spent, or all of it, or what answers to one phone may cost.
    SmsBudgetNear {
        /// What the day has cost.
        spent: Money,
        /// What it may cost.
        per_day: Money,
        /// The phone that got as many answers as it may for now, where only its part is spent.
        #[serde(default)]
        silent: Option<Lane>,
    },
    /// Another program reads the same bot's messages.
    CopyRunning {
        /// On which channel.
        channel: String,
    },
    /// People who are not known write to the bot.
    StrangersKnocked {
        /// On which channel.
        channel: String,
        /// How many messages.
        messages: u64,
        /// By how many people.
        people: u64,
        /// How many of them were codes for pairing that are not valid.
        #[serde(default)]
        codes: u64,
    },
    /// A person was bound to a chat by a code.
    PersonPaired {
        /// Who.
        person: String,
        /// On which channel.
        channel: String,
        /// The account, as the channel calls it.
        account: String,
    },
    /// A test message was asked for.
    DrillSent {
        /// By whom.
        person: String,
    },
    /// What a person proves who they are by was changed on the machine.
    FactorChanged {
        /// Whose.
        person: String,
        /// What, in words.
        what: String,
    },
    /// Somebody was made to enter a PIN: everything halted, and what was shown was not done. Never told to that person.
    DuressPin {
        /// Who.
        person: String,
    },
    /// That somebody was made to enter a PIN did not arrive. Never told to that person.
    DuressUntold {
        /// Who.
        person: String,
        /// Which message says so.
        notice: NoticeId,
        /// On which way.
        lane: Lane,
        /// Why.
        why: String,
    },
    /// A change that was confirmed waited too long to be carried out.
    ControlLapsed {
        /// Who asked.
        person: String,
        /// What, as it is typed.
        change: String,
    },
    /// A change waits for a second person.
    ApprovalAsked {
        /// Its row.
        control: i64,
        /// Who wants it.
        person: String,
        /// What, as it is typed.
        change: String,
        /// What it was shown to do.
        preview: Box<Preview>,
        /// In which books; all where it is none.
        books: Option<Vec<Label>>,
        /// Until when, on the wall clock.
        until: Timestamp,
    },
    /// A change waits no more for a second person.
    ApprovalEnded {
        /// Its row.
        control: i64,
        /// Who wanted it.
        person: String,
        /// What, as it is typed.
        change: String,
        /// In which books; all where it is none.
        books: Option<Vec<Label>>,
        /// Who ended it.
        by: String,
        /// True if it is done now.
        agreed: bool,
    },
    /// The PIN was wrong too often.
    PinLocked {
        /// Whose.
        person: String,
        /// Until when, on the wall clock.
        until: Timestamp,
    },
}
