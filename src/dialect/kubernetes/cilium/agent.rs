//! How the agent is configured: the `ConfigMap` that it reads, `cilium-config`.
//!
//! Semantics: the command reference of `cilium-agent`, whose options the map has as keys. INVARIANT: without the map nothing is taken
//! to be said of the host firewall; all else is then as the agent ships.

use super::super::cluster::{Cluster, Foreign};
use super::super::notes::Notes;
use super::super::object::Object;
use super::super::truth::Truth;
use crate::source::Span;
use crate::tree::Node;

/// The name of the map.
pub(super) const CONFIG: &str = "cilium-config";
/// Objects that change it for some nodes.
pub(super) const OF_NODES: &str = "CiliumNodeConfig";
/// What is asked of either.
const HOST_FIREWALL: &str = "enable-host-firewall";
const AUDIT: &str = "policy-audit-mode";
const MODE: &str = "enable-policy";
const DEVICES: &str = "devices";

/// What is said of the agent.
#[derive(Debug, Default)]
pub(super) struct Agent {
    /// Whether policies of nodes are enforced. `None`: nothing is said.
    host_firewall: Option<Truth>,
    /// Why no policy is enforced, if so.
    idle: Option<String>,
    /// The interfaces that its programs are at, with `+` for any ending. Empty: it looks for them itself.
    pub(super) devices: Vec<String>,
    /// Whether some nodes have settings of their own.
    has_others: bool,
}

impl Agent {
    /// Whether policies of nodes are enforced.
    pub(super) fn host_firewall(&self) -> Truth {
        let said = self.host_firewall.unwrap_or(Truth::Maybe);
        if self.has_others { Truth::Maybe } else { said }
    }

    /// Why no policy is enforced, if so.
    pub(super) fn idle(&self) -> Option<&str> {
        self.idle.as_deref().filter(|_| !self.has_others)
    }
}

/// Reads a `ConfigMap`, if it is the agent's.
pub(in super::super) fn read_config(object: Object<'_>, cluster: &mut Cluster, notes: &mut Notes) {
    if object.name().0 != CONFIG {
        return;
    }
    let data = object.node.get("data").filter(Node::is_mapping);
    let text = |key| {
        data.and_then(|data| data.get(key))
            .filter(|value| !value.is_null())
    };
    // "The host firewall is disabled" without a word (`--enable-host-firewall`, false).
    let mut agent = Agent {
        host_firewall: Some(
            text(HOST_FIREWALL).map_or(Truth::No, |value| truth(value, HOST_FIREWALL, notes)),
        ),
        ..Agent::default()
    };
    let listed = text(DEVICES).and_then(|value| value.text()).unwrap_or_default();
    let devices = listed.split([' ', ',']).filter(|name| !name.is_empty());
    agent.devices = devices.map(str::to_owned).collect();
    // "When Policy Audit Mode is enabled, no network policy is enforced."
    match text(AUDIT).map(|value| (value.span(), truth(value, AUDIT, notes))) {
        Some((_, Truth::Yes)) => agent.idle = Some("is in policy audit mode".to_owned()),
        Some((span, Truth::Maybe)) => may_be_idle(span, cluster),
        _ => {}
    }
    if let Some(mode) = text(MODE) {
        match mode.text() {
            Some("default") => {}
            Some("never") => agent.idle = Some("enforces no policies (`enable-policy: never`)".to_owned()),
            _ => {
                let message = "what this enforcement mode does to workloads without policies is not modelled";
                notes.unsupported(mode.span(), message, None);
                may_be_idle(mode.span(), cluster);
            }
        }
    }
    // Whoever has the map has the agent.
    cluster.cilium.is_there = true;
    let has_others = cluster.cilium.agent.has_others;
    cluster.cilium.agent = Agent { has_others, ..agent };
}

/// Reads a `CiliumNodeConfig`: "per-node configuration", of nodes that are not told apart here.
pub(super) fn read_node_config(object: Object<'_>, cluster: &mut Cluster, notes: &mut Notes) {
    let defaults = object.spec().and_then(|spec| spec.get("defaults"));
    let Some(defaults) = defaults.filter(Node::is_mapping) else {
        return;
    };
    let asked = [HOST_FIREWALL, AUDIT, MODE, DEVICES];
    let Some(entry) = asked.iter().find_map(|key| defaults.entry(key)) else {
        return;
    };
    let message = "which nodes are configured so is not modelled";
    notes.unsupported(entry.key.span(), message, None);
    cluster.cilium.agent.has_others = true;
    if [AUDIT, MODE].contains(&entry.name()) {
        may_be_idle(entry.key.span(), cluster);
    }
}

/// Whether policies are enforced is not known.
fn may_be_idle(span: Span, cluster: &mut Cluster) {
    cluster.foreign.push(Foreign {
        why: "whether Cilium enforces policies is not known".to_owned(),
        ..Foreign::unread(None, span)
    });
}

/// Values are text in the map, as Go reads them.
fn truth(value: Node<'_>, key: &str, notes: &mut Notes) -> Truth {
    match value.text() {
        Some("true" | "True" | "TRUE" | "t" | "T" | "1") => Truth::Yes,
        Some("false" | "False" | "FALSE" | "f" | "F" | "0") => Truth::No,
        _ => {
            notes.unread(value.span(), format!("`{key}` is true or false"), None);
            Truth::Maybe
        }
    }
}
