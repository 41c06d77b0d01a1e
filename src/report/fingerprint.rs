//! A finding's identity across commits: the same while lines move, another once the deciding text changes.
//!
//! INVARIANT: no line number, host name or message goes into it; two findings of a run never share one.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::source::SourceMap;

/// The fingerprints of findings, in their order: `HASH:N`, where N counts the findings that have this hash.
pub(super) fn fingerprints(sources: &SourceMap, findings: &[&Finding]) -> Vec<String> {
    let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
    findings
        .iter()
        .map(|finding| {
            let hash = hash(sources, finding);
            let count = seen.entry(hash).or_default();
            *count += 1;
            format!("{hash:016x}:{count}")
        })
        .collect()
}

/// Of the code, the file's name, the line's text, the deciding bytes, and the rows.
fn hash(sources: &SourceMap, finding: &Finding) -> u64 {
    let mut hash = Fnv::new();
    hash.part(finding.code.id());
    match &finding.primary {
        Some(label) => {
            let file = sources.file(label.span.file);
            let line = file.line(file.line_column(label.span.start).line).unwrap_or("");
            hash.part(file.name());
            hash.part(line.trim());
            hash.part(sources.text(label.span));
        }
        None => hash.part(&finding.message),
    }
    for row in &finding.rows {
        hash.part(&row.id);
    }
    hash.0
}

/// FNV-1a, 64 bits: not against attackers, but the same in every release and on every machine.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a text and a byte that no text holds, so that parts do not run together.
    fn part(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
