//! Who takes the packets of a shadowed rule: one that takes all, else those that take most.
//!
//! INVARIANT: only rules that surely decide what they match are named, never one of which nothing is known.

use std::collections::BTreeMap;

use crate::model::{Action, Compiler, Decider, Rule, is_generated};
use crate::packet::{Field, OverBudget, PacketSet, Pin, RangeSet};

/// Deciding rules of which is asked whether they match all that a shadowed rule matches.
const MAX_ASKED: usize = 4;

/// Whether it is known that a rule decides what it matches.
fn decides(rule: &Rule) -> bool {
    !matches!(rule.action, Action::Unknown(_))
}

/// What rules take: one rule shadows many.
pub(super) type Takes = BTreeMap<Decider, Taken>;

/// The packets that a rule surely matches.
pub(super) struct Taken {
    /// As tests of distinct fields, if that is all the rule asks.
    product: Option<Vec<(Field, RangeSet)>>,
    /// As a set, once it was asked for.
    set: Option<PacketSet>,
}

/// Whether all packets of one product are in another, as far as their tests say so.
fn is_within(inner: &[(Field, RangeSet)], outer: &[(Field, RangeSet)]) -> bool {
    outer.iter().all(|(field, values)| {
        let tested = inner.iter().find(|test| test.0 == *field);
        match tested {
            Some((_, tested)) => tested.is_subset(values),
            None => values.complement(field.maximum()).is_empty(),
        }
    })
}

/// The rule that decides one packet of a shadowed one, if it takes all others too: so it is nearly always, and found without
/// building anything. Asked where nothing else can matter: of a base chain that no other leads to, where no program keeps
/// chains of its own.
pub(super) fn taker_of_a_corner(
    compiler: &mut Compiler<'_>,
    known: &mut Takes,
    decided: Pin,
    shadowed: Decider,
) -> Option<Decider> {
    let Decider::Rule { ruleset, chain, .. } = shadowed else {
        return None;
    };
    let rules = compiler.rulesets().get(ruleset)?;
    let is_base = rules.bases.iter().any(|base| base.chain == chain);
    if !is_base || rules.chains.iter().any(|chain| is_generated(&chain.path)) {
        return None;
    }
    let rule = compiler.rule(shadowed)?;
    let inner = compiler.product_of(rule)?;
    let ruling = compiler.space.pinned(decided);
    let corner = compiler.space.outcomes_of(ruling, &|field| lowest(&inner, field));
    let [outcome] = corner.outcomes.as_slice() else {
        return None;
    };
    let by = compiler.decider(outcome.cause)?;
    (by < shadowed && takes_product(compiler, known, by, &inner)).then_some(by)
}

/// The lowest value of a field that passes tests.
pub(super) fn lowest(tests: &[(Field, RangeSet)], field: Field) -> u128 {
    let test = tests.iter().find(|test| test.0 == field);
    test.and_then(|(_, values)| values.first()).unwrap_or(0)
}

/// Whether a rule surely decides all packets of a product that come to it.
pub(super) fn takes_product(
    compiler: &mut Compiler<'_>,
    known: &mut Takes,
    by: Decider,
    inner: &[(Field, RangeSet)],
) -> bool {
    let Some(rule) = compiler.rule(by).filter(|rule| decides(rule)) else {
        return false;
    };
    let taken = known.entry(by).or_insert_with(|| Taken {
        product: compiler.product_of(rule),
        set: None,
    });
    let outer = taken.product.as_ref();
    outer.is_some_and(|outer| is_within(inner, outer))
}

/// A rule before the shadowed one that takes everything by itself: then the others do not matter. Rules of the same
/// chain are asked first.
pub(super) fn taker_of_all(
    compiler: &mut Compiler<'_>,
    known: &mut Takes,
    reach: PacketSet,
    shadowed: Decider,
    by: &BTreeMap<Decider, usize>,
) -> Result<Option<Decider>, OverBudget> {
    let chain_of = |decider: &Decider| match decider {
        Decider::Rule { ruleset, chain, .. } => Some((*ruleset, *chain)),
        Decider::Default { .. } => None,
    };
    let mut earlier: Vec<_> = by.iter().filter(|(decider, _)| **decider < shadowed).collect();
    // What asks the least takes the most.
    let n_matches = |decider: &Decider| compiler.rule(*decider).map_or(0, |rule| rule.matches.len());
    earlier.sort_by_key(|(decider, count)| {
        let is_elsewhere = chain_of(decider) != chain_of(&shadowed);
        let asks_something = n_matches(decider) > 0;
        (
            is_elsewhere,
            asks_something,
            std::cmp::Reverse(**count),
            **decider,
        )
    });
    let inner = compiler.rule(shadowed).and_then(|rule| compiler.product_of(rule));
    for (&decider, _) in earlier.into_iter().take(MAX_ASKED) {
        let Some(rule) = compiler.rule(decider).filter(|rule| decides(rule)) else {
            continue;
        };
        let taken = known.entry(decider).or_insert_with(|| Taken {
            product: compiler.product_of(rule),
            set: None,
        });
        let is_all = if let (Some(inner), Some(outer)) = (&inner, &taken.product) {
            is_within(inner, outer)
        } else {
            let set = match taken.set {
                Some(known) => known,
                None => *taken.set.insert(compiler.surely_matches(rule)?),
            };
            compiler.space.is_subset(reach, set)
        };
        if is_all {
            return Ok(Some(decider));
        }
    }
    Ok(None)
}

/// Rules whose part of a shadowed rule's packets is measured.
const MAX_MEASURED: usize = 8;

/// Shadowed rules of one host for which that is done: where there are more, nobody reads them all, and it is dear.
pub(super) const MAX_MEASURED_OF_HOST: usize = 100;

/// The rules before a shadowed one that match some of its packets, those that match most of them first.
pub(super) fn largest_first(
    compiler: &mut Compiler<'_>,
    reach: PacketSet,
    shadowed: Decider,
    by: &BTreeMap<Decider, usize>,
    to_measure: &mut usize,
) -> Result<Vec<Decider>, OverBudget> {
    let mut earlier: Vec<_> = by.iter().filter(|(decider, _)| **decider < shadowed).collect();
    earlier.sort_by_key(|(decider, count)| (std::cmp::Reverse(**count), **decider));
    if *to_measure == 0 {
        return Ok(earlier.into_iter().map(|(decider, _)| *decider).collect());
    }
    *to_measure -= 1;
    let mut measured = Vec::new();
    for (&decider, _) in earlier.into_iter().take(MAX_MEASURED) {
        let Some(rule) = compiler.rule(decider).filter(|rule| decides(rule)) else {
            continue;
        };
        let matches = compiler.reach(rule)?;
        let both = compiler.space.intersection(reach, matches)?;
        if !both.is_empty() {
            measured.push((compiler.space.share(both), decider));
        }
    }
    measured.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    Ok(measured.into_iter().map(|(_, decider)| decider).collect())
}
