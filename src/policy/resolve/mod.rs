//! A policy as written, under a site's settings, to the rows in force.
//!
//! Every mistake of meaning is found here, whatever the settings. INVARIANT: rows that are surely not in force are
//! dropped, all others kept; what depends on something unset says what to set.

mod condition;
mod facts;
mod id;
mod names;
mod peer;
mod row;
mod service;
mod waive;

use std::collections::BTreeMap;

use self::facts::Facts;
use self::names::Names;
use super::ast::{self, Date, RowSeverity, Statement};
use super::error::{ErrorKind, PolicyError};
use super::near::did_you_mean;
use super::row::{Kind, Row};
use super::settings::Settings;
use crate::source::{Span, Spanned};

/// The policies used so far. INVARIANT: none is used twice, so that ids stay unique and the work linear.
#[derive(Default)]
struct Uses {
    /// Those whose rows are being gathered, outermost first.
    open: Vec<String>,
    /// All, and where they were used.
    seen: BTreeMap<String, Span>,
}

/// How deep `use` may nest.
const MAX_USES: usize = 16;

/// A policy in force on a site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolved {
    /// The name that ids begin with.
    pub name: String,
    /// What it is the policy of; empty if it does not say.
    pub title: String,
    /// The rows in force, those of used policies in the place of the `use`.
    pub rows: Vec<Row>,
    /// The rows that are surely not in force.
    pub inactive: Vec<Inactive>,
    /// The roles that rows can speak of, those of used policies too.
    pub roles: Vec<Role>,
    /// The zones, likewise.
    pub zones: Vec<Zone>,
    /// Whether what hosts of its roles send is held against it.
    pub closed_egress: bool,
    /// What rows say besides, by id; rows that say nothing besides are not here.
    pub remarks: BTreeMap<String, Remark>,
    /// Rows whose day has passed.
    pub expired: Vec<Expired>,
    /// Rows of other policies that forbid what this one says is not forbidden here.
    pub lifted: Vec<Lifted>,
    /// Rows of other policies of which what is found is taken back.
    pub waived: Vec<Waived>,
}

pub use waive::Waived;

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// `policy.role`, as in [`super::Peer::Role`].
    pub name: String,
    /// The zone its hosts are in if nothing is bound to it.
    pub home: Option<String>,
}

/// A zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its name, as in [`super::Peer::Zone`].
    pub name: String,
    /// The zone that stands for it unless the site defines it.
    pub alias: Option<String>,
}

/// What a row says besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Who answers for it.
    pub owner: Option<String>,
    /// How bad it is if it does not hold.
    pub severity: Option<RowSeverity>,
    /// Its last day.
    pub expires: Option<Date>,
    /// What it is a part of for others: controls of a compliance framework.
    pub tags: Vec<String>,
}

/// A row that is not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inactive {
    /// The row; its truth is no.
    pub row: Row,
    /// The condition that does not hold, one line.
    pub why: String,
}

/// A row whose day has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// `policy/id`
    pub id: String,
    /// Its last day.
    pub day: Date,
    /// Where that is said.
    pub span: Span,
}

/// A row that forbids nothing any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifted {
    /// `policy/id`
    pub id: String,
    /// Why.
    pub reason: String,
    /// Where that is said.
    pub span: Span,
}

/// What the parts of one policy are resolved against.
struct Context<'a> {
    policy: &'a str,
    names: &'a Names<'a>,
    facts: &'a Facts,
    others: &'a [ast::Policy],
    errors: &'a mut Vec<PolicyError>,
}

impl Context<'_> {
    fn refuse(&mut self, kind: ErrorKind, span: Span) {
        self.errors.push(PolicyError::new(kind, span));
    }

    /// Refuses to take a row back for no reason.
    fn check_reason(&mut self, row: &Spanned<String>, reason: &Spanned<String>) {
        if !reason.value.chars().any(char::is_alphanumeric) {
            let row = row.value.clone();
            self.refuse(ErrorKind::NoReason { row }, reason.span);
        }
    }

    fn unknown_policy(&self, name: &str) -> ErrorKind {
        let known = self.others.iter().map(|other| other.name.value.as_str());
        let hint = did_you_mean(
            name,
            known,
            "name a built-in policy, or list its file under `policies`",
        );
        let name = name.to_owned();
        ErrorKind::UnknownPolicy { name, hint }
    }

    /// The values of a parameter: those that are set, else its default.
    fn values_of(&self, parameter: &str) -> Option<&[Spanned<String>]> {
        let default = self
            .names
            .parameters
            .get(parameter)
            .map(|parameter| parameter.default)
            .filter(|values| !values.is_empty());
        self.facts
            .parameters
            .get(parameter)
            .map(Vec::as_slice)
            .or(default)
    }
}

/// Puts a policy in force under a site's settings. `others` are the policies that it may use or name roles of.
pub fn resolve(
    policy: &ast::Policy,
    settings: &Settings,
    others: &[ast::Policy],
) -> Result<Resolved, Vec<PolicyError>> {
    let mut errors = Vec::new();
    let names = Names::of(policy, &mut errors);
    let facts = Facts::of_site(&policy.name.value, settings, &names, &mut errors);
    let mut uses = Uses::default();
    uses.open.push(policy.name.value.clone());
    let resolved = resolve_with(policy, &names, &facts, others, &mut uses, &mut errors);
    if errors.is_empty() {
        return Ok(resolved);
    }
    errors.sort_by_key(|error| error.span);
    Err(errors)
}

/// The ids of a policy's rows, in order, without the policy's name before them.
pub(super) fn row_ids(policy: &ast::Policy) -> Vec<String> {
    let rows = id::assign(policy, &mut Vec::new());
    rows.into_iter().map(|(id, _)| id).collect()
}

/// Finds policies of one name.
#[must_use]
pub fn check_names(policies: &[ast::Policy]) -> Vec<PolicyError> {
    let mut errors = Vec::new();
    let mut seen = BTreeMap::new();
    for policy in policies {
        let earlier = *seen.entry(policy.name.value.as_str()).or_insert(policy.name.span);
        if earlier != policy.name.span {
            let name = policy.name.value.clone();
            let kind = ErrorKind::DuplicatePolicy { name };
            errors.push(PolicyError::clash(kind, policy.name.span, earlier));
        }
    }
    errors
}

/// Finds every mistake of meaning in policies that may speak of each other, settings apart.
#[must_use]
pub fn check(policies: &[ast::Policy]) -> Vec<PolicyError> {
    let mut errors = check_names(policies);
    let of_each = policies
        .iter()
        .filter_map(|policy| resolve(policy, &Settings::default(), policies).err());
    errors.extend(of_each.flatten());
    // A mistake in a policy that others use is found by way of each of them.
    errors.sort_by_key(|error| error.span);
    let mut unique: Vec<PolicyError> = Vec::with_capacity(errors.len());
    for error in errors {
        if unique
            .iter()
            .rev()
            .take_while(|known| known.span == error.span)
            .all(|known| *known != error)
        {
            unique.push(error);
        }
    }
    unique
}

fn resolve_with(
    policy: &ast::Policy,
    names: &Names<'_>,
    facts: &Facts,
    others: &[ast::Policy],
    uses: &mut Uses,
    errors: &mut Vec<PolicyError>,
) -> Resolved {
    let mut resolved = head(policy, names);
    let mut ids = id::assign(policy, errors).into_iter();
    let context = &mut Context {
        policy: &policy.name.value,
        names,
        facts,
        others,
        errors,
    };
    service::check_definitions(context, policy);
    let (mut document, mut section) = ("", "");
    for statement in &policy.statements {
        match &statement.value {
            Statement::Source(title) => (document, section) = (&title.value, ""),
            Statement::Section(title) => section = &title.value,
            Statement::ClosedEgress => resolved.closed_egress = true,
            Statement::Lift { policy, row, reason } => lift(context, (policy, row, reason), &mut resolved),
            Statement::Waive(waiver) => waive::resolve(context, waiver, &mut resolved),
            Statement::Use { policy, settings } => {
                used(context, policy, settings, uses, &mut resolved);
            }
            Statement::Row(row) => {
                let id = ids.next().map_or(String::new(), |(id, _)| id);
                let place = row::place(section, row.place.as_ref().map(|place| place.value));
                let citation = (document.to_owned(), place);
                row::resolve(context, (id, citation), (row, statement.span), &mut resolved);
            }
            _ => {}
        }
    }
    resolved
}

fn head(policy: &ast::Policy, names: &Names<'_>) -> Resolved {
    let name = &policy.name.value;
    let roles = names.roles.iter().map(|(role, home)| Role {
        name: format!("{name}.{role}"),
        home: home.map(|home| home.value.clone()),
    });
    let zones = names.zones.iter().map(|(zone, alias)| Zone {
        name: (*zone).to_owned(),
        alias: alias.map(|alias| alias.value.clone()),
    });
    Resolved {
        name: name.clone(),
        title: policy
            .title
            .as_ref()
            .map_or(String::new(), |title| title.value.clone()),
        roles: roles.collect(),
        zones: zones.collect(),
        ..Resolved::default()
    }
}

/// Notes that a row of another policy is lifted, if it is one that forbids.
fn lift(
    context: &mut Context<'_>,
    (policy, row, reason): (&Spanned<String>, &Spanned<String>, &Spanned<String>),
    into: &mut Resolved,
) {
    let Some(other) = context
        .others
        .iter()
        .find(|other| other.name.value == policy.value)
    else {
        context.refuse(context.unknown_policy(&policy.value), policy.span);
        return;
    };
    let rows = id::assign(other, &mut Vec::new());
    let forbids = || {
        rows.iter()
            .filter(|(_, row)| row.kind.value == Kind::Forbid)
            .map(|(id, _)| id.as_str())
    };
    if forbids().any(|id| id == row.value) {
        context.check_reason(row, reason);
        let id = format!("{}/{}", policy.value, row.value);
        let (reason, span) = (reason.value.clone(), row.span);
        into.lifted.push(Lifted { id, reason, span });
        return;
    }
    let hint = did_you_mean(
        &row.value,
        forbids(),
        format!("`portcullis policy show {}` lists its rows", policy.value),
    );
    let (policy, name) = (policy.value.clone(), row.value.clone());
    context.refuse(
        ErrorKind::NothingToLift {
            policy,
            row: name,
            hint,
        },
        row.span,
    );
}

/// Adds what another policy says under the settings of the `use`.
fn used(
    context: &mut Context<'_>,
    name: &Spanned<String>,
    settings: &[Spanned<ast::Setting>],
    uses: &mut Uses,
    into: &mut Resolved,
) {
    let policy = name.value.clone();
    if uses.open.contains(&policy) || uses.open.len() >= MAX_USES {
        context.refuse(ErrorKind::CyclicUse { policy }, name.span);
        return;
    }
    let earlier = *uses.seen.entry(policy.clone()).or_insert(name.span);
    if earlier != name.span {
        let error = PolicyError::clash(ErrorKind::DuplicateUse { policy }, name.span, earlier);
        context.errors.push(error);
        return;
    }
    let Some(other) = context.others.iter().find(|other| other.name.value == name.value) else {
        context.refuse(context.unknown_policy(&name.value), name.span);
        return;
    };
    let names = Names::of(other, context.errors);
    let mut facts = Facts::of_use(&name.value, settings, &names, context.errors);
    facts.today = context.facts.today;
    uses.open.push(policy);
    let resolved = resolve_with(other, &names, &facts, context.others, uses, context.errors);
    uses.open.pop();
    into.rows.extend(resolved.rows);
    into.inactive.extend(resolved.inactive);
    into.roles.extend(resolved.roles);
    let new = resolved
        .zones
        .into_iter()
        .filter(|zone| into.zones.iter().all(|known| known.name != zone.name));
    let new: Vec<Zone> = new.collect();
    into.zones.extend(new);
    into.closed_egress |= resolved.closed_egress;
    into.remarks.extend(resolved.remarks);
    into.expired.extend(resolved.expired);
    into.lifted.extend(resolved.lifted);
}
