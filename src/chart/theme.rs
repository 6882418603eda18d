//! What does a picture look like? All colours, sizes and radii, for a dark and a light page and for two shapes.

use std::fmt;

/// The shape of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Size {
    /// 1280 x 800, for a desk, a mail or a page.
    Landscape,
    /// 1080 x 1350, for a phone held upright.
    Portrait,
}

impl Size {
    /// All shapes.
    pub const ALL: [Self; 2] = [Self::Landscape, Self::Portrait];

    /// Width and height in pixels.
    pub const fn pixels(self) -> (u32, u32) {
        match self {
            Self::Landscape => (1280, 800),
            Self::Portrait => (1080, 1350),
        }
    }

    pub(super) const fn measures(self) -> &'static Measures {
        match self {
            Self::Landscape => &LANDSCAPE,
            Self::Portrait => &PORTRAIT,
        }
    }
}

/// The colours of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Theme {
    /// Light text on a dark page.
    Dark,
    /// Dark text on a light page.
    Light,
}

impl Theme {
    /// All themes.
    pub const ALL: [Self; 2] = [Self::Dark, Self::Light];

    pub(super) const fn palette(self) -> &'static Palette {
        match self {
            Self::Dark => &DARK,
            Self::Light => &LIGHT,
        }
    }
}

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour(pub(super) u8, pub(super) u8, pub(super) u8);

impl Colour {
    /// The colour `share` of the way to `other`; `share` is held between 0 and 1.
    pub(super) fn mixed(self, other: Self, share: f64) -> Self {
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// How bright it looks, from 0 to 1, by the weights of ITU-R BT.709 on the stored values.
    pub(super) fn brightness(self) -> f64 {
        (0.2126 * f64::from(self.0) + 0.7152 * f64::from(self.1) + 0.0722 * f64::from(self.2)) / 255.0
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// The colours of one theme. Rises are brighter than falls, so that they differ without hue too.
#[derive(Debug)]
pub(super) struct Palette {
    /// The page, at its top and at its bottom.
    pub(super) page: [Colour; 2],
    /// The ground of a pane and of a card.
    pub(super) panel: Colour,
    /// The edge of a pane and of a card.
    pub(super) edge: Colour,
    pub(super) grid: Colour,
    pub(super) chip: Colour,
    pub(super) text: Colour,
    /// Labels beside figures, axes.
    pub(super) soft: Colour,
    /// Footnotes.
    pub(super) faint: Colour,
    pub(super) up: Colour,
    pub(super) down: Colour,
    /// The mark of a simulated market.
    pub(super) warn: Colour,
    /// Lines, in the order they are given.
    pub(super) series: [Colour; 6],
    /// The two ends of a scale without good and bad.
    pub(super) poles: [Colour; 2],
    /// Text on a ground of `up`, `down` or a pole.
    pub(super) on_strong: Colour,
    /// How much of a strong colour shows in a soft ground.
    pub(super) tint: f64,
}

impl Palette {
    /// The colour of the line at `index`; colours repeat after the last.
    pub(super) fn line(&self, index: usize) -> Colour {
        self.series[index % self.series.len()]
    }
}

const DARK: Palette = Palette {
    page: [Colour(19, 25, 37), Colour(11, 15, 23)],
    panel: Colour(15, 20, 30),
    edge: Colour(35, 43, 58),
    grid: Colour(28, 35, 48),
    chip: Colour(31, 41, 56),
    text: Colour(238, 242, 248),
    soft: Colour(156, 167, 186),
    faint: Colour(117, 129, 149),
    up: Colour(47, 211, 165),
    down: Colour(240, 82, 96),
    warn: Colour(245, 185, 66),
    series: [
        Colour(247, 188, 75),
        Colour(167, 139, 250),
        Colour(90, 169, 248),
        Colour(244, 114, 182),
        Colour(132, 204, 96),
        Colour(148, 163, 184),
    ],
    poles: [Colour(240, 140, 60), Colour(70, 150, 250)],
    on_strong: Colour(10, 14, 22),
    tint: 0.16,
};

const LIGHT: Palette = Palette {
    page: [Colour(250, 251, 253), Colour(241, 244, 248)],
    panel: Colour(255, 255, 255),
    edge: Colour(220, 226, 235),
    grid: Colour(236, 240, 245),
    chip: Colour(228, 233, 241),
    text: Colour(17, 24, 39),
    soft: Colour(84, 96, 115),
    faint: Colour(112, 123, 140),
    up: Colour(8, 153, 118),
    down: Colour(200, 38, 62),
    warn: Colour(180, 110, 0),
    series: [
        Colour(217, 130, 0),
        Colour(116, 72, 214),
        Colour(26, 111, 208),
        Colour(201, 50, 130),
        Colour(63, 138, 30),
        Colour(90, 103, 122),
    ],
    poles: [Colour(214, 104, 20), Colour(28, 106, 212)],
    on_strong: Colour(255, 255, 255),
    tint: 0.11,
};

/// The sizes of one shape, in pixels.
#[derive(Debug)]
pub(super) struct Measures {
    /// Space around everything.
    pub(super) margin: f64,
    /// Space between panes.
    pub(super) gap: f64,
    /// Space inside a card, a chip or a legend.
    pub(super) pad: f64,
    pub(super) radius: f64,
    /// Text sizes: title, a figure on a card, legends, axes and notes.
    pub(super) title: f64,
    pub(super) figure: f64,
    pub(super) body: f64,
    pub(super) small: f64,
    /// The width of a drawn line.
    pub(super) stroke: f64,
    /// The least distance between two ticks of a value axis.
    pub(super) tick_gap: f64,
}

impl Measures {
    /// The height of a chip, a tag or a row of a legend.
    pub(super) fn row(&self) -> f64 {
        (self.small * 1.6).round()
    }
}

const LANDSCAPE: Measures = Measures {
    margin: 28.0,
    gap: 16.0,
    pad: 14.0,
    radius: 10.0,
    title: 32.0,
    figure: 18.0,
    body: 14.0,
    small: 13.0,
    stroke: 1.8,
    tick_gap: 46.0,
};

const PORTRAIT: Measures = Measures {
    margin: 36.0,
    gap: 20.0,
    pad: 18.0,
    radius: 14.0,
    title: 50.0,
    figure: 28.0,
    body: 21.0,
    small: 20.0,
    stroke: 2.6,
    tick_gap: 66.0,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_and_falls_differ_in_brightness() {
        for theme in Theme::ALL {
            let palette = theme.palette();
            assert!(palette.up.brightness() > palette.down.brightness() + 0.1, "{theme:?}");
        }
    }

    #[test]
    fn text_stands_out_from_its_ground() {
        for theme in Theme::ALL {
            let palette = theme.palette();
            for (text, least) in [(palette.text, 0.6), (palette.soft, 0.4), (palette.faint, 0.3)] {
                for ground in [palette.page[0], palette.page[1], palette.panel] {
                    assert!((text.brightness() - ground.brightness()).abs() > least, "{theme:?} {text} on {ground}");
                }
            }
        }
    }

    #[test]
    fn no_text_is_too_small_for_a_phone() {
        assert!(Size::Portrait.measures().small >= 20.0);
    }
}
