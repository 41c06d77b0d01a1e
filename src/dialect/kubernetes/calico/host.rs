//! `HostEndpoint`: interfaces of a node that policies of the cluster are about too.
//!
//! Semantics: docs.tigera.io, "Host endpoint". INVARIANT: to the policies of others a host endpoint is its expected addresses,
//! and without them nobody: "security rules that use labels will fail to match this endpoint".

use super::{Calico, set};
use crate::dialect::kubernetes::notes::Notes;
use crate::dialect::kubernetes::object::Object;
use crate::dialect::kubernetes::truth::Truth;

const KEYS: &[&str] = &["node", "interfaceName", "expectedIPs", "profiles", "ports"];

/// Reads one.
pub(super) fn read(object: Object<'_>, calico: &mut Calico, notes: &mut Notes) {
    let (name, span) = object.name();
    let Some(spec) = object.spec() else {
        notes.unread(span, format!("HostEndpoint `{name}` has no `spec`"), None);
        return;
    };
    notes.knows(spec, KEYS, "the specification of a HostEndpoint");
    let addresses = notes
        .items(spec.get("expectedIPs"), "addresses")
        .unwrap_or_default();
    let networks = addresses.into_iter().filter_map(|address| {
        let network = set::read_network(address, notes)?;
        Some((network, Truth::Yes))
    });
    let networks = networks.collect();
    calico.add(object, networks, notes);
    calico.n_hosts += 1;
    let help = "bind the rules of the node itself; those of its policies are not counted there";
    let message = format!("what HostEndpoint `{name}` does to its node is not modelled");
    notes.unsupported(span, message, Some(help));
}

impl Calico {
    /// Whether there are host endpoints that policies of the cluster may be about.
    pub(super) fn has_hosts(&self) -> bool {
        self.n_hosts > 0
    }
}
