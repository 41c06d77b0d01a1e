//! Rulings that outlive a collection. INVARIANT: a collection moves nodes, so whoever keeps a ruling across one keeps its
//! [`Pin`] and asks for the ruling again.

use super::ruling::Ruling;
use super::space::{Node, OverBudget, Space};

/// A ruling kept across collections: see [`Space::pin`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin(usize);

/// The rulings kept, and when the next collection is due.
#[derive(Debug)]
pub(super) struct Pins {
    kept: Vec<Node>,
    /// Edges at which the next collection is due.
    collect_at: usize,
}

/// Edges below which no collection is worth its time.
const COLLECT_AT_LEAST: usize = 2_000_000;

impl std::default::Default for Pins {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            collect_at: COLLECT_AT_LEAST,
        }
    }
}

impl Space {
    /// Keeps a ruling: [`Space::pinned`] gives it back after any collection.
    pub fn pin(&mut self, ruling: Ruling) -> Pin {
        self.pins.kept.push(ruling.0);
        Pin(self.pins.kept.len() - 1)
    }

    /// Keeps another ruling under a pin.
    pub(super) fn repin(&mut self, pin: Pin, ruling: Ruling) {
        self.set_pin(pin.0, ruling.0);
    }

    /// The ruling kept under a pin.
    #[must_use]
    pub fn pinned(&self, pin: Pin) -> Ruling {
        Ruling(self.pins.kept.get(pin.0).copied().unwrap_or(Node::terminal(0)))
    }

    /// How much is pinned: what is pinned from here on can be released together.
    #[must_use]
    pub fn pin_mark(&self) -> Pin {
        Pin(self.pins.kept.len())
    }

    /// Releases everything pinned since `mark`.
    pub fn release(&mut self, mark: Pin) {
        self.pins.kept.truncate(mark.0);
    }

    /// Reads rulings one behind the other, by halves. May collect: only what is pinned outlives the call, and its result.
    pub fn sequence_all(&mut self, segments: &[Ruling]) -> Result<Ruling, OverBudget> {
        if segments.is_empty() {
            return Ok(self.pass());
        }
        let base = self.pins.kept.len();
        self.pins.kept.extend(segments.iter().map(|segment| segment.0));
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
            self.pins.kept.truncate(base + count);
            self.collect_if_due();
        }
        let result = self.pinned(Pin(base));
        self.pins.kept.truncate(base);
        Ok(result)
    }

    /// Collects if the space has doubled since the last collection. Only what is pinned outlives the call.
    pub(super) fn collect_if_due(&mut self) {
        if self.n_edges() > self.pins.collect_at {
            self.collect();
        }
    }

    /// Collects if much of the budget is held: before work of another kind begins. Only what is pinned outlives the call.
    pub fn make_room(&mut self) {
        if self.n_edges() > self.budget() / 4 {
            self.collect();
        }
    }

    fn set_pin(&mut self, at: usize, node: Node) {
        if let Some(place) = self.pins.kept.get_mut(at) {
            *place = node;
        }
    }

    /// Drops every node that no pinned ruling reaches. Diagrams that are not pinned are lost.
    pub fn collect(&mut self) {
        let mut kept = Self::with_budget(self.budget());
        kept.order = self.order;
        let mut moved: Vec<Option<Node>> = vec![None; self.n_nodes()];
        kept.outcomes = std::mem::take(&mut self.outcomes);
        kept.pins.kept = std::mem::take(&mut self.pins.kept);
        for at in 0..kept.pins.kept.len() {
            if let Some(&pin) = kept.pins.kept.get(at) {
                let copy = self.copy_into(&mut kept, &mut moved, pin);
                kept.set_pin(at, copy);
            }
        }
        kept.pins.collect_at = (2 * kept.n_edges()).max(COLLECT_AT_LEAST);
        kept.work = self.work;
        *self = kept;
    }

    fn copy_into(&self, kept: &mut Self, moved: &mut [Option<Node>], node: Node) -> Node {
        if node.as_terminal().is_some() {
            return node;
        }
        if let Some(Some(done)) = moved.get(node.index()) {
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
        if let Some(place) = moved.get_mut(node.index()) {
            *place = Some(copy);
        }
        copy
    }
}
