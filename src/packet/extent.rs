//! Extents: a set of packets as the few products of field values that a person wants to read.
//!
//! INVARIANT: the regions are disjoint, and if none were left out, their union is the set.

use rustc_hash::{FxHashMap, FxHashSet};

use super::set::PacketSet;
use super::space::{Node, Space};
use super::{Family, Field, RangeSet};

/// A product: for each field the values it may have. A field that is missing may have any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region {
    /// Sorted by field.
    pub tests: Vec<(Field, RangeSet)>,
}

impl Region {
    /// The values of a field; `None` if it may have any.
    #[must_use]
    pub fn values(&self, field: Field) -> Option<&RangeSet> {
        self.tests.iter().find(|test| test.0 == field).map(|test| &test.1)
    }

    /// How many packets, as the logarithm of their number relative to all.
    fn weight(&self) -> f64 {
        let share = |(field, values): &(Field, RangeSet)| {
            let top = if matches!(field, Field::Source4 | Field::Destination4) {
                Family::V4.max()
            } else {
                field.maximum()
            };
            #[expect(clippy::cast_precision_loss, reason = "only compared")]
            let size = |low: u128, high: u128| (high.min(top) - low.min(top)) as f64 + 1.0;
            let held: f64 = values.ranges().iter().map(|&(low, high)| size(low, high)).sum();
            (held / size(0, top)).ln()
        };
        self.tests.iter().map(share).sum()
    }
}

/// Regions looked at before the rest is only counted.
const MAX_LOOKED_AT: usize = 4096;

impl Space {
    /// The set as products, at most `most` of them, the largest first, and how many more there are (a lower
    /// bound where there are very many).
    #[must_use]
    pub fn regions(&self, set: PacketSet, most: usize) -> (Vec<Region>, usize) {
        let mut regions = Vec::new();
        self.collect_regions(set.0, &mut Vec::new(), &mut regions);
        let mut weighed: Vec<_> = regions
            .into_iter()
            .map(|region| (region.weight(), region))
            .collect();
        weighed.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let more = weighed.len().saturating_sub(most);
        weighed.truncate(most);
        (weighed.into_iter().map(|weighed| weighed.1).collect(), more)
    }

    /// How large a set is: the share of its packets in all, each value of a field counting alike.
    #[must_use]
    pub fn share(&self, set: PacketSet) -> f64 {
        self.share_below(set.0, &mut FxHashMap::default())
    }

    fn share_below(&self, node: Node, known: &mut FxHashMap<Node, f64>) -> f64 {
        if node.as_terminal().is_some() {
            return if PacketSet(node).is_empty() { 0.0 } else { 1.0 };
        }
        if let Some(&share) = known.get(&node) {
            return share;
        }
        let max = self.maximum(self.level(node));
        let mut sum = 0.0;
        for (low, high, kid) in self.edges(node) {
            #[expect(clippy::cast_precision_loss, reason = "only compared")]
            let width = ((high - low) as f64 + 1.0) / (max as f64 + 1.0);
            sum += width * self.share_below(kid, known);
        }
        known.insert(node, sum);
        sum
    }

    /// The values that a field has in some packet of the set.
    #[must_use]
    pub fn values_of(&self, set: PacketSet, field: Field) -> RangeSet {
        let (mut seen, mut pending, mut ranges) = (FxHashSet::default(), vec![set.0], Vec::new());
        while let Some(node) = pending.pop() {
            if PacketSet(node).is_empty() || !seen.insert(node) {
                continue;
            }
            if self.level(node) > self.level_of(field) {
                return RangeSet::range(0, field.maximum());
            }
            let inside = self.edges(node).filter(|edge| !PacketSet(edge.2).is_empty());
            if self.field(node) == Some(field) {
                ranges.extend(inside.map(|(low, high, _)| (low, high)));
            } else {
                pending.extend(inside.map(|edge| edge.2));
            }
        }
        RangeSet::from_ranges(ranges)
    }

    fn collect_regions(&self, node: Node, path: &mut Vec<(Field, RangeSet)>, regions: &mut Vec<Region>) {
        if PacketSet(node).is_empty() || regions.len() >= MAX_LOOKED_AT {
            return;
        }
        // A family or a protocol is one line of a port table; below, a product of projections reads best.
        let is_heading = matches!(self.field(node), Some(Field::Family | Field::Protocol));
        if !is_heading && let Some(tests) = self.as_product(node) {
            let mut tests: Vec<_> = path.iter().cloned().chain(tests).collect();
            tests.sort_by_key(|test| test.0);
            regions.push(Region { tests });
            return;
        }
        let Some(field) = self.field(node) else { return };
        for (kid, values) in self.edges_inside(node) {
            path.push((field, values));
            self.collect_regions(kid, path, regions);
            path.pop();
        }
    }

    /// Where a node leads, but for nowhere, and for which values: each kid once, in the order of their first values.
    fn edges_inside(&self, node: Node) -> Vec<(Node, RangeSet)> {
        let inside = || self.edges(node).filter(|edge| !PacketSet(edge.2).is_empty());
        let mut some = inside();
        if let (Some((low, high, kid)), None) = (some.next(), some.next()) {
            return vec![(kid, RangeSet::range(low, high))];
        }
        drop(some);
        let mut places = FxHashMap::default();
        let mut groups: Vec<(Node, Vec<(u128, u128)>)> = Vec::new();
        for (low, high, kid) in inside() {
            let place = *places.entry(kid).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.1.push((low, high)),
                None => groups.push((kid, vec![(low, high)])),
            }
        }
        let groups = groups.into_iter();
        groups
            .map(|(kid, ranges)| (kid, ranges.into_iter().collect()))
            .collect()
    }

    /// The diagram as one product, if it is one: the projections on each field, multiplied, give it back.
    fn as_product(&self, node: Node) -> Option<Vec<(Field, RangeSet)>> {
        let mut tests = Vec::new();
        let mut current = node;
        // In a product, every node of a level has one kid but "out": walk down and see.
        while let Some(field) = self.field(current) {
            let mut kids = self.edges(current).filter(|edge| !PacketSet(edge.2).is_empty());
            let Some((_, _, kid)) = kids.next() else { break };
            if kids.any(|edge| edge.2 != kid) {
                return None;
            }
            drop(kids);
            let inside = self.edges(current).filter(|edge| edge.2 == kid);
            tests.push((field, inside.map(|(low, high, _)| (low, high)).collect()));
            current = kid;
        }
        PacketSet(current).is_all().then_some(tests)
    }
}
