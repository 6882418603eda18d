//! How wide is a text? Estimated on the generous side, because SVG has no boxes that fit themselves.

/// For labels.
pub(super) const NORMAL: u16 = 400;
/// For figures beside labels.
pub(super) const MEDIUM: u16 = 500;
/// For tags and cards.
pub(super) const STRONG: u16 = 600;
/// For titles.
pub(super) const BOLD: u16 = 700;

/// How a text is set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Font {
    /// In pixels.
    pub(super) size: f64,
    /// From 400 to 700, in whole hundreds.
    pub(super) weight: u16,
}

impl Font {
    pub(super) const fn new(size: f64, weight: u16) -> Self {
        Self { size, weight }
    }

    /// At least the width of `text` in pixels, in the bundled font.
    pub(super) fn width(self, text: &str) -> f64 {
        let heavier = f64::from(self.weight.saturating_sub(NORMAL)) / f64::from(STRONG - NORMAL);
        text.chars().map(|letter| advance(letter, heavier)).sum::<f64>() * self.size / 1_000.0
    }

    /// `text`, cut with an ellipsis where it is wider than `room`; empty where not even one letter fits.
    pub(super) fn fitted(self, text: &str, room: f64) -> String {
        if self.width(text) <= room {
            return text.to_owned();
        }
        let mut left = room - self.width("…");
        let mut short = String::new();
        for letter in text.chars() {
            left -= self.width(letter.encode_utf8(&mut [0; 4]));
            if left < 0.0 {
                break;
            }
            short.push(letter);
        }
        if short.is_empty() { short } else { short.trim_end().to_owned() + "…" }
    }
}

/// How far each letter from space to `~` moves on, in thousandths of the text size, at weight 400. Measured in the bundled font.
#[rustfmt::skip]
const ADVANCES: [u16; 95] = [
    282, 279, 404, 631, 638, 813, 640, 222, 363, 363, 500, 660, 280, 461, 276, 357, 626, 465, 606,
    637, 643, 608, 624, 586, 617, 624, 276, 280, 660, 660, 660, 508, 937, 677, 651, 728, 719, 599,
    587, 743, 741, 265, 543, 652, 563, 890, 753, 762, 635, 762, 640, 638, 643, 742, 677, 949, 643,
    665, 626, 363, 357, 363, 469, 461, 498, 564, 621, 559, 621, 583, 361, 610, 591, 238, 238, 545,
    238, 870, 586, 597, 610, 610, 373, 523, 367, 581, 557, 813, 540, 558, 542, 363, 327, 363, 660,
];
/// The same at weight 600.
#[rustfmt::skip]
const STRONG_ADVANCES: [u16; 95] = [
    249, 309, 396, 644, 650, 844, 663, 214, 394, 394, 544, 673, 296, 466, 291, 379, 667, 481, 622,
    652, 666, 633, 649, 602, 646, 649, 291, 295, 673, 673, 673, 545, 1000, 724, 658, 744, 725, 608,
    586, 755, 744, 275, 561, 677, 567, 907, 741, 775, 644, 776, 651, 650, 660, 734, 724, 1007, 691,
    705, 653, 394, 379, 394, 482, 477, 498, 575, 631, 578, 631, 593, 378, 626, 613, 261, 261, 569,
    261, 898, 610, 608, 625, 625, 397, 550, 383, 609, 576, 838, 563, 577, 562, 394, 358, 394, 673,
];

/// How far a letter moves on, in thousandths of the text size; `heavier` is 0 at weight 400 and 1 at weight 600.
fn advance(letter: char, heavier: f64) -> f64 {
    let index = (letter as usize).wrapping_sub(usize::from(b' '));
    match (ADVANCES.get(index), STRONG_ADVANCES.get(index), letter) {
        (Some(&light), Some(&strong), _) => {
            let (light, strong) = (f64::from(light), f64::from(strong));
            (light + (strong - light) * heavier).max(light.min(strong)) + 4.0
        }
        (_, _, '·') => 300.0,
        (_, _, '–') => 520.0,
        (_, _, '−') => 690.0,
        (_, _, '…') => 850.0,
        _ => 1_200.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::png::ink_width;

    #[test]
    fn no_text_is_wider_than_its_estimate() {
        let letters = (' '..='~').chain("·…–—−→▲▼€£¥ÄÅéßÆŒЩЖЮΣΩ±×你𐍈".chars());
        for weight in [NORMAL, MEDIUM, STRONG, BOLD] {
            let font = Font::new(100.0, weight);
            for letter in letters.clone() {
                let text = format!("n{letter}{letter}{letter}n");
                let (real, estimate) = (ink_width(&text, font), font.width(&text));
                assert!(real <= estimate, "{text:?} at {weight}: {real} over {estimate}");
            }
        }
    }

    #[test]
    fn usual_labels_are_not_guessed_much_too_wide() {
        for text in ["EMA 20", "273.00", "Volume", "27 Apr to 23 Oct 2026", "Max drawdown", "BUY 268.07"] {
            let font = Font::new(100.0, MEDIUM);
            assert!(font.width(text) < 1.06 * ink_width(text, font), "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_to_its_room() {
        let font = Font::new(10.0, NORMAL);
        assert_eq!(font.fitted("AAPL", 100.0), "AAPL");
        let cut = font.fitted("a very long name of a symbol", 60.0);
        assert!(cut.ends_with('…') && font.width(&cut) <= 60.0, "{cut}");
        assert_eq!(font.fitted("AAPL", 5.0), "");
    }
}
