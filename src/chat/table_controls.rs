//! Which commands change what is traded, and what the books may do?

use crate::control::Control;
use crate::domain::Side;

use super::arguments::{book, book_name, symbol};
use super::command::{Command, DeskWork, Group, Run};
use super::controls;
use super::params::{Param, What};
use super::second::number;

use super::commands::{BARE, BOOK, HELD, LEVEL, OF_A_BOOK, TRADE, UNTIL, WAITS, WATCHED};

/// These commands.
pub(super) const CONTROLS: &[Command] = &[
    Command {
        name: "halt",
        aliases: &["stop"],
        group: Group::Control,
        help: "Stop trading now; stops and targets stay. Needs no PIN",
        example: "/halt",
        run: Run::Control(|_| Ok(Control::Halt.into())),
        ..BARE
    },
    Command {
        name: "resume",
        group: Group::Control,
        help: "Let trading go on; shows the effect, then asks for the PIN",
        example: "/resume",
        run: Run::Control(|_| Ok(Control::Resume.into())),
        ..BARE
    },
    Command {
        name: "pause",
        aliases: &["reduce", "stopentry", "stopbuy"],
        group: Group::Control,
        params: &[UNTIL, BOOK],
        help: "No entries for a while or until /resume; exits and stops go on; asks for the PIN",
        example: "/pause for 2h",
        run: Run::Control(|asked| controls::of_book(asked, Control::Pause { until: asked.until })),
    },
    Command {
        name: "block",
        aliases: &[],
        group: Group::Control,
        params: &[WATCHED, Param::needed("time", "1d|until friday", What::Until, "For how long"), BOOK],
        help: "Keep out of a symbol for a while; /unlock ends it; asks for the PIN",
        example: "/block AAPL 1d",
        run: Run::Control(controls::block),
    },
    Command {
        name: "unlock",
        aliases: &[],
        group: Group::Control,
        params: &[Param::needed("symbol", "SYMBOL", What::Locked, "The symbol")],
        help: "Believe a price that moved too far, or enter again; asks for the PIN",
        example: "/unlock AAPL",
        run: Run::Control(|asked| Ok(Control::Unlock { symbol: symbol(asked.args[0])? }.into())),
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
        name: "whatif",
        aliases: &[],
        group: Group::Control,
        params: &[Param::needed("change", "CHANGE", What::Change, "A change, such as close AAPL 50%")],
        help: "What a change would do: orders, cost, cash, exposure, limits; nothing is done",
        example: "/whatif closeall",
        run: Run::Desk(|args| Ok(DeskWork::WhatIf(args.join(" ")))),
    },
    Command {
        name: "live",
        aliases: &[],
        group: Group::Control,
        params: &[
            Param::perhaps("book", "BOOK", What::Book, "Which one, where there are several"),
            Param::perhaps("phrase", "PHRASE", What::Words, "What an owner has to type"),
        ],
        help: "What keeps a book from real money: each gate, met or missed",
        example: "/live",
        run: Run::Desk(|args| {
            let book = book_name(args.first().copied())?;
            Ok(DeskWork::Live(book, args.get(1..).unwrap_or_default().join(" ")))
        }),
    },
    Command {
        name: "approve",
        aliases: &[],
        group: Group::Control,
        params: &[WAITS],
        help: "Agree to a change that waits for a second person; shows it, then asks for your own PIN",
        example: "/approve 7",
        run: Run::Desk(|args| Ok(DeskWork::Approve(number(args)?))),
    },
    Command {
        name: "decline",
        aliases: &[],
        group: Group::Control,
        params: &[WAITS],
        help: "End a change that waits for a second person: it is not done. Needs no PIN",
        example: "/decline 7",
        run: Run::Desk(|args| Ok(DeskWork::Decline(number(args)?))),
    },
    Command {
        name: "newpin",
        group: Group::Control,
        help: "Change your PIN; asks for the old one, then for the new one twice",
        example: "/newpin",
        run: Run::Desk(|_| Ok(DeskWork::NewPin)),
        ..BARE
    },
    Command {
        name: "close",
        aliases: &["forceexit", "fx"],
        group: Group::Orders,
        params: &[
            Param::needed("what", "SYMBOL|losers|winners|all", What::HeldOrGroup, "What to leave"),
            Param::perhaps("part", "50%", What::Share, "How much of it; all if none"),
            BOOK,
        ],
        help: "Leave a position, a part of it, those that lose or win, or all; asks for the PIN",
        example: "/close all 50%",
        run: Run::Control(controls::close),
    },
    Command {
        name: "closeall",
        group: Group::Orders,
        help: "Leave everything, and take back what waits to enter; asks for the PIN",
        example: "/closeall",
        run: Run::Control(controls::close_all),
        ..OF_A_BOOK
    },
    Command {
        name: "buy",
        aliases: &["forceenter", "forcelong", "forcebuy"],
        group: Group::Orders,
        params: TRADE,
        help: "Buy at the market or at a limit, or cover a short; asks for the PIN",
        example: "/buy AAPL 5",
        run: Run::Control(|asked| controls::trade(Side::Buy, asked)),
    },
    Command {
        name: "sell",
        aliases: &["forceshort"],
        group: Group::Orders,
        params: TRADE,
        help: "Sell what is held, or sell short, at the market or at a limit; asks for the PIN",
        example: "/sell AAPL 5",
        run: Run::Control(|asked| controls::trade(Side::Sell, asked)),
    },
    Command {
        name: "cancel",
        aliases: &["coo"],
        group: Group::Orders,
        params: &[Param::needed("order", "ORDER", What::OpenOrder, "The order's number"), BOOK],
        help: "Take an order back that waits; asks for the PIN",
        example: "/cancel O1",
        run: Run::Control(controls::cancel),
    },
    Command {
        name: "cancelall",
        group: Group::Orders,
        help: "Take back every order that enters or leaves; stops stay; asks for the PIN",
        example: "/cancelall",
        run: Run::Control(|asked| controls::of_book(asked, Control::CancelAll)),
        ..OF_A_BOOK
    },
    Command {
        name: "modify",
        aliases: &[],
        group: Group::Orders,
        params: &[
            Param::needed("order", "ORDER", What::OpenOrder, "The order's number"),
            Param::needed("to", "price=170", What::OfOrder, "Its new price, or quantity"),
            Param::perhaps("and", "quantity=40", What::OfOrder, "The other one"),
            BOOK,
        ],
        help: "Change price or quantity of an order that waits; asks for the PIN",
        example: "/modify O1 price=170",
        run: Run::Control(controls::modify),
    },
    Command {
        name: "sl",
        aliases: &["stoploss"],
        group: Group::Orders,
        params: &[HELD, LEVEL, BOOK],
        help: "Set the stop of a position: a price, or a distance such as 3%; asks for the PIN",
        example: "/sl AAPL 5%",
        run: Run::Control(|asked| controls::leveled(asked, |symbol, level| Control::Stop { symbol, level })),
    },
    Command {
        name: "tp",
        aliases: &["target"],
        group: Group::Orders,
        params: &[HELD, Param::needed("level", "185|5%|off", What::Level, "A price, a distance, or off"), BOOK],
        help: "Set or take away the target of a position; asks for the PIN",
        example: "/tp AAPL 5%",
        run: Run::Control(controls::target),
    },
    Command {
        name: "trail",
        aliases: &["trailing"],
        group: Group::Orders,
        params: &[HELD, LEVEL, BOOK],
        help: "Let the stop of a position follow the price at a distance; asks for the PIN",
        example: "/trail AAPL 2%",
        run: Run::Control(|asked| controls::leveled(asked, |symbol, distance| Control::Trail { symbol, distance })),
    },
    Command {
        name: "setstops",
        aliases: &[],
        group: Group::Orders,
        params: &[Param::perhaps("distance", "3%", What::Level, "How far; the book's usual if none"), BOOK],
        help: "Give every position a stop no farther than this; nearer ones stay; asks for the PIN",
        example: "/setstops 5%",
        run: Run::Control(|asked| controls::spread(asked, |distance| Control::SetStops { distance })),
    },
    Command {
        name: "taketargets",
        aliases: &[],
        group: Group::Orders,
        params: &[Param::perhaps("distance", "5%", What::Level, "How far; the book's usual if none"), BOOK],
        help: "Give positions a target this far away; asks for the PIN",
        example: "/taketargets 5%",
        run: Run::Control(|asked| controls::spread(asked, |distance| Control::SetTargets { distance })),
    },
];
