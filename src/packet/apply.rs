//! Walking two diagrams at once: what every binary operation shares.

use super::cursor::Cursor;
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
        let mut left = Cursor::new(self, left, level, max);
        let mut right = Cursor::new(self, right, level, max);
        let begun = self.begin();
        loop {
            // Where one side settles the result, the other's edges are leapt over.
            let (high, kid) = if let Some(kid) = by.whatever_right(self, left.kid) {
                (left.high, kid)
            } else if let Some(kid) = by.whatever_left(self, right.kid) {
                (right.high, kid)
            } else {
                (left.high.min(right.high), self.apply(by, left.kid, right.kid)?)
            };
            self.push(begun, high, kid);
            if high >= max {
                return self.finish(begun, level);
            }
            left.go_behind(self, high);
            right.go_behind(self, high);
        }
    }
}
