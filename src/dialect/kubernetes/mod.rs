//! Kubernetes: manifests, and what `kubectl get -o yaml` or `-o json` says of a cluster.
//!
//! All manifests of a run are one unit: texts become objects (`object`), objects a cluster ([`Cluster`], by `read`, `workload`
//! and a module for each kind of policy). INVARIANT: a workload that nothing selects accepts everything, as Kubernetes has it.

mod calico;
mod cilium;
mod claim;
mod cluster;
mod condition;
mod connections;
mod cover;
mod foreign;
mod host;
mod host_stage;
mod identity;
mod idle;
mod index;
mod judge;
mod lower;
mod network_policy;
mod node;
mod notes;
mod object;
mod policy;
mod possible;
mod reach;
mod reach_rule;
mod read;
mod select;
mod selector;
mod selector_words;
mod service;
mod tier;
mod tiered;
mod tiered_peer;
mod truth;
mod union;
mod workload;

pub use cluster::Cluster;
pub use connections::{Connection, PROTOCOLS, Party, Services};
pub use reach::{End, Flow};
pub use service::Backend;
pub use truth::Truth;

use super::{Claim, Construct, Dialect, Given, Reading, Support};
use crate::finding::Finding;
use crate::source::Source;

/// The dialect.
#[derive(Debug)]
pub struct Kubernetes;

impl Cluster {
    /// Reads the manifests of a cluster, and says what could not be.
    #[must_use]
    pub fn read(unit: &[Source<'_>]) -> (Self, Vec<Finding>) {
        let mut findings = Vec::new();
        let cluster = read::cluster(unit, &mut findings);
        (cluster, findings)
    }
}

impl Dialect for Kubernetes {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn summary(&self) -> &'static str {
        "manifests of Kubernetes, and what kubectl gets: workloads, policies of Kubernetes, Calico and Cilium"
    }

    fn claims(&self, source: Source<'_>) -> Claim {
        claim::claim(source)
    }

    fn reads_all_together(&self) -> bool {
        true
    }

    fn makes_hosts(&self) -> bool {
        false
    }

    fn read(&self, unit: &[Source<'_>]) -> Reading {
        self.read_given(unit, &Given::default())
    }

    fn read_given(&self, unit: &[Source<'_>], given: &Given) -> Reading {
        let (mut cluster, notices) = Cluster::read(unit);
        cluster.calico.leave_open(given);
        let mut reading = Reading {
            notices,
            ..Reading::default()
        };
        judge::judge(&cluster, &mut reading.notices);
        let identities = identity::Identities::new(&cluster);
        reading.identities = identities.classes(&cluster, &mut reading.notes);
        reading.workloads = lower::workloads(&cluster, &identities);
        reading.endpoints = host::endpoints(&cluster, &identities);
        reading
            .endpoints
            .extend(cilium::endpoints(&cluster, &identities, &mut reading.notices));
        reading.n_rules = cluster.n_rules();
        reading.notes.extend(cluster.on_host_network());
        reading.notes.extend(cluster.calico.remarks.iter().cloned());
        reading.notes.extend(cluster.cilium.notes());
        reading.cluster = Some(cluster);
        reading
    }

    fn constructs(&self) -> Vec<Construct> {
        let construct = |name: String, support: Support| Construct { name, support };
        let mut all: Vec<Construct> = workload::kinds()
            .chain(["Namespace", "Service", "NetworkPolicy"])
            .chain(tiered::kinds())
            .chain(cilium::kinds())
            .map(|kind| construct(kind.to_owned(), Support::Exact))
            .collect();
        let of_calico = calico::kinds().map(|kind| format!("{kind} of projectcalico.org"));
        all.extend(of_calico.map(|name| construct(name, Support::Exact)));
        let peers = ["nodes", "domainNames"].map(|peer| format!("peer {peer}"));
        all.extend(peers.map(|peer| construct(peer, Support::UnknownProperty)));
        let of_hosts =
            ["applyOnForward", "doNotTrack", "preDNAT"].map(|kind| format!("{kind} of projectcalico.org"));
        all.extend(of_hosts.map(|name| construct(name, Support::Exact)));
        all.extend(cilium::open().map(|part| construct(part, Support::UnknownProperty)));
        let foreign = read::foreign_groups().map(|group| format!("policies of {group}"));
        all.extend(foreign.map(|group| construct(group, Support::UnknownEachTime)));
        all
    }
}
