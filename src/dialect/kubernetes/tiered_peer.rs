//! Peers and subjects of `policy.networking.k8s.io`.
//!
//! INVARIANT: exactly one field says who a peer is; of none or several, nothing is guessed.

use super::network_policy::{read_network, unread};
use super::notes::Notes;
use super::policy::{Block, Namespaces, Peer, PodSet, Who};
use super::selector::Selector;
use crate::source::Span;
use crate::tree::{Entry, Node};

/// A peer; of networks, one for each block.
pub(super) fn read_peers(node: Node<'_>, is_egress: bool, notes: &mut Notes) -> Vec<Peer> {
    let Some(entry) = only_entry(node, notes) else {
        return vec![unread(node)];
    };
    let one = |span: Span, who: Who| vec![Peer { span, who }];
    let span = entry.value.span();
    match entry.name() {
        "namespaces" => match namespaces(entry, notes) {
            Some(namespaces) => one(
                span,
                Who::Pods(PodSet {
                    namespaces,
                    pods: Selector::everything(span),
                }),
            ),
            None => one(span, Who::Unread),
        },
        "pods" => match pods(entry.value, notes) {
            Some(set) => one(span, Who::Pods(set)),
            None => one(span, Who::Unread),
        },
        "nodes" if is_egress => {
            let selector = Selector::read(entry, notes);
            notes.unsupported(
                selector.span,
                "nodes are not in manifests: which addresses they have is not known",
                None,
            );
            one(span, Who::Nodes)
        }
        "networks" if is_egress => entry.value.items().map(|item| network(item, notes)).collect(),
        "domainNames" if is_egress => {
            let names = entry.value.items().filter_map(|name| name.text());
            one(span, Who::Names(names.map(str::to_owned).collect()))
        }
        other => {
            notes.unread(
                entry.key.span(),
                format!("`{other}` is no kind of peer here"),
                None,
            );
            one(span, Who::Unread)
        }
    }
}

/// The only field of a union; it is an error if there is none, or more than one.
pub(super) fn only_entry<'t>(node: Node<'t>, notes: &mut Notes) -> Option<Entry<'t>> {
    let mut entries = node.entries();
    match (entries.next(), entries.next()) {
        (Some(entry), None) => Some(entry),
        (None, _) => {
            notes.unread(node.span(), "this says nothing", Some("give exactly one field"));
            None
        }
        (Some(_), Some(second)) => {
            let message = "there is a field before this one, and exactly one may stand here";
            notes.unread(second.key.span(), message, Some("make two entries of it"));
            None
        }
    }
}

/// Pods by two selectors; older versions have the namespaces of a peer in `namespaces`.
pub(super) fn pods(node: Node<'_>, notes: &mut Notes) -> Option<PodSet> {
    let keys = ["namespaceSelector", "namespaces", "podSelector"];
    if !notes.knows(node, &keys, "`pods`") {
        return None;
    }
    let namespaces = match (node.entry("namespaceSelector"), node.entry("namespaces")) {
        (Some(entry), None) => Namespaces::Selected(Selector::read(entry, notes)),
        (None, Some(entry)) => namespaces(entry, notes)?,
        (None, None) => Namespaces::Selected(Selector::everything(node.span())),
        (Some(_), Some(second)) => {
            notes.unread(second.key.span(), "`namespaceSelector` says this already", None);
            return None;
        }
    };
    let pods = match node.entry("podSelector") {
        Some(entry) => Selector::read(entry, notes),
        None => Selector::everything(node.span()),
    };
    Some(PodSet { namespaces, pods })
}

/// Namespaces by a selector; in the first versions of v1alpha1, by one of three fields.
fn namespaces(entry: Entry<'_>, notes: &mut Notes) -> Option<Namespaces> {
    let first = entry.value.entries().next();
    let former =
        first.filter(|entry| ["namespaceSelector", "sameLabels", "notSameLabels"].contains(&entry.name()));
    let Some(former) = former else {
        return Some(Namespaces::Selected(Selector::read(entry, notes)));
    };
    only_entry(entry.value, notes)?;
    let labels = || {
        let labels = former.value.items().filter_map(|label| label.text());
        labels.map(str::to_owned).collect()
    };
    Some(match former.name() {
        "sameLabels" => Namespaces::Same(labels()),
        "notSameLabels" => Namespaces::NotSame(labels()),
        _ => Namespaces::Selected(Selector::read(former, notes)),
    })
}

fn network(node: Node<'_>, notes: &mut Notes) -> Peer {
    let who = match read_network(node, notes) {
        Some(network) => Who::Block(Block::of(network)),
        None => Who::Unread,
    };
    Peer {
        span: node.span(),
        who,
    }
}
