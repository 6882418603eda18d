//! How is a result told? A table for people, one JSON document and two CSV files for programs.

use std::fmt::Write as _;

use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use crate::clock::Timestamp;
use crate::domain::{AmountError, Instrument, Price, Quantity, Side};
use crate::stats::{Bars, Grouping, Performance, PerformanceInput, TradeRecord, grouped, periods_per_year};

use super::{DeskRan, Ran};

/// A result, measured.
pub struct Report<'a> {
    /// What was run.
    pub ran: &'a Ran,
    /// The book.
    pub desk: &'a DeskRan,
    /// Its figures.
    pub figures: Performance,
    /// The zone that cuts its days.
    pub zone: Tz,
}

impl<'a> Report<'a> {
    /// Measures one book of a run.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn measure(ran: &'a Ran, desk: &'a DeskRan, instruments: &[Instrument], zone: Tz) -> Result<Self, AmountError> {
        let curve = desk.curve.points();
        let trades: Vec<TradeRecord<'_>> = desk.trips.iter().map(super::RoundTrip::record).collect();
        let figures = Performance::measure(&PerformanceInput {
            curve: &curve,
            trades: &trades,
            bars: Some(Bars { in_market: desk.bars_in_market, total: ran.bars }),
            periods_per_year: periods_per_year(instruments.iter().map(|item| item.class)),
            zone,
        })?;
        Ok(Self { ran, desk, figures, zone })
    }

    /// The figures as a table, one a line: name, value, basis.
    pub fn table(&self) -> String {
        let rows = self.figures.rows();
        let wide = |text: fn(&crate::stats::Row) -> &str| rows.iter().map(|row| text(row).chars().count()).max();
        let (name, value) = (wide(|row| row.label).unwrap_or(0), wide(|row| &row.text).unwrap_or(0));
        let mut text = String::new();
        for row in &rows {
            let _ = writeln!(text, "{:name$}  {:>value$}  {}", row.label, row.text, row.basis);
        }
        if !self.desk.refusals.is_empty() {
            let mut refused: Vec<_> = self.desk.refusals.iter().collect();
            refused.sort_by_key(|(check, count)| (std::cmp::Reverse(**count), *check));
            let refused: Vec<String> = refused.iter().map(|(check, count)| format!("{check} {count}")).collect();
            let _ = writeln!(text, "Refused by: {}", refused.join(", "));
        }
        text
    }

    /// One JSON document: what was run, the figures, and the trade figures by group. Amounts are numbers here.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn json(&self) -> Result<Value, AmountError> {
        let mut document = Map::new();
        let times = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let symbols: std::collections::BTreeSet<_> = self.desk.trips.iter().map(|trip| trip.trade.symbol).collect();
        document.insert("bars".to_owned(), json!(self.ran.bars));
        document.insert("cycles".to_owned(), json!(self.ran.cycles));
        document.insert("first_cycle".to_owned(), json!(times(self.ran.from)));
        document.insert("last_cycle".to_owned(), json!(times(self.ran.to)));
        document.insert("currency".to_owned(), json!(self.desk.book.currency));
        document.insert("capital".to_owned(), json!(self.desk.book.capital.to_f64()));
        document.insert("final_equity".to_owned(), json!(self.desk.equity.to_f64()));
        document.insert("orders".to_owned(), json!(self.desk.orders.len()));
        document.insert("fills".to_owned(), json!(self.desk.fills.len()));
        document.insert("signals".to_owned(), json!(self.desk.signals));
        document.insert("refusals".to_owned(), json!(self.desk.refusals));
        document.insert("traded_symbols".to_owned(), json!(symbols));
        document.extend(with_numbers(json!(self.figures)));
        document.insert("fees".to_owned(), json!(self.desk.book.fees.to_f64()));
        let trades: Vec<TradeRecord<'_>> = self.desk.trips.iter().map(super::RoundTrip::record).collect();
        let mut groups = Map::new();
        for grouping in Grouping::ALL {
            let rows = grouped(&trades, grouping, self.zone)?;
            let rows = rows.into_iter().map(|row| {
                let mut fields = with_numbers(json!(row));
                fields.insert("key".to_owned(), json!(row.key));
                Value::Object(fields)
            });
            groups.insert(grouping.to_string(), rows.collect());
        }
        document.insert("by".to_owned(), Value::Object(groups));
        Ok(Value::Object(document))
    }

    /// Closed trades, a row each; times are the labels of the bars.
    pub fn trades_csv(&self) -> String {
        let mut text = String::from(
            "symbol,side,entry_time,exit_time,units,entry_price,exit_price,fees,profit,strategy,exit_reason,carried,mae,mfe\n",
        );
        let mut trips: Vec<_> = self.desk.trips.iter().collect();
        trips.sort_by_key(|trip| (trip.entry_bar, trip.exit_bar, trip.trade.symbol));
        for trip in trips {
            let trade = &trip.trade;
            let side = if trade.side == Side::Sell { "short" } else { "long" };
            let (units, entry, exit): (Quantity, Price, Price) = (trade.quantity, trade.entry_price, trade.exit_price);
            let _ = writeln!(
                text,
                "{},{side},{},{},{units},{entry},{exit},{},{},{},{},{},{},{}",
                trade.symbol,
                trip.entry_bar,
                trip.exit_bar,
                trade.fees,
                trade.profit,
                trade.strategy,
                trade.reason.as_str(),
                trade.carried,
                trade.worst,
                trade.best
            );
        }
        text
    }

    /// The equity curve: every day's last value, and points between them.
    pub fn equity_csv(&self) -> String {
        let mut text = String::from("time,equity\n");
        for (at, equity) in self.desk.curve.points() {
            let _ = writeln!(text, "{at},{equity}");
        }
        text
    }
}

/// An object whose amounts, which are texts so that no digit is lost, become numbers.
fn with_numbers(value: Value) -> Map<String, Value> {
    let Value::Object(mut fields) = value else { return Map::new() };
    for field in fields.values_mut() {
        if let Some(number) = field.as_str().and_then(|text| text.parse::<f64>().ok()) {
            *field = json!(number);
        }
    }
    fields
}
