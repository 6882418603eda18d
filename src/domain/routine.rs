//! How often is something done? `every 15m`, `hourly`, `daily 09:30` and the five fields of cron, as one schedule.

use super::AT_BARS;
use super::when::minutes;

/// Minutes that an hour can be cut into, and hours that a day can.
const PARTS_OF_HOUR: [u32; 11] = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30];
const PARTS_OF_DAY: [u32; 7] = [1, 2, 3, 4, 6, 8, 12];
/// What to type.
const HOW: &str =
    "say bars, every 15m, every 2h, hourly, daily 09:30, weekdays 09:30, or five fields such as 0 9 * * 1-5";

/// The schedule that these words mean: five fields, a name such as `@daily`, or [`AT_BARS`].
///
/// # Errors
/// In words when they mean none. Whether five fields ever come true is not looked at.
pub fn schedule_of(words: &[&str]) -> Result<String, String> {
    let lower: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let at = |time: &str, days: &str| {
        let minutes = minutes(time).filter(|minutes| *minutes < 24 * 60);
        let minutes = minutes.ok_or_else(|| format!("\"{}\" is no time of day: {HOW}", time.escape_debug()))?;
        Ok(format!("{} {} * * {days}", minutes % 60, minutes / 60))
    };
    match lower[..] {
        ["bars"] => Ok(AT_BARS.to_owned()),
        ["hourly"] | ["every", "hour"] => Ok("0 * * * *".to_owned()),
        ["daily"] | ["every", "day"] => at("0:00", "*"),
        ["daily", time] | ["every", "day", time] => at(time, "*"),
        ["weekdays", time] => at(time, "1-5"),
        ["every", every] => often(every),
        ["every", number, unit] => often(&format!("{number}{unit}")),
        [name] if name.starts_with('@') => Ok(name.to_owned()),
        [_, _, _, _, _] => Ok(words.join(" ")),
        _ => Err(format!("\"{}\" is no schedule: {HOW}", words.join(" ").escape_debug())),
    }
}

/// `15m` or `2h`.
fn often(text: &str) -> Result<String, String> {
    let fault = || format!("\"every {}\" cuts neither an hour nor a day into equal parts: {HOW}", text.escape_debug());
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let number: u32 = digits.parse().map_err(|_| fault())?;
    match &text[digits.len()..] {
        "m" | "min" | "minutes" if PARTS_OF_HOUR.contains(&number) => Ok(format!("*/{number} * * * *")),
        "h" | "hours" if PARTS_OF_DAY.contains(&number) => Ok(format!("0 */{number} * * *")),
        _ => Err(fault()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_schedules() {
        for (words, want) in [
            ("bars", "bars"),
            ("hourly", "0 * * * *"),
            ("daily", "0 0 * * *"),
            ("Daily 9:30", "30 9 * * *"),
            ("daily 4pm", "0 16 * * *"),
            ("weekdays 09:05", "5 9 * * 1-5"),
            ("every 15m", "*/15 * * * *"),
            ("every 15 min", "*/15 * * * *"),
            ("every 2h", "0 */2 * * *"),
            ("@weekly", "@weekly"),
            ("0 9 * * MON", "0 9 * * MON"),
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            assert_eq!(schedule_of(&words).as_deref(), Ok(want), "{words:?}");
        }
        for (words, want) in [
            ("every 7m", "\"every 7m\" cuts neither an hour nor a day into equal parts"),
            ("every 99999999999m", "cuts neither"),
            ("every \u{663}m", "cuts neither"),
            ("daily noon", "\"noon\" is no time of day"),
            ("daily 24:00", "is no time of day"),
            ("often", "\"often\" is no schedule: say bars, every 15m"),
            ("0 9 * *", "is no schedule"),
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            let error = schedule_of(&words).expect_err("refused");
            assert!(error.contains(want) && error.contains("daily 09:30"), "{error}");
        }
    }
}
