//! What rows require and the host blocks: missing openings.

use super::address::{Addresses, Crowd};
use super::coverage::{Held, standing_of};
use super::doubt;
use super::filters::Filters;
use super::host::{Evaluation, Host};
use super::missing::best_alternative;
use super::peer::{Party, World};
use super::permitted::service_tests;
use super::view::{CLIENT_PORTS, Moment, Side, View, unknown_among};
use crate::finding::{Label, Standing};
use crate::model::{Identities, Presence};
use crate::packet::{Bounds, Family, Field, OverBudget, PacketSet, RangeSet, protocol};
use crate::policy::{Kind, Peer, Row, Service, Truth};

/// The requirements of one host.
pub(super) struct Required<'f, 'm> {
    pub(super) filters: &'f mut Filters<'m>,
    arriving: Views,
    leaving: Views,
    /// What the host says to itself, and its answers.
    loopback: Views,
    /// Requests that are sent on to another host or port, and how the answers of other hosts are seen.
    pub(super) sent_on: PacketSet,
    pub(super) published: View,
}

/// The first packets of one side's connections, and the answers to them on the other side.
#[derive(Clone, Copy)]
pub(super) struct Views {
    pub(super) first: View,
    pub(super) later: View,
    pub(super) reply: View,
    /// Where requests may go untracked.
    pub(super) unrelated_reply: Option<View>,
}

/// One service for one peer in one family: the smallest thing that can be missing.
pub(super) struct Cell<'r> {
    /// Which side of the host its packets cross.
    pub(super) side: Side,
    pub(super) service: &'r Service,
    pub(super) party: Party,
    pub(super) family: Family,
    /// Which alternative it belongs to; all cells of one must hold.
    pub(super) alternative: (usize, usize, usize),
    pub(super) required: PacketSet,
    /// Blocked for sure, and perhaps.
    pub(super) blocked: Bounds,
}

/// Whether a peer must get through in a family.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Debt {
    Owed,
    /// Its addresses are only assumed, and it gets through in another one.
    Spared,
}

/// How much of a requirement is blocked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Open,
    Perhaps,
    Blocked,
}

impl Cell<'_> {
    pub(super) fn status(&self) -> Status {
        if !self.blocked.surely.is_empty() {
            Status::Blocked
        } else if self.blocked.possibly.is_empty() {
            Status::Open
        } else {
            Status::Perhaps
        }
    }
}

impl<'f, 'm> Required<'f, 'm> {
    pub(super) fn new(
        filters: &'f mut Filters<'m>,
        arriving: View,
        rows: &[Row],
    ) -> Result<Self, OverBudget> {
        let arriving = Views {
            first: arriving,
            later: later(filters, arriving)?,
            reply: filters.view(Side::Egress, Moment::Reply)?,
            unrelated_reply: unrelated(filters, Side::Egress)?,
        };
        let sends =
            |row: &Row| row.kind == Kind::Require && is_bound(filters.host, filters.world, row, Side::Egress);
        let leaving = if rows.iter().any(sends) {
            let first = filters.view(Side::Egress, Moment::First)?;
            Views {
                first,
                later: later(filters, first)?,
                reply: filters.view(Side::Ingress, Moment::Reply)?,
                unrelated_reply: unrelated(filters, Side::Ingress)?,
            }
        } else {
            // Nobody asks.
            arriving
        };
        let first = filters.view(Side::Loopback, Moment::First)?;
        let loopback = Views {
            first,
            later: later(filters, first)?,
            reply: filters.view(Side::Loopback, Moment::Reply)?,
            unrelated_reply: unrelated(filters, Side::Loopback)?,
        };
        let published = filters.view(Side::Transit, Moment::PublishedReply)?;
        let sent_on = filters.published(arriving.first.ruling)?;
        Ok(Self {
            filters,
            arriving,
            leaving,
            loopback,
            sent_on,
            published,
        })
    }

    pub(super) fn views(&self, side: Side) -> Views {
        match side {
            Side::Ingress | Side::Transit => self.arriving,
            Side::Egress => self.leaving,
            Side::Loopback => self.loopback,
        }
    }

    pub(super) fn check(mut self, rows: &[Row], evaluation: &mut Evaluation) -> Result<(), OverBudget> {
        let before = evaluation.findings.len();
        let required = rows.iter().enumerate();
        for (at, row) in required.filter(|(_, row)| row.kind == Kind::Require) {
            for side in [Side::Ingress, Side::Egress] {
                if is_bound(self.filters.host, self.filters.world, row, side) {
                    let held = self.check_row((at, row), side, evaluation)?;
                    evaluation.held.push(held);
                }
            }
        }
        let found = evaluation.findings.split_off(before);
        evaluation.findings.extend(doubt::once_each(found));
        Ok(())
    }

    /// Adds what a row finds at the host, and says what became of it.
    fn check_row(
        &mut self,
        (at, row): (usize, &Row),
        side: Side,
        evaluation: &mut Evaluation,
    ) -> Result<Held, OverBudget> {
        let mut standing = Standing::Unasked;
        let mut is_met = Vec::new();
        let before = evaluation.findings.len();
        for services in services_of(row) {
            let cells = self.cells(row, &services, None, (side, Debt::Owed))?;
            let is_open = best_alternative(&cells).is_some_and(|(status, _)| status == Status::Open);
            is_met.extend(services.iter().map(|_| is_open));
            if !cells.is_empty() {
                standing = Standing::Verified;
            }
            match self.missing(row, side, &cells)? {
                Some(finding) if needs_setting(row, &services).is_none() => evaluation.findings.push(finding),
                Some(finding) => {
                    let why = needs_setting(row, &services).unwrap_or_default();
                    let doubt = Label::new(row.span, why);
                    evaluation.findings.push(finding.possibly([doubt]));
                }
                None => {
                    let spared = self.cells(row, &services, None, (side, Debt::Spared))?;
                    let is_closed = spared.iter().all(|cell| cell.blocked.surely == cell.required);
                    let closed = spared.first().filter(|_| is_closed);
                    evaluation
                        .spared
                        .extend(closed.map(|cell| (cell.family, row.id.clone())));
                }
            }
            if let Some(finding) = self.blocked_reply(row, &cells)? {
                evaluation.findings.push(finding);
            }
        }
        if let Truth::Unknown(why) = &row.active {
            evaluation.undecided.push((row.id.clone(), why.clone()));
        }
        let found = evaluation.findings.iter().skip(before);
        let standing = found.map(standing_of).fold(standing, Standing::max);
        let mut held = Held::new(at, side, standing);
        if self.filters.world.coverage {
            held.cells = self.connections(row, side, &is_met)?;
        }
        Ok(held)
    }

    /// The cells of some services, of all peers of a row or of one.
    pub(super) fn cells<'r>(
        &mut self,
        row: &Row,
        services: &[&'r Service],
        only: Option<usize>,
        (side, debt): (Side, Debt),
    ) -> Result<Vec<Cell<'r>>, OverBudget> {
        let peers = side.far(row);
        let mut cells = Vec::new();
        let asked = peers.items.iter().enumerate();
        for (peer_index, peer) in asked.filter(|(at, _)| only.is_none_or(|only| only == *at)) {
            let party = self.filters.world.party(&peer.value);
            for (service_index, &service) in services.iter().enumerate() {
                for family in self.families(&party, service, debt) {
                    let alternative = (
                        if row.services.one_of { service_index } else { 0 },
                        if peers.one_of { peer_index } else { 0 },
                        // A name may have addresses of one family only.
                        if party.unknown.is_some() {
                            1 + usize::from(family == Family::V6)
                        } else {
                            0
                        },
                    );
                    let side = if party.is_self { Side::Loopback } else { side };
                    cells.extend(self.cell(service, &party, family, side, alternative)?);
                }
            }
        }
        Ok(cells)
    }

    /// The families in which a peer must get through: those the host filters; where the peer's addresses are only
    /// assumed, the first of them. Or the others.
    fn families(&self, party: &Party, service: &Service, debt: Debt) -> Vec<Family> {
        let mut families = self.filters.families.clone();
        families.retain(|family| match service.protocol {
            Some(protocol::number::ICMP) => *family == Family::V4,
            Some(protocol::number::ICMPV6) => *family == Family::V6,
            _ => true,
        });
        let n_owed = if party.is_assumed { 1 } else { families.len() };
        let spared = families.split_off(n_owed.min(families.len()));
        match debt {
            Debt::Owed => families,
            Debt::Spared => spared,
        }
    }

    fn cell<'r>(
        &mut self,
        service: &'r Service,
        party: &Party,
        family: Family,
        side: Side,
        alternative: (usize, usize, usize),
    ) -> Result<Option<Cell<'r>>, OverBudget> {
        let view = self.views(side).first;
        let mut tests = service_tests(service);
        tests.push((Field::Family, RangeSet::point(family.value())));
        if service.protocol.is_some_and(protocol::has_ports) {
            tests.push((Field::SourcePort, RangeSet::range(CLIENT_PORTS.0, CLIENT_PORTS.1)));
        }
        let interfaces = self.filters.interfaces(party);
        if let Some(interfaces) = interfaces {
            tests.push((side.interface(), interfaces.clone()));
        }
        let mut bounds = view.bounds(interfaces);
        let space = &mut self.filters.compiler.space;
        if party.is_self {
            bounds = view.open;
            tests.push((side.own(family), party.members.family(family).clone()));
        }
        let mut crowds = vec![tests.clone()];
        if party.unknown.is_some() {
            let everywhere = self.filters.world.everywhere();
            bounds = unknown_among(space, bounds, side.peer(family), everywhere.family(family))?;
        } else {
            // Over the network nobody is the host itself, if it is known who that is.
            let mut others = party.members.family(family).clone();
            let own = self.filters.host.addresses.family(family);
            if !party.is_self && own.single().is_some() {
                others = others.difference(own);
            }
            crowds = self.crowds(&tests, party, &others, side, family);
        }
        let space = &mut self.filters.compiler.space;
        let required = crowds.iter().map(|tests| space.product(tests));
        let required: Vec<PacketSet> = required.collect::<Result<_, _>>()?;
        let required = space.union_all(&required)?;
        if required.is_empty() {
            return Ok(None);
        }
        let blocked = Bounds {
            surely: space.difference(required, bounds.possibly)?,
            possibly: space.difference(required, bounds.surely)?,
        };
        Ok(Some(Cell {
            side,
            service,
            party: party.clone(),
            family,
            alternative,
            required,
            blocked,
        }))
    }
}

impl Required<'_, '_> {
    /// The packets of a party, one product for each crowd that rules can tell from others: `others` are its addresses, apart
    /// from the host's own.
    fn crowds(
        &self,
        tests: &[(Field, RangeSet)],
        party: &Party,
        others: &RangeSet,
        side: Side,
        family: Family,
    ) -> Vec<Vec<(Field, RangeSet)>> {
        let with = |more: Vec<(Field, RangeSet)>| [tests, &more].concat();
        if !self.filters.asks_who(side) || party.is_self {
            return vec![with(vec![(side.peer(family), others.clone())])];
        }
        let nobody = [Crowd {
            identities: RangeSet::point(Identities::UNKNOWN.into()),
            addresses: Addresses::default(),
            presence: Presence::Here,
        }];
        let there: Vec<&Crowd> = party
            .crowds
            .iter()
            .filter(|crowd| crowd.presence == Presence::Here)
            .collect();
        let crowds = if there.is_empty() {
            nobody.iter().collect()
        } else {
            there
        };
        let of = |crowd: &Crowd| {
            let addresses = if crowd.addresses.is_empty() {
                others.clone()
            } else {
                crowd.addresses.family(family).clone()
            };
            with(vec![
                (side.peer_identity(), crowd.identities.clone()),
                (side.peer(family), addresses),
            ])
        };
        crowds.into_iter().map(of).collect()
    }
}

/// Whether a row asks something of this host on one side.
pub(super) fn is_bound(host: &Host, world: &World, row: &Row, side: Side) -> bool {
    let bound = side.bound(row);
    bound.items.iter().any(|peer| host.is(world, &peer.value))
        // What a row asks of every host at its own side is asked of no host in particular.
        && !(side == Side::Egress && bound.items.iter().any(|peer| peer.value == Peer::Every))
}

/// How what follows the first packets is seen: like them, where nothing tells the two apart.
fn later(filters: &mut Filters<'_>, first: View) -> Result<View, OverBudget> {
    let space = &filters.compiler.space;
    if !space.asks(Field::State) && !space.asks(Field::TcpFlags) {
        return Ok(first);
    }
    filters.view(first.side, Moment::Later)
}

/// How answers are seen that connection tracking knows nothing of, where there may be such.
fn unrelated(filters: &mut Filters<'_>, side: Side) -> Result<Option<View>, OverBudget> {
    if !filters.compiler.changes(Field::State) {
        return Ok(None);
    }
    filters.view(side, Moment::UnrelatedReply).map(Some)
}

/// The services of a row, those of which one is enough together.
pub(super) fn services_of(row: &Row) -> Vec<Vec<&Service>> {
    let all: Vec<&Service> = row.services.items.iter().map(|service| &service.value).collect();
    if row.services.one_of {
        vec![all]
    } else {
        all.into_iter().map(|one| vec![one]).collect()
    }
}

/// Why a row is not required for sure, if the site leaves something open.
pub(super) fn needs_setting(row: &Row, services: &[&Service]) -> Option<String> {
    if let Truth::Unknown(why) = &row.active {
        return Some(why.clone());
    }
    services.iter().find_map(|service| service.unset.clone())
}
