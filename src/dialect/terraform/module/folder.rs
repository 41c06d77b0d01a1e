//! The files of a folder to one module: what they declare, with override files merged over it.
//!
//! Terraform, "Files and Configuration Structure", "Override Files". INVARIANT: what is declared twice is what was declared first,
//! unless an override file says otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dialect::terraform::syntax::ast::{Attribute, Block, Body, Expr, Name};
use crate::source::Span;

/// One module's declarations.
#[derive(Debug, Default)]
pub(in super::super) struct Folder {
    /// Where it lies, as names of sources have it; empty for where names begin.
    pub(in super::super) path: String,
    pub(in super::super) variables: BTreeMap<Name, Variable>,
    pub(in super::super) locals: BTreeMap<Name, Arc<Expr>>,
    pub(in super::super) outputs: BTreeMap<Name, Arc<Expr>>,
    pub(in super::super) resources: Vec<Resource>,
    /// By whether it is a data source, kind and name.
    places: BTreeMap<(bool, Name, Name), usize>,
    pub(in super::super) calls: BTreeMap<Name, ModuleCall>,
}

#[derive(Debug, Default)]
pub(in super::super) struct Variable {
    pub(in super::super) span: Option<Span>,
    pub(in super::super) constraint: Option<Arc<Expr>>,
    pub(in super::super) default: Option<Arc<Expr>>,
    pub(in super::super) nullable: Option<Arc<Expr>>,
}

/// A resource or data source.
#[derive(Debug)]
pub(in super::super) struct Resource {
    pub(in super::super) kind: Name,
    pub(in super::super) name: Name,
    pub(in super::super) is_data: bool,
    /// From the word `resource` to its name.
    pub(in super::super) header: Span,
    /// The whole block.
    pub(in super::super) span: Span,
    pub(in super::super) body: Body,
}

/// `module "name" { … }`.
#[derive(Debug)]
pub(in super::super) struct ModuleCall {
    pub(in super::super) name: Name,
    pub(in super::super) header: Span,
    pub(in super::super) body: Body,
}

/// Whether a file's declarations are merged over those of others.
pub(in super::super) fn is_override(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let stem = file
        .trim_end_matches(".json")
        .trim_end_matches(".tf")
        .trim_end_matches(".tofu");
    stem == "override" || stem.ends_with("_override")
}

impl Folder {
    /// The module of a folder's files, in the order of their names, override files last.
    pub(in super::super) fn new(path: &str, files: Vec<(bool, Body)>) -> Self {
        let mut folder = Self {
            path: path.to_owned(),
            ..Self::default()
        };
        let (overrides, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|(over, _)| *over);
        for (over, body) in files.into_iter().chain(overrides) {
            for block in body.blocks {
                folder.declare(block, over);
            }
        }
        folder
    }

    /// A resource or data source.
    pub(in super::super) fn resource(&self, is_data: bool, kind: &str, name: &str) -> Option<usize> {
        self.places.get(&(is_data, kind.into(), name.into())).copied()
    }

    fn declare(&mut self, block: Block, over: bool) {
        match (&*block.kind, block.labels.as_slice()) {
            ("variable", [(name, span)]) => {
                let variable = self.variables.entry(name.clone()).or_default();
                let is_new = variable.span.is_none();
                variable.span.get_or_insert(*span);
                for attribute in block.body.attributes {
                    let place = match &*attribute.name {
                        "type" => &mut variable.constraint,
                        "default" => &mut variable.default,
                        "nullable" => &mut variable.nullable,
                        _ => continue,
                    };
                    if over || is_new || place.is_none() {
                        *place = Some(attribute.value);
                    }
                }
            }
            ("locals", _) => {
                for attribute in block.body.attributes {
                    set(&mut self.locals, attribute.name, attribute.value, over);
                }
            }
            ("output", [(name, _)]) => {
                if let Some(value) = block.body.attribute("value") {
                    let (name, value) = (name.clone(), value.value.clone());
                    set(&mut self.outputs, name, value, over);
                }
            }
            ("module", [(name, _)]) => match self.calls.get_mut(name) {
                Some(call) if over => merge(&mut call.body, block.body),
                Some(_) => {}
                None => {
                    let call = ModuleCall {
                        name: name.clone(),
                        header: block.header,
                        body: block.body,
                    };
                    self.calls.insert(call.name.clone(), call);
                }
            },
            (kind @ ("resource" | "data" | "ephemeral"), [(of, _), (name, _)]) => {
                let is_data = kind != "resource";
                let (of, name) = (of.clone(), name.clone());
                let place = (is_data, of.clone(), name.clone());
                match self.places.get(&place).and_then(|at| self.resources.get_mut(*at)) {
                    Some(resource) if over => merge(&mut resource.body, block.body),
                    Some(_) => {}
                    None => {
                        self.places.insert(place, self.resources.len());
                        self.resources.push(Resource {
                            kind: of,
                            name,
                            is_data,
                            header: block.header,
                            span: block.span,
                            body: block.body,
                        });
                    }
                }
            }
            _ => {}
        }
    }
}

fn set(names: &mut BTreeMap<Name, Arc<Expr>>, name: Name, value: Arc<Expr>, over: bool) {
    if over {
        names.insert(name, value);
    } else {
        names.entry(name).or_insert(value);
    }
}

/// Attributes take the place of those of their names; blocks that of all of their kinds.
fn merge(body: &mut Body, over: Body) {
    for attribute in over.attributes {
        match body
            .attributes
            .iter_mut()
            .find(|known: &&mut Attribute| known.name == attribute.name)
        {
            Some(known) => *known = attribute,
            None => body.attributes.push(attribute),
        }
    }
    let name = |block: &Block| match (&*block.kind, block.label(0)) {
        ("dynamic", Some(label)) => label.clone(),
        _ => block.kind.clone(),
    };
    let replaced: Vec<Name> = over.blocks.iter().map(name).collect();
    body.blocks.retain(|block| !replaced.contains(&name(block)));
    body.blocks.extend(over.blocks);
}
