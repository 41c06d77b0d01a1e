//! Rules of security groups that could go: other rules of their group let all their packets through.
//!
//! No order stands between the rules of a group, so none of them is shadowed; and what other groups of a host let through
//! says nothing of a group, which may be attached elsewhere. INVARIANT: whichever of the rules that are found are taken out,
//! one, some or all, their groups let the same through.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::finding::{Code, Finding, Label};
use crate::model::{Action, Before, Compiler, Group, HostFacts, Layer, Members, Rule, Ruleset, group_keys};
use crate::packet::{OverBudget, PacketSet, RangeSet, Space};
use crate::source::Span;

/// Rules of one side that are looked at one by one, where each might go if others stay.
const MAX_CANDIDATES: usize = 400;

/// Where a rule stands: the permission, and what in it makes the rule.
type Place = (Span, Span);

/// What is known of the rules at one place, which several groups may be made of.
#[derive(Default)]
struct Found {
    n_rules: usize,
    n_spare: usize,
    /// A rule that alone lets all packets through.
    instead: Option<Span>,
}

/// Finds them, in all groups of a run: the text of a module's rule is spare if every group that it makes can do without.
#[must_use]
pub fn spare_rules(groups: &[&Group], budget: usize) -> Vec<Finding> {
    let members = Arc::new(apart(groups));
    let mut places: BTreeMap<Place, Found> = BTreeMap::new();
    let mut findings = Vec::new();
    for group in groups.iter().filter(|group| group.layer == Layer::SecurityGroup) {
        if let Err(over) = note_group(group, &members, budget, &mut places) {
            findings.push(over_budget(group, over));
        }
    }
    let is_spare = |found: &Found| found.n_spare == found.n_rules;
    let mut whole: BTreeMap<Span, bool> = BTreeMap::new();
    for ((permission, _), found) in &places {
        *whole.entry(*permission).or_insert(true) &= is_spare(found);
    }
    let mut said = None;
    for ((permission, peer), found) in places.iter().filter(|place| is_spare(place.1)) {
        let is_whole = whole.get(permission).is_some_and(|whole| *whole);
        if is_whole && said == Some(*permission) {
            continue;
        }
        said = is_whole.then_some(*permission);
        findings.push(finding(if is_whole { *permission } else { *peer }, found));
    }
    findings
}

/// Groups as peers of which none is in two: what is let through to one of them is so for its members alone.
fn apart(groups: &[&Group]) -> Members {
    let keys = group_keys(groups).into_keys();
    let numbered = (1u128..).zip(keys);
    Members {
        sure: numbered
            .map(|(number, key)| (key, RangeSet::point(number)))
            .collect(),
        ..Members::default()
    }
}

/// The rulesets of a host in this group and no other.
fn alone(group: &Group) -> Vec<Ruleset> {
    let before = Before {
        groups: vec![group],
        as_written: true,
        ..Before::default()
    };
    before.layers()
}

/// Counts the rules of a group at their places, and those that are spare.
fn note_group(
    group: &Group,
    members: &Arc<Members>,
    budget: usize,
    places: &mut BTreeMap<Place, Found>,
) -> Result<(), OverBudget> {
    let rulesets = alone(group);
    let facts = HostFacts {
        members: members.clone(),
        ..HostFacts::default()
    };
    let mut compiler = Compiler::new(&rulesets, facts, Space::with_budget(budget));
    for side in [&group.ingress, &group.egress].into_iter().flatten() {
        let rules: Vec<&Rule> = side.rules.iter().filter(|rule| is_written(rule)).collect();
        for rule in &rules {
            places.entry(place(rule)).or_default().n_rules += 1;
        }
        for (spare, instead) in spare_of_side(&mut compiler, &side.rules)? {
            let found = places.entry(place(spare)).or_default();
            found.n_spare += 1;
            found.instead = found.instead.or(instead.map(|rule| rule.action_span));
        }
    }
    Ok(())
}

/// Whether somebody wrote a rule: what a cloud adds of itself has no bytes.
fn is_written(rule: &Rule) -> bool {
    rule.span.start < rule.span.end
}

fn place(rule: &Rule) -> Place {
    (rule.span, rule.action_span)
}

/// What may match a rule, and what surely does.
#[derive(Clone, Copy)]
struct Reach {
    possibly: PacketSet,
    surely: PacketSet,
}

/// The rules of one side that could go, each with one that alone lets its packets through, if there is such a rule.
fn spare_of_side<'g>(
    compiler: &mut Compiler<'_>,
    rules: &'g [Rule],
) -> Result<Vec<(&'g Rule, Option<&'g Rule>)>, OverBudget> {
    let rules: Vec<&Rule> = rules
        .iter()
        .filter(|rule| rule.action == Action::Accept)
        .collect();
    let mut reaches = Vec::with_capacity(rules.len());
    for rule in &rules {
        reaches.push(Reach {
            possibly: compiler.reach(rule)?,
            surely: compiler.surely_matches(rule)?,
        });
    }
    let spare = spare(&mut compiler.space, &rules, &reaches)?;
    let stays = |at: &usize| !spare.contains(at);
    let mut found = Vec::new();
    for &at in &spare {
        let (Some(rule), Some(reach)) = (rules.get(at), reaches.get(at)) else {
            continue;
        };
        let covers = |other: &usize| {
            let of = reaches.get(*other);
            of.is_some_and(|of| compiler.space.is_subset(reach.possibly, of.surely))
        };
        let instead = (0..rules.len()).filter(stays).find(covers);
        found.push((*rule, instead.and_then(|at| rules.get(at).copied())));
    }
    Ok(found)
}

/// Which rules could go together, the smallest first; of equal ones the first stays.
fn spare(space: &mut Space, rules: &[&Rule], reaches: &[Reach]) -> Result<Vec<usize>, OverBudget> {
    let mut candidates = candidates(space, reaches)?;
    candidates.retain(|at| rules.get(*at).is_some_and(|rule| is_written(rule)));
    let size = |at: &usize| reaches.get(*at).map_or(1.0, |reach| space.share(reach.possibly));
    let mut candidates: Vec<_> = candidates.iter().map(|at| (size(at), *at)).collect();
    candidates.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    candidates.truncate(MAX_CANDIDATES);
    let mut found: Vec<usize> = Vec::new();
    let is_candidate = |at: usize| candidates.iter().any(|one| one.1 == at);
    let mut stay = PacketSet::empty();
    for (at, reach) in reaches.iter().enumerate() {
        if !is_candidate(at) {
            stay = space.union(stay, reach.surely)?;
        }
    }
    // Behind each candidate, what those that are larger let through.
    let mut larger = vec![stay];
    for (_, at) in candidates.iter().rev() {
        let before = larger.last().copied().unwrap_or(stay);
        let surely = reaches.get(*at).map_or(PacketSet::empty(), |reach| reach.surely);
        larger.push(space.union(before, surely)?);
    }
    larger.pop();
    let mut kept = PacketSet::empty();
    for (_, at) in &candidates {
        let Some((reach, larger)) = reaches.get(*at).zip(larger.pop()) else {
            continue;
        };
        let others = space.union(kept, larger)?;
        if space.is_subset(reach.possibly, others) {
            found.push(*at);
        } else {
            kept = space.union(kept, reach.surely)?;
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The rules all of whose packets some others let through.
fn candidates(space: &mut Space, reaches: &[Reach]) -> Result<Vec<usize>, OverBudget> {
    let mut behind = vec![PacketSet::empty()];
    for reach in reaches.iter().rev() {
        let before = behind.last().copied().unwrap_or(PacketSet::empty());
        behind.push(space.union(before, reach.surely)?);
    }
    behind.pop();
    let mut before = PacketSet::empty();
    let mut candidates = Vec::new();
    for (at, reach) in reaches.iter().enumerate() {
        let behind = behind.pop().unwrap_or(PacketSet::empty());
        let others = space.union(before, behind)?;
        if space.is_subset(reach.possibly, others) {
            candidates.push(at);
        }
        before = space.union(before, reach.surely)?;
    }
    Ok(candidates)
}

fn finding(place: Span, found: &Found) -> Finding {
    let label = Label::new(place, "without it, the same");
    let message = "other rules of its group let all packets of this one through";
    let mut finding = Finding::new(Code::RedundantRule, message, Some(label));
    if let Some(instead) = found.instead {
        finding = finding.related(Label::new(instead, "lets all of them through"));
    }
    finding.help("remove it")
}

fn over_budget(group: &Group, over: OverBudget) -> Finding {
    let label = Label::new(group.span, "the rules of this group");
    let message = format!("{over}: which of its rules are redundant is not known");
    Finding::new(Code::AnalysisBudget, message, Some(label))
        .help("check the group alone with a larger --budget, or without --redundant")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Condition, Match, Side};
    use crate::packet::Field;
    use crate::source::FileId;

    /// A rule for some ports at a place of its own.
    fn rule(at: u32, (low, high): (u128, u128)) -> Rule {
        let span = Span::new(FileId(0), at * 2, at * 2 + 1);
        let condition = Condition::Test(Field::Service, RangeSet::range(low, high));
        Rule {
            span,
            matches: vec![Match { span, condition }],
            action: Action::Accept,
            action_span: span,
        }
    }

    proptest! {
        #[test]
        fn what_is_left_lets_the_same_through_and_needs_each_rule(
            ports in prop::collection::vec((0u128..12, 0u128..5), 1..10)
        ) {
            let rules: Vec<_> = (0u32..).zip(&ports).map(|(at, &(low, more))| rule(at, (low, low + more))).collect();
            let side = Side { rules: rules.clone(), default_span: rules[0].span };
            let group = Group {
                calls: Arc::default(),
                key: "web".into(),
                name: "web".into(),
                layer: Layer::SecurityGroup,
                span: side.default_span,
                ingress: Some(side),
                egress: None,
                rest: None,
            };
            let rulesets = alone(&group);
            let mut compiler = Compiler::new(&rulesets, HostFacts::default(), Space::with_budget(1 << 20));
            let spare = spare_of_side(&mut compiler, &rules).unwrap();
            let is_spare = |rule: &&Rule| spare.iter().any(|(one, _)| one.span == rule.span);
            let mut all_of = |rules: &[&Rule]| {
                let mut all = PacketSet::empty();
                for rule in rules {
                    let reach = compiler.reach(rule).unwrap();
                    all = compiler.space.union(all, reach).unwrap();
                }
                all
            };
            let all = all_of(&rules.iter().collect::<Vec<_>>());
            let left: Vec<&Rule> = rules.iter().filter(|rule| !is_spare(rule)).collect();
            prop_assert_eq!(all_of(&left), all);
            for gone in &left {
                let rest: Vec<&Rule> = left.iter().copied().filter(|rule| rule.span != gone.span).collect();
                prop_assert_ne!(all_of(&rest), all);
            }
        }
    }
}
