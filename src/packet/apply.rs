//! Walking two diagrams at once: what every binary operation shares.

use super::space::{Node, Operation, OverBudget, Space};

/// A binary operation on diagrams, by what it does at the ends.
pub(super) trait Binary {
    /// Under which name results are remembered.
    fn operation(&self) -> Operation;
    /// The result where it is plain without looking further.
    fn shortcut(&self, space: &Space, left: Node, right: Node) -> Option<Node>;
    /// The result whatever the right diagram is.
    fn whatever_right(&self, space: &Space, left: Node) -> Option<Node>;
    /// The result whatever the left diagram is.
    fn whatever_left(&self, space: &Space, right: Node) -> Option<Node>;
    /// The result for two terminals that `shortcut` left open.
    fn terminals(&self, space: &mut Space, left: u32, right: u32) -> u32;
}

impl Space {
    /// Applies a binary operation to two diagrams, value by value.
    pub(super) fn apply(&mut self, by: &impl Binary, left: Node, right: Node) -> Result<Node, OverBudget> {
        if let Some(result) = by.shortcut(self, left, right) {
            return Ok(result);
        }
        let key = (by.operation(), left, right);
        if let Some(&known) = self.memo.get(&key) {
            return Ok(known);
        }
        self.check_work()?;
        let result = if let (Some(left), Some(right)) = (left.as_terminal(), right.as_terminal()) {
            Node::terminal(by.terminals(self, left, right))
        } else {
            self.apply_to_edges(by, left, right)?
        };
        self.remember(key, result);
        Ok(result)
    }

    fn apply_to_edges(&mut self, by: &impl Binary, left: Node, right: Node) -> Result<Node, OverBudget> {
        let level = self.level(left).min(self.level(right));
        let max = self.maximum(level);
        let (splits_left, splits_right) = (self.level(left) == level, self.level(right) == level);
        let (mut at_left, mut at_right) = (0, 0);
        let begun = self.begin();
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
            // Where one side settles the result, the other's edges are leapt over.
            let (high, kid) = if let Some(kid) = by.whatever_right(self, left_kid) {
                (left_high, kid)
            } else if let Some(kid) = by.whatever_left(self, right_kid) {
                (right_high, kid)
            } else {
                (left_high.min(right_high), self.apply(by, left_kid, right_kid)?)
            };
            self.push(begun, high, kid);
            if high >= max {
                return self.finish(begun, level);
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
