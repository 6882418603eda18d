//! Which changes are there?

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::{BookAction, Label, Money, OrderId, Price, Quantity, Ratio, Setting, Side, Symbol, Trace};

use super::Tier;

/// A change to the running system. It only names the change; nothing happens by making one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "control", rename_all = "snake_case")]
pub enum Control {
    /// Stop: no strategy order goes out. The safe direction, so it needs no PIN.
    Halt,
    /// Let everything work again.
    Resume,
    /// No entries; exits and stops go on.
    Pause {
        /// Until then, in the market's time; until somebody resumes where it is none.
        #[serde(default)]
        until: Option<Timestamp>,
    },
    /// Leave positions.
    Close {
        /// Which.
        what: Positions,
        /// How much of each.
        part: Part,
    },
    /// Take an order back.
    Cancel {
        /// Which.
        order: OrderId,
    },
    /// Take back every order that enters or leaves.
    CancelAll,
    /// Change an order that waits.
    Modify {
        /// Which.
        order: OrderId,
        /// Its limit or trigger then.
        #[serde(default)]
        price: Option<Price>,
        /// How much it is for then, in all.
        #[serde(default)]
        quantity: Option<Quantity>,
    },
    /// Buy or sell: enters, or leaves what is held on the other side.
    Trade {
        /// To which side.
        side: Side,
        /// What.
        symbol: Symbol,
        /// How much.
        amount: Amount,
        /// The worst acceptable price; at the market where it is none.
        #[serde(default)]
        limit: Option<Price>,
    },
    /// Set the level that ends a loss.
    Stop {
        /// Of what.
        symbol: Symbol,
        /// Where.
        level: Level,
    },
    /// Set the level that takes a profit, or none.
    Target {
        /// Of what.
        symbol: Symbol,
        /// Where; nowhere where it is none.
        #[serde(default)]
        level: Option<Level>,
    },
    /// Let the stop follow the price.
    Trail {
        /// Of what.
        symbol: Symbol,
        /// How far behind.
        distance: Level,
    },
    /// Give every position a stop that is no farther than this, or than its book's usual.
    SetStops {
        /// As a share of the price.
        #[serde(default)]
        distance: Option<Ratio>,
    },
    /// Give positions a target: those without one the book's usual, or all of them one this far away.
    SetTargets {
        /// As a share of the price.
        #[serde(default)]
        distance: Option<Ratio>,
    },
    /// Change a setting over the file.
    Set {
        /// Which, and to what.
        setting: Setting,
        /// Until then, in the market's time; for as long as nobody takes it back where it is none.
        #[serde(default)]
        until: Option<Timestamp>,
    },
    /// Keep out of a symbol.
    Block {
        /// Which.
        symbol: Symbol,
        /// Until then, in the market's time.
        until: Timestamp,
    },
    /// Believe a symbol's price after an overnight move, and let books enter it that keep out of it.
    Unlock {
        /// The symbol.
        symbol: Symbol,
    },
    /// Start, pause, stop or reset a book.
    Book {
        /// What to do.
        action: BookAction,
        /// With which; none for the only one.
        book: Option<Label>,
    },
    /// Read the file again.
    Reload,
    /// Take a change back.
    Undo {
        /// Its row among the controls.
        of: i64,
        /// What it was, as it was typed.
        what: String,
        /// What it did.
        traces: Vec<Trace>,
    },
}

/// Which positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Positions {
    /// All of one symbol.
    Of(Symbol),
    /// Those that lose now.
    Losers,
    /// Those that win now.
    Winners,
    /// Everything.
    All,
}

/// How much of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// A share of it, above 0 and at most 1.
    Share(Ratio),
    /// So many units.
    Units(Quantity),
}

/// How much is bought or sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// So many units.
    Units(Quantity),
    /// For so much money.
    Money(Money),
    /// For such a share of equity.
    Equity(Ratio),
    /// As much as the book's own rule would take.
    Usual,
}

/// Where a level lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// At this price, or this far away in money where a distance is asked for.
    Price(Price),
    /// This share of the price away.
    Away(Ratio),
}

impl Control {
    /// How much it can do. What can loosen anything, whatever it was before, is at least [`Tier::Trade`].
    pub const fn tier(&self) -> Tier {
        match self {
            Self::Halt => Tier::Safe,
            Self::Pause { .. } | Self::Block { .. } => Tier::Light,
            Self::Book { action: BookAction::Stop | BookAction::Reset, .. } => Tier::Grave,
            Self::Resume
            | Self::Close { .. }
            | Self::Cancel { .. }
            | Self::CancelAll
            | Self::Modify { .. }
            | Self::Trade { .. }
            | Self::Stop { .. }
            | Self::Target { .. }
            | Self::Trail { .. }
            | Self::SetStops { .. }
            | Self::SetTargets { .. }
            | Self::Set { .. }
            | Self::Unlock { .. }
            | Self::Reload
            | Self::Undo { .. }
            | Self::Book { .. } => Tier::Trade,
        }
    }

    /// True for what makes things safer and therefore needs no PIN.
    pub const fn is_safe(&self) -> bool {
        matches!(self, Self::Halt)
    }
}

impl fmt::Display for Positions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(symbol) => symbol.fmt(f),
            Self::Losers => f.write_str("losers"),
            Self::Winners => f.write_str("winners"),
            Self::All => f.write_str("all"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) if *share == Ratio::ONE => Ok(()),
            Self::Share(share) => write!(f, " {}%", percents(*share)),
            Self::Units(units) => write!(f, " {units}"),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Units(units) => write!(f, " {units}"),
            Self::Money(money) => write!(f, " ${money}"),
            Self::Equity(share) => write!(f, " {}%", percents(*share)),
            Self::Usual => Ok(()),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Price(price) => price.fmt(f),
            Self::Away(share) => write!(f, "{}%", percents(*share)),
        }
    }
}

fn percents(share: Ratio) -> Ratio {
    share.scaled(100, 1).unwrap_or(Ratio::MAX)
}

/// The end of a timed change, as it is typed.
struct Until(Option<Timestamp>);

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |until| write!(f, " until {}", until.utc().format("%Y-%m-%d %H:%M UTC")))
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Halt => f.write_str("/halt"),
            Self::Resume => f.write_str("/resume"),
            Self::Pause { until } => write!(f, "/pause{}", Until(*until)),
            Self::Close { what, part } => write!(f, "/close {what}{part}"),
            Self::Cancel { order } => write!(f, "/cancel {order}"),
            Self::CancelAll => f.write_str("/cancelall"),
            Self::Modify { order, price, quantity } => {
                write!(f, "/modify {order}")?;
                price.map_or(Ok(()), |price| write!(f, " price={price}"))?;
                quantity.map_or(Ok(()), |quantity| write!(f, " quantity={quantity}"))
            }
            Self::Trade { side, symbol, amount, limit } => {
                write!(f, "/{side} {symbol}{amount}")?;
                limit.map_or(Ok(()), |limit| write!(f, " limit {limit}"))
            }
            Self::Stop { symbol, level } => write!(f, "/sl {symbol} {level}"),
            Self::Target { symbol, level: None } => write!(f, "/tp {symbol} off"),
            Self::Target { symbol, level: Some(level) } => write!(f, "/tp {symbol} {level}"),
            Self::Trail { symbol, distance } => write!(f, "/trail {symbol} {distance}"),
            Self::SetStops { distance } => write!(f, "/setstops{}", Distance(*distance)),
            Self::SetTargets { distance } => write!(f, "/taketargets{}", Distance(*distance)),
            Self::Set { setting, until } => write!(f, "{setting}{}", Until(*until)),
            Self::Block { symbol, until } => write!(f, "/block {symbol}{}", Until(Some(*until))),
            Self::Unlock { symbol } => write!(f, "/unlock {symbol}"),
            Self::Book { action, book: None } => write!(f, "/book {}", action.as_str()),
            Self::Book { action, book: Some(book) } => write!(f, "/book {} {book}", action.as_str()),
            Self::Reload => f.write_str("/reload"),
            Self::Undo { what, .. } => write!(f, "/undo: {what}"),
        }
    }
}

struct Distance(Option<Ratio>);

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |share| write!(f, " {}%", percents(share)))
    }
}

/// A change as it is stored: with the books that it may reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What.
    #[serde(flatten)]
    pub control: Control,
    /// In which books; all where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub books: Option<Vec<Label>>,
}

impl Change {
    /// Whether it may reach this book.
    pub fn reaches(&self, book: Label) -> bool {
        self.books.as_ref().is_none_or(|books| books.contains(&book))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.control.fmt(f)?;
        let Some(books) = &self.books else { return Ok(()) };
        let names: Vec<&str> = books.iter().map(Label::as_str).collect();
        write!(f, ", of {} alone", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both directions of a control have the tier of the one that loosens.
    #[test]
    fn only_what_can_do_nothing_but_tighten_is_light() {
        let at = Timestamp::from_ms(1);
        let (symbol, strategy) = ("AAPL".parse().expect("a symbol"), "rsi".parse().expect("a name"));
        let set = |setting| Control::Set { setting, until: Some(at) };
        for (control, tier) in [
            (Control::Pause { until: Some(at) }, Tier::Light),
            (Control::Block { symbol, until: at }, Tier::Light),
            (Control::Resume, Tier::Trade),
            (Control::Unlock { symbol }, Tier::Trade),
            (Control::Book { action: BookAction::Start, book: None }, Tier::Trade),
            (Control::Undo { of: 1, what: "/pause".to_owned(), traces: Vec::new() }, Tier::Trade),
            (Control::Reload, Tier::Trade),
            (set(Setting::Risk { share: Ratio::ONE }), Tier::Trade),
            (set(Setting::Limit { name: "daily_loss_pct".to_owned(), value: None }), Tier::Trade),
            (set(Setting::Enabled { strategy, enabled: true }), Tier::Trade),
        ] {
            assert_eq!(control.tier(), tier, "{control}");
        }
    }
}
