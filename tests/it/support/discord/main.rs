//! The fake Discord as a process of its own.

#[path = "../fake/mod.rs"]
mod fake;
#[path = "mod.rs"]
mod discord;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    fake::process::run([("--token", discord::TOKEN.to_owned())], |port, [token]| discord::start(port, token))
}
