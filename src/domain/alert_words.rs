//! How does a person say what to be told of? `AAPL > 200 repeat`, read word by word and written back the same way.

use std::fmt;
use std::str::FromStr;

use super::{AlertSubject, Comparison, Condition, Label, NameError, Ratio, Study, StudyKind, Symbol, Timeframe};

/// A condition or a request that means nothing; in words for whoever typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AlertError(String);

impl From<NameError> for AlertError {
    fn from(error: NameError) -> Self {
        Self(error.to_string())
    }
}

fn wrong<T>(what: impl Into<String>) -> Result<T, AlertError> {
    Err(AlertError(what.into()))
}

/// A word as it may be shown again: short, and nothing in it that moves the cursor.
fn shown(word: &str) -> String {
    word.chars().take(24).flat_map(char::escape_debug).collect()
}

/// What somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertRequest {
    /// What must be so.
    pub condition: Condition,
    /// True if it fires again when it comes true anew.
    pub repeats: bool,
}

impl fmt::Display for AlertRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let often = if self.repeats { "repeat" } else { "once" };
        write!(f, "{} {often}", self.condition)
    }
}

impl FromStr for AlertRequest {
    type Err = AlertError;

    fn from_str(text: &str) -> Result<Self, AlertError> {
        let words = words_of(text);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (condition, rest) = condition(&words)?;
        let often = match rest {
            [] => "once".to_owned(),
            [often, ..] => often.to_ascii_lowercase(),
        };
        match (often.as_str(), rest) {
            ("once" | "repeat" | "repeats", [] | [_]) => Ok(Self { condition, repeats: often != "once" }),
            ("once" | "repeat" | "repeats", [_, word, ..]) | (_, [word, ..]) => {
                let word = shown(word);
                wrong(format!("\"{word}\" means nothing here: use once or repeat, for 2d or until 2026-12-01"))
            }
            (_, []) => wrong("use once or repeat"),
        }
    }
}

impl FromStr for Condition {
    type Err = AlertError;

    fn from_str(text: &str) -> Result<Self, AlertError> {
        let words = words_of(text);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match condition(&words)? {
            (condition, []) => Ok(condition),
            (_, [more, ..]) => wrong(format!("\"{}\" is too much", shown(more))),
        }
    }
}

impl Condition {
    /// The same, where what was read as a symbol is the name of one of these books and no symbol: `main pnl < -300`.
    #[must_use]
    pub fn in_books(self, books: &[Label], is_symbol: impl Fn(Symbol) -> bool) -> Self {
        let AlertSubject::PositionProfit { book: None, symbol } = self.subject else { return self };
        let book = books.iter().find(|book| book.as_str().eq_ignore_ascii_case(symbol.as_str()));
        match book {
            Some(book) if !is_symbol(symbol) => Self { subject: AlertSubject::DayProfit { book: Some(*book) }, ..self },
            _ => self,
        }
    }
}

/// Words, with comparisons and percent signs apart from what they touch.
fn words_of(text: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(text.len() + 8);
    let mut last = ' ';
    for letter in text.chars() {
        let letter = if letter == '\u{2212}' { '-' } else { letter };
        let is_sign = |letter| matches!(letter, '<' | '>' | '=' | '≤' | '≥');
        if is_sign(letter) != is_sign(last) || letter == '%' {
            spaced.push(' ');
        }
        spaced.push(letter);
        last = letter;
    }
    spaced.split_whitespace().map(str::to_owned).collect()
}

fn comparison(word: &str) -> Option<Comparison> {
    match word.to_ascii_lowercase().as_str() {
        ">" | "above" | "over" => Some(Comparison::Above),
        ">=" | "=>" | "≥" => Some(Comparison::AtLeast),
        "<" | "below" | "under" => Some(Comparison::Below),
        "<=" | "=<" | "≤" => Some(Comparison::AtMost),
        _ => None,
    }
}

/// A condition at the beginning of `words`, and what comes after it.
fn condition<'a, 'b>(words: &'a [&'b str]) -> Result<(Condition, &'a [&'b str]), AlertError> {
    let compares = |(place, word): (usize, &&str)| Some((place, comparison(word)?));
    // A sign is always one; a word may be the name of a symbol.
    let sign = words.iter().position(|word| word.starts_with(['<', '>', '=', '≤', '≥']));
    let found = match sign {
        Some(place) => compares((place, &words[place])),
        None => words.iter().enumerate().find_map(compares),
    };
    let Some((place, comparison)) = found else {
        return wrong("an alert compares something: AAPL > 200, AAPL rsi < 30, pnl < -300, day < -2%");
    };
    let Some((level, mut rest)) = words[place + 1..].split_first() else {
        return wrong(format!("{} what? AAPL {0} 200", comparison.as_str()));
    };
    let mut is_percent = false;
    if let ["%", after @ ..] = rest {
        (is_percent, rest) = (true, after);
    }
    let subject = subject(&words[..place], is_percent)?;
    let level = number(level)?;
    let level = match subject {
        AlertSubject::DayShare { .. } if is_percent => {
            level.scaled(1, 100).map_err(|error| AlertError(error.to_string()))?
        }
        _ if is_percent => return wrong("only the day is compared with a percentage: day < -2%"),
        AlertSubject::DayShare { .. } => return wrong("a day is compared with a percentage: day < -2%"),
        _ => level,
    };
    Ok((Condition { subject, comparison, level }, rest))
}

/// What stands before the comparison.
fn subject(words: &[&str], is_percent: bool) -> Result<AlertSubject, AlertError> {
    let folded: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
    let folded: Vec<&str> = folded.iter().map(String::as_str).collect();
    Ok(match folded.as_slice() {
        [] => return wrong("what is to be compared? AAPL > 200, pnl < -300, day < -2%"),
        ["pnl"] => AlertSubject::DayProfit { book: None },
        ["day"] if is_percent => AlertSubject::DayShare { book: None },
        ["day"] => {
            return wrong(
                "a day is compared with a percentage: day < -2%; the price of a symbol called DAY is DAY price > 80",
            );
        }
        ["book", book, "pnl"] => AlertSubject::DayProfit { book: Some(book.parse()?) },
        ["book", book, "day"] | [book, "day"] => AlertSubject::DayShare { book: Some(book.parse()?) },
        ["book", book, symbol, "pnl"] | [book, symbol, "pnl"] => {
            AlertSubject::PositionProfit { book: Some(book.parse()?), symbol: symbol.parse()? }
        }
        [symbol, "pnl"] => AlertSubject::PositionProfit { book: None, symbol: symbol.parse()? },
        [symbol] | [symbol, "price"] => AlertSubject::Price { symbol: symbol.parse()? },
        [symbol, name, rest @ ..] => study(symbol.parse()?, name, rest)?,
    })
}

fn study(symbol: Symbol, name: &str, rest: &[&str]) -> Result<AlertSubject, AlertError> {
    let Some(kind) = StudyKind::ALL.into_iter().find(|kind| kind.as_str() == name) else {
        let known = StudyKind::ALL.map(StudyKind::as_str).join(", ");
        return wrong(format!("\"{}\" is nothing that is known of {symbol}: use price, pnl, {known}", shown(name)));
    };
    let (mut bars, mut timeframe) = (None, None);
    for word in rest {
        if let (Ok(given), None) = (word.parse::<Timeframe>(), timeframe) {
            timeframe = Some(given);
        } else if let (Ok(given @ 1..=Study::BARS_MAX), None) = (word.parse::<u32>(), bars) {
            bars = Some(given);
        } else {
            let (word, most) = (shown(word), Study::BARS_MAX);
            return wrong(format!(
                "\"{word}\" is no number of bars (1 to {most}) and no length of them (1m, 5m, 15m, 1h, 1d, 1w)"
            ));
        }
    }
    let study = Study { kind, bars: bars.unwrap_or(kind.usual()) };
    Ok(AlertSubject::Study { symbol, study, timeframe })
}

/// A number with or without commas between thousands. A comma in any other place is refused, as it may be meant for a point.
fn number(word: &str) -> Result<Ratio, AlertError> {
    let fault = || AlertError(format!("\"{}\" is no number: write 1500, 1,500 or 0.25", shown(word)));
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let is_grouped = whole.contains(',');
    let sound = digits(first)
        && (!is_grouped || (1..=3).contains(&first.len()))
        && groups.all(|group| group.len() == 3 && digits(group))
        && digits(part)
        && part.len() <= 8
        && !(whole.is_empty() && part.is_empty());
    if !sound {
        return Err(fault());
    }
    let plain: String = word.chars().filter(|letter| !matches!(letter, ',' | '+')).collect();
    plain.parse().map_err(|_| fault())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::alert::RESERVED;

    fn read(text: &str) -> String {
        text.parse::<AlertRequest>().map_or_else(|error| error.to_string(), |request| request.to_string())
    }

    #[test]
    fn alerts_are_read_as_they_are_meant() {
        for (text, want) in [
            ("aapl > 200", "AAPL > 200 once"),
            ("AAPL>=1,234.50 repeat", "AAPL >= 1,234.5 repeat"),
            ("AAPL rsi < 30", "AAPL rsi 14 < 30 once"),
            ("AAPL above 200", "AAPL > 200 once"),
            ("AAPL below 200 Repeats", "AAPL < 200 repeat"),
            ("BTC-USD rsi 14 1h < 30", "BTC-USD rsi 14 1h < 30 once"),
            ("AAPL ema 20 > 190", "AAPL ema 20 > 190 once"),
            ("AAPL ema 1d 50 ≤ 190", "AAPL ema 50 1d <= 190 once"),
            ("pnl < -300", "pnl < -300 once"),
            ("pnl < \u{2212}1,300", "pnl < -1,300 once"),
            ("AAPL pnl > 100", "AAPL pnl > 100 once"),
            ("main aapl pnl > 100", "book main AAPL pnl > 100 once"),
            ("book main pnl < -300", "book main pnl < -300 once"),
            ("day < -2%", "day < -2% once"),
            ("main day <-0.5 % once", "book main day < -0.5% once"),
            ("DAY price > 80", "DAY price > 80 once"),
            ("PNL price > 80", "PNL price > 80 once"),
        ] {
            assert_eq!(read(text), want, "{text}");
            assert_eq!(read(want), want);
        }
    }

    #[test]
    fn what_means_nothing_is_told() {
        for (text, want) in [
            ("", "an alert compares something"),
            ("AAPL 200", "an alert compares something"),
            ("AAPL >", "> what? AAPL > 200"),
            ("> 200", "what is to be compared?"),
            ("AAPL > 1,5", "\"1,5\" is no number"),
            ("AAPL > 1e9", "\"1e9\" is no number"),
            ("AAPL > 99999999999999", "is no number"),
            ("AAPL > 2%", "only the day is compared with a percentage"),
            ("day < 80", "the price of a symbol called DAY is DAY price > 80"),
            ("AAPL macd > 1", "\"macd\" is nothing that is known of AAPL: use price, pnl, sma, ema, rsi"),
            ("AAPL rsi 0 > 1", "\"0\" is no number of bars (1 to 500)"),
            ("AAPL rsi 14 20 > 1", "\"20\" is no number of bars"),
            ("AAPL > 200 twice", "\"twice\" means nothing here"),
            ("AAPL > 200 once repeat", "\"repeat\" means nothing here"),
            ("=CMD() > 1", "\"\" is not a symbol"),
        ] {
            let told = read(text);
            assert!(told.contains(want) || (text.starts_with('=') && told.contains("compare")), "{text}: {told}");
        }
    }

    #[test]
    fn a_name_of_a_book_is_a_book_unless_it_is_a_symbol() {
        let books = ["main", "aapl"].map(|name| name.parse().expect("a name"));
        let said = |text: &str| {
            let condition: Condition = text.parse().expect("a condition");
            condition.in_books(&books, |symbol| symbol.as_str() == "AAPL").to_string()
        };
        assert_eq!(said("main pnl < -300"), "book main pnl < -300");
        assert_eq!(said("aapl pnl < -300"), "AAPL pnl < -300");
        assert_eq!(said("MSFT pnl < -300"), "MSFT pnl < -300");
    }

    fn subjects() -> impl Strategy<Value = AlertSubject> {
        let symbol = || "[A-Z0-9._/-]{1,23}".prop_map(|text| text.parse::<Symbol>().expect("a symbol"));
        let book = || proptest::option::of("[a-z0-9_-]{1,23}".prop_map(|text| text.parse::<Label>().expect("a name")));
        let reserved = proptest::sample::select(RESERVED.to_vec()).prop_map(|text| text.parse().expect("a symbol"));
        let kind = proptest::sample::select(StudyKind::ALL.to_vec());
        let timeframe = proptest::option::of(proptest::sample::select(Timeframe::ALL.to_vec()));
        prop_oneof![
            prop_oneof![symbol(), reserved].prop_map(|symbol| AlertSubject::Price { symbol }),
            (symbol(), kind, 1..=Study::BARS_MAX, timeframe).prop_map(|(symbol, kind, bars, timeframe)| {
                AlertSubject::Study { symbol, study: Study { kind, bars }, timeframe }
            }),
            (book(), symbol()).prop_map(|(book, symbol)| AlertSubject::PositionProfit { book, symbol }),
            book().prop_map(|book| AlertSubject::DayProfit { book }),
            book().prop_map(|book| AlertSubject::DayShare { book }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_the_same(
            subject in subjects(),
            comparison in proptest::sample::select(Comparison::ALL.to_vec()),
            units in -90_000_000_000_000_000i64..=90_000_000_000_000_000,
            repeats: bool,
        ) {
            let condition = Condition { subject, comparison, level: Ratio::from_units(units) };
            prop_assert_eq!(condition.to_string().parse(), Ok(condition), "{}", condition);
            let json = serde_json::to_string(&condition).expect("writes");
            prop_assert_eq!(serde_json::from_str::<Condition>(&json).expect("reads"), condition);
            let request = AlertRequest { condition, repeats };
            prop_assert_eq!(request.to_string().parse(), Ok(request), "{}", request);
        }

        #[test]
        fn no_line_makes_the_reader_panic(text in "\\PC{0,60}", tail in "[A-Za-z0-9<>=%., -]{0,40}") {
            let _ = text.parse::<AlertRequest>();
            let _ = tail.parse::<AlertRequest>();
            let _ = format!("AAPL > {tail}").parse::<AlertRequest>();
        }
    }
}
