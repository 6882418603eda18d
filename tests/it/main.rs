//! Behaviour across modules, told as stories. One binary, one link.

mod support;

mod tidy;
mod docs;
mod reference;
mod indicators;
mod cycle;
mod replay;
mod strategies;
mod restart;
mod simulation;
mod chat;
mod shell;
