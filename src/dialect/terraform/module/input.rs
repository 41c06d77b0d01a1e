//! What names of a module are: its inputs, locals and outputs.
//!
//! Terraform, "Input Variables", "Local Values", "Output Values".

use std::sync::Arc;

use crate::dialect::terraform::eval::{Evaluator, Scope};
use crate::dialect::terraform::syntax::ast::{Expr, ExprKind};
use crate::dialect::terraform::value::{Kind, Outcome, Reason, Stop, Type, Value, Why, convert};
use crate::source::Span;

use super::folder::Variable;
use super::program::Assignment;

impl Evaluator<'_> {
    /// `var.name` in a module.
    pub(in super::super) fn input(&self, module: usize, name: &str, span: Span) -> Outcome<Value> {
        let Some((instance, folder)) = self.module_folder(module) else {
            return self.undeclared(&format!("variable `{name}`"), span);
        };
        let Some(variable) = folder.variables.get(name) else {
            return self.undeclared(&format!("variable `{name}`"), span);
        };
        let what = || (format!("variable `{name}`"), variable.span.unwrap_or(span));
        self.once(&instance.inputs, name, what, || {
            self.input_afresh(module, name, variable)
        })
    }

    fn input_afresh(&self, module: usize, name: &str, variable: &Variable) -> Outcome<Value> {
        let constraint = match &variable.constraint {
            Some(constraint) => self.constraint(constraint),
            None => Type::Any,
        };
        let scope = Scope::of_module(module);
        let nullable = variable.nullable.as_ref().is_none_or(|nullable| {
            let value = self.value(scope, nullable);
            !matches!(value.kind, Kind::Bool(false))
        });
        let default = || {
            variable
                .default
                .as_ref()
                .map(|default| self.evaluate(scope, default))
        };
        let given = match self.given(module, name, &constraint) {
            Some(Ok(value)) if value.is_null() && !nullable => default().unwrap_or(Ok(value)),
            Some(value) => value,
            None => {
                if let Some(value) = default() {
                    value
                } else {
                    let message = format!("variable `{name}` has no value");
                    let Some(span) = variable.span else {
                        return crate::dialect::terraform::value::fault(message);
                    };
                    return Ok(Value::unknown(&Why::new(span, Reason::Variable, message)));
                }
            }
        };
        let given = match given {
            Err(Stop::Unknown(why)) => Value::unknown(&why),
            given => given?,
        };
        convert(&given, &constraint)
    }

    /// What a module is given for a variable: by whoever calls it, or, if it is the root, by files and arguments.
    fn given(&self, module: usize, name: &str, constraint: &Type) -> Option<Outcome<Value>> {
        let instance = self.module(module)?;
        let Some((parent, call)) = instance.parent else {
            let assignment = self.program.assignments.get(name)?;
            return Some(self.assigned(assignment, constraint));
        };
        let attribute = call.body.attribute(name)?;
        let scope = Scope {
            repetition: &instance.repetition,
            ..Scope::of_module(parent)
        };
        Some(self.evaluate(scope, &attribute.value))
    }

    /// A value of a file, or of an argument: arguments are text where the type is a string, else expressions (Terraform,
    /// "Variables on the Command Line").
    fn assigned(&self, assignment: &Assignment, constraint: &Type) -> Outcome<Value> {
        match assignment {
            Assignment::Expression(expr) => self.evaluate(Scope::of_module(usize::MAX), expr),
            Assignment::Text { text, span, expr } => {
                let is_text = matches!(constraint, Type::String | Type::Number | Type::Bool | Type::Any);
                match expr {
                    Some(expr) if !is_text => {
                        let mut value = self.evaluate(Scope::of_module(usize::MAX), expr)?;
                        value.origin = crate::dialect::terraform::value::Origin::new(*span);
                        Ok(value)
                    }
                    _ => Ok(Value::new(Kind::String(text.as_str().into()), *span)),
                }
            }
        }
    }

    /// `local.name`.
    pub(in super::super) fn local(&self, module: usize, name: &str, span: Span) -> Outcome<Value> {
        let Some((instance, folder)) = self.module_folder(module) else {
            return self.undeclared(&format!("local value `{name}`"), span);
        };
        let Some(expr) = folder.locals.get(name) else {
            return self.undeclared(&format!("local value `{name}`"), span);
        };
        let what = || (format!("local value `{name}`"), expr.span);
        self.once(&instance.locals, name, what, || {
            self.evaluate(Scope::of_module(module), expr)
        })
    }

    /// An output of an instance of a module.
    pub(in super::super) fn output(&self, module: usize, name: &str, span: Span) -> Outcome<Value> {
        let Some(instance) = self.module(module) else {
            return self.undeclared(&format!("output `{name}`"), span);
        };
        let Some(folder) = instance.folder.and_then(|at| self.program.folders.get(at)) else {
            return Ok(Value::unknown(&self.absent(module, span)));
        };
        let Some(expr) = folder.outputs.get(name) else {
            return self.undeclared(&format!("output `{name}` of `{}`", instance.address), span);
        };
        let what = || (format!("output `{name}`"), expr.span);
        self.once(&instance.outputs, name, what, || {
            self.evaluate(Scope::of_module(module), expr)
        })
    }

    /// Why nothing is known of a module whose source is not there.
    pub(in super::super) fn absent(&self, module: usize, span: Span) -> Arc<Why> {
        let call = self.module(module).and_then(|instance| instance.parent);
        let place = call.map(|(_, call)| {
            let source = call.body.attribute("source");
            (source.map_or(call.header, |source| source.value.span), &call.name)
        });
        match place {
            Some((at, name)) => {
                let message = format!("the source of module `{name}` is not here");
                Why::new(at, Reason::Module, message)
            }
            None => Why::new(span, Reason::Module, "the module is not here"),
        }
    }
}

/// The place of a literal source: `source = "./modules/x"`.
pub(in super::super) fn literal_source(source: &Expr) -> Option<&str> {
    match &source.kind {
        ExprKind::String(text) => Some(text),
        _ => None,
    }
}
