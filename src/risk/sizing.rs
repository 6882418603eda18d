//! How much? A quantity from equity, price, the distance of the stop and what the strategy earned so far.

use serde::{Deserialize, Serialize};

use crate::domain::{AmountError, Money, Price, Quantity, Ratio, Symbol};

use super::{Limits, Situation};

/// Trades of a strategy that Kelly's formula wants to have seen before it is believed.
const KELLY_TRADES: u64 = 20;
/// Losses in a row that halve the size, each time.
const LOSSES_TO_HALVE: u64 = 3;
/// Wins in a row that enlarge it by half, each time.
const WINS_TO_ENLARGE: u64 = 5;

/// How the size of an entry is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sizing {
    /// The same share of equity lost at the stop each time, so that wild symbols get less.
    Atr,
    /// The same share of equity each time.
    Fraction,
    /// The same yearly volatility each time.
    Volatility,
    /// As much as the strategy's own record earns, after Kelly.
    Kelly,
    /// The same quantity each time.
    Fixed,
}

impl Sizing {
    /// All, in the order of the docs.
    pub const ALL: [Self; 5] = [Self::Atr, Self::Fraction, Self::Volatility, Self::Kelly, Self::Fixed];

    /// As it is configured.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Atr => "atr",
            Self::Fraction => "fraction",
            Self::Volatility => "volatility",
            Self::Kelly => "kelly",
            Self::Fixed => "fixed",
        }
    }
}

/// What a strategy's closed trades came to, after fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TrackRecord {
    /// How many.
    pub trades: u64,
    /// How many of them won.
    pub wins: u64,
    /// What the winners won.
    pub won: Money,
    /// What the others lost, as a positive amount.
    pub lost: Money,
    /// Wins in a row, or losses in a row as a negative number.
    pub streak: i64,
}

impl TrackRecord {
    /// Counts a trade's profit; one of exactly zero counts as a loss.
    pub fn count(&mut self, profit: Money) {
        self.trades += 1;
        if profit > Money::ZERO {
            self.wins += 1;
            self.won = self.won.plus(profit).unwrap_or(Money::MAX);
            self.streak = self.streak.max(0) + 1;
        } else {
            self.lost = self.lost.plus(profit.abs()).unwrap_or(Money::MAX);
            self.streak = self.streak.min(0) - 1;
        }
    }

    /// Takes a trade out that was counted; `streak` is that of those which are left.
    pub fn uncount(&mut self, profit: Money, streak: i64) {
        self.trades = self.trades.saturating_sub(1);
        if profit > Money::ZERO {
            self.wins = self.wins.saturating_sub(1);
            self.won = self.won.minus(profit).unwrap_or(Money::ZERO);
        } else {
            self.lost = self.lost.minus(profit.abs()).unwrap_or(Money::ZERO);
        }
        self.streak = streak;
    }

    /// Kelly's fraction `W - (1 - W) / R` with the share of wins W and the ratio R of the average win to the average loss (Kelly, A New
    /// Interpretation of Information Rate, 1956); none before 20 trades. Negative where the record says not to play.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn kelly(&self) -> Result<Option<Ratio>, AmountError> {
        if self.trades < KELLY_TRADES {
            return Ok(None);
        }
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let (wins, losses) = (count(self.wins), count(self.trades - self.wins));
        if wins == 0 {
            return Ok(Some(Ratio::ONE.negated()));
        }
        if losses == 0 || self.lost.is_zero() {
            return Ok(Some(Ratio::ONE));
        }
        let share = Ratio::ONE.scaled(wins, wins + losses)?;
        let payoff = self.won.scaled(1, wins)?.share_of(self.lost.scaled(1, losses)?);
        let against = Ratio::ONE.minus(share)?.share_of(payoff);
        share.minus(against).map(Some)
    }

    /// What streaks make of the size: half after each 3 losses in a row, one and a half after each 5 wins, always within half to double.
    pub fn streak_factor(&self) -> Ratio {
        let (half, double) = (Ratio::from_percent(50), Ratio::from_percent(200));
        let length = self.streak.unsigned_abs();
        let (steps, step) = if self.streak < 0 {
            (length / LOSSES_TO_HALVE, half)
        } else {
            (length / WINS_TO_ENLARGE, Ratio::from_percent(150))
        };
        (0..steps.min(8)).fold(Ratio::ONE, |factor, _| factor.times(step).unwrap_or(factor).clamp(half, double))
    }
}

/// The entry whose quantity is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Of what.
    pub symbol: Symbol,
    /// The last price.
    pub price: Price,
    /// What one unit loses at the stop.
    pub stop_distance: Price,
    /// What its strategy earned so far.
    pub record: &'a TrackRecord,
    /// What the regime leaves of the usual size.
    pub scale: Ratio,
    /// What people leave of the quantity that comes of all that.
    pub share: Ratio,
}

/// The quantity of an entry, in whole lots, never more than the position limit or the buying power allow; zero if not even one lot fits.
///
/// # Errors
/// When an amount does not fit.
pub fn size(sizing: Sizing, wish: Wish<'_>, situation: &Situation, limits: &Limits) -> Result<Quantity, AmountError> {
    let (equity, price) = (situation.equity, wish.price);
    let wanted = match sizing {
        Sizing::Atr => equity.times(limits.risk_per_trade_pct)?.buys_at(wish.stop_distance),
        Sizing::Fraction => equity.times(limits.fraction_pct)?.buys_at(price),
        Sizing::Volatility => match situation.look.yearly_volatility.filter(|wild| *wild > Ratio::ZERO) {
            Some(wild) => equity.times(limits.volatility_target_pct.share_of(wild))?.buys_at(price),
            None => equity.times(limits.fraction_pct)?.buys_at(price),
        },
        Sizing::Kelly => equity.times(kelly_share(wish.record, limits)?)?.buys_at(price),
        Sizing::Fixed => Quantity::from_units(limits.fixed_units.units()),
    };
    let wanted = wanted.times(wish.scale)?;
    // The next open may lie above this close, and fees come on top: one percent of what is free stays out of the plan.
    let mut most = situation.buying_power(limits.leverage_max).scaled(99, 100)?.buys_at(price);
    if sizing == Sizing::Fixed {
        // A fixed quantity is all or nothing: the checks say what does not fit.
        most = wanted;
    } else if limits.enforced {
        let stake = situation.stake_in(wish.symbol).abs();
        most = most.min(equity.times(limits.position_pct)?.minus(stake)?.buys_at(price));
    }
    Ok(wanted.min(most).max(Quantity::ZERO).times(wish.share)?.in_lots(situation.look.lot))
}

/// The share of equity that Kelly's formula puts in, between floor and cap, after streaks.
fn kelly_share(record: &TrackRecord, limits: &Limits) -> Result<Ratio, AmountError> {
    let share = match record.kelly()? {
        Some(full) => full.times(limits.kelly_share_pct)?.min(limits.kelly_cap_pct).max(limits.kelly_floor_pct),
        None => limits.kelly_floor_pct,
    };
    share.times(record.streak_factor())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(sizing: Sizing, distance: &str, record: &TrackRecord, change: fn(&mut Situation)) -> Quantity {
        let mut situation = Situation::of_capital(Money::whole(10_000));
        change(&mut situation);
        let wish = Wish {
            symbol: "AAPL".parse().expect("symbol"),
            price: Price::whole(100),
            stop_distance: distance.parse().expect("price"),
            record,
            scale: Ratio::ONE,
            share: Ratio::ONE,
        };
        size(sizing, wish, &situation, &Limits::default()).expect("fits")
    }

    #[test]
    fn wild_symbols_get_less_and_the_position_limit_caps() {
        let none = TrackRecord::default();
        let plain = |sizing, distance| shares(sizing, distance, &none, |_| {});
        // 0.5 % of 10,000 is 50: at 5 a share that is 10, at 2.5 it would be 20, which is also the cap of 20 %.
        assert_eq!(plain(Sizing::Atr, "5"), Quantity::whole(10));
        assert_eq!(plain(Sizing::Atr, "2.5"), Quantity::whole(20));
        assert_eq!(plain(Sizing::Atr, "0.1"), Quantity::whole(20));
        assert_eq!(plain(Sizing::Fraction, "5"), Quantity::whole(10));
        assert_eq!(plain(Sizing::Atr, "0"), Quantity::ZERO);
        assert_eq!(plain(Sizing::Fixed, "5"), Quantity::whole(1));
        // 10 % of volatility wanted, 80 % given: an eighth of the equity.
        let wild = |situation: &mut Situation| situation.look.yearly_volatility = Some(Ratio::from_percent(80));
        assert_eq!(shares(Sizing::Volatility, "5", &none, wild), Quantity::whole(12));
        // Half of what is free.
        let poor = |situation: &mut Situation| situation.gross = Money::whole(9_500);
        assert_eq!(shares(Sizing::Fraction, "5", &none, poor), Quantity::whole(4));
    }

    #[test]
    fn kelly_is_capped_floored_and_believes_no_short_record() {
        let after = |wins: i64, losses: i64, won: i64, lost: i64| {
            let mut record = TrackRecord::default();
            (0..losses).for_each(|_| record.count(Money::whole(-lost)));
            (0..wins).for_each(|_| record.count(Money::whole(won)));
            record.streak = 0;
            record
        };
        // 60 % wins at even payoff: 20 %, half of it is 10 %.
        assert_eq!(after(60, 40, 1, 1).kelly(), Ok(Some(Ratio::from_percent(20))));
        assert_eq!(shares(Sizing::Kelly, "5", &after(60, 40, 1, 1), |_| {}), Quantity::whole(10));
        assert_eq!(shares(Sizing::Kelly, "5", &after(90, 10, 9, 1), |_| {}), Quantity::whole(20));
        assert_eq!(shares(Sizing::Kelly, "5", &after(30, 70, 1, 1), |_| {}), Quantity::whole(2));
        assert_eq!(after(9, 1, 1, 1).kelly(), Ok(None));
        assert_eq!(after(0, 20, 1, 1).kelly(), Ok(Some(Ratio::from_percent(-100))));
        assert_eq!(after(20, 0, 1, 1).kelly(), Ok(Some(Ratio::ONE)));
    }

    #[test]
    fn streaks_change_the_size_within_half_to_double() {
        for (streak, percent) in [(0, 100), (-2, 100), (-3, 50), (-30, 50), (4, 100), (5, 150), (10, 200), (500, 200)] {
            let record = TrackRecord { streak, ..TrackRecord::default() };
            assert_eq!(record.streak_factor(), Ratio::from_percent(percent), "{streak}");
        }
        let mut record = TrackRecord::default();
        for profit in [5, -1, 0, -2] {
            record.count(Money::whole(profit));
        }
        assert_eq!((record.trades, record.wins, record.streak), (4, 1, -3));
    }
}
