//! A policy to check generated rulesets against. INVARIANT: row ids are `row-1` and on, no two rows share a port.

use std::fmt::Write as _;

use super::random::Random;
use super::ruleset::SERVICES;

/// The text of a policy `generated` for a role `server`, with zones `internal` and `external` and `n_rows` rows.
pub(crate) fn policy(n_rows: usize, seed: u64) -> String {
    let mut random = Random::new(seed);
    let mut text = String::from(
        "policy generated \"Generated\" {\n  source \"generated\"\n\n  role server\n  zone internal, external\n\n",
    );
    for row in 0..n_rows {
        let port = SERVICES.get(row).copied().map_or(20_000 + row, usize::from);
        let kind = match random.below(20) {
            0 => "forbid",
            1..=7 => "allow",
            _ => "require",
        };
        let from = match random.below(6) {
            0 => "external",
            1 => "internal, external",
            2 => "self",
            _ => "internal",
        };
        let service = match random.below(8) {
            0 => format!("udp/{port}"),
            1 => format!("tcp/{port}, udp/{port}"),
            _ => format!("tcp/{port}"),
        };
        let number = row + 1;
        let _ = writeln!(
            text,
            "  {kind} row-{number}: {from} -> server : {service} \"service {number}\""
        );
    }
    text.push_str("}\n");
    text
}
