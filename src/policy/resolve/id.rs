//! Ids of rows. INVARIANT: they depend on the text of the policy alone, not on settings, so that a row keeps its id
//! on every site; no two rows of a policy have the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::ast::{self, Row, Statement};
use crate::policy::error::{ErrorKind, PolicyError};
use crate::policy::print;

/// The rows of a policy with their ids, without the policy's name before them. Two rows that give the same id clash.
pub(super) fn assign<'a>(policy: &'a ast::Policy, errors: &mut Vec<PolicyError>) -> Vec<(String, &'a Row)> {
    let rows = policy
        .statements
        .iter()
        .filter_map(|statement| match &statement.value {
            Statement::Row(row) => Some(&**row),
            _ => None,
        });
    let mut given = BTreeMap::new();
    for id in rows.clone().filter_map(|row| row.id.as_ref()) {
        let earlier = *given.entry(id.value.as_str()).or_insert(id.span);
        if earlier != id.span {
            let kind = ErrorKind::DuplicateId { id: id.value.clone() };
            errors.push(PolicyError::clash(kind, id.span, earlier));
        }
    }
    let mut taken: BTreeSet<String> = given.keys().map(|&id| id.to_owned()).collect();
    let mut repeats: BTreeMap<String, usize> = BTreeMap::new();
    rows.map(|row| match &row.id {
        Some(id) => (id.value.clone(), row),
        None => (free(derived(row), &mut taken, &mut repeats), row),
    })
    .collect()
}

/// `tcp-179` from `tcp/179`; the first service counts.
fn derived(row: &Row) -> String {
    let first = row.services.items.first();
    let text = first.map_or(String::new(), |service| print::service(&service.value));
    text.replace('/', "-").replace('?', "open")
}

/// The wish if it is free, else the first of `wish-2`, `wish-3` … that is.
fn free(wish: String, taken: &mut BTreeSet<String>, repeats: &mut BTreeMap<String, usize>) -> String {
    if taken.insert(wish.clone()) {
        return wish;
    }
    let count = repeats.entry(wish.clone()).or_insert(1);
    loop {
        *count += 1;
        let next = format!("{wish}-{count}");
        if taken.insert(next.clone()) {
            return next;
        }
    }
}
