//! Whether one rule takes all that another one does, whatever there is in the cluster.
//!
//! INVARIANT: by what is written alone: `true` is sure, `false` may only mean that it could not be seen.

use super::cilium;
use super::cluster::Cluster;
use super::connections::PROTOCOLS;
use super::policy::{Block, Namespaces, Peer, PodSet, Policy, Port, Ports, Rule, Who};
use super::selector::{Operator, Requirement, Selector, Terms};
use super::truth::Truth;
use crate::packet::Network;

/// Whether everything that `inner` is about is what `outer` is about.
pub(super) fn has_subjects(outer: &Policy, inner: &Policy, cluster: &Cluster) -> bool {
    let are_read = !outer.is_subject_unread && !inner.is_subject_unread;
    are_read
        && outer.is_of_hosts_alone() == inner.is_of_hosts_alone()
        && match (outer.of_nodes(), inner.of_nodes()) {
            (None, None) if outer.is_of_hosts_alone() => false,
            (None, None) => has_pods(&outer.subject, &inner.subject, cluster),
            (Some(outer), Some(inner)) => {
                outer.is_empty() || !outer.is_unread && !inner.is_unread && outer.terms == inner.terms
            }
            _ => false,
        }
}

/// Whether `outer` takes every packet that `inner` takes, of the same subject.
pub(super) fn has_packets(outer: &Rule, inner: &Rule, cluster: &Cluster) -> bool {
    let peers = each_in_one(outer.peers.as_deref(), inner.peers.as_deref(), |outer, inner| {
        has_peer(outer, inner, cluster)
    });
    outer.tests.is_empty() && peers && each_in_one(outer.ports.as_deref(), inner.ports.as_deref(), has_port)
}

/// Whether each of `inner` is in one of `outer`; no list is everything.
fn each_in_one<T>(outer: Option<&[T]>, inner: Option<&[T]>, has: impl Fn(&T, &T) -> bool) -> bool {
    match (outer, inner) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(outer), Some(inner)) => inner
            .iter()
            .all(|inner| outer.iter().any(|outer| has(outer, inner))),
    }
}

fn has_peer(outer: &Peer, inner: &Peer, cluster: &Cluster) -> bool {
    match (&outer.who, &inner.who) {
        (Who::Pods(outer), Who::Pods(inner)) => has_pods(outer, inner, cluster),
        (Who::Block(outer), Who::Block(inner)) => has_block(outer, inner),
        (Who::Endpoints(outer), Who::Endpoints(inner)) => {
            let is_in = |(block, answer): &(Block, Truth)| {
                let mut outer = outer.blocks.iter();
                outer.any(|(network, surely)| has_block(network, block) && surely >= answer)
            };
            has_pods(&outer.pods, &inner.pods, cluster) && inner.blocks.iter().all(is_in)
        }
        (Who::Cilium(outer), inner) => cilium::has_peer(outer, inner),
        (Who::Nodes, Who::Nodes) => true,
        (Who::Names(outer), Who::Names(inner)) => inner.iter().all(|name| outer.contains(name)),
        _ => false,
    }
}

fn has_block(outer: &Block, inner: &Block) -> bool {
    outer.pods == inner.pods
        && has_addresses((&outer.network, &outer.except), (&inner.network, &inner.except))
}

/// Whether a block less some parts has another less some of its own.
pub(super) fn has_addresses(outer: (&Network, &[Network]), inner: (&Network, &[Network])) -> bool {
    let ((network, except), (inner, left_out)) = (outer, inner);
    let is_left_out = |hole: &Network| {
        let is_beside = hole.family != inner.family || hole.high < inner.low || inner.high < hole.low;
        is_beside || left_out.iter().any(|other| other.contains(hole))
    };
    network.contains(inner) && except.iter().all(is_left_out)
}

fn has_port(outer: &Port, inner: &Port) -> bool {
    // Without a protocol a range of ports is of those that have some.
    let has_ports = matches!(outer.ports, Ports::Range(..));
    let is_protocol = match (outer.protocol, inner.protocol) {
        (None, Some(inner)) => !has_ports || PROTOCOLS.contains(&inner),
        (None, None) => true,
        (outer, inner) => outer == inner,
    };
    is_protocol
        && match (&outer.ports, &inner.ports) {
            (Ports::Unread, _) | (_, Ports::Unread) => false,
            (Ports::All, _) => true,
            (Ports::Range(low, high), Ports::Range(inner_low, inner_high)) => {
                low <= inner_low && inner_high <= high
            }
            (Ports::Named(outer), Ports::Named(inner))
            | (Ports::NamedAnywhere(outer), Ports::NamedAnywhere(inner)) => outer == inner,
            _ => false,
        }
}

fn has_pods(outer: &PodSet, inner: &PodSet, cluster: &Cluster) -> bool {
    implies(&inner.pods, &outer.pods)
        && match (&outer.namespaces, &inner.namespaces) {
            (Namespaces::Own(outer), Namespaces::Own(inner)) => outer == inner,
            (Namespaces::Selected(outer), Namespaces::Selected(inner)) => implies(inner, outer),
            (Namespaces::Selected(outer), Namespaces::Own(inner)) => {
                let namespace = cluster.namespaces.get(inner);
                namespace.is_some_and(|it| outer.selects(&it.labels, it.open()) == Truth::Yes)
            }
            (Namespaces::Same(outer), Namespaces::Same(inner))
            | (Namespaces::NotSame(outer), Namespaces::NotSame(inner)) => outer == inner,
            _ => false,
        }
}

/// Whether all that `narrow` selects, `wide` does.
fn implies(narrow: &Selector, wide: &Selector) -> bool {
    !wide.is_unread && terms_imply(&narrow.terms, &wide.terms)
}

fn terms_imply(narrow: &Terms, wide: &Terms) -> bool {
    let asked = |wide: &Requirement| {
        let mut all = narrow.requirements.iter();
        all.any(|one| requirement_implies(one, wide))
    };
    let chosen = |choice: &Vec<Terms>| {
        narrow.choices.contains(choice) || choice.iter().any(|wide| terms_imply(narrow, wide))
    };
    wide.requirements.iter().all(asked) && wide.choices.iter().all(chosen)
}

fn requirement_implies(narrow: &Requirement, wide: &Requirement) -> bool {
    let subset = |a: &[String], b: &[String]| a.iter().all(|value| b.contains(value));
    narrow.key == wide.key
        && match (narrow.operator, wide.operator) {
            (Operator::In, _) => narrow.values.iter().all(|value| wide.accepts(Some(value))),
            (Operator::DoesNotExist, _) => wide.accepts(None),
            (
                Operator::Exists | Operator::Contains | Operator::StartsWith | Operator::EndsWith,
                Operator::Exists,
            ) => true,
            (Operator::NotIn, Operator::NotIn) => subset(&wide.values, &narrow.values),
            (one, other) => one == other && narrow.values == wide.values,
        }
}
