//! Which chains are called, and with which packets.
//!
//! INVARIANT: past a bound of jumps a chain counts as called with everything.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Action, ChainId, Compiler, Ruleset};
use crate::packet::{OverBudget, PacketSet};

/// Jumps followed backwards from a rule; past them it counts as called with everything.
const MAX_JUMPS: usize = 200;

/// Who jumps to a chain, with the number of the rule in its own.
pub(super) type Callers = BTreeMap<(usize, ChainId), Vec<(ChainId, usize)>>;

pub(super) fn callers(rulesets: &[Ruleset]) -> Callers {
    let mut callers = Callers::new();
    for (at, ruleset) in rulesets.iter().enumerate() {
        for (caller, chain) in (0u32..).map(ChainId).zip(&ruleset.chains) {
            for (number, rule) in chain.rules.iter().enumerate() {
                if let Action::Jump(to) | Action::Goto(to) = rule.action {
                    callers.entry((at, to)).or_default().push((caller, number));
                }
            }
        }
    }
    callers
}

pub(super) fn is_base(rulesets: &[Ruleset], at: usize, chain: ChainId) -> bool {
    let bases = rulesets.get(at).into_iter().flat_map(|ruleset| &ruleset.bases);
    bases.into_iter().any(|base| base.chain == chain)
}

/// Whether some way of jumps leads packets of a set to a chain; of no packets, it does.
pub(super) fn is_called_with(
    compiler: &mut Compiler<'_>,
    callers: &Callers,
    place: (usize, ChainId),
    set: PacketSet,
) -> Result<bool, OverBudget> {
    Ok(set.is_empty() || comes_by_jumps(compiler, callers, place, set, &mut { MAX_JUMPS })?)
}

/// Whether some way of jumps from a base chain to a chain asks nothing that all packets of a set fail.
fn comes_by_jumps(
    compiler: &mut Compiler<'_>,
    callers: &Callers,
    (at, chain): (usize, ChainId),
    set: PacketSet,
    jumps: &mut usize,
) -> Result<bool, OverBudget> {
    let Some(rules) = compiler.rulesets().get(at) else {
        return Ok(true);
    };
    if is_base(compiler.rulesets(), at, chain) {
        return Ok(true);
    }
    for &(caller, number) in callers.get(&(at, chain)).into_iter().flatten() {
        let of = rules.chains.get(caller.0 as usize);
        let Some(rule) = of.and_then(|chain| chain.rules.get(number)) else {
            continue;
        };
        if *jumps == 0 {
            return Ok(true);
        }
        *jumps -= 1;
        let asked = compiler.reach(rule)?;
        let set = compiler.space.intersection(set, asked)?;
        if !set.is_empty() && comes_by_jumps(compiler, callers, (at, caller), set, jumps)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Chains that a base chain leads to.
pub(super) fn called_chains(compiler: &Compiler<'_>, ruleset: usize, base: usize) -> BTreeSet<u32> {
    let mut called = BTreeSet::new();
    let Some(ruleset) = compiler.rulesets().get(ruleset) else {
        return called;
    };
    let mut pending: Vec<u32> = ruleset
        .bases
        .get(base)
        .map(|base| base.chain.0)
        .into_iter()
        .collect();
    while let Some(chain) = pending.pop() {
        if !called.insert(chain) {
            continue;
        }
        let rules = ruleset
            .chains
            .get(chain as usize)
            .into_iter()
            .flat_map(|chain| &chain.rules);
        pending.extend(rules.filter_map(|rule| match rule.action {
            Action::Jump(to) | Action::Goto(to) => Some(to.0),
            _ => None,
        }));
    }
    called
}
