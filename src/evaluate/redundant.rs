//! Rules that decide packets, but could go: what follows them decides the same.

use std::collections::BTreeSet;

use crate::finding::{Code, Finding, Label};
use crate::model::{Compiler, Decider, Redundant, Rule};
use crate::packet::OverBudget;

/// Rules behind a redundant one of which is asked whether they take all its packets.
const MAX_ASKED: usize = 64;

/// Redundant rules of one host for which that is done.
const MAX_EXPLAINED: usize = 200;

/// Finds them. `shadowed` are the rules that are reported as such: none is counted on.
pub(super) fn findings(
    compiler: &mut Compiler<'_>,
    shadowed: &BTreeSet<Decider>,
    findings: &mut Vec<Finding>,
) {
    let mut found = Vec::new();
    match all(compiler, shadowed, &mut found) {
        Ok(()) => findings.append(&mut found),
        Err(over) => findings.push(over_budget(compiler, over)),
    }
}

fn all(
    compiler: &mut Compiler<'_>,
    shadowed: &BTreeSet<Decider>,
    findings: &mut Vec<Finding>,
) -> Result<(), OverBudget> {
    let redundant = compiler.redundant(shadowed)?;
    let found: BTreeSet<Decider> = redundant.iter().map(|one| one.rule).collect();
    for (number, one) in redundant.iter().enumerate() {
        let Some(rule) = compiler.rule(one.rule) else {
            continue;
        };
        let label = Label::new(rule.span, "without it, the same");
        let message = "what follows decides all packets of this rule the same way";
        let mut finding = Finding::new(Code::RedundantRule, message, Some(label));
        if number < MAX_EXPLAINED
            && let Some(other) = taker_of_all(compiler, one, |decider| {
                !found.contains(&decider) && !shadowed.contains(&decider)
            })?
        {
            finding = finding.related(Label::new(other.span, "decides all of them"));
        }
        findings.push(finding.help("remove it, unless its counter or its log is wanted"));
    }
    Ok(())
}

/// A rule of the same chain behind a redundant one that decides all its packets, and stays.
fn taker_of_all<'m>(
    compiler: &mut Compiler<'m>,
    redundant: &Redundant,
    stays: impl Fn(Decider) -> bool,
) -> Result<Option<&'m Rule>, OverBudget> {
    let Decider::Rule { ruleset, chain, rule } = redundant.rule else {
        return Ok(None);
    };
    let action = compiler.rule(redundant.rule).map(|rule| &rule.action);
    for later in rule + 1..=rule + MAX_ASKED {
        let decider = Decider::Rule {
            ruleset,
            chain,
            rule: later,
        };
        let Some(other) = compiler.rule(decider) else {
            break;
        };
        if Some(&other.action) != action || !stays(decider) {
            continue;
        }
        let takes = compiler.surely_matches(other)?;
        if compiler.space.difference(redundant.packets, takes)?.is_empty() {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

fn over_budget(compiler: &Compiler<'_>, over: OverBudget) -> Finding {
    let place = compiler
        .rulesets()
        .iter()
        .find_map(|ruleset| ruleset.bases.first());
    let label = place.map(|base| Label::new(base.default_span, "in the ruleset of this chain"));
    let message = format!("{over}: which of its rules are redundant is not known");
    Finding::new(Code::AnalysisBudget, message, label)
        .help("check the host alone with a larger --budget, or without --redundant")
}
