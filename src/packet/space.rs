//! The node store: hash-consed, reduced, ordered interval decision diagrams.
//!
//! A diagram asks one field at each node and leaves it through the edge whose range holds the packet's value,
//! until it reaches a terminal (Gouda and Liu, "Firewall design: consistency, completeness, and compactness", 2004,
//! call it a firewall decision diagram; Christiansen and Fleury, "An interval decision diagram based
//! firewall", 2004, give the edges ranges). INVARIANT: nodes are reduced (two neighbouring edges lead to different nodes,
//! so no node has only one), ordered (levels grow along every path) and unique, so that two diagrams of
//! one space are equal exactly if their [`Node`]s are.

use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use rustc_hash::{FxHashMap, FxHasher};

use super::Field;
use super::outcome::{Doubt, EditId, Outcomes};
use super::ruling::Ruling;

/// A diagram, by the node it begins with, or by its terminal. Only means something in the [`Space`] that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(u32);

const TERMINAL: u32 = 1 << 31;

impl Node {
    /// The diagram that is one terminal.
    #[must_use]
    pub fn terminal(number: u32) -> Self {
        debug_assert!(number < TERMINAL);
        Self(number | TERMINAL)
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

/// Edges that one host's evaluation may hold before it gives up: about 350 MB with its tables.
pub const DEFAULT_BUDGET: usize = 8_000_000;

/// Edges that may be looked at for each edge of the budget: diagrams that stay small may still take for ever.
const WORK_PER_EDGE: usize = 40;

/// How many fields a diagram can ask: bounds the depth of every recursion over it.
pub const MAX_PROPERTIES: u16 = 192;

#[derive(Debug, Clone, Copy)]
struct Entry {
    level: u16,
    first: u32,
    n_edges: u32,
}

/// A store of nodes in which equal diagrams are one.
#[derive(Debug)]
pub struct Space {
    entries: Vec<Entry>,
    /// Inclusive upper ends of the edges' ranges, ascending within a node; the last is the field's maximum.
    highs: Vec<u128>,
    kids: Vec<Node>,
    unique: HashTable<u32>,
    /// Edges of nodes under construction, as a stack.
    scratch: Vec<(u128, Node)>,
    pub(super) memo: FxHashMap<(Operation, Node, Node), Node>,
    pub(super) outcomes: Outcomes,
    budget: usize,
    /// Edges ever looked at, those of nodes that were there already included.
    work: usize,
    /// Levels that some node asks, or asked before a collection.
    asked: Vec<bool>,
    /// Rulings that outlive a collection, by their place in this list.
    pins: Vec<Node>,
    /// Edges at which the next collection is due.
    collect_at: usize,
}

/// A ruling kept across collections: see [`Space::pin`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin(usize);

/// Edges below which no collection is worth its time.
const COLLECT_AT_LEAST: usize = 1_000_000;

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
const MEMO_LIMIT: usize = 4_000_000;

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
            entries: Vec::new(),
            highs: Vec::new(),
            kids: Vec::new(),
            unique: HashTable::new(),
            scratch: Vec::new(),
            memo: FxHashMap::default(),
            outcomes: Outcomes::default(),
            budget: edges,
            work: 0,
            asked: Vec::new(),
            pins: Vec::new(),
            collect_at: COLLECT_AT_LEAST,
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
        self.kids.len()
    }

    /// How many nodes it holds.
    #[must_use]
    pub fn n_nodes(&self) -> usize {
        self.entries.len()
    }

    /// The level a diagram asks first; terminals are below all.
    pub(super) fn level(&self, node: Node) -> u16 {
        self.entries
            .get(node.0 as usize)
            .map_or(u16::MAX, |entry| entry.level)
    }

    /// Whether some diagram of the space may ask `field`. If not, assuming a value of it changes nothing.
    #[must_use]
    pub fn asks(&self, field: Field) -> bool {
        self.asked
            .get(usize::from(field.level()))
            .copied()
            .unwrap_or(false)
    }

    /// The field a diagram asks first.
    #[must_use]
    pub fn field(&self, node: Node) -> Option<Field> {
        self.entries
            .get(node.0 as usize)
            .map(|entry| Field::at_level(entry.level))
    }

    pub(super) fn n_edges_of(&self, node: Node) -> usize {
        self.entries
            .get(node.0 as usize)
            .map_or(0, |entry| entry.n_edges as usize)
    }

    /// Edge `at` of an inner node: its range's inclusive upper end and where it leads.
    #[expect(
        clippy::indexing_slicing,
        reason = "callers count to `n_edges_of`; the hottest line of the crate"
    )]
    pub(super) fn edge(&self, node: Node, at: usize) -> (u128, Node) {
        let first = self.entries[node.0 as usize].first as usize;
        (self.highs[first + at], self.kids[first + at])
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
    /// the values up to there. Gallops, since the next edge is the likeliest.
    pub(super) fn edge_behind(&self, node: Node, at: usize, high: u128) -> usize {
        let Some(entry) = self.entries.get(node.0 as usize) else {
            return at;
        };
        let range = entry.first as usize + at..(entry.first + entry.n_edges) as usize;
        let highs = self.highs.get(range).unwrap_or(&[]);
        let mut reach = 1;
        while highs.get(reach - 1).is_some_and(|&end| end <= high) && reach < highs.len() {
            reach *= 2;
        }
        let from = reach / 2;
        let window = highs.get(from..reach.min(highs.len())).unwrap_or(&[]);
        at + from + window.partition_point(|&end| end <= high)
    }

    /// Where a node leads for the values `low..=high` of its field.
    pub(super) fn edges_within(&self, node: Node, low: u128, high: u128) -> impl Iterator<Item = Node> + '_ {
        let entry = self.entries.get(node.0 as usize).copied();
        let range = entry.map_or(0..0, |entry| {
            entry.first as usize..(entry.first + entry.n_edges) as usize
        });
        let highs = self.highs.get(range.clone()).unwrap_or(&[]);
        let first = highs.partition_point(|&end| end < low);
        let last = highs.partition_point(|&end| end < high);
        self.kids
            .get(range.start + first..(range.start + last + 1).min(range.end))
            .unwrap_or(&[])
            .iter()
            .copied()
    }

    /// Where a node leads for a value of its field.
    pub(super) fn child(&self, node: Node, value: u128) -> Node {
        self.edge_at(node, value).1
    }

    /// The edge of a node that holds a value of its field: its range's inclusive upper end and where it leads.
    pub(super) fn edge_at(&self, node: Node, value: u128) -> (u128, Node) {
        let Some(entry) = self.entries.get(node.0 as usize) else {
            return (u128::MAX, node);
        };
        let range = entry.first as usize..(entry.first + entry.n_edges) as usize;
        let highs = self.highs.get(range.clone()).unwrap_or(&[]);
        let at = highs.partition_point(|&high| high < value);
        match (highs.get(at), self.kids.get(range.start + at)) {
            (Some(&high), Some(&kid)) => (high, kid),
            _ => (u128::MAX, node),
        }
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
        if is_spent || self.outcomes.is_over {
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
        let hash = hash_of(level, edges.iter().copied());
        let same = |&at: &u32| self.is_same(at, level, edges);
        if let Some(&found) = self.unique.find(hash, same) {
            self.scratch.truncate(begun);
            return Ok(Node(found));
        }
        self.insert(begun, level, hash)
    }

    fn insert(&mut self, begun: usize, level: u16, hash: u64) -> Result<Node, OverBudget> {
        let n_edges = self.scratch.len() - begun;
        if self.kids.len() + n_edges > self.budget {
            self.scratch.clear();
            return Err(OverBudget { edges: self.budget });
        }
        let first = u32::try_from(self.kids.len()).map_err(|_| OverBudget { edges: self.budget })?;
        let id = u32::try_from(self.entries.len()).map_err(|_| OverBudget { edges: self.budget })?;
        for (high, kid) in self.scratch.drain(begun..) {
            self.highs.push(high);
            self.kids.push(kid);
        }
        let n_edges = u32::try_from(n_edges).map_err(|_| OverBudget { edges: self.budget })?;
        let asked = usize::from(level);
        if self.asked.len() <= asked {
            self.asked.resize(asked + 1, false);
        }
        if let Some(place) = self.asked.get_mut(asked) {
            *place = true;
        }
        self.entries.push(Entry {
            level,
            first,
            n_edges,
        });
        let (entries, highs, kids) = (&self.entries, &self.highs, &self.kids);
        self.unique
            .insert_unique(hash, id, |&at| hash_of_entry(entries, highs, kids, at));
        Ok(Node(id))
    }

    fn is_same(&self, at: u32, level: u16, edges: &[(u128, Node)]) -> bool {
        let Some(entry) = self.entries.get(at as usize) else {
            return false;
        };
        if entry.level != level || entry.n_edges as usize != edges.len() {
            return false;
        }
        let range = entry.first as usize..(entry.first + entry.n_edges) as usize;
        match (self.highs.get(range.clone()), self.kids.get(range)) {
            (Some(highs), Some(kids)) => edges
                .iter()
                .zip(highs.iter().zip(kids))
                .all(|(edge, (high, kid))| *edge == (*high, *kid)),
            _ => false,
        }
    }

    /// Remembers a result.
    pub(super) fn remember(&mut self, key: (Operation, Node, Node), result: Node) {
        if self.memo.len() >= MEMO_LIMIT {
            self.memo.clear();
        }
        self.memo.insert(key, result);
    }

    /// Keeps a ruling: [`Space::pinned`] gives it back after any collection.
    pub fn pin(&mut self, ruling: Ruling) -> Pin {
        self.pins.push(ruling.0);
        Pin(self.pins.len() - 1)
    }

    /// The ruling kept under a pin.
    #[must_use]
    pub fn pinned(&self, pin: Pin) -> Ruling {
        Ruling(self.pins.get(pin.0).copied().unwrap_or(Node::terminal(0)))
    }

    /// How much is pinned: what is pinned from here on can be released together.
    #[must_use]
    pub fn pin_mark(&self) -> Pin {
        Pin(self.pins.len())
    }

    /// Releases everything pinned since `mark`.
    pub fn release(&mut self, mark: Pin) {
        self.pins.truncate(mark.0);
    }

    /// Reads rulings one behind the other, by halves. May collect: only what is pinned outlives the call, and its result.
    pub fn sequence_all(&mut self, segments: &[Ruling]) -> Result<Ruling, OverBudget> {
        if segments.is_empty() {
            return Ok(self.pass());
        }
        let base = self.pins.len();
        self.pins.extend(segments.iter().map(|segment| segment.0));
        let mut count = segments.len();
        while count > 1 {
            for pair in 0..count / 2 {
                let first = self.pinned(Pin(base + 2 * pair));
                let second = self.pinned(Pin(base + 2 * pair + 1));
                let both = self.sequence(first, second)?;
                self.set_pin(base + pair, both.0);
            }
            if count % 2 == 1 {
                let last = self.pinned(Pin(base + count - 1));
                self.set_pin(base + count / 2, last.0);
            }
            count = count.div_ceil(2);
            self.pins.truncate(base + count);
            self.collect_if_due();
        }
        let result = self.pinned(Pin(base));
        self.pins.truncate(base);
        Ok(result)
    }

    /// Collects if the space has doubled since the last collection. Only what is pinned outlives the call.
    pub(super) fn collect_if_due(&mut self) {
        if self.kids.len() > self.collect_at {
            self.collect();
        }
    }

    fn set_pin(&mut self, at: usize, node: Node) {
        if let Some(place) = self.pins.get_mut(at) {
            *place = node;
        }
    }

    /// Drops every node that no pinned ruling reaches. Diagrams that are not pinned are lost.
    pub fn collect(&mut self) {
        let mut kept = Self::with_budget(self.budget);
        kept.memo.reserve(self.memo.len().min(MEMO_LIMIT) / 2);
        let mut moved: Vec<Option<Node>> = vec![None; self.entries.len()];
        let pins = std::mem::take(&mut self.pins);
        kept.pins = pins
            .into_iter()
            .map(|pin| self.copy_into(&mut kept, &mut moved, pin))
            .collect();
        kept.collect_at = (2 * kept.kids.len()).max(COLLECT_AT_LEAST);
        kept.outcomes = std::mem::take(&mut self.outcomes);
        kept.work = self.work;
        *self = kept;
    }

    fn copy_into(&self, kept: &mut Self, moved: &mut [Option<Node>], node: Node) -> Node {
        if node.as_terminal().is_some() {
            return node;
        }
        if let Some(Some(done)) = moved.get(node.0 as usize) {
            return *done;
        }
        let begun = kept.begin();
        for at in 0..self.n_edges_of(node) {
            let (high, kid) = self.edge(node, at);
            let kid = self.copy_into(kept, moved, kid);
            kept.push(begun, high, kid);
        }
        // A copy is never larger than what it is a copy of, so it cannot go over budget.
        let copy = kept.finish(begun, self.level(node)).unwrap_or(node);
        if let Some(place) = moved.get_mut(node.0 as usize) {
            *place = Some(copy);
        }
        copy
    }
}

fn hash_of(level: u16, edges: impl Iterator<Item = (u128, Node)>) -> u64 {
    let mut hasher = FxHasher::default();
    level.hash(&mut hasher);
    for (high, kid) in edges {
        high.hash(&mut hasher);
        kid.hash(&mut hasher);
    }
    hasher.finish()
}

fn hash_of_entry(entries: &[Entry], highs: &[u128], kids: &[Node], at: u32) -> u64 {
    let Some(entry) = entries.get(at as usize) else {
        return 0;
    };
    let range = entry.first as usize..(entry.first + entry.n_edges) as usize;
    let highs = highs.get(range.clone()).unwrap_or(&[]);
    let kids = kids.get(range).unwrap_or(&[]);
    hash_of(entry.level, highs.iter().copied().zip(kids.iter().copied()))
}
