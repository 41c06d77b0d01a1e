//! A unit to its groups: the root module, all that it calls, and the resources in them.
//!
//! INVARIANT: evaluation has a stack of its own, so that no configuration can overflow another's.

use std::sync::Arc;

use super::claim::is_values;
use super::eval::{Evaluator, Scope};
use super::module::{self, ModuleInstance, Program, folder_of};
use super::plan;
use super::resource::{self, Declared, Drafts, Unread};
use super::value::{Doubt, Reason, Stop, Why};
use crate::dialect::include::normal;
use crate::dialect::{Given, Reading};
use crate::finding::{Code, Finding, Label};
use crate::source::{Source, Span};

/// Bytes of stack for the deepest evaluation that is allowed.
const STACK: usize = 128 << 20;

/// Reads a unit.
pub(super) fn read(unit: &[Source<'_>], given: &Given) -> Reading {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK);
        let running = builder.spawn_scoped(scope, || evaluate(unit, given));
        let reading = running.ok().and_then(|running| running.join().ok());
        reading.unwrap_or_else(|| failed(unit))
    })
}

/// Files of values that Terraform does not load by itself and nobody names.
fn unloaded(unit: &[Source<'_>], given: &Given, root: &str) -> Vec<String> {
    let is_given = |name: &str| {
        let mut files = given.variable_files.iter();
        files.any(|file| module::beside(root, &file.value) == normal(name))
    };
    let files = unit.iter().map(|source| source.name);
    let idle = files.filter(|name| is_values(name) && !module::is_loaded(name) && !is_given(name));
    let note = |name: &str| {
        let file = name.rsplit('/').next().unwrap_or(name);
        format!(
            "the values in {file} were not used: name it by --var-file or in the site file, if they are meant"
        )
    };
    idle.map(note).collect()
}

/// What is said where a unit could not be evaluated at all.
fn failed(unit: &[Source<'_>]) -> Reading {
    let label = unit
        .first()
        .map(|source| Label::new(Span::new(source.file, 0, 0), "not evaluated"));
    let message = "the configuration could not be evaluated";
    Reading {
        notices: vec![Finding::new(Code::AnalysisBudget, message, label)],
        ..Reading::default()
    }
}

fn evaluate(unit: &[Source<'_>], given: &Given) -> Reading {
    let mut reading = Reading::default();
    let Some(first) = unit.first() else {
        return reading;
    };
    let plan = unit.iter().copied().find(|source| plan::is_plan(*source));
    let root = normal(folder_of(plan.unwrap_or(*first).name));
    let program = Program::read(unit, &root, given, &mut reading.notices);
    let evaluator = Evaluator::new(&program);
    let name = match plan {
        // Two plans of one root are two sets of groups.
        Some(plan) => plan.name,
        None if root.is_empty() => ".",
        None => &root,
    };
    let mut drafts = Drafts::new(name, unit);
    let folder = program.root_folder();
    reading.notes.extend(unloaded(unit, given, &root));
    if folder.is_none() && plan.is_none() {
        reading
            .notes
            .push("no module is beside these values: they were not used".to_owned());
        return reading;
    }
    let is_there = folder.is_some_and(|folder| evaluator.add_module(ModuleInstance::root(folder)).is_ok());
    let mut said = Vec::new();
    let mut unread = Unread::default();
    let mut declared = if is_there {
        declared(&evaluator, &mut said, &mut unread)
    } else {
        Vec::new()
    };
    if let Some(plan) = plan {
        // What the configuration leaves open, the plan has decided.
        unread = Unread::default();
        let planned = plan::declared(plan, &mut reading.notices, &mut unread);
        declared = plan::merged(planned, &declared);
        drafts.incomplete = plan::incomplete(plan);
    } else {
        reading.notices.append(&mut said);
    }
    reading.unchecked.extend(unread.lines());
    declared.sort_by_key(|declared| resource::turn(&declared.kind));
    for declared in &declared {
        drafts.calls = declared.calls.clone();
        resource::read(&mut drafts, declared);
    }
    let result = drafts.finish();
    reading.groups = result.groups;
    reading.members = result.members;
    reading.n_rules = result.n_rules;
    reading.ways = result.ways;
    let dangling = evaluator.notices.take();
    // What does not exist is not said to be unknown as well.
    let is_said = |notice: &Finding| {
        let place = |finding: &Finding| finding.primary.as_ref().map(|label| label.span);
        let is_there = |other: &Finding| place(other) == place(notice);
        notice.code == Code::UnknownValue && dangling.iter().any(is_there)
    };
    let said = result.notices.into_iter().filter(|notice| !is_said(notice));
    reading.notices.extend(said);
    reading.notices.extend(dangling);
    reading
}

/// All resources that have to do with groups, in the order of modules and files.
fn declared(evaluator: &Evaluator<'_>, notices: &mut Vec<Finding>, unread: &mut Unread) -> Vec<Declared> {
    let mut declared = Vec::new();
    let mut pending: Vec<(usize, Option<Doubt>)> = vec![(0, None)];
    while let Some((module, doubt)) = pending.pop() {
        let Some((_, folder)) = evaluator.module_folder(module) else {
            let why = evaluator.absent(module, Span::new(crate::source::FileId(0), 0, 0));
            let finding = unknown_module(&why);
            if !notices.contains(&finding) {
                notices.push(finding);
            }
            continue;
        };
        let calls: Arc<[Span]> = evaluator.calls_to(module).into();
        for (at, resource) in folder.resources.iter().enumerate() {
            if resource.is_data || resource::turn(&resource.kind).is_none() {
                if !resource.is_data {
                    unread.meet(&resource.kind);
                }
                continue;
            }
            match evaluator.instances(module, at) {
                Ok(shape) => {
                    for (slot, own) in shape.all() {
                        let wanted = |name: &str| resource::wants(&resource.kind, name);
                        let scope = Scope {
                            repetition: &slot.repetition,
                            own: Some(&slot),
                            ..Scope::of_module(module)
                        };
                        declared.push(Declared {
                            address: slot.address.clone(),
                            kind: slot.kind.clone(),
                            span: slot.span,
                            whole: resource.span,
                            calls: calls.clone(),
                            doubt: own.or_else(|| doubt.clone()),
                            values: resource::object(evaluator, scope, &resource.body, &wanted),
                        });
                    }
                }
                Err(stop) => notices.push(not_expanded(stop, resource.header)),
            }
        }
        for call in folder.calls.values().rev() {
            match evaluator.called(module, &call.name, call.header) {
                Ok(shape) => {
                    let inner = shape.all().into_iter().rev();
                    pending.extend(inner.map(|(module, own)| (module, own.or_else(|| doubt.clone()))));
                }
                Err(stop) => notices.push(not_expanded(stop, call.header)),
            }
        }
    }
    declared
}

/// What of a block does not become instances.
fn not_expanded(stop: Stop, header: Span) -> Finding {
    match stop {
        Stop::Unknown(why) => unknown_module(&why),
        Stop::Fault(fault) => {
            let label = Label::new(fault.span.unwrap_or(header), "not evaluated");
            Finding::new(Code::AnalysisBudget, fault.message, Some(label))
        }
    }
}

/// A module of which nothing is known.
fn unknown_module(why: &Why) -> Finding {
    let label = Label::new(why.span, "not known");
    let code = if why.reason == Reason::Limit {
        Code::AnalysisBudget
    } else {
        Code::UnknownValue
    };
    Finding::new(code, why.text.as_str(), Some(label))
        .help("what it opens is not known: run `terraform init`, or check a plan")
}
