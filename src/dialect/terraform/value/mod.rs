//! Values of Terraform's language, each with the bytes that made it.
//!
//! What is not known flows: a value may be unknown, one of several, or a collection of which only some elements are sure.
//! INVARIANT: whatever Terraform could compute of the same configuration is among what a value says it may be.

mod join;
mod number;
mod origin;
mod text;
mod tree;
mod types;
mod why;

pub(super) use join::{compare_equal, identical, join};
pub(super) use number::Number;
pub(super) use origin::Origin;
pub(super) use text::{scalar_text, to_json};
pub(super) use tree::{of_node, parse_json, parse_yaml};
pub(super) use types::{Field, Type, as_set, convert};
pub(super) use why::{Fault, Outcome, Reason, Stop, Why, fault, over_limit};

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::source::Span;

/// Elements that one collection may have, nested ones counted.
pub(super) const MAX_WEIGHT: usize = 1_000_000;

/// Values that one unknown may be known to be among.
pub(super) const MAX_CANDIDATES: usize = 16;

/// What stands in an address for a key that is not known.
pub(super) const ANY_KEY: &str = "[?]";

/// A value and where it came from.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) kind: Kind,
    pub(super) origin: Origin,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    String(Arc<str>),
    List(Arc<List>),
    Map(Arc<Map>),
    /// An attribute that a provider makes and that names its resource: not known, but equal to itself, and never null.
    Reference(Arc<Reference>),
    /// A resource or data source: its attributes are looked at when they are asked for.
    Instance(Arc<Instance>),
    /// An instance of a module, by its index: it has outputs.
    Module(usize),
    Unknown(Arc<Unknown>),
}

/// An attribute known after apply: `aws_security_group.web.id`.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) instance: Arc<Instance>,
    pub(super) attribute: Arc<str>,
}

/// One instance of a resource.
#[derive(Debug)]
pub(super) struct Instance {
    /// The instance of the module that it is in.
    pub(super) module: usize,
    /// Its place among the resources of the module's folder.
    pub(super) resource: usize,
    pub(super) repetition: Repetition,
    /// `module.net.aws_security_group.web["a"]`.
    pub(super) address: Arc<str>,
    pub(super) kind: Arc<str>,
    pub(super) is_data: bool,
    pub(super) span: Span,
}

/// Which of several an instance is.
#[derive(Debug, Clone)]
pub(super) enum Repetition {
    Single,
    Count(Value),
    Each { key: Value, value: Value },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListKind {
    Tuple,
    List,
    Set,
}

/// A list, tuple or set.
#[derive(Debug, Clone)]
pub(super) struct List {
    pub(super) kind: ListKind,
    pub(super) items: Vec<Item>,
}

/// A map or object.
#[derive(Debug, Clone, Default)]
pub(super) struct Map {
    pub(super) is_object: bool,
    pub(super) entries: BTreeMap<Arc<str>, Item>,
    /// Entries whose keys are not known.
    pub(super) more: Vec<Item>,
}

/// An element of a collection.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) value: Value,
    /// Why it may not be there, if it may not.
    pub(super) doubt: Option<Doubt>,
    /// What wrote its key, in a map.
    pub(super) key: Option<Span>,
}

/// Why something may not be there.
#[derive(Debug, Clone)]
pub(super) struct Doubt {
    pub(super) why: Arc<Why>,
    /// Whether it stands for any number of elements that are like it.
    pub(super) many: bool,
}

#[derive(Debug)]
pub(super) struct Unknown {
    pub(super) why: Arc<Why>,
    /// The values that it is one of; empty if nothing is known.
    pub(super) candidates: Vec<Value>,
    /// Whether it is surely not null.
    pub(super) is_set: bool,
    /// Whether the candidates are what a condition chooses if it holds and if not: those of one reason go together.
    pub(super) is_choice: bool,
}

impl Instance {
    /// Whether it stands for any number of instances that are like it.
    pub(super) fn is_any(&self) -> bool {
        self.address.contains(ANY_KEY)
    }
}

impl Doubt {
    pub(super) fn maybe(why: &Arc<Why>) -> Self {
        Self {
            why: why.clone(),
            many: false,
        }
    }

    pub(super) fn many(why: &Arc<Why>) -> Self {
        Self {
            why: why.clone(),
            many: true,
        }
    }
}

impl Item {
    pub(super) fn sure(value: Value) -> Self {
        Self {
            value,
            doubt: None,
            key: None,
        }
    }

    /// The same element, which is only there if something else is.
    pub(super) fn under(mut self, doubt: Option<&Doubt>) -> Self {
        if let Some(outer) = doubt {
            let many = outer.many || self.doubt.as_ref().is_some_and(|doubt| doubt.many);
            let why = self.doubt.map_or_else(|| outer.why.clone(), |doubt| doubt.why);
            self.doubt = Some(Doubt { why, many });
        }
        self
    }
}

impl Value {
    pub(super) fn new(kind: Kind, span: Span) -> Self {
        Self {
            kind,
            origin: Origin::new(span),
        }
    }

    pub(super) fn with(kind: Kind, origin: &Origin) -> Self {
        Self {
            kind,
            origin: origin.clone(),
        }
    }

    pub(super) fn null(span: Span) -> Self {
        Self::new(Kind::Null, span)
    }

    pub(super) fn text(text: impl Into<Arc<str>>, origin: &Origin) -> Self {
        Self::with(Kind::String(text.into()), origin)
    }

    pub(super) fn bool(value: bool, span: Span) -> Self {
        Self::new(Kind::Bool(value), span)
    }

    pub(super) fn number(value: Number, span: Span) -> Self {
        Self::new(Kind::Number(value), span)
    }

    pub(super) fn unknown(why: &Arc<Why>) -> Self {
        Self::one_of(why, Vec::new(), false)
    }

    pub(super) fn one_of(why: &Arc<Why>, candidates: Vec<Self>, is_set: bool) -> Self {
        let unknown = Unknown {
            why: why.clone(),
            candidates,
            is_set,
            is_choice: false,
        };
        Self::new(Kind::Unknown(Arc::new(unknown)), why.span)
    }

    /// What a condition chooses: the one if it holds, the other if not.
    pub(super) fn choice(why: &Arc<Why>, yes: &Self, no: &Self) -> Self {
        let unknown = Unknown {
            why: why.clone(),
            candidates: vec![yes.clone(), no.clone()],
            is_set: !yes.is_null() && !no.is_null(),
            is_choice: true,
        };
        Self::new(Kind::Unknown(Arc::new(unknown)), why.span)
    }

    pub(super) fn list(kind: ListKind, items: Vec<Item>, origin: &Origin) -> Self {
        Self::with(Kind::List(Arc::new(List { kind, items })), origin)
    }

    pub(super) fn map(map: Map, origin: &Origin) -> Self {
        Self::with(Kind::Map(Arc::new(map)), origin)
    }

    pub(super) fn through(mut self, span: Span) -> Self {
        self.origin = self.origin.through(span);
        self
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// Why it is not known, if it is not known at all or among several.
    pub(super) fn why(&self) -> Option<&Arc<Why>> {
        match &self.kind {
            Kind::Unknown(unknown) => Some(&unknown.why),
            _ => None,
        }
    }

    /// What it may be: itself, or the candidates of an unknown. `None` if nothing is known of it.
    pub(super) fn alternatives(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::Unknown(unknown) if unknown.candidates.is_empty() => None,
            Kind::Unknown(unknown) => Some(&unknown.candidates),
            _ => Some(std::slice::from_ref(self)),
        }
    }

    /// What users call its type.
    pub(super) fn type_word(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "bool",
            Kind::Number(_) => "number",
            Kind::String(_) | Kind::Reference(_) => "string",
            Kind::List(list) => match list.kind {
                ListKind::Tuple => "tuple",
                ListKind::List => "list",
                ListKind::Set => "set",
            },
            Kind::Map(map) if map.is_object => "object",
            Kind::Map(_) => "map",
            Kind::Instance(_) | Kind::Module(_) => "object",
            Kind::Unknown(_) => "unknown value",
        }
    }

    /// How many values it is made of, up to a bound.
    pub(super) fn weight(&self, bound: usize) -> usize {
        let mut weight = 1;
        let mut add = |value: &Self| {
            if weight < bound {
                weight += value.weight(bound - weight);
            }
        };
        match &self.kind {
            Kind::List(list) => list.items.iter().for_each(|item| add(&item.value)),
            Kind::Map(map) => {
                let items = map.entries.values().chain(&map.more);
                items.for_each(|item| add(&item.value));
            }
            Kind::String(text) => weight += text.len() / 16,
            _ => {}
        }
        weight
    }
}

impl List {
    /// The elements, if all are sure.
    pub(super) fn exact(&self) -> Outcome<&[Item]> {
        let doubt = self.items.iter().find_map(|item| item.doubt.as_ref());
        match doubt {
            Some(doubt) => Err(Stop::Unknown(doubt.why.clone())),
            None => Ok(&self.items),
        }
    }
}

impl Map {
    /// The first reason why it is not known which entries there are.
    pub(super) fn doubt(&self) -> Option<&Doubt> {
        let items = self.entries.values().chain(&self.more);
        items.into_iter().find_map(|item| item.doubt.as_ref())
    }

    /// The entries, if all are sure.
    pub(super) fn exact(&self) -> Outcome<&BTreeMap<Arc<str>, Item>> {
        match self.doubt() {
            Some(doubt) => Err(Stop::Unknown(doubt.why.clone())),
            None => Ok(&self.entries),
        }
    }
}
