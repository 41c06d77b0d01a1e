//! Values that are one or the other, and questions whether two are the same.
//!
//! INVARIANT: joining loses no value that either side may be; what both have for sure stays sure.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Doubt, Item, Kind, List, ListKind, MAX_CANDIDATES, Map, Value, Why};

/// The value that is one of two, `why` says why it is not known which.
pub(in super::super) fn join(left: &Value, right: &Value, why: &Arc<Why>) -> Value {
    if identical(left, right) {
        return left.clone();
    }
    match (&left.kind, &right.kind) {
        (Kind::List(one), Kind::List(other)) => {
            let kind = if one.kind == other.kind {
                one.kind
            } else {
                ListKind::Tuple
            };
            Value::list(kind, join_items(&one.items, &other.items, why), &left.origin)
        }
        (Kind::Map(one), Kind::Map(other)) => Value::map(join_maps(one, other, why), &left.origin),
        _ => either(left, right, why),
    }
}

/// The candidates of both.
fn either(left: &Value, right: &Value, why: &Arc<Why>) -> Value {
    let (Some(some), Some(others)) = (left.alternatives(), right.alternatives()) else {
        let unknown = if left.alternatives().is_none() {
            left
        } else {
            right
        };
        return unknown.clone();
    };
    if left.why().is_none() && right.why().is_none() {
        return Value::choice(why, left, right);
    }
    let mut candidates: Vec<Value> = Vec::new();
    for value in some.iter().chain(others) {
        if !candidates.iter().any(|known| identical(known, value)) {
            candidates.push(value.clone());
        }
    }
    let is_set = candidates.iter().all(|value| !value.is_null());
    if candidates.len() > MAX_CANDIDATES {
        candidates.clear();
    }
    Value::one_of(why, candidates, is_set)
}

/// Elements of either list: those of both are sure if both are sure of them, wherever they stand.
fn join_items(left: &[Item], right: &[Item], why: &Arc<Why>) -> Vec<Item> {
    let mut rest: Vec<Option<&Item>> = right.iter().map(Some).collect();
    let mut items = Vec::new();
    let maybe = |item: &Item| Item {
        doubt: item.doubt.clone().or_else(|| Some(Doubt::maybe(why))),
        ..item.clone()
    };
    for item in left {
        let same = rest
            .iter_mut()
            .find(|other| other.is_some_and(|other| identical(&other.value, &item.value)));
        match same.and_then(Option::take) {
            Some(other) if other.doubt.is_none() => items.push(item.clone()),
            _ => items.push(maybe(item)),
        }
    }
    items.extend(rest.into_iter().flatten().map(maybe));
    items
}

fn join_maps(left: &Map, right: &Map, why: &Arc<Why>) -> Map {
    let mut entries: BTreeMap<Arc<str>, Item> = BTreeMap::new();
    let maybe = |item: &Item| Item {
        doubt: item.doubt.clone().or_else(|| Some(Doubt::maybe(why))),
        ..item.clone()
    };
    for (key, item) in &left.entries {
        let joined = match right.entries.get(key) {
            Some(other) => Item {
                value: join(&item.value, &other.value, why),
                doubt: item.doubt.clone().or_else(|| other.doubt.clone()),
                key: item.key,
            },
            None => maybe(item),
        };
        entries.insert(key.clone(), joined);
    }
    for (key, item) in &right.entries {
        entries.entry(key.clone()).or_insert_with(|| maybe(item));
    }
    Map {
        is_object: left.is_object && right.is_object,
        entries,
        more: left.more.iter().chain(&right.more).map(maybe).collect(),
    }
}

/// Whether two values are surely the same, whatever is not known of them.
pub(in super::super) fn identical(left: &Value, right: &Value) -> bool {
    match (&left.kind, &right.kind) {
        (Kind::Unknown(one), Kind::Unknown(other)) => Arc::ptr_eq(one, other),
        (Kind::List(one), Kind::List(other)) if Arc::ptr_eq(one, other) => true,
        (Kind::Map(one), Kind::Map(other)) if Arc::ptr_eq(one, other) => true,
        (Kind::List(one), Kind::List(other)) => {
            one.items.len() == other.items.len()
                && one.items.iter().zip(&other.items).all(|(a, b)| same_item(a, b))
        }
        (Kind::Map(one), Kind::Map(other)) => {
            one.more.is_empty()
                && other.more.is_empty()
                && one.entries.len() == other.entries.len()
                && one
                    .entries
                    .iter()
                    .zip(&other.entries)
                    .all(|(a, b)| a.0 == b.0 && same_item(a.1, b.1))
        }
        (Kind::Module(one), Kind::Module(other)) => one == other,
        (Kind::Instance(one), Kind::Instance(other)) => Arc::ptr_eq(one, other),
        _ => compare_scalars(left, right) == Some(true),
    }
}

fn same_item(left: &Item, right: &Item) -> bool {
    left.doubt.is_none() && right.doubt.is_none() && identical(&left.value, &right.value)
}

fn compare_scalars(left: &Value, right: &Value) -> Option<bool> {
    match (&left.kind, &right.kind) {
        (Kind::Null, Kind::Null) => Some(true),
        (Kind::Unknown(unknown), Kind::Null) | (Kind::Null, Kind::Unknown(unknown)) => {
            unknown.is_set.then_some(false)
        }
        (Kind::Unknown(_), _) | (_, Kind::Unknown(_)) => None,
        (Kind::Bool(one), Kind::Bool(other)) => Some(one == other),
        (Kind::Number(one), Kind::Number(other)) => Some(one == other),
        (Kind::String(one), Kind::String(other)) => Some(one == other),
        (Kind::Reference(one), Kind::Reference(other)) => {
            let same = one.instance.address == other.instance.address && one.attribute == other.attribute;
            (same && !one.instance.is_any()).then_some(true)
        }
        // What a provider makes is neither null nor empty; more is not known of it.
        (Kind::Reference(_), Kind::String(text)) | (Kind::String(text), Kind::Reference(_)) => {
            text.is_empty().then_some(false)
        }
        _ => Some(false),
    }
}

/// Whether `==` holds of two values, if that is known. Values of different types are never equal (Terraform, "Arithmetic
/// and Logical Operators").
pub(in super::super) fn compare_equal(left: &Value, right: &Value) -> Option<bool> {
    if identical(left, right) {
        return Some(true);
    }
    match (&left.kind, &right.kind) {
        (Kind::Unknown(unknown), _) if !unknown.candidates.is_empty() => {
            all_agree(unknown.candidates.iter().map(|value| compare_equal(value, right)))
        }
        (_, Kind::Unknown(unknown)) if !unknown.candidates.is_empty() => {
            all_agree(unknown.candidates.iter().map(|value| compare_equal(left, value)))
        }
        (Kind::List(one), Kind::List(other)) => compare_lists(one, other),
        (Kind::Map(one), Kind::Map(other)) => compare_maps(one, other),
        _ => compare_scalars(left, right),
    }
}

fn all_agree(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut common = None;
    for answer in answers {
        let answer = answer?;
        if common.is_some_and(|common| common != answer) {
            return None;
        }
        common = Some(answer);
    }
    common
}

fn compare_lists(left: &List, right: &List) -> Option<bool> {
    if left.kind != right.kind && (left.kind == ListKind::Set || right.kind == ListKind::Set) {
        return Some(false);
    }
    let n_sure = |list: &List| list.items.iter().filter(|item| item.doubt.is_none()).count();
    let has_many = |list: &List| {
        let doubts = list.items.iter().filter_map(|item| item.doubt.as_ref());
        doubts.into_iter().any(|doubt| doubt.many)
    };
    let too_long = |list: &List, other: &List| n_sure(list) > other.items.len() && !has_many(other);
    if too_long(left, right) || too_long(right, left) {
        return Some(false);
    }
    if left.exact().is_err() || right.exact().is_err() {
        return None;
    }
    conjunction(
        left.items
            .iter()
            .zip(&right.items)
            .map(|(one, other)| compare_equal(&one.value, &other.value)),
    )
}

fn compare_maps(left: &Map, right: &Map) -> Option<bool> {
    let lacks = |map: &Map, other: &Map| {
        let mut sure = map.entries.iter().filter(|(_, item)| item.doubt.is_none());
        other.more.is_empty() && sure.any(|(key, _)| !other.entries.contains_key(key))
    };
    if lacks(left, right) || lacks(right, left) {
        return Some(false);
    }
    if left.doubt().is_some() || right.doubt().is_some() {
        return None;
    }
    let values = left.entries.values().zip(right.entries.values());
    conjunction(values.map(|(one, other)| compare_equal(&one.value, &other.value)))
}

fn conjunction(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(true);
    for answer in answers {
        match answer {
            Some(false) => return Some(false),
            None => all = None,
            Some(true) => {}
        }
    }
    all
}
