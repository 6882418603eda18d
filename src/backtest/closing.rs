//! What of the positions that are open when the data end? The report closes them at the last bar's open; the engine does not.

use crate::domain::{AmountError, ExitReason, FillId, FillLeg, Money, OrderId, Price, TradeFill, TradeId};
use crate::engine::{Desk, Lane};
use crate::portfolio::{Attribution, Change, apply_fill};

use super::result::Entered;
use super::{DeskRan, RoundTrip};

/// Closes what is open in the result, at the open of each symbol's last bar with the book's fee, as `end_of_data`.
///
/// # Errors
/// When an amount does not fit.
pub fn close_open(ran: &mut DeskRan, desk: &Desk, lanes: &[Lane]) -> Result<(), AmountError> {
    let held: Vec<_> = ran.book.positions.iter().map(|held| (held.symbol, held.side(), held.quantity.abs())).collect();
    for (symbol, side, quantity) in held {
        let lane = lanes.iter().find(|lane| lane.instrument.symbol == symbol);
        let Some((lane, bar)) = lane.and_then(|lane| Some((lane, lane.last?))) else { continue };
        let price: Price = bar.open;
        let fill = TradeFill {
            id: FillId::default(),
            order: OrderId::default(),
            book: ran.name(),
            symbol,
            side: side.opposite(),
            quantity,
            price,
            fee: desk.settings.costs_of(symbol).fee_of(quantity, price)?,
            slippage: Money::ZERO,
            leg: FillLeg::Market,
            at: lane.last_opens,
        };
        let strategy = ran.book.position(symbol).map_or(ran.name(), |held| held.strategy);
        let by = Attribution { strategy, trade: TradeId::default(), reason: ExitReason::EndOfData };
        if let Change::Closed(trade) = apply_fill(&mut ran.book, &fill, by)?.change {
            let entered = ran.leave(symbol).unwrap_or(Entered::on(bar.start));
            ran.trips.push(RoundTrip::new(trade, entered, bar.start));
        }
    }
    // What has no price at all stays in the book at cost.
    ran.equity = ran.book.cash.plus(ran.book.at_cost()?)?;
    ran.curve.end_with(ran.equity);
    Ok(())
}
