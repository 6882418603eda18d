//! What is alike wherever a platform is played? The server and its connections, faults on demand, the log of requests, and how a test scripts
//! all that. What a platform takes and refuses is its own.

#[cfg(test)]
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod control;
pub(crate) mod faults;
pub(crate) mod hub;
pub(crate) mod log;
pub(crate) mod page;
#[cfg(not(test))]
pub(crate) mod process;
pub(crate) mod wire;
