//! The fake mail server as a process of its own: prints its address, and each letter as it comes; serves until its input ends.

use std::io::{Read, Write};
use std::path::Path;

#[path = "mod.rs"]
mod smtp;

use smtp::{Authority, Setup, Smtp};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut port, mut setup) = (0, Setup { mechanisms: "PLAIN LOGIN", size_max: 10 << 20, ..Setup::default() });
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--port" => port = value.parse()?,
            "--ca" => {
                // TLS by STARTTLS; whoever trusts this file trusts the server.
                let authority = Authority::new();
                authority.keep(Path::new(&value));
                setup.tls = Some(authority.acceptor(&["localhost", "127.0.0.1"]));
            }
            "--login" => setup.login = value.split_once(':').map(|(a, b)| (a.to_owned(), b.to_owned())),
            other => return Err(format!("unknown option {other}: use --port N, --ca FILE or --login USER:WORD").into()),
        }
    }
    let server = Smtp::start(port, setup);
    let mut out = std::io::stdout();
    writeln!(out, "listening on {}", server.address)?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    let taken = server.taken();
    for fault in taken.faults {
        writeln!(out, "fault: {fault}")?;
    }
    for letter in taken.letters {
        writeln!(
            out,
            "from {} to {:?}, {} bytes, tls {}, user {:?}",
            letter.from,
            letter.to,
            letter.letter.len(),
            letter.tls,
            letter.user
        )?;
    }
    Ok(())
}
