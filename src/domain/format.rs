//! How is a figure written? One way each, so that all texts agree.

use chrono_tz::Tz;

use super::{Money, Price, Quantity, Ratio};
use crate::clock::Timestamp;

/// A plain decimal with commas between thousands: `12345.6` becomes `12,345.6`.
pub fn grouped(plain: &str) -> String {
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |rest| ("-", rest));
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let mut text = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(part) = part {
        text.push('.');
        text.push_str(part);
    }
    text
}

/// An amount without its currency: `7,751.02`.
pub fn money(amount: Money) -> String {
    grouped(&format!("{amount:.2}"))
}

/// A result without its currency: `+79.56`.
pub fn signed(amount: Money) -> String {
    let text = money(amount);
    if text.starts_with('-') || amount.is_zero() { text } else { format!("+{text}") }
}

/// What holding brought or cost, to be appended where there is any: ` · carried -3.20`.
pub fn carried(amount: Money) -> String {
    if amount.is_zero() { String::new() } else { format!(" · carried {}", signed(amount)) }
}

/// A share: `24.1 %`.
pub fn percent(share: Ratio) -> String {
    format!("{:.1} %", share.percent())
}

/// A change as a share: `+0.4 %`.
pub fn signed_percent(share: Ratio) -> String {
    let text = percent(share);
    if text.starts_with('-') || text == "0.0 %" { text } else { format!("+{text}") }
}

/// A price: two decimals, four below ten.
pub fn price(price: Price) -> String {
    if price.abs() < Price::whole(10) { format!("{price:.4}") } else { grouped(&format!("{price:.2}")) }
}

/// A quantity, as exact as it is.
pub fn quantity(quantity: Quantity) -> String {
    grouped(&quantity.to_string())
}

/// An instant with its zone: `2024-01-08 10:31 EST`.
pub fn time(at: Timestamp, zone: Tz) -> String {
    at.utc().with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string()
}

/// A stretch of time in its two largest units: `4 d 2 h`.
pub fn age(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// When something was measured, and how old that is where it is not of now: `as of 2024-01-08 10:31 EST (4 min old)`.
pub fn as_of(at: Timestamp, now: Timestamp, zone: Tz) -> String {
    let old = now.since(at);
    let old = if old > 0 { format!(" ({} old)", age(old)) } else { String::new() };
    format!("as of {}{old}", time(at, zone))
}

/// A count with its noun: `1 position`, `3 positions`.
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// True for what has no look of its own and may change the look of other text.
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{fffe}'..='\u{ffff}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_one_way() {
        assert_eq!(money(Money::whole(1_234_567)), "1,234,567.00");
        assert_eq!(money(Money::whole(-999)), "-999.00");
        assert_eq!(signed(Money::whole(5)), "+5.00");
        assert_eq!(signed_percent(Ratio::from_bps(-3)), "-0.0 %".replace("-0.0", "0.0"));
        assert_eq!(price("1.2345678".parse().expect("price")), "1.2346");
        assert_eq!(price("45123.4".parse().expect("price")), "45,123.40");
        assert_eq!(age(93_600_000), "1 d 2 h");
        assert_eq!(time(Timestamp::from_ms(1_704_724_260_000), chrono_tz::America::New_York), "2024-01-08 09:31 EST");
    }
}
