//! How is the audit looked over, and how does it leave for others? The chain is verified here, and so is a document that was exported.

use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::format::counted;
use crate::store::{AuditChain, AuditFault, AuditRow, Reader};
use crate::views::cell;

use super::shell::print;
use super::tools::write_file;
use super::{AppError, feeds};

/// How anybody can verify the document without this program.
const HOW: &str = "hash is the BLAKE3 hash, in hex, of these fields of a row, each preceded by its length in bytes as 8 bytes, the lowest \
                   first: previous, at_ms in decimal digits, person, channel, words, result, and preview where there is one. All text is \
                   UTF-8. previous is the hash of the row before and empty in the first; seq counts from 1 without a gap. With \
                   bellwether: audit verify FILE";

/// The audit as a document.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    how_to_verify: String,
    rows: Vec<AuditRow>,
}

/// `audit verify`: the chain in the database, and that every row of a document stands in it as it was exported.
pub(super) fn verify(database: &Path, document: Option<&Path>) -> Result<(), AppError> {
    let reader = Reader::open(database)?;
    let bar = feeds::progress("verifying");
    let checked = reader.check_audit(&mut |done, all| feeds::tick(&bar, done, all));
    bar.finish_and_clear();
    let (chain, fault) = checked?;
    fault.map_or(Ok(()), |fault| Err(broken("the audit", &fault)))?;
    if let Some(path) = document {
        let exported = read(path)?;
        let rows = reader.audit_rows()?;
        let lost = exported.iter().enumerate().find(|(place, row)| rows.get(*place) != Some(row));
        if let Some((_, row)) = lost {
            let what = "it is not in the database as it was exported";
            return Err(broken(&path.display().to_string(), &AuditFault { seq: row.seq, what }));
        }
        print(&format!(
            "{}: {}, all in the database as they were exported",
            path.display(),
            counted(exported.len() as u64, "row")
        ));
    }
    let end = if chain.rows == 0 { String::new() } else { format!("; the last is {}", chain.end()) };
    print(&format!("{}, the chain is whole{end}", counted(chain.rows, "row")));
    Ok(())
}

fn broken(whose: &str, fault: &AuditFault) -> AppError {
    AppError::failed(format!("row {} of {whose} is not what it was: {}", fault.seq, fault.what))
}

/// The rows of a document, whose own chain is whole.
fn read(path: &Path) -> Result<Vec<AuditRow>, AppError> {
    let unread = |error: &dyn std::fmt::Display| {
        AppError::usage(format!("{} cannot be read: {error}", path.display()))
            .with_hint("\"bellwether audit export FILE.json\" makes one that can be verified")
    };
    let text = std::fs::read_to_string(path).map_err(|error| unread(&error))?;
    let Document { rows, .. } = serde_json::from_str(&text).map_err(|error| unread(&error))?;
    let mut chain = AuditChain::default();
    match rows.iter().find_map(|row| chain.next(row)) {
        Some(fault) => Err(broken(&path.display().to_string(), &fault)),
        None => Ok(rows),
    }
}

/// `audit export FILE`: a table for spreadsheets, or a document that can be verified.
pub(super) fn export(database: &Path, file: &Path) -> Result<(), AppError> {
    let rows = Reader::open(database)?.audit_rows()?;
    let ends_with = |ending: &str| file.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
    let count = counted(rows.len() as u64, "row");
    let text = if ends_with("csv") {
        csv(&rows)
    } else if ends_with("json") {
        let document = Document { how_to_verify: HOW.to_owned(), rows };
        serde_json::to_string_pretty(&document).map_err(|error| AppError::failed(error.to_string()))? + "\n"
    } else {
        return Err(AppError::usage("the file is called FILE.csv or FILE.json: that decides its form"));
    };
    write_file(file, &text)?;
    print(&format!("{}: {count}", file.display()));
    Ok(())
}

fn csv(rows: &[AuditRow]) -> String {
    let mut text = String::from("seq,at,at_ms,person,channel,words,preview,result,previous,hash\n");
    for AuditRow { seq, entry, previous, hash } in rows {
        let [person, channel, words, result] =
            [&entry.person, &entry.channel, &entry.words, &entry.result].map(|text| cell(text));
        let preview = cell(entry.preview.as_deref().unwrap_or_default());
        let (at, ms, previous, hash) = (entry.at, entry.at.ms(), cell(previous), cell(hash));
        let _ = writeln!(text, "{seq},{at},{ms},{person},{channel},{words},{preview},{result},{previous},{hash}");
    }
    text
}
