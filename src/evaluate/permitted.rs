//! What the rows permit at a host: the union of all policies' active rows, within bounds.

use super::address::Addresses;
use super::filters::Filters;
use super::host::Host;
use super::peer::{Party, World};
use super::view::{Side, View};
use crate::model::Identities;
use crate::packet::protocol::has_ports;
use crate::packet::{Bounds, Family, Field, OverBudget, PacketSet, RangeSet};
use crate::policy::{Kind, Peer, Row, Service, Truth};

/// What may be open at a host, and what must not.
pub(super) struct Permitted {
    /// New connections that some row asks for.
    pub(super) bounds: Bounds,
    /// The rows that are no prohibition and speak of other hosts, by their places.
    pub(super) allowing: Vec<usize>,
    /// Those that a row forbids, row by row.
    pub(super) forbidden: Vec<Forbidden>,
    /// Services that are scoped to the host itself, whoever sends: row by row.
    pub(super) for_itself: Vec<(usize, PacketSet)>,
}

/// What one row forbids.
pub(super) struct Forbidden {
    /// Which row.
    pub(super) at: usize,
    /// To the members of its peers.
    pub(super) certain: PacketSet,
    /// To whoever may be one: what it reaches of an opening that some member has.
    pub(super) at_most: PacketSet,
}

impl Permitted {
    pub(super) fn of(filters: &mut Filters<'_>, rows: &[Row], side: Side) -> Result<Self, OverBudget> {
        let (mut surely, mut possibly) = (Vec::new(), Vec::new());
        let (mut allowing, mut forbidden, mut for_itself) = (Vec::new(), Vec::new(), Vec::new());
        for (at, row) in rows.iter().enumerate() {
            if !concerns(row, side, filters.host, filters.world) {
                continue;
            }
            let is_own = row.from.items.iter().all(|from| from.value == Peer::This);
            if row.kind != Kind::Forbid && is_own {
                if row
                    .services
                    .items
                    .iter()
                    .any(|service| is_every_port(&service.value))
                {
                    continue;
                }
                let services = services(filters, row)?;
                for_itself.push((at, services));
                continue;
            }
            let (certain, all) = row_packets(filters, row, side, |party| &party.limits)?;
            if row.kind == Kind::Forbid {
                if row.active == Truth::Yes {
                    let (members, _) = row_packets(filters, row, side, |party| &party.members)?;
                    forbidden.push(Forbidden {
                        at,
                        certain: members,
                        at_most: certain,
                    });
                }
                continue;
            }
            possibly.push(all);
            allowing.push(at);
            if row.active == Truth::Yes {
                surely.push(certain);
            }
        }
        let space = &mut filters.compiler.space;
        let bounds = Bounds {
            surely: space.union_all(&surely)?,
            possibly: space.union_all(&possibly)?,
        };
        Ok(Self {
            bounds,
            allowing,
            forbidden,
            for_itself,
        })
    }

    /// Whether a service that some row forbids is possibly open on a side, to whomever outside of the host.
    pub(super) fn may_forbid(
        filters: &mut Filters<'_>,
        rows: &[Row],
        view: View,
    ) -> Result<bool, OverBudget> {
        let outside = filters.world.outside_interfaces();
        let space = &mut filters.compiler.space;
        let outside = space.test(view.side.interface(), &outside)?;
        let open = space.intersection(view.open.possibly, outside)?;
        for row in rows {
            let forbids = row.kind == Kind::Forbid && row.active == Truth::Yes;
            if forbids && concerns(row, view.side, filters.host, filters.world) {
                let services = services(filters, row)?;
                if !filters.compiler.space.is_disjoint(services, open) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// Whether a row speaks of what crosses this side of a host. Of what a router passes on, every row between others may.
pub(super) fn concerns(row: &Row, side: Side, host: &Host, world: &World) -> bool {
    if side == Side::Transit {
        return row.from.items.iter().any(|from| from.value != Peer::This);
    }
    let mut bound = side.bound(row).items.iter();
    bound.any(|end| host.is(world, &end.value))
}

/// Whether a service names no port: a host may say anything to itself, which keeps no port from others.
fn is_every_port(service: &Service) -> bool {
    service.protocol.is_none_or(has_ports) && service.values.is_full(Field::Service.maximum())
}

/// The services of a row, from anywhere.
fn services(filters: &mut Filters<'_>, row: &Row) -> Result<PacketSet, OverBudget> {
    let mut sets = Vec::new();
    for service in &row.services.items {
        sets.push(filters.compiler.space.product(&service_tests(&service.value))?);
    }
    filters.compiler.space.union_all(&sets)
}

pub(super) fn service_tests(service: &Service) -> Vec<(Field, RangeSet)> {
    let protocol = service
        .protocol
        .map(|protocol| (Field::Protocol, RangeSet::point(protocol.into())));
    let values = (Field::Service, service.values.clone());
    protocol
        .into_iter()
        .chain((!values.1.is_full(Field::Service.maximum())).then_some(values))
        .collect()
}

/// The packets that a row surely and possibly speaks of, for these addresses of its peers.
fn row_packets(
    filters: &mut Filters<'_>,
    row: &Row,
    side: Side,
    of: impl Fn(&Party) -> &Addresses,
) -> Result<(PacketSet, PacketSet), OverBudget> {
    let (mut surely, mut possibly) = (Vec::new(), Vec::new());
    let far_ends = far_ends(filters.world, row, side);
    let services: Vec<&Service> = row.services.items.iter().map(|it| &it.value).collect();
    for peer in &side.far(row).items {
        let party = filters.world.party(&peer.value);
        let (known, all) = peer_packets(filters, &party, side, (&far_ends, &services), &of)?;
        surely.extend(known);
        possibly.extend(all);
    }
    let space = &mut filters.compiler.space;
    Ok((space.union_all(&surely)?, space.union_all(&possibly)?))
}

/// The packets of one peer of a row, surely and possibly: a product for each of its ends, services and families.
pub(super) fn peer_packets(
    filters: &mut Filters<'_>,
    party: &Party,
    side: Side,
    (far_ends, services): (&[Option<Party>], &[&Service]),
    of: impl Fn(&Party) -> &Addresses,
) -> Result<(Vec<PacketSet>, Vec<PacketSet>), OverBudget> {
    let (mut surely, mut possibly) = (Vec::new(), Vec::new());
    for far in far_ends {
        let is_known = party.unknown.is_none() && far.as_ref().is_none_or(|far| far.unknown.is_none());
        for service in services {
            let members = members_of(filters, party, side, far.as_ref());
            let mut sets = Vec::new();
            if let Some(members) = &members {
                let mut tests = service_tests(service);
                tests.push(members.clone());
                sets.push(filters.compiler.space.product(&tests)?);
            }
            for family in Family::ALL {
                let mut tests = service_tests(service);
                tests.push((Field::Family, RangeSet::point(family.value())));
                tests.push((side.peer(family), of(party).family(family).clone()));
                if let Some(of_others) = filters.interfaces_of_others(party) {
                    tests.push((side.interface(), of_others.complement(u128::MAX)));
                }
                if let Some((field, members)) = members.as_ref().filter(|_| party.is_role) {
                    let unknown = RangeSet::point(Identities::UNKNOWN.into());
                    tests.push((*field, members.union(&unknown)));
                }
                if let Some(far) = far {
                    tests.push((side.own(family), of(far).family(family).clone()));
                }
                sets.push(filters.compiler.space.product(&tests)?);
            }
            if is_known && service.unset.is_none() {
                surely.extend(&sets);
            }
            possibly.append(&mut sets);
        }
    }
    Ok((surely, possibly))
}

/// The test for the members of a party that rules of this host can tell from others, wherever they are.
fn members_of(
    filters: &Filters<'_>,
    party: &Party,
    side: Side,
    far: Option<&Party>,
) -> Option<(Field, RangeSet)> {
    let unknown = RangeSet::point(Identities::UNKNOWN.into());
    let identities = party.crowds.iter().map(|crowd| &crowd.identities);
    let identities = identities.fold(RangeSet::empty(), |all, one| all.union(one));
    let identities = identities.difference(&unknown);
    let is_asked = filters.asks_who(side) && far.is_none() && !identities.is_empty();
    is_asked.then_some((side.peer_identity(), identities))
}

/// The ends of a row that stand where the host does on other sides: none where it is the host.
pub(super) fn far_ends(world: &World, row: &Row, side: Side) -> Vec<Option<Party>> {
    if side != Side::Transit {
        return vec![None];
    }
    let ends = side.bound(row).items.iter();
    ends.map(|end| Some(world.party(&end.value))).collect()
}
