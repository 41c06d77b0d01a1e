//! The `sarif` format: SARIF 2.1.0 as GitHub's code scanning reads it (docs.github.com, "SARIF support for code
//! scanning"). `docs/sarif.md` says what goes where.
//!
//! INVARIANT: a place in the output is a place in a file. A finding that has none is shown at the first related
//! place in a file, else at the site file as a whole, else nowhere: line 1 is never invented.

mod log;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use self::log::{
    ArtifactLocation, Configuration, Driver, Fingerprints, Help, Invocation, Location, Log, Message,
    Notification, Outcome, OutcomeProperties, PhysicalLocation, ROOT, Region, Rule, RuleProperties, Run,
    SCHEMA, Suppression, Tool, UriBase, UriBases,
};
use super::Report;
use super::concise::headline;
use super::explain::explanation;
use super::fingerprint::fingerprints;
use super::place::{Place, is_on_disk};
use super::uri;
use crate::finding::{Code, Finding, Known, Label, Severity};
use crate::source::{FileId, SourceMap, Span};

/// Code scanning refuses a run with more results.
const MAX_RESULTS: usize = 25_000;
/// Code scanning shows no more places of a result.
const MAX_PLACES: usize = 100;
/// Code scanning cuts longer descriptions.
const MAX_DESCRIPTION: usize = 1024;

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let findings = report.sorted();
    let prints = fingerprints(report.sources, &findings);
    let (kept, n_left_out) = most_severe(findings.into_iter().zip(prints).collect(), MAX_RESULTS);
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: env!("CARGO_PKG_NAME"),
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: Code::ALL.iter().map(|&code| rule(code)).collect(),
                },
            },
            invocations: [invocation(report, n_left_out)],
            original_uri_base_ids: UriBases {
                root: UriBase {
                    description: Message::new(
                        "The folder that the paths count from: the root of the repository.",
                    ),
                },
            },
            column_kind: "unicodeCodePoints",
            results: kept
                .into_iter()
                .map(|(finding, print)| outcome(report, finding, print))
                .chain(suppressed(report))
                .collect(),
        }],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

/// The findings that are taken back, if they are asked for: code scanning itself would show them as open alerts
/// (github/codeql-action, issue 1230), others take them for what they are.
fn suppressed<'a>(report: &Report<'a>) -> Vec<Outcome<'a>> {
    let known: &[Known] = if report.shows_known { report.known } else { &[] };
    let findings: Vec<&Finding> = known.iter().map(|known| &known.finding).collect();
    let prints = fingerprints(report.sources, &findings);
    let marked = |(known, print): (&'a Known, String)| Outcome {
        suppressions: vec![Suppression {
            kind: "inSource",
            justification: &known.reason,
            location: location(report.sources, &known.by, None),
        }],
        ..outcome(report, &known.finding, print)
    };
    known.iter().zip(prints).map(marked).collect()
}

/// At most `max` findings, the most severe ones, in the order they had; and how many are left out.
fn most_severe(mut findings: Vec<(&Finding, String)>, max: usize) -> (Vec<(&Finding, String)>, usize) {
    let n_left_out = findings.len().saturating_sub(max);
    if n_left_out > 0 {
        let mut order: Vec<usize> = (0..findings.len()).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(findings.get(at).map(|pair| pair.0.severity)));
        let mut keep = vec![false; findings.len()];
        for at in order.into_iter().take(max) {
            if let Some(cell) = keep.get_mut(at) {
                *cell = true;
            }
        }
        let mut keep = keep.into_iter();
        findings.retain(|_| keep.next().unwrap_or(false));
    }
    (findings, n_left_out)
}

fn rule(code: Code) -> Rule {
    let explanation = explanation(code);
    Rule {
        id: code.id(),
        short_description: Message::new(clipped(&explanation.title)),
        full_description: Message::new(clipped(&paragraphs(&explanation.text, 2))),
        help: Help {
            text: explanation.text.clone(),
            markdown: explanation.text,
        },
        default_configuration: Configuration {
            level: code.severity().word(),
        },
        properties: RuleProperties {
            tags: tags(code),
            precision: "very-high",
            problem_severity: match code.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "recommendation",
            },
        },
    }
}

/// What a rule can be filtered by. `security`: something is open that should not be.
fn tags(code: Code) -> &'static [&'static str] {
    match code {
        Code::ExcessOpening | Code::ExposedSelfPort | Code::ForbiddenOpening | Code::UnprotectedWorkload => {
            &["network", "security"]
        }
        Code::MissingOpening | Code::BlockedReply => &["network", "availability"],
        Code::ShadowedRule
        | Code::RedundantRule
        | Code::UnreachableChain
        | Code::EmptySet
        | Code::DanglingReference
        | Code::ConflictingRows
        | Code::SelectorMatchesNothing
        | Code::PolicyWithoutEffect
        | Code::UnusedSuppression
        | Code::ExpiredSuppression
        | Code::InvalidSuppression
        | Code::StaleBaseline
        | Code::UnusedWaiver
        | Code::ExpiredWaiver
        | Code::TupleMismatch => &["network", "maintainability"],
        Code::UnboundRole
        | Code::UnknownValue
        | Code::UnboundConfig
        | Code::UnsupportedMatch
        | Code::UnreadText
        | Code::AnalysisBudget => &["network", "coverage"],
    }
}

/// The first paragraphs of a Markdown text, each on one line.
fn paragraphs(text: &str, n: usize) -> String {
    let parts: Vec<_> = text
        .split("\n\n")
        .take(n)
        .map(|part| part.replace('\n', " "))
        .collect();
    parts.join(" ")
}

fn clipped(text: &str) -> String {
    if text.chars().count() <= MAX_DESCRIPTION {
        return text.to_owned();
    }
    text.chars().take(MAX_DESCRIPTION - 1).chain(['…']).collect()
}

fn invocation(report: &Report<'_>, n_left_out: usize) -> Invocation {
    let summary = report.summary;
    let left_out = (n_left_out > 0).then(|| {
        format!(
            "{n_left_out} findings are left out: code scanning takes {MAX_RESULTS}; the most severe are here"
        )
    });
    let notification = |level: &'static str| {
        move |text: &String| Notification {
            level,
            message: Message::new(text),
        }
    };
    let notifications = summary
        .failures
        .iter()
        .chain(&left_out)
        .map(notification("error"));
    let notifications = notifications.chain(summary.unchecked.iter().map(notification("warning")));
    Invocation {
        execution_successful: summary.failures.is_empty(),
        tool_execution_notifications: notifications
            .chain(summary.notes.iter().map(notification("note")))
            .collect(),
    }
}

fn outcome<'a>(report: &Report<'_>, finding: &'a Finding, print: String) -> Outcome<'a> {
    let related: Vec<_> = finding
        .related
        .iter()
        .filter(|label| is_on_disk(report.sources, label))
        .take(MAX_PLACES)
        .collect();
    let locations = match Place::of(report, finding) {
        Place::At(label) => vec![location(report.sources, label, None)],
        Place::Whole(site) => vec![whole_file(report.sources, site)],
        Place::Nowhere => Vec::new(),
    };
    Outcome {
        rule_id: finding.code.id(),
        rule_index: Code::ALL
            .iter()
            .position(|&code| code == finding.code)
            .unwrap_or(0),
        level: finding.severity.word(),
        message: Message::new(message(finding, &related)),
        locations,
        related_locations: (1..)
            .zip(&related)
            .map(|(id, label)| location(report.sources, label, Some(id)))
            .collect(),
        partial_fingerprints: Fingerprints {
            primary_location_line_hash: print,
        },
        suppressions: Vec::new(),
        properties: OutcomeProperties {
            certainty: finding.certainty.word(),
            rows: finding.rows.iter().map(|row| row.id.as_str()).collect(),
            tags: once(finding.rows.iter().flat_map(|row| &row.tags)),
            owners: once(finding.rows.iter().filter_map(|row| row.owner.as_ref())),
            hosts: &finding.hosts,
            packets: &finding.extent,
            witness: finding.witness.as_deref(),
        },
    }
}

/// Texts sorted, each once.
fn once<'a>(texts: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let mut texts: Vec<&str> = texts.map(String::as_str).collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// The message with all that code scanning shows nowhere else: rows, witness, help, and links to related places.
fn message(finding: &Finding, related: &[&Label]) -> String {
    let mut text = running(&headline(finding)).into_owned();
    if let Some(label) = finding.primary.as_ref().filter(|label| !label.message.is_empty()) {
        // Writing to a string does not fail.
        let _written = write!(text, ": {}", running(&label.message));
    }
    text.push('.');
    for row in &finding.rows {
        let _written = write!(text, "\nRow {}: {}.", running(&row.id), running(&row.document));
    }
    for (id, label) in (1..).zip(related) {
        let said = if label.message.is_empty() {
            "see also"
        } else {
            &label.message
        };
        let _written = write!(text, "\n[{}]({id}).", escaped(said));
    }
    if let Some(witness) = &finding.witness {
        let _written = write!(text, "\nWitness: {}.", running(witness));
    }
    if let Some(help) = &finding.help {
        let _written = write!(text, "\nHelp: {}.", running(help));
    }
    text
}

/// Text outside of links, in which no `[…](…)` of the user's is taken for one (SARIF 2.1.0, section 3.11.6).
fn running(text: &str) -> Cow<'_, str> {
    if text.contains("](") {
        Cow::Owned(escaped(text))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text of a link.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '[' | ']') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

fn location(sources: &SourceMap, label: &Label, id: Option<usize>) -> Location {
    let message = (!label.message.is_empty()).then(|| Message::new(&label.message));
    Location {
        id,
        physical: PhysicalLocation {
            artifact_location: artifact(sources, label.span.file),
            region: Some(region(sources, label.span)),
        },
        message,
    }
}

fn whole_file(sources: &SourceMap, file: FileId) -> Location {
    Location {
        id: None,
        physical: PhysicalLocation {
            artifact_location: artifact(sources, file),
            region: None,
        },
        message: None,
    }
}

fn artifact(sources: &SourceMap, file: FileId) -> ArtifactLocation {
    let root = std::env::current_dir().ok();
    let (uri, is_relative) = uri::of_path(sources.file(file).name(), root.as_deref());
    ArtifactLocation {
        uri,
        uri_base_id: is_relative.then_some(ROOT),
    }
}

fn region(sources: &SourceMap, span: Span) -> Region {
    let file = sources.file(span.file);
    let (start, end) = (file.line_column(span.start), file.line_column(span.end));
    Region {
        start_line: start.line,
        start_column: start.column,
        end_line: end.line,
        end_column: end.column,
    }
}
