//! The connections of a row one by one: one peer, one end, one service each, with what became of it. For the coverage only.
//!
//! INVARIANT: a connection's standing is that of a row which asks for nothing else: it comes from the same questions, put to fewer
//! packets. Only where a row leaves a choice, and is met by another of its ways, is a blocked one nothing that is missing.

use std::collections::BTreeSet;

use super::coverage::standing_of;
use super::excess::Judged;
use super::filters::Filters;
use super::host::Host;
use super::met::{Met, met};
use super::peer::World;
use super::permitted::{Permitted, far_ends, peer_packets};
use super::required::{Debt, Required, needs_setting};
use super::view::{Side, odd_peers};
use crate::finding::{Code, CoveredCell, OpeningCell, Standing};
use crate::model::Identities;
use crate::packet::{Bounds, Family, Field, OverBudget, PacketSet, RangeSet, Space, service_words};
use crate::policy::{Kind, Row, Service, Truth};

/// A service of a row, or one stretch of its ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePart {
    /// Which service of the row it is of, by its place.
    pub(super) of: usize,
    /// What it is by itself.
    pub(super) service: Service,
    /// `tcp/443 (https)`
    pub word: String,
}

/// The services of a row, one for each stretch of ports.
#[must_use]
pub fn service_parts(row: &Row) -> Vec<ServicePart> {
    let mut parts = Vec::new();
    for (of, service) in row.services.items.iter().enumerate() {
        let service = &service.value;
        let is_full = service.values.is_full(Field::Service.maximum());
        let Some(protocol) = service.protocol.filter(|_| !is_full) else {
            let words = service.protocol.map(|it| service_words(it, &service.values));
            let word = words.and_then(|words| words.into_iter().next());
            parts.push(ServicePart {
                of,
                service: service.clone(),
                word: word.unwrap_or_else(|| "any protocol".to_owned()),
            });
            continue;
        };
        for &(low, high) in service.values.ranges() {
            let values = RangeSet::range(low, high);
            let word = service_words(protocol, &values).into_iter().next();
            let service = Service {
                values,
                ..service.clone()
            };
            let word = word.unwrap_or_default();
            parts.push(ServicePart { of, service, word });
        }
    }
    parts
}

/// A row at one side of a host, with the places of the ends that the host is.
struct Ends<'r> {
    row: &'r Row,
    side: Side,
    near: Vec<usize>,
    parts: Vec<ServicePart>,
}

impl<'r> Ends<'r> {
    fn of(row: &'r Row, side: Side, host: &Host, world: &World) -> Self {
        let near = side.bound(row).items.iter().enumerate();
        let near = near.filter(|(_, peer)| host.is(world, &peer.value));
        Self {
            row,
            side,
            near: near.map(|(at, _)| at).collect(),
            parts: service_parts(row),
        }
    }

    /// Asks of each far end and each service what became of it.
    fn cells(
        &self,
        mut standing: impl FnMut(usize, &ServicePart) -> Result<Standing, OverBudget>,
    ) -> Result<Vec<CoveredCell>, OverBudget> {
        let mut cells = Vec::new();
        for far in 0..self.side.far(self.row).items.len() {
            for (service, part) in self.parts.iter().enumerate() {
                let standing = standing(far, part)?;
                cells.extend(self.near.iter().map(|&near| {
                    let (from, to) = match self.side {
                        Side::Egress => (near, far),
                        Side::Ingress | Side::Transit | Side::Loopback => (far, near),
                    };
                    CoveredCell {
                        from,
                        to,
                        service,
                        standing,
                    }
                }));
            }
        }
        Ok(cells)
    }
}

/// All connections of a row at a host, of each of which the same is known.
pub(super) fn alike(
    row: &Row,
    side: Side,
    (host, world): (&Host, &World),
    standing: Standing,
) -> Vec<CoveredCell> {
    let ends = Ends::of(row, side, host, world);
    ends.cells(|_, _| Ok(standing)).unwrap_or_default()
}

impl Required<'_, '_> {
    /// What became of each connection that a row requires: `is_met` says of its services, in their order, whether
    /// some way of the row to use them is open.
    pub(super) fn connections(
        &mut self,
        row: &Row,
        side: Side,
        is_met: &[bool],
    ) -> Result<Vec<CoveredCell>, OverBudget> {
        let ends = Ends::of(row, side, self.filters.host, self.filters.world);
        let has_choice = row.services.one_of || side.far(row).one_of;
        ends.cells(|far, part| {
            let standing = self.connection(row, side, far, &part.service)?;
            let is_met = is_met.get(part.of) == Some(&true);
            Ok(if has_choice && is_met && standing > Standing::Verified {
                Standing::Permitted
            } else {
                standing
            })
        })
    }

    fn connection(
        &mut self,
        row: &Row,
        side: Side,
        far: usize,
        service: &Service,
    ) -> Result<Standing, OverBudget> {
        let cells = self.cells(row, &[service], Some(far), (side, Debt::Owed))?;
        if cells.is_empty() {
            return Ok(Standing::Unasked);
        }
        let missing = self.missing(row, side, &cells)?;
        let missing = missing.map(|finding| match needs_setting(row, &[service]) {
            Some(_) => finding.possibly([]),
            None => finding,
        });
        let reply = self.blocked_reply(row, &cells)?;
        let found = missing.iter().chain(&reply).map(standing_of);
        Ok(found.fold(Standing::Verified, Standing::max))
    }
}

/// What became of each connection that a row forbids, of what is wrong on a side.
pub(super) fn forbidden(
    filters: &mut Filters<'_>,
    row: &Row,
    side: Side,
    wrong: Bounds,
) -> Result<Vec<CoveredCell>, OverBudget> {
    let ends = Ends::of(row, side, filters.host, filters.world);
    ends.cells(|far, part| {
        let (set, _) = packets(filters, row, side, far, part)?;
        let space = &filters.compiler.space;
        Ok(if !space.is_disjoint(set, wrong.surely) {
            Standing::Broken
        } else if !space.is_disjoint(set, wrong.possibly) {
            Standing::Possibly
        } else {
            Standing::Verified
        })
    })
}

/// The packets that one connection of a row surely and possibly is about, at the most.
fn packets(
    filters: &mut Filters<'_>,
    row: &Row,
    side: Side,
    far: usize,
    part: &ServicePart,
) -> Result<(PacketSet, PacketSet), OverBudget> {
    let Some(peer) = side.far(row).items.get(far) else {
        return Ok((PacketSet::empty(), PacketSet::empty()));
    };
    let party = filters.world.party(&peer.value);
    let far_ends = far_ends(filters.world, row, side);
    let services = [&part.service];
    let (surely, possibly) = peer_packets(filters, &party, side, (&far_ends, &services), |party| {
        &party.limits
    })?;
    let space = &mut filters.compiler.space;
    Ok((space.union_all(&surely)?, space.union_all(&possibly)?))
}

/// The connections of the rows that speak of what a side lets through, each with its packets.
pub(super) struct Connections {
    cells: Vec<(usize, OpeningCell)>,
    sets: Vec<Met>,
}

impl Connections {
    /// Of the rows that allow something, and of those that forbid what is open.
    pub(super) fn of(
        filters: &mut Filters<'_>,
        rows: &[Row],
        side: Side,
        (permitted, judged): (&Permitted, &Judged),
    ) -> Result<Self, OverBudget> {
        let mut connections = Self {
            cells: Vec::new(),
            sets: Vec::new(),
        };
        let wrong = judged.of(Code::ForbiddenOpening);
        let forbids = permitted.forbidden.iter().map(|row| row.at);
        for at in permitted.allowing.iter().copied().chain(forbids) {
            let Some(row) = rows.get(at) else { continue };
            let forbids = row.kind == Kind::Forbid;
            if forbids && (row.active != Truth::Yes || wrong.possibly.is_empty()) {
                continue;
            }
            let parts = service_parts(row);
            for (far, peer) in side.far(row).items.iter().enumerate() {
                for part in &parts {
                    let (_, mut set) = packets(filters, row, side, far, part)?;
                    let space = &mut filters.compiler.space;
                    if forbids {
                        set = space.intersection(set, wrong.possibly)?;
                    }
                    let cell = OpeningCell {
                        peer: Some(peer.value.to_string()),
                        service: part.word.clone(),
                        row: Some(row.id.clone()),
                    };
                    connections
                        .sets
                        .push(Met::new(space, connections.cells.len(), set));
                    connections.cells.push((at, cell));
                }
            }
        }
        Ok(connections)
    }

    /// The connections that some of a region belongs to, and the rows of them that allow it, by their places.
    pub(super) fn meeting(
        &self,
        space: &Space,
        region: PacketSet,
        rows: &[Row],
    ) -> (Vec<OpeningCell>, Vec<usize>) {
        let met = met(space, region, &self.sets).filter_map(|set| self.cells.get(set.at));
        let (places, mut cells): (Vec<usize>, Vec<OpeningCell>) = met.cloned().unzip();
        cells.sort();
        cells.dedup();
        let allows = |at: &usize| rows.get(*at).is_some_and(|row| row.kind != Kind::Forbid);
        let mut allowing: Vec<usize> = places.into_iter().filter(allows).collect();
        allowing.sort_unstable();
        allowing.dedup();
        (cells, allowing)
    }
}

impl Filters<'_> {
    /// Who gets what of some packets that no row allows: by zones, where only addresses tell who it is.
    pub(super) fn without_row(
        &mut self,
        wrong: PacketSet,
        side: Side,
    ) -> Result<Vec<OpeningCell>, OverBudget> {
        let mut cells = Vec::new();
        let mut rest = wrong;
        let identities = self.compiler.space.values_of(wrong, side.peer_identity());
        if identities.contains(Identities::UNKNOWN.into()) {
            let world = self.world;
            for zone in world.zones.iter() {
                let limits = world.limits(zone);
                let of_zone = self.peers(side, |family| limits.family(family).clone())?;
                let space = &mut self.compiler.space;
                let part = space.intersection(wrong, of_zone)?;
                rest = space.difference(rest, of_zone)?;
                cells.extend(of_peer(Some(&zone.name), services(space, part)));
            }
            let hosts = self.peers(side, |family| odd_peers(family).complement(family.max()))?;
            rest = self.compiler.space.intersection(rest, hosts)?;
        }
        cells.extend(of_peer(None, services(&self.compiler.space, rest)));
        Ok(cells)
    }

    /// Packets whose peers have some addresses, and are known by these alone.
    fn peers(&mut self, side: Side, of: impl Fn(Family) -> RangeSet) -> Result<PacketSet, OverBudget> {
        let space = &mut self.compiler.space;
        let mut sets = Vec::new();
        for family in Family::ALL {
            sets.push(space.product(&[
                (Field::Family, RangeSet::point(family.value())),
                (side.peer(family), of(family)),
            ])?);
        }
        space.union_all(&sets)
    }
}

fn of_peer(peer: Option<&str>, services: Vec<String>) -> impl Iterator<Item = OpeningCell> {
    let peer = peer.map(str::to_owned);
    services.into_iter().map(move |service| OpeningCell {
        peer: peer.clone(),
        service,
        row: None,
    })
}

/// The services of a set of packets, one by one.
fn services(space: &Space, set: PacketSet) -> Vec<String> {
    /// Regions and services looked at before the rest is only said to be there.
    const MAX: usize = 40;
    let (regions, more) = space.regions(set, MAX);
    let mut words = BTreeSet::new();
    for region in &regions {
        let protocol = region.values(Field::Protocol).and_then(RangeSet::single);
        match protocol.and_then(|protocol| u8::try_from(protocol).ok()) {
            Some(protocol) => {
                let every = RangeSet::range(0, Field::Service.maximum());
                words.extend(service_words(
                    protocol,
                    region.values(Field::Service).unwrap_or(&every),
                ));
            }
            None => drop(words.insert("any protocol".to_owned())),
        }
    }
    let n_words = words.len();
    let mut words: Vec<String> = words.into_iter().take(MAX).collect();
    if more > 0 || n_words > MAX {
        words.push("and more".to_owned());
    }
    words
}
