//! Label selectors of Cilium, to sets of pods and to entities.
//!
//! Labels have a source before a colon; without one, any source is meant ("Terminology", "Label Source"). Pods have the source
//! `k8s`, and labels for their namespace, its labels, their service account and their cluster besides ("Kubernetes Constructs").
//! INVARIANT: a key that no pod can have stays in the selector as it is written, so it selects no pod.

use super::super::cluster::NAME_LABEL;
use super::super::notes::Notes;
use super::super::policy::{Namespaces, PodSet, Who};
use super::super::selector::{Operator, Requirement, Selector, Terms};
use super::{Entity, Who as Ours};
use crate::source::Span;
use crate::tree::Node;

/// The label of a pod that is the name of its namespace.
const NAMESPACE: &str = "io.kubernetes.pod.namespace";
/// The same with its source.
const OF_OWN: &str = "k8s:io.kubernetes.pod.namespace";
/// What stands before a label of the pod's namespace.
const OF_NAMESPACE: &str = "io.cilium.k8s.namespace.labels.";
/// The label of a pod that is the name of its service account.
pub(super) const SERVICE_ACCOUNT: &str = "io.cilium.k8s.policy.serviceaccount";
/// The label of a pod that is the name of its cluster.
const CLUSTER: &str = "io.cilium.k8s.policy.cluster";
/// Labels that are no part of an identity, unless the agent is told so, by their beginnings ("Limiting Identity-Relevant Labels").
const LEFT_OUT: &[&str] = &[
    "io.kubernetes",
    "kubernetes.io",
    "k8s.io",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/controller-uid",
    "pod-template-generation",
    "pod-template-hash",
    "controller-revision-hash",
    "controller-uid",
    "annotation",
    "etcd_node",
];
/// Requirements of one selector, at the most. People write a handful.
const MAX_REQUIREMENTS: usize = 1000;

/// What a requirement asks of the namespace of a pod.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    /// Its name.
    Name {
        /// Whether it may give way to the namespace of a policy, if it is about its subject.
        may_give_way: bool,
    },
    /// A label of it.
    Label,
}

/// A selector taken apart by what its requirements are about.
struct Parts {
    namespaces: Vec<(About, Requirement)>,
    pods: Vec<Requirement>,
    /// About labels of the source `reserved`.
    reserved: Vec<Requirement>,
    /// Why it is not known whom it selects, if so.
    doubt: Option<String>,
    span: Span,
}

impl Parts {
    fn read(node: Node<'_>, notes: &mut Notes) -> Self {
        let selector = Selector::of(node, notes);
        let mut parts = Self {
            namespaces: Vec::new(),
            pods: Vec::new(),
            reserved: Vec::new(),
            doubt: selector
                .is_unread
                .then(|| "this selector could not be read".to_owned()),
            span: selector.span,
        };
        if selector.terms.requirements.len() > MAX_REQUIREMENTS {
            let message = format!(
                "a selector of {} requirements: those up to {MAX_REQUIREMENTS} are read",
                selector.terms.requirements.len()
            );
            notes.unread(selector.span, message, None);
            parts.doubt = Some("this selector is too large".to_owned());
        }
        for requirement in selector.terms.requirements.into_iter().take(MAX_REQUIREMENTS) {
            parts.take(requirement, notes);
        }
        parts
    }

    fn take(&mut self, requirement: Requirement, notes: &mut Notes) {
        let (source, key) = requirement
            .key
            .split_once(':')
            .unwrap_or(("any", &requirement.key));
        let with_key = |key: &str| Requirement {
            key: key.to_owned(),
            ..requirement.clone()
        };
        match source {
            "reserved" => self.reserved.push(requirement),
            "any" | "k8s" => {
                if key == NAMESPACE {
                    let is_label = requirement.operator == Operator::In && requirement.values.len() == 1;
                    let may_give_way = source == "k8s" && is_label;
                    let about = About::Name { may_give_way };
                    self.namespaces.push((about, with_key(NAME_LABEL)));
                } else if let Some(label) = key.strip_prefix(OF_NAMESPACE) {
                    self.namespaces.push((About::Label, with_key(label)));
                } else if key == CLUSTER {
                    // Every pod has it.
                    if requirement.operator != Operator::Exists {
                        self.doubt("which name the cluster has is not known", notes);
                    }
                } else if is_left_out(key) {
                    let why = format!("Cilium keeps label `{key}` only if it is told so");
                    self.doubt(&why, notes);
                } else {
                    self.pods.push(with_key(key));
                }
            }
            other => {
                let why = format!("who has labels of the source `{other}` is not known");
                self.doubt(&why, notes);
            }
        }
    }

    fn doubt(&mut self, why: &str, notes: &mut Notes) {
        notes.unsupported(self.span, why, None);
        self.doubt = Some(why.to_owned());
    }

    fn selector(&self, requirements: Vec<Requirement>) -> Selector {
        Selector {
            terms: Terms {
                requirements,
                ..Terms::default()
            },
            is_unread: false,
            span: self.span,
        }
    }

    /// Whether it asks for labels of namespaces, in a policy of a namespace, and for none by its name.
    ///
    /// Labels of namespaces are "supported only for a `CiliumClusterwideNetworkPolicy`" ("Namespace Specific Information"): older
    /// agents add the namespace of the policy to such a selector, newer ones do not (`getEndpointSelector`).
    fn is_scope_open(&self, own: Option<&str>) -> bool {
        let is_label = |(about, _): &(About, Requirement)| *about == About::Label;
        own.is_some() && !self.namespaces.is_empty() && self.namespaces.iter().all(is_label)
    }

    /// Whether it may select what is no pod: identities without a namespace meet all that is asked if it is only said what a label
    /// must not be. `getEndpointSelector` limits a selector to endpoints with a namespace unless it names one.
    fn may_be_no_pods(&self, own: Option<&str>) -> bool {
        let is_denied = |one: &Requirement| matches!(one.operator, Operator::NotIn | Operator::DoesNotExist);
        let is_named = self.namespaces.iter().any(|(about, _)| *about != About::Label);
        let of_namespaces = self.namespaces.iter().map(|(_, one)| one);
        (is_named || self.is_scope_open(own)) && of_namespaces.chain(&self.pods).all(is_denied)
    }

    /// Whoever it selects, of a policy of `own` or of the cluster: all answers together.
    fn peers(self, own: Option<&str>, notes: &mut Notes) -> Vec<Who> {
        let mut found = Vec::new();
        if self.may_be_no_pods(own) {
            let why = "whether what is in no namespace is meant too depends on the version of Cilium";
            let help =
                "name the namespaces that are meant, or ask besides that there is one: `operator: Exists`";
            notes.unsupported(self.span, why, Some(help));
            found.push(Who::Cilium(Ours::NoPods(why.to_owned())));
        }
        found.extend(self.in_scope(own, notes).into_iter().map(Who::Pods));
        found
    }

    /// The pods among them: if it is open whether other namespaces count, those of its own surely, and others perhaps.
    fn in_scope(self, own: Option<&str>, notes: &mut Notes) -> Vec<PodSet> {
        let (Some(name), true) = (own, self.is_scope_open(own)) else {
            return vec![self.pods(own)];
        };
        let why = "whether labels of other namespaces count in a policy of a namespace depends on the version of Cilium";
        let help = "name the namespace by `k8s:io.kubernetes.pod.namespace`, or make a policy of the cluster";
        notes.unsupported(self.span, why, Some(help));
        let mut anywhere = self.pods(own);
        let mut here = anywhere.clone();
        if let Namespaces::Selected(selector) = &mut here.namespaces {
            selector.terms.requirements.push(named(name));
            selector.terms.requirements.sort();
        }
        anywhere.pods.is_unread = true;
        vec![here, anywhere]
    }

    /// Pods in the namespaces that it names, else in `own`, else in all.
    fn pods(mut self, own: Option<&str>) -> PodSet {
        let namespaces: Vec<Requirement> = std::mem::take(&mut self.namespaces)
            .into_iter()
            .map(|(_, requirement)| requirement)
            .collect();
        let namespaces = match own {
            Some(own) if namespaces.is_empty() => Namespaces::Own(own.to_owned()),
            _ => Namespaces::Selected(self.selector(namespaces)),
        };
        let mut pods = self.selector(self.pods.clone());
        pods.is_unread = self.doubt.is_some();
        PodSet { namespaces, pods }
    }
}

/// Takes what Cilium asks of every pod's own label for its cluster from a selector of another API.
pub(super) fn without_cluster(selector: &mut Selector) {
    let is_of_cluster = |one: &Requirement| one.key == CLUSTER;
    let mut asked = selector
        .terms
        .requirements
        .iter()
        .filter(|one| is_of_cluster(one));
    selector.is_unread |= asked.any(|one| one.operator != Operator::Exists);
    selector.terms.requirements.retain(|one| !is_of_cluster(one));
}

fn is_left_out(key: &str) -> bool {
    LEFT_OUT.iter().any(|left_out| key.starts_with(left_out)) || key.contains("beta.kubernetes.io")
}

/// That a namespace is called so.
fn named(namespace: &str) -> Requirement {
    Requirement {
        key: NAME_LABEL.to_owned(),
        operator: Operator::In,
        values: vec![namespace.to_owned()],
    }
}

/// Whether a requirement asks for a label to be there, with the value that reserved labels have: none.
fn asks_for(requirement: &Requirement) -> bool {
    match requirement.operator {
        Operator::Exists => true,
        Operator::In => requirement.values.iter().all(String::is_empty),
        _ => false,
    }
}

/// Who is meant by an item of `fromEndpoints` or `toEndpoints`: all of these together.
///
/// "When no namespace is given the policy applies to all Kubernetes namespaces" of a clusterwide one; in others a selector
/// that does not say one means that of the policy ("Kubernetes Constructs", "Namespaces"); one with a reserved label means no
/// namespace at all.
pub(super) fn peers(node: Node<'_>, own: Option<&str>, notes: &mut Notes) -> Vec<Who> {
    let parts = Parts::read(node, notes);
    if parts.reserved.is_empty() {
        return parts.peers(own, notes);
    }
    let others = parts.namespaces.len() + parts.pods.len();
    let entity = match parts.reserved.as_slice() {
        [only] if others == 0 && parts.doubt.is_none() && asks_for(only) => {
            only.key.split_once(':').and_then(|(_, name)| Entity::of(name))
        }
        _ => None,
    };
    let who = if let Some(entity) = entity {
        Ours::Entity(entity)
    } else {
        let why = "who has such reserved labels is not known";
        notes.unsupported(parts.span, why, None);
        Ours::Anybody(why.to_owned())
    };
    vec![Who::Cilium(who)]
}

/// What an item of `fromRequires` or `toRequires` asks of peers: to be in one of these.
pub(super) fn required(node: Node<'_>, own: Option<&str>, notes: &mut Notes) -> Vec<PodSet> {
    let mut parts = Parts::read(node, notes);
    let reserved = std::mem::take(&mut parts.reserved);
    parts.pods.extend(reserved);
    parts.in_scope(own, notes)
}

/// The nodes that a `nodeSelector` selects: their host endpoints have their labels, and `reserved:host` ("Host Firewall").
pub(super) fn nodes(node: Node<'_>, notes: &mut Notes) -> Selector {
    let mut parts = Parts::read(node, notes);
    let is_of_host = |one: &Requirement| one.key == "reserved:host" && asks_for(one);
    if parts.reserved.iter().any(|one| !is_of_host(one)) {
        parts.doubt("which nodes have such reserved labels is not known", notes);
    }
    let of_namespaces = std::mem::take(&mut parts.namespaces);
    let mut asked = std::mem::take(&mut parts.pods);
    // No node is in a namespace, so it has no such label.
    asked.extend(of_namespaces.into_iter().map(|(_, one)| one));
    asked.sort();
    Selector {
        is_unread: parts.doubt.is_some(),
        ..parts.selector(asked)
    }
}

/// The pods that an `endpointSelector` selects: of a policy of a namespace, those in it. `None`: endpoints that are no pods.
///
/// A namespace that a policy names with the source `k8s` gives way to its own ("`EndpointSelector` always applies in namespace of the
/// policy resource", as the agent says in its log).
pub(super) fn subject(node: Node<'_>, own: Option<&str>, notes: &mut Notes) -> Option<PodSet> {
    let mut parts = Parts::read(node, notes);
    let is_needed = |one: &Requirement| matches!(one.operator, Operator::In | Operator::Exists);
    if parts.reserved.iter().any(is_needed) {
        return None;
    }
    // What else is asked of reserved labels holds of every pod, since pods have none.
    parts.reserved.clear();
    let Some(own) = own else {
        return Some(parts.pods(None));
    };
    let label = node.get("matchLabels").and_then(|labels| labels.get(OF_OWN));
    if let Some(label) = label.and_then(|label| label.text()) {
        parts
            .namespaces
            .retain(|(about, one)| *about != About::Name { may_give_way: true } || one.values != [label]);
    }
    if !parts.namespaces.is_empty() {
        let about = About::Name { may_give_way: false };
        parts.namespaces.push((about, named(own)));
    }
    Some(parts.pods(Some(own)))
}
