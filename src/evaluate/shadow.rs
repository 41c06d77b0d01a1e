//! Rules that no packet reaches.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Code, Finding, Label};
use crate::model::{Action, Compiler, Decider, Rule};
use crate::packet::{End, OverBudget};

/// Deciding rules named of a shadowed rule.
const MAX_NAMED: usize = 3;

/// Places of the diagram looked at for them.
const MAX_LOOKED_AT: usize = 192;

/// Finds the rules with a verdict that decide about no packet of any base chain that leads to them.
pub(super) fn findings(compiler: &mut Compiler<'_>, findings: &mut Vec<Finding>) -> Result<(), OverBudget> {
    let mut alive = BTreeSet::new();
    let mut bases = Vec::new();
    for (ruleset, rules) in compiler.rulesets().iter().enumerate() {
        for base in 0..rules.bases.len() {
            let ruling = compiler.decided(ruleset, base)?;
            for set in compiler.space.terminals(ruling) {
                if set.is_truncated() {
                    // Who else decides these packets is not known any more: no claim about any rule.
                    return Ok(());
                }
                alive.extend(
                    set.outcomes
                        .iter()
                        .filter_map(|outcome| compiler.decider(outcome.cause)),
                );
            }
            bases.push((ruleset, compiler.space.pin(ruling)));
        }
    }
    let called = called_chains(compiler);
    for (_, decider) in compiler.rule_causes().collect::<Vec<_>>() {
        let Decider::Rule { ruleset, chain, .. } = decider else {
            continue;
        };
        let Some(rule) = compiler.rule(decider) else {
            continue;
        };
        let has_verdict = matches!(rule.action, Action::Accept | Action::Drop | Action::Reject);
        if !has_verdict || alive.contains(&decider) || !called.contains(&(ruleset, chain.0)) {
            continue;
        }
        let mut by: BTreeMap<Decider, usize> = BTreeMap::new();
        let reach = compiler.reach(rule)?;
        for &(_, pin) in bases.iter().filter(|base| base.0 == ruleset) {
            let ruling = compiler.space.pinned(pin);
            for set in compiler.space.some_terminals_within(reach, ruling, MAX_LOOKED_AT) {
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
        findings.push(finding(compiler, rule, &by, decider));
    }
    Ok(())
}

/// Chains that some base chain leads to.
fn called_chains(compiler: &Compiler<'_>) -> BTreeSet<(usize, u32)> {
    let mut called = BTreeSet::new();
    for (at, ruleset) in compiler.rulesets().iter().enumerate() {
        let mut pending: Vec<u32> = ruleset.bases.iter().map(|base| base.chain.0).collect();
        while let Some(chain) = pending.pop() {
            if !called.insert((at, chain)) {
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
    }
    called
}

fn finding(
    compiler: &Compiler<'_>,
    rule: &Rule,
    by: &BTreeMap<Decider, usize>,
    shadowed: Decider,
) -> Finding {
    let label = Label::new(rule.span, "no packet gets here undecided");
    let mut finding = Finding::new(
        Code::ShadowedRule,
        "this rule never decides anything",
        Some(label),
    );
    let mut deciders: Vec<_> = by.iter().filter(|(decider, _)| **decider < shadowed).collect();
    deciders.sort_by_key(|(decider, count)| (std::cmp::Reverse(**count), **decider));
    for (decider, _) in deciders.into_iter().take(MAX_NAMED) {
        if let Some(earlier) = compiler.rule(*decider) {
            finding = finding.related(Label::new(earlier.span, "decides packets that it matches"));
        }
    }
    finding.help("remove the rule, or move it before those that decide its packets")
}
