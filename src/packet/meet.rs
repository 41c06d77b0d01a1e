//! Whether sets have packets in common, without building what they have in common.
//!
//! INVARIANT: the walk ends at the first packet that answers the question, and goes through no pair of nodes twice.

use rustc_hash::FxHashSet;

use super::apply::Binary;
use super::cursor::Cursor;
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
        let mut left = Cursor::new(self, left, level, max);
        let mut right = Cursor::new(self, right, level, max);
        loop {
            let mut high = left.high.min(right.high);
            match by.shortcut(self, left.kid, right.kid) {
                Some(result) if !PacketSet(result).is_empty() => return true,
                Some(_) if by.whatever_right(self, left.kid).is_some() => high = left.high,
                Some(_) if by.whatever_left(self, right.kid).is_some() => high = right.high,
                Some(_) => {}
                None => {
                    if seen.insert((left.kid, right.kid))
                        && self.has_some_below(by, left.kid, right.kid, seen)
                    {
                        return true;
                    }
                }
            }
            if high >= max {
                return false;
            }
            left.go_behind(self, high);
            right.go_behind(self, high);
        }
    }
}
