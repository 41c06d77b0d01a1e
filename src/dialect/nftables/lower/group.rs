//! A ruleset while its chains are read.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::model::{Base, Chain, ChainId, Families, Layer, NamedSets, Ruleset};
use crate::source::Span;

/// A ruleset that is being made.
pub(super) struct Group {
    pub(super) families: Families,
    pub(super) chains: Vec<Chain>,
    pub(super) bases: Vec<Base>,
    /// Where the chains of a table went.
    pub(super) ids: FxHashMap<(usize, usize), ChainId>,
}

impl Group {
    pub(super) fn new(families: Families) -> Self {
        Self {
            families,
            chains: Vec::new(),
            bases: Vec::new(),
            ids: FxHashMap::default(),
        }
    }

    /// A chain of its own.
    pub(super) fn add(&mut self, path: String, span: Span) -> ChainId {
        let id = ChainId(u32::try_from(self.chains.len()).unwrap_or(u32::MAX));
        self.chains.push(Chain {
            calls: Arc::default(),
            path,
            span,
            rules: Vec::new(),
        });
        id
    }

    /// The rules of a chain.
    pub(super) fn set_rules(&mut self, id: ChainId, rules: Vec<crate::model::Rule>) {
        if let Some(chain) = self.chains.get_mut(id.0 as usize) {
            chain.rules = rules;
        }
    }

    pub(super) fn ruleset(self) -> Option<Ruleset> {
        let is_empty = self.chains.is_empty() && self.bases.is_empty();
        (!is_empty).then_some(Ruleset {
            layer: Layer::HostFirewall,
            families: self.families,
            chains: self.chains,
            bases: self.bases,
            sets: NamedSets::default(),
        })
    }
}
