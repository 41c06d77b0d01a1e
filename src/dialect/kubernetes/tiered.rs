//! `policy.networking.k8s.io`: `AdminNetworkPolicy` and `BaselineAdminNetworkPolicy` (v1alpha1), `ClusterNetworkPolicy` (v1alpha2).
//!
//! Semantics: the comments of the types (network-policy-api, apis/v1alpha1 and apis/v1alpha2). INVARIANT: exactly one field
//! says who a peer is, and what a port is; of none or several, nothing is guessed.

use super::cluster::Cluster;
use super::network_policy::{named, range, unread, unread_port, unread_rule};
use super::notes::Notes;
use super::object::Object;
use super::policy::{Action, Namespaces, PodSet, Policy, Port, Ports, Rule, Rules, Ties};
use super::selector::Selector;
use super::tier::{Order, Tier};
use super::tiered_peer::{only_entry, pods, read_peers};
use super::workload::protocol;
use crate::packet::protocol::number;
use crate::source::Span;
use crate::tree::Node;

/// The words of one kind of policy.
#[derive(Debug, Clone, Copy)]
struct Dialect {
    kind: &'static str,
    /// What lets traffic through.
    accept: &'static str,
    has_pass: bool,
    /// The key of the ports of a rule.
    ports: &'static str,
}

const ADMIN: Dialect = Dialect {
    kind: "AdminNetworkPolicy",
    accept: "Allow",
    has_pass: true,
    ports: "ports",
};
const BASELINE: Dialect = Dialect {
    kind: "BaselineAdminNetworkPolicy",
    accept: "Allow",
    has_pass: false,
    ports: "ports",
};
const CLUSTER: Dialect = Dialect {
    kind: "ClusterNetworkPolicy",
    accept: "Accept",
    has_pass: true,
    ports: "protocols",
};

/// The kinds, for `portcullis dialects`.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    [ADMIN, BASELINE, CLUSTER].into_iter().map(|dialect| dialect.kind)
}

/// Reads a policy of one of the kinds, and puts it to the others. Whether it is of one of them.
pub(super) fn read(object: Object<'_>, cluster: &mut Cluster, notes: &mut Notes) -> bool {
    let kinds = [ADMIN, BASELINE, CLUSTER];
    let Some(dialect) = kinds.into_iter().find(|dialect| dialect.kind == object.kind) else {
        return false;
    };
    let (name, span) = object.name();
    let Some(spec) = object.spec() else {
        notes.unread(span, format!("{} `{name}` has no `spec`", dialect.kind), None);
        return true;
    };
    let keys = ["tier", "priority", "subject", "ingress", "egress"];
    let is_known = notes.knows(spec, &keys, "the specification of this policy");
    let tier = dialect.tier(spec, notes);
    let subject = subject(spec, notes);
    let is_read = is_known && tier.is_some() && subject.is_some();
    let (tier, order) = tier.unwrap_or((Tier::admin(), Order::of(0)));
    let everything = PodSet {
        namespaces: Namespaces::Selected(Selector::everything(span)),
        pods: Selector::everything(span),
    };
    cluster.policies.push(Policy {
        kind: dialect.kind,
        name: name.to_owned(),
        namespace: None,
        tier,
        order,
        ties: Ties::Open,
        span,
        subject: subject.unwrap_or(everything),
        is_subject_unread: !is_read,
        hosts: None,
        ingress: dialect.rules(spec, "ingress", "from", notes),
        egress: dialect.rules(spec, "egress", "to", notes),
        cilium: None,
    });
    true
}

impl Dialect {
    fn tier(self, spec: Node<'_>, notes: &mut Notes) -> Option<(Tier, Order)> {
        if self.kind == BASELINE.kind {
            return Some((Tier::baseline(), Order::of(0)));
        }
        let Some(priority) = spec.get("priority") else {
            notes.unread(spec.span(), "this policy has no `priority`", None);
            return None;
        };
        let value = priority.as_int().and_then(|value| i32::try_from(value).ok());
        let Some(value) = value.filter(|value| (0..=1000).contains(value)) else {
            notes.unread(priority.span(), "a priority is a number from 0 to 1000", None);
            return None;
        };
        let order = Order::of(value);
        if self.kind == ADMIN.kind {
            return Some((Tier::admin(), order));
        }
        match spec.get("tier").and_then(|tier| tier.text()) {
            Some("Admin") => Some((Tier::admin(), order)),
            Some("Baseline") => Some((Tier::baseline(), order)),
            _ => {
                let span = spec.get("tier").map_or(spec.span(), |tier| tier.span());
                notes.unread(span, "a tier is Admin or Baseline", None);
                None
            }
        }
    }

    fn rules(self, spec: Node<'_>, key: &str, peers: &str, notes: &mut Notes) -> Option<Rules> {
        let entry = spec.entry(key).filter(|entry| !entry.value.is_null())?;
        let rules = match notes.items(Some(entry.value), "rules") {
            Some(list) => list
                .into_iter()
                .map(|rule| self.rule(rule, peers, notes))
                .collect(),
            None => vec![unread_rule(entry.value)],
        };
        Some(Rules {
            rules,
            span: entry.key.span(),
        })
    }

    fn rule(self, node: Node<'_>, peers: &str, notes: &mut Notes) -> Rule {
        let is_known = notes.knows(
            node,
            &["name", "action", peers, self.ports],
            "a rule of this policy",
        );
        let action = node.get("action");
        let (word, action_span) = action.map_or((None, node.span()), |action| (action.text(), action.span()));
        let action = match word {
            Some(word) if word == self.accept => Action::Accept,
            Some("Deny") => Action::Deny,
            Some("Pass") if self.has_pass => Action::Pass,
            _ => {
                let pass = if self.has_pass {
                    ", Deny or Pass"
                } else {
                    " or Deny"
                };
                let help = format!("actions are {}{pass}", self.accept);
                let message = format!("`{}` is no action", word.unwrap_or(""));
                notes.unread(action_span, message, Some(&help));
                Action::Unread
            }
        };
        let found = match notes.items(node.get(peers), "peers") {
            Some(list) if list.is_empty() => {
                notes.unread(node.span(), format!("this rule has no peers in `{peers}`"), None);
                vec![unread(node)]
            }
            Some(list) if is_known => list
                .into_iter()
                .flat_map(|peer| read_peers(peer, peers == "to", notes))
                .collect(),
            _ => vec![unread(node)],
        };
        let ports = match notes.items(node.get(self.ports), "ports") {
            None => Some(vec![unread_port(node)]),
            Some(list) if list.is_empty() => None,
            Some(list) => Some(list.into_iter().map(|port| self.port(port, notes)).collect()),
        };
        Rule {
            span: node.span(),
            action,
            action_span,
            peers: Some(found),
            ports,
            tests: Vec::new(),
        }
    }

    fn port(self, node: Node<'_>, notes: &mut Notes) -> Port {
        let mut found = Port {
            span: node.span(),
            protocol: None,
            ports: Ports::Unread,
        };
        let Some(entry) = only_entry(node, notes) else {
            return found;
        };
        let value = entry.value;
        let is_cluster = self.kind == CLUSTER.kind;
        match entry.name() {
            "portNumber" if !is_cluster && notes.knows(value, &["protocol", "port"], "`portNumber`") => {
                found.protocol = port_protocol(value, notes);
                if let Some(port) = value.get("port").filter(|_| found.protocol.is_some()) {
                    (found.span, found.ports) = (port.span(), range(port, None, notes));
                }
            }
            "portRange"
                if !is_cluster && notes.knows(value, &["protocol", "start", "end"], "`portRange`") =>
            {
                found.protocol = port_protocol(value, notes);
                if found.protocol.is_some() {
                    found.ports = bounds(value, notes);
                }
            }
            "namedPort" if !is_cluster => found.ports = named(value.text().unwrap_or(""), value, notes),
            "destinationNamedPort" if is_cluster => {
                found.ports = named(value.text().unwrap_or(""), value, notes);
            }
            word @ ("tcp" | "udp" | "sctp") if is_cluster => {
                found.protocol = protocol(&word.to_uppercase());
                (found.span, found.ports) = destination_port(value, notes);
            }
            "portNumber" | "portRange" => {}
            other => notes.unread(
                entry.key.span(),
                format!("`{other}` is no kind of port here"),
                None,
            ),
        }
        found
    }
}

fn subject(spec: Node<'_>, notes: &mut Notes) -> Option<PodSet> {
    let Some(subject) = spec.get("subject").filter(Node::is_mapping) else {
        let span = spec
            .entry("subject")
            .map_or(spec.span(), |entry| entry.key.span());
        notes.unread(span, "this policy has no subject", None);
        return None;
    };
    let entry = only_entry(subject, notes)?;
    match entry.name() {
        "namespaces" => Some(PodSet {
            namespaces: Namespaces::Selected(Selector::read(entry, notes)),
            pods: Selector::everything(entry.value.span()),
        }),
        "pods" => pods(entry.value, notes),
        other => {
            notes.unread(entry.key.span(), format!("`{other}` is no kind of subject"), None);
            None
        }
    }
}

/// The protocol of a port of v1alpha1, TCP without a word.
fn port_protocol(node: Node<'_>, notes: &mut Notes) -> Option<u8> {
    let Some(word) = node.get("protocol").filter(|word| !word.is_null()) else {
        return Some(number::TCP);
    };
    let found = word.text().and_then(protocol);
    if found.is_none() {
        let message = format!(
            "`{}` is no protocol of a port",
            word.text().unwrap_or(word.kind())
        );
        notes.unread(word.span(), message, Some("use TCP, UDP or SCTP"));
    }
    found
}

fn bounds(node: Node<'_>, notes: &mut Notes) -> Ports {
    if let (Some(start), Some(end)) = (node.get("start"), node.get("end")) {
        return range(start, Some(end), notes);
    }
    notes.unread(node.span(), "a range has a `start` and an `end`", None);
    Ports::Unread
}

/// The port of `tcp`, `udp` or `sctp` of v1alpha2; without one, all ports.
fn destination_port(node: Node<'_>, notes: &mut Notes) -> (Span, Ports) {
    if node.is_null() || node.is_mapping() && node.is_empty() {
        return (node.span(), Ports::All);
    }
    if !notes.knows(node, &["destinationPort"], "a protocol of a ClusterNetworkPolicy") {
        return (node.span(), Ports::Unread);
    }
    let Some(entry) = node
        .get("destinationPort")
        .and_then(|port| only_entry(port, notes))
    else {
        return (node.span(), Ports::Unread);
    };
    let ports = match entry.name() {
        "number" => range(entry.value, None, notes),
        "range" => bounds(entry.value, notes),
        other => {
            notes.unread(
                entry.key.span(),
                format!("`{other}` is no kind of port here"),
                None,
            );
            Ports::Unread
        }
    };
    (entry.value.span(), ports)
}
