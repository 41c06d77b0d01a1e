//! The kinds of expressions, each to its value.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Evaluator, Scope, known_unknown};
use crate::dialect::terraform::function;
use crate::dialect::terraform::syntax::ast::{Expr, ExprKind, Operator};
use crate::dialect::terraform::value::{
    Doubt, Item, Kind, ListKind, Map, Number, Origin, Outcome, Stop, Value, fault, join, scalar_text,
};

impl Evaluator<'_> {
    pub(super) fn expression(&self, scope: Scope<'_>, expr: &Expr) -> Outcome<Value> {
        let span = expr.span;
        let value = match &expr.kind {
            ExprKind::Null => Value::null(span),
            ExprKind::Bool(value) => Value::bool(*value, span),
            ExprKind::Number(number) => Value::number(*number, span),
            ExprKind::String(text) => Value::new(Kind::String(text.clone()), span),
            ExprKind::Template(parts) => return self.template(scope, parts, span),
            ExprKind::Tuple(items) => {
                let items: Outcome<Vec<Item>> = items
                    .iter()
                    .map(|item| self.evaluate(scope, item).map(Item::sure))
                    .collect();
                return self.sized(Value::list(ListKind::Tuple, items?, &Origin::new(span)));
            }
            ExprKind::Object(entries) => return self.object(scope, entries, &Origin::new(span)),
            ExprKind::Variable(name) => return Self::variable(scope, name, span),
            ExprKind::Attribute(inner, name) => {
                return if let Some(value) = self.reference(scope, inner, name, span) {
                    Ok(value?.through(span))
                } else {
                    let inner = self.evaluate(scope, inner)?;
                    self.attribute(&inner, name, span)
                };
            }
            ExprKind::Index(inner, key) => {
                let inner = self.evaluate(scope, inner)?;
                let key = self.evaluate(scope, key)?;
                return self.index(&inner, &key, span);
            }
            ExprKind::Splat(inner, steps) => {
                let inner = self.evaluate(scope, inner)?;
                return self.splat(scope, &inner, steps, span);
            }
            ExprKind::Conditional(parts) => return self.conditional(scope, parts),
            ExprKind::Call(call) => return function::call(self, scope, call, span),
            ExprKind::Not(inner) => {
                let inner = self.evaluate(scope, inner)?;
                let not = |values: &[Value]| match values.first().map(truth) {
                    Some(value) => Ok(Value::bool(!value?, span)),
                    None => fault("nothing to negate"),
                };
                return known_unknown(self.distribute(&[inner], &not));
            }
            ExprKind::Negative(inner) => {
                let inner = self.evaluate(scope, inner)?;
                let negate = |values: &[Value]| match values.first().map(number) {
                    Some(value) => Ok(Value::number(value?.negate(), span)),
                    None => fault("nothing to negate"),
                };
                return known_unknown(self.distribute(&[inner], &negate));
            }
            ExprKind::Binary(parts) => return self.binary(scope, parts, span),
            ExprKind::For(one) => return self.comprehension(scope, one, span),
        };
        Ok(value)
    }

    fn object(&self, scope: Scope<'_>, entries: &[(Expr, Expr)], origin: &Origin) -> Outcome<Value> {
        let mut map = Map {
            is_object: true,
            entries: BTreeMap::new(),
            more: Vec::new(),
        };
        for (key, value) in entries {
            let name = self.evaluate(scope, key)?;
            let item = Item {
                value: self.evaluate(scope, value)?,
                doubt: None,
                key: Some(name.origin.span),
            };
            put(&mut map, &name, item)?;
        }
        self.sized(Value::map(map, origin))
    }

    /// `a ? b : c`. The branch that is not taken is not looked at, as its faults are not Terraform's either.
    fn conditional(&self, scope: Scope<'_>, parts: &[Expr; 3]) -> Outcome<Value> {
        let [condition, yes, no] = parts;
        let condition = self.evaluate(scope, condition)?;
        let decided = match &condition.kind {
            // A reason of its own: what is chosen by this condition, and nothing else, is chosen together.
            Kind::Unknown(unknown) => Err(unknown.why.again()),
            _ => Ok(truth(&condition)?),
        };
        match decided {
            Ok(true) => like(self.evaluate(scope, yes)?, no),
            Ok(false) => like(self.evaluate(scope, no)?, yes),
            Err(why) => match (self.evaluate(scope, yes), self.evaluate(scope, no)) {
                (Ok(yes), Ok(no)) => self.sized(join(&yes, &no, &why)),
                (Ok(one), Err(Stop::Fault(_))) | (Err(Stop::Fault(_)), Ok(one)) => Ok(one),
                (Err(stop @ Stop::Unknown(_)), _) | (_, Err(stop)) => Err(stop),
            },
        }
    }

    fn binary(
        &self,
        scope: Scope<'_>,
        parts: &(Expr, Operator, Expr),
        span: crate::source::Span,
    ) -> Outcome<Value> {
        let (left, operator, right) = parts;
        let left = self.evaluate(scope, left);
        // HCL evaluates both sides of `&&` and `||`; one that decides by itself is enough for us if the other fails.
        if matches!(operator, Operator::And | Operator::Or) {
            let decides = *operator == Operator::Or;
            let left = left?;
            if let Kind::Bool(value) = left.kind
                && value == decides
            {
                return Ok(Value::bool(decides, span));
            }
            let right = self.evaluate(scope, right)?;
            return known_unknown(self.distribute(&[left, right], &|values| {
                super::operator::logical(decides, values, span)
            }));
        }
        let right = self.evaluate(scope, right)?;
        let values = [left?, right];
        known_unknown(self.distribute(&values, &|values| super::operator::apply(*operator, values, span)))
    }
}

/// Terraform gives both branches of a condition one type: a number beside a string becomes a string.
fn like(value: Value, other: &Expr) -> Outcome<Value> {
    let is_text = matches!(other.kind, ExprKind::String(_) | ExprKind::Template(_));
    if is_text && matches!(value.kind, Kind::Number(_) | Kind::Bool(_)) {
        return Ok(Value::text(scalar_text(&value)?, &value.origin));
    }
    Ok(value)
}

/// Puts an entry into a map, by a key that may not be known.
pub(super) fn put(map: &mut Map, name: &Value, item: Item) -> Outcome<()> {
    if name.is_null() {
        return fault("a key is null");
    }
    match scalar_text(name) {
        Ok(name) => {
            map.entries.insert(name, item);
        }
        Err(Stop::Unknown(why)) => {
            // One entry, under a key that is not known.
            let candidates = name.alternatives().unwrap_or_default();
            let doubt = Doubt::maybe(&why);
            if candidates.is_empty() {
                map.more.push(item.clone().under(Some(&doubt)));
            }
            for candidate in candidates {
                let entry = item.clone().under(Some(&doubt));
                map.entries.entry(scalar_text(candidate)?).or_insert(entry);
            }
        }
        Err(stop) => return Err(stop),
    }
    Ok(())
}

/// The bool that a value is or says.
pub(in super::super) fn truth(value: &Value) -> Outcome<bool> {
    match &value.kind {
        Kind::Bool(value) => Ok(*value),
        Kind::String(text) if &**text == "true" => Ok(true),
        Kind::String(text) if &**text == "false" => Ok(false),
        Kind::Unknown(unknown) => Err(Stop::Unknown(unknown.why.clone())),
        Kind::Null => fault("a bool is needed, and this is null"),
        _ => fault(format!(
            "a bool is needed, and this is of type {}",
            value.type_word()
        )),
    }
}

/// The number that a value is or says.
pub(in super::super) fn number(value: &Value) -> Outcome<Number> {
    match &value.kind {
        Kind::Number(number) => Ok(*number),
        Kind::String(text) => match Number::parse(text) {
            Some(number) => Ok(number),
            None => fault(format!("`{text}` is no number")),
        },
        Kind::Unknown(unknown) => Err(Stop::Unknown(unknown.why.clone())),
        Kind::Reference(_) => scalar_text(value).and_then(|text: Arc<str>| fault(text.to_string())),
        _ => fault(format!("a number is needed, and this is {}", value.type_word())),
    }
}
