//! Sets of packets: diagrams whose terminals are "in" and "out".

use rustc_hash::FxHashMap;

use super::apply::Binary;
use super::space::{Node, Operation, OverBudget, Space};
use super::{Field, RangeSet};

/// A set of packets. Only means something in the [`Space`] that made it; there, equal sets are equal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketSet(pub(super) Node);

/// A set that is known up to a doubt: every packet of `surely` is in it, none outside `possibly` is.
///
/// INVARIANT: `surely` is a subset of `possibly`; they are equal when nothing is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// In it, whatever the unknown parts turn out to be.
    pub surely: PacketSet,
    /// In it for some answer to the unknown parts.
    pub possibly: PacketSet,
}

impl Bounds {
    /// A set about which nothing is in doubt.
    #[must_use]
    pub fn exactly(set: PacketSet) -> Self {
        Self {
            surely: set,
            possibly: set,
        }
    }

    /// No packet.
    #[must_use]
    pub fn empty() -> Self {
        Self::exactly(PacketSet::empty())
    }
}

const OUT: u32 = 0;
const IN: u32 = 1;

impl PacketSet {
    /// No packet.
    #[must_use]
    pub fn empty() -> Self {
        Self(Node::terminal(OUT))
    }

    /// Every packet.
    #[must_use]
    pub fn all() -> Self {
        Self(Node::terminal(IN))
    }

    /// Whether there is no packet in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::empty()
    }

    /// Whether every packet is in it.
    #[must_use]
    pub fn is_all(self) -> bool {
        self == Self::all()
    }
}

pub(super) struct Boolean(pub(super) Operation);

impl Binary for Boolean {
    fn operation(&self) -> Operation {
        self.0
    }

    fn shortcut(&self, _: &Space, left: Node, right: Node) -> Option<Node> {
        let (none, all) = (Node::terminal(OUT), Node::terminal(IN));
        match self.0 {
            Operation::Union if left == right || right == none => Some(left),
            Operation::Union if left == none => Some(right),
            Operation::Union if left == all || right == all => Some(all),
            Operation::Intersection if left == right || right == all => Some(left),
            Operation::Intersection if left == all => Some(right),
            Operation::Intersection if left == none || right == none => Some(none),
            Operation::Difference if left == right || left == none || right == all => Some(none),
            Operation::Difference if right == none => Some(left),
            _ => None,
        }
    }

    fn whatever_right(&self, _: &Space, left: Node) -> Option<Node> {
        let (none, all) = (Node::terminal(OUT), Node::terminal(IN));
        match self.0 {
            Operation::Union => (left == all).then_some(all),
            _ => (left == none).then_some(none),
        }
    }

    fn whatever_left(&self, _: &Space, right: Node) -> Option<Node> {
        let (none, all) = (Node::terminal(OUT), Node::terminal(IN));
        match self.0 {
            Operation::Union => (right == all).then_some(all),
            Operation::Intersection => (right == none).then_some(none),
            _ => (right == all).then_some(none),
        }
    }

    fn terminals(&self, _: &mut Space, left: u32, right: u32) -> u32 {
        match self.0 {
            Operation::Union => left | right,
            Operation::Intersection => left & right,
            _ => left & !right & 1,
        }
    }
}

impl Space {
    /// The packets whose `field` has one of `values`.
    pub fn test(&mut self, field: Field, values: &RangeSet) -> Result<PacketSet, OverBudget> {
        let (node_in, node_out) = (Node::terminal(IN), Node::terminal(OUT));
        self.split(field, values, node_in, node_out).map(PacketSet)
    }

    /// The node that leads to `inside` for `values` of `field`, else to `outside`, both of which ask later fields only.
    pub(super) fn split(
        &mut self,
        field: Field,
        values: &RangeSet,
        inside: Node,
        outside: Node,
    ) -> Result<Node, OverBudget> {
        let max = field.maximum();
        let begun = self.begin();
        let mut next = Some(0);
        for &(low, high) in values.ranges().iter().filter(|range| range.0 <= max) {
            if next.is_some_and(|next| next < low) {
                self.push(begun, low - 1, outside);
            }
            self.push(begun, high.min(max), inside);
            next = high.checked_add(1).filter(|&next| next <= max);
        }
        if next.is_some() {
            self.push(begun, max, outside);
        }
        self.finish(begun, self.level_of(field))
    }

    /// The packets that pass every test. Fields may come in any order and repeat.
    pub fn product(&mut self, tests: &[(Field, RangeSet)]) -> Result<PacketSet, OverBudget> {
        let mut tests: Vec<_> = tests.iter().collect();
        tests.sort_by_key(|test| std::cmp::Reverse(self.level_of(test.0)));
        let mut set = PacketSet::all();
        for (field, values) in tests {
            set = if self.level(set.0) > self.level_of(*field) {
                PacketSet(self.split(*field, values, set.0, Node::terminal(OUT))?)
            } else {
                let test = self.test(*field, values)?;
                self.intersection(set, test)?
            };
        }
        Ok(set)
    }

    /// The packets in either.
    pub fn union(&mut self, left: PacketSet, right: PacketSet) -> Result<PacketSet, OverBudget> {
        // Both orders give one result: ask for one of them.
        let (left, right) = if left <= right {
            (left, right)
        } else {
            (right, left)
        };
        self.apply(&Boolean(Operation::Union), left.0, right.0)
            .map(PacketSet)
    }

    /// The packets in both.
    pub fn intersection(&mut self, left: PacketSet, right: PacketSet) -> Result<PacketSet, OverBudget> {
        let (left, right) = if left <= right {
            (left, right)
        } else {
            (right, left)
        };
        self.apply(&Boolean(Operation::Intersection), left.0, right.0)
            .map(PacketSet)
    }

    /// The packets of `left` that are not in `right`.
    pub fn difference(&mut self, left: PacketSet, right: PacketSet) -> Result<PacketSet, OverBudget> {
        self.apply(&Boolean(Operation::Difference), left.0, right.0)
            .map(PacketSet)
    }

    /// The packets that are not in the set.
    pub fn complement(&mut self, set: PacketSet) -> Result<PacketSet, OverBudget> {
        self.difference(PacketSet::all(), set)
    }

    /// The union of many sets, by halves: large intermediate results are merged as late as possible.
    pub fn union_all(&mut self, sets: &[PacketSet]) -> Result<PacketSet, OverBudget> {
        match sets {
            [] => Ok(PacketSet::empty()),
            [set] => Ok(*set),
            _ => {
                let (left, right) = sets.split_at(sets.len() / 2);
                let (left, right) = (self.union_all(left)?, self.union_all(right)?);
                self.union(left, right)
            }
        }
    }

    /// The packets that are in `set` for some value of `field` among `values`. The result does not depend on `field`.
    /// Among no values there is none: the result is empty.
    pub fn exists(
        &mut self,
        set: PacketSet,
        field: Field,
        values: &RangeSet,
    ) -> Result<PacketSet, OverBudget> {
        self.quantify(set, field, values, Operation::Union)
    }

    /// The packets that are in `set` for every value of `field` among `values`. Among no values that is every packet.
    pub fn for_all(
        &mut self,
        set: PacketSet,
        field: Field,
        values: &RangeSet,
    ) -> Result<PacketSet, OverBudget> {
        self.quantify(set, field, values, Operation::Intersection)
    }

    fn quantify(
        &mut self,
        set: PacketSet,
        field: Field,
        values: &RangeSet,
        by: Operation,
    ) -> Result<PacketSet, OverBudget> {
        if values.is_empty() {
            return Ok(if by == Operation::Union {
                PacketSet::empty()
            } else {
                PacketSet::all()
            });
        }
        let (neutral, decisive) = match by {
            Operation::Union => (Node::terminal(OUT), Node::terminal(IN)),
            _ => (Node::terminal(IN), Node::terminal(OUT)),
        };
        let mut known = FxHashMap::default();
        self.project(set.0, field, &mut known, &mut |space, node| {
            let mut kids: Vec<Node> = Vec::new();
            for &(low, high) in values.ranges() {
                kids.extend(space.edges_within(node, low, high));
            }
            if kids.contains(&decisive) {
                return Ok(decisive);
            }
            kids.sort_unstable();
            kids.dedup();
            space.fold(&Boolean(by), &kids, neutral)
        })
        .map(PacketSet)
    }

    /// Folds diagrams by halves; `empty` is the result for no diagram.
    pub(super) fn fold(&mut self, by: &impl Binary, nodes: &[Node], empty: Node) -> Result<Node, OverBudget> {
        match nodes {
            [] => Ok(empty),
            [node] => Ok(*node),
            _ => {
                let (left, right) = nodes.split_at(nodes.len() / 2);
                let (left, right) = (self.fold(by, left, empty)?, self.fold(by, right, empty)?);
                self.apply(by, left, right)
            }
        }
    }

    /// Rebuilds a diagram with every node that asks `field` replaced by what `join` makes of it.
    pub(super) fn project(
        &mut self,
        node: Node,
        field: Field,
        known: &mut FxHashMap<Node, Node>,
        join: &mut impl FnMut(&mut Self, Node) -> Result<Node, OverBudget>,
    ) -> Result<Node, OverBudget> {
        let level = self.level(node);
        if level > self.level_of(field) {
            return Ok(node);
        }
        if let Some(&done) = known.get(&node) {
            return Ok(done);
        }
        let result = if level == self.level_of(field) {
            join(self, node)?
        } else {
            let begun = self.begin();
            for at in 0..self.n_edges_of(node) {
                let (high, kid) = self.edge(node, at);
                let kid = self.project(kid, field, known, join)?;
                self.push(begun, high, kid);
            }
            self.finish(begun, level)?
        };
        known.insert(node, result);
        Ok(result)
    }

    /// Whether a packet is in the set; `value` gives its fields.
    pub fn contains(&self, set: PacketSet, value: &impl Fn(Field) -> u128) -> bool {
        self.terminal_of(set.0, value) == IN
    }

    /// The terminal that a packet reaches.
    pub(super) fn terminal_of(&self, mut node: Node, value: &impl Fn(Field) -> u128) -> u32 {
        loop {
            match (node.as_terminal(), self.field(node)) {
                (Some(terminal), _) => return terminal,
                (None, Some(field)) => node = self.child(node, value(field)),
                (None, None) => return OUT,
            }
        }
    }
}
