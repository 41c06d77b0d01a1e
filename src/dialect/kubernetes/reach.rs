//! Whether one end may open a connection to another: each policy asked by itself, packet by packet.
//!
//! This is the plain meaning of the APIs, next to which the lowered rulesets can be held. INVARIANT: `Yes` and `No` hold
//! whatever is not known (labels of namespaces that no manifest declares, addresses of pods, what the API leaves open).

use std::net::IpAddr;

use super::cilium::{self, Isolation};
use super::cluster::{Cluster, Namespace, Pods};
use super::policy::{Action, Policy, Rules, Ties};
use super::select::is_subject;
use super::tier::EndOfTier;
use super::truth::Truth;

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

/// A policy that is about the pods, or may be.
struct Asked<'c> {
    policy: &'c Policy,
    rules: &'c Rules,
    is_subject: Truth,
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
            cluster: self,
            direction,
            namespace,
            pods,
            other,
            flow,
        };
        let fate = asked.fate(policies);
        let is_foreign = self.foreign_to(namespace, pods, direction).next().is_some();
        // A node always reaches its own pods, and a pod in its network is the node.
        let may_be_node = match other {
            Side::Pod(_, other) => other.is_on_host_network,
            Side::Outside(address) => self.cilium.is_there && self.nodes.have(address),
        };
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
pub(super) struct Question<'c> {
    pub(super) cluster: &'c Cluster,
    pub(super) direction: Direction,
    pub(super) namespace: &'c Namespace,
    pub(super) pods: &'c Pods,
    pub(super) other: Side<'c>,
    pub(super) flow: Flow,
}

impl Question<'_> {
    /// The tiers in their order. What none decides is accepted.
    fn fate(&self, policies: &[&Policy]) -> Fate {
        let mut fate = Fate {
            goes_on: true,
            ..Fate::default()
        };
        let mut about = Vec::new();
        for policy in policies {
            let is_subject = is_subject(policy, self.namespace, self.pods);
            if let (true, Some(rules)) = (is_subject != Truth::No, self.direction.rules(policy)) {
                about.push(Asked {
                    policy,
                    rules,
                    is_subject,
                });
            }
        }
        for tier in about.chunk_by(|a, b| a.policy.tier == b.policy.tier) {
            if !fate.goes_on {
                break;
            }
            let next = self.tier(tier);
            fate = Fate {
                is_accepted: fate.is_accepted || next.is_accepted,
                is_denied: fate.is_denied || next.is_denied,
                goes_on: next.goes_on,
            };
        }
        fate
    }

    /// The policies of a tier by their places; among those of one place, it may be that any is asked first.
    fn tier(&self, tier: &[Asked<'_>]) -> Fate {
        if tier.iter().all(|one| one.policy.ties == Ties::Union) {
            return self.union(tier);
        }
        let mut fate = Fate::default();
        let mut is_passed = false;
        // Whether one of the policies may leave a packet undecided, provided that it is about the pods.
        let mut is_left_over = false;
        for level in tier.chunk_by(|a, b| a.policy.is_level_with(b.policy)) {
            let policies: Vec<&Policy> = level.iter().map(|one| one.policy).collect();
            let is_open = Policy::is_order_open(&policies);
            let mut is_undecided = true;
            for one in level {
                let (decided, may_pass) = self.first_match(one.rules);
                fate.is_accepted |= decided.is_accepted;
                fate.is_denied |= decided.is_denied;
                is_passed |= may_pass;
                is_left_over |= decided.goes_on;
                is_undecided &= decided.goes_on || one.is_subject != Truth::Yes;
                if !is_open && !is_undecided {
                    break;
                }
            }
            if !is_undecided {
                fate.goes_on = is_passed;
                return fate;
            }
        }
        match tier.first().map(|one| one.policy.tier.end) {
            Some(EndOfTier::Deny) => {
                let is_any = tier.iter().any(|one| one.is_subject == Truth::Yes);
                fate.is_denied |= is_left_over;
                fate.goes_on = is_passed || !is_any;
            }
            Some(EndOfTier::Pass) | None => fate.goes_on = true,
        }
        fate
    }

    /// What the rules of a policy do, provided that it is about the pods, and whether one may pass the packet on to the next
    /// tier; what goes on is asked of the next policy.
    fn first_match(&self, rules: &Rules) -> (Fate, bool) {
        let mut fate = Fate::default();
        let mut may_pass = false;
        for rule in &rules.rules {
            let applies = self.applies(rule);
            if applies == Truth::No {
                continue;
            }
            match rule.action {
                Action::Accept => fate.is_accepted = true,
                Action::MayAccept => {
                    fate.is_accepted = true;
                    continue;
                }
                Action::Deny => fate.is_denied = true,
                Action::Pass => may_pass = true,
                Action::Log => continue,
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

    /// NetworkPolicies and Cilium's: once any isolates the pod, only what one of them accepts passes, less what one denies.
    fn union(&self, tier: &[Asked<'_>]) -> Fate {
        let mut isolation = Isolation::none();
        let subjects = tier.iter().map(|one| (one.policy, one.is_subject));
        let meets = cilium::meets(subjects, self.direction, self.other, self.namespace);
        for one in tier {
            isolation.add(one.policy, one.is_subject, self.direction, |rule| {
                let meets = if rule.action == Action::Deny {
                    Truth::Yes
                } else {
                    meets
                };
                self.applies_if(rule, meets)
            });
        }
        let (is_accepted, is_denied, goes_on) = isolation.outcome();
        Fate {
            is_accepted,
            is_denied,
            goes_on,
        }
    }
}
