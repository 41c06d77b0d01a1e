//! Rows of two policies that disagree: said once, at the policies, not at every host.

use super::words;
use crate::finding::{Code, Finding};
use crate::policy::{Kind, Peer, Row, Truth};

/// Finds pairs of active rows of different policies of which one keeps a service to the host itself and
/// the other opens it to somebody else.
#[must_use]
pub fn conflicting_rows(rows: &[Row]) -> Vec<Finding> {
    let is_active = |row: &&Row| row.kind != Kind::Forbid && row.active == Truth::Yes;
    let is_own = |row: &Row| row.from.items.iter().all(|from| from.value == Peer::This);
    let mut findings = Vec::new();
    for own in rows.iter().filter(is_active).filter(|row| is_own(row)) {
        for other in rows
            .iter()
            .filter(is_active)
            .filter(|row| !is_own(row) && row.policy != own.policy)
        {
            let Some(service) = shared_service(own, other) else {
                continue;
            };
            let message = format!(
                "`{}` keeps {service} to the host itself, `{}` opens it to others",
                own.id, other.id
            );
            let mut finding = Finding::new(
                Code::ConflictingRows,
                message,
                Some(words::row_label(own, "keeps it to itself")),
            )
            .related(words::row_label(other, "opens it"))
            .help("both are permitted; anyone whom neither row names is still reported");
            finding.rows = vec![words::citation(own), words::citation(other)];
            findings.push(finding);
        }
    }
    findings
}

/// A service that both rows name with its port. Rows about every port or protocol disagree with nobody.
fn shared_service(own: &Row, other: &Row) -> Option<String> {
    let named = |row: &'_ Row| -> Vec<crate::policy::Service> {
        let services = row.services.items.iter().map(|service| service.value.clone());
        services
            .filter(|service| service.protocol.is_some() && service.unset.is_none())
            .collect()
    };
    let theirs = named(other);
    named(own).into_iter().find_map(|mine| {
        let meets = |theirs: &&crate::policy::Service| {
            theirs.protocol == mine.protocol
                && !theirs.values.intersection(&mine.values).is_empty()
                && !mine.values.is_full(0xffff)
        };
        theirs.iter().find(meets).map(|_| words::service(&mine))
    })
}
