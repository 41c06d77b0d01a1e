//! `networking.k8s.io/v1` NetworkPolicy.
//!
//! Semantics: the API reference, "NetworkPolicy v1 networking.k8s.io", and its validation and defaulting
//! (pkg/apis/networking). INVARIANT: an empty list of peers or of ports is as one that is not there: everything.

use super::cluster::Cluster;
use super::notes::Notes;
use super::object::Object;
use super::policy::{
    Action, Block, Namespaces, Peer, PodSet, PodsIn, Policy, Port, Ports, Rule, Rules, Ties, Who,
};
use super::selector::Selector;
use super::tier::{Order, Tier};
use super::workload::protocol;
use crate::packet::Network;
use crate::packet::protocol::number;
use crate::tree::{Node, Typed};

/// Where Calico asks them within their tier (libcalico-go, `K8sNetworkPolicyToCalico`).
pub(super) const ORDER: i32 = 1_000;

/// Reads one, and puts it to the others.
pub(super) fn read(object: Object<'_>, cluster: &mut Cluster, notes: &mut Notes) {
    let (name, span) = object.name();
    let namespace = object.namespace();
    let Some(spec) = object.spec() else {
        // "If this field is missing" the object is as one with an empty specification: it isolates its whole namespace.
        notes.unread(span, format!("NetworkPolicy `{name}` has no `spec`"), None);
        return;
    };
    let keys = ["podSelector", "policyTypes", "ingress", "egress"];
    let is_known = notes.knows(spec, &keys, "the specification of a NetworkPolicy");
    let selector = spec.entry("podSelector");
    let pods = match selector {
        Some(entry) => Selector::read(entry, notes),
        None => Selector::everything(spec.span()),
    };
    let reader = Reader { namespace };
    let (has_ingress, has_egress, are_types_known) = directions(spec, notes);
    let mut direction = |key: &str, peers: &str, is_filtered: bool| {
        is_filtered.then(|| reader.rules(spec, key, peers, notes))
    };
    let ingress = direction("ingress", "from", has_ingress);
    let egress = direction("egress", "to", has_egress);
    cluster.policies.push(Policy {
        kind: "NetworkPolicy",
        name: name.to_owned(),
        namespace: Some(namespace.to_owned()),
        tier: Tier::default_tier(),
        order: Order::of(ORDER),
        ties: Ties::Union,
        span,
        subject: PodSet {
            namespaces: Namespaces::Own(namespace.to_owned()),
            pods,
        },
        is_subject_unread: !(is_known && are_types_known),
        hosts: None,
        ingress,
        egress,
        cilium: None,
    });
}

/// Which directions it filters, and whether that could be read. Without `policyTypes`, ingress, and egress if there are rules
/// for it (`SetDefaults_NetworkPolicy`).
fn directions(spec: Node<'_>, notes: &mut Notes) -> (bool, bool, bool) {
    let Some(types) = notes.items(spec.get("policyTypes"), "policy types") else {
        return (true, true, false);
    };
    if types.is_empty() {
        let has_egress = spec.get("egress").is_some_and(|rules| !rules.is_empty());
        return (true, has_egress, true);
    }
    named_directions(&types, notes)
}

/// The directions that policy types name: ingress, egress, and whether all could be read. If one could not, it may be either.
pub(super) fn named_directions(types: &[Node<'_>], notes: &mut Notes) -> (bool, bool, bool) {
    let mut found = (false, false, true);
    for word in types {
        match word.text() {
            Some("Ingress") => found.0 = true,
            Some("Egress") => found.1 = true,
            _ => {
                let message = format!("`{}` is no policy type", word.text().unwrap_or(word.kind()));
                notes.unread(word.span(), message, Some("use Ingress, Egress or both"));
                return (true, true, false);
            }
        }
    }
    found
}

struct Reader<'n> {
    namespace: &'n str,
}

impl Reader<'_> {
    fn rules(&self, spec: Node<'_>, key: &str, peers: &str, notes: &mut Notes) -> Rules {
        let entry = spec.entry(key);
        let rules = match notes.items(entry.map(|entry| entry.value), "rules") {
            Some(list) => list
                .into_iter()
                .map(|rule| self.rule(rule, peers, notes))
                .collect(),
            None => vec![unread_rule(spec)],
        };
        Rules {
            rules,
            span: entry.map_or(spec.span(), |entry| entry.key.span()),
        }
    }

    fn rule(&self, node: Node<'_>, peers: &str, notes: &mut Notes) -> Rule {
        let mut rule = Rule {
            span: node.span(),
            action: Action::Accept,
            action_span: node.span(),
            peers: None,
            ports: None,
            tests: Vec::new(),
        };
        // `- ` and nothing is the rule that takes everything.
        if !node.is_null() && !notes.knows(node, &[peers, "ports"], "a rule of a NetworkPolicy") {
            rule.peers = Some(vec![unread(node)]);
            return rule;
        }
        rule.peers = match notes.items(node.get(peers), "peers") {
            None => Some(vec![unread(node)]),
            Some(list) if list.is_empty() => None,
            Some(list) => Some(list.into_iter().map(|peer| self.peer(peer, notes)).collect()),
        };
        rule.ports = match notes.items(node.get("ports"), "ports") {
            None => Some(vec![unread_port(node)]),
            Some(list) if list.is_empty() => None,
            Some(list) => Some(list.into_iter().map(|port| read_port(port, notes)).collect()),
        };
        rule
    }

    fn peer(&self, node: Node<'_>, notes: &mut Notes) -> Peer {
        let span = node.span();
        let keys = ["podSelector", "namespaceSelector", "ipBlock"];
        if !notes.knows(node, &keys, "a peer of a NetworkPolicy") {
            return unread(node);
        }
        // A selector that is null is not there.
        let entry = |key| node.entry(key).filter(|entry| !entry.value.is_null());
        let (pods, namespaces, block) = (entry("podSelector"), entry("namespaceSelector"), entry("ipBlock"));
        let who = match (block, namespaces, pods) {
            (Some(block), None, None) => return self::block(block.value, notes),
            (Some(_), _, _) => {
                notes.unread(
                    span,
                    "`ipBlock` stands with selectors in one peer",
                    Some("make it a peer of its own"),
                );
                Who::Unread
            }
            (None, None, None) => {
                notes.unread(
                    span,
                    "this peer says nothing",
                    Some("give a selector or `ipBlock`"),
                );
                Who::Unread
            }
            (None, namespaces, pods) => Who::Pods(PodSet {
                namespaces: match namespaces {
                    Some(entry) => Namespaces::Selected(Selector::read(entry, notes)),
                    None => Namespaces::Own(self.namespace.to_owned()),
                },
                pods: match pods {
                    Some(entry) => Selector::read(entry, notes),
                    None => Selector::everything(span),
                },
            }),
        };
        Peer { span, who }
    }
}

/// A rule of which nothing is known.
pub(super) fn unread_rule(node: Node<'_>) -> Rule {
    Rule {
        span: node.span(),
        action: Action::Unread,
        action_span: node.span(),
        peers: Some(vec![unread(node)]),
        ports: None,
        tests: Vec::new(),
    }
}

/// A port of which nothing is known.
pub(super) fn unread_port(node: Node<'_>) -> Port {
    Port {
        span: node.span(),
        protocol: None,
        ports: Ports::Unread,
    }
}

/// A peer of which nothing is known.
pub(super) fn unread(node: Node<'_>) -> Peer {
    Peer {
        span: node.span(),
        who: Who::Unread,
    }
}

/// An `ipBlock`. What is excepted lies within it (`ValidateIPBlock`).
fn block(node: Node<'_>, notes: &mut Notes) -> Peer {
    if !notes.knows(node, &["cidr", "except"], "an `ipBlock`") {
        return unread(node);
    }
    let Some(network) = node.get("cidr").and_then(|cidr| read_network(cidr, notes)) else {
        if node.get("cidr").is_none() {
            notes.unread(node.span(), "this `ipBlock` has no `cidr`", None);
        }
        return unread(node);
    };
    let mut except = Vec::new();
    for item in node.get("except").iter().flat_map(Node::items) {
        let Some(part) = read_network(item, notes) else {
            return unread(node);
        };
        if part.family != network.family || !network.contains(&part) || part == network {
            notes.unread(item.span(), "what is excepted is no part of the block", None);
            return unread(node);
        }
        except.push(part);
    }
    Peer {
        span: node.get("cidr").unwrap_or(node).span(),
        who: Who::Block(Block {
            network,
            except,
            pods: PodsIn::Open,
        }),
    }
}

pub(super) fn read_network(node: Node<'_>, notes: &mut Notes) -> Option<Network> {
    let text = node.text().unwrap_or("");
    let parsed = text.split_once('/').and_then(|(address, prefix)| {
        let is_number = prefix.bytes().all(|digit| digit.is_ascii_digit());
        let prefix = is_number.then(|| prefix.parse().ok())??;
        Network::cidr(address.parse().ok()?, prefix)
    });
    if parsed.is_none() {
        let message = format!("`{text}` is no block of addresses");
        notes.unread(node.span(), message, Some("write it like `10.0.0.0/8`"));
    }
    parsed
}

/// A port of a rule: TCP without a word, a name without a number, up to `endPort`.
fn read_port(node: Node<'_>, notes: &mut Notes) -> Port {
    let mut found = Port {
        span: node.span(),
        protocol: Some(number::TCP),
        ports: Ports::Unread,
    };
    if !notes.knows(
        node,
        &["protocol", "port", "endPort"],
        "a port of a NetworkPolicy",
    ) {
        found.protocol = None;
        return found;
    }
    if let Some(word) = node.get("protocol").filter(|word| !word.is_null()) {
        found.protocol = word.text().and_then(protocol);
        if found.protocol.is_none() {
            let message = format!(
                "`{}` is no protocol of a port",
                word.text().unwrap_or(word.kind())
            );
            notes.unread(word.span(), message, Some("use TCP, UDP or SCTP"));
            return found;
        }
    }
    let port = node.get("port").filter(|port| !port.is_null());
    let end = node.get("endPort").filter(|end| !end.is_null());
    found.span = port.map_or(found.span, |port| port.span());
    found.ports = match (port.map(|port| (port, port.typed())), end) {
        (None, None) => Ports::All,
        (Some((_, Typed::Text(name))), None) => named(name, node, notes),
        (Some((port, _)), end) => range(port, end, notes),
        (None, Some(end)) => {
            notes.unread(end.span(), "`endPort` stands without `port`", None);
            Ports::Unread
        }
    };
    found
}

/// The name of a port: it has at least one letter (`IsValidPortName`).
pub(super) fn named(name: &str, node: Node<'_>, notes: &mut Notes) -> Ports {
    let is_of_name = |one: u8| one.is_ascii_lowercase() || one.is_ascii_digit() || one == b'-';
    let is_name = name.bytes().all(is_of_name) && name.bytes().any(|one| one.is_ascii_lowercase());
    if is_name {
        return Ports::Named(name.to_owned());
    }
    let help = if name.bytes().all(|one| one.is_ascii_digit()) {
        "write the number without quotes"
    } else {
        "names are lower-case letters, digits and `-`"
    };
    notes.unread(node.span(), format!("`{name}` is no name of a port"), Some(help));
    Ports::Unread
}

pub(super) fn range(from: Node<'_>, to: Option<Node<'_>>, notes: &mut Notes) -> Ports {
    let low = notes.port(from);
    let high = match to {
        Some(to) => notes.port(to),
        None => low,
    };
    match (low, high) {
        (Some(low), Some(high)) if low <= high => Ports::Range(low, high),
        (Some(_), Some(_)) => {
            let span = to.unwrap_or(from).span();
            notes.unread(span, "the last port is before the first", None);
            Ports::Unread
        }
        _ => Ports::Unread,
    }
}
