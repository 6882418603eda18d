//! What does a person want to be told of? A condition on a price, an indicator or a profit, and what became of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::format::grouped;
use super::{AlertId, Label, Ratio, Symbol, Timeframe};
use crate::clock::Timestamp;

/// Alerts that one person may have waiting.
pub const ALERTS_MAX: usize = 100;

/// An indicator that alerts know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudyKind {
    /// Mean of the last closes.
    Sma,
    /// Exponential mean of closes.
    Ema,
    /// Relative strength index, 0 to 100.
    Rsi,
    /// Average true range.
    Atr,
    /// Average directional index, 0 to 100.
    Adx,
    /// Change of the close in percent.
    Roc,
}

impl StudyKind {
    /// All, in the order of lists.
    pub const ALL: [Self; 6] = [Self::Sma, Self::Ema, Self::Rsi, Self::Atr, Self::Adx, Self::Roc];

    /// As it is typed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sma => "sma",
            Self::Ema => "ema",
            Self::Rsi => "rsi",
            Self::Atr => "atr",
            Self::Adx => "adx",
            Self::Roc => "roc",
        }
    }

    /// Over how many bars, where nobody says.
    pub const fn usual(self) -> u32 {
        match self {
            Self::Sma | Self::Ema => 20,
            Self::Rsi | Self::Atr | Self::Adx => 14,
            Self::Roc => 10,
        }
    }

    /// True for a figure in units of the price, which a split divides.
    pub const fn is_price(self) -> bool {
        matches!(self, Self::Sma | Self::Ema | Self::Atr)
    }

    /// True if closes are all it looks at.
    pub const fn reads_closes(self) -> bool {
        matches!(self, Self::Sma | Self::Ema | Self::Rsi | Self::Roc)
    }
}

/// An indicator over a number of bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Study {
    /// Which.
    pub kind: StudyKind,
    /// Over how many bars, 1 to 500.
    pub bars: u32,
}

impl Study {
    /// The most bars that an alert may ask for.
    pub const BARS_MAX: u32 = 500;

    /// How many bars it needs for its first figure.
    pub const fn warm_up(self) -> u32 {
        match self.kind {
            StudyKind::Sma | StudyKind::Ema | StudyKind::Atr => self.bars,
            StudyKind::Rsi | StudyKind::Roc => self.bars + 1,
            StudyKind::Adx => 2 * self.bars,
        }
    }
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum AlertSubject {
    /// A symbol's last close.
    Price {
        /// Which.
        symbol: Symbol,
    },
    /// An indicator of a symbol.
    Study {
        /// Of what.
        symbol: Symbol,
        /// Which.
        #[serde(flatten)]
        study: Study,
        /// On which bars; none for the finest there are.
        timeframe: Option<Timeframe>,
    },
    /// Open profit of a position, before the fees of leaving.
    PositionProfit {
        /// In which book; none for all that hold it, together.
        book: Option<Label>,
        /// Of what.
        symbol: Symbol,
    },
    /// Profit of the day so far, as an amount.
    DayProfit {
        /// Of which book; none for all together.
        book: Option<Label>,
    },
    /// Profit of the day so far, as a share of the equity at its start.
    DayShare {
        /// Of which book; none for all together.
        book: Option<Label>,
    },
}

impl AlertSubject {
    /// The symbol that it is about, if it is about one.
    pub const fn symbol(&self) -> Option<Symbol> {
        match self {
            Self::Price { symbol } | Self::Study { symbol, .. } | Self::PositionProfit { symbol, .. } => Some(*symbol),
            Self::DayProfit { .. } | Self::DayShare { .. } => None,
        }
    }

    /// The book that it names.
    pub const fn book(&self) -> Option<Label> {
        match self {
            Self::PositionProfit { book, .. } | Self::DayProfit { book } | Self::DayShare { book } => *book,
            Self::Price { .. } | Self::Study { .. } => None,
        }
    }

    /// True for a figure in units of the price, which a split divides.
    pub const fn is_price(&self) -> bool {
        match self {
            Self::Price { .. } => true,
            Self::Study { study, .. } => study.kind.is_price(),
            _ => false,
        }
    }
}

/// On which side of the level it comes true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Above it.
    Above,
    /// At it or above.
    AtLeast,
    /// Below it.
    Below,
    /// At it or below.
    AtMost,
}

impl Comparison {
    /// All.
    pub const ALL: [Self; 4] = [Self::Above, Self::AtLeast, Self::Below, Self::AtMost];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }

    /// Whether a value stands to a level as asked.
    pub fn holds<T: PartialOrd>(self, value: &T, level: &T) -> bool {
        match self {
            Self::Above => value > level,
            Self::AtLeast => value >= level,
            Self::Below => value < level,
            Self::AtMost => value <= level,
        }
    }
}

/// What must be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// What is looked at.
    pub subject: AlertSubject,
    /// How it must stand to the level.
    pub comparison: Comparison,
    /// The level in the unit of its subject: a price, an amount, a share (0.02 for two percent), or an indicator's figure.
    pub level: Ratio,
}

/// Words that stand for something else before a comparison: a symbol of that name is written `DAY price`.
pub(super) const RESERVED: [&str; 2] = ["PNL", "DAY"];

impl fmt::Display for Condition {
    /// In the words that read back as the same condition.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(book) = self.subject.book() {
            write!(f, "book {book} ")?;
        }
        match &self.subject {
            AlertSubject::Price { symbol } if RESERVED.contains(&symbol.as_str()) => write!(f, "{symbol} price")?,
            AlertSubject::Price { symbol } => write!(f, "{symbol}")?,
            AlertSubject::Study { symbol, study, timeframe } => {
                write!(f, "{symbol} {} {}", study.kind.as_str(), study.bars)?;
                if let Some(timeframe) = timeframe {
                    write!(f, " {timeframe}")?;
                }
            }
            AlertSubject::PositionProfit { symbol, .. } => write!(f, "{symbol} pnl")?,
            AlertSubject::DayProfit { .. } => f.write_str("pnl")?,
            AlertSubject::DayShare { .. } => f.write_str("day")?,
        }
        let comparison = self.comparison.as_str();
        match self.subject {
            AlertSubject::DayShare { .. } => write!(f, " {comparison} {}%", grouped(&self.level.percent().to_string())),
            _ => write!(f, " {comparison} {}", grouped(&self.level.to_string())),
        }
    }
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Nobody has looked yet: it fires at the first look if its condition is true already.
    New,
    /// It was not so when last looked: it fires when it comes true.
    Armed,
    /// It has fired and will again, once its condition was not true for at least one bar.
    Resting,
    /// It has fired for the only time.
    Fired,
    /// Its time is over.
    Expired,
    /// Its person took it back.
    Deleted,
}

impl AlertState {
    /// All.
    pub const ALL: [Self; 6] = [Self::New, Self::Armed, Self::Resting, Self::Fired, Self::Expired, Self::Deleted];

    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Armed => "armed",
            Self::Resting => "resting",
            Self::Fired => "fired",
            Self::Expired => "expired",
            Self::Deleted => "deleted",
        }
    }

    /// True while it may still fire.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::New | Self::Armed | Self::Resting)
    }
}

impl std::str::FromStr for AlertState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|state| state.as_str() == text);
        known.ok_or_else(|| format!("\"{}\" is no state of an alert", text.escape_debug()))
    }
}

/// Something that a person asked to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its number.
    pub id: AlertId,
    /// Whose it is.
    pub person: String,
    /// What must be so.
    pub condition: Condition,
    /// True if it fires again when it comes true anew.
    pub repeats: bool,
    /// When it is over, in the market's time; none for never.
    pub expires: Option<Timestamp>,
    /// Where it stands.
    pub state: AlertState,
    /// How often it has fired.
    pub fired: u64,
    /// When it last fired, in the market's time.
    pub fired_at: Option<Timestamp>,
}

impl Alert {
    /// Takes what was just seen; true if it fires now.
    pub fn look(&mut self, is_true: bool, now: Timestamp) -> bool {
        let fires = is_true && matches!(self.state, AlertState::New | AlertState::Armed);
        if fires {
            self.fired += 1;
            self.fired_at = Some(now);
            self.state = if self.repeats { AlertState::Resting } else { AlertState::Fired };
        } else if !is_true && matches!(self.state, AlertState::New | AlertState::Resting) {
            self.state = AlertState::Armed;
        }
        fires
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fires_when_it_comes_true_and_rests_until_it_was_not() {
        let condition = "AAPL > 200".parse().expect("a condition");
        let fires = |repeats, seen: &[bool]| {
            let (id, person) = (AlertId(1), "ana".to_owned());
            let (state, expires, fired, fired_at) = (AlertState::New, None, 0, None);
            let mut alert = Alert { id, person, condition, repeats, expires, state, fired, fired_at };
            let now = Timestamp::from_ms(1);
            (seen.iter().map(|seen| alert.look(*seen, now)).collect::<Vec<_>>(), alert.state, alert.fired)
        };
        let (yes, no) = (true, false);
        assert_eq!(fires(no, &[no, yes, no, yes]), (vec![no, yes, no, no], AlertState::Fired, 1));
        assert_eq!(fires(no, &[yes, no, yes]), (vec![yes, no, no], AlertState::Fired, 1));
        assert_eq!(fires(yes, &[yes, yes, no, no, yes]), (vec![yes, no, no, no, yes], AlertState::Resting, 2));
        assert_eq!(fires(yes, &[no]), (vec![no], AlertState::Armed, 0));
    }
}
