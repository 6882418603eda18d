//! What does a chat get to see? The pictures of `chart` as answers, of what the asker may see.

use std::path::Path;

use chrono_tz::Tz;

use crate::chart::{Size, Theme, png};
use crate::chat::{Drawing, Inbound, Reply};
use crate::clock::Clock;
use crate::domain::{Attachment, AttachmentKind, Label, Message, Symbol, Timeframe};
use crate::store::Reader;
use crate::views::Views;

use super::AppError;
use super::chart::BARS;
use super::dealt::Dealt;
use super::picture::{self, Look, Subject};
use super::prices::Source;
use super::results::Results;

/// Chats show a picture as wide as the screen.
const LOOK: Look = Look { theme: Theme::Dark, size: Size::Landscape };

/// The picture as an answer, or why there is none.
pub(super) fn drawn(database: &Path, inbound: &Inbound, what: Drawing, clock: &dyn Clock) -> Reply {
    match draw(database, inbound, what, clock) {
        Ok(message) => Reply::Message(Box::new(message)),
        Err(AppError::Usage { what, .. }) => Reply::Refused(what),
        // The advice is for those who type commands of the shell.
        Err(AppError::Failed { what, .. }) => Reply::Failed { what, hint: None },
        Err(AppError::No) => Reply::Refused("there is no picture".to_owned()),
    }
}

fn draw(database: &Path, inbound: &Inbound, what: Drawing, clock: &dyn Clock) -> Result<Message, AppError> {
    let asker = inbound.asker();
    let sees_all = asker.books.is_none();
    let views = Views::open(database, asker, clock.now())?;
    let zone = views.asker().zone;
    let seen: Vec<Label> = views.reader().books()?.iter().map(|row| row.book.name).collect();
    if views.reader().progress()?.is_none() || (seen.is_empty() && !sees_all) {
        return Err(AppError::failed("there is nothing to draw yet"));
    }
    let reader = Reader::open(database)?;
    let (name, (svg, words)) = match what {
        Drawing::Symbol(symbol, timeframe) => {
            if views.reader().marks()?.iter().all(|mark| mark.symbol != symbol) {
                return Err(AppError::usage(format!("{symbol} is not watched; /watchlist lists what is watched")));
            }
            candles(&reader, symbol, timeframe, &seen, zone, clock)?
        }
        Drawing::Equity(book) => {
            let wanted: Vec<Label> =
                seen.iter().copied().filter(|name| book.is_none_or(|book| *name == book)).collect();
            if let (Some(book), true) = (book, wanted.is_empty()) {
                let known: Vec<&str> = seen.iter().map(Label::as_str).collect();
                return Err(AppError::usage(format!("there is no book \"{book}\"; there are {}", known.join(", "))));
            }
            let results = Results::of(&reader, Some(&wanted), None, zone)?;
            ("equity".to_owned(), results.equity(LOOK)?)
        }
    };
    let bytes = png(&svg).map_err(|error| AppError::failed(error.to_string()))?;
    let file = Attachment { kind: AttachmentKind::Picture, name: format!("{name}.png"), bytes };
    Ok(Message { file: Some(file), ..Message::answer(&words) })
}

fn candles(
    reader: &Reader,
    symbol: Symbol,
    timeframe: Option<Timeframe>,
    books: &[Label],
    zone: Option<Tz>,
    clock: &dyn Clock,
) -> Result<(String, (String, String)), AppError> {
    let source = Source::of_database(reader, symbol, None, clock)?;
    let dealt = Dealt::of(reader, symbol, Some(books), None)?;
    let subject = Subject {
        instrument: &source.instrument,
        zone: zone.or(dealt.zone).unwrap_or(Tz::UTC),
        origin: if source.is_simulated() { "paper · simulated" } else { "paper · recorded" },
        simulated: source.is_simulated(),
        dealt,
    };
    let timeframe = timeframe.unwrap_or(source.usual);
    let series = source.read(&[timeframe], clock)?;
    let series = series.first().ok_or_else(|| AppError::failed(format!("there are no bars of {symbol}")))?;
    Ok((format!("{symbol}-{timeframe}"), picture::candles(&subject, series, BARS, LOOK)))
}
