//! Expressions to values: lazily, each name once, within bounds of work, depth and size.
//!
//! Terraform, "Expressions"; HCL Native Syntax Specification (hclsyntax/spec.md). INVARIANT: a fault is what Terraform would
//! refuse or a limit; what merely cannot be known is a value.

mod comprehension;
mod expression;
mod name;
mod operator;
mod template;
mod traversal;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

pub(super) use expression::{number, truth};
pub(super) use template::{MAX_TEXT, derived};
pub(super) use traversal::entry;

use super::module::{ModuleInstance, Program};
use super::syntax::ast::Expr;
use super::value::{
    Fault, Instance, Kind, MAX_WEIGHT, Outcome, Reason, Repetition, Stop, Unknown, Value, Why, join,
    over_limit,
};
use crate::finding::{Code, Finding, Label};
use crate::source::Span;

/// Expressions that one unit may have evaluated.
const MAX_STEPS: u64 = 10_000_000;

/// How deep evaluations may be nested, references included.
const MAX_DEPTH: u32 = 1500;

/// Ways in which the arguments of one call may be combined.
const MAX_COMBINATIONS: usize = 64;

/// Modules that one root may be made of, instances counted.
const MAX_MODULES: usize = 10_000;

/// What names mean where an expression stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'s> {
    /// The instance of a module.
    pub(super) module: usize,
    pub(super) repetition: &'s Repetition,
    pub(super) names: Option<&'s Names<'s>>,
    /// What `self` is.
    pub(super) own: Option<&'s Arc<Instance>>,
}

/// Names of `for` expressions, dynamic blocks and template files, the innermost first.
#[derive(Debug)]
pub(super) struct Names<'s> {
    pub(super) name: &'s str,
    pub(super) value: &'s Value,
    pub(super) outer: Option<&'s Names<'s>>,
}

impl<'s> Scope<'s> {
    /// The scope of a module's own expressions.
    pub(super) fn of_module(module: usize) -> Self {
        Self {
            module,
            repetition: &Repetition::Single,
            names: None,
            own: None,
        }
    }

    fn name(&self, name: &str) -> Option<&'s Value> {
        let mut next = self.names;
        while let Some(one) = next {
            if one.name == name {
                return Some(one.value);
            }
            next = one.outer;
        }
        None
    }
}

/// What has been evaluated of a name.
#[derive(Debug, Clone)]
pub(super) enum Memo {
    /// It is being evaluated: whoever asks for it now is in a circle.
    Busy,
    Done(Outcome<Value>),
}

/// Attributes of resources, by address and name.
type Attributes = BTreeMap<(Arc<str>, Arc<str>), Memo>;

/// The evaluation of one unit.
pub(super) struct Evaluator<'w> {
    pub(super) program: &'w Program<'w>,
    pub(super) modules: RefCell<Vec<Rc<ModuleInstance<'w>>>>,
    /// Attributes of resources, by address and name.
    pub(super) attributes: RefCell<Attributes>,
    /// What is wrong, once each.
    pub(super) notices: RefCell<Vec<Finding>>,
    steps: Cell<u64>,
    depth: Cell<u32>,
}

impl<'w> Evaluator<'w> {
    pub(super) fn new(program: &'w Program<'w>) -> Self {
        Self {
            program,
            modules: RefCell::default(),
            attributes: RefCell::default(),
            notices: RefCell::default(),
            steps: Cell::new(0),
            depth: Cell::new(0),
        }
    }

    /// An instance of a module.
    pub(super) fn module(&self, index: usize) -> Option<Rc<ModuleInstance<'w>>> {
        self.modules.borrow().get(index).cloned()
    }

    /// Adds an instance of a module.
    pub(super) fn add_module(&self, instance: ModuleInstance<'w>) -> Outcome<usize> {
        let mut modules = self.modules.borrow_mut();
        if modules.len() >= MAX_MODULES {
            return over_limit(format!("more than {MAX_MODULES} instances of modules"));
        }
        modules.push(Rc::new(instance));
        Ok(modules.len() - 1)
    }

    /// Counts work.
    pub(super) fn charge(&self, steps: usize) -> Outcome<()> {
        let total = self
            .steps
            .get()
            .saturating_add(u64::try_from(steps).unwrap_or(u64::MAX));
        self.steps.set(total);
        if total > MAX_STEPS {
            return over_limit("this needs more work than a unit is given");
        }
        Ok(())
    }

    /// Evaluates an expression.
    pub(super) fn evaluate(&self, scope: Scope<'_>, expr: &Expr) -> Outcome<Value> {
        self.charge(1)?;
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            return over_limit("expressions and references are nested too deep");
        }
        self.depth.set(depth + 1);
        let value = self.expression(scope, expr);
        self.depth.set(depth);
        value.map_err(|stop| placed(stop, expr.span))
    }

    /// Evaluates an expression; what is wrong with it is not known.
    pub(super) fn value(&self, scope: Scope<'_>, expr: &Expr) -> Value {
        match self.evaluate(scope, expr) {
            Ok(value) => value,
            Err(stop) => stopped(stop, expr.span),
        }
    }

    /// Refuses collections that are too large.
    pub(super) fn sized(&self, value: Value) -> Outcome<Value> {
        let weight = value.weight(MAX_WEIGHT);
        self.charge(weight / 4)?;
        if weight >= MAX_WEIGHT {
            return over_limit(format!("more than {MAX_WEIGHT} values in one"));
        }
        Ok(value)
    }

    /// A name that is being asked for, evaluated once. `what` is what users call it.
    pub(super) fn once(
        &self,
        memos: &RefCell<BTreeMap<Arc<str>, Memo>>,
        name: &str,
        what: impl FnOnce() -> (String, Span),
        evaluate: impl FnOnce() -> Outcome<Value>,
    ) -> Outcome<Value> {
        let known = memos.borrow().get(name).cloned();
        match known {
            Some(Memo::Done(value)) => return value,
            Some(Memo::Busy) => {
                let (what, span) = what();
                return self.circle(&what, span);
            }
            None => {}
        }
        memos.borrow_mut().insert(name.into(), Memo::Busy);
        let value = evaluate();
        memos.borrow_mut().insert(name.into(), Memo::Done(value.clone()));
        value
    }

    /// What refers to itself: said once, and not known.
    pub(super) fn circle(&self, what: &str, span: Span) -> Outcome<Value> {
        let message = format!("{what} refers to itself");
        let label = Label::new(span, "in a circle");
        let finding = Finding::new(Code::UnreadText, message.clone(), Some(label))
            .help("break the circle: Terraform refuses it");
        let mut notices = self.notices.borrow_mut();
        if !notices.iter().any(|known| known.primary == finding.primary) {
            notices.push(finding);
        }
        Err(Stop::Unknown(Why::new(span, Reason::Mistake, message)))
    }

    /// Evaluates with every combination of what the arguments may be, and joins what comes out. Combinations that are wrong are
    /// not among what may be, unless all are.
    pub(super) fn distribute(
        &self,
        arguments: &[Value],
        function: &dyn Fn(&[Value]) -> Outcome<Value>,
    ) -> Outcome<Value> {
        let ways = ways(arguments);
        let n_combinations = ways
            .iter()
            .map(|(_, n_ways)| *n_ways)
            .fold(1_usize, usize::saturating_mul);
        let among = |value: &&Value| match &value.kind {
            Kind::Unknown(unknown) => !unknown.candidates.is_empty(),
            _ => false,
        };
        let Some(first) = arguments.iter().find(among).and_then(Value::why).cloned() else {
            return function(arguments);
        };
        if n_combinations > MAX_COMBINATIONS {
            return Err(Stop::Unknown(first));
        }
        self.charge(n_combinations)?;
        let mut combined: Option<Value> = None;
        let mut stop = None;
        let mut n_wrong = 0;
        for at in 0..n_combinations {
            let chosen = combination(arguments, &ways, at);
            match function(&chosen) {
                Ok(value) => {
                    combined = Some(match combined {
                        Some(before) => join(&before, &value, &first),
                        None => value,
                    });
                }
                Err(Stop::Unknown(why)) => return Err(Stop::Unknown(why)),
                Err(wrong @ Stop::Fault(_)) => {
                    n_wrong += 1;
                    stop = stop.or(Some(wrong));
                }
            }
        }
        match (combined, stop) {
            // One that may fail stays in doubt, so that `try` sees it.
            (Some(value), Some(_)) if n_wrong > 0 && value.why().is_none() => {
                Ok(Value::one_of(&first, vec![value], false))
            }
            (Some(value), _) => Ok(value),
            (None, Some(stop)) => Err(stop),
            (None, None) => Err(Stop::Unknown(first)),
        }
    }
}

/// What decides which candidates of arguments are meant, and in how many ways: choices of one condition go together.
fn ways(arguments: &[Value]) -> Vec<(&Arc<Unknown>, usize)> {
    let mut ways: Vec<(&Arc<Unknown>, usize)> = Vec::new();
    for argument in arguments {
        if let Kind::Unknown(unknown) = &argument.kind
            && !unknown.candidates.is_empty()
            && !ways.iter().any(|(known, _)| are_settled_together(known, unknown))
        {
            ways.push((unknown, unknown.candidates.len()));
        }
    }
    ways
}

fn are_settled_together(one: &Arc<Unknown>, other: &Arc<Unknown>) -> bool {
    Arc::ptr_eq(one, other) || one.is_choice && other.is_choice && Arc::ptr_eq(&one.why, &other.why)
}

/// The arguments of one combination, by its number.
fn combination(arguments: &[Value], ways: &[(&Arc<Unknown>, usize)], mut number: usize) -> Vec<Value> {
    let mut places = Vec::with_capacity(ways.len());
    for (_, n_ways) in ways {
        places.push(number % n_ways);
        number /= n_ways;
    }
    let choose = |argument: &Value| {
        let Kind::Unknown(unknown) = &argument.kind else {
            return argument.clone();
        };
        let way = ways
            .iter()
            .position(|(known, _)| are_settled_together(known, unknown));
        let place = way.and_then(|way| places.get(way));
        place
            .and_then(|place| unknown.candidates.get(*place))
            .unwrap_or(argument)
            .clone()
    };
    arguments.iter().map(choose).collect()
}

/// A fault at the place where it came up, unless it has one.
fn placed(stop: Stop, span: Span) -> Stop {
    match stop {
        Stop::Fault(fault) => Stop::Fault(Fault {
            span: fault.span.or(Some(span)),
            ..fault
        }),
        unknown @ Stop::Unknown(_) => unknown,
    }
}

/// A value that could not be had, as an unknown one.
pub(super) fn stopped(stop: Stop, span: Span) -> Value {
    match stop {
        Stop::Unknown(why) => Value::unknown(&why),
        Stop::Fault(fault) => {
            let reason = if fault.is_limit {
                Reason::Limit
            } else {
                Reason::Mistake
            };
            Value::unknown(&Why::new(fault.span.unwrap_or(span), reason, fault.message))
        }
    }
}

/// A value that is not there as an unknown one; faults stay.
pub(super) fn known_unknown(value: Outcome<Value>) -> Outcome<Value> {
    match value {
        Err(Stop::Unknown(why)) => Ok(Value::unknown(&why)),
        other => other,
    }
}
