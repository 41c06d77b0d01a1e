//! Whether a rule applies to a packet: its part in the plain meaning of policies.
//!
//! INVARIANT: `Yes` and `No` hold whatever is not known of a packet: its source port, the family of pods without addresses.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::cilium;
use super::cluster::{ContainerPort, Pods};
use super::connections::PROTOCOLS;
use super::policy::{Asks, Block, PacketEnd, Peer, PodSet, PodsIn, Port, Ports, Rule, Test, Who};
use super::reach::{Direction, Question, Side};
use super::select::selects;
use super::truth::Truth;
use crate::packet::address::number;
use crate::packet::{Family, Network};

impl Question<'_> {
    pub(super) fn applies(&self, rule: &Rule) -> Truth {
        self.applies_if(rule, Truth::Yes)
    }

    /// Whether a rule applies, given whether the other end meets what is required of all peers.
    pub(super) fn applies_if(&self, rule: &Rule, meets: Truth) -> Truth {
        let is_peer = match &rule.peers {
            None => cilium::with_required(None, Truth::Yes, meets),
            Some(peers) => Truth::any(peers.iter().map(|peer| {
                let is_peer = self.is_peer(peer, self.direction.other_end());
                cilium::with_required(Some(peer), is_peer, meets)
            })),
        };
        let is_port = rule.ports.as_ref().map_or(Truth::Yes, |ports| {
            Truth::any(ports.iter().map(|port| self.is_port(port)))
        });
        let tested = rule.tests.iter().map(|test| self.passes(test));
        is_peer.and(is_port).and(Truth::all(tested))
    }

    fn passes(&self, test: &Test) -> Truth {
        let holds = match &test.asks {
            Asks::Unread => return Truth::Maybe,
            Asks::Protocol(protocol) => Truth::of(*protocol == self.flow.protocol),
            Asks::Family(family) => self.is_of(*family),
            Asks::Icmp { protocol, kind, code } => {
                let [of_kind, of_code] = self.flow.port.to_be_bytes();
                let is_kind = kind.is_none_or(|kind| kind == of_kind);
                let is_code = code.is_none_or(|code| code == of_code);
                Truth::of(*protocol == self.flow.protocol && is_kind && is_code)
            }
            Asks::Peers(end, peers) => Truth::any(peers.iter().map(|peer| self.is_peer(peer, *end))),
            Asks::Ports(PacketEnd::Destination, ports) => {
                Truth::any(ports.iter().map(|port| self.is_port(port)))
            }
            // Any port may be the source.
            Asks::Ports(PacketEnd::Source, ports) => {
                let is_protocol = |port: &Port| port.protocol.is_none_or(|of| of == self.flow.protocol);
                Truth::of(ports.iter().any(is_protocol)).and(Truth::Maybe)
            }
        };
        if test.is_negated { holds.negated() } else { holds }
    }

    /// Whether the packet is of a family, as far as an end with one address says.
    fn is_of(&self, family: Family) -> Truth {
        match self.other {
            Side::Outside(address) => Truth::of(number(address).0 == family),
            Side::Pod(_, pods) => match (pods.addresses.as_slice(), self.pods.addresses.as_slice()) {
                ([address], _) | (_, [address]) => Truth::of(number(*address).0 == family),
                _ => Truth::Maybe,
            },
        }
    }

    fn is_peer(&self, peer: &Peer, end: PacketEnd) -> Truth {
        let side = if end == self.direction.other_end() {
            self.other
        } else {
            Side::Pod(self.namespace, self.pods)
        };
        match (&peer.who, side) {
            (Who::Unread, _) | (Who::Nodes | Who::Names(_), Side::Outside(_)) => Truth::Maybe,
            (Who::Pods(set), _) => self.is_in(set, side),
            (Who::Names(_), Side::Pod(..)) => Truth::No,
            (Who::Block(block), _) => self.in_block(side, block),
            (Who::Cilium(who), _) => cilium::is_peer(who, side, &self.cluster.nodes),
            (Who::Nodes, Side::Pod(_, pods)) => Truth::of(pods.is_on_host_network).and(Truth::Maybe),
            (Who::Endpoints(endpoints), _) => {
                let blocks = endpoints.blocks.iter();
                let blocks = blocks.map(|(block, answer)| self.in_block(side, block).and(*answer));
                Truth::any(blocks).or(self.is_in(&endpoints.pods, side))
            }
        }
    }

    fn is_in(&self, set: &PodSet, side: Side<'_>) -> Truth {
        let Side::Pod(namespace, pods) = side else {
            return Truth::No;
        };
        selects(set, namespace, pods, self.namespace).and(self.cluster.selects_peer(pods))
    }

    /// Whether an end is in a block. Of a cluster with Cilium, no pod and no node is in one that leaves pods open.
    fn in_block(&self, side: Side<'_>, block: &Block) -> Truth {
        // To Cilium neither pods nor nodes are in blocks.
        let is_endpoint = match side {
            Side::Pod(..) => true,
            Side::Outside(address) => self.cluster.nodes.have(address),
        };
        if is_endpoint && block.pods == PodsIn::Open && self.cluster.cilium.is_there {
            return Truth::No;
        }
        in_block(side, block)
    }

    fn is_port(&self, port: &Port) -> Truth {
        let is_protocol = match (port.protocol, &port.ports) {
            (Some(protocol), _) => protocol == self.flow.protocol,
            (None, Ports::Range(..)) => PROTOCOLS.contains(&self.flow.protocol),
            (None, _) => true,
        };
        if !is_protocol {
            return Truth::No;
        }
        match &port.ports {
            Ports::All => Truth::Yes,
            Ports::Range(low, high) => Truth::of((*low..=*high).contains(&self.flow.port)),
            Ports::Unread => Truth::Maybe,
            Ports::NamedAnywhere(name) if self.direction == Direction::Egress => self.is_named_anywhere(name),
            Ports::Named(name) | Ports::NamedAnywhere(name) => {
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

    /// A name that Cilium looks up among all pods: surely open where the destination calls its port so and nobody else calls
    /// another so, else perhaps, if anybody calls that number so.
    fn is_named_anywhere(&self, name: &str) -> Truth {
        let all = self.cluster.pods.iter().flat_map(|pods| &pods.ports);
        let is_it =
            |port: &&ContainerPort| port.name.as_deref() == Some(name) && port.protocol == self.flow.protocol;
        let numbers: BTreeSet<u16> = all.filter(is_it).map(|port| port.number).collect();
        if !numbers.contains(&self.flow.port) {
            return Truth::No;
        }
        let Side::Pod(_, pods) = self.other else {
            return Truth::Maybe;
        };
        let is_sure = numbers.len() == 1 && self.is_named(name, pods) == Truth::Yes;
        Truth::of(is_sure).or(Truth::Maybe)
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

/// Whether an address is in a network, and in none of those that are left out.
pub(super) fn is_in(address: IpAddr, network: &Network, except: &[Network]) -> bool {
    let (family, number) = number(address);
    let holds = |block: &Network| block.family == family && (block.low..=block.high).contains(&number);
    holds(network) && !except.iter().any(holds)
}

/// Whether an end is in a block: pods are by their addresses, if those are known.
fn in_block(side: Side<'_>, block: &Block) -> Truth {
    let pods = match side {
        Side::Outside(address) => return Truth::of(is_in(address, &block.network, &block.except)),
        Side::Pod(_, pods) => pods,
    };
    if pods.addresses.is_empty() {
        return match block.pods {
            PodsIn::AllElse if !pods.is_on_host_network => Truth::Yes,
            PodsIn::NoneElse if !pods.is_on_host_network => Truth::No,
            _ => Truth::Maybe,
        };
    }
    let inside = pods
        .addresses
        .iter()
        .filter(|address| is_in(**address, &block.network, &block.except));
    match inside.count() {
        0 => Truth::No,
        n if n == pods.addresses.len() && block.pods != PodsIn::Open => Truth::Yes,
        _ => Truth::Maybe,
    }
}
