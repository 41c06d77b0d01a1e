//! Labels with a source, and what selectors say of them, as Cilium's documents have it. INVARIANT: it shares no code with the reader.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

/// A label: source, key, value.
pub(super) type Label = (String, String, String);

/// The label of a pod that is the name of its namespace.
pub(super) const NAMESPACE: &str = "io.kubernetes.pod.namespace";

pub(super) fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value[key].as_array().into_iter().flatten()
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The selector of a subject. A policy of a namespace sets the label for it, whatever was written there.
pub(super) fn of_own(selector: &Value, own: &str) -> Value {
    let mut selector = selector.clone();
    if let Some(labels) = selector["matchLabels"]
        .as_object_mut()
        .filter(|_| !own.is_empty())
    {
        labels.remove("k8s:io.kubernetes.pod.namespace");
    }
    selector
}

/// A label of the pod's namespace, as one of the namespace.
pub(super) fn namespace_label(label: &Label) -> Option<Label> {
    let key = label.1.strip_prefix("io.cilium.k8s.namespace.labels.")?;
    Some((label.0.clone(), key.to_owned(), label.2.clone()))
}

/// A selector of a peer, with the namespace that it does not say: that of the policy, or any. `None`: agents differ.
///
/// Older agents add the namespace of the policy to labels of namespaces too. What is no pod has no namespace, and meets all that
/// is only denied, unless the selector is limited to a namespace.
pub(super) fn in_scope(selector: &Value, own: &str, labels: &BTreeSet<Label>) -> Option<bool> {
    let keys = selector["matchLabels"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.clone());
    let expressions = list(selector, "matchExpressions").map(|one| text(&one["key"]));
    let keys: Vec<String> = keys
        .chain(expressions)
        .map(|key| key.split_once(':').map_or(key.clone(), |(_, key)| key.to_owned()))
        .collect();
    let says_name = keys.iter().any(|key| key == NAMESPACE);
    let says_label = keys
        .iter()
        .any(|key| key.starts_with("io.cilium.k8s.namespace.labels."));
    let namespace = labels
        .iter()
        .find(|label| label.1 == NAMESPACE)
        .map(|label| label.2.as_str());
    let is_selected = selects(selector, labels);
    let is_free = says_name || (says_label && !own.is_empty());
    match namespace {
        _ if !is_selected => Some(false),
        None => {
            if is_free {
                None
            } else {
                Some(false)
            }
        }
        Some(_) if says_name || own.is_empty() => Some(true),
        Some(namespace) if namespace == own => Some(true),
        Some(_) => {
            if says_label {
                None
            } else {
                Some(false)
            }
        }
    }
}

pub(super) fn selects(selector: &Value, labels: &BTreeSet<Label>) -> bool {
    let value = |key: &str| {
        let (source, key) = key.split_once(':').unwrap_or(("any", key));
        let mut labels = labels.iter();
        labels
            .find(|label| label.1 == key && (source == "any" || label.0 == source))
            .map(|label| label.2.clone())
    };
    let mut equal = selector["matchLabels"].as_object().into_iter().flatten();
    let mut expressions = list(selector, "matchExpressions");
    equal.all(|(key, wanted)| value(key).as_deref() == wanted.as_str())
        && expressions.all(|one| {
            let found = value(one["key"].as_str().unwrap());
            let is_one = found
                .clone()
                .is_some_and(|found| list(one, "values").any(|it| *it == found));
            match one["operator"].as_str().unwrap() {
                "In" => is_one,
                "NotIn" => !is_one,
                "Exists" => found.is_some(),
                _ => found.is_none(),
            }
        })
}

pub(super) fn is_in(block: &str, address: IpAddr) -> bool {
    let (IpAddr::V4(address), Some((network, prefix))) = (address, block.split_once('/')) else {
        return false;
    };
    let network: std::net::Ipv4Addr = network.parse().unwrap();
    let prefix: u32 = prefix.parse().unwrap();
    let shift = 32 - prefix;
    shift == 32 || u32::from(address) >> shift == u32::from(network) >> shift
}
