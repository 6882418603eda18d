//! What did the engine last measure? A book with its risk figures and their age.

use chrono_tz::Tz;

use super::open::{Scene, ViewError, Views};
use crate::clock::Timestamp;
use crate::domain::RiskFigures;
use crate::domain::format::as_of;
use crate::store::BookRow;

/// A book with its risk figures.
pub(super) struct Measured<'a> {
    /// The book.
    pub(super) row: &'a BookRow,
    /// Its figures.
    pub(super) figures: RiskFigures,
    at: Timestamp,
    market: Timestamp,
    zone: Tz,
}

impl Measured<'_> {
    /// An answer about each book, or about the one of this name.
    pub(super) fn each(
        views: &Views,
        book: Option<&str>,
        lines: impl Fn(Measured<'_>) -> Vec<String>,
    ) -> Result<String, ViewError> {
        let scene = views.scene()?;
        let mut all = Vec::new();
        for row in scene.books_named(book)? {
            match Measured::of(views, &scene, row)? {
                Some(measured) => all.extend(lines(measured)),
                None => all.push(format!("{} has no risk figures yet: its next cycle computes them", row.book.name)),
            }
        }
        Ok(all.join("\n"))
    }

    /// The figures of a book; none if there are none that this version can read.
    pub(super) fn of<'a>(views: &Views, scene: &Scene, row: &'a BookRow) -> Result<Option<Measured<'a>>, ViewError> {
        let stored = views.reader().figures(row.book.name)?;
        let (market, zone) = (scene.progress.market, views.zone_of(row));
        Ok(stored.and_then(|stored| {
            let figures = serde_json::from_str(&stored.body).ok()?;
            Some(Measured { row, figures, at: stored.at, market, zone })
        }))
    }

    /// When they were measured, and how long ago if that is not now.
    pub(super) fn as_of(&self) -> String {
        as_of(self.at, self.market, self.zone)
    }
}
