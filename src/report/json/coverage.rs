//! The coverage in the `json` format: what became of each row, and what each opening rests on.

use serde::Serialize;

use super::{LabelV1, label};
use crate::finding::{Coverage, CoveredHost, CoveredOpening, CoveredRow, Ground};
use crate::source::SourceMap;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct CoverageV1<'a> {
    counts: CountsV1,
    pub(super) rows: Vec<RowV1<'a>>,
    pub(super) openings: Vec<OpeningV1<'a>>,
    roles: Vec<RoleV1<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RoleV1<'a> {
    role: &'a str,
    hosts: &'a [String],
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CountsV1 {
    rows_required: usize,
    rows_verified: usize,
    rows_verified_in_part: usize,
    rows_unchecked: usize,
    prohibitions: usize,
    prohibitions_kept: usize,
    hosts: usize,
    openings: usize,
    openings_justified: usize,
    openings_unjudged: usize,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct RowV1<'a> {
    id: &'a str,
    kind: &'static str,
    from: &'a [String],
    to: &'a [String],
    services: &'a [String],
    document: &'a str,
    purpose: &'a str,
    owner: Option<&'a str>,
    tags: &'a [String],
    place: LabelV1<'a>,
    state: &'static str,
    hosts: Vec<HostV1<'a>>,
    unbound: &'a [String],
    reason: Option<&'a str>,
    openings: usize,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct HostV1<'a> {
    host: &'a str,
    direction: &'static str,
    state: &'static str,
    connections: Vec<ConnectionV1<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ConnectionV1<'a> {
    from: &'a str,
    to: &'a str,
    service: &'a str,
    state: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct OpeningV1<'a> {
    host: &'a str,
    direction: &'static str,
    place: Option<LabelV1<'a>>,
    certainty: &'static str,
    packets: &'a [String],
    zones: &'a [String],
    connections: Vec<OpenedV1<'a>>,
    rows: &'a [String],
    state: &'static str,
    code: Option<&'static str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct OpenedV1<'a> {
    peer: Option<&'a str>,
    service: &'a str,
    row: Option<&'a str>,
}

pub(super) fn mirror<'a>(sources: &'a SourceMap, coverage: &'a Coverage) -> CoverageV1<'a> {
    let counts = coverage.counts();
    CoverageV1 {
        counts: CountsV1 {
            rows_required: counts.required,
            rows_verified: counts.verified,
            rows_verified_in_part: counts.in_part,
            rows_unchecked: counts.unchecked,
            prohibitions: counts.forbidden,
            prohibitions_kept: counts.kept,
            hosts: counts.hosts,
            openings: counts.openings,
            openings_justified: counts.justified,
            openings_unjudged: counts.unjudged,
        },
        rows: coverage.rows.iter().map(|it| row(sources, it)).collect(),
        openings: coverage.openings.iter().map(|it| opening(sources, it)).collect(),
        roles: coverage
            .roles
            .iter()
            .map(|(role, hosts)| RoleV1 { role, hosts })
            .collect(),
    }
}

fn row<'a>(sources: &'a SourceMap, row: &'a CoveredRow) -> RowV1<'a> {
    RowV1 {
        id: &row.id,
        kind: row.kind,
        from: &row.from,
        to: &row.to,
        services: &row.services,
        document: &row.document,
        purpose: &row.purpose,
        owner: row.owner.as_deref(),
        tags: &row.tags,
        place: label(sources, row.span, ""),
        state: row.standing.word(row.kind),
        hosts: row.hosts.iter().map(|it| host(row, it)).collect(),
        unbound: &row.unbound,
        reason: row.why.as_deref(),
        openings: row.n_openings,
    }
}

fn host<'a>(row: &'a CoveredRow, host: &'a CoveredHost) -> HostV1<'a> {
    let connections = host.cells.iter().map(|cell| {
        let (from, to, service) = row.connection(cell);
        ConnectionV1 {
            from,
            to,
            service,
            state: cell.standing.word(row.kind),
        }
    });
    HostV1 {
        host: &host.name,
        direction: host.direction,
        state: host.standing.word(row.kind),
        connections: connections.collect(),
    }
}

fn opening<'a>(sources: &'a SourceMap, opening: &'a CoveredOpening) -> OpeningV1<'a> {
    OpeningV1 {
        host: &opening.host,
        direction: opening.direction,
        place: opening.span.map(|span| label(sources, span, "")),
        certainty: opening.certainty.word(),
        packets: &opening.packets,
        zones: &opening.zones,
        connections: opening
            .cells
            .iter()
            .map(|cell| OpenedV1 {
                peer: cell.peer.as_deref(),
                service: &cell.service,
                row: cell.row.as_deref(),
            })
            .collect(),
        rows: &opening.rows,
        state: opening.ground.word(),
        code: match opening.ground {
            Ground::Unjustified(code, _) => Some(code.id()),
            Ground::Justified | Ground::Unjudged => None,
        },
    }
}
