//! Host endpoints of Calico to layers of their nodes: what policies of the cluster let through to a node itself.
//!
//! Semantics: docs.tigera.io, "Host endpoint", "Failsafe rules" and "Apply on forwarded traffic"; felix, rules,
//! `HostEndpointToFilterChains`. INVARIANT: what is asked before connections are tracked or translated, and of what is passed on,
//! is followed both ways.

use super::calico::{Failsafe, HostEndpoint as Written, Interface};
use super::cluster::{Cluster, Namespace, Pods};
use super::condition::{are_in, protocols, unknown};
use super::identity::Identities;
use super::lower::{Lowering, answers, let_through};
use super::policy::Policy;
use super::reach::Direction;
use super::selector::Seen;
use super::truth::Truth;
use crate::dialect::condition::any;
use crate::model::{
    Action, Base, Condition, Default, Families, Hook, HostEndpoint, Layer, Match, NamedSets, Purpose, Rule,
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
        let about = about(cluster, &written.seen);
        let endpoint = Endpoint {
            cluster,
            written,
            about: &about,
        };
        let lowering = Lowering::new((cluster, identities), &nowhere, &subject, about.clone());
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
struct Endpoint<'c> {
    cluster: &'c Cluster,
    written: &'c Written,
    about: &'c [(&'c Policy, Truth)],
}

impl Endpoint<'_> {
    fn ruleset(&self, mut lowering: Lowering<'_>) -> Ruleset {
        let mut bases = vec![
            self.base(&mut lowering, Hook::Input, Direction::Ingress),
            self.base(&mut lowering, Hook::Output, Direction::Egress),
        ];
        bases.extend(self.forwarded(&mut lowering));
        Ruleset {
            layer: Layer::HostEndpoint,
            families: Families::Both,
            chains: lowering.into_chains(),
            bases,
            sets: NamedSets::default(),
        }
    }

    fn nowhere(&self) -> Span {
        let at = self.written.span;
        Span::new(at.file, at.start, at.start)
    }

    fn base(&self, lowering: &mut Lowering<'_>, hook: Hook, direction: Direction) -> Base {
        let place = self.nowhere();
        let loopback = Condition::Test(interface(direction), loopback_interface());
        let mut rules = vec![let_through(place, loopback), answers(place)];
        rules.extend(self.elsewhere(direction));
        rules.extend(self.not_modelled());
        rules.extend(self.tunnels());
        let node = &self.written.node;
        let failsafes = self.cluster.calico.failsafes(node, direction).into_iter();
        rules.extend(failsafes.map(|failsafe| self.failsafe(&failsafe, direction)));
        rules.extend(lowering.tiers(direction));
        rules.extend(self.profiles());
        let chain = lowering.chain(direction.word().to_owned(), self.written.span, rules);
        Base {
            hook,
            priority: BEFORE_FILTER,
            order: 0,
            purpose: Purpose::Filter,
            chain,
            // "If a host endpoint is created and network policy is not in place, the default is to deny traffic."
            default: Default::Drop,
            default_span: self.written.span,
        }
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

    /// Policies that are asked before connections are tracked or translated, and objects that are not read.
    fn not_modelled(&self) -> Vec<Rule> {
        let seen = &self.written.seen;
        let before = self.cluster.calico.before.iter();
        let before = before.filter(|(selector, _)| selector.selects(&seen.labels, &seen.open) != Truth::No);
        let before =
            before.map(|(_, span)| (*span, "what this policy does to host endpoints is not modelled"));
        let foreign = self.cluster.foreign.iter().filter(|one| one.namespace.is_none());
        let foreign = foreign.map(|one| (one.span, one.why.as_str()));
        before
            .chain(foreign)
            .map(|(span, why)| may_be_anything(span, why))
            .collect()
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

    fn failsafe(&self, failsafe: &Failsafe, direction: Direction) -> Rule {
        let span = failsafe.span.unwrap_or(self.written.span);
        let port = match failsafe.ports {
            Some((protocol, low, high)) => Condition::All(vec![
                protocols(&[protocol]),
                Condition::Test(Field::Service, RangeSet::range(u128::from(low), u128::from(high))),
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

    /// "Forwarded traffic is allowed by default if no policies apply": those with `applyOnForward` may.
    fn forwarded(&self, lowering: &mut Lowering<'_>) -> Option<Base> {
        let mut on_forward = self.about.iter();
        let (policy, _) = on_forward.find(|(policy, _)| {
            let hosts = policy.hosts.as_ref();
            hosts.is_some_and(|hosts| hosts.on_forward)
        })?;
        let rule = may_be_anything(
            policy.span,
            "what policies do to what is passed on at host endpoints is not modelled",
        );
        let chain = lowering.chain("forward".to_owned(), self.written.span, vec![rule]);
        Some(Base {
            hook: Hook::Forward,
            priority: 0,
            order: 0,
            purpose: Purpose::Filter,
            chain,
            default: Default::Accept,
            default_span: self.written.span,
        })
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
