//! Waivers: rows of other policies of which what is found is taken back.

use super::row::check_day;
use super::{Context, Resolved, id};
use crate::policy::Kind;
use crate::policy::ast::{self, Date};
use crate::policy::error_kind::ErrorKind;
use crate::policy::near::did_you_mean;
use crate::source::Span;

/// A row of which what is found is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// `policy/id`
    pub id: String,
    /// At hosts of these roles, `policy.role`; at all if there are none.
    pub roles: Vec<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it is.
    pub until: Option<Date>,
    /// Where that is said.
    pub span: Span,
}

/// Notes what is waived, if there is such a row and there are such roles. A row that only allows is never found wanting.
pub(super) fn resolve(context: &mut Context<'_>, waiver: &ast::Waiver, into: &mut Resolved) {
    let (policy, row) = (&waiver.policy, &waiver.row);
    let mut others = context.others.iter();
    let Some(other) = others.find(|other| other.name.value == policy.value) else {
        context.refuse(context.unknown_policy(&policy.value), policy.span);
        return;
    };
    let rows = id::assign(other, &mut Vec::new());
    let of_rows = rows.iter().filter(|(_, row)| row.kind.value != Kind::Allow);
    let ids: Vec<&str> = of_rows.map(|(id, _)| id.as_str()).collect();
    if !ids.contains(&row.value.as_str()) {
        let otherwise = format!("`portcullis policy show {}` lists its rows", policy.value);
        let hint = did_you_mean(&row.value, ids.iter().copied(), otherwise);
        let (policy, name) = (policy.value.clone(), row.value.clone());
        let kind = ErrorKind::NothingToWaive {
            policy,
            row: name,
            hint,
        };
        context.refuse(kind, row.span);
        return;
    }
    let roles = other
        .statements
        .iter()
        .filter_map(|statement| match &statement.value {
            ast::Statement::Role { names, .. } => Some(names),
            _ => None,
        });
    let roles: Vec<&str> = roles.flatten().map(|name| name.value.as_str()).collect();
    for role in &waiver.roles {
        if !roles.contains(&role.value.as_str()) {
            let otherwise = format!("it has {}", roles.join(", "));
            let hint = did_you_mean(&role.value, roles.iter().copied(), otherwise);
            let (policy, name) = (policy.value.clone(), role.value.clone());
            let kind = ErrorKind::UnknownRole {
                policy,
                role: name,
                hint,
            };
            context.refuse(kind, role.span);
        }
    }
    context.check_reason(row, &waiver.reason);
    if let Some(until) = &waiver.until {
        check_day(context, until);
    }
    let named = waiver.roles.iter();
    into.waived.push(Waived {
        id: format!("{}/{}", policy.value, row.value),
        roles: named
            .map(|role| format!("{}.{}", policy.value, role.value))
            .collect(),
        reason: waiver.reason.value.clone(),
        until: waiver.until.as_ref().map(|until| until.value),
        span: row.span,
    });
}
