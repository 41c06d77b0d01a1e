//! Sets that rules fill: of their members nothing is known, whatever their declaration says. nft's JSON leaves out the
//! flag `dynamic` of some. A set whose elements are there for a time and that has none waits for somebody to fill it.

use rustc_hash::FxHashSet;

use super::program::Table;
use crate::dialect::nftables::ast::{ChainItem, Kind, Rule, Verdict};

/// Marks the sets that some rule of a table adds to or deletes from, and those that wait for elements.
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
    table.sets.iter_mut().for_each(|(name, set)| {
        let waits = set.has_timeout && set.changes.is_empty();
        set.is_dynamic |= waits || filled.contains(*name);
    });
}
