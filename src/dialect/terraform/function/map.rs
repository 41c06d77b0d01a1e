//! Functions of maps and objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Function;
use super::arguments::Arguments;
use crate::dialect::terraform::eval::entry;
use crate::dialect::terraform::value::{
    Doubt, Item, Kind, ListKind, Map, Origin, Outcome, Stop, Value, fault, join, scalar_text,
};

pub(super) const TABLE: &[(&str, Function)] = &[
    ("keys", keys),
    ("lookup", lookup),
    ("map", |call| {
        let mut map = Map::default();
        for pair in call.values.chunks(2) {
            let [key, value] = pair else {
                return fault("keys and values come in pairs");
            };
            let item = Item::sure(value.clone());
            map.entries.insert(scalar_text(key)?, item);
        }
        Ok(call.map_of(map))
    }),
    ("merge", merge),
    ("transpose", transpose),
    ("values", values),
    ("zipmap", zipmap),
];

fn keys(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let origin = &call.value(0)?.origin;
    let map = call.map(0)?;
    let known = map.entries.iter().map(|(key, item)| Item {
        value: Value::text(key.clone(), &item.key.map_or_else(|| origin.clone(), Origin::new)),
        doubt: item.doubt.clone(),
        key: None,
    });
    let more = map.more.iter().filter_map(|item| {
        let doubt = item.doubt.as_ref()?;
        Some(Item::sure(Value::unknown(&doubt.why)).under(Some(doubt)))
    });
    Ok(call.list_of(ListKind::List, known.chain(more).collect()))
}

fn values(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let map = call.map(0)?;
    let items = map.entries.values().chain(&map.more).cloned();
    Ok(call.list_of(ListKind::Tuple, items.collect()))
}

fn lookup(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let default = call.values.get(2);
    let map = call.map(0)?;
    let key = match call.text(1) {
        Err(Stop::Unknown(why)) => {
            let found = call.evaluator.index(call.value(0)?, call.value(1)?, call.span);
            return match (found, default) {
                (Ok(found), Some(default)) => Ok(join(&found, default, &why)),
                (found, _) => found,
            };
        }
        key => key?,
    };
    match (map.entries.get(&key), default) {
        (Some(item), Some(default)) => match &item.doubt {
            Some(doubt) => Ok(join(&item.value, default, &doubt.why)),
            None => Ok(item.value.clone().through(call.span)),
        },
        (None, Some(default)) => match map.more.first().and_then(|item| item.doubt.as_ref()) {
            Some(doubt) => {
                let found = entry(map, &key, call.span)?;
                Ok(join(&found, default, &doubt.why))
            }
            None => Ok(default.clone()),
        },
        _ => entry(map, &key, call.span),
    }
}

/// Later maps take precedence. What may be there may take precedence.
fn merge(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let mut merged = Map {
        is_object: true,
        ..Map::default()
    };
    for (value, doubt) in call.values.iter().zip(call.doubts) {
        match &value.kind {
            Kind::Null => {}
            Kind::Map(map) => merge_one(&mut merged, map, doubt.as_ref()),
            Kind::Unknown(unknown) => {
                let any = Item::sure(Value::unknown(&unknown.why));
                let any = any.under(Some(&Doubt::many(&unknown.why)));
                let map = Map {
                    more: vec![any],
                    ..Map::default()
                };
                merge_one(&mut merged, &map, doubt.as_ref());
            }
            Kind::Instance(_) | Kind::Module(_) => drop(call.map(usize::MAX)?),
            _ => return fault(format!("a {} cannot be merged", value.type_word())),
        }
    }
    Ok(call.map_of(merged))
}

fn merge_one(merged: &mut Map, map: &Map, doubt: Option<&Doubt>) {
    // An entry of an unknown name may be any of those before.
    if let Some(more) = map.more.first().and_then(|item| item.doubt.as_ref()) {
        for item in merged.entries.values_mut() {
            for other in &map.more {
                item.value = join(&item.value, &other.value, &more.why);
            }
        }
    }
    for (key, item) in &map.entries {
        let item = item.clone().under(doubt);
        let before = merged.entries.get(key);
        let entry = match (&item.doubt, before) {
            (Some(doubt), Some(before)) => Item {
                value: join(&before.value, &item.value, &doubt.why),
                doubt: before.doubt.clone(),
                key: item.key,
            },
            _ => item,
        };
        merged.entries.insert(key.clone(), entry);
    }
    let more = map.more.iter().cloned().map(|item| item.under(doubt));
    merged.more.extend(more);
}

fn transpose(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let mut transposed: BTreeMap<Arc<str>, Vec<Item>> = BTreeMap::new();
    for (key, item) in call.map(0)?.exact()? {
        for inner in super::arguments::list(&item.value)?.exact()? {
            let origin = item.key.map_or_else(|| item.value.origin.clone(), Origin::new);
            let value = Item::sure(Value::text(key.clone(), &origin));
            transposed
                .entry(scalar_text(&inner.value)?)
                .or_default()
                .push(value);
        }
    }
    let list = |(key, items)| (key, Item::sure(call.list_of(ListKind::List, items)));
    let entries = transposed.into_iter().map(list).collect();
    Ok(call.map_of(Map {
        entries,
        ..Map::default()
    }))
}

fn zipmap(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let (keys, values) = (call.items(0)?, call.items(1)?);
    if keys.len() != values.len() {
        return fault("there are not as many keys as values");
    }
    let mut map = Map {
        is_object: true,
        ..Map::default()
    };
    for (key, value) in keys.iter().zip(values) {
        let item = Item {
            key: Some(key.value.origin.span),
            ..value.clone()
        };
        map.entries.insert(scalar_text(&key.value)?, item);
    }
    Ok(call.map_of(map))
}
