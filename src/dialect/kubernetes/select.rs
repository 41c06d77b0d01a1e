//! Which pods a set takes, and which are subjects of a policy.
//!
//! INVARIANT: a namespace that no manifest declares may have any label, so only its name is sure of it.

use super::cluster::{Namespace, Pods};
use super::policy::{Namespaces, PodSet, Policy, Ties};
use super::truth::Truth;

/// Whether a policy is about pods.
pub(super) fn is_subject(policy: &Policy, namespace: &Namespace, pods: &Pods) -> Truth {
    let is_selected = selects(&policy.subject, namespace, pods, namespace);
    let limit = if policy.is_subject_unread {
        Truth::Maybe
    } else {
        Truth::Yes
    };
    match (pods.is_on_host_network, policy.ties) {
        (false, _) => is_selected.and(limit),
        // "Host policies": pods in the network of their node are its host endpoint, which only a `nodeSelector` selects.
        (true, _) if policy.cilium.is_some() => Truth::No,
        // "NetworkPolicy behaviour for hostNetwork pods is undefined."
        (true, Ties::Union) => is_selected.and(Truth::Maybe),
        // "Note that host-networked pods are not included in subject selection."; nor are they workload endpoints of Calico
        // (libcalico-go, `IsValidCalicoWorkloadEndpoint`).
        (true, Ties::Open | Ties::ByName) => Truth::No,
    }
}

/// Whether pods are in a set; `of_subject` is the namespace of the policy's subject.
pub(super) fn selects(set: &PodSet, namespace: &Namespace, pods: &Pods, of_subject: &Namespace) -> Truth {
    let is_namespace = looks_into(&set.namespaces, namespace, of_subject);
    if is_namespace == Truth::No {
        return Truth::No;
    }
    is_namespace.and(set.pods.selects(&pods.seen.labels, &pods.seen.open))
}

/// Whether a set looks into a namespace.
pub(super) fn looks_into(namespaces: &Namespaces, namespace: &Namespace, of_subject: &Namespace) -> Truth {
    match namespaces {
        Namespaces::Own(own) => Truth::of(*own == namespace.name),
        Namespaces::Selected(selector) => selector.selects(&namespace.labels, namespace.open()),
        Namespaces::Same(labels) => {
            let same = labels
                .iter()
                .map(|label| same_label(label, namespace, of_subject));
            Truth::of(!labels.is_empty()).and(Truth::all(same))
        }
        Namespaces::NotSame(labels) => not_same(labels, namespace, of_subject),
    }
}

/// Whether both namespaces have a label with the same value.
fn same_label(label: &str, namespace: &Namespace, of_subject: &Namespace) -> Truth {
    match (namespace.labels.get(label), of_subject.labels.get(label)) {
        (Some(one), Some(other)) => Truth::of(one == other),
        (None, _) if namespace.is_declared => Truth::No,
        (_, None) if of_subject.is_declared => Truth::No,
        _ => Truth::Maybe,
    }
}

/// `notSameLabels`: its definition changed while v1alpha1 was made, so only what holds by all of them is sure.
fn not_same(labels: &[String], namespace: &Namespace, of_subject: &Namespace) -> Truth {
    if labels.is_empty() {
        return Truth::No;
    }
    let same: Vec<Truth> = labels
        .iter()
        .map(|label| same_label(label, namespace, of_subject))
        .collect();
    if same.iter().all(|same| *same == Truth::Yes) {
        return Truth::No;
    }
    let has_all = labels.iter().all(|label| namespace.labels.contains_key(label));
    let differs = same.iter().all(|same| *same == Truth::No);
    if has_all && differs {
        Truth::Yes
    } else {
        Truth::Maybe
    }
}
