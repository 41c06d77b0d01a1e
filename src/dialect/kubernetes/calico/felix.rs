//! `FelixConfiguration`: what Felix lets through to and from host endpoints whatever policies say.
//!
//! Semantics: docs.tigera.io, "Failsafe rules" and "Felix configuration". INVARIANT: an entry that could not be read may be any port.

use super::{Calico, set};
use crate::dialect::kubernetes::notes::Notes;
use crate::dialect::kubernetes::object::Object;
use crate::dialect::kubernetes::reach::Direction;
use crate::dialect::{Given, GivenPorts};
use crate::packet::Network;
use crate::packet::protocol::number;
use crate::source::Span;
use crate::tree::Node;

/// A port that stays open.
#[derive(Debug, Clone)]
pub(in crate::dialect::kubernetes) struct Failsafe {
    /// Where it is said; `None`: it is so unless somebody says otherwise.
    pub(in crate::dialect::kubernetes) span: Option<Span>,
    /// Protocol, lowest and highest port; `None`: they could not be read.
    pub(in crate::dialect::kubernetes) ports: Option<(u8, u16, u16)>,
    /// Whom it is open to; `None`: anybody.
    pub(in crate::dialect::kubernetes) network: Option<Network>,
}

/// What one object says.
#[derive(Debug, Default)]
pub(super) struct Felix {
    inbound: Option<Vec<Failsafe>>,
    outbound: Option<Vec<Failsafe>>,
    /// Whether what policies accept meets the rules of the host too; `None`: nothing is said.
    returns: Option<bool>,
}

const TCP: u8 = number::TCP;
const UDP: u8 = number::UDP;
/// The defaults of `FailsafeInboundHostPorts`: SSH, DHCP, BGP, etcd, Typha, the API server.
const INBOUND: &[(u8, u16)] = &[
    (TCP, 22),
    (UDP, 68),
    (TCP, 179),
    (TCP, 2379),
    (TCP, 2380),
    (TCP, 5473),
    (TCP, 6443),
    (TCP, 6666),
    (TCP, 6667),
];
/// The defaults of `FailsafeOutboundHostPorts`: DNS, DHCP, BGP, etcd, Typha, the API server.
const OUTBOUND: &[(u8, u16)] = &[
    (UDP, 53),
    (UDP, 67),
    (TCP, 179),
    (TCP, 2379),
    (TCP, 2380),
    (TCP, 5473),
    (TCP, 6443),
    (TCP, 6666),
    (TCP, 6667),
];

/// Reads one. What it says of other matters does not filter.
pub(super) fn read(object: Object<'_>, calico: &mut Calico, notes: &mut Notes) {
    let spec = object.spec();
    let get = |key| {
        spec.and_then(|spec| spec.get(key))
            .filter(|value| !value.is_null())
    };
    let mut ports = |key| get(key).map(|list| failsafes(list, notes));
    let found = Felix {
        inbound: ports("failsafeInboundHostPorts"),
        outbound: ports("failsafeOutboundHostPorts"),
        returns: get("iptablesFilterAllowAction").map(|action| action.text() == Some("Return")),
    };
    calico.felix.insert(object.name().0.to_owned(), found);
}

fn failsafes(list: Node<'_>, notes: &mut Notes) -> Vec<Failsafe> {
    let unread = |span| Failsafe {
        span: Some(span),
        ports: None,
        network: None,
    };
    let Some(items) = notes.items(Some(list), "failsafe ports") else {
        return vec![unread(list.span())];
    };
    let items = items.into_iter();
    items
        .map(|item| failsafe(item, notes).unwrap_or_else(|| unread(item.span())))
        .collect()
}

fn failsafe(item: Node<'_>, notes: &mut Notes) -> Option<Failsafe> {
    if !notes.knows(item, &["protocol", "port", "net"], "a failsafe port") {
        return None;
    }
    let protocol = match item.get("protocol").and_then(|word| word.text()) {
        None | Some("tcp" | "TCP") => TCP,
        Some("udp" | "UDP") => UDP,
        Some("sctp" | "SCTP") => number::SCTP,
        Some(other) => {
            notes.unread(
                item.span(),
                format!("`{other}` is no protocol of a failsafe port"),
                None,
            );
            return None;
        }
    };
    let port = notes.port(item.get("port").unwrap_or(item))?;
    let network = match item.get("net").filter(|net| !net.is_null()) {
        Some(net) => Some(set::read_network(net, notes)?),
        None => None,
    };
    Some(Failsafe {
        span: Some(item.span()),
        ports: Some((protocol, port, port)),
        network,
    })
}

impl Calico {
    /// What stays open at a node in a direction: as the node's own object says, or that of all nodes, or by default.
    pub(in crate::dialect::kubernetes) fn failsafes(
        &self,
        node: &str,
        direction: Direction,
    ) -> Vec<Failsafe> {
        let said = |felix: &Felix| match direction {
            Direction::Ingress => felix.inbound.clone(),
            Direction::Egress => felix.outbound.clone(),
        };
        let defaults = match direction {
            Direction::Ingress => INBOUND,
            Direction::Egress => OUTBOUND,
        };
        self.felix(node).find_map(said).unwrap_or_else(|| {
            let by_default = |&(protocol, port)| Failsafe {
                span: None,
                ports: Some((protocol, port, port)),
                network: None,
            };
            defaults.iter().map(by_default).collect()
        })
    }

    /// Whether what policies accept at a node surely meets the node's own rules too.
    pub(in crate::dialect::kubernetes) fn returns(&self, node: &str) -> bool {
        self.felix(node).find_map(|felix| felix.returns) == Some(true)
    }

    /// What the site says goes before what objects say, as Felix's own environment does ("Felix configuration": "the first
    /// source that has a value").
    fn felix(&self, node: &str) -> impl Iterator<Item = &Felix> {
        let names = [format!("node.{node}"), "default".to_owned()];
        let objects = names.into_iter().filter_map(|name| self.felix.get(&name));
        std::iter::once(&self.given).chain(objects)
    }

    /// Takes what the site leaves open.
    pub(in crate::dialect::kubernetes) fn leave_open(&mut self, given: &Given) {
        let of = |one: &GivenPorts| Failsafe {
            span: Some(one.span),
            ports: Some(one.value),
            network: None,
        };
        let said = |list: &Vec<_>| list.iter().map(of).collect();
        let [inbound, outbound] = &given.failsafes;
        self.given.inbound = inbound.as_ref().map(said);
        self.given.outbound = outbound.as_ref().map(said);
    }
}
