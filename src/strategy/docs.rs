//! What does docs/STRATEGIES.md say? What the tables say, so that it cannot say anything else.

use std::fmt::Write as _;

use super::regime::{INDEX_BARS, PLACE_BARS, SLOPE_BARS};
use super::{Classifier, Gate, ParamKind, STRATEGIES, Selector, StrategyKind, Thresholds, Values};

/// The whole page.
pub fn guide() -> String {
    let mut page = String::from(
        "# Strategies\n\n\
         This page is generated from the tables in `src/strategy`; a test compares it. Rewrite it with \
         `UPDATE_DOCS=1 cargo test strategies_page`.\n\n\
         A strategy watches the bars of one symbol and says what it wants after each: enter, leave or nothing, always with the rule and \
         the numbers behind it. It knows neither money nor orders; sizing, limits and stops are the book's.\n\n\
         - **When.** A strategy decides when a bar closes; what it wants fills at the next bar's open at the earliest. It begins as soon as \
         its indicators have a value ([INDICATORS.md](INDICATORS.md) tells when and how they begin), not only after its warm-up. \
         What was left on a bar is not entered again on the same side on that bar.\n\
         - **Short.** Every strategy has the switch `short`. Without it a strategy buys and sells what it bought. With it on, it also \
         sells short by the same rules mirrored, and may turn from one side to the other on one bar.\n\
         - **Stops** are the book's limits, except where *Leaves* names a stop of the strategy's own.\n\
         - **Confidence** is from 0.5, where the rule only just holds, to 1.\n\
         - **Warm-up** is the number of bars after which decisions no longer depend on what came before. Averages that are smoothed \
         never forget entirely; they count as warm when what came before weighs less than 1e-9.\n\n\
         | strategy | what it does | what it suits |\n|---|---|---|\n",
    );
    for kind in STRATEGIES {
        let _ = writeln!(page, "| [{}](#{}) | {} | {} |", kind.name, kind.name, kind.help, kind.suits);
    }
    for kind in STRATEGIES {
        section(&mut page, kind);
    }
    regimes(&mut page, &Thresholds::USUAL);
    selector(&mut page, &Selector::default());
    page
}

fn section(page: &mut String, kind: &StrategyKind) {
    let values = Values::check(kind.name, kind.params, &[]).expect("a table's defaults are in its ranges");
    let warm_up = (kind.warm_up)(&values);
    let _ = write!(
        page,
        "\n## {}\n\n{}\n\n- **Suits**: {}\n- **Enters**: {}\n- **Leaves**: {}\n- **Confidence**: {}\n\
         - **Warm-up**: {warm_up} bars as it is set by default: {}.\n\n\
         | parameter | takes | default | from | to | meaning |\n|---|---|---|---|---|---|\n",
        kind.name, kind.help, kind.suits, kind.enters, kind.leaves, kind.confidence, kind.warm_up_help
    );
    for param in kind.params {
        let [default, min, max] = [param.default, param.min, param.max].map(|value| param.kind.written(value));
        let takes = param.kind.takes();
        let (min, max) = if param.kind == ParamKind::Switch { (String::new(), String::new()) } else { (min, max) };
        let _ = writeln!(page, "| `{}` | {takes} | {default} | {min} | {max} | {} |", param.name, param.help);
    }
    let set: Vec<String> =
        kind.params.iter().map(|param| format!("{} = {}", param.name, param.kind.written(param.default))).collect();
    let _ = write!(
        page,
        "\n```toml\n[[books]]\n\n[[books.strategies]]\nname = \"{}\"\ntimeframe = \"1h\"\nset = {{ {} }}\n```\n",
        kind.name,
        set.join(", ")
    );
}

fn regimes(page: &mut String, usual: &Thresholds) {
    let Thresholds { volatile, trend_index, trend_slope, calm, confirm } = usual;
    let _ = write!(
        page,
        "\n## Regimes\n\n\
         A classifier tells from the bars of a symbol what its market is like. The rules are asked in this order and the first that holds \
         decides. A regime is left at milder levels than it is entered at, and another one must hold for {confirm} bars in a row before \
         it counts, so that it does not flap. The first regime is known after {} bars.\n\n\
         | regime | rule | enters at | leaves at |\n|---|---|---|---|\n",
        Classifier::WARM_UP
    );
    let mut row = |regime: &str, rule: &str, Gate { enter, leave }: &Gate| {
        let _ = writeln!(page, "| {regime} | {rule} | {enter} | {leave} |");
    };
    let place = format!(
        "share of the {PLACE_BARS} bars before whose average true range (of {INDEX_BARS} bars, as a share of the close) was smaller"
    );
    let index = format!("average directional index of {INDEX_BARS} bars: at least");
    let slope =
        format!("and slope of the average of {SLOPE_BARS} closes, in average true ranges a bar, up or down: at least");
    row("volatile", &format!("{place}: at least"), volatile);
    row("trend", &index, trend_index);
    row("", &slope, trend_slope);
    row("calm", &format!("{place}: at most"), calm);
    page.push_str("| range | none of these | | |\n");
}

fn selector(page: &mut String, selector: &Selector) {
    page.push_str(
        "\nWhere a book trades by regime, these strategies may enter; all may leave at any time.\n\n\
         | regime | strategies | size |\n|---|---|---|\n",
    );
    for row in &selector.rows {
        let names: Vec<String> = row.strategies.iter().map(ToString::to_string).collect();
        let _ = writeln!(page, "| {} | {} | {} |", row.regime, names.join(", "), row.size);
    }
}
