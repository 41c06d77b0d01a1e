//! The `markdown` format: findings, and the coverage if it was asked for, as tables for a report, an issue or a job summary.
//!
//! INVARIANT: whatever a text holds, it stays in its cell: nothing of it is markup.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;

use super::concise::headline;
use super::human::{count, taken_back};
use super::plain::short;
use super::{Counts, Report};
use crate::finding::{Coverage, CoveredHost, CoveredRow, Finding, Ground, Standing};
use crate::source::SourceMap;

/// How many hosts, rows and packets one cell names.
const MAX_ITEMS: usize = 6;

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let findings = report.sorted();
    let counts = Counts::of(findings.iter().copied());
    writeln!(
        out,
        "# Findings\n\n{}; {}, {}, {}{}\n",
        counts.sentence(),
        count(report.summary.n_hosts, "host"),
        count(report.summary.n_rules, "rule"),
        count(report.summary.n_files, "file"),
        taken_back(report.summary)
    )?;
    if !findings.is_empty() {
        head(out, &["Severity", "Code", "Place", "Finding", "Rows", "Hosts"])?;
        for finding in findings {
            line(out, &cells(report.sources, finding))?;
        }
        writeln!(out)?;
    }
    let lists = [
        ("Failed", &report.summary.failures),
        ("Not checked", &report.summary.unchecked),
        ("Assumed", &report.summary.notes),
    ];
    for (title, items) in lists.into_iter().filter(|(_, items)| !items.is_empty()) {
        writeln!(out, "## {title}\n")?;
        for item in items {
            writeln!(out, "- {}", cell(item))?;
        }
        writeln!(out)?;
    }
    match report.coverage {
        Some(coverage) => write_coverage(report.sources, coverage, out),
        None => Ok(()),
    }
}

fn cells(sources: &SourceMap, finding: &Finding) -> [String; 6] {
    let place = finding.primary.as_ref().map(|label| sources.place(label.span));
    [
        finding.severity.word().to_owned(),
        finding.code.id().to_owned(),
        cell(&place.unwrap_or_default()),
        cell(&headline(finding)),
        few(finding.rows.iter().map(|row| cell(&row.id))),
        few(finding.hosts.iter().map(|host| cell(host))),
    ]
}

fn write_coverage(sources: &SourceMap, coverage: &Coverage, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "# Coverage\n\n{}\n", coverage.counts())?;
    if !coverage.rows.is_empty() {
        writeln!(out, "## Rows\n")?;
        head(
            out,
            &["Row", "Kind", "Document", "Purpose", "State", "Hosts", "Openings"],
        )?;
        for row in &coverage.rows {
            line(
                out,
                &[
                    cell(&row.id),
                    row.kind.to_owned(),
                    document(row),
                    cell(&row.purpose),
                    state(row),
                    hosts(row),
                    row.n_openings.to_string(),
                ],
            )?;
        }
        writeln!(out)?;
    }
    if !coverage.openings.is_empty() {
        writeln!(out, "## Openings\n")?;
        head(out, &["Host", "Direction", "Packets", "Place", "State", "Rows"])?;
        for opening in &coverage.openings {
            let word = opening.ground.word();
            let state = match opening.ground {
                Ground::Unjustified(code, _) => format!("{word}: {}", code.id()),
                Ground::Justified | Ground::Unjudged => word.to_owned(),
            };
            line(
                out,
                &[
                    cell(&opening.host),
                    opening.direction.to_owned(),
                    few(opening.packets.iter().map(|packets| cell(packets))),
                    cell(&opening.span.map(|span| sources.place(span)).unwrap_or_default()),
                    state,
                    few(opening.rows.iter().map(|row| cell(row))),
                ],
            )?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Where a row is written, with whoever answers for it and what it is a part of.
fn document(row: &CoveredRow) -> String {
    let owner = row.owner.iter().map(|owner| format!("owner {}", cell(owner)));
    let parts = std::iter::once(cell(&row.document)).chain(owner);
    let parts: Vec<String> = parts.chain(row.tags.iter().map(|tag| cell(tag))).collect();
    parts.join("; ")
}

/// The state of a row, with why it is so and whose side of it is not checked.
fn state(row: &CoveredRow) -> String {
    let mut text = row.standing.word(row.kind).to_owned();
    if let Some(why) = &row.why {
        // Writing to a string does not fail.
        let _written = write!(text, ": {}", cell(why));
    } else if !row.unbound.is_empty() && row.standing != Standing::Permitted {
        let roles = few(row.unbound.iter().map(|role| cell(role)));
        let _written = write!(text, " (no config for {roles})");
    }
    text
}

/// The hosts of a row: of one that is not as it should be, those where it is not, and how many others there are.
fn hosts(row: &CoveredRow) -> String {
    let is_shown =
        |host: &&CoveredHost| host.standing != Standing::Verified || row.standing == Standing::Verified;
    let mut shown: Vec<&CoveredHost> = row.hosts.iter().filter(is_shown).collect();
    shown.sort_by(|a, b| b.standing.cmp(&a.standing).then_with(|| a.cmp(b)));
    let names: BTreeSet<&str> = shown.iter().map(|host| host.name.as_str()).collect();
    let others: BTreeSet<&str> = row.hosts.iter().map(|host| host.name.as_str()).collect();
    let n_others = others.difference(&names).count();
    let list = few(shown.into_iter().map(|host| {
        let name = cell(&host.name);
        let direction = if host.direction == "in" { "" } else { " (out)" };
        if host.standing == row.standing {
            format!("{name}{direction}")
        } else {
            format!("{name}{direction} {}", host.standing.word(row.kind))
        }
    }));
    match n_others {
        0 => list,
        _ => format!("{list}; verified at {}", count(n_others, "other")),
    }
}

fn head(out: &mut dyn io::Write, titles: &[&str]) -> io::Result<()> {
    writeln!(out, "| {} |", titles.join(" | "))?;
    writeln!(out, "|{}", " --- |".repeat(titles.len()))
}

fn line(out: &mut dyn io::Write, cells: &[String]) -> io::Result<()> {
    writeln!(out, "| {} |", cells.join(" | "))
}

/// The first few of a list, and how many more there are.
fn few(items: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = items.collect();
    let shown = all.iter().take(MAX_ITEMS).cloned().collect::<Vec<_>>().join(", ");
    match all.len().checked_sub(MAX_ITEMS).filter(|&more| more > 0) {
        Some(more) => format!("{shown} and {more} more"),
        None => shown,
    }
}

/// A text as Markdown shows it letter by letter (`CommonMark`, section 2.4): on one line, without markup.
pub(crate) fn cell(text: &str) -> String {
    let mut shown = String::new();
    for letter in short(text).chars() {
        match letter {
            '\t' => shown.push(' '),
            '<' => shown.push_str("&lt;"),
            '&' => shown.push_str("&amp;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '~' => {
                shown.push('\\');
                shown.push(letter);
            }
            _ => shown.push(letter),
        }
    }
    shown
}
