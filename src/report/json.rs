//! The `json` format, version 1: `docs/json.md`. Fields are added, never renamed or removed.
//!
//! INVARIANT: these types mirror findings; renaming something inside the crate does not reach the output.

mod coverage;

use std::io;

use serde::Serialize;

use self::coverage::CoverageV1;
use super::fingerprint::fingerprints;
use super::{Counts, Report, Summary};
use crate::finding::{Finding, Known, RowCitation};
use crate::source::{SourceMap, Span};

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ReportV1<'a> {
    version: u32,
    tool: ToolV1,
    findings: Vec<FindingV1<'a>>,
    suppressed: Vec<KnownV1<'a>>,
    coverage: Option<CoverageV1<'a>>,
    summary: SummaryV1<'a>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ToolV1 {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FindingV1<'a> {
    code: &'static str,
    severity: &'static str,
    certainty: &'static str,
    message: &'a str,
    primary: Option<LabelV1<'a>>,
    related: Vec<LabelV1<'a>>,
    rows: Vec<RowV1<'a>>,
    hosts: &'a [String],
    extent: &'a [String],
    witness: Option<&'a str>,
    help: Option<&'a str>,
    fingerprint: String,
}

/// A finding that a comment took back.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct KnownV1<'a> {
    finding: FindingV1<'a>,
    by: LabelV1<'a>,
    reason: &'a str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct LabelV1<'a> {
    message: &'a str,
    file: &'a str,
    on_disk: bool,
    start: PositionV1,
    end: PositionV1,
}

/// Lines and columns count from 1, bytes from 0.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PositionV1 {
    line: usize,
    column: usize,
    byte: u32,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RowV1<'a> {
    id: &'a str,
    document: &'a str,
    owner: Option<&'a str>,
    tags: &'a [String],
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SummaryV1<'a> {
    errors: usize,
    warnings: usize,
    notes: usize,
    files: usize,
    hosts: usize,
    rules: usize,
    rows_checked: usize,
    rows_unchecked: usize,
    constructs_not_modelled: usize,
    findings_suppressed: usize,
    findings_waived: usize,
    findings_known: usize,
    findings_ignored: usize,
    assumed: &'a [String],
    not_checked: &'a [String],
    failures: &'a [String],
}

/// A line of the `jsonl` format: what it is, with the fields of that.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
enum LineV1<'a> {
    Finding(FindingV1<'a>),
    Suppressed(KnownV1<'a>),
    Row(coverage::RowV1<'a>),
    Opening(coverage::OpeningV1<'a>),
    Summary(SummaryV1<'a>),
}

/// One object.
pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &mirror(report))?;
    writeln!(out)
}

/// One object a line: findings, what was taken back, the coverage, and the summary last, so that a reader knows that it has all.
pub(super) fn write_lines(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mirror = mirror(report);
    let coverage = mirror.coverage.map(|coverage| (coverage.rows, coverage.openings));
    let (rows, openings) = coverage.unwrap_or_default();
    let findings = mirror.findings.into_iter().map(LineV1::Finding);
    let suppressed = mirror.suppressed.into_iter().map(LineV1::Suppressed);
    let covered = rows.into_iter().map(LineV1::Row);
    let covered = covered.chain(openings.into_iter().map(LineV1::Opening));
    let last = std::iter::once(LineV1::Summary(mirror.summary));
    for line in findings.chain(suppressed).chain(covered).chain(last) {
        serde_json::to_writer(&mut *out, &line)?;
        writeln!(out)?;
    }
    Ok(())
}

fn mirror<'a>(report: &Report<'a>) -> ReportV1<'a> {
    let findings = report.sorted();
    let prints = fingerprints(report.sources, &findings);
    let counts = Counts::of(findings.iter().copied());
    ReportV1 {
        version: 1,
        tool: ToolV1 {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        findings: findings
            .iter()
            .zip(prints)
            .map(|(it, print)| finding(report.sources, it, print))
            .collect(),
        coverage: report.coverage.map(|it| coverage::mirror(report.sources, it)),
        suppressed: suppressed(report),
        summary: summary(report.summary, counts),
    }
}

fn suppressed<'a>(report: &Report<'a>) -> Vec<KnownV1<'a>> {
    let findings: Vec<&Finding> = report.known.iter().map(|known| &known.finding).collect();
    let prints = fingerprints(report.sources, &findings);
    let mirror = |(known, print): (&'a Known, String)| KnownV1 {
        finding: finding(report.sources, &known.finding, print),
        by: label(report.sources, known.by.span, &known.by.message),
        reason: &known.reason,
    };
    report.known.iter().zip(prints).map(mirror).collect()
}

fn finding<'a>(sources: &'a SourceMap, finding: &'a Finding, fingerprint: String) -> FindingV1<'a> {
    FindingV1 {
        code: finding.code.id(),
        severity: finding.severity.word(),
        certainty: finding.certainty.word(),
        message: &finding.message,
        primary: finding
            .primary
            .as_ref()
            .map(|it| label(sources, it.span, &it.message)),
        related: finding
            .related
            .iter()
            .map(|it| label(sources, it.span, &it.message))
            .collect(),
        rows: finding.rows.iter().map(row).collect(),
        hosts: &finding.hosts,
        extent: &finding.extent,
        witness: finding.witness.as_deref(),
        help: finding.help.as_deref(),
        fingerprint,
    }
}

fn label<'a>(sources: &'a SourceMap, span: Span, message: &'a str) -> LabelV1<'a> {
    let file = sources.file(span.file);
    let position = |byte: u32| {
        let at = file.line_column(byte);
        PositionV1 {
            line: at.line,
            column: at.column,
            byte,
        }
    };
    LabelV1 {
        message,
        file: file.name(),
        on_disk: !file.is_virtual(),
        start: position(span.start),
        end: position(span.end),
    }
}

fn row(row: &RowCitation) -> RowV1<'_> {
    RowV1 {
        id: &row.id,
        document: &row.document,
        owner: row.owner.as_deref(),
        tags: &row.tags,
    }
}

fn summary(summary: &Summary, counts: Counts) -> SummaryV1<'_> {
    SummaryV1 {
        errors: counts.errors,
        warnings: counts.warnings,
        notes: counts.notes,
        files: summary.n_files,
        hosts: summary.n_hosts,
        rules: summary.n_rules,
        rows_checked: summary.n_rows,
        rows_unchecked: summary.n_rows_unchecked,
        constructs_not_modelled: summary.n_unknown,
        findings_suppressed: summary.n_suppressed,
        findings_waived: summary.n_waived,
        findings_known: summary.n_known,
        findings_ignored: summary.n_ignored,
        assumed: &summary.notes,
        not_checked: &summary.unchecked,
        failures: &summary.failures,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schema_is_that_of_the_types() {
        let mut schema = schemars::schema_for!(ReportV1<'_>).to_value();
        schema["title"] = "portcullis report, version 1".into();
        let schema = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        let published = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(published, schema, "UPDATE_EXPECT=1 rewrites it");
    }
}
