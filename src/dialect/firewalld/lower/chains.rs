//! The chains of one ruleset while it is made.
//!
//! INVARIANT: a chain without rules is not there, and nothing jumps to it.

use std::sync::Arc;

use crate::model::{
    Action, Base, Chain, ChainId, Condition, Default as Verdict, Families, Layer, Match, NamedSets, Rule,
    Ruleset,
};
use crate::source::Span;

use super::place::Place;

/// A ruleset that is being made.
pub(super) struct Chains {
    families: Families,
    made: Vec<Chain>,
    bases: Vec<Base>,
    /// Where what nobody wrote is pointed at.
    nowhere: Span,
}

impl Chains {
    pub(super) fn new(families: Families, nowhere: Span) -> Self {
        Self {
            families,
            made: Vec::new(),
            bases: Vec::new(),
            nowhere,
        }
    }

    /// Adds a chain, if there are rules for it.
    pub(super) fn add(&mut self, name: &str, rules: Vec<Rule>) -> Option<ChainId> {
        if rules.is_empty() {
            return None;
        }
        let id = ChainId(u32::try_from(self.made.len()).ok()?);
        self.made.push(Chain {
            calls: Arc::default(),
            path: format!("firewalld/{name}"),
            span: self.nowhere,
            rules,
        });
        Some(id)
    }

    /// Adds a base chain. Where packets are filtered on their way in or through, firewalld's last rule rejects them.
    pub(super) fn hook(&mut self, place: Place, rules: Vec<Rule>) {
        let Ok(id) = u32::try_from(self.made.len()) else {
            return;
        };
        self.made.push(Chain {
            calls: Arc::default(),
            path: format!("firewalld/{}", place.base_name()),
            span: self.nowhere,
            rules,
        });
        self.bases.push(Base {
            hook: place.hook,
            priority: place.priority(),
            order: place.order(),
            purpose: place.purpose(),
            chain: ChainId(id),
            default: match place {
                Place::INPUT | Place::FORWARD => Verdict::Drop,
                _ => Verdict::Accept,
            },
            default_span: self.nowhere,
        });
    }

    /// Copies all chains of another ruleset, and says where one of them went.
    pub(super) fn copy(&mut self, from: &Ruleset, chain: ChainId) -> Option<ChainId> {
        let offset = u32::try_from(self.made.len()).ok()?;
        for chain in &from.chains {
            let mut chain = chain.clone();
            for rule in &mut chain.rules {
                if let Action::Jump(to) | Action::Goto(to) = &mut rule.action {
                    to.0 += offset;
                }
            }
            self.made.push(chain);
        }
        Some(ChainId(chain.0 + offset))
    }

    /// `None` if no hook calls anything of it.
    pub(super) fn finish(self) -> Option<Ruleset> {
        if self.bases.is_empty() {
            return None;
        }
        Some(Ruleset {
            layer: Layer::HostFirewall,
            families: self.families,
            chains: self.made,
            bases: self.bases,
            sets: NamedSets::default(),
        })
    }
}

/// A rule that firewalld adds of itself; what is said of it is said at `at`.
pub(super) fn own_rule(at: Span, conditions: Vec<Condition>, action: Action) -> Rule {
    let matches = conditions
        .into_iter()
        .map(|condition| Match { span: at, condition });
    Rule {
        span: Span::new(at.file, at.start, at.start),
        matches: matches.collect(),
        action,
        action_span: at,
    }
}

/// Jumps to chains that are there.
pub(super) fn jumps(at: Span, to: impl IntoIterator<Item = Option<ChainId>>) -> Vec<Rule> {
    let to = to.into_iter().flatten();
    to.map(|to| own_rule(at, Vec::new(), Action::Jump(to))).collect()
}
