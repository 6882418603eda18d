//! How is a picture written? As SVG text that stands alone: nothing is loaded, every text is escaped, no text leaves the page.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use super::text::Font;
use super::theme::{Colour, Measures, Palette, Size, Theme};

/// The font family of every text: the bundled face first, then what a browser has.
pub(super) const FAMILY: &str = "Inter V, Inter, system-ui, Segoe UI, Roboto, sans-serif";

/// A rectangle, in pixels from the top left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) w: f64,
    pub(super) h: f64,
}

impl Rect {
    pub(super) const fn new(x: f64, y: f64, w: f64, h: f64) -> Self {
        Self { x, y, w, h }
    }

    pub(super) fn right(&self) -> f64 {
        self.x + self.w
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.h
    }

    pub(super) fn middle(&self) -> (f64, f64) {
        (self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    /// Smaller by `by` on every side, never less than nothing.
    pub(super) fn inset(&self, by: f64) -> Self {
        Self::new(self.x + by, self.y + by, (self.w - 2.0 * by).max(0.0), (self.h - 2.0 * by).max(0.0))
    }

    /// Larger by `by` on every side.
    pub(super) fn grown(&self, by: f64) -> Self {
        Self::new(self.x - by, self.y - by, self.w + 2.0 * by, self.h + 2.0 * by)
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// It begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// How a shape is filled and stroked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paint {
    fill: Option<(Colour, f64)>,
    stroke: Option<(Colour, f64)>,
    width: f64,
    dash: Option<(f64, f64)>,
}

impl Paint {
    /// Filled, without a stroke.
    pub(super) fn fill(colour: Colour) -> Self {
        Self { fill: Some((colour, 1.0)), ..Self::default() }
    }

    /// Filled with `opacity` from 0 to 1.
    pub(super) fn glass(colour: Colour, opacity: f64) -> Self {
        Self { fill: Some((colour, opacity)), ..Self::default() }
    }

    /// Stroked, without a fill.
    pub(super) fn stroke(colour: Colour, width: f64) -> Self {
        Self::default().edge(colour, width)
    }

    /// Stroked as well.
    pub(super) fn edge(self, colour: Colour, width: f64) -> Self {
        Self { stroke: Some((colour, 1.0)), width, ..self }
    }

    /// The stroke in dashes.
    pub(super) fn dashed(self, dash: f64, gap: f64) -> Self {
        Self { dash: Some((dash, gap)), ..self }
    }

    /// The stroke with `opacity` from 0 to 1.
    pub(super) fn faded(self, opacity: f64) -> Self {
        Self { stroke: self.stroke.map(|(colour, _)| (colour, opacity)), ..self }
    }
}

impl fmt::Display for Paint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fill {
            Some((colour, opacity)) if opacity < 1.0 => write!(f, r#" fill="{colour}" fill-opacity="{opacity}""#)?,
            Some((colour, _)) => write!(f, r#" fill="{colour}""#)?,
            None => f.write_str(r#" fill="none""#)?,
        }
        if let Some((colour, opacity)) = self.stroke {
            write!(f, r#" stroke="{colour}" stroke-width="{}""#, Px(self.width))?;
            if opacity < 1.0 {
                write!(f, r#" stroke-opacity="{opacity}""#)?;
            }
        }
        self.dash.map_or(Ok(()), |(dash, gap)| write!(f, r#" stroke-dasharray="{} {}""#, Px(dash), Px(gap)))
    }
}

/// A length with at most two decimals; what is not a number, or far outside any page, is held back.
struct Px(f64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = if self.0.is_finite() { self.0.clamp(-100_000.0, 100_000.0) } else { 0.0 };
        write!(f, "{}", (held * 100.0).round() / 100.0 + 0.0)
    }
}

/// The data of a path.
#[derive(Debug, Default)]
pub(super) struct Path(String);

impl Path {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn move_to(&mut self, x: f64, y: f64) -> &mut Self {
        self.point('M', x, y)
    }

    pub(super) fn line_to(&mut self, x: f64, y: f64) -> &mut Self {
        self.point('L', x, y)
    }

    pub(super) fn close(&mut self) -> &mut Self {
        self.0.push('Z');
        self
    }

    pub(super) fn rect(&mut self, rect: Rect) -> &mut Self {
        self.move_to(rect.x, rect.y);
        let _ = write!(self.0, "H{}V{}H{}", Px(rect.right()), Px(rect.bottom()), Px(rect.x));
        self.close()
    }

    /// A part of a circle of `radius`, to a point; `far` takes the way round of more than half a turn.
    pub(super) fn arc_to(&mut self, radius: f64, far: bool, clockwise: bool, x: f64, y: f64) -> &mut Self {
        let (far, clockwise) = (u8::from(far), u8::from(clockwise));
        let _ = write!(self.0, "A{0} {0} 0 {far} {clockwise} {1} {2}", Px(radius), Px(x), Px(y));
        self
    }

    fn point(&mut self, step: char, x: f64, y: f64) -> &mut Self {
        let _ = write!(self.0, "{step}{} {}", Px(x), Px(y));
        self
    }

    /// Lines through the points; none lifts the pen.
    pub(super) fn through(points: impl IntoIterator<Item = Option<(f64, f64)>>) -> Self {
        let mut path = Self::default();
        let mut drawing = false;
        for point in points {
            match point {
                Some((x, y)) if drawing => path.line_to(x, y),
                Some((x, y)) => path.move_to(x, y),
                None => &mut path,
            };
            drawing = point.is_some();
        }
        path
    }
}

/// Text with the five characters that XML gives a meaning replaced, and what XML cannot hold made visible.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\r' | '\t' => safe.push(' '),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            letter if letter.is_control() => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}

/// A page that is being drawn.
pub(super) struct Canvas {
    pub(super) palette: &'static Palette,
    pub(super) measures: &'static Measures,
    /// The whole page.
    pub(super) page: Rect,
    /// What shapes refer to. Each id tells its content, so several pictures can stand in one HTML page.
    shared: BTreeSet<String>,
    body: String,
}

impl Canvas {
    pub(super) fn new(theme: Theme, size: Size) -> Self {
        let (width, height) = size.pixels();
        Self {
            palette: theme.palette(),
            measures: size.measures(),
            page: Rect::new(0.0, 0.0, f64::from(width), f64::from(height)),
            shared: BTreeSet::new(),
            body: String::with_capacity(32 * 1024),
        }
    }

    pub(super) fn rect(&mut self, rect: Rect, radius: f64, paint: Paint) {
        let Rect { x, y, w, h } = rect;
        let (x, y, w, h, radius) = (Px(x), Px(y), Px(w.max(0.0)), Px(h.max(0.0)), Px(radius));
        let _ = write!(self.body, r#"<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{radius}"{paint}/>"#);
    }

    pub(super) fn circle(&mut self, x: f64, y: f64, radius: f64, paint: Paint) {
        let _ = write!(self.body, r#"<circle cx="{}" cy="{}" r="{}"{paint}/>"#, Px(x), Px(y), Px(radius));
    }

    pub(super) fn path(&mut self, path: &Path, paint: Paint) {
        if !path.is_empty() {
            let _ = write!(self.body, r#"<path d="{}"{paint} stroke-linejoin="round"/>"#, path.0);
        }
    }

    /// A line; without a length it has no dashes, and none is drawn.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), paint: Paint) {
        let is_point = (from.0 - to.0).abs().max((from.1 - to.1).abs()) < 0.01;
        if is_point && paint.dash.is_some() {
            return;
        }
        self.path(&Path::through([Some(from), Some(to)]), paint);
    }

    /// The area of `path` in `colour`, fading from `opacity` at its top to nothing at its bottom.
    pub(super) fn fading(&mut self, path: &Path, colour: Colour, opacity: f64) {
        let id = format!("fade-{}-{}", colour.to_string().trim_start_matches('#'), (opacity * 100.0).round());
        self.shared.insert(format!(
            r#"<linearGradient id="{id}" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{colour}" stop-opacity="{opacity}"/><stop offset="1" stop-color="{colour}" stop-opacity="0"/></linearGradient>"#
        ));
        if !path.is_empty() {
            let _ = write!(self.body, r#"<path d="{}" fill="url(#{id})"/>"#, path.0);
        }
    }

    /// Text whose middle line is at `at.1`. It is cut where it would leave the page.
    pub(super) fn text(&mut self, at: (f64, f64), anchor: Anchor, text: &str, font: Font, colour: Colour) {
        let (x, y) = at;
        let room = match anchor {
            Anchor::Start => self.page.w - x,
            Anchor::Middle => 2.0 * x.min(self.page.w - x),
            Anchor::End => x,
        };
        let text = font.fitted(text, room - 2.0);
        if text.trim().is_empty() || y < font.size || y > self.page.h - font.size / 2.0 {
            return;
        }
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let (x, y, size, weight, text) = (Px(x), Px(y + 0.36 * font.size), Px(font.size), font.weight, escaped(&text));
        let _ = write!(
            self.body,
            r#"<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}"{anchor}>{text}</text>"#
        );
    }

    /// From here to [`Canvas::end`], nothing shows outside `rect`.
    pub(super) fn clip(&mut self, rect: Rect) {
        let Rect { x, y, w, h } = rect;
        let (x, y, w, h) = (Px(x), Px(y), Px(w.max(0.0)), Px(h.max(0.0)));
        let id = format!("clip-{x}-{y}-{w}-{h}");
        self.shared
            .insert(format!(r#"<clipPath id="{id}"><rect x="{x}" y="{y}" width="{w}" height="{h}"/></clipPath>"#));
        let _ = write!(self.body, r#"<g clip-path="url(#{id})">"#);
    }

    /// Ends the last [`Canvas::clip`].
    pub(super) fn end(&mut self) {
        self.body.push_str("</g>");
    }

    /// The finished picture, with `title` as its name for those who cannot see it.
    pub(super) fn finish(self, title: &str) -> String {
        let (w, h) = (self.page.w, self.page.h);
        let [top, bottom] = self.palette.page;
        let ground = format!("page-{}", top.to_string().trim_start_matches('#'));
        let shared: String = self.shared.into_iter().collect();
        let title = escaped(title);
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" font-family="{FAMILY}"><title>{title}</title><defs><linearGradient id="{ground}" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{top}"/><stop offset="1" stop-color="{bottom}"/></linearGradient>{shared}</defs><rect width="{w}" height="{h}" fill="url(#{ground})"/>{}</svg>"#,
            self.body
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escaped("<b a=\"1\">&'\u{0}\n\u{ffff}"), "&lt;b a=&quot;1&quot;&gt;&amp;&#39;\u{fffd} \u{fffd}");
    }

    #[test]
    fn lengths_are_short_and_always_numbers() {
        let texts = [1.0, 0.126, -0.001, 1e300, f64::NAN].map(|length| Px(length).to_string());
        assert_eq!(texts, ["1", "0.13", "0", "100000", "0"]);
    }

    #[test]
    fn a_hole_lifts_the_pen() {
        let path = Path::through([None, Some((0.0, 1.0)), Some((1.0, 2.0)), None, Some((3.0, 4.0))]);
        assert_eq!(path.0, "M0 1L1 2M3 4");
    }

    #[test]
    fn dashes_need_a_length() {
        let mut canvas = Canvas::new(Theme::Dark, Size::Landscape);
        let paint = Paint::stroke(canvas.palette.up, 1.0);
        canvas.line((1.0, 2.0), (1.004, 2.0), paint.dashed(2.0, 4.0));
        assert_eq!(canvas.body, "");
        canvas.line((1.0, 2.0), (1.0, 2.0), paint);
        canvas.line((1.0, 2.0), (1.0, 9.0), paint.dashed(2.0, 4.0));
        assert_eq!(canvas.body.matches("<path").count(), 2);
    }

    #[test]
    fn ids_tell_what_they_stand_for() {
        let draw = |theme| {
            let mut canvas = Canvas::new(theme, Size::Landscape);
            canvas.clip(Rect::new(1.0, 2.0, 3.0, 4.0));
            canvas.end();
            canvas.finish("")
        };
        // Two pictures in one page may share an id only if it means the same in both.
        assert!(draw(Theme::Dark).contains("clip-1-2-3-4") && draw(Theme::Light).contains("clip-1-2-3-4"));
        assert!(draw(Theme::Dark).contains("page-131925") && !draw(Theme::Light).contains("page-131925"));
    }

    #[test]
    fn text_that_would_leave_the_page_is_cut() {
        let mut canvas = Canvas::new(Theme::Dark, Size::Landscape);
        let (font, colour) = (Font::new(20.0, 400), canvas.palette.text);
        canvas.text((1_240.0, 100.0), Anchor::Start, "a long word", font, colour);
        canvas.text((100.0, 1_000.0), Anchor::Start, "below", font, colour);
        let svg = canvas.finish("");
        assert!(svg.contains("a…") && !svg.contains("long") && !svg.contains("below"), "{svg}");
    }
}
