//! `Node`: the machines of a cluster with their labels and addresses.
//!
//! INVARIANT: a run need not have them, so an address that none of them has may still be a node's.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::cluster::Cluster;
use super::notes::Notes;
use super::object::Object;
use super::selector::{ANY_KEY, Labels, Seen};
use crate::packet::Network;
use crate::source::Span;

/// What the nodes of a run are known by.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    pub(super) all: Vec<Node>,
    /// Their addresses, each as a block.
    addresses: BTreeSet<Network>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    /// The bytes of its name.
    pub(super) span: Span,
    pub(super) seen: Seen,
    pub(super) addresses: Vec<IpAddr>,
}

impl Nodes {
    /// Whether a node has an address.
    pub(super) fn have(&self, address: IpAddr) -> bool {
        self.addresses.contains(&of(address))
    }

    /// Their addresses, as blocks of one.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &Network> {
        self.addresses.iter()
    }
}

/// Reads one: `status.addresses` (API reference, `NodeAddress`), without names.
pub(super) fn read(object: Object<'_>, cluster: &mut Cluster, notes: &mut Notes) {
    let status = object.node.get("status").filter(|status| !status.is_null());
    let listed = status.and_then(|status| status.get("addresses"));
    let listed = notes.items(listed, "addresses").unwrap_or_default();
    let found = listed
        .into_iter()
        .filter_map(|one| one.get("address")?.text()?.parse().ok());
    let addresses: Vec<IpAddr> = found.collect();
    let mut labels = Labels::new();
    let are_read = object
        .labels()
        .is_none_or(|written| notes.labels(written, &mut labels));
    let (name, span) = object.name();
    cluster.nodes.addresses.extend(addresses.iter().copied().map(of));
    cluster.nodes.all.push(Node {
        name: name.to_owned(),
        span,
        seen: Seen {
            labels,
            open: if are_read { Vec::new() } else { ANY_KEY.to_vec() },
        },
        addresses,
    });
}

fn of(address: IpAddr) -> Network {
    let (family, number) = crate::packet::address::number(address);
    Network {
        family,
        low: number,
        high: number,
    }
}
