//! Peers and ports to questions about packets.
//!
//! INVARIANT: what is not known is an unknown that keeps its answer for the same place or name, beside what is surely asked.

use super::identity::Identities;
use super::lower::Lowering;
use super::policy::{Asks, Block, Namespaces, PacketEnd, Peer, PodSet, PodsIn, Port, Ports, Test, Who};
use super::reach::Direction;
use super::select::selects;
use super::truth::Truth;
use crate::dialect::condition::{any, never};
use crate::model::{Condition, Match, Unknown};
use crate::packet::protocol::number;
use crate::packet::{Field, Network, RangeSet};

impl Lowering<'_> {
    /// Whether the other end is a peer.
    pub(super) fn peer(&self, peer: &Peer, direction: Direction) -> Match {
        Match {
            span: peer.span,
            condition: self.is_peer(peer, direction.other_end(), direction),
        }
    }

    fn is_peer(&self, peer: &Peer, end: PacketEnd, direction: Direction) -> Condition {
        match &peer.who {
            Who::Pods(set) => self.is_in(set, end, direction),
            Who::Endpoints(endpoints) => {
                let blocks = endpoints.blocks.iter().map(|(one, is_in)| {
                    let condition = self.is_in_block(one, end, direction);
                    if *is_in == Truth::Yes {
                        return condition;
                    }
                    let what = format!("labels at {:?} of {:?}", peer.span, one.network);
                    let why = "whether the labels of these addresses are selected is not known";
                    Condition::All(vec![condition, unknown(what, why)])
                });
                let pods = self.is_in(&endpoints.pods, end, direction);
                any(std::iter::once(pods).chain(blocks).collect())
            }
            Who::Block(one) => self.is_in_block(one, end, direction),
            Who::Nodes => outside(
                end.identity(),
                format!("nodes at {:?}", peer.span),
                "which addresses nodes have is not known",
            ),
            Who::Names(names) => {
                let why = format!("which addresses `{}` has is not known", names.join("`, `"));
                outside(end.identity(), format!("names {}", names.join(" ")), &why)
            }
            Who::Unread => unknown(format!("peer at {:?}", peer.span), "this peer could not be read"),
        }
    }

    /// Whether an end is in a block: of the own end, it is known whether its address is.
    fn is_in_block(&self, one: &Block, end: PacketEnd, direction: Direction) -> Condition {
        let is_known = !self.pods.addresses.is_empty() || self.pods.is_on_host_network;
        match one.pods {
            PodsIn::AllElse if end != direction.other_end() && !is_known => Condition::All(Vec::new()),
            PodsIn::NoneElse if end != direction.other_end() && !is_known => never(),
            _ if end != direction.other_end() => address(one, end),
            _ => block(one, end),
        }
    }

    /// Whether an end is one of a set of pods: the own end is the workload.
    fn is_in(&self, set: &PodSet, end: PacketEnd, direction: Direction) -> Condition {
        if end == direction.other_end() {
            let of_subject = match set.namespaces {
                Namespaces::Same(_) | Namespaces::NotSame(_) => self.namespace.name.as_str(),
                _ => "",
            };
            return Identities::is_in(end.identity(), set, of_subject);
        }
        match selects(set, self.namespace, self.pods, self.namespace) {
            Truth::Yes => Condition::All(Vec::new()),
            Truth::No => never(),
            Truth::Maybe => unknown(
                format!("{} is in {:?}", self.pods.full_name(), set.pods.span),
                format!("whether `{}` is selected is not known", self.pods.full_name()),
            ),
        }
    }

    /// What a rule asks besides.
    pub(super) fn test(&self, test: &Test, direction: Direction) -> Match {
        let condition = match &test.asks {
            Asks::Family(family) => Condition::Test(Field::Family, RangeSet::point(family.value())),
            Asks::Protocol(protocol) => protocols(&[*protocol]),
            Asks::Icmp { protocol, kind, code } => messages(*protocol, *kind, *code),
            Asks::Peers(end, peers) => {
                let asked = peers.iter().map(|peer| self.is_peer(peer, *end, direction));
                any(asked.collect())
            }
            Asks::Ports(end, ports) => {
                let asked = ports.iter().map(|port| self.is_port(port, *end, direction));
                any(asked.collect())
            }
            Asks::Unread => unknown(
                format!("test at {:?}", test.span),
                "a part of this rule could not be read",
            ),
        };
        Match {
            span: test.span,
            condition: if test.is_negated {
                Condition::Not(Box::new(condition))
            } else {
                condition
            },
        }
    }

    pub(super) fn port(&self, port: &Port, direction: Direction) -> Match {
        Match {
            span: port.span,
            condition: self.is_port(port, PacketEnd::Destination, direction),
        }
    }

    fn is_port(&self, port: &Port, end: PacketEnd, direction: Direction) -> Condition {
        match &port.ports {
            Ports::All => port
                .protocol
                .map_or(Condition::All(Vec::new()), |protocol| protocols(&[protocol])),
            Ports::Range(low, high) => of_port(port.protocol, *low, *high, end),
            Ports::Named(name) => self.named(name, port.protocol, end, direction),
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
        }
    }

    /// What the containers of an end call so.
    fn named(&self, name: &str, protocol: Option<u8>, end: PacketEnd, direction: Direction) -> Condition {
        let is_asked = |of: u8| protocol.is_none_or(|protocol| protocol == of);
        let parts = if end == direction.other_end() {
            let of_peers = self.identities.named(name, end.identity()).into_iter();
            of_peers
                .filter(|(of, _, _)| is_asked(*of))
                .map(|(of, number, is_there)| {
                    Condition::All(vec![of_port(Some(of), number, number, end), is_there])
                })
                .collect()
        } else {
            let own = self.pods.ports.iter();
            own.filter(|port| port.name.as_deref() == Some(name) && is_asked(port.protocol))
                .map(|port| of_port(Some(port.protocol), port.number, port.number, end))
                .collect()
        };
        any(parts)
    }
}

impl Direction {
    /// The end that is not the workload.
    pub(super) fn other_end(self) -> PacketEnd {
        match self {
            Self::Ingress => PacketEnd::Source,
            Self::Egress => PacketEnd::Destination,
        }
    }
}

impl PacketEnd {
    fn identity(self) -> Field {
        match self {
            Self::Source => Field::SourceIdentity,
            Self::Destination => Field::DestinationIdentity,
        }
    }

    fn address(self, network: &Network) -> Field {
        match self {
            Self::Source => network.family.source(),
            Self::Destination => network.family.destination(),
        }
    }

    fn port(self) -> Field {
        match self {
            Self::Source => Field::SourcePort,
            Self::Destination => Field::Service,
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

fn of_port(protocol: Option<u8>, low: u16, high: u16, end: PacketEnd) -> Condition {
    let protocol = match protocol {
        Some(protocol) => protocols(&[protocol]),
        None => protocols(&[number::TCP, number::UDP, number::SCTP]),
    };
    let ports = RangeSet::range(u128::from(low), u128::from(high));
    Condition::All(vec![protocol, Condition::Test(end.port(), ports)])
}

/// Messages by type and code, which share a field: the type is the upper byte.
fn messages(protocol: u8, kind: Option<u8>, code: Option<u8>) -> Condition {
    let of_kind = |kind: u8| {
        let (low, high) = code.map_or((0, u8::MAX), |code| (code, code));
        let upper = u128::from(kind) << 8;
        (upper | u128::from(low), upper | u128::from(high))
    };
    let kinds = kind.map_or(0..=u8::MAX, |kind| kind..=kind);
    let values = RangeSet::from_ranges(kinds.map(of_kind));
    Condition::All(vec![
        protocols(&[protocol]),
        Condition::Test(Field::Service, values),
    ])
}

/// Addresses of an end.
fn address(block: &Block, end: PacketEnd) -> Condition {
    let range = |network: &Network| (network.low, network.high);
    let excepted = RangeSet::from_ranges(block.except.iter().map(range));
    let addresses = RangeSet::from_ranges([range(&block.network)]).difference(&excepted);
    Condition::All(vec![
        Condition::Test(Field::Family, RangeSet::point(block.network.family.value())),
        Condition::Test(end.address(&block.network), addresses),
    ])
}

/// Addresses of an end, and the pods that they are about.
fn block(block: &Block, end: PacketEnd) -> Condition {
    let address = address(block, end);
    let not = |condition| Condition::Not(Box::new(condition));
    match block.pods {
        PodsIn::ByAddress => address,
        PodsIn::NoneElse => Condition::All(vec![address, not(Identities::is_pod_somewhere(end.identity()))]),
        PodsIn::AllElse => Condition::Any(vec![address, Identities::is_pod_somewhere(end.identity())]),
        PodsIn::Open => {
            let applies = unknown(
                "ipBlock applies to pods",
                "whether `ipBlock` applies to pods is left to the network plugin",
            );
            let is_no_pod = not(Identities::is_pod(end.identity()));
            Condition::All(vec![address, Condition::Any(vec![is_no_pod, applies])])
        }
    }
}

/// Something outside of the cluster whose addresses are not known.
fn outside(end: Field, property: String, why: &str) -> Condition {
    let is_pod = Identities::is_pod(end);
    Condition::All(vec![Condition::Not(Box::new(is_pod)), unknown(property, why)])
}
