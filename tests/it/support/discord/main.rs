//! The fake Discord as a process of its own: prints its address, serves until its input ends.

use std::io::{Read, Write};

#[path = "mod.rs"]
mod discord;

const TOKEN: &str = "TEST.token-of.the-fake";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut port = 0;
    let mut token = TOKEN.to_owned();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--port" => port = value.parse()?,
            "--token" => token = value,
            other => return Err(format!("unknown option {other}: use --port N or --token T").into()),
        }
    }
    let address = discord::start(port, &token)?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on http://{address}")?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
