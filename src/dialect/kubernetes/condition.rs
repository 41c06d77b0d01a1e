//! Peers and ports to questions about packets.
//!
//! INVARIANT: what is not known is an unknown that keeps its answer for the same place or name, beside what is surely asked.

use super::identity::Identities;
use super::lower::Lowering;
use super::policy::{Namespaces, Peer, Port, Ports, Who};
use super::reach::Direction;
use crate::dialect::condition::any;
use crate::model::{Condition, Match, Unknown};
use crate::packet::protocol::number;
use crate::packet::{Field, Network, RangeSet};

impl Lowering<'_> {
    pub(super) fn peer(&self, peer: &Peer, direction: Direction) -> Match {
        let end = direction.other_identity();
        let condition = match &peer.who {
            Who::Pods(set) => {
                let of_subject = match set.namespaces {
                    Namespaces::Same(_) | Namespaces::NotSame(_) => self.namespace.name.as_str(),
                    _ => "",
                };
                Identities::is_in(end, set, of_subject)
            }
            Who::Block {
                network,
                except,
                applies_to_pods,
            } => block(network, except, *applies_to_pods, direction),
            Who::Nodes => outside(
                end,
                format!("nodes at {:?}", peer.span),
                "which addresses nodes have is not known",
            ),
            Who::Names(names) => {
                let why = format!("which addresses `{}` has is not known", names.join("`, `"));
                outside(end, format!("names {}", names.join(" ")), &why)
            }
            Who::Unread => unknown(format!("peer at {:?}", peer.span), "this peer could not be read"),
        };
        Match {
            span: peer.span,
            condition,
        }
    }

    pub(super) fn port(&self, port: &Port, direction: Direction) -> Match {
        let condition = match &port.ports {
            Ports::All => port
                .protocol
                .map_or(Condition::All(Vec::new()), |protocol| protocols(&[protocol])),
            Ports::Range(low, high) => of_port(port.protocol, *low, *high),
            Ports::Named(name) => self.named(name, port.protocol, direction),
            Ports::Unread => Condition::All(
                port.protocol
                    .map(|protocol| protocols(&[protocol]))
                    .into_iter()
                    .chain([unknown(
                        format!("port at {:?}", port.span),
                        "this port could not be read",
                    )])
                    .collect(),
            ),
        };
        Match {
            span: port.span,
            condition,
        }
    }

    /// What the containers of the destination call so.
    fn named(&self, name: &str, protocol: Option<u8>, direction: Direction) -> Condition {
        let is_asked = |of: u8| protocol.is_none_or(|protocol| protocol == of);
        let parts = if direction == Direction::Ingress {
            let own = self.pods.ports.iter();
            own.filter(|port| port.name.as_deref() == Some(name) && is_asked(port.protocol))
                .map(|port| of_port(Some(port.protocol), port.number, port.number))
                .collect()
        } else {
            let of_peers = self.identities.named(name).into_iter();
            of_peers
                .filter(|(of, _, _)| is_asked(*of))
                .map(|(of, number, is_there)| {
                    Condition::All(vec![of_port(Some(of), number, number), is_there])
                })
                .collect()
        };
        any(parts)
    }
}

impl Direction {
    fn other_identity(self) -> Field {
        match self {
            Self::Ingress => Field::SourceIdentity,
            Self::Egress => Field::DestinationIdentity,
        }
    }

    fn other_address(self, network: &Network) -> Field {
        match self {
            Self::Ingress => network.family.source(),
            Self::Egress => network.family.destination(),
        }
    }
}

pub(super) fn unknown(property: impl Into<String>, why: impl Into<String>) -> Condition {
    Condition::Unknown(Unknown {
        property: Some(property.into().into()),
        why: why.into().into(),
    })
}

pub(super) fn protocols(numbers: &[u8]) -> Condition {
    let numbers = numbers
        .iter()
        .map(|number| (u128::from(*number), u128::from(*number)));
    Condition::Test(Field::Protocol, RangeSet::from_ranges(numbers))
}

fn of_port(protocol: Option<u8>, low: u16, high: u16) -> Condition {
    let protocol = match protocol {
        Some(protocol) => protocols(&[protocol]),
        None => protocols(&[number::TCP, number::UDP, number::SCTP]),
    };
    let ports = RangeSet::range(u128::from(low), u128::from(high));
    Condition::All(vec![protocol, Condition::Test(Field::Service, ports)])
}

/// Addresses of the other end. The API leaves open whether an `ipBlock` applies to pods.
fn block(network: &Network, except: &[Network], applies_to_pods: bool, direction: Direction) -> Condition {
    let range = |network: &Network| (network.low, network.high);
    let excepted = RangeSet::from_ranges(except.iter().map(range));
    let addresses = RangeSet::from_ranges([range(network)]).difference(&excepted);
    let mut all = vec![
        Condition::Test(Field::Family, RangeSet::point(network.family.value())),
        Condition::Test(direction.other_address(network), addresses),
    ];
    if !applies_to_pods {
        let is_pod = Identities::is_pod(direction.other_identity());
        let applies = unknown(
            "ipBlock applies to pods",
            "whether `ipBlock` applies to pods is left to the network plugin",
        );
        all.push(Condition::Any(vec![Condition::Not(Box::new(is_pod)), applies]));
    }
    Condition::All(all)
}

/// Something outside of the cluster whose addresses are not known.
fn outside(end: Field, property: String, why: &str) -> Condition {
    let is_pod = Identities::is_pod(end);
    Condition::All(vec![Condition::Not(Box::new(is_pod)), unknown(property, why)])
}
