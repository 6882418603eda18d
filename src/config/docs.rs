//! What does docs/CONFIGURATION.md say? What the tables say, so that it cannot say anything else.

use std::fmt::Write as _;

use crate::risk::{BOOK_WIDE, LIMITS};
use crate::strategy::STRATEGIES;

use super::telling;
use super::{ENVIRONMENT, SETTINGS};

const SCHEDULES: &str = "
## Schedules

Without a schedule a strategy decides at the end of each of its bars. With one it still sees every bar, and decides at the first
instant with prices at or after each time of the schedule, on every symbol that has had a bar. Times go by the market's clock.

A schedule has five fields: minute, hour, day of the month, month, weekday (0 and 7 are Sunday). A field is a number, a range `1-5`, a
list `1,15`, steps `*/15`, or `*`. Names such as `MON` and `JAN`, `L` for the last day and `1#2` for the second Monday work, and so do
`@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly`. Seconds and years are not taken.

- Where the clock jumps over a fixed time in spring, it fires when the jump is over. One that comes twice in autumn fires once.
- A symbol whose session is closed at that time is decided on when its session is open next; the close itself belongs to the session.
  `outside_session = true` does not wait; an order for a share then meets the first bar of its next session.
- Times that pass while no prices come, or while a session is closed, count once.
- Some strategies want something on one bar only, such as a crossing. On a schedule they see it only if that bar is the last one then.

`/schedule` shows when each strategy ran last and runs next. A strategy that could not be run is tried once more; then it is told, once
for as long as it fails, and the others go on.
";

const WHILE_IT_RUNS: &str = "
## Changes while it runs

The file is looked at every second. Once it has stood still for a second it is read as a whole. What is different is told line by
line and holds from the next bar on. A mistake is told too, and everything stays as it was; so it does when the file is gone.

Limits, `daily_loss`, sizing, symbols' own limits, strategies with their parameters and schedules, and the selector change while it runs.
Books, their capital, currency, zone and symbols, people, groups, routes, storage and `usdt_is_usd` need a restart, and so do bars that no strategy asked
for at the start. If any of them is different, nothing of the edit is taken, and what needs the restart is named.
One thing does not wait: what a sound edit takes away from people and groups, on every channel (somebody is gone, a lower role, fewer books, another
account, a group without amounts) is gone within seconds, and stays so until a start. What it gives them waits for that start.

- Positions, orders, locks and the trading state stay. A looser limit does not end a halt.
- What a removed strategy holds is left to its stop.
- A strategy goes on with what it knows where the change allows it. Else it begins anew and says over how many bars it warms up.
  Prices are not kept, so only a restart can show it the past.
";

/// The whole page.
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         This page is generated from the tables in `src/config`, `src/domain/kinds.rs`, `src/risk/limits.rs` and `src/strategy`; a test compares it. Rewrite it \
         with `UPDATE_DOCS=1 cargo test --test it -- docs::`.\n\n\
         Nothing has to be configured. Settings stand in `bellwether.toml` in the working directory; it is read as a whole, and one mistake \
         refuses it with line and column. Secrets come only from the environment or `.env`.\n\n\
         ## Environment\n\n| variable | default | meaning |\n|---|---|---|\n",
    );
    for variable in ENVIRONMENT {
        let _ = writeln!(page, "| `{}` | {} | {} |", variable.name, variable.default, variable.help);
    }
    page.push_str("\n## bellwether.toml\n\n| key | takes | default | meaning |\n|---|---|---|---|\n");
    for setting in SETTINGS {
        let _ = writeln!(page, "| `{}` | {} | {} | {} |", setting.path, setting.takes, setting.default, setting.help);
    }
    page.push_str("\n## Limits\n\nKeys of `[books.limits]`.\n\n| key | default | from | to | unit | meaning |\n|---|---|---|---|---|---|\n");
    for spec in LIMITS {
        let unit = spec.kind.unit();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {unit} | {} |",
            spec.key, spec.default, spec.min, spec.max, spec.help
        );
    }
    let _ = write!(
        page,
        "\nEach of them can be set for one symbol in `[books.symbol_limits.AAPL]`, but for those that look at the whole book: {}.\n",
        BOOK_WIDE.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
    );
    page.push_str(
        "\nSome have an order, and each is at most the next: `drawdown_warn_pct`, `drawdown_reduce_pct`, `drawdown_pct`; \
         `kelly_floor_pct`, `kelly_cap_pct`. One that is written above the next is refused. One that is not written comes down to \
         the next: `drawdown_pct = 5` alone warns, stops entries and halts at 5 %, of which the halt comes first. None ever goes up by itself, so \
         that nothing is looser than it was meant to be. The same holds for `--limit` of a backtest.\n",
    );
    page.push_str(
        "\n## Strategies\n\n[STRATEGIES.md](STRATEGIES.md) tells what each does and what its parameters are.\n\n\
         | strategy | what it does | keys of `set` |\n|---|---|---|\n",
    );
    for kind in STRATEGIES {
        let keys: Vec<String> = kind.params.iter().map(|param| format!("`{}`", param.name)).collect();
        let _ = writeln!(page, "| `{}` | {} | {} |", kind.name, kind.help, keys.join(", "));
    }
    page.push_str(SCHEDULES);
    page.push_str(&telling::section());
    page.push_str(WHILE_IT_RUNS);
    page.push_str(
        "\n## An example\n\n```toml\n[[books]]\nname = \"main\"\ncapital = 10000\nsymbols = [\"AAPL\", \"MSFT\", \"BTC-USD\"]\n\n\
         [books.limits]\ndaily_loss_pct = 2\npositions_max = 5\n\n[[books.strategies]]\nname = \"sma_cross\"\n\
         set = { fast = 10, slow = 30 }\n\n[[books.strategies]]\nname = \"rsi\"\nschedule = \"0 16 * * 1-5\"\n\n\
         [books.symbol_limits.BTC-USD]\nposition_pct = 5\n```\n",
    );
    page
}
