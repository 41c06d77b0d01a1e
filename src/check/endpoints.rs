//! Host endpoints of clusters to hosts: those of the node that a host is called like.
//!
//! INVARIANT: an endpoint of a node that no host is called like is said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::inputs::Unit;
use crate::finding::Summary;
use crate::model::{HostEndpoint, Ruleset, keys_asked};
use crate::site::Site;

/// A node that bindings mean and that no file is of.
pub(super) struct Node {
    pub(super) name: String,
    /// The bindings that mean it.
    pub(super) bindings: Vec<usize>,
    pub(super) rulesets: Vec<Ruleset>,
}

/// The bindings of a site that mean a node.
pub(super) fn bindings_of(site: &Site, node: &str) -> Vec<usize> {
    let bindings = site.bindings.iter().enumerate();
    let meant = bindings.filter(|(_, binding)| binding.means_node(node));
    meant.map(|(at, _)| at).collect()
}

/// The host endpoints of a site, each with whether it stands before some host.
pub(super) struct Endpoints<'u> {
    all: Vec<(&'u HostEndpoint, bool)>,
}

impl<'u> Endpoints<'u> {
    pub(super) fn of(units: &'u [Unit]) -> Self {
        let all = units.iter().flat_map(|unit| &unit.reading.endpoints);
        Self {
            all: all.map(|endpoint| (endpoint, false)).collect(),
        }
    }

    /// The rulesets of a host, with those of its endpoints.
    pub(super) fn before(&mut self, host: &str, mut rulesets: Vec<Ruleset>) -> Vec<Ruleset> {
        let mut before = Vec::new();
        let is_here = |endpoint: &HostEndpoint| endpoint.node.as_deref().is_none_or(|node| node == host);
        for (endpoint, is_bound) in self.all.iter_mut().filter(|(endpoint, _)| is_here(endpoint)) {
            *is_bound = true;
            if before.is_empty() {
                endpoint.stand_before(&mut rulesets);
            }
            before.push(endpoint.ruleset.clone());
        }
        rulesets.extend(before);
        rulesets
    }

    /// The nodes that bindings mean and that no file is of: what their endpoints let through is all that is known of them.
    pub(super) fn alone(&mut self, site: &Site, summary: &mut Summary) -> Vec<Node> {
        let mut by_node: BTreeMap<&str, Vec<&HostEndpoint>> = BTreeMap::new();
        for (endpoint, is_bound) in self.all.iter_mut().filter(|(_, is_bound)| !is_bound) {
            let Some(node) = endpoint.node.as_deref() else {
                continue;
            };
            if !bindings_of(site, node).is_empty() {
                *is_bound = true;
                by_node.entry(node).or_default().push(endpoint);
            }
        }
        let mut found = Vec::new();
        for (name, endpoints) in by_node {
            summary.unchecked.push(format!(
                "the firewall of `{name}`: no dump of it was given, so what its host endpoints let through counts"
            ));
            let rulesets = endpoints.iter().map(|endpoint| endpoint.ruleset.clone());
            found.push(Node {
                name: name.to_owned(),
                bindings: bindings_of(site, name),
                rulesets: rulesets.chain(HostEndpoint::rest(&endpoints)).collect(),
            });
        }
        found
    }

    /// Whether a binding means a node that has an endpoint.
    pub(super) fn has_binding(&self, site: &Site, at: usize) -> bool {
        let nodes = self
            .all
            .iter()
            .filter_map(|(endpoint, _)| endpoint.node.as_deref());
        let binding = site.bindings.get(at);
        binding.is_some_and(|binding| nodes.into_iter().any(|node| binding.means_node(node)))
    }

    /// The groups that their policies ask about: nobody may be in one.
    pub(super) fn groups_asked(&self) -> BTreeSet<Arc<str>> {
        let chains = self.all.iter().flat_map(|(endpoint, _)| &endpoint.ruleset.chains);
        keys_asked(chains.flat_map(|chain| &chain.rules))
            .into_keys()
            .collect()
    }

    /// Says which endpoints stand before no host.
    pub(super) fn unbound(&self, summary: &mut Summary) {
        for (endpoint, _) in self.all.iter().filter(|(_, is_bound)| !is_bound) {
            summary.unchecked.push(match &endpoint.node {
                Some(node) => format!(
                    "host endpoint `{}`: no host is called `{node}` as its node is, and no binding means it",
                    endpoint.name
                ),
                None => "policies of nodes: there is no host that they could be about".to_owned(),
            });
        }
    }
}
