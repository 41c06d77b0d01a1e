//! Base chains to hooks: what those that are called at one place do together.

use std::sync::Arc;

use super::compile::{Compiler, narrow};
use super::{Base, Default, Families, Hook, Purpose};
use crate::packet::protocol::number::{ICMP, ICMPV6};
use crate::packet::{
    Cause, EditId, End, Family, Field, Outcome, OverBudget, PacketSet, Pin, RangeSet, Ruling, value,
};

/// Why the first packet of a connection that another announced may not meet a NAT chain: the helper of a connection that is
/// translated has set up the translation of the other too (`nf_nat_follow_master`).
pub(super) const ANNOUNCED: &str =
    "whether the connection that announced this one is translated is not known";

/// The protocols of the errors that are related to connections.
pub(super) const ERRORS: [(Family, u8); 2] = [(Family::V4, ICMP), (Family::V6, ICMPV6)];

impl<'m> Compiler<'m> {
    /// The base chains of a hook, in the order of their priorities, as `(ruleset, base)`.
    fn bases(&self, hook: Hook) -> Vec<(usize, usize)> {
        let mut bases: Vec<(i32, [u32; 3], usize, usize)> = Vec::new();
        for (ruleset, rules) in self.rulesets.iter().enumerate() {
            let called = rules
                .bases
                .iter()
                .enumerate()
                .filter(|(_, base)| base.hook == hook);
            bases.extend(called.map(|(at, base)| (base.priority, base.order, ruleset, at)));
        }
        bases.sort_unstable();
        bases
            .into_iter()
            .map(|(.., ruleset, base)| (ruleset, base))
            .collect()
    }

    /// Compiles the chains of these hooks, which then stay pinned for good: whoever pins and releases rulings of
    /// their own calls this first.
    pub(super) fn prepare(&mut self, hooks: &[Hook]) -> Result<(), OverBudget> {
        for &hook in hooks {
            for (ruleset, base) in self.bases(hook) {
                if let Some(chain) = self.base_at(ruleset, base).map(|base| base.chain) {
                    self.chain(ruleset, chain)?;
                }
            }
        }
        Ok(())
    }

    /// What the base chains of a hook do, in the order of their priorities. What they all accept falls through, with
    /// the accepting rule as its cause; of the last hook on a packet's way, it may be accepted at once.
    pub(super) fn hook(&mut self, hook: Hook, is_last: bool) -> Result<Ruling, OverBudget> {
        let bases = self.bases(hook);
        self.called_in_turn(hook, &bases, is_last)
    }

    /// What the base chains of a hook do with packets whose connection is translated already, or not at all: the kernel asks
    /// for that once.
    pub(super) fn hook_without_translation(&mut self, hook: Hook) -> Result<Ruling, OverBudget> {
        let mut bases = self.bases(hook);
        bases.retain(|&(ruleset, at)| {
            let base = self.base_at(ruleset, at);
            base.is_some_and(|base| base.purpose != Purpose::Nat)
        });
        self.called_in_turn(hook, &bases, hook == Hook::Input)
    }

    fn called_in_turn(
        &mut self,
        hook: Hook,
        bases: &[(usize, usize)],
        is_last: bool,
    ) -> Result<Ruling, OverBudget> {
        self.prepare(&[hook])?;
        let mark = self.space.pin_mark();
        let mut segments: Vec<Pin> = Vec::new();
        let last = bases
            .iter()
            .rposition(|&(ruleset, at)| self.does_something(ruleset, at));
        for (at, &(ruleset, base)) in bases.iter().enumerate() {
            if !self.does_something(ruleset, base) {
                continue;
            }
            let passes = if is_last && Some(at) == last {
                End::Accept
            } else {
                End::Fall
            };
            let ruling = self.base_chain(ruleset, base, passes)?;
            segments.push(self.space.pin(ruling));
        }
        let rulings: Vec<_> = segments.iter().map(|&pin| self.space.pinned(pin)).collect();
        let ruling = self.space.sequence_all(&rulings)?;
        self.space.release(mark);
        Ok(ruling)
    }

    /// What the base chains do that a hook calls before another; `None` if they drop nothing. Stays pinned.
    pub fn called_before(&mut self, ruleset: usize, at: usize) -> Result<Option<Pin>, OverBudget> {
        let Some(hook) = self.base_at(ruleset, at).map(|base| base.hook) else {
            return Ok(None);
        };
        let mut earlier = self.bases(hook);
        let place = earlier.iter().position(|base| *base == (ruleset, at));
        earlier.truncate(place.unwrap_or(0));
        let before = self.called_in_turn(hook, &earlier, false)?;
        let terminals = self.space.terminals(before);
        let mut outcomes = terminals.iter().flat_map(|set| &set.outcomes);
        let drops = outcomes.any(|outcome| matches!(outcome.end, End::Drop | End::Reject));
        Ok(drops.then(|| self.space.pin(before)))
    }

    fn base_at(&self, ruleset: usize, at: usize) -> Option<&'m Base> {
        self.rulesets.get(ruleset)?.bases.get(at)
    }

    /// Whether a base chain is a filter, or has a rule, or drops.
    fn does_something(&self, ruleset: usize, at: usize) -> bool {
        let Some(rules) = self.rulesets.get(ruleset) else {
            return false;
        };
        let Some(base) = rules.bases.get(at) else {
            return false;
        };
        let chain = rules.chains.get(base.chain.0 as usize);
        let has_rules = chain.is_some_and(|chain| !chain.rules.is_empty());
        has_rules || base.purpose == Purpose::Filter || base.default != Default::Accept
    }

    /// One base chain as a step of its hook. What it accepts, and what it does not apply to, ends as `passes` says.
    fn base_chain(&mut self, ruleset: usize, at: usize, passes: End) -> Result<Ruling, OverBudget> {
        let Some((rules, base)) = self.rulesets.get(ruleset).zip(self.base_at(ruleset, at)) else {
            return Ok(self.space.pass());
        };
        let default = self.default_outcome(ruleset, at, base);
        let is_filter = base.purpose == Purpose::Filter;
        let accepter = |cause| if is_filter { cause } else { Cause::NOBODY };
        let plain = self.by_rules(ruleset, at)?;
        let change = |outcome: Outcome| {
            let decided = match outcome.end {
                End::Accept => outcome,
                _ => Outcome {
                    edit: outcome.edit,
                    ..default
                },
            };
            match decided.end {
                End::Accept => Outcome {
                    end: passes,
                    cause: accepter(decided.cause),
                    edit: decided.edit,
                },
                _ => decided,
            }
        };
        let mut ends = vec![End::Fall, End::Return];
        if passes != End::Accept || !is_filter {
            ends.push(End::Accept);
        }
        let ruling = self.space.map_outcomes(plain, &ends, &change)?;
        let mut applies = match rules.families {
            Families::Both => PacketSet::all(),
            Families::V4 => self
                .space
                .test(Field::Family, &RangeSet::point(Family::V4.value()))?,
            Families::V6 => self
                .space
                .test(Field::Family, &RangeSet::point(Family::V6.value()))?,
        };
        let pass = self.space.pass();
        let mut other = self.space.map_outcomes(pass, &[End::Fall], &|outcome| Outcome {
            end: passes,
            ..outcome
        })?;
        if let Some(translated) = base.untranslated() {
            let untouched = self.space.test(translated, &RangeSet::point(0))?;
            applies = self.space.intersection(applies, untouched)?;
            let announced = self.announced()?;
            let announced = self.space.intersection(applies, announced)?;
            let doubt = self.doubt(None, &Arc::from(ANNOUNCED));
            let either = self.space.merge(ruling, other, Some(doubt))?;
            other = self.space.choose(announced, either, other)?;
            let new = self.space.test(Field::State, &RangeSet::point(value::NEW))?;
            applies = self.space.intersection(applies, new)?;
        }
        self.space.choose(applies, ruling, other)
    }

    /// The first packets of connections that others announced. Errors of ICMP are about connections that are there, and
    /// translated with them.
    fn announced(&mut self) -> Result<PacketSet, OverBudget> {
        let related = self.space.test(Field::State, &RangeSet::point(value::RELATED))?;
        let mut errors = PacketSet::empty();
        for (family, protocol) in ERRORS {
            let of = self.space.product(&[
                (Field::Family, RangeSet::point(family.value())),
                (Field::Protocol, RangeSet::point(u128::from(protocol))),
            ])?;
            errors = self.space.union(errors, of)?;
        }
        self.space.difference(related, errors)
    }

    /// What the default verdict of a base chain does.
    fn default_outcome(&mut self, ruleset: usize, at: usize, base: &Base) -> Outcome {
        let cause = Cause(self.base_causes.get(ruleset).copied().unwrap_or(0) + narrow(at));
        self.space.set_rank(cause, 2);
        let end = match base.default {
            Default::Accept => End::Accept,
            Default::Drop => End::Drop,
        };
        Outcome {
            end,
            cause,
            edit: EditId::NONE,
        }
    }

    /// What the rules of a base chain decide; what none of them decides falls through or returns.
    pub fn by_rules(&mut self, ruleset: usize, at: usize) -> Result<Ruling, OverBudget> {
        let Some(base) = self.base_at(ruleset, at) else {
            return Ok(self.space.pass());
        };
        let segment = self.chain(ruleset, base.chain)?;
        Ok(self.space.pinned(segment.plain))
    }

    /// What a base chain decides about every packet, its default verdict included. Later base chains of the hook
    /// are not in it.
    pub fn decided(&mut self, ruleset: usize, at: usize) -> Result<Ruling, OverBudget> {
        let plain = self.by_rules(ruleset, at)?;
        let Some(base) = self.base_at(ruleset, at) else {
            return Ok(plain);
        };
        let default = self.default_outcome(ruleset, at, base);
        let ends = [End::Fall, End::Return];
        self.space.map_outcomes(plain, &ends, &|outcome| Outcome {
            edit: outcome.edit,
            ..default
        })
    }
}
