//! Sets of numbers as sorted, disjoint, inclusive ranges: the values of one field.

use std::fmt;
use std::sync::Arc;

/// A set of numbers below 2^128 in canonical form: inclusive ranges, ascending, with a gap of at least one between
/// two of them. Equal sets are equal values.
///
/// A copy shares the ranges: a set of a million addresses may be asked for by many rules.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RangeSet {
    ranges: Arc<[(u128, u128)]>,
}

impl RangeSet {
    /// No number.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// One number.
    #[must_use]
    pub fn point(value: u128) -> Self {
        Self {
            ranges: Arc::new([(value, value)]),
        }
    }

    /// All of `low..=high`; empty if `low > high`.
    #[must_use]
    pub fn range(low: u128, high: u128) -> Self {
        if low > high {
            Self::empty()
        } else {
            Self {
                ranges: Arc::new([(low, high)]),
            }
        }
    }

    /// Any ranges in any order, overlapping or not. Those with `low > high` are empty and drop out.
    #[must_use]
    pub fn from_ranges(ranges: impl IntoIterator<Item = (u128, u128)>) -> Self {
        let mut ranges = ranges.into_iter().filter(|(low, high)| low <= high);
        let Some(first) = ranges.next() else {
            return Self::empty();
        };
        let Some(second) = ranges.next() else {
            return Self::range(first.0, first.1);
        };
        let mut ranges: Vec<_> = [first, second].into_iter().chain(ranges).collect();
        ranges.sort_unstable();
        ranges.dedup_by(|next, last| {
            let goes_on = next.0 <= last.1.saturating_add(1);
            if goes_on {
                last.1 = last.1.max(next.1);
            }
            goes_on
        });
        Self::of(ranges)
    }

    /// Ranges that are in canonical form.
    fn of(ranges: Vec<(u128, u128)>) -> Self {
        Self {
            ranges: ranges.into(),
        }
    }

    /// The ranges, ascending.
    #[must_use]
    pub fn ranges(&self) -> &[(u128, u128)] {
        &self.ranges
    }

    /// Whether there is no number in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether it holds every number of `0..=max`.
    #[must_use]
    pub fn is_full(&self, max: u128) -> bool {
        matches!(&*self.ranges, [(0, high)] if *high >= max)
    }

    /// The only number in it, if there is just one.
    #[must_use]
    pub fn single(&self) -> Option<u128> {
        match &*self.ranges {
            [(low, high)] if low == high => Some(*low),
            _ => None,
        }
    }

    /// How many numbers are in it; 2^128 counts as one less.
    #[must_use]
    pub fn size(&self) -> u128 {
        self.ranges.iter().fold(0u128, |sum, &(low, high)| {
            sum.saturating_add((high - low).saturating_add(1))
        })
    }

    /// The smallest number in it.
    #[must_use]
    pub fn first(&self) -> Option<u128> {
        self.ranges.first().map(|range| range.0)
    }

    /// Whether `value` is in it.
    #[must_use]
    pub fn contains(&self, value: u128) -> bool {
        let at = self.ranges.partition_point(|range| range.1 < value);
        self.ranges.get(at).is_some_and(|range| range.0 <= value)
    }

    /// Whether all of `low..=high` is in it.
    #[must_use]
    pub fn contains_range(&self, low: u128, high: u128) -> bool {
        let at = self.ranges.partition_point(|range| range.1 < low);
        self.ranges
            .get(at)
            .is_some_and(|range| range.0 <= low && high <= range.1)
    }

    /// The numbers in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if other.is_subset(self) {
            return self.clone();
        }
        if self.is_subset(other) {
            return other.clone();
        }
        Self::from_ranges(self.ranges.iter().chain(other.ranges.iter()).copied())
    }

    /// The numbers in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        let mut ranges = Vec::new();
        while let (Some(&&(a, b)), Some(&&(c, d))) = (left.peek(), right.peek()) {
            if a.max(c) <= b.min(d) {
                ranges.push((a.max(c), b.min(d)));
            }
            if b < d {
                left.next();
            } else {
                right.next();
            }
        }
        Self::of(ranges)
    }

    /// Whether no number is in both.
    #[must_use]
    pub fn is_disjoint(&self, other: &Self) -> bool {
        let (few, many) = if self.ranges.len() < other.ranges.len() {
            (self, other)
        } else {
            (other, self)
        };
        few.ranges.iter().all(|&(low, high)| {
            let at = many.ranges.partition_point(|range| range.1 < low);
            many.ranges.get(at).is_none_or(|range| range.0 > high)
        })
    }

    /// The numbers of `0..=max` that are not in it.
    #[must_use]
    pub fn complement(&self, max: u128) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next = Some(0);
        for &(low, high) in self.ranges.iter() {
            if let Some(start) = next
                && start < low
                && start <= max
            {
                ranges.push((start, (low - 1).min(max)));
            }
            next = high.checked_add(1);
        }
        if let Some(start) = next
            && start <= max
        {
            ranges.push((start, max));
        }
        Self::of(ranges)
    }

    /// The numbers in `self` that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        if self.is_disjoint(other) {
            return self.clone();
        }
        self.intersection(&other.complement(u128::MAX))
    }

    /// Whether every number of `self` is in `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.ranges
            .iter()
            .all(|&(low, high)| other.contains_range(low, high))
    }
}

impl FromIterator<(u128, u128)> for RangeSet {
    fn from_iter<I: IntoIterator<Item = (u128, u128)>>(ranges: I) -> Self {
        Self::from_ranges(ranges)
    }
}

impl fmt::Debug for RangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (low, high)) in self.ranges.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            if low == high {
                write!(f, "{comma}{low}")?;
            } else {
                write!(f, "{comma}{low}-{high}")?;
            }
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_bits(bits: u16) -> RangeSet {
        (0..4)
            .filter(|bit| bits >> bit & 1 == 1)
            .map(|bit| (bit, bit))
            .collect()
    }

    #[test]
    fn the_laws_hold_for_every_pair_of_subsets_of_four_numbers() {
        for a in 0u16..16 {
            assert_eq!(of_bits(a).complement(3), of_bits(!a & 15));
            for b in 0u16..16 {
                assert_eq!(of_bits(a).union(&of_bits(b)), of_bits(a | b));
                assert_eq!(of_bits(a).intersection(&of_bits(b)), of_bits(a & b));
                assert_eq!(of_bits(a).difference(&of_bits(b)), of_bits(a & !b));
                assert_eq!(of_bits(a).is_subset(&of_bits(b)), a & !b == 0);
                assert_eq!(of_bits(a).is_disjoint(&of_bits(b)), a & b == 0);
            }
        }
    }

    #[test]
    fn the_ends_of_the_universe_do_not_wrap() {
        let all = RangeSet::range(0, u128::MAX);
        assert!(all.complement(u128::MAX).is_empty());
        assert_eq!(
            RangeSet::point(u128::MAX).complement(u128::MAX),
            RangeSet::range(0, u128::MAX - 1)
        );
        assert_eq!(all.union(&RangeSet::point(u128::MAX)), all);
    }
}
