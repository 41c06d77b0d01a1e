//! What rows require and the host blocks: missing openings.

use super::doubt;
use super::host::{Evaluation, Filters};
use super::peer::Party;
use super::permitted::service_tests;
use super::view::{CLIENT_PORTS, Moment, Side, View, unknown_among};
use super::words;
use crate::finding::{Code, Finding, Label, Severity};
use crate::model::Decider;
use crate::packet::{
    Bounds, Concrete, End, Family, Field, Outcome, OverBudget, PacketSet, RangeSet, Space, protocol,
};
use crate::policy::{Kind, Peer, Row, Service, Truth};

/// The requirements of one host.
pub(super) struct Required<'f, 'm> {
    pub(super) filters: &'f mut Filters<'m>,
    arriving: Views,
    leaving: Views,
}

/// The first packets of one side's connections, and the answers to them on the other side.
#[derive(Clone, Copy)]
pub(super) struct Views {
    pub(super) first: View,
    pub(super) reply: View,
    /// Where requests may go untracked.
    pub(super) unrelated_reply: Option<View>,
}

/// One service for one peer in one family: the smallest thing that can be missing.
pub(super) struct Cell<'r> {
    /// Which side of the host its packets cross; what the host says to itself crosses both, one cell each.
    pub(super) side: Side,
    pub(super) service: &'r Service,
    pub(super) party: Party,
    pub(super) family: Family,
    /// Which alternative it belongs to; all cells of one must hold.
    alternative: (usize, usize, usize),
    pub(super) required: PacketSet,
    /// Blocked for sure, and perhaps.
    blocked: Bounds,
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
    pub(super) fn new(filters: &'f mut Filters<'m>, arriving: View) -> Result<Self, OverBudget> {
        let leaving = filters.view(Side::Egress, Moment::First)?;
        let reply_out = filters.view(Side::Egress, Moment::Reply)?;
        let reply_in = filters.view(Side::Ingress, Moment::Reply)?;
        let mut unrelated = |side| -> Result<Option<View>, OverBudget> {
            if !filters.compiler.changes(Field::State) {
                return Ok(None);
            }
            filters.view(side, Moment::UnrelatedReply).map(Some)
        };
        let arriving = Views {
            first: arriving,
            reply: reply_out,
            unrelated_reply: unrelated(Side::Egress)?,
        };
        let leaving = Views {
            first: leaving,
            reply: reply_in,
            unrelated_reply: unrelated(Side::Ingress)?,
        };
        Ok(Self {
            filters,
            arriving,
            leaving,
        })
    }

    pub(super) fn views(&self, side: Side) -> Views {
        match side {
            Side::Ingress | Side::Transit => self.arriving,
            Side::Egress => self.leaving,
        }
    }

    pub(super) fn check(mut self, rows: &[Row], evaluation: &mut Evaluation) -> Result<(), OverBudget> {
        let before = evaluation.findings.len();
        for row in rows.iter().filter(|row| row.kind == Kind::Require) {
            for side in [Side::Ingress, Side::Egress] {
                if self.is_bound(row, side) {
                    self.check_row(row, side, evaluation)?;
                }
            }
        }
        let found = evaluation.findings.split_off(before);
        evaluation.findings.extend(doubt::once_each(found));
        Ok(())
    }

    fn is_bound(&self, row: &Row, side: Side) -> bool {
        let bound = side.bound(row);
        let (host, world) = (self.filters.host, self.filters.world);
        bound.items.iter().any(|peer| host.is(world, &peer.value))
            // What a row asks of every host at its own side is asked of no host in particular.
            && !(side == Side::Egress && bound.items.iter().any(|peer| peer.value == Peer::Every))
    }

    fn check_row(&mut self, row: &Row, side: Side, evaluation: &mut Evaluation) -> Result<(), OverBudget> {
        evaluation.checked.push(row.id.clone());
        let all: Vec<&Service> = row.services.items.iter().map(|service| &service.value).collect();
        let groups: Vec<Vec<&Service>> = if row.services.one_of {
            vec![all]
        } else {
            all.into_iter().map(|one| vec![one]).collect()
        };
        for services in groups {
            let cells = self.cells(row, &services, side)?;
            match self.missing(row, side, &cells)? {
                Some(finding) if needs_setting(row, &services).is_none() => evaluation.findings.push(finding),
                Some(finding) => {
                    let why = needs_setting(row, &services).unwrap_or_default();
                    let doubt = Label::new(row.span, why);
                    evaluation.findings.push(finding.possibly([doubt]));
                }
                None => {
                    if let Some(finding) = self.blocked_reply(row, &cells)? {
                        evaluation.findings.push(finding);
                    }
                }
            }
        }
        if let Truth::Unknown(why) = &row.active {
            evaluation.undecided.push((row.id.clone(), why.clone()));
        }
        Ok(())
    }

    fn cells<'r>(
        &mut self,
        row: &'r Row,
        services: &[&'r Service],
        side: Side,
    ) -> Result<Vec<Cell<'r>>, OverBudget> {
        let peers = side.far(row);
        let mut cells = Vec::new();
        for (peer_index, peer) in peers.items.iter().enumerate() {
            let party = self.filters.world.party(&peer.value);
            for (service_index, &service) in services.iter().enumerate() {
                for family in self.families(&party, service) {
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
                    let both = [Side::Egress, Side::Ingress];
                    let sides = if party.is_self { &both[..] } else { &[side][..] };
                    for &side in sides {
                        cells.extend(self.cell(service, &party, family, side, alternative)?);
                    }
                }
            }
        }
        Ok(cells)
    }

    /// The families in which a peer must get through: those the host filters; where the peer's addresses are only
    /// assumed, the first of them.
    fn families(&self, party: &Party, service: &Service) -> Vec<Family> {
        let mut families = self.filters.families.clone();
        families.retain(|family| match service.protocol {
            Some(protocol::number::ICMP) => *family == Family::V4,
            Some(protocol::number::ICMPV6) => *family == Family::V6,
            _ => true,
        });
        if party.is_assumed {
            families.truncate(1);
        }
        families
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
        if let Some(interfaces) = &party.interfaces {
            tests.push((side.interface(), interfaces.clone()));
        }
        let mut bounds = view.bounds(party.interfaces.as_ref());
        let space = &mut self.filters.compiler.space;
        if party.is_self {
            bounds = view.open;
            tests.push((side.own(family), party.members.family(family).clone()));
        }
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
            tests.push((side.peer(family), others));
        }
        let required = space.product(&tests)?;
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

    /// The finding that a requirement is not met, if it is not.
    fn missing(&mut self, row: &Row, side: Side, cells: &[Cell<'_>]) -> Result<Option<Finding>, OverBudget> {
        let Some((status, alternative)) = best_alternative(cells) else {
            return Ok(None);
        };
        if status == Status::Open {
            return Ok(None);
        }
        let mut cells: Vec<_> = cells
            .iter()
            .filter(|cell| cell.alternative == alternative)
            .collect();
        let is_sure = status == Status::Blocked;
        let Some(&cell) = cells.iter().find(|cell| cell.status() == status) else {
            return Ok(None);
        };
        cells.retain(|other| other.side == cell.side);
        let space = &mut self.filters.compiler.space;
        let (mut blocked, mut required) = (PacketSet::empty(), PacketSet::empty());
        for cell in &cells {
            let set = if is_sure {
                cell.blocked.surely
            } else {
                cell.blocked.possibly
            };
            blocked = space.union(blocked, set)?;
            required = space.union(required, cell.required)?;
        }
        let is_whole = blocked == required;
        // Blocked for a part of a peer that the site has not described. What is blocked for all of it is no guess.
        let is_guess = is_sure
            && !is_whole
            && cells
                .iter()
                .all(|cell| cell.party.is_assumed && !is_for_all_members(space, cell));
        if is_guess && is_ban_list(space, &cells) {
            return Ok(None);
        }
        let (witness, label) = self.blocking_packet(cell, is_sure)?;
        let mut finding = Finding::new(
            Code::MissingOpening,
            missing_message(row, side, &cells, is_whole),
            label,
        );
        if !is_whole && is_sure {
            finding.severity = Severity::Warning;
        }
        finding = finding.related(words::row_label(row, "requires it"));
        finding.rows.push(words::citation(row));
        finding.extent = self.filters.extent(blocked, cell.side);
        finding.help = Some(help(cell, side));
        if !is_sure {
            finding = self.in_doubt(finding, cell, &witness);
        } else if is_guess {
            let why = format!(
                "it depends on who {} is: say it in portcullis.toml",
                cell.party.word
            );
            finding = finding.possibly([]).help(why);
        }
        finding.witness = Some(witness.to_string());
        Ok(Some(finding))
    }

    /// Makes a finding possible and says what it depends on.
    fn in_doubt(&self, finding: Finding, cell: &Cell<'_>, witness: &Concrete) -> Finding {
        let view = self.views(cell.side).first;
        let outcomes = self
            .filters
            .compiler
            .space
            .outcomes_of(view.ruling, &|field| witness.value(field));
        let doubts = words::doubts(&self.filters.compiler, &outcomes.doubts);
        let is_undecided = outcomes.possibly_accepts() && !outcomes.surely_accepts();
        let mut finding = finding.possibly(doubts);
        if !is_undecided {
            let why = match (&cell.party.unknown, &cell.party.interfaces) {
                (Some(why), _) => format!("it depends on where the peer is: {why}"),
                (None, None) => {
                    "it depends on the interface or the host's own address: name the zone's `interfaces` and the \
                     binding's `addresses` in portcullis.toml"
                        .to_owned()
                }
                (None, Some(_)) => {
                    "it depends on the host's own address: name the binding's `addresses` in portcullis.toml".to_owned()
                }
            };
            finding.help = Some(why);
        }
        finding
    }

    /// A packet that is blocked, with the bytes that block it.
    fn blocking_packet(
        &mut self,
        cell: &Cell<'_>,
        is_sure: bool,
    ) -> Result<(Concrete, Option<Label>), OverBudget> {
        let view = self.views(cell.side).first;
        let set = if is_sure {
            cell.blocked.surely
        } else {
            cell.blocked.possibly
        };
        let own = self.filters.own().among(cell.family).clone();
        let space = &mut self.filters.compiler.space;
        let closed = if is_sure {
            view.open.possibly
        } else {
            view.open.surely
        };
        let mut among = space.difference(set, closed)?;
        if !cell.party.is_self {
            let facts = space.product(&[
                (cell.side.own(cell.family), own),
                (cell.side.interface(), self.filters.world.outside_interfaces()),
            ])?;
            let narrowed = space.intersection(among, facts)?;
            if !narrowed.is_empty() {
                among = narrowed;
            }
        }
        let mut witness = space.witness(among).unwrap_or_default();
        if !cell.party.is_self {
            witness = witness_of_another(space, among, cell, witness)?;
        }
        let outcomes = self.outcomes(view, &witness);
        let blocks = self.blocker(&outcomes, &witness, is_sure)?;
        let verb = match blocks.map(|outcome| outcome.end) {
            Some(End::Reject) => "rejects it",
            _ => "drops it",
        };
        let decider: Option<Decider> =
            blocks.and_then(|outcome| self.filters.compiler.decider(outcome.cause));
        let label = decider.and_then(|decider| words::blocker(&self.filters.compiler, decider, verb));
        Ok((witness, label))
    }

    /// The outcome that blocks a packet: where it is blocked for sure, by who surely matches it, not by who may.
    fn blocker(
        &mut self,
        outcomes: &[Outcome],
        packet: &Concrete,
        is_sure: bool,
    ) -> Result<Option<Outcome>, OverBudget> {
        let blocks = |outcome: &&Outcome| matches!(outcome.end, End::Drop | End::Reject);
        let mut blocks = outcomes.iter().filter(blocks).copied();
        let first = blocks.next();
        for outcome in first.into_iter().chain(blocks).filter(|_| is_sure) {
            let compiler = &mut self.filters.compiler;
            let decider = compiler.decider(outcome.cause);
            let Some(rule) = decider.and_then(|decider| compiler.rule(decider)) else {
                return Ok(Some(outcome));
            };
            let matches = compiler.surely_matches(rule)?;
            if compiler.space.contains(matches, &|field| packet.value(field)) {
                return Ok(Some(outcome));
            }
        }
        Ok(first)
    }

    pub(super) fn outcomes(&self, view: View, packet: &Concrete) -> Vec<Outcome> {
        let space = &self.filters.compiler.space;
        space
            .outcomes_of(view.ruling, &|field| packet.value(field))
            .outcomes
            .clone()
    }
}

/// A packet between two hosts, if the first one found comes from where it goes and there is another.
fn witness_of_another(
    space: &mut Space,
    among: PacketSet,
    cell: &Cell<'_>,
    first: Concrete,
) -> Result<Concrete, OverBudget> {
    let (own, peer) = (cell.side.own(cell.family), cell.side.peer(cell.family));
    let address = first.value(peer);
    if first.value(own) != address {
        return Ok(first);
    }
    let itself = space.test(peer, &RangeSet::point(address))?;
    let others = space.difference(among, itself)?;
    Ok(space.witness(others).unwrap_or(first))
}

/// The alternative that is best met, and how well. All cells of an alternative must hold.
fn best_alternative(cells: &[Cell<'_>]) -> Option<(Status, (usize, usize, usize))> {
    let mut alternatives: Vec<_> = cells.iter().map(|cell| cell.alternative).collect();
    alternatives.sort_unstable();
    alternatives.dedup();
    let status = |alternative| {
        let mut worst = Status::Open;
        for cell in cells.iter().filter(|cell| cell.alternative == alternative) {
            worst = match (worst, cell.status()) {
                (Status::Blocked, _) | (_, Status::Blocked) => Status::Blocked,
                (Status::Perhaps, _) | (_, Status::Perhaps) => Status::Perhaps,
                (Status::Open, Status::Open) => Status::Open,
            };
        }
        worst
    };
    let rank = |status| match status {
        Status::Open => 0,
        Status::Perhaps => 1,
        Status::Blocked => 2,
    };
    alternatives
        .into_iter()
        .map(|one| (status(one), one))
        .min_by_key(|(status, one)| (rank(*status), *one))
}

/// Whether so few of a peer are blocked that it is a ban list and not a missing opening: less than one in 256.
fn is_ban_list(space: &Space, cells: &[&Cell<'_>]) -> bool {
    cells.iter().all(|cell| {
        let banned = space.values_of(cell.blocked.surely, cell.side.peer(cell.family));
        let members = cell.party.members.family(cell.family);
        cell.blocked.surely.is_empty() || banned.intersection(members).size() < members.size() / 256
    })
}

/// Whether every member of a cell's peer has something that is blocked.
fn is_for_all_members(space: &Space, cell: &Cell<'_>) -> bool {
    let blocked = space.values_of(cell.blocked.surely, cell.side.peer(cell.family));
    cell.party.members.family(cell.family).is_subset(&blocked)
}

/// Why a row is not required for sure, if the site leaves something open.
fn needs_setting(row: &Row, services: &[&Service]) -> Option<String> {
    if let Truth::Unknown(why) = &row.active {
        return Some(why.clone());
    }
    services.iter().find_map(|service| service.unset.clone())
}

fn missing_message(row: &Row, side: Side, cells: &[&Cell<'_>], is_whole: bool) -> String {
    let mut services: Vec<_> = cells.iter().map(|cell| words::service(cell.service)).collect();
    services.dedup();
    let mut parties: Vec<_> = cells.iter().map(|cell| cell.party.word.clone()).collect();
    parties.dedup();
    let direction = side.word();
    let how = if is_whole { "blocked" } else { "blocked for some" };
    format!(
        "`{}` requires {} {direction} {}, which is {how}",
        row.id,
        services.join(", "),
        parties.join(", ")
    )
}

fn help(cell: &Cell<'_>, side: Side) -> String {
    let direction = side.word();
    format!(
        "accept {} {direction} {} before this",
        words::service(cell.service),
        cell.party.word
    )
}
