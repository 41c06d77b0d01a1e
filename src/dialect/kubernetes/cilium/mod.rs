//! `cilium.io`: `CiliumNetworkPolicy`, `CiliumClusterwideNetworkPolicy` and `CiliumCIDRGroup`.
//!
//! A `spec`, or each of `specs`, becomes a [`Policy`](super::policy::Policy) beside the NetworkPolicies: Cilium lets through what any of
//! them does, once one of them isolates the pod, less what a deny rule takes ("Policy Enforcement Modes", "Deny Policies",
//! docs.cilium.io/en/stable/security/policy). INVARIANT: what Cilium would refuse to load leaves open whether the policy is in
//! force; a part that is not modelled is a peer that may be anybody, or anybody outside, never left out.

mod address;
mod agent;
mod entity;
mod host;
mod label;
mod later;
mod layer7;
mod lower;
mod port;
mod reach;
mod read;
mod rule;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use agent::read_config;
pub(super) use entity::Entity;
pub(super) use host::endpoints;
pub(super) use later::finish;
pub(super) use lower::condition;
pub(super) use reach::{Isolation, has_peer, is_peer, meets, with_required};
pub(super) use read::read;

use self::later::Later;
use super::policy::PodSet;
use super::reach::Direction;
use super::selector::Labels;
use super::truth::Truth;
use crate::packet::Network;
use crate::source::Span;

/// The group of its objects.
pub(super) const GROUP: &str = "cilium.io";
const NAMESPACED: &str = "CiliumNetworkPolicy";
const CLUSTERWIDE: &str = "CiliumClusterwideNetworkPolicy";
const CIDR_GROUP: &str = "CiliumCIDRGroup";

/// Selectors of `fromRequires` and `toRequires` in a run, at the most: each is asked with every rule for the same endpoints.
const MAX_REQUIRED: usize = 16;
/// Peers that a run's groups of blocks come to, at the most.
const MAX_BLOCKS: usize = 200_000;

/// The kinds, for `portcullis dialects`.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    [NAMESPACED, CLUSTERWIDE, CIDR_GROUP, agent::OF_NODES].into_iter()
}

/// Whether a file is read for a kind: the map that the agent reads.
pub(super) fn matters(kind: &str, text: &str) -> bool {
    kind == "ConfigMap" && text.contains(agent::CONFIG)
}

/// The versions of a kind.
pub(super) fn versions(kind: &str) -> &'static [&'static str] {
    if [CIDR_GROUP, agent::OF_NODES].contains(&kind) {
        &["v2alpha1", "v2"]
    } else {
        &["v2"]
    }
}

/// Parts whose meaning depends on what no manifest says, for `portcullis dialects`.
pub(super) fn open() -> impl Iterator<Item = String> {
    let peers = [
        "toFQDNs",
        "toGroups, fromGroups",
        "toNodes, fromNodes",
        "toServices without pods",
        "entities of nodes",
        "host firewall without cilium-config",
    ];
    let parts = peers.into_iter().map(|peer| format!("Cilium's {peer}"));
    parts.chain(["Cilium's authentication".to_owned()])
}

/// Whether objects of a kind are in no namespace.
pub(super) fn is_of_cluster(kind: &str) -> bool {
    [CLUSTERWIDE, CIDR_GROUP].contains(&kind)
}

/// Whether a label of pods is one that Cilium gives them.
pub(super) fn is_added(key: &str) -> bool {
    key == label::SERVICE_ACCOUNT
}

/// What a policy of Cilium says besides its rules.
#[derive(Debug, Clone, Default)]
pub(super) struct Traits {
    /// Whether it puts its endpoints into default deny on ingress, and on egress.
    isolates: [bool; 2],
    /// `fromRequires` and `toRequires`: what peers of any rule for the same endpoint must be too.
    requires: [Vec<Required>; 2],
}

/// One selector of `fromRequires` or `toRequires`.
#[derive(Debug, Clone)]
pub(super) struct Required {
    pub(super) span: Span,
    /// One of them takes whoever is asked for.
    pub(super) sets: Vec<PodSet>,
}

impl Traits {
    /// Whether what no rule accepts is dropped (`enableDefaultDeny`).
    pub(super) fn isolates(&self, direction: Direction) -> bool {
        let [ingress, egress] = self.isolates;
        match direction {
            Direction::Ingress => ingress,
            Direction::Egress => egress,
        }
    }

    pub(super) fn requires(&self, direction: Direction) -> &[Required] {
        let [ingress, egress] = &self.requires;
        match direction {
            Direction::Ingress => ingress,
            Direction::Egress => egress,
        }
    }

    /// What it requires in either direction.
    pub(super) fn all_required(&self) -> impl Iterator<Item = &PodSet> {
        self.requires.iter().flatten().flat_map(|one| &one.sets)
    }
}

/// Who a peer is, in words that only Cilium has. Pods by labels are those of the other APIs.
#[derive(Debug, Clone)]
pub(super) enum Who {
    Entity(Entity),
    /// Addresses that no pod and no node has: "CIDR rules do not apply to traffic where both sides of the connection are either
    /// managed by Cilium or use an IP address belonging to a node in the cluster" (layer 3, "IP/CIDR based").
    Addresses {
        network: Network,
        except: Vec<Network>,
    },
    /// Some nodes of the cluster (`fromNodes`, `toNodes`).
    Nodes,
    /// Somebody outside of the cluster, and why it is not known who.
    Outside(String),
    /// Nodes or somebody outside, and why it is not known whether they are meant.
    NoPods(String),
    /// Somebody, and why it is not known who.
    Anybody(String),
    /// Another object of the run says who. After reading there are none of these.
    Later(Later),
}

/// Where a policy is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// At a pod, on a node that is not known.
    Pod,
    /// At a node.
    Node,
}

/// What objects of Cilium say of a whole cluster.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Whether there are any of its policies: then Cilium is who enforces the NetworkPolicies too.
    pub(super) is_there: bool,
    /// Policies with rules for layer 7, whose ports count as open.
    layer7: BTreeSet<String>,
    /// Selectors of `fromRequires` and `toRequires` so far.
    n_required: usize,
    /// `CiliumCIDRGroup` objects.
    groups: BTreeMap<String, CidrGroup>,
    /// How the agent is configured.
    agent: agent::Agent,
    /// Where policies say that they are about nodes.
    of_nodes: Vec<Span>,
}

#[derive(Debug)]
struct CidrGroup {
    labels: Labels,
    /// Blocks; `None` stands for one that could not be read.
    blocks: Vec<(Option<Network>, Span)>,
}

impl Facts {
    /// Lines about what is counted as open, and what is not in force.
    pub(super) fn notes(&self) -> Vec<String> {
        let idle = self.agent.idle().filter(|_| self.is_there);
        let idle =
            idle.map(|why| format!("Cilium {why}: its policies and NetworkPolicies count as not there"));
        let has_no_firewall = !self.of_nodes.is_empty() && self.agent.host_firewall() == Truth::No;
        let off = "the host firewall of Cilium is off: its policies of nodes do nothing";
        let off = has_no_firewall.then(|| off.to_owned());
        let looks_itself = "Cilium is not told its `devices`: policies of nodes are taken to hold at all interfaces but those of bridges for containers";
        let is_on = !self.of_nodes.is_empty() && !has_no_firewall && self.agent.idle().is_none();
        let looks_itself = (is_on && self.agent.devices.is_empty()).then(|| looks_itself.to_owned());
        let all = self.of_layer7().into_iter().chain(idle).chain(off);
        all.chain(looks_itself).collect()
    }

    fn of_layer7(&self) -> Option<String> {
        let first = self.layer7.first()?;
        let who = match self.layer7.len() {
            1 => format!("`{first}` has rules"),
            n => format!("`{first}` and {} other policies have rules", n - 1),
        };
        Some(format!(
            "{who} about names, requests or listeners (layer 7): the ports that they are for count as open to their peers"
        ))
    }
}
