//! Who opens what: packets that get through to the rules that let them through.
//!
//! INVARIANT: in a ruleset whose rules have an order, each packet has one opener; in a union of rules, all that accept it are.

use std::collections::{BTreeMap, BTreeSet};

use super::filters::Filters;
use super::view::{Side, View};
use crate::model::{Action, ChainId, Decider, Hook, Layer, Rule};
use crate::packet::{Bounds, Cause, Field, OverBudget, PacketSet, RangeSet, value};

/// What one rule lets through.
pub(super) struct Opened {
    pub(super) cause: Cause,
    pub(super) opener: Decider,
    pub(super) region: PacketSet,
}

impl Filters<'_> {
    /// The packets of a set by the rules that let them through: `surely` those of which that is sure.
    pub(super) fn opened_by(
        &mut self,
        possibly: PacketSet,
        surely: PacketSet,
        view: View,
    ) -> Result<Vec<Opened>, OverBudget> {
        let mut parts = Vec::new();
        let mut by_union: BTreeMap<(usize, Option<ChainId>), Vec<PacketSet>> = BTreeMap::new();
        for (cause, region) in self.accepted_by(possibly, view.ruling)? {
            let Some(opener) = self.compiler.decider(cause) else {
                continue;
            };
            match self.union_of(opener) {
                Some(union) => by_union.entry(union).or_default().push(region),
                None => parts.push(Opened {
                    cause,
                    opener,
                    region,
                }),
            }
        }
        for ((union, chain), regions) in by_union {
            let region = self.compiler.space.union_all(&regions)?;
            let chains = match chain {
                Some(chain) => BTreeSet::from([chain]),
                None => self.chains_of(union, view.side),
            };
            self.of_union((union, &chains), region, surely, &mut parts)?;
        }
        Ok(parts)
    }

    /// The ruleset of a decider, if it is a union of rules that accept; of policies, with the chain of those that are one.
    fn union_of(&self, decider: Decider) -> Option<(usize, Option<ChainId>)> {
        let Decider::Rule { ruleset, chain, .. } = decider else {
            return None;
        };
        let of = self.compiler.rulesets().get(ruleset)?;
        match of.layer {
            Layer::SecurityGroup => Some((ruleset, None)),
            Layer::NetworkPolicy | Layer::HostEndpoint => {
                let rules = &of.chains.get(chain.0 as usize)?.rules;
                let mut behind = rules.iter().skip_while(|rule| rule.action == Action::Accept);
                let is_union = behind.all(|rule| rule.action == Action::Drop);
                is_union.then_some((ruleset, Some(chain)))
            }
            Layer::HostFirewall | Layer::NetworkAcl => None,
        }
    }

    /// What a rule asks of the first packets of connections, whatever state others have.
    fn of_first_packets(&mut self, asked: Bounds) -> Result<Bounds, OverBudget> {
        let new = RangeSet::point(value::NEW);
        let space = &mut self.compiler.space;
        Ok(Bounds {
            surely: space.exists(asked.surely, Field::State, &new)?,
            possibly: space.exists(asked.possibly, Field::State, &new)?,
        })
    }

    /// The chains of a union that packets of a side go through.
    fn chains_of(&self, union: usize, side: Side) -> BTreeSet<ChainId> {
        let Some(of) = self.compiler.rulesets().get(union) else {
            return BTreeSet::new();
        };
        let is_outgoing = |hook: Hook| matches!(hook, Hook::Output | Hook::Postrouting);
        let bases = of.bases.iter();
        let bases = bases.filter(|base| is_outgoing(base.hook) == (side == Side::Egress));
        let mut chains: BTreeSet<ChainId> = bases.map(|base| base.chain).collect();
        for chain in chains.clone() {
            let rules = of.chains.get(chain.0 as usize).into_iter();
            chains.extend(
                rules
                    .flat_map(|chain| &chain.rules)
                    .filter_map(|rule| match rule.action {
                        Action::Jump(to) | Action::Goto(to) => Some(to),
                        _ => None,
                    }),
            );
        }
        chains
    }

    /// What each rule of a union opens of a set. What others surely open, a rule that may or may not match is not blamed for.
    fn of_union(
        &mut self,
        (union, chains): (usize, &BTreeSet<ChainId>),
        set: PacketSet,
        surely: PacketSet,
        parts: &mut Vec<Opened>,
    ) -> Result<(), OverBudget> {
        let unsure = self.compiler.space.difference(set, surely)?;
        let sure = self.compiler.space.intersection(set, surely)?;
        for (cause, opener) in self.compiler.rule_causes().collect::<Vec<_>>() {
            let Decider::Rule { ruleset, chain, .. } = opener else {
                continue;
            };
            let is_here = ruleset == union && chains.contains(&chain);
            let opens = |rule: &&Rule| matches!(rule.action, Action::Accept | Action::Unknown(_));
            let Some(rule) = self.compiler.rule(opener).filter(|_| is_here).filter(opens) else {
                continue;
            };
            let asked = Bounds {
                surely: self.compiler.surely_matches(rule)?,
                possibly: self.compiler.reach(rule)?,
            };
            let asked = self.compiler.whatever_is_unknown(asked)?;
            let asked = self.of_first_packets(asked)?;
            let space = &mut self.compiler.space;
            let by_this = space.intersection(sure, asked.surely)?;
            let perhaps = space.intersection(unsure, asked.possibly)?;
            let region = space.union(by_this, perhaps)?;
            if !region.is_empty() {
                parts.push(Opened {
                    cause,
                    opener,
                    region,
                });
            }
        }
        Ok(())
    }
}
