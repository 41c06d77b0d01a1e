//! What a run says of a cluster: namespaces, workloads, services, policies.
//!
//! INVARIANT: every workload and every namespaced policy has its namespace in [`Cluster::namespaces`], declared or not.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::calico::Calico;
use super::cilium;
use super::index::Index;
use super::node::Nodes;
use super::policy::{PodSet, Policy};
use super::reach::Direction;
use super::select::{is_subject, selects};
use super::selector::{ANY_KEY, Labels, Seen};
use super::service::Service;
use super::truth::Truth;
use crate::source::Span;

/// The label that every namespace has of itself, its name.
pub(super) const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Cluster {
    pub(super) namespaces: BTreeMap<String, Namespace>,
    pub(super) pods: Vec<Pods>,
    pub(super) services: Vec<Service>,
    /// In the order in which tiers ask them: by tier, priority, name.
    pub(super) policies: Vec<Policy>,
    /// The policies of each namespace, as indices, with what each asks of its subjects; those of the whole cluster under an
    /// empty name.
    pub(super) policies_of: BTreeMap<String, (Vec<usize>, Index)>,
    /// Objects that filter too but are not asked.
    pub(super) foreign: Vec<Foreign>,
    pub(super) nodes: Nodes,
    pub(super) calico: Calico,
    /// What Cilium's objects say of the cluster.
    pub(super) cilium: cilium::Facts,
}

impl Cluster {
    /// Fills in what selectors see of all pods.
    pub(super) fn look(&mut self) {
        let mut all = std::mem::take(&mut self.pods);
        for pods in &mut all {
            if let Some(namespace) = self.namespaces.get(&pods.namespace) {
                pods.seen = self.seen(pods, namespace);
            }
        }
        self.pods = all;
    }

    /// What selectors see of pods of a namespace.
    pub(super) fn seen(&self, pods: &Pods, namespace: &Namespace) -> Seen {
        if self.calico.is_there {
            return self.calico.seen(pods, namespace);
        }
        let open = if pods.is_unread { ANY_KEY } else { &[] };
        Seen {
            labels: pods.labels.clone(),
            open: open.to_vec(),
        }
    }

    /// The policies that are or may be about pods, in their order, each with whether it is.
    pub(super) fn about(&self, pods: &Pods) -> Vec<(&Policy, Truth)> {
        let Some(namespace) = self.namespaces.get(&pods.namespace) else {
            return Vec::new();
        };
        let of = |name: &str| {
            let (indices, index) = self.policies_of.get(name)?;
            let candidates = index.candidates(&pods.seen);
            Some(candidates.into_iter().filter_map(|at| indices.get(at)))
        };
        let found = of(&pods.namespace).into_iter().flatten();
        let mut indices: Vec<usize> = found.chain(of("").into_iter().flatten()).copied().collect();
        indices.sort_unstable();
        let policies = indices.into_iter().filter_map(|index| self.policies.get(index));
        let asked = policies.map(|policy| (policy, is_subject(policy, namespace, pods)));
        asked.filter(|(_, answer)| *answer != Truth::No).collect()
    }

    /// The objects that filter too but are not asked, and may be about what pods send or receive.
    pub(super) fn foreign_to(
        &self,
        namespace: &Namespace,
        pods: &Pods,
        direction: Direction,
    ) -> impl Iterator<Item = &Foreign> {
        let is_about = move |one: &&Foreign| {
            let is_here = one.namespace.as_ref().is_none_or(|of| *of == pods.namespace);
            let mut subject = one.subject.iter();
            is_here
                && one.ways.contains(&direction)
                && subject.all(|set| {
                    !pods.is_on_host_network && selects(set, namespace, pods, namespace) != Truth::No
                })
        };
        self.foreign.iter().filter(is_about)
    }

    /// Whether selectors of peers take such pods. What those in the network of their node are is left open by the API; to Cilium
    /// they are their node ("Entities based").
    pub(super) fn selects_peer(&self, pods: &Pods) -> Truth {
        match (pods.is_on_host_network, self.cilium.is_there) {
            (false, _) => Truth::Yes,
            (true, false) => Truth::Maybe,
            (true, true) => Truth::No,
        }
    }

    /// How many rules there are in all policies.
    pub(super) fn n_rules(&self) -> usize {
        let rules = self
            .policies
            .iter()
            .flat_map(|policy| [&policy.ingress, &policy.egress]);
        rules.flatten().map(|rules| rules.rules.len()).sum()
    }

    /// A line on the workloads that policies need not apply to.
    pub(super) fn on_host_network(&self) -> Option<String> {
        let mut names = self
            .pods
            .iter()
            .filter(|pods| pods.is_on_host_network)
            .map(Pods::full_name);
        let first = names.next()?;
        let who = match names.count() {
            0 => format!("`{first}` uses"),
            others => format!("`{first}` and {others} other workloads use"),
        };
        Some(format!(
            "{who} the network of the node: what NetworkPolicies do to it is left to the network plugin"
        ))
    }
}

/// An object that filters but is not asked: what it does to whom it may be about is not known.
#[derive(Debug)]
pub(super) struct Foreign {
    /// `None`: it is of the whole cluster.
    pub(super) namespace: Option<String>,
    /// Whom it is about, if that is known: pods that are not in the network of their node.
    pub(super) subject: Option<PodSet>,
    pub(super) ways: Vec<Direction>,
    pub(super) span: Span,
    pub(super) why: String,
}

impl Foreign {
    /// One of which nothing is known but where it is.
    pub(super) fn unread(namespace: Option<String>, span: Span) -> Self {
        Self {
            namespace,
            subject: None,
            ways: vec![Direction::Ingress, Direction::Egress],
            span,
            why: "this policy is not read".to_owned(),
        }
    }
}

/// A namespace.
#[derive(Debug, Clone)]
pub(super) struct Namespace {
    pub(super) name: String,
    pub(super) labels: Labels,
    /// Whether a manifest declares it; if none does, it may have labels besides.
    pub(super) is_declared: bool,
}

impl Namespace {
    /// What keys of labels begin with that it may have besides those that are known.
    pub(super) fn open(&self) -> &'static [&'static str] {
        if self.is_declared { &[] } else { ANY_KEY }
    }

    /// One that something is in, though no manifest declares it.
    pub(super) fn used(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            labels: Labels::from([(NAME_LABEL.to_owned(), name.to_owned())]),
            is_declared: false,
        }
    }
}

/// A port that a container says it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContainerPort {
    pub(super) name: Option<String>,
    pub(super) protocol: u8,
    pub(super) number: u16,
}

/// The pods of one workload: alike in all that policies look at.
#[derive(Debug, Clone)]
pub(super) struct Pods {
    /// What made them: `Deployment`, or `Pod`.
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) labels: Labels,
    /// Whether a label could not be read.
    pub(super) is_unread: bool,
    /// Its labels as selectors see them ([`Cluster::look`]).
    pub(super) seen: Seen,
    pub(super) ports: Vec<ContainerPort>,
    /// Whether its ports are not known: of pods that are not there yet.
    pub(super) has_unknown_ports: bool,
    pub(super) is_on_host_network: bool,
    /// What they run under; `None`: not known, of pods that are not there yet.
    pub(super) service_account: Option<String>,
    pub(super) addresses: Vec<IpAddr>,
    /// The kind and name of what made it, if that is an object of its own.
    pub(super) owner: Option<(String, String)>,
    /// The bytes of its name.
    pub(super) span: Span,
}

impl Pods {
    pub(super) fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}
