//! The `gitlab` format: GitLab's code quality report (docs.gitlab.com, "Code Quality", "Code Quality report format").
//!
//! INVARIANT: each finding is there once, with a fingerprint of its own. GitLab takes no finding without a line: what is shown
//! at a file as a whole, or nowhere, stands at line 1.

use std::io;

use serde::Serialize;

use super::Report;
use super::concise::headline;
use super::fingerprint::fingerprints;
use super::place::{self, Place};
use super::plain::short;
use crate::finding::{Finding, Severity};

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    positions: Positions,
}

#[derive(Serialize)]
struct Positions {
    begin: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: usize,
    column: usize,
}

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let findings = report.sorted();
    let prints = fingerprints(report.sources, &findings);
    let issues: Vec<Issue> = findings
        .iter()
        .zip(prints)
        .map(|(finding, print)| issue(report, finding, print))
        .collect();
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    writeln!(out)
}

fn issue(report: &Report<'_>, finding: &Finding, fingerprint: String) -> Issue {
    let place = Place::of(report, finding);
    let path = place.file().map(|file| place::path(report.sources, file));
    let first = || Position { line: 1, column: 1 };
    let position = |byte| match place {
        Place::At(label) => {
            let at = report.sources.file(label.span.file).line_column(byte);
            let (line, column) = (at.line, at.column);
            Position { line, column }
        }
        Place::Whole(_) | Place::Nowhere => first(),
    };
    let (begin, end) = match place {
        Place::At(label) => (position(label.span.start), position(label.span.end)),
        Place::Whole(_) | Place::Nowhere => (first(), first()),
    };
    Issue {
        description: short(&headline(finding)).into_owned(),
        check_name: finding.code.id(),
        fingerprint,
        severity: severity(finding),
        location: Location {
            path: path.unwrap_or_else(|| ".".to_owned()),
            positions: Positions { begin, end },
        },
    }
}

/// `info`, `minor`, `major`, `critical` or `blocker`.
fn severity(finding: &Finding) -> &'static str {
    match finding.severity {
        _ if finding.code.is_failure() => "blocker",
        Severity::Error => "critical",
        Severity::Warning => "major",
        Severity::Note => "info",
    }
}
