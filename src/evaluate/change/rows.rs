//! What the rows of one state ask of a host's packets, and which of them it does not keep to.

use super::super::excess::Excess;
use super::super::filters::Filters;
use super::super::missing::{best_alternative, is_ban_list, is_guess};
use super::super::permitted::Permitted;
use super::super::required::{Cell, Debt, Required, Status, is_bound, needs_setting, services_of};
use super::super::view::{Moment, Side};
use crate::finding::Code;
use crate::packet::{Bounds, OverBudget, PacketSet};
use crate::policy::{Kind, Peer, Row};

/// What one row asks of the packets of one side, in the space of its state.
pub(super) struct Asked {
    /// What it is called where the host does not keep to it.
    pub(super) code: Code,
    /// The row, by its place.
    pub(super) at: usize,
    pub(super) side: Side,
    /// The packets that it speaks of: to be let through, or to be stopped.
    pub(super) packets: PacketSet,
    /// Those of them that are not let through, or not stopped.
    pub(super) wrong: Bounds,
}

/// What the rows ask of a host, and what becomes of it.
pub(super) fn asked(filters: &mut Filters<'_>, rows: &[Row]) -> Result<Vec<Asked>, OverBudget> {
    let mut found = Vec::new();
    let arriving = filters.view(Side::Ingress, Moment::First)?;
    let sides = [
        (Side::Ingress, true),
        (Side::Egress, filters.host.is_closed_egress),
        (Side::Transit, filters.host.is_router),
    ];
    for (side, _) in sides.into_iter().filter(|(_, is_asked)| *is_asked) {
        let view = filters.view(side, Moment::First)?;
        if filters.host.is_closed || Permitted::may_forbid(filters, rows, view)? {
            let permitted = Permitted::of(filters, rows, side)?;
            Excess::new(filters, view, &permitted, rows).asked(&mut found)?;
        }
    }
    let mut required = Required::new(filters, arriving, rows)?;
    for (at, row) in rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.kind == Kind::Require)
    {
        for side in [Side::Ingress, Side::Egress] {
            if is_bound(required.filters.host, required.filters.world, row, side) {
                required.asked(row, at, side, &mut found)?;
            }
        }
    }
    Ok(found)
}

/// Whether rows speak of what a host sends to itself.
pub(super) fn speak_of_itself(rows: &[Row]) -> bool {
    let is_own = |row: &Row| row.from.items.iter().any(|from| from.value == Peer::This);
    rows.iter().any(|row| row.kind == Kind::Require && is_own(row))
}

impl Excess<'_, '_> {
    /// Adds what rows forbid, or keep to the host itself.
    fn asked(&mut self, found: &mut Vec<Asked>) -> Result<(), OverBudget> {
        let feasible = self.feasible()?;
        let mut forbidden = PacketSet::empty();
        for row in &self.permitted.forbidden {
            let space = &mut self.filters.compiler.space;
            forbidden = space.union(forbidden, row.at_most)?;
            let asked = space.intersection(row.certain, feasible)?;
            self.add(Code::ForbiddenOpening, row.at, asked, Bounds::empty(), found)?;
        }
        if self.filters.host.is_closed {
            for &(at, set) in &self.permitted.for_itself {
                let space = &mut self.filters.compiler.space;
                let set = space.intersection(set, feasible)?;
                let asked = space.difference(set, forbidden)?;
                self.add(Code::ExposedSelfPort, at, asked, self.permitted.bounds, found)?;
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        code: Code,
        at: usize,
        asked: PacketSet,
        permitted: Bounds,
        found: &mut Vec<Asked>,
    ) -> Result<(), OverBudget> {
        let space = &self.filters.compiler.space;
        let wrong = if space.is_disjoint(asked, self.view.open.possibly) {
            Bounds::empty()
        } else {
            let wrong = self.wrong(asked, permitted)?;
            Bounds {
                surely: wrong.surely,
                possibly: wrong.open.possibly,
            }
        };
        found.push(Asked {
            code,
            at,
            side: self.view.side,
            packets: asked,
            wrong,
        });
        Ok(())
    }
}

impl Required<'_, '_> {
    /// Adds what a row asks of one side of the host: that requests get through, and the answers to them.
    fn asked(&mut self, row: &Row, at: usize, side: Side, found: &mut Vec<Asked>) -> Result<(), OverBudget> {
        for services in services_of(row) {
            let cells = self.cells(row, &services, None, (side, Debt::Owed))?;
            let Some((status, best)) = best_alternative(&cells) else {
                continue;
            };
            let is_open = status == Status::Open;
            let is_sure = needs_setting(row, &services).is_none();
            // Where an alternative is met, all of them are.
            let cells = cells.iter().filter(|cell| is_open || cell.alternative == best);
            let cells: Vec<_> = cells.collect();
            for side in [Side::Ingress, Side::Egress, Side::Loopback] {
                let of_side: Vec<_> = cells.iter().copied().filter(|cell| cell.side == side).collect();
                if !of_side.is_empty() {
                    let (asked, mut wrong) = self.requests(&of_side, is_open)?;
                    if !is_sure {
                        wrong.surely = PacketSet::empty();
                    }
                    let code = Code::MissingOpening;
                    found.push(Asked {
                        code,
                        at,
                        side,
                        packets: asked,
                        wrong,
                    });
                }
            }
            for cell in cells
                .iter()
                .filter(|cell| cell.alternative == best && cell.has_answers())
            {
                self.answers_asked(cell, at, is_sure, found)?;
            }
        }
        Ok(())
    }

    /// The requests of some cells, and those that do not get through.
    fn requests(&mut self, cells: &[&Cell<'_>], is_open: bool) -> Result<(PacketSet, Bounds), OverBudget> {
        let space = &mut self.filters.compiler.space;
        let (mut asked, mut wrong) = (PacketSet::empty(), Bounds::empty());
        for cell in cells {
            asked = space.union(asked, cell.required)?;
            if !is_open {
                wrong.surely = space.union(wrong.surely, cell.blocked.surely)?;
                wrong.possibly = space.union(wrong.possibly, cell.blocked.possibly)?;
            }
        }
        let is_in_part = !wrong.surely.is_empty() && wrong.surely != asked;
        if is_in_part && is_guess(space, cells) {
            if is_ban_list(space, cells) {
                wrong.possibly = space.difference(wrong.possibly, wrong.surely)?;
            }
            wrong.surely = PacketSet::empty();
        }
        Ok((asked, wrong))
    }

    /// Adds the answers to the requests of a cell that get through.
    fn answers_asked(
        &mut self,
        cell: &Cell<'_>,
        at: usize,
        is_sure: bool,
        found: &mut Vec<Asked>,
    ) -> Result<(), OverBudget> {
        for answers in self.answers(cell)? {
            let blocked = self.blocked_of(cell, &answers)?;
            let wrong = blocked.map_or(Bounds::empty(), |blocked| Bounds {
                surely: if blocked.is_guess || !is_sure {
                    PacketSet::empty()
                } else {
                    blocked.set
                },
                possibly: blocked.set,
            });
            found.push(Asked {
                code: Code::BlockedReply,
                at,
                side: answers.view.side,
                packets: answers.required,
                wrong,
            });
        }
        Ok(())
    }
}
