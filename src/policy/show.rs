//! A policy as a table for people and for other programs: what `portcullis policy show` prints.
//!
//! INVARIANT: every row that may be in force under the settings is shown, with the words of the policy; the `json`
//! form only ever gains fields.

use serde::Serialize;

use super::ast::{self, Statement};
use super::error::PolicyError;
use super::icmp;
use super::print;
use super::resolve::{Resolved, resolve};
use super::row::{Choice, Peer, Row, Service, Truth};
use super::settings::Settings;
use crate::packet::protocol::{has_ports, number, protocol_name};
use crate::source::{Span, Spanned};

/// A policy and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownPolicy {
    /// Its name.
    pub name: String,
    /// What it is the policy of.
    pub title: String,
    /// Whether what hosts of its roles send is held against it.
    pub closed_egress: bool,
    /// Its rows, in the order of the policy.
    pub rows: Vec<ShownRow>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownRow {
    /// `policy/id`
    pub id: String,
    /// `require`, `allow` or `forbid`.
    pub kind: &'static str,
    /// `ingress` if the accepting side is a role's, or every host's; else `egress`.
    pub direction: &'static str,
    /// The side whose configs are checked: who accepts for ingress, who connects for egress.
    pub roles: Vec<String>,
    /// The other side, as written.
    pub peers: Vec<String>,
    /// Whether any one of the roles and peers will do.
    pub peers_one_of: bool,
    /// On what.
    pub services: Vec<ShownService>,
    /// Whether any one of the services will do.
    pub services_one_of: bool,
    /// `when …` without the `when`, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// What is not known of the condition, and what to set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// What it is for.
    pub purpose: String,
    /// Title of the published document.
    pub document: String,
    /// Where in the document.
    pub place: String,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// How bad it is if it does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<&'static str>,
    /// What it is a part of for others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// A protocol and its ports or types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownService {
    /// The policy's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `tcp`, `any`
    pub protocol: String,
    /// `443`, `30000-32767`, `all`, `open`; types for ICMP; empty for protocols without ports.
    pub ports: String,
    /// Whether a site may set another.
    pub configurable: bool,
}

/// The rows of a policy that may be in force under the settings.
pub fn show(
    policy: &ast::Policy,
    settings: &Settings,
    others: &[ast::Policy],
) -> Result<ShownPolicy, Vec<PolicyError>> {
    let resolved = resolve(policy, settings, others)?;
    let written = Written {
        policies: std::iter::once(policy).chain(others).collect(),
    };
    let rows = resolved.rows.iter().filter_map(|row| {
        let (of, text) = written.row(row.span)?;
        Some(shown_row(row, of, text, &resolved))
    });
    Ok(ShownPolicy {
        rows: rows.collect(),
        name: resolved.name.clone(),
        title: resolved.title.clone(),
        closed_egress: resolved.closed_egress,
    })
}

/// The trees that rows come from.
struct Written<'a> {
    policies: Vec<&'a ast::Policy>,
}

impl<'a> Written<'a> {
    /// The row of a span, and its policy.
    fn row(&self, span: Span) -> Option<(&'a ast::Policy, &'a ast::Row)> {
        let policy = self.policies.iter().find(|policy| policy.span.contains(span))?;
        let at = policy
            .statements
            .partition_point(|statement| statement.span.start < span.start);
        match &policy.statements.get(at)?.value {
            Statement::Row(row) => Some((policy, row)),
            _ => None,
        }
    }
}

fn shown_row(row: &Row, policy: &ast::Policy, written: &ast::Row, resolved: &Resolved) -> ShownRow {
    let is_bound = |peer: &Spanned<Peer>| matches!(peer.value, Peer::Role { .. } | Peer::Every);
    let ingress = row.to.items.iter().any(is_bound) || !row.from.items.iter().any(is_bound);
    let (roles, peers) = if ingress {
        (&written.to, &written.from)
    } else {
        (&written.from, &written.to)
    };
    let remark = resolved.remarks.get(&row.id);
    let condition = written.when.as_ref().map(print::condition);
    ShownRow {
        id: row.id.clone(),
        kind: print::kind(row.kind),
        direction: if ingress { "ingress" } else { "egress" },
        roles: texts(roles),
        peers: texts(peers),
        peers_one_of: row.from.one_of || row.to.one_of,
        services: row
            .services
            .items
            .iter()
            .map(|service| shown_service(&service.value, policy))
            .collect(),
        services_one_of: row.services.one_of,
        condition: condition.map(|text| text.trim_start_matches("when ").to_owned()),
        unknown: match &row.active {
            Truth::Unknown(reason) => Some(reason.clone()),
            Truth::Yes | Truth::No => None,
        },
        purpose: row.purpose.clone(),
        document: row.document.clone(),
        place: row.place.clone(),
        owner: remark.and_then(|remark| remark.owner.clone()),
        expires: remark.and_then(|remark| remark.expires).map(print::date),
        severity: remark.and_then(|remark| remark.severity).map(print::severity),
        tags: remark.map_or_else(Vec::new, |remark| remark.tags.clone()),
    }
}

fn texts(choice: &Choice<ast::Peer>) -> Vec<String> {
    choice.items.iter().map(|peer| print::peer(&peer.value)).collect()
}

fn shown_service(service: &Service, policy: &ast::Policy) -> ShownService {
    let named = |statement: &Spanned<Statement>| match &statement.value {
        Statement::Service {
            name, configurable, ..
        } if Some(&name.value) == service.name.as_ref() => Some(*configurable),
        _ => None,
    };
    let configurable = policy.statements.iter().find_map(named).unwrap_or(false);
    let protocol = match service.protocol {
        None => "any".to_owned(),
        Some(protocol) => protocol_name(protocol).map_or_else(|| protocol.to_string(), ToOwned::to_owned),
    };
    ShownService {
        name: service.name.clone(),
        protocol,
        ports: ports(service),
        configurable: configurable || (service.name.is_some() && service.unset.is_some()),
    }
}

fn ports(service: &Service) -> String {
    let ranges = service.values.ranges().iter();
    match service.protocol {
        _ if service.unset.is_some() => "open".to_owned(),
        Some(protocol) if has_ports(protocol) && service.values.is_full(0xffff) => "all".to_owned(),
        Some(protocol) if has_ports(protocol) => {
            let ranges = ranges.map(|&(low, high)| span_text(low, high));
            ranges.collect::<Vec<_>>().join(", ")
        }
        Some(number::ICMP | number::ICMPV6) if service.values.is_full(0xffff) => "all".to_owned(),
        Some(protocol @ (number::ICMP | number::ICMPV6)) => {
            let ranges = ranges.map(|&(low, high)| icmp::text_of(protocol, low, high));
            ranges.collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    }
}

fn span_text(low: u128, high: u128) -> String {
    if low == high {
        low.to_string()
    } else {
        format!("{low}-{high}")
    }
}

/// A cell that is wider than this does not widen its column for the others.
const MAX_COLUMN: usize = 60;

impl ShownPolicy {
    /// The rows as text: a heading for each document, columns aligned.
    #[must_use]
    pub fn table(&self) -> String {
        let heading = [
            "id",
            "kind",
            "direction",
            "roles",
            "peers",
            "service",
            "condition",
            "purpose",
            "place",
        ];
        let mut lines = vec![heading.map(ToOwned::to_owned)];
        lines.extend(self.rows.iter().map(cells));
        let mut widths = [0; 9];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                let length = cell.chars().count();
                *width = (*width).max(if length > MAX_COLUMN { 0 } else { length });
            }
        }
        let documents = std::iter::once(None).chain(self.rows.iter().map(|row| Some(row.document.as_str())));
        let mut text = String::new();
        let mut above = Some("");
        for (line, document) in lines.iter().zip(documents) {
            if let Some(document) = document.filter(|&document| Some(document) != above) {
                text.extend(["\n", document, "\n"]);
                above = Some(document);
            }
            text.push_str(aligned(line, &widths).trim_end());
            text.push('\n');
        }
        text
    }
}

fn aligned(line: &[String; 9], widths: &[usize; 9]) -> String {
    let mut text = String::new();
    for (cell, &width) in line.iter().zip(widths) {
        text.push_str(cell);
        text.extend(std::iter::repeat_n(
            ' ',
            width.saturating_sub(cell.chars().count()) + 2,
        ));
    }
    text
}

fn cells(row: &ShownRow) -> [String; 9] {
    let peers = if row.peers_one_of { " | " } else { ", " };
    let services = if row.services_one_of { " | " } else { ", " };
    [
        row.id.clone(),
        row.kind.to_owned(),
        row.direction.to_owned(),
        row.roles.join(peers),
        row.peers.join(peers),
        row.services
            .iter()
            .map(service_cell)
            .collect::<Vec<_>>()
            .join(services),
        row.condition.clone().unwrap_or_default(),
        row.purpose.clone(),
        row.place.clone(),
    ]
}

fn service_cell(service: &ShownService) -> String {
    let slash = if service.ports.is_empty() { "" } else { "/" };
    let configurable = if service.configurable {
        " (configurable)"
    } else {
        ""
    };
    format!("{}{slash}{}{configurable}", service.protocol, service.ports)
}
