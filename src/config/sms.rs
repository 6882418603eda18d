//! What do short messages cost, and how much of that a day? `[sms]`.

use crate::domain::{Money, Ratio};

use super::value::{Read, Value, check_keys, mistake, number, table_of};

/// The most that a segment, and a day, may cost.
const COST_MAX: i64 = 1_000;

/// A day pays so many segments at the least: five are kept for what may not go unsaid.
const SEGMENTS_MIN: i64 = 6;

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
    let least = settings.per_segment.units().saturating_mul(SEGMENTS_MIN);
    if settings.per_day.units() < least {
        let (day, segment, least) = (settings.per_day, settings.per_segment, Money::from_units(least));
        return mistake(
            table.get("per_day").or_else(|| table.get("per_segment")).map_or(0, |value| value.span().start),
            format!(
                "per_day {day} is too little where a segment costs {segment}: five segments are kept for the loss limit and for trading that \
                 stops, so nothing else would ever be sent; use {least} or more"
            ),
        );
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

#[cfg(test)]
mod tests {
    use crate::config::read;

    #[test]
    fn a_day_that_would_send_nothing_is_refused() {
        let day = |text: &str| read(&format!("[sms]\n{text}"), None).map(|config| config.sms.per_day.to_string());
        assert_eq!(day("per_segment = 0.04\nper_day = 0.24").ok().as_deref(), Some("0.24"));
        for few in ["per_segment = 0.04\nper_day = 0.23", "per_day = 0.05", "per_segment = 0.5"] {
            let error = day(few).expect_err("too little").to_string();
            assert!(error.contains("five segments are kept") && error.contains("or more"), "{error}");
        }
    }
}
