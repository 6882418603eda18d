//! What do the words after a command mean? Symbols, books, numbers and periods, each refused in words where it is none.

use crate::control::Control;
use crate::domain::when::{duration, since};
use crate::domain::{AuditId, ChannelKind, Label, Message, Symbol};
use crate::views::{self, Period, ViewError, Views};

use super::command::{ArgError, Asked, Drawing, Question, Wish};
use super::params::arity;
use super::parse::Parsed;

/// How many trades are listed unless a number is given.
const TRADES_SHOWN: u32 = 10;
/// The most trades in one answer.
const TRADES_SHOWN_MAX: u32 = 100;

pub(super) fn status(views: &Views, _: &[&str]) -> Result<String, ArgError> {
    let asker = views.asker();
    Ok(match asker.channel {
        _ if asker.hides_amounts => views::status_shares(views)?,
        Some(ChannelKind::Sms) => views::status_texted(views)?,
        _ => views::status(views)?,
    })
}

pub(super) fn symbol(text: &str) -> Result<Symbol, ArgError> {
    text.parse().map_err(|error: crate::domain::NameError| ArgError::Usage(error.to_string()))
}

pub(super) fn book(asked: &Asked<'_>) -> Result<Wish, ArgError> {
    let action = asked.args[0].to_ascii_lowercase().parse().map_err(ArgError::Usage)?;
    Ok(Control::Book { action, book: book_name(asked.args.get(1).copied())? }.into())
}

pub(super) fn book_name(text: Option<&str>) -> Result<Option<Label>, ArgError> {
    text.map(str::parse).transpose().map_err(|error: crate::domain::NameError| ArgError::Usage(error.to_string()))
}

/// The words of a timed command, with "for" before a stretch of time that stands alone at their end, unless a book has that name:
/// `/pause 2h` is `/pause for 2h`.
pub(super) fn with_for<'a>(
    parsed: &Parsed<'a>,
    books: impl FnOnce() -> Result<Vec<(Label, String)>, ViewError>,
) -> Vec<&'a str> {
    let mut args = parsed.args.clone();
    let last = args.last().copied().unwrap_or_default();
    let said = args.iter().any(|word| ["for", "until"].contains(&word.to_ascii_lowercase().as_str()));
    let is_stretch = args.len() > arity(parsed.command.params).0 && !said && duration(last).is_ok();
    if is_stretch && books().is_ok_and(|books| books.iter().all(|(book, _)| !book.as_str().eq_ignore_ascii_case(last)))
    {
        args.insert(args.len() - 1, "for");
    }
    args
}

/// The question behind `/screener now`; none for what the store answers.
pub(super) fn screen_now(args: &[&str]) -> Result<Option<Question>, ArgError> {
    match args {
        ["now", rest @ ..] => Ok(Some(Question::Screen(book_name(rest.first().copied())?))),
        [other, _, ..] => {
            Err(ArgError::Usage(format!("\"{}\" is no way to ask: use /screener now BOOK", other.escape_debug())))
        }
        [] | [_] => Ok(None),
    }
}

pub(super) fn trades(views: &Views, args: &[&str]) -> Result<String, ArgError> {
    let rows = match args.first() {
        None => TRADES_SHOWN,
        Some(text) => {
            let Ok(rows @ 1..=TRADES_SHOWN_MAX) = text.parse() else {
                let text = text.escape_debug();
                let what = format!("\"{text}\" is no number of trades: use 1 to {TRADES_SHOWN_MAX}");
                return Err(ArgError::Usage(what));
            };
            rows
        }
    };
    Ok(views::trades(views, rows)?)
}

pub(super) fn trades_file(views: &Views, args: &[&str]) -> Result<Option<Message>, ArgError> {
    let wanted = args.first().is_some_and(|word| word.eq_ignore_ascii_case("csv"));
    Ok(if wanted { Some(views::trades_csv(views)?) } else { None })
}

/// `/chart AAPL`, `/chart AAPL 1h`, `/chart equity`, `/chart equity main`.
pub(super) fn chart(args: &[&str]) -> Result<Question, ArgError> {
    let second = args.get(1).copied();
    if args[0].eq_ignore_ascii_case("equity") {
        return Ok(Question::Chart(Drawing::Equity(book_name(second)?)));
    }
    let timeframe = second.map(|word| word.to_ascii_lowercase().parse()).transpose();
    let timeframe = timeframe.map_err(ArgError::Usage)?;
    Ok(Question::Chart(Drawing::Symbol(symbol(args[0])?, timeframe)))
}

pub(super) fn pnl(views: &Views, args: &[&str]) -> Result<String, ArgError> {
    let period =
        args.first().map_or(Ok(Period::Day), |text| text.to_ascii_lowercase().parse()).map_err(ArgError::Usage)?;
    Ok(views::pnl(views, period)?)
}

/// `/cycle dry`.
pub(super) fn dry_cycle(args: &[&str]) -> Result<Question, ArgError> {
    match args[0] {
        "dry" => Ok(Question::DryCycle),
        other => Err(ArgError::Usage(format!("\"{}\" is no kind of cycle here: use /cycle dry", other.escape_debug()))),
    }
}

/// `/audit`, `/audit 17`, `/audit ana since monday`, `/audit before 17 ana`.
pub(super) fn audit(views: &Views, args: &[&str]) -> Result<String, ArgError> {
    if let [only] = args
        && let Some(id) = change_id(only)
    {
        return Ok(views::change(views, id)?);
    }
    let place = args.iter().position(|word| word.eq_ignore_ascii_case("since")).unwrap_or(args.len());
    let (mut others, words) = (args[..place].to_vec(), &args[place..]);
    let before = others.iter().position(|word| word.eq_ignore_ascii_case("before"));
    let before = before.map(|place| others.drain(place..(place + 2).min(others.len())).collect::<Vec<_>>());
    let before =
        before.map(|words| words.get(1).copied().and_then(change_id).ok_or_else(|| which(args))).transpose()?;
    let read = |words: &[&str]| since(words, views.wall(), views.zone()?).map_err(ArgError::from);
    let since = match words {
        [] => None,
        // A name may stand behind the time as well as before it.
        [rest @ .., last] if others.is_empty() && rest.len() > 1 && read(words).is_err() && read(rest).is_ok() => {
            others.push(last);
            Some(read(rest)?)
        }
        words => Some(read(words)?),
    };
    let person = match others[..] {
        [] => None,
        [person] => Some(person),
        _ => return Err(which(args)),
    };
    Ok(views::changes(views, views::Changes { person, since, before })?)
}

fn change_id(word: &str) -> Option<AuditId> {
    word.parse().ok().and_then(AuditId::stored)
}

fn which(args: &[&str]) -> ArgError {
    let typed: String = args.join(" ").chars().take(32).flat_map(char::escape_debug).collect();
    ArgError::Usage(format!("\"{typed}\" names no changes: use /audit 17, /audit since monday or /audit ana before 17"))
}
