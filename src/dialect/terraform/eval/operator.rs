//! What operators make of two values.

use super::expression::{number, truth};
use crate::dialect::terraform::syntax::ast::Operator;
use crate::dialect::terraform::value::{Kind, Outcome, Reason, Stop, Value, Why, compare_equal, fault};
use crate::source::Span;

/// `&&` and `||`; `decides` is the value that one side alone decides by.
pub(super) fn logical(decides: bool, values: &[Value], span: Span) -> Outcome<Value> {
    let [left, right] = values else {
        return fault("two sides are needed");
    };
    let sides = [truth(left), truth(right)];
    if sides
        .iter()
        .any(|side| matches!(side, Ok(value) if *value == decides))
    {
        return Ok(Value::bool(decides, span));
    }
    let [left, right] = sides;
    left?;
    right?;
    Ok(Value::bool(!decides, span))
}

/// Arithmetic and comparison.
pub(super) fn apply(operator: Operator, values: &[Value], span: Span) -> Outcome<Value> {
    let [left, right] = values else {
        return fault("two sides are needed");
    };
    if matches!(operator, Operator::Equal | Operator::NotEqual) {
        let is_wanted = operator == Operator::Equal;
        return match compare_equal(left, right) {
            Some(equal) => Ok(Value::bool(equal == is_wanted, span)),
            None => Err(Stop::Unknown(why_unknown(left, right, span))),
        };
    }
    let (one, other) = (number(left)?, number(right)?);
    let compared = one.compare(other);
    let result = match operator {
        Operator::Add => one.add(other),
        Operator::Subtract => one.add(other.negate()),
        Operator::Multiply => one.multiply(other),
        Operator::Divide => one.divide(other),
        Operator::Remainder => one.remainder(other),
        Operator::Less => return Ok(Value::bool(compared.is_lt(), span)),
        Operator::LessOrEqual => return Ok(Value::bool(compared.is_le(), span)),
        Operator::Greater => return Ok(Value::bool(compared.is_gt(), span)),
        Operator::GreaterOrEqual => return Ok(Value::bool(compared.is_ge(), span)),
        _ => return fault("no arithmetic"),
    };
    match result {
        Some(number) => Ok(Value::number(number, span)),
        None => fault("this has no result, or one with too many digits"),
    }
}

/// The first thing within two values that is not known.
fn why_unknown(left: &Value, right: &Value, span: Span) -> std::sync::Arc<Why> {
    first_unknown(left, 0)
        .or_else(|| first_unknown(right, 0))
        .unwrap_or_else(|| {
            Why::new(
                span,
                Reason::Apply,
                "what is compared here is known only after apply",
            )
        })
}

fn first_unknown(value: &Value, depth: usize) -> Option<std::sync::Arc<Why>> {
    if depth > 8 {
        return None;
    }
    match &value.kind {
        Kind::Unknown(unknown) => Some(unknown.why.clone()),
        Kind::List(list) => list.items.iter().find_map(|item| {
            let doubt = item.doubt.as_ref().map(|doubt| doubt.why.clone());
            doubt.or_else(|| first_unknown(&item.value, depth + 1))
        }),
        Kind::Map(map) => map.doubt().map(|doubt| doubt.why.clone()).or_else(|| {
            map.entries
                .values()
                .find_map(|item| first_unknown(&item.value, depth + 1))
        }),
        _ => None,
    }
}
