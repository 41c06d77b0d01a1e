//! One ruling for the packets of a set, another for the rest.

use rustc_hash::FxHashMap;

use super::ruling::Ruling;
use super::set::PacketSet;
use super::space::{Node, OverBudget, Space};

/// Results so far, by set and both rulings.
type Known = FxHashMap<[Node; 3], Node>;

/// Where one of the three diagrams stands while the edges of all are walked in step.
#[derive(Clone, Copy)]
struct Side {
    node: Node,
    /// Whether its edges divide the values of the level that is walked.
    splits: bool,
    at: usize,
}

impl Side {
    /// The last value of the edge at hand, and where it leads.
    fn edge(self, space: &Space, max: u128) -> (u128, Node) {
        if self.splits {
            space.edge(self.node, self.at)
        } else {
            (max, self.node)
        }
    }

    fn go_behind(&mut self, space: &Space, high: u128) {
        if self.splits {
            self.at = space.edge_behind(self.node, self.at, high);
        }
    }
}

impl Space {
    /// `inside` for the packets of the set, `outside` for the others.
    pub fn choose(&mut self, set: PacketSet, inside: Ruling, outside: Ruling) -> Result<Ruling, OverBudget> {
        let mut known = Known::default();
        self.if_then_else([set.0, inside.0, outside.0], &mut known)
            .map(Ruling)
    }

    fn if_then_else(&mut self, parts: [Node; 3], known: &mut Known) -> Result<Node, OverBudget> {
        let [set, inside, outside] = parts;
        if PacketSet(set).is_all() || inside == outside {
            return Ok(inside);
        }
        if PacketSet(set).is_empty() {
            return Ok(outside);
        }
        if let Some(&done) = known.get(&parts) {
            return Ok(done);
        }
        let levels = parts.map(|node| self.level(node));
        let level = levels.into_iter().min().unwrap_or(u16::MAX);
        let max = self.maximum(level);
        let mut sides = parts.map(|node| Side {
            node,
            splits: self.level(node) == level,
            at: 0,
        });
        let begun = self.begin();
        loop {
            let edges = sides.map(|side| side.edge(self, max));
            let [of_set, of_inside, of_outside] = edges;
            // What the set leaves to one ruling leaps over the edges of the other.
            let high = if PacketSet(of_set.1).is_empty() {
                of_set.0.min(of_outside.0)
            } else if PacketSet(of_set.1).is_all() {
                of_set.0.min(of_inside.0)
            } else {
                of_set.0.min(of_inside.0).min(of_outside.0)
            };
            let kid = self.if_then_else(edges.map(|edge| edge.1), known)?;
            self.push(begun, high, kid);
            if high >= max {
                break;
            }
            for side in &mut sides {
                side.go_behind(self, high);
            }
        }
        let result = self.finish(begun, level)?;
        known.insert(parts, result);
        Ok(result)
    }
}
