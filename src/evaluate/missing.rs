//! A requirement that is not met to the finding that says so: who blocks it, for whom, and what it depends on.

use std::collections::BTreeSet;

use super::layers::layer_of;
use super::required::{Cell, Required, Status};
use super::view::{Side, View};
use super::words;
use crate::finding::{Code, Finding, Label, Severity};
use crate::packet::{Concrete, End, Family, Field, Outcome, OverBudget, PacketSet, RangeSet, Space};
use crate::policy::Row;

/// A packet that is blocked.
struct Blocked {
    witness: Concrete,
    /// The bytes that block it.
    label: Option<Label>,
    /// Where it is translated before.
    translators: Vec<Label>,
    /// What other layers do to it.
    others: Vec<Label>,
    /// The elements of sets that it is in.
    elements: Vec<Label>,
}

impl Required<'_, '_> {
    /// The finding that a requirement is not met, if it is not.
    pub(super) fn missing(
        &mut self,
        row: &Row,
        side: Side,
        cells: &[Cell<'_>],
    ) -> Result<Option<Finding>, OverBudget> {
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
        let whole = wholly_blocked(&cells);
        let worst = cells
            .iter()
            .find(|cell| cell.status() == status && whole.contains(&&*cell.party.word));
        let Some(&cell) = worst.or_else(|| cells.iter().find(|cell| cell.status() == status)) else {
            return Ok(None);
        };
        cells.retain(|other| other.side == cell.side);
        if is_sure && !whole.is_empty() {
            // Of several peers, some get nothing through: that others do is no comfort to them.
            cells.retain(|other| whole.contains(&&*other.party.word));
        }
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
        let is_guess = is_sure && !is_whole && is_guess(space, &cells);
        if is_guess && is_ban_list(space, &cells) {
            return Ok(None);
        }
        let Blocked {
            witness,
            label,
            translators,
            others,
            elements,
        } = self.blocking_packet(cell, is_sure)?;
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
        self.filters.describe(&mut finding, blocked, cell.side);
        finding.help = Some(help(cell, side, !translators.is_empty()));
        finding
            .related
            .extend(translators.into_iter().chain(elements).chain(others));
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
        let of_nobody = words::spanless_doubts(&self.filters.compiler, &outcomes.doubts);
        let is_of_nobody = doubts.is_empty() && !of_nobody.is_empty();
        let mut finding = finding.possibly(doubts);
        if is_undecided && is_of_nobody {
            finding.help = Some(of_nobody.join("; "));
        } else if !is_undecided {
            let why = match (&cell.party.unknown, &cell.party.interfaces) {
                (Some(why), _) => format!("it depends on where the peer is: {why}"),
                (None, None) => words::UNKNOWN_END.to_owned(),
                (None, Some(_)) => {
                    "it depends on the host's own address: name the binding's `addresses` in portcullis.toml"
                        .to_owned()
                }
            };
            finding.help = Some(why);
        }
        finding
    }

    /// A packet that is blocked, with the bytes that block it.
    fn blocking_packet(&mut self, cell: &Cell<'_>, is_sure: bool) -> Result<Blocked, OverBudget> {
        let view = self.views(cell.side).first;
        let set = if is_sure {
            cell.blocked.surely
        } else {
            cell.blocked.possibly
        };
        let space = &mut self.filters.compiler.space;
        let closed = if is_sure {
            view.open.possibly
        } else {
            view.open.surely
        };
        let among = space.difference(set, closed)?;
        let among = self.likely(among, cell, cell.side)?;
        let space = &mut self.filters.compiler.space;
        let mut witness = space.witness(among).unwrap_or_default();
        if !cell.party.is_self {
            witness = cell.side.seen(witness_of_another(space, among, cell, witness)?);
        }
        let outcomes = self.outcomes(view, &witness);
        let blocks = self.blocker(&outcomes, &witness, is_sure)?;
        let verb = match blocks.map(|outcome| outcome.end) {
            Some(End::Reject) => "rejects it",
            _ => "drops it",
        };
        let mut blocked = Blocked {
            witness,
            label: None,
            translators: Vec::new(),
            others: Vec::new(),
            elements: Vec::new(),
        };
        let Some(blocks) = blocks else {
            return Ok(blocked);
        };
        let decider = self.filters.compiler.decider(blocks.cause);
        blocked.label = decider.and_then(|decider| words::blocker(&self.filters.compiler, decider, verb));
        if let Some(layer) = decider.and_then(|decider| layer_of(&self.filters.compiler, decider)) {
            let others = self.filters.layers.others(layer, &blocked.witness, cell.side);
            blocked.others = others.into_iter().filter_map(|deed| deed.label).collect();
        }
        if self.filters.translates(blocks.edit) {
            let packet = of_packet(&mut self.filters.compiler.space, &blocked.witness)?;
            blocked.translators = self.filters.translators(packet, &[blocks.edit], decider)?;
        }
        if let Some(decider) = decider {
            let (filters, is_translated) = (&self.filters, !blocked.translators.is_empty());
            blocked.elements =
                filters
                    .elements
                    .labels(&filters.compiler, decider, &blocked.witness, is_translated);
        }
        if blocked.label.is_none() && !blocked.translators.is_empty() {
            // Nobody drops it: it goes to another host.
            blocked.label = Some(blocked.translators.remove(0));
        }
        Ok(blocked)
    }

    /// Of packets that cross a side, those with an address of the host and an interface that leads to others, if there are any.
    pub(super) fn likely(
        &mut self,
        among: PacketSet,
        cell: &Cell<'_>,
        side: Side,
    ) -> Result<PacketSet, OverBudget> {
        if cell.party.is_self {
            return Ok(among);
        }
        let own = self.filters.ends(side).among(cell.family).clone();
        let outside = self.filters.world.outside_interfaces();
        let space = &mut self.filters.compiler.space;
        let facts = space.product(&[(side.own(cell.family), own), (side.interface(), outside)])?;
        let narrowed = space.intersection(among, facts)?;
        Ok(if narrowed.is_empty() { among } else { narrowed })
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

/// The packets that differ from one in nothing that translating rules ask about.
fn of_packet(space: &mut Space, packet: &Concrete) -> Result<PacketSet, OverBudget> {
    let ends = Family::ALL
        .into_iter()
        .flat_map(|family| [family.source(), family.destination()]);
    let fields = ends.chain([Field::Family, Field::Protocol, Field::Service, Field::InInterface]);
    let tests: Vec<_> = fields
        .filter(|&field| packet.has(field))
        .map(|field| (field, RangeSet::point(packet.value(field))))
        .collect();
    space.product(&tests)
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

/// The peers, by their words, of whom nothing gets through.
fn wholly_blocked<'c>(cells: &[&'c Cell<'_>]) -> BTreeSet<&'c str> {
    let is_open = |cell: &&&Cell<'_>| cell.blocked.surely != cell.required;
    let open: BTreeSet<&str> = cells
        .iter()
        .filter(is_open)
        .map(|cell| &*cell.party.word)
        .collect();
    let all = cells.iter().map(|cell| &*cell.party.word);
    all.filter(|word| !open.contains(word)).collect()
}

/// The alternative that is best met, and how well. All cells of an alternative must hold.
pub(super) fn best_alternative(cells: &[Cell<'_>]) -> Option<(Status, (usize, usize, usize))> {
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

/// Whether what is blocked of some cells, for a part of their peers, is blocked for a part of peers that the site has not
/// described. What is blocked for all of a peer is no guess.
pub(super) fn is_guess(space: &Space, cells: &[&Cell<'_>]) -> bool {
    cells
        .iter()
        .all(|cell| cell.party.is_assumed && !is_for_all_members(space, cell))
}

/// Whether so few of a peer are blocked that it is a ban list and not a missing opening: less than one in 256.
pub(super) fn is_ban_list(space: &Space, cells: &[&Cell<'_>]) -> bool {
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

fn help(cell: &Cell<'_>, side: Side, is_translated: bool) -> String {
    let direction = side.word();
    let after = if is_translated {
        ", as it is after its translation,"
    } else {
        ""
    };
    format!(
        "accept {} {direction} {}{after} before this",
        words::service(cell.service),
        cell.party.word
    )
}
