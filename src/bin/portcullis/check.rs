//! `check` and `openings`.

use std::io::{self, IsTerminal, Write};

use portcullis::check::{self, Known, Request};
use portcullis::evaluate::{self, Opening};
use portcullis::finding::Severity;
use portcullis::packet::Space;
use portcullis::report::{self, Report};
use portcullis::revision::{self, RevisionError};
use portcullis::source::SourceMap;

use crate::arguments::{Check, FormatArgument, Openings, TableFormat};
use crate::{Ending, complain, errors, wants_color};

pub(crate) fn check(arguments: &Check, out: &mut dyn Write) -> io::Result<Ending> {
    let mut request = arguments.inputs.request(&arguments.paths);
    request.arguments.redundant = arguments.redundant;
    request.coverage = arguments.coverage;
    request.known = match known(arguments, &request) {
        Ok(known) => known,
        Err(error) => {
            complain(&error.to_string());
            return Ok(Ending::Failed);
        }
    };
    let outcome = match check::check(&request) {
        Ok(outcome) => outcome,
        Err(refusal) => {
            errors::show_refusal(&refusal);
            return Ok(Ending::Failed);
        }
    };
    let summary = outcome.summary;
    let report = Report {
        sources: &outcome.sources,
        findings: &outcome.findings,
        summary: &summary,
        coverage: outcome.coverage.as_ref(),
        site: outcome.site,
    };
    report::write(&report, arguments.format.into(), wants_color(), out)?;
    // On a terminal, the report has just said so.
    let is_said = arguments.format == FormatArgument::Human && io::stdout().is_terminal();
    for failure in summary.failures.iter().filter(|_| !is_said) {
        complain(failure);
    }
    let fail_on = arguments
        .fail_on
        .map(Severity::from)
        .or(outcome.fail_on)
        .unwrap_or(Severity::Error);
    let is_incomplete = outcome.findings.iter().any(|finding| finding.code.is_failure());
    let ending = if is_incomplete || !summary.failures.is_empty() {
        Ending::Failed
    } else if outcome.findings.iter().any(|finding| finding.severity >= fail_on) {
        Ending::Found
    } else {
        Ending::Clean
    };
    // The process ends here: a hundred thousand findings need not be taken apart first.
    std::mem::forget(outcome.findings);
    Ok(ending)
}

/// What is done about findings that were there before.
fn known(arguments: &Check, request: &Request) -> Result<Known, RevisionError> {
    match (&arguments.new_from, &arguments.baseline) {
        (Some(revision), _) => revision::findings(revision, request).map(Known::Before),
        (None, Some(file)) => Ok(Known::File(file.clone())),
        (None, None) => Ok(Known::BySites),
    }
}

pub(crate) fn openings(arguments: &Openings, out: &mut dyn Write) -> io::Result<Ending> {
    let (sources, hosts, summary) = match check::hosts(&arguments.inputs.request(&arguments.paths)) {
        Ok(found) => found,
        Err(refusal) => {
            errors::show_refusal(&refusal);
            return Ok(Ending::Failed);
        }
    };
    let mut is_failed = !summary.failures.is_empty();
    let mut tables = Vec::new();
    for (host, world) in &hosts {
        match evaluate::openings(host, world, Space::with_budget(arguments.inputs.budget)) {
            Ok(openings) => tables.push((host.name.as_str(), openings)),
            Err(over) => {
                complain(&format!("{}: {over}", host.name));
                is_failed = true;
            }
        }
    }
    match arguments.format {
        TableFormat::Text => write_text(&sources, &tables, out)?,
        TableFormat::Json => write_json(&sources, &tables, out)?,
    }
    for said in summary.failures.iter().chain(&summary.dangling) {
        complain(said);
    }
    if hosts.is_empty() && summary.n_without_hosts == 0 && !is_failed {
        complain("no input that a dialect knows");
        is_failed = true;
    }
    Ok(if is_failed {
        Ending::Failed
    } else if summary.dangling.is_empty() {
        Ending::Clean
    } else {
        Ending::Found
    })
}

fn write_text(sources: &SourceMap, tables: &[(&str, Vec<Opening>)], out: &mut dyn Write) -> io::Result<()> {
    for (at, (host, openings)) in tables.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{host}")?;
        if openings.is_empty() {
            writeln!(out, "  nothing is open to new connections from elsewhere")?;
        }
        for opening in openings {
            let place = opening
                .label
                .as_ref()
                .map(|label| sources.place(label.span))
                .unwrap_or_default();
            let doubt = if opening.is_sure { "" } else { " (possibly)" };
            let verb = if opening.is_transit { "passes on " } else { "" };
            for line in &opening.lines {
                writeln!(out, "  {verb}{line}{doubt}  # {place}")?;
            }
        }
    }
    Ok(())
}

#[derive(serde::Serialize)]
struct HostV1<'a> {
    host: &'a str,
    openings: Vec<OpeningV1<'a>>,
}

#[derive(serde::Serialize)]
struct OpeningV1<'a> {
    packets: &'a [String],
    direction: &'static str,
    certainty: &'static str,
    rule: Option<String>,
    text: Option<String>,
}

fn write_json(sources: &SourceMap, tables: &[(&str, Vec<Opening>)], out: &mut dyn Write) -> io::Result<()> {
    let opening = |opening: &'_ Opening| -> (Option<String>, Option<String>) {
        let Some(label) = &opening.label else {
            return (None, None);
        };
        let file = sources.file(label.span.file);
        let line = file.line(file.line_column(label.span.start).line);
        (
            Some(sources.place(label.span)),
            line.map(|line| line.trim().to_owned()),
        )
    };
    let hosts: Vec<_> = tables
        .iter()
        .map(|(host, openings)| HostV1 {
            host,
            openings: openings
                .iter()
                .map(|one| {
                    let (rule, text) = opening(one);
                    let certainty = if one.is_sure { "surely" } else { "possibly" };
                    OpeningV1 {
                        packets: &one.lines,
                        direction: if one.is_transit { "forward" } else { "in" },
                        certainty,
                        rule,
                        text,
                    }
                })
                .collect(),
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &hosts)?;
    writeln!(out)
}
