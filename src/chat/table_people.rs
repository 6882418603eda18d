//! Which commands are about messages, notes and the bot itself?

use crate::views;

use super::arguments::audit;
use super::attention::{ack, less, mute, notice};
use super::command::{Command, Group, Personal, Run};
use super::handle::Reply;
use super::params::{Param, What};
use super::settings::settings;
use super::usage::usage;

use super::commands::{BARE, KIND, SETTINGS};

/// These commands.
pub(super) const PEOPLE: &[Command] = &[
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
        params: &[KIND, Param::perhaps("time", "15m|until 16:00|off", What::Mute, "For how long; off ends it")],
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
        name: "settings",
        group: Group::Attention,
        params: &[
            Param::perhaps("what", "zone|quiet|digest|numbers|dates|hours|usual", What::OneOf(SETTINGS), "Which one"),
            Param::perhaps("to", "VALUE", What::Value, "What it is to be; usual for as in the file"),
        ],
        help: "Your zone, quiet hours, digest and how figures are written; changed here, over the file",
        example: "/settings quiet 22:00 to 07:00",
        run: Run::Personal(settings),
        ..BARE
    },
    Command {
        name: "undo",
        group: Group::Attention,
        help: "Takes back what you changed last, within 10 minutes",
        example: "/undo",
        run: Run::Personal(|_| Ok(Personal::Undo)),
        ..BARE
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
        name: "schedule",
        group: Group::System,
        help: "When each strategy runs, ran last and runs next",
        example: "/schedule",
        run: Run::View(|views, _| Ok(views::schedule(views)?)),
        ..BARE
    },
    Command {
        name: "audit",
        group: Group::System,
        params: &[Param::perhaps(
            "which",
            "17|since monday|PERSON",
            What::Changes,
            "One by its number, or whose and since when",
        )],
        help: "Who changed what, when, and what came of it; one by its number",
        example: "/audit since yesterday",
        run: Run::View(audit),
        ..BARE
    },
    Command {
        name: "usage",
        group: Group::System,
        help: "How often each command was used, and by whom",
        example: "/usage",
        run: Run::View(|views, _| usage(views)),
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
