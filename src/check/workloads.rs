//! Workloads of clusters to hosts: which bindings mean which, and who each is to the rules of others.
//!
//! INVARIANT: a workload that no binding means is a peer like any other, and a host only where it is held against no table. One in the network of its node is no host
//! either: what comes to it is decided at the node.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::behind::Behind;
use super::inputs::Unit;
use crate::evaluate::Addresses;
use crate::finding::Summary;
use crate::model::{Identities, Identity, PodLabels, Workload, keys_asked};
use crate::packet::Network;
use crate::packet::address::number;
use crate::site::{Binding, Site};

/// Which workloads are hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    /// Those that bindings mean: the others are held against nothing.
    Bound,
    /// All, where states are compared: of those in the network of their node it is open whether policies apply.
    Everybody,
}

/// A workload with what is known of it.
pub(super) struct Pods<'u> {
    pub(super) workload: &'u Workload,
    /// The bindings that mean it.
    pub(super) bindings: Vec<usize>,
    /// Its number among the identities of the run.
    pub(super) identity: u32,
    /// Its addresses, where the cluster said them.
    pub(super) addresses: Addresses,
}

impl Pods<'_> {
    /// Whether it is a host of its own.
    pub(super) fn is_host(&self, whom: Whom) -> bool {
        let is_bound = !self.bindings.is_empty() && !self.workload.is_on_host_network;
        is_bound || whom == Whom::Everybody
    }
}

/// The workloads of a site.
pub(super) struct Workloads<'u> {
    pub(super) all: Vec<Pods<'u>>,
    /// Pods that may be made and that a binding would mean: the binding and their number.
    pub(super) possible: Vec<(usize, u32)>,
}

impl<'u> Workloads<'u> {
    /// The workloads of units, with all the peers that their policies or the bindings can tell apart numbered.
    pub(super) fn of(
        site: &Site,
        units: &'u [Unit],
        behind: &Behind<'_>,
        identities: &mut Identities,
    ) -> Self {
        let (mut all, mut possible) = (Vec::new(), Vec::new());
        for unit in units {
            let mut classes = merged(site, &unit.reading.identities);
            let mut bound = Vec::new();
            for workload in &unit.reading.workloads {
                let bindings = site.bindings.iter().enumerate();
                let meant = bindings.filter(|(_, binding)| means(binding, workload));
                let meant: Vec<usize> = meant.map(|(at, _)| at).collect();
                if let Some((class, _)) = classes.get_mut(workload.identity)
                    && let Some(grouped) = behind.of_bindings(&meant)
                {
                    class.groups.extend(grouped.keys());
                    class.groups.sort_unstable();
                    class.others = grouped.others();
                }
                bound.push((workload, meant));
            }
            let numbers: Vec<u32> = classes
                .into_iter()
                .map(|(class, meant)| {
                    let number = identities.add(class);
                    possible.extend(meant.into_iter().map(|binding| (binding, number)));
                    number
                })
                .collect();
            all.extend(bound.into_iter().filter_map(|(workload, bindings)| {
                let known = &unit.reading.identities.get(workload.identity)?.addresses;
                Some(Pods {
                    workload,
                    bindings,
                    identity: *numbers.get(workload.identity)?,
                    addresses: Addresses::of(known.iter().filter_map(|address| {
                        let bits = number(*address).0.bits();
                        Network::cidr(*address, bits)
                    })),
                })
            }));
        }
        Self { all, possible }
    }

    /// Whether a binding means some workload.
    pub(super) fn has_binding(&self, at: usize) -> bool {
        self.all.iter().any(|pods| pods.bindings.contains(&at))
    }

    /// The groups that the policies of workloads ask about: nobody may be in one.
    pub(super) fn groups_asked(&self) -> BTreeSet<Arc<str>> {
        let chains = self.all.iter().flat_map(|pods| &pods.workload.ruleset.chains);
        keys_asked(chains.flat_map(|chain| &chain.rules))
            .into_keys()
            .collect()
    }

    /// Says which workloads were held against no table, and why.
    pub(super) fn unchecked(&self, whom: Whom, summary: &mut Summary) {
        let is_unbound = |pods: &&Pods<'_>| pods.bindings.is_empty() && matches!(whom, Whom::Bound);
        let unbound: Vec<_> = self.all.iter().filter(is_unbound).collect();
        if let Some(who) = called(&unbound) {
            summary
                .unchecked
                .push(format!("{who}: held against no table, since no binding means it"));
        }
        let is_node = |pods: &&Pods<'_>| !pods.bindings.is_empty() && pods.workload.is_on_host_network;
        if let Some(who) = called(&self.all.iter().filter(is_node).collect::<Vec<_>>()) {
            summary.unchecked.push(format!(
                "{who}: in the network of the node, so what gets in is decided there; bind the roles to nodes too"
            ));
        }
    }
}

/// The classes of a unit, each with the bindings that mean it, if it is pods that may be made: those that neither policies nor
/// bindings tell apart are one. Those that there are stand first, and keep their places.
fn merged(site: &Site, all: &[Identity]) -> Vec<(Identity, Vec<usize>)> {
    let mut found: Vec<(Identity, Vec<usize>)> = Vec::new();
    let mut known: BTreeMap<(&[Arc<str>], Vec<usize>), usize> = BTreeMap::new();
    for class in all {
        let Some(pods) = &class.pods else {
            found.push((class.clone(), Vec::new()));
            continue;
        };
        let bindings = site.bindings.iter().enumerate();
        let meant = bindings.filter(|(_, binding)| mean_all(binding, pods));
        let meant: Vec<usize> = meant.map(|(at, _)| at).collect();
        match known.get(&(&*class.groups, meant.clone())) {
            None => {
                known.insert((&*class.groups, meant.clone()), found.len());
                found.push((class.clone(), meant));
            }
            // Of several namespaces, that which is not there stands for all.
            Some(at) if pods.namespace.is_none() => {
                if let Some((same, _)) = found.get_mut(*at) {
                    *same = class.clone();
                }
            }
            Some(_) => {}
        }
    }
    found
}

/// Whether a binding would mean pods whatever they are called.
fn mean_all(binding: &Binding, pods: &PodLabels) -> bool {
    let label = |key: &str| pods.labels.get(key).map(String::as_str);
    let meant = binding.workloads.as_ref();
    meant.is_some_and(|meant| {
        let is_open = meant.names.is_empty() && meant.kinds.is_empty();
        is_open && meant.mean((pods.namespace.as_deref().unwrap_or_default(), "", ""), label)
    })
}

/// Whether a binding means a workload.
fn means(binding: &Binding, workload: &Workload) -> bool {
    let name = workload.name.rsplit('/').next().unwrap_or(&workload.name);
    let label = |key: &str| workload.labels.get(key).map(String::as_str);
    let is_meant =
        |meant: &crate::site::Workloads| meant.mean((&workload.namespace, name, workload.kind), label);
    binding.everything || binding.workloads.as_ref().is_some_and(is_meant)
}

/// The first by name, and how many there are.
fn called(pods: &[&Pods<'_>]) -> Option<String> {
    let first = &pods.first()?.workload.name;
    Some(match pods.len() {
        1 => format!("workload `{first}`"),
        n => format!("{n} workloads (`{first}` and others)"),
    })
}
