//! Where REDIRECT sends packets: those that the host makes to itself over loopback, those that arrive to an address of the
//! interface that they came by (Linux, `net/netfilter/nf_nat_redirect.c`).

use std::collections::BTreeSet;

use super::path::loopback_addresses;
use super::{Action, ChainId, Hook, HostFacts, Ruleset};
use crate::packet::{Family, RangeSet};

/// The chains that packets come to that the host makes, and that arrive.
#[derive(Debug, Clone, Default)]
pub(super) struct Redirects {
    made_here: BTreeSet<(usize, ChainId)>,
    arriving: BTreeSet<(usize, ChainId)>,
}

impl Redirects {
    pub(super) fn of(rulesets: &[Ruleset]) -> Self {
        Self {
            made_here: called_from(rulesets, Hook::Output),
            arriving: called_from(rulesets, Hook::Prerouting),
        }
    }

    /// The addresses that a rule of a chain may redirect to.
    pub(super) fn targets(&self, place: (usize, ChainId), facts: &HostFacts, family: Family) -> RangeSet {
        let (made_here, arriving) = (self.made_here.contains(&place), self.arriving.contains(&place));
        match (made_here, arriving) {
            (true, false) => targets(Hook::Output, facts, family),
            (true, true) => {
                targets(Hook::Output, facts, family).union(&targets(Hook::Prerouting, facts, family))
            }
            (false, _) => targets(Hook::Prerouting, facts, family),
        }
    }
}

/// The addresses that packets of a hook may be redirected to.
pub(super) fn targets(hook: Hook, facts: &HostFacts, family: Family) -> RangeSet {
    let known = match family {
        Family::V4 => &facts.addresses4,
        Family::V6 => &facts.addresses6,
    };
    match (hook, family) {
        (Hook::Output, Family::V4) => RangeSet::point(0x7f00_0001),
        (Hook::Output, Family::V6) => RangeSet::point(1),
        _ => known
            .clone()
            .unwrap_or_else(|| loopback_addresses(family).complement(family.max())),
    }
}

/// The base chains of a hook, and all chains that they lead to.
fn called_from(rulesets: &[Ruleset], hook: Hook) -> BTreeSet<(usize, ChainId)> {
    let mut called = BTreeSet::new();
    for (at, ruleset) in rulesets.iter().enumerate() {
        let of_hook = ruleset.bases.iter().filter(|base| base.hook == hook);
        let mut pending: Vec<ChainId> = of_hook.map(|base| base.chain).collect();
        while let Some(chain) = pending.pop() {
            if !called.insert((at, chain)) {
                continue;
            }
            let rules = ruleset.chains.get(chain.0 as usize).map(|chain| &chain.rules);
            pending.extend(rules.into_iter().flatten().filter_map(|rule| match rule.action {
                Action::Jump(to) | Action::Goto(to) => Some(to),
                _ => None,
            }));
        }
    }
    called
}
