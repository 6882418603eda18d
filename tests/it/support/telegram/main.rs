//! The fake Telegram as a process of its own.

#[path = "../fake/mod.rs"]
mod fake;
#[path = "mod.rs"]
mod telegram;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    fake::process::run([("--token", telegram::TOKEN.to_owned())], |port, [token]| telegram::start(port, token))
}
