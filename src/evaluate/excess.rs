//! What is open and no row asks for: one finding a deciding rule and code.

use rayon::prelude::*;

use super::advice::{self, Advice};
use super::filters::Filters;
use super::layers::layer_of;
use super::met::{Met, met};
use super::opened::Opened;
use super::permitted::Permitted;
use super::view::{Side, View, all_but_loopback, unknown_among};
use super::words;
use crate::finding::{Code, Finding, Label, Severity};
use crate::model::{Decider, keeper};
use crate::packet::protocol::number;
use crate::packet::{Bounds, Cause, Concrete, EditId, Family, Field, OverBudget, PacketSet, RangeSet};
use crate::policy::Row;

/// The openings of one host that should not be.
pub(super) struct Excess<'f, 'm> {
    pub(super) filters: &'f mut Filters<'m>,
    pub(super) view: View,
    pub(super) permitted: &'f Permitted,
    pub(super) rows: &'f [Row],
    advice: Advice<'f>,
    /// Whether the filters are one layer of several: only what the others stop is reported then.
    pub(super) is_one_layer: bool,
    /// Packets of which nobody says where they come from: what is open to them is possibly wrong at the most.
    pub(super) stray: PacketSet,
}

/// What one rule opens that it should not.
struct Opening {
    opener: Decider,
    /// The rule that a program publishes the port by, where it is another.
    publisher: Option<Decider>,
    region: PacketSet,
    /// Whether all of the region is surely open and surely wrong.
    is_sure: bool,
    /// Where rules translate its packets before.
    translators: Vec<Label>,
}

/// Packets that are let through against a rule of the policies: surely, and possibly.
#[derive(Clone, Copy)]
pub(super) struct Wrong {
    /// By all fields; surely open, if the interface and own address are what they are.
    pub(super) open: Bounds,
    /// Surely wrong whatever the interface and the own address.
    pub(super) surely: PacketSet,
}

/// The packets of a side that were judged, and those of them that should not be open, by what they are.
pub(super) struct Judged {
    pub(super) feasible: PacketSet,
    pub(super) wrong: Vec<(Code, Bounds)>,
}

impl Judged {
    fn add(&mut self, code: Code, wrong: Wrong) {
        let bounds = Bounds {
            surely: wrong.surely,
            possibly: wrong.open.possibly,
        };
        self.wrong.push((code, bounds));
    }
}

impl<'f, 'm> Excess<'f, 'm> {
    pub(super) fn new(
        filters: &'f mut Filters<'m>,
        view: View,
        permitted: &'f Permitted,
        rows: &'f [Row],
    ) -> Self {
        let advice = Advice::new(filters, view.side, rows);
        Self {
            filters,
            view,
            permitted,
            rows,
            advice,
            is_one_layer: false,
            stray: PacketSet::empty(),
        }
    }

    /// Adds what is found, and gives what is wrong by its code.
    pub(super) fn findings(&mut self, findings: &mut Vec<Finding>) -> Result<Judged, OverBudget> {
        let feasible = self.feasible()?;
        let mut forbidden = PacketSet::empty();
        let mut by_row = Vec::new();
        for row in &self.permitted.forbidden {
            let space = &mut self.filters.compiler.space;
            let at_most = space.intersection(row.at_most, feasible)?;
            forbidden = space.union(forbidden, at_most)?;
            let certain = space.intersection(row.certain, feasible)?;
            by_row.push(Met::new(space, row.at, certain));
        }
        let wrong = self.wrong(forbidden, Bounds::empty())?;
        let elsewhere = self.report(Code::ForbiddenOpening, wrong, &by_row, findings)?;
        let space = &mut self.filters.compiler.space;
        let forbidden = space.difference(forbidden, elsewhere)?;
        let mut judged = Judged {
            feasible,
            wrong: vec![(
                Code::ForbiddenOpening,
                Bounds {
                    surely: space.intersection(wrong.surely, forbidden)?,
                    possibly: space.intersection(wrong.open.possibly, forbidden)?,
                },
            )],
        };
        if !self.filters.host.is_closed {
            return Ok(judged);
        }
        let space = &mut self.filters.compiler.space;
        let rest = space.difference(feasible, forbidden)?;
        let mut own = PacketSet::empty();
        let mut own_rows = Vec::new();
        // What one layer opens of them and another stops is an opening like others.
        for &(at, set) in self.permitted.for_itself.iter().filter(|_| !self.is_one_layer) {
            let set = self.filters.compiler.space.intersection(set, rest)?;
            own = self.filters.compiler.space.union(own, set)?;
            own_rows.push(Met::new(&self.filters.compiler.space, at, set));
        }
        let wrong = self.wrong(own, self.permitted.bounds)?;
        let _nothing = self.report(Code::ExposedSelfPort, wrong, &own_rows, findings)?;
        judged.add(Code::ExposedSelfPort, wrong);
        let rest = self.filters.compiler.space.difference(rest, own)?;
        let wrong = self.wrong(rest, self.permitted.bounds)?;
        let _nothing = self.report(Code::ExcessOpening, wrong, &[], findings)?;
        judged.add(Code::ExcessOpening, wrong);
        Ok(judged)
    }

    /// The packets of `among` that are open and not permitted.
    pub(super) fn wrong(&mut self, among: PacketSet, permitted: Bounds) -> Result<Wrong, OverBudget> {
        let own = self.filters.own().clone();
        let outside = self.filters.world.outside_interfaces();
        let space = &mut self.filters.compiler.space;
        let known = space.difference(among, self.stray)?;
        let surely = space.intersection(self.view.open.surely, known)?;
        let surely = space.difference(surely, permitted.possibly)?;
        let possibly = space.intersection(self.view.open.possibly, among)?;
        let possibly = space.difference(possibly, permitted.surely)?;
        // Where the interface or the own address is not known, it must be wrong for all that `among` has of them.
        let fails = space.difference(known, surely)?;
        let mut bounds = Bounds {
            surely: PacketSet::empty(),
            possibly: fails,
        };
        if self.view.side == Side::Transit {
            bounds = unknown_among(space, bounds, Field::OutInterface, &all_but_loopback())?;
        } else {
            for family in Family::ALL {
                bounds = unknown_among(space, bounds, self.view.side.own(family), own.among(family))?;
            }
        }
        bounds = unknown_among(space, bounds, self.view.side.interface(), &outside)?;
        let always = space.difference(surely, bounds.possibly)?;
        Ok(Wrong {
            open: Bounds { surely, possibly },
            surely: always,
        })
    }

    /// Reports what each rule opens. What only touches the edge of a row, none of its certain packets, is given back.
    fn report(
        &mut self,
        code: Code,
        wrong: Wrong,
        by_row: &[Met],
        findings: &mut Vec<Finding>,
    ) -> Result<PacketSet, OverBudget> {
        let mut elsewhere = PacketSet::empty();
        if wrong.open.possibly.is_empty() {
            return Ok(elsewhere);
        }
        let mut openings = Vec::new();
        let parts = self
            .filters
            .opened_by(wrong.open.possibly, wrong.surely, self.view)?;
        for Opened {
            cause,
            opener,
            region,
        } in parts
        {
            if code == Code::ForbiddenOpening && !self.meets_some(region, by_row) {
                elsewhere = self.filters.compiler.space.union(elsewhere, region)?;
                continue;
            }
            let sure = self.filters.compiler.space.intersection(region, wrong.surely)?;
            let rest = self.rest(region, sure)?;
            for (region, is_sure) in [(sure, true), (rest, false)] {
                let region = self.filters.as_asked(region, opener, &self.view)?;
                self.openings((cause, opener), region, is_sure, &mut openings)?;
            }
        }
        // The diagrams stand: what is left is words.
        let this = &self;
        findings.par_extend(
            openings
                .par_iter()
                .filter_map(|opening| this.in_all_layers(this.finding(code, opening, by_row), opening)),
        );
        Ok(elsewhere)
    }

    fn meets_some(&self, region: PacketSet, by_row: &[Met]) -> bool {
        met(&self.filters.compiler.space, region, by_row).next().is_some()
    }

    /// What is left of a region apart from the services that are surely wrong for somebody: those are said.
    fn rest(&mut self, region: PacketSet, sure: PacketSet) -> Result<PacketSet, OverBudget> {
        if sure.is_empty() || sure == region {
            return self.filters.compiler.space.difference(region, sure);
        }
        let side = self.view.side;
        let mut covered = sure;
        let ends = Family::ALL.map(|family| [side.own(family), side.peer(family)]);
        let fields = ends.into_iter().flatten();
        let others = [
            Field::InInterface,
            Field::OutInterface,
            Field::Family,
            side.peer_identity(),
        ];
        for field in fields.chain(others) {
            let space = &mut self.filters.compiler.space;
            covered = space.exists(covered, field, &RangeSet::range(0, field.maximum()))?;
        }
        self.filters.compiler.space.difference(region, covered)
    }

    /// What one rule opens: one opening, or one for each port that a program publishes.
    fn openings(
        &mut self,
        by: (Cause, Decider),
        region: PacketSet,
        is_sure: bool,
        openings: &mut Vec<Opening>,
    ) -> Result<(), OverBudget> {
        if region.is_empty() {
            return Ok(());
        }
        let edits = self.filters.translations(region, self.view.ruling, by.0);
        if edits.is_empty() {
            openings.push(self.opening(by.1, None, region, is_sure, &edits)?);
            return Ok(());
        }
        for (publisher, region) in self.filters.by_publisher(region, by.1)? {
            let edits = self.filters.translations(region, self.view.ruling, by.0);
            openings.push(self.opening(by.1, publisher, region, is_sure, &edits)?);
        }
        Ok(())
    }

    /// One opening, with what there is to say of it.
    fn opening(
        &mut self,
        opener: Decider,
        publisher: Option<Decider>,
        region: PacketSet,
        is_sure: bool,
        edits: &[EditId],
    ) -> Result<Opening, OverBudget> {
        let translators = self.filters.translators(region, edits, Some(opener))?;
        Ok(Opening {
            opener,
            publisher,
            region,
            is_sure,
            translators,
        })
    }

    /// The rows that speak of some of a region: those that speak of its witness first.
    fn rows_met(&self, region: PacketSet, by_row: &[Met]) -> Vec<usize> {
        if by_row.is_empty() {
            return Vec::new();
        }
        let space = &self.filters.compiler.space;
        let witness = space.witness(region);
        let mut rows: Vec<_> = met(space, region, by_row)
            .map(|row| {
                let is_of = |witness: &Concrete| space.contains(row.set, &|field| witness.value(field));
                (!witness.as_ref().is_some_and(is_of), row.at)
            })
            .collect();
        rows.sort_unstable();
        rows.into_iter().map(|(_, at)| at).collect()
    }

    /// A finding with what the other layers do to its witness. Of one layer by itself, only where another stops it.
    fn in_all_layers(&self, mut finding: Finding, opening: &Opening) -> Option<Finding> {
        let compiler = &self.filters.compiler;
        let opener = opening.publisher.unwrap_or(opening.opener);
        let others = compiler
            .space
            .witness(opening.region)
            .zip(layer_of(compiler, opener))
            .map(|(witness, layer)| self.filters.layers.others(layer, &witness, self.view.side))
            .unwrap_or_default();
        if self.is_one_layer {
            let stops = others.iter().find(|deed| !deed.accepts)?.layer.word();
            if !opening.is_sure {
                return None;
            }
            finding.message = format!("{}, which the {stops} stops", finding.message);
            finding.severity = Severity::Note;
            // Where it is stopped differs from host to host, and nobody need look there.
            return Some(finding.help(format!("close it here too: the {stops} alone keeps it closed")));
        }
        let labels = others.into_iter().filter_map(|deed| deed.label);
        finding.related.extend(labels);
        Some(finding)
    }

    fn finding(&self, code: Code, opening: &Opening, by_row: &[Met]) -> Finding {
        let compiler = &self.filters.compiler;
        let extent = self.filters.extent(opening.region, self.view.side);
        let witness = compiler.space.witness(opening.region);
        let met = self.rows_met(opening.region, by_row);
        let met: Vec<_> = met.into_iter().filter_map(|at| self.rows.get(at)).collect();
        let what = words::in_short(&extent);
        let opener = opening.publisher.unwrap_or(opening.opener);
        let label = words::opener(compiler, opener, &what);
        let mut finding = Finding::new(code, words::excess(code, self.view.side, &what, &met), label);
        if opening.publisher.is_some()
            && let Some(passes) = words::passes(compiler, opening.opener)
        {
            finding = finding.related(passes);
        }
        finding.related.extend(opening.translators.iter().cloned());
        if let Some(witness) = &witness {
            let is_translated = !opening.translators.is_empty();
            let elements = &self.filters.elements;
            finding
                .related
                .extend(elements.labels(compiler, opening.opener, witness, is_translated));
        }
        for row in &met {
            let verb = if code == Code::ForbiddenOpening {
                "forbids it"
            } else {
                "keeps it to the host itself"
            };
            finding = finding.related(words::row_label(row, verb));
            finding.rows.push(words::citation(row));
        }
        let program = compiler.chain_of(opener).and_then(|chain| keeper(&chain.path));
        let mut helps = Vec::new();
        if let Some(witness) = &witness {
            let of = |field| witness.value(field);
            if !opening.is_sure {
                let doubts = &compiler.space.outcomes_of(self.view.ruling, &of).doubts;
                finding = finding.possibly(words::doubts(compiler, doubts));
                helps = words::spanless_doubts(compiler, doubts);
                if doubts.is_empty() {
                    helps.push(words::UNKNOWN_END.to_owned());
                }
            }
            finding.witness = Some(witness.to_string());
            if code == Code::ExcessOpening {
                let protocol = u8::try_from(of(Field::Protocol)).unwrap_or(0);
                helps.push(self.advice.nearest(protocol, of(Field::Service), program));
            }
        }
        if code != Code::ExcessOpening || witness.is_none() {
            helps.push(advice::narrow(program));
        }
        finding
            .related
            .extend(words::peers(compiler, opener, self.view.side));
        finding.related.extend(words::calls(compiler, opener));
        if code == Code::ExcessOpening && self.filters.is_to_nobody_yet(opening.region, self.view.side) {
            finding.severity = finding.severity.lower();
        }
        if code == Code::ExcessOpening && self.is_icmp(opening.region) {
            // No service listens there, and nearly every ruleset that people start from accepts all of it.
            finding.severity = Severity::Note;
        }
        finding.help = Some(helps.join("; "));
        self.filters
            .describe(&mut finding, opening.region, self.view.side);
        finding
    }

    fn is_icmp(&self, region: PacketSet) -> bool {
        let icmp = [number::ICMP, number::ICMPV6].map(|number| (u128::from(number), u128::from(number)));
        let protocols = self.filters.compiler.space.values_of(region, Field::Protocol);
        protocols.is_subset(&icmp.into_iter().collect())
    }
}
