//! Rules that no packet reaches, and with them the chains.

use std::collections::{BTreeMap, BTreeSet};

use super::taker::{MAX_MEASURED_OF_HOST, Takes, largest_first, taker_of_a_corner, taker_of_all};
use super::unreachable;
use crate::finding::{Code, Finding, Label};
use crate::model::{Action, ChainId, Compiler, Decider, Rule, Ruleset, is_generated};
use crate::packet::{End, OverBudget, PacketSet, Pin};

/// Deciding rules named of a shadowed rule.
const MAX_NAMED: usize = 3;

/// Jumps followed backwards from a rule; past them it counts as called with everything.
const MAX_JUMPS: usize = 200;

/// Edges of the diagram followed for them.
const MAX_FOLLOWED: usize = 192;

/// Finds the rules with a verdict that decide about no packet of any base chain that leads to them.
/// Gives those rules.
pub(super) fn findings(
    compiler: &mut Compiler<'_>,
    findings: &mut Vec<Finding>,
) -> Result<BTreeSet<Decider>, OverBudget> {
    unreachable::uncalled(compiler.rulesets(), findings);
    let mut alive = BTreeSet::new();
    let mut bases = Vec::new();
    for (ruleset, rules) in compiler.rulesets().iter().enumerate() {
        for base in 0..rules.bases.len() {
            let ruling = compiler.by_rules(ruleset, base)?;
            for set in compiler.space.terminals(ruling) {
                if set.is_truncated() {
                    // Who else decides these packets is not known any more: no claim about any rule.
                    return Ok(BTreeSet::new());
                }
                alive.extend(
                    set.outcomes
                        .iter()
                        .filter_map(|outcome| compiler.decider(outcome.cause)),
                );
            }
            let called = called_chains(compiler, ruleset, base);
            bases.push((ruleset, called, compiler.space.pin(ruling)));
        }
    }
    let unreachable = unreachable::shadowed(compiler, &alive, findings)?;
    let callers = callers(compiler.rulesets());
    let returns = returns(compiler.rulesets());
    let mut found = BTreeSet::new();
    let mut to_measure = MAX_MEASURED_OF_HOST;
    let mut takes = Takes::default();
    for (_, decider) in compiler.rule_causes().collect::<Vec<_>>() {
        let Decider::Rule {
            ruleset,
            chain,
            rule: number,
        } = decider
        else {
            continue;
        };
        let Some(rule) = compiler.rule(decider) else {
            continue;
        };
        let is_written = rule.span.start < rule.span.end;
        let has_verdict = is_written && matches!(rule.action, Action::Accept | Action::Drop | Action::Reject);
        let leads_here = |(other, called, _): &&(usize, BTreeSet<u32>, Pin)| {
            *other == ruleset && called.contains(&chain.0)
        };
        if unreachable.contains(&(ruleset, chain)) || asks_nothing(rule) {
            // Said of the chain, or of the set that holds nothing: whoever counts on the rule counts on nothing.
            found.insert(decider);
            continue;
        }
        if !has_verdict || alive.contains(&decider) || !bases.iter().any(|base| leads_here(&base)) {
            continue;
        }
        if let Some(all) = taker_of_a_corner(compiler, &mut takes, &bases, decider) {
            findings.push(finding(compiler, rule, &[all]));
            found.insert(decider);
            continue;
        }
        let mut by: BTreeMap<Decider, usize> = BTreeMap::new();
        let reach = compiler.reach(rule)?;
        if !reach.is_empty()
            && !is_called_with(compiler, &callers, (ruleset, chain), reach, &mut { MAX_JUMPS })?
        {
            // Whoever calls the chain leaves these packets out: nothing shadows the rule, it is for other callers.
            continue;
        }
        for (.., pin) in bases.iter().filter(leads_here) {
            let ruling = compiler.space.pinned(*pin);
            for set in compiler.space.some_terminals_within(reach, ruling, MAX_FOLLOWED) {
                for outcome in &set.outcomes {
                    if outcome.end != End::Fall
                        && let Some(decider) = compiler.decider(outcome.cause)
                    {
                        *by.entry(decider).or_default() += 1;
                    }
                }
            }
        }
        by.remove(&decider);
        if is_echo(compiler, rule, decider, &by) {
            continue;
        }
        for &earlier in returns.get(&(ruleset, chain)).into_iter().flatten() {
            if earlier < number {
                by.entry(Decider::Rule {
                    ruleset,
                    chain,
                    rule: earlier,
                })
                .or_default();
            }
        }
        let by: Vec<Decider> = match taker_of_all(compiler, &mut takes, reach, decider, &by)? {
            Some(all) => vec![all],
            None => largest_first(compiler, reach, decider, &by, &mut to_measure)?,
        };
        findings.push(finding(compiler, rule, &by));
        found.insert(decider);
    }
    Ok(found)
}

/// Whether a rule asks for elements of a set that has none.
fn asks_nothing(rule: &Rule) -> bool {
    rule.matches.iter().any(|one| one.condition.is_in_empty_set())
}

/// Who jumps to a chain, with the number of the rule in its own.
type Callers = BTreeMap<(usize, ChainId), Vec<(ChainId, usize)>>;

fn callers(rulesets: &[Ruleset]) -> Callers {
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

/// Whether some way of jumps from a base chain to a chain asks nothing that all packets of a set fail.
fn is_called_with(
    compiler: &mut Compiler<'_>,
    callers: &Callers,
    (at, chain): (usize, ChainId),
    set: PacketSet,
    jumps: &mut usize,
) -> Result<bool, OverBudget> {
    let Some(rules) = compiler.rulesets().get(at) else {
        return Ok(true);
    };
    if rules.bases.iter().any(|base| base.chain == chain) {
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
        if !set.is_empty() && is_called_with(compiler, callers, (at, caller), set, jumps)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Chains that a base chain leads to.
fn called_chains(compiler: &Compiler<'_>, ruleset: usize, base: usize) -> BTreeSet<u32> {
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

/// Whether a rule is merely said again, by or after a program that keeps its own chains: kube-proxy and Docker both
/// accept established connections, and neither knows of the other.
fn is_echo(compiler: &Compiler<'_>, rule: &Rule, shadowed: Decider, by: &BTreeMap<Decider, usize>) -> bool {
    let is_generated = |decider: &Decider| {
        let Decider::Rule { ruleset, chain, .. } = decider else {
            return false;
        };
        let chains = compiler.rulesets().get(*ruleset).map(|ruleset| &ruleset.chains);
        let chain = chains.and_then(|chains| chains.get(chain.0 as usize));
        chain.is_some_and(|chain| is_generated(&chain.path))
    };
    let accepts = |rule: &Rule| matches!(rule.action, Action::Accept);
    let agrees = |decider: &Decider| {
        compiler
            .rule(*decider)
            .is_some_and(|other| accepts(other) == accepts(rule))
    };
    (is_generated(&shadowed) || by.keys().any(is_generated)) && by.keys().all(agrees)
}

fn finding(compiler: &Compiler<'_>, rule: &Rule, by: &[Decider]) -> Finding {
    let label = Label::new(rule.span, "no packet gets here undecided");
    let mut finding = Finding::new(
        Code::ShadowedRule,
        "this rule never decides anything",
        Some(label),
    );
    for decider in by.iter().take(MAX_NAMED) {
        if let Some(earlier) = compiler.rule(*decider) {
            finding = finding.related(Label::new(earlier.span, "decides packets that it matches"));
        }
    }
    finding.help("remove the rule, or move it before those that decide its packets")
}

/// RETURN rules looked at of a chain.
const MAX_RETURNS: usize = 32;

/// The first rules of each chain that send packets back to the caller.
fn returns(rulesets: &[Ruleset]) -> BTreeMap<(usize, ChainId), Vec<usize>> {
    let mut returns = BTreeMap::new();
    for (at, ruleset) in rulesets.iter().enumerate() {
        for (id, chain) in (0u32..).map(ChainId).zip(&ruleset.chains) {
            let of_chain = chain.rules.iter().enumerate();
            let of_chain = of_chain.filter(|(_, rule)| rule.action == Action::Return);
            let first: Vec<usize> = of_chain.map(|(number, _)| number).take(MAX_RETURNS).collect();
            if !first.is_empty() {
                returns.insert((at, id), first);
            }
        }
    }
    returns
}
