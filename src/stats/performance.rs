//! How well did it go? All figures of one equity curve and its trades, in one record that every surface prints.

use chrono_tz::Tz;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::domain::{AmountError, Money};

use super::days::daily;
use super::moments::{finite, mean};
use super::returns::observed_periods;
use super::trades::average_days_held;
use super::{
    Drawdown, DrawdownFigures, ReturnFigures, TradeFigures, TradeRecord, ValueAtRisk, returns_of, time_in_market,
    turnover,
};

/// How many bars there were, and in how many of them something was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bars {
    /// Bars with a position at any moment of them.
    pub in_market: u64,
    /// All bars.
    pub total: u64,
}

/// What a [`Performance`] is measured from.
#[derive(Debug, Clone, Copy)]
pub struct PerformanceInput<'a> {
    /// Equity in order of time; the first point is the start. It may have many points a day.
    pub curve: &'a [(Timestamp, Money)],
    /// The closed trades.
    pub trades: &'a [TradeRecord<'a>],
    /// For the exposure; without it the exposure is a share of time.
    pub bars: Option<Bars>,
    /// How many returns usually make a year; see [`periods_per_year`](super::periods_per_year). The days of the curve may say
    /// otherwise.
    pub periods_per_year: f64,
    /// Whose midnight ends a day.
    pub zone: Tz,
}

/// The figures. As JSON it is one flat object with these names, but for `drawdown`. Shares are fractions and losses negative:
/// `max_drawdown` is -0.56 for a fall by 56 %. Amounts are decimal strings, times are milliseconds since 1970 in UTC, and what
/// is not defined is null.
///
/// Returns are taken from day to day, at the last point of each day that has one. Drawdowns are taken from every point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Performance {
    /// The first point of the curve.
    pub from: Option<Timestamp>,
    /// The last point of the curve.
    pub to: Option<Timestamp>,
    /// How many returns were taken for a year: 52 of weekly bars.
    pub periods_per_year: f64,
    /// Equity at the first point.
    pub start_equity: Money,
    /// Equity at the last point, open positions at their last prices.
    pub end_equity: Money,
    /// Growth, volatility and ratios of the daily returns.
    #[serde(flatten)]
    pub returns: ReturnFigures,
    /// The deepest fall from a peak, over every point of the curve; 0 if it never fell.
    pub max_drawdown: Option<f64>,
    /// `cagr` over the size of `max_drawdown`. None if it never fell.
    pub calmar: Option<f64>,
    /// Root of the sum of squared depths, at the daily points, over their number.
    pub ulcer_index: Option<f64>,
    /// When the deepest fall began, was deepest and ended; none if it never fell.
    pub drawdown: Option<Drawdown>,
    /// What a bad day can cost, as daily returns.
    #[serde(flatten)]
    pub risk: ValueAtRisk,
    /// What the closed trades brought.
    #[serde(flatten)]
    pub closed: TradeFigures,
    /// Mean days of 24 hours that a trade was open.
    pub average_days_held: Option<f64>,
    /// Share of the bars in which something was held, or of the time if bars were not counted.
    pub exposure: Option<f64>,
    /// Value bought and sold a year over the mean of the daily equities; open positions count once they are closed.
    pub turnover: Option<f64>,
}

impl Performance {
    /// Measures a curve and its trades.
    ///
    /// # Errors
    /// When a sum of money over the trades does not fit.
    pub fn measure(input: &PerformanceInput<'_>) -> Result<Self, AmountError> {
        let points: Vec<(Timestamp, f64)> = input.curve.iter().map(|(at, equity)| (*at, equity.to_f64())).collect();
        let days = daily(input.curve, input.zone);
        let equity: Vec<f64> = days.iter().map(|(_, equity)| *equity).collect();
        let periods_per_year = observed_periods(input.periods_per_year, days.iter().map(|(at, _)| *at), input.zone);
        let returns = ReturnFigures::of_equity(&equity, periods_per_year);
        let falls = DrawdownFigures::of(&points);
        let (first, last) = (input.curve.first(), input.curve.last());
        let years = returns.days as f64 / periods_per_year;
        Ok(Self {
            from: first.map(|(at, _)| *at),
            to: last.map(|(at, _)| *at),
            periods_per_year,
            start_equity: first.map_or(Money::ZERO, |(_, equity)| *equity),
            end_equity: last.map_or(Money::ZERO, |(_, equity)| *equity),
            calmar: calmar(returns.cagr, falls.max_drawdown),
            returns,
            max_drawdown: falls.max_drawdown,
            ulcer_index: DrawdownFigures::of(&days).ulcer_index,
            drawdown: falls.deepest,
            risk: ValueAtRisk::of(&returns_of(&equity).unwrap_or_default()),
            closed: TradeFigures::of(input.trades)?,
            average_days_held: average_days_held(input.trades),
            exposure: exposure(input),
            turnover: mean(&equity).and_then(|equity| turnover(input.trades, equity, years)),
        })
    }
}

/// Growth a year over the deepest fall; none if it never fell.
fn calmar(cagr: Option<f64>, max_drawdown: Option<f64>) -> Option<f64> {
    finite(cagr? / max_drawdown?.abs())
}

fn exposure(input: &PerformanceInput<'_>) -> Option<f64> {
    match (input.bars, input.curve) {
        (Some(bars), _) if bars.total > 0 => Some(bars.in_market.min(bars.total) as f64 / bars.total as f64),
        (None, [first, .., last]) => time_in_market(input.trades, first.0, last.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::DAY_MS;
    use crate::stats::moments::near;
    use crate::stats::trades::tests::trade;

    fn input<'a>(curve: &'a [(Timestamp, Money)], trades: &'a [TradeRecord<'a>]) -> PerformanceInput<'a> {
        PerformanceInput { curve, trades, bars: None, periods_per_year: 252.0, zone: Tz::UTC }
    }

    /// One point every half day.
    fn curve(equities: &[i64]) -> Vec<(Timestamp, Money)> {
        let point = |(row, equity): (i64, &i64)| (Timestamp::from_ms(row * DAY_MS / 2), Money::whole(*equity));
        (0..).zip(equities).map(point).collect()
    }

    #[test]
    fn returns_are_daily_and_falls_are_seen_within_the_day() {
        // Days end at 110, 132, 66; within the second it stood at 44.
        let curve = curve(&[100, 110, 44, 132, 99, 66]);
        let trades = [trade(6, 1000), trade(36, -500)];
        let records: Vec<_> = trades.iter().map(TradeRecord::from).collect();
        let got = Performance::measure(&input(&curve, &records)).unwrap();
        assert_eq!(got.returns.days, 3);
        assert!(near(got.returns.best_day, 0.2) && near(got.returns.worst_day, -0.5));
        assert!(near(got.returns.total_return, -0.34) && near(got.max_drawdown, -0.6));
        let cagr = 0.66f64.powf(84.0) - 1.0;
        assert!(near(got.returns.cagr, cagr) && near(got.calmar, cagr / 0.6));
        assert!(near(got.risk.value_at_risk_95_historical, -0.44));
        // Two of sixty hours; four sides of about a thousand over a mean of 102 in 3/252 of a year.
        assert!(near(got.exposure, 2.0 / 60.0) && near(got.turnover, 4020.0 / (3.0 / 252.0) / 102.0));
        assert!(near(got.average_days_held, 1.0 / 24.0));
        let weekly = PerformanceInput { periods_per_year: 52.0, ..input(&curve, &records) };
        assert!(near(Performance::measure(&weekly).unwrap().turnover, 4020.0 / (3.0 / 52.0) / 102.0));
        let bars = Some(Bars { in_market: 3, total: 4 });
        assert!(near(Performance::measure(&PerformanceInput { bars, ..input(&curve, &[]) }).unwrap().exposure, 0.75));
    }

    #[test]
    fn the_json_is_flat_and_has_null_for_what_is_not_defined() {
        let got = Performance::measure(&input(&curve(&[100, 100, 100]), &[])).unwrap();
        let json = serde_json::to_value(&got).unwrap();
        for (name, want) in [("sharpe", "null"), ("max_drawdown", "0.0"), ("trades", "0"), ("end_equity", "\"100\"")] {
            assert_eq!(json[name].to_string(), want, "{name}");
        }
        assert_eq!((got.calmar, got.drawdown), (None, None));
        assert!(json["value_at_risk_95_historical"].is_number() && json["win_rate"].is_null());
    }

    #[test]
    fn every_curve_can_be_measured() {
        let time = Timestamp::from_ms;
        let hostile: [&[(Timestamp, Money)]; 7] = [
            &[],
            &[(time(0), Money::ZERO)],
            &[(time(0), Money::ZERO), (time(0), Money::ZERO)],
            &[(time(0), Money::MAX), (time(DAY_MS), Money::MAX.negated()), (time(2 * DAY_MS), Money::STEP)],
            &[(time(i64::MAX), Money::STEP), (time(i64::MIN), Money::MAX), (time(7), Money::STEP)],
            &[(time(0), Money::whole(-5)), (time(DAY_MS), Money::whole(5))],
            &[(time(0), Money::whole(5)), (time(DAY_MS), Money::ZERO), (time(2 * DAY_MS), Money::whole(5))],
        ];
        for curve in hostile {
            for periods_per_year in [252.0, 0.0, f64::NAN] {
                let got = Performance::measure(&PerformanceInput { periods_per_year, ..input(curve, &[]) }).unwrap();
                // serde_json writes NaN and infinity as null; Debug tells them.
                let text = format!("{:?}", Performance { periods_per_year: 1.0, ..got });
                assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
            }
        }
    }
}
