//! Addresses with labels: `NetworkSet`, `GlobalNetworkSet`, and the addresses that a `HostEndpoint` is expected to have.
//!
//! Semantics: docs.tigera.io, "Network set", "Global network set" and "Host endpoint". INVARIANT: what could not be read of a set
//! may hold any address.

use super::Calico;
use super::labels::{NAME, of_namespace};
use crate::dialect::kubernetes::cluster::{Cluster, Namespace};
use crate::dialect::kubernetes::notes::Notes;
use crate::dialect::kubernetes::object::Object;
use crate::dialect::kubernetes::policy::{Block, Endpoints, Namespaces, PodsIn};
use crate::dialect::kubernetes::selector::{ANY_KEY, Labels, Seen};
use crate::dialect::kubernetes::truth::Truth;
use crate::packet::{Family, Network};
use crate::tree::Node;

/// Addresses with labels.
#[derive(Debug)]
pub(super) struct Addresses {
    /// Their namespace; `None`: they are in none.
    namespace: Option<String>,
    labels: Labels,
    /// Whether a label could not be read.
    is_unread: bool,
    networks: Vec<(Network, Truth)>,
}

/// Reads a set of networks.
pub(super) fn read(object: Object<'_>, calico: &mut Calico, notes: &mut Notes) {
    let spec = object.spec();
    if spec.is_some_and(|spec| !notes.knows(spec, &["nets"], "the specification of a set of networks")) {
        calico.add(object, anywhere(), notes);
        return;
    }
    let nets = spec.and_then(|spec| spec.get("nets"));
    let networks = match notes.items(nets, "networks") {
        None => anywhere(),
        Some(items) => items
            .into_iter()
            .flat_map(|item| match read_network(item, notes) {
                Some(network) => vec![(network, Truth::Yes)],
                None => anywhere(),
            })
            .collect(),
    };
    calico.add(object, networks, notes);
}

/// What may be any address.
pub(super) fn anywhere() -> Vec<(Network, Truth)> {
    let all = Family::ALL.map(|family| (Network::all(family), Truth::Maybe));
    all.into()
}

impl Calico {
    /// Takes addresses under the labels of an object.
    pub(super) fn add(&mut self, object: Object<'_>, networks: Vec<(Network, Truth)>, notes: &mut Notes) {
        let mut labels = Labels::new();
        let is_unread = object
            .labels()
            .is_some_and(|node| !notes.labels(node, &mut labels));
        self.sets.push(Addresses {
            namespace: (!super::is_global(object.kind)).then(|| object.namespace().to_owned()),
            labels,
            is_unread,
            networks,
        });
    }
}

impl Calico {
    /// Whether Calico may make tunnels between nodes: surely not, if there are pools and none of them asks for it.
    pub(in crate::dialect::kubernetes) fn may_have_tunnels(&self) -> bool {
        self.has_tunnels || self.pools.is_empty()
    }
}

impl Addresses {
    /// Whether selectors take it.
    fn is_in(&self, endpoints: &Endpoints, cluster: &Cluster) -> Truth {
        let mut seen = Seen {
            labels: self.labels.clone(),
            open: Vec::new(),
        };
        let is_there = match &self.namespace {
            None => endpoints
                .global
                .as_ref()
                .map_or(Truth::No, |asked| asked.selects(&Labels::new(), &[])),
            Some(name) => {
                let declared = cluster.namespaces.get(name).cloned();
                let namespace = declared.unwrap_or_else(|| Namespace::used(name));
                seen.labels.extend(of_namespace(&namespace, &mut seen.open));
                match &endpoints.pods.namespaces {
                    Namespaces::Own(own) => Truth::of(own == name),
                    Namespaces::Selected(asked) => {
                        let mut labels = namespace.labels.clone();
                        labels.insert(NAME.to_owned(), name.clone());
                        asked.selects(&labels, namespace.open())
                    }
                    Namespaces::Same(_) | Namespaces::NotSame(_) => Truth::No,
                }
            }
        };
        if self.is_unread {
            seen.open = ANY_KEY.to_vec();
        }
        is_there.and(endpoints.pods.pods.selects(&seen.labels, &seen.open))
    }
}

/// The addresses that selectors take.
pub(super) fn blocks(endpoints: &Endpoints, cluster: &Cluster) -> Vec<(Block, Truth)> {
    let mut found = Vec::new();
    for set in &cluster.calico.sets {
        let is_in = set.is_in(endpoints, cluster);
        if is_in != Truth::No {
            let networks = set.networks.iter();
            found.extend(networks.map(|(network, answer)| (Block::of(*network), answer.and(is_in))));
        }
    }
    found
}

/// Reads a block that pods have their addresses of (docs.tigera.io, "IP pool").
pub(super) fn read_pool(object: Object<'_>, calico: &mut Calico, notes: &mut Notes) {
    let cidr = object.spec().and_then(|spec| spec.get("cidr"));
    let network = cidr.and_then(|cidr| read_network(cidr, notes));
    // "ipipMode", "vxlanMode": "the default value is Never".
    calico.has_tunnels |= ["ipipMode", "vxlanMode"].into_iter().any(|key| {
        let mode = object.spec().and_then(|spec| spec.get(key));
        mode.is_some_and(|mode| {
            mode.text()
                .is_some_and(|mode| !mode.is_empty() && mode != "Never")
        })
    });
    // Of a pool that could not be read, pods may have any address.
    match network {
        Some(network) => calico.pools.push(network),
        None => calico.pools.extend(Family::ALL.map(Network::all)),
    }
}

/// Which pods a block is about, by the pools of the cluster: of pods whose addresses are not known, they say where those are.
pub(super) fn pods_in(block: &Block, pools: &[Network]) -> PodsIn {
    let overlap = |a: &Network, b: &Network| a.family == b.family && a.low <= b.high && b.low <= a.high;
    if pools.is_empty() {
        PodsIn::ByAddress
    } else if !pools.iter().any(|pool| overlap(pool, &block.network)) {
        PodsIn::NoneElse
    } else if block.except.is_empty() && pools.iter().all(|pool| block.network.contains(pool)) {
        PodsIn::AllElse
    } else {
        PodsIn::ByAddress
    }
}

/// A block, or an address alone. Bits behind the prefix do not count (libcalico-go, `normalizeIPNet`).
pub(super) fn read_network(node: Node<'_>, notes: &mut Notes) -> Option<Network> {
    let text = node.text().unwrap_or("");
    let (address, prefix) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
    let parsed = address.parse().ok().and_then(|address: std::net::IpAddr| {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(bits), |prefix| {
            let is_number = !prefix.is_empty() && prefix.bytes().all(|digit| digit.is_ascii_digit());
            is_number.then(|| prefix.parse().ok())?
        });
        Network::cidr(address, prefix?)
    });
    if parsed.is_none() {
        let message = format!("`{text}` is no address and no block of addresses");
        notes.unread(node.span(), message, Some("write it like `10.0.0.0/8`"));
    }
    parsed
}
