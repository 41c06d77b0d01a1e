//! The findings one by one, and those that were taken back.

use std::io;

use super::super::Report;
use super::super::concise::headline;
use super::super::explain::explanation;
use super::text::{escaped, list, place, prose};
use super::{MAX_SHOWN, write_rest};
use crate::finding::{Finding, Severity};
use crate::source::SourceMap;

/// How many places, packets and hosts are shown of each.
const MAX_ITEMS: usize = 20;

pub(super) fn write(report: &Report<'_>, findings: &[&Finding], out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "<section id=\"findings\">\n<h2>Findings</h2>")?;
    if findings.is_empty() {
        writeln!(out, "<p>None.</p>")?;
    }
    let mut sorted = findings.to_vec();
    // Stable: within one severity they stay in the order of every report.
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in sorted.iter().take(MAX_SHOWN) {
        write_finding(report.sources, finding, out)?;
    }
    write_rest(findings.len(), "findings", out)?;
    writeln!(out, "</section>")
}

fn write_finding(sources: &SourceMap, finding: &Finding, out: &mut dyn io::Write) -> io::Result<()> {
    let class = match finding.severity {
        Severity::Error => "missing",
        Severity::Warning => "perhaps",
        Severity::Note => "unchecked",
    };
    writeln!(
        out,
        "<details class=\"finding\"><summary><span class=\"mark {class}\">{}</span> <b>{}</b> {}</summary>\n<dl>",
        finding.severity.word(),
        finding.code.id(),
        prose(&headline(finding))
    )?;
    let labels = finding.primary.iter().chain(&finding.related);
    let places: Vec<String> = labels
        .map(|label| format!("{} <i>{}</i>", place(sources, label.span), prose(&label.message)))
        .collect();
    let rows: Vec<String> = finding
        .rows
        .iter()
        .map(|row| format!("<code>{}</code> {}", escaped(&row.id), escaped(&row.document)))
        .collect();
    let texts = |texts: &[String]| texts.iter().map(|text| prose(text)).collect::<Vec<_>>();
    for (title, items) in [
        ("places", places),
        ("rows", rows),
        ("packets", texts(&finding.extent)),
        ("hosts", texts(&finding.hosts)),
        ("witness", texts(finding.witness.as_slice())),
        ("what to do", texts(finding.help.as_slice())),
        ("what it means", vec![prose(&explanation(finding.code).title)]),
    ] {
        if !items.is_empty() {
            writeln!(out, "<dt>{title}</dt><dd>{}</dd>", list(&items, MAX_ITEMS))?;
        }
    }
    writeln!(out, "</dl></details>")
}

/// Those that comments took back, each with the comment and its reason.
pub(super) fn write_known(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    if report.known.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section id=\"known\">\n<h2>Taken back</h2>\n<table>\n<tr><th scope=\"col\">Finding</th><th scope=\"col\">Reason</th><th scope=\"col\">By</th></tr>"
    )?;
    for known in report.known.iter().take(MAX_SHOWN) {
        writeln!(
            out,
            "<tr><td><b>{}</b> {}</td><td>{}</td><td>{}</td></tr>",
            known.finding.code.id(),
            prose(&headline(&known.finding)),
            prose(&known.reason),
            place(report.sources, known.by.span)
        )?;
    }
    writeln!(out, "</table>")?;
    write_rest(report.known.len(), "of them", out)?;
    writeln!(out, "</section>")
}
