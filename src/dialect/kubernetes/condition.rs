//! Peers and ports to questions about packets.
//!
//! INVARIANT: what is not known is an unknown that keeps its answer for the same place or name, beside what is surely asked.

use super::cilium;
use super::host;
use super::identity::Identities;
use super::lower::Lowering;
use super::node::Nodes;
use super::policy::{Asks, Block, Namespaces, PacketEnd, Peer, PodSet, PodsIn, Port, Ports, Test, Who};
use super::reach::Direction;
use super::select::selects;
use super::truth::Truth;
use crate::dialect::condition::{any, never};
use crate::model::{Condition, Match, Unknown};
use crate::packet::protocol::number;
use crate::packet::{Family, Field, Network, RangeSet};

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
                let pods = self.is_in(&endpoints.pods, end, direction);
                let mut parts = vec![pods];
                for (about, answer) in kinds_of(&endpoints.blocks) {
                    let alike = endpoints.blocks.iter();
                    let alike = alike.filter(|(one, is_in)| (one.pods, *is_in) == (about, answer));
                    let alike: Vec<&Block> = alike.map(|(one, _)| one).collect();
                    let condition = self.is_in_blocks(&alike, about, end, direction);
                    parts.push(if answer == Truth::Yes {
                        condition
                    } else {
                        let what = format!("labels at {:?}, {about:?}", peer.span);
                        let why = "whether the labels of these addresses are selected is not known";
                        Condition::All(vec![condition, unknown(what, why)])
                    });
                }
                any(parts)
            }
            Who::Block(one) => self.is_in_blocks(&[one], one.pods, end, direction),
            Who::Nodes => outside(
                end.identity(),
                format!("nodes at {:?}", peer.span),
                "which addresses nodes have is not known",
            ),
            Who::Names(names) => {
                let why = format!("which addresses `{}` has is not known", names.join("`, `"));
                outside(end.identity(), format!("names {}", names.join(" ")), &why)
            }
            Who::Cilium(who) => {
                let at = if self.pods.kind == host::KIND {
                    cilium::At::Node
                } else {
                    cilium::At::Pod
                };
                cilium::condition(who, peer.span, direction, (at, self.nodes()))
            }
            Who::Unread => unknown(format!("peer at {:?}", peer.span), "this peer could not be read"),
        }
    }

    /// Whether an end is in one of some blocks that are about the same pods: of the own end, it is known whether its address is.
    fn is_in_blocks(
        &self,
        blocks: &[&Block],
        about: PodsIn,
        end: PacketEnd,
        direction: Direction,
    ) -> Condition {
        if end == direction.other_end() {
            // A node sees packets by the addresses that they have there, whoever sent them.
            if self.pods.is_on_host_network {
                return addresses(blocks, end);
            }
            if about == PodsIn::Open && self.has_cilium() {
                // "`ipBlock` [...] selecting pods" is among what Cilium does not do ("Network Policy", known missing features).
                let is_no_pod = Condition::Not(Box::new(Identities::is_pod(end.identity())));
                let is_no_node = Condition::Not(Box::new(are_nodes(self.nodes(), direction)));
                return Condition::All(vec![addresses(blocks, end), is_no_pod, is_no_node]);
            }
            return of_blocks(blocks, about, end);
        }
        let is_known = !self.pods.addresses.is_empty() || self.pods.is_on_host_network;
        match about {
            PodsIn::AllElse if !is_known => Condition::All(Vec::new()),
            PodsIn::NoneElse if !is_known => never(),
            _ => addresses(blocks, end),
        }
    }

    /// Whether an end is one of a set of pods: the own end is the workload. What goes through a host endpoint is from or to anybody,
    /// and the endpoint itself is its addresses.
    fn is_in(&self, set: &PodSet, end: PacketEnd, direction: Direction) -> Condition {
        if end == direction.other_end() || self.pods.kind == host::KIND {
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
            Ports::NamedAnywhere(name) => self.named_anywhere(name, port.protocol, direction),
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

    /// What containers anywhere call so: on the way out, Cilium looks the name up among all pods, and has its number open at
    /// whoever is selected, unless two pods differ about it ("named ports", API reference, `PortProtocol`).
    fn named_anywhere(&self, name: &str, protocol: Option<u8>, direction: Direction) -> Condition {
        if direction == Direction::Ingress {
            return self.named(name, protocol, PacketEnd::Destination, direction);
        }
        let is_asked = |of: u8| protocol.is_none_or(|protocol| protocol == of);
        let named = self
            .identities
            .named(name, Field::DestinationIdentity)
            .into_iter();
        let named: Vec<_> = named.filter(|(of, _, _)| is_asked(*of)).collect();
        let is_same = |of: u8, number: u16| {
            let mut others = named.iter();
            others.all(|(other, its, _)| *other != of || *its == number)
        };
        let parts = named.iter().map(|(of, number, is_there)| {
            let other = unknown(
                format!("port {name} {of}/{number} at others"),
                format!("whether `{name}` is {number} at pods that do not call it so is not known"),
            );
            let at = if is_same(*of, *number) {
                Condition::Any(vec![is_there.clone(), other])
            } else {
                other
            };
            Condition::All(vec![
                of_port(Some(*of), *number, *number, PacketEnd::Destination),
                at,
            ])
        });
        any(parts.collect())
    }
}

impl Direction {
    pub(super) fn other_identity(self) -> Field {
        self.other_end().identity()
    }

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

/// The kinds of blocks that there are: about which pods, and whether they are surely meant.
fn kinds_of(blocks: &[(Block, Truth)]) -> Vec<(PodsIn, Truth)> {
    let mut kinds: Vec<_> = blocks
        .iter()
        .map(|(block, answer)| (block.pods, *answer))
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// Addresses of the other end, without some.
pub(super) fn block(network: &Network, except: &[Network], direction: Direction) -> Condition {
    let block = Block {
        except: except.to_vec(),
        ..Block::of(*network)
    };
    addresses(&[&block], direction.other_end())
}

/// Addresses of the other end, in a network.
pub(super) fn are_in(network: &Network, direction: Direction) -> Condition {
    addresses(&[&Block::of(*network)], direction.other_end())
}

/// The addresses that nodes of the run have, at the other end.
pub(super) fn are_nodes(nodes: &Nodes, direction: Direction) -> Condition {
    let blocks: Vec<Block> = nodes.addresses().map(|address| Block::of(*address)).collect();
    addresses(&blocks.iter().collect::<Vec<_>>(), direction.other_end())
}

/// Addresses of an end.
fn addresses(blocks: &[&Block], end: PacketEnd) -> Condition {
    let range = |network: &Network| (network.low, network.high);
    let of_family = |family: Family| {
        let blocks = blocks.iter().filter(|block| block.network.family == family);
        let mut all = Vec::new();
        for block in blocks {
            if block.except.is_empty() {
                all.push(range(&block.network));
                continue;
            }
            let excepted = RangeSet::from_ranges(block.except.iter().map(range));
            let rest = RangeSet::from_ranges([range(&block.network)]).difference(&excepted);
            all.extend(rest.ranges());
        }
        let is_any = !all.is_empty();
        let field = match end {
            PacketEnd::Source => family.source(),
            PacketEnd::Destination => family.destination(),
        };
        is_any.then(|| {
            Condition::All(vec![
                Condition::Test(Field::Family, RangeSet::point(family.value())),
                Condition::Test(field, RangeSet::from_ranges(all)),
            ])
        })
    };
    any(Family::ALL.into_iter().filter_map(of_family).collect())
}

/// Addresses of an end, and the pods that they are about.
fn of_blocks(blocks: &[&Block], about: PodsIn, end: PacketEnd) -> Condition {
    let address = addresses(blocks, end);
    let not = |condition| Condition::Not(Box::new(condition));
    match about {
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
