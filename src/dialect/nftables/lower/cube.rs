//! Values by their bits: what a comparison of masked and shifted bits says about the bits themselves.
//!
//! INVARIANT: a bit that is not cared for is 0 in the value.

use crate::dialect::nftables::ast::Operator;
use crate::packet::RangeSet;

/// The values whose bits under `care` are those of `value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cube {
    pub(super) care: u128,
    pub(super) value: u128,
}

/// More ranges than these are not written out.
const MAX_RANGES: u32 = 12;

impl Cube {
    /// What must hold of `x` so that `x OP constant` is in the cube; `None` if nothing can. `mask` has the bits of the type.
    pub(super) fn before(self, op: Operator, constant: u128, mask: u128) -> Option<Self> {
        let Self { care, value } = self;
        Some(match op {
            Operator::And => {
                // Bits that are masked off are 0.
                if value & !constant != 0 {
                    return None;
                }
                Self {
                    care: care & constant,
                    value,
                }
            }
            Operator::Or => {
                // Bits that are set are 1.
                if care & constant & !value != 0 {
                    return None;
                }
                Self {
                    care: care & !constant,
                    value: value & !constant,
                }
            }
            Operator::Xor => Self {
                care,
                value: (value ^ constant) & care,
            },
            Operator::ShiftLeft => {
                let by = u32::try_from(constant).ok().filter(|by| *by < 128)?;
                // The low bits are 0, the high bits are lost.
                let low = (1u128 << by) - 1;
                if value & low != 0 {
                    return None;
                }
                Self {
                    care: (care & mask) >> by,
                    value: value >> by,
                }
            }
            Operator::ShiftRight => {
                let by = u32::try_from(constant).ok().filter(|by| *by < 128)?;
                // The high bits are 0, the low bits are lost.
                let high = mask & !(mask >> by);
                if value & high != 0 {
                    return None;
                }
                Self {
                    care: (care << by) & mask,
                    value: (value << by) & mask,
                }
            }
        })
    }

    /// Its values as ranges; `None` if they are too many.
    pub(super) fn ranges(self, mask: u128) -> Option<Vec<(u128, u128)>> {
        let low_free = (!self.care).trailing_ones();
        let low = if low_free >= 128 {
            u128::MAX
        } else {
            (1 << low_free) - 1
        } & mask;
        let free = !self.care & mask & !low;
        if free.count_ones() > MAX_RANGES {
            return None;
        }
        let mut ranges = Vec::with_capacity(1 << free.count_ones());
        let mut chosen = 0u128;
        loop {
            let start = self.value | chosen;
            ranges.push((start, start | low));
            chosen = chosen.wrapping_sub(free) & free;
            if chosen == 0 {
                return Some(ranges);
            }
        }
    }
}

/// Ranges of numbers as cubes.
pub(super) fn cubes(set: &RangeSet, mask: u128) -> Vec<Cube> {
    let mut all = Vec::new();
    for &(low, high) in set.ranges() {
        let (mut start, high) = (low, high.min(mask));
        if start > high {
            continue;
        }
        loop {
            let aligned = if start == 0 {
                127
            } else {
                start.trailing_zeros().min(127)
            };
            let fits = (high - start).saturating_add(1);
            let size = aligned.min(127 - fits.leading_zeros().min(127));
            let block = (1u128 << size) - 1;
            all.push(Cube {
                care: mask & !block,
                value: start,
            });
            match start.checked_add(block + 1) {
                Some(next) if next <= high => start = next,
                _ => break,
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(op: Operator, x: u128, by: u128) -> u128 {
        (match op {
            Operator::And => x & by,
            Operator::Or => x | by,
            Operator::Xor => x ^ by,
            Operator::ShiftLeft => x << by,
            Operator::ShiftRight => x >> by,
        }) & 0xf
    }

    #[test]
    fn every_operator_is_undone_for_every_value_of_four_bits() {
        use Operator::{And, Or, ShiftLeft, ShiftRight, Xor};
        for op in [And, Or, Xor, ShiftLeft, ShiftRight] {
            for by in 0..if matches!(op, ShiftLeft | ShiftRight) {
                5
            } else {
                16
            } {
                for low in 0..16 {
                    for high in low..16 {
                        let set = RangeSet::range(low, high);
                        let before = cubes(&set, 0xf)
                            .into_iter()
                            .filter_map(|cube| cube.before(op, by, 0xf));
                        let found = RangeSet::from_ranges(before.flat_map(|cube| cube.ranges(0xf).unwrap()));
                        for x in 0..16 {
                            assert_eq!(
                                found.contains(x),
                                set.contains(apply(op, x, by)),
                                "{op:?} {by} {x}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn all_addresses_are_one_cube_or_two() {
        assert!(cubes(&RangeSet::range(0, u128::MAX), u128::MAX).len() <= 2);
        assert_eq!(cubes(&RangeSet::range(0, 0xffff_ffff), 0xffff_ffff).len(), 1);
    }
}
