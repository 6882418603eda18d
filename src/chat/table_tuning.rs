//! Which commands change settings over the file?

use crate::control::Control;

use super::command::{Command, Group, Run};
use super::over_file;
use super::params::{Param, What};

use super::commands::{BOOK, STRATEGY, UNTIL, WATCHED};

/// These commands.
pub(super) const TUNING: &[Command] = &[
    Command {
        name: "setrisk",
        aliases: &[],
        group: Group::Tuning,
        params: &[
            Param::needed(
                "size",
                "half|quarter|usual|30%",
                What::Like(&["half", "quarter", "30%", "usual"]),
                "How much of the usual size",
            ),
            UNTIL,
            BOOK,
        ],
        help: "Enter with a part of the usual size, for a while or until taken back; asks for the PIN",
        example: "/setrisk half for 2h",
        run: Run::Control(over_file::risk),
    },
    Command {
        name: "limit",
        aliases: &[],
        group: Group::Tuning,
        params: &[
            Param::needed("name", "NAME", What::LimitName, "Which limit"),
            Param::needed("value", "VALUE|usual", What::Like(&["usual"]), "Its value, as in the file: 3 for 3 %"),
            UNTIL,
            BOOK,
        ],
        help: "Set a limit over the file; usual goes back to it; asks for the PIN",
        example: "/limit positions_max 5",
        run: Run::Control(over_file::limit),
    },
    Command {
        name: "enable",
        aliases: &[],
        group: Group::Tuning,
        params: &[STRATEGY, UNTIL, BOOK],
        help: "Let a strategy enter again; asks for the PIN",
        example: "/enable sma_cross",
        run: Run::Control(|asked| over_file::enable(asked, true)),
    },
    Command {
        name: "disable",
        aliases: &[],
        group: Group::Tuning,
        params: &[STRATEGY, UNTIL, BOOK],
        help: "No entries by a strategy; its exits and all stops go on; asks for the PIN",
        example: "/disable sma_cross for 2h",
        run: Run::Control(|asked| over_file::enable(asked, false)),
    },
    Command {
        name: "param",
        aliases: &[],
        group: Group::Tuning,
        params: &[
            STRATEGY,
            Param::needed("name", "NAME", What::ParamName, "Which parameter"),
            Param::needed("value", "VALUE|usual", What::Like(&["usual"]), "Its value, or usual for what the file says"),
            BOOK,
        ],
        help: "Set a parameter of a strategy over the file; usual goes back to it; asks for the PIN",
        example: "/param sma_cross fast 10",
        run: Run::Control(over_file::param),
    },
    Command {
        name: "watch",
        aliases: &[],
        group: Group::Tuning,
        params: &[Param::needed("symbol", "SYMBOL", What::Symbol, "What to watch"), BOOK],
        help: "Put a symbol on a book's list; asks for the PIN",
        example: "/watch NVDA",
        run: Run::Control(|asked| over_file::watch(asked, true)),
    },
    Command {
        name: "unwatch",
        aliases: &[],
        group: Group::Tuning,
        params: &[WATCHED, BOOK],
        help: "Take a symbol off a book's list; what is held of it is only left; asks for the PIN",
        example: "/unwatch AAPL",
        run: Run::Control(|asked| over_file::watch(asked, false)),
    },
    Command {
        name: "pin",
        aliases: &[],
        group: Group::Tuning,
        params: &[WATCHED, Param::perhaps("off", "off", What::OneOf(&["off"]), "No pin any more"), BOOK],
        help: "Let a symbol be entered whatever list and screener say; asks for the PIN",
        example: "/pin AAPL",
        run: Run::Control(over_file::pin),
    },
    Command {
        name: "schedule_set",
        aliases: &[],
        group: Group::Tuning,
        params: &[
            STRATEGY,
            Param::needed(
                "when",
                "every 15m|daily 09:30|bars|usual",
                What::When,
                "When it runs, or five fields of cron",
            ),
            BOOK,
        ],
        help: "Set when a strategy runs, over the file; usual goes back to it; asks for the PIN",
        example: "/schedule_set sma_cross daily 15:30",
        run: Run::Control(over_file::schedule),
    },
    Command {
        name: "strategy_new",
        aliases: &[],
        group: Group::Tuning,
        params: &[
            WATCHED,
            Param::needed("strategy", "STRATEGY", What::StrategyKind, "By which indicators it decides"),
            Param::needed("when", "bars|1h|daily_09:30", What::Rhythm, "On which bars, or when"),
            Param::needed("set", "usual|name=value", What::ParamValues, "Its parameters"),
            Param::needed(
                "size",
                "half|quarter|usual|30%",
                What::Like(&["quarter", "half", "usual"]),
                "How much of the usual size",
            ),
            BOOK,
        ],
        help: "Add a strategy for one symbol, step by step: each answer offers the next; asks for the PIN",
        example: "/strategy_new AAPL rsi bars usual half",
        run: Run::Control(over_file::strategy_new),
    },
    Command {
        name: "strategy_drop",
        aliases: &[],
        group: Group::Tuning,
        params: &[STRATEGY, BOOK],
        help: "Drop a strategy that was added in a chat; asks for the PIN",
        example: "/strategy_drop rsi",
        run: Run::Control(over_file::strategy_drop),
    },
    Command {
        name: "reload",
        aliases: &["reload_config"],
        group: Group::Tuning,
        params: &[],
        help: "Read the configuration file now; shows each difference; asks for the PIN",
        example: "/reload",
        run: Run::Control(|_| Ok(Control::Reload.into())),
    },
];
