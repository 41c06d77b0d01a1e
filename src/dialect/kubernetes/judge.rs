//! What can be said of a cluster's policies by themselves: workloads that none selects, names that nobody has, priorities that
//! are given twice.
//!
//! INVARIANT: a finding here holds whatever tables the run is held against.

use std::collections::{BTreeMap, BTreeSet};

use super::cilium;
use super::cluster::{Cluster, Pods};
use super::policy::{Policy, Ports, Rule, Ties};
use super::reach::Direction;
use super::truth::Truth;
use crate::dialect::reference::{self, Uses};
use crate::finding::{Code, Finding, Label};
use crate::source::Span;

/// All of them.
pub(super) fn judge(cluster: &Cluster, findings: &mut Vec<Finding>) {
    findings.extend(unprotected(cluster));
    findings.extend(same_priorities(cluster));
    super::idle::judge(cluster, findings);
    for (name, (first, count)) in named_by_nobody(cluster) {
        let what = format!("no container of the run has a port `{name}`");
        findings.push(reference::dangling(&what, Uses { first, count }));
    }
}

/// Workloads whose pods accept whatever comes, since no policy is about what they receive. Where there are no policies at all
/// nobody meant to isolate anything, which is worth no more than a note.
fn unprotected(cluster: &Cluster) -> Vec<Finding> {
    let has_policies = !cluster.policies.is_empty() || !cluster.foreign.is_empty();
    let is_foreign = |pods: &Pods| {
        let namespace = cluster.namespaces.get(&pods.namespace);
        let mut foreign = namespace
            .into_iter()
            .flat_map(|namespace| cluster.foreign_to(namespace, pods, Direction::Ingress));
        foreign.next().is_some()
    };
    let is_selected = |pods: &Pods| {
        let about = cluster.about(pods);
        let isolates = |(policy, _): &(&Policy, Truth)| policy.isolates(Direction::Ingress);
        about.iter().any(isolates)
    };
    let open = cluster
        .pods
        .iter()
        .filter(|pods| !pods.is_on_host_network && !is_foreign(pods) && !is_selected(pods));
    open.map(|pods| {
        let message = format!("no policy selects what comes to `{}`", pods.full_name());
        let label = Label::new(pods.span, "accepts everything");
        let mut finding = Finding::new(Code::UnprotectedWorkload, message, Some(label)).help(isolating(pods));
        if !has_policies {
            finding.severity = finding.severity.lower();
        }
        finding
    })
    .collect()
}

/// The shortest policy that isolates pods.
fn isolating(pods: &Pods) -> String {
    let labels: Vec<String> = pods
        .labels
        .iter()
        .filter(|(key, _)| !cilium::is_added(key))
        .map(|(key, value)| format!("{key}: {value:?}"))
        .collect();
    let selector = if labels.is_empty() {
        "{}".to_owned()
    } else {
        format!("{{matchLabels: {{{}}}}}", labels.join(", "))
    };
    format!(
        "isolate it with a NetworkPolicy in namespace `{}`: `spec: {{podSelector: {selector}, policyTypes: [Ingress]}}`",
        pods.namespace
    )
}

/// "There is no way for the user to reliably determine which one it will choose."
fn same_priorities(cluster: &Cluster) -> Vec<Finding> {
    let mut findings = Vec::new();
    for level in cluster.policies.chunk_by(Policy::is_level_with) {
        let mut pairs = level.windows(2).filter_map(|pair| match pair {
            [first, second] if Policy::is_order_open(&[first, second]) => Some((first, second)),
            _ => None,
        });
        // Where kinds alone are not told apart, one place says it.
        let n_said = if level.iter().any(|one| one.ties == Ties::Open) {
            usize::MAX
        } else {
            1
        };
        for (first, second) in pairs.by_ref().take(n_said) {
            let message = format!(
                "{} `{}` has the priority of `{}`: either may be asked first",
                second.kind, second.name, first.name
            );
            let label = Label::new(second.span, "followed both ways");
            let related = Label::new(first.span, "of the same priority");
            let finding = Finding::new(Code::UnsupportedMatch, message, Some(label)).related(related);
            findings.push(finding.help("give each policy of a tier a priority of its own"));
        }
    }
    findings
}

/// Names of ports that policies ask for and that no pod that they concern has, with where they are asked first.
fn named_by_nobody(cluster: &Cluster) -> BTreeMap<&str, (Span, usize)> {
    let mut missing: BTreeMap<&str, (Span, usize)> = BTreeMap::new();
    let ports = cluster.pods.iter().flat_map(|pods| &pods.ports);
    let names: BTreeSet<&str> = ports.filter_map(|port| port.name.as_deref()).collect();
    for policy in &cluster.policies {
        for rules in [&policy.ingress, &policy.egress].into_iter().flatten() {
            for port in rules.rules.iter().flat_map(Rule::all_ports) {
                if let Ports::Named(name) | Ports::NamedAnywhere(name) = &port.ports
                    && !names.contains(name.as_str())
                {
                    missing.entry(name).or_insert((port.span, 0)).1 += 1;
                }
            }
        }
    }
    missing
}
