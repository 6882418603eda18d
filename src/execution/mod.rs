//! What happens to an order at the market? The paper broker: it takes an `ExecutionRequest` and nothing else.
#![deny(clippy::float_arithmetic)]

mod costs;
mod inside_bar;
mod paper;

pub use costs::Costs;
pub use inside_bar::{Touch, touch};
pub(crate) use paper::split_order;
pub use paper::{BrokerError, PaperBroker, Report};
