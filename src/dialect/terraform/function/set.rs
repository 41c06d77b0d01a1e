//! Functions of sets.

use super::Function;
use super::arguments::{Arguments, open};
use crate::dialect::terraform::value::{
    Item, ListKind, MAX_WEIGHT, Outcome, Value, as_set, compare_equal, over_limit,
};

pub(super) const TABLE: &[(&str, Function)] = &[
    ("setintersection", |call| {
        let mut items = call.items(0)?.to_vec();
        for at in 1..call.len() {
            items = select(call, items, call.items(at)?, true)?;
        }
        Ok(call.list_of(ListKind::Set, as_set(items)))
    }),
    ("setproduct", setproduct),
    ("setsubtract", |call| {
        let items = select(call, call.items(0)?.to_vec(), call.items(1)?, false)?;
        Ok(call.list_of(ListKind::Set, as_set(items)))
    }),
    ("setunion", |call| {
        let mut items = Vec::new();
        for (value, doubt) in call.values.iter().zip(call.doubts) {
            let some = open(value)?;
            items.extend(some.into_iter().map(|item| item.under(doubt.as_ref())));
        }
        Ok(call.list_of(ListKind::Set, as_set(items)))
    }),
];

/// The elements that are, or are not, among others.
fn select(call: &Arguments<'_, '_>, items: Vec<Item>, others: &[Item], wanted: bool) -> Outcome<Vec<Item>> {
    call.evaluator
        .charge(items.len().saturating_mul(others.len()) / 16)?;
    let mut selected = Vec::new();
    for item in items {
        let mut is_there = false;
        for other in others {
            if let Some(equal) = compare_equal(&item.value, &other.value) {
                is_there |= equal;
            } else {
                crate::dialect::terraform::value::scalar_text(&item.value)?;
                crate::dialect::terraform::value::scalar_text(&other.value)?;
            }
        }
        if is_there == wanted {
            selected.push(item);
        }
    }
    Ok(selected)
}

/// All combinations of elements, in order; a set if all arguments are.
fn setproduct(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let mut combinations: Vec<(Vec<Item>, Option<crate::dialect::terraform::value::Doubt>)> =
        vec![(Vec::new(), None)];
    for value in call.values {
        let items = open(value)?;
        let size = combinations.len().saturating_mul(items.len());
        call.evaluator.charge(size)?;
        if size > MAX_WEIGHT / 8 {
            return over_limit("there are too many combinations");
        }
        let mut next = Vec::with_capacity(size);
        for (before, doubt) in &combinations {
            for item in &items {
                let mut combined = before.clone();
                let item = item.clone().under(doubt.as_ref());
                let doubt = item.doubt.clone();
                combined.push(Item::sure(item.value));
                next.push((combined, doubt));
            }
        }
        combinations = next;
    }
    let is_set = |value: &Value| matches!(&value.kind, crate::dialect::terraform::value::Kind::List(list) if list.kind == ListKind::Set);
    let kind = if call.values.iter().all(is_set) {
        ListKind::Set
    } else {
        ListKind::List
    };
    let tuple = |(items, doubt): (Vec<Item>, Option<_>)| {
        Item::sure(call.list_of(ListKind::Tuple, items)).under(doubt.as_ref())
    };
    Ok(call.list_of(kind, combinations.into_iter().map(tuple).collect()))
}
