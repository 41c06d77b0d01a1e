//! Which outcomes packets have, without building anything. INVARIANT: a visit gives each outcome set once, in the order of
//! their numbers.

use rustc_hash::FxHashSet;

use super::cursor::Cursor;
use super::outcome::OutcomeSet;
use super::ruling::Ruling;
use super::set::PacketSet;
use super::space::{Node, Space};

/// A pair of diagrams on the way down, and the edges that are next.
struct Frame {
    set: Cursor,
    ruling: Cursor,
    max: u128,
    is_done: bool,
}

impl Frame {
    fn new(space: &Space, set: Node, ruling: Node) -> Self {
        let level = space.level(set).min(space.level(ruling));
        let max = space.maximum(level);
        Self {
            set: Cursor::new(space, set, level, max),
            ruling: Cursor::new(space, ruling, level, max),
            max,
            is_done: false,
        }
    }

    /// The diagrams under the next values of the field that are in the set.
    fn next(&mut self, space: &Space) -> Option<(Node, Node)> {
        while !self.is_done {
            let (set, ruling) = (self.set.kid, self.ruling.kid);
            let is_outside = PacketSet(set).is_empty();
            let high = if is_outside {
                self.set.high
            } else {
                self.set.high.min(self.ruling.high)
            };
            self.is_done = high >= self.max;
            if !self.is_done {
                self.set.go_behind(space, high);
                self.ruling.go_behind(space, high);
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
