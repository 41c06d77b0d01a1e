//! What a host lets in, as a port table: the inverse of a policy.

use super::filters::Filters;
use super::host::Host;
use super::opened::Opened;
use super::peer::World;
use super::view::{Moment, Side, View, all_but_loopback};
use super::words;
use crate::finding::Label;
use crate::model::Decider;
use crate::packet::{Family, Field, OverBudget, PacketSet, RangeSet, Space};

/// Packets that one rule lets in, surely or possibly: where it is some of each, there are two.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Services and sources, one line a product.
    pub lines: Vec<String>,
    /// The rule or default verdict that decides.
    pub label: Option<Label>,
    /// Whether it is open whatever the unknown parts turn out to be.
    pub is_sure: bool,
    /// Whether a router passes them on between others, rather than letting them in.
    pub is_transit: bool,
}

/// The openings of a host to new connections from elsewhere, in the order of its rules; after them what it passes on
/// between others, if it is a router.
pub fn openings(host: &Host, world: &World, space: Space) -> Result<Vec<Opening>, OverBudget> {
    let mut filters = Filters::compile(host, world, space, false)?;
    let mut openings = of_side(&mut filters, Side::Ingress)?;
    if host.is_router {
        openings.extend(of_side(&mut filters, Side::Transit)?);
    }
    Ok(openings)
}

/// What one rule lets in, all of it surely or all of it possibly.
pub(super) struct Part {
    pub(super) opener: Decider,
    pub(super) region: PacketSet,
    pub(super) is_sure: bool,
}

fn of_side(filters: &mut Filters<'_>, side: Side) -> Result<Vec<Opening>, OverBudget> {
    let view = filters.view(side, Moment::First)?;
    let families = filters.families.clone();
    let mut openings = Vec::new();
    let all = sendable(filters, view, &families)?;
    let all = filters.inside(all, side)?;
    for part in parts(filters, view, all)? {
        let region = filters.as_asked(part.region, part.opener, &view)?;
        if !region.is_empty() {
            openings.push(Opening {
                lines: filters.extent(region, side),
                label: words::opener(&filters.compiler, part.opener, "it"),
                is_sure: part.is_sure,
                is_transit: side == Side::Transit,
            });
        }
    }
    Ok(openings)
}

/// What other hosts may send on a side, of these families: new connections, whoever the peers are.
pub(super) fn sendable(
    filters: &mut Filters<'_>,
    view: View,
    families: &[Family],
) -> Result<PacketSet, OverBudget> {
    let side = view.side;
    let families: RangeSet = families
        .iter()
        .map(|family| (family.value(), family.value()))
        .collect();
    let ends = filters.ends(side).clone();
    let space = &mut filters.compiler.space;
    let families = space.test(Field::Family, &families)?;
    let feasible = view.feasible(space, &ends, &all_but_loopback())?;
    let mut feasible = space.intersection(feasible, families)?;
    if side == Side::Transit {
        let published = filters.published(view.ruling)?;
        feasible = filters.compiler.space.difference(feasible, published)?;
    }
    Ok(feasible)
}

/// What each rule lets through of some packets.
pub(super) fn parts(
    filters: &mut Filters<'_>,
    view: View,
    among: PacketSet,
) -> Result<Vec<Part>, OverBudget> {
    let open = filters.compiler.space.intersection(view.open.possibly, among)?;
    let mut parts = Vec::new();
    for Opened { opener, region, .. } in filters.opened_by(open, view.open.surely, view)? {
        let sure = filters.compiler.space.intersection(region, view.open.surely)?;
        let rest = filters.compiler.space.difference(region, sure)?;
        let sure_and_not = [(sure, true), (rest, false)].into_iter();
        let some = sure_and_not.filter(|(region, _)| !region.is_empty());
        parts.extend(some.map(|(region, is_sure)| Part {
            opener,
            region,
            is_sure,
        }));
    }
    Ok(parts)
}
