//! Who peers are to the policies of a run: each selector is a group, each class of pods an identity that is in some.
//!
//! Besides the workloads that are there, there are pods that are not: in each namespace that a selector looks into, and in
//! one that nobody has made yet, the pod with the fewest labels that the selector takes, and one without any. So an opening
//! to pods that do not exist is found, with the labels that would get in. INVARIANT: a group whose members are not all
//! known is two: those that surely are in it, and those that may be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cilium;
use super::cluster::{Cluster, Namespace, Pods};
use super::index::Index;
use super::policy::{Namespaces, PodSet, Policy, Ports};
use super::select::{looks_into, selects};
use super::selector::Selector;
use super::truth::Truth;
use crate::model::{Condition, Identity, Membership, PodLabels, Presence, Unknown};
use crate::packet::Field;

/// The group of all pods. What is not in it is outside of the cluster, or a node.
const PODS: &str = "kubernetes pods";
/// The group of those whose addresses are not known, and that are not in the network of their node.
const SOMEWHERE: &str = "kubernetes pods somewhere";
/// The group of those that are in the network of their node.
const ON_NODES: &str = "kubernetes pods in the network of their node";

/// Sets of pods that look into the same namespaces, each with the keys of its group: surely in it, and possibly.
#[derive(Debug)]
pub(super) struct Sets {
    pub(super) namespaces: Namespaces,
    /// The namespace of the subject, where that makes a difference.
    of_subject: String,
    /// What they ask of pods, each once.
    pub(super) pods: Vec<(Selector, Keys)>,
    index: Index,
}

/// The keys of a group.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    surely: Arc<str>,
    possibly: Arc<str>,
}

impl Keys {
    fn new(key: &str) -> Self {
        Self {
            surely: key.into(),
            possibly: possibly(key).into(),
        }
    }

    /// The key under which pods stand for which this is the answer.
    fn of(&self, answer: Truth) -> Option<Arc<str>> {
        match answer {
            Truth::Yes => Some(self.surely.clone()),
            Truth::Maybe => Some(self.possibly.clone()),
            Truth::No => None,
        }
    }
}

/// The groups and classes of a run.
#[derive(Debug)]
pub(super) struct Identities {
    /// By what they ask of namespaces.
    pub(super) sets: BTreeMap<String, Sets>,
    /// Ports that policies ask for by name: protocol and number, and the group of pods that have one.
    ports: BTreeMap<String, BTreeMap<(u8, u16), Keys>>,
    /// The keys of all sets.
    seen: BTreeSet<String>,
}

impl Identities {
    /// All that the policies of a cluster ask of peers.
    pub(super) fn new(cluster: &Cluster) -> Self {
        let mut found = Self {
            sets: BTreeMap::new(),
            ports: BTreeMap::new(),
            seen: BTreeSet::new(),
        };
        for policy in &cluster.policies {
            for set in policy.cilium.iter().flat_map(cilium::Traits::all_required) {
                found.add_set(set, policy, cluster);
            }
            let rules = [&policy.ingress, &policy.egress].into_iter().flatten();
            for rule in rules.flat_map(|rules| &rules.rules) {
                for peer in rule.all_peers() {
                    if let Some(set) = peer.who.pods() {
                        found.add_set(set, policy, cluster);
                    }
                }
                for port in rule.all_ports() {
                    if let Ports::Named(name) | Ports::NamedAnywhere(name) = &port.ports {
                        found.ports.entry(name.clone()).or_default();
                    }
                }
            }
        }
        for port in cluster.pods.iter().flat_map(|pods| &pods.ports) {
            let Some(name) = &port.name else { continue };
            if let Some(numbers) = found.ports.get_mut(name) {
                let (protocol, number) = (port.protocol, port.number);
                let keys = || Keys::new(&format!("kubernetes port {name} {protocol}/{number}"));
                numbers.entry((protocol, number)).or_insert_with(keys);
            }
        }
        found
    }

    fn add_set(&mut self, set: &PodSet, policy: &Policy, cluster: &Cluster) {
        for of_subject in subjects(set, policy, cluster) {
            let sets = self
                .sets
                .entry(namespaces_key(&set.namespaces, &of_subject))
                .or_insert_with(|| Sets {
                    namespaces: set.namespaces.clone(),
                    of_subject: of_subject.clone(),
                    pods: Vec::new(),
                    index: Index::default(),
                });
            let key = key(set, &of_subject);
            if self.seen.insert(key.clone()) {
                sets.index.add(&set.pods);
                sets.pods.push((set.pods.clone(), Keys::new(&key)));
            }
        }
    }

    /// Whether an end is one of a set of pods.
    pub(super) fn is_in(end: Field, set: &PodSet, of_subject: &str) -> Condition {
        asked(end, &key(set, of_subject), &words(set))
    }

    /// Whether an end is a pod.
    pub(super) fn is_pod(end: Field) -> Condition {
        member(end, PODS, "pods")
    }

    /// Whether an end is a pod of which only the cluster knows the address.
    pub(super) fn is_pod_somewhere(end: Field) -> Condition {
        member(end, SOMEWHERE, "pods whose addresses are not known")
    }

    /// Whether an end is a pod in the network of its node.
    pub(super) fn is_on_node(end: Field) -> Condition {
        member(end, ON_NODES, "pods in the network of their node")
    }

    /// The ports that pods of the run call by a name: protocol, number, and the question whether an end is one of those pods.
    pub(super) fn named(&self, name: &str, end: Field) -> Vec<(u8, u16, Condition)> {
        let numbers = self.ports.get(name).into_iter().flatten();
        let found = numbers.map(|(&(protocol, number), keys)| {
            let words = format!("pods whose port `{name}` is {number}");
            let condition = asked(end, &keys.surely, &words);
            (protocol, number, condition)
        });
        found.collect()
    }

    /// The classes: first the workloads in their order, then pods that may be made. Notes say what was left out of these.
    pub(super) fn classes(&self, cluster: &Cluster, notes: &mut Vec<String>) -> Vec<Identity> {
        let mut classes = Vec::new();
        for pods in &cluster.pods {
            let Some(namespace) = cluster.namespaces.get(&pods.namespace) else {
                continue;
            };
            classes.push(Identity {
                name: format!("pods of `{}`", pods.full_name()),
                span: Some(pods.span),
                groups: self.groups_of(namespace, pods, cluster),
                others: None,
                addresses: pods.addresses.clone(),
                presence: Presence::Here,
                pods: None,
            });
        }
        let possible = self.possible(cluster);
        notes.extend(possible.note());
        for (namespace, pods) in possible.pods {
            classes.push(Identity {
                groups: self.groups_of(&namespace, &pods, cluster),
                span: None,
                others: None,
                addresses: Vec::new(),
                presence: Presence::Possible,
                pods: Some(PodLabels {
                    namespace: (!pods.namespace.is_empty()).then_some(pods.namespace),
                    labels: pods.labels,
                }),
                name: pods.name,
            });
        }
        classes
    }

    fn groups_of(&self, namespace: &Namespace, pods: &Pods, cluster: &Cluster) -> Vec<Arc<str>> {
        let mut found: Vec<Arc<str>> = vec![PODS.into()];
        if pods.addresses.is_empty() && !pods.is_on_host_network {
            found.push(SOMEWHERE.into());
        }
        found.extend(pods.is_on_host_network.then(|| ON_NODES.into()));
        let limit = cluster.selects_peer(pods);
        for sets in self.sets.values() {
            let of_subject = cluster.namespaces.get(&sets.of_subject).unwrap_or(namespace);
            let is_namespace = looks_into(&sets.namespaces, namespace, of_subject).and(limit);
            if is_namespace == Truth::No {
                continue;
            }
            let candidates = sets.index.candidates(&pods.seen);
            for (selector, keys) in candidates.into_iter().filter_map(|at| sets.pods.get(at)) {
                let is_one = selector.selects(&pods.seen.labels, &pods.seen.open);
                found.extend(keys.of(is_namespace.and(is_one)));
            }
        }
        for (name, numbers) in &self.ports {
            for ((protocol, number), keys) in numbers {
                let is_it = pods.ports.iter().any(|port| {
                    port.name.as_ref() == Some(name) && port.protocol == *protocol && port.number == *number
                });
                let unknown = if pods.has_unknown_ports {
                    Truth::Maybe
                } else {
                    Truth::No
                };
                found.extend(keys.of(Truth::of(is_it).or(unknown)));
            }
        }
        found.sort();
        found
    }
}

/// The namespaces of subjects that make a difference to what a set is.
fn subjects(set: &PodSet, policy: &Policy, cluster: &Cluster) -> Vec<String> {
    if !matches!(set.namespaces, Namespaces::Same(_) | Namespaces::NotSame(_)) {
        return vec![String::new()];
    }
    let subjects = cluster.pods.iter().filter(|pods| {
        let namespace = cluster.namespaces.get(&pods.namespace);
        namespace.is_some_and(|namespace| selects(&policy.subject, namespace, pods, namespace) != Truth::No)
    });
    let names: BTreeSet<String> = subjects.map(|pods| pods.namespace.clone()).collect();
    names.into_iter().collect()
}

/// The same for the same namespaces. Only where they depend on the subject's is that a part of it.
fn namespaces_key(namespaces: &Namespaces, of_subject: &str) -> String {
    match namespaces {
        Namespaces::Own(name) => format!("in {name}"),
        Namespaces::Selected(selector) => format!("in {{{}}}", unique(selector)),
        Namespaces::Same(labels) => format!("as {of_subject} by {}", labels.join(",")),
        Namespaces::NotSame(labels) => format!("not as {of_subject} by {}", labels.join(",")),
    }
}

/// The same for the same set.
fn key(set: &PodSet, of_subject: &str) -> String {
    let namespaces = namespaces_key(&set.namespaces, of_subject);
    format!("kubernetes pods {{{}}} {namespaces}", unique(&set.pods))
}

/// A selector that could not be read is like no other.
fn unique(selector: &Selector) -> String {
    if selector.is_unread {
        return format!("{selector} unread at {:?}", selector.span);
    }
    selector.to_string()
}

fn possibly(key: &str) -> String {
    format!("{key} possibly")
}

fn words(set: &PodSet) -> String {
    let pods = if set.pods.is_empty() {
        "pods".to_owned()
    } else {
        format!("pods with `{}`", set.pods)
    };
    match &set.namespaces {
        Namespaces::Own(name) => format!("{pods} of namespace `{name}`"),
        Namespaces::Selected(selector) if selector.is_empty() => format!("{pods} of any namespace"),
        Namespaces::Selected(selector) => format!("{pods} of namespaces with `{selector}`"),
        Namespaces::Same(labels) => format!("{pods} of namespaces with the same `{}`", labels.join(",")),
        Namespaces::NotSame(labels) => format!("{pods} of namespaces with another `{}`", labels.join(",")),
    }
}

fn member(end: Field, key: &str, name: &str) -> Condition {
    Condition::Member(Membership {
        end,
        group: key.into(),
        name: name.into(),
    })
}

/// Surely in a group; or possibly, and nobody knows.
fn asked(end: Field, key: &str, name: &str) -> Condition {
    let unknown = Condition::Unknown(Unknown {
        property: Some(
            format!(
                "{} {key}",
                if end == Field::SourceIdentity {
                    "source"
                } else {
                    "destination"
                }
            )
            .into(),
        ),
        why: format!("whether this peer is one of {name} is not known").into(),
    });
    let may_be = Condition::All(vec![member(end, &possibly(key), name), unknown]);
    Condition::Any(vec![member(end, key, name), may_be])
}
