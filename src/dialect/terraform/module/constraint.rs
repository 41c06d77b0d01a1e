//! Type constraints: `list(object({ port = number, cidrs = optional(list(string), []) }))`.
//!
//! Terraform, "Type Constraints". INVARIANT: what is no type is `any`, so that no value is refused for it.

use std::collections::BTreeMap;

use crate::dialect::terraform::eval::{Evaluator, Scope};
use crate::dialect::terraform::syntax::ast::{Call, Expr, ExprKind};
use crate::dialect::terraform::value::{Field, Type};

/// How deep types are followed.
const MAX_DEPTH: usize = 32;

impl Evaluator<'_> {
    /// The type that an expression says.
    pub(super) fn constraint(&self, expr: &Expr) -> Type {
        self.constraint_below(expr, 0)
    }

    fn constraint_below(&self, expr: &Expr, depth: usize) -> Type {
        if depth > MAX_DEPTH {
            return Type::Any;
        }
        match &expr.kind {
            // Terraform 0.11 wrote types in quotes.
            ExprKind::Variable(name) | ExprKind::String(name) => simple(name),
            ExprKind::Call(call) => self.constructed(call, depth),
            _ => Type::Any,
        }
    }

    fn constructed(&self, call: &Call, depth: usize) -> Type {
        let Some(first) = call.arguments.first() else {
            return simple(&call.name);
        };
        let inner = || Box::new(self.constraint_below(first, depth + 1));
        match (&*call.name, &first.kind) {
            ("list", _) => Type::List(inner()),
            ("set", _) => Type::Set(inner()),
            ("map", _) => Type::Map(inner()),
            ("tuple", ExprKind::Tuple(types)) => Type::Tuple(
                types
                    .iter()
                    .map(|one| self.constraint_below(one, depth + 1))
                    .collect(),
            ),
            ("object", ExprKind::Object(entries)) => {
                let mut fields = BTreeMap::new();
                for (key, value) in entries {
                    if let Some(name) = key.literal() {
                        fields.insert(name.into(), self.field(value, depth + 1));
                    }
                }
                Type::Object(fields)
            }
            _ => Type::Any,
        }
    }

    fn field(&self, expr: &Expr, depth: usize) -> Field {
        if let ExprKind::Call(call) = &expr.kind
            && &*call.name == "optional"
            && let Some(first) = call.arguments.first()
        {
            let default = call.arguments.get(1);
            return Field {
                constraint: self.constraint_below(first, depth),
                is_optional: true,
                default: default.map(|default| self.value(Scope::of_module(usize::MAX), default)),
            };
        }
        Field {
            constraint: self.constraint_below(expr, depth),
            is_optional: false,
            default: None,
        }
    }
}

fn simple(name: &str) -> Type {
    match name {
        "string" => Type::String,
        "number" => Type::Number,
        "bool" => Type::Bool,
        "list" => Type::List(Box::new(Type::Any)),
        "set" => Type::Set(Box::new(Type::Any)),
        "map" => Type::Map(Box::new(Type::Any)),
        _ => Type::Any,
    }
}
