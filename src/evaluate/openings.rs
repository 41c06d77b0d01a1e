//! What a host lets in, as a port table: the inverse of a policy.

use super::host::{Filters, Host};
use super::opened::Opened;
use super::peer::World;
use super::view::{Moment, Side, all_but_loopback};
use super::words;
use crate::finding::Label;
use crate::packet::{Field, OverBudget, RangeSet, Space};

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

fn of_side(filters: &mut Filters<'_>, side: Side) -> Result<Vec<Opening>, OverBudget> {
    let view = filters.view(side, Moment::First)?;
    let families: RangeSet = filters
        .families
        .iter()
        .map(|family| (family.value(), family.value()))
        .collect();
    let ends = filters.ends(side).clone();
    let space = &mut filters.compiler.space;
    let families = space.test(Field::Family, &families)?;
    let feasible = view.feasible(space, &ends, &all_but_loopback())?;
    let feasible = space.intersection(feasible, families)?;
    let mut open = space.intersection(view.open.possibly, feasible)?;
    if side == Side::Transit {
        let published = filters.published(view.ruling)?;
        open = filters.compiler.space.difference(open, published)?;
    }
    open = filters.inside(open, side)?;
    let mut openings = Vec::new();
    for Opened { opener, region, .. } in filters.opened_by(open, view.open.surely, view)? {
        let sure = filters.compiler.space.intersection(region, view.open.surely)?;
        let rest = filters.compiler.space.difference(region, sure)?;
        let label = words::opener(&filters.compiler, opener, "it");
        for (region, is_sure) in [(sure, true), (rest, false)] {
            let region = filters.as_asked(region, opener, &view)?;
            if !region.is_empty() {
                openings.push(Opening {
                    lines: filters.extent(region, view.side),
                    label: label.clone(),
                    is_sure,
                    is_transit: side == Side::Transit,
                });
            }
        }
    }
    Ok(openings)
}
