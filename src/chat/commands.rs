//! Which commands are there? Help, menus, completion and the parser are derived from this table; its order is their order.

use crate::control::Control;
use crate::domain::{Label, Message, Symbol};
use crate::views::{self, Period, Views};

use super::attention::{ack, less, mute, notice};
use super::command::{ArgError, Arity, Command, Drawing, Group, Personal, Question, Run};
use super::menus;
use super::personal::alert;

const NONE: Arity = Arity { min: 0, max: 0 };
const ONE: Arity = Arity { min: 1, max: 1 };
const PERHAPS: Arity = Arity { min: 0, max: 1 };

/// How many trades are listed unless a number is given.
const TRADES_SHOWN: u32 = 10;
/// The most trades in one answer.
const TRADES_SHOWN_MAX: u32 = 100;

/// Every command.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "start",
        aliases: &[],
        group: Group::System,
        args: "",
        arity: NONE,
        help: "What this is and where to begin",
        example: "/start",
        run: Run::Text(|_| Ok(menus::welcome())),
    },
    Command {
        name: "help",
        aliases: &["h"],
        group: Group::System,
        args: "[command]",
        arity: PERHAPS,
        help: "All commands, or one of them with an example",
        example: "/help positions",
        run: Run::Text(|args| match args.first() {
            None => Ok(menus::help()),
            Some(name) => menus::help_of(name),
        }),
    },
    Command {
        name: "status",
        aliases: &["s"],
        group: Group::Portfolio,
        args: "",
        arity: NONE,
        help: "Equity, today, exposure, open risk, trading state",
        example: "/status",
        run: Run::View(status),
    },
    Command {
        name: "positions",
        aliases: &["p"],
        group: Group::Portfolio,
        args: "[book]",
        arity: PERHAPS,
        help: "What is held, its profit and its stops",
        example: "/positions",
        run: Run::View(|views, args| Ok(views::positions(views, args.first().copied())?)),
    },
    Command {
        name: "books",
        aliases: &[],
        group: Group::Portfolio,
        args: "",
        arity: NONE,
        help: "All books with their state, equity and result",
        example: "/books",
        run: Run::View(|views, _| Ok(views::books(views)?)),
    },
    Command {
        name: "orders",
        aliases: &[],
        group: Group::Portfolio,
        args: "",
        arity: NONE,
        help: "Orders under way, stops included",
        example: "/orders",
        run: Run::View(|views, _| Ok(views::orders(views)?)),
    },
    Command {
        name: "trades",
        aliases: &[],
        group: Group::Portfolio,
        args: "[how many|csv]",
        arity: PERHAPS,
        help: "The last closed trades with their results; with csv, all of them as a file",
        example: "/trades 5",
        run: Run::ViewOrFile(trades, trades_file),
    },
    Command {
        name: "chart",
        aliases: &[],
        group: Group::Portfolio,
        args: "SYMBOL|equity [TIMEFRAME|BOOK]",
        arity: Arity { min: 1, max: 2 },
        help: "A picture of a symbol with its trades, or of a book's equity",
        example: "/chart AAPL",
        run: Run::Ask(chart),
    },
    Command {
        name: "pnl",
        aliases: &["profit"],
        group: Group::Portfolio,
        args: "[day|week|month|all]",
        arity: PERHAPS,
        help: "Profit of the day, week, month, or since the start",
        example: "/pnl week",
        run: Run::View(pnl),
    },
    Command {
        name: "costs",
        aliases: &[],
        group: Group::Portfolio,
        args: "[book]",
        arity: PERHAPS,
        help: "What trading cost against the prices it was decided at",
        example: "/costs",
        run: Run::View(|views, args| Ok(views::costs(views, args.first().copied())?)),
    },
    Command {
        name: "strategies",
        aliases: &[],
        group: Group::Portfolio,
        args: "[book]",
        arity: PERHAPS,
        help: "What each strategy earned, and how right its signals were",
        example: "/strategies",
        run: Run::View(|views, args| Ok(views::strategies(views, args.first().copied())?)),
    },
    Command {
        name: "watchlist",
        aliases: &["w"],
        group: Group::Portfolio,
        args: "",
        arity: NONE,
        help: "Watched symbols by sector with their last prices",
        example: "/watchlist",
        run: Run::View(|views, _| Ok(views::watchlist(views)?)),
    },
    Command {
        name: "ack",
        aliases: &["seen"],
        group: Group::Attention,
        args: "[MESSAGE]",
        arity: PERHAPS,
        help: "You have seen it: nobody else is called for it",
        example: "/ack N42",
        run: Run::Personal(ack),
    },
    Command {
        name: "mute",
        aliases: &[],
        group: Group::Attention,
        args: "KIND [15m|2h|off]",
        arity: Arity { min: 1, max: 2 },
        help: "Not told of a kind for a while, 24 h at the most",
        example: "/mute feed_stale 2h",
        run: Run::Personal(mute),
    },
    Command {
        name: "less",
        aliases: &[],
        group: Group::Attention,
        args: "KIND|MESSAGE [off]",
        arity: Arity { min: 1, max: 2 },
        help: "A kind told more quietly from now on; with off, as it was",
        example: "/less position_scaled",
        run: Run::Personal(less),
    },
    Command {
        name: "noise",
        aliases: &[],
        group: Group::Attention,
        args: "",
        arity: NONE,
        help: "What costs you the most attention",
        example: "/noise",
        run: Run::View(|views, _| Ok(views::noise(views)?)),
    },
    Command {
        name: "missed",
        aliases: &[],
        group: Group::Attention,
        args: "",
        arity: NONE,
        help: "What did not reach you by itself: held, muted, gathered",
        example: "/missed",
        run: Run::View(|views, _| Ok(views::missed(views)?)),
    },
    Command {
        name: "route",
        aliases: &["routes"],
        group: Group::Attention,
        args: "[KIND]",
        arity: PERHAPS,
        help: "Who gets a kind of message, how, and why",
        example: "/route trading_halted",
        run: Run::View(|views, args| {
            Ok(args.first().map_or_else(|| views::routes(views), |kind| views::route(views, kind))?)
        }),
    },
    Command {
        name: "deliveries",
        aliases: &[],
        group: Group::Attention,
        args: "",
        arity: NONE,
        help: "Every message by way: delivered, held back, given up, waiting",
        example: "/deliveries",
        run: Run::View(|views, _| Ok(views::deliveries(views)?)),
    },
    Command {
        name: "trace",
        aliases: &[],
        group: Group::Attention,
        args: "MESSAGE",
        arity: ONE,
        help: "What became of a message: each try, its answer, its time",
        example: "/trace N1",
        run: Run::View(|views, args| Ok(views::trace(views, notice(args[0])?)?)),
    },
    Command {
        name: "test",
        aliases: &[],
        group: Group::Attention,
        args: "",
        arity: NONE,
        help: "A test message on every way",
        example: "/test",
        run: Run::Personal(|_| Ok(Personal::Drill)),
    },
    Command {
        name: "pair",
        aliases: &[],
        group: Group::Attention,
        args: "[CODE]",
        arity: PERHAPS,
        help: "Binds a chat to a person, by a code from the machine",
        example: "/pair",
        run: Run::Text(|_| {
            Ok("On the machine, \"bellwether pair PERSON\" shows a code. Send it to the bot in a chat of your own, as /pair CODE"
                .to_owned())
        }),
    },
    Command {
        name: "alert",
        aliases: &[],
        group: Group::Portfolio,
        args: "CONDITION|delete A3",
        arity: Arity { min: 1, max: 16 },
        help: "Tell me when AAPL > 200, AAPL rsi < 30, pnl < -300, day < -2%; repeat, for 2d, until 2026-12-01",
        example: "/alert AAPL > 200",
        run: Run::Personal(alert),
    },
    Command {
        name: "alerts",
        aliases: &[],
        group: Group::Portfolio,
        args: "",
        arity: NONE,
        help: "Your alerts that wait, and how often they fired",
        example: "/alerts",
        run: Run::View(|views, _| Ok(views::alerts(views)?)),
    },
    Command {
        name: "risk",
        aliases: &[],
        group: Group::Risk,
        args: "[book]",
        arity: PERHAPS,
        help: "What can be lost: stops, a bad day, bad times, beta",
        example: "/risk",
        run: Run::View(|views, args| Ok(views::risk(views, args.first().copied())?)),
    },
    Command {
        name: "exposure",
        aliases: &[],
        group: Group::Risk,
        args: "[book]",
        arity: PERHAPS,
        help: "Where the money is: long and short by symbol, sector, class",
        example: "/exposure",
        run: Run::View(|views, args| Ok(views::exposure(views, args.first().copied())?)),
    },
    Command {
        name: "correlation",
        aliases: &[],
        group: Group::Risk,
        args: "[book]",
        arity: PERHAPS,
        help: "What of the holdings moves together",
        example: "/correlation",
        run: Run::View(|views, args| Ok(views::correlation(views, args.first().copied())?)),
    },
    Command {
        name: "stress",
        aliases: &[],
        group: Group::Risk,
        args: "[scenario] [book]",
        arity: Arity { min: 0, max: 2 },
        help: "What bad times of the past would cost what is held now",
        example: "/stress 2008",
        run: Run::View(|views, args| Ok(views::stress(views, args)?)),
    },
    Command {
        name: "limits",
        aliases: &[],
        group: Group::Risk,
        args: "[book]",
        arity: PERHAPS,
        help: "Each limit, how much is used and left, nearest first",
        example: "/limits",
        run: Run::View(|views, args| Ok(views::limits(views, args.first().copied())?)),
    },
    Command {
        name: "locks",
        aliases: &[],
        group: Group::Risk,
        args: "[book]",
        arity: PERHAPS,
        help: "What may not be traded or entered now, and why",
        example: "/locks",
        run: Run::View(|views, args| Ok(views::locks(views, args.first().copied())?)),
    },
    Command {
        name: "why",
        aliases: &[],
        group: Group::Reasons,
        args: "SYMBOL|ORDER|TRADE|MESSAGE",
        arity: ONE,
        help: "Why something was bought or sold: signal, checks, fills",
        example: "/why O1",
        run: Run::View(|views, args| Ok(views::why(views, args[0])?)),
    },
    Command {
        name: "whynot",
        aliases: &[],
        group: Group::Reasons,
        args: "SYMBOL",
        arity: ONE,
        help: "Why nothing was bought: the rule or limit that said no",
        example: "/whynot AAPL",
        run: Run::View(|views, args| Ok(views::whynot(views, symbol(args[0])?)?)),
    },
    Command {
        name: "cycle",
        aliases: &[],
        group: Group::Reasons,
        args: "dry",
        arity: ONE,
        help: "What the strategies would do now; submits nothing",
        example: "/cycle dry",
        run: Run::Ask(|args| match args[0] {
            "dry" => Ok(Question::DryCycle),
            other => {
                Err(ArgError::Usage(format!("\"{}\" is no kind of cycle here: use /cycle dry", other.escape_debug())))
            }
        }),
    },
    Command {
        name: "screener",
        aliases: &[],
        group: Group::Reasons,
        args: "[now] [BOOK]",
        arity: Arity { min: 0, max: 2 },
        help: "What the screener measured, who is in and why not; with now, measured anew and nothing changed",
        example: "/screener",
        run: Run::ViewOrAsk(|views, args| Ok(views::screener(views, book_name(args.first().copied())?)?), screen_now),
    },
    Command {
        name: "readiness",
        aliases: &[],
        group: Group::Reasons,
        args: "[BOOK]",
        arity: PERHAPS,
        help: "Whether a book has earned real money: each rule, and the share of capital it allows",
        example: "/readiness",
        run: Run::View(|views, args| Ok(views::readiness(views, book_name(args.first().copied())?)?)),
    },
    Command {
        name: "halt",
        aliases: &["stop"],
        group: Group::Control,
        args: "",
        arity: NONE,
        help: "Stop trading now; stops and targets stay. Needs no PIN",
        example: "/halt",
        run: Run::Control(|_| Ok(Control::Halt)),
    },
    Command {
        name: "resume",
        aliases: &[],
        group: Group::Control,
        args: "",
        arity: NONE,
        help: "Let trading go on; shows the effect, then asks for the PIN",
        example: "/resume",
        run: Run::Control(|_| Ok(Control::Resume)),
    },
    Command {
        name: "unlock",
        aliases: &[],
        group: Group::Control,
        args: "SYMBOL",
        arity: ONE,
        help: "Believe a price that moved too far, or enter again; asks for the PIN",
        example: "/unlock AAPL",
        run: Run::Control(|args| Ok(Control::Unlock { symbol: symbol(args[0])? })),
    },
    Command {
        name: "book",
        aliases: &[],
        group: Group::Control,
        args: "start|pause|stop|reset [BOOK]",
        arity: Arity { min: 1, max: 2 },
        help: "Start, pause, stop or reset a book; asks for the PIN",
        example: "/book pause main",
        run: Run::Control(book),
    },
    Command {
        name: "schedule",
        aliases: &[],
        group: Group::System,
        args: "",
        arity: NONE,
        help: "When each strategy runs, ran last and runs next",
        example: "/schedule",
        run: Run::View(|views, _| Ok(views::schedule(views)?)),
    },
    Command {
        name: "runs",
        aliases: &[],
        group: Group::System,
        args: "",
        arity: NONE,
        help: "When the bot ran, on what, and how it ended",
        example: "/runs",
        run: Run::View(|views, _| Ok(views::runs(views)?)),
    },
    Command {
        name: "health",
        aliases: &[],
        group: Group::System,
        args: "",
        arity: NONE,
        help: "Each part and the age of its last success",
        example: "/health",
        run: Run::View(|views, _| Ok(views::health(views)?)),
    },
];

fn status(views: &Views, _: &[&str]) -> Result<String, ArgError> {
    Ok(if views.asker().hides_amounts { views::status_shares(views)? } else { views::status(views)? })
}

fn symbol(text: &str) -> Result<Symbol, ArgError> {
    text.parse().map_err(|error: crate::domain::NameError| ArgError::Usage(error.to_string()))
}

fn book(args: &[&str]) -> Result<Control, ArgError> {
    let action = args[0].to_ascii_lowercase().parse().map_err(ArgError::Usage)?;
    Ok(Control::Book { action, book: book_name(args.get(1).copied())? })
}

fn book_name(text: Option<&str>) -> Result<Option<Label>, ArgError> {
    text.map(str::parse).transpose().map_err(|error: crate::domain::NameError| ArgError::Usage(error.to_string()))
}

/// The question behind `/screener now`; none for what the store answers.
fn screen_now(args: &[&str]) -> Result<Option<Question>, ArgError> {
    match args {
        ["now", rest @ ..] => Ok(Some(Question::Screen(book_name(rest.first().copied())?))),
        [other, _, ..] => {
            Err(ArgError::Usage(format!("\"{}\" is no way to ask: use /screener now BOOK", other.escape_debug())))
        }
        [] | [_] => Ok(None),
    }
}

fn trades(views: &Views, args: &[&str]) -> Result<String, ArgError> {
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

fn trades_file(views: &Views, args: &[&str]) -> Result<Option<Message>, ArgError> {
    let wanted = args.first().is_some_and(|word| word.eq_ignore_ascii_case("csv"));
    Ok(if wanted { Some(views::trades_csv(views)?) } else { None })
}

/// `/chart AAPL`, `/chart AAPL 1h`, `/chart equity`, `/chart equity main`.
fn chart(args: &[&str]) -> Result<Question, ArgError> {
    let second = args.get(1).copied();
    if args[0].eq_ignore_ascii_case("equity") {
        return Ok(Question::Chart(Drawing::Equity(book_name(second)?)));
    }
    let timeframe = second.map(|word| word.to_ascii_lowercase().parse()).transpose();
    let timeframe = timeframe.map_err(ArgError::Usage)?;
    Ok(Question::Chart(Drawing::Symbol(symbol(args[0])?, timeframe)))
}

fn pnl(views: &Views, args: &[&str]) -> Result<String, ArgError> {
    let period =
        args.first().map_or(Ok(Period::Day), |text| text.to_ascii_lowercase().parse()).map_err(ArgError::Usage)?;
    Ok(views::pnl(views, period)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Telegram: 100 commands, [a-z0-9_]{1,32}, description 256. Discord: 100, 32, description 100.
    #[test]
    fn every_command_fits_both_platforms_and_names_are_used_once() {
        assert!(COMMANDS.len() <= 100);
        let mut names = Vec::new();
        for Command { name, aliases, help, example, .. } in COMMANDS {
            let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            assert!(plain && (1..=32).contains(&name.len()), "{name}");
            assert!((1..=100).contains(&help.chars().count()), "{name}: {help}");
            assert!(example.starts_with(&format!("/{name}")), "{name}: {example}");
            names.push(*name);
            names.extend(*aliases);
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
