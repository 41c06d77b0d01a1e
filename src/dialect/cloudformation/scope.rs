//! Expressions to values, under assumptions about conditions that are not known.
//!
//! What depends on such a condition is evaluated once for each way that it may turn out ([`ways`]), so that what is there
//! only if it holds cancels against what is there only if it does not. INVARIANT: work is bounded, whatever the template says:
//! past the bound, values are unknown.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::condition::Truth;
use super::intrinsic::{Call, Function};
use super::template::Template;
use super::value::{Evaluated, inner_span, scalar};
use crate::cloud::{Doubt, Guard};
use crate::source::{Span, Spanned};
use crate::tree::Node;

/// Expressions that one template may have evaluated.
const MAX_STEPS: u32 = 500_000;

/// How deep expressions may lead to each other.
const MAX_DEPTH: u32 = 100;

/// Conditions that one rule may depend on and still be told apart by them.
const MAX_SPLITS: usize = 4;

/// What is found out about a template while it is evaluated.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Notes {
    /// How many expressions were evaluated.
    steps: Cell<u32>,
    /// What is named and not there, in words, with the places that name it.
    pub(in crate::dialect) dangling: RefCell<BTreeMap<String, BTreeSet<Span>>>,
}

/// A template with assumptions about its conditions.
pub(in crate::dialect) struct Scope<'a, 't> {
    pub(in crate::dialect) template: &'a Template<'t>,
    assumed: BTreeMap<Arc<str>, bool>,
    /// A condition that was asked for and not assumed.
    wanted: RefCell<Option<Doubt>>,
    notes: &'a Notes,
    depth: Cell<u32>,
}

/// Each way that `read` may turn out, with what decides that it does so, under what is given already.
pub(in crate::dialect) fn ways<'t, T>(
    template: &Template<'t>,
    notes: &Notes,
    given: &[Guard],
    read: &dyn Fn(&Scope<'_, 't>) -> T,
) -> Vec<(Vec<Guard>, T)> {
    let mut found = Vec::new();
    let mut pending = vec![given.to_vec()];
    while let Some(guards) = pending.pop() {
        let scope = Scope::new(template, notes, &guards);
        let value = read(&scope);
        match scope.wanted.into_inner() {
            Some(doubt) if guards.len() < given.len() + MAX_SPLITS => {
                for holds in [false, true] {
                    let mut guards = guards.clone();
                    guards.push(Guard {
                        doubt: doubt.clone(),
                        holds,
                    });
                    pending.push(guards);
                }
            }
            _ => found.push((guards, value)),
        }
    }
    found
}

impl<'a, 't> Scope<'a, 't> {
    pub(in crate::dialect) fn new(template: &'a Template<'t>, notes: &'a Notes, guards: &[Guard]) -> Self {
        let assumed = guards.iter().map(|guard| (guard.doubt.key.clone(), guard.holds));
        Self {
            template,
            assumed: assumed.collect(),
            wanted: RefCell::new(None),
            notes,
            depth: Cell::new(0),
        }
    }

    /// The value of an expression.
    pub(in crate::dialect) fn value(&self, node: Node<'t>) -> Evaluated<'t> {
        let value = self.deeper(|scope| match scope.template.language.call(node) {
            Some(call) => scope.called(&call),
            None => scope.literal(node),
        });
        value.unwrap_or_else(|| Evaluated::Unknown(self.too_much(node.span())))
    }

    /// The value of the argument of a call, which in the short form has the call's own tag.
    pub(in crate::dialect) fn argument(&self, node: Node<'t>) -> Evaluated<'t> {
        match self.template.language.long_call(node) {
            Some(call) => self.called(&call),
            None => self.literal(node),
        }
    }

    /// The value of a property of a mapping; nothing if it is not there.
    pub(in crate::dialect) fn property(&self, node: Node<'t>, name: &str) -> Evaluated<'t> {
        match node.get(name) {
            Some(value) => self.value(value),
            None => Evaluated::Nothing,
        }
    }

    fn literal(&self, node: Node<'t>) -> Evaluated<'t> {
        if node.is_mapping() {
            return Evaluated::Map(node);
        }
        if node.is_sequence() {
            let items = node.items().map(|item| self.value(item));
            let is_there = |value: &Evaluated<'_>| !matches!(value, Evaluated::Nothing);
            return Evaluated::List(items.filter(is_there).collect());
        }
        if node.is_null() {
            return Evaluated::Nothing;
        }
        Evaluated::Text(Spanned::new(scalar(&node), inner_span(&node)))
    }

    fn called(&self, call: &Call<'t>) -> Evaluated<'t> {
        match call.function {
            Function::Ref => self.reference(call.argument),
            Function::Parameter => self.get_param(call.argument),
            Function::Resource => self.get_resource(call.argument),
            Function::Replace => self.replace(call.argument),
            Function::GetAtt => self.attribute(call.argument),
            Function::Sub => self.sub(call.argument),
            Function::Join => self.join(call.argument),
            Function::Split => self.split(call.argument),
            Function::Select => self.select(call.argument),
            Function::FindInMap => self.find_in_map(call.argument),
            Function::Cidr => self.cidr(call.argument),
            Function::If => self.branch(call.argument),
            Function::ImportValue => self.import(call.argument),
            Function::Unmodelled => self.unmodelled(call),
        }
    }

    /// `Fn::If`: the branch that the condition leads to.
    fn branch(&self, argument: Node<'t>) -> Evaluated<'t> {
        let parts: Vec<_> = argument.items().collect();
        let [condition, then, otherwise] = parts.as_slice() else {
            return self.malformed(argument, "`Fn::If` takes a condition and two values");
        };
        match self.decide(*condition) {
            Ok(true) => self.value(*then),
            Ok(false) => self.value(*otherwise),
            Err(doubt) => Evaluated::Unknown(doubt),
        }
    }

    /// Whether a condition holds, as far as is known or assumed; a condition that is neither is remembered.
    pub(in crate::dialect) fn decide(&self, condition: Node<'t>) -> Result<bool, Doubt> {
        match self.truth(condition) {
            Truth::Known(holds) => Ok(holds),
            Truth::Open { doubt, holds } => {
                if let Some(&answer) = self.assumed.get(&doubt.key) {
                    return Ok(answer == holds);
                }
                self.wanted.borrow_mut().get_or_insert_with(|| doubt.clone());
                Err(doubt)
            }
        }
    }

    /// How a condition may turn out: whether it holds, and what that depends on.
    pub(in crate::dialect) fn ways_of(&self, condition: Node<'t>) -> Vec<(Option<Guard>, bool)> {
        let (doubt, holds) = match self.truth(condition) {
            Truth::Known(holds) => return vec![(None, holds)],
            Truth::Open { doubt, holds } => (doubt, holds),
        };
        if let Some(&answer) = self.assumed.get(&doubt.key) {
            return vec![(None, answer == holds)];
        }
        let guard = |holds| Guard {
            doubt: doubt.clone(),
            holds,
        };
        vec![(Some(guard(holds)), true), (Some(guard(!holds)), false)]
    }

    /// Notes that something is named that is not there.
    pub(in crate::dialect) fn missing(&self, what: String, span: Span) {
        self.notes
            .dangling
            .borrow_mut()
            .entry(what)
            .or_default()
            .insert(span);
    }

    fn unmodelled(&self, call: &Call<'t>) -> Evaluated<'t> {
        let span = call.span;
        let what = format!("{} at {}", call.name, span.start);
        let why = format!("what `{}` gives is not modelled", call.name);
        Evaluated::Unknown(self.template.doubt(&what, why, span))
    }

    /// An expression that does not have the form of its function.
    pub(in crate::dialect) fn malformed(&self, node: Node<'t>, why: &str) -> Evaluated<'t> {
        let span = node.span();
        Evaluated::Unknown(
            self.template
                .doubt(&format!("value at {}", span.start), why, span),
        )
    }

    /// Goes one expression deeper. `None` if that is too deep, or too much.
    pub(in crate::dialect) fn deeper<T>(&self, read: impl FnOnce(&Self) -> T) -> Option<T> {
        let (depth, steps) = (self.depth.get() + 1, self.notes.steps.get() + 1);
        if depth > MAX_DEPTH || steps > MAX_STEPS {
            return None;
        }
        self.depth.set(depth);
        self.notes.steps.set(steps);
        let value = read(self);
        self.depth.set(depth - 1);
        Some(value)
    }

    pub(in crate::dialect) fn too_much(&self, span: Span) -> Doubt {
        let what = format!("value at {}", span.start);
        let why = "evaluating it goes too deep, or takes too long";
        self.template.doubt(&what, why, span)
    }
}
