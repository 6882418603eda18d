//! The fake Twilio as a process of its own.

#[path = "../fake/mod.rs"]
#[expect(dead_code, reason = "its faults and its log are its own")]
mod fake;
#[path = "mod.rs"]
mod twilio;

const SID: &str = "AC00000000000000000000000000000001";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = [("--sid", SID.to_owned()), ("--token", "token-of-the-fake".to_owned())];
    fake::process::run(options, |port, [sid, token]| twilio::start(port, sid, token))
}
