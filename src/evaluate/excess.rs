//! What is open and no row asks for: one finding a deciding rule and code.

use super::host::Filters;
use super::permitted::Permitted;
use super::view::{View, unknown_among};
use super::words;
use crate::finding::{Code, Finding};
use crate::model::Decider;
use crate::packet::{
    Bounds, Cause, Family, Field, OverBudget, PacketSet, RangeSet, service_words,
};
use crate::policy::{Row, Service};

/// The openings of one host that should not be.
pub(super) struct Excess<'f, 'm> {
    filters: &'f mut Filters<'m>,
    view: View,
    permitted: &'f Permitted,
    rows: &'f [Row],
}

/// Packets that are let through against a rule of the policies: surely, and possibly.
#[derive(Clone, Copy)]
struct Wrong {
    /// By all fields; surely open, if the interface and own address are what they are.
    open: Bounds,
    /// Surely wrong whatever the interface and the own address.
    surely: PacketSet,
}

impl<'f, 'm> Excess<'f, 'm> {
    pub(super) fn new(
        filters: &'f mut Filters<'m>,
        view: View,
        permitted: &'f Permitted,
        rows: &'f [Row],
    ) -> Self {
        Self {
            filters,
            view,
            permitted,
            rows,
        }
    }

    pub(super) fn findings(mut self, findings: &mut Vec<Finding>) -> Result<(), OverBudget> {
        let feasible = self.feasible()?;
        let mut forbidden = PacketSet::empty();
        let mut by_row = Vec::new();
        for &(at, set) in &self.permitted.forbidden {
            let set = self.filters.compiler.space.intersection(set, feasible)?;
            forbidden = self.filters.compiler.space.union(forbidden, set)?;
            by_row.push((at, set));
        }
        let wrong = self.wrong(forbidden, Bounds::empty())?;
        self.report(Code::ForbiddenOpening, wrong, &by_row, findings)?;
        if !self.filters.host.is_closed {
            return Ok(());
        }
        let rest = self.filters.compiler.space.difference(feasible, forbidden)?;
        let mut own = PacketSet::empty();
        let mut own_rows = Vec::new();
        for &(at, set) in &self.permitted.for_itself {
            let set = self.filters.compiler.space.intersection(set, rest)?;
            own = self.filters.compiler.space.union(own, set)?;
            own_rows.push((at, set));
        }
        let wrong = self.wrong(own, self.permitted.bounds)?;
        self.report(Code::ExposedSelfPort, wrong, &own_rows, findings)?;
        let rest = self.filters.compiler.space.difference(rest, own)?;
        let wrong = self.wrong(rest, self.permitted.bounds)?;
        self.report(Code::ExcessOpening, wrong, &[], findings)
    }

    /// New connections that may arrive from elsewhere: where zones name their interfaces, each from its own.
    fn feasible(&mut self) -> Result<PacketSet, OverBudget> {
        let own = self.filters.own().clone();
        let families = self
            .filters
            .families
            .iter()
            .map(|family| (family.value(), family.value()));
        let families: RangeSet = families.collect();
        let outside = self.filters.world.outside_interfaces();
        let space = &mut self.filters.compiler.space;
        let families = space.test(Field::Family, &families)?;
        let mut feasible = self.view.feasible(space, &own, &outside)?;
        feasible = space.intersection(feasible, families)?;
        let zones: Vec<_> = self
            .filters
            .world
            .zones
            .iter()
            .map(|zone| zone.name.clone())
            .collect();
        for name in zones {
            let party = self.filters.world.party(&crate::policy::Peer::Zone(name));
            let Some(interfaces) = &party.interfaces else {
                continue;
            };
            for family in Family::ALL {
                let elsewhere = self.filters.compiler.space.product(&[
                    (Field::Family, RangeSet::point(family.value())),
                    (self.view.side.peer(family), party.limits.family(family).clone()),
                    (self.view.side.interface(), interfaces.complement(u128::MAX)),
                ])?;
                feasible = self.filters.compiler.space.difference(feasible, elsewhere)?;
            }
        }
        Ok(feasible)
    }

    /// The packets of `among` that are open and not permitted.
    fn wrong(&mut self, among: PacketSet, permitted: Bounds) -> Result<Wrong, OverBudget> {
        let own = self.filters.own().clone();
        let outside = self.filters.world.outside_interfaces();
        let space = &mut self.filters.compiler.space;
        let surely = space.intersection(self.view.open.surely, among)?;
        let surely = space.difference(surely, permitted.possibly)?;
        let possibly = space.intersection(self.view.open.possibly, among)?;
        let possibly = space.difference(possibly, permitted.surely)?;
        // Where the interface or the own address is not known, it must be wrong for all that `among` has of them.
        let fails = space.difference(among, surely)?;
        let mut bounds = Bounds {
            surely: PacketSet::empty(),
            possibly: fails,
        };
        for family in Family::ALL {
            bounds = unknown_among(space, bounds, self.view.side.own(family), own.among(family))?;
        }
        bounds = unknown_among(space, bounds, self.view.side.interface(), &outside)?;
        let always = space.difference(surely, bounds.possibly)?;
        Ok(Wrong {
            open: Bounds { surely, possibly },
            surely: always,
        })
    }

    fn report(
        &mut self,
        code: Code,
        wrong: Wrong,
        by_row: &[(usize, PacketSet)],
        findings: &mut Vec<Finding>,
    ) -> Result<(), OverBudget> {
        if wrong.open.possibly.is_empty() {
            return Ok(());
        }
        let regions = self.filters.accepted_by(wrong.open.possibly, self.view.ruling)?;
        for (cause, region) in regions {
            let Some(decider) = self.filters.compiler.decider(cause) else {
                continue;
            };
            let sure = self.filters.compiler.space.intersection(region, wrong.surely)?;
            let finding = if sure.is_empty() {
                self.finding(code, (cause, decider), region, by_row, false)?
            } else {
                self.finding(code, (cause, decider), sure, by_row, true)?
            };
            findings.push(finding);
        }
        Ok(())
    }

    fn finding(
        &mut self,
        code: Code,
        (cause, decider): (Cause, Decider),
        region: PacketSet,
        by_row: &[(usize, PacketSet)],
        is_sure: bool,
    ) -> Result<Finding, OverBudget> {
        let translators = self
            .filters
            .translators(region, self.view.ruling, cause, decider)?;
        let extent = self.filters.extent(region, self.view.side);
        let space = &mut self.filters.compiler.space;
        let witness = space.witness(region);
        let mut met = Vec::new();
        for &(at, set) in by_row {
            if !space.intersection(set, region)?.is_empty() {
                met.extend(self.rows.get(at));
            }
        }
        let what = extent.first().cloned().unwrap_or_default();
        let label = words::opener(&self.filters.compiler, decider, &what);
        let mut finding = Finding::new(code, message(code, &what, &met), label);
        finding.related.extend(translators);
        for row in &met {
            let verb = if code == Code::ForbiddenOpening {
                "forbids it"
            } else {
                "keeps it to the host itself"
            };
            finding = finding.related(words::row_label(row, verb));
            finding.rows.push(words::citation(row));
        }
        let mut unsaid = Vec::new();
        if let Some(witness) = &witness {
            let of = |field| witness.value(field);
            let doubts = self
                .filters
                .compiler
                .space
                .outcomes_of(self.view.ruling, &of)
                .doubts
                .clone();
            if !is_sure {
                finding = finding.possibly(words::doubts(&self.filters.compiler, &doubts));
                unsaid = words::spanless_doubts(&self.filters.compiler, &doubts);
            }
            finding.witness = Some(witness.to_string());
            if code == Code::ExcessOpening {
                let protocol = u8::try_from(of(Field::Protocol)).unwrap_or(0);
                finding.help = Some(self.nearest(protocol, of(Field::Service)));
            }
        }
        if finding.help.is_none() {
            finding.help = Some("narrow the rule to the peers that need it, or remove it".into());
        }
        unsaid.extend(finding.help.take());
        finding.help = Some(unsaid.join("; "));
        finding.extent = extent;
        Ok(finding)
    }

    /// Names the row that comes nearest to an opening.
    fn nearest(&self, protocol: u8, port: u128) -> String {
        let world = self.filters.world;
        let side = self.view.side;
        let mine = |row: &&Row| {
            let mut bound = side.bound(row).items.iter();
            bound.any(|peer| self.filters.host.is(world, &peer.value))
        };
        let distance = |service: &Service| {
            (service.protocol == Some(protocol)).then(|| {
                let away =
                    |&(low, high): &(u128, u128)| low.saturating_sub(port).max(port.saturating_sub(high));
                service.values.ranges().iter().map(away).min()
            })?
        };
        let services = self
            .rows
            .iter()
            .filter(mine)
            .filter(|row| row.kind != crate::policy::Kind::Forbid);
        let nearest = services
            .flat_map(|row| {
                row.services
                    .items
                    .iter()
                    .map(move |service| (row, &service.value))
            })
            .filter_map(|(row, service)| Some((distance(service)?, row, service)))
            .min_by_key(|found| found.0);
        match nearest {
            Some((0, row, service)) => {
                let peers = side.far(row).items.iter();
                let peers: Vec<_> = peers.map(|peer| world.party(&peer.value).word).collect();
                format!(
                    "`{}` has {}, but {} {} only",
                    row.id,
                    words::service(service),
                    side.word(),
                    peers.join(", ")
                )
            }
            Some((away, row, service)) if away <= 100 => {
                let this = service_words(protocol, &RangeSet::point(port)).join(", ");
                format!("`{}` has {}, this is {this}", row.id, words::service(service))
            }
            _ => "remove the rule, or add a row that allows it to a policy of the site".into(),
        }
    }
}

fn message(code: Code, what: &str, rows: &[&Row]) -> String {
    match (code, rows.first()) {
        (Code::ForbiddenOpening, Some(row)) => format!("`{}` forbids {what}", row.id),
        (Code::ExposedSelfPort, Some(row)) => {
            format!(
                "`{}` keeps its port to the host itself, but {what} gets in",
                row.id
            )
        }
        _ => format!("no row allows {what}"),
    }
}
