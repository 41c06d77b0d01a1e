//! Findings to text: one file a format, all with the same findings in the same order.
//!
//! INVARIANT: the order is [`Finding::sort_key`], here and nowhere else; what a format leaves out (long extents,
//! many places) it counts.

mod concise;
mod csv;
mod excerpt;
pub mod explain;
mod fingerprint;
mod format;
mod github;
mod gitlab;
mod html;
mod human;
mod json;
pub mod junit;
mod link;
mod markdown;
mod place;
mod plain;
mod sarif;
mod uri;

pub(crate) use markdown::cell;

use std::io;

pub use format::Format;
pub use link::Links;

use crate::finding::{Coverage, Finding, Known, Severity, Summary};
use crate::source::{FileId, SourceMap};

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

    /// "2 errors, 1 warning, 0 notes"
    fn sentence(self) -> String {
        let counted = [
            human::count(self.errors, "error"),
            human::count(self.warnings, "warning"),
            human::count(self.notes, "note"),
        ];
        counted.join(", ")
    }
}

/// Everything a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The files that spans point into.
    pub sources: &'a SourceMap,
    /// The findings, in any order.
    pub findings: &'a [Finding],
    /// The findings that comments took back, sorted.
    pub known: &'a [Known],
    /// Whether formats that programs read as a list of what is wrong (`sarif`) have those too, marked as taken back.
    pub shows_known: bool,
    /// From which severity on a finding fails the run.
    pub fail_on: Severity,
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

/// How the formats for terminals are dressed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Style {
    /// Colours, in [`Format::Human`].
    pub color: bool,
    /// Hyperlinks, in the same.
    pub links: Option<Links>,
    /// Findings alone, without what stands below them.
    pub is_quiet: bool,
}

/// Writes a report.
pub fn write(report: &Report<'_>, format: Format, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Human => human::write(report, style, out),
        Format::Concise => concise::write(report, out),
        Format::Json => json::write(report, out),
        Format::Jsonl => json::write_lines(report, out),
        Format::Sarif => sarif::write(report, out),
        Format::Github => github::write(report, out),
        Format::Gitlab => gitlab::write(report, out),
        Format::Junit => junit::write_report(report, out),
        Format::Markdown => markdown::write(report, out),
        Format::Csv => csv::write(report, out),
        Format::Html => html::write(report, out),
    }
}
