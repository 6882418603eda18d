//! How is text kept from doing anything? What cannot be seen is taken out; what a platform would turn into a mention, a link or a
//! command is broken by a joiner that nobody sees.

use crate::domain::format::is_hidden;

/// U+2060, the word joiner: it has no width and no line breaks at it.
pub(super) const JOINER: char = '\u{2060}';
/// Digits in a row, with what stands between the digits of a telephone number, that may be taken for one.
const PHONE_DIGITS_MIN: usize = 7;
/// So many digits stand together where a number might be dialled.
const DIGITS_TOGETHER: usize = 3;
/// Digits in groups that may be a telephone number without a plus.
const PHONE_GROUPED_MIN: usize = 10;

/// Who wrote a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// We did, perhaps around names that somebody chose. A command in it may be pressed.
    Ours,
    /// A stranger did.
    Theirs,
    /// It is shown as code, in which platforms look for nothing.
    Code,
}

/// Text without what cannot be seen: controls, overrides of direction, characters without width. Line ends become spaces; what is longer
/// than `chars_max` is cut with a mark.
pub(super) fn cleaned(text: &str, chars_max: usize) -> String {
    let mut visible = text.chars().filter_map(|letter| match letter {
        '\n' | '\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        other => (!is_hidden(other)).then_some(other),
    });
    let mut out: String = visible.by_ref().take(chars_max).collect();
    if visible.next().is_some() {
        out.pop();
        out.push('…');
    }
    out
}

/// Pieces of one line with joiners put in, so that a platform finds nothing in them by itself. The pieces stay as many as they are.
pub(super) fn defused(pieces: &[(Whose, &str)]) -> Vec<String> {
    let letters: Vec<Letter> = pieces
        .iter()
        .enumerate()
        .flat_map(|(piece, (whose, text))| text.chars().map(move |sign| Letter { sign, piece, whose: *whose }))
        .collect();
    let mut broken: Vec<bool> = (0..letters.len()).map(|place| is_broken(&letters, place)).collect();
    break_numbers(&letters, &mut broken);
    let mut out = vec![String::new(); pieces.len()];
    for (place, Letter { sign, piece, whose }) in letters.iter().enumerate() {
        out[*piece].push(*sign);
        if broken[place] {
            // Code stays as it is: the joiner goes to the beginning of what follows it.
            let home = if *whose == Whose::Code { letters.get(place + 1).map(|next| next.piece) } else { Some(*piece) };
            if let Some(home) = home {
                out[home].push(JOINER);
            }
        }
    }
    out
}

struct Letter {
    sign: char,
    piece: usize,
    whose: Whose,
}

/// Whether a joiner belongs behind this letter.
fn is_broken(letters: &[Letter], place: usize) -> bool {
    let (here, next) = (&letters[place], letters.get(place + 1));
    let before = place.checked_sub(1).map(|place| letters[place].sign);
    let Some(next) = next.filter(|next| !next.sign.is_whitespace()) else { return false };
    if here.whose == Whose::Code && next.whose == Whose::Code {
        return false;
    }
    if here.whose != next.whose {
        // Nothing may begin in one writer's words and go on in another's.
        return !here.sign.is_whitespace();
    }
    match here.sign {
        '@' | '#' | '$' | '＠' | '＃' | '＄' => true,
        '/' => !is_command(here, next, before),
        ':' => next.sign == '/',
        '.' | '。' | '．' | '｡' => {
            before.is_some_and(|before| !before.is_whitespace()) && !is_decimal_point(letters, place)
        }
        _ => false,
    }
}

/// A command in our own words: `/why`, behind a space.
fn is_command(slash: &Letter, next: &Letter, before: Option<char>) -> bool {
    let begins = before.is_none_or(|before| before.is_whitespace() || before == '(');
    slash.whose == Whose::Ours && next.sign.is_ascii_lowercase() && begins
}

/// The point of a number such as `1,234.56`: digits on both sides, and nothing else joined to them.
fn is_decimal_point(letters: &[Letter], place: usize) -> bool {
    let at = |place: usize| letters.get(place).map(|letter| letter.sign);
    let is_digit = |place: usize| at(place).is_some_and(|letter| letter.is_ascii_digit());
    let mut first = place;
    while first > 0 && (is_digit(first - 1) || at(first - 1) == Some(',')) {
        first -= 1;
    }
    let mut last = place + 1;
    while is_digit(last) {
        last += 1;
    }
    let joined =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || ".-_@/:".contains(letter));
    let behind = match at(last) {
        Some('.' | ':') => joined(at(last + 1)),
        other => joined(other),
    };
    let ahead = first.checked_sub(1).and_then(at).filter(|sign| *sign != '-');
    first < place && last > place + 1 && !joined(ahead) && !behind
}

/// Breaks what may be taken for a telephone number or a bank card.
fn break_numbers(letters: &[Letter], broken: &mut [bool]) {
    let joins = |letter: &Letter| letter.whose != Whose::Code && "0123456789 +-()\u{a0}".contains(letter.sign);
    let mut place = 0;
    while place < letters.len() {
        let run = letters[place..].iter().take_while(|letter| joins(letter)).count();
        if may_be_dialled(&letters[place..place + run]) {
            let numbers = (place..place + run).filter(|place| letters[*place].sign.is_ascii_digit());
            for last in numbers.skip(DIGITS_TOGETHER - 1).step_by(DIGITS_TOGETHER) {
                broken[last] = true;
            }
        }
        place += run.max(1);
    }
}

/// Seven digits that touch or stand behind a plus, or ten in groups of three at the least. Dates and hours have shorter groups.
fn may_be_dialled(run: &[Letter]) -> bool {
    let groups = || run.split(|letter| !letter.sign.is_ascii_digit()).map(<[Letter]>::len);
    let digits: usize = groups().sum();
    let has_plus = run.iter().any(|letter| letter.sign == '+');
    let in_large_groups: usize = groups().filter(|group| *group >= DIGITS_TOGETHER).sum();
    let touching = groups().max().unwrap_or_default();
    has_plus && digits >= PHONE_DIGITS_MIN || touching >= PHONE_DIGITS_MIN || in_large_groups >= PHONE_GROUPED_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(whose: Whose, text: &str) -> String {
        defused(&[(whose, text)]).concat().replace(JOINER, "|")
    }

    #[test]
    fn what_strangers_write_does_nothing() {
        for (text, want) in [
            ("@all see #tag $TAG /halt", "@|all see #|tag $|TAG /|halt"),
            ("http://evil.example/a.b?c=d.e", "http:|/|/|evil.|example/|a.|b?c=d.|e"),
            ("mail me@evil.example.", "mail me@|evil.|example."),
            ("+1 (212) 555-0123", "+1 (21|2) 55|5-01|23"),
            ("N20 2024-01-08 15:23", "N20 2024-01-08 15:23"),
            ("4111111111111111", "411|111|111|111|111|1"),
            ("rose 3.5 % to 1,234.56.", "rose 3.5 % to 1,234.56."),
            ("10.0.0.1", "10.|0.|0.|1"),
        ] {
            assert_eq!(shown(Whose::Theirs, text), want);
        }
    }

    #[test]
    fn our_own_commands_can_be_pressed_and_names_do_nothing() {
        for (text, want) in [
            ("/why T17 (/halt)", "/why T17 (/halt)"),
            ("of BRK.B and EUR/USD", "of BRK.|B and EUR/|USD"),
            ("until 2026-11-21 10:31 EST", "until 2026-11-21 10:31 EST"),
            ("equity 12,345,678.90", "equity 12,345,678.90"),
            ("call 212-555-0123", "call 212|-555|-012|3"),
        ] {
            assert_eq!(shown(Whose::Ours, text), want);
        }
        assert_eq!(shown(Whose::Code, "/why @x a.b"), "/why @x a.b");
    }

    #[test]
    fn nothing_goes_on_from_one_writer_to_the_next() {
        let pieces = [
            (Whose::Ours, "/st"),
            (Whose::Theirs, "op"),
            (Whose::Ours, ".com "),
            (Whose::Code, "a"),
            (Whose::Ours, "b"),
        ];
        assert_eq!(defused(&pieces).join("^").replace(JOINER, "|"), "/st|^op|^.|com ^a^|b");
    }

    #[test]
    fn what_cannot_be_seen_is_taken_out() {
        assert_eq!(cleaned("a\u{202e}b\u{200b}\u{7}c\nd\te\u{1b}[31m", 99), "abc d e[31m");
        assert_eq!(cleaned("abcdef", 4), "abc…");
        assert_eq!(cleaned("abcd", 4), "abcd");
    }
}
