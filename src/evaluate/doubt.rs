//! Requirements that one doubt is in the way of: said once.

use std::collections::BTreeMap;

use crate::finding::{Certainty, Code, Finding, Severity};
use crate::source::Span;

/// Rows named of one doubtful rule.
const MAX_NAMED: usize = 3;

/// Says once of a rule what it may block: one match that is not known, early in a ruleset, is in the way of every row.
pub(super) fn once_each(findings: Vec<Finding>) -> Vec<Finding> {
    let mut first: BTreeMap<(Span, Severity, Vec<Span>), usize> = BTreeMap::new();
    let mut kept: Vec<(Finding, usize)> = Vec::new();
    for finding in findings {
        let is_doubtful = finding.code == Code::MissingOpening && finding.certainty == Certainty::Possibly;
        // The first related label is the row, the others are doubts.
        let doubts: Vec<Span> = finding.related.iter().skip(1).map(|label| label.span).collect();
        let place = finding
            .primary
            .as_ref()
            .filter(|_| is_doubtful && !doubts.is_empty());
        let Some(key) = place.map(|label| (label.span, finding.severity, doubts)) else {
            kept.push((finding, 1));
            continue;
        };
        if let Some((other, n_rows)) = first.get(&key).and_then(|&at| kept.get_mut(at)) {
            if *n_rows < MAX_NAMED {
                other.related.extend(finding.related.into_iter().take(1));
            }
            other.rows.extend(finding.rows);
            *n_rows += 1;
        } else {
            first.insert(key, kept.len());
            kept.push((finding, 1));
        }
    }
    kept.into_iter()
        .map(|(mut finding, n_rows)| {
            if n_rows > 1 {
                let more = if n_rows == 2 {
                    "one more requirement is".to_owned()
                } else {
                    format!("{} more requirements are", n_rows - 1)
                };
                finding.message = format!("{}, and {more}", finding.message);
            }
            finding
        })
        .collect()
}
