//! `count` and `for_each` to instances of resources and modules.
//!
//! Terraform, "The count Meta-Argument", "The `for_each` Meta-Argument"; `OpenTofu`, "The enabled Meta-Argument". INVARIANT: an instance that may not be there has a doubt; one
//! that stands for any number of instances has a key that is not known.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::ModuleInstance;
use super::folder::{Folder, Resource};
use crate::dialect::terraform::eval::{Evaluator, Scope, stopped, truth};
use crate::dialect::terraform::syntax::ast::Body;
use crate::dialect::terraform::value::{
    ANY_KEY, Doubt, Instance, Item, Kind, ListKind, Map, Number, Origin, Outcome, Repetition, Stop, Value,
    over_limit, scalar_text,
};
use crate::source::Span;

/// Instances that one block may have.
const MAX_INSTANCES: usize = 10_000;

/// What a block becomes.
#[derive(Debug)]
pub(in super::super) enum Shape<T> {
    Single(T),
    /// One or none.
    Optional(Option<(T, Option<Doubt>)>),
    Count(Vec<(T, Option<Doubt>)>),
    /// With the key of each.
    Each(Vec<(Value, T, Option<Doubt>)>),
}

/// An instance of a resource.
pub(in super::super) type Slot = Arc<Instance>;

impl<T: Clone> Shape<T> {
    /// All of them, each with why it may not be there.
    pub(in super::super) fn all(&self) -> Vec<(T, Option<Doubt>)> {
        match self {
            Self::Single(one) => vec![(one.clone(), None)],
            Self::Optional(one) => one.iter().cloned().collect(),
            Self::Count(some) => some.clone(),
            Self::Each(some) => some
                .iter()
                .map(|(_, one, doubt)| (one.clone(), doubt.clone()))
                .collect(),
        }
    }

    /// As a value: itself, a list, or a map.
    fn value(&self, kind: impl Fn(&T) -> Kind, span: Span) -> Value {
        let origin = Origin::new(span);
        let item = |one: &T, doubt: &Option<Doubt>, key| Item {
            value: Value::new(kind(one), span),
            doubt: doubt.clone(),
            key,
        };
        match self {
            Self::Single(one) | Self::Optional(Some((one, None))) => Value::new(kind(one), span),
            Self::Optional(None) => Value::null(span),
            Self::Optional(Some((one, Some(doubt)))) => {
                Value::choice(&doubt.why, &Value::new(kind(one), span), &Value::null(span))
            }
            Self::Count(some) => {
                let items = some.iter().map(|(one, doubt)| item(one, doubt, None));
                Value::list(ListKind::Tuple, items.collect(), &origin)
            }
            Self::Each(some) => {
                let mut map = Map {
                    is_object: true,
                    ..Map::default()
                };
                for (key, one, doubt) in some {
                    let item = item(one, doubt, Some(key.origin.span));
                    match scalar_text(key) {
                        Ok(key) => drop(map.entries.insert(key, item)),
                        Err(_) => map.more.push(item),
                    }
                }
                Value::map(map, &origin)
            }
        }
    }
}

impl<'w> Evaluator<'w> {
    /// A module's instance with its folder, if that is there.
    pub(in super::super) fn module_folder(
        &self,
        module: usize,
    ) -> Option<(Rc<ModuleInstance<'w>>, &'w Folder)> {
        let instance = self.module(module)?;
        let folder = self.program.folders.get(instance.folder?)?;
        Some((instance, folder))
    }

    /// Where the modules are called that lead to an instance of one, outermost first: the bytes that say what is called.
    pub(in super::super) fn calls_to(&self, module: usize) -> Vec<Span> {
        let mut calls = Vec::new();
        let mut at = self.module(module);
        while let Some((parent, call)) = at.and_then(|instance| instance.parent) {
            let source = call.body.attributes.iter().find(|one| &*one.name == "source");
            calls.push(source.map_or(call.header, |source| source.value.span));
            at = self.module(parent);
        }
        calls.reverse();
        calls
    }

    /// The block behind an instance.
    pub(in super::super) fn resource(&self, instance: &Instance) -> Option<&'w Resource> {
        let (_, folder) = self.module_folder(instance.module)?;
        folder.resources.get(instance.resource)
    }

    /// `kind.name` as a value.
    pub(in super::super) fn resource_value(
        &self,
        module: usize,
        kind: &str,
        name: &str,
        is_data: bool,
        span: Span,
    ) -> Outcome<Value> {
        let found = self
            .module_folder(module)
            .and_then(|(_, folder)| folder.resource(is_data, kind, name));
        let Some(resource) = found else {
            let prefix = if is_data { "data." } else { "" };
            return self.undeclared(&format!("`{prefix}{kind}.{name}`"), span);
        };
        let shape = self.instances(module, resource)?;
        let declared = shape.all().first().map_or(span, |(slot, _)| slot.span);
        Ok(shape.value(|slot| Kind::Instance(slot.clone()), declared))
    }

    /// The instances of a resource.
    pub(in super::super) fn instances(&self, module: usize, resource: usize) -> Outcome<Rc<Shape<Slot>>> {
        let Some((instance, folder)) = self.module_folder(module) else {
            return Ok(Rc::new(Shape::Count(Vec::new())));
        };
        let Some(block) = folder.resources.get(resource) else {
            return Ok(Rc::new(Shape::Count(Vec::new())));
        };
        let known = instance.resources.borrow().get(&resource).cloned();
        match known {
            Some(Some(shape)) => return Ok(shape),
            Some(None) => {
                let what = format!("`{}.{}`", block.kind, block.name);
                return match self.circle(&what, block.header) {
                    Err(stop) => Err(stop),
                    Ok(_) => Ok(Rc::new(Shape::Count(Vec::new()))),
                };
            }
            None => {}
        }
        instance.resources.borrow_mut().insert(resource, None);
        let prefix = if block.is_data { "data." } else { "" };
        let address = instance.address_of(&format!("{prefix}{}.{}", block.kind, block.name));
        let shape = self.expand(module, &block.body, block.header, &mut |repetition, suffix| {
            Ok(Arc::new(Instance {
                module,
                resource,
                repetition,
                address: format!("{address}{suffix}").into(),
                kind: block.kind.clone(),
                is_data: block.is_data,
                span: block.header,
            }))
        });
        let shape = shape.map(Rc::new);
        match &shape {
            Ok(shape) => {
                let shape = Some(shape.clone());
                instance.resources.borrow_mut().insert(resource, shape);
            }
            Err(_) => drop(instance.resources.borrow_mut().remove(&resource)),
        }
        shape
    }

    /// `module.name` as a value.
    pub(in super::super) fn call_value(&self, module: usize, name: &str, span: Span) -> Outcome<Value> {
        let shape = self.called(module, name, span)?;
        Ok(shape.value(|module| Kind::Module(*module), span))
    }

    /// The instances of a module that another calls.
    pub(in super::super) fn called(
        &self,
        module: usize,
        name: &str,
        span: Span,
    ) -> Outcome<Rc<Shape<usize>>> {
        let undeclared = || self.undeclared(&format!("module `{name}`"), span);
        let Some((instance, folder)) = self.module_folder(module) else {
            return undeclared();
        };
        let Some(call) = folder.calls.get(name) else {
            return undeclared();
        };
        let known = instance.calls.borrow().get(name).cloned();
        match known {
            Some(Some(shape)) => return Ok(shape),
            Some(None) => {
                return match self.circle(&format!("module `{name}`"), call.header) {
                    Err(stop) => Err(stop),
                    Ok(_) => Ok(Rc::new(Shape::Count(Vec::new()))),
                };
            }
            None => {}
        }
        instance.calls.borrow_mut().insert(name.into(), None);
        let key = if instance.key.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", instance.key)
        };
        let called = self.program.source(folder, call, &key);
        let is_circle = key.matches('.').count() > super::program::MAX_NESTING;
        let address = instance.address_of(&format!("module.{name}"));
        let shape = self.expand(module, &call.body, call.header, &mut |repetition, suffix| {
            if is_circle {
                return over_limit("modules are nested too deep");
            }
            let new = ModuleInstance {
                folder: called,
                parent: Some((module, call)),
                repetition,
                address: format!("{address}{suffix}").into(),
                key: key.clone(),
                ..ModuleInstance::root(0)
            };
            self.add_module(new)
        });
        let shape = shape.map(Rc::new);
        match &shape {
            Ok(shape) => {
                let shape = Some(shape.clone());
                instance.calls.borrow_mut().insert(name.into(), shape);
            }
            Err(_) => drop(instance.calls.borrow_mut().remove(name)),
        }
        shape
    }

    /// The instances of a block, each made by `make` of what it is repeated by and the end of its address.
    fn expand<T>(
        &self,
        module: usize,
        body: &Body,
        header: Span,
        make: &mut dyn FnMut(Repetition, &str) -> Outcome<T>,
    ) -> Outcome<Shape<T>> {
        let scope = Scope::of_module(module);
        if let Some(count) = body.attribute("count") {
            let count = self.value(scope, &count.value);
            return self.counted(&count, header, make);
        }
        if let Some(each) = body.attribute("for_each") {
            let each = self.value(scope, &each.value);
            return self.for_each(&each, make);
        }
        let lifecycle = body.blocks.iter().find(|block| &*block.kind == "lifecycle");
        if let Some(enabled) = lifecycle.and_then(|block| block.body.attribute("enabled")) {
            let enabled = self.value(scope, &enabled.value);
            let doubt = match truth(&enabled) {
                Ok(false) => return Ok(Shape::Optional(None)),
                Ok(true) => None,
                Err(stop) => stopped(stop, header).why().map(Doubt::maybe),
            };
            return Ok(Shape::Optional(Some((make(Repetition::Single, "")?, doubt))));
        }
        Ok(Shape::Single(make(Repetition::Single, "")?))
    }

    fn counted<T>(
        &self,
        count: &Value,
        header: Span,
        make: &mut dyn FnMut(Repetition, &str) -> Outcome<T>,
    ) -> Outcome<Shape<T>> {
        let numbers: Option<Vec<usize>> = count.alternatives().and_then(|all| {
            let number = |value: &Value| super::super::eval::number(value).ok()?.index();
            all.iter().map(number).collect()
        });
        let Some(numbers) = numbers else {
            let stop = match count.why() {
                Some(why) => Stop::Unknown(why.clone()),
                None => Stop::Fault(super::super::value::Fault {
                    span: Some(count.origin.span),
                    message: "`count` is no number of instances".into(),
                    is_limit: false,
                }),
            };
            let index = stopped(stop, header);
            let doubt = index.why().map(Doubt::many);
            let any = make(Repetition::Count(index), ANY_KEY)?;
            return Ok(Shape::Count(vec![(any, doubt)]));
        };
        let least = numbers.iter().min().copied().unwrap_or(0);
        let most = numbers.iter().max().copied().unwrap_or(0);
        if most > MAX_INSTANCES {
            return over_limit(format!("more than {MAX_INSTANCES} instances"));
        }
        self.charge(most)?;
        let mut instances = Vec::new();
        for at in 0..most {
            let index = Value::number(Number::count(at), count.origin.span);
            let doubt = count.why().filter(|_| at >= least).map(Doubt::maybe);
            instances.push((make(Repetition::Count(index), &format!("[{at}]"))?, doubt));
        }
        Ok(Shape::Count(instances))
    }

    fn for_each<T>(
        &self,
        each: &Value,
        make: &mut dyn FnMut(Repetition, &str) -> Outcome<T>,
    ) -> Outcome<Shape<T>> {
        let elements = match self.elements(each) {
            Err(stop) => {
                let value = stopped(stop, each.origin.span);
                self.elements(&value)?
            }
            Ok(elements) => elements,
        };
        if elements.len() > MAX_INSTANCES {
            return over_limit(format!("more than {MAX_INSTANCES} instances"));
        }
        let is_map = matches!(each.kind, Kind::Map(_));
        let mut seen: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        let mut instances: Vec<(Value, T, Option<Doubt>)> = Vec::new();
        for (key, item) in elements {
            let key = if is_map || each.alternatives().is_none() {
                key
            } else if matches!(
                item.value.kind,
                Kind::String(_) | Kind::Reference(_) | Kind::Unknown(_)
            ) {
                item.value.clone()
            } else {
                key
            };
            let name = scalar_text(&key).ok();
            if let Some(known) = name.as_ref().and_then(|name| seen.get(name)) {
                if let Some((_, _, doubt)) = instances.get_mut(*known)
                    && item.doubt.is_none()
                {
                    *doubt = None;
                }
                continue;
            }
            let suffix = match &name {
                Some(name) => format!("[{name:?}]"),
                None => ANY_KEY.to_owned(),
            };
            if let Some(name) = name {
                seen.insert(name, instances.len());
            }
            let repetition = Repetition::Each {
                key: key.clone(),
                value: item.value,
            };
            instances.push((key, make(repetition, &suffix)?, item.doubt));
        }
        Ok(Shape::Each(instances))
    }
}
