//! What happens to an order at the market? The paper broker: it takes an `ExecutionRequest` and nothing else.
#![deny(clippy::float_arithmetic)]

mod costs;
mod margin;
mod report;
mod inside_bar;
mod trailing;
mod allocate;
mod change;
mod fill;
mod paper;

pub use change::{reference_of, replace_order, split_order};
pub use costs::{Costs, borrow_cost, funding_payment};
pub use margin::{initial_margin, liquidation_price, maintenance_margin};
pub use paper::PaperBroker;
pub use report::{BrokerError, Report};
