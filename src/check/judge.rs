//! The hosts of one site, each held against the rows in force.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::policies::Policies;
use super::sites::SiteGroup;
use super::waiver::Waivers;
use super::workloads::Whom;
use super::{Request, Stage, hosts, sites};
use crate::evaluate::{self, Evaluation, Held, Host, conflicting_rows};
use crate::finding::{Finding, Standing, Summary};
use crate::packet::{Family, Space};
use crate::policy::{Kind, Row};

/// The rows in force on a site, and what each of its hosts made of them.
pub(super) struct Evaluated {
    pub(super) rows: Vec<Row>,
    /// Hosts by name, with what their evaluation gave apart from findings.
    pub(super) hosts: Vec<(String, Evaluation)>,
    /// The hosts of each role that some have.
    pub(super) roles: BTreeMap<String, Vec<String>>,
    /// Prohibitions that the site lifts, with the reason.
    pub(super) lifted: BTreeMap<String, String>,
}

/// Checks what is bound in a site, and says what was not.
pub(super) fn check_group(
    group: SiteGroup,
    policies: &Policies,
    request: &Request,
    findings: &mut Vec<Finding>,
    summary: &mut Summary,
) -> Evaluated {
    let budget = request.budget;
    let mut world = sites::world(&group.site, policies);
    world.coverage = request.coverage;
    world.compared = request.known.compares(&group.site);
    let lifted = group.site.lifted.iter();
    let lifted = lifted.map(|(id, reason)| (id.clone(), reason.text.value.clone()));
    let lifted: BTreeMap<String, String> = lifted.collect();
    let rows: Vec<Row> = policies.rows(&group.site);
    if world.redundant {
        let groups: Vec<_> = group.units.iter().flat_map(|unit| &unit.reading.groups).collect();
        let spare = evaluate::spare_rules(&groups, budget);
        findings.extend(spare.into_iter().map(|mut finding| {
            policies.moderate(&mut finding);
            finding
        }));
    }
    let is_whole = group.is_whole;
    let bound = hosts::bind(group, policies, &mut world, findings, summary, Whom::Bound);
    let watch = &request.watch;
    let judge = |host: &Host| {
        watch.step(Stage::Hosts, &host.name, || {
            evaluate::evaluate(host, &rows, &world, Space::with_budget(budget))
        })
    };
    let evaluations: Vec<Evaluation> = watch.stage(Stage::Hosts, bound.hosts.len(), || {
        bound.hosts.par_iter().map(judge).collect()
    });
    summary.n_hosts += bound.hosts.len();
    summary.n_without_hosts += bound.n_without_hosts;
    summarize(&rows, &evaluations, summary);
    spared_families(&bound.hosts, &evaluations, summary);
    findings.extend(conflicting_rows(&rows, &bound.hosts, &world));
    let mut hosts = Vec::with_capacity(evaluations.len());
    let mut waivers = Waivers::of(policies, request.arguments.today);
    for (host, mut evaluation) in bound.hosts.iter().zip(evaluations) {
        for finding in &mut evaluation.findings {
            policies.moderate(finding);
        }
        summary.n_waived += waivers.take_back(host, &mut evaluation.findings);
        findings.append(&mut evaluation.findings);
        hosts.push((host.name.clone(), evaluation));
    }
    findings.extend(waivers.findings(is_whole));
    summary.notes.extend(world.zones.notes());
    summary.notes.extend(policies.notes.iter().cloned());
    unchecked_families(&bound.hosts, summary);
    if bound.hosts.iter().any(Host::is_workload) {
        summary.notes.push(
            "what workloads get of other protocols than TCP, UDP and SCTP is left to the network plugin, and not judged"
                .into(),
        );
    }
    let mut roles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for host in bound.hosts {
        for role in host.roles {
            roles.entry(role).or_default().push(host.name.clone());
        }
    }
    Evaluated {
        rows,
        hosts,
        roles,
        lifted,
    }
}

fn summarize(rows: &[Row], evaluations: &[Evaluation], summary: &mut Summary) {
    let is_asked = |held: &&Held| held.standing != Standing::Unchecked;
    let held = evaluations.iter().flat_map(|one| &one.held).filter(is_asked);
    let row = |held: &Held| rows.get(held.row).filter(|row| row.kind == Kind::Require);
    let mut checked: Vec<&str> = held.filter_map(row).map(|row| row.id.as_str()).collect();
    checked.sort_unstable();
    checked.dedup();
    let required = rows.iter().filter(|row| row.kind == Kind::Require).count();
    summary.n_rows += checked.len();
    summary.n_rows_unchecked += required.saturating_sub(checked.len());
    let mut undecided: Vec<(&str, &str)> = evaluations
        .iter()
        .flat_map(|one| one.undecided.iter().map(|(id, why)| (why.as_str(), id.as_str())))
        .collect();
    undecided.sort_unstable();
    undecided.dedup();
    for group in undecided.chunk_by(|a, b| a.0 == b.0) {
        let ids: Vec<_> = group.iter().map(|(_, id)| format!("`{id}`")).collect();
        let why = group.first().map_or("", |(why, _)| why);
        summary.unchecked.push(format!("{}: {why}", ids.join(", ")));
    }
}

/// Says where one family lets nothing of a row through, and nothing is missing, since whom the row names is not known so well
/// that both would have to.
fn spared_families(hosts: &[Host], evaluations: &[Evaluation], summary: &mut Summary) {
    for family in Family::ALL {
        let of_family = |evaluation: &Evaluation| -> BTreeSet<String> {
            let spared = evaluation.spared.iter().filter(|one| one.0 == family);
            spared.map(|(_, id)| id.clone()).collect()
        };
        let spared: Vec<_> = hosts
            .iter()
            .zip(evaluations.iter().map(of_family))
            .filter(|(_, rows)| !rows.is_empty())
            .collect();
        let rows: BTreeSet<&String> = spared.iter().flat_map(|(_, rows)| rows).collect();
        let (Some((first, _)), Some(row)) = (spared.first(), rows.first()) else {
            continue;
        };
        let rows = match rows.len() {
            1 => format!("row `{row}`"),
            n => format!("{n} rows (`{row}` and others)"),
        };
        summary.notes.push(format!(
            "{} of {} lets nothing of {rows} through: one family is taken to be enough where no zone of the site says who comes",
            family.word(),
            named(&first.name, spared.len())
        ));
    }
}

/// One host, or how many there are.
fn named(first: &str, n: usize) -> String {
    match n {
        1 => format!("host `{first}`"),
        n => format!("{n} hosts (`{first}` and others)"),
    }
}

/// A family without a dump is not filtered by anything that was read: say so.
fn unchecked_families(hosts: &[Host], summary: &mut Summary) {
    for family in Family::ALL {
        let without: Vec<_> = hosts
            .iter()
            .filter(|host| !host.families().contains(&family))
            .collect();
        if let Some(first) = without.first() {
            let who = named(&first.name, without.len());
            summary
                .unchecked
                .push(format!("{} of {who}: no dump of it was given", family.word()));
        }
    }
}
