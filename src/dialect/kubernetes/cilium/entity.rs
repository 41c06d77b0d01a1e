//! Entities: peers by what they are to the cluster ("Layer 3 Policies", "Entities based").
//!
//! Pods that are not in the network of their node are Cilium's endpoints here. Which addresses nodes, the API server and the
//! agents' own endpoints have is not known, but where a Node of the run says it. INVARIANT: an address that nobody has been said to
//! have is one of the world.

use super::super::condition::{are_nodes, unknown};
use super::super::identity::Identities;
use super::super::node::Nodes;
use super::super::reach::{Direction, Side};
use super::super::truth::Truth;
use super::At;
use crate::dialect::condition::never;
use crate::model::Condition;
use crate::packet::{Family, Field, RangeSet};

/// One of Cilium's entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Entity {
    /// "The combination of all known clusters as well world."
    All,
    /// "All endpoints outside of the cluster"; of one family, if one is said.
    World(Option<Family>),
    /// "All network endpoints inside of the local cluster", nodes among them.
    Cluster,
    /// "An entity that can be selected but never exist" (pkg/policy/api, `EntityNone`).
    None,
    /// Something in the cluster that no manifest makes, or that its node is.
    Other(Other),
}

/// An entity whose addresses are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Other {
    /// "The local host", with the pods in its network.
    Host,
    /// "Any node in any of the connected clusters other than the local host."
    RemoteNode,
    /// On a node, or outside of the cluster.
    KubeApiserver,
    Health,
    Init,
    Unmanaged,
    /// "The Cilium Envoy instance that handles ingress L7 traffic."
    Ingress,
}

const OTHERS: &[(&str, Other)] = &[
    ("host", Other::Host),
    ("remote-node", Other::RemoteNode),
    ("kube-apiserver", Other::KubeApiserver),
    ("health", Other::Health),
    ("init", Other::Init),
    ("unmanaged", Other::Unmanaged),
    ("ingress", Other::Ingress),
];

impl Entity {
    /// The entity of a name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "all" => Self::All,
            "world" => Self::World(None),
            "world-ipv4" => Self::World(Some(Family::V4)),
            "world-ipv6" => Self::World(Some(Family::V6)),
            "cluster" => Self::Cluster,
            "none" => Self::None,
            _ => Self::Other(OTHERS.iter().find(|(known, _)| *known == name)?.1),
        })
    }

    /// The names of all, for people.
    pub(super) fn names() -> String {
        let first = ["all", "world", "world-ipv4", "world-ipv6", "cluster", "none"];
        let others = OTHERS.iter().map(|(name, _)| *name);
        first.into_iter().chain(others).collect::<Vec<_>>().join(", ")
    }

    /// Whether every packet of `other` is one of this.
    pub(in super::super) fn has(self, other: Self) -> bool {
        match (self, other) {
            (Self::All, _) | (_, Self::None) | (Self::World(None), Self::World(_)) => true,
            (Self::Cluster, Self::Other(other)) => other != Other::KubeApiserver,
            _ => self == other,
        }
    }

    /// Whether somebody is in it.
    pub(super) fn holds(self, other: Side<'_>, nodes: &Nodes) -> Truth {
        let is_node = matches!(other, Side::Outside(address) if nodes.have(address));
        match (self, other) {
            (Self::All, _) | (Self::Cluster, Side::Pod(..)) => Truth::Yes,
            (Self::World(_), Side::Pod(..)) | (Self::None, _) => Truth::No,
            (Self::World(family), Side::Outside(address)) => {
                let of_address = crate::packet::address::number(address).0;
                Truth::of(!is_node && family.is_none_or(|family| family == of_address))
            }
            (Self::Other(other), Side::Pod(_, pods)) => {
                Truth::of(pods.is_on_host_network && other.may_be_node()).and(Truth::Maybe)
            }
            (Self::Cluster, Side::Outside(_)) => Truth::of(is_node).or(Truth::Maybe),
            (Self::Other(_), Side::Outside(_)) => Truth::Maybe,
        }
    }

    /// Whether the other end of a packet is in it.
    pub(super) fn condition(self, direction: Direction, (at, nodes): (At, &Nodes)) -> Condition {
        let end = direction.other_identity();
        let is_pod = || Identities::is_pod(end);
        match self {
            Self::All => Condition::All(Vec::new()),
            Self::None => never(),
            Self::World(family) => {
                let of_family =
                    family.map(|family| Condition::Test(Field::Family, RangeSet::point(family.value())));
                let are_not = [is_pod(), are_nodes(nodes, direction)];
                let are_not = are_not.map(|one| Condition::Not(Box::new(one)));
                Condition::All(of_family.into_iter().chain(are_not).collect())
            }
            Self::Cluster => Condition::Any(vec![is_pod(), are_nodes(nodes, direction), in_cluster(end)]),
            // What a node says to itself meets no policy.
            Self::Other(Other::Host) if at == At::Node => never(),
            Self::Other(Other::RemoteNode) if at == At::Node => {
                let is_no_pod = Condition::Not(Box::new(is_pod()));
                let may_be = Condition::Any(vec![is_no_pod.clone(), Identities::is_on_node(end)]);
                let others = Condition::All(vec![may_be, Other::RemoteNode.unknown(end)]);
                let listed = Condition::All(vec![is_no_pod, are_nodes(nodes, direction)]);
                Condition::Any(vec![listed, others])
            }
            Self::Other(other) => {
                let is_no_pod = Condition::Not(Box::new(is_pod()));
                let may_be = if other.may_be_node() {
                    Condition::Any(vec![is_no_pod, Identities::is_on_node(end)])
                } else {
                    is_no_pod
                };
                Condition::All(vec![may_be, other.unknown(end)])
            }
        }
    }
}

impl Other {
    /// Whether pods in the network of their node may be it.
    fn may_be_node(self) -> bool {
        matches!(self, Self::Host | Self::RemoteNode | Self::KubeApiserver)
    }

    fn name(self) -> &'static str {
        let known = OTHERS.iter().find(|(_, other)| *other == self);
        known.map_or("", |(name, _)| name)
    }

    fn unknown(self, end: Field) -> Condition {
        let name = self.name();
        let property = format!("{} is entity {name}", end_word(end));
        unknown(property, format!("which addresses `{name}` has is not known"))
    }
}

/// Whether an address that is no pod's is one in the cluster.
fn in_cluster(end: Field) -> Condition {
    let property = format!("{} is in the cluster", end_word(end));
    unknown(
        property,
        "which addresses are in the cluster besides pods is not known",
    )
}

fn end_word(end: Field) -> &'static str {
    if end == Field::SourceIdentity {
        "source"
    } else {
        "destination"
    }
}
