//! What does risk look at? One book at one instant, with everything this cycle approved before already counted.

use crate::domain::{AmountError, Money, Price, Proposal, Purpose, Quantity, Ratio, Symbol, TradingState};

/// What the book has in one symbol: positions at market, working entries and what this cycle approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stake {
    /// Of what.
    pub symbol: Symbol,
    /// The sector it moves with, as a number that equal sectors share; none if unknown.
    pub sector: Option<usize>,
    /// What it is worth; negative is short.
    pub value: Money,
}

/// The figures that the checks measure. `count` adds an approval, so that two orders that each fit cannot together break a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// What the book may do.
    pub state: TradingState,
    /// Cash plus positions at market.
    pub equity: Money,
    /// Everything the book has or is about to have.
    pub stakes: Vec<Stake>,
    /// All stakes without sign.
    pub gross: Money,
    /// Longs less shorts.
    pub net: Money,
    /// Open positions plus working entries in other symbols.
    pub positions: u64,
    /// Entries approved today.
    pub trades_today: u64,
    /// What is lost if every stop fills, working entries included.
    pub open_risk: Money,
    /// Loss since the day's start as a share of the equity then; zero in profit.
    pub day_loss: Ratio,
    /// Fall from the highest equity, as a share of it.
    pub drawdown: Ratio,
    /// The symbol in question.
    pub look: Look,
}

/// The figures of the symbol in question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// How much of it is held; negative is short.
    pub held: Quantity,
    /// Its sector, as in [`Stake`].
    pub sector: Option<usize>,
    /// The sector's name.
    pub sector_name: String,
    /// Bars of it that are missing.
    pub bars_missing: u64,
    /// Move of its last bar against the one before, without sign.
    pub last_move: Ratio,
    /// True while its price is in doubt.
    pub locked: bool,
    /// Why it may not be entered for now, in words; none if it may.
    pub entry_lock: Option<String>,
    /// Average volume of its last bars.
    pub average_volume: Quantity,
    /// The stake that moved most like it, and its correlation counted as positive where both would gain together.
    pub correlation: Option<(Symbol, Ratio)>,
    /// The smallest amount that can be ordered.
    pub lot: Quantity,
    /// Yearly volatility of its returns; none while too little is known.
    pub yearly_volatility: Option<Ratio>,
}

impl Look {
    /// A symbol of which nothing speaks against anything.
    pub fn calm(lot: Quantity) -> Self {
        Self {
            held: Quantity::ZERO,
            sector: None,
            sector_name: String::new(),
            bars_missing: 0,
            last_move: Ratio::ZERO,
            locked: false,
            entry_lock: None,
            average_volume: Quantity::MAX,
            correlation: None,
            lot,
            yearly_volatility: None,
        }
    }
}

impl Situation {
    /// A running book that has only its capital.
    pub fn of_capital(capital: Money) -> Self {
        Self {
            state: TradingState::Running,
            equity: capital,
            stakes: Vec::new(),
            gross: Money::ZERO,
            net: Money::ZERO,
            positions: 0,
            trades_today: 0,
            open_risk: Money::ZERO,
            day_loss: Ratio::ZERO,
            drawdown: Ratio::ZERO,
            look: Look::calm(Quantity::whole(1)),
        }
    }

    /// Adds a stake to all sums.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn add_stake(&mut self, stake: Stake) -> Result<(), AmountError> {
        self.gross = self.gross.plus(stake.value.abs())?;
        self.net = self.net.plus(stake.value)?;
        self.stakes.push(stake);
        Ok(())
    }

    /// Takes a position that is about to be left out of all sums: what comes in its place is judged without it.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn release(&mut self, symbol: Symbol, open_risk: Money) -> Result<(), AmountError> {
        let before = self.stakes.len();
        for stake in self.stakes.iter().filter(|stake| stake.symbol == symbol) {
            self.gross = self.gross.minus(stake.value.abs())?;
            self.net = self.net.minus(stake.value)?;
        }
        self.stakes.retain(|stake| stake.symbol != symbol);
        self.positions = self.positions.saturating_sub(u64::from(self.stakes.len() < before));
        self.open_risk = self.open_risk.minus(open_risk)?;
        self.look.held = Quantity::ZERO;
        Ok(())
    }

    /// What the book has in a symbol, with its sign.
    pub fn stake_in(&self, symbol: Symbol) -> Money {
        let stakes = self.stakes.iter().filter(|stake| stake.symbol == symbol);
        Money::from_units(stakes.map(|stake| stake.value.units()).fold(0, i64::saturating_add))
    }

    /// What the book has in a sector, without signs.
    pub fn stake_in_sector(&self, sector: Option<usize>) -> Money {
        let stakes = self.stakes.iter().filter(|stake| stake.sector == sector && sector.is_some());
        Money::from_units(stakes.map(|stake| stake.value.abs().units()).fold(0, i64::saturating_add))
    }

    /// The value of entries that the equity can still carry at this leverage: free cash where nothing is borrowed.
    pub fn buying_power(&self, leverage: Ratio) -> Money {
        self.equity.times(leverage).and_then(|most| most.minus(self.gross)).unwrap_or(Money::ZERO)
    }

    /// Counts an entry that was approved.
    ///
    /// # Errors
    /// When an amount does not fit.
    pub fn count(&mut self, approved: &Proposal) -> Result<(), AmountError> {
        if approved.purpose != Purpose::Entry {
            return Ok(());
        }
        let value = signed_value(approved)?;
        let known = self.stakes.iter().any(|stake| stake.symbol == approved.symbol);
        self.add_stake(Stake { symbol: approved.symbol, sector: self.look.sector, value })?;
        self.open_risk = self.open_risk.plus(approved.risk)?;
        self.positions += u64::from(!known);
        self.trades_today += 1;
        Ok(())
    }

    /// Adds what a position loses at its stop; the whole of it if there is none.
    ///
    /// # Errors
    /// When the value does not fit.
    pub fn add_open_risk(&mut self, quantity: Quantity, price: Price, stop: Option<Price>) -> Result<(), AmountError> {
        self.open_risk = self.open_risk.plus(open_risk(quantity, price, stop)?)?;
        Ok(())
    }
}

/// What a position loses from `price` to its stop; never negative. A long without a stop can lose all of it, and a short is counted likewise.
///
/// # Errors
/// When the value does not fit.
pub fn open_risk(quantity: Quantity, price: Price, stop: Option<Price>) -> Result<Money, AmountError> {
    match stop {
        Some(stop) => Ok(quantity.value_at(price.minus(stop)?)?.max(Money::ZERO)),
        None => Ok(quantity.value_at(price)?.abs()),
    }
}

/// What a proposal is worth at its reference; negative for a sale.
pub(super) fn signed_value(proposal: &Proposal) -> Result<Money, AmountError> {
    let value = proposal.quantity.value_at(proposal.reference)?;
    Ok(if proposal.side.sign() < 0 { value.negated() } else { value })
}
