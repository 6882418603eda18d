//! Behaviour across modules, told as stories. One binary, one link.

mod support;

mod tidy;
mod docs;
mod reference;
mod cycle;
mod execution;
mod order_streams;
mod replay;
mod restart;
mod simulation;
mod chat;
mod shell;
