//! The body of a resource as values: attributes, and blocks as lists of objects, written out or dynamic.
//!
//! Terraform, "dynamic Blocks". INVARIANT: whether `ingress` is a block, an attribute or dynamic makes no difference behind this.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dialect::terraform::eval::{Evaluator, Names, Scope, stopped};
use crate::dialect::terraform::syntax::ast::{Block, Body, ExprKind, Name};
use crate::dialect::terraform::value::{Item, Kind, ListKind, Map, Origin, Value};
use crate::source::Span;

/// How deep blocks are looked into.
const MAX_DEPTH: usize = 16;

/// Attributes by name.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Object {
    pub(in super::super) values: BTreeMap<Arc<str>, Value>,
}

impl Object {
    /// An attribute that is there and not null.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// The entries of an object value; one that may not be there is taken for what it is.
    pub(in super::super) fn of(value: &Value) -> Option<Self> {
        let Kind::Map(map) = &value.kind else {
            return None;
        };
        let entry = |(name, item): (&Arc<str>, &Item)| (name.clone(), item.value.clone());
        Some(Self {
            values: map.entries.iter().map(entry).collect(),
        })
    }
}

/// Values of a body: those of `wanted` names.
pub(in super::super) fn object(
    evaluator: &Evaluator<'_>,
    scope: Scope<'_>,
    body: &Body,
    wanted: &dyn Fn(&str) -> bool,
) -> Object {
    let reader = Reader { evaluator, wanted };
    Object {
        values: reader.entries(scope, body, 0),
    }
}

struct Reader<'r, 'w> {
    evaluator: &'r Evaluator<'w>,
    wanted: &'r dyn Fn(&str) -> bool,
}

impl Reader<'_, '_> {
    fn entries(&self, scope: Scope<'_>, body: &Body, depth: usize) -> BTreeMap<Arc<str>, Value> {
        let mut values: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        let attributes = body.attributes.iter();
        for attribute in attributes.filter(|attribute| (self.wanted)(&attribute.name)) {
            let value = self.evaluator.value(scope, &attribute.value);
            values.insert(attribute.name.clone(), value);
        }
        let mut lists: BTreeMap<Name, (Span, Vec<Item>)> = BTreeMap::new();
        for block in &body.blocks {
            if !self.has_wanted(&block.body, depth + 1) {
                continue;
            }
            let is_dynamic = &*block.kind == "dynamic";
            let name = match block.label(0) {
                Some(label) if is_dynamic => label.clone(),
                _ => block.kind.clone(),
            };
            let list = lists.entry(name).or_insert_with(|| (block.header, Vec::new()));
            if is_dynamic {
                list.1.extend(self.dynamic(scope, block, depth));
            } else {
                let inner = self.entries(scope, &block.body, depth + 1);
                list.1.push(Item::sure(as_value(inner, block.span)));
            }
        }
        for (name, (span, items)) in lists {
            let value = Value::list(ListKind::Tuple, items, &Origin::new(span));
            values.entry(name).or_insert(value);
        }
        values
    }

    /// Whether a body has attributes that are asked for, at some depth.
    fn has_wanted(&self, body: &Body, depth: usize) -> bool {
        let mut attributes = body.attributes.iter();
        depth < MAX_DEPTH
            && (attributes.any(|attribute| (self.wanted)(&attribute.name))
                || body
                    .blocks
                    .iter()
                    .any(|block| self.has_wanted(&block.body, depth + 1)))
    }

    /// The blocks that a dynamic block stands for: one for each element, with the iterator's name for it.
    fn dynamic(&self, scope: Scope<'_>, block: &Block, depth: usize) -> Vec<Item> {
        let each = block.body.attribute("for_each");
        let (Some(each), Some(content)) = (each, block.body.blocks("content").next()) else {
            return Vec::new();
        };
        let iterator = match block
            .body
            .attribute("iterator")
            .map(|attribute| &attribute.value.kind)
        {
            Some(ExprKind::Variable(name) | ExprKind::String(name)) => Some(name.clone()),
            _ => block.label(0).cloned(),
        };
        let Some(iterator) = iterator else {
            return Vec::new();
        };
        let collection = self.evaluator.value(scope, &each.value);
        if collection.is_null() {
            return Vec::new();
        }
        let elements = self.evaluator.elements(&collection).unwrap_or_else(|stop| {
            let unknown = stopped(stop, each.value.span);
            self.evaluator.elements(&unknown).unwrap_or_default()
        });
        let mut items = Vec::new();
        for (key, item) in elements {
            let span = item.value.origin.span;
            let entries = [("key", key), ("value", item.value)];
            let entries = entries.map(|(name, value)| (Arc::from(name), value));
            let object = as_value(entries.into_iter().collect(), span);
            let names = Names {
                name: &iterator,
                value: &object,
                outer: scope.names,
            };
            let inner = Scope {
                names: Some(&names),
                ..scope
            };
            let values = self.entries(inner, &content.body, depth + 1);
            let value = Item::sure(as_value(values, content.span));
            items.push(value.under(item.doubt.as_ref()));
        }
        items
    }
}

fn as_value(entries: BTreeMap<Arc<str>, Value>, span: Span) -> Value {
    let entries = entries.into_iter();
    let map = Map {
        is_object: true,
        entries: entries.map(|(name, value)| (name, Item::sure(value))).collect(),
        more: Vec::new(),
    };
    Value::map(map, &Origin::new(span))
}
