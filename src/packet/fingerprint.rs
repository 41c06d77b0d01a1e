//! Sets of packets as one number: the same in every space, whatever the order of its fields.
//!
//! A number is drawn for each value of each field; a range weighs the number behind its end less that of its start, a product
//! of ranges the product of their weights, a set the sum of those of its paths. INVARIANT: all of a field weighs 1, so what a
//! diagram does not ask changes nothing, and whichever way a set is cut into products its number is the same. Different sets
//! share one by chance alone: about one pair in 2^61. It is no defence against somebody who looks for such pairs.

use rustc_hash::FxHashMap;

use super::Field;
use super::set::PacketSet;
use super::space::{Node, Space};

/// The numbers are residues of this prime, 2^61 - 1.
const PRIME: u64 = (1 << 61) - 1;

/// What tells the values of a field apart in every run: each with a number of its own. `None`: the values themselves. Others
/// weigh nothing.
pub(super) type Names<'a> = &'a dyn Fn(Field) -> Option<Vec<(u128, u64)>>;

impl Space {
    /// The number of a set. Fields whose values are numbered anew in each run are told apart by `names`.
    #[must_use]
    pub fn fingerprint(&self, set: PacketSet, names: &dyn Fn(Field) -> Option<Vec<(u128, u64)>>) -> u64 {
        let mut known = FxHashMap::default();
        self.weigh(set.0, names, &mut known)
    }

    /// Recursive over levels, of which there are few.
    fn weigh(&self, node: Node, names: Names<'_>, known: &mut FxHashMap<Node, u64>) -> u64 {
        let Some(field) = self.field(node) else {
            return u64::from(PacketSet(node).is_all());
        };
        if let Some(&weight) = known.get(&node) {
            return weight;
        }
        let values = names(field);
        let mut sum = 0;
        for (low, high, kid) in self.edges(node) {
            let below = self.weigh(kid, names, known);
            let range = match &values {
                Some(values) => values
                    .iter()
                    .filter(|(value, _)| (low..=high).contains(value))
                    .fold(0, |sum, (_, name)| add(sum, number(field, u128::from(*name)))),
                None => add(
                    border(field, high.checked_add(1)),
                    PRIME - border(field, Some(low)),
                ),
            };
            sum = add(sum, multiply(range, below));
        }
        known.insert(node, sum);
        sum
    }
}

/// The number drawn for a value; `None` is the one behind the last.
fn border(field: Field, value: Option<u128>) -> u64 {
    match value {
        Some(0) => 0,
        Some(value) if value <= field.maximum() => number(field, value),
        _ => 1,
    }
}

/// A number below the prime for a value of a field, by the mixer of `SplitMix64` (Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", 2014).
fn number(field: Field, value: u128) -> u64 {
    let [high, low] = [value >> 64, value & u128::from(u64::MAX)];
    let parts = [
        tag(field),
        u64::try_from(high).unwrap_or(0),
        u64::try_from(low).unwrap_or(0),
    ];
    let mixed = parts.into_iter().fold(0x5851_f42d_4c95_7f2d_u64, |state, part| {
        let mut word = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    });
    mixed % PRIME
}

/// A number for each field. INVARIANT: never another one, since baselines are written with them.
fn tag(field: Field) -> u64 {
    match field {
        Field::Family => 1,
        Field::Protocol => 2,
        Field::State => 3,
        Field::TcpFlags => 4,
        Field::Fragment => 5,
        Field::StatusDnat => 6,
        Field::StatusSnat => 7,
        Field::InInterface => 8,
        Field::OutInterface => 9,
        Field::Service => 10,
        Field::SourcePort => 11,
        Field::DestinationIdentity => 12,
        Field::SourceIdentity => 13,
        Field::Destination4 => 14,
        Field::Destination6 => 15,
        Field::Source4 => 16,
        Field::Source6 => 17,
        Field::DestinationClass => 18,
        Field::SourceClass => 19,
        Field::Mark(bit) => 0x100 + u64::from(bit),
        Field::Property(property) => 0x1_0000 + u64::from(property),
    }
}

fn add(a: u64, b: u64) -> u64 {
    (a + b) % PRIME
}

fn multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b) % u128::from(PRIME);
    u64::try_from(product).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::{Axis, Order, RangeSet};
    use super::*;

    fn ports(space: &mut Space, protocol: u128, low: u128, high: u128) -> PacketSet {
        let tests = [
            (Field::Protocol, RangeSet::point(protocol)),
            (Field::Service, RangeSet::range(low, high)),
        ];
        space.product(&tests).unwrap()
    }

    #[test]
    fn a_set_has_one_number_however_it_is_made() {
        let mut space = Space::default();
        let whole = ports(&mut space, 6, 20, 80);
        let (left, right) = (ports(&mut space, 6, 20, 49), ports(&mut space, 6, 50, 80));
        let joined = space.union(left, right).unwrap();
        let number = |space: &Space, set| space.fingerprint(set, &|_| None);
        assert_eq!(number(&space, whole), number(&space, joined));
        let parts = add(number(&space, left), number(&space, right));
        assert_eq!(number(&space, whole), parts, "disjoint sets add up");
        assert_ne!(number(&space, whole), number(&space, left));
        assert_eq!(number(&space, PacketSet::empty()), 0);
        assert_eq!(number(&space, PacketSet::all()), 1);
        let all = space
            .test(Field::Source6, &RangeSet::range(0, u128::MAX))
            .unwrap();
        assert_eq!(number(&space, all), 1);
        let rest = space.complement(whole).unwrap();
        assert_eq!(add(number(&space, whole), number(&space, rest)), 1);
    }

    #[test]
    fn the_order_of_the_fields_does_not_matter() {
        let numbers = [
            [Axis::Services, Axis::Sources, Axis::Destinations],
            [Axis::Sources, Axis::Destinations, Axis::Services],
        ]
        .map(|axes| {
            let mut space = Space::default();
            space.set_order(Order::of(axes));
            let web = ports(&mut space, 6, 443, 443);
            let from = space.test(Field::Source4, &RangeSet::range(10, 99)).unwrap();
            let dns = ports(&mut space, 17, 53, 53);
            let near = space.intersection(web, from).unwrap();
            let both = space.union(near, dns).unwrap();
            space.fingerprint(both, &|_| None)
        });
        assert_eq!(numbers[0], numbers[1]);
    }

    #[test]
    fn numbered_values_go_by_their_names() {
        let names = |at: u128| move |field| (field == Field::SourceIdentity).then(|| vec![(at, 77)]);
        let mut space = Space::default();
        let [third, ninth] =
            [3, 9].map(|at| space.test(Field::SourceIdentity, &RangeSet::point(at)).unwrap());
        assert_eq!(
            space.fingerprint(third, &names(3)),
            space.fingerprint(ninth, &names(9))
        );
        assert_ne!(space.fingerprint(third, &names(3)), 0);
    }
}
