//! Permissions of `OpenStack`'s compute service, which had security groups of its own before the network service.
//!
//! Source: the API reference of Nova ("Rules for security group"). INVARIANT: they are about packets of IPv4 that a member
//! receives, unless a network says otherwise.

use super::{Direction, Lowering, Peer, Permission, Value, neutron};
use crate::model::Rule;
use crate::source::Spanned;

/// The rules of one permission. Ports of -1 are all of ICMP, and are left to the network service as absent.
#[must_use]
pub fn rules(lowering: &mut Lowering, permission: &Permission) -> Vec<Rule> {
    let mut permission = permission.clone();
    for port in [&mut permission.from_port, &mut permission.to_port] {
        if port
            .as_ref()
            .and_then(Value::known)
            .is_some_and(|text| text.trim() == "-1")
        {
            *port = None;
        }
    }
    let ethertype = permission.peers.iter().find_map(family).map(Value::Known);
    neutron::rules(lowering, Direction::Ingress, ethertype.as_ref(), &permission)
}

/// The family of a network that is written out: the compute service takes it from there.
fn family(peer: &Peer) -> Option<Spanned<String>> {
    match peer {
        Peer::Network {
            cidr: Value::Known(cidr),
            ..
        } => {
            let word = if cidr.value.contains(':') { "IPv6" } else { "IPv4" };
            Some(cidr.clone().map(|_| word.to_owned()))
        }
        _ => None,
    }
}
