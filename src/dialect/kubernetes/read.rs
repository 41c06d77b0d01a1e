//! Texts to a cluster: every object that says who is there or who may talk to whom.
//!
//! INVARIANT: an object that filters but is not understood is a notice and stands in [`Cluster::foreign`].

use std::collections::BTreeMap;

use super::cluster::{Cluster, Foreign, Namespace, Pods};
use super::foreign::{Standing, standing};
use super::notes::Notes;
use super::object::Object;
use super::policy::Policy;
use super::{calico, cilium, network_policy, node, service, tiered, workload};
use crate::finding::{Code, Finding, Label};
use crate::source::{Source, Span};
use crate::tree::{Schema, Tree};

/// Groups whose objects filter traffic too, with who reads them.
const FOREIGN: &[(&str, &str)] = &[("crd.antrea.io", "Antrea"), ("k8s.ovn.org", "OVN-Kubernetes")];
/// Of those groups, kinds that filter.
const FILTERS: &[&str] = &[
    "NetworkPolicy",
    "ClusterNetworkPolicy",
    "EgressFirewall",
    "UserDefinedNetwork",
    "ClusterUserDefinedNetwork",
];

/// Whether objects of a kind that makes no pods are read or at least asked about.
pub(super) fn matters(kind: &str) -> bool {
    let is_policy = kind.ends_with("NetworkPolicy");
    is_policy
        || FILTERS.contains(&kind)
        || cilium::kinds().any(|known| known == kind)
        || matches!(kind, "Namespace" | "Service" | "Node")
}

/// The groups of others whose policies are not read.
pub(super) fn foreign_groups() -> impl Iterator<Item = &'static str> {
    FOREIGN.iter().map(|(group, _)| *group)
}

/// Reads all texts of a run.
pub(super) fn cluster(unit: &[Source<'_>], findings: &mut Vec<Finding>) -> Cluster {
    let mut reader = Reader::default();
    let trees: Vec<Tree<'_>> = unit
        .iter()
        .map(|source| Tree::read(*source, Schema::Kubernetes))
        .collect();
    let mut last = Vec::new();
    for tree in &trees {
        for problem in tree.problems() {
            reader.notes.problem(problem);
        }
        for object in Object::all(tree, &mut reader.notes) {
            if calico::is_read_last(object) {
                last.push(object);
            } else {
                reader.object(object);
            }
        }
    }
    for object in last {
        reader.object(object);
    }
    reader.finish(findings)
}

#[derive(Default)]
struct Reader {
    cluster: Cluster,
    notes: Notes,
    /// Where each object is that may be there once, by kind, namespace and name.
    seen: BTreeMap<(String, String, String), Span>,
}

impl Reader {
    fn object(&mut self, object: Object<'_>) {
        if let Some(standing) = standing(object) {
            return self.of_plugins(object, standing);
        }
        let group = object.group();
        match (group, object.kind) {
            ("", "Namespace") => self.namespace(object),
            ("", "Node") => node::read(object, &mut self.cluster, &mut self.notes),
            ("", "ConfigMap") => cilium::read_config(object, &mut self.cluster, &mut self.notes),
            ("", "Service") => {
                let service = service::read(object, &mut self.notes);
                self.cluster.services.push(service);
            }
            ("networking.k8s.io" | "extensions", "NetworkPolicy") => {
                if self.is_first(object) {
                    network_policy::read(object, &mut self.cluster, &mut self.notes);
                }
            }
            ("policy.networking.k8s.io", kind) if kind.ends_with("NetworkPolicy") => {
                if self.is_first(object) && !tiered::read(object, &mut self.cluster, &mut self.notes) {
                    self.foreign(object, "the network policy API");
                }
            }
            ("", "ServiceAccount") => {
                calico::read_service_account(object, &mut self.cluster, &mut self.notes);
            }
            (group, kind) if FILTERS.contains(&kind) => {
                if let Some((_, whose)) = FOREIGN.iter().find(|(of, _)| *of == group) {
                    self.foreign(object, whose);
                }
            }
            _ => {
                if let Some(pods) = workload::read(object, &mut self.notes)
                    && self.is_first(object)
                {
                    self.cluster.pods.push(pods);
                }
            }
        }
    }

    /// An object of the groups of Calico and Cilium.
    fn of_plugins(&mut self, object: Object<'_>, standing: Standing) {
        let is_calico = calico::is_of(object.group());
        self.cluster.calico.is_there |= is_calico;
        match standing {
            Standing::Read | Standing::FiltersNothing if is_calico => {
                if self.is_first(object) {
                    calico::read(object, &mut self.cluster, &mut self.notes);
                }
            }
            Standing::Read => {
                if self.is_first(object) {
                    cilium::read(object, &mut self.cluster, &mut self.notes);
                }
            }
            Standing::FiltersNothing => {}
            Standing::UnknownKind => {
                let message = format!("`{}` is no kind of {} that is known", object.kind, object.group());
                self.unknown(object, "kind", message);
            }
            Standing::UnknownVersion => {
                let message = format!("`{}` is no version of {} that is known", object.api, object.kind);
                self.unknown(object, "apiVersion", message);
            }
        }
    }

    /// An object that may filter, for all that is known of it.
    fn unknown(&mut self, object: Object<'_>, key: &str, message: String) {
        let (_, name) = object.name();
        let span = object.node.get(key).map_or(name, |value| value.span());
        let help = "correct it, or leave the object out if it filters nothing";
        self.notes.unsupported(span, message.as_str(), Some(help));
        let namespace = object.written_namespace().map(str::to_owned);
        self.cluster.foreign.push(Foreign {
            why: message,
            ..Foreign::unread(namespace, span)
        });
    }

    /// Whether no object of that kind and name was there before. Which of two would be in force is not known.
    fn is_first(&mut self, object: Object<'_>) -> bool {
        let (name, span) = object.name();
        let is_calico = calico::is_of(object.group());
        let is_of_cluster = object.group() == "policy.networking.k8s.io"
            || is_calico && calico::is_global(object.kind)
            || object.group() == cilium::GROUP && cilium::is_of_cluster(object.kind);
        let namespace = if is_of_cluster { "" } else { object.namespace() };
        let kind = if is_calico {
            format!("Calico {}", object.kind)
        } else {
            object.kind.to_owned()
        };
        let key = (kind, namespace.to_owned(), name.to_owned());
        match self.seen.get(&key) {
            None => {
                self.seen.insert(key, span);
                true
            }
            Some(first) => {
                let message = format!(
                    "{} `{name}` is there twice, and which is in force is not known",
                    object.kind
                );
                let label = Label::new(span, "the second");
                let finding = Finding::new(Code::UnreadText, message, Some(label))
                    .related(Label::new(*first, "the first"))
                    .help("give the manifests of one cluster at a time");
                self.notes.findings.push(finding);
                false
            }
        }
    }

    fn namespace(&mut self, object: Object<'_>) {
        let (name, span) = object.name();
        let mut namespace = Namespace {
            is_declared: true,
            ..Namespace::used(name)
        };
        if let Some(labels) = object.labels() {
            let are_read = self.notes.labels(labels, &mut namespace.labels);
            namespace.is_declared = are_read;
        }
        // Applications often declare the namespace that they are in, each of them.
        if let Some(first) = self.cluster.namespaces.get(name) {
            if first.labels != namespace.labels {
                let message = format!("Namespace `{name}` is there before with other labels");
                self.notes
                    .unread(span, message, Some("give the manifests of one cluster at a time"));
            }
            return;
        }
        self.cluster.namespaces.insert(name.to_owned(), namespace);
    }

    /// An object that filters and is not read.
    fn foreign(&mut self, object: Object<'_>, whose: &str) {
        let (_, span) = object.name();
        let is_of_cluster = object.kind.starts_with("Global") || object.kind.contains("Cluster");
        let namespace = (!is_of_cluster).then(|| object.namespace().to_owned());
        let message = format!("{} of {whose} is not read", object.kind);
        let help = "what it lets through is not known";
        self.notes.unsupported(span, message, Some(help));
        self.cluster.foreign.push(Foreign::unread(namespace, span));
    }

    fn finish(mut self, findings: &mut Vec<Finding>) -> Cluster {
        let cluster = &mut self.cluster;
        drop_owned(&mut cluster.pods);
        cilium::finish(cluster, &mut self.notes);
        let used = cluster.pods.iter().map(|pods| pods.namespace.clone());
        let used = used.chain(
            cluster
                .policies
                .iter()
                .filter_map(|policy| policy.namespace.clone()),
        );
        let used: Vec<String> = used.collect();
        for name in used {
            let namespace = || Namespace::used(&name);
            cluster.namespaces.entry(name.clone()).or_insert_with(namespace);
        }
        let place = |one: &Policy| {
            (
                one.tier.clone(),
                one.order,
                one.namespace.clone(),
                one.name.clone(),
            )
        };
        cluster.policies.sort_by_cached_key(place);
        if cluster.calico.is_there {
            calico::finish(cluster);
        }
        cluster.look();
        for (index, policy) in cluster.policies.iter().enumerate() {
            let namespace = policy.namespace.clone().unwrap_or_default();
            let (indices, asked) = cluster.policies_of.entry(namespace).or_default();
            indices.push(index);
            asked.add(&policy.subject.pods);
        }
        cluster
            .pods
            .sort_by(|a, b| (&a.namespace, &a.name, a.kind).cmp(&(&b.namespace, &b.name, b.kind)));
        findings.append(&mut self.notes.findings);
        self.cluster
    }
}

/// Leaves of pods, replica sets and jobs those that nothing of the run made; the others give it their addresses.
fn drop_owned(all: &mut Vec<Pods>) {
    let key = |pods: &Pods| (pods.namespace.clone(), pods.kind.to_owned(), pods.name.clone());
    let index: BTreeMap<_, usize> = all
        .iter()
        .enumerate()
        .map(|(index, pods)| (key(pods), index))
        .collect();
    let owner = |pods: &Pods| {
        let (kind, name) = pods.owner.clone()?;
        index.get(&(pods.namespace.clone(), kind, name)).copied()
    };
    let owners: Vec<Option<usize>> = all.iter().map(owner).collect();
    let mut given: Vec<(usize, Vec<std::net::IpAddr>)> = Vec::new();
    for (index, pods) in all.iter().enumerate() {
        let mut root = index;
        // A circle of owners would be an error of the dump; three steps are the longest way there is.
        for _ in 0..4 {
            root = owners.get(root).copied().flatten().unwrap_or(root);
        }
        if root != index && !pods.addresses.is_empty() {
            given.push((root, pods.addresses.clone()));
        }
    }
    for (root, addresses) in given {
        if let Some(pods) = all.get_mut(root) {
            pods.addresses.extend(addresses);
        }
    }
    let mut owners = owners.into_iter();
    all.retain(|_| owners.next().flatten().is_none());
}
