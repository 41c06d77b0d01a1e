//! Values of a plan with the places that the configuration gives them.
//!
//! INVARIANT: what a value is comes from the plan alone.

use std::sync::Arc;

use crate::dialect::terraform::resource::{Declared, Object};
use crate::dialect::terraform::value::{Item, Kind, List, Map, Value, scalar_text};

/// A plan's resources, at the places of those of the same addresses in the configuration.
pub(in super::super) fn merged(planned: Vec<Declared>, written: &[Declared]) -> Vec<Declared> {
    let merge = |planned: Declared| {
        let Some(written) = written.iter().find(|written| written.address == planned.address) else {
            return planned;
        };
        let value = |(name, value): (&Arc<str>, &Value)| {
            let value = match written.values.values.get(name) {
                Some(written) => placed(value, written),
                None => value.clone(),
            };
            (name.clone(), value)
        };
        let values = Object {
            values: planned.values.values.iter().map(value).collect(),
        };
        Declared {
            span: written.span,
            whole: written.whole,
            calls: written.calls.clone(),
            values,
            ..planned
        }
    };
    planned.into_iter().map(merge).collect()
}

/// A value of the plan, where the configuration has it.
fn placed(planned: &Value, written: &Value) -> Value {
    let kind = match (&planned.kind, &written.kind) {
        (Kind::List(one), Kind::List(other)) => Kind::List(Arc::new(List {
            kind: one.kind,
            items: one
                .items
                .iter()
                .enumerate()
                .map(|(at, item)| Item {
                    value: beside(&item.value, other, at).map_or_else(
                        || at_least(&item.value, written),
                        |beside| placed(&item.value, beside),
                    ),
                    ..item.clone()
                })
                .collect(),
        })),
        (Kind::Map(one), Kind::Map(other)) => {
            let entry = |(name, item): (&Arc<str>, &Item)| {
                let value = match other.entries.get(name) {
                    Some(beside) => placed(&item.value, &beside.value),
                    None => at_least(&item.value, written),
                };
                (
                    name.clone(),
                    Item {
                        value,
                        ..item.clone()
                    },
                )
            };
            Kind::Map(Arc::new(Map {
                is_object: one.is_object,
                entries: one.entries.iter().map(entry).collect(),
                more: one.more.clone(),
            }))
        }
        // References of the configuration are exact; those of the plan are guessed from names.
        (Kind::Unknown(_) | Kind::Reference(_), Kind::Reference(_)) => written.kind.clone(),
        (kind, _) => kind.clone(),
    };
    Value::with(kind, &written.origin)
}

/// A value that the configuration does not write out, at the place of what it is a part of.
fn at_least(planned: &Value, whole: &Value) -> Value {
    match &planned.kind {
        Kind::List(_) | Kind::Map(_) => planned.clone(),
        kind => Value::with(kind.clone(), &whole.origin),
    }
}

/// The element of a written list that a planned one is: the same value, else the one that as much of agrees, else the same
/// place.
fn beside<'w>(planned: &Value, written: &'w List, at: usize) -> Option<&'w Value> {
    let mut best: Option<(usize, &Value)> = None;
    for item in &written.items {
        let score = agreement(planned, &item.value);
        if score > 0 && best.is_none_or(|(most, _)| score > most) {
            best = Some((score, &item.value));
        }
    }
    let same_place = || written.items.get(at).map(|item| &item.value);
    best.map(|(_, value)| value).or_else(same_place)
}

/// How many scalars of two values are the same.
fn agreement(planned: &Value, written: &Value) -> usize {
    match (&planned.kind, &written.kind) {
        (Kind::Map(one), Kind::Map(other)) => one
            .entries
            .iter()
            .filter_map(|(name, item)| Some(agreement(&item.value, &other.entries.get(name)?.value)))
            .sum(),
        (Kind::List(one), Kind::List(other)) => one
            .items
            .iter()
            .take(32)
            .map(|item| {
                let each = other.items.iter().take(32);
                each.map(|other| agreement(&item.value, &other.value))
                    .max()
                    .unwrap_or(0)
            })
            .sum(),
        _ => match (scalar_text(planned), scalar_text(written)) {
            (Ok(one), Ok(other)) => usize::from(one == other),
            _ => 0,
        },
    }
}
