//! Where did the profit come from? The trade figures once more, for each day, week, month, symbol, strategy, exit or side.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono_tz::Tz;
use serde::Serialize;

use crate::domain::{AmountError, Trade};

use super::days::day_of;
use super::{TradeFigures, TradeRecord};

/// What trades have in common in one group. Days, weeks and months are those of the closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// The day, as `2024-01-08`.
    Day,
    /// The ISO week from Monday, as `2024-W02`.
    Week,
    /// The month, as `2024-01`.
    Month,
    /// The symbol.
    Symbol,
    /// The strategy.
    Strategy,
    /// Why it ended.
    ExitReason,
    /// The side of the entry, as `buy` or `sell`.
    Side,
}

impl Grouping {
    /// All, in the order of menus.
    pub const ALL: [Self; 7] =
        [Self::Day, Self::Week, Self::Month, Self::Symbol, Self::Strategy, Self::ExitReason, Self::Side];

    /// As it is typed and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Symbol => "symbol",
            Self::Strategy => "strategy",
            Self::ExitReason => "exit",
            Self::Side => "side",
        }
    }

    /// The group of a trade.
    fn key(self, trade: &Trade, zone: Tz) -> String {
        let closed = || day_of(trade.closed, zone);
        match self {
            Self::Day => closed().format("%Y-%m-%d").to_string(),
            Self::Week => closed().format("%G-W%V").to_string(),
            Self::Month => closed().format("%Y-%m").to_string(),
            Self::Symbol => trade.symbol.to_string(),
            Self::Strategy => trade.strategy.to_string(),
            Self::ExitReason => trade.reason.as_str().to_owned(),
            Self::Side => trade.side.to_string(),
        }
    }
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Grouping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|grouping| grouping.as_str() == text).ok_or_else(|| {
            format!("unknown grouping \"{}\": use {}", text.escape_debug(), Self::ALL.map(Self::as_str).join(", "))
        })
    }
}

/// One group and its figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// What its trades have in common.
    pub key: String,
    /// Their figures.
    #[serde(flatten)]
    pub figures: TradeFigures,
}

/// The figures of each group, sorted by key. Days are cut in `zone`.
///
/// # Errors
/// When a sum of money does not fit.
pub fn grouped(records: &[TradeRecord<'_>], grouping: Grouping, zone: Tz) -> Result<Vec<Group>, AmountError> {
    let mut groups: BTreeMap<String, Vec<TradeRecord<'_>>> = BTreeMap::new();
    for record in records {
        groups.entry(grouping.key(record.trade, zone)).or_default().push(*record);
    }
    groups.into_iter().map(|(key, members)| Ok(Group { key, figures: TradeFigures::of(&members)? })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::{ExitReason, Money, Side};
    use crate::stats::trades::tests::trade;

    fn closed(time: &str, cents: i64) -> Trade {
        let closed = Timestamp::from(time.parse::<chrono::DateTime<chrono::Utc>>().unwrap());
        Trade { closed, ..trade(1, cents) }
    }

    fn keys(trades: &[Trade], grouping: Grouping, zone: Tz) -> Vec<(String, Money)> {
        let records: Vec<_> = trades.iter().map(TradeRecord::from).collect();
        let groups = grouped(&records, grouping, zone).unwrap();
        groups.into_iter().map(|group| (group.key, group.figures.net_profit)).collect()
    }

    #[test]
    fn a_trade_belongs_to_the_day_of_its_closing_in_the_zone() {
        // 02:00Z on a Monday is Sunday evening in New York: another day, another week.
        let trades = [closed("2024-01-08T02:00:00Z", 300), closed("2024-01-08T20:00:00Z", -100)];
        let pair = |key: &str, whole| (key.to_owned(), Money::whole(whole));
        let new_york = chrono_tz::America::New_York;
        assert_eq!(keys(&trades, Grouping::Day, Tz::UTC), [pair("2024-01-08", 2)]);
        assert_eq!(keys(&trades, Grouping::Day, new_york), [pair("2024-01-07", 3), pair("2024-01-08", -1)]);
        assert_eq!(keys(&trades, Grouping::Week, new_york), [pair("2024-W01", 3), pair("2024-W02", -1)]);
        assert_eq!(keys(&trades, Grouping::Month, new_york), [pair("2024-01", 2)]);
        // The last Monday of 2024 belongs to the first ISO week of 2025.
        assert_eq!(keys(&[closed("2024-12-30T12:00:00Z", 100)], Grouping::Week, Tz::UTC), [pair("2025-W01", 1)]);
    }

    #[test]
    fn every_grouping_keeps_every_trade_and_can_be_typed() {
        let mut trades = vec![trade(1, 100), trade(2, 200), trade(3, -50)];
        trades[1].reason = ExitReason::Stop;
        trades[2].side = Side::Sell;
        for grouping in Grouping::ALL {
            let total: i64 = keys(&trades, grouping, Tz::UTC).iter().map(|(_, profit)| profit.units()).sum();
            assert_eq!(total, 250_000_000, "{grouping}");
            assert_eq!(grouping.to_string().parse(), Ok(grouping));
            assert_eq!(keys(&[], grouping, Tz::UTC), []);
        }
        assert_eq!(keys(&trades, Grouping::ExitReason, Tz::UTC).len(), 2);
        assert!("colour".parse::<Grouping>().is_err());
    }
}
