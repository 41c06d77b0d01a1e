//! The labels that Calico's selectors see: those of pods, of their namespaces and of their service accounts.
//!
//! Semantics: libcalico-go, lib/backend/k8s/conversion (`NamespaceToProfile`, `ServiceAccountToProfile`, `podToWorkloadEndpoint`)
//! and lib/backend/syncersv1/updateprocessors, where selectors of namespaces become selectors of labels with a prefix.
//! INVARIANT: what no manifest says of a namespace or a service account is open, never absent.

use super::Calico;
use crate::dialect::kubernetes::cluster::{Namespace, Pods};
use crate::dialect::kubernetes::selector::{ANY_KEY, Labels, Seen};

/// The name of a namespace or a service account, as a label of it.
pub(in crate::dialect::kubernetes) const NAME: &str = "projectcalico.org/name";
/// What is in a namespace has its name under this key.
pub(super) const NAMESPACE: &str = "projectcalico.org/namespace";
/// What runs under a service account has its name under this key.
pub(super) const SERVICE_ACCOUNT: &str = "projectcalico.org/serviceaccount";
const ORCHESTRATOR: &str = "projectcalico.org/orchestrator";
/// What the keys of labels of the namespace begin with.
pub(super) const OF_NAMESPACE: &str = "pcns.";
/// What the keys of labels of the service account begin with.
pub(super) const OF_SERVICE_ACCOUNT: &str = "pcsa.";

impl Calico {
    /// What selectors see of pods of a namespace.
    pub(in crate::dialect::kubernetes) fn seen(&self, pods: &Pods, namespace: &Namespace) -> Seen {
        let account = pods.service_account.clone();
        let mut labels = Labels::new();
        let mut open: Vec<&'static str> = Vec::new();
        let key = |account: Option<String>| (pods.namespace.clone(), account);
        let profiles = [Some(key(None)), account.clone().map(|name| key(Some(name)))];
        for applied in profiles.iter().flatten().filter_map(|key| self.applied.get(key)) {
            labels.extend(applied.clone());
        }
        labels.extend(pods.labels.clone());
        labels.extend(of_namespace(namespace, &mut open));
        labels.insert(ORCHESTRATOR.to_owned(), "k8s".to_owned());
        match account {
            None => open.extend([OF_SERVICE_ACCOUNT, SERVICE_ACCOUNT]),
            Some(account) => {
                labels.insert(SERVICE_ACCOUNT.to_owned(), account.clone());
                let key = (pods.namespace.clone(), account.clone());
                match self.service_accounts.get(&key) {
                    Some(of_account) => labels.extend(prefixed(OF_SERVICE_ACCOUNT, of_account)),
                    None => open.push(OF_SERVICE_ACCOUNT),
                }
                labels.insert(format!("{OF_SERVICE_ACCOUNT}{NAME}"), account);
            }
        }
        if pods.is_unread {
            open = ANY_KEY.to_vec();
        }
        Seen { labels, open }
    }
}

/// The labels that come of being in a namespace.
pub(super) fn of_namespace(namespace: &Namespace, open: &mut Vec<&'static str>) -> Labels {
    let mut labels: Labels = prefixed(OF_NAMESPACE, &namespace.labels).collect();
    labels.insert(format!("{OF_NAMESPACE}{NAME}"), namespace.name.clone());
    labels.insert(NAMESPACE.to_owned(), namespace.name.clone());
    if !namespace.is_declared {
        open.push(OF_NAMESPACE);
    }
    labels
}

fn prefixed(prefix: &str, labels: &Labels) -> impl Iterator<Item = (String, String)> {
    let with = move |(key, value): (&String, &String)| (format!("{prefix}{key}"), value.clone());
    labels.iter().map(with)
}
