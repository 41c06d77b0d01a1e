//! What is legal in a policy and still not as it should be: names that nothing uses, rows twice, rows that contradict.
//!
//! INVARIANT: everything said here is true under every setting of a site; what depends on settings is left to checks.

use super::ast::{self, Fact, Peer, Service, Statement};
use super::facts::{Stated, rows};
use super::resolve::resolve;
use super::row::{self, Choice, Kind, Row};
use super::settings::Settings;
use crate::packet::port_by_name;
use crate::source::{Span, Spanned};

/// Something to look at in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What kind of thing it is, in kebab case.
    pub code: &'static str,
    /// What it is about.
    pub message: String,
    /// What to do.
    pub help: &'static str,
    /// Where.
    pub span: Span,
    /// Where the other one is, for what concerns two rows.
    pub other: Option<Span>,
}

impl Advice {
    fn new(code: &'static str, span: Span, message: String, help: &'static str) -> Self {
        Self {
            code,
            message,
            help,
            span,
            other: None,
        }
    }

    fn beside(self, other: Span) -> Self {
        Self {
            other: Some(other),
            ..self
        }
    }
}

/// Looks at policies that may be in force together. They are sound: `others` are those that they may use.
#[must_use]
pub fn lint(policies: &[ast::Policy], others: &[ast::Policy]) -> Vec<Advice> {
    let mut found = Vec::new();
    for policy in policies {
        unused(policy, &mut found);
        repeated(policy, &mut found);
        misnamed(policy, &mut found);
    }
    let in_force: Vec<Vec<Row>> = policies
        .iter()
        .filter_map(|policy| Some(resolve(policy, &Settings::default(), others).ok()?.rows))
        .collect();
    let all: Vec<&Row> = in_force.iter().flatten().collect();
    for (at, one) in all.iter().enumerate() {
        for other in all.iter().skip(at + 1) {
            found.extend(contradiction(one, other));
        }
    }
    found.sort_by_key(|advice| advice.span);
    found.dedup();
    found
}

/// Names that no row speaks of.
fn unused(policy: &ast::Policy, found: &mut Vec<Advice>) {
    let used = Used::of(policy);
    let mut check = |kind: &str, name: &Spanned<String>, names: &[&str]| {
        if !names.contains(&name.value.as_str()) {
            let message = format!("{kind} `{}` is used by no row", name.value);
            found.push(Advice::new(
                "unused-name",
                name.span,
                message,
                "remove it, or write the row that needs it",
            ));
        }
    };
    for statement in &policy.statements {
        match &statement.value {
            Statement::Role { names, .. } => names.iter().for_each(|name| check("role", name, &used.peers)),
            Statement::Zone(names) => names.iter().for_each(|name| check("zone", name, &used.peers)),
            Statement::ZoneAlias { name, .. } => check("zone", name, &used.peers),
            Statement::Feature { name, .. } => check("feature", name, &used.features),
            Statement::Parameter { name, .. } => {
                let used: Vec<&str> = used.parameters.iter().map(String::as_str).collect();
                check("parameter", name, &used);
            }
            Statement::Service { name, .. } => check("service", name, &used.services),
            _ => {}
        }
    }
}

/// The names that the rows of a policy speak of, and those that other names stand for.
#[derive(Default)]
struct Used<'a> {
    peers: Vec<&'a str>,
    features: Vec<&'a str>,
    services: Vec<&'a str>,
    parameters: Vec<String>,
}

impl<'a> Used<'a> {
    fn of(policy: &'a ast::Policy) -> Self {
        let mut used = Self::default();
        for statement in &policy.statements {
            match &statement.value {
                Statement::Row(row) => used.row(row),
                Statement::Role { home: Some(home), .. } => used.peers.push(&home.value),
                Statement::ZoneAlias { of, .. } => used.peers.push(&of.value),
                _ => {}
            }
        }
        used
    }

    fn row(&mut self, row: &'a ast::Row) {
        for peer in row.from.items.iter().chain(&row.to.items) {
            match &peer.value {
                Peer::Name(name) => self.peers.push(name),
                // Every role is meant; zones are not.
                Peer::Host(host) => {
                    let parts = host.split(['<', '>']).enumerate().filter(|(at, _)| at % 2 == 1);
                    self.parameters.extend(parts.map(|(_, name)| name.to_owned()));
                }
                _ => {}
            }
        }
        for service in &row.services.items {
            if let Service::Name(name) = &service.value {
                self.services.push(name);
            }
        }
        for test in row.when.iter().flat_map(|when| when.any_of.iter().flatten()) {
            if let Fact::Feature(name) = &test.value.fact {
                self.features.push(name);
            }
        }
    }
}

/// Rows that say the same.
fn repeated(policy: &ast::Policy, found: &mut Vec<Advice>) {
    let rows = rows(policy);
    let same = |a: &Stated<'_>, b: &Stated<'_>| {
        let fields = ["kind", "condition"];
        let lists = ["from", "to", "services"];
        fields.iter().all(|field| a.field(field) == b.field(field))
            && lists
                .iter()
                .all(|list| items(a.field(list)) == items(b.field(list)))
    };
    for (at, row) in rows.iter().enumerate() {
        if let Some(earlier) = rows.iter().take(at).find(|earlier| same(earlier, row)) {
            let message = format!("row `{}` says the same as `{}`", row.id, earlier.id);
            let advice = Advice::new("duplicate-row", row.span, message, "keep one of them");
            found.push(advice.beside(earlier.span));
        }
    }
}

/// The items of a list in any order, each once, with what stands between them.
fn items(list: &str) -> (bool, Vec<&str>) {
    let one_of = list.contains(" | ");
    let mut items: Vec<&str> = list.split([',', '|']).map(str::trim).collect();
    items.sort_unstable();
    items.dedup();
    (one_of, items)
}

/// Services under a name that is registered for another port.
fn misnamed(policy: &ast::Policy, found: &mut Vec<Advice>) {
    let mut check = |name: &str, services: &Choice<Service>, span: Span| {
        let Some(registered) = port_by_name(name) else {
            return;
        };
        let is_it = |service: &Spanned<Service>| match &service.value {
            Service::Ports {
                ports: Some(ast::Ports::One(port)),
                ..
            } => *port == u64::from(registered),
            Service::Ports {
                ports: Some(ast::Ports::Range(low, high)),
                ..
            } => (*low..=*high).contains(&u64::from(registered)),
            _ => true,
        };
        if !services.items.iter().any(is_it) {
            let message = format!("`{name}` is registered for port {registered}, and another is stated");
            found.push(Advice::new(
                "unusual-port",
                span,
                message,
                "check the port, or give the name a suffix",
            ));
        }
    };
    for statement in &policy.statements {
        match &statement.value {
            Statement::Service { name, value, .. } => check(&name.value, value, name.span),
            Statement::Row(row) => {
                if let Some(id) = &row.id {
                    check(&id.value, &row.services, id.span);
                }
            }
            _ => {}
        }
    }
}

/// What two rows contradict in: one forbids what the other requires, or keeps to the host itself what the other has others
/// connect to.
fn contradiction(one: &Row, other: &Row) -> Option<Advice> {
    if !services_meet(one, other) {
        return None;
    }
    let (forbids, requires) = match (one.kind, other.kind) {
        (Kind::Forbid, Kind::Require) => (one, other),
        (Kind::Require, Kind::Forbid) => (other, one),
        (Kind::Forbid, _) | (_, Kind::Forbid) => return None,
        _ => return exposure(one, other).or_else(|| exposure(other, one)),
    };
    if !(peers_meet(&forbids.from, &requires.from) && peers_meet(&forbids.to, &requires.to)) {
        return None;
    }
    let message = format!("`{}` requires what `{}` forbids", requires.id, forbids.id);
    let help = "lift the prohibition with a reason, or narrow one of the rows";
    Some(Advice::new("forbidden-requirement", requires.span, message, help).beside(forbids.span))
}

/// `kept` is for the host itself, and `shared` has others connect to the same port.
fn exposure(kept: &Row, shared: &Row) -> Option<Advice> {
    let is_self = |row: &Row| row.from.items.iter().all(|peer| peer.value == row::Peer::This);
    let is_host = |row: &Row| {
        row.to
            .items
            .iter()
            .any(|peer| matches!(peer.value, row::Peer::Role { .. }))
    };
    if !is_self(kept) || is_self(shared) || !is_host(kept) || !is_host(shared) || shared.kind == Kind::Allow {
        return None;
    }
    // Within one policy, only of the same roles: another role is another host. Of another policy, it may be the same.
    if kept.policy == shared.policy && !peers_meet(&kept.to, &shared.to) {
        return None;
    }
    let message = format!(
        "`{}` keeps to the host itself what `{}` has others connect to",
        kept.id, shared.id
    );
    let help = "where both are in force on a host, those others may connect and nobody else";
    Some(Advice::new("conflicting-rows", kept.span, message, help).beside(shared.span))
}

fn peers_meet(a: &Choice<row::Peer>, b: &Choice<row::Peer>) -> bool {
    let wide = |peer: &row::Peer| matches!(peer, row::Peer::Any | row::Peer::Every);
    let zone = |peer: &row::Peer| match peer {
        row::Peer::Role { home, .. } => home.clone(),
        row::Peer::Zone(zone) => Some(zone.clone()),
        _ => None,
    };
    a.items.iter().any(|one| {
        b.items.iter().any(|other| {
            let (one, other) = (&one.value, &other.value);
            let both_zones = matches!(
                (one, other),
                (row::Peer::Zone(_), row::Peer::Role { .. }) | (row::Peer::Role { .. }, row::Peer::Zone(_))
            );
            one == other
                || (wide(one) && *other != row::Peer::This)
                || (wide(other) && *one != row::Peer::This)
                || (both_zones && zone(one).is_some() && zone(one) == zone(other))
        })
    })
}

/// Whether some packet is of a service of both. Services that a site chooses are left out.
fn services_meet(one: &Row, other: &Row) -> bool {
    let known = |row: &'_ Row| {
        row.services
            .items
            .iter()
            .filter(|service| service.value.unset.is_none())
            .count()
            > 0
    };
    known(one)
        && known(other)
        && one.services.items.iter().any(|a| {
            other.services.items.iter().any(|b| {
                let (a, b) = (&a.value, &b.value);
                a.unset.is_none()
                    && b.unset.is_none()
                    && a.protocol.is_some()
                    && a.protocol == b.protocol
                    && !a.values.intersection(&b.values).ranges().is_empty()
            })
        })
}
