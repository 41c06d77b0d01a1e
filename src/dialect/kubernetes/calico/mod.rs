//! Calico: `projectcalico.org/v3`, and `crd.projectcalico.org/v1` as the same objects lie in a cluster.
//!
//! Policies become [`Policy`](super::policy::Policy)s in tiers of their own or in that of `NetworkPolicy`, so that all policies of
//! a cluster are asked in one order (docs.tigera.io, "Tier"). INVARIANT: policies are read when all other objects are, so what
//! they refer to (tiers, sets of networks, services) is there or is said to be missing.

mod entity;
mod expression;
mod felix;
mod host;
mod labels;
mod parser;
mod policy;
mod profile;
mod rule;
mod service;
mod set;
mod staged;
mod tier;

use std::collections::BTreeMap;

use super::cluster::Cluster;
use super::notes::Notes;
use super::object::Object;
use super::policy::{Policy, Rule};
use super::selector::Labels;
use super::tier::Tier;
use crate::packet::Network;

pub(super) use felix::Failsafe;
pub(super) use host::{HostEndpoint, Interface};
pub(super) use labels::NAME;

/// The group of its API.
pub(super) const GROUP: &str = "projectcalico.org";
/// The group of its objects where Kubernetes keeps them.
const STORED_GROUP: &str = "crd.projectcalico.org";

/// What a cluster says of Calico besides policies.
#[derive(Debug, Default)]
pub(super) struct Calico {
    /// Whether there is any object of its groups: then it is what enforces the policies of Kubernetes too.
    pub(super) is_there: bool,
    tiers: BTreeMap<String, Tier>,
    sets: Vec<set::Addresses>,
    /// Blocks that pods have their addresses of.
    pools: Vec<Network>,
    /// Whether a pool has its traffic between nodes put into packets of nodes.
    has_tunnels: bool,
    /// How many blocks of addresses selectors take.
    n_blocks: usize,
    pub(super) hosts: Vec<HostEndpoint>,
    /// What Felix is configured to do, by the names of the objects.
    felix: BTreeMap<String, felix::Felix>,
    /// What the site says of it.
    given: felix::Felix,
    /// Labels of service accounts by namespace and name, as far as manifests declare them.
    service_accounts: BTreeMap<(String, String), Labels>,
    /// Labels that profiles give to the pods of a namespace, or of a service account of it.
    applied: BTreeMap<(String, Option<String>), Labels>,
    /// What is to be said of the cluster.
    pub(super) remarks: Vec<String>,
}

/// Whether an object is Calico's.
pub(super) fn is_of(group: &str) -> bool {
    group == GROUP || group == STORED_GROUP
}

/// The versions of a group.
pub(super) fn versions(group: &str) -> &'static [&'static str] {
    if group == GROUP { &["v3"] } else { &["v1"] }
}

/// Kinds that files are read for, if they name the API.
pub(super) fn matters(kind: &str, text: &str) -> bool {
    let kinds = [
        "NetworkSet",
        "GlobalNetworkSet",
        "FelixConfiguration",
        "HostEndpoint",
        "Tier",
        "Profile",
    ];
    kinds.contains(&kind) && text.contains(GROUP)
}

/// The kinds that are read, for `portcullis dialects`.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    let kinds = [
        "NetworkPolicy",
        "GlobalNetworkPolicy",
        "Tier",
        "NetworkSet",
        "GlobalNetworkSet",
        "FelixConfiguration",
        "HostEndpoint",
        "IPPool",
        "Profile",
        "StagedNetworkPolicy",
        "StagedGlobalNetworkPolicy",
        "StagedKubernetesNetworkPolicy",
    ];
    kinds.into_iter()
}

/// Whether an object is read when all others are.
pub(super) fn is_read_last(object: Object<'_>) -> bool {
    let kinds = ["NetworkPolicy", "GlobalNetworkPolicy", "Profile"];
    is_of(object.group()) && kinds.contains(&object.kind)
}

/// Whether objects of a kind are in no namespace.
pub(super) fn is_global(kind: &str) -> bool {
    kind.contains("Global")
        || matches!(
            kind,
            "Tier" | "Profile" | "HostEndpoint" | "IPPool" | "FelixConfiguration"
        )
}

/// Reads an object of a kind that is known.
pub(super) fn read(object: Object<'_>, cluster: &mut Cluster, notes: &mut Notes) {
    match object.kind {
        "NetworkPolicy" | "GlobalNetworkPolicy" => policy::read(object, cluster, notes),
        "Profile" => profile::read(object, cluster, notes),
        "Tier" => tier::read(object, &mut cluster.calico, notes),
        "NetworkSet" | "GlobalNetworkSet" => set::read(object, &mut cluster.calico, notes),
        "IPPool" => set::read_pool(object, &mut cluster.calico, notes),
        "HostEndpoint" => host::read(object, &mut cluster.calico, notes),
        kind if kind.starts_with("Staged") => staged::read(object, notes),
        "FelixConfiguration" => felix::read(object, &mut cluster.calico, notes),
        "KubeControllersConfiguration" | "WorkloadEndpoint" => {
            let remark = format!(
                "{} of Calico is not read: what it says of nodes is not modelled, pods are read from their manifests",
                object.kind
            );
            cluster.calico.remark(vec![remark]);
        }
        _ => {}
    }
}

/// Takes the labels of a service account.
pub(super) fn read_service_account(object: Object<'_>, cluster: &mut Cluster, notes: &mut Notes) {
    let mut found = Labels::new();
    let are_read = object
        .labels()
        .is_none_or(|labels| notes.labels(labels, &mut found));
    let key = (object.namespace().to_owned(), object.name().0.to_owned());
    if are_read {
        cluster.calico.service_accounts.insert(key, found);
    }
}

/// What Calico does to the rest of a cluster: namespaces have their names as labels under a key of its own, and blocks of
/// addresses of `NetworkPolicy` are about pods too (libcalico-go, `K8sNetworkPolicyToCalico`).
pub(super) fn finish(cluster: &mut Cluster) {
    for (name, namespace) in &mut cluster.namespaces {
        namespace.labels.insert(NAME.to_owned(), name.clone());
    }
    if let Some(tier) = cluster.calico.tiers.get(Tier::DEFAULT) {
        let of_default = |policy: &&mut Policy| *policy.tier.name == *Tier::DEFAULT;
        for policy in cluster.policies.iter_mut().filter(of_default) {
            policy.tier = tier.clone();
        }
    }
    let pools = &cluster.calico.pools;
    let policies = cluster.policies.iter_mut();
    let rules = policies.flat_map(|policy| policy.ingress.iter_mut().chain(policy.egress.iter_mut()));
    for who in rules.flat_map(|rules| &mut rules.rules).flat_map(Rule::all_who) {
        for block in who.blocks_mut() {
            block.pods = set::pods_in(block, pools);
        }
    }
}
