//! What iptables itself demands of the modules of a rule before it takes it.

use super::condition::Protocol;
use crate::dialect::iptables::ast::{Owner, Read, Rule, Unread, Use};
use crate::dialect::iptables::names::{Module, NEED_OPTIONS};
use crate::packet::protocol::protocol_name;

/// Whether the whole rule must name one of the module's protocols, and does not.
pub(super) fn check_protocol<'a>(used: &Use<'a>, protocol: Option<Protocol>) -> Read<'a, ()> {
    let Some(module) = used.module.filter(|module| !module.protocols.is_empty()) else {
        return Ok(());
    };
    let named = protocol
        .filter(|protocol| !protocol.negated)
        .map(|protocol| protocol.number);
    if named.is_some_and(|named| module.protocols.contains(&named)) {
        return Ok(());
    }
    let protocols: Vec<_> = module
        .protocols
        .iter()
        .filter_map(|number| protocol_name(*number))
        .collect();
    let message = format!("`-m {}` without its protocol", module.name);
    Err(Unread::new(used.name, message).help(format!(
        "iptables takes it only in a rule with `-p {}`",
        protocols.join("`, `-p ")
    )))
}

/// Whether a module that asks nothing without options has one.
pub(super) fn check_options<'a>(rule: &Rule<'a>, at: usize, used: &Use<'a>) -> Read<'a, ()> {
    let needs = used
        .module
        .is_some_and(|module| NEED_OPTIONS.binary_search(&module.name).is_ok());
    if !needs || rule.terms.iter().any(|term| term.owner == Owner::Module(at)) {
        return Ok(());
    }
    Err(Unread::new(
        used.name,
        format!("`-m {}` without an option", used.name),
    ))
}

/// Whether later fragments never match the module: they have no ports (the kernel's `tcp_mt`, `udp_mt`, `icmp_match`).
pub(super) fn reads_ports(module: &Module) -> bool {
    !module.protocols.is_empty()
}
