//! What did trading cost beyond the prices it was decided at?

use std::cmp::Reverse;

use crate::domain::{Label, Money, Order, Ratio, Symbol};
use crate::portfolio::{Expected, Shortfall, shortfall_by_strategy, shortfalls};
use crate::store::BookRow;

use super::open::{Scene, ViewError, Views, amount};
use crate::domain::format::{counted, money, quantity};

/// The most orders of a book that one answer measures.
const ORDERS_MAX: u32 = 5_000;
/// How many of the dearest orders are listed.
const DEAREST: usize = 10;

/// The answer to `/costs [book]`.
///
/// # Errors
/// When there is no such book, nothing has run yet, an amount does not fit or the store cannot be read.
pub fn costs(views: &Views, book: Option<&str>) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let mut lines = Vec::new();
    for row in scene.books_named(book)? {
        lines.extend(book_lines(views, &scene, row)?);
    }
    lines.push(
        "Costs are against the price at which each order was decided (implementation shortfall, Perold 1988); a negative one is a \
         gain. Stops and targets are decided at their levels. What never filled is valued at the last price. Orders that a split \
         divided between their fills are left out."
            .to_owned(),
    );
    Ok(lines.join("\n"))
}

fn book_lines(views: &Views, scene: &Scene, row: &BookRow) -> Result<Vec<String>, ViewError> {
    let (name, currency) = (row.book.name, row.book.currency.as_str());
    let (orders, all) = views.reader().ended_orders(name, ORDERS_MAX)?;
    let Some(oldest) = orders.last() else { return Ok(vec![format!("{name}: no order has ended yet")]) };
    let fills = views.reader().fills_from(name, oldest.id)?;
    let model = Model::of(row);
    let usual = model.expected(None);
    let mut costs = shortfalls(
        &orders,
        &fills,
        |order| model.expected(Some(order.symbol)),
        |order| scene.value_price(order.symbol),
    )?;
    let by_strategy = shortfall_by_strategy(costs.iter().map(|(order, cost)| (order.strategy, *cost)))?;
    let sum = by_strategy.values().try_fold(Shortfall::default(), |sum, one| sum.plus(*one))?;
    let measured = counted(costs.len() as u64, "order");
    let newest =
        if all > u64::from(ORDERS_MAX) { format!(", of the newest {ORDERS_MAX} of {all}") } else { String::new() };
    let excess = sum.excess()?;
    let (off, than) = if excess < Money::ZERO { (excess.abs(), "less") } else { (excess, "more") };
    let mut lines = vec![
        format!(
            "{name}: trading cost {}, {} of {} decided on · {measured} that ended{newest}",
            amount(sum.realised()?, currency),
            bps(&sum, sum.realised()?)?,
            amount(sum.paper, currency),
        ),
        format!(
            "  expected {}: fee {} and slippage {} as the book sets them{}, without impact · {} {than} than expected",
            part(&sum, sum.expected)?,
            in_bps(usual.fee)?,
            in_bps(usual.slippage)?,
            model.exceptions(),
            part(&sum, off)?,
        ),
        format!("  {}", parts(&sum)?),
        "By strategy".to_owned(),
    ];
    for (strategy, cost) in &by_strategy {
        lines.extend(strategy_lines(*strategy, cost)?);
    }
    let mut dearest = Vec::with_capacity(costs.len());
    for (order, cost) in costs.drain(..) {
        dearest.push((cost.realised()?, order, cost));
    }
    dearest.retain(|(realised, ..)| *realised > Money::ZERO);
    dearest.sort_by_key(|(realised, order, _)| (Reverse(*realised), order.id));
    if !dearest.is_empty() {
        lines.push("Dearest orders".to_owned());
    }
    for (_, order, cost) in dearest.into_iter().take(DEAREST) {
        lines.push(order_line(order, &cost)?);
    }
    Ok(lines)
}

fn strategy_lines(strategy: Label, cost: &Shortfall) -> Result<[String; 2], ViewError> {
    Ok([
        format!(
            "  {strategy}: {} of {} · expected {}",
            part(cost, cost.realised()?)?,
            money(cost.paper),
            part(cost, cost.expected)?
        ),
        format!("    {}", parts(cost)?),
    ])
}

fn order_line(order: &Order, cost: &Shortfall) -> Result<String, ViewError> {
    Ok(format!(
        "  {} {} {} {} {}: {} of {} · expected {} · {}",
        order.id,
        order.strategy,
        order.side,
        quantity(order.quantity),
        order.symbol,
        part(cost, cost.realised()?)?,
        money(cost.paper),
        part(cost, cost.expected)?,
        parts(cost)?,
    ))
}

/// What it is made of: `drift 160.00 (32.0 bps) · slippage ...`.
fn parts(cost: &Shortfall) -> Result<String, ViewError> {
    let named =
        [("drift", cost.drift), ("slippage", cost.slippage), ("fees", cost.fees), ("not filled", cost.opportunity)];
    let words: Result<Vec<String>, ViewError> =
        named.into_iter().map(|(name, value)| Ok(format!("{name} {}", part(cost, value)?))).collect();
    Ok(words?.join(" · "))
}

/// An amount with its share of the paper value: `160.00 (32.0 bps)`.
fn part(cost: &Shortfall, value: Money) -> Result<String, ViewError> {
    Ok(format!("{} ({})", money(value), bps(cost, value)?))
}

fn bps(cost: &Shortfall, value: Money) -> Result<String, ViewError> {
    Ok(format!("{:.1} bps", cost.in_bps(value)?))
}

fn in_bps(share: Ratio) -> Result<String, ViewError> {
    Ok(format!("{:.1} bps", share.scaled(10_000, 1)?))
}

/// What a book's settings expect of orders; zero of what they do not say.
struct Model {
    all: serde_json::Map<String, serde_json::Value>,
}

impl Model {
    fn of(row: &BookRow) -> Self {
        Self { all: serde_json::from_str(&row.limits).unwrap_or_default() }
    }

    /// Of the book itself, or of a symbol, which may have its own.
    fn expected(&self, symbol: Option<Symbol>) -> Expected {
        let own = symbol.and_then(|symbol| self.all.get("symbols")?.get(symbol.as_str()));
        let set = |key: &str| {
            let value = own.and_then(|own| own.get(key)).or_else(|| self.all.get(key));
            value.and_then(|value| value.as_str()?.parse().ok()).unwrap_or(Ratio::ZERO)
        };
        Expected { fee: set("fee_bps"), slippage: set("slippage_bps") }
    }

    /// Names the symbols whose costs differ from the book's.
    fn exceptions(&self) -> String {
        let usual = self.expected(None);
        let symbols = self.all.get("symbols").and_then(|own| own.as_object());
        let symbols = symbols.into_iter().flatten().filter_map(|(name, _)| name.parse().ok());
        let others: Vec<String> = symbols
            .filter(|symbol| self.expected(Some(*symbol)) != usual)
            .map(|symbol: Symbol| symbol.to_string())
            .collect();
        if others.is_empty() { String::new() } else { format!(", with {} as set for each", others.join(", ")) }
    }
}
