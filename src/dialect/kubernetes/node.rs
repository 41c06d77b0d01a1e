//! `Node`: the machines of a cluster with their addresses.
//!
//! INVARIANT: a run need not have them, so an address that none of them has may still be a node's.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::cluster::Cluster;
use super::notes::Notes;
use super::object::Object;
use crate::packet::Network;

/// What the nodes of a run are known by.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    /// Their addresses, each as a block.
    addresses: BTreeSet<Network>,
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
    let found = listed.into_iter().filter_map(|one| {
        let address: IpAddr = one.get("address")?.text()?.parse().ok()?;
        Some(of(address))
    });
    cluster.nodes.addresses.extend(found);
}

fn of(address: IpAddr) -> Network {
    let (family, number) = crate::packet::address::number(address);
    Network {
        family,
        low: number,
        high: number,
    }
}
