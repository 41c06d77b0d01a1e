//! Steps into values: attributes, indices, splats.
//!
//! HCL Native Syntax Specification, "Index Operator", "Attribute Access Operator", "Splat Operators".

use std::sync::Arc;

use super::expression::number;
use super::{Evaluator, Scope, known_unknown};
use crate::dialect::terraform::syntax::ast::Step;
use crate::dialect::terraform::value::{
    Doubt, Item, Kind, List, ListKind, Map, Outcome, Reason, Stop, Value, Why, fault, join, scalar_text,
};
use crate::source::Span;

impl Evaluator<'_> {
    /// `value.name`.
    pub(in super::super) fn attribute(&self, value: &Value, name: &str, span: Span) -> Outcome<Value> {
        match &value.kind {
            Kind::Map(map) => entry(map, name, span),
            Kind::Instance(instance) => {
                let found = self.instance_attribute(instance, name, span)?;
                // Nobody wrote it: who asks for it is the place to change.
                Ok(match &found.kind {
                    Kind::Reference(reference) if Arc::ptr_eq(&reference.instance, instance) => {
                        Value::new(found.kind, span)
                    }
                    _ => found.through(span),
                })
            }
            Kind::Module(module) => Ok(self.output(*module, name, span)?.through(span)),
            Kind::Unknown(unknown) if unknown.candidates.is_empty() => Ok(Value::unknown(&unknown.why)),
            Kind::Unknown(_) => {
                let step = |values: &[Value]| match values.first() {
                    Some(value) => self.attribute(value, name, span),
                    None => fault("nothing to look into"),
                };
                known_unknown(self.distribute(std::slice::from_ref(value), &step))
            }
            Kind::Null => fault(format!("null has no attribute `{name}`")),
            Kind::List(_) => fault(format!(
                "a {} has no attribute `{name}`: its elements may",
                value.type_word()
            )),
            _ => fault(format!("a {} has no attribute `{name}`", value.type_word())),
        }
    }

    /// `value[key]`.
    pub(in super::super) fn index(&self, value: &Value, key: &Value, span: Span) -> Outcome<Value> {
        let pair = [value.clone(), key.clone()];
        known_unknown(self.distribute(&pair, &|pair| match pair {
            [value, key] => self.one_index(value, key, span),
            _ => fault("nothing to look into"),
        }))
    }

    fn one_index(&self, value: &Value, key: &Value, span: Span) -> Outcome<Value> {
        if let Kind::Unknown(unknown) = &value.kind {
            return Err(Stop::Unknown(unknown.why.clone()));
        }
        match &value.kind {
            Kind::List(list) if list.kind == ListKind::Set => fault("a set has no places"),
            Kind::List(list) => match number(key) {
                Ok(at) => match at.index() {
                    Some(at) => element(list, at, span),
                    None => fault(format!("{at} is no place in a list")),
                },
                Err(Stop::Unknown(why)) => one_of_all(list.items.iter(), &why),
                Err(stop) => Err(stop),
            },
            Kind::Map(map) => match scalar_text(key) {
                Ok(name) => entry(map, &name, span),
                Err(Stop::Unknown(why)) => one_of_all(map.entries.values().chain(&map.more), &why),
                Err(stop) => Err(stop),
            },
            Kind::Instance(_) | Kind::Module(_) => {
                let name = scalar_text(key)?;
                self.attribute(value, &name, span)
            }
            Kind::Null => fault("null has no elements"),
            _ => fault(format!("a {} has no elements", value.type_word())),
        }
    }

    /// `value[*].a`, `value.*.a`: of a list each element, of null nothing, of anything else a list of it.
    pub(super) fn splat(
        &self,
        scope: Scope<'_>,
        value: &Value,
        steps: &[Step],
        span: Span,
    ) -> Outcome<Value> {
        let items: Vec<Item> = match &value.kind {
            Kind::Null => Vec::new(),
            Kind::List(list) => list.items.clone(),
            Kind::Unknown(unknown) => {
                let mut items = Vec::new();
                for candidate in &unknown.candidates {
                    let doubt = Doubt::maybe(&unknown.why);
                    let list = self.splat(scope, candidate, &[], span)?;
                    if let Kind::List(list) = &list.kind {
                        items.extend(list.items.iter().map(|item| item.clone().under(Some(&doubt))));
                    }
                }
                if unknown.candidates.is_empty() {
                    let any = Item::sure(Value::unknown(&unknown.why));
                    items.push(any.under(Some(&Doubt::many(&unknown.why))));
                }
                items
            }
            _ => vec![Item::sure(value.clone())],
        };
        self.charge(items.len() * (steps.len() + 1))?;
        let apply = |item: Item| {
            let mut value = item.value.clone();
            for step in steps {
                value = match step {
                    Step::Attribute(name) => self.attribute(&value, name, span)?,
                    Step::Index(key) => {
                        let key = self.evaluate(scope, key)?;
                        self.index(&value, &key, span)?
                    }
                };
            }
            Ok(Item { value, ..item })
        };
        let items: Outcome<Vec<Item>> = items.into_iter().map(apply).collect();
        self.sized(Value::list(ListKind::Tuple, items?, &value.origin))
    }
}

/// An entry of a map. One that may not be there is what it is, or a fault.
pub(in super::super) fn entry(map: &Map, name: &str, span: Span) -> Outcome<Value> {
    match map.entries.get(name) {
        Some(item) => match &item.doubt {
            None => Ok(item.value.clone().through(span)),
            Some(doubt) => Ok(in_doubt(&item.value, &doubt.why)),
        },
        None => match map.more.first().and_then(|item| item.doubt.as_ref()) {
            Some(doubt) => one_of_all(map.more.iter(), &doubt.why),
            None => fault(format!("there is no `{name}` in it")),
        },
    }
}

/// A value that is this one, if it is there at all.
fn in_doubt(value: &Value, why: &Arc<Why>) -> Value {
    match &value.kind {
        Kind::Unknown(_) => value.clone(),
        _ => Value::one_of(why, vec![value.clone()], !value.is_null()),
    }
}

/// An element by its place: if some before it may not be there, one of those that may be at the place.
fn element(list: &List, at: usize, span: Span) -> Outcome<Value> {
    let mut candidates: Vec<&Value> = Vec::new();
    let mut why = None;
    let mut n_sure = 0;
    for (n_before, item) in list.items.iter().enumerate() {
        let is_many = item.doubt.as_ref().is_some_and(|doubt| doubt.many);
        // It may stand at the place if enough come before it, and not too many surely do.
        if n_sure <= at && (n_before >= at || is_many || why.is_some()) {
            candidates.push(&item.value);
        }
        match &item.doubt {
            None if n_sure == at => {
                n_sure += 1;
                break;
            }
            None => n_sure += 1,
            Some(doubt) => {
                why = why.or_else(|| Some(doubt.why.clone()));
            }
        }
    }
    let is_surely_there = n_sure > at;
    match (why, candidates.as_slice()) {
        (_, []) => fault(format!(
            "there is no place {at} in a list of {}",
            list.items.len()
        )),
        (None, [.., value]) => Ok((*value).clone().through(span)),
        (Some(why), [first, rest @ ..]) => {
            let mut joined = (*first).clone();
            for value in rest {
                joined = join(&joined, value, &why);
            }
            Ok(if is_surely_there || !rest.is_empty() {
                joined
            } else {
                in_doubt(&joined, &why)
            })
        }
    }
}

/// A value at a place that is not known.
fn one_of_all<'v>(items: impl Iterator<Item = &'v Item>, why: &Arc<Why>) -> Outcome<Value> {
    let mut joined: Option<Value> = None;
    for item in items.take(64) {
        joined = Some(match joined {
            None => in_doubt(&item.value, why),
            Some(before) => join(&before, &item.value, why),
        });
    }
    match joined {
        Some(value) => Ok(value),
        None => Err(Stop::Unknown(why.clone())),
    }
}

/// Why the attribute of a resource is not known.
pub(super) fn after_apply(span: Span, address: &str, name: &str, is_data: bool) -> Arc<Why> {
    if is_data {
        let text = format!("`{address}.{name}` is read when Terraform runs");
        Why::new(span, Reason::Data, text)
    } else {
        let text = format!("`{address}.{name}` is known only after apply");
        Why::new(span, Reason::Apply, text)
    }
}
