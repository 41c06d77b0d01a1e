//! Whether sets have packets in common, without building what they have in common.
//!
//! INVARIANT: the walk ends at the first packet that answers the question, and goes through no pair of nodes twice.

use rustc_hash::FxHashSet;

use super::apply::Binary;
use super::set::{Boolean, PacketSet};
use super::space::{Node, Operation, Space};

impl Space {
    /// Whether no packet is in both sets.
    #[must_use]
    pub fn is_disjoint(&self, left: PacketSet, right: PacketSet) -> bool {
        !self.has_some(&Boolean(Operation::Intersection), left.0, right.0)
    }

    /// Whether every packet of `left` is in `right`.
    #[must_use]
    pub fn is_subset(&self, left: PacketSet, right: PacketSet) -> bool {
        !self.has_some(&Boolean(Operation::Difference), left.0, right.0)
    }

    fn has_some(&self, by: &Boolean, left: Node, right: Node) -> bool {
        match by.shortcut(self, left, right) {
            Some(result) => !PacketSet(result).is_empty(),
            None => self.has_some_below(by, left, right, &mut FxHashSet::default()),
        }
    }

    /// Of two nodes of which at least one is inner: [`Boolean::shortcut`] knows all pairs of terminals.
    fn has_some_below(
        &self,
        by: &Boolean,
        left: Node,
        right: Node,
        seen: &mut FxHashSet<(Node, Node)>,
    ) -> bool {
        let level = self.level(left).min(self.level(right));
        let max = self.maximum(level);
        let (splits_left, splits_right) = (self.level(left) == level, self.level(right) == level);
        let (mut at_left, mut at_right) = (0, 0);
        loop {
            let (left_high, left_kid) = if splits_left {
                self.edge(left, at_left)
            } else {
                (max, left)
            };
            let (right_high, right_kid) = if splits_right {
                self.edge(right, at_right)
            } else {
                (max, right)
            };
            let mut high = left_high.min(right_high);
            match by.shortcut(self, left_kid, right_kid) {
                Some(result) if !PacketSet(result).is_empty() => return true,
                Some(_) if by.whatever_right(self, left_kid).is_some() => high = left_high,
                Some(_) if by.whatever_left(self, right_kid).is_some() => high = right_high,
                Some(_) => {}
                None => {
                    if seen.insert((left_kid, right_kid))
                        && self.has_some_below(by, left_kid, right_kid, seen)
                    {
                        return true;
                    }
                }
            }
            if high >= max {
                return false;
            }
            if splits_left {
                at_left = self.edge_behind(left, at_left, high);
            }
            if splits_right {
                at_right = self.edge_behind(right, at_right, high);
            }
        }
    }
}
