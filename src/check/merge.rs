//! The same finding on several hosts, or in several files, said once.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::finding::{Code, Finding};
use crate::source::SourceMap;

/// Groups findings that say the same of several hosts, with the same words about the same text, and sorts all.
pub(super) fn alike(sources: &SourceMap, findings: Vec<Finding>) -> Vec<Finding> {
    let mut order: FxHashMap<Key, usize> = FxHashMap::default();
    let mut merged: Vec<Finding> = Vec::new();
    let mut findings = findings;
    findings.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    let findings = not_modelled(findings);
    for finding in findings {
        let key = Key::of(sources, &finding);
        match order.get(&key).and_then(|&at| merged.get_mut(at)) {
            Some(first) if !finding.hosts.is_empty() => {
                first.hosts.extend(finding.hosts);
                first.hosts.sort();
                first.hosts.dedup();
            }
            _ => {
                order.insert(key, merged.len());
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

#[derive(PartialEq, Eq, Hash)]
struct Key {
    code: &'static str,
    severity: &'static str,
    certainty: &'static str,
    message: String,
    extent: Vec<String>,
    /// The words under the labels, not their places.
    texts: Vec<String>,
}

impl Key {
    fn of(sources: &SourceMap, finding: &Finding) -> Self {
        let labels = finding.primary.iter().chain(&finding.related);
        let line = |span: crate::source::Span| {
            let file = sources.file(span.file);
            file.line(file.line_column(span.start).line)
                .unwrap_or("")
                .to_owned()
        };
        Self {
            code: finding.code.id(),
            severity: finding.severity.word(),
            certainty: finding.certainty.word(),
            message: finding.message.clone(),
            extent: finding.extent.clone(),
            texts: labels.map(|label| line(label.span)).collect(),
        }
    }
}
