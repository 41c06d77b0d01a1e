//! Host endpoints of clusters to hosts: those of the node that a host is called like.
//!
//! INVARIANT: an endpoint of a node that no host is called like is said.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Unit;
use crate::finding::Summary;
use crate::model::{HostEndpoint, Ruleset, keys_asked};

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
                    "host endpoint `{}`: no host is called `{node}` as its node is",
                    endpoint.name
                ),
                None => "policies of nodes: there is no host that they could be about".to_owned(),
            });
        }
    }
}
