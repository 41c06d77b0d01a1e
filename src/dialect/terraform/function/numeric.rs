//! Functions of numbers.

use super::Function;
use super::arguments::Arguments;
use crate::dialect::terraform::value::{Item, ListKind, Number, Outcome, Value, fault};

pub(super) const TABLE: &[(&str, Function)] = &[
    ("abs", |call| {
        let number = call.number(0)?;
        Ok(call.numeric(if number.is_negative() {
            number.negate()
        } else {
            number
        }))
    }),
    ("ceil", |call| Ok(call.numeric(call.number(0)?.ceiling()))),
    ("floor", |call| Ok(call.numeric(call.number(0)?.floor()))),
    ("log", |call| {
        let (number, base) = (call.number(0)?.approximate(), call.number(1)?.approximate());
        of_float(call, number.ln() / base.ln())
    }),
    ("max", |call| extreme(call, true)),
    ("min", |call| extreme(call, false)),
    ("parseint", parseint),
    ("pow", pow),
    ("range", range),
    ("signum", |call| {
        let number = call.number(0)?;
        Ok(call.numeric(if number.is_negative() {
            Number::ONE.negate()
        } else if number == Number::ZERO {
            Number::ZERO
        } else {
            Number::ONE
        }))
    }),
];

fn of_float(call: &Arguments<'_, '_>, value: f64) -> Outcome<Value> {
    match Number::of_float(value) {
        Some(number) => Ok(call.numeric(number)),
        None => fault("this has no result"),
    }
}

fn extreme(call: &Arguments<'_, '_>, largest: bool) -> Outcome<Value> {
    let mut best = call.number(0)?;
    for at in 1..call.len() {
        let number = call.number(at)?;
        if number.compare(best).is_gt() == largest && number != best {
            best = number;
        }
    }
    Ok(call.numeric(best))
}

/// Digits of a base from 2 to 62: after `z` come the capitals.
fn parseint(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let (text, base) = (call.text(0)?, call.whole(1)?);
    if !(2..=62).contains(&base) {
        return fault("the base is from 2 to 62");
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, &*text),
    };
    let digit = |char: char| match char {
        '0'..='9' => Some(char as i128 - '0' as i128),
        'a'..='z' => Some(char as i128 - 'a' as i128 + 10),
        'A'..='Z' if base <= 36 => Some(char as i128 - 'A' as i128 + 10),
        'A'..='Z' => Some(char as i128 - 'A' as i128 + 36),
        _ => None,
    };
    let mut value: Option<i128> = (!digits.is_empty()).then_some(0);
    for char in digits.chars() {
        let next = digit(char).filter(|digit| *digit < base);
        value = value
            .zip(next)
            .and_then(|(value, next)| value.checked_mul(base)?.checked_add(next));
    }
    match value {
        Some(value) => Ok(call.numeric(Number::integer(sign * value))),
        None => fault(format!("`{text}` is no number of base {base}")),
    }
}

fn pow(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let (base, exponent) = (call.number(0)?, call.number(1)?);
    let Some(whole) = exponent.whole().and_then(|whole| u32::try_from(whole).ok()) else {
        return of_float(call, base.approximate().powf(exponent.approximate()));
    };
    if whole > 256 {
        return of_float(call, base.approximate().powf(exponent.approximate()));
    }
    let mut power = Number::ONE;
    for _ in 0..whole {
        match power.multiply(base) {
            Some(next) => power = next,
            None => return fault("too many digits"),
        }
    }
    Ok(call.numeric(power))
}

fn range(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let (start, limit, step) = match call.len() {
        1 => (Number::ZERO, call.number(0)?, None),
        2 => (call.number(0)?, call.number(1)?, None),
        _ => (call.number(0)?, call.number(1)?, Some(call.number(2)?)),
    };
    let is_down = limit.compare(start).is_lt();
    let step = step.unwrap_or(if is_down {
        Number::ONE.negate()
    } else {
        Number::ONE
    });
    if step == Number::ZERO || step.is_negative() != is_down && limit != start {
        return fault("the step does not lead from start to limit");
    }
    let mut items = Vec::new();
    let mut next = start;
    while next.compare(limit).is_lt() != is_down && next != limit {
        items.push(Item::sure(call.numeric(next)));
        if items.len() > 1024 {
            return fault("more than 1024 numbers");
        }
        match next.add(step) {
            Some(sum) => next = sum,
            None => return fault("too many digits"),
        }
    }
    Ok(call.list_of(ListKind::List, items))
}
