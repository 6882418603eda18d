//! Where does it hurt? Tables of coloured cells: what a scenario does to each position, and the return of every month.

use super::axis::{compact, drawable, range, signed, value_at};
use super::frame::{Caption, Figure, frame, nothing};
use super::svg::{Anchor, Canvas, Paint, Rect};
use super::text::{Font, MEDIUM, NORMAL, STRONG};
use super::theme::{Colour, Palette, Size, Theme};

/// At most this many rows are shown.
pub const ROWS_MAX: usize = 24;
/// At most this many columns are shown.
pub const CELLS_MAX: usize = 13;

/// What the values of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// Amounts of money, written short in narrow cells: `-1.2K`.
    #[default]
    Money,
    /// Percent, written with one decimal, or none in narrow cells.
    Percent,
}

impl Unit {
    /// A value with its sign; `brief` for narrow cells.
    fn written(self, value: f64, brief: bool) -> String {
        match (self, brief) {
            (Self::Percent, false) => signed(value, 1),
            (Self::Percent, true) if value.abs() < 10_000.0 => signed(value, 0).replace(',', ""),
            (Self::Money, true) if value.abs() < 1_000.0 => signed(value, 0),
            (Self::Money, false) => signed(value, 0),
            (Self::Percent | Self::Money, true) if value > 0.0 => format!("+{}", compact(value)),
            (Self::Percent | Self::Money, true) => compact(value),
        }
    }
}

/// A table of gains and losses: scenarios by position, for example.
#[derive(Debug, Clone, Default)]
pub struct RiskHeatmap {
    /// The words around it.
    pub caption: Caption,
    /// The names of the rows; the first ones are shown.
    pub rows: Vec<String>,
    /// The names of the columns; the first ones are shown.
    pub columns: Vec<String>,
    /// Row by row; none leaves a cell empty.
    pub values: Vec<Vec<Option<f64>>>,
    /// What the values are.
    pub unit: Unit,
    /// The last column adds up the others: it stands apart and has a scale of its own.
    pub total: bool,
    /// The figures in the head.
    pub figures: Vec<Figure>,
}

/// The returns of each month.
#[derive(Debug, Clone, Default)]
pub struct MonthlyReturns {
    /// The words around it.
    pub caption: Caption,
    /// Each year with its twelve months as shares: 0.03 is three percent; the last years are shown.
    pub years: Vec<(i32, [Option<f64>; 12])>,
    /// The figures in the head.
    pub figures: Vec<Figure>,
}

/// A table of gains and losses as SVG.
pub fn risk_heatmap(map: &RiskHeatmap, theme: Theme, size: Size) -> String {
    let mut canvas = Canvas::new(theme, size);
    let content = frame(&mut canvas, &map.caption, None, &map.figures);
    let rows: Vec<Row> = map
        .rows
        .iter()
        .take(ROWS_MAX)
        .enumerate()
        .map(|(index, name)| Row {
            name: name.clone(),
            cells: cells(map.values.get(index).map_or(&[], Vec::as_slice), map.columns.len().min(CELLS_MAX)),
        })
        .collect();
    let columns = &map.columns[..map.columns.len().min(CELLS_MAX)];
    let apart = columns.len().checked_sub(1).filter(|_| map.total && map.columns.len() <= CELLS_MAX);
    table(&mut canvas, content, columns, &rows, apart, map.unit);
    canvas.finish(&map.caption.title)
}

/// The returns of each month as SVG, with the compounded return of each year.
pub fn monthly_returns(map: &MonthlyReturns, theme: Theme, size: Size) -> String {
    let mut canvas = Canvas::new(theme, size);
    let content = frame(&mut canvas, &map.caption, None, &map.figures);
    let names =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Year"].map(str::to_owned);
    let shown = &map.years[map.years.len().saturating_sub(ROWS_MAX)..];
    let rows: Vec<Row> = shown.iter().map(|(year, months)| year_row(*year, months)).collect();
    table(&mut canvas, content, &names, &rows, Some(names.len() - 1), Unit::Percent);
    canvas.finish(&map.caption.title)
}

struct Row {
    name: String,
    cells: Vec<Option<f64>>,
}

/// Twelve months and the year they make, in percent.
fn year_row(year: i32, months: &[Option<f64>; 12]) -> Row {
    let months = months.map(|month| month.and_then(drawable));
    let total = months.iter().flatten().copied().reduce(|total, month| (1.0 + total) * (1.0 + month) - 1.0);
    let cells = months.into_iter().chain([total]).map(|value| value.map(|value| value * 100.0)).collect();
    Row { name: year.to_string(), cells }
}

fn cells(values: &[Option<f64>], count: usize) -> Vec<Option<f64>> {
    (0..count).map(|index| value_at(values, index)).collect()
}

/// The colour of a value between a loss of `most` and a gain of `most`.
pub(super) fn heat(palette: &Palette, [low, high]: [Colour; 2], value: f64, most: f64) -> Colour {
    let share = if most > 0.0 { (value / most).clamp(-1.0, 1.0) } else { 0.0 };
    palette.chip.mixed(palette.panel, 0.5).mixed(if share < 0.0 { low } else { high }, share.abs() * 0.9)
}

/// The text colour that stands out more from `ground`.
pub(super) fn on(palette: &Palette, ground: Colour) -> Colour {
    let away = |colour: Colour| (colour.brightness() - ground.brightness()).abs();
    if away(palette.text) >= away(palette.on_strong) { palette.text } else { palette.on_strong }
}

/// A table; `apart` is a column that sums up, with its own scale and some space before it.
fn table(canvas: &mut Canvas, content: Rect, columns: &[String], rows: &[Row], apart: Option<usize>, unit: Unit) {
    if rows.is_empty() || columns.is_empty() {
        return nothing(canvas, content, "Nothing to show yet");
    }
    let (m, palette) = (canvas.measures, canvas.palette);
    let name_font = Font::new(m.body, MEDIUM);
    let names = rows.iter().map(|row| name_font.width(&row.name)).fold(0.0, f64::max).min(content.w * 0.26) + m.pad;
    let space = if apart.is_some() { m.pad } else { 0.0 };
    let width = (content.w - names - space) / columns.len() as f64;
    let head = m.row() + m.pad * 0.5;
    let height = ((content.h - head) / rows.len() as f64).min(m.tick_gap * 2.2);
    let left = |column: usize| {
        content.x + names + column as f64 * width + if apart.is_some_and(|apart| column >= apart) { space } else { 0.0 }
    };
    let head_font = Font::new(m.small, NORMAL);
    for (index, name) in columns.iter().enumerate() {
        let at = (left(index) + width / 2.0, content.y + m.row() / 2.0);
        canvas.text(at, Anchor::Middle, &head_font.fitted(name, width - 4.0), head_font, palette.soft);
    }
    let most = |summing: bool| {
        let of_kind = |index: &usize| (Some(*index) == apart) == summing;
        let values = rows.iter().flat_map(|row| row.cells.iter().enumerate().filter(|(index, _)| of_kind(index)));
        range(values.filter_map(|(_, value)| *value)).map_or(0.0, |(low, high)| low.abs().max(high.abs()))
    };
    let most = [most(false), most(true)];
    let (font, brief) = cell_font(canvas, rows, (width, height), unit);
    for (line, row) in rows.iter().enumerate() {
        let y = content.y + head + line as f64 * height;
        let name = name_font.fitted(&row.name, names - m.pad * 0.5);
        canvas.text((content.x, y + height / 2.0), Anchor::Start, &name, name_font, palette.text);
        for (index, value) in row.cells.iter().enumerate() {
            let cell = Rect::new(left(index), y, width, height).inset(1.5);
            let Some(value) = value else {
                canvas.rect(cell, 4.0, Paint::glass(palette.chip, 0.25));
                continue;
            };
            let ground = heat(palette, [palette.down, palette.up], *value, most[usize::from(Some(index) == apart)]);
            canvas.rect(cell, 4.0, Paint::fill(ground));
            canvas.text(
                cell.middle(),
                Anchor::Middle,
                &font.fitted(&unit.written(*value, brief), cell.w),
                font,
                on(palette, ground),
            );
        }
    }
}

/// The largest text that lets the widest value stand in its cell, and whether values must be brief for that.
fn cell_font(canvas: &Canvas, rows: &[Row], (width, height): (f64, f64), unit: Unit) -> (Font, bool) {
    let m = canvas.measures;
    let size = |brief: bool| {
        let texts = rows.iter().flat_map(|row| row.cells.iter().flatten()).map(|value| unit.written(*value, brief));
        let widest = texts.map(|text| Font::new(1.0, STRONG).width(&text)).fold(1.0, f64::max);
        ((width - 8.0) / widest).min(height * 0.5)
    };
    let brief = size(false) < m.small;
    (Font::new(size(brief).clamp(m.small * 0.8, m.figure), STRONG), brief)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_compounds_its_months() {
        let mut months = [None; 12];
        (months[0], months[5], months[7]) = (Some(0.1), Some(-0.1), Some(f64::NAN));
        let row = year_row(2017, &months);
        assert!((row.cells[12].unwrap() + 1.0).abs() < 1e-9 && row.cells[7].is_none());
        assert_eq!(year_row(2018, &[None; 12]).cells[12], None);
    }

    #[test]
    fn more_is_stronger_and_text_stands_out_on_all_of_it() {
        for theme in Theme::ALL {
            let palette = theme.palette();
            for poles in [[palette.down, palette.up], palette.poles] {
                let heat = |value: f64| heat(palette, poles, value, 2.0);
                assert_eq!((heat(-9.0), heat(9.0)), (heat(-2.0), heat(2.0)));
                for step in -20..=20 {
                    let ground = heat(f64::from(step) / 10.0);
                    let away = (on(palette, ground).brightness() - ground.brightness()).abs();
                    assert!(away > 0.33, "{theme:?} {ground}: {away}");
                }
            }
        }
    }

    #[test]
    fn narrow_cells_get_short_figures() {
        let texts = [(Unit::Percent, 12.34), (Unit::Percent, -0.2), (Unit::Money, -1_234.0), (Unit::Money, 80.0)];
        let brief = texts.map(|(unit, value)| unit.written(value, true));
        let long = texts.map(|(unit, value)| unit.written(value, false));
        assert_eq!(brief, ["+12", "0", "-1.2K", "+80"]);
        assert_eq!(long, ["+12.3", "-0.2", "-1,234", "+80"]);
    }
}
