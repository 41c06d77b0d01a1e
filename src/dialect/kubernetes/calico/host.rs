//! `HostEndpoint`: interfaces of a node that policies of the cluster are about too.
//!
//! Semantics: docs.tigera.io, "Host endpoint". INVARIANT: to the policies of others a host endpoint is its expected addresses,
//! and without them nobody: "security rules that use labels will fail to match this endpoint".

use super::{Calico, set};
use crate::dialect::kubernetes::cluster::ContainerPort;
use crate::dialect::kubernetes::notes::Notes;
use crate::dialect::kubernetes::object::Object;
use crate::dialect::kubernetes::selector::{ANY_KEY, Labels, Seen};
use crate::dialect::kubernetes::truth::Truth;
use crate::packet::Network;
use crate::packet::protocol::number;
use crate::source::Span;
use crate::tree::Node;

const KEYS: &[&str] = &["node", "interfaceName", "expectedIPs", "profiles", "ports"];

/// One of them.
#[derive(Debug)]
pub(in crate::dialect::kubernetes) struct HostEndpoint {
    pub(in crate::dialect::kubernetes) name: String,
    pub(in crate::dialect::kubernetes) span: Span,
    pub(in crate::dialect::kubernetes) node: String,
    pub(in crate::dialect::kubernetes) interface: Interface,
    pub(in crate::dialect::kubernetes) addresses: Vec<Network>,
    pub(in crate::dialect::kubernetes) profiles: Vec<(String, Span)>,
    pub(in crate::dialect::kubernetes) ports: Vec<ContainerPort>,
    pub(in crate::dialect::kubernetes) seen: Seen,
}

/// Which interfaces of its node it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::kubernetes) enum Interface {
    /// All of which no other endpoint is.
    All,
    Named(String),
    /// The one that has an address.
    Unnamed,
}

/// Reads one.
pub(super) fn read(object: Object<'_>, calico: &mut Calico, notes: &mut Notes) {
    let (name, span) = object.name();
    let Some(spec) = object.spec() else {
        notes.unread(span, format!("HostEndpoint `{name}` has no `spec`"), None);
        return;
    };
    let mut is_read = notes.knows(spec, KEYS, "the specification of a HostEndpoint");
    let addresses = notes
        .items(spec.get("expectedIPs"), "addresses")
        .unwrap_or_default();
    let networks: Vec<Network> = addresses
        .into_iter()
        .filter_map(|address| set::read_network(address, notes))
        .collect();
    let of_set = networks.iter().map(|network| (*network, Truth::Yes));
    calico.add(object, of_set.collect(), notes);
    let mut labels = Labels::new();
    // What is wrong with them is said with the set.
    if let Some(node) = object.labels() {
        is_read &= Notes::default().labels(node, &mut labels);
    }
    let text = |key| {
        spec.get(key)
            .and_then(|value| value.text())
            .filter(|text| !text.is_empty())
    };
    let Some(node) = text("node") else {
        notes.unread(span, format!("HostEndpoint `{name}` names no `node`"), None);
        return;
    };
    let interface = match text("interfaceName") {
        Some("*") => Interface::All,
        Some(name) => Interface::Named(name.to_owned()),
        None => Interface::Unnamed,
    };
    let open = if is_read { &[] } else { ANY_KEY };
    calico.hosts.push(HostEndpoint {
        name: name.to_owned(),
        span,
        node: node.to_owned(),
        interface,
        addresses: networks,
        profiles: profiles(spec, notes),
        ports: ports(spec, notes),
        seen: Seen {
            labels,
            open: open.to_vec(),
        },
    });
}

fn profiles(spec: Node<'_>, notes: &mut Notes) -> Vec<(String, Span)> {
    let items = notes.items(spec.get("profiles"), "profiles").unwrap_or_default();
    let named = items
        .into_iter()
        .map(|item| (item.text().unwrap_or("").to_owned(), item.span()));
    named.collect()
}

/// Ports with names, which rules may ask for.
fn ports(spec: Node<'_>, notes: &mut Notes) -> Vec<ContainerPort> {
    let items = notes.items(spec.get("ports"), "ports").unwrap_or_default();
    let mut found = Vec::new();
    for item in items {
        let protocol = match item.get("protocol").and_then(|word| word.text()) {
            Some("TCP") => number::TCP,
            Some("UDP") => number::UDP,
            Some("SCTP") => number::SCTP,
            _ => {
                notes.unread(item.span(), "this port has no protocol with ports", None);
                continue;
            }
        };
        let name = item.get("name").and_then(|name| name.text());
        if let Some(number) = notes.port(item.get("port").unwrap_or(item)) {
            found.push(ContainerPort {
                name: name.map(str::to_owned),
                protocol,
                number,
            });
        }
    }
    found
}

impl Calico {
    /// Whether there are host endpoints that policies of the cluster may be about.
    pub(in crate::dialect::kubernetes) fn has_hosts(&self) -> bool {
        !self.hosts.is_empty()
    }
}
