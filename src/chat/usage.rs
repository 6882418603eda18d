//! How often is each command used, and by whom? Counted from the lines that are kept, read as the parser reads them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::clock::Timestamp;
use crate::domain::format::{counted, time};
use crate::views::{ViewError, Views};

use super::command::ArgError;
use super::parse::{Parsed, asked};

/// Commands that are listed one by one.
const COMMANDS_SHOWN: usize = 25;

/// How one command was used.
#[derive(Default)]
struct Used {
    count: u64,
    by: BTreeMap<String, u64>,
    last: Timestamp,
}

/// The answer to `/usage`. Of what was typed nothing is told but the names of commands.
pub(super) fn usage(views: &Views) -> Result<String, ArgError> {
    let mut commands: BTreeMap<&str, Used> = BTreeMap::new();
    let mut first = None::<Timestamp>;
    for row in views.reader().asked()? {
        // Whoever names a command and not all that it needs has used it, too.
        let Some(Parsed { command, .. }) = asked(&row.text) else { continue };
        let used = commands.entry(command.name).or_default();
        used.count += row.count;
        *used.by.entry(row.person).or_default() += row.count;
        used.last = used.last.max(row.last);
        first = Some(first.map_or(row.first, |first| first.min(row.first)));
    }
    let Some(first) = first else {
        return Err(ViewError::Nothing("no command is recorded yet".to_owned()).into());
    };
    let mut commands: Vec<(&str, Used)> = commands.into_iter().collect();
    commands.sort_by_key(|(_, used)| std::cmp::Reverse(used.count));
    let zone = views.zone()?;
    let mut text = format!("Commands since {}:\n", time(first, zone));
    for (name, used) in commands.iter().take(COMMANDS_SHOWN) {
        let mut by: Vec<(&String, &u64)> = used.by.iter().collect();
        by.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let by: Vec<String> = by.into_iter().map(|(person, count)| format!("{person} {count}")).collect();
        let _ = writeln!(text, "/{name} {} · {} · last {}", used.count, by.join(", "), time(used.last, zone));
    }
    if let Some(rest) = commands.get(COMMANDS_SHOWN..).filter(|rest| !rest.is_empty()) {
        let uses = rest.iter().map(|(_, used)| used.count).sum();
        let _ = writeln!(text, "and {} used {}", counted(rest.len() as u64, "other"), counted(uses, "time"));
    }
    Ok(text.trim_end().to_owned())
}
