//! What may not be traded, or not entered, and why? Prices in doubt and symbols that books keep out of, each with its end.

use crate::domain::{EntryLock, Money, Symbol};
use crate::store::{BookRow, MarkRow};

use super::open::{Scene, ViewError, Views};
use super::status::limit_of;
use crate::domain::format::{age, counted, price, quantity, signed, time};

/// The answer to `/locks [book]`. Prices in doubt concern every book.
///
/// # Errors
/// When there is no such book, nothing has run yet, or the store cannot be read.
pub fn locks(views: &Views, book: Option<&str>) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let books = scene.books_named(book)?;
    let mut lines = Vec::new();
    for mark in scene.marks.iter().filter(|mark| mark.lock.is_some()) {
        lines.extend(price_lines(views, &scene, mark)?);
    }
    for row in books {
        for lock in in_force(&scene, row) {
            lines.extend(entry_lines(views, &scene, row, &lock));
        }
    }
    if lines.is_empty() {
        return Ok("nothing is locked: every price counts, and every symbol may be entered".to_owned());
    }
    let count = lines.iter().filter(|line| !line.starts_with(' ')).count() as u64;
    lines.insert(0, format!("{}, lifted by /unlock SYMBOL and the PIN", counted(count, "lock")));
    Ok(lines.join("\n"))
}

/// The entry locks of a book whose time is not over, the last to end first.
fn in_force(scene: &Scene, row: &BookRow) -> Vec<EntryLock> {
    let mut locks = row.entry_locks();
    locks.retain(|lock| lock.until > scene.progress.market);
    locks.sort_by_key(|lock| std::cmp::Reverse(lock.until));
    locks
}

fn price_lines(views: &Views, scene: &Scene, mark: &MarkRow) -> Result<Vec<String>, ViewError> {
    let Some((before, since, sessions)) = mark.lock else { return Ok(Vec::new()) };
    let symbol = mark.symbol;
    let holders: Vec<String> = scene
        .books
        .iter()
        .filter_map(|row| {
            let held = row.book.position(symbol)?;
            let what = if views.asker().hides_amounts { "it".to_owned() } else { quantity(held.quantity) };
            Some(format!("{} holds {what}", row.book.name))
        })
        .collect();
    let end = if holders.is_empty() {
        let limit = scene.books.iter().map(|row| limit_of(row, "lock_sessions")).max().unwrap_or_default();
        // The session in which it was locked is not one that it stood.
        let stood = sessions.saturating_sub(1);
        format!("lifts by itself after {limit:.0} sessions, {stood} so far, or when the price comes back")
    } else {
        format!("{}: lifts by itself only when the price comes back", holders.join(", "))
    };
    Ok(vec![
        format!("{symbol}: price in doubt since {}, nothing of it trades", time(since, views.zone()?)),
        format!("  valued at {} as before, last seen at {}", price(before), price(mark.price)),
        format!("  {end}"),
    ])
}

fn entry_lines(views: &Views, scene: &Scene, row: &BookRow, lock: &EntryLock) -> Vec<String> {
    let zone = views.zone_of(row);
    vec![
        format!(
            "{}: {} does not enter it until {}, in {}",
            lock.symbol,
            row.book.name,
            time(lock.until, zone),
            age(lock.until.since(scene.progress.market))
        ),
        format!("  {} at {}; what is held of it goes on", lock.cause.words(), time(lock.since, zone)),
    ]
}

/// Whether `/unlock` would end the doubt about a price, and what it would do, before anybody confirms it.
///
/// # Errors
/// When the symbol is not locked, or the store cannot be read.
pub fn unlock_preview(views: &Views, symbol: Symbol) -> Result<(bool, String), ViewError> {
    let scene = views.scene()?;
    let price = price_preview(views, &scene, symbol)?;
    // A price counts for every book that trades it.
    let of_others = !price.is_empty() && views.reader().is_shared(symbol)?;
    let mut lines = if of_others { Vec::new() } else { price };
    let doubted = !lines.is_empty();
    for row in &scene.books {
        for lock in in_force(&scene, row).iter().filter(|lock| lock.symbol == symbol) {
            let until = time(lock.until, views.zone_of(row));
            let why = lock.cause.words();
            lines.push(format!("Let {} enter {symbol} again? It keeps out until {until}: {why}.", row.book.name));
        }
    }
    if of_others {
        let what = format!("The price of {symbol} is in doubt, which somebody who may change all its books has to end");
        if lines.is_empty() {
            return Err(ViewError::Nothing(what));
        }
        lines.push(format!("{what}."));
    }
    if lines.is_empty() {
        return Err(ViewError::Nothing(format!("{symbol} is not locked")));
    }
    if !doubted && !of_others {
        lines.push("After: its next signal may enter again, if every check passes.".to_owned());
    }
    Ok((doubted, lines.join("\n")))
}

/// What it would do with a price in doubt; nothing if it is not.
fn price_preview(views: &Views, scene: &Scene, symbol: Symbol) -> Result<Vec<String>, ViewError> {
    let lock = scene.mark(symbol).and_then(|mark| mark.lock.map(|lock| (mark.price, lock)));
    let Some((now, (before, since, _))) = lock else { return Ok(Vec::new()) };
    let mut lines = vec![format!(
        "Unlock {symbol}? It stood at {} before it was locked at {}; now it is at {}.",
        price(before),
        time(since, views.zone()?),
        price(now)
    )];
    for row in &scene.books {
        if let Some(held) = row.book.position(symbol) {
            let profit = held.unrealised_at(now).unwrap_or(Money::ZERO);
            lines.push(format!(
                "After: the {} {symbol} of {} count at {}, result {} {}; stops and exits work again, and the stop may fill at once.",
                held.quantity,
                row.book.name,
                price(now),
                signed(profit),
                row.book.currency
            ));
        }
    }
    lines
        .push("If the shares were split, say no: put the split into corporate_actions.csv and start again.".to_owned());
    Ok(lines)
}
