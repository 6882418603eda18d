//! How does a picture of the market or of our results come about? From values to SVG text, from SVG to PNG.
//!
//! Each kind of picture is a plain struct and a function that turns it into SVG. The text stands alone: the same bytes go
//! into a page or, through [`png()`], into a message. Nothing here reads a clock, a file or a system font.

mod theme;
mod text;
mod svg;
mod axis;
mod dates;
mod frame;
mod pane;
mod price;
mod trades;
mod studies;
mod candles;
mod sheet;
mod curves;
mod profit;
mod fan;
mod heatmap;
mod correlation;
mod allocation;
mod png;

pub use allocation::{Allocation, PARTS_MAX, Part, allocation};
pub use candles::{BARS_MAX, Band, CandleChart, Level, LevelKind, Line, PANES_MAX, TradeMark, candles};
pub use correlation::{CorrelationChart, SYMBOLS_MAX, correlation};
pub use curves::{EquityChart, equity};
pub use fan::{FanChart, PATHS_MAX, QUANTILES_MAX, Quantile, fan};
pub use frame::{Caption, FIGURES_MAX, Figure, Tone};
pub use heatmap::{CELLS_MAX, MonthlyReturns, ROWS_MAX, RiskHeatmap, Unit, monthly_returns, risk_heatmap};
pub use png::{ChartError, png};
pub use profit::{COLUMNS_MAX, ProfitChart, profit};
pub use sheet::{SHEET_BARS_MAX, SHEET_MAX, Sheet, SheetPane, sheet};
pub use studies::Pane;
pub use theme::{Size, Theme};
