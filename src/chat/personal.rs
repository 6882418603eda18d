//! What may somebody change for themselves alone? Their alerts. No PIN is asked for, and each change is in the audit.

use std::collections::HashSet;

use crate::clock::Timestamp;
use crate::domain::format::counted;
use crate::domain::when::clause;
use crate::domain::{ALERTS_MAX, AlertId, AlertRequest, AlertSubject, Condition, Label, Symbol};
use crate::store::{NewAlert, StoreError};
use crate::views::{ViewError, Views};

use super::attention::DONE_BEFORE;
use super::command::{ArgError, Personal};
use super::handle::{Chat, Inbound, Reply};

impl From<StoreError> for ArgError {
    fn from(error: StoreError) -> Self {
        Self::View(ViewError::Store(error))
    }
}

/// `/alert AAPL > 200`, `/alert delete A3`, `/alert delete all`.
pub(super) fn alert(args: &[&str]) -> Result<Personal, ArgError> {
    let usage = |what: String| ArgError::Usage(what);
    let first = args.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    if !matches!(first.as_str(), "delete" | "remove") {
        return Ok(Personal::AddAlert(args.join(" ")));
    }
    match args[1..] {
        [which] if which.eq_ignore_ascii_case("all") => Ok(Personal::DeleteAlerts(None)),
        [which] => {
            let shown: String = which.chars().take(24).flat_map(char::escape_debug).collect();
            let id: Result<AlertId, _> = which.parse();
            let id =
                id.map_err(|_| usage(format!("\"{shown}\" is no number of an alert: /alert delete A3, or all")))?;
            Ok(Personal::DeleteAlerts(Some(id)))
        }
        _ => Err(usage("which one? /alert delete A3, or /alert delete all".to_owned())),
    }
}

impl Chat {
    /// Carries out what concerns the asker alone.
    pub(super) fn personal(&self, inbound: &Inbound, what: Personal) -> Result<Reply, ArgError> {
        let views = self.views(inbound)?;
        let said = match what {
            Personal::AddAlert(words) => self.add_alert(inbound, &words, &views),
            Personal::DeleteAlerts(which) => self.delete_alerts(inbound, which),
            Personal::Ack(notice) => self.acknowledge(inbound, notice, &views),
            Personal::Mute { kind, lasts } => self.mute(inbound, kind, &lasts, &views),
            Personal::Less(of) => self.less(inbound, of, &views),
            Personal::Usual(kind) => self.usual(inbound, kind),
            Personal::UsualDigest => self.digest(inbound, None),
            Personal::Drill => self.drill(inbound),
            Personal::Note { about, text } => self.note(inbound, &about, text, &views),
            Personal::Tag { about, put, take } => self.tag(inbound, &about, (&put, &take), &views),
            Personal::Settings(wanted) => self.settings(inbound, wanted, &views),
            Personal::Undo => return self.undo(inbound),
        };
        said.map(Reply::Text)
    }

    fn add_alert(&self, inbound: &Inbound, words: &str, views: &Views) -> Result<String, ArgError> {
        let known = Known::of(views)?;
        let words: Vec<&str> = words.split(' ').collect();
        let (words, until) = clause(&words, known.market.unwrap_or_default(), views.zone()?)?;
        let request = words.join(" ").parse::<AlertRequest>().map_err(|error| ArgError::Usage(error.to_string()))?;
        if until.is_some() && known.market.is_none() {
            let what = "nothing has run yet, so there is no time of the market to count from: leave the time out";
            return Err(ArgError::Usage(what.to_owned()));
        }
        let symbols = &known.symbols;
        let condition = request.condition.in_books(&known.books, |symbol| symbols.contains(&symbol));
        known.check(&condition, views)?;
        let person = inbound.person.name.clone();
        let alert = NewAlert {
            person,
            channel: inbound.chat.clone(),
            condition,
            repeats: request.repeats,
            expires: until.as_ref().map(|until| until.at),
        };
        let Some(added) = self.parts.store.add_alert(alert, self.parts.clock.now())? else {
            return Ok(DONE_BEFORE.to_owned());
        };
        let Some(id) = added else {
            let what = format!("{ALERTS_MAX} alerts of yours wait, which is the most: /alert delete A3 makes room");
            return Err(ArgError::Usage(what));
        };
        let often = if request.repeats { "each time it comes true" } else { "once" };
        let until = until.map(|until| format!(", {}", until.said)).unwrap_or_default();
        let mut lines = vec![format!("{id} set: {condition}, {often}{until}")];
        if let AlertSubject::Study { study, timeframe, .. } = condition.subject {
            let bars = timeframe.map_or("the finest bars".to_owned(), |timeframe| format!("bars of {timeframe}"));
            let count = study.warm_up();
            lines.push(format!("Its first figure takes {count} of {bars}; those that the bot remembers count"));
        }
        if !views.is_running() {
            lines.push("The bot is not running: it is looked at from the next start on".to_owned());
        }
        Ok(lines.join("\n"))
    }

    fn delete_alerts(&self, inbound: &Inbound, which: Option<AlertId>) -> Result<String, ArgError> {
        let (person, now) = (&inbound.person.name, self.parts.clock.now());
        let Some(gone) = self.parts.store.delete_alerts(person, which, &inbound.chat, now)? else {
            return Ok(DONE_BEFORE.to_owned());
        };
        match (which, gone.as_slice()) {
            (None, []) => Ok("no alert of yours waits".to_owned()),
            (Some(id), []) => Err(ArgError::Usage(format!("no alert {id} of yours waits; /alerts lists them"))),
            (_, [one]) => Ok(format!("{} deleted: {}", one.id, one.condition)),
            (_, all) => Ok(format!("{} deleted", counted(all.len() as u64, "alert"))),
        }
    }
}

/// What an alert may name.
struct Known {
    books: Vec<Label>,
    currencies: HashSet<String>,
    symbols: HashSet<Symbol>,
    market: Option<Timestamp>,
}

impl Known {
    fn of(views: &Views) -> Result<Self, ArgError> {
        let reader = views.reader();
        let rows = reader.books()?;
        let mut symbols: HashSet<Symbol> = reader.marks()?.iter().map(|mark| mark.symbol).collect();
        for row in &rows {
            symbols.extend(reader.watchlist(row.book.name)?.1.iter().map(|item| item.symbol));
        }
        let market = reader.progress()?.map(|progress| progress.market);
        let books = rows.iter().map(|row| row.book.name).collect();
        let currencies = rows.into_iter().map(|row| row.book.currency).collect();
        Ok(Self { books, currencies, symbols, market })
    }

    /// What can never come true is refused while somebody is there to read why. Before the first run nothing is known, so nothing is.
    fn check(&self, condition: &Condition, views: &Views) -> Result<(), ArgError> {
        let refuse = |what: String| Err(ArgError::Usage(what));
        let subject = &condition.subject;
        if let Some(own) = &views.asker().books
            && !matches!(subject, AlertSubject::Price { .. } | AlertSubject::Study { .. })
            && subject.book().is_none_or(|book| !own.contains(&book))
        {
            let own: Vec<&str> = own.iter().map(Label::as_str).collect();
            return refuse(format!(
                "name one of your books, which are {}, as in {} pnl < -300",
                own.join(", "),
                own.first().unwrap_or(&"main")
            ));
        }
        if let Some(book) = subject.book().filter(|book| !self.books.is_empty() && !self.books.contains(book)) {
            let known: Vec<&str> = self.books.iter().map(Label::as_str).collect();
            return refuse(format!("there is no book \"{book}\": books are {}", known.join(", ")));
        }
        if let Some(symbol) = subject.symbol().filter(|it| !self.symbols.is_empty() && !self.symbols.contains(it)) {
            return refuse(format!("{symbol} is not watched; /watchlist lists what is watched"));
        }
        if subject.book().is_none() && subject.symbol().is_none() && self.currencies.len() > 1 {
            return refuse(format!(
                "the books have different currencies: name one, as in {} pnl < -300",
                self.books[0]
            ));
        }
        if let AlertSubject::Study { symbol, timeframe: Some(asked), .. } = subject {
            let mark = views.reader().marks()?.into_iter().find(|mark| mark.symbol == *symbol);
            if let Some(mark) = mark.filter(|mark| *asked < mark.timeframe) {
                return refuse(format!("the finest bars of {symbol} are of {}", mark.timeframe));
            }
        }
        Ok(())
    }
}
