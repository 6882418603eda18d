//! How long is a short message? Septets of GSM-7 or units of UCS-2, in segments; and text whose letters have look-alikes in GSM-7.

/// The letters of GSM-7 that cost one septet (3GPP TS 23.038, default alphabet).
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Those that cost two: an escape and a letter, which stay together.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";
/// Septets of a message of one segment, and of each where there are more: a header takes the rest.
const SEPTETS_ALONE: usize = 160;
const SEPTETS_TOGETHER: usize = 153;
/// The same in units of UTF-16.
const UNITS_ALONE: usize = 70;
const UNITS_TOGETHER: usize = 67;

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Every letter is in GSM-7.
    Gsm7,
    /// One is not, so all of them are units of UTF-16.
    Ucs2,
}

impl Encoding {
    /// The one that a text needs.
    pub fn of(text: &str) -> Self {
        if text.chars().all(|letter| septets(letter).is_some()) { Self::Gsm7 } else { Self::Ucs2 }
    }

    /// What a letter costs; where it cannot be split, it moves to the next segment as a whole.
    fn cost(self, letter: char) -> usize {
        match self {
            Self::Gsm7 => septets(letter).unwrap_or(2),
            Self::Ucs2 => letter.len_utf16(),
        }
    }

    const fn alone(self) -> usize {
        match self {
            Self::Gsm7 => SEPTETS_ALONE,
            Self::Ucs2 => UNITS_ALONE,
        }
    }

    const fn together(self) -> usize {
        match self {
            Self::Gsm7 => SEPTETS_TOGETHER,
            Self::Ucs2 => UNITS_TOGETHER,
        }
    }
}

/// How many segments a text is sent in; one if it is empty.
pub fn segments(text: &str) -> usize {
    let encoding = Encoding::of(text);
    let costs = || text.chars().map(|letter| encoding.cost(letter));
    if costs().sum::<usize>() <= encoding.alone() {
        return 1;
    }
    let (mut full, mut used) = (0, 0);
    for cost in costs() {
        if used + cost > encoding.together() {
            (full, used) = (full + 1, 0);
        }
        used += cost;
    }
    full + 1
}

/// The septets of a letter; none if it is not in GSM-7.
fn septets(letter: char) -> Option<usize> {
    if letter.is_ascii_alphanumeric() || BASIC.contains(letter) {
        Some(1)
    } else {
        EXTENDED.contains(letter).then_some(2)
    }
}

/// The text with each letter replaced that is not in GSM-7 and has a look-alike there. Others stay: they would mean something else.
pub fn with_lookalikes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match lookalike(letter) {
            Some(replaced) => out.push_str(replaced),
            None => out.push(letter),
        }
    }
    out
}

/// Letters that are not in GSM-7, and what looks like them there. Letters of other scripts have nothing that does.
const LOOKALIKES: &[(&str, &str)] = &[
    ("\u{2018}\u{2019}\u{201a}\u{201b}\u{2032}\u{2bc}\u{b4}`", "'"),
    ("\u{201c}\u{201d}\u{201e}\u{201f}\u{2033}\u{ab}\u{bb}", "\""),
    ("\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{2043}\u{fe58}\u{fe63}\u{ff0d}", "-"),
    ("\u{b7}\u{2022}\u{2219}\u{22c5}\u{25cf}", "-"),
    ("\t\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}", " "),
    ("\u{202f}\u{205f}\u{3000}", " "),
    ("\u{ad}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2060}\u{fe0e}\u{fe0f}\u{feff}", ""),
    ("\u{2026}", "..."),
    ("\u{2039}", "<"),
    ("\u{203a}", ">"),
    ("\u{2190}", "<-"),
    ("\u{2192}", "->"),
    ("\u{2194}", "<->"),
    ("\u{2191}", "up"),
    ("\u{2193}", "down"),
    ("\u{d7}", "x"),
    ("\u{f7}", ":"),
    ("\u{b1}", "+/-"),
    ("\u{2248}\u{223c}", "~"),
    ("\u{2264}", "<="),
    ("\u{2265}", ">="),
    ("\u{2260}", "<>"),
    ("\u{2044}\u{2215}", "/"),
    ("\u{b0}", " deg"),
    ("\u{b5}", "u"),
    ("\u{b9}", "1"),
    ("\u{b2}", "2"),
    ("\u{b3}", "3"),
    ("\u{bd}", "1/2"),
    ("\u{bc}", "1/4"),
    ("\u{be}", "3/4"),
    ("\u{a9}", "(c)"),
    ("\u{ae}", "(R)"),
    ("\u{2122}", "(TM)"),
    ("ÀÁÂÃĀĂĄ", "A"),
    ("áâãāăą", "a"),
    ("ĆĈĊČ", "C"),
    ("çćĉċč", "c"),
    ("ĎĐ", "D"),
    ("ďđ", "d"),
    ("ÈÊËĒĖĘĚ", "E"),
    ("êëēėęě", "e"),
    ("ĜĞĠ", "G"),
    ("ĝğġ", "g"),
    ("ÌÍÎÏĪĮİ", "I"),
    ("íîïīįı", "i"),
    ("ĽŁ", "L"),
    ("ľł", "l"),
    ("ŃŇ", "N"),
    ("ńň", "n"),
    ("ÒÓÔÕŌŐ", "O"),
    ("óôõōő", "o"),
    ("Œ", "OE"),
    ("œ", "oe"),
    ("ŔŘ", "R"),
    ("ŕř", "r"),
    ("ŚŞȘŠ", "S"),
    ("śşșš", "s"),
    ("ŢȚŤ", "T"),
    ("ţțť", "t"),
    ("ÙÚÛŪŮŰŲ", "U"),
    ("úûūůűų", "u"),
    ("ÝŸ", "Y"),
    ("ýÿ", "y"),
    ("ŹŻŽ", "Z"),
    ("źżž", "z"),
];

fn lookalike(letter: char) -> Option<&'static str> {
    LOOKALIKES.iter().find(|(letters, _)| letters.contains(letter)).map(|(_, replaced)| *replaced)
}

/// The longest beginning of a text that goes into so many segments.
pub(super) fn beginning(text: &str, segments_max: usize) -> &str {
    if segments(text) <= segments_max {
        return text;
    }
    // What is longer costs more, also where a letter turns all of it into UCS-2.
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let fits = ends.partition_point(|end| segments(&text[..*end]) <= segments_max);
    &text[..ends[fits.saturating_sub(1)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_its_letters() {
        // 128 places, without the escape.
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENDED.chars().count(), 10);
        for letter in BASIC.chars().chain(EXTENDED.chars()) {
            assert_eq!(with_lookalikes(&letter.to_string()), letter.to_string());
        }
    }

    #[test]
    fn segments_end_where_they_must() {
        for (text, count) in [
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            // Of 153 septets a pair fills 152: it is not split.
            ("€".repeat(152), 2),
            ("€".repeat(153), 3),
            ("я".repeat(70), 1),
            ("я".repeat(71), 2),
            ("я".repeat(134), 2),
            ("я".repeat(135), 3),
            ("🔔".repeat(35), 1),
            ("🔔".repeat(36), 2),
            ("🔔".repeat(66), 2),
            ("🔔".repeat(67), 3),
            (String::new(), 1),
        ] {
            assert_eq!(segments(&text), count, "{} of {:?}", text.chars().count(), text.chars().next());
        }
    }

    #[test]
    fn lookalikes_are_in_the_alphabet_and_the_rest_stays() {
        for (letters, replaced) in LOOKALIKES {
            assert_eq!(Encoding::of(replaced), Encoding::Gsm7, "{letters}");
            assert!(letters.chars().all(|letter| septets(letter).is_none()), "{letters} needs none");
        }
        assert_eq!(with_lookalikes("São “Ana” – 3 → 4 · −2…"), "Sao \"Ana\" - 3 -> 4 - -2...");
        assert_eq!(with_lookalikes("Москва 東京 🔔"), "Москва 東京 🔔");
    }

    #[test]
    fn a_beginning_fits_and_one_letter_more_does_not() {
        for letter in ["a", "€", "я", "🔔"] {
            let text = letter.repeat(700);
            for most in 1..4 {
                let cut = beginning(&text, most);
                assert!(segments(cut) <= most && segments(&text[..cut.len() + letter.len()]) > most);
            }
        }
        assert_eq!(beginning(&format!("{}🔔", "a".repeat(100)), 1), "a".repeat(100));
    }
}
