//! Sets that rules fill: of their members nothing is known, whatever their declaration says. nft's JSON leaves out the
//! flag `dynamic` of some.

use rustc_hash::FxHashSet;

use super::program::Table;
use crate::dialect::nftables::ast::{ChainItem, Kind, Rule, Verdict};

/// Marks the sets that some rule of a table adds to or deletes from.
pub(super) fn mark(table: &mut Table<'_>) {
    let mut filled: FxHashSet<&str> = FxHashSet::default();
    let rules = table.chains.iter().flat_map(|chain| &chain.rules);
    let mut pending: Vec<&Rule<'_>> = rules.collect();
    while let Some(rule) = pending.pop() {
        for statement in &rule.statements {
            match &statement.kind {
                Kind::Update { set, .. } => {
                    filled.insert(set);
                }
                Kind::Verdict(Verdict::Block(_, items)) => {
                    pending.extend(items.iter().filter_map(|item| match item {
                        ChainItem::Rule(rule) => Some(rule),
                        _ => None,
                    }));
                }
                _ => {}
            }
        }
    }
    for (_, set) in table.sets.iter_mut().filter(|(name, _)| filled.contains(**name)) {
        set.is_dynamic = true;
    }
}
