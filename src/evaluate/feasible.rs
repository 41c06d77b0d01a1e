//! The packets of a side that are judged: new connections that there may be between the host and others.

use super::excess::Excess;
use super::host::Filters;
use super::view::Side;
use crate::packet::protocol::number;
use crate::packet::{Family, Field, OverBudget, PacketSet, RangeSet};

impl Filters<'_> {
    /// The packets of a set whose protocols the host's filters speak of.
    pub(super) fn told(&mut self, set: PacketSet) -> Result<PacketSet, OverBudget> {
        if !self.host.is_workload() {
            return Ok(set);
        }
        // What becomes of the others is left to the network plugin: a note of the run says so.
        let told = [number::TCP, number::UDP, number::SCTP].map(|it| (u128::from(it), u128::from(it)));
        let space = &mut self.compiler.space;
        let told = space.test(Field::Protocol, &RangeSet::from_ranges(told))?;
        space.intersection(set, told)
    }
}

impl Excess<'_, '_> {
    /// New connections that may arrive from elsewhere: where zones name their interfaces, each from its own.
    pub(super) fn feasible(&mut self) -> Result<PacketSet, OverBudget> {
        let ends = self.filters.ends(self.view.side).clone();
        let families = self
            .filters
            .families
            .iter()
            .map(|family| (family.value(), family.value()));
        let families: RangeSet = families.collect();
        let outside = self.filters.world.outside_interfaces();
        let space = &mut self.filters.compiler.space;
        let families = space.test(Field::Family, &families)?;
        let mut feasible = self.view.feasible(space, &ends, &outside)?;
        feasible = space.intersection(feasible, families)?;
        feasible = self.filters.told(feasible)?;
        let zones: Vec<_> = self
            .filters
            .world
            .zones
            .iter()
            .map(|zone| zone.name.clone())
            .collect();
        for name in zones {
            let party = self.filters.world.party(&crate::policy::Peer::Zone(name));
            let Some(interfaces) = self.filters.interfaces(&party) else {
                continue;
            };
            for family in Family::ALL {
                for (end, interface) in self.view.side.others(family) {
                    let elsewhere = self.filters.compiler.space.product(&[
                        (Field::Family, RangeSet::point(family.value())),
                        (end, party.limits.family(family).clone()),
                        (interface, interfaces.complement(u128::MAX)),
                    ])?;
                    feasible = self.filters.compiler.space.difference(feasible, elsewhere)?;
                }
            }
        }
        if self.view.side == Side::Transit {
            let published = self.filters.published(self.view.ruling)?;
            feasible = self.filters.compiler.space.difference(feasible, published)?;
        }
        self.filters.inside(feasible, self.view.side)
    }
}
