//! Whether one end may open a connection to another: each policy asked by itself, packet by packet.
//!
//! This is the plain meaning of the APIs, next to which the lowered rulesets can be held. INVARIANT: `Yes` and `No` hold
//! whatever is not known (labels of namespaces that no manifest declares, addresses of pods, what the API leaves open).

use std::net::IpAddr;

use super::cluster::{Cluster, Namespace, Pods};
use super::policy::{Action, Peer, Policy, Port, Ports, Rule, Rules, Tier, Who};
use super::select::{is_subject, selects};
use super::truth::Truth;
use crate::packet::Network;
use crate::packet::address::number;

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Pods of a workload, by its place in [`Cluster::workloads`].
    Workload(usize),
    /// An address outside of the cluster.
    Outside(IpAddr),
}

/// What the first packet of a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// IP protocol number.
    pub protocol: u8,
    /// Destination port, of protocols that have ports.
    pub port: u16,
}

/// Which side of a connection a policy is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Ingress,
    Egress,
}

impl Direction {
    pub(super) fn rules(self, policy: &Policy) -> Option<&Rules> {
        match self {
            Self::Ingress => policy.ingress.as_ref(),
            Self::Egress => policy.egress.as_ref(),
        }
    }
}

/// An end with all that policies look at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side<'c> {
    Pod(&'c Namespace, &'c Pods),
    Outside(IpAddr),
}

/// What may become of a packet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Fate {
    is_accepted: bool,
    is_denied: bool,
    goes_on: bool,
}

impl Cluster {
    /// Workloads as `namespace/name` with their kind, in their order.
    pub fn workloads(&self) -> impl Iterator<Item = (String, &'static str)> {
        self.pods.iter().map(|pods| (pods.full_name(), pods.kind))
    }

    /// Whether one end may open a connection to the other: egress at the first, and ingress at the second.
    #[must_use]
    pub fn may_reach(&self, from: End, to: End, flow: Flow) -> Truth {
        let (Some(source), Some(destination)) = (self.side(from), self.side(to)) else {
            return Truth::Maybe;
        };
        let all: Vec<&Policy> = self.policies.iter().collect();
        let egress = self.lets(Direction::Egress, source, destination, flow, &all);
        egress.and(self.lets(Direction::Ingress, destination, source, flow, &all))
    }

    fn side(&self, end: End) -> Option<Side<'_>> {
        match end {
            End::Outside(address) => Some(Side::Outside(address)),
            End::Workload(index) => {
                let pods = self.pods.get(index)?;
                Some(Side::Pod(self.namespaces.get(&pods.namespace)?, pods))
            }
        }
    }

    /// Whether the policies of one end let a packet through to or from the other. `policies` are all that may be about it.
    pub(super) fn lets(
        &self,
        direction: Direction,
        own: Side<'_>,
        other: Side<'_>,
        flow: Flow,
        policies: &[&Policy],
    ) -> Truth {
        let Side::Pod(namespace, pods) = own else {
            return Truth::Yes;
        };
        let asked = Question {
            direction,
            namespace,
            pods,
            other,
            flow,
        };
        let fate = asked.fate(policies);
        let is_foreign = self
            .foreign
            .iter()
            .any(|(of, _)| of.as_ref().is_none_or(|of| *of == pods.namespace));
        // A node always reaches its own pods, and a pod in its network is the node.
        let may_be_node = matches!(other, Side::Pod(_, other) if other.is_on_host_network);
        match fate {
            _ if is_foreign => Truth::Maybe,
            Fate { is_denied: false, .. } => Truth::Yes,
            Fate {
                is_accepted: false,
                goes_on: false,
                ..
            } if may_be_node => Truth::Maybe,
            Fate {
                is_accepted: false,
                goes_on: false,
                ..
            } => Truth::No,
            _ => Truth::Maybe,
        }
    }
}

/// A packet at one end.
struct Question<'c> {
    direction: Direction,
    namespace: &'c Namespace,
    pods: &'c Pods,
    other: Side<'c>,
    flow: Flow,
}

impl Question<'_> {
    /// The tiers in their order. What none decides is accepted.
    fn fate(&self, policies: &[&Policy]) -> Fate {
        let is_admin = |policy: &&Policy| matches!(policy.tier, Tier::Admin(_));
        let is_baseline = |policy: &&Policy| matches!(policy.tier, Tier::Baseline(_));
        let policies = || policies.iter().copied();
        let mut fate = Fate {
            goes_on: true,
            ..Fate::default()
        };
        for tier in [
            policies().filter(is_admin).collect::<Vec<_>>(),
            policies()
                .filter(|policy| policy.tier == Tier::Namespaced)
                .collect(),
            policies().filter(is_baseline).collect(),
        ] {
            if !fate.goes_on {
                break;
            }
            let is_union = tier.first().is_some_and(|policy| policy.tier == Tier::Namespaced);
            let next = if is_union {
                self.union(&tier)
            } else {
                self.in_order(&tier)
            };
            fate = Fate {
                is_accepted: fate.is_accepted || next.is_accepted,
                is_denied: fate.is_denied || next.is_denied,
                goes_on: next.goes_on,
            };
        }
        fate
    }

    /// Policies by priority; among those of the same, any may be asked first.
    fn in_order(&self, policies: &[&Policy]) -> Fate {
        let mut fate = Fate::default();
        let mut is_passed = false;
        for same in policies.chunk_by(|a, b| a.tier == b.tier) {
            let mut is_undecided = true;
            for policy in same {
                let (one, may_pass) = self.first_match(policy);
                fate.is_accepted |= one.is_accepted;
                fate.is_denied |= one.is_denied;
                is_passed |= may_pass;
                is_undecided &= one.goes_on;
            }
            if !is_undecided {
                fate.goes_on = is_passed;
                return fate;
            }
        }
        fate.goes_on = true;
        fate
    }

    /// What one policy does, and whether it may pass the packet on to the next tier.
    fn first_match(&self, policy: &Policy) -> (Fate, bool) {
        let mut fate = Fate::default();
        let mut may_pass = false;
        let is_subject = self.is_subject(policy);
        let rules = self.direction.rules(policy).map_or(&[][..], |rules| &rules.rules);
        for rule in rules {
            let applies = is_subject.and(self.applies(rule));
            if applies == Truth::No {
                continue;
            }
            match rule.action {
                Action::Accept => fate.is_accepted = true,
                Action::Deny => fate.is_denied = true,
                Action::Pass => may_pass = true,
                Action::Unread => {
                    (fate.is_accepted, fate.is_denied, may_pass) = (true, true, true);
                }
            }
            if applies == Truth::Yes {
                return (fate, may_pass);
            }
        }
        fate.goes_on = true;
        (fate, may_pass)
    }

    /// NetworkPolicies: once any selects the pod, only what one of them accepts passes.
    fn union(&self, policies: &[&Policy]) -> Fate {
        let mut fate = Fate {
            goes_on: true,
            ..Fate::default()
        };
        let mut is_surely_accepted = false;
        for policy in policies {
            let Some(rules) = self.direction.rules(policy) else {
                continue;
            };
            let is_subject = self.is_subject(policy);
            if is_subject == Truth::No {
                continue;
            }
            let accepts = Truth::any(rules.rules.iter().map(|rule| self.applies(rule)));
            fate.goes_on &= is_subject != Truth::Yes;
            fate.is_accepted |= accepts != Truth::No;
            fate.is_denied |= accepts != Truth::Yes;
            is_surely_accepted |= accepts.and(is_subject) == Truth::Yes;
        }
        fate.is_denied &= !is_surely_accepted;
        fate
    }

    fn is_subject(&self, policy: &Policy) -> Truth {
        is_subject(policy, self.namespace, self.pods)
    }

    fn applies(&self, rule: &Rule) -> Truth {
        let is_peer = rule.peers.as_ref().map_or(Truth::Yes, |peers| {
            Truth::any(peers.iter().map(|peer| self.is_peer(peer)))
        });
        let is_port = rule.ports.as_ref().map_or(Truth::Yes, |ports| {
            Truth::any(ports.iter().map(|port| self.is_port(port)))
        });
        is_peer.and(is_port)
    }

    fn is_peer(&self, peer: &Peer) -> Truth {
        match (&peer.who, self.other) {
            (Who::Unread, _) | (Who::Nodes | Who::Names(_), Side::Outside(_)) => Truth::Maybe,
            (Who::Pods(set), Side::Pod(namespace, pods)) => {
                let is_selected = selects(set, namespace, pods, self.namespace);
                let limit = if pods.is_on_host_network {
                    Truth::Maybe
                } else {
                    Truth::Yes
                };
                is_selected.and(limit)
            }
            (Who::Pods(_), Side::Outside(_)) | (Who::Names(_), Side::Pod(..)) => Truth::No,
            (Who::Block { network, except, .. }, Side::Outside(address)) => {
                Truth::of(is_in(address, network, except))
            }
            (
                Who::Block {
                    network,
                    except,
                    applies_to_pods,
                },
                Side::Pod(_, pods),
            ) => in_block(pods, network, except, *applies_to_pods),
            (Who::Nodes, Side::Pod(_, pods)) => Truth::of(pods.is_on_host_network).and(Truth::Maybe),
        }
    }

    fn is_port(&self, port: &Port) -> Truth {
        let is_protocol = port
            .protocol
            .is_none_or(|protocol| protocol == self.flow.protocol);
        if !is_protocol {
            return Truth::No;
        }
        match &port.ports {
            Ports::All => Truth::Yes,
            Ports::Range(low, high) => Truth::of((*low..=*high).contains(&self.flow.port)),
            Ports::Unread => Truth::Maybe,
            Ports::Named(name) => {
                let destination = match self.direction {
                    Direction::Ingress => Some(self.pods),
                    Direction::Egress => match self.other {
                        Side::Pod(_, pods) => Some(pods),
                        Side::Outside(_) => None,
                    },
                };
                destination.map_or(Truth::No, |pods| self.is_named(name, pods))
            }
        }
    }

    fn is_named(&self, name: &str, pods: &Pods) -> Truth {
        let is_it = pods.ports.iter().any(|port| {
            port.name.as_deref() == Some(name)
                && port.protocol == self.flow.protocol
                && port.number == self.flow.port
        });
        match (is_it, pods.has_unknown_ports) {
            (true, _) => Truth::Yes,
            (false, true) => Truth::Maybe,
            (false, false) => Truth::No,
        }
    }
}

fn is_in(address: IpAddr, network: &Network, except: &[Network]) -> bool {
    let (family, number) = number(address);
    let holds = |block: &Network| block.family == family && (block.low..=block.high).contains(&number);
    holds(network) && !except.iter().any(holds)
}

/// Whether pods are in a block: by their addresses, if those are known. Whether `ipBlock` applies to pods at all is left open.
fn in_block(pods: &Pods, network: &Network, except: &[Network], applies_to_pods: bool) -> Truth {
    if pods.addresses.is_empty() {
        return Truth::Maybe;
    }
    let inside = pods
        .addresses
        .iter()
        .filter(|address| is_in(**address, network, except));
    match inside.count() {
        0 => Truth::No,
        n if n == pods.addresses.len() && applies_to_pods => Truth::Yes,
        _ => Truth::Maybe,
    }
}
