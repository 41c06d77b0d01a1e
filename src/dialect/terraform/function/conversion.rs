//! Functions that convert.

use super::Function;
use super::arguments::Arguments;
use crate::dialect::terraform::value::{Kind, Outcome, Type, Value, convert};

pub(super) const TABLE: &[(&str, Function)] = &[
    ("ephemeralasnull", |call| Ok(call.value(0)?.clone())),
    ("nonsensitive", |call| Ok(call.value(0)?.clone())),
    ("sensitive", |call| Ok(call.value(0)?.clone())),
    ("tobool", |call| to(call, &Type::Bool)),
    ("tolist", |call| to(call, &Type::List(Box::new(Type::Any)))),
    ("tomap", |call| to(call, &Type::Map(Box::new(Type::Any)))),
    ("tonumber", |call| to(call, &Type::Number)),
    ("toset", |call| to(call, &Type::Set(Box::new(Type::Any)))),
    ("tostring", |call| to(call, &Type::String)),
];

fn to(call: &Arguments<'_, '_>, constraint: &Type) -> Outcome<Value> {
    let value = call.value(0)?;
    if let (Kind::Unknown(unknown), Type::Set(_) | Type::List(_)) = (&value.kind, constraint)
        && unknown.candidates.is_empty()
    {
        return Ok(value.clone());
    }
    convert(value, constraint)
}
