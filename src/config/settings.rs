//! Which keys does `bellwether.toml` have? One table; the parser's suggestions and the docs are derived from it.

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Where it stands: `books.capital` is a key of `[[books]]`.
    pub path: &'static str,
    /// What it takes.
    pub takes: &'static str,
    /// Its value if it is absent.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// Every key, in the order of the docs. Limits and strategies' parameters have tables of their own.
pub const SETTINGS: &[Setting] = &[
    Setting {
        path: "people.name",
        takes: "a name",
        default: "owner",
        help: "Who talks with the bot; the terminal is the first owner's.",
    },
    Setting {
        path: "people.role",
        takes: "owner, operator or viewer",
        default: "owner",
        help: "Viewers look; operators and owners also change. At least one is an owner.",
    },
    Setting {
        path: "people.zone",
        takes: "a zone such as Europe/Lisbon",
        default: "the book's",
        help: "Zone that this person's times are shown in.",
    },
    Setting {
        path: "people.books",
        takes: "a list of books",
        default: "all",
        help: "Books that this person may see and change.",
    },
    Setting {
        path: "people.telegram",
        takes: "a table such as { user = 123456789 }",
        default: "none: bind a chat with /pair",
        help: "The person's account on Telegram.",
    },
    Setting {
        path: "people.telegram.user",
        takes: "a number",
        default: "needed",
        help: "The account's number. `bellwether pair` finds it out by itself.",
    },
    Setting {
        path: "people.telegram.chat",
        takes: "a number",
        default: "the user's own chat",
        help: "The chat that this person's messages go to.",
    },
    Setting {
        path: "people.email",
        takes: "an address",
        default: "none",
        help: "Where this person's mail goes: to the server of SMTP_URL, else each letter is a file in `mail` beside the database.",
    },
    Setting {
        path: "people.discord",
        takes: "a table such as { user = 123456789012345678 }",
        default: "none",
        help: "The person's account on Discord, see docs/DISCORD.md.",
    },
    Setting {
        path: "people.discord.user",
        takes: "a number",
        default: "needed",
        help: "The account's number: Developer Mode on, then Copy User ID.",
    },
    Setting {
        path: "people.discord.channel",
        takes: "a number",
        default: "the conversation with the bot alone",
        help: "The channel that this person's messages go to.",
    },
    Setting {
        path: "people.phone",
        takes: "a number such as +351912345678",
        default: "none",
        help: "Where this person's short messages go, see docs/SMS.md.",
    },
    Setting {
        path: "people.quiet",
        takes: "a table such as { from = \"22:00\", to = \"07:00\" }",
        default: "none",
        help: "Hours in which only what is critical is told; the rest waits for their end. In the person's zone.",
    },
    Setting { path: "people.quiet.from", takes: "a time such as 22:00", default: "needed", help: "When they begin." },
    Setting {
        path: "people.quiet.to",
        takes: "a time such as 07:00",
        default: "needed",
        help: "When they end; after midnight where it is the earlier.",
    },
    Setting {
        path: "people.digest",
        takes: "a time such as 08:00",
        default: "08:00",
        help: "When the digest comes, in the person's zone.",
    },
    Setting {
        path: "people.tell",
        takes: "a table such as { stop_moved = \"silent\" }",
        default: "see Who is told what",
        help: "How kinds of events are told: on, silent, digest or off. A kind that is on or silent comes however quiet it is.",
    },
    Setting {
        path: "people.above",
        takes: "a table such as { position_closed = 500 }",
        default: "none",
        help: "Amounts by kind; what is about less comes with the digest.",
    },
    Setting {
        path: "people.numbers",
        takes: "1,234.56 or 1.234,56 or 1 234,56",
        default: "1,234.56",
        help: "How numbers are written for this person.",
    },
    Setting {
        path: "people.dates",
        takes: "2026-11-21, 21.11.2026 or 11/21/2026",
        default: "2026-11-21",
        help: "How dates are written.",
    },
    Setting { path: "people.hours", takes: "24 or 12", default: "24", help: "How times of the day are written." },
    Setting {
        path: "groups.name",
        takes: "a name",
        default: "needed",
        help: "What a group on Telegram, or a channel of a server on Discord, is called here. No person may have the same name.",
    },
    Setting {
        path: "groups.telegram",
        takes: "a number below zero",
        default: "needed, or groups.discord",
        help: "The group's number.",
    },
    Setting {
        path: "groups.discord",
        takes: "a number",
        default: "needed, or groups.telegram",
        help: "The channel's number: Developer Mode on, then Copy Channel ID.",
    },
    Setting {
        path: "groups.threads",
        takes: "true or false",
        default: "false",
        help: "On Discord, whether what follows upon a message stands in a thread below it: one for each trade.",
    },
    Setting {
        path: "groups.books",
        takes: "a list of books",
        default: "all",
        help: "Books that the group is told of and may look at. Nobody changes anything from a group on Telegram; in a channel on Discord \
               an operator or owner may, since the answers are theirs alone.",
    },
    Setting {
        path: "groups.topics",
        takes: "a table such as { main = 12 }",
        default: "none",
        help: "The topic for each book, in a group that has topics; on Discord, the thread's number.",
    },
    Setting {
        path: "groups.amounts",
        takes: "full or shares",
        default: "shares",
        help: "Whether amounts are told, or shares of what the book began with.",
    },
    Setting {
        path: "groups.zone",
        takes: "a zone",
        default: "the book's",
        help: "Zone that the group's times are shown in.",
    },
    Setting {
        path: "routes.kinds",
        takes: "a list of kinds; a * at the end stands for anything",
        default: "[\"*\"]",
        help: "Which kinds of events go this way.",
    },
    Setting {
        path: "routes.min",
        takes: "info, notice, warning or critical",
        default: "notice",
        help: "What is quieter does not go this way, unless a person asked for its kind.",
    },
    Setting {
        path: "routes.books",
        takes: "a list of books",
        default: "all",
        help: "Of which books; what belongs to none goes every way.",
    },
    Setting {
        path: "routes.to",
        takes: "a list such as [\"ana:telegram\"]",
        default: "needed",
        help: "Where to: a person and a channel, or a group and telegram.",
    },
    Setting {
        path: "routes.after",
        takes: "a time such as 2m or 1h30m, up to 24h",
        default: "0s",
        help: "How long after the event, and then only if nobody has acknowledged it.",
    },
    Setting { path: "books.name", takes: "a name", default: "main", help: "The book's name." },
    Setting {
        path: "books.capital",
        takes: "an amount",
        default: "10000",
        help: "What the book starts with; later changes of this do not move money.",
    },
    Setting {
        path: "books.currency",
        takes: "a currency",
        default: "USD",
        help: "The book's one currency; symbols quoted in another are refused.",
    },
    Setting {
        path: "books.zone",
        takes: "a zone",
        default: "America/New_York",
        help: "Zone that cuts the book's days.",
    },
    Setting {
        path: "books.symbols",
        takes: "a list of symbols",
        default: "none",
        help: "What the book watches. Goes with no watchlist.",
    },
    Setting {
        path: "books.watchlist",
        takes: "a file",
        default: "data/watchlist.csv if there is one, else the built-in list",
        help: "What the book watches, as a CSV file with names and sectors.",
    },
    Setting {
        path: "books.pins",
        takes: "a list of symbols",
        default: "none",
        help: "What the book may enter whatever its screener says; added to its list.",
    },
    Setting {
        path: "books.bans",
        takes: "a list of symbols",
        default: "none",
        help: "What the book may not enter, with a screener and without; what it holds of it is left as usual.",
    },
    Setting {
        path: "books.screener",
        takes: "a table, which may be empty",
        default: "none: everything on the list may be entered",
        help: "Narrows the list once a trading day to the best of those that exceed every limit; /screener shows who and why not.",
    },
    Setting {
        path: "books.screener.at",
        takes: "a time such as 09:00",
        default: "09:00",
        help: "When it runs, in the book's zone, by the market's time: at the first instant from then on.",
    },
    Setting {
        path: "books.screener.top",
        takes: "a number from 1 to 250",
        default: "30",
        help: "How many symbols it chooses at most, by score: the mean rank of relative strength, momentum of 20 days and volume.",
    },
    Setting {
        path: "books.screener.volume_min",
        takes: "a number from 0 to 10000000000",
        default: "1000000",
        help: "What the mean daily volume of 20 days must exceed.",
    },
    Setting {
        path: "books.screener.price_min",
        takes: "a price from 0 to 1000000",
        default: "10",
        help: "What the last price must exceed.",
    },
    Setting {
        path: "books.screener.atr_min",
        takes: "a price from 0 to 1000000",
        default: "1",
        help: "What the average true range of 14 days must exceed.",
    },
    Setting {
        path: "books.screener.relative_strength_min",
        takes: "a number from 0 to 99",
        default: "50",
        help: "What the relative strength must exceed: the percentage of the list that it did better than over 63 days.",
    },
    Setting {
        path: "books.daily_loss",
        takes: "reduce, halt or flatten",
        default: "reduce",
        help: "What the daily loss limit does: no entries until the book's next day; no orders of strategies until somebody resumes; or \
               closing everything, then no entries until the next day.",
    },
    Setting {
        path: "books.sizing",
        takes: "atr, fraction, volatility, kelly or fixed",
        default: "atr",
        help: "What is the same for each entry: the share of equity that its stop loses, the share of equity put in, the volatility it \
               brings, the share that the strategy's own trades earned after Kelly, or the quantity.",
    },
    Setting { path: "books.limits", takes: "a table", default: "see Limits", help: "The book's limits, one key each." },
    Setting {
        path: "books.symbol_limits",
        takes: "a table for each symbol, such as [books.symbol_limits.AAPL]",
        default: "none",
        help: "What holds for one symbol instead: limits, one key each, and sizing. A symbol that the book does not watch is refused.",
    },
    Setting {
        path: "books.strategies",
        takes: "tables",
        default: "one: sma_cross",
        help: "The book's strategies, in order of precedence.",
    },
    Setting {
        path: "books.strategies.name",
        takes: "a strategy",
        default: "needed",
        help: "Which strategy; see Strategies.",
    },
    Setting {
        path: "books.strategies.timeframe",
        takes: "1m, 5m, 15m, 1h, 1d or 1w",
        default: "the finest there is",
        help: "The bars it decides on.",
    },
    Setting {
        path: "books.strategies.schedule",
        takes: "a cron expression such as \"0 9 * * 1-5\"",
        default: "none: at the end of each of its bars",
        help: "When it decides: minute, hour, day, month and weekday; see Schedules.",
    },
    Setting { path: "books.strategies.zone", takes: "a zone", default: "the book's", help: "Zone of its schedule." },
    Setting {
        path: "books.strategies.outside_session",
        takes: "true or false",
        default: "false",
        help: "Whether its schedule also counts while a symbol's session is closed.",
    },
    Setting {
        path: "books.strategies.min_confidence",
        takes: "a number from 0 to 1",
        default: "0",
        help: "How sure a signal to enter must be to become an order.",
    },
    Setting {
        path: "books.strategies.tif",
        takes: "gtc, day, ioc or fok",
        default: "gtc",
        help: "How long its entries may wait: until they are filled or taken back; until the close of the session, or of the next one \
               where none is open; only for what fills at once; or only if all of it fills at once. Exits always wait.",
    },
    Setting {
        path: "books.strategies.set",
        takes: "a table",
        default: "see Strategies",
        help: "Its parameters, one key each.",
    },
    Setting {
        path: "books.selector",
        takes: "a table, which may be empty",
        default: "none: every strategy may always enter",
        help: "Lets each symbol's regime decide which strategies may enter; without strategies of its own the book gets those named here. \
               Each strategy of the book must be named for a regime, and each that is named must be the book's; the usual rows may name \
               others, which count for nothing: where a row is left with none, nobody enters.",
    },
    Setting {
        path: "books.selector.timeframe",
        takes: "1m, 5m, 15m, 1h, 1d or 1w",
        default: "the finest there is",
        help: "The bars that tell the regime.",
    },
    Setting {
        path: "books.selector.trend",
        takes: "a list of strategies",
        default: "ema_cross",
        help: "Who may enter while a symbol goes one way.",
    },
    Setting {
        path: "books.selector.range",
        takes: "a list of strategies",
        default: "mean_reversion",
        help: "Who may enter while it swings about a level.",
    },
    Setting {
        path: "books.selector.volatile",
        takes: "a list of strategies",
        default: "breakout",
        help: "Who may enter while it moves much more than usual.",
    },
    Setting {
        path: "books.selector.calm",
        takes: "a list of strategies",
        default: "ema_cross, mean_reversion, breakout",
        help: "Who may enter while it hardly moves.",
    },
    Setting {
        path: "books.selector.size",
        takes: "a table such as { calm = 0.5 }",
        default: "calm 0.5, else 1",
        help: "What entries are multiplied by in a regime, from 0.01 to 2.",
    },
    Setting {
        path: "sms.per_segment",
        takes: "a number above 0",
        default: "0.01",
        help: "What one segment of a short message costs, in the currency of the service.",
    },
    Setting {
        path: "sms.per_day",
        takes: "a number, six times `per_segment` at the least",
        default: "1",
        help: "The most that short messages may cost in a day (UTC). At 80 % the owner is told; the last five messages are kept for the daily \
               loss limit and for trading that stops.",
    },
    Setting {
        path: "control.factors",
        takes: "a table such as { owner = \"pin+totp\" }",
        default: "{ owner = \"pin\", operator = \"pin\" }",
        help: "What a change is confirmed by, see docs/CONTROL.md.",
    },
    Setting {
        path: "control.factors.owner",
        takes: "pin, totp or pin+totp",
        default: "pin",
        help: "What owners confirm by: their PIN, the code of their app, or both.",
    },
    Setting {
        path: "control.factors.operator",
        takes: "pin, totp or pin+totp",
        default: "pin",
        help: "The same for operators.",
    },
    Setting {
        path: "control.tiers",
        takes: "a table such as { grave = \"pin+totp\" }",
        default: "none",
        help: "What a tier of changes asks for besides what the role needs.",
    },
    Setting {
        path: "control.tiers.light",
        takes: "pin, totp or pin+totp",
        default: "nothing more",
        help: "For what can do nothing but tighten, such as `/pause` and `/block`.",
    },
    Setting {
        path: "control.tiers.trade",
        takes: "pin, totp or pin+totp",
        default: "nothing more",
        help: "For orders, positions, and what trades.",
    },
    Setting {
        path: "control.tiers.grave",
        takes: "pin, totp or pin+totp",
        default: "nothing more",
        help: "For what cannot be taken back, such as `/book reset`.",
    },
    Setting {
        path: "control.two_persons",
        takes: "a list of light, trade and grave",
        default: "none",
        help: "Tiers for which a second owner or operator has to agree.",
    },
    Setting {
        path: "storage.backups_keep",
        takes: "a number from 1 to 365",
        default: "7",
        help: "Nightly copies that are kept.",
    },
    Setting {
        path: "storage.steps_days",
        takes: "a number from 1 to 3650",
        default: "30",
        help: "Days for which is kept why strategies did nothing.",
    },
    Setting {
        path: "usdt_is_usd",
        takes: "true or false",
        default: "false",
        help: "Whether a symbol quoted in USDT may count as one in USD.",
    },
];
