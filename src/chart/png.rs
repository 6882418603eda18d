//! How does an SVG become a PNG? With resvg and the one bundled font; no system font, no file and no address is read.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{ImageHrefResolver, Options, Tree, fontdb};

/// The family name of the bundled face. One variable face of Inter brings every weight.
const FACE: &str = "Inter V";
/// A picture with more pixels than this is refused.
const PIXELS_MAX: u32 = 16_000_000;

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The text is not an SVG.
    #[error("the picture is not a valid SVG")]
    Invalid(#[source] resvg::usvg::Error),
    /// It would have more than sixteen million pixels.
    #[error("the picture is too large: {width} x {height}")]
    TooLarge {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The pixels could not be written as a PNG.
    #[error("the picture could not be encoded")]
    Encoding(#[from] png::EncodingError),
}

/// The SVG as a PNG of its own size; what is transparent becomes black.
/// Takes tens of milliseconds of one core: call it where waiting is allowed.
///
/// # Errors
/// When the text is not an SVG, is too large or cannot be encoded.
pub fn png(svg: &str) -> Result<Vec<u8>, ChartError> {
    let tree = Tree::from_str(svg, options()).map_err(ChartError::Invalid)?;
    encoded(&rastered(&tree)?)
}

fn rastered(tree: &Tree) -> Result<Pixmap, ChartError> {
    let size = tree.size().to_int_size();
    let (width, height) = (size.width(), size.height());
    let fits = width.checked_mul(height).is_some_and(|pixels| pixels <= PIXELS_MAX);
    let pixmap = if fits { Pixmap::new(width, height) } else { None };
    let mut pixmap = pixmap.ok_or(ChartError::TooLarge { width, height })?;
    // On an opaque ground, pixels need no conversion before they are written.
    pixmap.fill(Color::BLACK);
    resvg::render(tree, Transform::identity(), &mut pixmap.as_mut());
    Ok(pixmap)
}

/// One filter for all rows takes less time than choosing one for each row, and costs next to nothing in bytes.
fn encoded(pixmap: &Pixmap) -> Result<Vec<u8>, ChartError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixmap.width(), pixmap.height());
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_filter(png::Filter::Up);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixmap.data())?;
    writer.finish()?;
    Ok(bytes)
}

/// Loaded once for the life of the program.
fn options() -> &'static Options<'static> {
    static OPTIONS: OnceLock<Options<'static>> = OnceLock::new();
    OPTIONS.get_or_init(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(ttf_inter::REGULAR)));
        Options {
            fontdb: Arc::new(fonts),
            font_family: FACE.to_owned(),
            image_href_resolver: ImageHrefResolver {
                resolve_data: Box::new(|_, _, _| None),
                resolve_string: Box::new(|_, _| None),
            },
            ..Options::default()
        }
    })
}

/// The width that a text really takes, in the bundled font.
#[cfg(test)]
pub(super) fn ink_width(text: &str, font: super::text::Font) -> f64 {
    let (size, weight, text) = (font.size, font.weight, super::svg::escaped(text));
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="9999" height="999"><text xml:space="preserve" x="9" y="500" font-size="{size}" font-weight="{weight}">{text}</text></svg>"#
    );
    f64::from(Tree::from_str(&svg, options()).unwrap().root().abs_bounding_box().width())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_picture_is_an_error() {
        assert!(matches!(png("no picture"), Err(ChartError::Invalid(_))));
        let huge = r#"<svg xmlns="http://www.w3.org/2000/svg" width="90000" height="90000"/>"#;
        assert!(matches!(png(huge), Err(ChartError::TooLarge { width: 90_000, .. })));
    }

    #[test]
    fn what_is_transparent_becomes_black() {
        let bytes = png(r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>"#).unwrap();
        let picture = Pixmap::decode_png(&bytes).unwrap();
        assert!(picture.data().chunks(4).all(|pixel| pixel == [0, 0, 0, 255]));
    }

    #[test]
    fn a_picture_reads_no_file() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="{file}" width="9" height="9"/></svg>"#
        );
        let tree = Tree::from_str(&svg, options()).unwrap();
        assert!(!tree.root().has_children(), "the picture was looked for");
    }

    #[test]
    fn the_bundled_face_has_every_weight() {
        let width = |weight| ink_width("AAPL 273.00", crate::chart::text::Font::new(100.0, weight));
        assert!(width(400) < width(500) && width(500) < width(600) && width(600) < width(700));
    }
}
