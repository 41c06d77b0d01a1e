//! Functions that look at their arguments before they are values: `try`, `can`, `templatefile`, `type`.
//!
//! INVARIANT: what may fail, may fall through: an argument that is in doubt is joined with those behind it.

use crate::dialect::terraform::eval::{Evaluator, Names, Scope, known_unknown};
use crate::dialect::terraform::syntax::ast::{Call, Expr};
use crate::dialect::terraform::syntax::hcl;
use crate::dialect::terraform::value::{
    Item, Kind, Outcome, Reason, Stop, Value, Why, fault, join, over_limit, scalar_text,
};
use crate::source::Span;

/// Names that a template may have, and arguments that may be tried.
const MAX_NAMES: usize = 500;

pub(super) const NAMES: &[&str] = &[
    "can",
    "issensitive",
    "templatefile",
    "templatestring",
    "try",
    "type",
];

/// Calls one of these functions, if it is one.
pub(super) fn call(
    evaluator: &Evaluator<'_>,
    scope: Scope<'_>,
    name: &str,
    call: &Call,
    span: Span,
) -> Option<Outcome<Value>> {
    Some(match name {
        "try" => attempt(evaluator, scope, &call.arguments),
        "can" => can(evaluator, scope, call, span),
        "templatefile" | "templatestring" => known_unknown(template(evaluator, scope, name, call, span)),
        "issensitive" => Err(Stop::Unknown(Why::new(
            span,
            Reason::Function,
            "what is sensitive is not followed",
        ))),
        "type" => known_unknown(first(evaluator, scope, call).and_then(|value| {
            let word = value.type_word();
            match value.kind {
                Kind::Unknown(unknown) => Err(Stop::Unknown(unknown.why.clone())),
                _ => Ok(Value::new(Kind::String(word.into()), span)),
            }
        })),
        _ => return None,
    })
}

fn first(evaluator: &Evaluator<'_>, scope: Scope<'_>, call: &Call) -> Outcome<Value> {
    match call.arguments.first() {
        Some(argument) => evaluator.evaluate(scope, argument),
        None => fault("an argument is missing"),
    }
}

/// The first argument that is no fault.
fn attempt(evaluator: &Evaluator<'_>, scope: Scope<'_>, arguments: &[Expr]) -> Outcome<Value> {
    let Some((argument, rest)) = arguments.split_first() else {
        return fault("all arguments fail");
    };
    if rest.len() > MAX_NAMES {
        return over_limit("there are too many arguments");
    }
    let value = match evaluator.evaluate(scope, argument) {
        Err(Stop::Fault(wrong)) if wrong.is_limit => return Err(Stop::Fault(wrong)),
        Err(Stop::Fault(wrong)) if rest.is_empty() => return Err(Stop::Fault(wrong)),
        Err(Stop::Fault(_)) => return attempt(evaluator, scope, rest),
        Err(Stop::Unknown(why)) => Value::unknown(&why),
        Ok(value) => value,
    };
    let Some(why) = value.why().filter(|_| !rest.is_empty()).cloned() else {
        return Ok(value);
    };
    // It may be one of those that fail, unless a plain variable or resource was asked for.
    match attempt(evaluator, scope, rest) {
        Ok(other) => Ok(join(&value, &other, &why)),
        Err(Stop::Fault(wrong)) if wrong.is_limit => Err(Stop::Fault(wrong)),
        Err(_) => Ok(value),
    }
}

fn can(evaluator: &Evaluator<'_>, scope: Scope<'_>, call: &Call, span: Span) -> Outcome<Value> {
    match first(evaluator, scope, call) {
        Ok(value) => match value.why() {
            Some(why) => Ok(Value::unknown(why)),
            None => Ok(Value::bool(true, span)),
        },
        Err(Stop::Unknown(why)) => Ok(Value::unknown(&why)),
        Err(Stop::Fault(wrong)) if wrong.is_limit => Err(Stop::Fault(wrong)),
        Err(Stop::Fault(_)) => Ok(Value::bool(false, span)),
    }
}

/// A template of a file, or of a value, with names of its own. `templatefile` cannot be called from within.
fn template(
    evaluator: &Evaluator<'_>,
    scope: Scope<'_>,
    name: &str,
    call: &Call,
    span: Span,
) -> Outcome<Value> {
    let [template, names] = call.arguments.as_slice() else {
        return fault("a template and its names are needed");
    };
    let template = evaluator.evaluate(scope, template)?;
    let names = evaluator.evaluate(scope, names)?;
    let text = scalar_text(&template)?;
    let parsed = if name == "templatefile" {
        let Some(source) = evaluator.program.file(&text) else {
            let message = format!("the file `{text}` is not here");
            return Err(Stop::Unknown(Why::new(span, Reason::Function, message)));
        };
        let end = u32::try_from(source.text.len()).unwrap_or(u32::MAX);
        hcl::template(source.text, Span::new(source.file, 0, end), true)
    } else {
        hcl::template(&text, template.origin.span, false)
    };
    let expr = match parsed {
        Ok(expr) => expr,
        Err(mistake) => return fault(mistake.message),
    };
    let names = match &names.kind {
        Kind::Map(map) => map.exact()?,
        Kind::Unknown(unknown) => return Err(Stop::Unknown(unknown.why.clone())),
        _ => return fault("the names of a template are a map"),
    };
    if names.len() > MAX_NAMES {
        return over_limit("a template has too many names");
    }
    let names: Vec<(&str, &Item)> = names.iter().map(|(name, item)| (&**name, item)).collect();
    within(evaluator, scope, &names, None, &expr)
}

/// Evaluates an expression with names, and no others.
fn within(
    evaluator: &Evaluator<'_>,
    scope: Scope<'_>,
    names: &[(&str, &Item)],
    outer: Option<&Names<'_>>,
    expr: &Expr,
) -> Outcome<Value> {
    let Some(((name, item), rest)) = names.split_first() else {
        let scope = Scope {
            module: usize::MAX,
            names: outer,
            own: None,
            ..scope
        };
        return evaluator.evaluate(scope, expr);
    };
    let inner = Names {
        name,
        value: &item.value,
        outer,
    };
    within(evaluator, scope, rest, Some(&inner), expr)
}
