//! How is a result told to programs? As one JSON document. Amounts are numbers here, times are texts, shares are fractions.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::clock::Timestamp;
use crate::domain::AmountError;
use crate::portfolio::Shortfall;
use crate::stats::{Grouping, TradeRecord, grouped};

use super::{Report, Score, Step, WalkForward};

impl Report<'_> {
    /// One document: what was run, the figures, the trade figures by group, and what else was asked for.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn json(&self) -> Result<Value, AmountError> {
        let mut document = self.what_was_run();
        document.extend(with_numbers(json!(self.figures)));
        document.insert("settings".to_owned(), self.settings_json());
        document.insert("fees".to_owned(), json!(self.desk.book.fees.to_f64()));
        document.insert("by".to_owned(), self.groups()?);
        document.insert("costs".to_owned(), self.costs());
        if let Some(benchmark) = &self.benchmark {
            document.insert("benchmark".to_owned(), json!(benchmark));
        }
        if let Some(walk) = &self.walk_forward {
            document.insert("walk_forward".to_owned(), walked(walk));
        }
        if let Some(monte_carlo) = &self.monte_carlo {
            document.insert("monte_carlo".to_owned(), json!(monte_carlo));
        }
        if !self.checks.is_empty() {
            document.insert("checks".to_owned(), json!(self.checks));
        }
        document.insert("notes".to_owned(), json!(self.notes));
        Ok(Value::Object(document))
    }

    fn what_was_run(&self) -> Map<String, Value> {
        let times = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let symbols: BTreeSet<_> = self.desk.trips.iter().map(|trip| trip.trade.symbol).collect();
        let fields = json!({
            "book": self.desk.name(),
            "bars": self.desk.bars,
            "cycles": self.ran.cycles,
            "first_cycle": times(self.ran.from),
            "last_cycle": times(self.ran.to),
            "currency": self.desk.book.currency,
            "capital": self.desk.book.capital.to_f64(),
            "final_equity": self.desk.equity.to_f64(),
            "orders": self.desk.orders.len(),
            "fills": self.desk.fills.len(),
            "signals": self.desk.signals,
            "refusals": self.desk.refusals,
            "traded_symbols": symbols,
        });
        match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }

    /// Implementation shortfall in sum and by strategy, in money and in basis points of the paper value.
    fn costs(&self) -> Value {
        let strategies: Option<Map<String, Value>> =
            self.desk.costs.as_ref().map(|costs| {
                costs.iter().map(|(strategy, one)| (strategy.to_string(), json!(cost(one).ok()))).collect()
            });
        json!({ "sum": self.cost().and_then(|sum| cost(&sum).ok()), "by_strategy": strategies })
    }

    fn groups(&self) -> Result<Value, AmountError> {
        let trades: Vec<TradeRecord<'_>> = self.desk.trips.iter().map(super::RoundTrip::record).collect();
        let mut groups = Map::new();
        for grouping in Grouping::ALL {
            let rows = grouped(&trades, grouping, self.zone())?;
            let rows = rows.into_iter().map(|row| {
                let mut fields = with_numbers(json!(row));
                fields.insert("key".to_owned(), json!(row.key));
                Value::Object(fields)
            });
            groups.insert(grouping.to_string(), rows.collect());
        }
        Ok(Value::Object(groups))
    }
}

fn cost(cost: &Shortfall) -> Result<Value, AmountError> {
    let realised = cost.realised()?;
    Ok(json!({
        "paper": cost.paper.to_f64(),
        "expected": cost.expected.to_f64(),
        "drift": cost.drift.to_f64(),
        "slippage": cost.slippage.to_f64(),
        "fees": cost.fees.to_f64(),
        "opportunity": cost.opportunity.to_f64(),
        "realised": realised.to_f64(),
        "expected_bps": cost.in_bps(cost.expected)?.to_f64(),
        "realised_bps": cost.in_bps(realised)?.to_f64(),
    }))
}

fn walked(walk: &WalkForward) -> Value {
    let windows: Vec<Value> = walk.steps.iter().map(step).collect();
    json!({
        "train": walk.plan.train.to_string(),
        "test": walk.plan.test.to_string(),
        "combinations": walk.sets,
        "min_trades": walk.trades_min,
        "windows": windows,
        "efficiency_return": walk.return_efficiency(),
        "efficiency_sharpe": walk.sharpe_efficiency(),
    })
}

/// A window. `chosen` is null where nothing was traded, and empty where there was nothing to choose.
fn step(step: &Step) -> Value {
    let score = |score: Option<Score>| score.map(|score| json!(score));
    let chosen = step.chosen.as_ref().map(|set| {
        let values = set.iter().map(|(key, value)| (key.clone(), json!(value.to_f64())));
        Value::Object(values.collect())
    });
    json!({
        "train_from": step.window.train_from.to_string(),
        "test_from": step.window.test_from.to_string(),
        "test_to": step.window.test_to.to_string(),
        "chosen": chosen,
        "train_result": score(step.train),
        "test_result": score(Some(step.test)),
    })
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
