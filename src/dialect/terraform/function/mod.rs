//! Terraform's functions, by their documentation ("Built-in Functions").
//!
//! INVARIANT: a function gives what Terraform gives, or an unknown; only what Terraform refuses is a fault.

mod arguments;
mod collection;
mod conversion;
mod date;
mod encoding;
mod file;
mod format;
mod hash;
mod map;
mod network;
mod numeric;
mod set;
mod special;
mod text;

use std::sync::Arc;

pub(super) use arguments::Arguments;

use super::eval::{Evaluator, Scope, known_unknown};
use super::syntax::ast::Call;
use super::value::{Doubt, Kind, Outcome, Reason, Stop, Value, Why};
use crate::source::Span;

/// What a function is made of.
type Function = fn(&Arguments<'_, '_>) -> Outcome<Value>;

/// Functions whose arguments may be there or not: see [`Arguments::doubts`].
const TAKE_DOUBTS: &[&str] = &["concat", "merge", "setunion", "flatten"];

/// Functions whose results are different each time, or not worth their code here.
const NOT_MODELLED: &[(&str, &str)] = &[
    ("timestamp", "the time of the run is not known"),
    ("plantimestamp", "the time of the run is not known"),
    ("uuid", "it is different each time"),
    ("bcrypt", "it is different each time"),
    ("rsadecrypt", "keys are not read"),
    ("base64gzip", "compression is not modelled"),
    ("base64gunzip", "compression is not modelled"),
];

/// Every function by its name, for `portcullis dialects` too.
const TABLES: &[&[(&str, Function)]] = &[
    collection::TABLE,
    map::TABLE,
    set::TABLE,
    text::TABLE,
    format::TABLE,
    numeric::TABLE,
    encoding::TABLE,
    hash::TABLE,
    date::TABLE,
    network::TABLE,
    conversion::TABLE,
    file::TABLE,
];

/// The names of the functions that are modelled.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let plain = TABLES
        .iter()
        .flat_map(|table| table.iter().map(|(name, _)| *name));
    plain.chain(special::NAMES.iter().copied())
}

/// The names of those that are not.
pub(super) fn names_not_modelled() -> impl Iterator<Item = &'static str> {
    NOT_MODELLED.iter().map(|(name, _)| *name)
}

fn find(name: &str) -> Option<Function> {
    let mut all = TABLES.iter().flat_map(|table| table.iter());
    all.find(|(known, _)| *known == name)
        .map(|(_, function)| *function)
}

/// Calls a function.
pub(super) fn call(evaluator: &Evaluator<'_>, scope: Scope<'_>, call: &Call, span: Span) -> Outcome<Value> {
    let name = call.name.strip_prefix("core::").unwrap_or(&call.name);
    if let Some(value) = special::call(evaluator, scope, name, call, span) {
        return value;
    }
    let Some(function) = find(name) else {
        return Err(Stop::Unknown(not_modelled(name, span)));
    };
    let (values, doubts) = match arguments(evaluator, scope, call) {
        Err(Stop::Unknown(why)) => return Ok(Value::unknown(&why)),
        arguments => arguments?,
    };
    if let Some(doubt) = doubts.iter().flatten().next()
        && !TAKE_DOUBTS.contains(&name)
    {
        return Ok(Value::unknown(&doubt.why));
    }
    let apply = |values: &[Value]| {
        function(&Arguments {
            values,
            doubts: &doubts,
            span,
            evaluator,
        })
    };
    let value = known_unknown(evaluator.distribute(&values, &apply))?;
    evaluator.sized(value)
}

fn not_modelled(name: &str, span: Span) -> Arc<Why> {
    let known = NOT_MODELLED.iter().find(|(known, _)| *known == name);
    let message = match known {
        Some((_, why)) => format!("`{name}` is not evaluated: {why}"),
        None if name.contains("::") => format!("`{name}` is a provider's function"),
        None => format!("there is no function `{name}`"),
    };
    let is_mistake = known.is_none() && !name.contains("::");
    let reason = if is_mistake {
        Reason::Mistake
    } else {
        Reason::Function
    };
    Why::new(span, reason, message)
}

/// The arguments of a call; of those that a list is expanded to, each may be there or not.
fn arguments(
    evaluator: &Evaluator<'_>,
    scope: Scope<'_>,
    call: &Call,
) -> Outcome<(Vec<Value>, Vec<Option<Doubt>>)> {
    let (mut values, mut doubts) = (Vec::new(), Vec::new());
    let last = call.arguments.len().saturating_sub(1);
    for (at, argument) in call.arguments.iter().enumerate() {
        let value = evaluator.evaluate(scope, argument)?;
        if !(call.expands && at == last) {
            values.push(value);
            doubts.push(None);
            continue;
        }
        if let Kind::Unknown(unknown) = &value.kind {
            values.push(Value::unknown(&unknown.why));
            doubts.push(Some(Doubt::many(&unknown.why)));
            continue;
        }
        for (_, item) in evaluator.elements(&value)? {
            values.push(item.value);
            doubts.push(item.doubt);
        }
    }
    Ok((values, doubts))
}
