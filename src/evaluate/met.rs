//! Which rows speak of some packets, where there are many rows and many such sets.

use crate::packet::{Field, PacketSet, RangeSet, Space};

/// What a row speaks of, with its services: most rows have none of an opening's, which is seen without a walk.
pub(super) struct Met {
    /// The row, by its place.
    pub(super) at: usize,
    pub(super) set: PacketSet,
    protocols: RangeSet,
    services: RangeSet,
}

impl Met {
    pub(super) fn new(space: &Space, at: usize, set: PacketSet) -> Self {
        Self {
            at,
            set,
            protocols: space.values_of(set, Field::Protocol),
            services: space.values_of(set, Field::Service),
        }
    }
}

/// The rows that speak of some of a region.
pub(super) fn met<'r>(space: &Space, region: PacketSet, rows: &'r [Met]) -> impl Iterator<Item = &'r Met> {
    let protocols = space.values_of(region, Field::Protocol);
    let services = space.values_of(region, Field::Service);
    rows.iter().filter(move |row| {
        !row.protocols.is_disjoint(&protocols)
            && !row.services.is_disjoint(&services)
            && !space.is_disjoint(row.set, region)
    })
}
