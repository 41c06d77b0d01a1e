//! Host endpoints: what policies of a cluster do at interfaces of one of its nodes.
//!
//! INVARIANT: what an endpoint accepts surely meets the rules of the node itself only if somebody says that it goes on.

use super::path::loopback_interface;
use super::{Action, Base, Chain, ChainId, Condition, Default, Hook, Match, Purpose, Rule, Ruleset, Unknown};
use crate::packet::Field;
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
