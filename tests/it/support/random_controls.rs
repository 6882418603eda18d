//! Random controls of orders, levels, states and settings.

use bellwether::control::{Amount, Control, Level, Part, Positions};
use bellwether::domain::{Money, OrderId, Price, Quantity, Ratio, Setting, Side, Symbol};

use super::random::{Desk, Draw, SYMBOLS, at, place_of};

/// A control that may be possible there.
pub(crate) fn random_control(draw: &mut Draw, desk: &Desk) -> Control {
    let symbol: Symbol = draw.one(&SYMBOLS).parse().expect("a symbol");
    let share = Ratio::from_percent(draw.between(1, 100));
    let near = Level::Away(Ratio::from_percent(draw.between(1, 15)));
    let side = draw.one(&[Side::Buy, Side::Sell]);
    let amount = match draw.next(5) {
        0 => Amount::Units(Quantity::whole(draw.between(1, 60))),
        1 => Amount::Units(fraction(draw)),
        2 => Amount::Money(Money::whole(draw.between(500, 20_000))),
        3 => Amount::Equity(Ratio::from_percent(draw.between(1, 30))),
        _ => Amount::Usual,
    };
    let away = |from: usize, percent: i64| Price::whole(desk.closes[from]).scaled(percent, 100).expect("fits");
    let percent = if draw.next(2) == 0 { draw.between(96, 104) } else { draw.between(1, 300) };
    let limit = away(place_of(symbol), percent);
    let what = draw.one(&[Positions::Of(symbol), Positions::Losers, Positions::Winners, Positions::All]);
    let open: Vec<(OrderId, Symbol)> =
        desk.engine.desks[0].orders.iter().map(|order| (order.id, order.symbol)).collect();
    let (order, of) = if open.is_empty() { (OrderId(100), symbol) } else { draw.one(&open) };
    match draw.next(24) {
        0 | 1 => Control::Close { what, part: Part::Share(if draw.next(2) == 0 { Ratio::ONE } else { share }) },
        2 => Control::Close { what: Positions::Of(symbol), part: Part::Units(Quantity::whole(draw.between(1, 20))) },
        3 => Control::Close { what: Positions::Of(symbol), part: Part::Units(fraction(draw)) },
        4 | 5 => Control::Trade { side, symbol, amount, limit: None },
        6 | 7 => Control::Trade { side, symbol, amount, limit: Some(limit) },
        8 => Control::Stop { symbol, level: near },
        9 => Control::Target { symbol, level: (draw.next(4) > 0).then_some(near) },
        10 => Control::Trail { symbol, distance: near },
        11 => Control::SetStops { distance: (draw.next(2) == 0).then_some(share) },
        12 => Control::SetTargets { distance: Some(Ratio::from_percent(draw.between(1, 30))) },
        13 => Control::Cancel { order },
        14 | 15 => {
            let price = (draw.next(4) > 0).then(|| away(place_of(of), draw.between(5, 250)));
            Control::Modify { order, price, quantity: (draw.next(2) == 0).then(|| fraction(draw)) }
        }
        16 => Control::Pause { until: (draw.next(2) == 0).then(|| at(desk.day + draw.between(1, 9))) },
        17 => Control::Block { symbol, until: at(desk.day + draw.between(1, 9)) },
        18..=22 => Control::Set { setting: setting(draw), until: (draw.next(2) == 0).then(|| at(desk.day + 5)) },
        _ => Control::CancelAll,
    }
}

fn setting(draw: &mut Draw) -> Setting {
    let strategy = "sma_cross".parse().expect("a name");
    let value = Some(Ratio::from_percent(100 * draw.between(1, 60)));
    let limit = draw.one(&["position_pct", "exposure_pct", "positions_max", "open_risk_pct", "stop_atr", "net_pct"]);
    match draw.next(5) {
        0 => Setting::Risk { share: Ratio::from_percent(draw.between(1, 100)) },
        1 => Setting::Limit { name: limit.to_owned(), value },
        2 => Setting::Param { strategy, name: "fast".to_owned(), value },
        3 => Setting::Enabled { strategy, enabled: true },
        _ => Setting::Enabled { strategy, enabled: false },
    }
}

/// Any amount below 60, to the last digit.
fn fraction(draw: &mut Draw) -> Quantity {
    Quantity::from_units(draw.between(1, 6_000_000_000))
}
