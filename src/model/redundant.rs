//! Rules that could go: what follows them decides their packets the same way.
//!
//! INVARIANT: whichever of the rules that are found are taken out, one, some or all, no base chain decides otherwise about
//! any packet. Where that is not certain (the line made several rules, the chain is
//! called from several places and only what follows those would decide), nothing is said.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::compile::Compiler;
use super::reduction::Reduction;
use super::{Action, ChainId, Decider, Ruleset};
use crate::packet::{EditId, End, OverBudget, PacketSet};
use crate::source::Span;

/// A rule that could go.
#[derive(Debug, Clone, Copy)]
pub struct Redundant {
    /// The rule.
    pub rule: Decider,
    /// The packets that it decides.
    pub packets: PacketSet,
}

impl Compiler<'_> {
    /// The rules that could go. Of those in `gone`, which decide nothing anyway, none is counted on.
    pub fn redundant(&mut self, gone: &BTreeSet<Decider>) -> Result<Vec<Redundant>, OverBudget> {
        let mark = self.space.pin_mark();
        let spans = spans_of_several(self.rulesets);
        let mut found = Vec::new();
        for ruleset in 0..self.rulesets.len() {
            if self.rulesets.get(ruleset).is_some_and(|of| of.layer.is_union()) {
                // Nothing follows a rule of a union: what could go there is another question.
                continue;
            }
            let Some(decided) = self.decided_by_rules(ruleset)? else {
                continue;
            };
            let mut reduction = Reduction {
                ruleset,
                n_sites: n_sites(self.rulesets.get(ruleset)),
                decided,
                gone,
                spans: &spans,
                open: BTreeSet::new(),
                whole: BTreeMap::new(),
                cares: FxHashMap::default(),
                redundant: Vec::new(),
                compiler: self,
            };
            reduction.bases()?;
            found.append(&mut reduction.redundant);
        }
        self.space.release(mark);
        found.sort_by_key(|redundant| redundant.rule);
        Ok(found)
    }

    /// The packets that each rule may decide, of the base chains of a ruleset together, as they come to the base chain.
    /// Of a rule that decides packets which were changed before, all that it matches: what comes to it is among those. `None`:
    /// not all deciders are known.
    fn decided_by_rules(
        &mut self,
        ruleset: usize,
    ) -> Result<Option<FxHashMap<Decider, PacketSet>>, OverBudget> {
        let n_bases = self.rulesets.get(ruleset).map_or(0, |rules| rules.bases.len());
        // All chains first: what is compiled may be collected, and what follows is not pinned.
        for base in 0..n_bases {
            self.by_rules(ruleset, base)?;
        }
        let mut decided: FxHashMap<Decider, PacketSet> = FxHashMap::default();
        let mut changed = BTreeSet::new();
        for base in 0..n_bases {
            let ruling = self.by_rules(ruleset, base)?;
            for set in self.space.terminals(ruling) {
                if set.is_truncated() {
                    return Ok(None);
                }
                let edited = set.outcomes.iter().filter(|outcome| outcome.edit != EditId::NONE);
                changed.extend(edited.filter_map(|outcome| self.decider(outcome.cause)));
            }
            let parts = self.space.partition(PacketSet::all(), ruling, |set| {
                let ends = set.outcomes.iter().filter(|outcome| is_verdict(outcome.end));
                ends.map(|outcome| outcome.cause).collect()
            })?;
            for (cause, part) in parts {
                if let Some(decider) = self.decider(cause) {
                    let before = decided.get(&decider).copied().unwrap_or(PacketSet::empty());
                    let both = self.space.union(before, part)?;
                    decided.insert(decider, both);
                }
            }
        }
        for decider in changed {
            if let (Some(rule), Some(packets)) = (self.rule(decider), decided.get_mut(&decider)) {
                *packets = self.reach(rule)?;
            }
        }
        Ok(Some(decided))
    }
}

pub(super) fn is_verdict(end: End) -> bool {
    matches!(end, End::Accept | End::Drop | End::Reject)
}

/// The places in the text of which several rules were made: one of them cannot go alone.
fn spans_of_several(rulesets: &[Ruleset]) -> FxHashSet<Span> {
    let mut once = FxHashSet::default();
    let chains = rulesets.iter().flat_map(|ruleset| &ruleset.chains);
    let rules = chains.flat_map(|chain| &chain.rules);
    rules
        .filter(|rule| !once.insert(rule.span))
        .map(|rule| rule.span)
        .collect()
}

/// From how many places a chain is called, its hooks included.
fn n_sites(ruleset: Option<&Ruleset>) -> Vec<usize> {
    let Some(ruleset) = ruleset else {
        return Vec::new();
    };
    let mut n_sites = vec![0; ruleset.chains.len()];
    let mut pending: Vec<ChainId> = ruleset.bases.iter().map(|base| base.chain).collect();
    while let Some(id) = pending.pop() {
        let is_new = n_sites.get_mut(id.0 as usize).is_some_and(|sites| {
            *sites += 1;
            *sites == 1
        });
        let rules = ruleset.chains.get(id.0 as usize).filter(|_| is_new);
        pending.extend(rules.into_iter().flat_map(|chain| &chain.rules).filter_map(
            |rule| match rule.action {
                Action::Jump(to) | Action::Goto(to) => Some(to),
                _ => None,
            },
        ));
    }
    n_sites
}
