//! Which symbols does a book watch? The list in force, and whether a person put it there or a file.

use rusqlite::params;

use crate::domain::{Instrument, Label};

use super::state::parsed;
use super::{Reader, Store, StoreError};

impl Store {
    /// Replaces a book's list. `source` says where it comes from: `imported` wins over the configuration at the next start.
    ///
    /// # Errors
    /// When the disk refuses; the old list stays then.
    pub fn keep_watchlist(&self, book: Label, source: &'static str, list: Vec<Instrument>) -> Result<(), StoreError> {
        self.write(move |transaction| {
            transaction.execute("DELETE FROM watchlist WHERE book = ?1", [book.as_str()])?;
            for (place, item) in list.iter().enumerate() {
                transaction.execute(
                    "INSERT INTO watchlist (book, place, symbol, name, class, sector, source) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        book.as_str(),
                        place as i64,
                        item.symbol.as_str(),
                        item.name,
                        item.class.as_str(),
                        item.sector,
                        source
                    ],
                )?;
            }
            Ok(())
        })
    }
}

impl Reader {
    /// A book's list, and where it comes from; empty if it never had one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn watchlist(&self, book: Label) -> Result<(String, Vec<Instrument>), StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT symbol, name, class, sector, source FROM watchlist WHERE book = ?1 ORDER BY place",
        )?;
        let mut source = String::new();
        let mut list = Vec::new();
        let mut rows = statement.query([book.as_str()])?;
        while let Some(row) = rows.next()? {
            source = row.get(4)?;
            list.push(Instrument {
                symbol: parsed(row, 0)?,
                name: row.get(1)?,
                class: parsed(row, 2)?,
                sector: row.get(3)?,
            });
        }
        Ok((source, list))
    }
}
