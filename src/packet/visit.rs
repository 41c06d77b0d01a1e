//! Which outcomes packets have, without building anything. INVARIANT: a visit gives each outcome set once, in the order of
//! their numbers.

use rustc_hash::FxHashSet;

use super::outcome::OutcomeSet;
use super::ruling::Ruling;
use super::set::PacketSet;
use super::space::{Node, Space};

/// A pair of diagrams on the way down, and the edges that are next.
struct Frame {
    set: Node,
    ruling: Node,
    level: u16,
    at_set: usize,
    at_ruling: usize,
    is_done: bool,
}

impl Frame {
    fn new(space: &Space, set: Node, ruling: Node) -> Self {
        Self {
            set,
            ruling,
            level: space.level(set).min(space.level(ruling)),
            at_set: 0,
            at_ruling: 0,
            is_done: false,
        }
    }

    /// The diagrams under the next values of the field that are in the set.
    fn next(&mut self, space: &Space) -> Option<(Node, Node)> {
        let max = space.maximum(self.level);
        while !self.is_done {
            let (splits_set, splits_ruling) = (
                space.level(self.set) == self.level,
                space.level(self.ruling) == self.level,
            );
            let (set_high, set) = if splits_set {
                space.edge(self.set, self.at_set)
            } else {
                (max, self.set)
            };
            let (ruling_high, ruling) = if splits_ruling {
                space.edge(self.ruling, self.at_ruling)
            } else {
                (max, self.ruling)
            };
            let is_outside = PacketSet(set).is_empty();
            let high = if is_outside {
                set_high
            } else {
                set_high.min(ruling_high)
            };
            self.is_done = high >= max;
            if !self.is_done && splits_set {
                self.at_set = space.edge_behind(self.set, self.at_set, high);
            }
            if !self.is_done && splits_ruling {
                self.at_ruling = space.edge_behind(self.ruling, self.at_ruling, high);
            }
            if !is_outside {
                return Some((set, ruling));
            }
        }
        None
    }
}

impl Space {
    /// All that happens to some packet.
    #[must_use]
    pub fn terminals(&self, ruling: Ruling) -> Vec<&OutcomeSet> {
        let (mut seen, mut pending, mut found) = (FxHashSet::default(), vec![ruling.0], Vec::new());
        while let Some(node) = pending.pop() {
            if let Some(terminal) = node.as_terminal() {
                found.push(terminal);
            } else if seen.insert(node) {
                pending.extend((0..self.n_edges_of(node)).map(|at| self.edge(node, at).1));
            }
        }
        self.outcome_sets(found)
    }

    /// All that happens to some packet of a set.
    #[must_use]
    pub fn terminals_within(&self, set: PacketSet, ruling: Ruling) -> Vec<&OutcomeSet> {
        self.some_terminals_within(set, ruling, usize::MAX)
    }

    /// The same, but follows so many edges at the most: some of what happens.
    #[must_use]
    pub fn some_terminals_within(&self, set: PacketSet, ruling: Ruling, most: usize) -> Vec<&OutcomeSet> {
        let (mut seen, mut found, mut followed) = (FxHashSet::default(), Vec::new(), 0);
        let mut path: Vec<Frame> = Vec::new();
        let mut next = Some((set.0, ruling.0));
        loop {
            match next {
                Some((set, _)) if PacketSet(set).is_empty() => {}
                Some((set, ruling)) => match ruling.as_terminal() {
                    Some(terminal) => found.push(terminal),
                    None if seen.insert((set, ruling)) => path.push(Frame::new(self, set, ruling)),
                    None => {}
                },
                None => {
                    path.pop();
                }
            }
            let Some(frame) = path.last_mut() else { break };
            if followed == most {
                break;
            }
            next = frame.next(self);
            followed += 1;
        }
        self.outcome_sets(found)
    }

    fn outcome_sets(&self, mut terminals: Vec<u32>) -> Vec<&OutcomeSet> {
        terminals.sort_unstable();
        terminals.dedup();
        terminals
            .into_iter()
            .map(|terminal| self.outcomes.set(terminal))
            .collect()
    }
}
