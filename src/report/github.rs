//! The `github` format: workflow commands, of which GitHub Actions makes annotations (docs.github.com, "Workflow commands for
//! GitHub Actions"). GitHub shows ten errors, ten warnings and ten notices of a step: the most severe come first.
//!
//! INVARIANT: one line a finding, whatever its text holds: it starts no command of its own.

use std::fmt::Write as _;
use std::io;

use super::concise::headline;
use super::place::{self, Place};
use super::plain::{plain, short};
use super::{Counts, Report};
use crate::finding::{Finding, Severity};

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut findings = report.sorted();
    // Stable: within one severity they stay in the order of every report.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in &findings {
        writeln!(out, "{}", command(report, finding))?;
    }
    for failure in &report.summary.failures {
        writeln!(out, "::error title=portcullis::{}", data(&short(failure)))?;
    }
    let counts = Counts::of(findings);
    writeln!(out, "{}", counts.sentence())
}

fn command(report: &Report<'_>, finding: &Finding) -> String {
    let mut line = format!("::{} ", command_word(finding.severity));
    // Writing to a string does not fail.
    if let Some(file) = Place::of(report, finding).file() {
        let _written = write!(
            line,
            "file={},",
            property(&plain(&place::path(report.sources, file)))
        );
    }
    if let Place::At(label) = Place::of(report, finding) {
        let file = report.sources.file(label.span.file);
        let (start, end) = (
            file.line_column(label.span.start),
            file.line_column(label.span.end),
        );
        let _written = write!(line, "line={},endLine={},", start.line, end.line);
        if start.line == end.line {
            // Columns are of one line; the last one is within what is meant.
            let last = end.column.saturating_sub(1).max(start.column);
            let _written = write!(line, "col={},endColumn={last},", start.column);
        }
    }
    let title = property(&format!("portcullis {}", finding.code.id()));
    let _written = write!(line, "title={title}::{}", data(&said(finding)));
    line
}

/// The message, with what an annotation shows nowhere else.
fn said(finding: &Finding) -> String {
    let mut text = short(&headline(finding)).into_owned();
    for row in &finding.rows {
        // Writing to a string does not fail.
        let _written = write!(text, "\nrow {}: {}", short(&row.id), short(&row.document));
    }
    if let Some(help) = &finding.help {
        let _written = write!(text, "\nhelp: {}", short(help));
    }
    text
}

fn command_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    }
}

/// The text behind `::` (`escapeData` of actions/toolkit).
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value before `::` (`escapeProperty` of actions/toolkit).
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
