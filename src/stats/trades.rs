//! What did the closed trades bring? Wins and losses after fees, streaks, excursions and how busy it was.

use serde::Serialize;

use crate::clock::{DAY_MS, Timestamp};
use crate::domain::{AmountError, Money, Trade};

use super::moments::{finite, mean};

/// A closed trade with what is known beside the ledger.
#[derive(Debug, Clone, Copy)]
pub struct TradeRecord<'a> {
    /// The trade.
    pub trade: &'a Trade,
    /// What the first stop would have lost, positive; none if there was no stop. The R of "a profit of 2 R".
    pub risk: Option<Money>,
}

impl<'a> From<&'a Trade> for TradeRecord<'a> {
    fn from(trade: &'a Trade) -> Self {
        Self { trade, risk: None }
    }
}

/// Figures over closed trades. A win is a profit above zero after fees, a loss one below zero; what is exactly zero is neither.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct TradeFigures {
    /// Closed trades.
    pub trades: usize,
    /// Trades with a profit after fees.
    pub wins: usize,
    /// Trades with a loss after fees.
    pub losses: usize,
    /// Sum of all profits and losses after fees.
    pub net_profit: Money,
    /// Sum of the wins.
    pub gross_profit: Money,
    /// Sum of the losses, negative.
    pub gross_loss: Money,
    /// Sum of all fees, already taken off the profits.
    pub fees: Money,
    /// Wins over closed trades.
    pub win_rate: Option<f64>,
    /// Sum of the wins over sum of the losses. None without a loss.
    pub profit_factor: Option<f64>,
    /// The same over the returns of the trades, profit after fees over value entered, so that large trades weigh no more than
    /// small ones. None without a loss.
    pub profit_factor_returns: Option<f64>,
    /// Mean profit of a trade after fees.
    pub expectancy: Option<Money>,
    /// Mean profit in units of what was risked, of the trades whose risk is known.
    pub expectancy_r: Option<f64>,
    /// Mean of the wins.
    pub average_win: Option<Money>,
    /// Mean of the losses, negative.
    pub average_loss: Option<Money>,
    /// Mean win over mean loss. None unless there are both.
    pub payoff_ratio: Option<f64>,
    /// The largest profit.
    pub best_trade: Option<Money>,
    /// The smallest profit.
    pub worst_trade: Option<Money>,
    /// The most wins in a row, in the order of closing.
    pub longest_winning_streak: usize,
    /// The most losses in a row, in the order of closing.
    pub longest_losing_streak: usize,
    /// Mean of the lowest unrealised results (MAE), zero or negative, before fees.
    pub average_adverse_excursion: Option<Money>,
    /// Mean of the highest unrealised results (MFE), zero or positive, before fees.
    pub average_favourable_excursion: Option<Money>,
}

impl TradeFigures {
    /// Of any trades, in any order.
    ///
    /// # Errors
    /// When a sum of money does not fit.
    pub fn of(records: &[TradeRecord<'_>]) -> Result<Self, AmountError> {
        let profits: Vec<Money> = in_order_of_closing(records).iter().map(|record| record.trade.profit).collect();
        let winning: Vec<Money> = profits.iter().copied().filter(|profit| *profit > Money::ZERO).collect();
        let losing: Vec<Money> = profits.iter().copied().filter(|profit| *profit < Money::ZERO).collect();
        let (gross_profit, gross_loss) = (sum(&winning)?, sum(&losing)?);
        let fees: Vec<Money> = records.iter().map(|record| record.trade.fees).collect();
        let adverse: Vec<Money> = records.iter().map(|record| record.trade.worst.min(Money::ZERO)).collect();
        let favourable: Vec<Money> = records.iter().map(|record| record.trade.best.max(Money::ZERO)).collect();
        let (win, loss) = (average(&winning)?, average(&losing)?);
        Ok(Self {
            trades: profits.len(),
            wins: winning.len(),
            losses: losing.len(),
            net_profit: sum(&profits)?,
            gross_profit,
            gross_loss,
            fees: sum(&fees)?,
            win_rate: (!profits.is_empty()).then(|| winning.len() as f64 / profits.len() as f64),
            profit_factor: (!losing.is_empty()).then(|| gross_profit.to_f64() / -gross_loss.to_f64()),
            profit_factor_returns: profit_factor_returns(records),
            expectancy: average(&profits)?,
            expectancy_r: expectancy_r(records),
            average_win: win,
            average_loss: loss,
            payoff_ratio: payoff(gross_profit, winning.len(), gross_loss, losing.len()),
            best_trade: profits.iter().copied().max(),
            worst_trade: profits.iter().copied().min(),
            longest_winning_streak: longest(&profits, |profit| profit > Money::ZERO),
            longest_losing_streak: longest(&profits, |profit| profit < Money::ZERO),
            average_adverse_excursion: average(&adverse)?,
            average_favourable_excursion: average(&favourable)?,
        })
    }
}

/// Share of the time between two instants in which at least one of the trades was open; none if no time passed between them.
pub fn time_in_market(records: &[TradeRecord<'_>], from: Timestamp, to: Timestamp) -> Option<f64> {
    let total = to.since(from);
    if total <= 0 {
        return None;
    }
    let mut spans: Vec<_> = records.iter().map(|record| (record.trade.opened, record.trade.closed)).collect();
    spans.sort_unstable();
    let (mut covered_until, mut covered) = (from, 0i64);
    for (opened, closed) in spans {
        let (begin, end) = (opened.max(covered_until), closed.min(to));
        if end > begin {
            covered = covered.saturating_add(end.since(begin));
            covered_until = end;
        }
    }
    Some(covered as f64 / total as f64)
}

/// Value traded a year, purchases and sales both counted, over the mean equity. None if there are no years or no equity.
pub fn turnover(records: &[TradeRecord<'_>], mean_equity: f64, years: f64) -> Option<f64> {
    let side = |quantity: f64, price: f64| (quantity * price).abs();
    let traded = |record: &TradeRecord<'_>| {
        let (trade, quantity) = (record.trade, record.trade.quantity.to_f64());
        side(quantity, trade.entry_price.to_f64()) + side(quantity, trade.exit_price.to_f64())
    };
    let value: f64 = records.iter().map(traded).sum();
    if mean_equity > 0.0 && years > 0.0 { finite(value / years / mean_equity) } else { None }
}

/// Mean days of 24 hours from opening to closing; none without trades.
pub(super) fn average_days_held(records: &[TradeRecord<'_>]) -> Option<f64> {
    let days = |record: &TradeRecord<'_>| record.trade.closed.since(record.trade.opened) as f64 / DAY_MS as f64;
    mean(&records.iter().map(days).collect::<Vec<_>>())
}

fn in_order_of_closing<'a>(records: &[TradeRecord<'a>]) -> Vec<TradeRecord<'a>> {
    let mut ordered = records.to_vec();
    ordered.sort_by_key(|record| (record.trade.closed, record.trade.id));
    ordered
}

/// The exact sum. It is taken in 128 bits, so that only the result has to fit.
fn sum(amounts: &[Money]) -> Result<Money, AmountError> {
    let units: i128 = amounts.iter().map(|amount| i128::from(amount.units())).sum();
    i64::try_from(units).map(Money::from_units).map_err(|_| AmountError::Overflow)
}

/// The mean, rounded once; none of nothing.
fn average(amounts: &[Money]) -> Result<Option<Money>, AmountError> {
    match i64::try_from(amounts.len()) {
        Ok(count) if count > 0 => sum(amounts)?.scaled(1, count).map(Some),
        _ => Ok(None),
    }
}

fn payoff(gross_profit: Money, wins: usize, gross_loss: Money, losses: usize) -> Option<f64> {
    if wins == 0 || losses == 0 {
        return None;
    }
    Some(gross_profit.to_f64() / wins as f64 / (-gross_loss.to_f64() / losses as f64))
}

fn profit_factor_returns(records: &[TradeRecord<'_>]) -> Option<f64> {
    let change = |record: &TradeRecord<'_>| {
        let trade = record.trade;
        finite(trade.profit.to_f64() / (trade.quantity.to_f64() * trade.entry_price.to_f64()).abs())
    };
    let changes: Vec<f64> = records.iter().filter_map(change).collect();
    let gains: f64 = changes.iter().map(|change| change.max(0.0)).sum();
    let losses: f64 = changes.iter().map(|change| change.min(0.0).abs()).sum();
    if losses > 0.0 { finite(gains / losses) } else { None }
}

fn expectancy_r(records: &[TradeRecord<'_>]) -> Option<f64> {
    let multiple = |record: &TradeRecord<'_>| {
        let risk = record.risk.filter(|risk| *risk > Money::ZERO)?;
        Some(record.trade.profit.to_f64() / risk.to_f64())
    };
    mean(&records.iter().filter_map(multiple).collect::<Vec<_>>())
}

fn longest(profits: &[Money], counts: impl Fn(Money) -> bool) -> usize {
    profits.split(|profit| !counts(*profit)).map(<[Money]>::len).max().unwrap_or(0)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{ExitReason, Price, Quantity, Side, TradeId};
    use crate::stats::moments::near;

    /// A trade of ten shares bought at 100 that was open for the hour before hour `closed`, with this profit in cents.
    pub(in crate::stats) fn trade(closed: i64, cents: i64) -> Trade {
        Trade {
            id: TradeId(closed.unsigned_abs()),
            book: "main".parse().unwrap(),
            symbol: "AAPL".parse().unwrap(),
            strategy: "sma_cross".parse().unwrap(),
            side: Side::Buy,
            quantity: Quantity::whole(10),
            entry_price: Price::whole(100),
            exit_price: Price::whole(101),
            opened: Timestamp::from_ms((closed - 1) * 3_600_000),
            closed: Timestamp::from_ms(closed * 3_600_000),
            fees: Money::from_units(50_000_000),
            carried: Money::ZERO,
            profit: Money::from_units(cents * 1_000_000),
            best: Money::whole(3),
            worst: Money::whole(-2),
            reason: ExitReason::Signal,
        }
    }

    fn records(trades: &[Trade]) -> Vec<TradeRecord<'_>> {
        trades.iter().map(TradeRecord::from).collect()
    }

    #[test]
    fn figures_worked_by_hand() {
        let profits = [1000, -500, -250, 0, -1, 3000, 2, -1000];
        let mut trades: Vec<Trade> = (1..).zip(profits).map(|(hour, cents)| trade(hour, cents)).collect();
        trades[3].id = TradeId(9);
        (trades[5].worst, trades[5].best) = (Money::whole(-18), Money::whole(40));
        (trades[6].worst, trades[6].best) = (Money::whole(1), Money::whole(-1));
        let mut list = records(&trades);
        list[0].risk = Some(Money::whole(5));
        list[1].risk = Some(Money::whole(10));
        list[2].risk = Some(Money::ZERO);
        list[3].risk = Some(Money::whole(-5));
        list.reverse();
        let got = TradeFigures::of(&list).unwrap();
        assert_eq!((got.trades, got.wins, got.losses), (8, 3, 4));
        let money = |text: &str| Some(text.parse::<Money>().unwrap());
        assert_eq!((Some(got.net_profit), Some(got.fees)), (money("22.51"), money("4")));
        assert_eq!((Some(got.gross_profit), Some(got.gross_loss)), (money("40.02"), money("-17.51")));
        assert_eq!(
            (got.expectancy, got.average_win, got.average_loss),
            (money("2.81375"), money("13.34"), money("-4.3775"))
        );
        assert_eq!((got.best_trade, got.worst_trade), (money("30"), money("-10")));
        assert!(near(got.win_rate, 0.375) && near(got.profit_factor, 40.02 / 17.51));
        assert!(near(got.profit_factor_returns, 40.02 / 17.51));
        assert!(near(got.payoff_ratio, 13.34 / 4.3775) && near(got.expectancy_r, (2.0 - 0.5) / 2.0));
        assert_eq!((got.longest_winning_streak, got.longest_losing_streak), (2, 2));
        assert_eq!((got.average_adverse_excursion, got.average_favourable_excursion), (money("-3.75"), money("7.25")));
    }

    #[test]
    fn without_trades_or_losses_ratios_are_none() {
        assert_eq!(TradeFigures::of(&[]), Ok(TradeFigures::default()));
        let trades = [trade(1, 5), trade(2, 5)];
        let got = TradeFigures::of(&records(&trades)).unwrap();
        assert_eq!(got.profit_factor_returns, None);
        assert_eq!((got.profit_factor, got.payoff_ratio, got.average_loss, got.expectancy_r), (None, None, None, None));
    }

    #[test]
    fn sums_that_do_not_fit_are_errors_and_those_that_fit_are_exact() {
        let huge = |profit| Trade { profit, ..trade(1, 0) };
        let (up, down) = (huge(Money::MAX), huge(Money::MAX.negated()));
        assert_eq!(TradeFigures::of(&records(&[up.clone(), up.clone()])), Err(AmountError::Overflow));
        let both = [up.clone(), down];
        assert_eq!(TradeFigures::of(&records(&both)).map(|got| got.net_profit), Ok(Money::ZERO));
        assert!(turnover(&records(&[up]), 1.0, 1e-300).is_none_or(f64::is_finite));
    }

    #[test]
    fn time_in_the_market_counts_overlaps_once() {
        let hour = |hours: i64| Timestamp::from_ms(hours * 3_600_000);
        let span = |from, to| Trade { opened: hour(from), closed: hour(to), ..trade(1, 0) };
        let trades = [span(6, 8), span(1, 3), span(2, 4), span(-5, 0), span(9, 99), span(5, 5), span(3, 2)];
        assert!(near(time_in_market(&records(&trades), hour(0), hour(10)), 0.6));
        assert_eq!(time_in_market(&records(&trades), hour(3), hour(3)), None);
        let (first, last) = (Timestamp::from_ms(i64::MIN), Timestamp::from_ms(i64::MAX));
        let ages = [(first, hour(0)), (hour(0), last)].map(|(opened, closed)| Trade { opened, closed, ..trade(1, 0) });
        assert!(near(time_in_market(&records(&ages), first, last), 1.0));
        assert!(near(average_days_held(&records(&[span(0, 24), span(0, 48)])), 1.5));
        // Ten at 100 and ten at 101 are 2,010 in half a year, over 1,005: four times a year.
        assert!(near(turnover(&records(&[trade(1, 0)]), 1005.0, 0.5), 4.0));
        assert_eq!(turnover(&records(&[trade(1, 0)]), 0.0, 0.5), None);
    }
}
