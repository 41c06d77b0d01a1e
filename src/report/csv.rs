//! The `csv` format: a line a finding (RFC 4180), for spreadsheets and audit folders.
//!
//! INVARIANT: no cell is a formula to a spreadsheet: one that begins like one gets an apostrophe before it.

use std::io;

use super::Report;
use super::fingerprint::fingerprints;
use super::plain::plain;
use crate::finding::Finding;
use crate::source::SourceMap;

/// The columns. Some are added, none renamed or removed.
const COLUMNS: [&str; 17] = [
    "severity",
    "certainty",
    "code",
    "file",
    "line",
    "column",
    "message",
    "rows",
    "documents",
    "owners",
    "tags",
    "hosts",
    "packets",
    "witness",
    "help",
    "text",
    "fingerprint",
];

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let findings = report.sorted();
    let prints = fingerprints(report.sources, &findings);
    let mut table = csv::Writer::from_writer(out);
    table.write_record(COLUMNS).map_err(io_error)?;
    for (finding, print) in findings.into_iter().zip(prints) {
        let cells = cells(report.sources, finding, print);
        table
            .write_record(cells.map(|cell| safe(&cell)))
            .map_err(io_error)?;
    }
    table.flush()
}

/// A broken pipe stays one.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn cells(sources: &SourceMap, finding: &Finding, print: String) -> [String; 17] {
    let primary = finding.primary.as_ref().map(|label| {
        let file = sources.file(label.span.file);
        let at = file.line_column(label.span.start);
        let text = file.line(at.line).unwrap_or("").trim().to_owned();
        (
            file.name().to_owned(),
            at.line.to_string(),
            at.column.to_string(),
            text,
        )
    });
    let (file, line, column, text) = primary.unwrap_or_default();
    let list = |texts: &mut dyn Iterator<Item = &str>| {
        let mut texts: Vec<&str> = texts.collect();
        texts.dedup();
        texts.join("; ")
    };
    let rows = &finding.rows;
    [
        finding.severity.word().to_owned(),
        finding.certainty.word().to_owned(),
        finding.code.id().to_owned(),
        file,
        line,
        column,
        finding.message.clone(),
        list(&mut rows.iter().map(|row| row.id.as_str())),
        list(&mut rows.iter().map(|row| row.document.as_str())),
        list(&mut rows.iter().filter_map(|row| row.owner.as_deref())),
        list(&mut rows.iter().flat_map(|row| &row.tags).map(String::as_str)),
        list(&mut finding.hosts.iter().map(String::as_str)),
        list(&mut finding.extent.iter().map(String::as_str)),
        finding.witness.clone().unwrap_or_default(),
        finding.help.clone().unwrap_or_default(),
        text,
        print,
    ]
}

/// A cell without control characters that no spreadsheet takes for a formula (OWASP, "CSV Injection").
fn safe(text: &str) -> String {
    let text = plain(text).replace('\t', " ");
    if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text
    }
}
