//! Which commands are there? Help, menus, completion and the parser are derived from this table; its order is their order.

use crate::control::Control;
use crate::views;

use super::arguments::{book, book_name, chart, dry_cycle, pnl, screen_now, status, symbol, trades, trades_file};
use super::attention::{ack, less, mute, notice};
use super::command::{Command, Group, Personal, Run};
use super::handle::Reply;
use super::menus;
use super::params::{Param, What};
use super::personal::alert;
use super::seat::Place;

const BOOK: Param = Param::perhaps("book", "book", What::Book, "One book alone");
const KIND: Param = Param::needed("kind", "KIND", What::Patient, "The kind of message");
const WATCHED: Param = Param::needed("symbol", "SYMBOL", What::Symbol, "The symbol");

/// A command without arguments and other names.
const BARE: Command = Command {
    name: "",
    aliases: &[],
    group: Group::System,
    params: &[],
    help: "",
    example: "",
    run: Run::Text(|_, _| Ok(Reply::Text(String::new()))),
};

/// A command that may name a book.
const OF_A_BOOK: Command = Command { params: &[BOOK], ..BARE };

/// Every command.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "start",
        group: Group::System,
        help: "What this is and where to begin",
        example: "/start",
        run: Run::Text(|_, _| Ok(Reply::Text(menus::welcome()))),
        ..BARE
    },
    Command {
        name: "help",
        aliases: &["h"],
        group: Group::System,
        params: &[Param::perhaps("command", "command", What::Command, "One command, with an example")],
        help: "All commands, or one of them with an example",
        example: "/help positions",
        run: Run::Text(|place, args| match (args.first(), place) {
            (None, Place::Machine) => Ok(Reply::Text(menus::help())),
            (None, _) => Ok(Reply::Message(Box::new(menus::help_list()))),
            (Some(name), _) => menus::help_of(name).map(|message| Reply::Message(Box::new(message))),
        }),
    },
    Command {
        name: "status",
        aliases: &["s"],
        group: Group::Portfolio,
        help: "Equity, today, exposure, open risk, trading state",
        example: "/status",
        run: Run::View(status),
        ..BARE
    },
    Command {
        name: "positions",
        aliases: &["p"],
        group: Group::Portfolio,
        params: &[BOOK],
        help: "What is held, its profit and its stops",
        example: "/positions",
        run: Run::View(|views, args| Ok(views::positions(views, args.first().copied())?)),
    },
    Command {
        name: "books",
        group: Group::Portfolio,
        help: "All books with their state, equity and result",
        example: "/books",
        run: Run::View(|views, _| Ok(views::books(views)?)),
        ..BARE
    },
    Command {
        name: "orders",
        group: Group::Portfolio,
        help: "Orders under way, stops included",
        example: "/orders",
        run: Run::View(|views, _| Ok(views::orders(views)?)),
        ..BARE
    },
    Command {
        name: "trades",
        aliases: &[],
        group: Group::Portfolio,
        params: &[Param::perhaps(
            "rows",
            "how many|csv",
            What::Like(&["5", "10", "20", "50", "100", "csv"]),
            "How many, or csv for all of them as a file",
        )],
        help: "The last closed trades with their results; with csv, all of them as a file",
        example: "/trades 5",
        run: Run::ViewOrFile(trades, trades_file),
    },
    Command {
        name: "chart",
        aliases: &[],
        group: Group::Portfolio,
        params: &[
            Param::needed("what", "SYMBOL|equity", What::Picture, "A symbol, or equity"),
            Param::perhaps("bars", "TIMEFRAME|BOOK", What::BarsOrBook, "Which bars, or whose equity"),
        ],
        help: "A picture of a symbol with its trades, or of a book's equity",
        example: "/chart AAPL",
        run: Run::Ask(chart),
    },
    Command {
        name: "pnl",
        aliases: &["profit"],
        group: Group::Portfolio,
        params: &[Param::perhaps(
            "period",
            "day|week|month|all",
            What::OneOf(&["day", "week", "month", "all"]),
            "How far back",
        )],
        help: "Profit of the day, week, month, or since the start",
        example: "/pnl week",
        run: Run::View(pnl),
    },
    Command {
        name: "costs",
        group: Group::Portfolio,
        help: "What trading cost against the prices it was decided at",
        example: "/costs",
        run: Run::View(|views, args| Ok(views::costs(views, args.first().copied())?)),
        ..OF_A_BOOK
    },
    Command {
        name: "strategies",
        group: Group::Portfolio,
        help: "What each strategy earned, and how right its signals were",
        example: "/strategies",
        run: Run::View(|views, args| Ok(views::strategies(views, args.first().copied())?)),
        ..OF_A_BOOK
    },
    Command {
        name: "watchlist",
        aliases: &["w"],
        group: Group::Portfolio,
        help: "Watched symbols by sector with their last prices",
        example: "/watchlist",
        run: Run::View(|views, _| Ok(views::watchlist(views)?)),
        ..BARE
    },
    Command {
        name: "ack",
        aliases: &["seen"],
        group: Group::Attention,
        params: &[Param::perhaps(
            "message",
            "MESSAGE",
            What::Open,
            "Its number; the last one that asks for it if none",
        )],
        help: "You have seen it: nobody else is called for it",
        example: "/ack N42",
        run: Run::Personal(ack),
    },
    Command {
        name: "mute",
        aliases: &[],
        group: Group::Attention,
        params: &[
            KIND,
            Param::perhaps(
                "time",
                "15m|2h|off",
                What::Like(&["15m", "1h", "2h", "8h", "24h", "off"]),
                "For how long; off ends it",
            ),
        ],
        help: "Not told of a kind for a while, 24 h at the most",
        example: "/mute feed_stale 2h",
        run: Run::Personal(mute),
    },
    Command {
        name: "less",
        aliases: &[],
        group: Group::Attention,
        params: &[
            Param::needed(
                "kind",
                "KIND|MESSAGE|digest",
                What::PatientOrMessage,
                "The kind, a message of it, or the digest",
            ),
            Param::perhaps("off", "off", What::Off, "As it was"),
        ],
        help: "A kind told more quietly from now on, or no digest at all; with off, as it was",
        example: "/less position_scaled",
        run: Run::Personal(less),
    },
    Command {
        name: "noise",
        group: Group::Attention,
        help: "What costs you the most attention",
        example: "/noise",
        run: Run::View(|views, _| Ok(views::noise(views)?)),
        ..BARE
    },
    Command {
        name: "missed",
        group: Group::Attention,
        help: "What did not reach you by itself: held, muted, gathered",
        example: "/missed",
        run: Run::View(|views, _| Ok(views::missed(views)?)),
        ..BARE
    },
    Command {
        name: "route",
        aliases: &["routes"],
        group: Group::Attention,
        params: &[Param::perhaps("kind", "KIND", What::Kind, "One kind alone")],
        help: "Who gets a kind of message, how, and why",
        example: "/route trading_halted",
        run: Run::View(|views, args| {
            Ok(args.first().map_or_else(|| views::routes(views), |kind| views::route(views, kind))?)
        }),
    },
    Command {
        name: "deliveries",
        group: Group::Attention,
        help: "Every message by way: delivered, held back, given up, waiting",
        example: "/deliveries",
        run: Run::View(|views, _| Ok(views::deliveries(views)?)),
        ..BARE
    },
    Command {
        name: "trace",
        aliases: &[],
        group: Group::Attention,
        params: &[Param::needed("message", "MESSAGE", What::Message, "Its number, such as N42")],
        help: "What became of a message: each try, its answer, its time",
        example: "/trace N1",
        run: Run::View(|views, args| Ok(views::trace(views, notice(args[0])?)?)),
    },
    Command {
        name: "test",
        group: Group::Attention,
        help: "A test message on every way",
        example: "/test",
        run: Run::Personal(|_| Ok(Personal::Drill)),
        ..BARE
    },
    Command {
        name: "pair",
        aliases: &[],
        group: Group::Attention,
        params: &[Param::perhaps("code", "CODE", What::Code, "The code that the machine shows")],
        help: "Binds a chat to a person, by a code from the machine",
        example: "/pair",
        run: Run::Text(|_, _| {
            let how = "On the machine, \"bellwether pair PERSON\" shows a code. Send it to the bot in a chat of your own, as /pair CODE";
            Ok(Reply::Text(how.to_owned()))
        }),
    },
    Command {
        name: "alert",
        aliases: &[],
        group: Group::Portfolio,
        params: &[Param::needed(
            "when",
            "CONDITION|delete A3",
            What::Condition,
            "What has to come true, or delete and which",
        )],
        help: "Tell me when AAPL > 200, AAPL rsi < 30, pnl < -300, day < -2%; repeat, for 2d, until 2026-12-01",
        example: "/alert AAPL > 200",
        run: Run::Personal(alert),
    },
    Command {
        name: "alerts",
        group: Group::Portfolio,
        help: "Your alerts that wait, and how often they fired",
        example: "/alerts",
        run: Run::View(|views, _| Ok(views::alerts(views)?)),
        ..BARE
    },
    Command {
        name: "risk",
        group: Group::Risk,
        help: "What can be lost: stops, a bad day, bad times, beta",
        example: "/risk",
        run: Run::View(|views, args| Ok(views::risk(views, args.first().copied())?)),
        ..OF_A_BOOK
    },
    Command {
        name: "exposure",
        group: Group::Risk,
        help: "Where the money is: long and short by symbol, sector, class",
        example: "/exposure",
        run: Run::View(|views, args| Ok(views::exposure(views, args.first().copied())?)),
        ..OF_A_BOOK
    },
    Command {
        name: "correlation",
        group: Group::Risk,
        help: "What of the holdings moves together",
        example: "/correlation",
        run: Run::View(|views, args| Ok(views::correlation(views, args.first().copied())?)),
        ..OF_A_BOOK
    },
    Command {
        name: "stress",
        aliases: &[],
        group: Group::Risk,
        params: &[Param::perhaps("scenario", "scenario", What::Scenario, "One bad time alone"), BOOK],
        help: "What bad times of the past would cost what is held now",
        example: "/stress 2008",
        run: Run::View(|views, args| Ok(views::stress(views, args)?)),
    },
    Command {
        name: "limits",
        group: Group::Risk,
        help: "Each limit, how much is used and left, nearest first",
        example: "/limits",
        run: Run::View(|views, args| Ok(views::limits(views, args.first().copied())?)),
        ..OF_A_BOOK
    },
    Command {
        name: "locks",
        group: Group::Risk,
        help: "What may not be traded or entered now, and why",
        example: "/locks",
        run: Run::View(|views, args| Ok(views::locks(views, args.first().copied())?)),
        ..OF_A_BOOK
    },
    Command {
        name: "why",
        aliases: &[],
        group: Group::Reasons,
        params: &[Param::needed(
            "of",
            "SYMBOL|ORDER|TRADE|MESSAGE",
            What::Reason,
            "What was traded, or a number of it",
        )],
        help: "Why something was bought or sold: signal, checks, fills",
        example: "/why O1",
        run: Run::View(|views, args| Ok(views::why(views, args[0])?)),
    },
    Command {
        name: "whynot",
        aliases: &[],
        group: Group::Reasons,
        params: &[WATCHED],
        help: "Why nothing was bought: the rule or limit that said no",
        example: "/whynot AAPL",
        run: Run::View(|views, args| Ok(views::whynot(views, symbol(args[0])?)?)),
    },
    Command {
        name: "cycle",
        aliases: &[],
        group: Group::Reasons,
        params: &[Param::needed("how", "dry", What::OneOf(&["dry"]), "Dry: submits nothing")],
        help: "What the strategies would do now; submits nothing",
        example: "/cycle dry",
        run: Run::Ask(dry_cycle),
    },
    Command {
        name: "screener",
        aliases: &[],
        group: Group::Reasons,
        params: &[
            Param::perhaps("now", "now", What::OneOf(&["now"]), "Measured anew"),
            Param::perhaps("book", "BOOK", What::Book, "One book alone"),
        ],
        help: "What the screener measured, who is in and why not; with now, measured anew and nothing changed",
        example: "/screener",
        run: Run::ViewOrAsk(|views, args| Ok(views::screener(views, book_name(args.first().copied())?)?), screen_now),
    },
    Command {
        name: "readiness",
        aliases: &[],
        group: Group::Reasons,
        params: &[Param::perhaps("book", "BOOK", What::Book, "One book alone")],
        help: "Whether a book has earned real money: each rule, and the share of capital it allows",
        example: "/readiness",
        run: Run::View(|views, args| Ok(views::readiness(views, book_name(args.first().copied())?)?)),
    },
    Command {
        name: "halt",
        aliases: &["stop"],
        group: Group::Control,
        help: "Stop trading now; stops and targets stay. Needs no PIN",
        example: "/halt",
        run: Run::Control(|_| Ok(Control::Halt)),
        ..BARE
    },
    Command {
        name: "resume",
        group: Group::Control,
        help: "Let trading go on; shows the effect, then asks for the PIN",
        example: "/resume",
        run: Run::Control(|_| Ok(Control::Resume)),
        ..BARE
    },
    Command {
        name: "unlock",
        aliases: &[],
        group: Group::Control,
        params: &[Param::needed("symbol", "SYMBOL", What::Locked, "The symbol")],
        help: "Believe a price that moved too far, or enter again; asks for the PIN",
        example: "/unlock AAPL",
        run: Run::Control(|args| Ok(Control::Unlock { symbol: symbol(args[0])? })),
    },
    Command {
        name: "book",
        aliases: &[],
        group: Group::Control,
        params: &[
            Param::needed(
                "action",
                "start|pause|stop|reset",
                What::OneOf(&["start", "pause", "stop", "reset"]),
                "What to do with it",
            ),
            Param::perhaps("book", "BOOK", What::Book, "Which one, where there are several"),
        ],
        help: "Start, pause, stop or reset a book; asks for the PIN",
        example: "/book pause main",
        run: Run::Control(book),
    },
    Command {
        name: "schedule",
        group: Group::System,
        help: "When each strategy runs, ran last and runs next",
        example: "/schedule",
        run: Run::View(|views, _| Ok(views::schedule(views)?)),
        ..BARE
    },
    Command {
        name: "runs",
        group: Group::System,
        help: "When the bot ran, on what, and how it ended",
        example: "/runs",
        run: Run::View(|views, _| Ok(views::runs(views)?)),
        ..BARE
    },
    Command {
        name: "health",
        group: Group::System,
        help: "Each part and the age of its last success",
        example: "/health",
        run: Run::View(|views, _| Ok(views::health(views)?)),
        ..BARE
    },
];

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
