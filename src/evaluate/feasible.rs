//! The packets of a side that are judged: new connections that there may be between the host and others.

use super::excess::Excess;
use super::filters::Filters;
use super::peer::Party;
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
    /// New connections that may arrive from elsewhere: where zones name their interfaces, none from that of another zone.
    /// Those that come by an interface that no zone names are `stray`: nobody says who they are from.
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
        let mut known = feasible;
        for name in zones {
            let party = self.filters.world.party(&crate::policy::Peer::Zone(name));
            let Some(own) = self.filters.interfaces(&party).cloned() else {
                continue;
            };
            known = self.without(known, &party, &own.complement(u128::MAX))?;
            if let Some(of_others) = self.filters.interfaces_of_others(&party) {
                feasible = self.without(feasible, &party, &of_others)?;
            }
        }
        self.stray = self.filters.compiler.space.difference(feasible, known)?;
        if self.view.side == Side::Transit {
            let published = self.filters.published(self.view.ruling)?;
            feasible = self.filters.compiler.space.difference(feasible, published)?;
        }
        self.filters.inside(feasible, self.view.side)
    }

    /// A set without what comes from a peer's addresses by some interfaces, or goes there.
    fn without(
        &mut self,
        mut set: PacketSet,
        party: &Party,
        interfaces: &RangeSet,
    ) -> Result<PacketSet, OverBudget> {
        let space = &mut self.filters.compiler.space;
        for family in Family::ALL {
            for (end, interface) in self.view.side.others(family) {
                let elsewhere = space.product(&[
                    (Field::Family, RangeSet::point(family.value())),
                    (end, party.limits.family(family).clone()),
                    (interface, interfaces.clone()),
                ])?;
                set = space.difference(set, elsewhere)?;
            }
        }
        Ok(set)
    }
}
