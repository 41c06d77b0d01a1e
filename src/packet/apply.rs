//! Walking two diagrams at once: what every binary operation shares.

use super::Field;
use super::space::{Node, Operation, OverBudget, Space};

/// A binary operation on diagrams, by what it does at the ends.
pub(super) trait Binary {
    /// Under which name results are remembered.
    fn operation(&self) -> Operation;
    /// The result where it is plain without looking further.
    fn shortcut(&self, space: &Space, left: Node, right: Node) -> Option<Node>;
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
        let max = Field::at_level(level).maximum();
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
            let high = left_high.min(right_high);
            let kid = self.apply(by, left_kid, right_kid)?;
            self.push(begun, high, kid);
            if high >= max {
                return self.finish(begun, level);
            }
            at_left += usize::from(left_high == high);
            at_right += usize::from(right_high == high);
        }
    }
}
