//! Values of JSON and YAML text.
//!
//! INVARIANT: of a text that is a whole file, each value has its own bytes; of any other, those that made the text.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Item, Kind, ListKind, Map, Number, Origin, Outcome, Value, fault};
use crate::source::{Source, Span};
use crate::tree::{Node, Schema, Tree, Typed};

/// A value of JSON text. `file` is the file that the text is all of.
pub(in super::super) fn parse_json(text: &str, origin: &Origin, file: Option<Source<'_>>) -> Outcome<Value> {
    let tree = Tree::json(source(text, origin, file));
    only_document(&tree, origin, file.is_some())
}

/// A value of YAML text.
pub(in super::super) fn parse_yaml(text: &str, origin: &Origin, file: Option<Source<'_>>) -> Outcome<Value> {
    let tree = Tree::yaml(source(text, origin, file), Schema::Core);
    only_document(&tree, origin, file.is_some())
}

fn source<'t>(text: &'t str, origin: &Origin, file: Option<Source<'t>>) -> Source<'t> {
    file.unwrap_or(Source {
        file: origin.span.file,
        name: "",
        text,
    })
}

fn only_document(tree: &Tree<'_>, origin: &Origin, is_exact: bool) -> Outcome<Value> {
    if let Some(problem) = tree.problems().first() {
        return fault(problem.message.clone());
    }
    let mut documents = tree.documents();
    match (documents.next(), documents.next()) {
        (Some(root), None) => Ok(of_node(root, &|span| {
            if is_exact {
                Origin::new(span).through(origin.span)
            } else {
                origin.clone()
            }
        })),
        (None, _) => Ok(Value::with(Kind::Null, origin)),
        _ => fault("the text has more than one value"),
    }
}

/// The value of a node; `place` says where it comes from, by its bytes.
pub(in super::super) fn of_node(node: Node<'_>, place: &dyn Fn(Span) -> Origin) -> Value {
    let origin = place(node.span());
    let kind = match node.typed() {
        Typed::Null => Kind::Null,
        Typed::Bool(value) => Kind::Bool(value),
        Typed::Int(value) => Kind::Number(Number::integer(value.into())),
        Typed::Float(digits) => match Number::parse(digits) {
            Some(number) => Kind::Number(number),
            None => Kind::String(digits.into()),
        },
        Typed::Text(text) => Kind::String(text.into()),
        Typed::Sequence => {
            let items = node.items().map(|item| Item::sure(of_node(item, place)));
            return Value::list(ListKind::Tuple, items.collect(), &origin);
        }
        Typed::Mapping => {
            let mut entries: BTreeMap<Arc<str>, Item> = BTreeMap::new();
            for entry in node.entries() {
                let item = Item {
                    value: of_node(entry.value, place),
                    doubt: None,
                    key: Some(place(entry.key.span()).span),
                };
                entries.insert(entry.name().into(), item);
            }
            let map = Map {
                is_object: true,
                entries,
                more: Vec::new(),
            };
            return Value::map(map, &origin);
        }
    };
    Value::with(kind, &origin)
}
