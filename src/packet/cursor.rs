//! Walking the edges of several diagrams in step: what every operation on two or three of them shares.

use super::space::{Node, Space};

/// Where one of the diagrams stands.
///
/// INVARIANT: `high` and `kid` are those of the edge at hand; of a diagram that does not ask the level that is walked, one edge
/// holds all values and leads to the diagram itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    node: Node,
    at: usize,
    /// The last value of the edge at hand.
    pub(super) high: u128,
    /// Where it leads.
    pub(super) kid: Node,
}

impl Cursor {
    /// At the first edge of a diagram, while `level` is walked, whose largest value is `max`.
    pub(super) fn new(space: &Space, node: Node, level: u16, max: u128) -> Self {
        let (high, kid) = if space.level(node) == level {
            space.edge(node, 0)
        } else {
            (max, node)
        };
        Self {
            node,
            at: 0,
            high,
            kid,
        }
    }

    /// Goes on to the edge that holds the value behind `high`, of which there must be one: nothing is asked of the values up to there.
    pub(super) fn go_behind(&mut self, space: &Space, high: u128) {
        if self.high > high {
            return;
        }
        self.at = if self.high == high {
            self.at + 1
        } else {
            space.edge_behind(self.node, self.at, high)
        };
        (self.high, self.kid) = space.edge(self.node, self.at);
    }
}
