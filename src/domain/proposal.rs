//! What is put before risk, and what does risk answer?

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    AuditId, ExitPlan, Label, Money, OrderKind, Price, Purpose, Quantity, Side, SignalId, Symbol, TimeInForce,
};
use crate::clock::Timestamp;

/// A sized order that risk has not seen yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// For which book.
    pub book: Label,
    /// By which strategy.
    pub strategy: Label,
    /// The signal it came from; none for protective orders.
    pub signal: Option<SignalId>,
    /// Of what.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// How much; positive.
    pub quantity: Quantity,
    /// How.
    pub kind: OrderKind,
    /// What for.
    pub purpose: Purpose,
    /// The last price when it was sized.
    pub reference: Price,
    /// What is lost if the planned stop fills, in the book's currency.
    pub risk: Money,
    /// How the position will be left; entries only.
    pub plan: Option<ExitPlan>,
    /// How long the order may wait.
    #[serde(default)]
    pub tif: TimeInForce,
    /// When the order ends unfilled; only for orders of the day.
    #[serde(default)]
    pub expires: Option<Timestamp>,
    /// The rule behind it, in words.
    pub because: String,
    /// The row of the audit in which a person wanted it; none where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditId>,
}

/// One check's verdict, with what it measured against what it allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's name.
    pub check: Cow<'static, str>,
    /// True if the proposal may pass.
    pub passed: bool,
    /// What was measured, with its unit.
    pub value: Cow<'static, str>,
    /// What is allowed, with its unit.
    pub limit: Cow<'static, str>,
}

impl CheckResult {
    /// What is allowed, as it is told beside what was measured: `at most 80.0 %`, `limit 40 %`, `wanted running`.
    pub fn wanted(&self) -> Cow<'_, str> {
        let limit = &*self.limit;
        match limit.find(|letter: char| letter.is_ascii_digit()) {
            Some(0) => Cow::Owned(format!("limit {limit}")),
            Some(_) => Cow::Borrowed(limit),
            None => Cow::Owned(format!("wanted {limit}")),
        }
    }
}

/// A check that said no.
pub type Refusal = CheckResult;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_told_as_what_is_wanted() {
        for (limit, told) in
            [("at most 80.0 %", "at most 80.0 %"), ("running", "wanted running"), ("40 %", "limit 40 %")]
        {
            let (check, value) = (Cow::Borrowed("a check"), Cow::Borrowed("halted"));
            assert_eq!(CheckResult { check, passed: false, value, limit: limit.into() }.wanted(), told);
        }
    }
}
