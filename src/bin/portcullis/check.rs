//! `check` and `openings`.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use portcullis::check::{self, Outcome, Past, Request, Watch};
use portcullis::evaluate::{self, Opening};
use portcullis::finding::Severity;
use portcullis::packet::Space;
use portcullis::report::{self, Format, Report, Style};
use portcullis::revision::{self, RevisionError};
use portcullis::source::SourceMap;

use crate::arguments::{Check, Openings, TableFormat};
use crate::output::{self, Target};
use crate::watched::Watched;
use crate::{Ending, complain, errors, ignored, terminal};

pub(crate) fn check(arguments: &Check, out: &mut dyn Write) -> io::Result<Ending> {
    let targets = match output::targets(&arguments.formats, arguments.output.as_deref()) {
        Ok(targets) => targets,
        Err(why) => {
            complain(&why);
            return Ok(Ending::Failed);
        }
    };
    let mut request = arguments.inputs.request(&arguments.paths);
    request.arguments.redundant = arguments.redundant;
    request.skips_unknown = arguments.skip_unknown;
    request.arguments.select.clone_from(&arguments.select);
    request.arguments.ignore.clone_from(&arguments.ignore);
    request.known = match known(arguments, &request) {
        Ok(known) => known,
        Err(error) => {
            complain(&error.to_string());
            return Ok(Ending::Failed);
        }
    };
    if let Some(reason) = &arguments.add_ignore
        && !ignored::add(reason, &request, |outcome| fail_on(arguments, outcome))
    {
        return Ok(Ending::Failed);
    }
    let watched = Arc::new(Watched::new(arguments.quiet));
    request.watch = Watch::new(watched.clone());
    // The page for auditors is about nothing else.
    let has_page = targets.iter().any(|target| target.format == Format::Html);
    request.coverage = arguments.coverage || has_page;
    let checked = check::check(&request);
    watched.clear();
    let outcome = match checked {
        Ok(outcome) => outcome,
        Err(refusal) => {
            errors::show_refusal(&refusal);
            return Ok(Ending::Failed);
        }
    };
    let is_written = write(arguments, &outcome, &targets, out)?;
    let is_incomplete = outcome.findings.iter().any(|finding| finding.code.is_failure());
    if arguments.verbose {
        watched.tell();
    }
    let fail_on = (!arguments.exit_zero).then(|| fail_on(arguments, &outcome));
    let ending = if is_incomplete || !outcome.summary.failures.is_empty() || !is_written {
        Ending::Failed
    } else if fail_on.is_some_and(|least| outcome.findings.iter().any(|finding| finding.severity >= least)) {
        Ending::Found
    } else {
        Ending::Clean
    };
    // The process ends here: a hundred thousand findings need not be taken apart first.
    std::mem::forget(outcome.findings);
    Ok(ending)
}

/// What is done about findings that were there before.
fn known(arguments: &Check, request: &Request) -> Result<Past, RevisionError> {
    match (&arguments.new_from, &arguments.baseline) {
        (Some(revision), _) => revision::findings(revision, request).map(Past::Before),
        (None, Some(file)) => Ok(Past::File(file.clone())),
        (None, None) => Ok(Past::BySites),
    }
}

/// From which severity on a finding fails the run.
fn fail_on(arguments: &Check, outcome: &Outcome) -> Severity {
    let asked = arguments.fail_on.map(Severity::from);
    asked.or(outcome.fail_on).unwrap_or(Severity::Error)
}

/// Writes all reports, and what could not be done. Whether every file could be written.
fn write(arguments: &Check, outcome: &Outcome, targets: &[Target], out: &mut dyn Write) -> io::Result<bool> {
    let report = Report {
        sources: &outcome.sources,
        findings: &outcome.findings,
        known: &outcome.known,
        shows_known: arguments.show_suppressed,
        fail_on: fail_on(arguments, outcome),
        summary: &outcome.summary,
        coverage: outcome.coverage.as_ref(),
        site: outcome.site,
    };
    let mut read = output::files_of(&outcome.sources);
    read.extend(arguments.baseline.clone());
    let mut is_written = true;
    let mut is_said = false;
    for target in targets {
        let style = match target.file {
            Some(_) => Style {
                is_quiet: arguments.quiet,
                ..Style::default()
            },
            None => terminal::style(arguments.quiet),
        };
        let ending = output::to(target.file.as_deref(), &read, out, |out| {
            report::write(&report, target.format, &style, out).map(|()| Ending::Clean)
        })?;
        is_written &= matches!(ending, Ending::Clean);
        // On a terminal, the report has just said what could not be done.
        is_said |= target.file.is_none() && target.format == Format::Human && io::stdout().is_terminal();
    }
    for failure in outcome.summary.failures.iter().filter(|_| !is_said) {
        complain(failure);
    }
    Ok(is_written)
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
    let read = output::files_of(&sources);
    let ending = output::to(arguments.to.output.as_deref(), &read, out, |out| {
        match arguments.format {
            TableFormat::Text => write_text(&sources, &tables, out)?,
            TableFormat::Json => write_json(&sources, &tables, out)?,
        }
        Ok(Ending::Clean)
    })?;
    is_failed |= matches!(ending, Ending::Failed);
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
