//! Numbers for who decides and for what is not known: diagrams carry numbers, people read rules and reasons.

use std::sync::Arc;

use super::compile::{Compiler, narrow};
use super::{Base, Chain, ChainId, Rule, Ruleset, Unknown};
use crate::packet::{Bounds, Cause, Doubt, Field, MAX_PROPERTIES, OverBudget, RangeSet, Ruling};
use crate::source::Span;

/// Who decides about a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decider {
    /// Rule `rule` of chain `chain` of ruleset `ruleset`.
    Rule {
        /// Index of the ruleset among those compiled together.
        ruleset: usize,
        /// The chain.
        chain: ChainId,
        /// Index of the rule in its chain.
        rule: usize,
    },
    /// The default verdict of a base chain.
    Default {
        /// Index of the ruleset.
        ruleset: usize,
        /// Index of the base chain in [`Ruleset::bases`].
        base: usize,
    },
}

impl Decider {
    /// Index of its ruleset.
    #[must_use]
    pub fn ruleset(self) -> usize {
        match self {
            Self::Rule { ruleset, .. } | Self::Default { ruleset, .. } => ruleset,
        }
    }
}

/// Something that is not known, for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DoubtReason {
    /// The bytes that leave it open, if any do.
    pub span: Option<Span>,
    /// What is not known.
    pub why: Arc<str>,
}

impl<'m> Compiler<'m> {
    pub(super) fn number_deciders(&mut self) {
        for (ruleset, rules) in self.rulesets.iter().enumerate() {
            let mut firsts = Vec::with_capacity(rules.chains.len());
            for (chain, of) in (0u32..).zip(&rules.chains) {
                firsts.push(narrow(self.deciders.len()));
                let decider = |rule| Decider::Rule {
                    ruleset,
                    chain: ChainId(chain),
                    rule,
                };
                self.deciders.extend((0..of.rules.len()).map(decider));
            }
            self.chain_causes.push(firsts);
            self.base_causes.push(narrow(self.deciders.len()));
            self.deciders
                .extend((0..rules.bases.len()).map(|base| Decider::Default { ruleset, base }));
        }
    }

    /// Who a cause is. `None` for nobody.
    #[must_use]
    pub fn decider(&self, cause: Cause) -> Option<Decider> {
        if cause == Cause::NOBODY {
            None
        } else {
            self.deciders.get(cause.0 as usize).copied()
        }
    }

    /// All causes that are rules, with their deciders.
    pub fn rule_causes(&self) -> impl Iterator<Item = (Cause, Decider)> + '_ {
        let rules = (0u32..).zip(&self.deciders).skip(1);
        rules
            .filter(|(_, decider)| matches!(decider, Decider::Rule { .. }))
            .map(|(at, d)| (Cause(at), *d))
    }

    /// The rule behind a decider.
    #[must_use]
    pub fn rule(&self, decider: Decider) -> Option<&'m Rule> {
        let Decider::Rule { ruleset, chain, rule } = decider else {
            return None;
        };
        self.rulesets
            .get(ruleset)?
            .chains
            .get(chain.0 as usize)?
            .rules
            .get(rule)
    }

    /// The chain that a deciding rule stands in.
    #[must_use]
    pub fn chain_of(&self, decider: Decider) -> Option<&'m Chain> {
        let Decider::Rule { ruleset, chain, .. } = decider else {
            return None;
        };
        self.rulesets.get(ruleset)?.chains.get(chain.0 as usize)
    }

    /// The base chain behind a decider that is a default verdict.
    #[must_use]
    pub fn base(&self, decider: Decider) -> Option<&'m Base> {
        let Decider::Default { ruleset, base } = decider else {
            return None;
        };
        self.rulesets.get(ruleset)?.bases.get(base)
    }

    /// The rulesets that are compiled.
    #[must_use]
    pub fn rulesets(&self) -> &'m [Ruleset] {
        self.rulesets
    }

    /// What a doubt is about.
    #[must_use]
    pub fn reason(&self, doubt: Doubt) -> Option<&DoubtReason> {
        self.doubts.get(doubt.0 as usize)
    }

    /// Numbers a doubt.
    pub fn doubt(&mut self, span: Option<Span>, why: &Arc<str>) -> Doubt {
        let reason = DoubtReason {
            span,
            why: Arc::clone(why),
        };
        if let Some(&known) = self.doubt_numbers.get(&reason) {
            return known;
        }
        let doubt = Doubt(narrow(self.doubts.len()));
        self.doubts.push(reason.clone());
        self.doubt_numbers.insert(reason, doubt);
        doubt
    }

    /// The field of an unknown property, and the doubt about it. `None` if there are too many: then it is as if it were
    /// answered afresh each time, which only widens what is possible.
    pub(super) fn property(&mut self, unknown: &Unknown, span: Span) -> Option<Field> {
        let key = unknown.property.as_ref()?;
        if let Some(&(number, _)) = self.properties.get(key) {
            return Some(Field::Property(number));
        }
        let number = u16::try_from(self.properties.len())
            .ok()
            .filter(|&number| number < MAX_PROPERTIES)?;
        let doubt = self.doubt(Some(span), &unknown.why);
        self.properties.insert(Arc::clone(key), (number, doubt));
        Some(Field::Property(number))
    }

    /// How many unknown properties the host's rules ask for.
    #[must_use]
    pub fn n_properties(&self) -> usize {
        self.properties.len()
    }

    /// A ruling in which each unknown property may have either value: the last thing to do, since until then it
    /// cancels against itself.
    pub fn assume_properties(&mut self, ruling: Ruling) -> Result<Ruling, OverBudget> {
        let either = RangeSet::range(0, 1);
        let properties = self.properties.values();
        let fields: Vec<_> = properties
            .map(|&(number, doubt)| (Field::Property(number), either.clone(), Some(doubt)))
            .collect();
        self.space.assume_all(ruling, &fields)
    }

    /// Bounds that do not depend on what is not known of packets: surely in for every answer, possibly in for one.
    pub fn whatever_is_unknown(&mut self, bounds: Bounds) -> Result<Bounds, OverBudget> {
        let either = RangeSet::range(0, 1);
        let mut bounds = bounds;
        for (number, _) in self.properties.values().copied().collect::<Vec<_>>() {
            let field = Field::Property(number);
            bounds = Bounds {
                surely: self.space.for_all(bounds.surely, field, &either)?,
                possibly: self.space.exists(bounds.possibly, field, &either)?,
            };
        }
        Ok(bounds)
    }
}
