//! How does a person want figures written? All texts are written in one way by `format`; this rewrites them for who reads them.

use std::borrow::Cow;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Block, Line, Message, Span};

/// How numbers, dates and hours are written for a person. The default is the way in which all texts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Style {
    /// Numbers.
    pub numbers: NumberStyle,
    /// Dates.
    pub dates: DateStyle,
    /// Times of the day.
    pub hours: HourStyle,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum NumberStyle {
    /// `1,234.56`
    #[default]
    #[serde(rename = "1,234.56")]
    Comma,
    /// `1.234,56`
    #[serde(rename = "1.234,56")]
    Dot,
    /// `1 234,56`, with a space that lines do not break at.
    #[serde(rename = "1 234,56")]
    Space,
}

/// How a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DateStyle {
    /// `2026-11-21`
    #[default]
    #[serde(rename = "2026-11-21")]
    Iso,
    /// `21.11.2026`
    #[serde(rename = "21.11.2026")]
    DayFirst,
    /// `11/21/2026`
    #[serde(rename = "11/21/2026")]
    MonthFirst,
}

/// How many hours a clock counts before it begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum HourStyle {
    /// `15:30`
    #[default]
    #[serde(rename = "24")]
    Day,
    /// `3:30 pm`
    #[serde(rename = "12")]
    Half,
}

impl NumberStyle {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Comma => "1,234.56",
            Self::Dot => "1.234,56",
            Self::Space => "1 234,56",
        }
    }
}

impl DateStyle {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Iso => "2026-11-21",
            Self::DayFirst => "21.11.2026",
            Self::MonthFirst => "11/21/2026",
        }
    }
}

impl HourStyle {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24",
            Self::Half => "12",
        }
    }
}

impl FromStr for NumberStyle {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "1,234.56" => Ok(Self::Comma),
            "1.234,56" => Ok(Self::Dot),
            "1 234,56" => Ok(Self::Space),
            _ => Err(format!("\"{}\" is no way to write numbers: use 1,234.56 or 1.234,56 or 1 234,56", shown(text))),
        }
    }
}

impl FromStr for DateStyle {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "2026-11-21" => Ok(Self::Iso),
            "21.11.2026" => Ok(Self::DayFirst),
            "11/21/2026" => Ok(Self::MonthFirst),
            _ => Err(format!("\"{}\" is no way to write dates: use 2026-11-21, 21.11.2026 or 11/21/2026", shown(text))),
        }
    }
}

impl FromStr for HourStyle {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "24" => Ok(Self::Day),
            "12" => Ok(Self::Half),
            _ => Err(format!("\"{}\" is no way to write hours: use 24 or 12", shown(text))),
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(24).flat_map(char::escape_debug).collect()
}

/// What ends the arguments of a command that is named in a text.
const COMMAND_ENDS: &[&str] = &[" · ", ", ", "; ", ". ", ": ", ")", "\"", "\n"];

impl Style {
    /// Our own text, with its numbers, dates and times written in this style. Commands and their arguments, symbols, versions and the
    /// numbers of orders stay as they are. The default style gives the text back as it is.
    pub fn apply(self, text: &str) -> Cow<'_, str> {
        if self == Self::default() || !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len() + 8);
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let Some(first) = rest.chars().next() else { break };
            let begins = begins_here(&text[..at]);
            let taken = match first {
                '/' if begins => command_len(rest),
                '0'..='9' if begins => Some(self.figure(rest, &mut out)),
                _ => None,
            };
            match taken {
                Some(Taken::Written(len)) => at += len,
                Some(Taken::Kept(len)) => {
                    out.push_str(&rest[..len]);
                    at += len;
                }
                None => {
                    out.push(first);
                    at += first.len_utf8();
                }
            }
        }
        Cow::Owned(out)
    }

    /// A date, a time or a number at the beginning of `rest`, written to `out`; kept as it is where it is none of them.
    fn figure(self, rest: &str, out: &mut String) -> Taken {
        if let Some((year, month, day)) = date(rest) {
            match self.dates {
                DateStyle::Iso => out.push_str(&rest[..DATE_LEN]),
                DateStyle::DayFirst => out.extend([day, ".", month, ".", year]),
                DateStyle::MonthFirst => out.extend([month, "/", day, "/", year]),
            }
            return Taken::Written(DATE_LEN);
        }
        if let Some(len) = time_len(rest) {
            match self.hours {
                HourStyle::Day => out.push_str(&rest[..len]),
                HourStyle::Half => out.push_str(&halved(&rest[..len])),
            }
            return Taken::Written(len);
        }
        let run = rest.bytes().take_while(|byte| byte.is_ascii_digit() || b".,".contains(byte)).count();
        let number = rest[..run].trim_end_matches(['.', ',']);
        let after = &rest[number.len()..];
        // As in a leverage of `0.53x`.
        let after = after.strip_prefix('x').unwrap_or(after);
        if !is_number(number) || !ends_before(after) {
            return Taken::Kept(run.max(1));
        }
        let (group, point) = match self.numbers {
            NumberStyle::Comma => (',', '.'),
            NumberStyle::Dot => ('.', ','),
            NumberStyle::Space => ('\u{a0}', ','),
        };
        out.extend(number.chars().map(|letter| match letter {
            ',' => group,
            '.' => point,
            digit => digit,
        }));
        Taken::Written(number.len())
    }
}

/// What was done with a piece of text.
enum Taken {
    /// That many bytes are written already.
    Written(usize),
    /// That many bytes stay as they are.
    Kept(usize),
}

/// As in `2026-11-21`.
const DATE_LEN: usize = 10;

/// Whether a figure may begin after this text: behind a space, a bracket or a sign, not inside a name.
fn begins_here(before: &str) -> bool {
    let before = before.strip_suffix(['+', '-', '~']).unwrap_or(before);
    before.chars().next_back().is_none_or(|last| !last.is_alphanumeric() && !"_-./,:#$@+~".contains(last))
}

/// Whether a figure may end before this text.
fn ends_before(after: &str) -> bool {
    let mut rest = after.chars();
    match rest.next() {
        None => true,
        // A full stop, comma or colon that ends a clause.
        Some('.' | ',' | ':') => rest.next().is_none_or(|next| !next.is_alphanumeric()),
        Some(next) => !next.is_alphanumeric() && !"_-/@".contains(next),
    }
}

/// How long a command with its arguments is, if `rest` begins with one.
fn command_len(rest: &str) -> Option<Taken> {
    rest[1..].starts_with(|first: char| first.is_ascii_lowercase()).then(|| {
        let ends = COMMAND_ENDS.iter().filter_map(|end| rest.find(end));
        Taken::Kept(ends.min().unwrap_or(rest.len()))
    })
}

fn date(rest: &str) -> Option<(&str, &str, &str)> {
    let text = rest.get(..DATE_LEN)?;
    let shaped = text.bytes().enumerate().all(|(place, byte)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let (year, month, day) = (text.get(..4)?, text.get(5..7)?, text.get(8..)?);
    let real = shaped && ("01"..="12").contains(&month) && ("01"..="31").contains(&day);
    (real && ends_before(&rest[DATE_LEN..])).then_some((year, month, day))
}

/// The length of `15:30` or `15:30:07` at the beginning.
fn time_len(rest: &str) -> Option<usize> {
    let pair = |from: usize, below: &str| {
        let digits = rest.get(from..from + 2)?;
        (digits.bytes().all(|byte| byte.is_ascii_digit()) && digits < below).then_some(())
    };
    let colon = |at: usize| rest.as_bytes().get(at) == Some(&b':');
    pair(0, "24")?;
    pair(3, "60").filter(|()| colon(2))?;
    let len = if colon(5) && pair(6, "60").is_some() { 8 } else { 5 };
    ends_before(&rest[len..]).then_some(len)
}

/// `15:30:07` as `3:30:07 pm`.
fn halved(time: &str) -> String {
    let hour: u32 = time[..2].parse().unwrap_or_default();
    let half = if hour < 12 { "am" } else { "pm" };
    let hour = if hour.is_multiple_of(12) { 12 } else { hour % 12 };
    format!("{hour}{} {half}", &time[2..])
}

/// True for `1,234`, `0.5` and `1,234.56`; what has neither comma nor point is the same in every style.
fn is_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let grouped = whole.contains(',');
    digits(first)
        && (!grouped || first.len() <= 3)
        && groups.all(|group| group.len() == 3 && digits(group))
        && part.is_none_or(digits)
}

impl Message {
    /// The same for a reader of this style: our own words are rewritten; code, quotes and the text of strangers are not.
    #[must_use]
    pub fn styled(mut self, style: Style) -> Self {
        if style != Style::default() {
            self.blocks.iter_mut().for_each(|block| restyle(block, style));
        }
        self
    }
}

fn restyle(block: &mut Block, style: Style) {
    match block {
        Block::Title(line) | Block::Line(line) => restyle_line(line, style),
        Block::Fields(fields) => fields.iter_mut().for_each(|(_, value)| restyle_line(value, style)),
        Block::Table { rows, .. } => rows.iter_mut().flatten().for_each(|cell| rewrite(cell, style)),
        Block::Code(_) | Block::Quote(_) => {}
    }
}

fn restyle_line(line: &mut Line, style: Style) {
    for span in &mut line.0 {
        match span {
            Span::Text(text) | Span::Strong(text) => rewrite(text, style),
            Span::Code(_) | Span::Untrusted(_) => {}
        }
    }
}

fn rewrite(text: &mut String, style: Style) {
    if let Cow::Owned(new) = style.apply(text) {
        *text = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn german() -> Style {
        Style { numbers: NumberStyle::Dot, dates: DateStyle::DayFirst, hours: HourStyle::Day }
    }

    fn american() -> Style {
        Style { numbers: NumberStyle::Comma, dates: DateStyle::MonthFirst, hours: HourStyle::Half }
    }

    fn french() -> Style {
        Style { numbers: NumberStyle::Space, ..Style::default() }
    }

    #[test]
    fn figures_are_written_for_who_reads_them() {
        for (text, german_text, american_text) in [
            ("Bought 1,200 AAPL at 1,234.56 · paper", "Bought 1.200 AAPL at 1.234,56 · paper", ""),
            ("+79.56 (+3.5 %), then -1,000.00.", "+79,56 (+3,5 %), then -1.000,00.", ""),
            ("on 2026-11-21: 3 trades", "on 21.11.2026: 3 trades", "on 11/21/2026: 3 trades"),
            ("until 2026-11-21 00:05 EST", "until 21.11.2026 00:05 EST", "until 11/21/2026 12:05 am EST"),
            ("(10:02:11 to 15:30:00)", "", "(10:02:11 am to 3:30:00 pm)"),
            ("noon is 12:00", "", "noon is 12:00 pm"),
            ("1,234,567.00000001 of 0.5", "1.234.567,00000001 of 0,5", ""),
            ("split 2.5 for 1", "split 2,5 for 1", ""),
            ("leverage 0.53x, limit 1.00x", "leverage 0,53x, limit 1,00x", ""),
        ] {
            let or_same = |want: &'static str| if want.is_empty() { text } else { want };
            assert_eq!(german().apply(text), or_same(german_text));
            assert_eq!(american().apply(text), or_same(american_text));
        }
        assert_eq!(french().apply("1,234.56 and 7"), "1\u{a0}234,56 and 7");
    }

    #[test]
    fn names_versions_and_commands_stay() {
        for text in [
            "BRK.B 0700.HK BTC-USD1.5 X1.5 1.5X",
            "version 1.2.3, v1.25 and 10.0.0.1:80",
            "/trailing AAPL 2.5 · /why T1,234",
            "O17 N1.5 #1.5 $1.50",
            "1,23 and 12,3456 and 1234,567 and 1.2,3",
            "2026-13-01 and 2026-11-32 and bars-2026-11-21.db and 2026-11-21T10",
            "24:00 and 9:30 and 10:60 and 10:30x",
            "1e5 3.5e9 5.5-6.5",
        ] {
            assert_eq!(german().apply(text), text);
            assert_eq!(american().apply(text), text);
        }
        assert_eq!(german().apply("see /trailing AAPL 2.5, it is 2.5 now"), "see /trailing AAPL 2.5, it is 2,5 now");
    }

    #[test]
    fn only_our_own_words_are_rewritten() {
        let spans = [Span::Text("1.5 ".to_owned()), Span::Code("1.5".to_owned()), Span::Untrusted("1.5".to_owned())];
        let blocks =
            vec![Block::Line(Line(spans.to_vec())), Block::Quote("1.5".to_owned()), Block::Code("1.5".to_owned())];
        let message = Message { blocks, ..Message::default() };
        assert_eq!(message.clone().styled(Style::default()), message);
        assert_eq!(message.styled(german()).plain_lines(), ["1,5 1.51.5", "1.5", "1.5"]);
    }

    #[test]
    fn styles_are_read_as_they_look() {
        assert_eq!("1 234,56".parse(), Ok(NumberStyle::Space));
        assert_eq!("21.11.2026".parse(), Ok(DateStyle::DayFirst));
        assert_eq!("12".parse(), Ok(HourStyle::Half));
        assert!("1'234.56".parse::<NumberStyle>().is_err_and(|error| error.contains("use 1,234.56")));
        let style = german();
        let text = serde_json::to_string(&style).expect("writes");
        assert_eq!(text, r#"{"numbers":"1.234,56","dates":"21.11.2026","hours":"24"}"#);
        assert_eq!(serde_json::from_str::<Style>(&text).expect("reads"), style);
    }
}
