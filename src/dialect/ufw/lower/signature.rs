//! What rules do, without their places: to compare rules, and to join those of one tuple.
//!
//! INVARIANT: rules of one signature match the same packets and do the same with them.

use crate::model::{Action, Condition, Match, Rule, Ruleset};
use crate::packet::{Field, RangeSet};

/// What a rule does, without its places. What only logs does nothing.
pub(super) type Signature = (String, Vec<(Field, RangeSet)>, Vec<String>, String);

pub(super) fn rule_at(ruleset: &Ruleset, (chain, rule): (usize, usize)) -> Option<&Rule> {
    ruleset.chains.get(chain)?.rules.get(rule)
}

/// What rules do. Rules that all do the same may come in any order.
pub(super) fn signatures(ruleset: &Ruleset, places: impl Iterator<Item = (usize, usize)>) -> Vec<Signature> {
    let mut all: Vec<Signature> = places.filter_map(|place| signature(ruleset, place)).collect();
    let are_alike = all.windows(2).all(|two| match two {
        [a, b] => a.3 == b.3,
        _ => true,
    });
    if are_alike {
        all.sort_by_cached_key(|signature| format!("{signature:?}"));
    }
    all
}

/// `None` for a rule that decides nothing: it logs, or leaves the chain of what is logged.
fn signature(ruleset: &Ruleset, place: (usize, usize)) -> Option<Signature> {
    let chain = &ruleset.chains.get(place.0)?.path;
    let rule = rule_at(ruleset, place)?;
    let is_log = |path: &str| path.contains("-user-logging-");
    let action = match &rule.action {
        Action::Continue => return None,
        Action::Return if is_log(chain) => return None,
        Action::Jump(to) | Action::Goto(to) => {
            let to = &ruleset.chains.get(to.0 as usize)?.path;
            if is_log(to) {
                return None;
            }
            format!("to {to}")
        }
        other => format!("{other:?}"),
    };
    let mut tests = Vec::new();
    let mut others = Vec::new();
    for found in &rule.matches {
        collect(&found.condition, &mut tests, &mut others);
    }
    tests.sort_by_cached_key(|(field, _)| format!("{field:?}"));
    others.sort();
    Some((chain.clone(), tests, others, action))
}

/// Takes a condition apart. Recursive over conditions, which the reader nests at most four deep.
fn collect(condition: &Condition, tests: &mut Vec<(Field, RangeSet)>, others: &mut Vec<String>) {
    match condition {
        Condition::Test(field, values) => match tests.iter_mut().find(|test| test.0 == *field) {
            Some(test) => test.1 = test.1.intersection(values),
            None => tests.push((*field, values.clone())),
        },
        Condition::All(parts) => {
            for part in parts {
                collect(part, tests, others);
            }
        }
        other => others.push(format!("{other:?}")),
    }
}

/// Joins the rules of a tuple that differ in the protocol alone: one matches what both did. Returns those that are to go.
pub(super) fn join(ruleset: &mut Ruleset, places: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut kept: Vec<((usize, usize), Signature)> = Vec::new();
    let mut gone = Vec::new();
    for &place in places {
        let Some(mut signature) = signature(ruleset, place) else {
            continue;
        };
        signature.1.retain(|(field, _)| *field != Field::Protocol);
        let Some((first, _)) = kept.iter().find(|(_, other)| *other == signature) else {
            kept.push((place, signature));
            continue;
        };
        let more = rule_at(ruleset, place).and_then(protocols);
        let rules = ruleset.chains.get_mut(first.0).map(|chain| &mut chain.rules);
        let first = rules.and_then(|rules| rules.get_mut(first.1));
        if let Some((more, first)) = more.zip(first)
            && add_protocols(first, &more)
        {
            gone.push(place);
        }
    }
    gone
}

/// The protocols of a rule that asks for some in a match of its own.
fn protocols(rule: &Rule) -> Option<RangeSet> {
    rule.matches.iter().find_map(|one| match &one.condition {
        Condition::Test(Field::Protocol, values) => Some(values.clone()),
        _ => None,
    })
}

/// Lets a rule match further protocols. Returns whether it can be made to.
fn add_protocols(rule: &mut Rule, more: &RangeSet) -> bool {
    let is_of_protocol = |one: &&mut Match| {
        let mut tests = Vec::new();
        collect(&one.condition, &mut tests, &mut Vec::new());
        tests.iter().any(|(field, _)| *field == Field::Protocol)
    };
    let mut asking: Vec<&mut Match> = rule.matches.iter_mut().filter(is_of_protocol).collect();
    match asking.as_mut_slice() {
        [only] => match &mut only.condition {
            Condition::Test(Field::Protocol, values) => {
                *values = values.union(more);
                true
            }
            _ => false,
        },
        _ => false,
    }
}
