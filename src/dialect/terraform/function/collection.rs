//! Functions of lists.

use super::Function;
use super::arguments::{Arguments, open};
use crate::dialect::terraform::value::{
    Doubt, Item, Kind, ListKind, Number, Outcome, Stop, Value, compare_equal, fault, identical, over_limit,
    scalar_text,
};

pub(super) const TABLE: &[(&str, Function)] = &[
    ("alltrue", |call| all_are(call, true)),
    ("anytrue", |call| all_are(call, false)),
    ("chunklist", chunklist),
    ("coalesce", coalesce),
    ("coalescelist", coalescelist),
    ("compact", compact),
    ("concat", concat),
    ("contains", contains),
    ("distinct", distinct),
    ("element", element),
    ("flatten", flatten),
    ("index", index),
    ("length", length),
    ("list", |call| {
        let items = call.values.iter().cloned().map(Item::sure);
        Ok(call.list_of(ListKind::List, items.collect()))
    }),
    ("matchkeys", matchkeys),
    ("one", one),
    ("reverse", |call| {
        let items = call.list(0)?.items.iter().rev().cloned().collect();
        Ok(call.list_of(ListKind::List, items))
    }),
    ("slice", slice),
    ("sort", sort),
    ("sum", sum),
];

/// `alltrue` and `anytrue`: the value of one element decides, in an open list too.
fn all_are(call: &Arguments<'_, '_>, all: bool) -> Outcome<Value> {
    let mut unknown = None;
    for item in call.open(0)? {
        let is_decisive = match &item.value.kind {
            Kind::Null if all => true,
            Kind::Null => false,
            Kind::Unknown(value) => {
                unknown = unknown.or_else(|| Some(value.why.clone()));
                false
            }
            _ => crate::dialect::terraform::eval::truth(&item.value)? != all,
        };
        match item.doubt {
            None if is_decisive => return Ok(call.bool(!all)),
            Some(doubt) if is_decisive => unknown = unknown.or(Some(doubt.why)),
            _ => {}
        }
    }
    match unknown {
        Some(why) => Err(Stop::Unknown(why)),
        None => Ok(call.bool(all)),
    }
}

fn chunklist(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let items = call.items(0)?;
    let size = call
        .count(1)?
        .max(usize::from(call.count(1)? == 0) * items.len().max(1));
    let chunk = |chunk: &[Item]| Item::sure(call.list_of(ListKind::List, chunk.to_vec()));
    Ok(call.list_of(ListKind::List, items.chunks(size.max(1)).map(chunk).collect()))
}

/// The first argument that is neither null nor an empty string.
fn coalesce(call: &Arguments<'_, '_>) -> Outcome<Value> {
    for value in call.values {
        match &value.kind {
            Kind::Null => {}
            Kind::String(text) if text.is_empty() => {}
            Kind::Unknown(unknown) => return Err(Stop::Unknown(unknown.why.clone())),
            _ => return Ok(value.clone()),
        }
    }
    fault("all arguments are null or empty")
}

fn coalescelist(call: &Arguments<'_, '_>) -> Outcome<Value> {
    for value in call.values.iter().filter(|value| !value.is_null()) {
        let items = open(value)?;
        match items.first() {
            None => {}
            Some(Item {
                doubt: Some(doubt), ..
            }) if items.iter().all(|item| item.doubt.is_some()) => {
                return Err(Stop::Unknown(doubt.why.clone()));
            }
            Some(_) => return Ok(value.clone()),
        }
    }
    fault("all lists are empty")
}

fn compact(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let mut items = Vec::new();
    for item in call.open(0)? {
        match &item.value.kind {
            Kind::Null => {}
            Kind::String(text) if text.is_empty() => {}
            Kind::Unknown(unknown) => {
                let doubt = Doubt::maybe(&unknown.why);
                items.push(item.under(Some(&doubt)));
            }
            _ => items.push(item),
        }
    }
    Ok(call.list_of(ListKind::List, items))
}

fn concat(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let mut items = Vec::new();
    for (value, doubt) in call.values.iter().zip(call.doubts) {
        let some = open(value)?;
        items.extend(some.into_iter().map(|item| item.under(doubt.as_ref())));
    }
    Ok(call.list_of(ListKind::Tuple, items))
}

fn contains(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let wanted = call.value(1)?;
    let mut unknown = None;
    for item in call.open(0)? {
        let equal = compare_loosely(&item.value, wanted);
        match (equal, &item.doubt) {
            (Some(true), None) => return Ok(call.bool(true)),
            (Some(true), Some(doubt)) => unknown = Some(doubt.why.clone()),
            (None, _) => {
                let why = item.value.why().or(wanted.why()).cloned();
                unknown = unknown.or(why);
                if unknown.is_none() {
                    scalar_text(&item.value)?;
                    scalar_text(wanted)?;
                }
            }
            (Some(false), _) => {}
        }
    }
    match unknown {
        Some(why) => Err(Stop::Unknown(why)),
        None => Ok(call.bool(false)),
    }
}

/// Equality after the conversion that a list of one type makes: `"80"` is in a list of numbers.
fn compare_loosely(one: &Value, other: &Value) -> Option<bool> {
    let is_scalar = |value: &Value| matches!(value.kind, Kind::String(_) | Kind::Number(_) | Kind::Bool(_));
    if is_scalar(one)
        && is_scalar(other)
        && let (Ok(one), Ok(other)) = (scalar_text(one), scalar_text(other))
    {
        return Some(one == other);
    }
    compare_equal(one, other)
}

fn distinct(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let mut items: Vec<Item> = Vec::new();
    let list = call.open(0)?;
    call.evaluator
        .charge(list.len().saturating_mul(list.len()) / 64)?;
    for item in list {
        match items
            .iter_mut()
            .find(|known| identical(&known.value, &item.value))
        {
            Some(known) if item.doubt.is_none() => known.doubt = None,
            Some(_) => {}
            None => items.push(item),
        }
    }
    Ok(call.list_of(ListKind::List, items))
}

/// Places past the end begin anew, negative ones count from the end.
fn element(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let (value, at) = (call.value(0)?, call.whole(1)?);
    let list = call.list(0)?;
    if list.exact().is_err() && at >= 0 {
        let key = Value::number(Number::integer(at), call.span);
        return call.evaluator.index(value, &key, call.span);
    }
    let items = list.exact()?;
    let length = i128::try_from(items.len()).unwrap_or(i128::MAX);
    if length == 0 {
        return fault("an empty list has no elements");
    }
    let at = usize::try_from(at.rem_euclid(length)).unwrap_or(0);
    match items.get(at) {
        Some(item) => Ok(item.value.clone().through(call.span)),
        None => fault("there is no such element"),
    }
}

fn flatten(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let mut flat = Vec::new();
    flatten_into(call, call.open(0)?, &mut flat)?;
    Ok(call.list_of(ListKind::Tuple, flat))
}

fn flatten_into(call: &Arguments<'_, '_>, items: Vec<Item>, flat: &mut Vec<Item>) -> Outcome<()> {
    call.evaluator.charge(items.len())?;
    if flat.len() > crate::dialect::terraform::value::MAX_WEIGHT {
        return over_limit("the list is too long");
    }
    for item in items {
        match &item.value.kind {
            Kind::List(list) => {
                let inner = list.items.iter().cloned();
                let inner = inner.map(|inner| inner.under(item.doubt.as_ref())).collect();
                flatten_into(call, inner, flat)?;
            }
            // It may be a list, of any length.
            Kind::Unknown(unknown) if unknown.candidates.is_empty() && !unknown.is_set => {
                let any = Doubt::many(&unknown.why);
                flat.push(item.under(Some(&any)));
            }
            Kind::Unknown(unknown) if !unknown.candidates.is_empty() => {
                let maybe = Doubt::maybe(&unknown.why);
                let each = unknown.candidates.iter();
                let each = each.map(|value| Item::sure(value.clone()).under(Some(&maybe)));
                flatten_into(call, each.collect(), flat)?;
            }
            _ => flat.push(item),
        }
    }
    Ok(())
}

fn index(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let wanted = call.value(1)?;
    for (at, item) in call.items(0)?.iter().enumerate() {
        match compare_equal(&item.value, wanted) {
            Some(true) => return Ok(call.numeric(Number::count(at))),
            Some(false) => {}
            None => return Err(unknown_of(&[&item.value, wanted])),
        }
    }
    fault("the value is not in the list")
}

/// Why one of these values is not known.
fn unknown_of(values: &[&Value]) -> Stop {
    let why = values.iter().find_map(|value| value.why());
    match why {
        Some(why) => Stop::Unknown(why.clone()),
        None => match values.iter().find_map(|value| scalar_text(value).err()) {
            Some(stop) => stop,
            None => Stop::Fault(crate::dialect::terraform::value::Fault {
                span: None,
                message: "these cannot be compared".into(),
                is_limit: false,
            }),
        },
    }
}

/// Elements, entries or characters. Where only some may be missing, it is one of few numbers.
fn length(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let value = call.value(0)?;
    let items: Vec<&Item> = match &value.kind {
        Kind::String(text) => return Ok(call.numeric(Number::count(text.chars().count()))),
        Kind::List(list) => list.items.iter().collect(),
        Kind::Map(map) => map.entries.values().chain(&map.more).collect(),
        Kind::Null => return fault("null has no length"),
        _ => return scalar_text(value).and_then(|_| fault("this has no length")),
    };
    let doubts: Vec<&Doubt> = items.iter().filter_map(|item| item.doubt.as_ref()).collect();
    let Some(first) = doubts.first() else {
        return Ok(call.numeric(Number::count(items.len())));
    };
    if doubts.iter().any(|doubt| doubt.many) || doubts.len() >= 8 {
        return Err(Stop::Unknown(first.why.clone()));
    }
    let lengths = items.len() - doubts.len()..=items.len();
    let candidates = lengths
        .map(|length| call.numeric(Number::count(length)))
        .collect();
    Ok(Value::one_of(&first.why, candidates, true))
}

fn matchkeys(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let (values, keys, wanted) = (call.items(0)?, call.texts(1)?, call.texts(2)?);
    if values.len() != keys.len() {
        return fault("values and keys are of different lengths");
    }
    let found = values.iter().zip(keys).filter(|(_, key)| wanted.contains(key));
    let found = found.map(|(value, _)| value.clone()).collect();
    Ok(call.list_of(ListKind::List, found))
}

/// The only element, or null.
fn one(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let value = call.value(0)?;
    if value.is_null() {
        return Ok(value.clone());
    }
    let list = match &value.kind {
        Kind::List(list) => list,
        Kind::Unknown(unknown) => return Err(Stop::Unknown(unknown.why.clone())),
        _ => return Ok(value.clone()),
    };
    match list.items.as_slice() {
        [] => Ok(Value::null(call.span)),
        [only] => match &only.doubt {
            None => Ok(only.value.clone()),
            Some(doubt) => {
                let null = Value::null(call.span);
                Ok(crate::dialect::terraform::value::join(
                    &only.value,
                    &null,
                    &doubt.why,
                ))
            }
        },
        items => match items.iter().find_map(|item| item.doubt.as_ref()) {
            Some(doubt) => Err(Stop::Unknown(doubt.why.clone())),
            None => fault("the list has more than one element"),
        },
    }
}

fn slice(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let list = call.list(0)?;
    let (start, end) = (call.count(1)?, call.count(2)?);
    if list.exact().is_err()
        && let Some(head) = list.items.get(start..end)
        && head.iter().all(|item| item.doubt.is_none())
        && list.items.iter().take(start).all(|item| item.doubt.is_none())
    {
        return Ok(call.list_of(list.kind, head.to_vec()));
    }
    match list.exact()?.get(start..end) {
        Some(items) => Ok(call.list_of(list.kind, items.to_vec())),
        None => fault("the list has no such places"),
    }
}

fn sort(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let mut items = call.open(0)?;
    for item in &items {
        if item.value.is_null() {
            return fault("null cannot be sorted");
        }
    }
    let text = |item: &Item| scalar_text(&item.value).ok();
    items.sort_by_cached_key(|item| (text(item).is_none(), text(item)));
    Ok(call.list_of(ListKind::List, items))
}

fn sum(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let items = call.items(0)?;
    if items.is_empty() {
        return fault("there is nothing to add up");
    }
    let mut sum = Number::ZERO;
    for item in items {
        let number = crate::dialect::terraform::eval::number(&item.value)?;
        match sum.add(number) {
            Some(next) => sum = next,
            None => return fault("too many digits"),
        }
    }
    Ok(call.numeric(sum))
}
