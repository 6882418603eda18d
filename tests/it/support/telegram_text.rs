//! What Telegram makes of a text, told from its documentation and not from our code: a parser of the HTML that it takes, and a finder of
//! what it turns into links by itself. It finds more than the real one does, never less than is meant here.

use bellwether::channels::{Budget, html};
use bellwether::domain::{Block, Line, Message, Span};

/// A letter that is seen, and whether it stands in code, where nothing is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) letter: char,
    pub(crate) in_code: bool,
}

/// The tags that we use.
const TAGS: [&str; 5] = ["b", "i", "code", "pre", "blockquote"];

/// What is seen of a text in HTML.
///
/// # Errors
/// Where Telegram would refuse the text: a tag it does not know, a tag across another, an entity it does not know.
pub(crate) fn parse(html: &str) -> Result<Vec<Seen>, String> {
    let mut open: Vec<String> = Vec::new();
    let mut seen = Vec::new();
    let mut rest = html;
    while let Some(first) = rest.chars().next() {
        let in_code = open.iter().any(|tag| tag == "code" || tag == "pre");
        match first {
            '<' => {
                let end = rest.find('>').ok_or("a tag that does not end")?;
                let tag = &rest[1..end];
                if let Some(name) = tag.strip_prefix('/') {
                    if open.pop().as_deref() != Some(name) {
                        return Err(format!("</{name}> closes what is not open"));
                    }
                } else if !TAGS.contains(&tag) {
                    return Err(format!("<{tag}> is no tag"));
                } else if in_code {
                    return Err(format!("<{tag}> inside code"));
                } else {
                    open.push(tag.to_owned());
                }
                rest = &rest[end + 1..];
            }
            '&' => {
                let end = rest.find(';').ok_or("an entity that does not end")?;
                let letter = match &rest[..=end] {
                    "&lt;" => '<',
                    "&gt;" => '>',
                    "&amp;" => '&',
                    "&quot;" => '"',
                    other => return Err(format!("{other} is no entity")),
                };
                seen.push(Seen { letter, in_code });
                rest = &rest[end + 1..];
            }
            '>' => return Err("a bare >".to_owned()),
            letter => {
                seen.push(Seen { letter, in_code });
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    if open.is_empty() { Ok(seen) } else { Err(format!("{open:?} stay open")) }
}

/// How long a text is as Telegram counts it.
fn utf16(seen: &[Seen]) -> usize {
    seen.iter().map(|seen| seen.letter.len_utf16()).sum()
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// What would become a link by itself, as it is seen.
pub(crate) fn entities(seen: &[Seen]) -> Vec<String> {
    let letters: Vec<char> = seen.iter().map(|seen| seen.letter).collect();
    let mut found = Vec::new();
    let mut note = |from: usize, to: usize| {
        if seen[from..to].iter().any(|seen| !seen.in_code) {
            found.push(letters[from..to].iter().collect::<String>());
        }
    };
    for at in 0..letters.len() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let run = |fits: fn(char) -> bool| letters[at + 1..].iter().take_while(|letter| fits(**letter)).count();
        let free = before.is_none_or(|before| !is_word(before));
        match letters[at] {
            '@' if run(is_name) > 0 => note(at, at + 1 + run(is_name)),
            '#' if run(is_word) > 0 => note(at, at + 1 + run(is_word)),
            '$' if run(|letter| letter.is_ascii_uppercase()) > 0 => note(at, at + 2),
            '/' if free && before != Some('/') && run(is_name) > 0 => note(at, at + 1 + run(is_name)),
            ':' if letters[at..].starts_with(&[':', '/', '/']) && before.is_some_and(char::is_alphanumeric) => {
                note(at - 1, at + 3);
            }
            '.' => {
                // A domain: something that may stand in a host before, at least two letters behind.
                let host = before.is_some_and(|before| is_word(before) || before == '-');
                let top = run(char::is_alphabetic);
                let address = run(|letter| letter.is_ascii_digit()) > 0 && is_address(&letters, at);
                if host && (top >= 2 || address) {
                    note(at - 1, at + 2);
                }
            }
            _ => {}
        }
    }
    found.extend(numbers(seen));
    found
}

/// Whether the dot belongs to four numbers with dots between them.
fn is_address(letters: &[char], at: usize) -> bool {
    let fits = |letter: &&char| letter.is_ascii_digit() || **letter == '.';
    let behind = letters[at..].iter().take_while(fits).collect::<String>();
    let ahead: String = letters[..at].iter().rev().take_while(fits).collect();
    let whole = ahead.chars().rev().chain(behind.chars()).collect::<String>();
    let parts: Vec<&str> = whole.trim_matches('.').split('.').collect();
    parts.len() == 4 && parts.iter().all(|part| part.parse::<u8>().is_ok())
}

/// Digits that may be dialled, or that may be a bank card: ten or more with what stands between them, or seven that touch.
fn numbers(seen: &[Seen]) -> Vec<String> {
    let mut found = Vec::new();
    for run in seen.chunk_by(|one, other| dialled(*one) && dialled(*other)) {
        let text: String = run.iter().map(|seen| seen.letter).collect();
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let touching = text.split(|letter: char| !letter.is_ascii_digit()).map(str::len).max().unwrap_or_default();
        let plus = text.contains('+') && digits >= 7;
        // Dates and hours have groups of two digits; nobody dials those.
        let groups = text.split(|letter: char| !letter.is_ascii_digit()).map(str::len);
        let grouped: usize = groups.filter(|group| *group >= 3).sum();
        if dialled(run[0]) && (plus || touching >= 7 || grouped >= 10) {
            found.push(text);
        }
    }
    found
}

fn dialled(seen: Seen) -> bool {
    !seen.in_code && "0123456789 +-()".contains(seen.letter)
}

/// The parts of a message as they are seen; each is valid, and no longer than it may be.
///
/// # Errors
/// With what is wrong.
pub(crate) fn received(message: &Message, budget: Budget) -> Result<Vec<Vec<Seen>>, String> {
    let parts = html(message, budget);
    if parts.len() > 10 {
        return Err(format!("{} parts", parts.len()));
    }
    let mut all = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        let seen = parse(part).map_err(|error| format!("{error} in {part}"))?;
        let most = if place == 0 { budget.first_max } else { budget.units_max };
        if utf16(&seen) > most || seen.iter().all(|seen| seen.letter.is_whitespace()) {
            return Err(format!("part {place} has {} units", utf16(&seen)));
        }
        all.push(seen);
    }
    Ok(all)
}

/// Commands in our own words may be pressed, as they are once what cannot be seen is gone; nothing else may be.
pub(crate) fn unwanted(message: &Message, parts: &[Vec<Seen>]) -> Option<String> {
    let mut ours = String::new();
    let mut note = |line: &Line| {
        for span in &line.0 {
            match span {
                Span::Text(text) | Span::Strong(text) => {
                    ours.extend(text.chars().filter(|letter| is_shown(*letter) || *letter == ' '));
                }
                // What is empty, or cannot be seen, stands between nothing.
                Span::Code(text) | Span::Untrusted(text) => ours.extend(text.chars().any(is_shown).then_some('\n')),
            }
        }
        ours.push('\n');
    };
    for block in &message.blocks {
        match block {
            Block::Title(line) | Block::Line(line) => note(line),
            Block::Fields(fields) => fields.iter().for_each(|(_, line)| note(line)),
            Block::Table { .. } | Block::Code(_) | Block::Quote(_) => {}
        }
    }
    let pressed = |found: &String| {
        let name = found.strip_prefix('/');
        name.is_some_and(|name| name.starts_with(|first: char| first.is_ascii_lowercase())) && ours.contains(found)
    };
    parts.iter().flat_map(|part| entities(part)).find(|found| !pressed(found))
}

/// Letters whose number does not change on the way: neither spaces nor what may be taken out as invisible.
pub(crate) fn is_shown(letter: char) -> bool {
    letter.is_ascii_graphic()
        || letter.is_alphabetic()
            && !('\u{115f}'..='\u{1160}').contains(&letter)
            && !"\u{3164}\u{ffa0}".contains(letter)
}
