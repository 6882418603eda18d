//! The fake Twilio as a process of its own: prints its address, serves until its input ends.

use std::io::{Read, Write};

#[path = "mod.rs"]
mod twilio;

const SID: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "token-of-the-fake";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut port, mut sid, mut token) = (0, SID.to_owned(), TOKEN.to_owned());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--port" => port = value.parse()?,
            "--sid" => sid = value,
            "--token" => token = value,
            other => return Err(format!("unknown option {other}: use --port N, --sid S or --token T").into()),
        }
    }
    let server = twilio::start(port, &sid, &token)?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on http://{server}")?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
