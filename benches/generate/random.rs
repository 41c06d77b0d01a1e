//! Seeded numbers: a seed to an endless, fixed sequence (`SplitMix64`). INVARIANT: the same seed gives the same
//! sequence on every machine and in every release, so generated inputs can be named by shape, size and seed.

/// A source of numbers that depends on nothing but its seed.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// The sequence of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 if `limit` is 0.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        let scaled = (self.bits() >> 32) * u64::from(limit);
        u32::try_from(scaled >> 32).unwrap_or(0)
    }

    /// A position in a list of `length` items; 0 if it is empty.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.below(u32::try_from(length).unwrap_or(u32::MAX)) as usize
    }

    /// True `times` times `out_of`.
    pub(crate) fn chance(&mut self, times: u32, out_of: u32) -> bool {
        self.below(out_of) < times
    }
}
