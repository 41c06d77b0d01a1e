//! Dividing packets by who decides them, all at once: asking for one rule after the other would walk the whole
//! diagram as often as there are rules.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::cursor::Cursor;
use super::outcome::{Cause, OutcomeSet};
use super::ruling::Ruling;
use super::set::PacketSet;
use super::space::{Node, OverBudget, Space};

/// Packets by cause, sorted by cause; no part is empty.
type Parts = Rc<[(Cause, Node)]>;

/// A part of a range of values: `(cause, low, high, part)`.
type Piece = (Cause, u128, u128, Node);

struct Partition<F> {
    causes: F,
    /// Pieces of the nodes on the way down, as a stack.
    pieces: Vec<Piece>,
    known: FxHashMap<(Node, Node), Parts>,
    /// Parts held by `known`, against the budget of edges.
    held: usize,
}

impl Space {
    /// The packets of `within` by the causes that `causes` names of their outcomes, sorted by cause. A packet with
    /// several causes is in several parts, one without any in none. Costs what the parts together cost.
    pub fn partition<F>(
        &mut self,
        within: PacketSet,
        ruling: Ruling,
        causes: F,
    ) -> Result<Vec<(Cause, PacketSet)>, OverBudget>
    where
        F: Fn(&OutcomeSet) -> Vec<Cause>,
    {
        let mut partition = Partition {
            causes,
            pieces: Vec::new(),
            known: FxHashMap::default(),
            held: 0,
        };
        let parts = partition.run(self, within.0, ruling.0)?;
        Ok(parts
            .iter()
            .map(|&(cause, node)| (cause, PacketSet(node)))
            .collect())
    }
}

impl<F: Fn(&OutcomeSet) -> Vec<Cause>> Partition<F> {
    fn run(&mut self, space: &mut Space, within: Node, ruling: Node) -> Result<Parts, OverBudget> {
        if PacketSet(within).is_empty() {
            return Ok(Rc::from([]));
        }
        if let Some(known) = self.known.get(&(within, ruling)) {
            return Ok(Rc::clone(known));
        }
        let parts: Parts = if let Some(terminal) = ruling.as_terminal() {
            let mut causes = (self.causes)(space.outcomes.set(terminal));
            causes.sort_unstable();
            causes.dedup();
            causes.into_iter().map(|cause| (cause, within)).collect()
        } else {
            self.run_edges(space, within, ruling)?
        };
        self.held += 1 + parts.len();
        space.check_held(self.held)?;
        self.known.insert((within, ruling), Rc::clone(&parts));
        Ok(parts)
    }

    fn run_edges(&mut self, space: &mut Space, within: Node, ruling: Node) -> Result<Parts, OverBudget> {
        let level = space.level(within).min(space.level(ruling));
        let max = space.maximum(level);
        let mut within = Cursor::new(space, within, level, max);
        let mut ruling = Cursor::new(space, ruling, level, max);
        let begun = self.pieces.len();
        let mut low = 0;
        loop {
            let is_outside = PacketSet(within.kid).is_empty();
            let high = if is_outside {
                within.high
            } else {
                within.high.min(ruling.high)
            };
            if !is_outside {
                let parts = self.run(space, within.kid, ruling.kid)?;
                self.pieces
                    .extend(parts.iter().map(|&(cause, part)| (cause, low, high, part)));
            }
            if high >= max {
                break;
            }
            within.go_behind(space, high);
            ruling.go_behind(space, high);
            low = high + 1;
        }
        let pieces = self.pieces.get_mut(begun..).unwrap_or_default();
        pieces.sort_by_key(|piece| piece.0);
        let mut parts = Vec::new();
        for of_cause in pieces.chunk_by(|one, next| one.0 == next.0) {
            if let Some(&(cause, ..)) = of_cause.first() {
                parts.push((cause, join(space, level, of_cause)?));
            }
        }
        self.pieces.truncate(begun);
        Ok(parts.into())
    }
}

/// The diagram of the pieces of one cause: ascending ranges and where they lead; elsewhere there is nothing.
fn join(space: &mut Space, level: u16, pieces: &[Piece]) -> Result<Node, OverBudget> {
    let (max, none) = (space.maximum(level), PacketSet::empty().0);
    let begun = space.begin();
    let mut next = Some(0);
    for &(_, low, high, part) in pieces {
        if next.is_some_and(|next| next < low) {
            space.push(begun, low - 1, none);
        }
        space.push(begun, high, part);
        next = high.checked_add(1).filter(|&next| next <= max);
    }
    if next.is_some() {
        space.push(begun, max, none);
    }
    space.finish(begun, level)
}
