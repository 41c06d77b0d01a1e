//! Names to what they refer to: variables, locals, resources, modules, and what Terraform says of itself.
//!
//! Terraform, "References to Named Values". INVARIANT: a name that nothing declares is said once.

use std::sync::Arc;

use super::traversal::after_apply;
use super::{Evaluator, Memo, Scope};
use crate::dialect::reference::{self, Uses};
use crate::dialect::terraform::syntax::ast::{Expr, ExprKind};
use crate::dialect::terraform::value::{
    Instance, Kind, Outcome, Reason, Reference, Repetition, Stop, Value, Why, fault,
};
use crate::source::Span;

/// Attributes that name what a provider made, and are never empty.
const NAMING: &[&str] = &[
    "arn",
    "default_network_acl_id",
    "default_security_group_id",
    "id",
    "primary_network_interface_id",
    "self_link",
];

impl Evaluator<'_> {
    /// A name by itself: one of a `for` expression or a template.
    pub(super) fn variable(scope: Scope<'_>, name: &str, span: Span) -> Outcome<Value> {
        if let Some(value) = scope.name(name) {
            return Ok(value.clone().through(span));
        }
        if name == "self"
            && let Some(own) = scope.own
        {
            return Ok(Value::new(Kind::Instance(own.clone()), span));
        }
        let message = format!("`{name}` is no name by itself here");
        Err(Stop::Unknown(Why::new(span, Reason::Mistake, message)))
    }

    /// `inner.name`, if that is how something is named: `var.x`, `data.aws_vpc.x`, `aws_security_group.x`.
    pub(super) fn reference(
        &self,
        scope: Scope<'_>,
        inner: &Expr,
        name: &str,
        span: Span,
    ) -> Option<Outcome<Value>> {
        match &inner.kind {
            ExprKind::Variable(root) if scope.name(root).is_none() => match &**root {
                "var" => Some(self.input(scope.module, name, span)),
                "local" => Some(self.local(scope.module, name, span)),
                "each" | "count" => Some(repeated(scope.repetition, root, name, span)),
                "path" => Some(self.path(scope.module, name, span)),
                "terraform" | "tofu" => Some(self.workspace(name, span)),
                "module" => Some(self.call_value(scope.module, name, span)),
                "self" | "data" | "ephemeral" => None,
                kind => Some(self.resource_value(scope.module, kind, name, false, span)),
            },
            ExprKind::Attribute(data, kind) => match &data.kind {
                ExprKind::Variable(root)
                    if matches!(&**root, "data" | "ephemeral") && scope.name(root).is_none() =>
                {
                    Some(self.resource_value(scope.module, kind, name, true, span))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn path(&self, module: usize, name: &str, span: Span) -> Outcome<Value> {
        let folder = |module| {
            let instance = self.module(module)?;
            let folder = self.program.folders.get(instance.folder?)?;
            Some(self.program.relative_to_root(&folder.path))
        };
        match name {
            "module" => match folder(module) {
                Some(path) => Ok(Value::new(Kind::String(path.into()), span)),
                None => fault("the module has no folder"),
            },
            "root" => Ok(Value::new(Kind::String(".".into()), span)),
            _ => Err(Stop::Unknown(Why::new(
                span,
                Reason::Function,
                "where Terraform is run is not known",
            ))),
        }
    }

    fn workspace(&self, name: &str, span: Span) -> Outcome<Value> {
        match (name, &self.program.workspace) {
            ("workspace", Some(workspace)) => {
                let text = Kind::String(workspace.value.as_str().into());
                Ok(Value::new(text, workspace.span).through(span))
            }
            ("workspace", None) => Err(Stop::Unknown(Why::new(
                span,
                Reason::Variable,
                "the workspace is not known",
            ))),
            _ => Err(Stop::Unknown(Why::new(
                span,
                Reason::Function,
                format!("`terraform.{name}` is not known"),
            ))),
        }
    }

    /// What nothing declares: said once, and not known.
    pub(in super::super) fn undeclared<T>(&self, what: &str, span: Span) -> Outcome<T> {
        let message = format!("{what} does not exist");
        let finding = reference::dangling(&message, Uses::new(span));
        let mut notices = self.notices.borrow_mut();
        if !notices.iter().any(|known| known.primary == finding.primary) {
            notices.push(finding);
        }
        Err(Stop::Unknown(Why::new(span, Reason::Mistake, message)))
    }

    /// An attribute of an instance: what the configuration says, or what a provider will make of it.
    pub(super) fn instance_attribute(
        &self,
        instance: &Arc<Instance>,
        name: &str,
        span: Span,
    ) -> Outcome<Value> {
        let key = (instance.address.clone(), Arc::from(name));
        let known = self.attributes.borrow().get(&key).cloned();
        match known {
            Some(Memo::Done(value)) => return value,
            Some(Memo::Busy) => {
                return self.circle(&format!("`{}.{name}`", instance.address), span);
            }
            None => {}
        }
        self.attributes.borrow_mut().insert(key.clone(), Memo::Busy);
        let value = self.attribute_afresh(instance, name);
        self.attributes
            .borrow_mut()
            .insert(key, Memo::Done(value.clone()));
        value
    }

    fn attribute_afresh(&self, instance: &Arc<Instance>, name: &str) -> Outcome<Value> {
        let reference = || {
            let reference = Reference {
                instance: instance.clone(),
                attribute: name.into(),
            };
            Value::new(Kind::Reference(Arc::new(reference)), instance.span)
        };
        if NAMING.contains(&name) {
            return Ok(reference());
        }
        let written = self.resource(instance).and_then(|resource| {
            let attribute = resource.body.attribute(name)?;
            let scope = Scope {
                own: Some(instance),
                repetition: &instance.repetition,
                ..Scope::of_module(instance.module)
            };
            Some(self.evaluate(scope, &attribute.value))
        });
        match written {
            Some(value) => {
                let value = value?;
                // What is left out is what the provider makes it.
                if value.is_null() {
                    let why = after_apply(instance.span, &instance.address, name, instance.is_data);
                    return Ok(Value::unknown(&why));
                }
                if name == "name" && value.why().is_some() {
                    return Ok(reference());
                }
                Ok(value)
            }
            None if name == "name" => Ok(reference()),
            None => {
                let why = after_apply(instance.span, &instance.address, name, instance.is_data);
                Ok(Value::unknown(&why))
            }
        }
    }
}

/// `each.key`, `each.value`, `count.index`.
fn repeated(repetition: &Repetition, root: &str, name: &str, span: Span) -> Outcome<Value> {
    match (repetition, root, name) {
        (Repetition::Each { key, .. }, "each", "key") => Ok(key.clone().through(span)),
        (Repetition::Each { value, .. }, "each", "value") => Ok(value.clone().through(span)),
        (Repetition::Count(index), "count", "index") => Ok(index.clone().through(span)),
        _ => fault(format!("there is no `{root}.{name}` here")),
    }
}
