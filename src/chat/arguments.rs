//! What do the words after a command mean? Symbols, books, numbers and periods, each refused in words where it is none.

use crate::control::Control;
use crate::domain::{ChannelKind, Label, Message, Symbol};
use crate::views::{self, Period, Views};

use super::command::{ArgError, Drawing, Question};

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

pub(super) fn book(args: &[&str]) -> Result<Control, ArgError> {
    let action = args[0].to_ascii_lowercase().parse().map_err(ArgError::Usage)?;
    Ok(Control::Book { action, book: book_name(args.get(1).copied())? })
}

pub(super) fn book_name(text: Option<&str>) -> Result<Option<Label>, ArgError> {
    text.map(str::parse).transpose().map_err(|error: crate::domain::NameError| ArgError::Usage(error.to_string()))
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
