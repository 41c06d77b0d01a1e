//! Sets of one space in another, whatever the order of its fields.

use rustc_hash::FxHashMap;

use super::set::PacketSet;
use super::space::{Node, OverBudget, Space};
use super::{Field, RangeSet};

/// Says which values of a field of this space stand for some values of the other's; `None`: the same.
pub(super) type Values<'a> = &'a dyn Fn(Field, &RangeSet) -> Option<RangeSet>;

impl Space {
    /// The packets here that are the packets of a set of another space. `values` must be a function from the values here to those
    /// there, asked backwards: then unions, intersections and differences stay what they are.
    pub fn import(
        &mut self,
        other: &Self,
        set: PacketSet,
        values: Values<'_>,
    ) -> Result<PacketSet, OverBudget> {
        let mut known = FxHashMap::default();
        self.import_node(other, set.0, values, &mut known)
    }

    /// Recursive over levels, of which there are few.
    fn import_node(
        &mut self,
        other: &Self,
        node: Node,
        values: Values<'_>,
        known: &mut FxHashMap<Node, PacketSet>,
    ) -> Result<PacketSet, OverBudget> {
        let Some(field) = other.field(node) else {
            return Ok(if PacketSet(node).is_all() {
                PacketSet::all()
            } else {
                PacketSet::empty()
            });
        };
        if let Some(&done) = known.get(&node) {
            return Ok(done);
        }
        let mut kids: FxHashMap<Node, usize> = FxHashMap::default();
        let mut branches: Vec<(Node, Vec<(u128, u128)>)> = Vec::new();
        for (low, high, kid) in other.edges(node) {
            let at = *kids.entry(kid).or_insert_with(|| {
                branches.push((kid, Vec::new()));
                branches.len() - 1
            });
            if let Some((_, ranges)) = branches.get_mut(at) {
                ranges.push((low, high));
            }
        }
        let mut parts = Vec::with_capacity(branches.len());
        for (kid, ranges) in branches {
            let there = RangeSet::from_ranges(ranges);
            let here = values(field, &there).unwrap_or(there);
            let below = self.import_node(other, kid, values, known)?;
            if here.is_empty() || below.is_empty() {
                continue;
            }
            let test = self.test(field, &here)?;
            parts.push(self.intersection(test, below)?);
        }
        let whole = self.union_all(&parts)?;
        known.insert(node, whole);
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Axis, Order};
    use super::*;

    fn square(space: &mut Space, port: u128, sources: (u128, u128), who: u128) -> PacketSet {
        let tests = [
            (Field::Service, RangeSet::point(port)),
            (Field::Source4, RangeSet::range(sources.0, sources.1)),
            (Field::SourceIdentity, RangeSet::point(who)),
        ];
        space.product(&tests).unwrap()
    }

    #[test]
    fn a_set_is_the_same_set_in_another_order_of_fields() {
        let mut there = Space::default();
        there.set_order(Order::of([Axis::Sources, Axis::Destinations, Axis::Services]));
        let (a, b) = (
            square(&mut there, 22, (5, 90), 1),
            square(&mut there, 80, (50, 99), 2),
        );
        let set = there.union(a, b).unwrap();
        let mut here = Space::default();
        let imported = here.import(&there, set, &|_, _| None).unwrap();
        let (a, b) = (
            square(&mut here, 22, (5, 90), 1),
            square(&mut here, 80, (50, 99), 2),
        );
        assert_eq!(imported, here.union(a, b).unwrap());
    }

    #[test]
    fn values_may_be_numbered_otherwise() {
        let mut there = Space::default();
        let set = square(&mut there, 22, (5, 90), 1);
        let mut here = Space::default();
        // Here 4 and 6 are what 1 is there.
        let values = |field: Field, there: &RangeSet| {
            let numbers = [(4, 1), (5, 2), (6, 1)].into_iter();
            let meant = numbers.filter(|(_, number)| there.contains(*number));
            (field == Field::SourceIdentity).then(|| meant.map(|(number, _)| (number, number)).collect())
        };
        let imported = here.import(&there, set, &values).unwrap();
        let [fourth, sixth] = [4, 6].map(|who| square(&mut here, 22, (5, 90), who));
        assert_eq!(imported, here.union(fourth, sixth).unwrap());
    }
}
