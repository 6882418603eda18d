//! What does docs/CONFIGURATION.md say? What the tables say, so that it cannot say anything else.

use std::fmt::Write as _;

use crate::risk::LIMITS;
use crate::strategy::STRATEGIES;

use super::{ENVIRONMENT, SETTINGS};

/// The whole page.
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         This page is generated from the tables in `src/config`, `src/risk/limits.rs` and `src/strategy`; a test compares it. Rewrite it \
         with `UPDATE_DOCS=1 cargo test configuration_page`.\n\n\
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
    page.push_str(
        "\n## Strategies\n\n[STRATEGIES.md](STRATEGIES.md) tells what each does and what its parameters are.\n\n\
         | strategy | what it does | keys of `set` |\n|---|---|---|\n",
    );
    for kind in STRATEGIES {
        let keys: Vec<String> = kind.params.iter().map(|param| format!("`{}`", param.name)).collect();
        let _ = writeln!(page, "| `{}` | {} | {} |", kind.name, kind.help, keys.join(", "));
    }
    page.push_str(
        "\n## An example\n\n```toml\n[[books]]\nname = \"main\"\ncapital = 10000\nsymbols = [\"AAPL\", \"MSFT\", \"BTC-USD\"]\n\n\
         [books.limits]\ndaily_loss_pct = 2\npositions_max = 5\n\n[[books.strategies]]\nname = \"sma_cross\"\n\
         set = { fast = 10, slow = 30 }\n\n[[books.strategies]]\nname = \"rsi\"\n```\n",
    );
    page
}
