//! Rows that disagree: said once, at the policies, not at every host.

use super::host::Host;
use super::peer::World;
use super::words;
use crate::finding::{Code, Finding};
use crate::packet::Family;
use crate::policy::{Kind, Peer, Row, Service, Truth};

/// Finds pairs of active rows that cannot both have their way at some host: one policy keeps a service to the host itself and
/// another opens it to somebody else; a row requires what a row forbids, to peers that both mean.
#[must_use]
pub fn conflicting_rows(rows: &[Row], hosts: &[Host], world: &World) -> Vec<Finding> {
    let is_own = |row: &Row| row.from.items.iter().all(|from| from.value == Peer::This);
    let active: Vec<&Row> = rows.iter().filter(|row| row.active == Truth::Yes).collect();
    let mut findings = Vec::new();
    for &one in &active {
        for &other in &active {
            let is_kept = is_own(one)
                && one.kind != Kind::Forbid
                && other.kind != Kind::Forbid
                && one.policy != other.policy;
            let is_forbidden = one.kind == Kind::Forbid && other.kind == Kind::Require;
            if is_own(other) || !(is_kept || is_forbidden && share_peers(one, other, world)) {
                continue;
            }
            if let Some(service) = shared_service(one, other).filter(|_| share_host(one, other, hosts, world))
            {
                findings.push(finding(one, other, &service));
            }
        }
    }
    findings
}

fn finding(one: &Row, other: &Row, service: &str) -> Finding {
    let (verb, label, opens, help) = if one.kind == Kind::Forbid {
        let help =
            "what is forbidden stays so: lift the row by its name, with a reason, or take the other one out";
        ("forbids", "forbids it", "requires it", help)
    } else {
        let help = "both are permitted; anyone whom neither row names is still reported";
        ("keeps", "keeps it to itself", "opens it", help)
    };
    let message = match verb {
        "forbids" => format!("`{}` forbids {service}, `{}` requires it", one.id, other.id),
        _ => format!(
            "`{}` keeps {service} to the host itself, `{}` opens it to others",
            one.id, other.id
        ),
    };
    let mut finding = Finding::new(Code::ConflictingRows, message, Some(words::row_label(one, label)))
        .related(words::row_label(other, opens))
        .help(help);
    finding.rows = vec![words::citation(one), words::citation(other)];
    finding
}

/// Whether some host is bound by both rows.
fn share_host(one: &Row, other: &Row, hosts: &[Host], world: &World) -> bool {
    let binds = |row: &Row, host: &Host| row.to.items.iter().any(|end| host.is(world, &end.value));
    hosts.iter().any(|host| binds(one, host) && binds(other, host))
}

/// Whether some address is a member of peers of both rows.
fn share_peers(one: &Row, other: &Row, world: &World) -> bool {
    let members = |row: &Row| {
        let parties = row.from.items.iter().map(|peer| world.party(&peer.value));
        parties.map(|party| party.members).collect::<Vec<_>>()
    };
    let (mine, theirs) = (members(one), members(other));
    let meet = |family: Family| {
        let mut pairs = mine.iter().flat_map(|a| theirs.iter().map(move |b| (a, b)));
        pairs.any(|(a, b)| !a.family(family).intersection(b.family(family)).is_empty())
    };
    Family::ALL.into_iter().any(meet)
}

/// A service that both rows name with its port. Rows about every port or protocol disagree with nobody.
fn shared_service(own: &Row, other: &Row) -> Option<String> {
    let named = |row: &'_ Row| -> Vec<Service> {
        let services = row.services.items.iter().map(|service| service.value.clone());
        services
            .filter(|service| service.protocol.is_some() && service.unset.is_none())
            .collect()
    };
    let theirs = named(other);
    named(own).into_iter().find_map(|mine| {
        let meets = |theirs: &&Service| {
            theirs.protocol == mine.protocol
                && !theirs.values.intersection(&mine.values).is_empty()
                && !mine.values.is_full(0xffff)
        };
        theirs.iter().find(meets).map(|_| words::service(&mine))
    })
}
