//! Why did that happen? From what was recorded: signal, inputs, every check with value and limit, fills, result.

use chrono_tz::Tz;

use crate::domain::{
    About, AuditId, Block, CheckResult, EventKind, Message, NoticeId, OrderId, Purpose, Side, SignalIntent, Symbol,
    TradeFill, TradeId,
};

use super::about::{about, note_lines, tag_words};
use super::open::{ViewError, Views};
use super::orders::order_words;
use crate::domain::format::{age, carried, money, price, quantity, signed, signed_percent, time};

/// The answer to `/why` with a trade, an order, a symbol, a day or the number of a message, but for what people wrote to it.
///
/// # Errors
/// When nothing is known of it, or the store cannot be read.
pub fn why(views: &Views, what: &str) -> Result<String, ViewError> {
    let about = about(views, what)?;
    let tags = views.reader().tags(Some(about))?;
    if tags.is_empty() {
        return why_about(views, about);
    }
    Ok(format!("{}\nTagged {}", known(why_about(views, about))?, tag_words(&tags)))
}

/// The same with what people wrote to it; none where nobody wrote anything.
///
/// # Errors
/// When the store cannot be read.
pub fn why_noted(views: &Views, what: &str) -> Result<Option<Message>, ViewError> {
    let about = about(views, what)?;
    let notes = views.reader().notes(about)?;
    if notes.is_empty() {
        return Ok(None);
    }
    let mut message = Message::answer(&known(why(views, what))?);
    message.blocks.extend(note_lines(views, notes)?.into_iter().map(Block::Line));
    Ok(Some(message))
}

/// That nothing is known is an answer where people wrote something.
fn known(told: Result<String, ViewError>) -> Result<String, ViewError> {
    match told {
        Err(ViewError::Nothing(text)) => Ok(text),
        told => told,
    }
}

fn why_about(views: &Views, about: About) -> Result<String, ViewError> {
    match about {
        About::Trade(id) => why_trade(views, id),
        About::Order(id) => why_order(views, id),
        About::Notice(id) => why_notice(views, id),
        About::Symbol(symbol) => why_symbol(views, symbol),
        About::Day(day) => Ok(format!("{day}: /trades lists what was closed, /note {day} adds a note")),
    }
}

/// A message: the order or the symbol it was about.
fn why_notice(views: &Views, id: NoticeId) -> Result<String, ViewError> {
    let row = views.reader().notice(id)?.ok_or_else(|| ViewError::Nothing(format!("there is no message {id}")))?;
    match (row.event.kind.order(), row.event.kind.symbol()) {
        (Some(order), _) => why_order(views, order),
        (None, Some(symbol)) => why_symbol(views, symbol),
        (None, None) => Err(ViewError::Nothing(format!("{id} was about no order and no symbol"))),
    }
}

fn why_order(views: &Views, id: OrderId) -> Result<String, ViewError> {
    let order = views.reader().order(id)?.ok_or_else(|| ViewError::Nothing(format!("there is no order {id}")))?;
    let zone = views.zone()?;
    let rows = views.reader().journal_of_order(id)?;
    let mut lines = vec![format!("{} · {}{}", order_words(&order), order.status.as_str(), audited(order.audit))];
    if order.purpose == Purpose::Protect {
        let (did, way) = match order.side {
            Side::Sell => ("bought", "upwards"),
            Side::Buy => ("sold short", "downwards"),
        };
        lines.push(format!(
            "It protects what {} {did}: stop set when the position was opened, moved only {way}.",
            order.strategy
        ));
    }
    if order.signal.is_some() {
        if let Some(found) = views.reader().signal_of(&order)? {
            lines.extend(signal_lines(&found, zone));
            lines.extend(views.reader().measured_of(&order)?.map(|(bars, outcome)| {
                let moved = signed_percent(outcome);
                format!("  {bars} bars after it the price had moved {moved} in its direction")
            }));
        } else if !order.because.is_empty() {
            lines.push(format!("Because {}", order.because));
        }
    }
    for row in &rows {
        let audited = audited(row.audit.filter(|audit| order.audit != Some(*audit)));
        match &row.event.kind {
            EventKind::OrderSubmitted { checks, .. } | EventKind::OrderWithheld { checks, .. } => {
                lines.push(format!("Risk approved it at {}{audited}:", time(row.event.at, zone)));
                lines.extend(check_lines(checks));
            }
            EventKind::OrderFilled { fill, .. } => lines.push(fill_line(fill, zone) + &audited),
            EventKind::OrderEnded { why, unfilled, .. } => {
                lines.push(format!(
                    "Ended at {} with {} unfilled: {why}{audited}",
                    time(row.event.at, zone),
                    quantity(*unfilled)
                ));
            }
            _ => {}
        }
    }
    Ok(lines.join("\n"))
}

/// Which row of the audit something comes from, where a person wanted it: ` · audit 17`.
pub(super) fn audited(audit: Option<AuditId>) -> String {
    audit.map(|audit| format!(" · audit {audit}")).unwrap_or_default()
}

fn signal_lines(signal: &SignalIntent, zone: Tz) -> Vec<String> {
    let inputs: Vec<String> = signal.inputs.iter().map(|input| format!("{} {:.4}", input.name, input.value)).collect();
    vec![
        format!(
            "Signal {} of {} on {} bars at {}: {}",
            signal.id,
            signal.strategy,
            signal.timeframe,
            time(signal.at, zone),
            signal.rule
        ),
        format!("  it saw {} · confidence {:.2}", inputs.join(", "), signal.confidence),
    ]
}

/// A line a check: `passed  cash: 1,200.00, at most 9,000.00 free`.
pub(super) fn check_lines(checks: &[CheckResult]) -> Vec<String> {
    let line = |check: &CheckResult| {
        let verdict = if check.passed { "passed " } else { "refused" };
        format!("  {verdict} {}: {}, {}", check.check, check.value, check.wanted())
    };
    checks.iter().map(line).collect()
}

fn fill_line(fill: &TradeFill, zone: Tz) -> String {
    format!(
        "Filled {} at {} ({}) at {} · fee {} · slippage {}",
        quantity(fill.quantity),
        price(fill.price),
        match fill.leg {
            crate::domain::FillLeg::Market => "market",
            crate::domain::FillLeg::Limit => "limit",
            crate::domain::FillLeg::Stop => "stop",
            crate::domain::FillLeg::Target => "target",
        },
        time(fill.at, zone),
        money(fill.fee),
        money(fill.slippage)
    )
}

fn why_trade(views: &Views, id: TradeId) -> Result<String, ViewError> {
    let trade =
        views.reader().trade(id)?.ok_or_else(|| ViewError::Nothing(format!("there is no closed trade {id}")))?;
    let zone = views.zone()?;
    let fills = views.reader().fills()?;
    let inside = |fill: &&TradeFill| {
        let after = fill.at == trade.closed && fill.side == trade.side && trade.opened != trade.closed;
        let within = fill.at >= trade.opened && fill.at <= trade.closed && !after;
        fill.symbol == trade.symbol && fill.book == trade.book && within
    };
    let mut orders: Vec<OrderId> = fills.iter().filter(inside).map(|fill| fill.order).collect();
    orders.sort_unstable();
    orders.dedup();
    let mut lines = vec![format!(
        "{} {} {} · {} after fees of {}{} · held {} · {}",
        trade.id,
        quantity(trade.quantity),
        trade.symbol,
        signed(trade.profit),
        money(trade.fees),
        carried(trade.carried),
        age(trade.closed.since(trade.opened)),
        trade.strategy
    )];
    lines.push(format!(
        "In at {} ({}), out at {} ({}) by {}",
        price(trade.entry_price),
        time(trade.opened, zone),
        price(trade.exit_price),
        time(trade.closed, zone),
        trade.reason.as_str()
    ));
    for order in orders {
        lines.push(why_order(views, order)?);
    }
    Ok(lines.join("\n"))
}

/// The newest order of the symbol that came from a signal, with what became of it since.
fn why_symbol(views: &Views, symbol: Symbol) -> Result<String, ViewError> {
    let rows = views.reader().journal_of_symbol(symbol)?;
    let newest = rows.iter().find_map(|row| match &row.event.kind {
        EventKind::OrderSubmitted { order, .. } | EventKind::OrderWithheld { order, .. } => Some(order.id),
        EventKind::OrderFilled { fill, .. } => Some(fill.order),
        _ => None,
    });
    let Some(newest) = newest else {
        return Err(ViewError::Nothing(format!("nothing was ordered in {symbol} yet; /whynot {symbol} says why")));
    };
    let mut lines = Vec::new();
    let closed = rows.iter().find_map(|row| match &row.event.kind {
        EventKind::PositionClosed { trade, .. } => Some(trade),
        _ => None,
    });
    if let Some(trade) = closed {
        let (id, reason) = (trade.id, trade.reason.as_str());
        lines.push(format!("Last closed trade {id}: {} by {reason}; /why {id} tells it", signed(trade.profit)));
    }
    lines.insert(0, why_order(views, newest)?);
    Ok(lines.join("\n"))
}
