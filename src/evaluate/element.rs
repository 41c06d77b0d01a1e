//! The elements of named sets that the packet of a finding is in: where the rule that decides asks a set, or a jump to it does.
//!
//! INVARIANT: where it is not sure by which jump the packet comes, or what a rule asked about it before it was translated,
//! nothing is said.

use super::calls::{Callers, callers, is_base};
use super::words;
use crate::finding::Label;
use crate::model::{ChainId, Compiler, Condition, Decider, Rule, Ruleset};
use crate::packet::{Concrete, Family, Field};

/// Jumps followed backwards from the rule that decides.
const MAX_JUMPS: usize = 16;

/// Who jumps where, if any rule of a host asks a named set.
#[derive(Debug)]
pub(super) struct Elements {
    callers: Option<Callers>,
}

impl Elements {
    pub(super) fn of(rulesets: &[Ruleset]) -> Self {
        let asks = rulesets.iter().any(|ruleset| !ruleset.sets.is_empty());
        Self {
            callers: asks.then(|| callers(rulesets)),
        }
    }

    /// The labels of the elements that a packet is in on its way to the rule that decides it.
    pub(super) fn labels(
        &self,
        compiler: &Compiler<'_>,
        decider: Decider,
        packet: &Concrete,
        is_translated: bool,
    ) -> Vec<Label> {
        let mut labels: Vec<Label> = Vec::new();
        let (Some(callers), Decider::Rule { ruleset, chain, rule }) = (&self.callers, decider) else {
            return labels;
        };
        let Some(rules) = compiler.rulesets().get(ruleset) else {
            return labels;
        };
        let seen = Seen {
            packet,
            is_translated,
        };
        let mut met = rule_of(rules, (chain, rule)).map(|rule| (chain, rule));
        for _ in 0..MAX_JUMPS {
            let Some((chain, rule)) = met else { break };
            for label in seen.elements(rules, rule) {
                if labels.iter().all(|known| known.span != label.span) {
                    labels.push(label);
                }
            }
            if is_base(compiler.rulesets(), ruleset, chain) {
                break;
            }
            let jumps = callers.get(&(ruleset, chain)).into_iter().flatten();
            let jumps = jumps.filter_map(|&(from, number)| Some((from, rule_of(rules, (from, number))?)));
            let mut jumps = jumps.filter(|(_, rule)| seen.may_match(rule));
            met = jumps.next().filter(|_| jumps.next().is_none());
        }
        labels
    }
}

fn rule_of(rules: &Ruleset, (chain, rule): (ChainId, usize)) -> Option<&Rule> {
    rules.chains.get(chain.0 as usize)?.rules.get(rule)
}

/// A packet as the rules of a chain see it.
struct Seen<'p> {
    packet: &'p Concrete,
    is_translated: bool,
}

impl Seen<'_> {
    /// The value of a field, if rules see the packet with it.
    fn value(&self, field: Field) -> Option<u128> {
        let of_destination = [Field::Destination4, Field::Destination6, Field::Service];
        let is_changed = self.is_translated && of_destination.contains(&field);
        let is_other = Family::ALL.into_iter().any(|family| {
            let is_of = field == family.source() || field == family.destination();
            is_of && self.packet.value(Field::Family) != family.value()
        });
        (!is_changed && !is_other).then(|| self.packet.value(field))
    }

    fn elements<'r>(&'r self, rules: &'r Ruleset, rule: &'r Rule) -> impl Iterator<Item = Label> + 'r {
        rule.matches.iter().filter_map(|one| {
            let asks = |field| words::asks(&one.condition, field);
            let (name, at) = rules.sets.element(one.span, &asks, &|field| self.value(field))?;
            Some(Label::new(
                at,
                format!("the witness is in `{name}` by this element"),
            ))
        })
    }

    fn may_match(&self, rule: &Rule) -> bool {
        let mut matches = rule.matches.iter();
        matches.all(|one| self.holds(&one.condition) != Some(false))
    }

    /// Whether a condition holds, as far as that is known. Recursive over what rules write, and readers bound.
    fn holds(&self, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::Test(field, values) => Some(values.contains(self.value(*field)?)),
            Condition::All(parts) => self.settled(parts, false),
            Condition::Any(parts) => self.settled(parts, true),
            Condition::Not(inner) => self.holds(inner).map(|holds| !holds),
            Condition::Member(_) | Condition::Unknown(_) => None,
        }
    }
    /// What parts come to, one of which settles it if it is `by`.
    fn settled(&self, parts: &[Condition], by: bool) -> Option<bool> {
        let mut is_known = true;
        for part in parts {
            match self.holds(part) {
                Some(holds) if holds == by => return Some(by),
                Some(_) => {}
                None => is_known = false,
            }
        }
        is_known.then_some(!by)
    }
}
