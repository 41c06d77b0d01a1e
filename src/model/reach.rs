//! Rules to the packets that they are about: those that match, those that come to them.

use super::compile::{Compiler, Leaf, narrow};
use super::condition::{Cubes, Lowering};
use super::{ChainId, Rule};
use crate::packet::{
    Cause, EditId, End, Field, Outcome, OutcomeSet, OverBudget, PacketSet, RangeSet, Ruling,
};

impl Compiler<'_> {
    /// The packets that may match a rule: all whose fate it can decide.
    pub fn reach(&mut self, rule: &Rule) -> Result<PacketSet, OverBudget> {
        if let Some(product) = self.product_of(rule) {
            return self.space.product(&product);
        }
        Ok(Lowering::new(self).matches(&rule.matches)?.bounds.possibly)
    }

    /// The packets that match a rule, whatever is not known.
    pub fn surely_matches(&mut self, rule: &Rule) -> Result<PacketSet, OverBudget> {
        if let Some(product) = self.product_of(rule) {
            return self.space.product(&product);
        }
        Ok(Lowering::new(self).matches(&rule.matches)?.bounds.surely)
    }

    /// The packets that match a rule as tests of distinct fields, if that is all it asks.
    pub fn product_of(&mut self, rule: &Rule) -> Option<Vec<(Field, RangeSet)>> {
        let cubes = Cubes::of(self, &rule.matches)?;
        match <[_; 1]>::try_from(cubes.products) {
            Ok([product]) if cubes.doubts.is_empty() => Some(product),
            _ => None,
        }
    }

    /// What the rules of a chain decide about packets that begin there.
    pub fn rules_of(&mut self, ruleset: usize, chain: ChainId) -> Result<Ruling, OverBudget> {
        let segment = self.chain(ruleset, chain)?;
        Ok(self.space.pinned(segment.plain))
    }

    /// Whether some packet, of all that there are, comes from the beginning of a chain to a rule and may match it. May collect:
    /// only what is pinned outlives the call.
    pub fn comes_to(&mut self, ruleset: usize, chain: ChainId, number: usize) -> Result<bool, OverBudget> {
        let of = self
            .rulesets
            .get(ruleset)
            .and_then(|rules| rules.chains.get(chain.0 as usize));
        let Some(rule) = of.and_then(|chain| chain.rules.get(number)) else {
            return Ok(false);
        };
        self.chain(ruleset, chain)?;
        let mark = self.space.pin_mark();
        let before = self.first_rules(ruleset, chain, number)?;
        let before = self.space.pin(before);
        // A cause that no rule has: that of the placeholder behind all deciders.
        let probe = Outcome {
            end: End::Accept,
            cause: Cause(narrow(self.deciders.len())),
            edit: EditId::NONE,
        };
        let probing = self.guarded(rule, Leaf::Verdict(vec![probe], Vec::new()))?;
        let before = self.space.pinned(before);
        let both = self.space.sequence(before, probing)?;
        self.space.release(mark);
        let is_probe = |outcome: &Outcome| outcome.cause == probe.cause;
        let comes = |set: &&OutcomeSet| set.is_truncated() || set.outcomes.iter().any(is_probe);
        Ok(self.space.terminals(both).iter().any(comes))
    }
}
