//! What do we talk about? The nouns of trading, without I/O: every other module speaks in these.
#![deny(clippy::float_arithmetic)]

mod money;
mod names;
mod instrument;
mod bar;
mod run;
mod snapshot;
mod signal;
mod timetable;
mod proposal;
mod preview;
mod preview_words;
mod setting;
mod undo;
mod routine;
mod order;
mod fill;
mod book;
mod event;
mod event_kind;
mod incident;
mod lock;
mod regime;
mod booking;
mod figures;
mod screening;
mod lane;
mod likeness;
mod treatment;
mod kinds;
mod route;
mod story;
mod message;
mod alert;
mod alert_words;
mod style;
pub mod when;
mod quiet;
mod preference;
mod about;
pub mod format;

pub use about::About;
pub use alert::{ALERTS_MAX, Alert, AlertState, AlertSubject, Comparison, Condition, Study, StudyKind};
pub use alert_words::{AlertError, AlertRequest};
pub use bar::{Bar, BarFault, Timeframe};
pub use book::{BY_HAND, Book, BookAction, Holding, Position, Protection, Trade, TradingState};
pub use booking::{Booking, BookingKind};
pub use event::{Event, EventKind, Severity};
pub use figures::{
    BenchmarkFigures, CorrelationFigures, GroupFigures, LimitFigures, LimitUnit, RiskFigures, Sides, StressFigures,
    SymbolFigures, TailFigures, TailLoss,
};
pub use fill::{FillLeg, TradeFill};
pub use incident::{ExitReason, HaltCause, LiftReason, ReduceCause};
pub use instrument::{AssetClass, Instrument};
pub use kinds::{KINDS, Kind, kind_named};
pub use lane::{ChannelKind, Lane};
pub use likeness::did_you_mean;
pub use lock::{EntryLock, LockCause};
pub use message::{
    ALONE, ASKS_PIN, Attachment, AttachmentKind, Block, Button, INTERACTION, LEAVES_PIN, Line, Message, Span,
};
pub use money::{AmountError, Money, Price, Quantity, Ratio, UNITS};
pub use names::{
    AlertId, AuditId, ChangeId, CycleId, FillId, Label, NameError, NoticeId, OrderId, RunId, SignalId, Symbol, TradeId,
};
pub use order::{ExitPlan, Order, OrderAction, OrderKind, OrderStatus, Purpose, Side, TimeInForce, TransitionError};
pub use preference::{Preference, Preferences};
pub use preview::{
    BookEffect, LimitAfter, Moves, Note, PlannedCancel, PlannedLevels, PlannedOrder, Preview, TOLERANCE_PERCENT,
};
pub use preview_words::preview_words;
pub use proposal::{CheckResult, Proposal, Refusal};
pub use quiet::{Quiet, next_at, time_of_day};
pub use regime::Regime;
pub use route::{ALWAYS_BY_SMS, LaneRule, Leg, Route, RouteFault, RouteTable, Routes};
pub use routine::schedule_of;
pub use run::{Mode, RunContext};
pub use screening::{Manual, ScreenFilter, ScreenRow, ScreenVerdict, Screening};
pub use setting::{AT_BARS, ChangeEnd, ChangeLine, ChangeRow, NewStrategy, Setting};
pub use signal::{Input, SignalAction, SignalIntent};
pub use snapshot::{Dividend, MarketSnapshot, SnapshotBar, Split};
pub use story::{Story, StoryPart};
pub use style::{DateStyle, HourStyle, NumberStyle, Style};
pub use timetable::TimetableRow;
pub use treatment::{DIGEST, Treatment};
pub use undo::{Did, Levels, Sent, Standing, Terms, Trace};
