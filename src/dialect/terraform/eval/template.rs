//! Templates: literals, interpolations and directives to one string.
//!
//! INVARIANT: a template of which one piece alone says something is that piece, so that a reference in an otherwise empty
//! template stays one.

use super::{Evaluator, Names, Scope, known_unknown};
use crate::dialect::terraform::syntax::ast::Part;
use crate::dialect::terraform::value::{
    Kind, Origin, Outcome, Stop, Value, fault, join, over_limit, scalar_text,
};
use crate::source::Span;

/// Bytes that one string may have.
pub(in super::super) const MAX_TEXT: usize = 4 << 20;

impl Evaluator<'_> {
    pub(super) fn template(&self, scope: Scope<'_>, parts: &[Part], span: Span) -> Outcome<Value> {
        let mut values = Vec::new();
        for part in parts {
            match part {
                Part::Literal(text) => values.push(Value::new(Kind::String(text.clone()), span)),
                Part::Interpolation(expr) => values.push(self.evaluate(scope, expr)?),
                Part::If { condition, yes, no } => {
                    values.push(self.choice(scope, [condition], [yes, no], span)?);
                }
                Part::For {
                    key_name,
                    value_name,
                    collection,
                    body,
                } => {
                    let collection = self.evaluate(scope, collection)?;
                    for (key, item) in self.elements(&collection)? {
                        if let Some(doubt) = &item.doubt {
                            return Ok(Value::unknown(&doubt.why));
                        }
                        let inner = Names {
                            name: value_name,
                            value: &item.value,
                            outer: scope.names,
                        };
                        let outer = key_name.as_ref().map(|name| Names {
                            name,
                            value: &key,
                            outer: Some(&inner),
                        });
                        let names = Some(outer.as_ref().unwrap_or(&inner));
                        values.push(self.template(Scope { names, ..scope }, body, span)?);
                    }
                }
            }
        }
        known_unknown(self.concatenate(&values, span))
    }

    fn choice(
        &self,
        scope: Scope<'_>,
        [condition]: [&super::Expr; 1],
        [yes, no]: [&Vec<Part>; 2],
        span: Span,
    ) -> Outcome<Value> {
        let condition = self.evaluate(scope, condition)?;
        match &condition.kind {
            Kind::Unknown(unknown) => {
                let yes = self.template(scope, yes, span)?;
                let no = self.template(scope, no, span)?;
                Ok(join(&yes, &no, &unknown.why))
            }
            _ if super::expression::truth(&condition)? => self.template(scope, yes, span),
            _ => self.template(scope, no, span),
        }
    }

    /// The texts of values, one behind the other.
    pub(in super::super) fn concatenate(&self, values: &[Value], span: Span) -> Outcome<Value> {
        let origin = derived(span, values.iter());
        self.distribute(values, &|values| {
            let says_something =
                |value: &&Value| !matches!(&value.kind, Kind::String(text) if text.is_empty());
            let mut saying = values.iter().filter(says_something);
            if let (Some(only), None) = (saying.next(), saying.next())
                && matches!(only.kind, Kind::Reference(_))
            {
                return Ok(only.clone());
            }
            let mut text = String::new();
            for value in values {
                if value.is_null() {
                    return fault("a template cannot have null in it");
                }
                text.push_str(&scalar_text(value)?);
                if text.len() > MAX_TEXT {
                    return over_limit("a string is too long");
                }
            }
            self.charge(text.len() / 16)?;
            Ok(Value::text(text, &origin))
        })
        .or_else(|stop| match stop {
            // Whatever it is, it is a string.
            Stop::Unknown(why) => Ok(Value::one_of(&why, Vec::new(), true)),
            fault @ Stop::Fault(_) => Err(fault),
        })
    }
}

/// Where a value comes from that is made of others at `span`: from the only one of them that was not written there, else
/// from there.
pub(in super::super) fn derived<'v>(span: Span, parts: impl Iterator<Item = &'v Value>) -> Origin {
    let mut foreign = parts.filter(|part| !span.contains(part.origin.span));
    match (foreign.next(), foreign.next()) {
        (Some(only), None) => only.origin.through(span),
        _ => Origin::new(span),
    }
}
