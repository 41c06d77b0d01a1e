//! `for` expressions, and the elements of whatever can be gone through.
//!
//! HCL Native Syntax Specification, "For Expressions". INVARIANT: elements that may be there make elements that may be there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::expression::{put, truth};
use super::{Evaluator, Names, Scope};
use crate::dialect::terraform::syntax::ast::For;
use crate::dialect::terraform::value::{
    Doubt, Item, Kind, ListKind, Map, Number, Origin, Outcome, Stop, Value, fault, join, scalar_text,
};
use crate::source::Span;

impl Evaluator<'_> {
    /// Keys and elements of a collection, in order. One that is not known has any number of elements that are not.
    pub(in super::super) fn elements(&self, collection: &Value) -> Outcome<Vec<(Value, Item)>> {
        let elements: Vec<(Value, Item)> = match &collection.kind {
            Kind::List(list) => {
                let is_set = list.kind == ListKind::Set;
                let mut uncertain: Option<Value> = None;
                let pair = |(at, item): (usize, &Item)| {
                    let key = match &uncertain {
                        _ if is_set => item.value.clone(),
                        Some(uncertain) => uncertain.clone(),
                        None => Value::number(Number::count(at), collection.origin.span),
                    };
                    if let (Some(doubt), None) = (&item.doubt, &uncertain) {
                        uncertain = Some(Value::unknown(&doubt.why));
                    }
                    (key, item.clone())
                };
                list.items.iter().enumerate().map(pair).collect()
            }
            Kind::Map(map) => {
                let known = map.entries.iter().map(|(key, item)| {
                    let origin = item.key.map_or_else(|| collection.origin.clone(), Origin::new);
                    (Value::text(key.clone(), &origin), item.clone())
                });
                let more = map.more.iter().filter_map(|item| {
                    let doubt = item.doubt.as_ref()?;
                    Some((Value::unknown(&doubt.why), item.clone()))
                });
                known.chain(more).collect()
            }
            Kind::Unknown(unknown) if unknown.candidates.is_empty() => {
                let value = Value::unknown(&unknown.why);
                let item = Item::sure(value.clone()).under(Some(&Doubt::many(&unknown.why)));
                vec![(value, item)]
            }
            Kind::Unknown(unknown) => {
                let mut elements = Vec::new();
                for candidate in unknown.candidates.iter().filter(|one| !one.is_null()) {
                    let doubt = Doubt::maybe(&unknown.why);
                    let some = self.elements(candidate)?;
                    elements.extend(
                        some.into_iter()
                            .map(|(key, item)| (key, item.under(Some(&doubt)))),
                    );
                }
                elements
            }
            Kind::Instance(_) | Kind::Module(_) => {
                return Err(Stop::Unknown(crate::dialect::terraform::value::Why::new(
                    collection.origin.span,
                    crate::dialect::terraform::value::Reason::Apply,
                    "the attributes of a resource are known only after apply",
                )));
            }
            Kind::Null => return fault("null cannot be gone through"),
            _ => {
                return fault(format!(
                    "a value of type {} cannot be gone through",
                    collection.type_word()
                ));
            }
        };
        self.charge(elements.len())?;
        Ok(elements)
    }

    pub(super) fn comprehension(&self, scope: Scope<'_>, one: &For, span: Span) -> Outcome<Value> {
        let collection = self.evaluate(scope, &one.collection)?;
        let elements = match self.elements(&collection) {
            Err(Stop::Unknown(why)) => return Ok(Value::unknown(&why)),
            elements => elements?,
        };
        let mut result = Collected::new(one, collection.origin.through(span));
        for (key, item) in elements {
            let value_name = Names {
                name: &one.value_name,
                value: &item.value,
                outer: scope.names,
            };
            let key_name = one.key_name.as_ref().map(|name| Names {
                name,
                value: &key,
                outer: scope.names,
            });
            let value_name = Names {
                outer: key_name.as_ref().or(scope.names),
                ..value_name
            };
            let inner = Scope {
                names: Some(&value_name),
                ..scope
            };
            let mut doubt = item.doubt.clone();
            if let Some(condition) = &one.condition {
                let condition = self.evaluate(inner, condition)?;
                match &condition.kind {
                    Kind::Unknown(unknown) => {
                        doubt = doubt.or_else(|| Some(Doubt::maybe(&unknown.why)));
                    }
                    _ if truth(&condition)? => {}
                    _ => continue,
                }
            }
            let key = match &one.key {
                Some(key) => Some(self.evaluate(inner, key)?),
                None => None,
            };
            let value = Item::sure(self.evaluate(inner, &one.value)?).under(doubt.as_ref());
            result.add(key, value)?;
        }
        self.sized(result.value())
    }
}

/// What a `for` expression has made so far.
struct Collected {
    origin: Origin,
    is_object: bool,
    groups: Option<BTreeMap<Arc<str>, Vec<Item>>>,
    items: Vec<Item>,
    map: Map,
}

impl Collected {
    fn new(of: &For, origin: Origin) -> Self {
        Self {
            origin,
            is_object: of.key.is_some(),
            groups: of.groups.then(BTreeMap::new),
            items: Vec::new(),
            map: Map {
                is_object: true,
                ..Map::default()
            },
        }
    }

    fn add(&mut self, key: Option<Value>, item: Item) -> Outcome<()> {
        let Some(key) = key else {
            self.items.push(item);
            return Ok(());
        };
        if let Some(groups) = &mut self.groups {
            match scalar_text(&key) {
                Ok(name) => groups.entry(name).or_default().push(item),
                Err(Stop::Unknown(why)) => {
                    let list = Value::list(ListKind::Tuple, vec![item], &self.origin);
                    let doubt = Doubt::many(&why);
                    self.map.more.push(Item::sure(list).under(Some(&doubt)));
                }
                Err(stop) => return Err(stop),
            }
            return Ok(());
        }
        let item = Item {
            key: Some(key.origin.span),
            ..item
        };
        if item.doubt.as_ref().is_some_and(|doubt| doubt.many) && scalar_text(&key).is_err() {
            self.map.more.push(item);
            return Ok(());
        }
        let before = scalar_text(&key)
            .ok()
            .and_then(|name| self.map.entries.get(&name).cloned());
        match before {
            None => put(&mut self.map, &key, item),
            // Only one of the two can be there.
            Some(before) => match before.doubt.as_ref().or(item.doubt.as_ref()) {
                None => fault(format!("the key `{}` comes twice", scalar_text(&key)?)),
                Some(doubt) => {
                    let doubt = doubt.clone();
                    let joined = Item {
                        value: join(&before.value, &item.value, &doubt.why),
                        doubt: before.doubt.and(item.doubt),
                        key: item.key,
                    };
                    put(&mut self.map, &key, joined)
                }
            },
        }
    }

    fn value(mut self) -> Value {
        if !self.is_object {
            return Value::list(ListKind::Tuple, self.items, &self.origin);
        }
        for (key, items) in self.groups.unwrap_or_default() {
            let doubt = items
                .iter()
                .all(|item| item.doubt.is_some())
                .then(|| items.first().and_then(|item| item.doubt.clone()))
                .flatten();
            let list = Value::list(ListKind::Tuple, items, &self.origin);
            self.map
                .entries
                .insert(key, Item::sure(list).under(doubt.as_ref()));
        }
        Value::map(self.map, &self.origin)
    }
}
