//! The same finding on several hosts, or in several files, said once.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use crate::finding::{Code, Finding};
use crate::source::{SourceMap, Span};

/// Groups findings that say the same of several hosts, with the same words about the same text, and sorts all.
pub(super) fn alike(sources: &SourceMap, findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    let mut findings = findings;
    findings.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    let findings = not_modelled(findings);
    let mut places: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
    for finding in findings {
        let known = places.entry(hash(sources, &finding)).or_default();
        let is_alike = |at: &&usize| {
            let other = merged.get(**at);
            other.is_some_and(|other| is_alike(sources, other, &finding))
        };
        let first = known.iter().find(is_alike).copied();
        match first.and_then(|at| merged.get_mut(at)) {
            Some(first) if !finding.hosts.is_empty() => {
                first.hosts.extend(finding.hosts);
                first.hosts.sort();
                first.hosts.dedup();
            }
            _ => {
                known.push(merged.len());
                merged.push(finding);
            }
        }
    }
    merged
}

/// Says once what is not modelled, at its first place: the same tools write the same rules into every dump.
fn not_modelled(findings: Vec<Finding>) -> Vec<Finding> {
    let mut first: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        if finding.code == Code::UnsupportedMatch {
            // The number of uses in one file follows the name.
            let name = finding.message.split(" (").next().unwrap_or_default().to_owned();
            if let Some((_, n_others)) = first.get_mut(&name) {
                *n_others += 1;
                continue;
            }
            first.insert(name, (kept.len(), 0));
        }
        kept.push(finding);
    }
    for (at, n_others) in first.into_values().filter(|(_, n_others)| *n_others > 0) {
        if let Some(finding) = kept.get_mut(at) {
            let files = if n_others == 1 { "file" } else { "files" };
            let help = finding.help.take().unwrap_or_default();
            finding.help = Some(format!("{help}; {n_others} more {files} have it"));
        }
    }
    kept
}

/// The lines under the labels of a finding: their words, not their places.
fn lines<'a>(sources: &'a SourceMap, finding: &'a Finding) -> impl Iterator<Item = &'a str> {
    let labels = finding.primary.iter().chain(&finding.related);
    labels.map(|label| sources.file(label.span.file).line_around(label.span.start))
}

fn hash(sources: &SourceMap, finding: &Finding) -> u64 {
    let mut hasher = FxHasher::default();
    finding.message.hash(&mut hasher);
    finding.extent.hash(&mut hasher);
    for line in lines(sources, finding) {
        line.hash(&mut hasher);
    }
    hasher.finish()
}

/// Whether two findings say the same. At two places of one file they never do: a line that stands there twice is two lines.
fn is_alike(sources: &SourceMap, a: &Finding, b: &Finding) -> bool {
    let place = |finding: &Finding| finding.primary.as_ref().map(|label| label.span);
    let is_elsewhere = |(a, b): (Span, Span)| a.file == b.file && a != b;
    if place(a).zip(place(b)).is_some_and(is_elsewhere) {
        return false;
    }
    let words = |finding: &Finding| (finding.code, finding.severity, finding.certainty);
    words(a) == words(b)
        && a.message == b.message
        && a.extent == b.extent
        && lines(sources, a).eq(lines(sources, b))
}
