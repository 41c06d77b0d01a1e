//! Ports that a program publishes by several chains: translations to the rule that names the port.
//!
//! kube-proxy translates in a chain for each endpoint, which names no port, and lets translated packets through by a mark. What
//! a reader can change is the service, and the rule that says it is the one with its port, some jumps before. INVARIANT: a rule
//! stands for a translation only if its chain is one that a program keeps.

use std::collections::{BTreeMap, BTreeSet};

use super::filters::Filters;
use super::words::asks_of;
use crate::model::{Action, ChainId, Compiler, Decider, Edit, Rule, Ruleset, is_generated};
use crate::packet::{Field, OverBudget, PacketSet};

/// Chains looked at on the way back from one translation.
const MAX_CHAINS: usize = 64;

/// A chain of a ruleset.
type Place = (usize, ChainId);

/// The rules that publish ports, in the order of the rulesets.
#[derive(Debug, Default)]
pub(super) struct Publishers(Vec<Publisher>);

#[derive(Debug, Clone, Copy)]
struct Publisher {
    rule: Decider,
    ruleset: usize,
    /// The packets that may match it.
    reach: PacketSet,
}

impl Publishers {
    pub(super) fn of(compiler: &mut Compiler<'_>) -> Result<Self, OverBudget> {
        let rulesets = compiler.rulesets();
        let translating = translating_chains(rulesets);
        if translating.is_empty() {
            return Ok(Self::default());
        }
        let callers = callers(rulesets);
        let mut rules = BTreeSet::new();
        for place in translating {
            climb(rulesets, &callers, place, &mut rules);
        }
        let mut publishers = Vec::new();
        for decider in rules {
            if let (Decider::Rule { ruleset, .. }, Some(rule)) = (decider, compiler.rule(decider)) {
                let reach = compiler.reach(rule)?;
                publishers.push(Publisher {
                    rule: decider,
                    ruleset,
                    reach,
                });
            }
        }
        Ok(Self(publishers))
    }
}

impl Filters<'_> {
    /// The packets of a region by the rules that publish their ports, first to last; what none of them publishes is last.
    pub(super) fn by_publisher(
        &mut self,
        region: PacketSet,
        opener: Decider,
    ) -> Result<Vec<(Option<Decider>, PacketSet)>, OverBudget> {
        let mut parts = Vec::new();
        let mut rest = region;
        let of = opener.ruleset();
        let space = &mut self.compiler.space;
        for publisher in self.publishers.0.iter().filter(|one| one.ruleset == of) {
            let part = space.intersection(rest, publisher.reach)?;
            if !part.is_empty() {
                rest = space.difference(rest, part)?;
                parts.push((Some(publisher.rule), part));
            }
        }
        if !rest.is_empty() {
            parts.push((None, rest));
        }
        Ok(parts)
    }
}

/// The chains that a program keeps, and that translate without naming a port.
fn translating_chains(rulesets: &[Ruleset]) -> Vec<Place> {
    let translates = |rule: &Rule| {
        matches!(
            rule.action,
            Action::Edit(Edit::Dnat { .. } | Edit::Redirect { .. })
        ) && asks_of(rule, Field::Service).is_none()
    };
    let mut places = Vec::new();
    for (at, ruleset) in rulesets.iter().enumerate() {
        for (id, chain) in (0u32..).map(ChainId).zip(&ruleset.chains) {
            if is_generated(&chain.path) && chain.rules.iter().any(translates) {
                places.push((at, id));
            }
        }
    }
    places
}

/// Who jumps to a chain that a program keeps, from one that it keeps too.
fn callers(rulesets: &[Ruleset]) -> BTreeMap<Place, Vec<(ChainId, usize)>> {
    let mut callers: BTreeMap<Place, Vec<(ChainId, usize)>> = BTreeMap::new();
    for (at, ruleset) in rulesets.iter().enumerate() {
        for (id, chain) in (0u32..).map(ChainId).zip(&ruleset.chains) {
            if !is_generated(&chain.path) {
                continue;
            }
            for (number, rule) in chain.rules.iter().enumerate() {
                if let Action::Jump(to) | Action::Goto(to) = rule.action {
                    callers.entry((at, to)).or_default().push((id, number));
                }
            }
        }
    }
    callers
}

/// Follows jumps backwards from a chain to the rules that name a port.
fn climb(
    rulesets: &[Ruleset],
    callers: &BTreeMap<Place, Vec<(ChainId, usize)>>,
    (at, chain): Place,
    found: &mut BTreeSet<Decider>,
) {
    let mut seen = BTreeSet::new();
    let mut pending = vec![chain];
    while let Some(chain) = pending.pop() {
        if !seen.insert(chain) || seen.len() > MAX_CHAINS {
            continue;
        }
        for &(caller, number) in callers.get(&(at, chain)).into_iter().flatten() {
            let decider = Decider::Rule {
                ruleset: at,
                chain: caller,
                rule: number,
            };
            let chains = rulesets.get(at).map(|ruleset| &ruleset.chains);
            let of = chains.and_then(|chains| chains.get(caller.0 as usize));
            match of.and_then(|chain| chain.rules.get(number)) {
                Some(rule) if asks_of(rule, Field::Service).is_some() => {
                    found.insert(decider);
                }
                _ => pending.push(caller),
            }
        }
    }
}
