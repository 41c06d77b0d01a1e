//! Host endpoints: what policies of a cluster do at interfaces of one of its nodes.
//!
//! INVARIANT: what an endpoint accepts surely meets the rules of the node itself only if somebody says that it goes on.

use std::sync::Arc;

use super::path::loopback_interface;
use super::{
    Action, Base, Chain, ChainId, Condition, Default, Families, Hook, Layer, Match, NamedSets, Purpose, Rule,
    Ruleset, Unknown,
};
use crate::packet::{Field, RangeSet};
use crate::source::Span;

/// One of them.
#[derive(Debug, Clone)]
pub struct HostEndpoint {
    /// What users call it.
    pub name: String,
    /// The name of its node; `None`: it is not known which hosts are its nodes.
    pub node: Option<String>,
    /// The bytes of its name.
    pub span: Span,
    /// What policies let through to its node ([`Hook::Input`]) and from it ([`Hook::Output`]).
    pub ruleset: Ruleset,
    /// Whether what it accepts meets the rules of the node itself too.
    pub goes_on: bool,
    /// The interfaces that it is about, if it is not about all: what goes by others, it lets through.
    pub interfaces: Option<RangeSet>,
}

/// The chains that a dump of a node has, if it was taken where such endpoints are in force.
const OF_FELIX: &str = "cali-INPUT";

impl Chain {
    /// Whether one of its rules may let a packet go no further.
    fn stops(&self) -> bool {
        let stops = |rule: &Rule| matches!(rule.action, Action::Drop | Action::Reject | Action::Unknown(_));
        self.rules.iter().any(stops)
    }
}

impl HostEndpoint {
    /// What stands behind the endpoints of a node of which nothing else is known: it may stop what goes by interfaces that none of
    /// them is about. `None`: they are about all.
    #[must_use]
    pub fn rest(all: &[&Self]) -> Option<Ruleset> {
        let place = all.first()?.span;
        let mut covered = loopback_interface();
        for endpoint in all {
            covered = covered.union(endpoint.interfaces.as_ref()?);
        }
        let nowhere = Span::new(place.file, place.start, place.start);
        let is_stopped = Condition::Unknown(Unknown {
            property: Some("a firewall that was not given".into()),
            why: "what goes by other interfaces than those of host endpoints is not known: no dump was given"
                .into(),
        });
        let mut ruleset = Ruleset {
            layer: Layer::HostEndpoint,
            families: Families::Both,
            chains: Vec::new(),
            bases: Vec::new(),
            sets: NamedSets::default(),
        };
        for (hook, interface) in [
            (Hook::Input, Field::InInterface),
            (Hook::Output, Field::OutInterface),
        ] {
            let is_covered = Condition::Test(interface, covered.clone());
            let rule = Rule {
                span: nowhere,
                matches: vec![Match {
                    span: place,
                    condition: Condition::All(vec![Condition::Not(Box::new(is_covered)), is_stopped.clone()]),
                }],
                action: Action::Drop,
                action_span: nowhere,
            };
            let chain = ChainId(u32::try_from(ruleset.chains.len()).unwrap_or(u32::MAX));
            ruleset.chains.push(Chain {
                path: "not given".to_owned(),
                calls: Arc::default(),
                span: place,
                rules: vec![rule],
            });
            ruleset.bases.push(Base::filter(hook, chain, place));
        }
        Some(ruleset)
    }

    /// Puts the endpoint before the rulesets of its node: both must accept, but what it accepts may never come to the others
    /// ("if you have custom iptables rules, using host endpoints with allow-all rules [...] will accept all traffic and therefore
    /// bypass those custom rules"). A dump that has its chains has that in them.
    pub fn stand_before(&self, rulesets: &mut [Ruleset]) {
        if self.goes_on {
            return;
        }
        let has_it = |ruleset: &Ruleset| ruleset.chains.iter().any(|chain| chain.path.ends_with(OF_FELIX));
        for ruleset in rulesets.iter_mut().filter(|ruleset| !has_it(ruleset)) {
            let has_stops = ruleset.chains.iter().any(Chain::stops);
            let is_met = |base: &&Base| {
                let is_filter = base.purpose == Purpose::Filter;
                let is_own = matches!(base.hook, Hook::Input | Hook::Output);
                is_filter && is_own && (has_stops || base.default != Default::Accept)
            };
            let met = ruleset.bases.iter().filter(is_met);
            let met: Vec<(ChainId, Hook)> = met.map(|base| (base.chain, base.hook)).collect();
            for (chain, hook) in met {
                if let Some(chain) = ruleset.chains.get_mut(chain.0 as usize) {
                    chain.rules.insert(0, self.skips(hook));
                }
            }
        }
    }

    /// Loopback meets no endpoint.
    fn skips(&self, hook: Hook) -> Rule {
        let nowhere = Span::new(self.span.file, self.span.start, self.span.start);
        let interface = match hook {
            Hook::Input => Field::InInterface,
            _ => Field::OutInterface,
        };
        let is_loopback = Condition::Test(interface, loopback_interface());
        let why = "whether what a host endpoint accepts meets the rules of its node too is not known";
        let is_skipped = Condition::Unknown(Unknown {
            property: Some("host endpoints go on".into()),
            why: why.into(),
        });
        Rule {
            span: nowhere,
            matches: vec![Match {
                span: self.span,
                condition: Condition::All(vec![Condition::Not(Box::new(is_loopback)), is_skipped]),
            }],
            action: Action::Accept,
            action_span: self.span,
        }
    }
}
