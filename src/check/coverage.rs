//! What the hosts of a run made of each row, and what their openings rest on: the coverage, put together from evaluations.
//!
//! INVARIANT: every row of a policy in force is there once, whatever became of it; sites that share a policy share its rows.

use std::collections::BTreeMap;

use super::judge::Evaluated;
use super::policies::Policies;
use crate::evaluate::{JudgedOpening, citation, service_parts};
use crate::finding::{Coverage, CoveredHost, CoveredOpening, CoveredRow, Standing};
use crate::policy::{Kind, Peer, Row, Truth};

/// Adds the hosts of one site.
pub(super) fn add(coverage: &mut Coverage, policies: &Policies, evaluated: Evaluated) {
    let mut rows: BTreeMap<String, CoveredRow> =
        coverage.rows.drain(..).map(|row| (row.id.clone(), row)).collect();
    for (row, why) in without_effect(policies, &evaluated) {
        rows.entry(row.id.clone())
            .or_insert_with(|| covered(row, Standing::Inactive, Some(why)));
    }
    for row in &evaluated.rows {
        let why = match &row.active {
            Truth::Unknown(why) => Some(why.clone()),
            Truth::Yes | Truth::No => None,
        };
        let standing = match row.kind {
            Kind::Allow => Standing::Permitted,
            Kind::Require | Kind::Forbid => Standing::Unasked,
        };
        let entry = rows.entry(row.id.clone());
        let known = entry.or_insert_with(|| covered(row, standing, why.clone()));
        if known.standing == Standing::Inactive {
            // In force on one site is in force.
            *known = covered(row, standing, why);
        }
        known.unbound.extend(unbound(row, &evaluated));
    }
    for (host, evaluation) in evaluated.hosts {
        for held in &evaluation.held {
            let row = evaluated.rows.get(held.row);
            if let Some(known) = row.and_then(|row| rows.get_mut(&row.id)) {
                known.hosts.push(CoveredHost {
                    name: host.clone(),
                    direction: held.direction,
                    standing: held.standing,
                    cells: held.cells.clone(),
                });
            }
        }
        for opening in evaluation.openings {
            let opening = covered_opening(&host, opening, &evaluated.rows);
            for id in &opening.rows {
                if let Some(row) = rows.get_mut(id) {
                    row.n_openings += 1;
                }
            }
            coverage.openings.push(opening);
        }
    }
    for (role, hosts) in evaluated.roles {
        let known = coverage.roles.entry(role).or_default();
        known.extend(hosts);
        known.sort();
        known.dedup();
    }
    coverage.rows = rows.into_values().map(settled).collect();
    coverage.rows.sort_by_key(|row| row.span);
    coverage.openings.sort_by(|a, b| a.host.cmp(&b.host));
}

/// The rows that are not in force, and those that are lifted, each with the reason.
fn without_effect<'p>(policies: &'p Policies, evaluated: &Evaluated) -> Vec<(&'p Row, String)> {
    let mut found = Vec::new();
    for policy in &policies.resolved {
        let inactive = policy.inactive.iter();
        found.extend(inactive.map(|inactive| (&inactive.row, inactive.why.clone())));
        for row in policy.rows.iter().filter(|row| row.kind == Kind::Forbid) {
            let mut lifted = policies.resolved.iter().flat_map(|policy| &policy.lifted);
            let by_policy = lifted.find(|lifted| lifted.id == row.id);
            let by_policy = by_policy.map(|lifted| lifted.reason.as_str());
            let by_site = evaluated.lifted.get(&row.id).map(String::as_str);
            if let Some(reason) = by_site.or(by_policy) {
                found.push((row, format!("lifted: {reason}")));
            }
        }
    }
    found
}

fn covered(row: &Row, standing: Standing, why: Option<String>) -> CoveredRow {
    CoveredRow {
        id: row.id.clone(),
        kind: match row.kind {
            Kind::Require => "require",
            Kind::Allow => "allow",
            Kind::Forbid => "forbid",
        },
        from: row.from.items.iter().map(|peer| peer.value.to_string()).collect(),
        to: row.to.items.iter().map(|peer| peer.value.to_string()).collect(),
        services: service_parts(row).into_iter().map(|part| part.word).collect(),
        document: citation(row).document,
        purpose: row.purpose.clone(),
        owner: row.owner.clone(),
        tags: row.tags.clone(),
        span: row.span,
        standing,
        hosts: Vec::new(),
        unbound: Vec::new(),
        why,
        n_openings: 0,
    }
}

/// The roles of a row that no host has.
fn unbound(row: &Row, evaluated: &Evaluated) -> Vec<String> {
    let ends = row.to.items.iter().chain(&row.from.items);
    let roles = ends.filter_map(|end| match &end.value {
        Peer::Role { name, .. } => Some(name),
        _ => None,
    });
    roles
        .filter(|role| !evaluated.roles.contains_key(*role))
        .cloned()
        .collect()
}

/// A row with what its hosts make of it together.
fn settled(mut row: CoveredRow) -> CoveredRow {
    row.hosts.sort();
    row.hosts.dedup();
    row.unbound.sort();
    row.unbound.dedup();
    let hosts = row.hosts.iter().map(|host| host.standing);
    row.standing = hosts.fold(row.standing, Standing::max);
    if row.standing == Standing::Unasked && row.why.is_none() {
        row.why = Some(match (row.hosts.is_empty(), row.unbound.is_empty()) {
            (true, false) => format!("nothing is bound to {}", row.unbound.join(", ")),
            (true, true) => "no host that was checked is one that it speaks of".to_owned(),
            (false, _) => "its hosts have no filter for what it asks".to_owned(),
        });
    }
    row
}

fn covered_opening(host: &str, opening: JudgedOpening, rows: &[Row]) -> CoveredOpening {
    let ids = opening.rows.iter().filter_map(|&at| rows.get(at));
    let mut ids: Vec<String> = ids.map(|row| row.id.clone()).collect();
    ids.dedup();
    CoveredOpening {
        host: host.to_owned(),
        direction: opening.direction,
        span: opening.label.map(|label| label.span),
        certainty: opening.certainty,
        packets: opening.packets,
        zones: opening.zones,
        rows: ids,
        cells: opening.cells,
        ground: opening.ground,
    }
}
