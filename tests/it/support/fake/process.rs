//! How is a fake a process of its own? It prints its address and serves until its input ends.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Read, Write};

/// Reads `--port` and these options, each with its usual value, and starts the server with them.
///
/// # Errors
/// Options that nobody knows, or a port that cannot be had.
pub(crate) fn run<const N: usize, R: Display>(
    mut options: [(&str, String); N],
    start: impl FnOnce(u16, [&str; N]) -> io::Result<R>,
) -> Result<(), Box<dyn Error>> {
    let mut port = 0;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        if word == "--port" {
            port = value.parse()?;
            continue;
        }
        let known = options.each_ref().map(|(name, _)| *name).join(", ");
        let option = options.iter_mut().find(|(name, _)| *name == word);
        option.ok_or_else(|| format!("unknown option {word}: use --port, {known}"))?.1 = value;
    }
    let server = start(port, options.each_ref().map(|(_, value)| value.as_str()))?;
    let mut out = io::stdout();
    writeln!(out, "listening on http://{server}")?;
    out.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
