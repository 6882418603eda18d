//! What do short messages cost, and how much of that a day? `[sms]`.

use crate::domain::{Money, Ratio};

use super::value::{Read, Value, check_keys, mistake, number, table_of};

/// The most that a segment, and a day, may cost.
const COST_MAX: i64 = 1_000;

/// What short messages cost, in the currency that the service charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmsSettings {
    /// One segment. Services tell what it was only afterwards.
    pub per_segment: Money,
    /// The most that a day may cost, in UTC.
    pub per_day: Money,
}

impl Default for SmsSettings {
    fn default() -> Self {
        // A cent a segment, a dollar a day.
        Self { per_segment: Money::from_units(1_000_000), per_day: Money::whole(1) }
    }
}

/// Reads `[sms]`.
pub(super) fn read(value: &Value<'_>) -> Read<SmsSettings> {
    let table = table_of(value, "sms is written as [sms]")?;
    check_keys(table, "sms")?;
    let mut settings = SmsSettings::default();
    if let Some(value) = table.get("per_segment") {
        settings.per_segment = cost(value)?;
    }
    if let Some(value) = table.get("per_day") {
        settings.per_day = cost(value)?;
    }
    Ok(settings)
}

fn cost(value: &Value<'_>) -> Read<Money> {
    let amount = number(value)?;
    if amount <= Ratio::ZERO || amount > Ratio::whole(COST_MAX) {
        return mistake(
            value.span().start,
            format!("{amount} is no cost: use a number above 0, {COST_MAX} at the most"),
        );
    }
    Ok(Money::from_units(amount.units()))
}
