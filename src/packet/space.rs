//! The node store: hash-consed, reduced, ordered interval decision diagrams.
//!
//! A diagram asks one field at each node and leaves it through the edge whose range holds the packet's value,
//! until it reaches a terminal (Gouda and Liu, "Firewall design: consistency, completeness, and compactness", 2004,
//! call it a firewall decision diagram; Christiansen and Fleury, "An interval decision diagram based
//! firewall", 2004, give the edges ranges). INVARIANT: nodes are reduced (two neighbouring edges lead to different nodes,
//! so no node has only one), ordered (levels grow along every path) and unique, so that two diagrams of
//! one space are equal exactly if their [`Node`]s are.

use rustc_hash::FxHashMap;

use super::Field;
use super::order::Order;
use super::outcome::{Doubt, EditId, Kinds, Outcomes};
use super::pins::Pins;
use super::store::Store;

/// A diagram, by the node it begins with, or by its terminal. Only means something in the [`Space`] that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub(super) u32);

const TERMINAL: u32 = 1 << 31;

impl Node {
    /// The diagram that is one terminal.
    #[must_use]
    pub fn terminal(number: u32) -> Self {
        debug_assert!(number < TERMINAL);
        Self(number | TERMINAL)
    }

    /// The diagram that begins with an inner node.
    pub(super) fn inner(number: u32) -> Self {
        debug_assert!(number < TERMINAL);
        Self(number)
    }

    /// Where an inner node lies in its store; outside of it for a terminal.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }

    /// The terminal, if the diagram is one.
    #[must_use]
    pub fn as_terminal(self) -> Option<u32> {
        (self.0 & TERMINAL != 0).then_some(self.0 & !TERMINAL)
    }
}

/// The evaluation has outgrown its budget of nodes: the result is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the diagrams of this host outgrew the budget of {edges} edges")]
pub struct OverBudget {
    /// The budget, in edges.
    pub edges: usize,
}

/// Edges, nodes counted as two, that one host's evaluation may hold before it gives up: with all tables, under 500 MB.
pub const DEFAULT_BUDGET: usize = 26_000_000;

/// Edges that may be looked at for each edge of the budget: diagrams that stay small may still take for ever.
const WORK_PER_EDGE: usize = 40;

/// How many fields a diagram can ask: bounds the depth of every recursion over it.
pub const MAX_PROPERTIES: u16 = 192;

/// A store of nodes in which equal diagrams are one.
#[derive(Debug)]
pub struct Space {
    pub(super) order: Order,
    pub(super) store: Store,
    /// Edges of nodes under construction, as a stack.
    scratch: Vec<(u128, Node)>,
    pub(super) memo: FxHashMap<(Operation, Node, Node), Node>,
    pub(super) outcomes: Outcomes,
    pub(super) pins: Pins,
    budget: usize,
    /// Edges ever looked at, those of nodes that were there already included.
    pub(super) work: usize,
    /// Levels that some node asks.
    asked: Vec<bool>,
}

/// Which operation a memoised result is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Union,
    Intersection,
    Difference,
    Merge(Option<Doubt>),
    Sequence(EditId),
}

/// Results remembered before the memory is dropped and begun anew.
const MEMO_LIMIT: usize = 1_800_000;

impl std::default::Default for Space {
    fn default() -> Self {
        Self::with_budget(DEFAULT_BUDGET)
    }
}

impl Space {
    /// An empty space that may hold so many edges.
    #[must_use]
    pub fn with_budget(edges: usize) -> Self {
        Self {
            order: Order::default(),
            store: Store::new(),
            scratch: Vec::new(),
            memo: FxHashMap::default(),
            outcomes: Outcomes::default(),
            pins: Pins::default(),
            budget: edges,
            work: 0,
            asked: Vec::new(),
        }
    }

    /// How many edges it may hold.
    #[must_use]
    pub fn budget(&self) -> usize {
        self.budget
    }

    /// How many edges all its nodes have.
    #[must_use]
    pub fn n_edges(&self) -> usize {
        self.store.n_edges()
    }

    /// How many nodes it holds.
    #[must_use]
    pub fn n_nodes(&self) -> usize {
        self.store.n_nodes()
    }

    /// The level a diagram asks first; terminals are below all.
    pub(super) fn level(&self, node: Node) -> u16 {
        self.store.level(node).unwrap_or(u16::MAX)
    }

    /// What the terminals of a ruling do.
    pub(super) fn kinds(&self, node: Node) -> Kinds {
        match node.as_terminal() {
            Some(terminal) => self.outcomes.kinds(terminal),
            None => self.store.kinds(node).unwrap_or_default(),
        }
    }

    /// The level at which diagrams ask a field.
    pub(super) fn level_of(&self, field: Field) -> u16 {
        self.order.level(field)
    }

    /// The largest value of the field of a level.
    pub(super) fn maximum(&self, level: u16) -> u128 {
        self.order.field(level).maximum()
    }

    /// Has later diagrams ask the fields in this order. Only an empty space can be told: in any other, nothing changes.
    pub fn set_order(&mut self, order: Order) {
        if self.n_nodes() == 0 {
            self.order = order;
        }
    }

    /// Whether some diagram of the space may ask `field`. If not, assuming a value of it changes nothing.
    #[must_use]
    pub fn asks(&self, field: Field) -> bool {
        self.asked
            .get(usize::from(self.level_of(field)))
            .copied()
            .unwrap_or(false)
    }

    /// The field a diagram asks first.
    #[must_use]
    pub fn field(&self, node: Node) -> Option<Field> {
        self.store.level(node).map(|level| self.order.field(level))
    }

    pub(super) fn n_edges_of(&self, node: Node) -> usize {
        self.store.n_edges_of(node)
    }

    /// Edge `at` of an inner node: its range's inclusive upper end and where it leads.
    pub(super) fn edge(&self, node: Node, at: usize) -> (u128, Node) {
        self.store.edge(node, at)
    }

    /// The edges of a node as `(low, high, child)`, ascending.
    pub fn edges(&self, node: Node) -> impl Iterator<Item = (u128, u128, Node)> + '_ {
        let mut low = 0;
        (0..self.n_edges_of(node)).map(move |at| {
            let (high, kid) = self.edge(node, at);
            let range = (low, high, kid);
            low = high.wrapping_add(1);
            range
        })
    }

    /// The first edge of an inner node, from `at` on, that ends behind `high`: where a walk goes on that has no interest in
    /// the values up to there.
    pub(super) fn edge_behind(&self, node: Node, at: usize, high: u128) -> usize {
        self.store.edge_behind(node, at, high)
    }

    /// Where a node leads for the values `low..=high` of its field.
    pub(super) fn edges_within(&self, node: Node, low: u128, high: u128) -> impl Iterator<Item = Node> + '_ {
        self.store.kids_within(node, low, high).iter().copied()
    }

    /// Where an inner node leads for a value of its field.
    pub(super) fn child(&self, node: Node, value: u128) -> Node {
        self.edge_at(node, value).1
    }

    /// The edge of an inner node that holds a value of its field: its range's inclusive upper end and where it leads.
    pub(super) fn edge_at(&self, node: Node, value: u128) -> (u128, Node) {
        self.store.edge_at(node, value)
    }

    /// Begins a node: edges pushed from here on are its own.
    pub(super) fn begin(&self) -> usize {
        self.scratch.len()
    }

    /// Adds the edge that ends at `high` to the node under construction.
    pub(super) fn push(&mut self, begun: usize, high: u128, kid: Node) {
        self.work += 1;
        let is_first = self.scratch.len() == begun;
        match self.scratch.last_mut() {
            Some(last) if !is_first && last.1 == kid => last.0 = high,
            _ => self.scratch.push((high, kid)),
        }
    }

    /// Forgets the nodes under construction from `begun` on.
    pub(super) fn abandon(&mut self, begun: usize) {
        self.scratch.truncate(begun);
    }

    /// Whether there is work left to do within the budget.
    pub(super) fn check_work(&self) -> Result<(), OverBudget> {
        let is_spent = (self.work + self.outcomes.work) / WORK_PER_EDGE > self.budget;
        if is_spent || self.outcomes.is_over || self.outcomes.held() > self.budget {
            return Err(OverBudget { edges: self.budget });
        }
        Ok(())
    }

    /// Whether so many intermediate results may be held beside the diagrams.
    pub(super) fn check_held(&self, held: usize) -> Result<(), OverBudget> {
        if held > self.budget {
            return Err(OverBudget { edges: self.budget });
        }
        Ok(())
    }

    /// Ends the node begun at `begun`; the last edge must have ended at the field's maximum.
    pub(super) fn finish(&mut self, begun: usize, level: u16) -> Result<Node, OverBudget> {
        if let Err(over) = self.check_work() {
            self.scratch.clear();
            return Err(over);
        }
        let edges = self.scratch.get(begun..).unwrap_or(&[]);
        if let [(_, only)] = edges {
            let only = *only;
            self.scratch.truncate(begun);
            return Ok(only);
        }
        let is_wide = self.maximum(level) > u128::from(u32::MAX);
        let edges = self.scratch.get(begun..).unwrap_or(&[]);
        let (outcomes, budget) = (&self.outcomes, self.budget);
        let kinds_of = |store: &Store, kid: Node| match kid.as_terminal() {
            Some(terminal) => outcomes.kinds(terminal),
            None => store.kinds(kid).unwrap_or_default(),
        };
        let kinds = |store: &Store| {
            let kinds = edges.iter().map(|edge| kinds_of(store, edge.1));
            kinds.fold(Kinds::default(), Kinds::with)
        };
        let held = self.outcomes.held();
        let fits = |store: &Store| store.size() + edges.len() + held <= budget;
        let Ok(node) = self.store.number((level, is_wide), edges, kinds, fits) else {
            self.scratch.clear();
            return Err(OverBudget { edges: budget });
        };
        self.scratch.truncate(begun);
        let asked = usize::from(level);
        if self.asked.len() <= asked {
            self.asked.resize(asked + 1, false);
        }
        if let Some(place) = self.asked.get_mut(asked) {
            *place = true;
        }
        Ok(node)
    }

    /// Remembers a result.
    pub(super) fn remember(&mut self, key: (Operation, Node, Node), result: Node) {
        if self.memo.len() >= MEMO_LIMIT {
            self.memo.clear();
        }
        self.memo.insert(key, result);
    }
}
