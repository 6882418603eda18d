//! What Discord makes of an embed, told from its documentation and not from our code: its limits, counted anew, and a reader of its markup
//! that calls everything a fault that formats, mentions or links without having been meant to.

use serde_json::Value;

/// The embed's limits, in UTF-16 units.
///
/// # Errors
/// With what is too long.
pub(crate) fn fits(embed: &Value) -> Result<(), String> {
    let units = |value: &Value| value.as_str().unwrap_or_default().encode_utf16().count();
    let mut sum = 0;
    let mut within = |what: &str, value: &Value, most: usize| {
        sum += units(value);
        if units(value) > most { Err(format!("{what} has {} units", units(value))) } else { Ok(()) }
    };
    within("title", &embed["title"], 256)?;
    within("description", &embed["description"], 4096)?;
    within("footer", &embed["footer"]["text"], 2048)?;
    let empty = Vec::new();
    let fields = embed["fields"].as_array().unwrap_or(&empty);
    for field in fields {
        within("name", &field["name"], 256)?;
        within("value", &field["value"], 1024)?;
        let blank = |value: &Value| value.as_str().unwrap_or_default().trim().is_empty();
        if blank(&field["name"]) || blank(&field["value"]) {
            return Err("a field is blank".to_owned());
        }
    }
    if fields.len() > 25 {
        return Err(format!("{} fields", fields.len()));
    }
    if sum > 6_000 { Err(format!("{sum} units in all")) } else { Ok(()) }
}

/// What is read of text in Discord's markup.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) all: String,
    /// Of it what may do something: without code and without what was escaped.
    bare: String,
}

/// Reads text. Only stars in pairs, strokes in pairs, boxes and quotations are meant.
///
/// # Errors
/// With what formats, mentions or links.
pub(crate) fn read(text: &str) -> Result<Read, String> {
    let mut read = Read::default();
    let mut in_box = false;
    for line in text.split('\n') {
        if line == "```" {
            in_box = !in_box;
        } else if in_box {
            if line.contains("```") {
                return Err(format!("a box ends in {line:?}"));
            }
            read.all.push_str(line);
        } else {
            one_line(line.strip_prefix("> ").unwrap_or(line), &mut read)?;
        }
        read.all.push('\n');
        read.bare.push('\n');
    }
    if in_box {
        return Err("a box does not end".to_owned());
    }
    for unwanted in ["://", "@everyone", "@here", "<@", "<#", "</", "<t:", "<:", "<a:", "]("] {
        if read.bare.contains(unwanted) {
            return Err(format!("{unwanted} does something in {:?}", read.bare));
        }
    }
    Ok(read)
}

fn one_line(line: &str, read: &mut Read) -> Result<(), String> {
    let start = line.trim_start();
    let digits = start.trim_start_matches(|c: char| c.is_ascii_digit());
    let lists = |rest: &str| rest.starts_with(char::is_whitespace) || rest.starts_with('#');
    let is_list = start.strip_prefix(['-', '+']).is_some_and(lists);
    let is_counted = digits.len() < start.len() && digits.strip_prefix('.').is_some_and(lists);
    if start.starts_with(['#', '>']) || is_list || is_counted {
        return Err(format!("a line begins as a heading, a list or a quotation: {line:?}"));
    }
    let (mut signs, mut in_bold) = (line.chars().peekable(), false);
    while let Some(sign) = signs.next() {
        read.bare.push(if sign == '\\' { '\u{1}' } else { sign });
        let shown = match sign {
            '\\' => signs.next().filter(char::is_ascii_punctuation).ok_or("an escape of nothing")?,
            '*' if signs.next_if_eq(&'*').is_some() => {
                in_bold = !in_bold;
                continue;
            }
            '`' => {
                let code: String = signs.by_ref().take_while(|sign| *sign != '`').collect();
                if code.trim().is_empty() {
                    return Err(format!("code of nothing in {line:?}"));
                }
                read.all.push_str(&code);
                continue;
            }
            '*' | '_' | '~' | '|' | '[' | ']' | '<' | '>' => return Err(format!("{sign} formats in {line:?}")),
            sign => sign,
        };
        read.all.push(shown);
    }
    if in_bold { Err(format!("stars do not end in {line:?}")) } else { Ok(()) }
}
