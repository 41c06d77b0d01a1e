//! What became of each row and each opening of a host: what the findings leave unsaid, for an auditor.
//!
//! INVARIANT: nothing is evaluated here: standings are read off the findings, grounds off the packets that they are about.

use super::connection::{self, Connections};
use super::excess::{Excess, Judged};
use super::filters::Filters;
use super::host::Host;
use super::opened::Opened;
use super::peer::World;
use super::permitted::concerns;
use super::required::is_bound;
use super::view::Side;
use super::words;
use crate::finding::{Certainty, Code, CoveredCell, Finding, Ground, Label, OpeningCell, Severity, Standing};
use crate::packet::{Bounds, OverBudget, PacketSet};
use crate::policy::{Kind, Row, Truth};

/// A row that was held against a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its place among the rows in force.
    pub row: usize,
    /// `in` where the host accepts, `out` where it connects.
    pub direction: &'static str,
    /// What became of it.
    pub standing: Standing,
    /// What became of each connection that it speaks of, if that was asked for.
    pub cells: Vec<CoveredCell>,
}

/// What one rule lets through, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedOpening {
    /// `in`, `out` or `forward`.
    pub direction: &'static str,
    /// The rule or default verdict that decides.
    pub label: Option<Label>,
    /// Whether all of it is open for sure.
    pub certainty: Certainty,
    /// Its packets, one line a product.
    pub packets: Vec<String>,
    /// The zones that some of their peers lie in.
    pub zones: Vec<String>,
    /// Who gets what through it.
    pub cells: Vec<OpeningCell>,
    /// The rows that allow some of them, by their places.
    pub rows: Vec<usize>,
    /// Whether they allow all.
    pub ground: Ground,
}

impl Held {
    pub(super) fn new(row: usize, side: Side, standing: Standing) -> Self {
        Self {
            row,
            direction: direction(side),
            standing,
            cells: Vec::new(),
        }
    }
}

fn direction(side: Side) -> &'static str {
    match side {
        Side::Ingress | Side::Loopback => "in",
        Side::Egress => "out",
        Side::Transit => "forward",
    }
}

/// What a finding about a row makes of it.
pub(super) fn standing_of(finding: &Finding) -> Standing {
    match (finding.certainty, finding.severity) {
        (Certainty::Possibly, _) => Standing::Possibly,
        (Certainty::Surely, Severity::Error) => Standing::Broken,
        (Certainty::Surely, Severity::Warning | Severity::Note) => Standing::Partly,
    }
}

/// The rows that forbid something on a side, which had these findings.
pub(super) fn prohibitions(
    filters: &mut Filters<'_>,
    rows: &[Row],
    side: Side,
    (found, judged): (&[Finding], &Judged),
) -> Result<Vec<Held>, OverBudget> {
    let standing = |row: &Row| {
        if row.active != Truth::Yes {
            // Not asked as long as it is not known whether it is in force.
            return Standing::Unasked;
        }
        let about = found
            .iter()
            .filter(|finding| finding.code == Code::ForbiddenOpening);
        let about = about.filter(|finding| finding.rows.iter().any(|cited| cited.id == row.id));
        let broken = about.map(|finding| match finding.certainty {
            Certainty::Surely => Standing::Broken,
            Certainty::Possibly => Standing::Possibly,
        });
        broken.max().unwrap_or(Standing::Verified)
    };
    let mut held = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        if row.kind != Kind::Forbid || !concerns(row, side, filters.host, filters.world) {
            continue;
        }
        let mut one = Held::new(at, side, standing(row));
        one.cells = if one.standing > Standing::Verified {
            connection::forbidden(filters, row, side, judged.of(Code::ForbiddenOpening))?
        } else {
            connection::alike(row, side, (filters.host, filters.world), one.standing)
        };
        held.push(one);
    }
    Ok(held)
}

/// The rows that would have been held against a host whose analysis was given up.
pub(super) fn given_up(host: &Host, rows: &[Row], world: &World) -> Vec<Held> {
    let mut held = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let is_asked = |side: &Side| match row.kind {
            Kind::Require => is_bound(host, world, row, *side),
            Kind::Allow => false,
            Kind::Forbid => world.coverage && *side == Side::Ingress && concerns(row, *side, host, world),
        };
        let sides = [Side::Ingress, Side::Egress].into_iter().filter(is_asked);
        held.extend(sides.map(|side| Held {
            cells: if world.coverage {
                connection::alike(row, side, (host, world), Standing::Unchecked)
            } else {
                Vec::new()
            },
            ..Held::new(at, side, Standing::Unchecked)
        }));
    }
    held
}

impl Judged {
    /// What is wrong of one kind.
    pub(super) fn of(&self, code: Code) -> Bounds {
        let mut wrong = self.wrong.iter();
        let of_code = wrong.find(|(one, _)| *one == code);
        of_code.map_or_else(Bounds::empty, |(_, bounds)| *bounds)
    }
}

impl Excess<'_, '_> {
    /// Everything that a side lets through, rule by rule, with the rows that allow it.
    pub(super) fn judged_openings(&mut self, judged: &Judged) -> Result<Vec<JudgedOpening>, OverBudget> {
        let (view, filters) = (self.view, &mut *self.filters);
        let open = filters
            .compiler
            .space
            .intersection(view.open.possibly, judged.feasible)?;
        let surely = filters
            .compiler
            .space
            .intersection(view.open.surely, judged.feasible)?;
        let connections = Connections::of(filters, self.rows, view.side, (self.permitted, judged))?;
        let mut openings = Vec::new();
        for Opened { opener, region, .. } in filters.opened_by(open, surely, view)? {
            let region = filters.as_asked(region, opener, &view)?;
            if region.is_empty() {
                continue;
            }
            let space = &filters.compiler.space;
            let meets = |wrong: &[(Code, Certainty, PacketSet)]| {
                let first = wrong.iter().find(|(.., set)| !space.is_disjoint(*set, region));
                first.map(|&(code, certainty, _)| Ground::Unjustified(code, certainty))
            };
            let sure = judged.wrong.iter();
            let sure = sure.map(|(code, wrong)| (*code, Certainty::Surely, wrong.surely));
            let perhaps = judged.wrong.iter();
            let perhaps = perhaps.map(|(code, wrong)| (*code, Certainty::Possibly, wrong.possibly));
            let wrong: Vec<_> = sure.chain(perhaps).collect();
            let otherwise = if filters.host.is_closed {
                Ground::Justified
            } else {
                Ground::Unjudged
            };
            let ground = meets(&wrong).unwrap_or(otherwise);
            let sets: Vec<PacketSet> = wrong.iter().map(|(.., set)| *set).collect();
            let wrong_sets = filters.compiler.space.union_all(&sets)?;
            let excess = filters.compiler.space.intersection(wrong_sets, region)?;
            let (mut cells, rows) = connections.meeting(&filters.compiler.space, region, self.rows);
            cells.extend(filters.without_row(excess, view.side)?);
            let space = &filters.compiler.space;
            let is_sure = space.is_subset(region, surely);
            let space = &filters.compiler.space;
            openings.push(JudgedOpening {
                direction: direction(view.side),
                label: words::opener(&filters.compiler, opener, "it"),
                certainty: if is_sure {
                    Certainty::Surely
                } else {
                    Certainty::Possibly
                },
                packets: filters.extent(region, view.side),
                zones: filters.world.zones_of(space, region, view.side),
                cells,
                rows,
                ground,
            });
        }
        Ok(openings)
    }
}
