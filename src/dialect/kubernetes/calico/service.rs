//! `services` of an end: the pods behind a Service, and where it is the destination their ports.
//!
//! Semantics: docs.tigera.io, "Network policy", `ServiceMatch` ("Use service rules in policy": what matches are the endpoints of the
//! Service). INVARIANT: of a Service that is not there, or whose endpoints something else says, nothing is known.

use super::entity::Question;
use crate::dialect::kubernetes::cluster::Cluster;
use crate::dialect::kubernetes::notes::Notes;
use crate::dialect::kubernetes::policy::{Namespaces, Peer, PodSet, Ports, Who};
use crate::dialect::kubernetes::selector::{Operator, Requirement, Selector};
use crate::tree::Node;

/// The ports of pods that a Service leads to, with their protocols.
pub(super) type Targets = Vec<(u8, Ports)>;

/// What is asked of an end that is a Service.
pub(super) fn question(node: Node<'_>, own: Option<&str>, cluster: &Cluster, notes: &mut Notes) -> Question {
    if !notes.knows(node, &["name", "namespace"], "`services`") {
        return Question::Unread;
    }
    let text = |key| node.get(key).and_then(|value| value.text());
    let (Some(name), Some(namespace)) = (text("name"), text("namespace").or(own)) else {
        notes.unread(node.span(), "this service has no name or no namespace", None);
        return Question::Unread;
    };
    let services = cluster.services.iter();
    let mut found = services.filter_map(|service| service.backing(namespace, name));
    let Some((labels, ports)) = found.next() else {
        let message = format!("the pods behind Service `{namespace}/{name}` are not in the manifests");
        notes.unsupported(node.span(), message, Some("give the manifest of the Service too"));
        return Question::Unread;
    };
    let mut selector = Selector::everything(node.span());
    let requirements = labels.iter().map(|(key, value)| Requirement {
        key: key.clone(),
        operator: Operator::In,
        values: vec![value.clone()],
    });
    selector.terms.requirements = requirements.collect();
    let set = PodSet {
        namespaces: Namespaces::Own(namespace.to_owned()),
        pods: selector,
    };
    Question::Service {
        peers: vec![Peer {
            span: node.span(),
            who: Who::Pods(set),
        }],
        ports,
    }
}
