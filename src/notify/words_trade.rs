//! What do trades sound like? Signals, orders, positions, and what a day came to.

use crate::domain::format::{age, counted, percent, price, quantity, signed_percent};
use crate::domain::{
    AlertId, Booking, BookingKind, CheckResult, FillLeg, Label, Money, Order, OrderId, OrderKind, Price, Proposal,
    Purpose, Quantity, Ratio, Refusal, Regime, Side, SignalAction, SignalId, SignalIntent, Symbol, Trade, TradeFill,
};

use super::living::stopped_at;
use super::telling::{Said, Words, entered, quoting};

/// Symbols of a screener that are told by name.
const CHOSEN_TOLD: usize = 6;
/// Strategies that are told by name.
const STRATEGIES_TOLD: usize = 4;

impl Words<'_> {
    pub(super) fn signal_raised(signal: &SignalIntent) -> Said {
        let (strategy, symbol) = (signal.strategy, signal.symbol);
        let wants = match signal.action {
            SignalAction::EnterLong => format!("buy {symbol}"),
            SignalAction::EnterShort => format!("sell {symbol} short"),
            SignalAction::Exit => format!("leave {symbol}"),
        };
        Said::fact(&format!("{strategy} wants to {wants}"))
            .and(&format!("{} · {} bars · confidence {}", signal.rule, signal.timeframe, percent(signal.confidence)))
            .and(&format!("`/why {symbol}` shows what became of it"))
    }

    pub(super) fn signal_measured(
        signal: SignalId,
        strategy: Label,
        symbol: Symbol,
        bars: u64,
        outcome: Ratio,
    ) -> Said {
        let verdict = if outcome > Ratio::ZERO { "right" } else { "wrong" };
        let (outcome, bars) = (signed_percent(outcome), counted(bars, "bar"));
        Said::fact(&format!("{strategy} was {verdict} on {symbol}: {outcome} after {bars}"))
            .and(&format!("Signal {signal}, measured in its own direction whether it was traded or not"))
    }

    pub(super) fn refused(&self, proposal: &Proposal, refusals: &[Refusal]) -> Said {
        let wanted = self.wanted(proposal.purpose, proposal.side, proposal.quantity, proposal.symbol);
        let first = refusals.first();
        let check = first.map_or("no reason given", |refusal| refusal.check.as_ref());
        let why = first.map(|refusal| {
            let more = match refusals.len().saturating_sub(1) {
                0 => String::new(),
                more => format!(" · and {}", counted(more as u64, "more check")),
            };
            format!("{}{more}", self.measured(refusal))
        });
        Said::fact(&format!("Refused to {wanted}: {check}"))
            .and_some(why)
            .and(&format!("{} wanted it: {}", proposal.strategy, proposal.because))
            .and(&format!("`/whynot {}` shows the limit that said no", proposal.symbol))
    }

    /// A check with its value and limit. What has no percent may be an amount: it is left out where amounts are.
    fn measured(&self, check: &CheckResult) -> String {
        let hidden = self.telling.share_of.is_some() && !(check.value.contains('%') && check.limit.contains('%'));
        if hidden { check.check.to_string() } else { format!("{}: {}, {}", check.check, check.value, check.wanted()) }
    }

    fn wanted(&self, purpose: Purpose, side: Side, amount: Quantity, symbol: Symbol) -> String {
        let held = self.held(amount, symbol);
        match (purpose, side) {
            (Purpose::Entry, Side::Sell) => format!("sell {held} short"),
            (Purpose::Exit | Purpose::Protect | Purpose::Close | Purpose::Liquidate, Side::Buy) => {
                format!("buy {held} back")
            }
            (_, side) => format!("{side} {held}"),
        }
    }

    pub(super) fn submitted(&self, order: &Order, checks: usize) -> Said {
        let wanted = self.wanted(order.purpose, order.side, order.quantity, order.symbol);
        Said::fact(&format!("Order {} went out: {wanted} {} · {}", order.id, price_of(order.kind), self.telling.mark))
            .and(&format!("{}: {}", order.strategy, order.because))
            .and(&format!("{} passed · `/why {}`", counted(checks as u64, "check"), order.id))
    }

    pub(super) fn withheld(&self, order: &Order, checks: usize) -> Said {
        let wanted = self.wanted(order.purpose, order.side, order.quantity, order.symbol);
        Said::fact(&format!("Dry run, not submitted: {wanted} {}", price_of(order.kind)))
            .and(&format!("{}: {}", order.strategy, order.because))
            .and(&format!("{} passed; without the dry run it would have gone out", counted(checks as u64, "check")))
    }

    pub(super) fn filled(&self, fill: &TradeFill, remaining: Quantity) -> Said {
        let done = match fill.side {
            Side::Buy => "bought",
            Side::Sell => "sold",
        };
        let partly = if remaining.is_zero() { "filled" } else { "partly filled" };
        let open = match self.telling.open(|| quantity(remaining)) {
            _ if remaining.is_zero() => String::new(),
            Some(open) => format!(", {open} still open"),
            None => ", the rest is still open".to_owned(),
        };
        let leg = match fill.leg {
            FillLeg::Market => "At the market",
            FillLeg::Limit => "At its limit",
            FillLeg::Stop => "At its stop",
            FillLeg::Target => "At its target",
        };
        let (held, at, mark) = (self.held(fill.quantity, fill.symbol), price(fill.price), self.telling.mark);
        let (fee, slippage) = (self.money(fill.fee), self.money(fill.slippage));
        Said::fact(&format!("Order {} {partly}: {done} {held} at {at}{open} · {mark}", fill.order))
            .and(&format!("{leg} · fee {fee} · slippage {slippage} · {}", self.time(fill.at)))
            .and(&format!("`/why {}`", fill.order))
    }

    pub(super) fn ended(&self, order: OrderId, symbol: Symbol, unfilled: Quantity, why: &str) -> Said {
        let open = self.held(unfilled, symbol);
        Said::fact(&format!("Order {order} ended: {open} not filled"))
            .and_theirs("Because ", why)
            .and(&format!("`/why {order}` shows what it was for"))
    }

    pub(super) fn scaled(&self, symbol: Symbol, held: Quantity, average: Price) -> Said {
        let dealt = if held < Quantity::ZERO { "sold short" } else { "bought" };
        let held = self.telling.open(|| format!("{} held now, ", quantity(held.abs()))).unwrap_or_default();
        let (average, mark) = (price(average), self.telling.mark);
        Said::fact(&format!("{symbol} is {dealt} in parts: {held}at {average} on average · {mark}"))
    }

    pub(super) fn closed(&self, trade: &Trade, day: Money, day_share: Ratio, equity: Money) -> Said {
        Said::fact(&self.closed_fact(trade)).and(&self.closed_how(trade)).and(&self.closed_day(day, day_share, equity))
    }

    pub(super) fn closed_fact(&self, trade: &Trade) -> String {
        let (symbol, at, mark) = (trade.symbol, price(trade.exit_price), self.telling.mark);
        let took = age(trade.closed.since(trade.opened));
        format!("{symbol} closed at {at} · {} after {took} · {mark}", self.result_of(trade))
    }

    /// `+79.56 (+3.5 %)`
    pub(super) fn result_of(&self, trade: &Trade) -> String {
        let cost = trade.quantity.value_at(trade.entry_price).unwrap_or_default();
        format!("{} ({})", self.signed(trade.profit), signed_percent(trade.profit.share_of(cost)))
    }

    pub(super) fn closed_how(&self, trade: &Trade) -> String {
        let reason = trade.reason.as_str().replace('_', " ");
        let dealt = match self.telling.open(|| quantity(trade.quantity)) {
            Some(held) => format!("{held} {}", entered(trade.side)),
            None => entered(trade.side).to_owned(),
        };
        let carried =
            if trade.carried.is_zero() { String::new() } else { format!(" · carried {}", self.signed(trade.carried)) };
        let (entry, fees, closed) = (price(trade.entry_price), self.money(trade.fees), self.time(trade.closed));
        format!("By {reason}: {dealt} at {entry} · fees {fees}{carried} · {closed} · `/why {}`", trade.id)
    }

    pub(super) fn closed_day(&self, day: Money, day_share: Ratio, equity: Money) -> String {
        let day = match self.telling.open(|| self.signed(day)) {
            Some(day) => format!("{day} ({})", signed_percent(day_share)),
            None => signed_percent(day_share),
        };
        format!("{} today {day} · equity {}", self.book, self.money(equity))
    }

    pub(super) fn stop_moved(&self, symbol: Symbol, from: Price, to: Price, held: (Quantity, Price)) -> Said {
        let at_stop = stopped_at(held, to).map(|result| format!(": {} if it fills there", self.signed(result)));
        let at_stop = at_stop.unwrap_or_default();
        let (way, from, to) = (if to < from { "down" } else { "up" }, price(from), price(to));
        Said::fact(&format!("Stop of {symbol} follows the price {way}: {to}, was {from} · {}", self.telling.mark))
            .and(&format!("Of {}{at_stop} · `/why {symbol}`", self.book))
    }

    pub(super) fn undone(&self, control: &str, person: &str, bookings: &[TradeFill]) -> Said {
        let said = Said::fact(&format!("{person} took back `{control}` · {}", self.telling.mark));
        bookings.iter().fold(said, |said, fill| {
            let (verb, units, symbol) = (fill.side, self.held(fill.quantity, fill.symbol), price(fill.price));
            said.and(&format!("Booked back in {}: {verb} {units} at {symbol}, the fee returned", self.book))
        })
    }

    pub(super) fn levels_set(
        &self,
        symbol: Symbol,
        stop: Price,
        (target, trail): (Option<Price>, Option<Price>),
        person: &str,
    ) -> Said {
        let target = target.map_or_else(|| "no target".to_owned(), |target| format!("target {}", price(target)));
        let follows = trail.map_or_else(
            || "the stop stands still".to_owned(),
            |trail| format!("the stop follows {} behind the best price", price(trail)),
        );
        Said::fact(&format!("Stop of {symbol} set to {}, {target} · {}", price(stop), self.telling.mark))
            .and(&format!("In {}, said {person}; {follows} · `/why {symbol}`", self.book))
    }

    pub(super) fn position_passed(&self, symbol: Symbol, profit: Money, share: Ratio, level: Ratio) -> Said {
        let (profit, share, level) = (self.signed(profit), signed_percent(share), signed_percent(level));
        Said::fact(&format!("{symbol} of {} passed {level}: {share} now, {profit} · {}", self.book, self.telling.mark))
            .and("Not realised: at the last price, before the fees of closing")
            .and(&format!("`/why {symbol}` shows why it is held"))
    }

    pub(super) fn day_passed(&self, profit: Money, share: Ratio, level: Ratio) -> Said {
        let (profit, share, level) = (self.signed(profit), signed_percent(share), signed_percent(level));
        Said::fact(&format!("{} passed {level} today: {share} now, {profit} · {}", self.book, self.telling.mark))
            .and("Shares are of the equity at the day's start; `/pnl` shows where it comes from")
    }

    pub(super) fn carried(&self, booking: &Booking) -> Said {
        let (what, symbol, amount) = (booking.kind, booking.symbol, self.signed(booking.amount));
        let (fact, why) = match what {
            BookingKind::Dividend => {
                ("Dividend of", "A company pays who holds its shares; who is short of them pays it")
            }
            BookingKind::Borrow => ("Borrowing of", "Shares that are sold short are borrowed, which costs interest"),
            BookingKind::Funding => ("Funding of", "Longs and shorts of a perpetual pay each other every eight hours"),
        };
        Said::fact(&format!("{fact} {symbol}: {amount} for {} · {}", self.book, self.telling.mark)).and(why)
    }

    pub(super) fn split(&self, symbol: Symbol, ratio: Ratio, held: Quantity) -> Said {
        let held = self.telling.open(|| format!("{} held now, ", quantity(held))).unwrap_or_default();
        Said::fact(&format!("{symbol} was split {ratio} for 1"))
            .and(&format!("{held}at the same total cost; orders and stops were moved along"))
    }

    pub(super) fn day_closed(&self, day: &str, profit: Money, equity: Money, trades: u32) -> Said {
        let (profit, equity, trades) = (self.signed(profit), self.money(equity), counted(u64::from(trades), "trade"));
        Said::fact(&format!("{} on {day}: {profit} · equity {equity} · {trades} closed", self.book))
            .and("`/pnl` shows where it comes from")
    }

    pub(super) fn regime_switched(
        symbol: Symbol,
        from: Option<Regime>,
        to: Regime,
        strategies: &[(Label, Ratio)],
    ) -> Said {
        let was = from.map(|from| format!(", was {}", regime_words(from))).unwrap_or_default();
        let enter = strategies.iter().filter(|(_, share)| !share.is_zero());
        let names: Vec<String> =
            enter.clone().take(STRATEGIES_TOLD).map(|(name, share)| format!("{name} at {}", percent(*share))).collect();
        let more = enter.count() - names.len();
        let who = match (names.is_empty(), more) {
            (true, _) => "No strategy may enter it now; what is held goes on".to_owned(),
            (false, 0) => format!("May enter now, in shares of the usual size: {}", names.join(", ")),
            (false, more) => {
                format!("May enter now, in shares of the usual size: {} and {more} more", names.join(", "))
            }
        };
        Said::fact(&format!("The market of {symbol} is {}{was}", regime_words(to))).and(&who)
    }

    /// Who is on the list today; why nobody came onto it, if nobody did.
    pub(super) fn screened(&self, looked: usize, chosen: &[(Symbol, Ratio)], unmeasured: usize) -> Said {
        let (book, looked) = (&self.book, counted(looked as u64, "symbol"));
        let fact = match chosen.len() {
            0 if unmeasured == 0 => {
                format!("The screener of {book} chose nobody of {looked}: no one exceeds every limit")
            }
            0 => format!("The screener of {book} chose nobody of {looked}"),
            number => format!("The screener of {book} chose {number} of {looked}"),
        };
        let best: Vec<String> =
            chosen.iter().take(CHOSEN_TOLD).map(|(symbol, score)| format!("{symbol} {score:.1}")).collect();
        let best = (!best.is_empty()).then(|| format!("The best, with their scores: {}", best.join(", ")));
        let unchanged = (unmeasured > 0)
            .then(|| format!("Unchanged, as too few days are known: {}", counted(unmeasured as u64, "symbol")));
        Said::fact(&fact).and_some(best).and_some(unchanged).and("`/screener` shows each symbol and why")
    }

    /// A condition may hold an amount, so readers who may not see any are told only that it came true.
    pub(super) fn alert(&self, alert: AlertId, condition: &str, value: &str, repeats: bool) -> Said {
        let after = if repeats { "It fires again when it comes true anew" } else { "It has fired and is done" };
        if self.telling.share_of.is_some() {
            return Said::fact(&format!("Alert {alert} came true")).and(after);
        }
        let fact = quoting(&format!("Alert {alert}: "), condition, "");
        Said::title(fact).and_theirs("It is now ", value).and(after)
    }
}

fn regime_words(regime: Regime) -> &'static str {
    match regime {
        Regime::Volatile => "volatile",
        Regime::Trend => "trending",
        Regime::Calm => "calm",
        Regime::Range => "going sideways",
    }
}

fn price_of(kind: OrderKind) -> String {
    match kind {
        OrderKind::Market => "at the next open".to_owned(),
        OrderKind::Limit { price: worst } => format!("at {} or better", price(worst)),
        OrderKind::Stop { trigger } => format!("once {} is touched", price(trigger)),
        OrderKind::StopLimit { trigger, price: worst } => {
            format!("at {} or better once {} is touched", price(worst), price(trigger))
        }
        OrderKind::Trailing { trigger, distance } => {
            format!("once {} is touched, trailing by {}", price(trigger), price(distance))
        }
        OrderKind::Bracket { stop, target: None } => format!("at its stop {}", price(stop)),
        OrderKind::Bracket { stop, target: Some(target) } => {
            format!("at its stop {} or target {}", price(stop), price(target))
        }
    }
}
