//! What functions are called with, as the types that they take.

use std::sync::Arc;

use crate::dialect::terraform::eval::{Evaluator, derived, number};
use crate::dialect::terraform::value::{
    Doubt, Item, Kind, List, ListKind, Map, Number, Origin, Outcome, Stop, Value, fault, scalar_text,
};
use crate::source::Span;

/// The arguments of one call, none of them one of several.
pub(in super::super) struct Arguments<'c, 'w> {
    pub(in super::super) values: &'c [Value],
    /// Why arguments may not be there, where a list was expanded to them.
    pub(in super::super) doubts: &'c [Option<Doubt>],
    pub(in super::super) span: Span,
    pub(in super::super) evaluator: &'c Evaluator<'w>,
}

impl<'c> Arguments<'c, '_> {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn value(&self, at: usize) -> Outcome<&'c Value> {
        match self.values.get(at) {
            Some(value) => Ok(value),
            None => fault(format!("argument {} is missing", at + 1)),
        }
    }

    pub(super) fn text(&self, at: usize) -> Outcome<Arc<str>> {
        scalar_text(self.value(at)?)
    }

    pub(super) fn number(&self, at: usize) -> Outcome<Number> {
        number(self.value(at)?)
    }

    /// A whole number.
    pub(super) fn whole(&self, at: usize) -> Outcome<i128> {
        let number = self.number(at)?;
        match number.whole() {
            Some(whole) => Ok(whole),
            None => fault(format!("{number} is no whole number")),
        }
    }

    /// A whole number from 0.
    pub(super) fn count(&self, at: usize) -> Outcome<usize> {
        match usize::try_from(self.whole(at)?) {
            Ok(count) => Ok(count),
            Err(_) => fault("a number that is not negative is needed"),
        }
    }

    /// A list, tuple or set.
    pub(super) fn list(&self, at: usize) -> Outcome<&'c List> {
        list(self.value(at)?)
    }

    /// The elements of a list, tuple or set that is wholly known.
    pub(super) fn items(&self, at: usize) -> Outcome<&'c [Item]> {
        self.list(at)?.exact()
    }

    /// The elements of a list, tuple or set, those that may be there too; of an unknown, any number of them.
    pub(super) fn open(&self, at: usize) -> Outcome<Vec<Item>> {
        open(self.value(at)?)
    }

    /// A map or object.
    pub(super) fn map(&self, at: usize) -> Outcome<&'c Map> {
        let value = self.value(at)?;
        match &value.kind {
            Kind::Map(map) => Ok(map),
            Kind::Unknown(unknown) => Err(Stop::Unknown(unknown.why.clone())),
            Kind::Instance(_) | Kind::Module(_) => Err(Stop::Unknown(after_apply(value))),
            _ => fault(format!(
                "a map is needed, and argument {} is of type {}",
                at + 1,
                value.type_word()
            )),
        }
    }

    /// Texts of all elements of a list.
    pub(super) fn texts(&self, at: usize) -> Outcome<Vec<Arc<str>>> {
        self.items(at)?
            .iter()
            .map(|item| scalar_text(&item.value))
            .collect()
    }

    /// Where the result comes from: the only argument that was not written in the call, else the call.
    pub(super) fn origin(&self) -> Origin {
        derived(self.span, self.values.iter())
    }

    /// A string made of the arguments.
    pub(super) fn string(&self, text: impl Into<Arc<str>>) -> Value {
        Value::text(text, &self.origin())
    }

    /// A string made of the first argument.
    pub(super) fn changed(&self, text: impl Into<Arc<str>>) -> Outcome<Value> {
        Ok(Value::text(text, &self.value(0)?.origin))
    }

    pub(super) fn bool(&self, value: bool) -> Value {
        Value::with(Kind::Bool(value), &self.origin())
    }

    pub(super) fn numeric(&self, number: Number) -> Value {
        Value::with(Kind::Number(number), &self.origin())
    }

    /// A list; it comes from the first argument.
    pub(super) fn list_of(&self, kind: ListKind, items: Vec<Item>) -> Value {
        let origin = self
            .values
            .first()
            .map_or_else(|| Origin::new(self.span), |first| first.origin.clone());
        Value::list(kind, items, &origin)
    }

    pub(super) fn map_of(&self, map: Map) -> Value {
        let origin = self
            .values
            .first()
            .map_or_else(|| Origin::new(self.span), |first| first.origin.clone());
        Value::map(map, &origin)
    }
}

/// A list, tuple or set.
pub(super) fn list(value: &Value) -> Outcome<&List> {
    match &value.kind {
        Kind::List(list) => Ok(list),
        Kind::Unknown(unknown) => Err(Stop::Unknown(unknown.why.clone())),
        _ => fault(format!(
            "a list is needed, and this is of type {}",
            value.type_word()
        )),
    }
}

/// The elements of a list, tuple or set, those that may be there too; of an unknown, any number of them.
pub(super) fn open(value: &Value) -> Outcome<Vec<Item>> {
    match &value.kind {
        Kind::Unknown(unknown) => {
            let any = Item::sure(Value::unknown(&unknown.why));
            Ok(vec![any.under(Some(&Doubt::many(&unknown.why)))])
        }
        _ => Ok(list(value)?.items.clone()),
    }
}

/// Why nothing is known of a resource as a whole.
fn after_apply(value: &Value) -> Arc<crate::dialect::terraform::value::Why> {
    crate::dialect::terraform::value::Why::new(
        value.origin.span,
        crate::dialect::terraform::value::Reason::Apply,
        "the attributes of a resource are known only after apply",
    )
}
