//! Parse arguments, call the library, print the error and its hint, choose the exit code.

use std::io::Write;
use std::process::ExitCode;

use bellwether::app::{halts, perform, start_log};
use bellwether::cli::Cli;
use bellwether::config::Environment;
use clap::Parser;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let read = Environment::read().or_else(|what| if halts(&cli) { Environment::read_places() } else { Err(what) });
    let environment = match read {
        Ok(environment) => environment,
        Err(what) => return fail(&format!("error: {what}"), 2),
    };
    start_log(&environment.log);
    match perform(cli, &environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.message().unwrap_or_default(), error.code()),
    }
}

fn fail(message: &str, code: u8) -> ExitCode {
    if !message.is_empty() {
        // Where nobody can read it, the exit code has to do.
        let _ = writeln!(std::io::stderr(), "{message}");
    }
    ExitCode::from(code)
}
