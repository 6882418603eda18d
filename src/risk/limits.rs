//! Which limits are there? One table: names, defaults, ranges, help. Configuration and docs are derived from it.

use crate::domain::Ratio;

/// How a limit is written and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// In percent: `3` is three percent.
    Percent,
    /// In basis points: `5` is five hundredths of a percent.
    BasisPoints,
    /// A whole number.
    Count,
    /// A plain factor.
    Factor,
}

impl LimitKind {
    /// The unit as docs print it.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Percent => "%",
            Self::BasisPoints => "bps",
            Self::Count => "",
            Self::Factor => "x",
        }
    }

    /// What a written number means: percent and basis points become plain ratios.
    pub fn meaning(self, written: Ratio) -> Ratio {
        match self {
            Self::Percent => written.scaled(1, 100).unwrap_or(Ratio::MAX),
            Self::BasisPoints => written.scaled(1, 10_000).unwrap_or(Ratio::MAX),
            Self::Count | Self::Factor => written,
        }
    }

    /// The other way round: how a limit is written that means this.
    pub fn written(self, meaning: Ratio) -> Ratio {
        match self {
            Self::Percent => meaning.scaled(100, 1).unwrap_or(Ratio::MAX),
            Self::BasisPoints => meaning.scaled(10_000, 1).unwrap_or(Ratio::MAX),
            Self::Count | Self::Factor => meaning,
        }
    }
}

/// Which way a limit allows more, or protects less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wider {
    /// The higher it is.
    Up,
    /// The lower it is: it keeps out for less long, or looks at less.
    Down,
    /// Both may allow more.
    Either,
    /// It limits nothing: costs, alerts, and how things are measured.
    Neither,
}

impl Wider {
    /// Whether a limit allows more at `new` than at `old`.
    pub fn allows_more(self, old: Ratio, new: Ratio) -> bool {
        match self {
            Self::Up => new > old,
            Self::Down => new < old,
            Self::Either => new != old,
            Self::Neither => false,
        }
    }
}

/// One limit, as it is documented.
#[derive(Debug, Clone, Copy)]
pub struct LimitSpec {
    /// Its key under `[books.limits]`.
    pub key: &'static str,
    /// How it is written.
    pub kind: LimitKind,
    /// Which way it allows more.
    pub wider: Wider,
    /// Its value if nothing is set, as written.
    pub default: &'static str,
    /// The smallest value, as written.
    pub min: i64,
    /// The largest value, as written.
    pub max: i64,
    /// What it limits.
    pub help: &'static str,
}

macro_rules! limits {
    ($($key:ident: $kind:ident $wider:ident = $default:literal, $min:literal..=$max:literal, $help:literal;)*) => {
        /// The limits of one book. Shares are plain ratios here: 0.03 for three percent.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $(#[doc = $help] pub $key: Ratio,)*
            /// False lifts every limit but buying power, price sanity and the trading state; for backtests alone.
            pub enforced: bool,
            /// False enters without stops; for backtests alone.
            pub stops: bool,
        }

        /// Every limit, in the order of the docs.
        pub const LIMITS: &[LimitSpec] = &[
            $(LimitSpec {
                key: stringify!($key),
                kind: LimitKind::$kind,
                wider: Wider::$wider,
                default: $default,
                min: $min,
                max: $max,
                help: $help,
            },)*
        ];

        impl Limits {
            /// The value of a limit, by its key.
            pub fn get(&self, key: &str) -> Option<Ratio> {
                match key {
                    $(stringify!($key) => Some(self.$key),)*
                    _ => None,
                }
            }

            fn slot(&mut self, key: &str) -> Option<&mut Ratio> {
                match key {
                    $(stringify!($key) => Some(&mut self.$key),)*
                    _ => None,
                }
            }
        }

        impl Default for Limits {
            fn default() -> Self {
                let mut limits = Self { $($key: Ratio::ZERO,)* enforced: true, stops: true };
                for spec in LIMITS {
                    let written = spec.default.parse().unwrap_or(Ratio::ZERO);
                    if let Some(slot) = limits.slot(spec.key) {
                        *slot = spec.kind.meaning(written);
                    }
                }
                limits
            }
        }
    };
}

limits! {
    position_pct: Percent Up = "20", 1..=100, "Largest position at entry, as a share of equity.";
    exposure_pct: Percent Up = "80", 1..=1000, "All positions and working entries together without sign (gross), as a share of equity.";
    net_pct: Percent Up = "80", 1..=1000, "Longs less shorts, working entries included, without sign, as a share of equity.";
    leverage_max: Factor Up = "1", 1..=10, "Gross exposure that the book's equity may carry, in times of equity; 1 borrows nothing.";
    sector_pct: Percent Up = "40", 1..=1000, "Positions and working entries of one sector without sign, as a share of equity.";
    correlation_max: Factor Up = "0.7", 0..=1, "Highest correlation of returns with anything held on the same side; 1 allows all.";
    correlation_bars: Count Neither = "120", 20..=1000, "Bars in the window that correlations are measured over, at least 20 of them shared.";
    liquidity_pct: Percent Up = "10", 1..=1000, "Largest entry as a share of the average volume of the last 20 bars.";
    positions_max: Count Up = "10", 1..=1000, "Most open positions and working entries.";
    trades_per_day: Count Up = "100", 1..=10000, "Most entries approved in one day of the book.";
    open_risk_pct: Percent Up = "6", 1..=100, "Most that is lost if every stop fills, as a share of equity.";
    daily_loss_pct: Percent Up = "3", 1..=100, "Loss since the start of the book's day at which entries stop until the next day.";
    daily_loss_near_pct: Percent Up = "80", 1..=100, "Share of the daily loss limit at which a warning is sent.";
    drawdown_warn_pct: Percent Up = "10", 1..=100, "Fall from the highest equity at which a warning is sent.";
    drawdown_reduce_pct: Percent Up = "15", 1..=100, "Fall from the highest equity at which entries stop until somebody resumes.";
    drawdown_pct: Percent Up = "20", 1..=100, "Fall from the highest equity at which trading halts.";
    alert_day_pct: Percent Neither = "2", 0..=100, "Profit or loss of the book's day that is told, at each multiple of it once a day; 0 tells none. It limits nothing.";
    alert_position_pct: Percent Neither = "5", 0..=1000, "Open profit or loss of a position that is told, at each multiple of it once, as a share of its cost; 0 tells none. It limits nothing.";
    breaker_atr: Factor Up = "5", 1..=1000, "Mean true range of the book's symbols in one bar, in average true ranges, at which entries stop for a while.";
    breaker_bars: Count Down = "20", 1..=10000, "Bars for which the volatility breaker stops entries.";
    cooldown_bars: Count Down = "3", 0..=10000, "Bars after a stop in which the symbol is not entered again.";
    stops_max: Count Up = "3", 1..=1000, "Stops of one symbol within the window that lock it against entries.";
    stops_window_bars: Count Down = "200", 1..=100_000, "Bars in that window.";
    losing_streak: Count Up = "4", 1..=1000, "Losses of one symbol in a row that lock it against entries.";
    low_profit_trades: Count Either = "6", 1..=1000, "Last trades of one symbol that are added up for the next limit.";
    low_profit_pct: Percent Up = "2", 0..=100, "What those trades may lose together, as a share of equity, before the symbol is locked against entries.";
    lock_bars: Count Down = "100", 1..=100_000, "Bars for which stops, a losing streak or low profit lock a symbol against entries.";
    data_age_bars: Count Up = "3", 1..=1000, "Bars that may be missing before prices count as stale and entries are refused.";
    price_move_pct: Percent Up = "15", 1..=1000, "Largest move of the last bar against the one before; beyond it entries are refused.";
    lock_move_pct: Percent Up = "40", 5..=1000, "Move from one close to the next open that locks the symbol until somebody says what it is.";
    lock_sessions: Count Down = "5", 1..=1000, "Sessions after which a lock lifts by itself if nothing is held.";
    stop_atr: Factor Up = "2", 1..=20, "Distance of the stop from the entry, in average true ranges.";
    target_atr: Factor Neither = "0", 0..=50, "Distance of the profit target from the entry, in average true ranges; 0 sets none.";
    trailing: Count Down = "1", 0..=1, "1 lets the stop follow the price, 0 leaves it where it was set.";
    risk_per_trade_pct: Percent Up = "0.5", 0..=20, "What sizing by ATR puts at risk in one trade, as a share of equity.";
    fraction_pct: Percent Up = "10", 1..=100, "What sizing by fixed fraction puts into one trade, as a share of equity.";
    volatility_target_pct: Percent Up = "10", 1..=200, "Yearly volatility that sizing by volatility gives one position, as a share of equity.";
    kelly_share_pct: Percent Up = "50", 1..=100, "Share of the full Kelly fraction that sizing by Kelly puts in.";
    kelly_cap_pct: Percent Up = "20", 1..=100, "Most that sizing by Kelly puts into one trade before streaks, as a share of equity.";
    kelly_floor_pct: Percent Up = "2", 0..=100, "Least that sizing by Kelly puts in, and what it puts in before it knows 20 trades of a strategy.";
    fixed_units: Factor Up = "1", 0..=1_000_000_000, "What sizing by fixed units puts into one trade: shares or coins.";
    volume_share_pct: Percent Neither = "10", 1..=100, "Largest share of a bar's volume that fills; the rest stays open.";
    fee_bps: BasisPoints Neither = "1", 0..=1000, "Fee of a fill, on its value.";
    slippage_bps: BasisPoints Neither = "2", 0..=1000, "How much worse than its level a market or stop order fills.";
    impact_bps: BasisPoints Neither = "0", 0..=10000, "What slippage grows by where an order takes all volume of a bar; by its share of that otherwise.";
    latency_ms: Count Neither = "0", 0..=3_600_000, "Milliseconds from a decision until the market sees the order.";
    borrow_pct: Percent Neither = "3", 0..=1000, "Yearly cost of borrowing what is sold short, on its value.";
    funding_bps: BasisPoints Neither = "1", 0..=1000, "What longs of a perpetual pay shorts every eight hours, on the value.";
    maintenance_pct: Percent Down = "5", 1..=100, "Equity below this share of perpetual positions is a margin call: they are closed.";
}

/// Limits of a whole book, which cannot be set for one of its symbols.
pub const BOOK_WIDE: &[&str] = &[
    "daily_loss_pct",
    "daily_loss_near_pct",
    "drawdown_warn_pct",
    "drawdown_reduce_pct",
    "drawdown_pct",
    "alert_day_pct",
    "breaker_atr",
    "breaker_bars",
    "correlation_bars",
    "lock_move_pct",
    "lock_sessions",
];

/// Limits that have an order: each is at most the one after it.
const ORDERED: &[&[&str]] =
    &[&["drawdown_warn_pct", "drawdown_reduce_pct", "drawdown_pct"], &["kelly_floor_pct", "kelly_cap_pct"]];

impl Limits {
    /// Puts limits that have an order into it, once all are set: one that is not `written` comes down to the one after it. It never
    /// goes up, so that nothing is looser than it was meant to be.
    ///
    /// # Errors
    /// When one that is written is above the one after it: which, and what is wrong in words.
    pub fn settle(&mut self, written: impl Fn(&str) -> bool) -> Result<(), (&'static str, String)> {
        for pair in ORDERED.iter().flat_map(|chain| chain.windows(2).rev()) {
            let [lower, upper] = [pair[0], pair[1]];
            let most = self.get(upper).unwrap_or(Ratio::MAX);
            let Some(slot) = self.slot(lower).filter(|slot| **slot > most) else { continue };
            if written(lower) {
                let [value, most] = [*slot, most].map(|ratio| LimitKind::Percent.written(ratio));
                return Err((
                    lower,
                    format!("{lower} is {value}, above {upper}, which is {most}: lower it or raise the other"),
                ));
            }
            *slot = most;
        }
        Ok(())
    }

    /// Sets a limit as it is written in the configuration.
    ///
    /// # Errors
    /// In words, when there is no such limit or the value is outside its range.
    pub fn set(&mut self, key: &str, written: Ratio) -> Result<(), String> {
        let Some(spec) = LIMITS.iter().find(|spec| spec.key == key) else {
            return Err(format!("there is no limit \"{key}\""));
        };
        let whole = written.units() % Ratio::ONE.units() == 0;
        let in_range = written >= Ratio::whole(spec.min) && written <= Ratio::whole(spec.max);
        if !in_range || (spec.kind == LimitKind::Count && !whole) {
            let kind = if spec.kind == LimitKind::Count { "a whole number" } else { "a number" };
            return Err(format!("{key} is {written}; use {kind} from {} to {}", spec.min, spec.max));
        }
        if let Some(slot) = self.slot(key) {
            *slot = spec.kind.meaning(written);
        }
        Ok(())
    }

    /// A counting limit as a number.
    pub fn count(limit: Ratio) -> u64 {
        u64::try_from(limit.units() / Ratio::ONE.units()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_in_its_own_range() {
        let mut limits = Limits::default();
        for spec in LIMITS {
            let written: Ratio = spec.default.parse().expect("a number");
            assert_eq!(limits.set(spec.key, written), Ok(()), "{}", spec.key);
            let set = limits.get(spec.key).expect("there");
            assert_eq!(spec.kind.written(set), written, "{}", spec.key);
        }
        assert_eq!(limits, Limits::default());
        assert_eq!(limits.daily_loss_pct, Ratio::from_percent(3));
    }

    #[test]
    fn what_has_an_order_is_put_into_it_or_refused() {
        let settled = |written: &[(&str, i64)]| {
            let mut limits = Limits::default();
            for (key, value) in written {
                limits.set(key, Ratio::whole(*value)).expect("in range");
            }
            limits.settle(|key| written.iter().any(|(known, _)| *known == key)).map_err(|(_, what)| what)?;
            let of = |key: &str| limits.get(key).map(|value| LimitKind::Percent.written(value).to_string());
            Ok(ORDERED.concat().into_iter().filter_map(of).collect::<Vec<_>>().join(" "))
        };
        let sound = |written: &[(&str, i64)], want: &str| assert_eq!(settled(written), Ok(want.to_owned()));
        sound(&[], "10 15 20 2 20");
        sound(&[("drawdown_pct", 5), ("kelly_cap_pct", 1)], "5 5 5 1 1");
        sound(&[("drawdown_pct", 12)], "10 12 12 2 20");
        sound(&[("drawdown_reduce_pct", 100), ("drawdown_pct", 100)], "10 100 100 2 20");
        let refused = |written: &[(&str, i64)], want: &str| assert_eq!(settled(written), Err(want.to_owned()));
        let stage = "drawdown_reduce_pct is 25, above drawdown_pct, which is 20: lower it or raise the other";
        refused(&[("drawdown_reduce_pct", 25)], stage);
        let stages = [("drawdown_warn_pct", 30), ("drawdown_reduce_pct", 10), ("drawdown_pct", 5)];
        refused(&stages, "drawdown_reduce_pct is 10, above drawdown_pct, which is 5: lower it or raise the other");
        let kelly = "kelly_floor_pct is 50, above kelly_cap_pct, which is 1: lower it or raise the other";
        refused(&[("kelly_floor_pct", 50), ("kelly_cap_pct", 1)], kelly);
        assert!(
            ORDERED.concat().iter().all(|key| LIMITS.iter().any(|it| it.key == *key && it.kind == LimitKind::Percent))
        );
    }

    #[test]
    fn a_limit_outside_its_range_is_refused_and_nothing_changes() {
        let mut limits = Limits::default();
        let error = limits.set("positions_max", "2.5".parse().expect("number")).expect_err("refused");
        assert_eq!(error, "positions_max is 2.5; use a whole number from 1 to 1000");
        assert_eq!(limits, Limits::default());
    }
}
