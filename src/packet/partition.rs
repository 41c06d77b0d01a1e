//! Dividing packets by who decides them, all at once: asking for one rule after the other would walk the whole
//! diagram as often as there are rules.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::outcome::{Cause, OutcomeSet};
use super::ruling::Ruling;
use super::set::PacketSet;
use super::space::{Node, OverBudget, Space};

/// Packets by cause, sorted by cause; no part is empty.
type Parts = Rc<[(Cause, Node)]>;

struct Partition<F> {
    causes: F,
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
        let (splits_within, splits_ruling) = (space.level(within) == level, space.level(ruling) == level);
        let (mut at_within, mut at_ruling) = (0, 0);
        // The parts of each range of values, as `(cause, low, high, part)`.
        let mut pieces: Vec<(Cause, u128, u128, Node)> = Vec::new();
        let mut low = 0;
        loop {
            let (left_high, left) = edge(space, within, splits_within.then_some(at_within), max);
            let (right_high, right) = edge(space, ruling, splits_ruling.then_some(at_ruling), max);
            let is_outside = PacketSet(left).is_empty();
            let high = if is_outside {
                left_high
            } else {
                left_high.min(right_high)
            };
            if !is_outside {
                let parts = self.run(space, left, right)?;
                pieces.extend(parts.iter().map(|&(cause, part)| (cause, low, high, part)));
            }
            if high >= max {
                break;
            }
            if splits_within {
                at_within = space.edge_behind(within, at_within, high);
            }
            if splits_ruling {
                at_ruling = space.edge_behind(ruling, at_ruling, high);
            }
            low = high + 1;
        }
        pieces.sort_by_key(|piece| piece.0);
        let mut parts = Vec::new();
        for of_cause in pieces.chunk_by(|one, next| one.0 == next.0) {
            if let Some(&(cause, ..)) = of_cause.first() {
                parts.push((cause, join(space, level, of_cause)?));
            }
        }
        Ok(parts.into())
    }
}

fn edge(space: &Space, node: Node, at: Option<usize>, max: u128) -> (u128, Node) {
    at.map_or((max, node), |at| space.edge(node, at))
}

/// The diagram of the pieces of one cause: ascending ranges and where they lead; elsewhere there is nothing.
fn join(space: &mut Space, level: u16, pieces: &[(Cause, u128, u128, Node)]) -> Result<Node, OverBudget> {
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
