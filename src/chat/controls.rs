//! Which change do the words after a control's name mean? Amounts, levels, parts and books, each refused in words where it is none.

use std::str::FromStr;

use crate::control::{Amount, Control, Level, Part, Positions};
use crate::domain::when::ends;
use crate::domain::{Money, OrderId, Price, Quantity, Ratio, Side, Symbol};

use super::arguments::{book_name, symbol};
use super::command::{ArgError, Asked, Wish};

/// The arguments that were not read yet.
pub(super) struct Rest<'a>(&'a [&'a str]);

impl<'a> Rest<'a> {
    pub(super) fn of(args: &'a [&'a str]) -> Self {
        Self(args)
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// The next word, if it can be read like this.
    pub(super) fn next_if<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let read = read(self.0.first()?)?;
        self.0 = &self.0[1..];
        Some(read)
    }

    /// What is left can only be the name of a book.
    pub(super) fn wish(mut self, control: Control) -> Result<Wish, ArgError> {
        let word = self.next();
        // Nobody calls a book like a figure: it is one that does not fit.
        if let Some(figure) = word.filter(|word| is_figure(word)) {
            return no(figure, "possible here: it is out of range, or of another kind than is asked for");
        }
        let book = book_name(word)?;
        match self.next() {
            None => Ok(Wish { control, book }),
            Some(more) => no(more, "anything that belongs here"),
        }
    }
}

fn is_figure(word: &str) -> bool {
    let bare = word.trim_start_matches(['-', '+', '$']).trim_end_matches('%');
    word.ends_with('%') || word.starts_with(['-', '+', '$']) || bare.replace([',', ':'], ".").parse::<f64>().is_ok()
}

/// Says that a word is not what it should be.
fn no<T>(text: &str, what: &str) -> Result<T, ArgError> {
    Err(ArgError::Usage(format!("\"{}\" is not {what}", text.escape_debug())))
}

/// A number above zero.
pub(super) fn positive<T: FromStr + PartialOrd + Default>(text: &str) -> Option<T> {
    text.parse().ok().filter(|number| *number > T::default())
}

/// `50%`, as a share of one; what is too small to be one is none.
pub(super) fn share(text: &str) -> Option<Ratio> {
    let percent: Ratio = positive(text.strip_suffix('%')?)?;
    percent.scaled(1, 100).ok().filter(|share| *share > Ratio::ZERO)
}

fn part(text: &str) -> Option<Part> {
    match text {
        "half" => Some(Part::Share(Ratio::from_percent(50))),
        "all" => Some(Part::Share(Ratio::ONE)),
        _ => share(text)
            .filter(|share| *share <= Ratio::ONE)
            .map(Part::Share)
            .or_else(|| positive(text).map(Part::Units)),
    }
}

fn amount(text: &str) -> Option<Amount> {
    let money = || text.strip_prefix('$').and_then(positive::<Money>).map(Amount::Money);
    let units = || positive::<Quantity>(text).map(Amount::Units);
    share(text).map(Amount::Equity).or_else(money).or_else(units)
}

fn level(text: &str) -> Result<Level, ArgError> {
    let read = share(text).filter(|share| *share < Ratio::ONE).map(Level::Away);
    let read = read.or_else(|| positive::<Price>(text).map(Level::Price));
    read.map_or_else(|| no(text, "a level: use a price such as 175.50, or a distance such as 3%"), Ok)
}

/// `/close AAPL 50%`, `/close losers`, `/close all main`.
pub(super) fn close(asked: &Asked<'_>) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let first = rest.next().unwrap_or_default();
    let what = match first.to_ascii_lowercase().as_str() {
        "losers" => Positions::Losers,
        "winners" => Positions::Winners,
        "all" => Positions::All,
        _ => Positions::Of(symbol(first)?),
    };
    let part = rest.next_if(part).unwrap_or(Part::Share(Ratio::ONE));
    if let (Part::Units(_), Positions::Losers | Positions::Winners | Positions::All) = (part, what) {
        return Err(ArgError::Usage("of several positions a share is closed, such as 50%".to_owned()));
    }
    rest.wish(Control::Close { what, part })
}

/// `/closeall main`.
pub(super) fn close_all(asked: &Asked<'_>) -> Result<Wish, ArgError> {
    Rest::of(asked.args).wish(Control::Close { what: Positions::All, part: Part::Share(Ratio::ONE) })
}

/// `/buy TSLA 50`, `/buy TSLA $500 limit 170`, `/sell TSLA`.
pub(super) fn trade(side: Side, asked: &Asked<'_>) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let symbol = symbol(rest.next().unwrap_or_default())?;
    let amount = rest.next_if(amount).unwrap_or(Amount::Usual);
    let limit = rest.next_if(|word| ["limit", "at"].contains(&word.to_ascii_lowercase().as_str()).then_some(()));
    let limit = limit.map(|()| price(rest.next().unwrap_or_default())).transpose()?;
    rest.wish(Control::Trade { side, symbol, amount, limit })
}

fn price(text: &str) -> Result<Price, ArgError> {
    if text.is_empty() {
        return Err(ArgError::Usage("limit at which price? Such as limit 175.50".to_owned()));
    }
    positive(text).map_or_else(|| no(text, "a price: use a number such as 175.50"), Ok)
}

/// `O17` or `17`.
pub(super) fn order(text: &str) -> Result<OrderId, ArgError> {
    let number = text.trim_start_matches(['O', 'o', '#']);
    number.parse().map(OrderId).or_else(|_| no(text, "the number of an order: use one of /orders, such as O17"))
}

/// `/cancel O17`.
pub(super) fn cancel(asked: &Asked<'_>) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let order = order(rest.next().unwrap_or_default())?;
    rest.wish(Control::Cancel { order })
}

/// `/modify O17 price=170 quantity=40`.
pub(super) fn modify(asked: &Asked<'_>) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let order = order(rest.next().unwrap_or_default())?;
    let (mut to, mut quantity) = (None, None);
    while let Some((key, value)) = rest.next_if(|word| {
        let (key, value) = word.split_once('=')?;
        Some((key.to_ascii_lowercase(), value.to_owned()))
    }) {
        match key.as_str() {
            "price" => to = Some(price(&value)?),
            "quantity" | "amount" => {
                let read = positive::<Quantity>(&value);
                quantity = Some(read.map_or_else(|| no(&value, "a quantity"), Ok)?);
            }
            _ => return no(&key, "something of an order that can be changed: use price=170 or quantity=40"),
        }
    }
    if to.is_none() && quantity.is_none() {
        return Err(ArgError::Usage("say what to change: price=170, quantity=40, or both".to_owned()));
    }
    rest.wish(Control::Modify { order, price: to, quantity })
}

/// A symbol and a level: `/sl AAPL 175`, `/trail AAPL 2%`.
pub(super) fn leveled(asked: &Asked<'_>, control: fn(Symbol, Level) -> Control) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let symbol = symbol(rest.next().unwrap_or_default())?;
    let level = level(rest.next().unwrap_or_default())?;
    rest.wish(control(symbol, level))
}

/// `/tp AAPL 185`, `/tp AAPL off`.
pub(super) fn target(asked: &Asked<'_>) -> Result<Wish, ArgError> {
    if asked.args.get(1).is_some_and(|word| word.eq_ignore_ascii_case("off")) {
        let symbol = symbol(asked.args[0])?;
        return Rest::of(&asked.args[2..]).wish(Control::Target { symbol, level: None });
    }
    leveled(asked, |symbol, level| Control::Target { symbol, level: Some(level) })
}

/// `/setstops 3%`, `/taketargets main`.
pub(super) fn spread(asked: &Asked<'_>, control: fn(Option<Ratio>) -> Control) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let distance = rest.next_if(|word| share(word).filter(|share| *share < Ratio::ONE));
    rest.wish(control(distance))
}

/// `/block AAPL 1d`, `/block AAPL until friday`.
pub(super) fn block(asked: &Asked<'_>) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let symbol = symbol(rest.next().unwrap_or_default())?;
    let bare = |rest: &mut Rest<'_>| rest.next_if(|word| ends(&[word], asked.now, asked.zone).ok());
    let until = asked.until.or_else(|| bare(&mut rest).map(|until| until.at));
    let Some(until) = until else {
        return Err(ArgError::Usage("say for how long, as in /block AAPL 1d or /block AAPL until friday".to_owned()));
    };
    rest.wish(Control::Block { symbol, until })
}

/// A control that takes the name of a book and nothing else.
pub(super) fn of_book(asked: &Asked<'_>, control: Control) -> Result<Wish, ArgError> {
    Rest::of(asked.args).wish(control)
}
