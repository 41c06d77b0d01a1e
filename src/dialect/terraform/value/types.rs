//! Types of variables, and what conversion to them makes of values.
//!
//! Terraform, "Type Constraints" and "Types and Values": a string of digits becomes a number, a list becomes a set, attributes
//! that are `optional` get their defaults. INVARIANT: conversion keeps where each value came from.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Item, Kind, List, ListKind, Map, Number, Outcome, Value, fault, identical, scalar_text};

/// A type constraint.
#[derive(Debug, Clone)]
pub(in super::super) enum Type {
    Any,
    Bool,
    Number,
    String,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Tuple(Vec<Type>),
    Object(BTreeMap<Arc<str>, Field>),
}

/// An attribute of an object type.
#[derive(Debug, Clone)]
pub(in super::super) struct Field {
    pub(in super::super) constraint: Type,
    pub(in super::super) is_optional: bool,
    pub(in super::super) default: Option<Value>,
}

impl Type {
    /// What users call it.
    fn word(&self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Bool => "bool",
            Self::Number => "number",
            Self::String => "string",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Map(_) => "map",
            Self::Tuple(_) => "tuple",
            Self::Object(_) => "object",
        }
    }
}

/// The value as one of the type.
pub(in super::super) fn convert(value: &Value, to: &Type) -> Outcome<Value> {
    let kind = match (&value.kind, to) {
        (Kind::Null, _)
        | (_, Type::Any)
        | (Kind::Bool(_), Type::Bool)
        | (Kind::Reference(_), Type::String)
        | (Kind::Number(_), Type::Number) => return Ok(value.clone()),
        (Kind::Unknown(unknown), _) => {
            let converted: Outcome<Vec<Value>> =
                unknown.candidates.iter().map(|one| convert(one, to)).collect();
            let converted = converted.unwrap_or_default();
            return Ok(match converted.as_slice() {
                [yes, no] if unknown.is_choice => Value::choice(&unknown.why, yes, no),
                _ => Value::one_of(&unknown.why, converted, unknown.is_set),
            });
        }
        (Kind::String(text), Type::Bool) => match &**text {
            "true" | "1" => Kind::Bool(true),
            "false" | "0" => Kind::Bool(false),
            _ => return fault(format!("`{text}` is no bool")),
        },
        (Kind::String(text), Type::Number) => match Number::parse(text) {
            Some(number) => Kind::Number(number),
            None => return fault(format!("`{text}` is no number")),
        },
        (Kind::Bool(_) | Kind::Number(_) | Kind::String(_), Type::String) => {
            Kind::String(scalar_text(value)?)
        }
        (Kind::List(list), Type::List(element)) => {
            return list_of(value, list, ListKind::List, element);
        }
        (Kind::List(list), Type::Set(element)) => {
            return list_of(value, list, ListKind::Set, element);
        }
        (Kind::List(list), Type::Tuple(types)) => return tuple_of(value, list, types),
        (Kind::Map(map), Type::Map(element)) => return map_of(value, map, element),
        (Kind::Map(map), Type::Object(fields)) => return object_of(value, map, fields),
        (Kind::Instance(_) | Kind::Module(_), Type::Object(_) | Type::Map(_)) => {
            return Ok(value.clone());
        }
        _ => {
            return fault(format!(
                "a value of type {} is needed, and this is of type {}",
                to.word(),
                value.type_word()
            ));
        }
    };
    Ok(Value::with(kind, &value.origin))
}

fn list_of(value: &Value, list: &List, kind: ListKind, element: &Type) -> Outcome<Value> {
    let mut items = convert_items(list.items.iter(), element)?;
    if kind == ListKind::Set {
        items = as_set(items);
    }
    Ok(Value::list(kind, items, &value.origin))
}

/// Converts elements to one type; of `any`, to the type that all of them have in common.
fn convert_items<'v>(items: impl Iterator<Item = &'v Item> + Clone, element: &Type) -> Outcome<Vec<Item>> {
    let common = match element {
        Type::Any => common_scalar(items.clone()),
        _ => None,
    };
    let element = common.as_ref().unwrap_or(element);
    items
        .map(|item| {
            Ok(Item {
                value: convert(&item.value, element)?,
                ..item.clone()
            })
        })
        .collect()
}

/// String, if scalars of several types are mixed.
fn common_scalar<'v>(items: impl Iterator<Item = &'v Item>) -> Option<Type> {
    let (mut numbers, mut strings, mut bools) = (false, false, false);
    for item in items {
        match item.value.kind {
            Kind::Number(_) => numbers = true,
            Kind::String(_) | Kind::Reference(_) => strings = true,
            Kind::Bool(_) => bools = true,
            Kind::Null => {}
            _ => return None,
        }
    }
    (u8::from(numbers) + u8::from(strings) + u8::from(bools) > 1).then_some(Type::String)
}

/// Elements of a set: each once, strings and numbers in their order (Terraform, "toset").
pub(in super::super) fn as_set(items: Vec<Item>) -> Vec<Item> {
    let mut set: Vec<Item> = Vec::with_capacity(items.len());
    let mut seen: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    for item in items {
        // A scalar is found by its text; what is not known is compared one by one.
        let place = match scalar_text(&item.value) {
            Ok(text) => {
                let at = *seen.entry(text).or_insert(set.len());
                (at < set.len()).then_some(at)
            }
            Err(_) => set.iter().position(|known| identical(&known.value, &item.value)),
        };
        match place.and_then(|at| set.get_mut(at)) {
            Some(known) if item.doubt.is_none() => known.doubt = None,
            Some(_) => {}
            None => set.push(item),
        }
    }
    set.sort_by(|one, other| match (&one.value.kind, &other.value.kind) {
        (Kind::String(one), Kind::String(other)) => one.cmp(other),
        (Kind::Number(one), Kind::Number(other)) => one.compare(*other),
        _ => std::cmp::Ordering::Equal,
    });
    set
}

fn tuple_of(value: &Value, list: &List, types: &[Type]) -> Outcome<Value> {
    let items = list.exact()?;
    if items.len() != types.len() {
        return fault(format!("a tuple of {} elements is needed", types.len()));
    }
    let convert = |(item, to): (&Item, &Type)| {
        Ok(Item {
            value: convert(&item.value, to)?,
            ..item.clone()
        })
    };
    let items: Outcome<Vec<Item>> = items.iter().zip(types).map(convert).collect();
    Ok(Value::list(ListKind::Tuple, items?, &value.origin))
}

fn map_of(value: &Value, map: &Map, element: &Type) -> Outcome<Value> {
    let values = convert_items(map.entries.values(), element)?;
    let more = convert_items(map.more.iter(), element)?;
    let entries = map.entries.keys().cloned().zip(values).collect();
    let map = Map {
        is_object: false,
        entries,
        more,
    };
    Ok(Value::map(map, &value.origin))
}

fn object_of(value: &Value, map: &Map, fields: &BTreeMap<Arc<str>, Field>) -> Outcome<Value> {
    let mut entries = BTreeMap::new();
    for (name, field) in fields {
        let item = match map.entries.get(name) {
            Some(item) if item.value.is_null() && field.default.is_some() => {
                default_of(value, field, item.key)?
            }
            Some(item) => {
                let mut value = convert(&item.value, &field.constraint)?;
                if let (Some(doubt), true) = (&item.doubt, field.is_optional) {
                    // It may be left out, and is the default then.
                    let other = default_of(&value, field, item.key)?.value;
                    value = super::join(&value, &other, &doubt.why);
                }
                Item {
                    value,
                    doubt: None,
                    key: item.key,
                }
            }
            None => match map.more.first().and_then(|item| item.doubt.as_ref()) {
                Some(doubt) => Item::sure(Value::unknown(&doubt.why)),
                None if field.is_optional => default_of(value, field, None)?,
                None => return fault(format!("the attribute `{name}` is needed")),
            },
        };
        entries.insert(name.clone(), item);
    }
    let map = Map {
        is_object: true,
        entries,
        more: Vec::new(),
    };
    Ok(Value::map(map, &value.origin))
}

/// What an optional attribute is that nobody set. Its own type's defaults apply within it.
fn default_of(outer: &Value, field: &Field, key: Option<crate::source::Span>) -> Outcome<Item> {
    let value = match &field.default {
        Some(default) => convert(default, &field.constraint)?,
        None => Value::null(outer.origin.span),
    };
    Ok(Item {
        value,
        doubt: None,
        key,
    })
}
