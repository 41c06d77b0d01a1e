//! What became of each row and each opening of a host: what the findings leave unsaid, for an auditor.
//!
//! INVARIANT: nothing is evaluated here: standings are read off the findings, grounds off the packets that they are about.

use std::collections::BTreeSet;

use super::excess::{Excess, Judged};
use super::filters::Filters;
use super::host::Host;
use super::met::{Met, met};
use super::opened::Opened;
use super::peer::World;
use super::permitted::concerns;
use super::required::is_bound;
use super::view::Side;
use super::words;
use crate::finding::{Certainty, Code, Finding, Ground, Label, Severity, Standing};
use crate::packet::{Field, OverBudget, PacketSet, RangeSet, Space, service_words};
use crate::policy::{Kind, Row, Truth};

/// A row that was held against a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its place among the rows in force.
    pub row: usize,
    /// `in` where the host accepts, `out` where it connects.
    pub direction: &'static str,
    /// What became of it.
    pub standing: Standing,
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
    /// The services of those that no row allows.
    pub excess_services: Vec<String>,
    /// The zones that some peers of those lie in.
    pub excess_zones: Vec<String>,
    /// The rows that speak of some of them, by their places.
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
pub(super) fn prohibitions(filters: &Filters<'_>, rows: &[Row], side: Side, found: &[Finding]) -> Vec<Held> {
    let forbids = |row: &Row| row.kind == Kind::Forbid && concerns(row, side, filters.host, filters.world);
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
    let concerned = rows.iter().enumerate().filter(|(_, row)| forbids(row));
    concerned
        .map(|(at, row)| Held::new(at, side, standing(row)))
        .collect()
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
        held.extend(sides.map(|side| Held::new(at, side, Standing::Unchecked)));
    }
    held
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
        let by_row = self.permitted.by_row.iter();
        let by_row: Vec<Met> = by_row
            .map(|&(at, set)| Met::new(&filters.compiler.space, at, set))
            .collect();
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
            let space = &filters.compiler.space;
            let mut rows: Vec<usize> = met(space, region, &by_row).map(|row| row.at).collect();
            rows.sort_unstable();
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
                excess_services: services(space, excess),
                excess_zones: filters.world.zones_of(space, excess, view.side),
                rows,
                ground,
            });
        }
        Ok(openings)
    }
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
