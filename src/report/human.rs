//! The `human` format: each finding with its lines underlined, and a summary.
//!
//! INVARIANT: a finding takes a bounded number of lines, however many places, hosts and packets it has.

use std::fmt::Write as _;
use std::io;

use codespan_reporting::diagnostic::{Diagnostic, Label, Severity as Level};
use codespan_reporting::term::{self, Config, termcolor::Ansi};

use super::concise::headline;
use super::excerpt::{Text, View};
use super::link;
use super::plain::short;
use super::{Counts, Report, Style, Summary};
use crate::finding::{self, Finding, Severity};

/// How many related places, packets and hosts are shown of each finding.
const MAX_PLACES: usize = 6;
pub(super) const MAX_PACKETS: usize = 6;
const MAX_HOSTS: usize = 8;

pub(super) fn write(report: &Report<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let config = Config {
        start_context_lines: 2,
        ..Config::default()
    };
    let findings = report.sorted();
    for finding in &findings {
        let related: Vec<_> = finding.related.iter().take(MAX_PLACES).collect();
        let spans: Vec<_> = finding
            .primary
            .iter()
            .chain(related.iter().copied())
            .map(|label| label.span)
            .collect();
        let view = View::new(report.sources, &spans);
        let diagnostic = diagnostic(finding, &related, &view);
        let mut text = Vec::new();
        let written = if style.color {
            term::emit_to_write_style(&mut Ansi::new(&mut text), &config, &view, &diagnostic)
        } else {
            term::emit_to_io_write(&mut text, &config, &view, &diagnostic)
        };
        written.map_err(|error| match error {
            codespan_reporting::files::Error::Io(error) => error,
            other => io::Error::other(other),
        })?;
        match &style.links {
            Some(links) => {
                let text = String::from_utf8_lossy(&text);
                out.write_all(link::linked(&text, finding, report.sources, links).as_bytes())?;
            }
            None => out.write_all(&text)?,
        }
    }
    if style.is_quiet {
        return Ok(());
    }
    write_summary(report.summary, Counts::of(findings), out)?;
    match report.coverage {
        Some(coverage) => writeln!(out, "{}", coverage.counts()),
        None => Ok(()),
    }
}

fn diagnostic(finding: &Finding, related: &[&finding::Label], view: &View<'_>) -> Diagnostic<Text> {
    let level = match finding.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Note,
    };
    let label = |label: &finding::Label, primary: bool| {
        let (text, range) = view.locate(label.span);
        let new = if primary {
            Label::primary(text, range)
        } else {
            Label::secondary(text, range)
        };
        new.with_message(short(&label.message))
    };
    let primary = finding.primary.iter().map(|it| label(it, true));
    let labels = primary.chain(related.iter().map(|it| label(it, false))).collect();
    Diagnostic::new(level)
        .with_code(finding.code.id())
        .with_message(short(&headline(finding)))
        .with_labels(labels)
        .with_notes(notes(finding))
}

/// What stands under the lines.
fn notes(finding: &Finding) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(more) = finding
        .related
        .len()
        .checked_sub(MAX_PLACES)
        .filter(|&more| more > 0)
    {
        notes.push(format!("and {more} more places"));
    }
    for row in finding.rows.iter().take(MAX_PLACES) {
        let mut note = format!("row `{}`: {}", short(&row.id), short(&row.document));
        let owner = row.owner.iter().map(|owner| format!("owner {owner}"));
        for more in owner.chain(row.tags.iter().cloned()) {
            // Writing to a string does not fail.
            let _written = write!(note, "; {}", short(&more));
        }
        notes.push(note);
    }
    if let Some(more) = finding
        .rows
        .len()
        .checked_sub(MAX_PLACES)
        .filter(|&more| more > 0)
    {
        notes.push(format!("and {more} more rows"));
    }
    if !finding.extent.is_empty() {
        let mut lines: Vec<_> = finding
            .extent
            .iter()
            .take(MAX_PACKETS)
            .map(|line| short(line).into_owned())
            .collect();
        if let Some(more) = finding
            .extent
            .len()
            .checked_sub(MAX_PACKETS)
            .filter(|&more| more > 0)
        {
            lines.push(format!("and {more} more"));
        }
        notes.push(format!("packets: {}", lines.join("\n         ")));
    }
    if let Some(witness) = &finding.witness {
        notes.push(format!("witness: {}", short(witness)));
    }
    if !finding.hosts.is_empty() {
        notes.push(hosts(&finding.hosts));
    }
    if let Some(help) = &finding.help {
        notes.push(format!("help: {}", short(help)));
    }
    notes
}

fn hosts(hosts: &[String]) -> String {
    let names: Vec<_> = hosts.iter().take(MAX_HOSTS).map(|host| short(host)).collect();
    let mut line = format!(
        "{}: {}",
        if hosts.len() == 1 { "host" } else { "hosts" },
        names.join(", ")
    );
    if let Some(more) = hosts.len().checked_sub(MAX_HOSTS).filter(|&more| more > 0) {
        // Writing to a string does not fail.
        let _written = write!(line, " and {more} more");
    }
    line
}

fn write_summary(summary: &Summary, counts: Counts, out: &mut dyn io::Write) -> io::Result<()> {
    for failure in &summary.failures {
        writeln!(out, "failed: {}", short(failure))?;
    }
    for unchecked in &summary.unchecked {
        writeln!(out, "not checked: {}", short(unchecked))?;
    }
    for note in &summary.notes {
        writeln!(out, "assumed: {}", short(note))?;
    }
    writeln!(out, "{}", counts.sentence())?;
    write!(
        out,
        "{} checked on {}: {} read from {}",
        count(summary.n_rows, "row"),
        count(summary.n_hosts, "host"),
        count(summary.n_rules, "rule"),
        count(summary.n_files, "file")
    )?;
    if summary.n_unknown > 0 {
        write!(out, ", {} not modelled", count(summary.n_unknown, "construct"))?;
    }
    if summary.n_rows_unchecked > 0 {
        write!(out, "; {} not checked", count(summary.n_rows_unchecked, "row"))?;
    }
    writeln!(out, "{}", taken_back(summary))
}

/// What ends a summary if findings were taken back, or options left some out.
pub(super) fn taken_back(summary: &Summary) -> String {
    let by = |n: usize, what: &str| match n {
        0 => String::new(),
        n => format!("; {} {what}", count(n, "finding")),
    };
    by(summary.n_suppressed, "taken back by comments")
        + &by(summary.n_ignored, "of codes that are not asked for")
        + &by(summary.n_waived, "waived")
        + &by(summary.n_known, "known before")
}

/// `1 row`, `2 rows`
pub(super) fn count(n: usize, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}
