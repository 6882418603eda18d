//! Which commands answer what is held, what can be lost and why?

use crate::views;

use super::arguments::{book_name, chart, dry_cycle, pnl, screen_now, status, symbol, trades, trades_file};
use super::command::{Command, Group, Run};
use super::handle::Reply;
use super::menus;
use super::notes::{note, tag};
use super::params::{Param, What};
use super::personal::alert;
use super::seat::Place;

use super::commands::{BARE, BOOK, NOTED, OF_A_BOOK, WATCHED};

/// These commands.
pub(super) const VIEWS: &[Command] = &[
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
        name: "changes",
        group: Group::Risk,
        help: "What people changed over the file: who, since when, until when, what the file says",
        example: "/changes",
        run: Run::View(|views, args| Ok(views::over_file(views, args.first().copied())?)),
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
        help: "Why something was bought or sold: signal, checks, fills, and your notes",
        example: "/why O1",
        run: Run::ViewOrFile(
            |views, args| Ok(views::why(views, args[0])?),
            |views, args| Ok(views::why_noted(views, args[0])?),
        ),
    },
    Command {
        name: "note",
        group: Group::Reasons,
        params: &[NOTED, Param::perhaps("text", "WORDS", What::Words, "What you want to remember of it")],
        help: "Keeps your words with a trade, order, symbol, message or day; /why shows them",
        example: "/note AAPL waits for earnings",
        run: Run::Personal(note),
        ..BARE
    },
    Command {
        name: "tag",
        group: Group::Reasons,
        params: &[
            NOTED,
            Param::perhaps("tags", "TAG|-TAG", What::Tags, "Tags that it gets; with - before it, one that it loses"),
        ],
        help: "Files a trade, order, symbol, message or day under tags; /why and /trades show them",
        example: "/tag AAPL patient",
        run: Run::Personal(tag),
        ..BARE
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
];
