//! The `html` format: one page for auditors that opens anywhere, without a script, a font or a picture from elsewhere.
//!
//! What must be known first stands first: what was found, what was not checked; then the matrix of roles, peers and services; then
//! the findings, the rows and the openings one by one. INVARIANT: the page asks for nothing outside itself, and says so to the
//! browser (Content-Security-Policy); whatever a text holds, it is text.

mod cell;
mod coverage;
mod findings;
mod matrix;
mod state;
mod text;

use std::io;

use self::text::{escaped, prose};
use super::human::{count, taken_back};
use super::{Counts, Report};
use crate::finding::Summary;

/// How many findings, rows and openings are shown one by one before the rest is only counted.
const MAX_SHOWN: usize = 5_000;

const STYLE: &str = include_str!("style.css");

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let findings = report.sorted();
    let counts = Counts::of(findings.iter().copied());
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>portcullis: network openings</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>Network openings</h1>\n"
    )?;
    write_summary(report, counts, out)?;
    write_contents(report, out)?;
    writeln!(out, "</header>\n<main>")?;
    write_lists(report.summary, out)?;
    if let Some(coverage) = report.coverage {
        matrix::write(report, coverage, out)?;
    }
    findings::write(report, &findings, out)?;
    findings::write_known(report, out)?;
    if let Some(coverage) = report.coverage {
        coverage::write(report.sources, coverage, out)?;
    }
    writeln!(
        out,
        "</main>\n<footer>portcullis {}</footer>\n</body>\n</html>",
        env!("CARGO_PKG_VERSION")
    )
}

fn write_summary(report: &Report<'_>, counts: Counts, out: &mut dyn io::Write) -> io::Result<()> {
    let summary = report.summary;
    writeln!(
        out,
        "<p class=\"counts\"><strong>{}</strong>{}</p>\n<p>{} checked on {}: {} read from {}; {} not modelled; {} not checked.</p>",
        counts.sentence(),
        escaped(&taken_back(summary)),
        count(summary.n_rows, "row"),
        count(summary.n_hosts, "host"),
        count(summary.n_rules, "rule"),
        count(summary.n_files, "file"),
        count(summary.n_unknown, "construct"),
        count(summary.n_rows_unchecked, "row"),
    )?;
    match report.coverage {
        Some(coverage) => writeln!(out, "<p>{}.</p>", escaped(&coverage.counts().to_string())),
        None => Ok(()),
    }
}

fn write_contents(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let summary = report.summary;
    let has_coverage = report.coverage.is_some();
    let sections = [
        ("failed", "Failed", !summary.failures.is_empty()),
        ("unchecked", "Not checked", !summary.unchecked.is_empty()),
        ("assumed", "Assumed", !summary.notes.is_empty()),
        ("matrix", "Roles and peers", has_coverage),
        ("findings", "Findings", true),
        ("known", "Taken back", !report.known.is_empty()),
        ("rows", "Rows", has_coverage),
        ("openings", "Openings", has_coverage),
    ];
    writeln!(out, "<nav aria-label=\"Contents\"><ul>")?;
    for (id, title, _) in sections.iter().filter(|(.., is_there)| *is_there) {
        writeln!(out, "<li><a href=\"#{id}\">{title}</a></li>")?;
    }
    writeln!(out, "</ul></nav>")
}

/// What could not be done, what was not checked and what was assumed.
fn write_lists(summary: &Summary, out: &mut dyn io::Write) -> io::Result<()> {
    let lists = [
        ("failed", "Failed", &summary.failures),
        ("unchecked", "Not checked", &summary.unchecked),
        ("assumed", "Assumed", &summary.notes),
    ];
    for (id, title, items) in lists.into_iter().filter(|(.., items)| !items.is_empty()) {
        writeln!(out, "<section id=\"{id}\">\n<h2>{title}</h2>\n<ul>")?;
        for item in items {
            writeln!(out, "<li>{}</li>", prose(item))?;
        }
        writeln!(out, "</ul>\n</section>")?;
    }
    Ok(())
}

/// Says how many of a list are not shown.
fn write_rest(n_all: usize, what: &str, out: &mut dyn io::Write) -> io::Result<()> {
    match n_all.checked_sub(MAX_SHOWN).filter(|&more| more > 0) {
        Some(more) => writeln!(
            out,
            "<p>{more} more {what} are not shown here: `json` has them all.</p>"
        ),
        None => Ok(()),
    }
}
