//! Findings to text: one file a format, all with the same findings in the same order.
//!
//! INVARIANT: the order is [`Finding::sort_key`], here and nowhere else; what a format leaves out (long extents,
//! many places) it counts.

mod concise;
mod excerpt;
pub mod explain;
mod fingerprint;
mod human;
mod json;
mod markdown;
mod plain;
mod sarif;

pub(crate) use markdown::cell;

use std::io;

use crate::finding::{Coverage, Finding, Severity, Summary};
use crate::source::{FileId, SourceMap};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: the lines of each finding, underlined, and a summary.
    Human,
    /// For people and `grep`: one line a finding, no summary.
    Concise,
    /// For programs: `docs/json.md`.
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For people who were not there: tables of findings and, if it was asked for, of the coverage.
    Markdown,
}

impl Format {
    /// All, in the order of the help text.
    pub const ALL: [Self; 5] = [
        Self::Human,
        Self::Concise,
        Self::Json,
        Self::Sarif,
        Self::Markdown,
    ];

    /// The word for `--format`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Concise => "concise",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Markdown => "markdown",
        }
    }
}

/// How many findings there are of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
}

impl Counts {
    /// Counts findings.
    #[must_use]
    pub fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            match finding.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                Severity::Note => counts.notes += 1,
            }
        }
        counts
    }
}

/// Everything a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The files that spans point into.
    pub sources: &'a SourceMap,
    /// The findings, in any order.
    pub findings: &'a [Finding],
    /// What else there is to say.
    pub summary: &'a Summary,
    /// What became of each row and each opening, if that was asked for.
    pub coverage: Option<&'a Coverage>,
    /// The site file, if there is one: where findings without a place of their own are shown in formats that
    /// need a file.
    pub site: Option<FileId>,
}

impl<'a> Report<'a> {
    /// The findings in the order of every report.
    fn sorted(&self) -> Vec<&'a Finding> {
        let mut findings: Vec<_> = self.findings.iter().collect();
        findings.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        findings
    }
}

/// Writes a report. `color` counts for [`Format::Human`] only, see [`wants_color`].
pub fn write(report: &Report<'_>, format: Format, color: bool, out: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Human => human::write(report, color, out),
        Format::Concise => concise::write(report, out),
        Format::Json => json::write(report, out),
        Format::Sarif => sarif::write(report, out),
        Format::Markdown => markdown::write(report, out),
    }
}

/// Whether to colour: on a terminal that can, unless `NO_COLOR` (no-color.org) is set to anything but nothing.
#[must_use]
pub fn wants_color(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let refused = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = variable("TERM").is_some_and(|value| value == "dumb");
    is_terminal && !refused && !dumb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn color_needs_a_terminal_and_no_objection() {
        let none = |_: &str| None;
        assert!(wants_color(true, none) && !wants_color(false, none));
        let set = |name: &'static str, value: &'static str| {
            move |asked: &str| (asked == name).then(|| value.to_owned())
        };
        assert!(!wants_color(true, set("NO_COLOR", "1")) && wants_color(true, set("NO_COLOR", "")));
        assert!(!wants_color(true, set("TERM", "dumb")));
    }
}
