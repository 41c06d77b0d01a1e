//! The filter table of hosts whose dumps have none: iptables-nft-save leaves out tables that were never used.
//!
//! INVARIANT: a family that has any table has a filter table, in one ruleset of the unit.

use std::sync::Arc;

use crate::dialect::iptables::lower::table::{TableKind, hook};
use crate::model::{Base, Chain, ChainId, Default as Verdict, Families, Ruleset};
use crate::source::{Source, Span};

/// The first line of a file that says anything.
pub(in crate::dialect::iptables) fn first_line(source: Source<'_>) -> Span {
    let at = crate::source::Locator::new(source);
    let lines = source.text.split('\n').map(str::trim);
    at.span(
        lines
            .clone()
            .find(|line| !line.is_empty())
            .unwrap_or(source.text.get(..0).unwrap_or("")),
    )
}

/// Gives each family whose rulesets have no filter table one that accepts everything. `first_lines` has the first
/// line of each ruleset's file.
pub(in crate::dialect::iptables) fn add_absent_filters(rulesets: &mut [Ruleset], first_lines: &[Span]) {
    for families in [Families::V4, Families::V6] {
        let of_family = |ruleset: &&Ruleset| ruleset.families == families;
        if rulesets.iter().filter(of_family).any(has_filter) {
            continue;
        }
        let mut first = rulesets.iter_mut().zip(first_lines);
        if let Some((ruleset, line)) = first.find(|(ruleset, _)| ruleset.families == families) {
            add_filter(ruleset, *line);
        }
    }
}

fn has_filter(ruleset: &Ruleset) -> bool {
    ruleset.chains.iter().any(|chain| chain.path == "filter/INPUT")
}

fn add_filter(ruleset: &mut Ruleset, span: Span) {
    let kind = TableKind::Filter;
    for name in ["INPUT", "FORWARD", "OUTPUT"] {
        let (Some(hook), Ok(at)) = (hook(name), u32::try_from(ruleset.chains.len())) else {
            continue;
        };
        ruleset.chains.push(Chain {
            calls: Arc::default(),
            path: format!("{}/{name}", kind.name()),
            span,
            rules: Vec::new(),
        });
        ruleset.bases.push(Base {
            hook,
            priority: kind.priority(hook),
            order: [0; 3],
            purpose: kind.purpose(),
            chain: ChainId(at),
            default: Verdict::Accept,
            default_span: span,
        });
    }
}
