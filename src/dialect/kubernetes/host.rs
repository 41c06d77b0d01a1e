//! Host endpoints of Calico to layers of their nodes: what policies of the cluster let through to a node itself.
//!
//! Semantics: docs.tigera.io, "Host endpoint", "Failsafe rules" and "Summary of host endpoint policies"; felix, rules,
//! `HostEndpointToFilterChains`. INVARIANT: a packet goes through an interface of the endpoint or is let through.

use super::calico::{Failsafe, HostEndpoint as Written, Interface};
use super::cluster::{Cluster, Namespace, Pods};
use super::condition::{are_in, protocols, unknown};
use super::identity::Identities;
use super::lower::{Lowering, answers, let_through};
use super::policy::{Policy, Stage};
use super::reach::Direction;
use super::selector::Seen;
use super::truth::Truth;
use crate::dialect::condition::any;
use crate::model::{
    Action, Base, ChainId, Condition, Default, Families, Hook, HostEndpoint, Layer, Match, NamedSets, Rule,
    Ruleset, Unknown, loopback_interface,
};
use crate::packet::protocol::number;
use crate::packet::{Field, RangeSet, value};
use crate::source::Span;

/// The profile that lets everything through.
const DEFAULT_ALLOW: &str = "projectcalico-default-allow";
/// How endpoints of nodes are called among pods.
pub(super) const KIND: &str = "HostEndpoint";
/// Felix puts its jumps first in the chains of iptables' filter table, so that the host's own rules are the last to decide.
const BEFORE_FILTER: i32 = -1;
/// The protocol of packets in packets, and the port of overlays.
const IPIP: u8 = 4;
const VXLAN: u16 = 4789;

/// The host endpoints of a cluster, each with the ruleset of the policies that select it.
pub(super) fn endpoints(cluster: &Cluster, identities: &Identities) -> Vec<HostEndpoint> {
    let nowhere = Namespace {
        is_declared: true,
        ..Namespace::used("")
    };
    let of = |written: &Written| {
        let subject = subject(written);
        let endpoint = Endpoint {
            cluster,
            written,
            about: about(cluster, &written.seen),
        };
        let lowering = Lowering::new((cluster, identities), &nowhere, &subject, Vec::new());
        HostEndpoint {
            name: written.name.clone(),
            node: Some(written.node.clone()),
            span: written.span,
            ruleset: endpoint.ruleset(lowering),
            goes_on: cluster.calico.returns(&written.node),
            interfaces: match &written.interface {
                Interface::Named(name) => Some(RangeSet::point(value::interface(name))),
                Interface::All | Interface::Unnamed => None,
            },
        }
    };
    cluster.calico.hosts.iter().map(of).collect()
}

/// What rules see of an endpoint at their own end.
fn subject(written: &Written) -> Pods {
    let addresses = written.addresses.iter();
    let addresses = addresses.map(|network| network.family.address(network.low));
    Pods {
        kind: KIND,
        name: written.name.clone(),
        namespace: String::new(),
        labels: written.seen.labels.clone(),
        is_unread: false,
        seen: written.seen.clone(),
        ports: written.ports.clone(),
        has_unknown_ports: false,
        is_on_host_network: true,
        service_account: None,
        addresses: addresses.collect(),
        owner: None,
        span: written.span,
    }
}

/// The policies that are or may be about an endpoint with these labels.
fn about<'c>(cluster: &'c Cluster, seen: &Seen) -> Vec<(&'c Policy, Truth)> {
    let policies = cluster.policies.iter().filter_map(|policy| {
        let hosts = policy.hosts.as_ref().filter(|_| policy.cilium.is_none())?;
        let limit = Truth::of(!policy.is_subject_unread).or(Truth::Maybe);
        Some((
            policy,
            hosts.selector.selects(&seen.labels, &seen.open).and(limit),
        ))
    });
    policies.filter(|(_, answer)| *answer != Truth::No).collect()
}

/// One endpoint.
pub(super) struct Endpoint<'c> {
    pub(super) cluster: &'c Cluster,
    pub(super) written: &'c Written,
    pub(super) about: Vec<(&'c Policy, Truth)>,
}

impl<'c> Endpoint<'c> {
    fn ruleset(&self, mut lowering: Lowering<'c>) -> Ruleset {
        let mut bases = self.untracked(&mut lowering);
        bases.extend(self.before_translation(&mut lowering));
        bases.push(self.base(&mut lowering, Hook::Input, Direction::Ingress));
        bases.push(self.base(&mut lowering, Hook::Output, Direction::Egress));
        bases.extend(self.forwarded(&mut lowering));
        Ruleset {
            layer: Layer::HostEndpoint,
            families: Families::Both,
            chains: lowering.into_chains(),
            bases,
            sets: NamedSets::default(),
        }
    }

    pub(super) fn nowhere(&self) -> Span {
        let at = self.written.span;
        Span::new(at.file, at.start, at.start)
    }

    /// What becomes of packets to and from the node itself.
    fn base(&self, lowering: &mut Lowering<'c>, hook: Hook, direction: Direction) -> Base {
        let mut rules = self.of_others(direction);
        rules.extend(self.accepted_before(lowering, direction));
        rules.extend([answers(self.nowhere()), invalid(self.nowhere())]);
        rules.extend(self.not_modelled());
        rules.extend(self.tunnels());
        rules.extend(self.failsafes(direction));
        lowering.with(self.at(Stage::Normal));
        rules.extend(lowering.tiers(direction));
        rules.extend(self.profiles());
        let chain = lowering.chain(direction.word().to_owned(), self.written.span, rules);
        // "If a host endpoint is created and network policy is not in place, the default is to deny traffic."
        self.hooked(hook, BEFORE_FILTER, chain, Default::Drop)
    }

    pub(super) fn hooked(&self, hook: Hook, priority: i32, chain: ChainId, default: Default) -> Base {
        Base {
            priority,
            default,
            ..Base::filter(hook, chain, self.written.span)
        }
    }

    /// The policies that are asked at a stage.
    pub(super) fn at(&self, stage: Stage) -> Vec<(&'c Policy, Truth)> {
        let is_then = |(policy, _): &&(&Policy, Truth)| {
            let hosts = policy.hosts.as_ref();
            hosts.is_some_and(|hosts| hosts.stage == stage)
        };
        self.about.iter().filter(is_then).copied().collect()
    }

    /// What is none of the endpoint's business: loopback, and other interfaces.
    pub(super) fn of_others(&self, direction: Direction) -> Vec<Rule> {
        let loopback = Condition::Test(interface(direction), loopback_interface());
        let loopback = let_through(self.nowhere(), loopback);
        [loopback].into_iter().chain(self.elsewhere(direction)).collect()
    }

    /// What goes through interfaces that the endpoint is not: "traffic to/from other interfaces is ignored".
    fn elsewhere(&self, direction: Direction) -> Option<Rule> {
        let field = interface(direction);
        let is_one = |name: &str| Condition::Test(field, RangeSet::point(value::interface(name)));
        let condition = match &self.written.interface {
            Interface::Named(name) => Condition::Not(Box::new(is_one(name))),
            Interface::Unnamed => unknown(
                format!("interface of {}", self.written.name),
                "which interface has the addresses of this host endpoint is not known",
            ),
            Interface::All => {
                let others = self.cluster.calico.hosts.iter();
                let others = others.filter(|other| other.node == self.written.node);
                let names = others.filter_map(|other| match &other.interface {
                    Interface::Named(name) => Some(is_one(name)),
                    Interface::All | Interface::Unnamed => None,
                });
                let names: Vec<Condition> = names.collect();
                (!names.is_empty()).then(|| any(names))?
            }
        };
        Some(let_through(self.nowhere(), condition))
    }

    /// Objects of the cluster that are not read, and policies that need not apply at all interfaces.
    fn not_modelled(&self) -> Vec<Rule> {
        let foreign = self.cluster.foreign.iter().filter(|one| one.namespace.is_none());
        let foreign = foreign.map(|one| (one.span, one.why.as_str()));
        let is_everywhere = self.written.interface == Interface::All;
        let untracked = self.at(Stage::Untracked).into_iter();
        let untracked = untracked.filter(|_| is_everywhere).map(|(policy, _)| {
            let why = "whether policies with `doNotTrack` hold at an endpoint of all interfaces is not known";
            (policy.span, why)
        });
        let all = foreign.chain(untracked);
        all.map(|(span, why)| may_be_anything(span, why)).collect()
    }

    /// Felix lets through the tunnels that it makes between nodes (felix, rules, `filterInputChain`).
    fn tunnels(&self) -> Option<Rule> {
        if !self.cluster.calico.may_have_tunnels() {
            return None;
        }
        let udp = Condition::All(vec![
            protocols(&[number::UDP]),
            Condition::Test(Field::Service, RangeSet::point(u128::from(VXLAN))),
        ]);
        let made = unknown(
            "tunnels of Calico",
            "whether Calico lets its own tunnels between nodes through is not known",
        );
        let condition = Condition::All(vec![any(vec![protocols(&[IPIP]), udp]), made]);
        Some(let_through(self.nowhere(), condition))
    }

    /// What stays open in a direction.
    pub(super) fn failsafes(&self, direction: Direction) -> Vec<Rule> {
        let all = self.cluster.calico.failsafes(&self.written.node, direction);
        let rules = all
            .iter()
            .map(|failsafe| self.failsafe(failsafe, direction, Field::Service));
        rules.collect()
    }

    /// One of them, or, by the port that packets are from, what answers it.
    pub(super) fn failsafe(&self, failsafe: &Failsafe, direction: Direction, field: Field) -> Rule {
        let span = failsafe.span.unwrap_or(self.written.span);
        let port = match failsafe.ports {
            Some((protocol, low, high)) => Condition::All(vec![
                protocols(&[protocol]),
                Condition::Test(field, RangeSet::range(u128::from(low), u128::from(high))),
            ]),
            None => unknown(format!("failsafe at {span:?}"), "this port could not be read"),
        };
        let network = failsafe.network.map(|network| are_in(&network, direction));
        let_through(span, Condition::All(network.into_iter().chain([port]).collect()))
    }

    /// What is asked where no tier decides.
    fn profiles(&self) -> Vec<Rule> {
        let of = |(name, span): &(String, Span)| {
            if name == DEFAULT_ALLOW {
                let_through(*span, Condition::All(Vec::new()))
            } else {
                may_be_anything(
                    *span,
                    "what this profile lets through to host endpoints is not modelled",
                )
            }
        };
        self.written.profiles.iter().map(of).collect()
    }
}

/// Felix drops packets of no connection that it can tell (`DisableConntrackInvalidCheck`, false by default).
pub(super) fn invalid(place: Span) -> Rule {
    let state = Condition::Test(Field::State, RangeSet::point(value::INVALID));
    Rule {
        action: Action::Drop,
        ..let_through(place, state)
    }
}

/// The interface that packets of a direction go through.
pub(super) fn interface(direction: Direction) -> Field {
    match direction {
        Direction::Ingress => Field::InInterface,
        Direction::Egress => Field::OutInterface,
    }
}

pub(super) fn may_be_anything(span: Span, why: &str) -> Rule {
    Rule {
        span,
        matches: Vec::<Match>::new(),
        action: Action::Unknown(Unknown {
            property: None,
            why: why.into(),
        }),
        action_span: span,
    }
}
